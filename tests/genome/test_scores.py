"""Polygenic scores: exact sums, alleles on either strand, pathways that add up, planted signal recovered."""

import gzip
import itertools

import numpy as np
import pandas as pd
import pytest

from synsys.core.errors import UserError
from synsys.genome.genesets import gene_set_test, gene_statistic
from synsys.genome.read import lead_variants, read_dosages, read_weights
from synsys.genome.scores import (
    PER_Z,
    aligned_dosages,
    genes_near,
    pathways_of_variants,
    polygenic_score,
    score_perturbations,
)
from synsys.knowledge.genetics import genes, pathway_genes
from synsys.knowledge.load import pathways
from synsys.knowledge.resolve import resolved

PGS = """###PGS CATALOG SCORING FILE
#format_version=2.0
#pgs_id=PGS000000
#weight_type={kind}
#genome_build=GRCh37
rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight
rs1\t1\t1000\tA\tG\t0.5
rs2\t1\t2000\tC\tT\t2
rs3\tchr2\t3000\tA\tT\t0.1
rs4\t23\t4000\tG\tA\t0.25
rs5\t3\t5000\tG\tC\t1
rs6\t4\t6000\tT\tTA\t1.5
"""
SSF = """chromosome\tbase_pair_location\teffect_allele\tother_allele\todds_ratio\tstandard_error\t\
effect_allele_frequency\tneg_log_10_p_value\trsid
1\t869388\tA\tG\t2\t0.1\t0.25\t3\tNA
23\t205811055\tC\tT\t0.5\t0.2\tNA\t8\trs74143854
"""


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def dosages(rows, people=("ann", "bob")):
    return pd.DataFrame(rows, columns=["rsid", "chromosome", "position", "allele", "other", *people])


def test_a_pgs_catalog_file_reads_as_published_plain_or_compressed(tmp_path):
    plain = read_weights(written(tmp_path / "s.txt", PGS.format(kind="beta")))
    (tmp_path / "s.txt.gz").write_bytes(gzip.compress(PGS.format(kind="beta").encode()))
    pd.testing.assert_frame_equal(plain, read_weights(tmp_path / "s.txt.gz"))
    assert plain.attrs == {"name": "PGS000000", "build": "GRCh37"}
    assert plain["chromosome"].tolist() == ["1", "1", "2", "X", "3", "4"]
    assert plain["weight"].tolist() == [0.5, 2, 0.1, 0.25, 1, 1.5]


def test_odds_ratios_become_log_odds(tmp_path):
    odds = read_weights(written(tmp_path / "s.txt", PGS.format(kind="OR")))
    assert odds["weight"][1] == pytest.approx(np.log(2))
    found = read_weights(written(tmp_path / "g.tsv", SSF))
    np.testing.assert_allclose(found["weight"], [np.log(2), -np.log(2)])
    np.testing.assert_allclose(found["p"], [1e-3, 1e-8])
    assert found["rsid"].tolist() == ["", "rs74143854"]
    assert found["chromosome"].tolist() == ["1", "X"]
    assert np.isnan(found["eaf"][1])


def test_harmonised_positions_are_preferred(tmp_path):
    text = (
        "#HmPOS_build=GRCh38\n#genome_build=GRCh37\nchr_name\tchr_position\teffect_allele\teffect_weight\thm_chr"
        "\thm_pos\thm_inferOtherAllele\n1\t10\tA\t1\t1\t99\tG\n"
    )
    found = read_weights(written(tmp_path / "h.txt", text))
    assert found["position"][0] == 99
    assert found["other_allele"][0] == "G"
    assert found.attrs["build"] == "GRCh38"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("effect_weight", "weight", "neither a PGS"),
        ("\t0.1\n", "\tnan\n", "variant 3: 'nan' is not a finite number"),
        ("other_allele", "is_dominant", "no"),
        ("rs2\t1\t2000\tC\tT\t2", "rs1\t1\t1000\tA\tG\t1", "twice"),
        ("rs2\t1\t2000\tC", "NA\t1\tNA\tC", "neither an rsID nor a position"),
        ("rs2\t1", "rs2", "5 cells, but the header has 6"),
    ],
)
def test_a_file_that_is_no_score_says_why(tmp_path, old, new, message):
    text = PGS.format(kind="beta").replace(old, new)
    if new == "is_dominant":
        text, message = text.replace("A\tG", "A\tTrue"), "is_dominant is True"
    with pytest.raises(UserError, match=message):
        read_weights(written(tmp_path / "s.txt", text))


