"""Recovery of parameters and of models of behaviour from simulated people.

    python benchmarks/recovery.py [--subjects 600] [--confused 60] [--seed 11] [--out FILE.md]

Bar: r >= 0.8 between truth and posterior mean, in 200 people with the usual number of trials, for every
parameter declared identifiable; 90 % intervals cover 90 +- 5 %. People are drawn from the prior of each
model, so ranks of the truth in its posterior are uniform if inference is calibrated (Talts et al. 2018,
arXiv 1804.06788). Coverage is counted in all `--subjects` people (600: +- 2.4 % by chance), beside that of
Laplace's intervals, mode +- 1.645 sd from the curvature there. Models of a family are told apart by
log-evidence, in `--confused` people simulated with each. With --out also a picture.
"""

# ruff: noqa: E402
import argparse
import os
import time
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from synsys.mind.environments import environment_named
from synsys.mind.model import Model
from synsys.mind.models import models
from synsys.mind.posterior import posterior
from synsys.mind.recovery import Recovery, confusion, people_of, scored

FAMILIES = {
    "binary filters": ("rescorla_wagner", "hgf2", "hgf", "ehgf"),
    "Q-learning": ("q_learning", "q_dual", "q_sticky", "q_dual_sticky", "q_dual_sticky_lapse"),
    "working memory": ("rlwm", "rlwm_sticky", "rl_only", "wm_only"),
}
BAR_R, BAR_SUBJECTS = 0.8, 200
COVERED = (0.85, 0.95)


def recovered(model: Model, subjects: int, seed: int) -> tuple[Recovery, pd.DataFrame, dict[str, float]]:
    """Recovery in all people; its table with r of the first `BAR_SUBJECTS`, Laplace's coverage; the cost."""
    start = time.process_time()
    played, truth = people_of(model, subjects, np.random.default_rng(seed))
    found = posterior(model, played, seed=seed)
    took = time.process_time() - start
    out = scored(model, truth, found)
    some = slice(0, BAR_SUBJECTS)
    r200 = [np.corrcoef(truth[some, k], out.estimate[some, k])[0, 1] for k in range(truth.shape[1])]
    sd = np.sqrt(np.einsum("spp->sp", found.cov))
    laplace = (np.abs(truth - found.mode) < 1.6449 * sd).mean(0)
    table = out.table.assign(r200=r200, laplace=laplace)
    cost = {"seconds": took, "ess": float(np.median(found.ess)), "converged": float(found.converged.mean())}
    return out, table, cost


def rows(name: str, table: pd.DataFrame) -> list[str]:
    """Lines of the table of one model."""
    out = []
    for p, row in table.iterrows():
        says, is_ = bool(row["declared"]), bool(min(row["r200"], row["r"]) >= BAR_R)
        verdict = ("yes" if is_ else "no") + (
            "" if says == is_ else ", declared " + ("yes" if says else "no")
        )
        inside = COVERED[0] <= row["coverage"] <= COVERED[1]
        out.append(
            f"| {name} | {p} | {row['r200']:.2f} | {row['r']:.2f} | {verdict} | {row['bias']:+.2f} "
            f"| {row['rmse']:.2f} | {100 * row['coverage']:.1f}{'' if inside else ' (outside)'} "
            f"| {100 * row['laplace']:.1f} | {row['rank_p']:.2f} |"
        )
    return out


