"""The simulator solves the same equations as the linear solution, and agrees with it for small noise."""

import numpy as np
import pytest
from oracle import PAIRED, dense_matrix, entry, healthy, model, rewired

from synsys.brain.draws import Draw
from synsys.brain.noise import CORNERS, one_over_f
from synsys.brain.simulate import Push, simulate
from synsys.brain.solution import BANDS, correlation
from synsys.brain.spectra import cross, respond
from synsys.brain.state import HealthyBrain
from synsys.circuit.drift import SIZE, SLOTS
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_slow_input_is_one_over_f(exponent: float) -> None:
    f = np.geomspace(0.05, 100.0, 60)
    density = (one_over_f(exponent) / (1 + (f[:, None] / CORNERS) ** 2)).sum(-1)
    np.testing.assert_allclose(density * f**exponent, 1.0, rtol=0.01)


def test_without_noise_the_state_of_rest_stays() -> None:
    sim = simulate(healthy().state, 0.2, dt=0.5, every=1, warm_up=0.0, noise=0.0)
    assert np.ptp(sim.potential, axis=1).max() < 1e-9
    np.testing.assert_allclose(sim.mean_rate, healthy().state.rates, rtol=1e-9)


def test_seeds_side_by_side_are_the_seeds_alone() -> None:
    state = healthy(PAIRED).state
    both = simulate(state, 0.05, [3, 4], warm_up=0.01)
    alone = simulate(state, 0.05, [4], warm_up=0.01)
    np.testing.assert_allclose(both.potential[1], alone.potential[0], atol=1e-9)
    assert (both.potential[0] != both.potential[1]).any()


def test_heun_converges_at_second_order() -> None:
    state = healthy(("L.superiorfrontal",)).state

    def end(dt: float) -> float:
        push = Push(0, (0, 0), lambda t: 0.05 * np.sin(2e-3 * np.pi * 30.0 * t))
        sim = simulate(state, 0.0648, dt=dt, every=1, warm_up=0.0, noise=0.0, pushes=[push])
        return float(sim.potential[0, round(64.0 / dt), 0])

    exact = end(0.025)
    errors = [abs(end(dt) - exact) for dt in (0.8, 0.4, 0.2)]
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    assert order == pytest.approx(2.0, abs=0.25)


def test_a_pulse_arrives_after_the_tract_delay_and_not_before() -> None:
    state = healthy(PAIRED).state
    wiring, dt = state.linear.wiring, 0.1
    origin = int(wiring.source_node[0])
    direct = np.flatnonzero(wiring.weights[:, 0] * (np.arange(len(wiring.nodes)) != origin))
    pushes = [Push(origin, (0, k), lambda t: np.full(len(t), 0.1)) for k in range(SLOTS)]
    every = wiring.source_slot == 0
    sim = simulate(
        state,
        0.03,
        dt=dt,
        every=1,
        warm_up=0.0,
        noise=0.0,
        sources=np.flatnonzero(every),
        pushes=pushes,
    )
    moved = np.abs(sim.potential[0] - state.point.x[wiring.source_node[every], 0, 0]) > 1e-11
    first = {
        int(n): np.argmax(m) * dt for n, m in zip(wiring.source_node[every], moved.T, strict=True) if m.any()
    }
    delay = wiring.delays(state.speed)
    assert len(direct) >= 3
    for node in direct:
        if node in first and delay[node, 0] < 20.0:
            assert first[node] == pytest.approx(delay[node, 0], abs=6 * dt)
            assert first[node] >= delay[node, 0] - dt


def test_response_to_a_small_sine_is_the_linear_transfer() -> None:
    base = healthy(PAIRED).state
    wiring, dt = base.linear.wiring, 0.25
    whole = np.rint(wiring.delays() / dt) * dt  # the simulator rounds delays to steps
    state = rewired(base, lengths=0 * wiring.lengths, fixed_delay=whole)
    hertz = np.array([4.0, 10.0, 24.0, 40.0])
    omega = 2e-3 * np.pi * hertz
    pushes = [
        Push(n, at, lambda t: 1e-4 * np.sin(omega * t[:, None])) for n, at in ((0, (0, 0)), (5, (1, 1)))
    ]
    sim = simulate(
        state, 1.0, [0] * len(hertz), dt=dt, every=4, warm_up=1.2, noise=0.0,
        pushes=pushes,
    )  # fmt: skip
    t = 1200.0 + 1.0 * np.arange(1, 1001) - dt  # a record is of the beginning of its last step
    for k, w in enumerate(omega):
        design = np.stack(
            [np.sin(w * t), np.cos(w * t), np.ones(1000), t - t.mean(), (t - t.mean()) ** 2], -1
        )
        fit = np.linalg.lstsq(design, sim.potential[k], rcond=None)[0]
        got = fit[0] + 1j * fit[1]
        s = 1j * w
        force = 1e-4 * (entry(state.linear, 0, 0, 0) + entry(state.linear, 5, 1, 1))
        n = len(wiring.nodes) * SIZE
        x = np.linalg.solve(s * np.eye(n) - dense_matrix(state.linear, s), force).reshape(-1, SIZE)
        want = x[wiring.source_node, wiring.source_slot]
        assert np.abs(got - want).max() < 0.02 * np.abs(want).max()


def test_spectra_and_connectivity_agree_in_the_linear_domain() -> None:
    """FC r >= 0.98 and band power within 10 % with noise at a fifth; the full brain is a benchmark."""
    labels = (
        "L.superiorfrontal", "R.superiorfrontal", "L.lateraloccipital", "R.lateraloccipital",
        "L.pericalcarine",
    )  # fmt: skip
    brain = HealthyBrain(model(labels), Draw(None), feedback=False)  # tones would leave the domain
    state = brain.perturbed([Perturbation("long_range_synaptic_weight", 1.6)])
    sim = simulate(state, 2.0, range(96), dt=0.25, every=10, warm_up=0.7, noise=1 / 5)
    f, got = sim.cross_spectrum(1.0)
    fine = np.arange(2.0, 100.0, 0.1)  # resonances are narrower than the bins of the simulation
    want = cross(respond(state.linear, fine).output(np.eye(len(labels)))) / 25
    for low, high in BANDS.values():
        low = max(low, 2.0)
        seen = np.einsum("fii->f", got[(f >= low) & (f < high)]).real.mean()
        assert seen == pytest.approx(
            np.einsum("fii->f", want[(fine >= low) & (fine < high)]).real.mean(), rel=0.10
        )
    upper = np.triu_indices(len(labels), 1)
    fc = [correlation(y.sum(0).real)[upper] for y in (got[(f >= 2.0) & (f < 100.0)], want)]
    assert np.corrcoef(fc)[0, 1] >= 0.98


def test_windows_longer_than_a_run_are_refused() -> None:
    sim = simulate(healthy(PAIRED).state, 0.1, warm_up=0.0)
    with pytest.raises(UserError, match="window of 4 s"):
        sim.cross_spectrum(4.0)


def test_progress_ends_at_one_and_nonsense_is_reported() -> None:
    seen: list[float] = []
    simulate(healthy(PAIRED).state, 0.2, warm_up=0.0, progress=seen.append)
    assert seen[-1] == 1.0
    assert seen == sorted(seen)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="no longer finite"):
        simulate(healthy(PAIRED).state, 40.0, dt=40.0, warm_up=0.0, noise=50.0)
