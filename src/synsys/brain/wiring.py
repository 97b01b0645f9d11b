"""Who projects to whom: the connectome turned into sources, nodes, weights and delays.

A *node* is a region, or one Yeo-network channel of a thalamic, striatal or pallidal region. A *source*
is one population of a node that projects beyond it. Weights are W_ij = SC_ij^a / (sum_j SC_ij^a)^b per
kind of projection, scaled to spectral radius 1 (within the telencephalon: cortex, hippocampus, amygdala) or
to mean summed weight 1 (all others), so that conductances mean the same in every brain.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from synsys.circuit.drift import SLOTS
from synsys.circuit.linear import FAST, KINDS, SLOW
from synsys.circuit.templates import cells, prior, slot
from synsys.core.connectome import NETWORKS, Connectome
from synsys.core.errors import UserError
from synsys.knowledge.atlas import resolve_where
from synsys.knowledge.mechanisms import projections, templates

WEIGHT_POWER = 0.5
"""a: tractography weights spread over decades, conductances do not (declared)."""
ROW_POWER = 0.5
"""b: partial equalisation of summed input (declared)."""
VELOCITY = 6.0
"""Conduction speed, m/s = mm/ms (declared; human cortico-cortical axons, median about 4-10)."""
SYNAPTIC_DELAY = 1.0
"""Synaptic and dendritic delay, ms (declared)."""
TELENCEPHALON = ("cortex", "hippocampus", "amygdala")
CHANNELLED = ("thalamus", "striatum", "pallidum")
LOOPS = ("striatum", "pallidum")
"""Structures whose sources are eliminated loop by loop before the whole-brain solve."""


@dataclass(frozen=True, eq=False)
class Wiring:
    """Nodes, sources and the weights between them.

    Attributes
    ----------
    nodes : DataFrame, N rows
        ``region`` (index into the connectome; -1 for the brainstem), ``template``, ``channel`` (Yeo
        network or empty), ``hemisphere``, ``share`` (weight of a channel in its region, summing to 1).
    source_node, source_slot, source_class : ndarray of int, (S,)
        Node, slot and kind (template.cell) of each source.
    weights : ndarray, (N, S)
        Dimensionless weights.
    lengths : ndarray, (N, S)
        Tract lengths, mm.
    fixed_delay : ndarray, (N, S)
        Delay that does not depend on conduction speed, ms.
    kappa : ndarray, (3 kinds, 3 slots, N, C)
        Healthy conductance (multiples of leak) that a summed weight of 1 from sources of class c brings
        to each population.
    """

    nodes: pd.DataFrame
    source_node: np.ndarray
    source_slot: np.ndarray
    source_class: np.ndarray
    weights: np.ndarray
    lengths: np.ndarray
    fixed_delay: np.ndarray
    kappa: np.ndarray

    @cached_property
    def by_class(self) -> list[np.ndarray]:
        """Sources of each class."""
        return [np.flatnonzero(self.source_class == c) for c in range(self.kappa.shape[-1])]

    def scaled(self, log_factor: Mapping[str, float], share: np.ndarray | float = 1.0) -> "Wiring":
        """The same wiring with projections of other strength.

        Parameters
        ----------
        log_factor : mapping
            Logarithm of the factor on the strength of each projection, by its id; absent ids keep theirs.
        share : ndarray, (N,), or float
            Part of the logarithm that acts on each target node.
        """
        template = self.nodes.template.to_numpy()
        first = [(self.source_node[s[0]], self.source_slot[s[0]]) for s in self.by_class]
        kinds = [(template[n], cells()[template[n]][a]) for n, a in first]
        change = np.zeros(self.kappa.shape[1:])
        for rule in projections():
            origin = rule.from_template, rule.from_cell
            if rule.id in log_factor and rule.scope != "diffuse" and origin in kinds:
                rows = template == rule.to_template
                at = slot(rule.to_template, rule.to_cell), rows, kinds.index(origin)
                change[at] = (log_factor[rule.id] * share * rows)[rows]
        if not change.any():
            return self
        out = replace(self, kappa=self.kappa * np.exp(change))
        kept = ("by_class", "loops", "core", "loop_groups")  # none depends on strength
        out.__dict__.update({name: getattr(self, name) for name in kept})
        return out

    @cached_property
    def loops(self) -> list[np.ndarray]:
        """Sources of each basal ganglia loop (hemisphere x channel)."""
        nodes = self.nodes.iloc[self.source_node].reset_index(drop=True)
        inside = nodes[nodes.template.isin(LOOPS)]
        return [np.asarray(part.index) for _, part in inside.groupby(["hemisphere", "channel"])]

    @cached_property
    def core(self) -> np.ndarray:
        """Sources outside the basal ganglia."""
        inside = np.concatenate(self.loops) if self.loops else np.empty(0, int)
        return np.setdiff1d(np.arange(len(self.source_node)), inside)

    @cached_property
    def loop_groups(self) -> list["LoopGroup"]:
        """Basal ganglia loops of equal size together, with what each hears and reaches."""
        heard = self.weights[self.source_node][:, self.core] != 0
        reached = self.weights[self.source_node[self.core]] != 0
        out = []
        for size in dict.fromkeys(map(len, self.loops)):
            alike = [members for members in self.loops if len(members) == size]
            hears = [np.flatnonzero(heard[members].any(0)) for members in alike]
            reaches = [np.flatnonzero(reached[:, members].any(1)) for members in alike]
            out.append(LoopGroup(np.stack(alike), _padded(hears), _padded(reaches)))
        return out

    def gates(self, x: np.ndarray) -> np.ndarray:
        """Synaptic gating (fast, slow) of every population, (..., N, 2, 3), from the state."""
        return x[..., FAST : SLOW + 1, :]

    def collect(self, gates: np.ndarray) -> np.ndarray:
        """Conductance arriving at each population, without delay.

        Parameters
        ----------
        gates : ndarray, (N, 2, 3)
            Fast and slow gating of each population.

        Returns
        -------
        ndarray, (3 kinds, N, 3)
        """
        y = gates[self.source_node, :, self.source_slot]  # (S, 2)
        sums = np.stack([self.weights[:, s] @ y[s] for s in self.by_class], -1)  # (N, 2, C)
        fast, slow = sums[:, 0], sums[:, 1]
        return np.stack(
            [np.einsum("anc,nc->na", k, y) for k, y in zip(self.kappa, (fast, slow, fast), strict=True)]
        )

    def delays(self, speed: np.ndarray | float = 1.0) -> np.ndarray:
        """Delays in ms, (N, S), at `speed` times the healthy conduction speed of the target node."""
        velocity = VELOCITY * np.broadcast_to(np.asarray(speed, float), (len(self.nodes),))
        return self.lengths / velocity[:, None] + self.fixed_delay


@dataclass(frozen=True, eq=False)
class LoopGroup:
    """Basal ganglia loops of one size.

    Attributes
    ----------
    members : ndarray of int, (G, k)
        Sources of each loop.
    hears, reaches : ndarray of int, (G, h) and (G, q)
        Core sources (places in `Wiring.core`) that project onto each loop, and that it projects onto; -1
        where a loop has fewer than others.
    """

    members: np.ndarray
    hears: np.ndarray
    reaches: np.ndarray

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Members, heard and reached sources of each loop."""
        for members, hears, reaches in zip(self.members, self.hears, self.reaches, strict=True):
            yield members, hears[hears >= 0], reaches[reaches >= 0]


