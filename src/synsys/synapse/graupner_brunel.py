"""Calcium-based plasticity of Graupner and Brunel (2012, PNAS 109:3991).

Spikes leave calcium transients that add up; while calcium is above a threshold the efficacy rho is pulled
up (theta_p) or down (theta_d):

    tau drho/dt = -rho (1 - rho)(rho* - rho) + gamma_p (1 - rho) H(c - theta_p) - gamma_d rho H(c - theta_d)
                  + sigma sqrt(tau (H(c - theta_d) + H(c - theta_p))) eta(t)

Averaged over a protocol, and without the cubic term while it runs, rho is an Ornstein-Uhlenbeck process set
by the shares alpha_d, alpha_p of time above each threshold; afterwards each synapse falls to 0 or 1.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from synsys.core.errors import UserError
from synsys.knowledge.plasticity import PlasticitySet

VARIANCE_FLOOR = 1e-30
"""Under the square root where no calcium crosses a threshold and rho stays where it is."""


@dataclass(frozen=True)
class Outcome:
    """What a protocol does to a population of synapses; floats or arrays of one shape.

    Attributes
    ----------
    alpha_d, alpha_p : float or ndarray
        Share of the protocol's time with calcium above each threshold.
    up, down : float or ndarray
        Probability that a DOWN synapse ends UP, and an UP synapse DOWN.
    ratio : float or ndarray
        Mean strength after over before.
    """

    alpha_d: np.ndarray
    alpha_p: np.ndarray
    up: np.ndarray
    down: np.ndarray
    ratio: np.ndarray


@dataclass(frozen=True)
class Protocol:
    """Spike pairs in bursts, repeated at a fixed interval; the last presynaptic spikes of a burst are paired.

    Attributes
    ----------
    interval : float
        Post minus pre spike time within a pair, ms.
    pre, post : int
        Pre- and postsynaptic spikes in a burst, post <= pre.
    frequency : float
        Of spikes within a burst, Hz.
    period : float
        From burst to burst, ms.
    bursts : int
    """

    interval: float
    pre: int
    post: int
    frequency: float
    period: float
    bursts: int

    def __post_init__(self) -> None:
        if not 1 <= self.post <= self.pre or self.bursts < 1 or min(self.frequency, self.period) <= 0:
            raise UserError("a protocol needs 1 <= post <= pre, bursts >= 1 and frequency, period > 0")
        if self.pre * 1000.0 / self.frequency > self.period * (1 + 1e-9):
            raise UserError(
                f"{self.pre} spikes at {self.frequency:g} Hz do not fit into a period of {self.period:g} ms"
            )

    @property
    def duration(self) -> float:
        """Length in s."""
        return self.bursts * self.period / 1000.0

    def onsets(self, delay: float) -> tuple[np.ndarray, np.ndarray]:
        """Times (ms) in a period at which pre (delayed) and post spikes raise calcium; (pre,) and (post,)."""
        start = np.arange(self.pre) * 1000.0 / self.frequency
        return start + delay, start[self.pre - self.post :] + self.interval


def spike_pairs(interval: float, frequency: float = 1.0, count: int = 60) -> Protocol:
    """Regular spike pairs, the protocol of STDP curves (60 pairs at 1 Hz unless said otherwise)."""
    return Protocol(interval, 1, 1, frequency, 1000.0 / frequency, count)


def time_above(times, amplitudes, tau_ca, period, threshold):
    """Share of a periodic protocol during which calcium is above a threshold; exact.

    Parameters
    ----------
    times : ndarray, shape (events,)
        Of the transients within a period, in ms, in any order; taken modulo the period.
    amplitudes : ndarray, shape (events, ...)
    tau_ca : float
        Decay time, ms.
    period : float
        ms.
    threshold : float or ndarray broadcasting with ``amplitudes[0]``

    Returns
    -------
    ndarray, shape ``amplitudes.shape[1:]``
    """
    phase = np.mod(times, period)
    order = np.argsort(phase, kind="stable")
    phase, amplitudes = phase[order], np.asarray(amplitudes, dtype=float)[order]
    lag = np.mod(phase[:, None] - phase, period)
    kernel = np.exp(-lag / tau_ca) / -np.expm1(-period / tau_ca)
    calcium = np.tensordot(kernel, amplitudes, axes=1)
    gap = np.diff(phase, append=phase[0] + period).reshape(-1, *[1] * (calcium.ndim - 1))
    crossing = tau_ca * np.log(np.maximum(calcium, 1e-300) / threshold)
    return np.clip(crossing, 0.0, gap).sum(axis=0) / period


def moments(start, alpha_d, alpha_p, gamma_d, gamma_p, sigma, tau, duration):
    """Mean and variance of rho after `duration` (s) from `start`, flat potential.

    Ornstein-Uhlenbeck process with mean reversion (Gamma_p + Gamma_d) / tau, Gamma = gamma alpha.
    """
    rate = gamma_p * alpha_p + gamma_d * alpha_d
    safe = np.where(rate > 0, rate, 1.0)
    rest = gamma_p * alpha_p / safe
    decay = np.exp(-duration * rate / tau)
    mean = rest + (start - rest) * decay
    variance = 0.5 * sigma**2 * (alpha_p + alpha_d) / safe * -np.expm1(-2.0 * duration * rate / tau)
    return mean, variance


def transitions(alpha_d, alpha_p, gamma_d, gamma_p, sigma, tau, rho_star, duration):
    """Probabilities (up, down) that a protocol of `duration` (s) carries rho over rho*."""
    from scipy.special import ndtr

    mean, variance = moments(0.0, alpha_d, alpha_p, gamma_d, gamma_p, sigma, tau, duration)
    up = ndtr((mean - rho_star) / np.sqrt(variance + VARIANCE_FLOOR))
    mean, variance = moments(1.0, alpha_d, alpha_p, gamma_d, gamma_p, sigma, tau, duration)
    down = ndtr((rho_star - mean) / np.sqrt(variance + VARIANCE_FLOOR))
    return up, down


def strength_ratio(up, down, beta, b):
    """Mean synaptic strength after over before, from the shares that switched."""
    before = beta + (1.0 - beta) * b
    after_up = beta * up + (1.0 - beta) * (1.0 - down)
    return (1.0 - after_up + after_up * b) / before


def outcome(
    parameters: PlasticitySet, protocol: Protocol, c_pre=None, c_post=None, gamma_d=None, gamma_p=None
):
    """Change of synaptic strength by a protocol, in closed form.

    Parameters
    ----------
    parameters : PlasticitySet
    protocol : Protocol
    c_pre, c_post, gamma_d, gamma_p : float or ndarray, optional
        In place of those of `parameters`; arrays broadcast.

    Returns
    -------
    Outcome
    """
    given = (c_pre, c_post, gamma_d, gamma_p)
    own = (parameters.c_pre, parameters.c_post, parameters.gamma_d, parameters.gamma_p)
    pre, post, rate_d, rate_p = np.broadcast_arrays(
        *(np.asarray(o if g is None else g, dtype=float) for g, o in zip(given, own, strict=True))
    )
    at_pre, at_post = protocol.onsets(parameters.delay)
    times = np.concatenate([at_pre, at_post])
    sizes = ((pre, at_pre.size), (post, at_post.size))
    amplitudes = np.concatenate([np.broadcast_to(a, (count, *a.shape)) for a, count in sizes])
    alpha_d, alpha_p = (
        time_above(times, amplitudes, parameters.tau_ca, protocol.period, threshold)
        for threshold in (parameters.theta_d, parameters.theta_p)
    )
    up, down = transitions(
        alpha_d,
        alpha_p,
        rate_d,
        rate_p,
        parameters.sigma,
        parameters.tau,
        parameters.rho_star,
        protocol.duration,
    )
    return Outcome(alpha_d, alpha_p, up, down, strength_ratio(up, down, parameters.beta, parameters.b))


def simulate(
    parameters: PlasticitySet, protocol: Protocol, synapses: int = 1000, step: float = 0.5, seed: int = 0
) -> Outcome:
    """The same by Euler-Maruyama with the cubic term, for checks of `outcome`.

    Half of `synapses` starts DOWN, half UP; a synapse counts as UP if rho ends above rho*. `step` in ms.
    """
    p = parameters
    rng = np.random.default_rng(seed)
    at_pre, at_post = protocol.onsets(p.delay)
    steps = round(protocol.period / step)
    grid = (np.arange(steps) + 0.5) * step
    lag = np.mod(grid[:, None] - np.concatenate([at_pre, at_post]), protocol.period)
    amplitudes = np.repeat([p.c_pre, p.c_post], [protocol.pre, protocol.post])
    calcium = np.exp(-lag / p.tau_ca) @ amplitudes / -np.expm1(-protocol.period / p.tau_ca)
    low, high = calcium > p.theta_d, calcium > p.theta_p
    share = step / 1000.0 / p.tau
    rho = np.repeat([0.0, 1.0], synapses // 2)
    for _ in range(protocol.bursts):
        for depress, potentiate in zip(low, high, strict=True):
            drift = -rho * (1 - rho) * (p.rho_star - rho)
            if depress or potentiate:
                drift = drift + p.gamma_p * (1 - rho) * potentiate - p.gamma_d * rho * depress
                spread = p.sigma * sqrt(share * (int(depress) + int(potentiate)))
                rho = rho + share * drift + spread * rng.standard_normal(rho.size)
            else:
                rho = rho + share * drift
    ended = rho > p.rho_star
    half = synapses // 2
    up, down = ended[:half].mean(), 1.0 - ended[half:].mean()
    return Outcome(low.mean(), high.mean(), up, down, strength_ratio(up, down, p.beta, p.b))


def with_amplitudes(parameters: PlasticitySet, calcium: float) -> PlasticitySet:
    """The set with both calcium amplitudes times `calcium` (1.5 mM in place of 2.5 mM outside: 0.6)."""
    return replace(parameters, c_pre=calcium * parameters.c_pre, c_post=calcium * parameters.c_post)
