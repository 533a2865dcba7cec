"""What the user drops onto the page: tables of places to score, photos and vectors to locate. Nothing leaves here."""

from __future__ import annotations

import io
import json
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..coordinates import STATUS_WITH_VALUES
from ..errors import GeoConceptError, InputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ..locate.geolocation import Geolocation
    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["DOWNLOADS", "LARGEST", "Photos", "Scored"]

#: Bytes of an upload, rows of a table, points sent back to be drawn.
LARGEST = 64 << 20
MOST_ROWS, _MOST_DRAWN = 100_000, 5_000
_TABLES = (".csv", ".tsv", ".geojson", ".json", ".parquet", ".geoparquet")
#: How a scored table can be had, by the ending of its name.
DOWNLOADS = {".csv": "text/csv", ".geojson": "application/geo+json", ".parquet": "application/vnd.apache.parquet"}
#: Results kept, of each kind.
_KEPT = 4
_TOP = 12
_STATUS = "geoconcept_status"


@dataclass(frozen=True)
class _Table:
    """A scored table: its rows with all concepts, and where they are."""

    frame: gpd.GeoDataFrame
    lonlat: NDArray[np.float64]


class Scored:
    """Tables that were dropped and scored, the last few of them.

    Parameters
    ----------
    model : GeoConceptModel
    folder : pathlib.Path
        For files on their way in and out; names in it are our own.
    """

    def __init__(self, model: GeoConceptModel, folder: Path) -> None:
        self._model, self._folder = model, folder
        self._tables: OrderedDict[str, _Table] = OrderedDict()

    def add(self, name: str, content: bytes, progress: Progress | None = None) -> dict[str, Any]:
        """Score every row of a table against all concepts that passed their test.

        Parameters
        ----------
        name : str
            The user's file name; only its ending is used.
        content : bytes
        progress : callable, optional
            Return true to cancel.

        Returns
        -------
        dict of str to object
            ``id``, ``rows``, ``left_out`` (rows without a place on Earth, by reason), ``points`` and ``top``.

        Raises
        ------
        InputError
            It is no table of places, or has too many rows; the message says what is wrong.
        Cancelled
        """
        from ..places import embed

        frame = self._read(name, content)
        if len(frame) > MOST_ROWS:
            raise InputError(
                f"the table has {len(frame):,} rows; {MOST_ROWS:,} are the most here. "
                "Score larger ones with `geoconcept embed`"
            )
        if not len(frame):
            raise InputError("the table has no rows")
        scored = embed(frame, model=self._model, kind="percentile", invalid="null", progress=progress)
        key = secrets.token_urlsafe(8)
        self._tables[key] = _Table(scored, _positions(scored))
        while len(self._tables) > _KEPT:
            self._tables.popitem(last=False)
        return {"id": key, **self._summary(self._tables[key])}

    def points(self, key: str, column: str) -> list[list[float | None]]:
        """Return longitude, latitude and one concept's percentile of up to 5,000 rows, evenly through the table.

        Raises
        ------
        InputError
            The table is not there any more, or has no such column.
        """
        table = self._table(key)
        if column not in table.frame.columns:
            raise InputError(f"the table has no column {column!r}")
        return _drawn(table, table.frame[column].to_numpy(dtype=float))

    def file(self, key: str, suffix: str) -> Path:
        """Write a scored table, and return the file.

        Raises
        ------
        InputError
            The table is not there any more, or cannot be written so.
        """
        from ..tables import write_places

        if suffix not in DOWNLOADS:
            raise InputError(f"a table can be had as {', '.join(DOWNLOADS)}; not as {suffix!r}")
        path = self._folder / f"{key}{suffix}"
        if not path.exists():
            write_places(self._table(key).frame, path)
        return path

    def _table(self, key: str) -> _Table:
        if key not in self._tables:
            raise InputError("that table is not kept any more: drop the file again")
        return self._tables[key]

    def _read(self, name: str, content: bytes) -> gpd.GeoDataFrame:
        from ..tables import read_places

        suffix = PurePath(name).suffix.lower()
        if suffix not in _TABLES:
            raise InputError(f"the file's name must end in one of {', '.join(_TABLES)}")
        if suffix in (".geojson", ".json"):
            _check_geojson(content)
            suffix = ".geojson"
        path = self._folder / f"{secrets.token_hex(8)}{suffix}"
        path.write_bytes(content)
        try:
            return read_places(path, invalid="null")
        except GeoConceptError as error:
            raise InputError(str(error).replace(str(path), "the file")) from None
        finally:
            path.unlink()

    def _summary(self, table: _Table) -> dict[str, Any]:
        names = {concept.column: concept for concept in self._model.select()}
        means = table.frame[list(names)].mean().sort_values(ascending=False)
        status = table.frame[_STATUS]
        lost = status[~status.isin(STATUS_WITH_VALUES)].value_counts()
        top = [
            {"concept": names[str(column)].name, "family": names[str(column)].family, "percentile": float(value)}
            for column, value in means.head(_TOP).items()
            if np.isfinite(value)
        ]
        return {
            "rows": len(table.frame),
            "left_out": {str(reason): int(count) for reason, count in lost.items()},
            "columns": {concept.name: column for column, concept in names.items()},
            "top": top,
        }


