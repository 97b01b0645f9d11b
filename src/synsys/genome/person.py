"""One small file about a person's genome becomes perturbations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synsys.core.errors import UserError
from synsys.core.files import read_table, to_number
from synsys.core.perturbation import Perturbation
from synsys.genome.omics import expression_perturbations, methylation_perturbations
from synsys.genome.read import VARIANT_COLUMNS, read_dosages
from synsys.genome.scores import aligned_dosages, score_perturbations
from synsys.genome.variants import variant_perturbations
from synsys.knowledge.genetics import variant_effects

if TYPE_CHECKING:
    import pandas as pd

KINDS = {
    "dose": (("rsid", "variant"), "copies of an allele (variants.csv)"),
    "log2fc": (("gene",), "log2 fold change of expression"),
    "delta_beta": (("gene",), "change of promoter methylation"),
    "z": (("score", "pathway"), "polygenic z score (total, or T1-01 to T1-17)"),
}
"""Column of values -> columns that may name what has the value, and what it is."""
OPTIONAL = ("region", "sd", "probe")
VCF = (".vcf", ".vcf.gz")


def perturbations_from(path: str | Path) -> tuple[Perturbation, ...]:
    """Perturbations of a file about a person's genome, told apart by its columns.

    ==========================  ==================================================================
    columns                     what the rows are
    ==========================  ==================================================================
    rsid,dose                   copies of the tabulated allele (`variant_perturbations`)
    gene,log2fc[,region,sd]     expression (`expression_perturbations`)
    [probe,]gene,delta_beta     promoter methylation (`methylation_perturbations`); also region, sd
    score,z                     polygenic scores (`score_perturbations`)
    a VCF of one person         copies of the alleles of ``variants.csv``, by rsID
    ==========================  ==================================================================

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv``, ``.txt``, ``.vcf`` or ``.vcf.gz``.

    Returns
    -------
    tuple of Perturbation
        Ready for ``synsys.cascade``.

    Raises
    ------
    UserError
        If the file cannot be read, its columns are of no kind, a name is unknown (with the closest match), a
        cell is no number, or nothing changes.
    """
    path = Path(path)
    found = _from_vcf(path) if path.name.lower().endswith(VCF) else _from_table(path)
    if not found:
        raise UserError(f"{path.name}: nothing in it changes anything")
    return found


def _from_table(path: Path) -> tuple[Perturbation, ...]:
    table = read_table(path)
    values = [name for name in KINDS if name in table]
    if len(values) != 1:
        accepted = "; ".join(f"{keys[0]},{name}: {what}" for name, (keys, what) in KINDS.items())
        raise UserError(f"{path.name}: columns {', '.join(table.columns)}; accepted are {accepted}")
    value = values[0]
    key = next((name for name in KINDS[value][0] if name in table), None)
    if key is None:
        raise UserError(
            f"{path.name}: a column {' or '.join(KINDS[value][0])} must say what has each {value}"
        )
    strange = set(table.columns) - {value, key, *OPTIONAL}
    if strange:
        raise UserError(f"{path.name}: unknown column {', '.join(sorted(strange))}")
    for column in ({value, "sd"}) & set(table.columns):
        cells = zip(table[key], table[column], strict=True)
        table[column] = [to_number(str(cell), f"{path.name}, {name}, {column}") for name, cell in cells]
    if value in ("dose", "z"):
        repeated = table[key][table[key].duplicated()]
        if len(repeated):
            raise UserError(f"{path.name}: {repeated.iloc[0]} appears twice")
        numbers = dict(zip(table[key], table[value], strict=True))
        return variant_perturbations(numbers) if value == "dose" else score_perturbations(numbers)
    return _omics(path, table, value)


def _omics(path: Path, table: pd.DataFrame, value: str) -> tuple[Perturbation, ...]:
    """Gene rows as genes x regions; probes of a gene keep rows of their own."""
    table = table.assign(region=table.get("region", ""), sd=table.get("sd", 0.0))
    repeated = table.duplicated(["gene", "region"])
    if value == "log2fc" and repeated.any():
        row = table[repeated].iloc[0]
        raise UserError(f"{path.name}: {row['gene']} {row['region']} appears twice".replace("  ", " "))
    place = [table.index, "gene", "region"]
    changes = table.set_index(place)[value].astype(float).unstack("region")
    errors = table.set_index(place)["sd"].astype(float).unstack("region").fillna(0.0)
    changes, errors = changes.droplevel(0), errors.droplevel(0)
    make = expression_perturbations if value == "log2fc" else methylation_perturbations
    return make(changes, errors)


def _from_vcf(path: Path) -> tuple[Perturbation, ...]:
    import pandas as pd

    dosages = read_dosages(path)
    people = [name for name in dosages.columns if name not in VARIANT_COLUMNS]
    if len(people) != 1:
        raise UserError(f"{path.name}: {len(people)} people; a genome file is about one")
    rows = [row for row in variant_effects() if row.allele]
    wanted = pd.DataFrame(
        {"rsid": [r.id for r in rows], "effect_allele": [r.allele for r in rows], "other_allele": ""}
    ).assign(chromosome="", position=np.nan)
    used, _ = aligned_dosages(wanted, dosages)
    doses = used[people[0]].set_axis(wanted["rsid"].loc[used.index]).dropna()
    return variant_perturbations({str(name): float(dose) for name, dose in doses.items()})
