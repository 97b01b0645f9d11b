"""The command line: ``synsys COMMAND``; every command mirrors a Python function of the same name."""

import os
import sys
from pathlib import Path
from typing import Annotated

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # many small problems: processes, not BLAS threads

import typer  # noqa: E402

import synsys  # noqa: E402
from synsys.core.errors import UserError  # noqa: E402

app = typer.Typer(
    name="synsys", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="From synapse to system: what a molecular change does to synapses, microcircuit, rhythms and "
    "whole-brain networks. Research use only.",
)  # fmt: skip

Perturb = Annotated[
    list[str] | None, typer.Option("--perturb", "-p", help="NAME=FACTOR[:CELL][@WHERE] or NAME+=D; repeats.")
]
Disorder = Annotated[
    list[str] | None, typer.Option("--disorder", "-d", help="Disorder profile, e.g. schizophrenia; repeats.")
]
Brain = Annotated[
    Path | None, typer.Option("--brain", help="Folder (weights.*, regions.csv, ...) or brain.toml.")
]
Draws = Annotated[int, typer.Option("--draws", help="Joint samples of everything uncertain.")]
Seed = Annotated[int, typer.Option("--seed")]
Jobs = Annotated[int | None, typer.Option("--jobs", help="Processes; all cores by default.")]
Beta = Annotated[float, typer.Option("--beta", help="Regional heterogeneity; 0 makes regions alike.")]
Out = Annotated[Path | None, typer.Option("--out", help="Output folder; default synsys-out/COMMAND-SLUG.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a non-empty output folder.")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"synsys {synsys.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""


@app.command()
def cascade(
    perturb: Perturb = None, disorder: Disorder = None, brain: Brain = None, draws: Draws = 32, seed: Seed = 0,
    jobs: Jobs = None, beta: Beta = 1.0, out: Out = None, force: Force = False,
) -> None:  # fmt: skip
    """Trace a molecular change through synapses, microcircuit, rhythms and networks.

    Examples: synsys cascade --perturb GRIN2B=0.7; synsys cascade -p KCNQ2=0.6:E@dlPFC; synsys cascade
    --disorder schizophrenia; synsys cascade -p d2_occupancy=0.3:0.9:0.2 (a dose sweep).
    """
    from synsys.core.output import prepare_out, whole_folder
    from synsys.core.schema import print_result, save
    from synsys.knowledge.resolve import parse_sweep
    from synsys.scales.cascade import cascade as run
    from synsys.scales.cascade import open_brain, profile

    given, named = perturb or [], disorder or []
    if not given and not named:
        raise UserError("nothing to run: give --perturb NAME=FACTOR or --disorder NAME (see synsys catalog)")
    sweeps = [parse_sweep(text) for text in given]
    for name in named:
        profile(name)
    doses = [s for s in sweeps if len(s) > 1]
    if len(doses) > 1:
        raise UserError("one perturbation can be swept at a time")
    runs = (
        [tuple(x if s is doses[0] else s[0] for s in sweeps) for x in doses[0]]
        if doses
        else [tuple(s[0] for s in sweeps)]
    )
    connectome = open_brain(brain)
    target = prepare_out(out or Path("synsys-out") / f"cascade-{_slug([*given, *named])}", force)
    command = "synsys " + " ".join(_quote(a) for a in sys.argv[1:])
    with whole_folder(target) as folder:
        for k, changes in enumerate(runs):
            label = f"dose {k + 1} of {len(runs)}" if len(runs) > 1 else "solving draws"
            with _progress(label) as step:
                tree = run(changes, named, connectome, draws, seed, jobs, beta, step, command)
            suffix = f"-{k:02d}" if len(runs) > 1 else ""
            save(tree, folder / f"cascade{suffix}.nc")
            tree["table"].to_dataset().to_dataframe().to_csv(folder / f"table{suffix}.csv")
            _write_report(tree, folder / f"report{suffix}.html")
            print_result(tree)
    typer.echo(
        f"result and report: {target}/report.html" if len(runs) == 1 else f"results and reports: {target}"
    )


@app.command()
def catalog(
    kind: Annotated[
        str, typer.Argument(help="perturbations, readouts, therapies, disorders or claims")
    ] = "perturbations",
    search: Annotated[
        str | None, typer.Option("--search", help="Text in names, aliases, genes, definitions.")
    ] = None,
) -> None:
    """Print what can be changed, read, given, suffered or claimed."""
    from synsys.knowledge.catalog import print_catalog

    print_catalog(kind, search)


@app.command("check-claims")
def check_claims(
    claims: Annotated[Path, typer.Argument(help="CSV in the form of the claims table.")],
    json_out: Annotated[Path | None, typer.Option("--json", help="Write verdicts and totals as JSON.")] = None,
    brain: Brain = None, draws: Draws = 128, seed: Seed = 0, jobs: Jobs = None,
) -> None:  # fmt: skip
    """Score directional claims against the model, beside baselines that know nothing of it."""
    from synsys.core.output import write_whole
    from synsys.scales.claims import check_claims as run
    from synsys.scales.claims import print_claims, to_json

    if json_out is not None and not json_out.parent.is_dir():
        raise UserError(f"--json {json_out}: folder {json_out.parent} does not exist")
    with _progress("perturbations") as step:
        result = run(claims, brain, draws, seed, jobs, step)
    if json_out is not None:
        write_whole(json_out, to_json(result))
    print_claims(result)


@app.command()
def report(
    result: Annotated[Path, typer.Argument(help="A result (.nc).")], out: Out = None, force: Force = False
) -> None:
    """Write the report of a result that was saved before."""
    from synsys.core.schema import load

    tree = load(result)
    path = out or result.with_name("report.html")
    if path.exists() and not force:
        raise UserError(f"{path} exists; use --force to overwrite it")
    _write_report(tree, path)
    typer.echo(f"report: {path}")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A result (.nc).")], second: Annotated[Path, typer.Argument(help="Another.")],
    out: Out = None, force: Force = False,
) -> None:  # fmt: skip
    """Set two results side by side, joined by readout."""
    from synsys.core.schema import load
    from synsys.report.comparison import print_comparison, write_comparison

    a, b = load(first), load(second)
    path = out or Path("synsys-out") / f"compare-{first.parent.name}-{second.parent.name}.html"
    if path.exists() and not force:
        raise UserError(f"{path} exists; use --force to overwrite it")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_comparison(a, b, path)
    print_comparison(a, b)
    typer.echo(f"comparison: {path}")


def _write_report(tree, path: Path) -> None:  # type: ignore[no-untyped-def]
    from synsys.report import write_report

    write_report(tree, path)


def _progress(label: str):  # type: ignore[no-untyped-def]
    """A context that yields `step(done, total)` and draws a bar on a terminal."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    @contextmanager
    def bar():  # type: ignore[no-untyped-def]
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(label, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    return bar()


def _slug(words: list[str]) -> str:
    text = "-".join(words)
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text)[:80]


def _quote(text: str) -> str:
    return text if text.replace("=", "").replace("-", "").isalnum() else f'"{text}"'


def main() -> None:
    """Entry point: exit code 0 done, 2 the input cannot be run, 1 a fault of ours."""
    try:
        app(standalone_mode=False)
    except UserError as error:
        typer.echo(f"synsys: {error}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("synsys: stopped; nothing was written", err=True)
        sys.exit(130)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # a usage error of the parser
            typer.echo(f"synsys: {error.format_message()}", err=True)
            sys.exit(2)
        raise


if __name__ == "__main__":
    main()
