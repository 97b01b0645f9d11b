"""Symptoms of seven disorders, what they share, moods of one person, and convergence on inference.

    python benchmarks/symptom_profiles.py [--draws 16] [--jobs 2]

Writes ``benchmarks/results/symptom_profiles.md`` and ``.png``. Profiles are those of ``disorders.csv``,
symptoms those of ``symptoms.csv``; no diagnosis enters and nothing is fitted. Disorders are solved in the
same draws, with the same healthy people.

* Shared and specific: `mind.shared.split` of symptoms in healthy sd over the disorders.
* Moods: the bipolar profile of one person in two regimes of a slow variable, tone of dopamine and serotonin
  up or down by 20 % (declared; the sign after Ashok et al. 2017, Mol Psychiatry 22:666, from memory).
  Connectivity and peak frequency of each regime, and the variance of the peak that switching adds.
* Convergence (CP-07): ten single lesions; cosine of their effects on inference, in healthy sd, against that
  on networks, and against what signs drawn at random give.
* Doses (SD-04): Spearman correlation of severity with the share of the profile, six doses.
"""

# ruff: noqa: E402
import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr

from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.mechanisms import disorders
from synsys.knowledge.resolve import parse_perturbation
from synsys.knowledge.symptoms import symptoms
from synsys.mind.readouts import QUANTITIES, WORLDS
from synsys.mind.shared import interval, split
from synsys.report.words import plain
from synsys.scales.cascade import profile
from synsys.scales.effects import Healthy, effects
from synsys.scales.people import spread
from synsys.scales.runs import Runner, solve_all

RESULTS = Path(__file__).parent / "results"
TONE = 1.2
DOSES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
LESIONS = (
    "nmda_conductance=0.8", "pv_interneuron_density=0.8", "gaba_release=0.85", "sst_interneuron_function=0.8",
    "spine_density=0.85", "kcnq2_conductance=0.7", "cacna1c_conductance=1.4", "c4a_expression=1.5",
    "mitochondrial_function=0.7", "bdnf=0.7",
)  # fmt: skip
NETWORKS = (
    "dmn_fc", "sn_fc", "cen_fc", "dmn_cen_fc", "dmn_sn_fc", "sn_cen_fc", "frontostriatal_fc",
    "prefrontal_limbic_fc", "amygdala_prefrontal_fc", "hippocampal_prefrontal_fc", "thalamocortical_fc",
)  # fmt: skip
STATE_SPECIFIC = ("prefrontal_limbic_fc", "frontostriatal_fc", "peak_alpha_frequency", "alpha_power")


def scaled(change: Perturbation, share: float) -> Perturbation:
    """A share of a perturbation."""
    value = change.value**share if change.op == "*" else share * change.value
    return replace(change, value=value, sd=share * change.sd)


def moods() -> dict[str, tuple[Perturbation, ...]]:
    """The bipolar profile with tones up and down."""
    tones = ("dopamine_tone", "serotonin_level")
    return {
        name: (*profile("disorder_bd"), *(Perturbation(t, f) for t in tones))
        for name, f in (("mania", TONE), ("depression", 1 / TONE))
    }


