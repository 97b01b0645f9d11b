"""Graph measures of connectivity: one table with nulls, sweeps over density, and a quick batch.

`graph_profile` is for one matrix, every measure beside its null model; `graph_metrics` for many
matrices (one a draw), without nulls; both give the same values for the same matrix and settings.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synsys.core.errors import UserError, unknown
from synsys.measures import communities, paths, resilience, topology
from synsys.measures.nulls import NULLS, null_correlations, null_graphs, null_zscore, small_worldness
from synsys.measures.threshold import as_graph, edge_density, rule_name, threshold

DEFINITIONS = {
    "global_efficiency": "mean inverse shortest path length (Latora & Marchiori 2001)",
    "local_efficiency": "mean efficiency of neighbourhoods (Latora & Marchiori 2001; Wang et al. 2017)",
    "path_length": "mean shortest path length of connected pairs (Watts & Strogatz 1998)",
    "clustering": "mean clustering coefficient (Watts & Strogatz 1998; Onnela et al. 2005)",
    "transitivity": "triangles over connected triples (Newman 2003)",
    "small_worldness": "(C / C null) / (L / L null) (Humphries & Gurney 2008)",
    "modularity": "Q of the given modules, else of the best found (Newman & Girvan 2004)",
    "modularity_max": "largest Q found by Louvain search (Blondel et al. 2008)",
    "module_count": "modules of two or more nodes in the partition of largest Q",
    "network_integration": "mean participation coefficient (Guimerà & Amaral 2005)",
    "hub_centrality": "eigenvector centrality, mean of hubs over mean of all (Bonacich 1972)",
    "hub_strength": "mean strength of hubs",
    "hub_betweenness": "mean share of shortest paths through hubs (Freeman 1977)",
    "hub_participation": "mean participation coefficient of hubs (Guimerà & Amaral 2005)",
    "rich_club": "phi(k) over its null mean (Colizza et al. 2006; Opsahl et al. 2008)",
    "rich_club_phi": "phi(k): linkage among nodes of degree > k",
    "assortativity_degree": "correlation of degrees over edges (Newman 2002)",
    "assortativity_strength": "correlation of strengths over edges",
    "network_resilience": "area under efficiency / start while the strongest nodes are removed",
    "random_resilience": "the same under removal at random",
    "network_vulnerability": "random_resilience - network_resilience",
    "hub_vulnerability": "relative loss of efficiency among the others without the hubs",
    "largest_component": "share of nodes in the largest connected component",
}
"""What each row is. Names shared with vocabulary.csv mean what they mean there."""

QUICK = (
    "global_efficiency", "path_length", "clustering", "transitivity", "modularity", "network_integration",
    "hub_centrality", "hub_strength", "hub_participation", "hub_vulnerability", "rich_club_phi",
    "assortativity_degree", "assortativity_strength", "largest_component",
)  # fmt: skip
"""Measures that `graph_metrics` gives by default."""

DEEP = ("local_efficiency", "network_resilience")
"""Measures that `graph_metrics` adds with ``deep=True``."""

KEPT = {("strength", True): {"hub_strength"}}
"""Measures a null model keeps by construction though not exactly: no z score."""


def graph_profile(
    matrix: np.ndarray,
    partition: Sequence | np.ndarray | None = None,
    hubs: np.ndarray | list | None = None,
    *,
    density: float | None = None,
    cutoff: float | None = None,
    backbone: bool = False,
    negatives: str = "zero",
    weighted: bool = True,
    scale: float | str | None = None,
    nulls: int = 20,
    null: str = "strength",
    level: int | None = None,
    gamma: float = 1.0,
    fraction: float = 0.5,
    runs: int = 5,
    orders: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Every graph measure of one connectivity matrix, each beside its null model.

    Parameters
    ----------
    matrix : ndarray, (N, N)
        Undirected connectivity: FC (Pearson r) or SC (any unit).
    partition : sequence of N labels, optional
        Modules for modularity and participation, for example Yeo networks. Without it the modules
        of largest Q, sought anew in every null graph.
    hubs : boolean (N,) or integer sequence, optional
        Declared hub set; without it the tenth of the nodes with the largest strength, chosen anew in
        every null graph.
    density, cutoff, backbone, negatives
        Threshold rule, see `synsys.measures.threshold.threshold`. Default: every positive edge.
    weighted : bool
        Weighted measures, or binary ones of the thresholded graph.
    scale : float, "max" or None
        What weights are divided by. A number (one for all states) keeps states comparable.
    nulls : int
        Null graphs; z from 20 has a standard error of about 16 %.
    null : {"strength", "degree", "random", "correlation"}
        "correlation" suits FC, the others SC and FC; see `synsys.measures.nulls.NULLS`.
    level : int, optional
        Rich-club degree k; default `synsys.measures.topology.rich_club_level`.
    gamma : float
        Resolution of modularity.
    fraction : float
        Share of nodes removed by the attacks.
    runs, orders : int
        Louvain searches and random orders of removal, per graph.
    seed : int

    Returns
    -------
    DataFrame
        Index ``metric`` (`DEFINITIONS`). Columns: value, null_mean, null_sd, z (NaN where the null
        keeps the measure), nulls, null, rule, density (attained), definition. For small_worldness
        each null graph is set against the mean null graph.
    """
    graph = prepare(matrix, density, cutoff, backbone, negatives, scale, weighted)
    if graph.ndim != 2:
        raise UserError(f"connectivity: shape {graph.shape}; one (N, N) matrix is needed (see graph_metrics)")
    if null not in NULLS:
        raise unknown("null model", null, NULLS)
    k = topology.rich_club_level(graph) if level is None else level

    def measure(one: np.ndarray, number: int) -> dict[str, float]:
        mask = topology.hub_mask(one, hubs)
        return _measure(one, partition, mask, k, weighted, gamma, fraction, runs, orders, seed + number)

    value = measure(graph, 0)
    if null == "correlation":
        drawn = prepare(
            null_correlations(matrix, nulls, seed), density, cutoff, backbone, negatives, scale, weighted
        )
    else:
        drawn = null_graphs(graph, null, nulls, seed)
    samples = [measure(one, i + 1) for i, one in enumerate(drawn)]
    spread = {name: np.array([sample[name] for sample in samples]) for name in value}
    c, l, phi = (_mean(spread[name]) for name in ("clustering", "path_length", "rich_club_phi"))
    value["small_worldness"] = small_worldness(value["clustering"], value["path_length"], c, l)
    value["rich_club"] = value["rich_club_phi"] / phi if phi > 0 else np.nan
    spread["rich_club"] = spread["rich_club_phi"] / phi if phi > 0 else np.full(nulls, np.nan)
    spread["small_worldness"] = np.array(
        [small_worldness(s["clustering"], s["path_length"], c, l) for s in samples]
    )
    rows = []
    for name, definition in DEFINITIONS.items():
        mean, sd, z = null_zscore(value[name], spread[name])
        rows.append(
            (name, value[name], mean, sd, np.nan if name in KEPT.get((null, weighted), ()) else z, definition)
        )
    table = pd.DataFrame(rows, columns=["metric", "value", "null_mean", "null_sd", "z", "definition"])
    table.insert(5, "nulls", nulls)
    table.insert(6, "null", null)
    table.insert(7, "rule", rule_name(density, cutoff, backbone, negatives) + _kind(weighted, scale))
    table.insert(8, "density", float(edge_density(graph)))
    return table.set_index("metric")


