"""Perceptual decision: which of two directions of motion, by two pools that compete.

Motion discrimination (Roitman & Shadlen 2002 J Neurosci 22:9475) by two selective pools and the rest of the
E cells of the parietal module (`mind.tasks.attractor`), after Wang 2002 (Neuron 36:955) and Wong & Wang 2006.
"""

from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr

from synsys.brain.state import HealthyBrain, State
from synsys.measures.systems import Atlas
from synsys.mind.tasks.attractor import STEP, Module, Pools, deviates, exchanged, strength
from synsys.mind.tasks.record import Score, Task
from synsys.mind.tasks.working_memory import during, nodes_of

LOCUS = "SPL"
SHARE = np.array([0.15, 0.15, 0.7])
"""E cells that prefer either direction, and the rest (Wang 2002)."""
KERNEL = np.diag([1.0, 1.0, 0.0])
PERSISTENT = 20.0
"""Rate at which the chosen pool persists without stimulus in health, Hz, to which tuned recurrence is set
(declared)."""
PULSE, PULSE_TIME = 20.0, 500.0
"""Current (mV) and duration (ms) that bring one pool there in that test."""
COHERENCE = np.array([3.2, 6.4, 12.8, 25.6, 51.2])
"""Share of dots that move together, %."""
MOTION = 2.8
"""Current of motion without coherence, mV; 1 + c and 1 - c times as much reach the two pools (declared)."""
FLICKER, FRAME = 0.1, 50.0
"""Standard deviation of each pool's current relative to its mean, drawn anew after so many ms (4 of 40 Hz and
50 ms in Wang 2002)."""
BEFORE, VIEWED = 200.0, 2000.0
"""Time before motion and longest view of it, ms."""
BOUND = 15.0
"""Rate at which a pool's choice is made, Hz, read from its NMDA gating (15 Hz in Wong & Wang 2006)."""
READING = 2.0
"""Difference of two rates, Hz, that a choice forced at the end of the view tells in 84 % (declared)."""
PAIRS = 150
"""Pairs of trials of each coherence; the second of a pair has the noise of the two pools exchanged."""
BOUNDS = ((0.5, 100.0), (0.3, 5.0))
"""Threshold (%) and slope between which a Weibull function is fitted; at 100 % the task is not mastered."""

_TUNED: "WeakKeyDictionary[HealthyBrain, dict[tuple[int, ...], float]]" = WeakKeyDictionary()


def pools(module: Module, healthy: Module, kappa: float) -> Pools:
    """The two selective pools and the rest."""
    return Pools(module, healthy, SHARE, KERNEL, kappa)


def tuning(brain: HealthyBrain, nodes: np.ndarray) -> tuple[Module, float]:
    """Healthy module, and the tuned recurrence with which a choice persists at `PERSISTENT`."""
    module = Module.of(brain.state, nodes)
    known = _TUNED.setdefault(brain, {})
    key = tuple(int(i) for i in nodes)
    if key not in known:
        steps = round(2500.0 / STEP)
        pulse = during(np.array([PULSE, 0.0, 0.0]), 0.0, PULSE_TIME, steps)

        def holds(kappa: float) -> float:
            net = pools(module, module, kappa)
            return float(net.run(steps, pulse, None, net.begin(1)).rates[-1, 0, 0])

        known[key] = strength(holds, module, PERSISTENT)
    return module, known[key]


@lru_cache(maxsize=4)
def flicker(seed: int, pairs: int, levels: int) -> np.ndarray:
    """Deviates of the currents of both pools in every step, (steps, trials, 2); in pairs, exchanged."""
    frames = np.random.default_rng((seed, 1)).standard_normal((round(VIEWED / FRAME), levels * pairs, 2))
    return np.repeat(exchanged(frames), round(FRAME / STEP), 0)


