"""Dynamic FC: planted states are found, stationary signals are not taken for dynamic; order of phases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from synsys.core.errors import UserError
from synsys.measures.fc_dynamics import (
    fcd_matrix,
    fcd_test,
    fcd_values,
    ks_distance,
    window_samples,
    windowed_fc,
    windows_apart,
)
from synsys.measures.synchrony import metastability, order_parameter, synchrony, synchrony_test

TR, WINDOW, STEP = 2.0, 40.0, 4.0


def states(seed: int, samples: int = 400, length: int = 100) -> np.ndarray:
    """Six regions that go together as two threes, then as three pairs, in turn."""
    rng = np.random.default_rng(seed)
    threes, pairs = np.kron(np.eye(2), np.ones((3, 1))), np.kron(np.eye(3), np.ones((2, 1)))
    second = (np.arange(samples) // length) % 2
    common = np.where(second, pairs @ rng.normal(size=(3, samples)), threes @ rng.normal(size=(2, samples)))
    return common + 0.5 * rng.normal(size=(6, samples))


def stationary(seed: int, samples: int = 150, regions: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(regions, samples + 2))
    smooth = noise[:, :-2] + noise[:, 1:-1] + noise[:, 2:]
    return np.linalg.cholesky(0.4 + 0.6 * np.eye(regions)) @ smooth


def test_windows_are_those_of_the_seconds_given_and_their_fc_is_pearsons():
    x = stationary(0)
    starts, length = window_samples(x.shape[1], TR, WINDOW, STEP)
    assert length == 20
    assert (np.diff(starts) == 2).all()
    assert starts[-1] + length <= x.shape[1] < starts[-1] + length + 2
    fc = windowed_fc(x, TR, WINDOW, STEP)
    for k in (0, 17, len(starts) - 1):
        np.testing.assert_allclose(fc[k], np.corrcoef(x[:, starts[k] : starts[k] + 20]), atol=1e-12)


def test_fcd_is_the_correlation_of_the_triangles():
    fc = windowed_fc(stationary(1), TR, WINDOW, STEP)
    rows = np.triu_indices(5, 1)
    np.testing.assert_allclose(fcd_matrix(fc), np.corrcoef(fc[:, rows[0], rows[1]]), atol=1e-12)


def test_windows_without_a_common_sample_are_counted_exactly():
    starts, length = window_samples(400, TR, 45.0, 8.0)
    apart = windows_apart(TR, 45.0, 8.0)
    assert starts[apart] >= length > starts[apart - 1]
    fcd = fcd_matrix(windowed_fc(stationary(0, 400), TR, 45.0, 8.0))
    n = len(fcd)
    assert fcd_values(fcd).size == n * (n - 1) // 2
    assert fcd_values(fcd, apart).size == (n - apart) * (n - apart + 1) // 2


def test_overlap_alone_makes_windows_alike():
    """Why values of overlapping windows cannot be compared with those of separate ones."""
    fcd = fcd_matrix(windowed_fc(stationary(3, 2000), TR, WINDOW, STEP))
    near, far = np.diagonal(fcd, 1).mean(), fcd_values(fcd, windows_apart(TR, WINDOW, STEP)).mean()
    assert near > far + 0.4


def test_planted_states_show_as_blocks():
    fcd = fcd_matrix(windowed_fc(states(0), TR, WINDOW, STEP))
    centre = (window_samples(400, TR, WINDOW, STEP)[0] + 10) // 100
    inside = np.array(
        [(s % 100 >= 10) & (s % 100 < 90) for s in window_samples(400, TR, WINDOW, STEP)[0] + 10]
    )
    same = (centre[:, None] - centre) % 2 == 0
    both = inside[:, None] & inside & (centre[:, None] != centre)
    assert fcd[both & same].mean() > 0.5 > fcd[both & ~same].mean() + 0.3


def test_planted_states_are_detected_and_a_stationary_signal_is_like_its_surrogates():
    found = fcd_test(states(1), TR, WINDOW, STEP, count=19, seed=0)
    assert found.spread.p == pytest.approx(2 / 20)
    assert found.spread.value > found.spread.mean
    assert found.distance.p == pytest.approx(1 / 20)
    null = fcd_test(stationary(1, 400), TR, WINDOW, STEP, count=19, seed=0)
    assert abs(null.spread.z) < 3
    assert null.distance.p > 0.05


def test_stationary_signals_are_rejected_as_often_as_said():
    found = [fcd_test(stationary(k), TR, WINDOW, 10.0, count=19, seed=k) for k in range(200)]
    for p in ([one.spread.p for one in found], [one.distance.p for one in found]):
        assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 200))


def test_ks_distance_is_that_of_scipy():
    rng = np.random.default_rng(0)
    for n, m in ((10, 10), (7, 400), (300, 120)):
        a, b = rng.normal(size=n).round(1), rng.normal(0.3, 1.2, m).round(1)
        assert ks_distance(a, b) == pytest.approx(ks_2samp(a, b).statistic)
    assert ks_distance(np.zeros(3), np.ones(5)) == 1
    assert ks_distance(a, a) == 0


def test_the_distance_of_the_test_is_that_from_all_others():
    """The shortcut through the distribution of everything gives the distance from the rest."""
    x = stationary(2)
    found = fcd_test(x, TR, WINDOW, STEP, count=5, seed=3)
    from synsys.measures.surrogates import phase_randomised

    rng = np.random.default_rng(3)
    apart = windows_apart(TR, WINDOW, STEP)
    others = [fcd_values(fcd_matrix(windowed_fc(phase_randomised(x, rng), TR, WINDOW, STEP)), apart)
              for _ in range(5)]  # fmt: skip
    assert found.distance.value == pytest.approx(ks_distance(found.values, np.concatenate(others)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-50, 50))
def test_fcd_knows_no_scale_no_names_and_no_arrow_of_time(seed, scale, shift):
    x = stationary(seed, 60)
    order = np.random.default_rng(seed).permutation(5)
    fcd = fcd_matrix(windowed_fc(x, TR, WINDOW, TR))
    np.testing.assert_allclose(fcd_matrix(windowed_fc(scale * x + shift, TR, WINDOW, TR)), fcd, atol=1e-7)
    np.testing.assert_allclose(fcd_matrix(windowed_fc(x[order], TR, WINDOW, TR)), fcd, atol=1e-9)
    np.testing.assert_allclose(
        fcd_matrix(windowed_fc(x[:, ::-1], TR, WINDOW, TR))[::-1, ::-1], fcd, atol=1e-9
    )


@pytest.mark.parametrize("n", [4, 10, 68])
def test_independent_phases_have_the_rayleigh_order_parameter(n):
    """The mean of R² is 1 / N for every N; mean and sd are those of Rayleigh for many."""
    phases = np.random.default_rng(n).uniform(-np.pi, np.pi, (n, 40000))
    r = order_parameter(phases)
    assert (r**2).mean() == pytest.approx(1 / n, rel=0.03)
    assert synchrony(phases) == pytest.approx(np.sqrt(np.pi / n) / 2, rel=0.03)
    assert metastability(phases) == pytest.approx(np.sqrt((1 - np.pi / 4) / n), rel=0.06)


def test_order_of_known_arrangements():
    t = np.linspace(0, 20, 500)
    assert synchrony(np.tile(t, (7, 1))) == pytest.approx(1)
    assert metastability(np.tile(t, (7, 1))) == pytest.approx(0, abs=1e-12)
    splay = t + 2 * np.pi * np.arange(7)[:, None] / 7
    assert synchrony(splay) == pytest.approx(0, abs=1e-12)
    # two oscillators that drift apart steadily: R = |cos(δ/2)|, mean 2/π, mean square 1/2
    drift = np.stack([np.zeros(100000), np.linspace(0, 2 * np.pi * 50, 100000)])
    assert synchrony(drift) == pytest.approx(2 / np.pi, rel=1e-3)
    assert metastability(drift) == pytest.approx(np.sqrt(0.5 - 4 / np.pi**2), rel=1e-3)


def walks(seed: int, n: int = 5, samples: int = 300, pull: np.ndarray | float = 0.0) -> np.ndarray:
    """Noisy oscillators of one frequency, pulled together by a course of coupling."""
    rng = np.random.default_rng(seed)
    strength = np.broadcast_to(pull, samples)
    phase, out = rng.uniform(-np.pi, np.pi, n), np.empty((n, samples))
    for t in range(samples):
        field = np.exp(1j * phase).mean()
        phase = phase + 0.3 + 0.3 * rng.normal(size=n) + strength[t] * np.imag(field * np.exp(-1j * phase))
        out[:, t] = phase
    return np.angle(np.exp(1j * out))


def test_independent_oscillators_are_rejected_as_often_as_said():
    found = [synchrony_test(walks(k), count=39, seed=k) for k in range(200)]
    for p in ([one.synchrony.p for one in found], [one.metastability.p for one in found]):
        assert np.mean(np.array(p) <= 0.1) < 0.1 + 4 * np.sqrt(0.09 / 200)


def test_coupled_oscillators_are_in_synchrony_and_coupling_that_comes_and_goes_is_metastable():
    steady, coming = walks(1, samples=1200, pull=0.8), walks(1, samples=1200, pull=np.arange(1200) // 200 % 2)
    assert synchrony_test(steady, 99).synchrony.p == pytest.approx(0.01)
    found = synchrony_test(coming, 99)
    assert found.metastability.p == pytest.approx(0.02)
    assert found.metastability.value > metastability(steady)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(-10, 10))
def test_order_parameter_knows_no_names_no_origin_of_phase_and_no_arrow_of_time(seed, turn):
    x = np.random.default_rng(seed).uniform(-9, 9, (6, 30))
    r = order_parameter(x)
    np.testing.assert_allclose(order_parameter(x[::-1] + turn), r, atol=1e-12)
    np.testing.assert_allclose(order_parameter(-x[:, ::-1]), r[::-1], atol=1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: windowed_fc(stationary(0), TR, 4.0, 4.0), "window 4 s has 2 samples"),
        (lambda: windowed_fc(stationary(0), TR, 300.0, 4.0), "fewer than two windows of 300 s"),
        (lambda: windowed_fc(stationary(0), 0.0, 40.0, 4.0), "repetition time 0.0 s must be positive"),
        (lambda: windowed_fc(stationary(0)[:1], TR, 40.0, 4.0), "at least two regions"),
        (lambda: windowed_fc(stationary(0) * [[1], [1], [0], [1], [1]], TR), "region 2 does not vary"),
        (lambda: fcd_matrix(np.ones((5, 2, 2))), "at least 3 regions"),
        (lambda: fcd_values(np.eye(4), 4), "4 windows have no pair"),
        (lambda: synchrony_test(np.zeros((1, 50))), "at least two regions"),
    ],
)
def test_errors_name_the_culprit(call, says):
    with pytest.raises(UserError) as error:
        call()
    assert says in str(error.value)
