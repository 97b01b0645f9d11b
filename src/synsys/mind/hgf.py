"""Hierarchical Gaussian filters: inference on a quantity whose rate of change itself changes.

HGF: Mathys, Daunizeau, Friston & Stephan 2011, Front Hum Neurosci 5:39; Mathys et al. 2014, Front Hum
Neurosci 8:825. eHGF: the update of the mean of a volatility precedes that of its precision, which is then
taken at the new mean and never falls below its prediction (the enhanced filter of the TAPAS toolbox).
Names as there: mu and pi are mean and precision, `hat` marks predictions, omega tonic log-volatility,
kappa coupling to the level above, theta the variance of steps of the top level, rho drift.
"""

from types import SimpleNamespace

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.mind.model import Array, Values, sigmoid

DEFAULTS = {
    "mu2_0": 0.0, "sa2_0": 1.0, "mu3_0": 1.0, "sa3_0": 1.0, "rho2": 0.0, "rho3": 0.0, "kappa1": 1.0,
    "kappa2": 1.0, "omega2": -2.5, "theta": float(np.exp(-6.0)),
}  # fmt: skip
"""Parameters of the binary filter where none are given: those of the example of TAPAS."""
CONTINUOUS = {
    "mu1_0": 0.0, "sa1_0": 1.0, "mu2_0": 1.0, "sa2_0": 1.0, "mu3_0": 1.0, "sa3_0": 1.0, "rho1": 0.0,
    "rho2": 0.0, "rho3": 0.0, "kappa1": 1.0, "kappa2": 1.0, "omega1": -2.5, "omega2": -4.0,
    "theta": float(np.exp(-6.0)), "pi_u": 10.0,
}  # fmt: skip
"""The same for the continuous filter; `pi_u` is the precision of what is heard or seen."""


FURTHEST = 50.0
"""Largest mean of any level, in log odds or log volatility, at which the updates still mean something: beyond
it beliefs are 0 or 1 in double precision and one surprise throws them anywhere."""


def valid(s: Values, levels: tuple[int, ...]) -> Array:
    """1 where a state is one that the approximation can be in, NaN where it has broken down.

    Precisions are positive and means within `FURTHEST`.
    """
    fine: Array = 1.0
    for k in levels:
        fine = np.where(getattr(s, f"pi{k}") > 0, fine, np.nan)
        fine = np.where(np.absolute(getattr(s, f"mu{k}")) < FURTHEST, fine, np.nan)
    return fine


def binary_start(p: Values, levels: int = 3) -> dict[str, Array]:
    """State before the first trial."""
    two = {"mu2": p.mu2_0, "pi2": 1.0 / p.sa2_0}
    return two if levels == 2 else two | {"mu3": p.mu3_0, "pi3": 1.0 / p.sa3_0}


def binary_prediction(s: Values, p: Values, dt: Array = 1.0) -> Values:
    """What is expected of the next input: muhat1 to muhat3, pihat2, pihat3 and the step variance v2."""
    top = hasattr(s, "mu3")
    muhat2 = s.mu2 + dt * p.rho2
    v2 = dt * np.exp(p.kappa2 * s.mu3 + p.omega2) if top else dt * np.exp(p.omega2)
    out = {"muhat1": sigmoid(p.kappa1 * muhat2), "muhat2": muhat2, "v2": v2, "pihat2": _blurred(s.pi2, v2)}
    if top:
        out |= {"muhat3": s.mu3 + dt * p.rho3, "pihat3": _blurred(s.pi3, dt * p.theta)}
    return SimpleNamespace(**out)


def binary_update(
    s: Values, u: Array, p: Values, dt: Array = 1.0, enhanced: bool = False
) -> dict[str, Array]:
    """State after a binary input.

    Parameters
    ----------
    s : Values
        mu2, pi2 and, with three levels, mu3, pi3.
    u : array
        0 or 1.
    p : Values
        `DEFAULTS` names them.
    dt : array
        Time since the input before, in trials.
    enhanced : bool
        eHGF.
    """
    hat = binary_prediction(s, p, dt)
    # level 2: Mathys 2011, equations 21 to 28
    pi2 = hat.pihat2 + p.kappa1**2 * hat.muhat1 * (1.0 - hat.muhat1)
    mu2 = hat.muhat2 + (1.0 / pi2) * p.kappa1 * (u - hat.muhat1)
    if not hasattr(s, "mu3"):
        return {"mu2": mu2, "pi2": pi2}
    parent = s.mu3, hat.muhat3, hat.pihat3
    mu3, pi3 = _volatility(
        parent, (s.pi2, hat.muhat2, mu2, pi2), p.kappa2, p.omega2, dt, enhanced, hat.v2, hat.pihat2
    )
    return {"mu2": mu2, "pi2": pi2, "mu3": mu3, "pi3": pi3}


