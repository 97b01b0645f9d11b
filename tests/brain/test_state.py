"""Healthy is exact, every change arrives where it should, and causes stay apart."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import ALL_KINDS, healthy, model, part

from synsys.brain.draws import Draw, draws
from synsys.brain.model import BrainModel
from synsys.brain.modulation import Modulation
from synsys.brain.solution import BANDS, COARSE, Grid, solve
from synsys.brain.spectra import respond
from synsys.brain.state import HealthyBrain, State
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.load import vocabulary

BRAIN = healthy()
OPEN = HealthyBrain(BRAIN.model, BRAIN.draw, feedback=False)
"""The same brain, in which tones do not follow the brainstem: changes stay where links put them."""
MASK = BRAIN.model.slot_mask
TEMPLATE = BRAIN.model.wiring.nodes.template.to_numpy()
CHANNELS = {
    "KCNQ2": "kcnq2_conductance", "KCNN3": "kcnn3_conductance", "KCNH2": "kcnh2_conductance",
    "CACNA1C": "cacna1c_conductance", "CACNA1H": "cacna1h_conductance", "HCN": "hcn_conductance",
    "Na": "na_conductance",
}  # fmt: skip
CONDUCTANCES = (
    "ampa_conductance", "nmda_conductance", "gabaa_conductance", "gabaa_pv_conductance",
    "gabaa_sst_conductance", "gabab_conductance", "glutamate_release", "gaba_release", "gad1_expression",
    "pv_interneuron_density", "sst_interneuron_function", "cl_conductance", "spine_density",
    "long_range_synaptic_weight", "excitatory_drive", *CHANNELS.values(),
)  # fmt: skip
SETTABLE = {name: row for name, row in vocabulary().items() if row.perturbable and row.unit_step}
RATIOS = sorted(name for name, row in SETTABLE.items() if row.multiplies)
VALUES = sorted(set(SETTABLE) - set(RATIOS))


def after(*changes: Perturbation) -> State:
    return BRAIN.perturbed(list(changes))


def linked(*changes: Perturbation) -> State:
    """The state at once, before molecules have answered."""
    return OPEN.perturbed(list(changes), phase="acute")


def same(a: State, b: State) -> None:
    for name, value in vars(a.parameters).items():
        np.testing.assert_array_equal(value, getattr(b.parameters, name), err_msg=name)
    for x, y in (
        (a.coupling, b.coupling), (a.point.x, b.point.x), (a.point.u, b.point.u), (a.noise, b.noise),
        (a.speed, b.speed), (a.vascular, b.vascular), (a.rates, b.rates),
    ):  # fmt: skip
        np.testing.assert_array_equal(x, y)


def moved(state: State) -> dict[str, np.ndarray]:
    """Parameters and other inputs that differ from health: where, by name."""
    now, then = vars(state.parameters), vars(BRAIN.state.parameters)
    out = {name: now[name] != then[name] for name in now}
    out["coupling"] = state.coupling != BRAIN.state.coupling
    return {name: where for name, where in out.items() if where.any()}


def log_rates(state: State) -> np.ndarray:
    """Mean log change of rate by template and cell."""
    change = np.log(state.rates / BRAIN.state.rates)
    return np.array([change[m].mean() for name, m in sorted(MASK.items()) if name != "spiny"])


GRID = Grid(BRAIN.model, COARSE)


def log_bands(state: State) -> np.ndarray:
    """Log change of band power of every region, (bands x regions,)."""
    solved, reference = solve(state, GRID), solve(BRAIN.state, GRID)
    return np.concatenate([np.log(solved.band_power(b) / reference.band_power(b)) for b in BANDS])


def test_unperturbed_is_the_reference_itself() -> None:
    assert BRAIN.perturbed([]) is BRAIN.state


@pytest.mark.parametrize("name", RATIOS)
def test_factor_one_changes_no_bit(name: str) -> None:
    same(after(Perturbation(name, 1.0)), BRAIN.state)


@pytest.mark.parametrize("name", VALUES)
def test_adding_nothing_changes_no_bit(name: str) -> None:
    same(after(Perturbation(name, 0.0, "+")), BRAIN.state)


def test_factor_one_through_a_modulation_gives_the_same_spectra() -> None:
    modulation = Modulation(BRAIN.model.places)
    for name in CONDUCTANCES:
        modulation.move(name, np.ones((len(TEMPLATE), 3), bool), 0.0)
    modulation.propagate()
    state = BRAIN.with_modulation(modulation)
    same(state, BRAIN.state)
    a, b = (respond(s.linear, COARSE[:5]).core for s in (state, BRAIN.state))
    np.testing.assert_array_equal(a, b)


def test_same_brain_and_draw_give_the_same_bits() -> None:
    again = HealthyBrain(BrainModel(part(ALL_KINDS)), Draw(None))
    same(again.state, BRAIN.state)


@pytest.mark.parametrize("name", CONDUCTANCES)
def test_every_conductance_moves_rates_and_spectra(name: str) -> None:
    state = after(Perturbation(name, 0.9))
    assert moved(state)
    assert state.point.converged
    assert np.abs(np.log(state.rates / BRAIN.state.rates)).max() > 1e-4
    assert np.abs(log_bands(state)).max() > 1e-4


@pytest.mark.parametrize(("name", "fields_"), [
    ("kcnq2_conductance", {"g_m"}), ("kcnn3_conductance", {"g_sk"}), ("kcnh2_conductance", {"g_erg"}),
    ("cacna1c_conductance", {"g_cal"}), ("cacna1h_conductance", {"g_cat"}), ("hcn_conductance", {"g_h"}),
    ("cl_conductance", {"g_cl"}), ("na_conductance", {"theta"}), ("gabab_conductance", {"g_slow"}),
    ("gabaa_pv_conductance", {"g_fast"}), ("gabaa_sst_conductance", {"g_fast"}),
    ("gaba_release", {"release"}),
    ("gabaa_conductance", {"g_fast", "b_gaba", "coupling"}),
    ("ampa_conductance", {"g_fast", "b_ampa", "coupling"}),
    ("nmda_conductance", {"g_slow", "b_nmda", "coupling"}), ("long_range_synaptic_weight", {"coupling"}),
    ("glutamate_release", {"release", "b_ampa", "b_nmda"}), ("excitatory_drive", {"b_ampa", "b_nmda"}),
])  # fmt: skip
def test_a_name_moves_its_own_terms_of_the_equation(name: str, fields_: set[str]) -> None:
    assert set(moved(linked(Perturbation(name, 0.8)))) == fields_


def test_conduction_speed_and_vessels_leave_the_operating_point_alone() -> None:
    slow = after(Perturbation("conduction_velocity", 0.5))
    np.testing.assert_array_equal(slow.point.x, BRAIN.state.point.x)
    np.testing.assert_allclose(slow.speed, 0.5)
    vessels = after(Perturbation("neurovascular_coupling", 0.7))
    np.testing.assert_array_equal(vessels.point.x, BRAIN.state.point.x)
    np.testing.assert_allclose(vessels.vascular, 0.7)


def test_nmda_of_pv_cells_alone() -> None:
    """MO-02: NMDA settable on pyramidal and PV cells apart, AMPA apart from both."""
    where = moved(linked(Perturbation("nmda_conductance", 0.7, cell="PV")))
    assert set(where) == {"g_slow", "b_nmda", "coupling"}
    assert not where["g_slow"][~MASK["PV"]].any()  # rows are post-synaptic
    assert not where["b_nmda"][~MASK["PV"]].any()
    assert not where["coupling"][[0, 2]].any()
    assert not where["coupling"][1][~MASK["PV"]].any()
    pyramidal = moved(linked(Perturbation("nmda_conductance", 0.7, cell="E")))
    assert not (pyramidal["b_nmda"] & where["b_nmda"]).any()


def test_less_nmda_on_pv_cells_silences_them_and_frees_pyramidal_cells() -> None:
    """MO-02: inhibitory tone falls."""
    change = np.log(after(Perturbation("nmda_conductance", 0.8, cell="PV")).rates / BRAIN.state.rates)
    cortex = TEMPLATE == "cortex"
    assert (change[cortex, 1] < 0).all()
    assert (change[cortex, 0] > 0).all()


def test_pv_number_and_gad1_are_two_causes() -> None:
    """MO-03: both cut inhibition; fewer cells are noisier, and GAD1 acts in all inhibitory cells."""
    fewer = linked(Perturbation("pv_interneuron_density", 0.7))
    weaker = linked(Perturbation("gad1_expression", 0.7, cell="PV"))
    everywhere = linked(Perturbation("gad1_expression", 0.7))
    cortex = TEMPLATE == "cortex"
    for state in (fewer, weaker, everywhere):
        assert (np.log(state.rates / BRAIN.state.rates)[cortex, 0] > 0).all()
    np.testing.assert_allclose(fewer.rates, weaker.rates)  # the same mean inhibition ...
    assert (fewer.noise[:, MASK["PV"]] > weaker.noise[:, MASK["PV"]]).all()  # ... from fewer cells is noisier
    assert np.abs(log_bands(fewer) - log_bands(weaker)).max() > 1e-3
    assert (moved(everywhere)["release"] & ~MASK["PV"]).any()
    assert not (moved(fewer)["release"] & ~MASK["PV"]).any()


@pytest.mark.parametrize(
    ("change", "ampa", "nmda"),
    [
        (Perturbation("spine_density", 0.8), 0.8, 0.8),  # fewer events ...
        (Perturbation("glutamate_release", 0.8), 0.8, 0.8),
        (Perturbation("excitatory_drive", 0.8), 0.8, 0.8),
        (Perturbation("ampa_conductance", 0.8), 0.64, 1.0),  # ... or smaller ones
        (Perturbation("nmda_conductance", 0.8), 1.0, 0.64),
        (Perturbation("nmda_occupancy", 0.2, "+"), 1.0, 0.64),
    ],
)
def test_noise_is_linear_in_the_number_of_events_and_quadratic_in_their_size(
    change: Perturbation, ampa: float, nmda: float
) -> None:
    """Campbell's theorem; the mean conductance is the same either way."""
    state, at = linked(change), MASK["E"]
    for kind, factor, name in ((0, ampa, "b_ampa"), (1, nmda, "b_nmda")):
        noise = state.noise[kind][at] / BRAIN.state.noise[kind][at]
        np.testing.assert_allclose(noise, factor, rtol=1e-12)
        mean = getattr(state.parameters, name)[at] / getattr(BRAIN.state.parameters, name)[at]
        np.testing.assert_allclose(mean, 1.0 if factor == 1.0 else 0.8, rtol=1e-12)
    np.testing.assert_array_equal(state.noise[2], BRAIN.state.noise[2])


