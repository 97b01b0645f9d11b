"""Expression and methylation tables, age windows, and one file about a person."""

import gzip

import numpy as np
import pandas as pd
import pytest

from synsys.core.errors import UserError
from synsys.genome.omics import (
    PROTEIN_SD,
    expression_perturbations,
    gene_symbol,
    group_differences,
    methylation_perturbations,
    read_windows,
    window_weights,
)
from synsys.genome.person import perturbations_from
from synsys.genome.variants import variant_perturbations
from synsys.knowledge.resolve import resolved


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def table(rows, columns=("",)):
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns))


def test_a_log2_fold_change_is_a_factor_on_the_genes_quantity():
    (change,) = expression_perturbations(table({"KCNQ2": [-1.0]}), 0.2)
    assert (change.name, change.op, change.where) == ("kcnq2_conductance", "*", None)
    assert change.value == pytest.approx(0.5)
    assert change.sd == pytest.approx(np.hypot(0.2 * np.log(2), PROTEIN_SD * np.log(2)))
    assert resolved(change) == change


def test_genes_of_one_quantity_are_averaged_and_regions_kept_apart():
    values = table({"GRIN1": [1.0, 0.0], "GRIN2B": [0.0, np.nan]}, ["PFC", "striatum"])
    changes = {change.where: change for change in expression_perturbations(values)}
    assert changes["PFC"].value == pytest.approx(2**0.5)
    assert changes["striatum"].value == pytest.approx(1)
    assert {change.name for change in changes.values()} == {"nmda_conductance"}


@pytest.mark.parametrize("name", ["GRIN2B", "ENSG00000273079", "ENSG00000273079.5", "2904"])
def test_any_identifier_of_a_gene_means_it(name):
    assert gene_symbol(name) == "GRIN2B"


def test_former_symbols_and_the_users_own_map_are_understood():
    assert gene_symbol("ATP5A1") == "ATP5F1A"
    assert gene_symbol("probe_7", aliases={"probe_7": "BDNF"}) == "BDNF"


def test_a_mouse_symbol_is_no_human_gene_until_the_orthology_says_so():
    for name in ("Grin2b", "ENSMUSG00000030209", "14812"):
        with pytest.raises(UserError, match="mouse"):
            expression_perturbations(table({name: [1.0]}))
    assert gene_symbol("Grin2b", "mouse") == "GRIN2B"
    assert gene_symbol("14812", "mouse") == "GRIN2B"
    with pytest.raises(UserError, match="one-to-one"):
        gene_symbol("C4b", "mouse")


def test_unknown_genes_are_named_with_the_closest_or_skipped_on_request():
    values = table({"KCNQ22": [1.0], "KCNQ2": [1.0]})
    with pytest.raises(UserError, match="did you mean KCNQ2"):
        expression_perturbations(values)
    assert len(expression_perturbations(values, skip_unknown=True)) == 1
    with pytest.raises(UserError, match="no gene of the table"):
        expression_perturbations(table({"ACTB": [1.0]}), skip_unknown=True)
    with pytest.raises(UserError, match=r"IL6 stands for il6 \(z score\)"):
        expression_perturbations(table({"IL6": [1.0]}))


@pytest.mark.parametrize("gene", ["BDNF", "GAD1", "RELN", "GRIN2B", "NR3C1"])
def test_promoter_methylation_of_the_five_genes_is_an_increment(gene):
    (change,) = methylation_perturbations(table({gene: [0.1]}), 0.02)
    assert (change.name, change.value, change.op, change.sd) == (
        f"{gene.lower()}_methylation",
        0.1,
        "+",
        0.02,
    )
    assert resolved(change) == change


def test_genes_without_a_methylation_quantity_and_impossible_changes_are_refused():
    with pytest.raises(UserError, match=r"DNMT1.*BDNF"):
        methylation_perturbations(table({"DNMT1": [0.1]}))
    with pytest.raises(UserError, match="at most 1"):
        methylation_perturbations(table({"BDNF": [1.2]}))


def test_group_differences_are_those_of_welch():
    rng = np.random.default_rng(0)
    names = [f"s{i}" for i in range(40)]
    ill = pd.Series(np.arange(40) < 15, names)
    values = pd.DataFrame(rng.normal(size=(40, 2)), names, ["BDNF", "GAD1"])
    values.loc[ill, "GAD1"] -= 1.0
    found = group_differences(values, ill.sample(frac=1, random_state=0))
    from scipy.stats import ttest_ind

    t = ttest_ind(values[ill], values[~ill], equal_var=False).statistic
    np.testing.assert_allclose(found["change"] / found["sd"], t)
    assert found.loc["GAD1", "change"] == pytest.approx(-1, abs=4 * found.loc["GAD1", "sd"])
    with pytest.raises(UserError, match="needs at least 2"):
        group_differences(values.iloc[:16], ill)
    with pytest.raises(UserError, match="s39"):
        group_differences(values, ill.drop("s39"))


