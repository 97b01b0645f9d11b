"""The population equation: limits, known constants, and numbers that stay finite."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.circuit import drift as d
from synsys.circuit.templates import cells, healthy, with_background

NAMES = list(cells())


def rested(names: list[str]) -> tuple[d.Parameters, np.ndarray, np.ndarray]:
    """Parameters with background, healthy state and arriving conductance (none)."""
    p = healthy(names)
    u = np.zeros((3, len(names), d.SLOTS))
    p, _ = with_background(p, u)
    return p, d.steady_gates(d.inverse_firing(p.rate, p), p), u


P, X, U = rested(NAMES)
CONDUCTANCES = [f.name for f in fields(d.Parameters) if f.name.startswith(("g_", "b_"))]


def test_magnesium_block_is_that_of_jahr_and_stevens() -> None:
    # Jahr & Stevens 1990, 1 mM Mg: half of the channels are free where exp(-0.062 V) = 3.57, at -20.5 mV.
    assert d.block(-20.53) == pytest.approx(0.5, abs=1e-3)
    assert d.block(-70.0) == pytest.approx(0.0445, abs=1e-3)


def test_firing_is_a_softplus() -> None:
    v = np.linspace(-90, 0, 181)[:, None, None] + 0 * P.theta
    r = d.firing(v, P)
    assert (r > 0).all()
    assert (np.diff(r, axis=0) > 0).all()
    np.testing.assert_allclose(d.firing(P.theta, P), P.gain * np.log(2))
    np.testing.assert_allclose(d.firing(P.theta + 60, P), P.gain * 60 / P.sigma, rtol=1e-5)
    np.testing.assert_allclose(d.inverse_firing(d.firing(v, P), P), v, atol=1e-5)


def test_synaptic_drive_is_one_at_the_healthy_rate_and_nmda_saturates() -> None:
    fast, slow = d.drive(P.rate, P)
    np.testing.assert_allclose(fast, 1.0)
    np.testing.assert_allclose(slow, 1.0)
    more = np.stack([d.drive(k * P.rate, P)[1] for k in (1.0, 2.0, 3.0, 1e6)])
    exc = P.glutamate > 0
    assert (np.diff(more[:3], axis=0) > 0).all()
    assert (np.diff(more[:3], 2, axis=0)[:, exc] < 0).all()
    limit = (1 + P.saturation * P.rate) / (P.saturation * P.rate + (P.saturation == 0))
    np.testing.assert_allclose(more[3][exc], limit[exc], rtol=1e-3)
    np.testing.assert_allclose(d.drive(2 * P.rate, replace(P, release=0.5 * P.release))[0], 1.0)


def test_a_passive_membrane_decays_with_its_time_constant() -> None:
    zero = {name: 0.0 * getattr(P, name) for name in CONDUCTANCES}
    p = replace(P, **zero)
    x = X.copy()
    x[:, 0] = p.e_leak + 7.0
    np.testing.assert_allclose(d.drift(x, p)[:, 0], -7.0 / p.tau)


def test_reversal_potentials_are_where_currents_vanish() -> None:
    zero = {name: 0.0 * getattr(P, name) for name in CONDUCTANCES}
    for name, reversal in (("b_ampa", d.E_GLU), ("b_nmda", d.E_GLU), ("b_gaba", P.e_inh), ("g_cl", P.e_inh)):
        p = replace(P, **(zero | {name: np.ones_like(P.tau)}))
        x = X.copy()
        x[:, 0] = reversal
        np.testing.assert_allclose(d.drift(x, p)[:, 0] * p.tau, p.e_leak - reversal, atol=1e-12)


def test_gates_of_a_steady_state_are_at_rest() -> None:
    f = d.drift(X, P, U)
    for k, name in enumerate(d.STATE):
        if name != "c":
            assert np.abs(f[:, k]).max() < 1e-9, name
    assert np.abs(f[:, d.STATE.index("c")]).max() < 1e-9  # healthy calcium is 1 by definition


def test_sk_channels_are_half_open_at_their_half_calcium() -> None:
    np.testing.assert_allclose(d.sk_open(P.ca_half, P), 0.5)


@pytest.mark.parametrize(
    ("gate", "half"),
    [(d.m_inf, "m_half"), (d.ht_inf, "ht_half"), (d.h_inf, "h_half"), (d.cal_inf, "cal_half")],
)
def test_gates_are_half_open_at_their_half_potential(gate, half: str) -> None:
    np.testing.assert_allclose(gate(getattr(P, half), P), 0.5)


def test_signs_of_the_gates() -> None:
    v = np.full_like(P.tau, -60.0)
    for gate, sign in (
        (d.m_inf, 1),
        (d.erg_inf, 1),
        (d.erg_free, -1),
        (d.cal_inf, 1),
        (d.ht_inf, -1),
        (d.h_inf, -1),
    ):
        assert (sign * (gate(v + 1, P) - gate(v, P)) > 0).all()


@settings(max_examples=40, deadline=None)
@given(
    factors=st.lists(st.floats(0.5, 1.5), min_size=len(CONDUCTANCES), max_size=len(CONDUCTANCES)),
    v=st.floats(-95.0, 40.0),
    gate=st.floats(0.0, 4.0),
)
def test_drift_stays_finite(factors: list[float], v: float, gate: float) -> None:
    p = replace(P, **{name: f * getattr(P, name) for name, f in zip(CONDUCTANCES, factors, strict=True)})
    x = d.steady_gates(np.full_like(P.tau, v), p)
    x[:, 1:3] *= gate
    assert np.isfinite(d.drift(x, p, U)).all()


def test_leading_axes_are_independent_copies() -> None:
    stack = np.stack([X, X + 0.1])
    np.testing.assert_array_equal(d.drift(stack, P, U)[1], d.drift(X + 0.1, P, U))


def test_stimulus_is_a_current_in_mv() -> None:
    moved = d.drift(X, P, U, stimulus=2.0) - d.drift(X, P, U)
    np.testing.assert_allclose(moved[:, 0], 2.0 / P.tau)
    assert not moved[:, 1:].any()
