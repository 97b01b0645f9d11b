"""Mechanism tables: receptors, links, regional maps, healthy variability, disorder profiles.

Evidence columns as in `synsys.knowledge.kinetics`. The accessors read each table once.
"""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from synsys.knowledge.kinetics import Channel, Checked, Grade, Projection, Synapse, Template, check_evidence
from synsys.knowledge.rows import load_table
from synsys.knowledge.signaling import edges

TONES = {
    "dopamine": "dopamine_tone",
    "noradrenaline": "noradrenaline_tone",
    "serotonin": "serotonin_level",
}
"""Vocabulary name of the tone of each transmitter that `diffuse` projections release."""


TERMS = frozenset({
    "ampa_conductance", "cacna1c_conductance", "cacna1h_conductance", "chloride_reversal", "cl_conductance",
    "conduction_velocity", "excitatory_drive", "gaba_release", "gabaa_conductance", "gabaa_decay",
    "gabaa_pv_conductance", "gabaa_sst_conductance", "gabab_conductance", "gad1_expression",
    "glutamate_release", "hcn_conductance", "kcnh2_conductance", "kcnn3_conductance", "kcnq2_conductance",
    "long_range_synaptic_weight", "na_conductance", "neurovascular_coupling", "nmda_conductance",
    "nmda_decay", "nmda_occupancy", "noise_amplitude", "pv_interneuron_density", "spine_density",
    "sst_interneuron_function",
})  # fmt: skip
"""Vocabulary names that are factors or terms of the model's equations themselves."""

INFERENCE = frozenset({
    "inverse_temperature", "prior_bias", "prior_precision", "punishment_learning_rate", "reward_gain",
    "reward_learning_rate", "sensory_noise", "sensory_precision", "threat_prior_precision",
    "tonic_volatility",
})  # fmt: skip
"""Vocabulary names that are parameters of inference, which no equation of the brain reads."""


@dataclass(frozen=True)
class Receptor:
    """A metabotropic receptor whose activation modulates the circuit.

    Activation a = density ((1 - occupancy) s(tone) + occupancy e), 1 in health, with
    s(t) = t (1 + K) / (t + K). Tone and occupancy stay apart, so a partial agonist (e > 0) and a
    depleted transmitter differ.

    Attributes
    ----------
    density, tone, occupancy : str
        Vocabulary names; an empty tone (local glutamate) is healthy unless the circuit supplies it.
    half_saturation, half_saturation_sd : float
        K in units of the healthy tone, and the standard deviation of its logarithm.
    ligand_efficacy : float
        e of an antagonist, 0, unless the drug says otherwise.
    """

    receptor: str
    density: str
    occupancy: str
    half_saturation: float
    half_saturation_sd: float
    ligand_efficacy: float
    checked: Checked
    grade: Grade
    source: str
    tone: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if min(self.half_saturation, self.half_saturation_sd) <= 0:
            raise ValueError("half_saturation and its sd must be > 0")

    def activation(self, density=1.0, tone=1.0, occupancy=0.0, efficacy=None, half_saturation=None):
        """Activation relative to health; arguments are numbers or arrays that broadcast.

        Parameters
        ----------
        density, tone : float or ndarray, >= 0
            Fractions of the healthy value.
        occupancy : float or ndarray, 0 to 1
            Share of receptors held by a ligand.
        efficacy : float or ndarray, optional
            Activation of a held receptor relative to a healthy free one; the row's by default.
        half_saturation : float or ndarray, optional
            A draw of K; the row's median by default.
        """
        k = self.half_saturation if half_saturation is None else half_saturation
        e = self.ligand_efficacy if efficacy is None else efficacy
        return density * ((1.0 - occupancy) * tone * (1.0 + k) / (tone + k) + occupancy * e)


@dataclass(frozen=True)
class Link:
    """One molecular cause: a source variable changes a target variable.

    Attributes
    ----------
    source, target : str
        Vocabulary names; ``activation:D1`` is the activation of a row of `receptors`.
    source_where, where : tuple of str
        Templates, loci or networks; empty means everywhere.
    cell : tuple of str
        Populations; empty means all.
    law : {"power", "exp", "add"}
        target *= source^k; target *= exp(k (source - healthy)); target += k (source - healthy).
    strength, sd : float
        k and its prior standard deviation (0 for a definition).
    sign_certain : bool
        False: the literature does not give the sign, both are run.
    kind : {"definition", "receptor", "mechanism", "inference"}
        ``inference`` leads from a measure of the solved circuit (`synsys.mind.coupling.MEASURES`), at
        `source_where`, to a parameter of inference; such rows take no part in the modulation of the circuit.
    parallel : bool
        Acts beside a path through the signaling network to the same target on purpose; `note` says why.
    citation : str
    alternative : str
        Reading of contradictory findings to which an inference row belongs (`alternatives`); empty: to all.
    """

    id: str
    source: str
    target: str
    source_where: tuple[str, ...]
    where: tuple[str, ...]
    cell: tuple[str, ...]
    law: Literal["power", "exp", "add"]
    strength: float
    sd: float
    sign_certain: bool
    kind: Literal["definition", "receptor", "mechanism", "inference"]
    parallel: bool
    checked: Checked
    grade: Grade
    citation: str
    note: str = ""
    alternative: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.citation)
        if self.source == self.target:
            raise ValueError(f"{self.source} links to itself")
        if self.strength == 0 or self.sd < 0 or (self.sd == 0) != (self.kind == "definition"):
            raise ValueError("strength must not be 0; sd is > 0, and 0 for a definition only")
        if self.parallel and not self.note:
            raise ValueError("a link parallel to a path needs a note that says why")
        if self.alternative and self.kind != "inference":
            raise ValueError("only rows of inference have alternatives")


