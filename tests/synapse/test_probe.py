"""LTP and LTD probes: exact at health, finite far from it, directions that mechanism must bring out."""

import time

import numpy as np
import pytest
from scipy.special import ndtri

from synsys.core.errors import UserError
from synsys.knowledge.plasticity import plasticity_effects
from synsys.synapse import probe as probes
from synsys.synapse.background import poisson_time_above
from synsys.synapse.graupner_brunel import Protocol
from synsys.synapse.probe import ARGUMENTS, probe

READINGS = ("ltp", "ltd", "ltp_early")


@pytest.mark.parametrize("size", [1, 3, 145])
def test_health_is_exact(size):
    healthy = probe(np.ones(size))
    for name in READINGS:
        assert (getattr(healthy, name) == 1).all(), name
    assert (healthy.ltp_percent > 20).all()
    assert (healthy.ltp_late_percent > 2).all()
    assert (healthy.ltd_percent < 0).all()


def test_a_region_does_not_depend_on_its_neighbours():
    nmda = np.array([0.5, 1.0, 2.0])
    alone = [float(probe(fold).ltp) for fold in nmda]
    assert probe(nmda).ltp == pytest.approx(alone, rel=1e-12)
    assert probe(nmda).ltp[1] == 1


@pytest.mark.parametrize(
    "name",
    ["nmda", "unblock", "camkii", "trkb_activity", "akt_mtor_activity", "erk_activity", "pka_activity",
     "plasticity_gene_expression"],
)  # fmt: skip
@pytest.mark.parametrize("fold", [0.5, 0.7, 0.9])
def test_less_of_it_is_less_potentiation(name, fold):
    """Tsien et al. 1996 (NMDA), Silva et al. 1992 (CaMKII), Minichiello et al. 1999 (TrkB), Tang et al. 2002
    (mTOR), Abel et al. 1997 (PKA)."""
    assert probe(**{name: fold}).ltp < 1


@pytest.mark.parametrize("changes", [{"cav": 1.5}, {"cav": 2.0}, {"calcium": 1.5}, {"calcium": 0.7}])
def test_calcium_away_from_its_optimum_is_less_lasting_potentiation(changes):
    """Too little calcium does not induce it; too much lets background firing erase it."""
    assert probe(**changes).ltp < 0.95


def test_more_calcium_erases_what_it_induces():
    """Induction rises and what lasts falls: the route by which a gain of CaV1.2 lowers potentiation."""
    gain = probe(cav=2.0)
    assert gain.ltp_early > 1
    assert gain.ltp < 1


@pytest.mark.parametrize("rate", [0.3, 1.0])
@pytest.mark.parametrize(("post", "bursts"), [(1, 40), (2, 20), (5, 10), (5, 40)])
def test_directions_do_not_hang_on_the_protocol_or_the_background(monkeypatch, rate, post, bursts):
    monkeypatch.setattr(probes, "LTP_PROTOCOL", Protocol(5.0, 5, post, 100.0, 200.0, bursts))
    monkeypatch.setattr(probes, "BACKGROUND_RATE", rate)
    probes._healthy.cache_clear()
    lower = [probe(nmda=0.7).ltp, probe(cav=2.0).ltp, probe(trkb_activity=0.7).ltp]
    probes._healthy.cache_clear()
    assert max(lower) < 0.95


def test_late_potentiation_needs_translation_and_early_does_not():
    """Rapamycin (Tang et al. 2002) and less PKA (Abel et al. 1997) reduce late and spare early LTP."""
    blocked = probe(akt_mtor_activity=0.1)
    assert blocked.ltp < 0.3
    assert blocked.ltp_early == 1
    assert probe(pka_activity=0.5).ltp < probe(pka_activity=0.5).ltp_early


def test_depression_needs_gsk3_and_nmda_receptors():
    """Peineau et al. 2007; without NMDA receptors both mostly fail (Tsien 1996)."""
    assert probe(gsk3b_activity=0.2).ltd < 0.5
    blocked = probe(nmda=0.05)
    assert blocked.ltp < 0.2
    assert blocked.ltd < 0.4


def test_late_depression_needs_transcription():
    """Kauderer and Kandel 2000."""
    silent = probe(plasticity_gene_expression=0.3)
    assert silent.ltd < 0.8
    assert silent.ltd_percent == probe().ltd_percent


def test_depolarisation_acts_as_more_receptors():
    assert probe(unblock=1.3).ltp == probe(nmda=1.3).ltp


def test_finite_and_not_negative_far_from_health():
    rng = np.random.default_rng(0)
    folds = {name: np.exp(rng.uniform(np.log(0.05), np.log(5), 3000)) for name in ARGUMENTS}
    reading = probe(**folds)
    for name, values in vars(reading).items():
        assert np.isfinite(values).all(), name
    for name in READINGS:
        assert (getattr(reading, name) >= 0).all(), name


def test_table_and_few_synapses_cost_little(monkeypatch):
    """Against the exact shot noise and ten times the synapses, all arguments off by about 30 %."""
    rng = np.random.default_rng(1)
    folds = {name: np.exp(rng.normal(0, 0.3, 60)) for name in ARGUMENTS}
    cheap = probe(**folds)
    fine = np.exp(probes.SCATTER * ndtri((np.arange(240) + 0.5) / 240))

    def exact(rate, first, second):
        rate = np.broadcast_to(rate, first.shape)
        return poisson_time_above(rate, rate, first, second, 22.6936, 1.0)

    monkeypatch.setattr(probes, "_background", exact)
    monkeypatch.setattr(probes, "_synapses", lambda: fine)
    probes._healthy.cache_clear()
    error = np.abs(cheap.ltp / probe(**folds).ltp - 1)
    probes._healthy.cache_clear()
    assert np.median(error) < 0.02
    assert np.quantile(error, 0.95) < 0.06


def test_draws_of_strengths_change_the_lesion_and_not_health():
    draw = {"trkb_activity->gamma_p": 0.8}
    assert probe(trkb_activity=0.7, strengths=draw).ltp < probe(trkb_activity=0.7).ltp
    assert probe(strengths=draw).ltp == 1


def test_every_effect_belongs_to_an_argument():
    assert {effect.source for effect in plasticity_effects()} <= set(ARGUMENTS)


def test_input_is_checked():
    with pytest.raises(UserError, match="nmda must be positive"):
        probe(0.0)
    with pytest.raises(UserError, match="cav must be positive and finite"):
        probe(cav=np.array([1.0, np.nan]))
    with pytest.raises(UserError, match="plasticity effect 'trkb->gamma_p'"):
        probe(strengths={"trkb->gamma_p": 1.0})


def test_all_regions_in_two_milliseconds():
    """Best of fifty on 145 regions; four times the bar, so that a busy machine does not fail it."""
    folds = np.linspace(0.5, 2, 145)
    probe(folds)
    best = np.inf
    for _ in range(50):
        start = time.perf_counter()
        probe(folds)
        best = min(best, time.perf_counter() - start)
    assert best < 0.008
