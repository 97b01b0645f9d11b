"""Spatial working memory: the ring against the whole equation, its symmetry, its limits, disinhibition."""

from dataclasses import fields, replace

import numpy as np
import pytest

from synsys.brain.draws import draws
from synsys.brain.state import HealthyBrain
from synsys.circuit.drift import E_CA, E_K, Parameters, cal_inf, drift, firing
from synsys.knowledge.resolve import parse_perturbation
from synsys.mind.tasks import attractor, pools_kernel
from synsys.mind.tasks import working_memory as task
from synsys.mind.tasks.attractor import FAST, NMDA, SLOW, Module, deviates, interneurons


@pytest.fixture(scope="module")
def tuned(healthy, atlas):
    return task.tuning(healthy, task.nodes_of(atlas, task.LOCUS))


@pytest.fixture(scope="module")
def net(tuned):
    module, kappa = tuned
    return task.ring(module, module, kappa)


def peaks(net, until, shown=True, noise=None, trials=1):
    """Highest rate over the ring after every step, (steps, trials)."""
    steps = round(until / task.STEP)
    cue = task.during(task.shown(180.0, task.CUE, net), 0.0, task.CUE_TIME, steps) if shown else None
    return net.run(steps, cue, noise, net.begin(trials)).rates.max(-1)


def whole(module, net, replaced, until, step=0.25):
    """Peak rate, Hz, of the ring made of the whole equation with calcium held, at `until` ms.

    Every pool is a node with PV and SST cells of its own that hear all pools, so they are all alike.
    """
    one = module.parameters
    p = Parameters(**{f.name: np.repeat(getattr(one, f.name), task.POOLS, 0) for f in fields(one)})
    g_fast, g_slow, b_ampa, b_nmda = p.g_fast.copy(), p.g_slow.copy(), p.b_ampa.copy(), p.b_nmda.copy()
    from_fast, from_slow = g_fast[0, :, 0].copy(), g_slow[0, :, 0].copy()
    g_fast[:, :, 0] = g_slow[:, :, 0] = 0.0
    b_ampa[:, 0] *= 1 - replaced
    b_nmda[:, 0] *= 1 - replaced
    arriving = np.repeat(module.u, task.POOLS, 1)
    arriving[:2, :, 0] *= 1 - replaced
    p = replace(p, g_fast=g_fast, g_slow=g_slow, b_ampa=b_ampa, b_nmda=b_nmda, g_cal=0 * p.g_cal)
    x = np.repeat(module.x, task.POOLS, 0)
    channel = one.g_cal * cal_inf(module.x[:, 0], one)
    cue = net.per_mv * task.shown(180.0, task.CUE, net)
    for k in range(round(until / step)):
        u = arriving.copy()
        u[0] += from_fast * x[:, 1, 0].mean()
        u[1, :, 1:] += from_slow[1:] * x[:, 2, 0].mean()
        u[1, :, 0] += x[:, 2, 0] @ net.weights + (cue if k * step < task.CUE_TIME else 0.0)
        change = drift(x, p, u, channel * (E_CA - x[:, 0]))
        change[:, 5] = 0.0
        x = x + step * change
    return float(1e3 * firing(x[:, 0], p)[:, 0].max())


def test_the_reduction_rests_where_the_whole_equation_does(tuned):
    """Health fires at its rates, with and without a share of tonic excitation made recurrent."""
    module, kappa = tuned
    for strength in (0.0, kappa):
        net = task.ring(module, module, strength)
        rest = attractor.Activity(np.ones((1, task.POOLS)), np.ones(1), 0, None)
        rates = net.run(1, None, None, rest).rates
        assert rates == pytest.approx(1e3 * module.cell.rate[0], rel=5e-3)


