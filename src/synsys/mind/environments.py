"""Tasks in which simulated people choose: what they are shown, and what their choices bring.

An environment makes the columns of a table of trials that are known beforehand, hidden ones (names that
begin with ``_``) included, and answers a choice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from synsys.core.errors import unknown
from synsys.mind.model import Model, Values
from synsys.mind.scan import start_of
from synsys.mind.trials import Trials

Columns = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Environment:
    """A task.

    Attributes
    ----------
    name : str
    trials : int
        The usual number.
    make : callable
        ``make(rng, people, trials)``: columns (people, trials), and ``_begins`` where blocks begin.
    answer : callable
        ``answer(stage, t)``: columns, as a dict, that follow the choice of a stage.
    description : str
    source : str
    """

    name: str
    trials: int
    make: Callable[[np.random.Generator, int, int], Columns]
    answer: Callable[[int, Values], dict[str, np.ndarray]]
    description: str
    source: str


def simulate(
    model: Model,
    theta: np.ndarray,
    rng: np.random.Generator,
    environment: Environment | None = None,
    trials: int | None = None,
    columns: Columns | None = None,
) -> Trials:
    """People with given parameters perform a task.

    Parameters
    ----------
    model : Model
    theta : ndarray, (S, P)
        Parameters on the fitted scale, one set a person.
    rng : Generator
    environment : Environment, optional
        That of the model by default.
    trials : int, optional
        How many; the usual number by default.
    columns : dict, optional
        Columns made beforehand, to be used again.
    """
    world = environment or environment_named(model.task)
    people = len(theta)
    known = dict(columns) if columns is not None else world.make(rng, people, trials or world.trials)
    count = next(iter(known.values())).shape[1]
    begins = known.get("_begins", np.zeros((people, count), bool)).astype(bool)
    begins[:, 0] = True
    for name, value in model.optional.items():
        known.setdefault(name, np.full((people, count), value))
    shown = (name for name in known if not name.startswith("_"))  # other models may read them
    found = {name: np.full((people, count), np.nan) for name in dict.fromkeys((*model.columns, *shown))}
    with np.errstate(all="ignore"):
        p, start = start_of(model, theta)
        s = SimpleNamespace(**start)
        for k in range(count):
            t = SimpleNamespace(**{name: values[:, k] for name, values in known.items()})
            if model.restarts:
                fresh = begins[:, k]
                s = SimpleNamespace(**{n: np.where(fresh, start[n], getattr(s, n)) for n in start})
            for stage, choice in enumerate(model.choices):
                told = model.policy(stage, s, t, p)
                taken = (
                    _drawn(told, rng)
                    if choice.options
                    else told[0] + np.exp(told[1]) * rng.standard_normal(people)
                )
                setattr(t, choice.column, taken)
                for name, values in world.answer(stage, t).items():
                    setattr(t, name, values)
            for name in found:
                found[name][:, k] = getattr(t, name)
            s = SimpleNamespace(**model.learn(s, t, p))
    names = tuple(f"s{i:04d}" for i in range(people))
    return Trials(names, found, np.full(people, count), begins)


def _drawn(log_p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An option for every person, drawn from its probabilities (options, people)."""
    edges = np.cumsum(np.exp(log_p), 0)
    return (rng.random(log_p.shape[1]) * edges[-1] > edges[:-1]).sum(0).astype(float)


def _nothing(stage: int, t: Values) -> dict[str, np.ndarray]:
    return {}


def _volatile(rng: np.random.Generator, people: int, trials: int) -> Columns:
    """A stable stretch (75 %), then reversals of 80 and 20 % every 20 trials, then a stable one of 25 %."""
    p = np.full(trials, 0.75)
    first, last = round(0.35 * trials), round(0.75 * trials)
    phase = (np.arange(first, last) - first) // 20
    p[first:last] = np.where(phase % 2 == 0, 0.2, 0.8)
    p[last:] = 0.25
    return {"outcome": (rng.random((people, trials)) < p).astype(float)}


