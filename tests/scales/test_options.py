"""Options of a run: what each does, that it is recorded, and that nothing else changes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synsys.brain.model import BrainModel
from synsys.brain.solution import Grid, solve
from synsys.brain.state import HealthyBrain
from synsys.brain.statistical import averaged
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.core.schema import attribute, load, save, validate
from synsys.data.embedded import load_embedded
from synsys.measures.sensors import electrode_power, open_lead_field
from synsys.measures.spatial_nulls import spin_maps
from synsys.report import write_report
from synsys.report.comparison import differences
from synsys.scales.cascade import cascade, doses, sweep
from synsys.scales.runs import Runner

SMALL = (
    "L.rostralmiddlefrontal", "L.precuneus", "L.insula", "R.precuneus", "R.insula", "L.thalamus",
    "L.hippocampus",
)  # fmt: skip
CHANGE = "nmda_conductance=0.97"


@pytest.fixture(scope="module")
def small() -> Connectome:
    """Seven regions of the embedded brain."""
    return load_embedded().part(SMALL)


@pytest.fixture(scope="module")
def plain(small: Connectome):
    return cascade(CHANGE, brain=small, draws=2, jobs=1)


def test_a_plain_run_says_so(plain) -> None:
    assert attribute(plain, "options") == {
        "beta": 1.0, "spun_maps": None, "linearisation": "plain", "eeg": "", "inference": [],
    }  # fmt: skip
    assert "eeg" not in plain.children


# Heterogeneity ------------------------------------------------------------------------------------------


def test_spun_maps_move_together_within_cortex_and_within_a_side() -> None:
    """Every region takes the whole profile of one region of its own hemisphere."""
    brain = load_embedded()
    spun = spin_maps(brain, seed=3)
    cortex = (brain.regions.structure == "cortex").to_numpy()
    old, new = brain.maps.to_numpy(), spun.maps.to_numpy()
    np.testing.assert_array_equal(new[~cortex], old[~cortex])
    came = [int(np.flatnonzero((old == row).all(1))[0]) for row in new[cortex]]
    sides = brain.regions.hemisphere.to_numpy()
    assert (sides[came] == sides[cortex]).all()
    assert (np.array(came) != np.flatnonzero(cortex)).mean() > 0.5
    np.testing.assert_array_equal(spin_maps(brain, seed=3).maps, spun.maps)
    assert not np.array_equal(spin_maps(brain, seed=4).maps, spun.maps, equal_nan=True)


def test_maps_that_cannot_be_spun_are_refused(small: Connectome) -> None:
    from dataclasses import replace

    with pytest.raises(UserError, match="no cortical maps"):
        cascade(CHANGE, brain=replace(small, maps=small.maps.iloc[:, :0]), draws=2, spun_maps=0)
    lost = small.regions.assign(x=small.regions["x"].where(small.regions.index != "L.insula"))
    with pytest.raises(UserError, match=r"L\.insula has no centroid"):
        cascade(CHANGE, brain=replace(small, regions=lost), draws=2, spun_maps=0)


def test_spinning_matters_only_where_maps_have_slopes(small: Connectome, plain) -> None:
    """With slopes 0 a brain does not know where its maps lie."""
    seed = next(s for s in range(99) if not spin_maps(small, s).maps.equals(small.maps))
    spun = cascade(CHANGE, brain=small, draws=2, jobs=1, spun_maps=seed)
    assert attribute(spun, "options")["spun_maps"] == seed
    assert f"spun at random (seed {seed})" in spun.attrs["methods"]
    assert any("Alexander-Bloch" in text for text in attribute(spun, "references"))
    assert not np.array_equal(spun["fc"]["fc"], plain["fc"]["fc"])
    assert attribute(spun, "digests") == attribute(plain, "digests")  # the same inputs
    assert differences(plain, spun) == [f"spun maps differs: none and {seed}"]
    alike = [cascade(CHANGE, brain=small, draws=2, jobs=1, beta=0, spun_maps=s) for s in (None, seed)]
    np.testing.assert_array_equal(alike[0]["draws"]["perturbed"], alike[1]["draws"]["perturbed"])
    assert "no regional map enters" in alike[0].attrs["methods"]


# Electrodes ---------------------------------------------------------------------------------------------


def test_an_electrode_that_sees_one_region_has_its_power(small: Connectome, plain, tmp_path: Path) -> None:
    cortex = [label for label in small.labels if small.regions.structure[label] == "cortex"]
    field = pd.DataFrame(0.0, ["E1", "E2", "REF"], cortex[::-1])
    field.loc["E1", "L.insula"], field.loc["E2", ["L.insula", "R.insula"]] = 2.0, 1.0
    tree = cascade(CHANGE, brain=small, draws=2, jobs=1, eeg=field)
    power = tree["eeg"]["power"]
    assert power.dims == ("state", "draw", "electrode", "band")
    model = BrainModel(small)
    draw = Runner(small, 2, jobs=1).draws[0]
    solution = solve(HealthyBrain(model, draw).state, Grid(model))
    alone = solution.band_power("alpha")[small.labels.index("L.insula")]
    healthy = power.sel(state="reference", draw=0, band="alpha")
    assert float(healthy.sel(electrode="E1")) == pytest.approx(4 * alone, rel=1e-5)
    assert float(healthy.sel(electrode="REF")) == 0.0
    np.testing.assert_allclose(
        electrode_power(solution, open_lead_field(field, small))[:, 2], healthy.values, rtol=1e-5
    )
    np.testing.assert_array_equal(tree["table"]["value"], plain["table"]["value"])  # nothing else moves
    field.to_csv(tmp_path / "field.csv")
    again = cascade(CHANGE, brain=small, draws=2, jobs=1, eeg=tmp_path / "field.csv")
    np.testing.assert_array_equal(again["eeg"]["power"], power)
    assert attribute(again, "options")["eeg"] == "the user's lead field"


def test_the_built_in_head_sees_sixty_one_electrodes(small: Connectome, tmp_path: Path) -> None:
    tree = cascade(CHANGE, brain=small, draws=2, jobs=1, eeg="sphere")
    validate(tree)
    again = load(save(tree, tmp_path / "eeg.nc"))
    assert again["eeg"].sizes["electrode"] == 61
    assert (again["eeg"]["power"] > 0).all()
    assert np.allclose(np.sqrt(sum(again["eeg"][axis] ** 2 for axis in "xyz")), 1.0)
    assert any("Naess" in text for text in attribute(tree, "references"))
    write_report(again, tmp_path / "eeg.html")
    assert "61 electrodes" in (tmp_path / "eeg.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="L.insula"), r"no column for region 'L\.insula'"),
        (lambda f: f.rename(columns={"L.insula": "L.insulla"}), r"L\.insul"),
        (lambda f: f.assign(**{"L.insula": "much"}), r"\[E2, L\.insula\]|\[E1, L\.insula\].*not a number"),
        (lambda f: f.assign(**{"L.insula": np.inf}), r"L\.insula\] is inf"),
        (lambda f: f.set_axis(["E1", "E1"]), r"electrode 'E1' is repeated"),
    ],
)
def test_a_lead_field_that_does_not_fit_is_refused(change, message, small: Connectome, tmp_path) -> None:
    field = change(pd.DataFrame(1.0, ["E1", "E2"], small.labels))
    field.to_csv(tmp_path / "f.csv")
    with pytest.raises(UserError, match=message):
        cascade(CHANGE, brain=small, draws=2, eeg=tmp_path / "f.csv")


# Statistical linearisation ------------------------------------------------------------------------------


def test_statistical_linearisation_is_the_averaged_solution(small: Connectome, monkeypatch) -> None:
    monkeypatch.setattr("synsys.scales.runs.PEOPLE", 0, raising=False)
    tree = cascade(CHANGE, brain=small, draws=2, jobs=1, linearisation="statistical")
    assert attribute(tree, "options")["linearisation"] == "statistical"
    assert "1 to 3 mV" in tree.attrs["methods"]
    runner = Runner(small, 2, jobs=1)
    want = averaged(HealthyBrain(runner.model, runner.draws[0]).state)
    node = int(np.flatnonzero(runner.model.wiring.nodes.region == small.labels.index("L.precuneus"))[0])
    here = tree["rates"].sel(state="reference", draw=0, region="L.precuneus", cell=["E", "PV", "SST"])
    np.testing.assert_allclose(here["rate"], want.state.rates[node], rtol=1e-9)
    np.testing.assert_allclose(here["potential_sd"], want.sd[node], rtol=1e-9)


def test_health_is_exact_with_every_option(small: Connectome, monkeypatch) -> None:
    monkeypatch.setattr("synsys.scales.runs.PEOPLE", 0, raising=False)
    tree = cascade(
        [], brain=small, draws=2, jobs=1, beta=0.5, spun_maps=1, linearisation="statistical", eeg="sphere"
    )
    for group, name in (("rates", "rate"), ("fc", "fc"), ("eeg", "power")):
        both = tree[group][name]
        np.testing.assert_array_equal(both.sel(state="reference"), both.sel(state="perturbed"))


# Doses --------------------------------------------------------------------------------------------------


def test_a_sweep_is_its_cascades_and_solves_health_once(small: Connectome, monkeypatch) -> None:
    solved = []
    outcome = Runner.outcome

    def counted(self, state, reference, *more, **options):
        solved.append(reference is None)
        return outcome(self, state, reference, *more, **options)

    monkeypatch.setattr(Runner, "outcome", counted)
    monkeypatch.setattr("synsys.scales.runs.PEOPLE", 0, raising=False)
    trees = sweep("nmda_conductance=0.96:1:0.02", brain=small, draws=2, jobs=1)
    assert solved.count(True) == 2  # one a draw
    assert solved.count(False) >= 2 * 3
    assert [tree.attrs["title"] for tree in trees] == [f"nmda_conductance={x}" for x in ("0.96", "0.98", "1")]
    alone = cascade("nmda_conductance=0.98", brain=small, draws=2, jobs=1)
    for group in ("table", "observations", "graph", "draws"):
        for name, values in alone[group].to_dataset(inherit=False).data_vars.items():
            np.testing.assert_array_equal(trees[1][group][name].values, values.values, err_msg=name)


def test_one_thing_is_swept_at_a_time() -> None:
    sets = doses(["GRIN2B=0.5:1:0.25", "KCNQ2=0.8:E"], "depression")
    assert [str(changes[0]) for changes in sets] == [f"nmda_conductance={x}" for x in ("0.5", "0.75", "1")]
    assert all(str(changes[1]) == "kcnq2_conductance=0.8:E" and len(changes) > 2 for changes in sets)
    with pytest.raises(UserError, match="one perturbation can be swept"):
        doses(["GRIN2B=0.5:1:0.25", "KCNQ2=0.5:1:0.25"])
    assert doses(Perturbation("kcnq2_conductance", 0.5)) == [(Perturbation("kcnq2_conductance", 0.5),)]
