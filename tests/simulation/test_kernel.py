"""The compiled kernel computes what the equations say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from synsys.core.errors import UserError
from synsys.simulation.haemodynamics import Haemodynamics, balloon, bold_signal
from synsys.simulation.links import Links
from synsys.simulation.model import Model, Parameter
from synsys.simulation.models import hopf, kuramoto, wong_wang
from synsys.simulation.run import Drive, Scan, Simulation

NONE = Links.between(np.zeros((1, 1)))


def function(f, points, precision="float64"):
    """f of every point, by the kernel: one Euler step of length 1 of y' = f(s)."""
    model = Model(
        "function", {"s": 0.0, "y": 0.0}, {}, lambda x, p, u: (0.0 * x.s, f(x.s)), lambda x, p: {},
        lambda x, p, u: {"y": x.y, "s": x.s},
    )  # fmt: skip
    run = Simulation(
        model, len(points), Links.between(np.zeros((len(points),) * 2)), dt=1.0, method="euler",
        precision=precision, observe=["y", "s"], start={"s": points},
    )  # fmt: skip
    run.advance(1)
    return run.states()["y"][0]


@pytest.mark.parametrize(("precision", "ulp"), [("float32", 1.2e-7), ("float64", 2.3e-16)])
@pytest.mark.parametrize(
    ("f", "low", "high", "units"),
    [
        (np.exp, -80, 80, 4), (np.log, 1e-6, 1e6, 4), (np.log1p, -0.9, 50, 4), (np.expm1, -20, 20, 8),
        (np.sqrt, 0, 1e4, 1), (np.tanh, -20, 20, 12),
    ],
)  # fmt: skip
def test_functions_are_accurate(f, low, high, units, precision, ulp):
    x = np.linspace(low, high, 2001).astype(precision).astype(float)
    got, want = function(f, x, precision), f(x)
    assert (np.abs(got - want) <= units * ulp * np.maximum(np.abs(want), 1e-3)).all()


@pytest.mark.parametrize(("precision", "error"), [("float32", 4e-6), ("float64", 1e-13)])
def test_sine_and_cosine_stay_accurate_over_many_turns(precision, error):
    x = np.linspace(-300, 300, 4001).astype(precision).astype(float)
    for f in (np.sin, np.cos):
        np.testing.assert_allclose(function(f, x, precision), f(x), atol=error)


@given(st.floats(0.01, 50), st.floats(0.1, 6))
@settings(max_examples=15, deadline=None)
def test_powers(x, y):
    np.testing.assert_allclose(function(lambda s: s**y, np.array([x])), x**y, rtol=1e-12)


@pytest.mark.parametrize("y", [-3, -1, 0, 2, 4, 5, 9])
def test_whole_powers_hold_for_negative_numbers(y):
    x = np.array([-2.0, -0.5, 0.25, 3.0])
    np.testing.assert_allclose(function(lambda s: s**y, x), x ** float(y), rtol=1e-13)


def test_what_is_not_a_number_stays_so():
    for f in (np.log, lambda s: s**1.5):
        with pytest.raises(FloatingPointError, match="y is no longer finite"):
            function(f, np.array([-2.0]))
    bounded = Model(
        "bounded", {"x": 0.5}, {}, lambda x, p, u: (np.log(x.x - 1.0),), lambda x, p: {},
        lambda x, p, u: {"x": x.x}, bounds={"x": (0.0, 1.0)},
    )  # fmt: skip
    with pytest.raises(FloatingPointError, match="x is no longer finite"):
        Simulation(bounded, 1, NONE).advance(5)


def test_phases_keep_their_precision():
    """Single precision, a phase of ten thousand turns at the start: the frequency stays what it was."""
    sim = Simulation(
        kuramoto, 1, NONE, {"frequency": 10.0}, dt=0.1, start={"phase": 4e4}, observe=["sine"], every=1.0
    )
    sim.advance(10)
    sine = sim.advance(20000)[0][:, 0, 0, 0]
    rising = np.flatnonzero((sine[:-1] < 0) & (sine[1:] >= 0))
    assert np.diff(rising).mean() == pytest.approx(100.0, rel=1e-3)


