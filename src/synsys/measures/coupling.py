"""How regions go together at one frequency: coherence, phase locking and what of it is not at zero lag.

All measures start from Fourier coefficients X_k,n(f) of region n in segment k (`segment_spectra`), or of
trial k, and compare how the cross spectra S_k = X_k,a conj(X_k,b) agree over segments. The analytic signal
of a band may take their place, samples for segments: ``band_analytic(...).T[..., None]``; neighbouring
samples are then no independent segments, which only the null of shifts respects.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.signal import get_window

from synsys.core.errors import UserError, unknown
from synsys.measures.signals import as_channels
from synsys.measures.surrogates import against_null, check_count

SHUFFLES = {
    "shift": "segments of each region turned by a lag of its own, in their order: for one long signal",
    "shuffle": "segments of each region in random order: for trials, or segments that do not overlap",
}


class CouplingTest(NamedTuple):
    """Coupling of all pairs beside its null; each (N, N), NaN on the diagonal of z and p.

    ``p_family`` compares with the largest null value of all pairs, and so holds for the whole matrix.
    """

    value: np.ndarray
    mean: np.ndarray
    z: np.ndarray
    p: np.ndarray
    p_family: np.ndarray


def segment_spectra(
    signal: np.ndarray,
    rate: float,
    segment: float = 1.0,
    overlap: float = 0.5,
    band: tuple[float, float] | None = None,
    window: str = "hann",
) -> tuple[np.ndarray, np.ndarray]:
    """Fourier coefficients of overlapping segments, as in the method of Welch (1967).

    Parameters
    ----------
    signal : ndarray, (N, T), or (K, N, T) for K trials that are taken as they are, one segment each
    rate : float
        Samples per second.
    segment : float
        Length of a segment, s; the resolution is its inverse. Not used for trials.
    overlap : float in [0, 1)
        Share of a segment that the next one repeats.
    band : (low, high), Hz, optional
        Frequencies kept, ends included; all above 0 if not given.
    window : str
        Of `scipy.signal.get_window`.

    Returns
    -------
    frequencies : ndarray, (F,), Hz
    spectra : ndarray, (K, N, F), complex
        In units of the signal; the mean of each segment is taken out.

    Raises
    ------
    UserError
        If fewer than two segments fit or no frequency lies in the band.
    """
    if not rate > 0 or not segment > 0 or not 0 <= overlap < 1:
        raise UserError(
            f"rate {rate!r} and segment {segment!r} must be positive, overlap {overlap!r} in [0, 1)"
        )
    x = np.asarray(signal, dtype=float)
    if x.ndim == 3:
        pieces: np.ndarray = as_channels(x.reshape(-1, x.shape[-1]), 4).reshape(x.shape)
    else:
        y = as_channels(x, 4)
        length = round(segment * rate)
        stride = max(1, round(length * (1 - overlap)))
        if length < 4 or y.shape[1] < length + stride:
            raise UserError(
                f"signal of {y.shape[1]} samples holds fewer than two segments of {length} samples"
            )
        pieces = np.lib.stride_tricks.sliding_window_view(y, length, axis=1)[:, ::stride].transpose(1, 0, 2)
    if len(pieces) < 2:
        raise UserError("coupling is agreement over segments: at least two are needed")
    frequencies = np.fft.rfftfreq(pieces.shape[-1], 1 / rate)
    low, high = (frequencies[1], rate / 2) if band is None else band
    kept = (frequencies >= low) & (frequencies <= high)
    if not kept.any():
        raise UserError(
            f"no frequency of the segments lies in {low:g}-{high:g} Hz; they are {frequencies[1]:g} Hz apart"
        )
    tapered = (pieces - pieces.mean(-1, keepdims=True)) * get_window(window, pieces.shape[-1])
    return frequencies[kept], np.fft.rfft(tapered, axis=-1)[..., kept]


def _spectra(spectra: np.ndarray) -> np.ndarray:
    """Spectra as (F, K, N)."""
    x = np.asarray(spectra)
    if x.ndim != 3 or x.shape[0] < 2 or not np.iscomplexobj(x):
        raise UserError(
            f"spectra: shape {x.shape}, but complex (segments, regions, frequencies) is needed, from 2 on"
        )
    return np.moveaxis(x, 2, 0)


def _agreement(x: np.ndarray) -> np.ndarray:
    """Σ_k X_k,a conj(X_k,b), (F, N, N)."""
    return x.transpose(0, 2, 1) @ x.conj()


def coherence(spectra: np.ndarray) -> np.ndarray:
    """Magnitude-squared coherence |Σ S_ab|² / (Σ S_aa Σ S_bb).

    Parameters
    ----------
    spectra : ndarray, (K, N, F), complex

    Returns
    -------
    ndarray, (F, N, N)
        0 to 1, diagonal 1. Of K independent segments of unrelated Gaussian signals it is 1 / K on average and
        exceeds c with probability (1 - c)^(K - 1) (Goodman 1963). NaN where a region is silent.
    """
    total = _agreement(_spectra(spectra))
    power = np.diagonal(total, axis1=1, axis2=2).real
    below = power[:, :, None] * power[:, None, :]
    return np.divide(np.abs(total) ** 2, below, out=np.full(below.shape, np.nan), where=below > 0)


def phase_locking(spectra: np.ndarray) -> np.ndarray:
    """Phase-locking value |1/K Σ S_ab / |S_ab|| (Lachaux et al. 1999, Hum Brain Mapp 8:194).

    Parameters
    ----------
    spectra : ndarray, (K, N, F), complex

    Returns
    -------
    ndarray, (F, N, N)
        0 to 1, diagonal 1. Of unrelated segments about sqrt(π / K) / 2. What one source sends to two sensors
        is locked as well. NaN where a region is silent in a segment.
    """
    x = _spectra(spectra)
    size = np.abs(x)
    return (
        np.abs(_agreement(np.divide(x, size, out=np.full(x.shape, np.nan, x.dtype), where=size > 0)))
        / x.shape[1]
    )


def _imaginary(spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums over segments of Im S, |Im S| and (Im S)², each (F, N, N)."""
    x = _spectra(spectra)
    shape = (x.shape[0], x.shape[2], x.shape[2])
    plain, size, square = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for piece in x.transpose(1, 0, 2):
        product = piece[:, :, None] * piece[:, None, :].conj()
        cross = np.where(
            np.abs(product.imag) > 1e-12 * np.abs(product), product.imag, 0.0
        )  # no lag but rounding
        plain += cross
        size += np.abs(cross)
        square += cross**2
    return plain, size, square


