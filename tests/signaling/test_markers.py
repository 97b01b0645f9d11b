"""A peripheral marker tells less about the brain than about itself."""

import numpy as np
import pytest

from synsys.core.errors import UserError
from synsys.knowledge.load import vocabulary
from synsys.knowledge.markers import markers
from synsys.signaling.markers import read_marker

PEOPLE = 40_000
ERROR = 4.5 / np.sqrt(PEOPLE)
"""Largest error of a correlation that chance should leave."""


def healthy(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The node in standard deviations, and as the vocabulary has it."""
    row, z = markers()[name], rng.standard_normal(PEOPLE)
    return z, np.exp(row.sd * z) if vocabulary()[row.node].multiplies else row.sd * z


@pytest.mark.parametrize("name", sorted(markers()))
def test_repeats_agree_as_reliably_and_follow_the_brain_as_weakly_as_published(name):
    row, rng = markers()[name], np.random.default_rng(1)
    z, state = healthy(name, rng)
    readings = read_marker(name, state, rng, repeats=2)
    assert readings.shape == (PEOPLE, 2)
    assert readings.mean(0) == pytest.approx([0, 0], abs=ERROR)
    assert readings.std(0) == pytest.approx([1, 1], abs=ERROR)
    assert np.corrcoef(readings.T)[0, 1] == pytest.approx(row.reliability, abs=ERROR)
    assert np.corrcoef(z, readings[:, 0])[0, 1] == pytest.approx(row.validity, abs=ERROR)


def test_a_group_difference_in_the_brain_shrinks_in_blood_by_the_validity():
    """And the mean of ever more samples does not restore it: what is peripheral stays."""
    row, rng = markers()["bdnf_serum"], np.random.default_rng(2)
    _, state = healthy("bdnf_serum", rng)
    lower = state * np.exp(-row.sd)
    controls, patients = (read_marker("bdnf_serum", s, rng, repeats=100) for s in (state, lower))
    assert (controls - patients)[:, 0].mean() == pytest.approx(row.validity, abs=2 * ERROR)
    averaged = (controls.mean(1).mean() - patients.mean(1).mean()) / controls.mean(1).std()
    assert averaged == pytest.approx(row.correlation, abs=0.03)


def test_no_marker_is_a_window():
    """Of the variance of a brain quantity, one reading explains less than half, for each marker."""
    assert all(0 < row.validity**2 < 0.5 for row in markers().values())


def test_three_readings_of_il6_reach_a_reliability_of_three_quarters():
    """Navarro et al. 2012: three measures of IL-6 are needed for 0.75."""
    rng = np.random.default_rng(3)
    _, state = healthy("il6_plasma", rng)
    x = read_marker("il6_plasma", state, rng, repeats=6)
    first, second = x[:, :3].mean(1), x[:, 3:].mean(1)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.75, abs=0.03)


def test_what_cannot_be_measured_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(UserError, match="did you mean bdnf_serum"):
        read_marker("bdnf_serums", 1.0, rng)
    with pytest.raises(UserError, match="bdnf is relative to health"):
        read_marker("bdnf_serum", [1.0, 0.0], rng)
    with pytest.raises(UserError, match="at least 1"):
        read_marker("il6_plasma", 0.0, rng, repeats=0)