def columns(values: dict, name: str) -> np.ndarray:
    """A readout in every draw."""
    return np.array([o.values.get(name, np.nan) for o in values])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--draws", type=int, default=16)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    began = time.time()
    names = list(dict.fromkeys(row.disorder for row in disorders()))
    states = {name.removeprefix("disorder_"): profile(name) for name in names}
    states |= moods()
    states |= {text: (parse_perturbation(text),) for text in LESIONS}
    scz = profile("disorder_scz")
    states |= {f"scz x {dose:g}": tuple(scaled(c, dose) for c in scz) for dose in DOSES[1:-1]}
    runner = Runner(load_embedded(), args.draws, 0, jobs=args.jobs, tasks=args.draws)
    reference, people, *perturbed = (
        list(c) for c in zip(*solve_all(runner, list(states.values()), print_progress), strict=True)
    )
    healthy = Healthy(runner, reference, people)
    found = {
        name: effects(runner, changes, healthy, column)
        for (name, changes), column in zip(states.items(), perturbed, strict=True)
    }
    by_state = dict(zip(states, perturbed, strict=True))
    RESULTS.mkdir(exist_ok=True)
    lines = report(args, names, found, by_state, reference, people, began)
    (RESULTS / "symptom_profiles.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def print_progress(done: int, total: int) -> None:
    print(f"draw {done} of {total}", flush=True)


def composite(symptom: str) -> bool:
    """Whether a symptom is read from other symptoms alone, and so says nothing beyond them."""
    table = symptoms().rows
    return all(row.source in table for row in table[symptom])


def symptom_draws(effect) -> tuple[list[str], np.ndarray]:
    """Symptoms and their values, (draws, symptoms)."""
    table = effect.table
    rows = [n for n in table.index if table.level[n] == "symptom" and not n.endswith("_dimension")]
    values = effect.draws["perturbed"].sel(readout=rows).values.T
    return rows, values


def report(args, names, found, by_state, reference, people, began) -> list[str]:
    short = [name.removeprefix("disorder_") for name in names]
    rows = [r for r in symptom_draws(found[short[0]])[0] if all(r in found[s].table.index for s in short)]
    cube = np.array([found[s].draws["perturbed"].sel(readout=rows).values.T for s in short])
    lines = [
        "# Symptoms of disorders", "",
        f"`python benchmarks/symptom_profiles.py --draws {args.draws}`; seed 0, embedded brain.", "",
        "Symptoms in healthy sd, median over draws (`*`: 90 % of draws on one side); what a readout adds",
        "saturates at 5 sd. Share of draws in which the disorder is stable in brackets.", "",
    ]  # fmt: skip
    stable = {s: np.mean([o.stable for o in by_state[s]]) for s in short}
    lines += ["| symptom | " + " | ".join(f"{s} ({stable[s]:.0%})" for s in short) + " |",
              "|---" * (len(short) + 1) + "|"]  # fmt: skip
    middle = np.nanmedian(cube, axis=1)
    sure = np.maximum((cube > 0).sum(1), (cube < 0).sum(1)) >= 0.9 * np.isfinite(cube).sum(1)
    for j, row in enumerate(rows):
        cells = [f"{middle[d, j]:+.2f}{'*' if sure[d, j] else ''}" for d in range(len(short))]
        lines.append(f"| {plain(row)} | " + " | ".join(cells) + " |")
    single = [j for j, row in enumerate(rows) if not composite(row)]
    known = np.isfinite(cube[:, :, single]).all(-1).sum(1)
    if known.min() > 1:
        parts = split(cube[:, :, single])
        low, high = interval(cube[:, :, single])
        lines += [
            "", "## Shared and specific", "",
            f"Of the mean square of effects, {parts.shared:.2f} is shared by all disorders and "
            f"{parts.specific:.2f} specific (noise of draws {parts.noise:.2f}); share {parts.share:.0%}, "
            f"90 % of a bootstrap over draws {low:.0%} to {high:.0%}, from {known.min()} to {known.max()} "
            f"draws of each and {len(single)} symptoms (those read from other symptoms alone left out).", "",
            "Similarity of profiles (cosine, noise of draws left out; an estimate, which may pass 1):", "",
            "| | " + " | ".join(short) + " |", "|---" * (len(short) + 1) + "|",
        ]  # fmt: skip
        for d, s in enumerate(short):
            lines.append(f"| {s} | " + " | ".join(f"{x:+.2f}" for x in parts.similarity[d]) + " |")
    lines += mood_lines(by_state)
    lines += convergence(found, reference, people, by_state)
    lines += dose_lines(found, [rows[j] for j in single])
    picture(short, rows, middle)
    lines += ["", f"{(time.time() - began) / 60:.1f} min."]
    return lines


def mood_lines(by_state) -> list[str]:
    lines = ["", "## Moods of one person", "",
             f"Tones x {TONE:g} (mania) and / {TONE:g} (depression) on the bipolar profile, by draw.", "",
             "| readout | euthymia | mania | depression | mania - depression, 90 % of draws | one sign |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name in STATE_SPECIFIC:
        bd, up, down = (columns(by_state[s], name) for s in ("bd", "mania", "depression"))
        gap = (up - down)[np.isfinite(up - down)]
        if len(gap):
            share = max(np.mean(gap > 0), np.mean(gap < 0))
            low, high = np.percentile(gap, (5, 95))
            lines.append(
                f"| {plain(name)} | {np.nanmedian(bd):.3g} | {np.nanmedian(up):.3g} | "
                f"{np.nanmedian(down):.3g} | {low:+.3g} to {high:+.3g} | {share:.0%} |"
            )
    up, down = (columns(by_state[s], "peak_alpha_frequency") for s in ("mania", "depression"))
    lines += ["", "Equal time in both regimes adds a variance of the alpha peak of "
              f"{np.nanmedian((up - down) ** 2 / 4):.3g} Hz^2 (median person)."]  # fmt: skip
    return lines


def convergence(found, reference, people, by_state) -> list[str]:
    """Cosine between lesions of effects in healthy sd, on inference and on networks."""

    def vectors(readouts: tuple[str, ...]) -> np.ndarray:
        sd = {n: spread(columns(people, n) - columns(reference, n)) for n in readouts}
        used = [n for n in readouts if sd[n] > 0]
        return np.array([
            [np.nanmedian(columns(by_state[text], n) - columns(reference, n)) / sd[n] for n in used]
            for text in LESIONS
        ])  # fmt: skip

    def mean_cosine(x: np.ndarray) -> float:
        size = np.linalg.norm(x, axis=1, keepdims=True)
        x = x / np.where(size > 0, size, np.nan)
        c = x @ x.T
        return float(np.nanmean(c[np.triu_indices(len(c), 1)]))

    rng = np.random.default_rng(0)
    lines = ["", "## Do lesions converge?", "",
             "Mean cosine between effects of ten lesions; null: signs of lesions flipped at random.", "",
             "| level | readouts | mean cosine | null, 95th percentile |", "|---|---|---|---|"]  # fmt: skip
    for level, readouts in (("inference", (*QUANTITIES, *WORLDS)), ("networks", NETWORKS)):
        x = vectors(readouts)
        null = [mean_cosine(x * rng.choice((-1, 1), (len(x), 1))) for _ in range(2000)]
        lines.append(f"| {level} | {x.shape[1]} | {mean_cosine(x):+.2f} | {np.percentile(null, 95):+.2f} |")
    return lines


def dose_lines(found, rows) -> list[str]:
    doses = [*(f"scz x {d:g}" for d in DOSES[1:-1]), "scz"]
    graded = {}
    for row in rows:
        values = [0.0, *(found[s].table.value.get(row, np.nan) for s in doses)]
        graded[row] = spearmanr(DOSES, np.abs(values))[0] if np.isfinite(values).all() else np.nan
    good = sum(x >= 0.9 for x in graded.values())
    low = ", ".join(f"{plain(n)} ({x:.2f})" for n, x in graded.items() if not x >= 0.9)
    return ["", "## Doses", "",
            f"Size against the share of the schizophrenia profile (six doses): Spearman >= 0.9 for {good} of "
            f"{len(graded)} symptoms" + (f"; not for {low}." if low else "."), ]  # fmt: skip


def picture(short: list[str], rows: list[str], middle: np.ndarray) -> None:
    drawn, axes = plt.subplots(figsize=(5.2, 0.22 * len(rows) + 1.0))
    most = np.nanpercentile(np.abs(middle), 98)
    image = axes.imshow(middle.T, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto")
    axes.set_xticks(range(len(short)), [s.upper() for s in short])
    axes.set_yticks(range(len(rows)), [plain(r) for r in rows], fontsize=7)
    drawn.colorbar(image, label="healthy sd")
    drawn.tight_layout()
    drawn.savefig(RESULTS / "symptom_profiles.png", dpi=130)


if __name__ == "__main__":
    main()
