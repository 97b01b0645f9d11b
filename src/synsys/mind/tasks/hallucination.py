"""Conditioned hallucination, with the inference that the circuit gives (`synsys.mind.coupling`)."""

from synsys.brain.state import State
from synsys.measures.systems import Atlas
from synsys.mind.believing import hallucination
from synsys.mind.coupling import inference
from synsys.mind.tasks.record import Score, Task


def run(state: State, atlas: Atlas, seed: int = 0) -> dict[str, float]:
    """Scores of one state."""
    rate, weight = hallucination(inference(state), seed)
    return {"conditioned_hallucination": rate, "prior_weight": weight}


TASK = Task(
    "hallucination",
    (Score("conditioned_hallucination", 0.0, 1.0, -1), Score("prior_weight", None, None, 0)),
    run,
    "A cue is followed by a tone at threshold in 45 of 60 trials; reports of a tone in the others.",
    "Powers, Mathys and Corlett 2017 Science 357:596",
)