def test_age_windows_give_weights_that_follow_the_table(tmp_path):
    """GluN2B is expressed early and GluN2A late: their weights cross, whatever the scale of the table."""
    text = "start,end,GRIN2B,GRIN2A\n5,15,40,80\n-0.7,0,100,4\n0,5,80,40\n"
    windows = read_windows(written(tmp_path / "w.csv", text))
    assert windows.index[0] == (-0.7, 0.0)
    ages = np.array([-0.5, -0.35, 2.5, 10.0, 60.0])
    early, late = window_weights(windows, "GRIN2B", ages), window_weights(windows, "GRIN2A", ages)
    np.testing.assert_allclose(early, [1, 1, 0.8, 0.4, 0.4])
    np.testing.assert_allclose(late, [0.05, 0.05, 0.5, 1, 1])
    with pytest.raises(UserError, match="did you mean GRIN2B"):
        window_weights(windows, "GRIN2", ages)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("start,stop,A\n0,1,1\n", "no column end"),
        ("start,end,A\n0,2,1\n1,3,1\n", "overlaps"),
        ("start,end,A\n2,1,1\n", "ends before"),
        ("start,end,A\n0,1,-1\n", "expression >= 0"),
        ("start,end,A\n0,1,x\n", "not a number"),
    ],
)
def test_windows_that_are_none_are_refused(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        read_windows(written(tmp_path / "w.csv", text))


def test_one_file_is_told_apart_by_its_columns(tmp_path):
    doses = perturbations_from(written(tmp_path / "a.csv", "rsid,dose\nrs6265,1\nC4A_copies,3\n"))
    assert doses == variant_perturbations({"rs6265": 1, "C4A_copies": 3})
    (factor,) = perturbations_from(written(tmp_path / "b.csv", "gene,log2fc,region,sd\nGAD1,-0.4,PFC,0.1\n"))
    assert (factor.name, factor.where) == ("gad1_expression", "PFC")
    assert factor.value == pytest.approx(2**-0.4)
    text = "probe,gene,delta_beta\ncg1,NR3C1,0.10\ncg2,NR3C1,0.04\n"
    (mark,) = perturbations_from(written(tmp_path / "c.csv", text))
    assert (mark.name, mark.value) == ("nr3c1_methylation", pytest.approx(0.07))
    (risk,) = perturbations_from(written(tmp_path / "d.tsv", "score\tz\ntotal\t1.2\n"))
    assert (risk.name, risk.value) == ("polygenic_risk", 1.2)


def test_a_vcf_of_one_person_counts_the_tabulated_alleles(tmp_path):
    """rs4680 is G>A (Val>Met); rs1006737 is given on the other strand; rs6295 is C/G, strand unknown."""
    lines = [
        "##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tme",
        "22\t1\trs4680\tG\tA\t.\t.\t.\tGT\t1/1", "12\t1\trs1006737\tC\tT\t.\t.\t.\tGT\t0/1",
        "5\t1\trs6295\tC\tG\t.\t.\t.\tGT\t1/1", "1\t1\trs999\tA\tG\t.\t.\t.\tGT\t1/1",
    ]  # fmt: skip
    (tmp_path / "me.vcf.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert perturbations_from(tmp_path / "me.vcf.gz") == variant_perturbations({"rs4680": 2, "rs1006737": 1})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rsid,copies\nrs6265,1\n", "accepted are rsid,dose"),
        ("rsid,dose\nrs6265,one\n", "rs6265, dose is 'one', not a number"),
        ("rsid,dose\nrs6265,1\nrs6265,2\n", "appears twice"),
        ("name,dose\nrs6265,1\n", "rsid or variant"),
        ("gene,log2fc,tissue\nGAD1,1,PFC\n", "unknown column tissue"),
        ("gene,log2fc\nGAD1,1\nGAD1,2\n", "GAD1 appears twice"),
        ("rsid,dose\nrs6265,0\n", "nothing in it changes anything"),
        ("gene,log2fc\nGAD11,1\n", "did you mean GAD1"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        perturbations_from(written(tmp_path / "x.csv", text))
    with pytest.raises(UserError, match="no such file"):
        perturbations_from(tmp_path / "absent.csv")