def reference(weights, lag, x, dt, steps, method, refresh):
    """Two states, x sent with delays, in plain NumPy: dx = -x + tanh(sum) + y, dy = -0.5 y + 0.2 x."""

    def f(x, y, c):
        return -x + np.tanh(c) + y, -0.5 * y + 0.2 * x

    x, y = x.copy(), np.zeros_like(x)
    sent = [x.copy()]

    def heard(point):
        back = np.maximum(point - lag, 0)
        return (weights * np.array(sent)[back, np.arange(len(x))[None, :]]).sum(1)

    out = []
    for n in range(steps):
        out.append(x.copy())
        c = heard(n // refresh)
        dx, dy = f(x, y, c)
        gx, gy = x + dt * dx, y + dt * dy
        if method == "heun":
            late = c if refresh > 1 else heard(n + 1) if lag.any() else weights @ gx
            ex, ey = f(gx, gy, late)
            gx, gy = x + dt / 2 * (dx + ex), y + dt / 2 * (dy + ey)
        x, y = gx, gy
        if (n + 1) % refresh == 0:
            sent.append(x.copy())
    return np.array(out)


@pytest.mark.parametrize("chunks", [[97], [7] * 14, [1, 40, 56]])
@pytest.mark.parametrize("refresh", [1, 3])
@pytest.mark.parametrize("method", ["euler", "heun"])
@pytest.mark.parametrize("most", [0, 3, 30])
@pytest.mark.parametrize("density", [0.25, 0.9])
def test_networks_with_delays_against_plain_numpy(density, most, method, refresh, chunks):
    """Random lags, sparse and dense, calls that end within a block, coupling that is held."""
    rng = np.random.default_rng(most)
    n, dt = 6, 0.1
    weights = rng.uniform(-1, 1, (n, n)) * (rng.random((n, n)) < density)
    lag = rng.integers(1, most + 1, (n, n)) if most else np.zeros((n, n), int)
    x = rng.uniform(-1, 1, n)
    model = Model(
        "pair", {"x": 0.0, "y": 0.0}, {},
        lambda x, p, u: (-x.x + np.tanh(u.x) + x.y, -0.5 * x.y + 0.2 * x.x),
        lambda x, p: {"x": x.x}, lambda x, p, u: {"x": x.x},
    )  # fmt: skip
    sim = Simulation(
        model, n, Links.between(weights, lag * dt * refresh), seeds=[0] * 5, dt=dt, method=method,
        precision="float64", refresh=refresh, observe=["x"], every=dt, start={"x": x},
    )  # fmt: skip
    rows = [sim.advance(c * refresh)[0] for c in chunks]
    got = np.concatenate(rows)[:, :, 0, 3]
    np.testing.assert_allclose(got, reference(weights, lag, x, dt, len(got), method, refresh), atol=1e-13)


def test_every_operation_of_numpy_that_may_be_used():
    def f(s):
        return np.where(s > 0.3, np.maximum(s, 0.5), np.minimum(-s, abs(s))) - np.where(s <= 0, 1.0, s) / (
            s + 9.0
        )

    x = np.linspace(-2, 2, 101)
    np.testing.assert_allclose(function(f, x), f(x), rtol=1e-14)


def test_other_functions_are_refused_by_name():
    with pytest.raises(TypeError, match="cannot use arctan"):
        function(np.arctan, np.zeros(1))


def coupled(model, n=7, k=3, seed=0, **more):
    """A random network of a model in a random state, without noise unless asked for."""
    rng = np.random.default_rng(seed)
    weights = rng.random((n, n)) * (1 - np.eye(n)) / n
    return weights, rng, Links.between(weights, more.pop("delays", None), len(model.arriving()))


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_drift_is_that_of_the_equations(lanes):
    """Every lane with parameters of its own, against NumPy."""
    weights, rng, links = coupled(wong_wang)
    s_e, s_i = rng.uniform(0.05, 0.9, (2, 5, 7))
    g, j = rng.uniform(0.2, 2, (5, 1)), rng.uniform(0.5, 2, (5, 7))
    run = Simulation(
        wong_wang, 7, links, {"G": g, "J_I": j, "sigma": 0.0}, range(5), method="euler", precision="float64",
        start={"S_E": s_e, "S_I": s_i}, lanes=lanes,
    )  # fmt: skip
    run.advance(1)
    net = s_e @ weights.T
    i_e = 0.382 + 1.4 * 0.15 * s_e + g * 0.15 * net - j * s_i
    i_i = 0.7 * 0.382 + 0.15 * s_e - s_i

    def rate(current, a, b, d):
        return (a * current - b) / (1 - np.exp(-d * (a * current - b)))

    ds_e = -s_e / 100 + (1 - s_e) * 0.641e-3 * rate(i_e, 310, 125, 0.16)
    ds_i = -s_i / 10 + 1e-3 * rate(i_i, 615, 177, 0.087)
    after = run.states()
    np.testing.assert_allclose(after["S_E"], s_e + 0.1 * ds_e, rtol=1e-13)
    np.testing.assert_allclose(after["S_I"], s_i + 0.1 * ds_i, rtol=1e-13)


@pytest.mark.parametrize("delayed", [False, True])
def test_a_lane_does_not_depend_on_what_runs_beside_it(delayed):
    weights, rng, _ = coupled(wong_wang)
    links = Links.between(weights, 0.35 + rng.random(weights.shape) * 5 if delayed else None)
    g = np.linspace(0.5, 1.5, 11)[:, None]

    def run(pick, steps=(300,), **more):
        sim = Simulation(
            wong_wang, 7, links, {"G": g[pick]}, [int(k) for k in np.arange(11)[pick]],
            observe=["S_E", "rate_E"], scan=Scan("S_E", 5.0), **more,
        )  # fmt: skip
        parts = [sim.advance(n) for n in steps]
        return [np.concatenate(p) for p in zip(*parts, strict=True)]

    together = run(slice(None), threads=2)
    for other, pick in (
        (run(slice(7, 8)), slice(7, 8)),
        (run(slice(None), threads=1), slice(None)),
        (run(slice(None), lanes=16), slice(None)),
        (run(slice(None), steps=(1, 40, 9, 113, 137)), slice(None)),
    ):
        for a, b in zip(together, other, strict=True):
            np.testing.assert_array_equal(a[..., pick], b)


def test_a_snapshot_goes_on_to_the_last_bit():
    weights, rng, _ = coupled(wong_wang)
    links = Links.between(weights, rng.random(weights.shape) * 4)
    run, again = (
        Simulation(wong_wang, 7, links, seeds=[1, 2], observe=["S_E"], scan=Scan("S_E", 3.0))
        for _ in range(2)
    )
    run.advance(137)
    again.restore(run.snapshot())
    for a, b in zip(run.advance(250), again.advance(250), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2)])
