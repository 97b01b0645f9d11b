"""Which model a group of people uses: random-effects model selection.

Stephan, Penny, Daunizeau, Moran & Friston 2009, NeuroImage 46:1004; protected exceedance probabilities and
the risk that models do not differ in frequency: Rigoux, Stephan, Friston & Daunizeau 2014, NeuroImage
84:971.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp, psi

from synsys.core.errors import UserError

DRAWS = 200_000


@dataclass(frozen=True, eq=False)
class Comparison:
    """Result of a comparison of M models in S people.

    Attributes
    ----------
    alpha : ndarray, (M,)
        Dirichlet counts.
    frequency : ndarray, (M,)
        Expected share of people who use each model.
    exceedance, protected : ndarray, (M,)
        Probability that a model is more frequent than any other, and the same protected against chance.
    omnibus : float
        Probability that all models are equally frequent (Bayesian omnibus risk).
    attribution : ndarray, (S, M)
        Probability that a person uses a model.
    """

    alpha: np.ndarray
    frequency: np.ndarray
    exceedance: np.ndarray
    protected: np.ndarray
    omnibus: float
    attribution: np.ndarray


def compare_models(evidence: np.ndarray, seed: int = 0) -> Comparison:
    """Random-effects comparison.

    Parameters
    ----------
    evidence : ndarray, (S, M)
        Log-evidence of every model for every person.
    seed : int
        Of the draws behind exceedance probabilities.

    Raises
    ------
    UserError
        For fewer than two models, or evidence that is not finite.
    """
    log_e = np.asarray(evidence, float)
    if log_e.ndim != 2 or log_e.shape[1] < 2:
        raise UserError("at least two models are needed for a comparison")
    if not np.isfinite(log_e).all():
        raise UserError(f"evidence is not finite for {int((~np.isfinite(log_e)).any(1).sum())} people")
    count = log_e.shape[1]
    log_e = log_e - log_e.max(1, keepdims=True)
    start = np.ones(count)
    alpha = start.copy()
    for _ in range(10_000):
        u = log_e + psi(alpha) - psi(alpha.sum())
        g = np.exp(u - logsumexp(u, 1)[:, None])
        new = start + g.sum(0)
        still = np.abs(new - alpha).max() < 1e-8
        alpha = new
        if still:
            break
    log_r = psi(alpha) - psi(alpha.sum())
    free = (
        gammaln(count)  # prior: all shares alike
        + (g * (log_r + log_e)).sum()
        - (g * np.log(np.maximum(g, 1e-300))).sum()
        + gammaln(alpha).sum() - gammaln(alpha.sum()) - ((alpha - 1) * log_r).sum()
    )  # fmt: skip
    null = (logsumexp(log_e, 1) - np.log(count)).sum()
    omnibus = float(1.0 / (1.0 + np.exp(np.clip(free - null, -700, 700))))
    draws = np.random.default_rng(seed).dirichlet(alpha, DRAWS)
    exceedance = np.bincount(draws.argmax(1), minlength=count) / DRAWS
    return Comparison(
        alpha, alpha / alpha.sum(), exceedance, (1 - omnibus) * exceedance + omnibus / count, omnibus, g
    )
