"""Models of choice against their equations, written out trial by trial for one person, as in the papers."""

import math

import numpy as np
import pytest

from synsys.mind.environments import simulate
from synsys.mind.models import models
from synsys.mind.posterior import posterior
from synsys.mind.scan import log_likelihood
from synsys.mind.trials import trials_from


def softmax(values):
    top = max(values)
    e = [math.exp(v - top) for v in values]
    return [x / sum(e) for x in e]


def played(name, seed, trials=60):
    """One simulated person: parameters by name, and trials as rows of a table."""
    model = models()[name]
    rng = np.random.default_rng(seed)
    mean, sd = model.prior
    theta = mean + 0.7 * sd * rng.standard_normal((1, len(mean)))
    data = simulate(model, theta, rng, trials=trials)
    p = dict(zip(model.names, model.native(theta)[0], strict=True))
    rows = data.frame().to_dict("records")
    return p, rows, float(log_likelihood(model, data, theta[:, None])[0, 0])


@pytest.mark.parametrize("seed", range(3))
def test_q_learning_with_two_rates_and_stickiness(seed):
    """Frank et al. 2007: the rate depends on the sign of the error; a bonus for the option chosen last."""
    p, rows, found = played("q_dual_sticky", seed)
    q, last, total = [0.0] * 3, None, 0.0
    for row in rows:
        c, r = int(row["choice"]), row["outcome"]
        bonus = [p["stickiness"] if k == last else 0.0 for k in range(3)]
        total += math.log(softmax([p["beta"] * q[k] + bonus[k] for k in range(3)])[c])
        delta = r - q[c]
        q[c] += (p["alpha_gain"] if delta > 0 else p["alpha_loss"]) * delta
        last = c
    assert found == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_rescorla_wagner_and_the_unit_square_sigmoid(seed):
    p, rows, found = played("rescorla_wagner", seed)
    v, total = 0.5, 0.0
    for row in rows:
        one = v ** p["zeta"] / (v ** p["zeta"] + (1 - v) ** p["zeta"])
        total += math.log(one if row["choice"] == 1 else 1 - one)
        v += p["alpha"] * (row["outcome"] - v)
    assert found == pytest.approx(total, abs=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_two_step(seed):
    """Daw et al. 2011: option k leads to state k in 70 %; SARSA(lambda); one rate for both steps."""
    p, rows, found = played("two_step", seed)
    first, second, last, total = [0.0, 0.0], [[0.0, 0.0], [0.0, 0.0]], None, 0.0
    for row in rows:
        c1, s, r = int(row["choice1"]), int(row["state2"]), row["reward"]
        c2 = int(row["choice2"]) - 2 * s
        best = [max(second[0]), max(second[1])]
        planned = [0.7 * best[k] + 0.3 * best[1 - k] for k in range(2)]
        net = [
            p["beta_mb"] * planned[k] + p["beta_mf"] * first[k] + (p["stickiness"] if k == last else 0.0)
            for k in range(2)
        ]
        total += math.log(softmax(net)[c1])
        total += math.log(softmax([p["beta_2"] * v for v in second[s]])[c2])
        delta1, delta2 = second[s][c2] - first[c1], r - second[s][c2]
        first[c1] += p["alpha"] * (delta1 + p["eligibility"] * delta2)
        second[s][c2] += p["alpha"] * delta2
        last = c1
    assert found == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_reinforcement_learning_and_working_memory(seed):
    """Collins et al. 2014: memory of the last outcome that decays to 1/3; errors are partly neglected."""
    p, rows, found = played("rlwm", seed, trials=90)
    block, total = None, 0.0
    for row in rows:
        if row["block"] != block:
            block = row["block"]
            q, w = ([[1 / 3] * 3 for _ in range(6)] for _ in range(2))
        s, c, r = int(row["stimulus"]), int(row["choice"]), row["reward"]
        weight = p["rho"] * min(1.0, p["capacity"] / row["set_size"])
        slow, fast = (softmax([50 * v for v in table[s]]) for table in (q, w))
        mixed = weight * fast[c] + (1 - weight) * slow[c]
        total += math.log((1 - p["lapse"]) * mixed + p["lapse"] / 3)
        kept = 1.0 if r > 0 else 1 - p["neglect"]
        q[s][c] += p["alpha"] * kept * (r - q[s][c])
        w[s][c] += kept * (r - w[s][c])
        for row_of in w:
            for k in range(3):
                row_of[k] += p["decay"] * (1 / 3 - row_of[k])
    assert found == pytest.approx(total, abs=1e-7)


def test_most_people_plan_in_the_two_step_task(dev_data):
    """Daw et al. 2011: first choices show model-based and model-free weights, both above 0."""
    import pandas as pd

    folder = dev_data / "data" / "behaviour_twostep_symptoms_dev"
    frame = pd.read_csv(folder / "trials.csv.gz").query("trial > 0")
    model = models()["two_step"]
    some = frame["subject"].unique()[:40]
    found = posterior(model, trials_from(frame[frame.subject.isin(some)], model), samples=300)
    weights = model.native(found.mean)
    for name in ("beta_mb", "beta_mf"):
        assert np.median(weights[:, model.names.index(name)]) > 0.3
