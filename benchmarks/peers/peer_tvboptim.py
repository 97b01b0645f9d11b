"""TVB-Optim (JAX): `WongWangExcInh`, Euler, every millisecond through its balloon model.

A batch is `vmap` within and `pmap` across threads, as its `ParallelExecution` does. Of its options the
fastest here are taken: noise drawn in blocks of 100 steps, a circular buffer for delays.
"""

from common import (
    DT,
    INHIBITION,
    NOISE,
    SPEED,
    TR,
    Clock,
    arguments,
    connectome,
    couplings,
    emit,
    for_xla,
    rate_from_gating,
)

given = arguments(__doc__)
devices = for_xla(given)

from importlib.metadata import version  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from tvboptim.experimental.network_dynamics import Network, coupling, noise, prepare, solvers  # noqa: E402
from tvboptim.experimental.network_dynamics import graph as graphs  # noqa: E402
from tvboptim.experimental.network_dynamics.dynamics import tvb  # noqa: E402
from tvboptim.observations.tvb_monitors.bold import BalloonWindkesselBold  # noqa: E402
from tvboptim.observations.tvb_monitors.downsampling import SubSampling  # noqa: E402

weights, length = connectome()
milliseconds = given.seconds * 1e3
if given.delay:
    name, wires = "delayed", graphs.DenseDelayGraph(jnp.asarray(weights), jnp.asarray(length / SPEED))
    link = coupling.DelayedLinearCoupling(incoming_states="S_e", G=1.0, buffer_strategy="circular")
else:
    name, wires = "instant", graphs.DenseGraph(jnp.asarray(weights))
    link = coupling.LinearCoupling(incoming_states="S_e", G=1.0)
network = Network(
    dynamics=tvb.WongWangExcInh(J_i=INHIBITION, VARIABLES_OF_INTEREST=("S_e",)),
    coupling={name: link}, graph=wires,
    noise=noise.AdditiveNoise(sigma=NOISE),
)  # fmt: skip
simulate, settings = prepare(network, solvers.Euler(block_size=100), t0=0.0, t1=milliseconds, dt=DT)
every = SubSampling(period=1.0)
balloon = BalloonWindkesselBold(period=float(TR), dt_bw=1.0)


def one(g, key):
    """BOLD and mean gating of one parameter set."""
    own = jax.tree.map(lambda leaf: leaf, settings)
    own.dynamics.G, own.noise.key = g, key
    course = every(simulate(own))
    return balloon(course).ys, course.ys[len(course.ys) // 10 :].mean(0)


g = jnp.asarray(couplings(given.sims), given.dtype)
keys = jax.random.split(jax.random.PRNGKey(0), given.sims)
if given.sims == 1:
    call, inputs = jax.jit(one), (g[0], keys[0])
elif devices == 1:
    call, inputs = jax.jit(jax.vmap(one)), (g, keys)
else:
    call = jax.pmap(jax.vmap(one))
    inputs = g.reshape(devices, -1), keys.reshape(devices, -1, *keys.shape[1:])
with Clock() as first:
    compiled = call.lower(*inputs).compile()
with Clock() as clock:
    bold, gating = jax.block_until_ready(compiled(*inputs))
emit(
    f"tvboptim-{version('tvboptim')}", given, clock, first.wall,
    finite=np.isfinite(np.asarray(bold)).all(), rate=rate_from_gating(gating),
    note="whole course held in memory",
)  # fmt: skip
