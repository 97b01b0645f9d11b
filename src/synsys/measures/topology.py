"""Measures read from edges, triangles and degrees: strength, clustering, hubs, mixing."""

import numpy as np
from scipy.linalg import eigh

from synsys.core.errors import UserError


def degree(graph: np.ndarray) -> np.ndarray:
    """Number of neighbours of each node, (..., N, N) -> (..., N)."""
    return np.count_nonzero(graph, axis=-1)


def strength(graph: np.ndarray) -> np.ndarray:
    """Sum of the weights at each node, (..., N, N) -> (..., N)."""
    return graph.sum(-1)


def _ratio(above: np.ndarray, below: np.ndarray, empty: float) -> np.ndarray:
    """above / below, and `empty` where below is 0."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=float), np.asarray(below, dtype=float))
    return np.divide(above, below, out=np.full(above.shape, empty), where=below != 0)


def _triangles(graph: np.ndarray, weighted: bool) -> np.ndarray:
    """Twice the (geometric-mean) weight of the triangles at each node, (..., N, N) -> (..., N)."""
    edges = np.cbrt(graph) if weighted else (graph > 0).astype(float)
    return ((edges @ edges) * edges).sum(-1)


def clustering(graph: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Clustering coefficient of each node.

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    weighted : bool

    Returns
    -------
    ndarray, (..., N)
        Binary: share of the pairs of neighbours that are linked (Watts & Strogatz 1998). Weighted:
        mean over those pairs of the geometric mean of the triangle's three weights (Onnela et al.
        2005). Weights are taken as they are, as bctpy does; networkx divides by the largest weight.
        Below two neighbours: 0.
    """
    k = degree(graph)
    return _ratio(_triangles(graph, weighted), k * (k - 1), 0.0)


def transitivity(graph: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Triangles over connected triples in the whole graph (Newman 2003).

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    weighted : bool
        Triangles weigh the geometric mean of their weights, as in `clustering`.

    Returns
    -------
    ndarray, (...)
        NaN where no node has two neighbours.
    """
    k = degree(graph)
    return _ratio(_triangles(graph, weighted).sum(-1), (k * (k - 1)).sum(-1), np.nan)


def eigenvector_centrality(graph: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Leading eigenvector of the connectivity matrix (Bonacich 1972).

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    weighted : bool

    Returns
    -------
    ndarray, (..., N)
        >= 0, Euclidean norm 1. In a disconnected graph it lives on the component with the largest
        eigenvalue, which need not be the largest component.
    """
    n = graph.shape[-1]
    stack = (graph if weighted else (graph > 0).astype(float)).reshape(-1, n, n)
    leading = [eigh(one, subset_by_index=[n - 1, n - 1])[1][:, 0] for one in stack]
    return np.abs(np.array(leading)).reshape(graph.shape[:-1])


def assortativity(graph: np.ndarray, weighted: bool = False) -> np.ndarray:
    """Correlation over edges of the degrees at their two ends (Newman 2002).

    Parameters
    ----------
    graph : ndarray, (..., N, N)
    weighted : bool
        Correlate strengths instead of degrees; every edge still counts once, as in bctpy
        ``assortativity_wei``.

    Returns
    -------
    ndarray, (...)
        In [-1, 1]; NaN where all ends are alike (regular graph) or there is no edge.
    """
    edges = (graph > 0).astype(float)
    k = edges.sum(-1)
    x = graph.sum(-1) if weighted else k
    count = k.sum(-1)
    mean = _ratio((k * x).sum(-1), count, 0.0)
    x = x - mean[..., None]
    spread = (k * x * x).sum(-1)
    flat = spread <= 1e-12 * count * np.maximum(mean * mean, 1e-300)
    together = (x * (edges @ x[..., None])[..., 0]).sum(-1)
    return _ratio(together, np.where(flat, 0.0, spread), np.nan)


def rich_club(graph: np.ndarray, k: int | np.ndarray, weighted: bool = True) -> np.ndarray:
    """Rich-club coefficient phi(k): how densely nodes of degree > k are linked to each other.

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    k : int or integer ndarray, (levels,)
        Degree a club member must exceed.
    weighted : bool
        Binary: density among members (Colizza et al. 2006); bctpy ``rich_club_bu`` has phi(k) at
        position k - 1, networkx ``rich_club_coefficient(normalized=False)`` under key k. Weighted:
        weight among members over the weight that as many strongest edges of the whole graph
        carry (Opsahl et al. 2008); bctpy ``rich_club_wu`` has it at position k.

    Returns
    -------
    ndarray, (...) or (..., levels)
        In [0, 1]; NaN for a club below two members (weighted: without an edge inside).
    """
    levels = np.atleast_1d(np.asarray(k))
    if levels.ndim != 1 or (levels < 0).any():
        raise UserError(f"rich-club level {k!r} must be one or several integers >= 0")
    members = (degree(graph)[..., None, :] > levels[:, None]).astype(float)
    size = members.sum(-1)
    inside = ((members @ (graph > 0).astype(float)) * members).sum(-1)
    if weighted:
        n = graph.shape[-1]
        row, column = np.triu_indices(n, 1)
        strongest = -np.sort(-graph[..., row, column], axis=-1)
        best = np.concatenate([np.zeros((*graph.shape[:-2], 1)), np.cumsum(strongest, -1)], axis=-1)
        most = 2.0 * np.take_along_axis(best, (inside / 2).astype(int), axis=-1)
        phi = _ratio(((members @ graph) * members).sum(-1), most, np.nan)
    else:
        phi = _ratio(inside, size * (size - 1), np.nan)
    return phi if np.ndim(k) else phi[..., 0]


def rich_club_level(graph: np.ndarray) -> int:
    """Degree that hubs exceed by convention: mean plus one standard deviation over the nodes.

    Parameters
    ----------
    graph : ndarray, (..., N, N)
        Degrees of a stack are averaged over the stack first.

    Returns
    -------
    int
    """
    k = degree(graph).reshape(-1, graph.shape[-1]).mean(0)
    return int(np.floor(k.mean() + k.std()))


def hub_mask(graph: np.ndarray, hubs: np.ndarray | list | None = None, share: float = 0.1) -> np.ndarray:
    """Which nodes are hubs.

    Parameters
    ----------
    graph : ndarray, (..., N, N)
    hubs : boolean (N,) or integer sequence, optional
        A declared set: mask or node numbers. Without it the ceil(`share` N) nodes of largest
        strength (averaged over a stack).
    share : float in (0, 1)

    Returns
    -------
    ndarray, (N,), bool

    Raises
    ------
    UserError
        If the set is empty, holds every node or does not fit the graph.
    """
    n = graph.shape[-1]
    mask = np.zeros(n, dtype=bool)
    if hubs is None:
        mean = strength(graph).reshape(-1, n).mean(0)
        mask[np.argsort(-mean, kind="stable")[: int(np.ceil(share * n))]] = True
        return mask
    given = np.asarray(hubs)
    if given.dtype == bool:
        if given.shape != (n,):
            raise UserError(f"hubs: mask of shape {given.shape}, but there are {n} regions")
        mask = given.copy()
    elif given.ndim == 1 and np.issubdtype(given.dtype, np.integer):
        if given.size and not (given.min() >= 0 and given.max() < n):
            raise UserError(f"hubs: node numbers must lie in 0..{n - 1}, got {given.min()}..{given.max()}")
        mask[given] = True
    else:
        raise UserError("hubs: give a boolean mask or a list of node numbers")
    if not mask.any() or mask.all():
        raise UserError(f"hubs: {int(mask.sum())} of {n} nodes chosen; some but not all are needed")
    return mask
