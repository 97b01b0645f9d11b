"""Scenario files: what they become, and what each mistake is told."""

from importlib import resources
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synsys.core.errors import UserError
from synsys.core.scenario import DAYS, SHAPES
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import disorders, inert
from synsys.knowledge.pharmacology import drug
from synsys.knowledge.scenarios import EDGES, KINDS, TIMES, TOP, open_scenario, read_scenario, shipped

FOLDER = resources.files("synsys.knowledge") / "scenarios"
TEXTS = {name: (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in shipped()}
FULL = dedent("""\
    name: everything
    description: Every key of the schema.
    sources: [one, two]
    duration: 20 y
    age: gestation 20 wk
    development: on
    recursive: off
    pruning: childhood
    events:
      - perturb: KCNQ2=0.6:E@dlPFC
        from: 2 wk
        to: 5 wk
        rise: 2 d
        fall: 36 h
        label: channel
      - exposure: chronic_stress=2
        from: age 15 y
        for: 3 mo
        course: daily
        hours: 6 h
        at: 8
      - disorder: MDD
        from: 1 d
        course: ramp
      - drug: clozapine
        dose: 200 mg
        every: 12 h
        from: age 18 y
        for: 2 d
    report: [0, gestation 30 wk, age 1 y, 10 y]
    brain: my_brain
    draws: 8
    seed: 3
""")


def read(text: str):
    return read_scenario(text, "s.yaml")


def test_every_key_reaches_the_record():
    s = read(FULL)
    assert (s.name, s.text, s.sources) == ("everything", "Every key of the schema.", ("one", "two"))
    assert (s.development, s.recursive, s.pruning) == (True, False, "childhood")
    assert (s.brain, s.draws, s.seed) == ("my_brain", 8, 3)
    assert s.duration == 20 * 365.25
    assert s.age == pytest.approx(-140 / 365.25)
    assert s.report == pytest.approx((0, 70, 140 + 365.25, 3652.5))
    channel, stress = s.events[:2]
    assert (channel.label, str(channel.perturbation)) == ("channel", "kcnq2_conductance=0.6:E@dlPFC")
    assert (channel.course.start, channel.course.end) == (14, 35)
    assert (channel.course.rise, channel.course.fall) == (2, 1.5)
    assert stress.kind == "exposure"
    assert s.age_at(stress.course.start) == pytest.approx(15)
    assert stress.course.end - stress.course.start == pytest.approx(3 * 365.25 / 12)
    assert (stress.course.hours, stress.course.at) == (6, 8)


def test_a_disorder_becomes_its_profile_row_by_row():
    rows = [row for row in disorders() if row.disorder == "disorder_mdd"]
    events = [event for event in read(FULL).events if event.kind == "disorder"]
    assert [e.perturbation.name for e in events] == [row.name for row in rows]
    assert [e.perturbation.value for e in events] == [row.value for row in rows]
    assert [(e.perturbation.cell or "", e.perturbation.where or "") for e in events] == [
        (row.cell, row.where) for row in rows
    ]


def test_a_drug_becomes_one_event_for_each_action_with_all_doses():
    events = [event for event in read(FULL).events if event.kind == "drug"]
    assert [e.perturbation.name for e in events] == [row.quantity for row in drug("clozapine")]
    dosing = events[0].course.dosing
    assert np.diff(dosing.times) == pytest.approx([0.5, 0.5, 0.5])
    assert dosing.amounts == pytest.approx((2 / 3,) * 4)


def test_doses_of_one_drug_given_apart_add_up():
    """A change of dose midway: concentrations superpose, occupancies do not add."""
    text = """
        duration: 4 wk
        events:
          - {drug: escitalopram, dose: 10 mg, to: 2 wk}
          - perturb: BDNF=0.9
          - {drug: escitalopram, dose: 20 mg, from: 2 wk}
    """
    events = read(dedent(text)).events
    assert [e.label for e in events] == ["escitalopram", "bdnf=0.9"]
    dosing = events[0].course.dosing
    assert dosing.times == tuple(range(28))
    assert dosing.amounts == (1.0,) * 14 + (2.0,) * 14
    assert events[0].course.level(np.linspace(0, 40, 4001)).max() < 1


def test_three_causes_combine_with_their_provenance():
    """A gene, a disorder and a drug in one file; what comes from a table keeps its grade and source."""
    text = "duration: 2 wk\nevents:\n- perturb: GRIN2B=0.8\n- disorder: SCZ\n- drug: risperidone"
    events = read(text).events
    assert {event.kind for event in events} == {"perturbation", "disorder", "drug"}
    for event in events[1:]:
        assert event.perturbation.grade in ("A", "B", "C")
        assert event.perturbation.source
        assert event.perturbation.sd > 0


def test_events_of_one_name_are_told_apart():
    text = "duration: 2 wk\nevents: [{perturb: BDNF=2, to: 2 d}, {perturb: BDNF=2, from: 9 d}]"
    assert [event.label for event in read(text).events] == ["bdnf=2", "bdnf=2 (2)"]


def test_what_lasts_to_the_end_is_still_there_at_the_end():
    for text in ("", ", to: 3 wk", ", for: 3 wk"):
        event = read(f"duration: 3 wk\nevents: [{{perturb: BDNF=0.9{text}}}]").events[0]
        assert event.course.level(21.0) == 1.0
    falling = read("duration: 3 wk\nevents: [{perturb: BDNF=0.9, fall: 2 d}]").events[0]
    assert falling.course.level(21.0) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("report", "times"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6]),
        ("report: 3", [0, 3, 6]),
        ("report: {every: 4 d}", [0, 4, 6]),
        ("report: {every: 2 d}", [0, 2, 4, 6]),
        ("report: [5 d, 0, 5 d, 12 h]", [0, 0.5, 5]),
    ],
)
def test_report_times(report, times):
    assert read(f"duration: 6 d\n{report}").report == pytest.approx(times)


