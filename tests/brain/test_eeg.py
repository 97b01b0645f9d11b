"""EEG: the sphere's potential against mathematics, the montage, and what reaches the scalp."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import hyp2f1

from synsys.brain.bold import drive_weights
from synsys.brain.draws import Draw
from synsys.brain.eeg import (
    BRAIN_AXES,
    BRAIN_CENTRE,
    Head,
    align_lead_field,
    coherence,
    dipole_potential,
    eeg_power,
    eeg_response,
    electrodes,
    lead_field,
    phase_lag,
    place_in_sphere,
    plv_from_coherence,
    time_lag,
)
from synsys.brain.model import BrainModel
from synsys.brain.spectra import cross, power, respond
from synsys.brain.state import HealthyBrain
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded, load_surface

ONE = Head((90.0,), (0.3,))
SAME = Head((79.0, 80.0, 85.0, 90.0), (0.3, 0.3, 0.3, 0.3))


def dipoles(n: int, seed: int, deepest: float = 76.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(n, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return direction * rng.uniform(0, deepest, (n, 1)), rng.normal(size=(n, 3))


# --- the potential of a dipole ---------------------------------------------------------------------------


def test_shells_of_one_conductivity_are_one_sphere():
    where, moment = dipoles(30, 1)
    series = dipole_potential(where, moment, electrodes(), SAME)
    assert series == pytest.approx(dipole_potential(where, moment, electrodes(), ONE), abs=1e-6)


def test_closed_form_satisfies_the_equation_it_solves():
    """In the unbounded medium plus a harmonic part, no current leaves the sphere (finite differences).

    A potential inside with the closed form as its boundary value is built from the same series without the
    boundary term: degree n of the sphere is (2 + 1 / n) times that of the medium.
    """
    from numpy.polynomial import legendre

    where, moment, to = np.array([[0.0, 0.0, 40.0]]), np.array([[0.0, 0.0, 1.0]]), electrodes().to_numpy()
    total = np.zeros(len(to))
    for n in range(1, 80):
        coefficient = np.zeros(n + 1)
        coefficient[n] = 1
        medium = n * 40.0 ** (n - 1) / 90.0 ** (n + 1) * legendre.legval(to[:, 2], coefficient)
        total += (2 + 1 / n) * medium
    expected = 1e3 * total / (4 * np.pi * 0.3)
    assert dipole_potential(where, moment, to, ONE)[:, 0] == pytest.approx(expected, abs=1e-9)


def test_shell_series_solves_the_boundary_value_problem():
    """Degree by degree: continuity of potential and current at every interface, none through the scalp."""
    head = Head()
    radius, sigma = np.array(head.radius), np.array(head.conductivity)
    depth = 60.0
    to = np.array([[0.0, 0, 1], [0, np.sin(0.7), np.cos(0.7)], [0, 1, 0]])
    expected = np.zeros(3)
    for n in range(1, 110):
        a = np.zeros((7, 7))  # unknowns: r^n in 4 shells, r^-(n+1) in the outer 3, both in units at radius
        rhs = np.zeros(7)
        source = (depth / radius[0]) ** (n - 1) / (4 * np.pi * sigma[0] * radius[0] ** 2)
        for k in range(3):
            up = (radius[k] / radius[k + 1]) ** n
            down = (radius[k + 1] / radius[k]) ** (n + 1)
            a[2 * k, k], a[2 * k, k + 1], a[2 * k, 4 + k] = 1, -up, -down
            a[2 * k + 1, k], a[2 * k + 1, k + 1] = sigma[k] * n, -sigma[k + 1] * n * up
            a[2 * k + 1, 4 + k] = sigma[k + 1] * (n + 1) * down
            if k:
                a[2 * k, 3 + k], a[2 * k + 1, 3 + k] = 1, -sigma[k] * (n + 1)
        rhs[0], rhs[1] = -source, sigma[0] * (n + 1) * source
        a[6, 3], a[6, 6] = n, -(n + 1)
        solution = np.linalg.solve(a, rhs)
        surface = solution[3] + solution[6]
        p = np.polynomial.legendre.Legendre.basis(n)(to[:, 2])
        expected += n * surface * p
    got = dipole_potential([[0, 0, depth]], [[0, 0, 1.0]], to, head)[:, 0]
    assert got == pytest.approx(1e3 * expected, rel=1e-6)


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_reciprocity(seed):
    """Helmholtz: the potential between two electrodes is the field, at the dipole, of a unit current sent
    through them. The interior potential of a current source on a sphere is Neumann's function."""
    where, moment = dipoles(1, seed)
    rng = np.random.default_rng(seed + 1)
    a, b = (90.0 * v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))

    def sent(x):
        def neumann(e):
            d = np.linalg.norm(e - x)
            return 2 / d - np.log((90.0**2 - e @ x + 90.0 * d) / (2 * 90.0**2)) / 90.0

        return (neumann(a) - neumann(b)) / (4 * np.pi * 0.3)

    field = [(sent(where[0] + h) - sent(where[0] - h)) / 2e-3 for h in np.eye(3) * 1e-3]
    between = np.diff(dipole_potential(where, moment, np.array([b, a]), ONE)[:, 0])[0]
    assert between == pytest.approx(1e3 * moment[0] @ field, rel=1e-4, abs=1e-7)


