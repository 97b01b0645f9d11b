"""Local synapses of each template: prior of every conductance."""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from synsys.knowledge.rows import load_table


@dataclass(frozen=True)
class Connection:
    """Prior of one synaptic conductance.

    Attributes
    ----------
    template, post, pre : str
        Kind of region and its populations; ``*`` as `pre` stands for all long-range sources and as
        `post` for every population.
    receptor : str
    conductance : float
        Median healthy mean conductance, multiples of the leak (NMDA before its magnesium block).
    sd : float
        Standard deviation of its logarithm.
    free : bool
        Whether calibration moves it.
    grade, source : str
        Evidence grade and citation.
    """

    template: str
    post: str
    pre: str
    receptor: Literal["ampa", "nmda", "gabaa", "gabab"]
    conductance: float
    sd: float
    free: bool
    grade: Literal["A", "B", "C"]
    source: str
    key: ClassVar[tuple[str, ...]] = ("template", "post", "pre", "receptor")

    def __post_init__(self) -> None:
        if self.conductance <= 0 or self.sd <= 0:
            raise ValueError("conductance and sd must be > 0")


@cache
def connections() -> tuple[Connection, ...]:
    """All rows of ``connections.csv``."""
    return load_table("connections.csv", Connection)
