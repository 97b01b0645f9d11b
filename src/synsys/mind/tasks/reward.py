"""Probabilistic reward learning in the striatal loop: opponent actors in D1 and D2 cells.

The actors are those of OpAL (Collins & Frank 2014 Psychol Rev 121:337, eq. 1-5): a critic V, weights G of the
direct and N of the indirect pathway of every option, all taught by the prediction error d = r - V,

    V += a_c d;    G += a_g G d;    N += a_n N (-d);    P(option i over j) = 1 / (1 + exp(-b (A_i - A_j))).

Here the striatum of the state computes A. A cue reaches D1 cells with weight G and D2 cells with weight N,

    A = [k_1 (r_D1(G) - r_D1(0)) - k_2 (r_D2(N) - r_D2(0))] / healthy (r(1) - r(0)),

r the rate of the striatal circuit at rest under that conductance (`local.driven`), k how much a spike of D1
and D2 cells moves GPi, through the pallidum of the state and relative to health. Learning rates of G and N
follow the phasic dopamine that their receptors report (`dopamine.teaching`) and the potentiation (increases)
and depression (decreases) that a standard protocol would bring about; b the noise of D1 and D2 cells; the
cue's strength what orbitofrontal cortex sends on when driven. In health all of these are 1, and only A bends
with G and N as the rates of the striatum do.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from synsys.brain.linear import LongRange, undelayed
from synsys.brain.solution import rate_slope
from synsys.brain.state import State
from synsys.circuit.linear import local_transfer
from synsys.measures.systems import Atlas
from synsys.mind.tasks.dopamine import Teaching, teaching
from synsys.mind.tasks.local import (
    beside_reference,
    driven,
    nodes_of,
    noise_sd,
    plasticity,
    signal,
    stimulus_for,
    transmission,
)
from synsys.mind.tasks.record import Score, Task

PAIRS = np.array([0.8, 0.7, 0.6])
"""Probability that the better option of pairs AB, CD, EF is correct; the other is when it is not (Frank,
Seeberger & O'Reilly 2004 Science 306:1940)."""
TRIALS = 60
"""Training trials of each pair (three blocks of 20; people train for one to six, Frank et al. 2004)."""
LAST = 20
"""Last trials of each pair that are scored (declared)."""
PEOPLE = 48
"""Sequences of outcomes over which scores are averaged (declared)."""
CRITIC, ACTOR = 0.1, 0.1
"""a_c, a_g = a_n in health (recalled: the values with which Collins & Frank 2014 simulate; declared here)."""
CHOICE = 1.5
"""b in health (declared: so that healthy people choose A and avoid B in 60-80 % of test trials)."""
FOLD = 1.3
"""Rate of D1 and D2 cells under a cue of weight 1 over their resting rate, in health (declared)."""
LEVELS = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5])
"""Weights at which the striatum is solved, linear between them; beyond the last it counts as the last."""
CUES = np.array([0.9, 0.1])
"""Probability of reward of the two cues of the salience test (declared, near the 87.5 and 12.5 % of Roiser et
al. 2009 Psychol Med 39:199, from memory)."""
CUE_TRIALS = 20
JITTER = 0.3
"""Standard deviation of the error that noise of dopamine cells adds, in health (declared)."""
D1, D2 = 0, 1
HEALTHY = Teaching()


