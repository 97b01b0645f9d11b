"""Solving many perturbations of one brain, each draw once for all of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synsys.brain.state import HealthyBrain
from synsys.brain.state import State as BrainState
from synsys.core.errors import UserError
from synsys.measures.readouts import graph_readouts
from synsys.scales.cascade import LEAST_STABLE, _effect
from synsys.scales.people import person
from synsys.scales.questions import State
from synsys.scales.runs import Outcome, Runner

RATIOS = ("small_worldness", "rich_club")
"""Graph measures that are ratios to null graphs."""
GRAPHS = (
    "global_efficiency", "local_efficiency", "clustering", "modularity", "network_integration",
    "participation", "hub_centrality", "hub_vulnerability", "betweenness", "assortativity",
    "network_resilience", *RATIOS,
)  # fmt: skip
"""Readouts that need the graph of a state."""


@dataclass(frozen=True)
class Plan:
    """What every draw solves."""

    states: tuple[State, ...]
    graphs: tuple[bool, ...]
    nulls: pd.DataFrame | None


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
            return {*outcome.values, *(set(graphs.columns) & set(GRAPHS)), *RATIOS}, fc
    raise UserError(f"{runner.model.brain.name}: the healthy brain is unstable in every draw")


def draw_answers(runner: Runner, k: int, plan: object) -> list[Answer] | None:
    """Reference, healthy person and every state of a plan in draw `k`; None if health is unstable there."""
    assert isinstance(plan, Plan)
    draw = runner.draws[k]
    healthy = HealthyBrain(runner.model, draw)
    reference, solution = runner.outcome(healthy.state, None)
    if solution is None:
        return None
    other, _ = runner.outcome(person(runner.model, draw, hash((runner.seed, k)) & 0x7FFFFFFF), solution)
    graphs = any(plan.graphs)
    out = [_answer(runner, reference, plan, graphs), _answer(runner, other, plan, graphs)]
    for state, graph in zip(plan.states, plan.graphs, strict=True):
        brain = healthy.perturbed(state)
        if _unmoved(brain, healthy.state):
            out.append(Answer(True, True, "", {}))
        else:
            out.append(_answer(runner, runner.outcome(brain, solution)[0], plan, graph))
    return out


def _answer(runner: Runner, outcome: Outcome, plan: Plan, graph: bool) -> Answer:
    values = dict(outcome.values)
    if graph and outcome.fc is not None:
        row = graph_readouts(outcome.fc[None].astype(float), runner.atlas, plan.nulls).iloc[0]
        values |= {str(name): float(value) for name, value in row.items() if name in GRAPHS}
    return Answer(outcome.stable, False, outcome.reason, values)


def _unmoved(brain: BrainState, healthy: BrainState) -> bool:
    """Whether every number of the circuit is as in health."""
    same = zip(vars(brain.parameters).values(), vars(healthy.parameters).values(), strict=True)
    rest = ("coupling", "noise", "speed", "vascular")
    return all(np.array_equal(a, b) for a, b in same) and all(
        np.array_equal(getattr(brain, name), getattr(healthy, name)) for name in rest
    )


class Answers:
    """Effects of every solved state on every readout.

    Parameters
    ----------
    runner : Runner
    plan : Plan
    progress : callable, optional
    """

    def __init__(self, runner: Runner, plan: Plan, progress: Callable[[int, int], None] | None) -> None:
        self._at = {state: i for i, state in enumerate(plan.states)}
        self._draws: list[list[Answer]] = []
        if not plan.states:
            return
        for done, found in enumerate(runner.each(draw_answers, plan), 1):
            if found is not None:
                self._draws.append(found)  # type: ignore[arg-type]
            if progress:
                progress(done, len(runner.draws))

    def answers(self, state: State) -> list[Answer]:
        """One state in every draw."""
        return [draw[2 + self._at[state]] for draw in self._draws]

    def inert(self, state: State) -> bool:
        """Whether a state differs from health in no number of the circuit."""
        return all(answer.inert for answer in self.answers(state))

    def stable(self, state: State) -> float:
        """Share of draws in which a state is stable."""
        return float(np.mean([answer.stable for answer in self.answers(state)]))

    def instability(self, state: State) -> str:
        """The most frequent reason why a state is unstable."""
        reasons = Counter(answer.reason for answer in self.answers(state) if not answer.stable)
        return reasons.most_common(1)[0][0] if reasons else ""

    def effect(self, readout: str, states: Sequence[State]) -> dict[str, Any]:
        """Effect on a readout over the draws of all `states` pooled.

        A row of the table of `cascade.effects`: among others ``effect``, ``log_ratio``, ``d`` and ``p_sign``
        (probability that it is positive). States that are unstable in most draws are left out.
        """

        def column(place: int) -> np.ndarray:
            return np.array([draw[place].values.get(readout, np.nan) for draw in self._draws])

        after = np.concatenate(
            [
                column(0) if self.inert(s) else column(2 + self._at[s]) * (1.0 if self.enough(s) else np.nan)
                for s in states
            ]
        )
        before, people = (np.tile(column(place), len(states)) for place in (0, 1))
        return _effect(readout, before, after, people, "emergent", "")

    def enough(self, state: State) -> bool:
        """Whether a state is stable in so many draws that its effects count."""
        return self.stable(state) >= LEAST_STABLE
