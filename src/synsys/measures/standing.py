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
"""Readouts that measure distance from health."""
