"""Fits of behaviour and recoveries as tables that fit a terminal."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synsys.core.show import number

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.console import Console


def parameter_frame(tree: xr.DataTree) -> pd.DataFrame:
    """One row per parameter; of a fit with the median and range of people beside the group."""
    frame = tree.children["parameters"].to_dataset(inherit=False).to_dataframe()
    if "estimates" in tree.children:
        values = tree["estimates"]["value"]
        frame["people_median"] = values.median("subject").to_series()
        for name, q in (("people_lo", 0.05), ("people_hi", 0.95)):
            frame[name] = values.quantile(q, "subject").to_series()
    return frame


def people_frame(tree: xr.DataTree) -> pd.DataFrame:
    """One row per person of a fit: estimates and intervals of all parameters, and how well it was fitted."""
    found = tree.children["estimates"].to_dataset(inherit=False)
    people = tree.children["people"].to_dataset(inherit=False).to_dataframe()
    columns = {
        f"{name}_{what}" if what != "value" else str(name): found[what].sel(parameter=name).to_series()
        for name in found["parameter"].to_numpy()
        for what in ("value", "lo90", "hi90")
    }
    return people.assign(**columns)


class Effect(NamedTuple):
    """Dependence of one parameter on one covariate."""

    coefficient: float
    error: float
    z: float
    p: float


def effects_of(tree: xr.DataTree) -> list[tuple[str, str, Effect]]:
    """Covariate, parameter and effect, for every pair; none of a fit without covariates."""
    if "effects" not in tree.children:
        return []
    found = tree.children["effects"].to_dataset(inherit=False)
    pairs = product(found["covariate"].values, found["parameter"].values)
    return [
        (str(c), str(p), Effect(*(float(found[n].sel(covariate=c, parameter=p)) for n in Effect._fields)))
        for c, p in pairs
    ]


def summary_text(tree: xr.DataTree) -> str:
    """What a fit or a recovery says, in a line."""
    frame = parameter_frame(tree)
    column = "people_median" if "people_median" in frame else "r"
    told = ", ".join(f"{n} {number(v)}" for n, v in frame[column].items())
    return (
        f"{tree.attrs['model']}: {tree['people'].sizes['subject']} people, {column.replace('_', ' ')}: {told}"
    )


def print_mind(tree: xr.DataTree, console: Console | None = None) -> None:
    """Print a fit or a recovery."""
    from rich.console import Console

    out = console or Console()
    frame = parameter_frame(tree)
    people = tree["people"].sizes["subject"]
    out.print(f"{tree.attrs['title']} ({tree.attrs['model']}): {people} people")
    if tree.attrs["kind"] == "recovery":
        rows = [
            [str(n), number(r.r, 2), number(r.bias, 2), f"{100 * r.coverage:.0f} %", number(r.rank_p, 2),
             "" if r.recovered else "does not recover"]
            for n, r in frame.iterrows()
        ]  # fmt: skip
        _table(out, ("", "r", "bias, sd", "90 % covers", "ranks, P", ""), rows)
        if "confusion" in tree.children:
            share = tree["confusion"]["share"].to_pandas()
            _table(
                out, ("people follow", *map(str, share.columns)),
                [[str(n), *(f"{100 * x:.0f} %" for x in row)] for n, row in share.iterrows()],
            )  # fmt: skip
    else:
        rows = [
            [str(n), *_typical(r), number(r.people_median),
             f"{number(r.people_lo, 2)} to {number(r.people_hi, 2)}", str(r.trust)]
            for n, r in frame.iterrows()
        ]  # fmt: skip
        _table(out, ("", "group", "90 %", "median", "90 % of people", ""), rows)
        _effects(out, tree)
        _comparison(out, tree)
        _check(out, tree)
    for note in json.loads(tree.attrs["notes"]):
        out.print(f"Note: {note}.")
    out.print(tree.attrs["disclaimer"])


def _typical(row: pd.Series) -> tuple[str, str]:
    if not np.isfinite(row.group):
        return "", ""
    return number(row.group), f"{number(row.group_lo, 2)} to {number(row.group_hi, 2)}"


def _effects(out: Console, tree: xr.DataTree) -> None:
    count = len(effects_of(tree))
    if not count:
        return
    trust = tree.children["parameters"].to_dataset(inherit=False)["trust"].to_series()
    lost = trust.str.startswith("does not")
    rows = [
        [_named(c, p, bool(lost[p])), number(r.coefficient, signed=True), number(r.error), f"{r.z:+.2f}",
         number(r.p, 2), number(min(1.0, count * r.p), 2)]
        for c, p, r in effects_of(tree)
    ]  # fmt: skip
    _table(out, ("", "effect", "error", "z", "P", f"P x {count}"), rows)


def _named(covariate: str, parameter: str, lost: bool) -> str:
    return f"{covariate} on {parameter}" + (" (does not recover)" if lost else "")


def _comparison(out: Console, tree: xr.DataTree) -> None:
    if "comparison" not in tree.children:
        return
    found = tree.children["comparison"].to_dataset(inherit=False)
    total = found["evidence"].sum("subject")
    best = float(total.max())
    rows = [
        [str(m), number(float(total.sel(model=m)) - best), *(f"{100 * float(found[c].sel(model=m)):.0f} %"
         for c in ("frequency", "exceedance", "protected"))]
        for m in found["model"].values
    ]  # fmt: skip
    _table(out, ("", "log evidence", "frequency", "exceedance", "protected"), rows)


def _check(out: Console, tree: xr.DataTree) -> None:
    found = tree.children["check"].to_dataset(inherit=False)
    if "z_repeats" not in found:
        return
    off = {n: 100 * float((np.abs(found[f"z_{n}"]) > 1.96).mean()) for n in ("win_stay", "lose_stay")}
    right = 100 * float(found["accuracy"].mean())
    out.print(
        f"One trial ahead, the most probable option was chosen in {right:.0f} % of choices. Beyond what the "
        f"model expects (95 %) is how often {off['win_stay']:.0f} % of people repeat a choice that paid, and "
        f"{off['lose_stay']:.0f} % one that did not."
    )


def _table(out: Console, heads: tuple[str, ...], rows: list[list[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 1))
    for k, head in enumerate(heads):
        table.add_column(head, justify="left" if k == 0 or not head else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)
