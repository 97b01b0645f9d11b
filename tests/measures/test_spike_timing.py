"""Intervals, counts and phases of spikes: laws of renewal processes and of the circle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import i0, i1
from scipy.stats import kstest

from synsys.core.errors import UserError
from synsys.measures.signals import band_analytic
from synsys.measures.spike_timing import (
    fano_factor,
    interval_cv,
    interval_cv2,
    jitter,
    peak_times,
    phases_at,
    poisson_test,
    vector_strength,
)


def renewal(shape: float, n: int, seed: int = 0, mean: float = 20.0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).gamma(shape, mean / shape, n))


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0, 25.0])
def test_gamma_intervals_have_the_variation_of_their_shape(shape):
    """CV = 1 / sqrt(k); CV2 = E|2B - 1| 2 with B ~ beta(k, k); Fano of long windows = CV²."""
    t = renewal(shape, 100000)
    assert interval_cv(t) == pytest.approx(1 / np.sqrt(shape), rel=0.02)
    share = np.random.default_rng(1).beta(shape, shape, 10**6)
    assert interval_cv2(t) == pytest.approx((2 * np.abs(2 * share - 1)).mean(), rel=0.02)
    assert fano_factor(t, t[-1], 50 * 20.0) == pytest.approx(1 / shape, rel=0.1)


def test_a_poisson_process_is_one_by_every_measure_and_its_cv2_knows_no_rate():
    t = renewal(1.0, 200000)
    assert (interval_cv(t), interval_cv2(t), fano_factor(t, t[-1], 100.0)) == pytest.approx(
        (1, 1, 1), rel=0.02
    )
    drifting = np.cumsum(np.diff(t) * np.exp(np.sin(np.arange(199999) / 5000)))
    assert interval_cv(drifting) > 1.2
    assert interval_cv2(drifting) == pytest.approx(1, rel=0.02)


def test_a_clock_does_not_vary():
    t = np.arange(0.0, 1000.0, 10.0)
    assert interval_cv(t) == pytest.approx(0, abs=1e-12)
    assert interval_cv2(t) == pytest.approx(0, abs=1e-12)
    assert fano_factor(t + 1, 1000.0, 50.0) == 0
    assert np.isnan(fano_factor(np.array([]), 1000.0, 50.0))


@pytest.mark.parametrize("measure", [interval_cv, interval_cv2, lambda t: fano_factor(t, 1000.0, 50.0)])
def test_poisson_trains_are_rejected_as_often_as_said(measure):
    rng = np.random.default_rng(0)
    trains = [rng.uniform(0, 1000, 60) for _ in range(200)]
    p = np.array([poisson_test(t, 1000.0, measure, 19, k).p for k, t in enumerate(trains)])
    assert (p <= 0.1).mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 200))


def test_regular_and_bursting_trains_are_told_from_poisson():
    regular, bursts = renewal(6.0, 60), renewal(0.2, 60)
    assert poisson_test(regular, regular[-1], interval_cv).p == pytest.approx(0.01)
    assert poisson_test(bursts, bursts[-1], interval_cv).p == pytest.approx(0.01)


@pytest.mark.parametrize("kappa", [0.5, 2.0, 8.0])
def test_vector_strength_of_von_mises_is_the_ratio_of_bessel_functions(kappa):
    found = vector_strength(np.random.default_rng(0).vonmises(1.1, kappa, 100000))
    assert found.strength == pytest.approx(i1(kappa) / i0(kappa), abs=0.006)
    assert found.phase == pytest.approx(1.1, abs=0.02)
    assert found.p < 1e-300


@pytest.mark.parametrize("n", [10, 200])
def test_rayleighs_p_is_uniform_without_locking(n):
    phases = np.random.default_rng(n).uniform(-np.pi, np.pi, (3000, n))
    found = [vector_strength(row) for row in phases]
    assert kstest([one.p for one in found], "uniform").pvalue > 1e-3
    assert np.mean([one.strength**2 for one in found]) == pytest.approx(1 / n, rel=0.1)


def test_locking_at_its_ends():
    one = vector_strength(np.full(20, 0.3))
    assert (one.strength, one.phase, one.events) == (pytest.approx(1), pytest.approx(0.3), 20)
    opposite = vector_strength(np.array([0.0, np.pi] * 10))
    assert opposite.strength == pytest.approx(0, abs=1e-12)
    assert opposite.p == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("sd", [0.5, 1.0, 3.0])
def test_planted_jitter_comes_back_in_ms(sd):
    """Also where the mean place is the seam of the cycle, and where some cycles have no event."""
    rng = np.random.default_rng(0)
    cycles = np.flatnonzero(rng.random(20000) < 0.4)
    for place in (0.0, 7.0, 12.5):
        t = 25.0 * cycles + place + sd * rng.normal(size=cycles.size)
        assert jitter(t, 25.0) == pytest.approx(sd, rel=0.03)
        assert vector_strength(2 * np.pi * t / 25).strength == pytest.approx(
            np.exp(-0.5 * (2 * np.pi * sd / 25) ** 2), abs=0.01
        )


def test_jitter_without_relation_is_that_of_the_cycle():
    t = np.random.default_rng(0).uniform(0, 10**6, 20000)
    assert jitter(t, 25.0) == pytest.approx(25 / np.sqrt(12), rel=0.03)


def test_peaks_of_a_rate_are_found_between_samples():
    """40 Hz sampled at 1 kHz: maxima every 25 ms from 3.3 ms on, to a hundredth of a ms."""
    t = np.arange(0, 1000.0)
    rate = 10 + np.cos(2 * np.pi * (t - 3.3) / 25.0)
    found = peak_times(rate, 1000.0)
    np.testing.assert_allclose(found, 3.3 + 25.0 * np.arange(found.size), atol=0.02)
    assert found.size == 40
    shallow = rate + 0.02 * np.cos(2 * np.pi * t / 4)
    assert peak_times(shallow, 1000.0, prominence=0.5).size == 39  # the first has too little before it


def test_peaks_of_a_rhythm_lock_to_its_phase_and_not_to_another():
    """Cycles of 40 Hz that vary: peaks lie at phase 0 of their own band, anywhere in an unrelated one."""
    rng = np.random.default_rng(5)
    own, other = (2 * np.pi * 40 * np.arange(0, 20, 1e-3) + np.cumsum(0.05 * rng.normal(size=20000))
                  for _ in range(2))  # fmt: skip
    peaks = peak_times(np.cos(own), 1000.0, 0.5)
    locked = []
    for course in (own, other):
        z = band_analytic(np.cos(course), 1000.0, (30, 50))[0]
        cut = (20000 - z.size) // 2
        kept = peaks[(peaks > cut) & (peaks < 20000 - cut - 2)] - cut
        locked.append(vector_strength(phases_at(kept, np.angle(z), 1000.0)))
    assert locked[0].strength > 0.95
    assert abs(locked[0].phase) < 0.05
    assert locked[1].strength < 0.3


def test_phases_between_samples_cross_the_seam_of_the_circle():
    """A steady rhythm sampled six times a cycle: the phase at any time is that of the rhythm."""
    course = 2 * np.pi * np.arange(60) / 6.0 + 0.4
    t = np.random.default_rng(0).uniform(0, 59, 200)
    off = phases_at(10.0 * t, np.angle(np.exp(1j * course)), 100.0) - (2 * np.pi * t / 6 + 0.4)
    np.testing.assert_allclose(np.exp(1j * off), 1, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-1000, 1000))
def test_regularity_knows_no_clock_and_no_arrow_of_time(seed, unit, start):
    t = renewal(2.0, 30, seed)
    for measure in (interval_cv, interval_cv2):
        assert measure(unit * t + start) == pytest.approx(measure(t), rel=1e-6)
        assert measure(-t) == pytest.approx(measure(t), rel=1e-9)
        assert measure(np.random.default_rng(seed).permutation(t)) == pytest.approx(measure(t), rel=1e-12)
    assert jitter(unit * t, unit * 25.0) == pytest.approx(unit * jitter(t, 25.0), rel=1e-6)
    assert jitter(t + 25.0 * 7, 25.0) == pytest.approx(jitter(t, 25.0), rel=1e-6)
    phases = 2 * np.pi * t / 25
    assert vector_strength(phases + start).strength == pytest.approx(
        vector_strength(phases).strength, abs=1e-9
    )
    assert vector_strength(-phases).strength == pytest.approx(vector_strength(phases).strength, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: interval_cv(np.array([1.0, 2.0])), "at least 3 spikes"),
        (lambda: interval_cv2(np.zeros(5)), "all spikes come at one time"),
        (lambda: interval_cv(np.array([1.0, np.nan, 3.0])), "finite"),
        (lambda: fano_factor(np.array([1.0]), 100.0, 60.0), "window 60.0 ms"),
        (lambda: fano_factor(np.array([101.0]), 100.0, 10.0), "between 0 and 100 ms"),
        (lambda: vector_strength(np.array([])), "at least one event"),
        (lambda: phases_at(np.array([50.0]), np.zeros(40), 1000.0), "leave what the phase covers"),
        (lambda: jitter(np.array([1.0, 2.0]), 0.0), "period 0.0 ms"),
        (lambda: jitter(np.array([1.0]), 5.0), "1 events have no jitter"),
    ],
)
def test_errors_name_the_culprit(call, says):
    with pytest.raises(UserError) as error:
        call()
    assert says in str(error.value)
