"""The tables of graph measures, and published values of healthy connectivity."""

import numpy as np
import pandas as pd
import pytest

from synsys.core.errors import UserError
from synsys.measures import graph as g
from synsys.measures import paths, resilience, topology
from synsys.measures.spatial import connectivity_means, effect_by_distance
from synsys.measures.threshold import as_graph, edge_density


def read(path) -> np.ndarray:
    return pd.read_csv(path, header=None).to_numpy(float)


@pytest.fixture(scope="module")
def fc() -> np.ndarray:
    """Correlations of 40 regions in four networks."""
    rng = np.random.default_rng(7)
    return np.corrcoef(
        rng.normal(size=(40, 30)) + np.kron(np.eye(4), np.ones((10, 1))) @ rng.normal(size=(4, 30))
    )


@pytest.fixture(scope="module")
def networks() -> np.ndarray:
    return np.repeat(["Vis", "SomMot", "Limbic", "Default"], 10)


@pytest.fixture(scope="module")
def profile(fc, networks) -> pd.DataFrame:
    return g.graph_profile(fc, networks, density=0.15, nulls=8, seed=1)


def test_every_metric_has_rule_density_and_null(profile):
    assert list(profile.index) == list(g.DEFINITIONS)
    assert profile["value"].notna().all()
    assert profile["density"].iloc[0] == pytest.approx(0.15, abs=1e-3)
    assert (profile["rule"] == "proportional 0.15; negatives: zero; weights as given").all()
    kept = {"hub_strength"} | set(profile.index[profile["null_sd"] == 0])
    assert set(profile.index[profile["z"].isna()]) <= kept | {"largest_component", "rich_club"}
    scored = profile.drop(index=list(kept))
    z = (scored["value"] - scored["null_mean"]) / scored["null_sd"]
    np.testing.assert_allclose(z, scored["z"], rtol=1e-9)


def test_vocabulary_names_are_covered(dev_data):
    vocabulary = set(pd.read_csv(dev_data / "claims" / "vocabulary.csv")["name"])
    named = {
        "global_efficiency", "modularity", "small_worldness", "network_integration", "hub_centrality",
        "hub_vulnerability", "rich_club", "network_resilience", "network_vulnerability",
    }  # fmt: skip
    assert named <= vocabulary
    assert named <= set(g.DEFINITIONS)


def test_a_modular_brain_stands_out_from_its_nulls(profile):
    assert profile.loc["modularity", "z"] > 5
    assert profile.loc["clustering", "z"] > 2
    assert profile.loc["network_integration", "z"] < -2
    assert profile.loc["small_worldness", "value"] > 1
    assert profile.loc["small_worldness", "null_mean"] == pytest.approx(1, abs=0.05)


def test_batch_equals_profile(fc, networks, profile):
    stack = np.array([fc, np.tanh(1.1 * np.arctanh(fc * (1 - np.eye(40))))])
    hubs = topology.hub_mask(g.prepare(fc, density=0.15))
    batch = g.graph_metrics(stack, networks, hubs, density=0.15, level=5, deep=True, profile=profile)
    single = g.graph_profile(fc, networks, hubs, density=0.15, level=5, nulls=2)
    alone = set(single.index) - {"small_worldness", "rich_club"}  # these depend on which nulls
    for name in set(batch.columns) & alone:
        assert batch.loc[0, name] == pytest.approx(single.loc[name, "value"], abs=1e-12), name
    assert {*g.QUICK, *g.DEEP, "small_worldness", "rich_club"} == set(batch.columns)
    assert batch.loc[0, "small_worldness"] == pytest.approx(profile.loc["small_worldness", "value"])
    assert batch.loc[1, "global_efficiency"] > batch.loc[0, "global_efficiency"]