@pytest.mark.parametrize("age", ["gestation 20 wk", "gestation 140 d"])
def test_gestation_is_counted_from_the_last_menstruation(age):
    """Birth at 40 weeks, so 20 weeks are 140 days before it."""
    assert read(f"duration: 1 d\nage: {age}").age == pytest.approx(-140 / 365.25)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("", "line 1", "empty"),
        ("# only a comment\n", "line 1", "empty"),
        ("- a\n- b\n", "line 1, column 1", "a scenario is a mapping of keys and values, this is a list"),
        ("duration: 6 wk\ndurration: 3", "line 2, column 1", "did you mean duration?"),
        ("duration: 6 wk\nage: 3 y\nduration: 7 wk", "line 3, column 1", "'duration' is given twice"),
        ("name: x\n", "line 1, column 1", "needs a duration"),
        ("duration: 6", "line 1, column 11", "not none"),
        ("duration: 6 weks", "line 1, column 11", "one of s, min, h, d, wk, mo, y"),
        ("duration: soon", "line 1, column 11", "is no time"),
        ("duration: 0 d", "line 1, column 11", "longer than 0"),
        ("duration: -3 d", "line 1, column 11", "at least 0"),
        ("duration: 1e99 y", "line 1, column 11", "too long"),
        ("duration:", "line 1, column 10", "empty"),
        ("duration: [1, 2]", "line 1, column 11", "one value, this is a list"),
        ("duration: 6 wk\nage: 130 y", "line 2, column 6", "gestation 2 wk to 120 y"),
        ("duration: 40 y\nage: 100 y", "line 2, column 6", "end at age 140 y"),
        ("duration: 6 wk\nage: gestation 41 wk", "line 2, column 6", "40 wk (birth)"),
        ("duration: 6 wk\ndevelopment: on", "line 2, column 14", "needs the age"),
        ("duration: 6 wk\nrecursive: maybe", "line 2, column 12", "on or off, not 'maybe'"),
        ("duration: 6 wk\npruning: old age", "line 2, column 10", "pruning window"),
        ("duration: 6 wk\ndraws: 0", "line 2, column 8", "whole number from 1"),
        ("duration: 6 wk\nseed: 1.5", "line 2, column 7", "whole number from 0"),
        ("duration: 6 wk\nevents: BDNF=0.5", "line 2, column 9", "is a list"),
        ("duration: 6 wk\nevents:\n  - BDNF=0.5", "line 3, column 5", "an event is a mapping"),
        (
            "duration: 6 wk\nage: 20 y\nevents:\n  - {perturb: BDNF=2, from: age 15 y}",
            "line 4, column 29", "outside the scenario",
        ),
        ("duration: 6 wk\nreport: [1 wk, 7 wk]", "line 2, column 16", "outside the scenario"),
        ("duration: 6 wk\nreport: []", "line 2, column 9", "empty"),
        ("duration: 6 wk\nreport: {each: 1 wk}", "line 2, column 10", "unknown key"),
        ("duration: 6 wk\nreport: {every: 1 s}", "line 2, column 17", "at most 1000"),
        ("duration: 6 wk\nreport: 1", "line 2, column 9", "whole number from 2"),
        ("duration: 6 wk\nevents:\n\t- perturb: BDNF=2", "line 3, column 1", "a tab cannot indent"),
        ("duration: 6 wk\nevents: [\n", "line 3, column 1", "not YAML"),
        ("duration: 6 wk\n---\nduration: 3 wk", "line 2", "not YAML"),
        ("duration: 6 wk\nname: a\x07b", "line 2", "not allowed"),
        ('duration: 6 wk\nname: "\\UFFFFFFFF"', "s.yaml", "not YAML"),
        ("duration: " + "[" * 5000, "s.yaml", ""),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(text, place, says):
    with pytest.raises(UserError) as error:
        read(text)
    message = str(error.value)
    assert message.startswith("s.yaml")
    assert place in message
    assert says in message
    assert message.count("s.yaml") == 1


