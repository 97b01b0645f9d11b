"""Linear response of one region, derived from its drift: Jacobian and exact elimination of gates.

Gates, synapses and calcium of a node relax on their own time constants. A gate follows the potential of
its own population, z_k = r_k J_kV V with r_k = 1 / (iw - J_kk); only the synapses act on other
populations, and only calcium follows anything but its own potential (the slow synapses, whose current it
is). Eliminating them leaves a 3 x 3 complex problem per node and frequency,

    D(w) v = B(w) u,
    D = iw - J_VV - sum_gates J_Vk r_k J_kV - J_Vc r_c J_cV - J_Vf r_f J_fV - (J_Vs + J_Vc r_c J_cs) r_s J_sV,

in which f and s are the fast and slow synapses, c is calcium, and every block but J_Vf, J_Vs and J_cs is
diagonal. A test compares it with the dense 24 x 24 solution, another pins the zeros of the Jacobian.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from synsys.circuit.drift import SIZE, SLOTS, STATE, Parameters, drift

KINDS = ("ampa", "nmda", "gabaa")
FAST, SLOW, CALCIUM = (STATE.index(k) for k in ("fast", "slow", "c"))
GATES = tuple(k for k in range(1, len(STATE)) if k not in (FAST, SLOW, CALCIUM))
"""Variables that follow their own potential and act on it alone."""
_STEP = 1e-30


@dataclass(frozen=True)
class LocalJacobian:
    """Jacobian blocks of every node at an operating point (leading axes free)."""

    full: np.ndarray
    """(..., N, 24, 24), d(drift)/d(state)."""
    input_v: np.ndarray
    """(..., N, 3 kinds, 3 slots), dV/dt per unit conductance arriving from elsewhere."""
    input_c: np.ndarray
    """(..., N, 3 kinds, 3 slots), d(calcium)/dt per unit conductance."""


def jacobian(x: np.ndarray, p: Parameters, u: np.ndarray) -> LocalJacobian:
    """Exact Jacobian of the drift by complex step (Squire & Trapp 1998, SIAM Rev 40:110).

    A variable that acts on its own population alone is stepped in all populations at once.

    Parameters
    ----------
    x : ndarray, (..., N, 8, 3)
    p : Parameters
    u : ndarray, (..., 3, N, 3)
        Conductances arriving from other regions.
    """
    own = range(SLOTS)
    full = np.zeros((*x.shape[:-2], len(STATE), SLOTS, len(STATE), SLOTS))
    at_rest = tuple(x[..., k, :] for k in range(len(STATE)))
    for k in (0, CALCIUM):
        y = (*at_rest[:k], at_rest[k] + 1j * _STEP, *at_rest[k + 1 :])
        full[..., own, k, own] = drift(y, p, u).imag / _STEP
    # all others leave potential and calcium real, so that every direction costs arithmetic only
    alone = [(k, slice(None)) for k in GATES]
    each = [(k, b) for k in (FAST, SLOW) for b in own]
    from_afar = [(len(STATE) + k, slice(None)) for k in range(len(KINDS))]
    directions: list[tuple[int, Any]] = [*alone, *each, *from_afar]
    steps = np.zeros((len(directions), len(STATE) + len(KINDS), SLOTS), complex)
    for d, (k, b) in enumerate(directions):
        steps[d, k, b] = 1j * _STEP
    steps = steps.reshape(len(steps), *(1,) * (x.ndim - 3), -1, 1, SLOTS)
    y = tuple(v if k in (0, CALCIUM) else v + steps[..., k, :, :] for k, v in enumerate(at_rest))
    change = drift(y, p, u + steps[..., len(STATE) :, :, :]).imag / _STEP  # (directions, ..., N, 8, 3)
    for d, (k, _) in enumerate(alone):
        full[..., own, k, own] = change[d]
    for d, (k, b) in enumerate(each, len(alone)):
        full[..., k, b] = change[d]
    arriving = np.moveaxis(change[-len(KINDS) :], 0, -3)  # (..., N, kinds, 8, 3)
    flat = full.reshape(*x.shape[:-2], SIZE, SIZE)
    return LocalJacobian(flat, arriving[..., 0, :], arriving[..., CALCIUM, :])


def inverse3(d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse and determinant of stacked 3 x 3 matrices by cofactors, (..., 3, 3) and (...)."""
    a, b, c, e, f, g, h, i, j = (d[..., r, s] for r in range(3) for s in range(3))
    c00, c01, c02 = f * j - g * i, g * h - e * j, e * i - f * h
    det = a * c00 + b * c01 + c * c02
    rows = [
        [c00, c * i - b * j, b * g - c * f],
        [c01, a * j - c * h, c * e - a * g],
        [c02, b * h - a * i, a * f - b * e],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2) / det[..., None, None], det


