"""What ongoing Poisson firing does to a calcium-based synapse: forgetting, retention, relearning.

Higgins, Graupner and Brunel (2014, PLoS Comput Biol 10:e1003834): at the extracellular calcium of the living
brain transients are smaller, so that background spikes rarely cross a threshold, and a bistable synapse
holds until noise carries it over a barrier.
"""

from dataclasses import dataclass

import numpy as np

from synsys.core.errors import UserError
from synsys.knowledge.plasticity import PlasticitySet
from synsys.synapse.graupner_brunel import Protocol, outcome, with_amplitudes

EULER_GAMMA = 0.5772156649015329
CELLS = 256
"""Steps of the calcium axis between 0 and a threshold."""
EFFICACIES = 401
"""Grid of rho for first passages."""
LARGEST_LOG = 690.0
"""Times are cut at exp of this (s); beyond it they are for ever."""


def poisson_time_above(rate_pre, rate_post, c_pre, c_post, tau_ca, threshold):
    """Share of time with calcium above a threshold while both cells fire as independent Poisson processes.

    With nu = tau_ca (rate_pre + rate_post) the distribution F of calcium solves
    c F' = tau_ca sum_k rate_k (F(c) - F(c - C_k)), and F = K c^nu below the smaller transient, with
    K = exp(-gamma nu) prod_k C_k^(-nu_k) / Gamma(1 + nu) (shot noise; Gilbert and Pollak 1960, Bell Syst Tech
    J 39:333). F = c^nu G is integrated upwards in blocks, with the singular power done exactly.

    Parameters
    ----------
    rate_pre, rate_post : float or ndarray, > 0
        Hz.
    c_pre, c_post : float or ndarray, > 0
    tau_ca : float
        ms.
    threshold : float or ndarray

    Returns
    -------
    ndarray of the broadcast shape
        Relative error against a grid eight times finer: below 1e-3 for alpha_d and 1e-2 for alpha_p of the
        synapse in vivo at 0.05 to 10 Hz.

    Raises
    ------
    UserError
        For a transient below threshold / CELLS, which the calcium axis does not resolve.
    """
    from scipy.special import gammaln

    arrays = np.broadcast_arrays(rate_pre, rate_post, c_pre, c_post, threshold)
    r1, r2, a1, a2, theta = (np.ravel(x).astype(float) for x in arrays)
    nus, sizes = np.array([r1, r2]) * tau_ca / 1000.0, np.array([a1, a2]) / theta
    if sizes.min() < 1.0 / CELLS:
        raise UserError(f"a calcium transient of less than 1/{CELLS} of a threshold is not resolved")
    nu = nus.sum(axis=0)
    start = np.exp(-EULER_GAMMA * nu - (nus * np.log(sizes)).sum(axis=0) - gammaln(1.0 + nu))
    edges = np.linspace(0.0, 1.0, CELLS + 1)
    g = np.empty((CELLS + 1, nu.size))
    g[0] = start
    columns = np.arange(nu.size)
    for i in range(CELLS):
        gain = 0.0
        for share, size in zip(nus, sizes, strict=True):
            left, right = np.maximum(edges[i], size), np.maximum(edges[i + 1], size)
            low, high = left - size, right - size
            place = 0.5 * (low + high) * CELLS
            cell = place.astype(int)
            below = g[cell, columns]
            inside = below + (place - cell) * (g[np.minimum(cell + 1, i), columns] - below)
            width = np.where(right > left, right - left, 1.0)
            power = (high ** (nu + 1.0) - low ** (nu + 1.0)) / (width * (nu + 1.0))
            gain = gain + share * inside * power * (0.5 * (left + right)) ** -nu * np.log(right / left)
        g[i + 1] = g[i] - gain
    return np.clip(1.0 - g[-1], 0.0, 1.0).reshape(arrays[0].shape)


def background_alphas(parameters: PlasticitySet, rate):
    """(alpha_d, alpha_p) while pre and post fire at `rate` (Hz; float or ndarray)."""
    p = parameters
    return tuple(
        poisson_time_above(rate, rate, p.c_pre, p.c_post, p.tau_ca, theta) for theta in (p.theta_d, p.theta_p)
    )


