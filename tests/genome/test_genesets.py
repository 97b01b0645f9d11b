"""Gene-set tests: calibrated where nothing is, blind to what large genes share, not to what is planted."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synsys.core.errors import UserError
from synsys.genome.genesets import (
    count_set_test,
    false_discovery,
    gene_set_test,
    holm,
    neighbour_blocks,
    z_from_p,
)

N = 2000
GENES = pd.Index([f"G{i}" for i in range(N)])


def random_sets(rng, count=200, size=60, weights=None):
    return {f"s{i}": rng.choice(GENES, size, replace=False, p=weights) for i in range(count)}


def uniform(p):
    return stats.kstest(p.dropna(), "uniform").pvalue


def test_p_values_are_uniform_when_no_set_is_associated():
    rng = np.random.default_rng(0)
    p = [gene_set_test(pd.Series(rng.normal(size=N), GENES), random_sets(rng, 10))["p"] for _ in range(20)]
    assert uniform(pd.concat(p)) > 0.01


def test_the_t_statistic_is_that_of_ordinary_regression():
    rng = np.random.default_rng(1)
    z = pd.Series(rng.normal(size=N), GENES)
    sets = random_sets(rng, 1)
    member = GENES.isin(sets["s0"])
    row = gene_set_test(z, sets).loc["s0"]
    oracle = stats.ttest_ind(z[member], z[~member], alternative="greater")
    assert row["t"] == pytest.approx(oracle.statistic, rel=1e-9)
    assert row["p"] == pytest.approx(oracle.pvalue, rel=1e-9)


def test_correlated_neighbours_inflate_the_naive_test_and_not_generalised_least_squares():
    rng = np.random.default_rng(2)
    chromosome = np.repeat([f"{i}" for i in range(40)], N // 40)
    position = np.tile(np.arange(N // 40) * 1e5, 40)
    blocks = neighbour_blocks(chromosome, position, 4e5, 0.9)
    clusters = {f"c{i}": GENES[50 * i : 50 * i + 25] for i in range(40)}  # sets of neighbours
    naive, whitened = [], []
    for _ in range(10):
        z = np.empty(N)
        for index, matrix in blocks:
            z[index] = np.linalg.cholesky(matrix) @ rng.normal(size=len(index))
        series = pd.Series(z, GENES)
        naive.append(gene_set_test(series, clusters)["p"])
        whitened.append(gene_set_test(series, clusters, correlation=blocks)["p"])
    assert (pd.concat(naive) < 0.05).mean() > 0.12
    assert uniform(pd.concat(whitened)) > 0.01
    assert (pd.concat(whitened) < 0.05).mean() < 0.09


def test_blocks_and_the_full_matrix_give_the_same_result():
    rng = np.random.default_rng(3)
    z = pd.Series(rng.normal(size=N), GENES)
    z.iloc[7] = np.nan
    blocks = neighbour_blocks(["1"] * 30 + [""] * (N - 30), np.arange(N) * 1e5, 3e5)
    full = np.eye(N)
    for index, matrix in blocks:
        full[np.ix_(index, index)] = matrix
    sets = {"a": GENES[:20], "b": GENES[10:60]}
    pd.testing.assert_frame_equal(
        gene_set_test(z, sets, correlation=blocks), gene_set_test(z, sets, correlation=full)
    )


def test_gene_size_confounds_unless_it_is_a_covariate():
    rng = np.random.default_rng(4)
    size = rng.lognormal(size=N)
    z = pd.Series(0.5 * np.log(size) + rng.normal(size=N), GENES)
    large = random_sets(rng, 100, 60, size / size.sum())
    covariates = pd.DataFrame({"size": size, "log_size": np.log(size)}, GENES)
    assert (gene_set_test(z, large)["p"] < 0.05).mean() > 0.7
    assert (gene_set_test(z, large, covariates)["p"] < 0.05).mean() < 0.12


def test_a_planted_enrichment_is_found_and_only_that():
    rng = np.random.default_rng(5)
    sets = random_sets(rng, 50)
    z = pd.Series(rng.normal(size=N), GENES)
    z[sets["s7"]] += 0.8
    table = gene_set_test(z, sets)
    assert table["p"].idxmin() == "s7"
    assert table.loc["s7", "holm"] < 1e-3
    assert table.loc["s7", "beta"] == pytest.approx(0.8, abs=3 * table.loc["s7", "se"])
    assert (table["holm"] < 0.05).sum() == 1


def exome(rng, rho, boost=0.0, member=None):
    """Carriers per gene and how many of them are cases, beta-binomial between genes."""
    total = rng.negative_binomial(1.0, 0.05, N)
    mean = 0.2 + boost * (member if member is not None else np.zeros(N))
    share = rng.beta(mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1)) if rho else mean
    cases = rng.binomial(total, share)
    return pd.Series(cases, GENES), pd.Series(total - cases, GENES)


@pytest.mark.parametrize("rho", [0.0, 0.02])
def test_the_count_test_is_calibrated_with_and_without_differences_between_genes(rho):
    rng = np.random.default_rng(6)
    tables = [count_set_test(*exome(rng, rho), random_sets(rng, 20)) for _ in range(10)]
    p = pd.concat([table["p"] for table in tables])
    assert uniform(p) > 0.01
    assert np.mean([table.attrs["rho"] for table in tables]) == pytest.approx(rho, abs=0.004)


def test_the_count_test_finds_a_planted_burden_and_its_odds_ratio():
    rng = np.random.default_rng(7)
    sets = random_sets(rng, 30, 100)
    member = GENES.isin(sets["s3"]).astype(float)
    table = count_set_test(*exome(rng, 0.01, 0.06, member), sets)
    assert table["p"].idxmin() == "s3"
    assert table.loc["s3", "holm"] < 1e-3
    truth = np.log(0.26 / 0.74) - np.log(0.2 / 0.8)
    assert table.loc["s3", "log_odds"] == pytest.approx(truth, abs=3 * table.loc["s3", "se"] + 0.05)


def test_a_set_that_merely_has_more_variants_is_not_enriched():
    """Twice as many carriers in both groups is gene length, not risk."""
    rng = np.random.default_rng(8)
    total = rng.poisson(20, N)
    total[:100] *= 5
    cases = pd.Series(rng.binomial(total, 0.2), GENES)
    p = count_set_test(cases, pd.Series(total, GENES) - cases, {"long": GENES[:100]})["p"]
    assert 0.01 < p["long"] < 0.99


def test_adjusted_p_values_are_those_of_the_published_examples():
    """Holm and Benjamini-Hochberg by their definitions; NaN is not a test."""
    p = np.array([0.01, 0.04, 0.03, np.nan, 0.005])
    np.testing.assert_allclose(holm(p), [0.03, 0.06, 0.06, np.nan, 0.02])
    np.testing.assert_allclose(false_discovery(p), [0.02, 0.04, 0.04, np.nan, 0.02])
    np.testing.assert_allclose(
        false_discovery(p[[0, 1, 2, 4]]), stats.false_discovery_control(p[[0, 1, 2, 4]])
    )


def test_p_values_become_deviates():
    np.testing.assert_allclose(z_from_p([0.5, 0.025, 0.9]), [0, 1.959964, -1.281552], atol=1e-6)
    assert np.isfinite(z_from_p([0.0, 0.3, 1.0])).all()
    assert z_from_p([0.8, 1.0])[1] == pytest.approx(stats.norm.isf(0.9))


def test_small_sets_have_no_result_and_do_not_count_as_tests():
    rng = np.random.default_rng(9)
    table = gene_set_test(pd.Series(rng.normal(size=N), GENES), {"few": GENES[:3], "many": GENES[:50]})
    assert np.isnan(table.loc["few", "p"])
    assert table.loc["many", "holm"] == table.loc["many", "p"]


def test_identifiers_that_do_not_meet_are_an_error_not_an_empty_result():
    z = pd.Series([1.0, 2.0, 0.5], ["ENSG1", "ENSG2", "ENSG3"])
    with pytest.raises(UserError, match="name none of the 3 genes"):
        gene_set_test(z, {"mouse": ["14812", "11538"]})
    with pytest.raises(UserError, match="twice"):
        gene_set_test(pd.Series([1.0, 2.0], ["A", "A"]), {"s": ["A"]})
    with pytest.raises(UserError, match="not positive definite"):
        gene_set_test(z, {"s": ["ENSG1"]}, correlation=np.where(np.eye(3), 1.0, -0.9))
