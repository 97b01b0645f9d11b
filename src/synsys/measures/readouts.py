"""Readouts: what a scientist would measure, computed from the linear brain, named as in the vocabulary."""

import numpy as np

from synsys.brain.feedback import signals
from synsys.brain.linear import LongRange, angular, closed_loop, undelayed
from synsys.brain.noise import noise_covariance, noise_power
from synsys.brain.plasticity import probed
from synsys.brain.solution import BANDS, Solution, rate_slope
from synsys.circuit.drift import E_GLU, E_K, block
from synsys.circuit.linear import local_transfer
from synsys.measures.systems import Atlas, system_fc


def readouts(solution: Solution, atlas: Atlas, reference: Solution | None = None) -> dict[str, float]:
    """Every readout of a state.

    Parameters
    ----------
    solution : Solution
    atlas : Atlas
    reference : Solution, optional
        The healthy solution of the same draw; readouts that are distances from health need it (a healthy
        brain is its own reference, at distance 0).

    Returns
    -------
    dict
        Vocabulary name -> value; a readout that this brain cannot give (no such region) is absent.
    """
    out: dict[str, float] = {}
    out |= microcircuit(solution, atlas)
    out |= _plasticity(solution, atlas)
    out |= _rhythms(solution, atlas)
    out |= circuits(solution, atlas)
    out |= _networks(solution, atlas)
    out |= _departure(solution, atlas, reference or solution)
    return {name: float(value) for name, value in out.items() if value is not None and np.isfinite(value)}


def microcircuit(solution: Solution, atlas: Atlas) -> dict[str, float]:
    """Synapses and microcircuit of cortex, averaged over its regions."""
    state = solution.state
    p, x, u = state.parameters, state.point.x, state.point.u
    here = atlas.node_template == "cortex"
    v = x[..., 0, :]
    fast, slow = x[:, 1], x[:, 2]
    drive = E_GLU - v
    exc, inh = p.glutamate, 1 - p.glutamate
    ampa = (p.g_fast @ (exc * fast)[..., None])[..., 0] + p.b_ampa + u[0]
    nmda = ((p.g_slow @ (exc * slow)[..., None])[..., 0] + p.b_nmda + u[1]) * block(v)
    gabaa = (p.g_fast @ (inh * fast)[..., None])[..., 0] + p.b_gaba + u[2]
    gabab = (p.g_slow @ (inh * slow)[..., None])[..., 0]
    e = (slice(None), 0)
    excitation = (ampa + nmda)[e] * drive[e]
    inhibition = gabaa[e] * (v - p.e_inh)[e] + gabab[e] * (v - E_K)[e]
    jac = state.linear.jacobian
    static = local_transfer(jac, np.array([1e-9]))
    slope = rate_slope(state)
    intrinsic = -jac.full[:, 0, 0] * p.tau[:, 0]  # leak and synapses, gates frozen
    gates = sum(
        jac.full[:, 0, k * 3] * jac.full[:, k * 3, 0] / jac.full[:, k * 3, k * 3] for k in (3, 4, 5, 6, 7)
    )
    slow_gates = intrinsic + gates * p.tau[:, 0]
    to_e = static.transfer[0, :, 0, 0, 0].real
    rates = state.rates
    gamma = solution.grid.frequency[(solution.grid.frequency >= 30) & (solution.grid.frequency <= 60)][::2]
    pyr_pv, noise = _local_noise(solution, gamma)

    def mean(values: np.ndarray) -> float:
        return float(values[here].mean())

    return {
        "pyramidal_activity": mean(rates[:, 0]),
        "pv_rate": mean(rates[:, 1]),
        "sst_rate": mean(rates[:, 2]),
        "inhibitory_tone": mean(gabaa[e] + gabab[e]),
        "ei_ratio": mean(excitation) / mean(inhibition),
        "nmda_drive_to_pv": mean(nmda[:, 1] * drive[:, 1]),
        "pv_interneuron_function": mean(p.g_fast[:, 0, 1] * fast[:, 1]),
        "synaptic_gain": mean(to_e * slope[:, 0]),
        "synaptic_strength": mean((p.g_fast[:, 0, 0] + p.g_slow[:, 0, 0] * block(v[:, 0])) * p.release[:, 0]),
        "neuronal_excitability": mean(slope[:, 0] / slow_gates),
        "resting_potential": mean(v[:, 0]),
        "intracellular_calcium": mean(x[:, 5, 0]),
        "neurotransmitter_release": mean(p.release[:, 0]),
        "glutamate_release": mean(fast[:, 0]),
        "cortical_noise": mean(noise),
        "pyr_pv_coordination": mean(pyr_pv),
        "signalling_fidelity": mean(to_e**2 / noise),
    }


def _plasticity(solution: Solution, atlas: Atlas) -> dict[str, float]:
    """Sizes of lasting LTP and of LTD of cortical E synapses under a standard protocol, % of baseline."""
    state = solution.state
    found = probed(state, signals(state.averages, state.healthy.averages))
    here = atlas.node_template == "cortex"
    return {"ltp": float(found.ltp_late_percent[here].mean()), "ltd": float(-found.ltd_percent[here].mean())}


