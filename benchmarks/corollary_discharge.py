"""N100 to tones of one's own press and played back: suppression, groups, and accounts of it out of sample.

Usage: python benchmarks/corollary_discharge.py [--bootstraps 4000]

Public single-trial amplitudes of people with schizophrenia and without a diagnosis (Ford et al. 2014,
Schizophr Bull 40:804), mean of Fz, FCz and Cz. Accounts (`mind.corollary_discharge`) are hierarchical
models of single trials, fitted to the odd trials of every person and scored on the even ones, and the other
way round.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from _brains import DATA
from scipy.stats import ttest_ind

from synsys.core.output import write_whole
from synsys.mind.corollary_discharge import PLAYBACK, PRESS, PRESS_TONE, Account, relative_precision
from synsys.mind.single_trials import Fit, Trials, fit, log_predictive, trials

FILE = DATA / "erp_corollary_discharge_dev" / "single_trial_amplitudes.csv.gz"
RESULTS = Path(__file__).parent / "results"
SITES = ["Fz_N100", "FCz_N100", "Cz_N100"]
GROUPS = ("controls", "patients")
RATES = (0.02, 0.05, 0.1, 0.2, 0.5)
SHARES = np.arange(0.0, 0.96, 0.05)
ACCOUNTS = (
    Account("no suppression"),
    Account("adaptation, no suppression", adapting=True),
    Account("one precision for all", "one"),
    Account("own precision", "own"),
    Account("own precision, no potential of the press", "own", motor=False),
    Account("own precision, learned over presses", "own", rate=0.1),
    Account("own precision and adaptation", "own", adapting=True),
)


class People:
    """Single trials of everybody."""

    def __init__(self) -> None:
        table = pd.read_csv(FILE)
        table["y"] = table[SITES].mean(axis=1)
        self.missing = float(table.y.isna().mean())
        self.parts = [part.dropna(subset="y") for _, part in table.groupby("subject")]
        self.group = np.array([int(part.group.iloc[0]) for part in self.parts])

    def trials(self, account: Account, odd: int | None = None) -> Trials:
        """Everybody's trials under an account; odd ones (1), even ones (0) or all."""
        parts = [p if odd is None else p[p.trial % 2 == odd] for p in self.parts]
        return trials(
            [account.design(p.condition.to_numpy(), p.trial.to_numpy()) for p in parts],
            [p.y.to_numpy() for p in parts],
        )

    def best(self, account: Account, odd: int | None, group: np.ndarray | None) -> tuple[Account, Fit]:
        """The account with its own constants at their most likely, from some of the trials."""
        options = [account]
        if account.prediction == "one":
            options = [replace(account, share=float(k)) for k in SHARES]
        elif account.rate is not None:
            options = [replace(account, rate=a) for a in RATES]
        found = [(a, fit(self.trials(a, odd), group)) for a in options]
        return max(found, key=lambda pair: pair[1].log_likelihood)

    def held_out(self, account: Account, groups: bool) -> tuple[np.ndarray, list[Account]]:
        """Log density of everybody's held-out trials, both ways, (P,), and the accounts that were fitted."""
        total, used = np.zeros(len(self.parts)), []
        for odd in (0, 1):
            chosen, found = self.best(account, odd, self.group if groups else None)
            total += log_predictive(found, self.trials(chosen, 1 - odd))
            used.append(chosen)
        return total, used

    def means(self) -> pd.DataFrame:
        """Mean amplitude of every person (rows) and condition, uV."""
        return pd.DataFrame([p.groupby("condition").y.mean() for p in self.parts]).reset_index(drop=True)


def hedges(a: np.ndarray, b: np.ndarray) -> float:
    """Hedges g of a against b."""
    n = len(a) + len(b)
    pooled = np.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (n - 2))
    return float((a.mean() - b.mean()) / pooled * (1 - 3 / (4 * n - 9)))


