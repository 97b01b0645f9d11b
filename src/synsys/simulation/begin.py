"""How runs begin: states, stationary noise, what is on its way at time 0."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.simulation.model import Equations, Model, Shape
from synsys.simulation.plan import Numbers, leading
from synsys.simulation.trace import evaluated

Seed = int | tuple[int, ...]
Key = tuple[str, Shape]


def source(seed: Seed, stream: int = 0) -> np.random.SeedSequence:
    """Entropy of a run.

    Raises
    ------
    UserError
        If a seed is negative.
    """
    parts = [int(part) for part in np.ravel(seed)]
    if min(parts) < 0:
        raise UserError(f"seed {seed}: seeds are whole numbers >= 0")
    entropy: Any = parts if len(parts) > 1 else parts[0]
    return np.random.SeedSequence(entropy, spawn_key=(stream,) if stream else ())


def begun(
    model: Model, given: Mapping[str, Any], batch: int, order: np.ndarray, lanes: np.ndarray
) -> dict[Key, np.ndarray]:
    """Start of every state, (N, lanes), nodes in the order of the kernel.

    Raises
    ------
    UserError
        For unknown names, shapes that do not fit and numbers that are not finite.
    """
    for name in given:
        if name not in model.states:
            raise unknown(f"state of {model.name}", name, model.states)
    out = {}
    for name, default in model.states.items():
        shape = np.shape(default)
        value = leading(np.asarray(given.get(name, default), float), shape, name)
        if value.shape[0] not in (1, batch) or value.shape[1] not in (1, len(order)):
            raise UserError(
                f"start of {name} has shape {value.shape}; needed: ({batch} or 1, {len(order)} or 1)"
            )
        if not np.isfinite(value).all():
            raise UserError(f"start of {name} is not finite everywhere")
        value = np.broadcast_to(value, (batch, len(order), *shape))[lanes][:, order]
        for index in np.ndindex(*shape):
            out[name, index] = value[(slice(None), slice(None), *index)].T
    return out


def noise_begun(
    numbers: Numbers, keys: Sequence[Key], seeds: Sequence[Seed], order: np.ndarray | None, lanes: np.ndarray
) -> np.ndarray:
    """Ornstein-Uhlenbeck inputs at time 0, from their stationary law, (N, inputs, lanes).

    Parameters
    ----------
    numbers : Numbers
    keys : sequence of (str, tuple)
        Names and indices of the inputs.
    seeds : sequence
        Of every lane.
    order : ndarray of int, or None
        Nodes in the order of the kernel; None for inputs common to all, (1, inputs, lanes).
    lanes : ndarray of int
        Runs whose numbers count.
    """
    nodes = 1 if order is None else len(order)
    stream = 2 if order is None else 1
    out = np.zeros((nodes, len(keys), len(lanes)))
    if not keys:
        return out
    for lane, (seed, run) in enumerate(zip(seeds, lanes, strict=True)):
        z = np.random.default_rng(source(seed, stream)).standard_normal((nodes, len(keys)))
        for k, (name, index) in enumerate(keys):
            sd = numbers.values[f"sd_{name}"]
            here = sd[min(int(run), len(sd) - 1)]
            own = here[(slice(None), *(index if here.ndim > 1 else ()))]
            out[:, k, lane] = z[:, k] * (own[:1] if order is None else np.broadcast_to(own, nodes))
    return out if order is None else out[order]


def sent_at(
    equations: Equations, numbers: Numbers, x: Mapping[Key, np.ndarray], order: np.ndarray, lanes: np.ndarray
) -> np.ndarray:
    """What nodes send in given states, (N, emitted, lanes)."""
    values: dict[Any, Any] = {("state", *key): value for key, value in x.items()}
    for key, value in numbers.parts(order).items():
        values[key] = (value[lanes] if value.shape[0] > 1 else value).T
    sent = evaluated(list(equations.emitted.values()), values)
    out = np.zeros((len(order), len(sent), len(lanes)))
    for k, value in enumerate(sent):
        out[:, k] = value
    return out
