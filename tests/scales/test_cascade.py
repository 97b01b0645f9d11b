"""The main job end to end on a small brain: exact in health, reproducible, honest about instability."""

import json

import numpy as np
import pytest

from synsys.brain.draws import draws
from synsys.brain.model import BrainModel
from synsys.brain.state import HealthyBrain
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.core.schema import load, save, validate
from synsys.data.embedded import load_embedded
from synsys.knowledge.mechanisms import INFERENCE
from synsys.knowledge.signaling import nodes
from synsys.measures.standing import HELD, PUBLISHED
from synsys.mind.standing import OBSERVER, PERFORMANCE
from synsys.scales.cascade import cascade, profile, resolve

SMALL = (
    "L.rostralmiddlefrontal", "L.medialorbitofrontal", "L.precuneus", "L.insula", "L.pericalcarine",
    "L.precentral", "L.thalamus", "L.hippocampus", "L.amygdala", "L.caudate", "L.pallidum",
)  # fmt: skip

READ_OF_THE_CIRCUIT = {"pv_interneuron_function", "synaptic_strength", "intracellular_calcium"}
"""Nodes of the signaling network whose healthy value and change the circuit computes as well."""


@pytest.fixture(scope="module")
def small() -> Connectome:
    """Eleven regions of the embedded brain, one of each structure that loops need."""
    return load_embedded().part(SMALL)


@pytest.fixture(scope="module")
def mild(small: Connectome):
    """A mild lesion that stays stable."""
    return cascade("nmda_conductance=0.97", brain=small, draws=6, jobs=1)


def test_no_perturbation_changes_nothing_bit_for_bit(small: Connectome) -> None:
    tree = cascade([], brain=small, draws=2, jobs=1)
    draws = tree["draws"]
    np.testing.assert_array_equal(draws["reference"].values, draws["perturbed"].values)
    for group, name in (("rates", "rate"), ("spectra", "power"), ("fc", "fc")):
        both = tree[group][name]
        np.testing.assert_array_equal(both.sel(state="reference"), both.sel(state="perturbed"))
    effect = tree["table"]["effect"].values
    assert (effect[np.isfinite(effect)] == 0).all()


def test_a_dose_of_one_is_health(small: Connectome) -> None:
    model = BrainModel(small)
    healthy = HealthyBrain(model, draws(1)[0])
    nothing = [Perturbation("kcnq2_conductance", 1.0), Perturbation("d2_occupancy", 0.0, "+")]
    state = healthy.perturbed(nothing)
    np.testing.assert_array_equal(state.point.x, healthy.state.point.x)


def test_an_alias_in_a_record_acts_like_the_name(small: Connectome) -> None:
    """It once moved a variable that no equation reads, and silently nothing followed."""
    from synsys.brain.draws import draws

    healthy = HealthyBrain(BrainModel(small), draws(1)[0])
    alias, name = (healthy.perturbed([Perturbation(n, 0.8)]) for n in ("KCNQ2", "kcnq2_conductance"))
    np.testing.assert_array_equal(alias.point.x, name.point.x)
    assert not np.array_equal(alias.point.x, healthy.state.point.x)
    assert resolve([Perturbation("KCNQ2", 0.8), "SK3=0.5"]) == resolve(["KCNQ2=0.8", "KCNN3=0.5"])
    with pytest.raises(UserError, match="GRIN2X"):
        cascade(Perturbation("GRIN2X", 0.7), brain=small, draws=2)


def test_the_result_is_valid_and_survives_the_disk(mild, tmp_path) -> None:
    validate(mild)
    again = load(save(mild, tmp_path / "cascade.nc"))
    np.testing.assert_array_equal(again["table"]["value"], mild["table"]["value"])
    assert json.loads(again.attrs["perturbations"]) == ["nmda_conductance=0.97"]
    assert "Research use only" in again.attrs["disclaimer"]


def test_seed_and_processes_do_not_matter_but_the_seed_does(mild, small: Connectome) -> None:
    twice = cascade("nmda_conductance=0.97", brain=small, draws=6, jobs=2)
    np.testing.assert_array_equal(mild["draws"]["perturbed"], twice["draws"]["perturbed"])
    other = cascade("nmda_conductance=0.97", brain=small, draws=6, jobs=1, seed=1)
    assert not np.array_equal(mild["draws"]["perturbed"], other["draws"]["perturbed"])


