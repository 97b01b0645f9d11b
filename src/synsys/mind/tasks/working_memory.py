"""Spatial working memory: a place held over a delay by a bump of activity on a ring, with a distractor.

The oculomotor delayed response (Funahashi et al. 1989 J Neurophysiol 61:331) on a ring of E pools of the
dorsolateral prefrontal module (`mind.tasks.attractor`), after Compte et al. 2000 (Cereb Cortex 10:910) and
Murray et al. 2014 (Cereb Cortex 24:859).
"""

from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np

from synsys.brain.state import HealthyBrain, State
from synsys.measures.systems import Atlas
from synsys.mind.tasks.attractor import STEP, Module, Pools, deviates, strength
from synsys.mind.tasks.record import Score, Task

LOCUS = "dlPFC"
POOLS = 36
ANGLE = np.arange(POOLS) * 360.0 / POOLS
FOOTPRINT = 20.0
"""Standard deviation of tuned recurrence, degrees (declared; 14.4 in Compte et al. 2000, 9 in Murray et al.
2014, whose cells lie closer than our pools)."""
PERSISTENT = 60.0
"""Rate of the healthy bump at its peak, Hz, to which tuned recurrence is set (declared: at 60 Hz 23 of
24 healthy people keep their memory, at 50 Hz 21)."""
CUE, WIDTH = 40.0, 18.0
"""Current of the cue at its centre, mV, and its standard deviation, degrees (declared)."""
DISTRACTOR, AWAY = 10.0, 60.0
"""Current of the distractor, mV, and its angle from the cue, degrees (declared)."""
CUE_TIME, DELAY = 250.0, 3000.0
"""Cue and delay, ms (250 ms as in Murray et al. 2014; 3 s as in Funahashi et al. 1989)."""
DISTRACTED = (1250.0, 1500.0)
"""When the distractor is shown, ms after the cue is gone."""
TRIALS = 80
WINDOW = 10.0
"""Largest error of a correct report, degrees (declared)."""
HELD = 0.4
"""Least length of the mean vector of rates of a memory that is still held (declared; 0 = uniform)."""

LEAST = 10
"""Held memories from which drift and distractibility are told; with fewer they are absent."""

_TUNED: "WeakKeyDictionary[HealthyBrain, dict[tuple[float, ...], float]]" = WeakKeyDictionary()


@lru_cache(maxsize=1)
def kernel() -> np.ndarray:
    """From whom the tuned recurrence of each pool comes, (P, P)."""
    profile = np.exp(-0.5 * (separation(ANGLE, 0.0) / FOOTPRINT) ** 2)
    profile /= profile.sum()
    return np.array([np.roll(profile, i) for i in range(POOLS)])


def separation(angle: np.ndarray, other: float | np.ndarray) -> np.ndarray:
    """Signed angle from `other`, degrees, -180 to 180."""
    return (np.asarray(angle) - other + 180.0) % 360.0 - 180.0


def shown(angle: float, current: float, net: Pools) -> np.ndarray:
    """Current into each pool of a stimulus at `angle`, mV, (P,)."""
    on_ring = current * np.exp(-0.5 * (separation(ANGLE, angle) / WIDTH) ** 2)
    return np.pad(on_ring, (0, len(net.share) - POOLS))


def during(current: np.ndarray, begin: float, over: float, steps: int) -> np.ndarray:
    """A current (P,) from one time to another (ms) and none else, (steps, P)."""
    t = STEP * np.arange(steps)
    return np.where(((t >= begin) & (t < over))[:, None], current, 0.0)


def vector(rates: np.ndarray) -> np.ndarray:
    """Mean vector of rates, complex (...,): its angle is the report, its length how sharp activity is."""
    on_ring = rates[..., :POOLS]
    return (on_ring @ np.exp(1j * np.deg2rad(ANGLE))) / np.maximum(on_ring.sum(-1), 1e-9)


def ring(module: Module, healthy: Module, kappa: float, tuned: float = 1.0) -> Pools:
    """The ring, of all E cells or of a share of them; a last pool then holds the rest."""
    if tuned == 1.0:
        return Pools(module, healthy, np.full(POOLS, 1.0 / POOLS), kernel(), kappa)
    share = np.append(np.full(POOLS, tuned / POOLS), 1.0 - tuned)
    return Pools(module, healthy, share, np.pad(kernel(), ((0, 1), (0, 1))), kappa)


