"""40-Hz entrainment and mismatch negativity under lesions of published size, beside published effect sizes.

Usage: python benchmarks/sensory_tasks.py [--draws 64] [--cohorts 12] [--members 24] [--seconds 40]

Embedded brain. Effect size d = median over draws of lesion minus health of the same draw, over the robust sd
between healthy people (`population.csv`), as in `synsys cascade`. Lesion sizes come from post-mortem and PET
data (``disorders.csv``); nothing of the tasks is fitted to patients.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from synsys.brain.draws import draws
from synsys.brain.model import BrainModel
from synsys.brain.settle import settled
from synsys.brain.simulate import Push, simulate
from synsys.brain.solution import Grid
from synsys.brain.spectra import respond
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain, State
from synsys.core.output import write_whole
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.load import vocabulary
from synsys.knowledge.resolve import resolved
from synsys.measures.systems import Atlas
from synsys.mind.tasks import oddball, steady_state
from synsys.mind.tasks.auditory import auditory_cortex
from synsys.scales.cascade import profile
from synsys.scales.people import person, spread

RESULTS = Path(__file__).parent / "results" / "sensory_tasks.md"
SCZ = profile("schizophrenia")
PYRAMIDAL = {"spine_density", "nmda_conductance"}
INTERNEURON = {"pv_interneuron_density", "gad1_expression", "nmda_drive_to_pv"}


def one(name: str, value: float, cell: str | None = None) -> tuple[Perturbation, ...]:
    return (Perturbation(name, value, cell=cell),)


LESIONS: dict[str, tuple[Perturbation, ...]] = {
    "schizophrenia profile": SCZ,
    "- without its pyramidal rows": tuple(p for p in SCZ if p.name not in PYRAMIDAL),
    "- without its interneuron rows": tuple(p for p in SCZ if p.name not in INTERNEURON),
    **{f"row {p.name} x {p.value:g} ({p.cell or 'all cells'})": (p,)
       for p in SCZ if p.name in PYRAMIDAL | INTERNEURON},
    "NMDA x 0.8, all cells": one("nmda_conductance", 0.8),
    "GRIN2B x 0.7": one("GRIN2B", 0.7),
    "PV number x 0.85": one("pv_interneuron_density", 0.85),
    "PV synapses (GABA-A) x 0.8": one("gabaa_pv_conductance", 0.8),
    "GABA-A decay x 1.5": one("gabaa_decay", 1.5),
}  # fmt: skip
ACUTE = {"NMDA x 0.75 at once (ketamine)": one("nmda_conductance", 0.75)}
READ = ("assr_power", "assr_phase_locking", "assr_20hz_power", "assr_80hz_power", "mmn_amplitude",
        "mmn_prediction", "repetition_suppression")  # fmt: skip
PUBLISHED = {
    "assr_power": ("-0.58", "Thuné et al. 2016"), "assr_phase_locking": ("-0.46", "Thuné et al. 2016"),
    "mmn_amplitude": ("-0.99 [-1.29, -0.79]", "Umbricht and Krljes 2005"),
}  # fmt: skip
MUSCLES = (0.0, 1.0, 3.0)
PREDICTIONS = (0.0, 1.0, 2.0, 4.0)


class Measured:
    """Scores and their variants of every draw and condition."""

    def __init__(self, n: int) -> None:
        self.model = BrainModel(load_embedded())
        self.atlas = Atlas(Grid(self.model))
        self.draws = draws(n)
        self.seconds = {"steady_state": [], "oddball": []}
        self.values: dict[str, list[dict[str, float]]] = {}
        self.lost: dict[str, int] = {}
        self.first: HealthyBrain | None = None
        for k, draw in enumerate(self.draws):
            healthy = HealthyBrain(self.model, draw)
            if not stability(healthy.state, locate=False).stable:
                self.lost["health"] = self.lost.get("health", 0) + 1
                continue
            self.first = self.first or healthy
            self.add("health", healthy.state)
            self.add("people", person(healthy, (0, k)))
            for name, changes in LESIONS.items():
                self.add(name, healthy.perturbed(changes))
            for name, changes in ACUTE.items():
                self.add(name, healthy.perturbed(changes, phase="acute"))
            print(f"draw {k + 1} of {n}", file=sys.stderr, flush=True)

    def add(self, name: str, state: State) -> None:
        values: dict[str, float] = {}
        if state.restless or not stability(state, locate=False).stable:
            self.lost[name] = self.lost.get(name, 0) + 1
        else:
            for task in (steady_state, oddball):
                start = time.perf_counter()
                values |= task.run(state, self.atlas, 0)
                self.seconds[task.TASK.name].append(time.perf_counter() - start)
            values |= self.variants(state)
        self.values.setdefault(name, []).append(values)

    def variants(self, state: State) -> dict[str, float]:
        """Phase locking with other noise of muscles, mismatch with predictions of other strength."""
        cortex = auditory_cortex(state, self.atlas)
        assert cortex is not None
        response = respond(state.linear, np.array([40.0]))
        amplitude, density = steady_state.entrained(cortex, response), steady_state.ongoing(cortex, response)
        out = {
            f"muscle {m:g}": float(
                steady_state.phase_locking(amplitude, density + m * steady_state.MUSCLE).mean()
            )
            for m in MUSCLES
        }
        fresh, worn = (oddball.left(cortex, share) for share in (oddball.RARE, 1 - oddball.RARE))
        holds = np.array([fresh] + [worn] * len(PREDICTIONS))
        sizes = oddball.size(oddball.evoked(cortex, holds, np.array([0.0, *PREDICTIONS])))
        out["response to a rare tone"] = float(sizes[0])
        return out | {
            f"prediction {p:g}": float(sizes[0] - s) for p, s in zip(PREDICTIONS, sizes[1:], strict=True)
        }

    def column(self, name: str, key: str) -> np.ndarray:
        values = np.array([v.get(key, np.nan) for v in self.values[name]])
        ratio = key in vocabulary() and vocabulary()[key].multiplies
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0, np.log(values), np.nan) if ratio else values

    def effect(self, name: str, key: str) -> tuple[float, float, float, float, int]:
        """d, its 5th and 95th percentile over draws, share of draws in which it rises, draws."""
        apart = spread(self.column("people", key) - self.column("health", key))
        change = self.column(name, key) - self.column("health", key)
        change = change[np.isfinite(change)]
        low, middle, high = np.percentile(change, [5, 50, 95]) / apart
        return middle, low, high, float((change > 0).mean()), len(change)


def table(found: Measured, keys: Sequence[str], names: Sequence[str]) -> list[str]:
    lines = ["| | " + " | ".join(keys) + " |", "|" + "---|" * (len(keys) + 1)]
    for name in names:
        cells = []
        for key in keys:
            d, low, high, up, _ = found.effect(name, key)
            cells.append(f"{d:+.2f} [{low:+.2f}, {high:+.2f}] {up:.0%}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def verdicts(found: Measured) -> list[str]:
    """Prediction for the profile beside the published effect; within 0.2 of g, or of the right sign."""
    lines = ["| readout | published g | predicted d | within 0.2 of g | sign |", "|" + "---|" * 5]
    for key, (g, source) in PUBLISHED.items():
        d, low, high, up, _ = found.effect("schizophrenia profile", key)
        size = float(g.split()[0])
        near = "yes" if abs(d - size) <= 0.2 else "no"
        sign = "right" if d * size > 0 else "wrong"
        lines.append(
            f"| {key} | {g} ({source}) | {d:+.2f} [{low:+.2f}, {high:+.2f}] | {near} | {sign}, falls in "
            f"{1 - up:.0%} of draws |"
        )
    return lines


DIRECTIONS = (
    ("40-Hz amplitude up", "Plourde et al. 1997 Br J Anaesth 78:524", "assr_power", 1),
    ("N1 larger", "review, 2018 Front Behav Neurosci 12:70", "response to a rare tone", 1),
    (
        "MMN smaller",
        "Rosburg and Kreitschmann-Andermahr 2016 Clin Neurophysiol 127:1387",
        "mmn_amplitude",
        -1,
    ),
    (
        "plasticity of MMN down, not adaptation",
        "Schmidt et al. 2012 Cereb Cortex 23:2394",
        "mmn_prediction",
        -1,
    ),
)
"""What ketamine does in healthy people, where it was measured, readout, sign."""


def directions(found: Measured) -> list[str]:
    lines = ["| ketamine in healthy people | source | readout | d | sign |", "|" + "---|" * 5]
    (name,) = ACUTE
    for what, source, key, sign in DIRECTIONS:
        d, low, high, up, _ = found.effect(name, key)
        right = up if sign > 0 else 1 - up
        lines.append(
            f"| {what} | {source} | {key} | {d:+.2f} [{low:+.2f}, {high:+.2f}] | "
            f"{'right' if d * sign > 0 else 'wrong'} (right in {right:.0%} of draws) |"
        )
    return lines


def cohorts(found: Measured, count: int, members: int) -> list[str]:
    """Controls and patients simulated one by one; Hedges g in each draw.

    A patient is a healthy person of the population with the lesions of the profile at their mean sizes.
    """
    values: dict[str, list[float]] = {key: [] for key in READ}
    dropped, total = 0, 0
    for k, draw in enumerate(found.draws[:count]):
        healthy = HealthyBrain(found.model, draw)
        groups: list[list[dict[str, float]]] = [[], []]
        for i in range(2 * members):
            state, total = person(healthy, (1000 + k, i)), total + 1
            if i % 2 and not state.restless:
                moved = state.moved.copy()
                for change in SCZ:
                    moved.perturb(resolved(change))
                moved.enter()
                state = settled(state.healthy, moved)
            if state.restless or not stability(state, locate=False).stable:
                dropped += 1
                continue
            groups[i % 2].append(steady_state.run(state, found.atlas, 0) | oddball.run(state, found.atlas, 0))
        for key in READ:
            a, b = (np.array([v.get(key, np.nan) for v in g]) for g in groups)
            if vocabulary()[key].multiplies:
                a, b = (np.log(x[x > 0]) for x in (a, b))
            values[key].append(hedges(b[np.isfinite(b)], a[np.isfinite(a)]))
        print(f"cohort {k + 1} of {count}", file=sys.stderr, flush=True)
    lines = [
        f"{count} draws, {members} controls and {members} patients in each, every one a person of "
        f"`population.csv`; {dropped} of {total} brains were unstable and are left out.", "",
        "| readout | published g | g, median over draws | least | most |", "|" + "---|" * 5,
    ]  # fmt: skip
    for key, g in values.items():
        told = PUBLISHED.get(key, ("-",))[0]
        lines.append(f"| {key} | {told} | {np.median(g):+.2f} | {min(g):+.2f} | {max(g):+.2f} |")
    return lines


def hedges(a: np.ndarray, b: np.ndarray) -> float:
    """Hedges g of a against b."""
    n = len(a) + len(b)
    pooled = np.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (n - 2))
    return float((a.mean() - b.mean()) / pooled * (1 - 3 / (4 * n - 9)))


def cosine(amplitude: complex, omega: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: np.real(amplitude * np.exp(1j * omega * t))


def nonlinear(healthy: HealthyBrain, atlas: Atlas, seconds: float, seeds: int) -> list[str]:
    """The whole brain in time under clicks: amplitude without noise, phase locking with it."""
    state = healthy.state
    cortex = auditory_cortex(state, atlas)
    assert cortex is not None
    response = respond(state.linear, np.array([40.0]))
    omega = 2e-3 * np.pi * 40.0
    slope = cortex.steady(1e-30j).imag / 1e-30
    gating = 2 * steady_state.CLICKS * slope / (1 + 1j * omega * cortex.decay)
    waves = cortex.conductance(gating)  # (3, n, 3)

    def pushes(factor: float) -> list[Push]:
        return [
            Push(int(node), (kind, cell), cosine(factor * waves[kind, i, cell], omega))
            for i, node in enumerate(cortex.nodes) for kind in (0, 1) for cell in (0, 1)
        ]  # fmt: skip

    linear = steady_state.entrained(cortex, response)[0]
    lines = ["| clicks, of the task's | linear, mV | simulated, mV | ratio |", "|---|---|---|---|"]
    for factor in (0.1, 1.0, 2.0, 4.0):
        sim = simulate(state, 1.0, (0,), dt=0.25, warm_up=2.0, noise=0.0, pushes=pushes(factor),
                       sources=cortex.sources, threads=1)  # fmt: skip
        t = 2000.0 + sim.step * (1 + np.arange(sim.potential.shape[1]))
        size = np.abs(2 * np.mean(sim.potential[0] * np.exp(-1j * omega * t)[:, None], 0))
        ratio = size.mean() / (factor * np.abs(linear).mean())
        lines.append(
            f"| {factor:g} | {factor * np.abs(linear).mean():.3f} | {size.mean():.3f} | {ratio:.3f} |"
        )
    sim = simulate(state, seconds, range(seeds), dt=0.25, warm_up=2.0, pushes=pushes(1.0),
                   sources=cortex.sources, threads=1)  # fmt: skip
    width = round(steady_state.TRIAL / sim.step)
    count = sim.potential.shape[1] // width
    trials = sim.potential[:, : count * width].reshape(seeds * count, width, -1)
    kernel = np.exp(-1j * omega * sim.step * np.arange(width))
    coefficient = (trials * kernel[:, None]).mean(1)
    measured = np.abs((coefficient / np.abs(coefficient)).mean(0))
    expected = steady_state.phase_locking(linear, steady_state.ongoing(cortex, response)[0])
    lines += [
        "",
        f"Phase locking over {len(trials)} simulated trials, without muscles, by region: simulated "
        f"{', '.join(f'{x:.2f}' for x in measured)}; formula {', '.join(f'{x:.2f}' for x in expected)}.",
    ]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=64)
    parser.add_argument("--cohorts", type=int, default=12)
    parser.add_argument("--members", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--seeds", type=int, default=4)
    args = parser.parse_args()
    start = time.process_time()
    found = Measured(args.draws)
    assert found.first is not None
    levels = [
        f"| {key} | " + " | ".join(
            f"{np.nanpercentile([v.get(key, np.nan) for v in found.values[who]], q):.3g}"
            for who in ("health", "people") for q in (5, 50, 95)
        ) + f" | {spread(found.column('people', key) - found.column('health', key)):.3g} |"
        for key in READ
    ]  # fmt: skip
    two = ["schizophrenia profile", "NMDA x 0.8, all cells"]
    every = [*LESIONS, *ACUTE]
    task = {name: 1e3 * float(np.median(s)) for name, s in found.seconds.items()}
    lost = ", ".join(f"{name} {n}" for name, n in found.lost.items()) or "none"
    lines = [
        "# Tasks of hearing under lesions", "",
        f"`python benchmarks/sensory_tasks.py --draws {args.draws} --cohorts {args.cohorts} --members "
        f"{args.members} --seconds {args.seconds:g} --seeds {args.seeds}`; embedded brain, "
        f"{len(found.values['health'])} stable draws of {args.draws}; one state takes "
        f"{task['steady_state']:.0f} ms (steady state) and {task['oddball']:.0f} ms (oddball). "
        f"Unstable or without rest: {lost}.", "",
        "Cells: d [5th, 95th percentile over draws] share of draws in which it rises. Power and sizes of "
        "mismatch are compared as logarithms.", "",
        "## The schizophrenia profile beside published effects", "", *verdicts(found), "",
        "The same, patient by patient:", "", *cohorts(found, args.cohorts, args.members), "",
        "Lesion sizes: post-mortem and PET data in `disorders.csv`; spread between people: `population.csv`. "
        "Neither knows of these readouts.", "",
        "## Ketamine", "", *directions(found), "",
        "## Healthy levels", "",
        "| | draws 5 % | 50 % | 95 % | people 5 % | 50 % | 95 % | sd between people |", "|" + "---|" * 8,
        *levels, "",
        "Sd: of the logarithm for power and sizes of mismatch.", "",
        "## Which cause gives which effect", "", *table(found, READ[:4], every), "",
        *table(found, READ[4:], every), "",
        "## What the declared constants do, profile", "",
        "Phase locking with muscle noise 0, 1 and 3 times that of the task; size of mismatch (mV, not its "
        "logarithm) with a prediction of 0, 1, 2 and 4 times the local NMDA conductance.", "",
        *table(found, [f"muscle {m:g}" for m in MUSCLES], two), "",
        *table(found, [f"prediction {p:g}" for p in PREDICTIONS], [*two, *ACUTE]), "",
        "## Linear entrainment against the whole brain in time", "",
        f"Health of draw 0, tract delays, Heun 0.25 ms; relay cells as a conductance of 40 Hz; seeds 0 to "
        f"{args.seeds - 1} of {args.seconds:g} s.", "",
        *nonlinear(found.first, found.atlas, args.seconds, args.seeds), "",
    ]  # fmt: skip
    text = "\n".join(lines)
    print(text)
    print(f"{(time.process_time() - start) / 60:.1f} min", file=sys.stderr)
    write_whole(RESULTS, text)


if __name__ == "__main__":
    main()
