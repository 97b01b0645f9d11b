"""Development tables: windows of developmental processes, and how healthy quantities change with age.

Ages are in years from birth, negative before it (conception is -0.73). Evidence columns as in
`synsys.knowledge.kinetics`.
"""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from synsys.knowledge.kinetics import Checked, Grade, check_evidence
from synsys.knowledge.rows import load_table

CONCEPTION = -0.73
"""Age at conception, years from birth (38 weeks before it)."""


@dataclass(frozen=True)
class DevelopmentProcess:
    """When a developmental process runs: a rate between 0 and 1 over age.

    Attributes
    ----------
    process : str
        Name that nodes and edges of the signaling network refer to.
    where : tuple of str
        Templates, loci or networks in which these ages hold; the row without places holds elsewhere.
    variant : str
        Alternative timing that a run may choose; the row without one is the default.
    onset, peak, until, offset : float or None
        The rate rises from 0 at `onset` to 1 at `peak`, stays there up to `until` (empty: no plateau) and
        falls to `adult_floor` at `offset`, years. No onset: at its full rate from the start. No offset: it
        stays there.
    adult_floor : float
        Rate left after `offset`, relative to the peak.
    """

    process: str
    where: tuple[str, ...]
    variant: Literal["", "childhood"]
    onset: float | None
    peak: float
    until: float | None
    offset: float | None
    adult_floor: float
    checked: Checked
    grade: Grade
    source: str
    note: str = ""
    key: ClassVar[tuple[str, ...]] = ("process", "where", "variant")

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if self.onset is not None and not self.onset < self.peak:
            raise ValueError(f"onset {self.onset:g} must lie before peak {self.peak:g}")
        if self.offset is not None and not self.peak <= self.fall < self.offset:
            raise ValueError(f"offset {self.offset:g} must lie after peak {self.peak:g} and plateau")
        if not 0 <= self.adult_floor <= 1 or (self.offset is None and self.adult_floor != 1):
            raise ValueError("adult_floor lies between 0 and 1, and is 1 where there is no offset")

    @property
    def fall(self) -> float:
        """Age at which the rate begins to fall."""
        return self.peak if self.until is None else self.until


@dataclass(frozen=True)
class DevelopmentCurve:
    """How a quantity of healthy people changes with age, relative to young adults.

    Attributes
    ----------
    quantity : str
        Vocabulary name.
    form : {"fold", "shift"}
        Relative to the adult value, or a difference from it in the vocabulary's unit.
    use : {"circuit", "readout", "check"}
        Whether it sets a number of the circuit, is the age norm of a readout, or a published norm of
        something that the circuit computes by itself.
    cell, where : tuple of str
        Populations and places; empty means all. Rows with places replace the row without.
    ages, values : tuple of float
        Points of the curve, years and any multiple of the adult value (fold) or unit (shift).
    loss_per_decade, loss_from : float
        Fraction lost in each decade of ageing and the age at which that begins; 0 for a shift.
    """

    quantity: str
    form: Literal["fold", "shift"]
    use: Literal["circuit", "readout", "check"]
    cell: tuple[str, ...]
    where: tuple[str, ...]
    ages: tuple[float, ...]
    values: tuple[float, ...]
    loss_per_decade: float
    loss_from: float
    checked: Checked
    grade: Grade
    source: str
    note: str = ""
    key: ClassVar[tuple[str, ...]] = ("quantity", "cell", "where")

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if len(self.ages) != len(self.values) or len(self.ages) < 2:
            raise ValueError(
                f"{len(self.ages)} ages, {len(self.values)} values; two points or more are needed"
            )
        if any(b <= a for a, b in zip(self.ages, self.ages[1:], strict=False)):
            raise ValueError("ages must increase")
        if self.form == "fold" and min(self.values) <= 0:
            raise ValueError("a fold must be > 0")
        if not 0 <= self.loss_per_decade < 1 or (self.form == "shift" and self.loss_per_decade > 0):
            raise ValueError("loss_per_decade is a fraction, and 0 for a shift")


@cache
def processes() -> tuple[DevelopmentProcess, ...]:
    """All rows of ``development_processes.csv``."""
    return load_table("development_processes.csv", DevelopmentProcess)


@cache
def age_curves() -> tuple[DevelopmentCurve, ...]:
    """All rows of ``development_curves.csv``."""
    return load_table("development_curves.csv", DevelopmentCurve)
