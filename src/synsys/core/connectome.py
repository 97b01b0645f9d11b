"""The connectome record: regions, weights, tract lengths and maps, joined by region name."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synsys.core.errors import UserError, unknown

STRUCTURES = (
    "cortex", "hippocampus", "amygdala", "thalamus", "striatum", "pallidum", "cerebellum",
)  # fmt: skip
NETWORKS = ("Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default")
"""Yeo et al. 2011, seven cortical networks, in the order of the original publication."""


@dataclass(frozen=True, eq=False)
class Connectome:
    """A parcellated brain.

    Parameters
    ----------
    name : str
        What the brain is called in results.
    weights : ndarray, (N, N)
        Structural connection weights, >= 0, row = target, column = source, zero diagonal.
    lengths : ndarray, (N, N)
        Tract lengths in mm.
    regions : DataFrame, N rows
        Index: unique region labels. Columns: ``hemisphere`` (L, R or B), ``structure`` (one of
        `STRUCTURES`), ``x``, ``y``, ``z`` (centroid, MNI mm), ``network`` (one of `NETWORKS`; empty
        outside cortex), ``dk`` (Desikan-Killiany name of the parcel or of the DK parcel it mostly
        overlaps, for example ``rostralanteriorcingulate``; used to find loci).
    maps : DataFrame, (N, maps)
        Regional maps (expression, receptor density, ...), same index; NaN where a map is missing.
    fc : ndarray, (N, N), or None
        Empirical BOLD functional connectivity (Pearson r), if known.
    directed : bool
        Whether an asymmetric `weights` is meant.
    provenance : dict
        Where it comes from: sources, licences, digests.

    Raises
    ------
    UserError
        If a matrix is not square, finite, non-negative or symmetric (unless `directed`), if labels
        repeat, or if a hemisphere, structure or network is unknown.
    """

    name: str
    weights: np.ndarray
    lengths: np.ndarray
    regions: pd.DataFrame
    maps: pd.DataFrame
    fc: np.ndarray | None = None
    directed: bool = False
    provenance: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels = self.labels
        if len(set(labels)) != len(labels):
            twice = sorted({x for x in labels if labels.count(x) > 1})
            raise UserError(f"{self.name}: region labels must be unique; repeated: {', '.join(twice[:5])}")
        for what, matrix in (("weights", self.weights), ("lengths", self.lengths), ("fc", self.fc)):
            if matrix is not None:
                check_matrix(f"{self.name} {what}", matrix, labels, symmetric=not self.directed or what == "fc")
        for what, matrix in (("weights", self.weights), ("lengths", self.lengths)):
            if (matrix < 0).any():
                i, j = np.argwhere(matrix < 0)[0]
                raise UserError(
                    f"{self.name} {what}[{labels[i]}, {labels[j]}] = {matrix[i, j]:g} is negative; "
                    f"{what} must be >= 0 (log-transformed weights must be exponentiated first)"
                )
        for column, allowed in (
            ("hemisphere", ("L", "R", "B")), ("structure", STRUCTURES), ("network", (*NETWORKS, "")),
        ):  # fmt: skip
            for label, value in self.regions[column].items():
                if value not in allowed:
                    raise unknown(f"{column} of region {label}", str(value), allowed)
        if list(self.maps.index) != labels:
            raise UserError(f"{self.name}: maps and regions name different regions")

    @property
    def labels(self) -> list[str]:
        """Region labels, in the order of every array."""
        return [str(label) for label in self.regions.index]

    def __len__(self) -> int:
        return len(self.regions)


def check_matrix(what: str, matrix: np.ndarray, labels: Sequence[str], symmetric: bool = True) -> None:
    """Raise a UserError that names the first offending cell of a region-by-region matrix.

    Parameters
    ----------
    what : str
        File or matrix, for the message.
    matrix : ndarray, expected (N, N)
    labels : sequence of N str
    symmetric : bool
        Whether asymmetry beyond 1e-6 of the largest entry is an error.
    """
    n = len(labels)
    if matrix.ndim != 2 or matrix.shape != (n, n):
        raise UserError(f"{what}: shape {matrix.shape}, but there are {n} regions, so ({n}, {n}) is needed")
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise UserError(f"{what}: [{labels[i]}, {labels[j]}] is {matrix[i, j]}; every cell must be finite")
    if symmetric:
        gap = np.abs(matrix - matrix.T)
        if gap.max() > 1e-6 * max(np.abs(matrix).max(), 1e-300):
            i, j = np.unravel_index(gap.argmax(), gap.shape)
            raise UserError(
                f"{what}: not symmetric, [{labels[i]}, {labels[j]}] = {matrix[i, j]:g} but "
                f"[{labels[j]}, {labels[i]}] = {matrix[j, i]:g}; declare it directed if that is meant"
            )
