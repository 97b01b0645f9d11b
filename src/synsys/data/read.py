"""A user's own brain from a folder or a ``brain.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synsys.core.connectome import Connectome
from synsys.core.errors import UserError, unknown
from synsys.core.files import FORMATS, TEXT, read_table, to_number
from synsys.core.regions import COLUMNS
from synsys.knowledge.atlas import dk_networks

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTOR = "brain.toml"
SECTIONS = {
    "weights": ("file", "key", "transform", "directed"),
    "lengths": ("file", "key", "unit", "rows", "tortuosity"),
    "regions": ("file", *COLUMNS),
    "fc": ("file", "key", "transform"),
    "maps": ("file", "columns", "zscore", "prefix", "rows"),
}
EXPECTED = (
    f"expected weights.* and regions.csv, and optionally lengths.*, fc.*, maps.csv or a folder maps "
    f"(matrices in {', '.join(FORMATS)}), or a {DESCRIPTOR} that names the files"
)


def load_brain(path: str | PathLike[str]) -> Connectome:
    """Read a brain from a folder or from a ``brain.toml``.

    A folder holds ``weights.*`` and ``regions.csv`` and may hold ``lengths.*``, ``fc.*``, ``maps.csv``
    and ``maps/*.csv`` (`Connectome.from_files` says what may be in them), or a ``brain.toml``::

        name = "Schaefer-100"

        [weights]
        file = "sc_log.csv"        # relative to this file, or absolute
        transform = "exp"          # none, exp (log weights, 0 = no connection), expm1
        directed = false
        key = "sc"                 # variable, for NPZ and MAT

        [lengths]                  # left out: centroid distance x tortuosity
        file = "lengths.mat"
        unit = "mm"                # mm, cm, m
        rows = "all"               # all, first (no labels; covers the first regions only)
        tortuosity = 1.45

        [regions]
        file = "regions.csv"
        network = "yeo7"           # our column = heading in the file

        [fc]
        file = "fc_z.csv"
        transform = "tanh"         # none, tanh (Fisher z)

        [[maps]]
        file = "receptors.csv"
        columns = ["5HT2a", "D2"]  # left out: all
        zscore = true
        prefix = "pet_"
        rows = "first"             # named (by label), first (no labels; the first regions)

    Cortical regions without a network take the one their Desikan-Killiany parcel mostly lies in
    (``dk_networks.csv``); provenance counts them.

    Parameters
    ----------
    path : path
        A folder or a ``.toml`` file.

    Returns
    -------
    Connectome

    Raises
    ------
    UserError
        If the folder does not hold a brain (saying what is expected and what is there), the descriptor
        has unknown entries, or a file cannot be read or does not fit the others.
    """
    place = Path(path)
    if place.is_dir():
        descriptor = place / DESCRIPTOR
        description = _from_toml(descriptor) if descriptor.is_file() else _from_folder(place)
    elif place.is_file() and place.suffix.lower() == ".toml":
        description = _from_toml(place)
    elif place.is_file():
        raise UserError(f"{place}: a brain is a folder or a {DESCRIPTOR}, not a single file; {EXPECTED}")
    else:
        raise UserError(f"{place}: no such folder; {EXPECTED}")
    return _with_networks(_build(description))


def load_lead_field(path: str | PathLike[str]) -> "pd.DataFrame":
    """A user's own lead field from a CSV or TSV file.

    First column: names of electrodes; the other headings: region labels.

    Returns
    -------
    DataFrame, (electrodes, regions)

    Raises
    ------
    UserError
        For a missing file, another format, repeated electrodes or a cell that is not a finite number.
    """
    place = Path(path)
    table = read_table(place)
    index, *columns = table.columns
    if not columns:
        raise UserError(f"{place.name}: a lead field has a column of electrodes and one column per region")
    names = table[index].tolist()
    if len(set(names)) != len(names) or "" in names:
        wrong = next(n for n in names if names.count(n) > 1 or not n)
        raise UserError(f"{place.name}: electrode {wrong!r} is repeated or has no name")
    field = table[columns].set_axis(names, axis=0)
    for column in columns:
        for electrode, cell in field[column].items():
            if not isfinite(to_number(str(cell), f"{place.name} [{electrode}, {column}]")):
                raise UserError(f"{place.name} [{electrode}, {column}] is {cell}, not a finite number")
    return field.astype(float)


def _build(description: Mapping[str, Any]) -> Connectome:
    """The connectome of a description with resolved paths."""
    weights, regions, lengths, fc = (description.get(k, {}) for k in ("weights", "regions", "lengths", "fc"))
    sections = {"weights": weights, "lengths": lengths, "fc": fc}
    return Connectome.from_files(
        weights["file"],
        regions["file"],
        lengths.get("file"),
        description.get("maps", ()),
        fc.get("file"),
        transform=weights.get("transform", "none"),
        fc_transform=fc.get("transform", "none"),
        length_unit=lengths.get("unit", "mm"),
        length_rows=lengths.get("rows", "all"),
        tortuosity=lengths.get("tortuosity"),
        directed=weights.get("directed", False),
        columns={ours: theirs for ours, theirs in regions.items() if ours != "file"},
        keys={what: section["key"] for what, section in sections.items() if "key" in section},
        name=description.get("name"),
    )


def _with_networks(brain: Connectome) -> Connectome:
    """Fill empty networks of cortical regions from their Desikan-Killiany name."""
    regions = brain.regions
    empty = (regions["structure"] == "cortex") & (regions["network"] == "")
    found = regions["dk"].map(dk_networks()).where(empty).dropna()
    if not len(found):
        return brain
    filled = regions.assign(network=regions["network"].mask(empty & regions.index.isin(found.index), found))
    note = f"{len(found)} taken from the Desikan-Killiany parcel (dk_networks.csv)"
    return replace(brain, regions=filled, provenance={**brain.provenance, "networks": note})


def _from_folder(folder: Path) -> dict[str, Any]:
    """Description of a folder by the names of its files."""

    def one(stem: str, formats: tuple[str, ...]) -> Path | None:
        found = [f for f in sorted(folder.glob(f"{stem}.*")) if f.suffix.lower() in formats]
        if len(found) > 1:
            raise UserError(f"{folder}: several {stem}.* ({', '.join(f.name for f in found)}); keep one")
        return found[0] if found else None

    files = {stem: one(stem, FORMATS) for stem in ("weights", "lengths", "fc")}
    files["regions"] = one("regions", TEXT)
    missing = [name for name in ("weights", "regions") if files[name] is None]
    if missing:
        there = sorted(f.name for f in folder.iterdir())
        shown = ", ".join(there[:10]) + (" ..." if len(there) > 10 else "") if there else "nothing"
        raise UserError(
            f"{folder}: no {' and no '.join(f'{name}.*' for name in missing)}; {EXPECTED}; found: {shown}"
        )
    maps = [f for f in (one("maps", TEXT),) if f]
    maps += sorted(f for f in (folder / "maps").glob("*") if f.suffix.lower() in TEXT)
    sections: dict[str, Any] = {name: {"file": file} for name, file in files.items() if file}
    return {**sections, "maps": [{"file": file} for file in maps]}


def _from_toml(descriptor: Path) -> dict[str, Any]:
    """Description written in a ``brain.toml``, its paths resolved against the file's folder."""
    try:
        described = tomllib.loads(descriptor.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{descriptor}: not TOML ({error})") from None
    for name, section in described.items():
        if name == "name":
            continue
        if name not in SECTIONS:
            raise UserError(f"{descriptor}: {unknown('section', name, ('name', *SECTIONS))}")
        parts = section if name == "maps" else [section]
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            form = "[[maps]]" if name == "maps" else f"[{name}]"
            raise UserError(f"{descriptor}: {name} must be written as {form} with entries below it")
        for part in parts:
            for entry in part:
                if entry not in SECTIONS[name]:
                    raise UserError(f"{descriptor}: {unknown(f'entry in [{name}]', entry, SECTIONS[name])}")
            if "file" in part:
                part["file"] = descriptor.parent / str(part["file"])
            elif name != "lengths":
                raise UserError(f"{descriptor}: [{name}] names no file")
    for name in ("weights", "regions"):
        if name not in described:
            raise UserError(f"{descriptor}: no section [{name}]")
    return described
