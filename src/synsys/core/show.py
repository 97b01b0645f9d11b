"""Numbers and results in the form people read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

MINUS = "−"
UNKNOWN = "–"
HEADINGS = ("healthy", "now", "change", "90 % interval", "d", "P", "from")
CALIBRATED = "†"
LEGEND = (
    "d: effect in healthy between-person sd (–: no spread between healthy people is declared, as of "
    "molecules and inputs, there is none, as in distances from health, or fewer than four healthy people "
    "are stable). P: probability of the sign "
    "shown. from: origin and weakest evidence grade on the path (A to C). "
    f"{CALIBRATED} calibrated: the healthy value was fitted to healthy facts, only the change is a result."
)


def number(value: float, digits: int = 3, signed: bool = False) -> str:
    """A number with `digits` significant digits, a true minus sign, and a dash for NaN."""
    if math.isnan(value):
        return UNKNOWN
    if value == 0:
        return "0"
    if math.isinf(value):
        text = "∞"
    elif 1e-3 <= abs(value) < 1e5:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        text = f"{abs(value):.{decimals}f}"
    else:
        text = (
            f"{abs(value):.{digits - 1}e}".replace("e-0", "e-")
            .replace("e+0", "e+")
            .replace("e-", f"e{MINUS}")
        )
    return (MINUS if value < 0 else "+" if signed else "") + text


def percent(log_ratio: float) -> str:
    """A log ratio as a signed percentage, as a factor once it passes tenfold."""
    if math.isnan(log_ratio):
        return UNKNOWN
    if abs(log_ratio) >= math.log(10):
        return f"× {number(math.exp(log_ratio), 2)}"
    change = 100 * math.expm1(log_ratio)
    if abs(change) < 0.05:
        return "0 %"
    return f"{'+' if change > 0 else MINUS}{abs(change):.{1 if abs(change) < 9.95 else 0}f} %"


_UNITS = (("s", 86400.0), ("min", 1440.0), ("h", 24.0), ("day", 1.0), ("week", 1 / 7), ("year", 1 / 365.25))
_UNTIL = (1 / 1440, 1 / 24, 1.0, 14.0, 365.25, math.inf)


def span(days: float) -> str:
    """A length of time in the unit people use for it, from seconds to years, with two digits.

    Parameters
    ----------
    days : float
        NaN gives a dash, infinity the sign for it.
    """
    if math.isnan(days) or math.isinf(days):
        return UNKNOWN if math.isnan(days) else "∞"
    if days == 0:
        return "0"
    size = abs(days)
    unit, per_day = _UNITS[next(k for k, until in enumerate(_UNTIL) if size < 0.995 * until)]
    text = f"{float(f'{size * per_day:.2g}'):g}"
    many = "s" if unit in ("day", "week", "year") and text != "1" else ""
    return f"{MINUS if days < 0 else ''}{text} {unit}{many}"


def change(row: Any) -> str:
    """The change of a readout: in percent where it is a ratio, else in its unit."""
    if math.isnan(row["log_ratio"]):
        return number(row["effect"], 2, signed=True)
    return percent(row["log_ratio"])


def interval(row: Any) -> str:
    """The 90 % interval of the change, in the terms of `change`."""
    low, high = row["lo90"], row["hi90"]
    if math.isnan(low) or math.isnan(high):
        return UNKNOWN
    if math.isnan(row["log_ratio"]):
        size = max(abs(low), abs(high))
        if not 1e-3 <= size < 1e5:
            return f"{number(low, 2, signed=True)} to {number(high, 2, signed=True)}"
        decimals = max(0, 1 - math.floor(math.log10(size)))
        return f"{low:+.{decimals}f} to {high:+.{decimals}f}".replace("-", MINUS)
    if max(abs(low), abs(high)) >= math.log(10):
        return f"× {number(math.exp(low), 2)} to {number(math.exp(high), 2)}"
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def sign_probability(row: Any) -> float:
    """Probability that the change has the sign it is shown with."""
    p = row["p_sign"]
    return p if row["effect"] >= 0 else 1 - p


def probability(p: float) -> str:
    """A probability with two decimals, never rounded to certainty."""
    if math.isnan(p):
        return UNKNOWN
    return ">.99" if p > 0.99 else "<.01" if p < 0.01 else f"{p:.2f}".removeprefix("0")


def is_negligible(frame: pd.DataFrame, below: float) -> pd.Series[bool]:
    """Which readouts did not change: |d| < `below`, or no change at all where d is not known."""
    return (frame["d"].abs() < below) | (frame["d"].isna() & (frame["effect"] == 0))


def stability(attrs: Mapping[Any, Any]) -> str:
    """One sentence on an unstable state; empty if both states are stable in every draw."""
    reference, perturbed = attrs["stable_reference"], attrs["stable_perturbed"]
    if reference == 1 and perturbed == 1:
        return ""
    why = f" (first: {attrs['unstable_reason']})" if attrs["unstable_reason"] else ""
    if perturbed == 0:
        return f"Unstable: the perturbed brain has no stable operating point in any of the draws{why}."
    return (
        f"Partly unstable: stable in {100 * reference:.0f} % of the draws in health and in "
        f"{100 * perturbed:.0f} % when perturbed{why}; only stable draws count."
    )


def observed(table: pd.DataFrame, ways: Mapping[str, str], below: float) -> str:
    """One sentence: which changes of connectivity keep their sign however it is observed; empty if none.

    Parameters
    ----------
    table : DataFrame
        Index (observation, readout), columns of `/observations`.
    ways : mapping
        Each observation in words; the first is the one that the table shows.
    below : float
        |d| up to which a change counts as none.
    """
    effect, d = (table[c].unstack("observation") for c in ("effect", "d"))
    first, *others = ways
    changed = effect[first].notna() & (d[first].abs() >= below)
    if not changed.any():
        return ""
    same = {way: int((effect[first] * effect[way] > 0)[changed].sum()) for way in others}
    total = f"{int(changed.sum())} change{'s' if changed.sum() > 1 else ''}"
    kept = ", ".join(
        f"{same[way]} {'' if k else 'keep their sign '}{ways[way]}" for k, way in enumerate(others)
    )
    return f"Of {total} of FC {ways[first]}, {kept}."


def options(attrs: Mapping[Any, Any]) -> list[str]:
    """Options of a run that deviate from a plain one, in words."""
    chosen = json.loads(attrs["options"])
    return [
        text
        for told, text in (
            (chosen["beta"] != 1, f"map slopes × {chosen['beta']:g}"),
            (chosen["spun_maps"] is not None, f"maps spun (seed {chosen['spun_maps']})"),
            (chosen["linearisation"] != "plain", f"{chosen['linearisation']} linearisation"),
            (bool(chosen["eeg"]), f"EEG ({chosen['eeg']})"),
            (bool(chosen.get("inference")), f"inference: {', '.join(chosen.get('inference', ()))}"),
        )
        if told
    ]


def summary_text(frame: pd.DataFrame, attrs: Mapping[Any, Any], below: float, most: int = 3) -> str:
    """A result in a few lines of plain text."""
    lines = [f"{attrs['title']}: {_run(attrs)}"]
    if stability(attrs):
        lines.append(stability(attrs))
    computed = frame[frame["effect"].notna() & (frame["origin"] != "input")]
    negligible = is_negligible(computed, below)
    changed = by_size(computed[~negligible])
    if computed.empty:
        return "\n".join([*lines, attrs["disclaimer"]])
    lines.append(f"{len(changed)} of {len(computed)} readouts change (|d| >= {below:g}); most:")
    for name, row in changed.head(most).iterrows():
        lines.append(
            f"  {name} {change(row)} (90 % interval {interval(row)}, d {number(row['d'], 2, signed=True)})"
        )
    return "\n".join([*lines, attrs["disclaimer"]])


def _run(attrs: Mapping[Any, Any]) -> str:
    return ", ".join([attrs["brain"], f"{attrs['draws']} draws", f"seed {attrs['seed']}", *options(attrs)])


def by_size(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with the largest |d| first; rows without d last, among them the largest ratios first."""
    d, ratio = (frame[c].abs().fillna(-1.0).to_numpy() for c in ("d", "log_ratio"))
    return frame.iloc[np.lexsort((ratio, d))[::-1]]


