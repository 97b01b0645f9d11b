"""What the variables of the vocabulary do to the numbers of the population equation.

The one place where names meet terms. Every value is an array over (node, population).
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from synsys.circuit.drift import Parameters

THRESHOLD_SLOPE = 5.0
"""k in theta = theta_0 - k ln g_Na, mV (Platkiewicz & Brette 2010 PLoS Comput Biol 6:e1000850: 4-6 mV)."""
SPINY = ("E", "D1", "D2")
"""Populations whose excitatory synapses sit on spines."""


def multiplied(
    p: Parameters, coupling: np.ndarray, values: Mapping[str, np.ndarray], mask: Mapping[str, np.ndarray]
) -> tuple[Parameters, np.ndarray]:
    """Parameters and coupling with every variable of `values` ((N, 3) each) acting on its conductance.

    Parameters
    ----------
    p : Parameters
        Numbers of N nodes, (N, 3).
    coupling : ndarray, (3 kinds, N, 3)
    values : mapping of str to ndarray, (N, 3)
        Factor on health of ratio rows, value of all others; absent names are healthy.
    mask : mapping of str to ndarray of bool, (N, 3)
        Populations by kind (`BrainModel.slot_mask`).
    """
    if not values:
        return p, coupling
    one = np.ones(p.tau.shape)

    def get(name: str, neutral: float = 1.0) -> np.ndarray:
        return values.get(name, neutral * one)

    gaba = 1.0 - p.glutamate
    arriving = events(values, mask, one)
    local = events({k: v for k, v in values.items() if k != "glutamate_release"}, mask, one)
    excite, nmda, inhibit = local
    pv, sst = (mask.get(c, np.zeros(one.shape, bool)) for c in ("PV", "SST"))
    number = np.where(pv, get("pv_interneuron_density"), 1.0)
    from_pv = np.where(pv[:, None, :], get("gabaa_pv_conductance")[:, :, None], 1.0)
    from_sst = np.where(sst[:, None, :], get("gabaa_sst_conductance")[:, :, None], 1.0)
    sst_function = np.where(sst, get("sst_interneuron_function"), 1.0)
    exc = p.glutamate[:, None, :]
    g_fast = p.g_fast * (exc * excite[:, :, None] + (1 - exc) * inhibit[:, :, None] * from_pv * from_sst)
    g_slow = p.g_slow * (exc * nmda[:, :, None] + (1 - exc) * get("gabab_conductance")[:, :, None])
    release = p.release * np.where(
        p.glutamate > 0,
        get("glutamate_release"),
        get("gaba_release") * get("gad1_expression") * number * sst_function,
    )
    release = np.where((p.glutamate > 0) | (gaba > 0), release, p.release)
    drive = get("excitatory_drive")
    return replace(
        p, g_fast=g_fast, g_slow=g_slow, release=release,
        tau_fast=p.tau_fast * np.where(gaba > 0, get("gabaa_decay"), 1.0),
        tau_slow=p.tau_slow * np.where(p.glutamate > 0, get("nmda_decay"), 1.0),
        theta=p.theta - THRESHOLD_SLOPE * np.log(get("na_conductance")),
        e_inh=p.e_inh + get("chloride_reversal", 0.0),
        g_m=p.g_m * get("kcnq2_conductance"), g_sk=p.g_sk * get("kcnn3_conductance"),
        g_erg=p.g_erg * get("kcnh2_conductance"), g_cal=p.g_cal * get("cacna1c_conductance"),
        g_cat=p.g_cat * get("cacna1h_conductance"), g_h=p.g_h * get("hcn_conductance"),
        g_cl=p.g_cl * get("cl_conductance"),
        b_ampa=p.b_ampa * arriving[0] * drive, b_nmda=p.b_nmda * arriving[1] * drive,
        b_gaba=p.b_gaba * arriving[2],
    ), coupling * local * np.stack(
        [get("long_range_synaptic_weight")] * 2 + [one]
    )  # fmt: skip


def events(values: Mapping[str, np.ndarray], mask: Mapping[str, np.ndarray], one: np.ndarray) -> np.ndarray:
    """Factor on mean arriving AMPA, NMDA and GABA-A conductance, (3, N, 3): event size times number."""
    number = event_number(values, mask, one)
    return event_size(values, one) * np.stack([number, number, one])


def event_size(values: Mapping[str, np.ndarray], one: np.ndarray) -> np.ndarray:
    """Factor on the conductance of one AMPA, NMDA or GABA-A event: receptors that can open, (3, N, 3)."""
    free = 1.0 - np.clip(values.get("nmda_occupancy", 0.0 * one), 0.0, 1.0)
    return np.stack([
        values.get("ampa_conductance", one),
        values.get("nmda_conductance", one) * free,
        values.get("gabaa_conductance", one),
    ])  # fmt: skip


def event_number(
    values: Mapping[str, np.ndarray], mask: Mapping[str, np.ndarray], one: np.ndarray
) -> np.ndarray:
    """Factor on how many glutamate events arrive: spines times release, (N, 3)."""
    spine = np.where(mask["spiny"], values.get("spine_density", one), 1.0)
    return spine * values.get("glutamate_release", one)[:, :1]


def noise_factor(
    values: Mapping[str, np.ndarray], mask: Mapping[str, np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    """Factor on shot-noise intensity, (3, N, 3): event rate times squared event size, over cell number.

    Campbell's theorem: the variance of shot noise is linear in the rate of events and quadratic in their
    size. Receptors free to open set the size; fewer spines, less release, less drive mean fewer events.
    """
    one = np.ones(shape)
    amplitude = values.get("noise_amplitude", one) ** 2
    excitatory = event_number(values, mask, one) * values.get("excitatory_drive", one)
    rate = np.stack([excitatory, excitatory, one])
    number = np.where(mask.get("PV", np.zeros(shape, bool)), values.get("pv_interneuron_density", one), 1.0)
    return event_size(values, one) ** 2 * rate * amplitude / number
