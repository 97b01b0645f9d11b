"""Forgetting under background firing, bistable retention, and stability against flexibility."""

from itertools import pairwise

import numpy as np
import pytest

from synsys.core.errors import UserError
from synsys.knowledge.plasticity import plasticity_set
from synsys.synapse.background import (
    background_alphas,
    decay_time,
    first_passage,
    poisson_time_above,
    retention_time,
    trade_off,
)
from synsys.synapse.probe import LTP_PROTOCOL

VITRO, VIVO = plasticity_set("cortical slices"), plasticity_set("cortex in vivo")
HOUR, DAY = 3600.0, 86400.0


def simulated_time_above(rate, c_pre, c_post, tau_ca, threshold, duration, seed=0):
    """Poisson trains over `duration` (ms), exact between spikes."""
    rng = np.random.default_rng(seed)
    count = rng.poisson(2 * rate * duration / 1000)
    gaps = np.diff(np.sort(rng.uniform(0, duration, count)), append=duration)
    sizes = np.where(rng.random(count) < 0.5, c_pre, c_post)
    calcium = total = 0.0
    for size, gap in zip(sizes, gaps, strict=True):
        calcium += size
        if calcium > threshold:
            total += min(gap, tau_ca * np.log(calcium / threshold))
        calcium *= np.exp(-gap / tau_ca)
    return total / duration


@pytest.mark.parametrize("threshold", [1.0, 1.3])
def test_shot_noise_share_agrees_with_poisson_spikes(threshold):
    exact = poisson_time_above(10.0, 10.0, VIVO.c_pre, VIVO.c_post, VIVO.tau_ca, threshold)
    run = simulated_time_above(10.0, VIVO.c_pre, VIVO.c_post, VIVO.tau_ca, threshold, 5e6)
    assert run == pytest.approx(float(exact), rel=0.06)


def test_below_the_smallest_transient_the_share_is_in_closed_form():
    """P(c > theta) = 1 - K theta^nu for theta < C (Gilbert and Pollak 1960)."""
    from scipy.special import gamma

    rate, tau, size, theta = 20.0, 25.0, 2.0, 1.5
    nu = 2 * rate * tau / 1000
    exact = 1 - np.exp(-0.5772156649015329 * nu) * (theta / size) ** nu / gamma(1 + nu)
    assert poisson_time_above(rate, rate, size, size, tau, theta) == pytest.approx(exact, rel=1e-9)


def test_rare_large_transients_are_above_for_tau_log_of_their_excess():
    rate, tau, size = 1e-3, 20.0, 3.0
    share = poisson_time_above(rate, rate, size, size, tau, 1.0)
    assert share == pytest.approx(2 * rate * tau / 1000 * np.log(size), rel=1e-3)


def test_memory_lasts_minutes_in_the_slice_and_hours_in_vivo_at_one_hertz():
    """Higgins et al. 2013, BMC Neurosci 14:P42: hours against minutes at a background of 1/s."""
    assert 60 < decay_time(VITRO, 1.0) < 10 * 60
    assert HOUR < decay_time(VIVO, 1.0) < 10 * HOUR


def test_memory_time_falls_with_the_rate_to_the_power_of_spikes_a_crossing_needs():
    """Higgins et al. 2014, Fig. 2C: one postsynaptic spike in vitro, two spikes in vivo."""
    for parameters, spikes in ((VITRO, 1), (VIVO, 2)):
        slow, slower = decay_time(parameters, 0.1), decay_time(parameters, 0.05)
        assert np.log2(slower / slow) == pytest.approx(spikes, abs=0.05)


def test_bistable_synapse_outlasts_the_flat_one_below_one_hertz():
    """Higgins et al. 2013: months in vivo, below 1 Hz (a lower bound here); the barrier is gone at 3 Hz."""
    assert retention_time(VIVO, 0.95) > 30 * DAY
    assert retention_time(VIVO, 0.95) > 100 * decay_time(VIVO, 0.95)
    assert retention_time(VIVO, 3.0) < HOUR
    assert retention_time(VITRO, 1.0) < HOUR


def test_first_passage_agrees_with_simulated_escapes():
    alpha_d, alpha_p = (float(a) for a in background_alphas(VIVO, 2.0))
    exact = first_passage(VIVO, alpha_d, alpha_p, up=True)
    rng = np.random.default_rng(1)
    p, step = VIVO, 4.0
    rho, alive, total = np.ones(800), np.ones(800, bool), 0.0
    spread = p.sigma * np.sqrt((alpha_d + alpha_p) * step / p.tau)
    while alive.any():
        total += step * alive.sum()
        drift = -rho * (1 - rho) * (p.rho_star - rho)
        drift += p.gamma_p * alpha_p * (1 - rho) - p.gamma_d * alpha_d * rho
        rho = rho + step / p.tau * drift + spread * rng.standard_normal(rho.size)
        rho = np.where(rho > 1, 2 - rho, rho)
        alive &= rho > p.rho_star
    assert total / 800 == pytest.approx(exact, rel=0.1)


def test_both_extremes_of_calcium_are_worse_than_the_middle():
    """Too little calcium keeps all and learns nothing; too much learns and keeps nothing."""
    calm, healthy, wild = (trade_off(VIVO, LTP_PROTOCOL, calcium) for calcium in (0.4, 1.0, 2.0))
    assert healthy.index > 0.9
    assert calm.index < 0.01
    assert wild.index < 0.01
    assert calm.stability > 0.99 > 0.01 > calm.flexibility
    assert wild.flexibility > 0.99 > 0.01 > wild.stability


def test_retention_and_relearning_both_shorten_as_calcium_grows():
    offs = [trade_off(VIVO, LTP_PROTOCOL, calcium) for calcium in (0.6, 0.8, 1.0, 1.3, 1.6)]
    assert all(a.retention >= b.retention for a, b in pairwise(offs))
    assert all(a.relearning > b.relearning for a, b in pairwise(offs))


def test_unresolved_transients_are_refused():
    with pytest.raises(UserError, match="not resolved"):
        poisson_time_above(1.0, 1.0, 1e-3, 1.0, 20.0, 1.0)
