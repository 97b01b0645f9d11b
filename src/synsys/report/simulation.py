"""The page of a simulation or sweep: measures over the grid, connectivity, BOLD, activity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core import show
from synsys.core.schema import attribute, tabulate, validate
from synsys.measures.signals import correlations
from synsys.report.drawing import INK, PALE, UP, figure, round_up, svg
from synsys.report.figures_data import fc_matrix, log_ticks
from synsys.report.page import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import xarray as xr

SHOWN = ("mean_fc", "fc_with_data", "fc_with_structure", "metastability", "fcd_spread", "bold_sd")
"""Measures that are drawn over a grid, besides mean activity, if a result has them."""
MOST_PANELS, MOST_MATRICES = 6, 3
SECONDS = 5.0
"""Activity that is drawn, s."""


def render_simulation(tree: xr.DataTree) -> str:
    """A simulation as one HTML page.

    Parameters
    ----------
    tree : DataTree
        A result of kind simulation.

    Raises
    ------
    SchemaError
        If the tree is no result.
    """
    validate(tree)
    return environment().get_template("simulation.html").render(context(tree))


def context(tree: xr.DataTree) -> dict[str, Any]:
    """Everything the template shows."""
    runs, grid = tabulate(tree), attribute(tree, "grid")
    options = attribute(tree, "options")
    keys = [*grid, *(["draw"] if runs["draw"].nunique() > 1 else [])]
    measures = [str(c) for c in runs if c not in (*grid, "draw", "seed")]
    columns, rows = _table(runs, keys, measures)
    drawn: dict[str, Any] = {"grid": "", "fc": [], "activity": ""}
    if 1 <= len(grid) <= 2 and max(map(len, grid.values())) > 1:
        first = [c for c in measures if c.startswith("mean_") and c != "mean_fc"][:2]
        panels = [*first, *(c for c in SHOWN if c in measures)][:MOST_PANELS]
        drawn["grid"] = _curves(runs, grid, panels) if len(grid) == 1 else _fields(runs, grid, panels)
        drawn["grid_caption"] = (
            "Every run (dots) and the mean over the runs of a point (line)."
            if len(grid) == 1
            else "Mean over the runs of every point."
        )
    if "bold" in tree.children and tree["bold"].sizes["scan"] > 2:
        drawn |= _bold(tree, runs, keys)
    if "course" in tree.children and tree["course"].sizes["time"] > 2:
        drawn |= _activity(tree)
    model = "Our circuit" if tree.attrs["title"] == "circuit" else tree.attrs["title"].replace("_", " ")
    held = attribute(tree, "fixed")
    return {
        **drawn,
        "attrs": dict(tree.attrs), "options": options, "fixed": held,
        "digests": attribute(tree, "digests"), "columns": columns, "rows": rows,
        "heading": f"{model[:1].upper()}{model[1:]} in time on {tree.attrs['brain']}",
        "told": (
            f"{_count(len(runs), 'run')} of {options['seconds']:g} s after {options['warm_up']:g} s of "
            f"warm-up: {_count(len(rows), 'point')}, {_count(options['seeds'], 'seed')} each."
        ),
    }  # fmt: skip


def _count(n: int, name: str) -> str:
    return f"{n} {name}{'' if n == 1 else 's'}"


def _table(
    runs: pd.DataFrame, keys: Sequence[str], measures: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    groups = runs.groupby(list(keys)) if keys else [((), runs)]
    rows = []
    for key, part in groups:
        values = key if isinstance(key, tuple) else (key,)
        row = [f"{v:.4g}" for v in values]
        for name in measures:
            text = show.number(float(part[name].mean()))
            row.append(f"{text} ({show.number(float(part[name].std()), 2)})" if len(part) > 1 else text)
        rows.append(row)
    return [name.replace("_", " ") for name in [*keys, *measures]], rows


def _grid_of_axes(drawn: Any, count: int) -> list[Any]:
    columns = min(3, count)
    rows = -(-count // columns)
    return [drawn.add_subplot(rows, columns, k + 1) for k in range(count)]


def _curves(runs: pd.DataFrame, grid: dict[str, list[float]], panels: Sequence[str]) -> str:
    """Measures along one parameter."""
    (name,) = grid
    mean = runs.groupby(name)[list(panels)].mean()
    with figure(9.0, 2.3 * -(-len(panels) // 3)) as drawn:
        for axes, panel in zip(_grid_of_axes(drawn, len(panels)), panels, strict=True):
            axes.plot(
                runs[name], runs[panel], ".", color=PALE if len(runs) > len(mean) else INK, markersize=5
            )
            axes.plot(mean.index, mean[panel], color=UP, linewidth=1.4)
            axes.set_title(panel.replace("_", " "))
            axes.set_xlabel(name)
        drawn.tight_layout()
        return svg(drawn, "grid", f"Measures of the simulation along {name}")


def _fields(runs: pd.DataFrame, grid: dict[str, list[float]], panels: Sequence[str]) -> str:
    """Measures over two parameters."""
    across, up = grid
    with figure(9.0, 2.6 * -(-len(panels) // 3)) as drawn:
        for axes, panel in zip(_grid_of_axes(drawn, len(panels)), panels, strict=True):
            field = runs.pivot_table(index=up, columns=across, values=panel, aggfunc="mean")
            image = axes.imshow(field.to_numpy(), origin="lower", aspect="auto", cmap="viridis")
            axes.set_xticks(range(len(field.columns)), [f"{x:.3g}" for x in field.columns])
            axes.set_yticks(range(len(field.index)), [f"{x:.3g}" for x in field.index])
            axes.set(title=panel.replace("_", " "), xlabel=across, ylabel=up)
            drawn.colorbar(image, ax=axes, fraction=0.05)
        drawn.tight_layout()
        return svg(drawn, "grid", f"Measures of the simulation over {across} and {up}")


def _bold(tree: xr.DataTree, runs: pd.DataFrame, keys: Sequence[str]) -> dict[str, Any]:
    """Connectivity of a few points, and BOLD of the first run."""
    bold = tree["bold"]["bold"].values.astype(float)
    network = tree["regions"]["network"].values.astype(str)
    structure = tree["regions"]["structure"].values.astype(str)
    network = np.where(network == "", structure, network)
    fc = np.stack([correlations(b.T) for b in bold])
    points = [(key, part.index) for key, part in runs.groupby(list(keys))] if keys else [((), runs.index)]
    chosen = points if len(points) <= MOST_MATRICES else [points[0], points[len(points) // 2], points[-1]]
    off = ~np.eye(fc.shape[1], dtype=bool)
    end = min(1.0, round_up(float(np.nanpercentile(np.abs(fc[:, off]), 98))))
    pictures = []
    for k, (key, members) in enumerate(chosen):
        values = key if isinstance(key, tuple) else (key,)
        title = ", ".join(f"{n} {v:.3g}" for n, v in zip(keys, values, strict=True)) or "all runs"
        pictures.append(fc_matrix(fc[list(members)].mean(0), network, end, title, "r", f"fc{k}"))
    scan = tree["bold"]["scan"].values
    return {
        "fc": pictures,
        "fc_caption": "" if len(chosen) == len(points) else " (first, middle and last)",
        "carpet": _carpet(bold[0], scan, network),
        "first": ", ".join(f"{n} {runs[n].iloc[0]:.6g}" for n in [*keys, "seed"]),
    }


def _carpet(bold: np.ndarray, scan: np.ndarray, network: np.ndarray) -> str:
    """Regions over time, ordered by network, and their mean."""
    order = np.argsort(network, kind="stable")
    spread = np.maximum(bold.std(0), 1e-30)
    z = ((bold - bold.mean(0)) / spread)[:, order].T
    with figure(9.0, 3.0) as drawn:
        whole = drawn.add_axes((0.09, 0.80, 0.89, 0.17))
        whole.plot(scan, z.mean(0), color=INK, linewidth=0.8)
        whole.set(xlim=(scan[0], scan[-1]), xticks=[], ylabel="mean, sd")
        axes = drawn.add_axes((0.09, 0.14, 0.89, 0.64))
        axes.imshow(
            z, aspect="auto", cmap="RdBu_r", vmin=-3, vmax=3, interpolation="nearest",
            extent=(scan[0], scan[-1], len(z), 0),
        )  # fmt: skip
        axes.set(xlabel="seconds after the warm-up", ylabel="regions", yticks=[])
        return svg(drawn, "carpet", "BOLD of every region over time")


def _activity(tree: xr.DataTree) -> dict[str, Any]:
    """Activity of some regions in the first seconds, and the mean spectrum over regions."""
    course = tree["course"]
    time = np.asarray(course["time"].values, float)
    observable = [str(o) for o in course["observable"].values]
    value = course["value"].values[0, :, :, 0].astype(float)
    step = float(time[1] - time[0])
    label = [str(r) for r in course["region"].values]
    spread = np.argsort(-value.std(0))
    shown = sorted({int(spread[0]), int(spread[len(spread) // 2]), 0})
    early = time <= SECONDS
    width = min(len(value), max(8, round(2.0 / step)))
    taper = np.hanning(width)[:, None]
    pieces = [value[k : k + width] for k in range(0, len(value) - width + 1, max(1, width // 2))]
    power = np.mean([np.abs(np.fft.rfft((p - p.mean(0)) * taper, axis=0)) ** 2 for p in pieces], 0)
    frequency = np.fft.rfftfreq(width, step)
    with figure(9.0, 2.6) as drawn:
        axes = drawn.add_axes((0.07, 0.17, 0.55, 0.75))
        for k, colour in zip(shown, (INK, UP, "#2166ac"), strict=False):
            axes.plot(time[early], value[early, k], color=colour, linewidth=0.9, label=label[k])
        axes.set(xlabel="seconds after the warm-up", ylabel=observable[0])
        axes.legend(frameon=False, fontsize=7)
        beside = drawn.add_axes((0.71, 0.17, 0.28, 0.75))
        beside.loglog(frequency[1:], (power / (taper**2).sum() * step)[1:].mean(1), color=INK, linewidth=1.0)
        log_ticks(beside)
        beside.set(xlabel="Hz", title=f"power of {observable[0]}")
        picture = svg(drawn, "activity", f"{observable[0]} of some regions over time, and its mean spectrum")
    return {
        "activity": picture,
        "activity_caption": (
            f"{observable[0]} of three regions (the first, the one that varies most, one in the middle) in "
            f"the first run, means over {1e3 * step:g} ms, and its power spectrum, mean over regions."
        ),
    }
