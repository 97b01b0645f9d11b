"""Healthy facts that a calibrated pair is held against, and how far a candidate is from them."""

import numpy as np

FACTS = {
    "gamma_frequency": (32.0, 50.0),  # Hz, of cortex alone
    "gamma_prominence": (0.10, 0.60),  # log10 power above the line through its flanks
    "gamma_damping": (0.15, 0.40),  # least damping ratio of its modes within 25-60 Hz
    "gamma_alone": (-9.0, 0.03),  # prominence without PV synapses
    "gamma_slope": (-1.0, -0.15),  # d log f / d log tau_GABA of PV synapses at fixed rates
    "gamma_network": (0.06, 0.8),  # prominence in the network of like regions
    "alpha_frequency": (8.0, 12.0),  # Hz, with the thalamus
    "alpha_prominence": (0.20, 1.0),
    "alpha_alone": (-9.0, 0.05),  # prominence without the thalamus
    "network_growing": (0.0, 0.0),  # unstable modes of the network of like regions
    "network_amplification": (0.0, 4.5),  # its largest amplification above 3 Hz
    "nmda_share_e": (0.25, 0.5),  # of excitatory charge onto E
    "nmda_share_pv": (0.10, 0.45),
    "pv_share": (0.45, 0.8),  # of inhibitory charge onto E
    "ei_charge": (0.7, 1.6),  # recurrent and long-range excitatory over inhibitory charge onto E
    "cortical_gain": (0.60, 0.75),  # cortico-cortical loop at zero frequency, leading mode
    "thalamic_gain": (-0.15, 0.25),  # cortico-thalamo-cortical loop at zero frequency
    "background": (0.7, 30.0),  # mV, least over populations
    "rate_response": (0.0, 0.7),  # largest |change of log E rate| under each of `LESIONS`
    "interneuron_response": (0.0, 1.1),  # the same of PV or SST cells
    "damping_response": (0.15, 9.0),  # least damping ratio of cortex under each of `LESIONS`
    "damping": (0.20, 9.0),  # least damping ratio of any local mode
    "thalamus_damping": (0.10, 9.0),
    "damping_regional": (0.10, 9.0),  # least damping ratio of cortices of `REGIONS`; -1 where one grows
    "gain_regional": (0.0, 0.85),  # largest cortical loop gain of these
    "spread_regional": (0.0, 0.5),  # largest |log ratio| of their static response to the common cortex's
}
LESIONS = (  # factors on AMPA, NMDA, background drive, PV synapses, all GABA-A, SST synapses, CaV1.2
    (1.25, 1, 1, 1, 1, 1, 1), (0.8, 1, 1, 1, 1, 1, 1), (1, 1.25, 1, 1, 1, 1, 1), (1, 0.8, 1, 1, 1, 1, 1),
    (1, 1, 1.25, 1, 1, 1, 1), (1, 1, 0.8, 1, 1, 1, 1), (1, 1, 1, 0.8, 1, 1, 1), (1, 1, 1, 1, 1.25, 1, 1),
    (1, 1, 1, 1, 0.8, 1, 1), (1, 1, 1, 1, 1, 0.8, 1), (1, 1, 1, 1, 1, 1, 1.25), (1.25, 1.25, 1, 1, 1, 1, 1),
)  # fmt: skip
"""Global changes by one step of the claims that a healthy brain survives."""
REGIONS = (  # factors on GABA-A, on that of PV, of SST cells, on NMDA of E cells
    (1, 0.7, 1, 1), (1, 1.4, 1, 1), (1, 1, 0.65, 1), (1, 1, 1.5, 1), (0.65, 1, 1, 1), (1.5, 1, 1, 1),
    (1, 1, 1, 1.2), (0.8, 0.8, 1.2, 1.1),
)  # fmt: skip
"""Cortices that regional maps make: about 2.5 sd of z score times the slopes of maps.csv."""
HIPPOCAMPUS_FACTS = {
    "theta_frequency": (4.5, 7.5),
    "theta_prominence": (0.20, 0.8),
    "theta_without_sst": (-9.0, 0.03),
    "background": (1.0, 30.0),
    "log_rate_change": (0.0, 0.8),
    "damping": (0.30, 9.0),
    "pv_share": (0.3, 0.8),
}

