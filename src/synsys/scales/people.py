"""Healthy people: how much every readout differs between them."""

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.modulation import Modulation
from synsys.brain.state import BrainModel, HealthyBrain, State
from synsys.knowledge.mechanisms import population

FREE = ("excitatory_drive", "noise_amplitude", "neurovascular_coupling", "conduction_velocity")
"""Variables that homeostasis does not hold: they act on a balanced brain and move its rates or signals."""


def person(model: BrainModel, draw: Draw, seed: int) -> State:
    """A healthy person: `population.csv` sampled once, the same in all regions.

    Conductances vary under homeostasis (the background keeps the healthy rates); the variables of `FREE`
    act on top of it, so rates vary as well.

    Parameters
    ----------
    model : BrainModel
    draw : Draw
        Calibration member, links and maps that the person shares with the reference.
    seed : int
    """
    rng = np.random.default_rng(seed)
    shape = model.wiring.kappa.shape[2], 3
    held: dict[str, float] = {}
    free: dict[str, float] = {}
    for row in population():
        change = row.sd * rng.standard_normal()
        (free if row.name in FREE else held)[row.name] = change
    factors = {
        row.name: np.full(shape, np.exp(held[row.name]) if row.op == "*" else held[row.name])
        for row in population()
        if row.name in held
    }
    brain = HealthyBrain(model, draw, factors)
    modulation = Modulation(model.places)
    everywhere = np.ones(shape, bool)
    for name, change in free.items():
        modulation.move(name, everywhere, change)
    return brain.with_modulation(modulation)


def spread(persons: np.ndarray) -> float:
    """Robust standard deviation (1.4826 times the median absolute deviation) of finite values."""
    finite = persons[np.isfinite(persons)]
    if len(finite) < 4:
        return float("nan")
    return float(1.4826 * np.median(np.abs(finite - np.median(finite))))
