"""Who projects to whom, how strongly, and how late."""

import numpy as np
import pytest
from oracle import ALL_KINDS, CORTEX, healthy, model, part

from synsys.brain.linear import LongRange, undelayed
from synsys.brain.wiring import LOOPS, SYNAPTIC_DELAY, TELENCEPHALON, VELOCITY, build_wiring
from synsys.circuit.drift import SLOTS
from synsys.circuit.linear import LocalTransfer
from synsys.circuit.templates import cells, prior
from synsys.core.connectome import Connectome
from synsys.data.embedded import load_embedded
from synsys.knowledge.mechanisms import projections, templates


@pytest.fixture(scope="module")
def whole():
    return build_wiring(load_embedded())


def allowed() -> set[tuple[str, str, str, str]]:
    return {
        (r.from_template, r.from_cell, r.to_template, r.to_cell)
        for r in projections()
        if r.scope != "diffuse"
    }


def reaching(w) -> np.ndarray:
    """Where a source reaches a population with any receptor, (N, S, slots)."""
    through = (w.kappa.sum(0) > 0).transpose(1, 2, 0)[:, w.source_class]  # (N, S, slots)
    return through & (w.weights > 0)[..., None]


def test_every_connection_is_allowed_by_a_projection(whole) -> None:
    template = whole.nodes.template.to_numpy()
    node, source, slot = np.nonzero(reaching(whole))
    seen = set()
    for n, s, a in zip(node, source, slot, strict=True):
        origin = whole.source_node[s]
        cell = cells()[template[origin]][whole.source_slot[s]]
        seen.add((template[origin], cell, template[n], cells()[template[n]][a]))
    assert seen <= allowed()
    assert allowed() - seen == set()


def test_glutamate_opens_ampa_and_nmda_and_gaba_opens_gabaa(whole) -> None:
    transmitter = {(r.template, r.cell): r.transmitter for r in templates()}
    template = whole.nodes.template.to_numpy()
    for c, sources in enumerate(whole.by_class):
        origin = template[whole.source_node[sources[0]]]
        kind = transmitter[origin, cells()[origin][whole.source_slot[sources[0]]]]
        ampa, nmda, gabaa = (whole.kappa[k, :, :, c].any() for k in range(3))
        assert (ampa, nmda, gabaa) == ((True, True, False) if kind == "glutamate" else (False, False, True))


def test_conductance_is_strength_times_unit(whole) -> None:
    template = whole.nodes.template.to_numpy()
    sst = cells()["cortex"].index("SST")
    cortex = template == "cortex"
    for c, sources in enumerate(whole.by_class):
        if template[whole.source_node[sources[0]]] == "cortex":
            e = next(
                r.strength
                for r in projections()
                if (r.from_template, r.from_cell, r.to_template, r.to_cell) == ("cortex", "E", "cortex", "E")
            )
            unit = prior()["cortex.*<-*:nmda"][0]
            np.testing.assert_allclose(whole.kappa[1, 0, cortex, c], e * unit)
            assert not whole.kappa[:, sst, cortex, c].any()  # SST cells receive no long-range drive


def test_the_strength_of_a_projection_scales_its_own_conductances_only(whole) -> None:
    template = whole.nodes.template.to_numpy()
    (row,) = [r for r in projections() if r.id == "amygdala.E->cortex.PV"]
    twice = whole.scaled({row.id: np.log(2.0), "brainstem.VTA->striatum.all": 1.0})
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = twice.kappa / whole.kappa
    moved = np.isfinite(ratio) & (ratio != 1)
    kind, a, node, c = np.nonzero(moved)
    np.testing.assert_allclose(ratio[moved], 2.0)
    assert set(kind) == {0, 1}
    assert set(a) == {cells()["cortex"].index("PV")}
    assert set(node) == set(np.flatnonzero(template == "cortex"))
    (origin,) = {template[whole.source_node[whole.by_class[i][0]]] for i in c}
    assert origin == "amygdala"
    half = whole.scaled({row.id: np.log(4.0)}, share=np.full(len(template), 0.5))
    np.testing.assert_allclose(half.kappa, twice.kappa)
    assert whole.scaled({}) is whole


def test_weights_are_scaled_alike_in_every_brain() -> None:
    for brain in (load_embedded(), part(ALL_KINDS)):
        w = build_wiring(brain)
        template = w.nodes.template.to_numpy()
        inside = np.isin(template, TELENCEPHALON)
        of = np.isin(template[w.source_node], TELENCEPHALON)
        square = w.weights[np.ix_(np.flatnonzero(inside), np.flatnonzero(of))]
        assert np.abs(np.linalg.eigvals(square)).max() == pytest.approx(1.0)
        total = w.weights[inside][:, template[w.source_node] == "thalamus"].sum(1)
        assert total[total > 0].mean() == pytest.approx(1.0)
        assert (w.weights >= 0).all()


def test_scale_of_tractography_does_not_matter() -> None:
    brain = load_embedded()
    more = Connectome("x", 7.3 * brain.weights, brain.lengths, brain.regions, brain.maps)
    np.testing.assert_allclose(build_wiring(more).weights, build_wiring(brain).weights, rtol=1e-12)


def test_no_region_projects_to_itself_through_the_connectome(whole) -> None:
    region = whole.nodes.region.to_numpy()
    template = whole.nodes.template.to_numpy()
    cortical = template[whole.source_node] == "cortex"
    same = region[:, None] == region[whole.source_node][None]
    assert not whole.weights[:, cortical][same[:, cortical]].any()


