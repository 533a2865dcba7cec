"""All H3 cells of an area, or of the world, as a dask-geopandas frame: one partition a parent cell."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..features import check_choice
from .engine import require_dask
from .frames import PARENT_COLUMN

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["h3_partitions"]

#: Levels between a parent and its cells: 7**6 = 117,649 rows a partition.
_LEVELS = 6
#: More tasks than this, and planning takes longer than the work.
_MOST_PARTITIONS = 200_000


def h3_partitions(
    area: Any = None, resolution: int = 5, *, parent_resolution: int | None = None, mask: str | None = None
) -> Any:
    """List the H3 cells of an area as a dask-geopandas frame, made partition by partition when it is computed.

    Parameters
    ----------
    area : (west, south, east, north), shapely.Polygon, shapely.MultiPolygon or None
        As in `h3_grid`: degrees, longitude first; None is the whole world.
    resolution : int, default 5
        H3 resolution of the cells, 0 to 15.
    parent_resolution : int, optional
        H3 resolution of the parents, each of which is a partition; six below `resolution` when left out, which makes
        partitions of at most 117,649 cells.
    mask : {"land", None}
        ``"land"`` keeps only cells whose centre is on land (Natural Earth 1:50m, lakes included).

    Returns
    -------
    dask_geopandas.GeoDataFrame
        Index ``h3`` (uint64, sorted), columns ``h3_resolution`` (uint8), ``h3_parent`` (uint64) and ``geometry``: the
        cells' centres, EPSG:4326. Give it to `embed`, then to `write_partitions`.

    Raises
    ------
    InputError
        The area or a resolution is not one of the above, no cell is in it, or there would be more than 200,000
        partitions.
    MissingDependencyError
        dask is not installed.

    Examples
    --------
    >>> alps = h3_partitions((5, 45, 11, 48), 5, parent_resolution=2)
    >>> len(alps), alps.columns.tolist()
    (628, ['h3_resolution', 'h3_parent', 'geometry'])
    """
    from ..h3cells import check_area, check_resolution, parents_near

    check_choice("mask", mask, ("land", None))
    resolution = check_resolution(resolution)
    coarse = max(0, resolution - _LEVELS) if parent_resolution is None else check_resolution(parent_resolution)
    if coarse > resolution:
        raise InputError(f"parent_resolution {coarse} is finer than the cells' own, {resolution}")
    shape = check_area(area)
    parents = parents_near(shape, coarse, resolution)
    if mask == "land":
        parents = _with_land(parents, coarse, resolution)
    if not len(parents):
        where = " on land" if mask else ""
        raise InputError(f"no H3 cell of resolution {resolution} has its centre{where} in this area")
    if len(parents) > _MOST_PARTITIONS:
        raise InputError(
            f"that makes {len(parents):,} partitions: choose a coarser parent_resolution, or a smaller area"
        )
    require_dask()
    import dask.dataframe as dd

    make = partial(_children_of, resolution=resolution, shape=shape, mask=mask)
    none = np.empty(0, dtype=np.uint64)
    meta = _frame(none, none, resolution)
    return dd.from_map(make, [int(parent) for parent in parents], meta=meta, enforce_metadata=False)


def _with_land(parents: Any, coarse: int, resolution: int) -> Any:
    """Leave out parents that are all sea, as far as their surroundings tell."""
    import shapely

    from ..h3cells import parents_near
    from ..land import land_polygons

    land = shapely.MultiPolygon(land_polygons().geometry.to_list())
    return np.intersect1d(parents, parents_near(land, coarse, resolution))


def _children_of(parent: int, resolution: int, shape: Any, mask: str | None) -> gpd.GeoDataFrame:
    import shapely

    from ..h3cells import centers_of, descend
    from ..land import on_land

    cells = descend(np.array([parent], dtype=np.uint64), resolution)
    if shape is not None:
        shapely.prepare(shape)
        cells = cells[shapely.intersects_xy(shape, *centers_of(cells).T)]
    if mask == "land":
        cells = cells[on_land(centers_of(cells))]
    return _frame(cells, np.full(len(cells), parent, dtype=np.uint64), resolution)


def _frame(cells: Any, parents: Any, resolution: int) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    from ..h3cells import centers_of

    columns = {"h3_resolution": np.full(len(cells), resolution, dtype=np.uint8), PARENT_COLUMN: parents}
    points = gpd.points_from_xy(*centers_of(cells).T)
    return gpd.GeoDataFrame(columns, index=pd.Index(cells, name="h3"), geometry=points, crs="EPSG:4326")
