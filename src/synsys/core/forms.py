"""What a kind of result is made of: groups, their coordinates and variables."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["number", "count", "flag", "text"]


@dataclass(frozen=True)
class Variable:
    """What a variable of a group must be.

    Parameters
    ----------
    dims : tuple of str
        Dimensions, in order.
    kind : {"number", "count", "flag", "text"}
        Real number (NaN: does not apply), whole number, boolean, or text.
    accepted : tuple of str
        Accepted texts; empty accepts any.
    low, high : float
        Bounds of a number, NaN aside.
    increasing : bool
        Whether each value must be larger than the one before.
    """

    dims: tuple[str, ...]
    kind: Kind = "number"
    accepted: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    increasing: bool = False


@dataclass(frozen=True)
class Group:
    """What a group of a result holds.

    Parameters
    ----------
    coordinates : mapping of str to Variable
        One per dimension; its values must differ from each other.
    variables : mapping of str to Variable
    optional : mapping of str to Variable
        Variables that may be absent.
    required : bool
        Whether a result must have the group.
    """

    coordinates: Mapping[str, Variable]
    variables: Mapping[str, Variable]
    optional: Mapping[str, Variable] = field(default_factory=dict)
    required: bool = True


@dataclass(frozen=True)
class Form:
    """What a kind of result is.

    Parameters
    ----------
    groups : mapping of str to Group
    attributes : mapping of str to type
        Attributes of the root; lists and dictionaries are stored as JSON text.
    joined : tuple of str
        Coordinates that must be the same in all groups that have them.
    compressed : mapping of str to tuple of str
        Large variables, by group.
    """

    groups: Mapping[str, Group]
    attributes: Mapping[str, type]
    joined: tuple[str, ...]
    compressed: Mapping[str, tuple[str, ...]]


def axis(name: str, kind: Kind = "text", accepted: tuple[str, ...] = (), low: float = -math.inf) -> Variable:
    """A coordinate."""
    return Variable((name,), kind, accepted, low)
