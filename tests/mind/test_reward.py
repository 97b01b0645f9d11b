"""Reward learning: limits of the opponent actors, an independent simulation, dopamine."""

from dataclasses import replace

import numpy as np
import pytest

from synsys.brain.draws import draws
from synsys.brain.state import HealthyBrain
from synsys.core.perturbation import Perturbation
from synsys.mind.tasks import reward
from synsys.mind.tasks.dopamine import Teaching, teaching
from synsys.mind.tasks.local import nodes_of
from synsys.mind.tasks.reward import LEVELS, PAIRS, TRIALS, Striatum, salience, selection

LINEAR = Striatum(LEVELS, LEVELS)


@pytest.mark.parametrize(
    "actor",
    [
        Striatum(0 * LEVELS, 0 * LEVELS),
        replace(LINEAR, ltp=0.0, ltd=0.0),
        replace(LINEAR, taught=Teaching(0.0, 0.0, 0.0, 0.0)),
        replace(LINEAR, noise=1e12),
    ],
    ids=["no striatum", "no plasticity", "no dopamine", "noise alone"],
)
def test_chance(actor):
    scores = selection(actor) | salience(actor)
    for name in ("reward_learning", "reward_approach", "punishment_avoidance", "salience_discrimination"):
        assert scores[name] == pytest.approx(0.5, abs=1e-9)


def test_expected_choices_score_as_sampled_ones():
    """OpAL as published, one choice at a time, 3000 people (Collins & Frank 2014)."""
    rng = np.random.default_rng(1)
    people = 3000
    shape = people, len(PAIRS), 2
    v, g, n = np.full(shape, 0.5), np.ones(shape), np.ones(shape)
    person, pair = np.ogrid[:people, : len(PAIRS)]
    for _ in range(TRIALS):
        value = g - n
        p = 1 / (1 + np.exp(-reward.CHOICE * (value[..., 0] - value[..., 1])))
        option = (rng.random(p.shape) > p).astype(int)
        lucky = rng.random(p.shape) < PAIRS
        at = person, pair, option
        error = np.where(option == 0, lucky, ~lucky) - v[at]
        v[at] += reward.CRITIC * error
        g[at] += reward.ACTOR * g[at] * error
        n[at] -= reward.ACTOR * n[at] * error
    value = g - n

    def better(a, b):
        return float((1 / (1 + np.exp(-reward.CHOICE * (a - b)))).mean())

    rest = value[:, 1:].reshape(people, -1)
    scores = selection(LINEAR)
    assert scores["reward_approach"] == pytest.approx(better(value[:, 0, :1], rest), abs=0.03)
    assert scores["punishment_avoidance"] == pytest.approx(better(rest, value[:, 0, 1:]), abs=0.03)


def test_the_direct_pathway_approaches_and_the_indirect_avoids():
    """More weight on D1 than on D2 cells moves choices from avoiding B to choosing A (Collins & Frank)."""
    tilted = [Striatum((1 + x) * LEVELS, (1 - x) * LEVELS) for x in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    bias = [s["reward_approach"] - s["punishment_avoidance"] for s in map(selection, tilted)]
    assert (np.diff(bias) > 0).all()


def test_scores_rise_as_noise_falls():
    scores = [selection(replace(LINEAR, noise=x)) for x in (4.0, 2.0, 1.0, 0.5)]
    for name in scores[0]:
        assert (np.diff([s[name] for s in scores]) > 0).all()


def test_healthy_people_are_taught_as_published_and_score_as_people(healthy, atlas):
    nodes = nodes_of(atlas, "striatum", "dorsal striatum", "Cont")
    assert teaching(healthy.state, atlas, nodes) == Teaching()
    scores = reward.run(healthy.state, atlas)
    assert 0.6 < scores["reward_approach"] < 0.8
    assert 0.6 < scores["punishment_avoidance"] < 0.8
    assert 0.65 < scores["reward_learning"] < 0.85
    assert reward.run(healthy.perturbed([Perturbation("d2_density", 1.0)], sized=False), atlas) == scores


def test_blocked_receptors_report_nothing(healthy, atlas):
    nodes = nodes_of(atlas, "striatum", "dorsal striatum", "Cont")
    state = healthy.perturbed([Perturbation("d2_occupancy", 1.0, "+")], sized=False)
    taught = teaching(state, atlas, nodes)
    assert taught.d2_better == taught.d2_worse == 0.0
    assert taught.d1_better > 0


def test_less_dopamine_spares_avoidance(model, atlas):
    """Unmedicated Parkinson's patients avoid B better than they choose A (Frank et al. 2004); three draws."""
    lost = []
    for draw in draws(3):
        brain = HealthyBrain(model, draw)
        state = brain.perturbed([Perturbation("striatal_dopamine", 0.7)], sized=False)
        before, after = reward.run(brain.state, atlas), reward.run(state, atlas)
        lost.append([before[k] - after[k] for k in ("reward_approach", "punishment_avoidance")])
    approach, avoidance = np.median(lost, 0)
    assert approach > avoidance
    assert approach > 0


def test_people_meet_the_same_task_and_differ(healthy, atlas):
    """Variety of healthy people shows in every task; a person who differs in nothing is the reference."""
    from synsys.mind.tasks import fear, set_shifting
    from synsys.scales.people import person

    found = [person(healthy, (7, k)) for k in range(4)]
    for task, name in (
        (reward, "reward_learning"),
        (fear, "extinction_rate"),
        (set_shifting, "perseverative_errors"),
    ):
        scores = [task.run(state, atlas)[name] for state in found]
        assert np.std(scores) > 0.01 * abs(np.mean(scores))
    alike = HealthyBrain(
        healthy.model,
        healthy.draw,
        {"d2_density": np.ones_like(healthy.state.coupling[0])},
        reference=healthy,
    )
    assert reward.run(alike.state, atlas) == pytest.approx(reward.run(healthy.state, atlas), rel=1e-6)


@pytest.mark.parametrize("name", ["d2_density", "camkii_activity", "noise_amplitude"])
def test_what_restates_a_change_is_told(name, healthy, atlas):
    """A quantity that moves a score while the circuit stays healthy is listed as bringing it about."""
    from synsys.brain.modulation import Modulation
    from synsys.mind.standing import restated

    moved = Modulation(healthy.model.places, healthy.densities)
    moved.move(name, np.array(True), np.log(0.8))
    state = healthy.state
    if name == "noise_amplitude":
        state = replace(state, noise=0.64 * state.noise)
    before, after = (
        reward.run(state=healthy.state, atlas=atlas),
        reward.run(replace(state, carried=moved), atlas),
    )
    assert after["reward_learning"] != pytest.approx(before["reward_learning"], abs=1e-6)
    assert name in restated("reward_learning")