def test_an_input_is_no_result_and_links_are_wired(small: Connectome) -> None:
    table = cascade("bdnf=0.9", brain=small, draws=2, jobs=1)["table"].to_dataset().to_dataframe()
    assert table.origin["bdnf"] == "input"
    assert table.origin["trkb_activity"] == "wired"
    assert table.origin["pyramidal_activity"] == "emergent"
    assert table.origin["circuit_integrity"] == "by construction"
    assert table.d[["circuit_integrity", "network_dysconnectivity"]].isna().all()
    assert set(table.label) == {"simulated-causal"}


def test_molecules_that_the_tables_move_are_results_and_others_are_not(mild, small: Connectome) -> None:
    """A node of the network is listed where it moved; a lesion that only activity hears moves none."""
    assert not set(mild["table"].readout.values) & (set(nodes()) - READ_OF_THE_CIRCUIT)
    tree = cascade("bdnf=0.8", brain=small, draws=2, jobs=1)
    table = tree["table"].to_dataset().to_dataframe()
    moved = table.loc[[name for name in table.index if name in nodes() and name != "bdnf"]]
    assert {"trkb_activity", "erk_activity", "creb_activity"} <= set(moved.index)
    assert set(moved.origin) == {"wired"}
    assert table.effect["trkb_activity"] < table.effect["creb_activity"] < 0
    computed = moved.index.isin(READ_OF_THE_CIRCUIT)
    assert (moved.effect[~computed].abs() > 0).all()
    links = tree["links"].to_dataset().to_dataframe()
    there = links[(links.source == "bdnf") & (links.target == "trkb_activity")]
    assert there.law.tolist() == ["production"]
    lost = links[links.law == "loss"]
    assert (np.sign(lost.strength) == lost.sign).all()
    (wnt,) = lost[lost.target == "wnt_beta_catenin"].itertuples()
    assert (wnt.source, wnt.sign) == ("gsk3b_activity", -1)


def test_a_weaker_signal_lowers_connectivity_only_through_measurement_noise(small: Connectome) -> None:
    """Neurovascular coupling scales every BOLD signal alike and leaves neurons alone (r has no unit)."""
    tree = cascade("neurovascular_coupling=0.5", brain=small, draws=4, jobs=1)
    fc = {name: tree["fc"][name] for name in ("fc", "fc_noiseless", "fc_global_regressed")}
    off = ~np.eye(len(small), dtype=bool)
    size = {name: np.abs(m.values[..., off]).mean(axis=(1, 2)) for name, m in fc.items()}
    assert size["fc"][1] < 0.9 * size["fc"][0]
    np.testing.assert_allclose(fc["fc_noiseless"][1], fc["fc_noiseless"][0], atol=1e-5)
    table = tree["observations"].to_dataset()
    whole = table.sel(readout="within_network_fc")
    assert float(whole["effect"].sel(observation="fc")) < 0
    assert abs(float(whole["effect"].sel(observation="fc_noiseless"))) < 1e-5


def test_connectivity_as_the_table_has_it_is_one_of_the_observations(mild) -> None:
    table, seen = mild["table"].to_dataset(), mild["observations"].to_dataset().sel(observation="fc")
    for column in ("value", "reference", "effect", "d", "p_sign"):
        there = table[column].sel(readout=seen["readout"].values)
        np.testing.assert_allclose(seen[column], there, rtol=1e-4, atol=1e-5, err_msg=column)


def test_regions_whose_healthy_state_was_adjusted_are_in_the_result(mild, small: Connectome) -> None:
    """The share of draws counted from the healthy brains themselves; inhibition rises where it is listed."""
    from synsys.brain.draws import draws

    model = BrainModel(small)
    healthy = [HealthyBrain(model, draw) for draw in draws(6)]
    region = model.wiring.nodes.region.to_numpy()
    for name, of in (("rebalanced", lambda h: h.rebalanced.any(-1)), ("tempered", lambda h: h.tempered)):
        want = [np.mean([of(h)[region == i].any() for h in healthy]) for i in range(len(small))]
        np.testing.assert_allclose(mild["regions"][name], want)
    assert (mild["regions"]["rebalanced"] > 0).any()


