"""The connectome record: regions, weights, tract lengths and maps, joined by region name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

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
        `STRUCTURES`), ``x``, ``y``, ``z`` (centroid, MNI mm; NaN where unknown), ``network`` (one of
        `NETWORKS`; empty outside cortex), ``dk`` (Desikan-Killiany name of the parcel or of the DK
        parcel it mostly overlaps, for example ``rostralanteriorcingulate``; used to find loci).
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
                check_matrix(
                    f"{self.name} {what}", matrix, labels, symmetric=not self.directed or what == "fc"
                )
        for what, matrix in (("weights", self.weights), ("lengths", self.lengths)):
            if (matrix < 0).any():
                i, j = np.argwhere(matrix < 0)[0]
                raise UserError(
                    f"{self.name} {what}[{labels[i]}, {labels[j]}] = {matrix[i, j]:g} is negative; "
                    f"{what} must be >= 0 (log-transformed weights must be exponentiated first)"
                )
        if np.diagonal(self.weights).any():
            i = int(np.flatnonzero(np.diagonal(self.weights))[0])
            raise UserError(
                f"{self.name} weights[{labels[i]}, {labels[i]}] = {self.weights[i, i]:g}; "
                f"the diagonal must be zero (coupling within a region belongs to the circuit)"
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

    def part(self, labels: Sequence[str]) -> "Connectome":
        """The brain cut down to some regions, in the order given; nothing is rescaled.

        Parameters
        ----------
        labels : sequence of str
            Regions to keep.

        Raises
        ------
        UserError
            If a region is unknown or named twice, or if none is named.
        """
        if not labels:
            raise UserError(f"{self.name}: a part of a brain needs at least one region")
        row = {label: i for i, label in enumerate(self.labels)}
        for label in labels:
            if label not in row:
                raise unknown(f"region of {self.name}", label, row)
        at = [row[label] for label in labels]
        square = np.ix_(at, at)
        return replace(
            self,
            name=f"{self.name}, {len(at)} regions",
            weights=self.weights[square],
            lengths=self.lengths[square],
            regions=self.regions.iloc[at],
            maps=self.maps.iloc[at],
            fc=None if self.fc is None else self.fc[square],
        )

    @classmethod
    def from_files(
        cls,
        weights: str | PathLike[str],
        regions: str | PathLike[str],
        lengths: str | PathLike[str] | None = None,
        maps: Sequence[str | PathLike[str] | Mapping[str, Any]] = (),
        fc: str | PathLike[str] | None = None,
        *,
        transform: str = "none",
        fc_transform: str = "none",
        length_unit: str = "mm",
        length_rows: str = "all",
        tortuosity: float | None = None,
        directed: bool = False,
        columns: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        name: str | None = None,
    ) -> "Connectome":
        """A connectome from a user's files.

        Matrices may be CSV, TSV, TXT, NPY, NPZ or MAT, with or without a row and column of labels.
        Everything is joined by region label: a labelled file in another order is reordered; a file
        without labels must be in the order of `regions`. A diagonal of `weights` is dropped.

        Parameters
        ----------
        weights : path, (N, N)
            Connection weights, row = target, column = source.
        regions : path, CSV or TSV, N rows
            Columns label, structure, and optionally hemisphere, x, y, z (MNI mm), network (Yeo-7, any
            common spelling) and dk (Desikan-Killiany name); see `columns`.
        lengths : path, (N, N), or None
            Tract lengths. None, or 0 where there is a weight: centroid distance times `tortuosity`.
        maps : sequence of path or mapping
            Tables of regional maps. A mapping has ``file`` and optionally ``columns`` (which to take),
            ``zscore`` (bool), ``prefix`` and ``rows``: "named" (default; by region label, regions
            without a row are NaN) or "first" (no labels; rows are the first regions).
        fc : path, (N, N), or None
            Empirical functional connectivity; its diagonal is set to 1.
        transform : {"none", "exp", "expm1"}
            What turns the file into weights. ``exp`` is for log weights in which 0 marks an absent
            connection (ENIGMA): w -> exp(w) where w != 0, else 0.
        fc_transform : {"none", "tanh"}
            ``tanh`` for Fisher z.
        length_unit : {"mm", "cm", "m"}
        length_rows : {"all", "first"}
            ``first``: `lengths` has no labels and covers the first regions only; the others count as
            not known.
        tortuosity : float or None
            Tract length over centroid distance where no length is known; None means 1.45, the
            weight-averaged ratio in the embedded brain.
        directed : bool
            Whether asymmetric weights are meant.
        columns : mapping or None
            Our column -> heading in the regions file, e.g. ``{"network": "yeo7_lausanne"}``.
        keys : mapping or None
            ``weights``, ``lengths`` or ``fc`` -> variable in an NPZ or MAT file.
        name : str or None
            What the brain is called; None means the name of the regions file's folder.

        Raises
        ------
        UserError
            Naming file and cell, for anything that cannot be read, does not fit or does not match.
        """
        from synsys.core.brainfiles import assemble

        return assemble(
            weights, regions, lengths, maps, fc, transform=transform, fc_transform=fc_transform,
            length_unit=length_unit, length_rows=length_rows, tortuosity=tortuosity, directed=directed,
            columns=columns, keys=keys, name=name,
        )  # fmt: skip


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
