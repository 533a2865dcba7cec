"""Heads: finer readings of concepts at places, straight off the encoder's hidden layers."""

import json
from dataclasses import replace

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.backends import BACKENDS, available
from geoconcept_gis.bank.heads import SMALLEST_GAIN
from geoconcept_gis.concepts import Calibration, ConceptBank, PlaceHead, Validity
from geoconcept_gis.encoder import LocationEncoder
from geoconcept_gis.errors import ModelFileError
from geoconcept_gis.files import sha256_of
from geoconcept_gis.storage import BANK_ARRAYS, bank_content

PLACES = np.array([[31.2, 30.0], [-0.1, 51.5], [-60.0, -3.0], [120.0, 70.0], [10.0, 46.5]])


def make_head(seed, capsules=2):
    rng = np.random.default_rng(seed)
    weight = (rng.normal(size=(capsules, 1024)) / 50.0).astype(np.float16).astype(np.float32)
    return PlaceHead(
        weight,
        rng.normal(size=capsules).astype(np.float32),
        Calibration(2.0, -1.0, 0.01, 0.2),
        np.linspace(-3.0, 3.0, 101, dtype=np.float32),
        Validity("AUROC", 0.9, (0.88, 0.92)),
        "B",
    )


@pytest.fixture(scope="module")
def headed(model):
    """The real encoder with a small bank, two of whose three concepts have a head."""
    names = ["hot desert climate", "tundra climate", "oceanic climate"]
    concepts = [
        replace(model.bank[name], head=head)
        for name, head in zip(names, (make_head(0), None, make_head(1)), strict=True)
    ]
    return model.with_bank(ConceptBank(concepts, model.bank.references, space=model.space))


def expected(model, places):
    hidden = model.encoder.hidden(places)
    return np.stack(
        [np.einsum("ncd,cd->n", hidden, c.head.weight) + c.head.bias.sum() for c in model.bank if c.head], axis=1
    )


def test_the_encoder_appends_what_the_heads_read(headed):
    """The vector stays as it is, and the heads' values follow it."""
    plain = LocationEncoder(headed.encoder.weights)
    out = headed.encoder.encode_chunk(PLACES)
    np.testing.assert_array_equal(out[:, :512], plain.encode_chunk(PLACES))
    np.testing.assert_allclose(out[:, 512:], expected(headed, PLACES), atol=1e-4)


@pytest.mark.parametrize("name", [name for name in BACKENDS if name not in ("numpy", "torch-cuda")])
def test_every_backend_reads_the_heads(headed, name):
    """To the backend's own precision; the vector is not touched by the heads beside it."""
    if not available()[name]:
        pytest.skip(f"{name} is not installed")
    other = gc.load_model(headed.folder, backend=name).with_bank(headed.bank)
    assert other.backend == name
    [(_, out)] = other.iter_encode(PLACES)
    want = expected(headed, PLACES)
    tolerance = {"torch": 1e-4, "onnx": 1e-4}.get(name, 0.1)
    np.testing.assert_allclose(out[:, 512:], want, atol=tolerance * want.std())
    bare = other.with_bank(ConceptBank([], headed.bank.references, space=headed.space))
    np.testing.assert_array_equal(other.encode(PLACES), bare.encode(PLACES))


def test_places_are_read_by_the_head_and_vectors_by_the_vector(headed):
    """Calibrated and percentile; a cosine is the vector's everywhere."""
    raw = expected(headed, PLACES)
    vectors = headed.encode(PLACES)
    assert vectors.shape == (5, 512)
    places = headed.score(PLACES)
    np.testing.assert_allclose(places[:, [0, 2]], 1.0 / (1.0 + np.exp(1.0 - 2.0 * raw)), atol=1e-4)
    percentiles = headed.score(PLACES, kind="percentile")[:, [0, 2]]
    np.testing.assert_allclose(percentiles, np.clip((raw + 3.0) / 6.0 * 100.0, 0, 100), atol=1e-2)
    stored = headed.score_vectors(vectors)
    np.testing.assert_array_equal(places[:, 1], stored[:, 1])
    assert not np.allclose(places[:, 0], stored[:, 0], atol=0.01)
    np.testing.assert_array_equal(headed.score(PLACES, kind="cosine"), headed.score_vectors(vectors, kind="cosine"))


