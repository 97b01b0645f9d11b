"""Healthy people: the same again from the same seed, and as different as their parameters are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synsys.brain.draws import Draw, draws
from synsys.brain.model import BrainModel
from synsys.brain.solution import COARSE, Grid, Solution, solve
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain
from synsys.data.embedded import load_embedded
from synsys.knowledge.mechanisms import links, population
from synsys.measures.readouts import Atlas, readouts
from synsys.scales import people
from synsys.scales.effects import effect_row
from synsys.scales.people import FREE, effect_size, person, spread

REGIONS = (
    "L.rostralmiddlefrontal", "L.medialorbitofrontal", "L.precuneus", "L.insula", "L.pericalcarine",
    "L.precentral", "L.thalamus", "L.hippocampus", "L.amygdala", "L.caudate", "L.pallidum",
)  # fmt: skip
SEEDS = range(16)
MEDIAN = Draw(None)


@pytest.fixture(scope="module")
def model() -> BrainModel:
    return BrainModel(load_embedded().part(REGIONS))


@pytest.fixture(scope="module")
def atlas(model: BrainModel) -> Atlas:
    return Atlas(Grid(model, COARSE))


@pytest.fixture(scope="module")
def reference(model: BrainModel, atlas: Atlas) -> Solution:
    return solve(HealthyBrain(model, MEDIAN).state, atlas.grid)


def differences(model: BrainModel, atlas: Atlas, reference: Solution, factor: float = 1.0) -> pd.DataFrame:
    """Readouts of people minus those of the reference, with sds of the population times `factor`."""
    rows = tuple(replace(row, sd=factor * row.sd) for row in population())
    before, out = readouts(reference, atlas, reference), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "population", lambda: rows)
        for seed in SEEDS:
            state = person(HealthyBrain(model, MEDIAN), seed)
            if state.point.converged and stability(state, locate=False).stable:
                after = readouts(solve(state, atlas.grid, reference.noise), atlas, reference)
                out.append({name: after.get(name, np.nan) - value for name, value in before.items()})
    return pd.DataFrame(out)


@pytest.fixture(scope="module")
def apart(model: BrainModel, atlas: Atlas, reference: Solution) -> pd.DataFrame:
    return differences(model, atlas, reference, 0.5)


def test_the_same_seed_is_the_same_person(model: BrainModel) -> None:
    healthy = HealthyBrain(model, draws(1)[0])
    one, again, other = (person(healthy, seed) for seed in ((0, 3), (0, 3), (1, 3)))
    np.testing.assert_array_equal(one.point.x, again.point.x)
    np.testing.assert_array_equal(one.noise, again.noise)
    assert np.abs(one.rates - other.rates).max() > 1e-3


def test_what_homeostasis_holds_leaves_the_rates_at_health(model: BrainModel) -> None:
    held = tuple(row for row in population() if row.name not in FREE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "population", lambda: held)
        for seed in range(4):
            state = person(HealthyBrain(model, MEDIAN), seed)
            np.testing.assert_allclose(state.rates, 1e3 * state.parameters.rate, rtol=1e-8)
            assert not np.allclose(
                state.parameters.g_fast, HealthyBrain(model, MEDIAN).state.parameters.g_fast
            )


def test_molecules_of_people_settle_with_what_varies(model: BrainModel) -> None:
    """Serotonin raises cAMP (Gs-coupled receptors) and so HCN currents."""
    rows = tuple(replace(row, sd=0.5) for row in population() if row.name == "serotonin_level")
    healthy = HealthyBrain(model, MEDIAN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "population", lambda: rows)
        seen: dict[str, np.ndarray] = {}
        patch.setattr(
            people, "HealthyBrain", lambda m, d, factors, reference: seen.update(factors) or healthy
        )
        person(healthy, 1)
    tone, camp, hcn = (np.log(seen[name]) for name in ("serotonin_level", "camp_level", "hcn_conductance"))
    hippocampus = (model.wiring.nodes.template == "hippocampus").to_numpy()
    assert np.abs(tone).max() > 0.05
    assert (camp[hippocampus] * tone[hippocampus] > 0).all()
    (k,) = (link.strength for link in links() if link.id == "camp_level->hcn_conductance")
    np.testing.assert_allclose(hcn[hippocampus], k * camp[hippocampus], rtol=1e-9)


def test_rates_of_people_lie_about_those_of_the_reference(model: BrainModel) -> None:
    healthy = HealthyBrain(model, draws(1)[0])
    rates = np.array([person(healthy, seed).rates[:6, 0].mean() for seed in range(12)])
    assert 2.0 < np.median(rates) < 8.0
    assert 0.02 < spread(np.log(rates)) < 1.0


def test_the_range_of_people_is_in_the_terms_of_the_change() -> None:
    """People of half and of twice the health lie at log ratios of minus and plus log 2."""
    health, people = np.full(5, 2.0), np.array([1.0, 2.0, 2.0, 2.0, 4.0])
    row = effect_row("gamma_power", health, 0.5 * health, people, "emergent", "C")
    expected = np.percentile(np.log(people / health), [5, 95])
    assert [row["people_lo90"], row["people_hi90"]] == pytest.approx(expected)
    row = effect_row("dmn_fc", health, health - 1.0, people, "emergent", "C")
    assert [row["people_lo90"], row["people_hi90"]] == pytest.approx(np.percentile(people - 2.0, [5, 95]))
    few = effect_row("dmn_fc", health[:3], health[:3], people[:3], "emergent", "C")
    assert np.isnan([few["people_lo90"], few["people_hi90"]]).all()


def test_whatever_people_differ_in_has_a_finite_spread(apart: pd.DataFrame) -> None:
    differing = [name for name in apart if np.nanmax(np.abs(apart[name])) > 0]
    assert len(differing) > 40
    for name in differing:
        sd = spread(apart[name].to_numpy())
        assert 0 < sd < np.inf, name


def test_twice_the_variability_of_parameters_is_about_twice_that_of_readouts(
    model: BrainModel, atlas: Atlas, reference: Solution, apart: pd.DataFrame
) -> None:
    less = differences(model, atlas, reference, 0.25)
    assert len(less) == len(apart) == len(SEEDS)
    ratio = [spread(apart[name].to_numpy()) / spread(less[name].to_numpy()) for name in apart]
    assert 1.7 < np.nanmedian(ratio) < 2.3
    low, high = np.nanpercentile(ratio, [10, 90])
    assert low > 1.3
    assert high < 3.5


def test_robust_spread_of_normal_numbers_is_their_sd() -> None:
    assert spread(np.random.default_rng(0).normal(3.0, 2.0, 20000)) == pytest.approx(2.0, rel=0.05)


def test_effect_size_is_the_change_in_units_of_the_spread() -> None:
    apart = np.random.default_rng(0).normal(0.3, 0.1, 20000)  # people need not lie about the reference
    assert effect_size(0.2, apart) == pytest.approx(2.0, rel=0.05)
    assert effect_size(-0.2, apart) == -effect_size(0.2, apart)
    assert effect_size(0.0, np.zeros(10)) == 0.0
    assert np.isnan(effect_size(0.1, np.zeros(10)))
    assert np.isnan(effect_size(0.1, np.full(10, np.nan)))
