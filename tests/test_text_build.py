"""Training the text tower, on a toy, and the command that does it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from geoconcept_gis.text import build as module
from geoconcept_gis.text.build import TextBuild
from geoconcept_gis.text.lookup import LOOKUP, WordLookup
from geoconcept_gis.text.network import UNSURE, WIDTH, Batches, Network, train
from geoconcept_gis.text.tower import ADAPTER, ADAPTER_JSON, BundledTower
from geoconcept_gis.text.words import keys_of

torch = pytest.importorskip("torch", reason="training needs torch")


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def toy():
    """Eight words with a row, two without, and a target for each word with a row."""
    rng = np.random.default_rng(0)
    static, meaning, pieces = (rng.normal(size=shape).astype(np.float32) for shape in ((8, 6), (8, 4), (2, 6)))
    targets = unit(rng.normal(size=(8, 512))).astype(np.float32)
    even = np.arange(1.0, 7.0)
    groups = {
        "phrases": ([[word] for word in range(6)], np.arange(6), even, 12),
        UNSURE: ([[6]], np.array([6]), np.ones(1), 2),
    }
    return static, meaning, pieces, Batches(groups, [[7]], targets)


def trained(toy, steps=150):
    static, meaning, pieces, batches = toy
    network = Network(static, meaning, pieces, seed=3)
    train(network, batches, steps=steps, seed=3)
    return network


def test_training_reaches_the_targets(toy):
    network, targets = trained(toy), toy[3].targets
    with torch.no_grad():
        found, places, _ = network([[word] for word in range(8)], training=False)
    assert (found.numpy()[:6] * targets[:6]).sum(axis=1).mean() > 0.9
    assert (places.numpy()[:6] > 0).all()
    assert places.numpy()[7] < 0


def test_the_same_seed_gives_the_same_network(toy):
    first, second = trained(toy, 20), trained(toy, 20)
    np.testing.assert_array_equal(first.table(), second.table())
    for name, matrix in first.matrices().items():
        np.testing.assert_array_equal(matrix, second.matrices()[name])


def test_progress_can_cancel_training(toy):
    from geoconcept_gis.errors import Cancelled

    static, meaning, pieces, batches = toy
    with pytest.raises(Cancelled):
        train(Network(static, meaning, pieces, seed=0), batches, steps=60, seed=0, progress=lambda done, total: True)


class Words:
    """Terms of a toy vocabulary."""

    terms = ("sea", "land", "hot", "cold", "dry", "wet", "lush", "joy")


class Plain:
    """No whitening."""

    to_direction = np.eye(512, dtype=np.float32)


@pytest.fixture(scope="module")
def built(toy):
    network = trained(toy)
    adapter = module._adapter(network, Words, Plain, np.zeros(6, dtype=np.float32), 1.0)
    record = {"format": "geoconcept-text", "format_version": 1, "name": "toy", "space": "toy"}
    return network, TextBuild(adapter, module._lookup(adapter), record)


def test_numpy_reads_what_torch_trained(toy, built):
    """Rounded to one byte a number, the directions stay."""
    network, text_build = built
    lookup = WordLookup(text_build.adapter, {"name": "toy", "space": "toy"})
    texts = [[0], [2, 0], [5, 4, 3]]
    with torch.no_grad():
        theirs, about, _ = network(texts, training=False)
    words = [" ".join(Words.terms[word] for word in text) for text in texts]
    assert (lookup.encode(words) * theirs.numpy()).sum(axis=1).min() > 0.999
    np.testing.assert_allclose(lookup.geographic(words), torch.sigmoid(about).numpy(), atol=0.02)


def test_fewer_numbers_a_word_lose_little(built):
    """Eight words span no more than eight dimensions, so that a short row holds all."""
    _, text_build = built
    about = {"name": "toy", "space": "toy"}
    full, small = (WordLookup(arrays, about) for arrays in (text_build.adapter, text_build.lookup))
    assert text_build.lookup["rows"].shape[1] < WIDTH
    texts = ["hot sea", "lush", "cold dry land"]
    assert (full.encode(texts) * small.encode(texts)).sum(axis=1).min() > 0.999


def test_what_is_saved_can_be_loaded(tmp_path, built):
    pytest.importorskip("wordllama")
    _, text_build = built
    adapter = {**text_build.adapter, "static": np.zeros((256, WIDTH), np.float16)}
    TextBuild(adapter, text_build.lookup, text_build.record).save(tmp_path)
    tower = BundledTower.load(tmp_path)
    assert tower.name == "toy"
    again = WordLookup(adapter, {"name": "toy", "space": "toy"}).encode(["hot sea"])
    np.testing.assert_allclose(tower.encode(["hot sea"]), again, atol=1e-6)
    record = json.loads((tmp_path / ADAPTER_JSON).read_text())
    assert WordLookup.load(tmp_path / LOOKUP.name).sha256 == record["lookup_sha256"]


def test_keys_are_sorted(built):
    keys = built[1].adapter["keys"]
    np.testing.assert_array_equal(keys, np.sort(keys_of(Words.terms)))


@pytest.mark.parametrize("name", [ADAPTER, ADAPTER_JSON, LOOKUP.name])
def test_the_command_replaces_nothing_unasked(tmp_path, name):
    (tmp_path / name).write_text("mine")
    command = [sys.executable, "-m", "geoconcept_gis", "text", "build", "-o", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "--overwrite" in run.stderr
    assert (tmp_path / name).read_text() == "mine"
