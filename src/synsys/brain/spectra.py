"""Linear spectra of the whole brain, exact with delays.

One complex inverse per frequency solves the core that is left when regions and basal ganglia loops are
eliminated (`brain.linear`). Responses to independent noise sources are kept as the factors of which they
are the product; power and cross-spectra are their squares.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from synsys.brain.inverse import invert
from synsys.brain.linear import DelayedWeights, Linearised, Loops, angular, closed_loop
from synsys.brain.noise import noise_covariance, noise_power, slow_response
from synsys.circuit.linear import LocalTransfer


@dataclass(frozen=True, eq=False)
class LoopResponse:
    """One basal ganglia loop.

    Attributes
    ----------
    members : ndarray of int, (k,)
        Its sources.
    hears, reaches : ndarray of int, (h,) and (q,)
        Core sources that drive it, and that it drives.
    gain : ndarray, (F, k, h)
        Potential of its sources per potential of what it hears.
    own : ndarray, (F, k, m)
        Potential of its sources per noise source of its own.
    sent : ndarray, (F, q, m)
        What its noise brings to the core sources that it reaches.
    at : int
        First of its m columns among all noise sources.
    """

    members: np.ndarray
    hears: np.ndarray
    reaches: np.ndarray
    gain: np.ndarray
    own: np.ndarray
    sent: np.ndarray
    at: int


@dataclass(frozen=True, eq=False)
class Response:
    """Response of every source to every independent noise source, at F frequencies.

    There are M noise sources: one per core source (the private noise of its node, which drives no other
    source), those of each loop, and the slow input that all share. The core answers with
    ``inverse @ [diag(noise), sent of each loop, common]``.

    Attributes
    ----------
    frequency : ndarray, (F,)
        Hz.
    inverse : ndarray, (F, core, core)
        (1 - L)^-1 between core sources.
    noise : ndarray, (F, core)
        Amplitude of each core source alone under the private noise of its node, mV per sqrt(Hz).
    common : ndarray, (F, core)
        Potential of each core source alone under the shared input.
    loops : sequence of LoopResponse
    log_det : ndarray, (F, 1 + loops), complex
        Logarithm of the closed-loop determinants of the core and of each loop (their angle modulo 2 pi).
    local : LocalTransfer
    core_sources : ndarray of int, (core,)
    """

    frequency: np.ndarray
    inverse: np.ndarray
    noise: np.ndarray
    common: np.ndarray
    loops: Sequence[LoopResponse]
    log_det: np.ndarray
    local: LocalTransfer
    core_sources: np.ndarray

    @property
    def _columns(self) -> int:
        """Number of noise sources, M."""
        return len(self.core_sources) + sum(loop.own.shape[-1] for loop in self.loops) + 1

    @cached_property
    def core(self) -> np.ndarray:
        """Response of the core sources, (F, core, M), mV per sqrt(Hz)."""
        return self._spread(self.inverse)

    def part(self, index: slice | np.ndarray) -> "Response":
        """Response at some of the frequencies (without what `stability` reads)."""
        loops = [
            replace(loop, gain=loop.gain[index], own=loop.own[index], sent=loop.sent[index])
            for loop in self.loops
        ]
        return replace(
            self, frequency=self.frequency[index], inverse=self.inverse[index], noise=self.noise[index],
            common=self.common[index], loops=loops,
        )  # fmt: skip

    def output(self, weights: np.ndarray) -> np.ndarray:
        """Response of weighted sums of source potentials.

        Parameters
        ----------
        weights : ndarray, (R, S)

        Returns
        -------
        ndarray, (F, R, M)
        """
        rows, direct = self._through_core(weights)
        out = self._spread(rows)
        for loop, (mine, response) in zip(self.loops, direct, strict=True):
            out[:, mine, loop.at : loop.at + response.shape[-1]] += response
        return out

    def power(self, weights: np.ndarray) -> np.ndarray:
        """Power spectral density of weighted sums of source potentials, without forming their responses.

        Parameters
        ----------
        weights : ndarray, (R, S)

        Returns
        -------
        ndarray, (F, R)
            Two-sided, per Hz.
        """
        out = np.empty((len(self.frequency), len(weights)))
        alone, column, mixed, _ = self._split(weights)
        out[:, alone] = self._core_power[:, column] * weights[alone, self.core_sources[column]] ** 2
        if len(mixed):
            out[:, mixed] = power(self.output(weights[mixed]))
        return out

    def _split(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rows that are one core source alone, and which; all others; those of them with sources of loops."""
        own = weights[:, self.core_sources] != 0
        looped = (weights != 0).sum(1) > own.sum(1)
        alone = ~looped & (own.sum(1) == 1)
        return (
            np.flatnonzero(alone), own[alone].argmax(1), np.flatnonzero(~alone), np.flatnonzero(looped)
        )  # fmt: skip

    def _through_core(self, weights: np.ndarray) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        """Response of rows to a drive of each core source, (F, R, core); what comes directly from each loop.

        The latter are the rows that weigh a loop and their response (F, rows, m) to its noise.
        """
        alone, column, mixed, looped = self._split(weights)
        own = np.ascontiguousarray(weights[:, self.core_sources])
        rows = np.empty((len(self.frequency), *own.shape), complex)
        rows[:, alone] = self.inverse[:, column] * own[alone, column][:, None]
        rows[:, mixed] = (own[mixed] @ self.inverse.view(float)).view(complex)  # own is real: half the work
        through = np.zeros((len(self.frequency), len(looped), own.shape[1]), complex)
        direct = []
        for loop in self.loops:
            mine = np.flatnonzero(weights[np.ix_(looped, loop.members)].any(1))
            part = weights[np.ix_(looped[mine], loop.members)]
            through[:, mine[:, None], loop.hears] += part @ loop.gain
            direct.append((looped[mine], part @ loop.own))
        rows[:, looped] += through @ self.inverse
        return rows, direct

    def _spread(self, rows: np.ndarray) -> np.ndarray:
        """Response (F, R, M) to all noise sources from that to a drive of each core source."""
        out = np.empty((*rows.shape[:2], self._columns), complex)
        np.multiply(rows, self.noise[:, None], out=out[..., : rows.shape[-1]])
        for loop in self.loops:
            at = slice(loop.at, loop.at + loop.sent.shape[-1])
            if len(loop.reaches) == 1:
                np.multiply(rows[:, :, loop.reaches], loop.sent, out=out[..., at])
            else:
                out[..., at] = rows[:, :, loop.reaches] @ loop.sent
        out[..., -1] = (rows @ self.common[..., None])[..., 0]
        return out

    @cached_property
    def _core_power(self) -> np.ndarray:
        """Power of every core source, (F, core)."""
        density = self.noise**2  # of what drives each core source, but for what they share
        shared = np.abs((self.inverse @ self.common[..., None])[..., 0]) ** 2
        for loop in self.loops:
            sent = cross(loop.sent)
            diagonal = range(len(loop.reaches))
            density[:, loop.reaches] += sent[:, diagonal, diagonal].real
            if len(loop.reaches) > 1:
                sent[:, diagonal, diagonal] = 0.0
                rows = self.inverse[:, :, loop.reaches]
                shared += ((rows @ sent) * rows.conj()).sum(-1).real
        size = np.square(self.inverse.view(float))  # real and imaginary parts side by side
        return (size @ np.repeat(density, 2, -1)[..., None])[..., 0] + shared


