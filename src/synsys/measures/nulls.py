"""Null models: what a graph measure would be if only some features of the graph were kept."""

import numpy as np

from synsys.core.errors import UserError, unknown

NULLS = {
    "strength": "degree and strength kept (Rubinov & Sporns 2011)",
    "degree": "degree kept, weights shuffled (Maslov & Sneppen 2002)",
    "random": "number of edges kept, weights shuffled (Erdős & Rényi 1959)",
    "correlation": "mean and variance of FC kept, thresholded alike (Zalesky et al. 2012)",
}
"""Kinds of null and what each keeps. The first three rewire a graph; "correlation" draws whole FC
matrices, which like real ones are clustered merely because correlation is nearly transitive, and so
is the stricter null for FC."""


def null_graphs(
    graph: np.ndarray, kind: str = "strength", count: int = 20, seed: int = 0, rewires: float = 10.0
) -> np.ndarray:
    """Random graphs that keep chosen features of a graph.

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
        Weighted or binary (0/1).
    kind : {"strength", "degree", "random"}
        See `NULLS`; "strength" and "degree" are the same for a binary graph. For "correlation" see
        `null_correlations`.
    count : int
        Number of null graphs.
    seed : int
    rewires : float
        How often each edge is moved on average, for the degree-preserving kinds.

    Returns
    -------
    ndarray, (count, N, N)
        Graphs need not be connected even if `graph` is.
    """
    if kind not in NULLS or kind == "correlation":
        raise unknown("kind of null graph", kind, [name for name in NULLS if name != "correlation"])
    rng = np.random.default_rng(seed)
    return np.array([_null_graph(graph, kind, rng, rewires) for _ in range(count)]).reshape(
        count, *graph.shape
    )


def _null_graph(graph: np.ndarray, kind: str, rng: np.random.Generator, rewires: float) -> np.ndarray:
    n = len(graph)
    row, column = np.triu_indices(n, 1)
    weights = graph[row, column]
    there = weights > 0
    weights = weights[there]
    if kind == "random":
        chosen = rng.choice(row.size, weights.size, replace=False)
        i, j = row[chosen], column[chosen]
    elif weights.size > 0.5 * row.size:
        # swapping the absent edges keeps the same degrees and is quicker in a dense graph
        i, j = _swap_edges(row[~there], column[~there], n, rng, rewires)
        absent = np.zeros((n, n), dtype=bool)
        absent[np.minimum(i, j), np.maximum(i, j)] = True
        i, j = row[~absent[row, column]], column[~absent[row, column]]
    else:
        i, j = _swap_edges(row[there], column[there], n, rng, rewires)
    if kind == "strength" and weights.size and weights.min() < weights.max():
        weights = _place_weights(i, j, weights, graph.sum(0), rng)
    else:
        weights = rng.permutation(weights)
    null = np.zeros_like(graph)
    null[i, j] = weights
    null[j, i] = weights
    return null


def rewire(graph: np.ndarray, seed: int = 0, rewires: float = 10.0) -> np.ndarray:
    """One degree-preserving random graph (Maslov & Sneppen 2002), weights shuffled over its edges.

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
    seed : int
    rewires : float
        How often each edge is moved on average.

    Returns
    -------
    ndarray, (N, N)
    """
    return _null_graph(graph, "degree", np.random.default_rng(seed), rewires)


def reweight(graph: np.ndarray, seed: int = 0, rewires: float = 10.0) -> np.ndarray:
    """One random graph with the same degrees, weights and nearly the same strengths.

    The edges are rewired, then weights are placed so that edges between strong nodes get large ones
    (Rubinov & Sporns 2011). Weights and degrees are kept exactly, strengths to a correlation of
    about 0.97-0.99 with the original, as in the authors' own implementation.

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
    seed : int
    rewires : float
        How often each edge is moved on average.

    Returns
    -------
    ndarray, (N, N)
    """
    return _null_graph(graph, "strength", np.random.default_rng(seed), rewires)


def null_correlations(fc: np.ndarray, count: int = 20, seed: int = 0) -> np.ndarray:
    """Random correlation matrices with the mean and variance of a given one.

    Products Q Q^T of N x m Gaussian matrices whose m, mean and variance make the off-diagonal mean
    e, their variance v and the diagonal mean 1 come out as given: m = (1 - e^2) / v, mu^2 = e / m,
    sigma^2 = sqrt(mu^4 + v / m) - mu^2 (Hirschberger, Qi & Steuer 2007; proposed for brain networks
    by Zalesky, Fornito & Bullmore 2012), rescaled to correlations.

    Parameters
    ----------
    fc : ndarray, (N, N)
        Pearson correlations; the diagonal is ignored. A mean below 0 is taken as 0.
    count, seed : int

    Returns
    -------
    ndarray, (count, N, N)
        Diagonal 1.

    Raises
    ------
    UserError
        If `fc` is not square, or an off-diagonal entry has size 1 or more, or all are equal.
    """
    fc = np.asarray(fc, dtype=float)
    if fc.ndim != 2 or fc.shape[0] != fc.shape[1]:
        raise UserError(f"FC: shape {fc.shape}, but (N, N) is needed")
    n = len(fc)
    r = fc[np.triu_indices(n, 1)]
    if not (np.abs(r) < 1).all() or np.ptp(r) == 0:
        raise UserError(
            f"null correlations need correlations inside (-1, 1) that differ; got {r.min():g} to {r.max():g}"
        )
    mean, variance = max(float(r.mean()), 0.0), float(r.var())
    m = max(2, int((1.0 - mean**2) / variance))
    mu2 = mean / m
    sd = np.sqrt(np.sqrt(mu2**2 + variance / m) - mu2)
    q = np.sqrt(mu2) + sd * np.random.default_rng(seed).normal(size=(count, n, m))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    null = q @ q.transpose(0, 2, 1)
    null[:, np.arange(n), np.arange(n)] = 1.0
    return null


