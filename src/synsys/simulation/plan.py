"""What the code of a simulation is to look like: groups of alike nodes, and what is known beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.simulation.model import Equations, Model
from synsys.simulation.trace import Node, evaluated, ordered


class Part:
    """Equations of alike nodes: what is computed, and what of it is known beforehand.

    Parameters
    ----------
    roots : sequence of Node
        Everything that is computed at a step.
    varies : set of str
        Parameters that differ between lanes.

    Attributes
    ----------
    uniform, varied : list of Node
        Known beforehand, the same in all lanes or not.
    """

    def __init__(self, roots: Sequence[Node], varies: set[str]) -> None:
        self.uniform: list[Node] = []
        self.varied: list[Node] = []
        apart: dict[int, bool] = {}
        needed: dict[int, Node] = {}
        for node in ordered(list(roots)):
            own = node.op == "param" and node.data[0] in varies
            apart[node.number] = own or any(apart[a.number] for a in node.args)
            if not node.fixed:
                needed.update({a.number: a for a in node.args if a.fixed and a.op != "const"})
        needed.update({r.number: r for r in roots if r.fixed and r.op != "const"})
        for node in needed.values():
            (self.varied if apart[node.number] else self.uniform).append(node)


@dataclass(eq=False)
class Group:
    """Nodes of one template.

    Attributes
    ----------
    start, stop : int
        Nodes, in the order of the kernel.
    live : list of int
        States that anything depends on.
    drift, noise : dict of int to Node
        Derivative and noise per step of live states.
    keep, kick : dict of int to Node
        Factor and noise per step of live filtered inputs.
    emitted : dict of int to Node
        What is heard of what they send.
    observed : list of Node
    drive : Node or None
        What the balloon hears.
    part : Part
    uniform_at, varied_at : int
        Where its numbers begin.
    """

    start: int
    stop: int
    live: list[int]
    drift: dict[int, Node]
    noise: dict[int, Node]
    keep: dict[int, Node]
    kick: dict[int, Node]
    emitted: dict[int, Node]
    observed: list[Node]
    drive: Node | None
    part: Part
    uniform_at: int = 0
    varied_at: int = 0


@dataclass(eq=False)
class Plan:
    """Everything that decides what the code looks like.

    Attributes
    ----------
    block, refresh : int
        Points of what arrives that are summed at once; steps for which each holds.
    delayed, dense : bool
        Whether signals take time; whether all regions hear all others (without delay).
    common : list of (float, float)
        Factor and noise per step of inputs common to all regions.
    balloon : tuple, optional
        (Equations, Part, steps of the balloon in steps, its step in s).
    vectors, regions : int
        Vectors of a run and its regions, where regions lie side by side; 0 where runs do.
    mean : bool
        Whether records are means over their time rather than what was last.
    """

    bits: int
    lanes: int
    dt: float
    heun: bool
    equations: Equations
    groups: list[Group]
    block: int
    refresh: int
    delayed: bool
    dense: bool
    common: list[tuple[float, float]] = field(default_factory=list)
    balloon: tuple[Equations, Part, int, float] | None = None
    mean: bool = True
    vectors: int = 0
    regions: int = 0

    @property
    def points(self) -> int:
        """Points of what arrives that a block needs."""
        return self.block + (1 if self.heun and self.refresh == 1 else 0)

    @property
    def span(self) -> int:
        """Steps of a block."""
        return self.block * self.refresh


@dataclass(frozen=True, eq=False)
class Numbers:
    """Parameters of every node and lane.

    Attributes
    ----------
    values : dict of str to ndarray, (K or 1, N or 1, ...)
    varies : set of str
        Parameters that differ between lanes.
    """

    values: dict[str, np.ndarray]
    varies: set[str]

    @classmethod
    def of(
        cls, model: Model, given: Mapping[str, Any], batch: int, nodes: int, across: bool = False
    ) -> "Numbers":
        """Defaults of a model and what is given instead, checked; `across`: lanes are nodes.

        Raises
        ------
        UserError
            For unknown names, shapes that do not fit, and numbers that are not finite.
        """
        for name in given:
            if name not in model.parameters:
                raise unknown(f"parameter of {model.name}", name, model.parameters)
        values, varies = {}, set()
        for name, parameter in model.parameters.items():
            value = leading(np.asarray(given.get(name, parameter.value), float), parameter.shape, name)
            if value.shape[0] not in (1, batch) or value.shape[1] not in (1, nodes):
                needed = f"({batch} or 1, {nodes} or 1, *{parameter.shape})"
                raise UserError(f"{name} has shape {value.shape}; needed: {needed}")
            if not np.isfinite(value).all():
                raise UserError(f"{name} is not finite everywhere")
            values[name] = value
            if (value != (value[:1, :1] if across else value[:1])).any():
                varies.add(name)
        return cls(values, varies)

    def parts(self, nodes: np.ndarray) -> dict[tuple[str, str, tuple[int, ...]], np.ndarray]:
        """Every scalar parameter at some nodes, (K or 1, nodes or 1), by what the graph reads."""
        out = {}
        for name, value in self.values.items():
            here = value if value.shape[1] == 1 else value[:, nodes]
            for index in np.ndindex(*value.shape[2:]):
                out["param", name, index] = here[(slice(None), slice(None), *index)]
        return out

    def beforehand(self, wanted: Sequence[Node], nodes: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """Numbers that depend on parameters alone, (nodes, wanted, lanes); refused where not finite."""
        out = np.zeros((len(nodes), len(wanted), len(lanes)))
        with np.errstate(all="ignore"):
            found = evaluated(wanted, self.parts(nodes))
        for k, number in enumerate(found):
            number = np.asarray(number)
            number = number[lanes] if number.ndim == 2 and number.shape[0] > 1 else number
            out[:, k] = np.broadcast_to(number, (len(lanes), len(nodes))).T
            if not np.isfinite(out[:, k]).all():
                names = sorted({str(n.data[0]) for n in ordered([wanted[k]]) if n.op == "param"})
                raise UserError(f"{', '.join(names)}: the equations are not finite with these values")
        return out


def leading(value: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    """A value of own shape `shape` with two axes before it, (batch or 1, nodes or 1)."""
    free = value.ndim - len(shape)
    if not 0 <= free <= 2 or value.shape[free:] != shape:
        raise UserError(f"{name} has shape {value.shape}; needed: (batch, nodes, *{shape}), or less in front")
    return value.reshape((1,) * (2 - free) + value.shape)


class Grouping:
    """Equations of a model for nodes of some templates.

    Parameters
    ----------
    equations : Equations
    numbers : Numbers
    dt : float
        Step, ms.
    observe : sequence of str
    drive : str, optional
        What the balloon hears.
    driven : set of (str, tuple)
        Stimuli that are used.
    kept : set of str
        Parameters that stay in the equations even where they are 0.
    """

    def __init__(
        self,
        equations: Equations,
        numbers: Numbers,
        dt: float,
        observe: Sequence[str] = (),
        drive: str | None = None,
        driven: set[tuple[str, tuple[int, ...]]] | None = None,
        kept: set[str] | None = None,
    ) -> None:
        self.equations, self.numbers, self.dt, self._kept = equations, numbers, dt, kept or set()
        self.observe, self.drive = list(observe), drive
        self._silent = set(equations.stimuli) - (driven or set())

    def group(self, start: int, nodes: np.ndarray, sends: Sequence[int]) -> Group:
        """Alike nodes from `start`: whatever is zero in all of them, or moves nothing that is seen, is gone.

        Parameters
        ----------
        start : int
            First node in the order of the kernel.
        nodes : ndarray of int
            Which nodes they are.
        sends : sequence of int
            Emissions that anybody hears.
        """
        eq, graph = self.equations, self.equations.graph
        zero = graph.const(0.0)
        gone = {graph.node("stimulus", data=key).number: zero for key in self._silent}
        for key, value in self.numbers.parts(nodes).items():
            if not value.any() and key[1] not in self._kept:
                gone[eq.parameter(*key[1:]).number] = zero
        emitted = list(eq.emitted.values())
        parts: dict[str, list[Node]] = {
            "drift": eq.drift,
            "emitted": [emitted[k] for k in sends],
            "observed": [eq.observed[name] for name in self.observe],
            "drive": [eq.observed[self.drive]] if self.drive else [],
            "keep": [self._keep(key) for key in eq.filtered],
            "kick": [self._kick(key) for key in eq.filtered],
            "noise": [self._noise(key) for key in eq.states],
        }
        parts = _replaced(eq, parts, gone)
        quiet = {
            graph.node("filtered", data=key).number: zero
            for key, kick in zip(eq.filtered, parts["kick"], strict=True) if kick.is_(0)
        }  # fmt: skip
        parts = _replaced(eq, parts, quiet)
        ends = [*parts["emitted"], *parts["observed"], *parts["drive"]]
        seen = bool(self.observe or self.drive)
        live = self._live(ends, parts["drift"]) if seen else list(range(len(eq.states)))
        moving = [parts["drift"][k] for k in live]
        read = {n.data for n in ordered([*moving, *ends]) if n.op == "filtered"}
        heard = [k for k, key in enumerate(eq.filtered) if key in read]
        noise = {k: parts["noise"][k] for k in live if not parts["noise"][k].is_(0)}
        keep, kick = ({k: parts[name][k] for k in heard} for name in ("keep", "kick"))
        roots = [*moving, *ends, *noise.values(), *keep.values(), *kick.values()]
        if any(n.op == "const" and not np.isfinite(n.data) for n in ordered(roots)):
            none = sorted({key[1] for key, value in self.numbers.parts(nodes).items() if not value.any()})
            raise UserError(f"the equations of {eq.model.name} divide by 0: one of {', '.join(none)} is 0")
        return Group(
            start, start + len(nodes), live, dict(zip(live, moving, strict=True)), noise, keep, kick,
            dict(zip(sends, parts["emitted"], strict=True)), parts["observed"],
            parts["drive"][0] if self.drive else None, Part(roots, self.numbers.varies),
        )  # fmt: skip

    def common(self) -> list[tuple[float, float]]:
        """Factor and noise per step of inputs common to all regions."""
        known = self.numbers.parts(np.arange(1))
        out = []
        for key in self.equations.common:
            keep, kick = evaluated([self._keep(key), self._kick(key)], known)
            if np.ptp(keep) or np.ptp(kick):
                raise UserError(
                    f"{key[0]} is one series for all: its tau and sd cannot differ between runs; "
                    "scale it by another parameter"
                )
            out.append((float(np.ravel(keep)[0]), float(np.ravel(kick)[0])))
        return out

    def _keep(self, key: tuple[str, tuple[int, ...]]) -> Node:
        """exp(-dt / tau)."""
        apply, const = self.equations.graph.apply, self.equations.graph.const
        return apply("exp", apply("div", const(-self.dt), self._parameter("tau", key)))

    def _kick(self, key: tuple[str, tuple[int, ...]]) -> Node:
        """sd sqrt(1 - exp(-2 dt / tau)): the exact step of an Ornstein-Uhlenbeck process."""
        apply, const = self.equations.graph.apply, self.equations.graph.const
        rest = apply("expm1", apply("div", const(-2.0 * self.dt), self._parameter("tau", key)))
        return apply("mul", self._parameter("sd", key), apply("sqrt", apply("neg", rest)))

    def _noise(self, key: tuple[str, tuple[int, ...]]) -> Node:
        """sd sqrt(dt)."""
        graph, model = self.equations.graph, self.equations.model
        name = model.noise.get(key[0])
        if name is None:
            return graph.const(0.0)
        index = key[1] if model.parameters[name].shape else ()
        return graph.apply("mul", self.equations.parameter(name, index), graph.const(self.dt**0.5))

    def _parameter(self, part: str, key: tuple[str, tuple[int, ...]]) -> Node:
        name = f"{part}_{key[0]}"
        index = key[1] if self.equations.model.parameters[name].shape else ()
        return self.equations.parameter(name, index)

    def _live(self, ends: Sequence[Node], drift: Sequence[Node]) -> list[int]:
        """States that anything depends on."""
        at = {key: k for k, key in enumerate(self.equations.states)}
        live: set[int] = set()
        todo = {at[n.data] for n in ordered(list(ends)) if n.op == "state"}
        while todo:
            live |= todo
            todo = {at[n.data] for n in ordered([drift[k] for k in todo]) if n.op == "state"} - live
        return sorted(live)


def _replaced(
    equations: Equations, parts: Mapping[str, Sequence[Node]], what: Mapping[int, Node]
) -> dict[str, list[Node]]:
    """Lists of nodes with some nodes replaced."""
    flat = iter(equations.graph.replaced([n for nodes in parts.values() for n in nodes], what))
    return {name: [next(flat) for _ in nodes] for name, nodes in parts.items()}
