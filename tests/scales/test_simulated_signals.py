"""What is seen of a simulated brain from outside: electrodes and BOLD."""

import json

import numpy as np
import pandas as pd
import pytest

from synsys.brain.draws import draws
from synsys.brain.eeg import eeg_power
from synsys.brain.model import BrainModel
from synsys.brain.solution import regional_weights
from synsys.brain.spectra import respond
from synsys.brain.state import HealthyBrain
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.schema import load, save
from synsys.data.embedded import load_embedded
from synsys.knowledge.resolve import parse_perturbation
from synsys.measures.sensors import open_lead_field
from synsys.report import write_report
from synsys.report.comparison import write_comparison
from synsys.scales.simulate import simulate

QUIET = "noise_amplitude=0.03"
"""A thirtieth of the healthy noise, where the linear solution holds."""


@pytest.fixture(scope="module")
def brain() -> Connectome:
    whole = load_embedded()
    return whole.part([label for label in whole.labels if "frontal" in label or "thalamus" in label])


def planted(brain: Connectome, region: int) -> dict[str, object]:
    """Oscillators without coupling and noise, of which one is past its bifurcation: x = cos(2 pi 10 t)."""
    a = [1.0 if k == region else -1.0 for k in range(len(brain))]
    return {
        "fixed": {"a": a, "frequency": 10.0, "pace": 0.05, "sigma": 0.0}, "seconds": 2.0, "warm_up": 1.0,
        "dt": 0.05, "method": "heun", "every": 4.0, "repetition": 0.0, "precision": "float64",
    }  # fmt: skip


@pytest.mark.parametrize("own", [False, True])
def test_a_planted_oscillation_arrives_with_the_weights_of_the_lead_field(brain, own, tmp_path) -> None:
    """A record is a mean over 4 ms, which leaves sinc(10 Hz 4 ms) of the amplitude; signs are those of it."""
    region = 3
    field: pd.DataFrame | str = "sphere"
    if own:
        rng = np.random.default_rng(0)
        names = [label for label in brain.labels if "thalamus" not in label][::-1]  # by name, not by place
        field = tmp_path / "field.csv"
        pd.DataFrame(rng.normal(size=(5, len(names))), list("abcde"), names).to_csv(field)
    tree = simulate(brain, "hopf", eeg=field, **planted(brain, region))
    weights = open_lead_field(field, brain)
    seen = tree["eeg"]["potential"]
    assert list(seen["electrode"].values) == list(weights.index)
    y = seen.values[0]
    wave = np.exp(2j * np.pi * 10.0 * seen["time"].values)
    amplitude = 2 * (y * wave[:, None]).mean(0)  # the run is 20 whole cycles
    turned = amplitude * np.exp(-1j * np.angle(amplitude @ weights.iloc[:, region].to_numpy()))
    wanted = np.sinc(0.04) * weights.iloc[:, region].to_numpy()
    np.testing.assert_allclose(turned.real, wanted, atol=2e-3 * np.abs(wanted).max())
    assert np.abs(turned.imag).max() < 2e-3 * np.abs(wanted).max()
    np.testing.assert_allclose(y.std(0), np.abs(wanted) / np.sqrt(2), atol=2e-3 * np.abs(wanted).max())
    assert write_report(tree, tmp_path / "page.html").exists()
    with pytest.raises(UserError, match="points of one grid"):
        write_comparison(tree, tree, tmp_path / "page.html")
    save(tree, tmp_path / "s.nc")
    again = load(tmp_path / "s.nc")
    np.testing.assert_array_equal(again["eeg"]["potential"], seen)
    assert json.loads(again.attrs["options"])["eeg"] == ("the user's lead field" if own else "sphere")
    assert len(json.loads(again.attrs["digests"])["lead field"]) == 64


