"""Symptoms are what the declared table makes of changes, in healthy sd; the table can be replaced."""

from dataclasses import replace

import numpy as np
import pytest

from synsys.core.errors import UserError
from synsys.knowledge.load import vocabulary
from synsys.knowledge.symptoms import SymptomRow, SymptomTable, symptoms
from synsys.knowledge.symptoms import read_symptoms as read_table
from synsys.measures.standing import CALIBRATED, HELD, PUBLISHED
from synsys.mind.coupling import PARAMETERS, Inference
from synsys.mind.readouts import WORLDS, in_worlds
from synsys.mind.standing import DEPENDS, wired
from synsys.mind.symptoms import MOST, Change, lost, read_symptoms, readable, similarity, told_by


def spread(x: np.ndarray) -> float:
    return float(np.std(x))


def table(*rows: tuple[str, str, float]) -> SymptomTable:
    grouped: dict[str, list[SymptomRow]] = {}
    for symptom, source, weight in rows:
        row = SymptomRow(symptom, source, weight, "derived", "C", "definition")
        grouped.setdefault(symptom, []).append(row)
    return SymptomTable("test", {k: tuple(v) for k, v in grouped.items()})


PEOPLE = np.array([-1.0, 1.0, -1.0, 1.0])


def test_a_symptom_is_the_weighted_mean_of_changes_in_healthy_sd() -> None:
    own = table(("fear", "cen_fc", 2.0), ("fear", "dmn_fc", -1.0))
    changes = {"cen_fc": Change(np.full(4, 3.0), 2 * PEOPLE), "dmn_fc": Change(np.full(4, 1.0), 0.5 * PEOPLE)}
    found = read_symptoms(own, changes, spread)["fear"]
    a, b = (MOST * np.tanh(z / MOST) for z in (3.0 / 2, 1.0 / 0.5))
    assert found.patient == pytest.approx((2 * a - b) / 3)


def test_small_changes_count_in_full_and_no_readout_makes_a_symptom_alone() -> None:
    own = table(("fear", "cen_fc", 1.0), ("fear", "dmn_fc", 1.0))
    small, huge = (
        read_symptoms(own, {n: Change(np.full(4, x), PEOPLE) for n, x in given.items()}, spread)["fear"]
        for given in ({"cen_fc": 0.1, "dmn_fc": 0.2}, {"cen_fc": 1e6, "dmn_fc": 0.0})
    )
    assert small.patient == pytest.approx(0.15, rel=1e-3)
    assert huge.patient == pytest.approx(MOST / 2)


def test_the_unit_of_a_source_is_of_no_matter() -> None:
    own = table(("fear", "cen_fc", 2.0), ("fear", "dmn_fc", -1.0))
    rng = np.random.default_rng(0)
    changes = {name: Change(rng.normal(size=6), rng.normal(size=6)) for name in ("cen_fc", "dmn_fc")}
    other = changes | {"cen_fc": Change(1e3 * changes["cen_fc"].patient, 1e3 * changes["cen_fc"].people)}
    a, b = (read_symptoms(own, c, spread)["fear"].patient for c in (changes, other))
    assert a == pytest.approx(b)


def test_no_change_is_no_symptom_and_a_symptom_that_nothing_reaches_is_absent() -> None:
    changes = {"cen_fc": Change(np.zeros(4), PEOPLE)}
    found = read_symptoms(symptoms(), changes, spread)
    assert all((change.patient == 0.0).all() for change in found.values())
    assert "fear" not in found
    assert found.keys() <= readable(symptoms(), changes.keys())
    assert read_symptoms(symptoms(), {}, spread) == {}


def test_a_draw_without_a_source_is_read_from_the_others_if_they_hold_half_the_weight() -> None:
    own = table(("fear", "cen_fc", 1.0), ("fear", "dmn_fc", 1.0), ("pessimism", "cen_fc", 1.0))
    changes = {
        "cen_fc": Change(np.array([4.0, np.nan, np.nan]), PEOPLE),
        "dmn_fc": Change(np.array([2.0, 2.0, np.nan]), PEOPLE),
    }
    found = read_symptoms(own, changes, spread)
    four, two = (MOST * np.tanh(z / MOST) for z in (4.0, 2.0))
    assert found["fear"].patient == pytest.approx([(four + two) / 2, two, np.nan], nan_ok=True)
    assert found["pessimism"].patient == pytest.approx([four, np.nan, np.nan], nan_ok=True)


def test_symptoms_may_be_read_from_symptoms() -> None:
    own = table(("fear", "cen_fc", 1.0), ("anxiety_dimension", "fear", -1.0))
    found = read_symptoms(own, {"cen_fc": Change(np.full(4, 5.0), 2 * PEOPLE)}, spread)
    sd = spread(found["fear"].people)
    expected = -MOST * np.tanh(found["fear"].patient / sd / MOST)
    assert found["anxiety_dimension"].patient == pytest.approx(expected)
    assert own.sources("anxiety_dimension") == {"cen_fc"}


def test_a_symptom_is_wired_if_half_of_its_weight_is() -> None:
    own = table(("fear", "cen_fc", 1.0), ("fear", "dopamine_tone", 1.0), ("fear", "dmn_fc", 0.5))
    assert not wired("fear", {"dopamine_tone"}, own)
    assert wired("fear", {"dopamine_tone"}, own, known={"cen_fc", "dopamine_tone"})
    assert wired("inverse_temperature", {"noise_amplitude"}, own), "noise is its source by definition"
    assert not wired("inverse_temperature", {"kcnq2_conductance"}, own)


