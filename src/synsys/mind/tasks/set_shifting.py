"""Set shifting (Wisconsin card sorting): rules held in prefrontal cortex, gated by the striatum.

Attention a to three rules is that of the sequential learning model of Bishara et al. 2010 (J Math Psychol
54:5; attention shifts after reward with rate r, after punishment with rate p, choices in proportion to a^d),

    a += r (s - a) after "right",  a += p (s - a) after "wrong",   P(rule k) = a_k^d / sum_j a_j^d,

s the rules that the feedback speaks for: that which was used, or the others in proportion to their attention
(for cards that match each rule differently). Between trials, what is held leaks to evenness,

    a -> 1/3 + (1 - l) (a - 1/3).

The circuit sets the four numbers, relative to health:

* l: 1 / amplification of dlPFC E cells by their synapses onto one another (`local.amplification`);
* d: signal over noise of the dlPFC, rise of its rate under a stimulus over the noise of that rate;
* r: gate of the direct pathway times what D1 receptors report of better outcomes (`dopamine.teaching`);
* p: gate of the direct pathway times what D2 receptors report of worse outcomes.

The gate is what the dlPFC sends on when driven, times the rise of D1 cells of the executive loop under their
cue, times the thalamic spikes per spike of them, through GPi, that reach the dlPFC: the basal ganglia open
the gate through which prefrontal cortex takes up contents (Frank, Loughry & O'Reilly 2001 Cogn Affect Behav
Neurosci 1:137).
"""

from functools import lru_cache

import numpy as np

from synsys.brain.linear import LongRange, undelayed
from synsys.brain.solution import rate_slope
from synsys.brain.state import State
from synsys.circuit.linear import local_transfer
from synsys.measures.systems import Atlas
from synsys.mind.tasks.dopamine import teaching
from synsys.mind.tasks.local import (
    amplification,
    beside_reference,
    evoked,
    nodes_of,
    noise_sd,
    rate_of_learning,
    signal,
)
from synsys.mind.tasks.record import Score, Task

RULES = 3
CATEGORIES, RUN, CARDS = 6, 10, 128
"""Rules that count one after another, correct sorts in a row after which the rule changes, cards at most
(Heaton et al. 1993, manual of the Wisconsin card sorting test)."""
PEOPLE = 400
"""Sequences of choices over which scores are averaged (declared)."""
REWARD, PUNISHMENT, CONSISTENCY = 0.8, 0.7, 3.0
"""r, p and d in health (declared: healthy adults then make about a tenth of perseverative errors and finish
six categories)."""
LEAK = 0.05
"""l in health (declared)."""
FOLD = 1.25
"""Rate of the dlPFC and of D1 cells under their stimulus over their resting rate, in health (declared)."""
AFTER = 5
"""Cards after a change of rule on which shifting is scored, but the first, an error for all (declared)."""


def run(state: State, atlas: Atlas, seed: int = 0) -> dict[str, float]:
    """Scores of one state; `seed` sets the choices."""
    numbers = control(beside_reference(state), atlas)
    return sorting(*numbers, seed=seed) if numbers is not None else {}


def control(state: State, atlas: Atlas) -> tuple[float, float, float, float] | None:
    """r, p, d and l of a state; None where the brain lacks a part or one finds no rest under its stimulus."""
    dlpfc = nodes_of(atlas, "cortex", "dlPFC")
    striatum = nodes_of(atlas, "striatum", "dorsal striatum", "Cont")
    if not (len(dlpfc) and len(striatum)):
        return None
    noise, held, path = (
        now / health
        for now, health in zip(_measured(state, atlas), _measured(state.healthy.state, atlas), strict=True)
    )
    taught = teaching(state, atlas, striatum)
    gate = signal(state, dlpfc) * evoked(state, striatum, 0, FOLD) * path
    consistency = CONSISTENCY * evoked(state, dlpfc, 0, FOLD) / noise
    if taught is None or not np.isfinite([gate, consistency, held]).all():
        return None
    gate = max(gate, 0.0)
    return (
        rate_of_learning(REWARD, gate * taught.d1_better),
        rate_of_learning(PUNISHMENT, gate * taught.d2_worse),
        max(consistency, 0.0),
        float(np.clip(LEAK / held, 0.0, 1.0)),
    )


@lru_cache(maxsize=8)
def _measured(state: State, atlas: Atlas) -> np.ndarray:
    """Noise of the dlPFC, its amplification, and how far D1 cells reach it through GPi and thalamus, (3,)."""
    dlpfc = nodes_of(atlas, "cortex", "dlPFC")
    striatum = nodes_of(atlas, "striatum", "dorsal striatum", "Cont")
    return np.array(
        [noise_sd(state, dlpfc, 0), amplification(state, dlpfc), reach(state, atlas, striatum, dlpfc)]
    )


