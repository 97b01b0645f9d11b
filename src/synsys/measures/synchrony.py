"""How much regions oscillate together, and how much that varies: the order parameter of phases."""

from typing import NamedTuple

import numpy as np

from synsys.core.errors import UserError
from synsys.measures.signals import as_channels
from synsys.measures.surrogates import AgainstNull, against_null, check_count, time_shifted


class SynchronyTest(NamedTuple):
    """Synchrony and metastability beside those of the same regions at unrelated times."""

    synchrony: AgainstNull
    metastability: AgainstNull


def order_parameter(phases: np.ndarray) -> np.ndarray:
    """Length of the mean phase vector at each time (Kuramoto 1984).

    R(t) = |1/N Σ_n exp(i φ_n(t))|

    Parameters
    ----------
    phases : ndarray, (..., N, T), rad
        For instance ``np.angle(band_analytic(...))`` of `measures.signals`.

    Returns
    -------
    ndarray, (..., T)
        1 where all phases agree; for N independent uniform phases the mean tends to sqrt(π / N) / 2 and the
        variance to (1 - π/4) / N (Rayleigh), so values of brains with different N do not compare.
    """
    return np.abs(np.exp(1j * np.asarray(phases, dtype=float)).mean(-2))


def synchrony(phases: np.ndarray) -> np.ndarray:
    """Mean of the order parameter over time; phases (..., N, T), rad -> (...), 0 to 1."""
    return order_parameter(phases).mean(-1)


def metastability(phases: np.ndarray) -> np.ndarray:
    """Standard deviation of the order parameter over time (Shanahan 2010, Chaos 20:013108).

    Parameters
    ----------
    phases : ndarray, (..., N, T), rad

    Returns
    -------
    ndarray, (...)
        0 to 0.5. Small both if all are always together and if none ever is. It varies by chance as well, the
        more the fewer independent cycles there are: see `synchrony_test`.
    """
    return order_parameter(phases).std(-1)


def synchrony_test(phases: np.ndarray, count: int = 199, seed: int = 0) -> SynchronyTest:
    """Synchrony and metastability beside those of regions turned in time against each other.

    Parameters
    ----------
    phases : ndarray, (N, T), rad
        At least two regions.
    count, seed : int
        Surrogates; each region keeps its course of phase and loses its relation to the others.

    Returns
    -------
    SynchronyTest
        Synchrony tested for being greater, metastability both ways.

    Raises
    ------
    UserError
        If there is one region only.
    """
    x = as_channels(phases, name="phases")
    if len(x) < 2:
        raise UserError("synchrony needs at least two regions")
    rng = np.random.default_rng(seed)
    vectors = np.exp(1j * x)
    null = np.array([_both(time_shifted(vectors, rng)) for _ in range(check_count(count))])
    together, varying = _both(vectors)
    return SynchronyTest(against_null(together, null[:, 0]), against_null(varying, null[:, 1], "two"))


def _both(vectors: np.ndarray) -> tuple[float, float]:
    r = np.abs(vectors.mean(0))
    return float(r.mean()), float(r.std())
