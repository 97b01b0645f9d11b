"""The form of a result, and reading and writing it.

A result is one ``xarray.DataTree``. `SCHEMA` says which groups, variables and coordinates it has and
`ATTRIBUTES` what stands beside them; further groups and variables may be added freely. Every read and
write passes through `validate`, so whoever holds a tree can rely on it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from synsys.core import show
from synsys.core.errors import UserError
from synsys.core.output import replacing
from synsys.core.storable import storable

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.console import Console

SCHEMA_VERSION = "1"
DISCLAIMER = "Research use only; not for diagnosis or treatment."
STATES = ("reference", "perturbed")
CELLS = ("E", "PV", "SST", "TC", "RE", "D1", "D2", "FSI", "GPe", "GPi", "STN", "DCN", "PC")
LEVELS = (
    "genetic", "epigenetic", "molecular", "ion_channel", "immune", "metabolic", "endocrine", "environment",
    "development", "synaptic", "cellular", "microcircuit", "oscillation", "circuit", "network", "inference",
    "symptom", "outcome", "behaviour",
)  # fmt: skip
ORIGINS = ("input", "by construction", "wired", "emergent")
LABELS = ("simulated-causal", "observed", "associative")
GRADES = ("A", "B", "C")
OBSERVATIONS = {
    "fc": "with measurement noise",
    "fc_noiseless": "without measurement noise",
    "fc_global_regressed": "after regression of the global signal",
}
"""Ways in which connectivity is observed: names in `/fc` and `/observations`, and words."""
NEGLIGIBLE = 0.1
"""An effect of |d| below this is called negligible, whatever its sign."""

Kind = Literal["number", "count", "flag", "text"]
_KINDS: dict[str, str] = {"number": "fiu", "count": "iu", "flag": "b", "text": "OUT"}


class SchemaError(ValueError):
    """A tree that is not a result; its text names group and variable."""


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
    """

    dims: tuple[str, ...]
    kind: Kind = "number"
    accepted: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class Group:
    """What a group of a result holds.

    Parameters
    ----------
    coordinates : mapping of str to Variable
        One per dimension; its values must differ from each other.
    variables : mapping of str to Variable
    """

    coordinates: Mapping[str, Variable]
    variables: Mapping[str, Variable]


def _axis(name: str, kind: Kind = "text", accepted: tuple[str, ...] = (), low: float = -math.inf) -> Variable:
    return Variable((name,), kind, accepted, low)


_STATE, _DRAW, _REGION = _axis("state", accepted=STATES), _axis("draw", "count", low=0), _axis("region")
_READOUT = _axis("readout")
_PER_READOUT, _PER_REGION, _PER_METRIC = Variable(("readout",)), Variable(("region",)), ("state", "metric")
_PER_LINK, _TEXT = Variable(("link",), "text"), Variable(("readout",), "text")

SCHEMA: dict[str, Group] = {
    "table": Group(
        {"readout": _READOUT},
        {
            **dict.fromkeys(("value", "reference", "log_ratio", "effect", "d", "lo90", "hi90"), _PER_READOUT),
            "p_sign": Variable(("readout",), low=0, high=1),
            "level": Variable(("readout",), "text", LEVELS),
            "unit": _TEXT,
            "origin": Variable(("readout",), "text", ORIGINS),
            "label": Variable(("readout",), "text", LABELS),
            "grade": Variable(("readout",), "text", (*GRADES, "")),
            "limitation_id": _TEXT,
            "definition": _TEXT,
            "calibrated": _TEXT,
            "null_z_reference": _PER_READOUT,
            "null_z_perturbed": _PER_READOUT,
        },
    ),
    "rates": Group(
        {"state": _STATE, "draw": _DRAW, "region": _REGION, "cell": _axis("cell", accepted=CELLS)},
        {"rate": Variable(("state", "draw", "region", "cell"), low=0)},
    ),
    "spectra": Group(
        {"state": _STATE, "draw": _DRAW, "region": _REGION, "frequency": _axis("frequency", "number", low=0)},
        {"power": Variable(("state", "draw", "region", "frequency"), low=0)},
    ),
    "fc": Group(
        {"state": _STATE, "draw": _DRAW, "region": _REGION, "region_to": _axis("region_to")},
        dict.fromkeys(
            OBSERVATIONS,
            Variable(("state", "draw", "region", "region_to"), low=-1 - 1e-6, high=1 + 1e-6),
        ),
    ),
    "observations": Group(
        {"observation": _axis("observation", accepted=tuple(OBSERVATIONS)), "readout": _axis("readout")},
        {
            **dict.fromkeys(
                ("value", "reference", "log_ratio", "effect", "d", "lo90", "hi90"),
                Variable(("observation", "readout")),
            ),
            "p_sign": Variable(("observation", "readout"), low=0, high=1),
        },
    ),
    "graph": Group(
        {"state": _STATE, "metric": _axis("metric")},
        {
            **dict.fromkeys(("value", "null_mean", "null_sd", "null_z"), Variable(_PER_METRIC)),
            "rule": Variable(_PER_METRIC, "text"),
            "density": Variable(_PER_METRIC, low=0, high=1),
        },
    ),
    "draws": Group(
        {"draw": _DRAW, "readout": _READOUT},
        {
            "member": Variable(("draw",), "count", low=0),
            "stable_reference": Variable(("draw",), "flag"),
            "stable_perturbed": Variable(("draw",), "flag"),
            "reference": Variable(("readout", "draw")),
            "perturbed": Variable(("readout", "draw")),
        },
    ),
    "regions": Group(
        {"region": _REGION},
        {
            "hemisphere": Variable(("region",), "text", ("L", "R", "B")),
            "structure": Variable(("region",), "text"),
            "network": Variable(("region",), "text"),
            **dict.fromkeys(("x", "y", "z", "rate_change", "fc_change"), _PER_REGION),
            **dict.fromkeys(("sensitivity", "distance"), Variable(("region",), low=0)),
            **dict.fromkeys(("rebalanced", "tempered"), Variable(("region",), low=0, high=1)),
        },
    ),
    "links": Group(
        {"link": Variable(("link",), "text")},
        {
            **dict.fromkeys(("source", "target", "law", "cell", "where"), _PER_LINK),
            "sign": Variable(("link",), low=-1, high=1),
            "strength": Variable(("link",)),
            "grade": Variable(("link",), "text", (*GRADES, "")),
        },
    ),
}
"""Groups of a result and what each holds. The coordinate of `/links` may be text or whole numbers."""

