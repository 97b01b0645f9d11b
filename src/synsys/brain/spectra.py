"""Linear spectra of the whole brain, exact with delays.

Each region's gates are eliminated (`circuit.linear`), each basal ganglia loop is eliminated onto the
sources outside it, and one complex solve per frequency couples what is left. Responses are kept as a
matrix from independent noise sources to region outputs, so power and cross-spectra are its squares.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from synsys.brain.wiring import Wiring
from synsys.circuit.linear import KINDS, LocalJacobian, LocalTransfer, local_transfer
from synsys.knowledge.mechanisms import synapses

TAU_NOISE = np.array([next(r.tau_decay for r in synapses() if r.id == k) for k in ("AMPA", "NMDA", "GABAA")])
"""Decay of the background synapses (AMPA, NMDA, GABA-A), ms."""


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


@dataclass(frozen=True, eq=False)
class Response:
    """Response of every source to every independent noise source, at F frequencies.

    Attributes
    ----------
    frequency : ndarray, (F,)
        Hz.
    core : ndarray, (F, core sources, M)
        mV per sqrt(Hz).
    loops : list of (sources, ndarray (F, k, core), ndarray (F, k, m), int)
        Per basal ganglia loop: its sources, their potential per core potential, the part driven by the
        loop's own noise, and the first of its m columns among the M noise sources.
    log_det : ndarray, (F, 1 + loops), complex
        Logarithm of the closed-loop determinants of the core and of each loop (their angle modulo 2 pi).
    local : LocalTransfer
    """

    frequency: np.ndarray
    core: np.ndarray
    loops: list[tuple[np.ndarray, np.ndarray, np.ndarray, int]]
    log_det: np.ndarray
    local: LocalTransfer
    core_sources: np.ndarray

    def part(self, index: slice) -> "Response":
        """Response at some of the frequencies."""
        loops = [(members, gain[index], own[index], at) for members, gain, own, at in self.loops]
        return replace(self, frequency=self.frequency[index], core=self.core[index], loops=loops)

    def output(self, weights: np.ndarray) -> np.ndarray:
        """Response of weighted sums of source potentials.

        Parameters
        ----------
        weights : ndarray, (R, S)

        Returns
        -------
        ndarray, (F, R, M)
        """
        n_f, _, width = self.core.shape
        out = np.zeros((n_f, len(weights), width), complex)
        own = weights[:, self.core_sources]
        looped = np.zeros(len(weights), bool)
        for members, *_ in self.loops:
            looped |= weights[:, members].any(1)
        single = (own != 0).sum(1) == 1
        plain = np.flatnonzero(~looped & single)
        column = own[plain].astype(bool).argmax(1)
        out[:, plain] = self.core[:, column] * own[plain, column][:, None]
        several = np.flatnonzero(~looped & ~single)
        if len(several):
            used = np.flatnonzero(own[several].any(0))
            out[:, several] = own[np.ix_(several, used)] @ self.core[:, used]
        rows = np.flatnonzero(looped)
        if len(rows):
            through = np.broadcast_to(own[rows].astype(complex), (n_f, len(rows), own.shape[1])).copy()
            for members, gain, _, _ in self.loops:
                through += weights[np.ix_(rows, members)] @ gain
            out[:, rows] = through @ self.core
            for members, _, private, at in self.loops:
                out[:, rows, at : at + private.shape[-1]] += weights[np.ix_(rows, members)] @ private
        return out


def power(response: np.ndarray) -> np.ndarray:
    """Power spectral density (two-sided, per Hz) from a response (F, R, M): (F, R)."""
    return (response.real**2 + response.imag**2).sum(-1)


def cross(response: np.ndarray) -> np.ndarray:
    """Cross-spectral density (F, R, R) from a response (F, R, M)."""
    return response @ response.conj().swapaxes(-1, -2)


def respond(system: Linearised, frequency: np.ndarray, lags: "Lags | None" = None) -> Response:
    """Solve the linear whole brain at given frequencies.

    Parameters
    ----------
    system : Linearised
    frequency : ndarray, (F,)
        Hz.
    lags : Lags, optional
        Delay factors prepared for these frequencies and this conduction speed.

    Returns
    -------
    Response
    """
    wiring = system.wiring
    omega = 2e-3 * np.pi * np.asarray(frequency, float)
    local = local_transfer(system.jacobian, omega)
    lags = lags or Lags(wiring, frequency, system.speed)
    transfer = local.transfer * system.coupling.transpose(1, 0, 2)[:, None]
    core, n_f = wiring.core, len(omega)
    private = noise_covariance(system, local, omega)

    def block(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return wiring.loop(transfer, local.fast, local.slow, rows, columns, lags.get(rows, columns))

    closed = np.eye(len(core)) - block(core, core)
    log_det = np.zeros((n_f, 1 + len(wiring.loops)), complex)
    gains, columns = [], []
    for g, members in enumerate(wiring.loops):
        inner = np.eye(len(members)) - block(members, members)
        log_det[:, g + 1] = np.log(np.linalg.det(inner))
        inverse = np.linalg.inv(inner)
        gain = inverse @ block(members, core)
        reach, feed = _feed(wiring, core, members, block)
        closed[:, reach] -= feed @ gain
        own = inverse @ _root(private, wiring, members)
        gains.append((members, gain, own))
        columns.append((reach, feed @ own))
    sign, size = np.linalg.slogdet(closed)
    log_det[:, 0] = np.log(sign) + size
    inverse = np.linalg.inv(closed)
    node, out = wiring.source_node[core], wiring.source_slot[core]
    own_noise = np.sqrt(np.einsum("fnaa->fna", private.real)[:, node, out])
    spread = [inverse * own_noise[:, None, :]] + [inverse[:, :, reach] @ part for reach, part in columns]
    common = np.sqrt(system.shared) * slow_response(system, local, omega)
    spread.append(inverse @ common[:, node, out][..., None])
    total = np.concatenate(spread, -1)
    at, loops = len(core), []
    for members, gain, own in gains:
        loops.append((members, gain, own, at))
        at += own.shape[-1]
    return Response(np.asarray(frequency, float), total, loops, log_det, local, core)


def _feed(wiring: Wiring, core: np.ndarray, members: np.ndarray, block) -> tuple[np.ndarray, np.ndarray]:
    """Core sources that a loop reaches, and the gain of the loop's sources onto them."""
    reach = np.flatnonzero(wiring.weights[np.ix_(wiring.source_node[core], members)].any(1))
    return reach, block(core[reach], members)


