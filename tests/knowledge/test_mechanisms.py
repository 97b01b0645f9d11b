"""The mechanism tables: named, sourced, acyclic, and true to what they cite."""

import re
from math import exp, isclose, log

import numpy as np
import pytest

from synsys.data.embedded import load_embedded
from synsys.knowledge import mechanisms as m
from synsys.knowledge.atlas import loci
from synsys.knowledge.connections import connections
from synsys.knowledge.kinetics import Channel, Projection, Synapse, check_evidence
from synsys.knowledge.load import pathways, vocabulary
from synsys.knowledge.rows import TableError, parse_table
from synsys.knowledge.signaling import edges, nodes

CIRCUIT = {  # what the circuit itself scales; every chain of links must end here
    "ampa_conductance", "nmda_conductance", "gabaa_conductance", "gabaa_pv_conductance",
    "gabaa_sst_conductance", "gabab_conductance", "glutamate_release", "gaba_release", "kcnq2_conductance",
    "kcnn3_conductance", "kcnh2_conductance", "cacna1c_conductance", "cacna1h_conductance",
    "hcn_conductance", "na_conductance", "cl_conductance", "pv_interneuron_density", "gad1_expression",
    "spine_density", "long_range_synaptic_weight", "conduction_velocity", "excitatory_drive",
    "noise_amplitude", "neurovascular_coupling", "chloride_reversal", "nmda_decay", "gabaa_decay",
}  # fmt: skip
TABLES = ("templates", "channels", "synapses", "projections", "receptors", "links", "maps", "population",
          "disorders")  # fmt: skip


def cells() -> set[tuple[str, str]]:
    return {(row.template, row.cell) for row in m.templates()}


def places() -> set[str]:
    names = {name for row in loci() for name in (row.name, *row.aliases)}
    return names | {row.template for row in m.templates()}


def link_graph() -> dict[str, set[str]]:
    """Links and receptors; loops through the signaling network take time and are no cycles of links."""
    graph: dict[str, set[str]] = {}
    for link in m.links():
        if link.target not in nodes():
            graph.setdefault(link.source, set()).add(link.target)
    for row in m.receptors():
        for name in (row.density, row.tone, row.occupancy):
            if name:
                graph.setdefault(name, set()).add(f"activation:{row.receptor}")
    return graph


@pytest.mark.parametrize("table", TABLES)
def test_table_loads_with_evidence(table: str) -> None:
    rows = getattr(m, table)()
    assert rows
    for row in rows:
        source = row.citation if table == "links" else row.source
        assert row.grade in "ABC"
        assert len(source) >= 10 or source == "definition"
        if row.checked == "recalled":
            assert row.grade == "C"


def test_every_name_is_in_the_vocabulary() -> None:
    names = vocabulary()
    used = {row.multiplier for row in (*m.channels(), *m.synapses(), *m.maps())}
    used |= {name for row in m.receptors() for name in (row.density, row.tone, row.occupancy) if name}
    used |= {row.target for row in m.links()} | {row.name for row in m.population()}
    used |= {row.name for row in m.disorders()} | {row.disorder for row in m.disorders()}
    activations = {f"activation:{row.receptor}" for row in m.receptors()}
    sources = {row.source for row in m.links()}
    assert (used | sources) - activations <= set(names)
    assert {s for s in sources if s.startswith("activation:")} <= activations


def test_a_disorder_is_a_set_of_molecular_and_cellular_changes() -> None:
    names = vocabulary()
    forbidden = {"oscillation", "circuit", "network", "inference", "symptom", "outcome", "disorder"}
    for row in m.disorders():
        quantity = names[row.name]
        assert quantity.perturbable, row.name
        assert quantity.level not in forbidden, row.name
        assert (row.op == "*") == quantity.multiplies, row.name
        assert row.sd > 0
    profiles = {row.disorder for row in m.disorders()}
    assert profiles == {f"disorder_{x}" for x in ("scz", "mdd", "bd", "asd", "anx", "ptsd", "ocd")}
    outside_table_2 = {row.disorder for row in m.disorders() if row.text_derived}
    assert outside_table_2 == {f"disorder_{x}" for x in ("asd", "anx", "ptsd", "ocd")}


