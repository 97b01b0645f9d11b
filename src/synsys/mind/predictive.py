"""Does a fitted model describe what people do? Predictions of each choice against the choice.

At every trial the model, having seen all trials before it, gives probabilities of the options. How often
the last choice is repeated, after it paid and after it did not, is compared with what these probabilities
say, as z with known mean and variance (the conditional terms form a martingale difference). Parameters are
fitted to the same choices, which pulls z towards 0: a large z is misfit, a small one no proof. The
log-probability of what was chosen tells nothing in this way, since the fit of a temperature sets it to
what is expected; its z is for parameters that were not fitted to these choices.
"""

import numpy as np
import pandas as pd

from synsys.mind.model import Model
from synsys.mind.scan import trajectory
from synsys.mind.trials import Trials


def probabilities(model: Model, trials: Trials, theta: np.ndarray, stage: int = 0) -> np.ndarray:
    """Probability of every option of a choice at every trial, given the trials before, (S, T, options)."""
    choice = model.choices[stage]
    course = trajectory(model, trials, theta)
    return np.stack([course[f"{choice.column}={k}"] for k in range(choice.options)], -1)


def check(model: Model, trials: Trials, theta: np.ndarray) -> pd.DataFrame:
    """Predicted and observed behaviour of every person.

    Parameters
    ----------
    theta : ndarray, (S, P)
        One set of parameters a person, on the fitted scale.

    Returns
    -------
    DataFrame
        One row a person, for the first choice of a trial: ``choices``; ``log_p`` mean log-probability of
        what was chosen, ``expected_log_p``, ``z_log_p``; ``repeats``, ``win_stay`` and ``lose_stay`` share
        of choices repeated at all, after one that paid, and after one that did not, each with ``expected_``
        and ``z_``; ``accuracy`` share of choices that were the most probable. No columns for models whose
        response is a number.
    """
    choice = model.choices[0]
    if not choice.options:
        return pd.DataFrame(index=list(trials.subjects))
    p = probabilities(model, trials, theta)
    taken = trials.columns[choice.column]
    made = (taken >= 0) & trials.used
    paid = trials.columns["outcome"] == taken if model.wins == "match" else trials.columns[model.wins] > 0
    rows = []
    for i in range(len(trials)):
        at = np.flatnonzero(made[i])
        q = np.clip(p[i, at], 1e-12, 1.0)
        c = taken[i, at].astype(int)
        log_q = np.log(q)
        expected = (q * log_q).sum(1)
        variance = (q * log_q**2).sum(1) - expected**2
        got = log_q[np.arange(len(at)), c]
        follows = (np.diff(at) == 1) & ~trials.begins[i, at[1:]]
        before = c[:-1][follows]
        chance = q[1:][follows][np.arange(len(before)), before]
        again = (c[1:][follows] == before).astype(float)
        won = paid[i, at[:-1]][follows]
        row = {
            "choices": len(at), "log_p": got.mean(), "expected_log_p": expected.mean(),
            "z_log_p": (got - expected).sum() / np.sqrt(max(variance.sum(), 1e-12)),
            "accuracy": (q.argmax(1) == c).mean(),
        }  # fmt: skip
        for name, which in (("repeats", won == won), ("win_stay", won), ("lose_stay", ~won)):
            row |= _compared(name, again[which], chance[which])
        rows.append(row)
    return pd.DataFrame(rows, index=list(trials.subjects))


def _compared(name: str, seen: np.ndarray, chance: np.ndarray) -> dict[str, float]:
    """Share of repeats, what is expected, and z; NaN where there was no occasion."""
    if not len(seen):
        return dict.fromkeys((name, f"expected_{name}", f"z_{name}"), float("nan"))
    sd = np.sqrt(max(float((chance * (1 - chance)).sum()), 1e-12))
    return {
        name: float(seen.mean()), f"expected_{name}": float(chance.mean()),
        f"z_{name}": float((seen - chance).sum() / sd),
    }  # fmt: skip
