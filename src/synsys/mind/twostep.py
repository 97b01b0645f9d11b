"""The two-step task: model-based and model-free control.

Daw, Gershman, Seymour, Dayan & Dolan 2011, Neuron 69:1204; weights of the two systems as separate inverse
temperatures, as in Otto et al. 2013, PNAS 110:20941, and Gillan et al. 2016, eLife 5:e11305.
"""

from collections.abc import Mapping

import numpy as np

from synsys.mind.model import Array, Choice, Model, Parameter, Values, hot, log_softmax

PARAMETERS = (
    Parameter("alpha", "logit", 0.0, 1.0, "learning rate"),
    Parameter("beta_mb", "identity", 2.0, 2.0, "weight of model-based values in the first choice"),
    Parameter("beta_mf", "identity", 2.0, 2.0, "weight of model-free values in the first choice"),
    Parameter("beta_2", "log", 1.0, 0.7, "inverse temperature of the second choice"),
    Parameter("eligibility", "logit", 0.5, 1.0, "share of the second error that reaches the first choice",
              identifiable=False),
    Parameter("stickiness", "identity", 0.3, 0.7, "bonus of the first choice made last, log odds"),
)  # fmt: skip
COMMON = 0.7
"""Probability of the common transition, which people are told."""


def _values(s: Values) -> Array:
    """Model-based values of the first choices, (2, ...): option k leads to state k with `COMMON`."""
    best = np.stack([np.maximum(s.q2[0], s.q2[1]), np.maximum(s.q2[2], s.q2[3])])
    return np.stack([COMMON * best[0] + (1 - COMMON) * best[1], COMMON * best[1] + (1 - COMMON) * best[0]])


def _elsewhere(columns: Mapping[str, np.ndarray]) -> str:
    """Whether second options belong to another state than the one that was reached."""
    option, state = columns["choice2"], columns["state2"]
    if not ((option >= 0) & (option // 2 != state)).any():
        return ""
    return (
        "choice2 must be 0 or 1 in state 0 and 2 or 3 in state 1; where it is 0 or 1 in both, add 2 x state2"
    )


def two_step() -> Model:
    """Model-based and model-free weights of the first choice.

    The four second options are 0 and 1 in state 0, 2 and 3 in state 1.
    """

    def policy(stage: int, s: Values, t: Values, p: Values) -> Array:
        if stage == 0:
            return log_softmax(p.beta_mb * _values(s) + p.beta_mf * s.q1 + p.stickiness * s.last)
        here = hot(t.state2, 2)
        return log_softmax(p.beta_2 * s.q2 - 1e3 * (1.0 - np.stack([here[k // 2] for k in range(4)])))

    def learn(s: Values, t: Values, p: Values) -> dict[str, Array]:
        both = np.where(t.choice2 >= 0, 1.0, 0.0) * np.where(t.choice1 >= 0, 1.0, 0.0)
        first = hot(t.choice1, 2)
        second = hot(t.choice2, 4) * both
        value = (second * s.q2).sum(0)
        delta1 = value - s.q1
        delta2 = t.reward - value
        q1 = s.q1 + both * first * p.alpha * (delta1 + p.eligibility * delta2)
        last = np.where(t.choice1 >= 0, first, s.last)
        return {"q1": q1, "q2": s.q2 + p.alpha * second * delta2, "last": last}

    def shown(s: Values, t: Values, p: Values) -> dict[str, Array]:
        planned = _values(s)
        return {"mb0": planned[0], "mb1": planned[1], "mf0": s.q1[0], "mf1": s.q1[1]}

    return Model(
        "two_step", "Two-step task: model-based and model-free control", PARAMETERS,
        (Choice("choice1", 2), Choice("choice2", 4)),
        {
            "state2": "second state, 0 (common after choice 0) or 1 (common after choice 1)",
            "reward": "reward, 0 or 1",
        },
        lambda p: {"q1": np.zeros(2), "q2": np.zeros(4), "last": np.zeros(2)},
        policy, learn, shown, "Daw et al. 2011, Neuron 69:1204; Gillan et al. 2016, eLife 5:e11305",
        indices={"state2": 2}, accepted={"reward": (0.0, 1.0)}, wrong=_elsewhere, wins="reward",
        task="two_step",
    )  # fmt: skip
