"""A brain in one state: healthy or perturbed parameters, operating point, Jacobian."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.fixed import OperatingPoint, arriving, fixed_point, rest
from synsys.brain.linear import Linearised
from synsys.brain.modulation import Modulation, Places
from synsys.brain.multipliers import SPINY, events, multiplied, noise_factor
from synsys.brain.noise import TAU_NOISE
from synsys.brain.tone import Nuclei
from synsys.brain.wiring import Wiring, build_wiring
from synsys.circuit.drift import SLOTS, Parameters, inverse_firing, steady_gates
from synsys.circuit.linear import KINDS, jacobian
from synsys.circuit.templates import cells, healthy, prior, with_background
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import TONES, RegionalMap, maps, projections, receptors
from synsys.knowledge.resolve import resolved

UNIT_NOISE = 0.03
"""Conductance of one background event averaged over a region, multiples of leak (declared).

The sd of E potentials from 1 to 100 Hz is then about 1 mV; what each member reaches is in its table.
"""
SLOW_INPUT = 0.02
"""Amplitude of the 1/f AMPA conductance at 1 Hz, multiples of leak per sqrt(Hz) (declared)."""
SLOW_TEMPLATES = ("cortex", "hippocampus", "amygdala", "thalamus")
LEAST_DECAY = 0.3
"""Slowest acceptable local mode, 1/s; the ERG gate alone decays with 0.5/s (declared)."""
LEAST_DAMPING = 0.15
"""Least acceptable damping ratio of a local mode that turns faster than 1 Hz (declared)."""
MOST_TEMPERING = 6


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
        Values of the variables that were changed or that links alone lead to; None in health.
    healthy : HealthyBrain
    tones : dict of str to ndarray (N, 3)
        Tones with what nuclei release, relative to health; empty in health.
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
    tones: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def linear(self) -> Linearised:
        """Linearisation at the operating point."""
        draw = self.healthy.draw
        jac = jacobian(self.point.x, self.parameters, self.point.u)
        return Linearised(
            jac, self.healthy.wiring, self.coupling, self.noise,
            self.slow * self.healthy.model.slow * draw.slow, draw.shared, draw.exponent, self.speed,
        )  # fmt: skip

    @property
    def restless(self) -> str:
        """Why there is no state of rest, one line for the user; empty if there is one."""
        if self.point.converged:
            return ""
        if not self.point.residual:
            return "no state of rest was found (the tones of the brainstem nuclei do not settle)"
        return f"no state of rest was found (potentials still move by {self.point.residual:.2g} mV)"

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
    def nuclei(self) -> Nuclei:
        """Brainstem nuclei and the tones that they set."""
        return Nuclei(self.places)

    @cached_property
    def with_pv(self) -> np.ndarray:
        """Nodes that have PV cells, bool (N, 1)."""
        return np.asarray(self.slot_mask["PV"].any(1, keepdims=True))

    @cached_property
    def slow(self) -> np.ndarray:
        """Amplitude of the 1/f input onto each population, (N, 3)."""
        here = self.wiring.nodes.template.isin(SLOW_TEMPLATES).to_numpy()
        return np.where(here[:, None] & (np.arange(SLOTS) < 2), SLOW_INPUT, 0.0)

    def template(self, draw: Draw, share: np.ndarray) -> tuple[Parameters, np.ndarray]:
        """Parameters of every node before maps, (N, 3), and its factors on arriving conductance, (3, N, 3).

        Parameters
        ----------
        draw : Draw
        share : ndarray, (N,)
            Part of the draw's deviations from its calibration member that each node keeps.
        """
        names = self.wiring.nodes.template.to_numpy()
        at = [np.flatnonzero(share == part) for part in np.unique(share)]
        found = [_bare(list(names[i]), draw.conductances(share[i[0]])) for i in at]
        back = np.argsort(np.concatenate(at))
        p, scale = zip(*found, strict=True)
        fields = {f: np.concatenate([getattr(one, f) for one in p])[back] for f in vars(p[0])}
        return Parameters(**fields), np.concatenate(scale, 1)[:, back]

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

    def used_maps(self) -> list[RegionalMap]:
        """Rows of ``maps.csv`` that this brain has maps for: per variable the preferred, else the first."""
        out: list[RegionalMap] = []
        for name in dict.fromkeys(m.multiplier for m in maps()):
            rows = [m for m in maps() if m.multiplier == name and self.z_map(m.map) is not None]
            out += [m for m in rows if m.preferred] or rows[:1]
        return out

    def regional(self, draw: Draw) -> dict[str, np.ndarray]:
        """Healthy regional factor of each mapped variable, (N, 3)."""
        out: dict[str, np.ndarray] = {}
        for m in self.used_maps():
            z = self.z_map(m.map)
            factor = np.maximum(1 + draw.beta.get((m.multiplier, m.map, m.cell), m.beta) * z, 0.2)  # type: ignore[operator]
            here = np.where(self.places.mask(m.cell, ()), factor[:, None], 1.0)
            out[m.multiplier] = out.get(m.multiplier, np.ones(here.shape)) * here
        return out

    def densities(self, draw: Draw) -> dict[str, np.ndarray]:
        """Healthy regional factor of receptor densities, (N, 3): what receptors read of `regional`."""
        names = {row.density for row in receptors()}
        return {name: value for name, value in self.regional(draw).items() if name in names}


class HealthyBrain:
    """The healthy state of one draw, from which perturbed states follow.

    Parameters
    ----------
    model : BrainModel
    draw : Draw
        Where maps and sampled conductances would leave a region without a stable local state, its deviation
        from the calibrated template is halved until it has one; `tempered` lists these nodes, `rebalanced`
        those whose inhibition was raised.
    person : mapping of str to ndarray (N, 3), optional
        One healthy person's factors on conductances. They act before the background is solved for, so
        the person holds the healthy rates with other conductances.
    feedback : bool
        Whether the tones of dopamine, noradrenaline and serotonin follow the rates of their nuclei in
        perturbed states (`synsys.brain.tone`).

    Attributes
    ----------
    wiring : Wiring
        That of the model with the draw's strengths of projections.
    state : State
    densities : dict of str to ndarray (N, 3)
        Healthy regional factor of receptor densities.

    Raises
    ------
    UserError
        If the draw has a factor on something that is not there.
    """

    def __init__(
        self,
        model: BrainModel,
        draw: Draw,
        person: Mapping[str, np.ndarray] | None = None,
        feedback: bool = True,
    ) -> None:
        self.model, self.draw, self.feedback = model, draw, feedback
        for key in {*draw.factors, *draw.conductances()} - _priors():
            raise unknown("prior", key, _priors(), "factors go by the ids of the tables")
        self.densities = model.densities(draw)
        factors = model.regional(draw)
        for name in self.densities:
            del factors[name]
        for name, factor in (person or {}).items():
            factors[name] = factors.get(name, 1.0) * factor
        share = np.ones(len(model.wiring.nodes))
        for _ in range(MOST_TEMPERING):
            bare, scale = model.template(draw, share)
            self.wiring = model.wiring.scaled(draw.factors, share)
            kept = {name: _part(name, value, share[:, None]) for name, value in factors.items()}
            p, coupling = multiplied(bare, scale, kept, model.slot_mask)
            v = inverse_firing(p.rate, p)
            u = arriving(steady_gates(v, p), self.wiring, coupling)
            p, self.rebalanced = with_background(p, u, model.with_pv)
            x, residual = rest(v, p, u)
            fragile = fragility(x, p, u)
            if not fragile.any():
                break
            share = np.where(fragile, 0.5 * share, share)
        self.tempered = share < 1
        self.noise = _noise(p, draw.noise_ratio)
        point = OperatingPoint(x, u, float(np.abs(residual).max()), True)
        one = np.ones(len(v))
        self.state = State(p, coupling, point, self.noise, np.ones(v.shape), one, one, None, self)

    def perturbed(self, changes: Sequence[Perturbation], sized: bool = True) -> State:
        """The state that follows from perturbations.

        Parameters
        ----------
        changes : sequence of Perturbation
            Names may be aliases (`knowledge.resolve.resolved`).
        sized : bool
            Whether the prior on each size is sampled (by the draw) or left at its mean.
        """
        if not changes:
            return self.state
        if len(changes) > len(self.draw.size):
            raise UserError(
                f"{len(changes)} perturbations at once; at most {len(self.draw.size)} are accepted"
            )
        modulation = Modulation(self.model.places, self.densities)
        for change, z in zip(changes, self.draw.size, strict=False):
            modulation.perturb(resolved(change), float(z) if sized else 0.0)
        return self.with_modulation(modulation)

    def with_modulation(self, moved: Modulation) -> State:
        """The state under given moves of variables.

        Parameters
        ----------
        moved : Modulation
            Not yet propagated: links and tones (`synsys.brain.tone`) carry it on here.
        """
        base, mask, wiring = self.state, self.model.slot_mask, self.wiring
        health = base.parameters, base.coupling, base.point.u, base.point.x[:, 0]
        linked = moved.at(self.model.places)
        linked.propagate(self.draw.strength, self.draw.factors)
        full, followed = linked, True
        if self.feedback:
            full, followed = self.model.nuclei.follow(moved, self.draw, health, mask)
        values = full.values
        p, coupling = multiplied(base.parameters, base.coupling, values, mask)
        noise = self.noise * noise_factor(values, mask, p.b_ampa.shape)
        point = fixed_point(p, wiring, coupling, base.point.x[:, 0])
        if not followed:
            point = replace(point, converged=False, residual=0.0)
        one = np.ones(p.tau.shape)
        speed, vascular = (
            values.get(name, one).mean(1) for name in ("conduction_velocity", "neurovascular_coupling")
        )
        slow = events(values, mask, one)[0] * values.get("noise_amplitude", one)
        tones = {name: full.value(name) for name in TONES.values()}
        return State(p, coupling, point, noise, slow, speed, vascular, linked, self, tones)


def fragility(x: np.ndarray, p: Parameters, u: np.ndarray) -> np.ndarray:
    """Nodes with a local mode that decays too slowly or turns with too little damping, bool (N,)."""
    eig = np.linalg.eigvals(jacobian(x, p, u).full)
    slowest = -1e3 * eig.real.max(-1)
    turning = np.where(np.abs(eig.imag) > 2e-3 * np.pi, -eig.real / np.abs(eig), 1.0).min(-1)
    return (slowest < LEAST_DECAY) | (turning < LEAST_DAMPING)


@cache
def _priors() -> frozenset[str]:
    """Ids of everything that a draw may put a factor on."""
    return frozenset({*prior(), *(row.id for row in projections()), *(row.receptor for row in receptors())})


def _bare(names: Sequence[str], log_factor: Mapping[str, float]) -> tuple[Parameters, np.ndarray]:
    """Parameters of nodes by template, and their factors on arriving conductance, (3 kinds, N, 3)."""
    factor = {key: np.exp(value) for key, value in log_factor.items()}
    scale = np.array([[factor.get(f"{t}.*<-*:{kind}", 1.0) for t in names] for kind in KINDS])
    return healthy(names, factor), np.repeat(scale[..., None], SLOTS, -1)


def _part(name: str, value: np.ndarray, share: np.ndarray) -> np.ndarray:
    """What is left of a variable's deviation from health."""
    rest_ = 1.0 if vocabulary()[name].multiplies else 0.0
    return np.where(share < 1, rest_ + share * (value - rest_), value)


def _noise(p: Parameters, ratio: float) -> np.ndarray:
    """Intensity b q tau of background shot noise, (3 kinds, N, 3)."""
    b = np.stack([p.b_ampa, p.b_nmda, p.b_gaba])
    noise = b * UNIT_NOISE * TAU_NOISE[:, None, None]
    return noise * np.where(np.arange(SLOTS) == 1, ratio, 1.0)
