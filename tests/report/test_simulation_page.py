"""The page of a simulation holds what the result says."""

import re

import pytest

from synsys.core.errors import UserError
from synsys.core.schema import tabulate
from synsys.data.embedded import load_embedded
from synsys.report import write_report
from synsys.report.comparison import write_comparison
from synsys.report.simulation import render_simulation
from synsys.scales.simulate import simulate


@pytest.fixture(scope="module")
def brain():
    whole = load_embedded()
    return whole.part([label for label in whole.labels if "frontal" in label or "thalamus" in label])


@pytest.fixture(scope="module")
def tree(brain):
    return simulate(brain, "wong_wang", {"G": [0.4, 0.8, 1.2]}, seeds=2, seconds=8.0, every=10.0)


def test_every_point_is_on_the_page_with_its_numbers(tree):
    page = render_simulation(tree)
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    rows = re.findall(r"<tr>(.*?)</tr>", body)
    assert [re.findall(r"<td>(.*?)</td>", row)[0] for row in rows] == ["0.4", "0.8", "1.2"]
    rate = tabulate(tree).groupby("G").mean_rate_E.mean()
    assert f"{rate[0.4]:.3g}" in rows[0]
    assert tree.attrs["disclaimer"] in page
    assert page.count("<svg") == 1 + 3 + 1 + 1  # grid, connectivity, BOLD, activity


def test_it_needs_no_network(tree, tmp_path):
    text = write_report(tree, tmp_path / "r.html").read_text()
    assert "<link" not in text
    assert not re.search(r'src="http', text)


def test_a_single_run_and_two_parameters_have_pages_too(brain):
    one = render_simulation(simulate(brain, "kuramoto", seconds=1.0, warm_up=0.0))
    assert "Over the grid" not in one
    two = simulate(brain, "wong_wang", {"G": [0.4, 0.8], "sigma": [0.005, 0.01]}, seconds=3.0)
    assert "Over the grid" in render_simulation(two)


def test_simulations_are_not_compared(tree, tmp_path):
    with pytest.raises(UserError, match="one grid"):
        write_comparison(tree, tree, tmp_path / "c.html")
