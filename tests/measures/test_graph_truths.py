"""What must hold of graph measures: analytic graphs, invariances and bounds."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.core.errors import UserError
from synsys.measures import communities, paths, resilience, topology
from synsys.measures.threshold import as_graph, edge_density, threshold


@st.composite
def weighted_graphs(draw) -> np.ndarray:
    """Graphs of 4 to 16 nodes, any density, continuous weights in (0, 1]."""
    n = draw(st.integers(4, 16))
    density = draw(st.floats(0.1, 1.0))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    half = np.triu(rng.uniform(0.01, 1.0, (n, n)) * (rng.random((n, n)) < density), 1)
    return half + half.T


def modules(graph: np.ndarray) -> np.ndarray:
    return np.arange(len(graph)) % 3


NODAL = {
    "degree": topology.degree,
    "strength": topology.strength,
    "clustering": topology.clustering,
    "binary clustering": lambda g: topology.clustering(g, weighted=False),
    "local efficiency": paths.local_efficiency,
    "betweenness": paths.betweenness,
    "binary betweenness": lambda g: paths.betweenness(g, weighted=False),
    "vulnerability": resilience.vulnerability,
}
GLOBAL = {
    "global efficiency": paths.global_efficiency,
    "path length": paths.path_length,
    "transitivity": topology.transitivity,
    "assortativity": topology.assortativity,
    "strength assortativity": lambda g: topology.assortativity(g, weighted=True),
    "rich club": lambda g: topology.rich_club(g, 2),
    "resilience": resilience.resilience,
    "betweenness resilience": lambda g: resilience.resilience(g, "betweenness", weighted=True),
    "largest component": paths.largest_component,
}
SCALE_FREE = {
    "betweenness": paths.betweenness,
    "participation": lambda g: communities.participation(g, modules(g)),
    "within-module z": lambda g: communities.within_module_z(g, modules(g)),
    "modularity": lambda g: communities.modularity(g, modules(g)),
    "strength assortativity": lambda g: topology.assortativity(g, weighted=True),
    "rich club": lambda g: topology.rich_club(g, 2),
    "resilience": resilience.resilience,
    "vulnerability": resilience.vulnerability,
    "hub loss": lambda g: resilience.loss_without(g, np.arange(len(g)) < 2),
}


@settings(max_examples=25, deadline=None)
@given(weighted_graphs(), st.integers(0, 10**6))
def test_renaming_the_nodes_renames_nodal_and_keeps_global_measures(graph, seed):
    order = np.random.default_rng(seed).permutation(len(graph))
    renamed = graph[np.ix_(order, order)]
    for name, measure in NODAL.items():
        np.testing.assert_allclose(
            measure(renamed), measure(graph)[order], rtol=1e-9, atol=1e-9, err_msg=name
        )
    for name, measure in GLOBAL.items():
        if "betweenness" in name and len(set(paths.betweenness(graph))) < len(graph):
            continue  # which of equally central nodes goes first is a convention
        np.testing.assert_allclose(measure(renamed), measure(graph), rtol=1e-9, atol=1e-9, err_msg=name)
    q = communities.modularity(renamed, modules(graph)[order])
    np.testing.assert_allclose(q, communities.modularity(graph, modules(graph)), atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(weighted_graphs(), st.floats(1e-3, 1e3))
def test_the_unit_of_the_weights(graph, unit):
    for name, measure in SCALE_FREE.items():
        np.testing.assert_allclose(measure(unit * graph), measure(graph), rtol=1e-7, atol=1e-9, err_msg=name)
    for measure in (
        paths.global_efficiency,
        topology.clustering,
        paths.local_efficiency,
        topology.transitivity,
    ):
        np.testing.assert_allclose(measure(unit * graph), unit * measure(graph), rtol=1e-9)
    np.testing.assert_allclose(paths.path_length(unit * graph), paths.path_length(graph) / unit, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(weighted_graphs())
def test_bounds(graph):
    n = len(graph)
    for weighted in (True, False):
        for measure in (paths.global_efficiency, paths.local_efficiency, topology.clustering):
            value = measure(graph, weighted)
            assert (value >= 0).all()
            assert (value <= 1 + 1e-12).all()
        through = paths.betweenness(graph, weighted)
        assert (through >= 0).all()
        assert through.max() <= (n - 1) * (n - 2) / 2 + 1e-9
    _, q = communities.louvain(graph, runs=2)
    assert not q > 1
    if graph.any():
        assert q >= -1e-12  # one module for all is always open
        assert q >= communities.modularity(graph, modules(graph)) - 1e-9
    spread = communities.participation(graph, modules(graph))
    assert (spread >= -1e-12).all()
    assert (spread <= 1 - 1 / 3 + 1e-12).all()
    phi = topology.rich_club(graph, np.arange(n))
    assert ((phi >= 0) & (phi <= 1 + 1e-12) | np.isnan(phi)).all()
    mixing = topology.assortativity(graph)
    assert np.isnan(mixing) or -1 - 1e-9 <= mixing <= 1 + 1e-9


@settings(max_examples=20, deadline=None)
@given(weighted_graphs(), st.integers(0, 10**6))
def test_an_added_edge_never_lowers_efficiency(graph, seed):
    i, j = np.random.default_rng(seed).choice(len(graph), 2, replace=False)
    more = graph.copy()
    more[i, j] = more[j, i] = graph[i, j] + 0.5
    assert paths.global_efficiency(more) >= paths.global_efficiency(graph) - 1e-12


@settings(max_examples=20, deadline=None)
@given(weighted_graphs())
def test_unit_weights_make_weighted_measures_binary(graph):
    unit = (graph > 0).astype(float)
    for measure in (paths.global_efficiency, paths.local_efficiency, paths.betweenness, topology.clustering):
        np.testing.assert_allclose(measure(unit), measure(graph, weighted=False), atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(weighted_graphs())
def test_an_attack_takes_the_highest_ranked_survivor(graph):
    for attack, rank in (("strength", topology.strength), ("betweenness", paths.betweenness)):
        once = resilience.attack_order(graph, attack)
        assert (np.diff(rank(graph)[once]) <= 0).all()
        anew = resilience.attack_order(graph, attack, recomputed=True, fraction=0.5)
        assert sorted(anew) == list(range(len(graph)))
        for removed in range(len(graph) // 2):
            left = np.setdiff1d(np.arange(len(graph)), anew[:removed])
            ranks = rank(graph[np.ix_(left, left)])
            assert ranks[left == anew[removed]] >= ranks.max() - 1e-9


@settings(max_examples=20, deadline=None)
@given(weighted_graphs())
def test_betweenness_sums_to_the_inner_nodes_of_shortest_paths(graph):
    # each connected pair at hop distance d contributes d - 1 inner nodes
    hops = paths.distances(graph, weighted=False)
    inner = np.where(np.isfinite(hops) & (hops > 0), hops - 1, 0).sum() / 2
    np.testing.assert_allclose(paths.betweenness(graph, weighted=False).sum(), inner, atol=1e-9)


def test_stacks_give_what_single_matrices_give():
    rng = np.random.default_rng(0)
    stack = rng.random((5, 12, 12))
    stack = threshold(stack + stack.transpose(0, 2, 1), density=0.4)
    for measure in (
        paths.global_efficiency, paths.path_length, topology.clustering, topology.transitivity,
        topology.assortativity, topology.eigenvector_centrality, paths.largest_component,
        lambda g: communities.modularity(g, np.arange(12) % 3),
        lambda g: communities.participation(g, np.arange(12) % 3),
        lambda g: communities.within_module_z(g, np.arange(12) % 3),
        lambda g: topology.rich_club(g, np.array([1, 4])),
        lambda g: resilience.loss_without(g, np.arange(12) < 3),
    ):  # fmt: skip
        np.testing.assert_allclose(measure(stack), [measure(one) for one in stack], rtol=1e-12)


@pytest.mark.parametrize("n", [3, 7, 20])
def test_complete_graph(n):
    graph = 0.25 * (1 - np.eye(n))
    assert paths.global_efficiency(graph) == pytest.approx(0.25)
    assert paths.path_length(graph) == pytest.approx(4.0)
    assert topology.clustering(graph) == pytest.approx(np.full(n, 0.25))
    assert topology.transitivity(graph, weighted=False) == pytest.approx(1.0)
    assert paths.betweenness(graph) == pytest.approx(np.zeros(n))
    assert topology.rich_club(graph, n - 2) == pytest.approx(1.0)
    assert communities.louvain(graph)[1] == pytest.approx(0.0, abs=1e-12)
    assert resilience.resilience(graph) == pytest.approx(1.0)
    assert resilience.vulnerability(graph) == pytest.approx(np.zeros(n))


@pytest.mark.parametrize("n", [6, 10, 11])
def test_ring(n):
    graph = nx.to_numpy_array(nx.cycle_graph(n))
    far = np.minimum(np.arange(1, n), n - np.arange(1, n))
    assert paths.path_length(graph) == pytest.approx(far.mean())
    assert paths.global_efficiency(graph) == pytest.approx((1 / far).mean())
    through = (n - 2) ** 2 / 8 if n % 2 == 0 else (n - 1) * (n - 3) / 8
    assert paths.betweenness(graph) == pytest.approx(np.full(n, through))
    assert topology.clustering(graph).max() == 0
    assert np.isnan(topology.assortativity(graph))


@pytest.mark.parametrize("n", [5, 12])
def test_star(n):
    graph = nx.to_numpy_array(nx.star_graph(n - 1))
    hub = np.arange(n) == 0
    assert paths.global_efficiency(graph) == pytest.approx((n + 2) / (2 * n))
    assert paths.path_length(graph) == pytest.approx(2 - 2 / n)
    assert paths.betweenness(graph)[0] == pytest.approx((n - 1) * (n - 2) / 2)
    assert topology.assortativity(graph) == pytest.approx(-1.0)
    centre, leaf = topology.eigenvector_centrality(graph)[:2]
    assert centre / leaf == pytest.approx(np.sqrt(n - 1))
    assert resilience.loss_without(graph, hub) == pytest.approx(1.0)
    assert resilience.vulnerability(graph)[0] == pytest.approx(1.0)
    targeted = resilience.resilience(graph)
    removed = n // 2
    assert targeted == pytest.approx(0.5 / removed)  # all is lost with the first node
    assert targeted < resilience.resilience(graph, "random", seed=1)


@pytest.mark.parametrize("cliques", [2, 5])
def test_separate_cliques_are_found_as_modules(cliques):
    graph = np.kron(np.eye(cliques), 1 - np.eye(6))
    codes, q = communities.louvain(graph)
    assert q == pytest.approx(1 - 1 / cliques)
    np.testing.assert_array_equal(codes, np.repeat(np.arange(cliques), 6))
    assert communities.participation(graph, codes).max() == 0
    assert paths.largest_component(graph) == pytest.approx(1 / cliques)
    assert paths.path_length(graph) == pytest.approx(1.0)  # only connected pairs count


def test_resolution_sets_the_size_of_modules():
    graph = nx.to_numpy_array(nx.ring_of_cliques(12, 4))
    sizes = [communities.louvain(graph, gamma)[0].max() + 1 for gamma in (0.2, 1.0, 3.0)]
    assert sizes[0] < sizes[1] <= 12 <= sizes[2]


def test_even_spread_over_modules_has_participation_one_minus_one_over_m():
    graph = np.zeros((5, 5))
    graph[0, 1:] = graph[1:, 0] = 0.7
    assert communities.participation(graph, [9, 1, 2, 3, 4])[0] == pytest.approx(1 - 1 / 4)


def test_weighted_path_takes_the_strong_detour():
    graph = np.array([[0, 0.1, 1.0], [0.1, 0, 1.0], [1.0, 1.0, 0]])
    assert paths.distances(graph)[0, 1] == pytest.approx(2.0)
    assert paths.betweenness(graph) == pytest.approx([0, 0, 1])
    assert paths.betweenness(graph, weighted=False) == pytest.approx([0, 0, 0])


def test_large_sparse_graphs_take_another_search_with_the_same_result():
    graph = nx.to_numpy_array(nx.gnp_random_graph(160, 0.05, seed=1))
    graph *= np.random.default_rng(0).uniform(0.1, 1, graph.shape)
    graph = graph + graph.T
    lengths = paths.edge_lengths(graph)[None]
    paths._close(lengths)
    np.fill_diagonal(lengths[0], 0)
    np.testing.assert_allclose(paths.distances(graph), lengths[0], rtol=1e-12)


def test_an_empty_graph_has_no_efficiency_and_no_modularity():
    graph = np.zeros((6, 6))
    assert paths.global_efficiency(graph) == 0
    assert np.isnan(paths.path_length(graph))
    assert np.isnan(communities.louvain(graph)[1])
    assert np.isnan(communities.modularity(graph, np.zeros(6)))
    assert np.isnan(resilience.resilience(graph))
    assert not paths.betweenness(graph).any()


def test_spanning_tree_keeps_a_sparse_graph_connected():
    rng = np.random.default_rng(0)
    fc = np.corrcoef(rng.normal(size=(40, 60)))
    plain = threshold(fc, density=0.06)
    backed = threshold(np.abs(fc), density=0.06, backbone=True)
    assert paths.largest_component(plain) < 1
    assert paths.largest_component(backed) == 1
    assert edge_density(backed) == pytest.approx(0.06, abs=1 / 780)
    tree = nx.maximum_spanning_tree(nx.from_numpy_array(as_graph(np.abs(fc))))
    assert all(backed[i, j] > 0 for i, j in tree.edges)
    strict = threshold(np.abs(fc), cutoff=0.99, backbone=True)
    assert np.count_nonzero(strict) == 2 * 39


@settings(max_examples=20, deadline=None)
@given(weighted_graphs(), st.floats(0.05, 1.0))
def test_proportional_threshold_keeps_the_strongest(graph, density):
    n = len(graph)
    kept = threshold(graph, density=density)
    wanted = np.floor(density * n * (n - 1) / 2 + 0.5)
    assert np.count_nonzero(kept) / 2 == min(wanted, np.count_nonzero(graph) / 2)
    lost = graph[(graph > 0) & (kept == 0)]
    if lost.size and kept.any():
        assert lost.max() <= kept[kept > 0].min()


def test_negatives_are_dropped_taken_by_size_or_refused():
    fc = np.array([[1, -0.5, 0.2], [-0.5, 1, 0.1], [0.2, 0.1, 1]])
    assert as_graph(fc)[0, 1] == 0
    assert as_graph(fc, "absolute")[0, 1] == 0.5
    assert not np.diag(as_graph(fc)).any()
    with pytest.raises(UserError, match=r"\[0, 1\] = -0.5 is negative"):
        as_graph(fc, "error")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: as_graph(np.ones((3, 4))), r"shape \(3, 4\)"),
        (lambda: as_graph(np.array([[0, np.nan], [np.nan, 0]])), r"\[0, 1\] is nan"),
        (lambda: as_graph(np.array([[0, 1.0], [0.5, 0]])), "symmetrise first"),
        (lambda: as_graph(np.eye(3), "keep"), "accepted: zero, absolute, error"),
        (lambda: threshold(np.eye(3), density=0.2, cutoff=0.1), "not both"),
        (lambda: threshold(np.eye(3), density=15), r"in \(0, 1\]"),
        (lambda: communities.modularity(np.ones((3, 3)), [0, 1]), "3 regions"),
        (lambda: resilience.attack_order(np.ones((3, 3)), "strenght"), "did you mean strength"),
        (lambda: topology.hub_mask(np.ones((3, 3)), [5]), r"0\.\.2"),
        (lambda: topology.hub_mask(np.ones((3, 3)), np.zeros(3, dtype=bool)), "0 of 3"),
        (lambda: resilience.attack_curve(np.ones((3, 3)), np.array([0, 1, 1])), "permutation"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(UserError, match=message):
        call()
