"""Where the linear solution ends: the embedded brain over noise and long-range coupling, against simulation.

    python benchmarks/linear_domain.py [--seconds 60] [--seeds 8]

Writes ``benchmarks/results/linear_domain.md`` and ``.png``. Coupling is a factor on all cortical, hippocampal
and amygdalar long-range synapses, before the background that holds the healthy rates is solved for (as in
`fc_fit.py`); noise a factor on the amplitude of all noise. A cell is *in the linear domain* if the three
criteria of `LIMITS`, set before the first run, hold together.
"""

# ruff: noqa: E402
import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import matplotlib
import numpy as np
from _fc import Strengths
from linear_vs_simulation import agreement, band_power, expected, linear, observed, principal

from synsys.brain.draws import Draw
from synsys.brain.simulate import simulate
from synsys.brain.solution import BANDS
from synsys.brain.stability import stability
from synsys.brain.state import State
from synsys.circuit.calibration import members
from synsys.data.embedded import load_embedded

RESULTS = Path(__file__).parent / "results"
NOISES, COUPLINGS = (0.25, 0.5, 1.0, 1.4), (0.6, 1.0, 1.4)
LIMITS = 0.02, 1.25, 0.10
"""FC r at most this far below what sampling allows; no band's power off by more than this factor; mean rate
of cortical E cells off by at most this share."""


@dataclass(frozen=True)
class Cell:
    """Simulation against linear solution at one noise and coupling."""

    noise: float
    coupling: float
    fc: float
    ceiling: float
    repeat: float
    bands: np.ndarray
    rate: float
    sd: float

    @property
    def worst(self) -> float:
        """Factor by which the power of the worst band is off."""
        return float(np.exp(np.abs(np.log(self.bands)).max()))

    @property
    def inside(self) -> bool:
        return (
            self.fc >= self.ceiling - LIMITS[0]
            and self.worst <= LIMITS[1]
            and abs(self.rate - 1) <= LIMITS[2]
        )


def states(couplings: tuple[float, ...]) -> tuple[int, dict[float, State]]:
    """The first calibration member that is stable at every coupling, or at most of them, and its states."""
    scaled, best = Strengths(load_embedded()), (0, dict[float, State]())
    for k in range(members()):
        found = {c: scaled.healthy(c, Draw(k)).state for c in couplings}
        stable = {c: s for c, s in found.items() if stability(s, locate=False).stable}
        if len(stable) > len(best[1]):
            best = k, stable
        if len(stable) == len(couplings):
            break
    return best


def cell(state: State, noise: float, coupling: float, seconds: float, seeds: int) -> Cell:
    """Run one cell."""
    sources = principal(state)
    sim = simulate(state, seconds, range(seeds), dt=0.25, every=10, warm_up=4.0, noise=noise,
                   sources=sources, precision="float32", threads=1)  # fmt: skip
    f, got = observed(sim)
    fine, want = linear(state, sources, noise)
    halves = [
        observed(type(sim)(sim.step, sim.potential[k::2], sources, sim.mean, sim.sd, sim.mean_rate, state))[1]
        for k in (0, 1)
    ]
    half = agreement(halves[0].sum(0).real, halves[1].sum(0).real)
    cortex = (state.linear.wiring.nodes.template == "cortex").to_numpy()
    return Cell(
        noise, coupling, agreement(got.sum(0).real, want.sum(0).real),
        expected(fine, want, seconds * seeds, np.random.default_rng(0)), 2 * half / (1 + half),
        band_power(f, got) / band_power(fine, want),
        float(sim.mean_rate[cortex, 0].mean() / state.rates[cortex, 0].mean()),
        float(sim.sd[cortex, 0].mean()),
    )  # fmt: skip


