"""Healthy people: how much every readout differs between them, the unit of effect size.

One healthy person is solved beside the reference in every draw, at the same frequencies; what lies between
the two is the spread between people, calibration uncertainty left out. `cascade` and `check-claims` share it.
"""

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.modulation import Modulation
from synsys.brain.state import HealthyBrain, State
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import population

FREE = ("excitatory_drive", "noise_amplitude", "neurovascular_coupling", "conduction_velocity")
"""Variables that homeostasis does not hold: they act on a balanced brain and move its rates or signals."""


def person(model: BrainModel, draw: Draw, seed: int | tuple[int, int]) -> State:
    """A healthy person: `population.csv` sampled once, the same in all regions.

    Conductances vary under homeostasis (the background keeps the healthy rates); the variables of `FREE`
    act on top of it, so rates vary as well.

    Parameters
    ----------
    model : BrainModel
    draw : Draw
        Calibration member, links and maps that the person shares with the reference.
    seed : int or (int, int)
        Of a run and the number of the draw.
    """
    rng = np.random.default_rng(seed)
    shape = model.wiring.kappa.shape[2], 3
    density = model.densities(draw)
    held, free = (Modulation(model.places, density) for _ in range(2))
    everywhere = np.ones(shape, bool)
    for row in population():
        (free if row.name in FREE else held).move(row.name, everywhere, row.sd * rng.standard_normal())
    held.propagate(draw.strength, draw.factors)  # receptors and transmitters act through their links
    factors = {name: held.value(name) for name in held.touched if name in vocabulary()}
    return HealthyBrain(model, draw, factors).with_modulation(free)


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
    if len(finite) < 4:
        return float("nan")
    return float(1.4826 * np.median(np.abs(finite - np.median(finite))))