def test_disorder_sizes_follow_from_the_effects_they_cite() -> None:
    checked = 0
    for row in m.disorders():
        number = re.match(r"exp\((-?[\d.]+) x ([\d.]+)\)", row.conversion)
        if number:
            d, spread = map(float, number.groups())
            assert isclose(log(row.value), d * spread, abs_tol=0.012), (row.disorder, row.name)
            checked += 1
        percent = (
            re.match(r"([+-][\d.]+) %", row.effect) if row.conversion.startswith("as published") else None
        )
        if percent:
            assert isclose(row.value, 1 + float(percent[1]) / 100, abs_tol=0.011), (row.disorder, row.name)
            checked += 1
    assert checked >= 8


def test_spines_are_lost_in_schizophrenia_and_in_surplus_in_autism() -> None:
    # Berdenis van Berlekom et al. 2020: g -0.81; Tang et al. 2014: deficient pruning in autism.
    spines = {row.disorder: row.value for row in m.disorders() if row.name == "spine_density"}
    assert spines["disorder_scz"] < 1 < spines["disorder_asd"]
    assert spines["disorder_bd"] < 1


def test_dopamine_rises_in_striatum_and_falls_in_prefrontal_cortex_of_schizophrenia() -> None:
    tone = {
        row.where: row.value
        for row in m.disorders()
        if row.disorder == "disorder_scz" and row.name == "dopamine_tone"
    }
    assert tone["striatum"] > 1 > tone["PFC"]


def test_links_have_no_cycle() -> None:
    graph, state = link_graph(), {}

    def visit(node: str, path: tuple[str, ...]) -> None:
        assert state.get(node) != "open", f"cycle: {' -> '.join((*path, node))}"
        if node in state:
            return
        state[node] = "open"
        for target in graph.get(node, ()):
            visit(target, (*path, node))
        state[node] = "done"

    for node in list(graph):
        visit(node, ())


def test_every_chain_of_links_ends_in_a_parameter_of_the_circuit() -> None:
    graph = link_graph()
    ends = {target for targets in graph.values() for target in targets} - set(graph)
    assert ends <= CIRCUIT
    assert {row.multiplier for row in m.channels()} <= CIRCUIT


def test_links_name_real_places_and_cells() -> None:
    known, populations = places(), {cell for _, cell in cells()}
    for link in m.links():
        assert set(link.where) | set(link.source_where) <= known, link.id
        assert set(link.cell) <= populations, link.id
        templates = [w for w in link.where if any(w == t for t, _ in cells())]
        for cell in link.cell:
            assert not templates or any((w, cell) in cells() for w in templates), link.id
    for row in m.disorders():
        assert row.where == "" or row.where in known, row.name
        assert row.cell == "" or row.cell in populations, row.name


def test_law_fits_the_unit_of_the_source() -> None:
    names = vocabulary()
    for link in m.links():
        if link.source.startswith("activation:"):
            assert link.law == "exp", link.id
            continue
        source, target = names[link.source].multiplies, names[link.target].multiplies
        assert (link.law == "add") == (not target), link.id
        assert (link.law == "power") == (source and target), link.id


def test_unsigned_sources_are_unsigned_in_all_their_rows() -> None:
    rows = (*m.links(), *edges())
    unsigned = {row.source for row in rows if not row.sign_certain}
    assert {"cacna1c_risk_variant", "grin2b_variant", "mir137_risk_variant"} <= unsigned
    for row in rows:
        if row.source.endswith("_variant") or row.source == "ion_channel_dysfunction":
            assert not row.sign_certain, row.id


