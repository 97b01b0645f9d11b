"""Named loci, networks and loops of the brain, found in any parcellation by its DK and network columns."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from synsys.core.connectome import NETWORKS, STRUCTURES
from synsys.core.errors import UserError, unknown
from synsys.core.regions import DK_CORTEX, DK_SUBCORTEX, split_hemisphere
from synsys.knowledge.rows import load_table

REACH_MM = 20.0
"""How far the nearest parcel may be when a parcellation has none that belongs to a locus."""


@dataclass(frozen=True)
class Locus:
    """A row of ``loci.csv``: a name for a set of regions.

    Parameters
    ----------
    name : str
    aliases : tuple of str
    kind : {"locus", "structure", "network", "set", "loop"}
        A locus is made of Desikan-Killiany parcels (`dk`), a structure of `structures`, a network of
        Yeo-7 `networks`, a set of other rows (`members`), a loop of exactly two of them.
    dk, structures, networks, members : tuple of str
    note, source : str
    """

    name: str
    aliases: tuple[str, ...]
    kind: Literal["locus", "structure", "network", "set", "loop"]
    dk: tuple[str, ...]
    structures: tuple[str, ...]
    networks: tuple[str, ...]
    members: tuple[str, ...]
    note: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for what, given, accepted in (
            ("dk", self.dk, (*DK_CORTEX, *DK_SUBCORTEX)), ("structure", self.structures, STRUCTURES),
            ("network", self.networks, NETWORKS),
        ):  # fmt: skip
            for value in given:
                if value not in accepted:
                    raise unknown(what, value, accepted)
        if self.kind == "loop" and len(self.members) != 2:
            raise ValueError("a loop has two members")


@dataclass(frozen=True)
class DkParcel:
    """A row of ``dk_networks.csv``: a cortical Desikan-Killiany parcel.

    Its Yeo-7 network by share of area over both hemispheres and in each, and its centroid in the right
    hemisphere (MNI152 mm).
    """

    dk: str
    network: Literal["Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default"]
    share: float
    left: str
    left_share: float
    right: str
    right_share: float
    x: float
    y: float
    z: float
    source: str


@cache
def loci() -> tuple[Locus, ...]:
    """Every named locus, structure, network, set and loop."""
    rows = load_table("loci.csv", Locus)
    _index(rows)
    return rows


@cache
def dk_parcels() -> dict[str, DkParcel]:
    """Cortical Desikan-Killiany parcels by name."""
    return {row.dk: row for row in load_table("dk_networks.csv", DkParcel)}


def dk_networks() -> dict[str, str]:
    """Yeo-7 network of each cortical Desikan-Killiany name (area majority over both hemispheres)."""
    return {dk: row.network for dk, row in dk_parcels().items()}


def resolve_where(regions: pd.DataFrame, text: str) -> np.ndarray:
    """Regions that a name means in a given brain.

    Parameters
    ----------
    regions : DataFrame, N rows
        `Connectome.regions`.
    text : str
        A region label (``L.superiorfrontal``), a Desikan-Killiany name (both hemispheres), or a name or
        alias of `loci` (``dlPFC``, ``DMN``, ``thalamus``, ``hubs``); ``L.`` or ``R.`` before a name
        restricts it to a hemisphere. Upper and lower case, blanks, hyphens and underscores are equal.
        A region label wins over a locus.

    Returns
    -------
    ndarray of bool, (N,)
        At least one True. Where a parcellation has no parcel of a locus, the nearest cortical parcels
        within `REACH_MM`, or the undivided structure, stand in; `describe_where` says so.

    Raises
    ------
    UserError
        If the name is unknown (with the closest one) or the brain has no such region.
    """
    return _resolve(regions, text)[0]


def resolve_pair(regions: pd.DataFrame, text: str) -> tuple[np.ndarray, np.ndarray]:
    """The two sets of regions that a loop joins.

    Parameters
    ----------
    regions : DataFrame, N rows
    text : str
        A loop of `loci` (``fronto-limbic``, ``fronto-striatal``, ``thalamo-cortical``, ...) or any two
        names joined by ``--`` (``dlPFC--amygdala``); ``L.`` or ``R.`` before a loop restricts both.

    Returns
    -------
    first, second : ndarray of bool, (N,)

    Raises
    ------
    UserError
        As `resolve_where`; also for a name that is not a pair.
    """
    if "--" in text:
        one, other = text.split("--", 1)
        return resolve_where(regions, one.strip()), resolve_where(regions, other.strip())
    side, rest = _side(text)
    row = _index(loci()).get(_key(text)) or _index(loci()).get(_key(rest))
    loops = [row.name for row in loci() if row.kind == "loop"]
    if row is None:
        raise unknown("loop", text, loops, "any two places can be joined, as in dlPFC--amygdala")
    if row.kind != "loop":
        raise UserError(f"{text!r} is one place, not two (loops: {', '.join(loops)}; or A--B)")
    prefix = f"{side}." if side else ""
    first, second = (resolve_where(regions, prefix + member) for member in row.members)
    return first, second


def describe_where(regions: pd.DataFrame, text: str) -> str:
    """What `resolve_where` found, in words: the regions, the note of the locus, any stand-in."""
    mask, notes = _resolve(regions, text)
    found = [str(label) for label, inside in zip(regions.index, mask, strict=True) if inside]
    shown = ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")
    return "; ".join([f"{text}: {shown}", *notes])


def _resolve(regions: pd.DataFrame, text: str) -> tuple[np.ndarray, list[str]]:
    labels = [str(label) for label in regions.index]
    own = np.array([label == text for label in labels])
    if not own.any():
        own = np.array([label.lower() == text.lower() for label in labels])
    if own.any():
        return own, []
    index = _index(loci())
    side, rest = ("", text) if _key(text) in index else _side(text)
    here = np.ones(len(regions), bool) if not side else (regions["hemisphere"] == side).to_numpy()
    row = index.get(_key(rest))
    if row is not None:
        mask, notes = _members(regions, row, here)
        if not mask.any():
            where = {"L": " in the left hemisphere", "R": " in the right hemisphere"}.get(side, "")
            raise UserError(f"this brain has no region for {row.name}{where}; {_what_there_is(regions)}")
        return mask, notes
    mask = (regions["dk"].map(lambda dk: bool(dk) and _key(str(dk)) == _key(rest))).to_numpy(bool) & here
    if mask.any():
        return mask, []
    dk = next((name for name in (*DK_CORTEX, *DK_SUBCORTEX) if _key(name) == _key(rest)), None)
    if dk:
        raise UserError(f"this brain has no region for {text}; {_what_there_is(regions)}")
    names = [*(alias for row in loci() for alias in row.aliases), *(row.name for row in loci())]
    places = [row.name for row in loci() if row.kind != "loop"]
    hint = "or a region label of the brain, or a Desikan-Killiany name; L. or R. before it for one side"
    raise unknown("region or network", text, [*DK_CORTEX, *names, *labels], hint, places)


def _members(regions: pd.DataFrame, row: Locus, here: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Regions of a row among `here`, with its notes."""
    notes = [f"{row.name}: {row.note}"] if row.note else []
    if row.members:
        mask = np.zeros(len(regions), bool)
        for name in row.members:
            part, more = _members(regions, _index(loci())[_key(name)], here)
            if not part.any():
                if row.kind == "loop":
                    return part, notes
                more = [f"{row.name}: no region for {name}"]
            mask |= part
            notes += more
        return mask, notes
    cortex = (regions["structure"] == "cortex").to_numpy()
    mask = here & (
        regions["structure"].isin(row.structures).to_numpy()
        | (cortex & regions["network"].isin(row.networks).to_numpy())
        | regions["dk"].isin(row.dk).to_numpy()
    )
    for side in ("L", "R"):
        there = here & (regions["hemisphere"] == side).to_numpy()
        if row.kind == "locus" and there.any() and not (mask & there).any():
            stand_in = _stand_in(regions, row, there, side)
            mask |= stand_in
            if stand_in.any():
                shown = ", ".join(str(label) for label in regions.index[stand_in])
                notes.append(f"{row.name}: no parcel of its own in {side}, stands in: {shown}")
    return mask, notes


