"""What a region does when a task drives it: rates under a stimulus, noise, gain of its own loop.

A task puts conductance onto some populations of a state of rest. Their node then comes to rest anew, with its
own recurrent synapses and currents and the nonlinear rate function; what arrives from other regions stays
that of the state. The stimulus is set in the healthy state of the same draw and passes, in any other state,
through the receptors, spines and long-range strength of that state (`State.coupling`), as every synapse does.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from synsys.brain.carry import variables
from synsys.brain.feedback import signals
from synsys.brain.fixed import rest
from synsys.brain.linear import angular
from synsys.brain.modulation import Modulation
from synsys.brain.noise import noise_power
from synsys.brain.plasticity import probed
from synsys.brain.solution import rate_slope
from synsys.brain.state import State
from synsys.circuit.drift import SLOTS, Parameters, firing
from synsys.circuit.linear import KINDS, LocalJacobian, local_transfer
from synsys.knowledge.load import vocabulary
from synsys.measures.systems import Atlas
from synsys.synapse.probe import Probe

AMPA, NMDA, GABA = range(len(KINDS))
HERTZ = np.array([1, 2, 4, 7, 11, 16, 24, 34, 46, 60, 80, 100.0])
"""Frequencies over which noise is integrated, Hz, as for ``cortical_noise``."""
DOSES = np.r_[0.0, np.geomspace(0.02, 5.0, 13)]
"""Stimuli among which the healthy one is sought, multiples of leak."""
PACE, MOST_STEPS, EXACT = 1.0, 150, 1e-9
"""First implicit step over the membrane time constant; steps; what a potential may still move by, mV."""


@lru_cache(maxsize=4)
def beside_reference(state: State) -> State:
    """A state seen from the healthy reference of its draw: what makes its person differ counts as moved.

    The task is then the same for all people, and learning and receptors are the person's own. A state of the
    reference is returned as it is.
    """
    brain = state.healthy
    if not brain.person:
        return state
    known = Modulation(brain.model.places, brain.densities) if state.carried is None else state.carried.copy()
    for name, factor in brain.person.items():
        if name in variables().at and vocabulary()[name].multiplies:
            known.move(name, np.array(True), np.log(factor))
    return replace(state, carried=known, healthy=brain.reference)


def nodes_of(atlas: Atlas, template: str, where: str = "", channel: str = "") -> np.ndarray:
    """Nodes of a kind in a locus, indices; of one channel if the brain has it there.

    Parameters
    ----------
    atlas : Atlas
    template : str
    where : str, optional
        Locus; everywhere by default.
    channel : str, optional
        Yeo network of a thalamic, striatal or pallidal channel.
    """
    here = atlas.node_template == template
    if where:
        inside = atlas.where(where)
        if inside is None:
            return np.empty(0, int)
        here &= np.where(atlas.node_region >= 0, inside[atlas.node_region], False)
    of = atlas.grid.model.wiring.nodes.channel.to_numpy() == channel
    return np.flatnonzero(here & of if channel and (here & of).any() else here)


def transmission(state: State, nodes: np.ndarray) -> np.ndarray:
    """What a given stimulus brings relative to health: receptors, spines, long-range strength, (3, n, 3)."""
    return state.coupling[:, nodes] / state.healthy.state.coupling[:, nodes]


def driven(state: State, nodes: np.ndarray, extra: np.ndarray) -> np.ndarray:
    """Rates of some nodes under additional conductance, at rest.

    Parameters
    ----------
    state : State
    nodes : ndarray of int, (n,)
    extra : ndarray, (L, 3 kinds, n, 3)
        Conductance in multiples of leak, L stimuli.

    Returns
    -------
    ndarray, (L, n, 3)
        Hz; NaN where a node finds no state of rest.
    """
    many = np.tile(nodes, len(extra))
    u = state.point.u[:, many] + extra.transpose(1, 0, 2, 3).reshape(len(KINDS), len(many), SLOTS)
    p = state.parameters.take(many)
    v = settled(p, u, state.point.x[many, 0])
    return 1e3 * firing(v, p).reshape(len(extra), len(nodes), SLOTS)


def settled(p: Parameters, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Potentials at which nodes come to rest, each on its own; NaN where one does not.

    Implicit steps in pseudo-time from `v` that grow as the residual falls (Kelley & Keyes 1998, SIAM J Numer
    Anal 35:508), so that each ends where its flow leads.

    Parameters
    ----------
    p : Parameters
        (n, 3).
    u : ndarray, (3, n, 3)
        Arriving conductance.
    v : ndarray, (n, 3)
        mV.
    """
    v, out = v.copy(), np.full(v.shape, np.nan)
    left, pace, before = np.arange(len(v)), np.full(len(v), PACE), np.full(len(v), np.inf)
    along = np.zeros((SLOTS + 1, 1, SLOTS), complex)
    along[range(1, SLOTS + 1), 0, range(SLOTS)] = 1e-30j
    for _ in range(MOST_STEPS):
        found = rest(v[left] + along, p.take(left), u[:, left])[1]
        f, slope = found[0].real, np.moveaxis(found[1:].imag / 1e-30, 0, -1)
        size = np.abs(f).max(1)
        done = size < EXACT
        out[left[done]] = v[left[done]]
        pace = np.minimum(pace * np.clip(before / np.maximum(size, 1e-300), 0.25, 4.0), 1e9)
        left, f, slope, pace, before = left[~done], f[~done], slope[~done], pace[~done], size[~done]
        if not len(left):
            break
        step = np.linalg.solve(np.eye(SLOTS) / pace[:, None, None] - slope, f[..., None])[..., 0]
        v[left] += step * np.minimum(1.0, 4.0 / np.abs(step).max(1, keepdims=True))
    return out


