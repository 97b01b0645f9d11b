"""Courses of a trajectory as signed changes against health, each in the measure that suits it."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core.results import EFFECT_SIZE, NEGLIGIBLE, RATIO
from synsys.knowledge.load import vocabulary
from synsys.measures.leadlag import crossing, lead_lag, stage_order

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

RATIO_STEP = math.log(1.25)
"""Logarithm of the ratio that the vocabulary calls one step (`knowledge.facts.Quantity.unit_step`)."""
LEAST_FOLD = 1e-3
"""A fold below it counts as this, so that what is gone altogether still has a logarithm."""


def readout_changes(trajectory: xr.Dataset, sizes: bool = True) -> xr.Dataset:
    """Changes of readouts against the healthy course, draw by draw.

    Parameters
    ----------
    trajectory : Dataset
        Group ``/trajectory`` of a result.
    sizes : bool
        Whether a change whose healthy spread between people is known (``sd``) is given in that spread.

    Returns
    -------
    Dataset
        ``effect`` (draw, time, item): log ratio where the vocabulary compares by ratio and all values are
        positive, else difference; divided by ``sd`` where known. ``measure`` (item): log ratio, d, or the
        unit. ``threshold`` (item): |d| of 0.1, or a tenth of the vocabulary's step. ``level`` (item).
    """
    value = trajectory["value"].transpose("state", "draw", "time", "readout")
    names = [str(name) for name in trajectory["readout"].values]
    units = [str(unit) for unit in trajectory["unit"].values]
    sd = trajectory["sd"].values.astype(float) if "sd" in trajectory else np.full(len(names), np.nan)
    reference, perturbed = value.values.astype(float)
    effect, measure, threshold = np.empty(reference.shape), [], []
    for i, name in enumerate(names):
        b, a = reference[..., i], perturbed[..., i]
        known = np.isfinite(a) & np.isfinite(b)
        ratio = _by_ratio(name, units[i]) and bool((b[known] > 0).all() and (a[known] > 0).all())
        with np.errstate(divide="ignore", invalid="ignore"):
            effect[..., i] = np.log(a / b) if ratio else a - b
        if sizes and sd[i] > 0:
            effect[..., i] /= sd[i]
            measure.append(EFFECT_SIZE)
            threshold.append(NEGLIGIBLE)
        else:
            measure.append(RATIO if ratio else units[i])
            threshold.append(NEGLIGIBLE * (RATIO_STEP if ratio else _step(name)))
    return _changes(effect, trajectory["draw"], trajectory["time"], names, measure, threshold,
                    trajectory["level"])  # fmt: skip


def slow_changes(slow: xr.Dataset) -> xr.Dataset:
    """Changes of slow variables, as `readout_changes`: log of a fold, else the deviation itself.

    Parameters
    ----------
    slow : Dataset
        Group ``/slow`` of a result; a fold is 1 in health, a shift or an index 0.
    """
    value = slow["value"].transpose("draw", "time_dense", "variable").values.astype(float)
    names = [str(name) for name in slow["variable"].values]
    fold = slow["form"].values.astype(str) == "fold"
    effect = deviation(value, slow["form"].values)
    known = vocabulary()
    units = [known[name].unit if name in known else "" for name in names]
    measure = [RATIO if f else unit for f, unit in zip(fold, units, strict=True)]
    threshold = [NEGLIGIBLE * (RATIO_STEP if f else _step(name)) for f, name in zip(fold, names, strict=True)]
    return _changes(effect, slow["draw"], slow["time_dense"], names, measure, threshold, slow["level"])


def deviation(value: np.ndarray, form: np.ndarray) -> np.ndarray:
    """Change of slow variables against health.

    Parameters
    ----------
    value : ndarray, (..., V)
    form : ndarray of str, (V,)

    Returns
    -------
    ndarray, (..., V)
        Log of a fold, at least that of `LEAST_FOLD`; a shift or an index itself.
    """
    fold = np.asarray(form, dtype=str) == "fold"
    return np.where(fold, np.log(np.maximum(np.where(fold, value, 1.0), LEAST_FOLD)), value)


def _by_ratio(name: str, unit: str) -> bool:
    row = vocabulary().get(name)
    return row.multiplies if row else unit.startswith("fraction")


def _step(name: str) -> float:
    row = vocabulary().get(name)
    return float(row.unit_step) if row and row.unit_step not in ("", "ratio") else 1.0


def _changes(
    effect: np.ndarray, draw: Any, time: Any, names: list[str], measure: list[str], threshold: list[float],
    level: Any,
) -> xr.Dataset:  # fmt: skip
    import xarray as xr

    return xr.Dataset(
        {
            "effect": (("draw", "time", "item"), effect),
            "measure": ("item", np.array(measure, dtype=object)),
            "threshold": ("item", np.array(threshold, dtype=float)),
            "level": ("item", np.asarray(level.values, dtype=object)),
        },
        {"draw": draw.values, "time": time.values.astype(float), "item": names},
    )


def trajectory_lead_lag(trajectory: xr.Dataset, slow: xr.Dataset, inputs: Collection[str] = ()) -> xr.Dataset:
    """Group ``/leadlag`` of a trajectory from its groups ``/trajectory`` and ``/slow``.

    Parameters
    ----------
    trajectory, slow : Dataset
    inputs : collection of str
        Quantities that events set; an input is no result, so it is left out.

    Returns
    -------
    Dataset, (item,)
        As from `measures.leadlag.lead_lag`, and ``measure``. A name that is both a slow variable and a
        readout is taken from the slow variables, which are sampled more densely.
    """
    import xarray as xr

    parts = []
    for part in _results(trajectory, slow, inputs):
        if part.sizes["item"]:
            found = lead_lag(part["effect"], part["threshold"], part["level"])
            parts.append(found.assign(measure=part["measure"]))
    joined = xr.concat(parts, "item")
    times = joined["moved"].values
    never = np.isnan(times)
    rank = np.searchsorted(np.sort(times[~never]), times, side="left") + 1
    return joined.assign(order=("item", np.where(never, 0, rank)))


def _results(
    trajectory: xr.Dataset, slow: xr.Dataset, inputs: Collection[str]
) -> tuple[xr.Dataset, xr.Dataset]:
    """Changes of slow variables and of readouts that are none of them, inputs left out of both."""
    dense, seen = slow_changes(slow), readout_changes(trajectory)
    there = set(map(str, dense["item"].values)) | set(inputs)
    return (
        dense.sel(item=[name for name in dense["item"].values if str(name) not in inputs]),
        seen.sel(item=[name for name in seen["item"].values if str(name) not in there]),
    )


def order_of_stages(trajectory: xr.Dataset, slow: xr.Dataset, inputs: Collection[str] = ()) -> pd.DataFrame:
    """Order of levels in time over draws (`measures.leadlag.stage_order`).

    Slow variables are read at the times of the readouts, so that a denser sampling makes nothing earlier;
    inputs are left out. Parameters as for `trajectory_lead_lag`.
    """
    import xarray as xr

    dense, seen = _results(trajectory, slow, inputs)
    dense = dense.interp(time=seen["time"]).assign(measure=dense["measure"], level=dense["level"])
    both = xr.concat([dense, seen], "item")
    effect = both["effect"].transpose("draw", "item", "time")
    moved = crossing(effect["time"].values, effect.values, both["threshold"].values)
    times = xr.DataArray(moved, {"draw": both["draw"], "item": both["item"]}, ("draw", "item"))
    return stage_order(times, both["level"])
