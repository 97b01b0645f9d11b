"""Hierarchical Gaussian filters against the reference implementation and against limits that are known."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.core.errors import UserError
from synsys.mind import hgf


def filtered(update, start, predict, p, inputs, **options):
    """States after every input and predictions before it."""
    s, out = SimpleNamespace(**start), []
    for u in inputs:
        hat = predict(s, p)
        s = SimpleNamespace(**update(s, u, p, **options))
        out.append((s, hat))
    return out


@pytest.mark.parametrize(
    ("name", "enhanced", "surprise"), [("hgf", False, 206.4536887569), ("ehgf", True, 206.3473220564)]
)
def test_binary_filter_equals_tapas_on_every_trial(dev_data, name, enhanced, surprise):
    """Trial by trial output of TAPAS on its example input (shared/validation/README.md)."""
    reference = np.loadtxt(dev_data / "validation" / f"{name}_tapas_reference.csv", delimiter=",")
    p = SimpleNamespace(**hgf.DEFAULTS)
    inputs = reference[:, 0]
    run = filtered(
        hgf.binary_update, hgf.binary_start(p), hgf.binary_prediction, p, inputs, enhanced=enhanced
    )
    ours = [
        [u, s.mu2, s.mu3, 0.0, 1 / s.pi2, 1 / s.pi3, hat.muhat1, hat.muhat2, hat.muhat3]
        for u, (s, hat) in zip(inputs, run, strict=True)
    ]
    np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-9)
    expected = np.array([hat.muhat1 for _, hat in run])
    assert -np.log(np.where(inputs == 1, expected, 1 - expected)).sum() == pytest.approx(surprise, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-6, -1), st.booleans())
def test_binary_filter_is_symmetric_in_what_is_called_1(seed, omega, enhanced):
    """Exchanging 0 and 1 turns the belief over and leaves the volatility as it is."""
    inputs = np.random.default_rng(seed).integers(0, 2, 60)
    p = SimpleNamespace(**{**hgf.DEFAULTS, "omega2": omega})
    runs = [
        filtered(hgf.binary_update, hgf.binary_start(p), hgf.binary_prediction, p, u, enhanced=enhanced)
        for u in (inputs, 1 - inputs)
    ]
    for (a, _), (b, _) in zip(*runs, strict=True):
        assert a.mu2 == pytest.approx(-b.mu2, abs=1e-9)
        assert a.mu3 == pytest.approx(b.mu3, abs=1e-9)


@pytest.mark.parametrize("enhanced", [False, True])
def test_without_volatility_the_continuous_filter_is_the_kalman_filter(enhanced):
    """With no coupling to the level above, level 1 is a random walk of known step variance."""
    p = SimpleNamespace(**{**hgf.CONTINUOUS, "kappa1": 0.0, "omega1": -2.0, "pi_u": 4.0})
    rng = np.random.default_rng(3)
    inputs = np.cumsum(rng.standard_normal(50))
    run = filtered(
        hgf.continuous_update, hgf.continuous_start(p, 2), hgf.continuous_prediction, p, inputs,
        enhanced=enhanced,
    )  # fmt: skip
    mean, variance = p.mu1_0, p.sa1_0
    for u, (s, _) in zip(inputs, run, strict=True):
        variance += np.exp(-2.0)
        gain = variance / (variance + 1 / p.pi_u)
        mean, variance = mean + gain * (u - mean), (1 - gain) * variance
        assert s.mu1 == pytest.approx(mean, rel=1e-12)
        assert 1 / s.pi1 == pytest.approx(variance, rel=1e-12)


def test_volatile_world_raises_the_volatility_and_with_it_the_learning_rate():
    """Reversals every 10 trials against none: the volatility that is believed in is higher."""
    p = SimpleNamespace(**{**hgf.DEFAULTS, "theta": 0.1})
    rng = np.random.default_rng(1)
    draws = rng.random(300)
    calm = draws < 0.8
    lively = draws < np.where((np.arange(300) // 10) % 2 == 0, 0.95, 0.05)
    last = [
        filtered(hgf.binary_update, hgf.binary_start(p), hgf.binary_prediction, p, u * 1.0, enhanced=True)[-1]
        for u in (calm, lively)
    ]
    assert last[1][0].mu3 > last[0][0].mu3


def test_three_levels_with_a_frozen_top_are_the_two_level_filter():
    """A third level that is certain and never moves adds its mean to the tonic volatility, nothing more."""
    inputs = np.random.default_rng(2).integers(0, 2, 80)
    frozen = SimpleNamespace(**{**hgf.DEFAULTS, "theta": 0.0, "sa3_0": 1e-13, "mu3_0": 0.7, "omega2": -3.0})
    two = SimpleNamespace(**{**hgf.DEFAULTS, "omega2": -2.3})
    a = filtered(hgf.binary_update, hgf.binary_start(frozen), hgf.binary_prediction, frozen, inputs)
    b = filtered(hgf.binary_update, hgf.binary_start(two, 2), hgf.binary_prediction, two, inputs)
    np.testing.assert_allclose([s.mu2 for s, _ in a], [s.mu2 for s, _ in b], atol=1e-8)


def test_a_batch_of_filters_is_each_filter_alone():
    inputs = np.random.default_rng(0).integers(0, 2, (3, 40))
    omega = np.array([-4.0, -3.0, -2.0])
    both = hgf.beliefs(inputs, omega2=omega)
    for i in range(3):
        alone = hgf.beliefs(inputs[i], omega2=omega[i])
        for name, values in alone.items():
            np.testing.assert_allclose(both[name][i], values, rtol=1e-12)
    with pytest.raises(UserError, match="omega2"):
        hgf.beliefs(inputs, omga2=1.0)
    with pytest.raises(UserError, match="0 and 1"):
        hgf.beliefs(inputs + 0.5)


def test_states_that_the_approximation_cannot_be_in_are_told():
    fine = SimpleNamespace(mu2=0.0, pi2=1.0, mu3=1.0, pi3=2.0)
    assert hgf.valid(fine, (2, 3)) == 1
    for name, value in (("pi3", -1.0), ("mu2", 80.0), ("mu3", np.nan)):
        broken = SimpleNamespace(**{**vars(fine), name: value})
        assert np.isnan(hgf.valid(broken, (2, 3)))
