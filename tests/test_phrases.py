"""The phrases that words-to-places is tested on, and the benchmark that scores them."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import phrases, words
from benchmarks.phrases import KINDS, PHRASES, normalise
from benchmarks.where import along, box, tropics
from geoconcept_gis import load_model
from geoconcept_gis.bank.sources import Truths, data_folder
from geoconcept_gis.errors import GeoConceptError
from geoconcept_gis.fitting import centre
from geoconcept_gis.reference import reference_places


def of_kind(kind):
    return [one for one in PHRASES if one.kind == kind]


def test_enough_phrases_of_every_kind():
    assert {kind: len(of_kind(kind)) >= 40 for kind in KINDS} == dict.fromkeys(KINDS, True)
    assert len(PHRASES) == sum(len(of_kind(kind)) for kind in KINDS) >= 230


def test_no_phrase_is_there_twice():
    texts = [normalise(one.text) for one in PHRASES]
    assert len(set(texts)) == len(texts)
    assert all(texts)


def test_every_phrase_has_what_its_kind_asks():
    for one in PHRASES:
        assert (one.truth is None) == (one.kind == "no place"), one.text
        assert bool(one.held_out) == (one.kind in ("synonym", "place")), one.text
        assert one.common <= (one.kind == "word"), one.text
        assert one.truth is None or one.truth.says, one.text


def test_held_out_words_are_single_and_tell_the_phrase():
    for one in PHRASES:
        assert all(normalise(word) == word and " " not in word for word in one.held_out), one.text
        assert not one.held_out or set(one.held_out) & set(normalise(one.text).split()), one.text


def test_what_is_held_out_of_one_phrase_is_not_what_another_is_made_of():
    """A composition of words that training never saw would not test composition."""
    banned = {word for one in PHRASES for word in one.held_out}
    for one in PHRASES:
        if not one.held_out:
            assert not banned & set(normalise(one.text).split()), one.text


def test_the_list_for_the_training_is_the_table():
    assert phrases.HELD_OUT.read_text(encoding="utf-8") == phrases.held_out(), "run benchmarks/phrases.py --write"


@pytest.mark.parametrize(
    ("text", "expected"), [("São Paulo", "sao paulo"), ("  Rice-growing  LANDS,", "rice growing lands"), ("É", "e")]
)
def test_normalise(text, expected):
    assert normalise(text) == expected


def test_sets_of_places_combine():
    truths = SimpleNamespace(lonlat=np.array([[0.0, 0.0], [179.0, 10.0], [-179.0, 50.0], [0.0, 80.0]]))
    assert box(170, 0, -170, 60).holds(truths).tolist() == [False, True, True, False]
    assert (tropics() & ~box(-1, -1, 1, 1)).holds(truths).tolist() == [False, True, False, False]
    assert (tropics() | box(-180, 70, 180, 90)).holds(truths).tolist() == [True, True, False, True]
    assert (tropics() & ~box(-1, -1, 1, 1)).says == "latitude up to 23.44 and not (box -1, -1, 1, 1)"


def test_along_measures_on_the_sphere():
    truths = SimpleNamespace(lonlat=np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 0.5], [0.0, 89.9], [180.0, 89.9]]))
    assert along(112, (0, 0)).holds(truths).tolist() == [True, True, False, False, False]
    assert along(112, (0, 0), (10, 0)).holds(truths).tolist() == [True, True, True, False, False]
    assert along(112, (0, 90)).holds(truths).tolist() == [False, False, False, True, True]


@pytest.fixture(scope="module")
def land():
    """Places on land, and which of them each phrase is about."""
    try:
        lonlat = reference_places("uniform_land", 2_000, seed=phrases.SEED)
        return lonlat, phrases.labels(Truths(lonlat, data_folder()))
    except (GeoConceptError, ImportError) as error:
        pytest.skip(f"fitting data, or a package of truths, absent: {error}")


def test_every_truth_is_found_on_land_and_leaves_most_of_it(land):
    shares = {text: label.mean() for text, label in land[1].items()}
    assert all(label.dtype == bool and label.shape == (2_000,) for label in land[1].values())
    # On 2,000 places the smallest truth, 0.1 % of the land, is two places: only the larger ones can be told from zero.
    assert [text for text, share in shares.items() if share > 0.6] == []
    assert sum(share == 0.0 for share in shares.values()) <= 3
    assert shares["tropical"] == pytest.approx(0.19, abs=0.05)
    assert shares["antarctic"] == pytest.approx(0.082, abs=0.03)


def test_an_oracle_is_perfect_and_chance_is_half(land):
    found = {text: label for text, label in land[1].items() if label.sum() >= 20}
    oracle = {text: words.weighted_auroc(label.astype(float), label)[0] for text, label in found.items()}
    assert set(oracle.values()) == {1.0}
    chance = np.random.default_rng(0).normal(size=2_000)
    assert np.mean([words.weighted_auroc(chance, label)[0] for label in found.values()]) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("text", "concept"), [("desert", "desert climate"), ("boreal", "boreal climate"), ("ice", "ice sheet")]
)
def test_the_banks_own_vectors_find_the_same_truth(land, text, concept):
    lonlat, found = land
    model = load_model(backend="numpy")
    z = centre(model.encode(lonlat), model.bank.references["uniform_land"])
    assert words.weighted_auroc(z @ model.bank[concept].vector, found[text])[0] > 0.95


class FakeTower:
    """Knows the answers, or nothing at all."""

    def __init__(self, directions, *, sure):
        self.directions, self.sure = directions, sure

    def encode(self, texts):
        return np.stack([self.directions[text] for text in texts])

    def geographic(self, texts):
        return np.array([self.sure if text in self.directions else 1.0 - self.sure for text in texts])


@pytest.fixture
def made_up():
    """Random vectors with random labels, few enough that a direction can be found to any of them."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 512)).astype(np.float32)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return z, {one.text: rng.random(300) < 0.1 for one in words.GEOGRAPHIC}


