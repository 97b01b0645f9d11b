"""The balloon inside the loop against its linear response."""

import numpy as np
import pytest

from synsys.brain.bold import bold_transfer
from synsys.simulation.haemodynamics import Haemodynamics
from synsys.simulation.links import Drive, Links
from synsys.simulation.model import Model
from synsys.simulation.run import Scan, Simulation

GAIN = np.array([0.25, 0.5, 1.0, 2.0])
DRIVEN = Model(
    "driven", {"x": 0.0}, {}, lambda x, p, u: (0.0 * x.x,), lambda x, p: {},
    lambda x, p, u: {"drive": u.push}, stimuli={"push": ()},
)  # fmt: skip


def amplitude(frequency: float, size: float) -> np.ndarray:
    """BOLD at a frequency per drive of a size, complex, by regions of `GAIN`, after the transient."""
    step, seconds, settled = 5.0, 20.0 + 10.0 / frequency, 20.0
    run = Simulation(
        DRIVEN, len(GAIN), Links.between(np.zeros((len(GAIN),) * 2)), dt=step, every=step,
        precision="float64", drives=[Drive("push", range(len(GAIN)))],
        scan=Scan("drive", 250.0, step, {"gain": GAIN}),
    )  # fmt: skip
    steps = round(1e3 * seconds / step)
    t = 1e-3 * step * np.arange(steps + 1)
    bold = run.advance(steps, size * np.cos(2 * np.pi * frequency * t)[None])[1][:, :, 0]
    at = 0.25 * (1 + np.arange(len(bold)))
    late = at > settled + 1e-9
    wave = np.exp(-2j * np.pi * frequency * at[late])
    return 2 * (bold[late] * wave[:, None]).mean(0) / size


@pytest.mark.parametrize("frequency", [0.02, 0.05, 0.1])
def test_small_signals_scale_with_the_gain_of_a_region_as_the_transfer_says(frequency) -> None:
    """Amplitude and phase of the linearised balloon within 2 %, at changes of flow below 1 %."""
    linear = bold_transfer(np.array([frequency]), Haemodynamics(gain=GAIN))[0]
    seen = amplitude(frequency, 1e-3)
    np.testing.assert_allclose(seen, linear, atol=0.02 * np.abs(linear).max(), rtol=0.02)
    np.testing.assert_allclose(np.abs(seen / seen[2]), GAIN, rtol=0.005)


def test_large_signals_do_not() -> None:
    """Extraction and volume saturate: more gain then brings less than proportion."""
    seen = np.abs(amplitude(0.05, 0.2))
    assert (seen / GAIN)[0] > (seen / GAIN)[-1] * 1.02
