"""What moves first: latencies, peaks and recovery of courses, and the order of levels in time.

Times are where a course crosses a threshold, linear between samples. A course that never crosses within what
was computed is censored, not missing: it counts as later than every course that does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

STAGES: dict[str, tuple[str, ...]] = {
    "molecule": (
        "genetic", "epigenetic", "molecular", "ion_channel", "immune", "metabolic", "endocrine",
    ),
    "synapse": ("synaptic", "cellular"),
    "circuit": ("microcircuit", "oscillation", "circuit"),
    "network": ("network",),
    "symptom": ("task", "inference", "symptom", "behaviour", "outcome"),
}  # fmt: skip
"""Levels of the vocabulary by the stages that a cascade passes, in their expected order."""
INTERVAL = (0.05, 0.95)


def crossing(time: np.ndarray, effect: np.ndarray, threshold: np.ndarray | float) -> np.ndarray:
    """First time at which an effect is as large as its threshold in either direction.

    Parameters
    ----------
    time : ndarray, (T,)
        Increasing.
    effect : ndarray, (..., T)
        NaN where it is not defined; such samples are left out.
    threshold : float or ndarray, (...)
        Positive.

    Returns
    -------
    ndarray, (...)
        In the unit of `time`, linear between samples; the first sample if the effect is beyond its
        threshold there already, infinity if it never is, NaN where no sample is defined.
    """
    courses = np.asarray(effect, float)
    flat = courses.reshape(-1, courses.shape[-1])
    limits = np.broadcast_to(np.asarray(threshold, float), courses.shape[:-1]).ravel()
    out = np.array([_first(time, course, limit) for course, limit in zip(flat, limits, strict=True)], float)
    return out.reshape(courses.shape[:-1])


def _first(time: np.ndarray, course: np.ndarray, limit: float, one_way: bool = False) -> float:
    """As `crossing`, of one course; `one_way`: only upwards."""
    known = np.isfinite(course)
    if not known.any():
        return np.nan
    t, y = time[known], course[known]
    beyond = (y if one_way else np.abs(y)) >= limit
    if not beyond.any():
        return np.inf
    k = int(beyond.argmax())
    if k == 0:
        return float(t[0])
    target = np.copysign(limit, y[k])
    return float(t[k - 1] + (target - y[k - 1]) / (y[k] - y[k - 1]) * (t[k] - t[k - 1]))


def over_draws(values: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Quantiles over draws of what is defined, linear between order statistics.

    Parameters
    ----------
    values : ndarray, (draw, ...)
        NaN where not defined.
    levels : sequence of L float
        Between 0 and 1.

    Returns
    -------
    ndarray, (L, ...)
        NaN where no draw is defined.
    """
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=0)  # NaN last
    most = np.isfinite(ordered).sum(axis=0) - 1
    out = np.full((len(levels), *values.shape[1:]), np.nan)
    for k, level in enumerate(levels):
        at = level * np.maximum(most, 0)
        below = np.floor(at).astype(int)
        above = np.minimum(below + 1, np.maximum(most, 0))
        low, high = (np.take_along_axis(ordered, index[None], 0)[0] for index in (below, above))
        out[k] = low + (at - below) * (high - low)
    return out


def lead_lag(effect: xr.DataArray, threshold: xr.DataArray | float, level: xr.DataArray) -> xr.Dataset:
    """When and how far each quantity moves: the group ``/leadlag`` of a trajectory.

    Parameters
    ----------
    effect : DataArray, (draw, time, item)
        Signed change against health, 0 in health, each in a measure of its own; NaN where undefined.
    threshold : float or DataArray, (item,)
        Size from which on a change counts as a movement.
    level : DataArray of str, (item,)
        Level of each quantity.

    Returns
    -------
    Dataset, (item,)
        Of the median over draws: ``moved``, the first time beyond the threshold (NaN: never);
        ``half_rise``, the first time at half of its peak, which no threshold decides; ``peak`` and
        ``peak_time``; ``recovery``, the time from the peak to half of it (infinite: not within what was
        computed); ``turned``, the first time beyond the threshold against the direction of the first
        movement (NaN: never); ``direction`` of the first movement, -1, 0 or 1; ``persistent``, whether it
        is beyond the threshold at the end; ``order``, 1 for what moves first, ties alike, 0 for what never
        moves; ``final``, the change at the end. Of the draws: ``lo`` and ``hi``, the 5 and 95 % quantiles
        of the time of movement (order statistics; infinite where draws that never move reach into them);
        ``share`` of draws that move; ``final_lo`` and ``final_hi``, 5 and 95 % of the change at the end.
    """
    import xarray as xr

    effect = effect.transpose("draw", "time", "item")
    t = effect["time"].values.astype(float)
    values = effect.values.astype(float)
    limit = np.broadcast_to(np.asarray(threshold, float), values.shape[-1:])
    low, middle, high = over_draws(values, (INTERVAL[0], 0.5, INTERVAL[1]))
    per_draw = crossing(t, np.moveaxis(values, 1, -1), limit)
    lo, hi, share = (np.full(len(limit), np.nan) for _ in range(3))
    columns: dict[str, list[float]] = {
        name: [] for name in ("moved", "half_rise", "peak", "peak_time", "recovery", "turned", "direction",
                              "persistent")
    }  # fmt: skip
    for i, (course, least) in enumerate(zip(middle.T, limit, strict=True)):
        for name, value in _describe(t, course, float(least)).items():
            columns[name].append(value)
        times = per_draw[:, i][~np.isnan(per_draw[:, i])]
        if times.size:
            share[i] = np.isfinite(times).mean()
            lo[i] = np.quantile(times, INTERVAL[0], method="lower")
            hi[i] = np.quantile(times, INTERVAL[1], method="higher")
    data = {name: np.array(column) for name, column in columns.items()}
    data["persistent"] = data["persistent"].astype(bool)
    never = np.isnan(data["moved"])
    rank = np.searchsorted(np.sort(data["moved"][~never]), data["moved"], side="left") + 1
    found = {
        **data, "lo": lo, "hi": hi, "share": share, "final": middle[-1], "final_lo": low[-1],
        "final_hi": high[-1], "order": np.where(never, 0, rank), "threshold": limit,
    }  # fmt: skip
    return xr.Dataset(
        {**{name: ("item", column) for name, column in found.items()},
         "level": ("item", np.asarray(level.values, dtype=object))},
        {"item": effect["item"].values},
    )  # fmt: skip


