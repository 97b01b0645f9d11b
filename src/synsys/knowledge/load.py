"""The tables of the source review, read once and kept."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from synsys.core.errors import UserError, unknown
from synsys.knowledge.facts import (
    Claim,
    ContradictionSide,
    DisorderCell,
    Entity,
    Pathway,
    Quantity,
    Therapy,
)
from synsys.knowledge.rows import load_table, parse_table


@cache
def vocabulary() -> dict[str, Quantity]:
    """Every quantity by name, in the order of ``vocabulary.csv``."""
    return {row.name: row for row in load_table("vocabulary.csv", Quantity)}


@cache
def entities() -> tuple[Entity, ...]:
    """Every gene, disease, chemical and species that the source review names, and what it left out."""
    return load_table("entities.csv", Entity)


@cache
def pathways() -> dict[str, Pathway]:
    """Table 1 of the source review by row id, ``T1-01`` to ``T1-17``."""
    return {row.id: row for row in load_table("pathways.csv", Pathway)}


@cache
def disorder_cells() -> tuple[DisorderCell, ...]:
    """Table 2 of the source review, then the disorders it leaves out, assembled from the text."""
    return load_table("cells.csv", DisorderCell)


@cache
def therapies() -> dict[str, Therapy]:
    """Table 3 of the source review by row id, ``T3-01`` to ``T3-14``."""
    return {row.id: row for row in load_table("therapies.csv", Therapy)}


@cache
def claims() -> dict[str, Claim]:
    """The ledger of directional claims by id."""
    return {row.id: row for row in load_table("claims.csv", Claim)}


def read_claims(path: str | Path) -> tuple[Claim, ...]:
    """Read claims from a file in the form of ``claims.csv``.

    Parameters
    ----------
    path : str or Path
        A CSV file; the columns ``id``, ``section``, ``level_from``, ``entity_from``, ``change_from``,
        ``level_to``, ``entity_to`` and ``change_to`` are needed, other columns of `Claim` may be absent.

    Raises
    ------
    UserError
        If the file cannot be read, or a row is malformed or repeated; the text names line and column.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a UTF-8 text file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    return parse_table(text, str(path), Claim, exact_columns=False)


def cited(*ids: str) -> tuple[Claim, ...]:
    """Claims of the ledger by id; a test that asserts an expected sign names its sources with this.

    Raises
    ------
    UserError
        If an id is not in the ledger.
    """
    ledger = claims()
    for name in ids:
        if name not in ledger:
            raise unknown("claim", name, ledger, hint="see synsys catalog claims")
    return tuple(ledger[name] for name in ids)


def limitation(name: str) -> str:
    """Text of a limitation that belongs beside a result.

    Parameters
    ----------
    name : str
        Row of Table 1 or 3, as in `Quantity.limitation_id`.

    Raises
    ------
    UserError
        If there is no such row.
    """
    rows: dict[str, Pathway | Therapy] = {**pathways(), **therapies()}
    if name not in rows:
        raise unknown("limitation", name, rows)
    return rows[name].limitation


@dataclass(frozen=True)
class Contradiction:
    """Claims that cannot all hold without context, kept side by side and never averaged.

    Parameters
    ----------
    id : str
        ``K01`` to ``K15``.
    topic : str
    hard : bool
        Whether both sides can hold only under contexts the source does not give.
    sides : tuple of ContradictionSide
        Side a, side b, then claims that take neither side; each with its context.
    handling : str
        What the software does about it.
    """

    id: str
    topic: str
    hard: bool
    sides: tuple[ContradictionSide, ...]
    handling: str

    @property
    def claims(self) -> dict[str, tuple[str, ...]]:
        """Ids of the ledger's claims by side; empty where the ledger holds no such claim."""
        return {side.side: side.claims for side in self.sides}


@cache
def contradictions() -> dict[str, Contradiction]:
    """Every set of contradictory claims by id."""
    grouped: dict[str, list[ContradictionSide]] = {}
    for row in load_table("contradictions.csv", ContradictionSide):
        grouped.setdefault(row.id, []).append(row)
    return {
        name: Contradiction(name, sides[0].topic, sides[0].hard, tuple(sides), sides[0].handling)
        for name, sides in grouped.items()
    }


def contradiction(name: str) -> Contradiction:
    """Both sides of a contradiction with the context of each.

    Raises
    ------
    UserError
        If there is no such set.
    """
    if name not in contradictions():
        raise unknown("contradiction", name, contradictions(), hint="K01 to K15")
    return contradictions()[name]
