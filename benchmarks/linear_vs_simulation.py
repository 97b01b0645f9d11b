"""Linear solution against simulation: in the linear domain on the whole brain, and at growing noise.

Usage: python benchmarks/linear_vs_simulation.py [--seconds 36] [--seeds 16] [--part whole|noise|all]

Writes ``benchmarks/results/linear_vs_simulation_<part>.md``. All of it takes some three minutes on
one core. Beside the correlation stands what
sampling alone would give, from Gaussian series with the linear cross-spectra and the same length.
"""

# ruff: noqa: E402
import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np

from synsys.brain.draws import SHARED, Draw
from synsys.brain.model import BrainModel
from synsys.brain.simulate import Simulation, simulate
from synsys.brain.solution import BANDS, correlation
from synsys.brain.spectra import cross, respond
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain, State
from synsys.brain.statistical import averaged, variance
from synsys.circuit.calibration import members
from synsys.core.connectome import Connectome
from synsys.data.embedded import load_embedded

RESULTS = Path(__file__).parent / "results"
REDUCED = (
    "superiorfrontal", "rostralmiddlefrontal", "precuneus", "insula", "superiorparietal", "lateraloccipital",
    "thalamus", "hippocampus",
)  # fmt: skip
LOW, HIGH = 1.0, 100.0
WINDOW = 4.0
DT, EVERY = 0.25, 10
NOISES = (0.1, 0.25, 0.5, 1.0)


def part(names: Sequence[str]) -> Connectome:
    """Both hemispheres' regions of the embedded brain with these names."""
    brain = load_embedded()
    return brain.part([label for label in brain.labels if label.split(".", 1)[1] in names])


def first_stable(model: BrainModel, first: int = 0, shared: float = SHARED[0]) -> tuple[int, State]:
    """First calibration member, from `first` on, whose healthy state is stable on this brain."""
    for k in range(first, members()):
        state = HealthyBrain(model, Draw(k, shared=shared)).state
        if stability(state, locate=False).stable:
            return k, state
    sys.exit("no calibration member is stable on this brain")


def principal(state: State) -> np.ndarray:
    """First projecting population of each region (first channel where there are several)."""
    wiring = state.linear.wiring
    region = wiring.nodes.region.to_numpy()[wiring.source_node]
    return np.array([np.flatnonzero(region == r)[0] for r in range(region.max() + 1)])


