"""What a readout counts for: restated inputs, distances from health, calibrated quantities."""

from collections.abc import Iterable

_FROM_PV = (
    "gaba_release",
    "gad1_expression",
    "pv_interneuron_density",
    "gabaa_pv_conductance",
    "gabaa_conductance",
)
_INHIBITION = (*_FROM_PV, "gabaa_sst_conductance", "gabab_conductance", "sst_interneuron_function")
_GLUTAMATE = ("ampa_conductance", "nmda_conductance", "glutamate_release", "spine_density")
_EXCITATION = (*_GLUTAMATE, "excitatory_drive", "long_range_synaptic_weight")
_NOISE = (*_GLUTAMATE, "excitatory_drive", "gabaa_conductance")


def _moves(up: Iterable[str], down: Iterable[str] = (), either: Iterable[str] = ()) -> dict[str, int]:
    return {**dict.fromkeys(up, 1), **dict.fromkeys(down, -1), **dict.fromkeys(either, 0)}


RESTATED: dict[str, dict[str, int]] = {
    "neurotransmitter_release": _moves(["glutamate_release"]),
    "synaptic_strength": _moves(_GLUTAMATE, ["nmda_occupancy"]),
    "nmda_drive_to_pv": _moves(
        ["nmda_conductance", "glutamate_release", "excitatory_drive", "long_range_synaptic_weight"],
        ["nmda_occupancy"],
    ),
    "pv_interneuron_function": _moves(_FROM_PV),
    "inhibitory_tone": _moves(_INHIBITION),
    "ei_ratio": _moves([*_EXCITATION, "chloride_reversal"], [*_INHIBITION, "nmda_occupancy"]),
    "cortical_noise": _moves([*_NOISE, "noise_amplitude"], ["nmda_occupancy", "pv_interneuron_density"]),
    "signalling_fidelity": _moves(["nmda_occupancy", "pv_interneuron_density"], [*_NOISE, "noise_amplitude"]),
    "pyr_pv_coordination": _moves((), (), [*_NOISE, "nmda_occupancy", "pv_interneuron_density"]),
    "thalamocortical_feedback": _moves([*_GLUTAMATE, "long_range_synaptic_weight"], ["nmda_occupancy"]),
    "topdown_control": _moves(
        ["long_range_synaptic_weight"], (),
        ["ampa_conductance", "nmda_conductance", "nmda_occupancy", "spine_density"],
    ),
}  # fmt: skip
"""Readouts that restate what was moved: wired, not emergent, for each quantity listed, with the sign of the
change (0: it depends on the circuit). Listed is whatever changes a readout while potentials, rates, gates and
the local response stay healthy; a test finds the same."""
DISTANCES = ("network_dysconnectivity", "circuit_integrity")
"""Readouts that measure distance from health: every healthy person is at distance 0 from their own health,
so between people they have no spread, and no d."""
HELD = "healthy rate"
"""What a readout is called calibrated to if the background holds it at the template's healthy rate."""
PUBLISHED = "published synapse"
"""What a readout is called calibrated to if its healthy value is that of published parameters."""
CALIBRATED = {
    "ltp": PUBLISHED, "ltd": PUBLISHED,
    **dict.fromkeys(
        (
            "pyramidal_activity", "pv_rate", "sst_rate", "ofc_activity", "acc_activity", "dlpfc_activity",
            "vmpfc_activity", "sn_activity", "thalamic_activity", "hippocampal_activity",
            "control_motor_network_activity", "striatal_activity", "striatal_gating",
            "reward_circuit_activity", "gpi_activity", "intracellular_calcium", "glutamate_release",
            "neurotransmitter_release", "resting_potential",
        ),
        HELD,
    ),
    "peak_gamma_frequency": "gamma_frequency", "gamma_power": "gamma_prominence",
    "peak_alpha_frequency": "alpha_frequency", "alpha_power": "alpha_prominence",
    "nmda_drive_to_pv": "nmda_share_pv", "pv_interneuron_function": "pv_share", "ei_ratio": "ei_charge",
    "network_stability": "cortical_gain", "network_vulnerability": "cortical_gain",
}  # fmt: skip
"""Readouts whose healthy value was fitted, and the healthy fact (a column of the calibration ensemble) that
it was fitted to or that fixes it. Only their change is a result."""