def test_the_table_names_known_readouts_that_health_leaves_free() -> None:
    known = vocabulary()
    for symptom, rows in symptoms().rows.items():
        assert known[symptom].level == "symptom"
        for row in rows:
            assert row.source in known, row
            assert CALIBRATED.get(row.source) not in (HELD, PUBLISHED), f"{row.source} is held in health"
            assert known[row.source].level not in ("disorder", "therapy"), "no diagnosis is an input"


def test_a_user_may_bring_a_table(tmp_path) -> None:
    path = tmp_path / "mine.csv"
    head = "symptom,source,weight,checked,grade,citation\n"
    path.write_text(head + "fear,amygdala_reactivity,1,recalled,C,mine\n")
    assert list(read_table(path).rows) == ["fear"]
    for text, message in (
        ("fear,amygdala_reactivit,1,recalled,C,mine\n", "did you mean amygdala_reactivity"),
        ("cen_fc,amygdala_reactivity,1,recalled,C,mine\n", "no symptom"),
        ("fear,avoidance,1,recalled,C,mine\navoidance,fear,1,recalled,C,mine\n", "each other"),
        ("fear,amygdala_reactivity,0,recalled,C,mine\n", "weight"),
        ("", "no symptoms"),
    ):
        path.write_text(head + text)
        with pytest.raises(UserError, match=message):
            read_table(path)


def test_similarity_is_a_cosine() -> None:
    own = {"fear": 1.0, "anhedonia": 2.0}
    found = similarity(
        own, {"same": {k: 3 * v for k, v in own.items()}, "turned": {"fear": -1.0, "anhedonia": -2.0}}
    )
    assert found == pytest.approx({"same": 1.0, "turned": -1.0})
    assert np.isnan(similarity(own, {"none": {"psychosis": 1.0}})["none"])


def test_a_parameter_that_is_set_is_restated_by_what_is_computed_from_it() -> None:
    """Declared formulas alone lead from it to the readout: that trials lie between makes it no finding."""
    for name, parameters in DEPENDS.items():
        assert set(parameters) <= set(PARAMETERS)
        assert all(wired(name, {parameter}, symptoms()) for parameter in parameters), name
    assert wired("pessimism", {"prior_bias"}, symptoms())
    assert not wired("conditioned_hallucination", {"prior_bias"}, symptoms())


def test_what_readouts_of_inference_depend_on_is_declared_in_full() -> None:
    """Every parameter is moved by itself; a readout of observers changes only with those it declares."""
    health = in_worlds(Inference(), 0)
    for parameter in PARAMETERS:
        moved = replace(Inference(), **{parameter: getattr(Inference(), parameter) + 0.3})
        changed = {name for name, value in in_worlds(moved, 0).items() if value != health[name]}
        declared = {name for name in WORLDS if parameter in DEPENDS[name]}
        assert changed == declared, parameter


def read_off(own: SymptomTable, symptom: str, **columns: tuple[float, list[float]]) -> np.ndarray:
    """A symptom in four draws; of each readout its healthy value, the same in all, and what it becomes."""
    n = 4
    values = {
        name: (np.full(n, health), np.resize(course, n), health + PEOPLE)
        for name, (health, course) in columns.items()
    }
    changes = {
        name: Change(after - before, people - before) for name, (before, after, people) in values.items()
    }
    return read_symptoms(own, lost(changes, values), spread)[symptom].patient


def test_a_lesion_that_destroys_memory_does_not_cure_by_taking_the_drift_away() -> None:
    own = table(("disorganisation", "memory_drift", 1.0), ("disorganisation", "salience_precision", -1.0))
    found = read_off(
        own, "disorganisation",
        memory_accuracy=(0.9, [0.9, 0.8, 0.5, 0.0]), memory_drift=(1.0, [1.0, 3.0, 9.0, np.nan]),
        salience_precision=(2.0, [2.0, 2.0, 2.0, 2.0]),
    )  # fmt: skip
    assert (np.diff(found) > 0).all()
    assert found[-1] == pytest.approx(MOST / 2)
    assert found[0] == 0.0


def test_only_what_was_performed_and_can_be_worse_is_lost() -> None:
    own = table(("working_memory", "memory_drift", -1.0), ("working_memory", "cen_fc", 1.0))
    away = read_off(
        own, "working_memory",
        memory_accuracy=(0.9, [np.nan]), memory_drift=(1.0, [np.nan]), cen_fc=(0.2, [0.2]),
    )  # fmt: skip
    assert away == pytest.approx(np.zeros(4)), "a task that was not performed says nothing"
    own = table(("fear", "extinction_recall", -1.0), ("fear", "fear_return", 1.0), ("fear", "cen_fc", 2.0))
    health = {"extinction_rate": 0.6, "extinction_recall": 0.7, "fear_return": 0.2, "cen_fc": 0.2}
    nothing = {"extinction_rate": 0.0, "extinction_recall": 0.7, "fear_return": np.nan, "cen_fc": 0.2}
    never = {"extinction_rate": np.nan, "extinction_recall": np.nan, "fear_return": np.nan, "cen_fc": 0.2}
    kept, free = (
        read_off(own, "fear", fear_acquisition=(1.0, [1.0]), **{n: (health[n], [x[n]]) for n in health})
        for x in (nothing, never)
    )
    assert kept == pytest.approx(np.full(4, MOST / 4)), "what was not extinguished is all still there"
    assert free == pytest.approx(np.zeros(4)), "who acquired nothing had nothing to extinguish"
    assert told_by({"memory_drift", "cen_fc"}) == {
        "memory_drift", "memory_accuracy", "memory_distractibility", "cen_fc",
    }  # fmt: skip
