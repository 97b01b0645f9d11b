"""Text becomes a quantity, an entity or a perturbation."""

import re
from dataclasses import replace
from functools import cache
from math import isfinite

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.knowledge.facts import Entity, Quantity
from synsys.knowledge.load import entities, vocabulary

CELLS = (
    "E", "PV", "SST", "TC", "RE", "D1", "D2", "FSI", "GPe", "GPi", "STN", "DCN", "PC", "VTA", "LC", "DRN",
)  # fmt: skip
CELL_ALIASES = {
    "pyr": "E",
    "pyramidal": "E",
    "nrt": "RE",
    "trn": "RE",
    "d1-msn": "D1",
    "d2-msn": "D2",
}
GRAMMAR = "NAME=FACTOR[:CELL][@REGION], NAME+=D[:CELL][@REGION] or NAME=a:b:step[:CELL][@REGION]"
MOST_DOSES = 1000

_PERTURBATION = re.compile(
    r"\s*(?P<name>[^=@]+?)\s*(?P<op>\+?=)\s*(?P<value>[^@=]+?)\s*(?:@\s*(?P<where>[^@=]+?)\s*)?"
)
_NOT_PERTURBABLE = {
    "therapy": "is a therapy, and therapies cannot be run yet; see synsys catalog therapies",
    "disorder": "is a disorder, not a quantity; give it with --disorder",
    "method": "is a method of analysis, it cannot be perturbed",
    "readout": "is a readout: the model computes it, it cannot be set",
}


def quantity(text: str) -> Quantity:
    """Quantity that a name, alias or gene symbol stands for.

    Parameters
    ----------
    text : str
        Name in ``vocabulary.csv``, one of its aliases, a gene symbol or any alias of the gene (``SK3``);
        case does not matter.

    Raises
    ------
    UserError
        If nothing has that name (with the closest match), if it means several quantities, or if it is known
        but no quantity stands for it (with the quantities it bears on).
    """
    names = _quantity_names()
    if text.strip().casefold() in names:
        return vocabulary()[names[text.strip().casefold()]]
    matches = _matching_entities(text)
    symbols = [name.casefold() for found in matches for name in (found.name, *found.members)]
    meant = list(dict.fromkeys(names[symbol] for symbol in symbols if symbol in names))
    if len(meant) == 1:
        return vocabulary()[meant[0]]
    if meant:
        raise UserError(f"{text} may mean {' or '.join(meant)}; name one of them")
    for found in matches:
        related = [row.name for row in vocabulary().values() if found.name in row.related]
        bears = (
            f"it bears on {', '.join(related)}" if related else "see synsys catalog for what can be changed"
        )
        raise UserError(f"{text}: no quantity stands for {found.name} ({found.type}); {bears}")
    raise unknown("gene or quantity", text, _known_names(), hint="see synsys catalog")


def related_quantities(text: str) -> tuple[Quantity, ...]:
    """The quantity of a name or gene, then others the gene bears on.

    Parameters
    ----------
    text : str
        As for `quantity`; a gene without a quantity of its own is accepted.

    Raises
    ------
    UserError
        If nothing has that name.
    """
    symbols = {found.name for found in _matching_entities(text)}
    rows = [row for row in vocabulary().values() if symbols & {*row.genes, *row.related}]
    try:
        first = quantity(text)
    except UserError:
        if not rows:
            raise
        return tuple(rows)
    return (first, *(row for row in rows if row.name != first.name))


def entity(text: str) -> Entity:
    """Entity of the source review that a name or alias means, wrong links of the source overridden.

    Parameters
    ----------
    text : str
        Symbol, term or alias; the same spelling is preferred, then case does not matter.

    Raises
    ------
    UserError
        If nothing has that name, if the source links it wrongly and it means nothing of the kind
        (``AI`` is no disease), or if two entities share it.
    """
    matches = _matching_entities(text)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UserError(f"{text!r} is ambiguous: {', '.join(found.name for found in matches)}")
    for row in entities():
        if text.strip().casefold() in {name.casefold() for name in row.overridden}:
            raise UserError(f"{text!r} is flagged in the source's entity list. {row.flag}")
    raise unknown("entity", text, [name for row in entities() for name in row.names])


