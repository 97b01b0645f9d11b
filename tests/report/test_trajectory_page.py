"""The page of a trajectory is whole, offline and safe, and every number of the result is on it."""

import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from synsys.cli import app
from synsys.core.errors import UserError
from synsys.core.schema import save
from synsys.core.show_time import clock, lead_lag_frame, sized
from synsys.report import write_report
from synsys.report.comparison import print_comparison, write_comparison
from synsys.report.comparison_time import compare_courses
from synsys.report.figures_time import SAMPLES, drawn_at, outline
from synsys.report.time_axis import TimeAxis, time_axis
from synsys.report.trajectory import course_panels, render_trajectory

from .test_page import Balance
from .trees import make_tree
from .trees_time import READOUTS, SLOW, make_trajectory


@pytest.fixture(scope="module")
def tree():
    return make_trajectory(draws=4, dose=True, age=30.0)


@pytest.fixture(scope="module")
def page(tree, tmp_path_factory) -> str:
    return written(tree, tmp_path_factory.mktemp("report"))


def written(tree, folder: Path) -> str:
    return write_report(tree, folder / "r.html").read_text(encoding="utf-8")


def rows_of(page: str) -> dict[str, list[str]]:
    """Cells of every table row that names a quantity in monospace, tables in sequence."""
    out: dict[str, list[str]] = {}
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL):
        name = re.search(r'class="mono">([a-z0-9_]+)</span>', row)
        if name:
            cells = [unescape(re.sub(r"<[^>]+>", "", c)) for c in re.findall(r"<td.*?</td>", row, re.DOTALL)]
            out.setdefault(name[1], []).extend(cells[1:])
    return out


def test_the_page_is_offline_well_formed_and_small(page: str) -> None:
    fetched = re.findall(
        r'(?:src|xlink:href)="(https?:[^"]*)"|<link[^>]*href="(https?:[^"]*)"|url\((https?:[^)]*)', page
    )
    assert fetched == []
    parser = Balance()
    parser.feed(page)
    assert parser.wrong == []
    assert parser.open == []
    assert len(page.encode()) < 3_000_000
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_every_quantity_is_on_the_page_with_its_latency_and_peak(tree, page: str) -> None:
    rows = rows_of(page)
    assert set(rows) == {*SLOW, *READOUTS}
    for name, row in lead_lag_frame(tree).iterrows():
        assert clock(tree).latency(row) in rows[name]
        assert sized(row["peak"], row["measure"]) in rows[name]


def test_effects_are_given_at_every_report_time(tree, page: str) -> None:
    """Readouts: latencies (11 cells), one cell per time, healthy and perturbed value at the end."""
    times = tree["trajectory"].sizes["time"]
    rows = rows_of(page)
    assert {len(rows[name]) for name in READOUTS} == {11 + times + 2}
    assert {len(rows[name]) for name in SLOW} == {11 + times}


def test_it_says_what_was_done_and_how(tree, page: str) -> None:
    for text in (
        "Research use only", tree.attrs["methods"], "escitalopram 10 mg a day", "seed 0", "12 weeks long",
        "from age 30 years", "slow steps taken: 412", "all draws converged", "Order of the levels",
        "critical windows", "ab" * 32,
    ):  # fmt: skip
        assert text in page, text


def test_feedback_is_set_beside_its_absence(page: str) -> None:
    part = page[page.index('id="solver"') :]
    assert "−0.210" in part
    assert "−0.160" in part
    assert "−0.050" in part  # what feedback adds


def test_text_from_outside_cannot_become_markup(tmp_path: Path) -> None:
    tree = make_trajectory(draws=2)
    tree.attrs["scenario"] = tree.attrs["scenario"].replace("{", '{"text": "<script>alert(4)</script>", ', 1)
    tree.attrs["title"] = '<script>alert(1)</script> & "x"'
    tree["events"]["label"].values[0] = "<script>alert(2)</script>"
    tree.attrs["convergence"] = '{"messages": ["<script>alert(3)</script>"]}'
    assert "<script>alert(" not in written(tree, tmp_path)


def test_health_says_that_nothing_moves(tmp_path: Path) -> None:
    text = written(make_trajectory(draws=2, flat=True), tmp_path)
    assert "None of 42 quantities moves" in text
    assert "No exposure" in text


def test_an_unstable_brain_is_named_on_top(tmp_path: Path) -> None:
    """Readouts that are undefined from some day on, in every draw, leave the page whole."""
    tree = make_trajectory(draws=2)
    tree.attrs.update(stable_perturbed=0.0, unstable_reason="oscillatory instability near 31 Hz in L.insula")
    tree["trajectory"]["value"].values[1, :, 8:] = np.nan
    text = written(tree, tmp_path)
    assert "31 Hz in L.insula" in text
    assert text.index("31 Hz in L.insula") < text.index("<svg")
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).lower().split()


