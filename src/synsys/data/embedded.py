"""The brain that ships with synsys: 84 Desikan-Killiany regions, read from one committed file.

Built by ``tools/build_brain.py``; provenance, digests and licences are in ``brain_dk84.json`` beside it.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from synsys.core.connectome import Connectome

STEM = "brain_dk84"


@dataclass(frozen=True, eq=False)
class Surface:
    """The cortical surface of the embedded brain, for pictures and for an EEG lead field.

    Hemispheres are stacked left, right; both share their faces. Coordinates are fsaverage (MNI305), mm.

    Parameters
    ----------
    pial, inflated : ndarray, (2, V, 3)
        Vertex coordinates in mm.
    sulc : ndarray, (2, V)
        Sulcal depth (FreeSurfer convention: > 0 in sulci), for shading.
    faces : ndarray, (F, 3)
        Vertex indices of each triangle, outward orientation.
    region : ndarray, (2, V)
        Index into `labels` of the parcel of each vertex, -1 on the medial wall.
    labels : tuple of N str
        Region labels, in the order of the embedded connectome.
    normal : ndarray, (N, 3)
        Area-weighted mean of the outward unit normals of a parcel; its length, between 0 and 1, is how
        far the parcel's dipoles add up. NaN outside cortex.
    area : ndarray, (N,)
        Surface area of each parcel in mm^2 (area map shipped with fsaverage5); NaN outside cortex.
    vertices : ndarray, (N,)
        Number of vertices of each parcel; 0 outside cortex.
    """

    pial: np.ndarray
    inflated: np.ndarray
    sulc: np.ndarray
    faces: np.ndarray
    region: np.ndarray
    labels: tuple[str, ...]
    normal: np.ndarray
    area: np.ndarray
    vertices: np.ndarray


@cache
def load_embedded() -> Connectome:
    """The embedded brain; the same object on every call, so do not write into its arrays.

    Returns
    -------
    Connectome
        N = 84: 34 cortical and 7 subcortical regions and the cerebellum of the left, then of the right
        hemisphere, labelled ``L.superiorfrontal``, ``R.thalamus`` and so on. Weights are tractography
        weights as published (scale them), lengths are in mm, `fc` is a group average with unit
        diagonal, `maps` is expression of 159 genes (NaN in the cerebellum).

    Notes
    -----
    Expression is 0-1 per gene, normalised by its source *within cortex and within the rest apart* (the
    mean over cortex is close to 0.5 for every gene, however cortical the gene). Compare regions within
    cortex, or within the rest; a difference between the two means nothing.
    """
    import pandas as pd

    arrays = _arrays()
    labels = pd.Index(arrays["label"].tolist(), name="label")
    x, y, z = arrays["centroid"].T.astype(float)
    names = ("hemisphere", "structure", "network", "dk")
    columns: dict[str, Any] = {name: arrays[name].tolist() for name in names}
    regions = pd.DataFrame(
        {**columns, "x": x, "y": y, "z": z}, index=labels,
    )[["hemisphere", "structure", "x", "y", "z", "network", "dk"]]  # fmt: skip
    maps = pd.DataFrame(arrays["expression"].astype(float), index=labels, columns=arrays["gene"].tolist())
    fc = _square(arrays["fc_upper"], len(labels))
    np.fill_diagonal(fc, 1.0)
    brain = Connectome(
        name="DK-84",
        weights=_square(arrays["weights_upper"], len(labels)),
        lengths=_square(arrays["lengths_upper"], len(labels)),
        regions=regions,
        maps=maps,
        fc=fc,
        provenance=_provenance(),
    )
    for array in (brain.weights, brain.lengths, fc):
        array.setflags(write=False)
    return brain


@cache
def load_surface() -> Surface:
    """The fsaverage5 surface of the embedded brain with the parcel of each vertex.

    Returns
    -------
    Surface
        V = 10242 vertices and F = 20480 faces per hemisphere.
    """
    from_10_micrometres = 0.01
    arrays = _arrays()
    region = arrays["surface_region"].astype(np.int16)
    return Surface(
        pial=arrays["surface_pial"] * from_10_micrometres,
        inflated=arrays["surface_inflated"] * from_10_micrometres,
        sulc=arrays["surface_sulc"] / 60.0,
        faces=arrays["surface_faces"].astype(np.int32),
        region=np.where(region == 255, np.int16(-1), region),
        labels=tuple(arrays["label"].tolist()),
        normal=arrays["parcel_normal"].astype(float),
        area=arrays["parcel_area"].astype(float),
        vertices=arrays["parcel_vertices"],
    )


@cache
def load_manifest() -> dict[str, Any]:
    """Provenance, digests, citations and licences of the embedded brain."""
    text = (resources.files("synsys.data") / f"{STEM}.json").read_text(encoding="utf-8")
    manifest: dict[str, Any] = json.loads(text)
    return manifest


class _Lazy(dict[str, np.ndarray]):
    """Arrays of the committed file, each decompressed when first asked for."""

    def __missing__(self, name: str) -> np.ndarray:
        source = resources.files("synsys.data") / f"{STEM}.npz"
        with resources.as_file(source) as path, np.load(path, allow_pickle=False) as file:
            self[name] = file[name]
        return self[name]


@cache
def _arrays() -> _Lazy:
    return _Lazy()


def _square(upper: np.ndarray, n: int) -> np.ndarray:
    """Symmetric (n, n) matrix with zero diagonal from its upper triangle."""
    matrix = np.zeros((n, n))
    matrix[np.triu_indices(n, 1)] = upper
    return matrix + matrix.T


def _provenance() -> dict[str, str]:
    manifest = load_manifest()
    return {
        "file": manifest["file"],
        "sha256": manifest["sha256"],
        "inputs": "; ".join(manifest["inputs"]),
        "citations": "; ".join(manifest["citations"]),
        "licences": "; ".join(f"{what}: {where}" for what, where in manifest["licences"].items()),
    }
