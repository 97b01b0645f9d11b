"""Files of weights and of genotypes: PGS Catalog scores, GWAS-SSF summary statistics, VCF, CSV."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core.errors import UserError, closest

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "NA", "#NA", "NaN", "nan", ".", "NR")
SEX = {"23": "X", "24": "Y", "25": "X", "26": "MT", "M": "MT"}
"""Numbers that stand for chromosomes with letters (25 is the pseudoautosomal part of X)."""
VARIANT_COLUMNS = ("rsid", "chromosome", "position", "allele", "other")
"""Columns of a dosage table that are not individuals."""
NOT_ADDITIVE = ("is_dominant", "is_recessive", "is_haplotype", "is_diplotype", "is_interaction")
NOT_ADDITIVE_WEIGHTS = ("dosage_0_weight", "dosage_1_weight", "dosage_2_weight")
RATIOS = {"OR", "HR", "ODDS RATIO", "HAZARD RATIO"}


def read_weights(path: str | Path) -> pd.DataFrame:
    """Weights of a polygenic score.

    Parameters
    ----------
    path : path
        A PGS Catalog scoring file (tab-separated below lines starting with ``#``; harmonised positions,
        ``hm_chr`` and ``hm_pos``, are preferred; a weight_type of OR or HR is turned into its logarithm), or
        GWAS summary statistics in GWAS-SSF (``chromosome``, ``base_pair_location``, ``effect_allele``,
        ``other_allele``, ``beta`` or ``odds_ratio`` or ``hazard_ratio``, ``standard_error``, ``p_value`` or
        ``neg_log_10_p_value``). Either may end in ``.gz``.

    Returns
    -------
    DataFrame, (variants, 9)
        rsid, chromosome, effect_allele, other_allele (empty if not given), position, weight (log odds or
        linear), eaf (effect-allele frequency), se, p (NaN if not given). ``attrs``: name, build.

    Raises
    ------
    UserError
        If the file cannot be read, lacks columns, holds a number that is none, repeats a variant, or scores
        other than by adding up doses.
    """
    path = Path(path)
    header, table = _tab_separated(path)
    if "effect_weight" in table:
        found = _pgs(path, header, table)
    elif {"beta", "odds_ratio", "hazard_ratio"} & set(table):
        found = _ssf(path, header, table)
    else:
        raise UserError(
            f"{path.name}: neither a PGS Catalog scoring file (effect_weight) nor GWAS-SSF (beta, odds_ratio "
            f"or hazard_ratio); its columns are {', '.join(table)}"
        )
    named = (found["rsid"] == "") & ((found["chromosome"] == "") | found["position"].isna())
    if named.any():
        raise UserError(f"{path.name}: variant {int(named.argmax()) + 1} has neither an rsID nor a position")
    key = ["rsid", "chromosome", "position", "effect_allele", "other_allele"]
    if found.duplicated(key).any():
        row = found[found.duplicated(key)].iloc[0]
        raise UserError(
            f"{path.name}: {row['rsid'] or row['chromosome']} appears twice with the same alleles"
        )
    return found


def _pgs(path: Path, header: dict[str, str], table: dict[str, list[str]]) -> pd.DataFrame:
    for name in NOT_ADDITIVE:
        if any(cell.lower() == "true" for cell in table.get(name, ())):
            raise UserError(
                f"{path.name}: {name} is True for some variants; only additive scores can be summed"
            )
    if any(name in table for name in NOT_ADDITIVE_WEIGHTS):
        raise UserError(f"{path.name}: weights by genotype ({NOT_ADDITIVE_WEIGHTS[0]}, ...) are not additive")
    harmonised = "hm_pos" in table
    names = {
        "rsid": "hm_rsID" if "hm_rsID" in table else "rsID",
        "chromosome": "hm_chr" if harmonised else "chr_name",
        "position": "hm_pos" if harmonised else "chr_position",
        "effect_allele": "effect_allele",
        "other_allele": "other_allele" if "other_allele" in table else "hm_inferOtherAllele",
        "weight": "effect_weight",
        "eaf": "allelefrequency_effect",
    }
    out = _columns(path, table, names, ("effect_allele", "weight"))
    kinds = {header.get("weight_type", "").upper()} | {cell.upper() for cell in table.get("weight_type", ())}
    if kinds & RATIOS:
        out["weight"] = _logarithm(path, out["weight"])
    build = header.get("HmPOS_build" if harmonised else "genome_build", "")
    out.attrs = {"name": header.get("pgs_id", path.stem), "build": "" if build in MISSING else build}
    return out


def _ssf(path: Path, header: dict[str, str], table: dict[str, list[str]]) -> pd.DataFrame:
    effect = next(name for name in ("beta", "odds_ratio", "hazard_ratio") if name in table)
    names = {
        "rsid": "rsid",
        "chromosome": "chromosome",
        "position": "base_pair_location",
        "effect_allele": "effect_allele",
        "other_allele": "other_allele",
        "weight": effect,
        "eaf": "effect_allele_frequency",
        "se": "standard_error",
        "p": "p_value" if "p_value" in table else "neg_log_10_p_value",
    }
    needed = ("chromosome", "position", "effect_allele", "other_allele", "weight", "p")
    out = _columns(path, table, names, needed)
    if effect != "beta":
        out["weight"] = _logarithm(path, out["weight"])
    if names["p"] == "neg_log_10_p_value":
        out["p"] = 10.0 ** -out["p"]
    out.attrs = {"name": path.name.split(".")[0], "build": header.get("genome_assembly", "")}
    return out


def _columns(
    path: Path, table: dict[str, list[str]], names: dict[str, str], needed: Iterable[str]
) -> pd.DataFrame:
    """Our columns from theirs, numbers as numbers."""
    import pandas as pd

    missing = [names[name] for name in needed if names[name] not in table]
    if missing:
        raise UserError(f"{path.name}: no column {', '.join(missing)}; its columns are {', '.join(table)}")
    length = len(next(iter(table.values())))
    out: dict[str, Any] = {}
    for name in ("rsid", "chromosome", "effect_allele", "other_allele"):
        cells = table.get(names.get(name, ""), [""] * length)
        out[name] = ["" if cell in MISSING else cell for cell in cells]
    out["chromosome"] = [chromosome_name(cell) for cell in out["chromosome"]]
    for name in ("effect_allele", "other_allele"):
        out[name] = [cell.upper() for cell in out[name]]
    for name in ("position", "weight", "eaf", "se", "p"):
        cells = table.get(names.get(name, ""), [""] * length)
        where = f"{path.name}, column {names.get(name, name)}"
        out[name] = [_number(cell, where, i, name != "weight") for i, cell in enumerate(cells, 1)]
    return pd.DataFrame(out)


def _number(cell: str, where: str, row: int, optional: bool) -> float:
    if cell in MISSING and optional:
        return np.nan
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise UserError(f"{where}, variant {row}: {cell!r} is not a finite number")
    return value


def _logarithm(path: Path, ratio: pd.Series) -> pd.Series:
    if (ratio <= 0).any():
        raise UserError(f"{path.name}: an odds or hazard ratio of {ratio.min():g} has no logarithm")
    return np.log(ratio)


def chromosome_name(text: str) -> str:
    """Name without ``chr``; 23 and 24 become X and Y."""
    name = text.strip().removeprefix("chr").removeprefix("Chr")
    return SEX.get(name, name)


def text_of(path: Path) -> str:
    """Text of a file that may be compressed by gzip.

    Raises
    ------
    UserError
        If there is none, or it is not UTF-8 text.
    """
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise UserError(f"{path.name}: neither UTF-8 text nor gzip of it ({error})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def _tab_separated(path: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """``#key=value`` lines and the columns below them."""
    lines = text_of(path).splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
    if start is None or start + 1 >= len(lines):
        raise UserError(f"{path.name}: holds no variants")
    pairs = (line.lstrip("#").split("=", 1) for line in lines[:start] if "=" in line)
    header = {key.strip(): value.strip() for key, value in pairs}
    separator = "\t" if "\t" in lines[start] else ","
    rows = list(csv.reader(io.StringIO("\n".join(lines[start:])), delimiter=separator))
    width = len(rows[0])
    for number, row in enumerate(rows[1:], start + 2):
        if row and len(row) != width:
            raise UserError(
                f"{path.name}, line {number}: {len(row)} cells, but the header has {width} columns"
            )
    columns = [name.strip() for name in rows[0]]
    body = [row for row in rows[1:] if row]
    return header, {name: [row[i].strip() for row in body] for i, name in enumerate(columns)}