def test_channels_share_their_region_and_stay_apart(whole) -> None:
    nodes = whole.nodes
    share = nodes[nodes.region >= 0].groupby("region").share.sum()
    np.testing.assert_allclose(share, 1.0)
    network = load_embedded().regions.network.to_numpy()
    template, channel = nodes.template.to_numpy(), nodes.channel.to_numpy()
    for n in np.flatnonzero(template == "striatum"):
        for s in np.flatnonzero(whole.weights[n] > 0):
            origin = whole.source_node[s]
            if template[origin] == "cortex":
                assert network[nodes.region[origin]] == channel[n]
            elif template[origin] in ("hippocampus", "amygdala"):
                assert channel[n] == "Limbic"
            else:
                assert channel[origin] == channel[n]


def test_basal_ganglia_loops_are_closed_in_hemisphere_and_channel(whole) -> None:
    nodes = whole.nodes
    assert len(whole.loops) == 14  # two hemispheres, seven networks
    together = np.concatenate([*whole.loops, whole.core])
    assert sorted(together) == list(range(len(whole.source_node)))
    assert not set(nodes.template[whole.source_node[whole.core]]) & set(LOOPS)
    for members in whole.loops:
        part_ = nodes.iloc[whole.source_node[members]]
        assert part_.groupby(["hemisphere", "channel"]).ngroups == 1
    inside = np.isin(nodes.template, LOOPS)
    for n in np.flatnonzero(inside):
        for s in np.flatnonzero(whole.weights[n] > 0):
            origin = whole.source_node[s]
            if inside[origin]:
                assert nodes.hemisphere[origin] == nodes.hemisphere[n]


def test_cerebellum_reaches_the_other_thalamus(whole) -> None:
    nodes = whole.nodes
    template, hemisphere = nodes.template.to_numpy(), nodes.hemisphere.to_numpy()
    dcn = template[whole.source_node] == "cerebellum"
    to, of = np.nonzero(whole.weights[:, dcn])
    assert len(to)
    assert (hemisphere[to] != hemisphere[whole.source_node[dcn]][of]).all()
    assert set(template[to]) == {"thalamus"}


def test_delays_are_length_over_speed_plus_a_synapse(whole) -> None:
    delay = whole.delays()
    here = whole.weights > 0
    template = whole.nodes.template.to_numpy()
    targets, sources = template == "cortex", template[whole.source_node] == "cortex"
    region = whole.nodes.region.to_numpy()
    mm = load_embedded().lengths[np.ix_(region[targets], region[whole.source_node[sources]])]
    np.testing.assert_allclose(delay[np.ix_(targets, sources)], mm / VELOCITY + SYNAPTIC_DELAY)
    assert (delay[here] >= SYNAPTIC_DELAY).all()
    assert delay[here].max() < 60.0
    np.testing.assert_allclose(whole.delays(2.0) - whole.fixed_delay, 0.5 * (delay - whole.fixed_delay))
    speed = np.linspace(0.5, 2.0, len(whole.nodes))
    tract = whole.delays(speed) - whole.fixed_delay
    np.testing.assert_allclose(tract * speed[:, None], delay - whole.fixed_delay)


def test_collected_conductance_is_the_plain_sum(whole) -> None:
    gates = np.random.default_rng(0).random((len(whole.nodes), 2, SLOTS))
    got = whole.collect(gates)
    want = np.zeros_like(got)
    for s, (n, a, c) in enumerate(zip(whole.source_node, whole.source_slot, whole.source_class, strict=True)):
        for k, gate in enumerate((0, 1, 0)):
            want[k] += whole.weights[:, s, None] * gates[n, gate, a] * whole.kappa[k, :, :, c].T
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_loop_is_the_derivative_of_what_is_collected() -> None:
    w = model().wiring
    rng = np.random.default_rng(1)
    inv, enter = rng.standard_normal((2, 1, len(w.nodes), SLOTS, SLOTS))
    fast, slow = rng.standard_normal((2, 1, len(w.nodes), SLOTS))
    multipliers = rng.lognormal(size=(3, len(w.nodes), SLOTS))
    long_range = LongRange(w, LocalTransfer(inv, enter, fast, slow, np.ones((1, len(w.nodes)))), multipliers)
    everything = np.arange(len(w.source_node))
    loop = long_range.block(everything, everything, undelayed(w))[0]
    for s in range(0, len(w.source_node), 3):
        gates = np.zeros((len(w.nodes), 2, SLOTS))
        n, a = w.source_node[s], w.source_slot[s]
        gates[n, 0, a], gates[n, 1, a] = fast[0, n, a], slow[0, n, a]
        v = np.einsum("nba,nka,kna->nb", inv[0], enter[0], multipliers * w.collect(gates))
        np.testing.assert_allclose(loop[:, s], v[w.source_node, w.source_slot], atol=1e-12)
    rows, columns = w.core[::2], w.core[1::2]
    np.testing.assert_array_equal(
        long_range.block(rows, columns, undelayed(w))[0], loop[np.ix_(rows, columns)]
    )


def test_a_brain_of_cortex_alone_has_no_subcortex_and_no_missing_locus() -> None:
    w = build_wiring(part(CORTEX))
    assert set(w.nodes.template) == {"cortex", "brainstem"}
    assert not w.loops
    assert healthy(CORTEX).state.point.residual < 1e-9


def test_one_region_stands_alone() -> None:
    w = build_wiring(part(CORTEX[:1]))
    assert not w.weights[w.nodes.region >= 0].any()


def test_order_of_regions_does_not_matter() -> None:
    forward, backward = build_wiring(part(CORTEX)), build_wiring(part(CORTEX[::-1]))
    n = len(CORTEX)
    np.testing.assert_allclose(backward.weights[:n, :n][::-1, ::-1], forward.weights[:n, :n], rtol=1e-12)
