"""Sections of the page that show the simulated brain: spectra, connectivity, graph, electrodes, distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core import show
from synsys.core.schema import NEGLIGIBLE, OBSERVATIONS, observations
from synsys.measures.graph import DEFINITIONS
from synsys.report import words
from synsys.report.figures_data import WIDE_Z

if TYPE_CHECKING:
    import xarray as xr

NETWORKS = {
    "Cont": "Executive control", "Default": "Default mode", "DorsAttn": "Dorsal attention",
    "Limbic": "Limbic", "SalVentAttn": "Salience", "SomMot": "Sensorimotor", "Vis": "Visual",
}  # fmt: skip


ROUNDING = 1e-12
"""Numbers of this size are what rounding leaves of 0."""


def group_names(network: np.ndarray, structure: np.ndarray) -> np.ndarray:
    """Network of each region in words; the structure outside cortex."""
    return np.array(
        [
            NETWORKS.get(str(n), str(n)) if n else str(s).replace("_", " ").capitalize() or "Other"
            for n, s in zip(network, structure, strict=True)
        ],
        dtype=object,
    )


def networks(tree: xr.DataTree, regions: xr.Dataset) -> dict[str, Any]:
    """Spectra, connectivity and graph metrics, of stable draws only."""
    from synsys.report.figures_data import graph_against_nulls, spectra_by_network

    draws = tree["draws"].to_dataset(inherit=False)
    group = group_names(regions["network"].values, regions["structure"].values)
    order = np.argsort([_rank(g) for g in group], kind="stable")
    healthy = draws["stable_reference"].values.astype(bool)
    both = healthy & draws["stable_perturbed"].values.astype(bool)
    told = bool(both.any())
    used = both if told else healthy
    power = tree["spectra"]["power"].values[: 2 if told else 1][:, used][:, :, order]
    graph = tree["graph"].to_dataset(inherit=False)
    z = graph["null_z"].values.astype(float)
    metrics = [str(m) for m in graph["metric"].values]
    seen = np.isfinite(z).any(axis=0)
    finite = np.isfinite(power).all(axis=(0, 2, 3))
    hz = tree["spectra"]["frequency"].values.astype(float)
    spectra = spectra_by_network(power[:, finite].astype(float), hz, group[order]) if finite.any() else []
    rules = {
        (str(r), round(float(d), 6))
        for r, d in zip(graph["rule"].values[0], graph["density"].values[0], strict=True)
    }
    return {
        "told": told,
        "spectra": spectra,
        "fc": _connectivity(tree["fc"].to_dataset(inherit=False), used, told, group),
        "systems": _systems(tree) if told else [],
        "observed": show.observed(observations(tree), OBSERVATIONS, NEGLIGIBLE) if told else "",
        "graph": graph_against_nulls([m for m, s in zip(metrics, seen, strict=True) if s], z[:, seen])
        if seen.any()
        else "",
        "metrics": [_metric(graph, metrics, i) for i in range(len(metrics))],
        "rule": rules.pop()[0] if len(rules) == 1 else "",
        "wide_z": bool(np.nanmax(np.abs(z), initial=0.0) > WIDE_Z),
        "used": int(used.sum()),
    }


def _connectivity(fc: xr.Dataset, used: np.ndarray, told: bool, group: np.ndarray) -> list[dict[str, Any]]:
    """Matrices of every way of observing connectivity, median over draws; empty if none is defined."""
    from synsys.report.figures_data import fc_panels

    order = np.argsort([_rank(g) for g in group], kind="stable")
    shown = []
    for name, words_ in OBSERVATIONS.items():
        values = fc[name].values[:, used]
        matched = np.isfinite(values[:, :, ~np.eye(values.shape[2], dtype=bool)]).all(axis=2)
        kept = matched.all(axis=0) if told else matched[0]
        if not kept.any():
            return []
        median = [np.median(state[kept], axis=0)[np.ix_(order, order)] for state in values]
        panels = fc_panels(median[0], median[1] if told else None, group[order], name)
        shown.append({"name": name, "words": words_, "panels": panels})
    return shown


def _systems(tree: xr.DataTree) -> list[dict[str, Any]]:
    """Change of the connectivity of named systems in every way it is observed, the largest |d| first."""
    table = observations(tree)
    size = table["d"].xs("fc", level="observation").abs().fillna(-1.0)
    rows = []
    for name in size.sort_values(ascending=False, kind="stable").index:
        cells = [table.loc[(way, name)] for way in OBSERVATIONS]
        if not all(math.isfinite(c["effect"]) for c in cells):
            continue
        rows.append(
            {
                "words": words.plain(str(name)),
                "name": name,
                "cells": [
                    {
                        "healthy": show.number(float(c["reference"]), 2),
                        "change": show.number(float(c["effect"]), 2, signed=True),
                        "d": show.number(float(c["d"]), 2, signed=True),
                        "turned": bool(c["effect"] * cells[0]["effect"] < 0 and abs(c["d"]) >= NEGLIGIBLE),
                    }
                    for c in cells
                ],
            }
        )
    return rows


def _rank(group: str) -> int:
    names = list(NETWORKS.values())
    return names.index(group) if group in names else len(names)


def _metric(graph: xr.Dataset, metrics: list[str], i: int) -> dict[str, Any]:
    found = {
        f"{name}{s}": float(graph[name].values[s, i])
        for name in ("value", "null_mean", "null_sd", "null_z")
        for s in (0, 1)
    }
    cells = {
        name: show.number(0.0 if abs(value) < ROUNDING else value, 2 if name[:-1] == "null_sd" else 3)
        for name, value in found.items()
    }
    density = float(graph["density"].values[0, i])
    return {
        "name": words.plain(metrics[i]), "definition": DEFINITIONS.get(metrics[i], ""), **cells,
        "rule": str(graph["rule"].values[0, i]),
        "density": show.UNKNOWN if math.isnan(density) else f"{100 * density:.0f} %",
    }  # fmt: skip


def scalp(tree: xr.DataTree) -> dict[str, Any]:
    """Electrodes: heads, scale and one row per band; empty without them or without a stable state."""
    from synsys.report.figures_brain import scale_end, scalp_maps

    if "eeg" not in tree.children:
        return {}
    data = tree["eeg"].to_dataset(inherit=False)
    power = data["power"].values.astype(float)
    both = np.isfinite(power).all(axis=(0, 2, 3))
    if not both.any():
        return {}
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.median(np.log(power[1, both] / power[0, both]), axis=0)  # NaN at a reference electrode
    names, bands = [str(x) for x in data["electrode"].values], [str(x) for x in data["band"].values]
    place = np.stack([data[axis].values.astype(float) for axis in "xyz"], axis=1)
    limit = scale_end(change)
    rows = []
    for b, band in enumerate(bands):
        seen = [i for i in np.argsort(change[:, b]) if np.isfinite(change[i, b])]
        if seen:
            low, high = seen[0], seen[-1]
            rows.append(
                {
                    "band": band, "middle": show.percent(float(np.median(change[seen, b]))),
                    "low": f"{show.percent(float(change[low, b]))} ({names[low]})",
                    "high": f"{show.percent(float(change[high, b]))} ({names[high]})",
                }
            )  # fmt: skip
    drawn = np.isfinite(place).all(axis=1).any()
    return {
        "heads": scalp_maps(place, change, limit, bands) if drawn else [],
        "ends": [show.percent(-limit), show.percent(limit)], "rows": rows,
        "count": len(names), "draws": int(both.sum()),
    }  # fmt: skip


def distance(regions: xr.Dataset) -> list[str]:
    """Change by distance from a focal lesion; empty without one."""
    from synsys.report.figures_data import effect_by_distance

    far, rate, fc = (regions[k].values.astype(float) for k in ("distance", "rate_change", "fc_change"))
    if not (np.isfinite(far) & (np.isfinite(rate) | np.isfinite(fc))).any():
        return []
    return effect_by_distance(far, rate, fc)