@pytest.mark.parametrize("delayed", [False, True])
def test_order_of_convergence(method, order, delayed):
    """Without noise: halving the step divides the error by 2 (Euler) and 4 (Heun), delays or not."""
    weights, _, _ = coupled(hopf)
    links = Links.between(weights, np.full(weights.shape, 4.0) if delayed else None, 2)
    rng = np.random.default_rng(1)
    start = {"x": rng.uniform(-1, 1, 7), "y": rng.uniform(-1, 1, 7)}
    numbers = {"a": 0.5, "frequency": rng.uniform(5, 12, 7), "pace": 0.05, "G": 0.03, "sigma": 0.0}

    def end(dt):
        sim = Simulation(hopf, 7, links, numbers, dt=dt, method=method, precision="float64", start=start)
        sim.advance(round(48 / dt))
        return sim.states()["x"]

    steps = (1.0, 0.5, 0.25, 0.125) if method == "heun" else (0.125, 0.0625, 0.03125, 0.015625)
    ends = [end(dt) for dt in steps]
    ratio = [
        np.abs(a - b).max() / np.abs(b - c).max() for a, b, c in zip(ends, ends[1:], ends[2:], strict=False)
    ]
    np.testing.assert_allclose(ratio, 2.0**order, rtol=0.1)


def test_delay_equation_by_the_method_of_steps():
    """x' = -x(t - 1), x = 1 before 0: 1 - t, then 1 - t + (t - 1)^2 / 2 (t in units of the delay, 10 ms)."""
    model = Model(
        "delayed", {"x": 1.0}, {}, lambda x, p, u: (-0.1 * u.x,), lambda x, p: {"x": x.x},
        lambda x, p, u: {"x": x.x},
    )  # fmt: skip
    sim = Simulation(
        model, 1, Links.between(np.ones((1, 1)), np.full((1, 1), 10.0)), precision="float64", observe=["x"],
        every=0.1,
    )  # fmt: skip
    record, _ = sim.advance(200)
    t = np.arange(200) / 100
    exact = np.where(t < 1, 1 - t, 1 - t + (t - 1) ** 2 / 2)
    np.testing.assert_allclose(record[:, 0, 0, 0], exact, atol=1e-5)


