"""Tables of places, from files and to files."""

from __future__ import annotations

import gzip
import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely

from . import accessor  # noqa: F401 - adds .geoconcept to tables
from .errors import CoordinateError, InputError
from .features import check_choice
from .files import atomic_file
from .geometry import to_lonlat
from .geoparquet import PROVENANCE_KEY, ParquetStream, check_names, frame_to_table, geometry_columns, read_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["check_suffix", "read_places", "read_provenance", "write_places"]

_TEXT = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
_PARQUET = (".parquet", ".geoparquet")
_LAYERS = (".gpkg", ".geojson", ".json", ".shp")

# Column names without case, spaces and punctuation. The second pair counts only where the first finds nothing,
# and is the only one in a projected CRS.
_LON = {"lon", "lng", "long", "longitude", "decimallongitude", "londd", "longitudedd", "londeg", "longitudedeg"}
_LAT = {"lat", "latitude", "decimallatitude", "latdd", "latitudedd", "latdeg", "latitudedeg"}
_X = {"x", "xcoord", "xcoordinate", "coordx", "coordinatex", "pointx", "easting", "eastings"}
_Y = {"y", "ycoord", "ycoordinate", "coordy", "coordinatey", "pointy", "northing", "northings"}
_WKT = {"wkt", "geometry", "geom"}

# "NA" is no missing value in a column of names or country codes, but it is one in a column of coordinates.
_NO_VALUE = ["", "NaN", "nan", "null", "NULL", "N/A", "n/a", "#N/A"]
_NO_NUMBER = {"", "na", "nan", "null", "none", "n/a", "#n/a", "<na>", "-"}
_SHOWN = 5


def read_places(
    path: str | PathLike[str],
    *,
    lon: str | None = None,
    lat: str | None = None,
    crs: Any = None,
    layer: str | None = None,
    invalid: str = "raise",
    groups: Sequence[int] | None = None,
) -> gpd.GeoDataFrame:
    r"""Read a table of places.

    Parameters
    ----------
    path : path-like
        CSV or TSV (also ``.gz``; comma, semicolon, tab or bar; UTF-8), GeoPackage, GeoJSON, Shapefile, GeoParquet,
        or plain Parquet with coordinate columns.
    lon, lat : str, optional
        Columns that hold the coordinates; detected from names such as ``lon``, ``Longitude``, ``decimalLongitude``
        or ``x`` when left out. A CSV without them may hold WKT in a column ``geometry`` or ``wkt``.
    crs : pyproj.CRS or what makes one, optional
        CRS of the coordinates where the file does not say; EPSG:4326 for coordinate columns when left out.
    layer : str, optional
        Layer of a GeoPackage that holds several.
    invalid : {"raise", "null"}
        What to do with coordinate cells that hold text: name them in an error, or leave the geometry out.
    groups : sequence of int, optional
        Only these row groups of a Parquet file.

    Returns
    -------
    geopandas.GeoDataFrame
        Every row and every column of the file. Empty coordinate cells give no geometry (None); numbers are kept even
        if they are no place on Earth, for `embed` to report. ``attrs["geoconcept"]`` is there if the file has it.

    Raises
    ------
    InputError
        No such file, an unknown or broken format, no or several candidates for columns or layers, or a CRS that
        contradicts the file's own.
    CoordinateError
        Coordinate cells hold text; rows are named, counted from 0 without the header.

    See Also
    --------
    geoconcept_gis.write_places : the way back.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "towns.csv"
    ...     _ = file.write_text("town;Longitude;Latitude\nCairo;31.2;30.0\n")
    ...     read_places(file).geometry[0].wkt
    'POINT (31.2 30)'
    """
    check_choice("invalid", invalid, ("raise", "null"))
    path, suffix = Path(path), _suffix(path)
    if suffix not in (*_TEXT, *_PARQUET, *_LAYERS):
        raise InputError(f"cannot read {path}: its name must end in one of {', '.join(_TEXT + _PARQUET + _LAYERS)}")
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    if layer is not None and suffix not in _LAYERS:
        raise InputError(f"{path} has no layers: leave layer out")
    crs = None if crs is None else _as_crs(crs)
    if suffix in _TEXT:
        table = _read_text(path, suffix)
    elif suffix in _PARQUET:
        table = read_frame(path, groups)
    else:
        table = _read_layer(path, layer)
    if isinstance(table, gpd.GeoDataFrame):
        if lon is not None or lat is not None:
            raise InputError(f"{path} has geometries of its own: leave lon and lat out")
        places = _with_crs(table, crs, path)
    else:
        places = _locate(table, lon, lat, crs, invalid, path)
    if provenance := read_provenance(path):
        places.attrs[PROVENANCE_KEY] = provenance
    return places


