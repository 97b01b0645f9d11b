"""Phase-amplitude coupling: the index of a known profile, growth with planted coupling, level of its null."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from synsys.core.errors import UserError
from synsys.measures.pac import (
    BINS,
    amplitude_profile,
    comodulogram,
    modulation_index,
    modulation_test,
    phase_and_amplitude,
)

RATE = 500.0
THETA, GAMMA = (4.0, 8.0), (50.0, 70.0)


def nested(coupling: float, seed: int = 0, seconds: float = 20.0, theta: float = 6.0, lag: float = 0.0):
    """Gamma whose amplitude is 1 + coupling cos(theta phase - lag), theta, and noise."""
    t = np.arange(0, seconds, 1 / RATE)
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * theta * t + np.cumsum(rng.normal(size=t.size)) * 0.06
    gamma = 0.5 * (1 + coupling * np.cos(phase - lag)) * np.sin(2 * np.pi * 60 * t + rng.uniform(0, 6))
    return np.cos(phase) + gamma + 0.3 * rng.normal(size=t.size)


def pair(coupling: float, seed: int = 0, seconds: float = 20.0):
    return phase_and_amplitude(nested(coupling, seed, seconds), RATE, THETA, (46.0, 74.0))


@pytest.mark.parametrize("k", [0.0, 0.3, 1.0])
def test_the_index_of_a_cosine_profile_is_that_of_its_bins(k):
    """A = 1 + k cos φ with φ uniform: bin means by integration, entropy from them."""
    phase = -np.pi + 2 * np.pi * (np.arange(180000) + 0.5) / 180000
    edges = np.linspace(-np.pi, np.pi, BINS + 1)
    mean = 1 + k * np.diff(np.sin(edges)) / np.diff(edges)
    share = mean / mean.sum()
    profile = amplitude_profile(phase[None], 1 + k * np.cos(phase[None]))
    np.testing.assert_allclose(profile[0], share, rtol=1e-6)
    expected = 1 + (share * np.log(share)).sum() / np.log(BINS)
    assert modulation_index(phase[None], 1 + k * np.cos(phase[None]))[0] == pytest.approx(expected, abs=1e-7)


def test_all_in_one_bin_is_one_and_a_bin_never_seen_is_undefined():
    phase = np.linspace(-np.pi, np.pi, 3600, endpoint=False)[None]
    assert modulation_index(phase, (np.abs(phase - 0.1) < 0.05).astype(float))[0] == pytest.approx(1)
    assert np.isnan(modulation_index(phase / 2, np.ones(phase.shape))[0])


def test_the_index_grows_with_planted_coupling():
    found = [modulation_index(*pair(k))[0] for k in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert (np.diff(found) > 0).all()
    assert found[-1] > 100 * found[0]


def test_the_preferred_phase_is_where_it_was_put():
    for lag in (-2.0, 0.0, 1.5):
        phase, amplitude = phase_and_amplitude(nested(0.8, lag=lag), RATE, THETA, (46.0, 74.0))
        centres = -np.pi + 2 * np.pi * (np.arange(BINS) + 0.5) / BINS
        mean = np.angle((amplitude_profile(phase, amplitude)[0] * np.exp(1j * centres)).sum())
        assert mean == pytest.approx(lag, abs=0.1)


def test_surrogates_of_all_shifts_are_those_of_turned_amplitudes():
    """The Fourier way to the null gives the index of the amplitude turned by hand."""
    phase, amplitude = (np.tile(x[:, :2000], (2, 1)) for x in pair(0.4))
    amplitude[1] = amplitude[1, ::-1]
    found = modulation_test(phase, amplitude, 100, count=7, seed=3)
    lags = np.random.default_rng(3).integers(100, 2000 - 100 + 1, 7)
    by_hand = np.array([modulation_index(phase, np.roll(amplitude, -lag, axis=1)) for lag in lags])
    np.testing.assert_allclose(found.mean, by_hand.mean(0), rtol=1e-6)


def test_p_is_uniform_on_noise():
    """The index of noise is positive; its p is nonetheless uniform on 1/20 ... 1."""
    p = []
    for seed in range(40):
        x = np.random.default_rng(seed).normal(size=(5, 2500))
        phase, amplitude = phase_and_amplitude(x, RATE, THETA, GAMMA)
        found = modulation_test(phase, amplitude, apart=150, count=19, seed=seed)
        assert (found.value > 0).all()
        p.append(found.p)
    p = np.concatenate(p)
    jittered = p - np.random.default_rng(0).random(p.size) / 20
    assert kstest(jittered, "uniform").pvalue > 1e-3
    assert (p <= 0.1).mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / p.size))


def test_planted_coupling_is_found_and_unrelated_rhythms_are_not():
    coupled = modulation_test(*pair(0.5), apart=200)
    assert coupled.p[0] == pytest.approx(1 / 200)
    assert coupled.z[0] > 5
    apart = phase_and_amplitude(nested(0.8, 1), RATE, THETA, (46.0, 74.0), nested(0.8, 2))
    assert modulation_test(*apart, apart=200).p[0] > 0.05


def test_the_comodulogram_peaks_at_what_was_planted():
    found = comodulogram(nested(0.9, 3, theta=6.0), RATE, [4, 6, 9, 12], [30, 45, 60, 80], count=39)
    assert found.value.shape == (1, 4, 4)
    assert np.unravel_index(found.value[0].argmax(), (4, 4)) == (1, 2)
    assert found.p[0, 1, 2] == pytest.approx(1 / 40)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.001, 1000), st.integers(0, 17))
def test_the_index_knows_no_unit_no_names_no_order_and_no_origin_of_phase(seed, scale, bins):
    """Turning phases by whole bins, and reading both backwards, change nothing."""
    rng = np.random.default_rng(seed)
    phase, amplitude = rng.uniform(-np.pi, np.pi, (3, 400)), rng.random((3, 400))
    value = modulation_index(phase, amplitude)
    np.testing.assert_allclose(modulation_index(phase, scale * amplitude), value, atol=1e-9)
    np.testing.assert_allclose(modulation_index(phase[::-1], amplitude[::-1]), value[::-1], atol=1e-12)
    np.testing.assert_allclose(modulation_index(phase[:, ::-1], amplitude[:, ::-1]), value, atol=1e-12)
    turned = (np.floor((phase / (2 * np.pi) + 0.5) * BINS) + 0.5 + bins) / BINS * 2 * np.pi - np.pi
    np.testing.assert_allclose(modulation_index(turned, amplitude), value, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: phase_and_amplitude(nested(0), RATE, THETA, (55.0, 65.0)),
            "side bands need a width of 16 Hz",
        ),
        (lambda: phase_and_amplitude(nested(0), RATE, THETA, (7.0, 30.0)), "must lie above the phase band"),
        (lambda: phase_and_amplitude(nested(0), RATE, THETA, (150.0, 260.0)), "amplitude band 150-260 Hz"),
        (lambda: phase_and_amplitude(nested(0), RATE, THETA, GAMMA, np.zeros((1, 9))), "must have one shape"),
        (lambda: modulation_index(np.zeros((1, 9)), np.zeros((1, 8))), "must have one shape"),
        (lambda: modulation_index(np.zeros((1, 9)), -np.ones((1, 9))), "must not be negative"),
        (lambda: modulation_index(np.zeros((1, 9)), np.ones((1, 9)), 1), "phase bins 1"),
        (lambda: modulation_test(np.zeros((1, 9)), np.ones((1, 9)), 5), "too short for turns"),
    ],
)
def test_errors_name_the_culprit(call, says):
    with pytest.raises(UserError) as error:
        call()
    assert says in str(error.value)
