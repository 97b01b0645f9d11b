"""Communities over time: one partition of all windows at once, and who changes sides.

Layers are graphs of successive windows; the same region in neighbouring layers is tied with strength omega,
so that communities keep their names from layer to layer (Mucha et al. 2010, Science 328:876).
"""

from typing import NamedTuple

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.measures.communities import move_nodes
from synsys.measures.surrogates import AgainstNull, against_null, check_count

NULLS = {
    "nodal": "regions renamed at random in every layer (Bassett et al. 2011)",
    "temporal": "layers in random order (Bassett et al. 2011)",
}
"""Kinds of null network. Windows that overlap share data, which the temporal null cuts apart: for them give
layers of phase-randomised signals instead."""


class SwitchingTest(NamedTuple):
    """Mean flexibility, multilayer modularity and flexibility of each region, (N,), beside their nulls."""

    flexibility: AgainstNull
    modularity: AgainstNull
    regions: AgainstNull


def multilayer_modularity(
    layers: np.ndarray, codes: np.ndarray, gamma: float = 1.0, omega: float = 1.0
) -> float:
    """Modularity of a partition of all layers at once (Mucha et al. 2010).

    Q = 1/(2μ) Σ_ijsr [(A_ijs - γ k_is k_js / (2 m_s)) δ_sr + δ_ij C_jsr] δ(g_is, g_jr), with C = ω between
    neighbouring layers, k_is and 2 m_s strength of a node and of all nodes in layer s, and 2μ the summed
    weight of edges and ties, both directions.

    Parameters
    ----------
    layers : ndarray, (T, N, N), weights >= 0
    codes : ndarray, (T, N)
        Community of each region in each layer.
    gamma : float
        Resolution within layers.
    omega : float >= 0
        Strength of the ties, in the unit of the weights.

    Returns
    -------
    float
        NaN for layers without edges and ties.
    """
    graphs = check_layers(layers, omega)
    labels = np.asarray(codes)
    if labels.shape != graphs.shape[:2]:
        raise UserError(f"communities: shape {labels.shape}, but layers need {graphs.shape[:2]}")
    ties = omega * 2 * graphs.shape[1] * (len(graphs) - 1)
    total = graphs.sum() + ties
    same = labels[:, :, None] == labels[:, None, :]
    stay = 2 * omega * float((labels[1:] == labels[:-1]).sum())
    return float(((_gain(graphs, gamma) * same).sum() + stay) / total) if total > 0 else float("nan")


def multilayer_louvain(
    layers: np.ndarray, gamma: float = 1.0, omega: float = 1.0, runs: int = 5, seed: int = 0
) -> tuple[np.ndarray, float]:
    """Partition of largest multilayer modularity found by repeated Louvain search.

    Each run moves single region-layers in random order until none gains, merges communities, and starts
    again from the merged outcome until the quality stays; the best run counts.

    Parameters
    ----------
    layers : ndarray, (T, N, N), weights >= 0
        Successive graphs, T >= 2, symmetric. Negative correlations have to be cut or squared before; which of
        the two changes the result.
    gamma : float
        Resolution; larger finds smaller communities.
    omega : float >= 0
        Ties between layers; larger holds regions in their community. Neither has a right value: report
        results over a range.
    runs, seed : int

    Returns
    -------
    codes : ndarray, (T, N), int
        Communities 0..M - 1, numbered by their first appearance.
    q : float
        Their multilayer modularity.

    Raises
    ------
    UserError
        If layers are not square, symmetric, finite and non-negative, there is one only, or omega is negative.
    """
    graphs = check_layers(layers, omega)
    gain = _gain(graphs, gamma)
    rng = np.random.default_rng(seed)
    found = [_search(gain, omega, rng) for _ in range(max(1, runs))]
    best = max(found, key=lambda codes: multilayer_modularity(graphs, codes, gamma, omega))
    _, first, codes = np.unique(best, return_index=True, return_inverse=True)
    codes = np.argsort(np.argsort(first))[codes.reshape(best.shape)]
    return codes, multilayer_modularity(graphs, codes, gamma, omega)


def check_layers(layers: np.ndarray, omega: float = 0.0) -> np.ndarray:
    """Layers as floats with an empty diagonal, (T, N, N); see `multilayer_louvain` for what they must be."""
    graphs = np.array(layers, dtype=float)
    if graphs.ndim != 3 or graphs.shape[1] != graphs.shape[2] or len(graphs) < 2:
        raise UserError(f"layers: shape {graphs.shape}, but (T, N, N) with at least two layers is needed")
    graphs[:, np.arange(graphs.shape[1]), np.arange(graphs.shape[1])] = 0.0
    if not np.isfinite(graphs).all() or (graphs < 0).any():
        layer = int(np.argwhere(~(graphs >= 0) | np.isinf(graphs))[0, 0])
        raise UserError(f"layer {layer} has weights that are negative or not finite; cut or square them")
    if not np.allclose(graphs, graphs.transpose(0, 2, 1)):
        raise UserError("layers must be symmetric")
    if not omega >= 0:
        raise UserError(f"omega {omega!r} must not be negative")
    return graphs


def _gain(graphs: np.ndarray, gamma: float) -> np.ndarray:
    """A_s - γ k_s k_s^T / (2 m_s) of every layer; 0 in a layer without edges."""
    k = graphs.sum(-1)
    total = k.sum(-1)
    expected = k[:, :, None] * k[:, None, :] / np.where(total > 0, total, 1.0)[:, None, None]
    return graphs - gamma * expected


