"""The systemic half of the network: hormones, cytokines, microglia and mitochondria in time."""

import numpy as np
import pytest

from synsys.signaling.network import Network
from synsys.signaling.rest import healthy_slopes, jacobian, stationary
from tests.signaling.piece import followed, held, piece_of_cortex


@pytest.fixture(scope="module")
def network() -> Network:
    return piece_of_cortex()


def loop_gain(network: Network, name: str) -> float:
    """Gain at health of all loops through a node: 1 - 1 / [(I - E)^-1] of it with itself."""
    effects = jacobian(network, healthy_slopes(network, network.kinetics()))[0]
    total = np.linalg.inv(np.eye(len(effects)) - effects)
    return float(1 - 1 / total[network.at[name], network.at[name]])


def test_glands_carry_stress_for_weeks(network):
    """Karin et al. 2020: masses adjust over weeks; after stress ACTH is blunted while cortisol normalises."""
    names = ("cortisol", "acth", "adrenal_mass")
    first, late, week, season = followed(
        network, names, (3, 90, 97, 250), lambda day: {"chronic_stress": 2.0 if day < 90 else 0.0}
    )
    assert late[0] > 1.3 * first[0] > 0
    assert late[2] > 1.15 > 1.05 > first[2] > 1
    assert week[0] > 0
    assert week[1] < 0.97
    assert week[2] > 1.1
    assert season == pytest.approx([0, 1, 1], abs=0.05)


def test_a_leaky_barrier_lets_the_blood_reach_the_brain_sooner(network):
    def reached(leak: float) -> float:
        days = np.arange(0, 1.0, 0.01)
        k = network.kinetics()
        change, inputs = held(network, {"bbb_permeability": leak})
        y, found = stationary(network, change, lambda y: inputs, k)
        assert found
        il6 = followed(
            network, ["il6"], days, lambda day: {"bbb_permeability": leak, "il6_peripheral": 3.0}, 0.01, y
        )
        return float(days[np.argmax(il6[:, 0] - y[network.at["il6"], 0] > 0.4)])

    assert 0 < reached(4.0) < reached(2.0) < reached(1.0)


def infected(day: float) -> dict[str, float]:
    """Two weeks of raised cytokines in blood."""
    return {"cytokine_load": 3.0 if day < 14 else 0.0}


def test_inflammation_below_a_loop_gain_of_one_decays(network):
    assert 0.2 < loop_gain(network, "microglial_activation") < 0.6
    peak, later = followed(network, ["microglial_activation"], (14, 200), infected)[:, 0]
    assert peak > 0.2
    assert later < 0.02 * peak


@pytest.mark.parametrize("lesion", [{"microglial_priming": 2.5}, {"gr_function": 0.2}])
def test_inflammation_above_a_loop_gain_of_one_outlasts_its_trigger(network, lesion):
    """Reached only by a declared perturbation: primed microglia, or resistance to glucocorticoids."""
    peak, later = followed(
        network, ["microglial_activation"], (14, 600), lambda day: infected(day) | lesion, step=0.5
    )[:, 0]
    assert later > 0.8 * peak
    assert later < 1  # the limit of the index


def test_primed_microglia_stay_at_rest_without_a_trigger(network):
    """Hysteresis: one and the same brain rests or burns, by its history."""
    primed = {"microglial_priming": 2.0}
    rest = followed(network, ["microglial_activation"], (400,), lambda day: primed, step=0.5)
    burnt = followed(network, ["microglial_activation"], (400,), lambda day: infected(day) | primed, step=0.5)
    assert rest == pytest.approx(0)
    assert burnt > 0.3


def test_mitochondria_beyond_a_threshold_fail_on_their_own(network):
    """Oxidants, mitochondrial mutations and respiration close a vicious cycle: decline that never settles."""
    damage = {
        left: followed(
            network,
            ["mtdna_damage"],
            (1460, 7300),
            lambda day, left=left: {"mitochondrial_function": left},
            1.0,
        )[:, 0]
        for left in (0.9, 0.8, 0.6)
    }
    assert damage[0.9][1] < damage[0.8][1] < 0.1
    assert damage[0.8][1] == pytest.approx(damage[0.8][0], rel=0.15)
    assert damage[0.6][1] > 1.5 * damage[0.6][0] > 4 * damage[0.8][1]


def test_mitochondria_and_microglia_amplify_each_other(network):
    """A joint lesion does more than the sum of its parts."""
    names = ("microglial_activation", "ros", "atp_production")
    weak, hot = {"mitochondrial_function": 0.75}, {"microglial_activation": 0.15}

    def burden(lesion: dict[str, float]) -> np.ndarray:
        values = followed(network, names, (300,), lambda day: lesion, step=0.5)[0]
        return np.array([values[0], np.log(values[1]), -np.log(values[2])])

    alone = burden(weak) + burden(hot)
    assert (burden(weak | hot) > 1.05 * alone).all()
