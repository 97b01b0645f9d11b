"""Machine code for a model: vectors of lanes, whole blocks of steps node by node.

A *lane* is one parameter set or seed; the lanes of a group fill a vector. What arrives from other regions
is summed for a block of steps at once, as many as the shortest delay allows, from a history that is
contiguous in time; then every node runs through the block on its own, its state in the nearest cache.
Layouts, all with lanes innermost:

    state     (node, state)           arriving  (node, channel, point of the block)
    history   (sender, ring)          record    (row, node, observed)

The code is LLVM instructions built from the traced equations, so there is one definition of the drift.
"""

import ctypes
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, NamedTuple

from llvmlite import ir

from synsys.simulation.plan import Plan
from synsys.simulation.step import Step
from synsys.simulation.vector import Lanes, Pair, counted

I32, I64 = ir.IntType(32), ir.IntType(64)
POINTERS = (
    "state", "uniform", "varied", "arriving", "history", "start", "sender", "lag", "weight", "sends", "ident",
    "key", "sum", "record", "wave", "wave_of", "common", "balloon", "balloon_uniform", "balloon_varied",
    "bold",
)  # fmt: skip
"""What the kernel works on, one pointer each."""
COUNTS = ("first", "steps", "ring", "every", "scan", "waves", "rows")
"""And the numbers that it is told: first step, how many, places of the ring, steps to a record and to a scan
(in steps of the balloon), steps of a waveform, rows of state."""
SIDE = 8
"""Targets that are summed side by side where every region hears every other."""
MOST_DRAWS = 128
"""Noisy states and filtered inputs of a model, two a pair: more would repeat the noise of the next node."""
COMMON = 0xFFFFFFC0 >> 6
"""What stands for the node in the counter of inputs common to all regions."""


Terms = Callable[[ir.Value], tuple[list[ir.Value], ir.Value]]
"""Factors of a sender, one for every sum, and what it sends."""


