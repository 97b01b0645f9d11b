"""Tone of a neuromodulator: what the nuclei of the brainstem release follows their firing.

Volume transmission, the *diffuse* rows of ``projections.csv``, carries no fast current. It multiplies the
tone of a transmitter in its targets by (r / r_healthy)^strength, r the rate of the nucleus, and so acts where
a perturbation of that tone acts. It takes seconds to minutes: it belongs to the operating point, and to
fluctuations the tone is constant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.fixed import rest
from synsys.brain.modulation import Modulation, Places
from synsys.brain.multipliers import multiplied
from synsys.circuit.drift import SLOTS, Parameters, firing
from synsys.circuit.templates import cells
from synsys.knowledge.mechanisms import TONES, projections

TOLERANCE = 1e-8
"""Accepted difference of the logarithm of a rate from that with which its tone was computed."""
ROUNDS = 40
"""Rounds from rate to tone to rate before they are given up."""
SLOPES = (-10.0, -0.2)
"""Bounds on the slope of that difference: steps go where the slow dynamics of the tone would."""
NEWTON, MOST_RELAXATION = 8, 100
"""Newton steps to the rest of a nucleus before it is followed in pseudo-time, and steps of that."""
_STEP = 1e-30


@dataclass(frozen=True)
class Diffuse:
    """One projection that sets a tone.

    Attributes
    ----------
    id, tone : str
        Row of ``projections.csv``; variable that it multiplies.
    node, slot : int
        Nucleus, counted among the nodes of `Nuclei.at`.
    target : ndarray of bool, (N, 3)
    strength : float
        Power of the relative rate.
    """

    id: str
    tone: str
    node: int
    slot: int
    target: np.ndarray
    strength: float


@dataclass(frozen=True, eq=False)
class Following:
    """Where the nuclei came to rest.

    Attributes
    ----------
    v, log_rate : ndarray, (nuclei nodes, 3)
        Potentials, mV; logarithm of rates relative to health.
    settled : bool
        Whether rates and tones agree.
    """

    v: np.ndarray
    log_rate: np.ndarray
    settled: bool


class Nuclei:
    """The neuromodulatory nuclei of a brain and where they project.

    Parameters
    ----------
    places : Places

    Attributes
    ----------
    at : ndarray of int
        Their nodes.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        template = places.wiring.nodes.template.to_numpy()
        rows = [row for row in projections() if row.scope == "diffuse"]
        self.at = np.flatnonzero(np.isin(template, [row.from_template for row in rows]))
        self.diffuse = []
        for row in rows:
            cell = () if row.to_cell == "all" else (row.to_cell,)
            target = places.mask(cell, (row.to_template,))
            if row.to_where:
                target = target & places.mask((), (row.to_where,))
            for i in np.flatnonzero(template[self.at] == row.from_template):
                slot = cells()[row.from_template].index(row.from_cell)
                self.diffuse.append(
                    Diffuse(row.id, TONES[row.transmitter], int(i), slot, target, row.strength)
                )

    @cached_property
    def places(self) -> Places:
        """Where names lie on these nodes alone."""
        return self._places.part(self.at)

    def release(
        self,
        modulation: Modulation,
        log_rate: np.ndarray,
        draw: Draw,
        nodes: np.ndarray | slice = slice(None),
    ) -> None:
        """Move the tones in the targets.

        Parameters
        ----------
        modulation : Modulation
            Not yet propagated, of `nodes`.
        log_rate : ndarray, (nuclei nodes, 3)
            Logarithm of the rate of each nucleus relative to health.
        draw : Draw
        nodes : ndarray of int, optional
            All nodes by default.
        """
        for row in self.diffuse:
            change = row.strength * np.exp(draw.factors.get(row.id, 0.0)) * log_rate[row.node, row.slot]
            if change:
                modulation.move(row.tone, row.target[nodes], change)

    def follow(
        self,
        modulation: Modulation,
        draw: Draw,
        health: tuple[Parameters, np.ndarray, np.ndarray, np.ndarray],
        mask: Mapping[str, np.ndarray],
        near: Following | None = None,
        tolerance: float = TOLERANCE,
    ) -> tuple[Modulation, Following]:
        """A modulation propagated together with the tones that its nuclei release.

        The nuclei come to rest with all that acts on them directly, their own transmitter included; their
        long-range input is that of health.

        Parameters
        ----------
        modulation : Modulation
            What was moved, not yet propagated.
        draw : Draw
        health : (Parameters, coupling, arriving conductance, potentials)
            The healthy brain at rest.
        mask : mapping of str to ndarray of bool, (N, 3)
        near : Following, optional
            Of a state like it, from which the search starts; health by default.
        tolerance : float
            Accepted difference of the logarithm of a rate from that with which its tone was computed.

        Returns
        -------
        Modulation
        Following
        """
        at = self.at
        p0, coupling, u, v0 = health[0].take(at), health[1][:, at], health[2][:, at], health[3][at]
        own = modulation.at(self.places, at)
        here = {name: value[at] for name, value in mask.items()}
        v, log_rate = (v0, np.zeros(v0.shape)) if near is None else (near.v, near.log_rate)
        gap, step = None, None
        for _ in range(ROUNDS):
            trial = own.at(self.places)
            self.release(trial, log_rate, draw, at)
            trial.propagate(draw.strength, draw.factors)
            p, factor = multiplied(p0, coupling, trial.values, here)
            v, settled = at_rest(p, u * (factor / coupling), v)
            new = np.log(firing(v, p) / firing(v0, p0)) - log_rate
            if not settled or np.abs(new).max(initial=0.0) < tolerance:
                break
            if gap is None or step is None:
                slope = -np.ones(new.shape)
            else:
                slope = np.clip((new - gap) / np.where(step == 0, np.inf, step), *SLOPES)
            gap, step = new, -new / slope
            log_rate = log_rate + step
        else:
            settled = False
        out = modulation.at(self._places)
        self.release(out, log_rate, draw)
        out.propagate(draw.strength, draw.factors)
        return out, Following(v, log_rate, bool(settled))


def at_rest(p: Parameters, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, bool]:
    """Potentials at which nodes without each other are at rest, and whether they were found.

    Newton's method, then implicit pseudo-time as in `synsys.brain.fixed.fixed_point`.

    Parameters
    ----------
    p : Parameters
        (n, 3).
    u : ndarray, (3, n, 3)
        Arriving conductance.
    v : ndarray, (n, 3)
        Start, mV.
    """
    along = np.zeros((SLOTS, 1, SLOTS), complex)
    along[range(SLOTS), 0, range(SLOTS)] = 1j * _STEP
    for pace, most in ((np.inf, NEWTON), (1.0, MOST_RELAXATION)):
        at, before = v, np.inf
        for _ in range(most):
            f = rest(at, p, u)[1]
            size = float(np.abs(f).max(initial=0.0))
            if size < 1e-9:
                return at, True
            pace = min(pace * min(before / size, 2.0), 1e12) if np.isfinite(before) else pace
            slope = np.moveaxis(rest(at + along, p, u)[1].imag / _STEP, 0, -1)
            step = np.linalg.solve(np.eye(SLOTS) / pace - slope, f[..., None])[..., 0]
            at, before = at + step * min(1.0, 4.0 / float(np.abs(step).max())), size
    return at, False
