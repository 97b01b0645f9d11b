"""Functional connectivity dynamics of simulated brains beside that of people: Kolmogorov-Smirnov distance.

    python benchmarks/fcd_distance.py [--minutes 10] [--seeds 8]
    python benchmarks/fcd_distance.py --point 1.2 0.01    # one point of the Wong-Wang model with fresh seeds

Needs the development data (`maps_schaefer100`: FC and pooled FCD of 706 people of the Human Connectome
Project, one person's BOLD). Windows as there: 43 scans of 0.72 s, 7 scans apart, all pairs of windows; cortex
only. Writes ``benchmarks/results/fcd_distance.md`` and ``.png``, with ``--point`` ``fcd_distance_point.md``.

The reduced Wong-Wang model runs over a grid of coupling and noise. Its point is chosen by static FC alone and
judged on FCD with seeds that chose nothing; the least distance over the grid, chosen by FCD itself, is only a
bound. Our circuit has nothing to choose. The null of every row is the row itself, phase-randomised alike in
all regions: same static FC and spectra, stationary.
"""

# ruff: noqa: E402
import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import matplotlib
import numpy as np
from _brains import DATA, brains
from _fc import covariance

from synsys.brain.bold import NOISE_SHARE, correlation, noise_level
from synsys.brain.draws import draws
from synsys.brain.model import BrainModel
from synsys.brain.state import HealthyBrain
from synsys.core.connectome import Connectome
from synsys.core.files import read_matrix
from synsys.measures.fc_dynamics import fcd_matrix, fcd_values, ks_distance, windowed_fc
from synsys.measures.surrogates import phase_randomised
from synsys.scales.simulated import Plan, run_task
from synsys.simulation.course import followed
from synsys.simulation.haemodynamics import Scan
from synsys.simulation.links import Links
from synsys.simulation.models import wong_wang
from synsys.simulation.run import Simulation

RESULTS = Path(__file__).parent / "results"
FOLDER = DATA / "maps_schaefer100"
TR, WINDOW, STEP = 0.72, 43 * 0.72, 7 * 0.72
COUPLING = np.arange(1, 21) / 10
NOISE = (0.005, 0.01, 0.02, 0.04)
"""The grid; beyond G = 2 the linear rule no longer holds rates below 30 Hz."""
WARM_UP = 20.0
SURROGATES = 5
HEAD = (
    "| BOLD | runs | r of static FC | mean FCD | sd | **distance, runs pooled** | distance, single runs: "
    "median (range) | null, pooled | null, single: median | from its own null |",
    "|" + "---|" * 10,
)
FRESH = 100
"""First seed of the runs that judge."""


def values(bold: np.ndarray) -> np.ndarray:
    """FCD of BOLD (regions, scans)."""
    return fcd_values(fcd_matrix(windowed_fc(bold, TR, WINDOW, STEP)))


def static(bolds: np.ndarray, fc: np.ndarray) -> float:
    """Correlation over pairs of the mean simulated FC (Fisher z) with data."""
    upper = np.triu_indices(len(fc), 1)
    z = np.mean([np.arctanh(np.clip(np.corrcoef(b)[upper], -0.999999, 0.999999)) for b in bolds], 0)
    return float(np.corrcoef(z, np.arctanh(fc[upper]))[0, 1])


