"""The slow clock of a region: signaling, immune, metabolic, epigenetic and developmental dynamics."""