@pytest.mark.parametrize(
    ("event", "line", "column", "says"),
    [
        ("from: 1 wk", 3, 5, "exactly one of perturb, disorder"),
        ("{perturb: BDNF=2, drug: ketamine}", 3, 5, "has perturb and drug"),
        ("perturb: BDMF=0.5", 3, 14, "did you mean BDNF?"),
        ("perturb: cognition=0.5", 3, 14, "is a readout"),
        ("perturb: BDNF=-1", 3, 14, "must be > 0"),
        ("perturb: BDNF=0.5:1.5:0.5", 3, 14, "sweeps 3 doses"),
        ("perturb: ketamine=1", 3, 14, "therapy"),
        ("exposure: BDNF=0.5", 3, 15, "is no exposure; use perturb"),
        ("disorder: depresion", 3, 15, "did you mean depression?"),
        ("drug: ketamin", 3, 11, "did you mean ketamine?"),
        ("drug: ketamine\n    dose: 5 mg", 4, 11, "in mg/kg"),
        ("drug: ketamine\n    to: 1 wk", 4, 9, "given once"),
        ("drug: ketamine\n    rise: 1 d", 4, 11, "does not go with drug"),
        ("perturb: BDNF=2\n    dose: 3 mg", 4, 11, "does not go with perturb"),
        ("perturb: BDNF=2\n    from: 7 wk", 4, 11, "outside the scenario"),
        ("perturb: BDNF=2\n    to: 7 wk", 4, 9, "after the scenario"),
        ("{perturb: BDNF=2, from: 3 wk, to: 2 wk}", 3, 39, "not after it begins"),
        ("{perturb: BDNF=2, to: 3 wk, for: 1 wk}", 3, 38, "either to or for"),
        ("{perturb: BDNF=2, from: age 15 y}", 3, 29, "needs the age"),
        ("{perturb: BDNF=2, course: puls}", 3, 31, "did you mean pulse?"),
        ("{perturb: BDNF=2, course: kinetics}", 3, 31, "unknown course"),
        ("{perturb: BDNF=2, hours: 6}", 3, 30, "goes with course: daily"),
        ("{perturb: BDNF=2, rise: 9 wk}", 3, 29, "do not fit"),
    ],
)  # fmt: skip
def test_mistakes_in_an_event_are_named_with_their_place(event, line, column, says):
    with pytest.raises(UserError) as error:
        read(f"duration: 6 wk\nevents:\n  - {event}")
    message = str(error.value)
    assert message.startswith(f"s.yaml, line {line}, column {column}: ")
    assert says in message


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenarios_say_what_they_are(name):
    s = open_scenario(name)
    assert s.name == name
    assert len(s.text) > 60
    assert s.sources
    assert s.events
    assert s.report[0] < 0.02 * s.duration
    assert s.report[-1] <= s.duration
    assert len(s.breakpoints()) < 100
    for event in s.events:
        assert event.course.level(np.linspace(0, s.duration, 20001)).max() > 0.1, event.label
    assert s.describe().startswith(f"{name}: ")


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenarios_change_what_the_model_takes_up(name):
    """Only quantities of the vocabulary; those that nothing follows from are marked in the catalog."""
    for event in open_scenario(name).events:
        if event.kind != "drug":
            assert vocabulary()[event.perturbation.name].perturbable
    if name == "calcium":
        assert not inert(open_scenario(name).events[0].perturbation.name)


