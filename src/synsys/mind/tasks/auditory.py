"""Sound: what relay cells of the thalamus bring to auditory cortex when they follow a stimulus.

The ear and the thalamus are not modelled: a sound adds a given rate to the relay cells, the same in every
state. What it does to cortex is the state's own: release, receptors, wiring and the cells that they reach.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from synsys.brain.state import State
from synsys.circuit.drift import Parameters, drive, firing
from synsys.measures.systems import Atlas

AUDITORY = ("A1", "STG")
"""Loci of auditory cortex: transverse and superior temporal gyrus."""


@dataclass(frozen=True, eq=False)
class AuditoryCortex:
    """Auditory cortex of one state and its thalamic afferents.

    Attributes
    ----------
    state : State
    nodes : ndarray of int, (n,)
    sources : ndarray of int, (n,)
        Sources (E cells) of these nodes in the wiring.
    relay : ndarray of int, (s,)
        Nodes of the relay cells.
    onto : ndarray, (3 kinds, n, 3, s)
        Conductance onto each population per unit of gating of each relay cell, in multiples of leak.
    """

    state: State
    nodes: np.ndarray
    sources: np.ndarray
    relay: np.ndarray
    onto: np.ndarray

    @property
    def rate(self) -> np.ndarray:
        """Rate of the relay cells at rest in this state, 1/ms, (s,)."""
        p = self.state.parameters
        return np.asarray(firing(self.state.point.x[:, 0], p)[self.relay, 0])

    def steady(self, added: np.ndarray | complex) -> np.ndarray:
        """Gating (fast, slow) that relay cells would reach if they fired faster, minus that of rest.

        Parameters
        ----------
        added : number or ndarray, (..., s)
            Rate that the stimulus adds, 1/ms; may be complex.

        Returns
        -------
        ndarray, (2, ..., s)
        """
        p = parameters_of(self.state.parameters, self.relay)
        first = replace(p, **{name: getattr(p, name)[:, 0] for name in ("release", "rate", "saturation")})
        with_sound, without = drive(self.rate + added, first), drive(self.rate, first)
        return np.stack([a - b for a, b in zip(with_sound, without, strict=True)])

    @property
    def decay(self) -> np.ndarray:
        """Time constants (fast, slow) of their synapses, ms, (2, s)."""
        p = self.state.parameters
        return np.stack([p.tau_fast[self.relay, 0], p.tau_slow[self.relay, 0]])

    def conductance(self, gating: np.ndarray) -> np.ndarray:
        """Conductance that a change of gating (2, ..., s) brings, (..., 3 kinds, n, 3)."""
        ampa, nmda = (np.einsum("nas,...s->...na", k, g) for k, g in zip(self.onto[:2], gating, strict=True))
        return np.stack([ampa, nmda, 0.0 * ampa], -3)


def auditory_cortex(state: State, atlas: Atlas) -> AuditoryCortex | None:
    """Auditory cortex of a state; None if the brain has no such region, or no thalamus that reaches it."""
    places = [where for name in AUDITORY if (where := atlas.where(name)) is not None]
    wiring = state.healthy.wiring
    sources = np.flatnonzero(atlas.node_template[wiring.source_node] == "thalamus")
    if not places or not len(sources):
        return None
    inside = np.any(places, axis=0)[atlas.node_region] & (atlas.node_region >= 0)
    nodes = np.flatnonzero(inside & (atlas.node_template == "cortex"))
    own = {int(n): s for s, n in enumerate(wiring.source_node) if wiring.source_slot[s] == 0}
    kappa = wiring.kappa[:, :, nodes][..., wiring.source_class[sources]]  # (kinds, 3, n, s)
    weight = wiring.weights[np.ix_(nodes, sources)]
    if not len(nodes) or not weight.any():
        return None
    onto = state.coupling[:, nodes, :, None] * kappa.transpose(0, 2, 1, 3) * weight[:, None]
    return AuditoryCortex(
        state, nodes, np.array([own[int(n)] for n in nodes]), wiring.source_node[sources], onto
    )


def parameters_of(p: Parameters, nodes: np.ndarray) -> Parameters:
    """Parameters of some nodes."""
    return replace(p, **{f.name: getattr(p, f.name)[nodes] for f in fields(Parameters)})
