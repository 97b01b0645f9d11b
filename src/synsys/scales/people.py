"""Healthy people: how much every readout differs between them, the unit of effect size.

One healthy person is solved beside the reference in every draw, at the same frequencies; what lies between
the two is the spread between people, calibration uncertainty left out. `cascade` and `check-claims` share it.
"""

from dataclasses import replace

import numpy as np

from synsys.brain.modulation import Modulation
from synsys.brain.settle import rested
from synsys.brain.state import HealthyBrain, State
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import population

FREE = ("excitatory_drive", "noise_amplitude", "neurovascular_coupling", "conduction_velocity")
"""Variables that homeostasis does not hold: they act on a balanced brain and move its rates or signals."""
LEAST_PEOPLE = 4
"""Healthy people that are needed to say how much they differ."""
MIND = "inference"
"""Level of the vocabulary whose quantities act on the mind alone."""


def person(healthy: HealthyBrain, seed: int | tuple[int, int]) -> State:
    """A healthy person: `population.csv` sampled once, the same in all regions.

    Molecules settle with what varies (`brain.settle.rested`). Conductances vary under homeostasis (the
    background keeps the healthy rates); the variables of `FREE` act on top of it, so rates vary as well.

    Parameters
    ----------
    healthy : HealthyBrain
        The reference, whose calibration member, links and maps the person shares.
    seed : int or (int, int)
        Of a run and the number of the draw.
    """
    model, draw = healthy.model, healthy.draw
    rng = np.random.default_rng(seed)
    shape = model.wiring.kappa.shape[2], 3
    held, free = (Modulation(model.places, healthy.densities) for _ in range(2))
    everywhere = np.ones(shape, bool)
    for row in population():
        apart = row.name in FREE or vocabulary()[row.name].level == MIND
        (free if apart else held).move(row.name, everywhere, row.sd * rng.standard_normal())
    levels, found = rested(healthy, held)
    held = model.slow_brain.applied(held, levels)
    held.propagate(draw.strength, draw.factors)
    factors = {name: held.value(name) for name in held.touched if name in vocabulary()}
    state = HealthyBrain(model, draw, factors, reference=healthy).with_modulation(free)
    return state if found else replace(state, point=replace(state.point, converged=False, residual=0.0))


def effect_size(change: float, apart: np.ndarray) -> float:
    """Standardised effect d: a change over the spread between healthy people.

    Parameters
    ----------
    change : float
        Median change over the draws: of the logarithm for ratio quantities, else of the value.
    apart : ndarray
        In the same measure, each person's difference from the reference of the same draw.

    Returns
    -------
    float
        0 where nothing changes, NaN where people do not differ or too few are stable.
    """
    sd = spread(apart)
    return change / sd if sd > 0 else (0.0 if change == 0 else float("nan"))


def spread(persons: np.ndarray) -> float:
    """Robust standard deviation (1.4826 times the median absolute deviation) of finite values."""
    finite = persons[np.isfinite(persons)]
    if len(finite) < LEAST_PEOPLE:
        return float("nan")
    return float(1.4826 * np.median(np.abs(finite - np.median(finite))))