def test_the_two_pruning_scenarios_differ_in_their_window_only():
    a, b = open_scenario("pruning_adolescence"), open_scenario("pruning_childhood")
    assert (a.pruning, b.pruning) == ("adolescence", "childhood")
    assert (a.events, a.duration, a.age, a.report) == (b.events, b.duration, b.age, b.report)


def test_the_lasting_inflammation_has_the_same_trigger():
    short, lasting = open_scenario("inflammation"), open_scenario("inflammation_lasting")
    assert short.events[0] == lasting.events[1]
    assert len(lasting.events) == 2


def test_the_page_on_scenarios_is_true(repository):
    """Its example runs, and it lists every key, course and shipped scenario."""
    page = (repository / "docs" / "scenarios.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    s = read(example)
    assert s.name == "stressed_and_treated"
    assert [e.label for e in s.events if e.kind == "drug"] == ["escitalopram", "ketamine series"]
    words = [*TOP, *KINDS, *TIMES, *EDGES, "dose", "every", "label", *shipped(), *SHAPES[:-1], *DAYS]
    assert [word for word in words if f"`{word}`" not in page] == []


def test_prenatal_exposure_lies_where_it_says():
    s = open_scenario("prenatal_immune")
    course = s.events[0].course
    weeks = 40 + s.age_at([course.start, course.end]) * 365.25 / 7
    assert weeks == pytest.approx([18, 22])
    assert s.age_at(s.report[-1]) == pytest.approx(25)


def test_ketamine_is_reported_at_the_end_of_its_infusion():
    s = open_scenario("ketamine")
    assert s.events[0].course.level(1480 / 1440) == pytest.approx(0.5, abs=1e-3)
    assert any(abs(t - 1480 / 1440) < 1e-9 for t in s.report)
    assert s.events[0].course.level(2.0) < 0.01


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("\ufeffduration: 6 wk\n", encoding="utf-8")
    assert open_scenario(path).name == "mine"
    assert open_scenario(str(path)).duration == 42


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ketamin", "unknown scenario 'ketamin'; did you mean ketamine?"),
        ("ketamin.yaml", "no such file; did you mean ketamine?"),
        ("nowhere/x.yaml", "no such file"),
        (".", "cannot be read"),
        ("a\0b", "unknown scenario"),
    ],
)
def test_what_is_not_there_is_said(name, says):
    with pytest.raises(UserError) as error:
        open_scenario(name)
    assert says in str(error.value)


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"duration: \xff\xfe")
    with pytest.raises(UserError, match="UTF-8"):
        open_scenario(path)


PIECES = st.sampled_from([
    "", ":", "- ", "\t", "[", "]", "{", "}", "&a ", "*a", "!!int ", "|", ">", "'", '"', "\\", "#", "---",
    "\n", "@", "=", "+=", "0", "-1", "1e999", "nan", "wk", "age ", "gestation ", "null", "~", "?", "<<", "\0",
    "\ud800", "\u0660", "\u2028", "%", "drug: ketamine", "every: 1 s", "\\x", "every",
    "10000000000000000000000",
])  # fmt: skip


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_spoiled_file_is_read_or_refused_never_a_crash(data):
    """Cuts, swaps and intrusions anywhere in a real file give a scenario or a UserError."""
    text = data.draw(st.sampled_from([FULL, *TEXTS.values()]))
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, len(text)))
        j = data.draw(st.integers(i, min(len(text), i + 12)))
        piece = data.draw(st.one_of(PIECES, st.text(max_size=3), st.just(text[i:j])))
        text = text[:i] + piece + text[data.draw(st.sampled_from([i, j])) :]
    told = ""
    try:
        read(text).describe()
    except UserError as error:
        told = str(error)
    assert told == "" or told.startswith("s.yaml")