def test_alleles_match_swapped_and_on_either_strand_and_ambiguous_ones_drop(tmp_path):
    weights = read_weights(written(tmp_path / "s.txt", PGS.format(kind="beta")))
    table = dosages(
        [
            ["rs1", "", np.nan, "A", "G", 1, 2],  # as given
            ["rs2", "", np.nan, "A", "G", 0, 1],  # C/T on the other strand is G/A; A is the other allele
            ["rs3", "2", 3000.0, "A", "T", 2, 2],  # palindromic
            ["", "X", 4000.0, "A", "C", 1, 1],  # other alleles
            ["rs6", "4", 6000.0, "TA", "T", 1, 0],  # insertion, counted by the other allele
        ]
    )
    used, matching = aligned_dosages(weights, table)
    np.testing.assert_array_equal(used.to_numpy(), [[1, 2], [2, 1], [1, 2]])
    assert (matching.same, matching.swapped, matching.flipped) == (1, 2, 1)
    assert (matching.ambiguous, matching.mismatched, matching.absent) == (1, 1, 1)
    assert "3 of 6 variants used" in str(matching)
    raw = polygenic_score(weights, table).raw
    assert raw.loc["ann", "total"] == pytest.approx(0.5 * 1 + 2 * 2 + 1.5 * 1)


@pytest.mark.parametrize(("counted", "second"), list(itertools.permutations("ACGT", 2)))
def test_strand_and_order_never_change_a_score(counted, second):
    """A person's score is a fact about the genome, not about how the file names the alleles."""
    row = {"rsid": "rs1", "chromosome": "1", "position": 1.0, "weight": 0.7, "eaf": 0.3, "se": np.nan, "p": 1}
    weights = pd.DataFrame([{**row, "effect_allele": counted, "other_allele": second}])
    flip = str.maketrans("ACGT", "TGCA")
    forms = [
        (counted, second, 2.0), (second, counted, 0.0),
        (counted.translate(flip), second.translate(flip), 2.0),
        (second.translate(flip), counted.translate(flip), 0.0),
    ]  # fmt: skip
    for a, b, dose in forms:
        table = dosages([["rs1", "1", 1.0, a, b, dose]], ["ann"])
        if {counted, second} in ({"A", "T"}, {"C", "G"}):
            with pytest.raises(UserError, match="1 strand-ambiguous"):
                polygenic_score(weights, table)
        else:
            assert polygenic_score(weights, table).raw.loc["ann", "total"] == pytest.approx(1.4)


def polygenic(rng, variants=3000, people=300):
    """Many tiny effects on independent variants that lie in real genes."""
    places = [g for g in genes().values() if g.start is not None]
    home = [places[i] for i in rng.integers(len(places), size=variants)]
    eaf = rng.uniform(0.05, 0.95, variants)
    weights = pd.DataFrame(
        {
            "rsid": [f"rs{i}" for i in range(variants)],
            "chromosome": [g.chromosome for g in home],
            "effect_allele": "A",
            "other_allele": "G",
            "position": [rng.integers(g.start, g.end + 1) for g in home],
            "weight": rng.normal(0, 0.01, variants),
            "eaf": eaf,
            "se": np.nan,
            "p": np.nan,
        }
    )
    names = [f"i{k}" for k in range(people)]
    doses = pd.DataFrame(rng.binomial(2, eaf[:, None], (variants, people)).astype(float), columns=names)
    return weights, pd.concat([dosages_of(weights), doses], axis=1)


def dosages_of(weights):
    table = weights[["rsid", "chromosome", "position"]].copy()
    table["allele"], table["other"] = "A", "G"
    return table


def test_thousands_of_tiny_effects_add_up_and_pathways_and_rest_make_the_total():
    rng = np.random.default_rng(0)
    weights, table = polygenic(rng)
    member = pathways_of_variants(weights, pathway_genes(), window=0)
    assert len(member) > 1000
    score = polygenic_score(weights, table, member)
    people = table.columns[5:]
    direct = weights["weight"].to_numpy() @ table[people].to_numpy()
    np.testing.assert_allclose(score.raw["total"], direct, rtol=1e-12)
    np.testing.assert_allclose(score.raw.drop(columns="total").sum(axis=1), direct, rtol=1e-12)
    assert set(score.raw) == {"total", "rest", *pathways()}
    assert score.z["total"].mean() == pytest.approx(0, abs=0.2)
    assert score.z["total"].std() == pytest.approx(1, abs=0.15)
    assert score.z["T1-09"].std() == pytest.approx(1, abs=0.15)


def test_a_missing_dosage_takes_its_expectation_and_is_counted():
    weights, table = polygenic(np.random.default_rng(1), 50, 4)
    full = polygenic_score(weights, table)
    table.loc[3, "i0"] = np.nan
    holed = polygenic_score(weights, table)
    assert holed.matching.imputed == 1
    gone = weights.loc[3, "weight"]
    expected = full.raw.loc["i0", "total"] + gone * (
        2 * weights.loc[3, "eaf"] - polygenic(np.random.default_rng(1), 50, 4)[1].loc[3, "i0"]
    )
    assert holed.raw.loc["i0", "total"] == pytest.approx(expected)
    assert holed.raw.loc["i1", "total"] == full.raw.loc["i1", "total"]


