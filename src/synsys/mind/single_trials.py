"""Single trials of many people: a hierarchical Gaussian model, fitted by empirical Bayes.

Person i answers trial t with y_it = x_it . b_i + s_i e, and people differ as b_i ~ N(mu of their group, C).
Group means, C and every person's noise s_i are those of greatest marginal likelihood, found by expectation
and maximisation (Dempster, Laird & Rubin 1977, J R Stat Soc B 39:1; for mixed models Laird & Ware 1982,
Biometrics 38:963). Held-out trials are scored by their joint density given the others of the same person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials of every person under one design, as sums over trials.

    Attributes
    ----------
    xx, xy, yy, count : ndarray, (P, q, q), (P, q), (P,), (P,)
        Sums of x x', x y and y^2, and number of trials.
    """

    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray
    count: np.ndarray


def trials(designs: Sequence[np.ndarray], answers: Sequence[np.ndarray]) -> Trials:
    """Sums over the trials (n_i, q) and (n_i,) of every person."""
    return Trials(
        np.stack([x.T @ x for x in designs]),
        np.stack([x.T @ y for x, y in zip(designs, answers, strict=True)]),
        np.array([float(y @ y) for y in answers]),
        np.array([float(len(y)) for y in answers]),
    )


@dataclass(frozen=True, eq=False)
class Fit:
    """People and the population they come from.

    Attributes
    ----------
    mean : ndarray, (groups, q)
    covariance : ndarray, (q, q)
        Between people of a group.
    noise : ndarray, (P,)
        Variance of a trial.
    own, own_covariance : ndarray, (P, q) and (P, q, q)
        Posterior of every person's coefficients.
    group : ndarray of int, (P,)
    log_likelihood : float
        Marginal.
    """

    mean: np.ndarray
    covariance: np.ndarray
    noise: np.ndarray
    own: np.ndarray
    own_covariance: np.ndarray
    group: np.ndarray
    log_likelihood: float

    def mean_covariance(self, data: Trials) -> np.ndarray:
        """Sampling covariance of the group means by generalised least squares, (groups, q, q)."""
        within = self.noise[:, None, None] * np.linalg.inv(data.xx)
        weight = np.linalg.inv(self.covariance + within)
        return np.stack([np.linalg.inv(weight[self.group == g].sum(0)) for g in range(len(self.mean))])


def fit(data: Trials, group: np.ndarray | None = None, most: int = 500, tolerance: float = 1e-6) -> Fit:
    """Fit population and people.

    Parameters
    ----------
    data : Trials
    group : ndarray of int, (P,), optional
        Groups whose means differ; one by default.
    most : int
        Most steps.
    tolerance : float
        Change of the log marginal likelihood at which to stop.
    """
    people, q = data.xy.shape
    group = np.zeros(people, int) if group is None else np.asarray(group, int)
    ridge = 1e-6 * np.trace(data.xx, axis1=1, axis2=2)[:, None, None] * np.eye(q)
    plain = np.linalg.solve(data.xx + ridge, data.xy[..., None])[..., 0]
    mean = np.stack([plain[group == g].mean(0) for g in range(group.max() + 1)])
    away = plain - mean[group]
    covariance = away.T @ away / people + 1e-6 * np.eye(q)
    noise = _left_over(data, plain, np.zeros((people, q, q))) / data.count
    before = -np.inf
    for _ in range(most):
        own, spread, total = _people(data, mean[group], covariance, noise)
        mean = np.stack([own[group == g].mean(0) for g in range(len(mean))])
        away = own - mean[group]
        covariance = (away.T @ away + spread.sum(0)) / people
        noise = _left_over(data, own, spread) / data.count
        if total - before < tolerance:
            break
        before = total
    own, spread, total = _people(data, mean[group], covariance, noise)
    return Fit(mean, covariance, noise, own, spread, group, total)


def log_predictive(found: Fit, data: Trials) -> np.ndarray:
    """Log joint density of new trials of the same people, given those that were fitted, (P,)."""
    return _log_density(data, found.own, found.own_covariance, found.noise)


def _people(
    data: Trials, mean: np.ndarray, covariance: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Posterior of everyone's coefficients, and the log marginal likelihood of all."""
    inverse = np.linalg.inv(covariance)
    spread = np.linalg.inv(data.xx / noise[:, None, None] + inverse)
    drive = data.xy / noise[:, None] + mean @ inverse
    own = (spread @ drive[..., None])[..., 0]
    prior = np.broadcast_to(covariance, spread.shape)
    return own, spread, float(_log_density(data, mean, prior, noise).sum())


def _log_density(data: Trials, mean: np.ndarray, covariance: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """log N(y; X m, X C X' + s^2 I) of every person by the matrix inversion lemma, (P,)."""
    q = mean.shape[1]
    about = data.xy - (data.xx @ mean[..., None])[..., 0]  # X'(y - X m)
    square = _left_over(data, mean, np.zeros_like(data.xx))
    mixed = np.eye(q) + covariance @ data.xx / noise[:, None, None]
    inner = np.linalg.solve(mixed, covariance @ about[..., None])[..., 0]
    quadratic = square / noise - (about * inner).sum(-1) / noise**2
    size = np.linalg.slogdet(mixed)[1] + data.count * np.log(2 * np.pi * noise)
    return -0.5 * (quadratic + size)


def _left_over(data: Trials, own: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Expected sum of squared residuals of every person, (P,)."""
    square = data.yy - 2 * (own * data.xy).sum(-1) + np.einsum("pi,pij,pj->p", own, data.xx, own)
    return square + np.einsum("pij,pji->p", data.xx, spread)