def graph_metrics(
    matrices: np.ndarray,
    partition: Sequence | np.ndarray | None = None,
    hubs: np.ndarray | list | None = None,
    *,
    density: float | None = None,
    cutoff: float | None = None,
    backbone: bool = False,
    negatives: str = "zero",
    weighted: bool = True,
    scale: float | str | None = None,
    level: int | None = None,
    gamma: float = 1.0,
    fraction: float = 0.5,
    deep: bool = False,
    profile: pd.DataFrame | Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """The quick graph measures of many matrices, one row each.

    Parameters
    ----------
    matrices : ndarray, (K, N, N) or (N, N)
        Connectivity, one matrix a draw.
    partition : sequence of N labels, optional
        Modules, the same for all matrices; without it modularity and participation are NaN.
    hubs : boolean (N,) or integer sequence, optional
        The same set for all matrices; without it the tenth of the nodes with the largest mean
        strength.
    density, cutoff, backbone, negatives, weighted, scale, gamma, fraction
        As in `graph_profile`; each matrix is thresholded for itself.
    level : int, optional
        Rich-club degree k, the same for all matrices; default from their mean degrees.
    deep : bool
        Add `DEEP`, at about the cost of everything else.
    profile : DataFrame or mapping, optional
        Null means of clustering, path_length and rich_club_phi, usually the `graph_profile` of the
        median draw; adds small_worldness and rich_club.

    Returns
    -------
    DataFrame
        Index ``draw``, one column per measure of `QUICK` (`DEEP`), names as in `DEFINITIONS`.
    """
    graphs = prepare(matrices, density, cutoff, backbone, negatives, scale, weighted)
    graphs = graphs.reshape(-1, *graphs.shape[-2:])
    mask = topology.hub_mask(graphs, hubs)
    k = topology.rich_club_level(graphs) if level is None else level
    columns = _quick(graphs, paths.distances(graphs, weighted), partition, mask, k, weighted, gamma)
    if deep:
        columns["local_efficiency"] = np.array(
            [paths.local_efficiency(graph, weighted).mean() for graph in graphs]
        )
        columns["network_resilience"] = np.array(
            [resilience.resilience(graph, fraction=fraction, weighted=weighted) for graph in graphs]
        )
    if profile is not None:
        means = profile["null_mean"] if isinstance(profile, pd.DataFrame) else profile
        columns["small_worldness"] = (
            columns["clustering"] / means["clustering"] / columns["path_length"] * means["path_length"]
        )
        columns["rich_club"] = columns["rich_club_phi"] / means["rich_club_phi"]
    return pd.DataFrame(columns, index=pd.RangeIndex(len(graphs), name="draw"))


def density_sweep(
    matrix: np.ndarray, densities: Sequence[float] = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3), **settings
) -> pd.DataFrame:
    """`graph_profile` at several densities.

    Parameters
    ----------
    matrix : ndarray, (N, N)
    densities : sequence of float in (0, 1]
        Proportional thresholds.
    **settings
        Further arguments of `graph_profile`; hubs not declared there are chosen once, from the
        unthresholded graph, so that every density speaks of the same nodes.

    Returns
    -------
    DataFrame
        Long form: columns metric, asked (the density asked for) and those of `graph_profile`.
    """
    if not len(densities):
        raise UserError("density sweep: give at least one density")
    whole = as_graph(matrix, settings.get("negatives", "zero"))
    settings["hubs"] = topology.hub_mask(whole, settings.get("hubs"))
    tables = [graph_profile(matrix, density=d, **settings).reset_index() for d in densities]
    for table, asked in zip(tables, densities, strict=True):
        table.insert(1, "asked", asked)
    return pd.concat(tables, ignore_index=True)


