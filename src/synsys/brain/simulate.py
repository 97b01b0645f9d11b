"""The whole brain in the time domain, from a state of rest: what the linear solution is held against.

The equations are those of `brain.time_domain`; this is the short way to one state and several seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synsys.brain.state import State
from synsys.brain.time_domain import CORTICAL, in_time
from synsys.circuit.drift import SLOTS
from synsys.core.errors import UserError
from synsys.simulation import run as kernel

CHUNK = 500
"""Steps between two reports of progress."""


@dataclass(frozen=True, eq=False)
class Push:
    """An input from outside in time.

    Attributes
    ----------
    node : int
    index : tuple of int
        (kind, slot) of a conductance: AMPA, NMDA, GABA-A; (slot,) of a current (mV).
    wave : callable
        Value at times (T,) in ms, (T,) or (T, K).
    stimulus : {"conductance", "current"}
    """

    node: int
    index: tuple[int, ...]
    wave: Callable[[np.ndarray], np.ndarray]
    stimulus: str = "conductance"


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


def _waves(pushes: Sequence[Push], t: np.ndarray, batch: int) -> np.ndarray | None:
    """Waveforms of all pushes at some times (ms), (pushes, T, K)."""
    if not pushes:
        return None
    return np.stack([np.broadcast_to(push.wave(t).T, (batch, len(t))).T for push in pushes])


def simulate(
    state: State,
    seconds: float,
    seeds: Sequence[int] = (0,),
    *,
    dt: float = 0.2,
    every: int = 10,
    warm_up: float = 2.0,
    noise: float = 1.0,
    pushes: Sequence[Push] = (),
    sources: np.ndarray | None = None,
    precision: str = "float64",
    threads: int | None = None,
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
    pushes : sequence of Push
    sources : ndarray of int, optional
        Which sources to record; all by default.
    precision : {"float64", "float32"}
    threads : int, optional
        All processors that this process may use by default.
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
    wiring = state.linear.wiring
    sources = np.arange(len(wiring.source_node)) if sources is None else np.asarray(sources)
    run = kernel.Simulation(
        **in_time([state], noise),
        seeds=seeds,
        dt=dt,
        precision=precision,
        threads=threads,
        observe=[*(f"V{k}" for k in range(SLOTS)), *(f"rate_{cell}" for cell in CORTICAL)],
        every=every * dt,
        mean=False,
        drives=[kernel.Drive(p.stimulus, [p.node], p.index) for p in pushes],
    )
    warm, steps = round(1e3 * warm_up / dt), round(1e3 * seconds / dt)
    warm -= warm % every
    steps -= steps % every
    wanted = wiring.source_node[sources], wiring.source_slot[sources]
    record, sums, done = [], np.zeros((3, run.nodes, SLOTS)), 0
    while done < warm + steps:
        count = min(max(CHUNK // every, 1) * every, (warm if done < warm else warm + steps) - done)
        t = dt * (done + np.arange(count + 1))
        rows = run.advance(count, _waves(pushes, t, len(seeds)))[0]
        if done >= warm:
            v, rate = rows[:, :, :SLOTS], rows[:, :, SLOTS:]
            record.append(v[:, wanted[0], wanted[1]].transpose(2, 0, 1))
            away = v - state.point.x[:, 0, :, None]
            sums += [v.mean(-1).sum(0), (away**2).mean(-1).sum(0), rate.mean(-1).sum(0)]
        done += count
        if progress is not None:
            progress(done / (warm + steps))
    potential = np.concatenate(record, 1)
    mean, square, rates = sums / potential.shape[1]
    sd = np.sqrt(np.maximum(square - (mean - state.point.x[:, 0]) ** 2, 0.0))
    return Simulation(dt * every, potential, sources, mean, sd, rates, state)
