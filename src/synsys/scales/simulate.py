"""Simulate a brain, or sweep a grid of parameters, on this machine or on a cluster; resumable."""

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import xarray as xr

import synsys
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.output import replacing, write_whole
from synsys.core.results import DISCLAIMER, SCHEMA_VERSION
from synsys.measures.fc_dynamics import fcd_matrix, fcd_values, windowed_fc, windows_apart
from synsys.measures.sensors import SPHERE, open_lead_field
from synsys.measures.signals import band_analytic, correlations
from synsys.measures.synchrony import metastability, synchrony
from synsys.scales.cascade import open_brain
from synsys.scales.describe import digests
from synsys.scales.simulated import CIRCUIT, OBSERVED, Plan, Runs, run_task, tasks

LONG, SLOW = 300.0, (0.01, 0.1)
"""Seconds of BOLD from which its changes in time are told, and the band of its phases, Hz."""
SIZE = 16
"""Runs that go side by side in one task, by default."""
Step = Callable[[int, int], None]


def simulate(
    brain: Connectome | str | Path | None = None,
    model: str = CIRCUIT,
    grid: Mapping[str, Sequence[float]] | None = None,
    *,
    seeds: int = 1,
    seconds: float = 60.0,
    fixed: Mapping[str, float] | Sequence[str] = (),
    resume: str | Path | None = None,
    scheduler: str | None = None,
    size: int = SIZE,
    eeg: pd.DataFrame | str | Path | None = None,
    progress: Step | None = None,
    command: str = "",
    **options: Any,
) -> xr.DataTree:
    """Simulate a brain in time at every point of a grid.

    Parameters
    ----------
    brain : Connectome or path, optional
        The embedded brain by default.
    model : str
        ``circuit`` (our own, all templates), ``wong_wang``, ``hopf`` or ``kuramoto``.
    grid : mapping of str to sequence of float, optional
        Parameters of the model and their values; of the circuit, factors on quantities by name (with ``+``
        behind it, increments). All combinations are run.
    seeds : int
        Runs of every point; those of one seed share their noise over the grid.
    seconds : float
        Recorded time of each.
    fixed : mapping, or sequence of str
        Parameters, or perturbations (circuit), that are the same in all runs.
    resume : path, optional
        Folder in which finished tasks and checkpoints are kept; what it holds is not run again.
    scheduler : str, optional
        Address of a dask scheduler that runs the tasks.
    size : int
        Runs of a task.
    eeg : DataFrame, path or ``"sphere"``, optional
        Lead field, electrodes by regions: what electrodes see every `every` ms becomes the group ``/eeg``. Of
        the circuit, potentials of principal cells stand for dipole moments; of other models, what is first
        in `OBSERVED`.
    progress : callable, optional
        Called with (percent done, 100).
    command : str
        What the result says made it.
    **options
        Further attributes of `synsys.scales.simulated.Plan`.

    Returns
    -------
    DataTree
        A result of kind ``simulation`` (`synsys.core.results`).

    Raises
    ------
    UserError
        For unknown names and impossible numbers, before anything runs.
    """
    connectome = open_brain(brain)
    field = None if eeg is None else open_lead_field(eeg, connectome)
    plan = Plan(connectome, model, dict(grid or {}), seeds, seconds, fixed=fixed, eeg=field, **options)
    work = tasks(plan, size)
    kept = None if resume is None else _kept(Path(resume), plan, size)
    done: dict[int, Runs] = {}
    if kept is not None:
        for k in range(len(work)):
            if (kept / f"task{k:05d}.pkl").exists():
                done[k] = pickle.loads((kept / f"task{k:05d}.pkl").read_bytes())
    todo = [k for k in range(len(work)) if k not in done]

    def told(share: float) -> None:
        if progress is not None:
            progress(round(100 * (len(done) + share) / len(work)), 100)

    results = _on_cluster(plan, work, todo, scheduler) if scheduler else _here(plan, work, todo, kept, told)
    for k, runs in results:
        if kept is not None:
            with replacing(kept / f"task{k:05d}.pkl") as temporary:
                temporary.write_bytes(pickle.dumps(runs))
            for checkpoint in kept.glob(f"checkpoint{k:05d}*.npz"):
                checkpoint.unlink()
        done[k] = runs
        told(0.0)
    named = "" if eeg is None else SPHERE if str(eeg) == SPHERE else "the user's lead field"
    return _tree(plan, [done[k] for k in range(len(work))], command, named)


