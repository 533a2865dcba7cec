"""Features for H3 cells, and whole-world tables of them written as a stream."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h3ronpy
import h3ronpy.vector
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from . import accessor  # noqa: F401 - adds .geoconcept to tables
from .coordinates import near_pole, near_seam
from .errors import InputError, ScaleWarning, SeamWarning
from .features import FeatureColumns, check_choice
from .files import atomic_file
from .geometry import cut_at_antimeridian
from .geoparquet import ROWS_IN_GROUP, ParquetStream, bbox_array, geo_column, point_wkb, with_metadata
from .h3cells import (
    AT_ONCE,
    MOST_POINTS,
    centers_of,
    check_area,
    check_resolution,
    count_children,
    count_points,
    descend,
    to_numpy,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

    import geopandas as gpd
    from numpy.typing import NDArray

    from .concepts.bank import ConceptLike
    from .model import GeoConceptModel
    from .progress import Progress

__all__ = ["embed_h3", "write_h3"]

#: The coarsest resolution whose cells (edge 9.9 km) are no larger than the encoder's own scale of 5-10 km.
ENCODER_RESOLUTION = 5
_ROWS_SHOWN = 5


def embed_h3(
    cells: Any,
    features: str = "concepts",
    concepts: ConceptLike | Iterable[ConceptLike] | None = None,
    model: GeoConceptModel | str | PathLike[str] | None = None,
    *,
    kind: str | None = None,
    aggregate: str = "center",
    child_resolution: int | None = None,
    geometry: str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame | gpd.GeoDataFrame:
    """Compute concept scores, embeddings or both for H3 cells.

    Parameters
    ----------
    cells : array_like of str or of integers, shape (N,)
        H3 cell indexes: all strings or all integers; resolutions may differ, cells may repeat.
    features : {"concepts", "embedding", "all"}
        As in `embed`.
    concepts : str, Concept, iterable of either, or None
        Names, aliases or objects; None means all but those of grade D.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default, loaded once per process.
    kind : {"calibrated", "percentile", "cosine"}, optional
        None means calibrated, or the percentile where a concept has no calibration.
        What a concept score is; see `GeoConceptModel.score`.
    aggregate : {"center", "children"}
        ``center``: the value at the cell's centre; below resolution 5 that is only a sample of a cell larger than
        the encoder's scale. ``children``: the mean of every column over the centres of the cell's children.
    child_resolution : int, optional
        For ``aggregate="children"``; by default 5, or the cell's own resolution where that is finer.
    geometry : {None, "center", "boundary"}
        What geometry to add: none, centre points, or polygons (cut in two where they cross the antimeridian).
    progress : callable, optional
        Called as ``progress(done, total)``, in points; return true to cancel.

    Returns
    -------
    pandas.DataFrame, or geopandas.GeoDataFrame (EPSG:4326) with `geometry`
        Index ``h3`` in the order of `cells`, strings as they came, integers as uint64; column ``h3_resolution``
        (uint8), then float32 columns. ``attrs["geoconcept"]`` says how they were made.

    Raises
    ------
    InputError
        Cells are of mixed or wrong types or no H3 cells (rows are named), the children are coarser than a cell or
        too many, or an option is unknown.
    ConceptError
        A concept is unknown, or cannot be scored in this `kind`.
    Cancelled
        `progress` asked to stop.

    Warns
    -----
    ScaleWarning
        Cells below resolution 5 are valued at their centre alone.
    SeamWarning
        Centres lie within 0.5 degree of the antimeridian or a pole, where the encoder is discontinuous.

    Examples
    --------
    >>> table = embed_h3(["853f5ba7fffffff", "85194ad3fffffff"], concepts=["hot desert climate"])
    >>> table.index.name, table.columns.tolist()
    ('h3', ['h3_resolution', 'concept_hot_desert_climate'])
    """
    check_choice("geometry", geometry, (None, "center", "boundary"))
    columns = FeatureColumns(model, features, concepts, kind)
    index, numbers = parse_cells(cells)
    resolution = to_numpy(h3ronpy.cells_resolution(pa.array(numbers)))
    finest = _finest(resolution, aggregate, child_resolution)
    total = int(count_children(numbers, resolution, finest).sum())
    if total > MOST_POINTS:
        raise InputError(
            f"these {len(numbers):,} cells have {total:,} children: choose a coarser child_resolution or fewer cells"
        )
    if aggregate == "center":
        _warn_of_scale(resolution)
        if columns.model.encoder.jumps:
            _warn_of_seam(numbers)
    values = _values(columns, numbers, resolution, finest, progress, total)
    table = pd.DataFrame(values, index=index, columns=columns.names, copy=False)
    table.insert(0, "h3_resolution", resolution)
    if geometry is not None:
        import geopandas as gpd

        wkb, _ = cell_shapes(numbers, geometry)
        table = gpd.GeoDataFrame(table, geometry=shapely.from_wkb(to_numpy(wkb)), crs="EPSG:4326")
    table.attrs["geoconcept"] = columns.provenance(**_details(aggregate, child_resolution))
    return table


def write_h3(
    path: str | PathLike[str],
    area: Any = None,
    resolution: int = ENCODER_RESOLUTION,
    concepts: ConceptLike | Iterable[ConceptLike] | None = None,
    *,
    features: str = "concepts",
    model: GeoConceptModel | str | PathLike[str] | None = None,
    kind: str | None = None,
    aggregate: str = "center",
    child_resolution: int | None = None,
    geometry: str | None = "center",
    progress: Progress | None = None,
) -> int:
    """Write the H3 cells of an area to GeoParquet, however many: memory does not grow with their number.

    Parameters
    ----------
    path : path-like
        Ends in ``.parquet`` or ``.geoparquet``; written whole or not at all.
    area : (west, south, east, north), shapely.Polygon, shapely.MultiPolygon or None
        As in `h3_grid`; None is the whole world.
    resolution : int, default 5
        H3 resolution, 0 to 15.
    concepts : str, Concept, iterable of either, or None
        As in `embed_h3`.
    features : {"concepts", "embedding", "all"}
        As in `embed_h3`.
    model : GeoConceptModel, str, path-like or None
        As in `embed_h3`.
    kind : {"calibrated", "percentile", "cosine"}, optional
        None means calibrated, or the percentile where a concept has no calibration.
        As in `embed_h3`.
    aggregate : {"center", "children"}
        As in `embed_h3`.
    child_resolution : int, optional
        As in `embed_h3`.
    geometry : {"center", "boundary", None}
        Centre points, polygons (cut in two where they cross the antimeridian), or a plain Parquet file.
    progress : callable, optional
        Called as ``progress(done, total)`` in encoded points; return true to cancel.

    Returns
    -------
    int
        Number of cells written.

    Raises
    ------
    InputError
        An argument is not one of the above, or no cell has its centre in the area.
    ConceptError
        A concept is unknown, or cannot be scored in this `kind`.
    Cancelled
        `progress` asked to stop.

    Warns
    -----
    ScaleWarning
        Cells below resolution 5 are valued at their centre alone.

    Notes
    -----
    Columns: ``h3`` (uint64, sorted), ``h3_resolution``, the float32 features, ``geometry`` and its ``bbox``
    (GeoParquet 1.1). Rows stand in H3 order, which keeps neighbours together; zstd. The metadata key ``geoconcept``
    holds the provenance as JSON.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_h3(pathlib.Path(folder) / "alps.parquet", (5, 45, 11, 48), 5, "tundra climate")
    628
    """
    check_choice("geometry", geometry, ("center", "boundary", None))
    if Path(path).suffix.lower() not in (".parquet", ".geoparquet"):
        raise InputError(f"write_h3 writes GeoParquet: {path} must end in .parquet or .geoparquet")
    resolution = check_resolution(resolution)
    shape = check_area(area)
    columns = FeatureColumns(model, features, concepts, kind)
    own = np.array([resolution], dtype=np.uint8)
    finest = _finest(own, aggregate, child_resolution)
    if aggregate == "center":
        _warn_of_scale(own)
    with atomic_file(path) as part, ParquetStream(part) as stream:
        total = count_points(shape, resolution, int(finest[0]))
        done = written = 0
        for cells in _regroup(walk(shape, resolution), len(columns.names)):
            own, deep = (np.full(len(cells), r, dtype=np.uint8) for r in (resolution, finest[0]))
            values = _values(columns, cells, own, deep, progress, total, done)
            provenance = columns.provenance(**_details(aggregate, child_resolution))
            stream.write(_table(cells, own, columns.names, values, geometry, provenance))
            done += int(count_children(cells, own, deep).sum())
            written += len(cells)
    return written


def _regroup(batches: Iterator[NDArray[np.uint64]], columns: int) -> Iterator[NDArray[np.uint64]]:
    """Gather cells to row groups of about 128 MB, or of 131,072 rows if that is less."""
    size = min(ROWS_IN_GROUP, 2**27 // (4 * columns))
    waiting, count = [np.empty(0, dtype=np.uint64)], 0
    for cells in batches:
        waiting.append(cells)
        count += len(cells)
        if count >= size:
            together = np.concatenate(waiting)
            whole = count // size * size
            yield from together[:whole].reshape(-1, size)
            waiting, count = [together[whole:]], count - whole
    if count:
        yield np.concatenate(waiting)


def parse_cells(cells: Any) -> tuple[pd.Index, NDArray[np.uint64]]:
    """Return the cells as an index of their own type and as numbers, all valid."""
    if hasattr(cells, "__arrow_c_array__"):
        cells = pa.array(cells).to_pandas()
    elif isinstance(cells, (str, bytes)) or not hasattr(cells, "__len__"):
        raise InputError(f"cells must be a list, array or Series of H3 cells; got {type(cells).__name__}")
    try:
        index = pd.Index(cells)
    except (TypeError, ValueError) as error:
        raise InputError(f"cells must be a list, array or Series of H3 cells: {error}") from None
    if isinstance(index.dtype, pd.CategoricalDtype):
        index = pd.Index(np.asarray(index))
    index = index.rename("h3")
    if pd.api.types.is_float_dtype(index.dtype):
        raise InputError(
            f"cells are {index.dtype}, which cannot hold 64-bit H3 indexes (a missing value makes floats of integers): "
            "pass uint64 or strings"
        )
    missing = np.asarray(index.isna())
    if missing.any():
        raise _no_cells(index, missing)
    kind = pd.api.types.infer_dtype(index)
    if kind == "string":
        numbers = _parse_strings(index)
    elif kind in ("integer", "empty"):
        try:
            numbers = index.to_numpy().astype(np.uint64)
        except OverflowError:
            numbers = np.array([int(value) if 0 <= value < 2**64 else 0 for value in index], dtype=np.uint64)
    else:
        raise _mixed(index)
    invalid = ~to_numpy(h3ronpy.cells_valid(pa.array(numbers), booleanarray=True))
    if invalid.any():
        raise _no_cells(index, invalid)
    return pd.Index(numbers, name="h3") if kind == "integer" else index, numbers


def _parse_strings(index: pd.Index) -> NDArray[np.uint64]:
    """Read hexadecimal cells; 0, which is no cell, where h3ronpy would read something else as one."""
    text = pa.array(np.asarray(index, dtype=object), pa.string())
    parsed = pa.array(h3ronpy.cells_parse(text, set_failing_to_invalid=True))
    numbers = pc.fill_null(parsed, 0).to_numpy()
    # It also takes decimal numbers and "x, y, resolution"; those come out differently from how they went in.
    known = to_numpy(h3ronpy.cells_valid(pa.array(numbers), booleanarray=True))
    spelled = np.full(len(numbers), "", dtype=object)
    spelled[known] = to_numpy(h3ronpy.cells_to_string(pa.array(numbers[known])))
    return np.where(spelled == pc.utf8_lower(text).to_numpy(zero_copy_only=False), numbers, 0).astype(np.uint64)


def _no_cells(index: pd.Index, bad: NDArray[np.bool_]) -> InputError:
    rows = np.flatnonzero(bad)
    first = rows[:_ROWS_SHOWN]
    shown = ", ".join(f"row {row}: {cell!r}" for row, cell in zip(first, index[first].tolist(), strict=True))
    more = f", and {len(rows) - _ROWS_SHOWN:,} more" if len(rows) > _ROWS_SHOWN else ""
    return InputError(f"{len(rows):,} of {len(index):,} cells are no H3 cells: {shown}{more}")


def _mixed(index: pd.Index) -> InputError:
    cells = index.tolist()
    kinds = [str if isinstance(cell, str) else int if type(cell) is int else None for cell in cells]
    row = next((k for k, kind in enumerate(kinds) if kind is None or kind is not kinds[0]), 0)
    return InputError(
        f"cells must be all strings or all integers; row {row} is {type(cells[row]).__name__} {cells[row]!r}"
        + (f", row 0 is {type(cells[0]).__name__} {cells[0]!r}" if row else "")
    )


def _finest(own: NDArray[np.uint8], aggregate: str, child_resolution: int | None) -> NDArray[np.uint8]:
    """Return the resolution at which each cell is looked at."""
    check_choice("aggregate", aggregate, ("center", "children"))
    if aggregate == "center":
        if child_resolution is not None:
            raise InputError("child_resolution needs aggregate='children'")
        return own
    if child_resolution is None:
        return np.maximum(own, ENCODER_RESOLUTION).astype(np.uint8)
    finest = check_resolution(child_resolution)
    coarser = np.flatnonzero(own > finest)
    if len(coarser):
        raise InputError(
            f"child_resolution {finest} is coarser than the cell in row {coarser[0]} (resolution {own[coarser[0]]})"
        )
    return np.full_like(own, finest)


def _details(aggregate: str, child_resolution: int | None) -> dict[str, object]:
    if aggregate == "center":
        return {"aggregate": aggregate}
    finest = f"own, at least {ENCODER_RESOLUTION}" if child_resolution is None else child_resolution
    return {"aggregate": aggregate, "child_resolution": finest}


def _values(
    columns: FeatureColumns,
    cells: NDArray[np.uint64],
    own: NDArray[np.uint8],
    finest: NDArray[np.uint8],
    progress: Progress | None,
    total: int,
    done: int = 0,
) -> NDArray[np.float32]:
    """Compute the columns of cells, shape (N, C): at their centres, or as means over children."""
    out = np.empty((len(cells), len(columns.names)), dtype=np.float32)
    if (own == finest).all():
        columns.fill(out, centers_of(cells), progress=progress, total=total, done=done)
    else:
        columns.fill_means(out, _children(cells, own, finest), progress=progress, total=total, done=done)
    return out


def _children(
    cells: NDArray[np.uint64], own: NDArray[np.uint8], finest: NDArray[np.uint8]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.intp]]]:
    """Yield centres of children, a bounded number at a time, with the row of the cell they belong to."""
    for start, end in np.unique(np.stack([own, finest], axis=1), axis=0).tolist():
        rows = np.flatnonzero((own == start) & (finest == end))
        # First to the level from where one cell's children make about one batch.
        middle = max(start, end - 6)
        pieces, owner = descend(cells[rows], middle), rows.repeat(count_children(cells[rows], start, middle))
        step = max(1, AT_ONCE // 7 ** (end - middle))
        for k in range(0, len(pieces), step):
            part = pieces[k : k + step]
            yield centers_of(descend(part, end)), owner[k : k + step].repeat(count_children(part, middle, end))


def cell_shapes(cells: NDArray[np.uint64], geometry: str) -> tuple[pa.Array, NDArray[np.float64]]:
    """Return geometries as WKB, and their bounds, shape (N, 4)."""
    if geometry == "center":
        centers = centers_of(cells)
        return point_wkb(centers), np.tile(centers, 2)
    wkb = pa.array(h3ronpy.vector.cells_to_wkb_polygons(pa.array(cells))).cast(pa.binary())
    table = pa.record_batch(h3ronpy.vector.cells_bounds_arrays(pa.array(cells)))
    bounds = np.stack([table.column(side).to_numpy() for side in ("minx", "miny", "maxx", "maxy")], axis=1)
    # A cell wider than half the world crosses the antimeridian or holds a pole; drawn as it is, it would be a band.
    wide = bounds[:, 2] - bounds[:, 0] > 180.0
    if wide.any():
        bands = shapely.from_wkb(to_numpy(wkb.filter(pa.array(wide))))
        cut = np.array([cut_at_antimeridian(band) for band in bands], dtype=object)
        bounds[wide] = shapely.bounds(cut)
        wkb = pc.replace_with_mask(wkb, pa.array(wide), pa.array(shapely.to_wkb(cut), pa.binary()))
    return wkb, bounds


def _table(
    cells: NDArray[np.uint64],
    own: NDArray[np.uint8],
    names: list[str],
    values: NDArray[np.float32],
    geometry: str | None,
    provenance: dict[str, str],
) -> pa.Table:
    """Put one row group together."""
    arrays = {"h3": pa.array(cells), "h3_resolution": pa.array(own)}
    arrays |= {name: pa.array(column) for name, column in zip(names, np.ascontiguousarray(values.T), strict=True)}
    geo = None
    if geometry is not None:
        arrays["geometry"], bounds = cell_shapes(cells, geometry)
        arrays["bbox"] = bbox_array(bounds)
        types = ["Point"] if geometry == "center" else ["MultiPolygon", "Polygon"]
        geo = {"geometry": geo_column(types, "EPSG:4326", "bbox")}
    return with_metadata(pa.table(arrays), geo, provenance)


def _warn_of_scale(own: NDArray[np.uint8]) -> None:
    coarse = int((own < ENCODER_RESOLUTION).sum())
    if coarse:
        warnings.warn(
            f"cells below resolution {ENCODER_RESOLUTION} are larger than the encoder's scale of 5-10 km, and their "
            "centre is only one sample of them: aggregate='children' gives the mean over the cell",
            ScaleWarning,
            stacklevel=3,
        )


def _warn_of_seam(cells: NDArray[np.uint64]) -> None:
    centers = centers_of(cells)
    count = int((near_seam(centers) | near_pole(centers)).sum())
    if count:
        warnings.warn(
            f"{count:,} of {len(cells):,} cells have their centre within 0.5 degree of the antimeridian or a pole, "
            "where the encoder is discontinuous: do not compare their values with those across it",
            SeamWarning,
            stacklevel=3,
        )
