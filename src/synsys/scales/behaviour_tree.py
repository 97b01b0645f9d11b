"""Groups of a fit of behaviour, and what it says of itself in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from synsys.mind.comparison import compare_models
from synsys.mind.recovery import ENOUGH
from synsys.mind.scan import trajectory

if TYPE_CHECKING:
    from synsys.mind.group import Group
    from synsys.mind.model import Model
    from synsys.mind.posterior import Posterior
    from synsys.mind.recovery import Recovery
    from synsys.mind.trials import Trials


def parameters(model: Model, group: Group | None, back: Recovery | None) -> xr.Dataset:
    """What is known of every parameter: the group, and whether it comes back."""
    empty = np.full(len(model.names), np.nan)
    typical = [empty] * 3
    if group is not None:
        b, sd = group.coefficient[0], group.sd
        typical = [model.native(b), model.native(b - 1.645 * sd), model.native(b + 1.645 * sd)]
    trust = [
        _trust(p.identifiable, None if back is None else back.table["r"].iloc[k])
        for k, p in enumerate(model.parameters)
    ]
    return xr.Dataset(
        {
            **{n: ("parameter", v) for n, v in zip(("group", "group_lo", "group_hi"), typical, strict=True)},
            "recovery_r": ("parameter", empty if back is None else back.table["r"].to_numpy(float)),
            "recovery_coverage": (
                "parameter",
                empty if back is None else back.table["coverage"].to_numpy(float),
            ),
            "definition": ("parameter", [p.definition for p in model.parameters]),
            "trust": ("parameter", trust),
        },
        {"parameter": list(model.names)},
    )


def _trust(identifiable: bool, r: float | None) -> str:
    if r is None:
        return "" if identifiable else "not identifiable"
    return "" if r >= ENOUGH else f"does not recover (r {r:.2f})"


def people(trials: Trials, found: Posterior) -> xr.Dataset:
    """How well every person was fitted."""
    columns = {"trials": trials.length, "log_p": found.log_p, "evidence": found.evidence,
               "laplace": found.laplace, "ess": found.ess, "converged": found.converged}  # fmt: skip
    return xr.Dataset({n: ("subject", v) for n, v in columns.items()}, {"subject": list(trials.subjects)})


def estimates(model: Model, trials: Trials, found: Posterior) -> xr.Dataset:
    """Parameters of every person."""
    columns = {
        "value": model.native(found.mean), "lo90": model.native(found.quantile(0.05)),
        "hi90": model.native(found.quantile(0.95)), "fitted": found.mean, "fitted_sd": found.sd,
    }  # fmt: skip
    return xr.Dataset(
        {n: (("subject", "parameter"), v) for n, v in columns.items()},
        {"subject": list(trials.subjects), "parameter": list(model.names)},
    )


def course(model: Model, trials: Trials, theta: np.ndarray) -> xr.Dataset:
    """Beliefs, errors and predictions of every person at every trial."""
    course = trajectory(model, trials, theta)
    return xr.Dataset(
        {"value": (("subject", "trial", "quantity"), np.stack(list(course.values()), -1))},
        {
            "subject": list(trials.subjects), "trial": np.arange(1, trials.begins.shape[1] + 1),
            "quantity": list(course),
        },
    )  # fmt: skip


def effects(model: Model, group: Group) -> xr.Dataset:
    """Dependence of the group's mean on covariates."""
    from scipy.stats import t

    z = group.coefficient[1:] / group.error[1:]
    columns = {
        "coefficient": group.coefficient[1:],
        "error": group.error[1:],
        "z": z,
        "p": 2 * t.sf(np.abs(z), len(group.design) - len(group.names)),
    }
    return xr.Dataset(
        {n: (("covariate", "parameter"), v) for n, v in columns.items()},
        {"covariate": list(group.names[1:]), "parameter": list(model.names)},
    )


