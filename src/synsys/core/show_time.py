"""A trajectory in the form people read: exposures, what moved first, what is left at the end."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synsys.core import show
from synsys.core.results import EFFECT_SIZE, RATIO

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.console import Console

SHOWN = 12
"""Rows of each table in the terminal."""
LEAST = 1e-3
"""Changes below it are shown as 0."""
SOON = 0.1
"""A moment within this part of the time of the last change of an exposure is told from that change."""
LEGEND = (
    "at: when the median over draws is first a tenth of a step away from health, or |d| = 0.1. d: effect in "
    "healthy between-person sd; bare numbers are in the unit of the quantity."
)


def sized(value: float, measure: str) -> str:
    """A change in its measure: ``−12 %``, ``d +0.8``, or the bare number in the quantity's own unit."""
    if measure == RATIO:
        return show.percent(value)
    text = show.number(0.0 if abs(value) < LEAST else value, 2, signed=True)
    return f"d {text}" if measure == EFFECT_SIZE and not math.isnan(value) else text


@dataclass(frozen=True)
class Clock:
    """Moments of a trajectory in words.

    Parameters
    ----------
    changes : tuple of float
        Times at which exposures start or end, days. A moment soon after one is told from there, so that
        ``2 weeks + 15 min`` does not become ``2 weeks``.
    """

    changes: tuple[float, ...] = ()

    def when(self, days: float) -> str:
        """A moment: ``start``, ``6 h``, ``2 weeks + 15 min``; a dash for NaN."""
        if days == 0:
            return "start"
        last, since = self._since(days)
        return show.span(days) if not last else show.span(last) + (f" + {show.span(since)}" if since else "")

    def _since(self, days: float) -> tuple[float, float]:
        """The change to count from (0: none) and the time since then."""
        last = max((time for time in self.changes if 0 < time <= days), default=0.0)
        since = 0.0 if days - last < 1e-9 * last else days - last
        return (last, since) if since < SOON * last else (0.0, days)

    def latency(self, row: Any) -> str:
        """When a quantity of ``/leadlag`` moves; ``never`` if not within the run."""
        return "never" if math.isnan(row["moved"]) else self.when(row["moved"])

    def latencies(self, row: Any) -> str:
        """The interval of that time over draws; with a plus sign from the last change of an exposure."""
        low, high = float(row["lo"]), float(row["hi"])
        if math.isnan(low) or math.isinf(low):
            return show.UNKNOWN
        (begun, first), (other, last) = self._since(low), self._since(high)
        if begun and (begun == other or math.isinf(high)):
            texts = ["+" + show.span(first), show.span(last)]
        else:
            texts = ["start" if time == 0 else show.span(time) for time in (low, high)]
        if math.isinf(high):
            texts[1] = "never"
        return texts[0] if texts[0].lstrip("+") == texts[1] else " to ".join(texts)


def clock(tree: xr.DataTree) -> Clock:
    """The clock of a trajectory."""
    events = tree.children["events"].to_dataset(inherit=False)
    return Clock(tuple(float(time) for edge in ("start", "end") for time in events[edge].values))


def period(start: float, end: float, duration: float) -> str:
    """When an exposure lasts: ``from the start, 6 weeks``, ``after 2 weeks, to the end``."""
    begins = "from the start" if start <= 0 else f"after {show.span(start)}"
    if end >= duration:
        return f"{begins} to the end"
    return f"{begins}, for {show.span(end - start)}"


def recovered(row: Any) -> str:
    """Time from the peak to half of it."""
    if math.isinf(row["recovery"]):
        return "not yet"
    return show.span(row["recovery"])


def age_text(years: float) -> str:
    """An age: ``age 12 years``, before birth ``week 20 of gestation`` (birth at 40 weeks)."""
    if years < 0:
        return f"week {40 + years * 365.25 / 7:.0f} of gestation"
    return f"age {float(f'{years:.3g}'):g} years" if years else "birth"


def facts(tree: xr.DataTree) -> list[str]:
    """How long, from what age, with what of the model, in a few words each."""
    scenario = json.loads(tree.attrs["scenario"])
    age = scenario.get("age")
    return [
        f"{show.span(float(scenario['duration_days']))} long",
        *([f"from {age_text(float(age))}"] if age is not None else []),
        f"development {'on' if scenario.get('development') else 'off'}",
        f"feedback from the fast brain {'on' if scenario.get('recursive', True) else 'off'}",
    ]


def exposures(tree: xr.DataTree) -> list[tuple[str, str]]:
    """Label of each event and when it lasts."""
    events = tree.children["events"].to_dataset(inherit=False)
    duration = float(json.loads(tree.attrs["scenario"])["duration_days"])
    return [
        (str(label), period(float(start), float(end), duration))
        for label, start, end in zip(
            events["label"].values, events["start"].values, events["end"].values, strict=True
        )
    ]


