"""Changes over time are measured as the table of a cascade measures them, and sampling decides no order."""

import math

import numpy as np
import pytest

from synsys.measures.courses import (
    deviation,
    order_of_stages,
    readout_changes,
    slow_changes,
    trajectory_lead_lag,
)
from tests.report.trees_time import READOUTS, SLOW, make_trajectory


@pytest.fixture(scope="module")
def groups():
    tree = make_trajectory(regions=4)
    return tree["trajectory"].to_dataset(inherit=False), tree["slow"].to_dataset(inherit=False)


def test_a_fold_counts_by_its_logarithm_and_a_shift_as_it_is() -> None:
    forms = np.array(["fold", "shift", "index", "fold"])
    np.testing.assert_allclose(
        deviation(np.array([[2.0, -3.0, 0.4, 0.0]]), forms), [[math.log(2), -3.0, 0.4, math.log(1e-3)]]
    )


def test_halving_and_doubling_are_alike(groups) -> None:
    _, slow = groups
    twice = slow.assign(value=2.0 * slow["value"] / slow["value"])
    up, down = (slow_changes(slow.assign(value=v)) for v in (twice["value"], 1 / twice["value"]))
    fold = slow["form"].values == "fold"
    np.testing.assert_allclose(up["effect"].values[..., fold], -down["effect"].values[..., fold])


def test_readouts_are_in_healthy_sd_where_it_is_known(groups) -> None:
    """d is the log ratio of a ratio quantity, or the difference, over its sd between people."""
    trajectory, _ = groups
    changes = readout_changes(trajectory).isel(time=-1)
    reference, perturbed = trajectory["value"].isel(time=-1).values
    for i, (name, (_, _, ratio, _, sd)) in enumerate(READOUTS.items()):
        by_hand = np.log(perturbed[:, i] / reference[:, i]) if ratio else perturbed[:, i] - reference[:, i]
        known = sd > 0
        np.testing.assert_allclose(
            changes["effect"].sel(item=name), by_hand / (sd if known else 1), atol=1e-12
        )
        assert (str(changes["measure"].sel(item=name).values) == "d") == known


def test_health_never_moves() -> None:
    tree = make_trajectory(flat=True, regions=4)
    out = tree["leadlag"].to_dataset(inherit=False)
    assert (out["order"] == 0).all()
    assert (out["direction"] == 0).all()
    assert not out["persistent"].any()


def test_every_quantity_has_one_row_and_ranks_follow_time(groups) -> None:
    out = trajectory_lead_lag(*groups)
    assert set(out["item"].values) == {*SLOW, *READOUTS}
    moved = out.where(out["order"] > 0, drop=True).sortby("order")
    assert (np.diff(moved["moved"].values) >= 0).all()
    assert moved["order"].values[0] == 1


def test_an_input_is_no_result(groups) -> None:
    """What an event sets moves first by definition, so it counts neither as a movement nor for the order."""
    inputs = {"calcium_dysregulation", "gamma_power"}
    out = trajectory_lead_lag(*groups, inputs)
    assert set(out["item"].values) == {*SLOW, *READOUTS} - inputs
    alone = [name for name in SLOW if name != "ltp"]
    table = order_of_stages(*groups, {*alone, *READOUTS} - {"ltp", "dlpfc_activity"})
    assert table[["earlier", "later"]].to_numpy().tolist() == [["synapse", "circuit"]]


def test_denser_sampling_of_slow_variables_makes_nothing_earlier() -> None:
    """The same course as molecule and as readout, sampled densely and sparsely: no order between them."""
    tree = make_trajectory(regions=4)
    trajectory, slow = (tree[name].to_dataset(inherit=False) for name in ("trajectory", "slow"))
    slow = slow.sel(variable=["creb_activity"])
    at = slow["value"].sel(time_dense=trajectory["time"].values, variable="creb_activity").values
    same = trajectory.sel(readout=["dlpfc_activity"]).drop_vars("sd").copy(deep=True)
    same["value"][0] = 2.0
    same["value"][1] = 2.0 * at[..., None]
    table = order_of_stages(same, slow)
    assert len(table) == 1
    assert table["pairs"].item() == pytest.approx(0.5)