def _swap_edges(
    i: np.ndarray, j: np.ndarray, n: int, rng: np.random.Generator, rewires: float
) -> tuple[np.ndarray, np.ndarray]:
    """Degree-preserving double-edge swaps, many disjoint pairs of edges a round.

    A round pairs edges at random and would replace a-b, c-d by a-d, c-b. A pair is left alone if
    one of its two old or two new edges occurs anywhere else among the present edges and all the
    new edges of the round. Old and new play the same part in that rule, so a round is as likely as
    its reverse and the chain draws every reachable graph equally often, as single swaps do.
    """
    i, j = i.copy(), j.copy()
    edges, slots = i.size, n * (n - 1) // 2
    pairs = min(edges // 2, max(1, slots // 8))
    if pairs == 0:
        return i, j
    uses = np.zeros(n * n, dtype=np.int32)
    uses[_key(i, j, n)] = 1
    # a quarter of the swaps tells how many rounds are needed; stopping at a swap count instead
    # would favour graphs that are easy to swap
    quarter, swaps = rewires * edges / 8, 0
    rounds, done = int(20 * np.ceil(4 * quarter / pairs)), 0
    while done < rounds:
        order = rng.permutation(edges)[: 2 * pairs]
        first, second = order[:pairs], order[pairs:]
        a, b, c, d = i[first], j[first], i[second], j[second]
        turned = rng.random(pairs) < 0.5
        c, d = np.where(turned, d, c), np.where(turned, c, d)
        old = np.array([_key(a, b, n), _key(c, d, n)])
        new = np.array([_key(a, d, n), _key(c, b, n)])
        np.add.at(uses, new.ravel(), 1)
        good = (a != d) & (c != b) & (uses[old] == 1).all(0) & (uses[new] == 1).all(0)
        np.subtract.at(uses, new.ravel(), 1)
        uses[old[:, good].ravel()] = 0
        uses[new[:, good].ravel()] = 1
        j[first[good]] = d[good]
        i[second[good]], j[second[good]] = c[good], b[good]
        done += 1
        if swaps < quarter <= swaps + good.sum():
            rounds = 4 * done
        swaps += int(good.sum())
    return i, j


def _key(i: np.ndarray, j: np.ndarray, n: int) -> np.ndarray:
    return np.minimum(i, j) * n + np.maximum(i, j)


def _place_weights(
    i: np.ndarray,
    j: np.ndarray,
    weights: np.ndarray,
    strengths: np.ndarray,
    rng: np.random.Generator,
    rounds: int = 100,
) -> np.ndarray:
    """Weight of each edge: rank by rank after the strength its two ends still lack."""
    lacking = strengths.copy()
    left = np.arange(i.size)
    sizes = np.sort(weights)
    placed = np.empty(i.size)
    portion = max(1, i.size // rounds)
    while left.size:
        wanted = np.maximum(lacking[i[left]], 0.0) * np.maximum(lacking[j[left]], 0.0)
        order = np.argsort(wanted, kind="stable")
        rank = rng.permutation(left.size)[:portion]
        edge = left[order[rank]]
        placed[edge] = sizes[rank]
        np.subtract.at(lacking, i[edge], sizes[rank])
        np.subtract.at(lacking, j[edge], sizes[rank])
        keep = np.ones(left.size, dtype=bool)
        keep[order[rank]] = False
        left, sizes = left[keep], np.delete(sizes, rank)
    return placed


def null_zscore(value: float, null: np.ndarray) -> tuple[float, float, float]:
    """Distance of a value from its null distribution.

    Parameters
    ----------
    value : float
    null : ndarray, (count,)
        The measure on null graphs; NaN are left out.

    Returns
    -------
    mean, sd, z : float
        Sample standard deviation; z = (value - mean) / sd. z is NaN where the null does not vary
        (the null model keeps the measure) or has below two values.
    """
    null = np.asarray(null, dtype=float)
    null = null[np.isfinite(null)]
    if not null.size:
        return np.nan, np.nan, np.nan
    mean = float(null.mean())
    sd = float(null.std(ddof=1)) if null.size > 1 else np.nan
    varies = sd > 1e-9 * max(abs(mean), 1e-300)
    return mean, sd, float((value - mean) / sd) if varies else np.nan


def small_worldness(clustering: float, length: float, null_clustering: float, null_length: float) -> float:
    """Small-world index sigma = (C / C_null) / (L / L_null) (Humphries & Gurney 2008).

    Parameters
    ----------
    clustering, length : float
        Mean clustering coefficient and characteristic path length of the graph.
    null_clustering, null_length : float
        Their means over null graphs; Humphries and Gurney take random graphs of equal density.

    Returns
    -------
    float
        > 1 in a small world; NaN if a denominator is 0.
    """
    if min(null_clustering, length, null_length) < 0:
        raise UserError("small-worldness: clustering and path length must be >= 0")
    below = null_clustering * length
    return clustering * null_length / below if below > 0 else np.nan
