"""What a sweep of simulations consists of: points of a grid, tasks of runs side by side, their results."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synsys.brain.draws import draws
from synsys.brain.model import BrainModel
from synsys.brain.solution import regional_weights
from synsys.brain.state import HealthyBrain, State
from synsys.brain.time_domain import CORTICAL, in_time
from synsys.circuit.drift import SLOTS
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError, unknown
from synsys.knowledge.resolve import parse_perturbation
from synsys.simulation.begin import source
from synsys.simulation.course import followed
from synsys.simulation.haemodynamics import Scan
from synsys.simulation.links import Links
from synsys.simulation.models import MODELS
from synsys.simulation.run import Diverged, Simulation

CIRCUIT = "circuit"
"""Name of our own model, whose grid is over perturbations."""
DRIVES = {"wong_wang": "S_E", "hopf": "x", CIRCUIT: "synaptic"}
"""What drives BOLD in each model that has it."""
FLOW = 0.2
"""Vasodilatory signal per relative change of excitatory synaptic current, 1/s: with an autoregulation
of 0.41 a lasting fall by half lowers flow by a quarter (declared)."""
INHIBITION = 0.725
"""Slope of the linear rule J_I = 1 + slope G strength for inhibition in `wong_wang`: that of public code
after Herzog et al. 2022, where other code has 0.75; the paper was not read (declared)."""
WARM_UP = {CIRCUIT: 20.0, "wong_wang": 20.0, "hopf": 150.0, "kuramoto": 5.0}
"""Seconds before anything counts: the balloon takes some 20 s to forget its start, and a Hopf node below its
bifurcation three of its 50 s."""
OBSERVED = {
    "wong_wang": ("rate_E", "rate_I"), "hopf": ("x", "y"), "kuramoto": ("sine", "cosine"),
    CIRCUIT: tuple(f"rate_{cell}" for cell in CORTICAL),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep, as it is asked for.

    Attributes
    ----------
    brain : Connectome
    model : str
        ``circuit``, or one of `synsys.simulation.models.MODELS`.
    grid : mapping of str to sequence of float
        Parameters of the model; of the circuit, factors on (or, with ``+``, increments of) quantities.
    seeds : int
        Runs of every point, with noise of their own.
    seconds : float
        Recorded time.
    warm_up : float, optional
        Time before it, s; that of `WARM_UP` by default. Made a whole number of records.
    fixed : mapping
        Parameters that are the same in all runs; of the circuit, perturbations as text.
    draws, seed : int
        Draws of the circuit's priors, and where seeds begin.
    dt, method, precision, refresh
        As for `Simulation`.
    speed : float
        Conduction speed of the reference models, m/s; 0 for no delays.
    every : float
        Time of a record of activity, ms; 0 keeps means only.
    repetition : float
        Time between scans, ms; 0 for no BOLD.
    eeg : DataFrame, (E, R), optional
        Lead field from `synsys.measures.sensors.open_lead_field`: electrodes are recorded as well, as often
        as activity.
    """

    brain: Connectome
    model: str = CIRCUIT
    grid: Mapping[str, Sequence[float]] = field(default_factory=dict)
    seeds: int = 1
    seconds: float = 60.0
    warm_up: float | None = None
    fixed: Mapping[str, float] | Sequence[str] = ()
    draws: int = 1
    seed: int = 0
    dt: float = 0.0
    method: str = ""
    precision: str = "float32"
    refresh: int = 1
    speed: float = 0.0
    every: float = 0.0
    repetition: float = 720.0
    beta: float = 1.0
    eeg: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if self.model != CIRCUIT and self.model not in MODELS:
            raise unknown("model", self.model, [CIRCUIT, *MODELS])
        self._check_numbers()
        if self.model != CIRCUIT:
            if self.draws > 1:
                raise UserError(f"draws are samples of the circuit's priors; {self.model} has none")
            if twice := sorted({*self.grid} & {*self.fixed}):
                raise UserError(f"{', '.join(twice)}: given both as held and in the grid")
            for name in [*self.grid, *self.fixed]:
                if name not in MODELS[self.model].parameters:
                    raise unknown(f"parameter of {self.model}", name, MODELS[self.model].parameters)
        else:
            for text in [*self.fixed, *(f"{n}={v}" for n, values in self.grid.items() for v in values)]:
                parse_perturbation(str(text))
        if self.eeg is not None and not self.every:
            raise UserError("electrodes are recorded as often as activity: give --every, such as 4 (ms)")

    def _check_numbers(self) -> None:
        """Plain numbers, so that they can be told, and times that fit together."""

        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        for name, values in self.grid.items():
            if not len(values) or not np.isfinite(np.asarray(values, float)).all():
                raise UserError(f"{name}: a grid needs finite numbers")
        put("grid", {name: [float(v) for v in values] for name, values in self.grid.items()})
        for name in ("seeds", "draws", "seed", "refresh"):
            put(name, int(getattr(self, name)))
        lead = WARM_UP[self.model] if self.warm_up is None else self.warm_up
        if not (self.seconds > 0 and lead >= 0 and self.seeds > 0 and self.draws > 0 and self.seed >= 0):
            raise UserError("seconds, seeds and draws must be positive, seed and warm-up not negative")
        if not 0 <= self.every <= 1e3 * self.seconds:
            raise UserError(f"every = {self.every:g} ms lies outside 0 to {1e3 * self.seconds:g} ms")
        put("warm_up", 1e-3 * self.record * np.ceil(1e3 * lead / self.record - 1e-6).item())

    @property
    def options(self) -> dict[str, Any]:
        """Every plain option by name."""
        apart = ("brain", "grid", "fixed", "eeg")
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in apart}

    @property
    def lead(self) -> float:
        """Warm-up, s."""
        return self.warm_up or 0.0

    @property
    def step(self) -> float:
        """Step, ms: 0.25 for the circuit, 0.1 for the reference models, unless given."""
        return self.dt or (0.25 if self.model == CIRCUIT else 0.1)

    @property
    def integrator(self) -> str:
        """Heun's method for the circuit, Euler's for the reference models, as the field runs them."""
        return self.method or ("heun" if self.model == CIRCUIT else "euler")

    @property
    def record(self) -> float:
        """Time of a record, ms; where only means are kept, a second, or a quarter of a short run."""
        return self.every or self.step * round(min(1e3, 250.0 * self.seconds) / self.step)

    @property
    def skipped(self) -> int:
        """Scans within the warm-up."""
        return int(1e3 * self.lead / self.repetition) if self.repetition else 0

    @cached_property
    def points(self) -> list[dict[str, float]]:
        """Values of the grid and ``draw`` and ``seed`` of every run."""
        axes = [[(name, float(v)) for v in values] for name, values in self.grid.items()]
        draws = [("draw", float(k)) for k in range(self.draws if self.model == CIRCUIT else 1)]
        seeds = [("seed", float(self.seed + k)) for k in range(self.seeds)]
        return [dict(point) for point in itertools.product(*axes, draws, seeds)]


