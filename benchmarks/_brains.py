"""Brains that the benchmarks share: the embedded one, and development folders where they exist."""

import os
from pathlib import Path

import numpy as np

from synsys.core.connectome import Connectome
from synsys.core.files import read_matrix
from synsys.data.embedded import load_embedded
from synsys.data.read import load_brain

DATA = Path(os.environ.get("SYNSYS_DEV_DATA", Path(__file__).resolve().parents[1].parent / "shared")) / "data"

SCHAEFER = """
name = "Schaefer-100"
[weights]
file = "{data}/maps_schaefer100/sc_enigma_114_log.csv"
transform = "exp"
[lengths]
file = "{data}/maps_schaefer100/tract_length_hcp706_100_mm.csv"
rows = "first"
[regions]
file = "{data}/maps_schaefer100/regions.csv"
[fc]
file = "{data}/maps_schaefer100/fc_enigma_114_z.csv"
transform = "tanh"
[[maps]]
file = "{data}/maps_schaefer100/receptors_pet.csv"
[[maps]]
file = "{data}/maps_schaefer100/gene_expression_ahba_r06.csv"
"""
DK82 = """
name = "DK-82"
[weights]
file = "{data}/maps_dk82/sc_enigma_82_log.csv"
transform = "exp"
[regions]
file = "{data}/maps_dk82/regions.csv"
network = "yeo7_lausanne"
[fc]
file = "{data}/maps_dk82/fc_enigma_82_z.csv"
transform = "tanh"
[[maps]]
file = "{data}/maps_dk82/receptors_pet.csv"
[[maps]]
file = "{data}/maps_dk82/gene_expression_key_genes.csv"
"""


def brains(folder: Path) -> dict[str, Connectome]:
    """Brains by name; descriptors of development folders are written into `folder`."""
    out = {"DK-84": load_embedded()}
    for name, text in (("Schaefer-100", SCHAEFER), ("DK-82", DK82)):
        if DATA.is_dir():
            path = folder / f"{name}.toml"
            path.write_text(text.format(data=DATA))
            out[name] = load_brain(path)
    return out


def other_fc(name: str) -> tuple[str, np.ndarray] | None:
    """A second empirical FC of the cortical (first) regions of a brain: (where from, matrix)."""
    files = {
        "Schaefer-100": ("HCP 706, cortex", "maps_schaefer100/fc_hcp706_100.csv"),
        "DK-82": ("Lausanne, cortex", "maps_dk82/fc_lausanne_68.csv"),
    }
    if name not in files:
        return None
    what, file = files[name]
    return what, read_matrix(DATA / file, None).values


__all__ = ["brains", "other_fc"]
