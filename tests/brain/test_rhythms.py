"""OS-01 on the embedded brain: rhythms stand on their mechanisms and go with them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from synsys.brain.draws import Draw
from synsys.brain.fixed import rest
from synsys.brain.linear import Linearised
from synsys.brain.model import BrainModel
from synsys.brain.spectra import power, respond
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain, State
from synsys.circuit.linear import jacobian
from synsys.circuit.templates import with_background
from synsys.data.embedded import load_embedded

FREQUENCY = np.r_[np.arange(2.0, 62.0), 64, 68, 72]
MEMBERS = (0, 1)


@cache
def model() -> BrainModel:
    return BrainModel(load_embedded())


@cache
def healthy(member: int) -> State:
    return HealthyBrain(model(), Draw(member)).state


def nodes(template: str) -> np.ndarray:
    return np.flatnonzero(model().wiring.nodes.template == template)


def relaxed(state: State, p) -> Linearised:
    """The linear brain with other local numbers at the same healthy rates, its background solved anew."""
    p, _ = with_background(p, state.point.u)
    x, residual = rest(state.point.x[:, 0], p, state.point.u)
    assert np.abs(residual).max() < 1e-9
    return replace(state.linear, jacobian=jacobian(x, p, state.point.u))


def spectrum(system: Linearised, template: str) -> np.ndarray:
    """Mean power of the E potential over regions."""
    wiring = system.wiring
    here = np.isin(wiring.source_node, nodes(template)) & (wiring.source_slot == 0)
    return power(respond(system, FREQUENCY).output(np.eye(len(here))[here])).mean(1)


def bump(p: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Frequency and height (log10) over the chord of its flanks of the highest bump in a band; 0 if none."""
    f, y, best = np.log(FREQUENCY), np.log10(p), (0.0, np.nan)
    for i in np.flatnonzero((f >= np.log(low)) & (f <= np.log(high))):
        if y[i] < max(y[i - 1], y[i + 1]):
            continue
        apart = f - f[i]
        left = np.flatnonzero((apart < 0) & (apart > -np.log(1.6)))
        right = np.flatnonzero((apart > 0) & (apart < np.log(1.6)))
        a, b = left[y[left].argmin()], right[y[right].argmin()]
        chord = np.interp(f[i], [f[a], f[b]], [y[a], y[b]])
        best = max(best, (float(y[i] - chord), float(FREQUENCY[i])))
    return best[1], best[0]


def with_pv(state: State, strength: float = 1.0, decay: float = 1.0) -> Linearised:
    p, here = state.parameters, nodes("cortex")
    g, tau = p.g_fast.copy(), p.tau_fast.copy()
    g[here, :, 1] *= strength
    tau[here, 1] *= decay
    return relaxed(state, replace(p, g_fast=g, tau_fast=tau))


@pytest.mark.parametrize("member", MEMBERS)
def test_healthy_brain_is_stable(member: int) -> None:
    assert stability(healthy(member)).reason == "stable"


@pytest.mark.parametrize("member", MEMBERS)
def test_gamma_slows_with_the_decay_of_pv_inhibition_and_vanishes_without_it(member: int) -> None:
    state = healthy(member)
    peaks = [bump(spectrum(with_pv(state, decay=x), "cortex"), 25, 60) for x in (1.0, 1.4, 2.0)]
    (now, height), (slow, _), (slowest, _) = peaks
    assert 30 <= now <= 50
    assert height > 0.1
    assert now > slow > slowest
    assert bump(spectrum(with_pv(state, strength=0.0), "cortex"), 25, 60)[1] < 0.05


@pytest.mark.parametrize("member", MEMBERS)
def test_theta_of_the_hippocampus_vanishes_without_its_sst_cells(member: int) -> None:
    state = healthy(member)
    frequency, height = bump(spectrum(state.linear, "hippocampus"), 3, 9)
    assert 4 <= frequency <= 8
    assert height > 0.1
    g = state.parameters.g_fast.copy()
    g[nodes("hippocampus"), :, 2] = 0.0
    without = spectrum(relaxed(state, replace(state.parameters, g_fast=g)), "hippocampus")
    assert bump(without, 3, 9)[1] < 0.05


@pytest.mark.parametrize("member", MEMBERS)
def test_alpha_of_cortex_vanishes_without_the_thalamus(member: int) -> None:
    state = healthy(member)
    frequency, height = bump(spectrum(state.linear, "cortex"), 7, 14)
    assert 8 <= frequency <= 13
    assert height > 0.05
    wiring = state.linear.wiring
    silent = np.isin(wiring.source_node, nodes("thalamus"))
    cut = replace(wiring, weights=np.where(silent, 0.0, wiring.weights))
    assert bump(spectrum(replace(state.linear, wiring=cut), "cortex"), 7, 14)[1] < 0.02
