"""Changes of molecules travel along the links of the tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import healthy

from synsys.brain.modulation import (
    ACTIVATION,
    Modulation,
    causal_order,
    entering,
    path_from,
    receptor_links,
    selection,
)
from synsys.circuit.drift import SLOTS
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import INFERENCE, TERMS, disorders, inert, links, receptors
from synsys.knowledge.signaling import edges

MODEL = healthy().model
PLACES = MODEL.places
NODES = MODEL.wiring.nodes
SHAPE = (len(NODES), SLOTS)
EVERYWHERE = np.ones(SHAPE, bool)


def carried(*changes: Perturbation, strength: dict[str, float] | None = None) -> Modulation:
    out = Modulation(PLACES)
    for change in changes:
        out.perturb(change)
    out.propagate(strength)
    return out


def test_links_run_from_cause_to_effect() -> None:
    order = [link.id for link in causal_order()]
    for link in causal_order():
        for earlier in causal_order():
            if earlier.target == link.source:
                assert order.index(earlier.id) < order.index(link.id)
    assert {link.id for link in links()} == {
        *order,
        *(link.id for link in (*receptor_links(), *entering())),
    }


def test_untouched_variables_are_healthy() -> None:
    modulation = Modulation(PLACES)
    for name, row in vocabulary().items():
        if row.kind != "readout":
            want = 1.0 if row.multiplies else (row.healthy or 0.0)
            np.testing.assert_array_equal(modulation.value(name), want)


def test_the_equations_read_the_terms_and_nothing_else(monkeypatch) -> None:
    """Whether a quantity is inert is decided by `TERMS`; here, what a perturbed state asks for."""
    asked = set()

    class Recorded(dict):
        def get(self, name, default=None):
            asked.add(name)
            return super().get(name, default)

    values = Modulation.values.fget
    monkeypatch.setattr(Modulation, "values", property(lambda self: Recorded(values(self))))
    healthy().perturbed([Perturbation("gabab_conductance", 0.9)])
    assert asked == TERMS


def test_no_disorder_profile_holds_an_inert_row() -> None:
    assert [row.name for row in disorders() if inert(row.name)] == []


def test_what_is_inert_moves_nothing_else() -> None:
    for row in vocabulary().values():
        if row.perturbable:
            assert inert(row.name) == (
                row.name not in TERMS | INFERENCE and set(path_from([one(row)])) == {row.name}
            )


def one(row) -> Perturbation:
    return Perturbation(row.name, 1.0)


def test_factors_multiply_and_increments_add() -> None:
    twice = carried(Perturbation("kcnq2_conductance", 0.8), Perturbation("kcnq2_conductance", 0.5))
    np.testing.assert_allclose(twice.value("kcnq2_conductance"), 0.4)
    more = carried(Perturbation("il6", 1.0, "+"), Perturbation("il6", 0.5, "+"))
    np.testing.assert_allclose(more.value("il6"), 1.5)


@settings(max_examples=40, deadline=None)
@given(
    link=st.sampled_from([link for link in causal_order() if link.kind == "mechanism"]),
    size=st.floats(0.6, 1.6),
)
def test_a_link_alone_obeys_its_law(link, size: float) -> None:
    row = vocabulary()[link.source]
    change = Perturbation(link.source, size) if row.multiplies else Perturbation(link.source, size, "+")
    only = Modulation(PLACES)
    only.perturb(change)
    source = only.value(link.source)
    only.carry(link.id, lambda: (link,))
    target = only.value(link.target)
    mask = PLACES.mask(link.cell, link.where)
    if link.source_where:
        mask &= PLACES.mask((), link.source_where)
    if link.law == "power":
        want = source**link.strength
    else:
        want = link.strength * (source - (1.0 if row.multiplies else (row.healthy or 0.0)))
        want = np.exp(want) if vocabulary()[link.target].multiplies else want
    np.testing.assert_allclose(target[mask], want[mask])
    base = 1.0 if vocabulary()[link.target].multiplies else (vocabulary()[link.target].healthy or 0.0)
    np.testing.assert_array_equal(target[~mask], base)


def test_a_definition_enters_the_network_and_a_link_leaves_it() -> None:
    """thalamocortical_feedback -> long_range_synaptic_weight (a node) is carried before links are."""
    moved = Modulation(PLACES)
    moved.perturb(Perturbation("thalamocortical_feedback", 0.5))
    assert not moved.changed("long_range_synaptic_weight")
    moved.enter()
    relay = MODEL.slot_mask["TC"]
    np.testing.assert_allclose(moved.value("long_range_synaptic_weight")[relay], 0.5)
    np.testing.assert_array_equal(moved.value("long_range_synaptic_weight")[~relay], 1.0)


def test_two_links_in_a_row_compose() -> None:
    # sert_occupancy -> serotonin_level -> activation of receptors; monoamine_tone -> the same tone.
    strength = {link.id: link.strength for link in links()}
    k = strength["sert_occupancy->serotonin_level"]
    both = carried(Perturbation("sert_occupancy", 0.8, "+"), Perturbation("monoamine_tone", 0.5))
    np.testing.assert_allclose(both.value("serotonin_level"), 0.5 * np.exp(0.8 * k))
    assert both.changed(ACTIVATION + "5-HT1A")


def test_strengths_of_a_draw_replace_those_of_the_table() -> None:
    off = dict.fromkeys((link.id for link in links()), 0.0)
    moved = carried(Perturbation("camp_level", 0.5), strength=off)
    np.testing.assert_array_equal(moved.value("hcn_conductance"), 1.0)
    assert (carried(Perturbation("camp_level", 0.5)).value("hcn_conductance") != 1.0).any()


@pytest.mark.parametrize("row", receptors(), ids=lambda r: r.receptor)
def test_receptor_activation_is_density_times_free_and_held_parts(row) -> None:
    changes = [Perturbation(row.density, 0.8), Perturbation(row.occupancy, 0.4, "+")]
    tone = 1.0
    if row.tone:
        tone = 1.7
        changes.append(Perturbation(row.tone, tone))
    k = row.half_saturation
    want = 0.8 * (0.6 * tone * (1 + k) / (tone + k) + 0.4 * row.ligand_efficacy)
    active = np.log(carried(*changes).value(ACTIVATION + row.receptor))
    np.testing.assert_allclose(active, want - 1.0)


def test_density_maps_weigh_receptor_effects() -> None:
    density = np.linspace(0.5, 1.5, SHAPE[0])[:, None] * np.ones(SHAPE)
    modulation = Modulation(PLACES, {"d2_density": density})
    modulation.perturb(Perturbation("d2_occupancy", 0.5, "+"))
    modulation.propagate()
    np.testing.assert_allclose(np.log(modulation.value("activation:D2")), -0.5 * density)


def test_occupancy_beyond_all_receptors_counts_as_all() -> None:
    a, b = (carried(Perturbation("d2_occupancy", x, "+")).value("activation:D2") for x in (1.0, 1.6))
    np.testing.assert_array_equal(a, b)


def test_a_change_of_one_cell_type_reaches_other_cells_through_named_links_only() -> None:
    own = carried(Perturbation("nmda_conductance", 0.7, cell="PV"))
    mask = MODEL.slot_mask["PV"]
    np.testing.assert_allclose(own.value("nmda_conductance")[mask], 0.7)
    np.testing.assert_array_equal(own.value("nmda_conductance")[~mask], 1.0)


def test_selection_by_region_network_structure_and_cell() -> None:
    template = NODES.template.to_numpy()
    assert (selection(PLACES, Perturbation("kcnq2_conductance", 0.5)) == EVERYWHERE).all()
    thalamus = selection(PLACES, Perturbation("hcn_conductance", 0.5, where="thalamus"))
    assert (thalamus == (template == "thalamus")[:, None]).all()
    relay = selection(PLACES, Perturbation("hcn_conductance", 0.5, cell="TC"))
    assert relay.sum() == (template == "thalamus").sum()
    one = selection(PLACES, Perturbation("kcnq2_conductance", 0.5, cell="E", where="L.superiorfrontal"))
    assert one.sum() == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Perturbation("kcnq3_conductance", 0.5), "kcnq2_conductance"),
        (Perturbation("kcnq2_conductance", 0.5, cell="TC", where="striatum"), "TC"),
        (Perturbation("kcnq2_conductance", 0.5, where="nowhere"), "nowhere"),
        (Perturbation("kcnq2_conductance", 0.5, cell="XY"), "XY"),
    ],
)
def test_what_is_not_there_is_named(change: Perturbation, text: str) -> None:
    with pytest.raises(UserError, match=text):
        selection(PLACES, change)


def test_grade_of_a_path_is_its_worst_row() -> None:
    grade = path_from([Perturbation("camp_level", 0.8)])
    by_id = {row.id: row.grade for row in (*links(), *edges())}
    assert grade["camp_level"] == "A"
    assert grade["pka_activity"] == by_id["camp_level->pka_activity"]  # its only regulator
    assert grade["creb_activity"] >= grade["pka_activity"]
    assert "striatal_dopamine" not in grade
    assert "activation:D2" in path_from([Perturbation("d2_occupancy", 0.5, "+")])


def test_a_path_goes_no_way_through_the_fast_brain() -> None:
    assert set(path_from([Perturbation("nmda_conductance", 0.7)])) == {"nmda_conductance"}
    assert "creb_activity" in path_from([Perturbation("fast:calcium_nmda", 0.7)])


def test_no_link_doubles_a_path_through_the_network() -> None:
    """A direct row beside a mediated path to the same cells of the same regions says so and why."""
    network = MODEL.slow_brain.network
    read: dict[str, list] = {}
    for link in (*causal_order(), *receptor_links()):
        read.setdefault(link.target, []).append(link)

    def everywhere(link) -> np.ndarray:
        return PLACES.mask(link.cell, link.where)

    doubled = set()
    for link in (*causal_order(), *receptor_links()):
        if link.kind == "definition":
            continue
        reach = {link.source: np.ones(SHAPE[0], bool)}
        frontier = [link.source]
        while frontier:
            name = frontier.pop()
            for edge, mask in zip(network.edges, network.mask > 0, strict=True):
                if edge.source != name or edge.target == link.source:
                    continue
                here = reach[name] & mask
                if here.any() and network.body[network.at[edge.target]]:
                    here = np.ones(SHAPE[0], bool)
                known = reach.get(edge.target, np.zeros(SHAPE[0], bool))
                if (here & ~known).any():
                    reach[edge.target] = known | here
                    frontier.append(edge.target)
        for other in read[link.target]:
            if other.source != link.source and other.source in reach:
                same = everywhere(link) & everywhere(other) & reach[other.source][:, None]
                if same.any():
                    doubled.add(link.id)
    assert doubled == {link.id for link in links() if link.parallel}
