"""The commands that simulate in time, ``synsys simulate`` and ``synsys sweep``; `synsys.cli` offers them."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from synsys.cli_options import Brain, Force, Out, Resume, Seed, progress, slug
from synsys.core.errors import UserError

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
    from synsys.report import write_report
    from synsys.scales.simulate import forget, numbers
    from synsys.scales.simulate import simulate as run

    model = options["model"]
    fixed = given if model == "circuit" else numbers(given)
    words = [model, *(f"{k}={','.join(f'{x:g}' for x in v)}" for k, v in grid.items()), *given]
    target = prepare_out(out or Path("synsys-out") / f"{name}-{slug(words)}", force)
    kept = target.with_name(f"{target.name}.tasks") if resume else None
    command = shlex.join(["synsys", *sys.argv[1:]])
    with whole_folder(target) as folder:
        with progress("percent simulated") as step:
            tree = run(grid=grid, fixed=fixed, resume=kept, progress=step, command=command, **options)
        save(tree, folder / "simulation.nc")
        tabulate(tree).to_csv(folder / "table.csv")
        write_report(tree, folder / "report.html")
    if kept is not None:
        forget(kept)
    print_result(tree)
    typer.echo(f"result and report: {target}/report.html")


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
WarmUp = Annotated[
    float | None,
    typer.Option("--warm-up", help="Seconds before the recording; 20, or what the model needs, by default."),
]
Speed = Annotated[float, typer.Option("--speed", help="Reference models: conduction, m/s; 0: no delays.")]
Dt = Annotated[float, typer.Option("--dt", help="Step, ms; 0.25 (circuit) or 0.1 by default.")]
Precision = Annotated[str, typer.Option("--precision", help="float32 or float64.")]
Electrodes = Annotated[
    str | None,
    typer.Option(
        "--eeg", metavar="LEADFIELD",
        help="What electrodes see as well: sphere (built-in head), or a CSV of electrodes by regions.",
    ),
]  # fmt: skip
Refresh = Annotated[
    int, typer.Option("--refresh", min=1, help="Steps for which coupling is held: faster, rougher.")
]
SimulationDraws = Annotated[
    int, typer.Option("--draws", min=1, help="Joint samples of the circuit's priors.")
]


def simulate(
    model: Model = "circuit", perturb: Given = None, brain: Brain = None, seconds: Seconds = 60.0,
    seeds: Seeds = 1, draws: SimulationDraws = 1, seed: Seed = 0, every: Every = 10.0, tr: TR = 720.0,
    warm_up: WarmUp = None,
    speed: Speed = 0.0, dt: Dt = 0.0, precision: Precision = "float32", refresh: Refresh = 1,
    eeg: Electrodes = None, out: Out = None, force: Force = False, resume: Resume = False,
) -> None:  # fmt: skip
    """Simulate a brain in time: rates and BOLD of every region.

    Examples: synsys simulate; synsys simulate -p GRIN2B=0.8 --seeds 4; synsys simulate --model wong_wang
    -p G=0.8 --seconds 600; synsys simulate --eeg sphere --every 4.
    """
    _simulated(
        "simulate", {}, perturb or [], out, force, resume, model=model, brain=brain, seconds=seconds,
        seeds=seeds, draws=draws, seed=seed, every=every, repetition=tr, warm_up=warm_up, speed=speed, dt=dt,
        precision=precision, refresh=refresh, eeg=eeg,
    )  # fmt: skip


def sweep(
    grid: Grid = None, model: Model = "circuit", perturb: Given = None, brain: Brain = None,
    seconds: Seconds = 60.0, seeds: Seeds = 1, draws: SimulationDraws = 1, seed: Seed = 0,
    every: Every = 0.0, tr: TR = 720.0, warm_up: WarmUp = None, speed: Speed = 0.0, dt: Dt = 0.0,
    precision: Precision = "float32", refresh: Refresh = 1, eeg: Electrodes = None,
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
        seconds=seconds, seeds=seeds, draws=draws, seed=seed, every=every, repetition=tr, warm_up=warm_up,
        speed=speed, dt=dt, precision=precision, refresh=refresh, eeg=eeg, size=size, scheduler=scheduler,
    )  # fmt: skip
