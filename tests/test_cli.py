"""The command line as a user meets it: what it prints, writes, refuses and leaves behind."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synsys
from synsys import cli
from synsys.core.errors import UserError

CORTEX = (
    ("precuneus", "Default", (-8, -58, 40)),
    ("rostralmiddlefrontal", "Cont", (-32, 45, 20)),
    ("insula", "SalVentAttn", (-38, 2, 0)),
    ("medialorbitofrontal", "Limbic", (-6, 40, -16)),
    ("precentral", "SomMot", (-38, -10, 48)),
    ("rostralanteriorcingulate", "Default", (-5, 36, 4)),
)
BELOW = (
    ("thalamus", (-11, -19, 7)),
    ("hippocampus", (-26, -22, -15)),
    ("amygdala", (-23, -5, -20)),
)
QUICK = ("--draws", "2", "--jobs", "1")
COMMANDS = ("cascade", "catalog", "check-claims", "report", "compare")


def write_brain(folder: Path) -> Path:
    """A folder with 18 regions at rough anatomical places; weights fall with distance and scatter.

    Weights and lengths scatter as in tractography; a brain of equal regions at equal delays would resonate.
    """
    folder.mkdir(parents=True)
    rows = []
    for side, sign in (("L", 1), ("R", -1)):
        for name, network, (x, y, z) in CORTEX:
            rows.append((f"{side}.{name}", side, "cortex", sign * x, y, z, network, name))
        for name, (x, y, z) in BELOW:
            rows.append((f"{side}.{name}", side, name, sign * x, y, z, "", name))
    columns = ["label", "hemisphere", "structure", "x", "y", "z", "network", "dk"]
    regions = pd.DataFrame(rows, columns=columns).set_index("label")
    place = regions[["x", "y", "z"]].to_numpy(float)
    distance = np.linalg.norm(place[:, None] - place[None], axis=-1)
    rng = np.random.default_rng(0)
    regions.to_csv(folder / "regions.csv")
    for name, typical, spread in (
        ("weights", np.exp(-distance / 40.0), 1.5),
        ("lengths", 1.45 * distance, 0.5),
    ):
        scatter = np.triu(rng.normal(0.0, spread, distance.shape), 1)
        matrix = typical * np.exp(scatter + scatter.T)
        np.fill_diagonal(matrix, 0.0)
        pd.DataFrame(matrix, regions.index, list(regions.index)).to_csv(folder / f"{name}.csv")
    return folder


@pytest.fixture(scope="session")
def brain(tmp_path_factory) -> Path:
    return write_brain(tmp_path_factory.mktemp("brain") / "eighteen")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def call(*arguments: object) -> int:
    """Exit code of ``synsys ARGUMENTS`` in this process."""
    before = sys.argv
    sys.argv = ["synsys", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as done:
        return int(done.code or 0)
    finally:
        sys.argv = before
    raise AssertionError("main() returned without an exit code")


@pytest.fixture(scope="session")
def saved(brain, tmp_path_factory) -> tuple[Path, str]:
    """Folder and printed text of one whole run in a fresh process."""
    out = tmp_path_factory.mktemp("saved") / "run"
    command = ["cascade", "--perturb", "KCNQ2=0.8:E@dlPFC", "--brain", str(brain), "--out", str(out), *QUICK]
    run = subprocess.run(
        [sys.executable, "-m", "synsys.cli", *command], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    return out, run.stdout


# What is refused ----------------------------------------------------------------------------------------


def broken(folder: Path, what: str) -> Path:
    """A brain folder with one fault."""
    write_brain(folder)
    weights = pd.read_csv(folder / "weights.csv", index_col=0)
    if what == "NaN":
        weights.iloc[2, 3] = np.nan
    elif what == "labels":
        weights.index = weights.columns = [*weights.columns[:-1], "R.elsewhere"]
    elif what == "asymmetric":
        weights.iloc[2, 3] += 0.5
    elif what == "negative":
        weights.iloc[2, 3] = weights.iloc[3, 2] = -1
    elif what == "repeated":
        regions = (folder / "regions.csv").read_text().replace("R.amygdala,", "L.amygdala,")
        (folder / "regions.csv").write_text(regions)
    elif what == "missing":
        (folder / "weights.csv").unlink()
        return folder
    weights.to_csv(folder / "weights.csv")
    return folder


REFUSED = {
    "gene": ("cascade -p GRIN2Z=0.7", r"'GRIN2Z'.*did you mean GRIN2"),
    "region": ("cascade -p GRIN2B=0.7@dlPFX --brain BRAIN", r"'dlPFX'.*did you mean dlPFC"),
    "no such place": ("cascade -p GRIN2B=0.7@nowhere --brain BRAIN", r"'nowhere' \(accepted: dlPFC.*DMN"),
    "place in part": ("cascade -p GRIN2B=0.7@precun --brain BRAIN", r"did you mean precuneus"),
    "place of a mind": ("cascade -p sensory_precision=0.5@dlPFC", r"brain; give it without @dlPFC"),
    "cell of a mind": ("cascade -p sensory_precision=0.5:PV", r"brain; give it without :PV"),
    "cell of another place": ("cascade -p GRIN2B=0.7:TC@dlPFC --brain BRAIN", r"no TC .*here: E, PV, SST\)"),
    "cell": ("cascade -p GRIN2B=0.7:PVX", r"cell 'PVX'.*accepted: E, PV, SST"),
    "cell that is not there": ("cascade -p GRIN2B=0.7:STN --brain BRAIN", r"no STN"),
    "disorder": ("cascade -d schizofrenia", r"disorder 'schizofrenia'; did you mean schizophrenia\?"),
    "disorder in part": ("cascade -d schizo", r"did you mean schizophrenia\? \(accepted: anxiety, autism"),
    "disorder in short": ("cascade -d bipo", r"did you mean bipolar"),
    "therapy as perturbation": ("cascade -p ketamine=1", r"is a therapy, and therapies cannot be run yet"),
    "therapy": ("cascade -p GRIN2B=0.7 --therapy ketamine", r"--therapy ketamine: therapies cannot be"),
    "therapy alone": ("cascade --therapy=ketamine", r"see synsys catalog therapies"),
    "readout as perturbation": ("cascade -p global_efficiency=0.5", r"is a readout"),
    "nothing follows": ("cascade -p ei_ratio=0.8", r"nothing in the model follows from ei_ratio: no link"),
    "nothing follows from two": ("cascade -p E/I=0.8 -p gamma_power=1.2", r"ei_ratio, gamma_power: no link"),
    "nothing follows in a sweep": ("cascade -p ei_ratio=0.8:1:0.1", r"follows from ei_ratio: no link"),
    "zero": ("cascade -p GRIN2B=0", r"must be > 0"),
    "negative": ("cascade -p GRIN2B=-0.5", r"must be > 0"),
    "no number": ("cascade -p GRIN2B=much", r"'much' is not a number"),
    "nan": ("cascade -p GRIN2B=nan", r"not a finite number"),
    "grammar": ("cascade -p GRIN2B", r"NAME=FACTOR"),
    "nothing": ("cascade", r"--perturb NAME=FACTOR or --disorder NAME"),
    "two sweeps": ("cascade -p GRIN2B=0.5:1:0.25 -p KCNQ2=0.5:1:0.25", r"one perturbation can be swept"),
    "one draw": ("cascade -p GRIN2B=0.7 --draws 1", r"--draws 1: .*than or equal to 2"),
    "no draws": ("cascade -p GRIN2B=0.7 --draws=0", r"--draws 0: .*than or equal to 2"),
    "draws no number": ("cascade -p GRIN2B=0.7 --draws many", r"--draws many: .*integer"),
    "negative seed": ("cascade -p GRIN2B=0.7 --seed -1", r"--seed -1: .*than or equal to 0"),
    "no process": ("cascade -p GRIN2B=0.7 --jobs 0", r"--jobs"),
    "beta": ("cascade -p GRIN2B=0.7 --beta nan", r"beta = nan: a finite number"),
    "spun maps": ("cascade -p GRIN2B=0.7 --spun-maps -1", r"--spun-maps"),
    "no maps to spin": ("cascade -p GRIN2B=0.7 --spun-maps 1 --brain BRAIN", r"no cortical maps to spin"),
    "linearisation": ("cascade -p GRIN2B=0.7 --linearisation gaussian", r"'gaussian'.*plain, statistical"),
    "lead field missing": ("cascade -p GRIN2B=0.7 --eeg nowhere.csv", r"nowhere\.csv: no such file"),
    "lead field of another form": ("cascade -p GRIN2B=0.7 --eeg FILE", r"FILE: unknown format"),
    "simulated model": ("simulate --model wong_wong", r"did you mean wong_wang"),
    "parameter of another model": ("simulate --model hopf -p g=1", r"parameter of hopf 'g'; did you mean"),
    "gene of a simulation": ("simulate -p GRIN2Z=0.7", r"'GRIN2Z'.*did you mean GRIN2"),
    "no time to simulate": ("simulate --seconds 0", r"seconds, seeds and draws must be positive"),
    "electrodes of means": ("simulate --eeg sphere --every 0 --brain BRAIN", r"give --every, such as 4"),
    "electrodes nowhere": ("simulate --eeg nowhere.csv --brain BRAIN", r"nowhere\.csv: no such file"),
    "records between steps": ("simulate --model hopf --every 0.25", r"every = 0\.25 ms is no multiple"),
    "records beyond memory": ("simulate --model hopf --every 0.1 --seconds 1e6", r"would take .* GiB"),
    "nothing to sweep": ("sweep --model hopf", r"nothing to sweep: give --grid"),
    "no grid": ("sweep --model hopf --grid G", r"--grid G: needed is NAME=VALUE,VALUE"),
    "option": ("cascade -p GRIN2B=0.7 --drawz 4", r"--drawz.*--draws"),
    "command": ("cascad", r"cascad"),
    "brain missing": ("cascade -p GRIN2B=0.7 --brain nowhere", r"nowhere: no such folder; expected weights"),
    "brain is a file": ("cascade -p GRIN2B=0.7 --brain FILE", r"not a single file"),
    "NaN in a matrix": ("cascade -p GRIN2B=0.7 --brain NaN", r"weights\.csv.*L\.insula.*medialorbitofrontal"),
    "labels": ("cascade -p GRIN2B=0.7 --brain labels", r"weights\.csv.*regions\.csv.*R\.elsewhere"),
    "asymmetric": ("cascade -p GRIN2B=0.7 --brain asymmetric", r"not symmetric.*L\.insula"),
    "negative weight": ("cascade -p GRIN2B=0.7 --brain negative", r"L\.insula.*negative"),
    "region twice": ("cascade -p GRIN2B=0.7 --brain repeated", r"L\.amygdala"),
    "no weights": ("cascade -p GRIN2B=0.7 --brain missing", r"no weights\.\*"),
    "out is a file": ("cascade -p GRIN2B=0.7 --out FILE", r"is a file; --out needs a folder"),
    "out below a file": ("cascade -p GRIN2B=0.7 --out FILE/x", r"FILE"),
    "out not empty": ("cascade -p GRIN2B=0.7 --out FULL", r"not empty.*--force"),
    "catalog": ("catalog diseases", r"catalog 'diseases'.*accepted: perturbations, readouts"),
    "claims missing": ("check-claims nowhere.csv", r"nowhere\.csv"),
    "claims of another form": ("check-claims FILE", r"FILE"),
    "json nowhere": ("check-claims CLAIMS --json FILE/x.json", r"FILE"),
    "json exists": ("check-claims CLAIMS --json FULL/mine.txt", r"mine\.txt exists; use --force"),
    "result missing": ("report nowhere.nc", r"nowhere\.nc: no such file"),
    "result of another form": ("report FILE", r"FILE is not a synsys result"),
    "result is a folder": ("report FULL", r"is a folder"),
    "compare missing": ("compare nowhere.nc FILE", r"nowhere\.nc: no such file"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_run_is_refused_in_one_line(case, here, brain, tmp_path, capsys):
    """One line that names the culprit, exit code 2, and nothing written."""
    text, expected = REFUSED[case]
    (tmp_path / "FILE").write_text("a,b\n1,2\n")
    (tmp_path / "FULL").mkdir()
    (tmp_path / "FULL" / "mine.txt").write_text("keep me")
    head = "id,section,level_from,entity_from,change_from,level_to,entity_to,change_to,condition,kind"
    (tmp_path / "CLAIMS").write_text(
        f"{head},paraphrase\nX1,,molecular,GRIN2B,-1,oscillation,gamma_power,-1,any,,\n"
    )
    places = {"BRAIN": brain} | {name: tmp_path / name for name in ("FILE", "FULL", "CLAIMS")}
    faults = ("NaN", "labels", "asymmetric", "negative", "repeated", "missing")
    words = []
    for word in text.split():
        first, _, rest = word.partition("/")
        if first in faults:
            places[first] = broken(tmp_path / "brains" / first, first)
        words.append(str(places[first] / rest) if first in places else word)
    before = sorted(str(path) for path in tmp_path.rglob("*"))

    assert call(*words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1, printed.err
    assert printed.err.startswith("synsys: ")
    assert re.search(expected, printed.err), printed.err
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before
    assert (tmp_path / "FULL" / "mine.txt").read_text() == "keep me"


def test_a_folder_that_cannot_be_written_is_refused_before_work(here, brain, capsys, monkeypatch):
    """Refused by the operating system, simulated because an administrator may write everywhere."""

    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", denied)
    assert call("cascade", "-p", "GRIN2B=0.7", "--brain", brain, "--out", "x") == 2
    assert capsys.readouterr().err == "synsys: x cannot be written: Permission denied\n"
    assert list(here.iterdir()) == []


def test_a_refusal_in_a_fresh_process_has_no_traceback(here):
    run = subprocess.run(
        [sys.executable, "-m", "synsys.cli", "cascade", "-p", "GRIN2Z=0.7"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert "Traceback" not in run.stderr


# What helps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    assert call(command, "--help") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert command in printed.out
    assert len(printed.out.splitlines()) > 5


def test_help_lists_every_command_and_no_arguments_means_help(capsys):
    assert call("--help") == 0
    text = capsys.readouterr().out
    assert all(command in text for command in COMMANDS)
    assert call() == 0
    assert capsys.readouterr().out == text


@pytest.mark.parametrize("command", ["cascade", "check-claims"])
def test_running_commands_share_their_options(command, capsys):
    assert call(command, "--help") == 0
    text = capsys.readouterr().out
    assert [o for o in ("--brain", "--draws", "--seed", "--jobs") if o not in text] == []


def test_version(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out == f"synsys {synsys.__version__}\n"


def test_an_alias_is_found_in_the_catalog(capsys):
    """SK3 is an alias of KCNN3, the small-conductance calcium-gated potassium channel (NCBI Gene 3782)."""
    assert call("catalog", "perturbations", "--search", "SK3") == 0
    assert "kcnn3_conductance" in capsys.readouterr().out


# What is written ----------------------------------------------------------------------------------------


def test_a_run_prints_a_table_and_writes_a_whole_folder(saved):
    out, text = saved
    assert sorted(path.name for path in out.iterdir()) == ["cascade.nc", "report.html", "table.csv"]
    assert "kcnq2_conductance" in text
    assert "Research use only" in text
    assert str(out) in text.replace("\n", "")
    table = pd.read_csv(out / "table.csv", index_col=0)
    tree = synsys.load(out / "cascade.nc")
    assert list(table.index) == list(tree["table"]["readout"].values)
    np.testing.assert_allclose(table["value"], tree["table"]["value"], rtol=1e-12)
    row = table.loc["kcnq2_conductance"]
    assert (row["origin"], row["reference"], row["value"]) == ("input", 1.0, pytest.approx(0.8))


def test_a_dose_of_health_has_a_report(here, brain):
    """Every change is zero: there is nothing to draw, and everything to write."""
    assert call("cascade", "-p", "GRIN2B=1", "--brain", brain, "--out", "out", "--tasks", "2", *QUICK) == 0
    effect = synsys.load(here / "out" / "cascade.nc")["table"]["effect"].values
    assert (effect[np.isfinite(effect)] == 0).all()
    assert "</html>" in (here / "out" / "report.html").read_text(encoding="utf-8")


def test_a_result_says_how_it_was_made(saved, brain):
    tree = synsys.load(saved[0] / "cascade.nc")
    assert tree.attrs["command"].startswith("synsys cascade --perturb KCNQ2=0.8:E@dlPFC --brain ")
    assert (tree.attrs["draws"], tree.attrs["seed"], tree.attrs["brain"]) == (2, 0, "eighteen")
    assert json.loads(tree.attrs["perturbations"]) == ["kcnq2_conductance=0.8:E@dlPFC"]


def test_the_python_function_gives_the_same_result(saved, brain):
    """Same seed, same draws: same numbers, whatever the door."""
    there = synsys.load(saved[0] / "cascade.nc")
    here = synsys.cascade("KCNQ2=0.8:E@dlPFC", brain=brain, draws=2, jobs=1)
    np.testing.assert_array_equal(here["table"]["value"], there["table"]["value"])
    np.testing.assert_array_equal(here["rates"]["rate"], there["rates"]["rate"])


def test_a_non_empty_folder_is_replaced_only_by_force(here, brain, capsys):
    folder = here / "out"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep me")
    (folder / "table.csv").write_text("old")
    command = ("cascade", "-p", "GRIN2B=0.9", "--brain", brain, "--out", "out", *QUICK)
    assert call(*command) == 2
    assert (folder / "table.csv").read_text() == "old"
    assert call(*command, "--force") == 0
    assert (folder / "mine.txt").read_text() == "keep me"
    assert (folder / "table.csv").read_text() != "old"
    assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["out"]


def test_a_perturbation_without_effect_is_named_beside_one_with(here, brain, capsys):
    command = ("cascade", "-p", "GRIN2B=0.9", "-p", "ei_ratio=0.8", "--brain", brain, *QUICK)
    assert call(*command) == 0
    assert capsys.readouterr().err == (
        "synsys: nothing in the model follows from ei_ratio; run with the rest\n"
    )


def test_the_python_functions_refuse_what_nothing_follows_from():
    for run in (synsys.cascade, synsys.sweep):
        with pytest.raises(UserError, match="nothing in the model follows from ei_ratio"):
            run("ei_ratio=0.8")


def test_a_dose_sweep_writes_one_result_per_dose(here, brain):
    assert call("cascade", "-p", "GRIN2B=0.9:1.1:0.2", "--brain", brain, "--out", "out", *QUICK) == 0
    names = sorted(path.name for path in Path("out").iterdir())
    assert names == [
        "cascade-00.nc", "cascade-01.nc", "report-00.html", "report-01.html", "table-00.csv", "table-01.csv",
    ]  # fmt: skip
    values = [
        float(pd.read_csv(f"out/table-0{k}.csv", index_col=0).loc["nmda_conductance", "value"])
        for k in (0, 1)
    ]
    assert values == pytest.approx([0.9, 1.1])


def test_options_reach_the_result(here, brain, capsys):
    command = ("cascade", "-p", "GRIN2B=0.9", "--brain", brain, "--out", "out", *QUICK)
    assert call(*command, "--beta", "0", "--eeg", "sphere", "--inference", "strong_priors") == 0
    tree = synsys.load("out/cascade.nc")
    assert json.loads(tree.attrs["options"]) == {
        "beta": 0.0, "spun_maps": None, "linearisation": "plain", "eeg": "sphere",
        "inference": ["strong_priors"],
    }  # fmt: skip
    assert tree["eeg"].sizes == {"state": 2, "draw": 2, "electrode": 61, "band": 5}
    told = " ".join(capsys.readouterr().out.split())
    assert "map slopes × 0, EEG (sphere), inference: strong_priors" in told


def test_a_saved_result_becomes_a_report(saved, here, capsys):
    nc = saved[0] / "cascade.nc"
    assert call("report", nc, "--out", "page.html") == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert "Research use only" in page
    assert call("report", nc, "--out", "page.html") == 2
    assert "page.html exists; use --force" in capsys.readouterr().err
    assert call("report", nc, "--out", "page.html", "--force") == 0


def test_verdicts_are_replaced_only_by_force(here, brain, capsys):
    Path("claims.csv").write_text(
        "id,section,level_from,entity_from,change_from,level_to,entity_to,change_to\n"
        "X1,mine,microcircuit,ei_ratio,+1,symptom,psychosis,+1\n"
    )
    Path("verdicts.json").write_text("keep me")
    command = ("check-claims", "claims.csv", "--json", "verdicts.json", "--brain", brain, *QUICK)
    assert call(*command) == 2
    assert Path("verdicts.json").read_text() == "keep me"
    assert capsys.readouterr().out == ""
    assert call(*command, "--force") == 0
    assert [row["id"] for row in json.loads(Path("verdicts.json").read_text())["rows"]] == ["X1"]


def test_two_results_are_compared(saved, here, capsys):
    nc = saved[0] / "cascade.nc"
    assert call("compare", nc, nc, "--out", "both.html") == 0
    assert "<html" in Path("both.html").read_text(encoding="utf-8")
    assert "both.html" in capsys.readouterr().out
    assert call("compare", nc, nc) == 0
    assert [path.suffix for path in Path("synsys-out").iterdir()] == [".html"]


# What an interrupt leaves -------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing_behind(number, jobs, here, brain):
    """Ctrl-C reaches every process of the group, a termination the first alone; exit code 128 + signal."""
    program = (  # a test runner started in the background hands down an ignored SIGINT
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "signal.signal(signal.SIGTERM, signal.SIG_DFL); "
        "from synsys.cli import main; main()"
    )
    arguments = ["cascade", "-p", "GRIN2B=0.9", "--brain", str(brain), "--draws", "512", "--jobs", str(jobs)]
    run = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(600):
            if list(here.glob("synsys-out/.*.part")):
                break
            time.sleep(0.05)
        time.sleep(1.0)
        assert run.poll() is None, "the run ended before it could be stopped"
        (os.killpg if number == signal.SIGINT else os.kill)(run.pid, number)
        out, err = run.communicate(timeout=30)
        with pytest.raises(ProcessLookupError):
            os.killpg(run.pid, 0)  # no worker is left
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == 128 + number
    assert (out, err.splitlines()[-1]) == ("", "synsys: stopped; nothing was written")
    assert list(here.iterdir()) == []
