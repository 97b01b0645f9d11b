"""Spatial working memory and motion discrimination: health against published people, and dose curves.

    python benchmarks/attractor_tasks.py [--draws 12]

Writes ``benchmarks/results/attractor_tasks.md`` and ``.png``.

* W3: threshold 9.2 % and slope 1.5 of the Weibull function (Wang 2002, Neuron 36:955; recalled). The size of
  the stimulus was set to the threshold; slope, times and accuracy follow.
* W1: raised E/I makes memory drift faster and lets distractors attract it, and the two go together (Murray et
  al. 2014, Cereb Cortex 24:859; Starc et al. 2017; Gold et al. 2020). Nothing is fitted.
* Doses: NMDA receptors of pyramidal or of PV cells, GABA-A synapses; each a factor everywhere, at the mean of
  its prior, once the signaling network has settled.
"""

# ruff: noqa: E402
import argparse
import os
import time
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from synsys.brain.draws import draws
from synsys.brain.model import BrainModel
from synsys.brain.solution import COARSE, Grid
from synsys.brain.state import HealthyBrain
from synsys.data.embedded import load_embedded
from synsys.knowledge.resolve import parse_perturbation
from synsys.measures.systems import Atlas
from synsys.mind.tasks import decision, working_memory
from synsys.mind.tasks.attractor import STEP, Module, deviates
from synsys.scales.people import person

OUT = Path(__file__).parent / "results"
MEMORY = ("memory_accuracy", "memory_drift", "memory_distractibility")
DECISION = ("decision_threshold", "decision_slope", "decision_accuracy", "decision_time")
DOSES = {
    "NMDA of E": ("nmda_conductance={}:E", "#1b6ca8"),
    "NMDA of PV": ("nmda_conductance={}:PV", "#d1495b"),
    "NMDA of all": ("nmda_conductance={}", "#333333"),
    "GABA-A of PV cells": ("gabaa_pv_conductance={}", "#66a182"),
    "GABA-A": ("gabaa_conductance={}", "#edae49"),
}
FACTORS = (0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1)
RAISED = {"NMDA of PV": 0.8, "GABA-A of PV cells": 0.8, "GABA-A": 0.9}
"""Changes that raise E/I, for W1."""
PUBLISHED_CURRENT = 40.0 * 2.1 * 2e-3 / 25.0 * 52.0
"""40 Hz through AMPA synapses (2.1 nS, 2 ms) onto a leak of 25 nS, 52 mV from reversal (Wang 2002), mV."""


def performed(state, atlas):
    """Scores of both tasks, NaN where absent."""
    found = working_memory.run(state, atlas, 0) | decision.run(state, atlas, 0)
    return {name: found.get(name, np.nan) for name in MEMORY + DECISION}


def changed(brain, what, factor):
    """State after one change."""
    if factor == 1:
        return brain.state
    return brain.perturbed([parse_perturbation(DOSES[what][0].format(factor))], sized=False)


def spread(values):
    """Median and range as text."""
    known = np.asarray(values)[np.isfinite(values)]
    if not len(known):
        return "-"
    return f"{np.median(known):.3g} ({known.min():.3g} to {known.max():.3g})"


def false_memories(brain, atlas, trials=40):
    """Share of trials in which a bump stands on the ring without any cue, after 0.5, 1 and 3 s."""
    module, kappa = working_memory.tuning(brain, working_memory.nodes_of(atlas, working_memory.LOCUS))
    net = working_memory.ring(module, module, kappa)
    steps = round(3000 / STEP)
    course = net.run(steps, None, deviates(7, steps, trials, len(net.share)), net.begin(trials))
    seen = np.abs(working_memory.vector(course.rates)) > working_memory.HELD
    return [float(seen[round(t / STEP) - 1].mean()) for t in (500, 1000, 3000)]


