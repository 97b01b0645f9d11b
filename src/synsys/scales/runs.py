"""Solving a brain in many states and draws, on one or several processes."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from math import isfinite
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from synsys.brain.bold import observed_fc
from synsys.brain.draws import Draw, draws
from synsys.brain.model import BrainModel
from synsys.brain.solution import COARSE, FINE, Grid, Solution, solve
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain, State
from synsys.brain.statistical import averaged
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.knowledge.load import vocabulary
from synsys.measures.readouts import readouts
from synsys.measures.sensors import SPHERE, electrode_power, open_lead_field
from synsys.measures.spatial_nulls import spin_maps
from synsys.measures.systems import Atlas
from synsys.mind.coupling import chosen
from synsys.mind.readouts import mind_readouts
from synsys.scales.people import person

LINEARISATIONS = ("plain", "statistical")
MOVED = 1e-6
"""Least change, of a fold or in the unit of the quantity, that counts as one."""


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
        Mean value of every variable that the tables moved, over the populations where it moved.
    rebalanced, tempered : ndarray of bool, (N,), or None
        Nodes whose healthy state, from which this one follows, needed more inhibition or flatter maps
        (`brain.state.HealthyBrain`).
    eeg : ndarray or None
        (E, bands) power at electrodes, float32; None when unstable or not asked for.
    sd : ndarray or None
        (N, 3) standard deviation of every potential, mV, where linearisation is statistical.
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
    eeg: np.ndarray | None = None
    sd: np.ndarray | None = None


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
    spun_maps : int or None
        Seed of a rotation of the cortical maps (`measures.spatial_nulls.spin_maps`); None leaves them.
    linearisation : {"plain", "statistical"}
        About the operating point, or averaged over fluctuations (`brain.statistical.averaged`).
    eeg : DataFrame, path or ``"sphere"``, optional
        Lead field (`measures.sensors.open_lead_field`).
    tasks : int
        Draws, the first ones, in which every state also performs tasks, from which inference and symptoms are
        read; 0 for none.
    alternative : sequence of str
        Readings of contradictory findings on inference that hold instead of the default ones.

    Attributes
    ----------
    brain : Connectome
        As given; `model.brain` may have its maps spun.
    options : dict
        Options of the run, as a result records them.
    board : array of float or None
        Shared between processes: how much of each draw is done.

    Raises
    ------
    UserError
        If an option cannot be followed.
    """

    def __init__(
        self,
        brain: Connectome,
        n: int,
        seed: int = 0,
        fine: bool = True,
        beta: float = 1.0,
        jobs: int | None = None,
        spun_maps: int | None = None,
        linearisation: str = "plain",
        eeg: pd.DataFrame | str | Path | None = None,
        tasks: int = 0,
        alternative: Sequence[str] = (),
    ) -> None:
        if tasks < 0:
            raise UserError(f"tasks = {tasks}: a number of draws is >= 0")
        self.brain, self.tasks = brain, min(tasks, n)
        self.alternative = tuple(row.name for row in chosen(alternative))
        spun, self.field = check_options(brain, beta, spun_maps, linearisation, eeg)
        self.statistical = linearisation == "statistical"
        self.options: dict[str, Any] = {
            "beta": beta,
            "spun_maps": spun_maps,
            "linearisation": linearisation,
            "eeg": "" if eeg is None else SPHERE if str(eeg) == SPHERE else "the user's lead field",
            "inference": list(alternative),
        }
        self.model = BrainModel(spun)
        self.draws: list[Draw] = [replace(d, alternative=self.alternative) for d in draws(n, seed, beta)]
        self.seed = seed
        self.grid = Grid(self.model, FINE if fine else COARSE)
        self.atlas = Atlas(self.grid)
        self.board: Any = None
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

    def outcome(
        self, state: State, reference: Solution | None, tasks: bool = False
    ) -> tuple[Outcome, Solution | None]:
        """Solve one state, and let it perform tasks; an unstable one gets no spectra and performs nothing."""
        state, sd, reason = self._settled(state)
        if reason:
            return _unstable(state, reason), None
        solution = solve(state, self.grid, reference.noise if reference else None)
        verdict = stability(state, solution.response, locate=False)
        if not verdict.stable:
            return _unstable(state, verdict.reason), None
        values = readouts(solution, self.atlas, reference)
        if tasks:
            values |= mind_readouts(state, self.atlas, self.seed)
        return Outcome(
            True,
            "",
            values,
            state.rates,
            solution.psd.astype(np.float32),
            touched=touched(state),
            eeg=None if self.field is None else electrode_power(solution, self.field).astype(np.float32),
            sd=sd,
            **_observed(solution),
            **_adjusted(state),
        ), solution

    def instability(self, changes: Sequence[Perturbation], outcomes: Sequence[Outcome]) -> str:
        """What is unstable, and where, in the first draw that is so under `changes`; empty if none is."""
        for draw, outcome in zip(self.draws, outcomes, strict=True):
            if not outcome.stable:
                state, _, reason = self._settled(HealthyBrain(self.model, draw).perturbed(changes))
                return reason or stability(state).reason
        return ""

    def _settled(self, state: State) -> tuple[State, np.ndarray | None, str]:
        """The state to linearise about, the fluctuations it averages over, and why there is none."""
        if state.restless:
            return state, None, state.restless
        if not self.statistical:
            return state, None, ""
        found = averaged(state)
        return found.state, found.sd, "" if found.converged else f"statistical linearisation: {found.reason}"


