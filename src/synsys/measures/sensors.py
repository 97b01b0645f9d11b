"""What electrodes on the scalp would see."""

from pathlib import Path

import numpy as np
import pandas as pd

from synsys.brain.bold import BAND_NODES
from synsys.brain.eeg import align_lead_field, eeg_power, lead_field
from synsys.brain.solution import BANDS, Solution
from synsys.core.connectome import Connectome

SPHERE = "sphere"
"""Name of the built-in lead field: dipoles in a spherical head of four shells."""


def open_lead_field(field: pd.DataFrame | str | Path, brain: Connectome) -> pd.DataFrame:
    """A lead field whose columns are the regions of a brain, in their order.

    Parameters
    ----------
    field : DataFrame (electrodes, regions), path of a CSV or TSV file, or ``"sphere"``
        The user's own, in any unit per unit of regional activity, or the built-in head
        (`brain.eeg.lead_field`). Regions outside cortex may be left out: they count as silent.
    brain : Connectome

    Raises
    ------
    UserError
        If a cortical region is missing, a region is unknown, or a cell is not a finite number; for the
        built-in head, if a cortical region has no centroid.
    """
    if isinstance(field, str) and field == SPHERE:
        return lead_field(brain.regions)
    if not isinstance(field, pd.DataFrame):
        from synsys.data.read import load_lead_field

        field = load_lead_field(field)
    named = field.set_axis([str(column) for column in field.columns], axis=1)
    outside = brain.regions.index[brain.regions.structure != "cortex"]
    silent = [str(label) for label in outside if str(label) not in named.columns]
    return align_lead_field(named.assign(**dict.fromkeys(silent, 0.0)), brain.labels)


def electrode_power(solution: Solution, field: pd.DataFrame) -> np.ndarray:
    """Mean spectral density at each electrode in each band, (E, bands).

    The potential of a region's principal cells stands for its dipole moment, so the scale is free: compare
    states, not electrodes of two heads.

    Parameters
    ----------
    solution : Solution
    field : DataFrame, (E, R)
        From `open_lead_field`.

    Returns
    -------
    ndarray, (E, bands)
        (Unit of the lead field x mV)^2 / Hz; bands as in `brain.solution.BANDS`.
    """
    fast = solution.response.part(slice(len(BAND_NODES), None))
    power = eeg_power(fast.output(solution.grid.weights), field)
    seen = (power > 0).all(0)  # not so at the reference electrode
    out = np.zeros((len(field), len(BANDS)))
    for b, band in enumerate(BANDS):
        out[seen, b] = solution.grid.band_mean(power[:, seen], band)
    return out
