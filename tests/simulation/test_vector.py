"""Random words and normal numbers of the kernel."""

import ctypes

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvmlite import ir
from scipy import stats

from synsys.simulation.kernel import loaded
from synsys.simulation.links import Links
from synsys.simulation.model import Model, Parameter
from synsys.simulation.run import Simulation
from synsys.simulation.vector import Lanes


def threefry(counter, key):
    """Words of the vector code, first lane of four."""
    module = ir.Module()
    pointer = ir.IntType(32).as_pointer()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer, pointer]), "run")
    builder = ir.IRBuilder(function.append_basic_block())
    lanes = Lanes(builder, 32, 4)
    given, out = function.args
    words = [lanes.spread(builder.load(builder.gep(given, [ir.IntType(32)(k)]))) for k in range(4)]
    for k, word in enumerate(lanes.threefry((words[2], words[3]), (words[0], words[1]))):
        first = builder.extract_element(word, ir.IntType(32)(0))
        builder.store(first, builder.gep(out, [ir.IntType(32)(k)]))
    builder.ret_void()
    code = loaded(llvm.parse_assembly(str(module)))
    source, target = np.array([*counter, *key], np.uint32), np.zeros(2, np.uint32)
    code.run(ctypes.c_void_p(source.ctypes.data), ctypes.c_void_p(target.ctypes.data))
    return tuple(int(x) for x in target)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_known_answers_of_threefry(counter, key, words):
    """Random123's known answers for Threefry-2x32 with 20 rounds."""
    assert threefry(counter, key) == words


def test_normal_numbers_are_normal_and_independent():
    """Increments of a Wiener process: distribution, tails, no correlation of nodes, steps, draws, seeds."""
    model = Model(
        "wiener", {"a": 0.0, "b": 0.0}, {"s": Parameter(1.0)}, lambda x, p, u: (0.0 * x.a, 0.0 * x.b),
        lambda x, p: {}, lambda x, p, u: {"a": x.a, "b": x.b}, noise={"a": "s", "b": "s"},
    )  # fmt: skip
    sim = Simulation(
        model, 16, Links.between(np.zeros((16, 16))), seeds=range(16), dt=1.0, method="euler",
        precision="float64", observe=["a", "b"], every=1.0,
    )  # fmt: skip
    z = np.diff(sim.advance(4001)[0], axis=0)  # (steps, nodes, draws, seeds)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    many = z.size
    for tail in (3.0, 4.0, 4.5):
        wanted = 2 * stats.norm.sf(tail) * many
        assert abs((np.abs(z) > tail).sum() - wanted) < 4.5 * wanted**0.5
    assert abs(stats.kurtosis(z.ravel())) < 5 * (24 / many) ** 0.5
    near = (z[1:] * z[:-1]).mean(), (z[:, 1:] * z[:, :-1]).mean(), (z[:, :, 0] * z[:, :, 1]).mean()
    across = (z[..., 1:] * z[..., :-1]).mean(), (z[:, :, 0] ** 2 * z[:, :, 1] ** 2).mean() - 1
    assert np.abs([*near, *across]).max() < 5 * 2 / many**0.5
