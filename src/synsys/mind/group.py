"""Groups: the distribution that people's parameters come from, estimated together with them.

Hierarchical empirical Bayes: theta_s ~ N(B' x_s, V) on the fitted scale, x_s the covariates of a person
(an intercept and, say, group membership), V diagonal. B and V maximise the marginal likelihood by
expectation maximisation (Huys et al. 2011, PLoS Comput Biol 7:e1002028) with importance samples of every
person's posterior in place of its normal approximation; samples are drawn anew as the group becomes known.
Weak priors on B and V keep a parameter of which the data say nothing near the model's own prior.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from synsys.core.errors import UserError
from synsys.mind.model import Model
from synsys.mind.posterior import Gaussian, Posterior, normalised, posterior
from synsys.mind.trials import Trials

REFITS, INNER = 15, 300
STILL = 0.02
"""A fit has settled where coefficients and sd of the group move by less, in prior sd."""
PSEUDO, PSEUDO_SD = 2.0, 0.3
"""Weight, in people, of the prior that keeps the sd of the group from 0, and that sd in prior sd of the
model; from above it is held by a half-normal prior as wide as the model's own."""


@dataclass(frozen=True, eq=False)
class Group:
    """A fitted group.

    Attributes
    ----------
    names : tuple of str
        Covariates, ``intercept`` first.
    design : ndarray, (S, D)
    coefficient, error : ndarray, (D, P)
        Of the group's mean, fitted scale, and their standard errors.
    sd : ndarray, (P,)
        Between people.
    posterior : Posterior
        Of every person, with the group as prior.
    evidence : float
        Log marginal likelihood of all data at B and V.
    settled : bool
    """

    names: tuple[str, ...]
    design: np.ndarray
    coefficient: np.ndarray
    error: np.ndarray
    sd: np.ndarray
    posterior: Posterior
    evidence: float
    settled: bool

    @property
    def prior(self) -> Gaussian:
        """The group as a prior for its people."""
        return Gaussian(self.design @ self.coefficient, np.diag(self.sd**2))


def fit_group(
    model: Model,
    trials: Trials,
    covariates: dict[str, np.ndarray] | None = None,
    samples: int = 1500,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    near: Group | None = None,
) -> Group:
    """Fit a group.

    Parameters
    ----------
    model : Model
    trials : Trials
        Of S people.
    covariates : dict of str to ndarray, (S,), optional
        Regressors of the group's mean; each is centred.
    samples : int
        Importance samples a person.
    seed : int
    progress : callable, optional
        Called with (fits done, most fits).
    near : Group, optional
        The same people fitted with other covariates, to begin from.

    Raises
    ------
    UserError
        For covariates that are constant, missing for somebody, or too many.
    """
    names, design, unit = _design(covariates or {}, len(trials))
    prior = Gaussian.of(model, len(trials))
    mean, scale = model.prior
    b = np.zeros((len(names), len(mean)))
    b[0] = mean
    v = scale**2
    settled, found = False, None
    if near is not None:
        b[0], v, found = near.coefficient[0], near.sd**2, near.posterior
        prior = Gaussian(design @ b, np.diag(v))
    for k in range(REFITS):
        found = posterior(model, trials, prior, samples, seed, near=found)
        new_b, new_v = _maximised(found, design, model, b, v)
        moved = max((np.abs(new_b - b) / scale).max(), (np.abs(np.sqrt(new_v) - np.sqrt(v)) / scale).max())
        b, v = new_b, new_v
        prior = Gaussian(design @ b, np.diag(v))
        if progress:
            progress(k + 1, REFITS + 1)
        if moved < STILL:
            settled = True
            break
    found = posterior(model, trials, prior, samples, seed, near=found)
    if progress:
        progress(REFITS + 1, REFITS + 1)
    spare = len(trials) / (len(trials) - len(names))  # V is estimated with so many coefficients
    error = _errors(found, design, spare * v, scale)
    return Group(
        names, design * unit, b / unit[:, None], error / unit[:, None], np.sqrt(v), found,
        float(found.evidence.sum()), settled,
    )  # fmt: skip


