"""Two results side by side, joined by readout."""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synsys.core import show
from synsys.core.errors import UserError
from synsys.core.schema import LEVELS, NEGLIGIBLE, attribute, kind, tabulate, validate
from synsys.report import words

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

_COLUMNS = ("level", "effect", "log_ratio", "lo90", "hi90", "d", "p_sign", "origin", "grade")


def write_comparison(a: xr.DataTree, b: xr.DataTree, path: str | PathLike[str]) -> Path:
    """Write two results side by side as one HTML page that needs no network and no other file.

    Parameters
    ----------
    a, b : DataTree
        Results (`synsys.core.schema`).
    path : path
        A file there is replaced, whole or not at all.

    Raises
    ------
    SchemaError
        If one of them is no result.
    UserError
        If they are of different kinds, or the file cannot be written.
    """
    from synsys.core.output import write_whole
    from synsys.report.comparison_time import render_comparison
    from synsys.report.page import environment

    for tree in (a, b):
        validate(tree)
    if same_kind(a, b) == "trajectory":
        return write_whole(path, render_comparison(a, b, differences(a, b)).encode("utf-8", "replace"))
    page = (
        environment()
        .get_template("comparison.html")
        .render(
            a={**a.attrs, "heading": words.heading(a.attrs["title"])},
            b={**b.attrs, "heading": words.heading(b.attrs["title"])},
            warnings=[
                f"{t.attrs['title']}: {show.stability(t.attrs)}" for t in (a, b) if show.stability(t.attrs)
            ],
            notes=differences(a, b),
            levels=compare(a, b),
            negligible=NEGLIGIBLE,
        )
    )
    return write_whole(path, page.encode("utf-8", "replace"))


def same_kind(a: xr.DataTree, b: xr.DataTree) -> str:
    """The kind of two results.

    Raises
    ------
    UserError
        If they are of different kinds, or simulations, which are compared as points of one grid.
    """
    for one in (a, b):
        if kind(one) in ("behaviour", "recovery"):
            raise UserError("models of behaviour are compared in one fit: synsys mind fit --against MODEL")
    if kind(a) == kind(b) == "simulation":
        raise UserError("simulations cannot be compared here; run both as points of one grid (synsys sweep)")
    if kind(a) != kind(b):
        titles = [f"{tree.attrs['title']} is a {kind(tree)}" for tree in (a, b)]
        raise UserError(f"{' and '.join(titles)}; only results of the same kind can be compared")
    return kind(a)


def compare(a: xr.DataTree, b: xr.DataTree) -> list[dict[str, Any]]:
    """Readouts of two results, one row per readout that either has, level by level.

    Returns
    -------
    list of dict
        ``name`` and ``rows``; a row has ``name``, ``words``, ``verdict`` (same direction, opposite, only in
        the first, only in the second, neither, not in both) and the cells ``a`` and ``b``. Within a level
        the largest difference in d comes first.
    """
    frames = [tabulate(tree)[list(_COLUMNS)] for tree in (a, b)]
    names = list(dict.fromkeys([str(name) for frame in frames for name in frame.index]))
    rows: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        found = [frame.loc[name] if name in frame.index else None for frame in frames]
        level = next(row["level"] for row in found if row is not None)
        d = [math.nan if row is None else float(row["d"]) for row in found]
        gap = abs(d[0] - d[1])
        rows.setdefault(level, []).append(
            {
                "name": name, "words": words.plain(name), "a": _cells(found[0]), "b": _cells(found[1]),
                "verdict": _verdict(found), "gap": -1.0 if math.isnan(gap) else gap,
                "difference": show.number(d[1] - d[0], 2, signed=True),
            }
        )  # fmt: skip
    return [
        {"name": words.level_title(level), "rows": sorted(rows[level], key=lambda row: -row["gap"])}
        for level in LEVELS
        if level in rows
    ]


