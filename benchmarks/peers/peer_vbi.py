"""vbi: its nearest models.

Without delays the one-population Wong-Wang model (Deco 2013) by Heun's method with BOLD (numba); with delays
Stuart-Landau oscillators without BOLD (numba). Neither is the task of the others.

Batches are processes.
"""

from common import DT, NOISE, SPEED, Clock, arguments, connectome, couplings, emit, spread

given = arguments(__doc__, ("float64",))

import warnings  # noqa: E402
from importlib.metadata import version  # noqa: E402

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402

weights, length = connectome()


def run(k: int, milliseconds: float = given.seconds * 1e3) -> bool:
    """Simulate set `k`: whether what came out is finite."""
    strength = float(couplings(given.sims)[k])
    if given.delay:
        from vbi.models.numba.sl import SL_sde

        settings = {"weights": weights, "tr_len": length, "speed": SPEED, "G": strength, "dt": DT}
        out = SL_sde({**settings, "t_end": milliseconds, "sigma": NOISE, "x_decimate": 100}).run()["X"]
    else:
        from vbi.models.numba.rww import RWW_sde

        settings = {
            "weights": weights,
            "G": strength,
            "dt": DT,
            "t_end": milliseconds,
            "t_cut": 0.0,
            "tr": 720.0,
        }
        out = RWW_sde({**settings, "sigma": NOISE, "RECORD_S": False, "RECORD_BOLD": True}).run()["bold_d"]
    return bool(np.isfinite(np.asarray(out)).all())


with Clock() as first:
    run(0, 20.0 if given.delay else 1000.0)
with Clock() as clock:
    finite = all(spread(run, given))
emit(
    f"vbi-{version('vbi')}", given, clock, first.wall, finite=finite, rate=None,
    task="stuart-landau" if given.delay else "rww1+bold",
    note="another model, Heun" + ", no BOLD" * given.delay,
)  # fmt: skip
