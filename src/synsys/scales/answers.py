"""Solving many perturbations of one brain, each draw once for all of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from synsys.brain.solution import Solution, solve
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain
from synsys.brain.state import State as BrainState
from synsys.core.errors import UserError
from synsys.knowledge.symptoms import SymptomTable, symptoms
from synsys.measures.readouts import circuits, microcircuit, readouts
from synsys.measures.systems import graph_readouts
from synsys.mind.coupling import PARAMETERS
from synsys.mind.readouts import available, mind_readouts
from synsys.mind.symptoms import lost, read_symptoms, readable, told_by
from synsys.scales.effects import LEAST_STABLE, difference, effect_row
from synsys.scales.people import person, spread
from synsys.scales.questions import State
from synsys.scales.runs import Runner

RATIOS = ("small_worldness", "rich_club")
"""Graph measures that are ratios to null graphs."""
LOCAL = frozenset(
    {
        "pyramidal_activity", "pv_rate", "sst_rate", "inhibitory_tone", "ei_ratio", "nmda_drive_to_pv",
        "pv_interneuron_function", "synaptic_gain", "synaptic_strength", "neuronal_excitability",
        "resting_potential", "intracellular_calcium", "neurotransmitter_release", "glutamate_release",
        "cortical_noise", "pyr_pv_coordination", "signalling_fidelity", "ofc_activity", "acc_activity",
        "dlpfc_activity", "vmpfc_activity", "sn_activity", "thalamic_activity", "hippocampal_activity",
        "control_motor_network_activity", "striatal_activity", "striatal_gating", "reward_circuit_activity",
        "gpi_activity", "amygdala_reactivity", "topdown_control", "thalamocortical_feedback",
    }
)  # fmt: skip
"""Readouts of the operating point and of single regions, which need no spectra of the whole brain."""
GRAPHS = (
    "global_efficiency", "local_efficiency", "clustering", "modularity", "network_integration",
    "participation", "hub_centrality", "hub_vulnerability", "betweenness", "assortativity",
    "network_resilience", *RATIOS,
)  # fmt: skip
"""Readouts that need the graph of a state."""


ON_THE_WAY = ("pyramidal_activity", "pv_rate", "sst_rate", "ei_ratio", "synaptic_gain", "network_stability")
"""Readouts that explain others; known of every state, the last where spectra are solved."""
FEW = 32
"""Draws that do for what is told but not scored."""
LOCATED = 2
"""Draws in which an instability is located; in the others it is only found, which is ten times faster."""


@dataclass(frozen=True)
class Plan:
    """What every draw solves.

    Attributes
    ----------
    states : tuple of State
    first : tuple of frozenset of str
        Readouts asked of each state in the first `FEW` draws; `ON_THE_WAY` are given as well.
    later : tuple of frozenset of str
        The same in all other draws; a state of which nothing is asked is not solved there.
    nulls : DataFrame or None
        Null graphs that `RATIOS` refer to.
    """

    states: tuple[State, ...]
    first: tuple[frozenset[str], ...]
    later: tuple[frozenset[str], ...]
    nulls: pd.DataFrame | None = None


@dataclass(frozen=True)
class Answer:
    """One state in one draw."""

    stable: bool
    inert: bool
    reason: str
    values: dict[str, float]


def computed(runner: Runner) -> tuple[set[str], np.ndarray]:
    """Readouts of this brain, and its connectivity (R, R) in the first draw that is stable.

    Raises
    ------
    UserError
        If the healthy brain is stable in no draw.
    """
    for draw in runner.draws:
        outcome, _ = runner.outcome(HealthyBrain(runner.model, draw).state, None)
        if outcome.fc is not None:
            fc = outcome.fc.astype(float)
            graphs = graph_readouts(fc[None], runner.atlas)
            mind = mind_readouts(HealthyBrain(runner.model, draw).state, runner.atlas, runner.seed)
            known = {*outcome.values, *(set(graphs.columns) & set(GRAPHS)), *RATIOS, *mind}
            return known | readable(symptoms(), known), fc
    raise UserError(f"{runner.model.brain.name}: the healthy brain is unstable in every draw")


def draw_answers(runner: Runner, k: int, plan: object) -> list[Answer | None] | None:
    """Reference, healthy person and every state of a plan in draw `k`; None if health is unstable there.

    A state that is not solved in this draw is None.
    """
    assert isinstance(plan, Plan)
    draw, asked = runner.draws[k], plan.first if k < FEW else plan.later
    everything = frozenset[str]().union(*asked)
    healthy = HealthyBrain(runner.model, draw)
    solution = solve(healthy.state, runner.grid)
    if not stability(healthy.state, solution.response, False).stable:
        return None
    other = person(healthy, (runner.seed, k))
    out: list[Answer | None] = [
        _measured(runner, solution, everything, plan),
        _answer(runner, other, everything, plan, solution, False),
    ]
    for state, wanted in zip(plan.states, asked, strict=True):
        if not wanted:
            out.append(None)
            continue
        brain = healthy.perturbed(state)
        if _unmoved(brain, healthy.state):
            out.append(Answer(True, True, "", {}))
        else:
            out.append(_answer(runner, brain, wanted, plan, solution, k < LOCATED))
    return out


def _answer(
    runner: Runner, state: BrainState, wanted: frozenset[str], plan: Plan, reference: Solution, locate: bool
) -> Answer:
    """One state: `LOCAL` readouts without solving for spectra, if no other is wanted."""
    if state.restless:
        return Answer(False, False, state.restless, {})
    local = wanted - available() <= LOCAL
    solution = None if local else solve(state, runner.grid, reference.noise)
    found = stability(state, solution.response if solution else None, locate)
    if not found.stable:
        return Answer(False, False, found.reason, {})
    if solution:
        return _measured(runner, solution, wanted, plan)
    bare = replace(reference, state=state)  # its spectra are those of health, and are not looked at
    values = microcircuit(bare, runner.atlas) | circuits(bare, runner.atlas)
    values |= mind_readouts(state, runner.atlas, runner.seed, wanted)
    return Answer(True, False, "", _kept(values, wanted))


def _measured(runner: Runner, solution: Solution, wanted: frozenset[str], plan: Plan) -> Answer:
    values = readouts(solution, runner.atlas)
    values |= mind_readouts(solution.state, runner.atlas, runner.seed, wanted)
    if wanted & set(GRAPHS):
        with np.errstate(divide="ignore", invalid="ignore"):  # no triangles in a null graph: undefined, NaN
            row = graph_readouts(solution.fc[None], runner.atlas, plan.nulls).iloc[0]
        values |= {str(name): float(value) for name, value in row.items() if name in GRAPHS}
    return Answer(True, False, "", _kept(values, wanted))


def _kept(values: dict[str, float], wanted: frozenset[str]) -> dict[str, float]:
    return {name: float(values[name]) for name in (*wanted, *ON_THE_WAY) if name in values}


def _unmoved(brain: BrainState, healthy: BrainState) -> bool:
    """Whether every number of the circuit and of inference is as in health."""
    if brain.moved is not None and not brain.moved.touched.isdisjoint(PARAMETERS):
        return False
    same = zip(vars(brain.parameters).values(), vars(healthy.parameters).values(), strict=True)
    rest = ("coupling", "noise", "speed", "vascular")
    return all(np.array_equal(a, b) for a, b in same) and all(
        np.array_equal(getattr(brain, name), getattr(healthy, name)) for name in rest
    )


def solve_plan(runner: Runner, plan: Plan, progress: Callable[[int, int], None] | None = None) -> "Answers":
    """Solve a plan in every draw.

    Parameters
    ----------
    runner : Runner
    plan : Plan
    progress : callable, optional
        Called with (draws done, draws).
    """
    found: list[list[Answer | None]] = []
    if plan.states:
        for done, answers in enumerate(runner.each(draw_answers, plan), 1):
            if answers is not None:
                found.append(answers)  # type: ignore[arg-type]
            if progress:
                progress(done, len(runner.draws))
    return Answers(plan.states, found)


class Answers:
    """Effects of every solved state on every readout.

    Parameters
    ----------
    states : sequence of State
    draws : list of list of Answer or None
        Reference, person and every state, for each draw in which health is stable.
    table : SymptomTable, optional
        How symptoms are read; the one that comes with the package by default.
    """

    def __init__(
        self,
        states: Sequence[State],
        draws: Sequence[Sequence[Answer | None]],
        table: SymptomTable | None = None,
    ) -> None:
        self._at = {state: i for i, state in enumerate(states)}
        self._draws = draws
        self._table = table or symptoms()

    def answers(self, state: State) -> list[Answer]:
        """One state in every draw in which it was solved."""
        solved = (draw[2 + self._at[state]] for draw in self._draws)
        return [answer for answer in solved if answer is not None]

    def inert(self, state: State) -> bool:
        """Whether a state differs from health in no number of the circuit."""
        return all(answer.inert for answer in self.answers(state))

    def stable(self, state: State) -> float:
        """Share of draws in which a state is stable."""
        return float(np.mean([answer.stable for answer in self.answers(state)]))

    def instability(self, state: State) -> str:
        """The most frequent reason why a state is unstable, one with a place if any draw has been located."""
        reasons = [answer.reason for answer in self.answers(state) if not answer.stable]
        told = [reason for reason in reasons if " in " in reason] or reasons
        return Counter(told).most_common(1)[0][0] if told else ""

    def effect(self, readout: str, states: Sequence[State]) -> dict[str, Any]:
        """Effect on a readout over the draws of all `states` pooled.

        A row of the table of `cascade.effects`: among others ``effect``, ``log_ratio``, ``d`` and ``p_sign``
        (probability that it is positive). States that are unstable in most draws are left out.
        """

        if readout not in self._table.rows:
            return effect_row(readout, *self._columns(readout, states), "emergent", "")
        values = {n: self._columns(n, states) for n in told_by(self._table.sources(readout))}
        changes = lost({name: difference(name, *columns) for name, columns in values.items()}, values)
        change = read_symptoms(self._table, changes, spread).get(readout)
        nothing = np.full(len(self._draws) * len(states), np.nan)
        after, people = (nothing, nothing) if change is None else (change.patient, change.people)
        return effect_row(readout, 0.0 * after, after, people, "emergent", "")

    def _columns(self, readout: str, states: Sequence[State]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Readout before, after and of people, over the draws of all states."""

        def column(place: int) -> np.ndarray:
            found = (draw[place] for draw in self._draws)
            return np.array([np.nan if a is None else a.values.get(readout, np.nan) for a in found])

        after = np.concatenate(
            [
                column(0) if self.inert(s) else column(2 + self._at[s]) * (1.0 if self.enough(s) else np.nan)
                for s in states
            ]
        )
        before, people = (np.tile(column(place), len(states)) for place in (0, 1))
        return before, after, people

    def enough(self, state: State) -> bool:
        """Whether a state is stable in so many draws that its effects count."""
        return self.stable(state) >= LEAST_STABLE
