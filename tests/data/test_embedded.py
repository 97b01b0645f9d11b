"""The embedded brain: the committed file, its joins, and what is known of the human brain."""

import hashlib
import importlib.util
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from synsys.core.brainfiles import TORTUOSITY
from synsys.core.regions import DK_CORTEX, split_hemisphere, tidy_dk, tidy_network
from synsys.data import embedded
from synsys.data.embedded import load_embedded, load_manifest, load_surface
from synsys.knowledge.atlas import dk_networks, dk_parcels

HALF = 42
UPPER = np.triu_indices(2 * HALF, 1)


@pytest.fixture(scope="module")
def brain():
    return load_embedded()


@pytest.fixture(scope="module")
def builder(repository):
    spec = importlib.util.spec_from_file_location("build_brain", repository / "tools/build_brain.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def dk82(dev_data, brain):
    """ENIGMA's 82 regions, and their positions in the embedded brain, by name."""
    regions = pd.read_csv(dev_data / "data/maps_dk82/regions.csv")
    names = [f"{split_hemisphere(name)[0]}.{tidy_dk(name)}" for name in regions["name"]]
    assert len(set(names)) == 82
    return dev_data / "data/maps_dk82", regions, [brain.labels.index(name) for name in names]


def r(a, b):
    return np.corrcoef(np.ravel(a), np.ravel(b))[0, 1]


# The committed file


def test_file_is_the_one_in_the_manifest(builder):
    manifest = load_manifest()
    file = Path(embedded.__file__).with_name(manifest["file"])
    assert hashlib.sha256(file.read_bytes()).hexdigest() == manifest["sha256"]
    assert file.stat().st_size == manifest["bytes"] < 1.5e6
    with np.load(file, allow_pickle=False) as arrays:
        assert sorted(arrays.files) == sorted(manifest["arrays"])
        for name, entry in manifest["arrays"].items():
            array = arrays[name]
            assert (list(array.shape), array.dtype.str) == (entry["shape"], entry["dtype"])
            assert builder.digest(array) == entry["sha256"]


def test_every_part_has_a_licence_note_and_every_input_a_digest(repository):
    manifest = load_manifest()
    for note in manifest["licences"].values():
        assert "Uncertain" in (repository / note).read_text()
    assert all(len(digest) == 64 for digest in manifest["inputs"].values())


def test_writing_the_file_depends_on_the_arrays_only(builder, tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(["x", "yz"])}
    builder.write_npz(tmp_path / "1.npz", arrays)
    time.sleep(0.01)
    builder.write_npz(tmp_path / "2.npz", dict(reversed(arrays.items())))
    first, second = ((tmp_path / name).read_bytes() for name in ("1.npz", "2.npz"))
    assert first == second
    with np.load(tmp_path / "1.npz") as back:
        assert (back["a"] == arrays["a"]).all()
        assert back["b"].tolist() == ["x", "yz"]


def test_digest_sees_values_shape_and_type(builder):
    a = np.arange(6.0)
    others = [a + 1e-12, a.reshape(2, 3), a.astype(np.float32)]
    assert len({builder.digest(x) for x in (a, *others)}) == 4


def test_loads_in_under_50_ms(monkeypatch):
    seconds = []
    for _ in range(3):
        for loader in (load_embedded, load_manifest, embedded._arrays):
            loader.cache_clear()
        start = time.perf_counter()
        load_embedded()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05
    assert load_embedded() is load_embedded()


def test_arrays_cannot_be_overwritten(brain):
    for matrix in (brain.weights, brain.lengths, brain.fc):
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 1] = 1


# Regions


def test_84_regions_left_then_right(brain):
    regions = brain.regions
    counts = regions["structure"].value_counts().to_dict()
    assert counts.pop("cortex") == 68
    assert counts == dict(hippocampus=2, amygdala=2, thalamus=2, striatum=6, pallidum=2, cerebellum=2)
    assert brain.labels[HALF:] == ["R" + label[1:] for label in brain.labels[:HALF]]
    assert set(regions.loc[regions["structure"] == "cortex", "dk"]) == set(DK_CORTEX)
    assert (regions["dk"] == [label[2:] for label in brain.labels]).all()


