"""What a model is: names, a drift function, and what its regions send one another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from synsys.core.errors import UserError
from synsys.simulation.trace import Graph, Node, Traced

Function = Callable[..., Any]
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Parameter:
    """A number of every region.

    Attributes
    ----------
    value : float or ndarray
        Default, in the shape that `drift` expects.
    unit, meaning : str
    """

    value: Any
    unit: str = ""
    meaning: str = ""

    @property
    def shape(self) -> Shape:
        """Shape of the default."""
        return np.shape(self.value)


@dataclass(frozen=True, eq=False)
class Model:
    """Equations of one region, written once; `synsys.simulation.kernel` compiles them.

    All functions take ``x`` (states), ``p`` (parameters) and ``u`` (what arrives), which hold arrays under
    the names below, and use NumPy arithmetic without branches. Times are in ms.

    Attributes
    ----------
    name : str
    states : mapping of str to float or ndarray
        Start of every state; its shape is that of the state.
    parameters : mapping of str to Parameter
    drift : callable
        ``drift(x, p, u)``: derivatives per ms, in the order of `states`.
    emits : callable
        ``emits(x, p)``: what other regions receive, by name (dict of scalars); ``u.NAME`` is the weighted,
        delayed sum over regions, unless `channels` says otherwise.
    observed : callable
        ``observed(x, p, u)``: what can be recorded, by name (dict of scalars).
    channels : mapping of str to tuple of int
        What arrives, where that is not one sum for each name of `emits`.
    noise : mapping of str to str
        Parameter that is the standard deviation of white noise on a state, per sqrt(ms).
    filtered : mapping of str to tuple of int
        Ornstein-Uhlenbeck inputs ``u.NAME`` with parameters ``tau_NAME`` (ms) and ``sd_NAME``.
    common : mapping of str to tuple of int
        The same, with one series for all regions of a run; parameters of the first region count, and are
        the same in all runs.
    stimuli : mapping of str to tuple of int
        Inputs ``u.NAME`` that a user may drive, 0 otherwise.
    bounds : mapping of str to (float, float)
        States that are held within limits after every step.
    periodic : mapping of str to float
        States that are angles: after every step the nearest multiple of this period is taken away.
    """

    name: str
    states: Mapping[str, Any]
    parameters: Mapping[str, Parameter]
    drift: Function
    emits: Function
    observed: Function
    channels: Mapping[str, Shape] | None = None
    noise: Mapping[str, str] = field(default_factory=dict)
    filtered: Mapping[str, Shape] = field(default_factory=dict)
    common: Mapping[str, Shape] = field(default_factory=dict)
    stimuli: Mapping[str, Shape] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    periodic: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in [*self.filtered, *self.common]:
            for part in ("tau", "sd"):
                if f"{part}_{name}" not in self.parameters:
                    raise UserError(f"model {self.name}: {name} needs a parameter {part}_{name}")
        for state, parameter in self.noise.items():
            if state not in self.states or parameter not in self.parameters:
                raise UserError(f"model {self.name}: noise {parameter} on {state}: no such names")

    def traced(self) -> "Equations":
        """The functions as a graph of scalar operations."""
        return Equations(self)

    def arriving(self) -> dict[str, Shape]:
        """Shape of every coupling channel."""
        if self.channels is not None:
            return dict(self.channels)
        graph = Graph()
        x = SimpleNamespace(**{n: graph.read("state", n, np.shape(v)) for n, v in self.states.items()})
        p = SimpleNamespace(**{n: graph.read("param", n, q.shape) for n, q in self.parameters.items()})
        return dict.fromkeys(self.emits(x, p), ())


def indexed(shapes: Mapping[str, Shape]) -> list[tuple[str, Shape]]:
    """Every element of named arrays, in order."""
    return [(name, index) for name, shape in shapes.items() for index in np.ndindex(*shape)]


class Equations:
    """A model traced: what is read, and the nodes of what is computed.

    Attributes
    ----------
    states, channels, filtered, common, stimuli : list of (str, tuple)
        Every scalar that is read, by name and index.
    drift : list of Node
        Derivative of each of `states`.
    emitted, observed : dict of str to Node
    """

    def __init__(self, model: Model) -> None:
        self.model, self.graph = model, Graph()
        shapes = {name: np.shape(value) for name, value in model.states.items()}
        channels = model.arriving()
        read = self.graph.read
        x = SimpleNamespace(**{n: read("state", n, s) for n, s in shapes.items()})
        p = SimpleNamespace(**{n: read("param", n, q.shape) for n, q in model.parameters.items()})
        u = SimpleNamespace(
            **{n: read("channel", n, s) for n, s in channels.items()},
            **{n: read("filtered", n, s) for n, s in model.filtered.items()},
            **{n: read("common", n, s) for n, s in model.common.items()},
            **{n: read("stimulus", n, s) for n, s in model.stimuli.items()},
        )
        self.states, self.channels = indexed(shapes), indexed(channels)
        self.filtered, self.common = indexed(model.filtered), indexed(model.common)
        self.stimuli = indexed(model.stimuli)
        self.drift = self._flat(model.drift(x, p, u), "drift")
        if len(self.drift) != len(self.states):
            raise UserError(
                f"model {model.name}: drift returns {len(self.drift)} numbers for {len(self.states)} states"
            )
        self.emitted = {name: self._flat([v], name)[0] for name, v in model.emits(x, p).items()}
        self.observed = {name: self._flat([v], name)[0] for name, v in model.observed(x, p, u).items()}

    @property
    def bounds(self) -> dict[int, tuple[float, float]]:
        """Limits of states by number."""
        known = self.model.bounds
        return {k: known[name] for k, (name, _) in enumerate(self.states) if name in known}

    @property
    def periods(self) -> dict[int, float]:
        """Periods of states by number."""
        known = self.model.periodic
        return {k: known[name] for k, (name, _) in enumerate(self.states) if name in known}

    def parameter(self, name: str, index: Shape = ()) -> Node:
        """Node of a parameter."""
        return self.graph.node("param", data=(name, index))

    def _flat(self, parts: Any, what: str) -> list[Node]:
        out: list[Node] = []
        for part in parts:
            if isinstance(part, Traced):
                out.extend(part.nodes.reshape(-1))
            elif np.ndim(part) == 0 and np.isreal(part):
                out.append(self.graph.const(float(part)))
            else:
                raise UserError(f"model {self.model.name}: {what} is {type(part).__name__}, not a number")
        return out
