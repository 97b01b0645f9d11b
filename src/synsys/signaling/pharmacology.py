"""What doses do to a target: steady occupancy, the dose that reaches it, washout, rivals, scans.

The kinetics themselves are `core.dosing`, the drugs `knowledge.pharmacology`.
"""

import numpy as np

from synsys.core.dosing import occupancy
from synsys.core.errors import UserError
from synsys.knowledge.pharmacology import Drug


def steady_occupancy(action: Drug, dose: float, after: np.ndarray | float) -> np.ndarray:
    """Level of a drug's action in steady state.

    Parameters
    ----------
    action : Drug
    dose : float
        In the drug's unit, > 0.
    after : array_like
        Hours since the last dose began.

    Returns
    -------
    ndarray, shape of `after`
        0 to 1, a share of what the drug can hold at most.
    """
    return occupancy(dose / action.dose * action.steady_concentration(after), action.ec50)


def dose_for(action: Drug, level: float, after: float) -> float:
    """Dose that reaches a level in steady state.

    Parameters
    ----------
    action : Drug
    level : float
        0 to 1, exclusive.
    after : float
        Hours since the last dose began.

    Raises
    ------
    UserError
        If no dose reaches the level.
    """
    if not 0 < level < 1:
        raise UserError(f"no dose of {action.drug} reaches a level of {level:g}; between 0 and 1 is possible")
    needed = action.ec50 * level / (1 - level)
    return float(action.dose * needed / action.steady_concentration(after))


def washout(action: Drug, dose: float, level: float) -> float:
    """Hours from the last dose, in steady state, until the level has fallen to `level`.

    Raises
    ------
    UserError
        If the level is never reached, or not between 0 and 1.
    """
    peak = action.peak or action.infusion / 60
    early = peak
    if not 0 < level < float(steady_occupancy(action, dose, peak)):
        raise UserError(f"{dose:g} {action.unit} of {action.drug} never reach a level of {level:g}")
    late = peak + action.half_life
    while float(steady_occupancy(action, dose, late)) > level:
        late += action.half_life
    for _ in range(80):
        middle = (early + late) / 2
        held = float(steady_occupancy(action, dose, middle)) > level
        early, late = (middle, late) if held else (early, middle)
    return late


def joint_occupancy(alone: np.ndarray) -> np.ndarray:
    """Occupancies of ligands that compete for one site, from what each would hold alone.

    With r = o / (1 - o) = C / Kd of each alone, together o_i = r_i / (1 + sum r) (Gaddum 1937 J Physiol
    89:7P).

    Parameters
    ----------
    alone : ndarray, (K, ...)
        0 to 1, exclusive of 1.

    Returns
    -------
    ndarray, (K, ...)
        Their sum is below 1.
    """
    ratio = np.asarray(alone, float)
    ratio = ratio / (1.0 - ratio)
    return ratio / (1.0 + ratio.sum(axis=0))


def displaced_binding(baseline: np.ndarray | float, held: np.ndarray | float) -> np.ndarray:
    """Binding potential of a tracer while a drug holds the share `held` of its sites.

    BP_ND = BP_ND,0 (1 - occupancy), for a tracer dose that holds almost nothing itself (Innis et al. 2007
    J Cereb Blood Flow Metab 27:1533).

    Parameters
    ----------
    baseline : array_like
        Binding potential without the drug.
    held : array_like
        0 to 1.
    """
    return np.asarray(baseline, float) * (1.0 - np.asarray(held, float))


def ec50_of_scans(concentration: np.ndarray, baseline: np.ndarray, displaced: np.ndarray) -> float:
    """EC50 from scans with and without a drug.

    Least squares of BP = BP_0 / (1 + C / EC50) over EC50, all scans of equal weight.

    Parameters
    ----------
    concentration : ndarray, (S,)
        Of the drug during each scan, >= 0, not all 0.
    baseline, displaced : ndarray, (S,)
        Binding potential without and with it.

    Returns
    -------
    float
        In the unit of `concentration`.

    Raises
    ------
    UserError
        If the arrays do not match or hold no displacement.
    """
    from scipy.optimize import minimize_scalar

    c, before, after = (np.asarray(x, float) for x in (concentration, baseline, displaced))
    if not c.shape == before.shape == after.shape or c.ndim != 1:
        raise UserError(
            f"scans of shapes {c.shape}, {before.shape} and {after.shape}; one shape (S,) is needed"
        )
    if not (np.all(c >= 0) and np.any(c > 0) and after.sum() < before.sum()):
        raise UserError("no displacement: some concentrations > 0 and less binding with the drug are needed")

    def misfit(log_ec50: float) -> float:
        predicted = displaced_binding(before, occupancy(c, np.exp(log_ec50)))
        return float(np.sum((after - predicted) ** 2))

    middle = np.log(np.median(c[c > 0]))
    grid = middle + np.linspace(-12, 12, 97)
    best = grid[int(np.argmin([misfit(x) for x in grid]))]
    found = minimize_scalar(misfit, bracket=(best - 0.25, best, best + 0.25), options={"xtol": 1e-12})
    return float(np.exp(found.x))
