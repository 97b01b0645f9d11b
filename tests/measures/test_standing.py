"""What merely restates a conductance is found by holding everything that the dynamics answer at health."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from synsys.brain.draws import Draw
from synsys.brain.fixed import OperatingPoint, arriving
from synsys.brain.model import BrainModel
from synsys.brain.multipliers import events, multiplied, noise_factor
from synsys.brain.solution import COARSE, Grid, Solution
from synsys.brain.state import HealthyBrain, State
from synsys.data.embedded import load_embedded
from synsys.knowledge.load import vocabulary
from synsys.measures.readouts import circuits, microcircuit
from synsys.measures.standing import RESTATED
from synsys.measures.systems import Atlas

MODEL = BrainModel(load_embedded())
GRID = Grid(MODEL, COARSE)
ATLAS = Atlas(GRID)
ONE = np.ones((len(MODEL.wiring.nodes), 3))


class Asked(dict):
    """Values of variables that note which names are asked for."""

    def __init__(self, values) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, key, default=None):
        self.names.add(key)
        return super().get(key, default)


def without_dynamics(brain: HealthyBrain, values: dict[str, np.ndarray]) -> dict[str, float]:
    """Readouts with moved conductances, release and noise, but healthy potentials, rates, gates and response.

    Synaptic gating is release times the healthy rate; thresholds stay, as only rates read them.
    """
    base, mask = brain.state, MODEL.slot_mask
    p, coupling = multiplied(base.parameters, base.coupling, values, mask)
    p = replace(p, theta=base.parameters.theta)
    x = base.point.x.copy()
    x[:, 1:3] *= (p.release / base.parameters.release)[:, None]
    point = OperatingPoint(x, arriving(x, brain.wiring, coupling), 0.0, True)
    noise = brain.noise * noise_factor(values, mask, ONE.shape)
    slow = events(values, mask, ONE)[0] * values.get("noise_amplitude", ONE)
    state = State(p, coupling, point, noise, slow, base.speed, base.vascular, None, brain)
    moved = replace(base.linear, coupling=coupling, noise=noise, slow=slow * base.linear.slow)
    vars(state).update(rates=base.rates, linear=moved)
    solution = cast(Solution, SimpleNamespace(state=state, grid=GRID))
    return microcircuit(solution, ATLAS) | circuits(solution, ATLAS)


@pytest.mark.parametrize("member", [None, 0, 5])
def test_what_changes_without_dynamics_is_what_restates(member: int | None) -> None:
    """Every quantity that the equations read, raised alone: RESTATED lists what follows, and which way."""
    brain = HealthyBrain(MODEL, Draw(member))
    asked = Asked({"noise_amplitude": ONE})
    healthy = without_dynamics(brain, asked)
    assert {"ampa_conductance", "nmda_occupancy", "gad1_expression", "na_conductance"} <= asked.names
    found: dict[str, dict[str, int]] = {}
    for name in asked.names:
        row = vocabulary()[name]
        raised = 1.1 * ONE if row.multiplies else (row.healthy or 0.0) + 0.1 * ONE
        for readout, value in without_dynamics(brain, {name: raised}).items():
            if readout != name and abs(value - healthy[readout]) > 1e-9 * abs(healthy[readout]):
                found.setdefault(readout, {})[name] = int(np.sign(value - healthy[readout]))
    assert {r: set(names) for r, names in found.items()} == {r: set(names) for r, names in RESTATED.items()}
    for readout, names in RESTATED.items():
        for name, sign in names.items():
            assert sign in (0, found[readout][name]), (readout, name)
