"""Ours against geoclip 1.3.0 itself, run side by side."""

import os

import numpy as np
import pytest

import geoconcept_gis as gc
from benchmarks import original as geoclip
from geoconcept_gis.encoder import LocationEncoder

pytestmark = pytest.mark.reference
CHUNK = 1024


@pytest.fixture(scope="module")
def original():
    """The original with its subnormal weights zeroed: `test_subnormals_change_no_bit` shows it may be."""
    return geoclip.zero_subnormals(stock())


def stock():
    """The original, untouched; a machine that calls itself CI must have it."""
    if geoclip.find_original() is None and not os.environ.get("CI"):
        pytest.skip("geoclip is not installed: pip install --no-deps geoclip==1.3.0")
    if not os.environ.get("CI"):
        pytest.importorskip("torch", reason='torch is not installed: pip install "geoconcept-gis[torch]"')
    return geoclip.load_original()


def places(count, seed=0):
    rng = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    return np.stack([rng.uniform(-180, 180, count), lat], axis=1)


def test_subnormals_change_no_bit(original):
    """Zeroing subnormal weights leaves the original's output as it was, to the bit."""
    import torch

    lonlat = places(CHUNK)
    assert torch.equal(geoclip.encode(stock(), lonlat), geoclip.encode(original, lonlat))


def test_bundled_weights_match_the_original_at_100_000_places(original):
    """The numpy reference with the bundled float16 weights keeps a cosine of 0.999999 everywhere."""
    encoder = LocationEncoder(gc.load_model(backend="numpy").encoder.weights)
    lonlat = places(100_000)
    lowest = 1.0
    for start in range(0, len(lonlat), CHUNK):
        part = lonlat[start : start + CHUNK]
        a = geoclip.encode(original, part).numpy().astype(np.float64)
        b = encoder.encode_chunk(part).astype(np.float64)
        cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        lowest = min(lowest, cosine.min())
    assert lowest >= 0.999999


def test_torch_equals_the_original_bit_for_bit(original):
    """With the original's float32 weights, subnormals zeroed, the torch backend gives the very same tensors."""
    import torch

    from geoconcept_gis.backends.torch_backend import TorchBackend

    # Untouched weights: the encoder zeroes the subnormals itself.
    weights = {name: tensor.numpy() for name, tensor in stock().state_dict().items()}
    backend = TorchBackend(LocationEncoder(weights))
    lonlat = np.concatenate([places(8 * CHUNK, seed=1), [[-180.0, -90.0], [0.0, 0.0], [180.0, 90.0]]])
    for size in (1, 7, 512, CHUNK, 3000):
        for part in (lonlat[:size], lonlat[-size:]):
            ours = torch.from_numpy(backend.encode_chunk(part))
            assert torch.equal(ours, geoclip.encode(original, part))
