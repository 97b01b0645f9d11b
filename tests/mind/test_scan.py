"""The compiled likelihood against the same functions in NumPy, for every model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.mind.environments import simulate
from synsys.mind.model import hot, log_softmax
from synsys.mind.models import models
from synsys.mind.scan import log_likelihood, plain, trajectory


def played(model, people=12, trials=70, seed=0):
    """People drawn from the prior, and what they did."""
    rng = np.random.default_rng(seed)
    mean, sd = model.prior
    theta = mean + sd * rng.standard_normal((people, len(mean)))
    return simulate(model, theta, rng, trials=trials), theta


@pytest.mark.parametrize("name", list(models()))
def test_compiled_equals_numpy(name):
    model = models()[name]
    trials, theta = played(model)
    total, seen = plain(model, trials, theta)
    compiled = log_likelihood(model, trials, theta[:, None])[:, 0]
    np.testing.assert_array_equal(np.isfinite(compiled), np.isfinite(total))
    fine = np.isfinite(total)
    np.testing.assert_allclose(compiled[fine], total[fine], rtol=0, atol=1e-8)
    for key, values in trajectory(model, trials, theta).items():
        np.testing.assert_allclose(values[fine], seen[key][fine], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["ehgf", "q_dual_sticky", "two_step", "rlwm"])
def test_probabilities_of_all_options_sum_to_1(name):
    """Exchanging what was chosen on one trial for each other option: their probabilities add up."""
    model = models()[name]
    trials, theta = played(model, people=6, trials=30)
    choice = model.choices[-1]
    total = 0.0
    for option in range(choice.options):
        column = trials.columns[choice.column].copy()
        column[:, -1] = option
        changed = type(trials)(
            trials.subjects, {**trials.columns, choice.column: column}, trials.length, trials.begins
        )
        last = trajectory(model, changed, theta)["log_p"][:, -1]
        if len(model.choices) > 1:  # less the probability of the first choice, which stays as it was
            column = column.copy()
            column[:, -1] = -9
            without = {**trials.columns, choice.column: column}
            alone = type(trials)(trials.subjects, without, trials.length, trials.begins)
            last = last - trajectory(model, alone, theta)["log_p"][:, -1]
        total = total + np.exp(last)
    fine = np.isfinite(total)
    assert fine.any()
    np.testing.assert_allclose(total[fine], 1.0, atol=1e-9)


def test_people_sets_and_lengths_do_not_mix():
    """A person's likelihood under a set is the same alone as among others; hidden trials add none."""
    model = models()["q_dual_sticky"]
    trials, theta = played(model, people=9, trials=50)
    sets = np.random.default_rng(1).standard_normal((9, 21, theta.shape[1]))
    whole = log_likelihood(model, trials, sets)
    for i in (0, 4, 8):
        alone = log_likelihood(model, trials.part([i]), sets[i : i + 1, 7:8])
        assert alone[0, 0] == whole[i, 7]
    hidden = np.zeros(trials.begins.shape, bool)
    hidden[:, 25:] = True
    first = trajectory(model, trials, theta)["log_p"][:, :25].sum(1)
    parted = log_likelihood(model, trials.without(model, hidden), theta[:, None])[:, 0]
    np.testing.assert_allclose(parted, first, atol=1e-9)


def test_people_side_by_side_are_as_people_one_by_one():
    """With few sets people share a vector: of different length, some in which the filter breaks down."""
    model = models()["hgf"]
    trials, theta = played(model, people=21, trials=60)
    length = np.r_[np.full(7, 60), np.arange(20, 34)]
    ragged = type(trials)(trials.subjects, trials.columns, length, trials.begins)
    theta[::5, 0] = 8.0  # a volatility at which the approximation breaks down
    together = log_likelihood(model, ragged, theta[:, None])[:, 0]
    apart = log_likelihood(model, ragged, np.repeat(theta[:, None], 64, 1))[:, 40]
    assert np.isinf(together).any()
    np.testing.assert_array_equal(together, apart)
    seen = trajectory(model, ragged, theta)["log_p"]
    np.testing.assert_array_equal(
        np.isfinite(seen).sum(1)[np.isfinite(together)], length[np.isfinite(together)]
    )


def test_a_new_block_begins_anew():
    model = models()["q_learning"]
    trials, theta = played(model, people=5, trials=40)
    begins = trials.begins.copy()
    begins[:, 20] = True
    parted = type(trials)(trials.subjects, trials.columns, trials.length, begins)
    late = {name: values[:, 20:] for name, values in trials.columns.items()}
    second = type(trials)(trials.subjects, late, trials.length - 20, begins[:, 20:])
    early = {name: values[:, :20] for name, values in trials.columns.items()}
    first = type(trials)(trials.subjects, early, trials.length - 20, begins[:, :20])
    both = sum(log_likelihood(model, t, theta[:, None]) for t in (first, second))
    np.testing.assert_allclose(log_likelihood(model, parted, theta[:, None]), both, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-300, 300), min_size=2, max_size=6))
def test_log_softmax_is_normalised_and_shift_free(values):
    x = np.array(values)
    assert np.exp(log_softmax(x)).sum() == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(log_softmax(x + 5.0), log_softmax(x), atol=1e-9)


def test_hot_marks_one_option_or_none():
    np.testing.assert_array_equal(hot(np.array([2.0, -9.0]), 3), [[0, 0], [0, 0], [1, 0]])
