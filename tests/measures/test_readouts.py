"""Readouts recover what is planted and follow the currents, not the parameters."""

import re
from copy import copy

import numpy as np
import pytest

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.solution import BANDS, COARSE, FINE, PAIRS, Grid, solve
from synsys.brain.state import HealthyBrain
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.load import vocabulary
from synsys.measures.readouts import aperiodic_exponent, peak_frequency, readouts
from synsys.measures.systems import Atlas


@pytest.fixture(scope="module")
def healthy():
    model = BrainModel(load_embedded())
    grid = Grid(model, COARSE)
    brain = HealthyBrain(model, Draw(0))
    return brain, grid, Atlas(grid), solve(brain.state, grid)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_exponent_of_a_power_law_with_a_peak(exponent: float) -> None:
    f = FINE
    psd = f**-exponent * (1 + 3 * np.exp(-0.5 * ((f - 10) / 1.0) ** 2))
    assert aperiodic_exponent(f, psd) == pytest.approx(exponent, abs=0.05)


@pytest.mark.parametrize("planted", [34.0, 40.0, 52.0])
def test_peak_of_a_planted_gamma(planted: float) -> None:
    log_power = -np.log(FINE) + 1.5 * np.exp(-0.5 * ((FINE - planted) / 4.0) ** 2)
    assert peak_frequency(FINE, log_power, 30.0, 80.0) == pytest.approx(planted, abs=0.6)
    assert np.isnan(peak_frequency(FINE, -np.log(FINE) * 1.5, 30.0, 80.0))


@pytest.mark.parametrize("band", ["alpha", "gamma"])
def test_a_peak_is_sought_where_the_vocabulary_says(band: str, healthy) -> None:
    """A bump inside the band counts, one outside does not, however high."""
    _, grid, atlas, solution = healthy
    low, high = (float(x) for x in re.findall(r"\d+", vocabulary()[f"peak_{band}_frequency"].definition))
    assert (low, high) == BANDS[band]
    f = grid.frequency
    for planted, found in ((1.25 * low, True), (0.7 * low, False)):
        bump = 30 * np.exp(-0.5 * ((f - planted) / (0.06 * planted)) ** 2)
        planned = copy(solution)
        vars(planned)["psd"] = np.repeat((f**-1.5 * (1 + bump))[:, None], len(atlas.brain), 1)
        value = readouts(planned, atlas).get(f"peak_{band}_frequency", np.nan)
        assert (abs(value - planted) < 0.06 * planted) == found, planted


def test_both_grids_hold_the_frequencies_of_synchrony() -> None:
    wanted = {f for fs in PAIRS.values() for f in fs}
    assert wanted <= set(FINE)
    assert wanted <= set(COARSE)
    assert all(low < high for low, high in BANDS.values())


def test_every_readout_is_in_the_vocabulary_and_can_be_read(healthy) -> None:
    _, _, atlas, solution = healthy
    names = readouts(solution, atlas)
    assert set(names) <= set(vocabulary())
    assert all(vocabulary()[n].kind in ("readout", "both", "perturbation") for n in names)


def test_healthy_rates_are_those_of_the_templates(healthy) -> None:
    _, _, atlas, solution = healthy
    values = readouts(solution, atlas)
    assert values["pyramidal_activity"] == pytest.approx(4.0, abs=1e-6)
    assert values["pv_rate"] == pytest.approx(12.0, abs=1e-6)
    assert values["gpi_activity"] == pytest.approx(69.0, abs=1e-6)
    assert values["intracellular_calcium"] == pytest.approx(1.0, abs=1e-9)
    assert values["network_dysconnectivity"] == 0.0
    assert values["circuit_integrity"] == 1.0


def test_balance_is_read_from_currents_when_only_pv_number_changes(healthy) -> None:
    brain, grid, atlas, solution = healthy
    state = brain.perturbed([Perturbation("pv_interneuron_density", 0.9)])
    changed = readouts(solve(state, grid, solution.noise), atlas, solution)
    before = readouts(solution, atlas)
    assert changed["ei_ratio"] != pytest.approx(before["ei_ratio"], rel=1e-6)
    assert changed["network_dysconnectivity"] > 0


def test_nmda_cut_weakens_the_drive_of_pv_cells(healthy) -> None:
    brain, grid, atlas, solution = healthy
    state = brain.perturbed([Perturbation("nmda_conductance", 0.9, cell="PV")])
    changed = readouts(solve(state, grid, solution.noise), atlas, solution)
    assert changed["nmda_drive_to_pv"] < readouts(solution, atlas)["nmda_drive_to_pv"]
