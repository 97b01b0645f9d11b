"""Mismatch negativity: limits of adaptation and of prediction, and the integration behind it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from synsys.core.perturbation import Perturbation
from synsys.mind.tasks.auditory import auditory_cortex
from synsys.mind.tasks.oddball import INTERVAL, RECOVERY, RELEASED, evoked, left, run, size


@pytest.fixture(scope="module")
def cortex(healthy, atlas):
    return auditory_cortex(healthy.state, atlas)


def test_what_is_left_is_where_a_train_of_tones_ends(cortex):
    x = 1.0
    for _ in range(60):
        used = x * RELEASED
        x = 1 - (1 - (x - used)) * np.exp(-INTERVAL / 0.9 / RECOVERY)
    assert left(cortex, 0.9) == pytest.approx(x, rel=1e-12)
    assert left(cortex, 1e-6) == pytest.approx(1.0)


def test_without_adaptation_and_prediction_there_is_no_mismatch(cortex):
    fresh, worn = (left(cortex, share, released=0.0) for share in (0.1, 0.9))
    assert fresh == worn == 1.0
    deviant, standard = evoked(cortex, np.array([fresh, worn]), np.zeros(2))
    assert np.array_equal(deviant, standard)


def test_prediction_acts_through_nmda_receptors_of_inhibitory_cells_alone(cortex):
    """Without them a predicted tone is an unpredicted one; with them it is answered less."""
    p = cortex.state.parameters
    g = p.g_slow.copy()
    g[:, 1:, 0] = 0.0
    blocked = replace(cortex, state=replace(cortex.state, parameters=replace(p, g_slow=g)))
    told, untold = evoked(blocked, np.ones(2), np.array([1.0, 0.0]))
    assert np.array_equal(told, untold)
    told, untold = size(evoked(cortex, np.ones(2), np.array([1.0, 0.0])))
    assert told < untold


def test_a_faint_tone_is_answered_in_proportion_to_transmitter(cortex):
    whole, half = evoked(cortex, np.array([1.0, 0.5]), np.zeros(2), added=1e-7)
    assert half == pytest.approx(whole / 2, abs=1e-4 * np.abs(whole).max())


def test_the_integration_is_of_second_order(cortex):
    """Heun's method: each halving of the step divides what still changes by about four."""
    waves = [evoked(cortex, np.ones(1), np.ones(1), step=1.0 / k)[0, ::k] for k in (1, 2, 4, 8)]
    apart = [np.abs(b - a)[:-1].max() for a, b in pairwise(waves)]
    assert apart[2] < 0.35 * apart[1] < 0.35**2 * apart[0]
    assert apart[0] < 0.05 * waves[-1].max()


def test_a_change_of_nothing_changes_no_score(healthy, atlas):
    same = healthy.perturbed([Perturbation("nmda_conductance", 1.0)], sized=False)
    assert run(same, atlas, 0) == run(healthy.state, atlas, 0)


def test_healthy_scores_are_those_of_a_listener(healthy, atlas):
    """Deviants are answered more than standards, and standards still answered."""
    scores = run(healthy.state, atlas, 0)
    assert scores["mmn_amplitude"] > scores["mmn_prediction"] > 0
    assert 0 < scores["repetition_suppression"] < 1


def test_more_release_leaves_less_for_the_next_tone(healthy, atlas):
    more = healthy.perturbed([Perturbation("glutamate_release", 1.3)], sized=False)
    assert left(auditory_cortex(more, atlas), 0.9) < left(auditory_cortex(healthy.state, atlas), 0.9)


def test_a_cortex_that_runs_away_has_no_score(healthy, atlas, monkeypatch):
    monkeypatch.setattr("synsys.mind.tasks.oddball.PREDICTION", 1e4)
    found = run(healthy.state, atlas, 0)
    assert all(np.isfinite(value) for value in found.values())
    assert "mmn_amplitude" not in found
