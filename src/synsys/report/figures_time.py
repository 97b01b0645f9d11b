"""Courses in time: stacked panels under the exposures, on one time axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synsys.core.results import EFFECT_SIZE, RATIO
from synsys.report.drawing import figure, round_up, svg
from synsys.report.figures_data import spread_out
from synsys.report.time_axis import TimeAxis

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#a6528b", "#8a6d00", "#3b3b3b")
"""Lines of one panel, told apart under every common colour-vision deficiency (after Okabe and Ito 2008)."""
EXPOSURES = ("#b97900", "#5b4b8a", "#00738a", "#8a4b00", "#4d4d4d")
LINES = len(PALETTE)
"""Most lines in a panel; the others are in the table."""
WIDTH, LEFT, RIGHT = 9.2, 0.86, 1.95
PANEL, GAP, ROW = 1.12, 0.34, 0.27
TIMES = 0.16
SAMPLES = 240
"""Points of a band, and points between samples on a stretched axis."""


@dataclass(frozen=True)
class Line:
    """One quantity of one panel.

    Attributes
    ----------
    label : str
        Empty: none is drawn.
    time : ndarray, (T,)
        Days.
    band : ndarray, (3, T)
        5 %, 50 % and 95 % over draws of the change.
    dashed : bool
    colour : int
        Place in `PALETTE`.
    """

    label: str
    time: np.ndarray
    band: np.ndarray
    dashed: bool = False
    colour: int = 0


@dataclass(frozen=True)
class Panel:
    """Lines in the same measure."""

    title: str
    measure: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Exposure:
    """One bar: an event from `start` to `end` with its level over time."""

    label: str
    start: float
    end: float
    time: np.ndarray
    level: np.ndarray


def courses(
    panels: Sequence[Panel], exposures: Sequence[Exposure], axis: TimeAxis, age: float | None = None
) -> str:
    """Exposures and panels on one time axis.

    Parameters
    ----------
    panels : sequence of Panel
    exposures : sequence of Exposure
    axis : TimeAxis
    age : float, optional
        Age at the start in years, for a second axis on top.

    Returns
    -------
    str
        Inline SVG.
    """
    top, bottom = 0.62 if age is not None else 0.3, 0.55
    bars = ROW * max(len(exposures), 1) + 0.05
    height = top + bars + len(panels) * (PANEL + GAP) + TIMES + bottom
    ticks, labels = axis.ticks()
    low, high = axis.place([0.0, axis.end])
    with figure(WIDTH, height) as page:

        def box(y: float, tall: float) -> Any:
            made = page.add_axes(
                (LEFT / WIDTH, 1 - (y + tall) / height, (WIDTH - LEFT - RIGHT) / WIDTH, tall / height)
            )
            made.set_xlim(low, high)
            made.set_xticks(ticks, [])
            for edge in {time for e in exposures for time in (e.start, e.end) if 0 < time < axis.end}:
                made.axvline(float(axis.place(edge)), color="#b97900", linewidth=0.7, alpha=0.6, zorder=0)
            return made

        first = box(top, bars)
        _bars(first, exposures, axis)
        first.set_xticks(ticks, labels, fontsize=8)
        if age is not None:
            _ages(first, axis, age)
        last = first
        for k, panel in enumerate(panels):
            last = box(top + bars + TIMES + GAP + k * (PANEL + GAP), PANEL)
            _panel(last, panel, axis)
        last.set_xticks(ticks, labels)
        last.set_xlabel(axis.label)
        told = ", ".join(e.label for e in exposures) or "none"
        names = "; ".join(f"{p.title}: {', '.join(line.label for line in p.lines)}" for p in panels)
        return svg(page, "course", f"Changes over time. Exposures: {told}. {names}")


def _bars(axes: Any, exposures: Sequence[Exposure], axis: TimeAxis) -> None:
    axes.set(ylim=(max(len(exposures), 1), -0.1), yticks=[])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    if not exposures:
        axes.text(axes.get_xlim()[0], 0.5, "no exposure", va="center", color="#5c5c5c")
    for k, event in enumerate(exposures):
        colour = EXPOSURES[k % len(EXPOSURES)]
        start, end = axis.place([max(event.start, 0.0), min(event.end, axis.end)])
        axes.barh(k + 0.45, end - start, 0.8, start, color=colour, alpha=0.18, linewidth=0)
        x, level = drawn_at(axis, event.time, event.level)
        x, _, high = outline(x, level, level)
        up = k + 0.85 - 0.8 * np.clip(high, 0, 1)
        axes.fill_between(x, k + 0.85, up, color=colour, alpha=0.75, linewidth=0)
        axes.annotate(shortened(event.label, 31), (1, k + 0.45), (6, 0), xycoords=axes.get_yaxis_transform(),
                      textcoords="offset points", va="center", color=colour, fontsize=8,
                      annotation_clip=False)  # fmt: skip


def _ages(axes: Any, axis: TimeAxis, age: float) -> None:
    """A second axis on top: age in years, or weeks after conception before birth."""
    top = axes.secondary_xaxis("top")
    years = age + np.array([0.0, axis.end]) / 365.25
    if axis.linear:
        at, _ = axis.ticks()
        times = np.interp(at, axis.place(grid := np.linspace(0.0, axis.end, 20001)), grid)
        ages = age + times / 365.25
    else:
        step = round_up((years[1] - years[0]) / 8)
        ages = np.arange(math.ceil(years[0] / step) * step, years[1] + 1e-9, step)
        at = axis.place((ages - age) * 365.25)
    shown = [f"{round(float(a), 2) + 0.0:.3g}" for a in ages]
    kept = [i for i in range(len(shown)) if i == 0 or shown[i] != shown[i - 1]]
    top.set_xticks([float(at[i]) for i in kept], [shown[i].replace("-", "−") for i in kept])
    top.set_xlabel("age (years)", labelpad=3)
    top.spines["top"].set_visible(True)


def drawn_at(axis: TimeAxis, time: np.ndarray, *values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Samples and what lies between them, linear in time, so that a stretched axis bends the lines.

    Parameters
    ----------
    axis : TimeAxis
    time : ndarray, (T,)
        Days; samples outside the axis are left out.
    *values : ndarray, (T,)

    Returns
    -------
    position : ndarray, (P,)
        On the axis.
    *values : ndarray, (P,)
    """
    grid = axis.grid(SAMPLES) if axis.linear else time
    both = np.unique(np.concatenate([time, grid[(grid >= time[0]) & (grid <= time[-1])]]))
    both = both[(both >= 0) & (both <= axis.end)]
    return axis.place(both), *(np.interp(both, time, row) for row in values)