def afferents(state: State, nodes: np.ndarray, slot: int) -> np.ndarray:
    """Pattern of a glutamatergic stimulus onto one population, AMPA : NMDA as in its long-range input.

    Scaled to AMPA + NMDA = 1 in each node, in health; (3, n, 3).
    """
    out = np.zeros((len(KINDS), len(nodes), SLOTS))
    arriving = state.healthy.state.point.u[:, nodes, slot]
    total = arriving[AMPA] + arriving[NMDA]
    known = total > 0
    out[AMPA, :, slot] = np.where(known, arriving[AMPA] / np.where(known, total, 1.0), 0.5)
    out[NMDA, :, slot] = 1.0 - out[AMPA, :, slot]
    return out


def size_for(doses: np.ndarray, response: np.ndarray, wanted: float) -> float:
    """Dose at which a response first reaches `wanted`, by linear interpolation; NaN if it never does."""
    sign = np.sign(wanted - response[0])
    past = np.flatnonzero(sign * (response - wanted) >= 0)
    if not len(past) or not np.isfinite(response[past[0]]):
        return float("nan")
    i = past[0]
    if i == 0:
        return float(doses[0])
    part = (wanted - response[i - 1]) / (response[i] - response[i - 1])
    return float(doses[i - 1] + part * (doses[i] - doses[i - 1]))


def stimulus_for(state: State, nodes: np.ndarray, slot: int, fold: float) -> np.ndarray:
    """Stimulus that multiplies the healthy rate of a population by `fold`, (3 kinds, n, 3).

    One size for all nodes, so that differences between them stay; NaN where no stimulus does.
    """
    return _stimulus(state.healthy.state, tuple(nodes), slot, fold)[0]


@lru_cache(maxsize=32)
def _stimulus(
    healthy: State, nodes: tuple[int, ...], slot: int, fold: float
) -> tuple[np.ndarray, np.ndarray]:
    """That stimulus, and the healthy rates without and with it."""
    at = np.array(nodes)
    pattern = afferents(healthy, at, slot)
    rates = driven(healthy, at, DOSES[:, None, None, None] * pattern)[:, :, slot].mean(1)
    stimulus = size_for(DOSES, rates / rates[0], fold) * pattern
    return stimulus, _rates(healthy, at, slot, stimulus)


def _rates(state: State, nodes: np.ndarray, slot: int, stimulus: np.ndarray) -> np.ndarray:
    """Mean rate of a population without and with a stimulus, Hz."""
    extra = np.stack([0 * stimulus, stimulus * transmission(state, nodes)])
    return driven(state, nodes, extra)[:, :, slot].mean(1)


