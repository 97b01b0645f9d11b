"""Simulations and sweeps: what they hold, and that nothing is lost when they are broken off."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.schema import load, save, tabulate
from synsys.data.embedded import load_embedded
from synsys.scales.simulate import parse_grid, simulate


@pytest.fixture(scope="module")
def brain() -> Connectome:
    whole = load_embedded()
    return whole.part([label for label in whole.labels if "frontal" in label or "thalamus" in label])


def same(a, b) -> None:
    for group in ("runs", "activity", "bold", "table"):
        left, right = (t[group].to_dataset() for t in (a, b))
        for name in left.data_vars:
            np.testing.assert_array_equal(left[name], right[name])


def test_a_sweep_holds_every_point_once_in_order(brain, tmp_path) -> None:
    tree = simulate(
        brain, "wong_wang", {"G": [0.5, 1.0], "sigma": [0.005, 0.01]}, seeds=3, seconds=3.0, size=5
    )
    runs = tabulate(tree)
    assert len(runs) == 12
    assert len(runs[["G", "sigma", "seed"]].drop_duplicates()) == 12
    assert (np.diff(runs["G"]) >= 0).all()
    assert tree["bold"].sizes["scan"] == 4
    save(tree, tmp_path / "s.nc")
    same(load(tmp_path / "s.nc"), tree)


def test_tasks_of_any_size_give_the_same_runs(brain) -> None:
    plan = {"grid": {"G": [0.5, 1.0, 1.5]}, "seeds": 2, "seconds": 2.0, "warm_up": 0.0}
    same(simulate(brain, "wong_wang", **plan, size=2), simulate(brain, "wong_wang", **plan, size=16))


@pytest.mark.parametrize("plan", [{"draws": 2}, {"grid": {"conduction_velocity": [1.0, 0.5, 1.0]}}])
def test_points_of_the_circuit_do_not_depend_on_what_runs_beside_them(brain, plan) -> None:
    """Draws differ in their slow input, points in conduction speed: all is the same to the last bit."""
    plan = plan | {"seconds": 0.5, "warm_up": 0.0, "repetition": 100.0, "every": 100.0}
    apart, together = (simulate(brain, **plan, size=size) for size in (1, 16))
    same(apart, together)
    np.testing.assert_array_equal(apart["course"]["value"], together["course"]["value"])


@pytest.mark.parametrize("model", ["hopf", "wong_wang"])
def test_regions_that_are_not_coupled_are_not_correlated(brain, model) -> None:
    """What all regions do at the start is over before anything is recorded."""
    runs = tabulate(simulate(brain, model, {"G": [0.0]}, seeds=4, seconds=120.0))
    assert abs(runs.mean_fc.mean()) < 0.06


def test_a_parameter_that_is_zero_in_one_task_changes_no_other_run(brain) -> None:
    plan = {"grid": {"W_I": [0.0, 0.7]}, "seconds": 1.0, "warm_up": 0.0}
    same(simulate(brain, "wong_wang", **plan, size=1), simulate(brain, "wong_wang", **plan, size=2))


def test_seeds_share_their_noise_over_the_grid(brain) -> None:
    runs = tabulate(simulate(brain, "wong_wang", {"w_plus": [1.4, 1.4]}, seeds=2, seconds=1.0))
    assert runs.mean_rate_E[0] == runs.mean_rate_E[2] != runs.mean_rate_E[1]


def test_the_circuit_is_swept_over_perturbations(brain) -> None:
    tree = simulate(
        brain, grid={"gabaa_conductance": [1.0, 0.8]}, seeds=2, seconds=1.0, warm_up=0.5, every=100.0
    )
    rates = tabulate(tree).groupby("gabaa_conductance").mean_rate_E.mean()
    assert rates[0.8] > rates[1.0] > 0.5
    assert tree["course"].sizes["time"] == 10


def test_a_region_that_no_excitation_reaches_has_no_bold_and_spoils_nothing() -> None:
    """A cerebellum hears the other hemisphere only, and here there is none."""
    whole = load_embedded()
    labels = [
        name for name in whole.labels if name.startswith("L.") and ("frontal" in name or "ereb" in name)
    ]
    tree = simulate(whole.part(labels), seconds=4.0, warm_up=1.0)
    bold = tree["bold"]["bold"].values[0]
    silent = ["ereb" in name for name in labels]
    assert sum(silent) == 1
    assert ((bold == 0).all(0) == silent).all()
    assert np.isfinite(tabulate(tree)[["mean_fc", "fc_with_structure", "bold_sd"]]).all(axis=None)


SWEEP = """
import sys
from synsys.data.embedded import load_embedded
from synsys.scales.simulate import simulate
whole = load_embedded()
brain = whole.part([label for label in whole.labels if "frontal" in label or "thalamus" in label])
simulate(brain, "wong_wang", {"G": [0.5, 1.0, 1.5]}, seeds=4, seconds=120.0, size=4, resume=sys.argv[1])
"""


def test_a_sweep_that_was_killed_goes_on_to_the_same_numbers(brain, tmp_path) -> None:
    kept = tmp_path / "tasks"
    process = subprocess.Popen([sys.executable, "-c", SWEEP, str(kept)])
    deadline = time.monotonic() + 60
    while not list(kept.glob("task*.pkl")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = {file.name: file.stat().st_mtime_ns for file in kept.glob("task*.pkl")}
    assert 0 < len(finished) < 3
    plan = {"grid": {"G": [0.5, 1.0, 1.5]}, "seeds": 4, "seconds": 120.0, "size": 4}
    again = simulate(brain, "wong_wang", **plan, resume=kept)
    assert all((kept / name).stat().st_mtime_ns == when for name, when in finished.items())
    same(again, simulate(brain, "wong_wang", **plan))
    with pytest.raises(UserError, match="another sweep"):
        simulate(brain, "wong_wang", **(plan | {"seeds": 3}), resume=kept)


def test_a_cluster_that_loses_a_worker_loses_no_run(brain) -> None:
    """Two workers in processes of their own, one killed in mid-run: all runs, each once, the same numbers."""
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    plan = {"grid": {"G": [0.5, 1.0, 1.5]}, "seeds": 4, "seconds": 60.0, "size": 2}
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        victim = next(iter(cluster.workers.values())).pid
        killed = []

        def kill(percent: int, _: int) -> None:
            if not killed and percent > 0:
                os.kill(victim, signal.SIGKILL)
                killed.append(percent)

        tree = simulate(brain, "wong_wang", **plan, scheduler=cluster.scheduler_address, progress=kill)
    assert killed
    assert killed[0] < 100
    same(tree, simulate(brain, "wong_wang", **plan))


@pytest.mark.parametrize(
    ("text", "axis"), [("G=1", [1.0]), ("G=0.5,1", [0.5, 1.0]), ("G=0:2:5", [0.0, 0.5, 1.0, 1.5, 2.0])]
)
def test_grids_are_read(text, axis) -> None:
    assert parse_grid([text]) == {"G": axis}


@pytest.mark.parametrize("texts", [["G"], ["G="], ["G=a"], ["G=1:2"], ["=1"], ["G=1", "G=2"]])
def test_what_is_no_grid_is_refused(texts) -> None:
    with pytest.raises(UserError, match="--grid"):
        parse_grid(texts)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"model": "wong_wong"}, "did you mean wong_wang"),
        ({"model": "hopf", "draws": 2}, "draws are samples"),
        ({"model": "hopf", "grid": {"G": [1.0]}, "fixed": {"G": 1.0}}, "both as held"),
        ({"every": 2e5}, "every"), ({"seconds": np.nan}, "positive"),
        ({"model": "hopf", "grid": {"G": [-100.0]}, "seconds": 1.0}, "G -100.*no longer finite"),
        ({"model": "hopf", "grid": {"g": [1.0]}}, "did you mean"),
        ({"grid": {"gabaa_conductanse": [1.0]}}, "did you mean"), ({"seconds": 0.0}, "positive"),
        ({"model": "wong_wang", "every": 0.1, "seconds": 1e6}, "GiB"),
        ({"model": "wong_wang", "scheduler": "tcp://127.0.0.1:9"}, "scheduler"),
    ],
)  # fmt: skip
def test_bad_input_is_named_before_anything_runs(more, message, brain) -> None:
    with pytest.raises(UserError, match=message):
        simulate(brain, **more)