def test_centroids_mirror_between_hemispheres(brain):
    centre = brain.regions[["x", "y", "z"]].to_numpy()
    assert (centre[:HALF, 0] < 0).all()
    assert (centre[HALF:, 0] > 0).all()
    assert np.linalg.norm(centre[:HALF] * (-1, 1, 1) - centre[HALF:], axis=1).max() < 10
    y, z = brain.regions["y"], brain.regions["z"]
    assert y["L.frontalpole"] > y["L.precentral"] > y["L.pericalcarine"]
    assert z["L.superiorparietal"] > z["L.insula"] > z["L.cerebellum"]


def test_parcel_centroids_of_the_network_table_are_those_of_the_volume(brain):
    for dk, parcel in dk_parcels().items():
        row = brain.regions.loc[f"R.{dk}"]
        assert np.linalg.norm([row["x"] - parcel.x, row["y"] - parcel.y, row["z"] - parcel.z]) < 10


def test_networks_are_those_of_the_table_and_cohere(brain):
    cortex = brain.regions["structure"] == "cortex"
    assert (brain.regions["dk"].map(dk_networks()).fillna("") == brain.regions["network"]).all()
    network = brain.regions.loc[cortex, "network"].to_numpy()
    fc = brain.fc[np.ix_(cortex, cortex)]
    same = network[:, None] == network[None]
    assert fc[same & ~np.eye(68, dtype=bool)].mean() > fc[~same].mean() + 0.1


# Connectivity: facts that fail if rows, columns or hemispheres were mixed up


def test_known_correlations_of_structure_and_function(brain):
    weights, fc = brain.weights[UPPER], brain.fc[UPPER]
    assert r(weights, fc) == pytest.approx(0.34, abs=0.005)
    assert r(np.log(weights), fc) == pytest.approx(0.456, abs=0.005)
    edge = brain.weights[brain.labels.index("L.cerebellum"), brain.labels.index("R.cerebellum")]
    assert edge / brain.weights.max() == pytest.approx(0.96, abs=0.005)


def test_homologous_regions_are_functionally_connected(brain):
    across = brain.fc[:HALF, HALF:]
    other = across[~np.eye(HALF, dtype=bool)]
    assert np.diag(across).mean() == pytest.approx(0.507, abs=0.005)
    assert other.mean() == pytest.approx(0.221, abs=0.005)
    cortex = across[:34, :34]
    assert (cortex.argmax(axis=1) == np.arange(34)).sum() >= 25  # the best partner is the homologue


def test_structural_connectivity_is_local_lateral_and_mirrored(brain):
    assert spearmanr(brain.weights[UPPER], brain.lengths[UPPER]).statistic < -0.5
    assert brain.weights[:HALF, :HALF].mean() > 5 * brain.weights[:HALF, HALF:].mean()
    half = np.triu_indices(HALF, 1)
    left, right = brain.weights[:HALF, :HALF][half], brain.weights[HALF:, HALF:][half]
    assert r(np.log(left), np.log(right)) > 0.95


def test_known_tracts_are_strong(brain):
    """Optic radiation, corticospinal neighbourhood, cingulum: each beats the median of its row."""
    for a, b in (("thalamus", "precentral"), ("precentral", "postcentral"), ("caudate", "thalamus"),
                 ("hippocampus", "parahippocampal"), ("pericalcarine", "lingual")):  # fmt: skip
        row = brain.weights[brain.labels.index(f"L.{a}"), :HALF]
        assert row[brain.labels.index(f"L.{b}")] > np.quantile(row, 0.8)


def test_tortuosity_default_is_that_of_the_embedded_tracts(brain):
    centre = brain.regions[["x", "y", "z"]].to_numpy()
    distance = np.linalg.norm(centre[:, None] - centre[None], axis=2)[UPPER]
    ratio = np.average(brain.lengths[UPPER] / distance, weights=brain.weights[UPPER])
    assert ratio == pytest.approx(TORTUOSITY, abs=0.01)


