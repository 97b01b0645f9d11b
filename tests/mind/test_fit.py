"""Fits: calibrated intervals, evidence, groups, comparison of models, predictions."""

import numpy as np
import pytest
from scipy.stats import binom, multivariate_normal

from synsys.core.errors import UserError
from synsys.mind.ascent import climb
from synsys.mind.comparison import compare_models
from synsys.mind.environments import simulate
from synsys.mind.group import fit_group, held_out, marginal
from synsys.mind.learning import BETA, GAIN
from synsys.mind.model import Choice, Model, Parameter
from synsys.mind.models import models
from synsys.mind.posterior import Gaussian, posterior
from synsys.mind.predictive import check
from synsys.mind.recovery import confusion, people_of, recover
from synsys.mind.trials import Trials


def line() -> Model:
    """A number answered with known noise about an unknown line: its posterior is known in closed form."""
    return Model(
        "line", "line",
        (Parameter("level", "identity", 0.3, 1.5, ""), Parameter("slope", "identity", 0, 0.7, "")),
        (Choice("response", 0),), {"x": "abscissa"}, lambda p: {"n": 0.0},
        lambda k, s, t, p: np.stack([p.level + p.slope * t.x, 0.0 * p.level + np.log(0.8)]),
        lambda s, t, p: {"n": s.n + 1.0}, lambda s, t, p: {}, "",
    )  # fmt: skip


