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
    at = [x[..., k, :] for k in range(len(STATE))]

    def change(steps: dict[int, np.ndarray], u: np.ndarray = u) -> np.ndarray:
        """Derivative along imaginary steps of some variables, (directions, ..., N, 8, 3)."""
        out = drift(tuple(v + steps[k] if k in steps else v for k, v in enumerate(at)), p, u)
        return np.stack(np.broadcast_arrays(*map(np.imag, out)), axis=-2) / _STEP

    def directions(count: int) -> np.ndarray:
        """No step in `count` directions, (count, ..., 1, 3)."""
        return np.zeros((count, *(1,) * (x.ndim - 2), SLOTS), complex)

    full[..., own, 0, own] = change({0: np.full(1, 1j * _STEP)})
    alone = (CALCIUM, *GATES)
    steps = {k: directions(len(alone)) for k in alone}
    for d, k in enumerate(alone):
        steps[k][d] = 1j * _STEP
    for k, values in zip(alone, change(steps), strict=True):
        full[..., own, k, own] = values
    each = [(k, b) for k in (FAST, SLOW) for b in own]
    steps = {k: directions(len(each) + len(KINDS)) for k in (FAST, SLOW)}
    for d, (k, b) in enumerate(each):
        steps[k][d, ..., b] = 1j * _STEP
    from_afar = directions(len(each) + len(KINDS))[..., None, :, :] * np.ones((len(KINDS), 1, 1))
    for k in range(len(KINDS)):
        from_afar[len(each) + k, ..., k, :, :] = 1j * _STEP
    values = change(steps, u + from_afar)
    for d, (k, b) in enumerate(each):
        full[..., k, b] = values[d]
    entered = np.moveaxis(values[len(each) :], 0, -3)  # (..., N, kinds, 8, 3)
    flat = full.reshape(*x.shape[:-2], SIZE, SIZE)
    return LocalJacobian(flat, entered[..., 0, :], entered[..., CALCIUM, :])


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
