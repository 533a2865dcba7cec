"""The numpy reference: its tensors, its chunks, and where it is not smooth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geoconcept_gis as gc
from geoconcept_gis.encoder import LocationEncoder
from geoconcept_gis.errors import ModelFileError

TINY = np.finfo(np.float32).tiny


@pytest.fixture(scope="module")
def encoder():
    # Without the bank's heads: tests/test_heads.py is about these.
    return LocationEncoder(gc.load_model(backend="numpy").encoder.weights)


def cosines(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_a_place_does_not_depend_on_its_chunk(encoder, count, size, seed):
    """However the places are cut into chunks, each keeps its vector, up to the order of float32 sums."""
    rng = np.random.default_rng(seed)
    lonlat = np.stack([rng.uniform(-180, 180, count), rng.uniform(-90, 90, count)], axis=1)
    parts = [encoder.encode_chunk(lonlat[i : i + size]) for i in range(0, count, size)]
    np.testing.assert_allclose(np.concatenate(parts), encoder.encode_chunk(lonlat), atol=2e-6)


def test_no_places(encoder):
    """Zero places give zero vectors of the right width and type."""
    vectors = encoder.encode_chunk(np.zeros((0, 2)))
    assert vectors.shape == (0, 512)
    assert vectors.dtype == np.float32


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda w: w.pop("LocEnc1.head.0.bias"), r"missing \['LocEnc1.head.0.bias'\]"),
        (lambda w: w.pop("LocEnc0.capsule.0.b"), "'LocEnc0.capsule.0.b' is missing"),
        (lambda w: w.clear(), "found nothing"),
        (lambda w: w.update({"extra": np.zeros(3)}), r"unknown \['extra'\]"),
        (lambda w: w.update({"LocEnc2.capsule.3.bias": np.zeros(7, np.float32)}), r"LocEnc2.capsule.3.bias.*\(7,\)"),
        (lambda w: w.update({"LocEnc0.head.0.bias": np.full(512, np.nan)}), "LocEnc0.head.0.bias.*NaN"),
        (lambda w: w.update({"LocEnc0.head.0.bias": np.full(512, np.inf)}), "LocEnc0.head.0.bias.*infinite"),
        (lambda w: w.update({"LocEnc0.head.0.bias": np.zeros(512, np.int64)}), "must be floating.*int64"),
    ],
)
def test_damaged_tensors_are_refused(encoder, damage, message):
    """Tensors that are missing, unknown, misshapen, not finite or no floats are named."""
    weights = dict(encoder.weights)
    damage(weights)
    with pytest.raises(ModelFileError, match=message):
        LocationEncoder(weights)


def test_subnormal_weights_become_zero(encoder):
    """Weights too small for float32's normal range are zero, those just inside it are kept."""
    bias = np.zeros(512, np.float32)
    bias[:3] = TINY / 2, -TINY / 2, TINY
    cleaned = LocationEncoder({**encoder.weights, "LocEnc0.head.0.bias": bias}).weights["LocEnc0.head.0.bias"]
    assert cleaned[:3].tolist() == [0.0, 0.0, float(TINY)]


def test_vectors_jump_at_the_antimeridian(encoder):
    """Two places 220 m apart across the seam differ like strangers; elsewhere they are alike (docs say so)."""
    lat = np.linspace(-80, 80, 65)

    def mean_cosine(west, east):
        pairs = (np.stack([np.full_like(lat, lon), lat], axis=1) for lon in (west, east))
        return cosines(*(encoder.encode_chunk(pair) for pair in pairs)).mean()

    assert encoder.jumps
    assert mean_cosine(179.999, -179.999) < 0.5
    assert mean_cosine(20.0, 20.002) > 0.99


def test_vectors_at_a_pole_depend_on_longitude(encoder):
    """Places 110 m from the pole differ with their longitude, though they all are the same place."""
    lon = np.linspace(-170, 170, 35)
    vectors = encoder.encode_chunk(np.stack([lon, np.full_like(lon, 89.999)], axis=1))
    assert cosines(vectors[:1], vectors[1:]).mean() < 0.7
