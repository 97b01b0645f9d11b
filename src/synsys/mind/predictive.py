"""Does a fitted model describe what people do? Predictions of each choice against the choice.

At every trial the model, having seen all trials before it, gives probabilities of the options. If they are
right, the log-probability of what was chosen, and how often the last choice is repeated, differ from what
is expected by no more than chance; both come as z values with known mean and variance (the conditional
terms form a martingale). The parameters are the posterior means, fitted to the same choices, so z is a
little conservative about misfit.
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
        what was chosen, ``expected_log_p``, ``z_log_p``; ``repeats`` share of repeated choices,
        ``expected_repeats``, ``z_repeats``; ``accuracy`` share of choices that were the most probable. NaN
        for models whose response is a number.
    """
    choice = model.choices[0]
    if not choice.options:
        return pd.DataFrame(index=list(trials.subjects))
    p = probabilities(model, trials, theta)
    taken = trials.columns[choice.column]
    made = (taken >= 0) & trials.used
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
        rows.append(
            {
                "choices": len(at), "log_p": got.mean(), "expected_log_p": expected.mean(),
                "z_log_p": (got - expected).sum() / np.sqrt(max(variance.sum(), 1e-12)),
                "repeats": again.mean() if len(again) else np.nan,
                "expected_repeats": chance.mean() if len(again) else np.nan,
                "z_repeats": (again - chance).sum() / np.sqrt(max((chance * (1 - chance)).sum(), 1e-12)),
                "accuracy": (q.argmax(1) == c).mean(),
            }
        )  # fmt: skip
    return pd.DataFrame(rows, index=list(trials.subjects))
