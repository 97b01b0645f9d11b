"""Coupling: closed forms of linear mixtures, what lag measures cannot see, the level of the nulls."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import coherence as scipy_coherence
from scipy.signal import csd, freqz, lfilter, welch

from synsys.core.errors import UserError
from synsys.measures.coupling import (
    MEASURES,
    coherence,
    coupling_test,
    debiased_weighted_phase_lag,
    phase_locking,
    segment_spectra,
    weighted_phase_lag,
)
from synsys.measures.signals import band_analytic

RATE = 200.0


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def gaussian(seed: int, k: int, n: int, f: int = 1) -> np.ndarray:
    """Spectra of unrelated white signals: independent circular complex numbers."""
    return noise(seed, k, n, f) + 1j * noise(seed + 10**6, k, n, f)


def test_coherence_is_that_of_scipy():
    x = noise(0, 3, 4000)
    x[1] += lfilter([0.5, 0.5], [1.0, -0.5], x[0])
    f, spectra = segment_spectra(x, RATE, 1.0)
    theirs_f, theirs = scipy_coherence(x[0], x[1], RATE, "hann", 200, 100)
    at = np.searchsorted(theirs_f, f)
    np.testing.assert_allclose(coherence(spectra)[:, 0, 1], theirs[at], rtol=1e-9)
    cross = (spectra[:, 0] * spectra[:, 1].conj()).mean(0)
    theirs_cross = csd(x[1], x[0], RATE, "hann", 200, 100)[1][at]
    np.testing.assert_allclose(cross / np.abs(cross), theirs_cross / np.abs(theirs_cross), atol=1e-9)
    power = np.abs(spectra[:, 2]) ** 2
    theirs_power = welch(x[2], RATE, "hann", 200, 100)[1][at]
    np.testing.assert_allclose(
        (power.mean(0) / theirs_power)[:-1], (power.mean(0) / theirs_power)[0], rtol=1e-9
    )


def test_coherence_of_a_filtered_copy_is_that_of_the_transfer_function():
    """y = h * x + noise: C = |H|² Sxx / (|H|² Sxx + Snn), with x itself autoregressive."""
    x = lfilter([1.0], [1.0, -0.6], noise(1, 200000))
    y = lfilter([1.0], [1.0, -1.2, 0.8], x) + 3.0 * noise(2, 200000)
    f, spectra = segment_spectra(np.array([x, y]), RATE, 1.0)
    w = 2 * np.pi * f / RATE
    s_xx = np.abs(freqz([1.0], [1.0, -0.6], w)[1]) ** 2
    h2 = np.abs(freqz([1.0], [1.0, -1.2, 0.8], w)[1]) ** 2
    expected = h2 * s_xx / (h2 * s_xx + 9.0)
    assert np.ptp(expected) > 0.6
    np.testing.assert_allclose(coherence(spectra)[:, 0, 1], expected, atol=0.06)


def test_unrelated_segments_have_the_known_distributions():
    """Coherence beta(1, K - 1), phase locking of Rayleigh, debiased index around 0."""
    k = 12
    x = gaussian(3, k, 2, 20000)
    c = coherence(x)[:, 0, 1]
    assert c.mean() == pytest.approx(1 / k, rel=0.03)
    for level in (0.05, 0.2):
        bound = 1 - level ** (1 / (k - 1))
        assert (c > bound).mean() == pytest.approx(level, abs=4 * np.sqrt(level / 20000))
    assert (phase_locking(x)[:, 0, 1] ** 2).mean() == pytest.approx(1 / k, rel=0.03)
    assert debiased_weighted_phase_lag(x)[:, 0, 1].mean() == pytest.approx(0, abs=0.005)
    assert weighted_phase_lag(x)[:, 0, 1].mean() > 0.2


def test_a_mixture_at_zero_lag_is_locked_but_has_no_lag():
    """Two sensors that share sources, as through volume conduction, against a copy delayed by 10 ms."""
    sources = noise(4, 3, 40000)
    mixed = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.3]]) @ sources
    lagged = np.array([sources[0], np.roll(sources[0], 2) + 0.5 * sources[1]])
    for x, lag in ((mixed, False), (lagged, True)):
        spectra = segment_spectra(x, RATE, 1.0, band=(15, 35))[1]
        locked = phase_locking(spectra)[:, 0, 1].mean()
        index = weighted_phase_lag(spectra)[:, 0, 1].mean()
        square = debiased_weighted_phase_lag(spectra)[:, 0, 1].mean()
        assert locked > 0.5
        if lag:
            assert index > 0.9
            assert square > 0.8
        else:
            assert index < 0.1
            assert abs(square) < 0.01


def test_a_scaled_copy_has_no_lag_at_all():
    """Rounding must not be taken for a lag."""
    x = noise(11, 1, 4000)
    spectra = segment_spectra(np.concatenate([x, x / 3]), RATE, 0.5)[1]
    assert coherence(spectra)[:, 0, 1] == pytest.approx(1)
    assert (weighted_phase_lag(spectra) == 0).all()


def test_a_constant_lag_has_full_lag_index_and_its_noise_law():
    """Phase differences θ + von Mises: PLV = I1(κ)/I0(κ); sin > 0 always if it never crosses 0."""
    from scipy.special import i0, i1

    rng = np.random.default_rng(5)
    delta = np.pi / 2 + rng.vonmises(0, 4.0, 40000)
    x = np.stack([np.exp(1j * delta), np.ones(40000)], axis=1)[..., None]
    assert phase_locking(x)[0, 0, 1] == pytest.approx(i1(4.0) / i0(4.0), abs=0.004)
    narrow = np.stack([np.exp(1j * (np.pi / 2 + 0.3 * np.sign(delta - np.pi / 2))), np.ones(40000)], axis=1)
    assert weighted_phase_lag(narrow[..., None])[0, 0, 1] == pytest.approx(1)
    assert debiased_weighted_phase_lag(narrow[..., None])[0, 0, 1] == pytest.approx(1)


def test_the_debiased_index_is_the_mean_over_pairs_of_segments():
    """Σ_{j≠k} Im_j Im_k / Σ_{j≠k} |Im_j Im_k|, the form in which Vinck et al. define it."""
    x = gaussian(6, 9, 2)
    im = (x[:, 0, 0] * x[:, 1, 0].conj()).imag
    products = np.outer(im, im)[~np.eye(9, dtype=bool)]
    assert debiased_weighted_phase_lag(x)[0, 0, 1] == pytest.approx(products.sum() / np.abs(products).sum())


def test_samples_of_an_analytic_signal_take_the_place_of_segments():
    t = np.arange(0, 20, 1 / RATE)
    x = np.array(
        [np.cos(2 * np.pi * 10 * t), np.cos(2 * np.pi * 10 * t - 1.0), np.cos(2 * np.pi * 10.25 * t)]
    )
    z = band_analytic(x + 0.01 * noise(0, *x.shape), RATE, (8, 12)).T[..., None]
    locked = phase_locking(z)[0]
    assert locked[0, 1] == pytest.approx(1, abs=1e-3)
    assert locked[0, 2] < 0.25
    assert weighted_phase_lag(z)[0, 0, 1] == pytest.approx(1)


@pytest.mark.parametrize("null", ["shift", "shuffle"])
@pytest.mark.parametrize("measure", sorted(MEASURES))
def test_unrelated_signals_are_rejected_as_often_as_said(measure, null):
    p, family = [], []
    for seed in range(80):
        x = lfilter([1.0], [1.0, -0.9], noise(seed, 4, 2000))
        spectra = segment_spectra(x, RATE, 0.5, 0.5 if null == "shift" else 0.0, (8, 12))[1]
        found = coupling_test(spectra, measure, null, count=19, seed=seed)
        p.append(found.p[np.triu_indices(4, 1)])
        family.append(np.nanmin(found.p_family))
    assert (np.array(p) <= 0.1).mean() == pytest.approx(0.1, abs=0.05)
    assert (np.array(family) <= 0.1).mean() < 0.1 + 4 * np.sqrt(0.09 / 80)


def test_a_coupled_pair_is_found_among_others():
    x = noise(8, 4, 8000)
    x[3] = np.roll(x[1], 3) + x[3]
    spectra = segment_spectra(x, RATE, 0.5, band=(10, 20))[1]
    for measure in MEASURES:
        found = coupling_test(spectra, measure, count=99)
        assert found.p_family[1, 3] == pytest.approx(0.01)
        assert found.p_family[0, 2] > 0.05
        assert np.isnan(np.diagonal(found.p)).all()
        np.testing.assert_allclose(found.p, found.p.T)


def test_trials_are_segments_as_they_are():
    trials = noise(9, 20, 3, 100)
    f, spectra = segment_spectra(trials, RATE)
    assert spectra.shape == (20, 3, len(f))
    alone = segment_spectra(trials.transpose(1, 0, 2).reshape(3, -1), RATE, 0.5, 0.0)[1]
    np.testing.assert_allclose(spectra, alone, atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.floats(0.01, 100), min_size=4, max_size=4))
def test_coupling_knows_no_unit_no_names_and_no_arrow_of_time(seed, units):
    """Units of each channel cancel; time reversal conjugates every cross spectrum and keeps its size."""
    x = noise(seed, 4, 300)
    order = np.random.default_rng(seed).permutation(4)
    plain, scaled, named, back = (
        segment_spectra(y, RATE, 0.25, 0.5, window="boxcar")[1]
        for y in (x, x * np.array(units)[:, None], x[order], x[:, ::-1])
    )
    for measure in MEASURES.values():
        value = measure(plain)
        np.testing.assert_allclose(measure(scaled), value, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(measure(named), value[:, order][:, :, order], atol=1e-9)
        np.testing.assert_allclose(value, value.transpose(0, 2, 1), atol=1e-9)
        assert (value <= 1 + 1e-9).all()
        np.testing.assert_allclose(measure(back), value, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: segment_spectra(noise(0, 2, 100), RATE, 1.0), "fewer than two segments of 200 samples"),
        (lambda: segment_spectra(noise(0, 2, 900), RATE, 1.0, 1.0), "overlap 1.0"),
        (lambda: segment_spectra(noise(0, 2, 900), RATE, 0.5, band=(8.5, 9.5)), "they are 2 Hz apart"),
        (lambda: segment_spectra(noise(0, 1, 2, 900), RATE), "at least two are needed"),
        (lambda: coherence(noise(0, 4, 3, 2)), "complex"),
        (lambda: coupling_test(gaussian(0, 5, 2), "pli"), "did you mean wpli"),
        (lambda: coupling_test(gaussian(0, 5, 2), null="trials"), "unknown null of coupling"),
    ],
)
def test_errors_name_the_culprit(call, says):
    with pytest.raises(UserError) as error:
        call()
    assert says in str(error.value)