def test_d2_density_and_occupancy_are_two_causes() -> None:
    """MO-04: an antagonist takes what density gives; more dopamine undoes neither."""
    density, held = Perturbation("d2_density", 0.7), Perturbation("d2_occupancy", 0.3, "+")
    fewer, blocked, both = linked(density), linked(held), linked(density, held)
    d2 = MASK["D2"]
    assert fewer.modulation is not None
    assert blocked.modulation is not None
    assert fewer.modulation.changed("d2_density")
    assert not fewer.modulation.changed("d2_occupancy")
    assert blocked.modulation.changed("d2_occupancy")
    assert not blocked.modulation.changed("d2_density")
    for state in (fewer, blocked, both):
        assert (state.rates[d2] > BRAIN.state.rates[d2]).all()  # D2 receptors hold their cells back
    assert (both.rates[d2] > np.maximum(fewer.rates, blocked.rates)[d2]).all()
    tone = Perturbation("dopamine_tone", 2.0, where="striatum")
    heard = [
        state.modulation.value("activation:D2")[d2]
        for state in (
            linked(Perturbation("d2_occupancy", 1.0, "+")),
            linked(Perturbation("d2_occupancy", 1.0, "+"), tone),
        )
        if state.modulation is not None
    ]
    np.testing.assert_allclose(heard[0], heard[1])  # a receptor that is held does not hear dopamine


