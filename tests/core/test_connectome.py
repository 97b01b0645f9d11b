"""The connectome record and its assembly from files, joined by region name."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synsys.core.connectome import Connectome, check_matrix
from synsys.core.errors import UserError

LABELS = ["L.insula", "L.cuneus", "R.insula", "R.thalamus"]
W = np.array([[0, 2, 1, 3], [2, 0, 0, 4], [1, 0, 0, 5], [3, 4, 5, 0.0]])
D = np.array([[0, 40, 70, 60], [40, 0, 0, 50], [70, 0, 0, 45], [60, 50, 45, 0.0]])
XYZ = np.array([[-35, 3, -3], [-8, -78, 21], [35, 3, -3], [11, -18, 7.0]])


def regions(labels=LABELS):
    place = dict(zip(LABELS, XYZ, strict=True))
    rows = [place.get(x, (0, 0, 0)) for x in labels]
    return pd.DataFrame(
        {
            "hemisphere": [label[0] for label in labels],
            "structure": ["thalamus" if "thalamus" in label else "cortex" for label in labels],
            "x": [r[0] for r in rows],
            "y": [r[1] for r in rows],
            "z": [r[2] for r in rows],
            "network": ["" if "thalamus" in label else "Vis" for label in labels],
            "dk": [label[2:] for label in labels],
        },
        index=pd.Index(labels, name="label"),
    )


def connectome(**changes):
    frame = changes.pop("regions", regions())
    given = dict(name="toy", weights=W, lengths=D, regions=frame, maps=pd.DataFrame(index=frame.index))
    return Connectome(**{**given, **changes})


@pytest.fixture
def folder(tmp_path):
    """Four regions as plain CSV files."""
    regions().to_csv(tmp_path / "regions.csv")
    np.savetxt(tmp_path / "weights.csv", W, delimiter=",")
    np.savetxt(tmp_path / "lengths.csv", D, delimiter=",")
    return tmp_path


def read(folder, **options):
    return Connectome.from_files(
        options.pop("weights", folder / "weights.csv"), folder / "regions.csv", **options
    )


# The record


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": W[:3, :3]}, r"toy weights: shape \(3, 3\), but there are 4 regions"),
        ({"weights": W + np.diag([0, 0, 7.0, 0])}, r"weights\[R\.insula, R\.insula\] = 7; the diagonal"),
        ({"weights": np.where(W == 5, np.nan, W)}, r"weights: \[R\.insula, R\.thalamus\] is nan"),
        ({"weights": W * [[1], [2], [1], [1]]}, r"not symmetric, \[L\.(cuneus|thalamus|insula)"),
        ({"weights": -W}, r"weights\[L\.insula, L\.cuneus\] = -2 is negative"),
        ({"lengths": -D}, r"lengths\[L\.insula, L\.cuneus\] = -40 is negative"),
        ({"regions": regions([*LABELS[:3], LABELS[0]])}, "labels must be unique; repeated: L.insula"),
        ({"regions": regions().assign(structure="brainstem")}, "unknown structure of region L.insula"),
        ({"regions": regions().assign(network="Viz")}, "unknown network of region L.insula 'Viz'; did you"),
        ({"regions": regions().assign(hemisphere="X")}, "unknown hemisphere of region L.insula 'X'"),
        ({"maps": pd.DataFrame(index=LABELS[::-1])}, "maps and regions name different regions"),
    ],
)
def test_record_refuses(changes, message):
    with pytest.raises(UserError, match=message):
        connectome(**changes)


def test_directed_weights_must_be_declared():
    directed = W.copy()
    directed[0, 1] = 9
    with pytest.raises(UserError, match="declare it directed"):
        connectome(weights=directed)
    assert connectome(weights=directed, directed=True).weights[0, 1] == 9


def test_length_and_labels():
    assert len(connectome()) == 4
    assert connectome().labels == LABELS


@given(st.integers(2, 6), st.data())
@settings(max_examples=30, deadline=None)
def test_check_matrix_finds_any_single_asymmetry(n, data):
    i, j = data.draw(st.permutations(range(n)))[:2]
    matrix = np.ones((n, n))
    names = [f"r{k}" for k in range(n)]
    check_matrix("m", matrix, names)
    matrix[i, j] += 0.1
    with pytest.raises(UserError, match=rf"\[r({i}|{j}), r({i}|{j})\]"):
        check_matrix("m", matrix, names)
    check_matrix("m", matrix, names, symmetric=False)


# From files


def test_reads_plain_files(folder):
    brain = read(folder, lengths=folder / "lengths.csv", name="toy")
    assert brain.name == "toy"
    assert brain.labels == LABELS
    assert (brain.weights == W).all()
    known = D > 0
    assert (brain.lengths[known] == D[known]).all()
    assert brain.maps.shape == (4, 0)
    assert brain.fc is None


@given(st.permutations(range(4)))
@settings(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_joins_by_name_whatever_the_order(folder, order):
    shuffled = [LABELS[k] for k in order]
    pd.DataFrame(W[np.ix_(order, order)], shuffled, shuffled).to_csv(folder / "w2.csv")
    pd.DataFrame({"m": [float(k) for k in order]}, shuffled).to_csv(folder / "m2.csv")
    brain = read(folder, weights=folder / "w2.csv", maps=[folder / "m2.csv"])
    assert (brain.weights == W).all()
    assert brain.maps["m"].tolist() == [0, 1, 2, 3]


def test_rows_and_columns_may_be_in_different_order(folder):
    pd.DataFrame(W[:, ::-1], LABELS, LABELS[::-1]).to_csv(folder / "w2.csv")
    assert (read(folder, weights=folder / "w2.csv").weights == W).all()


def test_running_numbers_are_positions(folder):
    pd.DataFrame(W).to_csv(folder / "w2.csv")
    assert (read(folder, weights=folder / "w2.csv").weights == W).all()


def test_different_regions_are_refused(folder):
    other = ["L.insula", "L.cuneus", "R.insula", "R.pallidum"]
    pd.DataFrame(W, other, other).to_csv(folder / "w2.csv")
    with pytest.raises(UserError, match=r"w2\.csv lacks R\.thalamus; has unknown R\.pallidum"):
        read(folder, weights=folder / "w2.csv")
    pd.DataFrame(W[:3, :3], LABELS[:3], LABELS[:3]).to_csv(folder / "w2.csv")
    with pytest.raises(UserError, match=r"w2\.csv lacks R\.thalamus"):
        read(folder, weights=folder / "w2.csv")
    twice = [LABELS[0], LABELS[0], *LABELS[2:]]
    pd.DataFrame(W, twice, twice).to_csv(folder / "w2.csv")
    with pytest.raises(UserError, match=r"w2\.csv: region labels must be unique; repeated: L\.insula"):
        read(folder, weights=folder / "w2.csv")


@pytest.mark.parametrize(
    ("cell", "value", "message"),
    [
        ((1, 3), np.nan, r"w2\.csv: \[L\.cuneus, R\.thalamus\] is nan; every cell must be finite"),
        ((1, 3), np.inf, r"\[L\.cuneus, R\.thalamus\] is inf"),
        ((1, 3), 8.0, r"w2\.csv: not symmetric, \[L\.cuneus, R\.thalamus\] = 8 but"),
    ],
)
def test_a_bad_cell_is_named(folder, cell, value, message):
    bad = W.copy()
    bad[cell] = value
    np.savetxt(folder / "w2.csv", bad, delimiter=",")
    with pytest.raises(UserError, match=message):
        read(folder, weights=folder / "w2.csv")


def test_wrong_size_is_named(folder):
    np.savetxt(folder / "w2.csv", W[:3, :3], delimiter=",")
    with pytest.raises(UserError, match=r"w2\.csv: shape \(3, 3\), but there are 4 regions"):
        read(folder, weights=folder / "w2.csv")
    np.save(folder / "w3.npy", W[:3])
    with pytest.raises(UserError, match=r"w3\.npy: shape \(3, 4\)"):
        read(folder, weights=folder / "w3.npy")


def test_weights_on_the_diagonal_are_dropped(folder):
    np.savetxt(folder / "w2.csv", W + 7 * np.eye(4), delimiter=",")
    assert (read(folder, weights=folder / "w2.csv").weights == W).all()


def test_log_weights_with_zero_for_absent(folder):
    """exp undoes a logarithm that was taken of the present connections only, weak (< 1) ones included."""
    weak = W / 3
    log = np.where(W > 0, np.log(np.where(W > 0, weak, 1)), 0)
    np.savetxt(folder / "w2.csv", log, delimiter=",", fmt="%.17g")
    with pytest.raises(UserError, match=r"w2\.csv.*negative.*use transform exp"):
        read(folder, weights=folder / "w2.csv")
    log[W == 3] = 1e-9  # a weight of exactly 1 would be written as 0, which means absent
    np.savetxt(folder / "w2.csv", log, delimiter=",", fmt="%.17g")
    brain = read(folder, weights=folder / "w2.csv", transform="exp")
    assert brain.weights == pytest.approx(weak)
    assert (brain.weights[W == 0] == 0).all()
    assert "exp" in brain.provenance["weights"]


def test_log1p_weights(folder):
    np.savetxt(folder / "w2.csv", np.log1p(W), delimiter=",", fmt="%.17g")
    assert read(folder, weights=folder / "w2.csv", transform="expm1").weights == pytest.approx(W)


def test_plain_weights_are_not_exponentiated(folder):
    np.savetxt(folder / "w2.csv", W * 1000, delimiter=",")
    with pytest.raises(UserError, match=r"\[R\.insula, R\.thalamus\] = 5000 is no log weight"):
        read(folder, weights=folder / "w2.csv", transform="exp")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transform": "log"}, "unknown transform 'log'"),
        ({"fc_transform": "fisher"}, "unknown fc transform 'fisher'"),
        ({"length_unit": "km"}, "unknown length unit 'km'"),
        ({"tortuosity": 0.5}, "tortuosity 0.5"),
        ({"tortuosity": float("nan")}, "tortuosity nan"),
        ({"keys": {"wieghts": "a"}}, "did you mean weights"),
        ({"maps": [{"columns": ["a"]}]}, "needs the option 'file'"),
        ({"maps": [{"file": "x.csv", "zscored": True}]}, "unknown map option 'zscored'; did you mean zscore"),
    ],
)
def test_unknown_options(folder, options, message):
    with pytest.raises(UserError, match=message):
        read(folder, **options)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("cm", 10), ("m", 1000)])
def test_length_units(folder, unit, factor):
    np.savetxt(folder / "lengths.csv", D / factor, delimiter=",")
    brain = read(folder, lengths=folder / "lengths.csv", length_unit=unit)
    assert brain.lengths[D > 0] == pytest.approx(D[D > 0])


def test_missing_lengths_are_distance_times_tortuosity_and_recorded(folder):
    distance = np.linalg.norm(XYZ[:, None] - XYZ[None], axis=2)
    brain = read(folder, tortuosity=2.0)
    assert brain.lengths == pytest.approx(2 * distance)
    assert brain.provenance["lengths"] == "all lengths: centroid distance x 2"
    gap = D.copy()
    gap[0, 1] = gap[1, 0] = 0
    np.savetxt(folder / "lengths.csv", gap, delimiter=",")
    brain = read(folder, lengths=folder / "lengths.csv")
    assert brain.lengths[0, 1] == pytest.approx(1.45 * distance[0, 1])
    assert brain.lengths[0, 2] == D[0, 2]
    assert "2 lengths of connections given as 0" in brain.provenance["lengths"]


def test_lengths_of_the_first_regions_only(folder):
    np.savetxt(folder / "lengths.csv", D[:2, :2], delimiter=",")
    with pytest.raises(UserError, match=r"lengths\.csv: shape \(2, 2\)"):
        read(folder, lengths=folder / "lengths.csv")
    brain = read(folder, lengths=folder / "lengths.csv", length_rows="first")
    assert brain.lengths[0, 1] == D[0, 1]
    assert brain.lengths[0, 3] == pytest.approx(1.45 * np.linalg.norm(XYZ[0] - XYZ[3]))
    np.savetxt(folder / "lengths.csv", np.ones((5, 5)), delimiter=",")
    with pytest.raises(UserError, match=r"lengths\.csv: shape \(5, 5\), but there are 4 regions"):
        read(folder, lengths=folder / "lengths.csv", length_rows="first")


def test_directed_files_need_the_declaration(folder):
    directed = W.copy()
    directed[0, 1] = 9
    np.savetxt(folder / "w2.csv", directed, delimiter=",")
    with pytest.raises(UserError, match=r"w2\.csv: not symmetric.*declare it directed"):
        read(folder, weights=folder / "w2.csv")
    brain = read(folder, weights=folder / "w2.csv", directed=True)
    assert brain.directed
    assert (brain.weights == directed).all()


def test_no_lengths_and_no_centroids(folder):
    regions().drop(columns=["x", "y", "z"]).to_csv(folder / "regions.csv")
    with pytest.raises(UserError, match=r"region L\.insula has no centroid"):
        read(folder)
    brain = read(folder, lengths=folder / "lengths.csv")  # 0 only where there is no connection
    assert (brain.lengths == D).all()


def test_fc_of_fisher_z(folder):
    fc = np.corrcoef(np.random.default_rng(1).normal(size=(4, 30)))
    z = np.arctanh(np.where(np.eye(4), 0, fc))
    np.savetxt(folder / "fc.csv", z, delimiter=",", fmt="%.17g")
    assert read(folder, fc=folder / "fc.csv", fc_transform="tanh").fc == pytest.approx(fc)
    np.savetxt(folder / "fc.csv", z * 1.5 / np.abs(z).max(), delimiter=",")
    with pytest.raises(UserError, match=r"= -?1\.5 is no correlation; for Fisher z use the transform tanh"):
        read(folder, fc=folder / "fc.csv")


# Maps


def test_maps_with_fewer_rows(folder):
    (folder / "named.csv").write_text("region,D2,GABA\nR.thalamus,4,NA\nL.insula,1,8\n")
    maps = read(folder, maps=[folder / "named.csv"]).maps
    assert maps["D2"].tolist()[::3] == [1, 4]
    assert maps["D2"].isna().tolist() == [False, True, True, False]
    assert maps["GABA"].isna().tolist() == [False, True, True, True]
    (folder / "first.csv").write_text("D1\n5\n6\n")
    with pytest.raises(UserError, match=r"first\.csv: 2 rows without region labels.*rows = 'first'"):
        read(folder, maps=[folder / "first.csv"])
    both = [folder / "named.csv", {"file": folder / "first.csv", "rows": "first", "prefix": "pet_"}]
    maps = read(folder, maps=both).maps
    assert maps["pet_D1"].tolist()[:2] == [5, 6]
    assert maps["pet_D1"].isna().sum() == 2


def test_zscored_maps_have_mean_0_and_sd_1_over_what_there_is(folder):
    (folder / "m.csv").write_text("label,a\nL.insula,1\nL.cuneus,2\nR.insula,6\n")
    z = read(folder, maps=[{"file": folder / "m.csv", "zscore": True}]).maps["a"]
    assert z.mean() == pytest.approx(0)
    assert z.std(ddof=0) == pytest.approx(1)
    assert np.isnan(z["R.thalamus"])


@pytest.mark.parametrize(
    ("text", "option", "message"),
    [
        ("label,a\nL.isnula,1\n", {}, r"m\.csv: unknown region 'L\.isnula'; did you mean L\.insula"),
        ("label,a\nL.insula,1\nL.insula,2\n", {}, r"m\.csv: region L\.insula twice"),
        ("label,a\nL.insula,x\n", {}, r"m\.csv: a of L\.insula is 'x', not a number"),
        ("label,a\nL.insula,inf\n", {}, r"m\.csv: a of L\.insula is infinite"),
        ("label,a\nL.insula,1\nL.cuneus,1\n", {"zscore": True}, "a does not vary"),
        ("label,a\nL.insula,1\n", {"columns": ["b"]}, "unknown column 'b'"),
        ("label,a\nL.insula,1\n", {"rows": "last"}, "unknown rows of a map 'last'"),
        ("a\n1\n2\n3\n4\n5\n", {"rows": "first"}, "5 rows without region labels"),
    ],
)
def test_malformed_maps(folder, text, option, message):
    (folder / "m.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read(folder, maps=[{"file": folder / "m.csv", **option}])


def test_a_map_may_not_appear_twice(folder):
    for name in ("m1.csv", "m2.csv"):
        (folder / name).write_text("label,D2\nL.insula,1\n")
    with pytest.raises(UserError, match=r"m2\.csv: map 'D2' is already in another file"):
        read(folder, maps=[folder / "m1.csv", folder / "m2.csv"])


def test_part_keeps_each_connection_with_its_regions():
    whole = Connectome("four", W, D, regions(), regions()[["x"]])
    part = whole.part(["R.thalamus", "L.insula"])
    assert part.labels == list(part.maps.index) == ["R.thalamus", "L.insula"]
    assert part.weights[0, 1] == whole.weights[3, 0]
    assert part.lengths[1, 0] == whole.lengths[0, 3]
    assert part.fc is None
    back = whole.part(whole.labels)
    assert np.array_equal(back.weights, whole.weights)
    assert np.array_equal(back.lengths, whole.lengths)


@pytest.mark.parametrize(
    ("labels", "message"),
    [(["L.insla"], "L.insula"), (["L.insula", "L.insula"], "unique"), ([], "at least one")],
)
def test_part_refuses(labels, message):
    with pytest.raises(UserError, match=message):
        Connectome("four", W, D, regions(), regions()[["x"]]).part(labels)
