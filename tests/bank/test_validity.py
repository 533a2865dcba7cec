"""The bank's own test, on any model."""

from dataclasses import replace

import numpy as np
import pytest

from geoconcept_gis.bank.validity import concept_validity
from geoconcept_gis.concepts import ConceptBank
from geoconcept_gis.errors import Cancelled, GeoConceptError, InputError

NAMES = ["BWh", "lowland", "castle", "France", "coastal sea"]


def own(model):
    """A bank with four concepts of the bundled one, one of them backwards, and one that has no truth."""
    concepts = [replace(model.bank[name]) for name in NAMES]
    concepts[0] = replace(concepts[0], vector=-concepts[0].vector)
    concepts.append(replace(concepts[3], name="my country", aliases=()))
    return model.with_bank(ConceptBank(concepts, model.bank.references, space=model.space))


@pytest.fixture(scope="module")
def found(model, data):
    seen = []
    table = concept_validity(own(model), data=data, places=2000, progress=lambda *now: seen.append(now) and None)
    assert seen[-1][0] == seen[-1][1]
    assert len({total for _, total in seen}) == 1
    return table.set_index("concept")


def test_it_agrees_with_what_was_measured_when_the_bank_was_built(found, model):
    """Other places, the same labels: about the held-out values, a little above; heads too."""
    for name in NAMES[1:]:
        concept = model.bank[name]
        row = found.loc[concept.name]
        assert row["metric"] == "AUROC" and row["n_positive"] >= 10
        assert -0.03 < row["validity"] - concept.validity.value < 0.15
        assert -0.03 < row["validity_at_places"] - concept.validity_at_places.value < 0.15
    assert found.loc["lowland", "validity_at_places"] > found.loc["lowland", "validity"] + 0.01


def test_a_concept_that_reads_backwards_is_found_out(found, model):
    """The negated direction has the complement of the AUROC."""
    assert found.loc["hot desert climate", "validity"] < 0.05


def test_what_has_no_truth_is_listed_without_a_value(found):
    """No row is lost."""
    row = found.loc["my country"]
    assert np.isnan(row["validity"]) and row["n_positive"] == 0
    assert list(found.index)[-1] == "my country"


def test_places_that_are_not_fresh_are_said_to_be(found):
    """Photos with scenes are those that the bank was fitted on."""
    assert not found.loc["castle", "fresh"]
    assert found.loc["France", "fresh"]


def test_families_and_what_is_refused(model, data, tmp_path, monkeypatch):
    """Only the families asked for; unknown ones, too few places and absent data are errors; it can be cancelled."""
    table = concept_validity(own(model), data=data, places=1000, families=["terrain"])
    assert list(table["concept"]) == ["lowland"]
    with pytest.raises(InputError, match=r"no families \['weather'\]; there are climate"):
        concept_validity(model, data=data, families=["weather"])
    with pytest.raises(InputError, match="at least 1,000"):
        concept_validity(model, data=data, places=5)
    monkeypatch.setenv("GEOCONCEPT_DATA", str(tmp_path))
    with pytest.raises(GeoConceptError, match="GEOCONCEPT_DATA"):
        concept_validity(model)
    with pytest.raises(Cancelled):
        concept_validity(own(model), data=data, places=1000, families=["terrain"], progress=lambda *now: True)
