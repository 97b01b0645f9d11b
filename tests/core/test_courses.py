"""Courses, events and scenarios: levels, where they jump, what they add up to."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.core.dosing import Dosing
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.core.scenario import DAYS, SHAPES, Course, Event, Scenario, age_text, span

COURSES = [
    Course(),
    Course("constant", 2, 9),
    Course("constant", 2, 9, rise=1, fall=2),
    Course("pulse", 1, 4),
    Course("ramp", 1, 4),
    Course("daily", 0.5, 6.25, hours=8, at=3),
    Course("daily", 1, 5, hours=6, rise=1 / 24, fall=2 / 24),
    Course("kinetics", 1, dosing=Dosing((1.0, 2.0, 3.0), (1.0, 1.0, 3.0), 0.6, absorption=9.0, ec50=0.4)),
    Course("kinetics", 1, dosing=Dosing((1.0,), (1.0,), 8.0, infusion=40 / 1440)),
    Course("kinetics", 1, dosing=Dosing((1.0, 1.5), (1.0, 1.0), 8.0, ec50=0.2)),
]
NAMES = [f"{course.shape}-{i}" for i, course in enumerate(COURSES)]


@pytest.mark.parametrize("course", COURSES, ids=NAMES)
def test_levels_stay_between_nothing_and_everything(course):
    level = course.level(np.linspace(-2, 12, 4001))
    assert level.min() >= 0
    assert level.max() <= 1
    assert (level[:500] == 0).all() or course == Course()


@pytest.mark.parametrize("course", COURSES, ids=NAMES)
def test_between_breakpoints_nothing_jumps(course):
    """Level and slope change gradually on every piece: a solver that lands on the ends meets no surprise."""
    corners = course.breakpoints(0.0, 10.0)
    edges = np.unique([0.0, *corners, 10.0])
    for a, b in pairwise(edges):
        t = np.linspace(a, b, 2001)[1:-1]
        level = course.level(t)
        fine = np.abs(np.diff(level, 2)).max()
        coarse = np.abs(np.diff(level[::2], 2)).max()
        assert fine <= 0.4 * coarse + 1e-12, (a, b)  # a kink keeps half, a jump all of its size


@pytest.mark.parametrize("course", COURSES, ids=NAMES)
def test_every_breakpoint_is_one(course):
    """Just before and after a breakpoint, value or slope differ (a dose that rises smoothly: its slope)."""
    for t in course.breakpoints(0.01, 9.9):
        h = 1e-6
        left = [float(course.level(t - 2 * h)), float(course.level(t - h)), float(course.level(t, left=True))]
        right = [float(course.level(t)), float(course.level(t + h)), float(course.level(t + 2 * h))]
        bend = (right[1] - right[0]) - (left[2] - left[1])
        curve = (right[2] - 2 * right[1] + right[0]) - (left[2] - 2 * left[1] + left[0])
        jump = right[0] - left[2]
        assert max(abs(jump), abs(bend) / h, abs(curve) / h**2) > 1e-3, t


@pytest.mark.parametrize("course", COURSES, ids=NAMES)
def test_the_two_sides_agree_away_from_breakpoints(course):
    t = np.linspace(0.003, 9.7, 977)
    t = t[~np.isin(t, course.breakpoints(0.0, 10.0))]
    assert course.level(t, left=True) == pytest.approx(course.level(t), abs=1e-12)


def test_a_constant_course_is_on_at_its_start_and_off_at_its_end():
    course = Course("constant", 2, 9)
    assert course.level([2.0, 9.0]).tolist() == [1.0, 0.0]
    assert course.level([2.0, 9.0], left=True).tolist() == [0.0, 1.0]
    assert Course().level(1e6) == 1.0


def test_a_daily_course_has_its_hours_every_day():
    course = Course("daily", 1, 4, hours=6, at=9)
    assert course.level(1 + np.array([8.9, 9.1, 14.9, 15.1, 24 + 9.1]) / 24).tolist() == [0, 1, 1, 0, 1]
    t = (np.arange(1, 4, 1 / 288)) + 1e-6
    assert course.level(t).mean() == pytest.approx(6 / 24, abs=1e-12)
    assert course.breakpoints(0, 10) == pytest.approx([1.375, 1.625, 2.375, 2.625, 3.375, 3.625])


def test_means_of_the_smooth_shapes():
    """sin^2 and the straight ramp have mean 1/2; so has a smooth edge."""
    t = np.linspace(0, 1, 100_001)
    for course in (Course("pulse", 0, 1), Course("ramp", 0, 1), Course("constant", 0, rise=1.0)):
        assert course.level(t).mean() == pytest.approx(0.5, abs=1e-5)
    assert Course("pulse", 0, 1).level(0.5) == 1.0
    assert Course("ramp", 0, 1).level(99.0) == 1.0


def test_kinetics_level_is_the_occupancy():
    dosing = Dosing((1.0,), (1.0,), 0.6, ec50=0.25)
    assert Course("kinetics", 1, dosing=dosing).level(1.0) == pytest.approx(1 / 1.25)


def test_an_event_moves_logarithms_or_values():
    """Half the level of a factor 4 is a factor 2; half of an increment is half of it."""
    half = Course("ramp", 0, 2)
    assert Event("a", Perturbation("bdnf", 4.0), half).move(1.0) == pytest.approx(np.log(2))
    assert Event("b", Perturbation("il6", 3.0, "+"), half).move(1.0) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Course("pluse"), "unknown shape 'pluse'; did you mean pulse?"),
        (lambda: Course("constant", 3, 3), "does not last"),
        (lambda: Course("pulse", 3), "needs an end"),
        (lambda: Course("kinetics", 3), "need doses"),
        (lambda: Course("ramp", 0, 3, rise=1), "own edges"),
        (lambda: Course("constant", 0, 3, rise=2, fall=2), "do not fit"),
        (lambda: Course("daily", 0, 3, hours=20, at=8), "within a day"),
        (lambda: Course("constant", float("nan"), 3), "does not last"),
    ],
)
def test_courses_without_meaning_are_refused(make, text):
    with pytest.raises(UserError) as error:
        make()
    assert text in str(error.value)


def test_a_scenario_lands_on_everything_that_happens():
    scenario = Scenario(
        "s",
        "",
        10.0,
        (Event("e", Perturbation("bdnf", 0.5), Course("constant", 2, 20, rise=1)),),
        report=(0, 4),
    )
    assert scenario.breakpoints().tolist() == [0, 2, 3, 4, 10]
    assert np.isnan(scenario.age_at(3.0))
    assert Scenario("s", "", 365.25, age=14.0).age_at([0, 365.25]).tolist() == [14, 15]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"duration": 0.0}, "duration"),
        ({"duration": float("inf")}, "duration"),
        ({"development": True}, "needs an age"),
        ({"age": -0.8}, "before conception"),
        ({"age": 119.99}, "at most 120"),
        ({"report": (11.0,)}, "lies outside"),
        ({"report": (3.0, 2.0)}, "ascend"),
        ({"pruning": "senescence"}, "pruning window"),
    ],
)
def test_scenarios_without_meaning_are_refused(change, text):
    with pytest.raises(UserError, match=text):
        Scenario(**{"name": "s", "text": "", "duration": 10.0} | change)


def test_a_description_names_every_event_once():
    scenario = Scenario(
        "s", "What it shows.", 42.0, tuple(Event(f"e{i}", Perturbation("bdnf", 0.5), course)
                                           for i, course in enumerate(COURSES)), age=-0.3
    )  # fmt: skip
    lines = scenario.describe().splitlines()
    assert lines[0] == "s: 6 wk, from age gestation 24.3 wk"
    assert [line.split(":")[0].strip() for line in lines[2:]] == [f"e{i}" for i in range(len(COURSES))]


@settings(max_examples=80, deadline=None)
@given(st.floats(1e-5, 5e4))
def test_a_duration_in_words_is_the_duration(days):
    number, unit = span(days).split()
    assert float(number) * DAYS[unit] == pytest.approx(days, rel=6e-3)


def test_ages_in_words():
    assert age_text(15) == "15 y"
    assert age_text(-20 * 7 / 365.25) == "gestation 20 wk"
    assert set(SHAPES) == {course.shape for course in COURSES}
