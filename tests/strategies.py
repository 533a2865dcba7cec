"""Hypothesis strategies: coordinates good and bad, shapes of every kind, frames with every index."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import strategies as st

longitudes = st.floats(-180.0, 180.0)
latitudes = st.floats(-90.0, 90.0)
places = st.tuples(longitudes, latitudes)
#: Anything a column of numbers may hold.
numbers = st.one_of(
    st.floats(-400.0, 400.0),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        [0.0, -0.0, 89.5, 90.0, 90.0000001, -90.0, 179.5, 180.0, -180.0, 360.0, 361.0, np.nan, np.inf, -np.inf]
    ),
)
pairs = st.tuples(numbers, numbers)


def _square(center):
    lon, lat = center
    return shapely.box(lon, lat, lon + 1.0, lat + 1.0)


def _rounded(low, high):
    """Numbers to 6 decimals: GEOS measures no lengths of 1e-200."""
    return st.floats(low, high).map(lambda x: round(x, 6))


#: Places away from seam and poles, with room for a shape round them.
inner = st.tuples(_rounded(-170.0, 170.0), _rounded(-80.0, 80.0))
lines = st.lists(inner, min_size=2, max_size=4).map(shapely.LineString)
polygons = st.one_of(inner.map(_square), inner.map(lambda c: shapely.Point(c).buffer(0.5, 4)))
#: Shapes that are somewhere on Earth.
good_shapes = st.one_of(
    inner.map(shapely.Point),
    inner.map(lambda c: shapely.Point(*c, 100.0)),
    lines,
    polygons,
    st.lists(inner, min_size=1, max_size=4).map(shapely.MultiPoint),
    st.lists(lines, min_size=1, max_size=3).map(shapely.MultiLineString),
    inner.map(lambda c: shapely.MultiPolygon([_square(c), _square((c[0] + 2.0, c[1]))])),
    st.lists(st.one_of(inner.map(shapely.Point), lines, polygons), min_size=1, max_size=3).map(
        shapely.GeometryCollection
    ),
)
#: Shapes that are nowhere.
bad_shapes = st.one_of(
    st.none(),
    st.sampled_from(
        ["POINT EMPTY", "LINESTRING EMPTY", "POLYGON EMPTY", "GEOMETRYCOLLECTION EMPTY", "MULTIPOINT EMPTY"]
    ).map(shapely.from_wkt),
    st.sampled_from([(np.nan, 1.0), (1.0, np.inf), (-np.inf, np.nan), (0.0, 90.5), (361.0, 0.0)]).map(shapely.Point),
)


def indexes(size):
    """Indexes of a given length: plain, repeated, text, dates, several levels."""
    return st.sampled_from(
        [
            pd.RangeIndex(size),
            pd.RangeIndex(5, 5 + size),
            pd.Index([0] * size, name="same"),
            pd.Index([f"r{k // 2}" for k in range(size)]),
            pd.date_range("2020-01-01", periods=size, name="day"),
            pd.MultiIndex.from_arrays([[1] * size, list(range(size))], names=["a", "b"]),
        ]
    )


@st.composite
def frames(draw, shapes=good_shapes, max_size=6):
    """GeoDataFrames in EPSG:4326 with other columns, any index and any name for the geometry."""
    column = draw(st.lists(shapes, max_size=max_size))
    index = draw(indexes(len(column)))
    name = draw(st.sampled_from(["geometry", "where", "The Geom"]))
    values = gpd.array.from_shapely(np.array([*column, None], dtype=object)[:-1], crs="EPSG:4326")
    return gpd.GeoDataFrame({"label": np.arange(len(column)), name: values}, geometry=name, index=index)