def lines(people=7, trials=12, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((people, trials))
    y = 0.5 - 0.4 * x + 0.8 * rng.standard_normal((people, trials))
    begins = np.zeros((people, trials), bool)
    return Trials(tuple("abcdefg"[:people]), {"x": x, "response": y}, np.full(people, trials), begins)


def test_linear_gaussian_posterior_and_evidence_are_exact():
    model, data = line(), lines()
    found = posterior(model, data, samples=4000)
    mean0, cov0 = np.array([0.3, 0.0]), np.diag([1.5**2, 0.7**2])
    for i in range(len(data)):
        a = np.stack([np.ones(12), data.columns["x"][i]], 1)
        y = data.columns["response"][i]
        precision = np.linalg.inv(cov0) + a.T @ a / 0.64
        mean = np.linalg.solve(precision, np.linalg.inv(cov0) @ mean0 + a.T @ y / 0.64)
        evidence = multivariate_normal(a @ mean0, a @ cov0 @ a.T + 0.64 * np.eye(12)).logpdf(y)
        np.testing.assert_allclose(found.mode[i], mean, atol=1e-5)
        np.testing.assert_allclose(found.cov[i], np.linalg.inv(precision), rtol=1e-5)
        assert found.laplace[i] == pytest.approx(evidence, abs=1e-5)
        assert found.evidence[i] == pytest.approx(evidence, abs=0.05)
        sd = np.sqrt(np.diag(np.linalg.inv(precision)))
        np.testing.assert_allclose(found.mean[i], mean, atol=0.12 * sd.max())
        np.testing.assert_allclose(found.quantile(0.95)[i], mean + 1.645 * sd, atol=0.15 * sd.max())


def test_another_prior_is_served_from_the_same_samples():
    model, data = line(), lines()
    found = posterior(model, data, samples=4000)
    other = Gaussian(np.tile([0.5, -0.2], (len(data), 1)), np.diag([0.8, 0.3]) ** 2)
    anew = posterior(model, data, other, samples=4000)
    np.testing.assert_allclose(marginal(found, other), anew.evidence, atol=0.08)


def test_a_climb_reaches_the_top_of_a_curved_ridge():
    """Rosenbrock's valley, whose top is at (1, 1)."""

    def height(x, who):
        return -((1 - x[..., 0]) ** 2) - 20 * (x[..., 1] - x[..., 0] ** 2) ** 2

    start = np.array([[[-1.0, 1.5]], [[2.0, -1.0]]])
    mode, cov, _, done = climb(height, start, np.ones(2))
    np.testing.assert_allclose(mode[:, 0], 1.0, atol=2e-3)
    assert done.all()
    exact = np.linalg.inv([[2 + 160.0, -80.0], [-80.0, 40.0]])
    np.testing.assert_allclose(cov[0, 0], exact, rtol=0.05)


@pytest.mark.parametrize("name", ["rescorla_wagner", "ehgf", "q_dual_sticky", "two_step"])
def test_intervals_of_fitted_people_are_calibrated(name):
    """Simulation-based calibration: coverage of 90 % intervals within binomial error, ranks uniform."""
    found = recover(models()[name], subjects=150, seed=3)
    low, high = binom.ppf([0.0005, 0.9995], 150, 0.9) / 150
    assert found.table["coverage"].between(low, high).all(), found.table
    assert (found.table["rank_p"] > 0.001 / len(found.table)).all(), found.table


def test_parameters_declared_identifiable_come_back():
    """r >= 0.8 in 200 people with the usual number of trials; all models are in benchmarks/recovery.py."""
    for name in ("ehgf", "q_dual_sticky"):
        table = recover(models()[name], seed=5).table
        assert (table["r"][table["declared"]] >= 0.8).all(), table


def test_a_group_difference_is_found_and_its_interval_covers():
    """A planted difference of learning rates between two groups; also one of zero."""
    model = models()["q_sticky"]
    z, truth = [], 1.0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        group = np.repeat([0.0, 1.0], 30)
        mean = np.array([-1.0, 1.3, 0.2]) + np.outer(group, [truth, 0.0, 0.0])
        theta = mean + np.array([0.5, 0.3, 0.3]) * rng.standard_normal((60, 3))
        found = fit_group(model, simulate(model, theta, rng), {"group": group}, samples=600)
        z.append((found.coefficient[1] - [truth, 0, 0]) / found.error[1])
        assert found.coefficient[1, 0] / found.error[1, 0] > 2.5
    z = np.array(z)
    assert np.abs(z).max() < 3.5
    assert 0.5 < np.sqrt((z**2).mean()) < 1.5


def test_group_estimates_are_closer_to_the_truth_than_single_ones():
    model = models()["q_dual_sticky"]
    rng = np.random.default_rng(1)
    theta = np.array([-0.5, -1.5, 1.0, 0.5]) + 0.3 * rng.standard_normal((80, 4))
    trials = simulate(model, theta, rng, trials=120)
    alone = posterior(model, trials).mean
    together = fit_group(model, trials).posterior.mean
    assert ((together - theta) ** 2).mean() < 0.6 * ((alone - theta) ** 2).mean()


def test_a_group_fit_ends_in_the_same_place_wherever_it_begins():
    """With a covariate, from the model's prior and from the fit without one."""
    model = models()["q_sticky"]
    rng = np.random.default_rng(8)
    theta = np.array([-1.0, 1.3, 0.2]) + 0.4 * rng.standard_normal((40, 3))
    trials, age = simulate(model, theta, rng, trials=150), rng.standard_normal(40)
    before = fit_group(model, trials, samples=600)
    here = fit_group(model, trials, {"age": age}, samples=600)
    there = fit_group(model, trials, {"age": age}, samples=600, near=before)
    assert before.settled
    assert here.settled
    assert there.settled
    np.testing.assert_allclose(there.coefficient, here.coefficient, atol=0.3 * here.error.max())
    np.testing.assert_allclose(there.sd, here.sd, rtol=0.15)


def test_what_the_data_do_not_bound_does_not_run_away():
    """Neglect of errors of all or none, on a logit scale: flat beyond some 4, and people differ."""
    model = models()["rl_only"]
    rng = np.random.default_rng(9)
    theta = np.tile([-2.0, 8.0, -3.0], (30, 1))
    theta[::5, 1] = -8.0
    found = fit_group(model, simulate(model, theta, rng, trials=150), samples=600)
    assert (found.sd < 3.0 * model.prior[1]).all()


def test_the_unit_of_a_covariate_does_not_matter():
    model = models()["q_sticky"]
    rng = np.random.default_rng(0)
    group = np.repeat([0.0, 1.0], 12)
    theta = np.array([-1.0, 1.3, 0.2]) + np.outer(group, [1.0, 0.0, 0.0]) + 0.3 * rng.standard_normal((24, 3))
    trials = simulate(model, theta, rng, trials=120)
    one, other = (fit_group(model, trials, {"x": unit * group}, samples=400) for unit in (1.0, 0.01))
    np.testing.assert_allclose(other.coefficient[1], 100 * one.coefficient[1], rtol=1e-6)
    np.testing.assert_allclose(other.error[1], 100 * one.error[1], rtol=1e-6)


def test_trials_that_no_parameters_explain_are_refused_by_name():
    model = models()["ehgf"]
    data, _ = people_of(model, 4, np.random.default_rng(0), trials=30)
    data.columns["outcome"][2, 3] = 1e300
    with pytest.raises(UserError, match="the trials of s0002 are impossible"):
        posterior(model, data)


def test_people_left_out_are_predicted_by_the_others():
    """People of the model are predicted better by it than by one without what they have in common."""
    rng = np.random.default_rng(3)
    theta = np.array([-0.5, 1.2, 1.5]) + 0.3 * rng.standard_normal((24, 3))
    trials = simulate(models()["q_sticky"], theta, rng, trials=120)
    with_, without = (
        held_out(models()[n], trials, folds=3, samples=300).sum() for n in ("q_sticky", "q_learning")
    )
    assert with_ > without + 50


def test_covariates_that_say_nothing_are_refused():
    model, data = line(), lines()
    with pytest.raises(UserError, match="for everybody"):
        fit_group(model, data, {"age": np.ones(7)})
    with pytest.raises(UserError, match="missing for 1"):
        fit_group(model, data, {"age": np.r_[np.nan, np.arange(6)]})
    with pytest.raises(UserError, match="told apart"):
        fit_group(model, data, {"a": np.arange(7.0), "b": 2 * np.arange(7.0)})


def test_comparison_of_equal_models_finds_nothing_and_of_unequal_ones_finds_the_better():
    rng = np.random.default_rng(0)
    noise = 0.3 * rng.standard_normal((40, 3))
    same = compare_models(noise)
    assert same.omnibus > 0.8
    np.testing.assert_allclose(same.protected, 1 / 3, atol=0.12)
    better = compare_models(noise + np.array([3.0, 0.0, 0.0]))
    assert better.omnibus < 1e-3
    assert better.protected[0] > 0.99
    assert better.frequency.sum() == pytest.approx(1.0)
    two = compare_models(np.array([[5.0, 0.0]] * 12 + [[0.0, 5.0]] * 4))
    np.testing.assert_allclose(two.alpha, [13, 5], atol=0.3)  # near-certain attributions are counts


def test_a_model_is_recognised_among_others():
    known = [models()[n] for n in ("q_learning", "q_dual_sticky")]
    table = confusion(known, subjects=40, seed=2)
    np.testing.assert_allclose(table.sum(axis=1), 1.0)
    assert (np.diag(table) > 0.7).all(), table


def test_models_that_read_fewer_columns_are_compared_too():
    """One module alone does not read the set size; people simulated with it still have one."""
    table = confusion([models()[n] for n in ("rl_only", "rlwm")], subjects=10, trials=100, seed=1)
    np.testing.assert_allclose(table.sum(axis=1), 1.0)


def test_predictions_fit_the_model_that_made_the_choices_and_not_another():
    model = models()["q_dual_sticky"]
    rng = np.random.default_rng(4)
    theta = np.array([0.0, -1.0, 1.3, 2.0]) + 0.2 * rng.standard_normal((60, 4))
    trials = simulate(model, theta, rng)
    right = check(model, trials, theta)
    assert abs(right["z_log_p"].mean()) < 4 / np.sqrt(60)
    assert 0.7 < right["z_repeats"].std() < 1.3
    wrong = models()["q_dual"]
    fitted = check(wrong, trials, posterior(wrong, trials, samples=400).mean)
    assert fitted["z_repeats"].mean() > 2  # stickiness is missed
    assert fitted["z_lose_stay"].mean() > 1.5
    assert abs(right["z_win_stay"].mean()) < 4 / np.sqrt(60)


def test_people_of_a_model_are_within_its_domain():
    played, theta = people_of(models()["ehgf"], 40, np.random.default_rng(0))
    assert len(played) == 40
    assert theta.shape == (40, 3)


def test_names_of_priors():
    """Parameters map to their fitted scale and back, and refuse what lies outside."""
    for parameter, value in ((GAIN, 0.3), (BETA, 4.0)):
        assert parameter.native(parameter.fitted(value)) == pytest.approx(value)
    with pytest.raises(UserError, match="between 0 and 1"):
        GAIN.fitted(1.2)
