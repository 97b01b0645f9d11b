"""Changes of gene products from a person's variants."""

from collections.abc import Mapping
from math import exp, hypot, isfinite, log

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.knowledge.genetics import VariantEffect, variant_effects

USUAL_COPIES = 2.0
NO_COPY = 0.1
"""Copies that stand for none: residual activity of related genes (a twentieth of the usual product)."""
MOST_COPIES = 10.0


def variant_perturbations(doses: Mapping[str, float]) -> tuple[Perturbation, ...]:
    """Changes of gene products that copies of the tabulated alleles bring.

    With dose n, effect b per allele and its prior sd s: ``exp(b n)`` with log-sd ``s n`` where the sign is
    known. Where it is not, the factor is 1 with log-sd ``n sqrt(b^2 + s^2)``, which has the mean and variance
    of a prior with either sign at probability 1/2, so that draws run both ways. Rows of law ``dose`` move a
    vocabulary row that counts alleles; size and sign of what follows are then those of its link.

    Parameters
    ----------
    doses : mapping of str to float
        Variant (``variants.csv``, column id) -> copies of its allele, 0 to 2 (``C4A_copies``: 0 to 10);
        imputed dosages may be fractions.

    Returns
    -------
    tuple of Perturbation
        In the order of the table; a dose without effect brings none. Of several markers of one locus the
        one with most copies counts.

    Raises
    ------
    UserError
        For an unknown variant (with the closest match) or a dose outside its bounds.
    """
    rows = {row.id: row for row in variant_effects()}
    for name, dose in doses.items():
        if name not in rows:
            raise unknown("variant", name, rows, hint="known variants are in knowledge/tables/variants.csv")
        most = MOST_COPIES if rows[name].law == "copies" else 2.0
        if not (isfinite(dose) and 0 <= dose <= most):
            raise UserError(f"{name}: {dose:g} copies; 0 to {most:g} are possible")
    strongest: dict[tuple[str, str], tuple[VariantEffect, float]] = {}
    for row in rows.values():
        if row.id in doses:
            key = (row.locus, row.quantity)
            if key not in strongest or doses[row.id] > strongest[key][1]:
                strongest[key] = (row, float(doses[row.id]))
    found = (_perturbation(row, dose) for row, dose in strongest.values())
    return tuple(change for change in found if change is not None)


def _perturbation(row: VariantEffect, dose: float) -> Perturbation | None:
    amount, sd = _moments(row, dose)
    if amount == 0 and sd == 0:
        return None
    multiplied = row.law != "dose"
    return Perturbation(
        row.quantity,
        exp(amount) if multiplied else amount,
        "*" if multiplied else "+",
        row.cell or None,
        row.where or None,
        sd,
        row.grade,
        f"{row.id}, {dose:g} copies: {row.source}",
    )


def _moments(row: VariantEffect, dose: float) -> tuple[float, float]:
    """Mean and standard deviation of the change (of the logarithm, or the increment)."""
    if row.law == "copies":
        share = log(max(dose, NO_COPY) / USUAL_COPIES)
        return row.effect * share, row.sd * abs(share)
    if row.sign_certain:
        return row.effect * dose, row.sd * dose
    return 0.0, hypot(row.effect, row.sd) * dose


def sampled_effects(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Draws of the effect per allele of every variant: size from its prior, unknown signs by a fair coin.

    One draw is one hypothesis about biology, shared by all people of a cohort.

    Parameters
    ----------
    n : int
        Number of draws, > 0.
    seed : int

    Returns
    -------
    dict of str to ndarray, (n,)
        Variant -> effect in the unit of its law. A known sign is kept: the normal prior is folded at 0.
    """
    if n < 1:
        raise UserError(f"{n} draws; at least 1 is needed")
    rng = np.random.default_rng(seed)
    drawn = {}
    for row in variant_effects():
        size = np.abs(row.effect + row.sd * rng.standard_normal(n)) * np.sign(row.effect)
        coin = np.where(rng.random(n) < 0.5, -1.0, 1.0)
        drawn[row.id] = size if row.sign_certain else size * coin
    return drawn
