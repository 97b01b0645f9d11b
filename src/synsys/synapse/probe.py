"""LTP and LTD as probes: what standard protocols would do to a synapse in its present slow state.

Graupner-Brunel synapse with the calcium amplitudes of the living brain (Higgins et al. 2014). C_pre follows
the NMDA receptors that are present and free of magnesium, C_post CaV1.2; kinases and phosphatases set the
rates. Potentiation must then outlast background firing until protein synthesis has made it permanent. At
health every fold change is 1; only differences from health drive synaptic strength.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.knowledge.plasticity import plasticity_effects, plasticity_set
from synsys.synapse.background import poisson_time_above
from synsys.synapse.graupner_brunel import Protocol, outcome, strength_ratio

PARAMETERS = "cortex in vivo"
LTP_PROTOCOL = Protocol(interval=5.0, pre=5, post=3, frequency=100.0, period=200.0, bursts=30)
"""Theta burst: thirty bursts at 5 Hz of five presynaptic spikes at 100 Hz, the last three paired."""
LTD_PROTOCOL = Protocol(interval=-10.0, pre=3, post=1, frequency=30.0, period=150.0, bursts=100)
"""Hundred bursts of three presynaptic spikes at 30 Hz, a postsynaptic one 10 ms before the last (slower pairs
never reach the depression threshold in vivo)."""
SCATTER, SYNAPSES = 0.5, 24
"""Standard deviation of log calcium from synapse to synapse (calcium per NMDA current differs tenfold between
spines, Sobczyk et al. 2005: about four standard deviations), and how many synapses stand for them."""
BACKGROUND_RATE = 0.5
"""Hz at health: of the order of 1 Hz, and below it (Higgins et al. 2014; our number)."""
CONSOLIDATION_TIME = 3600.0
"""s until early potentiation depends on new proteins (beyond an hour, Tang et al. 2002)."""
CONSOLIDATED = 0.5
"""Share of surviving change that becomes late, at health (hypothesis)."""
SMALLEST, LARGEST = 1.0 / 16.0, 16.0
"""Transients of the background table, in units of a threshold; outside them the nearest is used."""
SIZES, RATES = 67, 7
"""Grid of the background table: transient sizes (logarithmic) and rates."""
SLOWEST, FASTEST = 0.02, 20.0
"""Background rates of the table, Hz; outside them the nearest is used."""
SHARE_FLOOR = 1e-13
"""Smallest share of time above threshold that the table tells from none."""

ARGUMENTS = (
    "nmda", "cav", "unblock", "calcium", "rate", "camkii", "pka_activity", "erk_activity", "trkb_activity",
    "akt_mtor_activity", "gsk3b_activity", "plasticity_gene_expression",
)  # fmt: skip


@dataclass(frozen=True)
class Probe:
    """Readings of both probes; arrays of the shape of the arguments.

    Attributes
    ----------
    ltp, ltd : ndarray
        Late potentiation (share of weak synapses that turn strong for good) and late depression (share of
        strong synapses that turn weak for good), relative to health.
    ltp_early : ndarray
        Potentiation right after the protocol, relative to health.
    ltp_percent, ltp_late_percent, ltd_percent : ndarray
        Net change of mean strength in % of baseline: after the LTP protocol, early and late, and right after
        the LTD protocol. A potentiating protocol may depress, then the sign turns.
    """

    ltp: np.ndarray
    ltd: np.ndarray
    ltp_early: np.ndarray
    ltp_percent: np.ndarray
    ltp_late_percent: np.ndarray
    ltd_percent: np.ndarray


def probe(
    nmda=1.0,
    cav=1.0,
    unblock=1.0,
    calcium=1.0,
    rate=1.0,
    camkii=1.0,
    pka_activity=1.0,
    erk_activity=1.0,
    trkb_activity=1.0,
    akt_mtor_activity=1.0,
    gsk3b_activity=1.0,
    plasticity_gene_expression=1.0,
    strengths: Mapping[str, float] | None = None,
) -> Probe:
    """Early and late LTP and LTD at the present slow state, relative to health.

    Parameters
    ----------
    nmda : float or ndarray, shape (N,)
        NMDA receptors free to open times their conductance. This and all others are folds of health.
    cav : float or ndarray
        CaV1.2 conductance.
    unblock : float or ndarray
        NMDA channels free of magnesium at the postsynaptic mean voltage.
    calcium : float or ndarray
        Gain on every calcium transient (stores, buffers, extrusion).
    rate : float or ndarray
        Background firing of pre- and postsynaptic cells.
    camkii, pka_activity, erk_activity, trkb_activity, akt_mtor_activity, gsk3b_activity : float or ndarray
        Kinase activities.
    plasticity_gene_expression : float or ndarray
    strengths : mapping, optional
        Draws of strengths by id of ``plasticity_effects.csv``, in place of the rows' own.

    Returns
    -------
    Probe

    Raises
    ------
    UserError
        For values that are not positive and finite, and for unknown ids in `strengths`.
    """
    given = (
        nmda, cav, unblock, calcium, rate, camkii, pka_activity, erk_activity, trkb_activity,
        akt_mtor_activity, gsk3b_activity, plasticity_gene_expression,
    )  # fmt: skip
    folds = dict(
        zip(ARGUMENTS, np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in given)), strict=True)
    )
    for name, fold in folds.items():
        if not (np.isfinite(fold).all() and (fold > 0).all()):
            raise UserError(f"{name} must be positive and finite, relative to health 1")
    known = {effect.id for effect in plasticity_effects()}
    for name in strengths or {}:
        if name not in known:
            raise unknown("plasticity effect", name, known)
    shape = folds["nmda"].shape
    values = _readings({name: fold.ravel() for name, fold in folds.items()}, strengths or {})
    health = _healthy(values[0].size)
    early, late, down, *percents = values
    relative = (late / health[1], down / health[2], early / health[0])
    return Probe(*(x.reshape(shape) for x in (*relative, *percents)))


@cache
def _healthy(size: int):
    """Readings at health, in arrays of the same length: equal input is equal output to the last bit."""
    return _readings({name: np.ones(size) for name in ARGUMENTS}, {})


def _readings(folds: dict[str, np.ndarray], strengths: Mapping[str, float]) -> tuple[np.ndarray, ...]:
    """Early potentiated, late potentiated, depressed share; changes in % (early, late, depression)."""
    p = plasticity_set(PARAMETERS)
    factor = _factors(folds, strengths)
    gain = folds["calcium"] * _synapses()[:, None]
    c_pre = p.c_pre * factor["c_pre"] * folds["unblock"] * gain
    c_post = p.c_post * factor["c_post"] * gain
    gamma_d, gamma_p = p.gamma_d * factor["gamma_d"], p.gamma_p * factor["gamma_p"]
    raised = outcome(p, LTP_PROTOCOL, c_pre, c_post, gamma_d, gamma_p)
    lowered = outcome(p, LTD_PROTOCOL, c_pre, c_post, gamma_d, gamma_p)
    rate = BACKGROUND_RATE * folds["rate"]
    alpha_d, alpha_p = (_background(rate, c_pre / t, c_post / t) for t in (p.theta_d, p.theta_p))
    surviving = np.exp(-CONSOLIDATION_TIME / p.tau * (gamma_p * alpha_p + gamma_d * alpha_d))
    lasting, lasting_down = (_lasting(factor[name]) for name in ("consolidation", "consolidation_ltd"))
    late = raised.up * surviving * lasting
    early, late, lost, down = (x.mean(axis=0) for x in (raised.up, late, raised.down, lowered.down))
    early_percent, down_percent = (100.0 * (x.ratio.mean(axis=0) - 1.0) for x in (raised, lowered))
    late_percent = 100.0 * (strength_ratio(late, lost * lasting_down, p.beta, p.b) - 1.0)
    return early, late, down * lasting_down, early_percent, late_percent, down_percent


def _lasting(factor: np.ndarray) -> np.ndarray:
    """Share of a change that becomes late, its odds times `factor`."""
    odds = factor * CONSOLIDATED / (1.0 - CONSOLIDATED)
    return odds / (1.0 + odds)


@cache
def _synapses() -> np.ndarray:
    """Calcium gains of synapses of equal weight, relative to the median; shape (SYNAPSES,)."""
    from scipy.special import ndtri

    return np.exp(SCATTER * ndtri((np.arange(SYNAPSES) + 0.5) / SYNAPSES))


def _factors(folds: dict[str, np.ndarray], strengths: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Product of all effects on each parameter."""
    factor: dict[str, np.ndarray] = {}
    for effect in plasticity_effects():
        strength, fold = strengths.get(effect.id, effect.strength), folds[effect.source]
        change = 1.0 + strength * (fold - 1.0) if effect.law == "share" else fold**strength
        factor[effect.parameter] = factor.get(effect.parameter, 1.0) * change
    return factor


