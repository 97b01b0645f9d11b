"""What is read from spectra and connectivity: bands, networks, graphs."""
