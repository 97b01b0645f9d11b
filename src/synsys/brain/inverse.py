"""Inverse and determinant of many complex matrices at once, by blocks."""

import numpy as np

CHUNK = 32
"""Matrices inverted together, so that they stay in the processor's cache."""
LEAST = 12
"""Largest size left to LAPACK."""
TOLERANCE = 1e-9
"""Largest |A A^-1 b - b| that is accepted for a vector b of ones in size."""


def invert(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse and logarithm of the determinant of stacked matrices.

    With A = [[P, Q], [R, S]] and T = S - R P^-1 Q, the Schur complement of P,

        A^-1 = [[P^-1 + P^-1 Q T^-1 R P^-1, -P^-1 Q T^-1], [-T^-1 R P^-1, T^-1]],  det A = det P det T,

    and so again for P and T. Almost all of the work is then matrix products, which take half the time of a
    factorisation at this size. Blocks are not pivoted, so every result is checked on one vector, and LAPACK
    takes over where it is off.

    Parameters
    ----------
    a : ndarray, (F, n, n)

    Returns
    -------
    ndarray, (F, n, n), complex
    ndarray, (F,), complex
        Logarithm of the determinant; its angle modulo 2 pi.
    """
    inverse, log_det = np.empty(a.shape, complex), np.empty(len(a), complex)
    probe = np.cos(np.arange(a.shape[-1]) + 0.5)[:, None]
    with np.errstate(all="ignore"):
        for at in range(0, len(a), CHUNK):
            part = slice(at, at + CHUNK)
            inverse[part], log_det[part] = _by_blocks(a[part])
        gap = np.abs(a @ (inverse @ probe) - probe).max((1, 2), initial=0.0)
    off = ~(gap < TOLERANCE)
    if off.any():
        inverse[off], log_det[off] = np.linalg.inv(a[off]), _log_det(a[off])
    return inverse, log_det


def _by_blocks(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = a.shape[-1]
    if n <= LEAST:
        try:
            return np.linalg.inv(a), _log_det(a)
        except np.linalg.LinAlgError:
            return np.full_like(a, np.nan), np.full(len(a), np.nan + 0j)
    h = n // 2
    p, q, r, s = a[:, :h, :h], a[:, :h, h:], a[:, h:, :h], a[:, h:, h:]
    p_inverse, log_p = _by_blocks(p)
    rp = r @ p_inverse
    t_inverse, log_t = _by_blocks(s - rp @ q)
    pq = p_inverse @ q
    low = t_inverse @ rp
    out = np.empty(a.shape, complex)
    out[:, h:, h:] = t_inverse
    np.negative(low, out=out[:, h:, :h])
    np.negative(pq @ t_inverse, out=out[:, :h, h:])
    np.add(p_inverse, pq @ low, out=out[:, :h, :h])
    return out, log_p + log_t


def _log_det(a: np.ndarray) -> np.ndarray:
    sign, size = np.linalg.slogdet(a)
    return np.log(sign) + size