def test_same_seed_same_table(fc):
    first, second = (g.graph_profile(fc, density=0.2, nulls=3, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_binary_profile_ignores_weights(fc, networks):
    first = g.graph_profile(fc, networks, [0, 11], density=0.15, weighted=False, nulls=2)
    second = g.graph_profile(fc**3, networks, [0, 11], density=0.15, weighted=False, nulls=2)
    np.testing.assert_array_equal(first["value"], second["value"])
    assert first["rule"].iloc[0].endswith("binary")


def test_scale_divides_the_weights(fc):
    largest = as_graph(fc).max()
    named, number = (g.prepare(fc, density=0.2, scale=scale) for scale in ("max", float(largest)))
    np.testing.assert_array_equal(named, number)
    assert named.max() == 1
    with pytest.raises(UserError, match="scale"):
        g.prepare(fc, scale="mean")


def test_sweep_follows_the_same_hubs_over_densities(fc, networks):
    sweep = g.density_sweep(fc, (0.1, 0.2, 0.3), partition=networks, nulls=2)
    wide = sweep.pivot(index="asked", columns="metric", values="value")
    assert (wide["global_efficiency"].diff().dropna() > 0).all()  # more edges, shorter paths
    np.testing.assert_allclose(sweep["asked"], sweep["density"], atol=2e-3)
    strongest = topology.hub_mask(as_graph(fc))
    kept = g.prepare(fc, density=0.3)
    assert wide.loc[0.3, "hub_strength"] == pytest.approx(kept.sum(0)[strongest].mean())


def test_node_table(fc, networks):
    labels = [f"region {i}" for i in range(40)]
    table = g.node_profile(fc, networks, labels, density=0.2)
    assert list(table.index) == labels
    assert table["betweenness"].between(0, 1).all()
    assert table.notna().all(axis=None)
    assert table["degree"].sum() == np.count_nonzero(g.prepare(fc, density=0.2))


def test_the_correlation_null_asks_more_of_small_worldness(fc, networks, profile):
    strict = g.graph_profile(fc, networks, density=0.15, null="correlation", nulls=8, seed=1)
    assert strict.loc["clustering", "null_mean"] > profile.loc["clustering", "null_mean"]
    assert strict.loc["small_worldness", "value"] < profile.loc["small_worldness", "value"]
    assert strict.loc["modularity", "z"] > 5
    assert np.isfinite(strict.loc["hub_strength", "z"])


def test_one_matrix_is_asked_for(fc):
    with pytest.raises(UserError, match="graph_metrics"):
        g.graph_profile(np.array([fc, fc]))


def test_hub_attack_costs_more_than_random_attack_in_the_healthy_connectome(dev_data):
    """NW-04, on both weighted and binary readings of the DK-82 connectome (Albert et al. 2000)."""
    sc = np.expm1(np.maximum(read(dev_data / "data" / "maps_dk82" / "sc_enigma_82_log.csv"), 0))
    for weighted in (True, False):
        areas = {
            attack: resilience.resilience(as_graph(sc), attack, weighted=weighted, repeats=50)
            for attack in resilience.ATTACKS
        }
        assert areas["strength"] < areas["random"] - 0.02
        assert areas["betweenness"] < areas["random"] - 0.02
    hubs = topology.hub_mask(as_graph(sc))
    rng = np.random.default_rng(0)
    losses = [resilience.loss_without(as_graph(sc), rng.permutation(hubs)) for _ in range(200)]
    assert (resilience.loss_without(as_graph(sc), hubs) > np.array(losses)).mean() > 0.95


def test_published_values_of_healthy_structural_connectivity(dev_data):
    """Target B14: Schaefer-100 consensus connectome, binary; measured values, +-20 %."""
    sc = read(dev_data / "data" / "maps_schaefer100" / "sc_hansen_100.csv")
    found = g.graph_profile(sc, weighted=False, null="degree", nulls=10)
    value = found["value"]
    assert float(edge_density(as_graph(sc))) == pytest.approx(0.23, rel=0.05)
    assert value["clustering"] == pytest.approx(0.50, rel=0.02)
    assert value["path_length"] == pytest.approx(1.88, rel=0.02)
    assert value["modularity"] == pytest.approx(0.33, rel=0.05)
    assert value["global_efficiency"] == pytest.approx(0.60, rel=0.02)
    assert value["small_worldness"] == pytest.approx(1.8, rel=0.1)
    chance = g.graph_profile(sc, weighted=False, null="random", nulls=10)
    assert chance.loc["small_worldness", "value"] == pytest.approx(2.0, rel=0.1)


def test_published_values_of_healthy_functional_connectivity(dev_data):
    """Target B14: group FC at 15 % density, binary; measured values, +-20 %."""
    fc = read(dev_data / "data" / "maps_schaefer100" / "fc_hansen_100.csv")
    value = g.graph_profile(fc, density=0.15, weighted=False, nulls=2)["value"]
    assert value["clustering"] == pytest.approx(0.55, rel=0.05)
    assert value["global_efficiency"] == pytest.approx(0.43, rel=0.05)
    assert value["modularity"] == pytest.approx(0.43, rel=0.1)


def test_fc_means_split_by_network_and_distance(networks):
    fc = np.where(networks[:, None] == networks, 0.5, 0.1)
    distance = np.abs(np.subtract.outer(np.arange(40.0), np.arange(40.0)))
    means = connectivity_means(fc * (1 - np.eye(40)), networks, distance, split=9).iloc[0]
    assert means["within_network_fc"] == pytest.approx(np.arctanh(0.5))
    assert means["between_network_fc"] == pytest.approx(np.arctanh(0.1))
    assert means["local_fc"] > means["long_range_fc"] == pytest.approx(np.arctanh(0.1))
    some = np.where(networks == "Limbic", "", networks)
    fc[networks == "Limbic"] = fc[:, networks == "Limbic"] = -0.9
    assert connectivity_means(fc, some).iloc[0]["between_network_fc"] == pytest.approx(np.arctanh(0.1))
    with pytest.raises(UserError, match="no correlation"):
        connectivity_means(2 * fc, networks)


def test_effect_of_a_focal_lesion_over_distance():
    place = np.arange(31.0)
    distance = np.abs(np.subtract.outer(place, place))
    effect = -np.exp(-place / 5)
    profile, rho = effect_by_distance(effect, [0], distance, bins=5)
    assert rho == pytest.approx(-1)
    assert profile["regions"].tolist() == [1, 6, 6, 6, 6, 6]
    assert profile["effect"].is_monotonic_decreasing
    assert profile["relative"].iloc[0] == 1
    assert profile["effect"].iloc[1] == pytest.approx(np.exp(-np.arange(1, 7) / 5).mean())
    flat = effect_by_distance(np.ones(31), place == 0, distance)[1]
    assert np.isnan(flat)


def test_regions_out_of_reach_are_a_group_of_their_own():
    graph = np.kron(np.eye(2), 1 - np.eye(5))
    profile, _ = effect_by_distance(np.r_[np.ones(5), np.zeros(5)], [1], paths.distances(graph), bins=2)
    assert np.isinf(profile["nearest"].iloc[-1])
    assert profile["regions"].iloc[-1] == 5
    assert profile["effect"].iloc[-1] == 0
