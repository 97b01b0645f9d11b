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
    recursive: bool,
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
    """
    moved = frame[frame["order"] > 0]
    told = [_scenario(exposures, duration, recursive)]
    if moved.empty:
        told.append(f"None of {len(frame)} quantities moves beyond its threshold at any time.")
    else:
        told += [_first(moved), _largest(moved), _order(stages), _left(moved, len(frame))]
    return [tied(text) for text in told if text]


def _scenario(exposures: Sequence[tuple[str, str]], duration: float, recursive: bool) -> str:
    given = listed([f"{label} ({period})" for label, period in exposures])
    way = "feeding back on" if recursive else "without feedback on"
    return (
        f"{show.span(duration)} are followed "
        + (f"under {given}" if given else "without any exposure")
        + f", the fast brain {way} its slow variables."
    )


def _first(moved: pd.DataFrame) -> str:
    parts = []
    for stage in STAGES:
        here = moved[moved["level"].map(STAGE_OF) == stage]
        if len(here):
            row = here.iloc[0]
            at = "at the start" if row["moved"] == 0 else f"after {show.span(row['moved'])}"
            between = show_time.latencies(row)
            told = "" if between == show.UNKNOWN else f" ({between} over draws)"
            parts.append(f"of {_MANY[stage]} {plain(str(here.index[0]))} {at}{told}")
    name = plain(str(moved.index[0]))
    return f"First to move is {name}; the first {'; '.join(parts)}." if parts else f"First to move is {name}."


def _largest(moved: pd.DataFrame) -> str:
    size = (moved["peak"].abs() / moved["threshold"]).sort_values(ascending=False, kind="stable")
    parts = []
    for name in size.index[:3]:
        row = moved.loc[name]
        verb = "rises" if row["peak"] > 0 else "falls"
        parts.append(
            f"{plain(str(name))} {verb} by {magnitude(row)} (peak at {show_time.when(row['peak_time'])})"
        )
    turned = moved[moved["turned"].notna()]
    tail = "".join(
        f" {plain(str(name))} first {'rises' if row['direction'] > 0 else 'falls'}, then turns beyond health "
        f"after {show.span(row['turned'])}."
        for name, row in turned.head(2).iterrows()
    )
    text = f"In steps of their own, the largest changes are: {'; '.join(parts)}.{tail}"
    return text


def magnitude(row: Any) -> str:
    """The size of a peak without its sign."""
    text = show_time.sized(row["peak"], row["measure"]).replace("+", "").replace(show.MINUS, "")
    if row["measure"] in (RATIO, EFFECT_SIZE):
        return text.replace("d ", "d = ")
    return f"{text} ({row['measure']})" if row["measure"] else text


def _order(stages: pd.DataFrame) -> str:
    pairs = [
        (row, _MANY[row["earlier"]], _MANY[row["later"]]) for _, row in stages.iterrows() if row["draws"]
    ]
    sure = [f"{a} before {b}" for row, a, b in pairs if row["p_value"] <= SURE and row["p"] > 0.5]
    against = [f"{b} before {a}" for row, a, b in pairs if row["p_value"] <= SURE and row["p"] < 0.5]
    unsure = [f"{a} and {b}" for row, a, b in pairs if row["p_value"] > SURE]
    parts = [
        *([f"over draws {listed(sure)}"] if sure else []),
        *([f"against the expected order {listed(against)}"] if against else []),
        *([f"no sure order of {listed(unsure)}"] if unsure else []),
    ]
    return f"Order of the levels: {'; '.join(parts)}." if parts else ""


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
        f"{len(moved)} of {total} quantities move; at the end {len(stay)} {verb} still beyond their threshold, "
        f"furthest {listed(names)}."
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
        text = "The fast brain does not feed back on its slow variables in this run: rates, calcium entry and energy use stay as in health for them."  # noqa: E501
    elif rows:
        text = "The fast brain feeds back on its slow variables; the table sets the same scenario without feedback beside it."  # noqa: E501
    else:
        text = "The fast brain feeds back on its slow variables; the same scenario was not solved without feedback."
    note = str(recursion.get("note", ""))
    return f"{text} {note}".strip(), rows
