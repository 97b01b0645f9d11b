"""Communities over time: the search finds the best partition, switches are told, nulls hold their level."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.core.errors import UserError
from synsys.measures.communities import louvain, modularity
from synsys.measures.fc_dynamics import windowed_fc
from synsys.measures.surrogates import phase_randomised
from synsys.measures.switching import (
    flexibility,
    multilayer_louvain,
    multilayer_modularity,
    null_layers,
    switching_rate,
    switching_test,
)


def noisy(seed: int, layers: int = 4, n: int = 5) -> np.ndarray:
    a = np.random.default_rng(seed).random((layers, n, n)) ** 3
    a = a + a.transpose(0, 2, 1)
    a[:, np.arange(n), np.arange(n)] = 0
    return a


def planted(sides: np.ndarray, inside: float = 1.0, outside: float = 0.1, seed: int = 0) -> np.ndarray:
    """Layers of blocks after planted communities (T, N), with some noise."""
    same = sides[:, :, None] == sides[:, None, :]
    return np.where(same, inside, outside) * (0.8 + 0.1 * noisy(seed, *sides.shape))


def supra(layers: np.ndarray, omega: float) -> np.ndarray:
    """One matrix of all region-layers."""
    t, n, _ = layers.shape
    out = np.zeros((t * n, t * n))
    for s in range(t):
        out[s * n : (s + 1) * n, s * n : (s + 1) * n] = layers[s]
        for r in (s - 1, s + 1):
            if 0 <= r < t:
                out[s * n : (s + 1) * n, r * n : (r + 1) * n] = omega * np.eye(n)
    return out


def partitions(n: int) -> np.ndarray:
    """All partitions of n things, as restricted growth strings."""
    out = [[0]]
    for _ in range(n - 1):
        out = [[*row, k] for row in out for k in range(max(row) + 2)]
    return np.array(out)


def test_quality_is_that_of_the_equation_written_out():
    layers, omega, gamma = noisy(3), 0.4, 1.3
    codes = np.random.default_rng(1).integers(0, 3, (4, 5))
    whole, total = supra(layers, omega), 0.0
    for s in range(4):
        k = layers[s].sum(0)
        for i in range(5):
            for j in range(5):
                expected = gamma * k[i] * k[j] / k.sum()
                total += (layers[s, i, j] - expected) * (codes[s, i] == codes[s, j])
            for r in (s - 1, s + 1):
                if 0 <= r < 4:
                    total += omega * (codes[s, i] == codes[r, i])
    assert multilayer_modularity(layers, codes, gamma, omega) == pytest.approx(total / whole.sum())


@pytest.mark.parametrize("omega", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_search_finds_the_best_of_all_partitions(seed, omega):
    """Two layers of four regions: 4140 partitions."""
    layers = noisy(seed, 2, 4)
    best = max(multilayer_modularity(layers, codes.reshape(2, 4), 1.0, omega) for codes in partitions(8))
    codes, q = multilayer_louvain(layers, omega=omega, seed=seed)
    assert q == pytest.approx(best)
    assert q == pytest.approx(multilayer_modularity(layers, codes, 1.0, omega))


def test_without_ties_each_layer_is_on_its_own():
    layers = noisy(5, 3, 12)
    codes, q = multilayer_louvain(layers, omega=0.0, runs=10)
    alone = [louvain(layer)[1] for layer in layers]
    weights = layers.sum((1, 2))
    assert q == pytest.approx((np.array(alone) * weights).sum() / weights.sum(), rel=1e-6)
    assert modularity(layers[1], codes[1]) == pytest.approx(alone[1], rel=1e-6)


def test_strong_ties_hold_everyone_in_place():
    codes, _ = multilayer_louvain(noisy(6, 5, 10), omega=100.0)
    assert (codes == codes[0]).all()
    assert (flexibility(codes) == 0).all()


def test_a_planted_switch_is_told_of_the_region_that_switched():
    sides = np.tile(np.repeat([0, 1, 2], 4), (8, 1))
    sides[3:, 5] = 2
    sides[1::2, 0] = 1
    codes, _ = multilayer_louvain(planted(sides), omega=0.1)
    expected = np.zeros(12)
    expected[5], expected[0] = 1 / 7, 1.0
    np.testing.assert_allclose(flexibility(codes), expected)
    np.testing.assert_allclose(switching_rate(codes, 20.0), expected / 20)


def test_flexibility_counts_changes():
    codes = np.array([[0, 0, 0], [0, 1, 1], [0, 1, 0], [0, 1, 1]])
    np.testing.assert_allclose(flexibility(codes), [0, 1 / 3, 1])


def test_nulls_keep_what_they_say():
    layers = noisy(2, 5, 6)
    nodal, temporal = null_layers(layers, "nodal", 1), null_layers(layers, "temporal", 1)
    for before, after in zip(layers, nodal, strict=True):
        np.testing.assert_allclose(np.linalg.eigvalsh(after), np.linalg.eigvalsh(before), atol=1e-12)
    assert sorted(layer.sum() for layer in temporal) == sorted(layer.sum() for layer in layers)
    assert not np.allclose(temporal, layers)


def test_lasting_communities_are_steadier_than_either_null():
    sides = np.tile(np.repeat([0, 1], 5), (6, 1))
    sides[3:, 4] = 1
    layers = planted(sides, outside=0.3)
    found = switching_test(layers, "nodal", omega=0.1, runs=1, count=19)
    assert found.flexibility.p == pytest.approx(0.1)
    assert found.flexibility.value < found.flexibility.mean
    assert found.modularity.value > found.modularity.mean
    sides = np.repeat([[0] * 5 + [1] * 5, [0, 1] * 5], 3, axis=0)
    found = switching_test(planted(sides), "temporal", omega=0.1, runs=1, count=19)
    assert found.flexibility.value < found.flexibility.mean
    assert found.regions.p.shape == (10,)


@pytest.mark.parametrize("null", ["temporal", "nodal"])
def test_layers_in_no_order_are_rejected_as_often_as_said(null):
    """Independent layers of exchangeable regions: both nulls are true of them."""
    p = [
        switching_test(noisy(k, 4, 5), null, omega=0.3, runs=1, count=9, seed=k).flexibility.p
        for k in range(100)
    ]
    assert np.mean(np.array(p) <= 0.2) < 0.2 + 4 * np.sqrt(0.2 * 0.8 / 100)


def test_windows_that_overlap_need_null_signals():
    """The order of windows that share data is told from chance though the signals are stationary."""
    apart, renewed = [], []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(6, 160))
        layers, *nulls = (
            np.clip(windowed_fc(y, 1.0, 40.0, 5.0), 0, None)
            for y in (x, *(phase_randomised(x, rng) for _ in range(9)))
        )
        apart.append(switching_test(layers, "temporal", omega=0.1, runs=1, count=9).flexibility.p)
        renewed.append(switching_test(layers, np.array(nulls), omega=0.1, runs=1).flexibility.p)
    false = np.mean(np.array(renewed) <= 0.2)
    assert false < 0.2 + 3 * np.sqrt(0.16 / 16)
    assert np.mean(np.array(apart) <= 0.2) > false + 0.3


def test_null_layers_of_ones_own_take_part():
    layers = noisy(1, 4, 6)
    found = switching_test(layers, np.array([noisy(k, 4, 6) for k in range(2, 21)]), omega=0.2, runs=1)
    assert found.regions.mean.shape == (6,)
    assert 2 / 20 <= found.modularity.p <= 1
    with pytest.raises(UserError, match="null layers"):
        switching_test(layers, np.zeros((3, 4, 5, 5)))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100))
def test_quality_knows_no_unit_no_names_and_no_arrow_of_time(seed, scale):
    layers = noisy(seed, 3, 5)
    rng = np.random.default_rng(seed)
    codes, order = rng.integers(0, 3, (3, 5)), rng.permutation(5)
    q = multilayer_modularity(layers, codes, 1.1, 0.3)
    assert multilayer_modularity(scale * layers, codes, 1.1, scale * 0.3) == pytest.approx(q)
    named = layers[:, order][:, :, order]
    assert multilayer_modularity(named, codes[:, order], 1.1, 0.3) == pytest.approx(q)
    assert multilayer_modularity(layers[::-1], codes[::-1], 1.1, 0.3) == pytest.approx(q)
    np.testing.assert_array_equal(flexibility(codes[::-1]), flexibility(codes))
    np.testing.assert_array_equal(flexibility(codes[:, order]), flexibility(codes)[order])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: multilayer_louvain(noisy(0)[0]), "(T, N, N)"),
        (lambda: multilayer_louvain(-noisy(0)), "layer 0 has weights that are negative"),
        (lambda: multilayer_louvain(np.triu(noisy(0))), "symmetric"),
        (lambda: multilayer_louvain(noisy(0), omega=-1.0), "omega -1.0"),
        (lambda: multilayer_modularity(noisy(0), np.zeros((4, 4))), "layers need (4, 5)"),
        (lambda: flexibility(np.zeros((1, 4))), "at least two layers"),
        (lambda: switching_rate(np.zeros((3, 4)), 0.0), "step 0.0 s"),
        (lambda: null_layers(noisy(0), "node"), "did you mean nodal"),
    ],
)
def test_errors_name_the_culprit(call, says):
    with pytest.raises(UserError) as error:
        call()
    assert says in str(error.value)
