"""Fear acquisition, extinction and return of fear in amygdala, vmPFC and hippocampus.

A conditioned stimulus (CS) arrives on E cells of the amygdala through synapses of strength w, and through the
vmPFC on their inhibition with strength q:

    g_E  = w s g_CS      s : what auditory cortex sends on when the CS drives it, relative to health
    g_PV = q c o g_safe  o : what the vmPFC sends while the CS drives it;  c : report of the hippocampus
    CR(w, q c) = r_E(with CS) - r_E(without CS), Hz, over CR(1, 0) of the healthy state.

r_E is the rate of the amygdala's own circuit at rest under this conductance (`local.driven`), which its
receptors and afferents transmit as in this state; g_CS and g_safe are set in health. Learning is the hybrid
of Rescorla-Wagner and Pearce-Hall (Li et al. 2011 Nat Neurosci 14:1250), with excitation and inhibition
apart (Bouton 2004 Learn Mem 11:485; Pearce & Hall 1980 Psychol Rev 87:532), l the outcome:

    d = l - CR;   w += k_w a [d]+;   q += k_q a c [-d]+;   a += eta (|d| - a).

The outcome of a shock is what the same circuit answers to it, so 1 in health. k follows early LTP of the
amygdala (w) and of the vmPFC (q); what lasts overnight follows late over early LTP. c is what
the hippocampus brings to the vmPFC, relative to health, times the overlap with the context of extinction,

    overlap = <r(V + x) r(V + y)> / <r(V + x)^2>,   x, y normal over cells, correlated across contexts,

so that sparse firing separates contexts (Treves & Rolls 1994 Hippocampus 4:374).
"""

from functools import lru_cache

import numpy as np
from scipy.interpolate import RectBivariateSpline

from synsys.brain.state import State
from synsys.circuit.drift import SLOTS, firing
from synsys.circuit.linear import KINDS
from synsys.measures.systems import Atlas
from synsys.mind.tasks.local import (
    DOSES,
    beside_reference,
    brought,
    driven,
    evoked,
    nodes_of,
    output,
    plasticity,
    rate_of_learning,
    signal,
    size_for,
    stimulus_for,
    transmission,
)
from synsys.mind.tasks.record import Score, Task

ACQUISITION, EXTINCTION, TEST = 8, 16, 4
"""CS with shock in one context; without, in another; last CS of a phase that are scored (declared; as many as
usual in people, e.g. Milad et al. 2009 Biol Psychiatry 66:1075, who reinforced only some)."""
FOLD = 1.25
"""Mean rate of the amygdala under a fully trained CS over its resting rate, in health (recalled: in lateral
amygdala a quarter of the cells acquire tone responses, Quirk, Repa & LeDoux 1995 Neuron 15:1029; that these
double is declared)."""
RATE_W, RATE_Q = 0.6, 0.4
"""k of excitation and inhibition in health (declared: people acquire within a few trials and extinguish
within some ten)."""
ETA = 0.3
"""Change of associability in a trial (declared)."""
KEPT_W, KEPT_Q = 1.0, 0.75
"""Part of w and q that lasts overnight in health (declared: fear lasts, Gale et al. 2004 J Neurosci 24:3810;
of their extinction healthy people keep most, not all)."""
OVERLAP, SPREAD = 0.5, 8.0
"""Correlation across contexts and standard deviation (mV) of what drives hippocampal cells (declared)."""
LEVELS = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.4, 2.0])
"""Values of w and of q c at which the circuit is solved; beyond the last it counts as the last."""
PV = 1


def run(state: State, atlas: Atlas, seed: int = 0) -> dict[str, float]:
    """Scores of one state; the task holds no chance, so `seed` changes nothing."""
    state = beside_reference(state)
    amygdala, vmpfc = nodes_of(atlas, "amygdala"), nodes_of(atlas, "cortex", "vmPFC")
    hippocampus, heard = nodes_of(atlas, "hippocampus"), nodes_of(atlas, "cortex", "A1")
    if not all(map(len, (amygdala, vmpfc, hippocampus, heard))):
        return {}
    cs, safe, unit = setup(state.healthy.state, tuple(amygdala), tuple(vmpfc))
    passed = transmission(state, amygdala)
    excitation = signal(state, heard) * cs * passed
    inhibition = output(state, vmpfc) * safe * passed
    answer = surface(state, amygdala, excitation, inhibition) / unit
    shock = evoked(state, amygdala, 0, FOLD)
    place, apart = contexts(state, hippocampus, vmpfc)
    if not (np.isfinite(answer).all() and np.isfinite([shock, place, apart]).all()):
        return {}
    spline = RectBivariateSpline(LEVELS, LEVELS, answer, kx=1, ky=1)
    most = LEVELS[-1]
    learned, unlearned = (plasticity(state, nodes) for nodes in (amygdala, vmpfc))
    return conditioned(
        lambda w, q: float(spline(min(w, most), min(q, most))[0, 0]),
        shock,
        (rate_of_learning(RATE_W, learned["ltp_early"]), rate_of_learning(RATE_Q, unlearned["ltp_early"])),
        (lasting(KEPT_W, learned), lasting(KEPT_Q, unlearned)),
        place,
        place * apart,
    )


