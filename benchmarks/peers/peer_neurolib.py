"""neurolib: `WWModel` (numba) with BOLD, chunk by chunk; batches as processes.

It looks up the history of every connection whether there are delays or not, filters noise through an
Ornstein-Uhlenbeck process, integrates the balloon model at 0.1 ms, and uses the excitatory time constant for
inhibition as well (its `timeIntegration` reads tau_exc twice), so rates differ from those of the others.
"""

from common import DT, INHIBITION, NOISE, SPEED, Clock, arguments, connectome, couplings, emit, spread

given = arguments(__doc__, ("float64",))

from importlib.metadata import version  # noqa: E402

import numpy as np  # noqa: E402
from neurolib.models.ww import WWModel  # noqa: E402

weights, length = connectome()


def run(k: int, milliseconds: float = given.seconds * 1e3) -> tuple[bool, float]:
    """Simulate set `k`: whether BOLD is finite, and the mean excitatory rate in Hz."""
    model = WWModel(Cmat=weights, Dmat=length if given.delay else np.zeros_like(length), seed=k)
    model.params.update(
        dt=DT,
        duration=milliseconds,
        signalV=SPEED,
        sigma_ou=NOISE,
        K_gl=couplings(given.sims)[k],
        J_I=INHIBITION,
    )
    model.run(chunkwise=True, bold=True, chunksize=20_000)
    return bool(np.isfinite(model.boldModel.BOLD).all()), 1e3 * float(np.mean(model.r_exc))


with Clock() as first:
    run(0, 2000.0)
with Clock() as clock:
    results = spread(run, given)
emit(
    f"neurolib-{version('neurolib')}", given, clock, first.wall, finite=all(f for f, _ in results),
    rate=float(np.mean([rate for _, rate in results])),
    note="OU noise; history always; BOLD at 0.1 ms; tau_inh = tau_exc",
)  # fmt: skip
