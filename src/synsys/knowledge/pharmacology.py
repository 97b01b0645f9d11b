"""Drugs: what each occupies or moves, at which dose, how fast it comes and goes (``drugs.csv``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import ceil, inf, log
from typing import ClassVar, Literal

import numpy as np

from synsys.core.dosing import Dosing, absorption_rate, ec50_from
from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.knowledge.kinetics import Checked, Grade, check_evidence
from synsys.knowledge.rows import load_table

_STEADY = 40.0
"""Time constants of elimination after which daily doses count as steady: the rest is exp(-40)."""
_SHARED = ("aliases", "dose", "unit", "interval", "infusion", "half_life", "peak")


@dataclass(frozen=True)
class Drug:
    """One action of one drug.

    Attributes
    ----------
    drug : str
    aliases : tuple of str
        Other names of the drug.
    quantity : str
        Vocabulary name of what it occupies or moves.
    op : {"+", "*"}
    value : float
        Increment (``+``) or factor (``*``) at level 1, when all of the target is held.
    sd : float
        Prior standard deviation of `value` (``+``) or its logarithm (``*``).
    dose : float
    unit : str
        Reference dose.
    interval : float
        Hours between doses in its usual course; 0: given once.
    infusion : float
        Minutes over which a dose runs into a vein; 0: swallowed.
    half_life : float
        Of elimination, h; of the active moiety where metabolites act alike.
    peak : float
        Time from dose to peak concentration, h; 0 with an infusion.
    occupancy : float
        Level (share of the target held, of the attainable) at the reference dose, once steady if it is
        given repeatedly, `after` hours after the last dose began.
    after : float
        h.
    lag : float
        Half-life of equilibration between blood and effect site, h; 0: at once.
    basis : str
        How the occupancy is known.
    """

    drug: str
    aliases: tuple[str, ...]
    quantity: str
    op: Literal["+", "*"]
    value: float
    sd: float
    dose: float
    unit: str
    interval: float
    infusion: float
    half_life: float
    peak: float
    occupancy: float
    after: float
    basis: Literal["PET", "SPECT", "affinity", "assumed"]
    checked: Checked
    grade: Grade
    source: str
    lag: float = 0.0
    note: str = ""
    key: ClassVar[tuple[str, ...]] = ("drug", "quantity")

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if min(self.dose, self.half_life, self.sd) <= 0:
            raise ValueError("dose, half_life and sd must be > 0")
        if not 0 < self.occupancy < 1:
            raise ValueError(f"occupancy {self.occupancy:g} does not lie between 0 and 1")
        if min(self.interval, self.infusion, self.peak, self.after, self.lag) < 0:
            raise ValueError("times must be >= 0")
        if bool(self.infusion) == bool(self.peak):
            raise ValueError("a drug is either infused (infusion, peak 0) or absorbed (peak, infusion 0)")
        if self.value == (1 if self.op == "*" else 0) or (self.op == "*" and self.value <= 0):
            raise ValueError(f"value {self.value:g} changes nothing or is no factor")
        absorption_rate(self.peak * self.elimination, 1.0)

    @property
    def elimination(self) -> float:
        """Rate of elimination, 1/h."""
        return log(2) / self.half_life

    @property
    def perturbation(self) -> Perturbation:
        """What happens to the quantity at level 1."""
        return Perturbation(
            self.quantity, self.value, self.op, sd=self.sd, grade=self.grade, source=self.source
        )

    @cached_property
    def ec50(self) -> float:
        """Concentration that holds half of the target, in multiples of that of one reference dose."""
        return ec50_from(float(self.steady_concentration(self.after)), self.occupancy)

    def steady_concentration(self, after: np.ndarray | float) -> np.ndarray:
        """Concentration `after` hours after the last of many reference doses, or after the only one.

        Parameters
        ----------
        after : array_like
            Hours since the last dose began.

        Returns
        -------
        ndarray, shape of `after`
            In multiples of (bioavailable reference dose) / (volume of distribution).
        """
        gap = self.interval / 24
        n = ceil(_STEADY / (24 * self.elimination * gap)) + 1 if gap else 1
        times = tuple((i + 1 - n) * gap for i in range(n))
        return self._dosing(times, (1.0,) * n, 1.0).concentration(np.asarray(after, float) / 24)

    def dosing(self, times: Sequence[float], doses: Sequence[float]) -> Dosing:
        """Doses of this drug with its kinetics.

        Parameters
        ----------
        times : sequence of float
            Days, ascending.
        doses : sequence of float
            In `unit`.
        """
        return self._dosing(tuple(times), tuple(dose / self.dose for dose in doses), self.ec50)

    def _dosing(self, times: tuple[float, ...], amounts: tuple[float, ...], ec50: float) -> Dosing:
        absorption = inf if self.infusion else 24 * absorption_rate(self.peak, self.elimination)
        return Dosing(
            times,
            amounts,
            elimination=24 * self.elimination,
            absorption=absorption,
            infusion=self.infusion / 1440,
            effect=24 * log(2) / self.lag if self.lag else inf,
            ec50=ec50,
        )


@cache
def drugs() -> dict[str, tuple[Drug, ...]]:
    """Actions of every drug by its name.

    Raises
    ------
    UserError
        If two rows of one drug disagree on its dose or kinetics, or two drugs share a name.
    """
    found: dict[str, tuple[Drug, ...]] = {}
    for row in load_table("drugs.csv", Drug):
        found[row.drug] = (*found.get(row.drug, ()), row)
    for name, rows in found.items():
        for column in _SHARED:
            if len({getattr(row, column) for row in rows}) > 1:
                raise UserError(f"drugs.csv: the rows of {name} disagree on {column}")
    names = [name.casefold() for rows in found.values() for name in (rows[0].drug, *rows[0].aliases)]
    if len(names) > len(set(names)):
        raise UserError("drugs.csv: two drugs share a name")
    return found


def drug(name: str) -> tuple[Drug, ...]:
    """Every action of a drug.

    Parameters
    ----------
    name : str
        Name or alias; case does not matter.

    Raises
    ------
    UserError
        If no drug has that name, with the closest match.
    """
    names = {
        alias.casefold(): rows for rows in drugs().values() for alias in (rows[0].drug, *rows[0].aliases)
    }
    if name.strip().casefold() not in names:
        known = [alias for rows in drugs().values() for alias in (rows[0].drug, *rows[0].aliases)]
        raise unknown("drug", name.strip(), known, listed=drugs())
    return names[name.strip().casefold()]
