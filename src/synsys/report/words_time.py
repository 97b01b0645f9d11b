"""What a trajectory says, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synsys.core import show, show_time
from synsys.core.results import EFFECT_SIZE, RATIO
from synsys.measures.leadlag import STAGES
from synsys.report.words import listed, plain, tied

if TYPE_CHECKING:
    import pandas as pd

STAGE_OF = {level: stage for stage, levels in STAGES.items() for level in levels}
"""Stage of each level of the vocabulary."""
_MANY = {"molecule": "molecules", "synapse": "synapses", "circuit": "circuits", "network": "networks",
         "symptom": "symptoms"}  # fmt: skip
SURE = 0.05
"""Largest p of the sign test at which an order is called told."""


def sentences(
    frame: pd.DataFrame, stages: pd.DataFrame, exposures: Sequence[tuple[str, str]], duration: float,
    recursive: bool, clock: show_time.Clock,
) -> list[str]:  # fmt: skip
    """Scenario; what moved first; largest changes; order of levels; what is left.

    Parameters
    ----------
    frame : DataFrame
        As from `core.show_time.lead_lag_frame`.
    stages : DataFrame
        As from `measures.leadlag.stage_order`.
    exposures : sequence of (label, period)
    duration : float
        Days.
    recursive : bool
        Whether the fast brain fed back.
    clock : Clock
    """
    moved = frame[frame["order"] > 0]
    told = [_scenario(exposures, duration, recursive)]
    if moved.empty:
        told.append(f"None of {len(frame)} quantities moves beyond its threshold at any time.")
    else:
        told += [_first(moved, clock), _largest(moved, clock), _order(stages), _left(moved, len(frame))]
    return [tied(text) for text in told if text]


def _scenario(exposures: Sequence[tuple[str, str]], duration: float, recursive: bool) -> str:
    given = listed([f"{label} ({period})" for label, period in exposures])
    way = "feeding back on" if recursive else "without feedback on"
    return (
        f"{show.span(duration)} are followed "
        + (f"under {given}" if given else "without any exposure")
        + f", the fast brain {way} its slow variables."
    )


def _first(moved: pd.DataFrame, clock: show_time.Clock) -> str:
    parts = []
    for stage in STAGES:
        here = moved[moved["level"].map(STAGE_OF) == stage]
        if len(here):
            row = here.iloc[0]
            at = "at the start" if row["moved"] == 0 else f"after {clock.when(row['moved'])}"
            between = clock.latencies(row)
            told = "" if between == show.UNKNOWN else f" ({between} over draws)"
            parts.append(f"{_MANY[stage]} with {plain(str(here.index[0]))} {at}{told}")
    if not parts:
        return f"First to move is {plain(str(moved.index[0]))}."
    return f"First to move, level by level: {'; '.join(parts)}."


def _largest(moved: pd.DataFrame, clock: show_time.Clock) -> str:
    size = (moved["peak"].abs() / moved["threshold"]).sort_values(ascending=False, kind="stable")
    parts = []
    for name in size.index[:3]:
        row = moved.loc[name]
        verb = "rises" if row["peak"] > 0 else "falls"
        by = show_time.sized(abs(row["peak"]) if row["measure"] != RATIO else row["peak"], row["measure"])
        by = by.lstrip("+" + show.MINUS).replace("d +", "d = ")
        unit = "" if row["measure"] in (RATIO, EFFECT_SIZE, "") else f"{row['measure']}, "
        parts.append(f"{plain(str(name))} {verb} by {by} ({unit}peak at {clock.when(row['peak_time'])})")
    tail = "".join(
        f" {plain(str(name))} first {'rises' if row['direction'] > 0 else 'falls'}, then turns beyond health "
        f"after {clock.when(row['turned'])}."
        for name, row in moved[moved["turned"].notna()].head(2).iterrows()
    )
    return f"Measured by their own steps, the largest changes are: {'; '.join(parts)}.{tail}"


def _order(stages: pd.DataFrame) -> str:
    sure: dict[str, list[str]] = {}
    against, unsure = [], []
    for _, row in stages[stages["draws"] > 0].iterrows():
        a, b = _MANY[row["earlier"]], _MANY[row["later"]]
        if row["p_value"] > SURE:
            unsure.append(f"{a} or {b}")
        elif row["p"] > 0.5:
            sure.setdefault(a, []).append(b)
        else:
            against.append(f"{b} before {a}")
    parts = [f"{a} move before {listed(later)}" for a, later in sure.items()]
    parts += [f"against the expected order, {listed(against)}"] if against else []
    parts += [f"which is first, {', '.join(unsure)}, is not told"] if unsure else []
    return f"Over draws, {'; '.join(parts)}." if parts else ""


def _left(moved: pd.DataFrame, total: int) -> str:
    stay = moved[moved["persistent"]]
    if stay.empty:
        return f"{len(moved)} of {total} quantities move; at the end all are back within their threshold."
    size = (stay["final"].abs() / stay["threshold"]).sort_values(ascending=False, kind="stable")
    names = [
        f"{plain(str(name))} ({show_time.sized(stay.loc[name, 'final'], stay.loc[name, 'measure'])})"
        for name in size.index[:3]
    ]
    verb = "is" if len(stay) == 1 else "are"
    return (
        f"{len(moved)} of {total} quantities move; at the end {len(stay)} {verb} still beyond their "
        f"threshold, furthest {listed(names)}."
    )


_SPOKEN = {"steps": "slow steps taken", "rejected": "steps rejected", "feedback_iterations": "iterations of "
           "feedback between the clocks"}  # fmt: skip


def solver(convergence: Mapping[str, Any]) -> tuple[str, list[str]]:
    """What the solver says of itself: one sentence of all its facts, and its messages.

    Parameters
    ----------
    convergence : mapping
        Attribute ``convergence``; ``messages`` (texts) stand apart.
    """
    messages = convergence.get("messages", [])
    messages = [str(text) for text in ([messages] if isinstance(messages, str) else messages)]
    facts = [
        f"{_SPOKEN.get(name, name.replace('_', ' '))}: {_value(value)}"
        for name, value in convergence.items()
        if name != "messages"
    ]
    return (
        f"Of the solver: {'; '.join(facts)}." if facts else "The solver reports nothing of its own."
    ), messages


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return show.number(value)
    if isinstance(value, list):
        return listed([_value(item) for item in value])
    return str(value)


def feedback(recursive: bool, recursion: Mapping[str, Any]) -> tuple[str, list[dict[str, str]]]:
    """Whether the fast brain feeds back, and what changes without it.

    Parameters
    ----------
    recursive : bool
    recursion : mapping
        Attribute ``recursion``: empty, or ``on``, ``off`` and ``note``.
    """
    rows = []
    on, off = recursion.get("on", {}), recursion.get("off", {})
    for name in on:
        pair = [math.nan if x is None else float(x) for x in (on[name], off.get(name))]
        rows.append(
            {"name": name, "on": show.number(pair[0], 3, True), "off": show.number(pair[1], 3, True),
             "difference": show.number(pair[0] - pair[1], 2, True)}
        )  # fmt: skip
    if not recursive:
        text = "The fast brain does not feed back on its slow variables in this run."
    elif rows:
        text = (
            "The fast brain feeds back on its slow variables; beside it the same scenario without feedback."
        )
    else:
        text = "The fast brain feeds back on its slow variables; it was not solved without feedback."
    note = str(recursion.get("note", ""))
    return f"{text} {note}".strip(), rows