def linear(state: State, sources: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Cross-spectra on a grid fine enough for every resonance, and its frequencies."""
    f = np.arange(LOW, HIGH, 0.1)
    weights = np.eye(len(state.linear.wiring.source_node))[sources]
    parts = [cross(respond(state.linear, f[i : i + 100]).output(weights)) for i in range(0, len(f), 100)]
    return f, noise**2 * np.concatenate(parts)


def expected(f: np.ndarray, density: np.ndarray, seconds: float, rng: np.random.Generator) -> float:
    """Correlation with the true FC that an estimate from `seconds` of Gaussian data would have."""
    root = np.linalg.cholesky(
        density + 1e-12 * np.trace(density, axis1=1, axis2=2)[:, None, None] * np.eye(density.shape[1])
    )
    each = max(1, round(seconds * (f[1] - f[0])))  # independent Fourier coefficients per grid step
    total = np.zeros(density.shape[1:])
    for r in root:
        z = rng.standard_normal((len(r), each)) + 1j * rng.standard_normal((len(r), each))
        y = r @ z
        total += (y @ y.conj().T).real / (2 * each)
    return agreement(total, density.sum(0).real)


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation over pairs of regions of the correlations in two covariance matrices."""
    upper = np.triu_indices(len(a), 1)
    return float(np.corrcoef(correlation(a)[upper], correlation(b)[upper])[0, 1])


def band_power(f: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Mean power density over regions in each band, mV^2 per Hz."""
    power = np.einsum("fii->f", density).real / density.shape[1]
    return np.array([power[(f >= low) & (f < high)].mean() for low, high in BANDS.values()])


def progress(text: str):
    def show(done: float) -> None:
        print(f"\r{text} {100 * done:3.0f} %", end="" if done < 1 else "\n", file=sys.stderr, flush=True)

    return show


def observed(sim: Simulation) -> tuple[np.ndarray, np.ndarray]:
    f, density = sim.cross_spectrum(WINDOW)
    inside = (f >= LOW) & (f < HIGH)
    return f[inside], density[inside]


def whole(seconds: float, seeds: int, noise: float, member: int, shared: float) -> str:
    """Embedded brain in the linear domain."""
    member, state = first_stable(BrainModel(load_embedded()), member, shared)
    sources = principal(state)
    start = time.process_time()
    sim = simulate(state, seconds, range(seeds), dt=DT, every=EVERY, warm_up=4.0, noise=noise,
                   sources=sources, threads=1, progress=progress("whole brain"))  # fmt: skip
    cost = time.process_time() - start
    f, got = observed(sim)
    fine, want = linear(state, sources, noise)
    r = agreement(got.sum(0).real, want.sum(0).real)
    chance = expected(fine, want, seconds * seeds, np.random.default_rng(0))
    ratio = band_power(f, got) / band_power(fine, want)
    each = np.stack([
        np.einsum("fii->i", got[(f >= a) & (f < b)]).real / ((f >= a) & (f < b)).sum()
        / (np.einsum("fii->i", want[(fine >= a) & (fine < b)]).real / ((fine >= a) & (fine < b)).sum())
        for a, b in BANDS.values()
    ])  # fmt: skip
    pairs = len(sources) * (len(sources) - 1) // 2
    lines = [
        "# Linear solution against simulation, whole brain",
        "",
        f"Embedded brain, {len(sources)} regions, {len(state.linear.wiring.nodes)} nodes, calibration member "
        f"{member}; Heun, {DT} ms, tract delays; noise amplitude x {noise:g}, {shared:.0%} of the slow input "
        f"common to all regions (healthy median {SHARED[0]:.0%}), so that FC stands out of sampling; "
        f"{seeds} runs of {seconds:g} s ({cost / 60:.0f} min of one core).",
        "",
        "| what | value | bar |",
        "|---|---|---|",
        f"| FC r over {pairs} pairs, potentials, 1-100 Hz | {r:.3f} | >= 0.98 |",
        f"| the same if sampling were the only difference | {chance:.3f} | |",
        *(
            f"| {band} power, simulated / linear, mean of regions (5-95 % of regions) | {x:.3f} "
            f"({np.quantile(y, 0.05):.2f}-{np.quantile(y, 0.95):.2f}) | 0.9-1.1 |"
            for band, x, y in zip(BANDS, ratio, each, strict=True)
        ),
        "",
    ]
    return "\n".join(lines)


def growing(seconds: float, seeds: int, member: int) -> str:
    """Plain and statistical linearisation against simulation at growing noise, reduced brain."""
    model = BrainModel(part(REDUCED))
    member, state = first_stable(model, member)
    sources = principal(state)
    cortex = (model.wiring.nodes.template == "cortex").to_numpy()
    plain_sd = np.sqrt(variance(state.linear))[cortex, 0].mean()
    rows = []
    for noise in NOISES:
        show = progress(f"noise x {noise:g}")
        try:
            sim = simulate(
                state,
                seconds,
                range(seeds),
                dt=DT,
                every=EVERY,
                warm_up=2.0,
                noise=noise,
                sources=sources,
                threads=1,
                progress=show,
            )
        except FloatingPointError as error:  # Gaussian noise has made a conductance negative
            rows.append(f"| {noise:g} | {error} |" + " |" * 9)
            print(rows[-1], flush=True)
            continue
        f, got = observed(sim)
        other = averaged(state, noise)
        cells = [f"{noise:g}", f"{sim.sd[cortex, 0].mean():.2f}", f"{noise * plain_sd:.2f}"]
        cells.append(f"{other.sd[cortex, 0].mean():.2f}" if other.converged else "-")
        cells += [f"{sim.mean_rate[cortex, 0].mean():.2f}", f"{state.rates[cortex, 0].mean():.2f}"]
        cells.append(f"{other.state.rates[cortex, 0].mean():.2f}" if other.converged else "-")
        for solved in (state, other.state if other.converged else None):
            if solved is None:
                cells += ["-", "-"]
                continue
            fine, want = linear(solved, sources, noise)
            error = np.abs(np.log(band_power(fine, want) / band_power(f, got))).mean()
            cells += [f"{100 * np.expm1(error):.0f} %", f"{agreement(got.sum(0).real, want.sum(0).real):.3f}"]
        rows.append("| " + " | ".join(cells) + " |")
        print(rows[-1], flush=True)
    chance = expected(*linear(state, sources, 1.0), seconds * seeds, np.random.default_rng(0))
    return "\n".join([
        "# Plain and statistical linearisation against simulation at growing noise",
        "",
        f"{len(sources)} regions ({', '.join(REDUCED)}, both hemispheres), calibration member {member}; "
        f"{seeds} runs of {seconds:g} s per noise, Heun, {DT} ms. sd and rate: E cells of cortex. Band error "
        "is the mean of |log power ratio| over five bands. FC r: over pairs, 1-100 Hz; sampling alone gives "
        f"{chance:.3f}.",
        "",
        "| noise x | sd mV, simulated | plain | statistical | rate Hz, simulated | plain | statistical "
        "| band error, plain | FC r, plain | band error, statistical | FC r, statistical |",
        "|" + "---|" * 11,
        *rows,
        "",
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("whole", "noise", "all"), default="all")
    parser.add_argument("--seconds", type=float, default=36.0, help="of each run of the whole brain")
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--noise", type=float, default=0.1, help="amplitude in the linear domain")
    parser.add_argument(
        "--shared", type=float, default=0.5, help="common share of the slow input, whole brain"
    )
    parser.add_argument("--member", type=int, default=0, help="first calibration member to try")
    args = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    if args.part in ("noise", "all"):
        text = growing(8.0, 24, args.member)
        (RESULTS / "linear_vs_simulation_noise.md").write_text(text, encoding="utf-8")
        print(text)
    if args.part in ("whole", "all"):
        text = whole(args.seconds, args.seeds, args.noise, args.member, args.shared)
        (RESULTS / "linear_vs_simulation_whole.md").write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
