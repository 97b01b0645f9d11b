"""Links of the tables, compiled for one brain: all that have their sources ready act at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import TYPE_CHECKING

import numpy as np

from synsys.circuit.drift import SLOTS
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import Link, links, receptors
from synsys.knowledge.signaling import ACTIVATION, edges, nodes

if TYPE_CHECKING:
    from synsys.brain.modulation import Places


@dataclass(frozen=True, eq=False)
class Variables:
    """Everything that can be moved, as rows of one array.

    Attributes
    ----------
    at : dict of str to int
        Row of each name; ``""`` is a row that nothing moves.
    ratio : ndarray of bool, (V,)
        Whether the row holds the logarithm of a factor; else an increment.
    healthy : ndarray, (V,)
        1 for factors, else the value in health.
    """

    at: dict[str, int]
    ratio: np.ndarray
    healthy: np.ndarray

    def rows(self, names: Iterable[str]) -> np.ndarray:
        """Rows of names."""
        return np.array([self.at[name] for name in names], int)


@cache
def variables() -> Variables:
    """All that may be perturbed or that links and receptors name."""
    known = vocabulary()
    names = dict.fromkeys(name for name, row in known.items() if row.kind != "readout")
    names |= dict.fromkeys(name for link in links() for name in (link.source, link.target))
    names |= dict.fromkeys(ACTIVATION + row.receptor for row in receptors())
    names |= dict.fromkeys(name for edge in edges() for name in (edge.source, edge.target))
    names |= dict.fromkeys([*nodes(), ""])
    ratio = np.array([name not in known or known[name].multiplies for name in names])
    healthy = [1.0 if r else float(known[name].healthy or 0.0) for name, r in zip(names, ratio, strict=True)]
    return Variables({name: i for i, name in enumerate(names)}, ratio, np.array(healthy))


def furthest(amount: np.ndarray, ratio: np.ndarray | None = None) -> np.ndarray:
    """Of the populations of a node the amount that is furthest from health, (V, N) of (V, N, 3).

    Parameters
    ----------
    amount : ndarray, (V, N, 3)
        Logarithms of factors or increments.
    ratio : ndarray of bool, (V,), optional
        Rows of logarithms for which the furthest factor counts.
    """
    each = [amount[..., a] for a in range(SLOTS)]  # reducing over an axis of 3 is slow
    high, low = reduce(np.maximum, each), reduce(np.minimum, each)
    if ratio is None:
        return np.where(high >= -low, high, low)
    up, down = (np.where(ratio[:, None], np.expm1(x), x) for x in (high, low))
    return np.where(up >= -down, high, low)


@dataclass(frozen=True, eq=False)
class _Stage:
    """Links that act at once."""

    links: tuple[Link, ...]
    source: np.ndarray
    target: np.ndarray
    power: np.ndarray
    ratio: np.ndarray
    pooled: np.ndarray
    mask: np.ndarray


class Carrier:
    """Some links on the populations of a brain.

    Parameters
    ----------
    rows : iterable of Link
        Each sees what those before it have done.
    places : Places
    """

    def __init__(self, rows: Iterable[Link], places: "Places") -> None:
        stages: list[list[Link]] = []
        written: dict[str, int] = {}
        for link in rows:
            stage = written.get(link.source, 0)
            if stage == len(stages):
                stages.append([])
            stages[stage].append(link)
            written[link.target] = max(written.get(link.target, 0), stage + 1)
        self._stages = [self._stage(tuple(stage), places) for stage in stages]

    @staticmethod
    def _stage(rows: tuple[Link, ...], places: "Places") -> _Stage:
        known = variables()
        source = known.rows(link.source for link in rows)
        active = np.array([link.source.startswith(ACTIVATION) for link in rows])
        masks = []
        for link in rows:
            mask = places.mask(link.cell, link.where)
            masks.append(mask & places.mask((), link.source_where) if link.source_where else mask)
        return _Stage(
            rows, source, known.rows(link.target for link in rows),
            np.array([link.law == "power" for link in rows])[:, None, None],
            known.ratio[source] & ~active,  # activations are held as departures from 1
            np.array([bool(link.cell) for link in rows]),
            np.stack(masks),
        )  # fmt: skip

    def __call__(self, amount: np.ndarray, touched: set[str], strength: Mapping[str, float]) -> None:
        """Carry on what was moved, in place.

        A molecule acts on the populations of its own node: on a cell that a link names, with what of it is
        furthest from health.

        Parameters
        ----------
        amount : ndarray, (V, N, 3)
            Rows of `variables`.
        touched : set of str
            Names that were moved.
        strength : mapping of str to float
            By id of a link; those of the table where absent.
        """
        for stage in self._stages:
            if not any(link.source in touched for link in stage.links):
                continue
            moved = amount[stage.source]
            pooled = moved[stage.pooled]
            moved[stage.pooled] = furthest(pooled, stage.ratio[stage.pooled])[..., None]
            moved = np.where(stage.power | ~stage.ratio[:, None, None], moved, np.expm1(moved))
            k = np.array([strength.get(link.id, link.strength) for link in stage.links])
            change = np.where(stage.mask, k[:, None, None] * moved, 0.0)
            for link, row, more in zip(stage.links, stage.target, change, strict=True):
                if link.source in touched:
                    amount[row] += more
                    touched.add(link.target)
