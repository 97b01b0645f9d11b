"""What a result says about itself is what was run."""

import re

import pytest

from synsys.circuit.calibration import members
from synsys.data.embedded import load_embedded
from synsys.scales.cascade import resolve
from synsys.scales.describe import methods, references
from synsys.scales.runs import Runner


@pytest.mark.parametrize(("draws", "used"), [(3, 3), (members() + 5, members())])
def test_the_methods_paragraph_counts_the_members_that_were_used(draws: int, used: int) -> None:
    text = methods(Runner(load_embedded(), draws), ())
    assert f"{draws} draws combine {used} of the {members()} members" in text


def test_the_source_of_everything_that_entered_is_cited_once() -> None:
    """Haemodynamics, BOLD, connectome, expression and the sizes of a disorder."""
    cited = references(Runner(load_embedded(), 2), resolve((), "schizophrenia"))
    for source in ("Friston", "Stephan", "Logothetis", "Pille", "Van Essen", "Hawrylycz", "Sekar"):
        assert sum(source in text for text in cited) == 1, source
    places = [place for text in cited for place in re.findall(r"\b[A-Z]\w+ \d+:\d+", text)]
    assert len(places) > 15
    assert len(set(places)) == len(places)
    assert not any("Hansen" in text for text in cited)  # the embedded brain has no PET maps


def test_a_brain_with_receptor_maps_cites_their_atlas_and_one_without_maps_none() -> None:
    from dataclasses import replace

    brain = load_embedded()
    with_pet = replace(brain, maps=brain.maps.assign(GABAa=brain.maps["GABRA1"]))
    assert any("Hansen et al. 2022" in text for text in references(Runner(with_pet, 2), ()))
    assert "1 PET" in methods(Runner(with_pet, 2), ())
    alike = Runner(with_pet, 2, beta=0)
    assert not any("Hansen" in text for text in references(alike, ()))
    assert "no regional map enters" in methods(alike, ())