def _check_geojson(content: bytes) -> None:
    """Make sure that it is GeoJSON before GDAL sees it, which knows formats that name other files and addresses."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError("the file is no JSON") from None
    if not isinstance(value, dict) or value.get("type") not in ("FeatureCollection", "Feature"):
        raise InputError('the file is no GeoJSON: its "type" must be FeatureCollection or Feature')


def _positions(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return one (lon, lat) a row, NaN where it has none."""
    from ..geometry import representative_points, to_lonlat

    return to_lonlat(representative_points(np.asarray(frame.geometry.array)), frame.crs)[0]


def _drawn(table: _Table, values: NDArray[np.float64]) -> list[list[float | None]]:
    good = np.flatnonzero(table.frame[_STATUS].isin(STATUS_WITH_VALUES).to_numpy())
    some = good[:: max(1, -(-len(good) // _MOST_DRAWN))]
    rows = zip(table.lonlat[some].round(5).tolist(), values[some].round(1).tolist(), strict=True)
    return [[lon, lat, value] for (lon, lat), value in rows]


class Photos:
    """Photos and CLIP vectors that were dropped: where they may be from.

    Parameters
    ----------
    model : GeoConceptModel
    folder : pathlib.Path
        For photos on their way in.
    tower : {"clip", "weak"} or None
        What reads photos; None: vectors alone.
    weights : pathlib.Path, optional
        CLIP's weights.
    """

    def __init__(self, model: GeoConceptModel, folder: Path, tower: str | None, weights: Path | None) -> None:
        self._model, self._folder, self._tower, self._weights = model, folder, tower, weights
        self._heatmaps: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()

    def locate(self, name: str, content: bytes, progress: Progress | None = None) -> dict[str, Any]:
        """Locate a photo, or a vector in an .npy file.

        Parameters
        ----------
        name : str
            The user's file name; only its ending is used.
        content : bytes
        progress : callable, optional
            Return true to cancel. It sees places while galleries are made, the first time for a model.

        Returns
        -------
        dict of str to object
            ``id`` (of the heatmap), ``points``, ``areas`` (GeoJSON), ``reasons``, ``notes``.

        Raises
        ------
        InputError
            It cannot be read, or nothing here reads photos.
        Cancelled
        """
        found = self._geolocate(name, content, progress)
        key = secrets.token_urlsafe(8)
        self._heatmaps[key] = heatmap(found)
        while len(self._heatmaps) > _KEPT:
            self._heatmaps.popitem(last=False)
        places, near = found.best_places
        return {
            "id": key,
            "points": [
                {"lon": float(lon), "lat": float(lat), "probability": float(share)}
                for (lon, lat), share in zip(places, near, strict=True)
            ],
            "within_km": float(found.within_km),
            "areas": json.loads(found.areas.to_json()),
            "reasons": json.loads(found.concepts.to_json(orient="records")),
            "notes": self._notes(found),
        }

    def heatmap(self, key: str) -> NDArray[np.uint8]:
        """Return the heatmap of one that was located.

        Raises
        ------
        InputError
            It is not kept any more.
        """
        if key not in self._heatmaps:
            raise InputError("that heatmap is not kept any more: drop the file again")
        return self._heatmaps[key]

    def _geolocate(self, name: str, content: bytes, progress: Progress | None) -> Geolocation:
        from ..locate.locate import geolocate

        suffix = PurePath(name).suffix.lower()
        if suffix == ".npy":
            return geolocate(_vector(content), model=self._model, progress=progress)  # type: ignore[return-value]
        if self._tower is None:
            raise InputError(
                "nothing here reads photos: drop a CLIP vector (.npy), or start with --weights and the extra "
                "`images` installed"
            )
        from ..locate.photos import SUFFIXES

        if suffix not in SUFFIXES:
            raise InputError(f"the file's name must end in .npy or one of {', '.join(SUFFIXES)}")
        path = self._folder / f"{secrets.token_hex(8)}{suffix}"
        path.write_bytes(content)
        try:
            return geolocate(  # type: ignore[return-value]
                path, model=self._model, tower=self._tower, weights=self._weights, progress=progress
            )
        except GeoConceptError as error:
            raise type(error)(str(error).replace(str(path), "the photo")) from None
        finally:
            path.unlink()

    def _notes(self, found: Geolocation) -> list[str]:
        notes = ["A probability, calibrated on other photos: no evidence of a position."]
        if found.provenance.get("kind") == "weak":
            notes.append("Read by the weak tower, which finds little: a demonstration, not a result.")
        if found.exif_lonlat is not None:
            lon, lat = found.exif_lonlat
            notes.append(f"The file's EXIF says {lon:.4f}, {lat:.4f} (longitude, latitude). It was not used.")
        return notes


def _vector(content: bytes) -> NDArray[np.float32]:
    """Read one vector out of an .npy file, without ever unpickling."""
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        raise InputError("the file is no .npy file of numbers") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise InputError("the file must hold one array of numbers")
    vector = np.squeeze(array)
    if vector.ndim != 1 or not np.isfinite(vector).all() or not vector.any():
        raise InputError(f"the file must hold one finite vector that is not zero; got shape {array.shape}")
    return np.asarray(vector, dtype=np.float32)


def heatmap(found: Geolocation) -> NDArray[np.uint8]:
    """Return a geolocation as a grid of the world for the page.

    Parameters
    ----------
    found : Geolocation

    Returns
    -------
    ndarray of uint8, shape (360, 720)
        The logarithm of the probability per km2, from 0 to 100 between the ends of its look; `SEA` below.
    """
    from ..h3cells import cells_of
    from ..style import look_of
    from .world import COLUMNS, DEGREES, ROWS, SEA

    row, column = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    middles = np.column_stack([-180.0 + (column + 0.5) * DEGREES, 90.0 - (row + 0.5) * DEGREES])
    cells = cells_of(middles, found._level)
    at = np.searchsorted(found.cells, cells).clip(max=len(found.cells) - 1)
    density = np.where(found.cells[at] == cells, found.density[at], 0.0)
    look = look_of("density")
    with np.errstate(divide="ignore"):
        share = np.log(density / look.low) / np.log(look.high / look.low)
    out = np.where(share < 0.0, SEA, np.rint(np.clip(share, 0.0, 1.0) * 100.0))
    return out.astype(np.uint8).reshape(ROWS, COLUMNS)
