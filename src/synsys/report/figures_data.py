"""Spectra, connectivity, graph metrics and effect by distance."""

from __future__ import annotations

from typing import Any

import numpy as np

from synsys.report.drawing import DOWN, HEALTHY, UP, figure, round_up, svg
from synsys.report.words import plain

LEAST_POWER = 3e-5
"""Power below this share of the largest is cut off."""
WIDE_Z = 30
"""Beyond it z scores are drawn on an axis that is linear to 3 and logarithmic from there."""
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def spectra_by_network(power: np.ndarray, frequency: np.ndarray, network: np.ndarray) -> list[str]:
    """Mean power of each network, median and 90 % band over draws, all on the same axes.

    Parameters
    ----------
    power : ndarray, (S, draw, N, F)
        mV^2/Hz; S is 1 (healthy only) or 2 (healthy, perturbed).
    frequency : ndarray, (F,)
        Hz
    network : ndarray of str, (N,)

    Returns
    -------
    list of str
        Inline SVG of each network.
    """
    inside = (frequency >= 1) & (frequency <= 100)
    hz, power = frequency[inside], power[..., inside]
    names = [
        name for name in dict.fromkeys(network.tolist()) if np.isfinite(power[:, :, network == name]).any()
    ]
    means = [power[:, :, network == name].mean(axis=2) for name in names]
    bands = [np.percentile(mean, (5, 50, 95), axis=1) for mean in means]  # (3, S, F)
    low = min(float(band.min()) for band in bands)
    high = max(float(band.max()) for band in bands)
    drawn = []
    for k, (name, band) in enumerate(zip(names, bands, strict=True)):
        with figure(2.5, 2.0) as page:
            axes: Any = page.subplots()
            for state, (label, colour) in enumerate((("healthy", HEALTHY), ("perturbed", UP))[: len(power)]):
                axes.fill_between(hz, band[0, state], band[2, state], color=colour, alpha=0.2, linewidth=0)
                style = "--" if state else "-"
                axes.plot(hz, band[1, state], style, color=colour, linewidth=1.3, label=label)
            axes.set(
                xscale="log",
                yscale="log",
                title=_short(name),
                ylim=(0.7 * max(low, high * LEAST_POWER), 1.4 * high),
            )
            axes.set(xlabel="frequency (Hz)", ylabel="power (mV²/Hz)")
            log_ticks(axes)
            if k == 0:
                axes.legend(frameon=False, fontsize=7.5, loc="lower left", handlelength=1.8)
            page.tight_layout(pad=0.4)
            told = "healthy and perturbed" if len(power) > 1 else "healthy brain only"
            drawn.append(svg(page, f"spectrum{k}", f"Power spectrum from 1 to 100 Hz, {name}; {told}"))
    return drawn


