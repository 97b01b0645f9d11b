"""What a result says, in plain sentences."""

from __future__ import annotations

import math
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
    "c4a": "C4A", "il1b": "IL-1β", "pgc1a": "PGC-1α", "ampk": "AMPK", "cl": "Cl", "na": "Na",
    "hdac3": "HDAC3", "mir137": "miR-137", "mir132": "miR-132", "mir124": "miR-124", "ecl": "E_Cl",
    "sert": "SERT", "erk": "ERK", "nad": "NAD", "nadh": "NADH", "mtdna": "mtDNA", "bbb": "BBB",
}  # fmt: skip
_PAIRED = {
    "dmn_cen": "DMN–CEN", "dmn_sn": "DMN–SN", "sn_cen": "SN–CEN", "dmn_limbic": "DMN–limbic",
    "amygdala_prefrontal": "amygdala–prefrontal", "hippocampal_prefrontal": "hippocampal–prefrontal",
    "thalamo_sensorimotor": "thalamo–sensorimotor", "thalamo_prefrontal": "thalamo–prefrontal",
    "prefrontal_limbic": "prefrontal–limbic", "within_network": "within-network",
    "between_network": "between-network", "long_range": "long-range", "pyr_pv": "pyramidal–PV",
    "low_frequency": "low-frequency", "rich_club": "rich-club", "small_worldness": "small-worldness",
    "akt_mtor": "AKT–mTOR", "tnf_alpha": "TNF-α", "nad_nadh": "NAD/NADH",
}  # fmt: skip
"""Parts of names that belong together."""
_TITLES = {
    "molecular": "Molecule", "genetic": "Gene", "epigenetic": "Epigenome", "ion_channel": "Ion channel",
    "synaptic": "Synapse", "cellular": "Cell", "microcircuit": "Microcircuit", "oscillation": "Rhythm",
    "circuit": "Circuit", "network": "Network", "task": "Task", "inference": "Inference",
    "symptom": "Symptom", "immune": "Immune system", "metabolic": "Metabolism", "endocrine": "Hormones",
    "environment": "Environment", "development": "Development", "outcome": "Outcome",
    "behaviour": "Behaviour",
}  # fmt: skip


def plain(name: str) -> str:
    """A name of the vocabulary as words, abbreviations spelt as the field does."""
    if name.startswith("activation:"):
        return f"{name.partition(':')[2]} receptor activity"
    for pair, text in _PAIRED.items():
        name = re.sub(rf"(?<![a-z0-9]){pair}(?![a-z0-9])", text, name)
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
    "tempered": "the deviation from the template had to be tempered: at its full size there was no stable "
    "healthy state, so it was halved until there was one",
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
    limitations: Mapping[str, str],
    grades: Mapping[str, str],
    observed: str = "",
) -> list[str]:
    """Largest changes; what did not change; confidence; wired or emergent; main limitation.

    Parameters
    ----------
    frame : DataFrame
        As from `core.schema.tabulate`.
    attrs : mapping
        Attributes of the result.
    limitations : mapping
        Id to text.
    grades : mapping of str to str
        Grade of each link on the way, by "source → target".
    observed : str
        Sentence on connectivity observed in other ways (`show.observed`).

    Returns
    -------
    list of 5 str
    """
    return [tied(text) for text in _sentences(frame, attrs, limitations, grades, observed)]


def tied(text: str) -> str:
    """The text with its numbers tied to their units and signs by no-break spaces."""
    text = re.sub(r" (%|mV|Hz|draws|Fisher z)(?![\w])", "\u00a0\\1", text)
    return re.sub(r"\b(d|P) (=|≥|<) ", "\\1\u00a0\\2\u00a0", text)


def _sentences(
    frame: pd.DataFrame,
    attrs: Mapping[Any, Any],
    limitations: Mapping[str, str],
    grades: Mapping[str, str],
    observed: str,
) -> list[str]:
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
        _unchanged(same, changed),
        _confidence(changed, attrs, observed),
        _origin(changed),
        _limitation(frame, changed, limitations, grades),
    ]


_CHANGE = re.compile(r"(?P<name>\w+?)(?P<op>\+?=)(?P<value>[^:@]+)(?::(?P<cell>[^@]+))?(?:@(?P<where>.+))?")


def perturbed(text: str) -> str:
    """A perturbation in words: ``kcnq2_conductance=0.6:E@dlPFC`` as "KCNQ2 conductance × 0.6 (E, dlPFC)"."""
    found = _CHANGE.fullmatch(text)
    if not found:
        return text
    sign = "×" if found["op"] == "=" else "−" if found["value"].startswith("-") else "+"
    place = ", ".join(filter(None, (found["cell"], found["where"])))
    size = found["value"].removeprefix("-") if found["op"] == "+=" else found["value"]
    return f"{plain(found['name'])} {sign} {size}" + f" ({place})" * bool(place)


def heading(title: str) -> str:
    """The title of a result in words: up to three changes, else the first two and a count."""
    told = [perturbed(text) for text in title.split(", ")]
    if len(told) > 3:
        told = [*told[:2], f"{len(told) - 2} more changes"]
    return listed(told)


def moved(row: Any) -> str:
    """One change in words: "falls by 33 % (90 % interval ..., d = ...)"."""
    verb = "rises" if row["effect"] > 0 else "falls"
    size = sized(row).lstrip("+" + show.MINUS)
    by = "" if size.startswith("×") else "by "
    d = "" if math.isnan(row["d"]) else f"; d = {show.number(row['d'], 2, signed=True)}"
    return f"{verb} {by}{size} (90 % interval {show.interval(row)}{d})"


