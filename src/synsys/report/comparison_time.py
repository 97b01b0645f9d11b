"""Two trajectories side by side: the same panels with both lines, and what moves when in each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from synsys.core import show, show_time
from synsys.report import words
from synsys.report.figures_time import LINES, courses
from synsys.report.page import environment
from synsys.report.trajectory import course_panels, exposures, scenario_axis

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

SIDES = ("first", "second")


def compare_courses(a: xr.DataTree, b: xr.DataTree) -> list[dict[str, Any]]:
    """What moves when in two trajectories, one row per quantity that either has.

    Returns
    -------
    list of dict
        ``name``, ``level``, ``cells`` (of the first and the second: moved, peak, final, state) and
        ``verdict`` (same direction, opposite, only in the first, only in the second, neither, not in both),
        in the order of the first movement in either.
    """
    frames = [show_time.lead_lag_frame(tree) for tree in (a, b)]
    clocks = [show_time.clock(tree) for tree in (a, b)]
    names = dict.fromkeys(str(name) for frame in frames for name in frame.index)
    rows = []
    for name in names:
        found = [frame.loc[name] if name in frame.index else None for frame in frames]
        at = [math.inf if row is None or math.isnan(row["moved"]) else float(row["moved"]) for row in found]
        rows.append(
            {
                "name": name,
                "level": next(row["level"] for row in found if row is not None),
                "cells": [_cells(row, clock) for row, clock in zip(found, clocks, strict=True)],
                "verdict": _verdict(found),
                "first": min(at),
            }
        )
    return sorted(rows, key=lambda row: row["first"])


def _verdict(found: Sequence[Any]) -> str:
    if any(row is None for row in found):
        return "not in both"
    first, second = (float(row["direction"]) for row in found)
    if not first or not second:
        return "only in the first" if first else "only in the second" if second else "neither"
    return "same direction" if first == second else "opposite"


def _cells(row: Any, clock: show_time.Clock) -> dict[str, str]:
    if row is None:
        return {**dict.fromkeys(("moved", "peak", "final"), show.UNKNOWN), "state": "missing"}
    return {
        "moved": clock.latency(row),
        "peak": show_time.sized(row["peak"], row["measure"]),
        "final": show_time.sized(row["final"], row["measure"]),
        "state": "negligible" if not row["order"] else "up" if row["peak"] > 0 else "down",
    }


def render_comparison(a: xr.DataTree, b: xr.DataTree, notes: Sequence[str]) -> str:
    """Two trajectories as one HTML page.

    Parameters
    ----------
    a, b : DataTree
        Valid trajectories.
    notes : sequence of str
        What makes them hard to compare.
    """
    axis = scenario_axis([a, b])
    panels, hidden, _ = course_panels([a, b])
    bars = [
        replace(event, label=f"{side}: {event.label}")
        for side, tree in zip(SIDES, (a, b), strict=True)
        for event in exposures(tree)
    ]
    return (
        environment()
        .get_template("comparison_time.html")
        .render(
            a={**a.attrs, "heading": words.heading(a.attrs["title"])},
            b={**b.attrs, "heading": words.heading(b.attrs["title"])},
            warnings=[
                f"{t.attrs['title']}: {show.stability(t.attrs)}" for t in (a, b) if show.stability(t.attrs)
            ],
            notes=notes,
            axis=axis.words,
            course=courses(panels, bars, axis),
            most_lines=LINES,
            hidden=hidden,
            rows=compare_courses(a, b),
        )
    )


def print_courses(
    a: xr.DataTree, b: xr.DataTree, notes: Sequence[str], console: Console | None = None, most: int = 25
) -> None:
    """Print when and how far quantities move in two trajectories, the first to move in either.

    Parameters
    ----------
    a, b : DataTree
    notes : sequence of str
        What makes them hard to compare.
    console : rich.console.Console, optional
    most : int
        Most rows.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = console or Console()
    for side, tree in zip(SIDES, (a, b), strict=True):
        out.print(Text(f"{side}: {tree.attrs['title']}, {', '.join(show_time.facts(tree))}", style="bold"))
        if show.stability(tree.attrs):
            out.print(Text(f"{tree.attrs['title']}: {show.stability(tree.attrs)}", style="bold red"))
    for note in notes:
        out.print(Text(note, style="yellow"))
    rows = [row for row in compare_courses(a, b) if row["verdict"] != "neither"]
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("quantity", overflow="fold")
    for heading in ("first at", "peak", "second at", "peak"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows[:most]:
        cells = [cell[what] for cell in row["cells"] for what in ("moved", "peak")]
        table.add_row(
            Text(row["name"]), *map(Text, cells), style="bold" if row["verdict"] == "opposite" else ""
        )
    out.print(table)
    if len(rows) > most:
        out.print(Text(f"{len(rows) - most} more", style="dim"))
    out.print(Text("Bold: opposite directions. " + a.attrs["disclaimer"], style="italic"))
