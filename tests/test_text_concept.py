"""Words become concepts: direction, percentiles, evidence, grade; and the bank is found by meaning."""

import copy
import warnings

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.errors import ConceptError, InputError, ModelFileError, PhraseWarning
from geoconcept_gis.text import concept as module


class FakeTower:
    """Reads every text as the direction it is given, and says what it is told about it."""

    name, sha256, space = "fake", "0" * 64, "geoclip-1.3.0"

    def __init__(self, vector, geographic=1.0, unknown=(), known=("word",)):
        self.vector, self.chance, self.strange, self.heard = vector, geographic, list(unknown), list(known)

    def encode(self, texts):
        return np.stack([self.vector] * len(texts))

    def geographic(self, texts):
        return np.full(len(texts), self.chance)

    def unknown(self, texts):
        return [self.strange for _ in texts]

    def known(self, texts):
        return [self.heard for _ in texts]


class FakeClip:
    """Texts to CLIP features whose image head points where it is told."""

    name, sha256 = "fake-clip", "1" * 64

    def __init__(self, features):
        self.features = features

    def encode_text(self, texts):
        return np.stack([self.features[k % len(self.features)] for k in range(len(texts))])


@pytest.fixture
def tower(monkeypatch):
    """Set the tower that reads texts."""

    def use(*arguments, **more):
        fake = FakeTower(*arguments, **more)
        monkeypatch.setattr(module, "tower_of", lambda model: fake)
        return fake

    monkeypatch.delenv("GEOCONCEPT_CLIP_WEIGHTS", raising=False)
    return use


def test_a_text_becomes_a_concept_like_any_other(model, tower):
    """It is scored, mapped, taken away and written; it has percentiles but no calibration."""
    desert = model.bank["hot desert climate"]
    tower(desert.vector)
    concept = gc.concept_from_text("  scorched   sand ", model=model)
    assert (concept.name, concept.family, concept.grade) == ("scorched sand", "text", "B")
    assert concept.calibration is None and concept.provenance["tower"] == "fake"
    assert concept.provenance["nearest"].startswith("hot desert climate (A, 1.00)")
    cairo, london = model.score([[31.2, 30.0], [-0.1, 51.5]], concept)[:, 0]
    assert cairo > 80.0 and london < 60.0
    dataset = gc.concept_map(concept, bounds=(20, 20, 40, 40), resolution=2, model=model)
    assert dataset.attrs["geoconcept_kind"] == "percentile"
    assert dataset.attrs["geoconcept_text_tower_sha256"] == "0" * 64
    # What it adds to a place is much what the bank found for deserts, so it can be taken away.
    assert concept.pattern @ desert.pattern > 0.9
    assert abs(model.given("hot steppe climate", concept).vector @ concept.pattern) < 0.2
    with pytest.raises(ConceptError, match="no calibration: ask for kind='percentile'"):
        model.score([[31.2, 30.0]], concept, kind="calibrated")


def test_percentiles_are_of_land(model, tower):
    """Half of the land scores below the 50th."""
    tower(model.bank["tundra climate"].vector)
    concept = gc.concept_from_text("tundra", model=model)
    from geoconcept_gis.reference import reference_places

    scores = model.score(reference_places("uniform_land", 2_000, seed=9), concept)[:, 0]
    assert np.median(scores) == pytest.approx(50.0, abs=5.0)


def test_a_direction_that_nothing_vouches_for_is_graded_c(model, tower):
    """Random directions read no land that a tested concept reads."""
    vector = np.random.default_rng(0).normal(size=512)
    tower((vector / np.linalg.norm(vector)).astype(np.float32))
    assert gc.concept_from_text("whatever", model=model).grade == "C"


def test_a_phrase_about_no_place_is_flagged(model, tower):
    """Grade D, a warning, and the reason in the concept."""
    tower(model.bank["hot desert climate"].vector, geographic=0.2)
    with pytest.warns(PhraseWarning, match="about no place"):
        concept = gc.concept_from_text("sadness", model=model)
    assert concept.grade == "D" and "20% likely" in concept.failure


def test_unknown_words_are_named(model, tower):
    """Some: a warning and grade C. All: an error."""
    vector = model.bank["hot desert climate"].vector
    tower(vector, unknown=["xqz"])
    with pytest.warns(PhraseWarning, match="'xqz'"):
        concept = gc.concept_from_text("xqz desert", model=model)
    assert concept.grade == "C" and concept.provenance["unknown_words"] == "xqz"
    tower(vector, unknown=["xqz"], known=[])
    with pytest.raises(ConceptError, match=r"'xqz'.*English"):
        gc.concept_from_text("xqz", model=model)