def _digests(plan: Plan) -> dict[str, str]:
    """Of tables, brain and lead field."""
    out = digests(plan.brain)
    if plan.eeg is not None:
        out["lead field"] = hashlib.sha256(plan.eeg.to_csv().encode()).hexdigest()
    return out


def _kept(folder: Path, plan: Plan, size: int) -> Path:
    """The folder of finished tasks, made sure to be of this plan."""
    told = [plan.options, plan.grid, _held(plan), _digests(plan), size, synsys.__version__]
    identity = json.dumps(told, sort_keys=True)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "plan.json"
    if file.exists() and file.read_text() != identity:
        raise UserError(f"{folder} holds tasks of another sweep; remove it, or choose another output")
    write_whole(file, identity)
    return folder


def _here(
    plan: Plan, work: Sequence[Sequence[int]], todo: Sequence[int], kept: Path | None,
    told: Callable[[float], None],
) -> Iterable[tuple[int, Runs]]:  # fmt: skip
    """Tasks one after the other, their runs on all threads."""
    for k in todo:
        checkpoint = None if kept is None else kept / f"checkpoint{k:05d}.npz"
        yield k, run_task(plan, work[k], checkpoint, told)


def _on_cluster(
    plan: Plan, work: Sequence[Sequence[int]], todo: Sequence[int], scheduler: str
) -> Iterable[tuple[int, Runs]]:
    """Tasks on a dask cluster; those of a worker that is lost are run elsewhere."""
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise UserError("--scheduler needs dask: pip install 'synsys[cluster]'") from None
    try:
        client = Client(scheduler, timeout="3s")
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(f"no dask scheduler answers at {scheduler}") from error
    with client:
        sent, token = client.scatter(plan, broadcast=True), uuid4().hex
        futures = {
            client.submit(
                run_task, sent, work[k], threads=1, pure=False, retries=3, key=f"synsys-{k}-{token}"
            ): k
            for k in todo
        }  # a thread for each task: workers run as many tasks as they have threads
        for future in as_completed(list(futures)):
            yield futures[future], future.result()