def test_z_follows_a_reference_sample_where_one_is_given():
    weights, table = polygenic(np.random.default_rng(2), 200, 100)
    z = polygenic_score(weights, table, reference=table).z["total"]
    assert z.mean() == pytest.approx(0, abs=1e-12)
    assert z.std() == pytest.approx(1)


def test_a_planted_pathway_is_recovered_from_summary_statistics():
    """2,400 variants of tiny effect, somewhat larger in one pathway: the gene-set test names it."""
    rng = np.random.default_rng(3)
    weights, _ = polygenic(rng, 2400, 1)
    near = genes_near(weights, 0)
    planted = set(pathway_genes()["T1-09"])
    inside = np.array([bool(planted & set(near[i])) for i in weights.index])
    weights["se"] = 0.01
    weights["weight"] = rng.normal(0, 0.01, len(weights)) * np.where(inside, 1.6, 1.0)
    table = gene_statistic(weights, near)
    result = gene_set_test(
        table["z"], pathway_genes(), table[["variants"]].assign(log=np.log(table["variants"]))
    )
    assert result["p"].idxmin() == "T1-09"
    assert result.loc["T1-09", "holm"] < 0.01
    nulls = [weights.assign(weight=rng.normal(0, 0.01, len(weights))) for _ in range(40)]
    p = pd.concat([gene_set_test(gene_statistic(null, near)["z"], pathway_genes())["p"] for null in nulls])
    assert 0.02 < (p < 0.05).mean() < 0.08


def test_lead_variants_are_the_smallest_p_of_each_place():
    weights, _ = polygenic(np.random.default_rng(4), 6, 1)
    weights["chromosome"], weights["position"] = "1", [0.0, 1e5, 2e5, 9e5, 1e6, 5e6]
    weights["p"] = [0.01, 1e-9, 1e-3, 1e-4, 1e-8, 0.5]
    assert lead_variants(weights, 0.05).index.tolist() == [1, 4]
    with pytest.raises(UserError, match="p value"):
        lead_variants(weights.assign(p=np.nan))


def test_positions_on_another_build_are_refused():
    weights, _ = polygenic(np.random.default_rng(5), 5, 1)
    weights.attrs["build"] = "GRCh37"
    with pytest.raises(UserError, match="GRCh38"):
        genes_near(weights)
    table = pathways_of_variants(weights, {"p": ("GRIN2B",)}, {"rs2": "GRIN2B"})
    assert table == {2: ("p",)}


def test_a_vcf_gives_the_doses_of_its_alternative_alleles(tmp_path):
    vcf = (
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tbob\n"
        "chr1\t1000\trs1\tG\tA\t.\tPASS\t.\tGT:DS\t0|1:1.2\t./.:.\n"
        "1\t2000\t.\tC\tT,G\t.\tPASS\t.\tGT\t1/2\t2/2\n"
    )
    found = read_dosages(written(tmp_path / "x.vcf", vcf))
    assert found[["rsid", "allele", "other"]].to_numpy().tolist() == [
        ["rs1", "A", "G"], ["", "T", "C"], ["", "G", "C"]
    ]  # fmt: skip
    np.testing.assert_array_equal(found[["ann", "bob"]], [[1.2, np.nan], [1, 0], [1, 2]])
    with pytest.raises(UserError, match="outside 0 to 2"):
        read_dosages(written(tmp_path / "d.csv", "rsid,allele,other,ann\nrs1,A,G,3\n"))
    with pytest.raises(UserError, match="allele, other, then individuals"):
        read_dosages(written(tmp_path / "e.csv", "rsid,alele,other,ann\nrs1,A,G,1\n"))


def test_a_score_becomes_liability_or_spread_of_pathways_never_both():
    (liability,) = score_perturbations({"total": 1.5})
    assert (liability.name, liability.value, liability.op) == ("polygenic_risk", 1.5, "+")
    changes = score_perturbations({name: -2.0 for name in pathways()})
    assert len(changes) == 17
    assert {change.value for change in changes} == {0.0, 1.0}
    assert changes[0].name == "nmda_conductance"
    assert changes[0].sd == pytest.approx(2 * PER_Z)
    assert [resolved(change) for change in (liability, *changes)]
    with pytest.raises(UserError, match="one or the other"):
        score_perturbations({"total": 1.0, "T1-01": 1.0})
    with pytest.raises(UserError, match="unknown pathway"):
        score_perturbations({"T1-18": 1.0})
