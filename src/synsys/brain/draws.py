"""Draws: one calibration member and one sample of every other declared prior."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from synsys.circuit.calibration import member, members
from synsys.circuit.templates import cells, prior
from synsys.knowledge.mechanisms import Link, inference_links, links, maps, projections, receptors
from synsys.knowledge.signaling import Edge, edges, nodes
from synsys.signaling.development import REFERENCE_AGE, regional_rate
from synsys.signaling.network import Network
from synsys.signaling.rest import growth

NOISE_RATIO_SD = 0.3
"""Prior sd of log of the PV : E ratio of background noise (declared)."""
EXPONENT = (1.0, 0.2)
"""Prior mean and sd of the exponent of the slow 1/f input (declared)."""
SLOW_SD = 0.3
"""Prior sd of log of the slow input's amplitude (declared)."""
SHARED = (0.01, 0.5)
"""Prior median and sd of log of the share of the slow input's variance common to all regions (declared)."""
SIZES = 64
"""Perturbations whose sizes can be sampled at once."""
MOST_GAIN = 0.8
"""Largest gain of a loop of the signaling network in a healthy person (declared)."""
MOST_REJECTED = 1000
"""Samples of the signaling priors that are tried for one draw."""
CALIBRATED_PAIR = frozenset({"cortex", "thalamus"})
"""Templates whose loop through the connectome the calibration fits."""
AT_MEDIAN = ("I_SK:thalamus.RE", "I_SK:brainstem.VTA")
"""Conductances that stay at their median. SK of reticular cells: members were accepted with it there. SK of
dopamine cells: above its median, the calcium that comes with excitation opens it and turns their response
around."""


@dataclass(frozen=True)
class Draw:
    """One joint sample of everything uncertain; reference and perturbed states use the same.

    Attributes
    ----------
    member : int, mapping or None
        Calibration member by number, or as the logarithm of its factor on each conductance; None leaves all
        at their prior medians.
    factors : dict
        Logarithm of the factor on any other lognormal prior, by its id: conductances (`templates.prior`),
        strengths of projections, half-saturations of receptors, time constants of the signaling network
        (``tau:NODE``). They replace those of the member.
    strength : dict
        Strength of each link and of each edge of the signaling network.
    beta : dict
        Slope of each regional map, by (multiplier, map, cells).
    noise_ratio, exponent, slow, shared : float
        PV : E noise ratio; exponent of the slow input, its relative amplitude and its common share.
    size : ndarray
        Standard normal deviates for the sizes of perturbations, used in order.
    alternative : tuple of str
        Readings of contradictory findings on inference (`knowledge.mechanisms.alternatives`) that hold; the
        default ones where a question is left open.
    """

    member: int | Mapping[str, float] | None
    factors: dict[str, float] = field(default_factory=dict)
    strength: dict[str, float] = field(default_factory=dict)
    beta: dict[tuple[str, str, tuple[str, ...]], float] = field(default_factory=dict)
    noise_ratio: float = 1.0
    exponent: float = EXPONENT[0]
    slow: float = 1.0
    shared: float = SHARED[0]
    size: np.ndarray = field(default_factory=lambda: np.zeros(SIZES))
    alternative: tuple[str, ...] = ()

    def conductances(self, share: float = 1.0) -> dict[str, float]:
        """Logarithm of the factor on each conductance: the member's, replaced by `share` of `factors`."""
        k = {} if self.member is None else self.member
        own = dict(k) if isinstance(k, Mapping) else member(k)
        return own | {key: share * value for key, value in self.factors.items() if key in prior()}


@cache
def lognormal() -> dict[str, float]:
    """Standard deviation of the logarithm of every lognormal prior that calibration does not move.

    Left out, because the calibration fits what they make together at the medians of the tables: the
    projections that join cortex and thalamus through the connectome, and `AT_MEDIAN`.
    """
    fixed = {*member(0), *AT_MEDIAN}
    out = {key: sd for key, (_, sd, _) in prior().items() if key not in fixed}
    for row in projections():
        if row.scope != "connectome" or not {row.from_template, row.to_template} <= CALIBRATED_PAIR:
            out[row.id] = row.strength_sd
    out |= {row.receptor: row.half_saturation_sd for row in receptors()}
    return out | {f"tau:{name}": row.tau_sd for name, row in nodes().items()}


def draws(n: int, seed: int = 0, beta: float = 1.0) -> list[Draw]:
    """`n` draws; the first are the same whatever `n`.

    Every prior has a column of its own (`deviates`). A link whose sign the literature gives keeps it: its
    strength is normal, folded at 0. A link of unknown sign has a second column for its sign, either with
    probability 1/2.

    Parameters
    ----------
    n : int
        Draw k takes calibration member k modulo the ensemble.
    seed : int
    beta : float
        Factor on every map slope; 0 makes all regions alike.
    """
    rows: list[Link | Edge] = [*links(), *edges()]
    uncertain = [link for link in rows if link.sd > 0]
    unsigned = [link for link in uncertain if not link.sign_certain]
    width = 4 + SIZES + len(uncertain) + len(unsigned) + len(maps()) + len(lognormal())
    table = deviates(n, width, seed)
    columns = iter(table.T[4 + SIZES :])
    strength = _strengths(uncertain, unsigned, columns) | _of_inference(n, seed)
    slopes = {(m.multiplier, m.map, m.cell): beta * (m.beta + m.beta_sd * next(columns)) for m in maps()}
    factors = {key: sd * next(columns) for key, sd in lognormal().items()}

    def at(k: int, values: dict) -> dict:
        return {key: float(column[k]) for key, column in values.items()}

    found = [
        Draw(
            member=k % members(),
            factors=at(k, factors),
            strength=at(k, strength),
            beta=at(k, slopes),
            noise_ratio=float(np.exp(NOISE_RATIO_SD * row[0])),
            exponent=float(EXPONENT[0] + EXPONENT[1] * row[1]),
            slow=float(np.exp(SLOW_SD * row[2])),
            shared=float(min(SHARED[0] * np.exp(SHARED[1] * row[3]), 1.0)),
            size=row[4 : 4 + SIZES],
        )
        for k, row in enumerate(table)
    ]
    return [_truncated(draw, (seed, k)) for k, draw in enumerate(found)]


