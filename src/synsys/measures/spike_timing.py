"""How regular events are: intervals and counts of spikes, and how precisely they keep to a rhythm.

Times are in ms. The null of intervals and counts is the Poisson process of the same number of spikes (which
then lie uniform in the time observed); that of phases is uniformity.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.signal import find_peaks

from synsys.core.errors import UserError
from synsys.measures.signals import as_channels
from synsys.measures.surrogates import AgainstNull, against_null, check_count


class Locking(NamedTuple):
    """Vector strength of events, their preferred phase (rad), how many they are, and p of Rayleigh's test."""

    strength: float
    phase: float
    events: int
    p: float


def _intervals(times: np.ndarray, least: int) -> np.ndarray:
    t = _times(times)
    if t.size < least + 1:
        raise UserError(f"{t.size} spikes have too few intervals; at least {least + 1} spikes are needed")
    gaps = np.diff(np.sort(t))
    if not gaps.sum() > 0:
        raise UserError("all spikes come at one time")
    return gaps


def _times(times: np.ndarray) -> np.ndarray:
    t = np.asarray(times, dtype=float)
    if t.ndim != 1 or not np.isfinite(t).all():
        raise UserError(f"spike times must be finite numbers in one row; got shape {t.shape}")
    return t


def interval_cv(times: np.ndarray) -> float:
    """Coefficient of variation of intervals between spikes, sd / mean.

    Parameters
    ----------
    times : ndarray, (n,), ms
        At least 3 spikes, in any order.

    Returns
    -------
    float
        0 for a clock, 1 on average for many spikes of a Poisson process, 1 / sqrt(k) for gamma intervals of
        shape k (sample standard deviation). A change of rate raises it as irregularity does.
    """
    gaps = _intervals(times, 2)
    return float(gaps.std(ddof=1) / gaps.mean())


def interval_cv2(times: np.ndarray) -> float:
    """Local variation of intervals, CV2 = mean of 2 |I_k+1 - I_k| / (I_k+1 + I_k).

    Holt et al. (1996), J Neurophysiol 75:1806.

    Parameters
    ----------
    times : ndarray, (n,), ms
        At least 3 spikes.

    Returns
    -------
    float
        0 for a clock, 1 expected for a Poisson process of any rate; slow changes of rate hardly matter.
    """
    gaps = _intervals(times, 2)
    total = gaps[1:] + gaps[:-1]
    return float((2 * np.abs(np.diff(gaps)) / np.where(total > 0, total, 1.0)).mean())


def fano_factor(times: np.ndarray, duration: float, window: float) -> float:
    """Variance over mean of the numbers of spikes in windows (Fano 1947).

    Parameters
    ----------
    times : ndarray, (n,), ms
        From 0 to `duration`.
    duration, window : float, ms
        Whole windows from 0 on count; at least two must fit.

    Returns
    -------
    float
        1 for a Poisson process, (CV)² for long windows of a renewal process; NaN without a spike.

    Raises
    ------
    UserError
        If windows do not fit or a spike lies outside.
    """
    t = _times(times)
    if not 0 < 2 * window <= duration * (1 + 1e-12):
        raise UserError(f"window {window!r} ms must be positive and fit twice into {duration!r} ms")
    if t.size and (t.min() < 0 or t.max() > duration):
        raise UserError(f"spikes must lie between 0 and {duration:g} ms; got {t.min():g} to {t.max():g}")
    windows = int(duration / window * (1 + 1e-12))
    counts = np.histogram(t, windows, (0.0, windows * window))[0]
    return float(counts.var(ddof=1) / counts.mean()) if counts.any() else float("nan")


def poisson_test(
    times: np.ndarray,
    duration: float,
    measure: Callable[[np.ndarray], float] = interval_cv2,
    count: int = 199,
    seed: int = 0,
) -> AgainstNull:
    """A measure of spikes beside Poisson trains of the same number of spikes.

    Parameters
    ----------
    times : ndarray, (n,), ms
        From 0 to `duration`.
    duration : float, ms
    measure : callable
        From times to a number.
    count, seed : int
        Surrogates: as many spikes, uniform from 0 to `duration`.

    Returns
    -------
    AgainstNull
        Two-sided.
    """
    t, rng = _times(times), np.random.default_rng(seed)
    null = np.array([measure(rng.uniform(0, duration, t.size)) for _ in range(check_count(count))])
    return against_null(measure(t), null, "two")