def test_agrees_by_name_with_enigma_and_better_than_with_hemispheres_swapped(brain, dk82):
    folder, _, index = dk82
    swapped = [i + HALF if i < HALF else i - HALF for i in index]
    upper = np.triu_indices(82, 1)
    fc = np.tanh(np.loadtxt(folder / "fc_enigma_82_z.csv", delimiter=","))[upper]
    sc = np.loadtxt(folder / "sc_enigma_82_log.csv", delimiter=",")[upper]
    ours, turned = (
        (brain.fc[np.ix_(k, k)][upper], np.log1p(brain.weights[np.ix_(k, k)][upper]))
        for k in (index, swapped)
    )
    assert r(ours[0], fc) > 0.99 > r(turned[0], fc)
    assert r(ours[1], sc) > 0.76
    assert r(ours[1], sc) > r(turned[1], sc)


def test_agrees_with_an_independent_cohort(brain, dk82):
    folder, _, index = dk82
    lausanne = np.loadtxt(folder / "fc_lausanne_68.csv", delimiter=",")
    upper = np.triu_indices(68, 1)
    fc = brain.fc[np.ix_(index[:68], index[:68])]
    assert r(fc[upper], lausanne[upper]) == pytest.approx(0.65, abs=0.01)


def test_networks_and_centroids_agree_with_other_estimates(brain, dk82):
    _, regions, index = dk82
    ours = brain.regions["network"].iloc[index[:68]].tolist()
    for column, least in (("yeo7_lausanne", 0.9), ("yeo7_majority_overlap", 0.85)):
        theirs = [tidy_network(name) for name in regions[column][:68]]
        assert np.mean([a == b for a, b in zip(ours, theirs, strict=True)]) > least
    centre = brain.regions[["x", "y", "z"]].to_numpy()[index]
    assert np.linalg.norm(centre - regions[["x_mni", "y_mni", "z_mni"]].to_numpy(), axis=1).max() < 8


# Expression


def test_expression_is_symmetric_and_missing_where_missing(brain):
    maps = brain.maps
    assert maps.shape == (84, 159)
    bare = maps.index[maps.isna().any(axis=1)].tolist()
    assert bare == ["L.cerebellum", "R.cerebellum"]
    assert maps.loc[bare].isna().all().all()
    left, right = maps.iloc[:41].to_numpy(), maps.iloc[HALF : HALF + 41].to_numpy()
    across_genes = [r(left[:, k], right[:, k]) for k in range(maps.shape[1])]
    assert np.median(across_genes) > 0.7
    own = [r(left[i], right[i]) for i in range(41)]
    others = [r(left[i], right[(i + 7) % 41]) for i in range(41)]
    assert np.median(own) > np.median(others) + 0.4


def test_expression_is_normalised_within_cortex_and_within_the_rest(brain):
    """Why the two must not be compared: no gene is richer in cortex than another, none richer outside."""
    cortex = brain.regions["structure"] == "cortex"
    within = brain.maps[cortex].mean()
    assert within.between(0.42, 0.58).all()
    assert within.std() < 0.15 * brain.maps[cortex].std().mean()
    assert brain.maps[~cortex].mean().mean() == pytest.approx(0.5, abs=0.06)


def test_parvalbumin_against_somatostatin_from_sensory_to_association_cortex(brain):
    """Anderson et al. 2020, Nat Commun 11:2889: the two transcripts oppose each other over cortex."""
    cortex = brain.regions["structure"] == "cortex"
    pvalb, sst = brain.maps.loc[cortex, "PVALB"], brain.maps.loc[cortex, "SST"]
    assert r(pvalb, sst) < -0.6
    bias = (pvalb - sst).groupby(brain.regions.loc[cortex, "network"]).mean()
    assert min(bias["SomMot"], bias["Vis"], bias["DorsAttn"]) > 0.2
    assert bias["Default"] < 0 < bias["SomMot"]
    assert bias.idxmin() == "Limbic"


