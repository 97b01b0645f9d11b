"""A power spectrum as an aperiodic slope and peaks on it (Donoghue et al. 2020, Nat Neurosci 23:1655).

    log10 P(f) = b - log10(k + f^χ) + Σ_n a_n exp(-(f - c_n)² / (2 w_n²))

with offset b, knee k (0 unless asked for) and exponent χ, and peaks of centre c, height a over the slope
(log10 units) and width w. Fitted in the authors' order: a slope through the lowest points, peaks one by one
on what is left, all peaks together, the slope once more without them. The code is our own, vectorised over
channels where there is no knee.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from scipy.optimize import curve_fit

from synsys.core.errors import UserError
from synsys.measures.surrogates import check_count

LEAST = 5
"""Fewest points that a slope is put through, where one deep notch leaves all others above the first."""


@dataclass(frozen=True)
class SpectrumFit:
    """Fitted spectra of C channels.

    ``offset``, ``exponent``, ``knee``: (C,), the knee in Hz^χ and 0 where not fitted. ``peaks``: one array
    (n, 3) for each channel, sorted by frequency: centre in Hz, height over the slope in log10 of power,
    bandwidth 2 w in Hz. ``frequencies``: (F,), Hz; ``slope`` and ``model``: (C, F), log10 of power. ``r2``
    and ``error``: (C,), squared correlation of model and data, and their mean absolute difference in log10
    of power.
    """

    offset: np.ndarray
    exponent: np.ndarray
    knee: np.ndarray
    peaks: tuple[np.ndarray, ...]
    frequencies: np.ndarray
    slope: np.ndarray
    model: np.ndarray
    r2: np.ndarray
    error: np.ndarray


def slope_log10(
    frequencies: np.ndarray,
    offset: np.ndarray | float,
    exponent: np.ndarray | float,
    knee: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Aperiodic component, b - log10(k + f^χ).

    Parameters
    ----------
    frequencies : ndarray, (F,), Hz, > 0
    offset, exponent, knee : float or ndarray, (...)

    Returns
    -------
    ndarray, (..., F), log10 of power
        With a knee it bends at f = k^(1/χ).
    """
    b, x, k = (np.asarray(value, dtype=float)[..., None] for value in (offset, exponent, knee))
    return b - np.log10(k + frequencies**x)