def reach(state: State, atlas: Atlas, striatum: np.ndarray, cortex: np.ndarray) -> float:
    """Excitation of cortical E cells per spike of D1 cells: spikes of relay cells freed from GPi.

    Hz per Hz, times release of relay cells and the conductance that it meets. What these axons do through
    inhibitory cells of the cortex is left out: it would turn the sign in some draws.
    """
    wiring = state.healthy.wiring
    at, cell = wiring.source_node, wiring.source_slot
    template, slope = atlas.node_template[at], rate_slope(state)
    d1 = np.flatnonzero((template == "striatum") & (cell == 0) & np.isin(at, striatum))
    gpi = np.flatnonzero((template == "pallidum") & (cell == 1))
    relay = np.flatnonzero((template == "thalamus") & (cell == 0))
    static = local_transfer(state.linear.jacobian, np.array([1e-9]))
    between, none = LongRange(wiring, static, state.coupling), undelayed(wiring)

    def step(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return between.block(rows, columns, none)[0].real

    freed = slope[at[relay], 0] * (step(relay, gpi) @ step(gpi, d1) @ (1.0 / slope[at[d1], 0]))
    sent = (state.parameters.release[at[relay], 0] * freed).mean()
    return float(sent * state.coupling[:2, cortex, 0].mean())


def sorting(
    reward: float = REWARD,
    punishment: float = PUNISHMENT,
    consistency: float = CONSISTENCY,
    leak: float = LEAK,
    seed: int = 0,
) -> dict[str, float]:
    """The card sorting test.

    Returns
    -------
    dict
        ``perseverative_errors``, share of cards sorted by the rule that counted before, %;
        ``set_shift_accuracy``, share of right sorts soon after a change; ``categories_completed``. The first
        two are summed over the probabilities of what could be chosen, not over what was.
    """
    u = np.random.default_rng(seed).random((CARDS, PEOPLE))
    who = np.arange(PEOPLE)
    a = np.full((PEOPLE, RULES), 1.0 / RULES)
    done, run_, since = np.zeros((3, PEOPLE), int)
    cards, perseverative, shifting, right_soon = np.zeros((4, PEOPLE))
    for draw in u:
        active = done < CATEGORIES
        if not active.any():
            break
        p = a**consistency
        p /= p.sum(1, keepdims=True)
        target = done % RULES
        chosen = (draw[:, None] > np.cumsum(p, 1)[:, :-1]).sum(1)
        right = chosen == target
        shifted = active & (done > 0)
        cards += active
        perseverative += np.where(shifted, p[who, target - 1], 0.0)
        soon = shifted & (since >= 1) & (since <= AFTER)
        shifting += soon
        right_soon += np.where(soon, p[who, target], 0.0)
        used = np.zeros(a.shape)
        used[who, chosen] = 1.0
        others = (a + 1e-12) * (1.0 - used)  # even where all attention was on the wrong rule
        others /= others.sum(1, keepdims=True)
        a = a + np.where(right[:, None], reward * (used - a), punishment * (others - a))
        a = 1.0 / RULES + (1.0 - leak) * (a - 1.0 / RULES)
        run_ = np.where(right, run_ + 1, 0)
        change = active & (run_ == RUN)
        done, since = done + change, np.where(change, 0, since + 1)
        run_ = np.where(change, 0, run_)
    out = {
        "perseverative_errors": 100.0 * float(perseverative.sum() / cards.sum()),
        "categories_completed": float(done.mean()),
    }
    if shifting.sum() > LEAST * PEOPLE:
        out["set_shift_accuracy"] = float(right_soon.sum() / shifting.sum())
    return out


LEAST = 0.05
"""Changes of rule per person below which shifting is not scored."""

TASK = Task(
    "set_shifting",
    (
        Score("perseverative_errors", None, 0.0, -1),
        Score("set_shift_accuracy", 1.0 / RULES, 1.0, 1),
        Score("categories_completed", 0.0, float(CATEGORIES), 1),
    ),
    run,
    "Card sorting by one of three rules, which changes without notice after ten right sorts in a row; up to "
    "six categories or 128 cards. Scored as sorts by the former rule, % of cards, and right sorts soon after "
    "a change.",
    "Heaton et al. 1993, Wisconsin card sorting test; Bishara et al. 2010 J Math Psychol 54:5",
)
