"""What the joint signaling network does in time and at rest: each test states something that comes out of the
tables, on one piece of cortex at the medians of the priors or on the embedded brain in one draw."""

from dataclasses import replace

import numpy as np
import pytest

from synsys.brain.draws import Draw, draws, everywhere, rejection_rate
from synsys.brain.model import BrainModel
from synsys.brain.state import HealthyBrain
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.mechanisms import links
from synsys.knowledge.scenarios import open_scenario, read_scenario
from synsys.knowledge.signaling import folded
from synsys.scales.ages import Ages
from synsys.scales.clock import TwoClocks
from synsys.signaling.rest import growth, stationary
from tests.signaling.piece import followed, held, piece_of_cortex

NETWORK = piece_of_cortex()


def at_rest(values, strength=None):
    """Effective value of every node under lasting perturbations."""
    change, inputs = held(NETWORK, values)
    y, found = stationary(NETWORK, change, lambda y: inputs, NETWORK.kinetics(strength))
    assert found
    return dict(zip(NETWORK.names, NETWORK.effective(y, change)[:, 0], strict=True))


@pytest.fixture(scope="module")
def model():
    return BrainModel(load_embedded())


def course(model, scenario, draw=None):
    """Times (days) and effective levels (time, node), mean over the brain, without feedback from activity."""
    scenario = replace(scenario, recursive=False)
    clocks = TwoClocks(scenario, Ages(model, draw or Draw(0), scenario, window=scenario.pruning))
    result = clocks.run()
    return np.array(result.time), np.array(result.levels), clocks.network


def stressed(day):
    return {"chronic_stress": 2.0 if day < 28 else 0.0}


def treated(day):
    """Eight weeks after the stress, four weeks of strong inhibition of HDAC2."""
    return stressed(day) | ({"hdac2_activity": 0.1} if 84 <= day < 112 else {})


def test_marks_of_stress_outlast_it_and_yield_to_an_hdac_inhibitor():
    """Weaver et al. 2004 Nat Neurosci 7:847: methylation persists and is reversed; the reversal lasts."""
    names, days = ("nr3c1_methylation", "bdnf_methylation"), (28, 84, 112, 200)
    left = followed(NETWORK, names, days, stressed, 0.5)
    drug = followed(NETWORK, names, days, treated, 0.5)
    assert (left[0] > 0).all()
    assert (left[1:] > left[0]).all()  # cortisol that ebbs slowly goes on writing
    assert (left[3] > 0.95 * left[2]).all()
    assert (drug[2] < 0.6 * left[2]).all()
    assert (drug[3] < 1.1 * drug[2]).all()


def test_bdnf_falls_under_stress_and_recovers_sooner_than_its_marks():
    bdnf, mark = followed(NETWORK, ("bdnf", "bdnf_methylation"), (28, 84), stressed, 0.5).T
    assert bdnf[0] < 0.99
    assert 1 - bdnf[1] < 0.6 * (1 - bdnf[0])
    assert mark[1] > mark[0]


def test_without_trkb_bdnf_grows_no_synapses():
    names = ("akt_mtor_activity", "synaptogenesis", "spine_density", "plasticity_gene_expression")
    whole, blocked = at_rest({"bdnf": 1.5}), at_rest({"bdnf": 1.5}, {"bdnf->trkb_activity": 0.0})
    for name in names:
        assert whole[name] > 1.01, name
        assert abs(blocked[name] - 1) < 0.1 * (whole[name] - 1), name


def test_erk_has_an_inner_optimum_for_remodelling():
    """Too little and too much both cost (source review, T1-06)."""
    doses = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0)
    effect = [at_rest({"erk_activity": dose})["structural_remodelling"] for dose in doses]
    best = int(np.argmax(effect))
    assert 0.7 < doses[best] < 1.5
    assert (np.diff(effect[: best + 1]) > 0).all()
    assert (np.diff(effect[best:]) < 0).all()


def test_with_calcium_clamped_activity_hardly_moves_creb():
    active = {"fast:e_rate": 1.5, "fast:energy_use": 1.3}
    entry = {"fast:calcium_nmda": 1.5, "fast:calcium_cav": 1.5}
    free, clamped = at_rest(active | entry)["creb_activity"], at_rest(active)["creb_activity"]
    assert free > 1.08
    assert abs(clamped - 1) < 0.1 * (free - 1)


@pytest.mark.parametrize("cause", [{"pruning_rate": 1.3}, {"c4a_expression": 2.0}, {"shank_function": 0.6}])
def test_excess_pruning_complement_and_loss_of_scaffold_cost_spines(cause):
    assert at_rest(cause)["spine_density"] < 0.97


def test_too_little_pruning_leaves_too_many_spines():
    """As in autism (Tang et al. 2014 Neuron 83:1131), against schizophrenia."""
    assert at_rest({"pruning_rate": 0.7})["spine_density"] > 1.1


