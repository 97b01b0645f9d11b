"""Reading matrices and tables: every format, labels or none, and errors that name file and cell."""

import csv

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import savemat
from scipy.sparse import csc_array

from synsys.core.errors import UserError
from synsys.core.files import read_matrix, read_table

MATRIX = np.array([[0.0, 1.5, -2.0], [1.5, 0.0, 3e-7], [-2.0, 3e-7, 0.0]])
NAMES = ["L.a", "L.b", "R.a"]


def write(path, matrix, separator=",", rows=None, columns=None):
    lines = []
    if columns:
        lines.append(([""] if rows else []) + list(columns))
    for i, row in enumerate(matrix):
        lines.append(([rows[i]] if rows else []) + [repr(float(x)) for x in row])
    path.write_text("\n".join(separator.join(line) for line in lines) + "\n")
    return path


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("csv", ";"), ("tsv", "\t"), ("txt", "  ")])
def test_plain_text(tmp_path, suffix, separator):
    read = read_matrix(write(tmp_path / f"w.{suffix}", MATRIX, separator))
    assert (read.values == MATRIX).all()
    assert read.rows is read.columns is None


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_labelled_text(tmp_path, separator):
    read = read_matrix(write(tmp_path / "w.csv", MATRIX, separator, NAMES, NAMES))
    assert (read.values == MATRIX).all()
    assert read.rows == read.columns == NAMES


def test_labels_on_one_side_only(tmp_path):
    assert read_matrix(write(tmp_path / "r.csv", MATRIX, ",", NAMES)).rows == NAMES
    assert read_matrix(write(tmp_path / "c.csv", MATRIX, ",", None, NAMES)).columns == NAMES


def test_running_numbers_as_header_are_not_data(tmp_path):
    read = read_matrix(write(tmp_path / "w.csv", MATRIX, ",", None, ["0", "1", "2"]))
    assert (read.values == MATRIX).all()
    assert read.columns == ["0", "1", "2"]


def test_comments_blank_lines_byte_order_mark_and_trailing_separators(tmp_path):
    path = tmp_path / "w.csv"
    path.write_text("# HCP group\n\n0,1,\n1,0,\n", encoding="utf-8-sig")
    assert (read_matrix(path).values == [[0, 1], [1, 0]]).all()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    matrix=st.integers(2, 6).flatmap(
        lambda n: arrays(float, (n, n), elements=st.floats(-1e9, 1e9, allow_subnormal=False))
    ),
    form=st.sampled_from(["plain", "labelled", "tsv", "npy", "npz", "mat"]),
)
def test_round_trip_is_exact(tmp_path, matrix, form):
    names = [f"L.r{i}" for i in range(len(matrix))]
    if form in ("plain", "labelled"):
        path = write(tmp_path / "w.csv", matrix, ",", *([names, names] if form == "labelled" else []))
    elif form == "tsv":
        path = write(tmp_path / "w.tsv", matrix, "\t")
    else:
        path = tmp_path / f"w.{form}"
        if form == "npy":
            np.save(path, matrix)
        elif form == "npz":
            np.savez(path, w=matrix, labels=names)
        else:
            savemat(path, {"w": matrix})
    assert (read_matrix(path).values == matrix).all()


def test_variables_of_npz_and_mat(tmp_path):
    np.savez(tmp_path / "two.npz", sc=MATRIX, fc=MATRIX + 1, region_labels=NAMES)
    assert (read_matrix(tmp_path / "two.npz", "fc").values == MATRIX + 1).all()
    assert read_matrix(tmp_path / "two.npz", "sc").rows == NAMES
    with pytest.raises(UserError, match=r"two\.npz: 2 square matrices among sc, fc.*name the one to read"):
        read_matrix(tmp_path / "two.npz")
    with pytest.raises(UserError, match=r"two\.npz: unknown variable 'scc'; did you mean sc\?"):
        read_matrix(tmp_path / "two.npz", "scc")
    savemat(tmp_path / "sc.mat", {"sc": MATRIX, "n": 3, "labels": np.array(NAMES, dtype=object)})
    read = read_matrix(tmp_path / "sc.mat")
    assert (read.values == MATRIX).all()
    assert read.rows == NAMES


def test_sparse_mat(tmp_path):
    savemat(tmp_path / "w.mat", {"w": csc_array(MATRIX)})
    assert (read_matrix(tmp_path / "w.mat").values == MATRIX).all()


def test_mat_7_3_is_transposed_hdf5(tmp_path):
    directed = np.arange(9.0).reshape(3, 3)
    with h5py.File(tmp_path / "w.mat", "w", userblock_size=512) as file:
        file["w"] = directed.T  # MATLAB stores columns first
    head = b"MATLAB 7.3 MAT-file" + b" " * 97 + b" " * 8 + b"\x00\x02IM"
    with (tmp_path / "w.mat").open("r+b") as file:
        file.write(head)
    assert (read_matrix(tmp_path / "w.mat").values == directed).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1\n1,x\n", r"w\.csv: cell \[2, 2\] is 'x', not a number"),
        (",a,b\na,0,\nb,1,0\n", r"w\.csv: cell \[a, b\] is empty, not a number"),
        ("0,1\n1\n", r"w\.csv, line 2: 1 cells, but line 1 has 2"),
        ("", r"w\.csv: empty file"),
        ("# only a remark\n", r"w\.csv: empty file"),
    ],
)
def test_malformed_text_names_file_and_cell(tmp_path, text, message):
    (tmp_path / "w.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_matrix(tmp_path / "w.csv")


def test_unreadable_files(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_matrix(tmp_path / "absent.csv")
    (tmp_path / "w.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"w\.xlsx: unknown format '\.xlsx' \(accepted: \.csv"):
        read_matrix(tmp_path / "w.xlsx")
    for name in ("w.npy", "w.npz", "w.mat"):
        (tmp_path / name).write_bytes(b"not this at all" * 20)
        with pytest.raises(UserError, match=rf"{name[:1]}\.{name[2:]}: not a readable"):
            read_matrix(tmp_path / name)
    (tmp_path / "w.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match="not a text file"):
        read_matrix(tmp_path / "w.csv")
    np.save(tmp_path / "o.npy", np.array([["a"]]))
    with pytest.raises(UserError, match=r"o\.npy: holds <U1, not numbers"):
        read_matrix(tmp_path / "o.npy")
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="not a readable NumPy file"):
        read_matrix(tmp_path / "pickle.npy")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.lists(
            st.text("abcXYZ019 .-", min_size=1, max_size=6).map(str.strip).filter(bool),
            min_size=2,
            max_size=2,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_table_keeps_text_as_it_is(tmp_path, rows):
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["label", "other"], *rows])
    table = read_table(tmp_path / "t.csv")
    assert table.to_numpy().tolist() == rows


def test_table_headings(tmp_path):
    (tmp_path / "t.csv").write_text(",x\na,1\n")
    assert list(read_table(tmp_path / "t.csv").columns) == ["label", "x"]
    (tmp_path / "t.csv").write_text("a,a\n1,2\n")
    with pytest.raises(UserError, match="heading 'a' is empty or repeats"):
        read_table(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(UserError, match="at least one row"):
        read_table(tmp_path / "t.csv")
