"""What activity tells molecules: silent in health, of the right sign under lesions, exact where linear."""

import numpy as np
import pytest

from synsys.brain.draws import draws
from synsys.brain.feedback import ENERGY, averages, signals
from synsys.brain.model import BrainModel
from synsys.brain.plasticity import plasticity_signals, probed
from synsys.brain.state import HealthyBrain
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.signaling import FAST
from synsys.signaling.rest import growth, healthy_slopes

SMALL = ("L.rostralmiddlefrontal", "L.precuneus", "L.insula", "L.thalamus", "L.hippocampus", "L.caudate")


@pytest.fixture(scope="module")
def healthy() -> HealthyBrain:
    return HealthyBrain(BrainModel(load_embedded().part(SMALL)), draws(1)[0])


def told(healthy: HealthyBrain, *changes: Perturbation) -> dict[str, np.ndarray]:
    state = healthy.perturbed(list(changes), phase="acute")
    found = signals(state.averages, healthy.averages)
    return found | plasticity_signals(state, found)


def test_health_is_silent(healthy: HealthyBrain) -> None:
    found = signals(averages(healthy.state), healthy.averages)
    found |= plasticity_signals(healthy.state, found)
    assert set(found) == set(FAST)
    for values in found.values():
        np.testing.assert_array_equal(values, 0.0)


def test_shares_of_energy_are_a_whole() -> None:
    assert sum(ENERGY.values()) == pytest.approx(1.0)


def test_energy_follows_its_parts(healthy: HealthyBrain) -> None:
    """Doubling rates, currents and transmitter alike leaves only the resting share behind."""
    twice = {name: 2.0 * value for name, value in healthy.averages.items()}
    found = signals(twice, healthy.averages)["fast:energy_use"]
    cortex = (healthy.model.wiring.nodes.template == "cortex").to_numpy()
    np.testing.assert_allclose(np.exp(found[cortex]), ENERGY["resting"] + 2 * (1 - ENERGY["resting"]))


def test_blocking_nmda_receptors_lowers_calcium_and_potentiation(healthy: HealthyBrain) -> None:
    cortex = (healthy.model.wiring.nodes.template == "cortex").to_numpy()
    found = told(healthy, Perturbation("nmda_occupancy", 0.3, "+"))
    assert (found["fast:calcium_nmda"][cortex] < np.log(0.9)).all()
    assert (found["fast:ltp"][cortex] < 0).all()


def test_more_calcium_channels_let_more_calcium_in(healthy: HealthyBrain) -> None:
    found = told(healthy, Perturbation("cacna1c_conductance", 1.1))
    cortex = (healthy.model.wiring.nodes.template == "cortex").to_numpy()
    assert (found["fast:calcium_cav"][cortex] > np.log(1.05)).all()


def test_loss_of_inhibition_raises_energy_use(healthy: HealthyBrain) -> None:
    cortex = (healthy.model.wiring.nodes.template == "cortex").to_numpy()
    assert told(healthy, Perturbation("gabaa_conductance", 0.95))["fast:energy_use"][cortex].mean() > 0


def test_kinases_move_the_probe_through_its_own_table(healthy: HealthyBrain) -> None:
    state = healthy.perturbed([Perturbation("trkb_activity", 0.7)], phase="acute")
    found = probed(state, signals(state.averages, healthy.averages))
    assert (found.ltp < 1).all()


def test_health_is_stable_with_the_loop_closed_in_every_region(healthy: HealthyBrain) -> None:
    network = healthy.model.slow_brain.network
    slope = healthy_slopes(network, healthy.kinetics)
    for region, kind in enumerate(network.kinds[1]):
        heard = np.repeat(healthy.kept_heard[region][None], len(network.kinds[0]), 0)
        rate, gain = growth(network, healthy.kinetics, heard, slope, [kind])
        assert rate < 0
        assert gain < 1
    assert (healthy.kept >= 0).all()
    assert (healthy.kept <= 1).all()
