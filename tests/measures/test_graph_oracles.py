"""Every graph measure equals an independent implementation to 1e-6 on twenty graphs (NW-02)."""

import bct
import networkx as nx
import numpy as np
import pytest

from synsys.measures import communities, paths, resilience, topology
from synsys.measures.threshold import threshold

TOLERANCE = 1e-6


def weigh(graph: nx.Graph, seed: int, ties: bool = False) -> np.ndarray:
    """Random symmetric weights in (0, 1] on a topology; with `ties`, powers of two, so that sums of
    their inverses are exact and many paths are equally short."""
    rng = np.random.default_rng(seed)
    a = np.triu(nx.to_numpy_array(graph, weight=None), 1)
    size = a.shape
    w = 0.5 ** rng.integers(0, 3, size) if ties else rng.uniform(0.05, 1.0, size)
    return (a * w) + (a * w).T


def two_blocks(seed: int) -> nx.Graph:
    """Two separate random graphs and two isolated nodes."""
    first, second = nx.gnp_random_graph(14, 0.4, seed=seed), nx.gnp_random_graph(11, 0.5, seed=seed + 1)
    pair = nx.disjoint_union(first, second)
    pair.add_nodes_from([25, 26])
    return pair


TOPOLOGIES = {
    "sparse": nx.gnp_random_graph(40, 0.08, seed=1),
    "medium": nx.gnp_random_graph(36, 0.2, seed=2),
    "dense": nx.gnp_random_graph(30, 0.6, seed=3),
    "complete": nx.complete_graph(20),
    "small world": nx.watts_strogatz_graph(40, 6, 0.1, seed=4),
    "scale free": nx.barabasi_albert_graph(40, 3, seed=5),
    "modular": nx.planted_partition_graph(4, 9, 0.7, 0.05, seed=6),
    "tree": nx.random_labeled_tree(25, seed=7),
    "two blocks": two_blocks(8),
    "clubs": nx.ring_of_cliques(5, 6),
}
GRAPHS = {}
for position, (name, topology_) in enumerate(TOPOLOGIES.items()):
    GRAPHS[f"{name}, weighted"] = weigh(topology_, position)
    if position % 2:
        GRAPHS[f"{name}, tied weights"] = weigh(topology_, position, ties=True)
    else:
        GRAPHS[f"{name}, binary"] = nx.to_numpy_array(topology_, weight=None)


@pytest.fixture(params=list(GRAPHS))
def graph(request) -> np.ndarray:
    return GRAPHS[request.param].copy()


@pytest.fixture
def binary(graph) -> np.ndarray:
    return (graph > 0).astype(float)


@pytest.fixture
def partition(graph) -> np.ndarray:
    return np.random.default_rng(len(graph)).integers(0, 4, len(graph))


def close(ours, theirs) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE)


def as_networkx(graph: np.ndarray) -> nx.Graph:
    result = nx.from_numpy_array(graph)
    for _, _, data in result.edges(data=True):
        data["length"] = 1.0 / data["weight"]
    return result


def test_there_are_twenty_graphs_with_the_hard_cases():
    assert len(GRAPHS) == 20
    connected = [nx.is_connected(nx.from_numpy_array(g)) for g in GRAPHS.values()]
    assert not all(connected)
    densities = [np.count_nonzero(g) / (len(g) * (len(g) - 1)) for g in GRAPHS.values()]
    assert min(densities) < 0.1 < 0.9 < max(densities)


def test_distances(graph, binary):
    lengths = dict(nx.all_pairs_dijkstra_path_length(as_networkx(graph), weight="length"))
    n = len(graph)
    theirs = np.array([[lengths[i].get(j, np.inf) for j in range(n)] for i in range(n)])
    close(paths.distances(graph), theirs)
    hops = bct.distance_bin(binary)
    close(paths.distances(graph, weighted=False), hops)


def test_global_efficiency_and_path_length(graph, binary):
    close(paths.global_efficiency(graph), bct.efficiency_wei(graph))
    close(paths.global_efficiency(graph, weighted=False), nx.global_efficiency(nx.from_numpy_array(binary)))
    for weighted, used in ((True, graph), (False, binary)):
        distance, _ = bct.distance_wei(np.divide(1.0, used, out=np.zeros_like(used), where=used > 0))
        close(paths.path_length(used, weighted), bct.charpath(distance, include_infinite=False)[0])


def test_local_efficiency(graph, binary):
    close(paths.local_efficiency(graph), bct.efficiency_wei(graph, local=True))
    close(paths.local_efficiency(graph, weighted=False), bct.efficiency_bin(binary, local=True))
    theirs = nx.local_efficiency(nx.from_numpy_array(binary))
    close(paths.local_efficiency(graph, weighted=False).mean(), theirs)


def test_betweenness_counts_each_undirected_path_once(graph, binary):
    lengths = np.divide(1.0, graph, out=np.zeros_like(graph), where=graph > 0)
    theirs = nx.betweenness_centrality(as_networkx(graph), normalized=False, weight="length")
    close(paths.betweenness(graph), list(theirs.values()))
    close(2 * paths.betweenness(graph), bct.betweenness_wei(lengths))
    close(2 * paths.betweenness(graph, weighted=False), bct.betweenness_bin(binary))


def test_betweenness_in_blocks_of_sources(graph):
    close(paths._betweenness_weighted(graph, paths.distances(graph), block=1), paths.betweenness(graph))


