"""The linear solution with everything eliminated equals the dense solution with nothing eliminated."""

from dataclasses import replace

import numpy as np
import pytest
from oracle import ALL_KINDS, CORTEX, PAIRED, dense_cross, healthy, part

from synsys.brain.draws import Draw
from synsys.brain.linear import DelayedWeights, angular
from synsys.brain.model import BrainModel
from synsys.brain.spectra import cross, power, respond
from synsys.brain.state import HealthyBrain
from synsys.brain.statistical import population_power
from synsys.core.perturbation import Perturbation

FREQUENCY = np.array([0.05, 2.0, 10.0, 37.0, 90.0])


def flat(wiring) -> np.ndarray:
    return wiring.source_node * 3 + wiring.source_slot


@pytest.mark.parametrize("noise", ["healthy", "shared", "uneven"])
def test_spectra_with_delays_and_basal_ganglia_equal_the_dense_solution(noise: str) -> None:
    system = healthy().state.linear
    assert len(system.wiring.loops) > 1
    if noise == "shared":
        system = replace(system, shared=0.7, exponent=1.4, slow=system.slow * 10)
    if noise == "uneven":
        rng = np.random.default_rng(0)
        system = replace(
            system, noise=system.noise * rng.lognormal(0, 1, system.noise.shape),
            coupling=system.coupling * rng.lognormal(0, 0.2, system.coupling.shape),
            speed=rng.uniform(0.5, 2.0, len(system.speed)),
        )  # fmt: skip
    response = respond(system, FREQUENCY)
    spectrum = cross(response.output(np.eye(len(system.wiring.source_node))))
    at = flat(system.wiring)
    for k, hertz in enumerate(FREQUENCY):
        want = dense_cross(system, hertz)[np.ix_(at, at)]
        assert np.abs(spectrum[k] - want).max() < 1e-9 * np.abs(want).max()
        size = np.sqrt(np.diag(want).real)
        assert (np.abs(spectrum[k] - want) / np.outer(size, size)).max() < 1e-8


def test_loops_of_unequal_size_and_reach_equal_the_dense_solution() -> None:
    # Two thalamic regions on the left, so that loops reach two sources; none on the right: they reach none.
    brain = part([*CORTEX[:3], "L.thalamus", "L.hippocampus", "L.caudate", "L.pallidum", "R.putamen"])
    structure = brain.regions.structure.where(brain.regions.index != "L.hippocampus", "thalamus")
    brain = replace(brain, regions=brain.regions.assign(structure=structure))
    system = HealthyBrain(BrainModel(brain), Draw(None)).state.linear
    assert {len(members) for members in system.wiring.loops} == {2, 5}
    assert {len(x) for group in system.wiring.loop_groups for _, _, x in group} == {0, 2}
    weights = np.eye(len(system.wiring.source_node))
    response = respond(system, FREQUENCY)
    spectrum, at = cross(response.output(weights)), flat(system.wiring)
    for k, hertz in enumerate(FREQUENCY):
        want = dense_cross(system, hertz)[np.ix_(at, at)]
        assert np.abs(spectrum[k] - want).max() < 1e-9 * np.abs(want).max()
        np.testing.assert_allclose(response.power(weights)[k], np.diag(want).real, rtol=1e-9)


def test_power_of_every_population_equals_the_dense_solution() -> None:
    system = healthy().state.linear
    got = population_power(system, FREQUENCY)
    for k, hertz in enumerate(FREQUENCY):
        want = np.diag(dense_cross(system, hertz)).real
        np.testing.assert_allclose(got[k].ravel(), want, rtol=1e-8)


def test_cross_spectra_are_hermitian_and_positive() -> None:
    response = respond(healthy().state.linear, FREQUENCY)
    spectrum = cross(response.output(np.eye(len(healthy().model.wiring.source_node))))
    np.testing.assert_allclose(spectrum, spectrum.conj().swapaxes(1, 2), atol=0)
    least = np.linalg.eigvalsh(spectrum).min(-1)
    assert (least > -1e-12 * np.abs(spectrum).max((1, 2))).all()
    assert np.diagonal(spectrum, axis1=1, axis2=2).real.min() > 0


