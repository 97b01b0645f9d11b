"""What the fast brain tells the slow one: averages of a state of rest, relative to health, by region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synsys.brain.linear import angular
from synsys.brain.noise import noise_power
from synsys.circuit.drift import E_CA, E_GLU, block, cal_inf
from synsys.circuit.linear import local_transfer
from synsys.knowledge.signaling import SET_POINT

if TYPE_CHECKING:
    from synsys.brain.state import State

ENERGY = {"resting": 0.20, "spikes": 0.21, "receptors": 0.50, "transmitter": 0.09}
"""Shares of signaling energy of cerebral cortex: resting potentials, action potentials, postsynaptic
glutamate receptors, release and recycling (Howarth, Gleeson & Attwell 2012, J Cereb Blood Flow Metab
32:1222)."""
GAMMA = (32.0, 40.0, 50.0)
"""Frequencies at which local gamma power is taken, Hz."""
LEAST = 1e-9
"""Healthy values below this (no such current in the region) give no signal."""


def averages(state: State) -> dict[str, np.ndarray]:
    """Averages of a state of rest, (N,) each.

    Returns
    -------
    dict
        By the names of `synsys.knowledge.signaling.FAST`: rates in Hz, calcium currents in mV of leak, power
        in mV^2/Hz (only if an edge takes it), the parts of the energy in their own units (``energy:...``).
    """
    p, x, u = state.parameters, state.point.x, state.point.u
    v = x[:, 0]
    exc = p.glutamate
    ampa = (p.g_fast[:, 0] * exc * x[:, 1]).sum(1) + p.b_ampa[:, 0] + u[0, :, 0]
    nmda = ((p.g_slow[:, 0] * exc * x[:, 2]).sum(1) + p.b_nmda[:, 0] + u[1, :, 0]) * block(v[:, 0])
    rates = state.rates
    pv = state.healthy.model.slot_mask.get("PV", np.zeros(v.shape, bool))
    fsi = state.healthy.model.slot_mask.get("FSI", np.zeros(v.shape, bool))
    out = {
        "fast:e_rate": rates[:, 0],
        "fast:pv_rate": np.where(pv | fsi, rates, 0.0).sum(1),
        "fast:calcium_nmda": nmda * (E_GLU - v[:, 0]),
        "fast:calcium_cav": p.g_cal[:, 0] * cal_inf(v, p)[:, 0] * (E_CA - v[:, 0]),
        "energy:spikes": rates[:, 0],
        "energy:receptors": (ampa + nmda) * (E_GLU - v[:, 0]),
        "energy:transmitter": rates[:, 0] * p.release[:, 0],
    }
    if "fast:gamma_power" in state.healthy.model.slow_brain.network.inputs:
        out["fast:gamma_power"] = gamma_power(state)
    return out


def gamma_power(state: State) -> np.ndarray:
    """Power of each region's principal potential at gamma from its own noise, mV^2/Hz, (N,)."""
    omega = angular(np.array(GAMMA))
    system = state.linear
    at = np.arange(len(state.parameters.tau))
    return np.asarray(noise_power(system, local_transfer(system.jacobian, omega), omega, at, 0 * at).mean(0))


def signals(now: dict[str, np.ndarray], healthy: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Signals to the slow brain: logarithms of averages relative to health, (N,) each.

    Parameters
    ----------
    now, healthy : dict
        From `averages`.
    """

    def relative(name: str) -> np.ndarray:
        known = healthy[name] > LEAST
        ratio = np.maximum(now[name], LEAST) / np.where(known, healthy[name], 1.0)
        return np.where(known, ratio, 1.0)

    out = {name: np.log(relative(name)) for name in healthy if name.startswith("fast:")}
    out[SET_POINT] = out["fast:e_rate"]
    used = ENERGY["resting"] + sum(
        share * relative(f"energy:{part}") for part, share in ENERGY.items() if part != "resting"
    )
    return out | {"fast:energy_use": np.log(used)}
