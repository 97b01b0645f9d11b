"""The report is one whole, offline, safe page that shows every readout and hides nothing unstable."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from synsys.core.schema import validate
from synsys.report import write_report
from synsys.report.comparison import write_comparison

from .trees import make_tree

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Balance(HTMLParser):
    """Opens and closes of an HTML page; SVG elements may close themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        """A self-closed element needs no end."""

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture(scope="module")
def tree():
    return make_tree()


@pytest.fixture(scope="module")
def page(tree, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(tree, path)
    return path.read_text(encoding="utf-8")


def test_the_synthetic_tree_is_a_result(tree) -> None:
    validate(tree)


def test_every_readout_is_on_the_page(tree, page: str) -> None:
    missing = [name for name in tree["table"]["readout"].values if str(name) not in page]
    assert missing == []


def test_the_page_is_offline_and_small(page: str) -> None:
    fetched = re.findall(
        r'(?:src|xlink:href)="(https?:[^"]*)"|<link[^>]*href="(https?:[^"]*)"|url\((https?:[^)]*)', page
    )
    assert fetched == []
    assert len(page.encode()) < 3_000_000


def test_the_page_is_well_formed(page: str) -> None:
    parser = Balance()
    parser.feed(page)
    assert parser.wrong == []
    assert parser.open == []


def test_it_says_what_it_is_for_and_how_it_was_made(tree, page: str) -> None:
    assert "Research use only" in page
    assert tree.attrs["version"] in page
    assert f"seed {tree.attrs['seed']}" in page.lower()
    assert "<svg" in page


def test_adjusted_regions_are_named_in_the_limitations(tree, page: str) -> None:
    text = page[page.index('id="limitations"') :]
    names = tree["regions"]["region"].values[tree["regions"]["rebalanced"].values > 0]
    assert f"In {len(names)} of {tree['regions'].sizes['region']} regions the healthy state had to be" in text
    assert all(f"{name} (50 %)" in text for name in names)
    assert "In no region the deviation from the template had to be tempered." in text


def test_text_from_outside_cannot_become_markup(tmp_path: Path) -> None:
    tree = make_tree()
    tree.attrs["title"] = '<script>alert(1)</script> & "x"'
    write_report(tree, tmp_path / "r.html")
    assert "<script>alert(1)" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_an_unstable_state_is_named_on_top(tmp_path: Path) -> None:
    tree = make_tree()
    tree.attrs["stable_perturbed"] = 0.0
    tree.attrs["unstable_reason"] = "oscillatory instability near 31 Hz in L.insula"
    draws = tree["draws"].to_dataset(inherit=False)
    draws["stable_perturbed"][:] = False
    tree["draws"] = tree["draws"].assign(draws.data_vars)
    write_report(tree, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "31 Hz in L.insula" in text
    assert text.index("31 Hz in L.insula") < text.index("<svg")


def test_two_results_side_by_side(tree, tmp_path: Path) -> None:
    write_comparison(tree, make_tree(), tmp_path / "c.html")
    text = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert all(str(name) in text for name in tree["table"]["readout"].values)
