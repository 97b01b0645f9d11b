"""Tones follow their nuclei: exactly health in health, the right way under perturbations, and settled."""

import numpy as np
import pytest
from oracle import healthy, model

from synsys.brain.draws import Draw, draws
from synsys.brain.modulation import Modulation
from synsys.brain.state import HealthyBrain, State
from synsys.brain.tone import at_rest
from synsys.circuit.drift import firing
from synsys.circuit.templates import cells
from synsys.core.perturbation import Perturbation
from synsys.knowledge.mechanisms import TONES, projections

BRAIN = healthy()
NODES = BRAIN.wiring.nodes
STEM = int(np.flatnonzero(NODES.template == "brainstem")[0])
CELLS = cells()["brainstem"]
TONE = {"VTA": "dopamine_tone", "LC": "noradrenaline_tone", "DRN": "serotonin_level"}
RECEPTOR = {"VTA": "d2_density", "DRN": "ht1a_signalling"}


def own_rate(state: State) -> np.ndarray:
    """Rates of the nuclei with long-range input as in health, relative to health."""
    base, at = state.healthy.state, [STEM]
    p, u = state.parameters.take(at), base.point.u[:, at] * (state.coupling / base.coupling)[:, at]
    v, settled = at_rest(p, u, base.point.x[at, 0])
    assert settled
    return (1e3 * firing(v, p) / base.rates[STEM])[0]


@pytest.mark.parametrize("cell", CELLS)
def test_more_excitation_of_a_nucleus_raises_its_tone_in_every_target_and_nowhere_else(cell: str) -> None:
    state = BRAIN.perturbed([Perturbation("excitatory_drive", 1.2, cell=cell)])
    released = state.tones[TONE[cell]]
    reached = {r.to_template for r in projections() if r.scope == "diffuse" and r.from_cell == cell}
    here = NODES.template.isin(reached - {"brainstem"}).to_numpy()
    assert (released[here] > 1).all()
    assert np.ptp(released[here]) == 0  # each with strength 1
    others = here | (NODES.template == "brainstem").to_numpy()
    np.testing.assert_array_equal(released[~others], 1.0)
    for name in set(TONE.values()) - {TONE[cell]}:
        np.testing.assert_array_equal(state.tones[name], 1.0)


@pytest.mark.parametrize(
    "change",
    [
        Perturbation("nmda_conductance", 0.7),
        Perturbation("d2_density", 0.6),
        Perturbation("ht1a_signalling", 1.5),
        Perturbation("dopamine_tone", 2.0),
        Perturbation("na_conductance", 1.1),
    ],
    ids=str,
)
def test_tones_and_rates_agree(change: Perturbation) -> None:
    """The tone is the relative rate to the power of the strength, times what the user set."""
    state = BRAIN.perturbed([change], phase="acute")
    rate, cortex = own_rate(state), int(np.flatnonzero(NODES.template == "cortex")[0])
    for cell, name in TONE.items():
        given = change.value if change.name == name else 1.0
        assert state.tones[name][cortex, 0] / given == pytest.approx(rate[CELLS.index(cell)], rel=1e-6)


@pytest.mark.parametrize("cell", RECEPTOR)
def test_autoreceptors_hold_their_nucleus_back(cell: str) -> None:
    """Lacey et al. 1987 (D2), Sprouse & Aghajanian 1987 (5-HT1A): fewer free the nucleus, more quieten it."""
    cortex = (NODES.template == "cortex").to_numpy()
    for factor in (0.5, 1.5):
        change = Perturbation(RECEPTOR[cell], factor, where="brainstem")
        released = BRAIN.perturbed([change]).tones[TONE[cell]][cortex]
        assert ((released - 1) * (1 - factor) > 0).all()


def test_autoreceptors_work_against_a_change_of_tone() -> None:
    cortex = int(np.flatnonzero(NODES.template == "cortex")[0])
    for name in ("dopamine_tone", "serotonin_level"):
        assert 1.0 < BRAIN.perturbed([Perturbation(name, 2.0)]).tones[name][cortex, 0] < 2.0
        assert 0.5 < BRAIN.perturbed([Perturbation(name, 0.5)]).tones[name][cortex, 0] < 1.0


def test_without_feedback_tones_stay_and_autoreceptors_do_nothing_beyond_the_nucleus() -> None:
    open_ = HealthyBrain(model(), Draw(None), feedback=False)
    state = open_.perturbed([Perturbation("d2_density", 0.5, where="brainstem")])
    for name in TONE.values():
        np.testing.assert_array_equal(state.tones[name], 1.0)
    other = np.arange(len(NODES)) != STEM
    np.testing.assert_allclose(state.rates[other], BRAIN.state.rates[other], rtol=1e-9)
    closed = BRAIN.perturbed([Perturbation("d2_density", 0.5, where="brainstem")])
    assert np.abs(closed.rates[other] / BRAIN.state.rates[other] - 1).max() > 1e-4


def test_what_is_wired_is_told_without_the_feedback() -> None:
    """Origin is by the tables alone: a tone that only follows a rate does not count as wired."""
    state = BRAIN.perturbed([Perturbation("na_conductance", 0.9)])
    assert state.modulation is not None
    assert (state.parameters.g_sk != BRAIN.state.parameters.g_sk).any()  # by noradrenaline
    assert state.modulation.touched == {"na_conductance"}
    both = BRAIN.perturbed([Perturbation("na_conductance", 0.9), Perturbation("bdnf", 0.8)])
    assert both.modulation is not None
    assert {"trkb_activity", "glutamate_release"} <= both.modulation.touched


def test_the_power_of_a_diffuse_projection_is_its_strength() -> None:
    key = "brainstem.LC->thalamus.all"
    twice = HealthyBrain(model(), Draw(None, {key: np.log(2.0)}))
    state = twice.perturbed([Perturbation("excitatory_drive", 1.2, cell="LC")])
    released, thalamus = state.tones["noradrenaline_tone"], (NODES.template == "thalamus").to_numpy()
    cortex = (NODES.template == "cortex").to_numpy()
    np.testing.assert_allclose(released[thalamus], released[cortex].flat[0] ** 2)


def test_a_tone_alone_changes_no_bit_in_health() -> None:
    for draw in draws(3):
        brain = HealthyBrain(model(), draw)
        state = brain.with_modulation(Modulation(brain.model.places, brain.densities))
        np.testing.assert_array_equal(state.point.x, brain.state.point.x)
        np.testing.assert_array_equal(state.noise, brain.state.noise)


def test_excitation_excites_the_nuclei() -> None:
    """In some draws the SK current of dopamine cells, opened by the calcium of NMDA receptors, outdoes it."""
    change = []
    for draw in draws(16):
        brain = HealthyBrain(model(), draw, feedback=False)
        for i, cell in enumerate(CELLS):
            more = brain.perturbed([Perturbation("excitatory_drive", 1.1, cell=cell)])
            change.append(np.log(more.rates[STEM, i] / brain.state.rates[STEM, i]))
    by_cell = np.array(change).reshape(-1, len(CELLS))
    assert (np.median(by_cell, 0) > 0).all()
    assert (by_cell > -0.01).all()


def test_every_transmitter_of_a_diffuse_projection_has_a_tone() -> None:
    assert {row.transmitter for row in projections() if row.scope == "diffuse"} == set(TONES)
