"""What could be guessed without the model: predictors that the score of claims is set against."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from synsys.knowledge.graph import edges, level

MAJORITY, PATHS, OTHERS = "majority sign", "path signs", "other perturbations"
BASELINES = {
    MAJORITY: "the sign that most other rows of the file expect of the readout (of any readout, if there is "
    "no other row on it)",
    PATHS: "the product of signs along the shortest paths through links and source claims, this one left out",
    OTHERS: "the sign that most of a random sample of other perturbations gives the readout in the model",
}


def most(signs: Iterable[int]) -> int:
    """Sign of a sum of signs; 0 for a tie or nothing."""
    total = sum(signs)
    return (total > 0) - (total < 0)


def majority_sign(readout: str, claim: tuple, rows: Sequence[tuple[tuple, str, int]]) -> int:
    """Sign that most other rows expect.

    Parameters
    ----------
    readout : str
    claim : tuple
        What identifies the claim; rows with the same are the claim itself, repeated.
    rows : sequence of (claim, readout, sign)
        Every signed row of the file. A repeated claim has one vote.
    """
    others = {row for row in rows if row[0] != claim}
    same = [sign for _, name, sign in others if name == readout]
    return most(same or [sign for _, _, sign in others])


def path_sign(causes: Mapping[str, int], readout: str) -> int:
    """Majority of sign products along the shortest signed paths from what is changed to a readout.

    An edge that joins a cause with the readout directly is left out: it is the claim itself, or its like.
    Paths do not pass through a disorder, nor over edges without a sign.

    Parameters
    ----------
    causes : mapping of str to {-1, +1}
        Names that are changed, and which way.
    readout : str

    Returns
    -------
    {-1, 0, +1}
        0 if there is no path, or as many of either sign.
    """
    signs = signed_edges()
    banned = {(cause, readout) for cause in causes}
    front: dict[str, int] = dict(causes)
    reached = set(front)
    while front:
        following: dict[str, int] = defaultdict(int)
        for name, count in front.items():
            for target, sign in signs.get(name, ()):
                if (name, target) not in banned and target not in reached:
                    following[target] += count * sign
        if readout in following:
            return most([following[readout]])
        reached |= following.keys()
        front = {name: count for name, count in following.items() if level(name) != "disorder"}
    return 0


@cache
def signed_edges() -> dict[str, tuple[tuple[str, int], ...]]:
    """Targets and signs of the edges that have a sign, by source."""
    return {
        source: tuple((edge.target, edge.sign) for edge in found if edge.sign)
        for source, found in edges().items()
    }
