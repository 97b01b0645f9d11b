"""From the circuit to inference: measures of named regions set precision, learning rates and decision noise.

A row of kind ``inference`` in ``links.csv`` leads from a measure of the solved circuit (`MEASURES`), relative
to health and averaged over the nodes of `source_where`, to a parameter of inference:

    log(parameter / health) = sum over rows of k <log(measure / health)>       (law ``power``)

(for `tonic_volatility`, a logarithm itself, the difference from health). A user may also set a parameter.
Contradictory findings are rows of different alternatives; one of each question holds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from weakref import WeakKeyDictionary

import numpy as np

from synsys.brain.linear import angular
from synsys.brain.noise import noise_power
from synsys.brain.solution import rate_slope
from synsys.brain.state import State
from synsys.circuit.drift import E_GLU, block
from synsys.circuit.linear import local_transfer
from synsys.core.errors import UserError, unknown
from synsys.knowledge.mechanisms import Alternative, Link, alternatives, inference_links

FREQUENCIES = np.array([1, 2, 4, 7, 11, 16, 24, 34, 46, 60, 80, 100.0])
"""Where power of the noise is taken, Hz; its integral is the variance of the noise."""


@dataclass(frozen=True)
class Inference:
    """Parameters of inference of one state, relative to health.

    Attributes
    ----------
    sensory_precision, prior_precision : float
        Precision given to the senses (low level) and to prior beliefs (high level), factors on health.
    sensory_noise : float
        Variance that the senses add, factor on health.
    tonic_volatility : float
        Difference from health of the tonic log volatility (omega) of beliefs.
    inverse_temperature : float
        How closely choices follow values, factor on health.
    reward_learning_rate, punishment_learning_rate : float
        Factors on health.
    reward_gain : float
        Subjective size of rewards, factor on health.
    threat_prior_precision : float
        Factor on health.
    prior_bias : float
        How far prior expectations lie below health, in sd of outcomes.
    """

    sensory_precision: float = 1.0
    prior_precision: float = 1.0
    sensory_noise: float = 1.0
    tonic_volatility: float = 0.0
    inverse_temperature: float = 1.0
    reward_learning_rate: float = 1.0
    punishment_learning_rate: float = 1.0
    reward_gain: float = 1.0
    threat_prior_precision: float = 1.0
    prior_bias: float = 0.0


PARAMETERS = tuple(f.name for f in fields(Inference))
ADDITIVE = ("tonic_volatility", "prior_bias")
"""Parameters that differ from health by a difference, not by a factor."""


def chosen(names: Iterable[str] = ()) -> tuple[Alternative, ...]:
    """One alternative of each question: the named one, else the default.

    Raises
    ------
    UserError
        For an unknown name, or two answers to one question.
    """
    known = {row.name: row for row in alternatives()}
    picked: dict[str, Alternative] = {}
    for name in names:
        if name not in known:
            raise unknown("alternative of inference", name, known)
        other = picked.setdefault(known[name].question, known[name])
        if other.name != name:
            raise UserError(f"{other.name} and {name} answer the same question ({other.question}); give one")
    default = {row.question: row for row in alternatives() if row.default}
    return tuple({**default, **picked}.values())


def rows(names: Iterable[str] = ()) -> tuple[Link, ...]:
    """Rows that hold under the chosen alternatives."""
    held = {"", *(row.name for row in chosen(names))}
    return tuple(link for link in inference_links() if link.alternative in held)


def _gain(state: State) -> np.ndarray:
    """Static change of the firing of principal cells per unit of excitatory conductance that they receive."""
    static = local_transfer(state.linear.jacobian, np.array([1e-9]))
    return np.asarray(static.transfer[0, :, 0, 0, 0].real * rate_slope(state)[:, 0])


def _response(state: State) -> np.ndarray:
    """The same for conductance that excites principal cells and interneurons alike."""
    static = local_transfer(state.linear.jacobian, np.array([1e-9]))
    return np.asarray(static.transfer[0, :, 0, 0, :2].real.sum(-1) * rate_slope(state)[:, 0])


def _nmda_share(state: State) -> np.ndarray:
    """NMDA share of the excitatory conductance of principal cells."""
    p, x, u = state.parameters, state.point.x, state.point.u
    v, exc = x[:, 0, 0], p.glutamate
    ampa = (p.g_fast[:, 0] * exc * x[:, 1]).sum(1) + p.b_ampa[:, 0] + u[0, :, 0]
    nmda = ((p.g_slow[:, 0] * exc * x[:, 2]).sum(1) + p.b_nmda[:, 0] + u[1, :, 0]) * block(v)
    return np.asarray(nmda / np.where(ampa + nmda > 0, ampa + nmda, np.nan)) * (v < E_GLU)


def _noise(state: State) -> np.ndarray:
    """Variance of the potential of principal cells from the noise of their own region, mV^2."""
    omega, nodes = angular(FREQUENCIES), np.arange(len(state.parameters.tau))
    power = noise_power(state.linear, local_transfer(state.linear.jacobian, omega), omega, nodes, 0 * nodes)
    return np.asarray(2 * np.trapezoid(power, FREQUENCIES, axis=0))


def _tone(name: str) -> Callable[[State], np.ndarray]:
    def tone(state: State) -> np.ndarray:
        """Tone of a transmitter relative to the reference, its healthy spread included."""
        value = np.ones(len(state.parameters.tau))
        if name in state.healthy.person:
            value = value * state.healthy.person[name][:, 0]
        if state.carried is not None:
            value = value * state.carried.value(name)[:, 0]
        return value

    return tone


MEASURES: dict[str, Callable[[State], np.ndarray]] = {
    "synaptic_gain": _gain,
    "response_gain": _response,
    "nmda_share": _nmda_share,
    "noise": _noise,
    "firing": lambda state: state.rates[:, 0],
    "dopamine_tone": _tone("dopamine_tone"),
    "noradrenaline_tone": _tone("noradrenaline_tone"),
    "serotonin_level": _tone("serotonin_level"),
    "acetylcholine_tone": _tone("acetylcholine_tone"),
}
"""Measures of every node, positive, by the names that rows of inference use as sources."""
_KNOWN: "WeakKeyDictionary[State, dict[str, np.ndarray]]" = WeakKeyDictionary()


def measure(state: State, name: str) -> np.ndarray:
    """A measure of every node, (N,); computed once for each state."""
    known = _KNOWN.setdefault(state, {})
    if name not in known:
        known[name] = MEASURES[name](state)
    return known[name]


def relative(state: State, name: str, where: tuple[str, ...]) -> float | None:
    """Mean over nodes of the logarithm of a measure relative to health; None if this brain has no such place.

    Parameters
    ----------
    state : State
        Compared with the healthy reference of the same draw.
    name : str
        Of `MEASURES`.
    where : tuple of str
        Loci, networks or templates.
    """
    places = state.healthy.model.places
    here = places.mask((), where)[:, 0]
    if not here.any():
        return None
    reference = state.healthy.reference.state
    now, health = measure(state, name)[here], measure(reference, name)[here]
    known = (now > 0) & (health > 0)
    return float(np.log(now[known] / health[known]).mean()) if known.any() else None


def inference(state: State) -> Inference:
    """Parameters of inference of a state, with the strengths and the alternatives of its draw."""
    draw = state.healthy.draw
    total = {name: given(state, name) for name in PARAMETERS}
    for link in rows(draw.alternative):
        moved = relative(state, link.source, link.source_where)
        if moved:
            k = draw.strength.get(link.id, link.strength)
            total[link.target] += k * (moved if link.law == "power" else np.expm1(moved))
    return Inference(**{n: v if n in ADDITIVE else float(np.exp(v)) for n, v in total.items()})


def located(state: State) -> frozenset[str]:
    """Parameters that the circuit of this brain can move: it has regions of a row that leads to them."""
    places = state.healthy.model.places
    links = rows(state.healthy.draw.alternative)
    return frozenset(link.target for link in links if places.mask((), link.source_where)[:, 0].any())


def given(state: State, name: str) -> float:
    """How far a parameter itself was set: the logarithm of a factor, or a difference; 0 if it was not."""
    if state.moved is None or not state.moved.changed(name):
        return 0.0
    return float(state.moved.moved(name).mean())


def sources_of(parameter: str, alternative: Iterable[str] = ()) -> frozenset[str]:
    """Measures of the circuit from which rows lead to a parameter."""
    return frozenset(link.source for link in rows(alternative) if link.target == parameter)
