"""Belief updating, with the inference that the circuit gives (`synsys.mind.coupling`)."""

import numpy as np

from synsys.brain.state import State
from synsys.measures.systems import Atlas
from synsys.mind.believing import follow, news, threat, update_rates
from synsys.mind.coupling import Inference, inference
from synsys.mind.tasks.record import Score, Task


def run(state: State, atlas: Atlas, seed: int = 0) -> dict[str, float]:
    """Scores of one state."""
    return scores(inference(state), seed)


def scores(found: Inference, seed: int) -> dict[str, float]:
    """Scores of an observer."""
    course = follow(found, seed)
    stable, volatile = update_rates(course)
    good, bad = news(found)
    return {
        "update_rate": 0.5 * (stable + volatile),
        "volatility_adaptation": float(np.log(volatile / stable)),
        "update_asymmetry": good - bad,
        "expectation_bias": float((course.expectation - course.outcome).mean()),
        "threat_avoidance": float(threat(found, seed)[2].mean()),
    }


TASK = Task(
    "belief",
    (
        Score("update_rate", 0.0, 1.0, 0),
        Score("volatility_adaptation", 0.0, None, 1),
        Score("update_asymmetry", None, None, 0),
        Score("expectation_bias", None, None, 0),
        Score("threat_avoidance", 0.0, 1.0, 0),
    ),
    run,
    "Prediction of a number in a stable and a volatile block of 80 trials each; estimates before and after "
    "good and bad news; 40 cues of which one in four is followed by a shock and which may be avoided.",
    "Nassar et al. 2010 J Neurosci 30:12366; Behrens et al. 2007 Nat Neurosci 10:1214; Sharot, Korn and "
    "Dolan 2011 Nat Neurosci 14:1475; Browning et al. 2015 Nat Neurosci 18:590",
)
