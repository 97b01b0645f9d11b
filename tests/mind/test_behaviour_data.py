"""Facts of public data that fits must reproduce (development halves; skipped where they are absent)."""

import numpy as np
import pandas as pd
import pytest

from synsys.mind.comparison import compare_models
from synsys.mind.models import models
from synsys.mind.posterior import posterior
from synsys.mind.predictive import check
from synsys.mind.trials import trials_from


@pytest.fixture(scope="module")
def memory(dev_data):
    """Trials of Collins et al. 2014; choices count from 1, a missed one is -1."""
    return pd.read_csv(dev_data / "data" / "behaviour_rlwm_schizophrenia_dev" / "trials.csv.gz")


def test_accuracy_falls_with_set_size_and_patients_are_less_accurate(memory):
    """Collins et al. 2014; README of the data: 0.89 to 0.77 in controls, 0.84 to 0.67 in patients."""
    trials = trials_from(memory, models()["rlwm"], base=1)
    sick = memory.groupby("subject", sort=False)["group_sz"].first().to_numpy() == 1
    made = (trials.columns["choice"] >= 0) & trials.used
    assert int((~made & trials.used).sum()) == 94
    size, right = trials.columns["set_size"], trials.columns["reward"]
    share = np.array(
        [[right[g][made[g] & (size[g] == n)].mean() for n in range(2, 7)] for g in (~sick, sick)]
    )
    assert (share[1] < share[0]).all()
    np.testing.assert_allclose(share[:, [0, -1]], [[0.89, 0.77], [0.84, 0.67]], atol=0.005)
    assert (np.diff(share[1]) < 0).all()  # in controls 4 and 5 are level


def test_both_modules_explain_people_better_than_either_alone(memory):
    """A dozen people: reinforcement learning and working memory together (Collins et al. 2014)."""
    some = memory[memory["subject"].isin(memory["subject"].unique()[::5])]
    names = ("rlwm", "rl_only", "wm_only")
    found = {n: posterior(models()[n], trials_from(some, models()[n], base=1), samples=400) for n in names}
    evidence = np.stack([found[n].evidence for n in names], 1)
    assert evidence[:, 0].sum() > evidence[:, 1:].sum(0).max() + 100
    assert compare_models(evidence).protected.argmax() == 0
    trials = trials_from(some, models()["rlwm"], base=1)
    seen = check(models()["rlwm"], trials, found["rlwm"].mean)
    assert (seen["accuracy"] > 1 / 3).all()


def test_people_who_choose_between_three_arms_repeat_what_paid(dev_data):
    """Win-stay in the data and in a model fitted to it (Zorowitz et al. 2023, reversal task)."""
    frame = pd.read_csv(dev_data / "data" / "behaviour_reversal_symptoms_dev" / "trials.csv.gz")
    some = frame[frame["subject"].isin(frame["subject"].unique()[::9])].drop(columns="block")
    model = models()["q_dual_sticky"]
    trials = trials_from(some, model)
    choice, paid = trials.columns["choice"], trials.columns["outcome"][:, :-1] == 1
    same = choice[:, 1:] == choice[:, :-1]
    assert same[paid].mean() > same[~paid].mean() + 0.2
    found = posterior(model, trials, samples=400)
    gain, _, _, _ = model.native(found.mean).T
    assert np.median(gain) > 0.3  # rates are high where the best arm changes every 15 trials
    seen = check(model, trials, found.mean)
    assert abs(seen["repeats"].mean() - seen["expected_repeats"].mean()) < 0.02


def test_practice_of_the_two_step_task_is_not_part_of_it(dev_data):
    """Ten practice rows a person (trial 0); stay probabilities as in the README of the data."""
    frame = pd.read_csv(dev_data / "data" / "behaviour_twostep_symptoms_dev" / "trials.csv.gz")
    assert (frame[frame["trial"] == 0].groupby("subject").size() == 10).all()
    trials = trials_from(frame[frame["trial"] > 0], models()["two_step"])
    first, second = trials.columns["choice1"], trials.columns["choice2"]
    assert (second // 2 == trials.columns["state2"])[trials.used & (second >= 0)].all()
    good = trials.used[:, 1:] & (first[:, 1:] >= 0) & (first[:, :-1] >= 0)
    same, paid = first[:, 1:] == first[:, :-1], trials.columns["reward"][:, :-1] == 1
    common = (trials.columns["state2"] == first)[:, :-1]
    stay = [same[good & (common == c) & (paid == r)].mean() for c in (True, False) for r in (True, False)]
    np.testing.assert_allclose(stay, [0.75, 0.64, 0.68, 0.68], atol=0.01)
