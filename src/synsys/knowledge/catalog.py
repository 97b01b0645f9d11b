"""What can be changed, read, given and suffered, as tables to look things up in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.knowledge.load import claims, disorder_cells, limitation, therapies, vocabulary
from synsys.knowledge.mechanisms import disorders, inert
from synsys.knowledge.resolve import related_quantities

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from synsys.knowledge.facts import Quantity

CatalogKind = Literal["perturbations", "readouts", "therapies", "disorders", "claims"]
CATALOGS: tuple[str, ...] = get_args(CatalogKind)

_KINDS = {
    "perturbations": ("perturbation", "both"),
    "readouts": ("readout", "both"),
    "therapies": ("therapy",),
    "disorders": ("disorder",),
}
_DETAILS = {
    "perturbations": ("effect", "level", "unit", "healthy", "genes", "aliases"),
    "readouts": ("level", "unit", "aliases"),
    "therapies": ("aliases", "molecular_targets", "network_targets", "limitation"),
    "disorders": (
        "aliases",
        "profile",
        "drivers",
        "regions",
        "network",
        "oscillations",
        "symptoms",
        "source",
    ),
    "claims": ("section", "condition", "claim_strength", "test_role", "contradictions"),
}
NO_EFFECT = "none: nothing in the model follows from it yet"
"""Mark of perturbations that no link or equation takes up, in the column ``effect``; else empty."""
_SUMMARY = {"claims": "paraphrase"}


def catalog(kind: str, search: str | None = None) -> pd.DataFrame:
    """Rows of a catalog, all or those that a text finds.

    Parameters
    ----------
    kind : {"perturbations", "readouts", "therapies", "disorders", "claims"}
    search : str, optional
        Kept are rows in which a word of a name, alias, gene, definition or any other column begins with
        this text, whatever its case; if there is none, rows that contain it. A gene or its alias also
        finds the quantities that stand for it or on which it bears (``SK3`` finds ``kcnn3_conductance``);
        in claims, the rows that name such a quantity.

    Returns
    -------
    DataFrame
        Index: name (id for claims). Lists are joined by ``, ``. What the search names comes first.

    Raises
    ------
    UserError
        If `kind` is none of the catalogs.
    """
    if kind not in CATALOGS:
        raise unknown("catalog", kind, CATALOGS)
    table = _claims() if kind == "claims" else _quantities(kind)
    if not search:
        return table
    meant = [row.name for row in _meant(search)]
    cells = table.reset_index().astype(str)
    word = rf"(?<![a-z0-9]){re.escape(search.strip())}"
    found = cells.apply(lambda column: column.str.contains(word, case=False, regex=True)).any(axis=1)
    named = cells[["from", "to"] if kind == "claims" else ["name"]]
    about = named.isin(meant).any(axis=1)
    first = named.isin(meant[:1]).any(axis=1)
    if not (found | about).any():
        found = cells.apply(lambda column: column.str.contains(search.strip(), case=False, regex=False)).any(
            axis=1
        )
    order = sorted(np.flatnonzero(found | about).tolist(), key=lambda i: (not first[i], not found[i]))
    return table.iloc[order]


def print_catalog(kind: str, search: str | None = None, console: Console | None = None) -> None:
    """Print a catalog as a table that fits the terminal.

    Parameters
    ----------
    kind, search
        As for `catalog`.
    console : rich.console.Console, optional
        Where to print; the terminal by default.

    Raises
    ------
    UserError
        If `kind` is none of the catalogs, or if nothing is found.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = catalog(kind, search)
    if rows.empty:
        raise UserError(f"nothing among {len(catalog(kind))} {kind} matches {search!r}")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for label, row in rows.iterrows():
        summary = row[_SUMMARY.get(kind, "definition")]
        if kind == "claims":
            summary = f"{row['change']}\n{summary}"
        details = "; ".join(f"{name.replace('_', ' ')}: {row[name]}" for name in _DETAILS[kind] if row[name])
        table.add_row(str(label), Text.assemble(summary, "\n", (details, "dim")))
    out = console or Console()
    out.print(table)
    matching = f" match {search!r}" if search else ""
    counted = f"of {len(catalog(kind))} {kind}" if search else kind
    out.print(f"{len(rows)} {counted}{matching}", style="dim", highlight=False)


def _meant(search: str) -> tuple[Quantity, ...]:
    try:
        return related_quantities(search)
    except UserError:
        return ()


def _quantities(kind: str) -> pd.DataFrame:
    import pandas as pd

    rows = [row for row in vocabulary().values() if row.kind in _KINDS[kind]]
    more = {
        "perturbations": lambda row: {"effect": NO_EFFECT if inert(row.name) else ""},
        "therapies": _therapy_columns,
        "disorders": _disorder_columns,
    }.get(kind, lambda row: {})
    return pd.DataFrame(
        [
            {
                "name": row.name,
                "level": row.level,
                "unit": row.unit,
                "healthy": "" if row.healthy is None else f"{row.healthy:g}",
                "genes": ", ".join(row.genes),
                "aliases": ", ".join(row.aliases),
                "definition": row.definition,
                "limitation": limitation(row.limitation_id),
                "source": row.source,
                **more(row),
            }
            for row in rows
        ]
    ).set_index("name")


def _therapy_columns(row: Quantity) -> dict[str, str]:
    found = next((therapy for therapy in therapies().values() if row.name in therapy.names), None)
    if found is None:
        return {"strategy": "", "molecular_targets": "", "network_targets": ""}
    return {
        "strategy": found.strategy,
        "molecular_targets": found.molecular_targets,
        "network_targets": found.network_targets,
        "limitation": found.limitation,
    }


def _disorder_columns(row: Quantity) -> dict[str, str]:
    cells = {cell.feature: cell for cell in disorder_cells() if cell.disorder == row.name}
    outside = any(cell.outside_table_2 for cell in cells.values())
    features = ("trajectory", "regions", "network", "drivers", "oscillations", "symptoms", "transdiagnostic")
    texts = {feature: cells[feature].text if feature in cells else "" for feature in features}
    sections = sorted({section for cell in cells.values() for section in cell.sections})
    source = (
        f"outside Table 2: {', '.join(sections)}" if outside else ", ".join(sections).replace("T2", "Table 2")
    )
    profile = [
        f"{change.name}{':' if change.cell else ''}{change.cell}{'@' if change.where else ''}{change.where} "
        f"{'x' if change.op == '*' else '+'} {change.value:g} (grade {change.grade})"
        for change in disorders()
        if change.disorder == row.name
    ]
    return {"profile": ", ".join(profile), **texts, "source": source}


def _claims() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "id": row.id,
                "section": row.section,
                "from": row.entity_from,
                "change_from": row.change_from,
                "to": row.entity_to,
                "change_to": row.change_to,
                "change": f"{row.entity_from} {row.change_from} > {row.entity_to} {row.change_to}",
                "condition": ", ".join(row.condition),
                "kind": row.kind,
                "claim_strength": row.claim_strength,
                "test_role": row.test_role,
                "contradictions": ", ".join(row.contradictions),
                "paraphrase": row.paraphrase,
                "notes": row.notes,
            }
            for row in claims().values()
        ]
    ).set_index("id")
