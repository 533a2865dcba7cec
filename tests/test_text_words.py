"""Phrases to words."""

import pytest

from geoconcept_gis.text.words import key_of, merge, singulars, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Olive groves by the Sea!", ["olive", "groves", "by", "the", "sea"]),
        ("snow-capped", ["snow", "capped"]),
        ("São Tomé", ["sao", "tome"]),
        ("Łódź, Tromsø, Þingvellir", ["lodz", "tromso", "thingvellir"]),
        ("the world's end", ["the", "world", "end"]),
        ("above 3000 m", ["above", "3000", "m"]),
        ("пустыня 砂漠", ["пустыня", "砂漠"]),
        ("   ...!", []),
    ],
)
def test_words_are_spelled_alike(text, words):
    assert split_words(text) == words


def test_the_longest_name_wins():
    """A name within a name is part of it."""
    names = {"new york", "new york city", "papua new guinea"}
    assert merge(["from", "new", "york", "city", "to", "new", "york"], names) == [
        "from",
        "new york city",
        "to",
        "new york",
    ]


def test_a_name_longer_than_the_text_is_no_match():
    assert merge(["new"], {"new york"}) == ["new"]


@pytest.mark.parametrize(
    ("word", "single"), [("deserts", "desert"), ("estuaries", "estuary"), ("beaches", "beach"), ("marshes", "marsh")]
)
def test_plurals_are_found(word, single):
    assert single in singulars(word)


@pytest.mark.parametrize("word", ["moss", "gas", "sea", "grass"])
def test_what_is_no_plural_stays(word):
    assert singulars(word) == []


def test_keys_stay_the_same():
    """The shipped table depends on them."""
    assert key_of("new york") == 1023335536
