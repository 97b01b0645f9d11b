"""Templates: the healthy numbers of the population equation for each kind of region.

All numbers come from the tables ``templates``, ``connections``, ``channels`` and ``synapses``; a
calibration member multiplies them by factors keyed ``template.post<-pre:receptor`` (connections) or
``current:template.cell`` (channels).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from synsys.circuit.drift import (
    E_CA,
    SLOTS,
    Parameters,
    block,
    cal_inf,
    cat_inf,
    drift,
    erg_free,
    erg_inf,
    h_inf,
    ht_inf,
    inverse_firing,
    m_inf,
    sk_open,
    steady_gates,
)  # fmt: skip
from synsys.knowledge.connections import connections
from synsys.knowledge.mechanisms import channels, synapses, templates

BACKGROUND_GABA = 0.2
"""Background inhibitory conductance of every population, multiples of leak (declared)."""
BACKGROUND_NMDA = 0.3
"""Share of the background excitatory current carried by NMDA receptors (declared)."""
NMDA_CALCIUM = 0.5
"""Share of healthy calcium entry through NMDA receptors where the cell has CaV1.2 (declared)."""
CHLORIDE_LEAK = 0.1
"""Chloride share of the leak (declared)."""
LEAST_BACKGROUND = 0.5
"""Smallest background excitation, mV; below it the region is rebalanced through inhibition."""
CALCIUM_TAU = 80.0
"""Decay of the calcium pool, ms (declared)."""
NMDA_SATURATION = 0.641 * 100.0
"""1 / saturating rate of NMDA receptors, gamma tau in ms (0.641 x 100, Wong & Wang 2006)."""
HEALTHY_CALCIUM = 0.15
"""Healthy mean calcium in uM, the unit of the pool (declared)."""

# field of Parameters holding the conductance, gate function(s) at potential v
_CURRENTS = {"I_M": "g_m", "I_SK": "g_sk", "I_ERG": "g_erg", "I_CaL": "g_cal", "I_T": "g_cat", "I_h": "g_h"}


@cache
def cells() -> dict[str, tuple[str, ...]]:
    """Populations of each template, in slot order."""
    out: dict[str, tuple[str, ...]] = {}
    for row in templates():
        out[row.template] = (*out.get(row.template, ()), row.cell)
    return out


def slot(template: str, cell: str) -> int:
    """Slot of a population in its template."""
    return cells()[template].index(cell)


@cache
def prior() -> dict[str, tuple[float, float, bool]]:
    """Prior of every conductance: key -> (median, sd of log, free in calibration)."""
    out = {}
    for row in connections():
        out[f"{row.template}.{row.post}<-{row.pre}:{row.receptor}"] = (row.conductance, row.sd, row.free)
    for channel in channels():
        out[channel.id] = (channel.conductance, channel.conductance_sd, False)
    return out


def healthy(names: Sequence[str], member: Mapping[str, np.ndarray | float] | None = None) -> Parameters:
    """Healthy parameters of a list of nodes, background still zero.

    Parameters
    ----------
    names : sequence of N str
        Template of each node.
    member : mapping, optional
        Factor on each conductance of `prior`; absent keys are 1. Values may be arrays of shape (K,),
        which gives every field a leading axis K.

    Returns
    -------
    Parameters
        Fields (N, 3) or (N, 3, 3), or with a leading K.
    """
    member = member or {}
    lead = np.broadcast_shapes(*(np.shape(f) for f in member.values())) if member else ()
    kinds = list(dict.fromkeys(names))
    parts = [_template(name, member, lead) for name in kinds]
    at = np.array([kinds.index(name) for name in names])
    fields = {}
    for field in Parameters.__dataclass_fields__:
        fields[field] = np.stack([getattr(p, field) for p in parts], axis=len(lead)).take(at, len(lead))
    return Parameters(**fields)


def _template(name: str, member: Mapping[str, np.ndarray | float], lead: tuple[int, ...]) -> Parameters:
    """One template as Parameters without node axis; slots that it lacks are silent and inert.

    Of ``synapses`` it reads decays and, for the chloride reversal of every cell, row GABAA: a cell has one
    chloride gradient, so the reversals of GABAA_PV and GABAA_SST are not used. Nor is any ``tau_rise``: in
    the mean field conductance rises at once.
    """
    rows = {row.cell: row for row in templates() if row.template == name}
    field: dict[str, np.ndarray] = {
        f: np.zeros((*lead, SLOTS, SLOTS) if f in ("g_fast", "g_slow") else (*lead, SLOTS))
        for f in Parameters.__dataclass_fields__
    }
    for f, value in {  # harmless values for absent populations and currents
        "tau": 10.0, "e_leak": -78.0, "theta": -50.0, "sigma": 2.5, "gain": 0.01, "rate": 1e-6,
        "e_inh": -70.0, "tau_fast": 10.0, "tau_slow": 100.0, "release": 1.0, "tau_m": 100.0,
        "tau_erg": 1000.0, "tau_ca": CALCIUM_TAU, "tau_ht": 20.0, "tau_h": 200.0,
        "m_slope": 10.0, "erg_slope": 6.0, "erg_block_slope": 24.0, "cal_slope": 7.0, "cat_slope": 6.0,
        "ht_slope": 4.0, "h_slope": -6.0, "e_h": -43.0, "ca_half": 3.0, "ca_hill": 4.8,
    }.items():  # fmt: skip
        field[f][...] = value
    field["g_cl"][...] = CHLORIDE_LEAK

    def at(f: str, a: int, value: float | np.ndarray) -> None:
        field[f][..., a] = value

    for a, cell in enumerate(rows):
        row = rows[cell]
        for f, value in (
            ("tau", row.tau_m), ("e_leak", row.e_leak), ("theta", row.threshold), ("sigma", row.slope),
            ("gain", row.gain / 1e3), ("rate", row.rate / 1e3),
        ):  # fmt: skip
            at(f, a, value)
        excitatory = row.transmitter == "glutamate"
        at("glutamate", a, float(excitatory))
        at("tau_fast", a, _synapse("AMPA").tau_decay if excitatory else _gaba(cell).tau_decay)
        at("tau_slow", a, _synapse("NMDA" if excitatory else "GABAB").tau_decay)
        at("saturation", a, NMDA_SATURATION if excitatory else 0.0)
        at("e_inh", a, _synapse("GABAA").reversal)
    for link in connections():
        if link.template == name and link.pre != "*":
            factor = member.get(f"{name}.{link.post}<-{link.pre}:{link.receptor}", 1.0)
            kind = "g_fast" if link.receptor in ("ampa", "gabaa") else "g_slow"
            field[kind][..., slot(name, link.post), slot(name, link.pre)] = link.conductance * np.asarray(
                factor
            )
    p = Parameters(**field)
    v = inverse_firing(p.rate, p)
    p = _channels(name, p, member)
    return _calcium(p, v)


def _synapse(identifier: str):
    return next(row for row in synapses() if row.id == identifier)


def _gaba(cell: str):
    return next((row for row in synapses() if row.id == f"GABAA_{cell}"), _synapse("GABAA"))


def _channels(name: str, p: Parameters, member: Mapping[str, np.ndarray | float]) -> Parameters:
    """Ionic currents. The table's conductance is the open one at the healthy potential."""
    for row in (row for row in channels() if row.template == name):
        a = slot(name, row.cell)
        names = {
            "I_M": {"m_half": row.m_half, "m_slope": row.m_slope, "tau_m": row.m_tau},
            "I_SK": {"ca_half": (row.ca_half or 0.0) / HEALTHY_CALCIUM, "ca_hill": row.hill},
            "I_ERG": {
                "erg_half": row.m_half, "erg_slope": row.m_slope, "tau_erg": row.m_tau,
                "erg_block_half": row.h_half, "erg_block_slope": row.h_slope,
            },
            "I_CaL": {"cal_half": row.m_half, "cal_slope": row.m_slope},
            "I_T": {
                "cat_half": row.m_half, "cat_slope": row.m_slope, "ht_half": row.h_half,
                "ht_slope": row.h_slope, "tau_ht": row.h_tau,
            },
            "I_h": {"h_half": row.m_half, "h_slope": row.m_slope, "tau_h": row.m_tau, "e_h": row.reversal},
        }[row.current]  # fmt: skip
        for f, value in names.items():
            getattr(p, f)[..., a] = value
        v = inverse_firing(p.rate, p)
        open_ = {
            "I_M": lambda v=v: m_inf(v, p),
            "I_SK": lambda v=v: sk_open(np.ones_like(v), p),
            "I_ERG": lambda v=v: erg_inf(v, p) * erg_free(v, p),
            "I_CaL": lambda v=v: cal_inf(v, p),
            "I_T": lambda v=v: cat_inf(v, p) ** 2 * ht_inf(v, p),
            "I_h": lambda v=v: h_inf(v, p),
        }[row.current]()[..., a]
        factor = np.asarray(member.get(row.id, 1.0))
        getattr(p, _CURRENTS[row.current])[..., a] = row.conductance * factor / open_
    return p


