"""Entrainment: linear response against integration of the drift, and what phase locking means."""

from dataclasses import replace

import numpy as np
import pytest

from synsys.brain.draws import draws
from synsys.brain.model import BrainModel
from synsys.brain.solution import COARSE, Grid
from synsys.brain.spectra import respond
from synsys.brain.state import HealthyBrain
from synsys.circuit.drift import STATE, drift
from synsys.circuit.linear import local_transfer
from synsys.core.perturbation import Perturbation
from synsys.measures.systems import Atlas
from synsys.mind.tasks.auditory import auditory_cortex, parameters_of
from synsys.mind.tasks.steady_state import (
    FREQUENCIES,
    alone,
    entrained,
    ongoing,
    phase_locking,
    run,
)


def test_a_small_drive_moves_the_drift_as_the_linear_response_says(healthy, atlas):
    """Heun's method from rest, relay cells following clicks weakly; the last of many cycles."""
    cortex = auditory_cortex(healthy.state, atlas)
    hertz, clicks, step = 40.0, 2e-5, 0.125
    expected = alone(
        cortex, local_transfer(healthy.state.linear.jacobian, 2e-3 * np.pi * np.array([hertz])),
        np.array([hertz]), clicks,
    )[0]  # fmt: skip
    p = parameters_of(healthy.state.parameters, cortex.nodes)
    u0 = healthy.state.point.u[:, cortex.nodes]
    x = [healthy.state.point.x[cortex.nodes, k] for k in range(len(STATE))]
    x.append(np.zeros((2, len(cortex.relay))))
    omega, cycles = 2e-3 * np.pi * hertz, 16

    def change(x, t):
        target = cortex.steady(2 * clicks * np.cos(omega * t))
        u = u0 + cortex.conductance(x[-1])
        return [*drift(tuple(x[:-1]), p, u), (target - x[-1]) / cortex.decay]

    steps = round(1e3 / hertz / step)
    kept = []
    for i in range(cycles * steps):
        if i >= (cycles - 1) * steps:
            kept.append(x[0][:, 0])
        first = change(x, i * step)
        second = change([a + step * d for a, d in zip(x, first, strict=True)], (i + 1) * step)
        x = [a + step / 2 * (d + e) for a, d, e in zip(x, first, second, strict=True)]
    t = step * (np.arange(steps) + (cycles - 1) * steps)
    found = 2 * np.mean(np.array(kept) * np.exp(-1j * omega * t)[:, None], 0)
    assert found == pytest.approx(expected, rel=0.02)


def test_entrainment_is_strongest_near_40_hz_as_in_people(healthy, atlas):
    """Galambos, Makeig and Talmachoff 1981 (PNAS 78:2643): responses to clicks are largest near 40 Hz."""
    cortex = auditory_cortex(healthy.state, atlas)
    amplitude = np.abs(entrained(cortex, respond(healthy.state.linear, FREQUENCIES))).mean(1)
    assert amplitude[1] > amplitude[0]
    assert amplitude[1] > amplitude[2]


def test_evoked_amplitude_is_linear_and_noise_does_not_follow_clicks(healthy, atlas):
    cortex = auditory_cortex(healthy.state, atlas)
    response = respond(healthy.state.linear, FREQUENCIES)
    assert entrained(cortex, response, 4e-3) == pytest.approx(2 * entrained(cortex, response, 2e-3))
    assert (ongoing(cortex, response) > 0).all()


def test_phase_locking_is_that_of_simulated_trials():
    rng = np.random.default_rng(0)
    for amplitude in (0.0, 0.3, 1.0, 3.0):
        density, trial = 0.4, 500.0
        noise = rng.standard_normal((200_000, 2)) @ [1, 1j] * np.sqrt(density / (2e-3 * trial))
        phase = np.angle(amplitude / 2 + noise)
        found = np.abs(np.exp(1j * phase).mean())
        assert phase_locking(np.array(amplitude), np.array(density), trial) == pytest.approx(found, abs=0.004)


def test_phase_locking_goes_from_0_to_1():
    size = np.geomspace(1e-3, 1e3, 60)
    found = phase_locking(size, np.ones(60))
    assert (np.diff(found) > 0).all()
    assert found[0] < 1e-3
    assert 0.99999 < found[-1] <= 1.0


def test_a_change_of_nothing_changes_no_score(healthy, atlas):
    same = healthy.perturbed([Perturbation("nmda_conductance", 1.0)], sized=False)
    assert run(same, atlas, 0) == run(healthy.state, atlas, 0)
    other = healthy.perturbed([Perturbation("nmda_conductance", 0.8)], sized=False)
    assert run(other, atlas, 0)["assr_power"] != run(healthy.state, atlas, 0)["assr_power"]


def test_scores_are_absent_where_there_is_no_auditory_cortex(model):
    brain = model.brain
    at = np.flatnonzero(~brain.regions.index.str.contains("temporal"))
    rows = np.ix_(at, at)
    part = replace(
        brain, weights=brain.weights[rows], lengths=brain.lengths[rows], regions=brain.regions.iloc[at],
        maps=brain.maps.iloc[at], fc=None,
    )  # fmt: skip
    deaf = BrainModel(part)
    assert run(HealthyBrain(deaf, draws(2)[0]).state, Atlas(Grid(deaf, COARSE)), 0) == {}
