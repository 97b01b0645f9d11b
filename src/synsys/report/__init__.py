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
        If the file cannot be written.
    """
    from synsys.core.output import write_whole
    from synsys.core.schema import kind
    from synsys.report.behaviour import render_behaviour
    from synsys.report.page import render
    from synsys.report.simulation import render_simulation
    from synsys.report.trajectory import render_trajectory

    pages = {
        "trajectory": render_trajectory, "simulation": render_simulation, "behaviour": render_behaviour,
        "recovery": render_behaviour,
    }  # fmt: skip
    page = pages.get(kind(tree), render)(tree)
    return write_whole(path, page.encode("utf-8", "replace"))
