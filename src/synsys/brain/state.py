"""A brain in one state: healthy or perturbed parameters, operating point, Jacobian."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.fixed import OperatingPoint, arriving, fixed_point, rest
from synsys.brain.linear import Linearised
from synsys.brain.modulation import Modulation, Places
from synsys.brain.noise import TAU_NOISE
from synsys.brain.wiring import Wiring, build_wiring
from synsys.circuit.calibration import member
from synsys.circuit.drift import SLOTS, Parameters, inverse_firing, steady_gates
from synsys.circuit.linear import KINDS, jacobian
from synsys.circuit.templates import cells, healthy, with_background
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import maps, receptors

UNIT_NOISE = 0.03
"""Conductance of one background event averaged over a region, multiples of leak (declared).

The sd of E potentials from 1 to 100 Hz is then about 1 mV; what each member reaches is in its table.
"""
SLOW_INPUT = 0.02
"""Amplitude of the 1/f AMPA conductance at 1 Hz, multiples of leak per sqrt(Hz) (declared)."""
SLOW_TEMPLATES = ("cortex", "hippocampus", "amygdala", "thalamus")
THRESHOLD_SLOPE = 5.0
"""k in theta = theta_0 - k ln g_Na, mV (Platkiewicz & Brette 2010 PLoS Comput Biol 6:e1000850: 4-6 mV)."""
LEAST_DECAY = 0.3
"""Slowest acceptable local mode, 1/s; the ERG gate alone decays with 0.5/s (declared)."""
MOST_TEMPERING = 6
SPINY = ("E", "D1", "D2")
"""Populations whose excitatory synapses sit on spines."""


@dataclass(frozen=True, eq=False)
class State:
    """A brain at rest.

    Attributes
    ----------
    parameters : Parameters
    coupling : ndarray, (3 kinds, N, 3)
    point : OperatingPoint
    noise : ndarray, (3 kinds, N, 3)
        Intensity of background shot noise.
    slow : ndarray, (N, 3)
        Factor on the slow 1/f input: it arrives through AMPA receptors.
    speed : ndarray, (N,)
        Relative conduction speed.
    vascular : ndarray, (N,)
        Relative neurovascular coupling.
    modulation : Modulation or None
        Values of the changed variables; None in health.
    healthy : HealthyBrain
    """

    parameters: Parameters
    coupling: np.ndarray
    point: OperatingPoint
    noise: np.ndarray
    slow: np.ndarray
    speed: np.ndarray
    vascular: np.ndarray
    modulation: Modulation | None
    healthy: "HealthyBrain"

    @cached_property
    def linear(self) -> Linearised:
        """Linearisation at the operating point."""
        draw = self.healthy.draw
        jac = jacobian(self.point.x, self.parameters, self.point.u)
        return Linearised(
            jac, self.healthy.model.wiring, self.coupling, self.noise,
            self.slow * self.healthy.model.slow * draw.slow, draw.shared, draw.exponent, self.speed,
        )  # fmt: skip

    @cached_property
    def rates(self) -> np.ndarray:
        """Firing rates, Hz, (N, 3)."""
        return self.point.rates(self.parameters)


class BrainModel:
    """A connectome made into a model: nodes, wiring, regional maps.

    Parameters
    ----------
    brain : Connectome
    """

    def __init__(self, brain: Connectome) -> None:
        self.brain = brain
        self.wiring: Wiring = build_wiring(brain)
        self.places = Places(self.wiring, brain.regions)
        self._templates: dict[int, Parameters] = {}

    @cached_property
    def slot_mask(self) -> dict[str, np.ndarray]:
        """Populations by kind, bool (N, 3): every cell name, plus ``glutamate``, ``gaba``, ``spiny``."""
        template = self.wiring.nodes.template
        names = np.array(
            [[cells()[t][a] if a < len(cells()[t]) else "" for a in range(SLOTS)] for t in template]
        )
        out = {str(c): names == c for c in np.unique(names) if c}
        out["spiny"] = np.isin(names, SPINY)
        return out

    @cached_property
    def with_pv(self) -> np.ndarray:
        """Nodes that have PV cells, bool (N, 1)."""
        return np.asarray(self.slot_mask["PV"].any(1, keepdims=True))

    @cached_property
    def slow(self) -> np.ndarray:
        """Amplitude of the 1/f input onto each population, (N, 3)."""
        here = self.wiring.nodes.template.isin(SLOW_TEMPLATES).to_numpy()
        return np.where(here[:, None] & (np.arange(SLOTS) < 2), SLOW_INPUT, 0.0)

    def template(self, k: int) -> tuple[Parameters, np.ndarray]:
        """Parameters of calibration member `k` before maps, and its factors on arriving conductance."""
        if k not in self._templates:
            factors = {name: np.exp(v) for name, v in member(k).items()}
            p = healthy(list(self.wiring.nodes.template), factors)
            scale = np.ones((len(KINDS), len(self.wiring.nodes), SLOTS))
            for kind, receptor in enumerate(KINDS):
                for t in set(self.wiring.nodes.template):
                    here = (self.wiring.nodes.template == t).to_numpy()
                    scale[kind, here] = factors.get(f"{t}.*<-*:{receptor}", 1.0)
            self._templates[k] = p, scale  # type: ignore[assignment]
        return self._templates[k]  # type: ignore[return-value]

    def z_map(self, name: str) -> np.ndarray | None:
        """Regional map as z scores on nodes, (N,); 0 where missing, None if the brain lacks the map.

        Cortex and the rest are standardised apart, because expression is normalised apart.
        """
        if name not in self.brain.maps.columns:
            return None
        values = self.brain.maps[name].to_numpy(float)
        cortex = (self.brain.regions.structure == "cortex").to_numpy()
        z = np.zeros(len(values))
        for part in (cortex, ~cortex):
            known = part & np.isfinite(values)
            if known.sum() >= 3 and np.std(values[known]) > 0:
                z[known] = (values[known] - values[known].mean()) / np.std(values[known])
        if not z.any():
            return None
        region = self.wiring.nodes.region.to_numpy()
        return np.where(region >= 0, z[region], 0.0)

    def regional(self, draw: Draw) -> dict[str, np.ndarray]:
        """Healthy regional factor of each mapped variable, (N, 3)."""
        out: dict[str, np.ndarray] = {}
        for name in dict.fromkeys(m.multiplier for m in maps()):
            rows = [m for m in maps() if m.multiplier == name and self.z_map(m.map) is not None]
            chosen = [m for m in rows if m.preferred] or rows[:1]
            for m in chosen:
                z = self.z_map(m.map)
                factor = np.maximum(1 + draw.beta.get((m.multiplier, m.map, m.cell), m.beta) * z, 0.2)  # type: ignore[operator]
                here = self.places.mask(m.cell, ())
                out[name] = out.get(name, np.ones((len(z), SLOTS))) * np.where(here, factor[:, None], 1.0)  # type: ignore[arg-type]
        return out


class HealthyBrain:
    """The healthy state of one draw, from which perturbed states follow.

    Parameters
    ----------
    model : BrainModel
    draw : Draw
        Where maps would leave a region without a stable local state, its deviation from the template is
        halved until it has one; `tempered` lists these nodes, `rebalanced` those whose inhibition was raised.
    person : mapping of str to ndarray (N, 3), optional
        One healthy person's factors on conductances. They act before the background is solved for, so
        the person holds the healthy rates with other conductances.
    """

    def __init__(self, model: BrainModel, draw: Draw, person: Mapping[str, np.ndarray] | None = None) -> None:
        self.model, self.draw = model, draw
        self.tempered = np.zeros(len(model.wiring.nodes), bool)
        bare, scale = model.template(draw.member)
        self._regional = model.regional(draw)
        factors = {k: v for k, v in self._regional.items() if k not in _densities()}
        for name, factor in (person or {}).items():
            factors[name] = factors.get(name, 1.0) * factor
        for _ in range(MOST_TEMPERING):
            p, coupling = _apply(bare, scale, factors, model.slot_mask)
            v = inverse_firing(p.rate, p)
            u = arriving(steady_gates(v, p), model.wiring, coupling)
            p, self.rebalanced = with_background(p, u, model.with_pv)
            x, residual = rest(v, p, u)
            fragile = decay(x, p, u) < LEAST_DECAY
            if not fragile.any():
                break
            self.tempered |= fragile
            for name, value in factors.items():
                healthy_value = 1.0 if vocabulary()[name].multiplies else 0.0
                factors[name] = np.where(
                    fragile[:, None], healthy_value + 0.5 * (value - healthy_value), value
                )
        self.noise = _noise(p, draw.noise_ratio)
        point = OperatingPoint(x, u, float(np.abs(residual).max()), True)
        one = np.ones(len(v))
        self.state = State(p, coupling, point, self.noise, np.ones(v.shape), one, one, None, self)

    def perturbed(self, changes: Sequence[Perturbation], sized: bool = True) -> State:
        """The state that follows from perturbations.

        Parameters
        ----------
        changes : sequence of Perturbation
        sized : bool
            Whether the prior on each size is sampled (by the draw) or left at its mean.
        """
        if not changes:
            return self.state
        density = {k: v for k, v in self._regional.items() if k in _densities()}
        modulation = Modulation(self.model.places, density)
        if len(changes) > len(self.draw.size):
            raise UserError(
                f"{len(changes)} perturbations at once; at most {len(self.draw.size)} are accepted"
            )
        for change, z in zip(changes, self.draw.size, strict=False):
            modulation.perturb(change, float(z) if sized else 0.0)
        modulation.propagate(self.draw.strength)
        return self.with_modulation(modulation)

    def with_modulation(self, modulation: Modulation) -> State:
        """The state under given values of variables."""
        base = self.state
        values = {name: modulation.value(name) for name in modulation.touched if name in vocabulary()}
        p, coupling = _apply(base.parameters, base.coupling, values, self.model.slot_mask)
        noise = self.noise * _noise_factor(values, self.model.slot_mask, p.b_ampa.shape)
        point = fixed_point(p, self.model.wiring, coupling, base.point.x[:, 0])
        speed = values.get("conduction_velocity", np.ones((len(base.speed), SLOTS))).mean(1)
        vascular = values.get("neurovascular_coupling", np.ones((len(base.speed), SLOTS))).mean(1)
        one = np.ones(p.tau.shape)
        slow = _events(values, self.model.slot_mask, one)[0] * values.get("noise_amplitude", one)
        return State(p, coupling, point, noise, slow, speed, vascular, modulation, self)


def decay(x: np.ndarray, p: Parameters, u: np.ndarray) -> np.ndarray:
    """Decay rate (1/s) of the slowest local mode of each node, (N,); negative if it grows."""
    return -1e3 * np.linalg.eigvals(jacobian(x, p, u).full).real.max(-1)


def _densities() -> set[str]:
    return {row.density for row in receptors()}


def _noise(p: Parameters, ratio: float) -> np.ndarray:
    """Intensity b q tau of background shot noise, (3 kinds, N, 3)."""
    b = np.stack([p.b_ampa, p.b_nmda, p.b_gaba])
    noise = b * UNIT_NOISE * TAU_NOISE[:, None, None]
    return noise * np.where(np.arange(SLOTS) == 1, ratio, 1.0)


def _noise_factor(
    values: Mapping[str, np.ndarray], mask: Mapping[str, np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    """Factor on shot-noise intensity: event conductance squared, times event rate, over cell number."""
    one = np.ones(shape)
    amplitude = values.get("noise_amplitude", one) ** 2
    event = _events(values, mask, one)
    rate = values.get("excitatory_drive", one)
    number = np.where(mask.get("PV", np.zeros(shape, bool)), values.get("pv_interneuron_density", one), 1.0)
    return np.stack([event[0] ** 2 * rate, event[1] ** 2 * rate, event[2] ** 2]) * amplitude / number


def _events(values: Mapping[str, np.ndarray], mask: Mapping[str, np.ndarray], one: np.ndarray) -> np.ndarray:
    """Factor on the conductance of an arriving AMPA, NMDA or GABA-A event, (3, N, 3)."""
    spine = np.where(mask["spiny"], values.get("spine_density", one), 1.0)
    release = values.get("glutamate_release", one)[:, :1] * one
    free = 1.0 - np.clip(values.get("nmda_occupancy", 0.0 * one), 0.0, 1.0)
    return np.stack([
        values.get("ampa_conductance", one) * spine * release,
        values.get("nmda_conductance", one) * free * spine * release,
        values.get("gabaa_conductance", one),
    ])  # fmt: skip


def _apply(
    p: Parameters, coupling: np.ndarray, values: Mapping[str, np.ndarray], mask: Mapping[str, np.ndarray]
) -> tuple[Parameters, np.ndarray]:
    """Parameters and coupling with every variable of `values` ((N, 3) each) acting on its conductance.

    The one place where names of the vocabulary meet terms of the population equation.
    """
    if not values:
        return p, coupling
    one = np.ones(p.tau.shape)

    def get(name: str, neutral: float = 1.0) -> np.ndarray:
        return values.get(name, neutral * one)

    gaba = 1.0 - p.glutamate
    events = _events(values, mask, one)
    local = _events({k: v for k, v in values.items() if k != "glutamate_release"}, mask, one)
    excite, nmda, inhibit = local
    pv, sst = (mask.get(c, np.zeros(one.shape, bool)) for c in ("PV", "SST"))
    number = np.where(pv, get("pv_interneuron_density"), 1.0)
    from_pv = np.where(pv[:, None, :], get("gabaa_pv_conductance")[:, :, None], 1.0)
    from_sst = np.where(sst[:, None, :], get("gabaa_sst_conductance")[:, :, None], 1.0)
    sst_function = np.where(sst, get("sst_interneuron_function"), 1.0)
    exc = p.glutamate[:, None, :]
    g_fast = p.g_fast * (exc * excite[:, :, None] + (1 - exc) * inhibit[:, :, None] * from_pv * from_sst)
    g_slow = p.g_slow * (exc * nmda[:, :, None] + (1 - exc) * get("gabab_conductance")[:, :, None])
    release = p.release * np.where(
        p.glutamate > 0,
        get("glutamate_release"),
        get("gaba_release") * get("gad1_expression") * number * sst_function,
    )
    release = np.where((p.glutamate > 0) | (gaba > 0), release, p.release)
    drive = get("excitatory_drive")
    return replace(
        p, g_fast=g_fast, g_slow=g_slow, release=release,
        theta=p.theta - THRESHOLD_SLOPE * np.log(get("na_conductance")),
        e_inh=p.e_inh + get("chloride_reversal", 0.0),
        g_m=p.g_m * get("kcnq2_conductance"), g_sk=p.g_sk * get("kcnn3_conductance"),
        g_erg=p.g_erg * get("kcnh2_conductance"), g_cal=p.g_cal * get("cacna1c_conductance"),
        g_cat=p.g_cat * get("cacna1h_conductance"), g_h=p.g_h * get("hcn_conductance"),
        g_cl=p.g_cl * get("cl_conductance"),
        b_ampa=p.b_ampa * events[0] * drive, b_nmda=p.b_nmda * events[1] * drive,
        b_gaba=p.b_gaba * events[2],
    ), coupling * local * np.stack(
        [get("long_range_synaptic_weight")] * 2 + [one]
    )  # fmt: skip
