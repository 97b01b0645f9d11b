"""The population equation of one region, written once.

Every region holds three populations ("slots"; for cortex E, PV, SST). A template fills in numbers
only, so the whole brain is one set of arrays. The drift is branch-free arithmetic, analytic in the
state, so that a complex step gives its exact Jacobian.

State of a node, per slot (`STATE` x 3 values): membrane potential ``V`` (mV), the gating variables of
its own synapses ``fast`` and ``slow`` (AMPA and NMDA for an excitatory population, GABA-A and GABA-B
for an inhibitory one; 1 = healthy mean), ``m`` (M-current, KCNQ2), ``e`` (ERG, KCNH2), ``c`` (calcium,
multiples of the healthy mean), ``ht`` (T-type inactivation, CACNA1H) and ``h`` (HCN activation).

The family is that of dynamic causal modelling: conductance-based neural masses (Moran et al. 2011,
NeuroImage 55:1694; 2013, Front Comput Neurosci 7:57) with the ionic currents at mean voltage.
"""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

STATE = ("V", "fast", "slow", "m", "e", "c", "ht", "h")
SLOTS = 3
SIZE = len(STATE) * SLOTS

# Reversal potentials (mV) shared by all cells (channels.csv, synapses.csv).
E_GLU = 0.0
E_K = -90.0
E_CA = 120.0


@dataclass(frozen=True)
class Parameters:
    """Numbers of the population equation; leading axes are free (draws, candidates).

    Shapes: ``(..., N, 3)`` per population, ``(..., N, 3, 3)`` (post, pre) per local synapse.
    Conductances are in multiples of the leak; ``fast`` and ``slow`` conductances are those at the
    healthy mean gating (1). Rates in 1/ms, times in ms, potentials in mV.
    """

    tau: np.ndarray
    e_leak: np.ndarray
    theta: np.ndarray
    sigma: np.ndarray
    gain: np.ndarray
    rate: np.ndarray
    """Healthy rate r0, which normalises synaptic drive."""
    g_fast: np.ndarray
    g_slow: np.ndarray
    e_inh: np.ndarray
    """GABA-A reversal of the post population."""
    glutamate: np.ndarray
    """1 where the (pre) population is excitatory, else 0; (N, 3)."""
    tau_fast: np.ndarray
    tau_slow: np.ndarray
    saturation: np.ndarray
    """1 / saturating rate of the slow synapse (ms); 0 = linear."""
    release: np.ndarray
    g_m: np.ndarray
    g_sk: np.ndarray
    g_erg: np.ndarray
    g_cal: np.ndarray
    g_cat: np.ndarray
    g_h: np.ndarray
    g_cl: np.ndarray
    b_ampa: np.ndarray
    b_nmda: np.ndarray
    b_gaba: np.ndarray
    ca_l: np.ndarray
    """Calcium per unit of L-type current, so that the healthy pool is 1."""
    ca_n: np.ndarray
    """Calcium per unit of NMDA current."""
    tau_m: np.ndarray
    tau_erg: np.ndarray
    tau_ca: np.ndarray
    tau_ht: np.ndarray
    tau_h: np.ndarray
    m_half: np.ndarray
    m_slope: np.ndarray
    erg_half: np.ndarray
    erg_slope: np.ndarray
    erg_block_half: np.ndarray
    erg_block_slope: np.ndarray
    cal_half: np.ndarray
    cal_slope: np.ndarray
    cat_half: np.ndarray
    cat_slope: np.ndarray
    ht_half: np.ndarray
    ht_slope: np.ndarray
    h_half: np.ndarray
    h_slope: np.ndarray
    e_h: np.ndarray
    ca_half: np.ndarray
    ca_hill: np.ndarray

    def take(self, index: object) -> Self:
        """Parameters of a subset of the leading axis."""
        return replace(self, **{f.name: getattr(self, f.name)[index] for f in fields(self)})


def sigmoid(v, half, slope):
    """Boltzmann function 1 / (1 + exp(-(v - half) / slope))."""
    return 1.0 / (1.0 + np.exp(-(v - half) / slope))


def block(v):
    """NMDA channels free of magnesium at 1 mM (Jahr & Stevens 1990, J Neurosci 10:3178, eq. 4a)."""
    return 1.0 / (1.0 + np.exp(-0.062 * v) / 3.57)


def firing(v, p):
    """Population rate r = A ln(1 + exp((V - theta) / sigma)) in 1/ms."""
    return p.gain * np.log1p(np.exp((v - p.theta) / p.sigma))


def inverse_firing(rate, p):
    """Potential (mV) at which the population fires at `rate` (1/ms)."""
    return p.theta + p.sigma * np.log(np.expm1(rate / p.gain))


def m_inf(v, p):
    """M-current activation."""
    return sigmoid(v, p.m_half, p.m_slope)


