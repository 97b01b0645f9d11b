"""Inference takes its parameters from the circuit: nothing changes without a cause, signs follow the rows."""

from dataclasses import replace

import numpy as np
import pytest

from synsys.brain.draws import Draw, draws
from synsys.brain.model import BrainModel
from synsys.brain.modulation import causal_order, entering, receptor_links
from synsys.brain.solution import COARSE, Grid
from synsys.brain.state import HealthyBrain
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.atlas import resolve_where
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import INFERENCE, alternatives, inference_links, links
from synsys.measures.systems import Atlas
from synsys.mind.coupling import (
    ADDITIVE,
    MEASURES,
    PARAMETERS,
    Inference,
    chosen,
    inference,
    located,
    relative,
    rows,
)  # fmt: skip
from synsys.mind.readouts import in_worlds, mind_readouts
from synsys.scales.people import person

REGIONS = (
    "L.rostralmiddlefrontal", "L.caudalanteriorcingulate", "L.medialorbitofrontal", "L.superiortemporal",
    "L.transversetemporal", "L.pericalcarine", "L.thalamus", "L.hippocampus", "L.amygdala", "L.accumbens",
)  # fmt: skip


@pytest.fixture(scope="module")
def healthy() -> HealthyBrain:
    return HealthyBrain(BrainModel(load_embedded().part(REGIONS)), Draw(None))


def changed(healthy: HealthyBrain, *changes: Perturbation, **draw) -> Inference:
    brain = HealthyBrain(healthy.model, replace(healthy.draw, **draw)) if draw else healthy
    return inference(brain.perturbed(changes))


def test_health_is_exact(healthy) -> None:
    assert inference(healthy.state) == Inference()
    assert changed(healthy, Perturbation("nmda_conductance", 1.0)) == Inference()


def test_rows_name_what_there_is() -> None:
    brain = load_embedded()
    for link in inference_links():
        assert link.source in MEASURES, link.id
        assert link.target in PARAMETERS, link.id
        assert link.source_where
        assert all(resolve_where(brain.regions, w).any() for w in link.source_where)
        assert link.alternative in {"", *(row.name for row in alternatives())}
        assert (link.where, link.cell) == ((), ()), "a mind has no places"
    assert set(PARAMETERS) == INFERENCE <= vocabulary().keys()
    assert {n for n in PARAMETERS if not vocabulary()[n].multiplies} == set(ADDITIVE)


def test_rows_of_inference_take_no_part_in_the_circuit() -> None:
    mind = {link.id for link in inference_links()}
    assert not mind & {link.id for link in (*links(), *causal_order(), *receptor_links(), *entering())}


def test_precision_follows_nmda_alone_and_the_signs_of_its_level(healthy) -> None:
    """CP-02; the two readings differ in which level loses precision."""
    less = Perturbation("nmda_conductance", 0.8)
    weak = changed(healthy, less)
    strong = changed(healthy, less, alternative=("strong_priors",))
    assert weak != Inference()
    ratio = weak.sensory_precision / weak.prior_precision
    assert ratio > strong.sensory_precision / strong.prior_precision


def test_a_measure_of_one_region_moves_only_parameters_with_rows_from_it(healthy) -> None:
    """Dopamine in the striatum: reward learning, not perception."""
    found = changed(healthy, Perturbation("dopamine_tone", 1.3, where="striatum"))
    assert found.reward_learning_rate > 1 > found.punishment_learning_rate
    other = changed(
        healthy, Perturbation("dopamine_tone", 1.3, where="striatum"), alternative=("dopamine_performance",)
    )
    assert other.reward_learning_rate == 1.0
    assert other.inverse_temperature > found.inverse_temperature


@pytest.mark.parametrize("name", [*INFERENCE - set(ADDITIVE)])
def test_a_parameter_that_is_set_is_what_was_set(healthy, name) -> None:
    found = changed(healthy, Perturbation(name, 0.7))
    assert found == replace(Inference(), **{name: pytest.approx(0.7)})


def test_a_parameter_whose_regions_are_not_there_is_no_readout(healthy) -> None:
    """It had been reported as 1, as if it were known to be healthy; observers still take it as healthy."""
    whole = {"sensory_precision", "reward_gain", "threat_prior_precision"}
    assert whole <= located(healthy.state)
    few = ("L.rostralmiddlefrontal", "L.caudalanteriorcingulate", "L.hippocampus", "L.thalamus")
    part = HealthyBrain(BrainModel(load_embedded().part(few)), Draw(None))
    assert located(part.state).isdisjoint(whole)
    atlas = Atlas(Grid(part.model, COARSE))
    found = mind_readouts(part.state, atlas, 0, ["inference_accuracy", "prior_precision"])
    assert found.keys().isdisjoint(whole)
    assert found["prior_precision"] == 1.0
    assert found["inference_accuracy"] == in_worlds(Inference(), 0)["inference_accuracy"]


def test_a_law_of_power_is_one(healthy) -> None:
    """log target = k log source, k as drawn."""
    (link,) = (r for r in rows() if r.target == "tonic_volatility")
    state = healthy.perturbed([Perturbation("noradrenaline_tone", 1.5)])
    moved = relative(state, "noradrenaline_tone", link.source_where)
    assert inference(state).tonic_volatility == pytest.approx(link.strength * moved)
    doubled = HealthyBrain(healthy.model, replace(healthy.draw, strength={link.id: 2 * link.strength}))
    twice = inference(doubled.perturbed([Perturbation("noradrenaline_tone", 1.5)])).tonic_volatility
    assert twice == pytest.approx(2 * inference(state).tonic_volatility)


def test_people_differ_from_the_reference_not_from_themselves(healthy) -> None:
    """A person's own circuit is healthy; inference differs through it and through population.csv."""
    someone = person(healthy, 3)
    assert someone.healthy.reference is healthy
    assert inference(someone).prior_precision != 1.0
    still = someone.healthy.state
    assert relative(still, "synaptic_gain", ("dlPFC",)) != 0.0


def test_strengths_are_drawn_with_their_signs_and_leave_other_draws_alone() -> None:
    found = draws(8, 1)
    for link in inference_links():
        values = np.array([d.strength[link.id] for d in found])
        assert values.std() > 0
        if link.sign_certain:
            assert (np.sign(values) == np.sign(link.strength)).all()


def test_one_answer_to_each_question() -> None:
    questions = {row.question for row in alternatives()}
    assert {row.question for row in chosen()} == questions
    assert all(row.default for row in chosen())
    assert all(sum(r.default for r in alternatives() if r.question == q) == 1 for q in questions)
    assert "strong_priors" in {row.name for row in chosen(["strong_priors"])}
    with pytest.raises(UserError, match="same question"):
        chosen(["strong_priors", "weak_priors"])
    with pytest.raises(UserError, match="did you mean strong_priors"):
        chosen(["strong_prior"])
