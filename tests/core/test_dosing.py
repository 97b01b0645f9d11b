"""One-compartment kinetics against closed forms, quadrature and an ODE solver."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from synsys.core.dosing import Dosing, absorption_rate, ec50_from, occupancy, response
from synsys.core.errors import UserError

rates = st.floats(0.01, 100.0)


@settings(max_examples=60, deadline=None)
@given(ka=rates, ke=rates, t=st.floats(0.0, 30.0))
def test_an_absorbed_dose_follows_batemans_function(ka, ke, t):
    """C = ka (exp(-ke t) - exp(-ka t)) / (ka - ke), where the closed form is well conditioned."""
    if abs(ka - ke) > 0.05 * ke:
        closed = ka * (np.exp(-ke * t) - np.exp(-ka * t)) / (ka - ke)
        assert response(t, ke, ka) == pytest.approx(closed, rel=1e-8, abs=1e-14)


@pytest.mark.parametrize("gap", [0.0, 1e-15, 1e-12, 1e-8, 1e-4])
def test_equal_rates_are_no_special_case(gap):
    """With ka = ke = k the dose follows k t exp(-k t); near it, that plus a term of the order of the gap."""
    t = np.linspace(0, 20, 50)
    assert response(t, 0.5, 0.5 * (1 + gap)) == pytest.approx(
        0.5 * t * np.exp(-0.5 * t), rel=20 * gap + 1e-13, abs=1e-14
    )


@pytest.mark.parametrize("gap", [0.0, 1e-9, 1e-3, 0.3])
def test_an_effect_site_with_all_rates_alike_follows_the_gamma_law(gap):
    """Three equal steps: the site holds k^2 t^2 exp(-k t) / 2; else the partial fractions of three rates."""
    t = np.linspace(0.01, 15, 40)
    ka, ke, kq = 0.7, 0.7 * (1 + gap), 0.7 * (1 + 2 * gap)
    found = response(t, ke, ka, effect=kq)
    if gap == 0.3:
        closed = ka * kq * (
            np.exp(-ka * t) / ((ke - ka) * (kq - ka))
            + np.exp(-ke * t) / ((ka - ke) * (kq - ke))
            + np.exp(-kq * t) / ((ka - kq) * (ke - kq))
        )  # fmt: skip
        assert found == pytest.approx(closed, rel=1e-10)
    else:
        assert found == pytest.approx(0.49 * t**2 * np.exp(-0.7 * t) / 2, rel=30 * gap + 1e-12)


def test_an_instantaneous_step_is_the_limit_of_a_fast_one():
    t = np.linspace(0.5, 10, 20)
    bolus = response(t, 0.3)
    assert bolus == pytest.approx(np.exp(-0.3 * t), rel=1e-14)
    assert response(t, 0.3, absorption=1e9) == pytest.approx(bolus, rel=1e-8)
    assert response(t, 0.3, infusion=1e-7) == pytest.approx(bolus, rel=1e-6)
    assert response(t, 0.3, effect=1e9) == pytest.approx(bolus, rel=1e-8)


@pytest.mark.parametrize(
    "way",
    [
        {}, {"absorption": 4.0}, {"absorption": 0.2}, {"infusion": 0.5},
        {"absorption": 4.0, "effect": 0.9}, {"infusion": 0.5, "effect": 3.0},
    ],
    ids=str,
)  # fmt: skip
def test_area_under_the_curve_is_dose_over_clearance(way):
    """Mass balance: whatever the way in, and with or without an effect site, the area is 1 / ke."""
    area, _ = quad(lambda t: float(response(t, 0.4, **way)), 0, 250, points=[0.5, 2, 10, 50], limit=200)
    assert area == pytest.approx(1 / 0.4, rel=1e-9)


def test_superposed_doses_agree_with_the_differential_equations():
    """Gut, blood, effect site integrated step by step through three unequal doses."""
    ka, ke, kq = 3.0, 0.8, 2.0
    dosing = Dosing((0.0, 0.7, 2.5), (1.0, 0.5, 2.0), elimination=ke, absorption=ka, effect=kq)
    y, ends = np.zeros(3), (0.7, 2.5, 4.0)
    for begin, end, amount in zip(dosing.times, ends, dosing.amounts, strict=True):
        y[0] += amount
        run = solve_ivp(
            lambda t, y: [-ka * y[0], ka * y[0] - ke * y[1], kq * (y[1] - y[2])],
            (begin, end), y, rtol=1e-11, atol=1e-13,
        )  # fmt: skip
        y = run.y[:, -1]
        assert dosing.concentration(end, left=True) == pytest.approx(y[2], rel=1e-8)


def test_daily_boluses_settle_on_the_geometric_series():
    """Just before dose n: sum of q^i, i = 1 to n, with q = exp(-ke); in the limit q / (1 - q)."""
    ke, q = 0.5, np.exp(-0.5)
    dosing = Dosing(tuple(map(float, range(200))), (1.0,) * 200, elimination=ke)
    for n in (1, 5, 150):
        assert dosing.concentration(float(n), left=True) == pytest.approx(q * (1 - q**n) / (1 - q), rel=1e-13)
    assert dosing.concentration(199.0) == pytest.approx(1 / (1 - q), rel=1e-13)


def test_washout_halves_every_half_life_once_absorbed():
    half_life = 1.25
    dosing = Dosing(tuple(map(float, range(30))), (1.0,) * 30, np.log(2) / half_life, absorption=24.0)
    after = 32.0 + half_life * np.arange(5)
    assert dosing.concentration(after[1:]) == pytest.approx(dosing.concentration(after[:-1]) / 2, rel=1e-10)


def test_old_doses_may_be_forgotten_without_a_trace():
    """A thousand days of doses, of which only those within 45 time constants are summed."""
    times = tuple(map(float, range(1000)))
    dosing = Dosing(times, (1.0,) * 1000, elimination=0.9, absorption=5.0, infusion=0.0)
    whole = sum(response(999.4 - np.array(times), 0.9, 5.0))
    assert dosing.concentration(999.4) == pytest.approx(float(whole), rel=1e-14)


def test_both_sides_of_a_dose_at_once():
    dosing = Dosing((1.0,), (2.0,), elimination=1.0)
    assert dosing.concentration(1.0) == 2.0
    assert dosing.concentration(1.0, left=True) == 0.0
    assert dosing.concentration(np.array([[0.5, 1.0], [0.0, -3.0]])).tolist() == [[0.0, 2.0], [0.0, 0.0]]


def test_half_of_the_target_is_held_at_the_ec50_whatever_the_slope():
    for hill in (0.5, 1.0, 3.0):
        assert occupancy(2.0, 2.0, hill) == 0.5
        assert ec50_from(7.0, float(occupancy(7.0, 3.0, hill)), hill) == pytest.approx(3.0, rel=1e-12)
    assert occupancy(0.0, 1.0) == 0.0
    assert occupancy(1e6, 1.0) == pytest.approx(1.0, abs=2e-6)


@pytest.mark.parametrize("share", [1e-3, 0.1, 0.5, 0.9, 0.999])
def test_absorption_puts_the_peak_where_it_was_measured(share):
    peak = share / 0.3
    ka = absorption_rate(peak, 0.3)
    around = response(peak + np.array([-1e-3, 0.0, 1e-3]) * peak, 0.3, ka)
    assert around.argmax() == 1
    assert np.log(ka / 0.3) / (ka - 0.3) == pytest.approx(peak, rel=1e-6)


def test_a_peak_later_than_the_time_constant_is_refused():
    with pytest.raises(UserError, match="does not fit"):
        absorption_rate(5.0, 0.3)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"times": ()}, "one each"),
        ({"times": (2.0, 1.0)}, "ascending"),
        ({"amounts": (1.0, -1.0)}, ">= 0"),
        ({"elimination": 0.0}, "elimination"),
        ({"infusion": 0.1, "absorption": 2.0}, "either infused or absorbed"),
        ({"ec50": 0.0}, "must be > 0"),
        ({"infusion": float("nan")}, "infusion"),
    ],
)
def test_doses_without_meaning_are_refused(change, text):
    given = {"times": (0.0, 1.0), "amounts": (1.0, 1.0), "elimination": 1.0}
    with pytest.raises(UserError, match=text):
        Dosing(**given | change)
