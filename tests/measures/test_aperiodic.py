"""Slope and peaks of spectra: planted ones come back, and noise on a slope is not taken for a rhythm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter, welch

from synsys.core.errors import UserError
from synsys.measures.aperiodic import fit_spectrum, peak_p_values, peaks_log10, slope_log10
from tests.measures.known_signals import FREQUENCIES, spectra

F = np.arange(1.0, 60.25, 0.5)
PEAKS = np.array([[10.0, 0.6, 3.0], [24.0, 0.4, 6.0]])


def spectrum(
    exponent: float = 1.4,
    offset: float = 1.2,
    knee: float = 0.0,
    peaks=PEAKS,
    noise: float = 0.0,
    seed: int = 0,
) -> np.ndarray:
    logs = slope_log10(F, offset, exponent, knee) + peaks_log10(F, np.reshape(peaks, (-1, 3)))
    return 10 ** (logs + noise * np.random.default_rng(seed).normal(size=F.size))


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 0.7, 1.5, 2.5])
def test_a_slope_alone_comes_back_exactly(exponent):
    fit = fit_spectrum(spectrum(exponent, peaks=[]), F)
    assert fit.exponent == pytest.approx(exponent, abs=1e-9)
    assert fit.offset == pytest.approx(1.2, abs=1e-9)
    assert fit.error == pytest.approx(0, abs=1e-9)
    assert len(fit.peaks[0]) == 0


@pytest.mark.parametrize("exponent", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_planted_slope_and_peaks_come_back(exponent, noise):
    fit = fit_spectrum(spectrum(exponent, noise=noise), F)
    assert fit.exponent == pytest.approx(exponent, abs=0.03)
    assert fit.offset == pytest.approx(1.2, abs=0.04)
    assert fit.r2 > 0.99
    assert fit.error < 0.015
    highest = fit.peaks[0][np.argsort(-fit.peaks[0][:, 1])[:2]]
    highest = highest[np.argsort(highest[:, 0])]
    np.testing.assert_allclose(highest[:, 0], PEAKS[:, 0], atol=0.3)
    np.testing.assert_allclose(highest[:, 1], PEAKS[:, 1], atol=0.06)
    np.testing.assert_allclose(highest[:, 2], PEAKS[:, 2], atol=0.6)


def test_a_planted_knee_comes_back_and_a_line_cannot_follow_it():
    power = spectrum(2.2, 3.0, 12.0**2.2, noise=0.01)
    fit = fit_spectrum(power, F, knee=True)
    assert fit.exponent == pytest.approx(2.2, abs=0.15)
    assert fit.knee ** (1 / fit.exponent) == pytest.approx(12, abs=1.5)
    assert fit_spectrum(power, F).error > 2 * fit.error
    bare = fit_spectrum(spectrum(1.7, 3.0, 20.0**1.7, peaks=[]), F, knee=True)
    assert (bare.exponent, bare.knee ** (1 / bare.exponent)) == pytest.approx((1.7, 20.0), rel=1e-3)


def test_the_slope_of_a_filtered_signal_is_that_of_the_filter():
    """Spectrum of an autoregressive process far above its corner: exponent 2, from a Welch spectrum."""
    x = lfilter([1.0], [1.0, -0.999], np.random.default_rng(0).normal(size=400000))
    f, p = welch(x, 1000.0, nperseg=1000)
    assert fit_spectrum(p, f, (5, 50)).exponent == pytest.approx(2, abs=0.05)


def test_fits_are_those_of_specparam(known):
    """Slope and peaks of the same spectra; heights there are those of all peaks together at the centre."""
    rows = known("known_spectra.csv")
    for name, power in spectra().items():
        fit = fit_spectrum(power, FREQUENCIES, knee=name == "knee")
        theirs = np.array([[float(v) for v in row[1:]] for row in rows if row[0] == name])
        assert fit.offset == pytest.approx(theirs[0, 0], abs=1e-3)
        assert fit.exponent == pytest.approx(theirs[0, 1], abs=1e-3)
        peaks = fit.peaks[0]
        assert len(peaks) == len(theirs)
        np.testing.assert_allclose(peaks[:, 0], theirs[:, 3], atol=0.02)
        nearest = FREQUENCIES[np.abs(FREQUENCIES - peaks[:, :1]).argmin(1)]
        np.testing.assert_allclose(peaks_log10(nearest, peaks), theirs[:, 4], atol=0.005)
        np.testing.assert_allclose(peaks[:, 2], theirs[:, 5], atol=0.2)
        if name == "knee":
            ours = fit.knee ** (1 / fit.exponent)
            assert ours == pytest.approx(theirs[0, 2] ** (1 / theirs[0, 1]), abs=0.05)


def test_a_notch_does_not_leave_the_slope_without_points():
    f = np.arange(1.0, 10.0)
    power = f**-1.0
    power[4] = 1e-6
    fit = fit_spectrum(power, f)
    assert np.isfinite([fit.exponent, fit.offset, fit.error]).all()
    assert fit_spectrum(power, f, knee=True).exponent > 0


def test_channels_are_fitted_each_as_if_alone():
    powers = np.array([spectrum(e, noise=0.02, seed=k) for k, e in enumerate((0.5, 1.0, 2.0))])
    together = fit_spectrum(powers, F)
    for k, power in enumerate(powers):
        alone = fit_spectrum(power, F)
        for name in ("offset", "exponent", "r2", "error", "model", "slope"):
            np.testing.assert_allclose(
                getattr(together, name)[k], getattr(alone, name)[0], rtol=1e-6, atol=1e-9
            )
        np.testing.assert_allclose(together.peaks[k], alone.peaks[0], rtol=1e-6)


def test_noise_on_a_slope_is_taken_for_a_rhythm_no_oftener_than_said():
    """Averages of 40 periodograms of noise with a 1/f slope; the fit alone finds peaks in most of them."""
    rng = np.random.default_rng(3)
    powers = 10 ** slope_log10(F, 1.0, 1.0) * rng.chisquare(80, (60, F.size)) / 80
    fit = fit_spectrum(powers, F)
    assert np.mean([len(peaks) > 0 for peaks in fit.peaks]) > 0.5
    p = peak_p_values(fit, averages=40, count=19)
    false = np.array([rows.min(initial=1.0) for rows in p]) <= 0.1
    assert false.mean() < 0.1 + 4 * np.sqrt(0.09 / 60)


def test_a_planted_rhythm_stands_out_of_the_noise():
    rng = np.random.default_rng(4)
    power = spectrum(1.0, peaks=PEAKS[:1]) * rng.chisquare(80, F.size) / 80
    fit = fit_spectrum(power, F)
    p = peak_p_values(fit, averages=40, count=99)[0]
    assert fit.peaks[0][p.argmin(), 0] == pytest.approx(10, abs=0.5)
    assert p.min() == pytest.approx(0.01)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(1e-6, 1e6))
def test_a_change_of_unit_moves_the_offset_only(seed, unit):
    power = spectrum(noise=0.01, seed=seed)
    plain, scaled = fit_spectrum(power, F), fit_spectrum(unit * power, F)
    np.testing.assert_allclose(scaled.offset - plain.offset, np.log10(unit), atol=1e-5)
    np.testing.assert_allclose(scaled.exponent, plain.exponent, atol=1e-5)
    np.testing.assert_allclose(scaled.error, plain.error, atol=1e-5)
    assert len(scaled.peaks[0]) == len(plain.peaks[0])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fit_spectrum(np.ones(5), F), "(C, F) and (F,)"),
        (lambda: fit_spectrum(spectrum(), F, (10, 12)), "5 frequencies between 10 and 12 Hz"),
        (lambda: fit_spectrum(np.where(F == 8, 0, spectrum()), F), "channel 0 at 8 Hz must be positive"),
        (lambda: fit_spectrum(spectrum(), F, bandwidth=(4, 2)), "bandwidths (4, 2)"),
        (lambda: peak_p_values(fit_spectrum(spectrum(), F), 0), "averaged segments 0"),
    ],
)
def test_errors_name_the_culprit(call, says):
    with pytest.raises(UserError) as error:
        call()
    assert says in str(error.value)
