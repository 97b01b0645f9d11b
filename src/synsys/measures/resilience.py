"""What a graph loses when nodes are taken out: attack curves, hub damage, node vulnerability.

Removing nodes one by one is computed backwards, as adding them one by one: shortest paths after
adding a node follow from those before in O(N^2) (through the new node or not), so a whole attack
curve costs about as much as one all-pairs search.
"""

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.measures.paths import betweenness, distances, edge_lengths, global_efficiency, inverse_mean
from synsys.measures.topology import strength

ATTACKS = ("strength", "betweenness", "random")
"""Orders of removal: strongest first, most central first, at random."""


def attack_order(
    graph: np.ndarray,
    attack: str = "strength",
    recomputed: bool = False,
    weighted: bool = True,
    fraction: float = 1.0,
    seed: int = 0,
) -> np.ndarray:
    """Order in which an attack removes nodes (Albert, Jeong & Barabási 2000).

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
    attack : {"strength", "betweenness", "random"}
    recomputed : bool
        Rank the survivors anew after every removal (Holme et al. 2002) instead of once.
    weighted : bool
        Strength and weighted betweenness, or degree and binary betweenness.
    fraction : float in (0, 1]
        Share of the nodes to rank; the rest follow in any order.
    seed : int
        For the random attack.

    Returns
    -------
    ndarray, (N,), int
        Node numbers, first removed first. Ties fall to the lower number.
    """
    n = len(graph)
    if attack not in ATTACKS:
        raise unknown("attack", attack, ATTACKS)
    if attack == "random":
        return np.random.default_rng(seed).permutation(n)
    remains = graph.copy() if weighted else (graph > 0).astype(float)

    def rank() -> np.ndarray:
        return strength(remains) if attack == "strength" else betweenness(remains, weighted)

    if not recomputed:
        return np.argsort(-rank(), kind="stable")
    alive = np.ones(n, dtype=bool)
    order = []
    for _ in range(int(np.floor(fraction * n))):
        node = int(np.where(alive, rank(), -np.inf).argmax())
        order.append(node)
        alive[node] = False
        remains[node] = remains[:, node] = 0.0
    return np.concatenate([np.array(order, dtype=int), np.flatnonzero(alive)])


def attack_curve(
    graph: np.ndarray, order: np.ndarray, fraction: float = 0.5, weighted: bool = True
) -> np.ndarray:
    """Global efficiency of the survivors after 0, 1, 2, ... removals.

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
    order : ndarray, (N,), or (R, N) for several orders at once
        Node numbers, first removed first.
    fraction : float in (0, 1]
        Share of the nodes removed at the end; two nodes always survive.
    weighted : bool

    Returns
    -------
    ndarray, (M + 1,) or (R, M + 1)
        Entry m: mean of 1/d over the pairs of the N - m survivors, so that a removed node does not
        count as a loss by itself.
    """
    orders = np.atleast_2d(order)
    n = len(graph)
    if orders.shape[1] != n or (np.sort(orders, axis=1) != np.arange(n)).any():
        raise UserError(f"order of removal must be a permutation of the {n} nodes")
    start = n - min(_removals(n, fraction), n - 2)
    curve = np.array([_regrow(graph, one[::-1], start, weighted)[::-1] for one in orders])
    return curve if np.ndim(order) > 1 else curve[0]


def _regrow(graph: np.ndarray, order: np.ndarray, start: int, weighted: bool) -> np.ndarray:
    """Efficiency of the first `start`, `start` + 1, ... N nodes of an order, (N - start + 1,)."""
    grown = graph[np.ix_(order, order)]
    links = edge_lengths(grown, weighted)
    distance = np.empty(grown.shape)
    distance[:start, :start] = distances(grown[:start, :start], weighted)
    curve = [inverse_mean(distance[:start, :start])]
    for new in range(start, len(graph)):
        _add_node(distance, links, new)
        curve.append(inverse_mean(distance[: new + 1, : new + 1]))
    return np.array(curve)


def _removals(n: int, fraction: float) -> int:
    if not 0 < fraction <= 1:
        raise UserError(f"fraction of nodes removed {fraction!r} must lie in (0, 1]")
    return max(1, int(np.floor(fraction * n)))


