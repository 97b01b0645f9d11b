"""`synsys mind`: fits and recoveries as results, in Python and on the command line."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import synsys
from synsys.cli import app
from synsys.core.errors import UserError
from synsys.knowledge.symptoms import symptoms
from synsys.mind.environments import simulate
from synsys.mind.models import models
from synsys.mind.tasks.registry import tasks
from synsys.report import write_report


@pytest.fixture(scope="module")
def choices():
    """Twelve people with stickiness, as a table, with a group that differs in it."""
    model = models()["q_sticky"]
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 6)
    theta = np.array([-0.5, 1.2, 0.0]) + np.outer(group, [0, 0, 2.0]) + 0.2 * rng.standard_normal((12, 3))
    trials = simulate(model, theta, rng, trials=120)
    rows = [
        pd.DataFrame({"subject": s, "group": group[i], "choice": trials.columns["choice"][i],
                      "outcome": trials.columns["outcome"][i], "trial": np.arange(1, 121)})
        for i, s in enumerate(trials.subjects)
    ]  # fmt: skip
    return pd.concat(rows)


@pytest.fixture(scope="module")
def fitted(choices):
    return synsys.fit_behaviour(
        choices, "q_sticky", ["q_learning"], covariates=["group"], recovery=20, samples=400
    )


def test_a_fit_is_a_result_that_saves_and_loads(fitted, tmp_path):
    synsys.save(fitted, tmp_path / "fit.nc")
    again = synsys.load(tmp_path / "fit.nc")
    assert again.attrs["kind"] == "behaviour"
    np.testing.assert_array_equal(again["estimates"]["value"], fitted["estimates"]["value"])
    page = write_report(again, tmp_path / "fit.html").read_text()
    assert page.count("<svg") == 4
    assert "Research use only" in page


def test_the_planted_difference_is_found_and_the_model_that_made_the_choices(fitted):
    effects = fitted["effects"].sel(covariate="group")
    assert float(effects["z"].sel(parameter="stickiness")) > 4
    assert np.abs(effects["z"].sel(parameter=["alpha", "beta"])).max() < 3.5
    assert float(fitted["comparison"]["protected"].sel(model="q_sticky")) > 0.6


def test_intervals_hold_their_estimates_and_the_course_sums_to_the_likelihood(fitted):
    one = fitted["estimates"]
    assert ((one["lo90"] <= one["value"]) & (one["value"] <= one["hi90"])).all()
    course = fitted["course"]["value"]
    total = course.sel(quantity=["choice=0", "choice=1", "choice=2"]).sum("quantity")
    np.testing.assert_allclose(total, 1.0, atol=1e-9)


def test_the_same_seed_gives_the_same_fit(choices, fitted):
    again = synsys.fit_behaviour(
        choices, "q_sticky", ["q_learning"], covariates=["group"], recovery=20, samples=400
    )
    np.testing.assert_array_equal(again["estimates"]["value"], fitted["estimates"]["value"])


def test_parameters_that_do_not_come_back_are_flagged(choices):
    """Lapses are rare: with 60 trials nothing can be said of their rate."""
    tree = synsys.fit_behaviour(
        choices, "q_dual_sticky_lapse", keep="trial <= 60", recovery=60, samples=300, alone=True
    )
    trust = tree["parameters"]["trust"].to_series()
    assert trust["lapse"].startswith("does not recover")
    assert trust["stickiness"] == ""
    assert "lapse" in json.loads(tree.attrs["notes"])[0]
    assert tree["people"]["trials"].values.tolist() == [60] * 12


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model": "q_stiky"}, "q_sticky"),
        ({"model": "q_sticky", "against": ["q_sticky"]}, "repeats one"),
        ({"model": "q_sticky", "covariates": ["grp"]}, "group"),
        ({"model": "q_sticky", "covariates": ["trial"]}, "changes within a person"),
        ({"model": "q_sticky", "keep": "trial >"}, "--keep"),
        ({"model": "q_sticky", "keep": "outcome"}, "no condition"),
        ({"model": "q_sticky", "against": ["q_sticky2"]}, "choice is 2"),
        ({"model": "q_sticky", "keep": "trial > 999"}, "no row is left"),
        ({"model": "q_sticky", "covariates": ["group"], "alone": True}, "need a group"),
        ({"model": "q_sticky", "recovery": 3}, "at least 10"),
        ({"model": "two_step"}, "choice1"),
    ],
)
def test_what_cannot_be_is_refused_before_any_fit(choices, options, told):
    with pytest.raises(UserError, match=told):
        synsys.fit_behaviour(choices, **options)


def test_two_labels_are_a_covariate_and_more_are_refused(choices):
    named = choices.assign(kind=np.where(choices["group"] == 1, "patient", "control"))
    tree = synsys.fit_behaviour(named, "q_sticky", covariates=["kind"], recovery=0, samples=200)
    assert float(tree["effects"]["z"].sel(covariate="kind=patient", parameter="stickiness")) > 4
    with pytest.raises(UserError, match="text with 12 values"):
        synsys.fit_behaviour(choices.assign(who=choices["subject"]), "q_sticky", covariates=["who"])


def test_what_was_left_out_is_told(choices):
    gaps = choices.copy()
    gaps.iloc[:7, gaps.columns.get_loc("outcome")] = np.nan
    gaps.iloc[130:140, gaps.columns.get_loc("choice")] = np.nan
    tree = synsys.fit_behaviour(gaps, "q_sticky", recovery=0, samples=200, alone=True)
    notes = " ".join(json.loads(tree.attrs["notes"]))
    assert "7 of 1440 rows lack something" in notes
    assert "10 choices were not made" in notes


def test_recovery_tells_which_model_is_found():
    tree = synsys.recover_behaviour("q_sticky", ["q_learning"], subjects=60, trials=150)
    share = tree["confusion"]["share"]
    assert float(share.sel(model="q_sticky", found="q_sticky")) > 0.5
    assert float(tree["parameters"]["r"].sel(parameter="stickiness")) > 0.8
    with pytest.raises(UserError, match="one task"):
        synsys.recover_behaviour("q_sticky", ["ehgf"])


def test_commands(choices, tmp_path):
    run = CliRunner()
    file = tmp_path / "choices.csv.gz"
    choices.rename(columns={"outcome": "reward"}).to_csv(file, index=False)
    given = ["mind", "fit", str(file), "-m", "q_sticky", "--rename", "outcome=reward", "--recovery", "0"]
    out = tmp_path / "fit"
    done = run.invoke(app, [*given, "--samples", "200", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert {p.name for p in out.iterdir()} == {"behaviour.nc", "table.csv", "people.csv", "report.html"}
    assert "stickiness" in done.output
    assert len(pd.read_csv(out / "people.csv")) == 12
    back = run.invoke(
        app, ["mind", "recover", "-m", "rescorla_wagner", "--subjects", "20", "--out", str(tmp_path / "r")]
    )
    assert back.exit_code == 0, back.output
    assert (tmp_path / "r" / "recovery.nc").exists()
    listed = run.invoke(app, ["mind", "models"])
    for name in models():
        assert name in listed.output


def test_tasks_and_symptoms_are_listed_with_chance_and_sources():
    run = CliRunner()
    told = run.invoke(app, ["mind", "tasks"])
    assert told.exit_code == 0
    for task in tasks().values():
        assert task.name in told.output
        assert all(score.name in told.output for score in task.scores)
    told = run.invoke(app, ["mind", "symptoms"])
    assert told.exit_code == 0
    assert all(name in told.output for name in symptoms().rows)
