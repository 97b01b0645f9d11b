"""Options that commands share, and how they tell of progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from synsys.core.errors import UserError

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
Tasks = Annotated[
    int,
    typer.Option("--tasks", min=0, help="Draws in which tasks are performed: mind and symptoms; 0: none."),
]  # fmt: skip
Inference = Annotated[
    list[str] | None,
    typer.Option(
        "--inference", metavar="NAME",
        help="Reading of contradictory findings on inference, e.g. strong_priors; repeats.",
    ),
]  # fmt: skip
Symptoms = Annotated[
    Path | None, typer.Option("--symptoms", metavar="FILE", help="Your own table of symptoms (CSV).")
]
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


@contextmanager
def progress(label: str) -> Iterator[Callable[..., None]]:
    """A context that yields `step(done, total, label)` and draws a bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total, what=label: progress.update(
            task, completed=done, total=total, description=what
        )


def slug(words: list[str]) -> str:
    """Words as part of the name of a folder."""
    text = "-".join(words)
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text)[:80]
