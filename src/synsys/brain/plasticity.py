"""Potentiation and depression that a standard protocol would induce in the present state of the brain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from synsys.circuit.drift import block
from synsys.synapse.probe import Probe, probe

if TYPE_CHECKING:
    from synsys.brain.state import State

RANGE = (0.05, 5.0)
"""Folds of health within which the probe is used; what lies outside counts as the bound."""


def probed(state: State, signals: Mapping[str, np.ndarray]) -> Probe:
    """The plasticity probe at every node, (N,).

    Parameters
    ----------
    state : State
    signals : mapping
        What activity does, from `synsys.brain.feedback.signals`.
    """
    carried, healthy = state.carried, state.healthy.state
    one = np.ones(len(state.point.x))

    def fold(log: np.ndarray) -> np.ndarray:
        return np.clip(np.exp(log), *RANGE)

    def of(name: str) -> np.ndarray:
        return one if carried is None else fold(carried.moved(name)[0])

    if carried is None:
        free, gain = one, one
    else:
        free = np.clip(1.0 - carried.value("nmda_occupancy")[:, 0], RANGE[0], 1.0)
        gain = np.clip(1.0 + carried.moved("calcium_dysregulation")[0], *RANGE)
    return probe(
        nmda=np.clip(of("nmda_conductance") * free, *RANGE),
        cav=of("cacna1c_conductance"),
        unblock=np.clip(block(state.point.x[:, 0, 0]) / block(healthy.point.x[:, 0, 0]), *RANGE),
        calcium=gain,
        rate=fold(signals["fast:e_rate"]),
        camkii=of("camkii_activity"),
        pka_activity=of("pka_activity"),
        erk_activity=of("erk_activity"),
        trkb_activity=of("trkb_activity"),
        akt_mtor_activity=of("akt_mtor_activity"),
        gsk3b_activity=of("gsk3b_activity"),
        plasticity_gene_expression=of("plasticity_gene_expression"),
    )


def plasticity_signals(state: State, signals: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``fast:ltp`` and ``fast:ltd``: logarithms of lasting LTP and of LTD relative to health, (N,)."""
    found = probed(state, signals)
    return {"fast:ltp": np.log(np.maximum(found.ltp, 1e-3)), "fast:ltd": np.log(np.maximum(found.ltd, 1e-3))}
