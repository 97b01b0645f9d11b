"""Competitive gene-set tests: are the genes of a set more associated than the other genes?"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from synsys.core.errors import UserError, closest

if TYPE_CHECKING:
    import pandas as pd

Blocks = Sequence[tuple[np.ndarray, np.ndarray]]
"""Correlated groups of genes: positions in the table, correlation matrix; all other pairs 0."""

SMALLEST = 5
"""Fewest tested genes of a set: below, the t statistic rests on single genes."""
TINY = 1e-300


def z_from_p(p: ArrayLike) -> np.ndarray:
    """Standard normal deviate of one-sided p values, large for small p (de Leeuw et al. 2015).

    p = 1, common where counts are few, takes the value halfway between the largest p below 1 and 1.

    Raises
    ------
    UserError
        If a value lies outside 0 to 1.
    """
    from scipy.special import ndtri

    values = np.asarray(p, float)
    known = values[~np.isnan(values)]
    if np.any((known < 0) | (known > 1)):
        raise UserError(f"p value {known[(known < 0) | (known > 1)][0]:g} lies outside 0 to 1")
    below = known[known < 1]
    top = (1 + below.max()) / 2 if below.size else 0.5
    return -ndtri(np.clip(values, TINY, min(top, 1 - 1e-12)))


def gene_statistic(weights: pd.DataFrame, variant_genes: Mapping[Hashable, Iterable[str]]) -> pd.DataFrame:
    """Association of each gene from the summary statistics of its variants.

    The sum of squared variant z scores is chi-square with as many degrees of freedom as variants if these are
    independent; choose lead variants first (`synsys.genome.read.lead_variants`), or p is too small.

    Parameters
    ----------
    weights : DataFrame
        As from `synsys.genome.read.read_weights`, with standard errors or p values.
    variant_genes : mapping
        Row label -> genes, as from `synsys.genome.scores.genes_near`.

    Returns
    -------
    DataFrame
        Index gene; columns z (`z_from_p` of the gene's p), p, variants (their number, a covariate).

    Raises
    ------
    UserError
        If the variants have neither standard errors nor p values.
    """
    import pandas as pd
    from scipy.stats import chi2

    if weights["se"].notna().all():
        squared = (weights["weight"] / weights["se"]) ** 2
    elif weights["p"].notna().all():
        squared = pd.Series(chi2.isf(np.maximum(weights["p"], TINY), 1), weights.index)
    else:
        raise UserError("a gene's association needs the standard error or p value of every variant")
    places = zip(weights.index, squared, strict=True)
    pairs = [(gene, value) for label, value in places for gene in variant_genes.get(label, ())]
    grouped = pd.DataFrame(pairs, columns=["gene", "squared"]).groupby("gene")["squared"]
    table = pd.DataFrame({"variants": grouped.size()})
    table["p"] = chi2.sf(grouped.sum(), table["variants"])
    table["z"] = z_from_p(table["p"])
    return table[["z", "p", "variants"]]


def gene_set_test(
    statistic: pd.Series,
    sets: Mapping[str, Iterable[str]],
    covariates: pd.DataFrame | None = None,
    correlation: np.ndarray | Blocks | None = None,
    smallest: int = SMALLEST,
) -> pd.DataFrame:
    """Regression of a gene statistic on membership, one set at a time.

    z = b0 + b_s member + C b_c + e, e ~ N(0, sigma^2 R): generalised least squares, H1: b_s > 0 (de Leeuw et
    al. 2015 PLoS Comput Biol 11:e1004219, competitive model). Covariates (gene size, its logarithm, number of
    variants) hold apart what large genes have in common; R keeps neighbours, which share variants, from
    counting as independent.

    Parameters
    ----------
    statistic : Series
        Gene -> statistic, for example `z_from_p`; genes without a value are left out.
    sets : mapping of str to iterable of str
        Set -> genes; genes that are not in `statistic` are not tested.
    covariates : DataFrame, optional
        Genes x covariates, by gene name; a gene without all of them is left out.
    correlation : ndarray, (genes, genes), or blocks, optional
        Correlation of the statistic between genes under the null, in the order of `statistic`; independent
        by default. `neighbour_blocks` makes blocks from positions.
    smallest : int
        Sets with fewer tested genes have no result (NaN).

    Returns
    -------
    DataFrame
        Index set; columns n (tested genes), beta (mean difference in units of the statistic), se, t, p
        (one-sided), holm, q (Benjamini and Hochberg). ``attrs["genes"]``: number of genes tested.

    Raises
    ------
    UserError
        If gene names repeat, sets name none of the genes, or the correlation is no correlation matrix.
    """
    from scipy.stats import t as student

    keep, design = _design(statistic, covariates)
    values = statistic.to_numpy(float)[keep]
    whiten = _whitener(correlation, keep)
    fixed = _basis(whiten(design))
    y = whiten(values[:, None])[:, 0]
    y = y - fixed @ (fixed.T @ y)
    degrees = len(y) - fixed.shape[1] - 1
    if degrees < 1:
        raise UserError(f"{len(y)} genes are too few for {fixed.shape[1]} covariates and a set")
    rows = {}
    for name, member in _members(statistic.index[keep], sets).items():
        x = whiten(member[:, None])[:, 0]
        x = x - fixed @ (fixed.T @ x)
        size, power = int(member.sum()), x @ x
        if size < smallest or power < 1e-9:
            rows[name] = (size, np.nan, np.nan, np.nan, np.nan)
            continue
        beta = x @ y / power
        se = np.sqrt((y @ y - beta**2 * power) / degrees / power)
        rows[name] = (size, beta, se, beta / se, student.sf(beta / se, degrees))
    return _table(rows, ("n", "beta", "se", "t", "p"), len(y))


def count_set_test(
    cases: pd.Series,
    controls: pd.Series,
    sets: Mapping[str, Iterable[str]],
    covariates: pd.DataFrame | None = None,
    smallest: int = SMALLEST,
) -> pd.DataFrame:
    """Do cases carry more of the rare variants of a set's genes than of other genes?

    Given how many carriers a gene has in all, those among cases are binomial with logit = b0 + b_s member +
    C b_c; b0 takes up the group sizes and any exome-wide excess. Genes differ in effect, so the variance is
    n m (1 - m) (1 + (n - 1) rho), with rho from Pearson's statistic (Williams 1982 Appl Stat 31:144, model
    II). Score test of b_s = 0 against b_s > 0. Conditioning on the total makes gene length and mutation rate
    ancillary; constraint is not, hence the covariates.

    Parameters
    ----------
    cases, controls : Series
        Gene -> variant carriers; same genes. Genes without any are left out.
    sets, covariates, smallest
        As for `gene_set_test`; covariates must not contain the counts of one group alone.

    Returns
    -------
    DataFrame
        Index set; columns n (genes with carriers), cases, carriers, log_odds (one Newton step from 0), se, z,
        p, holm, q. ``attrs``: genes, rho.

    Raises
    ------
    UserError
        If the two series differ in their genes, or a count is negative.
    """
    from scipy.special import ndtr

    if not cases.index.equals(controls.index):
        raise UserError("cases and controls must list the same genes in the same order")
    total = cases + controls
    if (total < 0).any() or (cases < 0).any() or (controls < 0).any():
        raise UserError("a count of carriers is negative")
    keep, design = _design(total.where(total > 0), covariates)
    k, n = cases.to_numpy(float)[keep], total.to_numpy(float)[keep]
    design = _basis(design)
    mean, rho = _overdispersed(k, n, design)
    weight = n * mean * (1 - mean) / (1 + (n - 1) * rho)
    residual = (k - n * mean) / (1 + (n - 1) * rho)
    information = design.T @ (weight[:, None] * design)
    rows = {}
    for name, member in _members(total.index[keep], sets).items():
        size = int(member.sum())
        cross = design.T @ (weight * member)
        variance = weight @ member - cross @ np.linalg.solve(information, cross)
        counts = (size, k @ member, n @ member)
        if size < smallest or variance < 1e-9:
            rows[name] = (*counts, np.nan, np.nan, np.nan, np.nan)
            continue
        score = residual @ member
        z = score / np.sqrt(variance)
        rows[name] = (*counts, score / variance, variance**-0.5, z, ndtr(-z))
    table = _table(rows, ("n", "cases", "carriers", "log_odds", "se", "z", "p"), len(n))
    table.attrs["rho"] = rho
    return table


def neighbour_blocks(
    chromosome: ArrayLike, position: ArrayLike, reach: float, largest: float = 0.95, cut: float = 5.0
) -> Blocks:
    """Correlation of neighbouring genes, ``largest * exp(-distance / reach)`` within a chromosome.

    Parameters
    ----------
    chromosome : array of str, (genes,)
        Genes with an empty name are correlated with none.
    position : array of float, (genes,)
        Middle of the gene, base pairs.
    reach : float
        Distance at which correlation falls by e, base pairs.
    largest : float, 0 to < 1
        Correlation of genes at one place.
    cut : float
        A gap of more than ``cut * reach`` between neighbours ends a block.
    """
    names, place = np.asarray(chromosome, str), np.asarray(position, float)
    blocks = []
    for name in sorted(set(names) - {""}):
        here = np.flatnonzero((names == name) & np.isfinite(place))
        here = here[np.argsort(place[here], kind="stable")]
        ends = np.flatnonzero(np.diff(place[here]) > cut * reach) + 1
        for part in np.split(here, ends):
            if len(part) > 1:
                distance = np.abs(place[part][:, None] - place[part])
                matrix = largest * np.exp(-distance / reach)
                np.fill_diagonal(matrix, 1.0)
                blocks.append((part, matrix))
    return blocks


def holm(p: ArrayLike) -> np.ndarray:
    """p values adjusted for the family-wise error rate (Holm 1979); NaN stays and does not count."""
    return _adjusted(p, lambda ordered: np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1)))


def false_discovery(p: ArrayLike) -> np.ndarray:
    """p values adjusted for the false discovery rate (Benjamini and Hochberg 1995); NaN as in `holm`."""

    def adjust(ordered: np.ndarray) -> np.ndarray:
        scaled = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
        return np.minimum.accumulate(scaled[::-1])[::-1]

    return _adjusted(p, adjust)


def _adjusted(p, adjust) -> np.ndarray:
    values = np.asarray(p, float)
    out = np.full(values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    out[order] = np.minimum(adjust(values[order]), 1.0)
    return out


def _table(rows: Mapping[str, tuple], columns: tuple[str, ...], genes: int) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), name="set"), columns=list(columns))
    table["holm"], table["q"] = holm(table["p"]), false_discovery(table["p"])
    table.attrs["genes"] = genes
    return table


def _design(statistic: pd.Series, covariates: pd.DataFrame | None) -> tuple[np.ndarray, np.ndarray]:
    """Which genes have everything, and their intercept and standardised covariates."""
    if statistic.index.has_duplicates:
        raise UserError(f"gene {statistic.index[statistic.index.duplicated()][0]} appears twice")
    keep = np.isfinite(statistic.to_numpy(float))
    if covariates is None:
        return keep, np.ones((int(keep.sum()), 1))
    table = covariates.reindex(statistic.index).to_numpy(float)
    keep &= np.isfinite(table).all(axis=1)
    table = table[keep]
    if not len(table):
        raise UserError("no gene has a statistic and all covariates; are both named by the same identifier?")
    scale = table.std(axis=0)
    return keep, np.column_stack(
        [np.ones(len(table)), (table - table.mean(axis=0)) / np.where(scale, scale, 1)]
    )


def _basis(design: np.ndarray) -> np.ndarray:
    """Orthonormal columns with the span of `design`; redundant covariates vanish."""
    left, size, _ = np.linalg.svd(design, full_matrices=False)
    return left[:, size > 1e-9 * size[0]]


def _members(names: pd.Index, sets: Mapping[str, Iterable[str]]) -> dict[str, np.ndarray]:
    wanted = {name: set(genes) for name, genes in sets.items()}
    found = {name: names.isin(list(genes)).astype(float) for name, genes in wanted.items()}
    if not any(member.any() for member in found.values()):
        example = next((gene for genes in wanted.values() for gene in sorted(genes)), "")
        raise UserError(
            f"the sets name none of the {len(names)} genes (for example {example!r})"
            f"{closest(example, map(str, names))}; are both named by the same identifier?"
        )
    return found


def _whitener(correlation: np.ndarray | Blocks | None, keep: np.ndarray):
    """Function that decorrelates rows: x -> L^-1 x with R = L L'."""
    from scipy.linalg import solve_triangular

    if correlation is None:
        return lambda x: x
    if isinstance(correlation, np.ndarray):
        if correlation.shape != (len(keep), len(keep)):
            raise UserError(f"correlation is {correlation.shape}, but there are {len(keep)} genes")
        correlation = [(np.arange(len(keep)), correlation)]
    place = np.cumsum(keep) - 1
    factors = []
    for index, matrix in correlation:
        inside = keep[index]
        part = matrix[np.ix_(inside, inside)]
        if not (np.allclose(part, part.T) and np.allclose(np.diag(part), 1.0)):
            raise UserError("the gene correlation must be symmetric with ones on its diagonal")
        try:
            factors.append((place[index[inside]], np.linalg.cholesky(part)))
        except np.linalg.LinAlgError:
            raise UserError("the gene correlation is not positive definite; shrink it towards 0") from None

    def whiten(x: np.ndarray) -> np.ndarray:
        out = x.astype(float)
        for index, factor in factors:
            out[index] = solve_triangular(factor, x[index], lower=True)
        return out

    return whiten


def _overdispersed(k: np.ndarray, n: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, float]:
    """Fitted proportion of each gene and the intraclass correlation rho (Williams 1982)."""
    from scipy.optimize import brentq
    from scipy.special import expit

    rho, degrees = 0.0, len(k) - design.shape[1]
    coefficient = design.T @ np.full(len(k), np.log(k.sum() / (n.sum() - k.sum())))
    mean = expit(design @ coefficient)
    for _ in range(50):
        previous = mean
        weight = n * mean * (1 - mean) / (1 + (n - 1) * rho)
        working = design.T @ ((k - n * mean) / (1 + (n - 1) * rho))
        coefficient = coefficient + np.linalg.solve(design.T @ (weight[:, None] * design), working)
        mean = expit(design @ coefficient)
        squared = (k - n * mean) ** 2 / (n * mean * (1 - mean))

        def excess(value: float, squared: np.ndarray = squared) -> float:
            return float((squared / (1 + (n - 1) * value)).sum() - degrees)

        rho = float(brentq(excess, 0.0, 1.0)) if excess(0.0) > 0 > excess(1.0) else 0.0
        if np.abs(mean - previous).max() < 1e-10:
            break
    return mean, rho
