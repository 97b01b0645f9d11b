"""Set shifting: closed forms of the sorting test, and what the circuit sets."""

import numpy as np
import pytest

from synsys.core.perturbation import Perturbation
from synsys.mind.tasks import set_shifting
from synsys.mind.tasks.set_shifting import CARDS, RULES, control, sorting


def test_a_perfect_sorter():
    """One unavoidable error at each change, then a guess between two rules: closed form."""
    scores = sorting(1.0, 1.0, 50.0, 0.0)
    cards = 10 + 2 / 3 * 1.5 + 5 * (10 + 1.5)
    assert scores["categories_completed"] == 6
    assert scores["perseverative_errors"] == pytest.approx(100 * 5 / cards, rel=0.01)
    assert scores["set_shift_accuracy"] == pytest.approx((0.5 + 4) / 5, abs=0.01)


@pytest.mark.parametrize(
    "numbers", [(0.0, 0.0, 3.0, 0.05), (0.8, 0.7, 0.0, 0.05), (0.8, 0.7, 3.0, 1.0)],
    ids=["no learning", "no consistency", "nothing held"],
)  # fmt: skip
def test_chance(numbers):
    """Ten right sorts in a row by luck: at most (CARDS - 9) / 3^10 times on average."""
    scores = sorting(*numbers)
    assert scores["categories_completed"] <= 5 * (CARDS - 9) / RULES**10 + 0.02


def test_without_learning_from_errors_the_rule_stays():
    scores = sorting(punishment=0.0, leak=0.0)
    assert scores["perseverative_errors"] > 60
    assert scores["categories_completed"] == pytest.approx(1.0, abs=0.7)


def test_perseveration_falls_as_errors_teach_more():
    scores = [sorting(punishment=p) for p in (0.2, 0.4, 0.6, 0.8, 1.0)]
    assert (np.diff([s["perseverative_errors"] for s in scores]) < 0).all()
    assert (np.diff([s["set_shift_accuracy"] for s in scores]) > 0).all()


def test_healthy_people_sort_as_people(healthy, atlas):
    """Intact performance: under 15 % perseverative errors (a clinical cut-off), six categories."""
    scores = set_shifting.run(healthy.state, atlas)
    assert 5.0 < scores["perseverative_errors"] < 15.0
    assert scores["categories_completed"] > 5.9
    same = healthy.perturbed([Perturbation("d2_density", 1.0)], sized=False)
    assert set_shifting.run(same, atlas) == scores


def test_blocked_d2_receptors_hear_no_errors(healthy, atlas):
    """Then nothing that was wrong closes the gate: r > 0, p = 0."""
    state = healthy.perturbed([Perturbation("d2_occupancy", 1.0, "+")], sized=False)
    reward, punishment, _, _ = control(state, atlas)
    assert punishment == 0.0
    assert reward > 0.0


def test_the_striatum_reaches_prefrontal_cortex_with_a_positive_sign(healthy, atlas):
    """Direct pathway: two inhibitions in a row excite (Alexander, DeLong & Strick 1986)."""
    assert (set_shifting._measured(healthy.state, atlas) > 0).all()
