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
from synsys.knowledge.signaling import FAST, HOMEOSTATIC
from synsys.signaling.network import Kinetics
from synsys.signaling.rest import growth, stationary

if TYPE_CHECKING:
    from synsys.brain.state import HealthyBrain, State

TEMPERING = (1.0, 0.5, 0.25, 0.125, 0.0)
"""Factors on the edges from the fast brain that are tried until health is stable."""
PROBE = 0.03
"""Change of one node by which what comes back through the circuit is measured (log or deviation)."""


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
    return stationary(slow.network, change, hear, healthy.untempered, healthy.carried_echo)


def tempered(healthy: HealthyBrain) -> tuple[Kinetics, float]:
    """Numbers of the signaling network with which health is stable although the fast brain acts back.

    Where activity and the molecules that raise it would run away together, the edges from the fast brain
    (but those of `HOMEOSTATIC` nodes) are halved until they do not.

    Returns
    -------
    Kinetics
    float
        Factor on these edges.
    """
    network, draw = healthy.model.slow_brain.network, healthy.draw
    heard = healthy.echo
    for factor in TEMPERING:
        strength = dict(draw.strength)
        for edge in network.edges:
            if edge.source in FAST and edge.target not in HOMEOSTATIC:
                strength[edge.id] = factor * strength.get(edge.id, edge.strength)
        k = network.kinetics(strength, draw.factors)
        rate, gain = growth(network, k, heard)
        if rate < 0 and gain < MOST_GAIN:
            break
    return k, factor


def echo(healthy: HealthyBrain, recursive: bool) -> np.ndarray:
    """What the signaling network hears of a change of each of its own nodes, (kinds, K, S).

    Finite differences at health: each node that the circuit or a receptor reads is moved by `PROBE`
    everywhere, and links followed or, if `recursive`, the fast brain solved; means over the regions of each
    kind.
    """
    brain = healthy.model.slow_brain
    network = brain.network
    out = np.zeros((len(network.kinds[0]), len(network.inputs), len(network.names)))
    read = TERMS | {link.source for link in links()}
    read |= {name for row in receptors() for name in (row.density, row.tone, row.occupancy)}
    none = Modulation(healthy.model.places, healthy.densities)
    for j, name in enumerate(network.names):
        if name not in read:
            continue
        y = network.healthy()
        y[j] = y[j] * np.exp(PROBE) if network.fold[j, 0] else y[j] + PROBE
        applied = brain.applied(none, y)
        if recursive:
            state = healthy.with_modulation(applied)
            if not state.point.converged or state.carried is None:
                continue
            told = signals(state.averages, healthy.averages)
            heard = brain.inputs(state.carried, told | plasticity_signals(state, told))
        else:
            applied.propagate(healthy.draw.strength, healthy.draw.factors)
            heard = brain.inputs(applied, {})
        out[:, :, j] = network.kind_means(heard).T / PROBE
    return out
