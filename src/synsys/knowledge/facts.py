"""What a row of each table of the source review says: entities, quantities, pathways, therapies, claims.

The source review is Gupta et al. 2026, From synapse to system, Front. Cell Dev. Biol.,
doi 10.3389/fcell.2026.1762930 (CC BY); the rows carry its facts in the project's own words.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

Level = Literal[
    "genetic", "epigenetic", "molecular", "ion_channel", "immune", "metabolic", "endocrine", "environment",
    "development", "synaptic", "cellular", "microcircuit", "oscillation", "circuit", "network", "task",
    "inference", "symptom", "outcome", "behaviour", "method", "therapy", "disorder",
]  # fmt: skip
Kind = Literal["perturbation", "readout", "both", "method", "therapy", "disorder"]


@dataclass(frozen=True)
class Quantity:
    """One name of the vocabulary: what can be changed, read, given or suffered.

    Parameters
    ----------
    name, level, kind, unit, definition : str
    unit_step : str
        What a change of +1 in a claim means: ``ratio`` (x 1.25, and -1 is x 0.8), a number in `unit`, or
        empty where no single number describes the quantity. By convention, not by measurement, the numbers
        are 0.25 for indices, occupancies and prior shifts, 1 for z scores, alleles, doses and years, 0.1
        for Fisher z and for methylation, 5 for mV.
    healthy : float or None
        Value in health, in `unit`; None where it is not one number or is computed by the model.
    low, high : float or None
        Smallest and largest value that makes sense, in `unit`.
    genes : tuple of str
        Gene symbols that stand for the quantity; a symbol belongs to one row only.
    related : tuple of str
        Genes that bear on it without being proportional to it.
    aliases : tuple of str
        Other names.
    limitation_id : str
        Row of Table 1 or 3 of the source review whose limitation belongs beside a result.
    source : str
    """

    name: str
    level: Level
    kind: Kind
    unit: str
    definition: str
    unit_step: str = ""
    healthy: float | None = None
    low: float | None = None
    high: float | None = None
    genes: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    limitation_id: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.unit_step not in ("", "ratio") and not float(self.unit_step) > 0:
            raise ValueError(f"unit_step {self.unit_step!r} is neither ratio nor a number > 0")
        if self.healthy is not None and not self.inside(self.healthy):
            raise ValueError(f"healthy value {self.healthy:g} lies outside {self.low} to {self.high}")

    @property
    def multiplies(self) -> bool:
        """Whether the quantity is changed by a factor (else by an increment)."""
        return self.unit_step == "ratio"

    @property
    def rest(self) -> float:
        """Value in health of what only the tables move: 1 of a factor, else `healthy` or 0."""
        return 1.0 if self.multiplies else (self.healthy or 0.0)

    @property
    def perturbable(self) -> bool:
        """Whether it may be set; otherwise it is only read, given or suffered."""
        return self.kind in ("perturbation", "both")

    def inside(self, value: float) -> bool:
        """Whether `value` lies within the quantity's bounds."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Entity:
    """A gene, disease, chemical, species, family or cell that the source review names.

    Parameters
    ----------
    name : str
        Gene symbol, disease term or chemical.
    type : str
        As the source links it, even where that is wrong.
    identifiers : tuple of str
        ``NCBIGene:``, ``MESH:``, ``MONDO:``, ``OMIM:``, ``NCBITaxon:`` or ``miRBase:`` accession numbers.
    full_name : str
    aliases : tuple of str
        As the source gives them.
    origin : {"source", "added"}
        Whether the source's entity list has it.
    flag : str
        Why the source's link is wrong; empty if it is right.
    overridden : tuple of str
        Names that the source links to this entity although they mean `resolves_to` (or, if that is empty,
        nothing that a model could change).
    resolves_to : str
        Name of the entity that is meant.
    members : tuple of str
        Genes of a family or complex.
    source : str
        Where an added row or an override comes from.
    """

    key: ClassVar[tuple[str, ...]] = ("type", "name")
    name: str
    type: Literal["gene", "disease", "chemical", "species", "family", "cell", "process"]
    identifiers: tuple[str, ...] = ()
    full_name: str = ""
    aliases: tuple[str, ...] = ()
    origin: Literal["source", "added"] = "source"
    flag: str = ""
    overridden: tuple[str, ...] = ()
    resolves_to: str = ""
    members: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        if self.resolves_to and not self.flag:
            raise ValueError(f"{self.name} resolves to {self.resolves_to}, but has no flag that says why")

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that means this entity, overridden ones left out."""
        moved = {name.casefold() for name in self.overridden}
        return tuple(name for name in (self.name, *self.aliases) if name.casefold() not in moved)


@dataclass(frozen=True)
class Pathway:
    """A row of Table 1 of the source review: a signaling pathway, with what stands for it here."""

    id: str
    pathway: str
    type: str
    evidence: str
    phenotypes: str
    outcomes: str
    findings: str
    limitation: str
    entities: tuple[str, ...]
    perturbations: tuple[str, ...]
    readouts: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class DisorderCell:
    """A cell of Table 2 (a feature of a disorder), or its like assembled from the text.

    `outside_table_2` is yes for disorders that the table leaves out; `sections` then says where the text
    has it. `quantities` are the vocabulary names involved, `claims` the ledger rows that state it.
    """

    key: ClassVar[tuple[str, ...]] = ("disorder", "feature")
    id: str
    disorder: str
    feature: Literal[
        "trajectory", "regions", "network", "drivers", "oscillations", "symptoms", "transdiagnostic"
    ]
    text: str
    quantities: tuple[str, ...]
    claims: tuple[str, ...]
    outside_table_2: bool
    sections: tuple[str, ...]


@dataclass(frozen=True)
class Therapy:
    """A row of Table 3 of the source review: a therapeutic strategy, with what stands for it here."""

    id: str
    strategy: str
    molecular_targets: str
    network_targets: str
    rationale: str
    evidence: str
    advantage: str
    limitation: str
    names: tuple[str, ...]
    entities: tuple[str, ...]
    quantities: tuple[str, ...]
    networks: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Claim:
    """A directional statement of the source review: if one quantity changes, so does another."""

    id: str
    section: str
    level_from: str
    entity_from: str
    change_from: str
    level_to: str
    entity_to: str
    change_to: str
    condition: tuple[str, ...] = ()
    kind: str = ""
    paraphrase: str = ""
    testable_in_simulation: str = ""
    claim_strength: str = ""
    test_role: str = ""
    edge_key: str = ""
    contradiction_set: str = ""
    notes: str = ""

    @property
    def contradictions(self) -> tuple[str, ...]:
        """Sets of contradictory claims it belongs to (``K01`` ...)."""
        return tuple(part.strip() for part in self.contradiction_set.split(";") if part.strip())


@dataclass(frozen=True)
class ContradictionSide:
    """One side of a contradiction, with the context under which it is said to hold.

    `side` is a, b, or ``neither`` for claims that bear on it without taking a side. An empty context
    field means that the source does not give it.
    """

    key: ClassVar[tuple[str, ...]] = ("id", "side")
    id: str
    side: Literal["a", "b", "neither"]
    topic: str
    hard: bool
    statement: str
    claims: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    dose: str = ""
    phase: str = ""
    age: str = ""
    region: str = ""
    disorder: str = ""
    band: str = ""
    handling: str = ""
