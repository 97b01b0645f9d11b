"""The two clocks: exact health, order of convergence, limits, jumps, and averaging."""

from dataclasses import replace

import numpy as np
import pytest

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.state import HealthyBrain
from synsys.core.perturbation import Perturbation
from synsys.core.scenario import Course as Level
from synsys.core.scenario import Event, Scenario
from synsys.data.embedded import load_embedded
from synsys.knowledge.signaling import Edge, Node
from synsys.scales.ages import Ages
from synsys.scales.clock import TOLERANCE, Course, TwoClocks
from synsys.signaling.network import Network
from synsys.signaling.rest import Step, worst

REGIONS = ("L.superiorfrontal", "L.rostralmiddlefrontal", "L.lateraloccipital", "R.superiorfrontal")
LOSS = Perturbation("ampa_conductance", 0.9)
EVIDENCE = ("derived", "C", "hypothesis: test")


@pytest.fixture(scope="module")
def adult() -> HealthyBrain:
    return HealthyBrain(BrainModel(load_embedded().part(REGIONS)), Draw(None))


def clocks(adult: HealthyBrain, scenario: Scenario, tolerance: float = TOLERANCE) -> TwoClocks:
    ages = Ages(adult.model, adult.draw, scenario)
    ages.__dict__["adult"] = adult
    return TwoClocks(scenario, ages, tolerance=tolerance)


def lasting(change: Perturbation, days: float, **more: object) -> Scenario:
    return Scenario("test", "", days, (Event("change", change, Level(end=more.pop("end", np.inf))),), **more)


def departure(network: Network, z: np.ndarray) -> np.ndarray:
    """Logarithm of fold nodes, deviation of the others; z (S, ...)."""
    fold = network.fold[:, 0]
    out = z.copy()
    out[fold] = np.log(z[fold])
    return out


def at_end(course: Course, network: Network) -> np.ndarray:
    return departure(network, course.levels[-1])


def test_health_stays_as_it_is(adult) -> None:
    clock = clocks(adult, Scenario("health", "", 365.0, report=(100.0, 365.0)))
    course = clock.run()
    for levels in course.reports.values():
        np.testing.assert_array_equal(levels, clock.network.healthy())
    assert not course.rejected
    assert course.steps < 20
    assert course.solved <= 1


def logistic(steepness: float) -> tuple[Network, np.ndarray]:
    """A chain a -> b driven by an input; b acts back on the loss of a."""

    def node(name: str, tau: float) -> Node:
        return Node(name, "fold", "and", 0.1, tau, 0.5, "brain", *EVIDENCE)

    def edge(source: str, target: str, strength: float, acts_on: str = "production") -> Edge:
        return Edge(
            f"{source}->{target}", source, target, acts_on, strength, 0.1, True, (), (), False, *EVIDENCE, 3.0
        )

    rows = {"a": node("a", 1.0), "b": node("b", 0.3)}
    regulators = [
        edge("x", "a", 0.8), edge("a", "b", steepness), edge("b", "a", 0.5, "loss"),
    ]  # fmt: skip
    network = Network(lambda names: np.ones(2, bool), np.ones(2), rows, regulators)
    return network, np.array([[0.05, 1.0]])


@pytest.mark.parametrize("steepness", [1e-6, 0.9])
@pytest.mark.parametrize("exact_slopes", [True, False])
def test_halving_the_step_quarters_the_error(steepness, exact_slopes) -> None:
    """Second order whatever the Jacobian: regions of different input share one here."""
    network, inputs = logistic(steepness)
    k, none = network.kinetics(), np.zeros((2, 2))

    def end(steps: int) -> np.ndarray:
        step, y = Step(network, k), network.healthy()
        if not exact_slopes:
            step(y, none, none, inputs, lambda _: inputs, 2.0 / steps)
            step._inverse = step._inverse * 0 + np.eye(2)
        for _ in range(steps):
            y, _ = step(y, none, none, inputs, lambda _: inputs, 2.0 / steps)
            step._age = 0
        return y

    reference = end(1024)
    errors = [np.abs(end(n) - reference).max() for n in (16, 32, 64)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.25)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.25)


def test_what_decays_within_a_step_does_not_bound_it() -> None:
    network, inputs = logistic(0.9)
    fast = replace(network.kinetics(), tau=np.array([[1.0], [1e-5]]))
    none = np.zeros((2, 2))
    y, error = Step(network, fast)(network.healthy(), none, none, inputs, lambda _: inputs, 0.02)
    assert worst(error) < 1e-3
    follows = network.regulation(y, none, inputs, fast)
    np.testing.assert_allclose(y[1], (follows[0] / follows[1])[1], rtol=5e-3)


def test_report_times_change_no_result(adult) -> None:
    ends = []
    for report in ((), (0.7, 1.9, 3.3)):
        clock = clocks(adult, lasting(LOSS, 5.0, report=report))
        ends.append(at_end(clock.run(), clock.network))
    np.testing.assert_allclose(*ends, atol=2 * TOLERANCE)


def test_tighter_tolerances_converge(adult) -> None:
    ends = []
    for tolerance in (TOLERANCE, 1e-3, 1e-4):
        clock = clocks(adult, lasting(LOSS, 3.0), tolerance)
        ends.append(at_end(clock.run(), clock.network))
    loose, tight = (np.abs(end - ends[2]).max() for end in ends[:2])
    assert loose < 2 * TOLERANCE
    assert tight < 0.5 * loose


def test_without_feedback_time_ends_where_the_chronic_state_is(adult) -> None:
    change = Perturbation("bdnf", 0.7)
    clock = clocks(adult, lasting(change, 400_000.0, recursive=False))
    course, state = clock.run(), adult.perturbed([change], sized=False)
    network = clock.network
    moved = adult.moved([change], sized=False)
    z = network.effective(state.levels, clock.slow.change(moved)) @ network.share
    reached = at_end(course, network)
    assert np.abs(reached).max() > 0.3
    np.testing.assert_allclose(reached, departure(network, z), atol=5e-3)


def test_health_returns_when_a_drug_has_washed_out(adult) -> None:
    drug = Perturbation("nmda_occupancy", 0.3, "+")
    clock = clocks(adult, lasting(drug, 1500.0, end=2.0))
    course = clock.run()
    away = np.abs(departure(clock.network, np.array(course.levels).T))
    assert away[:, np.searchsorted(course.time, 2.0)].max() > 0.1
    assert away[:, -1].max() < 0.02


def test_jumps_are_landed_on(adult) -> None:
    clock = clocks(adult, lasting(Perturbation("cortisol", 1.5, "+"), 3.0, end=1.234, recursive=False))
    course = clock.run()
    i = clock.network.at["cortisol"]
    time, level = np.array(course.time), np.array(course.levels)[:, i]
    assert 1.234 in time
    before, after = level[time == 1.234][0], level[time == 1.234 + 1e-9][0]
    assert before - after == pytest.approx(1.5)
    assert level[0] == 0.0
    assert level[1] == pytest.approx(1.5)