@cache
def _background_table() -> np.ndarray:
    """Share of time above a threshold of 1, by rate and both transients; shape (RATES, SIZES, SIZES)."""
    sizes = np.geomspace(SMALLEST, LARGEST, SIZES)
    rates = np.geomspace(SLOWEST, FASTEST, RATES)
    first, second = np.triu_indices(SIZES)
    tau_ca = plasticity_set(PARAMETERS).tau_ca
    share = poisson_time_above(rates[:, None], rates[:, None], sizes[first], sizes[second], tau_ca, 1.0)
    table = np.empty((RATES, SIZES, SIZES))
    table[:, first, second] = table[:, second, first] = np.maximum(share, SHARE_FLOOR)
    return table


def _background(rate, first, second):
    """Share of time above a threshold under Poisson firing, from the table.

    Linear in the logarithms of the transients, since the share has kinks where one spike less suffices, and
    a power law between rates.
    """
    table = _background_table()
    speed, part = _place(np.log(rate), np.log(SLOWEST), np.log(FASTEST), RATES)
    i, x = _place(np.log(first), np.log(SMALLEST), np.log(LARGEST), SIZES)
    j, y = _place(np.log(second), np.log(SMALLEST), np.log(LARGEST), SIZES)
    share = [
        (1.0 - x) * ((1.0 - y) * plane(i, j) + y * plane(i, j + 1))
        + x * ((1.0 - y) * plane(i + 1, j) + y * plane(i + 1, j + 1))
        for plane in (lambda a, b, k=k: table[speed + k, a, b] for k in (0, 1))
    ]
    return share[0] ** (1.0 - part) * share[1] ** part


def _place(x, low, high, points):
    """Cell and place within it on an even grid; outside it, its end."""
    at = np.clip((x - low) / (high - low), 0.0, 1.0) * (points - 1)
    cell = np.minimum(at.astype(int), points - 2)
    return cell, at - cell
