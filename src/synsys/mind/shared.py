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


def split(effects: np.ndarray) -> Split:
    """Shared and specific part.

    Parameters
    ----------
    effects : ndarray, (D, K, S)
        Of D disorders in K draws on S symptoms, all in one unit; finite, D and K at least 2.
    """
    disorders, draws, symptoms = effects.shape
    if min(disorders, draws) < 2 or not np.isfinite(effects).all():
        raise ValueError("at least 2 disorders and 2 draws are needed, and every effect must be known")
    total = effects.sum(1)
    same = np.einsum("dks,eks->de", effects, effects)
    alike = (total @ total.T - same) / (draws * (draws - 1) * symptoms)
    own = float(np.diag(alike).mean())
    shared = float(alike[~np.eye(disorders, dtype=bool)].mean())
    noise = float((effects - effects.mean(1, keepdims=True)).var(1, ddof=1).mean())
    return Split(shared, own - shared, noise, alike)
