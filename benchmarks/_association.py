"""Statistics that the benchmarks on behaviour share: tests counted, and discrimination of two groups."""

from typing import Any

import numpy as np
from scipy.stats import norm, rankdata


def two_sided(z: np.ndarray) -> np.ndarray:
    """p of normal z values."""
    return 2.0 * norm.sf(np.abs(z))


def auc(score: np.ndarray, label: np.ndarray) -> float:
    """Area under the ROC curve, ties counted half."""
    ones = int(label.sum())
    return float((rankdata(score)[label == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(label) - ones)))


def interval(score: np.ndarray, label: np.ndarray, seed: int = 0, draws: int = 4000) -> tuple[float, float]:
    """95 % bootstrap interval of the area, people of each group drawn with replacement."""
    rng = np.random.default_rng(seed)
    one, zero = np.flatnonzero(label == 1), np.flatnonzero(label == 0)
    found = []
    for _ in range(draws):
        who = np.r_[rng.choice(one, len(one)), rng.choice(zero, len(zero))]
        found.append(auc(score[who], label[who]))
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def pairs_left_out(features: np.ndarray, label: np.ndarray) -> float:
    """Area from pairs, one of each group, by a regression on the others (Airola et al. 2011)."""
    wins = []
    for i in np.flatnonzero(label == 1):
        for j in np.flatnonzero(label == 0):
            rest = np.setdiff1d(np.arange(len(label)), [i, j])
            one, other = _regression().fit(features[rest], label[rest]).decision_function(features[[i, j]])
            wins.append(float(one > other) + 0.5 * float(one == other))
    return float(np.mean(wins))


def left_out(features: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Log odds of every person from a logistic regression (ridge, weight 1) fitted to the others."""
    out = np.empty(len(label))
    for i in range(len(label)):
        rest = np.arange(len(label)) != i
        known = _regression().fit(features[rest], label[rest])
        out[i] = known.decision_function(features[i : i + 1])[0]
    return out


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0))
