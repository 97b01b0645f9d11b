"""The tables hold what the source review says, link to each other, and refuse what is malformed."""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synsys.core.errors import UserError
from synsys.knowledge import load
from synsys.knowledge.atlas import loci
from synsys.knowledge.facts import Claim, Quantity
from synsys.knowledge.rows import TableError, load_table, parse_table
from synsys.knowledge.signaling import nodes

DISORDERS = (
    "disorder_scz",
    "disorder_mdd",
    "disorder_bd",
    "disorder_asd",
    "disorder_anx",
    "disorder_ptsd",
    "disorder_ocd",
)


@dataclass(frozen=True)
class Sample:
    """A row with a column of every type."""

    key: ClassVar[tuple[str, ...]] = ("name", "cell")
    name: str
    cell: str
    tau: float
    count: int
    free: bool
    law: Literal["power", "exp"]
    tags: tuple[str, ...]
    low: float | None
    note: str = "none"

    def __post_init__(self) -> None:
        if self.tau <= 0:
            raise ValueError("tau must be > 0")


HEADER = "name,cell,tau,count,free,law,tags,low,note\n"
GOOD = "a,E,2.5,3,yes,exp,x | y,,\n"


def test_every_type_of_cell_is_read() -> None:
    (row,) = parse_table(HEADER + GOOD, "t.csv", Sample)
    assert row == Sample("a", "E", 2.5, 3, True, "exp", ("x", "y"), None, "none")


def test_columns_may_come_in_any_order_and_blank_lines_are_skipped() -> None:
    text = "note,low,tags,law,free,count,tau,cell,name\n\nhello,-1,,power,no,0,1,PV,b\n"
    assert parse_table(text, "t.csv", Sample) == (
        Sample("b", "PV", 1.0, 0, False, "power", (), -1.0, "hello"),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEADER.replace("tau", "tua") + GOOD, "line 1: unknown column 'tua'; did you mean tau?"),
        (HEADER.replace(",note", "") + GOOD, "line 1: missing column 'note'"),
        (HEADER.replace("note", "name") + GOOD, "line 1: column 'name' appears twice"),
        (HEADER + GOOD + GOOD, "line 3: name = 'a', cell = 'E' repeats line 2"),
        (HEADER + GOOD.replace("2.5", "fast"), "line 2, column 'tau': 'fast' is not a number"),
        (HEADER + GOOD.replace("2.5", "nan"), "line 2, column 'tau': 'nan' is not a finite number"),
        (HEADER + GOOD.replace("2.5", "-1"), "line 2: tau must be > 0"),
        (HEADER + GOOD.replace(",3,", ",3.5,"), "line 2, column 'count': '3.5' is not a whole number"),
        (HEADER + GOOD.replace("yes", "maybe"), "line 2, column 'free': 'maybe' is not yes or no"),
        (HEADER + GOOD.replace("exp", "expo"), "'expo' is not accepted; did you mean exp?"),
        (HEADER + GOOD.replace("a,E", "a,"), "line 2, column 'cell': is empty"),
        (HEADER + "a,E,2.5\n", "line 2: 3 cells, but the header has 9 columns"),
        (HEADER + '"a\nb",E,2.5,3,yes,exp,,,\na,E,x,3,yes,exp,,,\n', "line 4, column 'tau'"),
    ],
)
def test_a_malformed_table_is_refused_with_file_line_and_column(text: str, says: str) -> None:
    with pytest.raises(TableError, match=r"^t\.csv, ") as caught:
        parse_table(text, "t.csv", Sample)
    assert says in str(caught.value)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-300), max_size=5))
def test_numbers_survive_the_table_exactly(values: list[float]) -> None:
    text = HEADER + "".join(f"row{i},E,{value!r},1,no,exp,,,\n" for i, value in enumerate(values))
    assert [row.tau for row in parse_table(text, "t.csv", Sample)] == values


