"""A planted split into shared and specific parts is found again (SD-05)."""

import numpy as np
import pytest

from synsys.mind.shared import interval, split


def planted(shared: float, specific: float, noise: float, seed: int, common_noise: float = 0.0) -> np.ndarray:
    """Effects of 7 disorders in 20 draws on 400 symptoms."""
    rng = np.random.default_rng(seed)
    m = np.sqrt(shared) * rng.standard_normal(400) + np.sqrt(specific) * rng.standard_normal((7, 1, 400))
    draws = common_noise * rng.standard_normal((1, 20, 400))
    return m + draws + np.sqrt(noise) * rng.standard_normal((7, 20, 400))


@pytest.mark.parametrize(("shared", "specific"), [(1.0, 0.0), (0.0, 1.0), (0.7, 0.3), (0.2, 2.0)])
@pytest.mark.parametrize("common_noise", [0.0, 2.0])
def test_a_planted_split_is_found_whatever_the_noise_of_draws(shared, specific, common_noise) -> None:
    """Noise that all disorders share in a draw is not taken for what they have in common."""
    found = [split(planted(shared, specific, 3.0, seed, common_noise)) for seed in range(8)]
    for name, value in (("shared", shared), ("specific", specific)):
        estimate = np.array([getattr(f, name) for f in found])
        assert estimate.mean() == pytest.approx(value, abs=4 * estimate.std(ddof=1) / np.sqrt(8) + 0.02)
        assert estimate.std(ddof=1) < 0.25


def test_draws_in_which_a_disorder_is_unknown_are_left_out() -> None:
    x = planted(0.7, 0.3, 3.0, 0)
    gone = np.random.default_rng(1).random(x.shape[:2]) < 0.4
    found = split(np.where(gone[..., None], np.nan, x))
    assert found.shared == pytest.approx(split(x).shared, abs=0.1)
    assert found.specific == pytest.approx(split(x).specific, abs=0.2)


def test_a_weight_counts_draws_and_pairs_none_with_itself() -> None:
    x = planted(0.7, 0.3, 3.0, 0)
    kept = np.arange(20) % 3 > 0
    weighted, cut = split(x, kept.astype(float)), split(x[:, kept])
    assert (weighted.shared, weighted.specific) == pytest.approx((cut.shared, cut.specific))
    twice = split(x, np.full(20, 2.0))
    assert (twice.shared, twice.specific) == pytest.approx((split(x).shared, split(x).specific))


def test_the_interval_holds_what_was_planted_and_narrows_with_draws() -> None:
    """90 % intervals in twenty data sets, under noise that disorders have in common."""
    width, held = [], []
    for seed in range(20):
        x = planted(0.6, 0.4, 6.0, seed, 2.0)[..., :100]
        m = planted(0.6, 0.4, 0.0, seed)[..., :100]  # the same effects without noise
        (low, high), few = interval(x, 100, seed), interval(x[:, :6], 100, seed)
        truth = split(m).share
        held.append(low <= truth <= high)
        width.append((high - low, few[1] - few[0]))
    assert sum(held) >= 14
    assert np.mean(width, 0)[0] < 0.7 * np.mean(width, 0)[1]


def test_noise_is_that_of_draws() -> None:
    assert split(planted(0.5, 0.5, 3.0, 0)).noise == pytest.approx(3.0, rel=0.05)


def test_similarity_of_a_disorder_with_itself_is_one_and_with_its_mirror_minus_one() -> None:
    x = planted(1.0, 0.0, 0.01, 0)[:2]
    found = split(np.stack([x[0], x[1], -x[0]])).similarity
    assert np.diag(found) == pytest.approx(1.0)
    assert found[0, 2] == pytest.approx(-1.0)
    assert found[0, 1] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("bad", [np.zeros((1, 5, 3)), np.zeros((3, 1, 3)), np.full((2, 2, 2), np.nan)])
def test_too_little_is_refused(bad) -> None:
    with pytest.raises(ValueError, match="needed"):
        split(bad)
