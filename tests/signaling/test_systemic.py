"""The systemic half of the network: hormones, cytokines, microglia and mitochondria in time."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from synsys.knowledge.signaling import folded
from synsys.signaling.network import Network
from synsys.signaling.rest import healthy_slopes, jacobian, stationary

Course = Callable[[float], dict[str, float]]


def nothing(day: float) -> dict[str, float]:
    return {}


@pytest.fixture(scope="module")
def network() -> Network:
    """All nodes and edges on one piece of cortex."""
    return Network(lambda names: np.array([not names or "cortex" in names]), np.ones(1))


def held(network: Network, values: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Perturbations of nodes and of inputs: factors of what is relative to health, increments of others."""
    change, inputs = np.zeros((len(network.names), 1)), np.zeros((len(network.inputs), 1))
    for name, value in values.items():
        number = np.log(value) if folded(name) else value
        if name in network.at:
            change[network.at[name]] = number
        else:
            inputs[network.inputs.index(name)] = number
    return change, inputs


def followed(
    network: Network,
    names: Sequence[str],
    days: Sequence[float],
    course: Course = nothing,
    step: float = 0.25,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Effective values of nodes at some days, (day, name); perturbations change at multiples of the step."""
    k = network.kinetics()
    y = network.healthy() if start is None else start
    at, out = [network.at[name] for name in names], []
    for i in range(round(max(days) / step) + 1):
        change, inputs = held(network, course(i * step))
        if any(abs(i * step - day) < step / 2 for day in days):
            out.append(network.effective(y, change)[at, 0])
        y = network.advanced(y, network.regulation(y, change, inputs, k), k, step)
    return np.array(out)


def loop_gain(network: Network, name: str) -> float:
    """Gain at health of all loops through a node: 1 - 1 / [(I - E)^-1] of it with itself."""
    e = jacobian(network, healthy_slopes(network, network.kinetics()))[0]
    return float(1 - 1 / np.linalg.inv(np.eye(len(e)) - e)[network.at[name], network.at[name]])


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
        change, inputs = held(network, {"bbb_permeability": leak})
        y, rests = stationary(network, change, lambda levels: inputs, network.kinetics())
        assert rests
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


@pytest.mark.parametrize("lesion", [{"microglial_priming": 3.0}, {"gr_function": 0.1}])
def test_inflammation_above_a_loop_gain_of_one_outlasts_its_trigger(network, lesion):
    """Reached only by a declared perturbation: primed microglia, or resistance to glucocorticoids."""
    peak, later = followed(
        network, ["microglial_activation"], (14, 600), lambda day: infected(day) | lesion, step=0.5
    )[:, 0]
    assert later > 0.8 * peak
    assert later < 1  # the limit of the index


def test_primed_microglia_stay_at_rest_without_a_trigger(network):
    """Hysteresis: one and the same brain rests or burns, by its history."""
    primed = {"microglial_priming": 2.4}
    rest = followed(network, ["microglial_activation"], (400,), lambda day: primed, step=0.5)
    burnt = followed(network, ["microglial_activation"], (400,), lambda day: infected(day) | primed, step=0.5)
    assert rest == pytest.approx(0)
    assert burnt > 0.3


def test_mitochondrial_damage_grows_more_than_in_proportion_and_settles(network):
    """Clearance of damaged genomes costs energy; the vicious cycle bends the curve and does not run away."""
    lesions = (0.9, 0.8, 0.6, 0.4)
    damage = np.array([
        followed(
            network, ["mtdna_damage"], (1460, 7300),
            lambda day, left=left: {"mitochondrial_function": left}, 2.0,
        )[:, 0]
        for left in lesions
    ])  # fmt: skip
    np.testing.assert_allclose(damage[:, 1], damage[:, 0], rtol=0.05)
    per_log = damage[:, 1] / -np.log(lesions)
    assert (np.diff(per_log) > 0).all()
    assert per_log[3] > 1.5 * per_log[1]
    assert 0 < loop_gain(network, "mtdna_damage") < 0.5


def test_mitochondria_and_microglia_amplify_each_other(network):
    """A joint lesion does more than the sum of its parts."""
    names = ("microglial_activation", "ros", "atp_production")
    weak, hot = {"mitochondrial_function": 0.5}, {"microglial_activation": 0.3}

    def burden(lesion: dict[str, float]) -> np.ndarray:
        values = followed(network, names, (300,), lambda day: lesion, step=0.5)[0]
        return np.array([values[0], np.log(values[1]), -np.log(values[2])])

    assert (burden(weak | hot) > np.array([1.1, 1.05, 1.02]) * (burden(weak) + burden(hot))).all()
