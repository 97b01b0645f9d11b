"""Observers in simulated worlds: scores between chance and ceiling, signs as theory has them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from synsys.brain.state import HealthyBrain
from synsys.core.perturbation import Perturbation
from synsys.knowledge.load import vocabulary
from synsys.mind import believing
from synsys.mind.believing import (
    bandit,
    follow,
    hallucination,
    news,
    rates,
    salience,
    shocks,
    threat,
    tones,
    update_rates,
)
from synsys.mind.coupling import Inference, inference
from synsys.mind.readouts import QUANTITIES, WORLDS, in_worlds, mind_readouts
from synsys.mind.standing import DEPENDS
from synsys.mind.tasks import belief
from synsys.mind.tasks.registry import tasks

HEALTH = Inference()
SEED = 0


def other(**changes: float) -> Inference:
    return replace(HEALTH, **changes)


def test_health_is_its_own_unit() -> None:
    found = in_worlds(HEALTH, SEED)
    assert {n: found[n] for n in ("prediction_error", "weighted_prediction_error", "reward_sensitivity")} == {
        "prediction_error": 1.0, "weighted_prediction_error": 1.0, "reward_sensitivity": 1.0,
    }  # fmt: skip
    assert (found["aberrant_salience"], found["reward_processing"]) == (0.0, 0.0)
    assert found.keys() == set(WORLDS) <= vocabulary().keys()


def test_healthy_people_learn_faster_in_a_volatile_world() -> None:
    """Behrens et al. 2007."""
    stable, volatile = update_rates(follow(HEALTH, SEED))
    assert 0.05 < stable < volatile < 0.6


def test_a_healthy_observer_is_hard_to_beat() -> None:
    """Who trusts the senses far too much or too little predicts worse, and so does one who sees badly."""
    score = in_worlds(HEALTH, SEED)["inference_accuracy"]
    for worse in (other(prior_precision=2.5), other(prior_precision=0.3), other(sensory_noise=3.0)):
        assert in_worlds(worse, SEED)["inference_accuracy"] < score


def test_weak_priors_update_more_and_find_salience_where_there_is_none() -> None:
    """Roiser et al. 2009: irrelevant features differ by chance alone; who learns fast takes this for more."""
    weak = other(prior_precision=0.8)
    assert news(weak)[0] > news(HEALTH)[0]
    assert salience(weak, SEED)[0] > salience(HEALTH, SEED)[0]
    assert salience(weak, SEED)[1] < salience(HEALTH, SEED)[1]
    assert weak.sensory_precision / weak.prior_precision == pytest.approx(1.25)


def test_aberrant_salience_approaches_what_learning_by_chance_gives() -> None:
    """Values learned at one rate a vary with p (1 - p) a / (2 - a) in the long run, and two of them are apart
    by the mean absolute value of a normal variable, sqrt(2 / pi) sd."""
    a, _ = rates(HEALTH)
    sd = np.sqrt(2 * 0.25 * a / (2 - a))
    assert salience(HEALTH, SEED)[0] == pytest.approx(np.sqrt(2 / np.pi) * sd, rel=0.15)


def test_a_negative_prior_takes_in_less_good_news() -> None:
    """CP-04: asymmetric update."""
    good, bad = news(HEALTH)
    assert good == pytest.approx(bad)
    low = news(other(prior_bias=0.5))
    assert low[0] < good
    assert low[0] < low[1]
    course, health = follow(other(prior_bias=0.5), SEED), follow(HEALTH, SEED)
    assert (course.expectation < health.expectation).all()


def test_precise_threat_is_hard_to_unlearn() -> None:
    """CP-05: avoidance and errors rise, weighted errors fall: each error counts for less."""
    before, after = (in_worlds(o, SEED) for o in (HEALTH, other(threat_prior_precision=1.5)))
    assert after["prediction_error"] > before["prediction_error"]
    assert after["weighted_prediction_error"] < before["weighted_prediction_error"]
    assert threat(other(threat_prior_precision=1.5), SEED)[2].mean() > threat(HEALTH, SEED)[2].mean()


def test_expected_threat_is_that_of_a_beta_belief() -> None:
    """In the end it is near the share of shocks; without a prior it is their share."""
    expected = threat(other(threat_prior_precision=1e-9), SEED)[0]
    seen = np.cumsum(shocks(SEED), axis=0)[:-1] / np.arange(1, believing.TRIALS)[:, None]
    assert expected[1:] == pytest.approx(seen, abs=1e-6)


@pytest.mark.parametrize("name", ["prior_precision", "sensory_noise"])
def test_absent_tones_are_heard_more_with_dose(name) -> None:
    """CP-03; strong priors (Powers et al. 2017) and noisy senses."""
    heard = [hallucination(other(**{name: dose}), SEED)[0] for dose in (1.0, 1.2, 1.5, 2.0, 3.0)]
    assert (np.diff(heard) > 0).all()
    assert 0.1 < heard[0] < heard[-1] < 0.8
    assert 0.6 < tones(SEED).mean() < 0.9


def test_choices_lie_between_chance_and_ceiling() -> None:
    assert 0.6 < bandit(HEALTH, SEED) < 0.95
    assert bandit(other(inverse_temperature=1e-9), SEED) == pytest.approx(0.5, abs=0.02)
    assert bandit(other(reward_gain=0.5), SEED) < bandit(HEALTH, SEED)


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_depend_on_what_is_said_and_on_nothing_else(seed) -> None:
    """`DEPENDS` decides what is wired: a parameter that is not named there must not move a readout."""

    def everything(found: Inference) -> dict[str, float]:
        rate, weight = hallucination(found, seed)
        return in_worlds(found, seed) | belief.scores(found, seed) | {
            "conditioned_hallucination": rate, "prior_weight": weight,
        }  # fmt: skip

    someone = other(prior_bias=0.3, reward_learning_rate=1.2, sensory_precision=1.1, tonic_volatility=0.2)
    health = everything(someone)
    assert health.keys() == DEPENDS.keys()
    for name in QUANTITIES:
        value = 0.7 if name == "tonic_volatility" else 1.4
        now = everything(replace(someone, **{name: value}))
        moved = {readout for readout in health if now[readout] != pytest.approx(health[readout], abs=1e-12)}
        assert moved == {readout for readout, names in DEPENDS.items() if name in names}, name


def test_a_brain_in_health_scores_as_the_healthy_observer(healthy, atlas) -> None:
    found = mind_readouts(healthy.state, atlas, SEED, {*WORLDS, "update_rate", "conditioned_hallucination"})
    assert {n: found[n] for n in WORLDS} == in_worlds(HEALTH, SEED)
    assert found["conditioned_hallucination"] == hallucination(HEALTH, SEED)[0]
    assert "mmn_amplitude" not in found, "only tasks that are asked for run"


def test_nmda_alone_changes_what_is_inferred(healthy, atlas) -> None:
    """CP-02."""
    state = healthy.perturbed([Perturbation("nmda_conductance", 0.8)])
    assert inference(state) != HEALTH
    found = mind_readouts(state, atlas, SEED, {"sensory_precision_weighting"})
    assert found["sensory_precision_weighting"] != 1.0


@pytest.mark.parametrize(
    ("reading", "readout", "way"),
    [("weak_priors", "aberrant_salience", 0), ("strong_priors", "conditioned_hallucination", 1)],
)
def test_severity_is_graded_by_the_dose_of_a_lesion(healthy, atlas, reading, readout, way) -> None:
    """SD-04: six doses of NMDA loss. CP-03: absent tones are heard more where priors are said to be strong.

    No sign is asked of aberrant salience: with weak priors both levels lose precision, and draws differ in
    which of them loses more.
    """
    brain = HealthyBrain(healthy.model, replace(healthy.draw, alternative=(reading,)))
    doses = (1.0, 0.96, 0.92, 0.88, 0.84, 0.8)
    states = [brain.perturbed([Perturbation("nmda_conductance", d)]) for d in doses]
    found = [mind_readouts(state, atlas, SEED, {readout})[readout] for state in states]
    rho = spearmanr(range(6), found)[0]
    assert (rho if way else abs(rho)) >= 0.9


def test_scores_lie_within_chance_and_ceiling(healthy, atlas) -> None:
    for name in ("belief", "hallucination"):
        task = tasks()[name]
        found = task.run(healthy.state, atlas, SEED)
        assert found.keys() == {score.name for score in task.scores}
        for score in task.scores:
            assert vocabulary()[score.name].level == "task"
            if score.chance is not None and score.better:
                assert found[score.name] > score.chance
            if score.ceiling is not None:
                assert found[score.name] < score.ceiling
