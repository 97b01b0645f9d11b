"""Which readouts a symptom is read from: a declared table that a user may replace."""

from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import ClassVar

from synsys.core.errors import UserError, unknown
from synsys.knowledge.kinetics import Checked, Grade, check_evidence
from synsys.knowledge.load import vocabulary
from synsys.knowledge.rows import load_table, parse_table


@dataclass(frozen=True)
class SymptomRow:
    """One readout that a symptom is read from.

    Attributes
    ----------
    symptom : str
        Vocabulary name, level ``symptom``.
    source : str
        Readout of the brain, score of a task, quantity of inference, or another symptom.
    weight : float
        Of the source's change in healthy between-person sd; negative where more of the source is less of the
        symptom.
    citation : str
    """

    symptom: str
    source: str
    weight: float
    checked: Checked
    grade: Grade
    citation: str
    note: str = ""
    key: ClassVar[tuple[str, ...]] = ("symptom", "source")

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.citation)
        if self.weight == 0:
            raise ValueError("a weight must not be 0")
        if self.symptom == self.source:
            raise ValueError(f"{self.symptom} is read from itself")


@dataclass(frozen=True)
class SymptomTable:
    """A whole table, its symptoms in an order in which each can be read.

    Attributes
    ----------
    name : str
        Where it comes from.
    rows : dict of str to tuple of SymptomRow
        By symptom; what a symptom is read from stands before it.
    """

    name: str
    rows: dict[str, tuple[SymptomRow, ...]]

    def sources(self, symptom: str) -> frozenset[str]:
        """Readouts that a symptom is read from, also through other symptoms; a readout is its own source."""
        if symptom not in self.rows:
            return frozenset({symptom})
        return frozenset[str]().union(*(self.sources(row.source) for row in self.rows[symptom]))


@cache
def symptoms() -> SymptomTable:
    """The table that comes with the package, ``symptoms.csv``."""
    return _ordered("symptoms.csv", load_table("symptoms.csv", SymptomRow))


def read_symptoms(path: str | Path) -> SymptomTable:
    """A user's table in the form of ``symptoms.csv``.

    Raises
    ------
    UserError
        If the file cannot be read or a row is malformed, names something that is not in the vocabulary, or
        symptoms are read from each other in a circle.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as text ({error})") from error
    rows = parse_table(text, str(path), SymptomRow, exact_columns=False)
    if not rows:
        raise UserError(f"{path}: holds no symptoms")
    return _ordered(str(path), rows)


def _ordered(name: str, rows: tuple[SymptomRow, ...]) -> SymptomTable:
    known, grouped = vocabulary(), dict[str, list[SymptomRow]]()
    for row in rows:
        for given in (row.symptom, row.source):
            if given not in known:
                raise unknown(f"{name}: readout", given, known)
        if known[row.symptom].level != "symptom":
            raise UserError(f"{name}: {row.symptom} ({known[row.symptom].level}) is no symptom")
        grouped.setdefault(row.symptom, []).append(row)
    graph = {symptom: [r.source for r in found if r.source in grouped] for symptom, found in grouped.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise UserError(f"{name}: symptoms are read from each other: {' <- '.join(error.args[1])}") from error
    place = {symptom: i for i, symptom in enumerate(grouped)}
    depth: dict[str, int] = {}
    for symptom in order:
        depth[symptom] = 1 + max((depth[s] for s in graph[symptom]), default=-1)
    ranked = sorted(grouped, key=lambda symptom: (depth[symptom], place[symptom]))
    return SymptomTable(name, {symptom: tuple(grouped[symptom]) for symptom in ranked})