def _local_noise(solution: Solution, frequency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coherence of E and PV potentials at `frequency`, and variance of E, of each region alone, (N,).

    Own background only: input from other regions would add what is common to both cells.
    """
    system = solution.state.linear
    omega = angular(frequency)
    cov = noise_covariance(system, local_transfer(system.jacobian, omega), omega)
    size = np.sqrt(cov[..., 0, 0].real * cov[..., 1, 1].real)
    coherence = np.abs(cov[..., 0, 1]) / np.where(size > 0, size, 1.0)
    whole = np.array([1, 2, 4, 7, 11, 16, 24, 34, 46, 60, 80, 100.0])
    omega = angular(whole)
    nodes = np.arange(cov.shape[1])
    power = noise_power(system, local_transfer(system.jacobian, omega), omega, nodes, 0 * nodes)
    return coherence.mean(0), 2 * np.trapezoid(power, whole, axis=0)


def _rhythms(solution: Solution, atlas: Atlas) -> dict[str, float]:
    """Band powers of cortex and synchrony between regions."""
    out = {f"{band}_power": _geometric(solution.band_power(band)[atlas.cortex]) for band in BANDS}
    out["low_frequency_power"] = _geometric(
        3 / 7 * solution.band_power("delta")[atlas.cortex]
        + 4 / 7 * solution.band_power("theta")[atlas.cortex]
    )
    mean_psd = np.log(solution.psd[:, atlas.cortex]).mean(1)
    f = solution.grid.frequency
    out["peak_gamma_frequency"] = peak_frequency(f, mean_psd, *BANDS["gamma"])
    out["peak_alpha_frequency"] = peak_frequency(f, mean_psd, *BANDS["alpha"])
    out["aperiodic_exponent"] = aperiodic_exponent(f, np.exp(mean_psd))
    within = np.ix_(atlas.cortex, atlas.cortex)
    upper = np.triu_indices(atlas.cortex.sum(), 1)
    locked = {band: solution.synchrony(band) for band in ("theta", "alpha", "beta", "gamma")}
    for band in ("gamma", "beta"):
        out[f"{band}_synchrony"] = float(locked[band][within][upper].mean())
    mean = np.mean(list(locked.values()), axis=0)
    out["oscillatory_synchrony"] = float(mean[within][upper].mean())
    out["global_synchrony"] = float(mean[np.triu_indices(len(mean), 1)].mean())
    for name, matrix, loop in (
        ("theta_coherence", solution.coherence("theta"), "hippocampal-prefrontal"),
        ("thalamocortical_synchrony", mean, "thalamo-cortical"),
        ("frontolimbic_coherence", np.mean([solution.coherence(b) for b in locked], axis=0), "fronto-limbic"),
    ):
        sets = atlas.pair(loop)
        if sets is not None:
            out[name] = float(matrix[np.ix_(*sets)].mean())
    return out


def _geometric(values: np.ndarray) -> float:
    return float(np.exp(np.log(values).mean()))


def peak_frequency(f: np.ndarray, log_power: np.ndarray, low: float, high: float) -> float:
    """Frequency of the highest local maximum of the 1/f-corrected spectrum in a band; NaN if none."""
    y = log_power + np.log(f)
    inside = [i for i in range(1, len(f) - 1) if low <= f[i] <= high and y[i] >= y[i - 1] and y[i] > y[i + 1]]
    if not inside:
        return np.nan
    i = max(inside, key=lambda k: y[k])
    x = np.log(f[i - 1 : i + 2])
    a, b, _ = np.polyfit(x - x[1], y[i - 1 : i + 2], 2)
    return float(np.exp(x[1] - b / (2 * a))) if a < 0 else float(f[i])


def aperiodic_exponent(f: np.ndarray, psd: np.ndarray) -> float:
    """Exponent x of the 1/f^x part of a spectrum, 2-60 Hz, peaks set aside.

    Straight line in log-log through the lower envelope: points above the line by more than one residual
    standard deviation are dropped and the line refitted, five times (the idea of Donoghue et al. 2020, Nat
    Neurosci 23:1655, without their peak model).
    """
    keep = (f >= 2) & (f <= 60)
    x, y = np.log(f[keep]), np.log(psd[keep])
    use = np.ones(len(x), bool)
    for _ in range(5):
        slope, offset = np.polyfit(x[use], y[use], 1)
        rest = y - slope * x - offset
        use = rest <= rest[use].std()
    return float(-slope)


def circuits(solution: Solution, atlas: Atlas) -> dict[str, float]:
    """Activity of named loci and the gain of named pathways."""
    state = solution.state
    rates = state.rates
    first = np.zeros(len(atlas.brain))
    np.add.at(
        first, atlas.node_region[atlas.node_region >= 0], (rates[:, 0] * atlas.share)[atlas.node_region >= 0]
    )
    out: dict[str, float] = {}
    for name, where in (
        ("ofc_activity", "OFC"),
        ("acc_activity", "ACC"),
        ("dlpfc_activity", "dlPFC"),
        ("vmpfc_activity", "vmPFC"),
        ("sn_activity", "SN"),
        ("thalamic_activity", "thalamus"),
        ("hippocampal_activity", "hippocampus"),
    ):
        inside = atlas.where(where)
        if inside is not None:
            out[name] = float(first[inside].mean())
    motor, control = atlas.where("SMN"), atlas.where("CEN")
    if motor is not None and control is not None:
        out["control_motor_network_activity"] = float(first[motor | control].mean())
    striatum, pallidum = atlas.node_template == "striatum", atlas.node_template == "pallidum"
    if striatum.any():
        both = rates[striatum, :2] * atlas.share[striatum, None]
        count = len(np.unique(atlas.node_region[striatum]))
        out["striatal_activity"] = float(both.sum() / (2 * count))
        out["striatal_gating"] = float(both[:, 0].sum() / both[:, 1].sum())
        accumbens = atlas.where("NAc")
        if accumbens is not None:
            here = striatum & np.where(atlas.node_region >= 0, accumbens[atlas.node_region], False)
            out["reward_circuit_activity"] = float(
                (rates[here, :2] * atlas.share[here, None]).sum() / (2 * accumbens.sum())
            )
    if pallidum.any():
        count = len(np.unique(atlas.node_region[pallidum]))
        out["gpi_activity"] = float((rates[pallidum, 1] * atlas.share[pallidum]).sum() / count)
    static = local_transfer(state.linear.jacobian, np.array([1e-9]))
    slope = rate_slope(state)
    amygdala = atlas.node_template == "amygdala"
    if amygdala.any():
        gain = static.transfer[0, :, 0, 0, :2].real.sum(-1) * slope[:, 0]
        out["amygdala_reactivity"] = float(gain[amygdala].mean())
        out |= _topdown(solution, atlas, static)
    thalamic = _from_thalamus(solution, atlas)
    if thalamic is not None:
        out["thalamocortical_feedback"] = thalamic
    return out


def _topdown(solution: Solution, atlas: Atlas, static) -> dict[str, float]:
    """Prefrontal inhibition of the amygdala: minus the static change of its E potential per vmPFC mV."""
    state, wiring = solution.state, solution.state.healthy.wiring
    vmpfc = atlas.where("vmPFC")
    if vmpfc is None:
        return {}
    node = atlas.node_region[wiring.source_node]
    inside = np.where(node >= 0, vmpfc[node], False)
    rows = np.flatnonzero((atlas.node_template[wiring.source_node] == "amygdala") & (wiring.source_slot == 0))
    columns = np.flatnonzero(inside & (atlas.node_template[wiring.source_node] == "cortex"))
    gain = LongRange(wiring, static, state.coupling).block(rows, columns, undelayed(wiring))[0].real
    return {"topdown_control": -float(gain.sum(1).mean())}


def _from_thalamus(solution: Solution, atlas: Atlas) -> float | None:
    """Conductance that thalamic relay cells bring to cortical E cells, mean over cortex."""
    wiring, state = solution.state.healthy.wiring, solution.state
    thalamic = atlas.node_template[wiring.source_node] == "thalamus"
    if not thalamic.any():
        return None
    gates = wiring.gates(state.point.x).copy()
    gates[atlas.node_template != "thalamus"] = 0.0
    u = state.coupling * wiring.collect(gates)
    here = atlas.node_template == "cortex"
    return float((u[0] + u[1] * block(state.point.x[:, 0]))[here, 0].mean())


def _networks(solution: Solution, atlas: Atlas) -> dict[str, float]:
    """BOLD connectivity of named systems, and how far the brain is from instability."""
    margin = _stability_margin(solution)
    return {
        **system_fc(solution.fc, atlas),
        "network_stability": margin,
        "network_vulnerability": 1.0 / margin if margin > 0 else np.nan,
    }


def _stability_margin(solution: Solution) -> float:
    """1 minus the largest real eigenvalue of the long-range loop at zero frequency, loops eliminated."""
    core = closed_loop(solution.state.linear, np.array([1e-9])).core[0].real
    return float(np.linalg.eigvals(core).real.min())


def _departure(solution: Solution, atlas: Atlas, reference: Solution) -> dict[str, float]:
    """Distances from the healthy state of the same draw; true by construction, never evidence."""
    upper = np.triu_indices(len(solution.fc), 1)
    z = np.arctanh(np.clip(solution.fc[upper], -0.999999, 0.999999))
    z0 = np.arctanh(np.clip(reference.fc[upper], -0.999999, 0.999999))
    rates, healthy = np.log(solution.state.rates[:, 0]), np.log(reference.state.rates[:, 0])
    motif = atlas.node_region >= 0
    return {
        "network_dysconnectivity": float(np.sqrt(((z - z0) ** 2).mean())),
        "circuit_integrity": float(np.exp(-np.sqrt(((rates - healthy)[motif] ** 2).mean()))),
    }
