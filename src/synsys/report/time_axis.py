"""A time axis that suits a scenario: even, or stretched after each change of an exposure."""

from __future__ import annotations

from collections.abc import Sequence
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
MOST_PARTS = 4
LEAST_PART = 0.02
"""Changes of exposures closer to each other than this part of the scenario share a part of the axis, which
always begins anew with the first exposure."""


@dataclass(frozen=True)
class TimeAxis:
    """Where a time lies on the page.

    Attributes
    ----------
    end : float
        Days; the start is 0.
    edges : tuple of float
        Where the parts of a stretched axis begin, days, the first at 0.
    linear : float
        Distance from the beginning of a part up to which it is about even, beyond it logarithmic, days; 0
        for an even axis.
    """

    end: float
    edges: tuple[float, ...] = (0.0,)
    linear: float = 0.0

    def place(self, days: np.ndarray | float | Sequence[float]) -> np.ndarray:
        """Position of times, increasing."""
        time = np.asarray(days, float)
        if not self.linear:
            return time
        bounds = np.array([*self.edges, max(self.end, self.edges[-1])])
        widths = np.log10(1 + np.diff(bounds) / self.linear)
        before = np.concatenate([[0.0], np.cumsum(widths)])
        part = np.clip(np.searchsorted(bounds, time, side="right") - 1, 0, len(self.edges) - 1)
        away = np.maximum(time - bounds[part], 0.0)
        return before[part] + np.log10(1 + away / self.linear)

    def grid(self, number: int) -> np.ndarray:
        """Times (number,) that lie evenly on the page."""
        if not self.linear:
            return np.linspace(0.0, self.end, number)
        position = np.linspace(0.0, float(self.place(self.end)), number)
        starts = self.place(self.edges)
        part = np.clip(np.searchsorted(starts, position, side="right") - 1, 0, None)
        away = self.linear * (10 ** (position - starts[part]) - 1)
        return np.minimum(np.array(self.edges)[part] + away, self.end)

    def ticks(self, apart: float = 0.105) -> tuple[np.ndarray, list[str]]:
        """Positions and labels of ticks that lie at least `apart` of the axis from each other.

        In a stretched axis the beginning of each part is labelled by the time since the start, ticks within
        it by the time since its beginning, with a plus sign.
        """
        wanted: list[tuple[float, str]] = []
        if self.linear:
            wanted = [(edge, span(edge)) for edge in self.edges] + [(self.end, span(self.end))]
            for edge, until in zip(self.edges, [*self.edges[1:], self.end], strict=True):
                plus = "+" if edge else ""
                away = [time for time in _NAMED[::-1] if self.linear / 2 < time < until - edge]
                wanted += [(edge + time, plus + span(time)) for time in away]
        else:
            step = _step(self.end / 8)
            wanted = [(time, span(time)) for time in np.arange(0, self.end * (1 + 1e-9), step)]
        gap = apart * float(self.place(self.end))
        chosen: list[tuple[float, str]] = []
        for time, label in wanted:
            if all(abs(self.place(time) - self.place(other)) >= gap for other, _ in chosen):
                chosen.append((float(time), label))
        chosen.sort()
        return self.place([time for time, _ in chosen]), [label for _, label in chosen]

    @property
    def words(self) -> str:
        """What the axis shows, for its caption."""
        if not self.linear:
            return "The time axis is even."
        anew = ", ".join(map(span, self.edges[1:]))
        parts = f" It begins anew where an exposure changes ({anew}); a plus sign counts from there."
        return (
            f"The time axis is stretched, because much happens early: even up to about {span(self.linear)}, "
            f"logarithmic beyond.{parts if anew else ''}"
        )

    @property
    def label(self) -> str:
        """What stands beside the axis."""
        return "time since the start" + (" (stretched: logarithmic)" if self.linear else "")


def _step(least: float) -> float:
    """The next time that people name above a distance of ticks."""
    most = _NAMED[-1]
    return next((time for time in _NAMED if time >= least), float(most * np.ceil(least / most)))


def time_axis(duration: float, changes: Sequence[float], moments: np.ndarray) -> TimeAxis:
    """Choose the axis of a scenario.

    Parameters
    ----------
    duration : float
        Days.
    changes : sequence of float
        Starts and ends of exposures, days.
    moments : ndarray
        Times at which movements are half over, days; NaN is left out.

    Returns
    -------
    TimeAxis
        Stretched if a quarter of the movements are half over within a twentieth of the scenario after the
        last change of an exposure before them: down to a third of the fastest, in at most four parts that
        begin at changes of exposures. Else even.
    """
    first = min(changes, default=0.0)
    edges = [0.0, float(first)] if 0 < first < duration else [0.0]
    for time in sorted(changes):
        if edges[-1] + LEAST_PART * duration < time < (1 - LEAST_PART) * duration and len(edges) < MOST_PARTS:
            edges.append(float(time))
    known = moments[np.isfinite(moments)]
    begun = np.array(sorted({0.0, *(float(time) for time in changes)}))
    after = known - begun[np.clip(np.searchsorted(begun, known, side="right") - 1, 0, None)]
    after = after[after > 0]
    if not after.size or np.mean(after < EARLY * duration) < SHARE:
        return TimeAxis(duration)
    least = max(float(after.min()) / 3, duration * 1e-7, _NAMED[0])
    return TimeAxis(duration, tuple(edges), max(time for time in _NAMED if time <= least))
