"""A trajectory is a result of its own kind: checked, stored, printed; times in units that people use."""

import math
import re
from io import StringIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from synsys.core.errors import UserError
from synsys.core.schema import (
    SchemaError,
    attribute,
    kind,
    load,
    print_result,
    save,
    summary,
    tabulate,
    validate,
)
from synsys.core.show import span
from synsys.core.show_time import Clock, age_text, lead_lag_frame, period, sized
from tests.report.trees import make_tree
from tests.report.trees_time import make_trajectory


@pytest.fixture
def tree():
    return make_trajectory(draws=3, dose=True, regions=6)


def printed(tree) -> str:
    console = Console(width=80, record=True, file=StringIO())
    print_result(tree, console)
    return console.export_text()


@pytest.mark.parametrize("options", [{}, {"flat": True}, {"age": 10.0, "duration": 3650.0, "end": 300.0}])
def test_a_trajectory_survives_the_disk(tmp_path, options) -> None:
    tree = make_trajectory(draws=3, regions=6, **options)
    again = load(save(tree, tmp_path / "t.nc"))
    assert set(again.children) == set(tree.children)
    for name in tree.children:
        kept, given_ = (t[name].to_dataset(inherit=False) for t in (again, tree))
        for variable, values in given_.variables.items():
            np.testing.assert_array_equal(kept[variable].values, values.values, err_msg=f"{name}/{variable}")
    assert dict(again.attrs) == dict(tree.attrs)
    assert attribute(again, "scenario")["duration_days"] == tree["slow"]["time_dense"].values[-1]


def test_a_result_without_a_kind_is_a_cascade(tree) -> None:
    assert kind(make_tree()) == "cascade"
    assert kind(tree) == "trajectory"
    tree.attrs["kind"] = "dance"
    with pytest.raises(SchemaError, match="dance"):
        validate(tree)


@pytest.mark.parametrize("group", ["trajectory", "slow", "slow_regions", "events", "leadlag"])
def test_a_missing_group_is_named(tree, group: str) -> None:
    del tree[group]
    with pytest.raises(SchemaError, match=f"/{group}"):
        validate(tree)


@pytest.mark.parametrize("name", ["scenario", "convergence", "recursion", "seed"])
def test_a_missing_attribute_is_named(tree, name: str) -> None:
    del tree.attrs[name]
    with pytest.raises(SchemaError, match=name):
        validate(tree)


def test_time_runs_forward(tree) -> None:
    backwards = tree["trajectory"]["time"].values[::-1]
    tree["trajectory"] = tree["trajectory"].to_dataset().assign_coords(time=backwards)
    with pytest.raises(SchemaError, match="does not increase"):
        validate(tree)


def test_groups_share_their_times_and_variables(tree) -> None:
    tree["slow_regions"] = tree["slow_regions"].to_dataset().isel(variable=slice(3))
    with pytest.raises(SchemaError, match="'variable' of /slow"):
        validate(tree)


def test_a_level_of_exposure_is_a_share(tree) -> None:
    tree["events"]["level"].values[0, 3] = 1.5
    with pytest.raises(SchemaError, match="level"):
        validate(tree)


def test_a_trajectory_that_is_not_whole_is_refused_from_disk(tree, tmp_path) -> None:
    path = save(tree, tmp_path / "t.nc")
    import h5py

    with h5py.File(path, "a") as stored:
        del stored["leadlag/moved"]
    with pytest.raises(UserError, match="moved"):
        load(path)


def test_it_prints_exposures_what_moved_first_and_what_is_left_in_80_columns(tree) -> None:
    text = printed(tree)
    assert max(map(len, text.splitlines())) <= 80
    assert "chronic stress: from the start, for 6 weeks" in text
    assert "escitalopram 10 mg a day: after 2 weeks to the end" in text
    frame = lead_lag_frame(tree)
    first = frame.index[0]
    rows = text[text.index("What moved first") :].splitlines()
    assert rows[2].split()[0] == first
    assert span(frame["moved"].iloc[0]) in rows[2]
    left = frame[frame["persistent"]]
    assert f"What is left at the end ({len(left)} quantities)" in text
    assert "Research use only" in text