def tuning(brain: HealthyBrain, nodes: np.ndarray, tuned: float = 1.0) -> tuple[Module, float]:
    """Healthy module, and the tuned recurrence with which its bump persists at `PERSISTENT`."""
    module = Module.of(brain.state, nodes)
    known = _TUNED.setdefault(brain, {})
    key = (tuned, *(int(i) for i in nodes))
    if key not in known:

        def holds(kappa: float) -> float:
            net = ring(module, module, kappa, tuned)
            steps = round(2000.0 / STEP)
            cue = during(shown(0.0, CUE, net), 0.0, CUE_TIME, steps)
            return float(net.run(steps, cue, None, net.begin(1)).rates[-1].max())

        known[key] = strength(holds, module, PERSISTENT)
    return module, known[key]


def perform(
    net: Pools,
    seed: int = 0,
    cue: float = 180.0,
    away: float = AWAY,
    trials: int = TRIALS,
) -> tuple[np.ndarray, np.ndarray]:
    """Trials without, and the first of them again with a distractor.

    Parameters
    ----------
    net : Pools
    seed : int
    cue : float
        Angle, degrees.
    away : float
        Angle of the distractor from the cue.
    trials : int
        Half of them are done again, with the same noise.

    Returns
    -------
    ndarray, complex (steps, trials)
        Mean vectors of rates from the end of the cue on, turned back by `cue`.
    ndarray, complex (trials // 2,)
        The same at the end of the delay, with the distractor.
    """
    half = trials // 2
    begin, over = (round((CUE_TIME + t) / STEP) for t in DISTRACTED)
    end, shown_for = round((CUE_TIME + DELAY) / STEP), round(CUE_TIME / STEP)
    noise = deviates(seed, end, trials, len(net.share))
    first = during(shown(cue, CUE, net), 0.0, CUE_TIME, begin)
    second = during(shown(cue + away, DISTRACTOR, net), 0.0, STEP * (over - begin), end - begin)
    back = np.exp(-1j * np.deg2rad(cue))
    before = net.run(begin, first, noise, net.begin(trials))
    after = net.run(end, None, noise, before.end)
    distracted = net.run(end, second, noise, before.end.first(half))
    plain = np.concatenate([before.rates[shown_for:], after.rates])
    return vector(plain) * back, vector(distracted.rates[-1]) * back


def diffusion(report: np.ndarray) -> float:
    """Diffusion of reports (steps, trials; degrees), deg^2/s: growth of the squared displacement.

    Displacement over 1.25 s less that over 0.25 s, so that what only shakes the report drops out; from 0.5 s
    after the cue on.
    """
    path = np.rad2deg(np.unwrap(np.deg2rad(report), axis=0))[round(500 / STEP) :]
    short, long = round(250 / STEP), round(1250 / STEP)
    msd = [float(((path[lag:] - path[:-lag]) ** 2).mean()) for lag in (short, long)]
    return (msd[1] - msd[0]) / (1e-3 * STEP * (long - short))


def nodes_of(atlas: Atlas, locus: str) -> np.ndarray | None:
    """Cortical nodes of a locus, or None if this brain has none."""
    where = atlas.where(locus)
    if where is None:
        return None
    at = np.flatnonzero(np.isin(atlas.node_region, np.flatnonzero(where)) & (atlas.node_template == "cortex"))
    return at if len(at) else None


def scores(net: Pools, seed: int) -> dict[str, float]:
    """Scores of one ring."""
    plain, distracted = perform(net, seed)
    report = np.rad2deg(np.angle(plain))
    held = np.abs(plain[-1]) > HELD
    out = {"memory_accuracy": float((held & (np.abs(report[-1]) <= WINDOW)).mean())}
    if held.sum() >= LEAST:
        out["memory_drift"] = diffusion(report[:, held])
    half = len(distracted)
    both = held[:half] & (np.abs(distracted) > HELD)
    if both.sum() >= LEAST:
        moved = separation(np.rad2deg(np.angle(distracted)), report[-1, :half])
        out["memory_distractibility"] = float(moved[both].mean())
    return out


def run(state: State, atlas: Atlas, seed: int) -> dict[str, float]:
    """Scores of one state."""
    nodes = nodes_of(atlas, LOCUS)
    if nodes is None or state.restless:
        return {}
    healthy, kappa = tuning(state.healthy, nodes)
    return scores(ring(Module.of(state, nodes), healthy, kappa), seed)


TASK = Task(
    "working_memory",
    (
        Score("memory_accuracy", 2 * WINDOW / 360.0, 1.0, 1),
        Score("memory_drift", None, 0.0, -1),
        Score("memory_distractibility", None, 0.0, -1),
    ),
    run,
    "A place is shown for 250 ms and reported after 3 s, without and with a distractor 60 degrees away; "
    "scored by the angle between cue and report.",
    "Funahashi et al. 1989 J Neurophysiol 61:331; Compte et al. 2000 Cereb Cortex 10:910; "
    "Murray et al. 2014 Cereb Cortex 24:859",
)
