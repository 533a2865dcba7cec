"""Files of places as a dask-geopandas frame, read partition by partition through `read_places`' own code."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .engine import require_dask

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    import geopandas as gpd

__all__ = ["scan_places"]

#: Rows of a partition of a Parquet file, as far as its row groups allow.
ROWS_IN_PARTITION = 1 << 17
_PARQUET = (".parquet", ".geoparquet")


def scan_places(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    *,
    lon: str | None = None,
    lat: str | None = None,
    crs: Any = None,
    layer: str | None = None,
    invalid: str = "raise",
) -> Any:
    """Open tables of places as one dask-geopandas frame; rows are read when they are needed.

    Parameters
    ----------
    paths : path-like, or iterable of path-like
        Files of one format and with the same columns, as `read_places` takes them. Parquet is cut into partitions of
        about 131,072 rows (whole row groups); every other file is one partition, and must fit into memory.
    lon, lat : str, optional
        Columns that hold the coordinates, as in `read_places`.
    crs : pyproj.CRS or what makes one, optional
        CRS of the coordinates where the files do not say.
    layer : str, optional
        Layer of a GeoPackage that holds several.
    invalid : {"raise", "null"}
        What to do with coordinate cells that hold text.

    Returns
    -------
    dask_geopandas.GeoDataFrame
        The index is that of each file; rows of a Parquet file without one are counted from its first.

    Raises
    ------
    InputError
        As in `read_places`, or the files are of several formats, or none is given.
    MissingDependencyError
        dask is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import world_places, write_places
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_places(world_places(), pathlib.Path(folder) / "places.parquet")
    ...     places = scan_places([file, file])
    ...     places.npartitions, len(places)
    (2, 7160)
    """
    from ..tables import read_places

    given: Any = [paths] if isinstance(paths, str) or hasattr(paths, "__fspath__") else paths
    files = [Path(path).resolve() for path in given]
    if not files:
        raise InputError("there is no file to read")
    kinds = sorted({"Parquet" if path.suffix.lower() in _PARQUET else path.suffix.lower() for path in files})
    if len(kinds) > 1:
        raise InputError(f"files of one format can be read together; got {', '.join(kinds)}")
    for path in files:
        if not path.is_file():
            raise InputError(f"there is no file {path}")
    require_dask()
    import dask.dataframe as dd

    read = partial(read_places, lon=lon, lat=lat, crs=crs, layer=layer, invalid=invalid)
    pieces = [piece for path in files for piece in _pieces_of(path)]
    meta = _read_piece(pieces[0].first(), read, None).iloc[:0]
    meta.attrs = {}
    return dd.from_map(partial(_read_piece, read=read, meta=meta), pieces, meta=meta, enforce_metadata=False)


@dataclass(frozen=True)
class _Piece:
    """A file, or some row groups of one, and what tells it from the same file written anew."""

    path: str
    groups: tuple[int, ...] | None
    size: int
    modified: int

    def first(self) -> _Piece:
        """Return as little of it as shows the columns."""
        return self if self.groups is None else _Piece(self.path, self.groups[:1], self.size, self.modified)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return astuple(self)


def _pieces_of(path: Path) -> list[_Piece]:
    state = path.stat()
    groups = _group_rows(path) if path.suffix.lower() in _PARQUET else [None]
    return [_Piece(str(path), some, state.st_size, state.st_mtime_ns) for some in groups]


def _group_rows(path: Path) -> list[tuple[int, ...] | None]:
    """Gather row groups to partitions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} is not a readable Parquet file: {error}") from None
    found: list[tuple[int, ...] | None] = []
    waiting: list[int] = []
    rows = 0
    for k in range(metadata.num_row_groups):
        more = metadata.row_group(k).num_rows
        if waiting and rows + more > ROWS_IN_PARTITION:
            found.append(tuple(waiting))
            waiting, rows = [], 0
        waiting.append(k)
        rows += more
    return [*found, tuple(waiting)] if waiting else [None]


def _read_piece(piece: _Piece, read: Any, meta: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Read a piece; its columns must be those of the first."""
    path = Path(piece.path)
    places = read(path, groups=piece.groups)
    if meta is None:
        return places
    if places.columns.tolist() != meta.columns.tolist():
        raise InputError(
            f"{path} has other columns than the first file: {', '.join(map(str, places.columns))} instead of "
            f"{', '.join(map(str, meta.columns))}"
        )
    if places.crs != meta.crs:
        raise InputError(f"{path} has another CRS than the first file: reproject it first")
    for name, dtype in meta.dtypes.items():
        if places[name].dtype != dtype:
            try:
                places[name] = places[name].astype(dtype)
            except (TypeError, ValueError) as error:
                raise InputError(
                    f"{path}: column {name!r} is {places[name].dtype}, which does not fit {dtype} of the first file: "
                    f"{error}"
                ) from None
    places.attrs = {}
    return places
