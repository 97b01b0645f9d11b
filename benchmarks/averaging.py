"""The two clocks against the circuit integrated together with its slow molecules.

A few cortical regions, homeostatic scaling and GAD67 expression that follow their firing, and AMPA
receptors lost for good at day 0. The averaged system is solved by `synsys.scales.clock`; the other by
Euler's method in milliseconds, a day of slow time lasting the given number of seconds of fast time. The
averaged solution is the limit of many seconds to a day; its error should fall in proportion to their number.

    python benchmarks/averaging.py > benchmarks/results/averaging.md
"""

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.multipliers import multiplied
from synsys.brain.slow import SlowBrain
from synsys.brain.state import HealthyBrain
from synsys.circuit.drift import drift, firing
from synsys.core.perturbation import Perturbation
from synsys.core.scenario import Event, Scenario
from synsys.data.embedded import load_embedded
from synsys.knowledge.signaling import edges, nodes
from synsys.scales.ages import Ages
from synsys.scales.clock import TwoClocks

REGIONS = ("L.superiorfrontal", "L.rostralmiddlefrontal", "L.lateraloccipital", "R.superiorfrontal")
NODES = ("homeostatic_scaling", "gad1_expression")
CHANGE = Perturbation("ampa_conductance", 0.9)
DAYS, STEP, HELD = 2.0, 0.25, 5.0
"""Days; step of the fast system and time for which the slow state is held, ms."""
SECONDS = (4, 8, 16, 32)


def brain() -> HealthyBrain:
    """Regions with those slow nodes alone that read nothing but firing."""
    model = BrainModel(load_embedded().part(REGIONS))
    read = [e for e in edges() if e.target in NODES and e.source == "fast:e_rate"]
    model.__dict__["slow_brain"] = SlowBrain(model.places, {name: nodes()[name] for name in NODES}, read)
    return HealthyBrain(model, Draw(None), feedback=False)


def averaged(healthy: HealthyBrain, times: np.ndarray) -> np.ndarray:
    """Brain means of the slow nodes by the two clocks, (times, nodes)."""
    event = Event("loss", CHANGE)
    scenario = Scenario("averaging", "", DAYS, (event,), report=tuple(times[1:-1]))
    ages = Ages(healthy.model, healthy.draw, scenario)
    ages.__dict__["adult"] = healthy
    course = TwoClocks(scenario, ages, tolerance=1e-5).run()
    return np.stack([np.interp(times, course.time, level) for level in np.array(course.levels).T], 1)


def together(healthy: HealthyBrain, times: np.ndarray, seconds: float) -> np.ndarray:
    """The same with the circuit integrated along, a day lasting some seconds."""
    model, base, slow = healthy.model, healthy.state, healthy.model.slow_brain
    network, kinetics = slow.network, healthy.kinetics
    moved = healthy.moved([CHANGE], sized=False)
    change, y, x = slow.change(moved), network.healthy(), base.point.x.copy()
    rested = np.log(firing(base.point.x[:, 0], base.parameters))
    days = HELD / (1e3 * seconds)
    out = [y @ network.share]
    for n in range(round(DAYS / days)):
        applied = slow.applied(moved, y)
        applied.propagate(healthy.draw.strength, healthy.draw.factors)
        p, coupling = multiplied(base.parameters, base.coupling, applied.values, model.slot_mask)
        for _ in range(round(HELD / STEP)):
            x = x + STEP * drift(x, p, coupling * healthy.wiring.collect(healthy.wiring.gates(x)))
        rate = (np.log(firing(x[:, 0], p)) - rested)[:, 0]
        inputs = slow.inputs(applied, {"fast:e_rate": rate})
        y = network.advanced(y, network.regulation(y, change, inputs, kinetics), kinetics, days)
        if np.any(np.isclose((n + 1) * days, times)):
            out.append(y @ network.share)
    return np.array(out)


def main() -> None:
    """Print the table."""
    healthy, times = brain(), np.linspace(0.0, DAYS, 9)
    reference = averaged(healthy, times)
    print("# Averaging\n")
    print("Largest error of the two clocks over two days after a lasting loss of a tenth of the AMPA")
    print("conductance, against the circuit integrated with its molecules (`averaging.py`).")
    reached = ", ".join(f"{n} {v:.4f}" for n, v in zip(NODES, reference[-1], strict=True))
    print(f"Averaged: {reached} on day 2.\n")
    print("| seconds to a day | " + " | ".join(NODES) + " | ratio to the row above |")
    print("|---|" + "---|" * (len(NODES) + 1))
    before = None
    for seconds in SECONDS:
        error = np.abs(together(healthy, times, seconds) - reference).max(0)
        ratio = "" if before is None else f"{error[0] / before[0]:.2f}"
        print(f"| {seconds} | " + " | ".join(f"{e:.2e}" for e in error) + f" | {ratio} |", flush=True)
        before = error


if __name__ == "__main__":
    main()
