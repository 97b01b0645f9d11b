"""Solving a brain in many states and draws, on one or several processes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from os import cpu_count
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from synsys.brain.bold import observed_fc
from synsys.brain.draws import Draw, draws
from synsys.brain.solution import COARSE, FINE, Grid, Solution, solve
from synsys.brain.stability import stability
from synsys.brain.state import BrainModel, HealthyBrain, State
from synsys.core.connectome import Connectome
from synsys.core.perturbation import Perturbation
from synsys.knowledge.load import vocabulary
from synsys.measures.readouts import readouts
from synsys.measures.systems import Atlas
from synsys.scales.people import person


@dataclass(frozen=True)
class Outcome:
    """What one state of one draw gave.

    Attributes
    ----------
    stable : bool
    reason : str
        Why not, if not stable.
    values : dict
        Readouts; empty when unstable.
    rates : ndarray, (N, 3)
        Firing rates of every node, Hz.
    psd : ndarray or None
        (F, R) power, float32; None when unstable.
    fc, fc_noiseless, fc_global_regressed : ndarray or None
        (R, R) connectivity in the ways of `core.schema.OBSERVATIONS`, float32; None when unstable.
    touched : dict
        Mean value of every variable that links moved, over the populations where it moved.
    rebalanced, tempered : ndarray of bool, (N,), or None
        Nodes whose healthy state, from which this one follows, needed more inhibition or flatter maps
        (`brain.state.HealthyBrain`).
    """

    stable: bool
    reason: str
    values: dict[str, float]
    rates: np.ndarray
    psd: np.ndarray | None = None
    fc: np.ndarray | None = None
    fc_noiseless: np.ndarray | None = None
    fc_global_regressed: np.ndarray | None = None
    touched: dict[str, float] = field(default_factory=dict)
    rebalanced: np.ndarray | None = None
    tempered: np.ndarray | None = None


class Runner:
    """A brain, its draws and its healthy references, ready to solve perturbations.

    Parameters
    ----------
    brain : Connectome
    n : int
        Draws.
    seed : int
    fine : bool
        Full spectra (`FINE`) or the quick grid (`COARSE`).
    beta : float
        Factor on the slopes of regional maps; 0 makes regions alike.
    jobs : int or None
        Processes; None takes all cores, at most 8.
    """

    def __init__(
        self,
        brain: Connectome,
        n: int,
        seed: int = 0,
        fine: bool = True,
        beta: float = 1.0,
        jobs: int | None = None,
    ) -> None:
        self.model = BrainModel(brain)
        self.draws: list[Draw] = draws(n, seed, beta)
        self.seed = seed
        self.grid = Grid(self.model, FINE if fine else COARSE)
        self.atlas = Atlas(self.grid)
        self.quick = Grid(self.model, COARSE) if fine else self.grid
        self._located = False
        self.jobs = max(1, min(jobs or cpu_count() or 1, 8, n))

    def each(
        self, task: Callable[["Runner", int, object], object], argument: object = None
    ) -> Iterator[object]:
        """Results of `task(runner, draw, argument)` for every draw, in order."""
        numbers = range(len(self.draws))
        if self.jobs == 1:
            with threadpool_limits(1):
                for k in numbers:
                    yield task(self, k, argument)
            return
        with ProcessPoolExecutor(self.jobs, get_context("fork"), _start, (self,)) as pool:
            yield from pool.map(_run, [(task, k, argument) for k in numbers])

    def glance(self, state: State, reference: Solution) -> Outcome:
        """Readouts of a healthy person, on the quick grid."""
        if not state.point.converged:
            return Outcome(False, "no state of rest", {}, state.rates)
        solution = solve(state, self.quick, reference.noise)
        if not stability(state, solution.response, locate=False).stable:
            return Outcome(False, "unstable", {}, state.rates)
        return Outcome(True, "", readouts(solution, self.atlas, None), state.rates, **_observed(solution))

    def outcome(self, state: State, reference: Solution | None) -> tuple[Outcome, Solution | None]:
        """Solve one state; an unstable one is named and gets no spectra."""
        if not state.point.converged:
            return _unstable(
                state, f"no state of rest was found (residual {state.point.residual:.2g} mV)"
            ), None
        solution = solve(state, self.grid, reference.noise if reference else None)
        verdict = stability(state, solution.response, locate=not self._located)
        if not verdict.stable:
            self._located = True  # one place is enough to name, and the search is slow
            return _unstable(state, verdict.reason), None
        return Outcome(
            True,
            "",
            readouts(solution, self.atlas, reference),
            state.rates,
            solution.psd.astype(np.float32),
            touched=touched(state),
            **_observed(solution),
            **_adjusted(state),
        ), solution


def _unstable(state: State, reason: str) -> Outcome:
    return Outcome(False, reason, {}, state.rates, touched=touched(state), **_adjusted(state))


def _adjusted(state: State) -> dict[str, Any]:
    return {"rebalanced": state.healthy.rebalanced.any(-1), "tempered": state.healthy.tempered}


def _observed(solution: Solution) -> dict[str, Any]:
    return {k: m.astype(np.float32) for k, m in observed_fc(solution.covariance, solution.noise).items()}


PEOPLE = 24
"""Healthy people that are solved, one for each of the first draws."""
NOBODY = Outcome(False, "not solved", {}, np.empty(0))

_RUNNER: list[Runner] = []


def _start(runner: Runner) -> None:
    _RUNNER[:] = [runner]
    threadpool_limits(1)


def _run(job: tuple[Callable, int, object]) -> object:
    task, k, argument = job
    return task(_RUNNER[0], k, argument)


def reference_and_changes(runner: Runner, k: int, changes: object) -> list[Outcome]:
    """Reference, healthy person, then every set of perturbations of `changes`, for draw `k`."""
    draw = runner.draws[k]
    healthy = HealthyBrain(runner.model, draw)
    reference, solution = runner.outcome(healthy.state, None)
    out = [reference, NOBODY]
    if k < PEOPLE and solution is not None:
        out[1] = runner.glance(person(runner.model, draw, seed=1000 * runner.seed + k), solution)
    for perturbations in changes or []:  # type: ignore[attr-defined]
        out.append(runner.outcome(healthy.perturbed(perturbations), solution)[0])
    return out


def touched(state: State) -> dict[str, float]:
    """Mean value of every variable that was moved, over the populations where it moved."""
    if state.modulation is None:
        return {}
    out = {}
    for name in state.modulation.touched:
        row = vocabulary().get(name)
        if row is not None:
            value = state.modulation.value(name)
            moved = value != (1.0 if row.multiplies else (row.healthy or 0.0))
            out[name] = float(value[moved].mean()) if moved.any() else float(value.mean())
    return out


def solve_all(
    runner: Runner,
    changes: Sequence[Sequence[Perturbation]],
    progress: Callable[[int, int], None] | None = None,
) -> list[list[Outcome]]:
    """Outcomes [draw][reference, person, *changes]."""
    out = []
    for done, outcomes in enumerate(runner.each(reference_and_changes, [tuple(c) for c in changes]), 1):
        out.append(outcomes)
        if progress:
            progress(done, len(runner.draws))
    return out  # type: ignore[return-value]
