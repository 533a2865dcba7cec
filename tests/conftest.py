"""Fixtures that several test files share."""

import copy

import hypothesis
import numpy as np
import pytest

import geoconcept_gis as gc

# A busy machine is no failure: speed belongs in benchmarks.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


class LinearBackend:
    """A stand-in encoder: cheap, linear in (lon, lat), and it counts the points it sees.

    Being linear, its vector at the mean of some places is the mean of its vectors there.
    """

    name = "linear"
    chunk_size = 8192

    def __init__(self):
        self.points = 0
        self.largest = 0
        self.matrix = np.random.default_rng(7).normal(size=(3, 512)).astype(np.float32)

    def pick(self, total):
        return self

    def encode_chunk(self, lonlat):
        self.points += len(lonlat)
        self.largest = max(self.largest, len(lonlat))
        plane = np.column_stack([lonlat / 100.0, np.ones(len(lonlat))])
        return plane.astype(np.float32) @ self.matrix


@pytest.fixture(scope="session")
def model():
    """Load the real default model once, on the reference backend."""
    return gc.load_model(backend="numpy")


def linear_copy(model):
    """Return the model with the stand-in for an encoder, and the stand-in."""
    fake, backend = copy.copy(model), LinearBackend()
    fake._choice = backend
    return fake, backend


@pytest.fixture
def linear(model):
    """A model with a fresh stand-in encoder, and that encoder."""
    return linear_copy(model)


@pytest.fixture(scope="session")
def cheap_model(model):
    """A model with a stand-in encoder that hypothesis may call many times."""
    return linear_copy(model)[0]
