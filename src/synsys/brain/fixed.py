"""Operating point of the whole brain: potentials at which every population is at rest."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from synsys.brain.linear import LongRange
from synsys.brain.wiring import Wiring
from synsys.circuit.drift import SLOTS, Parameters, drift, firing, inverse_firing, steady_gates
from synsys.circuit.linear import CALCIUM, KINDS, LocalTransfer, inverse3

_STEP = 1e-30
NEWTON = 12
"""Newton steps before the potentials are followed in pseudo-time."""
MOST_RELAXATION = 150
"""Pseudo-time steps before a state of rest is given up."""


@dataclass(frozen=True)
class OperatingPoint:
    """A state of rest.

    Attributes
    ----------
    x : ndarray, (N, 8, 3)
        State of every node.
    u : ndarray, (3, N, 3)
        Conductance arriving from other regions.
    residual : float
        Largest |dV/dt| times the membrane time constant, mV.
    converged : bool
        Whether `residual` is below tolerance; if not, no state of rest was found.
    """

    x: np.ndarray
    u: np.ndarray
    residual: float
    converged: bool

    def rates(self, p: Parameters) -> np.ndarray:
        """Firing rates in Hz, (N, 3)."""
        return 1e3 * firing(self.x[..., 0, :], p)


def rest(v: np.ndarray, p: Parameters, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """State with potentials `v` whose gates, synapses and calcium are at rest, and tau dV/dt there.

    The calcium equation is linear in calcium, so one evaluation of the drift gives its rest value.
    """
    x = steady_gates(v, p)
    x[..., CALCIUM, :] += drift(x, p, u)[..., CALCIUM, :] * p.tau_ca
    return x, drift(x, p, u)[..., 0, :] * p.tau


def arriving(x: np.ndarray, wiring: Wiring, coupling: np.ndarray) -> np.ndarray:
    """Conductance arriving at each population from other regions at rest, (3, N, 3)."""
    return coupling * wiring.collect(wiring.gates(x))


def fixed_point(
    p: Parameters,
    wiring: Wiring,
    coupling: np.ndarray,
    v: np.ndarray,
    tolerance: float = 1e-9,
    most: int = 30,
    pace: float = np.inf,
) -> OperatingPoint:
    """Newton iteration on the potentials, gates and synapses eliminated.

    Parameters
    ----------
    p : Parameters
        Numbers of one state, (N, 3).
    wiring : Wiring
    coupling : ndarray, (3, N, 3)
        Multipliers of arriving conductance (receptors, spines, long-range strength).
    v : ndarray, (N, 3)
        Start, mV; the healthy potentials.
    tolerance : float
        Accepted |tau dV/dt| in mV.
    most : int
        Iterations before giving up.
    pace : float
        First step of pseudo-time, in membrane time constants; infinite is Newton's method. Finite, the
        potentials follow dV/dt = f implicitly with steps that grow as f falls (pseudo-transient
        continuation, Kelley & Keyes 1998, SIAM J Numer Anal 35:508), which crosses folds where Newton
        stalls and ends in the state that the brain would fall into.
    """
    n, each = len(v), SLOTS + len(KINDS)
    source, sources = (wiring.source_node, wiring.source_slot), np.arange(len(wiring.source_node))
    potentials = np.zeros((each, 1, SLOTS), complex)
    potentials[range(SLOTS), 0, range(SLOTS)] = 1j * _STEP
    conductances = np.zeros((each, len(KINDS), 1, 1), complex)
    conductances[range(SLOTS, each), range(len(KINDS))] = 1j * _STEP
    before, held, newton = np.inf, np.nan, None
    for _ in range(most):
        x = steady_gates(v, p)
        u = arriving(x, wiring, coupling)
        x, f = rest(v, p, u)
        size = float(np.abs(f).max())
        if size < tolerance:
            return OperatingPoint(x, u, size, True)
        if np.isfinite(before):
            pace = min(pace * min(before / size, 2.0), 1e12)
        if newton is None or size > 0.2 * before or pace != held:  # else the last matrix still serves
            # derivatives by complex step in every direction: three potentials, three conductances
            y, g = rest(v + potentials, p, u + conductances)
            slope = g.imag / _STEP  # (6, N, 3)
            gates = np.stack([y[a, :, 1:3, a].imag / _STEP for a in range(SLOTS)], -1)
            inverse, det = inverse3(np.eye(SLOTS) / pace - np.moveaxis(slope[:SLOTS], 0, -1))
            enter = np.moveaxis(slope[SLOTS:], 0, 1)
            local = LocalTransfer(inverse[None], enter[None], gates[None, :, 0], gates[None, :, 1], det[None])
            loop = LongRange(wiring, local, coupling).block(sources, sources)[0]
            newton, held = lu_factor(np.eye(len(sources)) - loop, check_finite=False), pace
        before = size
        free = (inverse @ f[..., None])[..., 0]
        dy = lu_solve(newton, free[source], check_finite=False)
        spread = np.zeros((n, 2, SLOTS))
        spread[wiring.source_node, :, wiring.source_slot] = (
            gates[wiring.source_node, :, wiring.source_slot] * dy[:, None]
        )
        du = wiring.collect(spread)
        step = free + (inverse @ np.einsum("nka,kna->na", enter, coupling * du)[..., None])[..., 0]
        v = v + step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-30))
        if not np.isfinite(v).all():
            break
    return OperatingPoint(x, u, size, False)


def continuation(
    start: Parameters,
    end: Parameters,
    wiring: Wiring,
    couplings: tuple[np.ndarray, np.ndarray],
    v: np.ndarray,
) -> OperatingPoint:
    """Operating point of perturbed parameters, from that of health.

    Newton's method where it converges soon; else the potentials are followed in pseudo-time, which ends in
    the state that the brain would go to.

    Parameters
    ----------
    start, end : Parameters
        Healthy and perturbed numbers.
    wiring : Wiring
    couplings : (healthy, perturbed) multipliers, each (3, N, 3)
    v : ndarray, (N, 3)
        Healthy potentials, mV.
    """
    point = fixed_point(end, wiring, couplings[1], v, most=NEWTON)
    if not point.converged:  # far away, or past a fold where the old branch is gone
        point = fixed_point(end, wiring, couplings[1], v, most=MOST_RELAXATION, pace=1.0)
    return point


def blend(start: Parameters, end: Parameters, weight: float) -> Parameters:
    """Parameters a fraction `weight` of the way from `start` to `end`."""
    return replace(
        start, **{k: (1 - weight) * a + weight * getattr(end, k) for k, a in vars(start).items()}
    )  # fmt: skip


__all__ = ["OperatingPoint", "arriving", "continuation", "fixed_point", "inverse_firing", "rest"]
