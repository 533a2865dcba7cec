"""GeoParquet 1.1 with a bbox column and our provenance beside it, whole or as a stream."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from .errors import InputError
from .provenance import EMB_KEY, embedding_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "PROVENANCE_KEY",
    "ROWS_IN_GROUP",
    "ParquetStream",
    "bbox_array",
    "check_names",
    "frame_to_table",
    "geo_column",
    "geometry_columns",
    "hilbert_order",
    "point_wkb",
    "read_frame",
    "with_metadata",
]

PROVENANCE_KEY = "geoconcept"
_TYPES = (
    "Point",
    "LineString",
    "LineString",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
)
_SIDES = ("xmin", "ymin", "xmax", "ymax")
#: Rows of a group: enough to compress well, few enough for the bbox statistics to be of use.
ROWS_IN_GROUP = 1 << 17
#: Bytes of a group before compression, as geoembeddings.org advises: wide tables get fewer rows.
BYTES_IN_GROUP = 1 << 27


def bbox_array(bounds: NDArray[np.float64]) -> pa.StructArray:
    """Make the covering column: boxes in float32, rounded outwards.

    Parameters
    ----------
    bounds : ndarray of float64, shape (N, 4)
        xmin, ymin, xmax, ymax; NaN for rows without geometry, which become null.

    Returns
    -------
    pyarrow.StructArray
        Fields ``xmin``, ``ymin``, ``xmax``, ``ymax``.

    Examples
    --------
    >>> bbox_array(np.array([[0.0, 0.0, 1.0, 2.0]]))[0].as_py()
    {'xmin': 0.0, 'ymin': 0.0, 'xmax': 1.0, 'ymax': 2.0}
    """
    with np.errstate(over="ignore"):
        near = bounds.astype(np.float32)
    low, high = near[:, :2], near[:, 2:]
    low = np.where(low > bounds[:, :2], np.nextafter(low, np.float32(-np.inf)), low)
    high = np.where(high < bounds[:, 2:], np.nextafter(high, np.float32(np.inf)), high)
    sides = np.concatenate([low, high], axis=1)
    empty = np.isnan(sides).any(axis=1)
    return pa.StructArray.from_arrays(
        [pa.array(np.ascontiguousarray(side)) for side in sides.T],
        names=_SIDES,
        mask=pa.array(empty) if empty.any() else None,
    )


def point_wkb(xy: NDArray[np.float64]) -> pa.Array:
    """Encode points as WKB, ten times as fast as by way of geometry objects.

    Parameters
    ----------
    xy : ndarray of float64, shape (N, 2)

    Returns
    -------
    pyarrow.BinaryArray

    Examples
    --------
    >>> shapely.from_wkb(point_wkb(np.array([[1.0, 2.0]]))[0].as_py()).wkt
    'POINT (1 2)'
    """
    records = np.empty(len(xy), dtype=[("little_endian", "u1"), ("type", "<u4"), ("xy", "<f8", 2)])
    records["little_endian"], records["type"], records["xy"] = 1, 1, xy
    size = records.itemsize
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(size), len(xy), [None, pa.py_buffer(records)])
    return fixed.cast(pa.binary())


def geo_column(types: list[str], crs: Any, bbox: str | None = None) -> dict[str, Any]:
    """Describe one geometry column as the GeoParquet specification asks.

    Parameters
    ----------
    types : list of str
        Geometry types that occur, for example ``["Point"]``.
    crs : pyproj.CRS, what makes one, or None
        None is written as unknown.
    bbox : str, optional
        Name of the covering column.
    """
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": types,
        "crs": None if crs is None else pyproj.CRS.from_user_input(crs).to_json_dict(),
    }
    if bbox is not None:
        column["covering"] = {"bbox": {side: [bbox, side] for side in _SIDES}}
    return column


def with_metadata(
    table: pa.Table,
    geo: Mapping[str, dict[str, Any]] | None,
    provenance: Mapping[str, str] | None,
    primary: str = "geometry",
) -> pa.Table:
    """Return the table with the keys ``geo``, ``geoconcept`` and ``emb`` in its metadata."""
    metadata = dict(table.schema.metadata or {})
    if geo:
        record = {"version": "1.1.0", "primary_column": primary, "columns": dict(geo)}
        metadata[b"geo"] = json.dumps(record).encode()
    if provenance:
        metadata[PROVENANCE_KEY.encode()] = json.dumps(dict(provenance)).encode()
        if "model_sha256" in provenance:
            metadata[EMB_KEY.encode()] = json.dumps(embedding_record(provenance)).encode()
    return table.replace_schema_metadata(metadata)


def frame_to_table(frame: pd.DataFrame) -> pa.Table:
    """Turn a frame into an Arrow table that is GeoParquet once written.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame or pandas.DataFrame
        Its index is kept; ``attrs["geoconcept"]`` becomes metadata.

    Returns
    -------
    pyarrow.Table
        Geometries as WKB; a column ``bbox`` covers the active geometry.

    Raises
    ------
    InputError
        Column names are not strings or not unique, or a column cannot be stored.
    """
    import geopandas as gpd
    import pandas as pd

    plain = pd.DataFrame(frame, copy=False)
    plain.attrs = {}  # pandas would store them a second time
    geo: dict[str, dict[str, Any]] = {}
    active = str(frame.active_geometry_name or "") if isinstance(frame, gpd.GeoDataFrame) else ""
    for name in geometry_columns(frame):
        array = frame[name].array
        shapes = np.asarray(array)
        plain = plain.assign(**{name: pd.Series(shapely.to_wkb(shapes, flavor="iso"), plain.index, dtype=object)})
        geo[name] = geo_column(_types(shapes), array.crs, "bbox" if name == active else None)
    try:
        table = pa.Table.from_pandas(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise InputError(f"a column cannot be stored in Parquet: {'; '.join(map(str, error.args))}") from None
    for name in geo:  # a column of nothing but None has no type of its own
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).cast(pa.binary()))
    if active:
        if "bbox" in table.column_names:
            raise InputError("the table has a column 'bbox', the name of GeoParquet's boxes: rename it first")
        table = table.append_column("bbox", bbox_array(shapely.bounds(np.asarray(frame[active].array))))
    return with_metadata(table, geo, frame.attrs.get(PROVENANCE_KEY), active)


def check_names(frame: pd.DataFrame) -> None:
    """Refuse a frame whose column names no file can hold.

    Raises
    ------
    InputError
        Names are not strings, or not unique.
    """
    names: list[Any] = frame.columns.tolist()
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise InputError(f"column names must be strings to be stored; {odd[0]!r} is {type(odd[0]).__name__}")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(f"two columns are called {twice[0]!r}: rename one first")


def geometry_columns(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns that hold geometries."""
    import geopandas as gpd

    kinds = zip(frame.columns, frame.dtypes, strict=True)
    return [str(name) for name, kind in kinds if isinstance(kind, gpd.array.GeometryDtype)]


