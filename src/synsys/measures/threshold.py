"""From a connectivity matrix to a graph: negatives, scale, and which edges are kept."""

from collections.abc import Callable

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree

from synsys.core.errors import UserError, unknown

NEGATIVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "zero": lambda w: np.maximum(w, 0.0),
    "absolute": np.abs,
}
"""What becomes of negative weights: dropped, or taken by size."""


def as_graph(matrix: np.ndarray, negatives: str = "zero") -> np.ndarray:
    """Connectivity as a non-negative symmetric float matrix with an empty diagonal.

    Parameters
    ----------
    matrix : ndarray, (..., N, N)
        Weights of undirected graphs; the diagonal is ignored.
    negatives : {"zero", "absolute", "error"}
        Negative weights are dropped, replaced by their size, or refused.

    Returns
    -------
    ndarray, (..., N, N)
        A new array, exactly symmetric.

    Raises
    ------
    UserError
        If the matrices are not square, finite and symmetric to 1e-6 of the largest weight, or if
        a weight is negative and `negatives` is "error".
    """
    graph = np.array(matrix, dtype=float)
    if graph.ndim < 2 or graph.shape[-1] != graph.shape[-2] or graph.shape[-1] < 2:
        raise UserError(f"connectivity: shape {graph.shape}, but (..., N, N) with N >= 2 is needed")
    diagonal = np.arange(graph.shape[-1])
    graph[..., diagonal, diagonal] = 0.0
    if not np.isfinite(graph).all():
        cell = np.argwhere(~np.isfinite(graph))[0]
        raise UserError(f"connectivity{_cell(cell)} is {graph[tuple(cell)]}; every cell must be finite")
    flipped = np.swapaxes(graph, -1, -2)
    gap = np.abs(graph - flipped)
    if gap.max(initial=0.0) > 1e-6 * np.abs(graph).max(initial=1e-300):
        cell = np.unravel_index(gap.argmax(), gap.shape)
        raise UserError(
            f"connectivity{_cell(cell)} = {graph[cell]:g} but its mirror image is {flipped[cell]:g}; "
            "graph measures here are for undirected graphs, so symmetrise first"
        )
    graph = 0.5 * (graph + flipped)
    if negatives == "error":
        if (graph < 0).any():
            cell = np.argwhere(graph < 0)[0]
            raise UserError(
                f"connectivity{_cell(cell)} = {graph[tuple(cell)]:g} is negative; "
                'choose negatives="zero" or "absolute"'
            )
        return graph
    if negatives not in NEGATIVES:
        raise unknown("treatment of negatives", negatives, (*NEGATIVES, "error"))
    return NEGATIVES[negatives](graph)


def threshold(
    matrix: np.ndarray,
    density: float | None = None,
    cutoff: float | None = None,
    backbone: bool = False,
    negatives: str = "zero",
) -> np.ndarray:
    """Keep the strongest edges of weighted graphs.

    Parameters
    ----------
    matrix : ndarray, (..., N, N)
        Weights of undirected graphs.
    density : float in (0, 1], optional
        Proportional rule: the strongest round(density N (N - 1) / 2) edges stay. Zero weights never
        become edges, so a sparse graph may end below `density`. Among equal weights at the margin
        the pair that comes first in the upper triangle stays.
    cutoff : float >= 0, optional
        Absolute rule: edges with weight > `cutoff` stay. Excludes `density`.
    backbone : bool
        Keep the maximum spanning forest whatever the rule says, so that a connected graph stays
        connected; under the proportional rule its N - 1 edges count towards `density`.
    negatives : {"zero", "absolute", "error"}
        See `as_graph`; applied first.

    Returns
    -------
    ndarray, (..., N, N)
        Graphs that keep the weights of the surviving edges. With neither rule every edge stays.

    Raises
    ------
    UserError
        If both rules are given or a number is out of range.
    """
    graph = as_graph(matrix, negatives)
    if density is not None and cutoff is not None:
        raise UserError("give a density (proportional rule) or a cutoff (absolute rule), not both")
    if density is not None and not 0 < density <= 1:
        raise UserError(f"density {density!r} must lie in (0, 1]")
    if cutoff is not None and not cutoff >= 0:
        raise UserError(f"cutoff {cutoff!r} must be >= 0")
    if density is None and cutoff is None:
        return graph
    n = graph.shape[-1]
    row, column = np.triu_indices(n, 1)
    weights = graph[..., row, column].reshape(-1, row.size)
    tree = _spanning_forest(graph.reshape(-1, n, n))[:, row, column] if backbone else np.zeros_like(weights)
    if cutoff is not None:
        kept = (weights > cutoff) | (tree > 0)
    else:
        assert density is not None
        count = int(np.floor(density * row.size + 0.5))
        rank = np.argsort(np.where(tree > 0, -np.inf, -weights), axis=-1, kind="stable")
        kept = np.zeros(weights.shape, dtype=bool)
        np.put_along_axis(kept, rank[:, :count], True, axis=-1)
        kept |= tree > 0
    weights = np.where(kept, weights, 0.0).reshape(*graph.shape[:-2], row.size)
    result = np.zeros_like(graph)
    result[..., row, column] = weights
    result[..., column, row] = weights
    return result


def rule_name(
    density: float | None = None, cutoff: float | None = None, backbone: bool = False, negatives: str = "zero"
) -> str:
    """One-line text of a threshold rule, for tables and reports."""
    rule = "every edge"
    if density is not None:
        rule = f"proportional {density:g}"
    elif cutoff is not None:
        rule = f"absolute > {cutoff:g}"
    return f"{rule}{' + spanning tree' if backbone else ''}; negatives: {negatives}"


def edge_density(graph: np.ndarray) -> np.ndarray:
    """Share of the N (N - 1) / 2 possible edges that exist.

    Parameters
    ----------
    graph : ndarray, (..., N, N)

    Returns
    -------
    ndarray, (...)
    """
    n = graph.shape[-1]
    return np.count_nonzero(graph, axis=(-1, -2)) / (n * (n - 1))


def _spanning_forest(graphs: np.ndarray) -> np.ndarray:
    """Symmetric 0/1 maximum spanning forests, (K, N, N)."""
    forests = np.zeros_like(graphs)
    for graph, forest in zip(graphs, forests, strict=True):
        lengths = np.divide(1.0, graph, out=np.zeros_like(graph), where=graph > 0)
        tree = minimum_spanning_tree(lengths).toarray() > 0
        forest[tree | tree.T] = 1.0
    return forests


def _cell(cell) -> str:
    return "[" + ", ".join(str(int(i)) for i in cell) + "]"