@dataclass(frozen=True)
class Striatum:
    """The actor of one state.

    Attributes
    ----------
    direct, indirect : ndarray, (levels,)
        What a cue moves through D1 and D2 cells at `LEVELS` of its weight; 1 at weight 1 in health.
    noise : float
        Noise of both pathways over that of health.
    taught : Teaching
    ltp, ltd : float
        Folds of health.
    """

    direct: np.ndarray
    indirect: np.ndarray
    noise: float = 1.0
    taught: Teaching = HEALTHY
    ltp: float = 1.0
    ltd: float = 1.0

    def action(self, g: np.ndarray, n: np.ndarray) -> np.ndarray:
        """A at weights G and N."""
        return np.interp(g, LEVELS, self.direct) - np.interp(n, LEVELS, self.indirect)

    def choice(self, difference: np.ndarray) -> np.ndarray:
        """Probability of the option whose A is higher by `difference`."""
        return 1.0 / (1.0 + np.exp(-CHOICE / self.noise * difference))

    def learned(self, g: np.ndarray, n: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Changes of G and N by a prediction error."""
        t = self.taught
        better, worse = np.maximum(d, 0.0), np.maximum(-d, 0.0)
        up_g, down_g = t.d1_better * self.ltp * better, t.d1_worse * self.ltd * worse
        up_n, down_n = t.d2_worse * self.ltp * worse, t.d2_better * self.ltd * better
        return ACTOR * g * (up_g - down_g), ACTOR * n * (up_n - down_n)


def run(state: State, atlas: Atlas, seed: int = 0) -> dict[str, float]:
    """Scores of one state; `seed` sets the outcomes."""
    state = beside_reference(state)
    dorsal = nodes_of(atlas, "striatum", "dorsal striatum", "Cont")
    ventral = nodes_of(atlas, "striatum", "NAc", "Limbic")
    orbital = nodes_of(atlas, "cortex", "OFC")
    if not all(map(len, (dorsal, ventral, orbital))):
        return {}
    cue = signal(state, orbital)
    out: dict[str, float] = {}
    actor = striatum(state, atlas, dorsal, cue)
    if actor is not None:
        out |= selection(actor, seed)
    ventral_actor = striatum(state, atlas, ventral, cue)
    if ventral_actor is not None:
        out |= salience(ventral_actor, _jitter(state, atlas))
    return out


def striatum(state: State, atlas: Atlas, nodes: np.ndarray, cue: float) -> Striatum | None:
    """The actor that some striatal nodes make; None where they find no rest under the cues of the task.

    Parameters
    ----------
    state : State
    atlas : Atlas
    nodes : ndarray of int
    cue : float
        Strength with which the cue arrives, relative to health.
    """
    healthy = state.healthy.state
    stimuli = [stimulus_for(state, nodes, cell, FOLD) for cell in (D1, D2)]
    taught = teaching(state, atlas, nodes)
    if taught is None or not np.isfinite(stimuli).all():
        return None
    kept = _healthy(healthy, atlas, tuple(nodes))
    gains = downstream(state, atlas, nodes) / kept[0]
    passed = cue * transmission(state, nodes)
    spread, arms = [], []
    for cell in (D1, D2):
        one, other = stimuli[cell], stimuli[1 - cell]
        extra = LEVELS[:, None, None, None] * one * passed + other * passed
        rates = driven(state, nodes, extra)[:, :, cell].mean(1)
        arms.append(gains[cell] * (rates - rates[0]) / kept[1][cell])
        spread.append(gains[cell] * noise_sd(state, nodes, cell))
    if not np.isfinite(arms).all():
        return None
    noise = float(np.hypot(*spread) / np.hypot(*kept[2]))
    fold = plasticity(state, nodes)
    return Striatum(arms[0], arms[1], noise, taught, fold["ltp_early"], fold["ltd"])


@lru_cache(maxsize=8)
def _healthy(healthy: State, atlas: Atlas, nodes: tuple[int, ...]) -> np.ndarray:
    """Gain downstream, rise of the rate under a cue of weight 1, and noise, of D1 and D2 cells, (3, 2)."""
    at = np.array(nodes)
    stimuli = [stimulus_for(healthy, at, cell, FOLD) for cell in (D1, D2)]
    rises = []
    for cell in (D1, D2):
        rates = driven(healthy, at, np.stack([stimuli[1 - cell], sum(stimuli)]))[:, :, cell].mean(1)
        rises.append(rates[1] - rates[0])
    return np.array([downstream(healthy, atlas, at), rises, [noise_sd(healthy, at, c) for c in (D1, D2)]])


def downstream(state: State, atlas: Atlas, nodes: np.ndarray) -> np.ndarray:
    """What a spike of D1 and of D2 cells moves in GPi, mV per Hz: less and more, both > 0 in health, (2,)."""
    wiring = state.healthy.wiring
    at, cell = wiring.source_node, wiring.source_slot
    gpi = np.flatnonzero((atlas.node_template[at] == "pallidum") & (cell == 1))
    static = local_transfer(state.linear.jacobian, np.array([1e-9]))
    between, slope = LongRange(wiring, static, state.coupling), rate_slope(state)
    out = []
    for which, sign in ((D1, -1.0), (D2, 1.0)):
        columns = np.flatnonzero(np.isin(at, nodes) & (cell == which))
        block = between.block(gpi, columns, undelayed(wiring))[0].real
        out.append(sign * (block.sum(0) / slope[at[columns], which]).mean())
    return np.array(out)


def _jitter(state: State, atlas: Atlas) -> float:
    """Noise of dopamine cells over their rate, relative to health, times `JITTER`."""
    vta = nodes_of(atlas, "brainstem")
    now, health = (noise_sd(s, vta, 0) / s.rates[vta, 0].mean() for s in (state, state.healthy.state))
    return float(JITTER * now / health)


def selection(actor: Striatum, seed: int = 0) -> dict[str, float]:
    """The probabilistic selection task: training, then choices between options never met together.

    Outcomes are drawn as for people; choices enter by their probabilities, each option learning in proportion
    to how often it is chosen, so that scores vary smoothly with the actor.
    """
    rng = np.random.default_rng(seed)
    first = rng.random((TRIALS, PEOPLE, len(PAIRS))) < PAIRS
    outcome = np.stack([first, ~first], -1).astype(float)  # (trials, people, pair, option)
    v = np.full(outcome.shape[1:], 0.5)
    g, n = np.ones(v.shape), np.ones(v.shape)
    correct = []
    for r in outcome:
        a = actor.action(g, n)
        p = actor.choice(a[..., 0] - a[..., 1])
        correct.append(p.mean())
        chosen = np.stack([p, 1.0 - p], -1)
        d = r - v
        up_g, up_n = actor.learned(g, n, d)
        v = v + chosen * CRITIC * d
        g, n = g + chosen * up_g, n + chosen * up_n
    a = actor.action(g, n)
    rest = a[:, 1:].reshape(len(a), -1)
    return {
        "reward_learning": float(np.mean(correct[-LAST:])),
        "reward_approach": float(actor.choice(a[:, 0, :1] - rest).mean()),
        "punishment_avoidance": float(actor.choice(rest - a[:, 0, 1:]).mean()),
    }


def salience(actor: Striatum, jitter: float = JITTER, seed: int = 0) -> dict[str, float]:
    """Cues that are followed by reward or rarely: how well the striatum's answer tells them apart.

    Nothing is chosen. Errors are those of the outcomes and of noise in dopamine cells (5 points of its normal
    distribution, averaged); outcomes enter by their probabilities.
    """
    x, weight = np.polynomial.hermite_e.hermegauss(5)
    weight = weight / weight.sum()
    v = np.full(len(CUES), 0.5)
    g, n = np.ones(len(CUES)), np.ones(len(CUES))
    for _ in range(CUE_TRIALS):
        d = np.stack([1.0 - v, -v])[:, :, None] + jitter * x  # (outcome, cue, noise)
        p = np.stack([CUES, 1.0 - CUES])[:, :, None] * weight
        up_g, up_n = actor.learned(g[:, None], n[:, None], d)
        v = v + CRITIC * (CUES - v)
        g, n = g + (p * up_g).sum((0, 2)), n + (p * up_n).sum((0, 2))
    a = actor.action(g, n)
    return {
        "salience_discrimination": float(actor.choice(a[0] - a[1])),
        "neutral_cue_salience": float(a[1]),
    }


TASK = Task(
    "reward",
    (
        Score("reward_learning", 0.5, 1.0, 1),
        Score("reward_approach", 0.5, 1.0, 1),
        Score("punishment_avoidance", 0.5, 1.0, 1),
        Score("salience_discrimination", 0.5, 1.0, 1),
        Score("neutral_cue_salience", None, None, 0),
    ),
    run,
    "Probabilistic selection: three pairs of symbols are learned from feedback that is right in 80, 70 and "
    "60 % of trials; then A and B are met with the other symbols. Scored as share of better choices at the "
    "end of training, of choosing A, of avoiding B. Salience: two cues, one followed by reward.",
    "Frank, Seeberger & O'Reilly 2004 Science 306:1940; Collins & Frank 2014 Psychol Rev 121:337",
)
