"""The section of the page that shows what the mind of the brain does: tasks, beliefs, symptoms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core import show
from synsys.core.schema import NEGLIGIBLE
from synsys.report.words import plain

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from synsys.mind.coupling import Inference


def performance(tree: xr.DataTree, frame: pd.DataFrame) -> dict[str, Any]:
    """Everything the template shows of it; empty figures where nothing was performed."""
    from synsys.mind.coupling import chosen
    from synsys.report.figures_mind import belief_course, symptom_profile, task_scores

    options = json.loads(tree.attrs["options"])
    known = frame[frame["effect"].notna()]
    symptoms = known[(known["level"] == "symptom")]
    scores = _scores(tree)
    performed = (known["level"] == "task").any()
    return {
        "symptoms": symptom_profile(symptoms) if len(symptoms) else "",
        "symptoms_moved": int((~show.is_negligible(symptoms, NEGLIGIBLE)).sum()),
        "symptoms_known": len(symptoms),
        "tasks": task_scores(scores) if scores else "",
        "procedures": _procedures(known) if performed else [],
        "beliefs": belief_course(*_observers(known), int(tree.attrs["seed"])) if performed else "",
        "readings": [
            {"name": row.name.replace("_", " "), "statement": row.statement, "source": row.source}
            for row in chosen(options.get("inference", ()))
        ]
        if performed
        else [],
    }


def _scores(tree: xr.DataTree) -> list[Any]:
    """Scores that have both chance and ceiling, over the draws in which they were taken."""
    from synsys.mind.tasks.registry import tasks
    from synsys.report.figures_mind import Scored

    draws = tree["draws"].to_dataset(inherit=False)
    names = [str(n) for n in draws["readout"].values]
    found = []
    for task in tasks().values():
        for score in task.scores:
            if score.chance is None or score.ceiling is None or score.name not in names:
                continue
            at = names.index(score.name)
            both = [draws[s].values[at].astype(float) for s in ("reference", "perturbed")]
            if np.isfinite(both[0]).any():
                found.append(Scored(score.name, score.chance, score.ceiling, *both))
    return found


def _procedures(known: pd.DataFrame) -> list[dict[str, str]]:
    from synsys.mind.tasks.registry import tasks

    return [
        {"name": plain(task.name), "procedure": task.procedure, "source": task.source}
        for task in tasks().values()
        if any(score.name in known.index for score in task.scores)
    ]


def _observers(known: pd.DataFrame) -> tuple[Inference, Inference]:
    """The healthy observer, and one with the median of every parameter of inference."""
    from synsys.mind.coupling import PARAMETERS, Inference

    medians = {name: float(known.loc[name, "value"]) for name in PARAMETERS if name in known.index}
    return Inference(), Inference(**medians)