def _suffix(path: str | PathLike[str]) -> str:
    """Return the last ending of a file's name, in lower case, with what stands before a ``.gz``."""
    endings = [ending.lower() for ending in Path(path).suffixes]
    return "".join(endings[-2:] if endings[-1:] == [".gz"] else endings[-1:])


def _as_crs(crs: Any) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        raise InputError(f"{crs!r} is no CRS that PROJ knows; use a code like 'EPSG:4326'") from None


def _with_crs(table: gpd.GeoDataFrame, crs: pyproj.CRS | None, path: Path) -> gpd.GeoDataFrame:
    if crs is None or table.crs == crs:
        return table
    if table.crs is not None:
        raise InputError(f"{path} says its CRS is {table.crs.name!r}, not {crs.name!r}: leave crs out")
    return table.set_crs(crs)


def _read_text(path: Path, suffix: str) -> pd.DataFrame:
    opener: Callable[..., Any] = gzip.open if suffix.endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8-sig") as file:
            header = file.readline()
        if not header.strip():
            raise InputError(f"{path} is empty: it needs a first line with column names")
        separator = max(",;\t|", key=header.count) if suffix.startswith(".csv") else "\t"
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header: never cut them
            table: pd.DataFrame = pd.read_csv(
                path,
                sep=separator,
                encoding="utf-8-sig",
                index_col=False,
                keep_default_na=False,
                na_values=_NO_VALUE,
                low_memory=False,
            )
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}): save it as CSV UTF-8") from None
    except (pd.errors.ParserError, pd.errors.ParserWarning, OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read as a table: {str(error).strip()}") from None
    return table


def _read_layer(path: Path, layer: str | None) -> pd.DataFrame:
    try:
        layers = {str(name): kind for name, kind in pyogrio.list_layers(path)}
        if layer is None:
            layer = _only_layer(layers, path)
        elif layer not in layers:
            raise InputError(f"{path} has no layer {layer!r}; it has {', '.join(map(repr, layers))}")
        table: pd.DataFrame = pyogrio.read_dataframe(path, layer=layer)
    except InputError:
        raise
    except (RuntimeError, ValueError, OSError, shapely.errors.GEOSException) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    return table


def _only_layer(layers: dict[str, Any], path: Path) -> str:
    spatial = [name for name, kind in layers.items() if kind is not None]
    names = spatial or list(layers)
    if len(names) != 1:
        raise InputError(f"{path} has {len(names)} layers; choose one with layer=: {', '.join(map(repr, names))}")
    return names[0]


def _locate(
    table: pd.DataFrame, lon: str | None, lat: str | None, crs: pyproj.CRS | None, invalid: str, path: Path
) -> gpd.GeoDataFrame:
    """Make geometries from coordinate columns, or from a column of WKT."""
    geographic = crs is None or crs.is_geographic
    names = [str(name) for name in table.columns]
    crs = crs or pyproj.CRS("EPSG:4326")
    wkt = [name for name in table.columns if _plain(name) in _WKT]
    if lon is None and lat is None and len(wkt) == 1 and not _candidates(names, geographic):
        return gpd.GeoDataFrame(table.drop(columns=wkt), geometry=_parse_wkt(table[wkt[0]], invalid, path), crs=crs)
    lon, lat = _coordinate_columns(names, lon, lat, geographic, str(path))
    x, y = (_numbers(table[name], name, invalid, path) for name in (lon, lat))
    shapes = np.full(len(table), None, dtype=object)
    there = ~(np.isnan(x) | np.isnan(y))
    shapes[there] = shapely.points(x[there], y[there])
    name = "geometry" if "geometry" not in table else "geoconcept_geometry"
    return gpd.GeoDataFrame(table).set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=crs).rename(name))


