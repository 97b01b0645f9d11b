"""The page of a result: what is on it, from the tree to HTML."""

from __future__ import annotations

import math
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core import show
from synsys.core.schema import LEVELS, NEGLIGIBLE, attribute, tabulate, validate
from synsys.report import words
from synsys.report.drawing import SIGNED, gradient
from synsys.report.mind import performance
from synsys.report.sections import distance, networks, scalp

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

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
    limitations, perturbations = attribute(tree, "limitations"), attribute(tree, "perturbations")
    net = networks(tree, regions)
    return {
        "title": attrs["title"],
        "attrs": dict(attrs),
        "perturbations": perturbations,
        "options": show.options(attrs),
        "warning": show.stability(attrs),
        "heading": _capital(words.heading(attrs["title"])),
        "sentences": words.five_sentences(frame, attrs, limitations, grades, net["observed"]),
        "negligible": NEGLIGIBLE,
        "maps": _maps(regions),
        "gradient": gradient(SIGNED),
        **_cascade(frame, links),
        **net,
        "distance": distance(regions),
        "mind": performance(tree, frame),
        "scalp": scalp(tree),
        "levels": _levels(frame),
        "limitations": {words.limitation_row(name): text for name, text in sorted(limitations.items())},
        "adjusted": [
            words.adjusted(name, regions["region"].values.astype(str).tolist(), regions[name].values.tolist())
            for name in words.ADJUSTED
        ],
        "references": attribute(tree, "references"),
        "digests": attribute(tree, "digests"),
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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
        (
            "rate_change",
            "Change of firing rate",
            "of principal cells (E; TC in thalamus, D1 in striatum, GPe in pallidum, DCN in cerebellum)",
        ),
        ("fc_change", "Change of connectivity", "of a region with all others (mean Fisher z)"),
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
                "name": name, "unit": unit, **drawn,
                "ends": [_size(key, -limit), _size(key, limit)],
                "deep": _below_cortex(key, labels, values, deep, limit),
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
    key: str, labels: list[str], values: np.ndarray, deep: list[int], limit: float
) -> list[dict[str, Any]]:
    """Regions without a place on the surface as coloured chips, both hemispheres side by side."""
    from synsys.report.drawing import colours, css_colour

    rows: dict[str, dict[str, Any]] = {}
    for i in deep:
        side, _, name = labels[i].partition(".")
        rgb = colours(values[i : i + 1], limit)[0]
        dark = float(rgb @ np.array([0.3, 0.59, 0.11])) < 0.55
        rows.setdefault(name or side, {"name": name or side})[side if name else "L"] = {
            "text": _size(key, float(values[i])),
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