def hilbert_order(shapes: NDArray[np.object_]) -> NDArray[np.intp]:
    """Return the order of rows along a Hilbert curve through their boxes' centres; rows without a place go last.

    Parameters
    ----------
    shapes : ndarray of shapely geometries, shape (N,)

    Returns
    -------
    ndarray of int, shape (N,)

    Examples
    --------
    >>> hilbert_order(shapely.points([[0.0, 0.0], [9.0, 9.0], [1.0, 0.0]])).tolist()
    [0, 2, 1]
    """
    import geopandas as gpd

    placed = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    rows = np.flatnonzero(placed)
    if len(rows) > 1:
        rows = rows[np.argsort(gpd.GeoSeries(shapes[rows]).hilbert_distance().to_numpy(), kind="stable")]
    return np.concatenate([rows, np.flatnonzero(~placed)])


def _types(shapes: NDArray[np.object_]) -> list[str]:
    kinds = shapely.get_type_id(shapes)
    there = kinds >= 0
    pairs = set(zip(kinds[there].tolist(), shapely.has_z(shapes)[there].tolist(), strict=True))
    return sorted({_TYPES[kind] + (" Z" if deep else "") for kind, deep in pairs})


def read_frame(path: Path, groups: Sequence[int] | None = None) -> pd.DataFrame:
    """Read a GeoParquet file as a GeoDataFrame, any other Parquet file as a DataFrame.

    Parameters
    ----------
    path : pathlib.Path
    groups : sequence of int, optional
        Only these row groups; an index that only counts rows then counts from the first row of the file.

    Raises
    ------
    InputError
        The file is no Parquet file, or its geometry is not what it says.
    """
    import geopandas as gpd
    import pandas as pd

    try:
        metadata = pq.read_schema(path).metadata or {}
        source: Any = path if groups is None else _row_groups(path, groups)
        frame = gpd.read_parquet(source) if b"geo" in metadata else pd.read_parquet(source)
    except (pa.ArrowInvalid, OSError, ValueError, KeyError, shapely.errors.GEOSException) as error:
        raise InputError(f"{path} is not a readable Parquet file: {error}") from None
    if groups and isinstance(frame.index, pd.RangeIndex):
        frame.index += _rows_before(path, groups[0])
    return frame


def _row_groups(path: Path, groups: Sequence[int]) -> io.BytesIO:
    """Return some row groups as a file of their own, so that one reader reads both."""
    with pq.ParquetFile(path) as file:
        table = file.read_row_groups(list(groups))
    copy = io.BytesIO()
    pq.write_table(table, copy, compression="none")
    copy.seek(0)
    return copy


def _rows_before(path: Path, group: int) -> int:
    metadata = pq.read_metadata(path)
    return sum(metadata.row_group(k).num_rows for k in range(group))


class ParquetStream:
    """A Parquet file written table by table, each one row group; the first table gives schema and metadata.

    Parameters
    ----------
    path : pathlib.Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> ParquetStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Append one row group."""
        if self._writer is None:
            # Scores and shapes hardly repeat: a dictionary would only cost time.
            repeat = [f.name for f in table.schema if not pa.types.is_floating(f.type) and f.type != pa.binary()]
            self._writer = pq.ParquetWriter(
                self._path, table.schema, compression="zstd", use_dictionary=repeat, write_page_index=True
            )
        rows = BYTES_IN_GROUP * max(table.num_rows, 1) // max(table.nbytes, 1)
        self._writer.write_table(table, row_group_size=min(ROWS_IN_GROUP, max(rows, 1)))
