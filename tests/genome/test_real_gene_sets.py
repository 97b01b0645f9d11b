"""The gene-set test on real exomes: calibrated there, and it finds what the study's authors found."""

import pandas as pd
import pytest
from scipy.stats import kstest

from synsys.genome.genesets import count_set_test
from synsys.knowledge.genetics import genes, pathway_genes


@pytest.fixture(scope="module")
def exomes(dev_data):
    """Carriers of protein-truncating variants, SCHEMA: cases, controls, covariates by Ensembl gene."""
    path = dev_data / "data" / "gene_sets" / "SCHEMA_gene_meta_results.csv"
    if not path.is_file():
        pytest.skip("data set gene_sets is absent")
    table = pd.read_csv(path, index_col="Gene")
    total = table["Case PTV"] + table["Control PTV"]
    missense = table.filter(like="Missense (2").sum(axis=1)
    covariates = pd.DataFrame({"carriers": total, "missense": missense}).rank()
    return table["Case PTV"], table["Control PTV"], covariates


def test_the_table_names_the_genes_of_every_pathway(exomes):
    listed = set(exomes[0].index)
    found = [gene for gene in genes().values() if gene.ensembl in listed]
    assert len(found) / len(genes()) > 0.97


def test_random_sets_of_real_genes_have_uniform_p_values(exomes):
    cases, controls, covariates = exomes
    names = pd.Series(cases.index)
    sets = {f"r{i}": names.sample(25, random_state=i) for i in range(300)}
    assert kstest(count_set_test(cases, controls, sets, covariates)["p"].dropna(), "uniform").pvalue > 0.01


def test_calcium_channel_genes_carry_rare_risk_and_cytokines_do_not(exomes):
    """Calcium channels were named from exomes before (Purcell et al. 2014 Nature 506:185)."""
    sets = {name: {genes()[g].ensembl for g in found} for name, found in pathway_genes().items()}
    cases, controls, covariates = exomes
    table = count_set_test(cases, controls, sets, covariates)
    assert table.loc["T1-10", "p"] < 0.01
    assert table.loc["T1-12", "p"] > 0.2
    assert table["p"].idxmin() == "T1-10"


def test_the_ten_genes_of_the_study_are_found(exomes):
    """SETD1A, CUL1, XPO7, TRIO, ... (Singh et al. 2022): a set of them is enriched beyond doubt."""
    cases, controls, covariates = exomes
    top = ["ENSG00000099381", "ENSG00000055130", "ENSG00000130227", "ENSG00000038382", "ENSG00000183454"]
    assert count_set_test(cases, controls, {"top": top}, covariates).loc["top", "p"] < 1e-6
