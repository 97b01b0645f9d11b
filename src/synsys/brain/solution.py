"""What the linear brain does in one state: rates, spectra, connectivity, synchrony."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synsys.brain.bold import (
    BAND_NODES,
    Haemodynamics,
    bold_covariance,
    bold_transfer,
    correlation,
    drive_weights,
    noise_level,
)  # fmt: skip
from synsys.brain.spectra import Lags, Response, cross, power, respond
from synsys.brain.state import BrainModel, State
from synsys.circuit.drift import firing

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


def band_mean(frequency: np.ndarray, power: np.ndarray, band: str) -> np.ndarray:
    """Mean spectral density in a band of `BANDS`, (N,), from power (F, N); interpolated in log-log."""
    low, high = BANDS[band]
    grid, at = np.log(frequency), np.log(np.linspace(low, high, 41))
    return np.exp(np.stack([np.interp(at, grid, column) for column in np.log(power).T])).mean(-1)


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
        self.lags = Lags(model.wiring, self.all)
        wiring = model.wiring
        self.weights = np.zeros((len(model.brain), len(wiring.source_node)))
        region, share, template = (wiring.nodes[c].to_numpy() for c in ("region", "share", "template"))
        for s, (n, a) in enumerate(zip(wiring.source_node, wiring.source_slot, strict=True)):
            if region[n] >= 0 and (a == 0 or (a == 1 and template[n] in AVERAGED)):
                self.weights[region[n], s] = share[n] * (0.5 if template[n] in AVERAGED else 1.0)

    @cached_property
    def pairs(self) -> np.ndarray:
        """Indices into `frequency` of every frequency in `PAIRS`."""
        wanted = sorted({f for fs in PAIRS.values() for f in fs})
        return np.array([int(np.flatnonzero(self.frequency == f)[0]) for f in wanted])

    def band_rows(self, band: str) -> np.ndarray:
        """Rows of `pairs` that belong to a band."""
        at = self.frequency[self.pairs]
        return np.flatnonzero(np.isin(at, PAIRS[band]))


@dataclass(frozen=True, eq=False)
class Solution:
    """Linear solution of one state.

    Attributes
    ----------
    state : State
    response : Response
    psd : ndarray, (F, R)
        Power of each region's potential, mV^2 / Hz.
    covariance : ndarray, (R, R)
        Of BOLD in its band, without measurement noise.
    noise : float
        Variance of measurement noise, taken from the healthy state.
    fc : ndarray, (R, R)
        BOLD functional connectivity, Pearson r.
    coherency : ndarray, (frequencies of `Grid.pairs`, R, R), complex
    grid : Grid
    """

    state: State
    response: Response
    psd: np.ndarray
    covariance: np.ndarray
    noise: float
    fc: np.ndarray
    coherency: np.ndarray
    grid: Grid

    def band_power(self, band: str) -> np.ndarray:
        """Mean spectral density of each region in a band, (R,), mV^2 / Hz."""
        return band_mean(self.grid.frequency, self.psd, band)

    def synchrony(self, band: str) -> np.ndarray:
        """Phase-locking value between regions in a band, mean over its frequencies, (R, R)."""
        return locking(np.abs(self.coherency[self.grid.band_rows(band)])).mean(0)

    def coherence(self, band: str) -> np.ndarray:
        """Magnitude of coherency between regions in a band, mean over its frequencies, (R, R)."""
        return np.abs(self.coherency[self.grid.band_rows(band)]).mean(0)


def locking(coherence: np.ndarray) -> np.ndarray:
    """Phase-locking value of two circular Gaussian signals, from their coherence magnitude.

    (pi / 4) c 2F1(1/2, 1/2; 2; c^2), the mean resultant of the phase difference (Lee et al. 1994, IEEE
    Trans Geosci Remote Sens 32:1017), evaluated by interpolation on a table.
    """
    return np.interp(coherence, *_locking_table())


def _locking_table() -> tuple[np.ndarray, np.ndarray]:
    if not _TABLE:
        from scipy.special import hyp2f1

        c = np.sin(np.linspace(0.0, np.pi / 2, 1001))
        _TABLE.append((c, np.pi / 4 * c * hyp2f1(0.5, 0.5, 2.0, c**2)))
    return _TABLE[0]


_TABLE: list[tuple[np.ndarray, np.ndarray]] = []


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
    lags = grid.lags if (state.speed == 1.0).all() else Lags(grid.model.wiring, grid.all, state.speed)
    response = respond(state.linear, grid.all, lags)
    potential = response.output(grid.weights)
    n_slow = len(BAND_NODES)
    region = grid.model.wiring.nodes.region.to_numpy()
    gain = np.ones(len(grid.model.brain))
    gain[region[region >= 0]] = state.vascular[region >= 0]
    neural = cross(response.part(slice(0, n_slow)).output(drive_weights(state)))
    covariance = bold_covariance(neural, transfer=bold_transfer(BAND_NODES, Haemodynamics(gain=gain)))
    cortex = (grid.model.brain.regions.structure == "cortex").to_numpy()
    noise = noise_level(covariance, cortex) if noise is None else noise
    chosen = potential[n_slow + grid.pairs]
    spectrum = cross(chosen)
    size = np.sqrt(np.einsum("fii->fi", spectrum).real)
    return Solution(
        state=state,
        response=response,
        psd=power(potential)[n_slow:],
        covariance=covariance,
        noise=noise,
        fc=correlation(covariance + noise * np.eye(len(covariance))),
        coherency=spectrum / (size[:, :, None] * size[:, None]),
        grid=grid,
    )
