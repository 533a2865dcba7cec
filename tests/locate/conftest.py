"""Small galleries in place of the real ones, which take minutes to make."""

import copy

import h3.api.numpy_int as h3
import numpy as np
import pytest

from geoconcept_gis import gallery
from geoconcept_gis.h3cells import cells_of, centers_of, descend
from geoconcept_gis.locate import locate

#: Cairo, Paris, Chicago, and Fiji beside the antimeridian.
TOWNS = {"cairo": (31.2, 30.0), "paris": (2.3, 48.9), "chicago": (-87.7, 41.9), "fiji": (179.95, -16.6)}


def small_places():
    """Forty photo places around each town, and the cells around it."""
    rng = np.random.default_rng(1)
    lonlat = np.concatenate([np.array(town) + rng.normal(0.0, 0.4, (40, 2)) for town in TOWNS.values()])
    lonlat[:, 0] = (lonlat[:, 0] + 180.0) % 360.0 - 180.0
    home = cells_of(np.array(list(TOWNS.values())), 4)
    cells = np.unique(np.concatenate([h3.grid_disk(int(cell), 4) for cell in home]).astype(np.uint64))
    return lonlat, cells


def small_land():
    """What `gallery._land` returns, of the small places."""
    cells = small_places()[1]
    children = descend(cells, 5)
    return centers_of(cells), centers_of(children), np.repeat(np.arange(len(cells)), len(children) // len(cells))


def small_photos():
    """What `gallery._photos` returns, of the small places."""
    lonlat = small_places()[0]
    return lonlat, lonlat, np.arange(len(lonlat))


@pytest.fixture(scope="session")
def small(model, tmp_path_factory):
    """The real model with small galleries in a cache of its own."""
    small = copy.copy(model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(gallery.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        patch.setattr(gallery, "_photos", small_photos)
        patch.setattr(gallery, "_land", small_land)
        locate.surface_of(small)
    return small


@pytest.fixture(scope="session")
def surface(small):
    return locate.surface_of(small)


@pytest.fixture(scope="session")
def cairo(small):
    """The geolocation of Cairo's own vector."""
    return locate.geolocate(small.encode([TOWNS["cairo"]]), model=small)
