"""Loci, networks and loops: every place the review names is found, in any parcellation."""

import numpy as np
import pandas as pd
import pytest

from synsys.core.connectome import NETWORKS
from synsys.core.errors import UserError
from synsys.core.regions import DK_CORTEX
from synsys.data.embedded import load_embedded
from synsys.knowledge.atlas import (
    describe_where,
    dk_networks,
    dk_parcels,
    loci,
    resolve_pair,
    resolve_where,
)


@pytest.fixture(scope="module")
def regions():
    return load_embedded().regions


def names(regions, text):
    return set(regions.index[resolve_where(regions, text)])


def both(*dk):
    return {f"{side}.{name}" for name in dk for side in "LR"}


REQUIRED = (  # requirement KN-10
    "dlPFC", "vmPFC", "OFC", "ACC", "sgACC", "insula", "precuneus", "amygdala", "hippocampus", "thalamus",
    "striatum", "NAc", "nucleus accumbens", "ventral capsule", "PFC", "DMN", "SN", "CEN", "FPN", "SMN",
    "VIS", "DAN", "limbic", "salience", "sensorimotor", "fronto-limbic", "fronto-striatal",
    "thalamo-cortical",
)  # fmt: skip


@pytest.mark.parametrize("name", REQUIRED)
def test_every_required_place_is_found_in_both_hemispheres(regions, name):
    found = resolve_where(regions, name)
    assert found.shape == (84,)
    assert found.dtype == bool
    assert set(regions.loc[found, "hemisphere"]) == {"L", "R"}
    assert found[:42].tolist() == found[42:].tolist()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dlPFC", both("rostralmiddlefrontal", "caudalmiddlefrontal")),
        ("ACC", both("rostralanteriorcingulate", "caudalanteriorcingulate")),
        ("sgACC", both("rostralanteriorcingulate")),
        ("OFC", both("lateralorbitofrontal", "medialorbitofrontal")),
        ("striatum", both("caudate", "putamen", "accumbens")),
        ("NAc", both("accumbens")),
        ("ventral capsule", both("accumbens")),
        ("limbic structures", both("amygdala", "hippocampus")),
        ("superiorfrontal", both("superiorfrontal")),
        ("L.superiorfrontal", {"L.superiorfrontal"}),
        ("R.dlPFC", {"R.rostralmiddlefrontal", "R.caudalmiddlefrontal"}),
        ("left amygdala", {"L.amygdala"}),
        ("rh_thalamus", {"R.thalamus"}),
    ],
)
def test_what_names_mean(regions, name, expected):
    assert names(regions, name) == expected


def test_hubs_are_the_four_of_the_review(regions):
    parts = [names(regions, hub) for hub in ("precuneus", "ACC", "insula", "dlPFC")]
    assert names(regions, "hubs") == set.union(*parts)
    assert len(names(regions, "hubs")) == 12


def test_networks_partition_the_cortex(regions):
    masks = [resolve_where(regions, name) for name in ("VIS", "SMN", "DAN", "SN", "limbic", "CEN", "DMN")]
    assert (np.sum(masks, axis=0) == (regions["structure"] == "cortex")).all()
    for name, mask in zip(NETWORKS, masks, strict=True):
        assert (resolve_where(regions, name) == mask).all()


def test_spelling_does_not_matter(regions):
    for spellings in (
        ("dlPFC", "DLPFC", "dlpfc", "dorsolateral prefrontal cortex", "Dorsolateral-Prefrontal_Cortex"),
        ("DMN", "dmn", "default mode", "Default", "default mode network"),
        ("CEN", "FPN", "executive", "central executive network", "Cont"),
        ("SN", "salience network", "SalVentAttn"),
        ("L.insula", "l.insula", "L_insula", "lh.insula", "left insula"),
    ):
        assert len({tuple(resolve_where(regions, s)) for s in spellings}) == 1


def test_every_name_and_alias_resolves(regions):
    for row in loci():
        for name in (row.name, *row.aliases):
            assert resolve_where(regions, name).any()


def test_a_region_label_wins_over_a_locus(regions):
    renamed = regions.rename(index={"L.cuneus": "DMN"})
    assert names(renamed, "DMN") == {"DMN"}


@pytest.mark.parametrize(
    ("loop", "first", "second"),
    [
        ("fronto-limbic", "PFC", "limbic structures"),
        ("frontolimbic", "PFC", "limbic structures"),
        ("fronto-striatal", "PFC", "striatum"),
        ("thalamo-cortical", "thalamus", "cortex"),
        ("dlPFC--amygdala", "dlPFC", "amygdala"),
        ("L.dlPFC--R.amygdala", "L.dlPFC", "R.amygdala"),
        ("L.fronto-striatal", "L.PFC", "L.striatum"),
    ],
)
def test_pairs(regions, loop, first, second):
    a, b = resolve_pair(regions, loop)
    assert (a == resolve_where(regions, first)).all()
    assert (b == resolve_where(regions, second)).all()
    assert not (a & b).any()


