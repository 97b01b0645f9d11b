"""synsys: the kernel of this project on the same task."""

from common import (  # fmt: skip
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
)

given = arguments(__doc__)

import numpy as np  # noqa: E402

from synsys.simulation.haemodynamics import Scan  # noqa: E402
from synsys.simulation.links import Links  # noqa: E402
from synsys.simulation.models import wong_wang  # noqa: E402
from synsys.simulation.run import Simulation  # noqa: E402

weights, lengths = connectome()
parameters = {"G": couplings(given.sims)[:, None], "J_I": INHIBITION, "sigma": NOISE}
with Clock() as building:
    simulation = Simulation(
        wong_wang, NODES, Links.between(weights, lengths / SPEED if given.delay else None), parameters,
        range(given.sims), dt=DT, method="euler", precision=given.dtype, observe=["S_E"], every=TR,
        scan=Scan("S_E", TR), threads=given.threads,
    )  # fmt: skip
    simulation.advance(10)
with Clock() as clock:
    record, bold = simulation.advance(round(1e3 * given.seconds / DT))
emit(
    "synsys", given, clock, building.wall, finite=np.isfinite(bold).all(),
    rate=rate_from_gating(record.mean((0, 2))), task="rww+bold",
)  # fmt: skip
