"""Noise of the linear brain: background synapses and slow input of every population.

Background synapses are Poisson. The conductance of kind k fluctuates about its mean with spectral density
S_k(w) = n_k / (1 + (w tau_k)^2) at each population, independently; the slow input is an AMPA conductance
of density f^-x, part of it common to all regions and the rest private to each.
"""

import numpy as np
from scipy.optimize import nnls

from synsys.brain.linear import Linearised, angular
from synsys.circuit.linear import KINDS, LocalTransfer
from synsys.knowledge.mechanisms import synapses

TAU_NOISE = np.array([next(r.tau_decay for r in synapses() if r.id == k) for k in ("AMPA", "NMDA", "GABAA")])
"""Decay of the background synapses (AMPA, NMDA, GABA-A), ms."""
CORNERS = np.geomspace(0.005, 300.0, 11)
"""Corner frequencies of the Ornstein-Uhlenbeck processes whose sum is the slow input, Hz."""
LEAST_FREQUENCY = 1e-3
"""Below it the density of the slow input stays, Hz."""


def background(
    system: Linearised, local: LocalTransfer, omega: np.ndarray, nodes: np.ndarray | slice = slice(None)
) -> np.ndarray:
    """Density of dV/dt of every population from its own background synapses, (F, nodes, 3)."""
    kernel = 1e-3 / (1.0 + (omega[:, None] * TAU_NOISE) ** 2)  # (F, kinds), per Hz
    density = system.noise.transpose(1, 0, 2)[nodes] * kernel[:, None, :, None]
    enter = local.enter[:, nodes]
    return ((enter.real**2 + enter.imag**2) * density).sum(2)


def slow_response(
    system: Linearised, local: LocalTransfer, omega: np.ndarray, nodes: np.ndarray | slice = slice(None)
) -> np.ndarray:
    """Potential of every population under the slow input of its node, (F, nodes, 3), mV / sqrt(Hz)."""
    hertz = np.maximum(omega / angular(1.0), LEAST_FREQUENCY)
    size = hertz[:, None, None] ** (-system.exponent / 2) * system.slow[nodes]
    into = local.enter[:, nodes, KINDS.index("ampa")] * size
    return (local.inv[:, nodes] * into[:, :, None]).sum(-1)


def noise_covariance(
    system: Linearised, local: LocalTransfer, omega: np.ndarray, nodes: np.ndarray | slice = slice(None)
) -> np.ndarray:
    """Covariance of the potentials of each node alone from its private noise.

    Parameters
    ----------
    system : Linearised
    local : LocalTransfer
        At `omega`.
    omega : ndarray, (F,)
        rad/ms.
    nodes : index, optional

    Returns
    -------
    ndarray, (F, nodes, 3, 3)
        Cross-spectral density, mV^2 / Hz.
    """
    root = local.inv[:, nodes] * np.sqrt(background(system, local, omega, nodes))[:, :, None]
    slow = np.sqrt(1.0 - system.shared) * slow_response(system, local, omega, nodes)
    root = np.concatenate([root, slow[..., None]], -1)
    return root @ root.conj().swapaxes(-1, -2)


def noise_power(
    system: Linearised, local: LocalTransfer, omega: np.ndarray, node: np.ndarray, slot: np.ndarray
) -> np.ndarray:
    """Power of some populations from the private noise of their node alone, (F, populations), mV^2 / Hz."""
    row = local.inv[:, node, slot]
    slow = slow_response(system, local, omega, node)[:, range(len(node)), slot]
    own = ((row.real**2 + row.imag**2) * background(system, local, omega, node)).sum(-1)
    return own + (1.0 - system.shared) * (slow.real**2 + slow.imag**2)


def one_over_f(exponent: float) -> np.ndarray:
    """Low-frequency density of each process of `CORNERS` such that their sum is f**-exponent, 0.02-100 Hz.

    Returns
    -------
    ndarray, (11,)
        Two-sided spectral density at zero frequency, per Hz.
    """
    f = np.geomspace(0.02, 100.0, 200)
    basis = f[:, None] ** exponent / (1.0 + (f[:, None] / CORNERS) ** 2)
    size = np.linalg.norm(basis, axis=0)
    weights: np.ndarray = nnls(basis / size, np.ones(len(f)), maxiter=2000)[0] / size
    return weights
