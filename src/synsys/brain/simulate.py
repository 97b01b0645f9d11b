"""Plain time-domain simulation of the whole brain: the yardstick of the linear solution.

The drift is `circuit.drift.drift` itself, on all regions and several seeds at once; delays come from a
history, noise is the background and slow conductance that `brain.spectra` describes by its spectrum.
Slow on purpose: nothing here is clever.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.sparse import csr_array

from synsys.brain.noise import TAU_NOISE
from synsys.brain.state import State
from synsys.brain.wiring import Wiring
from synsys.circuit.drift import SLOTS, drift, firing
from synsys.circuit.linear import FAST, KINDS, SLOW
from synsys.core.errors import UserError

CORNERS = np.geomspace(0.005, 300.0, 11)
"""Corner frequencies of the Ornstein-Uhlenbeck processes whose sum is the slow input, Hz."""


@dataclass(frozen=True, eq=False)
class Simulation:
    """What a simulation recorded.

    Attributes
    ----------
    step : float
        Time between records, ms.
    potential : ndarray, (K, T, S')
        Potential of each recorded source, mV, for each of K seeds.
    sources : ndarray, (S',)
        Index of each recorded source in the wiring.
    mean, sd : ndarray, (N, 3)
        Mean and standard deviation in time of the potential of every population, mV, all seeds together.
    mean_rate : ndarray, (N, 3)
        Mean firing rate of every population, Hz.
    state : State
    """

    step: float
    potential: np.ndarray
    sources: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    mean_rate: np.ndarray
    state: State

    @property
    def rate(self) -> np.ndarray:
        """Firing rate of each recorded source, Hz, (K, T, S')."""
        wiring, p = self.state.linear.wiring, self.state.parameters
        at = wiring.source_node[self.sources], wiring.source_slot[self.sources]
        gain, theta, sigma = p.gain[at], p.theta[at], p.sigma[at]
        return 1e3 * gain * np.log1p(np.exp((self.potential - theta) / sigma))

    def cross_spectrum(self, seconds: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
        """Cross-spectral density of the potentials (Welch 1967: Hann windows, half overlapping).

        Parameters
        ----------
        seconds : float
            Length of a window; not longer than a run.

        Returns
        -------
        frequency : ndarray, (F,)
            Hz, from 1 / seconds.
        density : ndarray, (F, S', S'), complex
            Two-sided, mV^2 per Hz, mean over windows and seeds.
        """
        width = round(1e3 * seconds / self.step)
        if width > self.potential.shape[1]:
            length = self.potential.shape[1] * self.step * 1e-3
            raise UserError(
                f"a window of {seconds:g} s does not fit into runs of {length:.3g} s; choose less"
            )
        window = np.hanning(width + 1)[:-1]
        scale = self.step * 1e-3 / (window**2).sum()
        total: np.ndarray | float = 0.0
        count = 0
        for y in self.potential:
            for at in range(0, len(y) - width + 1, width // 2):
                part = y[at : at + width]
                f = np.fft.rfft((part - part.mean(0)) * window[:, None], axis=0)[1:]
                total = total + f[:, :, None] * f[:, None].conj()
                count += 1
        return np.fft.rfftfreq(width, self.step * 1e-3)[1:], total * (scale / count)


class History:
    """Delayed conductances from the gates of all sources, kept for the longest delay.

    Parameters
    ----------
    wiring : Wiring
    delay : ndarray, (N, S)
        Delays, ms; rounded to whole steps, at least one.
    dt : float
        Step, ms.
    gates : ndarray, (S, K, 2)
        Fast and slow gates of all sources before the start.
    """

    def __init__(self, wiring: Wiring, delay: np.ndarray, dt: float, gates: np.ndarray) -> None:
        self._wiring = wiring
        self._classes = wiring.kappa.shape[-1]
        node, source = np.nonzero(wiring.weights)
        lag = np.maximum(np.rint(delay[node, source] / dt).astype(int), 1)
        self._length = int(lag.max(initial=1))
        n_sources, batch = gates.shape[:2]
        # oldest record first, so that a window of the doubled ring is one contiguous block
        column = (self._length - lag) * n_sources + source
        row = node * self._classes + wiring.source_class[source]
        shape = (len(wiring.nodes) * self._classes, self._length * n_sources)
        self._gather = csr_array((wiring.weights[node, source], (row, column)), shape)
        self._ring = np.empty((2 * self._length, n_sources, 2 * batch))
        self._ring[:] = gates.reshape(n_sources, 2 * batch)
        self._at = 0

    def arriving(self, gates: np.ndarray) -> np.ndarray:
        """Record the gates of now, (S, K, 2); conductance arriving one step later, (K, 3 kinds, N, 3)."""
        now = gates.reshape(len(gates), -1)
        self._ring[self._at] = self._ring[self._at + self._length] = now
        self._at = (self._at + 1) % self._length
        window = self._ring[self._at : self._at + self._length].reshape(-1, self._ring.shape[-1])
        sums = (self._gather @ window).reshape(-1, self._classes, gates.shape[1], 2)  # (N, C, K, 2)
        fast, slow = sums[..., 0], sums[..., 1]
        kappa = self._wiring.kappa.transpose(0, 2, 1, 3)  # (kinds, N, slots, C)
        u = np.stack([k @ y for k, y in zip(kappa, (fast, slow, fast), strict=True)])  # (kinds, N, slots, K)
        return u.transpose(3, 0, 1, 2)


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


def one_over_f(exponent: float) -> np.ndarray:
    """Low-frequency density of each process of `CORNERS` such that their sum is f**-exponent, 0.02-100 Hz.

    Returns
    -------
    ndarray, (11,)
        Two-sided spectral density at zero frequency, per Hz.
    """
    f = np.geomspace(0.02, 100.0, 200)
    basis = f[:, None] ** exponent / (1.0 + (f[:, None] / CORNERS) ** 2)
    size = np.linalg.norm(basis, axis=0)
    weights: np.ndarray = nnls(basis / size, np.ones(len(f)), maxiter=2000)[0] / size
    return weights


def simulate(
    state: State,
    seconds: float,
    seeds: Sequence[int] = (0,),
    *,
    dt: float = 0.2,
    every: int = 10,
    warm_up: float = 2.0,
    noise: float = 1.0,
    drive: Callable[[float], np.ndarray] | None = None,
    sources: np.ndarray | None = None,
    progress: Callable[[float], None] | None = None,
) -> Simulation:
    """Simulate a state with Heun's method (noise is additive, so Ito and Stratonovich agree).

    Parameters
    ----------
    state : State
        Start from its operating point.
    seconds : float
        Recorded time, s.
    seeds : sequence of K int
        Independent runs, computed side by side.
    dt : float
        Step, ms. A sharp gamma peak loses 10 % of its power at 0.4 ms, nothing that sampling shows at 0.25.
    every : int
        Steps between records.
    warm_up : float
        Time before recording, s.
    noise : float
        Factor on the amplitude of all noise; 0 for none.
    drive : callable, optional
        Further conductance at time t (ms): array that broadcasts to (K, 3 kinds, N, 3).
    sources : ndarray of int, optional
        Which sources to record; all by default.
    progress : callable, optional
        Called now and then with the fraction done.

    Returns
    -------
    Simulation

    Raises
    ------
    FloatingPointError
        If potentials leave the finite numbers.
    """
    wiring, p, k = state.linear.wiring, state.parameters, len(seeds)
    sources = np.arange(len(wiring.source_node)) if sources is None else np.asarray(sources)
    node, out = wiring.source_node, wiring.source_slot
    x = np.broadcast_to(state.point.x, (k, *state.point.x.shape)).copy()

    def gates(x: np.ndarray) -> np.ndarray:
        return x[:, node, :, out][..., FAST : SLOW + 1]  # (S, K, 2)

    history = History(wiring, wiring.delays(state.speed), dt, gates(x))
    wander = Noise(state, dt, seeds, noise)

    def outside(arrived: np.ndarray, t: float, extra: np.ndarray) -> np.ndarray:
        total = state.coupling * arrived + extra
        return total if drive is None else total + drive(t)

    warm, steps = round(1e3 * warm_up / dt), round(1e3 * seconds / dt)
    record = np.empty((k, steps // every, len(sources)))
    sums = np.zeros((3, len(wiring.nodes), SLOTS))
    u = outside(history.arriving(gates(x)), 0.0, wander.now())
    for n in range(warm + steps):
        later = (n + 1) * dt
        f = drift(x, p, u)
        guess = x + dt * f
        u = outside(history.arriving(gates(x)), later, wander.step())
        x = x + 0.5 * dt * (f + drift(guess, p, u))
        if n >= warm and (n - warm) % every == every - 1:
            v = x[:, :, 0]
            at = (n - warm) // every
            if at < record.shape[1]:
                record[:, at] = v[:, node[sources], out[sources]]
                sums += [v.mean(0), ((v - state.point.x[:, 0]) ** 2).mean(0), firing(v, p).mean(0)]
        if n % 500 == 499:
            if not np.isfinite(x).all():
                raise FloatingPointError(f"potentials are no longer finite after {later:g} ms")
            if progress is not None:
                progress((n + 1) / (warm + steps))
    if progress is not None:
        progress(1.0)
    mean, square, rate = sums / record.shape[1]
    sd = np.sqrt(np.maximum(square - (mean - state.point.x[:, 0]) ** 2, 0.0))
    return Simulation(dt * every, record, sources, mean, sd, 1e3 * rate, state)
