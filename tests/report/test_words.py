"""What the page says in words, and that its drawings stay inside their frames."""

import re

import numpy as np
import pandas as pd
import pytest

from synsys.core.schema import tabulate
from synsys.report.diagram import cascade_diagram
from synsys.report.figures_data import fc_panels, spread_out
from synsys.report.figures_mind import symptom_profile
from synsys.report.words import adjusted, five_sentences, heading, perturbed, plain, tied

from .trees import make_tree


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nmda_conductance=0.7", "NMDA conductance × 0.7"),
        ("kcnq2_conductance=0.6:E@dlPFC", "KCNQ2 conductance × 0.6 (E, dlPFC)"),
        ("d2_occupancy+=0.65@striatum", "D2 occupancy + 0.65 (striatum)"),
        ("chloride_reversal+=-2", "chloride reversal − 2"),
        ("schizophrenia", "schizophrenia"),
    ],
)
def test_a_perturbation_in_words(text: str, words: str) -> None:
    assert perturbed(text) == words


def test_a_heading_counts_what_it_does_not_name() -> None:
    assert heading("bdnf=0.8, schizophrenia") == "BDNF × 0.8 and schizophrenia"
    many = ", ".join(f"bdnf=0.{k}" for k in range(1, 7))
    assert heading(many) == "BDNF × 0.1, BDNF × 0.2 and 4 more changes"


def test_names_of_pairs_are_written_as_pairs() -> None:
    assert plain("dmn_cen_fc") == "DMN–CEN FC"
    assert plain("cen_fc") == "CEN FC"
    assert plain("between_network_fc") == "between-network FC"
    assert plain("activation:D1") == "D1 receptor activity"


def test_numbers_are_not_parted_from_units_and_signs() -> None:
    text = tied("falls by 3 % (d = −2.1) over 8 draws, P ≥ 0.9, 0.1 Fisher z")
    assert " %" not in text
    for whole in ("3\u00a0%", "d\u00a0=\u00a0−2.1", "8\u00a0draws", "P\u00a0≥\u00a00.9", "0.1\u00a0Fisher z"):
        assert whole in text


def test_the_five_sentences_count_right() -> None:
    tree = make_tree()
    frame = tabulate(tree)
    said = [text.replace("\u00a0", " ") for text in five_sentences(frame, tree.attrs, {}, {}, "As seen.")]
    assert len(said) == 5
    results = frame[~frame["origin"].isin(("input", "by construction"))]
    changed = results[results["d"].abs() >= 0.1]
    assert said[0].startswith("The largest changes under GRIN2B × 0.7")
    assert plain(str(changed["d"].abs().idxmax())) in said[0]
    assert said[1].startswith(f"{len(results) - len(changed)} of {len(results)} readouts do not change")
    assert f"of the {len(changed)} changes is sure" in said[2] or f"all {len(changed)} changes" in said[2]
    assert said[2].endswith("As seen.")
    emergent = int((changed["origin"] == "emergent").sum())
    assert said[3].startswith(f"{emergent} of the {len(changed)} changes")
    assert "1 follows from rows of the tables alone (NMDA drive to PV)" in said[3]


def test_few_adjusted_regions_are_named_and_many_are_counted() -> None:
    labels = [f"R{k}" for k in range(20)]
    few, names = adjusted("rebalanced", labels, [0.5, 1.0, *[0.0] * 18])
    assert "In 2 of 20 regions" in few
    assert few.endswith("R1 (100 %) and R0 (50 %).")
    assert names == ["R1 (100 %)", "R0 (50 %)"]
    many, names = adjusted("tempered", labels, [0.25] * 20)
    assert many.endswith("R5 (25 %) and 14 more.")
    assert len(names) == 20
    assert adjusted("tempered", labels, [0.0] * 20)[1] == []


def test_labels_are_pushed_apart_no_further_than_needed() -> None:
    at = np.array([0.0, 10.0, 11.0, 12.0, 30.0])
    out = spread_out(at, 4.0)
    assert np.diff(out).min() >= 4.0 - 1e-12
    np.testing.assert_allclose(out, [0.0, 7.0, 11.0, 15.0, 30.0])
    np.testing.assert_array_equal(spread_out(at, 0.5), at)


def numbers(path: str) -> np.ndarray:
    """x coordinates of a path of M, C and H commands."""
    pairs = re.findall(r"(-?[\d.]+),(-?[\d.]+)", path)
    return np.array([float(x) for x, _ in pairs] + [float(h) for h in re.findall(r"H(-?[\d.]+)", path)])


def test_every_arrow_of_a_cascade_with_feedback_stays_inside_its_frame() -> None:
    """Links back to an input, and between two inputs, once left the drawing on the left."""
    tree = make_tree()
    frame = tabulate(tree)
    frame.loc["nmda_drive_to_pv", "origin"] = "input"
    links = pd.DataFrame(
        [
            ("nmda_drive_to_pv", "nmda_conductance", 1.0, 1.0, "A", "power", "", ""),
            ("nmda_conductance", "camp_level", 1.0, 0.3, "B", "power", "", ""),
            ("camp_level", "pka_activity", 1.0, 0.8, "B", "power", "", ""),
            ("pka_activity", "nmda_conductance", -1.0, 0.2, "C", "power", "", ""),
        ],
        columns=["source", "target", "sign", "strength", "grade", "law", "cell", "where"],
    )
    drawn, omitted = cascade_diagram(frame, links)
    assert omitted == 0
    width = float(re.search(r'viewBox="0 0 (\d+)', drawn)[1])
    paths = [numbers(d) for d in re.findall(r'<path d="(M\d[^"]*)" fill="none"', drawn)]
    assert len(paths) > 10
    assert min(p.min() for p in paths) >= 0
    assert max(p.max() for p in paths) <= width
    boxes = [(float(x), float(w)) for x, w in re.findall(r'<rect x="(-?\d+)" y="[^"]*" width="(\d+)"', drawn)]
    assert all(x >= 0 and x + w <= width for x, w in boxes)
    assert width * 0.8 < 1080  # fits the page without scrolling


def test_the_colours_of_connectivity_share_one_scale() -> None:
    rng = np.random.default_rng(0)
    a = np.clip(rng.normal(0.2, 0.1, (12, 12)), -1, 1)
    group = np.repeat(["one", "two", "three"], 4).astype(object)
    healthy, changed, difference = fc_panels(a, 0.5 * a, group, "k")
    ends = [re.findall(r"[−+][\d.]+(?=<)", panel)[:2] for panel in (healthy, changed, difference)]
    assert ends[0] == ends[1]
    assert ends[2] != ends[0]
    assert len(fc_panels(a, None, group, "k")) == 1


def test_the_grey_of_symptoms_is_where_healthy_people_are() -> None:
    """Older results do not say where, and have no grey."""
    frame = pd.DataFrame(
        {"value": [1.0, -0.5], "lo90": [0.5, -1.0], "hi90": [1.5, 0.0], "origin": "emergent",
         "people_lo90": [-2.0, 0.25], "people_hi90": [0.5, 1.5]}, ["fear", "learning"],
    )  # fmt: skip
    drawn, bare = (symptom_profile(f) for f in (frame, frame.drop(columns=["people_lo90", "people_hi90"])))
    moved = symptom_profile(frame.assign(people_hi90=[3.0, 1.5]))
    assert drawn != moved
    assert drawn.count("FillBetween") > bare.count("FillBetween") == 0
