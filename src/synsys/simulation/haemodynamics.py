"""Haemodynamics: the balloon model, from neural drive to the BOLD signal.

Friston, Harrison & Penny 2003 (NeuroImage 19:1273, eqs. 3-4, with its prior means), with the revised signal
coefficients of Stephan et al. 2007 (NeuroImage 38:387, eq. 12).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from synsys.core.errors import UserError
from synsys.simulation.model import Model, Parameter


@dataclass(frozen=True)
class Haemodynamics:
    """Parameters of the balloon model; each a number or one value per region, (R,).

    Defaults are the prior means of Friston et al. 2003 (kappa, gamma, tau, alpha, rho, V0) and the
    constants for 1.5 T of Stephan et al. 2007 (echo_time, offset, slope, epsilon).

    Attributes
    ----------
    kappa : float or ndarray
        Decay of the vasodilatory signal, 1/s.
    gamma : float or ndarray
        Autoregulation by flow, 1/s^2.
    tau : float or ndarray
        Transit time of blood through the venous compartment, s.
    alpha : float or ndarray
        Grubb's exponent, volume = flow^alpha in the steady state.
    rho : float or ndarray
        Resting oxygen extraction fraction.
    v0 : float or ndarray
        Resting venous blood volume fraction.
    epsilon : float or ndarray
        Ratio of intra- to extravascular signal.
    echo_time : float
        s.
    offset : float
        Frequency offset at the surface of magnetised vessels, Hz.
    slope : float
        Slope of the intravascular relaxation rate with oxygen saturation, Hz.
    gain : float or ndarray
        Vasodilatory signal per unit neural drive, relative to health (neurovascular coupling).
    delay : float or ndarray
        Delay of the vasodilatory signal behind neural drive, s.
    dispersion : float or ndarray
        Standard deviation of an exponential spread of the response, s; it also delays by as much.
    """

    kappa: float | np.ndarray = 0.65
    gamma: float | np.ndarray = 0.41
    tau: float | np.ndarray = 0.98
    alpha: float | np.ndarray = 0.32
    rho: float | np.ndarray = 0.34
    v0: float | np.ndarray = 0.02
    epsilon: float | np.ndarray = 1.0
    echo_time: float = 0.04
    offset: float = 40.3
    slope: float = 25.0
    gain: float | np.ndarray = 1.0
    delay: float | np.ndarray = 0.0
    dispersion: float | np.ndarray = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            free = name in ("delay", "dispersion", "gain", "epsilon")
            least = -np.inf if name == "delay" else 0.0
            array = np.asarray(value, float)
            if array.ndim > 1:
                raise UserError(f"{name}: shape {array.shape}, but one number or one per region is needed")
            if not (np.isfinite(array).all() and (array >= least).all() and (free or (array > 0).all())):
                raise UserError(f"{name} = {value!r}: finite numbers {'>= 0' if free else '> 0'} are needed")
        if not (np.asarray(self.rho) < 1).all():
            raise UserError(f"rho = {self.rho!r}: an oxygen extraction fraction is below 1")


def coefficients(p: Any) -> tuple[Any, Any, Any]:
    """k1, k2, k3 of the signal equation (Stephan et al. 2007, eq. 12)."""
    k1 = 4.3 * p.offset * p.rho * p.echo_time
    k2 = p.epsilon * p.slope * p.rho * p.echo_time
    return k1, k2, 1.0 - p.epsilon


def balloon(x: np.ndarray, drive: float | np.ndarray, p: Haemodynamics) -> np.ndarray:
    """Time derivative of the balloon model (without delay and dispersion).

    Parameters
    ----------
    x : ndarray, (4, ...)
        Vasodilatory signal s, flow f, volume v, deoxyhaemoglobin q; rest is (0, 1, 1, 1).
    drive : float or ndarray
        Neural drive about its mean, any unit.
    p : Haemodynamics

    Returns
    -------
    ndarray, (4, ...)
        Derivative per second.
    """
    s, f, v, q = x
    out = v ** (1 / p.alpha)
    extraction = (1 - (1 - p.rho) ** (1 / f)) / p.rho
    return np.stack([
        p.gain * drive - p.kappa * s - p.gamma * (f - 1),
        s,
        (f - out) / p.tau,
        (f * extraction - out * q / v) / p.tau,
    ])  # fmt: skip


def bold_signal(x: np.ndarray, p: Haemodynamics) -> np.ndarray:
    """Relative BOLD signal change of a haemodynamic state (4, ...), (...)."""
    k1, k2, k3 = coefficients(p)
    v, q = x[2], x[3]
    return p.v0 * (k1 * (1 - q) + k2 * (1 - q / v) + k3 * (1 - v))


LINEAR = ("delay", "dispersion")
"""What only the linear solution has."""


WITHIN = (0.1, 10.0)
"""Flow, volume and deoxyhaemoglobin of the kernel stay within these multiples of rest: a strong fall of the
drive would turn flow negative, where the equations have no meaning (declared)."""


def _whole(x: Any) -> Any:
    return np.stack([x.signal, *(x.vessel[k] for k in range(3))])


def _drift(x: Any, p: Any, u: Any) -> Any:
    return [balloon(_whole(x), u.drive - p.baseline, p)]


balloon_model = Model(
    name="balloon",
    states={"signal": 0.0, "vessel": np.ones(3)},
    parameters={
        **{
            f.name: Parameter(f.default)
            for f in fields(Haemodynamics)
            if f.name not in ("delay", "dispersion")
        },
        "baseline": Parameter(0.0, "unit of the drive", "drive at which flow is at rest"),
    },
    drift=_drift,
    emits=lambda x, p: {},
    observed=lambda x, p, u: {"bold": bold_signal(_whole(x), p)},
    bounds={"vessel": WITHIN},
    stimuli={"drive": ()},
)
"""The balloon for the kernel; times in seconds."""


@dataclass(frozen=True, eq=False)
class Scan:
    """BOLD inside the loop.

    Attributes
    ----------
    drive : str
        What drives it: one of the model's `observed`, mean over each step of the balloon.
    repetition : float
        Time between scans, ms.
    step : float
        Step of the balloon, ms.
    parameters : mapping
        Of `balloon_model`; broadcast to (batch, nodes).
    """

    drive: str
    repetition: float = 720.0
    step: float = 1.0
    parameters: Mapping[str, Any] = field(default_factory=dict)