def draw(cells: list[Cell], file: Path) -> None:
    """The three criteria over the grid."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.2), layout="constrained")
    panels = (
        ("FC r, simulated with linear", lambda c: c.fc, "{:.2f}", "viridis", (0.4, 1.0)),
        ("power of the worst band,\nlinear off by a factor", lambda c: c.worst, "{:.1f}", "magma_r", (1, 8)),
        ("change of mean E rate, %", lambda c: 100 * (c.rate - 1), "{:+.0f}", "RdBu_r", (-80, 80)),
    )
    for axis, (title, value, text, colours, limits) in zip(axes, panels, strict=True):
        grid = np.full((len(COUPLINGS), len(NOISES)), np.nan)
        for c in cells:
            grid[COUPLINGS.index(c.coupling), NOISES.index(c.noise)] = value(c)
        image = axis.imshow(grid, origin="lower", cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto")
        for c in cells:
            at = NOISES.index(c.noise), COUPLINGS.index(c.coupling)
            red, green, blue, _ = image.cmap(image.norm(value(c)))
            ink = "black" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "white"
            axis.text(*at, text.format(value(c)), ha="center", va="center", color=ink)
            if c.inside:
                axis.add_patch(plt.Rectangle((at[0] - 0.46, at[1] - 0.46), 0.92, 0.92, fill=False, ec="lime",
                                             lw=2.5))  # fmt: skip
        axis.set(title=title, xlabel="noise, times healthy")
        axis.set_xticks(range(len(NOISES)), [f"{n:g}" for n in NOISES])
        axis.set_yticks(range(len(COUPLINGS)), [f"{c:g}" for c in COUPLINGS])
    axes[0].set_ylabel("long-range coupling, times declared")
    figure.suptitle("Linear solution against simulation (green: all three criteria met)", fontsize=10)
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=8)
    args = parser.parse_args()
    start = time.process_time()
    member, found = states(COUPLINGS)
    cells, failed = [], []
    for coupling in COUPLINGS:
        for noise in NOISES if coupling in found else ():
            try:
                cells.append(cell(found[coupling], noise, coupling, args.seconds, args.seeds))
                print(cells[-1], file=sys.stderr, flush=True)
            except FloatingPointError as error:
                failed.append(f"noise {noise:g}, coupling {coupling:g}: {error}")
    absent = [f"coupling {c:g}: health of member {member} is unstable" for c in COUPLINGS if c not in found]
    lines = [
        "# Where the linear solution ends",
        "",
        f"`python benchmarks/linear_domain.py --seconds {args.seconds:g} --seeds {args.seeds}`: embedded "
        f"brain, 84 regions, calibration member {member} (the first that is stable at most couplings), "
        f"potentials of the first population of each region, 1-100 Hz; seeds 0 to {args.seeds - 1} of "
        f"{args.seconds:g} s a cell, Heun 0.25 ms, single precision, tract delays, {SHARED_TEXT}; "
        f"{(time.process_time() - start) / 60:.0f} min of one core.",
        "",
        "*ceiling*: FC r of as many seconds of Gaussian series with the linear cross-spectra; *repeat*: "
        "reliability of the simulated FC itself (even with odd seeds, Spearman-Brown). Power: simulated / "
        f"linear, mean over regions. Criteria, set beforehand: FC r within {LIMITS[0]:g} of the ceiling, "
        f"every band within a factor of {LIMITS[1]:g}, mean rate within {LIMITS[2]:.0%}.",
        "",
        f"| coupling | noise | sd of E, mV | FC r | ceiling | repeat | {' | '.join(BANDS)} | E rate / rest "
        "| linear domain |",
        "|" + "---|" * (8 + len(BANDS)),
        *(
            f"| {c.coupling:g} | {c.noise:g} | {c.sd:.2f} | {c.fc:.3f} | {c.ceiling:.3f} | {c.repeat:.3f} | "
            + " | ".join(f"{x:.2f}" for x in c.bands)
            + f" | {c.rate:.3f} | {'yes' if c.inside else 'no'} |"
            for c in cells
        ),
        "",
        *(f"- {text}" for text in [*absent, *failed]),
        *([""] if absent or failed else []),
        "![FC, power and rates over the grid](linear_domain.png)",
        "",
    ]
    text = "\n".join(lines)
    print(text)
    (RESULTS / "linear_domain.md").write_text(text, encoding="utf-8")
    draw(cells, RESULTS / "linear_domain.png")


SHARED_TEXT = f"{Draw(0).shared:.0%} of the slow input common to all regions (healthy median)"

if __name__ == "__main__":
    main()