def test_a_late_exposure_is_told_from_its_own_beginning() -> None:
    text = printed(make_trajectory(draws=3, begin=21.0, regions=6))
    assert "chronic stress: after 3 weeks, for 3 weeks" in text
    assert re.search(r"calcium_dysregulation +3 weeks \+ \d", text)
    assert max(map(len, text.splitlines())) <= 80


def test_health_prints_that_nothing_moves() -> None:
    text = printed(make_trajectory(draws=3, flat=True, regions=6))
    assert "None of 42 quantities moves" in text
    assert "no exposure" in text


def test_an_unstable_brain_is_named(tree) -> None:
    tree.attrs.update(stable_perturbed=0.5, unstable_reason="runaway excitation in L.insula")
    for text in (" ".join(printed(tree).split()), summary(tree)):
        assert "runaway excitation in L.insula" in text


def test_its_table_runs_in_the_order_of_movement(tree) -> None:
    table = tabulate(tree)
    assert set(table.index) == set(tree["leadlag"]["item"].values)
    moved = table["moved"].to_numpy()
    assert (np.diff(moved[np.isfinite(moved)]) >= 0).all()
    assert np.isnan(moved[(table["order"] == 0).to_numpy()]).all()


def test_the_summary_tells_the_first_movement(tree) -> None:
    text = summary(tree)
    assert lead_lag_frame(tree).index[0] in text
    assert "12 weeks long" in text


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0, "0"), (10 / 86400, "10 s"), (1 / 24, "1 h"), (59.9 / 1440, "1 h"), (0.5, "12 h"), (1, "1 day"),
        (10.5, "10 days"), (13.99, "2 weeks"), (42, "6 weeks"), (365.25, "1 year"), (7305, "20 years"),
        (-3, "−3 days"), (math.inf, "∞"), (math.nan, "–"),
    ],
)  # fmt: skip
def test_a_time_is_told_in_its_own_unit(days: float, text: str) -> None:
    assert span(days) == text


IN_DAYS = {"s": 1 / 86400, "min": 1 / 1440, "h": 1 / 24, "day": 1.0, "week": 7.0, "year": 365.25}


@given(st.floats(1e-4, 3e4))
def test_a_told_time_is_right_to_two_digits(days: float) -> None:
    size, unit = span(days).split()
    assert float(size) * IN_DAYS[unit.removesuffix("s") or "s"] == pytest.approx(days, rel=0.051)


def test_changes_are_told_in_their_measure() -> None:
    assert sized(math.log(1.5), "log ratio") == "+50 %"
    assert sized(-0.8, "d") == "d −0.80"
    assert sized(0.06, "beta 0-1") == "+0.060"
    assert sized(1e-9, "z score") == "0"
    assert period(0, 42, 84) == "from the start, for 6 weeks"
    assert period(14, math.inf, 84) == "after 2 weeks to the end"


def test_a_moment_soon_after_a_change_of_exposure_is_told_from_there() -> None:
    told = Clock((0.0, 14.0, math.inf))
    assert told.when(0) == "start"
    assert told.when(3) == "3 days"
    assert told.when(14) == "2 weeks"
    assert told.when(14 + 1 / 24) == "2 weeks + 1 h"
    assert told.when(28) == "4 weeks"
    assert told.when(math.nan) == "–"
    between = {"lo": 14 + 1 / 24, "hi": 14 + 2 / 24}
    assert told.latencies({"lo": 14 + 1 / 24, "hi": 28}) == "2 weeks to 4 weeks"
    assert told.latencies(between) == "+1 h to 2 h"
    assert told.latencies({"lo": 14 + 1 / 24, "hi": math.inf}) == "+1 h to never"


def test_ages_before_birth_are_weeks_of_gestation() -> None:
    assert age_text(-20 * 7 / 365.25) == "week 20 of gestation"
    assert age_text(0) == "birth"
    assert age_text(12.5) == "age 12.5 years"