def peaks_log10(frequencies: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """Sum of Gaussian peaks.

    Parameters
    ----------
    frequencies : ndarray, (F,), Hz
    peaks : ndarray, (n, 3)
        Centre in Hz, height in log10 of power, bandwidth 2 w in Hz.

    Returns
    -------
    ndarray, (F,), log10 of power
    """
    rows = np.asarray(peaks, dtype=float).reshape(-1, 3)
    far = (frequencies - rows[:, :1]) / (rows[:, 2:] / 2)
    return (rows[:, 1:2] * np.exp(-0.5 * far**2)).sum(0)


def _spectra(
    power: np.ndarray, frequencies: np.ndarray, band: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray]:
    f, p = np.asarray(frequencies, dtype=float), np.atleast_2d(np.asarray(power, dtype=float))
    if f.ndim != 1 or p.ndim != 2 or p.shape[1] != len(f) or (np.diff(f) <= 0).any():
        raise UserError(f"power {p.shape} and frequencies {f.shape}: (C, F) and (F,), rising, are needed")
    low, high = (0.0, np.inf) if band is None else band
    kept = (f > 0) & (f >= low) & (f <= high)
    if kept.sum() < 8:
        raise UserError(
            f"{int(kept.sum())} frequencies between {max(low, 0):g} and {high:g} Hz; at least 8 are needed"
        )
    f, p = f[kept], p[:, kept]
    if not (np.isfinite(p) & (p > 0)).all():
        channel, at = np.argwhere(~(np.isfinite(p) & (p > 0)))[0]
        raise UserError(f"power of channel {channel} at {f[at]:g} Hz must be positive and finite")
    return f, np.log10(p)


def _line(logf: np.ndarray, logp: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Least-squares offset and exponent over the points kept of each channel, (2, C)."""
    weight = kept / kept.sum(1, keepdims=True)
    centre = weight @ logf
    away = logf - centre[:, None]
    chi = -(weight * away * logp).sum(1) / (weight * away**2).sum(1)
    return np.array([(weight * logp).sum(1) + chi * centre, chi])


def _slopes(f: np.ndarray, logp: np.ndarray, kept: np.ndarray, knee: bool) -> np.ndarray:
    """Offset, exponent and knee fitted to the points kept of each channel, (3, C)."""
    b, chi = _line(np.log10(f), logp, kept)
    found = np.array([b, chi, np.zeros(len(b))])
    for c in range(len(b)) if knee else ():
        x, y = f[kept[c]], logp[c, kept[c]]
        # k enters as its logarithm: it runs over many powers of ten and must stay positive
        steep = np.clip(chi[c] * 1.5, 0.2, 4.0)
        tries = [
            (b[c] + np.log10(1 + k), steep, np.log10(k)) for k in (x[0] ** steep, x[len(x) // 3] ** steep)
        ]
        fits = [_with_knee(x, y, start) for start in tries]
        best = min(fits, key=lambda one: np.square(_knee_curve(x, *one) - y).sum())
        found[:, c] = best[0], best[1], 10 ** best[2]
    return found


def _knee_curve(f: np.ndarray, b: float, chi: float, logk: float) -> np.ndarray:
    return b - np.log10(10**logk + f**chi)


def _with_knee(f: np.ndarray, logp: np.ndarray, start: tuple[float, ...]) -> np.ndarray:
    low, high = (-np.inf, 0.0, -8.0), (np.inf, 8.0, 16.0)
    try:
        return curve_fit(_knee_curve, f, logp, np.clip(start, low, high), bounds=(low, high), maxfev=2000)[0]
    except RuntimeError:  # no convergence: the start, which the better of the two will replace
        return np.array(start)


def _robust(f: np.ndarray, logp: np.ndarray, knee: bool) -> np.ndarray:
    """Slopes through the points that lie on or below a first slope, where peaks are least, (3, C)."""
    first = _slopes(f, logp, np.ones(logp.shape, dtype=bool), knee)
    low = np.maximum(logp - slope_log10(f, *first), 0.0)
    least = np.partition(low, LEAST - 1, axis=1)[:, LEAST - 1 : LEAST]
    return _slopes(f, logp, low <= np.maximum(np.percentile(low, 2.5, axis=1, keepdims=True), least), knee)


def _find_peaks(
    f: np.ndarray, flat: np.ndarray, limit: int, least: float, threshold: float, widths: tuple[float, float]
) -> np.ndarray:
    """Peaks of one flattened spectrum, highest first, each taken out before the next, then all refined."""
    rest, found = flat.copy(), np.empty((0, 3))
    for _ in range(limit):
        top = int(rest.argmax())
        height = rest[top]
        if height <= max(least, threshold * rest.std()):
            break
        half = np.flatnonzero(rest <= height / 2)
        left, right = half[half < top], half[half > top]
        sides = [*(f[top] - f[left[-1:]]), *(f[right[:1]] - f[top])]
        sd = min(sides) / np.sqrt(2 * np.log(2)) if sides else np.ptp(f) / 4
        width = float(np.clip(2 * sd, *widths))
        found = np.vstack([found, (f[top], height, width)])
        rest = rest - peaks_log10(f, found[-1])
    found = _apart(found[(found[:, 0] - found[:, 2] / 2 > f[0]) & (found[:, 0] + found[:, 2] / 2 < f[-1])])
    if not len(found):
        return found
    low = np.column_stack([np.maximum(found[:, 0] - 1.5 * found[:, 2], f[0]), 0 * found[:, 1],
                           np.full(len(found), widths[0])])  # fmt: skip
    high = np.column_stack([np.minimum(found[:, 0] + 1.5 * found[:, 2], f[-1]), np.full(len(found), np.inf),
                            np.full(len(found), widths[1])])  # fmt: skip
    with suppress(RuntimeError):  # without convergence the peaks stay as they were found
        found = curve_fit(
            lambda at, *rows: peaks_log10(at, np.array(rows)),
            f, flat, found.ravel(), bounds=(low.ravel(), high.ravel()), maxfev=200,
            jac=_peaks_jacobian,
        )[0].reshape(-1, 3)  # fmt: skip
    return found[np.argsort(found[:, 0])]


def _peaks_jacobian(f: np.ndarray, *rows: float) -> np.ndarray:
    """Derivatives of `peaks_log10` by centre, height and bandwidth of each peak, (F, 3 n)."""
    centre, height, width = np.array(rows).reshape(-1, 3).T[:, :, None]
    far = (f - centre) / (width / 2)
    bell = np.exp(-0.5 * far**2)
    slopes = np.stack([height * bell * far * 2 / width, bell, height * bell * far**2 / width], axis=1)
    return slopes.reshape(-1, f.size).T


def _apart(peaks: np.ndarray) -> np.ndarray:
    """Peaks without the lower of two that lie within three quarters of their standard deviations."""
    kept: list[np.ndarray] = []
    for peak in peaks[np.argsort(-peaks[:, 1])]:
        if all(abs(peak[0] - other[0]) > 0.75 * (peak[2] + other[2]) / 2 for other in kept):
            kept.append(peak)
    return np.array(kept).reshape(-1, 3)


def fit_spectrum(
    power: np.ndarray,
    frequencies: np.ndarray,
    band: tuple[float, float] | None = None,
    knee: bool = False,
    most_peaks: int = 8,
    least_height: float = 0.05,
    threshold: float = 2.0,
    bandwidth: tuple[float, float] = (1.0, 12.0),
) -> SpectrumFit:
    """Slope and peaks of power spectra.

    Parameters
    ----------
    power : ndarray, (C, F) or (F,)
        Linear power of C channels, any unit.
    frequencies : ndarray, (F,), Hz
        Rising; 0 is left out.
    band : (low, high), Hz, optional
        Range fitted. Slopes of different ranges do not compare.
    knee : bool
        Fit a knee, for ranges over which the slope bends.
    most_peaks : int
        Per channel.
    least_height : float
        Of a peak over the slope where it is found, log10 of power; fitted with its neighbours it may come out
        lower.
    threshold : float
        Of a peak in standard deviations of the flattened spectrum.
    bandwidth : (low, high), Hz
        Limits of 2 w. The lower one should be at least twice the resolution.

    Returns
    -------
    SpectrumFit

    Raises
    ------
    UserError
        If shapes do not fit, power is not positive, or fewer than 8 frequencies lie in the band.
    """
    if not 0 < bandwidth[0] < bandwidth[1]:
        raise UserError(f"bandwidths {bandwidth!r} Hz must be positive and rise")
    f, logp = _spectra(power, frequencies, band)
    everything = np.ones(logp.shape, dtype=bool)
    flat = logp - slope_log10(f, *_robust(f, logp, knee))
    peaks = tuple(_find_peaks(f, row, most_peaks, least_height, threshold, bandwidth) for row in flat)
    rhythms = np.array([peaks_log10(f, rows) for rows in peaks])
    b, chi, k = _slopes(f, logp - rhythms, everything, knee)
    slope = slope_log10(f, b, chi, k)
    model = slope + rhythms
    away, of_model = logp - logp.mean(1, keepdims=True), model - model.mean(1, keepdims=True)
    below = np.square(away).sum(1) * np.square(of_model).sum(1)
    r2 = np.divide(np.square((away * of_model).sum(1)), below, out=np.full(len(b), np.nan), where=below > 0)
    return SpectrumFit(b, chi, k, peaks, f, slope, model, r2, np.abs(logp - model).mean(1))


def peak_p_values(
    fit: SpectrumFit, averages: float, count: int = 199, seed: int = 0
) -> tuple[np.ndarray, ...]:
    """How often noise on the slope alone rises as high somewhere as each peak.

    Spectra without peaks are drawn as slope times χ² of 2 K degrees of freedom over 2 K, independent from
    frequency to frequency, what an average of K independent periodograms of Gaussian noise has; their slope
    is fitted anew as that of data is, and the highest point over it counts.

    Parameters
    ----------
    fit : SpectrumFit
        With or without knee; the surrogates are fitted without, their own slope taken off before.
    averages : float
        K, independent segments averaged into the spectrum. Segments with a Hann window that overlap by half
        count for about 0.95 each if there are many (Welch 1967); 1 for a single periodogram.
    count, seed : int
        Surrogates of each channel.

    Returns
    -------
    tuple of C ndarray, (n,)
        p of each peak against the highest of a spectrum without peaks, so that any number may be looked at.
        It compares the height of the fitted curve with single points and hence is conservative, most for
        broad peaks.

    Raises
    ------
    UserError
        If `averages` is below 1.
    """
    if not averages >= 1:
        raise UserError(f"number of averaged segments {averages!r} must be at least 1")
    rng = np.random.default_rng(seed)
    f = fit.frequencies
    out = []
    for peaks in fit.peaks:
        noise = np.log10(rng.chisquare(2 * averages, (check_count(count), len(f))) / (2 * averages))
        highest = (noise - slope_log10(f, *_robust(f, noise, False))).max(1)
        out.append((1 + (highest[:, None] >= peaks[:, 1]).sum(0)) / (1 + count))
    return tuple(out)