def _design(covariates: dict[str, np.ndarray], people: int) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names, standardised regressors (S, D), as priors do not know their units, and units (D,)."""
    columns, units = [np.ones(people)], [1.0]
    for name, values in covariates.items():
        x = np.asarray(values, float)
        if x.shape != (people,):
            raise UserError(f"covariate {name}: {len(x)} values for {people} people")
        if not np.isfinite(x).all():
            raise UserError(f"covariate {name} is missing for {int((~np.isfinite(x)).sum())} people")
        if np.ptp(x) == 0:
            raise UserError(f"covariate {name} is {x[0]:g} for everybody")
        units.append(float(x.std()))
        columns.append((x - x.mean()) / x.std())
    design = np.stack(columns, 1)
    if np.linalg.matrix_rank(design) < design.shape[1] or people <= design.shape[1]:
        raise UserError(f"covariates {', '.join(covariates)} cannot be told apart in {people} people")
    return ("intercept", *covariates), design, np.array(units)


def _maximised(
    found: Posterior, design: np.ndarray, model: Model, b: np.ndarray, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """B and V that maximise the marginal likelihood of the samples."""
    mean, scale = model.prior
    anchor = np.zeros_like(b)
    anchor[0] = mean
    people = len(design)
    for _ in range(INNER):
        expected = design @ b
        log_prior = -0.5 * ((found.samples - expected[:, None]) ** 2 / v + np.log(v)).sum(-1)
        weight = normalised(found.log_l + log_prior - found.log_q)
        first = np.einsum("sk,skp->sp", weight, found.samples)
        second = np.einsum("sk,skp->sp", weight, found.samples**2)
        new_b = np.empty_like(b)
        for p in range(b.shape[1]):
            precision = design.T @ design / v[p] + np.eye(design.shape[1]) / scale[p] ** 2
            new_b[:, p] = np.linalg.solve(
                precision, design.T @ first[:, p] / v[p] + anchor[:, p] / scale[p] ** 2
            )
        expected = design @ new_b
        spread = (second - 2 * first * expected + expected**2).sum(0)
        total, weight_of = spread / scale**2 + PSEUDO * PSEUDO_SD**2, people + PSEUDO
        new_v = scale**2 * (np.sqrt(weight_of**2 + 4.0 * total) - weight_of) / 2.0
        still = np.abs(new_b - b).max() < 1e-5 and np.abs(new_v - v).max() < 1e-5
        b, v = new_b, new_v
        if still:
            break
    return b, v


def _errors(found: Posterior, design: np.ndarray, v: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Standard errors of B: inverse observed information (Louis 1982, J R Stat Soc B 44:226), V held."""
    d, p = design.shape[1], len(v)
    mean = found.mean
    apart = found.samples - mean[:, None]
    cov = np.einsum("sk,skp,skr->spr", found.weight, apart, apart)
    told = np.diag(1.0 / v)[None] - cov / (v[:, None] * v)
    information = np.einsum("sd,se,spr->dper", design, design, told).reshape(d * p, d * p)
    information += np.diag(np.tile(1.0 / scale**2, d))
    values, vectors = np.linalg.eigh(information)
    inverse = (vectors / np.maximum(values, 1e-9)) @ vectors.T
    return np.sqrt(np.diag(inverse)).reshape(d, p)


def held_out(
    model: Model, trials: Trials, folds: int = 5, seed: int = 0, samples: int = 1000,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:  # fmt: skip
    """Log-probability of the choices of people whom the group was not fitted to, (S,).

    The group is fitted to the other people; what is left out is predicted by averaging over what the group
    says of a new person, so that models of different size compete on equal terms.

    Parameters
    ----------
    model : Model
    trials : Trials
    folds, seed, samples : int
    progress : callable, optional
    """
    people = np.random.default_rng(seed).permutation(len(trials))
    out = np.zeros(len(trials))
    for k in range(folds):
        test = people[k::folds]
        rest = np.setdiff1d(people, test)
        group = fit_group(model, trials.part(rest), samples=samples, seed=seed)
        new = Gaussian(np.tile(group.coefficient[0], (len(test), 1)), np.diag(group.sd**2))
        out[test] = posterior(model, trials.part(test), new, samples, seed).evidence
        if progress:
            progress(k + 1, folds)
    return out


def marginal(found: Posterior, prior: Gaussian) -> np.ndarray:
    """Log-evidence of every person under another prior, from the samples at hand, (S,)."""
    total = found.log_l + prior.log(found.samples) - found.log_q
    return logsumexp(total, 1) - np.log(total.shape[1])
