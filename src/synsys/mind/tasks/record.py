"""What a task is: how it is scored, what chance and ceiling are, and how it runs on a brain."""

from collections.abc import Callable
from dataclasses import dataclass

from synsys.brain.state import State
from synsys.measures.systems import Atlas


@dataclass(frozen=True)
class Score:
    """One number that a task gives.

    Attributes
    ----------
    name : str
        Vocabulary name, level ``task``.
    chance, ceiling : float or None
        Score without any ability, and the best possible; None where the scale has none.
    better : {1, -1, 0}
        Whether more of it is better performance, worse, or neither.
    needs : str
        Score of the same task without which there is nothing to score here; any of them where it is empty.
        Where that is given and this one is not, the ability is lost (`mind.symptoms.lost`).
    """

    name: str
    chance: float | None
    ceiling: float | None
    better: int
    needs: str = ""


@dataclass(frozen=True)
class Task:
    """A task that a brain performs.

    Attributes
    ----------
    name : str
    scores : tuple of Score
    run : callable
        ``run(state, atlas, seed)`` gives score name -> value for one state of one draw; scores that this
        brain cannot give (no such region) are absent. The same seed is used in health and after a change.
    procedure : str
        The human task that it follows and how it is scored, in one or two sentences.
    source : str
    """

    name: str
    scores: tuple[Score, ...]
    run: Callable[[State, Atlas, int], dict[str, float]]
    procedure: str
    source: str
