"""What a result says about itself is what was run."""

import re
from dataclasses import replace

import pytest

from synsys.circuit.calibration import GROUPS, ensemble, members
from synsys.core.errors import UserError
from synsys.data.embedded import load_embedded
from synsys.knowledge.load import vocabulary
from synsys.measures.standing import CALIBRATED, HELD, PUBLISHED
from synsys.scales.cascade import resolve
from synsys.scales.describe import created, digests, methods, references
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
    brain = load_embedded()
    with_pet = replace(brain, maps=brain.maps.assign(GABAa=brain.maps["GABRA1"]))
    assert any("Hansen et al. 2022" in text for text in references(Runner(with_pet, 2), ()))
    assert "1 PET" in methods(Runner(with_pet, 2), ())
    alike = Runner(with_pet, 2, beta=0)
    assert not any("Hansen" in text for text in references(alike, ()))
    assert "no regional map enters" in methods(alike, ())


def test_the_digest_of_a_connectome_changes_with_everything_that_enters_a_run() -> None:
    brain = load_embedded()
    first = digests(brain)["connectome"]
    other = {
        "weights": {"weights": 1.01 * brain.weights},
        "lengths": {"lengths": 1.01 * brain.lengths},
        "maps": {"maps": brain.maps.assign(PVALB=brain.maps["PVALB"][::-1].to_numpy())},
        "regions": {"regions": brain.regions.assign(network=brain.regions["network"].replace("Vis", "Cont"))},
        "fc": {"fc": None},
    }
    found = {what: digests(replace(brain, **change))["connectome"] for what, change in other.items()}
    assert len({first, *found.values()}) == 1 + len(other), found
    assert digests(replace(brain, name="the same by another name"))["connectome"] == first


def test_the_date_of_a_run_can_be_fixed(monkeypatch) -> None:
    """https://reproducible-builds.org: SOURCE_DATE_EPOCH replaces the clock."""
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", created())
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert created() == "1970-01-02"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(UserError, match="'soon'"):
        created()


def test_calibrated_readouts_name_facts_of_the_ensemble() -> None:
    """Facts are columns of the calibration tables; those that no readout shows are not asked for."""
    facts = {str(c) for group in GROUPS for c in ensemble(group).columns if ":" not in str(c)}
    assert {fact for fact in CALIBRATED.values() if fact not in (HELD, PUBLISHED)} <= facts
    assert set(CALIBRATED) <= set(vocabulary())
