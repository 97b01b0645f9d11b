"""Signals and spectra on which other implementations were run, from a generator that stays as it is."""

import numpy as np

RATE = 200.0
FREQUENCIES = np.arange(1.0, 60.25, 0.5)


def draws(seed: int) -> np.random.RandomState:
    """NumPy's legacy generator, whose stream is frozen."""
    return np.random.RandomState(seed)


def series() -> dict[str, np.ndarray]:
    """Series for entropies, each (600,)."""
    noise = draws(1).normal(size=600)
    walk, chaos = np.cumsum(noise), np.empty(600)
    chaos[0] = 0.4
    for t in range(599):
        chaos[t + 1] = 3.9 * chaos[t] * (1 - chaos[t])
    rhythm = np.sin(2 * np.pi * np.arange(600) / 23.7) + 0.3 * noise
    return {"noise": noise, "walk": walk, "chaos": chaos, "rhythm": rhythm}


def trials() -> np.ndarray:
    """Twelve trials of four channels: noise, a lagged copy, a mixture at no lag, noise; (12, 4, 200)."""
    x = draws(2).normal(size=(12, 4, 203))
    lagged = x[:, :1, :-3] + 0.7 * x[:, 1:2, 3:]
    mixed = 0.8 * x[:, :1, 3:] + 0.6 * x[:, 2:3, 3:]
    return np.concatenate([x[:, :1, 3:], lagged, mixed, x[:, 3:, 3:]], axis=1)


def phase_and_amplitude() -> tuple[np.ndarray, np.ndarray]:
    """Phase that runs unevenly and an amplitude that follows it in part, each (3, 4000)."""
    rng = draws(3)
    steps = np.abs(0.06 + 0.03 * rng.normal(size=(3, 4000)))
    phase = np.angle(np.exp(1j * np.cumsum(steps, axis=1)))
    depth = np.array([[0.0], [0.3], [0.8]])
    return phase, (1 + depth * np.cos(phase - 1.0)) * (0.5 + rng.random_sample((3, 4000)))


def spectra() -> dict[str, np.ndarray]:
    """Power spectra with slopes, peaks and noise of 0.02 in log10, each (119,)."""
    f, rng = FREQUENCIES, draws(4)

    def bell(centre: float, height: float, bandwidth: float) -> np.ndarray:
        return height * np.exp(-0.5 * ((f - centre) / (bandwidth / 2)) ** 2)

    def noisy(logs: np.ndarray) -> np.ndarray:
        return 10 ** (logs + 0.02 * rng.normal(size=f.size))

    return {
        "flat": noisy(0.5 - 0.4 * np.log10(f) + bell(20, 0.5, 6)),
        "steep": noisy(2.0 - 1.8 * np.log10(f) + bell(10, 0.8, 3) + bell(24, 0.4, 6)),
        "crowded": noisy(1.0 - np.log10(f) + bell(6, 0.5, 2) + bell(11, 0.7, 3) + bell(40, 0.5, 10)),
        "knee": noisy(3.0 - np.log10(12.0**2.2 + f**2.2) + bell(22, 0.5, 5)),
    }