def foremost(frame: pd.DataFrame, most: int, per_level: int = 2) -> pd.DataFrame:
    """Rows worth showing: every input, the first `per_level` of every level, and the `most` largest of all.

    Inputs come first, then the largest |d|.
    """
    ordered = by_size(frame)
    given = ordered["origin"] == "input"
    ordered = ordered.loc[[*ordered.index[given], *ordered.index[~given]]]
    rank = ordered.groupby("level").cumcount()
    largest = ordered.index.isin(ordered.index[ordered["origin"] != "input"][:most])
    return ordered[(ordered["origin"] == "input") | (rank < per_level) | largest]


def print_table(
    frame: pd.DataFrame,
    attrs: Mapping[Any, Any],
    levels: tuple[str, ...],
    below: float,
    console: Console | None = None,
    most: int = 25,
    note: str = "",
) -> None:
    """Print a result level by level; what `core.schema.print_result` does."""
    from rich.console import Console
    from rich.text import Text

    out = console or Console()

    def say(*parts: str | tuple[str, str], wrap: bool = False) -> None:
        out.print(Text.assemble(*parts), no_wrap=not wrap, overflow="fold", soft_wrap=not wrap)

    say(
        (attrs["title"], "bold"),
        f"   {_run(attrs)}",
        wrap=True,
    )
    if stability(attrs):
        say((stability(attrs), "bold red"), wrap=True)
    missing = frame["effect"].isna()
    same = is_negligible(frame, below) & ~missing
    told = frame[~missing & ~same]
    shown = foremost(told, most)
    cells = {str(name): _cells(row) for name, row in shown.iterrows()}
    widths = [max(map(len, column)) for column in zip(HEADINGS, *cells.values(), strict=True)]
    room = max(12, out.width - sum(widths) - len(widths))
    room = min(room, 2 + max([len(name) for name in cells], default=10))

    say((" " * room + _line(HEADINGS, widths), "dim"))
    for level in levels:
        here = frame["level"] == level
        if not here.any():
            continue
        say((level.replace("_", " "), "bold"))
        rows = shown[shown["level"] == level]
        for name, row in rows.iterrows():
            label, line = f"  {name}", _line(cells[str(name)], widths)
            style = "cyan" if row["effect"] < 0 else "yellow"
            if len(label) > room:
                say(label)
                label = ""
            say(label.ljust(room), (line, style if row["origin"] != "input" else "dim"))
        rest = {
            "more that change less": int((told["level"] == level).sum()) - len(rows),
            f"negligible (|d| < {below:g})": int((here & same).sum()),
            "not defined in this state": int((here & missing).sum()),
        }
        text = ", ".join(f"{count} {what}" for what, count in rest.items() if count)
        if text:
            say((f"  {text}", "dim"), wrap=True)
    for text in filter(None, (LEGEND, note)):
        say((text, "dim"), wrap=True)
    say((attrs["disclaimer"], "italic"), wrap=True)