def compared(people: People, count: int) -> tuple[list[str], dict[str, np.ndarray]]:
    """Suppression and playback by group with bootstrap intervals over people, and tests of the difference."""
    mean = people.means()
    measures = {
        "N100, press and tone": mean[PRESS_TONE],
        "N100, playback": mean[PLAYBACK],
        "N100, press": mean[PRESS],
        "suppression (press and tone - playback)": mean[PRESS_TONE] - mean[PLAYBACK],
        "suppression without the press's own potential": mean[PRESS_TONE] - mean[PRESS] - mean[PLAYBACK],
    }  # fmt: skip
    tested = list(measures)[1::2] + list(measures)[-1:]
    rng = np.random.default_rng(0)
    who = [np.flatnonzero(people.group == g) for g in (0, 1)]
    drawn = [rng.choice(w, (count, len(w))) for w in who]
    p = {
        k: float(ttest_ind(*(measures[k].to_numpy()[w] for w in who), equal_var=False).pvalue) for k in tested
    }
    order = sorted(tested, key=p.__getitem__)
    holm = np.maximum.accumulate([min(1.0, (len(order) - i) * p[k]) for i, k in enumerate(order)])
    lines = [
        "| uV | controls | patients | patients - controls | g | p (Welch) | p (Holm, three tests) |",
        "|" + "---|" * 7,
    ]
    for name, column in measures.items():
        values = column.to_numpy()
        boots = [values[d].mean(1) for d in drawn]
        cells = [
            f"{values[w].mean():+.2f} [{np.percentile(b, 2.5):+.2f}, {np.percentile(b, 97.5):+.2f}]"
            for w, b in zip(who, boots, strict=True)
        ]
        apart = boots[1] - boots[0]
        test = f"{p[name]:.3f} | {holm[order.index(name)]:.3f}" if name in p else "- | -"
        lines.append(
            f"| {name} | {' | '.join(cells)} | {values[who[1]].mean() - values[who[0]].mean():+.2f} "
            f"[{np.percentile(apart, 2.5):+.2f}, {np.percentile(apart, 97.5):+.2f}] | "
            f"{hedges(values[who[1]], values[who[0]]):+.2f} | {test} |"
        )
    return lines, {k: v.to_numpy() for k, v in measures.items()}


def accounts(people: People) -> list[str]:
    base, _ = people.held_out(ACCOUNTS[0], False)
    lines = ["| account | held-out log density against no suppression (s.e.) | people it serves better | "
             "constants |", "|---|---|---|---|"]  # fmt: skip
    for groups in (False, True):
        for account in ACCOUNTS if not groups else ACCOUNTS[3:4]:
            scored, used = people.held_out(account, groups)
            gain = scored - base
            told = ""
            if account.prediction == "one":
                told = "k = " + ", ".join(f"{a.share:.2f}" for a in used)
            elif account.rate is not None:
                told = "rate = " + ", ".join(f"{a.rate:g}" for a in used)
            name = account.name + (", groups differ in means" if groups else "")
            error = np.sqrt(len(gain)) * gain.std(ddof=1)
            lines.append(
                f"| {name} | {gain.sum():+.1f} ({error:.1f}) | {(gain > 0).sum()} of {len(gain)} | {told} |"
            )
    return lines


