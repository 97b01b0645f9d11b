"""Learning from outcomes of single choices: Rescorla-Wagner and Q-learning.

Rescorla & Wagner 1972; Sutton & Barto 2018, chapter 6; rates for better and worse than expected: Frank et
al. 2007, PNAS 104:16311.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from synsys.mind.model import Array, Choice, Model, Parameter, Values, hot
from synsys.mind.responses import softmax, unit_square, with_lapse

ALPHA = Parameter("alpha", "logit", -0.5, 1.0, "learning rate")
GAIN = Parameter("alpha_gain", "logit", -0.5, 1.0, "learning rate of outcomes better than expected")
LOSS = Parameter("alpha_loss", "logit", -0.5, 1.0, "learning rate of outcomes worse than expected")
BETA = Parameter("beta", "log", 1.3, 0.7, "inverse temperature of choice, per unit of reward")
ZETA = Parameter("zeta", "log", 1.0, 0.7, "inverse decision temperature of the unit-square sigmoid")
STICK = Parameter("stickiness", "identity", 0.0, 1.0, "bonus of the option chosen last, log odds")
LAPSE = Parameter("lapse", "logit", -3.5, 1.0, "share of choices made at random", identifiable=False)


def rescorla_wagner() -> Model:
    """A belief about a binary event, moved by a fixed share of each prediction error."""

    def learn(s: Values, t: Values, p: Values) -> dict[str, Array]:
        return {"v": s.v + p.alpha * (t.outcome - s.v)}

    return Model(
        "rescorla_wagner", "Rescorla-Wagner learning of a binary event", (ALPHA, ZETA),
        (Choice("choice", 2),), {"outcome": "the event, 0 or 1"},
        lambda p: {"v": 0.5}, lambda k, s, t, p: unit_square(s.v, p.zeta), learn,
        lambda s, t, p: {"belief": s.v, "prediction_error": t.outcome - s.v},
        "Rescorla & Wagner 1972, in Classical Conditioning II, 64-99", task="volatile",
        accepted={"outcome": (0.0, 1.0)}, wins="match",
    )  # fmt: skip


def q_learning(options: int = 3, dual: bool = True, sticky: bool = True, lapse: bool = False) -> Model:
    """Values of options, learned from reward, with what is asked for.

    Q(c) <- Q(c) + alpha (r - Q(c)) for the option c taken; alpha differs with the sign of the error where
    `dual`. Values begin at 0 in every block.

    Parameters
    ----------
    options : int
    dual : bool
        Two learning rates.
    sticky : bool
        A bonus for the option taken last.
    lapse : bool
        A share of random choices.
    """
    gain = replace(GAIN, identifiable=not (sticky or lapse))  # measured: benchmarks/recovery.py
    parameters = (
        *((gain, LOSS) if dual else (ALPHA,)),
        BETA,
        *((STICK,) if sticky else ()),
        *((LAPSE,) if lapse else ()),
    )

    def policy(stage: int, s: Values, t: Values, p: Values) -> Array:
        out = softmax(s.q, p.beta, s.last, p.stickiness if sticky else 0.0)
        return with_lapse(out, p.lapse) if lapse else out

    def learn(s: Values, t: Values, p: Values) -> dict[str, Array]:
        taken = hot(t.choice, options)
        delta = t.outcome - s.q
        rate = np.where(delta > 0, p.alpha_gain, p.alpha_loss) if dual else p.alpha
        return {"q": s.q + rate * taken * delta, "last": np.where(t.choice >= 0, taken, s.last)}

    def shown(s: Values, t: Values, p: Values) -> dict[str, Array]:
        error = (hot(t.choice, options) * (t.outcome - s.q)).sum(0)
        return {**{f"q{k}": s.q[k] for k in range(options)}, "prediction_error": error}

    words = ["q", "dual" if dual else "", "sticky" if sticky else "", "lapse" if lapse else ""]
    name = "_".join(filter(None, words)) if (dual or sticky or lapse) else "q_learning"
    start: Any = lambda p: {"q": np.zeros(options), "last": np.zeros(options)}  # noqa: E731
    return Model(
        name if options == 3 else f"{name}{options}",
        f"Q-learning of {options} options" + (", rates by sign of the error" if dual else "")
        + (", stickiness" if sticky else "") + (", lapses" if lapse else ""),
        parameters, (Choice("choice", options),), {"outcome": "reward"}, start, policy, learn, shown,
        "Sutton & Barto 2018, Reinforcement Learning; Frank et al. 2007, PNAS 104:16311",
        restarts=True, task="reversal" if options == 3 else f"reversal{options}",
    )  # fmt: skip
