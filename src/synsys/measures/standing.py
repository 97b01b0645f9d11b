"""What a readout counts for: restated inputs, distances from health, calibrated quantities."""

RESTATED = {
    "neurotransmitter_release": {"glutamate_release"},
    "synaptic_strength": {"ampa_conductance", "nmda_conductance", "glutamate_release", "spine_density"},
    "nmda_drive_to_pv": {"nmda_conductance"},
    "pv_interneuron_function": {
        "gaba_release", "gad1_expression", "pv_interneuron_density", "gabaa_pv_conductance",
        "gabaa_conductance",
    },
}  # fmt: skip
"""Readouts that restate a conductance: wired, not emergent, where it was moved."""
DISTANCES = ("network_dysconnectivity", "circuit_integrity")
"""Readouts that measure distance from health: every healthy person is at distance 0 from their own health,
so between people they have no spread, and no d."""
HELD = "healthy rate"
"""What a readout is called calibrated to if the background holds it at the template's healthy rate."""
CALIBRATED = {
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
