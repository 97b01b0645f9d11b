"""Entropies of series and regularity of spikes: closed forms, other implementations, level of the nulls."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from synsys.core.errors import UserError
from synsys.measures.coupling import (
    coherence,
    debiased_weighted_phase_lag,
    phase_locking,
    segment_spectra,
    weighted_phase_lag,
)
from synsys.measures.irregularity import (
    lempel_ziv,
    lempel_ziv_words,
    pattern_shares,
    permutation_entropy,
    sample_entropy,
)
from synsys.measures.pac import modulation_index
from synsys.measures.surrogates import surrogate_test
from tests.measures import known_signals


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def logistic(samples: int, start: float = 0.3) -> np.ndarray:
    x = np.empty(samples)
    x[0] = start
    for t in range(samples - 1):
        x[t + 1] = 4 * x[t] * (1 - x[t])
    return x


def test_entropies_are_those_of_antropy(known):
    series = known_signals.series()
    for name, *values in known("known_entropies.csv"):
        x = series[name]
        ours = sample_entropy(x), permutation_entropy(x), permutation_entropy(x, 4, 2), lempel_ziv(x)
        np.testing.assert_allclose(np.ravel(ours), [float(v) for v in values], rtol=1e-9)


def test_coupling_is_that_of_mne(known):
    """Its window is symmetric, and what it calls coherence is the root."""
    trials = known_signals.trials()
    tapered = (trials - trials.mean(-1, keepdims=True)) * np.hanning(200)
    x = np.fft.rfft(tapered, axis=-1)[..., 8:21]
    ours = [np.sqrt(coherence(x)), phase_locking(x), weighted_phase_lag(x), debiased_weighted_phase_lag(x)]
    rows = np.array(known("known_coupling.csv"), dtype=float)
    assert len(rows) == 13 * 6
    for frequency, a, b, *values in rows:
        at = (int(frequency) - 8, int(a), int(b))
        np.testing.assert_allclose([matrix[at] for matrix in ours], values, rtol=1e-7, atol=1e-9)
    near = segment_spectra(trials, known_signals.RATE, band=(8, 20))[1]
    np.testing.assert_allclose(coherence(near), coherence(x), atol=0.02)


def test_modulation_is_that_of_tensorpac(known):
    ours = modulation_index(*known_signals.phase_and_amplitude())
    np.testing.assert_allclose(ours, [float(value) for _, value in known("known_modulation.csv")], rtol=1e-7)


@pytest.mark.parametrize("tolerance", [0.1, 0.2, 0.5])
def test_sample_entropy_of_white_noise_is_minus_log_erf(tolerance):
    """Two normal numbers differ by at most r sd with probability erf(r / 2), whatever came before."""
    found = sample_entropy(noise(0, 4, 4000), 2, tolerance)
    assert found.mean() == pytest.approx(-math.log(erf(tolerance / 2)), rel=0.04)


def test_sample_entropy_counts_pairs_as_written_out():
    x = noise(1, 60)
    r, m = 0.3 * x.std(), 2
    a = b = 0
    for i in range(60 - m):
        for j in range(60 - m):
            if i != j and np.abs(x[i : i + m] - x[j : j + m]).max() <= r:
                b += 1
                a += abs(x[i + m] - x[j + m]) <= r
    assert sample_entropy(x, m, 0.3)[0] == pytest.approx(-math.log(a / b))


def test_sample_entropy_at_its_ends():
    assert sample_entropy(np.tile([1.0, 2.0], 50))[0] == pytest.approx(0)
    assert np.isnan(sample_entropy(np.ones(50))[0])
    assert np.isinf(sample_entropy(np.array([0.0, 0.0, 0.0, 5.0, 0.0, 0.0, -7.0]), 2, 0.01)[0])


def test_orders_of_the_logistic_map_are_those_of_its_measure():
    """At r = 4 it is conjugate to the tent map, whose measure is uniform; its iterates are lines.

    Where they cross cuts the interval at 1/3, 2/5, 2/3 and 4/5. No three values fall.
    """
    shares = pattern_shares(logistic(200000), 3)
    np.testing.assert_allclose(shares, [1 / 3, 1 / 15, 2 / 15, 1 / 5, 4 / 15, 0], atol=0.005)
    assert shares[5] == 0
    p = np.array([5, 1, 4, 2, 3]) / 15
    expected = -(p * np.log(p)).sum() / np.log(6)
    assert permutation_entropy(logistic(200000))[0] == pytest.approx(expected, abs=0.003)


def test_equal_samples_count_as_rising():
    np.testing.assert_allclose(pattern_shares(np.array([1.0, 1.0, 0.0, 0.0, 2.0]), 2), [3 / 4, 1 / 4])
    assert permutation_entropy(np.ones(30), 4)[0] == 0


def test_permutation_entropy_at_its_ends():
    assert permutation_entropy(np.arange(100.0))[0] == 0
    assert permutation_entropy(noise(2, 100000), 4)[0] == pytest.approx(1, abs=1e-3)
    assert permutation_entropy(np.tile([0.0, 1.0], 500), 2)[0] == pytest.approx(1, abs=1e-3)


def test_words_of_lempel_and_ziv():
    """Their own example, and the least a series of n equal symbols can have."""
    assert lempel_ziv_words("0001101001000101") == 6
    assert lempel_ziv_words("0" * 40) == 2
    assert lempel_ziv_words("01" * 40) == 3
    assert lempel_ziv_words(np.array([0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1])) == 6
    assert lempel_ziv_words("") == 0


def test_complexity_of_coins_nears_one_and_of_a_cycle_zero():
    values = [lempel_ziv(noise(3, n))[0] for n in (500, 5000, 20000)]
    assert (np.diff(values) < 0).all()
    assert 1 < values[-1] < 1.08
    assert lempel_ziv(np.sin(0.1 + np.arange(20000) * 2 * np.pi / 40))[0] < 0.01


@pytest.mark.parametrize("measure", [sample_entropy, permutation_entropy, lempel_ziv])
def test_linear_noise_is_not_taken_for_more(measure):
    """Autoregressive series against surrogates of the same spectrum; a chaotic map stands out."""

    def red(seed: int) -> np.ndarray:
        x = noise(seed, 260)
        for t in range(1, 260):
            x[t] += 0.6 * x[t - 1]
        return x[60:]

    p = np.array([surrogate_test(measure, red(k), "amplitude", 9, k).p[0] for k in range(80)])
    assert (p <= 0.2).mean() < 0.2 + 4 * np.sqrt(0.16 / 80)
    if measure is not lempel_ziv:  # at its median the logistic map is a fair coin
        found = surrogate_test(measure, logistic(200), "amplitude", 39, tail="less")
        assert found.p[0] == pytest.approx(1 / 40)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.001, 1000), st.floats(-100, 100))
def test_entropies_know_no_unit_and_no_names(seed, unit, shift):
    x = noise(seed, 3, 80)
    for measure in (sample_entropy, permutation_entropy, lempel_ziv):
        value = measure(x)
        np.testing.assert_allclose(measure(unit * x + shift), value, rtol=1e-9)
        np.testing.assert_allclose(measure(x[::-1]), value[::-1], rtol=1e-12)
    np.testing.assert_allclose(permutation_entropy(np.exp(x)), permutation_entropy(x), rtol=1e-12)
    np.testing.assert_allclose(permutation_entropy(-x[:, ::-1]), permutation_entropy(x), rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_sample_entropy_of_a_closed_series_is_the_same_backwards(seed):
    """B leaves out the last piece, and of the series read backwards the first: alike if they are one."""
    x = noise(seed, 60)
    x[-2:] = x[:2]
    assert sample_entropy(x[::-1], 2, 0.6)[0] == pytest.approx(sample_entropy(x, 2, 0.6)[0], rel=1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sample_entropy(noise(0, 50), 0), "order 0 must be at least 1"),
        (lambda: sample_entropy(noise(0, 50), tolerance=-1.0), "tolerance -1.0"),
        (lambda: sample_entropy(noise(0, 3)), "at least 4 are needed"),
        (lambda: permutation_entropy(noise(0, 50), 9), "order 9 must be 2 to 8"),
        (lambda: permutation_entropy(noise(0, 5), 3, 3), "at least 7 are needed"),
        (lambda: lempel_ziv(np.array([1.0, np.nan])), "not finite at sample 1"),
    ],
)
def test_errors_name_the_culprit(call, says):
    with pytest.raises(UserError) as error:
        call()
    assert says in str(error.value)
