"""cuBNM on the processor: `rWWSimGroup`, balloon model at 1 ms, batch over OpenMP threads.

Double precision. Noise of 30 s is drawn once per group and shuffled for later segments (its default). The
second run of a group is timed, so that drawing counts as preparation, like compilation elsewhere.
"""

from common import (
    INHIBITION,
    NODES,
    NOISE,
    SPEED,
    Clock,
    arguments,
    connectome,
    couplings,
    emit,
    rate_from_gating,
)

given = arguments(__doc__, ("float64",))

import multiprocessing  # noqa: E402

multiprocessing.cpu_count = lambda: given.threads  # it starts as many threads as it thinks there are cores

from importlib.metadata import version  # noqa: E402

import numpy as np  # noqa: E402
from cubnm import sim  # noqa: E402

weights, length = connectome()
seconds = max(2, round(given.seconds))


many = sim.rWWSimGroup(
    duration=seconds, TR=1, sc=weights, sc_dist=length if given.delay else None, dt="0.1", bw_dt="1.0",
    do_fic=False, do_fc=False, do_fcd=False, gof_terms=[], states_ts=True, force_cpu=True, bold_remove_s=0,
    noise_segment_length=min(30, seconds),
)  # fmt: skip
many.N = given.sims
many.param_lists["G"] = couplings(given.sims)
many.param_lists["wIE"] = np.full((given.sims, NODES), INHIBITION)
many.param_lists["sigma"] = np.full((given.sims, NODES), NOISE)
if given.delay:
    many.param_lists["v"] = np.full(given.sims, SPEED)
many._set_default_params()
with Clock() as first:
    many.run()
with Clock() as clock:
    many.run()
emit(
    f"cubnm-{version('cubnm')}", given, clock, first.wall - clock.wall, seconds,
    finite=np.isfinite(np.asarray(many.sim_bold)).all(),
    rate=rate_from_gating(many.sim_states["S_E"].mean(1)),
    note="C++; second run of a group: noise of 30 s is drawn in the first and shuffled",
)  # fmt: skip