def test_entities_of_the_source_are_all_there() -> None:
    found = Counter(row.type for row in load.entities() if row.origin == "source")
    assert found == {"gene": 32, "disease": 59, "chemical": 16, "species": 1}


def test_every_identifier_of_the_entity_list_is_kept(dev_data: Path) -> None:
    full = (dev_data / "paper" / "entities.md").read_text().split("## Full-text entities")[1]
    kept = {name for row in load.entities() if row.origin == "source" for name in row.identifiers}
    named = {f"NCBIGene:{number}" for number in re.findall(r"NCBI Gene (\d+)", full)}
    named |= set(re.findall(r"(?:MESH|OMIM):\w+", full))
    assert named <= kept


def test_a_gene_has_one_number_and_no_number_two_genes() -> None:
    genes = [row for row in load.entities() if row.type == "gene"]
    numbers = [name for row in genes for name in row.identifiers if name.startswith("NCBIGene:")]
    assert len(set(numbers)) == len(numbers)
    assert [row.name for row in genes if not row.identifiers] == []


def test_wrong_links_are_kept_flagged_and_overridden() -> None:
    raw = {row.name: row for row in load.entities() if row.origin == "source"}
    meant = {name: row.resolves_to for name, row in raw.items() if row.flag}
    assert "NCBIGene:820" in raw["CAMP"].identifiers
    assert meant["CAMP"] == "cAMP"
    assert meant["PTK2B"] == "AKT1"
    assert {meant[name] for name in ("HDAC9", "NTF3", "PIK3CB", "PRKAB1", "SHANK2")} == {
        "HDAC", "neurotrophins", "PI3K", "AMPK", "SHANK",
    }  # fmt: skip
    assert {"AI", "GNNs", "PV", "LTD", "mitochondria", "cortical"} <= set(meant)
    assert meant["3-hydroxy-5-methyl-4-isoxazolepropionic acid"] == "AMPA"
    names = {row.name for row in load.entities()}
    assert {name for name in meant.values() if name} <= names


def test_table_1_has_17_pathways_each_with_causes_and_readouts() -> None:
    names = {name for row in load.entities() for name in row.names}
    assert list(load.pathways()) == [f"T1-{i:02d}" for i in range(1, 18)]
    for row in load.pathways().values():
        assert row.entities, row.id
        assert set(row.entities) <= names, row.id
        assert row.perturbations, row.id
        assert all(load.vocabulary()[name].perturbable for name in row.perturbations), row.id
        assert row.readouts, row.id
        assert all(load.vocabulary()[name].kind in ("readout", "both") for name in row.readouts), row.id


def test_table_2_has_21_cells_and_four_disorders_stand_outside_it() -> None:
    cells = load.disorder_cells()
    inside = Counter(cell.disorder for cell in cells if not cell.outside_table_2)
    assert inside == {"disorder_scz": 7, "disorder_mdd": 7, "disorder_bd": 7}
    outside = [cell for cell in cells if cell.outside_table_2]
    assert {cell.disorder for cell in outside} == set(DISORDERS[3:])
    assert all(cell.sections and cell.claims for cell in outside)
    for cell in cells:
        assert set(cell.quantities) <= set(load.vocabulary()), cell.id
        load.cited(*cell.claims)


def test_a_cell_outside_table_2_cites_the_sections_of_its_claims() -> None:
    for cell in load.disorder_cells():
        if cell.outside_table_2:
            assert {load.claims()[name].section for name in cell.claims} <= set(cell.sections), cell.id


def test_claims_cited_for_a_disorder_are_about_it() -> None:
    for cell in load.disorder_cells():
        short = cell.disorder.removeprefix("disorder_").upper()
        for claim in load.cited(*cell.claims):
            assert {short, "any"} & set(claim.condition), f"{cell.id} cites {claim.id}"