def test_far_field_is_three_times_that_of_the_unbounded_medium():
    """A dipole at the centre: V = 3 p cos(theta) / (4 pi sigma R^2), shells equal."""
    to = electrodes()
    expected = 1e3 * 3 * to["z"].to_numpy() / (4 * np.pi * 0.3 * 90**2)
    for head in (ONE, SAME):
        got = dipole_potential([[0, 0, 0]], [[0, 0, 1]], to, head)[:, 0]
        assert got == pytest.approx(expected, abs=1e-12)
    turned = dipole_potential([[0, 0, 1e-7]], [[1, 0, 0]], to, SAME)[:, 0]
    assert turned == pytest.approx(1e3 * 3 * to["x"] / (4 * np.pi * 0.3 * 90**2), abs=1e-9)


def test_potential_turns_with_the_head():
    rng = np.random.default_rng(4)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    where, moment = dipoles(5, 2)
    to = electrodes().to_numpy()
    turned = dipole_potential(where @ rotation, moment @ rotation, to @ rotation)
    assert turned == pytest.approx(dipole_potential(where, moment, to), abs=1e-9)


def test_potential_has_no_mean_over_the_sphere():
    golden = np.pi * (1 + 5**0.5) * np.arange(4000)
    z = 1 - (2 * np.arange(4000) + 1) / 4000
    to = np.column_stack([np.cos(golden) * np.sqrt(1 - z**2), np.sin(golden) * np.sqrt(1 - z**2), z])
    for head in (ONE, Head()):
        v = dipole_potential(*dipoles(4, 3, 50.0), to, head)
        assert np.abs(v.mean(0)).max() < 1e-4 * np.abs(v).max()


def test_skull_attenuates_and_blurs():
    where, moment = [[0, 0, 76.0]], [[0, 0, 1.0]]
    to = electrodes()
    bare, covered = (dipole_potential(where, moment, to, head)[:, 0] for head in (ONE, Head()))
    at = to.index.get_loc
    assert covered[at("Cz")] < bare[at("Cz")] / 3
    assert covered[at("Fz")] / covered[at("Cz")] > bare[at("Fz")] / bare[at("Cz")]


# --- the montage -----------------------------------------------------------------------------------------


