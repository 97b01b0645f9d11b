"""Spellings of hemispheres, structures, networks and Desikan-Killiany names; a tidy table of regions."""

import re
from collections.abc import Mapping

import pandas as pd

from synsys.core.connectome import NETWORKS, STRUCTURES
from synsys.core.errors import UserError, unknown

DK_CORTEX = (
    "bankssts", "caudalanteriorcingulate", "caudalmiddlefrontal", "cuneus", "entorhinal", "fusiform",
    "inferiorparietal", "inferiortemporal", "isthmuscingulate", "lateraloccipital",
    "lateralorbitofrontal", "lingual", "medialorbitofrontal", "middletemporal", "parahippocampal",
    "paracentral", "parsopercularis", "parsorbitalis", "parstriangularis", "pericalcarine",
    "postcentral", "posteriorcingulate", "precentral", "precuneus", "rostralanteriorcingulate",
    "rostralmiddlefrontal", "superiorfrontal", "superiorparietal", "superiortemporal", "supramarginal",
    "frontalpole", "temporalpole", "transversetemporal", "insula",
)  # fmt: skip
"""Cortical regions of Desikan et al. 2006 (NeuroImage 31:968), one hemisphere."""

DK_SUBCORTEX = {
    "thalamus": "thalamus", "caudate": "striatum", "putamen": "striatum", "accumbens": "striatum",
    "pallidum": "pallidum", "hippocampus": "hippocampus", "amygdala": "amygdala",
    "cerebellum": "cerebellum",
}  # fmt: skip
"""Name of a region below the cortex -> its structure."""

COLUMNS = {
    "label": ("label", "name", "region", "roi", "parcel"),
    "hemisphere": ("hemisphere", "hemi", "side"),
    "structure": ("structure",),
    "network": ("network", "yeo7", "yeo_7", "yeo", "yeo7network"),
    "x": ("x", "x_mni", "mni_x", "x_mm"),
    "y": ("y", "y_mni", "mni_y", "y_mm"),
    "z": ("z", "z_mni", "mni_z", "z_mm"),
    "dk": ("dk", "dk_majority", "aparc", "desikan"),
}
"""Column of a regions table -> headings it is recognised by, best first."""

_HEMISPHERES = {
    "l": "L", "lh": "L", "left": "L", "r": "R", "rh": "R", "right": "R",
    "b": "B", "both": "B", "bilateral": "B", "midline": "B",
}  # fmt: skip
_NETWORKS = {
    "Vis": "vis visual vn",
    "SomMot": "sommot somatomotor sensorimotor smn motor",
    "DorsAttn": "dorsattn dorsalattention dan",
    "SalVentAttn": "salventattn salienceventralattention ventralattention salience sal van sn",
    "Limbic": "limbic lim",
    "Cont": "cont control frontoparietal frontoparietalcontrol fpn fpcn cen centralexecutive executive ecn",
    "Default": "default defaultmode dmn",
}
_SUBCORTICAL = {
    "thalamus": "thalamus thalamusproper thal th",
    "caudate": "caudate caud ca",
    "putamen": "putamen put pu",
    "accumbens": "accumbens accumbensarea accumb nucleusaccumbens nacc nac ac",
    "pallidum": "pallidum pal pa globuspallidus gp",
    "hippocampus": "hippocampus hippo hip hi",
    "amygdala": "amygdala amyg am",
    "cerebellum": "cerebellum cerebellumcortex cerebellar cereb cer cb",
}
_NO_NETWORK = {"", "nan", "none", "na", "subcortex", "subcortical", "cerebellum"}
_NETWORK_OF = {spelling: name for name, text in _NETWORKS.items() for spelling in text.split()}
_NAME_OF = {spelling: name for name, text in _SUBCORTICAL.items() for spelling in text.split()}
_PREFIX = re.compile(r"^(?:ctx[-_. ]?)?(lh|rh|left|right|l|r)[-_. ]+", re.IGNORECASE)


def tidy_network(text: str) -> str:
    """Name of a Yeo-7 network from a common spelling (``DMN``, ``default mode``, ``VAN``, ...).

    Raises
    ------
    UserError
        For a spelling of none of the seven.
    """
    key = re.sub(r"[^a-z]", "", text.lower()).removesuffix("network")
    if key not in _NETWORK_OF:
        raise unknown("network", text, NETWORKS)
    return _NETWORK_OF[key]


def split_hemisphere(label: str) -> tuple[str, str]:
    """Hemisphere (L, R or an empty string) and the rest of a label such as ``lh_cuneus`` or ``R.insula``."""
    match = _PREFIX.match(label)
    if match:
        return _HEMISPHERES[match[1].lower()], label[match.end() :]
    if label[:1] in "LR" and _letters(label[1:]) in _NAME_OF:
        return label[0], label[1:]
    return "", label


def tidy_dk(text: str) -> str:
    """Desikan-Killiany name of a parcel, or an empty string where `text` names none."""
    name = _letters(split_hemisphere(text)[1])
    return name if name in DK_CORTEX else _NAME_OF.get(name, "")