def read_dosages(path: str | Path) -> pd.DataFrame:
    """Allele dosages of individuals.

    Parameters
    ----------
    path : path
        A VCF (``GT``, or ``DS`` if there; one row per alternative allele), or a CSV or TSV with columns rsid
        and/or chromosome and position, allele (whose copies are counted), other, and one column of dosages 0
        to 2 per individual. Either may end in ``.gz``. Missing dosages are empty, ``NA`` or ``.``.

    Returns
    -------
    DataFrame, (variants, 5 + individuals)
        rsid, chromosome, position, allele, other, then individuals (float, NaN if missing).

    Raises
    ------
    UserError
        If the file cannot be read, lacks columns or individuals, or a dosage lies outside 0 to 2.
    """
    path = Path(path)
    text = text_of(path)
    records, people = _vcf(path, text) if text.startswith("##fileformat=VCF") else _dosage_table(path)
    import pandas as pd

    table = pd.DataFrame(records, columns=[*VARIANT_COLUMNS, *people])
    values = table[people].to_numpy(float)
    if np.nanmin(values, initial=0.0) < 0 or np.nanmax(values, initial=0.0) > 2:
        raise UserError(f"{path.name}: a dosage lies outside 0 to 2")
    return table


def _dosage_table(path: Path) -> tuple[list[list[Any]], list[str]]:
    _, table = _tab_separated(path)
    needed = [name for name in ("allele", "other") if name not in table]
    if needed or ("rsid" not in table and not {"chromosome", "position"} <= set(table)):
        hint = "".join(closest(name, table) for name in needed)
        raise UserError(
            f"{path.name}: a dosage table has columns rsid (or chromosome and position), allele, other, then "
            f"individuals; it has {', '.join(table)}{hint}"
        )
    people = [name for name in table if name not in VARIANT_COLUMNS]
    if not people:
        raise UserError(f"{path.name}: no column of an individual")
    empty = [""] * len(table["allele"])
    records = []
    for i in range(len(empty)):
        rsid, place, position, allele, other = (table.get(name, empty)[i] for name in VARIANT_COLUMNS)
        dosages = [_number(table[name][i], f"{path.name}, column {name}", i + 1, True) for name in people]
        where = _number(position, f"{path.name}, column position", i + 1, True)
        shown = "" if rsid in MISSING else rsid
        records.append([shown, chromosome_name(place), where, allele.upper(), other.upper(), *dosages])
    return records, people


