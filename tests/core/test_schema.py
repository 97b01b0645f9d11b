"""A result says what it is, survives the disk whole, and is refused when it is not one."""

import re
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from synsys.core.errors import UserError
from synsys.core.output import prepare_out, whole_folder, write_whole
from synsys.core.schema import SchemaError, load, print_result, save, summary, validate
from tests.report.trees import make_tree


def test_a_result_survives_the_disk(tmp_path) -> None:
    tree = make_tree()
    again = load(save(tree, tmp_path / "r.nc"))
    for group in ("table", "rates", "spectra", "fc", "graph", "draws", "regions"):
        for name, values in tree[group].to_dataset(inherit=False).data_vars.items():
            np.testing.assert_array_equal(again[group][name].values, values.values, err_msg=f"{group}/{name}")
    assert dict(again.attrs) == dict(tree.attrs)


@pytest.mark.parametrize("name", ["seed", "disclaimer", "stable_perturbed"])
def test_a_missing_attribute_is_named(name: str) -> None:
    tree = make_tree()
    del tree.attrs[name]
    with pytest.raises(SchemaError, match=name):
        validate(tree)


@pytest.mark.parametrize("group", ["table", "fc", "regions"])
def test_a_missing_group_is_named(group: str) -> None:
    tree = make_tree()
    del tree[group]
    with pytest.raises(SchemaError, match=f"/{group}"):
        validate(tree)


def test_a_correlation_above_one_is_refused() -> None:
    tree = make_tree()
    tree["fc"]["fc"].values[..., 0, 1] = 1.5
    with pytest.raises(SchemaError, match="fc"):
        validate(tree)


def test_a_bad_result_leaves_no_file(tmp_path) -> None:
    tree = make_tree()
    del tree.attrs["seed"]
    with pytest.raises(SchemaError):
        save(tree, tmp_path / "r.nc")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_a_result_is_refused(tmp_path) -> None:
    (tmp_path / "x.nc").write_text("no result")
    for path in (tmp_path / "absent.nc", tmp_path / "x.nc"):
        with pytest.raises(UserError):
            load(path)


def test_a_newer_schema_is_refused(tmp_path) -> None:
    tree = make_tree()
    tree.attrs["schema_version"] = "99"
    with pytest.raises(SchemaError, match="99"):
        validate(tree)


def test_the_printed_table_says_which_changes_of_connectivity_depend_on_how_it_is_observed() -> None:
    """The made-up result keeps every sign without noise and turns every sign after global regression."""
    console = Console(width=80, record=True, file=StringIO())
    print_result(make_tree(), console)
    told = " ".join(console.export_text().split())
    count = int(re.search(r"Of (\d+) changes of FC", told)[1])
    assert count >= 2
    assert (
        f"{count} keep their sign without measurement noise, 0 after regression of the global signal" in told
    )


def test_calibrated_rows_are_marked_in_the_printed_table() -> None:
    console = Console(width=80, record=True, file=StringIO())
    print_result(make_tree(), console, most=99)
    lines = console.export_text().splitlines()
    marked = {line.split()[0] for line in lines if re.search(r"\d†", line)}
    assert marked == {"pv_rate", "sst_rate"}  # those that the made-up result calls calibrated
    assert "† calibrated: the healthy value was fitted" in " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= 80


def test_the_summary_names_title_and_largest_change() -> None:
    text = summary(make_tree())
    assert make_tree().attrs["title"].split(",")[0] in text
    assert "gamma_power" in text


def test_a_non_empty_folder_is_refused_and_untouched(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="--force"):
        prepare_out(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_a_failure_leaves_no_folder(tmp_path) -> None:
    def fail() -> None:
        with whole_folder(tmp_path / "out") as folder:
            (folder / "half.txt").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_whole_folder_replaces_the_old_one(tmp_path) -> None:
    for text in ("one", "two"):
        with whole_folder(tmp_path / "out") as folder:
            write_whole(folder / "a.txt", text)
    assert (tmp_path / "out" / "a.txt").read_text() == "two"
