"""Who hears whom, with which weight and delay, and how that lies in memory; inputs from outside."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.simulation.model import Equations, Model

MOST_BLOCK = 8
"""Steps of a block at most; as many vectors are summed side by side."""
DENSE = 0.3
"""Share of all pairs above which undelayed connections are kept as a full matrix."""


@dataclass(frozen=True, eq=False)
class Links:
    """Connections between nodes.

    Attributes
    ----------
    target, channel, source, emitted : ndarray of int, (C,)
        Node that hears and through which channel; which node and what of it. Channels and emissions count in
        the order of the model.
    weight, delay : ndarray, (C,)
        Delays in ms.

    Raises
    ------
    UserError
        If weights or delays are not finite, or a delay is negative.
    """

    target: np.ndarray
    channel: np.ndarray
    source: np.ndarray
    emitted: np.ndarray
    weight: np.ndarray
    delay: np.ndarray

    def __post_init__(self) -> None:
        for name in ("weight", "delay"):
            if not np.isfinite(getattr(self, name)).all():
                raise UserError(f"connections: every {name} must be a finite number")
        if (self.delay < 0).any():
            raise UserError(f"connections: delay {self.delay.min():g} ms; it cannot be negative")

    @classmethod
    def between(cls, weights: np.ndarray, delays: np.ndarray | None = None, channels: int = 1) -> "Links":
        """Every channel hears the emission of its own number.

        Parameters
        ----------
        weights : ndarray, (N, N)
            Target, source; 0 for no connection.
        delays : ndarray, (N, N), optional
            ms; none by default.
        channels : int
        """
        weights = np.asarray(weights, float)
        if weights.ndim != 2 or weights.shape[0] != weights.shape[1]:
            raise UserError(f"weights have shape {weights.shape}; a square matrix (target, source) is needed")
        if delays is not None and np.shape(delays) != weights.shape:
            raise UserError(f"delays have shape {np.shape(delays)}, weights {weights.shape}")
        target, source = np.nonzero(weights)
        k = np.repeat(np.arange(channels), len(target))
        delay = np.zeros(len(target)) if delays is None else np.asarray(delays, float)[target, source]
        target, source, weight, delay = (
            np.tile(a, channels) for a in (target, source, weights[target, source], delay)
        )
        return cls(target, k, source, k, weight, delay)


@dataclass(frozen=True, eq=False)
class Drive:
    """An input from outside, of the waveform of its number.

    Attributes
    ----------
    stimulus : str
        One of the model's `stimuli`.
    nodes : sequence of int
    index : tuple of int
        Which element of the stimulus, such as the population.
    """

    stimulus: str
    nodes: Sequence[int]
    index: tuple[int, ...] = ()


def check_drives(drives: Sequence[Drive], model: Model, equations: Equations, nodes: int) -> None:
    """Refuse inputs that the model has not, nodes that are not there, and two inputs in one place.

    Raises
    ------
    UserError
    """
    taken: set[tuple[str, tuple[int, ...], int]] = set()
    for drive in drives:
        if (drive.stimulus, drive.index) not in equations.stimuli:
            raise unknown(f"stimulus of {model.name}", drive.stimulus, model.stimuli)
        for node in drive.nodes:
            if not 0 <= node < nodes:
                raise UserError(f"stimulus {drive.stimulus}: node {node} of 0 to {nodes - 1}")
            place = drive.stimulus, drive.index, int(node)
            if place in taken:
                raise UserError(f"stimulus {drive.stimulus}: node {node} is driven twice; add the waveforms")
            taken.add(place)


class Packed:
    """Connections as the kernel reads them.

    Parameters
    ----------
    links : Links
    place : ndarray of int, (N,)
        Where each node lies in the kernel.
    channels, emitted : int
    dt : float
        Step, ms.
    heun : bool
    refresh : int
        Steps for which what arrives holds.
    side : int
        Targets that are summed side by side.

    Attributes
    ----------
    delayed, dense : bool
    block : int
        Points that are summed at once: no signal may arrive within them that is sent within them.
    ring : int
        Places of the history.
    row : ndarray of int, (N, emitted)
        Row of the history that each emission fills; 0 if nobody hears it.
    arrays : dict of str to ndarray
    error : float
        Largest rounding of a delay, ms.
    """

    def __init__(
        self, links: Links, place: np.ndarray, channels: int, emitted: int, dt: float, heun: bool,
        refresh: int, side: int,
    ) -> None:  # fmt: skip
        nodes = len(place)
        for name, most in (("target", nodes), ("source", nodes), ("channel", channels), ("emitted", emitted)):
            value = getattr(links, name)
            if len(value) and not 0 <= value.min() <= value.max() < most:
                wrong = value.min() if value.min() < 0 else value.max()
                raise UserError(f"connections: {name} {wrong} of 0 to {most - 1}")
        lag = np.rint(links.delay / (dt * refresh)).astype(int)
        self.delayed = bool((lag > 0).any())
        both = heun and refresh == 1  # the second stage hears the next point
        if self.delayed and both:
            lag = np.maximum(lag, 1)
        self.error = float(np.abs(lag * dt * refresh - links.delay).max(initial=0.0))
        least = int(lag.min(initial=MOST_BLOCK))
        self.block = min(MOST_BLOCK, max(1, least if both else least + 1)) if self.delayed else 1
        self.dense = not self.delayed and len(lag) > DENSE * nodes**2 * emitted * channels
        sender = place[links.source] * emitted + links.emitted
        target = place[links.target] * channels + links.channel
        row = np.zeros(nodes * emitted, int)
        self.arrays: dict[str, np.ndarray]
        if self.dense:
            full = np.zeros((-(-nodes * channels // side) * side, nodes * emitted))
            np.add.at(full, (target, sender), links.weight)
            self.ring, row = 1, np.arange(1, nodes * emitted + 1)
            self.arrays = {"weight": full.reshape(-1, side, full.shape[1]).swapaxes(1, 2)}
        else:
            used = np.unique(sender)
            row[used] = np.arange(1, len(used) + 1)
            sort = np.lexsort((row[sender], target))
            self.ring = int(lag.max(initial=0)) + 1 + self.block if self.delayed else 1
            self.arrays = {
                "start": np.searchsorted(target[sort], np.arange(nodes * channels + 1)),
                "sender": row[sender][sort],
                "lag": lag[sort],
                "weight": links.weight[sort],
            }
        self.arrays["sends"] = row
        self.row = row.reshape(nodes, emitted)
        self._channels = channels

    def lay_across(self, lanes: int, side: int) -> None:
        """Dense weights for regions side by side: (block of target vectors, sender, vector, lane)."""
        nodes, channels = len(self.row), self._channels
        full = self.arrays["weight"].swapaxes(1, 2).reshape(-1, self.row.size)[: nodes * channels]
        vectors = -(-nodes // lanes)
        padded = np.zeros((vectors * lanes, channels, self.row.size))
        padded[:nodes] = full.reshape(nodes, channels, -1)
        rows = padded.reshape(vectors, lanes, channels, -1).swapaxes(1, 2).reshape(-1, lanes, self.row.size)
        whole = np.zeros((-(-len(rows) // side) * side, lanes, self.row.size))
        whole[: len(rows)] = rows
        self.arrays["weight"] = whole.reshape(-1, side, lanes, self.row.size).transpose(0, 3, 1, 2)
