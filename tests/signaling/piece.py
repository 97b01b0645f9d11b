"""All nodes and edges of the signaling network on one piece of adult cortex, held or followed in time."""

from collections.abc import Callable, Sequence

import numpy as np

from synsys.knowledge.signaling import folded
from synsys.signaling.network import Network

Course = Callable[[float], dict[str, float]]


def piece_of_cortex() -> Network:
    return Network(lambda names: np.array([not names or "cortex" in names]), np.ones(1))


def nothing(day: float) -> dict[str, float]:
    return {}


def held(network: Network, values: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Perturbations of nodes and of inputs: factors of what is relative to health, increments of others."""
    change, inputs = np.zeros((len(network.names), 1)), np.zeros((len(network.inputs), 1))
    for name, value in values.items():
        number = np.log(value) if folded(name) else value
        if name in network.at:
            change[network.at[name]] = number
        else:
            inputs[network.inputs.index(name)] = number
    return change, inputs


def followed(
    network: Network,
    names: Sequence[str],
    days: Sequence[float],
    course: Course = nothing,
    step: float = 0.25,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Effective values of nodes at some days, (day, name); perturbations change at multiples of the step."""
    k = network.kinetics()
    y = network.healthy() if start is None else start
    at, out = [network.at[name] for name in names], []
    for i in range(round(max(days) / step) + 1):
        change, inputs = held(network, course(i * step))
        if any(abs(i * step - day) < step / 2 for day in days):
            out.append(network.effective(y, change)[at, 0])
        y = network.advanced(y, network.regulation(y, change, inputs, k), k, step)
    return np.array(out)
