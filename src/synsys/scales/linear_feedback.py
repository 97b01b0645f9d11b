"""What activity tells molecules, to first order: no solution of the fast brain between report times.

Deviations of molecules act through the slopes measured at health in every region (`HealthyBrain.heard`);
what an exposure does to activity at once is solved once, at its full level, and taken to be in proportion.
Folds and flips of the circuit are left out, so a life takes seconds. Good where activity departs by some tens
of per cent; the whole brain is still solved in full at report times.
"""

from collections.abc import Sequence

import numpy as np

from synsys.brain.modulation import Modulation
from synsys.brain.settle import told
from synsys.brain.state import HealthyBrain
from synsys.core.perturbation import Perturbation
from synsys.knowledge.signaling import FAST, SET_POINT

LOUDEST = 1.0
"""Largest logarithm of a signal that is heard."""
SHARES = (1.0, 0.3, 0.1)
"""Shares of an exposure that are tried until activity has a state of rest."""


class LinearFeedback:
    """First-order feedback of one draw.

    Parameters
    ----------
    healthy : HealthyBrain
        The adult, whose slopes count at every age.
    changes : sequence of Perturbation
        Of the events.
    """

    def __init__(self, healthy: HealthyBrain, changes: Sequence[Perturbation]) -> None:
        self.slow = healthy.model.slow_brain
        network = self.slow.network
        activity = np.array([name in FAST for name in network.inputs])
        spared = np.array([name not in FAST or name == SET_POINT for name in network.inputs])
        self.kept = np.where(spared[:, None], 1.0, healthy.kept)  # (K, N)
        self.slopes = healthy.heard - healthy.carried_heard
        self.activity = activity[:, None]
        nodes = set(network.names)
        self.direct = [None if c.name in nodes else self._acute(healthy, c) for c in changes]

    def _acute(self, healthy: HealthyBrain, change: Perturbation) -> np.ndarray:
        """What is heard of one exposure at full level beyond what links carry, (K, N)."""
        moved = healthy.moved([change])
        for share in SHARES:
            part = moved.scaled(share)
            state = healthy.with_modulation(part)
            if state.point.converged and state.carried is not None:
                whole = self.slow.inputs(state.carried, told(state))
                part.propagate(healthy.draw.strength, healthy.draw.factors)
                return (whole - self.slow.inputs(part, {})) / share
        return np.zeros((len(self.slow.network.inputs), self.slow.network.size))

    def heard(self, z: np.ndarray, carried: Modulation, level: Sequence[float]) -> np.ndarray:
        """Inputs of the network, (K, N).

        Parameters
        ----------
        z : ndarray, (S, N)
            Effective levels.
        carried : Modulation
            What they and the exposures move, propagated along links.
        level : sequence of float
            Level of every event.
        """
        network = self.slow.network
        departure = np.where(network.fold, np.log(np.maximum(np.where(network.fold, z, 1.0), 1e-12)), z)
        extra = np.einsum("nks,sn->kn", self.slopes, departure)
        for found, share in zip(self.direct, level, strict=False):
            if found is not None and share:
                extra = extra + share * found
        extra = np.where(self.activity, np.clip(extra, -LOUDEST, LOUDEST), extra)
        return self.slow.inputs(carried, {}) + self.kept * extra