def test_regions_are_drawn_only_where_something_moves_differently_between_them(tree, page: str) -> None:
    """Alike in all regions, or nowhere beyond the threshold, or unknown somewhere: no strip."""
    assert page.count('id="strip') > 0
    for change in ("alike", "unknown"):
        other = tree.copy(deep=True)
        value = other["slow_regions"]["value"].values
        value[...] = value[..., :1] if change == "alike" else np.nan
        assert 'id="strip' not in render_trajectory(other)


def test_what_does_not_move_is_not_drawn(tree) -> None:
    panels, hidden, still = course_panels([tree])
    drawn = [line.label for panel in panels for line in panel.lines]
    assert "serotonin level" not in drawn  # made up not to move
    assert "calcium dysregulation" in drawn
    assert len(drawn) + hidden + still == len(SLOW) + len(READOUTS)


def test_two_trajectories_side_by_side(tree, tmp_path: Path) -> None:
    other = make_trajectory("early_stress", draws=4, scale=-0.6, seed=1)
    write_comparison(tree, other, tmp_path / "c.html")
    text = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert set(rows_of(text)) == {*SLOW, *READOUTS}
    assert "seed differs: 0 and 1" in text
    verdicts = {row["name"]: row["verdict"] for row in compare_courses(tree, other)}
    assert verdicts["creb_activity"] == "opposite"  # scaled by a negative number
    assert verdicts["serotonin_level"] == "neither"
    assert {row["verdict"] for row in compare_courses(tree, tree)} == {"same direction", "neither"}
    parser = Balance()
    parser.feed(text)
    assert parser.wrong == []


def test_the_command_line_reports_and_compares_trajectories(tree, tmp_path: Path) -> None:
    path = str(save(tree, tmp_path / "trajectory.nc"))
    run = CliRunner().invoke(app, ["report", path])
    assert run.exit_code == 0, run.output
    assert "What moved first" in (tmp_path / "report.html").read_text(encoding="utf-8")
    run = CliRunner().invoke(app, ["compare", path, path, "--out", str(tmp_path / "c.html")])
    assert run.exit_code == 0, run.output
    assert "calcium_dysregulation" in run.output
    assert (tmp_path / "c.html").exists()


def test_a_cascade_and_a_trajectory_cannot_be_compared(tree, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a trajectory and GRIN2B=0\.7 is a cascade"):
        write_comparison(tree, make_tree(draws=2), tmp_path / "c.html")
    with pytest.raises(UserError, match="same kind"):
        print_comparison(make_tree(draws=2), tree)
    assert list(tmp_path.iterdir()) == []


def test_the_axis_is_stretched_where_much_happens_early_and_even_elsewhere() -> None:
    fast = np.array([0.01, 0.02, 0.1, 30.0])
    assert time_axis(84, [0.0], np.array([20.0, 30.0, 50.0])).linear == 0
    stretched = time_axis(84, [0.0, 42.0], fast)
    assert stretched.edges == (0, 42)
    assert 0 < stretched.linear <= 0.01 / 3
    assert time_axis(84, [0.0], np.array([])).linear == 0
    assert time_axis(84, [42.0], 42 + fast).edges == (0, 42)  # early after a late exposure
    brief = time_axis(9131, [30.0, 40.0], 30 + fast)  # ten days in 25 years: one part from the first day
    assert brief.edges == (0, 30)
    assert brief.linear > 0


@given(st.floats(0.1, 2e4), st.lists(st.floats(0.01, 0.99), max_size=3), st.sampled_from([0.0, 1e-4, 0.02]))
def test_an_axis_keeps_the_order_of_times_and_its_grid_is_even_on_the_page(end, cuts, linear) -> None:
    edges = (0.0, *sorted({cut * end for cut in cuts}))
    axis = TimeAxis(end, edges if linear else (0.0,), linear)
    times = np.linspace(0, end, 200)
    assert (np.diff(axis.place(times)) > 0).all()
    steps = np.diff(axis.place(axis.grid(50)))
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-3)
    at, labels = axis.ticks(0.1)
    assert len(at) == len(labels)
    assert (np.diff(at) >= 0.0999 * float(axis.place(end))).all()


def test_lines_between_samples_are_straight_in_time_on_a_stretched_axis() -> None:
    axis = TimeAxis(100.0, (0.0,), 0.01)
    x, y = drawn_at(axis, np.array([0.0, 100.0]), np.array([0.0, 1.0]))
    time = 0.01 * (10**x - 1)
    np.testing.assert_allclose(y, time / 100, atol=1e-9)


def test_an_outline_keeps_every_extreme() -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 1, 5000))
    low = rng.standard_normal(5000)
    at, least, most = outline(x, low, low + 1)
    assert len(at) <= SAMPLES
    assert (np.diff(at) > 0).all()
    assert least.min() == low.min()
    assert most.max() == low.max() + 1
