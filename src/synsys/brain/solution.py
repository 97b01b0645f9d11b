"""What the linear brain does in one state: rates, spectra, connectivity, synchrony."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synsys.brain.bold import (
    BAND_NODES,
    bold_covariance,
    bold_transfer,
    correlation,
    drive_weights,
    noise_level,
)  # fmt: skip
from synsys.brain.eeg import plv_from_coherence
from synsys.brain.linear import DelayedWeights, angular
from synsys.brain.model import BrainModel
from synsys.brain.spectra import Response, cross, respond
from synsys.brain.state import State
from synsys.circuit.drift import firing
from synsys.simulation.haemodynamics import Haemodynamics

BANDS = {
    "delta": (1.0, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0),
    "gamma": (30.0, 100.0),
}  # fmt: skip
"""Frequency bands in Hz, as the vocabulary defines them."""
FINE = np.r_[np.arange(1.0, 31.0), np.arange(32.0, 61.0, 2.0), np.arange(65.0, 101.0, 5.0)]
"""Frequencies of a full result, Hz."""
COARSE = np.array(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 18, 22, 26, 30, 34, 38, 42, 46, 52, 60, 74, 100.0]
)
"""Frequencies of a quick result (claims), Hz."""
PAIRS = {
    "theta": (4, 5, 6, 7, 8),
    "alpha": (8, 10, 12),
    "beta": (13, 18, 22, 26, 30),
    "gamma": (30, 34, 38, 42, 46, 60),
}
"""Frequencies at which synchrony between regions is evaluated, Hz; all are in `FINE` and `COARSE`."""
AVERAGED = ("striatum", "pallidum")
"""Structures whose regional signal is the mean of their first two populations."""


def regional_weights(model: BrainModel) -> np.ndarray:
    """What each source counts in the signal of a region, (R, S): principal cells, channels by their share."""
    wiring = model.wiring
    out = np.zeros((len(model.brain), len(wiring.source_node)))
    region, share, template = (wiring.nodes[c].to_numpy() for c in ("region", "share", "template"))
    for s, (n, a) in enumerate(zip(wiring.source_node, wiring.source_slot, strict=True)):
        if region[n] >= 0 and (a == 0 or (a == 1 and template[n] in AVERAGED)):
            out[region[n], s] = share[n] * (0.5 if template[n] in AVERAGED else 1.0)
    return out


class Grid:
    """Frequencies and output weights shared by all states of one brain.

    Parameters
    ----------
    model : BrainModel
    frequency : ndarray, (F,)
        Spectral frequencies, Hz; must hold those of `PAIRS`.
    """

    def __init__(self, model: BrainModel, frequency: np.ndarray = FINE) -> None:
        self.model, self.frequency = model, frequency
        self.all = np.r_[BAND_NODES, frequency]
        self.delayed = DelayedWeights(model.wiring, angular(self.all))
        self._inside: dict[str, np.ndarray] = {}
        self.weights = regional_weights(model)

    @cached_property
    def pairs(self) -> np.ndarray:
        """Indices into `frequency` of every frequency in `PAIRS`."""
        wanted = sorted({f for fs in PAIRS.values() for f in fs})
        return np.array([int(np.flatnonzero(self.frequency == f)[0]) for f in wanted])

    def inside(self, band: str) -> np.ndarray:
        """Weights (41, F) of linear interpolation in log frequency, at 41 frequencies of a band."""
        if band not in self._inside:
            at = np.log(np.linspace(*BANDS[band], 41))
            grid = np.log(self.frequency)
            self._inside[band] = np.stack([np.interp(at, grid, row) for row in np.eye(len(grid))], 1)
        return self._inside[band]

    def band_mean(self, power: np.ndarray, band: str) -> np.ndarray:
        """Mean spectral density in a band, (N,), from power (F, N); interpolated in log-log."""
        return np.exp(self.inside(band) @ np.log(power)).mean(0)

    def band_rows(self, band: str) -> np.ndarray:
        """Rows of `pairs` that belong to a band."""
        at = self.frequency[self.pairs]
        return np.flatnonzero(np.isin(at, PAIRS[band]))


@dataclass(frozen=True, eq=False)
class Solution:
    """Linear solution of one state; what follows from the response is computed when first asked for.

    Attributes
    ----------
    state : State
    response : Response
        At `Grid.all`.
    grid : Grid
    healthy_noise : float or None
        Variance of BOLD measurement noise in health; None if this state is the healthy one.
    """

    state: State
    response: Response
    grid: Grid
    healthy_noise: float | None = None

    @cached_property
    def psd(self) -> np.ndarray:
        """Power of each region's potential, (F, R), mV^2 / Hz."""
        return self.response.part(slice(len(BAND_NODES), None)).power(self.grid.weights)

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of BOLD in its band, without measurement noise, (R, R)."""
        region = self.grid.model.wiring.nodes.region.to_numpy()
        gain = np.ones(len(self.grid.model.brain))
        gain[region[region >= 0]] = self.state.vascular[region >= 0]
        slow = self.response.part(slice(len(BAND_NODES)))
        transfer = bold_transfer(BAND_NODES, Haemodynamics(gain=gain))
        return bold_covariance(cross(slow.output(drive_weights(self.state))), transfer=transfer)

    @cached_property
    def noise(self) -> float:
        """Variance of BOLD measurement noise: a scanner's, so that of the healthy state."""
        if self.healthy_noise is not None:
            return self.healthy_noise
        return noise_level(self.covariance, (self.grid.model.brain.regions.structure == "cortex").to_numpy())

    @cached_property
    def fc(self) -> np.ndarray:
        """BOLD functional connectivity, Pearson r, (R, R)."""
        return correlation(self.covariance + self.noise * np.eye(len(self.covariance)))

    @cached_property
    def coherency(self) -> np.ndarray:
        """Coherency between regions, (frequencies of `Grid.pairs`, R, R), complex."""
        spectrum = cross(self.response.part(len(BAND_NODES) + self.grid.pairs).output(self.grid.weights))
        size = np.sqrt(np.einsum("fii->fi", spectrum).real)
        return spectrum / (size[:, :, None] * size[:, None])

    def band_power(self, band: str) -> np.ndarray:
        """Mean spectral density of each region in a band, (R,), mV^2 / Hz."""
        return self.grid.band_mean(self.psd, band)

    def synchrony(self, band: str) -> np.ndarray:
        """Phase-locking value between regions in a band, mean over its frequencies, (R, R)."""
        return self._locking[self.grid.band_rows(band)].mean(0)

    def coherence(self, band: str) -> np.ndarray:
        """Magnitude of coherency between regions in a band, mean over its frequencies, (R, R)."""
        return self._magnitude[self.grid.band_rows(band)].mean(0)

    @cached_property
    def _magnitude(self) -> np.ndarray:
        return np.abs(self.coherency)

    @cached_property
    def _locking(self) -> np.ndarray:
        return plv_from_coherence(self._magnitude**2)


def rate_slope(state: State) -> np.ndarray:
    """Slope of the population rate, Hz per mV, (N, 3)."""
    v = state.point.x[:, 0].astype(complex) + 1e-30j
    return 1e3 * firing(v, state.parameters).imag / 1e-30


def solve(state: State, grid: Grid, noise: float | None = None) -> Solution:
    """Linear solution of a state on a grid.

    Parameters
    ----------
    state : State
        With a converged operating point; check `stability` before reading spectra.
    grid : Grid
    noise : float, optional
        Variance of BOLD measurement noise, from the healthy solution; by default this state is the
        healthy one.
    """
    fits = state.healthy.wiring.weights is grid.model.wiring.weights and (state.speed == 1.0).all()
    delayed = grid.delayed if fits else None
    return Solution(state, respond(state.linear, grid.all, delayed), grid, noise)