def parse_perturbation(text: str) -> Perturbation:
    """One perturbation from text.

    ``NAME=FACTOR`` multiplies the healthy value of a quantity that is measured against health (fractions,
    rates, powers); FACTOR must be > 0. For a quantity with a zero point of its own (occupancies, indices,
    z scores, allele and exposure doses, mV shifts) ``NAME=0.6`` sets the value 0.6, which is kept as the
    increment from its healthy value. ``NAME+=D`` adds D in the row's unit; for a fraction of normal that is
    the factor 1 + D. ``:CELL`` confines it to a population, ``@WHERE`` to a region, locus or network (whose
    existence the brain checks).

    Parameters
    ----------
    text : str
        For example ``GRIN2B=0.7``, ``KCNQ2=0.6:E@dlPFC``, ``d2_occupancy=0.65@striatum``.

    Returns
    -------
    Perturbation
        With the name of ``vocabulary.csv``, whatever alias was given.

    Raises
    ------
    UserError
        For text outside the grammar, unknown names or cells (with the closest match), readouts, therapies
        and disorders, numbers that are not finite, factors <= 0, and values outside the quantity's bounds.
    """
    found = parse_sweep(text)
    if len(found) != 1:
        raise UserError(f"{text!r} sweeps {len(found)} doses, one value is needed here")
    return found[0]


def parse_sweep(text: str) -> tuple[Perturbation, ...]:
    """Perturbations from text, one for each dose of ``NAME=a:b:step``; a single value gives one.

    Doses run from a towards b in steps of the size of step, b included if a step meets it. Three numbers
    are a sweep; a number and a name are a value and a cell.

    Raises
    ------
    UserError
        As `parse_perturbation`, and for a step of 0 or more than 1000 doses.
    """
    match = _PERTURBATION.fullmatch(text)
    if match is None:
        raise UserError(f"cannot read {text!r}; accepted: {GRAMMAR}")
    name, operator, where = match["name"], match["op"], match["where"]
    parts = [part.strip() for part in match["value"].split(":")]
    doses, cell = _doses(text, parts)
    row = quantity(name)
    if not row.perturbable:
        raise UserError(f"{_called(name, row)} {_NOT_PERTURBABLE[row.kind]}")
    if where and ":" in where:
        raise UserError(f"cannot read {text!r}: the cell goes before the region; accepted: {GRAMMAR}")
    population = None if cell is None else _cell(cell)
    _check_place(row, population, where)
    return tuple(_perturbation(row, operator, dose, population, where) for dose in doses)


def resolved(change: Perturbation) -> Perturbation:
    """A perturbation record under the name of ``vocabulary.csv``, held to the rules of the text form.

    Parameters
    ----------
    change : Perturbation
        Its name may be an alias or a gene symbol, its cell an alias; ``+`` on a fraction of normal becomes
        the factor 1 + value.

    Raises
    ------
    UserError
        As `parse_perturbation`, and for a factor on a quantity that has a zero point of its own.
    """
    row = quantity(change.name)
    if not row.perturbable:
        raise UserError(f"{_called(change.name, row)} {_NOT_PERTURBABLE[row.kind]}")
    cell = None if change.cell is None else _cell(change.cell)
    _check_place(row, cell, change.where)
    if change.op == "*" and not row.multiplies:
        raise UserError(
            f"{row.name} × {change.value:g}: {row.name} ({row.unit}) is set or added to, not multiplied; use "
            "op='+' with the increment from its healthy value"
        )
    if change.op == "*":
        return replace(change, name=row.name, cell=cell)
    found = _perturbation(row, "+=", change.value, cell, change.where)
    sd = change.sd / found.value if row.multiplies else change.sd
    return replace(found, sd=sd, grade=change.grade, source=change.source)


def _check_place(row: Quantity, cell: str | None, where: str | None) -> None:
    """A mind has no places: a parameter of inference holds for the whole brain."""
    if row.level == "inference" and (cell or where):
        given = f":{cell}" * bool(cell) + f"@{where}" * bool(where)
        raise UserError(
            f"{row.name} is a parameter of inference of the whole brain; give it without {given}, or perturb "
            "what moves it there (see synsys catalog perturbations)"
        )


def _called(name: str, row: Quantity) -> str:
    return row.name if name.casefold() == row.name else f"{name} ({row.name})"


def unit_change(name: str, sign: int) -> Perturbation:
    """The change that a claim of +1 or -1 about a quantity means.

    Parameters
    ----------
    name : str
        As for `quantity`.
    sign : {-1, +1}

    Returns
    -------
    Perturbation
        x 1.25 or x 0.8 where the quantity is changed by a factor, else plus or minus its unit step.

    Raises
    ------
    UserError
        If the quantity is unknown, cannot be perturbed, or has no unit step.
    """
    row = quantity(name)
    if not row.perturbable:
        raise UserError(f"{row.name} {_NOT_PERTURBABLE[row.kind]}")
    if not row.unit_step:
        raise UserError(f"{row.name} is a {row.unit}; one number cannot set it")
    if row.multiplies:
        return Perturbation(row.name, 1.25**sign)
    return Perturbation(row.name, sign * float(row.unit_step), "+")


