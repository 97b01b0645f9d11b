"""Surrogates keep what they say and forget the rest; a test against them rejects as often as it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synsys.core.errors import UserError
from synsys.measures.signals import band_analytic
from synsys.measures.surrogates import (
    against_null,
    amplitude_adjusted,
    phase_randomised,
    shuffled,
    surrogate_test,
    time_shifted,
)


def red(shape: tuple[int, ...], seed: int, memory: float = 0.8, burn: int = 100) -> np.ndarray:
    """First-order autoregressive channels."""
    from scipy.signal import lfilter

    noise = np.random.default_rng(seed).normal(size=(*shape[:-1], shape[-1] + burn))
    return lfilter([1.0], [1.0, -memory], noise, axis=-1)[..., burn:]


@pytest.mark.parametrize("samples", [200, 201])
def test_random_phases_keep_every_cross_spectrum_and_so_covariance_at_every_lag(samples):
    mixing = np.random.default_rng(1).normal(size=(4, 4))
    x = mixing @ red((4, samples), 0) + 3.0
    y = phase_randomised(x, seed=5)
    before, after = (np.fft.rfft(z, axis=1) for z in (x, y))
    np.testing.assert_allclose(before[:, None] * before.conj(), after[:, None] * after.conj(), atol=1e-7)
    np.testing.assert_allclose(np.cov(y), np.cov(x), rtol=1e-9)
    np.testing.assert_allclose(y.mean(1), x.mean(1))
    assert np.abs(np.corrcoef(x[0], y[0])[0, 1]) < 0.5


def test_random_phases_make_any_signal_gaussian():
    spikes = np.zeros(4096)
    spikes[np.random.default_rng(0).integers(0, 4096, 64)] = 1.0
    y = phase_randomised(spikes, 3)[0]
    z = (y - y.mean()) / y.std()
    assert abs((z**4).mean() - 3) < 0.4 < (((spikes - spikes.mean()) / spikes.std()) ** 4).mean() - 3


def test_adjusted_amplitudes_keep_values_exactly_and_the_spectrum_nearly():
    x = red((2, 2048), 4) ** 3
    y = amplitude_adjusted(x, 1)
    np.testing.assert_array_equal(np.sort(y), np.sort(x))
    kept, plain = (np.abs(np.fft.rfft(z - z.mean(1, keepdims=True), axis=1)) for z in (y, x))
    lost = np.abs(np.fft.rfft(shuffled(x, 1) - x.mean(1, keepdims=True), axis=1))
    assert np.abs(kept - plain).mean() < 0.2 * np.abs(lost - plain).mean()
    assert abs(np.corrcoef(x[0], y[0])[0, 1]) < 0.3


def test_shifts_turn_each_channel_and_shuffles_lose_its_order():
    x = red((3, 500), 2)
    y = time_shifted(x, 7)
    for a, b in zip(x, y, strict=True):
        lag = int(np.argmin([np.abs(np.roll(a, k) - b).max() for k in range(500)]))
        np.testing.assert_array_equal(np.roll(a, lag), b)
    np.testing.assert_array_equal(np.sort(shuffled(x, 1)), np.sort(x))


def skew(x: np.ndarray) -> float:
    """Asymmetry in time, 0 on average for every linear Gaussian process."""
    return float((np.diff(x[0]) ** 3).mean())


def test_a_test_of_irreversibility_holds_its_level_and_finds_relaxation():
    """Under the null p is uniform on 1/20 ... 1; steps up that decay slowly are not symmetric in time."""
    p = np.array([surrogate_test(skew, red((1, 256), k), count=39, seed=k).p for k in range(300)])
    assert (p <= 0.1).mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / 300))
    kicks = np.random.default_rng(0).random(512) < 0.03
    relaxing = np.convolve(kicks, 0.9 ** np.arange(60))[None, :512]
    assert surrogate_test(skew, relaxing, count=99).p == pytest.approx(0.02)


def test_p_counts_the_value_itself_and_z_is_undefined_without_spread():
    found = against_null(np.array([5.0, 0.0]), np.array([[1.0, 0.0], [3.0, 0.0], [9.0, 0.0]]))
    np.testing.assert_allclose(found.p, [2 / 4, 1.0])
    assert found.z[0] == pytest.approx((5 - 13 / 3) / np.std([1, 3, 9], ddof=1))
    assert np.isnan(found.z[1])
    assert against_null(0.0, np.arange(1.0, 20.0), "less").p == pytest.approx(1 / 20)
    assert against_null(0.0, np.arange(1.0, 20.0), "two").p == pytest.approx(2 / 20)
    assert np.isnan(against_null(np.nan, np.ones(3)).p)


@settings(max_examples=25, deadline=None)
@given(arrays(float, (3, 24), elements=st.floats(-100, 100)), st.integers(0, 999))
def test_surrogates_do_not_care_which_channel_is_which(x, seed):
    """Common phases: a permutation of channels permutes the surrogate."""
    np.testing.assert_allclose(phase_randomised(x[::-1], seed), phase_randomised(x, seed)[::-1], atol=1e-9)


def test_the_band_has_the_phase_and_amplitude_that_were_put_in():
    rate, t = 500.0, np.arange(0, 12, 1 / 500)
    phase = 2 * np.pi * 6 * t + 0.7
    x = 3 * np.cos(phase) + 2 * np.sin(2 * np.pi * 40 * t) + 5
    z = band_analytic(x, rate, (4, 8))[0]
    cut = (len(t) - len(z)) // 2
    assert np.abs(z) == pytest.approx(3, rel=0.03)
    assert np.abs(np.angle(z * np.exp(-1j * phase[cut:-cut]))).max() < 0.03


def test_what_is_left_after_trimming_does_not_know_where_the_signal_ended():
    """A piece of a long signal gives the same phases as the long signal, which untrimmed ends do not."""
    rate = 250.0
    x = np.random.default_rng(3).normal(size=20000)
    whole, piece = band_analytic(x, rate, (8, 12), trim=0)[0], x[5000:9000]
    trimmed = band_analytic(piece, rate, (8, 12))[0]
    cut = (4000 - len(trimmed)) // 2
    off = np.abs(trimmed - whole[5000 + cut : 9000 - cut]) / np.abs(whole).std()
    assert off.max() < 0.1
    raw = band_analytic(piece, rate, (8, 12), trim=0)[0]
    assert (np.abs(raw - whole[5000:9000]) / np.abs(whole).std()).max() > 0.5


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: band_analytic(np.zeros(500), 100.0, (8, 60)), "half the sampling rate, 50 Hz"),
        (lambda: band_analytic(np.zeros(500), 100.0, (8, 8.2)), "too short for 8-8.2 Hz"),
        (lambda: band_analytic(np.full((2, 500), np.nan), 100.0, (8, 12)), "channel 0 is not finite"),
        (lambda: band_analytic(np.zeros((2, 2, 500)), 100.0, (8, 12)), "(channels, time)"),
        (lambda: surrogate_test(skew, np.zeros(99), "phases"), "did you mean phase"),
        (lambda: surrogate_test(skew, np.zeros(99), count=0), "number of surrogates 0"),
        (lambda: against_null(0.0, np.ones(3), "up"), "unknown tail"),
        (lambda: against_null(np.zeros(2), np.ones(3)), "does not fit"),
    ],
)
def test_errors_name_the_culprit(call, says):
    with pytest.raises(UserError) as error:
        call()
    assert says in str(error.value)