def _vcf(path: Path, text: str) -> tuple[list[list[Any]], list[str]]:
    records: list[list[Any]] = []
    people: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        cells = line.split("\t")
        if line.startswith("#CHROM"):
            people = cells[9:]
        if line.startswith("#") or not line.strip():
            continue
        if len(cells) != 9 + len(people) or not people:
            raise UserError(f"{path.name}, line {number}: {len(cells)} cells do not fit the #CHROM line")
        keys = cells[8].split(":")
        alternatives = cells[4].upper().split(",")
        for which, allele in enumerate(alternatives, 1):
            dosages = [_called(cell.split(":"), keys, which, len(alternatives)) for cell in cells[9:]]
            rsid = "" if cells[2] in MISSING else cells[2]
            position = _number(cells[1], f"{path.name}, column POS", number, False)
            records.append([rsid, chromosome_name(cells[0]), position, allele, cells[3].upper(), *dosages])
    return records, people


def _called(cell: list[str], keys: list[str], which: int, alternatives: int) -> float:
    """Dose of one alternative allele of one individual."""
    found = dict(zip(keys, cell, strict=False))
    if alternatives == 1 and found.get("DS", ".") not in MISSING:
        return float(found["DS"])
    called = found.get("GT", ".").replace("|", "/").split("/")
    return np.nan if "." in called else float(called.count(str(which)))


def lead_variants(weights: pd.DataFrame, p: float = 1.0, window: float = 250e3) -> pd.DataFrame:
    """Variants with the smallest p value, none within `window` base pairs of another.

    Summary statistics hold every variant of a locus; summing all of them counts the locus many times over.
    Distance stands in for linkage disequilibrium, which needs a reference panel; a PGS Catalog score needs
    neither.

    Parameters
    ----------
    weights : DataFrame
        As from `read_weights`, with p values and positions.
    p : float
        Largest p value kept.
    window : float

    Raises
    ------
    UserError
        If p values or positions are missing.
    """
    if weights["p"].isna().all() or weights["position"].isna().any():
        raise UserError("choosing lead variants needs the p value and position of every variant")
    taken: dict[str, list[float]] = {}
    kept = []
    ordered = weights[weights["p"] <= p].sort_values("p", kind="stable")
    for label, place, position in zip(ordered.index, ordered["chromosome"], ordered["position"], strict=True):
        near = taken.setdefault(place, [])
        if all(abs(position - other) > window for other in near):
            near.append(position)
            kept.append(label)
    return weights.loc[sorted(kept)]
