"""Posteriors of people's parameters: the mode, Laplace's approximation, and importance samples.

All people are fitted side by side. Derivatives are central differences, whose points are lanes of one call
of the compiled likelihood; the mode is found by a damped Newton method from the best of many points of the
prior. Importance samples from a mixture of Student t around the modes found (with the prior as a defence)
then give moments, quantiles and evidence without assuming that a posterior is normal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from synsys.core.errors import UserError
from synsys.mind.ascent import Density, climb
from synsys.mind.model import Model
from synsys.mind.scan import log_likelihood
from synsys.mind.trials import Trials

POINTS, STARTS = 64, 3
"""Points of the prior that are looked at, and the best of them that are climbed from."""
FREEDOM = 5.0
"""Degrees of freedom of the proposal."""
FEW, AGAIN = 0.15, 3
"""People with a smaller effective share of samples are sampled anew, in larger number, at most so often."""
DEFENCE = 0.1
"""Share of the proposals that comes from the prior."""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Normal prior on the fitted scale, its mean its own for every person.

    Attributes
    ----------
    mean : ndarray, (S, P)
    cov : ndarray, (P, P)
    """

    mean: np.ndarray
    cov: np.ndarray

    @classmethod
    def of(cls, model: Model, people: int) -> "Gaussian":
        """The prior of a model."""
        mean, sd = model.prior
        return cls(np.tile(mean, (people, 1)), np.diag(sd**2))

    def log(self, theta: np.ndarray) -> np.ndarray:
        """Log-density of points (S, K, P), (S, K)."""
        low = np.linalg.cholesky(self.cov)
        z = np.linalg.solve(low, (theta - self.mean[:, None]).reshape(-1, theta.shape[-1]).T)
        const = np.log(np.diag(low)).sum() + 0.5 * theta.shape[-1] * np.log(2 * np.pi)
        return (-0.5 * (z**2).sum(0) - const).reshape(theta.shape[:2])

    def of_some(self, who: np.ndarray) -> "Gaussian":
        """That of some people, by position."""
        return Gaussian(self.mean[who], self.cov)

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Points (S, count, P)."""
        z = rng.standard_normal((len(self.mean), count, self.mean.shape[1]))
        return self.mean[:, None] + z @ np.linalg.cholesky(self.cov).T


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of everybody's parameters.

    Attributes
    ----------
    mode : ndarray, (S, P)
        On the fitted scale.
    cov : ndarray, (S, P, P)
        Inverse curvature at the mode (Laplace).
    log_p : ndarray, (S,)
        Log-likelihood at the mode.
    laplace : ndarray, (S,)
        Laplace's log-evidence.
    samples : ndarray, (S, K, P)
        Importance samples on the fitted scale.
    weight : ndarray, (S, K)
        Their weights, which sum to 1.
    evidence : ndarray, (S,)
        Log-evidence from the samples.
    ess : ndarray, (S,)
        Effective number of samples.
    converged : ndarray of bool, (S,)
    log_q, log_l : ndarray, (S, K)
        Log-density of the proposal and log-likelihood of every sample, from which other priors are served.
    """

    mode: np.ndarray
    cov: np.ndarray
    log_p: np.ndarray
    laplace: np.ndarray
    samples: np.ndarray
    weight: np.ndarray
    evidence: np.ndarray
    ess: np.ndarray
    converged: np.ndarray
    log_q: np.ndarray
    log_l: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Posterior means on the fitted scale, (S, P)."""
        return np.einsum("sk,skp->sp", self.weight, self.samples)

    @property
    def sd(self) -> np.ndarray:
        """Posterior sd on the fitted scale, (S, P)."""
        second = np.einsum("sk,skp->sp", self.weight, self.samples**2)
        return np.sqrt(np.maximum(second - self.mean**2, 0.0))

    def quantile(self, q: float) -> np.ndarray:
        """Posterior quantiles on the fitted scale, (S, P)."""
        order = np.argsort(self.samples, 1)
        sorted_ = np.take_along_axis(self.samples, order, 1)
        mass = np.cumsum(
            np.take_along_axis(np.broadcast_to(self.weight[..., None], order.shape), order, 1), 1
        )
        at = np.minimum((mass < q).sum(1), order.shape[1] - 1)
        return np.take_along_axis(sorted_, at[:, None], 1)[:, 0]

    def rank(self, truth: np.ndarray) -> np.ndarray:
        """Posterior mass below a point (S, P) on the fitted scale; uniform if inference is calibrated."""
        return (self.weight[..., None] * (self.samples < truth[:, None])).sum(1)


def posterior(
    model: Model,
    trials: Trials,
    prior: Gaussian | None = None,
    samples: int = 1500,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    near: Posterior | None = None,
) -> Posterior:
    """Fit every person on its own.

    Parameters
    ----------
    model : Model
    trials : Trials
    prior : Gaussian, optional
        The model's by default.
    samples : int
        Importance samples a person.
    seed : int
    progress : callable, optional
        Called with (part done, parts).
    near : Posterior, optional
        Of the same people under a similar prior, to climb from instead of from points of the prior.
    """
    given = prior or Gaussian.of(model, len(trials))
    rng = np.random.default_rng(seed)
    size = max(1, 400_000 // samples)
    parts = []
    for start in range(0, len(trials), size):
        at = np.arange(start, min(start + size, len(trials)))
        some = given.of_some(at)
        starts = None if near is None else _nearby(near, given)[at]
        parts.append(_some(model, trials.part(at), some, samples, rng, starts))
        if progress:
            progress(int(at[-1]) + 1, len(trials))
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in vars(parts[0])}
    return Posterior(**joined)


def _some(
    model: Model, trials: Trials, prior: Gaussian, samples: int, rng: np.random.Generator,
    starts: np.ndarray | None,
) -> Posterior:  # fmt: skip
    sd = np.sqrt(np.diag(prior.cov))

    def log_joint(theta: np.ndarray, who: np.ndarray) -> np.ndarray:
        some = trials if len(who) == len(trials) else trials.part(who)
        return log_likelihood(model, some, theta) + prior.of_some(who).log(theta)

    if starts is None:
        starts = _starts(log_joint, prior, rng, trials.subjects)
    modes, covs, heights, done = climb(log_joint, starts, sd)
    best = heights.argmax(1)
    one = np.arange(len(trials))
    mode, cov = modes[one, best], covs[one, best]
    found = _sampled(model, trials, prior, modes, covs, heights, samples, rng)
    count = mode.shape[1]
    laplace = heights[one, best] + 0.5 * count * np.log(2 * np.pi) + 0.5 * np.linalg.slogdet(cov)[1]
    return Posterior(
        mode, cov, log_likelihood(model, trials, mode[:, None])[:, 0], laplace,
        converged=done[one, best], **found,
    )  # fmt: skip


def _starts(
    log_joint: Density, prior: Gaussian, rng: np.random.Generator, subjects: Sequence[str]
) -> np.ndarray:
    """The prior mean and the best of many points of the prior, (S, STARTS, P)."""
    points = np.concatenate([prior.mean[:, None], prior.draw(rng, POINTS)], 1)
    height = log_joint(points, np.arange(len(points)))
    lost = [s for s, h in zip(subjects, height, strict=True) if not np.isfinite(h).any()]
    if lost:
        named = ", ".join(lost[:5]) + (" ..." if len(lost) > 5 else "")
        raise UserError(
            f"the trials of {named} are impossible under all of {POINTS + 1} sets of parameters; are the "
            "columns coded as the model reads them?"
        )
    order = np.argsort(-height, 1)[:, :STARTS]
    return np.take_along_axis(points, order[..., None], 1)


def _nearby(near: Posterior, prior: Gaussian) -> np.ndarray:
    """The mode under another prior, and the sample that is best under this one, (S, 2, P)."""
    best = np.argmax(near.log_l + prior.log(near.samples), 1)
    return np.stack([near.mode, near.samples[np.arange(len(best)), best]], 1)


def _sampled(
    model: Model, trials: Trials, prior: Gaussian, modes: np.ndarray, covs: np.ndarray,
    heights: np.ndarray, samples: int, rng: np.random.Generator,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Importance samples in two rounds: around the modes, then also around the moments of the first round."""
    share = np.exp(heights - heights.max(1, keepdims=True)) + 0.05
    centres, spreads = modes, 1.3 * covs
    half = samples // 2
    shares = share / share.sum(1, keepdims=True)
    first = _proposed(prior, centres, spreads, shares, half, rng)
    log_l = log_likelihood(model, trials, first)
    log_q = _log_proposal(prior, centres, spreads, shares, first)
    weight = np.nan_to_num(normalised(log_l + prior.log(first) - log_q))
    mean = np.einsum("sk,skp->sp", weight, first)
    apart = first - mean[:, None]
    cov = np.einsum("sk,skp,skr->spr", weight, apart, apart)
    floor = 0.02 * np.einsum("spp->s", spreads[:, 0])[:, None, None] / cov.shape[-1] * np.eye(cov.shape[-1])
    centres = np.concatenate([centres, mean[:, None]], 1)
    spreads = np.concatenate([spreads, (1.2 * cov + 0.1 * floor)[:, None]], 1)
    shares = np.concatenate([0.5 * shares, np.full((len(mean), 1), 0.5)], 1)
    second = _proposed(prior, centres[:, -1:], spreads[:, -1:], np.ones((len(mean), 1)), samples - half, rng)
    theta = np.concatenate([first, second], 1)
    log_l = np.concatenate([log_l, log_likelihood(model, trials, second)], 1)
    log_q = _log_proposal(prior, centres, spreads, shares, theta)
    total = log_l + prior.log(theta) - log_q
    weight = normalised(total)
    out = {
        "samples": theta, "weight": weight, "log_q": log_q, "log_l": log_l,
        "evidence": logsumexp(total, 1) - np.log(theta.shape[1]), "ess": 1.0 / (weight**2).sum(1),
    }  # fmt: skip
    for _ in range(AGAIN):
        few = np.flatnonzero(out["ess"] < FEW * samples)
        if not len(few):
            break
        for start in range(0, len(few), 50):
            _refine(model, trials, prior, out, few[start : start + 50], 6 * samples, rng)
    return out