def _stand_in(regions: pd.DataFrame, row: Locus, there: np.ndarray, side: str) -> np.ndarray:
    """For each parcel of a locus the nearest cortical parcel within reach, or the undivided structure."""
    mask = np.zeros(len(regions), bool)
    centroid = regions[["x", "y", "z"]].to_numpy(float)
    cortex = (regions["structure"] == "cortex").to_numpy()
    for dk in row.dk:
        if dk in DK_SUBCORTEX:
            mask |= there & ((regions["structure"] == DK_SUBCORTEX[dk]) & (regions["dk"] == "")).to_numpy()
            continue
        parcel = dk_parcels()[dk]
        centre = np.array([parcel.x if side == "R" else -parcel.x, parcel.y, parcel.z])
        distance = np.where(there & cortex, np.linalg.norm(centroid - centre, axis=1), np.inf)
        distance[np.isnan(distance)] = np.inf
        if distance.min() <= REACH_MM:
            mask[distance.argmin()] = True
    return mask


def _what_there_is(regions: pd.DataFrame) -> str:
    structures = [s for s in STRUCTURES if (regions["structure"] == s).any()]
    return f"its {len(regions)} regions are of {', '.join(structures)}"


def _side(text: str) -> tuple[str, str]:
    side, rest = split_hemisphere(text)
    return (side, rest) if side else ("", text)


def _key(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


@cache
def _index(rows: tuple[Locus, ...]) -> dict[str, Locus]:
    """Row of each name and alias; fails if two rows share one."""
    index: dict[str, Locus] = {}
    for row in rows:
        for name in (row.name, *row.aliases):
            if index.setdefault(_key(name), row) is not row:
                raise UserError(f"loci.csv: {name!r} names both {index[_key(name)].name} and {row.name}")
    for row in rows:
        for member in row.members:
            if _key(member) not in index:
                raise UserError(f"loci.csv, {row.name}: unknown member {member!r}")
    return index