@dataclass(frozen=True, eq=False)
class Runs:
    """Results of some runs, regions of the brain in its order.

    Attributes
    ----------
    numbers : list of int
        Which points they are.
    mean, sd : ndarray, (runs, R, observed)
    bold : ndarray, (runs, scans, R)
    course : ndarray, (runs, T, R, observed)
    eeg : ndarray, (runs, T, E)
    """

    numbers: list[int]
    mean: np.ndarray
    sd: np.ndarray
    bold: np.ndarray
    course: np.ndarray
    eeg: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence["Runs"]) -> "Runs":
        """All runs of some tasks, in the order of their points."""
        numbers = [n for part in parts for n in part.numbers]
        order = np.argsort(numbers)
        arrays = (
            np.ascontiguousarray(np.concatenate([getattr(part, f.name) for part in parts])[order])
            for f in fields(cls)[1:]
        )
        return cls(sorted(numbers), *arrays)


@dataclass(frozen=True, eq=False)
class Setting:
    """What the simulation of points that share all delays needs.

    Attributes
    ----------
    rows : list of int
        Which of the points of a task they are.
    args : dict
        Arguments of `Simulation`.
    region : ndarray, (R, N)
        Share of every node in each region.
    drive : str
        What drives BOLD; empty for none.
    balloon : dict
        Parameters of the balloon.
    sources : tuple of str
        What is observed for the electrodes.
    dipole : ndarray, (R, sources, N)
        What it counts in the dipole moment of each region.
    """

    rows: list[int]
    args: dict[str, Any]
    region: np.ndarray
    drive: str
    balloon: dict[str, Any]
    sources: tuple[str, ...]
    dipole: np.ndarray