def _cells(row: Any) -> tuple[str, ...]:
    origin = row["origin"].replace("by construction", "defined")
    healthy = number(row["reference"]) + CALIBRATED * bool(row["calibrated"])
    return (
        healthy, number(row["value"]), change(row), interval(row),
        number(row["d"], 2, signed=True), probability(sign_probability(row)), f"{origin} {row['grade']}",
    )  # fmt: skip


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    *numbers, last = [
        cell.rjust(width) if i < len(widths) - 1 else cell
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return " " + " ".join([*numbers, last])


def print_runs(runs: pd.DataFrame, attrs: Mapping[Any, Any], console: Console | None = None) -> None:
    """Print the runs of a simulation, means over seeds, as a table that fits a terminal."""
    from rich.console import Console
    from rich.table import Table

    console = console or Console()
    grid = [name for name in json.loads(attrs["grid"])]
    keys = [*grid, *(["draw"] if runs["draw"].nunique() > 1 else [])] or ["draw"]
    shown = runs.drop(columns=[c for c in ("seed", "draw") if c not in keys]).groupby(keys).mean()
    console.print(f"{attrs['title']} on {attrs['brain']}: {len(runs)} runs, means over seeds")
    table = Table(box=None, padding=(0, 1))
    for name in [*keys, *shown.columns]:
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    for key, row in shown.iterrows():
        values = key if isinstance(key, tuple) else (key,)
        table.add_row(*[f"{v:.4g}" for v in values], *[number(v) for v in row])
    console.print(table)
    console.print(attrs["disclaimer"])