def test_a_readout_is_set_against_the_nulls_of_its_own_metric_only(mild) -> None:
    """Two things are called network_vulnerability; the readout is the inverse margin of stability."""
    table, graph = mild["table"].to_dataset(), mild["graph"].to_dataset().sel(state="reference")
    z = table["null_z_reference"]
    assert np.isnan(float(z.sel(readout="network_vulnerability")))
    assert float(z.sel(readout="global_efficiency")) == float(graph["null_z"].sel(metric="global_efficiency"))
    stable = table["reference"].sel(readout=["network_stability", "network_vulnerability"])
    draws = mild["draws"]["reference"].sel(readout=["network_stability", "network_vulnerability"])
    assert np.isfinite(stable).all()
    np.testing.assert_allclose(draws[0] * draws[1], 1.0)


def test_what_no_draw_can_move_in_health_is_labelled(mild) -> None:
    """A healthy value that is the same in every draw was put in: calibrated, or a distance from health."""
    table = mild["table"].to_dataset().to_dataframe()
    values = mild["draws"]["reference"].to_series().unstack("draw")[list(mild["draws"]["draw"].values)]
    fixed = values.std(axis=1, ddof=0) <= 1e-9 * values.mean(axis=1).abs()
    told = table["calibrated"].isin((HELD, PUBLISHED, OBSERVER, PERFORMANCE)) | table["origin"].isin(
        ("input", "by construction")
    )
    told |= table["level"].eq("symptom") | table.index.isin(INFERENCE)  # measured from health
    assert fixed.sum() > 10
    assert list(table.index[fixed & ~told]) == []
    assert list(table.index[~fixed & (table["calibrated"] == HELD)]) == []


def test_a_focal_lesion_fades_with_distance_and_reports_it(small: Connectome) -> None:
    regions = cascade("nmda_conductance=0.9@L.precuneus", brain=small, draws=4, jobs=1)["regions"]
    there = regions.sel(region="L.precuneus")
    assert float(there["distance"]) == 0.0
    rate = np.abs(regions["rate_change"])
    assert int(rate.values.argmax()) == regions.region.values.tolist().index("L.precuneus")


def test_probability_of_a_sign_is_that_of_the_draws(mild) -> None:
    draws, table = mild["draws"], mild["table"]
    up = (draws["perturbed"] > draws["reference"]).sel(readout="pyramidal_activity")
    used = draws["stable_reference"] & draws["stable_perturbed"]
    n, k = int(used.sum()), int((up & used).sum())
    assert float(table["p_sign"].sel(readout="pyramidal_activity")) == pytest.approx((k + 0.5) / (n + 1))


def test_links_of_unknown_sign_are_run_both_ways(small: Connectome) -> None:
    tree = cascade("cacna1c_risk_variant+=1", brain=small, draws=8, jobs=1)
    link = "cacna1c_risk_variant->cacna1c_conductance"
    sign = np.sign([draw.strength[link] for draw in draws(8)])
    moved = tree["draws"]["perturbed"].sel(readout="intracellular_calcium")
    change = (moved - tree["draws"]["reference"].sel(readout="intracellular_calcium")).values
    assert set(sign) == {-1.0, 1.0}
    known = np.isfinite(change)
    assert (np.sign(change[known & (sign > 0)]) != np.sign(change[known & (sign < 0)])[:1]).all()


@pytest.mark.parametrize(
    "bad", ["GRIN2B=0", "GRIN2X=0.7", "GRIN2B=0.7@atlantis", "GRIN2B=0.7:XYZ", "dmn_fc=0.5"]
)
def test_nonsense_is_refused_before_work_starts(bad: str, small: Connectome) -> None:
    with pytest.raises(UserError):
        cascade(bad, brain=small, draws=2, jobs=1)


def test_a_place_without_the_cell_is_refused(small: Connectome) -> None:
    with pytest.raises(UserError, match="no TC in precuneus"):
        cascade("GRIN2B=0.7:TC@precuneus", brain=small, draws=2, jobs=1)


def test_disorders_are_sets_of_perturbations_with_sizes_and_sources() -> None:
    for name in ("schizophrenia", "depression", "bipolar", "autism", "anxiety", "PTSD", "OCD"):
        rows = profile(name)
        assert rows
        assert all(row.sd > 0 and row.source and row.grade in "ABC" for row in rows)
    both = resolve("GRIN2B=0.7", "schizophrenia")
    assert both[0].name == "nmda_conductance"
    assert both[1:] == profile("schizophrenia")
