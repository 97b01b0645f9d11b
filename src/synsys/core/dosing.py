"""Doses of a drug, what remains of them over time, and the share of a target they hold.

One compartment with first-order absorption and elimination, or a constant-rate infusion, and an optional
effect site that follows with a lag (Bateman 1910 Proc Camb Phil Soc 15:423; Sheiner et al. 1979 Clin
Pharmacol Ther 25:358). Every response is a divided difference of the exponential function, which has no
singular case: equal rates are as good as different ones.
"""

from dataclasses import dataclass
from math import factorial, inf, isfinite

import numpy as np

from synsys.core.errors import UserError

_FORGOTTEN = 45.0
"""Time constants after which a dose is left out: exp(-45) is below the rounding of what remains."""


@dataclass(frozen=True)
class Dosing:
    """Doses of one drug, its kinetics, and how concentration becomes occupancy.

    Parameters
    ----------
    times : tuple of float
        When doses are taken, or infusions begin, days, ascending.
    amounts : tuple of float
        Size of each, in multiples of the reference dose, >= 0.
    elimination : float
        Rate of elimination, 1/day.
    absorption : float
        Rate of absorption, 1/day; infinite for a dose that is in blood at once.
    infusion : float
        Duration of each infusion, days; 0 for a dose at once.
    effect : float
        Rate at which the effect site equilibrates with blood, 1/day; infinite: no lag.
    ec50 : float
        Concentration at which half of the target is held, in the unit of `concentration`.
    hill : float
        Steepness.

    Raises
    ------
    UserError
        For lists of different lengths, times out of order, and numbers without meaning.
    """

    times: tuple[float, ...]
    amounts: tuple[float, ...]
    elimination: float
    absorption: float = inf
    infusion: float = 0.0
    effect: float = inf
    ec50: float = 1.0
    hill: float = 1.0

    def __post_init__(self) -> None:
        if not self.times or len(self.times) != len(self.amounts):
            raise UserError(
                f"{len(self.times)} dose times and {len(self.amounts)} amounts; one each is needed"
            )
        if not all(map(isfinite, self.times)) or any(np.diff(self.times) < 0):
            raise UserError("dose times must be finite and ascending")
        if not all(isfinite(x) and x >= 0 for x in self.amounts):
            raise UserError("a dose must be a finite number >= 0")
        if not (isfinite(self.elimination) and self.elimination > 0):
            raise UserError(f"rate of elimination {self.elimination!r} must be a finite number > 0")
        if not (self.absorption > 0 and self.effect > 0 and self.ec50 > 0 and self.hill > 0):
            raise UserError("rates of absorption and equilibration, EC50 and Hill coefficient must be > 0")
        if not (isfinite(self.infusion) and self.infusion >= 0):
            raise UserError(f"duration of infusion {self.infusion!r} must be a finite number >= 0")
        if self.infusion and isfinite(self.absorption):
            raise UserError("a dose is either infused or absorbed, not both")

    def concentration(self, t: np.ndarray | float, left: bool = False) -> np.ndarray:
        """Concentration at the effect site: all doses superposed.

        Parameters
        ----------
        t : array_like
            Days.
        left : bool
            Value just before a dose that falls on `t`, instead of just after.

        Returns
        -------
        ndarray, shape of `t`
            In multiples of (bioavailable reference dose) / (volume of distribution).
        """
        when = np.asarray(t, float)
        moments, times, amounts = np.ravel(when), np.asarray(self.times), np.asarray(self.amounts)
        slowest = min(self.elimination, self.absorption, self.effect)
        first = np.searchsorted(times, moments - self.infusion - _FORGOTTEN / slowest)
        last = np.searchsorted(times, moments, "left" if left else "right")
        which = first[:, None] + np.arange(int(np.max(last - first, initial=0)))
        known = which < last[:, None]
        which = np.minimum(which, times.size - 1)
        each = response(
            moments[:, None] - times[which],
            self.elimination,
            absorption=self.absorption,
            infusion=self.infusion,
            effect=self.effect,
        )
        return np.sum(np.where(known, amounts[which] * each, 0.0), axis=1).reshape(when.shape)

    def occupancy(self, t: np.ndarray | float, left: bool = False) -> np.ndarray:
        """Share of the target that is held, 0 to 1; arguments as `concentration`."""
        return occupancy(self.concentration(t, left), self.ec50, self.hill)

    def breakpoints(self) -> tuple[float, ...]:
        """Times at which the concentration or its slope jumps: doses, and ends of infusions."""
        ends = (time + self.infusion for time in self.times) if self.infusion else ()
        return tuple(sorted({*self.times, *ends}))


