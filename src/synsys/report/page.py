"""The page of a result: what is on it, from the tree to HTML."""

from __future__ import annotations

import math
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core import show
from synsys.core.schema import LEVELS, NEGLIGIBLE, OBSERVATIONS, attribute, observations, tabulate, validate
from synsys.report import words
from synsys.report.drawing import SIGNED, gradient

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

NETWORKS = {
    "Cont": "Executive control", "Default": "Default mode", "DorsAttn": "Dorsal attention",
    "Limbic": "Limbic", "SalVentAttn": "Salience", "SomMot": "Sensorimotor", "Vis": "Visual",
}  # fmt: skip
MOST_SENSITIVE = 10


def render(tree: xr.DataTree) -> str:
    """A result as one HTML page.

    Parameters
    ----------
    tree : DataTree

    Raises
    ------
    SchemaError
        If the tree is no result.
    """
    validate(tree)
    return environment().get_template("page.html").render(context(tree))


def environment() -> Any:
    """The templates of this package, with everything that is put in escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    def source(name: str) -> str:
        return (resources.files("synsys.report") / name).read_text(encoding="utf-8")

    made = Environment(
        loader=FunctionLoader(source), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["safe_picture"] = Markup
    made.filters["cited"] = _cited
    made.filters["plain"] = words.plain
    return made


def _cited(text: str) -> Any:
    """A reference with its DOI as a link; everything else escaped."""
    from markupsafe import Markup, escape

    found = re.search(r"\b(?:doi[:\s]+)?(10\.\d{4,9}/[^\s<>\"';,]*[^\s<>\"';,.])", text)
    if not found:
        return escape(text)
    return (
        escape(text[: found.start()])
        + Markup('<a href="https://doi.org/{0}" rel="noreferrer">doi:{0}</a>').format(found[1])
        + escape(text[found.end() :])
    )


def context(tree: xr.DataTree) -> dict[str, Any]:
    """Everything the template shows."""
    frame, attrs = tabulate(tree), tree.attrs
    frame.index = frame.index.astype(object)
    regions = tree["regions"].to_dataset(inherit=False)
    links = tree["links"].to_dataset(inherit=False).to_dataframe()
    grades = {f"{r['source']} → {r['target']}": r["grade"] for _, r in links.iterrows()}
    limitations = attribute(tree, "limitations")
    return {
        "title": attrs["title"],
        "attrs": dict(attrs),
        "perturbations": attribute(tree, "perturbations"),
        "options": show.options(attrs),
        "warning": show.stability(attrs),
        "sentences": words.five_sentences(
            frame, attrs, attribute(tree, "perturbations"), limitations, grades
        ),
        "negligible": NEGLIGIBLE,
        "maps": _maps(regions),
        "gradient": gradient(SIGNED),
        **_cascade(frame, links),
        **_networks(tree, regions),
        "distance": _distance(regions),
        "levels": _levels(frame),
        "limitations": {words.limitation_row(name): text for name, text in sorted(limitations.items())},
        "adjusted": [
            words.adjusted(name, regions["region"].values.astype(str).tolist(), regions[name].values.tolist())
            for name in words.ADJUSTED
        ],
        "references": attribute(tree, "references"),
        "digests": attribute(tree, "digests"),
    }


def _maps(regions: xr.Dataset) -> list[dict[str, Any]]:
    """The two regional maps: pictures, scale, regions below the cortex and those that change most."""
    from synsys.data.embedded import load_surface
    from synsys.report.figures_brain import glass_brain, scale_end, surface_maps

    labels = [str(x) for x in regions["region"].values]
    on_cortex = np.isin(regions["structure"].values.astype(str), ["cortex", "hippocampus", "amygdala"])
    surface = load_surface()
    known = tuple(labels) == surface.labels
    maps = []
    for key, name, unit in (
        ("rate_change", "Firing rate of excitatory cells", "log ratio"),
        ("fc_change", "Strength of functional connectivity", "mean Fisher z"),
    ):
        values = regions[key].values.astype(float)
        if not np.isfinite(values).any():
            continue
        limit = scale_end(values)
        order = np.argsort(-np.abs(np.nan_to_num(values)), kind="stable")[:MOST_SENSITIVE]
        if known:
            pictures = surface_maps(dict(zip(labels, values, strict=True)), limit, surface)
            drawn = {"surface": [{"view": view, "src": src} for view, src in pictures], "glass": []}
        else:
            xyz = np.stack([regions[axis].values.astype(float) for axis in "xyz"], axis=1)
            glass = glass_brain(xyz, values, limit, f"glass{key[0]}", name)
            drawn = {"surface": [], "glass": glass if np.isfinite(xyz).all(axis=1).any() else []}
        deep = [i for i in range(len(labels)) if regions["structure"].values[i] != "cortex"] if known else []
        maps.append(
            {
                "name": name, "unit": unit, "limit": f"{limit:g}", **drawn,
                "deep": _below_cortex(labels, values, deep, limit),
                "most": [
                    {"label": labels[i], "text": _size(key, values[i])}
                    for i in order if np.isfinite(values[i]) and values[i] != 0
                ],
                "all_equal": bool(on_cortex.any() and np.nanmax(np.abs(values)) < 1e-9),
            }
        )  # fmt: skip
    return maps


def _size(key: str, value: float) -> str:
    return show.percent(value) if key == "rate_change" else show.number(value, 2, signed=True)


def _below_cortex(
    labels: list[str], values: np.ndarray, deep: list[int], limit: float
) -> list[dict[str, Any]]:
    """Regions without a place on the surface as coloured chips, both hemispheres side by side."""
    from synsys.report.drawing import colours, css_colour

    rows: dict[str, dict[str, Any]] = {}
    for i in deep:
        side, _, name = labels[i].partition(".")
        rgb = colours(values[i : i + 1], limit)[0]
        dark = float(rgb @ np.array([0.3, 0.59, 0.11])) < 0.55
        rows.setdefault(name or side, {"name": name or side})[side if name else "L"] = {
            "text": show.number(float(values[i]), 2, signed=True),
            "colour": css_colour(rgb),
            "ink": "#fff" if dark else "#222",
        }
    return list(rows.values())


def _cascade(frame: pd.DataFrame, links: pd.DataFrame) -> dict[str, Any]:
    from synsys.report.diagram import cascade_diagram

    drawn, omitted = cascade_diagram(frame, links)
    rows = [
        {
            "source": words.plain(r["source"]), "target": words.plain(r["target"]),
            "verb": "raises" if r["sign"] > 0 else "lowers", "strength": show.number(float(r["strength"]), 2),
            "law": r["law"], "grade": r["grade"],
            "where": " ".join(x.replace("|", ", ") for x in (r["cell"], r["where"]) if x) or "everywhere",
        }
        for _, r in links.iterrows()
    ]  # fmt: skip
    return {"cascade": drawn, "omitted": omitted, "links": rows}


def group_names(network: np.ndarray, structure: np.ndarray) -> np.ndarray:
    """Network of each region in words; the structure outside cortex."""
    return np.array(
        [
            NETWORKS.get(str(n), str(n)) if n else str(s).replace("_", " ").capitalize() or "Other"
            for n, s in zip(network, structure, strict=True)
        ],
        dtype=object,
    )


def _networks(tree: xr.DataTree, regions: xr.Dataset) -> dict[str, Any]:
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
    spectra = (
        spectra_by_network(
            power[:, finite].astype(float), tree["spectra"]["frequency"].values.astype(float), group[order]
        )
        if finite.any()
        else ""
    )
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
    cells = {
        f"{name}{s}": show.number(float(graph[name].values[s, i]))
        for name in ("value", "null_mean", "null_sd", "null_z")
        for s in (0, 1)
    }
    density = float(graph["density"].values[0, i])
    return {
        "name": words.plain(metrics[i]), **cells, "rule": str(graph["rule"].values[0, i]),
        "density": show.UNKNOWN if math.isnan(density) else f"{100 * density:.0f} %",
    }  # fmt: skip


def _distance(regions: xr.Dataset) -> str:
    from synsys.report.figures_data import effect_by_distance

    distance, rate, fc = (regions[k].values.astype(float) for k in ("distance", "rate_change", "fc_change"))
    if not (np.isfinite(distance) & (np.isfinite(rate) | np.isfinite(fc))).any():
        return ""
    return effect_by_distance(distance, rate, fc)


def _levels(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The table, level by level; within one, the largest |d| first."""
    small = show.is_negligible(frame, NEGLIGIBLE)
    levels = []
    for level in LEVELS:
        here = frame[frame["level"] == level]
        if here.empty:
            continue
        here = show.by_size(here)
        here = here.iloc[np.argsort(here["origin"].ne("input").to_numpy(), kind="stable")]
        rows = [_row(str(name), row, bool(small[name])) for name, row in here.iterrows()]
        levels.append({"name": words.level_title(level), "rows": rows})
    return levels


def _row(name: str, row: Any, small: bool) -> dict[str, Any]:
    d, missing = float(row["d"]), math.isnan(row["effect"])
    state = "missing" if missing else "negligible" if small else "up" if row["effect"] > 0 else "down"
    return {
        "name": name,
        "words": words.plain(name),
        "definition": row["definition"],
        "unit": row["unit"],
        "healthy": show.number(float(row["reference"])),
        "calibrated": row["calibrated"].replace("_", " "),
        "now": show.number(float(row["value"])),
        "change": show.change(row),
        "interval": show.interval(row),
        "d": show.number(d, 2, signed=True),
        "bar": 0.0 if math.isnan(d) else round(50 * min(abs(d), 3.0) / 3.0, 1),
        "p": show.UNKNOWN if missing else show.probability(show.sign_probability(row)),
        "origin": row["origin"],
        "grade": row["grade"],
        "label": row["label"],
        "limitation": words.limitation_row(row["limitation_id"]),
        "null": ""
        if math.isnan(row["null_z_reference"])
        else " → ".join(show.number(row[f"null_z_{state}"], 2, True) for state in ("reference", "perturbed")),
        "state": state,
    }
