"""Tables of values that other implementations gave."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def known() -> Callable[[str], list[list[str]]]:
    """Rows of a table below its line of origin and its header."""

    def rows(name: str) -> list[list[str]]:
        with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as handle:
            table = list(csv.reader(handle))
        assert table[0][0].startswith("# ")
        return table[2:]

    return rows
