"""Everything in the README that can be executed is executed, in the order in which a reader meets it.

Rules: ``python`` blocks share one namespace. In ``console`` blocks, lines that begin with ``$`` are run
and the others are output; in ``bash`` blocks every line is run. A ``csv NAME`` or ``yaml NAME`` block is a
file. ``make``
and ``git`` are left to the reader, because they install; a cascade without ``--draws`` is run with `FEW`.
"""

import importlib
import re
import shlex
import struct
import subprocess
import sys
import tomllib
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

from synsys import cli
from synsys.core.schema import LEVELS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FEW = ("--draws", "5")
LEFT_TO_THE_READER = ("make", "git", "cd", ".")
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MADE = re.compile(r"<!-- output: written by (\S+) -->(.*?)<!-- end of output -->", re.DOTALL)


def blocks() -> list[tuple[int, str, str, str]]:
    """Line, language, rest of the information string and text of every fenced block."""
    return [
        (README.count("\n", 0, m.start()) + 1, m[1], m[2].strip(), m[3]) for m in BLOCK.finditer(README)
    ]  # fmt: skip


def commands(language: str, text: str) -> list[str]:
    lines = text.splitlines()
    if language == "console":
        return [line[2:] for line in lines if line.startswith("$ ")]
    return [line.split(" #")[0].rstrip() for line in lines if line.strip() and not line.startswith("#")]


def output(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("$ ")]


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """Runs the whole README once; what each command printed, by command."""
    folder = tmp_path_factory.mktemp("tour")
    printed: dict[str, str] = {}
    namespace: dict[str, object] = {"__name__": "readme"}
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("COLUMNS", "80")
    matplotlib.use("Agg")
    try:
        for line, language, rest, text in blocks():
            if language == "python":
                exec(compile("\n" * line + text, "README.md", "exec"), namespace)
            elif language in ("csv", "yaml"):
                (folder / rest).write_text(text, encoding="utf-8")
            else:
                for command in commands(language, text):
                    words = shlex.split(command)
                    if words[0] not in LEFT_TO_THE_READER:
                        printed[command] = run(words)
    finally:
        patch.undo()
    return folder, printed, namespace