def _tree(plan: Plan, parts: Sequence[Runs], command: str, field: str) -> xr.DataTree:
    """The result: runs in the order of the grid; `field` says which lead field there was."""
    found = Runs.joined(parts)
    mean, sd, bold, course, eeg = found.mean, found.sd, found.bold, found.course, found.eeg
    points, regions = plan.points, plan.brain.labels
    run = {"run": np.arange(len(points))}
    observed = list(OBSERVED[plan.model])
    where = {**run, "region": regions, "observable": observed}
    activity = xr.Dataset(
        {"mean": (("run", "region", "observable"), mean), "sd": (("run", "region", "observable"), sd)}, where
    )
    groups = {
        "/runs": xr.Dataset({name: ("run", [p[name] for p in points]) for name in points[0]}, run),
        "/activity": activity,
        "/table": _table(plan, mean, bold, run),
        "/regions": xr.Dataset(
            {
                n: ("region", plan.brain.regions[n].to_numpy(str))
                for n in ("hemisphere", "structure", "network")
            },
            {"region": regions},
        ),
    }
    if bold.shape[1]:
        scan = 1e-3 * plan.repetition * (plan.skipped + 1 + np.arange(bold.shape[1])) - plan.lead
        groups["/bold"] = xr.Dataset(
            {"bold": (("run", "scan", "region"), bold)}, {**run, "scan": scan, "region": regions}
        )
    time = 1e-3 * plan.every * (0.5 + np.arange(course.shape[1]))
    if course.shape[1]:
        groups["/course"] = xr.Dataset(
            {"value": (("run", "time", "region", "observable"), course)}, {**where, "time": time}
        )
    if plan.eeg is not None and eeg.shape[1]:
        groups["/eeg"] = xr.Dataset(
            {"potential": (("run", "time", "electrode"), eeg.astype(np.float32))},
            {**run, "time": time, "electrode": [str(name) for name in plan.eeg.index]},
        )
    tree = xr.DataTree.from_dict(groups)
    options = plan.options | {"eeg": field}
    tree.attrs = {
        "schema_version": SCHEMA_VERSION, "kind": "simulation", "version": synsys.__version__,
        "command": command, "title": plan.model, "seed": plan.seed, "brain": plan.brain.name,
        "options": json.dumps(options), "grid": json.dumps({k: list(v) for k, v in plan.grid.items()}),
        "fixed": json.dumps(_held(plan)),
        "digests": json.dumps(_digests(plan)), "disclaimer": DISCLAIMER,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    return tree


def _table(plan: Plan, mean: np.ndarray, bold: np.ndarray, run: Mapping[str, np.ndarray]) -> xr.Dataset:
    """One row for every run: activity, and what connectivity is like."""
    columns = {f"mean_{name}": mean[:, :, k].mean(1) for k, name in enumerate(OBSERVED[plan.model])}
    told = (bold != 0).any(1).all(0)  # what no excitation reaches has no BOLD
    bold = bold[:, :, told]
    if bold.shape[1] > 2 and told.sum() > 2:
        upper = np.triu_indices(bold.shape[2], 1)
        fc = np.stack([correlations(b.T.astype(float)) for b in bold])
        weights = plan.brain.weights[told][:, told]
        columns["bold_sd"] = bold.std(1).mean(1)
        columns["mean_fc"] = fc[:, *upper].mean(1)
        columns["fc_with_structure"] = [np.corrcoef(f[upper], weights[upper])[0, 1] for f in fc]
        if plan.brain.fc is not None:
            data = plan.brain.fc[told][:, told]
            columns["fc_with_data"] = [np.corrcoef(f[upper], data[upper])[0, 1] for f in fc]
    if plan.repetition * bold.shape[1] >= 1e3 * LONG and told.sum() > 2:
        tr = 1e-3 * plan.repetition
        columns["fcd_spread"] = [fcd_spread(b.T.astype(float), tr) for b in bold]
        phases = [np.angle(band_analytic(b.T.astype(float), 1 / tr, SLOW)) for b in bold]
        columns["synchrony"] = [synchrony(p) for p in phases]
        columns["metastability"] = [metastability(p) for p in phases]
    return xr.Dataset({name: ("run", np.asarray(value, float)) for name, value in columns.items()}, run)


def fcd_spread(signal: np.ndarray, tr: float) -> float:
    """Standard deviation of the likeness of FC in windows of a minute that share no scan."""
    matrix = fcd_matrix(windowed_fc(signal, tr, 60.0, 3.0))
    return float(fcd_values(matrix, windows_apart(tr, 60.0, 3.0)).std())


def parse_grid(texts: Sequence[str]) -> dict[str, list[float]]:
    """Axes from ``NAME=VALUE,VALUE`` or ``NAME=FIRST:LAST:COUNT``.

    Raises
    ------
    UserError
        Naming the text that cannot be read, or an axis that is given twice.
    """
    out: dict[str, list[float]] = {}
    for text in texts:
        name, given, values = text.partition("=")
        try:
            if ":" in values:
                first, last, count = values.split(":")
                axis = [float(x) for x in np.linspace(float(first), float(last), int(count))]
            else:
                axis = [float(x) for x in values.split(",")]
        except ValueError:
            axis = []
        if not name or not given or not axis:
            raise UserError(f"--grid {text}: needed is NAME=VALUE,VALUE or NAME=FIRST:LAST:COUNT")
        if name in out:
            raise UserError(f"--grid {text}: {name} is given twice")
        out[name] = axis
    return out


def numbers(texts: Sequence[str]) -> dict[str, float]:
    """Parameters from ``NAME=VALUE``."""
    axes = parse_grid(texts)
    for name, values in axes.items():
        if len(values) != 1:
            raise UserError(f"{name} has {len(values)} values; --perturb takes one, --grid several")
    return {name: values[0] for name, values in axes.items()}


def _held(plan: Plan) -> dict[str, Any]:
    """What is the same in all runs: parameters, or perturbations by their text."""
    if isinstance(plan.fixed, Mapping):
        return {name: np.asarray(value, float).tolist() for name, value in plan.fixed.items()}
    return {str(text): True for text in plan.fixed}


def forget(folder: Path) -> None:
    """Remove what was kept for resuming."""
    shutil.rmtree(folder, ignore_errors=True)
