"""Motion discrimination: symmetry of the two choices, the psychometric function, what it takes."""

import numpy as np
import pytest

from synsys.brain.draws import draws
from synsys.brain.state import HealthyBrain
from synsys.knowledge.resolve import parse_perturbation
from synsys.mind.tasks import decision as task
from synsys.mind.tasks.working_memory import nodes_of


@pytest.fixture(scope="module")
def tuned(healthy, atlas):
    return task.tuning(healthy, nodes_of(atlas, task.LOCUS))


@pytest.fixture(scope="module")
def net(tuned):
    module, kappa = tuned
    return task.pools(module, module, kappa)


@pytest.fixture(scope="module")
def performed(net):
    return task.perform(net, 2, np.array([0.0, 3.2, 6.4, 12.8, 25.6, 51.2]), 100)


def test_without_coherence_either_choice_is_as_frequent(performed):
    """Each pair of trials has the noise of the two pools exchanged, so one choice each."""
    first, _ = performed
    assert first[0].mean() == 0.5
    assert (first[0].reshape(-1, 2).sum(1) == 1).all()


def test_the_opposite_motion_gives_the_opposite_choices(net):
    """Exactly so: what one trial of a pair does, the other does with the pools exchanged."""
    level = np.array([8.0])
    right, when = task.perform(net, 0, level, 40)
    left, again = task.perform(net, 0, -level, 40)
    assert np.array_equal(right.reshape(-1, 2), 1 - left.reshape(-1, 2)[:, ::-1])
    assert np.array_equal(when.reshape(-1, 2), again.reshape(-1, 2)[:, ::-1])


def test_more_coherence_makes_choices_better_and_faster(performed):
    """Psychometric and chronometric functions of Roitman & Shadlen 2002."""
    first, when = performed
    assert (np.diff(first.mean(1)) >= 0).all()
    assert first[-1].mean() > 0.98
    assert (np.diff(when.mean(1)[1:]) < 0).all()


def test_errors_are_slower_than_correct_choices(net):
    """As in monkeys (Roitman & Shadlen 2002) and in the spiking network (Wong & Wang 2006)."""
    first, when = task.perform(net, 1, np.array([12.8]), 400)
    assert when[first == 0].mean() > when[first == 1].mean()


def test_weibull_is_found_again():
    for threshold, slope in ((5.0, 1.1), (9.2, 1.5), (30.0, 2.5)):
        p = task.weibull(task.COHERENCE, threshold, slope)
        assert task.fitted(task.COHERENCE, p, 300) == pytest.approx((threshold, slope), rel=1e-3)
    assert task.weibull(np.array([0.0, 9.2]), 9.2, 1.5) == pytest.approx([0.5, 1 - 0.5 / np.e])


def test_guessing_has_no_threshold():
    threshold, _ = task.fitted(task.COHERENCE, np.full(len(task.COHERENCE), 0.5), 300)
    assert threshold == pytest.approx(100.0)


def test_threshold_and_slope_are_those_of_the_published_network(model, atlas):
    """Wang 2002: 9.2 % and 1.5. The size of the stimulus was set to the threshold; the slope is predicted."""
    found = []
    for draw in draws(5):
        scores = task.run(HealthyBrain(model, draw).state, atlas, 0)
        found.append((scores["decision_threshold"], scores["decision_slope"]))
    threshold, slope = np.median(found, axis=0)
    assert threshold == pytest.approx(9.2, rel=0.2)
    assert slope == pytest.approx(1.5, rel=0.2)


def test_without_tuned_recurrence_evidence_is_not_gathered(tuned, net):
    """Wang 2002: slow recurrent excitation integrates; without it the threshold is far higher."""
    module, _ = tuned
    plain = task.scores(task.pools(module, module, 0.0), 0)
    assert plain["decision_accuracy"] < 0.6 < task.scores(net, 0)["decision_accuracy"]
    assert plain["decision_time"] > 0.95 * task.VIEWED


def test_health_is_the_same_bit_for_bit(healthy, atlas):
    again = HealthyBrain(healthy.model, healthy.draw)
    assert task.run(healthy.state, atlas, 0) == task.run(again.state, atlas, 0)


def test_without_nmda_on_pyramidal_cells_choices_are_slow_and_poor(healthy, atlas):
    """Lowered E/I by NMDA hypofunction of pyramidal cells: indecisive (Lam et al. 2022)."""
    state = healthy.perturbed([parse_perturbation("nmda_conductance=0.8:E")], sized=False)
    here, there = task.run(healthy.state, atlas, 0), task.run(state, atlas, 0)
    assert there["decision_time"] > here["decision_time"]
    assert there["decision_accuracy"] < here["decision_accuracy"]


def test_disinhibited_pools_choose_sooner(healthy, atlas):
    """Raised E/I by NMDA hypofunction of interneurons: impulsive (Lam et al. 2022 J Neurosci 42:1035)."""
    state = healthy.perturbed([parse_perturbation("nmda_conductance=0.7:PV")], sized=False)
    here, there = task.run(healthy.state, atlas, 0), task.run(state, atlas, 0)
    assert there["decision_time"] < here["decision_time"]