def power(response: np.ndarray) -> np.ndarray:
    """Power spectral density (two-sided, per Hz) from a response (F, R, M): (F, R)."""
    return (response.real**2 + response.imag**2).sum(-1)


def cross(response: np.ndarray) -> np.ndarray:
    """Cross-spectral density (F, R, R) from a response (F, R, M)."""
    return response @ response.conj().swapaxes(-1, -2)


def respond(system: Linearised, frequency: np.ndarray, delayed: DelayedWeights | None = None) -> Response:
    """Solve the linear whole brain at given frequencies.

    Parameters
    ----------
    system : Linearised
    frequency : ndarray, (F,)
        Hz.
    delayed : DelayedWeights, optional
        Those of this wiring, these frequencies and this conduction speed, prepared.

    Returns
    -------
    Response
    """
    wiring, core = system.wiring, system.wiring.core
    omega = angular(frequency)
    closed = closed_loop(system, omega, delayed)
    local = closed.local
    inverse, log_det = invert(closed.core)
    node, slot = wiring.source_node[core], wiring.source_slot[core]
    noise = np.sqrt(noise_power(system, local, omega, node, slot))
    common = np.sqrt(system.shared) * slow_response(system, local, omega, node)[:, range(len(node)), slot]
    loops: list[LoopResponse] = []
    for part in closed.loops:
        loops += _loop_responses(part, _root(system, local, omega, part.group.members), len(core), loops)
    log_dets = np.concatenate([log_det[:, None], closed.log_det_loops], 1)
    return Response(np.asarray(frequency, float), inverse, noise, common, loops, log_dets, local, core)


def _loop_responses(
    loops: Loops, root: np.ndarray, first: int, before: Sequence[LoopResponse]
) -> list[LoopResponse]:
    """Response of each loop to its own noise, whose columns follow those of the loops before."""
    own = loops.inverse @ root
    sent = loops.feed @ own
    at = first + sum(loop.own.shape[-1] for loop in before)
    out = []
    for g, (members, hears, reaches) in enumerate(loops.group):
        h, q = len(hears), len(reaches)
        out.append(
            LoopResponse(members, hears, reaches, loops.gain[:, g, :, :h], own[:, g], sent[:, g, :q], at)
        )
        at += own.shape[-1]
    return out


def _root(system: Linearised, local: LocalTransfer, omega: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Factor of the noise covariance among the sources of each loop, (F, G, k, k), block-diagonal by node."""
    node, slot = system.wiring.source_node[members], system.wiring.source_slot[members]
    nodes, place = np.unique(node, return_inverse=True)
    place = place.reshape(node.shape)
    private = noise_covariance(system, local, omega, nodes)
    same = node[:, :, None] == node[:, None]
    cov = private[:, place[:, :, None], slot[:, :, None], slot[:, None]] * same
    scale = np.einsum("fgii->fgi", cov).real.max(-1)[..., None, None]
    return np.linalg.cholesky(cov + 1e-12 * scale * np.eye(members.shape[1]))