ATTRIBUTES: dict[str, type] = {
    "schema_version": str, "version": str, "command": str, "title": str, "seed": int, "draws": int,
    "brain": str, "options": dict, "perturbations": list, "limitations": dict, "digests": dict,
    "created": str, "stable_reference": float, "stable_perturbed": float, "unstable_reason": str,
    "methods": str, "references": list, "disclaimer": str,
}  # fmt: skip
"""Attributes of the root; lists and dictionaries are stored as JSON text, see `attribute`."""


def attribute(tree: xr.DataTree, name: str) -> Any:
    """An attribute of the root, JSON text decoded.

    Parameters
    ----------
    tree : DataTree
    name : str
        One of `ATTRIBUTES`.
    """
    value = tree.attrs[name]
    return json.loads(value) if ATTRIBUTES[name] in (list, dict) else value


def validate(tree: xr.DataTree) -> None:
    """Check that a tree is a result.

    Raises
    ------
    SchemaError
        Naming the first attribute, group, coordinate or variable that is missing or not as declared in
        `ATTRIBUTES` and `SCHEMA`, or the groups that name different draws, regions or readouts.
    """
    for name, kind in ATTRIBUTES.items():
        if name not in tree.attrs:
            raise SchemaError(f"attribute {name!r} is missing")
        _check_attribute(name, tree.attrs[name], kind)
    if tree.attrs["schema_version"] != SCHEMA_VERSION:
        raise SchemaError(f"schema_version is {tree.attrs['schema_version']!r}, not {SCHEMA_VERSION!r}")
    shared: dict[str, tuple[str, list[Any]]] = {}
    for group_name, group in SCHEMA.items():
        if group_name not in tree.children:
            raise SchemaError(f"group /{group_name} is missing")
        data = tree.children[group_name].to_dataset(inherit=False)
        for name, declared in group.coordinates.items():
            where = f"/{group_name} coordinate {name!r}"
            if name not in data.coords:
                raise SchemaError(f"{where} is missing")
            numbered = name == "link" and data.coords[name].dtype.kind in "iu"
            _check_variable(where, data.coords[name], _axis("link", "count") if numbered else declared)
            values = data.coords[name].values.tolist()
            if len(set(values)) != len(values):
                raise SchemaError(f"{where}: {next(x for x in values if values.count(x) > 1)!r} is repeated")
            axis = "region" if name == "region_to" else name
            first, known = shared.setdefault(axis, (f"/{group_name}", values))
            part = group_name == "observations" and axis == "readout" and set(values) <= set(known)
            if known != values and not part and axis in ("state", "draw", "region", "readout"):
                raise SchemaError(f"{where} differs from {axis!r} of {first}")
        for name, declared in group.variables.items():
            if name not in data.data_vars:
                raise SchemaError(f"/{group_name} variable {name!r} is missing")
            _check_variable(f"/{group_name} variable {name!r}", data[name], declared)
    if shared["state"][1] != list(STATES):
        raise SchemaError(f"coordinate 'state' is {shared['state'][1]}, not {list(STATES)}")
    if len(shared["draw"][1]) != tree.attrs["draws"]:
        raise SchemaError(
            f"attribute 'draws' is {tree.attrs['draws']}, but {len(shared['draw'][1])} are given"
        )