def lead_lag_frame(tree: xr.DataTree) -> pd.DataFrame:
    """The group ``/leadlag`` in the order of movement; what never moves last."""
    frame = tree.children["leadlag"].to_dataset(inherit=False).to_dataframe()
    frame.index = frame.index.astype(object)
    return frame.iloc[frame["moved"].fillna(math.inf).argsort(kind="stable")]


def summary_text(tree: xr.DataTree, most: int = 3) -> str:
    """A trajectory in a few lines of plain text."""
    attrs, frame = tree.attrs, lead_lag_frame(tree)
    lines = [f"{attrs['title']}: {', '.join([*facts(tree), _run(attrs)])}"]
    if show.stability(attrs):
        lines.append(show.stability(attrs))
    lines += [f"  {label} {text}" for label, text in exposures(tree)]
    moved = frame[frame["order"] > 0]
    lines.append(f"{len(moved)} of {len(frame)} quantities move; first:")
    for name, row in moved.head(most).iterrows():
        lines.append(f"  {name} at {clock(tree).latency(row)} (peak {sized(row['peak'], row['measure'])})")
    lines.append(f"{int(moved['persistent'].sum())} are still away from health at the end")
    return "\n".join([*lines, attrs["disclaimer"]])


def _run(attrs: Any) -> str:
    return f"{attrs['brain']}, {attrs['draws']} draws, seed {attrs['seed']}"


def print_trajectory(tree: xr.DataTree, console: Console | None = None, most: int = SHOWN) -> None:
    """Print a trajectory in 80 columns: exposures, what moved first, what is left at the end.

    Parameters
    ----------
    tree : DataTree
    console : rich.console.Console, optional
    most : int
        Rows of each of the two tables: the first to move, and the largest at the end.
    """
    from rich.console import Console
    from rich.text import Text

    out, attrs, frame = console or Console(), tree.attrs, lead_lag_frame(tree)

    def say(text: str, style: str = "") -> None:
        out.print(Text(text, style=style))

    say(attrs["title"], "bold")
    say(", ".join([*facts(tree), _run(attrs)]), "dim")
    if described := json.loads(attrs["scenario"]).get("text"):
        say(described)
    if show.stability(attrs):
        say(show.stability(attrs), "bold red")
    told = clock(tree)
    for label, text in exposures(tree) or [("no exposure", "")]:
        say(f"  {label}: {text}" if text else f"  {label}")
    moved = frame[frame["order"] > 0]
    say("")
    if moved.empty:
        say(f"None of {len(frame)} quantities moves.")
    else:
        first = moved.iloc[moved.groupby("level").cumcount().argsort(kind="stable")].head(most)
        first = first.sort_values("order", kind="stable")
        say(f"What moved first, by level ({len(moved)} of {len(frame)} quantities move)", "bold")
        _print_rows(
            out, ("", "at", "5 to 95 %", "peak"),
            [(str(name), told.latency(row), told.latencies(row), sized(row["peak"], row["measure"]))
             for name, row in first.iterrows()],
        )  # fmt: skip
        left = moved[moved["persistent"]]
        say("")
        say(
            f"What is left at the end ({len(left) or 'no'} quantit{'y' if len(left) == 1 else 'ies'})", "bold"
        )
        if len(left):
            _print_rows(
                out, ("", "level", "change", "5 to 95 %"),
                [(str(name), row["level"].replace("_", " "), sized(row["final"], row["measure"]), ends(row))
                 for name, row in _by_level(left, most).iterrows()],
            )  # fmt: skip
    say(LEGEND, "dim")
    say(attrs["disclaimer"], "italic")


def ends(row: Any) -> str:
    """The interval of the change at the end, in its measure."""
    if math.isnan(row["final_lo"]):
        return show.UNKNOWN
    if row["measure"] == RATIO:
        return f"{show.percent(row['final_lo']).removesuffix(' %')} to {show.percent(row['final_hi'])}"
    return " to ".join(sized(row[end], row["measure"]).removeprefix("d ") for end in ("final_lo", "final_hi"))


def _by_level(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """The rows that are furthest from health, in thresholds, the largest of every level first."""
    size = (frame["final"].abs() / frame["threshold"]).fillna(0.0)
    ordered = frame.loc[size.sort_values(ascending=False, kind="stable").index]
    rank = ordered.groupby("level").cumcount()
    return ordered.iloc[rank.argsort(kind="stable")].head(most)


def _print_rows(out: Console, headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(
            heading, justify="left" if heading == "level" else "right", no_wrap=heading != "peak"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    out.print(table)
