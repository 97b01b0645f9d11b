"""The command line: ``synsys COMMAND``; every command mirrors a Python function of the same name."""

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # many small problems: processes, not BLAS threads

import typer  # noqa: E402

import synsys  # noqa: E402
from synsys.core.errors import UserError  # noqa: E402

if TYPE_CHECKING:
    import xarray as xr

    from synsys.core.perturbation import Perturbation

app = typer.Typer(name="synsys", add_completion=False, pretty_exceptions_enable=False)

Perturb = Annotated[
    list[str] | None,
    typer.Option("--perturb", "-p", help=r"NAME=FACTOR\[:CELL]\[@WHERE] or NAME+=D; repeats."),
]


def _no_therapy(value: list[str] | None) -> None:
    if value:
        raise UserError(f"--therapy {value[0]}: therapies cannot be run yet; see synsys catalog therapies")


Therapy = Annotated[list[str] | None, typer.Option("--therapy", hidden=True, callback=_no_therapy)]
Disorder = Annotated[
    list[str] | None, typer.Option("--disorder", "-d", help="Disorder profile, e.g. schizophrenia; repeats.")
]
Brain = Annotated[
    Path | None, typer.Option("--brain", help="Folder (weights.*, regions.csv, ...) or brain.toml.")
]
Draws = Annotated[int, typer.Option("--draws", min=2, help="Joint samples of everything uncertain.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the draws; the same seed, the same result.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Processes; all cores by default.")]
Beta = Annotated[float, typer.Option("--beta", help="Factor on the slopes of maps; 0: regions alike.")]
Spun = Annotated[
    int | None,
    typer.Option("--spun-maps", min=0, metavar="SEED", help="Turn the cortical maps at random: a null."),
]
Linear = Annotated[
    str,
    typer.Option(
        "--linearisation",
        help="plain, or statistical: rates and gains averaged over fluctuations (meant for 1 to 3 mV; tens "
        "of times slower).",
    ),
]
Eeg = Annotated[
    str | None,
    typer.Option(
        "--eeg", metavar="LEADFIELD",
        help="Band power at electrodes: sphere (built-in head), or a CSV of electrodes by regions.",
    ),
]  # fmt: skip
Out = Annotated[Path | None, typer.Option("--out", help="Output folder; default synsys-out/COMMAND-SLUG.")]
Genome = Annotated[
    Path | None,
    typer.Option("--genome", metavar="FILE", help="Variants, expression or methylation of a person (CSV)."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Keep finished draws beside the output and go on from those there.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a non-empty output folder.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write verdicts and totals as JSON.")]
Page = Annotated[Path | None, typer.Option("--out", help="Page to write (.html).")]
Replace = Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"synsys {synsys.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """From synapse to system: what a molecular change does, from synapses to whole-brain networks.

    Start with: synsys cascade --perturb GRIN2B=0.7. Names: synsys catalog. Research use only.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def cascade(
    perturb: Perturb = None, disorder: Disorder = None, brain: Brain = None, draws: Draws = 32,
    seed: Seed = 0, jobs: Jobs = None, beta: Beta = 1.0, spun_maps: Spun = None,
    linearisation: Linear = "plain", eeg: Eeg = None, genome: Genome = None, out: Out = None,
    force: Force = False, therapy: Therapy = None,
) -> None:  # fmt: skip
    """Trace a molecular change through synapses, microcircuit, rhythms and networks.

    Examples: synsys cascade --perturb GRIN2B=0.7; synsys cascade -p KCNQ2=0.6:E@dlPFC; synsys cascade
    --disorder schizophrenia; synsys cascade -p d2_occupancy=0.3:0.9:0.2 (a dose sweep).
    """
    from synsys.core.output import prepare_out, whole_folder
    from synsys.core.schema import print_result, save
    from synsys.scales.cascade import doses, inert_names, open_brain
    from synsys.scales.cascade import sweep as run
    from synsys.scales.runs import check_options

    given: list[str | Perturbation] = [*(perturb or [])]
    named = disorder or []
    words = [*(perturb or []), *named]
    if genome is not None:
        from synsys.genome.person import perturbations_from

        given = [*perturbations_from(genome), *given]
        words = [genome.stem, *words]
    if not given and not named:
        raise UserError("nothing to run: give --perturb NAME=FACTOR or --disorder NAME (see synsys catalog)")
    sets = doses(given, named)
    if idle := inert_names(sets[0]):
        typer.echo(
            f"synsys: nothing in the model follows from {', '.join(idle)}; run with the rest", err=True
        )
    connectome = open_brain(brain)
    check_options(connectome, beta, spun_maps, linearisation, eeg)
    target = prepare_out(out or Path("synsys-out") / f"cascade-{_slug(words)}", force)
    command = shlex.join(["synsys", *sys.argv[1:]])
    several = len(sets) > 1
    with whole_folder(target) as folder:
        with _progress(f"{len(sets)} doses" if several else "solving draws") as step:
            results = run(
                given, named, connectome, draws, seed, jobs, beta, step, command,
                spun_maps=spun_maps, linearisation=linearisation, eeg=eeg,
            )  # fmt: skip
        for k, tree in enumerate(results):
            suffix = f"-{k:02d}" if several else ""
            save(tree, folder / f"cascade{suffix}.nc")
            tree["table"].to_dataset().to_dataframe().to_csv(folder / f"table{suffix}.csv")
            _write_report(tree, folder / f"report{suffix}.html")
            print_result(tree)
            if _nothing_follows(tree):
                typer.echo("Nothing follows: no row of the tables carries this change into the circuit.")
    typer.echo(f"results and reports: {target}" if several else f"result and report: {target}/report.html")


@app.command()
def trajectory(
    scenario: Annotated[
        str | None, typer.Argument(help="A YAML file, or the name of a shipped scenario; none lists them.")
    ] = None,
    brain: Brain = None,
    draws: Annotated[
        int | None, typer.Option("--draws", min=1, help="Joint samples; those of the scenario, else 16.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of the draws; that of the scenario, else 0.")
    ] = None,
    jobs: Jobs = None, beta: Beta = 1.0, out: Out = None, force: Force = False, resume: Resume = False,
) -> None:  # fmt: skip
    """Run a scenario over minutes to decades: exposures, drugs, development, and what follows in what order.

    Examples: synsys trajectory ketamine; synsys trajectory my-scenario.yaml --draws 8. The form of a
    scenario is described in docs/scenarios.md.
    """
    from synsys.knowledge.scenarios import open_scenario, shipped

    if scenario is None:
        for name in shipped():
            typer.echo(f"{name:22} {open_scenario(name).text.split('. ')[0].rstrip('.')}")
        return
    import shutil

    from synsys.core.output import prepare_out, whole_folder
    from synsys.core.schema import print_result, save, tabulate
    from synsys.scales.trajectory import trajectory as run

    plan = open_scenario(scenario)
    target = prepare_out(out or Path("synsys-out") / f"trajectory-{_slug([plan.name])}", force)
    kept = target.with_name(f"{target.name}.draws") if resume else None
    command = shlex.join(["synsys", *sys.argv[1:]])
    with whole_folder(target) as folder:
        with _progress("percent of draws") as step:
            tree = run(plan, brain, draws, seed, jobs, beta, step, command, resume=kept)
        save(tree, folder / "trajectory.nc")
        tabulate(tree).to_csv(folder / "table.csv")
        _write_report(tree, folder / "report.html")
    if kept is not None:
        shutil.rmtree(kept, ignore_errors=True)
    print_result(tree)
    typer.echo(f"result and report: {target}/report.html")


Grid = Annotated[
    list[str] | None,
    typer.Option(
        "--grid", "-g", help="NAME=VALUE,VALUE or NAME=FIRST:LAST:COUNT; repeats, all combinations."
    ),
]


def _simulated(
    name: str, grid: dict[str, list[float]], given: list[str], out: Path | None, force: bool, resume: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Run, save and print a simulation or a sweep."""
    from synsys.core.output import prepare_out, whole_folder
    from synsys.core.schema import print_result, save, tabulate
    from synsys.scales.simulate import forget, numbers
    from synsys.scales.simulate import simulate as run

    model = options["model"]
    fixed = given if model == "circuit" else numbers(given)
    words = [model, *(f"{k}={','.join(f'{x:g}' for x in v)}" for k, v in grid.items()), *given]
    target = prepare_out(out or Path("synsys-out") / f"{name}-{_slug(words)}", force)
    kept = target.with_name(f"{target.name}.tasks") if resume else None
    command = shlex.join(["synsys", *sys.argv[1:]])
    with whole_folder(target) as folder:
        with _progress("percent simulated") as step:
            tree = run(grid=grid, fixed=fixed, resume=kept, progress=step, command=command, **options)
        save(tree, folder / "simulation.nc")
        tabulate(tree).to_csv(folder / "table.csv")
    if kept is not None:
        forget(kept)
    print_result(tree)
    typer.echo(f"result: {target}/simulation.nc")


Model = Annotated[str, typer.Option("--model", help="circuit, wong_wang, hopf or kuramoto.")]
Given = Annotated[
    list[str] | None,
    typer.Option(
        "--perturb", "-p", help="Circuit: NAME=FACTOR, as in cascade; other models: PARAMETER=VALUE."
    ),
]
Seconds = Annotated[float, typer.Option("--seconds", help="Recorded time of every run.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Runs of every point, with noise of their own.")]
Every = Annotated[
    float, typer.Option("--every", help="Time of a record of activity, ms; 0 keeps means only.")
]
TR = Annotated[float, typer.Option("--tr", help="Time between BOLD scans, ms; 0 for none.")]
Speed = Annotated[float, typer.Option("--speed", help="Reference models: conduction, m/s; 0: no delays.")]
Dt = Annotated[float, typer.Option("--dt", help="Step, ms; 0.25 (circuit) or 0.1 by default.")]
Precision = Annotated[str, typer.Option("--precision", help="float32 or float64.")]
Refresh = Annotated[
    int, typer.Option("--refresh", min=1, help="Steps for which coupling is held: faster, rougher.")
]
SimulationDraws = Annotated[
    int, typer.Option("--draws", min=1, help="Joint samples of the circuit's priors.")
]


@app.command()
def simulate(
    model: Model = "circuit", perturb: Given = None, brain: Brain = None, seconds: Seconds = 60.0,
    seeds: Seeds = 1, draws: SimulationDraws = 1, seed: Seed = 0, every: Every = 10.0, tr: TR = 720.0,
    speed: Speed = 0.0, dt: Dt = 0.0, precision: Precision = "float32", refresh: Refresh = 1,
    out: Out = None, force: Force = False, resume: Resume = False,
) -> None:  # fmt: skip
    """Simulate a brain in time: rates and BOLD of every region.

    Examples: synsys simulate; synsys simulate -p GRIN2B=0.8 --seeds 4; synsys simulate --model wong_wang
    -p G=0.8 --seconds 600.
    """
    _simulated(
        "simulate", {}, perturb or [], out, force, resume, model=model, brain=brain, seconds=seconds,
        seeds=seeds, draws=draws, seed=seed, every=every, repetition=tr, speed=speed, dt=dt,
        precision=precision, refresh=refresh,
    )  # fmt: skip


@app.command()
def sweep(
    grid: Grid = None, model: Model = "circuit", perturb: Given = None, brain: Brain = None,
    seconds: Seconds = 60.0, seeds: Seeds = 1, draws: SimulationDraws = 1, seed: Seed = 0,
    every: Every = 0.0, tr: TR = 720.0, speed: Speed = 0.0, dt: Dt = 0.0, precision: Precision = "float32",
    refresh: Refresh = 1,
    size: Annotated[int, typer.Option("--task", min=1, help="Runs that go side by side.")] = 16,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Of a dask cluster; else here.")
    ] = None,
    out: Out = None, force: Force = False, resume: Resume = False,
) -> None:  # fmt: skip
    """Simulate every point of a grid; goes on where it was broken off with --resume.

    Examples: synsys sweep --model wong_wang -g G=0.2:2:10 --seeds 4 --resume; synsys sweep -g
    GRIN2B=0.8,0.9,1 --seconds 300.
    """
    from synsys.scales.simulate import parse_grid

    if not grid:
        raise UserError("nothing to sweep: give --grid NAME=VALUES")
    _simulated(
        "sweep", parse_grid(grid), perturb or [], out, force, resume, model=model, brain=brain,
        seconds=seconds, seeds=seeds, draws=draws, seed=seed, every=every, repetition=tr, speed=speed,
        dt=dt, precision=precision, refresh=refresh, size=size, scheduler=scheduler,
    )  # fmt: skip


@app.command()
def catalog(
    kind: Annotated[
        str, typer.Argument(help="perturbations, readouts, therapies, disorders or claims")
    ] = "perturbations",
    search: Annotated[
        str | None, typer.Option("--search", help="Text in names, aliases, genes, definitions.")
    ] = None,
) -> None:
    """Print what can be changed, read, given, suffered or claimed.

    Perturbations from which nothing in the model follows yet are marked: cascade refuses them alone.
    """
    from synsys.knowledge.catalog import print_catalog

    print_catalog(kind, search)


@app.command("check-claims")
def check_claims(
    claims: Annotated[Path, typer.Argument(help="CSV in the form of the claims table.")],
    json_out: Json = None, force: Replace = False,
    brain: Brain = None, draws: Draws = 128, seed: Seed = 0, jobs: Jobs = None,
) -> None:  # fmt: skip
    """Score directional claims against the model, beside baselines that know nothing of it."""
    from synsys.core.output import write_whole
    from synsys.scales.claims import check_claims as run
    from synsys.scales.claims import print_claims, to_json

    if json_out is not None:
        _new_file(json_out, force)
    with _progress("solving draws") as step:
        result = run(claims, brain, draws, seed, jobs, step)
    if json_out is not None:
        write_whole(json_out, to_json(result))
    print_claims(result)


@app.command()
def report(
    result: Annotated[Path, typer.Argument(help="A result (.nc).")], out: Page = None, force: Replace = False
) -> None:
    """Write the report of a result that was saved before."""
    from synsys.core.schema import load

    tree = load(result)
    path = _new_file(out or result.with_name("report.html"), force)
    _write_report(tree, path)
    typer.echo(f"report: {path}")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A result (.nc).")],
    second: Annotated[Path, typer.Argument(help="Another.")],
    out: Page = None, force: Replace = False,
) -> None:  # fmt: skip
    """Set two results side by side, joined by readout."""
    from synsys.core.schema import load
    from synsys.report.comparison import print_comparison, write_comparison

    a, b = load(first), load(second)
    names = [_slug([path.resolve().parent.name, path.stem]) for path in (first, second)]
    path = _new_file(out or Path("synsys-out") / f"compare-{'-'.join(names)}.html", force)
    write_comparison(a, b, path)
    print_comparison(a, b)
    typer.echo(f"comparison: {path}")


def _nothing_follows(tree: "xr.DataTree") -> bool:
    """Whether the healthy and the changed brain are the same in every readout."""
    table = tree["table"]
    return not (table["effect"].where(table["origin"] != "input", 0.0).fillna(1.0) != 0).any()


def _write_report(tree: "xr.DataTree", path: Path) -> None:
    from synsys.report import write_report

    write_report(tree, path)


def _new_file(path: Path, force: bool) -> Path:
    """The path of a file that can be written, checked before any work; creates nothing."""
    from synsys.core.output import prepare_out

    if path.is_dir():
        raise UserError(f"{path} is a folder; a file is needed")
    if path.exists() and not force:
        raise UserError(f"{path} exists; use --force to overwrite it")
    prepare_out(path.parent, force=True)
    return path


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A context that yields `step(done, total)` and draws a bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _slug(words: list[str]) -> str:
    text = "-".join(words)
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text)[:80]


def _usage(error: Exception) -> str:
    """What is wrong with the arguments; for an option's value, with the value that was given."""
    options = getattr(getattr(error, "param", None), "opts", ())
    for word, following in reversed(list(zip(sys.argv, [*sys.argv[1:], ""], strict=True))):
        name, equals, value = word.partition("=")
        if name in options and (value if equals else following):
            return f"{name} {value if equals else following}: {error.message}"  # type: ignore[attr-defined]
    return error.format_message()  # type: ignore[attr-defined]


def main() -> None:
    """Entry point.

    Exit code 0 done, 2 the input cannot be run, 1 a fault of ours, 130 stopped by hand, 143 terminated.
    """
    from synsys.core.output import Terminated, terminable

    try:
        with terminable():
            code = app(standalone_mode=False) or 0
    except UserError as error:
        typer.echo(f"synsys: {error}", err=True)
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Terminated:
        code = 143
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        typer.echo(f"synsys: {_usage(error)}", err=True)  # a usage error of the parser
        code = 2
    if code in (130, 143):
        typer.echo("synsys: stopped; nothing was written", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