def test_striatal_dopamine_up_and_prefrontal_down_at_once() -> None:
    """MO-04: tone is regional; striatum 1.5 and PFC 0.6 in one subject."""
    up, down = Perturbation("striatal_dopamine", 1.5), Perturbation("pfc_dopamine", 0.6)
    state = linked(up, down)
    assert state.modulation is not None
    tone = state.modulation.value("dopamine_tone")
    striatum = TEMPLATE == "striatum"
    prefrontal = BRAIN.model.places.nodes("PFC")
    np.testing.assert_allclose(tone[striatum], 1.5)
    np.testing.assert_allclose(tone[prefrontal], 0.6)
    np.testing.assert_allclose(tone[~striatum & ~prefrontal], 1.0)
    assert (state.rates[MASK["D1"]] > BRAIN.state.rates[MASK["D1"]]).all()
    assert (state.rates[MASK["D2"]] < BRAIN.state.rates[MASK["D2"]]).all()
    vectors = [log_rates(linked(*c)) for c in ((up,), (down,), (up, down))]
    for a, b in combinations(vectors, 2):
        assert np.abs(a - b).max() > 1e-3


def test_serotonin_receptors_pull_apart() -> None:
    """MO-05: 5-HT1A and 5-HT2A are separate gains of opposite sign, and serotonin moves both."""
    e = np.ix_(TEMPLATE == "cortex", [0])
    one = np.log(after(Perturbation("ht1a_signalling", 1.3)).rates / BRAIN.state.rates)[e]
    two = np.log(after(Perturbation("ht2a_signalling", 1.3)).rates / BRAIN.state.rates)[e]
    assert (one < 0).all()
    assert (two > 0).all()
    serotonin = after(Perturbation("serotonin_level", 0.6))
    assert serotonin.modulation is not None
    assert serotonin.modulation.changed("activation:5-HT1A")
    assert serotonin.modulation.changed("activation:5-HT2A")
    less = Perturbation("ht1a_signalling", 0.7), Perturbation("ht2a_signalling", 0.7)
    first, second, both = (np.log(after(*c).rates / BRAIN.state.rates)[e] for c in (less[:1], less[1:], less))
    assert ((second < both) & (both < first)).all()


