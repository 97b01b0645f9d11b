"""Hierarchical Gaussian filters as models of behaviour: beliefs, and how people answer from them.

Priors are those of TAPAS in spirit: the tonic log-volatility and the decision temperature are free, and
the variance of the top level, of which behaviour tells little, has a narrow prior (declared not
identifiable).
"""

from types import SimpleNamespace

import numpy as np

from synsys.mind import hgf
from synsys.mind.learning import ZETA
from synsys.mind.model import Array, Choice, Model, Parameter, Values
from synsys.mind.responses import unit_square_odds

OMEGA = Parameter("omega2", "identity", -3.0, 1.0, "tonic log-volatility of the belief, log odds^2 a trial")
THETA = Parameter(
    "theta", "log", -6.0, 1.0, "variance of steps of log-volatility, a trial", identifiable=False
)


def binary(levels: int = 3, enhanced: bool = True) -> Model:
    """Belief about a binary event in a changing world, answered through a unit-square sigmoid.

    Parameters
    ----------
    levels : {2, 3}
        Without or with a belief about volatility.
    enhanced : bool
        eHGF; matters with three levels only.
    """
    free = (OMEGA, *((THETA,) if levels == 3 else ()), ZETA)
    fixed = hgf.DEFAULTS

    def full(p: Values) -> Values:
        return SimpleNamespace(**{**fixed, **{q.name: getattr(p, q.name) for q in free}})

    def policy(stage: int, s: Values, t: Values, p: Values) -> Array:
        odds = fixed["kappa1"] * hgf.binary_prediction(s, full(p), t.interval).muhat2
        return unit_square_odds(odds, p.zeta) * hgf.valid(s, tuple(range(2, levels + 1)))

    def shown(s: Values, t: Values, p: Values) -> dict[str, Array]:
        hat = hgf.binary_prediction(s, full(p), t.interval)
        new = hgf.binary_update(s, t.outcome, full(p), t.interval, enhanced)
        error = t.outcome - hat.muhat1
        out = {
            "belief": hat.muhat1, "prediction_error": error, "mu2": new["mu2"],
            "weight2": 1.0 / new["pi2"], "weighted_error": error / new["pi2"],
        }  # fmt: skip
        return out if levels == 2 else out | {"mu3": new["mu3"], "pi3": new["pi3"]}

    name = "hgf2" if levels == 2 else "ehgf" if enhanced else "hgf"
    return Model(
        name,
        {"hgf2": "Hierarchical Gaussian filter without volatility", "hgf": "Hierarchical Gaussian filter",
         "ehgf": "Enhanced hierarchical Gaussian filter"}[name] + ", binary",
        free, (Choice("choice", 2),), {"outcome": "the event, 0 or 1"},
        lambda p: hgf.binary_start(full(p), levels), policy,
        lambda s, t, p: hgf.binary_update(s, t.outcome, full(p), t.interval, enhanced), shown,
        "Mathys et al. 2011, Front Hum Neurosci 5:39; 2014, Front Hum Neurosci 8:825",
        optional={"interval": 1.0}, task="volatile",
        accepted={"outcome": (0.0, 1.0)}, limits={"interval": (1e-6, np.inf)}, wins="match",
    )  # fmt: skip


OMEGA1 = Parameter(
    "omega1", "identity", -3.0, 1.0, "tonic log-volatility of the quantity, its unit^2 a trial", False
)
OMEGA_TOP = Parameter("theta", "log", -5.0, 0.7, "variance of steps of log-volatility, a trial", False)
PRECISION = Parameter("pi_u", "log", 2.0, 1.0, "precision that inputs are taken to have, 1 / unit^2")
NOISE = Parameter("noise", "log", -1.5, 0.5, "sd of answers about the belief, in the unit of the quantity")


def continuous(enhanced: bool = True) -> Model:
    """Belief about a number that drifts, answered with noise."""
    free = (OMEGA1, OMEGA_TOP, PRECISION, NOISE)

    def full(p: Values) -> Values:
        return SimpleNamespace(**{**hgf.CONTINUOUS, **{q.name: getattr(p, q.name) for q in free}})

    def policy(stage: int, s: Values, t: Values, p: Values) -> Array:
        hat = hgf.continuous_prediction(s, full(p), t.interval)
        return np.stack([hat.muhat1 * hgf.valid(s, (2,)), np.log(p.noise) + 0.0 * hat.muhat1])

    def shown(s: Values, t: Values, p: Values) -> dict[str, Array]:
        hat = hgf.continuous_prediction(s, full(p), t.interval)
        new = hgf.continuous_update(s, t.outcome, full(p), t.interval, enhanced)
        error = t.outcome - hat.muhat1
        weight = full(p).pi_u / new["pi1"]
        return {
            "belief": hat.muhat1, "prediction_error": error, "weight1": weight,
            "weighted_error": weight * error, "mu2": new["mu2"],
        }  # fmt: skip

    return Model(
        "ehgf_continuous" if enhanced else "hgf_continuous",
        ("Enhanced h" if enhanced else "H") + "ierarchical Gaussian filter of a number", free,
        (Choice("response", 0),), {"outcome": "the number that is shown"},
        lambda p: hgf.continuous_start(full(p), 2), policy,
        lambda s, t, p: hgf.continuous_update(s, t.outcome, full(p), t.interval, enhanced), shown,
        "Mathys et al. 2014, Front Hum Neurosci 8:825", optional={"interval": 1.0}, task="drifting",
        limits={"interval": (1e-6, np.inf)},
    )  # fmt: skip
