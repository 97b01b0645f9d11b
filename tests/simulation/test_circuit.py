"""The whole brain in the kernel: the drift of `circuit.drift`, and its state of rest."""

import numpy as np
import pytest

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.state import HealthyBrain
from synsys.brain.time_domain import in_time
from synsys.circuit.drift import STATE, drift, firing
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.simulation.run import Simulation


@pytest.fixture(scope="module")
def state():
    return HealthyBrain(BrainModel(load_embedded()), Draw(0)).state


def test_drift_is_that_of_the_circuit(state):
    """All templates, in states far from rest: the kernel's derivative is the reference's to 1e-12."""
    rng = np.random.default_rng(0)
    x = state.point.x * rng.uniform(0.7, 1.3, state.point.x.shape)
    args = in_time([state], noise=0.0)
    args["start"] = {name: x[:, k] for k, name in enumerate(STATE)}
    dt = 0.125
    sim = Simulation(**args, dt=dt, method="euler", precision="float64", observe=[], lanes=4)
    sim.advance(1)
    wiring = state.linear.wiring
    gates = x[wiring.source_node, :, wiring.source_slot]
    u = np.zeros((3, len(x), 3))
    for kind, gate in enumerate((1, 2, 1)):
        for c, sources in enumerate(wiring.by_class):
            heard = wiring.weights[:, sources] @ gates[sources, gate]
            u[kind] += state.coupling[kind] * wiring.kappa[kind, :, :, c].T * heard[:, None]
    wanted = drift(x, state.parameters, u)
    for k, name in enumerate(STATE):
        got = (sim.states()[name][0] - x[:, k]) / dt
        np.testing.assert_allclose(got, wanted[:, k], rtol=1e-12, atol=1e-12 * np.abs(x[:, k]).max() / dt)


def test_without_noise_rest_is_rest_in_health_and_lesion(state):
    lesion = state.healthy.perturbed([Perturbation("nmda_conductance", 0.9)])
    sim = Simulation(
        **in_time([state, lesion], noise=0.0),
        seeds=[0, 0],
        dt=0.2,
        precision="float64",
        observe=["V0", "rate_PV"],
    )
    record, _ = sim.advance(500)
    for k, s in enumerate((state, lesion)):
        assert np.abs(record[..., 0, k] - s.point.x[:, 0, 0]).max() < 1e-9
        assert np.abs(record[..., 1, k] - 1e3 * firing(s.point.x[:, 0], s.parameters)[:, 1]).max() < 1e-9
