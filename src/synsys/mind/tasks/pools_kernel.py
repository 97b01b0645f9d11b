"""Steps of pools that compete and persist (`mind.tasks.attractor`), compiled, trials side by side."""

import ctypes
from functools import cache
from typing import Any

import numpy as np

LANES = 8
"""Trials in a vector."""
POINTERS = (
    "share", "weights", "tonic", "slow_sd", "white_sd", "rows", "first", "common", "own", "slow", "white",
    "gating", "fast", "eta", "rates", "course",
)  # fmt: skip
"""What the loop works on: pools (P), (P, P); tables; current of all trials (steps, P) and of each (group,
steps, P, lanes); noise (group, steps, P, lanes); state (group, P, lanes); rates and gating of every step."""
NUMBERS = ("keep", "fresh", "per_mv", "release", "rate", "saturation", "dn", "ds", "dm")
COUNTS = ("groups", "steps", "start", "pools", "noisy", "alone", "deviates", "n", "s", "m")


def laid(values: np.ndarray) -> np.ndarray:
    """(steps, trials, P) as (group, steps, P, lanes); the last trial fills up the last group."""
    steps, trials, pools = values.shape
    groups = -(-trials // LANES)
    at = np.minimum(np.arange(groups * LANES), trials - 1)
    wide = np.asarray(values, float)[:, at].reshape(steps, groups, LANES, pools)
    return np.ascontiguousarray(wide.transpose(1, 0, 3, 2))


def unlaid(values: np.ndarray, trials: int) -> np.ndarray:
    """(group, steps, P, lanes) as (steps, trials, P)."""
    groups, steps, pools, lanes = values.shape
    return values.transpose(1, 0, 3, 2).reshape(steps, groups * lanes, pools)[:, :trials]


def run(arrays: dict[str, np.ndarray], numbers: dict[str, float], counts: dict[str, int]) -> None:
    """Take all steps; ``gating``, ``fast``, ``eta``, ``rates`` and ``course`` are written to.

    Parameters
    ----------
    arrays : dict of str to ndarray
        `POINTERS`, contiguous, doubles but for ``first`` (int64).
    numbers : dict of str to float
        `NUMBERS`.
    counts : dict of str to int
        `COUNTS`.
    """
    scalars = np.array([numbers[name] for name in NUMBERS])
    pointers = (ctypes.c_void_p * (len(POINTERS) + 1))(
        *(arrays[name].ctypes.data for name in POINTERS), scalars.ctypes.data
    )
    sizes = (ctypes.c_int64 * len(COUNTS))(*(counts[name] for name in COUNTS))
    _compiled().run(ctypes.addressof(pointers), ctypes.addressof(sizes))


@cache
def _compiled() -> Any:
    import llvmlite.binding as llvm
    from llvmlite import ir

    from synsys.simulation.kernel import loaded
    from synsys.simulation.vector import Lanes, counted

    whole, i32 = ir.IntType(64), ir.IntType(32)
    module = ir.Module("pools")
    byte = ir.IntType(8).as_pointer()
    function = ir.Function(
        module, ir.FunctionType(ir.VoidType(), [byte.as_pointer(), whole.as_pointer()]), "run"
    )
    b = ir.IRBuilder(function.append_basic_block("entry"))
    v = Lanes(b, 64, LANES)
    real = ir.DoubleType().as_pointer()
    at = {}
    for k, name in enumerate((*POINTERS, "scalars")):
        kind = whole.as_pointer() if name == "first" else real
        at[name] = b.bitcast(b.load(b.gep(function.args[0], [i32(k)])), kind)
    c = {name: b.load(b.gep(function.args[1], [i32(k)])) for k, name in enumerate(COUNTS)}
    x = {name: v.spread(b.load(b.gep(at["scalars"], [i32(k)]))) for k, name in enumerate(NUMBERS)}
    one, zero = v.const(1.0), v.const(0.0)
    across, down = c["n"], b.mul(c["n"], c["s"])
    pools, lanes = c["pools"], whole(LANES)

    def place(name: str, index: Any) -> Any:
        return b.bitcast(b.gep(at[name], [b.mul(index, lanes)]), v.vec.as_pointer())

    def load(name: str, index: Any) -> Any:
        return b.load(place(name, index), align=8)

    def store(value: Any, name: str, index: Any) -> None:
        b.store(value, place(name, index), align=8)

    def number(name: str, index: Any) -> Any:
        return v.spread(b.load(b.gep(at[name], [index])))

    def gathered(name: str, index: Any) -> Any:
        out: Any = ir.Constant(v.vec, ir.Undefined)
        for lane in range(LANES):
            value = b.load(b.gep(at[name], [b.extract_element(index, i32(lane))]))
            out = b.insert_element(out, value, i32(lane))
        return out

    def whole_of(value: Any) -> Any:
        return b.fptosi(value, v.ints)

    def real_of(value: Any) -> Any:
        return b.sitofp(value, v.vec)

    def last(count: Any, less: float) -> Any:
        return v.sub(real_of(v.spread(count)), v.const(less))

    def within(value: Any, count: Any, less: float) -> Any:
        return v.min(v.max(value, zero), last(count, less))

    sums = {name: b.alloca(v.vec) for name in ("slow", "n", "below", "change")}

    def summed(name: str, value: Any) -> None:
        b.store(v.add(b.load(sums[name]), value), sums[name])

    with counted(b, whole(0), c["groups"]) as g, counted(b, whole(0), c["steps"]) as step:
        base = b.mul(g, pools)
        here = b.mul(b.add(b.mul(g, c["steps"]), step), pools)
        drawn = b.mul(b.add(b.mul(g, c["deviates"]), b.add(c["start"], step)), pools)
        b.store(zero, sums["slow"])
        with counted(b, whole(0), pools) as i:
            summed("slow", v.mul(number("share", i), load("gating", b.add(base, i))))
        slow, fast = b.load(sums["slow"]), load("fast", g)
        y = within(v.div(slow, x["ds"]), c["s"], 1.001)
        j, k = whole_of(y), whole_of(within(v.div(fast, x["dm"]), c["m"], 1.001))
        fs = v.sub(y, real_of(j))
        corner = b.add(b.mul(k, v.spread(down)), b.mul(j, v.spread(across)))
        half = v.const(0.5)
        near_m = whole_of(within(v.add(v.div(fast, x["dm"]), half), c["m"], 1.0))
        near_s = whole_of(within(v.add(v.div(slow, x["ds"]), half), c["s"], 1.0))
        spread_at = b.mul(b.add(b.mul(near_m, v.spread(c["s"])), near_s), v.spread(pools))
        for name in ("below", "change"):
            b.store(zero, sums[name])
        with counted(b, whole(0), pools) as i:
            b.store(number("tonic", i), sums["n"])
            with counted(b, whole(0), pools) as other:
                w = number("weights", b.add(b.mul(other, pools), i))
                b.store(v.fma(w, load("gating", b.add(base, other)), b.load(sums["n"])), sums["n"])
            summed("n", v.mul(x["per_mv"], number("common", b.add(b.mul(step, pools), i))))
            with b.if_then(b.icmp_signed("!=", c["alone"], whole(0))):
                summed("n", v.mul(x["per_mv"], load("own", b.add(here, i))))
            with b.if_then(b.icmp_signed("!=", c["noisy"], whole(0))):
                n = b.load(sums["n"])
                eta = load("eta", b.add(base, i))
                events = v.mul(v.mul(number("slow_sd", i), v.sqrt(v.max(n, zero))), eta)
                inhibited = gathered("white_sd", b.add(spread_at, v.spread(i)))
                white = load("white", b.add(drawn, i))
                b.store(v.add(n, v.add(events, v.mul(inhibited, white))), sums["n"])
                later = load("slow", b.add(b.add(drawn, pools), i))
                store(v.add(v.mul(x["keep"], eta), v.mul(x["fresh"], later)), "eta", b.add(base, i))
            u = within(v.div(b.load(sums["n"]), x["dn"]), c["n"], 1.001)
            low = whole_of(u)
            fx = v.sub(u, real_of(low))
            start = b.add(b.add(low, v.spread(b.load(b.gep(at["first"], [i])))), corner)

            def along(offset: Any, start: Any = start, fx: Any = fx) -> Any:
                first = b.add(start, v.spread(offset))
                a = gathered("rows", first)
                return v.fma(fx, v.sub(gathered("rows", b.add(first, v.spread(whole(1)))), a), a)

            def between(offset: Any) -> Any:
                a = along(offset)
                return v.fma(fs, v.sub(along(b.add(offset, across)), a), a)

            below = between(whole(0))
            change = v.sub(between(down), below)
            store(below, "rates", b.add(here, i))
            store(change, "course", b.add(here, i))
            share = number("share", i)
            summed("below", v.mul(share, below))
            summed("change", v.mul(share, change))
        scale = v.div(x["release"], x["rate"])
        base_m = v.mul(real_of(k), x["dm"])
        z = v.div(
            v.sub(v.mul(scale, b.load(sums["below"])), base_m),
            v.sub(x["dm"], v.mul(scale, b.load(sums["change"]))),
        )
        store(v.max(v.mul(v.add(real_of(k), z), x["dm"]), zero), "fast", g)
        with counted(b, whole(0), pools) as i:
            there = b.add(here, i)
            rate = v.max(v.fma(z, load("course", there), load("rates", there)), zero)
            full = v.div(v.fma(x["saturation"], x["rate"], one), v.fma(x["saturation"], rate, one))
            to = v.mul(v.mul(x["release"], v.div(rate, x["rate"])), full)
            s = load("gating", b.add(base, i))
            s = v.fma(v.sub(s, to), x["keep"], to)
            store(rate, "rates", there)
            store(s, "course", there)
            store(s, "gating", b.add(base, i))
    b.ret_void()
    return loaded(llvm.parse_assembly(str(module)))
