"""Signaling: the slow network inside and between cells, and its development."""
