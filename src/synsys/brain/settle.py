"""The state that a lasting perturbation leads to: fast and slow brain at rest with each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synsys.brain.feedback import signals
from synsys.brain.modulation import Modulation

if TYPE_CHECKING:
    from synsys.brain.state import HealthyBrain, State

ROUNDS = 30
"""Rounds from fast to slow to fast brain before they are given up."""
TOLERANCE = 1e-4
"""Accepted change of what the slow brain hears (logarithms), from one round to the next."""
MEMORY = 4
"""Rounds that the next guess is extrapolated from (Anderson 1965)."""


@dataclass(frozen=True, eq=False)
class Settling:
    """Levels of the signaling network, and how they came to rest with the fast brain.

    Attributes
    ----------
    y : ndarray, (S, N)
        Regulated levels.
    rounds : int
    gap : float
        Last change of what the slow brain hears.
    converged : bool
    """

    y: np.ndarray
    rounds: int
    gap: float
    converged: bool


def settled(healthy: HealthyBrain, moved: Modulation, recursive: bool = True) -> State:
    """State of rest of both brains under lasting moves.

    Parameters
    ----------
    healthy : HealthyBrain
    moved : Modulation
        What was perturbed (`HealthyBrain.moved`).
    recursive : bool
        Whether the fast brain acts back. If not, the signaling network hears exposures, drugs and the
        circuit variables that it moves itself, but no rates.

    Returns
    -------
    State
        Not converged if there is no state of rest on the way, or the two do not come to rest in `ROUNDS`.
    """
    slow = healthy.signaling
    change = slow.brain.change(moved)
    first = moved.copy()
    first.propagate(healthy.draw.strength, healthy.draw.factors)
    heard = slow.brain.inputs(first, {})
    y, found = slow.stationary(change, heard)
    past: list[tuple[np.ndarray, np.ndarray]] = []
    state, gap = None, np.inf
    rounds = 0
    while rounds < ROUNDS:
        rounds += 1
        applied = slow.brain.applied(moved, y)
        if recursive:
            state = healthy.with_modulation(applied, state)
            if not state.point.converged:
                break
            assert state.carried is not None
            new = slow.brain.inputs(state.carried, signals(state.averages, healthy.averages))
        else:
            carried = applied.copy()
            carried.propagate(healthy.draw.strength, healthy.draw.factors)
            new = slow.brain.inputs(carried, {})
        gap = float(np.abs(new - heard).max(initial=0.0))
        if gap < TOLERANCE or not found:
            break
        heard = _extrapolated(past, heard, new)
        y, found = slow.stationary(change, heard, y)
    if state is None or not recursive:
        state = healthy.with_modulation(slow.brain.applied(moved, y))
    converged = gap < TOLERANCE and found
    settling = Settling(y, rounds, gap, converged)
    point = state.point
    if point.converged and not converged:
        point = replace(point, converged=False, residual=0.0)
    return replace(state, settling=settling, point=point)


def _extrapolated(
    past: list[tuple[np.ndarray, np.ndarray]], heard: np.ndarray, new: np.ndarray
) -> np.ndarray:
    """Next guess of a fixed point from pairs (given, answered): Anderson acceleration."""
    past.append((heard, new - heard))
    del past[:-MEMORY]
    if len(past) == 1:
        return new
    x, r = past[-1]
    dx = np.stack([(x - a).ravel() for a, _ in past[:-1]], 1)
    dr = np.stack([(r - b).ravel() for _, b in past[:-1]], 1)
    weight = np.linalg.lstsq(dr, r.ravel(), rcond=1e-6)[0]
    return x + r - ((dx + dr) @ weight).reshape(x.shape)
