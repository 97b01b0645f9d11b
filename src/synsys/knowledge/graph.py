"""Signed paths through claims and tables: how one quantity is said to reach another.

Nodes are the quantities of the vocabulary, from genes to symptoms, and the activation of each receptor.
Edges are the claims of the source review, and the links and the regulators of molecules that the model runs
on (what the simulated brain does to molecules is computed, and no path).
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from synsys.core.errors import UserError
from synsys.knowledge.load import claims, vocabulary
from synsys.knowledge.mechanisms import links, receptors
from synsys.knowledge.resolve import related_quantities
from synsys.knowledge.signaling import FAST
from synsys.knowledge.signaling import edges as regulators

STRENGTHS = ("causal", "mechanistic", "predictive", "associative", "hypothesis")
"""Strength of evidence, strongest first; rows of grade A, B and C count as the first, second and last."""

_DIRECTION = {"+1": 1, "-1": -1, "present": 1}
_GRADES = {"A": "causal", "B": "mechanistic", "C": "hypothesis"}


@dataclass(frozen=True)
class Edge:
    """Everything that joins two quantities with one sign.

    Parameters
    ----------
    source, target : str
        Names in ``vocabulary.csv``, or ``activation:RECEPTOR``.
    sign : {-1, 0, +1}
        Sign of the effect of more of `source`; 0 where it is not given.
    evidence : tuple of str
        Ids of claims, links and regulators, strongest first.
    strength : str
        The strongest evidence, one of `STRENGTHS`.
    conditions : tuple of str
        Disorders under which it is claimed; ``any`` means no restriction.
    regions, cells : tuple of str
        To which the tables confine it; empty means no restriction.
    """

    source: str
    target: str
    sign: int
    evidence: tuple[str, ...]
    strength: str
    conditions: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()

    def __str__(self) -> str:
        arrow = {1: "-(+)->", -1: "-(-)->", 0: "-(?)->"}[self.sign]
        return f"{self.source} {arrow} {self.target}"


@dataclass(frozen=True)
class Path:
    """A chain of edges from one quantity to another, no quantity met twice."""

    edges: tuple[Edge, ...]

    @property
    def sign(self) -> int:
        """Product of the edges' signs; 0 if one of them is not given."""
        product = 1
        for edge in self.edges:
            product *= edge.sign
        return product

    @property
    def levels(self) -> tuple[str, ...]:
        """Level of every quantity along the path."""
        return tuple(level(name) for name in (self.edges[0].source, *(edge.target for edge in self.edges)))

    @property
    def rank(self) -> tuple[int, int, int]:
        """Weakest evidence on the path, edges without a sign, length; smaller is better."""
        weakest = max(STRENGTHS.index(edge.strength) for edge in self.edges)
        return weakest, sum(edge.sign == 0 for edge in self.edges), len(self.edges)

    def __str__(self) -> str:
        first, *rest = self.edges
        return str(first) + "".join(str(edge).removeprefix(edge.source) for edge in rest)


def paths(source: str, target: str, max_length: int = 4) -> tuple[Path, ...]:
    """Every signed path from one quantity to another, best evidence first.

    Evidence that disagrees about a pair stays two edges of opposite sign, so both paths are returned.
    Paths do not pass through a disorder: that a lesion is a risk for it, and that it has a symptom, does
    not make the lesion cause the symptom.

    Parameters
    ----------
    source, target : str
        Name, alias or gene; a gene starts (or ends) at every quantity that stands for it or on which it
        bears (``CACNA1C``: the conductance, the risk variant, calcium).
    max_length : int
        Most edges on a path, >= 1.

    Returns
    -------
    tuple of Path
        Sorted by `Path.rank`: by the weakest evidence on the path, then edges without a sign, then length.

    Raises
    ------
    UserError
        If a name is unknown or `max_length` < 1.
    """
    if max_length < 1:
        raise UserError(f"max_length = {max_length}; a path has at least 1 edge")
    starts = [row.name for row in related_quantities(source)]
    ends = {row.name for row in related_quantities(target)}
    outgoing, remaining = edges(), _distance_to(ends)
    found: list[Path] = []
    chains: list[tuple[Edge, ...]] = [(edge,) for start in starts for edge in outgoing[start]]
    while chains:
        chain = chains.pop()
        here = chain[-1].target
        visited = {chain[0].source, *(edge.target for edge in chain[:-1])}
        if here in visited or len(chain) + remaining.get(here, max_length) > max_length:
            continue
        if here in ends:
            found.append(Path(chain))
        elif level(here) != "disorder":
            chains.extend((*chain, edge) for edge in outgoing.get(here, ()))
    return tuple(sorted(found, key=lambda path: (path.rank, str(path))))


