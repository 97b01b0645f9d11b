"""What the mind of a state does: parameters of inference and scores of tasks, named as in the vocabulary."""

from collections.abc import Collection

import numpy as np

from synsys.brain.state import State
from synsys.measures.systems import Atlas
from synsys.mind.coupling import PARAMETERS, inference
from synsys.mind.tasks.registry import tasks

QUANTITIES = tuple(name for name in PARAMETERS if name != "prior_bias")
"""Parameters of inference that the circuit moves: readouts."""


def available() -> frozenset[str]:
    """Names of everything that `mind_readouts` may give."""
    scores = (score.name for task in tasks().values() for score in task.scores)
    return frozenset({*QUANTITIES, *scores})


def mind_readouts(
    state: State, atlas: Atlas, seed: int, asked: Collection[str] | None = None
) -> dict[str, float]:
    """Parameters of inference and scores of tasks of one state.

    Parameters
    ----------
    state : State
        At rest and stable; its draw holds strengths and alternatives.
    atlas : Atlas
    seed : int
        Of trials; the same in health and after a change.
    asked : collection of str, optional
        Readouts that are needed; only tasks that give one of them run. All by default.

    Returns
    -------
    dict
        Vocabulary name -> value; a score that this brain cannot give is absent.
    """
    out: dict[str, float] = {}
    if asked is None or not set(QUANTITIES).isdisjoint(asked):
        found = inference(state)
        out |= {name: getattr(found, name) for name in QUANTITIES}
    for task in tasks().values():
        if asked is None or any(score.name in asked for score in task.scores):
            out |= task.run(state, atlas, seed)
    return {name: float(value) for name, value in out.items() if np.isfinite(value)}
