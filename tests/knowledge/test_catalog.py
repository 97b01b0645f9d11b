"""A catalog finds what a scientist would type; paths carry sign and evidence."""

import io

import pytest
from rich.console import Console

from synsys.core.errors import UserError
from synsys.knowledge.catalog import CATALOGS, NO_EFFECT, catalog, print_catalog
from synsys.knowledge.graph import STRENGTHS, Path, edges, paths
from synsys.knowledge.load import claims, vocabulary
from synsys.knowledge.mechanisms import disorders
from synsys.knowledge.signaling import FAST
from synsys.knowledge.signaling import edges as regulators


def printed(kind: str, search: str | None = None, width: int = 80) -> str:
    out = io.StringIO()
    print_catalog(kind, search, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize("kind", CATALOGS)
def test_every_catalog_prints_within_the_terminal(kind: str) -> None:
    lines = printed(kind, width=80).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert lines[-1] == f"{len(catalog(kind))} {kind}"


def test_catalogs_hold_the_vocabulary_by_kind() -> None:
    rows = vocabulary().values()
    assert set(catalog("perturbations").index) == {
        row.name for row in rows if row.kind in ("perturbation", "both")
    }
    assert set(catalog("readouts").index) == {row.name for row in rows if row.kind in ("readout", "both")}
    assert set(catalog("therapies").index) == {row.name for row in rows if row.kind == "therapy"}
    assert len(catalog("disorders")) == 8
    assert set(catalog("claims").index) == set(claims())


@pytest.mark.parametrize("alias", ["SK3", "sk3", "KCa2.3", "KCNN3", "kcnn3_conductance"])
def test_an_alias_finds_the_channel_it_names(alias: str) -> None:
    assert catalog("perturbations", alias).index[0] == "kcnn3_conductance"


def test_a_gene_symbol_does_not_match_inside_another() -> None:
    assert list(catalog("perturbations", "SK3").index) == ["kcnn3_conductance"]


def test_a_gene_also_finds_what_it_bears_on() -> None:
    found = list(catalog("perturbations", "CACNA1C").index)
    assert found[0] == "cacna1c_conductance"
    assert {"cacna1c_risk_variant", "intracellular_calcium"} <= set(found)


def test_search_looks_into_definitions_and_inside_words_if_need_be() -> None:
    assert "hdac2_activity" in catalog("perturbations", "deacetylase").index
    assert list(catalog("perturbations", "yperpolar").index) == ["hcn_conductance"]
    assert catalog("perturbations", "(").index.isin(catalog("perturbations").index).all()


def test_search_finds_claims_by_gene_and_by_contradiction() -> None:
    about = catalog("claims", "SK3")
    assert {"C620", "C622"} <= set(about.index)
    assert (about["from"] == "kcnn3_conductance").all()
    assert set(catalog("claims", "K03").index) == {"C282", "C283", "C319", "C659"}


def test_disorders_outside_table_2_say_so() -> None:
    source = catalog("disorders")["source"]
    outside = set(source.index[source.str.startswith("outside Table 2")])
    assert outside == {"disorder_asd", "disorder_anx", "disorder_ptsd", "disorder_ocd"}


def test_every_disorder_shows_the_perturbations_of_its_profile() -> None:
    shown = catalog("disorders")["profile"]
    for change in disorders():
        assert f"{change.name}" in shown[change.disorder]
        assert f" {change.value:g} (grade {change.grade})" in shown[change.disorder]
    assert not shown["disorder_any"]


def test_a_therapy_shows_targets_and_the_limitation_of_its_row() -> None:
    text = " ".join(printed("therapies", "ketamine").split())
    assert "NMDA-receptor block" in text
    assert "dissociation" in text


def test_perturbations_without_effect_are_marked() -> None:
    effect = catalog("perturbations")["effect"]
    assert effect["ei_ratio"] == NO_EFFECT
    assert not effect[["nmda_conductance", "d2_occupancy", "gsk3b_activity"]].any()
    assert "effect: none" in " ".join(printed("perturbations", "ei_ratio").split())
    assert "effect:" not in printed("perturbations", "SK3")


def test_unknown_catalogs_and_empty_searches_are_user_errors() -> None:
    with pytest.raises(UserError, match="did you mean readouts"):
        catalog("readout")
    with pytest.raises(UserError, match="nothing among 575 claims matches 'zebrafish'"):
        printed("claims", "zebrafish")
    assert catalog("claims", "zebrafish").empty


def joined(found: Path) -> bool:
    return all(one.target == two.source for one, two in zip(found.edges, found.edges[1:], strict=False))


def test_cacna1c_reaches_affective_instability_with_evidence() -> None:
    found = paths("CACNA1C", "affective_instability", 4)
    assert any(
        path.edges[0].source == "cacna1c_conductance" and "C618" in path.edges[0].evidence for path in found
    )
    assert all(joined(path) and path.edges[-1].target == "affective_instability" for path in found)
    assert [path.rank for path in found] == sorted(path.rank for path in found)
    assert all(edge.evidence and edge.strength in STRENGTHS for path in found for edge in path.edges)


def test_the_sign_of_a_path_is_the_product_of_its_edges() -> None:
    (path,) = [p for p in paths("gad1_methylation", "working_memory", 3) if len(p.edges) == 3 and p.sign]
    assert [edge.sign for edge in path.edges] == [-1, 1, 1]
    assert path.sign == -1
    assert path.levels == ("epigenetic", "molecular", "microcircuit", "symptom")
    assert str(path) == "gad1_methylation -(-)-> gad1_expression -(+)-> inhibitory_tone -(+)-> working_memory"


def test_unsigned_evidence_leaves_a_path_without_a_sign() -> None:
    direct = [path for path in paths("cacna1c_conductance", "affective_instability", 1)]
    assert [path.sign for path in direct] == [0]


def test_paths_grow_with_their_length_and_visit_nothing_twice() -> None:
    short, long = (set(map(str, paths("GRIN2B", "cognition", n))) for n in (2, 4))
    assert short < long
    for path in paths("GRIN2B", "cognition", 4):
        names = [path.edges[0].source, *(edge.target for edge in path.edges)]
        assert len(set(names)) == len(names)


def test_no_path_goes_through_a_disorder() -> None:
    found = paths("cacna1c_risk_variant", "affective_instability", 4)
    assert all("disorder" not in path.levels for path in found)
    assert paths("cacna1c_risk_variant", "disorder_bd", 1)


def test_drugs_reach_the_circuit_through_the_receptor_they_occupy() -> None:
    found = paths("d2_occupancy", "excitatory_drive", 2)
    (striatal,) = [path for path in found if "striatum" in path.edges[-1].regions]
    assert striatal.edges[0].target == "activation:D2"
    assert striatal.edges[0].sign == -1


def test_regulators_of_molecules_are_on_the_paths_with_their_sign() -> None:
    """GSK3B raises the loss of beta-catenin (destruction complex), so it lowers it; BDNF activates TrkB."""
    by_id = {name: edge for found in edges().values() for edge in found for name in edge.evidence}
    assert by_id["gsk3b_activity->wnt_beta_catenin:loss"].sign == -1
    assert by_id["bdnf->trkb_activity"].sign == 1
    for row in regulators():
        if row.source in FAST or row.source == row.target:
            assert row.id not in by_id, "what activity does is computed, no path of the tables"
        elif not row.sign_certain:
            assert by_id[row.id].sign == 0, row.id
        else:
            assert by_id[row.id].sign == (-1 if (row.strength < 0) != (row.acts_on == "loss") else 1), row.id
    chain = next(path for path in paths("bdnf", "glutamate_release", 2) if len(path.edges) == 2)
    assert [edge.target for edge in chain.edges] == ["trkb_activity", "glutamate_release"]
    assert chain.sign == 1


def test_every_claim_is_in_the_graph() -> None:
    held = {name for found in edges().values() for edge in found for name in edge.evidence}
    assert set(claims()) <= held


def test_paths_between_unknown_or_no_distance_are_user_errors() -> None:
    with pytest.raises(UserError, match="did you mean CACNA1C"):
        paths("CACNA1CC", "cognition")
    with pytest.raises(UserError, match="at least 1 edge"):
        paths("CACNA1C", "cognition", 0)