def response(
    t: np.ndarray | float,
    elimination: float,
    absorption: float = inf,
    infusion: float = 0.0,
    effect: float = inf,
) -> np.ndarray:
    """Concentration after one unit dose at time 0.

    Parameters
    ----------
    t : array_like
        Time since the dose, or since an infusion began; the response is 0 before.
    elimination, absorption, effect : float
        Rates, in the inverse of the unit of `t`; an infinite rate is an instantaneous step.
    infusion : float
        Duration over which the dose enters at a constant rate.

    Returns
    -------
    ndarray, shape of `t`
        In multiples of (bioavailable dose) / (volume of distribution). Without an effect site its integral
        is 1 / `elimination`, whatever the absorption.
    """
    when = np.asarray(t, float)
    steps = [absorption] * isfinite(absorption) + [elimination] + [effect] * isfinite(effect)
    gain = (absorption if isfinite(absorption) else 1.0) * (effect if isfinite(effect) else 1.0)
    if not infusion:
        return gain * _chain(when, steps)
    return gain * (_chain(when, [0.0, *steps]) - _chain(when - infusion, [0.0, *steps])) / infusion


def occupancy(concentration: np.ndarray | float, ec50: float, hill: float = 1.0) -> np.ndarray:
    """Share of a target that is held, C^n / (C^n + EC50^n) (Hill 1910).

    Parameters
    ----------
    concentration : array_like, >= 0
    ec50 : float
        In the same unit.
    hill : float
        n; 1 for simple binding.

    Returns
    -------
    ndarray, shape of `concentration`
    """
    relative = (np.maximum(np.asarray(concentration, float), 0.0) / ec50) ** hill
    return relative / (1.0 + relative)


def ec50_from(concentration: float, held: float, hill: float = 1.0) -> float:
    """EC50 at which `concentration` holds the share `held` (0 < held < 1) of the target."""
    return concentration * ((1.0 - held) / held) ** (1.0 / hill)


def absorption_rate(peak: float, elimination: float) -> float:
    """Rate of absorption at which the concentration after one dose peaks at time `peak`.

    The peak lies at ln(ka / ke) / (ka - ke) and, for absorption faster than elimination, before 1 / ke.

    Parameters
    ----------
    peak : float
        Time of the peak; 0 gives an infinite rate.
    elimination : float
        ke, in the inverse of the unit of `peak`.

    Raises
    ------
    UserError
        If the peak lies at or after 1 / `elimination`.
    """
    if peak == 0:
        return inf
    if not 0 < peak * elimination < 1:
        raise UserError(
            f"a peak at {peak:g} does not fit an elimination rate of {elimination:g}: it comes before "
            f"{1 / elimination:g}"
        )
    low, high = 0.0, 700.0  # ln(ka / ke)
    for _ in range(100):
        middle = (low + high) / 2
        late = middle / np.expm1(middle) > peak * elimination
        low, high = (middle, high) if late else (low, middle)
    return float(elimination * np.exp(low))


def _chain(t: np.ndarray, rates: list[float]) -> np.ndarray:
    """Content of the last of a chain of compartments after a unit dose into the first, transfers all 1.

    It is t^(n-1) times the divided difference of exp at -rates t.
    """
    after = np.maximum(t, 0.0)
    nodes = [-rate * after for rate in rates]
    if len(nodes) == 1:
        content = np.exp(nodes[0])
    elif len(nodes) == 2:
        content = after * _difference(nodes[0], nodes[1])
    else:
        content = after**2 * _second_difference(nodes[0], nodes[1], nodes[2])
    return np.where(t >= 0, content, 0.0)


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(e^a - e^b) / (a - b), e^a where they meet."""
    gap = np.abs(a - b)
    safe = np.where(gap > 0, gap, 1.0)
    return np.exp(np.maximum(a, b)) * np.where(gap > 0, -np.expm1(-safe) / safe, 1.0)


def _second_difference(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Second divided difference of exp; by its power series where the nodes lie close."""
    low, middle, high = np.sort(np.stack([a, b, c]), axis=0)
    spread = high - low
    apart = (_difference(middle, high) - _difference(low, middle)) / np.where(spread > 1, spread, 1.0)
    mean = (low + middle + high) / 3
    terms, total = [np.ones_like(mean)] * 3, np.full_like(mean, 0.5)
    deviations = [np.where(spread > 1, 0.0, node - mean) for node in (low, middle, high)]
    for k in range(1, 19):  # complete homogeneous symmetric polynomials of 1, 2, 3 deviations
        below = np.zeros_like(mean)
        for j, deviation in enumerate(deviations):
            below = below + deviation * terms[j]
            terms[j] = below
        total = total + terms[2] / factorial(k + 2)
    return np.where(spread > 1, apart, np.exp(mean) * total)
