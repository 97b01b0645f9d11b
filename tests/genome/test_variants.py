"""Variants: doses become changes of gene products, unknown signs run both ways."""

import numpy as np
import pytest

from synsys.core.errors import UserError
from synsys.genome.variants import sampled_effects, variant_perturbations
from synsys.knowledge.genetics import genes, pathway_genes, variant_effects
from synsys.knowledge.load import entities, pathways, vocabulary
from synsys.knowledge.mechanisms import links
from synsys.knowledge.resolve import quantity, resolved
from synsys.knowledge.signaling import edges


def only(doses):
    (change,) = variant_perturbations(doses)
    return change


def test_every_row_changes_a_quantity_that_can_be_changed_in_the_way_it_can_be():
    for row in variant_effects():
        found = vocabulary()[row.quantity]
        assert found.perturbable
        assert found.multiplies == (row.law != "dose"), row.id


def test_the_genes_the_review_names_have_a_variant():
    """GN-02: CACNA1C, GRIN2B, DISC1, MIR137 and potassium channels."""
    assert {"CACNA1C", "GRIN2B", "DISC1", "MIR137", "KCNH2", "KCNN3", "KCNQ2"} <= {
        row.gene for row in variant_effects()
    }


def test_allele_doses_keep_the_vocabulary_rows_and_their_links_tell_size_and_sign():
    sources = {row.source for row in (*links(), *edges())}
    for row in variant_effects():
        if row.law == "dose":
            assert row.quantity in sources
            assert row.effect == 1
    change = only({"rs1006737": 2})
    assert (change.name, change.value, change.op, change.sd) == ("cacna1c_risk_variant", 2, "+", 0)


def test_no_copy_changes_nothing_and_two_copies_twice_the_logarithm():
    assert variant_perturbations({row.id: 0 for row in variant_effects() if row.law != "copies"}) == ()
    one, two = only({"rs6265": 1}), only({"rs6265": 2})
    assert np.log(two.value) == pytest.approx(2 * np.log(one.value))
    assert one.value < 1, "Met: less BDNF is secreted"
    assert two.sd == pytest.approx(2 * one.sd)


def test_an_unknown_sign_has_median_one_and_the_spread_of_both():
    row = next(row for row in variant_effects() if not row.sign_certain)
    change = only({row.id: 1})
    assert change.value == 1
    assert change.sd == pytest.approx(np.hypot(row.effect, row.sd))
    draws = sampled_effects(20000)[row.id]
    assert draws.std() == pytest.approx(change.sd, rel=0.05)
    assert (draws > 0).mean() == pytest.approx(0.5, abs=0.02)


def test_a_known_sign_is_the_same_in_every_draw():
    draws = sampled_effects(2000, 1)
    for row in variant_effects():
        if row.sign_certain:
            assert (np.sign(draws[row.id]) == np.sign(row.effect)).all()
    np.testing.assert_array_equal(draws["rs6265"], sampled_effects(2000, 1)["rs6265"])


def test_c4a_follows_its_copy_number():
    """Two copies are usual; brain RNA is proportional to copies (Sekar et al. 2016)."""
    assert variant_perturbations({"C4A_copies": 2}) == ()
    assert only({"C4A_copies": 4}).value == pytest.approx(2)
    assert only({"C4A_copies": 1}).value == pytest.approx(0.5)
    assert 0 < only({"C4A_copies": 0}).value < 0.1


def test_two_markers_of_one_locus_count_once():
    assert only({"rs1625579": 1, "rs1198588": 2}).value == 2


def test_a_wrong_variant_or_dose_is_named():
    with pytest.raises(UserError, match="did you mean rs6265"):
        variant_perturbations({"rs62655": 1})
    with pytest.raises(UserError, match="3 copies; 0 to 2"):
        variant_perturbations({"rs6265": 3})
    with pytest.raises(UserError, match="nan copies"):
        variant_perturbations({"rs6265": float("nan")})


def test_perturbations_are_ready_for_the_cascade():
    for change in variant_perturbations({row.id: 1 for row in variant_effects()}):
        assert resolved(change) == change


def test_every_pathway_has_genes_and_holds_those_its_row_names():
    members = pathway_genes()
    assert set(members) == set(pathways())
    symbols = {row.name for row in entities() if row.type == "gene"}
    for name, row in pathways().items():
        named = {entity for entity in row.entities if entity in symbols}
        assert named <= set(members[name]), name
        assert len(members[name]) >= 15


def test_genes_are_those_of_the_vocabulary_and_their_identifiers_are_unique():
    table = genes()
    for row in vocabulary().values():
        for gene in row.genes:
            if gene != "MIR124":  # three loci
                assert gene in table, gene
                assert quantity(gene).name == row.name
    for field in ("ensembl", "entrez", "mouse", "mouse_entrez"):
        values = [getattr(gene, field) for gene in table.values() if getattr(gene, field)]
        assert len(values) == len(set(values)), field
    assert table["GRIN2B"].ensembl == "ENSG00000273079"
    assert table["GRIN2B"].entrez == 2904
    for row in entities():
        if row.type == "gene" and row.name in table:
            listed = f"NCBIGene:{table[row.name].entrez}"
            assert listed in row.identifiers or not any(i.startswith("NCBI") for i in row.identifiers)
