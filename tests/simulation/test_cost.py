"""What a simulation says that it costs."""

import numpy as np
import pytest

from synsys.simulation.cost import cost
from synsys.simulation.links import Links
from synsys.simulation.models import wong_wang
from synsys.simulation.run import Simulation


def build(delays=None, **more):
    weights = np.ones((8, 8)) - np.eye(8)
    return Simulation(wong_wang, 8, Links.between(weights, delays), **more)


def test_operations_of_the_reduced_wong_wang_model():
    """Two transfer functions (an exponential and a division each), one pair of normal numbers; all to all."""
    found = cost(build(seeds=range(16), method="euler", observe=["S_E"]))
    assert found.functions == {"exp": 2.0, "div": 2.0, "normals": 1.0}
    assert found.connections == 8
    assert found.operations < 60
    twice = cost(build(seeds=range(16), method="heun", observe=["S_E"]))
    assert twice.functions["exp"] == 4
    assert twice.connections == 16


def test_memory_and_rounding_of_delays():
    """History holds the longest delay for every sender and run, in single precision."""
    delays = np.full((8, 8), 7.03)
    delays[0, 1] = 20.0
    found = cost(build(delays, seeds=range(16), method="euler"))
    assert found.block == 8
    assert found.rounding == pytest.approx(0.03)
    least = 8 * 201 * 16 * 4 / 2**20
    assert least < found.history < 1.5 * least
    assert found.connections == pytest.approx(7)
