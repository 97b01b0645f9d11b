"""Times in a scenario file: durations, ages, weeks of gestation, moments since the start."""

import re
from math import inf

from synsys.core.scenario import CONCEPTION, DAYS
from synsys.knowledge.located import Located

_UNITS = {
    **DAYS,
    **{name: DAYS["s"] for name in ("second", "seconds", "sec")},
    **{name: DAYS["min"] for name in ("minute", "minutes")},
    **{name: DAYS["h"] for name in ("hour", "hours")},
    **{name: DAYS["d"] for name in ("day", "days")},
    **{name: DAYS["wk"] for name in ("week", "weeks")},
    **{name: DAYS["mo"] for name in ("month", "months")},
    **{name: DAYS["y"] for name in ("year", "years", "yr")},
}
_SPAN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([A-Za-z]*)")


def age_at_start(node: Located, duration: float) -> float:
    """Age at day 0, years from birth, of a scenario that lasts `duration` days.

    Raises
    ------
    UserError
        If it is no age (``35 y``, ``gestation 20 wk``), or the scenario would leave conception to 120 years.
    """
    text = node.text("age")
    years = _gestation(node, text)
    if years is None:
        years = days_of(node, text.removeprefix("age "), "age") / DAYS["y"]
    if not CONCEPTION - 1e-9 <= years <= 120:
        raise node.error(f"age {text} lies outside gestation 2 wk to 120 y")
    if years + duration / DAYS["y"] > 120:
        raise node.error(f"the scenario would end at age {years + duration / DAYS['y']:.4g} y; at most 120 y")
    return max(years, CONCEPTION)


def moment(node: Located, what: str, age: float | None) -> float:
    """Days since the start, from ``2 wk``, ``age 15 y`` or ``gestation 16 wk``.

    Parameters
    ----------
    node : Located
    what : str
        What messages call it.
    age : float or None
        Age at day 0, years; needed where the moment is an age.

    Raises
    ------
    UserError
        If it is no time, or an age in a scenario without one.
    """
    text = node.text(what)
    years = _gestation(node, text)
    if years is None and text.startswith("age "):
        years = days_of(node, text.removeprefix("age "), what) / DAYS["y"]
    if years is None:
        return days_of(node, text, what)
    if age is None:
        raise node.error(f"{text!r} needs the age at the start of the scenario (age: ...)")
    days = (years - age) * DAYS["y"]
    return 0.0 if abs(days) < 1e-6 else days


def _gestation(node: Located, text: str) -> float | None:
    """Age in years from weeks since the last menstruation, birth at 40; None for any other text."""
    if not text.startswith("gestation "):
        return None
    days = days_of(node, text.removeprefix("gestation "), "gestation")
    if not 14 <= days <= 280:
        raise node.error(f"{text!r} lies outside gestation 2 wk (conception) to 40 wk (birth)")
    return (days - 280) / DAYS["y"]


def positive(node: Located, what: str, unit: str | None = None) -> float:
    """As `duration_of`, but longer than 0."""
    days = duration_of(node, what, unit)
    if not days > 0:
        raise node.error(f"{what} must be longer than 0")
    return days


def duration_of(node: Located, what: str, unit: str | None = None) -> float:
    """Length of a time, days, at least 0; UserError for anything else.

    A bare number counts in `unit` if one is given, else only 0 needs none.
    """
    days = days_of(node, node.text(what), what, unit)
    if not 0 <= days < inf:
        raise node.error(f"{what} must be a finite time of at least 0")
    return days


def days_of(node: Located, text: str, what: str, unit: str | None = None) -> float:
    """Days that `text` says, of either sign; `node` is where it stands, the rest as `duration_of`."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise node.error(f"{what}: {text!r} is no time (accepted: a number and one of {', '.join(DAYS)})")
    number, given = float(match[1]), match[2] or unit or ""
    if not given and number == 0:
        return 0.0
    if given not in _UNITS:
        named = repr(given) if given else "none"
        raise node.error(f"{what}: the unit of {text!r} is one of {', '.join(DAYS)}, not {named}")
    days = number * _UNITS[given]
    if abs(days) > 1e9:
        raise node.error(f"{what}: {text} is too long")
    return days
