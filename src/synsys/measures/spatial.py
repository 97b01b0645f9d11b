"""Connectivity and effects against distance: near and far FC, and how far a focal lesion reaches."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from synsys.core.errors import UserError


def connectivity_means(
    fc: np.ndarray,
    partition: Sequence | np.ndarray | None = None,
    distance: np.ndarray | None = None,
    split: float | None = None,
) -> pd.DataFrame:
    """Mean FC within and between networks, and over short and long distances.

    Parameters
    ----------
    fc : ndarray, (K, N, N) or (N, N)
        Pearson correlations; unthresholded, signs kept, diagonal ignored.
    partition : sequence of N labels, optional
        Network of each region; pairs with an empty label ("") count in neither mean.
    distance : ndarray, (N, N), optional
        Distance between regions, mm.
    split : float, optional
        Distance in mm up to which a pair is local; default the median over all pairs.

    Returns
    -------
    DataFrame
        One row a matrix; within_network_fc, between_network_fc, local_fc, long_range_fc in
        Fisher z (mean of atanh r). Columns exist for the arguments given.

    Raises
    ------
    UserError
        If shapes do not fit or an off-diagonal correlation has size 1 or more.
    """
    stack = np.asarray(fc, dtype=float)
    if stack.ndim < 2 or stack.shape[-1] != stack.shape[-2]:
        raise UserError(f"FC: shape {stack.shape}, but (..., N, N) is needed")
    n = stack.shape[-1]
    row, column = np.triu_indices(n, 1)
    r = stack.reshape(-1, n, n)[:, row, column]
    if not (np.abs(r) < 1).all():
        worst = int(np.nanargmax(np.abs(r).max(0)))
        raise UserError(
            f"FC[{row[worst]}, {column[worst]}] = {r[:, worst].max():g} is no correlation inside (-1, 1)"
        )
    z = np.arctanh(r)
    means = {}
    if partition is not None:
        label = np.asarray(partition)
        if label.shape != (n,):
            raise UserError(f"partition: shape {label.shape}, but there are {n} regions")
        named = (label[row] != "") & (label[column] != "")
        same = label[row] == label[column]
        means["within_network_fc"] = _mean(z, named & same)
        means["between_network_fc"] = _mean(z, named & ~same)
    if distance is not None:
        apart = np.asarray(distance, dtype=float)
        if apart.shape != (n, n):
            raise UserError(f"distance: shape {apart.shape}, but there are {n} regions")
        mm = apart[row, column]
        limit = float(np.median(mm)) if split is None else split
        means["local_fc"] = _mean(z, mm <= limit)
        means["long_range_fc"] = _mean(z, mm > limit)
    return pd.DataFrame(means, index=pd.RangeIndex(len(z), name="draw"))


def _mean(z: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    return z[:, pairs].mean(-1) if pairs.any() else np.full(len(z), np.nan)


def effect_by_distance(
    effect: np.ndarray, sources: np.ndarray | list, distance: np.ndarray, bins: int = 6
) -> tuple[pd.DataFrame, float]:
    """How the effect of a focal change falls off with distance from where it was made (NW-08).

    Parameters
    ----------
    effect : ndarray, (N,)
        Change of a readout per region against the healthy state; its size counts. NaN where the
        readout does not exist.
    sources : boolean (N,) or integer sequence
        Regions that were changed.
    distance : ndarray, (N, N)
        Distance between regions: mm, tract length, or path length over the connectome
        (`synsys.measures.paths.distances`); inf between separate parts.
    bins : int
        Number of distance bins, equally filled, beyond the sources.

    Returns
    -------
    profile : DataFrame
        Row 0: the sources themselves; then one row a bin from near to far, and a last one for
        regions out of reach (distance inf) if there are any. Columns: nearest, farthest (distance
        to the closest source), regions, effect (mean size), relative (to the sources' effect; NaN
        if that is 0).
    rho : float
        Spearman correlation of size and distance over reachable regions beyond the sources:
        negative if the effect stays local; NaN below three regions or for a constant effect.
    """
    size = np.abs(np.asarray(effect, dtype=float))
    n = size.size
    apart = np.asarray(distance, dtype=float)
    chosen = np.zeros(n, dtype=bool)
    chosen[np.asarray(sources)] = True
    if apart.shape != (n, n):
        raise UserError(f"distance: shape {apart.shape}, but there are {n} regions")
    if not chosen.any():
        raise UserError("no source region is given")
    if bins < 1:
        raise UserError(f"bins {bins!r} must be >= 1")
    nearest = np.where(chosen, 0.0, apart[:, chosen].min(1))
    known = np.isfinite(size)
    beyond = np.flatnonzero(known & ~chosen & np.isfinite(nearest))
    beyond = beyond[np.argsort(nearest[beyond], kind="stable")]
    groups = [np.flatnonzero(known & chosen), *np.array_split(beyond, min(bins, max(1, beyond.size)))]
    groups.append(np.flatnonzero(known & ~np.isfinite(nearest)))
    rows = [(nearest[g].min(), nearest[g].max(), g.size, size[g].mean()) for g in groups if g.size]
    profile = pd.DataFrame(rows, columns=["nearest", "farthest", "regions", "effect"])
    start = size[groups[0]].mean() if groups[0].size else np.nan
    profile["relative"] = profile["effect"] / start if start > 0 else np.nan
    varies = beyond.size > 2 and np.ptp(size[beyond]) > 0 and np.ptp(nearest[beyond]) > 0
    rho = float(spearmanr(size[beyond], nearest[beyond]).statistic) if varies else np.nan
    return profile, rho
