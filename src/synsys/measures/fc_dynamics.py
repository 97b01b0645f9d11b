"""How functional connectivity changes over minutes, and whether it does more than by chance.

Windows of one stationary process differ too, because each is short. What a matrix of likeness between
windows shows therefore means nothing before it is compared with signals of the same static FC and
the same spectra (`fcd_test`).
"""

from typing import NamedTuple

import numpy as np

from synsys.core.errors import UserError
from synsys.measures.signals import as_channels
from synsys.measures.surrogates import AgainstNull, against_null, check_count, phase_randomised


class FcdTest(NamedTuple):
    """What `fcd_test` finds.

    ``values``: likeness of windows that share no sample, sorted; ``spread``: its standard deviation beside
    that of surrogates; ``distance``: its Kolmogorov-Smirnov distance from the surrogates beside their own
    distances.
    """

    values: np.ndarray
    spread: AgainstNull
    distance: AgainstNull


def window_samples(samples: int, tr: float, window: float, step: float) -> tuple[np.ndarray, int]:
    """Where windows begin, and how long they are, in samples.

    Parameters
    ----------
    samples : int
        Length of the signal.
    tr : float
        Seconds from sample to sample.
    window, step : float
        Length of a window and distance of two, s; rounded to samples.

    Returns
    -------
    starts : ndarray, (W,), int
    length : int

    Raises
    ------
    UserError
        If a time is not positive, a window has below 3 samples, or fewer than two fit.
    """
    for name, seconds in (("repetition time", tr), ("window", window), ("step", step)):
        if not seconds > 0:
            raise UserError(f"{name} {seconds!r} s must be positive")
    length, stride = round(window / tr), max(1, round(step / tr))
    if length < 3:
        raise UserError(f"window {window:g} s has {length} samples of {tr:g} s; at least 3 are needed")
    if samples < length + stride:
        raise UserError(
            f"signal of {samples * tr:g} s holds fewer than two windows of {window:g} s, {step:g} s apart"
        )
    return np.arange(0, samples - length + 1, stride), length


def windowed_fc(signal: np.ndarray, tr: float, window: float = 60.0, step: float = 3.0) -> np.ndarray:
    """Functional connectivity in sliding windows.

    Parameters
    ----------
    signal : ndarray, (N, T)
        BOLD or another slow signal of N >= 2 regions.
    tr : float
        Repetition time, s.
    window : float
        Length of a window, s. Fluctuations slower than 1 / window look like changes of FC (Leonardi & Van De
        Ville 2015, NeuroImage 104:430): filter them out or take longer windows.
    step : float
        From window to window, s.

    Returns
    -------
    ndarray, (W, N, N)
        Pearson correlations, diagonal 1.

    Raises
    ------
    UserError
        If windows do not fit, there is one region only, or a region does not vary in a window.
    """
    x = as_channels(signal, 3)
    if len(x) < 2:
        raise UserError("functional connectivity needs at least two regions")
    starts, length = window_samples(x.shape[1], tr, window, step)
    pieces = np.lib.stride_tricks.sliding_window_view(x, length, axis=1)[:, starts].transpose(1, 0, 2)
    pieces = pieces - pieces.mean(-1, keepdims=True)
    size = np.linalg.norm(pieces, axis=-1)
    still = size <= 1e-12 * np.abs(x).max()
    if still.any():
        k, region = np.argwhere(still)[0]
        raise UserError(f"region {region} does not vary in the window from {starts[k] * tr:g} s")
    pieces = pieces / size[..., None]
    fc = np.clip(pieces @ pieces.transpose(0, 2, 1), -1.0, 1.0)
    fc[:, np.arange(len(x)), np.arange(len(x))] = 1.0
    return fc


