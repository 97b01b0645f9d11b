"""Reinforcement learning plus working memory.

Collins & Frank 2012, Eur J Neurosci 35:1024; Collins, Brown, Gold, Waltz & Frank 2014, J Neurosci
34:13747. Two modules learn which of three actions each stimulus of a block wants: slow learning by
prediction errors, and a memory that holds the last outcome of a stimulus, decays towards indifference and
has room for `capacity` stimuli. The memory has weight w = rho min(1, capacity / set size).
"""

from dataclasses import replace

import numpy as np

from synsys.mind.model import Array, Choice, Model, Parameter, Values, hot, log_softmax
from synsys.mind.responses import with_lapse

ACTIONS, STIMULI = 3, 6
BETA = 50.0
"""Inverse temperature of both modules: fixed high, so that learning rate, decay and lapses say how well a
person does (Collins et al. 2014)."""
ALPHA = Parameter("alpha", "logit", -2.5, 1.0, "learning rate of the slow module")
NEGLECT = Parameter(
    "neglect",
    "logit",
    0.0,
    1.2,
    "neglect of errors: factor 1 - neglect on rates after no reward",
    identifiable=False,
)
DECAY = Parameter("decay", "logit", -1.5, 1.2, "loss of working memory towards indifference, a trial")
RHO = Parameter(
    "rho", "logit", 1.5, 1.2, "reliance on working memory within its capacity", identifiable=False
)
CAPACITY = Parameter(
    "capacity",
    "logit",
    0.0,
    1.0,
    "capacity of working memory, stimuli",
    low=1.0,
    high=6.0,
    identifiable=False,
)
LAPSE = Parameter("lapse", "logit", -3.0, 1.0, "share of choices made at random")
STICK = Parameter("stickiness", "identity", 0.0, 0.5, "bonus of the action chosen last, log odds")


def rlwm(memory: bool = True, slow: bool = True, sticky: bool = False) -> Model:
    """The model, or one of its two modules alone.

    Parameters
    ----------
    memory, slow : bool
        Which modules it has.
    sticky : bool
        A bonus for the action taken last, whatever the stimulus.
    """
    alpha = replace(ALPHA, identifiable=sticky or not memory)  # measured: benchmarks/recovery.py
    parameters = (
        *((alpha,) if slow else ()), NEGLECT, *((DECAY,) if memory else ()),
        *((RHO, CAPACITY) if memory and slow else ()), LAPSE, *((STICK,) if sticky else ()),
    )  # fmt: skip

    def policy(stage: int, s: Values, t: Values, p: Values) -> Array:
        here = hot(t.stimulus, STIMULI)

        def chosen(table: Array) -> Array:
            values = sum((here[k] * table[k] for k in range(1, STIMULI)), here[0] * table[0])
            return log_softmax(BETA * values)

        if memory and slow:
            w = p.rho * np.minimum(1.0, p.capacity / t.set_size)
            out = np.log(w * np.exp(chosen(s.w)) + (1.0 - w) * np.exp(chosen(s.q)) + 1e-30)
        else:
            out = chosen(s.w if memory else s.q)
        out = log_softmax(out + p.stickiness * s.last) if sticky else out
        return with_lapse(out, p.lapse)

    def learn(s: Values, t: Values, p: Values) -> dict[str, Array]:
        here, taken = hot(t.stimulus, STIMULI), hot(t.choice, ACTIONS)
        kept = np.where(t.reward > 0.5, 1.0, 1.0 - p.neglect)
        out = {"last": np.where(t.choice >= 0, taken, s.last)} if sticky else {}
        if slow:
            rows = [s.q[k] + p.alpha * kept * here[k] * taken * (t.reward - s.q[k]) for k in range(STIMULI)]
            out["q"] = np.stack(rows)
        if memory:
            rows = [s.w[k] + kept * here[k] * taken * (t.reward - s.w[k]) for k in range(STIMULI)]
            out["w"] = np.stack([row + p.decay * (1.0 / ACTIONS - row) for row in rows])
        return out

    def shown(s: Values, t: Values, p: Values) -> dict[str, Array]:
        log_p = policy(0, s, t, p)
        return {f"p{k}": np.exp(log_p[k]) for k in range(ACTIONS)}

    name = "rlwm" if memory and slow else "wm_only" if memory else "rl_only"
    title = {
        "rlwm": "Reinforcement learning plus working memory",
        "wm_only": "Working memory alone", "rl_only": "Reinforcement learning alone",
    }  # fmt: skip
    indifferent = np.full((STIMULI, ACTIONS), 1.0 / ACTIONS)
    tables = {
        **({"q": indifferent} if slow else {}), **({"w": indifferent} if memory else {}),
        **({"last": np.zeros(ACTIONS)} if sticky else {}),
    }  # fmt: skip
    return Model(
        name + "_sticky" * sticky, title[name] + ", stickiness" * sticky, parameters,
        (Choice("choice", ACTIONS),),
        {
            "stimulus": "stimulus of the block, 0 to 5",
            "reward": "1 if the action was right, else 0 (-1 where none was taken)",
            **({"set_size": "stimuli in the block"} if memory and slow else {}),
        },
        lambda p: dict(tables), policy, learn, shown,
        "Collins et al. 2014, J Neurosci 34:13747", indices={"stimulus": STIMULI}, wins="reward",
        accepted={"reward": (-1.0, 0.0, 1.0)}, limits={"set_size": (1.0, float(STIMULI))}, restarts=True,
        task="rlwm",
    )  # fmt: skip
