"""The Virtual Brain: `ReducedWongWangExcInh`, Euler-Maruyama, numpy; batches as processes.

BOLD is its monitor: a haemodynamic kernel convolved with the mean gating of every 4 ms, no balloon model.
"""

from common import (
    DT,
    INHIBITION,
    NODES,
    NOISE,
    SPEED,
    TR,
    Clock,
    arguments,
    connectome,
    couplings,
    emit,
    rate_from_gating,
    spread,
)

given = arguments(__doc__, ("float64",))

import logging  # noqa: E402
import os  # noqa: E402
import tempfile  # noqa: E402
import warnings  # noqa: E402
from importlib.metadata import version  # noqa: E402

warnings.filterwarnings("ignore")
os.environ.setdefault("TVB_USER_HOME", tempfile.mkdtemp())

import numpy as np  # noqa: E402
from tvb.simulator.lab import connectivity, coupling, integrators, models, monitors, noise, simulator  # noqa: E402

logging.disable(logging.WARNING)
weights, length = connectome()


def run(k: int, milliseconds: float = given.seconds * 1e3) -> tuple[bool, float]:
    """Simulate set `k`: whether BOLD is finite, and the mean excitatory rate in Hz."""
    wires = connectivity.Connectivity(
        weights=weights, tract_lengths=length if given.delay else np.zeros_like(length),
        region_labels=np.array([f"r{i}" for i in range(NODES)]), centres=np.zeros((NODES, 3)),
        speed=np.array([SPEED]),
    )  # fmt: skip
    wires.configure()
    model = models.ReducedWongWangExcInh(
        G=np.array([couplings(given.sims)[k]]), J_i=np.array([INHIBITION]), variables_of_interest=["S_e"]
    )
    driven = integrators.EulerStochastic(dt=DT, noise=noise.Additive(nsig=np.array([NOISE**2 / 2])))
    brain = simulator.Simulator(
        model=model, connectivity=wires, coupling=coupling.Linear(a=np.array([1.0])), integrator=driven,
        monitors=(monitors.Bold(period=float(TR)), monitors.TemporalAverage(period=100.0)),
        simulation_length=milliseconds,
    )  # fmt: skip
    brain.configure()
    (_, bold), (_, gating) = brain.run()
    return bool(np.isfinite(bold).all()), rate_from_gating(gating[len(gating) // 10 :, 0].mean(0))


with Clock() as first:
    run(0, 100.0)
with Clock() as clock:
    results = spread(run, given)
emit(
    f"tvb-{version('tvb-library')}", given, clock, first.wall, finite=all(f for f, _ in results),
    rate=float(np.mean([rate for _, rate in results])), note="numpy; BOLD by kernel",
)  # fmt: skip