def test_kuramoto_synchronises_where_and_as_far_as_theory_says():
    """Lorentzian frequencies of half-width g: onset at 2 g, then r = sqrt(1 - 2 g / K) (Kuramoto 1984)."""
    n, width = 400, 0.5
    share = (np.arange(n) + 0.5) / n
    f = width * np.tan(np.pi * (share - 0.5))
    gamma = 2e-3 * np.pi * width
    k = gamma * np.array([1.0, 1.6, 3.0, 4.0, 8.0])
    rng = np.random.default_rng(0)
    sim = Simulation(
        kuramoto, n, Links.between(np.full((n, n), 1.0 / n), None, 2),
        {"frequency": f, "G": k[:, None]}, range(5), dt=1.0, start={"phase": rng.uniform(0, 2 * np.pi, n)},
        observe=["sine", "cosine"], every=10.0,
    )  # fmt: skip
    record, _ = sim.advance(8000)
    r = np.hypot(*record[400:].mean(1).transpose(1, 0, 2)).mean(0)
    assert (r[:2] < 0.15).all()
    np.testing.assert_allclose(r[2:], np.sqrt(1 - 2 * gamma / k[2:]), atol=0.03)


def test_white_noise_has_its_variance_and_seeds_differ():
    """dx = -x/tau dt + s dW: variance s^2 tau / 2 and autocovariance exp(-t/tau)."""
    model = Model(
        "ou", {"x": 0.0}, {"s": Parameter(0.3)}, lambda x, p, u: (-x.x / 5.0,), lambda x, p: {},
        lambda x, p, u: {"x": x.x}, noise={"x": "s"},
    )  # fmt: skip
    sim = Simulation(model, 40, Links.between(np.zeros((40, 40))), seeds=range(8), observe=["x"], every=0.1)
    sim.advance(500)
    x = sim.advance(20000)[0][:, :, 0].reshape(20000, -1)
    np.testing.assert_allclose(x.var(), 0.3**2 * 5 / 2, rtol=0.03)
    np.testing.assert_allclose((x[:-50] * x[50:]).mean() / x.var(), np.exp(-1), atol=0.02)
    between = np.corrcoef(x[::50].T)
    assert np.abs(between[np.triu_indices(len(between), 1)]).max() < 0.3
    kurtosis = (x**4).mean() / (x**2).mean() ** 2
    np.testing.assert_allclose(kurtosis, 3, atol=0.1)


def test_filtered_noise_is_exact_at_any_step_and_shared_noise_is_shared():
    model = Model(
        "inputs", {"x": 0.0},
        {f"{part}_{name}": Parameter(v) for name, tau, sd in (("own", 3.0, 2.0), ("all", 7.0, 0.5))
         for part, v in (("tau", tau), ("sd", sd))},
        lambda x, p, u: (u.own + u.all - x.x,), lambda x, p: {}, lambda x, p, u: {"own": u.own, "all": u.all},
        filtered={"own": ()}, common={"all": ()},
    )  # fmt: skip
    sim = Simulation(
        model,
        20,
        Links.between(np.zeros((20, 20))),
        seeds=range(8),
        dt=2.0,
        observe=["own", "all"],
        every=2.0,
    )
    sim.advance(50)
    record, _ = sim.advance(20000)
    own, common = record[:, :, 0], record[:, :, 1]
    np.testing.assert_allclose(own.var(), 4.0, rtol=0.03)
    np.testing.assert_allclose((own[1:] * own[:-1]).mean() / own.var(), np.exp(-2 / 3), atol=0.01)
    assert (common == common[:, :1]).all()
    np.testing.assert_allclose(common[:, 0].var(), 0.25, rtol=0.1)
    np.testing.assert_allclose((common[1:, 0] * common[:-1, 0]).mean() / 0.25, np.exp(-2 / 7), atol=0.08)


def test_shared_noise_of_runs_with_sizes_of_their_own_is_refused():
    """It is computed once for a run's regions from one size; a size of its own is a factor in the drift."""
    model = Model(
        "inputs", {"x": 0.0}, {"tau_all": Parameter(3.0), "sd_all": Parameter(1.0)},
        lambda x, p, u: (u.all - x.x,), lambda x, p: {}, lambda x, p, u: {"x": x.x}, common={"all": ()},
    )  # fmt: skip
    with pytest.raises(UserError, match="cannot differ between runs"):
        Simulation(model, 1, NONE, {"sd_all": np.array([[1.0], [2.0]])}, [0, 1])


def test_precisions_see_the_same_noise():
    links = coupled(wong_wang)[2]
    low, high = (
        Simulation(wong_wang, 7, links, seeds=[5], precision=p, observe=["S_E"]).advance(500)[0]
        for p in ("float32", "float64")
    )
    assert 0 < np.abs(low - high).max() < 1e-4