def node_profile(
    matrix: np.ndarray,
    partition: Sequence | np.ndarray,
    labels: Sequence[str] | None = None,
    *,
    density: float | None = None,
    cutoff: float | None = None,
    backbone: bool = False,
    negatives: str = "zero",
    weighted: bool = True,
    scale: float | str | None = None,
) -> pd.DataFrame:
    """Graph measures of every node of one matrix.

    Parameters
    ----------
    matrix : ndarray, (N, N)
    partition : sequence of N labels
        Modules for participation and within-module z.
    labels : sequence of N str, optional
        Row names.
    density, cutoff, backbone, negatives, weighted, scale
        As in `graph_profile`.

    Returns
    -------
    DataFrame, N rows
        degree, strength, clustering, local_efficiency, betweenness (share of pairs, 0-1),
        eigenvector_centrality, participation, within_module_z, vulnerability (relative loss of
        efficiency without the node).
    """
    graph = prepare(matrix, density, cutoff, backbone, negatives, scale, weighted)
    n = len(graph)
    return pd.DataFrame(
        {
            "degree": topology.degree(graph),
            "strength": topology.strength(graph),
            "clustering": topology.clustering(graph, weighted),
            "local_efficiency": paths.local_efficiency(graph, weighted),
            "betweenness": paths.betweenness(graph, weighted) / max(1.0, (n - 1) * (n - 2) / 2),
            "eigenvector_centrality": topology.eigenvector_centrality(graph),
            "participation": communities.participation(graph, partition),
            "within_module_z": communities.within_module_z(graph, partition),
            "vulnerability": resilience.vulnerability(graph, weighted),
        },
        index=pd.Index(range(n) if labels is None else list(labels), name="region"),
    )


