"""Reinforcement learning and working memory in schizophrenia (Collins et al. 2014, J Neurosci 34:13747)."""

from pathlib import Path

import numpy as np
import pandas as pd
from _association import auc, interval, left_out, pairs_left_out
from _behaviour import DATA, QUALITY, SAMPLES, associations, compared, fits, left_out_blocks, quality, table

from synsys.mind.environments import environment_named, simulate
from synsys.mind.group import held_out
from synsys.mind.model import Model
from synsys.mind.models import models
from synsys.mind.posterior import Posterior, posterior
from synsys.mind.trials import Trials, trials_from

MEMORY = ("rlwm_sticky", "rlwm", "rl_only", "wm_only")


def rlwm_data() -> tuple[pd.DataFrame, np.ndarray]:
    """Trials, and who has a diagnosis, in the order of subjects."""
    frame = pd.read_csv(DATA / "behaviour_rlwm_schizophrenia_dev" / "trials.csv.gz")
    return frame, frame.groupby("subject", sort=False)["group_sz"].first().to_numpy()


def accuracy(reward: np.ndarray, made: np.ndarray, size: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Share of right choices, group x set size 2 to 6: mean over people."""
    per = np.stack([np.where(made & (size == n), reward, 0).sum(1) for n in range(2, 7)], 1)
    count = np.stack([(made & (size == n)).sum(1) for n in range(2, 7)], 1)
    share = np.where(count > 0, per / np.maximum(count, 1), np.nan)
    return np.stack([np.nanmean(share[label == g], 0) for g in (0, 1)])


def resimulated(model: Model, found: Posterior, trials: Trials, frame: pd.DataFrame, seed: int) -> Trials:
    """The same people with parameters drawn from their posteriors before the same stimuli."""
    rng = np.random.default_rng(seed)
    right = np.zeros(trials.begins.shape)
    for i, (_, rows) in enumerate(frame.groupby("subject", sort=False)):
        right[i, : len(rows)] = rows["correct_action"].to_numpy() - 1
    pick = (rng.random((len(trials), 1)) > np.cumsum(found.weight, 1)).sum(1)
    theta = found.samples[np.arange(len(trials)), np.minimum(pick, found.weight.shape[1] - 1)]
    size = np.maximum(trials.columns["set_size"], 1.0)
    given = {"stimulus": trials.columns["stimulus"], "set_size": size, "_right": right}
    return simulate(model, theta, rng, environment_named("rlwm"), columns={**given, "_begins": trials.begins})


def rlwm_part(folder: Path | None) -> list[str]:
    """The study of Collins et al. 2014."""
    frame, label = rlwm_data()
    trials = {n: trials_from(frame, models()[n], base=1) for n in MEMORY}
    full = trials["rlwm_sticky"]
    size, made = full.columns["set_size"], (full.columns["choice"] >= 0) & full.used
    groups = fits(trials)
    blocks = np.cumsum(full.begins, 1)
    hidden = (blocks % 4 == 0) & full.used
    held = {n: held_out(models()[n], t, folds=3, samples=SAMPLES) for n, t in trials.items()}
    other = {n: left_out_blocks(models()[n], t, hidden) for n, t in trials.items()}
    best = max(held, key=lambda n: held[n].sum())
    lines = [
        "## Reinforcement learning and working memory in schizophrenia (Collins et al. 2014)",
        "",
        f"{int((1 - label).sum())} controls, {int(label.sum())} patients, {int(full.used.sum()):,} trials, "
        f"{int((~made & full.used).sum())} without a choice (kept, not scored); nobody excluded. Group fits "
        "do not know the diagnosis. Left-out people: 3 folds; left-out blocks: every fourth of each person.",
        "",
        *table(QUALITY, [quality(n, groups[n], trials[n]) for n in MEMORY]),
        *compared(groups, held, other),
        f"Best for people left out: {best}.",
        "",
    ]
    seen = accuracy(full.columns["reward"], made, size, label)
    told = {}
    for n in (best, "rl_only"):
        runs = [resimulated(models()[n], groups[n].posterior, full, frame, seed) for seed in range(20)]
        told[n] = np.stack([accuracy(r.columns["reward"], made, size, label) for r in runs])
    rows = []
    for g, name in enumerate(("controls", "patients")):
        rows.append([f"{name}, data", *(f"{v:.3f}" for v in seen[g]), f"{seen[g, 0] - seen[g, -1]:.3f}"])
        for n, runs in told.items():
            low, high = np.quantile(runs[:, g], [0.05, 0.95], 0)
            drop = runs[:, g, 0] - runs[:, g, -1]
            rows.append(
                [f"{name}, {n} simulated", *(f"{a:.3f} - {b:.3f}" for a, b in zip(low, high, strict=True)),
                 f"{np.quantile(drop, 0.05):.3f} - {np.quantile(drop, 0.95):.3f}"]
            )  # fmt: skip
    lines += [
        "Accuracy by set size; simulated: 20 repetitions with parameters drawn from posteriors, 90 % range.",
        "",
    ]
    lines += table(["", "2", "3", "4", "5", "6", "2 less 6"], rows)
    found = associations(models()[best], trials[best], {"patients": label}, groups[best])
    rows = []
    step = np.sqrt(label.mean() * (1 - label.mean()))
    for _, row in found.iterrows():
        b, error = row["b"] / step, row["se"] / step
        rows.append(
            [row["parameter"] + ("" if row["identifiable"] else " (not identifiable)"), f"{b:+.2f}",
             f"{b - 1.96 * error:+.2f} to {b + 1.96 * error:+.2f}",
             f"{b / row['sd']:+.2f}", f"{row['p']:.4f}",
             f"{row['holm']:.3f}", f"{row['bh']:.3f}"]
        )  # fmt: skip
    lines += [f"Patients less controls, {best}, fitted scale; {len(found)} tests.", ""]
    lines += table(
        ["parameter", "difference", "95 % interval", "in sd between people", "p", "Holm", "BH"], rows
    )
    if folder:
        picture(seen, told, folder / "behaviour_data_rlwm.png")
    return lines


def patients_part(folder: Path | None) -> list[str]:
    """Patients against controls, everybody left out once."""
    frame, label = rlwm_data()
    valid = frame[frame["choice"] > 0]
    who = valid.groupby("subject", sort=False)
    naive = np.stack([who["correct"].mean(), who["rt"].mean()], 1)
    features = {"accuracy and reaction time": naive}
    for n in ("rlwm", "rlwm_sticky"):
        trials = trials_from(frame, models()[n], base=1)
        features[f"{n}: all parameters"] = posterior(models()[n], trials, samples=SAMPLES).mean
    features["rlwm and reaction time"] = np.c_[features["rlwm: all parameters"], naive[:, 1]]
    features["rlwm, accuracy and reaction time"] = np.c_[features["rlwm: all parameters"], naive]
    features["accuracy alone"], features["reaction time alone"] = naive[:, :1], naive[:, 1:]
    score = {name: left_out(x, label) for name, x in features.items()}
    rows = []
    for name, s in score.items():
        low, high = interval(s, label)
        size, pairs = str(features[name].shape[1]), pairs_left_out(features[name], label)
        rows.append([name, size, f"{pairs:.3f}", f"{auc(s, label):.3f}", f"{low:.2f} - {high:.2f}"])
    head = ["features", "number", "AUC, pairs left out", "everybody left out once", "95 % of that"]
    return [
        "## Patients against controls (Collins et al. 2014)",
        "",
        "Logistic regression on the others; parameters fitted person by person under the prior of the model, "
        "which knows no group. With every pair of a patient and a control left out, chance is 0.5. Scores "
        "of people left out singly rank too low where a feature says little, since the others' share of "
        "patients then decides (reaction time alone), so they are not tested against each other; interval: "
        "bootstrap. The baseline of about 0.84 that is told of the whole study is not reached in this half.",
        "",
        *table(head, rows),
    ]


def picture(seen: np.ndarray, told: dict[str, np.ndarray], path: Path) -> None:
    """Accuracy by set size, data and simulated."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(told), figsize=(3.2 * len(told), 2.8), sharey=True)
    for axis, (name, runs) in zip(axes, told.items(), strict=True):
        for g, (who, colour) in enumerate((("controls", "C0"), ("patients", "C3"))):
            low, high = np.quantile(runs[:, g], [0.05, 0.95], 0)
            axis.fill_between(range(2, 7), low, high, color=colour, alpha=0.25, lw=0)
            axis.plot(range(2, 7), seen[g], "o-", ms=3, lw=1, color=colour, label=f"{who}, data")
        axis.set_title(f"{name} (bands: simulated)", fontsize=8)
        axis.set(xlabel="set size", xticks=range(2, 7))
    axes[0].set_ylabel("right choices")
    axes[0].legend(fontsize=7, frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
