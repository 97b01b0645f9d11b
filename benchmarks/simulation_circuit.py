"""Time of our own circuit: the embedded brain, all templates, 60 s of a batch of 16 on two threads.

    python benchmarks/simulation_circuit.py [--seconds 60] [--out benchmarks/results/simulation_circuit.md]

With BOLD and mean rates every 10 ms; both steps that are in use. Compilation has a column of its own.
"""

import argparse
import os
import time
from pathlib import Path

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.state import HealthyBrain
from synsys.brain.time_domain import in_time
from synsys.data.embedded import load_embedded
from synsys.simulation.cost import cost
from synsys.simulation.haemodynamics import Scan
from synsys.simulation.run import Simulation

BATCH, THREADS, BAR = 16, 2, 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    args = in_time([HealthyBrain(BrainModel(load_embedded()), Draw(0)).state])
    lines = [
        "# Time of our own circuit", "",
        f"`python benchmarks/simulation_circuit.py --seconds {given.seconds:g}`: {args['nodes']} nodes, "
        f"batch of {BATCH}, {THREADS} threads, Heun, delays, 1/f and background noise, BOLD; load {load:.1f} "
        f"before. Seconds are those of 60 s (bar: {BAR:g}); processor seconds, of both threads together.", "",
        "| precision | step, ms | compilation, s | simulation, s | processor, s | history, MiB | rounding |",
        "|-|-|-|-|-|-|-|",
    ]  # fmt: skip
    for precision, dt in (("float32", 0.25), ("float32", 0.2), ("float64", 0.25)):
        start = time.perf_counter()
        run = Simulation(
            **args, seeds=range(BATCH), dt=dt, precision=precision, threads=THREADS, observe=["rate_E"],
            every=10.0, scan=Scan("synaptic", 1000.0, 1.0, {"baseline": 100.0, "gain": 0.002}),
        )  # fmt: skip
        built = time.perf_counter() - start
        start, worked = time.perf_counter(), time.process_time()
        for _ in range(round(given.seconds)):
            run.advance(round(1e3 / dt))
        took = (time.perf_counter() - start) * 60 / given.seconds
        busy, told = (time.process_time() - worked) * 60 / given.seconds, cost(run)
        cells = f"{built:.1f} | {took:.1f} | {busy:.1f} | {told.history:.2f} | {told.rounding:.3f}"
        lines.append(f"| {precision} | {dt:g} | {cells} |")
        print(lines[-1], flush=True)
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