def _describe(time: np.ndarray, course: np.ndarray, least: float) -> dict[str, float]:
    """What `lead_lag` says of the median course of one quantity."""
    names = ("moved", "half_rise", "peak", "peak_time", "recovery", "turned")
    out = dict.fromkeys(names, np.nan) | {"direction": 0.0, "persistent": 0.0}
    known = np.isfinite(course)
    if not known.any():
        return out
    t, y = time[known], course[known]
    k = int(np.abs(y).argmax())
    peak = out["peak"] = float(y[k])
    if peak == 0:
        return out
    out["peak_time"] = float(t[k])
    out["half_rise"] = _first(t, y * np.sign(peak), abs(peak) / 2, one_way=True)
    fallen = 1 - y[k:] / peak  # 0 at the peak, 1/2 at half of it
    out["recovery"] = _first(t[k:], fallen, 0.5, one_way=True) - float(t[k])
    beyond = np.abs(y) >= least
    if beyond.any():
        out["moved"] = _first(t, y, least)
        out["direction"] = float(np.sign(y[beyond][0]))
        out["persistent"] = float(beyond[-1])
        back = _first(t, -out["direction"] * y, least, one_way=True)
        out["turned"] = back if np.isfinite(back) else np.nan
    return out


def before(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Probability, draw by draw, that one of a first set of quantities moves before one of a second set.

    Parameters
    ----------
    first, second : ndarray, (draw, A) and (draw, B)
        Times of movement; infinite where a quantity never moves, NaN where it is not defined.

    Returns
    -------
    ndarray, (draw,)
        Share of pairs in which the first is earlier, ties counted half (Mann and Whitney 1947), among the
        pairs of which at least one moves; so the number of quantities in a set does not decide. NaN
        without such a pair.
    """
    a, b = first[:, :, None], second[:, None, :]
    counted = ~np.isnan(a) & ~np.isnan(b) & (np.isfinite(a) | np.isfinite(b))
    score = np.where(a < b, 1.0, np.where(a == b, 0.5, 0.0))
    number = counted.sum(axis=(1, 2))
    total = (score * counted).sum(axis=(1, 2))
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def stage_order(moved: xr.DataArray, level: xr.DataArray) -> pd.DataFrame:
    """Whether molecules move before synapses, synapses before circuits, and so on to symptoms.

    Parameters
    ----------
    moved : DataArray, (draw, item)
        Time of movement of each quantity in each draw (`crossing`).
    level : DataArray of str, (item,)

    Returns
    -------
    DataFrame
        One row per pair of `STAGES` that both have a quantity: ``earlier``, ``later``; ``pairs``, the mean
        share of pairs of quantities in that order (`before`); ``draws`` in which one stage leads (ties
        left out), ``leads``, in how many it is the earlier one, ``p`` = leads / draws with its exact 90 %
        interval ``lo``, ``hi`` (Clopper and Pearson 1934), and ``p_value`` of the exact two-sided sign
        test. The draws are samples of what is uncertain in the model, not people: the interval says how
        well so many draws tell the order, no more.
    """
    import pandas as pd
    from scipy.stats import binomtest

    times = moved.transpose("draw", "item").values.astype(float)
    levels = np.asarray(level.values, dtype=object)
    of = {stage: times[:, np.isin(levels, names)] for stage, names in STAGES.items()}
    rows = []
    for earlier, later in combinations(STAGES, 2):
        if not of[earlier].size or not of[later].size:
            continue
        share = before(of[earlier], of[later])
        share = share[np.isfinite(share)]
        leads, draws = int((share > 0.5).sum()), int((share != 0.5).sum())
        row = {"earlier": earlier, "later": later, "pairs": share.mean() if share.size else np.nan,
               "draws": draws, "leads": leads, "p": np.nan, "lo": np.nan, "hi": np.nan,
               "p_value": np.nan}  # fmt: skip
        if draws:
            test = binomtest(leads, draws)
            interval = test.proportion_ci(0.9, "exact")
            row |= {"p": leads / draws, "lo": interval.low, "hi": interval.high, "p_value": test.pvalue}
        rows.append(row)
    names = ("earlier", "later", "pairs", "draws", "leads", "p", "lo", "hi", "p_value")
    return pd.DataFrame(rows, columns=list(names))
