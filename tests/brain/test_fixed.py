"""States of rest are where nothing moves."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import PAIRED, healthy

from synsys.brain.fixed import arriving, fixed_point, rest
from synsys.circuit.drift import STATE, drift, inverse_firing
from synsys.core.perturbation import Perturbation

NAMES = (
    "nmda_conductance", "ampa_conductance", "gabaa_pv_conductance", "gabaa_sst_conductance",
    "kcnq2_conductance", "cacna1c_conductance", "glutamate_release", "gaba_release",
    "long_range_synaptic_weight", "na_conductance",
)  # fmt: skip


def still(state) -> float:
    """Largest rate of change of anything, per its own time constant."""
    p, point = state.parameters, state.point
    wiring = state.healthy.model.wiring
    u = arriving(point.x, wiring, state.coupling)
    np.testing.assert_allclose(u, point.u, rtol=1e-9, atol=1e-12)
    f = drift(point.x, p, u)
    tau = np.stack([p.tau, p.tau_fast, p.tau_slow, p.tau_m, p.tau_erg, p.tau_ca, p.tau_ht, p.tau_h], -2)
    return float(np.abs(f * tau).max())


def test_healthy_state_is_at_rest_in_every_variable() -> None:
    assert still(healthy().state) < 1e-9
    assert healthy().state.point.residual < 1e-12


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    factor=st.floats(0.7, 1.3),
    where=st.sampled_from([None, "L.superiorfrontal", "thalamus", "striatum"]),
)
def test_perturbed_states_are_at_rest(name: str, factor: float, where: str | None) -> None:
    state = healthy().perturbed([Perturbation(name, factor, where=where)])
    if state.point.converged:
        assert still(state) < 1e-7
        assert state.point.residual < 1e-9


def test_the_state_is_found_from_afar() -> None:
    state = healthy().state
    rng = np.random.default_rng(0)
    for _ in range(5):
        v = state.point.x[:, 0] + rng.normal(0, 1.5, state.point.x[:, 0].shape)
        point = fixed_point(state.parameters, state.healthy.model.wiring, state.coupling, v)
        assert point.converged
        np.testing.assert_allclose(point.x, state.point.x, atol=1e-6)


def test_without_coupling_each_region_rests_by_itself() -> None:
    state = healthy(PAIRED).state
    wiring, none = state.healthy.model.wiring, 0.0 * state.coupling
    point = fixed_point(state.parameters, wiring, none, state.point.x[:, 0])
    assert point.converged
    changed = state.parameters.b_ampa.copy()
    changed[0] *= 1.1
    other = fixed_point(replace(state.parameters, b_ampa=changed), wiring, none, state.point.x[:, 0])
    np.testing.assert_allclose(other.x[1:], point.x[1:], atol=1e-9)
    assert np.abs(other.x[0] - point.x[0]).max() > 1e-3


def test_with_coupling_a_change_in_one_region_reaches_the_others() -> None:
    state = healthy(PAIRED).perturbed([Perturbation("ampa_conductance", 1.2, where="L.superiorfrontal")])
    moved = np.abs(state.point.x - state.healthy.state.point.x)[:, 0].max(1)
    assert (moved[(state.healthy.model.wiring.nodes.region >= 0).to_numpy()] > 1e-6).all()


def test_small_changes_move_the_state_as_its_linear_response_says() -> None:
    healthy_state = healthy(PAIRED).state
    p, wiring = healthy_state.parameters, healthy_state.healthy.model.wiring
    v = healthy_state.point.x[:, 0]
    h = 1e-4
    up, down = (
        fixed_point(replace(p, b_ampa=p.b_ampa * (1 + s * h)), wiring, healthy_state.coupling, v).x[:, 0] - v
        for s in (1, -1)
    )
    np.testing.assert_allclose(up, -down, rtol=0.05, atol=1e-8)


def test_calcium_at_rest_balances_its_entry() -> None:
    state = healthy(PAIRED).state
    x, residual = rest(state.point.x[:, 0] + 2.0, state.parameters, state.point.u)
    assert np.abs(drift(x, state.parameters, state.point.u)[:, STATE.index("c")]).max() < 1e-12
    assert np.abs(residual).max() > 0.1


def test_no_state_of_rest_is_said() -> None:
    state = healthy(PAIRED).state
    wiring, far = state.healthy.model.wiring, state.point.x[:, 0] + 3
    point = fixed_point(state.parameters, wiring, state.coupling, far, most=1)
    assert not point.converged
    assert point.residual > 1e-3


def test_rates_are_those_of_the_table() -> None:
    state = healthy().state
    p = state.parameters
    np.testing.assert_allclose(state.rates, 1e3 * p.rate, rtol=1e-12)
    np.testing.assert_allclose(state.point.x[:, 0], inverse_firing(p.rate, p), rtol=1e-12)
    assert state.rates[:4, 0] == pytest.approx(4.0)
