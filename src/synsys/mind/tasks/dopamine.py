"""Phasic dopamine of a state: what bursts and pauses of the VTA tell striatal D1 and D2 receptors.

A prediction error d drives dopamine cells with AMPA (d > 0) or GABA-A conductance (d < 0), set in health so
that d = 1 multiplies their rate by `BURST` and d = -1 by `PAUSE`. A burst or pause is over before calcium,
slow gates and synapses follow (tonic excitation opens SK channels instead): with these held, the potential is

    V(d) = V + I(d) / (G + g(d)),    G = -d(tau dV/dt)/dV at rest,    r(d) = firing(V(d)),

to first order in the membrane and with the rate function as it is (NMDA bursting is left out). Dopamine
follows, tone r(d) / r(0), and a receptor reports

    S(d) = density (1 - occupancy) [s(tone r(d)/r(0)) - s(tone)],   s(t) = t (1 + K) / (t + K),

the activation of `knowledge.mechanisms.Receptor`. Only S over its healthy value is used: how much stronger
than in health this state teaches direct (D1) and indirect (D2) pathway, by outcomes better and worse than
predicted.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from synsys.brain.state import State
from synsys.circuit.drift import SLOTS, drift, firing
from synsys.circuit.linear import KINDS
from synsys.circuit.templates import slot
from synsys.knowledge.mechanisms import receptors
from synsys.measures.systems import Atlas
from synsys.mind.tasks.local import AMPA, GABA, nodes_of, size_for, transmission

BURST, PAUSE = 4.0, 0.25
"""Rate at the largest positive and negative error over the tonic rate (recalled: bursts of 15-30 Hz and
pauses against 3-5 Hz, Schultz 2007 Annu Rev Neurosci 30:259; BURST PAUSE = 1 is declared)."""


PHASIC = np.r_[0.0, np.geomspace(0.02, 20.0, 25)]
"""Stimuli among which the healthy one is sought, multiples of leak."""


@dataclass(frozen=True)
class Teaching:
    """Strength of dopamine's teaching relative to health.

    Attributes
    ----------
    d1_better, d1_worse, d2_better, d2_worse : float
        Of receptor D1 or D2, for outcomes better or worse than predicted.
    """

    d1_better: float = 1.0
    d1_worse: float = 1.0
    d2_better: float = 1.0
    d2_worse: float = 1.0


def teaching(state: State, atlas: Atlas, nodes: np.ndarray) -> Teaching | None:
    """Teaching at some striatal nodes; None if the dopamine cells cannot be driven as the task asks."""
    vta = nodes_of(atlas, "brainstem")
    cell = slot("brainstem", "VTA")
    stimuli = _stimuli(state.healthy.state, tuple(vta), cell)
    if not np.isfinite(stimuli).all():
        return None
    now, health = (phasic(s, vta, cell, stimuli) for s in (state, state.healthy.state))
    out = {}
    for name in ("D1", "D2"):
        report = reported(state, nodes, name, now) / reported(state.healthy.state, nodes, name, health)
        for sign, ratio in zip(("better", "worse"), report.mean(1), strict=True):
            out[f"{name.lower()}_{sign}"] = float(max(ratio, 0.0))
    return Teaching(**out) if np.isfinite(list(out.values())).all() else None


@lru_cache(maxsize=8)
def _stimuli(healthy: State, vta: tuple[int, ...], cell: int) -> np.ndarray:
    """Conductance of errors 1 and -1, (2, 3 kinds, n, 3)."""
    at = np.array(vta)
    excite, inhibit = np.zeros((2, len(KINDS), len(at), SLOTS))
    excite[AMPA, :, cell] = inhibit[GABA, :, cell] = 1.0
    out = []
    for pattern, fold in ((excite, BURST), (inhibit, PAUSE)):
        rates = at_once(healthy, at, PHASIC[:, None, None, None] * pattern)[:, :, cell].mean(1)
        out.append(size_for(PHASIC, rates / rates[0], fold) * pattern)
    return np.stack(out)


def phasic(state: State, vta: np.ndarray, cell: int, stimuli: np.ndarray) -> np.ndarray:
    """Rate of dopamine cells at errors 1 and -1 over that at 0, (2,)."""
    extra = np.concatenate([0 * stimuli[:1], stimuli * transmission(state, vta)])
    rates = at_once(state, vta, extra)[:, :, cell].mean(1)
    return np.asarray(rates[1:] / rates[0])


def at_once(state: State, nodes: np.ndarray, extra: np.ndarray) -> np.ndarray:
    """Rates of some nodes under additional conductance, gates, synapses and calcium as they are at rest.

    Arguments and return value as of `local.driven`; to first order in the membrane. NaN where the membrane is
    not stable alone.
    """
    many = np.tile(nodes, len(extra))
    u = state.point.u[:, many] + extra.transpose(1, 0, 2, 3).reshape(len(KINDS), len(many), SLOTS)
    p, x = state.parameters.take(many), state.point.x[many].astype(complex)
    x[:, 0] += 1e-30j
    change = drift(x, p, u)[:, 0]
    slope = change.imag / 1e-30
    v = x[:, 0].real - change.real / np.where(slope < 0, slope, np.nan)
    return np.asarray(1e3 * firing(v, p)).reshape(len(extra), len(nodes), SLOTS)


def reported(state: State, nodes: np.ndarray, name: str, fold: np.ndarray) -> np.ndarray:
    """Change of the activation of a receptor when dopamine is `fold` (k,) its tone, (k, nodes)."""
    row = next(r for r in receptors() if r.receptor == name)
    at = slot("striatum", name)

    def value(variable: str, healthy: float) -> np.ndarray:
        if state.carried is None:
            return np.full(len(nodes), healthy)
        return state.carried.value(variable)[nodes, at]

    tone = value(row.tone, 1.0)
    given = value(row.density, 1.0), np.clip(value(row.occupancy, 0.0), 0.0, 1.0)
    half = row.half_saturation * np.exp(state.healthy.draw.factors.get(name, 0.0))

    def active(dopamine: np.ndarray) -> np.ndarray:
        return np.asarray(row.activation(given[0], dopamine, given[1], half_saturation=half))

    return active(tone * fold[:, None]) - active(tone)
