"""Run a model on a network: batches of parameter sets and seeds, in chunks of time, on all threads."""

import ctypes
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.simulation.begin import Seed, begun, noise_begun, sent_at, source
from synsys.simulation.haemodynamics import Scan, balloon_model
from synsys.simulation.kernel import COUNTS, MOST_DRAWS, POINTERS, SIDE, compiled
from synsys.simulation.layout import Across, Batch
from synsys.simulation.links import Drive, Links, Packed, check_drives
from synsys.simulation.model import Model
from synsys.simulation.plan import Grouping, Numbers, Part, Plan

LANES = 8
"""Lanes of a vector: with them a batch of 16 keeps two threads busy."""
METHODS = ("heun", "euler")
PRECISIONS = ("float32", "float64")
INTEGERS = ("start", "sender", "lag", "sends", "ident", "wave_of", "key")


class Diverged(FloatingPointError):
    """A run that left the finite numbers; `run` is its place in the batch."""

    def __init__(self, what: str, run: int) -> None:
        super().__init__(f"run {run}: {what}; try a smaller step")
        self.run = run


class Simulation:
    """A batch of K simulations of N nodes, side by side.

    A lane's numbers do not depend on what runs beside it: not on the batch, the number of threads or the
    length of the chunks.

    Parameters
    ----------
    model : Model
    nodes : int
    links : Links
    parameters : mapping, optional
        Instead of the defaults; each broadcast to (K, N, ...).
    seeds : sequence of K int, or of tuples of int
        Seed of the noise of each lane.
    dt : float
        Step, ms.
    method : {"heun", "euler"}
        Stochastic Heun (weak order 2 and, for additive noise, Ito and Stratonovich agree) or Euler-Maruyama.
    precision : {"float32", "float64"}
    refresh : int
        Steps for which what arrives from other nodes is held; above 1 it is faster, and an approximation.
    observe : sequence of str
        What is recorded of the model's `observed`.
    every : float
        Time of a record, ms.
    mean : bool
        Whether it is the mean over that time, or the value at the beginning of its last step.
    scan : Scan, optional
    drives : sequence of Drive, optional
        Inputs; `advance` takes their waveforms.
    templates : sequence, optional
        Kind of each node: code of one kind leaves out what is 0 in all of its nodes.
    start : mapping, optional
        States at time 0, broadcast to (K, N, ...).
    threads : int, optional
        All processors that this process may use by default.
    lanes : int, optional
        Width of a vector: 8, or 4 for up to 4 runs side by side.

    Raises
    ------
    UserError
        For unknown names, shapes that do not fit and times that are not multiples of one another.
    """

    def __init__(
        self,
        model: Model,
        nodes: int,
        links: Links,
        parameters: Mapping[str, Any] | None = None,
        seeds: Sequence[Seed] = (0,),
        *,
        dt: float = 0.1,
        method: str = "heun",
        precision: str = "float32",
        refresh: int = 1,
        observe: Sequence[str] = (),
        every: float = 1.0,
        mean: bool = True,
        scan: Scan | None = None,
        drives: Sequence[Drive] = (),
        templates: Sequence[Any] | None = None,
        start: Mapping[str, Any] | None = None,
        threads: int | None = None,
        lanes: int | None = None,
    ) -> None:
        if method not in METHODS:
            raise unknown("method", method, METHODS)
        if precision not in PRECISIONS:
            raise unknown("precision", precision, PRECISIONS)
        if dt <= 0 or refresh < 1 or not len(seeds):
            raise UserError(f"dt = {dt:g} ms, refresh = {refresh}, {len(seeds)} seeds: all must be positive")
        self.model, self.nodes, self.dt, self.refresh = model, nodes, dt, refresh
        self.batch, self.dtype = len(seeds), np.dtype(precision)
        self.threads = threads or len(os.sched_getaffinity(0))
        self.equations = eq = model.traced()
        self.observe, self.scan, self.drives = list(observe), scan, list(drives)
        for name in [*self.observe, *([scan.drive] if scan else [])]:
            if name not in eq.observed:
                raise unknown(f"observable of {model.name}", name, eq.observed)
        check_drives(self.drives, model, eq, nodes)
        self.every = self._whole(every, dt, "every")
        labels = np.zeros(nodes, int) if templates is None else np.unique(templates, return_inverse=True)[1]
        if len(labels) != nodes:
            raise UserError(f"{len(labels)} templates for {nodes} nodes")
        self.order = np.argsort(labels, kind="stable")
        self.place = np.argsort(self.order)
        self.packed = Packed(
            links, self.place, len(eq.channels), len(eq.emitted), dt, method == "heun", refresh, SIDE
        )
        alike = self.packed.dense and len(set(labels)) == 1 and not self.drives and not eq.common
        few = alike and self.batch <= (lanes or LANES) // 2
        lanes = lanes or (LANES if few or self.batch > LANES // 2 else LANES // 2)
        self.lanes = lanes
        self.layout = (Across if few else Batch)(nodes, self.batch, lanes)
        self.numbers = Numbers.of(model, parameters or {}, self.batch, nodes, few)
        vectors = self.layout.rows if few else 0
        if few:
            self.packed.lay_across(lanes, SIDE)
        if (draws := len(eq.states) + len(eq.filtered)) > MOST_DRAWS:
            raise UserError(f"{model.name} has {draws} states and filtered inputs; {MOST_DRAWS} at most")
        # what is 0 in all runs is left out, but not what another batch of the same sweep may have
        kept = set() if templates is not None else set(parameters or {})
        driven = {(d.stimulus, d.index) for d in self.drives}
        grouping = Grouping(eq, self.numbers, dt, self.observe, scan.drive if scan else None, driven, kept)
        groups, at = [], 0
        for label in np.unique(labels):
            members = self.order[labels[self.order] == label]
            heard = self.packed.row[at : at + len(members)].any(0)
            groups.append(grouping.group(at, members, [int(k) for k in np.flatnonzero(heard)]))
            at += len(members)
        for before, group in pairwise(groups):
            size = before.stop - before.start
            group.uniform_at = before.uniform_at + size * len(before.part.uniform)
            group.varied_at = before.varied_at + size * len(before.part.varied)
        self.plan = Plan(
            8 * self.dtype.itemsize, lanes, dt, method == "heun", eq, groups, self.packed.block, refresh,
            self.packed.delayed, self.packed.dense, grouping.common(), self._balloon(scan), mean,
            vectors, nodes,
        )  # fmt: skip
        self.code = compiled(self.plan)
        self.step = 0
        self._read = self._read_arrays()
        self.arrays = [self._own_arrays(group, seeds, start or {}) for group in self.layout.groups]

    # -- building -----------------------------------------------------------------------------------

    @staticmethod
    def _whole(time: float, step: float, name: str) -> int:
        """A time in steps; it must be a whole number of them."""
        count = round(time / step)
        if count < 1 or abs(count * step - time) > 1e-6 * step:
            raise UserError(f"{name} = {time:g} ms is no multiple of {step:g} ms")
        return count

    def _balloon(self, scan: Scan | None) -> Any:
        if scan is None:
            return None
        equations = balloon_model.traced()
        self.haemodynamics = Numbers.of(
            balloon_model, scan.parameters, self.batch, self.nodes, self.layout.across
        )
        self._repetition = self._whole(scan.repetition, scan.step, "repetition")
        part = Part([*equations.drift, *equations.observed.values()], self.haemodynamics.varies)
        return equations, part, self._whole(scan.step, self.dt, "step of the balloon"), 1e-3 * scan.step

    def _typed(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            name: np.ascontiguousarray(a, np.int32 if name in INTEGERS else self.dtype)
            for name, a in arrays.items()
        }

    def _fixed(self, kind: str, lanes: np.ndarray) -> np.ndarray:
        """Numbers known beforehand, of all groups of nodes one after the other."""
        parts = []
        for group in self.plan.groups:
            nodes = self.order[group.start : group.stop]
            numbers = self.numbers.beforehand(getattr(group.part, kind), nodes, lanes)
            parts.append((self.layout.packed(numbers) if kind == "varied" else numbers).ravel())
        return np.concatenate([*parts, np.zeros(1)])

    def _read_arrays(self) -> dict[str, np.ndarray]:
        """What all lanes read."""
        first, count = np.zeros(1, int), len(self.equations.stimuli)
        wave_of = np.zeros((self.nodes, max(1, count)), int)
        for k, drive in enumerate(self.drives):
            wave_of[
                self.place[list(drive.nodes)], self.equations.stimuli.index((drive.stimulus, drive.index))
            ] = k + 1
        arrays = self.packed.arrays | {
            "uniform": self._fixed("uniform", first), "wave_of": wave_of,
        }  # fmt: skip
        if self.plan.balloon is not None:
            part = self.plan.balloon[1]
            arrays["balloon_uniform"] = self.haemodynamics.beforehand(part.uniform, self.order, first)
        return self._typed(arrays)

    def _own_arrays(
        self, members: np.ndarray, seeds: Sequence[Seed], start: Mapping[str, Any]
    ) -> dict[str, np.ndarray]:
        """What a group of lanes has for itself."""
        lanes, packed, width, eq = self.layout.lanes(members), self.layout.packed, self.lanes, self.equations
        own = [seeds[k] for k in lanes]
        x = begun(self.model, start, self.batch, self.order, lanes)
        drawn = noise_begun(self.numbers, eq.filtered, own, self.order, lanes)
        state = packed(np.concatenate([np.stack(list(x.values()), 1), drawn], 1))
        n = len(state)
        row, ring = self.packed.row, self.packed.ring + (0 if self.plan.dense else self.plan.points)
        sent = packed(sent_at(eq, self.numbers, x, self.order, lanes))
        if self.layout.across:
            history = np.concatenate([np.zeros((1, width)), sent.reshape(-1, width)])
        else:
            history = np.zeros((int(row.max(initial=0)) + 1, ring, width))
            history[row.ravel()] = sent.reshape(-1, 1, width)
            history[0] = 0.0
        words = np.array([source(seed).generate_state(2, np.uint32) for seed in own]).T.view(np.int32)
        ident = np.broadcast_to(self.order[:, None, None], (self.nodes, 1, len(lanes)))
        if self.layout.across:
            words, ident = packed(np.broadcast_to(words, (self.nodes, *words.shape))), packed(ident)
        else:
            ident = ident[..., 0]
        balloon = np.zeros((n, 5, width))
        balloon[:, 1:4] = 1.0
        common = np.zeros((max(1, len(eq.common)), self.plan.span + 1, width))
        if eq.common:  # the last place of a block is the first of the next
            common[:, -1] = noise_begun(self.numbers, eq.common, own, None, lanes)[0]
        arrays = {
            "state": state,
            "varied": self._fixed("varied", lanes),
            "arriving": np.zeros((n * len(eq.channels) + SIDE, self.plan.points, width)),
            "history": history,
            "sum": np.zeros((n, max(1, len(self.observe)), width)),
            "common": common,
            "balloon": balloon,
            "key": words,
            "ident": ident,
        }
        if self.plan.balloon is not None:
            part = self.plan.balloon[1]
            arrays["balloon_varied"] = packed(self.haemodynamics.beforehand(part.varied, self.order, lanes))
        return self._typed(arrays)

    # -- running ------------------------------------------------------------------------------------

    def advance(self, steps: int, waves: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Go on for some steps.

        Parameters
        ----------
        steps : int
            A multiple of `refresh`.
        waves : ndarray, (drives, steps + 1), or with a last axis of K lanes
            Waveform of every drive at the beginning of each step, and at the end of the last.

        Returns
        -------
        record : ndarray, (rows, N, observed, K)
            Records that end within these steps.
        bold : ndarray, (scans, N, K)

        Raises
        ------
        UserError
            If waveforms are missing or have another shape.
        Diverged
            If a state is no longer finite; a FloatingPointError that names the run.
        """
        if steps < 1 or steps % self.refresh:
            raise UserError(f"{steps} steps: a positive multiple of refresh = {self.refresh} is needed")
        if self.step + steps >= 2**32:
            raise UserError(f"{self.step + steps} steps: noise would repeat after 2^32")
        rows = (self.step % self.every + steps) // self.every if self.observe else 0
        scans = 0
        if self.plan.balloon is not None:
            whole = self._repetition * self.plan.balloon[2]
            scans = (self.step % whole + steps) // whole
        wave = self._waves(steps, waves)
        work = [
            (own, steps, rows, scans, wave[..., group] if wave.shape[-1] > 1 else wave)
            for own, group in zip(self.arrays, self.layout.groups, strict=True)
        ]
        with ThreadPoolExecutor(min(self.threads, len(work))) as pool:
            parts = list(pool.map(lambda args: self._call(*args), work))
        self.step += steps
        for name, value in self.states().items():
            bad = np.isinf(value) | (np.isnan(value) & ~self._idle(name))
            if bad.any():
                run = int(np.argmax(bad.reshape(self.batch, -1).any(1)))
                raise Diverged(f"{name} is no longer finite at {self.time:g} ms", run)
        bold = self.layout.unpacked([part[:, :, None] for _, part in parts])[:, :, 0]
        return self.layout.unpacked([part for part, _ in parts])[:, self.place], bold[:, self.place]

    @property
    def time(self) -> float:
        """Simulated time, ms."""
        return self.step * self.dt

    def states(self) -> dict[str, np.ndarray]:
        """All states now, (K, N, ...) each; NaN where they move nothing that is observed."""
        size = len(self.equations.states)
        state = self.layout.unpacked([own["state"][:, :size].astype(float) for own in self.arrays])[
            self.place
        ]
        at = {key: k for k, key in enumerate(self.equations.states)}
        out = {}
        for name, default in self.model.states.items():
            shape = np.shape(default)
            which = [at[name, index] for index in np.ndindex(*shape)]
            value = state[:, which].transpose(2, 0, 1).reshape(self.batch, self.nodes, *shape)
            out[name] = np.where(self._idle(name), np.nan, value)
        return out

    def _idle(self, name: str) -> np.ndarray:
        """Which elements of a state are not computed, (N, ...)."""
        out = np.zeros((self.nodes, len(self.equations.states)), bool)
        for group in self.plan.groups:
            out[group.start : group.stop] = True
            out[group.start : group.stop, group.live] = False
        which = [k for k, key in enumerate(self.equations.states) if key[0] == name]
        return out[self.place][:, which].reshape(self.nodes, *np.shape(self.model.states[name]))

    def snapshot(self) -> dict[str, np.ndarray]:
        """Everything that a continuation needs, by name."""
        kept = ("state", "history", "sum", "common", "balloon")
        out = {f"{name}_{k}": own[name].copy() for k, own in enumerate(self.arrays) for name in kept}
        return out | {"step": np.array(self.step)}

    def restore(self, snapshot: Mapping[str, np.ndarray]) -> None:
        """Go back to a `snapshot` of the same simulation."""
        for name, value in snapshot.items():
            if name == "step":
                self.step = int(value)
            else:
                what, k = name.rsplit("_", 1)
                self.arrays[int(k)][what][:] = value

    def _waves(self, steps: int, waves: np.ndarray | None) -> np.ndarray:
        """Waveforms with one of zeros before them, (drives + 1, steps + 1, K or 1)."""
        if waves is None:
            if self.drives:
                raise UserError(f"{len(self.drives)} drives need waveforms")
            return np.zeros((1, 1, 1))
        waves = np.asarray(waves, float)
        waves = waves[..., None] if waves.ndim == 2 else waves
        wanted = len(self.drives), steps + 1
        if waves.shape[:2] != wanted or waves.shape[2] not in (1, self.batch):
            raise UserError(
                f"waveforms have shape {waves.shape}; needed: {wanted}, or with {self.batch} lanes"
            )
        return np.concatenate([np.zeros((1, *waves.shape[1:])), waves])

    def _call(
        self, own: dict[str, np.ndarray], steps: int, rows: int, scans: int, wave: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        places = len(own["state"])
        record = np.zeros((rows, places, len(self.observe), self.lanes), self.dtype)
        bold = np.zeros((scans, places, self.lanes), self.dtype)
        lanes = np.minimum(np.arange(self.lanes), wave.shape[-1] - 1)
        arrays = self._read | own | {"record": record, "bold": bold}
        arrays["wave"] = np.ascontiguousarray(wave[..., lanes], self.dtype)
        pointers = (ctypes.c_void_p * len(POINTERS))(
            *[arrays[name].ctypes.data if name in arrays else None for name in POINTERS]
        )
        scan = self._repetition if self.plan.balloon is not None else 1
        numbers = (ctypes.c_int64 * len(COUNTS))(
            self.step, steps, self.packed.ring, self.every, scan, wave.shape[1], places
        )
        self.code.run(ctypes.cast(pointers, ctypes.c_void_p), ctypes.cast(numbers, ctypes.c_void_p))
        return record, bold
