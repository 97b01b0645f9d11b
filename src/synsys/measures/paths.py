"""Measures read from shortest paths: efficiency, path length, betweenness.

Weights are closeness: an edge of weight w has length 1/w (weighted) or 1 (binary). That is the
convention of the Brain Connectivity Toolbox; networkx takes lengths directly.
"""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra, floyd_warshall

TIE = 1e-10
"""Two paths whose lengths differ by less than this fraction count as equally short."""


def edge_lengths(graph: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Length of every edge, 1/weight or 1; inf where there is none.

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    weighted : bool

    Returns
    -------
    ndarray, (..., N, N)
        Diagonal inf as well (no self-loops).
    """
    there = graph > 0
    lengths = np.full(graph.shape, np.inf)
    np.divide(1.0, graph, out=lengths, where=there)
    if not weighted:
        lengths[there] = 1.0
    return lengths


def distances(graph: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Lengths of the shortest paths between all pairs.

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    weighted : bool
        Whether edges have length 1/weight instead of 1.

    Returns
    -------
    ndarray, (..., N, N)
        0 on the diagonal, inf between separate components.
    """
    if not weighted:
        return _hops(graph)
    n = graph.shape[-1]
    return np.array([_weighted_distances(one) for one in graph.reshape(-1, n, n)]).reshape(graph.shape)


def _weighted_distances(graph: np.ndarray) -> np.ndarray:
    """Dijkstra where the graph is large and sparse, Floyd-Warshall elsewhere."""
    n = len(graph)
    if n > 150 and np.count_nonzero(graph) < 0.25 * n * n:
        edges = csr_array(graph)
        edges.data = 1.0 / edges.data
        return dijkstra(edges, directed=True)
    return floyd_warshall(edge_lengths(graph), directed=True)


def _hops(graph: np.ndarray) -> np.ndarray:
    """Breadth-first search from all nodes at once, one matrix product a step, (..., N, N)."""
    n = graph.shape[-1]
    adjacency = (graph > 0).astype(np.float32)
    hops = np.where(graph > 0, 1.0, np.inf)
    hops[..., np.arange(n), np.arange(n)] = 0.0
    frontier, step = adjacency, 1
    while step < n:
        new = (frontier @ adjacency > 0) & np.isinf(hops)
        if not new.any():
            break
        step += 1
        hops[new] = step
        frontier = new.astype(np.float32)
    return hops


def inverse_mean(distance: np.ndarray) -> np.ndarray:
    """Mean of 1/d over the off-diagonal pairs of distance matrices, (..., N, N) -> (...)."""
    n = distance.shape[-1]
    with np.errstate(divide="ignore"):
        inverse = 1.0 / distance
    inverse[..., np.arange(n), np.arange(n)] = 0.0
    return inverse.sum((-1, -2)) / (n * (n - 1))


def global_efficiency(graph: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Mean inverse shortest path length over all pairs (Latora & Marchiori 2001).

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    weighted : bool

    Returns
    -------
    ndarray, (...)
        In [0, 1] for a binary graph and for weights in [0, 1]; otherwise in the unit of the weights.
        Unconnected pairs count 0. Equals bctpy ``efficiency_wei`` and ``efficiency_bin``.
    """
    return inverse_mean(distances(graph, weighted))


def path_length(graph: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Characteristic path length: mean shortest path length (Watts & Strogatz 1998).

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    weighted : bool

    Returns
    -------
    ndarray, (...)
        Mean over the pairs that a path connects (bctpy ``charpath`` with
        ``include_infinite=False``); NaN without any edge. Report `largest_component` beside it.
    """
    return mean_distance(distances(graph, weighted))


def mean_distance(distance: np.ndarray) -> np.ndarray:
    """Mean of the finite off-diagonal distances, (..., N, N) -> (...); NaN if there is none."""
    linked = np.isfinite(distance) & (distance > 0)
    total = np.where(linked, distance, 0.0).sum((-1, -2))
    pairs = linked.sum((-1, -2))
    return np.divide(total, pairs, out=np.full(np.shape(total), np.nan), where=pairs > 0)


def largest_component(graph: np.ndarray) -> np.ndarray:
    """Share of the nodes in the largest connected component, (..., N, N) -> (...)."""
    n = graph.shape[-1]
    shares = [
        np.bincount(connected_components(csr_array(one), directed=False)[1]).max() / n
        for one in graph.reshape(-1, n, n)
    ]
    return np.array(shares).reshape(graph.shape[:-2])


def local_efficiency(graph: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Efficiency of each node's neighbourhood.

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
    weighted : bool

    Returns
    -------
    ndarray, (N,)
        Binary: global efficiency of the subgraph of the neighbours (Latora & Marchiori 2001).
        Weighted: sum over pairs j, h of neighbours of (w_ij w_ih)^(1/3) / d_jh divided by
        k_i (k_i - 1), with d_jh the shortest path inside the neighbourhood over edges of length
        w^(-1/3) (Wang et al. 2017, the default of bctpy ``efficiency_wei(local=True)``); it equals
        the binary measure when every weight is 1. Below two neighbours: 0.
    """
    roots = np.cbrt(graph) if weighted else (graph > 0).astype(float)
    degree = np.count_nonzero(graph, axis=1)
    ranked = np.argsort(degree, kind="stable")
    ranked = ranked[degree[ranked] >= 2]
    efficiency = np.zeros(len(graph))
    while ranked.size:
        # neighbourhoods of similar size are solved together, padded with unconnected nodes
        room = max(1, int(40_000 / degree[ranked[-1]] ** 2))
        nodes, ranked = ranked[-room:], ranked[:-room]
        width = degree[nodes].max()
        near = np.argsort(graph[nodes] == 0, axis=1, kind="stable")[:, :width]
        there = np.arange(width) < degree[nodes, None]
        within = roots[near[:, :, None], near[:, None, :]] * there[:, :, None] * there[:, None, :]
        if weighted:
            distance = edge_lengths(within)
            _close(distance)
        else:
            distance = _hops(within)
        with np.errstate(divide="ignore"):
            inverse = 1.0 / distance
        inverse[:, np.arange(width), np.arange(width)] = 0.0
        pull = np.take_along_axis(roots[nodes], near, axis=1)
        triples = (pull[:, None, :] @ inverse @ pull[:, :, None])[:, 0, 0]
        efficiency[nodes] = triples / (degree[nodes] * (degree[nodes] - 1))
    return efficiency


def _close(distance: np.ndarray) -> None:
    """Floyd-Warshall on a stack of edge lengths (K, n, n), in place; the diagonal is not reset."""
    through = np.empty_like(distance)
    for k in range(distance.shape[-1]):
        np.add(distance[:, :, k, None], distance[:, k, None, :], out=through)
        np.minimum(distance, through, out=distance)


def betweenness(graph: np.ndarray, weighted: bool = True, distance: np.ndarray | None = None) -> np.ndarray:
    """How many shortest paths run through each node (Freeman 1977; Brandes 2001).

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
    weighted : bool
    distance : ndarray, (N, N), optional
        Result of `distances` for the same arguments, if it is known already.

    Returns
    -------
    ndarray, (N,)
        Sum over unordered pairs {s, t} of the share of their shortest paths that pass through the
        node. Each undirected path counts once, as in networkx with ``normalized=False``;
        bctpy counts both directions, so its figure is twice this one. Divide by
        (N - 1)(N - 2) / 2 for a share in [0, 1]. Paths whose lengths agree to `TIE` are ties.
    """
    known = distances(graph, weighted) if distance is None else distance
    return _betweenness_weighted(graph, known) if weighted else _betweenness_binary(graph, known)


def _betweenness_binary(graph: np.ndarray, hops: np.ndarray) -> np.ndarray:
    """Brandes' accumulation for all sources together, one matrix product a step."""
    adjacency = (graph > 0).astype(float)
    reach = int(hops[np.isfinite(hops)].max())
    count = np.eye(len(graph))
    for step in range(1, reach + 1):
        count += (count * (hops == step - 1)) @ adjacency * (hops == step)
    load = np.zeros_like(count)
    for step in range(reach, 1, -1):
        passed = np.divide(1.0 + load, count, out=np.zeros_like(load), where=hops == step)
        load += (passed @ adjacency) * count * (hops == step - 1)
    return 0.5 * load.sum(0)


def _betweenness_weighted(graph: np.ndarray, distance: np.ndarray, block: int = 100_000) -> np.ndarray:
    """Brandes' accumulation over the shortest-path links of all sources at once."""
    n = len(graph)
    one, two = np.nonzero(np.triu(graph))
    length = 1.0 / graph[one, two]
    tails, heads = [], []
    for sources in np.array_split(np.arange(n), min(n, 1 + n * one.size // block)):
        near, far = distance[np.ix_(sources, one)], distance[np.ix_(sources, two)]
        with np.errstate(invalid="ignore"):
            ahead = far - near
            on_path = np.abs(ahead) >= length - TIE * np.maximum(near, far)
        source, link = np.nonzero(on_path)
        forward = ahead[source, link] > 0
        base = sources[source] * n
        tails.append(base + np.where(forward, one[link], two[link]))
        heads.append(base + np.where(forward, two[link], one[link]))
    return 0.5 * _accumulate(np.concatenate(tails), np.concatenate(heads), n)


def _accumulate(tail: np.ndarray, head: np.ndarray, n: int) -> np.ndarray:
    """Load on each node from the shortest-path links ``tail -> head`` (indices source * N + node)."""
    size = n * n
    roots = np.arange(n) * (n + 1)
    count = np.zeros(size)
    count[roots] = 1.0
    waiting = np.bincount(head, minlength=size)
    ready = np.zeros(size, dtype=bool)
    ready[roots] = True
    levels = []
    while tail.size:
        now = ready[tail]
        if not now.any():
            break
        a, b = tail[now], head[now]
        levels.append((a, b))
        count += np.bincount(b, count[a], minlength=size)
        waiting -= np.bincount(b, minlength=size)
        ready[b] = waiting[b] == 0
        tail, head = tail[~now], head[~now]
    load = np.zeros(size)
    for a, b in reversed(levels):
        load += np.bincount(a, count[a] / count[b] * (1.0 + load[b]), minlength=size)
    load[roots] = 0.0
    return load.reshape(n, n).sum(0)
