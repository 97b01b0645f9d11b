"""Python on pages of the documentation is executed, each page in a folder and a namespace of its own."""

import re
import struct
import time
from pathlib import Path

import matplotlib
import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    """What the page on simulation leaves: its folder, its names, and the seconds that it took."""
    folder = tmp_path_factory.mktemp("simulation")
    text = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "simulation"}
    matplotlib.use("Agg")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    start = time.process_time()
    try:
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            exec(compile("\n" * line + match[1], "docs/simulation.md", "exec"), namespace)
    finally:
        patch.undo()
    return folder, namespace, time.process_time() - start


def test_the_page_on_behaviour_runs_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "mind"}
    for block in BLOCK.findall((ROOT / "docs" / "mind.md").read_text(encoding="utf-8")):
        exec(compile(block, "docs/mind.md", "exec"), names)
    assert names["course"]["muhat1"].shape == (2, 100)
    assert names["fit"].attrs["kind"] == "behaviour"


def test_the_worked_example_has_its_alpha_rhythm_and_draws_it(simulation):
    """Jansen & Rit 1995: a column at their values oscillates near 10 Hz."""
    folder, names, _ = simulation
    assert 9.0 <= names["peak"] <= 12.0
    assert names["potential"].shape == (5000, 68, 4)
    data = (folder / "jansen_rit.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (750, 450)


def test_control_damps_and_late_control_does_the_opposite(simulation):
    _, names, _ = simulation
    assert names["damped"] < 0.3 * names["free"]
    assert names["late"] > 3 * names["free"]


def test_the_page_takes_no_time(simulation):
    """Seconds of a processor; a reader runs it as it stands."""
    assert simulation[2] < 10.0
