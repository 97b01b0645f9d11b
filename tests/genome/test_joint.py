"""Blocks of predictors: what adds is seen out of sample, what does not is not."""

import numpy as np
import pandas as pd
import pytest

from synsys.core.errors import UserError
from synsys.genome.joint import block_gains, ridge

N = 300
PEOPLE = [f"p{i}" for i in range(N)]


def frame(values):
    return pd.DataFrame(np.asarray(values).reshape(N, -1), PEOPLE)


def planted(rng, expression=0.5, imaging=0.4):
    """Liability of a score, of a factor carried by 40 of 100 transcripts, and of a factor of 30 regions."""
    score, factor, network = rng.normal(size=(3, N))
    load = np.r_[np.full(40, 0.6), np.zeros(60)]
    transcripts = np.outer(factor, load) + rng.normal(size=(N, 100))
    regions = np.outer(network, np.full(30, 0.5)) + rng.normal(size=(N, 30))
    outcome = 0.5 * score + expression * factor + imaging * network + 0.6 * rng.normal(size=N)
    return pd.Series(outcome, PEOPLE), {
        "score": frame(score), "transcriptome": frame(transcripts), "imaging": frame(regions)
    }  # fmt: skip


def test_transcriptome_and_imaging_add_to_a_score_where_they_carry_signal():
    """GN-04."""
    outcome, blocks = planted(np.random.default_rng(0))
    table = block_gains(outcome, blocks, 4, 24)
    assert (table["gain"] > 0.05).all()
    assert (table["p"] < 0.05).all()
    assert table["r2"].is_monotonic_increasing
    assert table["gain"].sum() == pytest.approx(table["r2"].iloc[-1])


def test_a_block_of_noise_adds_nothing_out_of_sample():
    outcome, blocks = planted(np.random.default_rng(1), expression=0.0)
    table = block_gains(outcome, blocks, 4, 24)
    assert table.loc["transcriptome", "gain"] < 0.02
    assert table.loc["transcriptome", "p"] > 0.05
    assert table.loc["imaging", "gain"] > 0.05


def test_the_p_value_of_noise_is_uniform_enough():
    rng = np.random.default_rng(2)
    outcome = pd.Series(rng.normal(size=N), PEOPLE)
    p = [
        block_gains(outcome, {"x": frame(rng.normal(size=(N, 3)))}, 3, 19, k)["p"].iloc[0] for k in range(60)
    ]
    assert 0.3 < np.mean(p) < 0.72
    assert np.mean(np.array(p) <= 0.1) < 0.25


def test_people_are_joined_by_name():
    outcome, blocks = planted(np.random.default_rng(3))
    mixed = {name: table.sample(frac=1, random_state=4) for name, table in blocks.items()}
    pd.testing.assert_frame_equal(
        block_gains(outcome, blocks, 5, 0), block_gains(outcome, mixed, 5, 0), check_exact=False
    )


def test_ridge_solves_the_penalised_normal_equations_at_the_penalty_of_least_gcv():
    from synsys.genome.joint import PENALTIES

    rng = np.random.default_rng(5)
    x = rng.normal(size=(50, 8))
    x -= x.mean(axis=0)
    y = x @ rng.normal(size=8) + 3 * rng.normal(size=50)
    y -= y.mean()
    unit = np.mean(np.linalg.svd(x, compute_uv=False) ** 2)

    def direct(penalty):
        b = np.linalg.solve(x.T @ x + penalty * unit * np.eye(8), x.T @ y)
        hat = x @ np.linalg.solve(x.T @ x + penalty * unit * np.eye(8), x.T)
        return b, ((y - x @ b) ** 2).sum() / (49 - np.trace(hat)) ** 2

    best = min(PENALTIES, key=lambda penalty: direct(penalty)[1])
    np.testing.assert_allclose(ridge(x, y), direct(best)[0])


def test_missing_people_and_impossible_folds_are_refused():
    outcome, blocks = planted(np.random.default_rng(6))
    with pytest.raises(UserError, match="score: 1 of 300 people have no value"):
        block_gains(outcome, {"score": blocks["score"].drop("p3")})
    with pytest.raises(UserError, match="200 folds"):
        block_gains(outcome, blocks, 200)
