"""Linear response of one region, derived from its drift: Jacobian and exact elimination of gates.

The gates and synapses of a node relax on their own time constants and act on the three potentials
only (and, through calcium entry, on one another in one step). Eliminating them leaves a 3 x 3 complex
problem per node and frequency,

    D(w) v = B(w) u,   D = iw - J_vv - J_vz (R + R L R) J_zv,   R = (iw - diag J_zz)^-1,

which is exact because the off-diagonal part L of J_zz is nilpotent (L R L = 0). A test compares it
with the dense 24 x 24 solution.
"""

from dataclasses import dataclass

import numpy as np

from synsys.circuit.drift import SIZE, SLOTS, STATE, Parameters, drift

KINDS = ("ampa", "nmda", "gabaa")
FAST, SLOW, CALCIUM = (STATE.index(k) for k in ("fast", "slow", "c"))
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

    Parameters
    ----------
    x : ndarray, (..., N, 8, 3)
    p : Parameters
    u : ndarray, (..., 3, N, 3)
        Conductances arriving from other regions.
    """
    lead = x.shape[:-2]
    full = np.empty((*lead, SIZE, SIZE))
    for k in range(SIZE):
        y = x.astype(complex)
        y[..., k // SLOTS, k % SLOTS] += 1j * _STEP
        full[..., k] = drift(y, p, u).imag.reshape(*lead, SIZE) / _STEP
    input_v = np.empty((*lead, len(KINDS), SLOTS))
    input_c = np.empty_like(input_v)
    for k in range(len(KINDS)):
        w = u.astype(complex)
        w[..., k, :, :] += 1j * _STEP
        change = drift(x.astype(complex), p, w).imag / _STEP
        input_v[..., k, :] = change[..., 0, :]
        input_c[..., k, :] = change[..., CALCIUM, :]
    return LocalJacobian(full, input_v, input_c)


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
    """Frequency response of every node, (F, N, ...)."""

    transfer: np.ndarray
    """(F, N, 3 out, 3 kinds, 3 slots): potential (mV) per unit conductance."""
    fast: np.ndarray
    """(F, N, 3): fast gating per mV of the population's own potential."""
    slow: np.ndarray
    """(F, N, 3)."""
    det: np.ndarray
    """(F, N): determinant of D over (iw + 0.1)^3, whose winding counts unstable local modes."""


def local_transfer(jac: LocalJacobian, omega: np.ndarray) -> LocalTransfer:
    """Frequency response of each node alone.

    Parameters
    ----------
    jac : LocalJacobian
        For one state, (N, 24, 24).
    omega : ndarray, (F,)
        Angular frequency in rad/ms; may be complex (Laplace variable s = i omega).
    """
    j = jac.full
    v, z = slice(0, SLOTS), slice(SLOTS, SIZE)
    s = 1j * omega[:, None, None]
    diag = np.diagonal(j[:, z, z], axis1=-2, axis2=-1)
    r = 1.0 / (s - diag)  # (F, N, 21)
    lower = j[:, z, z] - diag[:, :, None] * np.eye(SIZE - SLOTS)
    through = j[:, v, z]  # (N, 3, 21)
    to_z = j[:, z, v]
    # (R + R L R) J_zv; L has rows only where calcium is, so it costs three rows.
    ca = slice((CALCIUM - 1) * SLOTS, CALCIUM * SLOTS)
    second = r[..., None] * to_z  # R J_zv, (F, N, 21, 3)
    second[:, :, ca] += r[:, :, ca, None] * (lower[:, ca] @ second)
    d = -(through @ second) - j[:, v, v]
    d[..., range(SLOTS), range(SLOTS)] += s
    inv, det = inverse3(d)
    jvc = np.diagonal(j[:, v, CALCIUM * SLOTS : (CALCIUM + 1) * SLOTS], axis1=-2, axis2=-1)
    enter = jac.input_v + (jvc[:, None] * jac.input_c) * r[:, :, None, ca]  # (F, N, 3 kinds, 3 slots)
    transfer = inv[:, :, :, None, :] * enter[:, :, None]
    own = range(SLOTS)

    def gate(row: int) -> np.ndarray:
        k = np.arange(row * SLOTS, (row + 1) * SLOTS)
        return j[:, k, own] * r[:, :, k - SLOTS]

    return LocalTransfer(transfer, gate(FAST), gate(SLOW), det / (s[..., 0] + 0.1) ** 3)