def vector_strength(phases: np.ndarray) -> Locking:
    """Length of the mean phase vector of events, |1/n Σ exp(i φ)|.

    Goldberg & Brown (1969), J Neurophysiol 32:613.

    Parameters
    ----------
    phases : ndarray, (n,), rad
        Of a rhythm at the events: ``2 π t / period``, or see `phases_at`.

    Returns
    -------
    Locking
        Strength 1 if all events come at one phase, I₁(κ) / I₀(κ) expected for von Mises phases; by chance
        about sqrt(π / n) / 2. p of Rayleigh's test, exp(sqrt(1 + 4n + 4(n² - R²)) - (1 + 2n)) with R = n
        times strength (Zar 1999). Two clusters half a cycle apart are not seen.

    Raises
    ------
    UserError
        If there is no event.
    """
    phi = np.asarray(phases, dtype=float).ravel()
    if not phi.size or not np.isfinite(phi).all():
        raise UserError("vector strength needs at least one event, and finite phases")
    mean = np.exp(1j * phi).mean()
    n, strength = phi.size, float(np.abs(mean))
    p = np.exp(np.sqrt(1 + 4 * n + 4 * n**2 * (1 - strength**2)) - (1 + 2 * n))
    return Locking(strength, float(np.angle(mean)), n, float(min(1.0, p)))


def phases_at(times: np.ndarray, phase: np.ndarray, rate: float) -> np.ndarray:
    """Phase of a rhythm at events, linear between samples of its unwrapped course.

    Parameters
    ----------
    times : ndarray, (n,), ms
        From the first sample on.
    phase : ndarray, (T,), rad
        Of one channel, for instance of `measures.signals.band_analytic`.
    rate : float
        Samples of it per second.

    Returns
    -------
    ndarray, (n,), rad
        Between -π and π.

    Raises
    ------
    UserError
        If an event lies outside of what the phase covers.
    """
    t, course = _times(times), as_channels(phase, name="phase")[0]
    at = t * rate / 1e3
    if t.size and (at.min() < 0 or at.max() > len(course) - 1):
        raise UserError(f"events from {t.min():g} to {t.max():g} ms leave what the phase covers")
    found = np.interp(at, np.arange(len(course)), np.unwrap(course))
    return np.angle(np.exp(1j * found))


def jitter(times: np.ndarray, period: float) -> float:
    """Standard deviation of events around their mean place in the cycle of a periodic drive.

    Parameters
    ----------
    times : ndarray, (n,), ms
        At least 2 events.
    period : float, ms

    Returns
    -------
    float, ms
        Of (t - t₀) wrapped to ± period / 2 with t₀ the circular mean (n - 1 in the variance). Jitter much
        smaller than the period comes out as it is; events without any relation to the drive give about
        period / sqrt(12), which is the most that can be told.

    Raises
    ------
    UserError
        If the period is not positive or there are fewer than 2 events.
    """
    t = _times(times)
    if not period > 0:
        raise UserError(f"period {period!r} ms must be positive")
    if t.size < 2:
        raise UserError(f"{t.size} events have no jitter; at least 2 are needed")
    vectors = np.exp(2j * np.pi * t / period)
    off = np.angle(vectors * np.exp(-1j * np.angle(vectors.mean()))) * period / (2 * np.pi)
    return float(off.std(ddof=1))


def peak_times(rate: np.ndarray, sampling: float, prominence: float = 0.0) -> np.ndarray:
    """Times of the peaks of a firing rate, between samples by the parabola through three of them.

    Parameters
    ----------
    rate : ndarray, (T,)
        Firing rate of one population.
    sampling : float
        Samples per second.
    prominence : float
        Least height of a peak over its higher neighbouring trough, in the unit of `rate`.

    Returns
    -------
    ndarray, (n,), ms
        From the first sample on.
    """
    y = as_channels(rate, 3, "rate")[0]
    at = find_peaks(y, prominence=prominence if prominence > 0 else None, plateau_size=(1, 1))[0]
    left, here, right = y[at - 1], y[at], y[at + 1]
    return (at + 0.5 * (left - right) / (left - 2 * here + right)) * 1e3 / sampling