def test_striatal_markers_are_striatal(brain):
    """Of the structures below the cortex, DARPP-32, D1 and D2 transcripts are richest in the striatum."""
    below = brain.regions["structure"].ne("cortex") & brain.regions["structure"].ne("cerebellum")
    for gene in ("PPP1R1B", "DRD1", "DRD2"):
        mean = brain.maps.loc[below, gene].groupby(brain.regions.loc[below, "structure"]).mean()
        assert mean.idxmax() == "striatum"
    mean = brain.maps.loc[below, "SLC17A6"].groupby(brain.regions.loc[below, "structure"]).mean()
    assert mean.idxmax() == "thalamus"  # vesicular glutamate transporter 2


def test_absent_genes_are_absent(brain):
    absent = load_manifest()["genes_absent"]
    assert "DISC1" in absent
    assert not set(absent) & set(brain.maps.columns)
    assert {"GRIN2B", "CACNA1C", "KCNN3", "KCNH2", "KCNQ2", "CACNA1H", "PVALB", "SST", "GAD1", "BDNF"} <= set(
        brain.maps.columns
    )


@pytest.mark.parametrize(
    ("gene", "tracer", "expected"),
    [("HTR1A", "5HT1a", 0.86), ("HTR2A", "5HT2a", 0.54), ("DRD2", "D2", 0.66), ("OPRM1", "MOR", 0.85),
     ("CNR1", "CB1", 0.74), ("CHRM1", "M1", 0.45), ("DRD1", "D1", 0.23), ("GRIN2B", "NMDA", -0.02)],
)  # fmt: skip
def test_expression_against_pet_density(brain, dk82, gene, tracer, expected):
    folder, _, index = dk82
    density = pd.read_csv(folder / "receptors_pet.csv", index_col=0)[tracer]
    assert r(brain.maps[gene].iloc[index[:68]], density) == pytest.approx(expected, abs=0.01)


# Surface


def test_surface_is_closed_and_labelled():
    surface = load_surface()
    faces = surface.faces
    edges = np.unique(np.sort(np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [0, 2]]])), axis=0)
    assert 10242 - len(edges) + len(faces) == 2  # Euler: a sphere
    for hemi, side in enumerate("LR"):
        points = surface.pial[hemi]
        a, b, c = (points[faces[:, k]] for k in range(3))
        volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
        assert 4e5 < volume < 6e5  # mm^3, positive: outward triangles
        named = surface.region[hemi][surface.region[hemi] >= 0]
        assert {surface.labels[k][0] for k in np.unique(named)} == {side}
        assert len(np.unique(named)) == 34
        assert 0.05 < (surface.region[hemi] < 0).mean() < 0.15  # the medial wall


def test_parcels_lie_at_their_centroids(brain):
    surface = load_surface()
    for i, label in enumerate(brain.labels):
        hemi = "LR".index(label[0])
        inside = surface.region[hemi] == i
        assert inside.sum() == surface.vertices[i]
        if inside.any():
            centre = brain.regions.loc[label, ["x", "y", "z"]].to_numpy(float)
            assert np.linalg.norm(surface.pial[hemi][inside].mean(axis=0) - centre) < 15


def test_normals_point_out_of_the_head():
    surface = load_surface()
    normal = dict(zip(surface.labels, surface.normal, strict=True))
    for side, out in (("L", -1), ("R", 1)):
        assert normal[f"{side}.middletemporal"][0] * out > 0.2
        assert normal[f"{side}.precuneus"][0] * out < -0.3  # medial wall
        assert normal[f"{side}.superiorparietal"][2] > 0.2
        assert normal[f"{side}.lateraloccipital"][1] < -0.2
        assert normal[f"{side}.frontalpole"][1] > 0.5
    length = np.linalg.norm(surface.normal, axis=1)
    cortical = surface.vertices > 0
    assert (length[cortical] < 1).all()
    assert np.isnan(length[~cortical]).all()