@dataclass(frozen=True)
class LocalTransfer:
    """Frequency response of every node, as its factors.

    The potential of population a per unit conductance of kind k arriving at population b is
    ``inv[a, b] * enter[k, b]``.
    """

    inv: np.ndarray
    """(F, N, 3 out, 3 slots): inverse of D, mV per mV/ms."""
    enter: np.ndarray
    """(F, N, 3 kinds, 3 slots): dV/dt per unit conductance, through calcium included."""
    fast: np.ndarray
    """(F, N, 3): fast gating per mV of the population's own potential."""
    slow: np.ndarray
    """(F, N, 3)."""
    det: np.ndarray
    """(F, N): determinant of D over (iw + 0.1)^3, whose winding counts unstable local modes."""

    @property
    def transfer(self) -> np.ndarray:
        """(F, N, 3 out, 3 kinds, 3 slots): potential (mV) per unit conductance."""
        return self.inv[:, :, :, None, :] * self.enter[:, :, None]


def local_transfer(jac: LocalJacobian, omega: np.ndarray) -> LocalTransfer:
    """Frequency response of each node alone.

    Parameters
    ----------
    jac : LocalJacobian
        For one state, (N, 24, 24).
    omega : ndarray, (F,)
        Angular frequency in rad/ms; may be complex (Laplace variable s = i omega).
    """
    s = 1j * omega
    d, enter, fast, slow = eliminated(jac, s)
    inv, det = inverse3(d)
    return LocalTransfer(inv, enter, fast, slow, det / (s[:, None] + 0.1) ** 3)


def eliminated(jac: LocalJacobian, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each node without its gates, at Laplace variables s (F,) in 1/ms.

    Returns
    -------
    d : ndarray, (F, N, 3, 3)
        D, real where s is.
    enter, fast, slow : ndarray
        As in `LocalTransfer`.
    """
    s = s[:, None, None]
    j = jac.full.reshape(-1, len(STATE), SLOTS, len(STATE), SLOTS)

    def full(row: int, column: int) -> np.ndarray:
        return j[:, row, :, column]  # (N, 3, 3)

    def own(row: int, column: int) -> np.ndarray:
        return np.diagonal(full(row, column), axis1=-2, axis2=-1)  # (N, 3)

    def gate(k: int) -> np.ndarray:
        return own(k, 0) / (s - own(k, k))  # (F, N, 3)

    fast, slow = gate(FAST), gate(SLOW)
    through = own(0, CALCIUM) / (s - own(CALCIUM, CALCIUM))  # what moves calcium moves the potential
    d = -full(0, FAST) * fast[:, :, None]
    d -= (full(0, SLOW) + through[..., None] * full(CALCIUM, SLOW)) * slow[:, :, None]
    alone = s - own(0, 0) - through * own(CALCIUM, 0) - sum(own(0, k) * gate(k) for k in GATES)
    d[..., range(SLOTS), range(SLOTS)] += alone
    return d, jac.input_v + through[:, :, None] * jac.input_c, fast, slow
