"""What a model of behaviour is: parameters with priors, choices, what is learned from a trial.

A model is two functions of the state before a trial, written for NumPy: `policy`, the log-probability of
each option, and `learn`, the state after the trial. They are evaluated as they stand to simulate people,
and traced and compiled (`synsys.mind.scan`) to fit them; both see one trial of one person at a time, so an
axis of a state is an axis of options or of stimuli, and people and sets of parameters come behind it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from synsys.core.errors import UserError, unknown

Values = SimpleNamespace
"""Numbers by name: ``s.q``, ``t.reward``, ``p.alpha``."""
Array = Any
"""An ndarray, or what stands for one while a model is traced."""


@dataclass(frozen=True)
class Parameter:
    """A free parameter and its prior, normal on the scale on which it is fitted.

    Attributes
    ----------
    name : str
    scale : {"identity", "log", "logit"}
        The fitted scale: the parameter itself, its logarithm, or log((x - low) / (high - x)).
    mean, sd : float
        Of the normal prior on that scale.
    definition : str
        What it is, with its unit.
    identifiable : bool
        Whether it is meant to be recovered from the usual length of the task (r >= 0.8).
    low, high : float
        Limits of a parameter on the logit scale.
    """

    name: str
    scale: Literal["identity", "log", "logit"]
    mean: float
    sd: float
    definition: str
    identifiable: bool = True
    low: float = 0.0
    high: float = 1.0

    def native(self, x: Array) -> Array:
        """The parameter from the fitted scale."""
        if self.scale == "identity":
            return x
        if self.scale == "log":
            return np.exp(np.minimum(x, 300.0))
        return self.low + (self.high - self.low) * sigmoid(x)

    def fitted(self, value: Array) -> Array:
        """The fitted scale from the parameter.

        Raises
        ------
        UserError
            Outside the limits of the parameter.
        """
        x = np.asarray(value, float)
        if self.scale == "identity":
            return x
        low, high = (0.0, np.inf) if self.scale == "log" else (self.low, self.high)
        if not ((x > low) & (x < high)).all():
            raise UserError(f"{self.name} = {value}: must lie between {low:g} and {high:g}")
        return np.log(x) if self.scale == "log" else np.log((x - low) / (high - x))


@dataclass(frozen=True)
class Choice:
    """One choice of a trial.

    Attributes
    ----------
    column : str
        Column of the trials that holds the option taken, 0 to options - 1; missing where none was taken.
    options : int
        At most so many; 0 for a response that is a number.
    """

    column: str
    options: int


@dataclass(frozen=True, eq=False)
class Model:
    """A model of behaviour.

    Attributes
    ----------
    name : str
    title : str
    parameters : tuple of Parameter
    choices : tuple of Choice
        Of one trial, in their order.
    inputs : mapping
        Other columns of the trials that are needed, and what they are.
    start : callable
        ``start(p)``: state before the first trial, a dict of arrays (K, ...) or ().
    policy : callable
        ``policy(stage, s, t, p)``: log-probabilities of the options of a choice, (options, ...); of a number
        its normal mean and log sd, (2, ...).
    learn : callable
        ``learn(s, t, p)``: state after the trial, a dict. Where a choice is missing its option is -9.
    shown : callable
        ``shown(s, t, p)``: what a trajectory shows of a trial, a dict of numbers; `s` is the state before.
    citation : str
    optional : mapping
        Columns that may be absent, and the value that then stands for them.
    indices : mapping
        Inputs that are whole numbers from 0, and how many there are.
    accepted, limits : mapping
        Values that an input may have, and the least and the largest.
    wrong : callable
        What is wrong with columns that are right one by one, in words; nothing if nothing is.
    wins : str
        Input that is above 0 after a choice that paid; ``match``: a choice that equals ``outcome``.
    restarts : bool
        Whether the state starts anew in every block.
    task : str
        Environment (`synsys.mind.environments`) in which people are simulated by default.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    choices: tuple[Choice, ...]
    inputs: Mapping[str, str]
    start: Callable[[Values], dict[str, Array]]
    policy: Callable[[int, Values, Values, Values], Array]
    learn: Callable[[Values, Values, Values], dict[str, Array]]
    shown: Callable[[Values, Values, Values], dict[str, Array]]
    citation: str
    optional: Mapping[str, float] = field(default_factory=dict)
    indices: Mapping[str, int] = field(default_factory=dict)
    accepted: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    wrong: Callable[[Mapping[str, np.ndarray]], str] = lambda columns: ""
    wins: str = "outcome"
    restarts: bool = False
    task: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(p.name for p in self.parameters)

    @property
    def columns(self) -> tuple[str, ...]:
        """Everything read of a trial: choices, inputs, optional columns."""
        return (*(c.column for c in self.choices), *self.inputs, *self.optional)

    @property
    def prior(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and sd of the prior on the fitted scale, (P,) each."""
        return np.array([p.mean for p in self.parameters]), np.array([p.sd for p in self.parameters])

    def native(self, theta: np.ndarray) -> np.ndarray:
        """Parameters (..., P) from the fitted scale."""
        return np.stack([p.native(theta[..., k]) for k, p in enumerate(self.parameters)], -1)

    def fitted(self, values: Mapping[str, float]) -> np.ndarray:
        """Point on the fitted scale, (P,), from parameters by name; the median of the prior where absent.

        Raises
        ------
        UserError
            For a name that is not a parameter, or a value outside its limits.
        """
        for name in values:
            if name not in self.names:
                raise unknown(f"parameter of {self.name}", name, self.names)
        return np.array([p.fitted(values[p.name]) if p.name in values else p.mean for p in self.parameters])


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + np.exp(-x))


def hot(index: Array, count: int) -> Array:
    """1 for the option that `index` names, 0 for the others, (count, ...); all 0 outside 0 to count - 1."""
    return np.stack([np.maximum(0.0, 1.0 - np.absolute(index - k)) for k in range(count)])


def log_softmax(x: Array) -> Array:
    """x - log(sum(exp(x))) over the first axis, computed without overflow."""
    top = x[0]
    for k in range(1, len(x)):
        top = np.maximum(top, x[k])
    z = x - top
    return z - np.log(np.exp(z).sum(0))
