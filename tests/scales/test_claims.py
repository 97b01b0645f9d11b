"""Claims are put to the model as their text says, judged by declared rules, and counted honestly."""

import json
import re
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from synsys import cli
from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.facts import Claim
from synsys.knowledge.load import claims as ledger
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import disorders
from synsys.knowledge.symptoms import symptoms
from synsys.mind.readouts import available
from synsys.mind.symptoms import readable
from synsys.scales import scoring
from synsys.scales.answers import LOCAL, Answer, Answers, Plan, draw_answers
from synsys.scales.claims import ClaimsResult, Row, check_claims, judge, print_claims, to_json
from synsys.scales.questions import Question, Tables, ask, causes_of
from synsys.scales.runs import Runner
from synsys.scales.scoring import Guess, compare, verdict, wilson

REGIONS = (
    "L.rostralmiddlefrontal", "L.medialorbitofrontal", "L.precuneus", "L.insula", "L.pericalcarine",
    "L.precentral", "L.thalamus",
)  # fmt: skip
COMPUTED = {"pyramidal_activity", "gamma_power", "network_dysconnectivity", "synaptic_strength", "dmn_fc"}
HEADER = "id,section,level_from,entity_from,change_from,level_to,entity_to,change_to"


@pytest.fixture(scope="module")
def brain() -> Connectome:
    """Six cortical regions and a thalamus of the embedded brain."""
    return load_embedded().part(REGIONS)