def _padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows of different lengths as one array, filled with -1."""
    out = np.full((len(rows), max(map(len, rows))), -1)
    for row, values in zip(out, rows, strict=True):
        row[: len(values)] = values
    return out


def build_wiring(brain: Connectome) -> Wiring:
    """Nodes and sources of a brain, by the rules of ``projections.csv``.

    Parameters
    ----------
    brain : Connectome
    """
    nodes = _nodes(brain)
    rules = [r for r in projections() if r.scope != "diffuse"]
    present = set(nodes.template)
    rules = [r for r in rules if r.from_template in present and r.to_template in present]
    kinds = list(dict.fromkeys((r.from_template, r.from_cell) for r in rules))
    template = nodes.template.to_numpy()
    source = [(n, slot(t, c), k) for k, (t, c) in enumerate(kinds) for n in np.flatnonzero(template == t)]
    source_node, source_slot, source_class = (np.array(col) for col in zip(*source, strict=True))
    n, s, k = len(nodes), len(source), len(kinds)
    weights, lengths, fixed = np.zeros((n, s)), np.zeros((n, s)), np.full((n, s), SYNAPTIC_DELAY)
    kappa = np.zeros((len(KINDS), SLOTS, n, k))
    transmitter = {(r.template, r.cell): r.transmitter for r in templates()}
    done: dict[tuple[str, str, str], np.ndarray] = {}
    for rule in rules:
        c = kinds.index((rule.from_template, rule.from_cell))
        rows = np.flatnonzero(template == rule.to_template)
        columns = np.flatnonzero(source_class == c)
        w, length = _weights(brain, nodes, rule, rows, source_node[columns])
        path = (rule.from_template, rule.from_cell, rule.to_template)
        if path in done and not np.array_equal(done[path], w):
            raise ValueError(f"projections.csv: {rule.id} differs in reach from another row of {path}")
        done[path] = w
        weights[np.ix_(rows, columns)], lengths[np.ix_(rows, columns)] = w, length
        if rule.delay not in ("", "tract"):
            fixed[np.ix_(rows, columns)] = float(rule.delay)
            lengths[np.ix_(rows, columns)] = 0.0
        a = slot(rule.to_template, rule.to_cell)
        glutamate = transmitter[rule.from_template, rule.from_cell] == "glutamate"
        for kind, receptor in enumerate(KINDS):
            if (receptor == "gabaa") != glutamate:
                unit = prior()[f"{rule.to_template}.*<-*:{receptor}"][0]
                kappa[kind, a, rows, c] = rule.strength * unit
    _normalise(weights, template, template[source_node])
    return Wiring(nodes, source_node, source_slot, source_class, weights, lengths, fixed, kappa)


def _normalise(weights: np.ndarray, to: np.ndarray, of: np.ndarray) -> None:
    """Equalise and scale weights in place; the telencephalon counts as one origin and one target."""

    def group(template: np.ndarray) -> np.ndarray:
        return np.where(np.isin(template, TELENCEPHALON), "telencephalon", template)

    to, of = group(to), group(of)
    for target in np.unique(to):
        for origin in np.unique(of):
            block = np.ix_(np.flatnonzero(to == target), np.flatnonzero(of == origin))
            w = weights[block]
            if not w.any():
                continue
            total = w.sum(1, keepdims=True)
            w = w / np.where(total > 0, total, 1.0) ** ROW_POWER
            if target == origin == "telencephalon":
                scale = np.abs(np.linalg.eigvals(w)).max()
            else:
                scale = w.sum(1)[w.sum(1) > 0].mean()
            weights[block] = w / scale


def _nodes(brain: Connectome) -> pd.DataFrame:
    """Regions, split into channels where the anatomy is parallel, and the brainstem."""
    regions = brain.regions
    cortical = [i for i, s in enumerate(regions.structure) if s == "cortex"]
    present = [c for c in NETWORKS if (regions.network == c).any()]
    rows = []
    for i, (structure, hemisphere) in enumerate(zip(regions.structure, regions.hemisphere, strict=True)):
        if structure in CHANNELLED and present:
            total = np.array([
                sum(brain.weights[i, j] ** WEIGHT_POWER for j in cortical if regions.network.iloc[j] == c)
                for c in present
            ])  # fmt: skip
            total = total if total.sum() > 0 else np.ones(len(present))
            share = total / total.sum()
            rows += [(i, structure, c, hemisphere, w) for c, w in zip(present, share, strict=True) if w > 0]
        else:
            rows.append((i, structure, "", hemisphere, 1.0))
    rows.append((-1, "brainstem", "", "B", 1.0))
    return pd.DataFrame(rows, columns=["region", "template", "channel", "hemisphere", "share"])


def _weights(brain: Connectome, nodes: pd.DataFrame, rule, rows: np.ndarray, origins: np.ndarray):
    """Weights and lengths of one projection, (rows, origins)."""
    to, of = nodes.iloc[rows], nodes.iloc[origins]
    ri, rj = to.region.to_numpy(), of.region.to_numpy()
    cortex = (brain.regions.structure == "cortex").to_numpy()
    network = brain.regions.network.to_numpy()

    def channels(part: pd.DataFrame) -> list[set[str]]:
        """Channels a node belongs to: its own, its network, limbic for allocortex, all otherwise."""
        out = []
        for region, channel, template in zip(part.region, part.channel, part.template, strict=True):
            if channel:
                out.append({channel})
            elif region >= 0 and cortex[region]:
                out.append({str(network[region])})
            elif template in ("hippocampus", "amygdala"):
                out.append({"Limbic"})
            else:
                out.append(set(NETWORKS))
        return out

    ct, cf = channels(to), channels(of)
    same = np.array([[bool(a & b) for b in cf] for a in ct], float)
    if rule.from_template not in CHANNELLED and rule.to_template not in CHANNELLED:
        same[:] = 1.0
    h = (to.hemisphere.to_numpy()[:, None] == of.hemisphere.to_numpy()[None]).astype(float)
    if rule.scope == "connectome":
        sc = brain.weights[np.ix_(ri, rj)]
        length = brain.lengths[np.ix_(ri, rj)]
        if rule.from_template in CHANNELLED and rule.to_template in CHANNELLED:
            same = same * h
    elif rule.scope == "contralateral":
        sc, length = 1.0 - h, _distance(brain, ri, rj)
    else:  # channel: same loop, same hemisphere; literature: everywhere allowed
        sc = h if rule.scope == "channel" else np.ones((len(rows), len(origins)))
        length = np.zeros_like(sc)
    w = np.where(sc > 0, sc, 0.0) ** WEIGHT_POWER * same
    for where, part, axis in ((rule.to_where, to, 0), (rule.from_where, of, 1)):
        if where:
            try:
                inside = resolve_where(brain.regions, where)
            except UserError:  # a table's locus that this brain does not hold
                inside = np.zeros(len(brain), bool)
            keep = np.array([r >= 0 and inside[r] for r in part.region], float)
            w = w * (keep[:, None] if axis == 0 else keep[None])
    return w, length


def _distance(brain: Connectome, ri: np.ndarray, rj: np.ndarray) -> np.ndarray:
    """Euclidean distance between centroids, mm."""
    xyz = brain.regions[["x", "y", "z"]].to_numpy(float)
    return np.linalg.norm(xyz[ri][:, None] - xyz[rj][None], axis=-1)