def test_links_lead_to_the_circuit_and_edges_to_molecules() -> None:
    """A change of a molecule by a molecule takes time, so it is an edge; links into nodes are definitions."""
    for link in m.links():
        if link.target in nodes():
            assert link.kind == "definition", link.id
    activations = {f"activation:{row.receptor}" for row in m.receptors()}
    assert {row.source for row in edges() if row.source.startswith("activation:")} <= activations


def test_every_edge_has_a_source_and_evidence() -> None:
    for row in (*edges(), *nodes().values()):
        source = getattr(row, "citation", None) or row.source
        assert len(source) >= 10, row
        assert row.grade in "ABC"
        if row.checked == "recalled":
            assert row.grade == "C"


def test_every_quantity_of_a_pathway_that_can_be_changed_has_an_effect() -> None:
    names = {name for row in pathways().values() for name in row.perturbations}
    assert [name for name in sorted(names) if vocabulary()[name].perturbable and m.inert(name)] == []


def test_pv_and_sst_are_reached_apart() -> None:
    by_source = {link.source: link for link in m.links()}
    assert by_source["nmda_drive_to_pv"].target == "nmda_conductance"
    assert by_source["nmda_drive_to_pv"].cell == ("PV",)
    assert by_source["pv_interneuron_function"].cell == ("PV",)
    assert by_source["sst_interneuron_function"].cell == ("SST",)


@pytest.mark.parametrize("row", m.receptors(), ids=lambda row: row.receptor)
def test_receptor_activation(row: m.Receptor) -> None:
    assert row.activation() == 1.0
    tone = np.linspace(0, 4, 41)
    a = row.activation(tone=tone)
    assert a[0] == 0
    assert (np.diff(a) > 0).all()
    assert (np.diff(a, 2) < 1e-12).all()  # saturating
    assert row.activation(occupancy=1.0) == row.ligand_efficacy
    assert isclose(row.activation(density=0.5), 0.5)
    # A partial agonist raises a depleted system and lowers an overdriven one.
    assert row.activation(tone=0.2, occupancy=0.8, efficacy=0.6) > row.activation(tone=0.2)
    assert row.activation(tone=3.0, occupancy=0.8, efficacy=0.6) < row.activation(tone=3.0)


def test_magnesium_block_is_that_of_jahr_and_stevens() -> None:
    # Jahr and Stevens 1990 J Neurosci 10:3178, at 1 mM: 0.024, 0.060, 0.230, 0.781.
    (nmda,) = (row for row in m.synapses() if row.receptor == "NMDA")
    assert nmda.mg == 1.0
    for v, free in ((-80, 0.024), (-65, 0.060), (-40, 0.230), (0, 0.781)):
        assert isclose(1 / (1 + nmda.mg / 3.57 * exp(-0.062 * v)), free, abs_tol=0.001)


def test_synapses_order_in_time() -> None:
    decay = {row.id: row.tau_decay for row in m.synapses()}
    assert decay["AMPA"] < decay["GABAA_PV"] < decay["GABAA_SST"] < decay["NMDA"] < decay["GABAB"]


def test_no_two_currents_of_a_cell_gate_alike() -> None:
    for cell in cells():
        rows = [row for row in m.channels() if (row.template, row.cell) == cell]
        assert len({row.current for row in rows}) == len(rows)
        gates = [(row.gate, row.m_half, row.m_slope, row.ca_half, row.reversal) for row in rows]
        assert len(set(gates)) == len(gates), cell
        time = {row.current: row.m_tau for row in rows}
        if {"I_M", "I_ERG"} <= set(time):
            assert time["I_ERG"] > 3 * time["I_M"], cell


def test_channels_belong_to_their_gene() -> None:
    names = vocabulary()
    for row in m.channels():
        assert (row.template, row.cell) in cells(), row.id
        assert row.gene in names[row.multiplier].genes, row.id


def test_relay_cells_burst_and_pyramidal_cells_do_not() -> None:
    assert {(row.template, row.cell) for row in m.channels() if row.current == "I_T"} >= {
        ("thalamus", "TC"),
        ("thalamus", "RE"),
    }
    assert not [row for row in m.channels() if row.current == "I_T" and row.cell == "E"]