def test_interneurons_are_at_rest(tuned):
    module, _ = tuned
    fast, slow = np.meshgrid(FAST, SLOW, indexing="ij")
    v = interneurons(module, fast, slow)
    at = (np.abs(fast - 1) < 1e-9) & (slow == 1)
    assert v[at][0] == pytest.approx(module.x[0, 0], abs=1e-4)
    p = module.cell  # balance written out, without the drift
    f = p.release * firing(v, p) / p.rate
    ampa = p.g_fast[1, 0] * fast + p.b_ampa[1] + module.u[0, 0, 1]
    potassium = p.g_m[1] / (1 + np.exp(-(v[..., 1] - p.m_half[1]) / p.m_slope[1]))
    nmda = p.g_slow[1, 0] * slow + p.b_nmda[1] + module.u[1, 0, 1]
    gabaa = f[..., 1:] @ p.g_fast[1, 1:] + p.b_gaba[1] + module.u[2, 0, 1] + p.g_cl[1]
    pv = v[..., 1]
    free = 1 / (1 + np.exp(-0.062 * pv) / 3.57)
    current = p.e_leak[1] - pv - (ampa + nmda * free) * pv + gabaa * (p.e_inh[1] - pv)
    assert np.abs(current + potassium * (E_K - pv)).max() < 1e-4


def test_the_whole_equation_holds_the_same_bump(tuned, net):
    """All its membranes, fast synapses and gates in time, only calcium held: the same rate in the end."""
    module, kappa = tuned
    reduced = peaks(net, 3000.0)[-1, 0]
    assert whole(module, net, module.replaced(kappa), 3000.0) == pytest.approx(reduced, rel=0.1)


def test_a_cue_leaves_persistent_activity_and_an_even_ring_rests(net):
    assert peaks(net, 3000.0)[-1, 0] == pytest.approx(task.PERSISTENT, rel=0.1)
    assert peaks(net, 500.0, False)[-1, 0] == pytest.approx(net.rate, rel=0.1)


def test_without_tuned_recurrence_or_without_nmda_receptors_there_is_no_memory(tuned, healthy, atlas):
    module, kappa = tuned
    lost = task.scores(task.ring(module, module, 0.0), 0)
    assert lost["memory_accuracy"] < 0.2
    assert "memory_drift" not in lost
    cell = module.parameters
    g = cell.g_slow.copy()
    g[:, 0, 0] = 0.0
    blocked = replace(module, parameters=replace(cell, g_slow=g, b_nmda=0 * cell.b_nmda))
    assert task.scores(task.ring(blocked, module, kappa), 0)["memory_accuracy"] < 0.2


def test_compiled_steps_are_those_written_plainly(net):
    """Noise, a current of each trial its own, trials that do not fill their vectors, and a part run anew."""
    rng = np.random.default_rng(0)
    steps, trials = 40, 11
    slow, white = (rng.standard_normal((steps + 1, trials, task.POOLS)) for _ in range(2))
    noise = attractor.Deviates(pools_kernel.laid(slow), pools_kernel.laid(white))
    current = 5.0 * rng.random((steps, trials, task.POOLS))
    start = net.begin(trials)
    found = net.run(steps, current, noise, start)
    s, fast, eta = start.gating, start.fast, slow[0]
    keep = np.exp(-attractor.STEP / net.tau)
    for k in range(steps):
        share = s @ net.share
        n = s @ net.weights + net.tonic + net.per_mv * current[k]
        at = np.rint(fast / FAST[1]).astype(int) * len(SLOW) + np.rint(share / SLOW[1]).astype(int)
        n = n + net.slow_sd * np.sqrt(np.maximum(n, 0)) * eta + net.white_sd[at] * white[k]
        eta = keep * eta + np.sqrt(1 - keep**2) * slow[k + 1]
        r, fast = rates(net, n, share, fast)
        s = net.gating(r) + (s - net.gating(r)) * keep
        np.testing.assert_allclose(found.rates[k], r, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.gating[k], s, rtol=1e-9, atol=1e-9)
    half = net.run(15, current[:15], noise, start).end.first(3)
    again = net.run(steps, current[15:, :3], noise, half)
    np.testing.assert_allclose(again.gating[-1], found.gating[-1, :3], rtol=1e-12)


def rates(net, n, slow, fast):
    """Rates (trials, P) and AMPA drive (trials,) by interpolation in the table of the net."""
    table = net.rows.reshape(len(FAST), len(SLOW), len(NMDA))
    out = []
    for trial in range(len(n)):
        k = min(int(fast[trial] / FAST[1]), len(FAST) - 2)
        low, high = (
            np.array(
                [
                    np.interp(x, NMDA, [np.interp(slow[trial], SLOW, row) for row in table[m].T])
                    for x in n[trial]
                ]
            )
            for m in (k, k + 1)
        )
        scale = net.release / net.rate
        a, b = scale * (low @ net.share), scale * ((high - low) @ net.share)
        z = (a - k * FAST[1]) / (FAST[1] - b)
        out.append((np.maximum(low + z * (high - low), 0), max((k + z) * FAST[1], 0)))
    return np.array([r for r, _ in out]), np.array([m for _, m in out])