def evoked(state: State, nodes: np.ndarray, slot: int, fold: float) -> float:
    """Rise of a rate under the stimulus that multiplies it by `fold` in health, 1 in health."""
    stimulus, healthy = _stimulus(state.healthy.state, tuple(nodes), slot, fold)
    rates = _rates(state, nodes, slot, stimulus)
    return float((rates[1] - rates[0]) / (healthy[1] - healthy[0]))


def signal(state: State, nodes: np.ndarray, fold: float = 1.25) -> float:
    """What cells that fire to a stimulus alone send on: rise of the E rate times release, 1 in health."""
    return evoked(state, nodes, 0, fold) * _release(state, nodes)


def output(state: State, nodes: np.ndarray, fold: float = 1.25) -> float:
    """All that E cells send on while a stimulus drives them: rate times release, 1 in health."""
    stimulus, healthy = _stimulus(state.healthy.state, tuple(nodes), 0, fold)
    return float(_rates(state, nodes, 0, stimulus)[1] / healthy[1]) * _release(state, nodes)


def _release(state: State, nodes: np.ndarray) -> float:
    return float(
        (state.parameters.release[nodes, 0] / state.healthy.state.parameters.release[nodes, 0]).mean()
    )


def noise_sd(state: State, nodes: np.ndarray, slot: int) -> float:
    """Standard deviation of the rate of a population from the background of its node, 1-100 Hz, Hz."""
    system, jac = state.linear, state.linear.jacobian
    part = replace(
        system,
        jacobian=LocalJacobian(jac.full[nodes], jac.input_v[nodes], jac.input_c[nodes]),
        noise=system.noise[:, nodes],
        slow=system.slow[nodes],
    )
    omega, at = angular(HERTZ), np.arange(len(nodes))
    power = noise_power(part, local_transfer(part.jacobian, omega), omega, at, 0 * at + slot)
    variance = 2 * np.trapezoid(power, HERTZ, axis=0)
    return float((np.sqrt(variance) * rate_slope(state)[nodes, slot]).mean())


def amplification(state: State, nodes: np.ndarray) -> float:
    """Static answer of E cells to input, over what it would be without their synapses onto one another.

    1 / (1 - J) of a recurrent network with loop gain J, the disynaptic inhibition that it calls up included.
    """
    jac = state.linear.jacobian
    own = jac.full[nodes].copy()
    shape = own.shape[0], own.shape[1] // SLOTS, SLOTS, own.shape[2] // SLOTS, SLOTS
    alone = own.copy().reshape(shape)
    alone[:, 0, 0, 1:3, 0] = 0.0  # fast and slow synapses of E onto E
    alone[:, 5, 0, 2, 0] = 0.0  # and the calcium that they bring
    low = np.array([1e-9])

    def gain(full: np.ndarray) -> np.ndarray:
        local = local_transfer(LocalJacobian(full, jac.input_v[nodes], jac.input_c[nodes]), low)
        return np.asarray(local.inv[0, :, 0, 0].real)

    return float((gain(own) / gain(alone.reshape(own.shape))).mean())


def brought(state: State, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Conductance that the E cells of some nodes bring to others at rest, (3 kinds, targets, 3)."""
    wiring = state.healthy.wiring
    gates = wiring.gates(state.point.x).copy()
    keep = np.zeros(gates.shape, bool)
    keep[sources, :, 0] = True
    gates[~keep] = 0.0
    return (state.coupling * wiring.collect(gates))[:, targets]


def plasticity(state: State, nodes: np.ndarray) -> dict[str, float]:
    """Folds of health of what standard protocols would do to synapses of some nodes (`brain.plasticity`).

    ``ltp`` (lasting), ``ltp_early`` (right after the protocol), ``ltd``.
    """
    found = _probed(state)
    return {name: float(getattr(found, name)[nodes].mean()) for name in ("ltp", "ltp_early", "ltd")}


@lru_cache(maxsize=4)
def _probed(state: State) -> Probe:
    return probed(state, signals(state.averages, state.healthy.averages))


def rate_of_learning(rate: float, fold: float) -> float:
    """Learning rate of synapses that learn `fold` times as readily, 1 - (1 - rate)^fold, in 0..1."""
    return float(rate if fold == 1.0 else 1.0 - (1.0 - rate) ** max(fold, 0.0))