def erg_inf(v, p):
    """ERG activation (slow gate)."""
    return sigmoid(v, p.erg_half, p.erg_slope)


def erg_free(v, p):
    """ERG channels free of their fast inactivation, which deepens with depolarisation."""
    return sigmoid(v, p.erg_block_half, -p.erg_block_slope)


def cal_inf(v, p):
    """CaV1.2 activation, instantaneous."""
    return sigmoid(v, p.cal_half, p.cal_slope)


def cat_inf(v, p):
    """CaV3.2 activation (squared in the current), instantaneous."""
    return sigmoid(v, p.cat_half, p.cat_slope)


def ht_inf(v, p):
    """CaV3.2 availability."""
    return sigmoid(v, p.ht_half, -p.ht_slope)


def h_inf(v, p):
    """HCN activation, opened by hyperpolarisation."""
    return sigmoid(v, p.h_half, p.h_slope)


def sk_open(c, p):
    """SK channels open at calcium `c` (multiples of healthy), Hill curve (Koehler et al. 1996)."""
    bound = np.where(np.real(c) > 0, c, 0.0) ** p.ca_hill  # noise of its current may empty the pool
    return bound / (bound + p.ca_half**p.ca_hill)


def drive(r, p):
    """Synaptic drive (fast, slow) of presynaptic rate `r`, 1 at the healthy rate and full release."""
    fast = p.release * r / p.rate
    slow = p.release * r / p.rate * (1.0 + p.saturation * p.rate) / (1.0 + p.saturation * r)
    return fast, slow


def drift(x, p, u=0.0, stimulus=0.0):
    """Time derivative of the state of every node.

    Parameters
    ----------
    x : ndarray, (..., N, 8, 3), or tuple of 8 ndarray, (..., N, 3)
        State; axis -2, or the order of the tuple, as `STATE`. In a tuple, variables may differ in leading
        axes and type, so that what a step of some of them leaves alone is computed once, and real.
    p : Parameters
    u : ndarray, (..., 3, N, 3), or 0
        Conductance from other regions: AMPA, NMDA, GABA-A onto each population.
    stimulus : ndarray, (..., N, 3)
        Injected current, mV (in units of leak conductance).

    Returns
    -------
    ndarray, (..., N, 8, 3), or tuple of 8 ndarray
        Derivative per ms, in the form of `x`.
    """
    v, fast, slow, m, e, c, ht, h = x if isinstance(x, tuple) else (x[..., k, :] for k in range(len(STATE)))
    ua, un, ug = (u[..., k, :, :] for k in range(3)) if np.ndim(u) else (0.0, 0.0, 0.0)

    # Local conductances onto each population (matrix (post, pre) times gating of pre).
    exc = p.glutamate
    inh = 1.0 - exc
    ampa = (p.g_fast @ (exc * fast)[..., None])[..., 0] + p.b_ampa + ua
    nmda = (p.g_slow @ (exc * slow)[..., None])[..., 0] + p.b_nmda + un
    gabaa = (p.g_fast @ (inh * fast)[..., None])[..., 0] + p.b_gaba + ug
    gabab = (p.g_slow @ (inh * slow)[..., None])[..., 0]

    i_nmda = nmda * block(v) * (E_GLU - v)
    i_cal = p.g_cal * cal_inf(v, p) * (E_CA - v)
    i_k = (p.g_m * m + p.g_sk * sk_open(c, p) + p.g_erg * e * erg_free(v, p)) * (E_K - v)
    i_cat = p.g_cat * cat_inf(v, p) ** 2 * ht * (E_CA - v)
    i_h = p.g_h * h * (p.e_h - v)
    i_syn = ampa * (E_GLU - v) + i_nmda + (gabaa + p.g_cl) * (p.e_inh - v) + gabab * (E_K - v)
    dv = (p.e_leak - v + i_syn + i_k + i_cal + i_cat + i_h + stimulus) / p.tau

    to_fast, to_slow = drive(firing(v, p), p)
    change = (
        dv,
        (to_fast - fast) / p.tau_fast,
        (to_slow - slow) / p.tau_slow,
        (m_inf(v, p) - m) / p.tau_m,
        (erg_inf(v, p) - e) / p.tau_erg,
        (p.ca_l * i_cal + p.ca_n * i_nmda - c) / p.tau_ca,
        (ht_inf(v, p) - ht) / p.tau_ht,
        (h_inf(v, p) - h) / p.tau_h,
    )
    return change if isinstance(x, tuple) else np.stack(change, axis=-2)


def steady_gates(v, p):
    """State whose gates and synapses are at rest with potential `v`; calcium at its healthy 1."""
    fast, slow = drive(firing(v, p), p)
    one = np.ones_like(v)
    return np.stack([v, fast, slow, m_inf(v, p), erg_inf(v, p), one, ht_inf(v, p), h_inf(v, p)], axis=-2)
