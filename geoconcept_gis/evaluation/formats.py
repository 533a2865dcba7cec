"""Files of predictions, truths and candidates, in the formats of the field's data sets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import pandas as pd

__all__ = ["SOURCE", "coordinate_columns", "plain", "read_candidates", "read_predictions", "read_truth"]

#: Where a table's `attrs` say which file it is.
SOURCE = "evaluated_file"
_LON = {"lon", "lng", "long", "longitude"}
_LAT = {"lat", "latitude"}
#: What a name may start or end with in a table that holds both, for example predicted_lat beside gt_lat.
_MARKS = {"predicted": ("predicted", "prediction", "pred"), "truth": ("truth", "true", "gt")}
_TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")


def plain(name: Any) -> str:
    """Return a column's name in lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def coordinate_columns(names: Sequence[str], role: str) -> tuple[str, str]:
    """Return the columns with longitude and latitude: those marked with the table's role first, then plain ones.

    Parameters
    ----------
    names : sequence of str
        The table's columns.
    role : {"predicted", "truth"}
        A table may hold both, for example ``predicted_lat`` beside ``gt_lat``.

    Returns
    -------
    tuple of str
        Longitude, latitude.

    Raises
    ------
    InputError
        None or several fit.

    Examples
    --------
    >>> coordinate_columns(["img_id", "gt_lat", "predicted_lat", "gt_long", "predicted_long"], "predicted")
    ('predicted_long', 'predicted_lat')
    """
    for marks in (_MARKS[role], ("",)):
        found = [[name for name in names if _unmarked(name, marks) in wanted] for wanted in (_LON, _LAT)]
        if all(len(some) == 1 for some in found):
            return found[0][0], found[1][0]
        if any(len(some) > 1 for some in found):
            several = next(some for some in found if len(some) > 1)
            raise InputError(f"{role}: {', '.join(map(repr, several))} could all be the same coordinate; keep one")
    listed = ", ".join(map(repr, names))
    raise InputError(f"{role} has no columns for longitude and latitude (such as 'lon' and 'lat'); it has {listed}")


def _unmarked(name: str, marks: Sequence[str]) -> str | None:
    """Return the plain name without the mark at its start or end; None where it has none."""
    bare = plain(name)
    for mark in marks:
        if bare.startswith(mark):
            return bare.removeprefix(mark)
        if bare.endswith(mark):
            return bare.removesuffix(mark)
    return None


def read_predictions(path: str | PathLike[str], *, lon: str | None = None, lat: str | None = None) -> pd.DataFrame:
    r"""Read a table of predicted places.

    Parameters
    ----------
    path : path-like
        Whatever `geoconcept_gis.read_places` reads. Of a CSV or TSV the coordinate columns may be marked, such as
        ``pred_lat`` and ``pred_lng``. Empty cells are missing predictions.
    lon, lat : str, optional
        Columns that hold the answer, where a table has several, such as ``gallery_lon`` and ``gallery_lat``.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a prediction, with the name and sha256 of the file in ``attrs``.

    Raises
    ------
    InputError
        No such file, or no columns with coordinates.
    CoordinateError
        Coordinates that are text; rows are named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "answers.csv"
    ...     _ = file.write_text("img_id,pred_lat,pred_lng\n1.jpg,30.0,31.2\n")
    ...     read_predictions(file).geometry[0].wkt
    'POINT (31.2 30)'
    """
    return _read(Path(path), "predicted", lon, lat)


def read_truth(path: str | PathLike[str]) -> pd.DataFrame:
    r"""Read where photos were taken, from a table or from a data set's folder.

    Parameters
    ----------
    path : path-like
        A table in one of the field's formats (Im2GPS, Im2GPS3k, YFCC4k, YFCC26k, MP-16: ``IMG_ID``, ``AUTHOR``,
        ``LAT``, ``LON``; GWS15k: ``lat``, ``lon``; GeoCLIP's loader: ``IMG_FILE``, ``LAT``, ``LON``), or any other that
        `geoconcept_gis.read_places` reads; or a folder with one CSV or TSV that has such columns, beside the photos.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a photo, with the name and sha256 of the file in ``attrs``.

    Raises
    ------
    InputError
        No such file, no columns with coordinates, or a folder with no such table or several.
    CoordinateError
        Coordinates that are text; rows are named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "im2gps3k_places365.csv"
    ...     _ = file.write_text("IMG_ID,AUTHOR,LAT,LON,S3_Label\n1.jpg,7@N00,30.0,31.2,2\n")
    ...     read_truth(folder)["AUTHOR"].tolist()
    ['7@N00']
    """
    path = Path(path)
    return _read(_table_in(path) if path.is_dir() else path, "truth")


def read_candidates(path: str | PathLike[str]) -> pd.DataFrame:
    r"""Read ranked candidates: a CSV or TSV with one row a candidate, see `searched_area`.

    Parameters
    ----------
    path : path-like
        Columns ``h3`` (hexadecimal), or ``lon``, ``lat`` and ``area_km2``; with an id column the candidates of many
        photos.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    InputError
        No such file, or it cannot be read as a table.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "cells.csv"
    ...     _ = file.write_text("image,h3,probability\n1.jpg,843e629ffffffff,0.9\n")
    ...     read_candidates(file)["h3"][0]
    '843e629ffffffff'
    """
    import pandas as pd

    path = Path(path)
    if not path.name.lower().endswith(_TABLES) or not path.is_file():
        raise InputError(f"{path} must be a file of candidates that ends in {', '.join(_TABLES)}")
    try:
        # As text: pandas would take some cells for numbers.
        table = pd.read_csv(path, sep=_separator(path), dtype={"h3": str}, encoding="utf-8-sig", index_col=False)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as a table: {str(error).strip()}") from None
    table.attrs[SOURCE] = f"{path.name}, sha256 {sha256_of(path)}"
    return table


def _read(path: Path, role: str, lon: str | None = None, lat: str | None = None) -> pd.DataFrame:
    from ..tables import read_places

    names = _header(path) if path.name.lower().endswith(_TABLES) and path.is_file() else []
    marked = any(_unmarked(name, _MARKS[role]) in _LON | _LAT for name in names)
    if lon is None and lat is None and marked:
        lon, lat = coordinate_columns(names, role)
    frame: pd.DataFrame = read_places(path, lon=lon, lat=lat)
    frame.attrs[SOURCE] = f"{path.name}, sha256 {sha256_of(path)}"
    return frame


def _first_line(path: Path) -> str:
    import gzip

    opener: Any = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", errors="replace") as file:
        return str(file.readline()).strip()


def _separator(path: Path) -> str:
    return max(",;\t|", key=_first_line(path).count)


def _header(path: Path) -> list[str]:
    return [name.strip('" ') for name in _first_line(path).split(_separator(path))]


def _table_in(folder: Path) -> Path:
    tables = [path for path in sorted(folder.iterdir()) if path.name.lower().endswith(_TABLES)]
    fitting = [path for path in tables if _locates(path)]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(path.name for path in fitting or tables) or "no CSV at all"
    what = "several tables with coordinates" if fitting else "no table with coordinate columns"
    raise InputError(f"folder {folder} has {what} ({listed}): name the file itself")


def _locates(path: Path) -> bool:
    try:
        coordinate_columns(_header(path), "truth")
    except InputError:
        return False
    return True
