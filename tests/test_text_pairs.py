"""What the text tower is trained on, and what it may not see."""

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import InputError
from geoconcept_gis.fitting import centre
from geoconcept_gis.text import pairs as module
from geoconcept_gis.text.build import Vocabulary
from geoconcept_gis.text.pairs import HELD_OUT, HeldOut, Whitening, training_pairs
from geoconcept_gis.text.pairs_truths import PHRASES, Places, read_phrases
from geoconcept_gis.text.words import split_words


@pytest.fixture(scope="module")
def places(model):
    """A small pool: even over land, with all that is known of it."""
    try:
        data = data_folder()
    except InputError as error:
        pytest.skip(str(error))
    lonlat = gc.reference_places("uniform_land", 3_000)
    z = centre(model.encode(lonlat), model.bank.references["uniform_land"])
    return Places(lonlat, z, np.ones(len(lonlat), dtype=bool), data, model)


def test_held_out_phrases_and_words(tmp_path):
    """A phrase is kept out as a whole text, words wherever they stand."""
    (tmp_path / "held.txt").write_text("# why\n= deep sea\n~ fjord\n~ sri lanka\n", encoding="utf-8")
    held = HeldOut(tmp_path / "held.txt")
    forbidden = ["Deep Sea", "deep-sea!", "a fjord", "coast of Sri Lanka", "Fjord"]
    allowed = ["deep sea fish", "fjords", "lanka", "sea"]
    assert [held.forbids(text) for text in forbidden + allowed] == [True] * 5 + [False] * 4


def test_the_phrases_can_be_read():
    sections = read_phrases()
    assert {"adjectives", "landforms", "relations", "regions", "countries"} <= set(sections)
    phrases = [phrase for lines in sections.values() for some in lines.values() for phrase in some]
    assert len(phrases) > 2_500
    assert all(split_words(phrase) for phrase in phrases)


def test_a_line_that_is_no_phrase_is_named(tmp_path):
    (tmp_path / "bad.txt").write_text("[landforms]\nsea = sea\nland\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 3"):
        read_phrases(tmp_path / "bad.txt")


def test_truths_are_read_as_written(places):
    """Terms, brackets, not, and names of every kind."""
    lon, lat = places.lonlat.T
    np.testing.assert_array_equal(places.mask("lat>10 & lat<20 | lon<-100"), (lat > 10) & (lat < 20) | (lon < -100))
    np.testing.assert_array_equal(places.mask("lat>10 & (lat<20 | lon<-100)"), (lat > 10) & ((lat < 20) | (lon < -100)))
    np.testing.assert_array_equal(places.mask("!@Africa"), ~places.mask("@Africa"))
    np.testing.assert_array_equal(places.mask("box -20 -35 52 38 & @Africa"), places.mask("@Africa"))
    assert places.mask("@Latin America").sum() > places.mask("@Brazil").sum() > 100
    assert not (places.mask("path 0 51, 3 51 < 100") & (np.abs(lat - 51) > 1.0)).any()
    for name in ("Sahara", "Middle Africa", "Texas", "North America"):
        assert places.mask(f"@{name}").any(), name


@pytest.mark.parametrize("truth", ["@Nowhere", "nonsense", "bogus>3", "(lat>3", "lat>3 lat<5", "lat>3 &", "lat>3)"])
def test_a_truth_with_a_mistake_is_refused(places, truth):
    with pytest.raises(InputError):
        places.mask(truth)


@pytest.fixture(scope="module")
def pairs(places):
    held_here = {
        section: {truth: phrases for truth, phrases in lines.items() if section == "names" or places.mask(truth).any()}
        for section, lines in read_phrases().items()
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "read_phrases", lambda: held_here)
        patched.setattr(module, "_PATTERNS", tuple((pattern, 60) for pattern, _ in module._PATTERNS))
        return training_pairs(places, Whitening(places.z), HeldOut(HELD_OUT), seed=1)


def test_no_training_text_is_held_out(pairs):
    """Whatever the benchmark asks was never trained on: neither the phrase, nor its words."""
    lines = HELD_OUT.read_text(encoding="utf-8").splitlines()
    phrases = {" ".join(split_words(line[2:])) for line in lines if line.startswith("= ")}
    words = [f" {' '.join(split_words(line[2:]))} " for line in lines if line.startswith("~ ")]
    assert phrases
    assert words
    texts = [text for entries in pairs.texts.values() for text, _, _ in entries] + pairs.other
    assert len(texts) > 50_000
    joined = [" ".join(split_words(text)) for text in texts]
    assert not phrases.intersection(joined)
    whole = "|".join(f" {text} " for text in joined)
    assert [word for word in words if word in whole] == []


def test_a_truth_without_places_is_named(places):
    """In so small a pool some truths hold nowhere; a real build must not pass over one."""
    with pytest.raises(InputError, match="holds for none of the places at hand"):
        training_pairs(places, Whitening(places.z), HeldOut(HELD_OUT))


def test_every_text_has_a_target(pairs):
    for group, entries in pairs.texts.items():
        rows = np.array([row for _, row, _ in entries])
        assert rows.max() < len(pairs.targets), group
        assert min(weight for _, _, weight in entries) > 0, group
    np.testing.assert_allclose(np.linalg.norm(pairs.targets[::500], axis=1), 1.0, atol=1e-5)


def test_a_target_reads_its_places(places, pairs):
    """The direction of a text, read at the places, finds them."""
    to_direction = Whitening(places.z).to_direction
    row = next(row for text, row, _ in pairs.texts["names"] if text == "Antarctica")
    score = places.z @ (pairs.targets[row] @ to_direction)
    assert score[places.lonlat[:, 1] < -70].min() > np.median(score)


def test_compositions_hold_where_their_parts_hold(pairs):
    texts = [text for text, _, _ in pairs.texts["compositions"]]
    assert len(set(texts)) == len(texts)
    assert len(texts) > 50
    assert any(" in " in text for text in texts)


def test_the_vocabulary_has_the_words_that_are_trained(pairs):
    vocabulary = Vocabulary(pairs, ["sorrow", "wonderful"], {"oasis"})
    assert {"desert", "wonderful", "oasis", "south africa"} <= set(vocabulary.terms)
    assert len(set(vocabulary.terms)) == len(vocabulary.terms)
    [[first, second, third]] = vocabulary.numbers(["south africa deserts qwrtzx"])
    assert vocabulary.terms[first] == "south africa"
    assert vocabulary.terms[second] in ("desert", "deserts")
    assert vocabulary.outside[-1 - third] == "qwrtzx"


def test_the_phrase_file_is_the_one_that_ships():
    assert PHRASES.is_file()
