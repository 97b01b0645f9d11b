"""BOLD: the linear transfer function against the balloon model itself; what FC keeps and what it loses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from synsys.brain.bold import (
    BAND,
    BAND_NODES,
    BAND_WEIGHTS,
    bold_covariance,
    bold_fc,
    bold_transfer,
    correlation,
    drive_weights,
    noise_level,
    observed_fc,
    regress_global,
)
from synsys.brain.draws import draws
from synsys.brain.fixed import arriving
from synsys.brain.model import BrainModel
from synsys.brain.spectra import cross, respond
from synsys.brain.state import HealthyBrain
from synsys.circuit.drift import block, firing, steady_gates
from synsys.core.errors import UserError
from synsys.data.embedded import load_embedded
from synsys.simulation.haemodynamics import Haemodynamics, balloon, bold_signal

REST = np.array([0.0, 1.0, 1.0, 1.0])


def spectra(n: int, seed: int = 0, flat: bool = False) -> np.ndarray:
    """A Hermitian positive cross-spectrum at the nodes of the band, with power falling as 1/f."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(len(BAND_NODES), n, 2 * n)) + 1j * rng.normal(size=(len(BAND_NODES), n, 2 * n))
    factor[:] = factor[:1] if flat else factor
    factor /= np.sqrt(BAND_NODES)[:, None, None]
    return factor @ factor.conj().swapaxes(1, 2)