def prepare(
    matrix: np.ndarray,
    density: float | None = None,
    cutoff: float | None = None,
    backbone: bool = False,
    negatives: str = "zero",
    scale: float | str | None = None,
    weighted: bool = True,
) -> np.ndarray:
    """Thresholded, scaled (or binary) graphs, (..., N, N); arguments as in `graph_profile`."""
    graph = threshold(matrix, density, cutoff, backbone, negatives)
    if not weighted:
        return (graph > 0).astype(float)
    if scale is None:
        return graph
    if scale == "max":
        largest = graph.max((-1, -2), keepdims=True)
        return graph / np.where(largest > 0, largest, 1.0)
    if isinstance(scale, str) or not (np.isfinite(scale) and scale > 0):
        raise UserError(f'scale {scale!r} must be a number > 0, "max" or None')
    return graph / scale


def _quick(graphs, distance, partition, mask, k, weighted, gamma) -> dict[str, np.ndarray]:
    """The measures of `QUICK` for a stack of prepared graphs."""
    whole = paths.inverse_mean(distance)
    others = np.flatnonzero(~mask)
    rest = paths.global_efficiency(graphs[:, others[:, None], others], weighted)
    nothing = np.full(len(graphs), np.nan)
    central = topology.eigenvector_centrality(graphs)
    roles = None if partition is None else communities.participation(graphs, partition)
    return {
        "global_efficiency": whole,
        "path_length": paths.mean_distance(distance),
        "clustering": topology.clustering(graphs, weighted).mean(-1),
        "transitivity": topology.transitivity(graphs, weighted),
        "modularity": nothing if partition is None else communities.modularity(graphs, partition, gamma),
        "network_integration": nothing if roles is None else roles.mean(-1),
        "hub_centrality": central[:, mask].mean(-1) / central.mean(-1),
        "hub_strength": topology.strength(graphs)[:, mask].mean(-1),
        "hub_participation": nothing if roles is None else roles[:, mask].mean(-1),
        "hub_vulnerability": 1.0 - np.divide(rest, whole, out=nothing.copy(), where=whole > 0),
        "rich_club_phi": topology.rich_club(graphs, k, weighted),
        "assortativity_degree": topology.assortativity(graphs),
        "assortativity_strength": topology.assortativity(graphs, weighted),
        "largest_component": paths.largest_component(graphs),
    }


def _measure(graph, partition, mask, k, weighted, gamma, fraction, runs, orders, seed) -> dict[str, float]:
    """The whole set, without the two measures that need nulls, for one prepared graph."""
    n = len(graph)
    found, best = communities.louvain(graph, gamma, runs, seed)
    modules = found if partition is None else partition
    distance = paths.distances(graph, weighted)
    quick = _quick(graph[None], distance[None], modules, mask, k, weighted, gamma)
    values = {name: float(x[0]) for name, x in quick.items()}
    values["modularity_max"] = best
    values["module_count"] = float((np.bincount(found) > 1).sum())
    values["local_efficiency"] = float(paths.local_efficiency(graph, weighted).mean())
    through = paths.betweenness(graph, weighted, distance)[mask].mean()
    values["hub_betweenness"] = float(through / max(1.0, (n - 1) * (n - 2) / 2))
    targeted = resilience.resilience(graph, fraction=fraction, weighted=weighted)
    chance = resilience.resilience(
        graph, "random", fraction=fraction, weighted=weighted, repeats=orders, seed=seed
    )
    values["network_resilience"], values["random_resilience"] = targeted, chance
    values["network_vulnerability"] = chance - targeted
    return values


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else np.nan


def _kind(weighted: bool, scale: float | str | None) -> str:
    if not weighted:
        return "; binary"
    return "; weights as given" if scale is None else f"; weights / {scale}"
