"""A time axis that suits a scenario: even, or stretched near the first exposure when much happens early."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synsys.core.show import span

_NAMED = (
    *(n / 86400 for n in (1, 10)), *(n / 1440 for n in (1, 5, 15)), *(n / 24 for n in (1, 3, 6)),
    *(1.0, 2.0, 4.0), *(n * 7.0 for n in (1, 2, 4, 8, 12, 26)),
    *(n * 365.25 for n in (1, 2, 5, 10, 20, 50)),
)  # fmt: skip
"""Times that people name, in days."""
EARLY, SHARE = 0.05, 0.25
"""The axis is stretched if this share of all movements is half over within this part of the scenario."""
_APART = 0.075
"""Least distance of two ticks, as a share of the axis."""


@dataclass(frozen=True)
class TimeAxis:
    """Where a time lies on the page.

    Attributes
    ----------
    start, end : float
        Days.
    origin : float
        Time around which a stretched axis is stretched, days.
    linear : float
        Distance from the origin up to which a stretched axis is about linear, beyond it logarithmic, days;
        0 for an even axis.
    """

    start: float
    end: float
    origin: float = 0.0
    linear: float = 0.0

    def place(self, days: np.ndarray | float) -> np.ndarray:
        """Position of times, increasing."""
        away = np.asarray(days, float) - self.origin
        if not self.linear:
            return away
        return np.sign(away) * np.log10(1 + np.abs(away) / self.linear)

    def ticks(self) -> tuple[np.ndarray, list[str]]:
        """Positions and labels of ticks that do not crowd."""
        low, high = self.place([self.start, self.end])
        if self.linear:
            away = [time for time in _NAMED[::-1] if time > self.linear / 2]
            later, earlier = ([self.origin + side * time for time in away] for side in (1, -1))
            wanted = [self.origin, self.end, *later, *earlier, self.start]
        else:
            step = _step((self.end - self.start) / 8)
            wanted = list(np.arange(0, self.end + step / 2, step)) + list(np.arange(-step, self.start, -step))
        chosen: list[float] = []
        for time in wanted:
            inside = self.start - 1e-9 <= time <= self.end * (1 + 1e-9)
            gap = _APART * (high - low)
            if inside and all(abs(self.place(time) - self.place(t)) >= gap for t in chosen):
                chosen.append(float(time))
        chosen.sort()
        plus = "+" if self.linear and self.origin > 0 else ""
        labels = [
            span(0.0)
            if t == 0 and not plus
            else plus * (t > self.origin) + span(t - (self.origin if plus else 0.0))
            for t in chosen
        ]
        return self.place(np.array(chosen)), labels

    @property
    def words(self) -> str:
        """What the axis shows, for its caption."""
        if not self.linear:
            return "The time axis is even."
        since = "the start" if self.origin == 0 else "the first exposure"
        return (
            f"The time axis is stretched, because much happens early: even up to about {span(self.linear)} "
            f"from {since}, logarithmic beyond."
        )

    @property
    def label(self) -> str:
        """What stands beside the axis."""
        since = "first exposure" if self.linear and self.origin > 0 else "start"
        return f"time since the {since}" + (" (stretched: logarithmic)" if self.linear else "")


def _step(least: float) -> float:
    """The next time that people name above a distance of ticks."""
    most = _NAMED[-1]
    return next((time for time in _NAMED if time >= least), float(most * np.ceil(least / most)))


def time_axis(duration: float, first: float, moments: np.ndarray) -> TimeAxis:
    """Choose the axis of a scenario.

    Parameters
    ----------
    duration : float
        Days.
    first : float
        Start of the first exposure, days.
    moments : ndarray
        Times at which movements are half over, days; NaN is left out.

    Returns
    -------
    TimeAxis
        Stretched about `first` if a quarter of the movements are half over within a twentieth of the
        scenario after it, down to a third of the fastest; else even.
    """
    after = moments[np.isfinite(moments)] - first
    after = after[after > 0]
    if not after.size or np.mean(after < EARLY * duration) < SHARE:
        return TimeAxis(0.0, duration)
    least = max(float(after.min()) / 3, duration * 1e-7, _NAMED[0])
    return TimeAxis(0.0, duration, max(first, 0.0), max(time for time in _NAMED if time <= least))