WEIGHT = {
    "gamma_frequency": 0.2,
    "alpha_frequency": 0.4,
    "theta_frequency": 0.6,
    "gamma_prominence": 8,
    "alpha_prominence": 8,
    "theta_prominence": 8,
    "alpha_alone": 8,
    "gamma_alone": 8,
    "theta_without_sst": 8,
    "gamma_slope": 4,
    "gamma_network": 8,
    "network_growing": 3,
    "network_amplification": 1,
    "gamma_damping": 8,
    "nmda_share_e": 10,
    "nmda_share_pv": 10,
    "pv_share": 10,
    "ei_charge": 3,
    "cortical_gain": 10,
    "thalamic_gain": 10,
    "background": 0.2,
    "log_rate_change": 2,
    "rate_response": 3,
    "interneuron_response": 2,
    "damping_response": 10,
    "damping": 10,
    "thalamus_damping": 10,
    "damping_regional": 10,
    "gain_regional": 10,
    "spread_regional": 3,
}


FREQUENCY = np.r_[
    2.0, 3.0, np.arange(4.0, 15.0), np.arange(16.0, 32.0, 3.0), np.arange(34.0, 52.0, 2.0), 54, 60, 66, 72
]


def prominence(
    p: np.ndarray, low: float, high: float, frequency: np.ndarray = FREQUENCY
) -> tuple[np.ndarray, np.ndarray]:
    """Frequency and height (log10) of the highest bump within a band, over the chord of its flanks.

    p : (F, K) power. The chord joins the least points within a factor 1.6 below and above the bump; a
    monotone stretch counts as no bump (height 0.2 lower, at most 0).
    """
    y, x = np.log10(p), np.log10(frequency)
    best_f = np.full(p.shape[1], np.sqrt(low * high))
    best = np.full(p.shape[1], -1.0)
    for i in np.flatnonzero((low <= frequency) & (high >= frequency)):
        lo = np.flatnonzero((frequency[i] > frequency) & (frequency[i] / 1.6 < frequency))
        hi = np.flatnonzero((frequency[i] < frequency) & (frequency[i] * 1.6 > frequency))
        if not len(lo) or not len(hi):
            continue
        base_lo, base_hi = y[lo].min(0), y[hi].min(0)
        jl, jh = lo[y[lo].argmin(0)], hi[y[hi].argmin(0)]
        w = (x[i] - x[jl]) / (x[jh] - x[jl])
        height = y[i] - ((1 - w) * base_lo + w * base_hi)
        inside = (y[i] >= y[i - 1]) & (y[i] >= y[min(i + 1, len(y) - 1)])
        height = np.where(inside, height, np.minimum(height - 0.2, 0.0))
        a, c, d = y[i - 1], y[i], y[min(i + 1, len(y) - 1)]  # vertex of the parabola through three points
        curve = a - 2 * c + d
        shift = np.clip(np.where(curve < 0, 0.5 * (a - d) / np.where(curve < 0, curve, -1.0), 0.0), -0.5, 0.5)
        exact = np.exp(np.log(frequency[i]) + shift * 0.5 * np.log(frequency[i + 1] / frequency[i - 1]))
        better = height > best
        best, best_f = np.where(better, height, best), np.where(better, exact, best_f)
    return best_f, best


def misses(reached: dict[str, np.ndarray], facts: dict[str, tuple[float, float]]) -> np.ndarray:
    """Weighted distance from every fact, (K,)."""
    total = 0.0
    for name, (low, high) in facts.items():
        y = np.nan_to_num(reached[name], nan=99.0)
        total = total + np.minimum(WEIGHT[name] * (np.maximum(0, low - y) + np.maximum(0, y - high)), 12.0)
    return total
