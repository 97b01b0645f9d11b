"""The calcium-based synapse against the published curves, its own simulation and limits."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synsys.core.errors import UserError
from synsys.knowledge.plasticity import plasticity_set, plasticity_sets
from synsys.synapse.graupner_brunel import (
    Protocol,
    moments,
    outcome,
    simulate,
    spike_pairs,
    strength_ratio,
    time_above,
)

HERE = Path(__file__).parent


def stdp(name, intervals):
    return np.array([float(outcome(plasticity_set(name), spike_pairs(dt)).ratio) for dt in intervals])


def test_curve_of_the_dp_set_has_the_published_extremes():
    """Graupner and Brunel 2012, Fig. 2: 1.24 at +5 ms, 0.72 at -24 ms, 0.99 at -100 ms (60 pairs, 1 Hz)."""
    intervals = np.arange(-100.0, 101.0)
    ratio = stdp("DP", intervals)
    assert intervals[ratio.argmax()] == 5
    assert intervals[ratio.argmin()] == -24
    assert ratio[[ratio.argmax(), ratio.argmin(), 0, -1]] == pytest.approx([1.24, 0.72, 0.99, 0.99], abs=0.03)


def test_curve_of_the_dp_set_follows_the_authors_simulation():
    """1000 synapses in each state and interval, with the cubic term (mgraupe/CalciumBasedPlasticityModel,
    numericalSimulation/output/DP_curve): standard error of a ratio about 0.02."""
    with (HERE / "stdp_dp.csv").open() as file:
        rows = [(float(row["interval"]), float(row["ratio"])) for row in csv.DictReader(file)]
    intervals, published = np.array(rows).T
    error = stdp("DP", intervals) - published
    assert np.abs(error).max() < 0.06
    assert np.sqrt((error**2).mean()) < 0.03


def test_each_set_has_the_shape_it_is_named_after():
    """Signs of change along the interval; D: depression, P: potentiation (Fig. 2)."""
    shapes = {"DP": "-+", "DPD": "-+-", "DPD'": "-+-", "P": "+", "D": "-", "D'": "-"}
    intervals = np.arange(-100.0, 101.0)
    for name, shape in shapes.items():
        change = stdp(name, intervals) - 1
        clear = np.sign(change[np.abs(change) > 0.05])
        runs = clear[np.r_[True, clear[1:] != clear[:-1]]]
        assert "".join("+" if sign > 0 else "-" for sign in runs) == shape, name


def test_closed_form_agrees_with_the_simulation():
    parameters = plasticity_set("DP")
    for protocol in (spike_pairs(10.0), spike_pairs(-24.0)):
        exact, run = outcome(parameters, protocol), simulate(parameters, protocol, synapses=2000, step=1.0)
        assert run.alpha_d == pytest.approx(exact.alpha_d, abs=2e-3)
        assert run.alpha_p == pytest.approx(exact.alpha_p, abs=2e-3)
        assert (run.up, run.down) == pytest.approx((exact.up, exact.down), abs=0.06)


def test_time_above_a_threshold_is_that_of_the_trace():
    times, amplitudes = np.array([3.0, 11.0, 11.0, 40.0]), np.array([0.7, 0.9, 0.3, 1.2])
    period, tau = 60.0, 20.0
    t = (np.arange(600000) + 0.5) * period / 600000
    lag = np.mod(t[:, None] - times, period)
    calcium = np.exp(-lag / tau) @ amplitudes / -np.expm1(-period / tau)
    for threshold in (0.5, 1.0, 1.7):
        exact = time_above(times, amplitudes, tau, period, threshold)
        assert exact == pytest.approx((calcium > threshold).mean(), abs=1e-5)


def test_lone_transient_is_above_for_tau_log_of_its_excess():
    """alpha T = tau ln(C / theta) for a single exponential."""
    share = time_above(np.array([5.0]), np.array([2.0]), 20.0, 1e4, 1.3)
    assert share * 1e4 == pytest.approx(20.0 * np.log(2.0 / 1.3), rel=1e-9)


def test_mean_and_variance_approach_those_of_the_stationary_process():
    mean, variance = moments(0.0, 0.2, 0.1, 200.0, 320.0, 2.8, 150.0, 1e6)
    assert mean == pytest.approx(32.0 / 72.0)
    assert variance == pytest.approx(0.5 * 2.8**2 * 0.3 / 72.0)
    mean, variance = moments(1.0, 0.0, 0.0, 200.0, 320.0, 2.8, 150.0, 1e6)
    assert (mean, variance) == (1.0, 0.0)


def test_without_calcium_nothing_changes():
    quiet = outcome(plasticity_set("DP"), spike_pairs(10.0), c_pre=1e-3, c_post=1e-3)
    assert (quiet.alpha_d, quiet.up, quiet.down, quiet.ratio) == (0, 0, 0, 1)


def test_strength_lies_between_all_down_and_all_up():
    assert strength_ratio(1.0, 0.0, 0.5, 5.0) == pytest.approx(5 / 3)
    assert strength_ratio(0.0, 1.0, 0.5, 5.0) == pytest.approx(1 / 3)


def test_cortical_pairs_potentiate_at_high_rate_whatever_their_order():
    """Sjostrom et al. 2001: post before pre depresses at 10 Hz and potentiates at 50 Hz."""
    cortex = plasticity_set("cortical slices")
    slow, fast = (outcome(cortex, Protocol(-10.0, 5, 5, f, 10000.0, 15)).ratio for f in (10.0, 50.0))
    assert slow < 0.8
    assert fast > 1.3


def test_calcium_of_the_living_brain_is_six_tenths_of_that_of_the_slice():
    slice_, vivo = plasticity_set("cortical slices"), plasticity_set("cortex in vivo")
    assert vivo.c_pre / slice_.c_pre == pytest.approx(1.5 / 2.5, rel=1e-4)
    assert vivo.c_post / slice_.c_post == pytest.approx(1.5 / 2.5, rel=1e-4)
    same = replace(slice_, name=vivo.name, preparation=vivo.preparation, c_pre=vivo.c_pre, c_post=vivo.c_post)
    assert replace(same, source=vivo.source, note=vivo.note) == vivo


def test_errors_name_what_is_wrong():
    with pytest.raises(
        UserError, match="plasticity set 'hippocampal slice'; did you mean hippocampal slices"
    ):
        plasticity_set("hippocampal slice")
    with pytest.raises(UserError, match="do not fit into a period"):
        Protocol(10.0, 5, 5, 10.0, 200.0, 1)
    with pytest.raises(UserError, match="1 <= post <= pre"):
        Protocol(10.0, 2, 3, 100.0, 200.0, 1)
    assert len(plasticity_sets()) == 10


def test_last_presynaptic_spikes_of_a_burst_are_paired():
    pre, post = Protocol(5.0, 4, 2, 100.0, 200.0, 1).onsets(delay=3.0)
    assert list(pre) == [3, 13, 23, 33]
    assert list(post) == [25, 35]
