"""How much of what disorders do is shared by all, and how much is specific to each.

With x_dks the effect of disorder d on symptom s in draw k, x = m_ds + noise, the mean square of m splits into

    shared   = mean over pairs d != d' of <m_ds m_d's>_s,
    specific = mean over d of <m_ds^2>_s - shared,

each estimated without bias from products of different draws (a U-statistic), because disorders share draws
and so their noise. If m_ds = g_s + e_ds with independent parts, shared is the mean square of g.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """Parts of the mean square of effects.

    Attributes
    ----------
    shared, specific, noise : float
        Mean square of what all disorders have in common, of what each has beyond it, and of draws about the
        effect of a disorder.
    alike : ndarray, (D, D)
        Products of the effects of two disorders, mean over symptoms; on the diagonal mean squares.
    """

    shared: float
    specific: float
    noise: float
    alike: np.ndarray

    @property
    def share(self) -> float:
        """Shared part of the mean square of effects."""
        return self.shared / (self.shared + self.specific)

    @property
    def similarity(self) -> np.ndarray:
        """Cosine of the effects of two disorders, noise left out, (D, D); NaN where one has no effect."""
        size = np.sqrt(np.where(np.diag(self.alike) > 0, np.diag(self.alike), np.nan))
        return np.asarray(self.alike / np.outer(size, size))


def split(effects: np.ndarray, weights: np.ndarray | None = None) -> Split:
    """Shared and specific part.

    Parameters
    ----------
    effects : ndarray, (D, K, S)
        Of D disorders in K draws on S symptoms, all in one unit; NaN in draws in which a disorder is unknown.
        Two disorders, and two known draws of each, are needed.
    weights : ndarray, (K,), optional
        How often each draw counts, 1 by default. A draw never counts as a pair with itself.
    """
    known = np.isfinite(effects).all(-1)
    if len(effects) < 2 or known.sum(1).min(initial=2) < 2:
        raise ValueError("at least 2 disorders are needed, and 2 draws of each that know all symptoms")
    x = np.where(known[..., None], effects, 0.0)
    w = np.ones(x.shape[1]) if weights is None else np.asarray(weights, float)
    total, count, symptoms = np.einsum("k,dks->ds", w, x), known * w, effects.shape[-1]
    pairs = np.outer(count.sum(1), count.sum(1)) - count @ count.T
    same = np.einsum("k,dks,eks->de", w**2, x, x)
    alike = (total @ total.T - same) / (np.maximum(pairs, 1.0) * symptoms)
    own = float(np.diag(alike).mean())
    shared = float(alike[~np.eye(len(x), dtype=bool)].mean())
    noise = float(np.mean([own_[kept].var(0, ddof=1).mean() for own_, kept in zip(x, known, strict=True)]))
    return Split(shared, own - shared, noise, alike)


def interval(effects: np.ndarray, n: int = 1000, seed: int = 0) -> tuple[float, float]:
    """5th and 95th percentile of `Split.share` over a bootstrap of draws, the same for all disorders.

    Parameters
    ----------
    effects : ndarray, (D, K, S)
        As for `split`.
    n, seed : int
        Resamples, and their seed.
    """
    rng, k = np.random.default_rng(seed), effects.shape[1]
    shares = [split(effects, rng.multinomial(k, np.full(k, 1.0 / k))).share for _ in range(n)]
    low, high = np.percentile(shares, (5, 95))
    return float(low), float(high)
