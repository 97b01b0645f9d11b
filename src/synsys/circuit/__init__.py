"""The population equation of one region and its templates."""
