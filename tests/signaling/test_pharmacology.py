"""Occupancy from dose: published thresholds, limits, and scans that give the affinity back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.core.dosing import occupancy
from synsys.core.errors import UserError
from synsys.knowledge.pharmacology import drug, drugs
from synsys.signaling.pharmacology import (
    displaced_binding,
    dose_for,
    ec50_of_scans,
    joint_occupancy,
    steady_occupancy,
    washout,
)

ACTIONS = [row for rows in drugs().values() for row in rows]


@pytest.mark.parametrize(("held", "plasma"), [(0.65, 0.93), (0.72, 1.29), (0.78, 1.77)])
def test_haloperidol_thresholds(held, plasma):
    """Response, prolactin and extrapyramidal signs above 65, 72 and 78 % of D2 (Kapur et al. 2000
    Am J Psychiatry 157:514), that is at these ng/mL for an ED50 of 0.5 ng/mL.
    """
    assert occupancy(plasma, 0.5) == pytest.approx(held, abs=0.001)


@pytest.mark.parametrize("row", ACTIONS, ids=lambda row: f"{row.drug}-{row.quantity}")
def test_the_dose_for_a_level_gives_the_level(row):
    dose = dose_for(row, 0.6, 10.0)
    assert steady_occupancy(row, dose, 10.0) == pytest.approx(0.6, rel=1e-9)
    assert dose_for(row, row.occupancy, row.after) == pytest.approx(row.dose, rel=1e-9)


def test_the_mean_steady_concentration_is_that_of_a_drip():
    """Average over a dosing interval = dose rate / clearance, whatever absorption does."""
    row = drug("escitalopram")[0]
    after = (np.arange(4800) + 0.5) * 24 / 4800
    mean = row.steady_concentration(after).mean()
    assert mean == pytest.approx(1 / (24 * row.elimination), rel=1e-6)


def test_accumulation_after_daily_doses():
    """Long after absorption, steady over single dose is 1 / (1 - 2^(-24 h / half-life))."""
    row = drug("haloperidol")[0]
    single = row.dosing([0.0], [row.dose]).concentration(23.9 / 24)
    ratio = float(row.steady_concentration(23.9) / single)
    assert ratio == pytest.approx(1 / (1 - 0.5 ** (24 / row.half_life)), rel=2e-3)


def test_washout_follows_the_half_life():
    """From level a to level b the concentration falls by odds(a) / odds(b), in that many half-lives."""
    row = drug("haloperidol")[0]
    t60, t30 = washout(row, 5.0, 0.6), washout(row, 5.0, 0.3)
    assert (t30 - t60) / row.half_life == pytest.approx(np.log2((0.6 / 0.4) / (0.3 / 0.7)), rel=1e-3)
    assert steady_occupancy(row, 5.0, t60) == pytest.approx(0.6, rel=1e-9)


def test_rivals_share_a_site():
    together = joint_occupancy(np.array([0.8, 0.5]))
    assert together == pytest.approx([4 / 6, 1 / 6])
    assert joint_occupancy(np.array([0.7, 0.0])) == pytest.approx([0.7, 0.0])
    nearly = joint_occupancy(np.full((5, 3), 0.99))
    assert (nearly.sum(axis=0) < 1).all()


@settings(max_examples=40, deadline=None)
@given(
    kd=st.floats(0.05, 50.0),
    doses=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=8),
    baseline=st.floats(0.5, 4.0),
)
def test_scans_give_the_affinity_back(kd, doses, baseline):
    """Displacement computed with a known Kd returns it, from any doses near it."""
    concentration = np.array(doses) * kd
    before = np.full(len(doses), baseline)
    after = displaced_binding(before, occupancy(concentration, kd))
    assert ec50_of_scans(concentration, before, after) == pytest.approx(kd, rel=1e-5)


def test_noisy_scans_give_the_affinity_within_their_noise():
    """Twelve scans with 5 % test-retest noise: the median of 50 studies is right to 3 %, each to 25 %."""
    rng = np.random.default_rng(4)
    concentration = np.geomspace(0.2, 8.0, 12)
    before = np.full(12, 2.5)
    clean = displaced_binding(before, occupancy(concentration, 0.5))
    found = [
        ec50_of_scans(concentration, before, clean * (1 + 0.05 * rng.standard_normal(12))) for _ in range(50)
    ]
    assert np.median(found) == pytest.approx(0.5, rel=0.03)
    assert np.abs(np.log(np.array(found) / 0.5)).max() < 0.25


def test_what_cannot_be_reached_is_said():
    row = drug("haloperidol")[0]
    with pytest.raises(UserError, match="between 0 and 1"):
        dose_for(row, 1.0, 12.0)
    with pytest.raises(UserError, match="never reach"):
        washout(row, 0.1, 0.9)
    with pytest.raises(UserError, match="one shape"):
        ec50_of_scans(np.ones(3), np.ones(2), np.ones(3))
    with pytest.raises(UserError, match="no displacement"):
        ec50_of_scans(np.ones(3), np.ones(3), np.full(3, 1.1))
