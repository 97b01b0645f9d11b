"""Regions over time, what moves when, and the healthy curves of development."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core.results import RATIO
from synsys.core.show import span
from synsys.measures.leadlag import STAGES
from synsys.report.drawing import SIGNED, figure, round_up, svg
from synsys.report.figures_data import spread_out
from synsys.report.figures_time import EXPOSURES, LEFT, LINES, PALETTE, RIGHT, WIDTH, shortened
from synsys.report.time_axis import TimeAxis
from synsys.report.words import plain

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def region_strip(
    change: np.ndarray, times: Sequence[float], groups: Sequence[str], measure: str, what: str, key: str
) -> str:
    """Change of one quantity, region by time, ordered by network.

    Parameters
    ----------
    change : ndarray, (T, R)
    times : sequence of T float
        Days; columns of equal width, whatever their distance.
    groups : sequence of R str
        Network or structure of each region.
    measure : str
    what : str
        The quantity in words.
    key : str
        Prefix of ids.
    """
    from matplotlib import colormaps

    names = list(dict.fromkeys(groups))
    order = np.argsort([names.index(name) for name in groups], kind="stable")
    edges = np.cumsum([0, *(sum(g == name for g in groups) for name in names)])
    finite = np.abs(change[np.isfinite(change)])
    end = round_up(float(finite.max())) if finite.size and finite.max() > 0 else 1.0
    with figure(WIDTH / 2, 3.4) as page:
        axes: Any = page.add_axes((0.255, 0.24, 0.73, 0.68))
        shown = colormaps[SIGNED].with_extremes(bad="#bbbbbb")
        image = axes.imshow(
            change.T[order], aspect="auto", cmap=shown, vmin=-end, vmax=end, interpolation="none"
        )
        for edge in edges[1:-1]:
            axes.axhline(edge - 0.5, color="#333", linewidth=0.4)
        middle = (edges[:-1] + edges[1:] - 1) / 2
        beside = spread_out(middle, 0.052 * len(groups))
        for name, at, place in zip(names, middle, beside, strict=True):
            axes.annotate(
                shortened(name, 19), (-0.5, at), (-0.5 - 0.03 * len(times), place), ha="right", va="center",
                fontsize=8, annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": "#999", "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0,
                            "relpos": (1, 0.5)},
            )  # fmt: skip
        some = range(0, len(times), max(1, math.ceil(len(times) / 7)))
        axes.set_xticks([*some], [span(times[k]) for k in some], fontsize=7.5)
        axes.set_yticks([])
        axes.set_title(what, pad=4)
        bar = page.colorbar(image, cax=page.add_axes((0.36, 0.1, 0.5, 0.03)), orientation="horizontal")
        marks = [-end, 0.0, end]
        ratio = measure == RATIO
        bar.set_ticks(
            marks, labels=[f"× {math.exp(m):.3g}" if ratio else f"{m:g}".replace("-", "−") for m in marks]
        )
        bar.set_label("ratio to health" if ratio else measure or "change", labelpad=1)
        bar.outline.set_visible(False)
        return svg(page, key, f"Change of {what} in {len(groups)} regions over time, ordered by network")


def movements(frame: pd.DataFrame, axis: TimeAxis, stage_of: Mapping[str, str]) -> str:
    """When each quantity moves: the median and the interval over draws, in the order of movement.

    Parameters
    ----------
    frame : DataFrame
        Rows of ``/leadlag`` that move.
    axis : TimeAxis
    stage_of : mapping of str to str
        Stage of each level (`measures.leadlag.STAGES`).
    """
    tall = 0.185 * len(frame) + 0.9
    stages = [*STAGES, ""]
    with figure(6.4, tall) as page:
        axes: Any = page.add_axes((0.37, 0.5 / tall, 0.57, 1 - 0.85 / tall))
        rows = np.arange(len(frame))
        for y, (_, row) in zip(rows, frame.iterrows(), strict=True):
            stage = stage_of.get(row["level"], "")
            colour = PALETTE[stages.index(stage)]
            low = row["moved"] if math.isnan(row["lo"]) or math.isinf(row["lo"]) else row["lo"]
            high = axis.end if math.isinf(row["hi"]) else row["moved"] if math.isnan(row["hi"]) else row["hi"]
            axes.plot(axis.place([low, high]), [y, y], color=colour, linewidth=2.2, alpha=0.4,
                      solid_capstyle="butt")  # fmt: skip
            axes.plot(axis.place(row["moved"]), y, "o", color=colour, markersize=4.5)
        seen = {stage_of.get(level, "") for level in frame["level"]}
        for stage in stages:
            if stage in seen:
                axes.plot(
                    [], [], "o", color=PALETTE[stages.index(stage)], markersize=4.5, label=stage or "other"
                )
        axes.legend(frameon=False, ncols=6, loc="lower left", bbox_to_anchor=(-0.5, 1.0), fontsize=8,
                    handletextpad=0.1, columnspacing=1.0, borderpad=0)  # fmt: skip
        axes.set_yticks(rows, [shortened(plain(str(name)), 34) for name in frame.index])
        axes.tick_params(axis="y", length=0)
        ticks, labels = axis.ticks(0.155)
        axes.set_xticks(ticks, labels)
        low, high = axis.place([0.0, axis.end])
        axes.set(xlim=(low, high), ylim=(len(frame) - 0.4, -0.6), xlabel=axis.label)
        axes.grid(axis="x", color="#e4e4e4", linewidth=0.6)
        axes.set_axisbelow(True)
        return svg(
            page, "moved", "Time at which each quantity first moves, in order, with the interval over draws"
        )


def development(curves: xr.DataArray, age: float, windows: Sequence[tuple[str, float, float]]) -> str:
    """Healthy curves of development over age, with critical windows.

    Parameters
    ----------
    curves : DataArray, (time_dense, quantity)
    age : float
        At the start, years.
    windows : sequence of (name, start, end)
        Years.
    """
    years = age + curves["time_dense"].values / 365.25
    with figure(WIDTH, 2.7) as page:
        axes: Any = page.add_axes((LEFT / WIDTH, 0.2, (WIDTH - LEFT - RIGHT) / WIDTH, 0.66))
        for k, (name, start, end) in enumerate(windows):
            start, end = max(start, years[0]), min(end, years[-1])
            if end > start:
                axes.axvspan(start, end, color=EXPOSURES[k % len(EXPOSURES)], alpha=0.12, linewidth=0)
                axes.annotate(
                    shortened(name, 26), ((start + end) / 2, 1.0), (0, 3 + 9 * (k % 2)), ha="center",
                    xycoords=axes.get_xaxis_transform(), textcoords="offset points", fontsize=7.5,
                    color=EXPOSURES[k % len(EXPOSURES)], annotation_clip=False,
                )  # fmt: skip
        values = curves.transpose("quantity", "time_dense").values.astype(float)
        ends = np.array([row[np.isfinite(row)][-1] if np.isfinite(row).any() else 0.0 for row in values])
        for i, row in enumerate(values):
            style = "-" if i < LINES else "--"
            axes.plot(years, row, style, color=PALETTE[i % LINES], linewidth=1.4)
        axes.set(xlim=(years[0], years[-1]), xlabel="age (years)", ylabel="healthy value")
        least, most = axes.get_ylim()
        order = np.argsort(ends)
        for place, i in zip(spread_out(ends[order], 0.085 * (most - least)), order, strict=True):
            axes.annotate(
                shortened(plain(str(curves["quantity"].values[i])), 28), (1.0, ends[i]), (1.03, place),
                xycoords=axes.get_yaxis_transform(), textcoords=axes.get_yaxis_transform(), va="center",
                fontsize=8, color=PALETTE[i % LINES], annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": PALETTE[i % LINES], "linewidth": 0.5, "shrinkB": 0,
                            "relpos": (0, 0.5)},
            )  # fmt: skip
        return svg(page, "development", "Healthy curves of development over age, with critical windows")
