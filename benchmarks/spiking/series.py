"""Noise of a state as one realisation, so that cells and populations of a comparison receive the same."""

from collections.abc import Sequence

import numpy as np

from synsys.brain.noise import CORNERS, TAU_NOISE, one_over_f
from synsys.brain.state import State
from synsys.circuit.drift import SLOTS
from synsys.circuit.linear import KINDS


class Noise:
    """Background and slow conductances of K seeds as exact Ornstein-Uhlenbeck steps.

    Parameters
    ----------
    state : State
        Its linearisation holds the intensities.
    dt : float
        Step, ms.
    seeds : sequence of int
    scale : float
        Factor on the amplitude of everything.
    """

    def __init__(self, state: State, dt: float, seeds: Sequence[int], scale: float = 1.0) -> None:
        system = state.linear
        self._rng = [np.random.default_rng(seed) for seed in seeds]
        n, k = len(system.slow), len(seeds)
        tau = TAU_NOISE[:, None, None]
        sd = scale * np.sqrt(system.noise / (2 * tau))
        self._keep, self._kick = np.exp(-dt / tau), sd * np.sqrt(-np.expm1(-2 * dt / tau))
        self._fast = sd * self._normal((len(KINDS), n, SLOTS))
        # the slow input: one series per node and one shared by all, each a sum over corner frequencies
        self._onto = scale * system.slow
        self._share = np.sqrt(system.shared), np.sqrt(1.0 - system.shared)
        corner_tau = 1e3 / (2 * np.pi * CORNERS)
        weight = one_over_f(system.exponent)
        amplitude = np.sqrt(weight * 1e3 / (2 * corner_tau))  # per Hz -> per kHz, then variance
        self._slow_keep = np.exp(-dt / corner_tau)
        self._slow_kick = amplitude * np.sqrt(-np.expm1(-2 * dt / corner_tau))
        self._series = amplitude * self._normal((n + 1, len(CORNERS)))
        self._shape = k, n

    def _normal(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.stack([rng.standard_normal(shape) for rng in self._rng])

    def step(self) -> np.ndarray:
        """Conductances one step later, (K, 3 kinds, N, 3)."""
        self._fast = self._keep * self._fast + self._kick * self._normal(self._fast.shape[1:])
        self._series = self._slow_keep * self._series + self._slow_kick * self._normal(self._series.shape[1:])
        return self.now()

    def now(self) -> np.ndarray:
        """Conductances now, (K, 3 kinds, N, 3)."""
        series = self._series.sum(-1)
        slow = self._share[0] * series[:, :1] + self._share[1] * series[:, 1:]
        out = self._fast.copy()
        out[:, KINDS.index("ampa")] += slow[..., None] * self._onto
        return out
