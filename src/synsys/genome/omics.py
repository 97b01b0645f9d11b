"""Expression and methylation tables become changes of quantities; age windows become weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import exp, hypot, isfinite, log
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.core.files import read_table, to_number
from synsys.core.perturbation import Perturbation
from synsys.knowledge.facts import Quantity
from synsys.knowledge.genetics import genes
from synsys.knowledge.load import vocabulary
from synsys.knowledge.resolve import quantity

if TYPE_CHECKING:
    import pandas as pd

Species = Literal["human", "mouse"]
PROTEIN_SD = 0.5
"""Prior standard deviation of the elasticity of protein to mRNA, mean 1 (declared, grade C: message and
protein agree only partly)."""
METHYLATION = "_methylation"


def gene_symbol(identifier: str, species: Species = "human", aliases: Mapping[str, str] | None = None) -> str:
    """Human gene symbol of an identifier.

    Parameters
    ----------
    identifier : str
        HGNC symbol, former symbol, Ensembl (``ENSG...``, a version is dropped) or NCBI identifier.
    species : {"human", "mouse"}
        Mouse symbols and NCBI identifiers go through the one-to-one orthologues of ``genes.csv``. Writing a
        mouse symbol in capitals does not make it its orthologue, so mouse names are refused as human ones.
    aliases : mapping of str to str, optional
        Identifier -> human symbol, looked up first: a user's own map or orthology.

    Raises
    ------
    UserError
        For an identifier that is not known, with the closest match.
    """
    text = identifier.strip()
    if aliases and text in aliases:
        return aliases[text]
    plain = text.split(".")[0] if text.upper().startswith("ENS") else text
    named = _identifiers(species)
    if plain in named:
        return named[plain]
    if species == "human" and (plain in _identifiers("mouse") or plain.startswith("ENSMUS")):
        raise UserError(
            f"{text} is a mouse identifier; say species='mouse', which takes one-to-one orthologues "
            "(capitals do not make it the human gene)"
        )
    if species == "mouse":
        hint = "the map holds one-to-one orthologues of genes.csv only; give others as aliases"
        raise unknown("mouse gene", text, named, hint)
    return plain


@cache
def _identifiers(species: Species) -> dict[str, str]:
    """Every identifier of a species -> human symbol. NCBI numbers are told apart by the species alone."""
    named: dict[str, str] = {}
    for gene in genes().values():
        if species == "human":
            own = (gene.gene, *gene.aliases, gene.ensembl, str(gene.entrez or ""))
        else:
            own = (gene.mouse, str(gene.mouse_entrez or ""))
        for name in filter(None, own):
            named.setdefault(name, gene.gene)
    return named


def group_differences(values: pd.DataFrame, cases: pd.Series) -> pd.DataFrame:
    """Difference of cases from controls, gene by gene.

    Parameters
    ----------
    values : DataFrame, (samples, genes)
        Expression on a log2 scale, or methylation beta.
    cases : Series of bool, (samples,)
        Joined by sample name.

    Returns
    -------
    DataFrame
        Index gene; columns change (mean of cases - mean of controls) and sd (its standard error, Welch 1947).

    Raises
    ------
    UserError
        If samples do not match, or a group has fewer than two.
    """
    missing = [name for name in values.index if name not in cases.index]
    if missing:
        raise UserError(f"sample {missing[0]!r} has no group ({len(missing)} of {len(values)} have none)")
    group = cases.reindex(values.index).astype(bool)
    import pandas as pd

    ill, well = values[group], values[~group]
    if min(len(ill), len(well)) < 2:
        raise UserError(f"{len(ill)} cases and {len(well)} controls; each group needs at least 2")
    error = (ill.var(ddof=1) / len(ill) + well.var(ddof=1) / len(well)) ** 0.5
    return pd.DataFrame({"change": ill.mean() - well.mean(), "sd": error})


def expression_perturbations(
    changes: pd.DataFrame,
    sd: pd.DataFrame | float = 0.0,
    species: Species = "human",
    aliases: Mapping[str, str] | None = None,
    skip_unknown: bool = False,
) -> tuple[Perturbation, ...]:
    """Factors on the quantities that genes stand for, from log2 fold changes of expression.

    log factor = ln 2 x log2 fold change; its sd joins the measurement's with `PROTEIN_SD` x |log factor|.
    Genes of one quantity (``GRIN1``, ``GRIN2A``, ``GRIN2B``) are averaged.

    Parameters
    ----------
    changes : DataFrame, (genes, regions)
        log2 fold changes; columns are regions, loci or networks, ``""`` everywhere. Missing cells bring none.
    sd : DataFrame of the same shape, or float
        Standard error of the log2 fold changes.
    species, aliases
        As for `gene_symbol`.
    skip_unknown : bool
        Leave out genes that no quantity stands for (a whole transcriptome); else they are an error.

    Raises
    ------
    UserError
        For genes that no quantity stands for (with the closest match), a quantity that is not changed by a
        factor, or numbers that are not finite.
    """
    gathered = _gathered(changes, sd, lambda name: _product(name, species, aliases), skip_unknown)
    out = []
    for (name, where), (change, error, symbols) in gathered.items():
        amount = log(2.0) * change
        spread = hypot(log(2.0) * error, PROTEIN_SD * amount)
        source = f"expression of {', '.join(symbols)}: log2 fold change {change:.3g}"
        out.append(Perturbation(name, exp(amount), "*", None, where or None, spread, "C", source))
    return tuple(out)


def methylation_perturbations(
    changes: pd.DataFrame,
    sd: pd.DataFrame | float = 0.0,
    species: Species = "human",
    aliases: Mapping[str, str] | None = None,
    skip_unknown: bool = False,
) -> tuple[Perturbation, ...]:
    """Increments of promoter methylation, from changes of beta.

    Parameters
    ----------
    changes : DataFrame, (genes, regions)
        Change of beta (-1 to 1) of promoter probes; rows of one gene (several probes) are averaged.
    sd, species, aliases, skip_unknown
        As for `expression_perturbations`.

    Raises
    ------
    UserError
        For a gene whose methylation is no quantity (those that are, are listed), or a change beyond 1.
    """
    gathered = _gathered(changes, sd, lambda name: _promoter(name, species, aliases), skip_unknown)
    out = []
    for (name, where), (change, error, _) in gathered.items():
        if abs(change) > 1:
            raise UserError(f"{name}: beta changes by {change:g}; it lies between 0 and 1, so by at most 1")
        source = f"promoter methylation: beta changes by {change:.3g}"
        out.append(Perturbation(name, change, "+", None, where or None, error, "C", source))
    return tuple(out)


def _product(name: str, species: Species, aliases: Mapping[str, str] | None) -> Quantity:
    symbol = gene_symbol(name, species, aliases)
    row = quantity(symbol)
    if not row.multiplies or not row.perturbable:
        raise UserError(
            f"{symbol} stands for {row.name} ({row.unit}), which expression does not scale; use {row.name}+=D"
        )
    return row


def _promoter(name: str, species: Species, aliases: Mapping[str, str] | None) -> Quantity:
    symbol = gene_symbol(name, species, aliases)
    known = {row.related[0]: row for row in vocabulary().values() if row.name.endswith(METHYLATION)}
    known = {gene: row for gene, row in known.items() if row.name == gene.lower() + METHYLATION}
    if symbol not in known:
        raise unknown("gene with a methylation quantity", symbol, known)
    return known[symbol]


def _gathered(changes: pd.DataFrame, sd: pd.DataFrame | float, find, skip_unknown: bool):
    """(quantity, region) -> mean change, its standard error, genes."""
    values = changes.to_numpy(float)
    errors = np.broadcast_to(np.asarray(sd, float), values.shape)
    cells: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
    for i, name in enumerate(map(str, changes.index)):
        try:
            row = find(name)
        except UserError:
            if skip_unknown:
                continue
            raise
        for j, where in enumerate(map(str, changes.columns)):
            if np.isnan(values[i, j]):
                continue
            if not (isfinite(values[i, j]) and errors[i, j] >= 0):
                raise UserError(f"{name}, {where or 'everywhere'}: {values[i, j]:g} +- {errors[i, j]:g}")
            cells.setdefault((row.name, where), []).append((values[i, j], errors[i, j], name))
    if not cells:
        raise UserError("no gene of the table stands for a quantity; see synsys catalog perturbations")
    return {
        key: (
            float(np.mean([change for change, _, _ in found])),
            float(np.sqrt(np.sum([error**2 for _, error, _ in found])) / len(found)),
            sorted({name for _, _, name in found}),
        )
        for key, found in cells.items()
    }


def read_windows(path: str | Path) -> pd.DataFrame:
    """Expression by age window, for example of a developmental transcriptome.

    Parameters
    ----------
    path : path
        CSV or TSV: columns ``start`` and ``end`` (years from birth, negative before; conception is -0.73),
        then one column per gene (expression on a linear scale, >= 0).

    Returns
    -------
    DataFrame, (windows, genes)
        Row labels are (start, end), ascending.

    Raises
    ------
    UserError
        If windows overlap, end before they start, or expression is negative or not a number.
    """
    import pandas as pd

    path = Path(path)
    table = read_table(path)
    for name in ("start", "end"):
        if name not in table:
            raise UserError(f"{path.name}: no column {name}; its columns are {', '.join(table.columns)}")
    numbers = {
        column: [to_number(cell, f"{path.name}, {column}, row {i}") for i, cell in enumerate(cells, 1)]
        for column, cells in table.items()
    }
    frame = pd.DataFrame(numbers).sort_values("start", kind="stable")
    start, end = frame["start"].to_numpy(), frame["end"].to_numpy()
    if not np.all(start < end):
        raise UserError(f"{path.name}: window {start[start >= end][0]:g} ends before it starts")
    if np.any(start[1:] < end[:-1] - 1e-9):
        raise UserError(
            f"{path.name}: window {start[1:][start[1:] < end[:-1] - 1e-9][0]:g} overlaps the one before"
        )
    values = frame.drop(columns=["start", "end"])
    if values.empty or not np.all(values.to_numpy() >= 0):
        raise UserError(f"{path.name}: needs a column per gene, with expression >= 0")
    return values.set_index(pd.MultiIndex.from_arrays([start, end], names=["start", "end"]))


def window_weights(windows: pd.DataFrame, gene: str, age: np.ndarray) -> np.ndarray:
    """Weight of a gene at each age: its expression relative to its highest window.

    Linear between the middles of windows; beyond the first and the last, as there.

    Parameters
    ----------
    windows : DataFrame
        As from `read_windows`.
    gene : str
        A column.
    age : array of float
        Years from birth.

    Returns
    -------
    ndarray, same shape, 0 to 1

    Raises
    ------
    UserError
        If the gene is not in the table, or never expressed.
    """
    if gene not in windows:
        raise unknown("gene", gene, windows.columns)
    values = windows[gene].to_numpy(float)
    if values.max() <= 0:
        raise UserError(f"{gene} is not expressed in any window")
    starts, ends = (windows.index.get_level_values(name).to_numpy(float) for name in ("start", "end"))
    return np.interp(np.asarray(age, float), (starts + ends) / 2, values / values.max())