def page(tower, made_up):
    return words.words_page(tower, load_model(backend="numpy"), *made_up)


def test_a_tower_that_knows_the_answers_meets_every_bar(made_up):
    z, labels = made_up
    tower = FakeTower({text: z[label].mean(axis=0) for text, label in labels.items()}, sure=0.9)
    lines = page(tower, made_up)
    assert [line.split("|")[-2].strip() for line in lines[2:5]] == ["met"] * 3
    assert "About no place, yet not flagged: none." in lines
    assert "About places, yet flagged: none." in lines
    table = {line.split("|")[1].strip(): line for line in lines if line.startswith("|")}
    assert table["the truth itself"].split("|")[-2].strip() == "1.000"
    assert float(table["directions of other phrases"].split("|")[-2]) == pytest.approx(0.5, abs=0.03)
    assert float(table["random directions"].split("|")[-2]) == pytest.approx(0.5, abs=0.03)


def test_a_tower_that_knows_nothing_misses_every_bar(made_up):
    rng = np.random.default_rng(1)
    tower = FakeTower({text: rng.normal(size=512) for text in made_up[1]}, sure=0.1)
    lines = page(tower, made_up)
    assert [line.split("|")[-2].strip() for line in lines[2:5]] == ["missed"] * 3
    assert any(line.startswith(f"About places, yet flagged: {len(words.GEOGRAPHIC)} (") for line in lines)


def test_every_phrase_is_listed_worst_first(made_up):
    z, labels = made_up
    lines = page(FakeTower({text: z[label].mean(axis=0) for text, label in labels.items()}, sure=0.9), made_up)
    rows = lines[next(k for k, line in enumerate(lines) if line.startswith("| phrase |")) + 2 :]
    assert {row.split("|")[1].strip() for row in rows} == set(labels)
    values = [float(row.split("|")[4]) for row in rows]
    assert values == sorted(values)


def test_a_derangement_leaves_nothing_in_place():
    order = words.derangement(50, np.random.default_rng(0))
    assert sorted(order) == list(range(50))
    assert not (order == np.arange(50)).any()
