"""A change of one named quantity, the common currency of genes, drugs and disorders."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from synsys.core.errors import UserError


@dataclass(frozen=True)
class Perturbation:
    """A change of one quantity against its healthy value.

    Parameters
    ----------
    name : str
        Name in ``vocabulary.csv``, for example ``nmda_conductance``. Whoever takes a perturbation also
        accepts an alias or a gene symbol here (``KCNQ2``) and resolves it (`knowledge.resolve.resolved`).
    value : float
        Factor on the healthy value (``op="*"``, > 0) or increment in the row's unit (``op="+"``).
    op : {"*", "+"}
        Whether `value` multiplies or adds.
    cell : str or None
        Population it is confined to (``E``, ``PV``, ``SST``, ``TC``, ...); None means all.
    where : str or None
        Region, locus or network it is confined to; None means everywhere.
    sd : float
        Prior standard deviation of ``log(value)`` (``"*"``) or of `value` (``"+"``).
    grade, source : str
        Evidence grade (A, B, C) and where the size comes from; empty for a user's own change.
    """

    name: str
    value: float
    op: Literal["*", "+"] = "*"
    cell: str | None = None
    where: str | None = None
    sd: float = 0.0
    grade: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not isfinite(self.value):
            raise UserError(f"{self.name}: {self.value!r} is not a finite number")
        if self.op == "*" and self.value <= 0:
            raise UserError(
                f"{self.name}={self.value:g}: a factor must be > 0 (1 is healthy); "
                f"use {self.name}+=D to add in the row's unit"
            )
        if not (isfinite(self.sd) and self.sd >= 0):
            raise UserError(f"{self.name}: prior sd {self.sd!r} must be a finite number >= 0")

    def __str__(self) -> str:
        sign = "=" if self.op == "*" else "+="
        cell = f":{self.cell}" if self.cell else ""
        where = f"@{self.where}" if self.where else ""
        return f"{self.name}{sign}{self.value:g}{cell}{where}"