def comparison(evidence: dict[str, np.ndarray], trials: Trials, seed: int) -> xr.Dataset:
    """Models against each other, by the log-evidence (people,) of each under its own prior."""
    log_e = np.stack(list(evidence.values()))
    told = compare_models(log_e.T, seed)
    return xr.Dataset(
        {
            **{n: ("model", getattr(told, n)) for n in ("frequency", "exceedance", "protected")},
            "evidence": (("model", "subject"), log_e),
            "attribution": (("model", "subject"), told.attribution.T),
            "omnibus": ((), told.omnibus),
        },
        {"model": list(evidence), "subject": list(trials.subjects)},
    )


def methods(model: Model, trials: Trials, group: Group | None, back: Recovery | None, samples: int) -> str:
    """What was done, as a paragraph."""
    text = (
        f"Choices of {len(trials)} people ({int(trials.counted(model).sum())} choices) were fitted with the "
        f"model {model.name} ({model.title}; {model.citation}). "
    )
    if group is not None:
        text += (
            "A normal distribution of every parameter over people, on its fitted scale, was estimated "
            "together with them by empirical Bayes, with importance samples of every posterior "
            f"({samples} a person) in the expectation step. "
        )
        if len(group.names) > 1:
            named = ", ".join(group.names[1:])
            text += f"Its mean depends on {named}; errors are from the observed information. "
    else:
        text += f"Every person was fitted alone under the prior of the model, {samples} samples each. "
    if back is not None:
        text += f"Recovery was tested in {len(back.truth)} people drawn from the prior of the model."
    return text.strip()


def flagged(model: Model, back: Recovery) -> list[str]:
    """Parameters that do not come back, in words; nothing if all do."""
    lost = [f"{n} (r {r:.2f})" for n, r in back.table["r"].items() if r < ENOUGH]
    return [f"do not recover in simulated people, r < {ENOUGH:g}: {', '.join(lost)}"] if lost else []


def notes(
    model: Model, trials: Trials, found: Posterior, group: Group | None, back: Recovery | None,
    rows: int,
) -> list[str]:  # fmt: skip
    """What a reader must know of a fit."""
    out = _left_out(model, trials, rows)
    out += [] if back is None else flagged(model, back)
    if back is None and not all(p.identifiable for p in model.parameters):
        named = [p.name for p in model.parameters if not p.identifiable]
        out.append(f"declared not identifiable (recovery was not tested here): {', '.join(named)}")
    few = [s for s, e in zip(trials.subjects, found.ess, strict=True) if e < 100]
    if few:
        out.append(
            f"fewer than 100 effective samples: {', '.join(few[:10])}{' ...' if len(few) > 10 else ''}"
        )
    lost = [s for s, c in zip(trials.subjects, found.converged, strict=True) if not c]
    if lost:
        out.append(f"the mode was not reached: {', '.join(lost[:10])}{' ...' if len(lost) > 10 else ''}")
    if group is not None and len(group.names) > 1 and len(trials) < SMALL:
        out.append(f"P of covariates is too small in groups of fewer than about {SMALL}")
    if group is not None and not group.settled:
        out.append("the group had not settled when the fit ended")
    return out


SMALL = 20
"""People below which errors of group effects, which hold the spread of the group, are too small."""


def _left_out(model: Model, trials: Trials, rows: int) -> list[str]:
    """Rows of a table that were not used, choices that were not made, and blocks that begin anew."""
    out = []
    used = int(trials.length.sum())
    if rows > used:
        out.append(f"{rows - used} of {rows} rows lack something that the model reads and were left out")
    silent = used * len(model.choices) - int(trials.counted(model).sum())
    if silent:
        out.append(f"{silent} choices were not made or are empty")
    anew = trials.begins.sum(1)
    if model.restarts and anew.max() > 1:
        out.append(
            f"values begin anew in every block, {int(np.median(anew))} in the median person; --block '' "
            "takes all trials as one"
        )
    return out