def check_options(
    brain: Connectome,
    beta: float = 1.0,
    spun_maps: int | None = None,
    linearisation: str = "plain",
    eeg: pd.DataFrame | str | Path | None = None,
) -> tuple[Connectome, pd.DataFrame | None]:
    """The brain with its maps spun, and the lead field in its order of regions; options as for `Runner`.

    Raises
    ------
    UserError
        If an option cannot be followed.
    """
    if not isfinite(beta):
        raise UserError(f"beta = {beta}: a finite number is needed")
    if linearisation not in LINEARISATIONS:
        raise unknown("linearisation", linearisation, LINEARISATIONS)
    if spun_maps is not None and spun_maps < 0:
        raise UserError(f"spun_maps = {spun_maps}: a seed is a whole number >= 0")
    spun = brain if spun_maps is None else spin_maps(brain, spun_maps)
    return spun, None if eeg is None else open_lead_field(eeg, brain)


def _unstable(state: State, reason: str) -> Outcome:
    return Outcome(False, reason, {}, state.rates, touched=touched(state), **_adjusted(state))


def _adjusted(state: State) -> dict[str, Any]:
    return {"rebalanced": state.healthy.rebalanced.any(-1), "tempered": state.healthy.tempered}


def _observed(solution: Solution) -> dict[str, Any]:
    return {k: m.astype(np.float32) for k, m in observed_fc(solution.covariance, solution.noise).items()}


NOBODY = Outcome(False, "not solved", {}, np.empty(0))

_RUNNER: list[Runner] = []


def _start(runner: Runner) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: a worker cut off holds its queue
    _RUNNER[:] = [runner]
    threadpool_limits(1)


def _run(job: tuple[Callable, int, object]) -> object:
    task, k, argument = job
    return task(_RUNNER[0], k, argument)


def reference_and_changes(runner: Runner, k: int, changes: object) -> list[Outcome]:
    """Reference, healthy person, then every set of perturbations of `changes`, for draw `k`."""
    draw = runner.draws[k]
    healthy = HealthyBrain(runner.model, draw)
    tasks = k < runner.tasks
    reference, solution = runner.outcome(healthy.state, None, tasks)
    out = [reference, NOBODY]
    if solution is not None:
        out[1] = runner.outcome(person(healthy, (runner.seed, k)), solution, tasks)[0]
    for perturbations in changes or []:  # type: ignore[attr-defined]
        out.append(runner.outcome(healthy.perturbed(perturbations), solution, tasks)[0])
    return out


def touched(state: State) -> dict[str, float]:
    """Mean value of every variable that moved by more than `MOVED`, over the populations where it did."""
    if state.modulation is None:
        return {}
    out = {}
    for name in sorted(state.modulation.touched & vocabulary().keys()):
        value = state.modulation.value(name)
        moved = np.abs(value - vocabulary()[name].rest) > MOVED
        if moved.any():
            out[name] = float(value[moved].mean())
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