def test_montage():
    place = electrodes()
    assert len(place) == 61
    assert np.linalg.norm(place, axis=1) == pytest.approx(1)
    xyz = {name: row.to_numpy() for name, row in place.iterrows()}
    assert xyz["Cz"] == pytest.approx([0, 0, 1])
    assert xyz["T8"] == pytest.approx([1, 0, 0])
    assert xyz["Fpz"] == pytest.approx([0, 1, 0], abs=1e-12)
    assert xyz["C3"] == pytest.approx([-(0.5**0.5), 0, 0.5**0.5])
    assert np.degrees(np.arccos(xyz["Fp1"] @ xyz["Fpz"])) == pytest.approx(18)
    for left, right in (("F3", "F4"), ("PO7", "PO8"), ("TP7", "TP8"), ("O1", "O2")):
        assert xyz[left] * (-1, 1, 1) == pytest.approx(xyz[right])
    for row in ("F", "P"):  # equal arcs along a row, and the same distance to the midline in front and behind
        steps = [f"{row}7", f"{row}5", f"{row}3", f"{row}1", f"{row}z"]
        arcs = [np.linalg.norm(xyz[a] - xyz[b]) for a, b in pairwise(steps)]
        assert arcs == pytest.approx([arcs[0]] * 4)
    assert xyz["F3"] == pytest.approx(xyz["P3"] * (1, -1, 1))


def test_montage_agrees_with_published_angles():
    """Polar angles of a common cap (Cz 0, C3 46, F3 60, FC1 32, PO3 74, T7 92 degrees, a rim at 92)."""
    polar = np.degrees(np.arccos(electrodes()["z"]))
    for name, angle in {"Cz": 0, "C1": 23, "C3": 46, "F3": 60, "FC1": 32, "PO3": 74, "T7": 92}.items():
        assert polar[name] == pytest.approx(angle, abs=3)


# --- regions to electrodes -------------------------------------------------------------------------------


def test_brain_ellipsoid_fits_the_embedded_surface():
    surface = load_surface()
    vertices = surface.pial[surface.region >= 0]
    size = np.linalg.norm((vertices - BRAIN_CENTRE) / BRAIN_AXES, axis=1)
    assert 0.95 < np.percentile(size, 95) < 1.05
    assert size.max() < 1.1


def test_a_radial_dipole_peaks_over_its_nearest_electrode():
    place = electrodes()
    regions = load_embedded().regions
    field = lead_field(regions, normals=_radial(regions), reference="none")
    position = place_in_sphere(regions[["x", "y", "z"]].to_numpy(), 79.0)
    for k in np.flatnonzero(regions.structure == "cortex"):
        nearest = (place.to_numpy() @ position[k]).argmax()
        assert field.iloc[:, k].idxmax() == place.index[nearest]


def _radial(regions: pd.DataFrame) -> np.ndarray:
    position = place_in_sphere(regions[["x", "y", "z"]].to_numpy(), 1.0)
    return position / np.linalg.norm(position, axis=1, keepdims=True) / BRAIN_AXES


def test_mirror_regions_have_mirror_fields():
    regions = load_embedded().regions.iloc[:2].copy()
    regions.loc[:, ["x", "y", "z"]] = [[-40, -20, 50], [40, -20, 50]]
    field = lead_field(regions, normals=np.array([[-0.5, 0.1, 0.7], [0.5, 0.1, 0.7]]))
    mirrored = {"C3": "C4", "P7": "P8", "AF3": "AF4", "Cz": "Cz"}
    for left, right in mirrored.items():
        assert field.iloc[:, 0][left] == pytest.approx(field.iloc[:, 1][right], rel=1e-3)


def test_references():
    regions = load_embedded().regions
    plain = lead_field(regions, reference="none")
    assert lead_field(regions).sum().to_numpy() == pytest.approx(0, abs=1e-9)
    assert (lead_field(regions, reference="Cz").loc["Cz"] == 0).all()
    between = lambda f: (f.loc["O1"] - f.loc["Fp1"]).to_numpy()  # noqa: E731
    for reference in ("average", "Cz"):
        assert between(lead_field(regions, reference=reference)) == pytest.approx(between(plain))
    with pytest.raises(UserError, match="unknown reference 'Czz'; did you mean"):
        lead_field(regions, reference="Czz")


