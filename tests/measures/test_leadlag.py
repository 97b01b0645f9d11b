"""Planted courses are found again: when they move, peak, recover and turn, and which level is first."""

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.measures.leadlag import before, crossing, lead_lag, over_draws, stage_order

TIME = np.linspace(0, 10, 2001)


def found(
    courses: dict[str, np.ndarray], threshold: float = 0.1, time: np.ndarray = TIME, draws: int = 1
) -> xr.Dataset:
    """Lead and lag of courses (T,) or (draw, T) by name, all molecular."""
    values = np.stack([np.broadcast_to(c, (draws, len(time))) for c in courses.values()], axis=-1)
    names = list(courses)
    effect = xr.DataArray(
        values, {"draw": np.arange(draws), "time": time, "item": names}, ("draw", "time", "item")
    )
    return lead_lag(effect, threshold, xr.DataArray(["molecular"] * len(names), {"item": names}, ("item",)))


def test_a_ramp_crosses_exactly_where_it_should_between_samples() -> None:
    time = np.array([0.0, 1.0, 4.0, 10.0])
    assert crossing(time, time / 10, 0.25) == pytest.approx(2.5, abs=1e-12)
    assert crossing(time, -time / 10, 0.25) == pytest.approx(2.5, abs=1e-12)


def test_an_exponential_approach_crosses_after_its_analytic_latency() -> None:
    """1 - exp(-t / tau) reaches c at -tau ln(1 - c)."""
    for tau in (0.3, 1.0, 4.0):
        moved = float(found({"a": 1 - np.exp(-TIME / tau)})["moved"][0])
        assert moved == pytest.approx(-tau * math.log(0.9), abs=1e-4)


def test_a_passage_through_zero_is_no_movement_and_its_crossing_is_on_the_far_side() -> None:
    """From -0.05 to 0.2 within one sample the threshold 0.1 is passed at 3/5 of the way."""
    assert crossing(np.array([0.0, 1.0]), np.array([-0.05, 0.2]), 0.1) == pytest.approx(0.6)


def test_what_is_beyond_at_the_start_moves_at_the_start_and_what_never_moves_is_censored() -> None:
    out = found(
        {
            "there": np.full(len(TIME), 0.5),
            "still": np.full(len(TIME), 0.05),
            "none": np.full(len(TIME), np.nan),
        }
    )
    assert float(out["moved"][0]) == 0
    assert out["order"].values.tolist() == [1, 0, 0]
    assert np.isnan(out["moved"].values[1:]).all()
    assert out["share"].values[:2].tolist() == [1, 0]
    assert np.isinf(out["lo"].values[1])
    assert np.isnan(out["lo"].values[2])
    assert out["direction"].values.tolist() == [1, 0, 0]


def test_undefined_samples_are_left_out() -> None:
    course = TIME / 10
    gap = np.where((TIME > 0.5) & (TIME < 2), np.nan, course)
    assert float(found({"a": gap})["moved"][0]) == pytest.approx(1.0)


def test_recovery_from_the_peak_is_the_half_life() -> None:
    for half_life in (0.5, 2.0):
        course = np.where(TIME < 2, TIME / 2, 0.5 ** ((TIME - 2) / half_life))
        out = found({"a": -course})
        assert float(out["peak"][0]) == pytest.approx(-1)
        assert float(out["peak_time"][0]) == pytest.approx(2)
        assert float(out["recovery"][0]) == pytest.approx(half_life, abs=1e-3)
        assert float(out["half_rise"][0]) == pytest.approx(1)


def test_a_plateau_persists_and_never_recovers() -> None:
    out = found({"stays": 1 - np.exp(-TIME), "fades": np.exp(-TIME) * TIME})
    assert out["persistent"].values.tolist() == [True, False]
    assert np.isinf(out["recovery"].values[0])
    assert np.isfinite(out["recovery"].values[1])
    assert float(out["final"][0]) == pytest.approx(1 - math.exp(-10))


def test_a_course_that_turns_is_told_with_the_time_of_its_turn() -> None:
    """First down like the lesion, later up like the rescue: sin with a period of 10 turns at 5."""
    out = found({"a": -np.sin(2 * np.pi * TIME / 10), "b": -np.sin(np.pi * TIME / 10)})
    assert out["direction"].values.tolist() == [-1, -1]
    assert float(out["turned"][0]) == pytest.approx(5 + 10 / (2 * np.pi) * math.asin(0.1), abs=1e-3)
    assert np.isnan(out["turned"].values[1])


def test_draws_that_never_move_reach_into_the_interval_as_infinity() -> None:
    """Of 20 draws with latencies 1 to 18 and two that never move, the upper 5 % never move."""
    latency = np.concatenate([np.arange(1.0, 19.0), [np.inf, np.inf]])
    time = np.arange(0.0, 31.0)
    courses = np.where(time >= latency[:, None], 1.0, 0.0)
    out = found({"a": courses}, 1.0, time, draws=20)
    assert float(out["lo"][0]) <= 2
    assert np.isinf(out["hi"].values[0])
    assert float(out["share"][0]) == pytest.approx(0.9)