def outline(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A band with at most `SAMPLES` points, in each of so many parts of the axis its extremes.

    Parameters
    ----------
    x : ndarray, (T,)
        Increasing.
    low, high : ndarray, (T,)
    """
    if len(x) <= SAMPLES:
        return x, low, high
    part = np.minimum(((x - x[0]) / (x[-1] - x[0]) * (SAMPLES - 1)).astype(int), SAMPLES - 2)
    part[0] = -1
    starts = np.flatnonzero(np.diff(part, prepend=-2))
    ends = np.append(starts[1:], len(x)) - 1
    return x[ends], np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)


def _panel(axes: Any, panel: Panel, axis: TimeAxis) -> None:
    axes.axhline(0, color="#555", linewidth=0.8)
    labels: list[tuple[float, str, str]] = []
    for line in panel.lines:
        colour = PALETTE[line.colour % LINES]
        x, low, middle, high = drawn_at(axis, line.time, *line.band)
        if not line.dashed:
            axes.fill_between(*outline(x, low, high), color=colour, alpha=0.16, linewidth=0)
        axes.plot(x, middle, "--" if line.dashed else "-", color=colour, linewidth=1.4)
        known = line.band[1][np.isfinite(line.band[1])]
        if line.label:
            labels.append((float(known[-1]) if known.size else 0.0, line.label, colour))
    labels.sort()
    axes.set_title(panel.title, pad=4)
    _values(axes, panel)
    least, most = axes.get_ylim()
    beside = spread_out(np.array([end for end, *_ in labels]), 0.155 / PANEL * (most - least))
    over = max(0.0, float(beside[-1]) - most)
    for place, (end, label, colour) in zip(beside - over, labels, strict=True):
        axes.annotate(
            shortened(label, 30), (1.0, end), (1.03, place), xycoords=axes.get_yaxis_transform(),
            textcoords=axes.get_yaxis_transform(), va="center", fontsize=8, color=colour,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 0,
                        "relpos": (0, 0.5)},
            annotation_clip=False,
        )  # fmt: skip


def _values(axes: Any, panel: Panel) -> None:
    """The axis of values: ratios on a logarithmic scale, d and units on an even one, health at 1 or 0."""
    every = np.concatenate([line.band.ravel() for line in panel.lines])
    every = every[np.isfinite(every)]
    low, high = min(0.0, float(every.min(initial=0))), max(0.0, float(every.max(initial=0)))
    pad = 0.07 * ((high - low) or 1.0)
    axes.set_ylim(low - pad, high + pad)
    if panel.measure == RATIO:
        at = _ratios(low - pad, high + pad)
        axes.set_yticks(np.log(at), [f"{x:g}" for x in at])
        axes.set_ylabel("ratio to health", labelpad=3)
    else:
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}".replace("-", "−")))
        axes.set_ylabel(
            "d" if panel.measure == EFFECT_SIZE else shortened(panel.measure or "change", 18), labelpad=3
        )


def _ratios(low: float, high: float) -> np.ndarray:
    """Round ratios within a range of logarithms, 1 among them, at most about five."""
    for step in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5):
        least, most = math.exp(low), math.exp(high)
        at = np.arange(math.ceil(least / step - 1e-9), math.floor(most / step + 1e-9) + 1) * step
        at = at[at > 0]
        if 1 <= len(at) <= 5:
            return np.unique(np.round(np.append(at, 1.0), 6))
    powers = np.arange(math.ceil(low / math.log(2)), math.floor(high / math.log(2)) + 1)
    return 2.0 ** powers[:: max(1, math.ceil(len(powers) / 5))]


def shortened(text: str, most: int) -> str:
    """A text of at most `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
