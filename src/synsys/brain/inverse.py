"""Inverse and determinant of many complex matrices at once, by blocks."""

from collections.abc import Iterator

import numpy as np

CHUNK = 32
"""Matrices worked on together, so that they stay in the processor's cache."""
LEAST = 12
"""Largest size left to LAPACK."""
TOLERANCE = 1e-9
"""Largest |A A^-1 b - b| that is accepted for a vector b of ones in size."""


def chunks(count: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices of a stack of matrices that are worked on together."""
    return (slice(at, at + size) for at in range(0, count, size))


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
        Real or complex floating numbers.

    Returns
    -------
    ndarray, (F, n, n)
    ndarray, (F,), complex
        Logarithm of the determinant; its angle modulo 2 pi.
    """
    inverse, log_det = np.empty(a.shape, a.dtype), np.empty(len(a), complex)
    probe = np.cos(np.arange(a.shape[-1]) + 0.5)[:, None]
    with np.errstate(all="ignore"):
        for part in chunks(len(a), CHUNK if a.shape[-1] > LEAST else max(len(a), 1)):
            log_det[part] = _by_blocks(a[part], inverse[part])
        gap = np.abs(a @ (inverse @ probe) - probe).max((1, 2), initial=0.0)
    off = ~(gap < TOLERANCE)
    if off.any():
        inverse[off], log_det[off] = np.linalg.inv(a[off]), _log_det(a[off])
    return inverse, log_det


def _by_blocks(a: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Write the inverse into `out` and return the logarithm of the determinant."""
    n = a.shape[-1]
    if n <= LEAST:
        try:
            out[:] = np.linalg.inv(a)
        except np.linalg.LinAlgError:
            out[:] = np.nan
        return _log_det(a)
    h = n // 2
    p, q, r, s = a[:, :h, :h], a[:, :h, h:], a[:, h:, :h], a[:, h:, h:]
    p_inverse = np.empty(p.shape, a.dtype)
    log_p = _by_blocks(p, p_inverse)
    rp = r @ p_inverse
    t = rp @ q
    np.subtract(s, t, out=t)
    log_t = _by_blocks(t, out[:, h:, h:])
    minus = -out[:, h:, h:]
    np.matmul(minus, rp, out=out[:, h:, :h])
    pq = p_inverse @ q
    np.matmul(pq, minus, out=out[:, :h, h:])
    np.subtract(p_inverse, pq @ out[:, h:, :h], out=out[:, :h, :h])
    return log_p + log_t


def _log_det(a: np.ndarray) -> np.ndarray:
    sign, size = np.linalg.slogdet(a)
    return np.log(sign + 0j) + size