def test_projections_obey_dale_and_name_real_cells() -> None:
    transmitter = {(row.template, row.cell): row.transmitter for row in m.templates()}
    for row in m.projections():
        assert transmitter[row.from_template, row.from_cell] == row.transmitter, row.id
        if row.scope == "diffuse":
            assert row.to_cell == "all" or (row.to_template, row.to_cell) in transmitter
        else:
            assert (row.to_template, row.to_cell) in transmitter, row.id
        if row.scope == "local":
            assert row.from_template == row.to_template, row.id
        for where in (row.from_where, row.to_where):
            assert where == "" or where in places(), row.id


def test_wiring_of_the_loops() -> None:
    wired = {(r.from_template, r.from_cell, r.to_template, r.to_cell): r for r in m.projections()}
    leaving = {(key[0], key[2]) for key in wired}
    assert {target for origin, target in leaving if origin == "striatum"} == {"pallidum", "brainstem"}
    assert {target for origin, target in leaving if origin == "cerebellum"} == {"thalamus"}
    assert wired["cerebellum", "DCN", "thalamus", "TC"].scope == "contralateral"
    assert ("striatum", "D1", "pallidum", "GPi") in wired
    assert ("striatum", "D1", "pallidum", "GPe") not in wired
    assert ("striatum", "D2", "pallidum", "GPi") not in wired
    assert wired["pallidum", "GPi", "thalamus", "TC"].transmitter == "gaba"
    assert wired["cortex", "E", "pallidum", "STN"].scope == "channel"  # hyperdirect
    # Only glutamatergic cells project over the connectome, and cortical interneurons stay local.
    for (_, cell, _, _), row in wired.items():
        if row.scope == "connectome":
            assert row.transmitter == "glutamate"
        assert cell not in ("PV", "SST", "FSI", "RE")  # local interneurons: connections.csv
    # Pfeffer et al. 2013: SST cells do not inhibit one another, PV cells hardly inhibit SST cells.
    local = {(r.template, r.pre, r.post): r.conductance for r in connections() if r.receptor == "gabaa"}
    assert ("cortex", "SST", "SST") not in local
    assert local["cortex", "PV", "SST"] < 0.5 * local["cortex", "PV", "PV"]


def test_feedforward_inhibition_is_stronger_onto_interneurons() -> None:
    # Cruikshank et al. 2007; Golshani et al. 2001 (2.4 times).
    strength = {r.id: r.strength for r in m.projections()}
    assert strength["thalamus.TC->cortex.PV"] > strength["thalamus.TC->cortex.E"]
    assert strength["cortex.E->thalamus.RE"] == 2.4 * strength["cortex.E->thalamus.TC"]


def test_basal_ganglia_rates_are_those_of_the_macaque() -> None:
    # Lienard and Girard 2014, Table 5.
    rate = {row.cell: row.rate for row in m.templates()}
    for cell, low, high in (
        ("D1", 0, 1), ("FSI", 7.8, 14), ("STN", 15.2, 22.8), ("GPe", 55.7, 74.5), ("GPi", 59.1, 79.5),
    ):  # fmt: skip
        assert low <= rate[cell] <= high


def test_maps_say_what_they_are() -> None:
    genes = set(load_embedded().maps.columns)
    for row in m.maps():
        if row.kind == "mRNA":
            assert row.map in genes, row.map
    preferred: dict[tuple[str, str], int] = {}
    for row in m.maps():
        for cell in row.cell or ("",):
            preferred[row.multiplier, cell] = preferred.get((row.multiplier, cell), 0) + row.preferred
    assert max(preferred.values()) == 1
    nmda = {row.map: row for row in m.maps() if row.multiplier == "nmda_conductance"}
    assert not nmda["NMDA"].preferred  # GRIN2B against GE-179 PET: r = -0.02