@pytest.mark.parametrize("text", ["", "   ", None, 3])
def test_no_text_is_refused(model, text):
    """Before anything is loaded."""
    with pytest.raises(InputError, match="text must be"):
        gc.concept_from_text(text, model=model)
    with pytest.raises(InputError, match="query must be"):
        gc.search_concepts(text, model=model)


def test_another_models_space_is_refused(model, monkeypatch):
    """A direction of one space says nothing in another."""
    monkeypatch.setattr(module, "_loaded", lambda table: FakeTower(np.ones(512)))
    monkeypatch.setattr(FakeTower, "space", "another")
    with pytest.raises(ConceptError, match="reads vectors of space 'another'"):
        gc.concept_from_text("sand", model=model)


def test_wrong_arguments_are_refused(model):
    """Unknown tower, no results, CLIP without weights."""
    with pytest.raises(InputError, match="tower must be"):
        gc.concept_from_text("desert", tower="bert", model=model)
    with pytest.raises(InputError, match="top must be"):
        gc.search_concepts("desert", top=0, model=model)


def test_clip_is_not_asked_for_a_model_that_does_not_read_it(model, tower, monkeypatch):
    """Its image head takes other features: by name that is an error, else the words do alone."""
    other = copy.copy(model)
    other.config = {**model.config, "image": {"tower": "dinov2", "dim": 1280}}
    monkeypatch.setattr(module, "_clip", lambda *a, **k: pytest.fail("CLIP was asked"))
    tower(model.bank["hot desert climate"].vector)
    assert gc.concept_from_text("desert", model=other).provenance["tower"] == "fake"
    with pytest.raises(InputError, match="'dinov2': tower='clip' does not fit"):
        gc.concept_from_text("desert", tower="clip", model=other)


def test_clip_without_weights_says_how_to_get_them(model, monkeypatch):
    """Nothing is fetched unasked."""
    monkeypatch.delenv("GEOCONCEPT_CLIP_WEIGHTS", raising=False)
    with pytest.raises(ModelFileError, match="download"):
        gc.concept_from_text("desert", tower="clip", model=model)


def test_two_towers_are_compared(model, tower, monkeypatch):
    """Where CLIP is at hand it is asked, too; if they disagree the concept says so."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(8, 768)).astype(np.float32)
    clip = FakeClip(features)
    monkeypatch.setattr(module, "_clip", lambda *a, **k: clip)
    own = module._by_clip(clip, "x", model)
    tower(own)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        agreed = gc.concept_from_text("x", model=model)
    assert float(agreed.provenance["towers_agree"]) == pytest.approx(1.0, abs=0.01)
    tower(-own)
    with pytest.warns(PhraseWarning, match="disagree"):
        assert gc.concept_from_text("x", model=model).grade == "C"
    alone = gc.concept_from_text("x", tower="clip", model=model)
    np.testing.assert_allclose(alone.vector, own, atol=1e-6)
    assert alone.provenance["tower"] == "fake-clip"


def test_the_bundled_tower_finds_what_everyone_knows(model):
    """The real one, offline: score of a place that must be high beside one that must be low."""
    for text, high, low in (
        ("olive groves by the sea", [23.7, 38.0], [100.0, 60.0]),
        ("hot desert", [25.0, 24.0], [10.0, 61.0]),
        ("cold mountains in Asia", [86.0, 30.0], [-60.0, -5.0]),
        ("Brazil", [-47.9, -15.8], [139.7, 35.7]),
    ):
        one, other = model.score([high, low], gc.concept_from_text(text, model=model))[:, 0]
        assert one > 90.0 and one > other, text
    with pytest.raises(ConceptError, match="qwxrt"):
        gc.concept_from_text("qwxrt zzkj", model=model)


@pytest.mark.parametrize(
    ("query", "name"),
    [("wine", "wine landscape"), ("church", "cathedral"), ("glaciers", "glacier"), ("frozen ground", "severe winters")],
)
def test_concepts_are_found_by_meaning(model, query, name):
    """Aliases count as names."""
    found = gc.search_concepts(query, model=model)
    assert name in found["name"].tolist()
    assert found["match"].is_monotonic_decreasing and found["match"].between(0.0, 1.0).all()
