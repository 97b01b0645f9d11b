"""Named systems of a brain: their connectivity and the graph that it makes."""

from functools import cached_property

import numpy as np
import pandas as pd

from synsys.brain.solution import Grid
from synsys.core.errors import UserError
from synsys.knowledge.atlas import resolve_pair, resolve_where
from synsys.knowledge.load import vocabulary
from synsys.measures.graph import graph_metrics, graph_profile
from synsys.measures.spatial import connectivity_means

DENSITY = 0.15
"""Proportional threshold of every graph metric (declared; `density_sweep` shows others)."""


class Atlas:
    """Region sets of one brain, each looked up once.

    Parameters
    ----------
    grid : Grid
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.brain = grid.model.brain
        self.regions = self.brain.regions
        self.cortex = (self.regions.structure == "cortex").to_numpy()
        self.network = self.regions.network.to_numpy().astype(str)
        nodes = grid.model.wiring.nodes
        self.node_region, self.node_template = nodes.region.to_numpy(), nodes.template.to_numpy()
        self.share = nodes.share.to_numpy()
        self._where: dict[str, np.ndarray | None] = {}
        self._pair: dict[str, tuple[np.ndarray, np.ndarray] | None] = {}

    def where(self, name: str) -> np.ndarray | None:
        """Regions of a locus, bool (R,); None if this brain has none."""
        if name not in self._where:
            try:
                self._where[name] = resolve_where(self.regions, name)
            except UserError:
                self._where[name] = None
        return self._where[name]

    def pair(self, name: str) -> tuple[np.ndarray, np.ndarray] | None:
        """The two sets of a loop, or None."""
        if name not in self._pair:
            try:
                self._pair[name] = resolve_pair(self.regions, name)
            except UserError:
                self._pair[name] = None
        return self._pair[name]

    @cached_property
    def modules(self) -> np.ndarray:
        """Partition for graph metrics: Yeo network in cortex, structure elsewhere."""
        return np.where(self.cortex, self.network, self.regions.structure.to_numpy().astype(str))

    @cached_property
    def hubs(self) -> np.ndarray | None:
        """Indices of the named hubs: precuneus, ACC, insula, dlPFC."""
        inside = self.where("hubs")
        return None if inside is None else np.flatnonzero(inside)

    @cached_property
    def distance(self) -> np.ndarray:
        """Euclidean distance between centroids, mm."""
        xyz = self.regions[["x", "y", "z"]].to_numpy(float)
        return np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)


def system_fc(fc: np.ndarray, atlas: Atlas) -> dict[str, float]:
    """Connectivity of named systems, mean Fisher z over their pairs of regions.

    Parameters
    ----------
    fc : ndarray, (R, R)
        Pearson r.
    atlas : Atlas

    Returns
    -------
    dict
        Vocabulary name -> value; systems that this brain lacks are absent.
    """
    z = np.arctanh(np.clip(fc - np.eye(len(fc)) * fc, -0.999999, 0.999999))
    out: dict[str, float] = {}

    def between(a: np.ndarray, b: np.ndarray) -> float:
        block_ = z[np.ix_(a, b)]
        pairs = ~np.eye(len(fc), dtype=bool)[np.ix_(a, b)]
        return float(block_[pairs].mean()) if pairs.any() else np.nan

    for name, where in (
        ("dmn_fc", "DMN"),
        ("sn_fc", "SN"),
        ("cen_fc", "CEN"),
        ("limbic_fc", "limbic"),
        ("sensorimotor_fc", "SMN"),
    ):
        inside = atlas.where(where)
        if inside is not None and inside.sum() > 1:
            out[name] = between(inside, inside)
    for name, pair in (
        ("dmn_cen_fc", "DMN--CEN"),
        ("dmn_sn_fc", "DMN--SN"),
        ("sn_cen_fc", "SN--CEN"),
        ("dmn_limbic_fc", "DMN--limbic"),
        ("amygdala_prefrontal_fc", "amygdala-prefrontal"),
        ("hippocampal_prefrontal_fc", "hippocampal-prefrontal"),
        ("frontostriatal_fc", "fronto-striatal"),
        ("corticostriatal_fc", "cortex--striatum"),
        ("thalamocortical_fc", "thalamo-cortical"),
        ("thalamo_sensorimotor_fc", "thalamus--SMN"),
        ("thalamo_prefrontal_fc", "thalamus--PFC"),
        ("prefrontal_limbic_fc", "fronto-limbic"),
    ):
        sets = atlas.pair(pair)
        if sets is not None:
            out[name] = between(*sets)
    everything = np.ones(len(fc), bool)
    out["interregional_communication"] = between(everything, everything)
    cortical = fc[np.ix_(atlas.cortex, atlas.cortex)]
    means = connectivity_means(
        cortical, atlas.network[atlas.cortex], atlas.distance[np.ix_(atlas.cortex, atlas.cortex)]
    )
    out |= {str(k): float(np.asarray(v).ravel()[0]) for k, v in means.items()}
    return out


def graph_readouts(fc: np.ndarray, atlas: Atlas, nulls: pd.DataFrame | None = None) -> pd.DataFrame:
    """Graph metrics of many connectivity matrices, one row each, named as in the vocabulary.

    Parameters
    ----------
    fc : ndarray, (K, R, R)
    atlas : Atlas
    nulls : DataFrame, optional
        `graph_nulls` of a median draw; without it small-worldness and rich club are left out, since
        both are ratios to null graphs.
    """
    table = graph_metrics(fc, atlas.modules, atlas.hubs, density=DENSITY, deep=True, profile=nulls)
    table = table.rename(
        columns={"assortativity_strength": "assortativity", "hub_betweenness": "betweenness"}
    )
    known = [c for c in table.columns if c in vocabulary()]
    return table[known]


def graph_nulls(fc: np.ndarray, atlas: Atlas, nulls: int = 20, seed: int = 0) -> pd.DataFrame:
    """Every graph metric of one matrix against weight- and degree-preserving null graphs."""
    return graph_profile(fc, atlas.modules, atlas.hubs, density=DENSITY, nulls=nulls, seed=seed)
