"""Names, genes and aliases reach one quantity; text becomes the perturbation that was meant."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.knowledge.load import claims, entities, vocabulary
from synsys.knowledge.mechanisms import disorders
from synsys.knowledge.resolve import (
    CELLS,
    entity,
    parse_perturbation,
    parse_sweep,
    quantity,
    related_quantities,
    resolved,
    unit_change,
)

NAMES = [name for row in vocabulary().values() for name in (row.name, *row.genes, *row.aliases)]
FRACTIONS = [
    row.name for row in vocabulary().values() if row.perturbable and row.unit == "fraction of normal"
]
ADDITIVE = [row.name for row in vocabulary().values() if row.perturbable and row.healthy == 0]


@pytest.mark.parametrize(
    ("alias", "symbol"),
    [
        ("SK3", "KCNN3"), ("GCR", "NR3C1"), ("TNF-alpha", "TNF"), ("PKB", "AKT1"), ("ERK", "MAPK1"),
        ("TrkB", "NTRK2"), ("PGC-1alpha", "PPARGC1A"), ("CaV1.2", "CACNA1C"), ("NR2B", "GRIN2B"),
        ("SERT", "SLC6A4"), ("5-HT2A", "HTR2A"), ("kcnn3", "KCNN3"),
    ],
)  # fmt: skip
def test_an_alias_means_its_gene(alias: str, symbol: str) -> None:
    assert entity(alias).name == symbol


@pytest.mark.parametrize("spelling", ["cAMP", "camp", "CAMP", "cyclic AMP"])
def test_camp_is_the_second_messenger_and_never_cathelicidin(spelling: str) -> None:
    assert entity(spelling).name == "cAMP"
    assert "NCBIGene:820" not in entity(spelling).identifiers
    assert quantity(spelling).name == "camp_level"


def test_a_family_name_is_not_one_of_its_members() -> None:
    for family in ("HDAC", "PI3K", "AMPK", "SHANK", "neurotrophins"):
        assert entity(family).type == "family"
    assert entity("SHANK2").identifiers == ("NCBIGene:22941",)


@pytest.mark.parametrize("name", ["AI", "GNNs", "cortical", "ion channel", "Central Nervous System"])
def test_what_the_source_calls_a_disease_by_mistake_is_none(name: str) -> None:
    with pytest.raises(UserError, match="Not a disease"):
        entity(name)


@pytest.mark.parametrize(
    ("name", "kind"), [("PV", "cell"), ("LTD", "process"), ("mitochondria", "process"), ("SCZ", "disease")]
)
def test_mistaken_diseases_that_mean_something_else_lead_there(name: str, kind: str) -> None:
    assert entity(name).type == kind


def test_every_entity_that_is_not_overridden_finds_itself() -> None:
    for row in entities():
        if row.name in row.names:
            assert entity(row.name) == row


def test_an_alias_that_two_genes_share_is_ambiguous() -> None:
    with pytest.raises(UserError, match="ambiguous: HDAC3, HDAC2"):
        entity("RPD3")
    with pytest.raises(UserError, match="hdac3_activity or hdac2_activity"):
        quantity("RPD3")


@given(st.sampled_from(NAMES), st.sampled_from([str.lower, str.upper, str.title, str]))
def test_case_does_not_matter(name: str, spelled) -> None:
    assert quantity(spelled(name)) == quantity(name)


@pytest.mark.parametrize(
    ("gene", "name"),
    [
        ("GRIN2B", "nmda_conductance"), ("GRIN1", "nmda_conductance"), ("PVALB", "pv_interneuron_density"),
        ("GAD1", "gad1_expression"), ("KCNQ2", "kcnq2_conductance"), ("SK3", "kcnn3_conductance"),
        ("KCNH2", "kcnh2_conductance"), ("SCN1A", "na_conductance"), ("DRD2", "d2_density"),
        ("HTR1A", "ht1a_signalling"), ("E/I", "ei_ratio"), ("E_Cl", "chloride_reversal"),
        ("PI3K", "akt_mtor_activity"), ("KCC2", "kcc2_activity"), ("GCR", "nr3c1_expression"),
    ],
)  # fmt: skip
def test_a_gene_changes_the_quantity_it_makes(gene: str, name: str) -> None:
    assert quantity(gene).name == name


@pytest.mark.parametrize(("gene", "bears_on"), [("SERT", "serotonin_level"), ("NKCC1", "kcc2_activity")])
def test_a_gene_whose_expression_is_no_quantity_says_on_what_it_bears(gene: str, bears_on: str) -> None:
    with pytest.raises(UserError, match=bears_on):
        parse_perturbation(f"{gene}=0.5")


def test_a_gene_of_two_minds_lists_its_own_quantity_first() -> None:
    names = [row.name for row in related_quantities("CACNA1C")]
    assert names[0] == "cacna1c_conductance"
    assert {"cacna1c_risk_variant", "intracellular_calcium"} <= set(names[1:])
    first, *others = (row.name for row in related_quantities("NR3C1"))
    assert first == "nr3c1_expression"
    assert set(others) == {"nr3c1_methylation", "hpa_regulation"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("GRIN2B=0.7", Perturbation("nmda_conductance", 0.7)),
        ("KCNQ2=0.6:E@dlPFC", Perturbation("kcnq2_conductance", 0.6, cell="E", where="dlPFC")),
        (" AMPA = .5 : pv @ Default ", Perturbation("ampa_conductance", 0.5, "*", "PV", "Default")),
        ("sk3=2:pyr", Perturbation("kcnn3_conductance", 2.0, cell="E")),
        ("h-current=1e-1:gpe", Perturbation("hcn_conductance", 0.1, cell="GPe")),
        ("mGluR2/3=1.5@left thalamus", Perturbation("mglur23_activity", 1.5, where="left thalamus")),
        ("GAD1+=-0.25", Perturbation("gad1_expression", 0.75)),
        ("chloride_reversal+=5", Perturbation("chloride_reversal", 5.0, "+")),
        ("chloride_reversal=-5", Perturbation("chloride_reversal", -5.0, "+")),
        ("d2_occupancy=0.65@striatum", Perturbation("d2_occupancy", 0.65, "+", where="striatum")),
        ("il6+=1.5", Perturbation("il6", 1.5, "+")),
        ("cacna1c_risk_variant=2", Perturbation("cacna1c_risk_variant", 2.0, "+")),
        ("bdnf_methylation+=0.1", Perturbation("bdnf_methylation", 0.1, "+")),
    ],
)  # fmt: skip
def test_text_becomes_the_perturbation_it_says(text: str, meant: Perturbation) -> None:
    assert parse_perturbation(text) == meant


@given(
    st.sampled_from(FRACTIONS),
    st.floats(1e-6, 1e6),
    st.sampled_from([None, *CELLS]),
    st.sampled_from([None, "dlPFC", "lh-precuneus"]),
)
def test_a_perturbation_reads_its_own_text(
    name: str, factor: float, cell: str | None, where: str | None
) -> None:
    written = Perturbation(name, float(f"{factor:g}"), cell=cell, where=where)
    assert parse_perturbation(str(written)) == written


@given(st.sampled_from(FRACTIONS), st.floats(-0.99, 10))
def test_adding_to_a_fraction_is_a_factor_and_adding_nothing_changes_nothing(
    name: str, increment: float
) -> None:
    found = parse_perturbation(f"{name}+={increment!r}")
    assert (found.op, found.value) == ("*", 1 + increment)


@given(st.sampled_from(ADDITIVE), st.floats(0, 1))
def test_from_a_healthy_zero_setting_and_adding_agree(name: str, value: float) -> None:
    assert parse_perturbation(f"{name}={value!r}") == parse_perturbation(f"{name}+={value!r}")


def test_a_sweep_runs_from_the_first_dose_to_the_last() -> None:
    doses = [found.value for found in parse_sweep("GRIN2B=0.5:1:0.1:E@ACC")]
    assert doses == [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert [found.value for found in parse_sweep("GRIN2B=1:0.5:0.2")] == [1.0, 0.8, 0.6]
    assert [found.value for found in parse_sweep("GRIN2B=0.8:0.8:0.1")] == [0.8]
    assert {(found.cell, found.where) for found in parse_sweep("GRIN2B=0.5:1:0.1:E@ACC")} == {("E", "ACC")}


def test_a_number_and_a_name_are_a_value_and_a_cell_but_three_numbers_a_sweep() -> None:
    assert parse_sweep("GRIN2B=0.5:D1")[0].cell == "D1"
    assert len(parse_sweep("GRIN2B=0.5:1:0.25")) == 3
    with pytest.raises(UserError, match="sweeps 3 doses"):
        parse_perturbation("GRIN2B=0.5:1:0.25")


@given(st.floats(0.1, 5), st.integers(1, 40), st.floats(0.01, 0.5))
def test_a_sweep_has_every_dose_once(start: float, steps: int, step: float) -> None:
    doses = [found.value for found in parse_sweep(f"NMDA={start!r}:{start + steps * step!r}:{step!r}")]
    assert len(doses) == steps + 1
    assert all(
        math.isclose(dose, start + i * step, rel_tol=1e-9, abs_tol=1e-9) for i, dose in enumerate(doses)
    )


def test_a_claim_of_one_is_a_quarter_more_or_a_fifth_less_or_one_unit_step() -> None:
    assert unit_change("nmda_conductance", +1) == Perturbation("nmda_conductance", 1.25)
    assert unit_change("nmda_conductance", -1) == Perturbation("nmda_conductance", 0.8)
    assert unit_change("il6", +1) == Perturbation("il6", 1.0, "+")
    assert unit_change("neuroinflammation", +1) == Perturbation("neuroinflammation", 0.25, "+")
    for name in ("gamma_coupling", "small_worldness", "network_topology", "ketamine"):
        with pytest.raises(UserError):
            unit_change(name, +1)


def test_every_signed_claim_about_a_cause_has_a_unit_change() -> None:
    for claim in claims().values():
        if claim.change_from in ("+1", "-1") and vocabulary()[claim.entity_from].perturbable:
            assert unit_change(claim.entity_from, int(claim.change_from)).name == claim.entity_from


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("GRINB2=0.7", "did you mean GRIN2B"),
        ("nmda_conductanse=0.7", "did you mean nmda_conductance"),
        ("PTK2B=0.7", "no quantity stands for PTK2B"),
        ("HDAC=0.5", "may mean hdac2_activity or hdac3_activity"),
        ("GRIN2B=0", "factor must be > 0"),
        ("GRIN2B=-0.5", "factor must be > 0"),
        ("GRIN2B+=-1", "more than 0 must remain"),
        ("GRIN2B=nan", "not a finite number"),
        ("GRIN2B=inf", "not a finite number"),
        ("GRIN2B=half", "'half' is not a number"),
        ("GRIN2B=0.7:XX", "unknown cell 'XX'"),
        ("GRIN2B=0.7:GPE2", "did you mean GPe"),
        ("GRIN2B=0.7@dlPFC:E", "cell goes before the region"),
        ("GRIN2B=0.5:0.7", "cannot read"),
        ("GRIN2B=0.5:1:0", "step of a sweep must not be 0"),
        ("GRIN2B=0.1:100:1e-6", "at most 1000"),
        ("GRIN2B=0:1:0.5", "factor must be > 0"),
        ("GRIN2B", "NAME=FACTOR"),
        ("GRIN2B=", "NAME=FACTOR"),
        ("=0.7", "NAME=FACTOR"),
        ("GRIN2B=0.7@", "NAME=FACTOR"),
        ("GRIN2B=0.7=0.8", "NAME=FACTOR"),
        ("", "NAME=FACTOR"),
        ("global_efficiency=0.5", "is a readout"),
        ("ketamine=1", "ketamine is a therapy, and therapies cannot be run yet"),
        ("SSRI=1", "see synsys catalog therapies"),
        ("schizophrenia=1", "--disorder"),
        ("small_cohort=1", "method of analysis"),
        ("network_topology=2", "one number cannot set it"),
        ("bdnf_methylation=0.3", r"use bdnf_methylation\+=D"),
        ("dmn_fc=0.8", r"use dmn_fc\+=D"),
        ("pyramidal_activity+=2", "use pyramidal_activity=FACTOR"),
        ("d2_occupancy=1.2", "outside 0 to 1"),
        ("d2_occupancy+=-0.1", "outside 0 to 1"),
        ("cacna1c_risk_variant=3", "outside 0 to 2"),
        ("chronic_stress=-1", "outside 0 to inf"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        parse_sweep(text)


def meant(text: str) -> set[str]:
    """Names of the perturbations in `text`; none where it is refused. Any other error escapes."""
    try:
        return {found.name for found in parse_sweep(text)}
    except UserError:
        return set()


@given(st.text(max_size=30))
def test_no_text_fails_but_by_a_user_error(text: str) -> None:
    assert meant(text) <= set(vocabulary())


@given(st.sampled_from(NAMES), st.text(alphabet="0123456789.:+-=@eE ,PV", max_size=12))
def test_whatever_follows_a_name_the_name_is_kept(name: str, tail: str) -> None:
    assert meant(f"{name}={tail}") <= {quantity(name).name}


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (Perturbation("KCNQ2", 0.6, cell="pyr", where="dlPFC"), "KCNQ2=0.6:E@dlPFC"),
        (Perturbation("SK3", 0.5), "SK3=0.5"),
        (Perturbation("d2_occupancy", 0.65, "+"), "d2_occupancy+=0.65"),
        (Perturbation("GRIN2B", -0.3, "+"), "GRIN2B+=-0.3"),
    ],
)
def test_a_record_means_what_the_same_text_means(record, text) -> None:
    assert resolved(record) == parse_perturbation(text)


def test_a_record_keeps_its_prior_and_source() -> None:
    change = Perturbation("GRIN2B", 0.7, sd=0.1, grade="B", source="somewhere")
    assert resolved(change) == Perturbation("nmda_conductance", 0.7, sd=0.1, grade="B", source="somewhere")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Perturbation("GRIN2X", 0.7), "GRIN2X"),
        (Perturbation("global_efficiency", 0.5), "is a readout"),
        (Perturbation("d2_occupancy", 0.5, "*"), "set or added to, not multiplied"),
        (Perturbation("d2_occupancy", 1.5, "+"), "outside"),
        (Perturbation("GRIN2B", 0.7, cell="XYZ"), "cell 'XYZ'"),
    ],
)
def test_a_record_is_held_to_the_rules_of_text(record, message) -> None:
    with pytest.raises(UserError, match=message):
        resolved(record)


def test_every_row_of_a_disorder_profile_obeys_the_same_rules() -> None:
    for row in disorders():
        change = Perturbation(row.name, row.value, row.op, row.cell or None, row.where or None, row.sd)
        assert resolved(change) == change, row
