"""A signed causal network in fold-change form: molecules that regulate each other, region by region.

Every node follows, with regulated level y, perturbation and hence effective value z,

    fold            dy/dt = w (P(z) - L(z) y) / tau         z = y c     health: 1
    shift, index    dx/dt = w (S(z) - L(z) x) / tau         z = x + c   health: 0

w being the rate of the developmental process that gates the node. Each regulator of a production P or a
loss L has the Hill form of largest fold s,

    h(u) = s e^(n u) / (s - 1 + e^(n u)),    u = ln z of a fold source, z of any other,

so h = 1 at health, and 0 when an activator is gone. Regulators combine as product (*and*), weighted mean, or
1 - prod(1 - h/s) (*or*: any suffices), beside a basal share; a sum S is bounded so that the steady level
S / L stays within its limit: L limit tanh(S / (L limit)).
The exponents follow from the declared strengths, which are net elasticities at health whatever the logic,
unless those of one node sum to more than `CONTROL`
(logic-based differential equations after Kraeutler, Soltis & Saucerman 2010, BMC Syst Biol 4:157, here
relative to health). At health every term is exactly 1 (0), in floating point too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synsys.knowledge.signaling import Edge, Node, edges, folded, nodes

STEEPEST = 60.0
"""Largest exponent that is evaluated; beyond it a regulator is saturated."""
LEAST = 1e-12
"""Smallest fold whose logarithm is taken."""

CONTROL = 1.0
"""Most that the fold regulators of a production, or of a loss, of a fold node may have together in a region:
elasticities that sum to more are scaled down in proportion, so that if all of these regulators double, the
node at most doubles. Regulators that act elsewhere do not count; what the body sees counts wherever it comes
from. Effects per unit of a deviation are no elasticities and stay, and so do rows of grade A: definitions (a
product of two numbers has two elasticities of 1) and published models."""

Where = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Kinetics:
    """Numbers of one draw.

    Attributes
    ----------
    exponent : ndarray, (E, N)
        n of each edge, signed; increment per unit where targets are shift or index; 0 where it does not act.
    weight : ndarray, (E, N)
        Share in a weighted mean; 1 elsewhere.
    tau : ndarray, (S, 1)
        Time constants, days.
    elasticity : ndarray, (E, N)
        Net effect at health, within `CONTROL`.
    """

    exponent: np.ndarray
    weight: np.ndarray
    tau: np.ndarray
    elasticity: np.ndarray


class Network:
    """The network on the regions of a brain.

    Parameters
    ----------
    where : callable
        Regions that names select, bool (N,); no name selects all.
    weight : ndarray, (N,)
        Weight of each region in what the body sees.
    rows, regulators : optional
        Nodes and edges; those of the tables by default.
    adult : callable, optional
        Rate of a developmental process in adults, (N,); 1 by default.

    Attributes
    ----------
    names, inputs : list of str
        Nodes (S); sources that are none (K): exposures, genes, receptors, the fast brain.
    fold : ndarray of bool, (S, 1)
    limited : ndarray of bool, (E,)
        Edges whose elasticities count towards `CONTROL`.
    rate, window : ndarray, (S, N) and (E, N)
        How open adults leave what gates each node and each edge.
    """

    def __init__(
        self,
        where: Where,
        weight: np.ndarray,
        rows: Mapping[str, Node] | None = None,
        regulators: Sequence[Edge] | None = None,
        adult: Callable[[str], np.ndarray] | None = None,
    ) -> None:
        self.rows = nodes() if rows is None else dict(rows)
        kind = {name: row.form for name, row in self.rows.items()}
        given = edges() if regulators is None else regulators
        self.names = list(self.rows)
        self.at = {name: i for i, name in enumerate(self.names)}
        rank = {"and": 0, "mean": 1, "or": 2, "loss": 3, "sum": 4}
        combined = {
            e.id: "loss" if e.acts_on == "loss"
            else self.rows[e.target].logic if kind[e.target] == "fold" else "sum" for e in given
        }  # fmt: skip
        self.edges = sorted(given, key=lambda e: (rank[combined[e.id]], self.at[e.target]))
        self.combined = np.array([combined[e.id] for e in self.edges])
        self.inputs = list(dict.fromkeys(e.source for e in self.edges if e.source not in self.at))
        place = self.at | {name: len(self.names) + k for k, name in enumerate(self.inputs)}
        self.source = np.array([place[e.source] for e in self.edges], int)
        self.target = np.array([self.at[e.target] for e in self.edges], int)
        self.fold = np.array([kind[name] == "fold" for name in self.names], bool)[:, None]
        self.index = np.array([kind[name] == "index" for name in self.names], bool)[:, None]
        self.input_fold = np.array([folded(name) for name in self.inputs], bool)
        self.limit = np.array([row.limit or np.inf for row in self.rows.values()])[:, None]
        self.basal = np.array([row.basal for row in self.rows.values()])[:, None]
        self.body = np.array([row.scope == "body" for row in self.rows.values()], bool)
        self.process = [row.process for row in self.rows.values()]
        self.share = weight / weight.sum()
        self.size = len(weight)
        self.mask = np.array([where(e.where) & where(e.source_where) for e in self.edges], float).reshape(
            len(self.edges), self.size
        )
        open_ = {name: adult(name) if adult and name else np.ones(self.size) for name in self._gates()}
        self.rate = np.array([open_[name] for name in self.process]).reshape(-1, self.size)
        self.window = np.array([open_[e.window] for e in self.edges]).reshape(-1, self.size)
        relative = [
            folded(e.source) if e.source not in kind else kind[e.source] == "fold" for e in self.edges
        ]
        published = np.array([e.grade == "A" for e in self.edges], bool)
        self.limited = np.array(relative, bool) & self.fold[self.target, 0] & ~published
        # what the body sees of an edge is the mean over the regions in which it acts
        self.reach = np.maximum(self.mask @ self.share, 1e-12)
        self.saturation = np.array([e.saturation or 2.0 for e in self.edges]).reshape(-1, 1)

    def kinetics(
        self, strength: Mapping[str, float] | None = None, factors: Mapping[str, float] | None = None
    ) -> Kinetics:
        """Numbers from a draw.

        Parameters
        ----------
        strength : mapping, optional
            Strength of each edge by id; those of the table by default.
        factors : mapping, optional
            Logarithm of the factor on each time constant, by ``tau:NODE``.
        """
        strength, factors = strength or {}, factors or {}
        acts = np.where(self.body[self.target][:, None], 1.0, self.mask)
        g = np.array([strength.get(e.id, e.strength) for e in self.edges])[:, None] * acts
        loss = self.combined == "loss"
        for i in range(len(self.names)):
            for own in (self.target == i) & ~loss & self.limited, (self.target == i) & loss & self.limited:
                g[own] *= np.minimum(1.0, CONTROL / np.maximum(np.abs(g[own]).sum(0), 1e-30))
        free = 1.0 - self.basal[self.target]
        s = self.saturation
        exponent, weight = g.copy(), np.ones(g.shape)
        for i in range(len(self.names)):
            here = self.target == i
            for logic in ("and", "mean", "or"):
                own = np.flatnonzero(here & (self.combined == logic))
                if not len(own):
                    continue
                slope = g[own] / free[own]
                if logic == "mean":
                    total = np.abs(slope).sum(0)
                    weight[own] = np.where(
                        total > 0, np.abs(slope) / np.maximum(total, 1e-30), 1.0 / len(own)
                    )
                    slope = np.sign(slope) * total
                if logic == "or":
                    missed = np.prod(1 - 1 / s[own])
                    slope = slope * (1 - missed) / (missed / (s[own] - 1))
                exponent[own] = slope * s[own] / (s[own] - 1)
        exponent[loss] = (g * s / (s - 1))[loss]
        tau = [row.tau * np.exp(factors.get(f"tau:{name}", 0.0)) for name, row in self.rows.items()]
        return Kinetics(exponent, weight, np.array(tau)[:, None], g)

    def _gates(self) -> set[str]:
        return {*self.process, *(edge.window for edge in self.edges)}

    def openness(self, rate: Callable[[str], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """`rate` and `window` at an age at which processes have other rates (N,) than in adults."""
        found = {name: rate(name) if name else np.ones(self.size) for name in self._gates()}
        return np.stack([found[n] for n in self.process]), np.stack([found[e.window] for e in self.edges])

    def healthy(self) -> np.ndarray:
        """Regulated levels of health, (S, N)."""
        return np.where(self.fold, 1.0, 0.0) * np.ones((1, self.size))

    def effective(self, y: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Effective values z, (S, N), of levels under perturbations (log factor or increment)."""
        shifted = y + np.where(self.fold, 0.0, change)
        others = np.where(self.index, np.maximum(shifted, 0.0), shifted)
        return np.where(self.fold, y * np.exp(change * self.fold), others)

    def regulation(
        self,
        y: np.ndarray,
        change: np.ndarray,
        inputs: np.ndarray,
        k: Kinetics,
        window: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Production (or sum) and loss of every node.

        Parameters
        ----------
        y : ndarray, (S, N)
            Regulated levels.
        change : ndarray, (S, N)
            Perturbations: logarithm of the factor on fold nodes, increment of all others.
        inputs : ndarray, (K, N)
            `inputs`: logarithms of fold sources, deviations of all others.
        k : Kinetics
        window : ndarray, (E, N), optional
            How open the window of each edge is; as in adults by default.

        Returns
        -------
        production, loss : ndarray, (S, N)
        """
        drive = self.drive(y, change, inputs, window)
        production, loss = np.ones(y.shape), np.ones(y.shape)
        s = self.saturation
        bend = np.clip(-k.exponent * drive, -STEEPEST, STEEPEST)
        log_h = -np.log1p((1 - 1 / s) * np.expm1(bend))  # of sums unused
        for logic, (rows, starts, targets) in self.groups.items():
            part = log_h[rows]
            if logic in ("and", "loss"):
                combined = np.exp(np.add.reduceat(part, starts, axis=0))
            elif logic == "mean":
                combined = 1.0 + np.add.reduceat(k.weight[rows] * np.expm1(part), starts, axis=0)
            elif logic == "or":
                gone = np.log1p(-np.minimum(np.expm1(part) / (s[rows] - 1), 1 - LEAST))
                missed = np.exp(np.add.reduceat(np.log1p(-1 / s[rows]), starts, axis=0))
                fall = -np.expm1(np.add.reduceat(gone, starts, axis=0))
                combined = 1.0 + missed / (1 - missed) * fall
            else:
                combined = np.add.reduceat(k.exponent[rows] * drive[rows], starts, axis=0)
            if logic == "loss":
                loss[targets] = combined
            elif logic == "sum":
                production[targets] = combined
            else:
                production[targets] = 1.0 + (1 - self.basal[targets]) * (combined - 1.0)
        own = ~self.fold[:, 0]
        if own.any():
            raw = np.where(self._summed[own][:, None], production[own], 0.0)
            limit = self.limit[own]
            held = np.where(np.isinf(limit), 1.0, limit) * loss[own]
            bounded = np.where(np.isinf(limit), raw, held * np.tanh(raw / held))
            production[own] = np.where(self.index[own], np.maximum(bounded, 0.0), bounded)
        return production, loss

    def drive(
        self, y: np.ndarray, change: np.ndarray, inputs: np.ndarray, window: np.ndarray | None = None
    ) -> np.ndarray:
        """What each edge carries, u of its source where the edge acts, (E, N); arguments as above."""
        z = self.effective(y, change)
        u = np.concatenate([np.where(self.fold, np.log(np.maximum(z, LEAST)), z), inputs])
        out = u[self.source] * (self.mask * (self.window if window is None else window))
        to_body = self.body[self.target]
        out[to_body] = (out[to_body] @ self.share / self.reach[to_body])[:, None]
        return out

    @cached_property
    def groups(self) -> dict[str, tuple[slice, np.ndarray, np.ndarray]]:
        """Edges of each way to combine: their rows, where each target starts among them, the targets."""
        out = {}
        for logic in dict.fromkeys(self.combined):
            rows = np.flatnonzero(self.combined == logic)
            targets, starts = np.unique(self.target[rows], return_index=True)
            out[str(logic)] = slice(rows[0], rows[-1] + 1), starts, targets
        return out

    @cached_property
    def _summed(self) -> np.ndarray:
        """Nodes that have a sum of regulators, bool (S,)."""
        out = np.zeros(len(self.names), bool)
        out[self.target[self.combined == "sum"]] = True
        return out

    def advanced(
        self,
        y: np.ndarray,
        regulation: tuple[np.ndarray, np.ndarray],
        k: Kinetics,
        days: float,
        rate: np.ndarray | None = None,
    ) -> np.ndarray:
        """Levels after some days of constant production and loss: exact exponential relaxation, (S, N).

        Parameters
        ----------
        rate : ndarray, (S, N), optional
            Rate w of the process that gates each node; as in adults by default.
        """
        production, loss = regulation
        rest = production / loss
        w = self.rate if rate is None else rate
        return y + (y - rest) * np.expm1(-w * loss * days / k.tau)

    @cached_property
    def kinds(self) -> tuple[np.ndarray, np.ndarray]:
        """One region of every kind that edges and windows tell apart, and the kind of each region (N,)."""
        what = np.concatenate([self.mask * self.window, self.rate > 0])
        _, first, kind = np.unique(what, axis=1, return_index=True, return_inverse=True)
        return first, np.asarray(kind).reshape(-1)


Regulation = tuple[np.ndarray, np.ndarray]
"""Production and loss of every node, (S, N) each."""