def _add_node(distance: np.ndarray, links: np.ndarray, new: int) -> None:
    """Update all-pairs distances of nodes 0..new - 1, in place, for one more node."""
    known = distance[:new, :new]
    near = np.flatnonzero(np.isfinite(links[new, :new]))
    reach = (known[near] + links[new, near, None]).min(0, initial=np.inf)
    np.minimum(known, np.add.outer(reach, reach), out=known)
    distance[new, :new] = distance[:new, new] = reach
    distance[new, new] = 0.0


def resilience(
    graph: np.ndarray,
    attack: str = "strength",
    recomputed: bool = False,
    fraction: float = 0.5,
    weighted: bool = True,
    repeats: int = 20,
    seed: int = 0,
) -> float:
    """Area under the attack curve: efficiency kept while nodes are removed.

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
    attack : {"strength", "betweenness", "random"}
    recomputed : bool
        Rank the survivors anew after every removal.
    fraction : float in (0, 1]
        Share of the nodes removed in the end.
    weighted : bool
    repeats : int
        Random orders averaged over when `attack` is "random".
    seed : int

    Returns
    -------
    float
        Trapezoidal mean of E(m) / E(0) for m = 0 ... floor(`fraction` N): 1 if the survivors stay
        as efficient as the whole; NaN for a graph without edges. Independent of the scale of the
        weights.
    """
    if attack == "random":
        rng = np.random.default_rng(seed)
        order = np.array([rng.permutation(len(graph)) for _ in range(repeats)])
    else:
        order = attack_order(graph, attack, recomputed, weighted, fraction)[None]
    return curve_area(attack_curve(graph, order, fraction, weighted).mean(0))


def curve_area(curve: np.ndarray) -> float:
    """Mean height of an attack curve relative to its start, by the trapezoidal rule."""
    if not curve[0] > 0:
        return np.nan
    return float((0.5 * (curve[:-1] + curve[1:])).mean() / curve[0])


def loss_without(graph: np.ndarray, nodes: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Relative loss of global efficiency among the survivors when a set of nodes is removed.

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    nodes : ndarray, (N,), bool
        The nodes removed.
    weighted : bool

    Returns
    -------
    ndarray, (...)
        1 - E(survivors) / E(all); negative if the survivors are the better connected ones.
    """
    kept = np.flatnonzero(~nodes)
    if kept.size < 2:
        raise UserError("removing these nodes leaves fewer than two")
    whole = global_efficiency(graph, weighted)
    rest = global_efficiency(graph[..., kept[:, None], kept], weighted)
    return 1.0 - np.divide(rest, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def vulnerability(graph: np.ndarray, weighted: bool = True) -> np.ndarray:
    """Relative loss of global efficiency when each node alone is removed (Costa et al. 2007).

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
    weighted : bool

    Returns
    -------
    ndarray, (N,)
        1 - E(without node) / E, efficiency among the N - 1 survivors, so that a node's own paths do
        not count; negative for a peripheral node. NaN for a graph without edges.

    Notes
    -----
    All N graphs are solved together: each half of the nodes is added to what excludes the other
    half, recursively, which takes O(N^3 log N) instead of O(N^4).
    """
    n = len(graph)
    whole = float(global_efficiency(graph, weighted))
    if n < 3 or not whole > 0:
        return np.full(n, np.nan)
    links = edge_lengths(graph, weighted)
    efficiency = np.empty(n)

    def solve(left_out: np.ndarray, present: np.ndarray, distance: np.ndarray) -> None:
        if left_out.size == 1:
            efficiency[left_out[0]] = inverse_mean(distance)
            return
        half = left_out.size // 2
        for out, back in ((left_out[:half], left_out[half:]), (left_out[half:], left_out[:half])):
            nodes = np.concatenate([present, back])
            among = links[np.ix_(nodes, nodes)]
            grown = np.empty(among.shape)
            grown[: present.size, : present.size] = distance
            for new in range(present.size, nodes.size):
                _add_node(grown, among, new)
            solve(out, nodes, grown)

    solve(np.arange(n), np.array([], dtype=int), np.empty((0, 0)))
    return 1.0 - efficiency / whole