def fcd_matrix(fc: np.ndarray) -> np.ndarray:
    """Functional connectivity dynamics: likeness of the FC of each window to that of each other.

    FCD(t, u) = corr(FC(t), FC(u)) over the pairs of regions (Hansen et al. 2015, NeuroImage 105:525).

    Parameters
    ----------
    fc : ndarray, (W, N, N)
        See `windowed_fc`; at least 3 regions.

    Returns
    -------
    ndarray, (W, W)

    Raises
    ------
    UserError
        If there are fewer than 3 regions, whose FC has no pattern.
    """
    if fc.ndim != 3 or fc.shape[1] != fc.shape[2] or fc.shape[1] < 3:
        raise UserError(f"FC of windows: shape {fc.shape}, but (W, N, N) with at least 3 regions is needed")
    row, column = np.triu_indices(fc.shape[1], 1)
    pattern = fc[:, row, column]
    pattern = pattern - pattern.mean(1, keepdims=True)
    size = np.linalg.norm(pattern, axis=1, keepdims=True)
    pattern = np.divide(pattern, size, out=np.full(pattern.shape, np.nan), where=size > 1e-12)
    return np.clip(pattern @ pattern.T, -1.0, 1.0)


def fcd_values(fcd: np.ndarray, apart: int = 1) -> np.ndarray:
    """Sorted entries of the upper triangle, of windows at least `apart` windows from each other.

    Parameters
    ----------
    fcd : ndarray, (W, W)
    apart : int
        1 for the whole triangle; see `windows_apart` for windows without a common sample, whose likeness
        is not that of shared data.

    Raises
    ------
    UserError
        If no pair is that far apart.
    """
    rows = np.triu_indices(len(fcd), apart)
    if not rows[0].size:
        raise UserError(
            f"{len(fcd)} windows have no pair that is {apart} windows apart; take a longer signal"
        )
    return np.sort(fcd[rows])


def windows_apart(tr: float, window: float, step: float) -> int:
    """How many steps lie between two windows that share no sample."""
    return -(-round(window / tr) // max(1, round(step / tr)))


def ks_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Largest difference of two empirical distribution functions (two-sample Kolmogorov-Smirnov).

    Parameters
    ----------
    first, second : ndarray
        Samples of any length and shape.

    Returns
    -------
    float
        0 to 1. Values of one FCD depend on each other: no table of critical values holds for it.
    """
    a, b = np.sort(np.ravel(first)), np.sort(np.ravel(second))
    at = np.concatenate([a, b])
    return float(np.abs(_share(a, at) - _share(b, at)).max())


def _share(ordered: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.searchsorted(ordered, at, side="right") / ordered.size


def fcd_test(
    signal: np.ndarray,
    tr: float,
    window: float = 60.0,
    step: float = 3.0,
    count: int = 99,
    seed: int = 0,
) -> FcdTest:
    """Whether FC changes more over time than in a stationary signal of the same static FC.

    Surrogates are phase randomised alike in all regions. The distance of each of the ``count + 1`` signals is
    that of its FCD values from those of all the others together, so that data and surrogates are treated
    alike and ``p`` is exact if they are.

    Parameters
    ----------
    signal : ndarray, (N, T)
    tr, window, step : float
        As in `windowed_fc`, s.
    count, seed : int
        Surrogates.

    Returns
    -------
    FcdTest
        p of the spread is two-sided, that of the distance one-sided.

    Notes
    -----
    What is rejected is a linear Gaussian stationary process. A signal may be stationary yet not Gaussian,
    and an outlier or a head movement is no brain state.
    """
    x = as_channels(signal, 3)
    rng = np.random.default_rng(seed)
    apart = windows_apart(tr, window, step)

    def values(y: np.ndarray) -> np.ndarray:
        return fcd_values(fcd_matrix(windowed_fc(y, tr, window, step)), apart)

    sets = np.array([values(x), *(values(phase_randomised(x, rng)) for _ in range(check_count(count)))])
    pool = np.sort(sets, axis=None)
    everyone = _share(pool, pool)
    others = len(sets) / (len(sets) - 1)  # F_k - F_rest = (F_k - F_all) n / (n - n_k)
    distance = np.array([np.abs(_share(one, pool) - everyone).max() * others for one in sets])
    spread = sets.std(axis=1)
    return FcdTest(
        sets[0], against_null(spread[0], spread[1:], "two"), against_null(distance[0], distance[1:])
    )
