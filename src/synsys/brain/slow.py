"""The signaling network on a brain: from perturbations to levels, from levels to what the circuit reads."""

from collections.abc import Mapping, Sequence

import numpy as np

from synsys.brain.modulation import Modulation, Places
from synsys.circuit.drift import SLOTS
from synsys.knowledge.signaling import ACTIVATION, FAST
from synsys.signaling.development import REFERENCE_AGE, regional_rate
from synsys.signaling.network import Network

LEAST_ACTIVATION = 1e-3
"""Activation of a receptor below which its logarithm is not followed."""


class SlowBrain:
    """The signaling network on the nodes of one brain.

    Parameters
    ----------
    places : Places

    Attributes
    ----------
    network : Network
    """

    def __init__(self, places: Places) -> None:
        share = places.wiring.nodes.share.to_numpy(float)

        def where(names: Sequence[str]) -> np.ndarray:
            return np.asarray(places.mask((), tuple(names)).any(1))

        def adult(process: str) -> np.ndarray:
            return regional_rate(process, REFERENCE_AGE, where)

        self.network = Network(where, share, adult=adult)

    def change(self, moved: Modulation) -> np.ndarray:
        """Perturbation of every node of the network, (S, N): logarithm of a factor or increment.

        Parameters
        ----------
        moved : Modulation
            What was perturbed, definitions carried on (`Modulation.enter`).
        """
        return _stack([moved.moved(name) for name in self.network.names], self.network.size)

    def inputs(self, carried: Modulation, signals: Mapping[str, np.ndarray]) -> np.ndarray:
        """Value of every input, (K, N): logarithm of fold sources, deviation of all others.

        Parameters
        ----------
        carried : Modulation
            Propagated; holds exposures, circuit variables and receptor activations.
        signals : mapping
            From the fast brain (`synsys.brain.feedback.signals`); those that are missing are healthy.
        """
        rows = []
        for name in self.network.inputs:
            if name in FAST:
                rows.append(signals.get(name, np.zeros(self.network.size)))
            elif name.startswith(ACTIVATION):  # kept as a departure from 1
                rows.append(np.log(np.maximum(1.0 + carried.moved(name), LEAST_ACTIVATION)))
            else:
                rows.append(carried.moved(name))
        return _stack(rows, self.network.size)

    def applied(self, moved: Modulation, y: np.ndarray) -> Modulation:
        """What was perturbed together with the regulated levels `y` (S, N); not yet propagated."""
        out = moved.copy()
        everywhere = np.ones((self.network.size, SLOTS), bool)
        for i, name in enumerate(self.network.names):
            if self.network.fold[i, 0]:
                if (y[i] != 1.0).any():
                    out.move(name, everywhere, np.log(np.maximum(y[i], 1e-12))[:, None])
            else:
                amount = y[i]
                if self.network.index[i, 0]:  # an index does not fall below health
                    amount = np.maximum(y[i] + out.moved(name), 0.0) - out.moved(name)
                if (amount != 0.0).any():
                    out.move(name, everywhere, amount[:, None])
        return out


def _stack(rows: list[np.ndarray], size: int) -> np.ndarray:
    return np.stack(rows) if rows else np.zeros((0, size))
