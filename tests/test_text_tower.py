"""The bundled text tower: words to directions, offline and without torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.errors import MissingDependencyError, ModelFileError
from geoconcept_gis.fitting import centre
from geoconcept_gis.text import static
from geoconcept_gis.text.lookup import LOOKUP, WordLookup
from geoconcept_gis.text.tower import ADAPTER, ADAPTER_JSON, BundledTower

HOME = Path(static.__file__).parent


@pytest.fixture(scope="module")
def tower():
    return BundledTower.load()


@pytest.fixture(scope="module")
def land(model):
    """Centred vectors of places on land, as `encode` reads them."""
    places = gc.reference_places("uniform_land", 4_000, seed=5)
    return places, centre(model.encode(places), model.bank.references["uniform_land"])


def auroc(score, label):
    rank = np.argsort(np.argsort(score))
    positive = label.sum()
    return (rank[label].sum() - positive * (positive - 1) / 2) / (positive * (len(label) - positive))


def test_directions_are_unit_and_of_the_model(tower, model):
    found = tower.encode(["hot desert", "Iceland", "a phrase with qwrtzx in it"])
    assert found.shape == (3, 512)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    assert tower.space == model.space


def test_a_phrase_does_not_depend_on_its_neighbours(tower):
    alone, both = tower.encode(["hot desert"]), tower.encode(["Iceland", "hot desert"])
    np.testing.assert_allclose(alone[0], both[1], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("close to the equator", lambda lon, lat: np.abs(lat) < 10),
        ("in the far north", lambda lon, lat: lat > 60),
        ("the southern hemisphere", lambda lon, lat: lat < -12),
        ("Antarctica", lambda lon, lat: lat < -66),
        ("Australian outback", lambda lon, lat: (lon > 115) & (lon < 150) & (lat > -36) & (lat < -14)),
        ("hot and dry places in Africa", lambda lon, lat: (lon > -15) & (lon < 33) & (lat > 18) & (lat < 31)),
    ],
)
def test_phrases_find_their_places(tower, land, text, where):
    """Latitude and longitude are enough of a truth for these."""
    places, z = land
    assert auroc(z @ tower.encode([text])[0], where(*places.T)) > 0.9


def test_phrases_agree_with_the_concepts_of_the_bank(tower, land, model):
    """The map of a concept's name is like the concept's own map."""
    _, z = land
    names = ["hot desert climate", "tropical rainforest", "tundra vegetation", "mountain range", "Sahara", "Brazil"]
    ours, theirs = z @ tower.encode(names).T, z @ np.array([model.bank[name].vector for name in names]).T
    assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(ours.T, theirs.T, strict=True)) > 0.6


def test_words_about_no_place_are_flagged(tower):
    places = ["mountains", "Peru", "rainy coast", "farmland in Europe", "a village by a lake"]
    others = ["jealousy", "an invoice", "gratitude and regret", "how to sort an array", "my password"]
    assert (tower.geographic(places) > 0.5).all()
    assert (tower.geographic(others) < 0.5).all()


def test_words_of_other_languages_are_named(tower):
    assert tower.unknown(["pustynia piaszczysta", "砂漠", "sandy desert"]) == [
        ["pustynia", "piaszczysta"],
        ["砂漠"],
        [],
    ]
    assert tower.known(["砂漠"]) == [[]]


def test_the_lookup_agrees_with_the_tower(tower, land):
    """What is lost to fewer numbers a word is small; with as many, nothing is lost."""
    _, z = land
    texts = ["olive groves by the sea", "cold mountains in Asia", "Canada", "rice fields", "remote islands"]
    small = WordLookup.load(LOOKUP)
    maps = [z @ one.encode(texts).T for one in (tower, small)]
    assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(maps[0].T, maps[1].T, strict=True)) > 0.95
    np.testing.assert_allclose(tower.geographic(texts), small.geographic(texts), atol=0.1)
    np.testing.assert_array_equal(tower.encode(texts), WordLookup.load().encode(texts))


def test_the_files_are_small_and_as_recorded(tower):
    assert (HOME / ADAPTER).stat().st_size < 5_000_000
    assert tower.sha256 == json.loads((HOME / ADAPTER_JSON).read_text())["sha256"]
    assert WordLookup.load(LOOKUP).sha256 == tower.record["lookup_sha256"]
    assert WordLookup.load().sha256 == tower.sha256


def test_a_changed_adapter_is_refused(tmp_path):
    for name in (ADAPTER, ADAPTER_JSON):
        (tmp_path / name).write_bytes((HOME / name).read_bytes())
    content = bytearray((tmp_path / ADAPTER).read_bytes())
    content[-1] ^= 1
    (tmp_path / ADAPTER).write_bytes(content)
    with pytest.raises(ModelFileError, match="sha256"):
        BundledTower.load(tmp_path)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (None, "is missing"),
        ("{", "not valid JSON"),
        ('{"format": "other"}', "no geoconcept-text file"),
        ('{"format": "geoconcept-text", "format_version": 1, "name": "x"}', "lacks space, sha256"),
    ],
)
def test_a_folder_without_a_tower_is_refused(tmp_path, record, message):
    if record is not None:
        (tmp_path / ADAPTER_JSON).write_text(record)
    with pytest.raises(ModelFileError, match=message):
        BundledTower.load(tmp_path)


def test_without_wordllama_the_message_says_what_to_install(monkeypatch):
    static._files.cache_clear()
    monkeypatch.setattr(static.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install wordllama"):
        BundledTower.load()
    static._files.cache_clear()


def test_encoding_needs_no_torch():
    code = "from geoconcept_gis.text.tower import BundledTower; BundledTower.load().encode(['sea']); import sys; "
    code += "print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not set(loaded) & {"torch", "pandas", "geopandas", "wordllama"}