@dataclass(frozen=True)
class Alternative:
    """One reading of findings that contradict each other.

    Attributes
    ----------
    name : str
        What `Link.alternative` refers to.
    question : str
        What is disputed; one reading of each question holds in a run.
    default : bool
    statement : str
        What it says, in a sentence.
    """

    name: str
    question: str
    default: bool
    statement: str
    checked: Checked
    grade: Grade
    source: str

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)


@dataclass(frozen=True)
class RegionalMap:
    """Which regional map shapes a healthy conductance or density: g_i = g (1 + beta z_i).

    Attributes
    ----------
    multiplier : str
        Vocabulary name.
    map : str
        Column of the connectome's maps: a gene symbol (mRNA) or a PET target.
    kind : {"mRNA", "PET"}
    cell : tuple of str
        Populations; empty means all.
    beta, beta_sd : float
        Prior mean and standard deviation.
    preferred : bool
        Used when several maps of the quantity are present.
    """

    multiplier: str
    map: str
    kind: Literal["mRNA", "PET"]
    cell: tuple[str, ...]
    beta: float
    beta_sd: float
    preferred: bool
    checked: Checked
    grade: Grade
    source: str
    note: str = ""
    key: ClassVar[tuple[str, ...]] = ("multiplier", "map", "cell")

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if self.beta_sd <= 0:
            raise ValueError("beta_sd must be > 0")


@dataclass(frozen=True)
class Variability:
    """How much a quantity differs between healthy people.

    Attributes
    ----------
    name : str
        Vocabulary name.
    op : {"*", "+"}
        Whether `sd` is that of the logarithm or of the value.
    sd : float
        Between-person standard deviation.
    basis : str
        What was measured (PET, MRS, post-mortem, ...).
    """

    name: str
    op: Literal["*", "+"]
    sd: float
    basis: str
    checked: Checked
    grade: Grade
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if self.sd <= 0:
            raise ValueError("sd must be > 0")


@dataclass(frozen=True)
class DisorderRow:
    """One perturbation of a disorder profile: molecular or cellular, never a network value.

    Attributes
    ----------
    disorder : str
        Vocabulary name of the disorder (``disorder_scz``).
    name : str
        Vocabulary name of what is changed.
    op : {"*", "+"}
    value : float
        Factor or increment.
    sd : float
        Prior standard deviation of log(value) or of value.
    cell, where : str
        Population and locus; empty means all.
    effect : str
        The effect as published.
    conversion : str
        How it became `value`.
    text_derived : bool
        The profile is assembled from text; the source review's Table 2 has no column for it.
    """

    disorder: str
    name: str
    op: Literal["*", "+"]
    value: float
    sd: float
    checked: Checked
    grade: Grade
    source: str
    effect: str
    conversion: str
    text_derived: bool
    cell: str = ""
    where: str = ""
    key: ClassVar[tuple[str, ...]] = ("disorder", "name", "cell", "where")

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if self.sd <= 0:
            raise ValueError("sd must be > 0")
        if self.op == "*" and self.value <= 0:
            raise ValueError("a factor must be > 0")
        if self.value == (1 if self.op == "*" else 0):
            raise ValueError("the row changes nothing")


@cache
def templates() -> tuple[Template, ...]:
    """All rows of ``templates.csv``."""
    return load_table("templates.csv", Template)


@cache
def channels() -> tuple[Channel, ...]:
    """All rows of ``channels.csv``."""
    return load_table("channels.csv", Channel)


@cache
def synapses() -> tuple[Synapse, ...]:
    """All rows of ``synapses.csv``."""
    return load_table("synapses.csv", Synapse)


@cache
def projections() -> tuple[Projection, ...]:
    """All rows of ``projections.csv``."""
    return load_table("projections.csv", Projection)


@cache
def receptors() -> tuple[Receptor, ...]:
    """All rows of ``receptors.csv``."""
    return load_table("receptors.csv", Receptor)


@cache
def _every_link() -> tuple[Link, ...]:
    return load_table("links.csv", Link)


@cache
def links() -> tuple[Link, ...]:
    """Rows of ``links.csv`` between quantities of the brain: all but those of inference."""
    return tuple(row for row in _every_link() if row.kind != "inference")


@cache
def inference_links() -> tuple[Link, ...]:
    """Rows of ``links.csv`` that lead from the solved circuit to parameters of inference."""
    return tuple(row for row in _every_link() if row.kind == "inference")


@cache
def alternatives() -> tuple[Alternative, ...]:
    """All rows of ``alternatives.csv``."""
    return load_table("alternatives.csv", Alternative)


@cache
def _causes() -> frozenset[str]:
    received = (name for row in receptors() for name in (row.density, row.tone, row.occupancy) if name)
    followed = {link.source for link in links()} | {edge.source for edge in edges()}
    return TERMS | INFERENCE | followed | set(received)


def inert(name: str) -> bool:
    """Whether nothing follows from a quantity: no term, link, edge or receptor of the model takes it up."""
    return name not in _causes()


@cache
def maps() -> tuple[RegionalMap, ...]:
    """All rows of ``maps.csv``."""
    return load_table("maps.csv", RegionalMap)


@cache
def population() -> tuple[Variability, ...]:
    """All rows of ``population.csv``."""
    return load_table("population.csv", Variability)


@cache
def disorders() -> tuple[DisorderRow, ...]:
    """All rows of ``disorders.csv``."""
    return load_table("disorders.csv", DisorderRow)
