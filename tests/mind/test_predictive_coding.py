"""Predictive coding against Bayes: closed forms, limits of precision, and what learning converges to."""

import re

import numpy as np
import pytest

from synsys.core.errors import UserError
from synsys.mind.predictive_coding import (
    Hierarchy,
    expected,
    free_energy,
    learned,
    posterior,
    relax,
    weighted_errors,
)


def hierarchy(rng: np.random.Generator, lead: tuple[int, ...] = ()) -> Hierarchy:
    """Five inputs, three causes, two causes of those."""
    return Hierarchy(
        [0.6 * rng.standard_normal((5, 3)), 0.6 * rng.standard_normal((3, 2))],
        [rng.uniform(0.5, 2.0, (*lead, d)) for d in (5, 3, 2)],
        rng.standard_normal((*lead, 2)),
    )


def test_a_linear_hierarchy_settles_at_the_mean_of_bayes():
    """The joint density is Gaussian; condition on the input by the formula for Gaussians, not by descent."""
    rng = np.random.default_rng(0)
    h, y = hierarchy(rng), rng.standard_normal(5)
    (w1, w2), (p0, p1, p2) = h.weights, h.precision
    top = np.diag(1 / p2)
    middle = w2 @ top @ w2.T + np.diag(1 / p1)
    inputs = w1 @ middle @ w1.T + np.diag(1 / p0)
    away = np.linalg.solve(inputs, y - w1 @ w2 @ h.prior)
    means = [w2 @ h.prior + middle @ w1.T @ away, h.prior + top @ w2.T @ w1.T @ away]
    for found in (posterior(h, y), relax(h, y, steps=20_000)):
        for state, mean in zip(found.states, means, strict=True):
            assert state == pytest.approx(mean, abs=1e-8)


def test_error_nodes_rest_at_precision_weighted_errors():
    rng = np.random.default_rng(1)
    h, y = hierarchy(rng), rng.standard_normal(5)
    found = relax(h, y, steps=20_000)
    for node, error in zip(found.errors, weighted_errors(h, y, found.states), strict=True):
        assert node == pytest.approx(error, abs=1e-8)


def test_leading_axes_are_solved_apart():
    rng = np.random.default_rng(2)
    h, y = hierarchy(rng, (4,)), rng.standard_normal((4, 5))
    both = posterior(h, y)
    for k in range(4):
        alone = posterior(Hierarchy(h.weights, [p[k] for p in h.precision], h.prior[k]), y[k])
        assert both.states[1][k] == pytest.approx(alone.states[1], abs=1e-12)
    assert relax(h, y, steps=20_000).states[0] == pytest.approx(both.states[0], abs=1e-6)


def test_what_bogacz_computes_by_hand():
    """Exercises 1 to 3 of Bogacz 2017: light 2 = size^2, prior size 3, variances 1: a size of about 1.6."""
    h = Hierarchy(
        [np.ones((1, 1))], [np.ones(1), np.ones(1)], np.array([3.0]), lambda x: x**2, lambda x: 2 * x
    )
    found = relax(h, np.array([2.0]), step=0.01, steps=5000).states[0][0]
    exact = max(np.real(r) for r in np.roots([-2, 0, 3, 3]) if abs(np.imag(r)) < 1e-9)
    assert found == pytest.approx(exact, abs=1e-6)
    assert round(found, 1) == 1.6


def test_precision_decides_between_input_and_expectation():
    """A precise input is believed, a precise prior kept; in between beliefs move as precisions say."""
    y, prior = np.array([1.0]), np.array([0.0])
    shares = []
    for sensory in (1e-9, 0.5, 1.0, 2.0, 1e9):
        h = Hierarchy([np.eye(1)], [np.array([sensory]), np.ones(1)], prior)
        shares.append(posterior(h, y).states[0][0])
    assert shares == pytest.approx([0.0, 1 / 3, 1 / 2, 2 / 3, 1.0], abs=1e-8)


def test_descent_lowers_free_energy_and_an_expected_input_costs_nothing():
    rng = np.random.default_rng(3)
    h, y = hierarchy(rng), rng.standard_normal(5)
    course = [free_energy(h, y, relax(h, y, steps=k).states) for k in (0, 200, 1000, 20_000)]
    assert np.all(np.diff(course) < 0)
    before = expected(h)
    as_told = h.predictions(before.states)[0]
    still = relax(h, as_told, steps=200)
    assert all(np.array_equal(a, b) for a, b in zip(still.states, before.states, strict=True))


def test_variances_learn_towards_that_of_the_input_and_rest_there():
    """With a cause that is certain, many learners: up below 4, none at 4, down above."""
    y = np.random.default_rng(4).normal(0.7, 2.0, (200_000, 1))
    changes = []
    for variance in (3.0, 4.0, 5.0):
        h = Hierarchy([np.eye(1)], [np.full(1, 1 / variance), np.full(1, 1e9)], np.full(1, 0.7))
        after = learned(h, posterior(h, y), precision_rate=1e-2)
        changes.append((1 / after.precision[0] - variance).mean() / 1e-2)
    assert changes == pytest.approx([0.5 * (4 / v**2 - 1 / v) for v in (3.0, 4.0, 5.0)], abs=3e-3)
    assert changes[0] > 0 > changes[2]


def test_prior_means_learn_the_mean_of_the_input():
    h = Hierarchy([np.eye(1)], [np.ones(1), np.ones(1)], np.zeros(1))
    for _ in range(60):
        h = learned(h, posterior(h, np.array([0.7])), prior_rate=0.5)
    assert h.prior[0] == pytest.approx(0.7, abs=1e-6)


def test_learned_weights_lower_free_energy():
    rng = np.random.default_rng(5)
    h, y = hierarchy(rng), rng.standard_normal(5)
    first = posterior(h, y)
    after = learned(h, first, rate=0.01)
    assert free_energy(after, y, first.states) < free_energy(h, y, first.states)


def test_a_hierarchy_that_cannot_be_is_told():
    with pytest.raises(UserError, match="L \\+ 1 precisions"):
        Hierarchy([np.eye(1)], [np.ones(1)], np.zeros(1))
    with pytest.raises(UserError, match="precision of level 1"):
        Hierarchy([np.eye(1)], [np.ones(1), np.zeros(1)], np.zeros(1))


def test_the_example_of_the_documentation_runs(repository):
    text = (repository / "docs" / "tasks_sensory.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(block, names)
    assert names["belief"].states[0] == pytest.approx([0.8])