def _plain(name: Any) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _candidates(names: list[str], geographic: bool) -> list[tuple[list[str], list[str]]]:
    """Return the columns that may hold longitudes and latitudes, best guess first."""
    pairs = [(_LON, _LAT), (_X, _Y)] if geographic else [(_X, _Y)]
    found = [
        ([n for n in names if _plain(n) in first], [n for n in names if _plain(n) in second]) for first, second in pairs
    ]
    return [pair for pair in found if pair[0] or pair[1]]


def _coordinate_columns(
    names: list[str], lon: str | None, lat: str | None, geographic: bool, path: str
) -> tuple[str, str]:
    """Return the names of the longitude and latitude columns: as given, else the only ones that look like it."""
    listed = ", ".join(map(repr, names))
    for option, name in (("lon", lon), ("lat", lat)):
        if name is not None and name not in names:
            raise InputError(f"{path} has no column {name!r} ({option}); its columns are {listed}")
    for lons, lats in [*_candidates(names, geographic), ([], [])]:
        lons, lats = [lon] if lon else lons, [lat] if lat else lats
        for option, several in (("lon", lons), ("lat", lats)):
            if len(several) > 1:
                alike = ", ".join(map(repr, several))
                raise InputError(f"{path}: {alike} could all be the {option} column; choose one with {option}=")
        if lons and lats:
            if lons == lats:
                raise InputError(f"{path}: lon and lat are the same column {lons[0]!r}")
            return lons[0], lats[0]
    wanted = "longitude and latitude" if geographic else "x and y of the projected CRS"
    raise InputError(f"{path}: no columns look like {wanted}; name them with lon= and lat=. Its columns are {listed}")