def beliefs(
    inputs: Array, levels: int = 3, enhanced: bool = True, continuous: bool = False, **parameters: Array
) -> dict[str, np.ndarray]:
    """Run a filter over inputs.

    Parameters
    ----------
    inputs : ndarray, (..., T)
        0 and 1, or numbers if `continuous`.
    levels : {2, 3}
    enhanced : bool
        eHGF.
    continuous : bool
    **parameters
        Those of `DEFAULTS` or `CONTINUOUS` that differ, numbers or arrays that broadcast against (...).

    Returns
    -------
    dict
        Name -> (..., T): mean ``mu`` and precision ``pi`` of every level after each input, and the
        predictions ``muhat``, ``pihat`` before it.

    Raises
    ------
    UserError
        For unknown parameters, or inputs that are not 0 and 1 where they must be.
    """
    known = CONTINUOUS if continuous else DEFAULTS
    for name in parameters:
        if name not in known:
            raise unknown("parameter of the filter", name, known)
    u = np.asarray(inputs, float)
    if not continuous and not np.isin(u, (0.0, 1.0)).all():
        raise UserError("inputs of a binary filter are 0 and 1")
    p = SimpleNamespace(**{**known, **parameters})
    start, predict, update = (
        (continuous_start, continuous_prediction, continuous_update)
        if continuous
        else (binary_start, binary_prediction, binary_update)
    )
    s, rows = SimpleNamespace(**start(p, levels)), []
    with np.errstate(all="ignore"):  # where it breaks down it says so by what it returns (`valid`)
        for k in range(u.shape[-1]):
            hat = vars(predict(s, p))
            s = SimpleNamespace(**update(s, u[..., k], p, enhanced=enhanced))
            rows.append({**vars(s), **{n: v for n, v in hat.items() if "hat" in n}})
    shape = np.broadcast_shapes(u.shape[:-1], *(np.shape(v) for v in parameters.values()))
    return {n: np.stack([np.broadcast_to(row[n], shape) for row in rows], -1) for n in rows[0]}


def continuous_start(p: Values, levels: int = 2) -> dict[str, Array]:
    """State before the first input."""
    out: dict[str, Array] = {}
    for k in range(1, levels + 1):
        out |= {f"mu{k}": getattr(p, f"mu{k}_0"), f"pi{k}": 1.0 / getattr(p, f"sa{k}_0")}
    return out


def continuous_prediction(s: Values, p: Values, dt: Array = 1.0) -> Values:
    """muhat, pihat and step variance v of every level, ``muhat1``, ``pihat1``, ``v1``, ..."""
    levels = 3 if hasattr(s, "mu3") else 2
    out: dict[str, Array] = {}
    for k in range(1, levels + 1):
        mu, pi = getattr(s, f"mu{k}"), getattr(s, f"pi{k}")
        if k == levels:
            v = dt * p.theta
        else:
            v = dt * np.exp(getattr(p, f"kappa{k}") * getattr(s, f"mu{k + 1}") + getattr(p, f"omega{k}"))
        out |= {f"muhat{k}": mu + dt * getattr(p, f"rho{k}"), f"v{k}": v, f"pihat{k}": _blurred(pi, v)}
    return SimpleNamespace(**out)


def continuous_update(
    s: Values, u: Array, p: Values, dt: Array = 1.0, enhanced: bool = False
) -> dict[str, Array]:
    """State after a continuous input; as `binary_update`, parameters of `CONTINUOUS`."""
    levels = 3 if hasattr(s, "mu3") else 2
    hat = vars(continuous_prediction(s, p, dt))
    pi = hat["pihat1"] + p.pi_u
    mu = hat["muhat1"] + (1.0 / pi) * p.pi_u * (u - hat["muhat1"])
    out = {"mu1": mu, "pi1": pi}
    for k in range(2, levels + 1):
        low = k - 1
        parent = getattr(s, f"mu{k}"), hat[f"muhat{k}"], hat[f"pihat{k}"]
        child = getattr(s, f"pi{low}"), hat[f"muhat{low}"], mu, pi
        mu, pi = _volatility(
            parent, child, getattr(p, f"kappa{low}"), getattr(p, f"omega{low}"), dt, enhanced,
            hat[f"v{low}"], hat[f"pihat{low}"],
        )  # fmt: skip
        out |= {f"mu{k}": mu, f"pi{k}": pi}
    return out


def _volatility(
    parent: tuple[Array, Array, Array],
    child: tuple[Array, Array, Array, Array],
    kappa: Array,
    omega: Array,
    dt: Array,
    enhanced: bool,
    v: Array,
    pihat: Array,
) -> tuple[Array, Array]:
    """Mean and precision of a level from the volatility prediction error of the level below.

    With w = v pihat, the share of the expected variance that is due to the step, the r of Mathys et al. 2011,
    (v - sigma) / (v + sigma), is 2 w - 1.

    Parameters
    ----------
    parent : tuple
        Mean before, predicted mean and precision of the level itself.
    child : tuple
        Of the level below: precision before, predicted mean, mean and precision now.
    v, pihat : array
        Of the level below: expected variance of its step, and predicted precision.
    """
    _, muhat, own = parent
    before, child_hat, mu, pi = child
    spread = 1.0 / pi + (mu - child_hat) ** 2
    w, delta = v * pihat, spread * pihat - 1.0
    if not enhanced:
        precision = own + 0.5 * kappa**2 * w * (w + (2.0 * w - 1.0) * delta)
        return muhat + (1.0 / precision) * 0.5 * kappa * w * delta, precision
    mean = muhat + (1.0 / own) * 0.5 * kappa * w * delta
    v = dt * np.exp(kappa * mean + omega)
    pihat = _blurred(before, v)
    w, delta = v * pihat, spread * pihat - 1.0
    return mean, own + np.maximum(0.0, 0.5 * kappa**2 * w * (w + (2.0 * w - 1.0) * delta))


def _blurred(pi: Array, v: Array) -> Array:
    """Precision after a step of variance v, 1 / (1 / pi + v)."""
    return pi / (1.0 + pi * v)
