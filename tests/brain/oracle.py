"""Small real brains, and their dense solution with nothing eliminated."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.linear import Linearised
from synsys.brain.model import BrainModel
from synsys.brain.noise import TAU_NOISE
from synsys.brain.state import HealthyBrain, State
from synsys.circuit.drift import SIZE, SLOTS
from synsys.circuit.linear import CALCIUM, FAST, KINDS, SLOW
from synsys.core.connectome import Connectome
from synsys.data.embedded import load_embedded

CORTEX = ("L.superiorfrontal", "L.rostralmiddlefrontal", "L.lateraloccipital", "R.superiorfrontal")
PAIRED = (*CORTEX, "L.thalamus", "L.hippocampus")
ALL_KINDS = (
    "L.superiorfrontal", "L.rostralmiddlefrontal", "R.superiorfrontal", "L.medialorbitofrontal", "L.thalamus",
    "L.caudate", "L.accumbens", "L.pallidum", "L.hippocampus", "L.amygdala", "R.cerebellum",
)  # fmt: skip
"""One region of every kind; three Yeo channels at most, so that dense algebra stays small."""


def part(labels: Sequence[str]) -> Connectome:
    """The embedded brain cut down to some regions."""
    return load_embedded().part(labels)


@cache
def model(labels: tuple[str, ...] = ALL_KINDS) -> BrainModel:
    """A small brain as a model; do not write into it."""
    return BrainModel(part(labels))


@cache
def healthy(labels: tuple[str, ...] = ALL_KINDS, member: int | None = None) -> HealthyBrain:
    """Its healthy state, regional maps included.

    By default every conductance is at its prior median: well damped, and the same when the ensemble is
    calibrated anew.
    """
    return HealthyBrain(model(labels), Draw(member))


def rewired(state: State, **changes: object) -> State:
    """The same state with fields of its wiring replaced (lengths, kappa, ...)."""
    wiring = replace(state.healthy.wiring, **changes)
    out = replace(state)
    out.__dict__["linear"] = replace(state.linear, wiring=wiring)
    return out


def connections(system: Linearised):
    """Every long-range synapse: (row in the state, column in the state, gain, delay in ms)."""
    w = system.wiring
    delay = w.delays(system.speed)
    for s, (origin, a, c) in enumerate(zip(w.source_node, w.source_slot, w.source_class, strict=True)):
        for node in np.flatnonzero(w.weights[:, s]):
            for kind in range(len(KINDS)):
                gate = SLOW if KINDS[kind] == "nmda" else FAST
                column = origin * SIZE + gate * SLOTS + a
                for b in range(SLOTS):
                    g = w.kappa[kind, b, node, c] * w.weights[node, s] * system.coupling[kind, node, b]
                    if g:
                        row = node * SIZE + b
                        yield row, column, g * system.jacobian.input_v[node, kind, b], delay[node, s]
                        row = node * SIZE + CALCIUM * SLOTS + b
                        yield row, column, g * system.jacobian.input_c[node, kind, b], delay[node, s]


def dense_matrix(system: Linearised, s: complex, delays: bool = True) -> np.ndarray:
    """Generator A(s) of the whole state such that x' = A x, delays as exp(-s tau)."""
    n = len(system.wiring.nodes)
    a = np.zeros((n * SIZE, n * SIZE), complex)
    for i in range(n):
        a[i * SIZE : (i + 1) * SIZE, i * SIZE : (i + 1) * SIZE] = system.jacobian.full[i]
    for row, column, gain, delay in connections(system):
        a[row, column] += gain * (np.exp(-s * delay) if delays else 1.0)
    return a


def dense_cross(system: Linearised, hertz: float) -> np.ndarray:
    """Cross-spectral density of all potentials, (3 N, 3 N), mV^2 per Hz, straight from the definition."""
    n = len(system.wiring.nodes)
    s = 2e-3j * np.pi * hertz
    columns = []
    for node in range(n):
        for kind in range(len(KINDS)):
            for b in range(SLOTS):
                size = system.noise[kind, node, b] * 1e-3 / (1 + abs(s * TAU_NOISE[kind]) ** 2)
                columns.append(np.sqrt(size) * entry(system, node, kind, b))
    f = hertz ** (-system.exponent / 2)
    slow = [
        f * sum(system.slow[node, b] * entry(system, node, 0, b) for b in range(SLOTS)) for node in range(n)
    ]
    columns += [np.sqrt(1 - system.shared) * column for column in slow]
    columns.append(np.sqrt(system.shared) * sum(slow))
    x = np.linalg.solve(s * np.eye(n * SIZE) - dense_matrix(system, s), np.stack(columns, -1))
    v = x.reshape(n, SIZE, -1)[:, :SLOTS].reshape(n * SLOTS, -1)
    return v @ v.conj().T


def entry(system: Linearised, node: int, kind: int, b: int) -> np.ndarray:
    """How a unit conductance onto a population enters the state."""
    out = np.zeros(len(system.wiring.nodes) * SIZE, complex)
    out[node * SIZE + b] = system.jacobian.input_v[node, kind, b]
    out[node * SIZE + CALCIUM * SLOTS + b] = system.jacobian.input_c[node, kind, b]
    return out
