"""Differences between banks: what is told, and that nothing is missed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from geoconcept_gis.concepts import Calibration, Concept, ConceptBank, Validity
from geoconcept_gis.concepts.diff import same
from geoconcept_gis.errors import ConceptError

MEAN = np.full(512, 0.01)


def concept(name, seed=0, **changes):
    rng = np.random.default_rng(seed)
    values = {
        "vector": rng.normal(size=512),
        "pattern": rng.normal(size=512),
        "space": "s",
        "grade": "B",
        "calibration": Calibration(10.0, -1.0, ece=0.02),
        "validity": Validity("AUROC", 0.9, (0.88, 0.92), controls={"moved labels": 0.6}),
        "percentiles": np.linspace(-0.5, 0.5, 101),
    } | changes
    return Concept(name, **values)


@pytest.fixture
def bank():
    return ConceptBank([concept("dune"), concept("fjord", 1), concept("moor", 2)], {"uniform_land": MEAN}, space="s")


def changed(bank, **changes):
    """The difference to the same bank with one concept changed."""
    return bank.diff(bank.merge(ConceptBank([replace(bank["dune"], **changes)], bank.references, space="s"), "replace"))


def test_nothing_changed(bank, tmp_path):
    """A bank is equal to itself, also after a trip through files."""
    again = ConceptBank.load(bank.save(tmp_path))
    stored = ConceptBank.load(again.save(tmp_path))
    for diff in (bank.diff(bank), again.diff(stored)):
        assert not diff
        assert str(diff) == "no difference"


def test_added_and_removed(bank):
    """Both directions, with the grade of what is new."""
    other = bank.remove("moor").add(concept("reef", 3))
    diff = bank.diff(other)
    assert str(diff).splitlines() == ["1 concept added, 1 removed, 0 changed", "- moor (B)", "+ reef (B)"]
    assert [c.name for c in other.diff(bank).added] == ["moor"]
    assert diff.record()["removed"] == ["moor"]


def test_grade_validity_calibration_and_direction(bank):
    """The line of a changed concept says what matters first, in numbers."""
    vector = bank["dune"].vector + 0.01 * bank["moor"].vector
    new = {
        "vector": vector,
        "grade": "A",
        "validity": Validity("AUROC", 0.95, (0.93, 0.96), controls={"moved labels": 0.6}),
        "calibration": Calibration(11.0, -1.0, ece=0.01),
        "description": "Sand.",
    }
    diff = changed(bank, **new)
    [change] = diff.changed
    assert change.fields["grade"] == ("B", "A")
    assert change.fields["validity.value"] == (0.9, 0.95)
    assert change.arrays["vector"] == pytest.approx(float(bank["dune"].vector @ vector / np.linalg.norm(vector)))
    assert str(diff).splitlines()[1] == (
        "~ dune: grade B -> A, AUROC 0.900 -> 0.950, calibration error 0.020 -> 0.010, vector cosine above 0.9999, "
        "description, calibration, validity"
    )
    assert json.loads(json.dumps(diff.record()))["changed"][0]["fields"]["grade"] == ["B", "A"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"grade": None}, "grade B -> none"),
        ({"calibration": None}, "calibration error 0.020 -> none"),
        ({"pattern": None}, "pattern"),
        ({"percentiles": np.linspace(-0.5, 0.6, 101)}, "percentiles"),
        ({"aliases": ("D",)}, "aliases"),
        ({"family": "other"}, "family"),
        ({"failure": "at night"}, "failure"),
        ({"provenance": {"truth": "x"}}, "provenance"),
        ({"validity": None}, "validity 0.900 -> none"),
        ({"vector": -np.arange(1.0, 513.0)}, "vector cosine"),
    ],
)
def test_every_field_counts(bank, changes, told):
    """Whatever differs is seen, and named."""
    diff = changed(bank, **changes)
    assert diff
    assert told in str(diff)
    assert not same(bank["dune"], replace(bank["dune"], **changes))


def test_references_and_order(bank):
    """Means that moved, came or went are told; so is another order."""
    other = ConceptBank(bank, {"uniform_land": MEAN * 2, "photos": MEAN}, space="s")
    assert "reference uniform_land: changed, mean moved by 0.23" in str(bank.diff(other))
    assert "reference photos: added" in str(bank.diff(other))
    assert "reference photos: removed" in str(other.diff(bank))
    turned = ConceptBank(reversed(list(bank)), bank.references, space="s")
    assert bank.diff(turned).reordered
    assert "order" in str(bank.diff(turned))
    # One more in front moves nobody.
    assert not bank.diff(ConceptBank([concept("reef", 3), *bank], bank.references, space="s")).reordered


def test_a_name_that_became_an_alias_is_a_change(bank):
    """A renamed concept is one gone and one new, even if the old name still finds it."""
    renamed = replace(bank["dune"], name="erg", aliases=("dune",))
    diff = bank.diff(ConceptBank([renamed, bank["fjord"], bank["moor"]], bank.references, space="s"))
    assert ([c.name for c in diff.added], [c.name for c in diff.removed]) == (["erg"], ["dune"])


def test_other_spaces_cannot_be_compared(bank):
    """Vectors of two models have no cosine."""
    with pytest.raises(ConceptError, match="cannot be compared"):
        bank.diff(ConceptBank([], {}, space="t"))