def _calcium(p: Parameters, v: np.ndarray) -> Parameters:
    """Scale calcium entry so that the healthy pool is 1; NMDA part is completed by `with_background`."""
    i_cal = p.g_cal * cal_inf(v, p) * (E_CA - v)
    return replace(p, ca_l=np.where(i_cal > 0, (1 - NMDA_CALCIUM) / np.where(i_cal > 0, i_cal, 1.0), 0.0))


def with_background(
    p: Parameters, u: np.ndarray, through: np.ndarray | bool = True
) -> tuple[Parameters, np.ndarray]:
    """Solve for the background that holds every population at its healthy rate.

    Background is Poisson AMPA, NMDA and GABA-A conductance and cannot be negative: where excitation
    already exceeds what the healthy rate needs, inhibition from slot 1 (PV -> E) is raised, or the
    background inhibition of populations that slot 1 does not reach.

    Parameters
    ----------
    p : Parameters
        Healthy parameters without background, (..., N, 3).
    u : ndarray, (..., 3, N, 3)
        Conductance arriving from other regions at healthy rates.
    through : ndarray of bool, (N, 1), optional
        Nodes whose slot-1 synapses may be raised (those with PV cells); all by default.

    Returns
    -------
    Parameters
        With background and NMDA share of calcium filled in.
    ndarray of bool, (..., N, 3)
        Populations that had to be rebalanced.
    """
    v = inverse_firing(p.rate, p)
    p = _calcium(p, v)  # regional maps have moved g_cal
    p = replace(p, b_ampa=np.zeros_like(v), b_nmda=np.zeros_like(v), b_gaba=np.full_like(v, BACKGROUND_GABA))
    x = steady_gates(v, p)
    need = -drift(x, p, u)[..., 0, :] * p.tau  # mV of excitation that is missing
    lack = np.maximum(LEAST_BACKGROUND - need, 0.0)
    fast, slow = x[..., 1, :], x[..., 2, :]  # release, where it differs, and 1 otherwise
    inhibition = p.g_fast[..., :, 1] * ((1 - p.glutamate) * fast)[..., 1:2] * (v - p.e_inh)
    local = (inhibition > 1e-9) & through
    g_fast = p.g_fast.copy()
    g_fast[..., :, 1] *= np.where(local, 1 + lack / np.where(local, inhibition, 1.0), 1.0)
    b_gaba = p.b_gaba + np.where(local, 0.0, lack / np.maximum(v - p.e_inh, 1.0))
    need = need + lack
    free = block(v)
    b_ampa = need * (1 - BACKGROUND_NMDA) / -v
    b_nmda = need * BACKGROUND_NMDA / (free * -v)
    p = replace(p, g_fast=g_fast, b_gaba=b_gaba, b_ampa=b_ampa, b_nmda=b_nmda)
    nmda = ((p.g_slow * (p.glutamate * slow)[..., None, :]).sum(-1) + b_nmda + u[..., 1, :, :]) * free * -v
    share = np.where(p.ca_l > 0, NMDA_CALCIUM, 1.0)
    p = replace(p, ca_n=share / nmda)
    return p, lack > 0
