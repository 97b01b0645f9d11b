"""Spun maps: null maps that keep how smooth a regional map is and forget where it lies.

Centroids of one hemisphere are projected on a sphere and turned at random; the other hemisphere takes the
mirror image of the same rotation (Alexander-Bloch et al. 2018, NeuroImage 178:540). Each region takes the
value of the turned region that lands nearest, which may repeat or lose values (Vazquez-Rodriguez et al.
2019, PNAS 116:21219), or of its partner in the assignment of least total distance, which keeps every value
once (Markello & Misic 2021, NeuroImage 236:118052, compare these).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synsys.core.connectome import Connectome
from synsys.core.errors import UserError, unknown

METHODS = ("nearest", "assign")


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """A rotation of three-dimensional space, uniform over all of them, (3, 3).

    The orthogonal factor of a Gaussian matrix with the signs of the triangular factor's diagonal
    (Mezzadri 2007, Notices AMS 54:592), one column turned where the determinant is -1.
    """
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diagonal(r))
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return q


def spins(
    centroids: np.ndarray | pd.DataFrame,
    hemisphere: Sequence[str] | np.ndarray | pd.Series,
    count: int = 1000,
    seed: int = 0,
    method: str = "nearest",
) -> np.ndarray:
    """Which region each region takes its value from, in each spin.

    Parameters
    ----------
    centroids : ndarray or DataFrame, (R, 3)
        Cortical centroids, mm. Each hemisphere is centred on its mean and projected on a unit sphere, so
        distances on the folded sheet are only approximated (a registered sphere is better where there
        is one; give its coordinates here).
    hemisphere : sequence of R str
        L or R.
    count : int
        Number of spins.
    seed : int
    method : {"nearest", "assign"}
        Nearest neighbour with repeats, or one-to-one. On 34 Desikan-Killiany centroids of a hemisphere the
        one-to-one exchange loses part of the smoothness and rejects too often (0.07-0.12 at a nominal 0.05);
        the nearest neighbour holds the level.

    Returns
    -------
    ndarray of int, (count, R)
        ``values[spins[k]]`` is spun map k. Values never change hemisphere.

    Raises
    ------
    UserError
        If shapes do not fit, a centroid is missing, or a hemisphere or method is unknown.
    """
    from scipy.optimize import linear_sum_assignment

    xyz = np.asarray(centroids, float)
    side = np.asarray(hemisphere, str)
    if xyz.ndim != 2 or xyz.shape[1] != 3 or side.shape != xyz.shape[:1]:
        raise UserError(f"centroids {xyz.shape} and hemispheres {side.shape}: (R, 3) and (R,) are needed")
    if not np.isfinite(xyz).all():
        raise UserError(f"region {int(np.argwhere(~np.isfinite(xyz))[0, 0])} has no centroid to spin")
    if method not in METHODS:
        raise unknown("spin method", method, METHODS)
    for name in np.unique(side):
        if name not in ("L", "R"):
            raise unknown("hemisphere of a spun region", str(name), ("L", "R"))
    parts = [np.flatnonzero(side == name) for name in ("L", "R")]
    spheres = []
    for rows, flip in zip(parts, (np.ones(3), np.array([-1.0, 1.0, 1.0])), strict=True):
        at = xyz[rows] * flip
        at = at - at.mean(0) if len(rows) else at
        spheres.append(at / np.maximum(np.linalg.norm(at, axis=1, keepdims=True), 1e-12))
    rng = np.random.default_rng(seed)
    out = np.empty((count, len(xyz)), int)
    for k in range(count):
        turn = random_rotation(rng)
        for rows, sphere in zip(parts, spheres, strict=True):
            if not len(rows):
                continue
            angle = np.arccos(np.clip(sphere @ (sphere @ turn).T, -1.0, 1.0))
            taken = angle.argmin(1) if method == "nearest" else linear_sum_assignment(angle)[1]
            out[k, rows] = rows[taken]
    return out


def spin_maps(brain: Connectome, seed: int = 0) -> Connectome:
    """The same brain with its cortical maps spun, all of them alike, so that they keep their relations.

    Maps outside cortex stay where they are. Whatever heterogeneity explains about a brain must be compared
    with what it explains when it lies elsewhere: run several seeds.

    Parameters
    ----------
    brain : Connectome
    seed : int

    Raises
    ------
    UserError
        If the brain has no maps, or a cortical region lacks a centroid or a side.
    """
    cortex = (brain.regions.structure == "cortex").to_numpy()
    if not brain.maps.loc[cortex].notna().to_numpy().any():
        raise UserError(f"{brain.name} has no cortical maps to spin")
    place = brain.regions.loc[cortex]
    nowhere = place.index[place[["x", "y", "z"]].isna().any(axis=1)]
    if len(nowhere):
        raise UserError(
            f"{brain.name}: region {nowhere[0]} has no centroid (x, y, z), so maps cannot be spun"
        )
    order = spins(place[["x", "y", "z"]], place["hemisphere"], 1, seed)[0]
    values = brain.maps.to_numpy(float).copy()
    values[cortex] = values[cortex][order]
    return replace(brain, maps=pd.DataFrame(values, brain.maps.index, brain.maps.columns))


def spin_p_value(value: float, null: np.ndarray, tail: str = "greater") -> float:
    """Share of null values at least as extreme as `value`, the value itself counted: (1 + n) / (1 + N).

    Parameters
    ----------
    value : float
    null : ndarray, (N,)
    tail : {"greater", "less", "two"}
        ``two`` compares distances from the mean of the null.
    """
    null = np.asarray(null, float)
    if tail == "two":
        centre = null.mean()
        value, null = abs(value - centre), np.abs(null - centre)
    elif tail == "less":
        value, null = -value, -null
    elif tail != "greater":
        raise unknown("tail", tail, ("greater", "less", "two"))
    return float((1 + (null >= value).sum()) / (1 + null.size))
