"""The state that a lasting perturbation leads to, and how strongly activity may act back on molecules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synsys.brain.draws import MOST_GAIN
from synsys.brain.feedback import signals
from synsys.brain.modulation import Modulation
from synsys.brain.plasticity import plasticity_signals
from synsys.knowledge.mechanisms import TERMS, links, receptors
from synsys.knowledge.signaling import FAST, SET_POINT
from synsys.signaling.rest import growth, healthy_slopes, stationary

if TYPE_CHECKING:
    from synsys.brain.state import HealthyBrain, State

TEMPERING = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.125, 0.0)
"""Factors on what a region hears that are tried until health is stable."""
PROBES = (0.03, -0.03, 0.003, -0.003)
"""Changes of one node, tried in turn, by which what comes back through the circuit is measured (log or
deviation)."""


def settled(healthy: HealthyBrain, changes: Modulation) -> State:
    """State of rest of both brains under lasting moves, activity not acting back on molecules.

    The signaling network is where the tables alone leave it (`rested`); what activity does to molecules takes
    time, and is integrated in time (`synsys.scales.clock`).

    Parameters
    ----------
    healthy : HealthyBrain
    changes : Modulation
        What was perturbed (`HealthyBrain.moved`).

    Returns
    -------
    State
        Not converged if the network comes to no rest.
    """
    y, found = rested(healthy, changes)
    state = healthy.with_modulation(healthy.model.slow_brain.applied(changes, y))
    point = state.point
    if point.converged and not found:
        point = replace(point, converged=False, residual=0.0)
    return replace(state, levels=y, point=point)


def rested(healthy: HealthyBrain, changes: Modulation) -> tuple[np.ndarray, bool]:
    """Levels (S, N) to which the tables alone lead under lasting moves, and whether they come to rest.

    The signaling network hears exposures, drugs and the circuit variables and receptors that it moves itself,
    but no rates.
    """
    slow = healthy.model.slow_brain

    def hear(y: np.ndarray) -> np.ndarray:
        carried = slow.applied(changes, y)
        carried.propagate(healthy.draw.strength, healthy.draw.factors)
        return slow.inputs(carried, {})

    y = slow.network.healthy()
    change = slow.change(changes)
    if not change.any() and not hear(y).any():
        return y, True
    return stationary(slow.network, change, hear, healthy.kinetics, healthy.carried_echo)


def tempered(healthy: HealthyBrain) -> np.ndarray:
    """How much of what activity does to molecules each region keeps, (N,), 0 to 1.

    In the region of each kind that hears the most, all signals but `SET_POINT` are lowered until health is
    stable although the fast brain acts back; no other region of the kind may then hear more than that one.
    Where even silence would not do, nothing is kept.
    """
    network, k = healthy.model.slow_brain.network, healthy.kinetics
    first, kind = network.kinds
    loud = np.sqrt((healthy.heard**2).sum((1, 2)))
    destabilises = np.array([name in FAST and name != SET_POINT for name in network.inputs])
    slope = healthy_slopes(network, k)
    out = np.ones(network.size)
    for c in range(len(first)):
        at = np.flatnonzero(kind == c)
        loudest = at[np.argmax(loud[at])]
        for factor in TEMPERING:
            heard = healthy.heard[loudest] * np.where(destabilises, factor, 1.0)[:, None]
            rate, gain = growth(network, k, np.repeat(heard[None], len(first), 0), slope, [c])
            if rate < 0 and gain < MOST_GAIN:
                break
        out[at] = np.minimum(1.0, factor * loud[loudest] / np.maximum(loud[at], 1e-12))
    return out


def heard_from(healthy: HealthyBrain, recursive: bool) -> np.ndarray:
    """What every region hears of a change of each node of its signaling network, (N, K, S).

    Finite differences at health: each node that the circuit or a receptor reads is moved by one of `PROBES`
    everywhere, and links followed or, if `recursive`, the fast brain solved.
    """
    brain = healthy.model.slow_brain
    network = brain.network
    out = np.zeros((network.size, len(network.inputs), len(network.names)))
    read = TERMS | {link.source for link in links()}
    read |= {name for row in receptors() for name in (row.density, row.tone, row.occupancy)}
    none = Modulation(healthy.model.places, healthy.densities)
    for j, name in enumerate(network.names):
        if name not in read:
            continue
        for probe in PROBES:  # where activity has no rest on one side, the other, then closer to health
            y = network.healthy()
            y[j] = y[j] * np.exp(probe) if network.fold[j, 0] else y[j] + probe
            applied = brain.applied(none, y)
            if not recursive:
                applied.propagate(healthy.draw.strength, healthy.draw.factors)
                out[:, :, j] = brain.inputs(applied, {}).T / probe
                break
            state = healthy.with_modulation(applied)
            if state.point.converged and state.carried is not None:
                out[:, :, j] = brain.inputs(state.carried, told(state)).T / probe
                break
    return out


def told(state: State, kept: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Everything activity tells molecules in a state, (N,) each, and what `kept` (N,) of it counts."""
    found = signals(state.averages, state.healthy.averages)
    found |= plasticity_signals(state, found)
    if kept is None:
        return found
    return {name: value if name == SET_POINT else kept * value for name, value in found.items()}
