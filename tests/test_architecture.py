"""What holds of the source as a whole, read from the files and not from the running program."""

import ast
import csv
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "synsys"
FOLDERS = (
    "core", "knowledge", "data", "genome", "signaling", "synapse", "circuit", "simulation", "brain",
    "measures", "mind", "scales", "inversion", "therapy", "trial", "cohort", "report", "studio",
)  # fmt: skip
"""Folders in import order: each may import those to its left, and itself."""
TOP = ("__init__", "cli", "cli_mind", "cli_options", "cli_simulate")
"""Modules beside the folders; they may import everything, and nothing in the folders imports them by name."""
MOST_LINES = 400
HEAVY = ("pandas", "xarray", "matplotlib", "scipy", "h5py", "h5netcdf", "jinja2", "rich", "typer", "numpy")

MODULES = sorted(SOURCE.rglob("*.py"))
TABLES = sorted((SOURCE / "knowledge" / "tables").glob("*.csv"))


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def folder_of(path: Path) -> str:
    """Folder of a module, or its own name beside the folders."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything a module imports from synsys, wherever in the file.

    ``from synsys import x`` counts as an import of ``synsys.x`` and of ``synsys`` alike.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module or "")))
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from ((node.lineno, str(a.value)) for a in node.args if isinstance(a, ast.Constant))


def forbidden(text: str, folder: str, package: tuple[str, ...]) -> list[str]:
    """Imports of a module in `folder` that do not point leftwards."""
    wrong = []
    allowed = FOLDERS[: FOLDERS.index(folder) + 1]
    for line, name in imports(ast.parse(text), package):
        parts = name.split(".")
        if parts[0] != "synsys" or len(parts) == 1 or parts[1] == "__version__":
            continue
        if parts[1] not in allowed:
            wrong.append(f"line {line}: {name}")
    return wrong


def tracked() -> list[Path]:
    """Files of the repository that git knows or would add; of the source folders where there is no git."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listing.returncode == 0:
        return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]
    top = [path for path in ROOT.iterdir() if path.is_file()]
    inside = [p for part in ("src", "tests", "tools", "docs", "benchmarks") for p in (ROOT / part).rglob("*")]
    return [path for path in [*top, *inside] if path.is_file() and "__pycache__" not in path.parts]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_every_module_lies_in_a_known_folder():
    strange = {folder_of(path) for path in MODULES} - {*FOLDERS, *TOP}
    assert not strange, f"new folders belong into the import order of this test: {strange}"
    assert len(MODULES) > 40


@pytest.mark.parametrize(
    "path", [path for path in MODULES if folder_of(path) not in TOP], ids=lambda path: name_of(path)
)
def test_imports_point_leftwards(path):
    package = ("synsys", *path.relative_to(SOURCE).parent.parts)
    assert forbidden(path.read_text(encoding="utf-8"), folder_of(path), package) == []


@pytest.mark.parametrize(
    "line",
    [
        "import synsys.brain.state",
        "from synsys.brain import state",
        "from synsys import brain",
        "from synsys import cascade",
        "from ..brain import state",
        "from .. import cli",
        "def f():\n    from synsys.report.words import plain",
        "if False:\n    import synsys.scales.cascade as c",
        "import importlib\nimportlib.import_module('synsys.scales')",
    ],
)
def test_a_rightward_import_is_seen_in_any_spelling(line):
    assert forbidden(line, "circuit", ("synsys", "circuit"))


@pytest.mark.parametrize(
    "line",
    [
        "import synsys",
        "from synsys import __version__",
        "from synsys.core import errors",
        "from . import drift",
    ],
)
def test_a_leftward_import_is_none(line):
    assert forbidden(line, "circuit", ("synsys", "circuit")) == []


def test_no_module_reaches_for_the_private_names_of_another():
    """What two modules share is public, imported by name or reached through the module."""
    wrong = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("synsys"):
                wrong += [f"{name_of(path)}: {a.name}" for a in node.names if a.name[0] == "_" != a.name[1]]
                modules |= {a.asname or a.name for a in node.names}
            if isinstance(node, ast.Import):
                modules |= {(a.asname or a.name).split(".")[0] for a in node.names}
        wrong += [
            f"{name_of(path)}: {ast.unparse(node)}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr[0] == "_" != node.attr[1]
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
        ]
    assert wrong == []


