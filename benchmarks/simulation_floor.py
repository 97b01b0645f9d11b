"""How far the simulation kernel is from the arithmetic of this machine.

    python benchmarks/simulation_floor.py [--out benchmarks/results/simulation_floor.md]

The floor of a step counts every operation of the traced equations (`synsys.simulation.cost`): sums of what
arrives and plain operations at the peak rate of multiply-adds (a large matrix product, one thread), functions
and normal numbers at the speed that the kernel's own vector code reaches when it does nothing else. One
thread, medians of repeats; every figure is per node, step and run.
"""

import argparse
import os
import time
from pathlib import Path
from statistics import median

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.state import HealthyBrain
from synsys.brain.time_domain import in_time
from synsys.data.embedded import load_embedded
from synsys.simulation.cost import cost
from synsys.simulation.haemodynamics import Scan
from synsys.simulation.links import Links
from synsys.simulation.model import Model, Parameter
from synsys.simulation.models import wong_wang
from synsys.simulation.run import Simulation

REPEATS, MANY = 5, 16


def seconds(work) -> float:
    """Median time of repeats, after one that does not count."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def multiply_adds(dtype: str) -> float:
    """Peak rate, per ns."""
    a = np.random.default_rng(0).random((1200, 1200)).astype(dtype)
    return 1200**3 / seconds(lambda: a @ a) * 1e-9


def pace(simulation: Simulation, steps: int) -> float:
    """ns per node, step and run."""
    return 1e9 * seconds(lambda: simulation.advance(steps)) / (simulation.nodes * steps * simulation.batch)


def alone(functions: int, normals: bool, dtype: str, f=None) -> float:
    """Pace of a model that does nothing but evaluate a function, or draw normal numbers."""

    def drift(x, p, u):
        total = 0.0 * x.s
        for k in range(functions):
            total = total + f(x.s + 0.01 * (k + 1))
        return (0.0 * x.s, total)

    names = {"s": 0.3, "y": 0.0}
    model = Model(
        "alone", names, {"sd": Parameter(1.0)}, drift, lambda x, p: {}, lambda x, p, u: {"y": x.y, "s": x.s},
        noise={"s": "sd", "y": "sd"} if normals else {},
    )  # fmt: skip
    none = Links.between(np.zeros((64, 64)))
    return pace(
        Simulation(model, 64, none, seeds=range(16), method="euler", precision=dtype, threads=1, lanes=16),
        2000,
    )


def prices(dtype: str) -> dict[str, float]:
    """ns for each function in vector code, and for a pair of normal numbers."""
    kinds = {
        "exp": np.exp, "log": np.log, "log1p": np.log1p, "div": lambda s: 1.0 / (1.0 + s), "sqrt": np.sqrt,
        "pow": lambda s: s**2.7,
    }  # fmt: skip
    base = alone(0, False, dtype)
    out = {n: max((alone(MANY, False, dtype, f) - base) / MANY, 1e-3) for n, f in kinds.items()}
    return out | {"normals": alone(0, True, dtype) - base}


def wong_wang_brain(dtype: str, delay: bool, scan: bool = True) -> Simulation:
    """The reduced Wong-Wang model on 84 regions, all to all, 16 parameter sets."""
    rng = np.random.default_rng(0)
    weights = rng.random((84, 84)) * (1 - np.eye(84)) / 84
    delays = 2.0 + 20 * rng.random((84, 84)) if delay else None
    return Simulation(
        wong_wang, 84, Links.between(weights, delays), {"G": np.linspace(0.1, 1, 16)[:, None]}, range(16),
        method="euler", precision=dtype, threads=1, lanes=16, scan=Scan("S_E") if scan else None,
        observe=[] if scan else ["S_E"],
    )  # fmt: skip


def circuit_brain(dtype: str) -> Simulation:
    """Our circuit, the embedded brain, 16 seeds."""
    state = HealthyBrain(BrainModel(load_embedded()), Draw(0)).state
    return Simulation(
        **in_time([state]), seeds=range(16), dt=0.25, precision=dtype, threads=1, lanes=16,
        observe=["V0"], every=2.0,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    lines = [
        "# Distance from the arithmetic floor", "",
        f"`python benchmarks/simulation_floor.py`: one thread, medians of {REPEATS}; load "
        f"{os.getloadavg()[0]:.1f} before. ns per node, step and run; floor: sums, plain operations at the "
        "peak rate of multiply-adds; functions, normal numbers at the speed of the same vector code alone.",
        "",
    ]  # fmt: skip
    table = [
        "| model | precision | measured | floor | ratio | sums | functions | normals | plain operations |",
        "|-|-|-|-|-|-|-|-|-|",
    ]  # fmt: skip
    for dtype in ("float32", "float64"):
        rate, price = multiply_adds(dtype), prices(dtype)
        told = ", ".join(f"{n} {v:.2f}" for n, v in price.items())
        lines.append(f"- {dtype}: {rate:.1f} multiply-adds per ns; ns each: {told}")
        cases = {
            "reduced Wong-Wang, all to all": (wong_wang_brain(dtype, False), 4000),
            "reduced Wong-Wang, delays": (wong_wang_brain(dtype, True), 4000),
            "our circuit, embedded brain": (circuit_brain(dtype), 1500),
        }
        for name, (simulation, steps) in cases.items():
            found = cost(simulation)
            functions = sum(price[f] * n for f, n in found.functions.items() if f != "normals")
            normals = price["normals"] * found.functions.get("normals", 0.0)
            parts = found.connections / rate, functions, normals, found.operations / rate
            measured = pace(simulation, steps)
            floor = sum(parts)
            cells = " | ".join(f"{p:.2f}" for p in parts)
            table.append(
                f"| {name} | {dtype} | {measured:.2f} | {floor:.2f} | {measured / floor:.2f} | {cells} |"
            )
            print(table[-1], flush=True)
    text = "\n".join([*lines, "", *table]) + "\n"
    if given.out:
        given.out.write_text(text)


if __name__ == "__main__":
    main()
