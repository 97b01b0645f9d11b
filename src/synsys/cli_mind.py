"""The commands about behaviour, ``synsys mind ...``; `synsys.cli` offers them."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synsys.cli_options import Force, Out, Seed, progress, slug
from synsys.core.errors import UserError

if TYPE_CHECKING:
    import xarray as xr

    from synsys.scales.behaviour import Progress

app = typer.Typer(
    no_args_is_help=True, help="Models of behaviour and their fit to choices; tasks and symptoms of a brain."
)

ModelName = Annotated[str, typer.Option("--model", "-m", help="A model; see synsys mind models.")]
Against = Annotated[
    list[str] | None, typer.Option("--against", "-a", help="Another model of the same trials; repeats.")
]


@contextmanager
def _bars() -> Iterator["Progress"]:
    """Yields ``step(what, done, total)``: a bar for what is being done."""
    with progress("starting") as step:
        yield lambda what, done, total: step(done, total, what)


@app.command()
def models() -> None:
    """List the models, their parameters, and the columns of a table that they read."""
    from rich.console import Console

    from synsys.mind.models import models as known

    out = Console()
    for model in known().values():
        out.print(f"[bold]{model.name}[/bold]  {model.title} ({model.citation})", highlight=False)
        for p in model.parameters:
            flag = "" if p.identifiable else "  (seldom identifiable)"
            out.print(f"    {p.name:<13} {p.definition}{flag}", highlight=False)
        words = [
            f"{c.column} ({f'0 to {c.options - 1}' if c.options else 'a number'})" for c in model.choices
        ]
        words += [f"{name} ({text})" for name, text in model.inputs.items()]
        words += [f"{name} (optional, {value:g})" for name, value in model.optional.items()]
        out.print(f"    reads: {', '.join(words)}", highlight=False)


@app.command()
def tasks() -> None:
    """List the tasks that a brain performs in a cascade, their scores, chance and ceiling."""
    from rich.console import Console

    from synsys.knowledge.load import vocabulary
    from synsys.mind.tasks.registry import tasks as known

    out = Console()

    def number(value: float | None) -> str:
        return "none" if value is None else f"{value:.3g}"

    for task in known().values():
        out.print(f"[bold]{task.name}[/bold]  {task.procedure} ({task.source})", highlight=False)
        for score in task.scores:
            row = vocabulary()[score.name]
            better = ("neither is better", "more is better", "less is better")[score.better]
            ends = f"chance {number(score.chance)}, best {number(score.ceiling)}"
            out.print(
                f"    {score.name:<27} {ends}, {better}; {row.definition} ({row.unit})",
                highlight=False,
            )


@app.command()
def symptoms() -> None:
    """List what each symptom is read from; a table of your own goes to synsys cascade --symptoms FILE."""
    from rich.console import Console

    from synsys.knowledge.symptoms import symptoms as known

    out = Console()
    for name, rows in known().rows.items():
        out.print(f"[bold]{name}[/bold]", highlight=False)
        for row in rows:
            out.print(f"    {row.weight:+g} {row.source}  {row.grade}: {row.citation}", highlight=False)


@app.command()
def fit(
    data: Annotated[Path, typer.Argument(help="Table with one row a trial: CSV or TSV, also compressed.")],
    model: ModelName,
    against: Against = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option("--covariate", "-c", help="Column that the group depends on, constant within people."),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option("--rename", metavar="NAME=COLUMN", help="What the table calls a column; repeats."),
    ] = None,
    subject: Annotated[str, typer.Option("--subject", help="Column that names the person.")] = "subject",
    block: Annotated[str, typer.Option("--block", help="Column that names the block.")] = "block",
    base: Annotated[int, typer.Option("--base", min=0, max=1, help="Number of the first option.")] = 0,
    keep: Annotated[str, typer.Option("--keep", metavar="QUERY", help='Rows to keep: "trial > 0".')] = "",
    alone: Annotated[bool, typer.Option("--alone", help="Fit people one by one, without a group.")] = False,
    recovery: Annotated[
        int, typer.Option("--recovery", min=0, help="Simulated people that test recovery; 0: none.")
    ] = 200,
    samples: Annotated[int, typer.Option("--samples", min=100, help="Importance samples a person.")] = 1500,
    seed: Seed = 0, out: Out = None, force: Force = False,
) -> None:  # fmt: skip
    """Fit a model of behaviour to a table of trials, person by person and as a group.

    Examples: synsys mind fit trials.csv --model ehgf; synsys mind fit trials.csv -m rlwm -a rl_only --base 1
    -c group --rename reward=correct.
    """
    from synsys.scales.behaviour import fit_behaviour

    names = dict(_pair(text) for text in rename or [])
    with _written("mind-fit", "behaviour", [data.stem.split(".")[0], model], out, force) as (
        step,
        command,
        done,
    ):
        done(
            fit_behaviour(
                data, model, against or [], covariates=covariate or [], rename=names, subject=subject,
                block=block, base=base, keep=keep, alone=alone, recovery=recovery, samples=samples, seed=seed,
                progress=step, command=command,
            )
        )  # fmt: skip


@app.command()
def recover(
    model: ModelName,
    against: Against = None,
    subjects: Annotated[int, typer.Option("--subjects", min=10, help="People to simulate.")] = 200,
    trials: Annotated[
        int | None, typer.Option("--trials", min=5, help="Trials of each; as usual in the task by default.")
    ] = None,
    seed: Seed = 0, out: Out = None, force: Force = False,
) -> None:  # fmt: skip
    """Simulate people with a model and see which of its parameters come back from their choices.

    Examples: synsys mind recover --model ehgf; synsys mind recover -m q_dual_sticky -a q_sticky --trials 90.
    """
    from synsys.scales.behaviour import recover_behaviour

    with _written("mind-recover", "recovery", [model], out, force) as (step, command, done):
        done(recover_behaviour(model, against or [], subjects, trials, seed, step, command))


@contextmanager
def _written(
    name: str, file: str, words: list[str], out: Path | None, force: bool
) -> Iterator[tuple["Progress", str, Callable[["xr.DataTree"], None]]]:
    """Yields progress, the command as text, and what takes the result; writes and prints it at the end."""
    from synsys.core.output import prepare_out, whole_folder
    from synsys.core.schema import print_result, save, tabulate
    from synsys.core.show_mind import people_frame
    from synsys.report import write_report

    target = prepare_out(out or Path("synsys-out") / f"{name}-{slug(words)}", force)
    results: list[xr.DataTree] = []
    with whole_folder(target) as folder:
        with _bars() as step:
            yield step, shlex.join(["synsys", *sys.argv[1:]]), results.append
        (tree,) = results
        save(tree, folder / f"{file}.nc")
        tabulate(tree).to_csv(folder / "table.csv")
        if "estimates" in tree.children:
            people_frame(tree).to_csv(folder / "people.csv")
        write_report(tree, folder / "report.html")
    print_result(tree)
    typer.echo(f"result and report: {target}/report.html")


def _pair(text: str) -> tuple[str, str]:
    name, found, column = text.partition("=")
    if not found or not name or not column:
        raise UserError(f"--rename {text}: NAME=COLUMN is needed")
    return name, column
