"""Checking, reading, writing and printing a result.

`core.results` says what each kind of result holds. Every read and write passes through `validate`, so
whoever holds a tree can rely on it.
"""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core import show, show_mind, show_time
from synsys.core.errors import UserError
from synsys.core.output import replacing
from synsys.core.results import CELLS as CELLS
from synsys.core.results import DISCLAIMER as DISCLAIMER
from synsys.core.results import FORMS, LEVELS, NEGLIGIBLE, OBSERVATIONS, SCHEMA, Form, Variable
from synsys.core.results import SCHEMA_VERSION as SCHEMA_VERSION
from synsys.core.results import STATES as STATES
from synsys.core.storable import storable

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.console import Console

_KINDS: dict[str, str] = {"number": "fiu", "count": "iu", "flag": "b", "text": "OUT"}


class SchemaError(ValueError):
    """A tree that is not a result; its text names group and variable."""


MIND = ("behaviour", "recovery")
"""Kinds of results about people's behaviour, fitted or simulated."""


def kind(tree: xr.DataTree) -> str:
    """Which of `core.results.FORMS` a result is."""
    return str(tree.attrs.get("kind", "cascade"))


def attribute(tree: xr.DataTree, name: str) -> Any:
    """An attribute of the root, JSON text decoded.

    Parameters
    ----------
    tree : DataTree
    name : str
        One of the attributes of its kind (`core.results.FORMS`).
    """
    value = tree.attrs[name]
    return json.loads(value) if FORMS[kind(tree)].attributes[name] in (list, dict) else value


def validate(tree: xr.DataTree) -> None:
    """Check that a tree is a result.

    Raises
    ------
    SchemaError
        Naming the first attribute, group, coordinate or variable that is missing or not as declared in
        `core.results.FORMS`, or the groups that name different draws, regions, readouts or times.
    """
    if kind(tree) not in FORMS:
        raise SchemaError(f"attribute 'kind' is {kind(tree)!r} (accepted: {', '.join(FORMS)})")
    form = FORMS[kind(tree)]
    for name, type_ in form.attributes.items():
        if name not in tree.attrs:
            raise SchemaError(f"attribute {name!r} is missing")
        _check_attribute(name, tree.attrs[name], type_)
    if tree.attrs["schema_version"] != SCHEMA_VERSION:
        raise SchemaError(f"schema_version is {tree.attrs['schema_version']!r}, not {SCHEMA_VERSION!r}")
    shared = _check_groups(tree, form)
    if "draws" not in form.attributes:
        return
    if shared["state"][1] != list(STATES):
        raise SchemaError(f"coordinate 'state' is {shared['state'][1]}, not {list(STATES)}")
    if len(shared["draw"][1]) != tree.attrs["draws"]:
        raise SchemaError(
            f"attribute 'draws' is {tree.attrs['draws']}, but {len(shared['draw'][1])} are given"
        )


NUMBERED = ("link", "event")
"""Coordinates that may be text or whole numbers."""


def _check_groups(tree: xr.DataTree, form: Form) -> dict[str, tuple[str, list[Any]]]:
    """Check every group; returns where each coordinate was first found, and its values."""
    shared: dict[str, tuple[str, list[Any]]] = {}
    for group_name, group in form.groups.items():
        if group_name not in tree.children:
            if group.required:
                raise SchemaError(f"group /{group_name} is missing")
            continue
        data = tree.children[group_name].to_dataset(inherit=False)
        for name, declared in group.coordinates.items():
            where = f"/{group_name} coordinate {name!r}"
            if name not in data.coords:
                raise SchemaError(f"{where} is missing")
            numbered = name in NUMBERED and data.coords[name].dtype.kind in "iu"
            _check_variable(where, data.coords[name], Variable((name,), "count") if numbered else declared)
            values = data.coords[name].values.tolist()
            if len(set(values)) != len(values):
                raise SchemaError(f"{where}: {next(x for x in values if values.count(x) > 1)!r} is repeated")
            axis = "region" if name == "region_to" else name
            first, known = shared.setdefault(axis, (f"/{group_name}", values))
            part = group_name == "observations" and axis == "readout" and set(values) <= set(known)
            if known != values and not part and axis in form.joined:
                raise SchemaError(f"{where} differs from {axis!r} of {first}")
        for name, declared in {**group.variables, **group.optional}.items():
            if name in data.variables:
                _check_variable(f"/{group_name} variable {name!r}", data[name], declared)
            elif name in group.variables:
                raise SchemaError(f"/{group_name} variable {name!r} is missing")
    return shared


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
    if declared.increasing and not (np.diff(values) > 0).all():
        raise SchemaError(f"{where} does not increase")


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
        for group, names in FORMS[kind(tidy)].compressed.items()
        if group in tidy.children
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
    """The table of a result, for notebooks and CSV files.

    Returns
    -------
    DataFrame
        Of a cascade one row per readout in the order of levels, with the variables of ``/table``; of a
        trajectory one row per quantity in the order of movement, with those of ``/leadlag``; of a simulation
        one row per run, with its point of the grid; of a fit of behaviour or a recovery one row per
        parameter.
    """
    if kind(tree) == "trajectory":
        return show_time.lead_lag_frame(tree)
    if kind(tree) in MIND:
        return show_mind.parameter_frame(tree)
    if kind(tree) == "simulation":
        parts = [tree.children[name].to_dataset(inherit=False).to_dataframe() for name in ("runs", "table")]
        return parts[0].join(parts[1])
    frame = tree.children["table"].to_dataset(inherit=False)[list(SCHEMA["table"].variables)].to_dataframe()
    rank = frame["level"].map(LEVELS.index)
    return frame.iloc[np.argsort(rank.to_numpy(), kind="stable")]


def observations(tree: xr.DataTree) -> pd.DataFrame:
    """Effects on connectivity in every way it is observed; index (observation, readout)."""
    found = tree.children["observations"].to_dataset(inherit=False)
    return found[list(SCHEMA["observations"].variables)].to_dataframe()


def summary(tree: xr.DataTree) -> str:
    """What a result says, in a few lines of plain text."""
    if kind(tree) == "trajectory":
        return show_time.summary_text(tree)
    if kind(tree) in MIND:
        return show_mind.summary_text(tree)
    if kind(tree) == "simulation":
        runs = tabulate(tree)
        return f"{tree.attrs['title']} on {tree.attrs['brain']}, {len(runs)} runs: {', '.join(runs.columns)}"
    return show.summary_text(tabulate(tree), tree.attrs, NEGLIGIBLE)


def print_result(tree: xr.DataTree, console: Console | None = None, most: int = 25) -> None:
    """Print a result as tables that fit a terminal of 80 columns.

    A cascade level by level; a trajectory by what moved first and what is left at the end.

    Parameters
    ----------
    tree : DataTree
    console : rich.console.Console, optional
        Where to print; the terminal by default.
    most : int
        Readouts of a cascade with the largest |d| to show, beside inputs and the largest two of every
        level; the others are counted per level.
    """
    if kind(tree) == "trajectory":
        show_time.print_trajectory(tree, console)
        return
    if kind(tree) in MIND:
        show_mind.print_mind(tree, console)
        return
    if kind(tree) == "simulation":
        show.print_runs(tabulate(tree), tree.attrs, console)
        return
    note = show.observed(observations(tree), OBSERVATIONS, NEGLIGIBLE)
    show.print_table(tabulate(tree), tree.attrs, LEVELS, NEGLIGIBLE, console, most, note)
