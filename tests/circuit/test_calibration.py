"""Rhythms come from their mechanisms, and calibrated members reach the facts written beside them."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.solution import Grid, solve
from synsys.brain.state import HealthyBrain
from synsys.circuit.calibration import GROUPS, ensemble, member, members
from synsys.circuit.templates import prior, with_background
from synsys.data.embedded import load_embedded
from synsys.knowledge.mechanisms import maps

FEW = 3


@pytest.fixture(scope="module")
def calibrate(repository: Path):
    """``tools/pair.py``, what calibration holds against the facts."""
    sys.path.insert(0, str(repository / "tools"))
    try:
        import pair
    finally:
        sys.path.remove(str(repository / "tools"))
    return pair


def facts(calibrate, group: str) -> dict[str, tuple[float, float]]:
    module = sys.modules["facts"]
    return module.FACTS if group == "cortex" else module.HIPPOCAMPUS_FACTS


@pytest.mark.parametrize("group", GROUPS)
def test_members_reach_what_is_written_beside_them(calibrate, group: str) -> None:
    table, pair = ensemble(group), calibrate.Pair(group)
    z = table[pair.keys].to_numpy()[:FEW]
    reached = pair.facts(z)
    for name in facts(calibrate, group):
        if name in table:
            tolerance = 0.004 + 0.004 * np.abs(reached[name])  # factors are written with four decimals
            assert (np.abs(table[name].to_numpy()[:FEW] - reached[name]) < tolerance).all(), name


def test_members_are_different_brains() -> None:
    for group in GROUPS:
        table = ensemble(group)
        factors = table[[c for c in table if ":" in c]].to_numpy()
        apart = np.abs(factors[:, None] - factors).max(-1)[np.triu_indices(len(table), 1)]
        if group == "cortex":
            assert apart.min() > 0.01
        assert np.median(apart) > 0.5


def test_members_cycle_through_shorter_groups() -> None:
    assert members() == len(ensemble("cortex")) > 0
    assert set(member(0)) <= set(prior())
    assert member(0) == member(0 + len(ensemble("cortex")) * len(ensemble("hippocampus")))


def test_alpha_needs_the_thalamus(calibrate) -> None:
    pair = calibrate.Pair("cortex")
    z = ensemble("cortex")[pair.keys].to_numpy()[:FEW]
    reached = pair.facts(z)
    assert ((reached["alpha_frequency"] > 8) & (reached["alpha_frequency"] < 13)).all()
    assert (reached["alpha_prominence"] > 0.1).all()
    assert (reached["alpha_alone"] <= 0.05).all()


def test_theta_of_the_hippocampus_needs_its_sst_cells(calibrate) -> None:
    pair = calibrate.Pair("hippocampus")
    z = ensemble("hippocampus")[pair.keys].to_numpy()[:FEW]
    reached = pair.facts(z)
    assert ((reached["theta_frequency"] > 4) & (reached["theta_frequency"] < 8)).all()
    assert (reached["theta_prominence"] > reached["theta_without_sst"] + 0.1).all()


def test_pair_has_the_spectrum_of_the_embedded_brain_with_regions_alike(calibrate) -> None:
    pair = calibrate.Pair("cortex")
    z = ensemble("cortex")[pair.keys].to_numpy()[:1]
    p, u, scale, _ = pair.build(z)
    got = pair.spectra(p, u, scale)[:, 0]
    model = BrainModel(load_embedded())
    flat = Draw(0, beta={(m.multiplier, m.map, m.cell): 0.0 for m in maps()})
    frequency = sys.modules["facts"].FREQUENCY
    paired = np.r_[4:9, 10, 12, 13, 18, 22, 26, 30, 34, 38, 42, 46, 60]
    grid = Grid(model, np.union1d(frequency, paired))
    psd = solve(HealthyBrain(model, flat).state, grid).psd
    cortex = (model.brain.regions.structure == "cortex").to_numpy()
    want = np.exp(np.log(psd[np.isin(grid.frequency, frequency)][:, cortex]).mean(1))
    assert np.abs(np.log(got / want)).max() < 0.15  # other structures and hub rebalancing are left out
    assert np.abs(np.log(got / want)).mean() < 0.06


def column(calibrate, tau: float = 1.0, pv: float = 1.0):
    """Pair at prior medians with another decay or strength of PV synapses."""
    pair = calibrate.Pair("cortex")
    p, u, scale, _ = pair.build(np.zeros((1, len(pair.keys))), tau)
    g = p.g_fast.copy()
    g[:, 0, :, 1] *= pv
    p, _ = with_background(replace(p, g_fast=g), u, np.array(False))
    return pair, p, u, scale


def test_gamma_of_a_cortical_column_slows_with_the_gaba_decay(calibrate) -> None:
    frequency, height = [], []
    for tau in (0.7, 1.0, 1.5):
        pair, *state = column(calibrate, tau)
        f, h = pair.gamma(*state)
        frequency.append(f[0])
        height.append(h[0])
    assert (np.array(height) > 0.1).all()
    assert (np.diff(frequency) < -0.5).all()
    assert 30 < frequency[1] < 50


def test_gamma_of_a_cortical_column_vanishes_without_pv_inhibition(calibrate) -> None:
    pair, p, u, scale = column(calibrate, pv=1e-6)
    assert pair.gamma(p, u, scale)[1][0] < 0.02
    eig = np.linalg.eigvals(pair.static(p, u, scale)[3].full[0])
    gamma = eig[np.abs(np.abs(eig.imag) / 2e-3 / np.pi - 40) < 15]
    assert (-gamma.real > 0.5 * np.abs(gamma)).all()  # no resonance left there
