"""Code of one step of one node: read, compute, store, send on, record."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llvmlite import ir

from synsys.simulation.model import Equations
from synsys.simulation.plan import Group, Part
from synsys.simulation.trace import Node, ordered
from synsys.simulation.vector import Lanes

if TYPE_CHECKING:
    from synsys.simulation.kernel import Writer

I64 = ir.IntType(64)
Values = dict[int, ir.Value]
"""Values by the number of their node."""


class Step:
    """Code of one step of one node.

    Parameters
    ----------
    w : Writer
    group : Group
    node, s, t, done : ir.Value
        Node; step of the block, of time and of the call.
    guess : bool
        Only send what the first stage of Heun's method predicts.
    """

    def __init__(
        self, w: "Writer", group: Group, node: ir.Value, s: ir.Value, t: ir.Value, done: ir.Value, guess: bool
    ) -> None:
        self.w, self.group, self.node, self.s, self.t, self.done = w, group, node, s, t, done
        self.guess, self.plan, self.equations = guess, w.plan, w.plan.equations
        self._known: Values = {}
        self._normals: dict[int, tuple[ir.Value, ir.Value]] = {}

    def write(self) -> None:
        """Read, compute, store, record."""
        w, v, group, plan = self.w, self.w.v, self.group, self.plan
        base = w.b.mul(self.node, I64(w.row))
        x = {k: w.load("state", w.b.add(base, I64(k))) for k in group.live}
        y = {k: w.load("state", w.b.add(base, I64(w.states + k))) for k in group.keep}
        dt = v.const(plan.dt)
        now = self._heard(0) | self._leaves("state", x) | self._leaves("filtered", y)
        f1 = self._values([group.drift[k] for k in group.live], now)
        kick = {k: v.mul(self._fixed(group.noise[k]), self._normal(k)) for k in group.noise}
        late = {
            k: v.fma(
                self._fixed(group.kick[k]),
                self._normal(w.states + k),
                v.mul(self._fixed(group.keep[k]), y[k]),
            )
            for k in group.keep
        }
        new = {}
        for k, f in zip(group.live, f1, strict=True):
            moved = v.fma(dt, f, x[k])
            new[k] = self._bounded(self.equations, k, v.add(moved, kick[k]) if k in kick else moved)
        if self.guess:
            self._send(new)
            return
        if plan.heun:
            then = self._heard(1) | self._leaves("state", new) | self._leaves("filtered", late)
            f2 = self._values([group.drift[k] for k in group.live], then)
            half = v.const(plan.dt / 2)
            for k, a, c in zip(group.live, f1, f2, strict=True):
                moved = v.fma(half, v.add(a, c), x[k])
                new[k] = self._bounded(self.equations, k, v.add(moved, kick[k]) if k in kick else moved)
        for k, value in new.items():
            w.store(value, "state", w.b.add(base, I64(k)))
        for k, value in late.items():
            w.store(value, "state", w.b.add(base, I64(w.states + k)))
        if plan.refresh == 1:
            self._send(new)
        else:
            over = w.b.icmp_signed("==", w.b.srem(w.b.add(self.t, I64(1)), I64(plan.refresh)), I64(0))
            with w.b.if_then(over):
                self._send(new)
        self._record(now)
        if plan.balloon is not None and group.drive is not None:
            self._scan(now)

    def _send(self, new: Values) -> None:
        """What this node sends, into the history of the point after."""
        w = self.w
        if not self.group.emitted:
            return
        b, count = w.b, len(self.equations.emitted)
        sent = list(self.group.emitted)
        values = self._values(list(self.group.emitted.values()), self._leaves("state", new))
        if self.plan.dense:
            base = b.mul(self.node, I64(count))
            for k, value in zip(sent, values, strict=True):
                w.store(value, "history", b.add(base, I64(1 + k)))
            return
        ring, pad = w.n["ring"], I64(self.plan.points)
        after = b.sdiv(b.add(self.t, I64(1)), I64(self.plan.refresh))
        at, width = b.srem(after, ring), b.add(ring, pad)
        # the first places are kept once more behind the last, so that what is read is contiguous
        copy = b.select(b.icmp_signed("<", at, pad), b.add(at, ring), at)
        for k, value in zip(sent, values, strict=True):
            row = b.mul(w.scalar("sends", b.add(b.mul(self.node, I64(count)), I64(k))), width)
            w.store(value, "history", b.add(row, at))
            w.store(value, "history", b.add(row, copy))

    def _record(self, now: Values) -> None:
        """Sums of what is observed; means where a record is full."""
        w, b, v, group = self.w, self.w.b, self.w.v, self.group
        count = len(group.observed)
        if not count:
            return
        values = self._values(group.observed, now)
        base = b.mul(self.node, I64(count))
        mean = self.plan.mean
        sums = [v.add(w.load("sum", b.add(base, I64(k))), a) if mean else a for k, a in enumerate(values)]
        passed, row = w.own[0], w.own[3]
        full = self._passed(passed, w.n["every"])
        if mean:
            for k, value in enumerate(sums):
                w.store(b.select(full, v.const(0.0), value), "sum", b.add(base, I64(k)))
        with b.if_then(full):
            share = v.spread(b.fdiv(ir.Constant(v.scalar, 1.0), b.sitofp(w.n["every"], v.scalar)))
            at = b.mul(b.load(row), b.mul(w.n["rows"], I64(count)))
            for k, value in enumerate(sums):
                w.store(v.mul(value, share) if mean else value, "record", b.add(b.add(at, base), I64(k)))
            b.store(b.add(b.load(row), I64(1)), row)

    def _scan(self, now: Values) -> None:
        """The balloon: mean drive over its step, one Euler step, now and then a scan."""
        w, b, v = self.w, self.w.b, self.w.v
        assert self.plan.balloon is not None
        assert self.group.drive is not None
        equations, part, steps, h = self.plan.balloon
        count = len(equations.states)
        base = b.mul(self.node, I64(count + 1))
        total = v.add(w.load("balloon", b.add(base, I64(count))), self._values([self.group.drive], now)[0])
        full = self._passed(w.own[1], I64(steps))
        w.store(b.select(full, v.const(0.0), total), "balloon", b.add(base, I64(count)))
        with b.if_then(full):
            x = [w.load("balloon", b.add(base, I64(k))) for k in range(count)]
            graph = equations.graph
            leaves = {
                graph.node("state", data=key).number: value
                for key, value in zip(equations.states, x, strict=True)
            }
            leaves[graph.node("stimulus", data=("drive", ())).number] = v.mul(total, v.const(1.0 / steps))
            numbers = self._numbers(part, "balloon_uniform", "balloon_varied", 0, 0, self.node)
            known = numbers | leaves
            rates = evaluate(v, equations.drift, known)
            moved = [v.fma(v.const(h), f, a) for f, a in zip(rates, x, strict=True)]
            new = [self._bounded(equations, k, value) for k, value in enumerate(moved)]
            for k, value in enumerate(new):
                w.store(value, "balloon", b.add(base, I64(k)))
            with b.if_then(self._passed(w.own[2], w.n["scan"])):
                after = {
                    graph.node("state", data=key).number: value
                    for key, value in zip(equations.states, new, strict=True)
                }
                signal = evaluate(v, list(equations.observed.values()), numbers | after)[0]
                row = b.load(w.own[4])
                w.store(signal, "bold", b.add(b.mul(row, w.n["rows"]), self.node))
                b.store(b.add(row, I64(1)), w.own[4])

    def _passed(self, place: ir.Value, whole: ir.Value) -> ir.Value:
        """Count one; whether that makes a whole (and begin anew)."""
        b = self.w.b
        count = b.add(b.load(place), I64(1))
        full = b.icmp_signed("==", count, whole)
        b.store(b.select(full, I64(0), count), place)
        return full

    # -- values -------------------------------------------------------------------------------------

    def _leaves(self, kind: str, values: Values) -> Values:
        """Values of states or filtered inputs, by the number of their nodes."""
        names = self.equations.states if kind == "state" else self.equations.filtered
        graph = self.equations.graph
        return {graph.node(kind, data=names[k]).number: value for k, value in values.items()}

    def _heard(self, stage: int) -> Values:
        """What arrives, is common to all regions, or comes from outside, at a stage of the step."""
        w, b, plan, graph = self.w, self.w.b, self.plan, self.equations.graph
        out = {}
        point = self.s if plan.refresh == 1 else b.sdiv(self.s, I64(plan.refresh))
        if stage and plan.refresh == 1:
            point = b.add(point, I64(1))
        group = self.group
        ends = [*group.observed, *([group.drive] if group.drive is not None else [])]
        wanted = {n.number for n in ordered([*group.drift.values(), *ends])}
        count = len(self.equations.channels)
        for k, key in enumerate(self.equations.channels):
            number = graph.node("channel", data=key).number
            if number in wanted:
                at = b.add(b.mul(b.add(b.mul(self.node, I64(count)), I64(k)), I64(plan.points)), point)
                out[number] = w.load("arriving", at)
        for k, key in enumerate(self.equations.common):
            number = graph.node("common", data=key).number
            if number in wanted:
                at = b.add(I64(k * (plan.span + 1)), b.add(self.s, I64(stage)))
                out[number] = w.load("common", at)
        for k, key in enumerate(self.equations.stimuli):
            number = graph.node("stimulus", data=key).number
            if number in wanted:
                wave = w.scalar("wave_of", b.add(b.mul(self.node, I64(len(self.equations.stimuli))), I64(k)))
                at = b.add(b.mul(wave, w.n["waves"]), b.add(self.done, I64(stage)))
                out[number] = w.load("wave", at)
        return out

    def _normal(self, draw: int) -> ir.Value:
        pair = draw // 2
        if pair not in self._normals:
            counter = self.w.counter(self.t, self.w.ident(self.node), pair)
            self._normals[pair] = self.w.v.normals(self.w.key(self.node), counter)
        return self._normals[pair][draw % 2]

    def _bounded(self, equations: Equations, k: int, value: ir.Value) -> ir.Value:
        """The value of a state within its limits or its period."""
        if k in equations.periods:
            return self.w.v.wrapped(value, equations.periods[k])
        if k not in equations.bounds:
            return value
        low, high = equations.bounds[k]
        v = self.w.v
        return v.min(v.max(value, v.const(low)), v.const(high))

    def _fixed(self, node: Node) -> ir.Value:
        return self._values([node], {})[0]

    def _values(self, roots: Sequence[Node], leaves: Values) -> list[ir.Value]:
        """Values of nodes; those of one time are computed once."""
        if not self._known:
            group = self.group
            at = group.uniform_at, group.varied_at
            index = self.w.b.sub(self.node, I64(group.start))
            self._known = self._numbers(group.part, "uniform", "varied", *at, index)
        return evaluate(self.w.v, roots, leaves, self._known)

    def _numbers(
        self, part: Part, uniform: str, varied: str, uniform_at: int, varied_at: int, index: ir.Value
    ) -> Values:
        """What is known beforehand, read from memory."""
        w, b = self.w, self.w.b
        # where regions lie side by side, what is uniform is the same in all of them
        first = I64(0) if self.plan.vectors else index
        place = b.add(I64(uniform_at), b.mul(first, I64(len(part.uniform))))
        out = {
            n.number: w.v.spread(w.scalar(uniform, b.add(place, I64(k)))) for k, n in enumerate(part.uniform)
        }
        place = b.add(I64(varied_at), b.mul(index, I64(len(part.varied))))
        out |= {n.number: w.load(varied, b.add(place, I64(k))) for k, n in enumerate(part.varied)}
        return out


def evaluate(v: Lanes, roots: Sequence[Node], leaves: Values, known: Values | None = None) -> list[ir.Value]:
    """Instructions for nodes; `leaves` keeps what is computed of them, `known` is given."""
    given = known or {}

    def value(node: Node) -> ir.Value:
        if node.op == "const":
            return v.const(node.data)
        return given[node.number] if node.number in given else leaves[node.number]

    for root in roots:
        stack = [root]
        while stack:
            node = stack[-1]
            if node.op == "const" or node.number in given or node.number in leaves:
                stack.pop()
                continue
            missing = [
                a for a in node.args if a.op != "const" and a.number not in given and a.number not in leaves
            ]
            if missing:
                stack.extend(missing)
                continue
            if not node.args:
                raise KeyError(f"{node.op} {node.data} is not given")
            leaves[node.number] = getattr(v, node.op)(*(value(a) for a in node.args))
            stack.pop()
    return [value(root) for root in roots]
