"""A scenario end to end on a small brain: health, a passing exposure, resuming, what a result says."""

import json
from dataclasses import replace

import numpy as np
import pytest

from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.core.scenario import Course, Event, Scenario
from synsys.core.schema import load, save, validate
from synsys.data.embedded import load_embedded
from synsys.scales import trajectory as module
from synsys.scales.time_tree import dense_times
from synsys.scales.trajectory import trajectory

SMALL = ("L.rostralmiddlefrontal", "L.precuneus", "L.insula", "L.thalamus", "L.hippocampus", "L.caudate")
STRESS = Scenario(
    "stress", "A day of stress.", 3.0,
    (Event("stress", Perturbation("chronic_stress", 1.0, "+"), Course("constant", 0.5, 1.5)),),
    report=(0.0, 0.5, 1.5, 3.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Connectome:
    return load_embedded().part(SMALL)


@pytest.fixture(scope="module")
def stressed(small):
    return trajectory(STRESS, small, draws=2, jobs=1)


def test_without_events_a_year_is_health_to_the_last_bit(small):
    tree = trajectory(Scenario("nothing", "", 365.0, report=(0.0, 365.0)), small, draws=2, jobs=1)
    value, form = tree["slow"]["value"], tree["slow"]["form"].values
    assert (value.values == np.where(form == "fold", 1.0, 0.0)).all()
    both = tree["trajectory"]["value"]
    np.testing.assert_array_equal(both.sel(state="reference"), both.sel(state="perturbed"))


def test_a_result_is_whole_and_survives_its_file(stressed, tmp_path):
    validate(stressed)
    again = load(save(stressed, tmp_path / "t.nc"))
    np.testing.assert_array_equal(again["slow"]["value"], stressed["slow"]["value"])
    assert json.loads(again.attrs["scenario"])["name"] == "stress"


def test_nothing_moves_before_the_exposure_and_cortisol_follows_it(stressed):
    slow = stressed["slow"]["value"]
    before = slow.sel(time_dense=slice(0, 0.4999))
    assert (before == before.isel(time_dense=0)).all()
    cortisol = slow.sel(variable="cortisol").median("draw")
    assert cortisol.sel(time_dense=1.4, method="nearest") > 0.05
    assert cortisol.isel(time_dense=-1) < cortisol.max()


def test_the_exposure_never_counts_as_a_result(stressed):
    assert "chronic_stress" not in stressed["leadlag"]["item"].values


def test_feedback_is_told_and_can_be_switched_off(stressed, small):
    told = json.loads(stressed.attrs["recursion"])
    assert set(told["on"]) == set(told["off"])
    off = trajectory(replace(STRESS, recursive=False), small, draws=2, jobs=1)
    assert json.loads(off.attrs["recursion"]) == {}
    assert json.loads(off.attrs["convergence"])["fast_solutions"] == [0, 0]


def test_finished_draws_are_not_run_again(small, tmp_path, monkeypatch):
    first = trajectory(STRESS, small, draws=2, jobs=1, resume=tmp_path)
    monkeypatch.setattr(module, "_solved", None)  # a draw that is run now fails
    again = trajectory(STRESS, small, draws=2, jobs=1, resume=tmp_path)
    np.testing.assert_array_equal(again["trajectory"]["value"], first["trajectory"]["value"])
    with pytest.raises(TypeError):
        trajectory(STRESS, small, draws=2, seed=1, jobs=1, resume=tmp_path)


def test_processes_do_not_change_a_number(stressed, small):
    two = trajectory(STRESS, small, draws=2, jobs=2)
    np.testing.assert_array_equal(two["slow"]["value"], stressed["slow"]["value"])


def test_what_cannot_be_run_is_refused_first(small):
    nowhere = Event("x", Perturbation("bdnf", 0.8, where="R.insula"))
    with pytest.raises(UserError, match="no region for insula"):
        trajectory(replace(STRESS, events=(nowhere,)), small, draws=2)
    celled = Event("x", Perturbation("bdnf", 0.8, cell="PV"))
    with pytest.raises(UserError, match="one pool per region"):
        trajectory(replace(STRESS, events=(celled,)), small, draws=2)
    with pytest.raises(UserError, match="draws = 0"):
        trajectory(STRESS, small, draws=0)


def test_dense_times_hold_both_sides_of_every_jump():
    times = dense_times(STRESS)
    for jump in (0.5, 1.5):
        assert jump in times
        assert ((times < jump) & (times > jump - 1e-6)).any()
    assert (np.diff(times) > 0).all()
    assert times[0] == 0
    assert times[-1] == 3.0
