"""Scenario files: what happens to a brain and when, as YAML, checked before any work is done."""

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from itertools import count, takewhile
from math import inf
from pathlib import Path

from synsys.core.errors import UserError, closest, unknown
from synsys.core.perturbation import Perturbation
from synsys.core.scenario import PRUNING, SHAPES, Course, Event, Scenario, span, when
from synsys.knowledge.load import vocabulary
from synsys.knowledge.located import Located, locate
from synsys.knowledge.mechanisms import disorders
from synsys.knowledge.pharmacology import Drug, drug
from synsys.knowledge.resolve import parse_perturbation
from synsys.knowledge.timing import age_at_start, duration_of, moment, positive

KINDS = ("perturb", "disorder", "drug", "exposure")
"""Keys of an event that say what happens; each event has exactly one."""
TIMES = ("from", "to", "for")
EDGES = ("rise", "fall", "hours", "at", "course")
KEYS = {
    "perturb": (*TIMES, *EDGES, "label"),
    "exposure": (*TIMES, *EDGES, "label"),
    "disorder": (*TIMES, *EDGES, "label"),
    "drug": (*TIMES, "dose", "every", "label"),
}
"""What may stand beside each kind of event."""
TOP = (
    "name", "description", "sources", "duration", "age", "development", "recursive", "pruning",
    "events", "report", "brain", "draws", "seed",
)  # fmt: skip
MOST_REPORTS = 1000
MOST_DOSES = 20_000
REPORTS = 7
"""How many times are reported, evenly spaced, where the file does not say."""

_EXPOSED = ("environment", "development")


def shipped() -> tuple[str, ...]:
    """Names of the scenarios that come with the package."""
    folder = resources.files("synsys.knowledge") / "scenarios"
    return tuple(sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".yaml")))


def open_scenario(name: str | Path) -> Scenario:
    """A scenario that comes with the package, or one from a file.

    Parameters
    ----------
    name : str or Path
        One of `shipped`, or the path of a YAML file.

    Raises
    ------
    UserError
        If there is neither, or the file is not a scenario (`read_scenario`).
    """
    text = str(name)
    if isinstance(name, str) and name in shipped():
        source = resources.files("synsys.knowledge") / "scenarios" / f"{name}.yaml"
        return read_scenario(source.read_text(encoding="utf-8"), f"{name}.yaml")
    path = Path(text)
    if "\0" in text or not path.exists():
        if path.suffix or len(path.parts) > 1:
            near = closest(path.stem, shipped())
            raise UserError(f"{text}: no such file{near}; shipped scenarios: {', '.join(shipped())}")
        raise unknown("scenario", text, shipped(), hint="or give the path of a YAML file")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a UTF-8 text file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    return read_scenario(content, str(path))


def read_scenario(text: str, filename: str = "scenario.yaml") -> Scenario:
    """A scenario from the text of a YAML file; ``docs/scenarios.md`` has the schema.

    Parameters
    ----------
    text : str
    filename : str
        What messages call the file; its stem names the scenario if no ``name`` does.

    Returns
    -------
    Scenario
        Names resolved to those of ``vocabulary.csv``, times in days. A disorder becomes one event for each
        row of its profile, a drug one for each of its actions; all doses of one drug go into one course.

    Raises
    ------
    UserError
        For anything outside the schema: the text names file, line, column, what was given and what is
        accepted.
    """
    root = locate(text, filename)
    fields = root.fields(TOP, "a scenario")
    if "duration" not in fields:
        raise root.error("a scenario needs a duration, for example duration: 6 wk")
    duration = positive(fields["duration"], "duration")
    age = age_at_start(fields["age"], duration) if "age" in fields else None
    development = "development" in fields and fields["development"].flag("development")
    if development and age is None:
        raise fields["development"].error("development needs the age at the start, for example age: 15 y")
    pruning = fields["pruning"].text("pruning") if "pruning" in fields else PRUNING[0]
    if pruning not in PRUNING:
        raise fields["pruning"].error(unknown("pruning window", pruning, PRUNING))
    events = _events(fields["events"], duration, age) if "events" in fields else ()
    report = fields.get("report")
    return Scenario(
        name=fields["name"].text("name") if "name" in fields else Path(filename).stem,
        text=" ".join(fields["description"].text("description").split()) if "description" in fields else "",
        duration=duration,
        events=events,
        age=age,
        development=development,
        recursive=fields["recursive"].flag("recursive") if "recursive" in fields else True,
        pruning=pruning,
        report=_spaced(REPORTS, duration) if report is None else _report(report, duration, age),
        brain=fields["brain"].text("brain") if "brain" in fields else None,
        draws=fields["draws"].whole("draws", 1, 100_000) if "draws" in fields else None,
        seed=fields["seed"].whole("seed", 0, 2**63 - 1) if "seed" in fields else None,
        sources=_texts(fields["sources"], "sources") if "sources" in fields else (),
    )


