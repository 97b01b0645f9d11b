"""What a laboratory measures of a node: one reading of a marker in blood, saliva or hair."""

import numpy as np
from numpy.typing import ArrayLike

from synsys.core.errors import UserError
from synsys.knowledge.load import vocabulary
from synsys.knowledge.markers import marker


def read_marker(name: str, state: ArrayLike, rng: np.random.Generator, repeats: int = 1) -> np.ndarray:
    """Standardised readings of a marker from the state of the node that it stands in for.

    Classical test theory (Spearman 1904; Lord & Novick 1968) with the node in the place of the true score:

        x = sqrt(R) (rho z + sqrt(1 - rho^2) u) + sqrt(1 - R) e,

    z the node in standard deviations between healthy people, R the reliability, rho the correlation of what
    repeats with the node, u a person's own peripheral part (platelets, liver, clearance), e what differs from
    sample to sample. If z is standard normal over people, so is x.

    Parameters
    ----------
    name : str
        Row of ``markers.csv``.
    state : array_like, (...)
        Value of the node in each person: relative to health, or a deviation, as in the vocabulary.
    rng : numpy.random.Generator
    repeats : int
        Samples of each person; they share u.

    Returns
    -------
    ndarray, (..., repeats)
        Readings in standard deviations between healthy people.

    Raises
    ------
    UserError
        If there is no such marker, fewer than one repeat, or a quantity relative to health is not > 0.
    """
    row = marker(name)
    if repeats < 1:
        raise UserError(f"{name}: {repeats} samples asked for, at least 1 is needed")
    value = np.asarray(state, float)
    if vocabulary()[row.node].multiplies:
        if not (value > 0).all():
            raise UserError(f"{name}: {row.node} is relative to health and must be > 0")
        value = np.log(value)
    stable = row.correlation * value / row.sd
    stable = stable + np.sqrt(1.0 - row.correlation**2) * rng.standard_normal(value.shape)
    noise = rng.standard_normal((*value.shape, repeats))
    return np.asarray(np.sqrt(row.reliability) * stable[..., None] + np.sqrt(1.0 - row.reliability) * noise)
