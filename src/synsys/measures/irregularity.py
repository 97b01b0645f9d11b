"""How hard a time series is to foretell: sample entropy, permutation entropy, Lempel-Ziv complexity.

None of the three tells disorder from noise, and all change with the sampling rate, filters and length:
compare signals that were treated alike, and with surrogates of the same spectrum
(`measures.surrogates.surrogate_test`), because most of what they see in slow signals is the spectrum.
"""

import math

import numpy as np
from scipy.spatial import cKDTree

from synsys.core.errors import UserError
from synsys.measures.signals import as_channels


def _embedded(x: np.ndarray, order: int, delay: int) -> np.ndarray:
    """Vectors of `order` samples, `delay` apart, (T - (order - 1) delay, order)."""
    last = x.size - (order - 1) * delay
    return np.stack([x[k * delay : k * delay + last] for k in range(order)], axis=1)


def sample_entropy(signal: np.ndarray, order: int = 2, tolerance: float = 0.2) -> np.ndarray:
    """Sample entropy -ln(A / B) (Richman & Moorman 2000, Am J Physiol 278:H2039).

    B is the number of pairs of pieces of `order` samples, and A of `order` + 1, that differ nowhere by more
    than the tolerance; both from the same T - `order` places, a piece never paired with itself.

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,)
    order : int
        m, 2 in most work.
    tolerance : float
        r in standard deviations of the channel.

    Returns
    -------
    ndarray, (N,), nats
        Infinite if no longer pieces agree, NaN if no pieces do or a channel is constant. Of white Gaussian
        noise -ln erf(r / 2).

    Raises
    ------
    UserError
        If order or tolerance is not positive, or the signal too short.
    """
    if order < 1 or not tolerance > 0:
        raise UserError(f"order {order!r} must be at least 1 and tolerance {tolerance!r} positive")
    x = as_channels(signal, order + 2)
    out = np.full(len(x), np.nan)
    for n, series in enumerate(x):
        sd = series.std()
        if sd <= 1e-12 * max(np.abs(series).max(), 1e-300):
            continue
        longer = _embedded(series / sd, order + 1, 1)
        a, b = (_close_pairs(pieces, tolerance) for pieces in (longer, longer[:, :order]))
        if b:
            out[n] = -math.log(a / b) if a else np.inf
    return out


def _close_pairs(pieces: np.ndarray, tolerance: float) -> int:
    """Ordered pairs of different rows within the tolerance in the maximum norm."""
    tree = cKDTree(pieces)
    return int(tree.count_neighbors(tree, tolerance * (1 + 1e-12), p=np.inf)) - len(pieces)


def pattern_shares(series: np.ndarray, order: int = 3, delay: int = 1) -> np.ndarray:
    """How often each order of successive samples occurs (Bandt & Pompe 2002).

    Parameters
    ----------
    series : ndarray, (T,)
    order, delay : int
        Samples of a pattern and distance of two, in samples.

    Returns
    -------
    ndarray, (order!,)
        Sums to 1. Patterns are the permutations that sort the samples, in lexicographic order; equal
        samples count as rising.
    """
    if not 2 <= order <= 8 or delay < 1:
        raise UserError(f"order {order!r} must be 2 to 8 and delay {delay!r} at least 1")
    x = as_channels(series, (order - 1) * delay + 1)[0]
    ranks = np.argsort(_embedded(x, order, delay), axis=1, kind="stable")
    code = np.zeros(len(ranks), dtype=int)
    for k in range(order):  # Lehmer code: number of smaller entries to the right, in factorial base
        smaller = (ranks[:, k + 1 :] < ranks[:, k : k + 1]).sum(1)
        code += smaller * math.factorial(order - 1 - k)
    return np.bincount(code, minlength=math.factorial(order)) / len(code)


def permutation_entropy(signal: np.ndarray, order: int = 3, delay: int = 1) -> np.ndarray:
    """Entropy of the orders of successive samples over its largest value, -Σ p log p / log(order!).

    Bandt & Pompe (2002), Phys Rev Lett 88:174102.

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,)
    order, delay : int
        As in `pattern_shares`; T should be many times order!.

    Returns
    -------
    ndarray, (N,)
        0 for a rising series, 1 if all orders are as frequent. Any increasing change of the values leaves
        it as it is.

    Raises
    ------
    UserError
        If order or delay do not fit.
    """
    shares = np.array([pattern_shares(series, order, delay) for series in as_channels(signal)])
    logs = np.log(shares, out=np.zeros(shares.shape), where=shares > 0)
    return np.abs((shares * logs).sum(1)) / math.log(math.factorial(order))


def lempel_ziv_words(symbols: np.ndarray | str) -> int:
    """Number of words of the exhaustive history (Lempel & Ziv 1976, IEEE Trans Inf Theory 22:75).

    A word ends with the first symbol that makes it new: not to be copied from all that is before its last
    symbol. 0001101001000101 is 0 · 001 · 10 · 100 · 1000 · 101, six words.

    Parameters
    ----------
    symbols : ndarray of int in 0..255, or str

    Returns
    -------
    int
        A last word that is not new counts.
    """
    text = symbols.encode() if isinstance(symbols, str) else np.asarray(symbols, dtype=np.uint8).tobytes()
    words, start, length = 0, 0, 1
    while start < len(text):
        end = start + length
        if end <= len(text) and text.find(text[start:end], 0, end - 1) >= 0:
            length += 1
            continue
        words, start, length = words + 1, end, 1
    return words


def lempel_ziv(signal: np.ndarray) -> np.ndarray:
    """Lempel-Ziv complexity of a signal cut at its median: words times log₂(T) / T.

    Normalised as by Kaspar & Schuster (1987, Phys Rev A 36:842).

    Parameters
    ----------
    signal : ndarray, (N, T) or (T,)
        Symbol 1 above the median of the channel.

    Returns
    -------
    ndarray, (N,)
        Tends to 1 from above for fair coin flips as T grows, to 0 for a periodic series.
    """
    x = as_channels(signal)
    above = x > np.median(x, axis=1, keepdims=True)
    return np.array([lempel_ziv_words(row) for row in above]) * math.log2(x.shape[1]) / x.shape[1]