def test_no_two_ion_channels_are_proportional() -> None:
    vectors = {}
    for gene, name in CHANNELS.items():
        state = after(Perturbation(name, 0.9))
        rates = np.log(state.rates / BRAIN.state.rates)[BRAIN.state.rates > 0.1]
        vectors[gene] = np.concatenate([rates, log_bands(state)])
    for a, b in combinations(vectors, 2):
        x, y = vectors[a], vectors[b]
        assert abs(x @ y) / np.linalg.norm(x) / np.linalg.norm(y) < 0.999, (a, b)


def test_a_focal_change_stays_in_its_region() -> None:
    where = moved(linked(Perturbation("kcnq2_conductance", 0.6, cell="E", where="dlPFC")))
    (nodes, slots) = np.nonzero(where["g_m"])
    inside = BRAIN.model.places.nodes("dlPFC")
    assert set(nodes) == set(np.flatnonzero(inside))
    assert set(slots) == {0}


def test_regional_maps_make_regions_differ_and_beta_zero_makes_them_alike() -> None:
    flat = HealthyBrain(BrainModel(load_embedded()), draws(1, beta=0.0)[0])
    cortex = (flat.model.wiring.nodes.template == "cortex").to_numpy()
    assert np.ptp(flat.state.parameters.g_slow[cortex], axis=0).max() < 1e-12
    maps = HealthyBrain(flat.model, draws(1)[0])
    assert np.ptp(maps.state.parameters.g_slow[cortex], axis=0).max() > 1e-2
    np.testing.assert_allclose(maps.state.rates, flat.state.rates)  # the healthy rates are everyone's


@settings(max_examples=15, deadline=None)
@given(k=st.integers(0, 40), seed=st.integers(0, 5))
def test_healthy_background_is_never_negative(k: int, seed: int) -> None:
    draw = draws(k + 1, seed)[k]
    brain = HealthyBrain(model(), draw)
    p = brain.state.parameters
    assert min(p.b_ampa.min(), p.b_nmda.min(), p.b_gaba.min()) >= 0
    assert brain.state.point.residual < 1e-9
    np.testing.assert_allclose(brain.state.rates, 1e3 * p.rate, rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(factors=st.lists(st.floats(0.8, 1.25), min_size=len(CONDUCTANCES), max_size=len(CONDUCTANCES)))
def test_any_mixture_of_changes_gives_finite_numbers(factors: list[float]) -> None:
    state = after(*(Perturbation(n, f) for n, f in zip(CONDUCTANCES, factors, strict=True)))
    assert all(np.isfinite(value).all() for value in vars(state.parameters).values())
    assert np.isfinite(state.noise).all()
    if state.point.converged:
        assert np.isfinite(state.rates).all()
        assert (state.rates >= 0).all()
