"""The signaling network on a brain: from perturbations to levels, from levels to what the circuit reads."""

from collections.abc import Mapping, Sequence

import numpy as np

from synsys.brain.carry import furthest, variables
from synsys.brain.modulation import Modulation, Places
from synsys.knowledge.signaling import ACTIVATION, FAST, Edge, Node
from synsys.signaling.development import REFERENCE_AGE, regional_rate
from synsys.signaling.network import Network

LEAST_ACTIVATION = 1e-3
"""Activation of a receptor below which its logarithm is not followed."""


class SlowBrain:
    """The signaling network on the nodes of one brain.

    Parameters
    ----------
    places : Places
    rows, regulators : optional
        Nodes and edges (`Network`); those of the tables by default.

    Attributes
    ----------
    network : Network
    """

    def __init__(
        self,
        places: Places,
        rows: Mapping[str, Node] | None = None,
        regulators: Sequence[Edge] | None = None,
    ) -> None:
        share = places.wiring.nodes.share.to_numpy(float)

        def where(names: Sequence[str]) -> np.ndarray:
            return np.asarray(places.mask((), tuple(names)).any(1))

        def adult(process: str) -> np.ndarray:
            return regional_rate(process, REFERENCE_AGE, where)

        self.network = Network(where, share, rows, regulators, adult)
        self._rows = variables().rows(self.network.names)
        inputs = self.network.inputs
        self._active = np.array([name.startswith(ACTIVATION) for name in inputs], bool)
        self._fast = {k: name for k, name in enumerate(inputs) if name in FAST}
        self._inputs = variables().rows("" if name in FAST else name for name in inputs)

    def change(self, moved: Modulation) -> np.ndarray:
        """Perturbation of every node of the network, (S, N): logarithm of a factor or increment.

        Parameters
        ----------
        moved : Modulation
            What was perturbed, definitions carried on (`Modulation.enter`).
        """
        return furthest(moved.amount[self._rows])

    def inputs(self, carried: Modulation, signals: Mapping[str, np.ndarray]) -> np.ndarray:
        """Value of every input, (K, N): logarithm of fold sources, deviation of all others.

        Parameters
        ----------
        carried : Modulation
            Propagated; holds exposures, circuit variables and receptor activations.
        signals : mapping
            From the fast brain (`synsys.brain.feedback.signals`); those that are missing are healthy.
        """
        out = furthest(carried.amount[self._inputs])
        active = self._active  # kept as a departure from 1
        out[active] = np.log(np.maximum(1.0 + out[active], LEAST_ACTIVATION))
        for k, name in self._fast.items():
            out[k] = signals.get(name, 0.0)
        return out

    def applied(self, moved: Modulation, y: np.ndarray) -> Modulation:
        """What was perturbed together with the regulated levels `y` (S, N); not yet propagated."""
        out = moved.copy()
        fold, index = self.network.fold, self.network.index
        held = furthest(out.amount[self._rows])
        # an index does not fall below health
        amount = np.where(index, np.maximum(y + held, 0.0) - held, y)
        amount = np.where(fold, np.log(np.maximum(np.where(fold, y, 1.0), 1e-12)), amount)
        out.amount[self._rows] += amount[:, :, None]
        out.touched.update(self.network.names[i] for i in np.flatnonzero(amount.any(1)))
        return out
