"""Predictors that know nothing of the model say what their definition says, on rows with known answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synsys.knowledge.load import vocabulary
from synsys.scales import baselines
from synsys.scales.baselines import majority_sign, most, path_sign

A, B, C, D = ("gad1_expression", "pv_interneuron_function", "inhibitory_tone", "pyramidal_activity")
DISORDER = "disorder_scz"


@pytest.fixture
def wired(monkeypatch):
    """Replace the tables by a few signed edges."""

    def use(*edges: tuple[str, str, int]) -> None:
        table: dict[str, tuple] = {}
        for source, target, sign in edges:
            assert {source, target} <= vocabulary().keys()
            table[source] = (*table.get(source, ()), (target, sign))
        monkeypatch.setattr(baselines, "signed_edges", lambda: table)

    return use


@given(st.lists(st.sampled_from([-1, 0, 1])))
def test_most_is_the_sign_of_the_larger_camp(signs):
    up, down = signs.count(1), signs.count(-1)
    assert most(signs) == (up > down) - (up < down)


def test_majority_is_taken_over_the_other_rows_of_the_same_readout():
    rows = [("1", "gamma", -1), ("2", "gamma", -1), ("3", "gamma", +1), ("4", "rate", +1), ("5", "rate", +1)]
    assert majority_sign("gamma", "3", rows) == -1  # left: -1, -1
    assert majority_sign("gamma", "1", rows) == 0  # left: -1, +1
    assert majority_sign("rate", "4", rows) == +1


def test_a_repeated_claim_votes_once_and_never_for_itself():
    rows = [("1", "gamma", -1), ("1", "gamma", -1), ("1", "gamma", -1), ("2", "gamma", +1)]
    assert majority_sign("gamma", "2", rows) == -1
    assert majority_sign("gamma", "1", rows) == +1, "the claim's own repeats must not vote"
    thrice = [*rows, ("3", "gamma", +1)]
    assert majority_sign("gamma", "9", thrice) == +1, "one vote for claim 1, two for the others"


def test_a_readout_with_no_other_row_takes_the_majority_of_all():
    rows = [("1", "gamma", +1), ("2", "rate", -1), ("3", "tone", -1), ("4", "tone", +1), ("5", "x", -1)]
    assert majority_sign("gamma", "1", rows) == -1
    assert majority_sign("gamma", "1", rows[:1]) == 0


@given(st.sampled_from([-1, 1]), st.sampled_from([-1, 1]), st.sampled_from([-1, 1]))
def test_a_path_multiplies_the_signs_of_its_edges(first, second, change):
    table = {A: ((B, first),), B: ((D, second),)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "signed_edges", lambda: table)
        assert path_sign({A: change}, D) == change * first * second


def test_the_direct_edge_is_the_claim_itself_and_is_left_out(wired):
    wired((A, D, +1))
    assert path_sign({A: 1}, D) == 0
    wired((A, D, +1), (A, B, -1), (B, D, +1))
    assert path_sign({A: 1}, D) == -1


def test_only_the_shortest_paths_count_and_a_tie_says_nothing(wired):
    wired((A, B, +1), (B, D, -1), (A, C, +1), (C, B, +1), (C, "pv_rate", +1), ("pv_rate", D, +1))
    assert path_sign({A: 1}, D) == -1, "A-B-D has two edges, A-C-pv_rate-D three"
    wired((A, B, +1), (B, D, -1), (A, C, +1), (C, D, +1))
    assert path_sign({A: 1}, D) == 0
    wired((A, B, +1), (B, D, -1), (A, C, +1), (C, D, +1), (A, "pv_rate", +1), ("pv_rate", D, +1))
    assert path_sign({A: 1}, D) == +1


def test_paths_do_not_pass_through_a_disorder_but_may_start_at_one(wired):
    wired((A, DISORDER, +1), (DISORDER, D, -1))
    assert path_sign({A: 1}, D) == 0
    wired((DISORDER, B, -1), (B, D, -1))
    assert path_sign({DISORDER: 1}, D) == +1


def test_several_causes_vote_together(wired):
    wired((A, C, +1), (C, D, -1), (B, C, +1))
    assert path_sign({A: 1, B: 1}, D) == -1
    assert path_sign({A: 1, B: -1}, D) == 0


def test_cycles_end(wired):
    wired((A, B, +1), (B, A, -1), (B, C, +1), (C, B, +1))
    assert path_sign({A: 1}, D) == 0


def test_edges_of_the_tables_are_signed_and_named_as_in_the_vocabulary():
    table = baselines.signed_edges()
    assert sum(map(len, table.values())) > 200
    for source, found in table.items():
        for name, sign in ((source, 1), *found):
            assert name.startswith("activation:") or name in vocabulary()
            assert sign in (-1, 1)


def test_the_tables_say_that_gad1_methylation_lowers_gaba_by_way_of_expression():
    """gad1_methylation lowers gad1_expression (a link), which lowers inhibitory tone (claims)."""
    assert path_sign({"gad1_methylation": 1}, "inhibitory_tone") == -1
    assert path_sign({"gad1_methylation": -1}, "inhibitory_tone") == +1
