"""Synaptic plasticity driven by calcium: protocols, memory under background activity, LTP and LTD probes."""