def test_time_scales_of_one_step_of_calcium_span_minutes_to_weeks():
    chain = ("pka_activity", "creb_activity", "plasticity_gene_expression", "synaptogenesis")
    slow = ("transient_spines", "persistent_spines")

    def entry(day):
        return {"fast:calcium_nmda": 1.5, "fast:calcium_cav": 1.5}

    def half(names, step, span):
        days = np.arange(0, span, step)
        moved = followed(NETWORK, names, days, entry, step) - 1
        return days[np.argmax(moved >= 0.5 * moved[-1], axis=0)]

    first, then = half(chain, 0.01, 1.5), half(slow, 0.5, 150)
    assert (np.diff([*first, *then]) > 0).all()
    assert first[0] < 0.05
    assert first[-1] < 1
    assert then[0] < 7 < then[1]


def test_cytokines_move_five_targets_each_through_rows_of_its_own(model):
    """Serotonin, dopamine, receptors, vesicles, glutamate: without its rows a target stays, others move."""
    draw = Draw(0)
    rows = {
        "serotonin_level": [
            r.id for r in links() if r.target == "serotonin_level" and r.source != "sert_occupancy"
        ],
        "dopamine_tone": ["neuroinflammation->dopamine_tone@striatum"],
        "glutamate_release": ["tnf_alpha->glutamate_release:E"],
        "gabaa_conductance": ["tnf_alpha->gabaa_conductance:E", "il6->gabaa_conductance:E"],
    }
    healthy = HealthyBrain(model, draw)
    levels = {"il6": 2.0, "tnf_alpha": 2.0, "il1b": 2.0, "neuroinflammation": 0.3, "ido_activity": 1.5}
    change = [Perturbation(name, value, "*" if folded(name) else "+") for name, value in levels.items()]

    def moved(strength):
        carried = healthy.moved(change, sized=False)
        carried.propagate(draw.strength | strength, draw.factors)
        return {name: float(np.abs(carried.moved(name)).max()) for name in rows}

    everything = moved({})
    assert all(value > 0.01 for value in everything.values())
    for name, ids in rows.items():
        off = moved(dict.fromkeys(ids, 0.0))
        assert off[name] == 0
        assert all(off[other] == everything[other] for other in rows if other != name)
    uptake = ("astrocyte_glutamate_uptake->glutamate_metabolism", "quinolinate->glutamate_metabolism")
    ill = {"tnf_alpha": 1.0, "il1b": 1.0}
    assert at_rest(ill)["glutamate_metabolism"] > 0.02
    off = at_rest(ill, dict.fromkeys((*uptake, "ampk_activity->glutamate_metabolism"), 0.0))
    assert off["glutamate_metabolism"] == 0
    assert off["ido_activity"] == pytest.approx(at_rest(ill)["ido_activity"], rel=1e-3)


def test_cytokines_lower_serotonin_dopamine_glucocorticoid_receptors_and_bdnf():
    ill = at_rest({"cytokine_load": 0.5})
    assert ill["ido_activity"] > 1.05
    assert ill["neuroinflammation"] > 0.02
    assert ill["gr_function"] < 0.99
    assert ill["bdnf"] < 0.99
    assert ill["astrocyte_glutamate_uptake"] < 1
    assert ill["glutamate_metabolism"] > 0
    assert {(r.source, np.sign(r.strength)) for r in links() if r.target == "serotonin_level"} >= {
        ("ido_activity", -1.0)
    }


def test_a_pulse_is_not_stepped_over(model):
    """A pulse is 0 at both its ends; a solver at rest must still meet it."""
    pulse = "  - perturb: cytokine_load+=2\n    from: 1 wk\n    for: 4 d\n    course: pulse\n"
    scenario = read_scenario(f"duration: 4 wk\nevents:\n{pulse}")
    time, levels, network = course(model, replace(scenario, report=(0.0,)))
    il6 = levels[:, network.at["il6_peripheral"]]
    assert 7 < time[np.argmax(il6)] < 11
    assert il6.max() > 1


def test_inflammation_decays_in_health_and_outlasts_its_trigger_in_primed_microglia(model):
    """Same pulse, same parameters; the declared perturbation alone raises the gain above 1."""
    late = {}
    for name in ("inflammation", "inflammation_lasting"):
        scenario = replace(open_scenario(name), report=(0.0,), duration=57.0)
        time, levels, network = course(model, scenario)
        microglia = levels[:, network.at["microglial_activation"]]
        during = microglia[(time > 7) & (time <= 12)].max()
        late[name] = microglia[np.searchsorted(time, 56.0)] / during
        assert microglia[time < 7].max(initial=0) == 0
    assert late["inflammation"] < 0.05
    assert late["inflammation_lasting"] > 0.8


FETAL, TEEN = "gestation 18 wk", "age 15 y"