UNITS = ("Fisher z", "mV", "Hz", "ms")
"""Units that stand beside a change that is no ratio."""


def sized(row: Any) -> str:
    """A change with its unit, where it has one of its own."""
    own = math.isnan(row["log_ratio"]) and row["unit"] in UNITS and not math.isnan(row["effect"])
    return show.change(row) + (f" {row['unit']}" if own else "")


def _largest(changed: pd.DataFrame, title: str) -> str:
    under = f"under {heading(title)}"
    if changed.empty:
        what = "no readout moves by a tenth of the healthy spread between people"
        return f"{under[:1].upper()}{under[1:]}, {what}."
    parts = [f"{plain(str(name))} {moved(row)}" for name, row in changed.head(3).iterrows()]
    if len(parts) == 1:
        return f"The only change {under} is that {parts[0]}."
    unit = ", in units of the healthy spread between people (d)" if changed["d"].notna().any() else ""
    return f"The largest changes {under}{unit}: {'; '.join(parts)}."


def _unchanged(same: pd.DataFrame, changed: pd.DataFrame) -> str:
    total, unknown = len(same) + len(changed), int(changed["d"].isna().sum())
    tail = (
        f" Of {unknown} the spread between healthy people is not known, and any movement counts as a change."
        if unknown
        else ""
    )
    if same.empty:
        return f"None of the {total} readouts stays within {NEGLIGIBLE:g} healthy standard deviations.{tail}"
    examples = []
    for level in ("network", "circuit", "oscillation", "microcircuit", "synaptic", "molecular"):
        names = same[same["level"] == level].sort_values("d", key=abs).index[:2]
        examples += [plain(str(name)) for name in names]
    named = f", among them {listed(examples[:4])}" if examples else ""
    verb = "does" if len(same) == 1 else "do"
    return (
        f"{len(same)} of {total} readouts {verb} not change (|d| below {NEGLIGIBLE:g} healthy standard "
        f"deviations){named}.{tail}"
    )


def _confidence(changed: pd.DataFrame, attrs: Mapping[Any, Any], observed: str) -> str:
    draws = f"{attrs['draws']} draws of everything uncertain (calibration, links, maps, sizes)"
    alone = "Only stable draws count." if show.stability(attrs) else ""
    tail = "".join(f" {text}" for text in (alone, observed) if text)
    if changed.empty:
        return f"This rests on {draws}.{tail}"
    p = changed.apply(show.sign_probability, axis=1)
    sure, unsure = int((p >= 0.9).sum()), p[p < 0.9]
    total = len(changed)
    share = "all" if sure == total else f"{sure or 'none'} of the"
    text = f"The direction of {share} {total} changes is sure, P ≥ 0.9 over {draws}"
    if len(unsure):
        worst = str(unsure.index[0])
        text += f"; the largest that is not is {plain(worst)} (P = {unsure.iloc[0]:.2f})"
    return f"{text}.{tail}"


_COUNTS = ("none", "one", "two", "three")


def _origin(changed: pd.DataFrame) -> str:
    if changed.empty:
        return "Nothing that changed needs to be traced to a table."
    emergent = changed["origin"] == "emergent"
    first = changed.head(3)
    top, most = int(first["origin"].eq("emergent").sum()), len(first)
    share = (
        f"the {_COUNTS[most]} largest" if top == most and most > 1
        else "the largest" if top == most
        else f"{_COUNTS[top]} of the {_COUNTS[most]} largest"
    )  # fmt: skip
    wired = [plain(str(name)) for name in changed.index[~emergent]][:3]
    count = int((~emergent).sum())
    told = (
        f"; {count} {'follows' if count == 1 else 'follow'} from rows of the tables alone ({listed(wired)})"
        if wired
        else ""
    )
    verb = "emerges" if emergent.sum() == 1 else "emerge"
    return (
        f"{int(emergent.sum())} of the {len(changed)} changes, {share} among them, {verb} from the simulated "
        f"dynamics{told}."
    )


def _limitation(
    frame: pd.DataFrame, changed: pd.DataFrame, limitations: Mapping[str, str], grades: Mapping[str, str]
) -> str:
    weight: dict[str, float] = {}
    for rows in (frame[frame["origin"] == "input"], changed):  # that of what was changed, if it has one
        for name, d in zip(rows["limitation_id"], rows["d"].abs().fillna(0), strict=True):
            if name in limitations:
                weight[name] = weight.get(name, 0.0) + d + 1.0
        if weight:
            break
    weakest = max([grade for grade in changed.head(3)["grade"] if grade] or list(grades.values()) or [""])
    means = {"A": "a published model", "B": "a published mechanism with our coupling", "C": "a hypothesis"}
    graded = (
        f"the weakest evidence behind these changes is grade {weakest}, {means[weakest]}" if weakest else ""
    )
    if not weight:
        return f"Main limitation: {graded or 'a model is not a person'}."
    main = max(weight, key=lambda name: weight[name])
    text = limitations[main].rstrip(".")
    weak = f"; {graded}" if graded else ""
    return (
        f"Main limitation ({limitation_row(main)} of the source review): {text[:1].lower()}{text[1:]}{weak}."
    )
