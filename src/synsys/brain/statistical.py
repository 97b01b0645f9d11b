"""Statistical linearisation: firing rate and gain averaged over the fluctuations of the potential.

A plain linearisation takes rate and slope at the mean potential. Where fluctuations are wide against the
bend of the firing function, the means over a Gaussian of the potential's own stationary variance are
nearer the truth (Booton 1954, IRE Trans Circuit Theory 1:9; Gelb & Vander Velde 1968, ch. 7). Variance and
gain depend on one another and are iterated to agreement.

Only the firing function is averaged. Magnesium block, gates and the product of conductance and driving
force stay linear, so the domain is bounded: see `averaged`.
"""

from dataclasses import dataclass, replace

import numpy as np

from synsys.brain.fixed import fixed_point
from synsys.brain.linear import DelayedWeights, Linearised, LongRange, angular
from synsys.brain.noise import noise_covariance, slow_response
from synsys.brain.stability import stability
from synsys.brain.state import State
from synsys.circuit.drift import SLOTS, Parameters, firing
from synsys.circuit.linear import local_transfer

DOMAIN = (1.0, 3.0)
"""Standard deviations of the potential between which statistical linearisation is meant to be used, mV
(declared; ``benchmarks/linear_vs_simulation.py`` shows it beside simulations)."""
GRID = np.r_[np.geomspace(0.01, 1.0, 9), np.arange(2.0, 61.0, 1.5), np.geomspace(65.0, 500.0, 8)]
"""Frequencies over which variance is integrated, Hz; slower fluctuations count as constant."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(24)


@dataclass(frozen=True, eq=False)
class Averaged:
    """A state linearised statistically.

    Attributes
    ----------
    state : State
        Its parameters hold the effective firing function, its operating point the mean potentials under
        noise; `State.linear` and `State.rates` then are the averaged ones.
    sd : ndarray, (N, 3)
        Standard deviation of every potential, mV.
    iterations : int
    converged : bool
    reason : str
        Why there is no solution; empty if converged.
    """

    state: State
    sd: np.ndarray
    iterations: int
    converged: bool
    reason: str


def averaged(state: State, noise: float = 1.0, tolerance: float = 1e-3, most: int = 40) -> Averaged:
    """Statistical linearisation of a state.

    Use it where potentials fluctuate by about 1 to 3 mV (`DOMAIN`). Below, it equals the plain linearisation.
    Above, terms that it leaves linear (products of fluctuating conductance and potential, magnesium block)
    are as large as what it corrects; ``benchmarks/linear_vs_simulation.py`` shows both beside simulations.

    Parameters
    ----------
    state : State
        Converged and stable.
    noise : float
        Factor on the amplitude of all noise.
    tolerance : float
        Accepted difference between any assumed and resulting standard deviation, mV.
    most : int
        Iterations before giving up.

    Returns
    -------
    Averaged
    """
    none = np.zeros_like(state.parameters.theta)
    verdict = stability(state)
    if not verdict.stable:
        return Averaged(state, none, 0, False, verdict.reason)
    step, size = none, np.inf
    # Iterated in the logarithm of sd, with less weight whenever agreement gets worse: near an instability
    # variance answers steeply to gain.
    now, sd = state, 0.3 * noise * np.sqrt(variance(state.linear))
    weight, before = 0.8, np.inf
    for count in range(1, most + 1):
        ahead = _at(state, sd, now.point.x[:, 0])
        if not stability(ahead, locate=False).stable:
            if weight < 0.02:
                return Averaged(ahead, sd, count, False, stability(ahead).reason)
            weight, sd = 0.5 * weight, np.exp(np.log(sd) - 0.5 * step)
            step = 0.5 * step
            continue
        now = ahead
        new = noise * np.sqrt(variance(now.linear))
        size = float(np.abs(new - sd).max())
        if size < tolerance:
            return Averaged(now, sd, count, True, "")
        weight = min(0.8, 1.2 * weight) if size < before else max(0.6 * weight, 0.05)
        before = size
        step = weight * np.log(new / sd)
        sd = sd * np.exp(step)
    return Averaged(now, sd, most, False, f"standard deviations still differ by {size:.2g} mV")


def _at(state: State, sd: np.ndarray, v: np.ndarray) -> State:
    """The state whose firing function is averaged over `sd`, at rest; `v` starts the search."""
    for _ in range(20):
        p = effective(state.parameters, v, sd)
        point = fixed_point(p, state.healthy.wiring, state.coupling, v)
        moved = float(np.abs(point.x[:, 0] - v).max())
        v = point.x[:, 0]
        if moved < 1e-9 or not point.converged:
            break
    return replace(state, parameters=p, point=point)


def effective(p: Parameters, v: np.ndarray, sd: np.ndarray) -> Parameters:
    """Parameters whose firing function has, at `v`, the Gaussian means of rate and slope.

    With x = ln(exp(<r> / A) - 1): sigma' = A / (1 + exp(-x)) / <dr/dV>, theta' = v - sigma' x.

    Parameters
    ----------
    p : Parameters
    v, sd : ndarray, (N, 3)
        Mean and standard deviation of the potentials, mV.
    """
    weights = _WEIGHTS / _WEIGHTS.sum()
    at = v + sd * _NODES[:, None, None]
    rate = firing(at + 1e-30j, p)
    mean = np.tensordot(weights, rate.real, 1)
    slope = np.tensordot(weights, rate.imag / 1e-30, 1)
    x = np.log(np.expm1(mean / p.gain))
    sigma = p.gain / (1.0 + np.exp(-x)) / slope
    return replace(p, theta=v - sigma * x, sigma=sigma)


def variance(system: Linearised, chunk: int = 8) -> np.ndarray:
    """Stationary variance of every population's potential, mV^2, (N, 3).

    Parameters
    ----------
    system : Linearised
        Stable.
    chunk : int
        Frequencies solved at once.
    """
    parts = [GRID[i : i + chunk] for i in range(0, len(GRID), chunk)]
    density = np.concatenate([population_power(system, part) for part in parts])
    return 2.0 * np.trapezoid(density, GRID, axis=0)


def population_power(system: Linearised, frequency: np.ndarray) -> np.ndarray:
    """Power spectral density of every population's potential, two-sided, mV^2 per Hz, (F, N, 3).

    Unlike `spectra.respond`, which keeps projecting populations only, and with no loop eliminated.

    Parameters
    ----------
    system : Linearised
    frequency : ndarray, (F,)
        Hz.
    """
    wiring, n_s = system.wiring, len(system.wiring.source_node)
    omega = angular(frequency)
    local = local_transfer(system.jacobian, omega)
    node, out = wiring.source_node, wiring.source_slot
    populations = np.arange(system.slow.size)
    targets = populations // SLOTS, populations % SLOTS
    into = LongRange(wiring, local, system.coupling, targets).block(
        populations, np.arange(n_s), DelayedWeights(wiring, omega, system.speed)
    )
    loop = np.eye(n_s) - into[:, node * SLOTS + out]
    reach = np.linalg.solve(loop.swapaxes(1, 2), into.swapaxes(1, 2)).swapaxes(1, 2)  # into (I - L)^-1

    private = noise_covariance(system, local, omega)
    between = private[:, node[:, None], out[:, None], out[None]] * (node[:, None] == node[None])
    size = private.shape[:3]
    total = ((reach @ between) * reach.conj()).sum(-1).real.reshape(size)
    total += np.einsum("fnaa->fna", private).real
    # noise that enters a population directly and again through the sources of its own node
    own = (node[:, None] == np.arange(size[1])).astype(float)  # (S, N)
    direct = private[:, node, out]  # (F, S, 3): covariance of source s with the slots of its node
    total += 2.0 * np.einsum("fnas,sn,fsa->fna", reach.reshape(*size, n_s), own, direct).real
    common = np.sqrt(system.shared) * slow_response(system, local, omega)
    return total + np.abs(common + (reach @ common[:, node, out][..., None]).reshape(size)) ** 2
