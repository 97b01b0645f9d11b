"""Long runs: chunk by chunk, within a stated memory, with control from outside, and resumable."""

import hashlib
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synsys.core.errors import UserError
from synsys.core.output import replacing
from synsys.simulation.run import Simulation

CHUNK = 1000.0
"""Simulated time between two looks at the clock, ms."""
MEMORY = 4.0
"""Memory for what is recorded, GiB."""
SAVED = 30.0
"""Seconds between two checkpoints."""

Waves = Callable[[np.ndarray], np.ndarray]
"""Waveforms of all drives at times (T,) in ms: (drives, T), or (drives, T, K)."""


@dataclass(frozen=True, eq=False)
class Control:
    """A loop closed from outside.

    Attributes
    ----------
    respond : callable
        ``respond(time, states)`` at the beginning of every interval: time (ms) and states (K, N, ...) by
        name; returns the value of every drive, (drives,) or (drives, K), held for one interval.
    interval : float
        ms; a multiple of the step.
    latency : float
        ms between a measurement and its effect, a multiple of the interval; nothing is driven before.
    """

    respond: Callable[[float, dict[str, np.ndarray]], np.ndarray]
    interval: float
    latency: float = 0.0


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a run left.

    Attributes
    ----------
    record : ndarray, (rows, N, observed, K)
    bold : ndarray, (scans, N, K)
    """

    record: np.ndarray
    bold: np.ndarray


def followed(
    simulation: Simulation,
    duration: float,
    *,
    waves: Waves | None = None,
    control: Control | None = None,
    memory: float = MEMORY,
    checkpoint: Path | None = None,
    saved: float = SAVED,
    progress: Callable[[float], None] | None = None,
) -> Recorded:
    """Run to an end.

    Parameters
    ----------
    simulation : Simulation
        At its start.
    duration : float
        ms, from its start.
    waves : callable, optional
        Waveforms of its drives.
    control : Control, optional
        Adds to them.
    memory : float
        GiB that what is recorded may take.
    checkpoint : path, optional
        File that a run which was broken off goes on from, to the same numbers; removed by nobody here. It
        holds the run; waveforms, and what a control remembers, are the caller's to give again.
    saved : float
        Seconds between two checkpoints.
    progress : callable, optional
        Called with the share that is done.

    Raises
    ------
    UserError
        If records would not fit into memory, intervals are no multiples of the step, or the checkpoint is
        that of another run.
    """
    if simulation.step:
        raise UserError(f"the simulation is at {simulation.time:g} ms, not at its start")
    if control is not None and control.latency < 0:
        raise UserError(f"latency = {control.latency:g} ms; it cannot be negative")
    interval = _steps(simulation, control.interval if control else CHUNK, exact=control is not None)
    total = _steps(simulation, duration, exact=False)
    _check_memory(simulation, total, memory)
    behind = 0 if control is None else round(control.latency / control.interval)
    if control is not None and abs(behind * control.interval - control.latency) > 1e-9:
        raise UserError(f"latency = {control.latency:g} ms is no multiple of {control.interval:g} ms")
    waiting: deque[np.ndarray] = deque([np.zeros(len(simulation.drives))] * behind)
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    identity = digest(simulation)
    if checkpoint is not None and checkpoint.exists():
        _restore(simulation, checkpoint, identity, kept, waiting)
        if simulation.step > total:
            raise UserError(f"{checkpoint} is at {simulation.time:g} ms, beyond {duration:g} ms")
    last = time.monotonic()
    while simulation.step < total:
        count = min(interval, total - simulation.step)
        driven = _driven(simulation, count, waves)
        if control is not None:
            waiting.append(np.asarray(control.respond(simulation.time, simulation.states()), float))
            held = waiting.popleft()
            driven = driven + (held[:, None] if held.ndim == 1 else held[:, None, :])
        kept.append(simulation.advance(count, driven if simulation.drives else None))
        if checkpoint is not None and (time.monotonic() - last > saved or simulation.step >= total):
            kept = [_joined(kept)]
            _save(simulation, checkpoint, identity, kept[0], waiting)
            last = time.monotonic()
        if progress is not None:
            progress(simulation.step / total)
    return Recorded(*_joined(kept))


def digest(simulation: Simulation) -> str:
    """What tells a run from any other: a hash of its equations, numbers, seeds and start."""
    out = hashlib.sha256()
    plan, scan = simulation.plan, simulation.scan
    told = (
        simulation.model.name, simulation.nodes, simulation.batch, simulation.dt, simulation.dtype.str,
        plan.heun, simulation.refresh, simulation.observe, simulation.every, plan.mean, simulation.lanes,
        None if scan is None else (scan.drive, scan.repetition, scan.step),
        [(d.stimulus, list(d.nodes), d.index) for d in simulation.drives],
    )  # fmt: skip
    out.update(repr(told).encode())
    out.update(simulation.code.digest.encode())
    arrays = [*simulation.packed.arrays.values(), *simulation.numbers.values.values()]
    if scan is not None:
        arrays += simulation.haemodynamics.values.values()
    names = ("key", "state", "history")
    for array in [*arrays, *(own[name] for own in simulation.arrays for name in names)]:
        out.update(np.ascontiguousarray(array).tobytes())
    return out.hexdigest()


def _steps(simulation: Simulation, span: float, exact: bool) -> int:
    """A time in steps, a multiple of `refresh`."""
    unit = simulation.dt * simulation.refresh
    count = max(1, round(span / unit) if exact else math.ceil(span / unit - 1e-6))
    if exact and abs(count * unit - span) > 1e-6 * unit:
        raise UserError(f"{span:g} ms is no multiple of {unit:g} ms, the step of what arrives")
    return count * simulation.refresh


def _check_memory(simulation: Simulation, steps: int, memory: float) -> None:
    rows = steps // simulation.every * len(simulation.observe)
    scans = 0
    if simulation.scan is not None:
        scans = int(steps * simulation.dt / simulation.scan.repetition)
    size = (rows + scans) * simulation.nodes * simulation.batch * simulation.dtype.itemsize / 2**30
    if size > memory:
        raise UserError(
            f"records would take {size:.3g} GiB of {memory:g}; record less often, fewer things, or fewer runs"
        )


def _driven(simulation: Simulation, count: int, waves: Waves | None) -> np.ndarray:
    shape = len(simulation.drives), count + 1
    if waves is None:
        return np.zeros((*shape, 1))
    given = np.asarray(waves(simulation.time + simulation.dt * np.arange(count + 1)), float)
    given = given[..., None] if given.ndim == 2 else given
    if given.shape[:2] != shape:
        raise UserError(f"waveforms have shape {given.shape}; needed: {shape}, or with runs behind")
    return given


def _joined(kept: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    record, bold = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return record, bold


def _save(
    simulation: Simulation,
    path: Path,
    identity: str,
    kept: tuple[np.ndarray, np.ndarray],
    waiting: deque[np.ndarray],
) -> None:
    """Write a checkpoint, whole or not at all."""
    what = {"record": kept[0], "bold": kept[1], "identity": np.array(identity)}
    what |= {f"waiting{k}": value for k, value in enumerate(waiting)}
    what |= {f"state_{k}": v for k, v in simulation.snapshot().items()}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **what)  # type: ignore[arg-type]


def _restore(
    simulation: Simulation, path: Path, identity: str, kept: list[tuple[np.ndarray, np.ndarray]],
    waiting: deque[np.ndarray],
) -> None:  # fmt: skip
    with np.load(path) as stored:
        if str(stored["identity"]) != identity:
            raise UserError(f"{path} is the checkpoint of another run; remove it, or choose another folder")
        simulation.restore(
            {k.removeprefix("state_"): stored[k] for k in stored.files if k.startswith("state_")}
        )
        kept.append((stored["record"], stored["bold"]))
        for k in range(len(waiting)):
            waiting[k] = stored[f"waiting{k}"]