class Writer:
    """Writes the code of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.module = ir.Module("synsys")
        self.module.triple = ""
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer.as_pointer(), I64.as_pointer()])
        function = ir.Function(self.module, kind, "run")
        self.b = ir.IRBuilder(function.append_basic_block("entry"))
        self.v = Lanes(self.b, plan.bits, plan.lanes)
        ints = {"start", "sender", "lag", "sends", "ident", "wave_of", "key"}
        pointers, counts = function.args
        self.at: dict[str, ir.Value] = {}
        for k, name in enumerate(POINTERS):
            raw = self.b.load(self.b.gep(pointers, [I32(k)]))
            element = I32 if name in ints else self.v.scalar
            self.at[name] = self.b.bitcast(raw, element.as_pointer())
        self.n = {name: self.b.load(self.b.gep(counts, [I32(k)])) for k, name in enumerate(COUNTS)}
        self.states = len(plan.equations.states)
        self.filtered = len(plan.equations.filtered)
        self.row = self.states + self.filtered
        self.nodes = plan.groups[-1].stop
        self._write()

    # -- memory -------------------------------------------------------------------------------------

    def load(self, name: str, index: ir.Value) -> ir.Value:
        """Vector at (index x lanes)."""
        return self.b.load(self._vector(name, index), align=4)

    def store(self, value: ir.Value, name: str, index: ir.Value) -> None:
        """Write a vector at (index x lanes)."""
        self.b.store(value, self._vector(name, index), align=4)

    def scalar(self, name: str, index: ir.Value) -> ir.Value:
        """One number or integer."""
        value = self.b.load(self.b.gep(self.at[name], [index]))
        return self.b.sext(value, I64) if value.type == I32 else value

    def _vector(self, name: str, index: ir.Value) -> ir.Value:
        place = self.b.gep(self.at[name], [self.b.mul(index, I64(self.plan.lanes))])
        return self.b.bitcast(place, self.v.vec.as_pointer())

    def loop(self, start: ir.Value, stop: ir.Value, by: int = 1) -> AbstractContextManager[ir.Value]:
        """for i in range(start, stop, by)."""
        return counted(self.b, start, stop, by)

    # -- the whole ----------------------------------------------------------------------------------

    def _write(self) -> None:
        b, n, plan = self.b, self.n, self.plan
        every = self._counter(b.srem(n["first"], n["every"]))
        inner = self._counter(b.srem(n["first"], I64(plan.balloon[2])) if plan.balloon else I64(0))
        slow = self._counter(
            b.srem(b.sdiv(n["first"], I64(plan.balloon[2])), n["scan"]) if plan.balloon else I64(0)
        )
        self.counters = every, inner, slow, self._counter(I64(0)), self._counter(I64(0))
        self.own = [self._counter(I64(0)) for _ in self.counters]
        with self.loop(I64(0), n["steps"], plan.span) as done:
            left = b.sub(n["steps"], done)
            length = b.select(b.icmp_signed("<", left, I64(plan.span)), left, I64(plan.span))
            t = b.add(n["first"], done)
            if plan.common:
                self._in_common(t, length)
            self._arrive(b.sdiv(t, I64(plan.refresh)), 0)
            if plan.heun and not plan.delayed and plan.refresh == 1:
                self._run(t, done, I64(1), guess=True)
                self._arrive(b.sdiv(t, I64(plan.refresh)), 1)
            self._run(t, done, length)
        b.ret_void()

    def _counter(self, value: ir.Value) -> ir.Value:
        place = self.b.alloca(I64)
        self.b.store(value, place)
        return place

    def _run(self, t: ir.Value, done: ir.Value, length: ir.Value, guess: bool = False) -> None:
        """All nodes through a block; with `guess`, to the first stage of a step only."""
        b, n = self.b, self.n
        for group in self.plan.groups:
            with self.loop(I64(group.start), n["rows"] if self.plan.vectors else I64(group.stop)) as node:
                for own, common in zip(self.own, self.counters, strict=True):
                    b.store(b.load(common), own)
                with self.loop(I64(0), length) as s:
                    Step(self, group, node, s, b.add(t, s), b.add(done, s), guess).write()
        if not guess:
            for own, common in zip(self.own, self.counters, strict=True):
                b.store(b.load(own), common)

    # -- what arrives -------------------------------------------------------------------------------

    def _arrive(self, t: ir.Value, first: int) -> None:
        """Sums of what arrives at the points of a block."""
        if not self.plan.equations.channels:
            return
        if self.plan.vectors:
            self._arrive_across(first)
        elif self.plan.dense:
            self._arrive_dense(first)
        else:
            self._arrive_listed(t, first)

    def _arrive_dense(self, first: int) -> None:
        """Every region hears every sender now: weights (block of targets, sender, target)."""
        b, v, plan = self.b, self.v, self.plan
        senders = self.nodes * len(plan.equations.emitted)
        targets = self.nodes * len(plan.equations.channels)
        with self.loop(I64(0), I64(targets), SIDE) as i:
            base = b.mul(i, I64(senders))

            def terms(j: ir.Value) -> tuple[list[ir.Value], ir.Value]:
                place = b.add(base, b.mul(j, I64(SIDE)))
                rows = [v.spread(self.scalar("weight", b.add(place, I64(k)))) for k in range(SIDE)]
                return rows, self.load("history", b.add(j, I64(1)))

            for k, value in enumerate(self._summed(senders, terms)):
                at = b.add(b.mul(b.add(i, I64(k)), I64(plan.points)), I64(first))
                self.store(value, "arriving", at)

    def _arrive_across(self, first: int) -> None:
        """The same with regions side by side: weights (block of target vectors, sender, vector, lane)."""
        b, v, plan = self.b, self.v, self.plan
        emitted, channels = len(plan.equations.emitted), len(plan.equations.channels)
        senders, targets = plan.regions * emitted, plan.vectors * channels
        lanes = I64(plan.lanes)
        with (
            self.loop(I64(0), self.n["rows"], plan.vectors) as run,
            self.loop(I64(0), I64(targets), SIDE) as i,
        ):
            base = b.mul(i, I64(senders))

            def terms(j: ir.Value) -> tuple[list[ir.Value], ir.Value]:
                place = b.add(base, b.mul(j, I64(SIDE)))
                rows = [self.load("weight", b.add(place, I64(k))) for k in range(SIDE)]
                region, what = b.udiv(j, I64(emitted)), b.urem(j, I64(emitted))
                row = b.add(b.mul(b.add(run, b.udiv(region, lanes)), I64(emitted)), b.add(what, I64(1)))
                at = b.add(b.mul(row, lanes), b.urem(region, lanes))
                return rows, v.spread(self.scalar("history", at))

            for k, value in enumerate(self._summed(senders, terms)):
                target = b.add(i, I64(k))
                with b.if_then(b.icmp_signed("<", target, I64(targets))):
                    at = b.mul(b.add(b.mul(run, I64(channels)), target), I64(plan.points))
                    self.store(value, "arriving", b.add(at, I64(first)))

    def _summed(
        self, count: int, terms: Callable[[ir.Value], tuple[list[ir.Value], ir.Value]]
    ) -> list[ir.Value]:
        """`SIDE` sums over j of products: of what `terms(j)` returns, (factors, common factor)."""
        b, v = self.b, self.v
        before = b.block
        head, done = b.function.append_basic_block("sum"), b.function.append_basic_block("summed")
        b.branch(head)
        b.position_at_end(head)
        j = b.phi(I64)
        j.add_incoming(I64(0), before)
        sums = [b.phi(v.vec) for _ in range(SIDE)]
        factors, heard = terms(j)
        new = [v.fma(w, heard, total) for w, total in zip(factors, sums, strict=True)]
        for total, value in zip(sums, new, strict=True):
            total.add_incoming(v.const(0.0), before)
            total.add_incoming(value, b.block)
        then = b.add(j, I64(1))
        j.add_incoming(then, b.block)
        b.cbranch(b.icmp_signed("<", then, I64(count)), head, done)
        b.position_at_end(done)
        return new

    def _arrive_listed(self, t: ir.Value, first: int) -> None:
        """Sums over lists of (sender, lag, weight), one list for every node and channel."""
        b, v, plan, n = self.b, self.v, self.plan, self.n
        points = plan.points if plan.delayed else 1
        now = b.srem(t, n["ring"])
        width = b.add(n["ring"], I64(plan.points))
        with self.loop(I64(0), I64(self.nodes * len(plan.equations.channels))) as i:
            start, stop = self.scalar("start", i), self.scalar("start", b.add(i, I64(1)))
            before = b.block
            names = ("sum", "add", "summed")
            head, body, done = (b.function.append_basic_block(name) for name in names)
            b.branch(head)
            b.position_at_end(head)
            j = b.phi(I64)
            j.add_incoming(start, before)
            sums = [b.phi(v.vec) for _ in range(points)]
            for k in range(points):
                sums[k].add_incoming(v.const(0.0), before)
            b.cbranch(b.icmp_signed("<", j, stop), body, done)
            b.position_at_end(body)
            at = b.sub(now, self.scalar("lag", j))
            at = b.select(b.icmp_signed("<", at, I64(0)), b.add(at, n["ring"]), at)
            at = b.add(at, b.mul(self.scalar("sender", j), width))
            w = v.spread(self.scalar("weight", j))
            for k in range(points):
                sums[k].add_incoming(v.fma(w, self.load("history", b.add(at, I64(k))), sums[k]), b.block)
            j.add_incoming(b.add(j, I64(1)), b.block)
            b.branch(head)
            b.position_at_end(done)
            for k in range(points):
                at = b.add(b.mul(i, I64(plan.points)), I64(k + first))
                self.store(sums[k], "arriving", at)

    def _in_common(self, t: ir.Value, length: ir.Value) -> None:
        """Inputs common to all regions, at the steps of a block and the one after."""
        b, v, plan = self.b, self.v, self.plan
        width = plan.span + 1
        for k, (keep, kick) in enumerate(plan.common):
            row = I64(k * width)
            # the last value of the block before is the first of this one
            self.store(self.load("common", I64(k * width + plan.span)), "common", row)
            with self.loop(I64(0), length) as s:
                one, two = v.normals(self.key(), self.counter(b.add(t, s), v.spread(I32(COMMON)), k // 2))
                old = self.load("common", b.add(row, s))
                new = v.fma(v.const(kick), (one, two)[k % 2], v.mul(v.const(keep), old))
                self.store(new, "common", b.add(row, b.add(s, I64(1))))
            last = self.load("common", b.add(row, length))
            self.store(last, "common", I64(k * width + plan.span))

    def key(self, node: ir.Value | None = None) -> Pair:
        """Seeds of the lanes, two words each."""
        b = self.b
        row = b.mul(node, I64(2)) if self.plan.vectors and node is not None else I64(0)
        return self._words("key", row), self._words("key", b.add(row, I64(1)))

    def ident(self, node: ir.Value) -> ir.Value:
        """What stands for the regions of a row in the counter of random numbers."""
        if self.plan.vectors:
            return self._words("ident", node)
        return self.v.spread(self.b.load(self.b.gep(self.at["ident"], [node])))

    def counter(self, t: ir.Value, ident: ir.Value, pair: int) -> Pair:
        """Counter of the random numbers of a step, of regions and of a pair of draws."""
        b, words = self.b, self.v.words
        # 64 pairs a node at most; steps beyond 2^32 would repeat, 5 days at 0.1 ms
        six, which = (ir.Constant(words, [k] * self.plan.lanes) for k in (6, pair))
        return self.v.spread(b.trunc(t, I32)), b.add(b.shl(ident, six), which)

    def _words(self, name: str, index: ir.Value) -> ir.Value:
        """Vector of 32-bit words at (index x lanes)."""
        place = self.b.gep(self.at[name], [self.b.mul(index, I64(self.plan.lanes))])
        return self.b.load(self.b.bitcast(place, self.v.words.as_pointer()), align=4)


class Code(NamedTuple):
    """Machine code, what keeps it alive, and a hash of its instructions."""

    engine: Any
    run: Callable[[Any, Any], None]
    digest: str


def compiled(plan: Plan) -> Code:
    """Machine code of a plan; `run` takes pointers and counts."""
    import llvmlite.binding as llvm

    return loaded(llvm.parse_assembly(str(Writer(plan).module)))


def loaded(module: Any) -> Code:
    """Machine code of a parsed module for this processor; `run` takes two pointers."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.slp_vectorization = options.loop_vectorization = False  # it is vector code already
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    digest = sha256(str(module).encode()).hexdigest()
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
    return Code(engine, kind(engine.get_function_address("run")), digest)