def wong_wang_bold(weights: np.ndarray, points: list[tuple[float, float]], seeds: list[int],
                   minutes: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """BOLD (points, regions, scans) and the mean rate of E cells of every point, Hz."""
    weights = weights / weights.sum(1).mean()
    g, noise = np.array(points).T[:, :, None]
    inhibition = 1.0 + 0.725 * g * weights.sum(
        1
    )  # linear rule of Herzog et al. 2023, as in `synsys simulate`
    run = Simulation(
        wong_wang, len(weights), Links.between(weights), {"G": g, "sigma": noise, "J_I": inhibition}, seeds,
        dt=0.5, observe=["rate_E"], every=1000.0, scan=Scan("S_E", 1e3 * TR, 1.0), threads=1,
    )  # fmt: skip
    found = followed(run, 60e3 * minutes + 1e3 * WARM_UP, progress=shown("Wong-Wang"))
    skip = round(WARM_UP / TR) + 1
    rate = found.record[round(WARM_UP) :, :, 0].mean((0, 1))
    return found.bold[skip:].transpose(2, 1, 0).astype(float), rate


def shown(text: str):
    last = [-1]

    def show(done: float) -> None:
        if int(10 * done) > last[0]:
            last[0] = int(10 * done)
            print(f"{text} {10 * last[0]} %", file=sys.stderr, flush=True)

    return show


class Table:
    """Rows of the table and what the figure shows."""

    def __init__(self, target: np.ndarray) -> None:
        self.target, self.rows, self.curves = target, list[str](), dict[str, np.ndarray]()

    def add(self, name: str, bolds: np.ndarray, fc: float | None) -> None:
        """One row: several runs (runs, regions, scans)."""
        rng = np.random.default_rng(0)
        own = [values(b) for b in bolds]
        null = [values(phase_randomised(b, rng)) for b in bolds for _ in range(SURROGATES)]
        each = [ks_distance(v, self.target) for v in own]
        chance = [ks_distance(v, self.target) for v in null]
        pool, pool_null = np.concatenate(own), np.concatenate(null)
        self.rows.append(
            f"| {name} | {len(bolds)} | {'-' if fc is None else f'{fc:.2f}'} | {pool.mean():.2f} | "
            f"{pool.std():.2f} | **{ks_distance(pool, self.target):.3f}** | "
            f"{np.median(each):.3f} ({min(each):.3f}-{max(each):.3f}) | "
            f"{ks_distance(pool_null, self.target):.3f} | "
            f"{np.median(chance):.3f} | {ks_distance(pool, pool_null):.3f} |"
        )
        self.curves[name] = pool
        print(self.rows[-1], file=sys.stderr, flush=True)


def circuit(brain: Connectome, minutes: float, seeds: int) -> tuple[np.ndarray, float, np.ndarray]:
    """BOLD of our circuit (seeds, regions, scans), mean rate of E, and the linear covariance of BOLD."""
    plan = Plan(brain, seeds=seeds, seconds=60 * minutes, warm_up=WARM_UP, repetition=1e3 * TR)
    runs = run_task(plan, range(seeds), progress=shown(brain.name), threads=1)
    cov = covariance(HealthyBrain(BrainModel(brain), draws(1)[0]), "synaptic")
    cortex = (brain.regions.structure == "cortex").to_numpy()
    return runs.bold.transpose(0, 2, 1).astype(float), float(runs.mean[:, cortex, 0].mean()), cov


def with_noise(bolds: np.ndarray, cortex: np.ndarray) -> np.ndarray:
    """BOLD with the scanner noise of the linear readouts."""
    level = noise_level(np.mean([np.cov(b) for b in bolds], 0), cortex, NOISE_SHARE)
    return bolds + np.sqrt(level) * np.random.default_rng(1).standard_normal(bolds.shape)


def figure(table: Table, grid: np.ndarray, fit: np.ndarray, file: Path) -> None:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shape, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    edges = np.linspace(-0.3, 1, 66)
    left.hist(table.target, edges, density=True, color="0.8", label="706 people")
    for name, pool in table.curves.items():
        left.hist(pool, edges, density=True, histtype="step", lw=1.4, label=name)
    left.set(xlabel="likeness of FC in two windows", ylabel="density", title="FCD")
    left.set_ylim(0, 8)
    left.legend(frameon=False, fontsize=7)
    for k, sigma in enumerate(NOISE):
        line = right.plot(COUPLING, grid[:, k], label=f"FCD distance, noise {sigma:g}")[0]
        right.plot(COUPLING, fit[:, k], "--", color=line.get_color(), lw=1)
    right.set(xlabel="coupling G", title="reduced Wong-Wang model (dashed: r of static FC)", ylim=(0, 1))
    right.legend(frameon=False, fontsize=8)
    shape.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--point", type=float, nargs=2, metavar=("G", "NOISE"))
    args = parser.parse_args()
    if not FOLDER.is_dir():
        sys.exit(f"{FOLDER} is not there; set SYNSYS_DEV_DATA to the folder that holds data/maps_schaefer100")
    start = time.process_time()
    target = np.sort(np.load(FOLDER / "fcd_hcp706_tril.npy").astype(float))
    fc = read_matrix(FOLDER / "fc_hcp706_100.csv", None).values
    weights = read_matrix(FOLDER / "sc_hcp706_strength_100.csv", None).values
    table = Table(target)
    fresh = [FRESH + k for k in range(args.seeds)]
    if args.point:
        own, rate = wong_wang_bold(weights, [tuple(args.point)] * args.seeds, fresh, args.minutes)
        table.add(f"Wong-Wang, G = {args.point[0]:g}, noise {args.point[1]:g}", own, static(own, fc))
        lines = [
            "# FCD of one point of the Wong-Wang model, with seeds that chose nothing", "",
            f"`python benchmarks/fcd_distance.py --point {args.point[0]:g} {args.point[1]:g} --minutes "
            f"{args.minutes:g} --seeds {args.seeds}`; columns as in [fcd_distance.md](fcd_distance.md). Mean "
            f"rate {rate.mean():.1f} Hz.", "", *HEAD, *table.rows, "",
        ]  # fmt: skip
        print("\n".join(lines))
        (RESULTS / "fcd_distance_point.md").write_text("\n".join(lines), encoding="utf-8")
        return
    person = np.load(FOLDER / "bold_hcp_sub100206_rest1_zscored.npy").astype(float)
    table.add("one person, 14.4 min", person[None], static(person[None], fc))

    points = [(float(g), s) for g in COUPLING for s in NOISE]
    bold, rate = wong_wang_bold(weights, points, [0] * len(points), args.minutes)
    shape = len(COUPLING), len(NOISE)
    fit = np.array([static(b[None], fc) for b in bold]).reshape(shape)
    grid = np.array([ks_distance(values(b), target) for b in bold]).reshape(shape)
    chosen, least = int(np.argmax(fit)), int(np.argmin(grid))
    own, _ = wong_wang_bold(weights, [points[chosen]] * args.seeds, fresh, args.minutes)
    table.add("Wong-Wang, G and noise by static FC", own, static(own, fc))

    with tempfile.TemporaryDirectory() as folder:
        found = brains(Path(folder))
    notes = []
    for name, label in (
        ("DK-84", "our circuit, embedded brain"),
        ("Schaefer-100", "our circuit, Schaefer-100"),
    ):
        brain = found[name]
        cortex = np.flatnonzero((brain.regions.structure == "cortex").to_numpy())
        inside = np.ix_(cortex, cortex)
        whole, mean, cov = circuit(brain, args.minutes, args.seeds)
        data = fc if name == "Schaefer-100" else brain.fc[inside]
        table.add(label, whole[:, cortex], static(whole[:, cortex], data))
        noisy = with_noise(whole, np.isin(np.arange(len(brain)), cortex))[:, cortex]
        table.add(f"{label}, with scanner noise", noisy, static(noisy, data))
        upper = np.triu_indices(len(cortex), 1)
        simulated = np.tanh(np.mean([np.arctanh(np.corrcoef(b[cortex])[upper]) for b in whole], 0))
        linear = correlation(cov[inside])[upper]
        notes.append(
            f"{label}: mean rate of cortical E cells {mean:.2f} Hz; FC of simulated BOLD with that of the "
            f"linear solution of the same draw, r = {np.corrcoef(simulated, linear)[0, 1]:.2f} over pairs of "
            f"cortex, means {simulated.mean():.2f} and {linear.mean():.2f}."
        )
    lines = [
        "# Functional connectivity dynamics beside people",
        "",
        f"`python benchmarks/fcd_distance.py --minutes {args.minutes:g} --seeds {args.seeds}`; "
        f"{(time.process_time() - start) / 60:.0f} min of one core. Kolmogorov-Smirnov distance from the FCD "
        "of 706 people (windows of 43 scans of 0.72 s, 7 scans apart, all pairs of windows, pooled over "
        f"people), cortex only; {args.minutes:g} min of BOLD a run after {WARM_UP:g} s, without global "
        f"signal regression or filters. Null: {SURROGATES} phase-randomised surrogates of each run.",
        "",
        *HEAD,
        *table.rows,
        "",
        f"Reduced Wong-Wang model on the structural connectivity of the same people, Heun 0.5 ms, no delays, "
        f"linear rule for inhibition; seed 0 on {len(points)} points. Static FC chose "
        f"G = {points[chosen][0]:g}, noise {points[chosen][1]:g} (r {fit.flat[chosen]:.2f}, mean rate "
        f"{rate[chosen]:.1f} Hz; distance there {grid.flat[chosen]:.3f}). "
        f"**Bound, chosen by FCD itself: {grid.flat[least]:.3f}** at G = "
        f"{points[least][0]:g}, noise {points[least][1]:g} (r of static FC {fit.flat[least]:.2f}, mean rate "
        f"{rate[least]:.1f} Hz).",
        "",
        *(f"- {note}" for note in notes),
        "- The embedded brain has 68 cortical regions of another parcellation than the FCD of the people.",
        "- A group's pooled FCD is wider than any one person's: see the first row.",
        "",
        "![FCD, and the grid](fcd_distance.png)",
        "",
    ]  # fmt: skip
    text = "\n".join(lines)
    print(text)
    (RESULTS / "fcd_distance.md").write_text(text, encoding="utf-8")
    figure(table, grid, fit, RESULTS / "fcd_distance.png")


if __name__ == "__main__":
    main()
