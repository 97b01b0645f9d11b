"""What the mind of a state does: parameters of inference and scores of tasks, named as in the vocabulary."""

from collections.abc import Collection
from functools import lru_cache

import numpy as np

from synsys.brain.state import State
from synsys.measures.systems import Atlas
from synsys.mind.believing import bandit, follow, news, salience, shocks, threat
from synsys.mind.coupling import PARAMETERS, Inference, inference, located
from synsys.mind.tasks.registry import tasks

QUANTITIES = tuple(name for name in PARAMETERS if name != "prior_bias")
"""Parameters of inference that the circuit moves: readouts."""


WORLDS = (
    "sensory_precision_weighting", "belief_updating", "prediction_error", "weighted_prediction_error",
    "inference_accuracy", "aberrant_salience", "salience_precision", "reward_sensitivity",
    "reward_processing",
)  # fmt: skip
"""What an observer with these parameters shows in simulated worlds (`mind.believing`)."""


@lru_cache(maxsize=64)
def _in_worlds(found: Inference, seed: int) -> dict[str, float]:
    """`WORLDS` of an observer in their own units."""
    course, (fear, weight, _) = follow(found, seed), threat(found, seed)
    surprise = np.abs(shocks(seed) - fear)
    errors = np.abs(course.error)
    aberrant, clear = salience(found, seed)
    return {
        "sensory_precision_weighting": found.sensory_precision / found.prior_precision,
        "belief_updating": news(found)[0],
        "prediction_error": float(errors.mean() + surprise.mean()),
        "weighted_prediction_error": float((course.weight * errors).mean() + (weight * surprise).mean()),
        "inference_accuracy": course.log_score,
        "aberrant_salience": aberrant,
        "salience_precision": clear,
        "reward_sensitivity": found.reward_gain * found.inverse_temperature,
        "reward_processing": bandit(found, seed),
    }


def in_worlds(found: Inference, seed: int) -> dict[str, float]:
    """`WORLDS` of an observer.

    ``prediction_error`` and ``weighted_prediction_error`` are relative to a healthy observer of the same
    trials (numbers and shocks together); ``aberrant_salience`` and ``reward_processing`` are differences from
    that observer; ``inference_accuracy`` is the log score of expectations.
    """
    own, health = _in_worlds(found, seed), _in_worlds(Inference(), seed)
    out = dict(own)
    for name in ("prediction_error", "weighted_prediction_error"):
        out[name] = own[name] / health[name]
    for name in ("aberrant_salience", "reward_processing"):
        out[name] = own[name] - health[name]
    return out


def available() -> frozenset[str]:
    """Names of everything that `mind_readouts` may give."""
    scores = (score.name for task in tasks().values() for score in task.scores)
    return frozenset({*QUANTITIES, *WORLDS, *scores})


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
        Vocabulary name -> value; absent are scores that this brain cannot give, and parameters of inference
        of whose sources it has no region (observers then use the healthy value).
    """
    out: dict[str, float] = {}
    if asked is None or not {*QUANTITIES, *WORLDS}.isdisjoint(asked):
        found = inference(state)
        there = located(state)
        out |= {name: getattr(found, name) for name in QUANTITIES if name in there}
        out |= in_worlds(found, seed)
    for task in tasks().values():
        if asked is None or any(score.name in asked for score in task.scores):
            with np.errstate(all="ignore"):  # a state that runs away has no score
                out |= task.run(state, atlas, seed)
    return {name: float(value) for name, value in out.items() if np.isfinite(value)}
