"""The Virtual Brain's reduced Wong-Wang model, for the comparison of moments: means, sd and FC of the gating.

TVB_PYTHON moments_tvb.py --seeds 16 --seconds 10 --delay FILE.npz
"""

import argparse
import logging
import os
import tempfile
import warnings

parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--seeds", type=int, default=16)
parser.add_argument("--seconds", type=float, default=10.0)
parser.add_argument("--regions", type=int, default=20)
parser.add_argument("--delay", action="store_true")
given = parser.parse_args()
warnings.filterwarnings("ignore")
os.environ.setdefault("TVB_USER_HOME", tempfile.mkdtemp())

import numpy as np  # noqa: E402
from common import DT, INHIBITION, NOISE, SPEED, connectome  # noqa: E402
from tvb.simulator.lab import connectivity, coupling, integrators, models, monitors, noise, simulator  # noqa: E402

logging.disable(logging.WARNING)
weights, length = connectome(given.regions)
out = []
for seed in range(given.seeds):
    wires = connectivity.Connectivity(
        weights=weights, tract_lengths=length if given.delay else np.zeros_like(length),
        region_labels=np.array([f"r{i}" for i in range(given.regions)]),
        centres=np.zeros((given.regions, 3)), speed=np.array([SPEED]),
    )  # fmt: skip
    wires.configure()
    white = noise.Additive(nsig=np.array([NOISE**2 / 2]), noise_seed=seed)
    brain = simulator.Simulator(
        model=models.ReducedWongWangExcInh(
            G=np.array([0.5]), J_i=np.array([INHIBITION]), variables_of_interest=["S_e", "S_i"]
        ),
        connectivity=wires, coupling=coupling.Linear(a=np.array([1.0])),
        integrator=integrators.EulerStochastic(dt=DT, noise=white),
        monitors=(monitors.SubSample(period=5.0),), simulation_length=1e3 * given.seconds,
    )  # fmt: skip
    brain.configure()
    ((_, gating),) = brain.run()
    out.append(gating[len(gating) // 5 :, :, :, 0])  # (time, variable, region)
np.savez(given.file, gating=np.array(out))