def _events(node: Located, duration: float, age: float | None) -> tuple[Event, ...]:
    """Events in the order of the file; all doses of one drug as one course where it comes first."""
    found: dict[tuple[str, int], list[Event]] = {}
    doses: dict[str, list[tuple[float, float, str]]] = {}
    for position, item in enumerate(node.items("events")):
        fields = item.fields(
            (*KINDS, *dict.fromkeys(key for keys in KEYS.values() for key in keys)), "an event"
        )
        kinds = [kind for kind in KINDS if kind in fields]
        if len(kinds) != 1:
            given = f"has {' and '.join(kinds)}" if kinds else "says nothing"
            raise item.error(f"an event needs exactly one of {', '.join(KINDS)}; this one {given}")
        kind = kinds[0]
        for key, value in fields.items():
            if key != kind and key not in KEYS[kind]:
                raise value.error(f"{key!r} does not go with {kind} (accepted: {', '.join(KEYS[kind])})")
        start, end = _period(item, fields, duration, age)
        label = fields["label"].text("label") if "label" in fields else ""
        if kind == "drug":
            actions = _drug(fields["drug"])
            found.setdefault((actions[0].drug, -1), [])
            taken = _doses(item, fields, actions[0], start, end)
            doses.setdefault(actions[0].drug, []).extend((*dose, label) for dose in taken)
        else:
            course = _course(item, fields, start, end, duration)
            found[kind, position] = list(_changes(kind, fields[kind], label, course))
    for name, every in doses.items():
        found[name, -1] = _drug_events(drug(name), every)
    return _told_apart([event for events in found.values() for event in events])


def _told_apart(events: list[Event]) -> tuple[Event, ...]:
    """Events with labels that are all different: a second of the same name gains its number."""
    seen: dict[str, int] = {}
    told = []
    for event in events:
        n = seen[event.label] = seen.get(event.label, 0) + 1
        told.append(event if n == 1 else replace(event, label=f"{event.label} ({n})"))
    return tuple(told)


def _drug_events(actions: tuple[Drug, ...], taken: list[tuple[float, float, str]]) -> list[Event]:
    ordered = sorted(taken)
    label = next((label for *_, label in taken if label), actions[0].drug)
    times, amounts = [dose[0] for dose in ordered], [dose[1] for dose in ordered]
    return [
        Event(
            label if len(actions) == 1 else f"{label}: {action.quantity}",
            action.perturbation,
            Course("kinetics", start=times[0], dosing=action.dosing(times, amounts)),
            "drug",
        )
        for action in actions
    ]


def _changes(kind: str, node: Located, label: str, course: Course) -> Iterator[Event]:
    text = node.text(kind)
    if kind == "disorder":
        name = _disorder(node, text)
        for row in disorders():
            if row.disorder == name:
                cell, where = row.cell or None, row.where or None
                change = Perturbation(row.name, row.value, row.op, cell, where, row.sd, row.grade, row.source)
                yield Event(f"{label or name}: {row.name}", change, course, "disorder")
        return
    with node.located():
        change = parse_perturbation(text)
    if kind == "perturb":
        yield Event(label or str(change), change, course)
        return
    level = vocabulary()[change.name].level
    if level not in _EXPOSED:
        raise node.error(f"{change.name} ({level}) is no exposure; use perturb: {text}")
    yield Event(label or change.name, change, course, "exposure")


def _disorder(node: Located, text: str) -> str:
    names: dict[str, str] = {}
    for name in dict.fromkeys(row.disorder for row in disorders()):
        row = vocabulary()[name]
        names |= {alias.casefold(): name for alias in (name, name.removeprefix("disorder_"), *row.aliases)}
    if text.casefold() not in names:
        raise node.error(unknown("disorder", text, names, listed=dict.fromkeys(names.values())))
    return names[text.casefold()]


def _drug(node: Located) -> tuple[Drug, ...]:
    with node.located():
        return drug(node.text("drug"))