def _search(gain: np.ndarray, omega: float, rng: np.random.Generator) -> np.ndarray:
    """One Louvain run: local moves and merging until the quality stops rising."""
    codes = np.arange(gain.shape[0] * gain.shape[1]).reshape(gain.shape[:2])
    quality = -np.inf
    while True:
        codes = _move_regions(gain, omega, codes, rng)
        while True:
            codes = np.unique(codes, return_inverse=True)[1].reshape(codes.shape)
            between = _between(gain, omega, codes)
            merged = move_nodes(between, np.arange(len(between)), rng)
            if np.unique(merged).size == len(between):
                break
            codes = merged[codes]
        reached = float(np.trace(between))
        if reached <= quality + 1e-10:
            return codes
        quality = reached


def _between(gain: np.ndarray, omega: float, codes: np.ndarray) -> np.ndarray:
    """Summed gain between communities, ties included, (M, M)."""
    m = int(codes.max()) + 1
    pair = codes[:, :, None] * m + codes[:, None, :]
    out = np.bincount(pair.ravel(), gain.ravel(), m * m).reshape(m, m)
    ties = np.bincount((codes[:-1] * m + codes[1:]).ravel(), minlength=m * m).reshape(m, m)
    return out + omega * (ties + ties.T)


def _move_regions(gain: np.ndarray, omega: float, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move single region-layers to the best community of their layer or the next, until none gains."""
    layers, n = codes.shape
    codes = codes.copy()
    pull = gain.copy()
    pull[:, np.arange(n), np.arange(n)] = 0.0
    moved = True
    while moved:
        moved = False
        for place in rng.permutation(layers * n):
            layer, node = divmod(int(place), n)
            row = codes[layer]
            into = np.bincount(row, pull[layer, node])
            gains = {code: float(into[code]) for code in row.tolist()}
            for other in (layer - 1, layer + 1):
                if 0 <= other < layers:
                    code = int(codes[other, node])
                    gains[code] = gains.get(code, 0.0) + omega
            target = max(gains, key=gains.__getitem__)
            if gains[target] > gains[int(row[node])] + 1e-12:
                row[node] = target
                moved = True
    return codes


def flexibility(codes: np.ndarray) -> np.ndarray:
    """Share of the steps from layer to layer at which a region changes its community.

    f_i = changes / (T - 1) (Bassett et al. 2011, PNAS 108:7641).

    Parameters
    ----------
    codes : ndarray, (..., T, N)
        Communities with names that last over layers, as from `multilayer_louvain`.

    Returns
    -------
    ndarray, (..., N)
        0 to 1. A community that is split or renamed counts as changed sides.

    Raises
    ------
    UserError
        If there is one layer only.
    """
    labels = np.asarray(codes)
    if labels.ndim < 2 or labels.shape[-2] < 2:
        raise UserError(f"communities: shape {labels.shape}, but (T, N) with at least two layers is needed")
    return (labels[..., 1:, :] != labels[..., :-1, :]).mean(-2)


def switching_rate(codes: np.ndarray, step: float) -> np.ndarray:
    """Changes of community per second, which unlike flexibility does not hang on the step of windows.

    Parameters
    ----------
    codes : ndarray, (..., T, N)
    step : float
        From layer to layer, s.

    Returns
    -------
    ndarray, (..., N), 1/s
        Comparable between scans of one length of window only: longer windows change more slowly.
    """
    if not step > 0:
        raise UserError(f"step {step!r} s must be positive")
    return flexibility(codes) / step


def null_layers(layers: np.ndarray, kind: str = "nodal", seed: int | np.random.Generator = 0) -> np.ndarray:
    """Layers whose regions are renamed in each, or whose order is random (Bassett et al. 2011).

    Parameters
    ----------
    layers : ndarray, (T, N, N)
    kind : {"nodal", "temporal"}
        See `NULLS`.
    seed : int or Generator

    Returns
    -------
    ndarray, (T, N, N)
    """
    if kind not in NULLS:
        raise unknown("kind of null network", kind, NULLS)
    graphs, rng = np.asarray(layers, dtype=float), np.random.default_rng(seed)
    if kind == "temporal":
        return graphs[rng.permutation(len(graphs))]
    names = [rng.permutation(graphs.shape[1]) for _ in graphs]
    return np.array([graph[np.ix_(order, order)] for graph, order in zip(graphs, names, strict=True)])


def switching_test(
    layers: np.ndarray,
    null: str | np.ndarray = "temporal",
    gamma: float = 1.0,
    omega: float = 1.0,
    runs: int = 5,
    count: int = 99,
    seed: int = 0,
) -> SwitchingTest:
    """Flexibility and modularity beside null networks, all searched alike.

    Parameters
    ----------
    layers : ndarray, (T, N, N), weights >= 0
    null : {"nodal", "temporal"} or ndarray, (count, T, N, N)
        Kind of null, or null layers of your own: of phase-randomised signals if windows overlap.
    gamma, omega, runs : as in `multilayer_louvain`
    count, seed : int
        Null networks, where they are not given.

    Returns
    -------
    SwitchingTest
        Two-sided.
    """
    graphs, rng = check_layers(layers, omega), np.random.default_rng(seed)
    if isinstance(null, str):
        nulls = [null_layers(graphs, null, rng) for _ in range(check_count(count))]
    else:
        nulls = list(null)
        if any(one.shape != graphs.shape for one in nulls):
            raise UserError(f"null layers must each have the shape of the layers, {graphs.shape}")
    found = []
    for one in (graphs, *nulls):
        codes, q = multilayer_louvain(one, gamma, omega, runs, int(rng.integers(2**31)))
        found.append((flexibility(codes), q))
    regions, q_all = np.array([f for f, _ in found]), np.array([q for _, q in found])
    means = regions.mean(1)
    return SwitchingTest(
        against_null(means[0], means[1:], "two"),
        against_null(q_all[0], q_all[1:], "two"),
        against_null(regions[0], regions[1:], "two"),
    )
