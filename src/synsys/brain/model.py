"""A connectome made into a model: nodes, wiring, regional maps."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.modulation import Places
from synsys.brain.multipliers import SPINY
from synsys.brain.slow import SlowBrain
from synsys.brain.tone import Nuclei
from synsys.brain.wiring import Wiring, build_wiring
from synsys.circuit.drift import SLOTS, Parameters
from synsys.circuit.linear import KINDS
from synsys.circuit.templates import cells, healthy
from synsys.core.connectome import Connectome
from synsys.knowledge.mechanisms import RegionalMap, maps, receptors

SLOW_INPUT = 0.02
"""Amplitude of the 1/f AMPA conductance at 1 Hz, multiples of leak per sqrt(Hz) (declared)."""
SLOW_TEMPLATES = ("cortex", "hippocampus", "amygdala", "thalamus")


class BrainModel:
    """A connectome made into a model: nodes, wiring, regional maps.

    Parameters
    ----------
    brain : Connectome
    """

    def __init__(self, brain: Connectome) -> None:
        self.brain = brain
        self.wiring: Wiring = build_wiring(brain)
        self.places = Places(self.wiring, brain.regions)

    @cached_property
    def slot_mask(self) -> dict[str, np.ndarray]:
        """Populations by kind, bool (N, 3): every cell name, plus ``glutamate``, ``gaba``, ``spiny``."""
        template = self.wiring.nodes.template
        names = np.array(
            [[cells()[t][a] if a < len(cells()[t]) else "" for a in range(SLOTS)] for t in template]
        )
        out = {str(c): names == c for c in np.unique(names) if c}
        out["spiny"] = np.isin(names, SPINY)
        return out

    @cached_property
    def slow_brain(self) -> SlowBrain:
        """The signaling network on the nodes."""
        return SlowBrain(self.places)

    @cached_property
    def nuclei(self) -> Nuclei:
        """Brainstem nuclei and the tones that they set."""
        return Nuclei(self.places)

    @cached_property
    def with_pv(self) -> np.ndarray:
        """Nodes that have PV cells, bool (N, 1)."""
        return np.asarray(self.slot_mask["PV"].any(1, keepdims=True))

    @cached_property
    def slow(self) -> np.ndarray:
        """Amplitude of the 1/f input onto each population, (N, 3)."""
        here = self.wiring.nodes.template.isin(SLOW_TEMPLATES).to_numpy()
        return np.where(here[:, None] & (np.arange(SLOTS) < 2), SLOW_INPUT, 0.0)

    def template(self, draw: Draw, share: np.ndarray) -> tuple[Parameters, np.ndarray]:
        """Parameters of every node before maps, (N, 3), and its factors on arriving conductance, (3, N, 3).

        Parameters
        ----------
        draw : Draw
        share : ndarray, (N,)
            Part of the draw's deviations from its calibration member that each node keeps.
        """
        names = self.wiring.nodes.template.to_numpy()
        at = [np.flatnonzero(share == part) for part in np.unique(share)]
        found = [_bare(list(names[i]), draw.conductances(share[i[0]])) for i in at]
        back = np.argsort(np.concatenate(at))
        p, scale = zip(*found, strict=True)
        fields = {f: np.concatenate([getattr(one, f) for one in p])[back] for f in vars(p[0])}
        return Parameters(**fields), np.concatenate(scale, 1)[:, back]

    def z_map(self, name: str) -> np.ndarray | None:
        """Regional map as z scores on nodes, (N,); 0 where missing, None if the brain lacks the map.

        Cortex and the rest are standardised apart, because expression is normalised apart.
        """
        if name not in self._z_maps:
            self._z_maps[name] = self._z_map(name)
        return self._z_maps[name]

    @cached_property
    def _z_maps(self) -> dict[str, np.ndarray | None]:
        return {}

    def _z_map(self, name: str) -> np.ndarray | None:
        if name not in self.brain.maps.columns:
            return None
        values = self.brain.maps[name].to_numpy(float)
        cortex = (self.brain.regions.structure == "cortex").to_numpy()
        z = np.zeros(len(values))
        for part in (cortex, ~cortex):
            known = part & np.isfinite(values)
            if known.sum() >= 3 and np.std(values[known]) > 0:
                z[known] = (values[known] - values[known].mean()) / np.std(values[known])
        if not z.any():
            return None
        region = self.wiring.nodes.region.to_numpy()
        return np.where(region >= 0, z[region], 0.0)

    def used_maps(self) -> list[RegionalMap]:
        """Rows of ``maps.csv`` that this brain has maps for: per variable the preferred, else the first."""
        out: list[RegionalMap] = []
        for name in dict.fromkeys(m.multiplier for m in maps()):
            rows = [m for m in maps() if m.multiplier == name and self.z_map(m.map) is not None]
            out += [m for m in rows if m.preferred] or rows[:1]
        return out

    def regional(self, draw: Draw) -> dict[str, np.ndarray]:
        """Healthy regional factor of each mapped variable, (N, 3)."""
        out: dict[str, np.ndarray] = {}
        for m in self.used_maps():
            z = self.z_map(m.map)
            factor = np.maximum(1 + draw.beta.get((m.multiplier, m.map, m.cell), m.beta) * z, 0.2)  # type: ignore[operator]
            here = np.where(self.places.mask(m.cell, ()), factor[:, None], 1.0)
            out[m.multiplier] = out.get(m.multiplier, np.ones(here.shape)) * here
        return out

    def densities(self, draw: Draw) -> dict[str, np.ndarray]:
        """Healthy regional factor of receptor densities, (N, 3): what receptors read of `regional`."""
        names = {row.density for row in receptors()}
        return {name: value for name, value in self.regional(draw).items() if name in names}


def _bare(names: Sequence[str], log_factor: Mapping[str, float]) -> tuple[Parameters, np.ndarray]:
    """Parameters of nodes by template, and their factors on arriving conductance, (3 kinds, N, 3)."""
    factor = {key: np.exp(value) for key, value in log_factor.items()}
    scale = np.array([[factor.get(f"{t}.*<-*:{kind}", 1.0) for t in names] for kind in KINDS])
    return healthy(names, factor), np.repeat(scale[..., None], SLOTS, -1)