def weighted_phase_lag(spectra: np.ndarray) -> np.ndarray:
    """Weighted phase-lag index |Σ Im S| / Σ |Im S| (Vinck et al. 2011, NeuroImage 55:1548).

    Parameters
    ----------
    spectra : ndarray, (K, N, F), complex

    Returns
    -------
    ndarray, (F, N, N)
        0 to 1; 1 if one region leads in every segment. Blind to what is at zero lag, be it a common source or
        true synchrony; positively biased at few segments. 0 on the diagonal and where nothing has a lag.
    """
    plain, size, _ = _imaginary(spectra)
    return np.divide(np.abs(plain), size, out=np.zeros(size.shape), where=size > 0)


def debiased_weighted_phase_lag(spectra: np.ndarray) -> np.ndarray:
    """Debiased estimate of the squared weighted phase-lag index (Vinck et al. 2011).

    ((Σ Im S)² - Σ (Im S)²) / ((Σ |Im S|)² - Σ (Im S)²)

    Parameters
    ----------
    spectra : ndarray, (K, N, F), complex

    Returns
    -------
    ndarray, (F, N, N)
        About 0 for unrelated regions and hence often a little negative; 0 on the diagonal.
    """
    plain, size, square = _imaginary(spectra)
    below = size**2 - square
    return np.divide(plain**2 - square, below, out=np.zeros(below.shape), where=below > 0)


MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "coherence": coherence,
    "plv": phase_locking,
    "wpli": weighted_phase_lag,
    "dwpli2": debiased_weighted_phase_lag,
}


def coupling_test(
    spectra: np.ndarray, measure: str = "wpli", null: str = "shift", count: int = 199, seed: int = 0
) -> CouplingTest:
    """Coupling of all pairs, averaged over frequencies, beside regions whose segments do not belong together.

    Parameters
    ----------
    spectra : ndarray, (K, N, F), complex
        Of the frequencies that are one band.
    measure : {"coherence", "plv", "wpli", "dwpli2"}
    null : {"shift", "shuffle"}
        See `SHUFFLES`. Shifts keep what segments share with their neighbours; two regions have K relative
        shifts only, so p of a pair cannot fall much below 1 / K.
    count, seed : int

    Returns
    -------
    CouplingTest
        One-sided: coupling greater than by chance.

    Raises
    ------
    UserError
        If a name is unknown.
    """
    if measure not in MEASURES:
        raise unknown("measure of coupling", measure, MEASURES)
    if null not in SHUFFLES:
        raise unknown("null of coupling", null, SHUFFLES)
    x = np.moveaxis(_spectra(spectra), 0, 2)
    k, n, _ = x.shape
    rng = np.random.default_rng(seed)
    value = MEASURES[measure](x).mean(0)
    draws = np.empty((check_count(count), n, n))
    for draw in draws:
        if null == "shift":
            order = (np.arange(k)[:, None] + rng.integers(0, k, n)) % k
        else:
            order = rng.permuted(np.tile(np.arange(k)[:, None], n), axis=0)
        draw[:] = MEASURES[measure](np.take_along_axis(x, order[..., None], axis=0)).mean(0)
    pairs = ~np.eye(n, dtype=bool)
    found = against_null(value, draws)
    largest = np.sort(draws[:, pairs].max(1)) if n > 1 else np.full(count, np.nan)
    family = (1 + count - np.searchsorted(largest, value * (1 - 1e-10))) / (1 + count)
    z, p, family = (
        np.where(pairs & np.isfinite(value), matrix, np.nan) for matrix in (found.z, found.p, family)
    )
    return CouplingTest(value, found.mean, z, p, family)
