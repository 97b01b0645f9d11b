"""The signaling network: nodes with time constants, and the regulators that act on them.

`synsys.signaling.network` says how the rows become dynamics. Evidence columns as in
`synsys.knowledge.kinetics`.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Literal

from synsys.core.errors import UserError, unknown
from synsys.knowledge.development import processes
from synsys.knowledge.kinetics import Checked, Grade, check_evidence
from synsys.knowledge.load import vocabulary
from synsys.knowledge.rows import load_table

FAST = {
    "fast:e_rate": "firing rate of the principal cells of a region",
    "fast:set_point": "the same, as homeostasis senses it: never tempered",
    "fast:pv_rate": "firing rate of its PV cells",
    "fast:calcium_nmda": "calcium entry through NMDA receptors of its principal cells",
    "fast:calcium_cav": "calcium entry through L-type channels of its principal cells",
    "fast:gamma_power": "local gamma power",
    "fast:energy_use": "ATP that spikes and synapses use",
    "fast:ltp": "potentiation that a standard protocol would induce (`synsys.synapse.probe`)",
    "fast:ltd": "depression that a standard protocol would induce",
}
"""What the fast brain tells the slow one, each relative to health and per region."""
SET_POINT = "fast:set_point"
"""What activity is restored by; all other effects of the fast brain may destabilise it."""
ACTIVATION = "activation:"
"""Before the name of a receptor: its activation relative to health."""


@dataclass(frozen=True)
class Node:
    """A variable of the slow clock.

    Attributes
    ----------
    node : str
        Vocabulary name.
    form : {"fold", "shift", "index"}
        Relative to health (1); deviation in the vocabulary's unit (0), of either sign; deviation >= 0.
    logic : {"and", "mean", "or"}
        How regulators of production combine; sums for shift and index.
    basal : float
        Share of production that no regulator removes, 0 to 1.
    limit : float or None
        Largest deviation of shift and index nodes.
    tau, tau_sd : float
        Time constant in days, and prior standard deviation of its logarithm.
    scope : {"brain", "body"}
        A value for every region, or one for the body (blood, adrenal gland).
    process : str
        Developmental process whose rate gates every change of the node; empty: always open.
    """

    node: str
    form: Literal["fold", "shift", "index"]
    logic: Literal["and", "mean", "or"]
    basal: float
    tau: float
    tau_sd: float
    scope: Literal["brain", "body"]
    checked: Checked
    grade: Grade
    source: str
    limit: float | None = None
    process: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if not 0 <= self.basal < 1:
            raise ValueError("basal must be from 0 to below 1")
        if min(self.tau, self.tau_sd) <= 0:
            raise ValueError("tau and tau_sd must be > 0")
        if self.form == "fold" and self.limit is not None:
            raise ValueError("a fold node has no limit; its regulators have a saturation")
        if self.form == "index" and not self.limit:
            raise ValueError("an index node needs a limit > 0")


@dataclass(frozen=True)
class Edge:
    """One regulator of a node.

    Attributes
    ----------
    source : str
        A node, any other vocabulary name (an exposure, a gene), ``activation:RECEPTOR``, or one of `FAST`.
    target : str
        A node.
    acts_on : {"production", "loss"}
    strength, sd : float
        Local elasticity at health (or increment per unit), and its prior standard deviation.
    sign_certain : bool
        False: the literature does not give the sign, both are run.
    saturation : float or None
        Largest fold that this regulator alone can bring; None for shift and index targets.
    source_where, where : tuple of str
        Templates, loci or networks; empty means everywhere.
    window : str
        Developmental process during whose window the edge acts; empty means always.
    parallel : bool
        A direct link to the same target exists on purpose.
    """

    id: str
    source: str
    target: str
    acts_on: Literal["production", "loss"]
    strength: float
    sd: float
    sign_certain: bool
    source_where: tuple[str, ...]
    where: tuple[str, ...]
    parallel: bool
    checked: Checked
    grade: Grade
    citation: str
    saturation: float | None = None
    window: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.citation)
        if self.source == self.target and self.acts_on == "loss":
            raise ValueError(f"{self.source} cannot act on its own loss")
        if self.strength == 0 or self.sd <= 0:
            raise ValueError("strength must not be 0, sd must be > 0")
        if self.saturation is not None and self.saturation <= 1:
            raise ValueError("saturation must be > 1")


@cache
def nodes() -> dict[str, Node]:
    """All rows of ``signaling_nodes.csv`` by name."""
    return {row.node: row for row in load_table("signaling_nodes.csv", Node)}


@cache
def edges() -> tuple[Edge, ...]:
    """All rows of ``signaling_edges.csv``, held to the nodes.

    Raises
    ------
    UserError
        If an edge names no quantity, targets no node, or lacks (or has) a saturation against its form; if
        a node or edge names a developmental process that ``development_processes.csv`` lacks.
    """
    rows, known = load_table("signaling_edges.csv", Edge), nodes()
    gates = {row.process for row in processes()}
    for name, count in Counter(row.id for row in rows).items():
        if count > 1:
            raise UserError(f"signaling_edges.csv: {name} is given {count} times")
    for name, node in known.items():
        if name not in vocabulary():
            raise UserError(f"signaling_nodes.csv: {name} is not in vocabulary.csv")
        if (node.form == "fold") != vocabulary()[name].multiplies:
            raise UserError(
                f"signaling_nodes.csv: {name} ({vocabulary()[name].unit}) cannot be a {node.form}"
            )
        if node.process and node.process not in gates:
            raise unknown(f"process of {name}", node.process, gates, "see development_processes.csv")
    for row in rows:
        if row.target not in known:
            raise UserError(f"signaling_edges.csv, {row.id}: {row.target} is no node")
        if row.window and row.window not in gates:
            raise unknown(f"window of {row.id}", row.window, gates, "see development_processes.csv")
        if (
            row.source not in FAST
            and not row.source.startswith(ACTIVATION)
            and row.source not in vocabulary()
        ):
            raise UserError(f"signaling_edges.csv, {row.id}: {row.source} is not in vocabulary.csv")
        fold = known[row.target].form == "fold" or row.acts_on == "loss"
        if fold == (row.saturation is None):
            raise UserError(
                f"signaling_edges.csv, {row.id}: a saturation is needed for fold targets and losses only"
            )
    return rows


def folded(name: str) -> bool:
    """Whether a source is relative to health (1) rather than a deviation (0)."""
    row = vocabulary().get(name)
    return row is None or row.multiplies
