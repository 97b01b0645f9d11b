"""Draws sample every declared prior, each by itself."""

from dataclasses import replace

import numpy as np
import pytest
from oracle import healthy, model

from synsys.brain.draws import AT_MEDIAN, SIZES, Draw, deviates, draws, lognormal, rejection_rate, steady
from synsys.brain.model import BrainModel
from synsys.brain.state import HealthyBrain
from synsys.circuit.calibration import member, members
from synsys.circuit.templates import prior
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.mechanisms import links, maps, projections, receptors
from synsys.knowledge.signaling import edges

N = 32
DRAWS = draws(N)
WIDTH = 4 + SIZES + len(links()) + len(edges()) + len(maps()) + len(lognormal())


def test_the_first_draws_do_not_depend_on_how_many_there_are() -> None:
    for few, many in zip(draws(5), DRAWS, strict=False):
        assert few.factors == many.factors
        assert few.strength == many.strength
        assert few.beta == many.beta
        np.testing.assert_array_equal(few.size, many.size)
    assert draws(2, seed=1)[0].strength != DRAWS[0].strength


def test_every_column_is_spread_evenly() -> None:
    """Of 2^m points each column has one in every interval of probability 2^-m (a (0, 1)-sequence)."""
    from scipy.special import ndtr

    cell = np.floor(ndtr(deviates(N, WIDTH, 0)) * N).astype(int)
    assert (np.sort(cell, axis=0) == np.arange(N)[:, None]).all()


def test_no_two_priors_are_drawn_alike_and_none_follows_the_calibration_member() -> None:
    """An unshuffled Sobol sequence has pairs at 0.98 here; independent columns reach 0.7 among so many."""
    z = deviates(N, WIDTH, 0)
    off = np.abs(np.corrcoef(z.T))[np.triu_indices(WIDTH, 1)]
    assert off.max() < 0.9
    assert np.sqrt((off**2).mean()) < 1.2 / np.sqrt(N)
    number = np.array([draw.member for draw in DRAWS])
    assert max(abs(np.corrcoef(column, number)[0, 1]) for column in z.T) < 0.4


def test_a_link_keeps_its_sign_where_the_literature_gives_one() -> None:
    for link in links():
        if link.sd == 0:
            assert link.id not in DRAWS[0].strength
        elif link.sign_certain:
            assert {np.sign(draw.strength[link.id]) for draw in DRAWS} == {np.sign(link.strength)}


def test_links_of_unknown_sign_take_both_each_by_itself() -> None:
    unsigned = [link.id for link in links() if not link.sign_certain]  # edges may be drawn anew
    sign = np.array([[np.sign(draw.strength[name]) for name in unsigned] for draw in DRAWS])
    np.testing.assert_array_equal(sign[0], -sign[1])  # both ways from two draws on
    np.testing.assert_array_equal(sign.sum(0), 0)
    together = np.abs(np.corrcoef(sign.T))[np.triu_indices(len(unsigned), 1)]
    assert together.max() < 0.9
    parity = np.where(np.arange(N) % 2, 1, -1)  # the parity of the calibration member
    assert np.abs(parity @ sign / N).max() < 0.9


def test_every_prior_that_calibration_leaves_alone_is_sampled_with_its_spread() -> None:
    sampled = lognormal()
    assert set(sampled) >= set(prior()) - set(member(0)) - set(AT_MEDIAN)
    assert not set(sampled) & set(member(0))
    assert {row.receptor for row in receptors()} <= set(sampled)
    left_out = {row.id for row in projections()} - set(sampled)
    ends = {(r.from_template, r.to_template) for r in projections() if r.id in left_out}
    assert ends == {("cortex", "cortex"), ("cortex", "thalamus"), ("thalamus", "cortex")}
    for key, sd in sampled.items():
        values = np.array([draw.factors[key] for draw in DRAWS])
        anew = key.startswith("tau:")  # drawn anew where health would not be stable, no Sobol points then
        assert abs(values.mean()) < (0.4 if anew else 0.1) * sd, key
        assert values.std() == pytest.approx(sd, rel=0.5 if anew else 0.2), key


