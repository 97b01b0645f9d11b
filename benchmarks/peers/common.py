"""What the peer scripts share: command line, connectome, clock and the line of JSON.

The task is the reduced Wong-Wang model with excitation and inhibition (Deco et al. 2014, J Neurosci 34:7886)
on 84 regions, Euler-Maruyama at 0.1 ms, with BOLD (balloon model at 1 ms where the tool has it). Every tool
gets the same connectome, coupling, inhibition and noise, so that mean rates can be compared as well as
speeds; where a tool cannot do the same, its `note` says so.

This file imports nothing heavy before `arguments` has set the number of threads.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

NODES = 84
DT = 0.1
"""Integration step, ms."""
SPEED = 4.0
"""Conduction velocity where there are delays, mm/ms."""
TR = 720
"""Sampling of BOLD, ms; tools that know only whole seconds take 1000."""
INHIBITION = 1.0
"""Weight of inhibition onto excitation (J_i)."""
NOISE = 0.01
"""Standard deviation of the noise of both gating variables, per sqrt(ms)."""
TAU, GAMMA = 0.1, 0.641
"""Decay (s) and kinetic factor of the excitatory gating variable."""


def arguments(
    description: str | None, dtypes: tuple[str, ...] = ("float32", "float64")
) -> argparse.Namespace:
    """Command line of a peer script; also holds the process to the threads asked for.

    `dtypes` are those that the tool computes in; another one ends the program with a line that says so.
    """
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--sims", type=int, default=1, help="parameter sets")
    parser.add_argument("--seconds", type=float, default=10.0, help="simulated time")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=("float32", "float64"), default=dtypes[0])
    parser.add_argument("--delay", action="store_true", help=f"tract lengths at {SPEED:g} m/s")
    given = parser.parse_args()
    if given.dtype not in dtypes:
        raise SystemExit(f"this tool computes in {' and '.join(dtypes)} only")
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = str(given.threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-given.threads :])
    return given


def for_xla(given: argparse.Namespace, across: bool = True) -> int:
    """Threads for JAX, before it is imported; returns the number of devices to spread sets over.

    XLA hardly uses two threads within a step this small, so a batch is spread over as many devices as
    there are threads, each with one; not with ``across=False``.
    """
    devices = given.threads if across and given.sims > 1 and given.sims % given.threads == 0 else 1
    within = given.threads // devices
    os.environ["XLA_FLAGS"] = (
        f"--xla_force_host_platform_device_count={devices} "
        f"--xla_cpu_multi_thread_eigen={'true' if within > 1 else 'false'} "
        f"intra_op_parallelism_threads={within}"
    )
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["JAX_ENABLE_X64"] = "1" if given.dtype == "float64" else "0"
    return devices


def connectome(nodes: int = NODES, seed: int = 0):
    """Symmetric lognormal weights that fall with distance, mean row sum 1, and distances in mm."""
    import numpy as np

    rng = np.random.default_rng(seed)
    places = rng.normal(size=(nodes, 3)) * [35.0, 45.0, 30.0]
    length = np.linalg.norm(places[:, None] - places[None], axis=-1)
    weights = rng.lognormal(0, 1, (nodes, nodes)) * np.exp(-length / 30.0)
    weights = (weights + weights.T) / 2
    np.fill_diagonal(weights, 0)
    return weights / weights.sum(1).mean(), length


def couplings(sims: int):
    """Global coupling of each parameter set."""
    import numpy as np

    return np.linspace(0.1, 1.0, sims) if sims > 1 else np.array([0.5])


def rate_from_gating(s) -> float:
    """Mean excitatory rate (Hz) that holds the mean gating where it is: r = S / (tau gamma (1 - S)).

    All tools record S, few record rates; at rest dS/dt is 0 on average.
    """
    import numpy as np

    s = np.asarray(s, float)
    return float(np.mean(s / (TAU * GAMMA * (1 - s))))


class Clock:
    """Wall and processor seconds of a block, those of forked workers included."""

    def __enter__(self) -> "Clock":
        self.start = time.perf_counter(), sum(os.times()[:4])
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self.start[0]
        self.cpu = sum(os.times()[:4]) - self.start[1]


def spread(task: Callable[[int], Any], given: argparse.Namespace) -> list:
    """Run `task(k)` for every parameter set of a tool that has no batch: one after the other, or forked.

    Forked workers inherit what the parent compiled, as users of such tools do with a process pool.
    """
    if given.threads == 1 or given.sims == 1:
        return [task(k) for k in range(given.sims)]
    from multiprocessing import get_context

    pool = get_context("fork").Pool(given.threads)
    results = pool.map(task, range(given.sims), chunksize=1)
    pool.close()
    pool.join()
    return results


def emit(
    tool: str, given: argparse.Namespace, clock: Clock, compile_s: float, seconds: float | None = None,
    *, finite: bool, rate: float | None, note: str = "", task: str = "rww+bold",
) -> None:  # fmt: skip
    """Print the result: one JSON object on one line. Throughput leaves compilation out."""
    steps = round((seconds or given.seconds) * 1e3 / DT)
    line = {
        "tool": tool, "task": task + ("+delay" if given.delay else ""), "nodes": NODES, "dt_ms": DT,
        "steps": steps, "sims": given.sims, "threads": given.threads, "dtype": given.dtype,
        "wall_s": round(clock.wall, 3), "cpu_s": round(clock.cpu, 2),
        "compile_s": round(max(compile_s, 0.0), 2),
        "node_steps_per_s": float(f"{NODES * steps * given.sims / clock.wall:.4g}"),
        "finite": bool(finite), "mean_rate_hz": None if rate is None or rate != rate else round(rate, 2),
        "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    print(json.dumps({**line, "note": note} if note else line), flush=True)
