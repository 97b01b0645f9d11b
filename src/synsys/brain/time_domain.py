"""The whole brain of a state in the time domain: the equations of `circuit.drift` for the compiled kernel.

What the linear solution describes by spectra arrives here as noise: background synapses as Ornstein-Uhlenbeck
conductances, the slow 1/f input as a sum of eleven of them, private and common.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from synsys.brain.noise import CORNERS, TAU_NOISE, one_over_f
from synsys.brain.state import State
from synsys.circuit.drift import E_GLU, SLOTS, STATE, Parameters, block, drift, firing
from synsys.core.errors import UserError
from synsys.simulation.model import Model, Parameter
from synsys.simulation.run import Links

CORTICAL = ("E", "PV", "SST")
"""Cells of cortex, after which rates are called; elsewhere those in their place (TC, RE, D1 ...)."""
MATRICES = ("g_fast", "g_slow")
"""Parameters of local synapses, (post, pre)."""


def circuit_model(heard: int) -> Model:
    """The population equation as a model of one region.

    Parameters
    ----------
    heard : int
        Most kinds of source that a region hears.
    """
    names = [f.name for f in fields(Parameters)]
    zeros, shapes = np.zeros(SLOTS), {n: (SLOTS, SLOTS) for n in MATRICES}
    per_kind = np.zeros((3, SLOTS))

    def conductance(p: Any, u: Any) -> Any:
        """Arriving conductance (3 kinds, 1, 3 slots)."""
        rows = []
        for kind, gate in enumerate((u.fast, u.slow, u.fast)):
            total: Any = u.background[kind] + u.conductance[kind]
            for m in range(heard):
                total = total + p.coupling[kind] * p.kappa[m, kind] * gate[m]
            if kind == 0:
                total = total + p.onto * ((p.common * u.common).sum() + p.private * u.private.sum())
            rows.append(total)
        return np.stack(rows)[:, None]

    def states(x: Any) -> tuple[Any, ...]:
        return tuple(getattr(x, name) for name in STATE)

    def change(x: Any, p: Any, u: Any) -> tuple[Any, ...]:
        out = drift(states(x), p, conductance(p, u), u.current)
        return tuple(part.reshape(-1) for part in out)

    def observed(x: Any, p: Any, u: Any) -> dict[str, Any]:
        arriving = conductance(p, u)
        exc = p.glutamate
        ampa = (p.g_fast @ (exc * x.fast)[..., None])[..., 0] + arriving[0, 0]
        nmda = (p.g_slow @ (exc * x.slow)[..., None])[..., 0] + arriving[1, 0]
        current = (ampa + nmda * block(x.V)) * (E_GLU - x.V)
        rate = 1e3 * firing(x.V, p)
        return {
            **{f"V{k}": x.V[k] for k in range(SLOTS)},
            **{f"rate_{cell}": rate[k] for k, cell in enumerate(CORTICAL)},
            "synaptic": current.sum(),
        }

    return Model(
        name="circuit",
        states={name: zeros for name in STATE},
        parameters={
            **{n: Parameter(np.zeros(shapes.get(n, (SLOTS,)))) for n in names},
            "kappa": Parameter(np.zeros((heard, 3, SLOTS))),
            "coupling": Parameter(np.ones((3, SLOTS))),
            "onto": Parameter(zeros),
            "common": Parameter(np.zeros(len(CORNERS))),
            "private": Parameter(1.0),
            "tau_background": Parameter(np.broadcast_to(TAU_NOISE[:, None], (3, SLOTS)), "ms"),
            "sd_background": Parameter(per_kind),
            **{f"tau_{n}": Parameter(1e3 / (2 * np.pi * CORNERS), "ms") for n in ("private", "common")},
            "sd_private": Parameter(np.zeros(len(CORNERS))),
            "sd_common": Parameter(np.ones(len(CORNERS))),
        },
        drift=change,
        emits=lambda x, p: {
            f"{gate}{k}": getattr(x, gate)[k] for gate in ("fast", "slow") for k in range(SLOTS)
        },
        observed=observed,
        channels={"fast": (heard,), "slow": (heard,)},
        filtered={"background": (3, SLOTS), "private": (len(CORNERS),)},
        common={"common": (len(CORNERS),)},
        stimuli={"current": (SLOTS,), "conductance": (3, SLOTS)},
    )


def in_time(states: Sequence[State], noise: float = 1.0) -> dict[str, Any]:
    """Arguments of `synsys.simulation.run.Simulation` for states of one wiring, a lane each.

    Parameters
    ----------
    states : sequence of State
        With the same weights and delays.
    noise : float
        Factor on the amplitude of all noise.

    Raises
    ------
    UserError
        If their weights or delays differ.
    """
    first = states[0]
    wiring = first.linear.wiring
    for state in states:
        if (state.speed != first.speed).any() or (state.linear.wiring.weights != wiring.weights).any():
            raise UserError("states of different weights or delays cannot run side by side")
    kinds = [np.unique(wiring.source_class[np.flatnonzero(row)]) for row in wiring.weights]
    heard = max(len(k) for k in kinds)
    model = circuit_model(heard)
    target, source = np.nonzero(wiring.weights)
    rank = np.array(
        [int(np.searchsorted(kinds[n], wiring.source_class[s])) for n, s in zip(target, source, strict=True)]
    )
    slot = wiring.source_slot[source]
    delay = wiring.delays(first.speed)[target, source]
    nmda = wiring.kappa[1].transpose(1, 2, 0)[target, wiring.source_class[source]].any(-1)
    links = Links(
        np.concatenate([target, target[nmda]]),
        np.concatenate([rank, heard + rank[nmda]]),
        wiring.source_node[np.concatenate([source, source[nmda]])],
        np.concatenate([slot, SLOTS + slot[nmda]]),
        wiring.weights[np.concatenate([target, target[nmda]]), np.concatenate([source, source[nmda]])],
        np.concatenate([delay, delay[nmda]]),
    )
    parameters: dict[str, Any] = {
        f.name: np.stack([getattr(s.parameters, f.name) for s in states]) for f in fields(Parameters)
    }
    parameters["kappa"] = np.stack([_heard(s, kinds, heard) for s in states])
    parameters["coupling"] = np.stack([s.coupling.transpose(1, 0, 2) for s in states])
    tau = TAU_NOISE[:, None, None]
    sd = [np.sqrt(s.linear.noise / (2 * tau)).transpose(1, 0, 2) for s in states]
    parameters["sd_background"] = noise * np.stack(sd)
    parameters["onto"] = noise * np.stack([s.linear.slow for s in states])
    corner = 1e3 / (2 * np.pi * CORNERS)
    size = np.stack([np.sqrt(one_over_f(s.linear.exponent) * 1e3 / (2 * corner)) for s in states])[:, None]
    share = np.array([s.linear.shared for s in states])[:, None]
    parameters["sd_private"], parameters["private"] = size, np.sqrt(1 - share)
    parameters["common"] = np.sqrt(share)[..., None] * size  # one series for all lanes; sizes are their own
    start = {name: np.stack([s.point.x[:, k] for s in states]) for k, name in enumerate(STATE)}
    return {
        "model": model, "nodes": len(wiring.nodes), "links": links, "parameters": parameters, "start": start,
        "templates": wiring.nodes.template.to_numpy(),
    }  # fmt: skip


def _heard(state: State, kinds: list[np.ndarray], heard: int) -> np.ndarray:
    """Conductance that each kind of source brings to each node, (N, heard, 3 kinds, 3)."""
    kappa = state.linear.wiring.kappa
    out = np.zeros((len(kinds), heard, 3, SLOTS))
    for n, own in enumerate(kinds):
        out[n, : len(own)] = kappa[:, :, n][:, :, own].transpose(2, 0, 1)
    return out