def conditioned(response, shock=1.0, rates=(RATE_W, RATE_Q), kept=(KEPT_W, KEPT_Q), place=1.0, other=0.5):
    """The two days of the task.

    Parameters
    ----------
    response : callable
        ``response(w, q c)``, the conditioned response over the healthy one.
    shock : float
        Outcome of a reinforced trial.
    rates, kept : (float, float)
        Learning rate, and part that lasts overnight, of excitation and of inhibition.
    place, other : float
        How much the context of extinction is reported in it, and in that of acquisition.

    Returns
    -------
    dict
        Score -> value. `extinction_rate` is the part of the acquired response that is gone on average over
        extinction; the return of fear is what comes back of the part that was lost.
    """
    w = q = 0.0
    a = 1.0
    course = []
    for trial in range(ACQUISITION + EXTINCTION):
        extinguishing = trial >= ACQUISITION
        c = place if extinguishing else other
        cr = response(w, q * c)
        error = (0.0 if extinguishing else shock) - cr
        w += rates[0] * a * max(error, 0.0)
        q += rates[1] * a * c * max(-error, 0.0)
        a += ETA * (min(abs(error), 1.0) - a)
        course.append(cr)
    acquired = course[ACQUISITION]
    extinction = np.array(course[ACQUISITION:])
    end = extinction[-TEST:].mean()
    out = {"fear_acquisition": acquired}
    if acquired > LEAST:
        w, q = kept[0] * w, kept[1] * q
        recovered, renewed = response(w, q * place), response(w, q * other)
        out["extinction_rate"] = 1.0 - extinction.mean() / acquired
        out["extinction_recall"] = 1.0 - recovered / acquired
        if acquired - end > LEAST:
            out["spontaneous_recovery"] = (recovered - end) / (acquired - end)
            out["fear_renewal"] = (renewed - end) / (acquired - end)
            out["fear_return"] = 0.5 * (out["spontaneous_recovery"] + out["fear_renewal"])
    return {name: float(value) for name, value in out.items()}


LEAST = 0.02
"""Response, of the healthy one, below which nothing was acquired, and loss below which nothing can return."""


def surface(state: State, nodes: np.ndarray, excitation: np.ndarray, inhibition: np.ndarray) -> np.ndarray:
    """Rise of the E rate at `LEVELS` of w and of q c, Hz, (w, q); each stimulus (3 kinds, n, 3)."""
    w, q = np.meshgrid(LEVELS, LEVELS, indexing="ij")
    extra = w.ravel()[:, None, None, None] * excitation + q.ravel()[:, None, None, None] * inhibition
    rates = driven(state, nodes, extra)[:, :, 0].mean(1).reshape(w.shape)
    return rates - rates[0, 0]


@lru_cache(maxsize=4)
def setup(
    healthy: State, amygdala: tuple[int, ...], vmpfc: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, float]:
    """What is set in health.

    Returns
    -------
    cs, safe : ndarray, (3 kinds, n, 3)
        Stimulus of a fully trained CS; stimulus onto PV cells under which it calls up no response, spread
        over nodes and receptors as what the vmPFC brings at rest.
    unit : float
        Response to the CS, Hz.
    """
    nodes = np.array(amygdala)
    cs = stimulus_for(healthy, nodes, 0, FOLD)
    pattern = np.zeros((len(KINDS), len(amygdala), SLOTS))
    pattern[:2, :, PV] = brought(healthy, np.array(vmpfc), nodes)[:2, :, PV]
    pattern /= pattern.sum((0, 2)).mean()
    extra = np.concatenate([0 * cs[None], cs + DOSES[:, None, None, None] * pattern])
    rates = driven(healthy, nodes, extra)[:, :, 0].mean(1)
    return cs, size_for(DOSES, rates[1:], rates[0]) * pattern, float(rates[1] - rates[0])


def contexts(state: State, hippocampus: np.ndarray, vmpfc: np.ndarray) -> tuple[float, float]:
    """What the hippocampus brings to the vmPFC relative to health, and the overlap of two contexts."""
    now, health = (brought(s, hippocampus, vmpfc)[:2, :, 0].sum() for s in (state, state.healthy.state))
    return float(now / health) if health > 0 else 1.0, overlap(state, hippocampus)


def overlap(state: State, nodes: np.ndarray) -> float:
    """Overlap of the activity of cells in two contexts, over the activity in one with itself."""
    x, weight = np.polynomial.hermite_e.hermegauss(15)
    weight = weight / weight.sum()
    first = SPREAD * x[:, None]
    second = SPREAD * (OVERLAP * x[:, None] + np.sqrt(1 - OVERLAP**2) * x)
    p, v = state.parameters.take(nodes), state.point.x[nodes, 0]

    def rate(shift: np.ndarray) -> np.ndarray:
        return firing(v + shift[..., None, None], p)[..., 0]  # (..., n)

    one, two = rate(first), rate(second)
    joint = (weight[:, None, None] * weight[:, None] * one * two).sum((0, 1))
    return float((joint / (weight[:, None] * one[:, 0] ** 2).sum(0)).mean())


def lasting(kept: float, fold: dict[str, float]) -> float:
    """Part of what was learned that lasts overnight: late over early potentiation, at most all."""
    return min(kept * fold["ltp"] / fold["ltp_early"], 1.0)


TASK = Task(
    "fear",
    (
        Score("fear_acquisition", 0.0, None, 0),
        Score("extinction_rate", 0.0, 1.0, 1, "extinction_rate"),
        Score("extinction_recall", 0.0, 1.0, 1, "extinction_rate"),
        Score("spontaneous_recovery", 0.0, 1.0, -1, "extinction_rate"),
        Score("fear_renewal", 0.0, 1.0, -1, "extinction_rate"),
        Score("fear_return", 0.0, 1.0, -1, "extinction_rate"),
    ),
    run,
    "Eight tones with shock in one context, sixteen without in another, then a test in each a day later. "
    "Scored as the response to the tone, relative to full learning in health, and as the parts of it that "
    "extinction takes away, that stay away, and that return.",
    "Milad et al. 2009 Biol Psychiatry 66:1075; Bouton 2004 Learn Mem 11:485",
)
