"""Hierarchical fits of single trials recover what made them; the account is the one of predictive coding."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from synsys.mind.corollary_discharge import Account, promised, relative_precision
from synsys.mind.single_trials import fit, log_predictive, trials


def simulated(rng: np.random.Generator, people: int = 60, noise: float = 5.0):
    """People with tone -5, motor 1 and suppression 2 uV, each with an sd of 1 uV between people."""
    account = Account("own", "own")
    condition, trial = np.repeat([1, 2, 3], 100), np.tile(np.arange(1, 101), 3)
    x = account.design(condition, trial)
    own = rng.normal([-5.0, 1.0, 2.0], 1.0, (people, 3))
    y = own @ x.T + noise * rng.standard_normal((people, len(x)))
    return x, own, y


def test_a_fit_recovers_population_and_people():
    x, own, y = simulated(np.random.default_rng(0), 300)
    found = fit(trials([x] * 300, list(y)))
    error = np.sqrt(np.diagonal(found.mean_covariance(trials([x] * 300, list(y)))[0]))
    assert (np.abs(found.mean[0] - [-5, 1, 2]) < 3.5 * error).all()
    assert np.sqrt(np.diagonal(found.covariance)) == pytest.approx([1, 1, 1], rel=0.2)
    assert np.sqrt(found.noise).mean() == pytest.approx(5.0, rel=0.02)
    inside = np.abs(found.own - own) < 1.96 * np.sqrt(np.diagonal(found.own_covariance, axis1=1, axis2=2))
    assert inside.mean() == pytest.approx(0.95, abs=0.03)


def test_densities_are_those_of_the_normal_distribution():
    x, _, y = simulated(np.random.default_rng(1), 4)
    first, second = slice(0, None, 2), slice(1, None, 2)
    found = fit(trials([x[first]] * 4, list(y[:, first])))
    scored = log_predictive(found, trials([x[second]] * 4, list(y[:, second])))
    total = 0.0
    for k in range(4):
        cover = x[second] @ found.own_covariance[k] @ x[second].T + found.noise[k] * np.eye(len(x[second]))
        exact = multivariate_normal(x[second] @ found.own[k], cover).logpdf(y[k, second])
        assert scored[k] == pytest.approx(exact)
        cover = x[first] @ found.covariance @ x[first].T + found.noise[k] * np.eye(len(x[first]))
        total += multivariate_normal(x[first] @ found.mean[0], cover).logpdf(y[k, first])
    assert found.log_likelihood == pytest.approx(total)


def test_held_out_trials_prefer_the_account_that_made_them():
    x, _, y = simulated(np.random.default_rng(2))
    condition, trial = np.repeat([1, 2, 3], 100), np.tile(np.arange(1, 101), 3)
    first, second = slice(0, None, 2), slice(1, None, 2)
    scores = {}
    for account in (Account("none"), Account("own", "own")):
        x = account.design(condition, trial)
        found = fit(trials([x[first]] * 60, list(y[:, first])))
        scores[account.name] = log_predictive(found, trials([x[second]] * 60, list(y[:, second]))).sum()
    assert scores["own"] > scores["none"] + 20


def test_the_promise_is_the_posterior_of_one_cause():
    assert promised(np.array([1e-9, 0.5, 1.0, 1e9])) == pytest.approx([0, 1 / 3, 1 / 2, 1], abs=1e-6)
    assert relative_precision(promised(np.array([0.2, 3.0]))) == pytest.approx([0.2, 3.0])


def test_a_learned_promise_begins_with_a_surprise_and_ends_known():
    condition, trial = np.ones(400), np.arange(1, 401)
    x = Account("learned", "own", rate=0.1).design(condition, trial)
    known = Account("own", "own").design(condition, trial)
    assert x[0, 2] == 0.0
    assert x[-1] == pytest.approx(known[-1])
    assert (np.diff(x[:, 2]) >= 0).all()


def test_tones_of_ones_own_press_are_answered_less_in_public_data(dev_data):
    """Ford et al. 2014 (Schizophr Bull 40:804): N100 suppression in people without a diagnosis."""
    table = pd.read_csv(dev_data / "data" / "erp_corollary_discharge_dev" / "single_trial_amplitudes.csv.gz")
    table["y"] = table[["Fz_N100", "FCz_N100", "Cz_N100"]].mean(axis=1)
    table = table[(table.group == 0) & table.y.notna()]
    account = Account("own", "own")
    parts = [part for _, part in table.groupby("subject")]
    data = trials(
        [account.design(p.condition.to_numpy(), p.trial.to_numpy()) for p in parts],
        [p.y.to_numpy() for p in parts],
    )
    found = fit(data)
    error = np.sqrt(found.mean_covariance(data)[0, 2, 2])
    assert found.mean[0, 2] > 2 * error