def test_no_public_function_is_called_like_a_folder():
    clashes = [
        f"{name_of(path)}: {node.name}"
        for path in MODULES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in FOLDERS and path.stem != "cli"
    ]
    assert clashes == []


def test_public_names_exist_and_hide_no_folder():
    import synsys

    assert not set(synsys.__all__) & set(FOLDERS)
    assert [name for name in synsys.__all__ if not hasattr(synsys, name)] == []
    with pytest.raises(AttributeError, match="nonsense"):
        synsys.nonsense  # noqa: B018


def test_source_files_are_one_thing_each():
    counts = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: n for name, n in counts.items() if n > MOST_LINES} == {}


def test_every_public_function_and_class_says_what_it_is():
    missing = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree):
            missing.append(name_of(path))
        public = (n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name[0] != "_")
        missing += [f"{name_of(path)}: {node.name}" for node in public if not ast.get_docstring(node)]
    assert missing == []


def test_development_data_are_never_read_by_the_product():
    pattern = re.compile(r"\.\./shared|SYNSYS_DEV_DATA|['\"]shared['\"]")
    found = [name_of(path) for path in MODULES if pattern.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_no_file_knows_the_machine_it_was_written_on():
    """Absolute paths of a home or work folder belong to a machine, not to a repository."""
    homes = "|".join(("work", "home", "root", "Users", "mnt"))
    pattern = re.compile(rf"(?<![\w.~/:@-])/(?:{homes})/[\w.-]+|\b[A-Z]:\\Users\\")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in texts()
        if path != Path(__file__).resolve() and (match := pattern.search(text))
    ]
    assert found == []


def test_no_file_names_a_package_index():
    """Which index packages come from is the user's own setting."""
    names = (
        "py" + r"pi\.(?:org|python\.org)",
        "python" + r"hosted\.org",
        "index" + "-url",
        "anaconda" + r"\.org",
    )
    hosts = re.compile("|".join(names))
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}" for path, text in texts() if (match := hosts.search(text))
    ]
    assert found == []


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_row_of_a_table_has_a_source(path):
    """Evidence columns are named source or citation; claims carry the section of the review they are from."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    columns = [c for c in ("source", "citation", "section", "sections") if c in rows[0]]
    assert columns, f"{path.name} has no column that says where its rows come from"
    without = [
        n
        for n, row in enumerate(rows, 2)
        if not any((row[c] or "").strip() for c in columns)
        and "is mathematics" not in row.get("handling", "")  # a theorem, marked as such
    ]
    assert without == []


def test_graded_rows_use_the_three_grades_and_a_hypothesis_is_never_above_c():
    """Grade A reproduces a published model; B is a published mechanism; C a hypothesis of ours."""
    wrong = []
    for path in TABLES:
        with path.open(encoding="utf-8", newline="") as handle:
            for n, row in enumerate(csv.DictReader(handle), 2):
                if "grade" not in row:
                    continue
                evidence = (row.get("source") or row.get("citation") or "").lower()
                recalled = row.get("checked") == "recalled" and evidence.startswith("hypothesis")
                if row["grade"] not in ("A", "B", "C") or (recalled and row["grade"] != "C"):
                    wrong.append(f"{path.name}, line {n}: {row['grade']} {evidence[:40]}")
    assert wrong == []


@pytest.mark.parametrize("heavy", HEAVY)
def test_importing_synsys_loads_nothing_heavy(heavy, imported):
    assert heavy not in imported


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Top-level modules after ``import synsys`` in a fresh interpreter."""
    code = "import sys, synsys; print(' '.join({name.split('.')[0] for name in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "synsys" in run.stdout.split()
    return set(run.stdout.split())


def test_the_command_line_loads_no_arrays_before_a_command_runs():
    """Help answers at once because NumPy, pandas and xarray wait until a command needs them."""
    code = (
        "import sys, synsys.cli as c\n"
        "sys.argv = ['synsys', 'cascade', '--help']\n"
        "try:\n    c.main()\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.splitlines()[-1].split())
    assert "LOADED" in loaded
    assert not loaded & {"numpy", "scipy", "pandas", "xarray", "matplotlib", "h5py"}


def test_versions_agree():
    """Package, citation file and change log name the same version."""
    import synsys

    version = re.escape(synsys.__version__)
    assert re.search(
        rf"^version: \"?{version}\"?$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.M
    )
    assert re.search(
        rf"^## \[{version}\]|^## \[Unreleased\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )
