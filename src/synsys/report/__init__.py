"""One self-contained offline page per result."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr


def write_report(tree: xr.DataTree, path: str | PathLike[str]) -> Path:
    """Write the page of a result: one HTML file that needs no network and no other file.

    Parameters
    ----------
    tree : DataTree
        A result (`synsys.core.schema`).
    path : path
        A file there is replaced, whole or not at all.

    Raises
    ------
    SchemaError
        If the tree is no result.
    UserError
        If the file cannot be written, or the result is a simulation, which has no page.
    """
    from synsys.core.errors import UserError
    from synsys.core.output import write_whole
    from synsys.core.schema import kind
    from synsys.report.page import render
    from synsys.report.trajectory import render_trajectory

    if kind(tree) == "simulation":
        raise UserError("a simulation has no report yet; read it with synsys.load (docs/results.md)")
    page = render_trajectory(tree) if kind(tree) == "trajectory" else render(tree)
    return write_whole(path, page.encode("utf-8", "replace"))
