"""Graph measures of one weighted graph: synsys beside bctpy and networkx, in one run.

    python benchmarks/graph_measures.py [--nodes 400] [--density 0.15] [--repeats 5] [--out FILE.md]

Prints (and with --out writes) the median time of each measure (processor time of one thread, so that
other work on the machine does not count), the ratio to each peer, and the
largest difference between the results. A peer that takes long is timed once. Also the whole set
(`graph_profile` without nulls), the price of null graphs, and the batch of FC matrices of one run.
"""

# ruff: noqa: E402
import argparse
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import bct
import networkx as nx
import numpy as np
import scipy

from synsys.measures import communities, nulls, paths, topology
from synsys.measures.graph import graph_metrics, graph_profile
from synsys.measures.threshold import threshold


def modular_fc(nodes: int, modules: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Correlations of noisy time series that share a signal within each module."""
    rng = np.random.default_rng(seed)
    partition = np.arange(nodes) * modules // nodes
    series = 0.6 * rng.normal(size=(modules, 60))[partition] + rng.normal(size=(nodes, 60))
    return np.corrcoef(series), partition


def clock(
    call: Callable, repeats: int, patience: float = 2.0, timer: Callable[[], float] = time.process_time
) -> tuple[float, object]:
    """Median seconds of a call and its last result; one timing is enough for a slow call."""
    taken: list[float] = []
    while len(taken) < repeats:
        start = timer()
        result = call()
        taken.append(timer() - start)
        if taken[0] > patience:
            break
    return float(np.median(taken)), result


def with_lengths(graph: np.ndarray) -> nx.Graph:
    """A networkx graph whose edges carry weight and length = 1 / weight."""
    result = nx.from_numpy_array(graph)
    for _, _, data in result.edges(data=True):
        data["length"] = 1 / data["weight"]
    return result


def times(peer: float, own: float) -> str:
    """How many times longer the peer takes."""
    return f"{peer / own:.1f}x" if peer < 10 * own else f"{peer / own:.0f}x"


def milli(value: float) -> str:
    """Milliseconds with two or three digits."""
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def nx_weighted_efficiency(graph: nx.Graph) -> float:
    total = 0.0
    for _, reach in nx.all_pairs_dijkstra_path_length(graph, weight="length"):
        total += sum(1 / d for d in reach.values() if d > 0)
    return total / (len(graph) * (len(graph) - 1))


def comparisons(w: np.ndarray, partition: np.ndarray) -> dict[str, tuple]:
    """Measure -> (synsys, bctpy or None, networkx or None); each a call without arguments."""
    b = (w > 0).astype(float)
    lengths = np.divide(1.0, w, out=np.zeros_like(w), where=w > 0)
    gw, gb = with_lengths(w), nx.from_numpy_array(b)
    sets = [set(np.flatnonzero(partition == c)) for c in np.unique(partition)]
    level = topology.rich_club_level(w)
    return {
        "global efficiency": (
            lambda: paths.global_efficiency(w),
            lambda: bct.efficiency_wei(w),
            lambda: nx_weighted_efficiency(gw),
        ),
        "global efficiency, binary": (
            lambda: paths.global_efficiency(b, False),
            lambda: bct.efficiency_bin(b),
            lambda: nx.global_efficiency(gb),
        ),
        "local efficiency": (
            lambda: paths.local_efficiency(w).mean(), lambda: bct.efficiency_wei(w, local=True).mean(), None,
        ),
        "local efficiency, binary": (
            lambda: paths.local_efficiency(b, False).mean(),
            lambda: bct.efficiency_bin(b, local=True).mean(),
            lambda: nx.local_efficiency(gb),
        ),
        "betweenness": (
            lambda: paths.betweenness(w),
            lambda: bct.betweenness_wei(lengths) / 2,
            lambda: np.array(list(nx.betweenness_centrality(gw, normalized=False, weight="length").values())),
        ),
        "betweenness, binary": (
            lambda: paths.betweenness(b, False),
            lambda: bct.betweenness_bin(b) / 2,
            lambda: np.array(list(nx.betweenness_centrality(gb, normalized=False).values())),
        ),
        "clustering": (
            lambda: topology.clustering(w / w.max()),
            lambda: bct.clustering_coef_wu(w / w.max()),
            lambda: np.array(list(nx.clustering(gw, weight="weight").values())),
        ),
        "transitivity": (lambda: topology.transitivity(w), lambda: bct.transitivity_wu(w), None),
        "eigenvector centrality": (
            lambda: topology.eigenvector_centrality(w),
            lambda: bct.eigenvector_centrality_und(w),
            lambda: np.abs(list(nx.eigenvector_centrality_numpy(gw, weight="weight").values())),
        ),
        "participation": (
            lambda: communities.participation(w, partition),
            lambda: bct.participation_coef(w, partition),
            None,
        ),
        "within-module z": (
            lambda: communities.within_module_z(w, partition),
            lambda: bct.module_degree_zscore(w, partition),
            None,
        ),
        "modularity of a partition": (
            lambda: communities.modularity(w, partition),
            lambda: bct.modularity_und(w, kci=partition + 1)[1],
            lambda: nx.community.modularity(gw, sets),
        ),
        "assortativity": (
            lambda: topology.assortativity(w),
            lambda: bct.assortativity_bin(b, 0),
            lambda: nx.degree_assortativity_coefficient(gb),
        ),
        "rich club": (
            lambda: topology.rich_club(w, level, weighted=False),
            lambda: bct.rich_club_bu(b, level)[0][-1],
            lambda: nx.rich_club_coefficient(gb, normalized=False)[level],
        ),
    }  # fmt: skip


def run(nodes: int, density: float, repeats: int) -> list[str]:
    fc, partition = modular_fc(nodes, 8, seed=1)
    w = threshold(fc, density=density)
    lines = [
        "# Graph measures beside bctpy and networkx",
        "",
        f"`python benchmarks/graph_measures.py --nodes {nodes} --density {density:g} --repeats {repeats}`: "
        f"one weighted graph of {nodes} nodes and {np.count_nonzero(w) // 2} edges (modular correlations, "
        f"density {density:g}), one thread, median processor time; Python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, networkx {nx.__version__}, "
        f"bctpy {version('bctpy')}.",
        "",
        "| measure | synsys ms | bctpy ms | ratio | networkx ms | ratio | largest difference |",
        "|-|-|-|-|-|-|-|",
    ]
    totals, shared = [0.0, 0.0, 0.0], [0.0, 0.0]
    for name, (ours, *peers) in comparisons(w, partition).items():
        seconds, value = clock(ours, repeats)
        totals[0] += seconds
        cells, gaps = [], []
        for position, peer in enumerate(peers, 1):
            if peer is None:
                cells += ["-", "-"]
                continue
            theirs, other = clock(peer, min(repeats, 3))
            totals[position] += theirs
            shared[position - 1] += seconds
            gaps.append(np.abs(np.asarray(value) - np.asarray(other)).max())
            cells += [f"{1e3 * theirs:.1f}", times(theirs, seconds)]
        lines.append(f"| {name} | {1e3 * seconds:.2f} | {' | '.join(cells)} | {max(gaps):.0e} |")
        print(lines[-1], flush=True)
    ours, *theirs = (f"{1e3 * total:.0f}" for total in totals)
    ratios = [times(total, same) for total, same in zip(totals[1:], shared, strict=True)]
    lines.append(f"| all that each has | {ours} | {theirs[0]} | {ratios[0]} | {theirs[1]} | {ratios[1]} | |")
    lines += ["", *searches(w, repeats), "", *whole_set(fc, partition, density, repeats)]
    return lines


def searches(w: np.ndarray, repeats: int) -> list[str]:
    """Louvain and null models: random algorithms, compared by time and by what they reach."""
    ours, (_, q) = clock(lambda: communities.louvain(w, seed=0), repeats)
    theirs, (_, q_bct) = clock(
        lambda: max((bct.modularity_louvain_und(w, seed=s) for s in range(5)), key=lambda r: r[1]), 1
    )
    third, parts = clock(
        lambda: max(
            (nx.community.louvain_communities(nx.from_numpy_array(w), seed=s) for s in range(5)),
            key=lambda c: nx.community.modularity(nx.from_numpy_array(w), c),
        ),
        1,
    )
    q_nx = nx.community.modularity(nx.from_numpy_array(w), parts)
    degree, _ = clock(lambda: nulls.rewire(w), repeats)
    degree_bct, _ = clock(lambda: bct.randmio_und(w, 5, seed=0), 1)
    both, null = clock(lambda: nulls.reweight(w), repeats)
    both_bct, (_, r_bct) = clock(lambda: bct.null_model_und_sign(w, 5, 0.1, seed=0), 1)
    r = np.corrcoef(w.sum(0), null.sum(0))[0, 1]
    rows = [
        ("modularity, best of 5 Louvain runs", ours, theirs, third, f"Q {q:.4f}, {q_bct:.4f}, {q_nx:.4f}"),
        ("degree-preserving null, 5 swaps an edge", degree, degree_bct, None, "degrees exact"),
        ("degree and strength null, 5 swaps", both, both_bct, None, f"r(strength) {r:.3f}, {r_bct[0]:.3f}"),
    ]
    lines = [
        "| search or null model | synsys ms | bctpy ms | ratio | networkx ms | ratio | reached |",
        "|-|-|-|-|-|-|-|",
    ]
    for name, own, *peers, reached in rows:
        cells = [f"{1e3 * t:.0f} | {times(t, own)}" if t is not None else "- | -" for t in peers]
        lines.append(f"| {name} | {1e3 * own:.0f} | {' | '.join(cells)} | {reached} |")
    return lines


def whole_set(fc: np.ndarray, partition: np.ndarray, density: float, repeats: int) -> list[str]:
    """`graph_profile` without and with nulls, `graph_metrics` on a batch of 84-region matrices."""
    small, labels = modular_fc(84, 7, seed=2)
    noise = 0.02 * np.random.default_rng(0).normal(size=(100, 84, 84))
    draws = small + noise + noise.transpose(0, 2, 1)
    rows: list[tuple[str, Callable, float, str]] = [
        (
            f"`graph_profile`, {len(fc)} nodes, no nulls: all measures, attacks and Louvain",
            lambda: graph_profile(fc, partition, density=density, nulls=0),
            1e3,
            "< 1000 ms",
        ),
        (
            "`graph_profile`, 84 nodes, all measures with 20 nulls",
            lambda: graph_profile(small, labels, density=density, nulls=20),
            1e3,
            "",
        ),
        (
            "`graph_metrics`, 84 nodes, per matrix of 100",
            lambda: graph_metrics(draws, labels, density=density),
            10,
            "<= 5 ms",
        ),
        (
            "`graph_metrics(deep=True)`, the same",
            lambda: graph_metrics(draws, labels, density=density, deep=True),
            10,
            "",
        ),
    ]
    lines = ["| whole set | processor ms | wall ms (shared machine) | bar |", "|-|-|-|-|"]
    for name, call, unit, bar in rows:
        processor, wall = (clock(call, repeats, timer=t)[0] for t in (time.process_time, time.perf_counter))
        lines.append(f"| {name} | {milli(unit * processor)} | {milli(unit * wall)} | {bar} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=400)
    parser.add_argument("--density", type=float, default=0.15)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    given = parser.parse_args()
    text = "\n".join(run(given.nodes, given.density, given.repeats)) + "\n"
    print("\n" + text)
    if given.out:
        given.out.write_text(text)


if __name__ == "__main__":
    main()