def _drifting(rng: np.random.Generator, people: int, trials: int) -> Columns:
    """A random walk, steps of 0.1 in calm and 0.5 in lively stretches of 40 trials; noise of 0.3."""
    step = np.where((np.arange(trials) // 40) % 2 == 0, 0.1, 0.5)
    walk = np.cumsum(step * rng.standard_normal((people, trials)), 1)
    return {"outcome": walk + 0.3 * rng.standard_normal((people, trials))}


def _reversal(rng: np.random.Generator, people: int, trials: int, options: int = 3) -> Columns:
    """One of the options pays with 80 %, the others with 20 %; another becomes best every 15 trials."""
    count = -(-trials // 15)
    best = np.empty((people, count), int)
    best[:, 0] = rng.integers(0, options, people)
    for k in range(1, count):
        best[:, k] = (best[:, k - 1] + rng.integers(1, options, people)) % options
    best = np.repeat(best, 15, 1)[:, :trials]
    chance = [np.where(best == c, 0.8, 0.2) for c in range(options)]
    pays = [(rng.random((people, trials)) < p).astype(float) for p in chance]
    begins = np.zeros((people, trials), bool)
    begins[:, ::90] = True
    return {**{f"_pays{c}": pays[c] for c in range(options)}, "_begins": begins}


def _two_armed(rng: np.random.Generator, people: int, trials: int) -> Columns:
    """One of two options pays with 80 %, the other with 20 %; they change places every 15 trials."""
    return _reversal(rng, people, trials, 2)


def _pays(stage: int, t: Values) -> dict[str, np.ndarray]:
    pays = np.stack([getattr(t, f"_pays{c}") for c in range(3) if hasattr(t, f"_pays{c}")])
    return {"outcome": np.take_along_axis(pays, t.choice.astype(int)[None], 0)[0]}


def _two_step(rng: np.random.Generator, people: int, trials: int) -> Columns:
    """Rewards of the four options drift between 25 and 75 % in steps of sd 2.5 %; 70 % common transitions."""
    p = np.empty((4, people, trials))
    p[:, :, 0] = rng.uniform(0.25, 0.75, (4, people))
    for k in range(1, trials):
        moved = p[:, :, k - 1] + 0.025 * rng.standard_normal((4, people))
        moved = np.where(moved > 0.75, 1.5 - moved, moved)
        p[:, :, k] = np.where(moved < 0.25, 0.5 - moved, moved)
    pays = (rng.random(p.shape) < p).astype(float)
    common = (rng.random((people, trials)) < 0.7).astype(float)
    return {**{f"_pays{c}": pays[c] for c in range(4)}, "_common": common}


def _second(stage: int, t: Values) -> dict[str, np.ndarray]:
    if stage == 0:
        return {"state2": np.where(t._common > 0.5, t.choice1, 1.0 - t.choice1)}
    pays = np.stack([getattr(t, f"_pays{c}") for c in range(4)])
    return {"reward": np.take_along_axis(pays, t.choice2.astype(int)[None], 0)[0]}


def _rlwm(rng: np.random.Generator, people: int, trials: int) -> Columns:
    """Blocks of 2 to 6 stimuli, 10 presentations each in shuffled order, until the trials are used up."""
    out: dict[str, list] = {n: [] for n in ("stimulus", "set_size", "_right", "_begins")}
    for _ in range(people):
        rows: dict[str, list] = {n: [] for n in out}
        sizes = [2, 3, 4, 5, 6, 2, 3, 4, 5, 6, 2, 3, 3]
        block = 0
        while len(rows["stimulus"]) < trials:
            n = sizes[block % len(sizes)]
            right = rng.integers(0, 3, n)
            order = np.concatenate([rng.permutation(n) for _ in range(10)])
            rows["stimulus"] += list(order)
            rows["set_size"] += [n] * len(order)
            rows["_right"] += list(right[order])
            rows["_begins"] += [True] + [False] * (len(order) - 1)
            block += 1
        for name in out:
            out[name].append(rows[name][:trials])
    return {name: np.array(v, float) for name, v in out.items()}


def _right(stage: int, t: Values) -> dict[str, np.ndarray]:
    return {"reward": (t.choice == t._right).astype(float)}


def environments() -> dict[str, Environment]:
    """All environments by name."""
    found = (
        Environment("volatile", 320, _volatile, _nothing, _volatile.__doc__ or "",
                    "after Behrens et al. 2007, Nat Neurosci 10:1214, and the example of TAPAS"),
        Environment("drifting", 240, _drifting, _nothing, _drifting.__doc__ or "",
                    "after Nassar et al. 2010, J Neurosci 30:12366"),
        Environment("reversal", 270, _reversal, _pays, _reversal.__doc__ or "",
                    "after Zorowitz et al. 2023, Nat Hum Behav"),
        Environment("reversal2", 270, _two_armed, _pays, _two_armed.__doc__ or "",
                    "after Zorowitz et al. 2023, Nat Hum Behav"),
        Environment("two_step", 200, _two_step, _second, _two_step.__doc__ or "",
                    "Daw et al. 2011, Neuron 69:1204"),
        Environment("rlwm", 720, _rlwm, _right, _rlwm.__doc__ or "",
                    "after Collins et al. 2014, J Neurosci 34:13747"),
    )  # fmt: skip
    return {world.name: world for world in found}


def environment_named(name: str) -> Environment:
    """An environment by its name.

    Raises
    ------
    UserError
        For an unknown name.
    """
    if name not in environments():
        raise unknown("environment", name, environments())
    return environments()[name]
