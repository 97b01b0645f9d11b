"""Cost of the linear solution against the number of regions and of frequencies, one thread.

    python benchmarks/linear_cost.py [--repeats 5] [--out FILE.md]

Bar: 84 power spectra x 200 frequencies + BOLD FC, 84 unknowns, one thread, in 100 ms. Measured on the
production path: (a) 84 regions of one projecting population each (the embedded weights, every region taken
as cortex), (b) the embedded brain with its channels, basal ganglia loops and full cross-spectra. Then
synthetic cortices of other sizes. Times are processor time of this process, best of the repeats, so that
other work on the machine counts little; wall time is given beside the bar. With --out also a picture.
"""

# ruff: noqa: E402
import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from synsys.brain.bold import BAND_NODES, bold_fc, drive_weights
from synsys.brain.draws import Draw
from synsys.brain.linear import DelayedWeights, Linearised, angular
from synsys.brain.model import BrainModel
from synsys.brain.solution import Grid
from synsys.brain.spectra import cross, respond
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain
from synsys.core.connectome import NETWORKS, Connectome
from synsys.data.embedded import load_embedded

SIZES = (21, 42, 84, 168, 336)
COUNTS = (25, 50, 100, 200, 400)
BAR = 100.0


def all_cortex(brain: Connectome) -> Connectome:
    """The same weights with every region taken as cortex."""
    network = np.where(brain.regions.network == "", "Limbic", brain.regions.network)
    regions = brain.regions.assign(structure="cortex", network=network)
    return replace(brain, name=f"{brain.name}, all cortex", regions=regions)


def synthetic(n: int, seed: int = 0) -> Connectome:
    """A cortex of `n` regions at random places, connected less the further apart."""
    rng = np.random.default_rng(seed)
    place = rng.normal(size=(n, 3))
    place *= 70 / np.linalg.norm(place, axis=1, keepdims=True)
    distance = np.linalg.norm(place[:, None] - place[None], axis=-1)
    weights = np.exp(-distance / 30 + rng.normal(size=(n, n)))
    weights = np.triu(weights, 1)
    regions = pd.DataFrame(
        {
            "hemisphere": np.where(place[:, 0] < 0, "L", "R"), "structure": "cortex", "x": place[:, 0],
            "y": place[:, 1], "z": place[:, 2], "network": [NETWORKS[k % 7] for k in range(n)], "dk": "",
        },
        index=[f"r{k}" for k in range(n)],
    )  # fmt: skip
    maps = pd.DataFrame(index=regions.index)
    return Connectome(f"synthetic-{n}", weights + weights.T, 1.4 * distance, regions, maps)


class Case:
    """A brain at its operating point with everything prepared that states share."""

    def __init__(self, brain: Connectome) -> None:
        self.model = BrainModel(brain)
        self.healthy = HealthyBrain(self.model, Draw(member=0))
        self.state = self.healthy.state
        self.system: Linearised = self.state.linear
        self.regions = Grid(self.model).weights
        self.drive = drive_weights(self.state)
        self.slow = self.delayed(BAND_NODES)

    def delayed(self, frequency: np.ndarray) -> DelayedWeights:
        return DelayedWeights(self.model.wiring, angular(frequency))

    def spectra(self, frequency: np.ndarray, delayed: DelayedWeights) -> np.ndarray:
        """Power spectra of all regions, (F, R)."""
        return respond(self.system, frequency, delayed).power(self.regions)

    def fc(self) -> np.ndarray:
        return bold_fc(cross(respond(self.system, BAND_NODES, self.slow).output(self.drive)))

    def cross_spectra(self, frequency: np.ndarray, delayed: DelayedWeights) -> np.ndarray:
        return cross(respond(self.system, frequency, delayed).output(self.regions))


def clock(call: Callable, repeats: int) -> tuple[float, float]:
    """Least processor and wall time of a call, ms; one warm-up fills the caches."""
    call()
    cpu, wall = np.inf, np.inf
    for _ in range(repeats):
        a, b = time.process_time(), time.perf_counter()
        call()
        cpu, wall = min(cpu, time.process_time() - a), min(wall, time.perf_counter() - b)
    return 1e3 * cpu, 1e3 * wall


def frequencies(count: int) -> np.ndarray:
    return np.linspace(0.5, 100, count)


