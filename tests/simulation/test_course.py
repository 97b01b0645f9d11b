"""Long runs: checkpoints, memory, control."""

import numpy as np
import pytest

from synsys.core.errors import UserError
from synsys.simulation.course import Control, followed
from synsys.simulation.haemodynamics import Scan
from synsys.simulation.links import Drive, Links
from synsys.simulation.model import Model
from synsys.simulation.models import wong_wang
from synsys.simulation.run import Simulation

PUSHED = Model(
    "pushed", {"x": 0.0}, {}, lambda x, p, u: (u.push,), lambda x, p: {}, lambda x, p, u: {"x": x.x},
    stimuli={"push": ()},
)  # fmt: skip


def network(**more):
    rng = np.random.default_rng(0)
    weights = rng.random((9, 9)) * (1 - np.eye(9)) / 9
    links = Links.between(weights, rng.random((9, 9)) * 5)
    args = {"seeds": range(3), "observe": ["S_E"], "every": 10.0, "scan": Scan("S_E", 100.0)} | more
    return Simulation(wong_wang, 9, links, **args)


def test_a_run_broken_off_goes_on_to_the_same_numbers(tmp_path):
    whole = followed(network(), 4000.0)
    path = tmp_path / "checkpoint.npz"

    class Killed(Exception):
        pass

    def kill(share):
        if share > 0.4:
            raise Killed

    with pytest.raises(Killed):
        followed(network(), 4000.0, checkpoint=path, saved=0.0, progress=kill)
    again = network()
    rest = followed(again, 4000.0, checkpoint=path, saved=0.0)
    np.testing.assert_array_equal(rest.record, whole.record)
    np.testing.assert_array_equal(rest.bold, whole.bold)
    finished = followed(network(), 4000.0, checkpoint=path)
    np.testing.assert_array_equal(finished.record, whole.record)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    followed(network(), 1000.0, checkpoint=path)
    start = {"S_E": 0.2}
    for other in ({"seeds": [0, 1, 3]}, {"parameters": {"G": 1.1}}, {"dt": 0.05}, {"start": start}):
        with pytest.raises(UserError, match="another run"):
            followed(network(**other), 1000.0, checkpoint=path)


def test_a_checkpoint_beyond_the_end_and_a_run_in_its_middle_are_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    followed(network(), 2000.0, checkpoint=path)
    with pytest.raises(UserError, match="beyond 1000 ms"):
        followed(network(), 1000.0, checkpoint=path)
    begun = network()
    begun.advance(100)
    with pytest.raises(UserError, match="not at its start"):
        followed(begun, 1000.0)


def test_threads_may_change_when_a_run_goes_on(tmp_path):
    path = tmp_path / "checkpoint.npz"
    rng = np.random.default_rng(0)
    links = Links.between(rng.random((9, 9)) / 9)

    def make(threads):
        return Simulation(wong_wang, 9, links, seeds=[0, 1], observe=["S_E"], every=10.0, threads=threads)

    followed(make(2), 1000.0, checkpoint=path)
    np.testing.assert_array_equal(
        followed(make(1), 3000.0, checkpoint=path).record, followed(make(2), 3000.0).record
    )


def test_what_would_not_fit_is_refused_before_it_begins():
    with pytest.raises(UserError, match="GiB"):
        followed(network(every=0.1), 1e7, memory=0.5)


def test_control_acts_after_its_latency():
    """x' = -c sign(x - 1) seen every 2 ms and acting 4 ms later: x rises at once only after the latency."""
    seen = []

    def respond(time, states):
        seen.append(time)
        return 0.1 * (states["x"][:, 0] < 1)[None].astype(float)

    run = Simulation(
        PUSHED, 1, Links.between(np.zeros((1, 1))), seeds=[0, 1], precision="float64", observe=["x"],
        every=0.1,
        drives=[Drive("push", [0])],
    )  # fmt: skip
    x = followed(run, 40.0, control=Control(respond, 2.0, 4.0)).record[:, 0, 0, 0]
    assert seen == pytest.approx(np.arange(0, 40, 2))
    t = np.arange(400) * 0.1
    np.testing.assert_allclose(x[t < 18], np.maximum(t[t < 18] - 4, 0) * 0.1, atol=1e-9)
    assert 1.2 < x.max() < 1.7  # reached at 14 ms, seen at 14 or 16, heard 4 ms later


def test_waves_and_control_add_and_intervals_must_fit():
    def make():
        return Simulation(
            PUSHED, 1, Links.between(np.zeros((1, 1))), precision="float64", observe=["x"], every=1.0,
            drives=[Drive("push", [0])],
        )  # fmt: skip

    both = followed(
        make(),
        10.0,
        waves=lambda t: 0.5 * np.ones((1, len(t))),
        control=Control(lambda t, x: np.ones(1), 1.0),
    ).record[-1, 0, 0, 0]
    assert both == pytest.approx(1.5 * 9.45)
    with pytest.raises(UserError, match="no multiple"):
        followed(make(), 10.0, control=Control(lambda t, x: np.ones(1), 0.33))
    with pytest.raises(UserError, match="latency"):
        followed(make(), 10.0, control=Control(lambda t, x: np.ones(1), 1.0, 1.5))
