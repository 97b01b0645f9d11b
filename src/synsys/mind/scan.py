"""Likelihoods of whole groups, compiled: parameter sets, or people if there are few sets, side by side in a
vector.

The two functions of a model are called once with traced numbers (`synsys.simulation.trace`); what comes
out becomes one loop over trials in vector code. What depends on parameters alone is computed before the
loop.
"""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from os import cpu_count
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from synsys.mind.model import Model, hot
from synsys.mind.trials import ABSENT, Trials

LANES = 32
"""Parameter sets, or people, in a vector."""


def log_likelihood(model: Model, trials: Trials, theta: np.ndarray) -> np.ndarray:
    """Log-likelihood of every person under every set of parameters.

    Parameters
    ----------
    model : Model
    trials : Trials
        Of S people.
    theta : ndarray, (S, K, P)
        Sets of parameters on the fitted scale, K for each person.

    Returns
    -------
    ndarray, (S, K)
        -inf where the model breaks down (a negative precision, a number too large).
    """
    total, _ = _run(model, trials, theta, "sum")
    return np.where(np.isfinite(total), total, -np.inf)


def trajectory(model: Model, trials: Trials, theta: np.ndarray) -> dict[str, np.ndarray]:
    """What the model shows of every trial, and its log-likelihood there.

    Parameters
    ----------
    theta : ndarray, (S, P)
        One set of parameters a person, on the fitted scale.

    Returns
    -------
    dict
        Name -> (S, T); ``log_p`` is the log-probability of what was chosen, ``choice=0``, ... the probability
        of each option of a column before the choice. NaN behind the last trial.
    """
    _, course = _run(model, trials, theta[:, None, :], "course")
    names = ("log_p", *_traced(model)["shown"])
    out = {name: course[:, :, k] for k, name in enumerate(names)}
    return {name: np.where(trials.used, values, np.nan) for name, values in out.items()}


def step(
    model: Model, s: Any, t: Any, p: Any, start: dict[str, Any]
) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    """One trial: state after it, log-probability of what was chosen, and what is shown of it.

    `start` is the state to begin a block with. This is the only place where a trial is put together; the
    compiled loop and the plain evaluation in NumPy are both made of it.
    """
    if model.restarts:
        fresh = t.begin
        s = SimpleNamespace(**{n: np.where(fresh > 0.5, start[n], getattr(s, n)) for n in start})
    log_p: Any = 0.0
    seen: dict[str, Any] = {}
    for k, choice in enumerate(model.choices):
        given, told = getattr(t, choice.column), model.policy(k, s, t, p)
        if choice.options:
            seen |= {f"{choice.column}={j}": np.exp(told[j]) for j in range(choice.options)}
            log_p = log_p + (hot(given, choice.options) * told).sum(0)
        else:
            z = (given - told[0]) * np.exp(-told[1])
            log_p = log_p + np.where(
                given < ABSENT / 2, -0.5 * z * z - told[1] - 0.5 * np.log(2 * np.pi), 0.0
            )
    return model.learn(s, t, p), np.where(t.hidden > 0.5, 0.0, log_p), model.shown(s, t, p) | seen


