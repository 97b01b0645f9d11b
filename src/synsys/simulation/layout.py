"""What lies side by side in a vector: the runs of a batch, or the regions of one run."""

from collections.abc import Sequence

import numpy as np


class Batch:
    """Runs side by side: (N, ..., lanes) for every group of lanes; the last is filled up with its last run.

    Parameters
    ----------
    nodes, batch, lanes : int
    """

    across = False

    def __init__(self, nodes: int, batch: int, lanes: int) -> None:
        self.groups = [np.arange(k, min(k + lanes, batch)) for k in range(0, batch, lanes)]
        self.rows, self._lanes = nodes, lanes

    def lanes(self, group: np.ndarray) -> np.ndarray:
        """Runs whose numbers a group needs, one for every lane."""
        return np.minimum(group[0] + np.arange(self._lanes), group[-1])

    def packed(self, values: np.ndarray) -> np.ndarray:
        """Values (N, X, lanes) as the kernel has them."""
        return values

    def unpacked(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Results of all groups, (..., N, X, lanes) each, together, (..., N, X, K)."""
        own = [part[..., : len(group)] for part, group in zip(parts, self.groups, strict=True)]
        return np.concatenate(own, -1)


class Across:
    """Regions side by side, for few runs without delays: (run and vector, ..., lanes), a group for every run.

    Parameters
    ----------
    nodes, batch, lanes : int
    """

    across = True

    def __init__(self, nodes: int, batch: int, lanes: int) -> None:
        self.groups = list(np.arange(batch)[:, None])
        self.nodes, self._lanes = nodes, lanes
        self.vectors = -(-nodes // lanes)
        self.rows = self.vectors

    def lanes(self, group: np.ndarray) -> np.ndarray:
        """Runs of a group."""
        return group

    def packed(self, values: np.ndarray) -> np.ndarray:
        """Values (N, X, runs) as (runs x vectors, X, lanes); regions that fill up repeat the last."""
        n = np.minimum(np.arange(self.vectors * self._lanes), self.nodes - 1)
        filled = values[n].reshape(self.vectors, self._lanes, *values.shape[1:])  # (vectors, lanes, X, runs)
        size, runs = values.shape[1:]
        return filled.transpose(3, 0, 2, 1).reshape(runs * self.vectors, size, self._lanes)

    def unpacked(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Results of all groups, (..., runs x vectors, X, lanes) each, as (..., N, X, K)."""
        whole = np.concatenate(parts, -3)
        front, size, runs = whole.shape[:-3], whole.shape[-2], whole.shape[-3] // self.vectors
        apart = whole.reshape(*front, runs, self.vectors, size, self._lanes)
        return np.moveaxis(apart, (-4, -3, -1, -2), (-1, -4, -3, -2)).reshape(
            *front, self.vectors * self._lanes, size, runs
        )[..., : self.nodes, :, :]
