"""What a result says, in plain sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synsys.core import show
from synsys.core.schema import NEGLIGIBLE

if TYPE_CHECKING:
    import pandas as pd

_SPELT = {
    "pv": "PV", "sst": "SST", "nmda": "NMDA", "ampa": "AMPA", "gaba": "GABA", "gabaa": "GABA-A",
    "gabab": "GABA-B", "fc": "FC", "dmn": "DMN", "cen": "CEN", "sn": "SN", "acc": "ACC", "ofc": "OFC",
    "vmpfc": "vmPFC", "dlpfc": "dlPFC", "pfc": "PFC", "gpi": "GPi", "ei": "E/I", "ltp": "LTP", "ltd": "LTD",
    "bdnf": "BDNF", "bold": "BOLD", "camp": "cAMP", "pka": "PKA", "erp": "ERP", "trkb": "TrkB",
    "hpa": "HPA", "ht1a": "5-HT1A", "ht2a": "5-HT2A", "mpfc": "mPFC", "topdown": "top-down", "atp": "ATP",
    "crp": "CRP", "mtor": "mTOR", "creb": "CREB", "akt": "AKT", "gsk3b": "GSK3β", "d1": "D1", "d2": "D2",
    "m1": "M1", "mglur23": "mGluR2/3", "mglur5": "mGluR5", "long_range": "long-range", "il6": "IL-6",
    "nr3c1": "NR3C1", "gad1": "GAD1", "reln": "RELN", "disc1": "DISC1", "grin2b": "GRIN2B", "ei_ratio": "E/I",
    "cacna1c": "CACNA1C", "cacna1h": "CACNA1H", "kcnn3": "KCNN3", "kcnq2": "KCNQ2", "kcnh2": "KCNH2",
    "scn1a": "SCN1A", "hcn": "HCN", "tnf": "TNF", "ros": "ROS", "nfkb": "NF-κB", "hdac2": "HDAC2",
    "hdac3": "HDAC3", "mir137": "miR-137", "mir132": "miR-132", "mir124": "miR-124", "ecl": "E_Cl",
}  # fmt: skip
_TITLES = {
    "molecular": "Molecule", "genetic": "Gene", "epigenetic": "Epigenome", "ion_channel": "Ion channel",
    "synaptic": "Synapse", "cellular": "Cell", "microcircuit": "Microcircuit", "oscillation": "Rhythm",
    "circuit": "Circuit", "network": "Network", "inference": "Inference", "symptom": "Symptom",
    "immune": "Immune system", "metabolic": "Metabolism", "endocrine": "Hormones",
    "environment": "Environment", "development": "Development", "outcome": "Outcome",
    "behaviour": "Behaviour",
}  # fmt: skip


def plain(name: str) -> str:
    """A name of the vocabulary as words, abbreviations spelt as the field does."""
    return " ".join(_SPELT.get(word, word) for word in re.split(r"[_:\s]+", name) if word)


def level_title(level: str) -> str:
    """Heading of a level."""
    return _TITLES.get(level, level.replace("_", " ").capitalize())


def limitation_row(name: str) -> str:
    """``T1-03`` as "Table 1, row 3"."""
    match = re.fullmatch(r"T(\d+)-0*(\d+)", name)
    return f"Table {match[1]}, row {match[2]}" if match else name


def listed(items: Sequence[str]) -> str:
    """Items as English lists them: a, b and c."""
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


ADJUSTED = {
    "rebalanced": "the healthy state had to be rebalanced: excitation alone would have driven a population "
    "above its healthy rate, so the inhibition that it receives was raised",
    "tempered": "the regional maps had to be tempered: as they are, the region would have no stable healthy "
    "state, so its deviation from the template was halved until it had one",
}
"""What was done to a region's healthy state, by variable of `/regions`."""
NAMED = 6


def adjusted(name: str, labels: Sequence[str], share: Sequence[float]) -> tuple[str, list[str]]:
    """A sentence on the regions whose healthy state was adjusted, and all of their names.

    Parameters
    ----------
    name : str
        Key of `ADJUSTED`.
    labels : sequence of N str
    share : sequence of N float
        Share of draws in which each region was adjusted.

    Returns
    -------
    sentence : str
        Names the regions that were adjusted most often; "In no region ..." if there are none.
    names : list of str
        Every adjusted region with its share of draws, the most frequent first.
    """
    order = sorted((i for i, x in enumerate(share) if x > 0), key=lambda i: -share[i])
    names = [f"{labels[i]} ({100 * share[i]:.0f} %)" for i in order]
    if not names:
        return f"In no region {ADJUSTED[name].split(':')[0]}.", []
    shown = names if len(names) <= NAMED + 1 else [*names[:NAMED], f"{len(names) - NAMED} more"]
    regions = "1 region" if len(names) == 1 else f"{len(names)} of {len(labels)} regions"
    return f"In {regions} {ADJUSTED[name]} (share of draws): {listed(shown)}.", names


