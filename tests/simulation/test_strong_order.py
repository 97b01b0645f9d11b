"""Strong order of the integrators: the kernel's steps are those of the scheme, and the scheme converges."""

import numpy as np
import pytest

from synsys.simulation.links import Links
from synsys.simulation.model import Model, Parameter
from synsys.simulation.run import Simulation

ALONE = Links.between(np.zeros((1, 1)))
SIGMA, LANES = 0.5, 64


def bent(x):
    """A double well under a slow turn."""
    return x - x**3 + 0.3 * np.cos(x)


def model(drift):
    return Model(
        "bent", {"x": 0.2}, {"s": Parameter(SIGMA)}, lambda x, p, u: (drift(x.x),), lambda x, p: {},
        lambda x, p, u: {"x": x.x}, noise={"x": "s"},
    )  # fmt: skip


def path(drift, dt, steps, method):
    """x before every step, (steps, runs), from the kernel."""
    sim = Simulation(
        model(drift), 1, ALONE, seeds=range(LANES), dt=dt, method=method, precision="float64", observe=["x"],
        every=dt,
    )  # fmt: skip
    return sim.advance(steps)[0][:, 0, 0]


def scheme(increments, dt, method):
    """The same in NumPy, from increments of the Wiener process times sigma, (steps, runs)."""
    x = np.full(increments.shape[1], 0.2)
    out = [x]
    for dw in increments:
        first = bent(x)
        guess = x + dt * first + dw
        x = guess if method == "euler" else x + dt / 2 * (first + bent(guess)) + dw
        out.append(x)
    return np.array(out)


@pytest.mark.parametrize("method", ["euler", "heun"])
def test_the_kernel_takes_the_steps_of_the_scheme(method):
    dt, steps = 0.05, 400
    increments = np.diff(path(lambda x: 0.0 * x, dt, steps + 1, method), axis=0)
    assert increments.std() == pytest.approx(SIGMA * dt**0.5, rel=0.02)
    np.testing.assert_allclose(
        path(bent, dt, steps, method), scheme(increments, dt, method)[:steps], rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("method", ["euler", "heun"])
def test_strong_order_is_one(method):
    """Additive noise: both are of strong order 1 (Kloeden & Platen 1992); Heun's error is the smaller."""
    rng = np.random.default_rng(0)
    fine, span = 2.0**-12, 2.0
    increments = SIGMA * fine**0.5 * rng.standard_normal((int(span / fine), 2000))
    exact = scheme(increments, fine, "heun")[-1]
    steps = 2.0 ** -np.arange(3, 8)
    error = []
    for dt in steps:
        coarse = increments.reshape(-1, int(dt / fine), 2000).sum(1)
        error.append(np.abs(scheme(coarse, dt, method)[-1] - exact).mean())
    slope = np.polyfit(np.log(steps), np.log(error), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.15)
    if method == "heun":
        coarse = increments.reshape(-1, int(steps[0] / fine), 2000).sum(1)
        assert error[0] < 0.75 * np.abs(scheme(coarse, steps[0], "euler")[-1] - exact).mean()
