"""From perturbations to multipliers: the links of ``links.csv`` evaluated on a brain.

Every variable of the vocabulary is an array over (node, population). A perturbation moves it, links carry
the change on at once, in passes that need no iteration: definitions that lead into the signaling network
(`Modulation.enter`), whose levels `synsys.brain.slow` supplies; links in causal order; activation of
neuromodulator receptors, a = density ((1 - occupancy) sat(tone) + occupancy efficacy); links from
activations to conductances and drive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from graphlib import TopologicalSorter

import numpy as np
import pandas as pd

from synsys.brain.carry import Carrier, furthest, variables
from synsys.brain.wiring import Wiring
from synsys.circuit.drift import SLOTS
from synsys.circuit.templates import cells
from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.knowledge.atlas import resolve_where
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import TERMS, Link, links, receptors
from synsys.knowledge.signaling import ACTIVATION, edges, nodes


@cache
def entering() -> tuple[Link, ...]:
    """Definitions whose target is a node of the signaling network, sources before targets."""
    return tuple(link for link in _sorted(links()) if link.target in nodes())


@cache
def causal_order() -> tuple[Link, ...]:
    """All other links between molecules (not from receptor activation), sources before targets."""
    return tuple(link for link in _sorted(links()) if link.kind != "receptor" and link.target not in nodes())


def _sorted(rows: Sequence[Link]) -> tuple[Link, ...]:
    graph: dict[str, set[str]] = {}
    for link in rows:
        graph.setdefault(link.target, set()).add(link.source)
    rank = {name: i for i, name in enumerate(TopologicalSorter(graph).static_order())}
    return tuple(sorted(rows, key=lambda link: rank[link.source]))


@cache
def receptor_links() -> tuple[Link, ...]:
    """Links that stand for neuromodulator receptors, applied last."""
    return tuple(link for link in links() if link.kind == "receptor" and link.target not in nodes())


@dataclass(frozen=True, eq=False)
class Places:
    """Where names lie on the nodes of a brain.

    Parameters
    ----------
    wiring : Wiring
    regions : DataFrame
        `Connectome.regions`.
    """

    wiring: Wiring
    regions: pd.DataFrame
    carriers: dict[str, Carrier] = field(default_factory=dict, repr=False, init=False)
    selections: dict[tuple[str | None, ...], np.ndarray] = field(default_factory=dict, repr=False, init=False)
    _masks: dict[tuple[tuple[str, ...], tuple[str, ...]], np.ndarray] = field(
        default_factory=dict, repr=False, init=False
    )

    def part(self, nodes: np.ndarray) -> "Places":
        """The same for some of the nodes."""
        return Places(replace(self.wiring, nodes=self.wiring.nodes.iloc[nodes]), self.regions)

    def nodes(self, where: str) -> np.ndarray:
        """Nodes of a region, locus, network or template, bool (N,)."""
        nodes = self.wiring.nodes
        if where in cells():
            return (nodes.template == where).to_numpy()
        inside = resolve_where(self.regions, where)
        region = nodes.region.to_numpy()
        return np.where(region >= 0, inside[region], False)

    def mask(self, cell: Sequence[str], where: Sequence[str]) -> np.ndarray:
        """Populations that `cell` and `where` select, bool (N, 3), read-only; empty selects all."""
        key = tuple(cell), tuple(where)
        if key not in self._masks:
            self._masks[key] = self._mask(cell, where)
            self._masks[key].setflags(write=False)
        return self._masks[key]

    def _mask(self, cell: Sequence[str], where: Sequence[str]) -> np.ndarray:
        template = self.wiring.nodes.template
        out = np.ones((len(template), SLOTS), bool)
        if where:
            here = np.zeros(len(template), bool)
            for name in where:
                try:
                    here |= self.nodes(name)
                except UserError:  # a table's locus that this brain does not hold
                    continue
            out &= here[:, None]
        if cell:
            own = np.array(
                [[i < len(cells()[t]) and cells()[t][i] in cell for i in range(SLOTS)] for t in template]
            )
            out &= own
        return out


class Modulation:
    """Values of every changed variable, (N, 3) each: factors of ratio rows, values of all others.

    Parameters
    ----------
    places : Places
    density : mapping of str to ndarray (N, 3)
        Healthy regional factor of receptor densities (maps); 1 where absent.

    Attributes
    ----------
    amount : ndarray, (V, N, 3)
        Logarithms of factors or increments, in rows of `synsys.brain.carry.variables`.
    touched : set of str
        Names of what was moved.
    """

    def __init__(self, places: Places, density: Mapping[str, np.ndarray] | None = None) -> None:
        self._places = places
        self._density = density or {}
        self.amount = np.zeros((len(variables().at), len(places.wiring.nodes), SLOTS))
        self.touched: set[str] = set()

    def value(self, name: str) -> np.ndarray:
        """Value of a variable, (N, 3): factor on health for ratio rows, else healthy + increment."""
        known = variables()
        if name not in known.at:
            row = vocabulary()[name]
            return np.full(self.amount.shape[1:], 1.0 if row.multiplies else (row.healthy or 0.0))
        i = known.at[name]
        return np.asarray(np.exp(self.amount[i]) if known.ratio[i] else known.healthy[i] + self.amount[i])

    @property
    def values(self) -> dict[str, np.ndarray]:
        """Value of every term of the equations that was moved."""
        return {name: self.value(name) for name in sorted(TERMS & self.touched)}

    def changed(self, name: str) -> bool:
        """Whether anything moved this variable."""
        return name in self.touched

    def at(self, places: Places, nodes: np.ndarray | slice = slice(None)) -> "Modulation":
        """A copy, or the part that concerns some nodes, `places` being theirs."""
        out = Modulation.__new__(Modulation)
        out._places = places
        out._density = {name: value[nodes] for name, value in self._density.items()}
        out.amount = self.amount[:, nodes].copy()
        out.touched = set(self.touched)
        return out

    def copy(self) -> "Modulation":
        """A copy that can be moved further."""
        return self.at(self._places)

    def scaled(self, share: float) -> "Modulation":
        """A copy with all moves at a share of their size."""
        out = self.copy()
        out.amount *= share
        return out

    def move(self, name: str, mask: np.ndarray, amount: np.ndarray | float) -> None:
        """Add `amount` to the logarithm (ratio rows) or the value of a variable where `mask` holds."""
        self.amount[variables().at[name]] += np.where(mask, amount, 0.0)
        self.touched.add(name)

    def perturb(self, change: Perturbation, z: float = 0.0, level: float = 1.0) -> None:
        """Apply a share of one perturbation, its size shifted by `z` prior standard deviations."""
        key = change.name, change.cell, change.where
        if key not in self._places.selections:
            self._places.selections[key] = selection(self._places, change)
        mask = self._places.selections[key]
        amount = (np.log(change.value) if change.op == "*" else change.value) + z * change.sd
        self.move(change.name, mask, level * amount)

    def enter(self) -> None:
        """Carry what was perturbed into the nodes that it stands for (links that are definitions)."""
        self.carry("enter", entering)

    def moved(self, *names: str) -> np.ndarray:
        """Logarithm of the factor (ratio rows) or increment of variables at each node, (names, N).

        Of populations that differ, that which is moved furthest.
        """
        return furthest(self.amount[variables().rows(names)])

    def propagate(
        self, strength: Mapping[str, float] | None = None, factors: Mapping[str, float] | None = None
    ) -> None:
        """Carry all changes along the links that do not lead into the signaling network.

        Parameters
        ----------
        strength : mapping, optional
            Strength of each link by id; table means by default.
        factors : mapping, optional
            Logarithm of the factor on the half-saturation of each receptor; 0 by default.
        """
        self.carry("cause", causal_order, strength)
        self._activate(factors or {})
        self.carry("receptor", receptor_links, strength)

    def carry(
        self, key: str, rows: Callable[[], Sequence[Link]], strength: Mapping[str, float] | None = None
    ) -> None:
        """Carry all changes along some links, compiled for this brain under `key`."""
        if key not in self._places.carriers:
            self._places.carriers[key] = Carrier(rows(), self._places)
        self._places.carriers[key](self.amount, self.touched, strength or {})

    def _activate(self, factors: Mapping[str, float]) -> None:
        """Activation of the receptors of which density, tone or ligand were moved."""
        one = np.ones(self.amount.shape[1:])
        for receptor in receptors():
            causes = {receptor.density, receptor.tone, receptor.occupancy} - {""}
            if any(map(self.changed, causes)):
                tone = self.value(receptor.tone) if receptor.tone else one
                held = np.clip(self.value(receptor.occupancy), 0.0, 1.0)
                half = receptor.half_saturation * np.exp(factors.get(receptor.receptor, 0.0))
                active = receptor.activation(self.value(receptor.density), tone, held, half_saturation=half)
                density = self._density.get(receptor.density, 1.0)
                self.move(ACTIVATION + receptor.receptor, np.array(True), density * (active - 1.0))


def selection(places: Places, change: Perturbation) -> np.ndarray:
    """Populations that a user's perturbation moves, bool (N, 3).

    Raises
    ------
    UserError
        If the name, cell or place is not in this brain, or they do not meet.
    """
    if change.name not in vocabulary():
        raise unknown("perturbation", change.name, vocabulary(), "see synsys catalog perturbations")
    template = places.wiring.nodes.template
    inside = places.nodes(change.where) if change.where else np.ones(len(template), bool)
    mask = np.repeat(inside[:, None], SLOTS, axis=1)
    if change.cell and change.name in nodes() and change.name not in TERMS:
        raise UserError(f"{change}: {change.name} is one pool per region; give it without :{change.cell}")
    if change.cell:
        mask &= places.mask((change.cell,), ())
    if not mask.any():
        here = sorted({c for t in template[inside].unique() for c in cells()[t]})
        raise UserError(
            f"{change}: no {change.cell or 'population'} in {change.where or 'this brain'} "
            f"(cells here: {', '.join(here)})"
        )
    return mask


@cache
def _rows() -> tuple[tuple[str, str, str], ...]:
    """Source, target and grade of every row that carries a change without the fast brain."""
    out = [(row.source, row.target, str(row.grade)) for row in links()]
    out += [(row.source, row.target, str(row.grade)) for row in edges()]
    for receptor in receptors():
        for cause in (receptor.density, receptor.tone, receptor.occupancy):
            if cause:
                out.append((cause, ACTIVATION + receptor.receptor, receptor.grade))
    return tuple(out)


def path_from(changes: Sequence[Perturbation]) -> dict[str, str]:
    """Best over paths of the worst evidence grade with which rows of the tables reach each variable.

    A change starts at the grade of its size; a user's own size is given, grade A. Rows that start at the
    fast brain (``fast:...``) are not followed: what they bring is dynamics, not table. The circuit that
    carries effects further is graded in its own tables, not here.
    """
    grade: dict[str, str] = {}
    for change in changes:
        grade[change.name] = max(grade.get(change.name, "A"), change.grade or "A")
    outgoing: dict[str, list[tuple[str, str]]] = {}
    for source, target, own in _rows():
        outgoing.setdefault(source, []).append((target, own))
    frontier = sorted(grade)
    while frontier:
        name = frontier.pop()
        for target, own in outgoing.get(name, ()):
            worst = max(grade[name], own)
            if target not in grade or worst < grade[target]:
                grade[target] = worst
                frontier.append(target)
    return grade
