"""Derive ``knowledge/tables/dk_networks.csv``: the Yeo-7 network of each Desikan-Killiany parcel.

    python tools/build_dk_networks.py BRAINSPACE.whl IMAGING_TRANSCRIPTOMICS.whl

Yeo et al. 2011 (J Neurophysiol 106:1125) networks are taken at the resolution of the Schaefer et al.
2018 (Cereb Cortex 28:3095) 400-parcel atlas, which carries them parcel by parcel and ships on the
conte69 32k surface in the brainspace wheel. Each fsaverage5 vertex (mid-thickness, moved from MNI305 to
MNI152) takes the network of the nearest conte69 vertex, and its surface area counts towards its parcel
of the aparc annotation in the imaging-transcriptomics wheel. The network of a parcel is the one with the
largest share of area **over both hemispheres**, so that homologous regions share a network; the shares
of the two hemispheres apart are kept beside it. x, y, z is the centroid in the right hemisphere (MNI152
mm, mean of right and mirrored left).
"""

import argparse
import csv
import io
import sys
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
from build_brain import CORTEX, NETWORK_TABLE, annotation, mesh
from scipy.spatial import cKDTree

NETWORKS = ("Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default")
LAST_PARCEL = {  # last Schaefer-400 parcel of each network, per hemisphere (7Networks_order of the atlas)
    "L": (31, 68, 91, 113, 126, 148, 200),
    "R": (230, 270, 293, 318, 331, 361, 400),
}
MNI305_TO_MNI152 = np.array(  # FreeSurfer's published affine
    [
        [0.9975, -0.0073, 0.0176, -0.0429],
        [0.0146, 1.0009, -0.0024, 1.5496],
        [-0.0130, -0.0093, 0.9971, 1.1840],
    ]
)
SOURCE = (
    "area majority of Yeo et al. 2011 networks as carried by the Schaefer et al. 2018 400-parcel atlas, "
    "on the aparc annotation of fsaverage5 (tools/build_dk_networks.py)"
)


def shares(brainspace: zipfile.ZipFile, transcriptomics: zipfile.ZipFile) -> dict[str, dict[str, np.ndarray]]:
    """Area (mm^2) of each network within each parcel, then its centroid: parcel -> hemisphere -> (10,)."""
    text = brainspace.read("brainspace/datasets/parcellations/schaefer_400_conte69.csv").decode()
    parcels = np.loadtxt(io.StringIO(text)).astype(int).reshape(2, -1)
    found: dict[str, dict[str, np.ndarray]] = {}
    for hemi, parcel in zip("LR", parcels, strict=True):
        name = f"brainspace/datasets/surfaces/conte69_32k_{hemi.lower()}h.gii"
        conte69 = nib.GiftiImage.from_bytes(brainspace.read(name)).darrays[0].data
        network = np.where(parcel > 0, np.searchsorted(LAST_PARCEL[hemi], parcel), -1)
        area = mesh("area", hemi)[0]
        middle = (mesh("white", hemi)[0] + mesh("pial", hemi)[0]) / 2 @ MNI305_TO_MNI152[
            :, :3
        ].T + MNI305_TO_MNI152[:, 3]
        nearest = network[cKDTree(conte69).query(middle)[1]]
        parcel_of = annotation(transcriptomics, hemi)
        for dk in CORTEX:
            inside = parcel_of == dk
            by_network = [area[inside & (nearest == n)].sum() for n in range(7)]
            centroid = area[inside] @ middle[inside] / area[inside].sum()
            found.setdefault(dk, {})[hemi] = np.concatenate([by_network, centroid])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("brainspace", type=zipfile.ZipFile)
    parser.add_argument("imaging_transcriptomics", type=zipfile.ZipFile)
    parser.add_argument("--out", type=Path, default=NETWORK_TABLE)
    args = parser.parse_args()
    with args.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["dk", "network", "share", "left", "left_share", "right", "right_share", "x", "y", "z",
                        "source"])  # fmt: skip
        for dk, found in shares(args.brainspace, args.imaging_transcriptomics).items():
            left, right, row = found["L"], found["R"], [dk]
            for share in (left[:7] + right[:7], left[:7], right[:7]):
                best = int(share.argmax())
                row += [NETWORKS[best], f"{share[best] / share.sum():.2f}"]
            centroid = (left[7:] * (-1, 1, 1) + right[7:]) / 2
            table.writerow([*row, *(f"{c:.0f}" for c in centroid), SOURCE])
    return 0


if __name__ == "__main__":
    sys.exit(main())
