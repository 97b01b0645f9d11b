"""Unstable modes counted by winding number are the eigenvalues in the right half-plane."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from oracle import ALL_KINDS, CORTEX, PAIRED, dense_matrix, healthy, rewired
from scipy.optimize import brentq

from synsys.brain.linear import Linearised, angular, closed_loop
from synsys.brain.solution import COARSE
from synsys.brain.spectra import respond
from synsys.brain.stability import stability
from synsys.brain.state import State
from synsys.brain.wiring import Wiring
from synsys.circuit.drift import SIZE, SLOTS
from synsys.circuit.linear import FAST, LocalJacobian

V = slice(0, SLOTS)
GATES = slice(FAST * SLOTS, (FAST + 2) * SLOTS)


def without_delays(state: State) -> State:
    wiring = state.healthy.model.wiring
    return rewired(state, lengths=0 * wiring.lengths, fixed_delay=0 * wiring.fixed_delay)


def stronger(state: State, long_range: float, local: float = 1.0, inhibition: float = 1.0) -> State:
    """The same operating point with its synaptic feedback scaled."""
    out, system = replace(state), state.linear
    full = system.jacobian.full.copy()
    full[:, V, GATES] *= local
    sign = np.where(full[:, V, GATES] < 0, inhibition, 1.0)
    full[:, V, GATES] *= sign
    jac = replace(system.jacobian, full=full)
    out.__dict__["linear"] = replace(system, jacobian=jac, coupling=long_range * system.coupling)
    return out


def eigenvalues(state: State) -> np.ndarray:
    e = np.linalg.eigvals(dense_matrix(state.linear, 0.0, delays=False).real)
    return e[np.argsort(-e.real)]


def eigenvalues_with_delay(state: State, delay: float, order: int = 14) -> np.ndarray:
    """Rightmost modes where every tract takes `delay` ms, by Chebyshev collocation of the history.

    The history on [-delay, 0] becomes its values at Chebyshev nodes: the newest follows the equation, all
    others are carried along by differentiation (spectral discretisation of the infinitesimal generator,
    Breda 2003, Sci Math Jpn Online 8:317).
    """
    now = dense_matrix(replace(state.linear, coupling=0.0 * state.linear.coupling), 0.0).real
    late = dense_matrix(state.linear, 0.0, delays=False).real - now
    theta = np.cos(np.pi * np.arange(order + 1) / order)
    c = np.r_[2.0, np.ones(order - 1), 2.0] * (-1.0) ** np.arange(order + 1)
    gap = theta[:, None] - theta + np.eye(order + 1)
    slope = np.outer(c, 1 / c) / gap
    slope -= np.diag(slope.sum(1))
    generator = np.kron(2.0 / delay * slope, np.eye(len(now)))
    generator[: len(now)] = 0.0
    generator[: len(now), : len(now)], generator[: len(now), -len(now) :] = now, late
    e = np.linalg.eigvals(generator)
    return e[np.argsort(-e.real)]


@pytest.mark.parametrize("labels", [PAIRED, ALL_KINDS], ids=["cortex-thalamus", "all"])
@pytest.mark.parametrize(("local", "inhibition"), [(1.0, 1.0), (1.0, 3.0), (1.6, 1.0), (0.3, 1.0)])
def test_modes_without_delays_are_eigenvalues(
    labels: tuple[str, ...], local: float, inhibition: float
) -> None:
    base = without_delays(healthy(labels).state)
    seen = set()
    for long_range in (0.0, 0.5, 1.0, 2.0, 4.0, 8.0):
        state = stronger(base, long_range, local, inhibition)
        e = eigenvalues(state)
        if np.abs(e.real).min() < 1e-6:  # too near the axis for either count to be sure
            continue
        result = stability(state)
        assert result.unstable_modes == (e.real > 0).sum()
        assert result.stable == (e.real.max() < 0)
        if not result.stable:
            found = 1e-3 * result.growth + 2e-3j * np.pi * result.frequency
            assert np.abs(e - found).min() < 1e-6  # a mode there is; near onset it is the fastest
            if result.unstable_modes <= 4:
                assert result.growth == pytest.approx(1e3 * e[0].real, rel=1e-4)
        seen.add(result.stable)
    assert False in seen


@pytest.mark.parametrize("delay", [5.0, 25.0])
@pytest.mark.parametrize(
    ("long_range", "local", "inhibition"), [(8.0, 1.0, 1.0), (4.0, 1.0, 3.0), (16.0, 0.3, 1.0)]
)
def test_leading_mode_with_delays_is_the_rightmost(
    delay: float, long_range: float, local: float, inhibition: float
) -> None:
    state = healthy(CORTEX[:3]).state
    wiring = state.healthy.model.wiring
    state = rewired(state, lengths=0 * wiring.lengths, fixed_delay=0 * wiring.fixed_delay + delay)
    state = stronger(state, long_range, local, inhibition)
    e = eigenvalues_with_delay(state, delay)
    result = stability(state)
    assert result.unstable_modes == (e.real > 0).sum() > 0
    assert result.growth == pytest.approx(1e3 * e[0].real, rel=1e-4)
    assert result.frequency == pytest.approx(abs(e[0].imag) / 2e-3 / np.pi, rel=1e-4, abs=1e-3)


def test_crossing_of_the_instability_is_seen_on_both_sides() -> None:
    base = without_delays(healthy(PAIRED).state)

    def leading(long_range: float) -> float:
        return eigenvalues(stronger(base, long_range))[0].real

    scan = np.arange(1.0, 8.0, 0.25)
    first = next(g for g in scan if leading(g) > 0)
    critical = brentq(leading, first - 0.25, first, xtol=1e-6)
    assert stability(stronger(base, critical * 0.99)).stable
    assert not stability(stronger(base, critical * 1.01)).stable


def scalar(gain: float, delay: float, tau: float = 10.0, tau_fast: float = 6.0) -> SimpleNamespace:
    """One population that feeds back on itself: tau V' = -V - gain s(t - delay), tau_fast s' = V - s."""
    full = -np.eye(SIZE)[None]
    full[0, 0, 0] = -1 / tau
    full[0, FAST * SLOTS, FAST * SLOTS], full[0, FAST * SLOTS, 0] = -1 / tau_fast, 1 / tau_fast
    input_v = np.zeros((1, 3, SLOTS))
    input_v[0, 0, 0] = -gain / tau
    kappa = np.zeros((3, SLOTS, 1, 1))
    kappa[0, 0] = 1.0
    nodes = pd.DataFrame(
        {"region": [0], "template": ["cortex"], "channel": [""], "hemisphere": ["L"], "share": [1.0]}
    )
    index, one = np.array([0]), np.ones((1, 1))
    wiring = Wiring(nodes, index, index, index, one, 0 * one, delay * one, kappa)
    system = Linearised(
        LocalJacobian(full, input_v, 0 * input_v), wiring, np.ones((3, 1, SLOTS)), np.ones((3, 1, SLOTS)),
        np.ones((1, SLOTS)), 0.0, 1.0, np.ones(1),
    )  # fmt: skip
    brain = SimpleNamespace(labels=["L.somewhere"])
    return SimpleNamespace(
        linear=system,
        restless="",
        healthy=SimpleNamespace(model=SimpleNamespace(brain=brain)),
    )


@pytest.mark.parametrize("delay", [1.0, 5.0, 20.0, 60.0])
def test_delayed_negative_feedback_oscillates_beyond_its_hopf_gain(delay: float) -> None:
    # (1 + s tau)(1 + s tau') + G exp(-s T) = 0 at s = i w: phases add up to pi, moduli give G.
    tau, fast = 10.0, 6.0
    w = brentq(lambda w: np.arctan(w * tau) + np.arctan(w * fast) + w * delay - np.pi, 1e-6, np.pi / delay)
    critical = np.sqrt((1 + (w * tau) ** 2) * (1 + (w * fast) ** 2))
    below, above = stability(scalar(0.98 * critical, delay)), stability(scalar(1.02 * critical, delay))
    assert below.stable
    assert below.unstable_modes == 0
    assert above.unstable_modes == 2
    assert above.frequency == pytest.approx(w / 2e-3 / np.pi, rel=0.02)
    assert above.reason == f"oscillatory instability near {above.frequency:.3g} Hz in L.somewhere"


@pytest.mark.parametrize("delay", [1.0, 40.0])
def test_positive_feedback_runs_away_beyond_gain_one_whatever_the_delay(delay: float) -> None:
    assert stability(scalar(-0.99, delay)).stable
    assert stability(scalar(-0.999_999, delay)).stable
    assert stability(scalar(-1.000_001, delay)).unstable_modes == 1
    result = stability(scalar(-1.05, delay))
    assert result.unstable_modes == 1
    assert result.frequency == 0.0
    assert result.reason == "runaway instability in L.somewhere"


def test_long_delay_adds_modes_one_pair_at_a_time() -> None:
    # For |G| > 1 and a long delay the roots crowd along the axis; count those of the scalar equation.
    gain, delay, tau, fast = 4.0, 200.0, 10.0, 6.0
    w = np.linspace(1e-4, 2.0, 400_001)
    inside = (1 + (w * tau) ** 2) * (1 + (w * fast) ** 2) < gain**2
    phase = np.arctan(w * tau) + np.arctan(w * fast) + w * delay
    crossings = np.floor((phase[inside][-1] + np.pi) / (2 * np.pi))
    assert stability(scalar(gain, delay)).unstable_modes == 2 * crossings


def test_mode_of_one_region_alone_is_named() -> None:
    state = without_delays(healthy(PAIRED).state)
    system = state.linear
    full = system.jacobian.full.copy()
    labels = state.healthy.model.brain.labels
    node = int(
        np.flatnonzero(state.healthy.model.wiring.nodes.region == labels.index("L.lateraloccipital"))[0]
    )
    full[node, V, GATES] *= 6.0
    out = replace(state)
    out.__dict__["linear"] = replace(
        system, jacobian=replace(system.jacobian, full=full), coupling=0.0 * system.coupling
    )
    assert stability(out).reason.endswith("in L.lateraloccipital")


@pytest.mark.parametrize("factor", [1.0, 2.0, 3.0, 4.0, 6.0])
def test_given_response_changes_nothing(factor: float) -> None:
    state = stronger(healthy().state, factor)
    alone, given = (
        stability(state, locate=False),
        stability(state, respond(state.linear, COARSE), locate=False),
    )
    assert alone.unstable_modes == given.unstable_modes
    assert alone.stable == (factor < 2.0)


def test_closed_loop_is_what_spectra_solve() -> None:
    system = healthy().state.linear
    response = respond(system, COARSE)
    closed = closed_loop(system, angular(COARSE))
    np.testing.assert_allclose(closed.local.det, response.local.det, rtol=1e-12)
    det = np.exp(response.log_det)
    np.testing.assert_allclose(np.linalg.det(closed.core), det[:, 0], rtol=1e-8)
    np.testing.assert_allclose(np.exp(closed.log_det_loops), det[:, 1:], rtol=1e-9)


def test_a_mode_that_is_not_found_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synsys.brain.stability.ATTEMPTS", 0)
    result = stability(scalar(-1.05, 1.0))
    assert result.unstable_modes == 1
    assert np.isnan(result.growth)
    assert result.reason == "unstable (1 growing mode, mode not located)"


def test_no_state_of_rest_is_not_called_stable() -> None:
    state = healthy(PAIRED).state
    lost = replace(state, point=replace(state.point, converged=False, residual=3.0))
    result = stability(lost)
    assert not result.stable
    assert result.unstable_modes == -1
    assert "no state of rest" in result.reason