def _refine(
    model: Model, trials: Trials, prior: Gaussian, out: dict[str, np.ndarray], few: np.ndarray, count: int,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Sample some people anew, in larger number, around the moments known so far; keep what is better.

    What is kept is drawn in proportion to its weight, so that its proposal is the posterior itself.
    """
    some = prior.of_some(few)
    weight, theta = out["weight"][few], out["samples"][few]
    mean = np.einsum("sk,skp->sp", weight, theta)
    apart = theta - mean[:, None]
    cov = np.einsum("sk,skp,skr->spr", weight, apart, apart) + 0.02 * prior.cov
    scales = np.array([0.35, 1.0, 2.5])
    centres = np.repeat(mean[:, None], 3, 1)
    spreads = scales[:, None, None] * cov[:, None]
    shares = np.tile([0.3, 0.45, 0.25], (len(few), 1))
    fresh = _proposed(some, centres, spreads, shares, count, rng)
    log_l = log_likelihood(model, trials.part(few), fresh)
    joint = log_l + some.log(fresh)
    total = joint - _log_proposal(some, centres, spreads, shares, fresh)
    found = normalised(total)
    ess = 1.0 / (found**2).sum(1)
    kept = theta.shape[1]
    for i in np.flatnonzero(ess > out["ess"][few]):
        at = np.searchsorted(np.cumsum(found[i]), (np.arange(kept) + rng.random()) / kept)
        at = np.minimum(at, count - 1)
        who = few[i]
        out["evidence"][who] = logsumexp(total[i]) - np.log(count)
        out["samples"][who], out["log_l"][who] = fresh[i, at], log_l[i, at]
        out["log_q"][who] = joint[i, at] - out["evidence"][who]
        out["weight"][who], out["ess"][who] = 1.0 / kept, min(ess[i], kept)


def normalised(log_weight: np.ndarray) -> np.ndarray:
    """Weights that sum to 1; equal where all are impossible."""
    top = log_weight.max(1, keepdims=True)
    weight = np.exp(log_weight - np.where(np.isfinite(top), top, 0.0))
    weight = np.where(np.isfinite(top), weight, 1.0)
    return weight / weight.sum(1, keepdims=True)


def _proposed(
    prior: Gaussian, centres: np.ndarray, spreads: np.ndarray, shares: np.ndarray, count: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    people, _, size = centres.shape
    pick = (rng.random((people, count, 1)) > np.cumsum(shares, 1)[:, None, :-1]).sum(-1)
    low = np.linalg.cholesky(spreads)
    z = rng.standard_normal((people, count, size))
    z *= np.sqrt(FREEDOM / rng.chisquare(FREEDOM, (people, count, 1)))
    one = np.arange(people)[:, None]
    out = centres[one, pick] + np.einsum("skij,skj->ski", low[one, pick], z)
    defence = int(np.ceil(DEFENCE * count))
    out[:, :defence] = prior.draw(rng, defence)
    return out


def _log_proposal(
    prior: Gaussian, centres: np.ndarray, spreads: np.ndarray, shares: np.ndarray, theta: np.ndarray
) -> np.ndarray:
    size = theta.shape[-1]
    const = gammaln((FREEDOM + size) / 2) - gammaln(FREEDOM / 2) - 0.5 * size * np.log(FREEDOM * np.pi)
    parts = []
    for m in range(centres.shape[1]):
        low = np.linalg.cholesky(spreads[:, m])
        z = np.linalg.solve(low, (theta - centres[:, m, None]).swapaxes(1, 2))
        shape = const - np.log(np.einsum("sii->si", low)).sum(1)[:, None]
        t = shape - 0.5 * (FREEDOM + size) * np.log1p((z**2).sum(1) / FREEDOM)
        parts.append(t + np.log(shares[:, m, None] * (1 - DEFENCE)))
    parts.append(prior.log(theta) + np.log(DEFENCE))
    return logsumexp(np.stack(parts), 0)
