"""Draws: one calibration member and one row of a Sobol sequence over every declared prior."""

from dataclasses import dataclass, field

import numpy as np

from synsys.circuit.calibration import members
from synsys.knowledge.mechanisms import links, maps

NOISE_RATIO_SD = 0.3
"""Prior sd of log of the PV : E ratio of background noise (declared)."""
EXPONENT = (1.0, 0.2)
"""Prior mean and sd of the exponent of the slow 1/f input (declared)."""
SLOW_SD = 0.3
"""Prior sd of log of the slow input's amplitude (declared)."""
SHARED = (0.01, 0.5)
"""Prior median and sd of log of the share of the slow input's variance common to all regions (declared)."""


@dataclass(frozen=True)
class Draw:
    """One joint sample of everything uncertain; reference and perturbed states use the same.

    Attributes
    ----------
    member : int
        Calibration member.
    strength : dict
        Strength of each link.
    beta : dict
        Slope of each regional map, by (multiplier, map, cells).
    noise_ratio, exponent, slow, shared : float
        PV : E noise ratio; exponent of the slow input, its relative amplitude and its common share.
    size : ndarray
        Standard normal deviates for the sizes of perturbations, used in order.
    sign : int
        +1 or -1: the sign that links of unknown sign take in this draw.
    """

    member: int
    strength: dict[str, float] = field(default_factory=dict)
    beta: dict[tuple[str, str, tuple[str, ...]], float] = field(default_factory=dict)
    noise_ratio: float = 1.0
    exponent: float = EXPONENT[0]
    slow: float = 1.0
    shared: float = SHARED[0]
    size: np.ndarray = field(default_factory=lambda: np.zeros(64))
    sign: int = 1


def draws(n: int, seed: int = 0, beta: float = 1.0) -> list[Draw]:
    """`n` draws.

    Parameters
    ----------
    n : int
        Draw k takes calibration member k modulo the ensemble and row k of a scrambled Sobol sequence.
    seed : int
    beta : float
        Factor on every map slope; 0 makes all regions alike.
    """
    from scipy.special import ndtri
    from scipy.stats.qmc import Sobol

    uncertain = [link for link in links() if link.sd > 0]
    width = 4 + 64 + len(uncertain) + len(maps())
    power = max(1, int(np.ceil(np.log2(max(n, 2)))))
    z = ndtri(
        np.clip(
            Sobol(width, scramble=True, rng=np.random.default_rng(seed)).random_base2(power)[:n],
            1e-6,
            1 - 1e-6,
        )
    )
    out = []
    for k in range(n):
        row, sign = z[k], 1 if k % 2 == 0 else -1
        at_links, at_maps = 68, 68 + len(uncertain)
        strength = {}
        for j, link in enumerate(uncertain):
            value = link.strength + link.sd * row[at_links + j]
            direction = np.sign(link.strength) if link.sign_certain else sign
            strength[link.id] = float(abs(value) * direction)
        slopes = {
            (m.multiplier, m.map, m.cell): beta * float(m.beta + m.beta_sd * row[at_maps + j])
            for j, m in enumerate(maps())
        }
        out.append(
            Draw(
                member=k % members(),
                strength=strength,
                beta=slopes,
                noise_ratio=float(np.exp(NOISE_RATIO_SD * row[0])),
                exponent=float(EXPONENT[0] + EXPONENT[1] * row[1]),
                slow=float(np.exp(SLOW_SD * row[2])),
                shared=float(min(SHARED[0] * np.exp(SHARED[1] * row[3]), 1.0)),
                size=row[4:68],
                sign=sign,
            )
        )
    return out