def steps(case: Case, count: int, repeats: int) -> list[str]:
    """Cost of each step of a state, for the table."""
    f = frequencies(count)
    delayed = case.delayed(f)

    def fresh() -> None:
        replace(case.state).linear  # noqa: B018

    nodes, sources = len(case.model.wiring.nodes), len(case.model.wiring.source_node)
    both = clock(lambda: (case.spectra(f, delayed), case.fc()), repeats)
    rows = {
        "healthy state (operating point, background)": clock(
            lambda: HealthyBrain(case.model, Draw(member=0)), repeats
        ),
        "Jacobian": clock(fresh, repeats),
        f"power spectra, {count} frequencies": clock(lambda: case.spectra(f, delayed), repeats),
        f"BOLD FC, {len(BAND_NODES)} frequencies, synaptic drive": clock(case.fc, repeats),
        "power spectra + FC": both,
        f"full cross-spectra, {count} frequencies": clock(lambda: case.cross_spectra(f, delayed), repeats),
        "stability (winding number)": clock(lambda: stability(case.state, locate=False), repeats),
    }
    name = case.model.brain.name
    title = (
        f"**{name}**: {len(case.model.brain)} regions, {nodes} nodes, {sources} sources of which "
        f"{len(case.model.wiring.core)} in the final solve, {len(case.model.wiring.loops)} loops eliminated."
    )
    table = [f"| {what} | {cpu:.1f} | {wall:.1f} |" for what, (cpu, wall) in rows.items()]
    return [title, "", "| step | processor ms | wall ms |", "|-|-|-|", *table, ""]


def curves(repeats: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Processor time against regions (200 frequencies) and against frequencies (84 regions)."""
    by_size, by_count = [], []
    for n in SIZES:
        case = Case(synthetic(n))
        f = frequencies(200)
        delayed = case.delayed(f)
        few = 3 if n > 100 else repeats
        by_size.append({
            "regions": n,
            "power": clock(lambda case=case, f=f, delayed=delayed: case.spectra(f, delayed), few)[0],
            "fc": clock(case.fc, few)[0],
            "cross": clock(lambda case=case, f=f, delayed=delayed: case.cross_spectra(f, delayed), few)[0],
        })  # fmt: skip
    for name, case in (
        ("84 regions, one population", Case(all_cortex(load_embedded()))),
        ("DK-84", Case(load_embedded())),
    ):
        for count in COUNTS:
            f = frequencies(count)
            delayed = case.delayed(f)
            ms = clock(lambda case=case, f=f, delayed=delayed: case.spectra(f, delayed), repeats)[0]
            by_count.append({"brain": name, "frequencies": count, "power": ms})
    return pd.DataFrame(by_size), pd.DataFrame(by_count)


def draw(by_size: pd.DataFrame, by_count: pd.DataFrame, file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), constrained_layout=True)
    labels = {"power": "power spectra", "cross": "full cross-spectra", "fc": "BOLD FC"}
    for column, label in labels.items():
        left.loglog(by_size.regions, by_size[column], "o-", label=label)
    left.set(xlabel="regions", ylabel="processor time, ms", title="200 frequencies, one population each")
    left.axhline(BAR, color="0.6", lw=1, ls="--")
    for name, part in by_count.groupby("brain"):
        right.loglog(part.frequencies, part.power, "o-", label=name)
    right.axhline(BAR, color="0.6", lw=1, ls="--", label="bar: 84 x 200 + FC")
    right.set(xlabel="frequencies", title="power spectra, 84 regions")
    left.set_xticks(SIZES, map(str, SIZES))
    right.set_xticks(COUNTS, map(str, COUNTS))
    for axis in (left, right):
        axis.legend(frameon=False, fontsize=8)
        axis.xaxis.set_minor_formatter("")
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)


def exponent(x: pd.Series, y: pd.Series) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    small = Case(all_cortex(load_embedded()))
    f = frequencies(200)
    delayed = small.delayed(f)
    cpu, wall = clock(lambda: (small.spectra(f, delayed), small.fc()), 3 * options.repeats)
    verdict = "met" if cpu <= BAR else "missed"
    by_size, by_count = curves(options.repeats)
    growth = [exponent(by_size.regions[1:], by_size[column][1:]) for column in ("power", "cross")]
    lines = [
        "# Cost of the linear solution",
        "",
        f"`python benchmarks/linear_cost.py --repeats {options.repeats}`: one thread, double precision, "
        "least of the repeats; weights and delay factors, shared between states, are prepared outside. The "
        "machine is shared: processor time is the figure, wall time says how busy it was.",
        "",
        f"**Bar, 84 power spectra x 200 frequencies + FC, 84 unknowns: {cpu:.0f} ms processor, {wall:.0f} ms "
        f"wall; {verdict} at {BAR:.0f} ms.**",
        "",
        *steps(small, 200, options.repeats),
        *steps(Case(load_embedded()), 200, options.repeats),
        "| regions | power spectra x 200, ms | BOLD FC, ms | full cross-spectra x 200, ms |",
        "|-|-|-|-|",
        *(f"| {r.regions:.0f} | {r.power:.1f} | {r.fc:.1f} | {r.cross:.1f} |" for r in by_size.itertuples()),
        "",
        f"Growth with regions: power spectra N^{growth[0]:.1f}, cross-spectra N^{growth[1]:.1f} (42 up).",
        "",
        "| frequencies | " + " | ".join(by_count.brain.unique()) + " |",
        "|-|-|-|",
        *(
            f"| {count} | " + " | ".join(f"{ms:.1f}" for ms in part.power) + " |"
            for count, part in by_count.groupby("frequencies")
        ),
        "",
        "![Cost against regions and frequencies](linear_cost.png)",
    ]
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
        draw(by_size, by_count, options.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
