"""Phase-amplitude coupling: whether a fast rhythm grows and shrinks with the phase of a slow one.

The modulation index of Tort et al. (2010, J Neurophysiol 104:1195): the amplitude of the fast band in bins
of the phase of the slow one, and how far that profile is from flat. It says nothing about who drives whom,
and sharp edges of one waveform that has no second rhythm are coupled in this sense as well (Aru et al.
2015, Curr Opin Neurobiol 31:51).
"""

from typing import NamedTuple

import numpy as np

from synsys.core.errors import UserError
from synsys.measures.signals import EDGE, as_channels, band_analytic, check_band
from synsys.measures.surrogates import AgainstNull, against_null, check_count

BINS = 18


class Comodulogram(NamedTuple):
    """Index of every slow with every fast band and its z and p against time shifts, each (N, P, A)."""

    value: np.ndarray
    z: np.ndarray
    p: np.ndarray


def amplitude_profile(phase: np.ndarray, amplitude: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Share of the mean amplitude in each bin of phase, P(j) = <A>_j / Σ_k <A>_k (Tort et al. 2010).

    Parameters
    ----------
    phase : ndarray, (N, T), rad
        Of the slow rhythm.
    amplitude : ndarray, (N, T), >= 0
        Of the fast one.
    bins : int
        Equal parts of -π to π.

    Returns
    -------
    ndarray, (N, bins)
        Sums to 1; NaN if a bin is never visited.

    Raises
    ------
    UserError
        If shapes differ, an amplitude is negative or there are fewer than two bins.
    """
    phi, size, at = _binned(phase, amplitude, bins)
    n = len(phi)
    flat = (at + bins * np.arange(n)[:, None]).ravel()
    visits = np.bincount(flat, minlength=n * bins).reshape(n, bins)
    sums = np.bincount(flat, size.ravel(), n * bins).reshape(n, bins)
    return _shares(sums, visits)


def modulation_index(phase: np.ndarray, amplitude: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Distance of the amplitude profile from flat, MI = (log n - H(P)) / log n, H = -Σ P log P.

    Parameters
    ----------
    phase, amplitude, bins
        As in `amplitude_profile`.

    Returns
    -------
    ndarray, (N,)
        0 (flat) to 1 (all in one bin). Chance alone makes it positive, the more the fewer cycles.
    """
    return _index(amplitude_profile(phase, amplitude, bins))


def _binned(phase: np.ndarray, amplitude: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    phi, size = as_channels(phase, name="phase"), as_channels(amplitude, name="amplitude")
    if phi.shape != size.shape:
        raise UserError(f"phase {phi.shape} and amplitude {size.shape} must have one shape")
    if (size < 0).any():
        raise UserError("amplitude must not be negative")
    if bins < 2:
        raise UserError(f"number of phase bins {bins!r} must be at least 2")
    at = np.floor((phi / (2 * np.pi) + 0.5) * bins).astype(int) % bins
    return phi, size, at


def _shares(sums: np.ndarray, visits: np.ndarray) -> np.ndarray:
    """Profile from summed amplitudes and numbers of samples per bin, (..., bins)."""
    mean = np.divide(sums, visits, out=np.full(sums.shape, np.nan), where=visits > 0)
    total = mean.sum(-1, keepdims=True)
    return np.divide(mean, total, out=np.full(mean.shape, np.nan), where=total > 0)


def _index(profile: np.ndarray) -> np.ndarray:
    bins = profile.shape[-1]
    logs = np.log(profile, out=np.zeros(profile.shape), where=profile > 0)
    entropy = -(profile * logs).sum(-1)
    return np.maximum(0.0, 1.0 - entropy / np.log(bins))


def _indices_of_shifts(phase: np.ndarray, amplitude: np.ndarray, lags: np.ndarray, bins: int) -> np.ndarray:
    """Modulation index with the amplitude turned by each lag, (lags, N): a cross-correlation by FFT."""
    _, size, at = _binned(phase, amplitude, bins)
    samples = size.shape[1]
    wave = np.fft.rfft(size, axis=1)
    sums, visits = np.empty((len(lags), len(size), bins)), np.empty((len(size), bins))
    for j in range(bins):
        inside = (at == j).astype(float)
        turned = np.fft.irfft(
            wave * np.fft.rfft(inside, axis=1).conj(), samples, axis=1
        )  # Σ_t A(t + lag) 1_j(t)
        sums[:, :, j] = np.maximum(turned[:, lags].T, 0.0)
        visits[:, j] = inside.sum(1)
    return _index(_shares(sums, np.broadcast_to(visits, sums.shape)))


def modulation_test(
    phase: np.ndarray,
    amplitude: np.ndarray,
    apart: int = 0,
    count: int = 199,
    seed: int = 0,
    bins: int = BINS,
) -> AgainstNull:
    """Modulation index beside that of amplitudes turned in time against the phase.

    A slow rhythm as steady as a clock stays coupled when turned by whole cycles, so that p and z then tell
    less than there is.

    Parameters
    ----------
    phase, amplitude : ndarray, (N, T)
    apart : int
        Fewest samples of a turn, either way; more than the amplitude and phase remember, a few slow cycles.
    count, seed : int
        Surrogates.
    bins : int

    Returns
    -------
    AgainstNull
        (N,), one-sided: index greater than by chance.

    Raises
    ------
    UserError
        If turns of that size do not fit.
    """
    x = as_channels(phase, name="phase")
    lowest = max(1, apart)
    if x.shape[1] < 4 * lowest:
        raise UserError(f"signal of {x.shape[1]} samples is too short for turns of at least {lowest}")
    lags = np.random.default_rng(seed).integers(lowest, x.shape[1] - lowest + 1, check_count(count))
    null = _indices_of_shifts(x, amplitude, lags, bins)
    return against_null(modulation_index(x, amplitude, bins), null)


def phase_and_amplitude(
    signal: np.ndarray,
    rate: float,
    phase_band: tuple[float, float],
    amplitude_band: tuple[float, float],
    other: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Phase of a slow band and amplitude of a fast band of one signal, or of two.

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,)
    rate : float
        Samples per second.
    phase_band, amplitude_band : (low, high), Hz
        The fast band must be as wide as its side bands are apart, twice the highest phase frequency, or it
        cannot see the modulation (Berman et al. 2012, Brain Connect 2:155; Aru et al. 2015).
    other : ndarray, (N, T), optional
        Signal of the amplitude, if it is another.

    Returns
    -------
    phase, amplitude : ndarray, (N, T')
        Edges trimmed by what the slow band needs.

    Raises
    ------
    UserError
        If bands do not fit the rate or each other, or shapes differ.
    """
    slow = check_band(phase_band, rate, "phase band")
    fast = check_band(amplitude_band, rate, "amplitude band")
    if fast[1] - fast[0] < 2 * slow[1] - 1e-9:
        raise UserError(
            f"amplitude band {fast[0]:g}-{fast[1]:g} Hz is too narrow for modulation at up to {slow[1]:g} Hz:"
            f" its side bands need a width of {2 * slow[1]:g} Hz"
        )
    if fast[0] <= slow[1]:
        raise UserError(f"amplitude band from {fast[0]:g} Hz must lie above the phase band, {slow[1]:g} Hz")
    x = as_channels(signal)
    y = x if other is None else as_channels(other, name="signal of the amplitude")
    if x.shape != y.shape:
        raise UserError(f"signals of phase {x.shape} and amplitude {y.shape} must have one shape")
    trim = EDGE / (slow[1] - slow[0])
    return np.angle(band_analytic(x, rate, slow, trim)), np.abs(band_analytic(y, rate, fast, trim))


def comodulogram(
    signal: np.ndarray,
    rate: float,
    phase_frequencies: np.ndarray,
    amplitude_frequencies: np.ndarray,
    phase_width: float = 2.0,
    count: int = 199,
    seed: int = 0,
    bins: int = BINS,
) -> Comodulogram:
    """Modulation index of every slow with every fast frequency.

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,)
    rate : float
        Samples per second.
    phase_frequencies : ndarray, (P,), Hz
        Centres of the slow bands.
    amplitude_frequencies : ndarray, (A,), Hz
        Centres of the fast bands; each is as wide as the slow band it is paired with asks for, twice its
        upper edge.
    phase_width : float
        Width of the slow bands, Hz.
    count, seed : int
        Surrogates of each pair.
    bins : int

    Returns
    -------
    Comodulogram
        p of single pairs: P x A of them are tested.

    Raises
    ------
    UserError
        If a band does not fit; it is named.
    """
    x = as_channels(signal)
    slow = np.atleast_1d(np.asarray(phase_frequencies, dtype=float))
    fast = np.atleast_1d(np.asarray(amplitude_frequencies, dtype=float))
    out = np.empty((3, len(x), len(slow), len(fast)))
    for i, f in enumerate(slow):
        half = f + phase_width / 2
        apart = round(2 * rate / f)
        for j, g in enumerate(fast):
            bands = (f - phase_width / 2, half), (g - half, g + half)
            phase, amplitude = phase_and_amplitude(x, rate, *bands)
            found = modulation_test(phase, amplitude, apart, count, seed, bins)
            out[:, :, i, j] = found.value, found.z, found.p
    return Comodulogram(*out)