def test_without_coupling_private_noise_leaves_regions_independent() -> None:
    system = replace(healthy().state.linear, shared=0.0)
    cut = replace(system, coupling=0.0 * system.coupling)
    n = len(system.wiring.source_node)
    spectrum = cross(respond(cut, FREQUENCY).output(np.eye(n)))
    node = system.wiring.source_node
    other = node[:, None] != node[None]
    assert np.abs(spectrum[:, other]).max() == 0.0
    assert np.abs(cross(respond(system, FREQUENCY).output(np.eye(n)))[:, other]).min(0).max() > 0


def test_common_input_alone_makes_uncoupled_regions_fully_coherent() -> None:
    system = healthy(PAIRED).state.linear
    system = replace(system, shared=1.0, coupling=0.0 * system.coupling, noise=0.0 * system.noise)
    driven = np.flatnonzero(system.slow[system.wiring.source_node, system.wiring.source_slot] > 0)
    spectrum = cross(respond(system, FREQUENCY).output(np.eye(len(system.wiring.source_node))[driven]))
    size = np.sqrt(np.einsum("fii->fi", spectrum).real)
    np.testing.assert_allclose(np.abs(spectrum) / (size[:, :, None] * size[:, None]), 1.0, rtol=1e-9)


def test_power_grows_as_the_square_of_noise_amplitude() -> None:
    brain = healthy(PAIRED)
    louder = brain.perturbed([Perturbation("noise_amplitude", 3.0)])
    weights = np.eye(len(brain.model.wiring.source_node))
    system = replace(brain.state.linear, slow=0.0 * brain.state.linear.slow)
    loud = replace(louder.linear, slow=0.0 * system.slow)
    ratio = power(respond(loud, FREQUENCY).output(weights)) / power(
        respond(system, FREQUENCY).output(weights)
    )
    np.testing.assert_allclose(ratio, 9.0, rtol=1e-9)


def test_slow_input_has_the_declared_exponent() -> None:
    system = healthy(PAIRED).state.linear
    f = np.array([0.01, 0.02])  # conductance to potential is flat there
    system = replace(system, noise=0.0 * system.noise, coupling=0.0 * system.coupling, exponent=1.3)
    got = power(respond(system, f).output(np.eye(len(system.wiring.source_node))[:4]))
    np.testing.assert_allclose(got[0] / got[1], 2**1.3, rtol=0.02)


def test_weighted_output_is_the_weighted_sum_of_sources() -> None:
    response = respond(healthy().state.linear, FREQUENCY)
    n = len(healthy().model.wiring.source_node)
    weights = np.random.default_rng(1).standard_normal((3, n))
    want = weights @ response.output(np.eye(n))
    np.testing.assert_allclose(response.output(weights), want, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(response.power(weights), power(want), rtol=1e-10)


@pytest.mark.parametrize("index", [slice(1, 3), np.array([0, 4])])
def test_power_is_that_of_the_response_at_any_of_the_frequencies(index) -> None:
    # among them rows of one source, of several, of loops, of nothing
    response = respond(healthy().state.linear, FREQUENCY)
    n = len(healthy().model.wiring.source_node)
    weights = np.concatenate([2.0 * np.eye(n), np.eye(n) + np.eye(n, k=1), np.zeros((1, n))])
    some = response.part(index)
    np.testing.assert_allclose(some.output(weights), response.output(weights)[index], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(some.power(weights), power(response.output(weights))[index], rtol=1e-10)


def test_prepared_weights_change_nothing() -> None:
    system = healthy().state.linear
    delayed = DelayedWeights(system.wiring, angular(FREQUENCY), system.speed)
    for _ in range(2):
        assert (respond(system, FREQUENCY, delayed).core == respond(system, FREQUENCY).core).all()


def test_slower_axons_turn_phase_and_leave_uncoupled_power() -> None:
    system = healthy(PAIRED).state.linear
    slow = replace(system, speed=0.5 * system.speed)
    cut = replace(system, coupling=0.0 * system.coupling)
    cut_slow = replace(slow, coupling=cut.coupling)
    weights = np.eye(len(system.wiring.source_node))
    assert (respond(cut, FREQUENCY).core == respond(cut_slow, FREQUENCY).core).all()
    a, b = (cross(respond(x, FREQUENCY).output(weights))[3] for x in (system, slow))
    assert np.abs(np.angle(a / b)).max() > 0.05


def test_all_kinds_of_structure_are_covered() -> None:
    assert set(healthy(ALL_KINDS).model.wiring.nodes.template) == {
        "cortex", "hippocampus", "amygdala", "thalamus", "striatum", "pallidum", "cerebellum", "brainstem",
    }  # fmt: skip