def population(people: People, count: int) -> tuple[list[str], Fit]:
    """Group means of the account with own precision, and what they say of precision."""
    account = next(a for a in ACCOUNTS if a.name == "own precision")
    data = people.trials(account)
    found = fit(data, people.group)
    error = found.mean_covariance(data)
    lines = ["| uV (s.e.) | " + " | ".join(account.columns) + " |", "|" + "---|" * 4]
    for g, name in enumerate(GROUPS):
        sd = np.sqrt(np.diagonal(error[g]))
        cells = [f"{m:+.2f} ({s:.2f})" for m, s in zip(found.mean[g], sd, strict=True)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    apart, sd = found.mean[1] - found.mean[0], np.sqrt(np.diagonal(error.sum(0)))
    lines.append(
        "| patients - controls | "
        + " | ".join(f"{c:+.2f} ({s:.2f}), z {c / s:+.1f}" for c, s in zip(apart, sd, strict=True)) + " |"
    )  # fmt: skip
    sd = np.sqrt(np.diagonal(found.covariance))
    lines += [f"| sd between people of a group | {' | '.join(f'{s:.2f}' for s in sd)} |", ""]
    rng = np.random.default_rng(1)
    shares = []
    for g in (0, 1):
        who = np.flatnonzero(people.group == g)
        inverse = np.linalg.inv(data.xx[who])
        plain = (inverse @ data.xy[who][..., None])[..., 0]
        drawn = plain[rng.integers(len(who), size=(count, len(who)))].mean(1)
        shares.append((-found.mean[g, 2] / found.mean[g, 0], -drawn[:, 2] / drawn[:, 0]))
    for name, (share, boots) in zip(GROUPS, shares, strict=True):
        low, high = np.percentile(boots, [2.5, 97.5])
        text = ", ".join(
            "0" if x <= 0 else f"{float(relative_precision(x)):.2f}" if x < 1 else "unbounded"
            for x in (share, low, high)
        )
        lines.append(
            f"- {name}: share of the tone's response that the press takes away k = {share:.2f} "
            f"[{low:.2f}, {high:.2f}]; precision of the efference copy relative to silence (value, ends of "
            f"the interval): {text}"
        )
    low, high = np.percentile(shares[1][1] - shares[0][1], [2.5, 97.5])
    change = shares[1][0] - shares[0][0]
    lines.append(f"- difference of k, patients - controls: {change:+.2f} [{low:+.2f}, {high:+.2f}]")
    return lines, found


def recovered(people: People, found: Fit, seed: int = 2) -> str:
    """Whether one person's suppression can be told: simulated people, and halves of the real ones."""
    account = next(a for a in ACCOUNTS if a.name == "own precision")
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(found.covariance)
    designs, answers, own = [], [], []
    for _ in range(4):  # four samples of as many people, to have 200
        for part, g, noise in zip(people.parts, people.group, found.noise, strict=True):
            x = account.design(part.condition.to_numpy(), part.trial.to_numpy())
            own.append(found.mean[g] + root @ rng.standard_normal(3))
            designs.append(x)
            answers.append(x @ own[-1] + np.sqrt(noise) * rng.standard_normal(len(x)))
    again = fit(trials(designs, answers), np.tile(people.group, 4))
    r = [float(np.corrcoef(again.own[:, k], np.array(own)[:, k])[0, 1]) for k in range(3)]
    halves = [fit(people.trials(account, odd), people.group).own for odd in (0, 1)]
    plain = [people.trials(account, odd) for odd in (0, 1)]
    raw = [np.linalg.solve(d.xx, d.xy[..., None])[..., 0] for d in plain]
    split = float(np.corrcoef(raw[0][:, 2], raw[1][:, 2])[0, 1])
    shrunk = float(np.corrcoef(halves[0][:, 2], halves[1][:, 2])[0, 1])
    return (
        f"Recovery in {len(own)} simulated people, r of true and estimated: "
        + ", ".join(f"{name} {x:.2f}" for name, x in zip(account.columns, r, strict=True))
        + f". Odd against even trials of real people, prediction: r {split:.2f} (least squares), "
        f"{shrunk:.2f} (hierarchical, raised by what halves share: group means and correlated "
        "coefficients). Below 0.8 one person's value is not to be read."
    )


def draw(people: People, measures: dict[str, np.ndarray], found: Fit, file: Path) -> None:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    names = list(measures)[3:]
    rng = np.random.default_rng(0)
    for k, name in enumerate(names):
        for g, colour in enumerate(("C0", "C1")):
            values = measures[name][people.group == g]
            x = 2 * k + 0.6 * g
            left.plot(x + rng.uniform(-0.1, 0.1, len(values)), values, ".", color=colour, alpha=0.5)
            error = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
            left.errorbar(
                x + 0.22, values.mean(), error, fmt="o", color=colour, label=None if k else GROUPS[g]
            )
    left.axhline(0, color="k", lw=0.6)
    left.set_xticks([0.3, 2.3], ["press and tone\n- playback", "the same without the\npress's own potential"])
    left.set(ylabel="N100 suppression, uV", title="each person; mean and 95 % interval")
    left.legend(frameon=False)
    for g, colour in enumerate(("C0", "C1")):
        here = people.group == g
        right.plot(-found.own[here, 0], found.own[here, 2], ".", color=colour)
        line = np.array([0.0, 13.0])
        right.plot(line, -found.mean[g, 2] / found.mean[g, 0] * line, color=colour, lw=0.8)
    right.set(
        xlabel="response to playback, uV", ylabel="taken away by the press, uV",
        title="hierarchical estimates; lines: group's share k",
    )  # fmt: skip
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bootstraps", type=int, default=4000)
    args = parser.parse_args()
    if not FILE.is_file():
        parser.exit(2, f"{FILE.name} is absent; set SYNSYS_DEV_DATA\n")
    start = time.process_time()
    people = People()
    first, measures = compared(people, args.bootstraps)
    second = accounts(people)
    third, found = population(people, args.bootstraps)
    count = [int((people.group == g).sum()) for g in (0, 1)]
    lines = [
        "# N100 and tones of one's own press", "",
        f"`python benchmarks/corollary_discharge.py --bootstraps {args.bootstraps}`; {count[0]} controls, "
        f"{count[1]} patients, single trials, mean of Fz, FCz and Cz; {people.missing:.1%} of trials without "
        "amplitude left out. Conditions and groups as the data's README recalls them. Intervals: 95 %, "
        "bootstrap over people within groups.", "",
        "## Amplitudes", "", *first, "",
        "Tested: playback and both ways to take suppression. Published for the whole sample: suppression "
        "smaller in patients (Ford et al. 2014).", "",
        "## Accounts, out of sample", "", *second, "",
        "Sums over people of the joint log density of held-out trials (odd from even and even from odd); "
        "s.e. over people. All hierarchical; means of both groups alike unless said.", "",
        "## Prediction-error account", "", *third, "",
        recovered(people, found), "",
        "![suppression](corollary_discharge.png)", "",
    ]  # fmt: skip
    text = "\n".join(lines)
    print(text)
    print(f"{time.process_time() - start:.0f} s")
    write_whole(RESULTS / "corollary_discharge.md", text)
    draw(people, measures, found, RESULTS / "corollary_discharge.png")


if __name__ == "__main__":
    main()
