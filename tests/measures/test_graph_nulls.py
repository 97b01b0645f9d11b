"""Null graphs keep what they claim to keep and nothing else."""

import networkx as nx
import numpy as np
import pytest
from scipy.stats import chisquare

from synsys.core.errors import UserError
from synsys.measures import nulls, paths, topology
from synsys.measures.threshold import threshold


@pytest.fixture(scope="module")
def brainlike() -> np.ndarray:
    """A modular weighted graph with a broad strength distribution."""
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(60, 12)) + np.kron(np.eye(4), np.ones((15, 3)))
    return threshold(np.corrcoef(shared), density=0.2)


def upper(graph: np.ndarray) -> np.ndarray:
    return np.sort(graph[np.triu_indices(len(graph), 1)])


@pytest.mark.parametrize("density", [0.1, 0.45, 0.8, 1.0])
@pytest.mark.parametrize("kind", ["strength", "degree"])
def test_degrees_and_weights_are_kept_exactly(kind, density):
    rng = np.random.default_rng(1)
    graph = threshold(np.abs(np.corrcoef(rng.normal(size=(40, 10)))), density=density)
    for null in nulls.null_graphs(graph, kind, count=3, seed=2):
        np.testing.assert_array_equal(topology.degree(null), topology.degree(graph))
        np.testing.assert_array_equal(upper(null), upper(graph))
        np.testing.assert_array_equal(null, null.T)
        assert not np.diag(null).any()
        if density < 1:
            assert ((null > 0) != (graph > 0)).any()


def test_random_graphs_keep_density_and_weights_only(brainlike):
    null = nulls.null_graphs(brainlike, "random", count=1, seed=0)[0]
    np.testing.assert_array_equal(upper(null), upper(brainlike))
    assert (topology.degree(null) != topology.degree(brainlike)).any()


def test_strengths_are_kept_by_the_strength_null_only(brainlike):
    pull = np.random.default_rng(0).lognormal(0, 0.7, len(brainlike))
    graph = brainlike * np.outer(pull, pull)  # strengths that degrees do not tell
    strengths = topology.strength(graph)

    def agreement(kind: str) -> np.ndarray:
        null = topology.strength(nulls.null_graphs(graph, kind, count=10, seed=0))
        return np.array([np.corrcoef(strengths, one)[0, 1] for one in null])

    assert agreement("strength").mean() > 0.95
    assert agreement("strength").min() > 0.9
    assert agreement("degree").max() < 0.6


def test_rewiring_destroys_the_order_it_should(brainlike):
    null = nulls.null_graphs(brainlike, "degree", count=10, seed=0)
    shared = ((null > 0) & (brainlike > 0)).sum((1, 2)) / np.count_nonzero(brainlike)
    random_overlap = nulls.null_graphs(brainlike, "degree", count=1, seed=99, rewires=40)[0]
    expected = ((random_overlap > 0) & (brainlike > 0)).sum() / np.count_nonzero(brainlike)
    assert shared.mean() == pytest.approx(expected, abs=0.05)
    assert (
        topology.clustering(null, weighted=False).mean() < 0.8 * topology.clustering(brainlike, False).mean()
    )


def test_every_graph_of_the_same_degrees_is_equally_likely():
    # the 2-regular graphs on 8 named nodes: 7!/2 octagons, C(8,3) * 1 * 12 of a triangle and a
    # pentagon, C(8,4)/2 * 3 * 3 of two squares
    counts = np.array([2520, 672, 315])
    graph = nx.to_numpy_array(nx.cycle_graph(8))
    largest = [
        paths.largest_component(g) * 8 for g in nulls.null_graphs(graph, "degree", 1500, seed=4, rewires=6)
    ]
    seen = np.array([np.isclose(largest, size).sum() for size in (8, 5, 4)])
    assert seen.sum() == 1500
    assert chisquare(seen, 1500 * counts / counts.sum()).pvalue > 1e-3


def test_a_star_has_no_other_graph_of_its_degrees():
    star = nx.to_numpy_array(nx.star_graph(9))
    np.testing.assert_array_equal(nulls.rewire(star), star)


def test_same_seed_same_graphs(brainlike):
    first, second, other = (nulls.null_graphs(brainlike, count=2, seed=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()
    assert (first[0] != first[1]).any()


def test_null_zscore():
    mean, sd, z = nulls.null_zscore(5.0, np.array([1.0, 2.0, 3.0, np.nan]))
    assert (mean, sd, z) == pytest.approx((2.0, 1.0, 3.0))
    assert np.isnan(nulls.null_zscore(2.0, np.full(9, 2.0))[2])  # kept by the null: no z
    assert np.isnan(nulls.null_zscore(2.0, np.array([])))[0]


def test_small_worldness_of_a_small_world_and_of_a_random_graph():
    def sigma(topology_: nx.Graph) -> float:
        graph = nx.to_numpy_array(topology_)
        null = nulls.null_graphs(graph, "random", count=20, seed=0)
        return nulls.small_worldness(
            topology.clustering(graph).mean(),
            float(paths.path_length(graph)),
            topology.clustering(null).mean(),
            paths.path_length(null).mean(),
        )

    assert sigma(nx.watts_strogatz_graph(100, 8, 0.05, seed=1)) > 3
    by_chance = [sigma(nx.gnm_random_graph(60, 350, seed=seed)) for seed in range(12)]
    assert np.mean(by_chance) == pytest.approx(1, abs=0.06)


def test_unknown_null_is_named():
    with pytest.raises(UserError, match="did you mean strength"):
        nulls.null_graphs(np.ones((4, 4)), "strenght")


def test_null_correlations_keep_mean_and_variance():
    rng = np.random.default_rng(0)
    fc = np.corrcoef(rng.normal(size=(80, 40)) + 0.7 * rng.normal(size=40))
    pairs = np.triu_indices(80, 1)
    null = nulls.null_correlations(fc, count=30, seed=1)
    values = null[:, pairs[0], pairs[1]]
    assert values.mean() == pytest.approx(fc[pairs].mean(), abs=0.03)
    assert values.std(axis=1).mean() == pytest.approx(fc[pairs].std(), rel=0.1)
    assert np.linalg.eigvalsh(null).min() > -1e-10
    np.testing.assert_array_equal(np.diagonal(null, axis1=1, axis2=2), 1)
    with pytest.raises(UserError, match="inside"):
        nulls.null_correlations(2 * fc)


def test_correlation_alone_makes_clustered_graphs():
    """Zalesky et al. 2012: thresholded random correlations are more clustered than rewired graphs."""
    fc = np.corrcoef(np.random.default_rng(5).normal(size=(80, 20)))
    graph = (threshold(nulls.null_correlations(fc, 8), density=0.15) > 0).astype(float)
    rewired = np.array([nulls.rewire(one) for one in graph])
    assert topology.clustering(graph).mean() > 1.3 * topology.clustering(rewired).mean()