def tidy_regions(table: pd.DataFrame, source: str, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Bring a table of regions into the form of `Connectome.regions`.

    Parameters
    ----------
    table : DataFrame of str
        As read; headings are recognised as in `COLUMNS`.
    source : str
        File, for messages.
    columns : mapping or None
        Our column -> heading in `table`, where that is not recognised or not the one to use.

    Returns
    -------
    DataFrame
        Index: labels; columns hemisphere, structure, x, y, z, network, dk. Centroids are NaN where the
        table has none. Hemisphere is taken from the label where no column gives it; a structure given
        only as "subcortex" is taken from the label or the DK name.

    Raises
    ------
    UserError
        Naming file, region and column, for a missing column, a repeated label, or a hemisphere,
        structure, network, centroid or DK name that is not understood.
    """
    used = _headings(table, source, columns or {})
    cells = {ours: table[theirs].astype(str).str.strip() for ours, theirs in used.items()}
    labels = cells["label"].tolist()
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise UserError(f"{source}: region labels must be unique; repeated: {', '.join(twice[:5])}")
    rows = []
    for i, label in enumerate(labels):
        given = {ours: values.iloc[i] for ours, values in cells.items()}
        rows.append(_tidy_row(label, given, source))
    return pd.DataFrame(rows, index=pd.Index(labels, name="label"))


def _tidy_row(label: str, given: Mapping[str, str], source: str) -> dict[str, object]:
    def wrong(column: str, accepted: tuple[str, ...]) -> UserError:
        return UserError(f"{source}: {unknown(f'{column} of region {label}', given[column], accepted)}")

    side = split_hemisphere(label)[0]
    if "hemisphere" in given:
        side = _HEMISPHERES.get(given["hemisphere"].lower(), "")
        if not side:
            raise wrong("hemisphere", ("L", "R", "B"))
    elif not side:
        raise UserError(f"{source}: no hemisphere column, and the label {label} starts with neither L nor R")

    kind = _letters(given["structure"])
    if kind in ("cortex", "ctx", "cortical"):
        structure, dk = "cortex", tidy_dk(given.get("dk", "")) or tidy_dk(label)
        dk = dk if dk in DK_CORTEX else ""
        if not dk and given.get("dk", "").lower() not in ("", "nan"):
            raise wrong("dk", DK_CORTEX)
    else:
        dk = tidy_dk(label) or tidy_dk(given.get("dk", "")) or _NAME_OF.get(kind, "")
        structure = kind if kind in STRUCTURES else DK_SUBCORTEX.get(_NAME_OF.get(kind, "") or dk, "")
        if not structure or (kind not in STRUCTURES and kind not in _NAME_OF and not _is_below(kind)):
            raise wrong("structure", STRUCTURES)
        if DK_SUBCORTEX.get(dk) != structure:
            dk = structure if structure in DK_SUBCORTEX else ""

    network = ""
    text = given.get("network", "")
    if structure == "cortex" and _letters(text) not in ("", "nan", "none", "na"):
        try:
            network = tidy_network(text)
        except UserError:
            raise wrong("network", NETWORKS) from None
    elif structure != "cortex" and _letters(text) not in _NO_NETWORK:
        try:
            tidy_network(text)
        except UserError:
            raise wrong("network", (*NETWORKS, "empty")) from None
    centroid = {axis: _number(given, axis, label, source) for axis in "xyz"}
    return {"hemisphere": side, "structure": structure, **centroid, "network": network, "dk": dk}


def _is_below(kind: str) -> bool:
    return kind in ("subcortex", "subcortical", "subctx")


def _headings(table: pd.DataFrame, source: str, columns: Mapping[str, str]) -> dict[str, str]:
    """Our column -> heading of `table`."""
    headings = [str(heading) for heading in table.columns]
    used = {}
    for ours, theirs in columns.items():
        if ours not in COLUMNS:
            raise unknown("column of a regions table", ours, COLUMNS)
        if theirs not in headings:
            raise UserError(f"{source}: {unknown('column', theirs, headings)}")
        used[ours] = theirs
    lower = {heading.lower(): heading for heading in headings}
    for ours, spellings in COLUMNS.items():
        known = [lower[spelling] for spelling in spellings if spelling in lower]
        if ours not in used and known:
            used[ours] = known[0]
    for ours in ("label", "structure"):
        if ours not in used:
            raise UserError(
                f"{source}: no column {ours!r} (headings: {', '.join(headings[:12])}); "
                f"a regions table needs label, structure and, unless labels start with L or R, hemisphere; "
                f"x, y, z (MNI mm), network and dk are optional"
            )
    return used


def _number(given: Mapping[str, str], axis: str, label: str, source: str) -> float:
    text = given.get(axis, "")
    if text.lower() in ("", "nan", "na"):
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{source}: {axis} of region {label} is {text!r}, not a number (MNI mm)") from None
    if not abs(value) < 200:
        raise UserError(f"{source}: {axis} of region {label} is {value:g}; centroids are in MNI mm")
    return value


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
