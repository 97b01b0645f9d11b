"""Spun maps keep values and smoothness, and a spin test rejects as often as it says."""

import numpy as np
import pytest
from scipy.stats import kstest

from synsys.core.errors import UserError
from synsys.data.embedded import load_embedded
from synsys.measures.spatial_nulls import random_rotation, spin_p_value, spins


@pytest.fixture(scope="module")
def cortex():
    regions = load_embedded().regions
    return regions[regions.structure == "cortex"]


def smooth_maps(xyz: np.ndarray, count: int, seed: int, width: float = 35.0) -> np.ndarray:
    """Gaussian random fields over centroids with a correlation length in mm."""
    distance = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)
    root = np.linalg.cholesky(np.exp(-((distance / width) ** 2)) + 1e-6 * np.eye(len(xyz)))
    return np.random.default_rng(seed).normal(size=(count, len(xyz))) @ root.T


def test_rotations_are_uniform():
    rng = np.random.default_rng(0)
    turns = np.array([random_rotation(rng) for _ in range(3000)])
    assert np.einsum("kij,klj->kil", turns, turns) == pytest.approx(
        np.tile(np.eye(3), (3000, 1, 1)), abs=1e-12
    )
    assert np.linalg.det(turns) == pytest.approx(1)
    # a fixed axis is carried to every height with equal probability (Archimedes), from any start
    for axis in (0, 1, 2):
        assert kstest(turns[:, 2, axis], "uniform", (-1, 2)).pvalue > 1e-3


def test_every_value_is_kept_once_within_its_hemisphere(cortex):
    order = spins(cortex[["x", "y", "z"]], cortex.hemisphere, 50, seed=1, method="assign")
    assert (np.sort(order) == np.arange(68)).all()
    side = cortex.hemisphere.to_numpy()
    assert (side[order] == side).all()
    nearest = spins(cortex[["x", "y", "z"]], cortex.hemisphere, 50, seed=1, method="nearest")
    assert (side[nearest] == side).all()
    assert len(np.unique(nearest[0])) < 68


def test_hemispheres_turn_as_mirror_images(cortex):
    """On a symmetric brain both sides make the same exchange."""
    left = cortex[cortex.hemisphere == "L"][["x", "y", "z"]].to_numpy()
    both = np.concatenate([left, left * (-1, 1, 1)])
    order = spins(both, ["L"] * 34 + ["R"] * 34, 30, seed=3)
    assert (order[:, 34:] == order[:, :34] + 34).all()


def test_spins_are_reproducible_and_differ(cortex):
    a, b, c = (spins(cortex[["x", "y", "z"]], cortex.hemisphere, 20, seed=s) for s in (5, 5, 6))
    assert (a == b).all()
    assert (a != c).any()
    assert len(np.unique(a, axis=0)) == 20


def test_spins_keep_smoothness_where_shuffling_does_not(cortex):
    """Moran's I of spun maps stays near that of the map; that of shuffled maps is near -1 / (n - 1)."""
    xyz = cortex[["x", "y", "z"]].to_numpy()
    side = cortex.hemisphere.to_numpy()
    distance = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)
    near = np.exp(-distance / 20) * (side[:, None] == side) * (1 - np.eye(68))

    def moran(x):
        z = x - x.mean()
        return len(z) / near.sum() * (z @ near @ z) / (z @ z)

    fields = smooth_maps(xyz, 10, 0)
    own = np.mean([moran(field) for field in fields])
    turned = spins(xyz, side, 30, seed=2), spins(xyz, side, 30, seed=2, method="assign")
    nearest, assigned = (np.mean([moran(field[k]) for field in fields for k in order]) for order in turned)
    rng = np.random.default_rng(1)
    shuffled = np.mean([moran(rng.permutation(field)) for field in fields for _ in range(30)])
    assert shuffled == pytest.approx(-1 / 67, abs=0.02)
    assert own > 0.2
    assert nearest > 0.8 * own
    assert 0.4 * own < assigned < nearest


def test_spin_test_holds_its_level_where_shuffling_does_not(cortex):
    """Pairs of independent smooth maps on one hemisphere, nominal rate 0.05 (binomial sd 0.018)."""
    xyz = cortex[cortex.hemisphere == "L"][["x", "y", "z"]].to_numpy()
    n = len(xyz)
    order = spins(xyz, ["L"] * n, 199, seed=4)
    rng = np.random.default_rng(9)
    shuffle = np.array([rng.permutation(n) for _ in range(199)])
    a, b = smooth_maps(xyz, 150, 10, 60.0), smooth_maps(xyz, 150, 11, 60.0)
    rate = {}
    for name, null in (("spin", order), ("shuffle", shuffle)):
        p = [
            spin_p_value(abs(np.corrcoef(x, y)[0, 1]), [abs(np.corrcoef(x[k], y)[0, 1]) for k in null])
            for x, y in zip(a, b, strict=True)
        ]
        rate[name] = np.mean(np.array(p) <= 0.05)
    assert rate["shuffle"] > 0.25
    assert rate["spin"] < 0.11


def test_p_values():
    null = np.arange(99.0)
    assert spin_p_value(1000.0, null) == 0.01
    assert spin_p_value(-1000.0, null) == 1.0
    assert spin_p_value(-1000.0, null, "less") == 0.01
    assert spin_p_value(98.0, null, "two") == 0.03
    with pytest.raises(UserError, match="unknown tail"):
        spin_p_value(0.0, null, "grater")


def test_wrong_input_is_named(cortex):
    xyz = cortex[["x", "y", "z"]].to_numpy()
    with pytest.raises(UserError, match="unknown spin method 'asign'; did you mean assign"):
        spins(xyz, cortex.hemisphere, 1, method="asign")
    with pytest.raises(UserError, match="unknown hemisphere of a spun region 'B'"):
        spins(xyz, ["B"] * 68, 1)
    with pytest.raises(UserError, match="region 3 has no centroid"):
        spins(np.where(np.arange(68)[:, None] == 3, np.nan, xyz), cortex.hemisphere, 1)
    with pytest.raises(UserError, match="are needed"):
        spins(xyz[:, :2], cortex.hemisphere, 1)
