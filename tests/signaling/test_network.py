"""The network's dynamics: exact health, declared elasticities, analytic relaxation, loops with gain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synsys.knowledge.signaling import Edge, Node
from synsys.signaling.network import Network
from synsys.signaling.rest import growth, jacobian, slopes, stationary

REGIONS = 3
PAST = {"checked": "derived", "grade": "C", "source": "hypothesis: test"}


def node(name, form="fold", logic="and", basal=0.2, tau=1.0, scope="brain", limit=None, process=""):
    return Node(name, form, logic, basal, tau, 0.5, scope, "derived", "C", "hypothesis: test", limit, process)


def edge(source, target, strength, acts_on="production", saturation=3.0, where=(), tag=""):
    return Edge(
        f"{source}->{target}{tag}", source, target, acts_on, strength, 0.1, True, (), where, False, "derived",
        "C", "hypothesis: test", saturation,
    )  # fmt: skip


def network(rows, regulators):
    def where(names):
        return np.ones(REGIONS, bool) if not names else np.arange(REGIONS) == 0

    return Network(where, np.array([1.0, 1.0, 2.0]), {r.node: r for r in rows}, regulators)


def nothing(net):
    return np.zeros((len(net.names), net.size)), np.zeros((len(net.inputs), net.size))


@pytest.mark.parametrize("logic", ["and", "mean", "or"])
@pytest.mark.parametrize("basal", [0.0, 0.4])
def test_declared_strengths_are_net_elasticities_whatever_the_logic(logic, basal):
    rows = [
        node("bdnf"),
        node("pka_activity"),
        node("il6", "shift"),
        node("creb_activity", logic=logic, basal=basal),
    ]
    strength = {"bdnf": 0.4, "pka_activity": -0.3, "il6": 0.2}
    net = network(rows, [edge(s, "creb_activity", g) for s, g in strength.items()])
    change, inputs = nothing(net)
    k = net.kinetics()
    for name, g in strength.items():
        moved = change.copy()
        moved[net.at[name]] = 1e-5
        production, loss = net.regulation(net.healthy(), moved, inputs, k)
        slope = np.log((production / loss)[net.at["creb_activity"], 0]) / 1e-5
        assert slope == pytest.approx(g, rel=1e-3)


def test_regulators_share_what_they_may_do_together_with_those_of_their_region_only():
    """Two of 0.8 share 1 in the region where both act; elsewhere the one that acts keeps its 0.8."""
    rows = [node("bdnf"), node("pka_activity"), node("creb_activity")]
    local = edge("pka_activity", "creb_activity", 0.8, where=("cortex",))
    net = network(rows, [edge("bdnf", "creb_activity", 0.8), local])
    change, inputs = nothing(net)
    k, moved = net.kinetics(), change.copy()
    moved[net.at["bdnf"]] = 1e-5
    production, loss = net.regulation(net.healthy(), moved, inputs, k)
    slope = np.log((production / loss)[net.at["creb_activity"]]) / 1e-5
    assert slope == pytest.approx([0.5, 0.8, 0.8], rel=1e-3)


def test_elasticity_matrix_is_the_derivative_of_the_steady_levels():
    rows = [
        node("bdnf"),
        node("pka_activity", logic="mean"),
        node("il6", "shift", limit=3.0),
        node("ros", logic="or"),
    ]
    net = network(
        rows,
        [
            edge("bdnf", "pka_activity", 0.4), edge("ros", "pka_activity", -0.2), edge("il6", "bdnf", -0.1),
            edge("pka_activity", "ros", 0.3), edge("bdnf", "ros", 0.2),
            edge("ros", "il6", 0.5, saturation=None),
            edge("pka_activity", "bdnf", 0.25, "loss"),
        ],
    )  # fmt: skip
    k = net.kinetics()
    change, inputs = nothing(net)
    e = jacobian(net, slopes(net, net.healthy(), change, inputs, k))[0]
    for j in range(len(rows)):
        y = net.healthy()
        y[j] += 1e-6
        production, loss = net.regulation(y, change, inputs, k)
        assert (production / loss - net.healthy())[:, 0] / 1e-6 == pytest.approx(e[:, j], abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.floats(-1.5, 1.5), st.sampled_from("pl")),
        max_size=12,
    ),
    st.lists(st.floats(-3, 3), min_size=5, max_size=5),
    st.sampled_from(["and", "mean", "or"]),
)
def test_health_is_exact_and_every_state_finite(pairs, pushes, logic):
    names = ["bdnf", "pka_activity", "ros", "il6", "microglial_activation"]
    rows = [node(n, logic=logic) for n in names[:3]]
    rows += [node("il6", "shift", limit=5.0), node("microglial_activation", "index", limit=1.0)]
    regulators = {}
    for a, b, g, kind in pairs:
        if abs(g) < 0.01 or (a == b and kind == "l"):
            continue
        fold = b < 3 or kind == "l"
        acts = "loss" if kind == "l" else "production"
        regulators[a, b, kind] = edge(names[a], names[b], g, acts, 2.5 if fold else None, tag=kind)
    net = network(rows, list(regulators.values()))
    k = net.kinetics()
    change, inputs = nothing(net)
    healthy = net.healthy()
    assert np.array_equal(net.advanced(healthy, net.regulation(healthy, change, inputs, k), k, 3.0), healthy)
    moved = change + np.array(pushes)[:, None]
    y = healthy
    for _ in range(30):
        y = net.advanced(y, net.regulation(y, moved, inputs, k), k, 2.0)
    assert np.isfinite(y).all()
    assert (y[:3] >= 0).all()
    assert (y[4] >= 0).all()
    assert (y[4] <= 1).all()
    assert (np.abs(y[3]) <= 5).all()


def test_a_node_relaxes_with_its_time_constant():
    net = network(
        [node("bdnf", tau=2.0), node("trkb_activity", tau=4.0)], [edge("bdnf", "trkb_activity", 0.5)]
    )
    change, inputs = nothing(net)
    change[0] = np.log(2.0)
    k = net.kinetics(factors={"tau:trkb_activity": np.log(2.0)})
    y, steady = net.healthy(), stationary(net, change, lambda _: inputs, k)[0][1, 0]
    y = net.advanced(y, net.regulation(y, change, inputs, k), k, 3.0)
    assert y[1, 0] == pytest.approx(steady + (1 - steady) * np.exp(-3.0 / 8.0), rel=1e-12)


def test_loss_speeds_a_node_up_and_lowers_it():
    net = network(
        [node("pruning_rate"), node("spine_density", tau=5.0)],
        [edge("pruning_rate", "spine_density", 0.8, "loss")],
    )
    change, inputs = nothing(net)
    change[0] = np.log(1.5)
    k = net.kinetics()
    _, loss = net.regulation(net.healthy(), change, inputs, k)
    y, found = stationary(net, change, lambda _: inputs, k)
    assert found
    assert y[1] == pytest.approx(1 / loss[1])
    after = net.advanced(net.healthy(), net.regulation(net.healthy(), change, inputs, k), k, 5.0 / loss[1, 0])
    assert (after[1] - y[1]) / (1 - y[1]) == pytest.approx(np.exp(-1))


@pytest.mark.parametrize(("strength", "lasts"), [(0.7, False), (1.5, True)])
def test_an_inflammatory_loop_outlasts_its_trigger_only_if_its_gain_exceeds_one(strength, lasts):
    rows = [node("il6", "index", limit=3.0), node("microglial_activation", "index", tau=3.0, limit=1.0)]
    net = network(
        rows,
        [
            edge("il6", "microglial_activation", strength, saturation=None),
            edge("microglial_activation", "il6", 1.0, saturation=None),
            edge("cytokine_load", "il6", 1.0, saturation=None),
        ],
    )
    k = net.kinetics()
    change, inputs = nothing(net)
    assert [x > edge for x, edge in zip(growth(net, k), (0, 1), strict=True)] == [lasts, lasts]
    y, pulse = net.healthy(), inputs + 2.0
    for now in (*(pulse,) * 100, *(inputs,) * 4000):
        y = net.advanced(y, net.regulation(y, change, now, k), k, 0.1)
    assert (y[1, 0] > 0.2) == lasts
    assert (y[1, 0] < 1e-6) == (not lasts)


def test_the_body_sees_the_weighted_mean_and_places_confine_edges():
    net = network(
        [node("il6", "shift"), node("cortisol", "shift", scope="body"), node("bdnf")],
        [
            edge("il6", "cortisol", 1.0, saturation=None),
            edge("cortisol", "bdnf", -0.2, where=("hippocampus",)),
        ],
    )
    change, inputs = nothing(net)
    change[0] = [0.0, 0.0, 1.0]
    y, _ = stationary(net, change, lambda _: inputs, net.kinetics())
    assert y[1] == pytest.approx(0.5)
    assert y[2, 0] < 1
    assert (y[2, 1:] == 1).all()


def test_stationary_state_is_where_time_leads():
    rows = [
        node("bdnf", tau=0.5),
        node("trkb_activity", tau=1.0, logic="mean"),
        node("akt_mtor_activity", logic="or"),
    ]
    net = network(
        rows,
        [
            edge("bdnf", "trkb_activity", 0.8), edge("trkb_activity", "akt_mtor_activity", 0.6),
            edge("akt_mtor_activity", "bdnf", 0.4), edge("bdnf", "akt_mtor_activity", -0.3),
            edge("glutamate_release", "bdnf", 0.5),
        ],
    )  # fmt: skip
    k = net.kinetics()
    change, inputs = nothing(net)
    inputs[0] = np.log([0.5, 1.0, 2.0])
    change[2] = np.log(0.6)
    found, settled = stationary(net, change, lambda _: inputs, k)
    assert settled
    y = net.healthy()
    for _ in range(3000):
        y = net.advanced(y, net.regulation(y, change, inputs, k), k, 0.05)
    assert y == pytest.approx(found, abs=1e-6)