def _of_inference(n: int, seed: int) -> dict[str, np.ndarray]:
    """Strengths of the rows of inference, from a sequence of their own: the others stay what they are."""
    rows = list(inference_links())
    unsigned = [row for row in rows if not row.sign_certain]
    table = deviates(n, len(rows) + len(unsigned), (seed, 3))
    return _strengths(rows, unsigned, iter(table.T))


def _strengths(uncertain: Sequence[Link | Edge], unsigned: Sequence[Link | Edge], columns: Iterator) -> dict:
    """Strengths from standard normal deviates: folded at 0, then a sign where the literature gives none."""
    out = {row.id: np.abs(row.strength + row.sd * next(columns)) * np.sign(row.strength) for row in uncertain}
    for row in unsigned:
        out[row.id] = out[row.id] * np.where(next(columns) < 0, -1.0, 1.0)
    return out


def _truncated(draw: Draw, seed: tuple[int, int]) -> Draw:
    """The draw if health is stable in its signaling network, else with other strengths and time constants.

    They are drawn anew, one set after the other, until it is: the joint prior is truncated.
    """
    if steady(draw):
        return draw
    rng = np.random.default_rng((*seed, 1))
    uncertain = list(edges())
    unsigned = [edge for edge in uncertain if not edge.sign_certain]
    for _ in range(MOST_REJECTED):
        strength = _strengths(uncertain, unsigned, iter(rng.standard_normal(len(uncertain) + len(unsigned))))
        factors = {f"tau:{name}": row.tau_sd * rng.standard_normal() for name, row in nodes().items()}
        other = replace(
            draw,
            strength=draw.strength | {key: float(value) for key, value in strength.items()},
            factors=draw.factors | factors,
        )
        if steady(other):
            return other
    raise RuntimeError(f"no stable signaling network in {MOST_REJECTED} samples of its priors")


def steady(draw: Draw) -> bool:
    """Whether health is stable in the signaling network of a draw, with no loop near sustaining itself."""
    network = everywhere()
    if not network.names:
        return True
    rate, gain = growth(network, network.kinetics(draw.strength, draw.factors))
    return rate < 0 and gain < MOST_GAIN


def rejection_rate(n: int = 128, seed: int = 0) -> float:
    """Share of samples of the signaling priors in which health is unstable, so that they are not used."""
    rng = np.random.default_rng((seed, 2))
    uncertain = list(edges())
    unsigned = [edge for edge in uncertain if not edge.sign_certain]
    unstable = 0
    for _ in range(n):
        strength = _strengths(uncertain, unsigned, iter(rng.standard_normal(len(uncertain) + len(unsigned))))
        factors = {f"tau:{name}": row.tau_sd * rng.standard_normal() for name, row in nodes().items()}
        unstable += not steady(Draw(None, factors, {key: float(value) for key, value in strength.items()}))
    return unstable / n


@cache
def everywhere() -> Network:
    """The signaling network on one region of every kind that its edges tell apart."""
    named = {name for edge in edges() for name in (*edge.where, *edge.source_where)}
    kinds = sorted({*cells(), *named})

    def where(names: Sequence[str]) -> np.ndarray:
        if not names:
            return np.ones(len(kinds), bool)
        # a locus or network is taken to lie in cortex
        return np.array([k in names or (k not in cells() and "cortex" in names) for k in kinds])

    def adult(process: str) -> np.ndarray:
        return regional_rate(process, REFERENCE_AGE, where)

    return Network(where, np.ones(len(kinds)), adult=adult)


def deviates(n: int, width: int, seed: int | tuple[int, int]) -> np.ndarray:
    """Standard normal deviates, (n, width): a scrambled Sobol sequence, each column in an order of its own.

    With more columns than points, columns of a Sobol sequence repeat one another (bad two-dimensional
    projections: Joe & Kuo 2008, SIAM J Sci Comput 30:2635), and two priors could not be told apart. Within
    each doubling of the sequence the order is therefore shuffled, column by column, which leaves every
    column as evenly spread as before and its first points the same whatever `n`.
    """
    from scipy.special import ndtri
    from scipy.stats.qmc import Sobol

    rng = np.random.default_rng(seed)
    power = max(1, int(np.ceil(np.log2(max(n, 2)))))
    points = Sobol(width, scramble=True, rng=rng).random_base2(power)
    for start in 2 ** np.arange(1, power):
        points[start : 2 * start] = rng.permuted(points[start : 2 * start], axis=0)
    return ndtri(np.clip(points[:n], 1e-6, 1 - 1e-6))