def plain(model: Model, trials: Trials, theta: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The same as `trajectory` in NumPy alone, people side by side: log-likelihood (S,) and what is shown."""
    p, start = start_of(model, theta)
    s, shown = SimpleNamespace(**start), []
    old = np.seterr(all="ignore")  # a model that breaks down says so by what it returns
    for k in range(trials.begins.shape[1]):
        t = SimpleNamespace(**{name: values[:, k] for name, values in trials.columns.items()})
        t.begin = trials.begins[:, k].astype(float)
        t.hidden = trials.columns.get("hidden", np.zeros(trials.begins.shape))[:, k]
        new, log_p, seen = step(model, s, t, p, start)
        s = SimpleNamespace(**new)
        shown.append({"log_p": log_p, **seen})
    np.seterr(**old)
    out = {n: np.stack([np.broadcast_to(row[n], len(trials)) for row in shown], 1) for n in shown[0]}
    total = np.where(trials.used, out["log_p"], 0.0).sum(1)
    out = {name: np.where(trials.used, values, np.nan) for name, values in out.items()}
    return np.where(np.isfinite(total), total, -np.inf), out


def start_of(model: Model, theta: np.ndarray) -> tuple[SimpleNamespace, dict[str, np.ndarray]]:
    """Parameters of people, (S,) each, and their state before the first trial, (..., S) each."""
    native = model.native(theta)
    p = SimpleNamespace(**{name: native[:, k] for k, name in enumerate(model.names)})
    one = model.start(SimpleNamespace(**{name: native[0, k] for k, name in enumerate(model.names)}))
    whole = model.start(p)
    out = {}
    for name, value in whole.items():
        shape = (*np.shape(one[name]), len(theta))
        own = np.asarray(value, float)
        out[name] = np.array(np.broadcast_to(own if own.shape == shape else own[..., None], shape))
    return p, out


def _run(model: Model, trials: Trials, theta: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihood (S, K) and course (S, T, shown) of the first set."""
    people, sets, _ = theta.shape
    across = -(-people // LANES) * sets < people * -(-sets // LANES)
    length = trials.begins.shape[1]
    data, size = _laid_out(model, trials, across)
    # people in lanes: (rows of people, sets, P, lanes); sets in lanes: (people, groups of sets, P, lanes)
    params = _in_lanes(theta) if across else _in_lanes(theta.swapaxes(0, 1)).swapaxes(0, 1)
    params = np.ascontiguousarray(params)
    rows, groups = params.shape[:2]
    code = _compiled(model, what, across)
    total = np.empty((rows, groups, LANES))
    shown = 1 + len(_traced(model)["shown"]) if what == "course" else 0
    course = np.zeros((rows, groups, length, shown, LANES))
    pointers = (ctypes.c_void_p * 5)(*(a.ctypes.data for a in (data, params, size, total, course)))

    def some(first: int, last: int) -> None:
        counts = (ctypes.c_int64 * 4)(first, last, groups, length)
        code.run(ctypes.addressof(pointers), ctypes.addressof(counts))

    workers = min(cpu_count() or 1, rows)
    if rows * groups * length < 20_000 or workers == 1:
        some(0, rows)
    else:
        edges = np.linspace(0, rows, 4 * workers + 1).astype(int)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(some, edges[:-1], edges[1:]))
    if across:
        apart = course[:, 0].transpose(0, 3, 1, 2).reshape(rows * LANES, length, shown)
        return total.swapaxes(1, 2).reshape(-1, sets)[:people], apart[:people]
    return total.reshape(people, -1)[:, :sets], course[:, 0, :, :, 0]


_LAID: WeakKeyDictionary[Trials, dict[tuple, tuple[np.ndarray, np.ndarray]]] = WeakKeyDictionary()


def _laid_out(model: Model, trials: Trials, across: bool) -> tuple[np.ndarray, np.ndarray]:
    """Trials as the loop reads them, (people, T, columns) or (rows of people, T, columns, lanes), and how
    many there are in each row; kept as long as the trials are, since fits read them many times."""
    key = model.columns, model.restarts, across
    known = _LAID.setdefault(trials, {})
    if key not in known:
        hidden = np.where(trials.used, trials.columns.get("hidden", 0.0), 1.0)
        columns = [trials.columns[name] for name in model.columns]
        columns += [*([trials.begins.astype(float)] if model.restarts else []), hidden]
        data, size = np.stack(columns, -1), np.asarray(trials.length, np.int64)
        if across:
            data, size = _in_lanes(data), _in_lanes(size).max(-1)
        known[key] = np.ascontiguousarray(data), np.ascontiguousarray(size)
    return known[key]


def _in_lanes(values: np.ndarray) -> np.ndarray:
    """The first axis, filled up with its last entry, split into groups whose members lie innermost:
    (N, ...) to (N / lanes, ..., lanes)."""
    groups = -(-len(values) // LANES)
    at = np.minimum(np.arange(groups * LANES), len(values) - 1)
    return np.moveaxis(values[at].reshape(groups, LANES, *values.shape[1:]), 1, -1)


@cache
def _traced(model: Model) -> dict[str, Any]:
    """Graph of one trial: nodes of start, state after it, log-probability and what is shown."""
    from synsys.simulation.trace import Graph, lifted

    graph = Graph()
    p = SimpleNamespace(
        **{q.name: lifted(graph, q.native(graph.read("param", q.name))) for q in model.parameters}
    )
    start = {name: lifted(graph, value) for name, value in model.start(p).items()}
    s = SimpleNamespace(**{name: graph.read("state", name, value.shape) for name, value in start.items()})
    names = (*model.columns, *(["begin"] if model.restarts else []), "hidden")
    t = SimpleNamespace(**{name: graph.read("trial", name) for name in names})
    new, log_p, shown = step(model, s, t, p, start)
    after = {name: lifted(graph, new[name]) for name in start}
    for name, value in start.items():
        if after[name].shape != value.shape:
            raise ValueError(
                f"{model.name}: {name} has shape {after[name].shape} after a trial, not {value.shape}"
            )

    def flat(values: dict[str, Any]) -> list[Any]:
        return [node for name in start for node in values[name].nodes.reshape(-1)]

    return {
        "graph": graph, "start": flat(start), "after": flat(after),
        "keys": [(name, index) for name, v in start.items() for index in np.ndindex(*v.shape)],
        "trial": names, "log_p": lifted(graph, log_p).nodes.reshape(-1)[0],
        "shown": {name: lifted(graph, v).nodes.reshape(-1)[0] for name, v in shown.items()},
    }  # fmt: skip


@cache
def _compiled(model: Model, what: str, across: bool) -> Any:
    """Machine code: all trials of every person and vector of sets; `across`: vector of people, and set."""
    import llvmlite.binding as llvm
    from llvmlite import ir

    from synsys.simulation.kernel import loaded
    from synsys.simulation.step import evaluate
    from synsys.simulation.trace import ordered
    from synsys.simulation.vector import Lanes, counted

    found = _traced(model)
    graph = found["graph"]
    wide, i32 = ir.IntType(64), ir.IntType(32)
    module = ir.Module("mind")
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), wide.as_pointer()])
    function = ir.Function(module, kind, "run")
    b = ir.IRBuilder(function.append_basic_block("entry"))
    v = Lanes(b, 64, LANES)
    real = ir.DoubleType().as_pointer()
    at = [b.load(b.gep(function.args[0], [i32(k)])) for k in range(5)]
    data, params, total, course = (b.bitcast(at[k], real) for k in (0, 1, 3, 4))
    length = b.bitcast(at[2], wide.as_pointer())
    first, last, groups, most = (b.load(b.gep(function.args[1], [i32(k)])) for k in range(4))
    places = [b.alloca(v.vec) for _ in found["keys"]]
    sums = b.alloca(v.vec)

    def vector(base: Any, index: Any) -> Any:
        return b.bitcast(b.gep(base, [b.mul(index, wide(LANES))]), v.vec.as_pointer())

    roots = [*found["after"], found["log_p"]]
    roots += list(found["shown"].values()) if what == "course" else []
    columns, count = len(found["trial"]), len(model.parameters)
    shown = [found["log_p"], *found["shown"].values()]
    with counted(b, first, last) as person, counted(b, wide(0), groups) as group:
        row = b.add(b.mul(person, groups), group)
        known = {}
        for k, name in enumerate(model.names):
            place = vector(params, b.add(b.mul(row, wide(count)), wide(k)))
            known[graph.node("param", data=(name, ())).number] = b.load(place, align=8)
        before = [n for n in ordered([*roots, *found["start"]]) if n.fixed and n.op != "const"]
        evaluate(v, before, known)
        for place, value in zip(places, evaluate(v, found["start"], known), strict=True):
            b.store(value, place)
        b.store(v.const(0.0), sums)
        with counted(b, wide(0), b.load(b.gep(length, [person]))) as trial:
            here = b.add(b.mul(person, most), trial)
            leaves = {}
            for k, name in enumerate(found["trial"]):
                place = b.add(b.mul(here, wide(columns)), wide(k))
                leaves[graph.node("trial", data=(name, ())).number] = (
                    b.load(vector(data, place), align=8) if across else v.spread(b.load(b.gep(data, [place])))
                )
            for key, place in zip(found["keys"], places, strict=True):
                leaves[graph.node("state", data=key).number] = b.load(place)
            values = evaluate(v, roots, leaves, known)
            for place, value in zip(places, values, strict=False):
                b.store(value, place)
            b.store(v.add(b.load(sums), values[len(places)]), sums)
            if what == "course":
                base = b.mul(b.add(b.mul(row, most), trial), wide(len(shown)))
                for k, value in enumerate(evaluate(v, shown, leaves, known)):
                    b.store(value, vector(course, b.add(base, wide(k))), align=8)
        b.store(b.load(sums), vector(total, row), align=8)
    b.ret_void()
    return loaded(llvm.parse_assembly(str(module)))