def _period(
    item: Located, fields: dict[str, Located], duration: float, age: float | None
) -> tuple[float, float]:
    """Start and end of an event, days; the end is that of the scenario where none is given."""
    start = moment(fields["from"], "from", age) if "from" in fields else 0.0
    if not 0 <= start < duration:
        place = fields.get("from", item)
        raise place.error(f"the event begins at {when(start)}, outside the scenario (0 to {span(duration)})")
    if "to" in fields and "for" in fields:
        raise fields["for"].error("give either to or for")
    if "to" in fields:
        end, place = moment(fields["to"], "to", age), fields["to"]
    elif "for" in fields:
        end, place = start + positive(fields["for"], "for"), fields["for"]
    else:
        return start, duration
    if end <= start:
        raise place.error(f"the event ends at {when(end)}, not after it begins ({when(start)})")
    if end > duration * (1 + 1e-9):
        raise place.error(f"the event ends at {when(end)}, after the scenario ({span(duration)})")
    return start, min(end, duration)


def _course(item: Located, fields: dict[str, Located], start: float, end: float, duration: float) -> Course:
    shape = fields["course"].text("course") if "course" in fields else "constant"
    shapes = [name for name in SHAPES if name != "kinetics"]
    if shape not in shapes:
        raise fields["course"].error(unknown("course", shape, shapes))
    for key in ("hours", "at"):
        if key in fields and shape != "daily":
            raise fields[key].error(f"{key} goes with course: daily, not with {shape}")
    hours = 24 * positive(fields["hours"], "hours", "h") if "hours" in fields else 24.0
    at = 24 * duration_of(fields["at"], "at", "h") if "at" in fields else 0.0
    rise = duration_of(fields["rise"], "rise") if "rise" in fields else 0.0
    fall = duration_of(fields["fall"], "fall") if "fall" in fields else 0.0
    place = next((fields[key] for key in (*EDGES, *TIMES) if key in fields), item)
    with place.located():
        course = Course(shape, start, end, rise, fall, hours, at)  # type: ignore[arg-type]
    lasts = shape in ("constant", "daily") and end >= duration and not fall
    return replace(course, end=inf) if lasts else course


def _doses(
    item: Located, fields: dict[str, Located], row: Drug, start: float, end: float
) -> list[tuple[float, float]]:
    """(day, dose) of every dose from `start` until before `end`."""
    amount = _amount(fields["dose"], row) if "dose" in fields else row.dose
    every = positive(fields["every"], "every") if "every" in fields else row.interval / 24
    if not every:
        if "to" in fields or "for" in fields:
            place = fields["to"] if "to" in fields else fields["for"]
            raise place.error(f"{row.drug} is given once unless every: says how often; to and for need it")
        return [(start, amount)]
    if (end - start) / every > MOST_DOSES:
        raise fields.get("every", item).error(f"more than {MOST_DOSES} doses")
    return [
        (time, amount) for time in takewhile(lambda t: t < end - 1e-9, (start + i * every for i in count()))
    ]


def _amount(node: Located, row: Drug) -> float:
    text = node.text("dose")
    match = re.fullmatch(r"([\d.]+(?:[eE][+-]?\d{1,3})?)\s*(\S*)", text)
    try:
        value = float(match[1]) if match else 0.0
    except ValueError:
        value = 0.0
    if match is None or match[2] != row.unit or not 0 < value < inf:
        raise node.error(
            f"the dose of {row.drug} is a number > 0 in {row.unit} (dose: {row.dose:g} {row.unit})"
        )
    return value


def _report(node: Located, duration: float, age: float | None) -> tuple[float, ...]:
    if node.is_list:
        times = []
        for item in node.items("report"):
            time = moment(item, "a report time", age)
            if not 0 <= time <= duration * (1 + 1e-9):
                raise item.error(f"{when(time)} lies outside the scenario (0 to {span(duration)})")
            times.append(min(time, duration))
        if not times:
            raise node.error("the list of report times is empty")
        if len(times) > MOST_REPORTS:
            raise node.error(f"{len(times)} report times; at most {MOST_REPORTS}")
        return tuple(sorted(set(times)))
    if node.is_mapping:
        fields = node.fields(("every",), "report")
        if "every" not in fields:
            raise node.error("report is empty (accepted: a list of times, a number, or every: 1 wk)")
        step = positive(fields["every"], "every")
        if duration / step > MOST_REPORTS - 1:
            raise fields["every"].error(f"{duration / step:.0f} report times; at most {MOST_REPORTS}")
        times = [i * step for i in range(int(duration / step * (1 + 1e-9)) + 1)]
        return tuple(dict.fromkeys([*(t for t in times if t < duration * (1 - 1e-9)), duration]))
    return _spaced(node.whole("report", 2, MOST_REPORTS), duration)


def _spaced(n: int, duration: float) -> tuple[float, ...]:
    return tuple(duration * i / (n - 1) for i in range(n))


def _texts(node: Located, what: str) -> tuple[str, ...]:
    items = node.items(what) if node.is_list else [node]
    return tuple(" ".join(item.text(what).split()) for item in items)