def test_development_dissociates_the_same_dose_by_its_age(model):
    """Four weeks of cytokines: before birth what is kept is numbers of neurons, at 15 what matures then."""
    kept = {}
    for start, age, duration in ((FETAL, "gestation 16 wk", "25.7 y"), (TEEN, "14 y", "11 y")):
        text = (
            f"duration: {duration}\nage: {age}\ndevelopment: on\nevents:\n  - perturb: cytokine_load+=3\n"
            f"    from: {start}\n    for: 4 wk\n    rise: 2 d\n    fall: 2 d\n"
        )
        _, levels, network = course(model, replace(read_scenario(text), report=(0.0,)))
        kept[start] = {name: abs(levels[-1, i] - network.fold[i, 0]) for name, i in network.at.items()}
    for name in ("neurogenesis", "neuronal_migration", "pv_interneuron_density"):
        assert kept[FETAL][name] > 5e-3, name
        assert kept[FETAL][name] > 50 * kept[TEEN][name], name
    for name in ("pv_maturation", "bdnf_methylation"):
        assert kept[TEEN][name] > 1.5 * kept[FETAL][name], name


def test_excess_pruning_leaves_most_where_its_window_lies(model):
    """K06: the same dose, in the window of childhood and of adolescence."""
    endowment = {}
    for name in ("pruning_childhood", "pruning_adolescence"):
        time, levels, network = course(model, replace(open_scenario(name), report=(0.0,)))
        endowment[name] = np.interp(
            np.array([6.0, 25.0]) * 365.25, time, levels[:, network.at["synaptic_endowment"]]
        )
    child, teen = endowment["pruning_childhood"], endowment["pruning_adolescence"]
    assert child[0] < teen[0] < 1
    assert teen[1] < child[1] < 1
    assert teen[1] < teen[0]


LIFE = "duration: 26 y\nage: gestation 4 wk\ndevelopment: on\nevents:\n  - perturb: "


def frontal(model, change, names, ages):
    """Levels of nodes in frontal cortex at some ages, (age, node); the change lasts from the first weeks."""
    scenario = read_scenario(f"{LIFE}{change}\nreport: [{', '.join(f'age {a} y' for a in ages)}]\n")
    clocks = TwoClocks(replace(scenario, recursive=False), Ages(model, Draw(0), scenario))
    reports = clocks.run().reports
    here = model.places.mask((), ("PFC", "ACC")).any(1)
    at = [clocks.network.at[name] for name in names]
    return np.array([reports[t][at][:, here].mean(1) for t in sorted(reports)])


def test_complement_is_silent_in_frontal_cortex_until_pruning_opens(model):
    """Latency: C4A is doubled before birth (Sekar et al. 2016); contacts are lost in adolescence."""
    names = ("complement_activity", "synaptic_endowment", "spine_density")
    lost = np.abs(frontal(model, "c4a_expression=2", names, (0, 3, 6, 18)) - 1)
    assert lost[0, 0] > 0.95 * lost[3, 0]  # the lesion is there at birth
    assert (lost[3, 1:] > 0.05).all()
    assert (lost[:2, 1:] < np.array([0.05, 0.25]) * lost[3, 1:]).all()
    assert (lost[2, 1:] < np.array([0.15, 0.4]) * lost[3, 1:]).all()


def test_pruning_has_an_inner_optimum_for_projections(model):
    """Too little leaves many contacts on wrong targets, too much few on the right ones (Zhan et al. 2014)."""
    doses = (0.35, 0.6, 1.0, 1.6, 2.4)
    weight = [
        frontal(model, f"pruning_rate={dose}", ("long_range_synaptic_weight",), (25,))[0, 0] for dose in doses
    ]
    best = int(np.argmax(weight))
    assert 0 < best < len(doses) - 1
    assert (np.diff(weight[: best + 1]) > 0).all()
    assert (np.diff(weight[best:]) < 0).all()
    assert weight[0] < 0.95
    assert weight[-1] < 0.98


@pytest.mark.parametrize(("age", "duration"), [(None, 365.25), (0.0, 80 * 365.25)])
def test_without_exposures_a_brain_stays_at_its_norm(model, age, duration):
    """A year without development, eighty years along the age curves: no node moves at all."""
    text = "duration: 1 y\n" if age is None else "duration: 80 y\nage: 0 y\ndevelopment: on\n"
    scenario = replace(read_scenario(text), report=(0.0,))
    time, levels, network = course(model, scenario)
    assert time[-1] == pytest.approx(duration)
    assert np.abs(levels - network.fold[:, 0]).max() < 1e-12


def test_health_is_stable_and_its_feedback_is_kept(model):
    """Most samples of the priors are used, and activity acts on molecules undiminished."""
    network = everywhere()
    rate, gain = growth(network, network.kinetics())
    assert rate < 0
    assert gain < 0.78
    assert rejection_rate(48) < 0.35
    kept = [float(HealthyBrain(model, draw).kept.mean()) for draw in draws(2)]
    assert min(kept) > 0.7
