"""A user's brain from a folder or a brain.toml."""

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from synsys.core.errors import UserError
from synsys.data.embedded import load_embedded
from synsys.data.read import load_brain
from synsys.knowledge.atlas import dk_networks, resolve_where


@pytest.fixture
def folder(tmp_path):
    """The embedded brain written out the way a user might have it."""
    brain = load_embedded()
    brain.regions.to_csv(tmp_path / "regions.csv")
    pd.DataFrame(brain.weights, brain.labels, brain.labels).to_csv(tmp_path / "weights.csv")
    np.save(tmp_path / "lengths.npy", brain.lengths)
    return tmp_path


def test_embedded_brain_survives_a_round_trip(folder):
    brain, ours = load_embedded(), load_brain(folder)
    np.savetxt(folder / "fc.tsv", brain.fc, delimiter="\t", fmt="%.17g")
    (folder / "maps").mkdir()
    brain.maps[["PVALB"]].to_csv(folder / "maps" / "a.csv")
    brain.maps[["SST"]].dropna().to_csv(folder / "maps" / "b.csv")
    ours = load_brain(folder)
    assert ours.labels == brain.labels
    assert (ours.weights == brain.weights).all()
    assert (ours.lengths == brain.lengths).all()
    assert (ours.fc == brain.fc).all()
    pd.testing.assert_frame_equal(ours.regions, brain.regions, check_dtype=False)
    pd.testing.assert_frame_equal(ours.maps, brain.maps[["PVALB", "SST"]], check_names=False)


def test_shuffled_regions_shuffle_everything_alike(folder):
    """Files with labels follow the regions table; the unlabelled one must be in its order already."""
    brain = load_embedded()
    order = np.random.default_rng(3).permutation(len(brain))
    brain.regions.iloc[order].to_csv(folder / "regions.csv")
    np.save(folder / "lengths.npy", brain.lengths[np.ix_(order, order)])
    ours = load_brain(folder)
    assert ours.labels == [brain.labels[k] for k in order]
    assert (ours.weights == brain.weights[np.ix_(order, order)]).all()
    assert (ours.lengths == brain.lengths[np.ix_(order, order)]).all()


def test_networks_are_filled_from_the_dk_parcel(folder):
    load_embedded().regions.drop(columns="network").to_csv(folder / "regions.csv")
    ours = load_brain(folder)
    assert ours.regions["network"].tolist() == load_embedded().regions["network"].tolist()
    assert ours.provenance["networks"].startswith("68 taken")
    mixed = load_embedded().regions.assign(network="")
    mixed.loc["L.cuneus", "network"] = "Default"
    mixed.to_csv(folder / "regions.csv")
    filled = load_brain(folder).regions["network"]
    assert filled["L.cuneus"] == "Default"
    assert filled["R.cuneus"] == dk_networks()["cuneus"]
    assert filled["L.thalamus"] == ""


def test_descriptor_in_the_folder_names_files(folder):
    brain = load_embedded()
    savemat(folder / "all.mat", {"sc": np.log1p(brain.weights), "len": brain.lengths / 10})
    (folder / "brain.toml").write_text(
        """
        name = "mine"
        [weights]
        file = "all.mat"
        key = "sc"
        transform = "expm1"
        [lengths]
        file = "all.mat"
        key = "len"
        unit = "cm"
        [regions]
        file = "regions.csv"
        """
    )
    ours = load_brain(folder)
    assert ours.name == "mine"
    assert ours.weights == pytest.approx(brain.weights)
    assert ours.lengths == pytest.approx(brain.lengths)
    assert load_brain(folder / "brain.toml").name == "mine"


def test_a_folder_that_is_no_brain_says_what_is_expected(tmp_path):
    with pytest.raises(UserError, match="no such folder; expected weights"):
        load_brain(tmp_path / "absent")
    with pytest.raises(
        UserError, match=r"no weights\.\* and no regions\.\*; expected.*brain\.toml.*found: not"
    ):
        load_brain(tmp_path)
    (tmp_path / "regions.csv").write_text("label,structure\n")
    with pytest.raises(UserError, match=r"no weights\.\*; expected.*found: regions\.csv"):
        load_brain(tmp_path)
    with pytest.raises(UserError, match="not a single file"):
        load_brain(tmp_path / "regions.csv")
    for suffix in ("csv", "npy"):
        (tmp_path / f"weights.{suffix}").write_text("0")
    with pytest.raises(UserError, match=r"several weights\.\* \(weights\.csv, weights\.npy\); keep one"):
        load_brain(tmp_path)


