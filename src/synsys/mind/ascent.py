"""Tops of log-densities of many people at once: damped Newton ascents with central differences.

The points of the differences, and the steps that are tried, are columns of one call of the density.
"""

from collections.abc import Callable

import numpy as np

STEP = 1e-3
"""Step of central differences, in prior sd."""
ROUNDS = 60
"""Most steps of a climb."""
Density = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Log-density (S, K) of points (S, K, P) of some people, given by their positions (S,)."""
DAMPING = np.array([0.0, 0.03, 0.3, 3.0, 30.0, 1e3, 1e5])
"""What is added to the curvature (per prior variance) in the steps that are tried side by side."""
LEAST = 1e-3
"""Least curvature per prior variance: that of a normal density 30 prior sd wide."""
ENOUGH = 1e-6
"""A climb ends where the best of the steps gains no more log-density than this."""


def climb(
    log_joint: Density, start: np.ndarray, sd: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Damped Newton ascents, side by side.

    Parameters
    ----------
    log_joint : callable
        Log-density (S, K) of points (S, K, P).
    start : ndarray, (S, M, P)
    sd : ndarray, (P,)
        Scale of each parameter.

    Returns
    -------
    mode : ndarray, (S, M, P)
    cov : ndarray, (S, M, P, P)
        Inverse curvature, curvatures below `LEAST` raised to it.
    height : ndarray, (S, M)
    converged : ndarray of bool, (S, M)
    """
    x = start.copy()
    people, climbs, count = x.shape
    done = np.zeros((people, climbs), bool)
    height = log_joint(x, np.arange(people))
    for _ in range(ROUNDS):
        who = np.flatnonzero(~done.all(1))
        if not len(who):
            break
        at = x[who]
        gradient, curvature = derivatives(log_joint, at, sd, who)
        values, vectors = np.linalg.eigh(curvature)
        values = np.maximum(values, LEAST)
        along = np.einsum("smji,smj->smi", vectors, gradient)
        moves = along[:, :, None] / (values[:, :, None] + DAMPING[:, None])
        size = np.sqrt((moves**2).sum(-1, keepdims=True))
        moves = moves * np.minimum(1.0, 3.0 / np.maximum(size, 1e-12))
        tried = at[:, :, None] + np.einsum("smij,smdj->smdi", vectors, moves) * sd
        found = log_joint(tried.reshape(len(who), -1, count), who).reshape(len(who), climbs, -1)
        best = np.argmax(np.where(np.isfinite(found), found, -1e300), -1)
        reached = np.take_along_axis(found, best[..., None], -1)[..., 0]
        with np.errstate(invalid="ignore"):  # from nowhere to nowhere gains nothing
            gain = reached - height[who]
        better = (gain > 0) & ~done[who]
        moved = np.take_along_axis(tried, best[..., None, None], 2)[:, :, 0]
        x[who] = np.where(better[..., None], moved, at)
        height[who] = np.where(better, reached, height[who])
        done[who] |= ~(gain > ENOUGH)
    _, curvature = derivatives(log_joint, x, sd, np.arange(people))
    values, vectors = np.linalg.eigh(curvature)
    inverse = np.einsum("smij,smj,smkj->smik", vectors, 1.0 / np.maximum(values, LEAST), vectors)
    return x, inverse * sd[:, None] * sd, height, done


def derivatives(
    log_joint: Density, x: np.ndarray, sd: np.ndarray, who: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (S, M, P) and minus the Hessian (S, M, P, P) in units of `sd`, by central differences."""
    people, climbs, count = x.shape
    unit = STEP * np.eye(count)
    pairs = [(i, j) for i in range(count) for j in range(i)]
    offsets = [np.zeros(count)]
    for i in range(count):
        offsets += [unit[i], -unit[i]]
    for i, j in pairs:
        offsets += [unit[i] + unit[j], unit[i] - unit[j], unit[j] - unit[i], -unit[i] - unit[j]]
    points = x[:, :, None] + np.array(offsets) * sd
    f = log_joint(points.reshape(people, -1, count), who).reshape(people, climbs, -1)
    f0 = np.where(np.isfinite(f[..., :1]), f[..., :1], -1e6)
    f = np.where(np.isfinite(f), f, f0 - 100.0)  # a wall: the density ends there
    up, down = f[..., 1 : 2 * count + 1 : 2], f[..., 2 : 2 * count + 1 : 2]
    gradient = (up - down) / (2 * STEP)
    hessian = np.zeros((people, climbs, count, count))
    diagonal = (up + down - 2 * f0) / STEP**2
    hessian[..., np.arange(count), np.arange(count)] = diagonal
    for k, (i, j) in enumerate(pairs):
        a = f[..., 2 * count + 1 + 4 * k : 2 * count + 5 + 4 * k]
        hessian[..., i, j] = hessian[..., j, i] = (a[..., 0] - a[..., 1] - a[..., 2] + a[..., 3]) / (
            4 * STEP**2
        )
    return gradient, -hessian
