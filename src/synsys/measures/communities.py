"""Communities: modularity, the Louvain search, and the roles nodes play between modules."""

from collections.abc import Sequence

import numpy as np

from synsys.core.errors import UserError


def community_codes(partition: Sequence | np.ndarray, n: int) -> np.ndarray:
    """Labels of any kind as integers 0..M - 1, in sorted order of the labels.

    Parameters
    ----------
    partition : sequence of n labels
    n : int
        Number of nodes it must fit.

    Returns
    -------
    ndarray, (n,), int
    """
    labels = np.asarray(partition)
    if labels.shape != (n,):
        raise UserError(f"partition: shape {labels.shape}, but there are {n} regions, so ({n},) is needed")
    return np.unique(labels, return_inverse=True)[1].reshape(n)


def _membership(partition: Sequence | np.ndarray, n: int) -> np.ndarray:
    """One-hot (N, M) matrix of a partition."""
    codes = community_codes(partition, n)
    return (codes[:, None] == np.arange(codes.max() + 1)).astype(float)


def modularity(graph: np.ndarray, partition: Sequence | np.ndarray, gamma: float = 1.0) -> np.ndarray:
    """Modularity Q of a given partition (Newman & Girvan 2004; Newman 2004 for weights).

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    partition : sequence of N labels
        Module of each node.
    gamma : float
        Resolution (Reichardt & Bornholdt 2006): Q = sum over modules of
        W_cc / W - gamma (K_c / W)^2, with W_cc the weight inside (both directions), K_c the summed
        strength, W the summed strength of all nodes.

    Returns
    -------
    ndarray, (...)
        NaN for a graph without edges.
    """
    member = _membership(partition, graph.shape[-1])
    between = member.T @ graph @ member
    total = between.sum((-1, -2))
    safe = np.where(total > 0, total, np.nan)
    inside = np.trace(between, axis1=-2, axis2=-1)
    return inside / safe - gamma * np.square(between.sum(-1) / safe[..., None]).sum(-1)


def participation(graph: np.ndarray, partition: Sequence | np.ndarray) -> np.ndarray:
    """Participation coefficient of each node (Guimerà & Amaral 2005).

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    partition : sequence of N labels

    Returns
    -------
    ndarray, (..., N)
        1 - sum over modules of (strength into the module / strength)^2; 0 for an isolated node.
    """
    into = graph @ _membership(partition, graph.shape[-1])
    total = into.sum(-1, keepdims=True)
    shares = np.divide(into, total, out=np.zeros_like(into), where=total > 0)
    return np.where(total[..., 0] > 0, 1.0 - np.square(shares).sum(-1), 0.0)


def within_module_z(graph: np.ndarray, partition: Sequence | np.ndarray) -> np.ndarray:
    """Strength inside the own module, as z score over the module (Guimerà & Amaral 2005).

    Parameters
    ----------
    graph : ndarray, (..., N, N), weights >= 0
    partition : sequence of N labels

    Returns
    -------
    ndarray, (..., N)
        With the population standard deviation, as bctpy; 0 where all members are alike.
    """
    codes = community_codes(partition, graph.shape[-1])
    member = _membership(codes, graph.shape[-1])
    inside = ((graph @ member) * member).sum(-1)
    mean = inside @ member / member.sum(0)
    deviation = inside - mean[..., codes]
    spread = np.sqrt(np.square(deviation) @ member / member.sum(0))
    alike = spread <= 1e-12 * np.maximum(np.abs(mean), 1e-300)
    return deviation / np.where(alike, np.inf, spread)[..., codes]


