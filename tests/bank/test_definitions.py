"""What the concepts mean."""

import numpy as np
import pytest

from geoconcept_gis.bank.definitions import FAMILIES, NEGATIVES, definitions
from geoconcept_gis.bank.sources import SOURCES, Truths, countries
from geoconcept_gis.concepts.concept import slug

FOUND = definitions(["France", "Japan", "United States of America"])


def test_names_and_aliases_are_unique():
    """No two concepts answer to the same word."""
    words = [slug(word) for one in FOUND for word in (one.name, *one.aliases)]
    assert len(words) == len(set(words))


def test_everything_is_said():
    """Each has a family, a sentence, a known truth, negatives and prompts for text towers."""
    for one in FOUND:
        assert one.family in FAMILIES
        assert one.description.endswith(".")
        assert one.source in SOURCES
        assert one.universe in NEGATIVES
        assert one.prompts
    assert {one.family for one in FOUND} == set(FAMILIES)


def test_scenes_and_culture_are_told_from_other_photo_places():
    """Against land at random they would only learn where people take photos."""
    assert {one.universe for one in FOUND if one.family in ("scene", "culture")} == {"photo_places"}


def test_countries_keep_their_official_name_as_alias():
    """The common name comes first."""
    [states] = [one for one in FOUND if one.name == "United States"]
    assert states.aliases == ("United States of America",)


PLACES = {
    "Sahara": (25.0, 23.0),
    "Alps": (10.5, 46.8),
    "Amazon": (-55.0, -4.0),
    "Paris": (2.35, 48.86),
    "Pacific": (-140.0, 10.0),
    "Tibet": (88.0, 33.0),
    "Hawaii": (-155.4, 19.45),
}
EXPECTED = {
    "hot desert climate": {"Sahara": 1, "Alps": 0, "Amazon": 0, "Paris": 0},
    "tropical rainforest": {"Sahara": 0, "Amazon": 1, "Paris": 0},
    "barren land": {"Sahara": 1, "Amazon": 0},
    "above 3,000 m": {"Tibet": 1, "Paris": 0, "Amazon": 0},
    "rugged relief": {"Alps": 1, "Amazon": 0},
    "mountain range": {"Alps": 1, "Amazon": 0},
    "desert region": {"Sahara": 1, "Paris": 0},
    "near a large city": {"Paris": 1, "Sahara": 0},
    "remote": {"Paris": 0},
    "volcano": {"Hawaii": 1, "Paris": 0},
    "sea": {"Pacific": 1, "Paris": 0},
    "open ocean": {"Pacific": 1, "Paris": 0},
    "Sahara": {"Sahara": 1, "Paris": 0},
    "Amazon": {"Amazon": 1, "Alps": 0},
    "Europe": {"Paris": 1, "Amazon": 0},
    "France": {"Paris": 1, "Alps": 0, "Amazon": 0},
    "severe winters": {"Tibet": 0, "Amazon": 0},
    "lush green": {"Amazon": 1, "Sahara": 0},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_labels_at_places_everyone_knows(name, data):
    """The truth of a concept says what an atlas says."""
    names = list(PLACES)
    truths = Truths(np.array(list(PLACES.values())), data)
    [one] = [one for one in definitions(countries(data)) if one.name == name]
    label = one.label(truths)
    found = {place: label[names.index(place)] for place in EXPECTED[name]}
    assert found == {place: float(value) for place, value in EXPECTED[name].items()}


def test_a_shore_is_neither(data):
    """A place that the climate raster calls sea is left out, not counted as without the label."""
    truths = Truths(np.array([PLACES["Pacific"]]), data)
    [one] = [one for one in FOUND if one.name == "hot desert climate"]
    assert np.isnan(one.label(truths)).all()
