"""Spellings of regions in the wild."""

import pandas as pd
import pytest

from synsys.core.connectome import NETWORKS
from synsys.core.errors import UserError
from synsys.core.regions import (
    DK_CORTEX,
    DK_SUBCORTEX,
    split_hemisphere,
    tidy_dk,
    tidy_network,
    tidy_regions,
)


@pytest.mark.parametrize(
    ("spellings", "network"),
    [
        ("VIS Visual vis", "Vis"),
        ("SMN Somatomotor SomMot sensorimotor", "SomMot"),
        ("DAN DorsAttn DorsalAttention dorsal_attention", "DorsAttn"),
        ("VAN SAL SalVentAttn SalienceVentralAttention ventral-attention Salience", "SalVentAttn"),
        ("LIM Limbic", "Limbic"),
        ("FPN CONT Cont Frontoparietal CEN control", "Cont"),
        ("DMN Default DefaultMode default_mode_network", "Default"),
    ],
)
def test_network_spellings(spellings, network):
    assert {tidy_network(s) for s in spellings.split()} == {network}


def test_network_names_are_fixed_points_and_others_are_refused():
    assert tuple(tidy_network(name) for name in NETWORKS) == NETWORKS
    with pytest.raises(UserError, match="unknown network 'Defualt'; did you mean Default"):
        tidy_network("Defualt")


@pytest.mark.parametrize(
    ("label", "side", "dk"),
    [
        ("L_bankssts", "L", "bankssts"), ("ctx-rh-superiorfrontal", "R", "superiorfrontal"),
        ("lh_insula", "L", "insula"), ("R.caudalmiddlefrontal", "R", "caudalmiddlefrontal"),
        ("Left-Thalamus-Proper", "L", "thalamus"), ("Right-Accumbens-area", "R", "accumbens"),
        ("Laccumb", "L", "accumbens"), ("Rhippo", "R", "hippocampus"), ("Lpal", "L", "pallidum"),
        ("Left-Cerebellum-Cortex", "L", "cerebellum"), ("7Networks_LH_Vis_1", "", ""),
        ("Rubbish", "", ""), ("lingual", "", "lingual"), ("caudate", "", "caudate"),
    ],
)  # fmt: skip
def test_labels_in_the_wild(label, side, dk):
    assert split_hemisphere(label)[0] == side
    assert tidy_dk(label) == dk


def test_dk_names_are_fixed_points():
    for name in (*DK_CORTEX, *DK_SUBCORTEX):
        assert tidy_dk(name) == tidy_dk(f"L_{name}") == tidy_dk(f"rh.{name}") == name


def table(**columns):
    return pd.DataFrame({k: [str(x) for x in v] for k, v in columns.items()}, dtype=object)


def test_structure_from_the_label_and_hemisphere_from_the_prefix():
    tidy = tidy_regions(
        table(name=["L_insula", "Lput", "Rthal"], structure=["cortex", *["subcortex"] * 2]), "r"
    )
    assert tidy["structure"].tolist() == ["cortex", "striatum", "thalamus"]
    assert tidy["hemisphere"].tolist() == ["L", "L", "R"]
    assert tidy["dk"].tolist() == ["insula", "putamen", "thalamus"]
    assert tidy[["x", "y", "z"]].isna().all().all()


def test_structure_spelled_out():
    tidy = tidy_regions(
        table(label=["a", "b"], hemisphere=["left", "B"], structure=["Caudate", "Cerebellum-Cortex"]), "r"
    )
    assert tidy["structure"].tolist() == ["striatum", "cerebellum"]
    assert tidy["dk"].tolist() == ["caudate", "cerebellum"]
    assert tidy["hemisphere"].tolist() == ["L", "B"]


def test_structure_of_its_own_keeps_no_foreign_dk():
    tidy = tidy_regions(table(label=["L_str", "L_insula"], structure=["striatum", "striatum"]), "r")
    assert tidy["dk"].tolist() == ["", ""]


def test_chosen_column_wins():
    columns = table(label=["L_x"], structure=["cortex"], network=["Vis"], other=["DMN"], dk=["L_insula"])
    assert tidy_regions(columns, "r")["network"].item() == "Vis"
    assert tidy_regions(columns, "r", {"network": "other"})["network"].item() == "Default"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": ["L_x"]}, "r: no column 'structure'"),
        ({"structure": ["cortex"], "hemi": ["L"]}, "r: no column 'label'"),
        ({"label": ["x"], "structure": ["cortex"]}, "no hemisphere column, and the label x"),
        ({"label": ["L_x", "L_x"], "structure": ["cortex"] * 2}, "labels must be unique; repeated: L_x"),
        ({"label": ["L_x"], "structure": ["brainstem"]}, "r: unknown structure of region L_x 'brainstem'"),
        ({"label": ["L_x"], "structure": ["subcortex"]}, "unknown structure of region L_x 'subcortex'"),
        ({"label": ["L_x"], "structure": ["cortex"], "network": ["DNM"]}, "network of region L_x 'DNM'"),
        ({"label": ["L_x"], "structure": ["cortex"], "dk": ["insulla"]}, "dk of region L_x 'insulla'; did"),
        ({"label": ["L_x"], "structure": ["cortex"], "hemi": ["Q"]}, "hemisphere of region L_x 'Q'"),
        ({"label": ["L_x"], "structure": ["cortex"], "x": ["a"]}, "x of region L_x is 'a', not a number"),
        ({"label": ["L_x"], "structure": ["cortex"], "x": ["5000"]}, "5000; centroids are in MNI mm"),
    ],
)
def test_errors_name_file_and_region(columns, message):
    with pytest.raises(UserError, match=message):
        tidy_regions(table(**columns), "r")


def test_chosen_columns_must_exist():
    good = table(label=["L_x"], structure=["cortex"])
    with pytest.raises(UserError, match="unknown column of a regions table 'networks'; did you mean network"):
        tidy_regions(good, "r", {"networks": "label"})
    with pytest.raises(UserError, match="r: unknown column 'yeo'"):
        tidy_regions(good, "r", {"network": "yeo"})