def part_tuned(brains, atlas, share):
    """W1 where only a share of E cells is on the ring: log ratio of drift, change of distractibility."""
    nodes = working_memory.nodes_of(atlas, working_memory.LOCUS)
    out = {}
    for brain in brains:
        module, kappa = working_memory.tuning(brain, nodes, share)
        here = working_memory.scores(working_memory.ring(module, module, kappa, share), 0)
        for what, factor in RAISED.items():
            ill = Module.of(changed(brain, what, factor), nodes)
            there = working_memory.scores(working_memory.ring(ill, module, kappa, share), 0)
            out.setdefault(what, []).append(
                [
                    np.log(there.get("memory_drift", np.nan) / here.get("memory_drift", np.nan)),
                    there.get("memory_distractibility", np.nan) - here.get("memory_distractibility", np.nan),
                ]
            )
    return {what: np.array(values) for what, values in out.items()}


def table(head, rows):
    """Markdown."""
    return "\n".join(["| " + " | ".join(r) + " |" for r in (head, ["---"] * len(head), *rows)]) + "\n"


def signs(values):
    """How many of the known are above 0."""
    known = values[np.isfinite(values)]
    return f"{(known > 0).sum()} of {len(known)}"


def main():
    """Run and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=12)
    number = parser.parse_args().draws
    model = BrainModel(load_embedded())
    atlas = Atlas(Grid(model, COARSE))
    brains = [HealthyBrain(model, draw) for draw in draws(number)]
    nodes = working_memory.nodes_of(atlas, working_memory.LOCUS)
    parietal = working_memory.nodes_of(atlas, decision.LOCUS)

    text = ["# Attractor tasks\n", f"`python benchmarks/attractor_tasks.py --draws {number}`\n"]
    timed = {}
    for name, task, locus in (("memory", working_memory, nodes), ("decision", decision, parietal)):
        start = time.process_time()
        for brain in brains:
            task.tuning(brain, locus)
        middle = time.process_time()
        for brain in brains:
            task.run(brain.state, atlas, 0)
        timed[name] = (middle - start) / number, (time.process_time() - middle) / number
    text.append(
        "Processor seconds a state: memory {:.2f}, decision {:.2f}; once for each healthy brain, to set "
        "tuned recurrence: {:.2f} and {:.2f}.\n".format(
            timed["memory"][1], timed["decision"][1], timed["memory"][0], timed["decision"][0]
        )
    )

    healthy = [performed(brain.state, atlas) for brain in brains]
    other = [decision.run(brain.state, atlas, 1) for brain in brains]
    people = [
        performed(person(brain, (0, 100 * i + k)), atlas) for k, brain in enumerate(brains) for i in (0, 1)
    ]
    published = {
        "decision_threshold": "9.2 (stimulus set to it)", "decision_slope": "1.5, bar +-20 %",
        "decision_time": "about 0.3 to 0.8 s less motor time (monkeys, recalled)",
        "memory_drift": "noise set to about 4 to 5",
    }  # fmt: skip
    text.append("\n## Health\n\nMedian (range) over draws, and over healthy people (two of each draw).\n")
    text.append(
        table(
            ["score", "draws", "people", "published"],
            [
                [n, spread([h[n] for h in healthy]), spread([p[n] for p in people]), published.get(n, "")]
                for n in MEMORY + DECISION
            ],
        )
    )
    text.append(
        "\nWith other trials (seed 1): threshold "
        + spread([o["decision_threshold"] for o in other])
        + ", slope "
        + spread([o["decision_slope"] for o in other])
        + ".\n"
    )
    kept, decision.MOTION = decision.MOTION, PUBLISHED_CURRENT
    faint = [decision.run(brain.state, atlas, 0) for brain in brains[:6]]
    decision.MOTION = kept
    text.append(
        f"\nWith the published stimulus itself ({PUBLISHED_CURRENT:.2f} mV in place of {kept:g}): threshold "
        f"{spread([f['decision_threshold'] for f in faint])} %, accuracy "
        f"{spread([f['decision_accuracy'] for f in faint])}.\n"
    )
    false = np.array([false_memories(brain, atlas) for brain in brains])
    text.append(
        "\nWithout any cue, share of trials with a bump after 0.5, 1 and 3 s: "
        + ", ".join(spread(column) for column in false.T)
        + ".\n"
    )

    doses = {
        what: {
            factor: [performed(changed(brain, what, factor), atlas) for brain in brains] for factor in FACTORS
        }
        for what in DOSES
    }

    text.append("\n## W1: raised E/I\n")
    rows, moved = [], []
    for what, factor in RAISED.items():
        there = doses[what][factor]
        drift = np.array([np.log(t[MEMORY[1]] / h[MEMORY[1]]) for t, h in zip(there, healthy, strict=True)])
        pull = np.array([t[MEMORY[2]] - h[MEMORY[2]] for t, h in zip(there, healthy, strict=True)])
        moved.append(np.stack([drift, pull], 1))
        rows.append([f"{what} x {factor}", spread(np.exp(drift)), signs(drift), spread(pull), signs(pull)])
    head = ["change", "drift, ratio", "faster", "shift to distractor, deg more", "more"]
    text.append(table(head, rows))
    both = np.concatenate(moved)
    both = both[np.isfinite(both).all(1)]
    known = np.array([[np.log(p[MEMORY[1]]), p[MEMORY[2]]] for p in people if np.isfinite(p[MEMORY[1]])])
    text.append(
        f"\nDrift and distractibility correlate r = {np.corrcoef(known.T)[0, 1]:.2f} over {len(known)} "
        f"healthy people; their changes r = {np.corrcoef(both.T)[0, 1]:.2f} over draws and changes.\n"
    )
    text.append("\nWith half of the cells on the ring, the other half without preference:\n")
    half = part_tuned(brains, atlas, 0.5)
    text.append(
        table(
            head,
            [
                [
                    f"{w} x {RAISED[w]}",
                    spread(np.exp(v[:, 0])),
                    signs(v[:, 0]),
                    spread(v[:, 1]),
                    signs(v[:, 1]),
                ]
                for w, v in half.items()
            ],
        )
    )

    text.append(
        "\n## Doses\n\nMedian over draws; accuracy of memory counts lost ones, the others those held.\n"
    )
    for what in DOSES:
        rows = []
        for factor in FACTORS:
            values = [[s[n] for s in doses[what][factor]] for n in MEMORY + DECISION]
            known = [np.array(v)[np.isfinite(v)] for v in values]
            rows.append([f"{factor:g}", *(f"{np.median(v):.3g}" if len(v) else "-" for v in known)])
        text.append(f"\n{what}\n\n" + table(["factor", *MEMORY, *DECISION], rows))

    OUT.mkdir(exist_ok=True)
    (OUT / "attractor_tasks.md").write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))
    picture(brains[0], atlas, doses, OUT / "attractor_tasks.png")


def picture(brain, atlas, doses, path):
    """A trial, what noise does, a distractor by its distance, choices, and doses."""
    figure, axes = plt.subplots(2, 4, figsize=(17, 7.5), layout="constrained")
    nodes = working_memory.nodes_of(atlas, working_memory.LOCUS)
    healthy, kappa = working_memory.tuning(brain, nodes)
    net = working_memory.ring(healthy, healthy, kappa)
    states = {"health": brain.state} | {
        f"{what} x {factor}": changed(brain, what, factor)
        for what, factor in (("NMDA of E", 0.9), ("NMDA of PV", 0.7), ("GABA-A of PV cells", 0.8))
    }
    colours = dict(zip(states, ("#999999", "#1b6ca8", "#d1495b", "#66a182"), strict=True))
    end = working_memory.CUE_TIME + working_memory.DELAY
    steps = round(end / STEP)
    cue = working_memory.shown(180.0, working_memory.CUE, net)
    second = working_memory.shown(240.0, working_memory.DISTRACTOR, net)
    begin, over = (working_memory.CUE_TIME + t for t in working_memory.DISTRACTED)
    current = working_memory.during(cue, 0.0, working_memory.CUE_TIME, steps)
    current = current + working_memory.during(second, begin, over, steps)
    seen = net.run(steps, current, deviates(3, steps, 1, working_memory.POOLS), net.begin(1)).rates[:, 0]
    image = axes[0, 0].imshow(
        seen.T, aspect="auto", origin="lower", extent=(0, end / 1e3, 0, 360), vmax=80, cmap="magma"
    )
    figure.colorbar(image, ax=axes[0, 0], label="rate (Hz)")
    axes[0, 0].set(
        title="One trial: cue at 180, distractor at 240 deg", xlabel="time (s)", ylabel="pool (deg)"
    )
    for name, state in states.items():
        ill = working_memory.ring(Module.of(state, nodes), healthy, kappa)
        plain, _ = working_memory.perform(ill, 0)
        error = np.rad2deg(np.angle(plain[:, np.abs(plain[-1]) > working_memory.HELD]))
        t = 1e-3 * STEP * np.arange(len(error))
        axes[0, 1].plot(t, (error**2).mean(1), color=colours[name], label=name)
        aways = np.arange(15.0, 181.0, 15.0)
        pull = []
        for away in aways:
            alone, distracted = working_memory.perform(ill, 0, away=away, trials=24)
            moved = working_memory.separation(
                np.rad2deg(np.angle(distracted)), np.rad2deg(np.angle(alone[-1, :12]))
            )
            pull.append(moved.mean() if np.abs(distracted).mean() > working_memory.HELD else np.nan)
        axes[0, 2].plot(aways, pull, "o-", ms=3, color=colours[name])
    axes[0, 1].set(title="Memory drifts", xlabel="delay (s)", ylabel="squared error (deg$^2$)")
    axes[0, 1].legend(fontsize=7)
    axes[0, 2].set(title="Distractors", xlabel="distance from cue (deg)", ylabel="shift of report (deg)")
    parietal = working_memory.nodes_of(atlas, decision.LOCUS)
    module, kappa = decision.tuning(brain, parietal)
    level = np.geomspace(2, 80, 50)
    fine = np.array([1.6, 3.2, 6.4, 12.8, 25.6, 51.2])
    for name, state in states.items():
        chosen, _ = decision.perform(decision.pools(Module.of(state, parietal), module, kappa), 0, fine)
        axes[0, 3].semilogx(fine, chosen.mean(1), "o-", ms=3, color=colours[name])
    axes[0, 3].semilogx(level, decision.weibull(level, 9.2, 1.5), "k--", lw=1, label="Weibull, 9.2 % and 1.5")
    axes[0, 3].set(title="Choices", xlabel="coherence (%)", ylabel="proportion correct", ylim=(0.45, 1.02))
    axes[0, 3].legend(fontsize=7)
    panels = (
        ("memory_accuracy", "memory accuracy"), ("memory_drift", "drift (deg$^2$/s)"),
        ("memory_distractibility", "shift to distractor (deg)"), ("decision_threshold", "threshold (%)"),
    )  # fmt: skip
    for ax, (name, label) in zip(axes[1], panels, strict=True):
        for what, (_, colour) in DOSES.items():
            values = np.array([[s[name] for s in doses[what][f]] for f in FACTORS], float)
            known = np.isfinite(values).sum(1) >= values.shape[1] / 2
            middle = [np.nanmedian(v) if k else np.nan for v, k in zip(values, known, strict=True)]
            ax.plot(FACTORS, middle, "o-", ms=3, color=colour, label=what)
        ax.set(xlabel="factor on conductance", ylabel=label)
    axes[1, 3].set_yscale("log")
    axes[1, 3].set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
    axes[1, 3].minorticks_off()
    axes[0, 3].set_xticks(fine, [f"{c:g}" for c in fine])
    axes[0, 3].minorticks_off()
    axes[1, 0].legend(fontsize=7)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