@pytest.fixture(scope="module", autouse=True)
def median_conductances():
    """Every conductance at its prior median: well damped, and the same when the model is calibrated anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synsys.brain.draws.Draw.conductances", lambda draw, share=1.0: {})
        yield


@pytest.fixture(scope="module")
def places(brain) -> Tables:
    return Tables(BrainModel(brain), [Draw(None)])


@pytest.fixture(scope="module")
def whole() -> Tables:
    return Tables(BrainModel(load_embedded()), [Draw(None)])


def claim(
    cause: str, change: str, readout: str, expected: str, role: str = "emergent", name: str = "X"
) -> Claim:
    return Claim(name, "test", "", cause, change, "", readout, expected, test_role=role)


def write(path, rows, header=HEADER + ",test_role"):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


# Verdicts


@given(st.integers(1, 300), st.data())
def test_a_claim_and_its_opposite_get_mirrored_verdicts(n, data):
    p = (data.draw(st.integers(0, n)) + 0.5) / (n + 1)
    d = data.draw(st.floats(-5, 5))
    mirror = {scoring.PASS: scoring.FAIL, scoring.FAIL: scoring.PASS}
    first = verdict(scoring.probability_of(1, p), d)
    assert verdict(scoring.probability_of(-1, p), d) == mirror.get(first, first)


@given(st.floats(0, 1), st.floats(-5, 5))
def test_small_effects_are_negligible_whatever_their_sign(p, d):
    assert (verdict(p, d) == scoring.NEGLIGIBLE) == (abs(d) < 0.1)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.9, "pass"), (1.0, "pass"), (0.8999, "not significant"),
        (0.1001, "not significant"), (0.1, "fail"), (0.0, "fail"),
    ],
)  # fmt: skip
def test_thresholds_are_inclusive(p, expected):
    assert verdict(p, 1.0) == expected
    assert verdict(p, float("nan")) == expected, "an unknown spread hides no verdict"


def test_128_draws_need_116_of_the_expected_sign():
    """(n + 1/2) / 129 >= 0.9 from n = 115.6."""
    assert verdict(115.5 / 129, 1.0) == "not significant"
    assert verdict(116.5 / 129, 1.0) == "pass"


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_interval_equals_scipy(hits, n):
    hits = min(hits, n)
    oracle = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits, n) == pytest.approx((oracle.low, oracle.high), abs=1e-6)


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0) == (0.0, 1.0)


# Skill


def test_skill_is_the_difference_where_the_answers_differ():
    guesses = [
        Guess(+1, +1, {"b": +1}),  # both right: no disagreement
        Guess(+1, +1, {"b": -1}),
        Guess(-1, -1, {"b": +1}),
        Guess(-1, 0, {"b": -1}),  # the model is not sure, the baseline right
        Guess(-1, +1, {"b": 0}),  # the baseline has nothing to say, the model is wrong
    ]
    found = compare(guesses, "b")
    assert found.accuracy == pytest.approx(2 / 5)
    assert (found.answered, found.disagree) == (4, 4)
    assert (found.model_there, found.baseline_there) == (pytest.approx(2 / 4), pytest.approx(1 / 4))
    assert found.skill == pytest.approx(1 / 4)


@given(
    st.lists(st.tuples(st.sampled_from([-1, 1]), st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 0, 1])))
)
def test_skill_lies_between_minus_one_and_one_and_its_sign_is_that_of_the_accuracy_gap(rows):
    guesses = [Guess(e, m, {"b": b}) for e, m, b in rows]
    found = compare(guesses, "b")
    if found.skill is None:
        assert all(m == b for _, m, b in rows)
        return
    gap = sum(m == e for e, m, _ in rows) - sum(b == e for e, _, b in rows)
    assert found.skill * found.disagree == pytest.approx(gap)
    assert -1 <= found.skill <= 1


def test_the_best_baseline_is_the_most_accurate():
    guesses = [Guess(+1, 0, {"a": -1, "b": +1}), Guess(-1, 0, {"a": +1, "b": -1})]
    found = {name: compare(guesses, name) for name in "ab"}
    assert scoring.best(found) == "b"
    assert scoring.best({name: compare([], name) for name in "ab"}) is None


# What a claim means


def test_a_sign_is_a_factor_on_fractions_and_one_unit_step_elsewhere(whole):
    up, down = (
        ask(claim("ampa_conductance", sign, "gamma_power", "+1"), COMPUTED, whole) for sign in ("+1", "-1")
    )
    assert [str(change) for state in (*up.states, *down.states) for change in state] == [
        "ampa_conductance=1.25", "ampa_conductance=0.8",
    ]  # fmt: skip
    found = ask(claim("il6", "+1", "gamma_power", "-1"), COMPUTED, whole)
    step = float(vocabulary()["il6"].unit_step)
    assert [(c.op, c.value) for state in found.states for c in state] == [("+", step)]


def test_altered_is_run_both_ways_and_expects_nothing(whole):
    found = ask(claim("na_conductance", "altered", "gamma_power", "altered"), COMPUTED, whole)
    assert [state[0].value for state in found.states] == [1.25, 0.8]
    assert found.expected is None
    assert found.change is None


def test_altered_goes_one_way_where_health_is_the_end_of_the_scale(whole):
    found = ask(claim("metabolic_stress", "altered", "gamma_power", "+1"), COMPUTED, whole)
    assert vocabulary()["metabolic_stress"].low == vocabulary()["metabolic_stress"].healthy == 0
    assert [state[0].value for state in found.states] == [0.25]


def test_present_is_the_profile_and_any_disorder_is_all_seven(whole):
    found = ask(claim("disorder_scz", "present", "gamma_power", "-1"), COMPUTED, whole)
    rows = [row for row in disorders() if row.disorder == "disorder_scz"]
    assert [(c.name, c.value) for c in found.states[0]] == [(row.name, row.value) for row in rows]
    assert len(found.states) == 1
    everything = ask(claim("disorder_any", "present", "gamma_power", "-1"), COMPUTED, whole)
    assert len(everything.states) == 7
    assert found.states[0] in everything.states


@pytest.mark.parametrize(
    ("cause", "change", "readout", "expected", "label", "reason"),
    [
        ("ketamine", "+1", "gamma_power", "+1", scoring.ABSENT, "ketamine"),
        ("small_cohort", "present", "gamma_power", "-1", scoring.ABSENT, "method"),
        ("nmda_conductnce", "-1", "gamma_power", "-1", scoring.ABSENT, "did you mean nmda_conductance"),
        ("nmda_conductance", "-1", "gama_power", "-1", scoring.ABSENT, "did you mean gamma_power"),
        ("nmda_conductance", "-1", "working_memory", "-1", scoring.ABSENT, "no task or measure"),
        ("global_efficiency", "-1", "gamma_power", "-1", scoring.ABSENT, "readout"),
        ("il6", "present", "gamma_power", "-1", scoring.ABSENT, "disorder profile"),
        ("neuroinflammation", "-1", "gamma_power", "-1", scoring.ABSENT, "beyond"),
        ("disorder_mdd", "-1", "gamma_power", "-1", scoring.ABSENT, "present"),
        ("nmda_conductance", "-1", "network_dysconnectivity", "+1", scoring.CONSTRUCTED, "distance"),
        ("nmda_conductance", "-1", "nmda_conductance", "-1", scoring.CONSTRUCTED, "perturbed"),
        ("gad1_methylation", "+1", "gad1_expression", "-1", scoring.CONSTRUCTED, "rows"),
        ("nmda_conductance", "-1", "bdnf", "-1", scoring.ABSENT, "takes time"),
        ("nmda_conductance", "-1", "gamma_power", "normalised", scoring.UNSCORED, "normalised"),
        ("nmda_conductance", "shifted", "gamma_power", "+1", scoring.UNSCORED, "shifted"),
    ],
)
def test_what_the_model_cannot_be_asked_is_settled_with_its_reason(
    whole, cause, change, readout, expected, label, reason
):
    found = ask(claim(cause, change, readout, expected), COMPUTED, whole)
    assert found.settled == label
    assert reason in found.reason


def test_a_wired_claim_shows_the_sign_of_the_tables(whole):
    up = ask(claim("gad1_methylation", "+1", "gad1_expression", "-1"), COMPUTED, whole)
    down = ask(claim("gad1_methylation", "-1", "gad1_expression", "-1"), COMPUTED, whole)
    assert (up.wired, down.wired) == (-1, +1)


def test_a_readout_that_restates_what_is_perturbed_is_no_evidence(whole):
    for cause, change, readout, wired in (
        ("spine_density", "-1", "synaptic_strength", -1),
        ("nmda_occupancy", "+1", "synaptic_strength", -1),
        ("gabaa_conductance", "-1", "ei_ratio", +1),
        ("nmda_conductance", "-1", "topdown_control", 0),  # the circuit says which way
    ):
        computed = COMPUTED | {"ei_ratio", "topdown_control"}
        found = ask(claim(cause, change, readout, "-1"), computed, whole)
        assert (found.settled, found.wired) == (scoring.CONSTRUCTED, wired), (cause, readout)


def test_what_formulas_of_inference_carry_is_no_evidence(whole):
    """The cause is a parameter of inference, the readout computed from it: no circuit lies between."""
    computed = available() | readable(symptoms(), available())
    for name in ("C417", "C418", "C420"):
        found = ask(ledger()[name], computed, whole)
        assert (found.settled, "tables alone" in found.reason) == (scoring.CONSTRUCTED, True), name


def test_a_symptom_and_what_it_is_read_from_are_circular(whole, capsys):
    """Counted apart from what rows of the tables carry: it says nothing about the model at all."""
    computed = available() | readable(symptoms(), available())
    found = {name: ask(ledger()[name], computed, whole).settled for name in ("C417", "C421", "C422")}
    assert found == {"C417": scoring.CONSTRUCTED, "C421": scoring.CIRCULAR, "C422": scoring.CIRCULAR}
    rows = [
        Row(claim("a", "+1", "b", "+1", name=name), "+1", None, None, None, label, "")
        for name, label in found.items()
    ]
    result = ClaimsResult("x", "x", 0, 2, 0, tuple(rows), (), {}, None)
    assert result.totals == {"emergent": {scoring.CONSTRUCTED: 1, scoring.CIRCULAR: 2}}
    assert json.loads(to_json(result))["totals"] == result.totals
    from rich.console import Console

    print_claims(result, Console(width=200, force_terminal=False))
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["role", "by", "constr.", "cir-", "cular"] in printed
    assert ["emergent", "1", "2"] in printed


def test_a_profile_of_a_place_that_the_brain_lacks_is_not_represented(places):
    found = ask(claim("disorder_scz", "present", "gamma_power", "-1"), COMPUTED, places)
    assert found.settled == scoring.ABSENT
    assert "striatum" in found.reason


def test_every_claim_of_the_ledger_can_be_asked(whole):
    computed = {name for name, row in vocabulary().items() if row.level in ("oscillation", "network")}
    found = [ask(row, computed, whole) for row in ledger().values()]
    assert all(bool(q.settled) != bool(q.states) for q in found)
    assert all(q.reason for q in found if q.settled)
    assert Counter(q.settled for q in found)[""] > 50


def test_a_disorder_changes_what_its_profile_names(whole):
    found = ask(claim("disorder_scz", "present", "gamma_power", "-1"), COMPUTED, whole)
    causes = causes_of(found)
    assert causes["disorder_scz"] == 1
    assert causes["spine_density"] == -1
    assert "dopamine_tone" not in causes, "up in striatum, down in prefrontal cortex"


# Scoring a file


@pytest.fixture(scope="module")
def scored(brain, tmp_path_factory):
    """A file in the least form that is accepted, scored on the small brain."""
    noise, told = "s,microcircuit,noise_amplitude", "oscillation,gamma_power"
    rows = [
        f"A1,{noise},+1,{told},+1,emergent",
        f"A2,{noise},+1,{told},+1,emergent",
        f"A3,{noise},+1,{told},-1,emergent",
        f"A4,{noise},+1,{told},+1,wiring",
        f"A5,{noise},altered,{told},altered,unsigned",
        f"A6,{noise},-1,{told},-1,",
        "A7,s,cellular,neuronal_survival,-1,oscillation,gamma_power,-1,emergent",
        "A8,s,therapy,ketamine,+1,oscillation,gamma_power,+1,emergent",
        "A9,s,molecular,GRIN2B,-1,network,network_dysconnectivity,+1,emergent",
        f"A10,{noise},-1,network,modularity,+1,emergent",
        f"A11,{noise},-1,network,rich_club,-1,emergent",
    ]
    path = write(tmp_path_factory.mktemp("claims") / "unseen.csv", rows)
    steps = []
    result = check_claims(path, brain, draws=10, seed=3, jobs=1, progress=lambda *at: steps.append(at))
    assert steps == [(k, 10) for k in range(1, 11)]
    return result


def test_power_of_a_linear_brain_is_proportional_to_the_square_of_its_noise(scored):
    """1.25^2 = 1.5625 and 0.8^2 = 0.64 in every draw, so the claim passes and its opposite fails."""
    row = {row.claim.id: row for row in scored.rows}
    assert (row["A1"].verdict, row["A1"].predicted) == ("pass", "+1")
    assert (row["A3"].verdict, row["A3"].predicted) == ("fail", "+1")
    assert row["A1"].p_sign == pytest.approx(1 - row["A3"].p_sign)
    assert row["A1"].d == row["A3"].d > 0.1
    assert re.search(r"gamma_power \+56\.[23] %", row["A3"].reason)  # 56.25
    assert (row["A6"].verdict, row["A6"].predicted) == ("pass", "-1")
    assert row["A6"].d == pytest.approx(-row["A1"].d)


def test_unsigned_and_unmodelled_rows_are_listed_but_not_scored(scored):
    row = {row.claim.id: row for row in scored.rows}
    assert row["A5"].verdict == scoring.UNSIGNED
    assert row["A5"].p_sign is None
    assert re.search(r"noise_amplitude=1\.25: \+56\.[23] %", row["A5"].reason)
    assert "noise_amplitude=0.8: -36.0 %" in row["A5"].reason
    assert row["A7"].verdict == scoring.ABSENT
    assert "moves nothing" in row["A7"].reason
    assert row["A8"].verdict == scoring.ABSENT
    assert row["A9"].verdict == scoring.CONSTRUCTED
    assert row["A10"].verdict in (*scoring.SCORED, scoring.UNSTABLE)
    assert row["A11"].verdict in (*scoring.SCORED, scoring.UNSTABLE, scoring.ABSENT)


def test_repeats_count_once_and_inputs_not_at_all(scored):
    expected = [g.expected for g in scored.distinct]
    others = sum(row.verdict in scoring.SCORED for row in scored.rows if row.claim.id in ("A10", "A11"))
    assert len(expected) == 3 + others, "A1 = A2, A3, A6; A4 is wiring"
    assert sum(sum(counts.values()) for counts in scored.totals.values()) == len(scored.rows)
    assert scored.totals["wiring"] == {"pass": 1}
    assert scored.totals["no role"] == {"pass": 1}


def test_json_has_the_published_form(scored):
    content = json.loads(to_json(scored))
    assert list(content) == ["schema_version", "seed", "rows", "totals", "baselines", "skill"]
    assert content["seed"] == 3
    fields = ["id", "role", "expected", "predicted", "p_sign", "d", "verdict", "reason"]
    assert [row["id"] for row in content["rows"]] == [f"A{k}" for k in range(1, 12)]
    for row in content["rows"]:
        assert list(row) == fields
        assert row["verdict"] in scoring.VERDICTS
        assert row["predicted"] in (None, "+1", "-1", "0")
        for number in (row["p_sign"], row["d"]):
            assert number is None or np.isfinite(number)
        if row["verdict"] == "pass":
            assert row["p_sign"] >= 0.9
            assert row["expected"] == row["predicted"]
    assert content["totals"] == scored.totals
    assert set(content["baselines"]) == {"majority sign", "path signs", "other perturbations"}
    assert content["skill"] is None or -1 <= content["skill"] <= 1


def test_the_same_seed_gives_the_same_file(scored, brain, tmp_path):
    rows = ["A1,s,molecular,ampa_conductance,+1,microcircuit,ei_ratio,+1,emergent"]
    one, two = (
        to_json(check_claims(write(tmp_path / "one.csv", rows), brain, draws=6, seed=5, jobs=jobs))
        for jobs in (1, 2)
    )
    assert one == two


def test_the_printed_score_names_every_failure(scored, capsys):
    from rich.console import Console

    print_claims(scored, Console(width=200, force_terminal=False))
    text = capsys.readouterr().out
    assert "A3 (emergent) noise_amplitude +1 -> gamma_power -1" in text
    for word in ("majority sign", "path signs", "other perturbations", "Skill", "95 % interval"):
        assert word in text


# Answers of the model, made up


STATE = (Perturbation("ampa_conductance", 1.25),)
OTHER = (Perturbation("gabaa_conductance", 1.25),)


def question(*states, expected: int | None = +1, cause: str = "ampa_conductance") -> Question:
    text = {+1: "+1", -1: "-1", None: "altered"}[expected]
    return Question(claim(cause, "+1", "gamma_power", text), cause, "gamma_power", 1, expected, states)


def answers(**effects) -> Answers:
    """Each state by its gamma power in every draw, None if unstable; health is 1, sd of log of people 0.1."""
    n = len(next(iter(effects.values())))
    people = np.exp(0.1 * norm.ppf((np.arange(n) + 0.5) / n))
    states = {"state": STATE, "other": OTHER}

    def answer(value: float | None) -> Answer:
        return Answer(
            value is not None, False, "" if value else "it oscillates", {"gamma_power": value or np.nan}
        )

    draws = [
        [answer(1.0), answer(float(people[k])), *(answer(values[k]) for values in effects.values())]
        for k in range(n)
    ]
    return Answers([states[name] for name in effects], draws)


def test_d_is_the_log_ratio_in_between_person_sd_and_p_counts_draws():
    found = answers(state=[1.2] * 38 + [0.8] * 2).effect("gamma_power", [STATE])
    assert found["p_sign"] == pytest.approx(38.5 / 41)
    assert found["d"] == pytest.approx(np.log(1.2) / 0.1, rel=0.03)
    row = judge(question(STATE), answers(state=[1.2] * 38 + [0.8] * 2))
    assert (row.verdict, row.predicted, row.p_sign) == ("pass", "+1", pytest.approx(38.5 / 41))
    row = judge(question(STATE, expected=-1), answers(state=[1.2] * 38 + [0.8] * 2))
    assert (row.verdict, row.predicted, row.p_sign) == ("fail", "+1", pytest.approx(2.5 / 41))


@given(st.floats(0.999, 1.001))
def test_tiny_effects_are_negligible_however_sure(size):
    row = judge(question(STATE), answers(state=[size] * 40))
    assert row.verdict == "negligible"


def test_a_state_unstable_in_most_draws_is_unstable_and_says_why():
    row = judge(question(STATE), answers(state=[1.2] * 19 + [None] * 21))
    assert (row.verdict, row.predicted, row.d) == ("unstable", None, None)
    assert "48% of draws; it oscillates" in row.reason
    row = judge(question(STATE), answers(state=[1.2] * 21 + [None] * 19))
    assert row.verdict == "pass"
    assert "stable in 52% of draws (it oscillates)" in row.reason


def test_profiles_are_pooled_draw_by_draw():
    both = question(STATE, OTHER, cause="disorder_any")
    row = judge(both, answers(state=[1.2] * 40, other=[0.9] * 40))
    assert row.p_sign == pytest.approx(40.5 / 81)
    assert row.verdict == "not significant"
    assert "2 disorder profiles pooled" in row.reason
    assert judge(both, answers(state=[1.2] * 40, other=[1.1] * 40)).verdict == "pass"
    alone = judge(both, answers(state=[1.2] * 40, other=[None] * 40))
    assert alone.p_sign == pytest.approx(40.5 / 41), "an unstable profile has no vote"


def test_one_way_that_is_unstable_is_told_beside_the_other():
    both = replace(question(STATE, OTHER, expected=None), change=None)
    row = judge(both, answers(state=[1.2] * 40, other=[None] * 40))
    assert row.verdict == scoring.UNSIGNED
    assert "gabaa_conductance=1.25: unstable" in row.reason
    assert row.d == pytest.approx(np.log(1.2) / 0.1, rel=0.03)


def test_local_readouts_are_those_that_need_no_spectra():
    """The quick way gives what the whole solution gives."""
    part = load_embedded().part((
        *REGIONS, "L.caudate", "L.accumbens", "L.pallidum", "L.hippocampus", "L.amygdala",
        "L.lateralorbitofrontal", "L.caudalanteriorcingulate",
    ))  # fmt: skip
    runner = Runner(part, 2, fine=False, jobs=1)
    quick, full = (
        draw_answers(runner, 0, Plan((STATE,), (frozenset(wanted),), (frozenset(),)))
        for wanted in (LOCAL, LOCAL | {"gamma_power"})
    )
    assert quick is not None
    assert full is not None
    assert quick[2].values.keys() == LOCAL
    for name in LOCAL:
        assert quick[2].values[name] == full[2].values[name]
    assert {"gamma_power", "network_stability"} <= full[2].values.keys()


def test_what_is_not_scored_is_solved_in_few_draws_only():
    """An effect is taken over the draws in which its state was solved."""
    told = answers(state=[1.2] * 40)._draws
    some = Answers([STATE], [[*draw[:2], draw[2] if k < 32 else None] for k, draw in enumerate(told)])
    found = some.effect("gamma_power", [STATE])
    assert found["p_sign"] == pytest.approx(32.5 / 33)
    assert some.stable(STATE) == 1
    assert not some.inert(STATE)


# Files that cannot be scored


ROW = "A1,s,molecular,ampa_conductance,+1,synaptic,synaptic_strength,+1,emergent"


@pytest.mark.parametrize(
    ("rows", "header", "culprit"),
    [
        ([ROW, ROW], HEADER + ",test_role", "line 3: id = 'A1' repeats line 2"),
        (["A1,s,molecular,,+1,synaptic,synaptic_strength,+1,emergent"], HEADER + ",test_role",
         "line 2, column 'entity_from': is empty"),
        ([ROW + ",more"], HEADER + ",test_role", "line 2: 10 cells"),
        ([ROW], HEADER.replace("change_to", "change_two") + ",test_role", "missing column 'change_to'"),
        (['A1,"s'], HEADER, "not CSV"),
        ([], HEADER, "holds no claims"),
    ],
)  # fmt: skip
def test_malformed_files_are_refused_with_line_and_column(tmp_path, rows, header, culprit):
    path = write(tmp_path / "bad.csv", rows, header)
    with pytest.raises(UserError, match=r"bad\.csv") as refused:
        check_claims(path, draws=2)
    assert culprit in str(refused.value)


def run(monkeypatch, *words) -> int:
    monkeypatch.setattr(sys, "argv", ["synsys", *map(str, words)])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_the_command_writes_json_and_exits_0(brain, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "brain"
    folder.mkdir()
    np.savetxt(folder / "weights.csv", brain.weights, delimiter=",")
    np.savetxt(folder / "lengths.csv", brain.lengths, delimiter=",")
    brain.regions.to_csv(folder / "regions.csv")
    path = write(tmp_path / "claims.csv", [ROW])
    code = run(monkeypatch, "check-claims", path, "--json", tmp_path / "out.json", "--brain", folder,
               "--draws", 4, "--jobs", 1)  # fmt: skip
    assert code == 0, capsys.readouterr().err
    content = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in content["rows"]] == ["A1"]
    assert "1 claims" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["missing.csv"], ["bad.csv"], ["bad.csv", "--json", "nowhere/out.json"]])
def test_the_command_refuses_wrong_input_with_one_line_and_exit_2(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "bad.csv", ["A1,s"])
    assert run(monkeypatch, "check-claims", *words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]