def test_a_loop_as_a_place_is_both_its_ends(regions):
    a, b = resolve_pair(regions, "fronto-limbic")
    assert (resolve_where(regions, "fronto-limbic") == (a | b)).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dlPCF", "unknown region or network 'dlPCF'; did you mean dlPFC"),
        ("amygdla", "did you mean amygdala"),
        ("L.superiorfrontl", "did you mean L.superiorfrontal"),
        ("", "unknown region or network ''"),
    ],
)
def test_unknown_places(regions, text, message):
    with pytest.raises(UserError, match=message):
        resolve_where(regions, text)


def test_unknown_pairs(regions):
    with pytest.raises(UserError, match="unknown loop 'fronto-parietl'"):
        resolve_pair(regions, "fronto-parietl")
    with pytest.raises(UserError, match="'dlPFC' is one place, not two"):
        resolve_pair(regions, "dlPFC")
    with pytest.raises(UserError, match="did you mean amygdala"):
        resolve_pair(regions, "dlPFC--amygdla")


def test_a_brain_without_the_place_says_so(regions):
    cortex = regions[regions["structure"] == "cortex"]
    with pytest.raises(
        UserError, match="this brain has no region for amygdala; its 68 regions are of cortex"
    ):
        resolve_where(cortex, "amygdala")
    with pytest.raises(UserError, match="no region for NAc"):
        resolve_where(cortex, "nucleus accumbens")
    with pytest.raises(UserError, match="no region for amygdala"):
        resolve_pair(cortex, "amygdala-prefrontal")
    left = regions[regions["hemisphere"] == "L"]
    with pytest.raises(UserError, match="no region for dlPFC in the right hemisphere"):
        resolve_where(left, "R.dlPFC")
    assert names(left, "dlPFC") == {"L.rostralmiddlefrontal", "L.caudalmiddlefrontal"}


def test_nearest_parcels_stand_in_and_are_named(regions):
    """Without a cingulate parcel, the nearest cortical parcel of the same hemisphere is taken."""
    coarse = regions[~regions["dk"].isin(["rostralanteriorcingulate"])]
    found = coarse[resolve_where(coarse, "sgACC")]
    assert set(found["hemisphere"]) == {"L", "R"}
    assert (found["structure"] == "cortex").all()
    assert "no parcel of its own in L, stands in: L." in describe_where(coarse, "sgACC")
    assert "stands in" not in describe_where(regions, "sgACC")
    far = coarse.assign(x=coarse["x"] * 3, y=coarse["y"] + 100)
    with pytest.raises(UserError, match="no region for sgACC"):
        resolve_where(far, "sgACC")


def test_an_undivided_striatum_stands_in_for_its_parts():
    regions = pd.DataFrame(
        {"hemisphere": ["L", "R", "L"], "structure": ["striatum", "striatum", "thalamus"], "x": np.nan,
         "y": np.nan, "z": np.nan, "network": "", "dk": ["", "", "thalamus"]},
        index=["L.str", "R.str", "L.th"],
    )  # fmt: skip
    assert names(regions, "NAc") == {"L.str", "R.str"}
    assert "stands in: L.str" in describe_where(regions, "NAc")


def test_notes_are_told(regions):
    assert "adjoining nucleus accumbens" in describe_where(regions, "ventral capsule")
    assert describe_where(regions, "R.insula") == "R.insula: R.insula"


def test_networks_of_parcels():
    networks = dk_networks()
    assert set(networks) == set(DK_CORTEX)
    assert set(networks.values()) == set(NETWORKS)
    known = {
        "pericalcarine": "Vis", "precentral": "SomMot", "superiorparietal": "DorsAttn",
        "insula": "SalVentAttn", "temporalpole": "Limbic", "rostralmiddlefrontal": "Cont",
        "rostralanteriorcingulate": "Default", "isthmuscingulate": "Default",
    }  # fmt: skip
    assert {dk: networks[dk] for dk in known} == known
    for parcel in dk_parcels().values():
        assert 0.38 < parcel.share <= 1
        assert parcel.x > 0


def test_every_row_has_a_source_and_every_locus_a_parcel():
    for row in loci():
        assert row.source
        assert row.dk or row.structures or row.networks or row.members