def test_the_ring_has_no_preferred_place(net):
    """Cue, noise and all turned by some pools give the same, turned."""
    steps, turn = 120, 7
    noise = deviates(3, steps, 4, task.POOLS)
    turned = replace(noise, **{n: np.roll(z, turn, axis=2) for n, z in vars(noise).items()})
    angle = task.ANGLE[turn]

    def end(cue, noise):
        shown = task.during(task.shown(cue, task.CUE, net), 0.0, task.CUE_TIME, steps)
        return net.run(steps, shown, noise, net.begin(4)).gating[-1]

    assert np.roll(end(90.0, noise), turn, axis=-1) == pytest.approx(end(90.0 + angle, turned), rel=1e-9)


def test_a_place_between_pools_is_kept(net):
    """Pools are discrete, but without noise a bump stays where it is put: nothing pins it."""
    for cue in (180.0, 182.5, 185.0):
        steps = round(3250.0 / task.STEP)
        shown = task.during(task.shown(cue, task.CUE, net), 0.0, task.CUE_TIME, steps)
        last = net.run(steps, shown, None, net.begin(1)).rates[-1]
        where = np.rad2deg(np.angle(task.vector(last))) % 360
        assert where[0] == pytest.approx(cue, abs=0.5)


def test_diffusion_of_a_random_walk_is_found_under_jitter():
    rng = np.random.default_rng(0)
    steps, trials, truth = 300, 2000, 6.0
    walk = np.cumsum(rng.normal(0, np.sqrt(truth * 1e-3 * attractor.STEP), (steps, trials)), axis=0)
    seen = walk + rng.normal(0, 1.5, walk.shape)
    assert task.diffusion((seen + 180) % 360 - 180) == pytest.approx(truth, rel=0.05)


def test_half_the_time_step_holds_the_same_bump(tuned, net, monkeypatch):
    before = peaks(net, 2000.0)[-1, 0]
    monkeypatch.setattr(attractor, "STEP", 5.0)
    monkeypatch.setattr(task, "STEP", 5.0)
    assert peaks(net, 2000.0)[-1, 0] == pytest.approx(before, rel=0.01)


def test_health_remembers_as_people_do_and_bit_for_bit_again(healthy, atlas):
    first = task.run(healthy.state, atlas, 0)
    assert first == task.run(HealthyBrain(healthy.model, healthy.draw).state, atlas, 0)
    nothing = healthy.perturbed([parse_perturbation("nmda_conductance=1")], sized=False)
    again = task.run(nothing, atlas, 0)
    assert first == pytest.approx(again, rel=1e-6)
    assert first["memory_accuracy"] > 0.9


@pytest.mark.parametrize("change", ["nmda_conductance=0.7:PV", "gabaa_pv_conductance=0.8"])
def test_disinhibition_makes_memory_drift_and_lets_distractors_in(change, model, atlas):
    """Murray et al. 2014: weaker NMDA drive of interneurons, or weaker GABA, in the mean over draws."""
    apart = []
    for draw in draws(4):
        brain = HealthyBrain(model, draw)
        here, there = (
            task.run(state, atlas, 0)
            for state in (brain.state, brain.perturbed([parse_perturbation(change)], sized=False))
        )
        apart.append(
            [
                np.log(there["memory_drift"] / here["memory_drift"]),
                there["memory_distractibility"] - here["memory_distractibility"],
            ]
        )
    assert (np.mean(apart, axis=0) > 0).all()
    assert (np.array(apart)[:, 1] > 0).all()


def test_module_is_the_mean_over_its_nodes(healthy, atlas):
    nodes = task.nodes_of(atlas, task.LOCUS)
    module = Module.of(healthy.state, nodes)
    assert module.cell.g_slow == pytest.approx(healthy.state.parameters.g_slow[nodes].mean(0))
    assert np.abs(drift(module.x, module.parameters, module.u)[..., 0, :]).max() < 1e-6
