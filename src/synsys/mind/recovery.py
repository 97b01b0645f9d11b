"""What a task can tell: parameters and models recovered from simulated people.

People are drawn from the prior of a model, perform its task and are fitted as real ones are. A parameter
that does not come back (r < `ENOUGH` between what was put in and its posterior mean) says little about
anybody. Ranks of the truth in its posterior are uniform if inference is calibrated (Talts et al. 2018,
arXiv 1804.06788).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synsys.core.errors import UserError
from synsys.mind.environments import environment_named, simulate
from synsys.mind.model import Model
from synsys.mind.posterior import Posterior, posterior
from synsys.mind.scan import log_likelihood
from synsys.mind.trials import Trials

ENOUGH = 0.8
"""Correlation of a parameter with its estimate below which it is flagged."""
INTERVAL = 0.9
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Recovery:
    """Recovered parameters.

    Attributes
    ----------
    table : DataFrame
        One row a parameter: ``r``, ``bias`` and ``rmse`` (in prior sd), ``coverage`` of the 90 % intervals,
        ``rank_p`` (Kolmogorov-Smirnov test of uniform ranks), ``declared`` identifiable, ``recovered``.
    truth, estimate, low, high, rank : ndarray, (S, P)
        On the fitted scale.
    """

    table: pd.DataFrame
    truth: np.ndarray
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rank: np.ndarray


def people_of(
    model: Model, subjects: int, rng: np.random.Generator, task: str = "", trials: int | None = None
) -> tuple[Trials, np.ndarray]:
    """People drawn from the prior of a model who perform a task, and their parameters (S, P).

    Somebody in whom the model breaks down (`hgf.valid`) is drawn anew.
    """
    world = environment_named(task or model.task)
    mean, sd = model.prior
    kept: list[tuple[Trials, np.ndarray]] = []
    have = 0
    for _ in range(50):
        theta = mean + sd * rng.standard_normal((subjects, len(mean)))
        played = simulate(model, theta, rng, world, trials)
        fine = np.flatnonzero(np.isfinite(log_likelihood(model, played, theta[:, None])[:, 0]))
        fine = fine[: subjects - have]
        kept.append((played.part(fine), theta[fine]))
        have += len(fine)
        if have >= subjects:
            break
    if have < subjects:
        raise UserError(f"{model.name}: the model breaks down in almost all people of its prior")
    columns = {n: np.concatenate([t.columns[n] for t, _ in kept]) for n in kept[0][0].columns}
    joined = Trials(
        tuple(f"s{i:04d}" for i in range(subjects)), columns,
        np.concatenate([t.length for t, _ in kept]), np.concatenate([t.begins for t, _ in kept]),
    )  # fmt: skip
    return joined, np.concatenate([theta for _, theta in kept])


def recover(
    model: Model, subjects: int = 200, trials: int | None = None, task: str = "", seed: int = 0,
    progress: Progress | None = None,
) -> Recovery:  # fmt: skip
    """Recover the parameters of simulated people.

    Parameters
    ----------
    model : Model
    subjects : int
    trials : int, optional
        The usual number of the task by default.
    task : str
        Environment; that of the model by default.
    seed : int
    progress : callable, optional
        Called with (people fitted, people).
    """
    if subjects < 10:
        raise UserError(f"{subjects} subjects: at least 10 are needed for a correlation")
    played, truth = people_of(model, subjects, np.random.default_rng(seed), task, trials)
    found = posterior(model, played, seed=seed, progress=progress)
    return scored(model, truth, found)


def scored(model: Model, truth: np.ndarray, found: Posterior) -> Recovery:
    """What came back of parameters that are known."""
    from scipy.stats import kstest

    half = (1 - INTERVAL) / 2
    low, high, mean, rank = found.quantile(half), found.quantile(1 - half), found.mean, found.rank(truth)
    sd = model.prior[1]
    rows = []
    for k, p in enumerate(model.parameters):
        r = float(np.corrcoef(truth[:, k], mean[:, k])[0, 1])
        error = (mean[:, k] - truth[:, k]) / sd[k]
        inside = (truth[:, k] >= low[:, k]) & (truth[:, k] <= high[:, k])
        rows.append(
            {
                "r": r, "bias": error.mean(), "rmse": np.sqrt((error**2).mean()), "coverage": inside.mean(),
                "rank_p": float(kstest(rank[:, k], "uniform").pvalue), "declared": p.identifiable,
                "recovered": r >= ENOUGH,
            }
        )  # fmt: skip
    return Recovery(pd.DataFrame(rows, index=list(model.names)), truth, mean, low, high, rank)


def confusion(
    models: Sequence[Model], subjects: int = 50, trials: int | None = None, seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:  # fmt: skip
    """How often each model is found to explain people who follow another.

    Parameters
    ----------
    models : sequence of Model
        With one task in common.
    subjects : int
        People simulated with each.

    Returns
    -------
    DataFrame
        Rows: the model that people follow; columns: share of them for whom a model has the most evidence.

    Raises
    ------
    UserError
        If the models do not read the same trials.
    """
    tasks = {m.task for m in models}
    if len(models) < 2 or len(tasks) > 1:
        given = ", ".join(f"{m.name} ({m.task})" for m in models)
        raise UserError(f"models of one task are needed, at least two; given: {given}")
    rng = np.random.default_rng(seed)
    out = np.zeros((len(models), len(models)))
    for i, true in enumerate(models):
        played, _ = people_of(true, subjects, rng, trials=trials)
        evidence = []
        for j, model in enumerate(models):
            evidence.append(
                posterior(model, with_columns_of(model, played, models), samples=800, seed=seed).evidence
            )
            if progress:
                progress(i * len(models) + j + 1, len(models) ** 2)
        out[i] = np.bincount(np.argmax(evidence, 0), minlength=len(models)) / subjects
    names = [m.name for m in models]
    return pd.DataFrame(out, pd.Index(names, name="simulated"), pd.Index(names, name="found"))


def with_columns_of(model: Model, trials: Trials, others: Sequence[Model]) -> Trials:
    """The trials with the optional columns of a model added; the rest must be there.

    Raises
    ------
    UserError
        If a column is missing.
    """
    columns = dict(trials.columns)
    for name in model.columns:
        if name not in columns:
            if name not in model.optional:
                known = ", ".join(m.name for m in others)
                raise UserError(f"{model.name} needs {name}, which the task of {known} does not give")
            columns[name] = np.full(trials.begins.shape, model.optional[name])
    return Trials(trials.subjects, columns, trials.length, trials.begins)
