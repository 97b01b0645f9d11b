"""Markers: what a sample of blood, saliva or hair says about the node of the brain that it stands in for."""

from dataclasses import dataclass
from functools import cache
from math import sqrt

from synsys.core.errors import UserError, unknown
from synsys.knowledge.kinetics import Checked, Grade, check_evidence
from synsys.knowledge.load import vocabulary
from synsys.knowledge.rows import load_table


@dataclass(frozen=True)
class Marker:
    """A peripheral marker as a proxy of a node.

    Attributes
    ----------
    marker : str
        Analyte and specimen.
    node : str
        Vocabulary name of what it is taken to show.
    sd : float
        Between-person standard deviation in health: of the logarithm of a quantity relative to health, of
        the value of any other.
    reliability : float
        Share of the variance of one reading that repeats in the same person, 0 to 1.
    correlation : float
        Of the repeatable part with the node, -1 to 1.
    """

    marker: str
    node: str
    reliability: float
    correlation: float
    checked: Checked
    grade: Grade
    source: str
    sd: float = 1.0
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if not 0 < self.reliability <= 1:
            raise ValueError("reliability must be above 0 and at most 1")
        if not -1 <= self.correlation <= 1:
            raise ValueError("correlation must lie between -1 and 1")
        if self.sd <= 0:
            raise ValueError("sd must be > 0")

    @property
    def validity(self) -> float:
        """Correlation of one reading with the node (attenuation by unreliability: Spearman 1904)."""
        return self.correlation * sqrt(self.reliability)


@cache
def markers() -> dict[str, Marker]:
    """All rows of ``markers.csv`` by name.

    Raises
    ------
    UserError
        If a row stands in for no quantity of the vocabulary.
    """
    rows = {row.marker: row for row in load_table("markers.csv", Marker)}
    for row in rows.values():
        if row.node not in vocabulary():
            raise UserError(f"markers.csv, {row.marker}: {row.node} is not in vocabulary.csv")
    return rows


def marker(name: str) -> Marker:
    """One row of ``markers.csv``.

    Raises
    ------
    UserError
        If there is no such marker.
    """
    if name not in markers():
        raise unknown("marker", name, markers())
    return markers()[name]