def tasks(plan: Plan, size: int) -> list[list[int]]:
    """Points that run together, at most `size` of them, draw by draw."""
    order = sorted(range(len(plan.points)), key=lambda k: (plan.points[k]["draw"], k))
    return [order[k : k + size] for k in range(0, len(order), size)]


def run_task(
    plan: Plan, numbers: Sequence[int], checkpoint: Path | None = None,
    progress: Callable[[float], None] | None = None, threads: int | None = None,
) -> Runs:  # fmt: skip
    """Run some points of a plan, side by side where they share delays.

    Raises
    ------
    UserError
        If a point has no state of rest to start from, or records do not fit into memory.
    """
    points = [plan.points[k] for k in numbers]
    settings = (_circuit if plan.model == CIRCUIT else _reference)(plan, points)
    parts, done = [], 0
    for k, given in enumerate(settings):
        kept = checkpoint
        if checkpoint is not None and k:
            kept = checkpoint.with_name(f"{checkpoint.stem}-{k}{checkpoint.suffix}")

        def told(share: float, done: int = done, size: int = len(given.rows)) -> None:
            if progress is not None:
                progress((done + share * size) / len(points))

        chosen = [(numbers[row], points[row]) for row in given.rows]
        parts.append(_run(plan, given, chosen, kept, told, threads))
        done += len(given.rows)
    return Runs.joined(parts)


def _run(
    plan: Plan, given: Setting, chosen: Sequence[tuple[int, Mapping[str, float]]], checkpoint: Path | None,
    progress: Callable[[float], None], threads: int | None,
) -> Runs:  # fmt: skip
    """Run numbered points side by side."""
    scan = None
    if plan.repetition and given.drive:
        scan = Scan(given.drive, plan.repetition, 1.0, given.balloon)
    told = len(OBSERVED[plan.model])
    observe = [*OBSERVED[plan.model], *(given.sources if plan.eeg is not None else ())]
    every = plan.record
    simulation = Simulation(
        **given.args, seeds=[_noise_seed(p) for _, p in chosen], dt=plan.step, method=plan.integrator,
        precision=plan.precision, refresh=plan.refresh, observe=observe, every=every, scan=scan,
        threads=threads,
    )  # fmt: skip
    try:
        found = followed(
            simulation, 1e3 * (plan.seconds + plan.lead), checkpoint=checkpoint, progress=progress
        )
    except Diverged as error:
        point = ", ".join(f"{name} {value:g}" for name, value in chosen[error.run][1].items())
        raise UserError(f"{point}: {str(error).split(': ', 1)[1]} (--dt), or leave the point out") from error
    late = found.record[round(1e3 * plan.lead / every) :]
    record = np.einsum("tnok,rn->ktro", late[:, :, :told], given.region)
    bold = np.einsum("tnk,rn->ktr", found.bold, given.region)[:, plan.skipped :]
    mean, sd = np.ascontiguousarray(record.mean(1)), np.ascontiguousarray(record.std(1))
    course = record if plan.every else record[:, :0]
    eeg = _electrodes(plan, late[:, :, told:], given.dipole)
    return Runs([number for number, _ in chosen], mean, sd, bold, course, eeg)


def _electrodes(plan: Plan, sources: np.ndarray, dipole: np.ndarray) -> np.ndarray:
    """Potential at every electrode about its mean over the run, (K, T, E)."""
    if plan.eeg is None:
        return np.zeros((sources.shape[-1], 0, 0))
    onto = np.einsum("er,ron->eon", plan.eeg.to_numpy(float), dipole)
    seen = np.einsum("tnok,eon->kte", sources, onto, optimize=True)
    return seen - seen.mean(1, keepdims=True)


def _noise_seed(point: Mapping[str, float]) -> tuple[int, int]:
    """Runs of one seed share their noise over the grid, so that differences are those of the grid."""
    return int(point["seed"]), int(point["draw"])