def test_spectra_at_electrodes_are_those_of_the_linear_brain(brain) -> None:
    """Band power at each of 61 electrodes within 15 %, 8 runs of 20 s: one state, simulated and solved."""
    tree = simulate(
        brain, fixed=[QUIET], seeds=8, seconds=20.0, warm_up=2.0, every=4.0, repetition=0.0, eeg="sphere"
    )
    y, width = tree["eeg"]["potential"].values.astype(float), 1000
    window = np.hanning(width + 1)[:-1]
    parts = [y[:, at : at + width] for at in range(0, y.shape[1] - width + 1, width // 2)]
    power = np.mean([np.abs(np.fft.rfft((p - p.mean(1, keepdims=True)) * window[:, None], axis=1)) ** 2
                     for p in parts], axis=(0, 1))  # fmt: skip
    f = np.fft.rfftfreq(width, 0.004)
    power *= 0.004 / (window**2).sum() / np.sinc(0.004 * f)[:, None] ** 2  # records are means over 4 ms
    model = BrainModel(brain)
    state = HealthyBrain(model, draws(1, 0, 1.0)[0]).perturbed([parse_perturbation(QUIET)])
    grid = np.arange(4.0, 45.0, 0.1)
    response = respond(state.linear, grid).output(regional_weights(model))
    linear = eeg_power(response, open_lead_field("sphere", brain))
    for low, high in ((4, 8), (8, 13), (13, 30), (30, 45)):
        simulated = power[(f >= low) & (f < high)].mean(0)
        solved = linear[(grid >= low) & (grid < high)].mean(0)
        np.testing.assert_allclose(simulated, solved, rtol=0.15)
        assert np.corrcoef(np.log(simulated), np.log(solved))[0, 1] > 0.999


def test_electrodes_are_refused_before_anything_runs(brain, tmp_path) -> None:
    with pytest.raises(UserError, match="--every"):
        simulate(brain, "wong_wang", eeg="sphere", seconds=1.0)
    field = pd.DataFrame(1.0, ["Cz"], brain.labels[1:])
    with pytest.raises(UserError, match="no column for region"):
        simulate(brain, "wong_wang", eeg=field, every=4.0, seconds=1.0)
    kept = {"model": "wong_wang", "every": 4.0, "seconds": 1.0, "warm_up": 0.0, "resume": tmp_path / "tasks"}
    simulate(brain, eeg=open_lead_field("sphere", brain), **kept)
    with pytest.raises(UserError, match="another sweep"):
        simulate(brain, eeg=open_lead_field("sphere", brain) * 2, **kept)


def amplitudes(brain: Connectome, *changes: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standard deviation of BOLD by region, its correlations, and mean rates, at a tenth of the noise."""
    tree = simulate(brain, fixed=["noise_amplitude=0.1", *changes], seeds=2, seconds=30.0, warm_up=10.0)
    bold = tree["bold"]["bold"].values.astype(float)
    fc = np.mean([np.corrcoef(run.T) for run in bold], 0)
    return bold.std(1).mean(0), fc, tree["activity"]["mean"].values


def test_inflammation_blunts_bold_where_it_is_and_correlations_do_not_see_it(brain) -> None:
    """Inflammation of one region against the same with neurovascular coupling made up for.

    Neurons do the same in both, so that what differs is the vessels: BOLD shrinks by the factor on
    neurovascular coupling in that region (within 4 %: the balloon bends), nowhere else, and a gain cancels in
    correlations.
    """
    place = brain.labels.index("L.superiorfrontal")
    inflamed = "neuroinflammation+=0.3@L.superiorfrontal"
    healthy = HealthyBrain(BrainModel(brain), draws(1, 0, 1.0)[0])
    factor = healthy.perturbed([parse_perturbation(inflamed)]).vascular
    region = healthy.wiring.nodes.region.to_numpy()
    blunted = float(factor[region == place][0])
    assert blunted < 0.95
    assert np.abs(factor[region != place] - 1).max() < 0.001
    (ill, ill_fc, ill_rates), (mended, mended_fc, mended_rates) = (
        amplitudes(brain, inflamed, *more)
        for more in ((), (f"neurovascular_coupling={1 / blunted!r}@L.superiorfrontal",))
    )
    np.testing.assert_array_equal(ill_rates, mended_rates)
    np.testing.assert_allclose(ill[place] / mended[place], blunted, rtol=0.04)
    np.testing.assert_array_equal(np.delete(ill, place), np.delete(mended, place))
    np.testing.assert_allclose(ill_fc, mended_fc, atol=0.01)


def test_inflammation_changes_bold_through_neurons_as_well(brain) -> None:
    """Vessels and neurons together: neither amplitude nor correlations stay those of health."""
    (health, fc, _), (ill, ill_fc, _) = (amplitudes(brain, *c) for c in ((), ("neuroinflammation+=0.2",)))
    assert np.abs(np.log(ill / health)).max() > 0.1
    assert np.abs(ill_fc - fc).max() > 0.02
