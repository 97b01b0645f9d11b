"""Polygenic scores, whole and by pathway."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.genome.read import VARIANT_COLUMNS
from synsys.knowledge.facts import Quantity
from synsys.knowledge.genetics import genes
from synsys.knowledge.load import pathways, vocabulary

if TYPE_CHECKING:
    import pandas as pd

COMPLEMENT = str.maketrans("ACGT", "TGCA")
REST = "rest"
"""Share of a score that no pathway takes."""


@dataclass(frozen=True)
class Matching:
    """What became of a score's variants.

    Attributes
    ----------
    variants : int
        Variants of the score.
    same, swapped : int
        Used as given; used with 2 - dose because the other allele was counted.
    flipped : int
        Of those, matched on the opposite strand.
    ambiguous : int
        Dropped: A/T or C/G, whose strand cannot be told.
    mismatched : int
        Dropped: the alleles are not those of the score.
    absent : int
        Not genotyped in anybody; they add nothing to anybody.
    imputed : int
        Single missing dosages that took their expectation, twice the allele frequency.
    """

    variants: int
    same: int
    swapped: int
    flipped: int
    ambiguous: int
    mismatched: int
    absent: int
    imputed: int

    def __str__(self) -> str:
        return (
            f"{self.same + self.swapped} of {self.variants} variants used ({self.swapped} by the other "
            f"allele, {self.flipped} on the other strand); dropped: {self.ambiguous} strand-ambiguous, "
            f"{self.mismatched} with other alleles, {self.absent} absent; {self.imputed} dosages imputed"
        )


@dataclass(frozen=True)
class PolygenicScore:
    """Scores of individuals.

    Attributes
    ----------
    raw : DataFrame, (individuals, total + pathways + rest)
        Sums of weight x dose; ``total`` is the sum of the other columns.
    z : DataFrame, same shape
        In standard deviations from the mean of the reference.
    matching : Matching
    """

    raw: pd.DataFrame
    z: pd.DataFrame
    matching: Matching


def aligned_dosages(weights: pd.DataFrame, dosages: pd.DataFrame) -> tuple[pd.DataFrame, Matching]:
    """Dosages of the score's effect alleles.

    Variants join by rsID, else by chromosome and position (same genome build: the caller's duty). Alleles
    may be swapped or on the opposite strand; strand-ambiguous ones (A/T, C/G) are dropped, since nothing
    in the data tells their strand.

    Parameters
    ----------
    weights : DataFrame
        As from `read_weights`.
    dosages : DataFrame
        As from `read_dosages`.

    Returns
    -------
    dosages : DataFrame, (variants used, individuals)
        Row labels are those of `weights`; missing dosages are NaN.
    matching : Matching
        ``imputed`` counts the NaN, for which `polygenic_score` puts in an expectation.
    """
    import pandas as pd

    candidates = _joined(weights, dosages)
    people = [column for column in dosages.columns if column not in VARIANT_COLUMNS]
    values = dosages[people].to_numpy(float)
    counted, second = dosages["allele"].tolist(), dosages["other"].tolist()
    kept: dict[object, np.ndarray] = {}
    tally = dict.fromkeys(("same", "swapped", "flipped", "ambiguous", "mismatched", "absent"), 0)
    alleles = zip(weights.index, weights["effect_allele"], weights["other_allele"], candidates, strict=True)
    for label, effect, other, rows in alleles:
        found = [(how, row) for row in rows if (how := _alleles(effect, other, counted[row], second[row]))]
        if not found or found[0][0] == "ambiguous":
            tally["ambiguous" if found else "mismatched" if rows else "absent"] += 1
            continue
        how, row = found[0]
        tally[how.removesuffix(" flipped")] += 1
        tally["flipped"] += how.endswith(" flipped")
        kept[label] = 2.0 - values[row] if how.startswith("swapped") else values[row]
    table = pd.DataFrame(np.array(list(kept.values())).reshape(-1, len(people)), list(kept), people)
    missing = int(table.isna().to_numpy().sum())
    return table, Matching(len(weights), imputed=missing, **tally)


def _joined(weights: pd.DataFrame, dosages: pd.DataFrame) -> list[list[int]]:
    """Rows of `dosages` that may be each variant of the score (several: other alternative alleles)."""
    by_name: dict[str, list[int]] = {}
    by_place: dict[tuple[str, float], list[int]] = {}
    columns = (dosages[name] for name in ("rsid", "chromosome", "position"))
    for i, (name, place, position) in enumerate(zip(*columns, strict=True)):
        if name:
            by_name.setdefault(name, []).append(i)
        if place and np.isfinite(position):
            by_place.setdefault((place, float(position)), []).append(i)
    wanted = zip(weights["rsid"], weights["chromosome"], weights["position"], strict=True)
    return [by_name.get(name) or by_place.get((place, float(at)), []) for name, place, at in wanted]


def _alleles(effect: str, other: str, counted: str, second: str) -> str:
    """Whether the counted allele is the effect allele; empty if the alleles are different ones."""
    single = {effect, counted, second} <= set("ACGT")
    if single and second == counted.translate(COMPLEMENT):
        return "ambiguous" if effect in (counted, second) else ""
    for strand in ("", " flipped") if single else ("",):
        a, b = (effect, other) if not strand else (effect.translate(COMPLEMENT), other.translate(COMPLEMENT))
        if counted == a and b in ("", second):
            return "same" + strand
        if second == a and b in ("", counted):
            return "swapped" + strand
    return ""


def polygenic_score(
    weights: pd.DataFrame,
    dosages: pd.DataFrame,
    variant_pathways: Mapping[Hashable, tuple[str, ...]] | None = None,
    reference: pd.DataFrame | None = None,
) -> PolygenicScore:
    """Sum of weight x dose, in all and by pathway.

    A variant of k pathways gives each 1/k of its term, so total = sum of pathways + rest, exactly. A missing
    dosage takes twice the effect allele's frequency: from the score, else the mean of those genotyped.

    Parameters
    ----------
    weights : DataFrame
        As from `read_weights`.
    dosages : DataFrame
        As from `read_dosages`.
    variant_pathways : mapping, optional
        Row label of `weights` -> pathways, as from `pathways_of_variants`.
    reference : DataFrame, optional
        Dosages of the people whose mean and standard deviation define z. By default those expected from
        the effect-allele frequencies (Hardy-Weinberg proportions, independent variants); where a frequency
        is not known, the scored individuals' own.

    Returns
    -------
    PolygenicScore

    Raises
    ------
    UserError
        If no variant matches.
    """
    used, matching = aligned_dosages(weights, dosages)
    if used.empty:
        raise UserError(f"no variant of the score is in the genotypes: {matching}")
    chosen = weights.loc[used.index]
    shares = _shares(list(used.index), variant_pathways or {})
    terms = shares.mul(chosen["weight"], axis=0)
    frequency = chosen["eaf"].fillna(used.mean(axis=1) / 2)
    filled = used.T.fillna(2 * frequency.fillna(0.0)).T
    raw = _summed(filled.T @ terms)
    if reference is not None:
        others, _ = aligned_dosages(weights, reference)
        others = others.reindex(used.index).T.fillna(2 * frequency).T
        moments = _summed(others.T @ terms)
        mean, sd = moments.mean(), moments.std(ddof=1)
    elif chosen["eaf"].notna().all():
        spread = 2 * frequency * (1 - frequency)
        mean = _summed((terms.T @ (2 * frequency)).to_frame().T).iloc[0]
        sd = (terms**2).T @ spread
        sd["total"] = chosen["weight"] ** 2 @ spread
        sd = sd**0.5
    else:
        mean, sd = raw.mean(), raw.std(ddof=1)
    return PolygenicScore(raw, (raw - mean) / sd.where(sd > 0), matching)


def _shares(labels: list, variant_pathways: Mapping[Hashable, tuple[str, ...]]) -> pd.DataFrame:
    """Share of each variant that each pathway takes, rows adding up to 1."""
    import pandas as pd

    names = sorted({name for label in labels for name in variant_pathways.get(label, ())})
    place = {name: i for i, name in enumerate([*names, REST])}
    table = np.zeros((len(labels), len(place)))
    for i, label in enumerate(labels):
        mine = variant_pathways.get(label, ()) or (REST,)
        table[i, [place[name] for name in mine]] = 1 / len(mine)
    return pd.DataFrame(table, index=labels, columns=list(place))


def _summed(parts: pd.DataFrame) -> pd.DataFrame:
    out = parts.copy()
    out.insert(0, "total", parts.sum(axis=1))
    return out


def pathways_of_variants(
    weights: pd.DataFrame,
    sets: Mapping[str, tuple[str, ...]],
    variant_genes: Mapping[str, str] | None = None,
    window: float = 35e3,
) -> dict[Hashable, tuple[str, ...]]:
    """Pathways of each variant: variant -> gene -> sets.

    Parameters
    ----------
    weights : DataFrame
        As from `read_weights`; its row labels are the keys of the result.
    sets : mapping of str to tuple of str
        Pathway -> gene symbols, for example `synsys.knowledge.genetics.pathway_genes`.
    variant_genes : mapping of str to str, optional
        rsID -> gene symbol; by default a variant belongs to every gene of ``genes.csv`` (GRCh38) that it
        lies in or within `window` of.
    window : float
        Base pairs on either side.

    Raises
    ------
    UserError
        If positions are needed and the score is not on GRCh38, or has none.
    """
    member: dict[str, list[str]] = {}
    for name, symbols in sets.items():
        for gene in symbols:
            member.setdefault(gene, []).append(name)
    mine: dict[Hashable, list[str]]
    if variant_genes is not None:
        mine = {label: [variant_genes.get(name, "")] for label, name in weights["rsid"].items()}
    else:
        mine = genes_near(weights, window)
    found = {
        label: tuple(dict.fromkeys(s for gene in near for s in member.get(gene, ())))
        for label, near in mine.items()
    }
    return {label: names for label, names in found.items() if names}


def genes_near(weights: pd.DataFrame, window: float = 35e3) -> dict[Hashable, list[str]]:
    """Genes of ``genes.csv`` (GRCh38) that each variant lies in or within `window` base pairs of.

    Raises
    ------
    UserError
        If the variants have no positions, or lie on another genome build.
    """
    build = weights.attrs.get("build", "")
    if build and build not in ("GRCh38", "hg38"):
        raise UserError(
            f"the score's positions are on {build}, those of genes.csv on GRCh38; take the harmonised file "
            "(hm_chr, hm_pos on GRCh38) or give variant_genes"
        )
    if not np.isfinite(weights["position"].to_numpy(float)).any():
        raise UserError("the score has no positions; give variant_genes (rsID -> gene)")
    near: dict[Hashable, list[str]] = {label: [] for label in weights.index}
    position = weights["position"].to_numpy(float)
    for gene in genes().values():
        if gene.start is None or gene.end is None:
            continue
        here = weights["chromosome"] == gene.chromosome
        inside = here & (position >= gene.start - window) & (position <= gene.end + window)
        for label in weights.index[inside]:
            near[label].append(gene.gene)
    return near


def leading_quantity(pathway: str) -> Quantity:
    """Quantity that stands for a row of Table 1: its first one changed by a factor, else its first."""
    named = [vocabulary()[name] for name in pathways()[pathway].perturbations]
    return next((row for row in named if row.multiplies), named[0])


PER_Z = 0.05
"""Prior standard deviation of the log fold change of a pathway's leading quantity per z of its score
(of its unit step where it is not changed by a factor). Declared, grade C: a pathway's common variants
explain a small share of what differs between people, and a score does not tell the sign."""


def score_perturbations(z: Mapping[str, float]) -> tuple[Perturbation, ...]:
    """Changes that a person's polygenic z scores stand for.

    ``total`` (or ``polygenic_risk``) sets the vocabulary's z score of liability; a pathway ``T1-..`` moves
    its `leading_quantity` with median no change and a standard deviation of |z| times `PER_Z`: a score says
    how much, never in which direction, so draws run both. Giving total and pathways counts liability twice
    and is refused.

    Parameters
    ----------
    z : mapping of str to float
        ``total`` alone, or pathways; ``rest`` is ignored.

    Raises
    ------
    UserError
        For unknown names, or for both at once.
    """
    given = {name: float(value) for name, value in z.items() if name != REST}
    whole = [name for name in given if name in ("total", "polygenic_risk")]
    if whole and len(given) > 1:
        raise UserError("total and pathway scores hold the same variants; give one or the other")
    if whole:
        return (Perturbation("polygenic_risk", given[whole[0]], "+", source="polygenic score"),)
    changes = []
    for name, value in given.items():
        if name not in pathways():
            raise unknown("pathway", name, ("total", *pathways()))
        row = leading_quantity(name)
        note = f"polygenic score of {name}, z = {value:g}; size is a hypothesis, sign unknown"
        sd = abs(value) * PER_Z
        if row.multiplies:
            changes.append(Perturbation(row.name, 1.0, "*", sd=sd, grade="C", source=note))
        else:
            sd *= float(row.unit_step)
            changes.append(Perturbation(row.name, 0.0, "+", sd=sd, grade="C", source=note))
    return tuple(changes)