def _direction(row: Any) -> int | None:
    if row is None or math.isnan(row["effect"]):
        return None
    small = abs(row["d"]) < NEGLIGIBLE or row["effect"] == 0
    return 0 if small else 1 if row["effect"] > 0 else -1


def _verdict(found: list[Any]) -> str:
    first, second = (_direction(row) for row in found)
    if first is None or second is None:
        return "not in both"
    if not first and not second:
        return "neither"
    if not first or not second:
        return "only in the first" if first else "only in the second"
    return "same direction" if first == second else "opposite"


def _cells(row: Any) -> dict[str, str]:
    if row is None:
        return {"change": show.UNKNOWN, "d": show.UNKNOWN, "p": show.UNKNOWN, "state": "missing"}
    direction = _direction(row)
    state = {None: "missing", 0: "negligible", 1: "up", -1: "down"}[direction]
    p = show.UNKNOWN if direction is None else show.probability(show.sign_probability(row))
    return {
        "change": show.change(row),
        "d": show.number(float(row["d"]), 2, signed=True),
        "p": p,
        "state": state,
    }


def differences(a: xr.DataTree, b: xr.DataTree) -> list[str]:
    """What makes two results hard to compare: brain, draws, seed, version, options or inputs that differ."""
    out = [
        f"{name} differs: {a.attrs[name]} and {b.attrs[name]}"
        for name in ("brain", "draws", "seed", "version")
        if a.attrs[name] != b.attrs[name]
    ]
    options, digests = ([attribute(tree, name) for tree in (a, b)] for name in ("options", "digests"))
    out += [
        f"{name.replace('_', ' ')} differs: {_given(one)} and {_given(options[1].get(name))}"
        for name, one in options[0].items()
        if one != options[1].get(name)
    ]
    changed = [name for name in {**digests[0], **digests[1]} if digests[0].get(name) != digests[1].get(name)]
    return out + ([f"inputs differ: {', '.join(changed)}"] if changed else [])


def _given(option: Any) -> str:
    return "none" if option in (None, "") else str(option)


def print_comparison(a: xr.DataTree, b: xr.DataTree, console: Console | None = None, most: int = 25) -> None:
    """Print two results side by side, the readouts that differ most.

    Parameters
    ----------
    a, b : DataTree
    console : rich.console.Console, optional
        Where to print; the terminal by default.
    most : int
        Most readouts to show, those whose d differ most.

    Raises
    ------
    UserError
        If the results are of different kinds.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from synsys.report.comparison_time import print_courses

    if same_kind(a, b) == "trajectory":
        print_courses(a, b, differences(a, b), console, most)
        return
    out = console or Console()
    out.print(Text(f"first:  {a.attrs['title']}", style="bold"))
    out.print(Text(f"second: {b.attrs['title']}", style="bold"))
    for tree in (a, b):
        if show.stability(tree.attrs):
            out.print(Text(f"{tree.attrs['title']}: {show.stability(tree.attrs)}", style="bold red"))
    for note in differences(a, b):
        out.print(Text(note, style="yellow"))
    rows = [row for level in compare(a, b) for row in level["rows"]]
    told = sorted(
        (r for r in rows if r["verdict"] not in ("neither", "not in both")), key=lambda r: -r["gap"]
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("readout", overflow="fold")
    for heading in ("first", "d", "second", "d", "d differs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in told[:most]:
        cells = (row["a"]["change"], row["a"]["d"], row["b"]["change"], row["b"]["d"], row["difference"])
        table.add_row(
            Text(row["name"]), *map(Text, cells), style="bold" if row["verdict"] == "opposite" else ""
        )
    out.print(table)
    same = sum(row["verdict"] == "neither" for row in rows)
    apart = sum(row["verdict"] == "not in both" for row in rows)
    rest = {"more": len(told) - most, "negligible in both": same, "not in both": apart}
    tail = ", ".join(f"{count} {what}" for what, count in rest.items() if count > 0)
    if tail:
        out.print(Text(tail, style="dim"))
    out.print(Text("Bold: opposite directions. " + a.attrs["disclaimer"], style="italic"))
