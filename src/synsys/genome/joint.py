"""Do expression and imaging tell more than a polygenic score? Out of sample, block by block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from synsys.core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

PENALTIES = np.logspace(-3, 3, 25)
"""Ridge penalties tried, in units of the mean squared singular value of the predictors."""


def block_gains(
    outcome: pd.Series,
    blocks: Mapping[str, pd.DataFrame],
    folds: int = 10,
    permutations: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Out-of-sample R2 of nested models: the first block, the first two, and so on.

    Ridge regression; predictors are standardised and each block is scaled to unit total variance, so that a
    transcriptome does not drown one score. The penalty is chosen by generalised cross-validation within the
    training part (Golub, Heath and Wahba 1979 Technometrics 21:215). R2 = 1 - SSE / SST with SST around the
    training mean: a block of noise lowers it.

    Parameters
    ----------
    outcome : Series, (people,)
    blocks : mapping of str to DataFrame, (people, features)
        In the order they enter, joined by the name of the person; people must have all blocks.
    folds : int
        Parts of the cross-validation, the same for every model.
    permutations : int
        Times the people of the last block are shuffled for its p value; 0 gives none.
    seed : int

    Returns
    -------
    DataFrame
        Index block; columns r2 (of the model up to this block), gain (over the model before) and p (share of
        shuffles with at least that gain, (k + 1) / (n + 1)).

    Raises
    ------
    UserError
        If people differ between the tables, are too few, or a value is missing.
    """
    import pandas as pd

    tables = {name: table.reindex(outcome.index).to_numpy(float) for name, table in blocks.items()}
    values = outcome.to_numpy(float)
    if not tables:
        raise UserError("no block of predictors is given")
    for name, table in {"outcome": values[:, None], **tables}.items():
        lost = int((~np.isfinite(table)).any(axis=1).sum())
        if lost:
            raise UserError(
                f"{name}: {lost} of {len(values)} people have no value; leave them out of all tables"
            )
    if not 2 <= folds <= len(values) // 3:
        raise UserError(f"{folds} folds of {len(values)} people; at least 2, and at least 3 people in each")
    rng = np.random.default_rng(seed)
    part = rng.permutation(np.arange(len(values)) % folds)
    rows, before = [], 0.0
    entered: list[np.ndarray] = []
    for table in tables.values():
        r2 = _r2(values, [*entered, table], part)
        null = [
            _r2(values, [*entered, table[rng.permutation(len(values))]], part) - before
            for _ in range(permutations)
        ]
        beaten = sum(gain >= r2 - before for gain in null)
        p = (beaten + 1) / (permutations + 1) if permutations else np.nan
        rows.append((r2, r2 - before, p))
        entered.append(table)
        before = r2
    return pd.DataFrame(rows, index=pd.Index(list(tables), name="block"), columns=["r2", "gain", "p"])


def _r2(outcome: np.ndarray, blocks: list[np.ndarray], part: np.ndarray) -> float:
    """Cross-validated R2 of one model."""
    error = total = 0.0
    for k in np.unique(part):
        train, test = part != k, part == k
        scaled = [_scaled(block, train) for block in blocks]
        x = np.concatenate(scaled, axis=1)
        mean = outcome[train].mean()
        predicted = mean + x[test] @ ridge(x[train], outcome[train] - mean)
        error += float(((outcome[test] - predicted) ** 2).sum())
        total += float(((outcome[test] - mean) ** 2).sum())
    return 1.0 - error / total


def _scaled(block: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Features by the mean and spread of the training part, the block's total variance 1."""
    centred = block - block[train].mean(axis=0)
    spread = block[train].std(axis=0)
    return centred / np.where(spread > 0, spread, 1.0) / np.sqrt(block.shape[1])


def ridge(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ridge coefficients with the penalty that generalised cross-validation prefers.

    GCV = n RSS / (n - 1 - sum_j d_j^2 / (d_j^2 + penalty))^2, d the singular values of x; the 1 is the mean.

    Parameters
    ----------
    x : ndarray, (people, features)
        Centred.
    y : ndarray, (people,)
        Centred.

    Returns
    -------
    ndarray, (features,)
    """
    left, d, right = np.linalg.svd(x, full_matrices=False)
    target = left.T @ y
    outside = y @ y - target @ target
    penalty = PENALTIES[:, None] * np.mean(d**2)
    kept = d**2 / (d**2 + penalty)
    residual = outside + (((1 - kept) * target) ** 2).sum(axis=1)
    score = residual / np.maximum(len(y) - 1 - kept.sum(axis=1), 1e-9) ** 2
    best = int(np.argmin(score))
    shrunk = np.divide(kept[best], d, out=np.zeros_like(d), where=d > 0)
    return right.T @ (shrunk * target)