def test_only_cortex_has_a_dipole_and_cancellation_weakens_it():
    brain, surface = load_embedded(), load_surface()
    field = lead_field(brain.regions)
    cortex = (brain.regions.structure == "cortex").to_numpy()
    assert (field.loc[:, ~cortex] == 0).all(axis=None)
    assert (field.loc[:, cortex].abs().max() > 0).all()
    straight = lead_field(
        brain.regions, normals=surface.normal / np.linalg.norm(surface.normal, axis=1)[:, None]
    )
    weaker = field.abs().max()[cortex] / straight.abs().max()[cortex]
    assert weaker.to_numpy() == pytest.approx(np.linalg.norm(surface.normal, axis=1)[cortex])


def test_occipital_frontal_and_central_regions_reach_their_own_electrodes():
    field = lead_field(load_embedded().regions).abs()
    assert field["L.lateraloccipital"].idxmax()[:1] in "PO"
    assert field["L.precentral"].idxmax() in ("C3", "C1", "FC3", "C5", "FC1")
    assert field["R.rostralmiddlefrontal"].idxmax()[:2] in ("AF", "F4", "F6", "F8", "Fp")


def test_other_brains_are_radial_in_cortex():
    regions = load_embedded().regions.rename(index=lambda name: f"own.{name}")
    field = lead_field(regions)
    assert (field.loc[:, (regions.structure != "cortex").to_numpy()] == 0).all(axis=None)
    assert field["own.L.cuneus"].idxmax() in ("Oz", "POz", "O1", "PO3")
    broken = regions.assign(x=np.nan)
    with pytest.raises(UserError, match=r"region own\.L\.bankssts has no centroid"):
        lead_field(broken)


def test_own_lead_field():
    field = lead_field(load_embedded().regions)
    labels = load_embedded().labels
    assert align_lead_field(field.iloc[:, ::-1], labels).equals(field)
    with pytest.raises(UserError, match=r"no column for region 'L\.bankssts'"):
        align_lead_field(field.iloc[:, 1:], labels)
    with pytest.raises(UserError, match=r"unknown region in the lead field 'L\.bankstss'; did you mean"):
        align_lead_field(field.assign(**{"L.bankstss": 1.0}), labels)
    with pytest.raises(UserError, match=r"lead field \[Fp1, L\.cuneus\]"):
        align_lead_field(field.mask((field.columns == "L.cuneus") & (field.index == "Fp1")[:, None]), labels)
    with pytest.raises(UserError, match="outside the innermost sphere"):
        dipole_potential([[0, 0, 80.0]], [[0, 0, 1.0]], electrodes())


# --- power and synchrony ---------------------------------------------------------------------------------


def test_power_equals_that_of_the_projected_cross_spectrum():
    rng = np.random.default_rng(0)
    response = rng.normal(size=(4, 84, 20)) + 1j * rng.normal(size=(4, 84, 20))
    field = lead_field(load_embedded().regions)
    full = field.to_numpy() @ cross(response) @ field.to_numpy().T
    assert eeg_power(response, field) == pytest.approx(np.einsum("fee->fe", full).real)
    assert cross(eeg_response(response, field)) == pytest.approx(full)
    with pytest.raises(UserError, match="needed"):
        eeg_power(response, field.iloc[:, :50])


def test_a_planted_gamma_contrast_reaches_the_scalp():
    """OS-08: gamma raised by half in the occipital lobe only."""
    brain = load_embedded()
    frequency = np.arange(1.0, 80.0)
    gamma = (frequency >= 30) & (frequency <= 50)
    occipital = brain.regions.dk.isin(["lateraloccipital", "cuneus", "lingual", "pericalcarine"]).to_numpy()
    amplitude = np.tile((1 / np.sqrt(frequency))[:, None], (1, 84))
    raised = amplitude * np.where(gamma[:, None] & occipital, np.sqrt(1.5), 1.0)
    eye = np.eye(84, dtype=complex)
    field = lead_field(brain.regions)
    ratio = pd.DataFrame(
        eeg_power(raised[:, :, None] * eye, field) / eeg_power(amplitude[:, :, None] * eye, field),
        columns=field.index,
    )
    assert (ratio.loc[gamma].min() >= 1).all()
    assert np.allclose(ratio.loc[~gamma], 1)
    behind = ratio.loc[gamma, ["O1", "Oz", "O2", "PO7", "PO8"]].mean(axis=None)
    front = ratio.loc[gamma, ["Fpz", "AFz", "Fz", "F7", "F8"]].mean(axis=None)
    assert behind > 1.25
    assert front < 1.1


