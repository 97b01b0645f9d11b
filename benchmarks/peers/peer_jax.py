"""Plain JAX, written for this comparison: `lax.scan` over time, parameter sets as the last axis ("lanes").

What a good hand-written JAX program reaches: arrays (regions, sets), noise drawn ten steps at a time, balloon
model every millisecond, only BOLD kept. Delays are a ring of past states, gathered per connection.
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
    for_xla,
    rate_from_gating,
)

given = arguments(__doc__)
devices = for_xla(given)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

weights, length = connectome()
W = jnp.asarray(weights, given.dtype)
LAG = np.rint(length / SPEED / DT).astype(np.int32)
RING = int(LAG.max()) + 1
SOURCE = np.broadcast_to(np.arange(NODES), LAG.shape)
FRAMES = max(1, round(given.seconds * 1e3 / TR))


def rate(x, d):
    """Firing rate; in single precision x does become 0, where the formula is 0 / 0."""
    x = jnp.where(x == 0, 1e-6, x)
    return x / (1 - jnp.exp(-d * x))


def arriving(past, at):
    """Weighted sum of the states that arrive now."""
    delayed = past[(at - LAG) % RING, SOURCE]
    return jnp.einsum("ij,ijb->ib", W, delayed)


def step(carry, noise, g):
    """One step of Euler-Maruyama; S is dimensionless, rates in Hz, time in ms."""
    e, i, past, at = carry
    heard = arriving(past, at) if given.delay else W @ e
    into_e = 0.382 + 1.4 * 0.15 * e + g * 0.15 * heard - INHIBITION * i
    into_i = 0.7 * 0.382 + 0.15 * e - i
    r_e, r_i = rate(310 * into_e - 125, 0.16), rate(615 * into_i - 177, 0.087)
    scale = NOISE * DT**0.5
    e = jnp.clip(e + DT * (-e / 100 + (1 - e) * 0.641e-3 * r_e) + scale * noise[0], 0, 1)
    i = jnp.clip(i + DT * (-i / 10 + 1e-3 * r_i) + scale * noise[1], 0, 1)
    if given.delay:
        at = (at + 1) % RING
        past = past.at[at].set(e)
    return (e, i, past, at), None


def balloon(state, s, h=1e-3):
    """Balloon model of Friston et al. (2003), one millisecond."""
    x, f, v, q = state
    out = v ** (1 / 0.32)
    return (
        x + h * (s - 0.65 * x - 0.41 * (f - 1)), f + h * x, v + h / 0.98 * (f - out),
        q + h / 0.98 * (f * (1 - 0.66 ** (1 / f)) / 0.34 - out * q / v),
    )  # fmt: skip


def run(g, key):
    """BOLD (frames, regions, sets) and mean gating of a batch of couplings."""
    shape = (NODES, len(g))
    one = jnp.ones(shape, given.dtype)

    def millisecond(carry, key):
        fast, slow, total = carry
        noise = jax.random.normal(key, (round(1 / DT), 2, *shape), given.dtype)
        fast, _ = lax.scan(lambda c, z: step(c, z, g), fast, noise)
        return (fast, balloon(slow, fast[0]), total + fast[0]), None

    def frame(carry, key):
        carry, _ = lax.scan(millisecond, carry, jax.random.split(key, TR))
        _, _, v, q = carry[1]
        return carry, 0.02 * (7 * 0.34 * (1 - q) + 2 * (1 - q / v) + (2 * 0.34 - 0.2) * (1 - v))

    past = jnp.full((RING, *shape) if given.delay else (0,), 0.16, given.dtype)
    start = ((0.16 * one, 0.04 * one, past, jnp.int32(0)), (0 * one, one, one, one), 0 * one)
    (_, _, total), bold = lax.scan(frame, start, jax.random.split(key, FRAMES))
    return bold, total / (FRAMES * TR)


g = jnp.asarray(couplings(given.sims), given.dtype).reshape(devices, -1)
keys = jax.random.split(jax.random.PRNGKey(0), devices)
call, inputs = (jax.jit(run), (g[0], keys[0])) if devices == 1 else (jax.pmap(run), (g, keys))
with Clock() as first:
    compiled = call.lower(*inputs).compile()
with Clock() as clock:
    bold, gating = jax.block_until_ready(compiled(*inputs))
emit(
    f"jax-{jax.__version__}", given, clock, first.wall, FRAMES * TR / 1e3,
    finite=np.isfinite(np.asarray(bold)).all(), rate=rate_from_gating(gating),
    note="written for this comparison",
)  # fmt: skip