def picture(found: dict[str, Recovery], path: Path) -> None:
    """Truth against estimate, one panel a parameter, in units of the prior."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    widest = max(len(models()[name].parameters) for name in found)
    figure, axes = plt.subplots(len(found), widest, figsize=(1.55 * widest, 1.55 * len(found)), squeeze=False)
    for row, (name, one) in zip(axes, found.items(), strict=True):
        mean, sd = models()[name].prior
        for k, axis in enumerate(row):
            if k >= len(mean):
                axis.axis("off")
                continue
            p = models()[name].parameters[k]
            x, y = (one.truth[:, k] - mean[k]) / sd[k], (one.estimate[:, k] - mean[k]) / sd[k]
            axis.plot([-3, 3], [-3, 3], color="0.7", lw=0.7)
            axis.plot(x, y, ".", ms=1.5, alpha=0.5, color="C0" if p.identifiable else "C1")
            axis.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[-2, 0, 2], yticks=[-2, 0, 2])
            axis.tick_params(labelsize=5, length=2)
            axis.set_title(f"{p.name}, r {np.corrcoef(x, y)[0, 1]:.2f}", fontsize=6, pad=2)
        row[0].set_ylabel(name, fontsize=6)
    words = "posterior mean against truth, prior sd from the prior mean; orange: declared not identifiable"
    figure.tight_layout(pad=0.4)
    figure.text(0.99, 0.995, words, fontsize=7, ha="right", va="top")
    figure.savefig(path, dpi=90)


def main() -> None:
    """Recover, confuse, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subjects", type=int, default=600)
    parser.add_argument("--confused", type=int, default=60)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--only", default="", help="models, separated by commas; no confusion then")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    names = [n for n in given.only.split(",") if n] or list(models())
    found: dict[str, Recovery] = {}
    tables: dict[str, pd.DataFrame] = {}
    costs = {}
    for name in names:
        found[name], tables[name], costs[name] = recovered(models()[name], given.subjects, given.seed)
        print("\n".join(rows(name, tables[name])), flush=True)
    joined = pd.concat(tables)
    declared = joined[joined["declared"]]
    bad_r = declared[declared["r200"] < BAR_R]
    modest = joined[~joined["declared"] & (joined[["r200", "r"]].min(axis=1) >= BAR_R)]
    outside = joined[~joined["coverage"].between(*COVERED)]
    uneven = joined[joined["rank_p"] < 0.05 / len(joined)]
    low, high = joined["coverage"].min(), joined["coverage"].max()

    def listed(rows: pd.DataFrame) -> str:
        return ", ".join(f"{m}: {p}" for m, p in rows.index) or "none"

    lines = [
        "# Recovery from simulated people",
        "",
        f"`python benchmarks/recovery.py --subjects {given.subjects} --confused {given.confused} --seed "
        f"{given.seed}`: people drawn from the prior of each model, the usual number of trials of its task, "
        "fitted one by one under that prior. r: truth and posterior mean on the fitted scale, in the first "
        f"{BAR_SUBJECTS} people (the bar: {BAR_R}) and in all, recovered if both reach "
        "it. Bias and rmse in prior sd. Coverage of 90 % "
        "intervals, per cent, of importance samples and of Laplace's approximation. Rank p: "
        "Kolmogorov-Smirnov test that ranks are uniform.",
        "",
        "| bar | measured |",
        "|-|-|",
        f"| r >= {BAR_R} where declared identifiable | {len(declared) - len(bad_r)} of {len(declared)} "
        f"parameters; below: {listed(bad_r)} |",
        f"| declared not identifiable, and r >= {BAR_R} all the same | {listed(modest)} |",
        f"| 90 % intervals cover 85 to 95 % | {len(joined) - len(outside)} of {len(joined)}; range "
        f"{100 * low:.1f} to {100 * high:.1f}; outside: {listed(outside)} |",
        f"| the same of Laplace's intervals | {int(joined['laplace'].between(*COVERED).sum())} of "
        f"{len(joined)}; range {100 * joined['laplace'].min():.1f} to {100 * joined['laplace'].max():.1f} |",
        f"| ranks uniform (0.05, Bonferroni over {len(joined)}) | {len(joined) - len(uneven)} of "
        f"{len(joined)}; not: {listed(uneven)}; least p {joined['rank_p'].min():.3f} |",
        "",
        "## Parameters",
        "",
        "| model | parameter | r (200) | r (all) | recovered | bias | rmse | coverage | Laplace | rank p |",
        "|-|-|-|-|-|-|-|-|-|-|",
        *(line for name in names for line in rows(name, tables[name])),
        "",
        "## Cost",
        "",
        "| model | task | trials | processor s per 100 people | median ess of 1,500 | converged |",
        "|-|-|-|-|-|-|",
        *(
            f"| {n} | {models()[n].task} | {environment_named(models()[n].task).trials} "
            f"| {100 * c['seconds'] / given.subjects:.1f} | {c['ess']:.0f} | {100 * c['converged']:.1f} % |"
            for n, c in costs.items()
        ),
    ]
    if not given.only:
        for family, members in FAMILIES.items():
            table = confusion([models()[n] for n in members], given.confused, seed=given.seed)
            lines += [
                "",
                f"## Told apart: {family}",
                "",
                f"Share of {given.confused} people simulated with a row for whom a column has most evidence.",
                "",
                "| simulated | " + " | ".join(members) + " |",
                "|-" * (len(members) + 1) + "|",
                *(f"| {n} | " + " | ".join(f"{v:.2f}" for v in table.loc[n]) + " |" for n in members),
            ]
            print("\n".join(lines[-len(members) - 2 :]), flush=True)
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")
        picture(found, given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