def noise_covariance(system: Linearised, local: LocalTransfer, omega: np.ndarray) -> np.ndarray:
    """Covariance of the potentials of each node from its own background, (F, N, 3, 3), mV^2 / Hz."""
    kernel = 1.0 / (1.0 + (omega[:, None] * TAU_NOISE) ** 2)  # (F, 3 kinds)
    density = kernel[:, None, :, None] * system.noise.transpose(1, 0, 2) * 1e-3  # per Hz
    scaled = local.transfer * np.sqrt(density)[:, :, None]
    flat = scaled.reshape(*scaled.shape[:3], -1)
    own = np.sqrt(1.0 - system.shared) * slow_response(system, local, omega)[..., None]
    flat = np.concatenate([flat, own], -1)
    return flat @ flat.conj().swapaxes(-1, -2)


def slow_response(system: Linearised, local: LocalTransfer, omega: np.ndarray) -> np.ndarray:
    """Potential of each population under the slow input, (F, N, 3), mV / sqrt(Hz)."""
    frequency = np.maximum(omega / (2e-3 * np.pi), 1e-3)
    response = np.einsum("fnba,na->fnb", local.transfer[:, :, :, KINDS.index("ampa")], system.slow)
    return response * frequency[:, None, None] ** (-system.exponent / 2)


def _root(private: np.ndarray, wiring: Wiring, members: np.ndarray) -> np.ndarray:
    """Factor of the noise covariance among the sources of a loop, block-diagonal by node."""
    node, out = wiring.source_node[members], wiring.source_slot[members]
    same = node[:, None] == node[None]
    cov = private[:, node[:, None], out[:, None], out[None]] * same
    scale = np.einsum("fii->fi", cov).real.max(1)[:, None, None]
    return np.linalg.cholesky(cov + 1e-12 * scale * np.eye(len(members)))


class Lags:
    """Delay factors exp(-i w tau), computed once per block and shared between draws."""

    def __init__(self, wiring: Wiring, frequency: np.ndarray, speed: np.ndarray | float = 1.0) -> None:
        self._wiring = wiring
        self._omega = 2e-3 * np.pi * np.asarray(frequency, float)
        self._speed = np.asarray(speed, float)
        self._blocks: dict[tuple[bytes, bytes], np.ndarray] = {}

    @cached_property
    def _delay(self) -> np.ndarray:
        return self._wiring.delays(self._speed)

    def get(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Delay factors (F, rows, columns) between sources."""
        key = (rows.tobytes(), columns.tobytes())
        if key not in self._blocks:
            delay = self._delay[np.ix_(self._wiring.source_node[rows], columns)]
            self._blocks[key] = np.exp(-1j * self._omega[:, None, None] * delay)
        return self._blocks[key]