@pytest.mark.parametrize("name", ["maps_schaefer100", "maps_dk82"])
def test_development_folders_lack_a_descriptor_and_say_so(dev_data, name):
    with pytest.raises(UserError, match=rf"{name}: no weights\.\*; expected .*brain\.toml.*; found: .*csv"):
        load_brain(dev_data / "data" / name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[weights", "not TOML"),
        ("[wieghts]\nfile = 'a'", "unknown section 'wieghts'; did you mean weights"),
        ("[weights]\nfile = 'weights.csv'", r"no section \[regions\]"),
        ("[weights]\ntransform = 'exp'", r"\[weights\] names no file"),
        ("[weights]\nfile = 'a'\ntrasform = 'exp'", "'trasform'; did you mean transform"),
        ("weights = 'weights.csv'", r"must be written as \[weights\]"),
        ("[maps]\nfile = 'a'", r"must be written as \[\[maps\]\]"),
        ("[weights]\nfile = 'gone.csv'\n[regions]\nfile = 'regions.csv'", r"gone\.csv: no such file"),
    ],
)
def test_malformed_descriptors(folder, text, message):
    (folder / "brain.toml").write_text(text)
    with pytest.raises(UserError, match=message):
        load_brain(folder)


SCHAEFER = """
name = "Schaefer-100"
[weights]
file = "{data}/sc_enigma_114_log.csv"
transform = "exp"
[lengths]
file = "{data}/tract_length_hcp706_100_mm.csv"
rows = "first"
[regions]
file = "{data}/regions.csv"
[fc]
file = "{data}/fc_enigma_114_z.csv"
transform = "tanh"
[[maps]]
file = "{data}/receptors_pet.csv"
zscore = true
prefix = "pet_"
[[maps]]
file = "{data}/gene_expression_ahba_r06.csv"
columns = ["CACNA1H", "PVALB"]
"""


def test_schaefer100(dev_data, tmp_path):
    data = dev_data / "data/maps_schaefer100"
    (tmp_path / "brain.toml").write_text(SCHAEFER.format(data=data))
    brain = load_brain(tmp_path)
    assert (brain.name, len(brain)) == ("Schaefer-100", 114)
    counts = brain.regions["structure"].value_counts().to_dict()
    assert counts == dict(cortex=100, striatum=6, thalamus=2, hippocampus=2, amygdala=2, pallidum=2)
    named = brain.regions.iloc[:100]
    assert (named["network"] == [label.split("_")[2] for label in named.index]).all()
    raw = np.loadtxt(data / "sc_enigma_114_log.csv", delimiter=",")
    assert ((brain.weights == 0) == (raw == 0)).all()  # a negative log weight is a weak connection
    assert (brain.weights[raw < 0] < 1).all()
    assert (raw < 0).any()
    assert brain.weights[raw > 0].min() > 1
    tracts = np.loadtxt(data / "tract_length_hcp706_100_mm.csv", delimiter=",")
    assert (brain.lengths[:100, :100][tracts > 0] == tracts[tracts > 0]).all()
    assert (brain.lengths[~np.eye(114, dtype=bool)] > 0).all()  # no connection without a delay
    z = np.loadtxt(data / "fc_enigma_114_z.csv", delimiter=",")
    off = ~np.eye(114, dtype=bool)
    assert brain.fc[off] == pytest.approx(np.tanh(z[off]))
    assert brain.maps.filter(like="pet_").shape == (114, 19)
    assert brain.maps["pet_D2"].isna().tolist() == [False] * 100 + [True] * 14
    assert brain.maps["pet_D2"].std(ddof=0) == pytest.approx(1)
    assert brain.maps["PVALB"].notna().all()
    for locus in ("dlPFC", "vmPFC", "OFC", "ACC", "sgACC", "insula", "precuneus", "amygdala", "hubs", "CEN"):
        found = resolve_where(brain.regions, locus)
        hemispheres = set(brain.regions.loc[found, "hemisphere"])
        assert hemispheres == {"L", "R"}


DK82 = """
[weights]
file = "{data}/sc_enigma_82_log.csv"
transform = "exp"
[regions]
file = "{data}/regions.csv"
network = "yeo7_lausanne"
[fc]
file = "{data}/fc_enigma_82_z.csv"
transform = "tanh"
[[maps]]
file = "{data}/receptors_pet.csv"
[[maps]]
file = "{data}/gene_expression_key_genes.csv"
"""


def test_dk82(dev_data, tmp_path):
    (tmp_path / "dk82.toml").write_text(DK82.format(data=dev_data / "data/maps_dk82"))
    brain = load_brain(tmp_path / "dk82.toml")
    assert (brain.name, len(brain)) == ("maps_dk82", 82)
    assert brain.regions.loc["L_bankssts", ["dk", "network"]].tolist() == ["bankssts", "Default"]
    assert brain.regions.loc["Rthal", ["structure", "hemisphere"]].tolist() == ["thalamus", "R"]
    assert brain.maps["D2"].isna().sum() == 14
    assert brain.maps["DRD2"].notna().all()
    embedded = load_embedded()
    ours = embedded.maps["DRD2"][[f"{row.hemisphere}.{row.dk}" for row in brain.regions.itertuples()]]
    assert ours.to_numpy() == pytest.approx(brain.maps["DRD2"].to_numpy(), abs=1e-4)
    assert brain.regions["network"].ne("").sum() == 68
