"""A scenario over time: every draw integrated on two clocks, measured at its report times."""

import json
import pickle
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from multiprocessing import Array
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import synsys
from synsys.brain.modulation import selection
from synsys.brain.state import State
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.output import write_whole
from synsys.core.scenario import Scenario
from synsys.knowledge.resolve import resolved
from synsys.knowledge.scenarios import REPORTS, open_scenario
from synsys.measures.systems import graph_readouts
from synsys.scales import time_tree as groups
from synsys.scales.ages import Ages
from synsys.scales.cascade import open_brain
from synsys.scales.clock import TwoClocks
from synsys.scales.describe import created, digests
from synsys.scales.people import person
from synsys.scales.runs import Runner

COMPARED = 2
"""Draws that are run once more without feedback, to say what it changes."""


@dataclass(frozen=True)
class DrawCourse:
    """One draw of a scenario.

    Attributes
    ----------
    time, levels : ndarray, (steps,) and (steps, S)
        Accepted steps, days, and effective levels, mean over the brain.
    regions : ndarray, (T, S, N)
        Effective levels at report times, float32.
    reference, perturbed : list of dict, one a report time
        Readouts; empty where the state is unstable or not born.
    person : dict
        Readouts of a healthy person at the start.
    facts : dict
        What the solver says of itself.
    final : dict
        Readouts at the end without feedback; empty where that was not run.
    """

    time: np.ndarray
    levels: np.ndarray
    regions: np.ndarray
    reference: list[dict[str, float]]
    perturbed: list[dict[str, float]]
    person: dict[str, float]
    facts: dict[str, Any]
    final: dict[str, float]


def trajectory(
    scenario: Scenario | str | Path,
    brain: Connectome | str | Path | None = None,
    draws: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    beta: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
    command: str = "",
    *,
    resume: str | Path | None = None,
) -> xr.DataTree:
    """Run a scenario: courses of molecules, synapses, rhythms and networks on one time axis.

    Parameters
    ----------
    scenario : Scenario, path or name
        A record, a YAML file, or the name of a shipped one (`synsys.knowledge.scenarios.shipped`).
    brain : Connectome or path, optional
        That of the scenario, else the embedded brain.
    draws, seed : int, optional
        Those of the scenario, else 16 and 0.
    jobs : int, optional
        Processes; all cores by default.
    beta : float
        Factor on regional heterogeneity.
    progress : callable, optional
        Called with (done, total) in hundredths of a draw.
    command : str
        What to record as the command.
    resume : path, optional
        Folder in which finished draws are kept; those already there, of the same scenario, options, version
        and tables, are not run again.

    Returns
    -------
    DataTree
        A result of kind *trajectory* (`synsys.core.results`).

    Raises
    ------
    UserError
        For a scenario that cannot be run, before any work starts.
    """
    plan = open_scenario(scenario) if isinstance(scenario, str | Path) else scenario
    plan = replace(
        plan,
        events=tuple(replace(e, perturbation=resolved(e.perturbation)) for e in plan.events),
        report=plan.report or tuple(np.linspace(0.0, plan.duration, REPORTS).tolist()),
    )
    if plan.report[-1] < plan.duration:
        plan = replace(plan, report=(*plan.report, plan.duration))
    count = plan.draws or 16 if draws is None else draws
    if count < 1:
        raise UserError(f"draws = {count}: at least 1 is needed")
    source = plan.brain if brain is None else brain
    runner = Runner(open_brain(source), count, plan.seed or 0 if seed is None else seed, True, beta, jobs)
    for event in plan.events:
        selection(runner.model.places, event.perturbation)
    runner.board = Array("d", count)
    with _told(runner, progress):
        found: list[DrawCourse] = list(runner.each(draw_course, (plan, _store(plan, runner, resume))))  # type: ignore[arg-type]
    return groups.assemble(
        runner, plan, found, command or f"synsys.trajectory({plan.name!r})", synsys.__version__, created()
    )


def draw_course(runner: Runner, k: int, argument: object) -> DrawCourse:
    """One draw of a scenario, from the store if it is there."""
    plan: Scenario
    store: Path | None
    plan, store = argument  # type: ignore[misc]
    kept = store / f"draw-{k:04d}.pkl" if store is not None else None
    if kept is not None and kept.exists():
        course = pickle.loads(kept.read_bytes())
    else:
        course = _solved(runner, k, plan)
        if kept is not None:
            write_whole(kept, pickle.dumps(course))
    if runner.board is not None:
        runner.board[k] = 1.0
    return course


