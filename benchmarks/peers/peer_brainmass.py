"""brainmass (JAX, brainstate): `WongWangExcInhStep` by exponential Euler, its balloon model (RK2) at 1 ms.

Batches without delays are a batch axis of its states. Its `Network`, which has the delays, does not support
one (its own tests say so), so batches with delays run one after the other. It spreads no batch over threads.
In single precision a rate sooner or later meets 0 / 0, and all ends as NaN (`finite` is false); it takes the
same time.
"""

from common import (
    DT,
    INHIBITION,
    NODES,
    NOISE,
    SPEED,
    Clock,
    arguments,
    connectome,
    couplings,
    emit,
    for_xla,
    rate_from_gating,
)

given = arguments(__doc__)
for_xla(given, across=False)

import warnings  # noqa: E402
from importlib.metadata import version  # noqa: E402

warnings.filterwarnings("ignore")

import brainmass  # noqa: E402
import brainstate  # noqa: E402
import brainunit as u  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

weights, length = connectome()
W = jnp.asarray(weights, given.dtype)
milliseconds = round(given.seconds * 1e3)
batch = None if given.sims == 1 or given.delay else given.sims
g = couplings(given.sims)
noise = NOISE / DT**0.5  # it is added to the derivative
brainstate.environ.set(dt=DT * u.ms, precision=32 if given.dtype == "float32" else 64)
node = brainmass.WongWangExcInhStep(
    in_size=NODES, G=1.0, J_i=INHIBITION, noise_e=brainmass.GaussianNoise(NODES, sigma=noise),
    noise_i=brainmass.GaussianNoise(NODES, sigma=noise),
)  # fmt: skip
network = brainmass.Network(
    node, conn=W, distance=length, speed=SPEED, coupling="additive", coupled_var="S_e", k=1.0
)  # fmt: skip
bold = brainmass.BOLDSignal(NODES)


@brainstate.transform.jit
def run(strength):
    """BOLD of every millisecond's end is kept in its states; returns the last one and the mean gating."""
    for part in (network, bold) if given.delay else (node, bold):
        brainstate.nn.init_all_states(part, *([batch] if batch else []))

    def step(i):
        with brainstate.environ.context(i=i, t=i * DT * u.ms):
            if given.delay:
                node(strength * network.coupling())
            else:
                node(strength * (node.S_e.value @ W))

    def millisecond(k):
        brainstate.transform.for_loop(step, 10 * k + jnp.arange(10))
        with brainstate.environ.context(dt=1e-3):
            bold(node.S_e.value)
        return node.S_e.value

    gating = brainstate.transform.for_loop(millisecond, jnp.arange(milliseconds))
    return bold.bold(), gating[milliseconds // 10 :].mean(0)


inputs = [jnp.asarray(g[:, None])] if batch else [jnp.asarray(x) for x in g]
with Clock() as first:
    jax.block_until_ready(run(inputs[0]))
with Clock() as clock:
    results = [jax.block_until_ready(run(x)) for x in inputs]
emit(
    f"brainmass-{version('brainmass')}", given, clock, first.wall - clock.wall / len(inputs),
    finite=all(np.isfinite(np.asarray(signal)).all() for signal, _ in results),
    rate=float(np.mean([rate_from_gating(gating) for _, gating in results])), note="exponential Euler",
)  # fmt: skip