def _reference(plan: Plan, points: Sequence[Mapping[str, float]]) -> list[Setting]:
    """A model of the field on the weights of a brain, scaled to a mean summed input of 1."""
    brain, model = plan.brain, MODELS[plan.model]
    weights = brain.weights / brain.weights.sum(1).mean()
    delays = brain.lengths / plan.speed if plan.speed else None
    given = {name: np.array([[p[name]] for p in points]) for name in plan.grid}
    fixed = {k: np.asarray(v) for k, v in plan.fixed.items()} if isinstance(plan.fixed, Mapping) else {}
    if plan.model == "hopf" and "strength" not in {*given, *fixed}:
        fixed["strength"] = weights.sum(1)
    if plan.model == "wong_wang" and "J_I" not in {*given, *fixed}:
        given["J_I"] = 1.0 + INHIBITION * np.asarray(given.get("G", fixed.get("G", 1.0))) * weights.sum(1)
    links = Links.between(weights, delays, len(model.arriving()))
    args = {"model": model, "nodes": len(brain), "links": links, "parameters": {**fixed, **given}}
    phase = np.array([
        np.random.default_rng(source(_noise_seed(p), 3)).uniform(-np.pi, np.pi, len(brain)) for p in points
    ])  # fmt: skip
    if plan.model == "hopf":
        args["start"] = {"x": 0.1 * np.cos(phase), "y": 0.1 * np.sin(phase)}
    if plan.model == "kuramoto":
        args["start"] = {"phase": phase}
    whole = np.eye(len(brain))
    first = OBSERVED[plan.model][:1]
    rows = list(range(len(points)))
    return [Setting(rows, args, whole, DRIVES.get(plan.model, ""), {}, first, whole[:, None])]


def _circuit(plan: Plan, points: Sequence[Mapping[str, float]]) -> list[Setting]:
    """Our circuit in every point: healthy draws and what is changed in them; by conduction speed."""
    model = BrainModel(plan.brain)
    healthy: dict[int, HealthyBrain] = {}
    sampled = draws(plan.draws, plan.seed, plan.beta)
    texts = [str(text) for text in plan.fixed]
    states: list[State] = []
    for point in points:
        k = int(point["draw"])
        if k not in healthy:
            healthy[k] = HealthyBrain(model, sampled[k])
        own = [f"{name}={point[name]!r}" for name in plan.grid]
        changes = [parse_perturbation(text) for text in [*texts, *own]]
        state = healthy[k].perturbed(changes) if changes else healthy[k].state
        if state.restless:
            raise UserError(f"{', '.join([*texts, *own])}: {state.restless}; the run has nowhere to start")
        states.append(state)
    wiring = states[0].linear.wiring
    region = wiring.nodes.region.to_numpy()
    share = np.where(region == np.arange(len(plan.brain))[:, None], wiring.nodes.share.to_numpy(float), 0.0)
    dipole = np.zeros((len(plan.brain), SLOTS, len(region)))
    dipole[:, wiring.source_slot, wiring.source_node] = regional_weights(model)
    slots = np.flatnonzero(dipole.any((0, 2)))
    sources = tuple(f"V{k}" for k in slots)
    alike: dict[bytes, list[int]] = {}
    for row, state in enumerate(states):
        alike.setdefault(state.speed.tobytes(), []).append(row)
    out = []
    for rows in alike.values():
        alone = [states[row] for row in rows]
        args = in_time(alone)
        level = resting_drive(args, alone)
        vascular = np.stack([s.vascular for s in alone])
        gain = np.divide(FLOW * vascular, np.abs(level), out=np.zeros_like(level), where=level != 0)
        balloon = {"baseline": level, "gain": gain}
        out.append(Setting(rows, args, share, DRIVES[CIRCUIT], balloon, sources, dipole[:, slots]))
    return out


def resting_drive(args: Mapping[str, Any], states: Sequence[State]) -> np.ndarray:
    """Excitatory synaptic current at rest, (K, N): BOLD follows relative deviations from it.

    0 where no excitation arrives, as in a cerebellum without the other hemisphere; it has no BOLD.
    """
    quiet = dict(args)
    silent = ("sd_background", "onto")
    quiet["parameters"] = {k: 0 * v if k in silent else v for k, v in args["parameters"].items()}
    run = Simulation(**quiet, seeds=[0] * len(states), dt=0.25, observe=["synaptic"], every=0.25)
    return np.asarray(run.advance(1)[0][0, :, 0].T, float)