def _numbers(column: pd.Series[Any], name: str, invalid: str, path: Path) -> NDArray[np.float64]:
    """Return a coordinate column as numbers, NaN where it is empty."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    text = column.astype(str).str.strip()
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    missing = (column.isna() | text.str.lower().isin(_NO_NUMBER)).to_numpy(dtype=bool)
    wrong = np.flatnonzero(np.isnan(numbers) & ~missing)
    if len(wrong) and invalid == "raise":
        shown = _list_rows(wrong, text)
        comma = " Write decimals with a point." if text.iloc[wrong].str.fullmatch(r"-?\d+,\d+").any() else ""
        raise CoordinateError(
            f"{path}: column {name!r} holds text where a number belongs: {shown}.{comma} "
            "Mend these cells, or read with invalid='null' to leave those places out of the geometry."
        )
    return numbers


def _parse_wkt(column: pd.Series[Any], invalid: str, path: Path) -> NDArray[np.object_]:
    text = column.astype(object).where(column.notna(), None).to_numpy()
    shapes = shapely.from_wkt(
        np.array([t if isinstance(t, str) else None for t in text], dtype=object), on_invalid="ignore"
    )
    wrong = np.flatnonzero((shapely.is_missing(shapes)) & column.notna().to_numpy())
    if len(wrong) and invalid == "raise":
        raise CoordinateError(f"{path}: column {column.name!r} holds what is no WKT: {_list_rows(wrong, column)}")
    return np.asarray(shapes)


def _list_rows(rows: NDArray[np.intp], column: pd.Series[Any]) -> str:
    shown = ", ".join(f"row {row}: {str(column.iloc[row])[:40]!r}" for row in rows[:_SHOWN])
    return shown + (f", and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else "")


def check_suffix(path: str | PathLike[str]) -> str:
    """Return the ending of a file that `write_places` can write, or list the endings.

    Raises
    ------
    InputError
        It cannot write such a file.

    Examples
    --------
    >>> check_suffix("places.GPKG")
    '.gpkg'
    """
    suffix = _suffix(path)
    if suffix not in _WRITERS:
        why = " (a Shapefile cuts column names to 10 letters)" if suffix == ".shp" else ""
        raise InputError(f"cannot write {path}{why}: its name must end in one of {', '.join(_WRITERS)}")
    return suffix


def write_places(frame: pd.DataFrame, path: str | PathLike[str]) -> Path:
    """Write a table of places, with where it came from.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame, or pandas.DataFrame for Parquet and CSV
        For example what `embed` or `embed_h3` returned.
    path : path-like
        The ending chooses the format. ``.parquet``, ``.geoparquet``: GeoParquet 1.1, with the index. ``.gpkg``: one
        layer, named after the file. ``.geojson``: EPSG:4326. ``.csv``: EPSG:4326; points as columns ``lon``, ``lat``
        (the frame's own coordinate columns if they say the same; Z left out), other shapes as WKT.

    Returns
    -------
    pathlib.Path
        The file, whole; on any failure nothing is left and an older file stays as it was.

    Raises
    ------
    InputError
        Another ending, no such folder, or a column or geometry that the format cannot hold.

    Notes
    -----
    ``frame.attrs["geoconcept"]`` goes along: as Parquet metadata key ``geoconcept``, as metadata of the GeoPackage's
    layer, as the GeoJSON's description, as ``<name>.csv.json`` beside a CSV; `read_provenance` reads it back. But for
    Parquet, a named or labelled index becomes columns.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import world_places
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_places(world_places(), pathlib.Path(folder) / "places.gpkg")
    ...     read_places(file).crs.to_epsg()
    4326
    """
    writer = _WRITERS[check_suffix(path)]
    path = Path(path)
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"write_places needs a GeoDataFrame; got {type(frame).__name__}")
    check_names(frame)
    try:
        writer(frame, path)
    except InputError:
        raise
    except (RuntimeError, ValueError, TypeError) as error:  # what pyogrio and pandas raise
        raise InputError(f"cannot write {path}: {error}") from None
    return path


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    with atomic_file(path) as part, ParquetStream(part) as stream:
        stream.write(frame_to_table(frame))


def _write_gpkg(frame: pd.DataFrame, path: Path) -> None:
    places = _one_geometry(_with_index(frame))
    provenance = frame.attrs.get(PROVENANCE_KEY)
    metadata = {PROVENANCE_KEY: json.dumps(provenance, ensure_ascii=False)} if provenance else None
    with atomic_file(path) as part:
        pyogrio.write_dataframe(places, part, driver="GPKG", layer=path.stem, layer_metadata=metadata)


def _write_geojson(frame: pd.DataFrame, path: Path) -> None:
    places = _one_geometry(_with_index(frame))
    if places.crs is None:
        raise InputError("GeoJSON holds longitude and latitude, and this frame has no CRS: use set_crs first")
    provenance = frame.attrs.get(PROVENANCE_KEY)
    options = {"DESCRIPTION": json.dumps({PROVENANCE_KEY: provenance}, ensure_ascii=False)} if provenance else {}
    with atomic_file(path) as part:
        pyogrio.write_dataframe(
            places.to_crs("EPSG:4326"), part, driver="GeoJSON", layer=path.stem, layer_options=options
        )


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    table = _with_index(frame)
    if isinstance(table, gpd.GeoDataFrame):
        table = _geometry_as_text(_one_geometry(table))
    provenance, sidecar = frame.attrs.get(PROVENANCE_KEY), _sidecar(path)
    with atomic_file(path) as part:
        table.to_csv(part, index=False, encoding="utf-8")
        if provenance:
            with atomic_file(sidecar) as beside:
                text = json.dumps({PROVENANCE_KEY: provenance}, ensure_ascii=False, indent=1)
                beside.write_text(text + "\n", encoding="utf-8")
        elif sidecar.is_file() and _ours(sidecar.read_text(encoding="utf-8", errors="replace")):
            sidecar.unlink()  # of an older file of this name


_WRITERS = {
    ".parquet": _write_parquet,
    ".geoparquet": _write_parquet,
    ".gpkg": _write_gpkg,
    ".geojson": _write_geojson,
    ".csv": _write_csv,
}


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn an index that says something into columns."""
    index = frame.index
    if isinstance(index, pd.RangeIndex) and index.name is None and (index.start, index.step) == (0, 1):
        return frame
    try:
        return frame.reset_index()
    except ValueError as error:
        raise InputError(f"the index cannot become a column: {error}") from None


def _one_geometry(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    names = geometry_columns(frame)
    if not isinstance(frame, gpd.GeoDataFrame) or not names:
        raise InputError(f"this format needs a GeoDataFrame; got {type(frame).__name__} without geometry")
    if len(names) > 1:
        raise InputError(f"this format holds one geometry, the frame has {', '.join(names)}: drop the others first")
    return frame.set_geometry(names[0])


def _geometry_as_text(places: gpd.GeoDataFrame) -> pd.DataFrame:
    """Replace the geometry by columns lon and lat in front if all are points, else by WKT."""
    if places.crs is None:
        raise InputError("a CSV holds longitude and latitude, and this frame has no CRS: use set_crs first")
    shapes, table = np.asarray(places.geometry.array), pd.DataFrame(places.drop(columns=places.geometry.name))
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if not (shapely.get_type_id(shapes[there]) == 0).all():
        return _in_front(table, {"geometry": shapely.to_wkt(np.asarray(places.to_crs("EPSG:4326").geometry.array), -1)})
    lonlat = np.full((len(shapes), 2), np.nan)
    lonlat[there], lost = to_lonlat(shapely.get_coordinates(shapes[there]), places.crs)
    lonlat[np.flatnonzero(there)[lost]] = np.nan
    own = _own_columns(table, lonlat)
    if own:
        return table[[*own, *table.columns.drop(own)]]
    return _in_front(table, {"lon": lonlat[:, 0], "lat": lonlat[:, 1]})


def _own_columns(table: pd.DataFrame, lonlat: NDArray[np.float64]) -> list[str]:
    """Return the table's own coordinate columns if they say the same as the geometry."""
    try:
        own = list(_coordinate_columns([str(name) for name in table.columns], None, None, True, ""))
    except InputError:
        return []
    numbers = np.stack([_numbers(table[name], name, "null", Path()) for name in own], axis=1)
    there = ~np.isnan(lonlat).any(axis=1)
    return own if np.allclose(numbers[there], lonlat[there], rtol=0.0, atol=1e-9) else []


def _in_front(table: pd.DataFrame, columns: dict[str, Any]) -> pd.DataFrame:
    clash = [name for name in columns if name in table]
    if clash:
        raise InputError(
            f"column {clash[0]!r} is not what the geometry says, and a CSV needs that name: rename it first"
        )
    return pd.concat([pd.DataFrame(columns, index=table.index), table], axis=1)


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def read_provenance(path: str | PathLike[str]) -> dict[str, str]:
    """Return where a table came from: the record that `write_places` or `write_h3` put into it.

    Parameters
    ----------
    path : path-like
        Parquet, GeoPackage, GeoJSON or CSV.

    Returns
    -------
    dict of str to str
        Empty if the file carries none.

    Raises
    ------
    InputError
        No such file, or it is broken.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import embed, world_places
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_places(embed(world_places().head(3), concepts="BWh"), pathlib.Path(folder) / "places.csv")
    ...     read_provenance(file)["concepts"]
    'hot desert climate'
    """
    path, suffix = Path(path), _suffix(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    try:
        if suffix in _PARQUET:
            metadata = pq.read_schema(path).metadata or {}
            return _record(metadata.get(PROVENANCE_KEY.encode(), b"").decode())
        if suffix == ".gpkg":
            layers = [pyogrio.read_info(path, layer=name)["layer_metadata"] for name, _ in pyogrio.list_layers(path)]
            return _record(next((found[PROVENANCE_KEY] for found in layers if found and PROVENANCE_KEY in found), ""))
        if suffix in (".geojson", ".json"):
            return _ours(_description(path))
        return _ours(_sidecar(path).read_text(encoding="utf-8")) if _sidecar(path).is_file() else {}
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"cannot read where {path} came from: {error}") from None


def _record(text: str) -> dict[str, str]:
    """Return a record of ours, and nothing for any other text."""
    try:
        record = json.loads(text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _ours(text: str) -> dict[str, str]:
    """Return our record from JSON that may be somebody else's."""
    inner: Any = _record(text).get(PROVENANCE_KEY)
    return inner if isinstance(inner, dict) else {}


def _description(path: Path) -> str:
    """Return the description at the head of a GeoJSON file, without reading the features."""
    with path.open(encoding="utf-8-sig") as file:
        head, key, rest = file.read(1 << 20).partition('"description":')
    if not key or '"features"' in head:
        return ""
    description, _ = json.JSONDecoder().raw_decode(rest.lstrip())
    return str(description)