def test_a_planted_order_is_found_with_ties_alike() -> None:
    delays = {"c": 3.0, "a": 1.0, "b": 2.0, "b2": 2.0, "never": 20.0}
    out = found({name: np.clip(TIME - delay, 0, None) for name, delay in delays.items()})
    assert dict(zip(out["item"].values, out["order"].values, strict=True)) == {
        "a": 1,
        "b": 2,
        "b2": 2,
        "c": 4,
        "never": 0,
    }


latencies = st.lists(st.floats(0.2, 9.0), min_size=2, max_size=6, unique=True)


@settings(max_examples=30, deadline=None)
@given(latencies, st.floats(0.3, 3.0), st.randoms())
def test_order_survives_a_monotone_change_of_time_and_a_permutation_of_names(delays, power, random) -> None:
    """Any increasing clock gives the same order; names in another sequence the same rows."""
    names = [f"n{i}" for i in range(len(delays))]
    courses = {name: np.clip((TIME - delay) / 5, 0, None) for name, delay in zip(names, delays, strict=True)}
    plain = found(courses)
    np.testing.assert_array_equal(found(courses, time=TIME**power)["order"], plain["order"])
    shuffled = random.sample(names, len(names))
    xr.testing.assert_equal(found({n: courses[n] for n in shuffled}).sel(item=names), plain)


@settings(max_examples=30, deadline=None)
@given(latencies, st.floats(0.05, 20.0), st.booleans())
def test_a_change_of_unit_or_sign_moves_nothing_in_time(delays, unit, mirrored) -> None:
    factor = -unit if mirrored else unit
    courses = {f"n{i}": np.tanh(np.clip(TIME - delay, 0, None)) for i, delay in enumerate(delays)}
    plain, scaled = found(courses), found({n: factor * c for n, c in courses.items()}, 0.1 * unit)
    for name in ("moved", "half_rise", "peak_time", "recovery", "order"):
        np.testing.assert_allclose(scaled[name], plain[name], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(scaled["direction"], np.sign(factor) * plain["direction"])


times = st.lists(st.one_of(st.floats(0, 5), st.just(np.inf)), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(times, times, st.integers(1, 3))
def test_before_and_after_add_up_and_numbers_of_quantities_do_not_count(first, second, copies) -> None:
    a, b = np.array([first]), np.array([second])
    p = before(a, b)
    if np.isnan(p[0]):
        assert not np.isfinite([*first, *second]).any()
        return
    assert p[0] + before(b, a)[0] == pytest.approx(1)
    assert before(np.tile(a, copies), b)[0] == pytest.approx(p[0])


def test_what_never_moves_is_later_than_what_does() -> None:
    assert before(np.array([[3.0]]), np.array([[np.inf]]))[0] == 1


def planted(order: np.ndarray) -> tuple[xr.DataArray, xr.DataArray]:
    """Times (draw, level) of molecule, synapse, circuit, network, symptom, two quantities each."""
    levels = ["molecular", "synaptic", "circuit", "network", "symptom"]
    names = [f"{level}{k}" for level in levels for k in (0, 1)]
    moved = xr.DataArray(
        np.repeat(order, 2, axis=1) + np.tile([0.0, 0.01], 5), {"draw": np.arange(len(order)), "item": names},
        ("draw", "item"),
    )  # fmt: skip
    return moved, xr.DataArray(np.repeat(levels, 2).astype(object), {"item": names}, ("item",))


def test_a_planted_cascade_from_molecule_to_symptom_is_told_with_exact_certainty() -> None:
    """All of n draws in one order: p = 2 / 2^n, and the exact 90 % interval begins at 0.05^(1/n)."""
    n = 8
    table = stage_order(*planted(np.tile(np.arange(5.0), (n, 1))))
    assert len(table) == 10
    assert (table["p"] == 1).all()
    assert (table["pairs"] == 1).all()
    np.testing.assert_allclose(table["p_value"], 2 / 2**n)
    np.testing.assert_allclose(table["lo"], 0.05 ** (1 / n))


def test_an_order_that_half_of_the_draws_turn_round_is_not_told() -> None:
    order = np.tile(np.arange(5.0), (8, 1))
    order[::2] = order[::2, ::-1]
    table = stage_order(*planted(order))
    assert (table["p"] == 0.5).all()
    assert (table["p_value"] == 1).all()


def test_levels_that_move_together_have_no_order() -> None:
    table = stage_order(*planted(np.zeros((8, 5))))
    assert (table["draws"] == 0).all()
    assert table["p"].isna().all()
    np.testing.assert_allclose(table["pairs"], 0.5)


def test_quantiles_over_draws_are_those_of_the_defined_draws() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((9, 4, 3))
    values[rng.uniform(size=values.shape) < 0.3] = np.nan
    values[:, 0, 0] = np.nan
    out = over_draws(values, (0.05, 0.5, 0.95))
    assert np.isnan(out[:, 0, 0]).all()
    for j, k in [(0, 1), (1, 2), (3, 0)]:
        known = values[:, j, k][np.isfinite(values[:, j, k])]
        np.testing.assert_allclose(out[:, j, k], np.quantile(known, (0.05, 0.5, 0.95)))
