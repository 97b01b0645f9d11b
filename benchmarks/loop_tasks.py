"""What disorder profiles and drugs do to fear, reward learning and set shifting.

    python benchmarks/loop_tasks.py [--draws 16]

Writes ``benchmarks/results/loop_tasks.md``. Nothing is fitted to it. An expectation holds where at least 75 %
of the draws (declared) have its sign.
"""

# ruff: noqa: E402
import argparse
import os
import time
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np

from synsys.brain.draws import draws
from synsys.brain.model import BrainModel
from synsys.brain.solution import COARSE, Grid
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain
from synsys.data.embedded import load_embedded
from synsys.measures.systems import Atlas
from synsys.mind.tasks import fear, reward, set_shifting
from synsys.scales.cascade import resolve

RESULTS = Path(__file__).parent / "results" / "loop_tasks.md"
DISORDERS = ("scz", "mdd", "bd", "asd", "anx", "ptsd", "ocd")
CHANGES = (
    "vmpfc_activity=0.8", "hippocampal_circuit_integrity=0.7",
    "striatal_dopamine=0.7", "striatal_dopamine=1.3",
    "d2_occupancy=0.6", "pfc_dopamine=0.7", "nmda_conductance=0.8", "gabaa_conductance=0.9",
)  # fmt: skip
TASKS = (fear.TASK, reward.TASK, set_shifting.TASK)
SHARE = 0.75
EXPECTED = (
    ("disorder_ptsd", "extinction_rate", -1, "PTSD extinguishes more slowly (requirement CM-04)"),
    ("disorder_ptsd", "extinction_recall", -1, "PTSD recalls extinction worse (Milad et al. 2009)"),
    ("vmpfc_activity=0.8", "extinction_rate", -1, "less vmPFC, slower extinction (requirement CM-03)"),
    (
        "disorder_scz",
        "salience_discrimination",
        -1,
        "schizophrenia tells cues apart less (requirement CM-02)",
    ),
    (
        "disorder_scz",
        "neutral_cue_salience",
        1,
        "schizophrenia: neutral cues are salient (Roiser et al. 2009)",
    ),
    ("disorder_scz", "reward_approach", -1, "schizophrenia learns less from reward (Waltz et al. 2011)"),
    ("disorder_scz", "perseverative_errors", 1, "schizophrenia perseverates"),
    ("disorder_scz", "set_shift_accuracy", -1, "schizophrenia shifts set worse"),
    ("disorder_ocd", "perseverative_errors", 1, "OCD perseverates"),
    ("disorder_mdd", "reward_learning", -1, "depression learns less from reward (Pizzagalli et al. 2008)"),
    ("disorder_anx", "fear_acquisition", 1, "anxiety acquires more fear"),
    ("disorder_anx", "extinction_rate", -1, "anxiety extinguishes more slowly"),
    ("striatal_dopamine=0.7", "reward_approach", -1, "less dopamine, less approach (Frank et al. 2004)"),
    ("striatal_dopamine=0.7", "punishment_avoidance", 1, "less dopamine, more avoidance (Frank et al. 2004)"),
    (
        "striatal_dopamine=0.7",
        "bias",
        -1,
        "less dopamine, approach loses against avoidance (Frank et al. 2004)",
    ),
    ("striatal_dopamine=1.3", "bias", 1, "more dopamine, approach wins over avoidance (Frank et al. 2004)"),
    ("d2_occupancy=0.6", "perseverative_errors", 1, "D2 block impairs shifting"),
    ("nmda_conductance=0.8", "set_shift_accuracy", -1, "NMDA hypofunction impairs shifting"),
)


def scores(state, atlas: Atlas, seconds: dict[str, list[float]]) -> dict[str, float]:
    """All scores of one state; choosing A less avoiding B as ``bias``."""
    out: dict[str, float] = {}
    for task in TASKS:
        start = time.perf_counter()
        out |= task.run(state, atlas, 0)
        seconds[task.name].append(time.perf_counter() - start)
    if "reward_approach" in out:
        out["bias"] = out["reward_approach"] - out["punishment_avoidance"]
    return out


def main() -> None:
    """Run all conditions in every draw and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=16)
    count = parser.parse_args().draws
    model = BrainModel(load_embedded())
    atlas = Atlas(Grid(model, COARSE))
    conditions = {f"disorder_{d}": resolve((), f"disorder_{d}") for d in DISORDERS}
    conditions |= {text: resolve(text) for text in CHANGES}
    names = [score.name for task in TASKS for score in task.scores] + ["bias"]
    seconds: dict[str, list[float]] = {task.name: [] for task in TASKS}
    healthy, change = [], {name: [] for name in conditions}
    for draw in draws(count):
        brain = HealthyBrain(model, draw)
        base = scores(brain.state, atlas, seconds)
        healthy.append([base.get(n, np.nan) for n in names])
        for name, perturbations in conditions.items():
            state = brain.perturbed(perturbations)
            known = not state.restless and stability(state, locate=False).stable
            now = scores(state, atlas, seconds) if known else {}
            change[name].append([now.get(n, np.nan) - base.get(n, np.nan) for n in names])
    rows = {name: np.array(values) for name, values in change.items()}
    write(count, names, np.array(healthy), rows, seconds)


def cell(values: np.ndarray) -> str:
    """Median change and the share of draws in which it is positive."""
    known = values[np.isfinite(values)]
    return f"{np.median(known):+.3f} ({(known > 0).mean():.2f})" if len(known) else "-"


def write(count: int, names: list[str], healthy: np.ndarray, rows: dict, seconds: dict) -> None:
    """The page of results."""
    lines = [
        "# Fear, reward and set shifting under disorder profiles and drugs",
        "",
        f"Written by `benchmarks/loop_tasks.py`, {count} draws of the embedded brain, one thread. Cells:",
        "median change from the healthy state of the same draw, in brackets the share of draws in which the",
        "score rises. `bias` is choosing A minus avoiding B. Nothing was fitted to these rows.",
        "",
        "| score | healthy median | 5 to 95 % |",
        "|---|---|---|",
    ]
    for k, name in enumerate(names):
        low, mid, high = np.nanpercentile(healthy[:, k], [5, 50, 95])
        lines.append(f"| `{name}` | {mid:.3f} | {low:.3f} to {high:.3f} |")
    for task in TASKS:
        mine = [score.name for score in task.scores] + (["bias"] if task is reward.TASK else [])
        ms = 1e3 * np.median(seconds[task.name])
        lines += ["", f"## {task.name} ({ms:.0f} ms a state)", ""]
        lines += ["| change | draws | " + " | ".join(mine) + " |", "|---|---|" + "---|" * len(mine)]
        for condition, values in rows.items():
            part = [values[:, names.index(n)] for n in mine]
            known = int(np.isfinite(part[0]).sum())
            lines.append(f"| {condition} | {known} | " + " | ".join(map(cell, part)) + " |")
    lines += ["", "## Expectations", "", "| expectation | share of draws | draws | |", "|---|---|---|---|"]
    for condition, name, sign, what in EXPECTED:
        values = rows[condition][:, names.index(name)]
        known = values[np.isfinite(values)]
        share = (sign * known > 0).mean() if len(known) else np.nan
        verdict = "holds" if share >= SHARE else ("fails" if share <= 0.5 else "undecided")
        lines.append(f"| {what}: `{condition}`, `{name}` | {share:.2f} | {len(known)} | {verdict} |")
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