def louvain(graph: np.ndarray, gamma: float = 1.0, runs: int = 5, seed: int = 0) -> tuple[np.ndarray, float]:
    """Partition of largest modularity found by repeated Louvain search (Blondel et al. 2008).

    Each run moves single nodes in random order until none gains, merges modules, and repeats; the
    outcome is refined by moving single nodes again from where it stands and fine-tuned as in
    Newman (2006). The best run counts.

    Parameters
    ----------
    graph : ndarray, (N, N), weights >= 0
    gamma : float
        Resolution; larger finds smaller modules.
    runs : int
    seed : int

    Returns
    -------
    codes : ndarray, (N,), int
        Modules 0..M - 1, numbered by their first node.
    q : float
        Modularity of that partition; NaN (one module each) for a graph without edges.
    """
    n = len(graph)
    total = graph.sum()
    if not total > 0:
        return np.arange(n), np.nan
    k = graph.sum(0) / total
    gain = graph / total - gamma * np.outer(k, k)
    rng = np.random.default_rng(seed)
    found = [_fine_tune(gain, _louvain_once(gain, rng)) for _ in range(runs)]
    best = max(found, key=lambda codes: _quality(gain, codes))
    _, first, codes = np.unique(best, return_index=True, return_inverse=True)
    codes = np.argsort(np.argsort(first))[codes.reshape(n)]
    return codes, float(modularity(graph, codes, gamma))


def _quality(gain: np.ndarray, codes: np.ndarray) -> float:
    return float(gain[codes[:, None] == codes].sum())


def _louvain_once(gain: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Local moves, aggregation, refinement, until the quality stops rising."""
    codes = np.arange(len(gain))
    quality = -np.inf
    while True:
        codes = move_nodes(gain, codes, rng)
        while True:
            codes = np.unique(codes, return_inverse=True)[1].reshape(-1)
            member = (codes[:, None] == np.arange(codes.max() + 1)).astype(float)
            merged = move_nodes(member.T @ gain @ member, np.arange(member.shape[1]), rng)
            if np.unique(merged).size == member.shape[1]:
                break
            codes = merged[codes]
        reached = _quality(gain, codes)
        if reached <= quality + 1e-12:
            return codes
        quality = reached


def move_nodes(gain: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move single nodes to the module (or empty module) of largest gain until none is left.

    Parameters
    ----------
    gain : ndarray, (N, N)
        Symmetric; what two nodes add to the quality if they are in one module.
    codes : ndarray, (N,), int
        Modules 0..N - 1 to start from.
    rng : Generator
        Order of the moves.

    Returns
    -------
    ndarray, (N,), int
    """
    n = len(gain)
    codes = codes.copy()
    pull = gain - np.diag(np.diag(gain))
    into = pull @ (codes[:, None] == np.arange(n)).astype(float)
    least = 1e-12
    everyone = np.arange(n)
    while True:
        restless = np.flatnonzero(into.max(1) > into[everyone, codes] + least)
        if not restless.size:
            return codes
        for node in rng.permutation(restless):
            row = into[node]
            target, home = row.argmax(), codes[node]
            if row[target] > row[home] + least:
                into[:, home] -= pull[node]
                into[:, target] += pull[node]
                codes[node] = target


def _fine_tune(gain: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Move every node once, best move first even if it loses; keep the best stage; repeat."""
    n = len(gain)
    everyone = np.arange(n)
    pull = gain - np.diag(np.diag(gain))
    while True:
        codes = np.unique(codes, return_inverse=True)[1].reshape(n)
        modules = codes.max() + 2
        into = pull @ (codes[:, None] == np.arange(modules)).astype(float)
        trial, barred = codes.copy(), np.zeros(n)
        total, best, stage = 0.0, 1e-12, None
        for _ in range(n):
            change = into - (into[everyone, trial] + barred)[:, None]
            change[everyone, trial] = -np.inf
            node, target = divmod(int(change.argmax()), modules)
            total += change[node, target]
            into[:, trial[node]] -= pull[node]
            into[:, target] += pull[node]
            trial[node], barred[node] = target, np.inf
            if total > best:
                best, stage = total, trial.copy()
        if stage is None:
            return codes
        codes = stage