def _check_attribute(name: str, value: Any, kind: type) -> None:
    if kind in (list, dict):
        try:
            decoded = json.loads(value)
        except (TypeError, ValueError):
            raise SchemaError(f"attribute {name!r} is no JSON text: {value!r}") from None
        if not isinstance(decoded, kind):
            raise SchemaError(f"attribute {name!r} is no JSON {kind.__name__}: {value!r}")
        return
    accepted: tuple[type, ...] = {int: (int, np.integer), float: (int, float, np.number)}.get(kind, (str,))
    if isinstance(value, bool) or not isinstance(value, accepted):
        raise SchemaError(f"attribute {name!r} is {value!r}, not {kind.__name__}")


def _check_variable(where: str, data: xr.DataArray, declared: Variable) -> None:
    if data.dims != declared.dims:
        raise SchemaError(f"{where} has dimensions {data.dims}, not {declared.dims}")
    values = data.values
    if values.dtype.kind not in _KINDS[declared.kind] and (values.size or declared.kind != "text"):
        raise SchemaError(f"{where} has dtype {values.dtype}, not {declared.kind}")
    if declared.kind == "text":
        for cell in values.flat:
            if not isinstance(cell, str):
                raise SchemaError(f"{where} holds {cell!r}, not text")
            if declared.accepted and cell not in declared.accepted:
                raise SchemaError(f"{where} holds {cell!r} (accepted: {', '.join(declared.accepted)})")
    elif declared.kind != "flag" and values.size:
        outside = (values < declared.low) | (values > declared.high)
        if outside.any():
            raise SchemaError(
                f"{where} holds {values[outside][0]:g}, outside {declared.low:g} to {declared.high:g}"
            )


def save(tree: xr.DataTree, path: str | PathLike[str]) -> Path:
    """Write a result as netCDF-4, whole or not at all.

    Parameters
    ----------
    tree : DataTree
    path : path
        A file there is replaced. Missing parent folders are created.

    Raises
    ------
    SchemaError
        If the tree is no result; nothing is written.
    UserError
        If the file cannot be written.
    """
    tidy = storable(tree)
    validate(tidy)
    encoding = {
        f"/{group}": {name: {"zlib": True, "complevel": 1, "shuffle": True} for name in names}
        for group, names in (("rates", ["rate"]), ("spectra", ["power"]), ("fc", [*SCHEMA["fc"].variables]))
    }
    with replacing(path) as temporary:
        tidy.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
    return Path(path)


def load(path: str | PathLike[str]) -> xr.DataTree:
    """Read a result, wholly into memory.

    Raises
    ------
    UserError
        If there is no such file, or it is not a result, or a newer synsys wrote it.
    """
    import xarray as xr

    path = Path(path)
    if path.is_dir():
        inside = sorted(file.name for file in path.glob("*.nc"))
        raise UserError(
            f"{path} is a folder; give the result in it ({', '.join(inside[:5]) or 'no .nc file'})"
        )
    if not path.exists():
        raise UserError(f"{path}: no such file")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as stored:
            tree = stored.load()
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not a synsys result (cannot be read as netCDF-4)") from error
    version = tree.attrs.get("schema_version")
    if version is None:
        raise UserError(f"{path} is netCDF, but not a synsys result (no schema_version)")
    if str(version).isdecimal() and int(version) > int(SCHEMA_VERSION):
        raise UserError(
            f"{path}: written by a newer synsys ({tree.attrs.get('version', '?')}, schema {version}; "
            f"this one reads schema {SCHEMA_VERSION}); update synsys"
        )
    tree = storable(tree)
    try:
        validate(tree)
    except SchemaError as error:
        raise UserError(f"{path} is not a whole synsys result: {error}") from error
    return tree


def tabulate(tree: xr.DataTree) -> pd.DataFrame:
    """The table of a result, one row per readout in the order of levels; for notebooks and CSV files.

    Returns
    -------
    DataFrame
        Index: readout. Columns: the variables of `/table`.
    """
    frame = tree.children["table"].to_dataset(inherit=False)[list(SCHEMA["table"].variables)].to_dataframe()
    rank = frame["level"].map(LEVELS.index)
    return frame.iloc[np.argsort(rank.to_numpy(), kind="stable")]


def observations(tree: xr.DataTree) -> pd.DataFrame:
    """Effects on connectivity in every way it is observed; index (observation, readout)."""
    found = tree.children["observations"].to_dataset(inherit=False)
    return found[list(SCHEMA["observations"].variables)].to_dataframe()


def summary(tree: xr.DataTree) -> str:
    """What a result says, in a few lines of plain text."""
    return show.summary_text(tabulate(tree), tree.attrs, NEGLIGIBLE)


def print_result(tree: xr.DataTree, console: Console | None = None, most: int = 25) -> None:
    """Print a result level by level, as a table that fits a terminal of 80 columns.

    Parameters
    ----------
    tree : DataTree
    console : rich.console.Console, optional
        Where to print; the terminal by default.
    most : int
        Readouts with the largest |d| to show, beside inputs and the largest two of every level; the
        others are counted per level.
    """
    note = show.observed(observations(tree), OBSERVATIONS, NEGLIGIBLE)
    show.print_table(tabulate(tree), tree.attrs, LEVELS, NEGLIGIBLE, console, most, note)
