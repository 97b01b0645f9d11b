"""BOLD connectivity of healthy brains, for the benchmarks of FC."""

from dataclasses import replace

import numpy as np

from synsys.brain.bold import BAND_NODES, bold_covariance, correlation, drive_weights, noise_level
from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.spectra import cross, respond
from synsys.brain.state import HealthyBrain
from synsys.brain.wiring import TELENCEPHALON
from synsys.core.connectome import Connectome
from synsys.knowledge.mechanisms import maps

FLAT = {(m.multiplier, m.map, m.cell): 0.0 for m in maps()}
"""Map slopes of a brain whose regions of one kind are alike."""


class Strengths:
    """A model whose cortical, hippocampal and amygdalar long-range synapses are scaled in health."""

    def __init__(self, brain: Connectome) -> None:
        self.model = BrainModel(brain)
        self.wiring = self.model.wiring
        template = self.wiring.nodes.template.to_numpy()[self.wiring.source_node]
        self.kinds = np.unique(self.wiring.source_class[np.isin(template, TELENCEPHALON)])

    def healthy(self, strength: float, draw: Draw) -> HealthyBrain:
        kappa = self.wiring.kappa.copy()
        kappa[..., self.kinds] *= strength
        self.model.wiring = replace(self.wiring, kappa=kappa)
        return HealthyBrain(self.model, draw)


def covariance(brain: HealthyBrain, drive: str) -> np.ndarray:
    """BOLD covariance of a healthy brain, (R, R)."""
    state = brain.state
    return bold_covariance(cross(respond(state.linear, BAND_NODES).output(drive_weights(state, drive))))


def seen(cov: np.ndarray, cortex: np.ndarray, share: float) -> np.ndarray:
    """FC with scanner noise."""
    return correlation(cov + noise_level(cov, cortex, share) * np.eye(len(cov)))


def mean_fc(matrices: list[np.ndarray]) -> np.ndarray:
    """Mean over members in Fisher z."""
    z = np.mean([np.arctanh(np.clip(m, -0.999999, 0.999999)) for m in matrices], axis=0)
    fc = np.tanh(z)
    np.fill_diagonal(fc, 1.0)
    return fc


def r(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])
