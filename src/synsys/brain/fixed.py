"""Operating point of the whole brain: potentials at which every population is at rest."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from synsys.brain.linear import coupled, undelayed
from synsys.brain.wiring import Wiring
from synsys.circuit.drift import SLOTS, Parameters, drift, firing, steady_gates
from synsys.circuit.linear import CALCIUM, LocalJacobian, LocalTransfer, eliminated, inverse3, jacobian

MOVE = 4.0
"""Length of a step in pseudo-time times the largest |tau dV/dt| at its start, mV."""
NEARLY = 1e-6
"""|tau dV/dt| of a point of rest at worst, mV."""
NEAR = 0.5
"""Largest |tau dV/dt| at which Newton's method takes over, mV; a tenth of where it failed after it has."""
KEPT = 0.1
"""Newton's matrix is kept while each step leaves less than this share of the residual."""
SHORTENED = 4
"""Times that a step is shortened to a quarter before it is taken as it is."""
MOST_STEPS = 80
"""Steps before a state of rest is given up."""


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
    newton : Newton or None
        Matrix with which it was found, for a point like it.
    """

    x: np.ndarray
    u: np.ndarray
    residual: float
    converged: bool
    newton: "Newton | None" = None

    def rates(self, p: Parameters) -> np.ndarray:
        """Firing rates in Hz, (N, 3)."""
        return 1e3 * firing(self.x[..., 0, :], p)


class Newton:
    """Implicit steps of all potentials at once, with the Jacobian of one state.

    Parameters
    ----------
    jac : LocalJacobian
    p : Parameters
    wiring : Wiring
    coupling : ndarray, (3, N, 3)
    pace : float
        Length of the step in pseudo-time over the membrane time constant; infinite for Newton's.

    Attributes
    ----------
    along : bool
        Whether steps lead where the flow does: no region alone, nor the regions together, have passed the
        point at which the step is longer than the time in which they run away.
    """

    def __init__(
        self,
        jac: LocalJacobian,
        p: Parameters,
        wiring: Wiring,
        coupling: np.ndarray,
        pace: float = np.inf,
    ) -> None:
        self._wiring, self._coupling = wiring, coupling
        d, enter, fast, slow = eliminated(jac, np.zeros(1))
        d[..., range(SLOTS), range(SLOTS)] += 1.0 / (pace * p.tau)
        inverse, det = inverse3(d)
        self._local = LocalTransfer(inverse, enter, fast, slow, det)
        self._closed = coupled(wiring, self._local, coupling, undelayed(wiring))
        self._lu = lu_factor(self._closed.core[0], check_finite=False)
        upper, swapped = np.diagonal(self._lu[0]), self._lu[1] != np.arange(len(self._lu[1]))
        self.along = bool((det > 0).all() and (np.sum(upper < 0) + swapped.sum()) % 2 == 0)

    def step(self, change: np.ndarray) -> np.ndarray:
        """Step of potentials, mV, for their rates of change, mV/ms, (N, 3).

        Each region alone, then the sources among one another, then what they bring to every population.
        """
        wiring, local = self._wiring, self._local
        node, slot = wiring.source_node, wiring.source_slot
        alone = (local.inv[0] @ change[..., None])[..., 0]
        sources = self._closed.solve(
            alone[node, slot], wiring.core, lambda b: lu_solve(self._lu, b, check_finite=False)
        )
        gates = np.zeros((len(change), 2, SLOTS))
        gates[node, 0, slot] = local.fast[0, node, slot] * sources
        gates[node, 1, slot] = local.slow[0, node, slot] * sources
        current = np.einsum("nka,kna->na", local.enter[0], self._coupling * wiring.collect(gates))
        return np.asarray(alone + (local.inv[0] @ current[..., None])[..., 0])


def rest(v: np.ndarray, p: Parameters, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """State with potentials `v` whose gates, synapses and calcium are at rest, and tau dV/dt there."""
    return _settled(steady_gates(v, p), p, u)


def _settled(x: np.ndarray, p: Parameters, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The state with calcium at rest too: its equation is linear in it, so one drift gives its value."""
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
    most: int = MOST_STEPS,
    newton: Newton | None = None,
    stride: float = 1.0,
) -> OperatingPoint:
    """The state of rest that the brain goes to from potentials `v`.

    The potentials follow tau dV/dt = f(V), gates and synapses at rest with them, by implicit steps

        (tau / h - df/dV) dV = f,   h = tau `MOVE` / max |f|,

    which grow as f falls (pseudo-transient continuation, Kelley & Keyes 1998, SIAM J Numer Anal 35:508),
    but not beyond the time in which the flow runs away from where it is; below `NEAR` they are Newton's.
    Newton's method from the start would save steps, but where the old state of rest is gone, or another is
    near, it ends in any of those that exist.

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
        |tau dV/dt| at which the search ends, mV.
    most : int
        Steps at most; the point then counts as found below `NEARLY`.
    newton : Newton, optional
        Of a point like it, tried first if the start is within `NEAR`.
    stride : float
        Factor on h, which saves steps where the way matters less; no potential moves by more than `MOVE`.
    """
    before, near, longest = np.inf, NEAR, np.inf
    pace, own = np.nan if newton is None else np.inf, None
    for _ in range(most):
        x = steady_gates(v, p)
        u = arriving(x, wiring, coupling)
        x, f = _settled(x, p, u)
        size = float(np.abs(f).max())
        if size < tolerance:
            return OperatingPoint(x, u, size, True, newton if np.isinf(pace) else None)
        if np.isinf(pace) and size > before and newton is own:
            near = 0.1 * before  # f is small there, but has no zero: the ghost of a fold
        held, pace = pace, np.inf if size < min(near, before) else min(stride * MOVE / size, longest)
        if newton is None or pace != held or size > KEPT * before:
            jac = jacobian(x, p, u)
            newton = own = Newton(jac, p, wiring, coupling, pace)
            for _ in range(SHORTENED):
                if newton.along:
                    break
                pace = min(0.25 * pace, MOVE / size)
                newton = own = Newton(jac, p, wiring, coupling, pace)
            longest = 4.0 * pace
        before = size
        step = newton.step(f / p.tau)
        v = v + step * min(1.0, MOVE / max(float(np.abs(step).max()), 1e-30))
        if not np.isfinite(v).all():
            break
    return OperatingPoint(x, u, size, size < NEARLY)