def level(name: str) -> str:
    """Level of a node: that of its quantity; receptors are molecular."""
    return "molecular" if name.startswith("activation:") else vocabulary()[name].level


@cache
def edges() -> dict[str, tuple[Edge, ...]]:
    """Edges by the node they leave; every quantity has an entry, empty if nothing leaves it."""
    grouped: dict[tuple[str, str, int], list[Edge]] = defaultdict(list)
    for edge in (*_claimed(), *_linked(), *_regulated(), *_received()):
        grouped[edge.source, edge.target, edge.sign].append(edge)
    outgoing: dict[str, list[Edge]] = defaultdict(list, {name: [] for name in vocabulary()})
    for (source, target, sign), parts in grouped.items():
        parts.sort(key=lambda part: STRENGTHS.index(part.strength))
        outgoing[source].append(
            Edge(
                source,
                target,
                sign,
                tuple(name for part in parts for name in part.evidence),
                parts[0].strength,
                tuple(dict.fromkeys(name for part in parts for name in part.conditions)),
                _restriction([part.regions for part in parts]),
                _restriction([part.cells for part in parts]),
            )
        )
    return {name: tuple(found) for name, found in outgoing.items()}


def _restriction(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Union of what parts are confined to; none if a part is not confined."""
    return tuple(dict.fromkeys(name for part in parts for name in part)) if all(parts) else ()


def _claimed() -> list[Edge]:
    return [
        Edge(
            claim.entity_from,
            claim.entity_to,
            _DIRECTION.get(claim.change_from, 0) * _DIRECTION.get(claim.change_to, 0),
            (claim.id,),
            claim.claim_strength,
            claim.condition,
        )
        for claim in claims().values()
    ]


def _linked() -> list[Edge]:
    return [
        Edge(
            link.source,
            link.target,
            (1 if link.strength > 0 else -1) if link.sign_certain else 0,
            (link.id,),
            _GRADES[link.grade],
            (),
            link.where,
            link.cell,
        )
        for link in links()
    ]


def _regulated() -> list[Edge]:
    """What raises the loss of a molecule lowers it."""
    out = []
    for row in regulators():
        if row.source not in FAST and row.source != row.target:
            sign = (1 if row.strength > 0 else -1) * (-1 if row.acts_on == "loss" else 1)
            where = row.where or row.source_where
            out.append(
                Edge(
                    row.source, row.target, sign if row.sign_certain else 0, (row.id,), _GRADES[row.grade],
                    (), where,
                )
            )  # fmt: skip
    return out


def _received() -> list[Edge]:
    """Density and tone activate a receptor, a drug that occupies it as an antagonist does the opposite."""
    return [
        Edge(name, f"activation:{row.receptor}", sign, (f"receptor {row.receptor}",), "causal")
        for row in receptors()
        for name, sign in ((row.density, 1), (row.tone, 1), (row.occupancy, -1))
        if name
    ]


def _distance_to(ends: set[str]) -> dict[str, int]:
    """Fewest edges from every node to one of `ends`."""
    incoming: dict[str, set[str]] = defaultdict(set)
    for found in edges().values():
        for edge in found:
            incoming[edge.target].add(edge.source)
    distance = dict.fromkeys(ends, 0)
    frontier, steps = set(ends), 0
    while frontier:
        steps += 1
        frontier = {source for name in frontier for source in incoming[name]} - distance.keys()
        distance |= dict.fromkeys(frontier, steps)
    return distance
