"""Land and coastlines: Natural Earth's 1:50m land, bundled.

Lakes and islands in them count as land, the Caspian Sea and the ice shelves of Antarctica do not. Many small islands
are missing, and shores are rounded to about 400 m.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from .coordinates import check_lonlat

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["coastlines", "land_polygons", "on_land"]

_FILE = Path(__file__).parent / "data" / "land_50m.parquet"
#: Vertices of a piece of land in the search tree: few enough for a quick test, many enough for a small tree.
_PIECE = 64
#: Points tested at a time, so that memory stays flat (a shapely point takes about 100 bytes).
_BLOCK = 1 << 17


def land_polygons() -> gpd.GeoDataFrame:
    """Return the land of the Earth as polygons.

    Returns
    -------
    geopandas.GeoDataFrame
        One valid polygon a row, EPSG:4326, within [-180, 180] x [-90, 90]; no columns but the geometry. Land
        that crosses the antimeridian is cut there. The file is read once; every call gets its own copy.

    Examples
    --------
    >>> land = land_polygons()
    >>> len(land), land.crs.to_string()
    (1420, 'EPSG:4326')
    """
    return _read().copy()


def on_land(lonlat: ArrayLike) -> NDArray[np.bool_]:
    """Tell which places are on land, at a million places in about a second.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2), or (2,) for one place
        (lon, lat) in degrees, EPSG:4326; longitudes wrap.

    Returns
    -------
    ndarray of bool, shape (N,)
        True on land or on a shore.

    Raises
    ------
    CoordinateError
        A row is not a place on Earth; rows are named.

    Examples
    --------
    >>> on_land([[31.2, 30.0], [-30.0, 0.0], [-328.8, 30.0], [0.0, -90.0]]).tolist()
    [True, False, True, True]
    """
    pairs = check_lonlat(lonlat)
    tree = _tree()
    out = np.zeros(len(pairs), dtype=bool)
    for start in range(0, len(pairs), _BLOCK):
        points = shapely.points(pairs[start : start + _BLOCK])
        out[start + tree.query(points, predicate="intersects")[0]] = True
    return out


@cache
def coastlines() -> NDArray[np.float64]:
    """Return all shores as one array, ready for a single drawing call.

    Returns
    -------
    ndarray of float64, shape (M, 2)
        (lon, lat) in degrees, EPSG:4326; a row of NaN ends a line. The cuts along the antimeridian and along the
        South Pole, which are no shores, are left out. Read-only: it is shared between calls.

    Examples
    --------
    >>> shores = coastlines()
    >>> shores.shape[1], bool(shores[-1, 0] != shores[-1, 0])
    (2, True)
    """
    rings = shapely.get_rings(_read().geometry.values)
    lonlat, ring = shapely.get_coordinates(rings, return_index=True)
    start, end = lonlat[:-1], lonlat[1:]
    along_cut = (np.abs(start[:, 0]) == 180.0) & (start[:, 0] == end[:, 0])
    along_pole = (start[:, 1] == -90.0) | (end[:, 1] == -90.0)
    breaks = np.flatnonzero((ring[1:] != ring[:-1]) | along_cut | along_pole) + 1
    shores = np.insert(lonlat, np.append(breaks, len(lonlat)), np.nan, axis=0)
    shores.flags.writeable = False
    return shores


@cache
def _read() -> gpd.GeoDataFrame:
    return gpd.read_parquet(_FILE)


@cache
def _tree() -> shapely.STRtree:
    pieces = _subdivide(np.asarray(_read().geometry.values))
    shapely.prepare(pieces)
    return shapely.STRtree(pieces)


def _subdivide(polygons: NDArray[np.object_]) -> NDArray[np.object_]:
    """Halve polygons across their longer side until each has at most `_PIECE` vertices: Eurasia has thousands."""
    done = []
    while len(polygons):
        large = shapely.get_num_coordinates(polygons) > _PIECE
        done.append(polygons[~large])
        halves = [shapely.intersection(polygons[large], box) for box in _halves(polygons[large])]
        parts = shapely.get_parts(np.concatenate(halves))
        polygons = parts[shapely.get_dimensions(parts) == 2]
    return np.concatenate(done)


def _halves(polygons: NDArray[np.object_]) -> list[NDArray[np.object_]]:
    """Return the lower left and the upper right halves of the polygons' bounding boxes."""
    left, bottom, right, top = shapely.bounds(polygons).T
    wide = right - left > top - bottom
    cut_x, cut_y = (left + right) / 2.0, (bottom + top) / 2.0
    return [
        shapely.box(left, bottom, np.where(wide, cut_x, right), np.where(wide, top, cut_y)),
        shapely.box(np.where(wide, cut_x, left), np.where(wide, bottom, cut_y), right, top),
    ]
