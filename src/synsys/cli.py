"""The command line: ``synsys COMMAND``; every command mirrors a Python function of the same name."""

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # many small problems: processes, not BLAS threads

import typer  # noqa: E402

import synsys  # noqa: E402
from synsys.cli_mind import app as mind  # noqa: E402
from synsys.cli_options import (  # noqa: E402
    Beta,
    Brain,
    Disorder,
    Draws,
    Eeg,
    Force,
    Genome,
    Inference,
    Jobs,
    Json,
    Linear,
    Out,
    Page,
    Perturb,
    Replace,
    Resume,
    Seed,
    Spun,
    Symptoms,
    Tasks,
    Therapy,
    progress,
    slug,
)  # fmt: skip
from synsys.cli_simulate import simulate, sweep  # noqa: E402
from synsys.core.errors import UserError  # noqa: E402

if TYPE_CHECKING:
    import xarray as xr

    from synsys.core.perturbation import Perturbation

app = typer.Typer(name="synsys", add_completion=False, pretty_exceptions_enable=False)


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
    linearisation: Linear = "plain", eeg: Eeg = None, genome: Genome = None, tasks: Tasks = 16,
    inference: Inference = None, symptoms: Symptoms = None, out: Out = None, force: Force = False,
    therapy: Therapy = None,
) -> None:  # fmt: skip
    """Trace a molecular change through synapses, microcircuit, rhythms and networks to mind and symptoms.

    Examples: synsys cascade --perturb GRIN2B=0.7; synsys cascade -p KCNQ2=0.6:E@dlPFC; synsys cascade
    --disorder schizophrenia; synsys cascade -p d2_occupancy=0.3:0.9:0.2 (a dose sweep).
    """
    from synsys.core.output import prepare_out, whole_folder
    from synsys.core.schema import print_result, save
    from synsys.knowledge.symptoms import read_symptoms
    from synsys.mind.coupling import chosen
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
    chosen(inference or ())
    if symptoms is not None:
        read_symptoms(symptoms)
    target = prepare_out(out or Path("synsys-out") / f"cascade-{slug(words)}", force)
    command = shlex.join(["synsys", *sys.argv[1:]])
    several = len(sets) > 1
    with whole_folder(target) as folder:
        with progress(f"{len(sets)} doses" if several else "solving draws") as step:
            results = run(
                given, named, connectome, draws, seed, jobs, beta, step, command,
                spun_maps=spun_maps, linearisation=linearisation, eeg=eeg, tasks=tasks,
                inference=inference or (), symptoms=symptoms,
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
    target = prepare_out(out or Path("synsys-out") / f"trajectory-{slug([plan.name])}", force)
    kept = target.with_name(f"{target.name}.draws") if resume else None
    command = shlex.join(["synsys", *sys.argv[1:]])
    with whole_folder(target) as folder:
        with progress("percent of draws") as step:
            tree = run(plan, brain, draws, seed, jobs, beta, step, command, resume=kept)
        save(tree, folder / "trajectory.nc")
        tabulate(tree).to_csv(folder / "table.csv")
        _write_report(tree, folder / "report.html")
    if kept is not None:
        shutil.rmtree(kept, ignore_errors=True)
    print_result(tree)
    typer.echo(f"result and report: {target}/report.html")


app.command()(simulate)
app.command()(sweep)
app.add_typer(mind, name="mind")


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
    with progress("solving draws") as step:
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
    names = [slug([path.resolve().parent.name, path.stem]) for path in (first, second)]
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