def test_table_3_has_14_therapies_each_with_targets_and_a_name_to_run() -> None:
    names = {name for row in load.entities() for name in row.names}
    assert list(load.therapies()) == [f"T3-{i:02d}" for i in range(1, 15)]
    for row in load.therapies().values():
        assert row.names, row.id
        assert {load.vocabulary()[name].kind for name in row.names} == {"therapy"}, row.id
        assert row.entities, row.id
        assert set(row.entities) <= names, row.id
        assert row.networks, row.id
        assert set(row.networks) <= {locus.name for locus in loci()}, row.id
        assert any(load.vocabulary()[name].perturbable for name in row.quantities), row.id
        assert all((row.molecular_targets, row.network_targets, row.rationale, row.limitation)), row.id


def test_own_words_share_no_run_of_seven_with_the_source(dev_data: Path) -> None:
    def words(text: str) -> list[str]:
        return re.findall(r"[a-z0-9α-ω]+", text.casefold())

    source = words((dev_data / "paper" / "tables.md").read_text())
    runs = {tuple(source[i : i + 7]) for i in range(len(source) - 6)}
    rows = (*load.pathways().values(), *load.therapies().values(), *load.disorder_cells())
    for row in rows:
        for name, cell in vars(row).items():
            ours = words(cell) if isinstance(cell, str) else []
            copied = [ours[i : i + 7] for i in range(len(ours) - 6) if tuple(ours[i : i + 7]) in runs]
            assert not copied, f"{row.id} {name}: {copied}"


def test_the_vocabulary_holds_every_name_of_the_source_unchanged(dev_data: Path) -> None:
    with (dev_data / "claims" / "vocabulary.csv").open() as file:
        source = {row["name"]: row for row in csv.DictReader(file)}
    ours = load.vocabulary()
    assert set(source) <= set(ours)
    changed = {
        (name, column)
        for name, row in source.items()
        for column in ("level", "kind", "unit")
        if getattr(ours[name], column) != row[column]
    }
    assert {pair for pair in changed if pair[0] not in nodes()} == {
        *((name, "kind") for name in ("glutamate_release", "pfc_dopamine", "neurovascular_coupling", "ltd")),
        ("prediction_error", "unit"),
    }
    for name, column in changed:  # a node of the signaling network can be moved and read
        if name in nodes():
            assert column == "kind"
            assert ours[name].kind == "both"


def test_no_name_alias_or_gene_means_two_quantities() -> None:
    owner: dict[str, str] = {}
    for row in load.vocabulary().values():
        for name in (row.name, *row.genes, *row.aliases):
            assert owner.setdefault(name.casefold(), row.name) == row.name, name


def test_every_gene_of_the_vocabulary_is_a_known_gene() -> None:
    genes = {row.name for row in load.entities() if row.type == "gene"}
    for row in load.vocabulary().values():
        assert {*row.genes, *row.related} <= genes, row.name


def test_every_quantity_shows_a_limitation_and_a_source() -> None:
    for row in load.vocabulary().values():
        assert load.limitation(row.limitation_id)
        assert row.source, row.name
        assert row.definition, row.name


def test_every_pathway_limitation_is_reachable_from_one_of_its_own_quantities() -> None:
    for row in load.pathways().values():
        quantities = [load.vocabulary()[name] for name in (*row.perturbations, *row.readouts)]
        assert row.id in {found.limitation_id for found in quantities}, row.id
    for therapy in load.therapies().values():
        assert {load.vocabulary()[name].limitation_id for name in therapy.names} == {therapy.id}


def test_unknown_limitation_names_the_closest() -> None:
    with pytest.raises(UserError, match="T1-17"):
        load.limitation("T1-71")


def test_what_can_be_perturbed_says_what_a_step_is() -> None:
    unscaled = {row.name for row in load.vocabulary().values() if row.perturbable and not row.unit_step}
    assert unscaled == {"network_topology", "latent_parameters", "speech_gait_features", "digital_markers"}
    for row in load.vocabulary().values():
        if row.unit == "fraction of normal":
            assert row.multiplies, row.name
            assert row.healthy == 1, row.name
        if row.unit == "fraction 0-1":
            assert (row.healthy, row.low, row.high) == (0, 0, 1), row.name