def run(words: list[str]) -> str:
    assert words[0] == "synsys", f"the README runs {words[0]!r}; say how the test should"
    if words[1] == "cascade" and not {"--draws", "--help"} & set(words):
        words = [*words, *FEW]
    done = subprocess.run(
        [sys.executable, "-c", "from synsys.cli import main; main()", *words[1:]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), f"{shlex.join(words)}: {done.stderr}"
    return done.stdout


def test_blocks_are_of_known_kinds():
    assert {language for _, language, _, _ in blocks()} == {"python", "console", "bash", "csv", "yaml"}


def test_everything_runs_and_leaves_what_it_says(tour):
    folder, printed, namespace = tour
    assert len(printed) >= 6
    for name in (
        "synsys-out/cascade-GRIN2B_0.7/cascade.nc", "synsys-out/cascade-GRIN2B_0.7/table.csv",
        "synsys-out/cascade-GRIN2B_0.7/report.html", "on_my_brain/cascade.nc", "grin2b.nc", "grin2b.html",
        "both.html", "my_verdicts.json",
    ):  # fmt: skip
        assert (folder / name).is_file(), name
    assert len(namespace["mine"]) == 42
    assert [row["id"] for row in namespace["verdicts"]["rows"]] == ["M1", "M2", "M3"]


def test_the_printed_table_is_what_the_command_prints(tour):
    """Levels and headings as in a run now; directions too, where the README is sure of them.

    Numbers depend on the number of draws, so they are compared by sign: a readout that the README shows
    with P > .97 must not point the other way.
    """
    folder, printed, _ = tour
    shown = output(blocks()[0][3])
    now = next(iter(printed.values())).splitlines()
    levels = [line for line in shown if line.replace(" ", "_") in LEVELS]
    assert len(levels) >= 5
    assert [line for line in levels if line not in now] == []
    table = pd.read_csv(folder / "synsys-out/cascade-GRIN2B_0.7/table.csv", index_col=0)
    sure = directions(shown, least=0.97)
    assert len(sure) >= 8
    assert [
        (name, s) for name, s in sure if np.sign(table.loc[name, "effect"]) != (1 if s == "+" else -1)
    ] == []
    assert "Research use only" in "\n".join(shown)


def test_the_printed_simulations_are_what_the_commands_print(tour):
    """Headings as in a run now, and rates within 5 %: processors round differently, chaos amplifies it."""
    _, printed, _ = tour
    texts = [text for _, language, _, text in blocks() if language == "console" and "$ synsys sweep" in text]
    shown = [line.split() for line in output(texts[0])]
    now = [line.split() for name, text in printed.items() if name.split()[1] in ("simulate", "sweep")
           for line in text.splitlines()]  # fmt: skip
    assert len(shown) == len(now) > 10
    for line, real in zip(shown, now, strict=True):
        if number(line[0]) is None:
            assert line == real
        else:
            np.testing.assert_allclose(
                [number(x) for x in real[:3]], [number(x) for x in line[:3]], rtol=0.05
            )


def number(text: str) -> float | None:
    """A printed number, or None for a word."""
    try:
        return float(text.replace("−", "-"))
    except ValueError:
        return None


def directions(lines: list[str], least: float = 0.0) -> list[tuple[str, str]]:
    """Readout and sign of its change for each row of a printed table whose P is at least `least`."""
    found, label = [], ""
    for line in lines:
        if re.fullmatch(r"  [a-z0-9_]+", line):
            label = line.strip()
            continue
        p = re.search(r" (>?)\.(\d\d) (?:emergent|wired|defined|input) [ABC]?$", line)
        change = re.search(r"\s([+−])[\d.]", line)
        name = line.split()[0] if re.match(r"  [a-z]", line) else label
        if p and change and (p[1] or float(f"0.{p[2]}") >= least):
            sign = re.findall(r"([+−])[\d.]+(?: %| )", line)
            found.append((name, sign[0] if sign else change[1]))
        label = ""
    return found


def test_the_table_was_made_by_the_script_it_names():
    match = MADE.search(README)
    assert match, "the output block is not between its marks"
    assert (ROOT / match[1]).is_file()
    assert "synsys cascade --perturb GRIN2B=0.7" in match[2]
    assert len(output(match[2])) > 20


def test_the_picture_is_a_picture_of_modest_size():
    (name,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    data = (ROOT / name).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(data) < 250_000
    width, height = struct.unpack(">II", data[16:24])
    assert width >= 1000
    assert height >= 400


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")
)])  # fmt: skip
def test_links_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = [t.split("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
    assert [t for t in targets if t and not ((ROOT / name).parent / t).exists()] == []


def test_the_two_commands_are_make_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in README.splitlines():
        if target := re.match(r"make (\w+)", line):
            assert re.search(rf"^{target[1]}:", makefile, re.MULTILINE), line


def test_options_in_the_text_exist():
    """Every ``--option`` that README, CONTRIBUTING and docs name belongs to some command or tool."""
    known = {"--help", "--version"}
    for path in [
        *(ROOT / "src/synsys").glob("cli*.py"),
        *(ROOT / "tools").glob("*.py"),
        *(ROOT / "benchmarks").glob("*.py"),
    ]:
        known |= set(re.findall(r"[\"'](--[a-z][a-z-]+)[\"']", path.read_text(encoding="utf-8")))
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", README))
    for path in [ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        named |= set(re.findall(r"`[^`]*?(--[a-z][a-z-]+)", path.read_text(encoding="utf-8")))
    assert named - known == set()
    assert cli.app.info.name == "synsys"


def test_the_python_version_is_the_one_that_installs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = project["requires-python"].removeprefix(">=")
    assert f"Python {least}" in README
    assert f"bin/python {least}" not in README


def constants() -> list[tuple[str, list[float]]]:
    """Declared constants as ``docs/model.md`` lists them."""
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(synsys\.[\w.]+)` \| ([\d., ]+) \|", text, re.MULTILINE)
    return [(name, [float(v) for v in values.split(",")]) for name, values in rows]


@pytest.mark.parametrize(("name", "values"), constants(), ids=lambda v: v if isinstance(v, str) else "")
def test_declared_constants_are_documented_as_they_are(name, values):
    module, constant = name.rsplit(".", 1)
    found = getattr(importlib.import_module(module), constant)
    assert [float(v) for v in np.atleast_1d(found)] == values


def test_every_declared_constant_is_documented():
    """A constant whose docstring says "(declared)" belongs into ``docs/model.md``."""
    declared = set()
    for path in (ROOT / "src" / "synsys").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        text = path.read_text(encoding="utf-8")
        for name in re.findall(
            r'^([A-Z][A-Z_]+) = [^\n]+\n"""(?:(?!""").)*\(declared', text, re.MULTILINE | re.DOTALL
        ):
            declared.add(f"{module}.{name}")
    assert len(declared) > 10
    assert declared - {name for name, _ in constants()} == set()


def test_documented_files_and_tables_exist():
    """Paths in code spans of the documentation, relative to the repository or to the package."""
    missing = []
    for path in [ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for span in re.findall(
            r"`([\w./-]+\.(?:py|csv|md|nc|html|cff|yaml))(?::\w+)?`", path.read_text("utf-8")
        ):
            places = [
                ROOT,
                ROOT / "src/synsys",
                ROOT / "src/synsys/knowledge",
                ROOT / "src/synsys/knowledge/tables",
            ]
            made = span in ("cascade.nc", "table.csv", "report.html")
            if not made and not any((place / span).exists() for place in places):
                missing.append(f"{path.name}: {span}")
    assert missing == []
