"""The linearised whole brain at given frequencies: regions coupled through the connectome, with delays.

Gates, synapses and calcium of every node are eliminated first (`circuit.linear`). What is left couples the
potentials of the projecting populations, the *sources*, v = L v + what drives each node alone, by

    L_rs(w) = W_rs exp(-i w tau_rs) sum_k g_rk(w) y_ks(w),
    g_rk = sum_b inv_ab enter_kb m_kb kappa_kb(class of s),

with y_ks the gating of synapse k (fast: AMPA, GABA-A; slow: NMDA) per potential of its source s, and g_rk
the potential of target population r = (node, a) per gating of a source of weight 1. The basal ganglia
loops, whose sources meet one another and the *core* in few places, are eliminated next, loop by loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from synsys.brain.inverse import chunks, invert
from synsys.brain.wiring import LoopGroup, Wiring
from synsys.circuit.linear import KINDS, LocalJacobian, LocalTransfer, local_transfer

GATE_KINDS = {"fast": [KINDS.index("ampa"), KINDS.index("gabaa")], "slow": [KINDS.index("nmda")]}
"""Kinds of arriving conductance that follow each gate of their source."""


@dataclass(frozen=True, eq=False)
class Linearised:
    """Everything the linear solution needs, at one operating point.

    Attributes
    ----------
    jacobian : LocalJacobian
        Blocks of every node, (N, ...).
    wiring : Wiring
    coupling : ndarray, (3 kinds, N, 3)
        Multipliers of arriving conductance.
    noise : ndarray, (3 kinds, N, 3)
        Intensity of background shot noise, b q tau (conductance^2 ms).
    slow : ndarray, (N, 3)
        Amplitude of the slow 1/f conductance at each population (AMPA), per sqrt(Hz) at 1 Hz.
    shared : float
        Share of its variance that is common to all regions; the rest is private to each.
    exponent : float
        Exponent of its power.
    speed : ndarray, (N,)
        Conduction speed onto each node relative to healthy.
    """

    jacobian: LocalJacobian
    wiring: Wiring
    coupling: np.ndarray
    noise: np.ndarray
    slow: np.ndarray
    shared: float
    exponent: float
    speed: np.ndarray


def angular(hertz: np.ndarray | float) -> np.ndarray:
    """Angular frequency in rad/ms."""
    return 2e-3 * np.pi * np.asarray(hertz)


class DelayedWeights:
    """Weights times delay factors, W exp(-i w tau), each block computed once and kept.

    Parameters
    ----------
    wiring : Wiring
    omega : ndarray, (F,)
        Angular frequency, rad/ms; complex for a Laplace variable s = i omega off the axis.
    speed : ndarray, (N,), or float
        Conduction speed onto each node relative to healthy.
    """

    def __init__(self, wiring: Wiring, omega: np.ndarray, speed: np.ndarray | float = 1.0) -> None:
        self._weights, self._delay = wiring.weights, wiring.delays(speed)
        self._s = 1j * np.asarray(omega)
        self._blocks: dict[tuple[bytes, bytes], np.ndarray] = {}

    def between(self, nodes: np.ndarray, sources: np.ndarray) -> np.ndarray:
        """Delayed weights (F, ..., R, C) of sources (..., C) onto nodes (..., R), real where s is.

        Nodes and sources may be -1 for none, of weight 0.
        """
        key = nodes.tobytes(), sources.tobytes()
        if key not in self._blocks:
            at = nodes[..., :, None], sources[..., None, :]
            weight = np.where((at[0] >= 0) & (at[1] >= 0), self._weights[at], 0.0)
            s = self._s.reshape(-1, *(1,) * weight.ndim)
            if s.real.any():
                weight = weight * np.exp(-s.real * self._delay[at])
            if s.imag.any():
                angle = s.imag * self._delay[at]
                out = np.empty(angle.shape, complex)
                np.multiply(np.cos(angle), weight, out=out.real)
                np.multiply(np.sin(angle), -weight, out=out.imag)
            else:
                out = np.broadcast_to(weight, (len(s), *weight.shape[-at[0].ndim :]))
            self._blocks[key] = out
        return self._blocks[key]


@lru_cache(maxsize=4)
def undelayed(wiring: Wiring) -> DelayedWeights:
    """Weights at frequency 0 (one frequency, real)."""
    return DelayedWeights(wiring, np.zeros(1))


class LongRange:
    """Gain of the long-range projections onto some populations, at F frequencies.

    Parameters
    ----------
    wiring : Wiring
    local : LocalTransfer
    coupling : ndarray, (3 kinds, N, 3)
        Multipliers of arriving conductance.
    targets : (node, slot), each ndarray of int (R,), optional
        Target populations; the sources themselves by default.
    """

    def __init__(
        self,
        wiring: Wiring,
        local: LocalTransfer,
        coupling: np.ndarray,
        targets: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        source = wiring.source_node, wiring.source_slot
        self._wiring = wiring
        self._node, slot = source if targets is None else targets
        enter = (local.enter * coupling.transpose(1, 0, 2))[:, self._node]
        into = (local.inv[:, self._node, slot][:, :, None] * enter).transpose(1, 0, 2, 3)  # (R, F, kinds, 3)
        kappa = wiring.kappa[:, :, self._node].transpose(2, 0, 1, 3)  # (R, kinds, 3, C)
        self._gain = {}
        for gate, kinds in GATE_KINDS.items():
            shape = *into.shape[:2], len(kinds) * into.shape[-1]
            each = into[:, :, kinds].reshape(shape) @ kappa[:, kinds].reshape(len(kappa), shape[-1], -1)
            self._gain[gate] = np.ascontiguousarray(each.transpose(1, 0, 2))  # (F, R, C)
        self._gating = {"fast": local.fast[:, *source], "slow": local.slow[:, *source]}  # (F, S)

    def block(self, rows: np.ndarray, columns: np.ndarray, delayed: DelayedWeights) -> np.ndarray:
        """Potential of each target per potential of each source, L.

        Parameters
        ----------
        rows : ndarray of int, (..., R)
            Targets; -1 for none.
        columns : ndarray of int, (..., C)
            Sources; -1 for none.
        delayed : DelayedWeights
            For the same frequencies.

        Returns
        -------
        ndarray, (F, ..., R, C)
        """
        at = rows[..., :, None], self._wiring.source_class[columns][..., None, :]
        node = np.where(rows < 0, -1, self._node[rows])
        weight = delayed.between(node, columns)
        fast, slow = self._gain["fast"], self._gain["slow"]
        out = np.empty((len(fast), *weight.shape[1:]), np.result_type(fast, weight))
        for part in chunks(len(fast), 8):
            total = fast[(part, *at)]
            total *= self._gating["fast"][part][:, columns][..., None, :]
            more = slow[(part, *at)]
            more *= self._gating["slow"][part][:, columns][..., None, :]
            total += more
            np.multiply(total, weight[part], out=out[part])
        return out


@dataclass(frozen=True, eq=False)
class Loops:
    """Basal ganglia loops of one size, each solved by itself.

    Attributes
    ----------
    group : LoopGroup
        Its members, the core sources that they hear and those that they reach.
    inverse : ndarray, (F, G, k, k)
        (1 - L)^-1 among the members.
    log_det : ndarray, (F, G)
        Logarithm of det(1 - L).
    gain : ndarray, (F, G, k, h)
        Potential of the members per potential of what they hear.
    feed : ndarray, (F, G, q, k)
        Potential of what they reach per potential of the members.
    """

    group: LoopGroup
    inverse: np.ndarray
    log_det: np.ndarray
    gain: np.ndarray
    feed: np.ndarray


@dataclass(frozen=True, eq=False)
class ClosedLoop:
    """The coupled problem once regions and basal ganglia loops are eliminated.

    Attributes
    ----------
    local : LocalTransfer
        Its ``det`` holds det D_i / (s + 0.1)^3 of every node, (F, N).
    core : ndarray, (F, core, core), complex
        1 - L between the sources outside the basal ganglia.
    loops : sequence of Loops
    """

    local: LocalTransfer
    core: np.ndarray
    loops: Sequence[Loops]

    def solve(self, drive: np.ndarray, core_sources: np.ndarray, solve_core: Callable) -> np.ndarray:
        """Potential of every source, v = L v + drive, (S,), at the first frequency.

        Parameters
        ----------
        drive : ndarray, (S,)
        core_sources : ndarray of int, (core,)
        solve_core : callable
            Solution of ``core[0] v = b``, from a factorisation that is kept.
        """
        v = drive.copy()
        alone = [loops.inverse[0] @ drive[loops.group.members][..., None] for loops in self.loops]
        core = drive[core_sources]
        for loops, own in zip(self.loops, alone, strict=True):
            np.add.at(core, loops.group.reaches, (loops.feed[0] @ own)[..., 0])  # 0 where -1
        core = v[core_sources] = solve_core(core)
        for loops, own in zip(self.loops, alone, strict=True):
            v[loops.group.members] = (own + loops.gain[0] @ core[loops.group.hears][..., None])[..., 0]
        return v

    @property
    def log_det_loops(self) -> np.ndarray:
        """Logarithm of det(1 - L) of every loop alone, (F, loops)."""
        none = [np.empty((len(self.core), 0), complex)]
        return np.concatenate([loops.log_det for loops in self.loops] or none, 1)


def closed_loop(system: Linearised, omega: np.ndarray, delayed: DelayedWeights | None = None) -> ClosedLoop:
    """Couple all sources and eliminate regions and basal ganglia loops.

    Parameters
    ----------
    system : Linearised
    omega : ndarray, (F,)
        Angular frequency, rad/ms; complex for a Laplace variable s = i omega off the axis.
    delayed : DelayedWeights, optional
        Those of this wiring, these frequencies and this conduction speed, prepared.
    """
    local = local_transfer(system.jacobian, omega)
    delayed = delayed or DelayedWeights(system.wiring, omega, system.speed)
    return coupled(system.wiring, local, system.coupling, delayed)


def coupled(
    wiring: Wiring, local: LocalTransfer, coupling: np.ndarray, delayed: DelayedWeights
) -> ClosedLoop:
    """Couple regions whose response alone is known; arguments as of `LongRange`."""
    core, between = wiring.core, LongRange(wiring, local, coupling)
    closed = between.block(core, core, delayed)
    np.negative(closed, out=closed)
    closed[:, range(len(core)), range(len(core))] += 1.0
    loops = []
    for group in wiring.loop_groups:
        heard, reached = (np.where(at < 0, -1, core[at]) for at in (group.hears, group.reaches))
        inner = np.eye(group.members.shape[1]) - between.block(group.members, group.members, delayed)
        inverse, log_det = invert(inner.reshape(-1, *inner.shape[2:]))
        inverse, log_det = inverse.reshape(inner.shape), log_det.reshape(inner.shape[:2])
        gain = inverse @ between.block(group.members, heard, delayed)
        feed = between.block(reached, group.members, delayed)
        back = feed @ gain
        for g, (_, hears, reaches) in enumerate(group):
            closed[:, reaches[:, None], hears] -= back[:, g, : len(reaches), : len(hears)]
        loops.append(Loops(group, inverse, log_det, gain, feed))
    return ClosedLoop(local, closed, loops)