def test_population_spread_is_plausible() -> None:
    for row in m.population():
        if row.op == "*":
            assert 0.02 <= row.sd <= 0.5, row.name
    spread = {row.name: row.sd for row in m.population()}
    # Mikkelsen et al. 2017: 12 % in all, 72 % of the variance between participants.
    assert isclose(spread["gaba_release"], 0.12 * 0.72**0.5, abs_tol=0.005)
    # Konopaske et al. 2014: 0.31 +- 0.05 spines per micrometre in controls.
    assert isclose(spread["spine_density"], 0.05 / 0.31, abs_tol=0.005)


def test_evidence_is_refused_where_it_is_better_than_its_check() -> None:
    with pytest.raises(ValueError, match="grade C"):
        check_evidence("recalled", "B", "Somebody 2020")
    with pytest.raises(ValueError, match="source"):
        check_evidence("read", "B", "")


@pytest.mark.parametrize(
    ("row_class", "change", "message"),
    [
        (Channel, {"conductance": "0"}, "conductance"),
        (Channel, {"m_half": ""}, "half-activation"),
        (Synapse, {"tau_rise": "9", "tau_decay": "3"}, "tau_rise"),
        (Projection, {"strength": "-1"}, "strength"),
        (Projection, {"delay": "-2"}, "delay"),
        (m.Link, {"target": "bdnf"}, "links to itself"),
        (m.Link, {"sd": "0"}, "definition only"),
        (m.Link, {"parallel": "yes"}, "says why"),
        (m.DisorderRow, {"value": "1"}, "changes nothing"),
        (m.DisorderRow, {"sd": "0"}, "sd must be > 0"),
        (m.Variability, {"sd": "-0.1"}, "sd must be > 0"),
    ],
)
def test_a_bad_row_is_refused(row_class: type, change: dict[str, str], message: str) -> None:
    good = {
        Channel: {
            "id": "x", "current": "I_M", "gene": "KCNQ2", "multiplier": "kcnq2_conductance",
            "template": "cortex", "cell": "E", "gate": "voltage", "m_power": "1", "m_half": "-35",
            "m_slope": "10", "m_tau": "100", "h_half": "", "h_slope": "", "h_tau": "", "ca_half": "",
            "hill": "", "reversal": "-90", "conductance": "1", "conductance_sd": "1",
        },
        Synapse: {
            "id": "x", "receptor": "AMPA", "pre": "", "post": "", "tau_rise": "1", "tau_decay": "3",
            "reversal": "0", "mg": "", "multiplier": "ampa_conductance",
        },
        Projection: {
            "id": "x", "from_template": "cortex", "from_cell": "E", "from_where": "",
            "to_template": "cortex", "to_cell": "E", "to_where": "", "transmitter": "glutamate",
            "scope": "connectome", "strength": "1", "strength_sd": "1", "delay": "tract",
        },
        m.Link: {
            "id": "x", "source": "bdnf", "target": "trkb_activity", "source_where": "", "where": "",
            "cell": "", "law": "power", "strength": "1", "sd": "1", "sign_certain": "yes",
            "kind": "mechanism", "parallel": "no", "alternative": "",
        },
        m.DisorderRow: {
            "disorder": "disorder_scz", "name": "spine_density", "op": "*", "value": "0.9", "sd": "0.1",
            "cell": "", "where": "", "effect": "e", "conversion": "c", "text_derived": "no",
        },
        m.Variability: {"name": "spine_density", "op": "*", "sd": "0.1", "basis": "b"},
    }[row_class]  # fmt: skip
    evidence = {
        "checked": "read",
        "grade": "B",
        "note": "",
        "citation" if row_class is m.Link else "source": "S",
    }
    if row_class is m.DisorderRow:
        del evidence["note"]
    cells_ = {**good, **evidence}

    def read(row: dict[str, str]) -> tuple:
        return parse_table(",".join(row) + "\n" + ",".join(row.values()) + "\n", "t.csv", row_class)

    assert len(read(cells_)) == 1
    with pytest.raises(TableError, match=message):
        read({**cells_, **change})
