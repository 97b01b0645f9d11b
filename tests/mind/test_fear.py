"""Fear: limits of the learning rule, and the circuit that expresses it."""

import numpy as np
import pytest

from synsys.core.perturbation import Perturbation
from synsys.mind.tasks import fear
from synsys.mind.tasks.local import driven, nodes_of, stimulus_for


def linear(w, q):
    return w - q


def test_without_plasticity_nothing_is_acquired():
    assert fear.conditioned(linear, rates=(0.0, 0.4)) == {"fear_acquisition": 0.0}


def test_without_plasticity_of_inhibition_nothing_is_extinguished():
    scores = fear.conditioned(linear, rates=(0.6, 0.0), kept=(1.0, 1.0))
    assert scores["fear_acquisition"] > 0.9
    assert scores["extinction_rate"] == pytest.approx(0.0, abs=1e-12)
    assert scores["extinction_recall"] == pytest.approx(0.0, abs=1e-12)
    assert "fear_return" not in scores


def test_without_prefrontal_inhibition_what_was_learned_is_not_expressed():
    scores = fear.conditioned(lambda w, q: w)
    assert scores["extinction_rate"] == pytest.approx(0.0, abs=1e-12)
    assert "fear_return" not in scores


def test_the_error_shrinks_by_what_is_learned_from_it():
    """For a linear response the error of acquisition is a product of 1 - k a, a its own average."""
    error, a = 1.0, 1.0
    for _ in range(fear.ACQUISITION):
        error, a = error * (1 - 0.2 * a), a + fear.ETA * (error - a)
    assert fear.conditioned(linear, rates=(0.2, 0.4))["fear_acquisition"] == pytest.approx(1 - error)


def test_extinction_does_not_erase():
    """Where contexts share nothing, all of the fear is back in the context of acquisition (renewal)."""
    scores = fear.conditioned(linear, kept=(1.0, 1.0), other=0.0)
    assert scores["extinction_rate"] > 0.5
    assert scores["fear_renewal"] == pytest.approx(1.0)
    assert scores["spontaneous_recovery"] < 0.02


def test_what_returns_falls_with_overlap_and_with_what_lasts():
    by_context = [fear.conditioned(linear, other=o)["fear_renewal"] for o in (0.0, 0.3, 0.6, 1.0)]
    by_time = [fear.conditioned(linear, kept=(1.0, k))["spontaneous_recovery"] for k in (0.2, 0.5, 0.8, 1.0)]
    assert (np.diff(by_context) < 0).all()
    assert (np.diff(by_time) < 0).all()


def test_a_healthy_brain_acquires_extinguishes_and_keeps_most_of_it(healthy, atlas):
    """People: full acquisition, extinction within a session, some return a day later."""
    scores = fear.run(healthy.state, atlas)
    assert 0.9 < scores["fear_acquisition"] <= 1.0
    assert 0.4 < scores["extinction_rate"] < 0.9
    assert 0.0 < scores["spontaneous_recovery"] < scores["fear_renewal"] < 1.0
    assert fear.run(healthy.perturbed([Perturbation("nmda_conductance", 1.0)], sized=False), atlas) == scores


def test_less_prefrontal_drive_slows_extinction(healthy, atlas):
    """Silencing infralimbic cortex slows extinction, not acquisition (Milad & Quirk 2012)."""
    doses = [1.0, 0.95, 0.9, 0.85, 0.8]
    scores = [
        fear.run(healthy.perturbed([Perturbation("vmpfc_activity", d)], sized=False), atlas) for d in doses
    ]
    assert (np.diff([s["extinction_rate"] for s in scores]) < 0).all()
    assert scores[-1]["fear_acquisition"] == pytest.approx(scores[0]["fear_acquisition"], abs=0.02)


def test_overlap_of_contexts(healthy, atlas, monkeypatch):
    """All alike, the same; driven far apart, cells near threshold separate what their inputs share."""
    nodes = nodes_of(atlas, "hippocampus")
    monkeypatch.setattr(fear, "OVERLAP", 1.0 - 1e-12)
    assert fear.overlap(healthy.state, nodes) == pytest.approx(1.0, abs=1e-5)
    monkeypatch.setattr(fear, "OVERLAP", 0.5)
    spread = []
    for mv in (1e-6, 2.0, 5.0, 10.0):
        monkeypatch.setattr(fear, "SPREAD", mv)
        spread.append(fear.overlap(healthy.state, nodes))
    assert spread[0] == pytest.approx(1.0, abs=1e-6)
    assert (np.diff(spread) < 0).all()


def test_a_driven_region_rests_where_its_drift_is_zero(healthy, atlas):
    """No stimulus leaves the healthy rate; the stimulus found reaches the fold it was asked for."""
    nodes = nodes_of(atlas, "amygdala")
    stimulus = stimulus_for(healthy.state, nodes, 0, 1.25)
    rates = driven(healthy.state, nodes, np.stack([0 * stimulus, stimulus]))
    np.testing.assert_allclose(rates[0], healthy.state.rates[nodes], rtol=1e-9)
    assert rates[1, :, 0].mean() / rates[0, :, 0].mean() == pytest.approx(1.25, abs=0.01)