def _doses(text: str, parts: list[str]) -> tuple[list[float], str | None]:
    cell = parts.pop() if len(parts) in (2, 4) and not _is_number(parts[-1]) else None
    numbers = [_number(text, part) for part in parts]
    if len(numbers) == 1:
        return numbers, cell
    if len(numbers) != 3:
        raise UserError(f"cannot read {text!r}; accepted: {GRAMMAR}")
    start, stop, step = numbers
    if step == 0:
        raise UserError(f"{text!r}: the step of a sweep must not be 0")
    count = int(np.floor(abs(stop - start) / abs(step) + 1e-9)) + 1
    if count > MOST_DOSES:
        raise UserError(f"{text!r} asks for {count} doses; at most {MOST_DOSES}")
    direction = np.sign(stop - start) * abs(step)
    return [float(np.round(start + direction * i, 12)) for i in range(count)], cell


def _perturbation(
    row: Quantity, operator: str, dose: float, cell: str | None, where: str | None
) -> Perturbation:
    if not row.unit_step:
        raise UserError(f"{row.name} is a {row.unit}; one number cannot set it")
    if row.multiplies:
        if operator == "+=" and row.healthy != 1:
            raise UserError(
                f"{row.name}+={dose:g}: {row.name} ({row.unit}) is changed by a factor; use {row.name}=FACTOR"
            )
        if operator == "+=" and dose <= -1:
            raise UserError(f"{row.name}+={dose:g} leaves {1 + dose:g} of normal; more than 0 must remain")
        return Perturbation(row.name, 1 + dose if operator == "+=" else dose, "*", cell, where)
    if operator == "=" and row.healthy is None:
        raise UserError(
            f"{row.name}={dose:g}: its healthy value ({row.unit}) is not one number; "
            f"use {row.name}+=D to add to it"
        )
    healthy = row.healthy or 0.0
    increment = dose - healthy if operator == "=" else dose
    if row.healthy is not None and not row.inside(healthy + increment):
        low = "-inf" if row.low is None else f"{row.low:g}"
        high = "inf" if row.high is None else f"{row.high:g}"
        raise UserError(f"{row.name} = {healthy + increment:g} ({row.unit}) lies outside {low} to {high}")
    return Perturbation(row.name, increment, "+", cell, where)


def _cell(text: str) -> str:
    accepted = {cell.casefold(): cell for cell in CELLS} | CELL_ALIASES
    if text.casefold() not in accepted:
        raise unknown("cell", text, CELLS)
    return accepted[text.casefold()]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str, part: str) -> float:
    if not _is_number(part):
        raise UserError(f"{text!r}: {part!r} is not a number; accepted: {GRAMMAR}")
    if not isfinite(float(part)):
        raise UserError(f"{text!r}: {part} is not a finite number")
    return float(part)


@cache
def _quantity_names() -> dict[str, str]:
    return {
        name.casefold(): row.name
        for row in vocabulary().values()
        for name in (row.name, *row.genes, *row.aliases)
    }


@cache
def _known_names() -> tuple[str, ...]:
    own = [name for row in vocabulary().values() for name in (row.name, *row.genes, *row.aliases)]
    symbols = {gene for row in vocabulary().values() for gene in (*row.genes, *row.related)}
    return tuple(
        dict.fromkeys(own + [name for row in entities() if row.name in symbols for name in row.names])
    )


@cache
def _matching_entities(text: str) -> tuple[Entity, ...]:
    """Entities that `text` means: those with that spelling, else those with it in another case."""
    name = text.strip()
    by_name = {(row.type, row.name): row for row in entities()}
    meant: dict[str, Entity] = {}
    for row in entities():
        if row.resolves_to and name.casefold() in {alias.casefold() for alias in row.overridden}:
            meant.update(
                {target.name: target for key, target in by_name.items() if key[1] == row.resolves_to}
            )
    if meant:
        return tuple(meant.values())
    exact = tuple(row for row in entities() if name in row.names)
    return exact or tuple(
        row for row in entities() if name.casefold() in {alias.casefold() for alias in row.names}
    )
