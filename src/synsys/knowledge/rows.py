"""Reading a table of facts: a CSV file becomes a tuple of typed, checked rows.

A row class is a frozen dataclass whose fields are the columns, in order. Its class attribute ``key``
(default: the first field) names the fields that together identify a row. A ``__post_init__`` that
raises ValueError rejects the row, and the message gains file and line.
"""

import csv
import io
import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from importlib import resources
from math import isfinite
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from synsys.core.errors import UserError, closest

Row = TypeVar("Row")

LIST_SEPARATOR = "|"
BOOLEANS = {"yes": True, "true": True, "no": False, "false": False}


class TableError(UserError):
    """A table that cannot be read; its text names file, line and column."""


def load_table(filename: str, row_class: type[Row]) -> tuple[Row, ...]:
    """Read a table shipped with the package.

    Parameters
    ----------
    filename : str
        Name of a file in ``synsys/knowledge/tables``.
    row_class : type
        Frozen dataclass; its annotations (``str``, ``float``, ``int``, ``bool``, ``Literal[...]``,
        ``tuple[..., ...]`` and ``X | None``) say how each cell is read.

    Returns
    -------
    tuple of `row_class`
        In the order of the file.

    Raises
    ------
    TableError
        As for `parse_table`.
    """
    text = (resources.files("synsys.knowledge") / "tables" / filename).read_text(encoding="utf-8")
    return parse_table(text, filename, row_class)


def parse_table(
    text: str, filename: str, row_class: type[Row], exact_columns: bool = True
) -> tuple[Row, ...]:
    """Read a table from its text.

    A cell is stripped of surrounding blanks. A list is split at ``|``; yes, no, true and false are
    booleans; numbers must be finite. An empty cell takes the field's default, else None or ``()`` where
    the annotation allows it, else it is an error.

    Parameters
    ----------
    text : str
        The CSV file's content, header line first.
    filename : str
        What messages call it.
    row_class : type
        As for `load_table`.
    exact_columns : bool
        Whether every field needs a column and every column a field. If not, further columns are
        ignored and fields that have a default may be absent.

    Raises
    ------
    TableError
        For unknown, missing or repeated columns, cells of the wrong type, rows of the wrong length,
        rejected rows and repeated keys, naming file, line and column.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    columns = _columns(row_class)
    key_fields = _key(row_class)
    rows: list[Row] = []
    seen: dict[tuple[Any, ...], int] = {}
    try:
        header = [cell.strip() for cell in next(reader, [])]
        optional = set() if exact_columns else _defaulted(row_class)
        ignored = set() if exact_columns else set(header) - set(columns)
        _check_header(filename, header, list(columns), optional, ignored)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_row(f"{filename}, line {line}", header, cells, columns, row_class))
                key = tuple(getattr(rows[-1], name) for name in key_fields)
                if key in seen:
                    shown = ", ".join(
                        f"{name} = {value!r}" for name, value in zip(key_fields, key, strict=True)
                    )
                    raise TableError(f"{filename}, line {line}: {shown} repeats line {seen[key]}")
                seen[key] = line
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{filename}, line {reader.line_num}: not CSV ({error})") from error
    return tuple(rows)


def _key(row_class: type) -> tuple[str, ...]:
    key: tuple[str, ...] = getattr(row_class, "key", ())
    return key or (fields(row_class)[0].name,)


def _defaulted(row_class: type) -> set[str]:
    return {field.name for field in fields(row_class) if field.default is not MISSING}


def _columns(row_class: type) -> dict[str, Callable[[str], Any]]:
    """Reader of one cell for each field of `row_class`."""
    hints = get_type_hints(row_class)
    return {field.name: _cell_reader(hints[field.name], field) for field in fields(row_class)}


def _check_header(
    filename: str, header: list[str], columns: list[str], optional: set[str], ignored: set[str]
) -> None:
    for name in header:
        if name not in columns and name not in ignored:
            raise TableError(f"{filename}, line 1: unknown column {name!r}{closest(name, columns)}")
        if header.count(name) > 1:
            raise TableError(f"{filename}, line 1: column {name!r} appears twice")
    missing = [name for name in columns if name not in header and name not in optional]
    if missing:
        raise TableError(f"{filename}, line 1: missing column {', '.join(map(repr, missing))}")


def _row(
    where: str,
    header: list[str],
    cells: list[str],
    columns: dict[str, Callable[[str], Any]],
    row_class: type[Row],
) -> Row:
    if len(cells) != len(header):
        raise TableError(f"{where}: {len(cells)} cells, but the header has {len(header)} columns")
    values = {}
    for name, cell in zip(header, cells, strict=True):
        if name not in columns:
            continue
        try:
            values[name] = columns[name](cell.strip())
        except ValueError as error:
            raise TableError(f"{where}, column {name!r}: {error}") from None
    try:
        return row_class(**values)
    except ValueError as error:
        raise TableError(f"{where}: {error}") from None


def _cell_reader(kind: Any, field: Field[Any]) -> Callable[[str], Any]:
    read, empty = _value_reader(kind)

    def reader(cell: str) -> Any:
        if cell:
            return read(cell)
        if field.default is not MISSING:
            return field.default
        if empty is MISSING:
            raise ValueError("is empty, a value is needed")
        return empty

    return reader


def _value_reader(kind: Any) -> tuple[Callable[[str], Any], Any]:
    """How to read a non-empty cell of type `kind`, and what an empty one means (MISSING: an error)."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (arg for arg in args if arg is not type(None))
        return _value_reader(inner)[0], None
    if origin is tuple:
        item = _value_reader(args[0])[0]
        return lambda cell: tuple(item(part.strip()) for part in cell.split(LIST_SEPARATOR)), ()
    if origin is Literal:
        return lambda cell: _one_of(cell, args), "" if "" in args else MISSING
    readers: dict[Any, Callable[[str], Any]] = {str: str, float: _float, int: _int, bool: _bool}
    return readers[kind], MISSING


def _one_of(cell: str, options: tuple[str, ...]) -> str:
    if cell not in options:
        named = [option for option in options if option]
        raise ValueError(f"{cell!r} is not accepted{closest(cell, named)} (accepted: {', '.join(named)})")
    return cell


def _float(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{cell!r} is not a number") from None
    if not isfinite(value):
        raise ValueError(f"{cell!r} is not a finite number")
    return value


def _int(cell: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise ValueError(f"{cell!r} is not a whole number") from None


def _bool(cell: str) -> bool:
    if cell.lower() not in BOOLEANS:
        raise ValueError(f"{cell!r} is not yes or no")
    return BOOLEANS[cell.lower()]
