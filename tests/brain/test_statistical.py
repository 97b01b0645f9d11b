"""Gaussian averages of the firing function, and their agreement with the fluctuations that they assume."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import CORTEX, dense_cross, healthy

from synsys.brain.statistical import GRID, averaged, effective, variance
from synsys.circuit.drift import SLOTS, firing, inverse_firing

STATE = healthy(CORTEX).state
P, REST = STATE.parameters, STATE.point.x[:, 0]


def slope(v: np.ndarray, p) -> np.ndarray:
    return firing(v + 1e-30j, p).imag / 1e-30


def test_without_fluctuations_nothing_changes() -> None:
    p = effective(P, REST, 0.0 * REST)
    np.testing.assert_allclose(p.theta, P.theta, atol=1e-9)
    np.testing.assert_allclose(p.sigma, P.sigma, rtol=1e-9)
    quiet = averaged(STATE, noise=1e-6)
    assert quiet.converged
    np.testing.assert_allclose(quiet.state.point.x, STATE.point.x, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(sd=st.floats(0.1, 6.0), shift=st.floats(-6.0, 6.0))
def test_effective_firing_has_the_gaussian_mean_rate_and_slope(sd: float, shift: float) -> None:
    v = REST + shift
    p = effective(P, v, np.full_like(v, sd))
    z = np.linspace(-8, 8, 4001)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    at = v + sd * z[:, None, None]
    np.testing.assert_allclose(firing(v, p), np.tensordot(weight, firing(at, P), 1), rtol=1e-4)
    np.testing.assert_allclose(slope(v, p), np.tensordot(weight, slope(at, P), 1), rtol=1e-4)


def test_far_below_threshold_the_rate_grows_as_the_mean_of_an_exponential() -> None:
    # There r is exp((V - theta) / sigma), whose Gaussian mean is exp(sd^2 / (2 sigma^2)) times as large.
    v = P.theta - 12 * P.sigma
    p = effective(P, v, 0.8 * P.sigma)
    np.testing.assert_allclose(firing(v, p) / firing(v, P), np.exp(0.8**2 / 2), rtol=1e-3)


def test_far_above_threshold_the_firing_function_is_straight_and_stays() -> None:
    v = P.theta + 20 * P.sigma
    np.testing.assert_allclose(firing(v, effective(P, v, P.sigma)), firing(v, P), rtol=1e-6)


def test_variance_is_the_integral_of_the_dense_spectrum() -> None:
    state = healthy(CORTEX[:2]).state
    power = np.stack([np.diag(dense_cross(state.linear, f)).real for f in GRID])
    want = 2 * np.trapezoid(power, GRID, axis=0).reshape(-1, SLOTS)
    np.testing.assert_allclose(variance(state.linear), want, rtol=1e-8)


@pytest.mark.parametrize("noise", [0.5, 1.5])
def test_solution_agrees_with_itself(noise: float) -> None:
    result = averaged(STATE, noise=noise)
    assert result.converged
    state = result.state
    np.testing.assert_allclose(result.sd, noise * np.sqrt(variance(state.linear)), atol=1e-3)
    again = effective(P, state.point.x[:, 0], result.sd)
    np.testing.assert_allclose(again.theta, state.parameters.theta, atol=1e-3)
    cortex = (state.healthy.model.wiring.nodes.template == "cortex").to_numpy()
    assert (state.rates[cortex] > STATE.rates[cortex]).mean() > 0.9  # a convex firing function gains rate
    assert inverse_firing(state.rates / 1e3, replace(P)).shape == state.rates.shape


def test_an_unstable_state_is_named_and_not_averaged() -> None:
    system = STATE.linear
    wild = replace(STATE)
    wild.__dict__["linear"] = replace(system, coupling=30.0 * system.coupling)
    result = averaged(wild)
    assert not result.converged
    assert "instability" in result.reason
