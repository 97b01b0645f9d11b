"""Matrices and tables from CSV, TSV, NPY, NPZ and MAT files, with errors that name file and cell."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synsys.core.errors import UserError, unknown

TEXT = (".csv", ".tsv", ".txt")
FORMATS = (*TEXT, ".npy", ".npz", ".mat")
LABEL_KEYS = ("labels", "region_labels", "regions", "names", "label")


@dataclass(frozen=True, eq=False)
class LabelledMatrix:
    """Numbers read from a file, with the region names the file gives (None where it gives none)."""

    values: np.ndarray
    rows: list[str] | None = None
    columns: list[str] | None = None


def read_matrix(path: Path, key: str | None = None) -> LabelledMatrix:
    """Read a region-by-region matrix.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.tsv``, ``.txt`` (comma, semicolon, tab or blank separated; with or without a row
        and a column of labels; lines starting with ``#`` are skipped), ``.npy``, ``.npz`` or ``.mat``
        (also version 7.3).
    key : str or None
        Name of the variable in an ``.npz`` or ``.mat`` file; needed if several would fit.

    Returns
    -------
    LabelledMatrix
        `values` is (rows, columns), float64; shape and symmetry are not checked here.

    Raises
    ------
    UserError
        For a missing or unreadable file, an unknown format, lines of unequal length or a cell that is
        not a number.
    """
    check_file(path, FORMATS)
    if path.suffix.lower() in TEXT:
        return _labelled(path, _rows(path))
    if path.suffix.lower() == ".npy":
        return LabelledMatrix(_numeric(path, _load_numpy(path)))
    variables = _load_numpy(path) if path.suffix.lower() == ".npz" else _load_mat(path)
    name = _choose(path, variables, key)
    labels = next((_strings(variables[k]) for k in LABEL_KEYS if k in variables and k != name), None)
    return LabelledMatrix(_numeric(path, variables[name]), labels, labels)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table with a line of headings from a CSV or TSV file; every cell stays text.

    Raises
    ------
    UserError
        For a missing file, an unknown format, no rows, or headings that are empty or repeat.
    """
    check_file(path, TEXT)
    lines = _rows(path)
    if len(lines) < 2:
        raise UserError(f"{path.name}: a table needs a line of headings and at least one row")
    headings = lines[0]
    if not headings[0]:
        headings = ["label", *headings[1:]]
    twice = sorted({h for h in headings if headings.count(h) > 1 or not h})
    if twice:
        raise UserError(f"{path.name}: heading {twice[0]!r} is empty or repeats")
    return pd.DataFrame(lines[1:], columns=headings, dtype=object)


def check_file(path: Path, formats: tuple[str, ...]) -> None:
    """Raise a UserError unless `path` is an existing file of one of these formats."""
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    if path.suffix.lower() not in formats:
        raise UserError(f"{path.name}: unknown format {path.suffix!r} (accepted: {', '.join(formats)})")


def sha256(path: Path) -> str:
    """Digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def to_number(text: str, where: str) -> float:
    """A float from one cell, or a UserError that starts with `where`."""
    try:
        return float(text)
    except ValueError:
        what = repr(text) if text else "empty"
        raise UserError(f"{where} is {what}, not a number") from None


def _rows(path: Path) -> list[list[str]]:
    """Cells of a text file, stripped; all rows of equal length."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path.name}: not a text file in UTF-8") from None
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise UserError(f"{path.name}: empty file")
    first = lines[0][1]
    separator = next((s for s in ("\t", ";", ",") if s in first), None)
    rows: list[list[str]] = []
    for number, line in lines:
        cells = next(csv.reader([line], delimiter=separator)) if separator else line.split()
        cells = [cell.strip() for cell in cells]
        if rows and len(cells) != len(rows[0]):
            raise UserError(
                f"{path.name}, line {number}: {len(cells)} cells, but line {lines[0][0]} has {len(rows[0])}"
            )
        rows.append(cells)
    if len(rows[0]) > 1 and not any(row[-1] for row in rows):  # every line ends in a separator
        rows = [row[:-1] for row in rows]
    return rows


def _labelled(path: Path, rows: list[list[str]]) -> LabelledMatrix:
    """Tell labels from numbers: a first row or column that is mostly not numbers holds labels."""
    corner = rows[0][0] == "" and len(rows) > 1
    header = corner or _mostly_text(rows[0]) or len(rows) == len(rows[0]) + 1
    body = rows[1:] if header else rows
    index = bool(body) and (corner or _mostly_text([row[0] for row in body]))
    columns = (rows[0][1:] if index else rows[0]) if header else None
    names = [row[0] for row in body] if index else None
    numbers = [row[1:] for row in body] if index else body
    values = np.empty((len(numbers), len(numbers[0]) if numbers else 0))
    for i, row in enumerate(numbers):
        for j, cell in enumerate(row):
            try:
                values[i, j] = float(cell)
            except ValueError:
                a = names[i] if names else i + 1
                b = columns[j] if columns else j + 1
                to_number(cell, f"{path.name}: cell [{a}, {b}]")
    return LabelledMatrix(values, names, columns)


def _mostly_text(cells: list[str]) -> bool:
    def is_text(cell: str) -> bool:
        try:
            float(cell)
        except ValueError:
            return True
        return False

    return 2 * sum(is_text(cell) for cell in cells) > len(cells)


def _load_numpy(path: Path) -> Any:
    try:
        loaded = np.load(path, allow_pickle=False)
        return loaded if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f"{path.name}: not a readable NumPy file ({error})") from None


def _load_mat(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError
    from scipy.sparse import issparse

    try:
        return {
            name: value.toarray() if issparse(value) else value
            for name, value in loadmat(path).items()
            if not name.startswith("__")
        }
    except NotImplementedError:
        pass
    except (MatReadError, ValueError, OSError, TypeError) as error:
        raise UserError(f"{path.name}: not a readable MAT file ({error})") from None
    import h5py

    try:
        with h5py.File(path) as file:  # version 7.3 is HDF5 with axes reversed
            return {
                name: item[()].T
                for name, item in file.items()
                if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub"
            }
    except OSError as error:
        raise UserError(f"{path.name}: not a readable MAT file ({error})") from None


def _choose(path: Path, variables: dict[str, Any], key: str | None) -> str:
    """Name of the variable to read: `key`, else the only two-dimensional numeric one."""
    square = [
        name for name, value in variables.items()
        if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "fiub"
        and value.shape[0] == value.shape[1] > 1
    ]  # fmt: skip
    if key is not None:
        if key not in variables:
            raise UserError(f"{path.name}: {unknown('variable', key, variables)}")
        return key
    if path.stem in square:
        return path.stem
    if len(square) != 1:
        raise UserError(
            f"{path.name}: {len(square) or 'no'} square matrices among {', '.join(variables) or 'nothing'}; "
            f"name the one to read with key"
        )
    return square[0]


def _numeric(path: Path, value: np.ndarray) -> np.ndarray:
    if value.dtype.kind not in "fiub":
        raise UserError(f"{path.name}: holds {value.dtype}, not numbers")
    return np.asarray(value, float)


def _strings(value: np.ndarray) -> list[str] | None:
    """Labels from a string array or a MATLAB cell array of strings; None for anything else."""
    flat = np.asarray(value).ravel().tolist()
    text = [str(item[0]) if isinstance(item, np.ndarray) and item.size == 1 else item for item in flat]
    return [item.strip() for item in text] if text and all(isinstance(x, str) for x in text) else None
