"""Regions coupled through the connectome: operating point, stability, spectra, BOLD, EEG."""
