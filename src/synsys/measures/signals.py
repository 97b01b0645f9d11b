"""Signals of several channels over time: what they must be, and the analytic signal of one band."""

import numpy as np
from scipy.signal import butter, hilbert, sosfiltfilt

from synsys.core.errors import UserError

ORDER = 3
"""Order of the Butterworth band pass; run forwards and backwards, so twice that and without delay."""
EDGE = 3.0
"""What is cut from each end, in units of 1 / width of the band. What the end does to white noise has then
fallen to 2-6 % of the amplitude, to 20 % where a band reaches over more than an octave."""


def as_channels(signal: np.ndarray, least: int = 2, name: str = "signal") -> np.ndarray:
    """A signal as a matrix of channels over time.

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,)
        N channels, time last.
    least : int
        Fewest samples that will do.
    name : str
        What errors call it.

    Returns
    -------
    ndarray, (N, T), float

    Raises
    ------
    UserError
        If it has another number of axes, is too short, or holds a value that is not finite.
    """
    x = np.asarray(signal, dtype=float)
    if x.ndim not in (1, 2) or 0 in x.shape:
        raise UserError(f"{name}: shape {x.shape}, but (channels, time) is needed")
    x = np.atleast_2d(x)
    if x.shape[1] < least:
        raise UserError(f"{name}: {x.shape[1]} samples, but at least {least} are needed")
    if not np.isfinite(x).all():
        channel, sample = np.argwhere(~np.isfinite(x))[0]
        raise UserError(f"{name}: channel {channel} is not finite at sample {sample}")
    return x


def check_band(band: tuple[float, float], rate: float, name: str = "band") -> tuple[float, float]:
    """A frequency band that a signal of this rate can hold, as two floats.

    Parameters
    ----------
    band : (low, high), Hz
    rate : float
        Samples per second.
    name : str
        What errors call it.

    Raises
    ------
    UserError
        If the rate is not positive or not 0 < low < high < rate / 2.
    """
    if not rate > 0:
        raise UserError(f"sampling rate {rate!r} must be positive")
    low, high = float(band[0]), float(band[1])
    if not 0 < low < high < rate / 2:
        raise UserError(
            f"{name} {low:g}-{high:g} Hz must rise and lie between 0 and half the sampling rate,"
            f" {rate / 2:g} Hz"
        )
    return low, high


def correlations(signal: np.ndarray) -> np.ndarray:
    """Pearson correlation of all pairs of channels, (N, T) -> (N, N); 0 for a channel that does not move."""
    x = as_channels(signal)
    x = x - x.mean(1, keepdims=True)
    size = np.sqrt((x**2).sum(1, keepdims=True))
    unit = np.divide(x, size, out=np.zeros_like(x), where=size > 0)
    r = np.clip(unit @ unit.T, -1.0, 1.0)
    np.fill_diagonal(r, 1.0)
    return r


def band_analytic(
    signal: np.ndarray, rate: float, band: tuple[float, float], trim: float | None = None
) -> np.ndarray:
    """Analytic signal of a band: amplitude and phase of what oscillates in it.

    A zero-phase Butterworth band pass, then x + i H[x] with H the Hilbert transform (Gabor 1946); the
    edges, where filter and transform have only half of what they need, are cut off. A phase means
    something only if the band is narrow.

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,)
    rate : float
        Samples per second.
    band : (low, high), Hz
    trim : float, optional
        Seconds cut from each end; `EDGE` / (high - low) if not given.

    Returns
    -------
    ndarray, (N, T - 2 trim rate), complex
        Its angle is the phase (0 at a peak, ±π at a trough), its modulus the amplitude.

    Raises
    ------
    UserError
        If the band does not fit the rate or trimming leaves less than half of the signal.
    """
    low, high = check_band(band, rate)
    cut = round((EDGE / (high - low) if trim is None else trim) * rate)
    x = as_channels(signal, 8 * ORDER)
    if cut < 0 or x.shape[1] < 4 * cut:
        raise UserError(
            f"signal of {x.shape[1] / rate:g} s is too short for {low:g}-{high:g} Hz: {cut / rate:g} s are"
            f" cut from each end, so it must have at least {4 * cut / rate:g} s"
        )
    sos = butter(ORDER, (low, high), "bandpass", fs=rate, output="sos")
    padding = min(x.shape[1] - 1, max(3 * (2 * ORDER + 1), cut))
    z = hilbert(sosfiltfilt(sos, x - x.mean(1, keepdims=True), padlen=padding), axis=1)
    return z[:, cut : x.shape[1] - cut]
