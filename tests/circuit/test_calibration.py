"""Rhythms come from their mechanisms, and calibrated members reach the facts written beside them."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synsys.circuit.calibration import GROUPS, ensemble, member, members
from synsys.circuit.templates import prior, with_background

FEW = 3


@pytest.fixture(scope="module")
def calibrate(repository: Path):
    """``tools/pair.py``, what calibration holds against the facts."""
    spec = importlib.util.spec_from_file_location("pair", repository / "tools" / "pair.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def facts(calibrate, group: str) -> dict[str, tuple[float, float]]:
    return calibrate.FACTS if group == "cortex" else calibrate.HIPPOCAMPUS_FACTS


@pytest.mark.parametrize("group", GROUPS)
def test_members_reach_what_is_written_beside_them(calibrate, group: str) -> None:
    table, pair = ensemble(group), calibrate.Pair(group)
    z = table[pair.keys].to_numpy()[:FEW]
    reached = pair.facts(z)
    for name in facts(calibrate, group):
        if name in table:
            tolerance = 0.6 if name.endswith("frequency") else 0.05 + 0.02 * np.abs(reached[name])
            assert np.abs(table[name].to_numpy()[:FEW] - reached[name]).max() < np.max(tolerance), name


def test_members_cycle_through_shorter_groups() -> None:
    assert members() == len(ensemble("cortex")) > 0
    assert set(member(0)) <= set(prior())
    assert member(0) == member(0 + len(ensemble("cortex")) * len(ensemble("hippocampus")))


def test_alpha_needs_the_thalamus(calibrate) -> None:
    pair = calibrate.Pair("cortex")
    z = ensemble("cortex")[pair.keys].to_numpy()[:FEW]
    reached = pair.facts(z)
    assert ((reached["alpha_frequency"] > 8) & (reached["alpha_frequency"] < 13)).all()
    assert (reached["alpha_prominence"] > reached["alpha_alone"] + 0.05).all()


def test_theta_of_the_hippocampus_needs_its_sst_cells(calibrate) -> None:
    pair = calibrate.Pair("hippocampus")
    z = ensemble("hippocampus")[pair.keys].to_numpy()[:FEW]
    reached = pair.facts(z)
    assert ((reached["theta_frequency"] > 4) & (reached["theta_frequency"] < 8)).all()
    assert (reached["theta_prominence"] > reached["theta_without_sst"] + 0.1).all()


def column(calibrate, tau: float = 1.0, pv: float = 1.0):
    """Spectrum of a lone cortical column at prior medians: its own feedback, no loop through the brain."""
    pair = calibrate.Pair("cortex")
    p, u, scale, _ = pair.build(np.zeros((1, len(pair.keys))), tau)
    g = p.g_fast.copy()
    g[:, 0, :, 1] *= pv
    p, _ = with_background(replace(p, g_fast=g), u)
    return pair.spectra(p, u, 0.0 * scale)


def test_gamma_of_a_cortical_column_slows_with_the_gaba_decay(calibrate) -> None:
    peaks = [calibrate.prominence(column(calibrate, tau)[0], 25, 60) for tau in (0.7, 1.0, 1.5)]
    frequency, height = (np.array(x)[:, 0] for x in zip(*peaks, strict=True))
    assert (height > 0.1).all()
    assert (np.diff(frequency) < -0.5).all()
    assert 30 < frequency[1] < 50


def test_gamma_of_a_cortical_column_vanishes_without_pv_inhibition(calibrate) -> None:
    power, _, jac, _ = column(calibrate, pv=1e-6)
    assert calibrate.prominence(power, 25, 60)[1][0] < 0.02
    eig = np.linalg.eigvals(jac.full[0])
    gamma = eig[np.abs(np.abs(eig.imag) / 2e-3 / np.pi - 40) < 15]
    assert (-gamma.real > 0.5 * np.abs(gamma)).all()  # no resonance left there
