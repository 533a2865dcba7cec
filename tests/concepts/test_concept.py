"""Concepts: construction, records, column names."""

import json

import numpy as np
import pytest

from geoconcept_gis.concepts import Calibration, Concept, Validity, slug
from geoconcept_gis.errors import ConceptError


def make(**changes):
    values = {"name": "hot desert", "vector": np.arange(1.0, 513.0), "space": "s"} | changes
    return Concept(**values)


def test_vector_is_normalised():
    """Any length goes in, unit length comes out."""
    assert np.linalg.norm(make().vector) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vector": np.zeros(512)}, "not zero"),
        ({"vector": np.full(512, np.nan)}, "finite"),
        ({"vector": np.ones(511)}, r"shape \(512,\); got \(511,\)"),
        ({"name": " - "}, "letter or digit"),
        ({"percentiles": np.ones(5)}, "101 rising"),
        ({"percentiles": np.linspace(1, 0, 101)}, "101 rising"),
    ],
)
def test_bad_concepts_are_refused(changes, message):
    """Each malformed field is named."""
    with pytest.raises(ConceptError, match=message):
        make(**changes)


@pytest.mark.parametrize("slope", [0.0, -1.0, np.nan, np.inf])
def test_calibration_must_rise(slope):
    """A calibration that turns scores upside down is refused."""
    with pytest.raises(ConceptError, match="slope"):
        Calibration(slope, 0.0)


def test_record_round_trip_through_json():
    """A concept survives JSON with every field."""
    concept = make(
        family="climate",
        aliases=("BWh",),
        calibration=Calibration(10.0, -3.0, ece=0.01),
        percentiles=np.linspace(-1, 1, 101),
        validity=Validity("AUROC", 0.98, (0.97, 0.99), 10, 90, "blocks", "land", {"xyz": 0.5}),
        provenance={"truth": "here"},
        licence="MIT",
        grade="A",
    )
    record = json.loads(json.dumps(concept.record()))
    again = Concept.from_record(record, vector=concept.vector, percentiles=concept.percentiles, space="s")
    assert again.record() == concept.record()
    assert again.validity.interval == (0.97, 0.99)
    np.testing.assert_array_equal(again.vector, concept.vector)


@pytest.mark.parametrize(
    "record",
    [
        {"name": "x", "colour": "red"},
        {"name": "x", "calibration": {"slope": 1.0}},
        {"name": "x", "calibration": 3},
        {"name": "x", "validity": {"metric": "AUROC", "value": 1.0, "interval": [1]}},
        {"name": 3},
        {},
    ],
)
def test_malformed_records_are_refused(record):
    """Foreign or damaged JSON gives a concept error, not a stray TypeError."""
    with pytest.raises(ConceptError):
        Concept.from_record(record, vector=np.ones(512), percentiles=None, space="s")


def test_names_for_columns_and_variables():
    """Columns carry a prefix, variables do not."""
    concept = make(name="Hot desert (BWh)")
    assert (concept.column, concept.variable) == ("concept_hot_desert_bwh", "hot_desert_bwh")
    assert slug("Köppen É") == "k_ppen"