def test_a_healthy_value_outside_its_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="lies outside"):
        Quantity("x", "molecular", "both", "fraction 0-1", "test", "0.25", healthy=2.0, low=0.0, high=1.0)
    with pytest.raises(ValueError, match="unit_step"):
        Quantity("x", "molecular", "both", "fraction 0-1", "test", "-1")


def test_the_ledger_equals_the_development_ledger(dev_data: Path) -> None:
    assert load.read_claims(dev_data / "claims" / "claims.csv") == tuple(load.claims().values())


def test_claims_name_quantities_at_their_level() -> None:
    assert len(load.claims()) == 575
    for claim in load.claims().values():
        assert load.vocabulary()[claim.entity_from].level == claim.level_from, claim.id
        assert load.vocabulary()[claim.entity_to].level == claim.level_to, claim.id


def test_citing_an_unknown_claim_fails() -> None:
    assert [claim.entity_to for claim in load.cited("C067", "C696")] == ["gamma_power", "nmda_conductance"]
    with pytest.raises(UserError, match="unknown claim 'C999'"):
        load.cited("C067", "C999")


def test_a_claims_file_may_have_fewer_or_more_columns_than_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "unseen.csv"
    path.write_text(
        "id,section,level_from,entity_from,change_from,level_to,entity_to,change_to,reviewer\n"
        "X1,9,molecular,nmda_conductance,-1,oscillation,gamma_power,-1,me\n"
    )
    (claim,) = load.read_claims(path)
    assert (claim.id, claim.entity_to, claim.condition, claim.contradictions) == ("X1", "gamma_power", (), ())


def test_an_unreadable_claims_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load.read_claims(tmp_path / "nowhere.csv")
    (tmp_path / "bad.csv").write_text("id,section\nX1,9\n")
    with pytest.raises(UserError, match="missing column 'level_from'"):
        load.read_claims(tmp_path / "bad.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not a UTF-8 text file"):
        load.read_claims(tmp_path / "binary.csv")


def test_every_contradiction_has_two_sides_with_their_context() -> None:
    assert list(load.contradictions()) == [f"K{i:02d}" for i in range(1, 16)]
    for found in load.contradictions().values():
        assert {side.side for side in found.sides} >= {"a", "b"}, found.id
        for side in found.sides:
            assert side.topic == found.topic, found.id
            assert any((side.dose, side.phase, side.age, side.region, side.disorder, side.band)), found.id
    assert {name for name, found in load.contradictions().items() if found.hard} == {
        "K01",
        "K03",
        "K04",
        "K06",
        "K12",
    }


def test_the_sides_of_a_contradiction_hold_exactly_the_claims_tagged_with_it() -> None:
    for name, found in load.contradictions().items():
        tagged = {claim.id for claim in load.claims().values() if name in claim.contradictions}
        assert {claim for side in found.sides for claim in side.claims} == tagged, name


def test_ketamine_is_lesion_and_therapy() -> None:
    sides = load.contradiction("K01").claims
    assert {claim.entity_from for claim in load.cited(*sides["a"])} == {"nmda_conductance"}
    assert {claim.entity_from for claim in load.cited(*sides["b"])} == {"ketamine"}
    with pytest.raises(UserError, match="K01 to K15"):
        load.contradiction("K16")


def test_a_side_without_a_claim_says_which_section_has_it() -> None:
    bare = [
        (side.id, side.side)
        for found in load.contradictions().values()
        for side in found.sides
        if not side.claims
    ]
    assert bare == [("K03", "b"), ("K12", "b"), ("K14", "b")]
    assert [side.sections for side in load.contradiction("K03").sides] == [("4.1", "4.3", "T2-MDD"), ("8",)]


def test_the_packaged_ledger_is_read_as_claims() -> None:
    assert {type(row) for row in load_table("claims.csv", Claim)} == {Claim}