def test_a_concept_from_elsewhere_is_not_read_by_our_head(headed, model):
    """Its name alone does not make it ours; a bank with another head brings its own."""
    stranger = replace(headed.bank["hot desert climate"], head=None)
    np.testing.assert_array_equal(
        headed.score(PLACES, stranger)[:, 0], headed.score_vectors(headed.encode(PLACES), stranger)[:, 0]
    )
    alone = headed.with_bank(headed.bank.subset(["oceanic climate"]))
    np.testing.assert_array_equal(alone.score(PLACES), headed.score(PLACES, "oceanic climate"))
    assert alone.encoder is headed.encoder
    turned = replace(headed.bank["oceanic climate"], head=make_head(7))
    assert headed.with_bank(headed.bank.subset(["BWh"]).add(turned)).encoder is not headed.encoder
    same = headed.with_bank(headed.bank.remove("tundra climate"))
    assert same.encoder is headed.encoder


def test_a_bank_with_heads_comes_back_from_disk(headed, tmp_path):
    """Bit for bit, so that it is written the same way again."""
    headed.bank.save(tmp_path / "one")
    bank = ConceptBank.load(tmp_path / "one")
    assert not bank.diff(headed.bank)
    np.testing.assert_array_equal(bank["oceanic climate"].head.weight, headed.bank["oceanic climate"].head.weight)
    bank.save(tmp_path / "two")
    for name in ("concepts.json", "concepts.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    opened = gc.load_model(headed.save(tmp_path / "model"), backend="numpy")
    np.testing.assert_array_equal(opened.score(PLACES), headed.score(PLACES))


def test_a_bank_whose_heads_are_missing_is_refused(headed, tmp_path):
    """The JSON names heads that the arrays do not hold."""
    folder = headed.bank.save(tmp_path / "one")
    bare = ConceptBank([replace(c, head=None) for c in headed.bank], headed.bank.references, space=headed.space)
    (folder / BANK_ARRAYS).write_bytes(bank_content(bare)[BANK_ARRAYS])
    text = (folder / "concepts.json").read_text()
    old = json.loads(text)["arrays_sha256"]
    (folder / "concepts.json").write_text(text.replace(old, sha256_of(folder / BANK_ARRAYS)))
    with pytest.raises(ModelFileError, match=r"heads\.weight"):
        ConceptBank.load(folder)


def test_diff_tells_that_a_head_changed(headed):
    """Added, taken away, or turned."""
    name = "oceanic climate"
    turned = headed.bank.remove(name).add(replace(headed.bank[name], head=make_head(5)))
    bare = headed.bank.remove(name).add(replace(headed.bank[name], head=None))
    assert "head cosine" in str(headed.bank.diff(turned))
    assert "head" in str(headed.bank.diff(bare))
    assert bare.diff(turned)


def test_heads_of_another_shape_are_refused(headed):
    """More capsules than the encoder has, or biases that do not fit."""
    weights = headed.encoder.weights
    with pytest.raises(ModelFileError, match="heads must have shape"):
        LocationEncoder(weights, (np.zeros((1, 4, 1024)), np.zeros((1, 4))))
    with pytest.raises(ModelFileError, match="biases"):
        LocationEncoder(weights, (np.zeros((1, 2, 1024)), np.zeros((1, 3))))


def test_products_carry_scores_of_heads_and_embeddings_without(headed):
    """Tables, maps and explanations read places by the head; the embedding stays 512 wide."""
    import geopandas as gpd

    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*PLACES.T), crs="EPSG:4326")
    table = gc.embed(frame, features="all", model=headed)
    np.testing.assert_array_equal(table["concept_oceanic_climate"], headed.score(PLACES)[:, 2])
    np.testing.assert_array_equal(table["embedding_511"], headed.encode(PLACES)[:, 511])
    told = gc.explain(tuple(PLACES[1]), model=headed, concepts=["oceanic climate"])
    assert told.table["calibrated"][0] == pytest.approx(headed.score(PLACES)[1, 2], abs=1e-6)
    assert told.table["grade"][0] == "B" and "AUROC 0.90" in told.table["evidence"][0]
    by_vector = gc.explain(headed.encode(PLACES)[1], model=headed, concepts=["oceanic climate"])
    assert "AUROC 0.90" not in by_vector.table["evidence"][0]


def test_a_concept_file_holds_the_vector_only(headed, tmp_path):
    """Another model's encoder could not read the head."""
    path = gc.write_concept(headed.bank["oceanic climate"], tmp_path / "c.concept", headed)
    assert gc.read_concept(path, headed).head is None


def test_the_bundled_heads_beat_their_vectors(model):
    """What the bank ships was kept for a reason, and each head knows how it was tested."""
    found = [c for c in model.bank if c.head]
    assert found
    for concept in found:
        assert concept.head.validity.value >= concept.validity.value + SMALLEST_GAIN - 1e-4
        assert concept.head.calibration.ece <= 0.05 and concept.head.grade in "ABC"
        assert concept.grade_at_places == concept.head.grade
    assert isinstance(model.concepts["validity_at_places"].max(), float)
