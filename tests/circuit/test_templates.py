"""Healthy numbers: the tables reach the equation, and the background holds the healthy rates."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.circuit import drift as d
from synsys.circuit.calibration import member, members
from synsys.circuit.drift import SLOTS, STATE, block, drift, firing, inverse_firing, steady_gates
from synsys.circuit.templates import cells, healthy, prior, slot, with_background
from synsys.knowledge.connections import connections
from synsys.knowledge.mechanisms import channels, synapses, templates

NAMES = list(cells())
PLAIN = healthy(NAMES)
QUIET = np.zeros((3, len(NAMES), SLOTS))


def present() -> np.ndarray:
    return np.array([[a < len(cells()[t]) for a in range(SLOTS)] for t in NAMES])


def test_cells_of_each_template() -> None:
    assert cells()["cortex"] == cells()["hippocampus"] == cells()["amygdala"] == ("E", "PV", "SST")
    assert cells()["thalamus"] == ("TC", "RE")
    assert set(cells()["striatum"]) == {"D1", "D2", "FSI"}
    assert set(cells()["pallidum"]) == {"GPe", "GPi", "STN"}
    assert slot("thalamus", "RE") == 1


@pytest.mark.parametrize("row", templates(), ids=lambda r: f"{r.template}.{r.cell}")
def test_template_numbers_reach_the_equation(row) -> None:
    at = NAMES.index(row.template), slot(row.template, row.cell)
    got = {f: getattr(PLAIN, f)[at] for f in ("tau", "e_leak", "theta", "sigma", "glutamate")}
    want = {
        "tau": row.tau_m, "e_leak": row.e_leak, "theta": row.threshold, "sigma": row.slope,
        "glutamate": float(row.transmitter == "glutamate"),
    }  # fmt: skip
    assert got == want
    assert PLAIN.rate[at] * 1e3 == pytest.approx(row.rate)
    assert row.rate_low <= row.rate <= row.rate_high
    decay = {s.id: s.tau_decay for s in synapses()}
    if row.transmitter == "glutamate":
        assert (PLAIN.tau_fast[at], PLAIN.tau_slow[at]) == (decay["AMPA"], decay["NMDA"])
    else:
        assert PLAIN.tau_fast[at] == decay.get(f"GABAA_{row.cell}", decay["GABAA"])
        assert PLAIN.tau_slow[at] == decay["GABAB"]


def test_healthy_cortex_is_that_of_the_literature() -> None:
    # Rates: E 3-4, PV 10-12, SST 6-8 Hz. Decay: AMPA 2, NMDA 80-100, GABA-A 5-7 (PV) and 20 (SST), GABA-B
    # 150-200 ms.
    i = NAMES.index("cortex")
    rates = 1e3 * PLAIN.rate[i]
    assert 3 <= rates[0] <= 4
    assert 10 <= rates[1] <= 12
    assert 6 <= rates[2] <= 8
    assert PLAIN.tau_fast[i, 0] == pytest.approx(2)
    assert 80 <= PLAIN.tau_slow[i, 0] <= 100
    assert 5 <= PLAIN.tau_fast[i, 1] <= 7
    assert PLAIN.tau_fast[i, 2] == pytest.approx(20)
    assert 150 <= PLAIN.tau_slow[i, 1] <= 200


@pytest.mark.parametrize(
    "row", [r for r in connections() if r.pre != "*"], ids=lambda r: f"{r.template}.{r.post}<-{r.pre}"
)
def test_connections_reach_the_equation(row) -> None:
    field = PLAIN.g_fast if row.receptor in ("ampa", "gabaa") else PLAIN.g_slow
    at = NAMES.index(row.template), slot(row.template, row.post), slot(row.template, row.pre)
    assert field[at] == row.conductance
    assert (PLAIN.glutamate[at[0], at[2]] == 1) == (row.receptor in ("ampa", "nmda"))


@pytest.mark.parametrize("row", channels(), ids=lambda r: r.id)
def test_open_conductance_of_a_channel_is_the_table_s_at_the_healthy_potential(row) -> None:
    at = NAMES.index(row.template), slot(row.template, row.cell)
    v, p = inverse_firing(PLAIN.rate, PLAIN), PLAIN
    open_ = {
        "I_M": p.g_m * d.m_inf(v, p),
        "I_SK": p.g_sk * d.sk_open(1.0, p),
        "I_ERG": p.g_erg * d.erg_inf(v, p) * d.erg_free(v, p),
        "I_CaL": p.g_cal * d.cal_inf(v, p),
        "I_T": p.g_cat * d.cat_inf(v, p) ** 2 * d.ht_inf(v, p),
        "I_h": p.g_h * d.h_inf(v, p),
    }[row.current]
    assert open_[at] == pytest.approx(row.conductance)


def test_a_member_multiplies_what_it_names_and_nothing_else() -> None:
    p = healthy(NAMES, {"cortex.E<-PV:gabaa": 1.5, "I_M:cortex.E": 0.5})
    i = NAMES.index("cortex")
    changed = {f for f in vars(p) if (getattr(p, f) != getattr(PLAIN, f)).any()}
    assert changed == {"g_fast", "g_m"}
    assert p.g_fast[i, 0, 1] == pytest.approx(1.5 * PLAIN.g_fast[i, 0, 1])
    assert p.g_m[i, 0] == pytest.approx(0.5 * PLAIN.g_m[i, 0])
    assert (p.g_fast != PLAIN.g_fast).sum() == (p.g_m != PLAIN.g_m).sum() == 1


def test_many_members_at_once_are_each_alone() -> None:
    factors = np.array([0.7, 1.0, 1.6])
    stacked = healthy(NAMES, {"cortex.E<-E:nmda": factors, "I_SK:cortex.E": factors[::-1]})
    for k in range(3):
        alone = healthy(NAMES, {"cortex.E<-E:nmda": factors[k], "I_SK:cortex.E": factors[::-1][k]})
        for f, value in vars(alone).items():
            np.testing.assert_array_equal(getattr(stacked, f)[k], value, err_msg=f)


def check_rest(p, u) -> None:
    """Healthy rates hold, calcium is 1, and no background is negative."""
    v = inverse_firing(p.rate, p)
    x = steady_gates(v, p)
    f = drift(x, p, u)
    assert np.abs(f[:, 0] * p.tau).max() < 1e-10
    assert np.abs(f[:, STATE.index("c")]).max() < 1e-12
    np.testing.assert_allclose(firing(v, p), p.rate)
    assert min(p.b_ampa.min(), p.b_nmda.min(), p.b_gaba.min()) >= 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.floats(0.0, 0.8), outside=st.floats(0.0, 0.4))
def test_background_holds_the_healthy_rates_and_is_never_negative(
    seed: int, spread: float, outside: float
) -> None:
    rng = np.random.default_rng(seed)
    factors = {key: float(np.exp(spread * rng.standard_normal())) for key in prior()}
    u = outside * rng.random(QUIET.shape) * present()
    p, _ = with_background(healthy(NAMES, factors), u)
    check_rest(p, u)


@pytest.mark.parametrize("k", range(0, members(), max(1, members() // 4)))
def test_members_hold_the_healthy_rates(k: int) -> None:
    factors = {name: np.exp(v) for name, v in member(k).items()}
    assert set(factors) <= set(prior())
    p, _ = with_background(healthy(NAMES, factors), QUIET)
    check_rest(p, QUIET)


def test_regions_with_other_calcium_channels_have_the_same_healthy_calcium() -> None:
    more = replace(PLAIN, g_cal=1.4 * PLAIN.g_cal)
    p, _ = with_background(more, QUIET)
    check_rest(p, QUIET)


def test_too_much_excitation_is_met_by_inhibition_and_listed() -> None:
    i = NAMES.index("cortex")
    u = QUIET.copy()
    u[0, i, 0] = 3.0
    p, moved = with_background(PLAIN, u)
    check_rest(p, u)
    assert moved[i].tolist() == [True, False, False]
    assert p.g_fast[i, 0, 1] > PLAIN.g_fast[i, 0, 1]
    assert p.g_fast[i, 0, 2] == PLAIN.g_fast[i, 0, 2]


def test_absent_populations_are_silent_and_reach_nobody() -> None:
    gone = ~present()
    assert gone.any()
    p, moved = with_background(PLAIN, QUIET)
    assert not moved[gone].any()
    assert (1e3 * p.rate[gone] < 0.01).all()
    for g in (p.g_fast, p.g_slow):
        assert not g.transpose(0, 2, 1)[gone].any()
        assert not g[gone].any()


def test_nmda_carries_the_declared_share_of_background_and_calcium() -> None:
    p, _ = with_background(PLAIN, QUIET)
    v = inverse_firing(p.rate, p)
    nmda = p.b_nmda * block(v)
    np.testing.assert_allclose(nmda / (nmda + p.b_ampa), 0.3)
    i_cal = p.g_cal * d.cal_inf(v, p) * (120.0 - v)
    np.testing.assert_allclose((p.ca_l * i_cal)[p.g_cal > 0], 0.5)