def test_gamma_contrast_of_the_model_keeps_its_sign_and_size_on_the_scalp():
    brain = load_embedded()
    healthy = HealthyBrain(BrainModel(brain), Draw(1))
    frequency = np.array([36.0, 40.0, 44.0])
    states = healthy.state, healthy.perturbed([Perturbation("gabaa_pv_conductance", 0.8)])
    weights = drive_weights(healthy.state)
    response = [respond(state.linear, frequency).output(weights) for state in states]
    cortex = (brain.regions.structure == "cortex").to_numpy()
    planted = np.log(power(response[1]).sum(0) / power(response[0]).sum(0))[cortex]
    field = lead_field(brain.regions)
    seen = np.log(eeg_power(response[1], field).sum(0) / eeg_power(response[0], field).sum(0))
    assert abs(planted.mean()) > 0.05
    assert (np.sign(seen) == np.sign(planted.mean())).mean() > 0.9
    assert seen.mean() == pytest.approx(planted.mean(), rel=0.5)


@pytest.mark.parametrize("r", [0.1, 0.5, 0.9, 0.99])
def test_plv_of_gaussian_signals(r):
    rng = np.random.default_rng(7)
    x, y = (rng.normal(size=(2, 400_000)) + 1j * rng.normal(size=(2, 400_000))) / 2**0.5
    y = r * x + (1 - r**2) ** 0.5 * y
    plv = abs(np.mean(np.exp(1j * (np.angle(x) - np.angle(y)))))
    assert plv_from_coherence(r**2) == pytest.approx(plv, abs=4e-3)


def test_plv_is_the_hypergeometric_function_it_stands_for():
    r = np.r_[np.linspace(0, 1, 777), 1 - np.geomspace(1e-12, 1e-2, 50)]
    want = np.pi / 4 * r * hyp2f1(0.5, 0.5, 2.0, r**2)
    np.testing.assert_allclose(plv_from_coherence(r**2), want, atol=1e-6)


def test_plv_limits():
    assert plv_from_coherence(0.0) == 0
    assert plv_from_coherence(1.0) == pytest.approx(1)
    assert plv_from_coherence(1e-8) == pytest.approx(np.pi / 4 * 1e-4)
    grid = plv_from_coherence(np.linspace(0, 1, 50))
    assert (np.diff(grid) > 0).all()
    assert (grid[1:-1] < np.sqrt(np.linspace(0, 1, 50))[1:-1]).all()
    with pytest.raises(UserError, match=r"coherence 1\.2"):
        plv_from_coherence(1.2)


def test_coherence_and_lag_of_a_delayed_copy():
    frequency = np.array([5.0, 10.0, 20.0])
    delay = 8.0
    later = np.exp(-2j * np.pi * frequency * delay * 1e-3)
    one = np.ones(3, complex)
    response = np.stack(
        [np.stack([one, 0 * one], -1), np.stack([later, one], -1)], 1
    )  # second = first + noise
    s = cross(response)
    assert coherence(s)[:, 0, 1] == pytest.approx([0.5] * 3)
    assert coherence(s)[:, 0, 0] == pytest.approx(1)
    assert time_lag(s, 0, 1, frequency) == pytest.approx([delay] * 3)
    assert phase_lag(s, 1, 0) == pytest.approx(-phase_lag(s, 0, 1))


def test_coherence_does_not_depend_on_scale():
    rng = np.random.default_rng(2)
    response = rng.normal(size=(3, 6, 9)) + 1j * rng.normal(size=(3, 6, 9))
    scaled = response * rng.uniform(0.1, 10, (6, 1)) * np.exp(1j * rng.uniform(0, 6, (6, 1)))
    assert coherence(cross(scaled)) == pytest.approx(coherence(cross(response)))
