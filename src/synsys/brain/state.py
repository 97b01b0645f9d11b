"""A brain in one state: healthy or perturbed parameters, operating point, Jacobian."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.feedback import averages
from synsys.brain.fixed import MOST_STEPS, OperatingPoint, arriving, fixed_point, rest
from synsys.brain.linear import Linearised
from synsys.brain.model import BrainModel
from synsys.brain.modulation import Modulation
from synsys.brain.multipliers import events, multiplied, noise_factor
from synsys.brain.noise import TAU_NOISE
from synsys.brain.settle import heard_from, settled, tempered
from synsys.brain.tone import Following
from synsys.circuit.drift import SLOTS, Parameters, inverse_firing, steady_gates
from synsys.circuit.linear import jacobian
from synsys.circuit.templates import prior, with_background
from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import TONES, projections, receptors
from synsys.knowledge.resolve import resolved
from synsys.knowledge.signaling import FAST, SET_POINT, nodes
from synsys.signaling.network import Kinetics

UNIT_NOISE = 0.03
"""Conductance of one background event averaged over a region, multiples of leak (declared).

The sd of E potentials from 1 to 100 Hz is then about 1 mV; what each member reaches is in its table.
"""
LEAST_DECAY = 0.3
"""Slowest acceptable local mode, 1/s; the ERG gate alone decays with 0.5/s (declared)."""
LEAST_DAMPING = 0.15
"""Least acceptable damping ratio of a local mode that turns faster than 1 Hz (declared)."""
MOST_TEMPERING = 6
EXACT, STRIDE = 1e-9, 4.0
"""What potentials of a state of rest may still move by, mV; how much faster a rough one is looked for."""


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
    moved : Modulation or None
        What was moved, before links carry it on; None in health.
    carried : Modulation or None
        The same with links and the tones that the nuclei release.
    nuclei : Following or None
        Where the nuclei came to rest.
    levels : ndarray, (S, N), or None
        Regulated levels of the signaling network; None where it is healthy.
    healthy : HealthyBrain
    """

    parameters: Parameters
    coupling: np.ndarray
    point: OperatingPoint
    noise: np.ndarray
    slow: np.ndarray
    speed: np.ndarray
    vascular: np.ndarray
    moved: Modulation | None
    healthy: "HealthyBrain"
    carried: Modulation | None = None
    nuclei: Following | None = None
    levels: np.ndarray | None = None

    @cached_property
    def modulation(self) -> Modulation | None:
        """Values of the variables that were changed or that links alone lead to; None in health."""
        if self.moved is None:
            return None
        out, draw = self.moved.copy(), self.healthy.draw
        out.propagate(draw.strength, draw.factors)
        return out

    @property
    def tones(self) -> dict[str, np.ndarray]:
        """Tones with what nuclei release, relative to health, (N, 3) each; empty in health."""
        return {} if self.carried is None else {n: self.carried.value(n) for n in TONES.values()}

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
            what = (
                "tones of the brainstem nuclei"
                if self.levels is None
                else "molecules of the signaling network"
            )
            return f"no state of rest was found (the {what} do not settle)"
        return f"no state of rest was found (potentials still move by {self.point.residual:.2g} mV)"

    @cached_property
    def averages(self) -> dict[str, np.ndarray]:
        """What the fast brain tells the slow one (`brain.feedback.averages`)."""
        return averages(self)

    @cached_property
    def rates(self) -> np.ndarray:
        """Firing rates, Hz, (N, 3)."""
        return self.point.rates(self.parameters)


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
    reference : HealthyBrain, optional
        Whose tasks a healthy person meets; the brain itself by default.

    Attributes
    ----------
    wiring : Wiring
        That of the model with the draw's strengths of projections.
    state : State
    densities : dict of str to ndarray (N, 3)
        Healthy regional factor of receptor densities.
    person : dict of str to ndarray (N, 3)
        The factors of the healthy person; empty for the reference.

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
        reference: "HealthyBrain | None" = None,
    ) -> None:
        self.model, self.draw, self.feedback = model, draw, feedback
        self.person, self.reference = dict(person or {}), reference or self
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

    @cached_property
    def averages(self) -> dict[str, np.ndarray]:
        """What the healthy fast brain tells the slow one."""
        return self.state.averages

    @cached_property
    def kept(self) -> np.ndarray:
        """How much of what activity does to molecules each region keeps (`brain.settle.tempered`), (N,)."""
        return tempered(self)

    @cached_property
    def heard(self) -> np.ndarray:
        """What each region hears of its own nodes through the brain (`brain.settle.heard_from`)."""
        return heard_from(self, recursive=True)

    @cached_property
    def kept_heard(self) -> np.ndarray:
        """What each region hears of its own nodes as far as it is kept, (N, K, S)."""
        network = self.model.slow_brain.network
        steady = np.array([name not in FAST or name == SET_POINT for name in network.inputs])
        return self.heard * np.where(steady, 1.0, self.kept[:, None])[:, :, None]

    @cached_property
    def carried_heard(self) -> np.ndarray:
        """What is heard through links and receptors alone, (N, K, S)."""
        return heard_from(self, recursive=False)

    @cached_property
    def carried_echo(self) -> np.ndarray:
        """Means of that over the regions of each kind, (kinds, K, S)."""
        return self._by_kind(self.carried_heard)

    def _by_kind(self, heard: np.ndarray) -> np.ndarray:
        first, kind = self.model.slow_brain.network.kinds
        return np.stack([heard[kind == c].mean(0) for c in range(len(first))])

    @cached_property
    def kinetics(self) -> Kinetics:
        """Numbers of the signaling network as drawn."""
        return self.model.slow_brain.network.kinetics(self.draw.strength, self.draw.factors)

    def perturbed(
        self,
        changes: Sequence[Perturbation],
        sized: bool = True,
        phase: str = "chronic",
    ) -> State:
        """The state that follows from perturbations.

        Parameters
        ----------
        changes : sequence of Perturbation
            Names may be aliases (`knowledge.resolve.resolved`).
        sized : bool
            Whether the prior on each size is sampled (by the draw) or left at its mean.
        phase : {"chronic", "acute"}
            Once the signaling network has settled with the perturbation (`brain.settle.settled`), or at
            once, when its levels are still those of health.
        """
        if not changes:
            return self.state
        moved = self.moved(changes, sized)
        if phase == "acute":
            return self.with_modulation(moved)
        return settled(self, moved)

    def moved(
        self, changes: Sequence[Perturbation], sized: bool = True, level: Sequence[float] | None = None
    ) -> Modulation:
        """What perturbations move, before any link carries it on.

        Parameters
        ----------
        changes, sized
            As for `perturbed`.
        level : sequence of float, optional
            Share of each perturbation (of the logarithm of its factor); 1 by default.
        """
        if len(changes) > len(self.draw.size):
            raise UserError(
                f"{len(changes)} perturbations at once; at most {len(self.draw.size)} are accepted"
            )
        modulation = Modulation(self.model.places, self.densities)
        for i, (change, z) in enumerate(zip(changes, self.draw.size, strict=False)):
            modulation.perturb(
                resolved(change), float(z) if sized else 0.0, 1.0 if level is None else level[i]
            )
        modulation.enter()
        return modulation

    def with_modulation(
        self, moved: Modulation, near: State | None = None, tolerance: float = EXACT
    ) -> State:
        """The state under given moves of variables.

        Parameters
        ----------
        moved : Modulation
            Not yet propagated: links and tones (`synsys.brain.tone`) carry it on here.
        near : State, optional
            One like it, from which the search starts; health by default.
        tolerance : float
            What potentials may still move by, mV; where it is not `EXACT`, half as many steps, `STRIDE`
            times as long, are made before a state of rest is given up.
        """
        base, mask, wiring = self.state, self.model.slot_mask, self.wiring
        health = base.parameters, base.coupling, base.point.u, base.point.x[:, 0]
        if self.feedback:
            full, following = self.model.nuclei.follow(
                moved, self.draw, health, mask, near.nuclei if near else None, 10 * tolerance
            )
        else:
            full, following = moved.copy(), None
            full.propagate(self.draw.strength, self.draw.factors)
        values = full.values
        p, coupling = multiplied(base.parameters, base.coupling, values, mask)
        noise = self.noise * noise_factor(values, mask, p.b_ampa.shape)
        start = (near or base).point
        most, stride = (MOST_STEPS, 1.0) if tolerance <= EXACT else (MOST_STEPS // 2, STRIDE)
        point = fixed_point(p, wiring, coupling, start.x[:, 0], tolerance, most, start.newton, stride)
        if following and not following.settled:
            point = replace(point, converged=False, residual=0.0)
        one = np.ones(p.tau.shape)
        speed, vascular = (
            values.get(name, one).mean(1) for name in ("conduction_velocity", "neurovascular_coupling")
        )
        slow = events(values, mask, one)[0] * values.get("noise_amplitude", one)
        return State(p, coupling, point, noise, slow, speed, vascular, moved, self, full, following)


def fragility(x: np.ndarray, p: Parameters, u: np.ndarray) -> np.ndarray:
    """Nodes with a local mode that decays too slowly or turns with too little damping, bool (N,)."""
    eig = np.linalg.eigvals(jacobian(x, p, u).full)
    slowest = -1e3 * eig.real.max(-1)
    turning = np.where(np.abs(eig.imag) > 2e-3 * np.pi, -eig.real / np.abs(eig), 1.0).min(-1)
    return (slowest < LEAST_DECAY) | (turning < LEAST_DAMPING)


@cache
def _priors() -> frozenset[str]:
    """Ids of everything that a draw may put a factor on."""
    named = {*(row.id for row in projections()), *(row.receptor for row in receptors())}
    return frozenset({*prior(), *named, *(f"tau:{name}" for name in nodes())})


def _part(name: str, value: np.ndarray, share: np.ndarray) -> np.ndarray:
    """What is left of a variable's deviation from health."""
    rest_ = 1.0 if vocabulary()[name].multiplies else 0.0
    return np.where(share < 1, rest_ + share * (value - rest_), value)


def _noise(p: Parameters, ratio: float) -> np.ndarray:
    """Intensity b q tau of background shot noise, (3 kinds, N, 3)."""
    b = np.stack([p.b_ampa, p.b_nmda, p.b_gaba])
    noise = b * UNIT_NOISE * TAU_NOISE[:, None, None]
    return noise * np.where(np.arange(SLOTS) == 1, ratio, 1.0)
