"""Genetic tables: what a variant does to a gene product, which genes make up a pathway.

Evidence columns as in `synsys.knowledge.kinetics`. The accessors read each table once.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from synsys.knowledge.kinetics import Checked, Grade, check_evidence
from synsys.knowledge.rows import load_table


@dataclass(frozen=True)
class VariantEffect:
    """What copies of one allele do to one quantity.

    Attributes
    ----------
    id : str
        dbSNP identifier, or a name of our own where the variant is not a single base (``C4A_copies``).
    locus : str
        Variants of one locus mark the same effect; of several given, only the largest counts.
    gene : str
        Gene symbol.
    allele : str
        Allele whose copies are counted; empty where the identifier itself says what is counted, or the
        source does not name the allele (the user counts copies of the risk allele).
    quantity : str
        Vocabulary name.
    law : {"log", "dose", "copies"}
        factor = exp(effect * dose); increment = effect * dose; factor = (dose / 2)^effect.
    effect, sd : float
        Effect per allele and its prior standard deviation; 0 for a definition (``dose``) only.
    sign_certain : bool
        False: the literature does not give the sign, both are run.
    cell, where : str
        Population and locus; empty means all.
    """

    id: str
    locus: str
    gene: str
    quantity: str
    law: Literal["log", "dose", "copies"]
    effect: float
    sd: float
    sign_certain: bool
    checked: Checked
    grade: Grade
    source: str
    allele: str = ""
    cell: str = ""
    where: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if self.effect == 0 or self.sd < 0 or (self.sd == 0) != (self.law == "dose"):
            raise ValueError("effect must not be 0; sd is > 0, and 0 for a dose only")
        if not self.sign_certain and self.law != "log":
            raise ValueError("only an effect on the logarithm can have an unknown sign")


@dataclass(frozen=True)
class Gene:
    """A gene of the vocabulary or of a pathway, with its identifiers.

    Attributes
    ----------
    gene : str
        HGNC symbol.
    ensembl : str
        Ensembl gene identifier; empty if unknown, as the others.
    entrez : int or None
        NCBI gene identifier.
    chromosome : str
    start, end : int or None
        Position on GRCh38, base pairs.
    mouse, mouse_entrez : str, int or None
        One-to-one mouse orthologue. An uppercase mouse symbol is not an orthologue.
    pathways : tuple of str
        Rows of Table 1 of the source review whose named components the gene belongs to.
    aliases : tuple of str
    source : str
    """

    gene: str
    ensembl: str = ""
    entrez: int | None = None
    chromosome: str = ""
    start: int | None = None
    end: int | None = None
    mouse: str = ""
    mouse_entrez: int | None = None
    pathways: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    source: str = ""


@cache
def variant_effects() -> tuple[VariantEffect, ...]:
    """All rows of ``variants.csv``."""
    return load_table("variants.csv", VariantEffect)


@cache
def genes() -> dict[str, Gene]:
    """All rows of ``genes.csv`` by symbol."""
    return {row.gene: row for row in load_table("genes.csv", Gene)}


@cache
def pathway_genes() -> dict[str, tuple[str, ...]]:
    """Gene symbols of each row of Table 1 of the source review, ``T1-01`` to ``T1-17``.

    Components are the subunits, enzymes and binding partners that the row names, taken as whole gene
    families (our choice, made before any test was run; only AKT1, which row T1-15 names, came in later). A
    gene may belong to several rows.
    """
    members: dict[str, list[str]] = {}
    for row in genes().values():
        for name in row.pathways:
            members.setdefault(name, []).append(row.gene)
    return {name: tuple(members[name]) for name in sorted(members)}
