"""The table of words that needs numpy alone."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import geoconcept_gis.text.lookup as module
from geoconcept_gis.errors import InputError, ModelFileError
from geoconcept_gis.files import sha256_of
from geoconcept_gis.tensors import read_tensors
from geoconcept_gis.text.lookup import LOOKUP, WordLookup
from geoconcept_gis.text.words import keys_of

ABOUT = {"name": "test", "space": "test"}


def arrays(**changed):
    """A table of four words in three dimensions, whose network passes the mean on."""
    terms = ["desert", "hot", "new york", "joy"]
    rows = np.array([[127, 0, 0], [0, 127, 0], [0, 0, 127], [-127, 0, 0]], dtype=np.int8)
    keys = keys_of(terms)
    order = np.argsort(keys)
    direct = np.zeros((3, 512), dtype=np.float16)
    direct[[0, 1, 2], [0, 1, 2]] = 1.0
    made = {
        "keys": keys[order],
        "rows": rows[order],
        "scales": np.full(4, 1 / 127, dtype=np.float16),
        "gate": np.zeros(3),
        "gate_bias": np.ones(1),
        "direct": direct,
        "hidden_in": np.zeros((3, 2)),
        "hidden_bias": np.zeros(2),
        "hidden_out": np.zeros((2, 512)),
        "geo_in": np.array([[1.0], [1.0], [1.0]]),
        "geo_in_bias": np.zeros(1),
        "geo_out": np.full(1, 10.0),
        "geo_out_bias": np.full(1, -1.0),
    }
    return {**made, **changed}


def test_a_phrase_is_the_mean_of_its_words():
    """Words that are not in the table do not count."""
    found = WordLookup(arrays(), ABOUT).encode(["a hot desert", "New York", "deserts"])
    assert found[0, :3] == pytest.approx([0.5**0.5, 0.5**0.5, 0.0], abs=1e-3)
    assert found[1, :3] == pytest.approx([0, 0, 1], abs=1e-3)
    assert found[2, :3] == pytest.approx([1, 0, 0], abs=1e-3)


def test_words_that_matter_more_weigh_more():
    found = WordLookup(arrays(gate=np.array([3.0, 0.0, 0.0])), ABOUT).encode(["hot desert"])
    assert found[0, 0] > 2 * found[0, 1]


def test_unknown_words_are_named():
    lookup = WordLookup(arrays(), ABOUT)
    assert lookup.unknown(["hot blurbs in New York", "3000 m"]) == [["blurbs", "in"], []]
    assert lookup.known(["hot blurbs in New York"]) == [["hot", "new york"]]
    with pytest.raises(InputError, match=r"none of its words is known .blurbs"):
        lookup.encode(["hot", "blurbs"])
    with pytest.raises(InputError, match="has no word"):
        lookup.encode(["!?"])


def test_what_is_about_no_place_says_so():
    places = WordLookup(arrays(), ABOUT).geographic(["desert", "joy", "blurbs"])
    assert places[0] > 0.99
    assert places[1] < 0.5
    assert places[2] == 0.0


def test_words_outside_the_table_can_be_guessed():
    """This is how the tower reads words that only wordllama knows."""
    lookup = WordLookup(arrays(), ABOUT, outside=lambda words: np.tile(np.float32([0, 0, 2]), (len(words), 1)))
    assert lookup.encode(["blurbs"])[0, :3] == pytest.approx([0, 0, 1], abs=1e-3)
    assert lookup.unknown(["blurbs"]) == [["blurbs"]]


def test_a_table_that_lacks_something_says_what():
    made = arrays()
    del made["gate"]
    with pytest.raises(ModelFileError, match="lacks gate, space"):
        WordLookup(made, {"name": "test"})


def test_the_reader_agrees_with_safetensors():
    from safetensors.numpy import load_file

    ours, metadata = read_tensors(LOOKUP)
    theirs = load_file(LOOKUP)
    assert set(json.loads(metadata["about"])) == {"name", "space"}
    assert set(ours) == set(theirs)
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name], array)


@pytest.mark.parametrize("damage", ["cut", "header", "text"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    content = LOOKUP.read_bytes()
    damaged = {
        "cut": content[: len(content) // 2],
        "header": content[:8] + b"?" + content[9:],
        "text": json.dumps({"no": "tensors"}).encode(),
    }[damage]
    (tmp_path / "bad.safetensors").write_bytes(damaged)
    with pytest.raises(ModelFileError, match=r"bad\.safetensors"):
        WordLookup.load(tmp_path / "bad.safetensors")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"none\.safetensors is missing"):
        WordLookup.load(tmp_path / "none.safetensors")


def test_where_the_towers_table_is_not_there_the_small_one_is_read(tmp_path, monkeypatch):
    """As in the QGIS plugin."""
    alone = tmp_path / LOOKUP.name
    alone.write_bytes(LOOKUP.read_bytes())
    monkeypatch.setattr(module, "LOOKUP", alone)
    assert WordLookup.load().sha256 == WordLookup.load(alone).sha256 == sha256_of(alone)


def test_a_table_without_its_record_is_refused(tmp_path):
    """The tower's own table is described by the file beside it."""
    (tmp_path / module.ADAPTER).write_bytes(LOOKUP.with_name(module.ADAPTER).read_bytes())
    with pytest.raises(ModelFileError, match="says nothing about itself"):
        WordLookup.load(tmp_path / module.ADAPTER)


def test_the_shipped_table_is_small():
    """The plugin carries it: at most 4 MB, some 30,000 words."""
    assert LOOKUP.stat().st_size <= 4_000_000
    assert 25_000 <= len(WordLookup.load(LOOKUP)) <= 35_000


def test_the_lookup_needs_numpy_alone():
    """In Python 3.9 syntax."""
    for name in ("lookup.py", "words.py"):
        source = (Path(module.__file__).parent / name).read_text(encoding="utf-8")
        ast.parse(source, feature_version=(3, 9))
    code = "from geoconcept_gis.text.lookup import WordLookup; WordLookup.load().encode(['sea']); import sys; "
    code += "print(*(name.split('.')[0] for name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not set(loaded) & {"torch", "pandas", "safetensors", "tokenizers", "wordllama", "geopandas", "scipy"}