def log_ticks(axes: Any) -> None:
    """Powers of ten as plain text on both logarithmic axes."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(10))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda y, _: "10" + str(round(np.log10(y))).translate(_SUPERSCRIPT))
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())


def _short(name: str, most: int = 22) -> str:
    text = plain(name) if name.isidentifier() else name
    return text if len(text) <= most else text[: most - 1] + "…"


def fc_panels(before: np.ndarray, after: np.ndarray | None, network: np.ndarray, key: str) -> list[str]:
    """Connectivity when healthy and perturbed, and the difference, ordered by network.

    Parameters
    ----------
    before, after : ndarray, (N, N)
        Pearson r; `after` is None where the perturbed state is unstable.
    network : ndarray of str, (N,)
    key : str
        Distinguishes the drawings of one page.

    Returns
    -------
    list of str
        Inline SVG each.
    """
    off = ~np.eye(len(before), dtype=bool)
    known = np.abs(np.concatenate([m[off] for m in (before, after) if m is not None]))
    limit = min(round_up(float(np.nanpercentile(known, 98))) if known.size else 1.0, 1.0)
    drawn = [fc_matrix(before, network, limit, "healthy", "r", f"{key}0")]
    if after is not None:
        change = after - before
        size = float(np.nanpercentile(np.abs(change[off]), 98)) if off.any() else 0.0
        drawn.append(fc_matrix(after, network, limit, "perturbed", "r", f"{key}1"))
        end = round_up(size) if size > 0 else 0.1
        drawn.append(fc_matrix(change, network, end, "difference", "Δr", f"{key}2"))
    return drawn


def fc_matrix(matrix: np.ndarray, network: np.ndarray, end: float, title: str, unit: str, key: str) -> str:
    """One matrix of connectivity, ordered by network, its colours from -`end` to `end`; inline SVG."""
    from matplotlib import colormaps

    names = list(dict.fromkeys(network.tolist()))
    order = np.argsort([names.index(name) for name in network], kind="stable")
    edges = np.cumsum([0, *(int((network == name).sum()) for name in names)])
    n = len(matrix)
    with figure(3.6, 3.35) as drawn:
        axes: Any = drawn.add_axes((0.30, 0.185, 0.69, 0.69 * 3.6 / 3.35))
        shown = np.where(~np.eye(n, dtype=bool), matrix, np.nan)[np.ix_(order, order)]
        colours = colormaps["RdBu_r"].with_extremes(bad="#bbbbbb")
        image = axes.imshow(shown, cmap=colours, vmin=-end, vmax=end, interpolation="none")
        for edge in edges[1:-1]:
            axes.axhline(edge - 0.5, color="#333", linewidth=0.4)
            axes.axvline(edge - 0.5, color="#333", linewidth=0.4)
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, pad=4)
        middle = (edges[:-1] + edges[1:] - 1) / 2
        for name, at, beside in zip(names, middle, spread_out(middle, 0.047 * n), strict=True):
            axes.annotate(
                _short(name, 18), (-0.5, at), (-0.055 * n, beside), ha="right", va="center", fontsize=8,
                arrowprops={"arrowstyle": "-", "color": "#999", "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0},
                annotation_clip=False,
            )  # fmt: skip
        scale = drawn.add_axes((0.38, 0.135, 0.53, 0.03))
        bar = drawn.colorbar(image, cax=scale, orientation="horizontal")
        bar.set_ticks([-end, 0, end], labels=[f"−{end:g}", "0", f"+{end:g}"])
        bar.set_label(
            f"{unit} ({'Pearson correlation' if unit == 'r' else 'perturbed minus healthy'})", labelpad=1
        )
        bar.outline.set_visible(False)
        return svg(drawn, key, f"Functional connectivity matrix, ordered by network: {title}")


def spread_out(at: np.ndarray, least: float) -> np.ndarray:
    """Positions at least `least` apart, in the same order and as close to `at` as pushing allows.

    Parameters
    ----------
    at : ndarray, (N,)
        Increasing.
    least : float
    """
    groups: list[tuple[float, int]] = []  # mean of (position - rank * least), members
    for k, position in enumerate(at):
        groups.append((float(position) - k * least, 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (a, m), (b, n) = groups.pop(), groups.pop()
            groups.append(((a * m + b * n) / (m + n), m + n))
    base = np.repeat([g[0] for g in groups], [g[1] for g in groups])
    return base + least * np.arange(len(at))


def graph_against_nulls(metrics: list[str], z: np.ndarray) -> str:
    """z-score of each graph metric against its nulls.

    Parameters
    ----------
    metrics : list of M str
    z : ndarray, (2, M)
        Healthy and perturbed; NaN where undefined.
    """
    with figure(4.4, 0.24 * len(metrics) + 0.8) as drawn:
        axes: Any = drawn.subplots()
        rows = np.arange(len(metrics))[::-1]
        axes.axvspan(-1.96, 1.96, color="#eeeeee", linewidth=0)
        axes.axvline(0, color="#999", linewidth=0.7)
        for y, pair in zip(rows, z.T, strict=True):
            axes.plot(pair, [y, y], color="#999", linewidth=1)
        axes.plot(z[0], rows, "o", color=HEALTHY, markersize=5, label="healthy", linestyle="none")
        axes.plot(z[1], rows, "D", color=UP, markersize=4.5, label="perturbed", linestyle="none")
        biggest = np.nanmax(np.abs(z), initial=3.0, where=np.isfinite(z))
        if biggest > WIDE_Z:
            axes.set_xscale("symlog", linthresh=3)
            from matplotlib.ticker import FuncFormatter

            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}".replace("-", "−")))
        axes.set_yticks(rows, [plain(name) for name in metrics])
        axes.set(xlabel="z against nulls (null sd)", ylim=(-0.7, len(metrics) - 0.3))
        axes.tick_params(axis="y", length=0)
        axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderpad=0, fontsize=8)
        drawn.tight_layout(pad=0.4)
        return svg(drawn, "graph", "z-scores of graph metrics against nulls, healthy and perturbed")


def effect_by_distance(distance: np.ndarray, rate: np.ndarray, fc: np.ndarray) -> list[str]:
    """How far the change reaches from a focal lesion.

    Parameters
    ----------
    distance : ndarray, (N,)
        mm
    rate, fc : ndarray, (N,)
        Log ratio of the E rate; change of mean Fisher-z connectivity.

    Returns
    -------
    list of str
        Inline SVG of each.
    """
    drawn = []
    for k, (values, label) in enumerate(
        ((100 * np.expm1(rate), "change of firing rate (%)"), (fc, "change of connectivity (Fisher z)"))
    ):
        known = np.isfinite(distance) & np.isfinite(values)
        x, y = distance[known], values[known]
        with figure(3.7, 2.6) as page:
            axes: Any = page.subplots()
            axes.axhline(0, color="#999", linewidth=0.7)
            axes.scatter(x, y, s=15, c=np.where(y > 0, UP, DOWN), alpha=0.75, linewidths=0)
            if len(x) >= 8:
                edges = np.quantile(x, np.linspace(0, 1, 6))
                which = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, 4)
                bins = [b for b in range(5) if (which == b).any()]
                axes.plot(
                    [np.median(x[which == b]) for b in bins], [np.median(y[which == b]) for b in bins],
                    "-", color="#222222", linewidth=1.3,
                )  # fmt: skip
            axes.set(xlabel="distance from the changed regions (mm)", ylabel=label)
            page.tight_layout(pad=0.5)
            drawn.append(svg(page, f"distance{k}", f"{label[:1].upper()}{label[1:]} by distance"))
    return drawn
