"""The page of a trajectory: what is on it, from the tree to HTML."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core import show, show_time
from synsys.core.results import EFFECT_SIZE, LEVELS, NEGLIGIBLE, RATIO
from synsys.core.schema import attribute, validate
from synsys.measures.courses import RATIO_STEP, deviation, order_of_stages, readout_changes, slow_changes
from synsys.measures.leadlag import over_draws
from synsys.report import words, words_time
from synsys.report.figures_time import LINES, Exposure, Line, Panel, courses
from synsys.report.page import environment
from synsys.report.sections import group_names
from synsys.report.time_axis import TimeAxis, time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import xarray as xr

PANELS: dict[str, tuple[str, ...]] = {
    "Exposures and development": ("environment", "development"),
    "Molecules": ("genetic", "molecular", "ion_channel"),
    "Immune, metabolic and endocrine": ("immune", "metabolic", "endocrine"),
    "Epigenetic marks": ("epigenetic",),
    "Synapses and cells": ("synaptic", "cellular"),
    "Rhythms": ("oscillation",),
    "Microcircuit and circuits": ("microcircuit", "circuit"),
    "Networks": ("network",),
    "Tasks, inference, symptoms and behaviour": ("task", "inference", "symptom", "behaviour", "outcome"),
}
"""Panels of the course, from the molecule to the person, by level."""
BAND = (0.05, 0.5, 0.95)
MOST_MOVED, MOST_STRIPS = 30, 2
ALIKE = 0.1
"""Regions whose change varies by an sd below this share of its threshold are called alike."""


def render_trajectory(tree: xr.DataTree) -> str:
    """A trajectory as one HTML page.

    Parameters
    ----------
    tree : DataTree
        A result of kind trajectory.

    Raises
    ------
    SchemaError
        If the tree is no result.
    """
    validate(tree)
    return environment().get_template("trajectory.html").render(context(tree))


def context(tree: xr.DataTree) -> dict[str, Any]:
    """Everything the template shows."""
    attrs = tree.attrs
    scenario, duration = attribute(tree, "scenario"), scenario_days(tree)
    trajectory, slow, events = (
        tree[name].to_dataset(inherit=False) for name in ("trajectory", "slow", "events")
    )
    frame = show_time.lead_lag_frame(tree)
    stages = order_of_stages(trajectory, slow, {str(name) for name in events["quantity"].values})
    clock = show_time.clock(tree)
    given = [(words.perturbed(label), period) for label, period in show_time.exposures(tree)]
    axis = scenario_axis([tree])
    panels, hidden, still = course_panels([tree])
    age = None if scenario.get("age") is None else float(scenario["age"])
    recursive = bool(scenario.get("recursive", True))
    solver, messages = words_time.solver(attribute(tree, "convergence"))
    feedback, recursion = words_time.feedback(recursive, attribute(tree, "recursion"))
    heading = words.heading(attrs["title"])
    ages = trajectory["age"].values.astype(float)
    return {
        "title": attrs["title"],
        "text": str(scenario.get("text", "")),
        "heading": heading[:1].upper() + heading[1:],
        "duration": show.span(duration),
        "attrs": dict(attrs),
        "facts": show_time.facts(tree),
        "options": show.options(attrs),
        "warning": show.stability(attrs),
        "sentences": words_time.sentences(frame, stages, given, duration, recursive, clock),
        "exposures": [
            (label, "" if words.plain(str(quantity)) in words.plain(label) else str(quantity), period)
            for (label, period), quantity in zip(given, events["quantity"].values, strict=True)
        ],
        "axis": axis.words,
        "course": courses(panels, exposures(tree), axis, age) if panels else "",
        "most_lines": LINES,
        "hidden": hidden,
        "still": still,
        "strips": _strips(tree),
        **_order(frame, stages, tree),
        **_development(tree, age),
        "effects": [
            _effects("readout", readout_changes(trajectory), trajectory["time"].values, clock, trajectory),
            _effects("slow variable", slow_changes(slow), trajectory["time"].values, clock),
        ],
        "ages": [show.number(a, 3) for a in ages] if np.isfinite(ages).all() else [],
        "report_times": len(ages),
        "solver": solver,
        "messages": messages,
        "feedback": feedback,
        "recursion": recursion,
        "negligible": NEGLIGIBLE,
        "ratio_threshold": show.number(math.exp(NEGLIGIBLE * RATIO_STEP), 3),
        "perturbations": attribute(tree, "perturbations"),
        "limitations": {
            words.limitation_row(name): text for name, text in sorted(attribute(tree, "limitations").items())
        },
        "references": attribute(tree, "references"),
        "digests": attribute(tree, "digests"),
    }


def scenario_days(tree: xr.DataTree) -> float:
    """How long the scenario lasts, days."""
    return float(attribute(tree, "scenario")["duration_days"])


def scenario_axis(trees: Sequence[xr.DataTree]) -> TimeAxis:
    """One time axis for one or more trajectories."""
    changes = [time for tree in trees for time in show_time.clock(tree).changes]
    frames = [show_time.lead_lag_frame(tree) for tree in trees]
    moments = [frame["half_rise"][frame["order"] > 0].to_numpy(float) for frame in frames]
    return time_axis(max(map(scenario_days, trees)), changes, np.concatenate(moments))


def exposures(tree: xr.DataTree) -> list[Exposure]:
    """Events of a trajectory as bars."""
    events = tree["events"].to_dataset(inherit=False)
    level = events["level"].transpose("event", "time_dense").values.astype(float)
    time = events["time_dense"].values.astype(float)
    return [
        Exposure(words.perturbed(str(events["label"].values[k])), float(events["start"].values[k]),
                 float(events["end"].values[k]), time, level[k])
        for k in range(events.sizes["event"])
    ]  # fmt: skip


def course_panels(trees: Sequence[xr.DataTree]) -> tuple[list[Panel], int, int]:
    """Panels of one trajectory, or of two with the second dashed and without a band.

    Returns
    -------
    panels : list of Panel
        Quantities of the same group of levels and measure, those that move furthest beyond their threshold.
    hidden, still : int
        How many move but are not drawn, and how many never move.
    """
    found: dict[tuple[str, str], dict[str, tuple[float, list[Line]]]] = {}
    for k, tree in enumerate(trees):
        slow = slow_changes(tree["slow"].to_dataset(inherit=False))
        seen = readout_changes(tree["trajectory"].to_dataset(inherit=False))
        seen = seen.sel(item=~seen["item"].isin(slow["item"]))
        for part in (slow, seen):
            time = part["time"].values
            bands = _quantiles(part["effect"])
            for i, name in enumerate(part["item"].values):
                title = next((t for t, levels in PANELS.items() if part["level"].values[i] in levels), "")
                size = float(np.nanmax(np.abs(bands[i, 1]), initial=0.0)) / float(part["threshold"].values[i])
                group = found.setdefault((title, str(part["measure"].values[i])), {})
                most, lines = group.get(str(name), (0.0, []))
                lines.append(Line("" if lines else words.plain(str(name)), time, bands[i], dashed=k > 0))
                group[str(name)] = max(most, size), lines
    panels: list[Panel] = []
    hidden = still = 0
    for title in PANELS:
        for measure, group in ((measure, group) for (of, measure), group in found.items() if of == title):
            moving = sorted((name for name in group if group[name][0] >= 1), key=lambda n: -group[n][0])
            hidden += len(moving[LINES:])
            still += len(group) - len(moving)
            if not moving:
                continue
            chosen = [
                Line(line.label, line.time, line.band, line.dashed, colour)
                for colour, name in enumerate(moving[:LINES])
                for line in group[name][1]
            ]
            panels.append(Panel(title, measure, tuple(chosen)))
    return panels, hidden, still


def _quantiles(effect: xr.DataArray) -> np.ndarray:
    """5, 50 and 95 % over draws, (item, 3, time)."""
    return np.moveaxis(over_draws(effect.transpose("draw", "item", "time").values, BAND), 0, 1)


def _strips(tree: xr.DataTree) -> list[str]:
    """Heat strips of the slow variables that differ most between regions, each of another stage."""
    from synsys.report.figures_order import region_strip

    there, slow = (tree[name].to_dataset(inherit=False) for name in ("slow_regions", "slow"))
    changes = slow_changes(slow)
    value = there["value"].transpose("time", "region", "variable").values.astype(float)
    change = np.moveaxis(deviation(value, slow["form"].values), -1, 1)  # (time, variable, region)
    least = changes["threshold"].values
    known = np.where(np.isfinite(change).all(axis=(0, 2))[:, None], change, 0.0)
    apart = known.std(axis=2).max(axis=0) / least
    apart[np.abs(known).max(axis=(0, 2)) < least] = 0.0
    if "regions" in tree.children:
        regions = tree["regions"].to_dataset(inherit=False)
        groups = [str(g) for g in group_names(regions["network"].values, regions["structure"].values)]
    else:
        groups = [str(region) for region in there["region"].values]
    drawn: list[str] = []
    stages: set[str] = set()
    for i in np.argsort(-apart, kind="stable"):
        stage = words_time.STAGE_OF.get(str(changes["level"].values[i]), "")
        if len(drawn) == MOST_STRIPS or not apart[i] > ALIKE:
            break
        if stage in stages:
            continue
        stages.add(stage)
        name = words.plain(str(changes["item"].values[i]))
        drawn.append(
            region_strip(
                change[:, i], there["time"].values.tolist(), groups, str(changes["measure"].values[i]),
                name[:1].upper() + name[1:], f"strip{len(drawn)}",
            )
        )  # fmt: skip
    return drawn


def _order(frame: pd.DataFrame, stages: pd.DataFrame, tree: xr.DataTree) -> dict[str, Any]:
    """What moved first: figure up to its last movement, order of levels, rows of the table."""
    from synsys.report.figures_order import movements

    moving = frame[frame["order"] > 0]
    drawn = moving.head(MOST_MOVED)
    times = drawn[["moved", "hi"]].to_numpy(float).ravel()
    until = min(1.2 * float(times[np.isfinite(times)].max(initial=0.0)), scenario_days(tree)) or 1.0
    clock = show_time.clock(tree)
    axis = time_axis(until, clock.changes, drawn["moved"].to_numpy(float))
    return {
        "moved": movements(drawn, axis, words_time.STAGE_OF) if len(drawn) else "",
        "drawn": len(drawn),
        "left_out": len(moving) - len(drawn),
        "rows": [_row(str(name), row, clock) for name, row in frame.iterrows()],
        "stages": [
            {
                "earlier": s["earlier"], "later": s["later"], "leads": s["leads"], "draws": s["draws"],
                "interval": f"{s['lo']:.2f} to {s['hi']:.2f}" if s["draws"] else show.UNKNOWN,
                "p": show.number(s["p_value"], 2), "pairs": f"{100 * s['pairs']:.0f} %",
            }
            for _, s in stages[stages["pairs"].notna()].iterrows()
        ],
    }  # fmt: skip


def _row(name: str, row: Any, clock: show_time.Clock) -> dict[str, Any]:
    measure = row["measure"]
    moves = row["order"] > 0
    return {
        "name": name,
        "level": words.level_title(row["level"]).lower(),
        "measure": {RATIO: "ratio to health", EFFECT_SIZE: "d"}.get(measure, measure or "own unit"),
        "order": int(row["order"]) or show.UNKNOWN,
        "moved": clock.latency(row),
        "interval": clock.latencies(row),
        "share": show.UNKNOWN if math.isnan(row["share"]) else f"{100 * row['share']:.0f} %",
        "half_rise": clock.when(row["half_rise"]),
        "peak": show_time.sized(row["peak"], measure),
        "peak_time": clock.when(row["peak_time"]),
        "recovery": show_time.recovered(row),
        "turned": clock.when(row["turned"]),
        "final": show_time.sized(row["final"], measure),
        "ends": show_time.ends(row),
        "persistent": bool(row["persistent"]),
        "state": "negligible" if not moves else "up" if row["peak"] > 0 else "down",
    }


def _development(tree: xr.DataTree, age: float | None) -> dict[str, Any]:
    """Healthy curves over age and windows; empty without development."""
    from synsys.report.figures_order import development

    if "development" not in tree.children or age is None:
        return {"development": "", "windows": []}
    windows: list[tuple[str, float, float]] = []
    if "windows" in tree.children:
        data = tree["windows"].to_dataset(inherit=False)
        windows = [
            (str(name).replace("_", " "), float(start), float(end))
            for name, start, end in zip(
                data["window"].values, data["start"].values, data["end"].values, strict=True
            )
        ]
    drawn = development(tree["development"]["curve"], age, windows)
    told = [(name, show.number(start, 2), show.number(end, 2)) for name, start, end in windows]
    return {"development": drawn, "windows": told}


def _effects(
    what: str, changes: xr.Dataset, times: np.ndarray, clock: show_time.Clock,
    trajectory: xr.Dataset | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Median changes at every report time, level by level."""
    at = changes if trajectory is not None else changes.interp(time=times)
    bands = _quantiles(at["effect"])
    ends = None
    if trajectory is not None:
        last = trajectory["value"].transpose("draw", "readout", "state", "time").values[..., -1]
        ends = over_draws(last, (0.5,))[0]  # (readout, state)
    levels = []
    for level in LEVELS:
        rows = []
        for i in np.flatnonzero(changes["level"].values == level):
            measure, least = str(changes["measure"].values[i]), float(changes["threshold"].values[i])
            cells = [_cell(bands[i, :, t], measure, least) for t in range(len(times))]
            row = {"name": str(changes["item"].values[i]), "cells": cells,
                   "measure": {RATIO: "%"}.get(measure, measure or "units of its own")}  # fmt: skip
            if ends is not None:
                row |= {"healthy": show.number(ends[i, 0]), "perturbed": show.number(ends[i, 1])}
            rows.append(row)
        if rows:
            levels.append({"name": words.level_title(level), "rows": rows})
    return {"what": what, "times": [clock.when(float(t)) for t in times], "levels": levels,
            "raw": ends is not None}  # fmt: skip


def _cell(band: np.ndarray, measure: str, least: float) -> dict[str, str]:
    low, middle, high = (show_time.sized(float(x), measure).removeprefix("d ") for x in band)
    size = float(band[1])
    state = (
        "missing" if math.isnan(size) else "negligible" if abs(size) < least else "up" if size > 0 else "down"
    )
    return {"text": middle.removesuffix(" %"), "interval": f"{low} to {high}", "state": state}
