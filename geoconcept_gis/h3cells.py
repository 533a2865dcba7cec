"""H3 cells of an area, and the small facts about cells that tables of them need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h3.api.numpy_int as h3
import h3ronpy
import h3ronpy.vector
import numpy as np
import pyarrow as pa
import shapely

from .coordinates import wrap_longitude
from .errors import InputError
from .geometry import clip_to_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["h3_grid"]

MAX_RESOLUTION = 15
#: Cells that `h3_grid` returns at most (1.6 GB), and points that one call encodes at most (some hours).
_MOST_CELLS = 200_000_000
MOST_POINTS = 2_000_000_000
#: Points held at a time.
AT_ONCE = 1 << 17


def h3_grid(area: Any, resolution: int) -> NDArray[np.uint64]:
    """List the H3 cells whose centre lies inside an area.

    Parameters
    ----------
    area : (west, south, east, north), shapely.Polygon, shapely.MultiPolygon or None
        Degrees, longitude first. Bounds with west > east cross the antimeridian; so may polygons, by longitudes
        beyond 180. None is the whole world.
    resolution : int
        0 (cells of 4.4 million km2) to 15 (0.9 m2); 5 fits the encoder.

    Returns
    -------
    ndarray of uint64, shape (N,)
        Sorted, each once: neighbours stand close together.

    Raises
    ------
    InputError
        The area is not one of the above, empty, invalid or not in degrees; the resolution is not 0 to 15; or more
        than 200 million cells would come back.

    Examples
    --------
    >>> len(h3_grid(None, 2)), len(h3_grid((5, 45, 11, 48), 5))
    (5882, 628)
    """
    resolution = check_resolution(resolution)
    shape = check_area(area)
    if shape is None and h3.get_num_cells(resolution) > _MOST_CELLS:
        raise InputError(_too_many(resolution))
    found, count = [np.empty(0, dtype=np.uint64)], 0
    for cells in walk(shape, resolution):
        found.append(cells)
        count += len(cells)
        if count > _MOST_CELLS:
            raise InputError(_too_many(resolution))
    return np.concatenate(found)


def check_resolution(resolution: Any) -> int:
    if (
        isinstance(resolution, bool)
        or not isinstance(resolution, (int, np.integer))
        or not 0 <= resolution <= MAX_RESOLUTION
    ):
        raise InputError(f"an H3 resolution is a whole number from 0 to {MAX_RESOLUTION}; got {resolution!r}")
    return int(resolution)


def check_area(area: Any) -> Any:
    """Return the area as a (Multi)Polygon within [-180, 180], or None for the world."""
    if area is None:
        return None
    if isinstance(area, (shapely.Polygon, shapely.MultiPolygon)):
        return clip_to_world(_check_polygon(area))
    if isinstance(area, (tuple, list, np.ndarray)) and len(area) == 4:
        return clip_to_world(_box(*area))
    raise InputError(
        "area must be bounds (west, south, east, north), a shapely Polygon or MultiPolygon in (lon, lat), or None for "
        f"the world; got {type(area).__name__}"
        + (": take its geometry with .to_crs('EPSG:4326').union_all()" if hasattr(area, "to_crs") else "")
    )


def _check_polygon(polygon: Any) -> Any:
    if polygon.is_empty:
        raise InputError("the area is an empty polygon")
    if not polygon.is_valid:
        raise InputError(f"the area is no valid polygon: {shapely.is_valid_reason(polygon)}; try shapely.make_valid")
    west, south, east, north = polygon.bounds
    if max(abs(west), abs(east)) > 360.0 or max(abs(south), abs(north)) > 90.0:
        raise InputError(
            f"the area reaches from ({west:g}, {south:g}) to ({east:g}, {north:g}), which are no degrees of "
            "longitude and latitude: reproject it to EPSG:4326 first"
        )
    return polygon


def _box(west: Any, south: Any, east: Any, north: Any) -> Any:
    try:
        west, south, east, north = (float(side) for side in (west, south, east, north))
    except (TypeError, ValueError):
        raise InputError(f"bounds must be four numbers; got {(west, south, east, north)!r}") from None
    given = f"({west:g}, {south:g}, {east:g}, {north:g})"
    if not (abs(west) <= 360.0 and abs(east) <= 360.0 and abs(south) <= 90.0 and abs(north) <= 90.0):
        raise InputError(f"bounds are (west, south, east, north) in degrees; got {given}")
    if west > east:  # across the antimeridian
        east += 360.0
    if not (west < east <= west + 360.0 and south < north):
        raise InputError(f"bounds (west, south, east, north) hold no area: {given}")
    return shapely.box(west, south, east, north)


def walk(shape: Any, resolution: int) -> Iterator[NDArray[np.uint64]]:
    """Yield the cells of an area in sorted order, one neighbourhood of parents after the other."""
    coarse = max(0, resolution - 3)
    parents = parents_near(shape, coarse, resolution)
    step = max(1, AT_ONCE // 7 ** (resolution - coarse))
    for start in range(0, len(parents), step):
        cells = descend(parents[start : start + step], resolution)
        if shape is not None:
            cells = cells[shapely.intersects_xy(shape, *centers_of(cells).T)]
        yield cells


def parents_near(shape: Any, coarse: int, resolution: int) -> NDArray[np.uint64]:
    """Return, sorted, the cells that may have a child of `resolution` with its centre in the area (None: the world)."""
    parents = np.sort(h3.get_res0_cells().astype(np.uint64))
    shapely.prepare(shape)
    for level in range(coarse + 1):
        if level > 0:
            if 7 * len(parents) > _MOST_CELLS:
                raise InputError(_too_many(resolution))
            parents = descend(parents, level)
        if shape is not None:
            parents = parents[_near(parents, level, shape)]
    return parents


def _near(cells: NDArray[np.uint64], level: int, shape: Any) -> NDArray[np.bool_]:
    """Tell which cells may have a descendant with its centre in the shape (some more, never fewer)."""
    # No descendant's centre is farther off than 12.5 degrees / sqrt(7)^level; measured at every level.
    reach = 14.0 / 7.0 ** (level / 2.0)
    lon, lat = centers_of(cells).T
    with np.errstate(invalid="ignore"):
        width = np.degrees(np.arcsin(np.sin(np.radians(reach)) / np.cos(np.radians(lat))))
    width = np.where(np.abs(lat) + reach < 90.0, width, 180.0)  # all longitudes, round a pole
    near = np.zeros(len(cells), dtype=bool)
    for turn in (-360.0, 0.0, 360.0):
        west = lon - width + turn
        near |= shapely.intersects(shape, shapely.box(west, lat - reach, west + 2.0 * width, lat + reach))
    return near


def _too_many(resolution: int) -> str:
    return (
        f"this area has more than {_MOST_CELLS:,} cells of resolution {resolution}: choose a coarser resolution or a "
        "smaller area"
    )


def count_points(shape: Any, resolution: int, finest: int) -> int:
    """How many points an area needs; refuses none and absurdly many."""
    if shape is None:
        total = int(h3.get_num_cells(finest))
    else:
        total = 0
        for cells in walk(shape, resolution):
            levels = (np.full(len(cells), r, dtype=np.uint8) for r in (resolution, finest))
            total += int(count_children(cells, *levels).sum())
    if total == 0:
        raise InputError(f"no H3 cell of resolution {resolution} has its centre in this area: choose a finer one")
    if total > MOST_POINTS:
        raise InputError(f"that makes {total:,} points: choose a coarser resolution or a smaller area")
    return total


def count_children(cells: NDArray[np.uint64], own: Any, finest: Any) -> NDArray[np.int64]:
    """How many children each cell has; a pentagon lacks one sixth of them, but for one."""
    own = np.broadcast_to(own, cells.shape)
    full = 7 ** (np.asarray(finest, dtype=np.int64) - own.astype(np.int64))
    pentagons = [h3.get_pentagons(int(level)).astype(np.uint64) for level in np.unique(own)]
    five = np.isin(cells, np.concatenate([np.empty(0, dtype=np.uint64), *pentagons]))
    return np.asarray(np.where(five, 1 + 5 * (full - 1) // 6, full))


def descend(cells: NDArray[np.uint64], resolution: int) -> NDArray[np.uint64]:
    """Children at `resolution`, cell by cell in order."""
    return to_numpy(h3ronpy.change_resolution(pa.array(cells), resolution))


def centers_of(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Centres (lon, lat) in degrees, shape (N, 2); h3ronpy names its columns, so their order cannot slip."""
    table = pa.record_batch(h3ronpy.vector.cells_to_coordinates(pa.array(cells)))
    return np.stack([wrap_longitude(table.column("lng").to_numpy()), table.column("lat").to_numpy()], axis=1)


def to_numpy(array: Any) -> NDArray[Any]:
    return np.asarray(pa.array(array).to_numpy(zero_copy_only=False))


def areas_of(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Areas in km2, shape (N,)."""
    return np.asarray(to_numpy(h3ronpy.cells_area_km2(pa.array(cells))), dtype=np.float64)


def cells_of(lonlat: NDArray[np.floating], resolution: int) -> NDArray[np.uint64]:
    """Return the cell that each (lon, lat) lies in, shape (N,)."""
    lng, lat = (np.ascontiguousarray(column, dtype=np.float64) for column in lonlat.T)
    return np.asarray(to_numpy(h3ronpy.vector.coordinates_to_cells(lat, lng, resolution)), dtype=np.uint64)


def parents_of(cells: NDArray[np.uint64], resolution: int) -> NDArray[np.uint64]:
    """Return the parent of each cell at a coarser resolution (or the cell itself), shape (N,)."""
    return np.asarray(to_numpy(h3ronpy.change_resolution(pa.array(cells), resolution)), dtype=np.uint64)