@given(
    st.floats(0.4, 1.0), st.floats(0.2, 0.6), st.floats(0.5, 3), st.floats(0.2, 0.5),
    st.floats(0.2, 0.6), st.floats(0.3, 1.6), st.floats(0.3, 3),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_transfer_is_the_jacobian_of_the_balloon_model(kappa, gamma, tau, alpha, rho, epsilon, gain):
    p = Haemodynamics(kappa, gamma, tau, alpha, rho, epsilon=epsilon, gain=gain)
    step = 1e-30
    jacobian = np.empty((4, 4))
    readout = np.empty(4)
    for k in range(4):
        x = REST.astype(complex)
        x[k] += 1j * step
        jacobian[:, k] = balloon(x, 0.0, p).imag / step
        readout[k] = bold_signal(x, p).imag / step
    enter = np.array([gain, 0, 0, 0])
    f = np.array([0.001, 0.01, 0.05, 0.1, 1.0])
    state_space = [readout @ np.linalg.solve(2j * np.pi * x * np.eye(4) - jacobian, enter) for x in f]
    assert bold_transfer(f, p)[:, 0] == pytest.approx(state_space, rel=1e-10)


def test_small_oscillation_of_the_nonlinear_model_follows_the_transfer_function():
    p, f, small = Haemodynamics(), 0.04, 1e-3
    period = 1 / f
    times = np.linspace(8 * period, 9 * period, 200, endpoint=False)
    run = solve_ivp(
        lambda t, x: balloon(x, small * np.sin(2 * np.pi * f * t), p), (0, 9 * period), REST,
        t_eval=times, rtol=1e-9, atol=1e-12,
    )  # fmt: skip
    signal = bold_signal(run.y, p)
    fundamental = 2 * np.mean(signal * np.exp(-2j * np.pi * f * times)) * 1j / small
    assert fundamental == pytest.approx(bold_transfer([f], p)[0, 0], rel=2e-3)
    large = solve_ivp(
        lambda t, x: balloon(x, 0.15 * np.sin(2 * np.pi * f * t), p), (0, 9 * period), REST,
        t_eval=times, rtol=1e-9, atol=1e-12,
    )  # fmt: skip
    distorted = 2 * np.mean(bold_signal(large.y, p) * np.exp(-2j * np.pi * f * times)) * 1j / 0.15
    assert abs(distorted / bold_transfer([f], p)[0, 0] - 1) > 0.02  # so the comparison above can fail


def test_rest_is_rest_and_more_drive_is_more_bold():
    p = Haemodynamics()
    assert np.abs(balloon(REST, 0.0, p)).max() < 1e-15
    assert bold_signal(REST, p) == 0
    assert bold_transfer([0.0], p)[0, 0].real > 0
    assert bold_transfer([0.0], p)[0, 0].imag == 0


def test_response_peaks_some_seconds_after_an_impulse():
    """The canonical response peaks about 4-6 s after a short event and undershoots afterwards."""
    f = np.fft.rfftfreq(4096, 0.1)
    response = np.fft.irfft(bold_transfer(f)[:, 0], 4096)[:400]
    assert 2.5 < 0.1 * response.argmax() < 6
    assert response[80:].min() < -0.05 * response.max()


def test_band_quadrature_is_exact_for_power_laws():
    for exponent in (-2.0, -1.0, 0.0, 1.0):
        whole = BAND[1] ** (exponent + 1) - BAND[0] ** (exponent + 1)
        exact = np.log(BAND[1] / BAND[0]) if exponent == -1 else whole / (exponent + 1)
        assert (BAND_WEIGHTS * BAND_NODES**exponent).sum() == pytest.approx(exact, rel=1e-6)


def test_a_common_response_cancels_up_to_the_weight_of_frequencies():
    flat = spectra(12, flat=True)
    plain = bold_fc(flat, transfer=np.ones((len(BAND_NODES), 1)))
    assert bold_fc(flat) == pytest.approx(plain, abs=1e-12)
    slow = Haemodynamics(kappa=0.45, tau=2.0, delay=2.0, dispersion=1.0, gain=3.0)
    assert bold_fc(flat, transfer=bold_transfer(BAND_NODES, slow)) == pytest.approx(plain, abs=1e-12)
    coloured = spectra(12)
    own = bold_fc(coloured)
    low_pass = bold_fc(coloured, transfer=bold_transfer(BAND_NODES, Haemodynamics(dispersion=8.0)))
    assert np.abs(own - low_pass).max() > 0.02


def test_a_regional_delay_does_not_cancel():
    """Two identical drives seen with a lag d correlate as the band average of cos(2 pi f d)."""
    drive = np.ones((len(BAND_NODES), 2, 2), complex)
    for delay in (1.0, 3.0):
        h = bold_transfer(BAND_NODES, Haemodynamics(delay=np.array([0.0, delay])))
        power = BAND_WEIGHTS * abs(h[:, 0]) ** 2
        expected = (power * np.cos(2 * np.pi * BAND_NODES * delay)).sum() / power.sum()
        assert bold_fc(drive, transfer=h)[0, 1] == pytest.approx(expected)
        assert expected < 0.99
    assert bold_fc(drive)[0, 1] == pytest.approx(1)


def test_regional_gain_cancels_only_without_noise():
    s = spectra(6)
    gain = np.linspace(0.5, 2, 6)
    h = bold_transfer(BAND_NODES, Haemodynamics(gain=gain))
    assert bold_fc(s, transfer=h) == pytest.approx(bold_fc(s), abs=1e-12)
    noise = np.diagonal(bold_covariance(s)).mean()
    weaker = bold_fc(s, transfer=bold_transfer(BAND_NODES, Haemodynamics(gain=0.5)), noise=noise)
    off = ~np.eye(6, dtype=bool)
    assert (abs(weaker[off]) < abs(bold_fc(s, noise=noise)[off])).all()
    assert (abs(bold_fc(s, noise=noise)[off]) < abs(bold_fc(s)[off])).all()


def test_global_signal_regression_equals_regression_of_time_series():
    rng = np.random.default_rng(1)
    series = rng.normal(size=(500, 7)) @ rng.normal(size=(7, 7)) + rng.normal(size=(500, 1))
    series -= series.mean(0)
    mean = series.mean(1, keepdims=True)
    residual = series - mean @ np.linalg.lstsq(mean, series, rcond=None)[0]
    cleaned = regress_global(np.cov(series.T))
    assert cleaned == pytest.approx(np.cov(residual.T), abs=1e-12)
    assert correlation(cleaned) == pytest.approx(np.corrcoef(residual.T), abs=1e-10)
    assert cleaned.sum() == pytest.approx(0, abs=1e-9)


def test_three_ways_of_observing_the_same_signals():
    rng = np.random.default_rng(2)
    covariance = np.cov(rng.normal(size=(6, 40)) + rng.normal(size=40))
    seen = observed_fc(covariance, 0.5)
    fainter = observed_fc(0.25 * covariance, 0.5)
    off = ~np.eye(6, dtype=bool)
    assert (abs(fainter["fc"][off]) < abs(seen["fc"][off])).all()
    np.testing.assert_allclose(fainter["fc_noiseless"], seen["fc_noiseless"], atol=1e-12)
    np.testing.assert_allclose(observed_fc(covariance, 0.0)["fc"], seen["fc_noiseless"], atol=1e-12)
    assert seen["fc"][off].mean() > 0.3 > seen["fc_global_regressed"][off].mean()


def test_a_region_without_signal_is_correlated_with_nothing():
    """The cerebellum of a brain that has only one of its hemispheres hears nobody."""
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = [[1.0, 0.6], [0.6, 1.0]]
    seen = observed_fc(covariance, 0.1)
    for name in ("fc", "fc_noiseless"):
        np.testing.assert_array_equal(seen[name][2], [0, 0, 1])
    assert seen["fc_noiseless"][0, 1] == pytest.approx(0.6)


def test_fisher_z():
    s = spectra(5)
    r, z = bold_fc(s), bold_fc(s, fisher=True)
    off = ~np.eye(5, dtype=bool)
    assert np.tanh(z[off]) == pytest.approx(r[off])
    assert np.isnan(np.diagonal(z)).all()


@given(st.integers(0, 1000), st.booleans(), st.floats(0, 5))
@settings(max_examples=30, deadline=None)
def test_fc_is_a_correlation_matrix(seed, project, noise):
    s = spectra(6, seed)
    fc = bold_fc(s, noise=noise, transfer=np.ones((5, 1)), global_signal=project)
    assert (fc == fc.T).all()
    assert (np.diagonal(fc) == 1).all()
    assert np.linalg.eigvalsh(fc).min() > -1e-9


def test_lead_and_lag_leave_zero_lag_correlation_at_cosine():
    """Two signals in quadrature are coherent, and uncorrelated at zero lag."""
    s = np.tile(np.array([[1, 1j], [-1j, 1]]), (len(BAND_NODES), 1, 1))
    assert bold_fc(s)[0, 1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bold_fc(np.ones((5, 3, 2))), r"\(F, R, R\)"),
        (lambda: bold_fc(spectra(3)[:4]), "must be equal"),
        (lambda: bold_fc(spectra(3), transfer=np.ones((5, 4))), r"\(5, 3\) or \(5, 1\)"),
        (lambda: bold_fc(spectra(3), noise=-1.0), "noise = -1.0"),
        (lambda: bold_fc(np.zeros((5, 3, 3))), "region 0 has no BOLD signal"),
        (lambda: Haemodynamics(tau=0.0), "tau = 0.0: finite numbers > 0"),
        (lambda: Haemodynamics(rho=1.2), "below 1"),
        (lambda: Haemodynamics(gain=np.ones((2, 2))), r"gain: shape \(2, 2\)"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(UserError, match=message):
        call()


@pytest.fixture(scope="module")
def state():
    return HealthyBrain(BrainModel(load_embedded()), draws(1, beta=0)[0]).state


def test_firing_drive_is_the_slope_of_the_rate(state):
    weights = drive_weights(state, "firing")
    wiring = state.healthy.wiring
    assert weights.shape == (84, len(wiring.source_node))
    assert (weights.sum(1) > 0).all()
    own = wiring.nodes.region.to_numpy()[wiring.source_node]
    for r in (0, 7, 34):
        assert (weights[r, own != r] == 0).all()
    up = state.point.x[..., 0, :] + 1e-5
    slope = 1e8 * (firing(up, state.parameters) - firing(up - 2e-5, state.parameters)) / 2
    cortical = np.flatnonzero(own == 0)
    expected = slope[wiring.source_node[cortical], wiring.source_slot[cortical]]
    assert weights[0, cortical] == pytest.approx(expected, rel=1e-5)


def test_synaptic_drive_is_the_slope_of_the_excitatory_current(state):
    """Against the drift itself: excitatory current at potentials moved by hand."""
    p, wiring = state.parameters, state.healthy.wiring
    v0 = state.point.x[..., 0, :]

    def current(v):
        """Excitatory current at fixed driving force, gates following the potentials `v` of the sources."""
        x = steady_gates(v, p)
        u = arriving(x, wiring, state.coupling)
        local = [(g @ (p.glutamate * x[:, k])[..., None])[..., 0] for g, k in ((p.g_fast, 1), (p.g_slow, 2))]
        return ((local[0] + u[0]) * -v0 + (local[1] + u[1]) * block(v0) * -v0).sum(1)

    nodes = wiring.nodes
    weights = drive_weights(state)
    for j in (0, 40, 70, 100, 150, len(wiring.source_node) - 1):
        up, down = v0.copy(), v0.copy()
        up[wiring.source_node[j], wiring.source_slot[j]] += 1e-4
        down[wiring.source_node[j], wiring.source_slot[j]] -= 1e-4
        change = (current(up) - current(down)) / 2e-4
        for r in (0, 1, 34, 36, 40, 41, 75):
            mine = (nodes.region == r).to_numpy()
            expected = (nodes.share[mine] * change[mine]).sum()
            assert weights[r, j] == pytest.approx(expected, rel=1e-5, abs=1e-8)
    with pytest.raises(UserError, match="unknown BOLD drive 'rate'"):
        drive_weights(state, "rate")


def test_fc_of_the_brain(state):
    """Homologous regions correlate; noise at the scanner's level lowers FC of weakly driven regions most."""
    brain = load_embedded()
    cortex = (brain.regions.structure == "cortex").to_numpy()
    spectrum = cross(respond(state.linear, BAND_NODES).output(drive_weights(state)))
    noise = noise_level(bold_covariance(spectrum), cortex)
    plain, seen = bold_fc(spectrum), bold_fc(spectrum, noise=noise)
    off = ~np.eye(84, dtype=bool)
    assert np.isfinite(plain).all()
    assert (abs(seen[off]) <= abs(plain[off])).all()
    assert noise == pytest.approx(0.2 * np.median(np.diagonal(bold_covariance(spectrum))[cortex]))
    homologous = seen[np.arange(34), np.arange(34) + 42]
    assert homologous.mean() > seen[np.ix_(cortex, cortex)][~np.eye(68, dtype=bool)].mean()
