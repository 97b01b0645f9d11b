"""What happens to a brain over time: courses, events, scenarios. Times are days since the start."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, inf, isfinite
from typing import Literal, get_args

import numpy as np

from synsys.core.dosing import Dosing
from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation

DAYS = {
    "s": 1 / 86400,
    "min": 1 / 1440,
    "h": 1 / 24,
    "d": 1.0,
    "wk": 7.0,
    "mo": 365.25 / 12,
    "y": 365.25,
}
"""Days of each unit of time; a month is a twelfth of a year of 365.25 days."""
CONCEPTION = -38 * 7 / 365.25
"""Age at conception, years: birth at 40 weeks after the last menstruation, 38 after conception."""
PRUNING = ("adolescence", "childhood")
"""Windows in which synapses may be pruned."""

Shape = Literal["constant", "pulse", "ramp", "daily", "kinetics"]
SHAPES: tuple[str, ...] = get_args(Shape)


@dataclass(frozen=True)
class Course:
    """Level of an exposure over time, 0 (none) to 1 (full).

    ``constant`` is 1 from `start` to `end`, with smooth edges where `rise` and `fall` are given;
    ``daily`` the same within each day, for `hours` from `at` hours after `start`;
    ``pulse`` the bump sin^2 that is 0 at `start` and `end` and 1 between them;
    ``ramp`` grows evenly from 0 at `start` to 1 at `end` and stays;
    ``kinetics`` is the occupancy that follows from doses and outlasts them.

    Parameters
    ----------
    shape : {"constant", "pulse", "ramp", "daily", "kinetics"}
    start, end : float
        Days; an infinite end never comes.
    rise, fall : float
        Duration of the edges, days; the rise begins at the start, the fall is over at the end.
    hours, at : float
        Of ``daily``: how many hours of each day, and beginning when.
    dosing : Dosing, optional
        Of ``kinetics``.

    Raises
    ------
    UserError
        For an unknown shape, an end before the start, edges longer than what they bound.
    """

    shape: Shape = "constant"
    start: float = 0.0
    end: float = inf
    rise: float = 0.0
    fall: float = 0.0
    hours: float = 24.0
    at: float = 0.0
    dosing: Dosing | None = None

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise unknown("shape", self.shape, SHAPES)
        if not (isfinite(self.start) and self.end > self.start):
            raise UserError(f"a course from day {self.start:g} to day {self.end:g} does not last")
        if self.shape in ("pulse", "ramp") and not isfinite(self.end):
            raise UserError(f"a {self.shape} needs an end")
        if (self.shape == "kinetics") != (self.dosing is not None):
            raise UserError("doses go with the shape kinetics, and kinetics need doses")
        if self.shape not in ("constant", "daily") and (self.rise or self.fall):
            raise UserError(f"a {self.shape} has its own edges; rise and fall go with constant and daily")
        if not (0 < self.hours <= 24 and self.at >= 0 and self.at + self.hours <= 24):
            raise UserError(f"{self.hours:g} hours from hour {self.at:g} do not lie within a day")
        lasts = self.hours / 24 if self.shape == "daily" else self.end - self.start
        if not (self.rise >= 0 and self.fall >= 0 and self.rise + self.fall <= lasts * (1 + 1e-9)):
            raise UserError(
                f"a rise of {span(self.rise)} and a fall of {span(self.fall)} do not fit into {span(lasts)}"
            )

    def level(self, t: np.ndarray | float, left: bool = False) -> np.ndarray:
        """Level at times `t`.

        Parameters
        ----------
        t : array_like
            Days.
        left : bool
            Where the level jumps, the value just before `t` instead of just after.

        Returns
        -------
        ndarray, shape of `t`
            0 to 1.
        """
        when = np.asarray(t, float)
        if self.dosing is not None:
            return self.dosing.occupancy(when, left)
        inside = (
            (when > self.start) & (when <= self.end) if left else (when >= self.start) & (when < self.end)
        )
        if self.shape == "ramp":
            return np.clip((when - self.start) / (self.end - self.start), 0.0, 1.0)
        if self.shape == "pulse":
            phase = np.clip((when - self.start) / (self.end - self.start), 0.0, 1.0)
            return np.sin(np.pi * phase) ** 2
        if self.shape == "constant":
            return np.where(inside, self._edges(when, self.start, self.end), 0.0)
        day = when - self.start - self.at / 24
        day = day - (np.ceil(day) - 1 if left else np.floor(day))
        within = (day > 0) & (day <= self.hours / 24) if left else day < self.hours / 24
        return np.where(inside & within, self._edges(day, 0.0, self.hours / 24), 0.0)

    def breakpoints(self, start: float, end: float) -> np.ndarray:
        """Times in [`start`, `end`] at which the level or its slope jumps, ascending, days."""
        return np.array(sorted({time for time in self._corners(start, end) if start <= time <= end}))

    def describe(self) -> str:
        """The course in words."""
        if self.dosing is not None:
            n, first, last = len(self.dosing.times), self.dosing.times[0], self.dosing.times[-1]
            return f"{n} doses, {when(first)} to {when(last)}" if n > 1 else f"one dose, {when(first)}"
        period = f"from {when(self.start)}" + (f" to {when(self.end)}" if isfinite(self.end) else " on")
        edges = [f"{name} {span(x)}" for name, x in (("rise", self.rise), ("fall", self.fall)) if x]
        kind = {
            "constant": "",
            "pulse": "pulse, ",
            "ramp": "ramp, ",
            "daily": f"{self.hours:g} h a day, ",
        }[self.shape]
        return kind + ", ".join([period, *edges])

    def _edges(self, t: np.ndarray, start: float, end: float) -> np.ndarray:
        up = np.clip((t - start) / self.rise, 0.0, 1.0) if self.rise else 1.0
        down = np.clip((end - t) / self.fall, 0.0, 1.0) if self.fall and isfinite(end) else 1.0
        return np.sin(np.pi / 2 * up) ** 2 * np.sin(np.pi / 2 * down) ** 2

    def _corners(self, start: float, end: float) -> Iterator[float]:
        if self.dosing is not None:
            yield from self.dosing.breakpoints()
            return
        if self.shape != "daily":
            yield from (self.start, self.end, self.start + self.rise, self.end - self.fall)
            return
        first, lasts = self.start + self.at / 24, self.hours / 24
        for day in range(max(0, floor(start - first)), max(0, floor(min(end, self.end) - first) + 1)):
            on = first + day
            for time in (on, on + self.rise, on + lasts - self.fall, on + lasts):
                if on < self.end:
                    yield min(time, self.end)


@dataclass(frozen=True)
class Event:
    """A perturbation that comes and goes.

    Parameters
    ----------
    label : str
        What it is called in tables and figures.
    perturbation : Perturbation
        At full level. A factor acts as factor^level, an increment as increment x level.
    course : Course
    kind : {"perturbation", "disorder", "drug", "exposure"}
    """

    label: str
    perturbation: Perturbation
    course: Course = Course()
    kind: Literal["perturbation", "disorder", "drug", "exposure"] = "perturbation"

    def move(self, t: np.ndarray | float, left: bool = False) -> np.ndarray:
        """What the event adds to the logarithm of its quantity (a factor) or to its value (an increment).

        Parameters
        ----------
        t : array_like
            Days.
        left : bool
            As `Course.level`.

        Returns
        -------
        ndarray, shape of `t`
        """
        full = np.log(self.perturbation.value) if self.perturbation.op == "*" else self.perturbation.value
        return full * self.course.level(t, left)


@dataclass(frozen=True)
class Scenario:
    """A list of events on one time axis, and how to run them.

    Parameters
    ----------
    name, text : str
        Short name; what it shows, in a sentence or two.
    duration : float
        Days.
    events : tuple of Event
    age : float or None
        Age at day 0, years from birth, negative before; None where age plays no part.
    development : bool
        Whether the brain ages along the healthy age curves.
    recursive : bool
        Whether activity feeds back on molecules.
    pruning : {"adolescence", "childhood"}
        When synapses are pruned (contradiction K06).
    report : tuple of float
        Days at which the whole brain is solved and every readout taken, ascending.
    brain : str or None
        Folder of a brain; None takes the embedded one.
    draws, seed : int or None
        None takes the command's own.
    sources : tuple of str
        Where the scenario comes from.

    Raises
    ------
    UserError
        If the duration is not > 0, the age lies outside conception to 120 years at any time, development
        is on without an age, or a report time lies outside the scenario.
    """

    name: str
    text: str
    duration: float
    events: tuple[Event, ...] = ()
    age: float | None = None
    development: bool = False
    recursive: bool = True
    pruning: str = "adolescence"
    report: tuple[float, ...] = ()
    brain: str | None = None
    draws: int | None = None
    seed: int | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (isfinite(self.duration) and self.duration > 0):
            raise UserError(f"duration {self.duration!r} must be a finite number of days > 0")
        if self.pruning not in PRUNING:
            raise unknown("pruning window", self.pruning, PRUNING)
        if self.age is None and self.development:
            raise UserError("development needs an age at the start")
        if self.age is not None and not self.age >= CONCEPTION - 1e-9:
            raise UserError(f"age {self.age:g} y lies before conception ({CONCEPTION:.2f} y)")
        if self.age is not None and not self.age + self.duration / 365.25 <= 120:
            raise UserError(
                f"the scenario ends at age {self.age + self.duration / 365.25:g} y; at most 120 y"
            )
        for time in self.report:
            if not 0 <= time <= self.duration:
                raise UserError(f"report time {when(time)} lies outside 0 to {span(self.duration)}")
        if any(np.diff(self.report) <= 0):
            raise UserError("report times must ascend")

    def age_at(self, t: np.ndarray | float) -> np.ndarray:
        """Age at times `t` (days), years; NaN where the scenario has no age."""
        return np.asarray(t, float) / 365.25 + (np.nan if self.age is None else self.age)

    def breakpoints(self) -> np.ndarray:
        """Times within the scenario on which a solver has to land, ascending, days.

        The start, the end, every report time, where the level of an event or its slope jumps, and the height
        of a pulse, which is 0 at both its ends.
        """
        courses = [event.course for event in self.events]
        corners = [course.breakpoints(0.0, self.duration) for course in courses]
        heights = [0.5 * (course.start + course.end) for course in courses if course.shape == "pulse"]
        inside = [t for t in heights if 0 <= t <= self.duration]
        return np.unique(np.concatenate([[0.0, self.duration], self.report, inside, *corners]))

    def describe(self) -> str:
        """The scenario in words, one line for each event."""
        age = "" if self.age is None else f", from age {age_text(self.age)}"
        switches = [
            "development on" if self.development else "",
            f"pruning in {self.pruning}" if self.pruning != PRUNING[0] else "",
            "" if self.recursive else "no feedback from activity",
        ]
        head = f"{self.name}: {span(self.duration)}{age}" + "".join(f", {s}" for s in switches if s)
        lines = [head, *([self.text] if self.text else [])]
        for event in self.events:
            name = "" if event.label == str(event.perturbation) else f"{event.label}: "
            lines.append(f"  {name}{event.perturbation}, {event.course.describe()}")
        return "\n".join(lines)


def span(days: float) -> str:
    """A duration in the largest unit that keeps it at 1 or more: ``6 wk``, ``40 min``."""
    if days == 0:
        return "0 d"
    for unit in ("y", "mo", "wk", "d", "h", "min"):
        n = days / DAYS[unit]
        if abs(n) >= 1 and (abs(n - round(n)) < 1e-6 or unit not in ("mo", "wk")):
            return f"{n:.6g} {unit}" if abs(n - round(n)) < 1e-6 else f"{n:.3g} {unit}"
    return f"{days / DAYS['s']:.3g} s"


def when(days: float) -> str:
    """A time since the start in words: ``day 14``, ``6 h``."""
    return f"day {days:g}" if days == 0 or abs(days) >= 1 else span(days)


def age_text(years: float) -> str:
    """An age in words: ``35 y``, or ``gestation 20 wk`` before birth."""
    return f"{years:g} y" if years >= 0 else f"gestation {40 + years * 365.25 / 7:.3g} wk"