def _solved(runner: Runner, k: int, plan: Scenario) -> DrawCourse:
    draw = runner.draws[k]
    late = sum(e.perturbation.value for e in plan.events if e.perturbation.name == "pruning_timing")
    ages = Ages(runner.model, draw, plan, late, plan.pruning)
    start = ages.adult if not plan.development else ages.healthy(max(0.0, _birth(plan)))
    outcome, solution = runner.outcome(start.state, None)
    someone = runner.outcome(person(start, (runner.seed, k)), solution)[0]
    reference: list[dict[str, float]] = []
    perturbed: list[dict[str, float]] = []
    curves: list[list[np.ndarray | None]] = [[], []]

    def report(day: float, state: State | None) -> None:
        nonlocal outcome, solution
        if state is None:
            reference.append({})
            perturbed.append({})
            for fc in curves:
                fc.append(None)
            return
        if state.healthy is not start and plan.development:
            outcome, solution = runner.outcome(state.healthy.state, None)
        after = runner.outcome(state, solution)[0]
        for readings, fc, one in ((reference, curves[0], outcome), (perturbed, curves[1], after)):
            readings.append(dict(one.values))
            fc.append(one.fc)

    clocks = TwoClocks(plan, ages)
    course = clocks.run(report, None if runner.board is None else _teller(runner.board, k))
    for readings, fc in zip((reference, perturbed), curves, strict=True):
        _with_graphs(runner, readings, fc)
    _with_graphs(runner, [someone.values], [someone.fc])
    facts = {
        "steps": course.steps, "rejected": course.rejected, "forced": course.forced,
        "fast_solutions": course.solved,
        "restless": [[float(t), reason] for t, reason in course.restless[:20]],
        "feedback_kept": float(ages.adult.kept @ clocks.network.share) if plan.recursive else 0.0,
        "member": int(draw.member) if isinstance(draw.member, int) else -1,
    }  # fmt: skip
    return DrawCourse(
        np.array(course.time), np.array(course.levels),
        np.stack([course.reports[t].astype(np.float32) for t in plan.report]),
        reference, perturbed, someone.values, facts, _without_feedback(runner, k, plan, late),
    )  # fmt: skip


def _without_feedback(runner: Runner, k: int, plan: Scenario, late: float) -> dict[str, float]:
    """Readouts at the end if activity did not act back on molecules."""
    if not plan.recursive or k >= COMPARED:
        return {}
    still = replace(plan, recursive=False, report=(plan.duration,))
    ages = Ages(runner.model, runner.draws[k], still, late, plan.pruning)
    out: dict[str, float] = {}

    def report(day: float, state: State | None) -> None:
        if state is not None:
            out.update(runner.outcome(state, None)[0].values)

    TwoClocks(still, ages).run(report)
    return out


def _with_graphs(runner: Runner, readings: list[dict[str, float]], fc: Sequence[np.ndarray | None]) -> None:
    """Graph measures added to the readouts of states that have connectivity."""
    solved = [i for i, one in enumerate(fc) if one is not None]
    if solved:
        table = graph_readouts(np.stack([fc[i] for i in solved]).astype(float), runner.atlas)  # type: ignore[misc]
        for i, (_, row) in zip(solved, table.iterrows(), strict=True):
            readings[i].update({str(n): float(v) for n, v in row.items() if n != "network_vulnerability"})


def _birth(plan: Scenario) -> float:
    """Day of birth."""
    return 0.0 if plan.age is None else -plan.age * 365.25


def _teller(board: Any, k: int) -> Callable[[float], None]:
    def tell(share: float) -> None:
        board[k] = min(share, 0.99)

    return tell


@contextmanager
def _told(runner: Runner, progress: Callable[[int, int], None] | None) -> Any:
    """Within it, progress is told twice a second."""
    if progress is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            progress(round(100 * sum(runner.board)), 100 * len(runner.draws))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        progress(round(100 * sum(runner.board)), 100 * len(runner.draws))


def _store(plan: Scenario, runner: Runner, resume: str | Path | None) -> Path | None:
    """Folder for the finished draws of exactly this run."""
    if resume is None:
        return None
    told = json.dumps(
        [repr(plan), runner.options, runner.seed, synsys.__version__, digests(runner.brain)], default=str
    )
    folder = Path(resume) / sha256(told.encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}") from error
    return folder