def test_clustering_and_transitivity(graph, binary):
    close(topology.clustering(graph), bct.clustering_coef_wu(graph))
    close(topology.clustering(graph, weighted=False), bct.clustering_coef_bu(binary))
    theirs = list(nx.clustering(nx.from_numpy_array(graph), weight="weight").values())
    close(topology.clustering(graph / graph.max()), theirs)
    close(topology.transitivity(graph), bct.transitivity_wu(graph))
    close(topology.transitivity(graph, weighted=False), nx.transitivity(nx.from_numpy_array(binary)))


def test_degree_strength(graph):
    close(topology.degree(graph), bct.degrees_und(graph))
    close(topology.strength(graph), bct.strengths_und(graph))


def test_eigenvector_centrality(graph):
    if not nx.is_connected(nx.from_numpy_array(graph)):
        largest = max(nx.connected_components(nx.from_numpy_array(graph)), key=len)
        graph = graph[np.ix_(sorted(largest), sorted(largest))]
    close(topology.eigenvector_centrality(graph), bct.eigenvector_centrality_und(graph))


def test_assortativity(graph, binary):
    if len(set(topology.degree(graph))) == 1:
        assert np.isnan(topology.assortativity(graph))
    else:
        close(topology.assortativity(graph), bct.assortativity_bin(binary, 0))
        close(topology.assortativity(graph), nx.degree_assortativity_coefficient(nx.from_numpy_array(binary)))
    if np.ptp(topology.strength(graph)) > 1e-9:
        close(topology.assortativity(graph, weighted=True), bct.assortativity_wei(graph, 0))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_rich_club(graph, binary):
    largest = int(topology.degree(graph).max())
    levels = np.arange(largest)
    theirs, *_ = bct.rich_club_bu(binary)
    close(topology.rich_club(graph, levels[1:], weighted=False), theirs[: largest - 1])
    for k, phi in nx.rich_club_coefficient(nx.from_numpy_array(binary), normalized=False).items():
        close(topology.rich_club(graph, k, weighted=False), phi)
    theirs = bct.rich_club_wu(graph)
    ours = topology.rich_club(graph, levels)
    # where every node is a member bctpy gives NaN
    club_is_proper = [(topology.degree(graph) <= k).any() for k in levels]
    close(ours[club_is_proper], theirs[club_is_proper])


@pytest.mark.parametrize("gamma", [0.7, 1.0, 1.6])
def test_modularity_of_a_given_partition(graph, partition, gamma):
    modules = [set(np.flatnonzero(partition == c)) for c in np.unique(partition)]
    theirs = nx.community.modularity(nx.from_numpy_array(graph), modules, weight="weight", resolution=gamma)
    assert communities.modularity(graph, partition, gamma) == pytest.approx(theirs, abs=1e-12)
    assert communities.modularity(graph, partition, gamma) == pytest.approx(
        bct.modularity_und(graph, gamma, kci=partition + 1)[1], abs=1e-12
    )


@pytest.mark.parametrize("gamma", [0.8, 1.0, 1.3])
def test_louvain_finds_at_least_the_modularity_bctpy_finds(graph, gamma):
    codes, q = communities.louvain(graph, gamma, runs=20, seed=1)
    assert q == pytest.approx(float(communities.modularity(graph, codes, gamma)), abs=1e-12)
    theirs = max(bct.modularity_louvain_und(graph, gamma, seed=s)[1] for s in range(5))
    assert q >= theirs - 1e-3


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_roles_between_modules(graph, partition):
    close(communities.participation(graph, partition), bct.participation_coef(graph, partition))
    ours, theirs = communities.within_module_z(graph, partition), bct.module_degree_zscore(graph, partition)
    inside = np.array([graph[i, partition == partition[i]].sum() for i in range(len(graph))])
    varies = np.array([np.ptp(inside[partition == c]) > 1e-9 for c in partition])
    close(ours[varies], theirs[varies])  # where all members are alike bctpy divides rounding errors
    assert (ours[~varies] == 0).all()


@pytest.mark.parametrize("density", [0.05, 0.2])
def test_threshold(graph, density):
    ours, theirs = threshold(graph, density=density), bct.threshold_proportional(graph, density)
    close(np.sort(ours, axis=None), np.sort(theirs, axis=None))
    if len(set(graph[graph > 0])) == np.count_nonzero(graph) / 2:  # no ties
        close(ours, theirs)
    cut = np.median(graph[graph > 0])
    close(threshold(graph, cutoff=cut), np.where(graph > cut, graph, 0.0))


def test_attack_curve_equals_removing_nodes_one_by_one(graph):
    for attack, recomputed in (("strength", False), ("betweenness", True)):
        order = resilience.attack_order(graph, attack, recomputed, fraction=0.2)
        for weighted in (True, False):
            ours = resilience.attack_curve(graph, order, 0.2, weighted)
            theirs = []
            for m in range(len(ours)):
                left = np.delete(np.delete(graph, order[:m], 0), order[:m], 1)
                theirs.append(bct.efficiency_wei(left) if weighted else bct.efficiency_bin(left))
            close(ours, theirs)


def test_vulnerability_equals_removing_each_node(graph):
    some = np.random.default_rng(0).choice(len(graph), 8, replace=False)
    for weighted in (True, False):
        efficiency = bct.efficiency_wei if weighted else bct.efficiency_bin
        whole = efficiency(graph)
        rest = [efficiency(np.delete(np.delete(graph, i, 0), i, 1)) for i in some]
        close(resilience.vulnerability(graph, weighted)[some], 1 - np.array(rest) / whole)
