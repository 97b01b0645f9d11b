"""What the studies of `behaviour_data.py` share: fits, comparisons and tests, as lines of tables."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from _association import two_sided

from synsys.genome.genesets import false_discovery, holm
from synsys.mind.comparison import compare_models
from synsys.mind.group import Group, fit_group
from synsys.mind.model import Model
from synsys.mind.models import models
from synsys.mind.predictive import check
from synsys.mind.scan import log_likelihood
from synsys.mind.trials import Trials

DATA = Path(os.environ.get("SYNSYS_DEV_DATA", Path(__file__).resolve().parents[1].parent / "shared")) / "data"
SAMPLES = 800


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a table."""
    out = ["| " + " | ".join(head) + " |", "|" + "-|" * len(head)]
    return [*out, *("| " + " | ".join(row) + " |" for row in rows), ""]


def fits(trials: dict[str, Trials], samples: int = SAMPLES) -> dict[str, Group]:
    """One group of people fitted with several models."""
    return {name: fit_group(models()[name], t, samples=samples) for name, t in trials.items()}


def quality(name: str, group: Group, trials: Trials) -> list[str]:
    """Convergence of a fit and its predictions, as cells."""
    model, ess = models()[name], group.posterior.ess
    seen = check(model, trials, group.posterior.mean)
    beyond = [100 * (np.abs(seen[f"z_{what}"]) > 1.96).mean() for what in ("win_stay", "lose_stay")]
    return [
        name, "yes" if group.settled else "no", f"{100 * group.posterior.converged.mean():.0f} %",
        f"{np.median(ess):.0f} ({ess.min():.0f})", f"{seen['log_p'].mean():.3f}",
        f"{beyond[0]:.0f} %, {beyond[1]:.0f} %",
        f"{seen['repeats'].mean():.3f} / {seen['expected_repeats'].mean():.3f}",
    ]  # fmt: skip


QUALITY = ["model", "group settled", "modes converged", "ess, median (least)", "log p a choice",
           "people beyond 1.96 in repeats after reward, after none",
           "choices repeated: data / model"]  # fmt: skip


def compared(
    groups: dict[str, Group], held: dict[str, np.ndarray], blocks: dict[str, np.ndarray]
) -> list[str]:
    """Evidence, random-effects comparison and what was left out, of all models."""
    names = list(groups)
    evidence = np.stack([groups[n].posterior.evidence for n in names], 1)
    found = compare_models(evidence)
    best = {k: max(v, key=lambda n: v[n].sum()) for k, v in (("held", held), ("blocks", blocks)) if v}
    rows = []
    for k, n in enumerate(names):
        cells = [n, f"{groups[n].evidence:.1f}", f"{found.frequency[k]:.2f}", f"{found.protected[k]:.3f}"]
        for key, told in (("held", held), ("blocks", blocks)):
            if not told:
                cells.append("-")
                continue
            d = told[n] - told[best[key]]
            error = np.sqrt(len(d)) * d.std(ddof=1)
            cells.append(
                f"{told[n].sum():.1f}" + ("" if n == best[key] else f" ({d.sum():+.1f} +- {error:.1f})")
            )
        rows.append(cells)
    head = ["model", "log-evidence of the group", "frequency", "protected exceedance",
            "log p of left-out people (against the best, +- se)", "log p of left-out blocks"]  # fmt: skip
    return [*table(head, rows), f"Risk that all models are equally frequent: {found.omnibus:.1e}.", ""]


def left_out_blocks(model: Model, trials: Trials, which: np.ndarray) -> np.ndarray:
    """Log-probability of blocks (people, trials) that the fit did not see, over the posterior, (S,)."""
    found = fit_group(model, trials.without(model, which), samples=SAMPLES).posterior
    new = log_likelihood(model, trials, found.samples) - log_likelihood(
        model, trials.without(model, which), found.samples
    )
    top = new.max(1, keepdims=True)
    return np.log((found.weight * np.exp(new - top)).sum(1)) + top[:, 0]


def associations(
    model: Model, trials: Trials, regressors: dict[str, np.ndarray], base: Group
) -> pd.DataFrame:
    """Effect of each regressor alone on the group's mean of every parameter: `b` in sd between people."""
    rows = []
    for name, x in regressors.items():
        z = (x - x.mean()) / x.std()
        found = fit_group(model, trials, {name: z}, samples=SAMPLES, near=base)
        for k, p in enumerate(model.parameters):
            b, error = found.coefficient[1, k], found.error[1, k]
            rows.append(
                {"regressor": name, "parameter": p.name, "b": b, "se": error, "sd": found.sd[k],
                 "z": b / error, "identifiable": p.identifiable, "settled": found.settled}
            )  # fmt: skip
    out = pd.DataFrame(rows)
    out["p"] = two_sided(out["z"].to_numpy())
    out["holm"], out["bh"] = holm(out["p"].to_numpy()), false_discovery(out["p"].to_numpy())
    return out