def results_only(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that count as results: computed, and neither an input nor true by construction."""
    return frame[frame["effect"].notna() & ~frame["origin"].isin(("input", "by construction"))]


def five_sentences(
    frame: pd.DataFrame,
    attrs: Mapping[Any, Any],
    perturbations: Sequence[str],
    limitations: Mapping[str, str],
    grades: Mapping[str, str],
) -> list[str]:
    """Largest changes; what did not change; confidence; wired or emergent; main limitation.

    Parameters
    ----------
    frame : DataFrame
        As from `core.schema.tabulate`.
    attrs : mapping
        Attributes of the result.
    perturbations : sequence of str
    limitations : mapping
        Id to text.
    grades : mapping of str to str
        Grade of each link on the way, by "source → target".

    Returns
    -------
    list of 5 str
    """
    results = results_only(frame)
    negligible = show.is_negligible(results, NEGLIGIBLE)
    changed, same = show.by_size(results[~negligible]), results[negligible]
    if results.empty:
        return [
            show.stability(attrs) or "No readout could be computed.",
            "Nothing is said about what stays the same, because readouts are defined only where the brain "
            "has a stable operating point.",
            "The reference brain is stable in "
            f"{100 * attrs['stable_reference']:.0f} % of {attrs['draws']} draws, the perturbed one in "
            f"{100 * attrs['stable_perturbed']:.0f} %.",
            "The loss of stability is emergent: no table declares it.",
            _limitation(frame, changed, limitations, grades),
        ]
    return [
        _largest(changed, attrs["title"]),
        _unchanged(same, len(results)),
        _confidence(changed, attrs),
        _origin(changed),
        _limitation(frame, changed, limitations, grades),
    ]


def moved(row: Any) -> str:
    """One change in words: "falls by 33 % (90 % interval ..., d = ...)"."""
    verb = "rises" if row["effect"] > 0 else "falls"
    size = show.change(row).lstrip("+" + show.MINUS)
    by = "" if size.startswith("×") else "by "
    return (
        f"{verb} {by}{size} (90 % interval {show.interval(row)}; d = {show.number(row['d'], 2, signed=True)})"
    )


def _largest(changed: pd.DataFrame, title: str) -> str:
    if changed.empty:
        return f"With {title}, no readout changes by as much as a tenth of the healthy between-person spread."
    parts = [f"{plain(str(name))} {moved(row)}" for name, row in changed.head(3).iterrows()]
    most = "The largest changes" if len(parts) > 1 else "The only change"
    return f"{most} under {title}: {'; '.join(parts)}."


def _unchanged(same: pd.DataFrame, total: int) -> str:
    if same.empty:
        return f"None of the {total} readouts stayed within {NEGLIGIBLE:g} healthy standard deviations."
    examples = []
    for level in ("network", "circuit", "oscillation", "microcircuit", "synaptic", "molecular"):
        names = same[same["level"] == level].sort_values("d", key=abs).index[:2]
        examples += [plain(str(name)) for name in names]
    named = f", among them {listed(examples[:5])}" if examples else ""
    return (
        f"{len(same)} of {total} readouts did not change (|d| below {NEGLIGIBLE:g} healthy standard "
        f"deviations){named}."
    )


def _confidence(changed: pd.DataFrame, attrs: Mapping[Any, Any]) -> str:
    draws = f"{attrs['draws']} draws of the calibration and of every link strength"
    stable = show.stability(attrs)
    tail = f" {stable}" if stable else ""
    if changed.empty:
        return f"This rests on {draws}.{tail}"
    p = changed.apply(show.sign_probability, axis=1)
    sure, unsure = int((p >= 0.9).sum()), p[p < 0.9]
    text = f"Across {draws}, the direction of {sure} of the {len(changed)} changes is the same with P ≥ 0.9"
    if len(unsure):
        worst = str(unsure.index[0])
        text += f"; the largest whose direction is unsure is {plain(worst)} (P = {unsure.iloc[0]:.2f})"
    return f"{text}.{tail}"


def _origin(changed: pd.DataFrame) -> str:
    if changed.empty:
        return "Nothing that changed needs to be traced to a table."
    emergent = changed["origin"] == "emergent"
    top = changed.head(3)["origin"].eq("emergent").sum()
    wired = [plain(str(name)) for name in changed.index[~emergent]][:3]
    wired_text = f"; wired by rows of the tables alone: {listed(wired)}" if wired else ""
    return (
        f"{int(emergent.sum())} of the {len(changed)} changes, {int(top)} of the {min(3, len(changed))} "
        f"largest among them, emerge from the simulated dynamics{wired_text}."
    )


def _limitation(
    frame: pd.DataFrame, changed: pd.DataFrame, limitations: Mapping[str, str], grades: Mapping[str, str]
) -> str:
    inputs = frame[frame["origin"] == "input"]
    weight: dict[str, float] = {}
    for rows, factor in ((inputs, 100.0), (changed, 1.0)):
        for name, d in zip(rows["limitation_id"], rows["d"].abs().fillna(0), strict=True):
            if name in limitations:
                weight[name] = weight.get(name, 0.0) + factor * (d + 0.01)
    weakest = max([grade for grade in changed.head(3)["grade"] if grade] or list(grades.values()) or [""])
    means = {"A": "a published model", "B": "a published mechanism with our coupling", "C": "a hypothesis"}
    graded = (
        f"the weakest evidence behind these changes is grade {weakest}, {means[weakest]}" if weakest else ""
    )
    if not weight:
        return f"Main limitation: {graded or 'a model is not a person'}."
    main = max(weight, key=lambda name: weight[name])
    text = limitations[main]
    return (
        f"Main limitation ({limitation_row(main)}): {text[:1].lower()}{text[1:]}; {graded}".rstrip("; ") + "."
    )
