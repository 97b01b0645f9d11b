"""Tables of trials: what is read, what is refused and how."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.core.errors import UserError
from synsys.mind.models import models
from synsys.mind.scan import log_likelihood
from synsys.mind.trials import NONE, trials_from

Q = models()["q_dual_sticky"]


def table(**columns):
    base = {"subject": ["a", "a", "b"], "choice": [0, 2, 1], "outcome": [1, 0, 1]}
    return pd.DataFrame(base | columns)


def test_people_keep_their_order_and_their_own_number_of_trials():
    trials = trials_from(table(), Q)
    assert trials.subjects == ("a", "b")
    np.testing.assert_array_equal(trials.length, [2, 1])
    np.testing.assert_array_equal(trials.columns["choice"][0], [0, 2])
    np.testing.assert_array_equal(trials.begins, [[True, False], [True, False]])


def test_trials_written_as_a_table_are_read_again():
    given = table(choice=[np.nan, 2, 1], block=[1, 2, 1])
    once = trials_from(given, Q)
    again = trials_from(once.frame(), Q)
    assert again.subjects == once.subjects
    np.testing.assert_array_equal(again.begins, once.begins)
    for name in Q.columns:
        np.testing.assert_array_equal(again.columns[name], once.columns[name])


def test_blocks_begin_where_their_name_changes():
    trials = trials_from(table(block=["x", "y", "y"]), Q)
    np.testing.assert_array_equal(trials.begins, [[True, True], [True, False]])


def test_missing_choices_are_kept_and_missing_outcomes_dropped():
    trials = trials_from(table(choice=[np.nan, 2, 1], outcome=[1, 0, 1]), Q)
    assert trials.columns["choice"][0, 0] == NONE
    np.testing.assert_array_equal(trials.counted(Q), [1, 1])
    trials = trials_from(table(outcome=[1, np.nan, 1]), Q)
    np.testing.assert_array_equal(trials.length, [1, 1])


def test_a_table_that_counts_from_1():
    zero = trials_from(table(), Q)
    one = trials_from(table(choice=[1, 3, 2]), Q, base=1)
    np.testing.assert_array_equal(zero.columns["choice"], one.columns["choice"])


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"choice": [0, 3, 1]}, r"choice is 3; accepted are whole numbers from 0 to 2.*--base 1"),
        ({"choice": [0, 0.5, 1]}, "choice is 0.5"),
        ({"choice": ["0", "left", "1"]}, r"choice is 'left' in row 3, not a number"),
        ({"outcome": [np.nan, np.nan, 1]}, "no complete trial of a"),
    ],
)
def test_what_cannot_be_is_refused_by_name(columns, told):
    with pytest.raises(UserError, match=told):
        trials_from(table(**columns), Q)


@pytest.mark.parametrize(
    ("name", "columns", "told"),
    [
        ("ehgf", {"choice": [0, 1, 1], "outcome": [1, 2, 1]}, "outcome is 2; accepted are 0, 1"),
        ("ehgf", {"choice": [0, 1, 1], "interval": [1, -1, 1]}, "interval is -1"),
        ("rlwm", {"stimulus": 0, "set_size": 0, "reward": 1}, "set_size is 0; it must lie from 1 to 6"),
        ("rlwm", {"stimulus": 0, "set_size": 2, "reward": 100}, "reward is 100"),
        ("rlwm", {"stimulus": -1, "set_size": 2, "reward": 1}, "stimulus is -1"),
        ("two_step", {"choice1": 1, "choice2": 1, "state2": 1, "reward": 1}, "add 2 x state2"),
    ],
)
def test_what_a_model_cannot_read_is_refused(name, columns, told):
    with pytest.raises(UserError, match=told):
        trials_from(table(**columns), models()[name])


def test_counting_from_1_is_not_believed_where_a_0_stands():
    with pytest.raises(UserError, match="choice is 0, but options are said to be counted from 1"):
        trials_from(table(), Q, base=1)


def test_columns_that_are_named_must_be_there_and_blocks_can_be_switched_off():
    with pytest.raises(UserError, match="subjct"):
        trials_from(table(), Q, subject="subjct")
    with pytest.raises(UserError, match="blok"):
        trials_from(table(), Q, block="blok")
    whole = trials_from(table(block=[1, 2, 1]), Q, block="")
    assert whole.begins.sum() == 2  # the first trial of each person
    with pytest.raises(UserError, match="no choice of b"):
        trials_from(table(choice=[0, 1, -1]), Q)
    with pytest.raises(UserError, match="two columns are called 'choice'"):
        trials_from(pd.concat([table(), table()[["choice"]]], axis=1), Q)


def test_a_missing_column_names_what_it_should_hold_and_what_there_is():
    with pytest.raises(UserError, match=r"no column 'outcome'.*reward.*subject, choice"):
        trials_from(table().drop(columns="outcome"), Q)
    with pytest.raises(UserError, match="outcme"):
        trials_from(table(), Q, rename={"outcme": "reward"})
    with pytest.raises(UserError, match="no trials"):
        trials_from(table().iloc[:0], Q)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_interleaving_people_changes_nothing(data):
    """The likelihood of people does not depend on how their rows lie between each other."""
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    people = [
        pd.DataFrame({"subject": s, "choice": rng.integers(0, 3, 12), "outcome": rng.integers(0, 2, 12)})
        for s in "ab"
    ]
    order = data.draw(st.permutations([0] * 12 + [1] * 12))
    taken = [0, 0]
    rows = []
    for who in order:
        rows.append(people[who].iloc[taken[who]])
        taken[who] += 1
    mixed = trials_from(pd.DataFrame(rows), Q)
    plain = trials_from(pd.concat(people), Q)
    theta = np.tile(Q.prior[0], (2, 1, 1))
    a = dict(zip(mixed.subjects, log_likelihood(Q, mixed, theta)[:, 0], strict=True))
    b = dict(zip(plain.subjects, log_likelihood(Q, plain, theta)[:, 0], strict=True))
    assert a == b