def test_balloon_follows_its_equations():
    """The kernel's Euler steps at 1 ms against an accurate solution under a known drive."""
    model = Model(
        "driver", {"x": 0.0}, {}, lambda x, p, u: (0.0 * x.x,), lambda x, p: {},
        lambda x, p, u: {"drive": u.push}, stimuli={"push": ()},
    )  # fmt: skip
    gain = np.array([0.2, 0.4])
    sim = Simulation(
        model, 2, Links.between(np.zeros((2, 2))), dt=0.5, precision="float64",
        drives=[Drive("push", [0, 1])],
        scan=Scan("drive", 500.0, 1.0, {"gain": gain, "tau": np.array([0.98, 1.3])}),
    )  # fmt: skip
    t = np.arange(16001) * 0.5e-3
    _, bold = sim.advance(16000, np.sin(2 * np.pi * 0.2 * t)[None])
    for k, tau in enumerate((0.98, 1.3)):
        p = Haemodynamics(gain=gain[k], tau=tau)
        run = solve_ivp(
            lambda s, x, p=p: balloon(x, np.sin(2 * np.pi * 0.2 * s), p), (0, 8), [0, 1, 1, 1], rtol=1e-9,
            t_eval=np.arange(1, 17) * 0.5,
        )  # fmt: skip
        exact = bold_signal(run.y, p)
        np.testing.assert_allclose(bold[:, k, 0], exact, atol=2e-3 * np.abs(exact).max())


def test_a_stimulus_reaches_its_nodes_at_its_time_only():
    model = Model(
        "driven", {"x": np.zeros(2)}, {}, lambda x, p, u: (u.push,), lambda x, p: {},
        lambda x, p, u: {"a": x.x[0], "b": x.x[1]}, stimuli={"push": (2,)},
    )  # fmt: skip
    sim = Simulation(
        model, 3, Links.between(np.zeros((3, 3))), seeds=[0, 1], dt=1.0, precision="float64",
        drives=[Drive("push", [2], (1,))],
    )  # fmt: skip
    wave = np.zeros((1, 11, 2))
    wave[0, 3:5] = [1.0, 2.0]
    sim.advance(10, wave)
    x = sim.states()["x"]
    np.testing.assert_allclose(x[:, 2, 1], [2.0, 4.0])
    assert (np.delete(x.reshape(2, -1), 5, 1) == 0).all()


def test_holding_what_arrives_is_an_approximation_that_improves():
    weights, rng, _ = coupled(wong_wang)
    links = Links.between(weights, 2 + rng.random(weights.shape) * 8)
    exact, *held = (
        Simulation(
            wong_wang, 7, links, {"sigma": 0.001, "G": 3.0}, precision="float64", observe=["S_E"], refresh=r
        ).advance(3000)[0]
        for r in (1, 5, 20)
    )
    near, far = (np.abs(h - exact).max() for h in held)
    assert 0 < near < far < 0.02


def test_states_that_are_not_finite_are_reported():
    model = Model(
        "bad", {"x": 1.0}, {}, lambda x, p, u: (x.x * x.x,), lambda x, p: {}, lambda x, p, u: {"x": x.x}
    )
    with pytest.raises(FloatingPointError, match="run 0"):
        Simulation(model, 1, NONE, dt=1.0).advance(1000)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"parameters": {"Gg": 1.0}}, "did you mean"), ({"parameters": {"G": np.ones(3)}}, "G has shape"),
        ({"observe": ["rate"]}, "observable"), ({"method": "rk4"}, "method"), ({"every": 0.25}, "every"),
        ({"start": {"S": 1.0}}, "state"), ({"start": {"S_E": np.nan}}, "start of S_E"),
        ({"seeds": [-1]}, "seed -1"), ({"drives": [Drive("push", [0])]}, "stimulus"),
        ({"parameters": {"G": np.nan}}, "finite"),
        ({"parameters": {"tau_E": 0.0}}, "tau_E: the equations are not finite"),
        ({"parameters": {"tau_E": np.arange(7.0)}}, "tau_E: the equations are not finite"),
        ({"precision": "float16"}, "precision"),
    ],
)  # fmt: skip
def test_bad_input_is_named(more, message):
    with pytest.raises(UserError, match=message):
        Simulation(wong_wang, 7, coupled(wong_wang)[2], **more)
