"""BOLD: from spectra of neural drive to functional connectivity, as a scanner would see it.

At rest the response is small, so the balloon model (`synsys.simulation.haemodynamics`) is linearised about
rest and becomes one complex factor per region and frequency.
"""

import numpy as np

from synsys.brain.state import State
from synsys.circuit.drift import E_GLU, block, drive, firing
from synsys.core.errors import UserError, unknown
from synsys.core.schema import OBSERVATIONS
from synsys.simulation.haemodynamics import Haemodynamics, coefficients

_STEP = 1e-30
DRIVES = ("synaptic", "firing")
NOISE_SHARE = 0.2
"""Measurement noise within the band as a share of the median variance of BOLD in cortex (declared)."""
BAND = (0.01, 0.1)
"""Frequencies of resting-state BOLD, Hz."""


def _quadrature(low: float, high: float, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights in log frequency, on which resting spectra are smooth."""
    node, weight = np.polynomial.legendre.leggauss(order)
    half = np.log(high / low) / 2
    frequency = low * np.exp(half * (node + 1))
    return frequency, weight * half * frequency


BAND_NODES, BAND_WEIGHTS = _quadrature(*BAND, order=5)
"""Frequencies (Hz) and weights (Hz): sum(weights * f(nodes)) is the integral of f over `BAND`."""


def bold_transfer(frequency_hz: np.ndarray, parameters: Haemodynamics | None = None) -> np.ndarray:
    """Relative BOLD signal per unit neural drive, linearised about rest.

    With s the Laplace variable and e = 1 + (1 - rho) ln(1 - rho) / rho the slope of oxygen extraction:
    flow f = gain / (s^2 + kappa s + gamma), volume v = f / (s tau + 1 / alpha), deoxyhaemoglobin
    q = (e f - (1 / alpha - 1) v) / (s tau + 1), signal v0 ((k2 - k3) v - (k1 + k2) q).

    Parameters
    ----------
    frequency_hz : ndarray, (F,)
    parameters : Haemodynamics, optional

    Returns
    -------
    ndarray of complex, (F, R)
        R = 1 where every parameter is one number.
    """
    p = parameters or Haemodynamics()
    s = 2j * np.pi * np.asarray(frequency_hz, float)[:, None]
    flow = p.gain / (s**2 + p.kappa * s + p.gamma)
    volume = flow / (s * p.tau + 1 / p.alpha)
    extraction = 1 + (1 - p.rho) * np.log(1 - p.rho) / p.rho
    deoxy = (extraction * flow - (1 / p.alpha - 1) * volume) / (s * p.tau + 1)
    k1, k2, k3 = coefficients(p)
    signal = p.v0 * ((k2 - k3) * volume - (k1 + k2) * deoxy)
    return signal * np.exp(-s * p.delay) / (1 + s * p.dispersion)


def bold_covariance(
    cross_spectrum: np.ndarray,
    frequency: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    transfer: np.ndarray | None = None,
) -> np.ndarray:
    """Covariance of BOLD within a band, (R, R), real and symmetric.

    Parameters
    ----------
    cross_spectrum : ndarray, (F, R, R)
        Two-sided cross-spectral density of neural drive, per Hz.
    frequency, weights : ndarray, (F,), optional
        Quadrature over the band (`BAND_NODES`, `BAND_WEIGHTS` by default), Hz.
    transfer : ndarray, (F, R) or (F, 1), optional
        From `bold_transfer`; by default that of the default `Haemodynamics` at `frequency`.

    Raises
    ------
    UserError
        If shapes do not fit.
    """
    f = BAND_NODES if frequency is None else np.asarray(frequency, float)
    w = BAND_WEIGHTS if weights is None else np.asarray(weights, float)
    s = np.asarray(cross_spectrum)
    if s.ndim != 3 or s.shape[1] != s.shape[2]:
        raise UserError(f"cross-spectrum: shape {s.shape}, but (F, R, R) is needed")
    if not (len(f) == len(w) == len(s)):
        raise UserError(f"{len(s)} cross-spectra, {len(f)} frequencies and {len(w)} weights must be equal")
    h = bold_transfer(f) if transfer is None else np.asarray(transfer)
    if h.ndim != 2 or h.shape[0] != len(f) or h.shape[1] not in (1, s.shape[1]):
        raise UserError(f"transfer: shape {h.shape}, but ({len(f)}, {s.shape[1]}) or ({len(f)}, 1) is needed")
    h = np.broadcast_to(h, s.shape[:2]) * np.sqrt(2 * w)[:, None]
    total = np.einsum("fi,fij,fj->ij", h, s, h.conj(), optimize=True).real
    return (total + total.T) / 2


def noise_level(covariance: np.ndarray, cortex: np.ndarray, share: float = NOISE_SHARE) -> float:
    """Variance of measurement noise, equal everywhere: `share` of the median variance over cortex.

    Take it from the healthy reference and use it for every state: a scanner's noise does not follow the
    signal. It makes weakly driven regions (much of the subcortex) weakly correlated.

    Parameters
    ----------
    covariance : ndarray, (R, R)
        Of the reference, from `bold_covariance`.
    cortex : ndarray of bool, (R,)
        Regions of cortex; all count where there is none.
    share : float
    """
    variance = np.diagonal(covariance)
    return float(share * np.median(variance[cortex] if np.any(cortex) else variance))


def bold_fc(
    cross_spectrum: np.ndarray,
    frequency: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    transfer: np.ndarray | None = None,
    noise: float | np.ndarray = 0.0,
    global_signal: bool = False,
    fisher: bool = False,
) -> np.ndarray:
    """Functional connectivity: zero-lag correlation of BOLD within a band.

    Parameters
    ----------
    cross_spectrum : ndarray, (F, R, R)
        Two-sided cross-spectral density of neural drive, per Hz.
    frequency, weights : ndarray, (F,), optional
        Quadrature over the band, Hz.
    transfer : ndarray, (F, R) or (F, 1), optional
        From `bold_transfer`.
    noise : float or ndarray, (R,)
        Variance of independent measurement noise within the band, in the unit of `bold_covariance`
        (relative signal change squared with the default transfer). It is absolute, so that a weaker
        signal is a noisier one.
    global_signal : bool
        Whether to regress the mean signal over regions out of every region.
    fisher : bool
        Whether to return Fisher z = atanh r (diagonal NaN) instead of r.

    Returns
    -------
    ndarray, (R, R)
        Pearson r with unit diagonal, or Fisher z.

    Raises
    ------
    UserError
        If shapes do not fit, noise is negative or a region has no signal.
    """
    covariance = bold_covariance(cross_spectrum, frequency, weights, transfer)
    variance = np.broadcast_to(np.asarray(noise, float), len(covariance))
    if not (np.isfinite(variance).all() and (variance >= 0).all()):
        raise UserError(f"noise = {noise!r}: a variance must be a finite number >= 0")
    covariance = covariance + np.diag(variance)
    fc = correlation(regress_global(covariance) if global_signal else covariance)
    if not fisher:
        return fc
    np.fill_diagonal(fc, np.nan)
    return np.arctanh(fc)


def regress_global(covariance: np.ndarray) -> np.ndarray:
    """Covariance after regression on the mean signal of all regions.

    P C P' with P = I - b 1' / R and b the slope of each region on the mean signal, which is
    C - C11'C / 1'C1 (global signal regression, Murphy et al. 2009, NeuroImage 44:893).
    """
    total = covariance.sum(0)
    return covariance - np.outer(total, total) / total.sum()


def correlation(covariance: np.ndarray) -> np.ndarray:
    """Correlation matrix of a covariance matrix, unit diagonal."""
    variance = np.diagonal(covariance)
    if not (variance > 0).all():
        where = int(np.argmin(variance))
        raise UserError(f"region {where} has no BOLD signal (variance {variance[where]:g})")
    scale = 1 / np.sqrt(variance)
    fc = np.clip(covariance * np.outer(scale, scale), -1.0, 1.0)
    np.fill_diagonal(fc, 1.0)
    return fc


def observed_fc(covariance: np.ndarray, noise: float | np.ndarray) -> dict[str, np.ndarray]:
    """Functional connectivity in every way of `core.schema.OBSERVATIONS`.

    Noise of fixed variance makes every correlation fall where the signal shrinks, whatever becomes of
    coupling; without noise, only coupling is left. Regression of the global signal takes out what all
    regions share, and centres correlations near zero by construction.

    Parameters
    ----------
    covariance : ndarray, (R, R)
        Of BOLD without measurement noise, R >= 2.
    noise : float or ndarray, (R,)
        Variance of measurement noise.

    Returns
    -------
    dict of str to ndarray, (R, R)
        Pearson r; 0 for a region without signal, as with the least noise.
    """
    noisy = covariance + np.diag(np.broadcast_to(noise, len(covariance)))
    silent = np.diag((np.diagonal(covariance) <= 0).astype(float))
    seen = correlation(noisy), correlation(covariance + silent), correlation(regress_global(noisy))
    return dict(zip(OBSERVATIONS, seen, strict=True))


def drive_weights(state: State, source: str = "synaptic") -> np.ndarray:
    """Neural drive of BOLD in each region per potential of each source.

    ``synaptic``: excitatory synaptic current, AMPA and NMDA, local and arriving, summed over the
    populations of a region. BOLD follows synaptic input rather than output (Logothetis et al. 2001, Nature
    412:150) and excitatory currents take most of the energy of signalling (Attwell & Laughlin 2001, J Cereb
    Blood Flow Metab 21:1133). Where a region is inhibited through its own interneurons (thalamus by the
    reticular nucleus, cerebellar nuclei by Purkinje cells) the two readings differ in sign. ``firing``:
    rate of the excitatory projecting populations, or of all projecting ones where none is excitatory.
    Delays and synaptic kinetics are left out: they turn the phase by less than 0.1 rad below 0.1 Hz.

    Neither reading has inhibitory synaptic currents and their cost; the cost of spikes, of ionic currents
    and of housekeeping; vessels that interneurons widen or narrow directly (Cauli et al. 2004, J Neurosci
    24:8940); astrocytes (Attwell et al. 2010, Nature 468:232); neuromodulators acting on vessels. So a
    change of inhibition is seen only through what it does to excitation.

    Parameters
    ----------
    state : State
    source : {"synaptic", "firing"}

    Returns
    -------
    ndarray, (R, S)
        mV (synaptic current over leak conductance) or Hz, per mV; for `Response.output`. Channels of a
        region are averaged by their share.

    Raises
    ------
    UserError
        For any other `source`.
    """
    if source not in DRIVES:
        raise unknown("BOLD drive", source, DRIVES)
    wiring = state.healthy.wiring
    region = wiring.nodes.region.to_numpy()
    share = wiring.nodes.share.to_numpy(float)
    by_node = _excitatory_current(state) if source == "synaptic" else _projected_rate(state)
    mean = np.where(region == np.arange(len(state.healthy.model.brain))[:, None], share, 0.0)
    return mean @ by_node


def _projected_rate(state: State) -> np.ndarray:
    """Mean rate of the projecting populations of each node per potential of each source, (N, S)."""
    wiring, p = state.healthy.wiring, state.parameters
    node, slot = wiring.source_node, wiring.source_slot
    slope = 1e3 * firing(state.point.x[..., 0, :] + 1j * _STEP, p).imag / _STEP
    excites = p.glutamate[node, slot] > 0
    weights = np.zeros((len(wiring.nodes), len(node)))
    for n in range(len(weights)):
        here = node == n
        chosen = np.flatnonzero(here & excites if (here & excites).any() else here)
        weights[n, chosen] = slope[n, slot[chosen]] / max(len(chosen), 1)
    return weights


def _excitatory_current(state: State) -> np.ndarray:
    """Excitatory synaptic current into each node per potential of each source, (N, S)."""
    wiring, p = state.healthy.wiring, state.parameters
    node, slot = wiring.source_node, wiring.source_slot
    v = state.point.x[..., 0, :]
    gates = drive(firing(v + 1j * _STEP, p), p)
    weights = np.zeros((len(wiring.nodes), len(node)))
    for kind, (gate, free, local) in enumerate(
        zip(gates, (np.ones_like(v), block(v)), (p.g_fast, p.g_slow), strict=True)
    ):
        slope = (gate.imag / _STEP)[node, slot]
        force = free * (E_GLU - v)
        for c, sources in enumerate(wiring.by_class):
            reach = (wiring.kappa[kind, :, :, c].T * state.coupling[kind] * force).sum(1)
            weights[:, sources] += reach[:, None] * wiring.weights[:, sources] * slope[sources]
        own = p.glutamate[node, slot] * (local[node, :, slot] * force[node]).sum(1)
        weights[node, np.arange(len(node))] += own * slope
    return weights
