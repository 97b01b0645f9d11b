"""Two tasks and questionnaires online (Zorowitz, Solis, Niv & Bennett 2023, Nat Hum Behav)."""

from pathlib import Path

import numpy as np
import pandas as pd
from _association import two_sided
from _behaviour import DATA, QUALITY, SAMPLES, associations, compared, quality, table

from synsys.genome.genesets import false_discovery, holm
from synsys.mind.group import fit_group, held_out
from synsys.mind.model import Model
from synsys.mind.models import models
from synsys.mind.posterior import posterior
from synsys.mind.predictive import probabilities
from synsys.mind.trials import Trials, trials_from

Q_FAMILY = ("q_learning", "q_dual", "q_sticky", "q_dual_sticky", "q_dual_sticky_lapse")


def online(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trials, and one row a person (in the order of trials): symptoms and checks of attention."""
    folder = DATA / f"behaviour_{name}_symptoms_dev"
    frame = pd.read_csv(folder / "trials.csv.gz")
    people = pd.read_csv(folder / "scores.csv").merge(
        pd.read_csv(folder / "metrics.csv").drop(columns="platform"), on="subject", how="outer"
    )
    return frame, people.set_index("subject").reindex(frame["subject"].drop_duplicates())


def symptom_tables(
    model: Model,
    trials: Trials,
    people: pd.DataFrame,
    symptoms: tuple[str, ...],
    plain: dict[str, np.ndarray],
) -> list[str]:
    """Associations with and without careless people, of parameters and of plain measures of behaviour."""
    known = people[list(symptoms)].notna().all(axis=1).to_numpy() & people["infreq"].notna().to_numpy()
    careful = known & (people["infreq"] == 0).to_numpy()
    rows, summary, lines = [], [], []
    found = {}
    for name, who in (("careful", careful), ("all", known)):
        at = np.flatnonzero(who)
        base = fit_group(model, trials.part(at), samples=SAMPLES)
        x = {s: people[s].to_numpy(float)[at] for s in symptoms}
        found[name] = associations(model, trials.part(at), x, base)
        r = pd.DataFrame({k: {s: np.corrcoef(v[at], x[s])[0, 1] for s in symptoms} for k, v in plain.items()})
        z = np.arctanh(r) * np.sqrt(len(at) - 3)
        p = two_sided(z.to_numpy()).ravel()
        told = found[name]
        counts = [(told[k] < 0.05).sum() for k in ("p", "bh", "holm")]
        counts += [p.size, *((q < 0.05).sum() for q in (p, false_discovery(p), holm(p)))]
        summary.append(
            [f"{name} ({len(at)})", str(len(told)), *map(str, counts), f"{np.abs(told['z']).mean():.2f}",
             "yes" if told["settled"].all() else "no"]
        )  # fmt: skip
        found[name + " r"] = r
    head = ["people", "tests of parameters", "p < 0.05", "BH", "Holm", "tests of plain measures", "p < 0.05"]
    lines += table([*head, "BH", "Holm", "mean |z| of parameters (0.80 by chance)", "settled"], summary)
    a, b = found["careful"], found["all"]
    for (_, one), (_, two) in zip(a.iterrows(), b.iterrows(), strict=True):
        if min(one["p"], two["p"]) < 0.05:
            mark = "" if one["identifiable"] else " (not identifiable)"
            rows.append([f"{one['regressor']} on {one['parameter']}{mark}", _effect(one), _effect(two)])
    lines += [
        "Change of a parameter with one sd of a symptom, in its sd between people (95 %), where p < 0.05 in "
        "either:",
        "",
    ]
    lines += table(["", "careful alone", "careless included"], rows)
    rows = [
        [s, *(f"{found['careful r'].loc[s, k]:+.2f} / {found['all r'].loc[s, k]:+.2f}" for k in plain)]
        for s in symptoms
    ]
    lines += ["Correlation with plain measures, careful alone / careless included:", ""]
    return lines + table(["", *plain], rows)


def _effect(q: pd.Series) -> str:
    low, high = ((q["b"] + k * q["se"]) / q["sd"] for k in (-1.96, 1.96))
    told = f"{q['b'] / q['sd']:+.2f} ({low:+.2f} to {high:+.2f})"
    return f"{told}, p {q['p']:.3f}, BH {q['bh']:.2f}, Holm {q['holm']:.2f}"


def reversal_part(folder: Path | None) -> list[str]:
    """The reversal task of Zorowitz et al. 2023."""
    frame, people = online("reversal")
    one = frame.drop(columns="block")
    groups, trials = {}, {}
    known = people["infreq"].notna().to_numpy()
    careful = np.flatnonzero(known & (people["infreq"] == 0).to_numpy())
    for n in Q_FAMILY:
        trials[n] = trials_from(one, models()[n])
        groups[n] = fit_group(models()[n], trials[n].part(careful), samples=SAMPLES)
    parted = trials_from(frame, models()["q_dual_sticky"])
    again = fit_group(models()["q_dual_sticky"], parted.part(careful), samples=SAMPLES)
    anew = again.evidence - groups["q_dual_sticky"].evidence
    held = {n: held_out(models()[n], trials[n].part(careful), folds=3, samples=SAMPLES) for n in Q_FAMILY}
    best = max(held, key=lambda n: held[n].sum())
    use = "q_dual_sticky"
    plain = {
        "share of best choices": frame.groupby("subject", sort=False)["accuracy"].mean().to_numpy(),
        "win-stay lose-shift": people["wsls"].to_numpy(float),
    }
    return [
        "## Reversal learning and symptoms (Zorowitz et al. 2023)",
        "",
        f"{len(people)} people, 90 trials; {int((~known).sum())} without the check of attention left out of "
        f"all analyses of symptoms, {int((people['infreq'] > 0).sum())} careless (a failed check). Models on "
        f"the {len(careful)} careful. Values are carried over the reversals, of which people are not told; "
        f"begun anew at each the evidence of q_dual_sticky changes by {anew:+.0f}.",
        "",
        *table(QUALITY, [quality(n, groups[n], trials[n].part(careful)) for n in Q_FAMILY]),
        *compared(groups, held, {}),
        f"Best for people left out: {best}. Symptoms with {use} (its parameters are the question; chosen "
        "beforehand), each symptom alone as regressor of the group's mean.",
        "",
        *symptom_tables(
            models()[use], trials[use], people, ("7u", "7d", "gad7", "pswq", "bis", "bas", "shaps"), plain
        ),
    ]


def twostep_part(folder: Path | None) -> list[str]:
    """The two-step task of Zorowitz et al. 2023."""
    frame, people = online("twostep")
    frame = frame[frame["trial"] > 0]
    model = models()["two_step"]
    trials = trials_from(frame, model)
    known = people["infreq"].notna().to_numpy()
    careful = np.flatnonzero(known & (people["infreq"] == 0).to_numpy())
    some = trials.part(careful)
    group = fit_group(model, some, samples=SAMPLES)
    stays = stay(model, some, group.posterior.mean)
    native = model.native(group.coefficient[:1])[0]
    rows = [
        [
            p.name,
            f"{native[k]:.2f}",
            f"{group.coefficient[0, k]:+.2f} +- {group.error[0, k]:.2f}",
            f"{group.sd[k]:.2f}",
        ]
        for k, p in enumerate(model.parameters)
    ]
    whole = stay(model, trials, posterior(model, trials, samples=SAMPLES).mean)
    effect = {
        "model-based stay": _contrast(whole["each"], (1, -1, -1, 1)),
        "model-free stay": _contrast(whole["each"], (1, -1, 1, -1)),
        "win-stay lose-shift": people["wsls"].to_numpy(float),
    }
    return [
        "## Two-step task and symptoms (Zorowitz et al. 2023)",
        "",
        f"{len(people)} people; practice (trial 0) and trials without an answer dropped, "
        f"{int(trials.used.sum()):,} trials left; {int((~known).sum())} without the check of attention, "
        f"{int((people['infreq'] > 0).sum())} careless. The model on the {len(careful)} careful.",
        "",
        *table(QUALITY, [quality("two_step", group, some)]),
        *table(["parameter", "group's median", "group's mean, fitted scale", "sd between people"], rows),
        "Probability of the same first choice after the transition and reward before, data / model:",
        "",
        *table(["common, reward", "common, none", "rare, reward", "rare, none"],
               [[f"{a:.3f} / {b:.3f}" for a, b in zip(stays["data"], stays["model"], strict=True)]]),
        "Each symptom alone as regressor of the group's mean; artistic and greed are decoys.",
        "",
        *symptom_tables(
            model, trials, people, ("mania", "depression", "anxiety", "artistic", "greed"), effect
        ),
    ]  # fmt: skip


def stay(model: Model, trials: Trials, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Repeated first choices after (common, reward), (common, none), (rare, reward), (rare, none)."""
    c, reward = trials.columns["choice1"], trials.columns["reward"]
    common = trials.columns["state2"] == c
    p = probabilities(model, trials, theta)
    before = np.take_along_axis(p[:, 1:], np.maximum(c[:, :-1], 0).astype(int)[..., None], 2)[..., 0]
    good = (trials.used[:, 1:]) & (c[:, 1:] >= 0) & (c[:, :-1] >= 0)
    same = c[:, 1:] == c[:, :-1]
    out: dict[str, list] = {"data": [], "model": [], "each": []}
    for is_common in (True, False):
        for paid in (1, 0):
            cell = good & (common[:, :-1] == is_common) & (reward[:, :-1] == paid)
            out["data"].append(same[cell].mean())
            out["model"].append(before[cell].mean())
            out["each"].append(np.where(cell, same, 0).sum(1) / np.maximum(cell.sum(1), 1))
    return {k: np.array(v) for k, v in out.items()}


def _contrast(cells: np.ndarray, weights: tuple[int, ...]) -> np.ndarray:
    return np.array(weights) @ cells / 2