def decay_time(parameters: PlasticitySet, rate):
    """Time constant (s) with which efficacy forgets its start, flat potential: tau / (Gamma_p + Gamma_d).

    Higgins et al. (2014), Fig. 2C. `rate` in Hz, float or ndarray.
    """
    alpha_d, alpha_p = background_alphas(parameters, rate)
    return parameters.tau / (parameters.gamma_p * alpha_p + parameters.gamma_d * alpha_d)


def first_passage(parameters: PlasticitySet, alpha_d: float, alpha_p: float, up: bool) -> float:
    """Mean time (s) until a synapse crosses rho*, from UP (`up`) or from DOWN; double well included.

    Mean drift and noise of the two shares; rho is reflected where it starts (1 or 0). Double integral of
    the backward equation, in logarithms, so that any barrier is finite until exp(LARGEST_LOG).
    """
    p = parameters
    noise = p.sigma**2 * (alpha_p + alpha_d) / p.tau
    if noise <= 0:
        return float(np.exp(LARGEST_LOG))
    rho = np.linspace(p.rho_star, 1.0 if up else 0.0, EFFICACIES)
    drift = (
        -rho * (1 - rho) * (p.rho_star - rho) + p.gamma_p * alpha_p * (1 - rho) - p.gamma_d * alpha_d * rho
    )
    step = rho[1] - rho[0]
    potential = np.concatenate([[0.0], np.cumsum(-0.5 * (drift[1:] + drift[:-1]) * step)]) / p.tau
    psi = 2.0 * potential / noise
    inner = np.logaddexp.accumulate(-psi[::-1])[::-1]
    log_time = np.log(2.0 / noise) + 2.0 * np.log(abs(step)) + np.logaddexp.reduce(psi + inner)
    return float(np.exp(min(log_time, LARGEST_LOG)))


def retention_time(parameters: PlasticitySet, rate: float) -> float:
    """Mean time (s) for which a potentiated bistable synapse outlasts background firing at `rate` (Hz)."""
    alpha_d, alpha_p = background_alphas(parameters, rate)
    return first_passage(parameters, float(alpha_d), float(alpha_p), up=True)


@dataclass(frozen=True)
class TradeOff:
    """Stability against flexibility of a synapse.

    Attributes
    ----------
    retention, relearning : float
        Mean time (s) that a potentiated synapse outlasts background firing, and that repeating the learning
        protocol takes to potentiate a weak one.
    stability : float
        Probability that a memory lasts the time to keep, exp(-keep / retention).
    flexibility : float
        Probability that one episode rewrites a synapse, 1 - exp(-episode / relearning).
    """

    retention: float
    relearning: float
    stability: float
    flexibility: float

    @property
    def index(self) -> float:
        """Product of both: 0 for a synapse that forgets at once or never learns, at most 1."""
        return self.stability * self.flexibility


def trade_off(
    parameters: PlasticitySet,
    learning: Protocol,
    calcium: float = 1.0,
    rate: float = 0.3,
    keep: float = 30 * 86400.0,
    episode: float = 10.0,
) -> TradeOff:
    """How well a synapse both keeps what it learned and learns anew.

    Parameters
    ----------
    parameters : PlasticitySet
        The one of the living brain for statements about it.
    learning : Protocol
        Repeated throughout an episode.
    calcium : float
        Factor on both calcium amplitudes.
    rate : float
        Background firing of both cells, Hz.
    keep, episode : float
        s; a month, and ten seconds of the protocol (conventions of the index, not measurements).
    """
    scaled = with_amplitudes(parameters, calcium)
    retention = retention_time(scaled, rate)
    result = outcome(scaled, learning)
    relearning = first_passage(scaled, float(result.alpha_d), float(result.alpha_p), up=False)
    return TradeOff(
        retention, relearning, float(np.exp(-keep / retention)), float(-np.expm1(-episode / relearning))
    )