def perform(
    net: Pools, seed: int = 0, coherence: np.ndarray = COHERENCE, pairs: int = PAIRS
) -> tuple[np.ndarray, np.ndarray]:
    """Choices of trials, motion towards the first pool.

    Returns
    -------
    ndarray, (C, 2 pairs)
        1 where the first pool came to `BOUND` first, 0 where the other did. Where neither did, the choice is
        forced: the probability that a reading of the two rates with error `READING` favours the first.
    ndarray, (C, 2 pairs)
        Time of the choice, ms from the start of motion; the longest view where none came to `BOUND`.
    """
    levels = len(coherence)
    before, viewed = round(BEFORE / STEP), round(VIEWED / STEP)
    noise = deviates(seed, before + viewed, levels * pairs, 3, paired=True)
    toward = 0.01 * np.repeat(coherence, 2 * pairs)[:, None] * np.array([1.0, -1.0])
    current = np.zeros((viewed, len(toward), 3))
    current[..., :2] = MOTION * (1.0 + toward + FLICKER * flicker(seed, pairs, levels))
    rest = net.run(before, None, noise, net.begin(len(toward))).end
    gating = net.run(before + viewed, current, noise, rest).gating[..., :2]
    over = gating.max(-1) >= float(net.gating(BOUND))  # steps, trials
    made, first = over.any(0), over.argmax(0)
    at = gating[np.where(made, first, -1), np.arange(len(made))]
    rates = net.read(at)
    chosen = np.where(made, at[:, 0] > at[:, 1], ndtr((rates[:, 0] - rates[:, 1]) / READING))
    when = np.where(made, STEP * (first + 1.0), VIEWED)
    return chosen.reshape(levels, -1), when.reshape(levels, -1)


def weibull(coherence: np.ndarray, threshold: np.ndarray | float, slope: np.ndarray | float) -> np.ndarray:
    """Proportion correct 1 - exp(-(c / alpha)^beta) / 2: 0.5 at 0, 0.816 at threshold (Quick 1974)."""
    return 1.0 - 0.5 * np.exp(-((np.asarray(coherence) / threshold) ** slope))


def fitted(coherence: np.ndarray, correct: np.ndarray, trials: int) -> tuple[float, float]:
    """Threshold and slope of greatest likelihood within `BOUNDS`.

    Parameters
    ----------
    coherence : ndarray, (C,)
        Above 0, %.
    correct : ndarray, (C,)
        Proportion.
    trials : int
        Of each coherence.
    """
    low, high = np.log(BOUNDS).T

    def loss(at: np.ndarray) -> np.ndarray:
        threshold, slope = np.exp(at)[..., None]
        p = np.clip(weibull(coherence, threshold, slope), 1e-6, 1 - 1e-6)
        return -trials * (correct * np.log(p) + (1 - correct) * np.log1p(-p)).sum(-1)

    # a coarse look everywhere, then down from the best
    grid = np.meshgrid(np.linspace(low[0], high[0], 25), np.linspace(low[1], high[1], 13), indexing="ij")
    every = np.reshape(grid, (2, -1))
    start = every[:, loss(every).argmin()]
    found = minimize(loss, start, method="L-BFGS-B", bounds=list(zip(low, high, strict=True)))
    threshold, slope = np.exp(np.clip(found.x, low, high))
    return float(threshold), float(slope)


def scores(net: Pools, seed: int) -> dict[str, float]:
    """Scores of one pair of pools."""
    chosen, when = perform(net, seed)
    correct = chosen.mean(1)
    threshold, slope = fitted(COHERENCE, correct, chosen.shape[1])
    out = {
        "decision_threshold": threshold,
        "decision_accuracy": float(correct.mean()),
        "decision_time": float(when.mean()),
    }
    if threshold < 0.999 * BOUNDS[0][1]:  # else the task is not mastered, and has no slope
        out["decision_slope"] = slope
    return out


def run(state: State, atlas: Atlas, seed: int) -> dict[str, float]:
    """Scores of one state."""
    nodes = nodes_of(atlas, LOCUS)
    if nodes is None or state.restless:
        return {}
    healthy, kappa = tuning(state.healthy, nodes)
    return scores(pools(Module.of(state, nodes), healthy, kappa), seed)


TASK = Task(
    "decision",
    (
        Score("decision_threshold", 100.0, 0.0, -1),
        Score("decision_slope", None, None, 0),
        Score("decision_accuracy", 0.5, 1.0, 1),
        Score("decision_time", None, 0.0, 0),
    ),
    run,
    "Net direction of random dots of 3.2 to 51.2 % coherence, seen for up to 2 s; scored by the Weibull "
    "function fitted to the proportion correct, and by the time of choice without its motor part.",
    "Roitman and Shadlen 2002 J Neurosci 22:9475; Wang 2002 Neuron 36:955; "
    "Wong and Wang 2006 J Neurosci 26:1314",
)
