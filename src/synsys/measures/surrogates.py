"""Surrogate signals: what a measure of time series would be if only some features of them were kept.

======================  =====================================  ============================================
surrogate               keeps                                  forgets
======================  =====================================  ============================================
phase_randomised        every spectrum and cross spectrum      all that is not linear, Gaussian, stationary
amplitude_adjusted      values, each channel's spectrum        nonlinear order; relations between channels
time_shifted            each channel as it is                  relations between channels
shuffled                values                                 their order, relations between channels
======================  =====================================  ============================================

Every test here counts the data among the surrogates, (1 + n) / (1 + count), so that it never rejects more
often than it says if data and surrogates are exchangeable under the null. Phase randomisation and shifts take
the signal as a circle; where its two ends differ much they add a jump.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.measures.signals import as_channels

TAILS = ("greater", "less", "two")


class AgainstNull(NamedTuple):
    """A value beside its null; all of one shape, NaN where the value is not defined.

    ``z`` is (value - mean) / sd over surrogates, NaN where they do not vary; ``p`` the share of surrogates at
    least as extreme, the value itself counted.
    """

    value: np.ndarray
    mean: np.ndarray
    z: np.ndarray
    p: np.ndarray


def phase_randomised(signal: np.ndarray, seed: int | np.random.Generator = 0) -> np.ndarray:
    """Signals with the same spectra and cross spectra and random phases (Prichard & Theiler 1994).

    X_n(f) -> X_n(f) exp(i φ(f)), φ uniform and the same in all channels, so that differences of phase stay,
    and with them all linear correlation: covariance at zero lag, the static FC, is kept exactly (Phys Rev
    Lett 73:951; for dynamic FC: Hindriks et al. 2016, NeuroImage 127:242).

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,)
    seed : int or Generator

    Returns
    -------
    ndarray, (N, T)
        Means and, at even T, the highest frequency as they were.
    """
    x = as_channels(signal)
    spectrum = np.fft.rfft(x, axis=1)
    free = (x.shape[1] - 1) // 2
    spectrum[:, 1 : free + 1] *= np.exp(2j * np.pi * np.random.default_rng(seed).random(free))
    return np.fft.irfft(spectrum, x.shape[1], axis=1)


def amplitude_adjusted(
    signal: np.ndarray, seed: int | np.random.Generator = 0, iterations: int = 100
) -> np.ndarray:
    """Signals with the same values and nearly the same spectrum, each channel on its own.

    Turns between the amplitudes of the spectrum and the sorted values until the order of values stays
    (Schreiber & Schmitz 1996, Phys Rev Lett 77:635).

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,)
    seed : int or Generator
    iterations : int

    Returns
    -------
    ndarray, (N, T)
        A permutation of each channel.
    """
    x = as_channels(signal)
    sizes, values = np.abs(np.fft.rfft(x, axis=1)), np.sort(x, axis=1)
    y = shuffled(x, seed)
    order = np.argsort(y, axis=1)
    for _ in range(iterations):
        spectrum = np.fft.rfft(y, axis=1)
        wanted = np.fft.irfft(np.exp(1j * np.angle(spectrum)) * sizes, x.shape[1], axis=1)
        before, order = order, np.argsort(wanted, axis=1)
        np.put_along_axis(y, order, values, axis=1)
        if (order == before).all():
            break
    return y


def time_shifted(signal: np.ndarray, seed: int | np.random.Generator = 0) -> np.ndarray:
    """Each channel turned in time by a lag of its own, uniform over the circle.

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,), real or complex
    seed : int or Generator

    Returns
    -------
    ndarray, (N, T)
    """
    x = np.atleast_2d(signal)
    lags = np.random.default_rng(seed).integers(0, x.shape[1], (x.shape[0], 1))
    return np.take_along_axis(x, (np.arange(x.shape[1]) + lags) % x.shape[1], axis=1)


def shuffled(signal: np.ndarray, seed: int | np.random.Generator = 0) -> np.ndarray:
    """The values of each channel in random order, (N, T)."""
    return np.random.default_rng(seed).permuted(np.atleast_2d(signal), axis=1)


SURROGATES: dict[str, Callable[..., np.ndarray]] = {
    "phase": phase_randomised,
    "amplitude": amplitude_adjusted,
    "shift": time_shifted,
    "shuffle": shuffled,
}
"""The four kinds by the names that tests take."""


def against_null(value: np.ndarray | float, null: np.ndarray, tail: str = "greater") -> AgainstNull:
    """A value beside a sample of its null distribution.

    Parameters
    ----------
    value : float or ndarray, (...)
    null : ndarray, (count, ...)
        The measure on surrogates.
    tail : {"greater", "less", "two"}
        ``two`` doubles the smaller of the other two.

    Returns
    -------
    AgainstNull

    Raises
    ------
    UserError
        If the tail is unknown, the null is empty or shapes do not fit.
    """
    v, n = np.asarray(value, dtype=float), np.asarray(null, dtype=float)
    if tail not in TAILS:
        raise unknown("tail", tail, TAILS)
    if n.ndim != v.ndim + 1 or n.shape[1:] != v.shape or not len(n):
        raise UserError(
            f"null of shape {n.shape} does not fit a value of shape {v.shape}: (count, ...) is needed"
        )
    mean = n.mean(0)
    sd = n.std(0, ddof=1) if len(n) > 1 else np.full(v.shape, np.nan)
    varies = sd > 1e-9 * np.maximum(np.abs(mean), 1e-300)
    z = np.divide(v - mean, sd, out=np.full(v.shape, np.nan), where=varies)
    tie = 1e-10 * np.maximum(
        np.abs(v), np.abs(n).max(0)
    )  # a surrogate that is the signal differs by rounding
    above, below = ((1 + side.sum(0)) / (1 + len(n)) for side in (n >= v - tie, n <= v + tie))
    p = {"greater": above, "less": below, "two": np.minimum(1.0, 2 * np.minimum(above, below))}[tail]
    return AgainstNull(v, mean, z, np.where(np.isnan(v) | np.isnan(mean), np.nan, p))


def surrogate_test(
    measure: Callable[[np.ndarray], np.ndarray | float],
    signal: np.ndarray,
    kind: str = "phase",
    count: int = 199,
    seed: int = 0,
    tail: str = "two",
) -> AgainstNull:
    """Any measure of signals beside its values on surrogates.

    Parameters
    ----------
    measure : callable
        From (N, T) to a number or an array.
    signal : ndarray, (N, T) or (T,)
    kind : {"phase", "amplitude", "shift", "shuffle"}
        See the table on top: choose what the measure must not be explained by.
    count, seed : int
    tail : {"greater", "less", "two"}

    Returns
    -------
    AgainstNull
        Of the shape that `measure` gives.

    Raises
    ------
    UserError
        If the kind or tail is unknown or `count` is below 1.
    """
    if kind not in SURROGATES:
        raise unknown("kind of surrogate", kind, SURROGATES)
    x = as_channels(signal)
    rng = np.random.default_rng(seed)
    null = np.array([measure(SURROGATES[kind](x, rng)) for _ in range(check_count(count))])
    return against_null(measure(x), null, tail)


def check_count(count: int) -> int:
    """Number of surrogates, at least 1.

    Raises
    ------
    UserError
        If there is none.
    """
    if count < 1:
        raise UserError(f"number of surrogates {count!r} must be at least 1")
    return count
