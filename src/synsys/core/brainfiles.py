"""Assembling a connectome from files, joined by region label."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synsys.core.connectome import Connectome, check_matrix
from synsys.core.errors import UserError, unknown
from synsys.core.files import TEXT, LabelledMatrix, check_file, read_matrix, read_table, sha256, to_number
from synsys.core.regions import COLUMNS, tidy_regions

TORTUOSITY = 1.45
"""Tract length over centroid distance, averaged over the embedded brain with its weights."""
WEIGHT_TRANSFORMS = ("none", "exp", "expm1")
FC_TRANSFORMS = ("none", "tanh")
LENGTH_UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
MAP_OPTIONS = ("file", "columns", "zscore", "prefix", "rows")
MISSING = ("", "na", "nan", "n/a")


def assemble(
    weights: str | PathLike[str],
    regions: str | PathLike[str],
    lengths: str | PathLike[str] | None,
    maps: Sequence[str | PathLike[str] | Mapping[str, Any]],
    fc: str | PathLike[str] | None,
    *,
    transform: str,
    fc_transform: str,
    length_unit: str,
    length_rows: str,
    tortuosity: float | None,
    directed: bool,
    columns: Mapping[str, str] | None,
    keys: Mapping[str, str] | None,
    name: str | None,
) -> Connectome:
    """What `Connectome.from_files` does; its parameters are documented there."""
    for what, value, accepted in (
        ("transform", transform, WEIGHT_TRANSFORMS), ("fc transform", fc_transform, FC_TRANSFORMS),
        ("length unit", length_unit, tuple(LENGTH_UNITS)), ("length rows", length_rows, ("all", "first")),
    ):  # fmt: skip
        if value not in accepted:
            raise unknown(what, str(value), accepted)
    for key in keys or {}:
        if key not in ("weights", "lengths", "fc"):
            raise unknown("matrix in keys", key, ("weights", "lengths", "fc"))
    ratio = TORTUOSITY if tortuosity is None else tortuosity
    if not (np.isfinite(ratio) and ratio >= 1):
        raise UserError(f"tortuosity {tortuosity!r}: a tract is at least as long as the straight line (>= 1)")

    table_file = Path(regions)
    table = tidy_regions(read_table(table_file), table_file.name, columns)
    labels = [str(label) for label in table.index]
    provenance = {"regions": _origin(table_file)}

    def matrix(what: str, path: str | PathLike[str], first: bool = False) -> np.ndarray:
        file = Path(path)
        read = read_matrix(file, (keys or {}).get(what))
        provenance[what] = _origin(file)
        if first:
            there = labels[: len(read.values)]
            check_matrix(file.name, read.values, there, symmetric=not directed)
            return np.pad(read.values, (0, len(labels) - len(there)))
        values = by_label(read, labels, file.name, table_file.name)
        check_matrix(file.name, values, labels, symmetric=what == "fc" or not directed)
        return values

    w = _weights(matrix("weights", weights), transform, Path(weights).name, labels)
    if transform != "none":
        provenance["weights"] += f"; transform {transform}"
    own = None
    if lengths is not None:
        own = matrix("lengths", lengths, length_rows == "first") * LENGTH_UNITS[length_unit]
    full, note = _lengths(own, w, table, ratio, Path(lengths).name if lengths else "lengths")
    if note:
        provenance["lengths"] = "; ".join(filter(None, (provenance.get("lengths"), note)))
    correlation = None
    if fc is not None:
        correlation = _fc(matrix("fc", fc), fc_transform, Path(fc).name, labels)
    every = pd.DataFrame(index=table.index)
    for item in maps:
        option = dict(item) if isinstance(item, Mapping) else {"file": item}
        frame = read_map(option, labels, table_file.name)
        both = [column for column in frame if column in every]
        if both:
            raise UserError(f"{Path(option['file']).name}: map {both[0]!r} is already in another file")
        every = pd.concat([every, frame], axis=1)
        provenance[f"map {Path(option['file']).name}"] = _origin(Path(option["file"]))
    return Connectome(
        name=name or table_file.resolve().parent.name,
        weights=w,
        lengths=full,
        regions=table,
        maps=every,
        fc=correlation,
        directed=directed,
        provenance=provenance,
    )


def by_label(matrix: LabelledMatrix, labels: list[str], source: str, regions: str) -> np.ndarray:
    """Values in the order of `labels`; a matrix without names is taken to be in that order.

    Raises
    ------
    UserError
        If the file names regions twice or not the same ones as the regions table.
    """
    rows, columns = (_names(given, labels) for given in (matrix.rows, matrix.columns))
    rows, columns = rows or columns, columns or rows
    if rows is None or columns is None:
        return matrix.values
    for names in (rows, columns):
        if len(set(names)) != len(names):
            twice = sorted({x for x in names if names.count(x) > 1})
            raise UserError(f"{source}: region labels must be unique; repeated: {', '.join(twice[:5])}")
        lost, extra = sorted(set(labels) - set(names)), sorted(set(names) - set(labels))
        if lost or extra:
            parts = [
                f"{which} {', '.join(found[:5])}{' ...' if len(found) > 5 else ''}"
                for which, found in (("lacks", lost), ("has unknown", extra)) if found
            ]  # fmt: skip
            raise UserError(f"{source} and {regions} name different regions: {source} {'; '.join(parts)}")
    if matrix.values.shape != (len(rows), len(columns)):
        raise UserError(f"{source}: {len(rows)} labels for a matrix of shape {matrix.values.shape}")
    return matrix.values[np.ix_([rows.index(x) for x in labels], [columns.index(x) for x in labels])]


def _names(given: list[str] | None, labels: list[str]) -> list[str] | None:
    """Names to join by; None for running numbers, which say nothing about which region is meant."""
    if given is not None and not set(given) & set(labels):
        count = len(given)
        if given in ([str(i) for i in range(count)], [str(i + 1) for i in range(count)]):
            return None
    return given


def _weights(raw: np.ndarray, transform: str, source: str, labels: list[str]) -> np.ndarray:
    if transform != "none" and raw.max() > 50:
        i, j = np.unravel_index(raw.argmax(), raw.shape)
        raise UserError(
            f"{source}: [{labels[i]}, {labels[j]}] = {raw[i, j]:g} is no log weight; use transform none"
        )
    if transform == "exp":
        weights = np.where(raw != 0, np.exp(raw), 0.0)
    else:
        weights = np.expm1(raw) if transform == "expm1" else raw.copy()
    np.fill_diagonal(weights, 0.0)
    if (weights < 0).any():
        i, j = np.argwhere(weights < 0)[0]
        raise UserError(
            f"{source}: [{labels[i]}, {labels[j]}] = {raw[i, j]:g} is negative; weights must be >= 0 "
            f"(for log weights with 0 for no connection use transform exp)"
        )
    return weights


def _lengths(
    own: np.ndarray | None, weights: np.ndarray, table: pd.DataFrame, ratio: float, source: str
) -> tuple[np.ndarray, str]:
    """Tract lengths in mm, centroid distance x `ratio` where unknown, and what was done."""
    labels = [str(label) for label in table.index]
    if own is not None and (own < 0).any():
        i, j = np.argwhere(own < 0)[0]
        raise UserError(f"{source}: [{labels[i]}, {labels[j]}] = {own[i, j]:g} is negative")
    lengths = np.zeros_like(weights) if own is None else own.copy()
    np.fill_diagonal(lengths, 0.0)
    unknown_length = (lengths == 0) & ~np.eye(len(labels), dtype=bool)
    connected = unknown_length & ((weights > 0) | (weights.T > 0))
    if not unknown_length.any():
        return lengths, ""
    centroid = table[["x", "y", "z"]].to_numpy(float)
    nowhere = np.isnan(centroid).any(axis=1)
    if nowhere.any():
        if own is not None and not connected.any():
            return lengths, ""
        where = labels[int(np.flatnonzero(nowhere)[0])]
        raise UserError(
            f"{source}: tract lengths are missing, and region {where} has no centroid (x, y, z) to take "
            f"distances from"
        )
    distance = ratio * np.linalg.norm(centroid[:, None] - centroid[None], axis=2)
    lengths[unknown_length] = distance[unknown_length]
    count = "all lengths" if own is None else f"{int(connected.sum())} lengths of connections given as 0"
    return lengths, f"{count}: centroid distance x {ratio:g}"


def _fc(raw: np.ndarray, transform: str, source: str, labels: list[str]) -> np.ndarray:
    fc = np.tanh(raw) if transform == "tanh" else raw.copy()
    np.fill_diagonal(fc, 1.0)
    if np.abs(fc).max() > 1 + 1e-6:
        i, j = np.unravel_index(np.abs(fc).argmax(), fc.shape)
        raise UserError(
            f"{source}: [{labels[i]}, {labels[j]}] = {fc[i, j]:g} is no correlation; "
            f"for Fisher z use the transform tanh"
        )
    return fc


def read_map(option: Mapping[str, Any], labels: list[str], regions: str) -> pd.DataFrame:
    """Regional maps of one CSV or TSV file, rows in the order of `labels`, NaN where it has none.

    Parameters
    ----------
    option : mapping
        ``file`` and the options of `Connectome.from_files`.
    labels : list of N str
    regions : str
        Name of the regions file, for messages.
    """
    for key in option:
        if key not in MAP_OPTIONS:
            raise unknown("map option", key, MAP_OPTIONS)
    if "file" not in option:
        raise UserError("a map needs the option 'file'")
    file = Path(option["file"])
    check_file(file, TEXT)
    table = read_table(file)
    rows = option.get("rows", "named")
    heading = _label_heading(table, labels)
    if rows not in ("named", "first"):
        raise unknown("rows of a map", str(rows), ("named", "first"))
    if heading is not None and rows == "named":
        names = [str(cell) for cell in table[heading]]
        strange = [x for x in names if x not in labels]
        if strange:
            raise UserError(f"{file.name}: {unknown('region', strange[0], labels, f'see {regions}')}")
        if len(set(names)) != len(names):
            raise UserError(f"{file.name}: region {next(x for x in names if names.count(x) > 1)} twice")
    elif len(table) > len(labels) or (len(table) < len(labels) and rows != "first"):
        raise UserError(
            f"{file.name}: {len(table)} rows without region labels, but {regions} has {len(labels)}; "
            f"add a column of labels, or say rows = 'first' if they are the first regions"
        )
    else:
        names = labels[: len(table)]
    if heading is not None:
        table = table.drop(columns=heading)
    return _map_values(table, names, option, file.name).reindex(labels).set_axis(labels)


def _label_heading(table: pd.DataFrame, labels: list[str]) -> str | None:
    """Heading of the column of region labels, if there is one."""
    for heading in table.columns:
        if str(heading).lower() in COLUMNS["label"]:
            return str(heading)
    first = str(table.columns[0])
    return first if set(table[first]) & set(labels) else None


def _map_values(
    table: pd.DataFrame, names: list[str], option: Mapping[str, Any], source: str
) -> pd.DataFrame:
    wanted = option.get("columns", list(table.columns))
    for column in wanted:
        if column not in table:
            raise UserError(f"{source}: {unknown('column', str(column), [str(c) for c in table])}")
    values = {}
    for column in wanted:
        numbers = np.array(
            [
                np.nan if cell.lower() in MISSING else to_number(cell, f"{source}: {column} of {label}")
                for label, cell in zip(names, table[column], strict=True)
            ]
        )
        if np.isinf(numbers).any():
            raise UserError(f"{source}: {column} of {names[int(np.isinf(numbers).argmax())]} is infinite")
        if option.get("zscore", False):
            sd = np.nanstd(numbers)
            if not sd > 0:
                raise UserError(f"{source}: {column} does not vary, so it has no z-scores")
            numbers = (numbers - np.nanmean(numbers)) / sd
        values[f"{option.get('prefix', '')}{column}"] = numbers
    return pd.DataFrame(values, index=names)


def _origin(path: Path) -> str:
    return f"{path.name} (sha256 {sha256(path)[:16]})"