def test_health_is_stable_in_every_draw_and_few_samples_are_refused() -> None:
    assert all(steady(draw) for draw in DRAWS[:8])
    assert 0.0 < rejection_rate(48) < 0.3
    runaway = dict.fromkeys((edge.id for edge in edges() if edge.source != edge.target), 1.0)
    assert not steady(Draw(None, {}, runaway))


def test_strengths_of_edges_have_their_sign_and_spread() -> None:
    """Of a normal prior folded at 0, mean and variance are known (Leone et al. 1961)."""
    from scipy.stats import foldnorm

    z = []
    for edge in edges():
        values = np.abs([draw.strength[edge.id] for draw in DRAWS])
        folded = foldnorm(abs(edge.strength) / edge.sd, scale=edge.sd)
        z.append((values.mean() - folded.mean()) / folded.std())
        if edge.sign_certain:
            assert {np.sign(draw.strength[edge.id]) for draw in DRAWS} == {np.sign(edge.strength)}
    assert abs(np.mean(z)) < 0.05  # truncation to stable health hardly shifts them
    assert np.sqrt(np.mean(np.square(z))) < 0.25


def test_factors_given_instead_of_a_member_are_that_member() -> None:
    whole = BrainModel(load_embedded())
    want, got = (HealthyBrain(whole, draw) for draw in (Draw(1), Draw(member(1))))
    np.testing.assert_array_equal(got.state.point.x, want.state.point.x)
    np.testing.assert_array_equal(got.state.coupling, want.state.coupling)
    np.testing.assert_array_equal(got.tempered, want.tempered)
    over = HealthyBrain(model(), Draw(2, member(3))).state
    np.testing.assert_array_equal(over.point.x, HealthyBrain(model(), Draw(3)).state.point.x)
    assert members() > 3


def test_a_factor_on_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"cortex\.E<-E:ampa"):
        HealthyBrain(model(), Draw(None, {"cortex.E<-E:amp": 0.1}))
    with pytest.raises(UserError, match=r"I_M:cortex\.E"):
        HealthyBrain(model(), Draw({"I_M:cortex.e": 0.1}))


def test_sampled_conductances_move_what_they_name_and_keep_the_rates() -> None:
    base = healthy()
    key = "striatum.D1<-FSI:gabaa"
    more = HealthyBrain(base.model, Draw(None, {key: np.log(2.0)}))
    ratio = more.state.parameters.g_fast / np.where(
        base.state.parameters.g_fast > 0, base.state.parameters.g_fast, 1.0
    )
    striatum = (base.wiring.nodes.template == "striatum").to_numpy()
    np.testing.assert_allclose(ratio[striatum, 0, 2], 2.0)
    moved = more.state.parameters.g_fast != base.state.parameters.g_fast
    assert moved.sum() == striatum.sum()
    np.testing.assert_allclose(more.state.rates, base.state.rates, rtol=1e-9)


def test_half_saturation_sets_how_much_more_dopamine_is_heard() -> None:
    """s(t) = t (1 + K) / (t + K) tends to t for weakly and to 1 for strongly saturated receptors."""
    heard = {}
    for k in (1e-4, 1.0, 1e4):
        factors = {row.receptor: np.log(k / row.half_saturation) for row in receptors()}
        brain = HealthyBrain(model(), Draw(None, factors), feedback=False)
        np.testing.assert_array_equal(brain.state.rates, healthy().state.rates)
        modulation = brain.perturbed([Perturbation("dopamine_tone", 2.0)], phase="acute").modulation
        assert modulation is not None
        d2 = model().slot_mask["D2"]
        density = brain.model.regional(brain.draw).get("d2_density", np.ones(d2.shape))
        heard[k] = (np.log(modulation.value("activation:D2"))[d2] / density[d2])[0]
    assert heard[1e-4] == pytest.approx(0.0, abs=1e-3)
    assert heard[1.0] == pytest.approx(2 * 2 / 3 - 1)
    assert heard[1e4] == pytest.approx(1.0, abs=1e-3)


def test_an_unsampled_draw_is_the_medians_of_the_tables() -> None:
    sampled = replace(DRAWS[0], member=None, factors={})
    assert sampled.conductances() == {}
    assert Draw(0).conductances() == member(0)
