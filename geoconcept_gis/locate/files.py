"""Geolocations as files: a folder for one, a table for many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import GeoConceptError, InputError
from ..files import atomic_file, atomic_folder
from .geolocation import Geolocation

if TYPE_CHECKING:
    from os import PathLike

    import geopandas as gpd

__all__ = ["common_provenance", "save", "save_picture", "summarise"]

_PICTURES = (".png", ".pdf", ".svg")


def save(one: Geolocation, folder: str | PathLike[str]) -> Path:
    """See `Geolocation.save`."""
    from ..raster import write_raster
    from ..storage import write_json
    from ..tables import write_places

    with atomic_folder(folder) as part:
        write_raster(one.heatmap, part / "heatmap.tif")
        write_places(one.points, part / "points.gpkg")
        write_places(one.areas, part / "areas.gpkg")
        if one._reasons is not None:
            one.concepts.to_csv(part / "concepts.csv", index=False, encoding="utf-8")
        write_json({"name": one.name, "provenance": one.provenance}, part / "record.json")
    return Path(folder)


def save_picture(one: Geolocation, path: str | PathLike[str], title: str | None) -> Path:
    """See `Geolocation.save_picture`."""
    path = Path(path)
    if path.suffix.lower() not in _PICTURES:
        raise InputError(f"a picture's name must end in {', '.join(_PICTURES)}; got {path.name!r}")
    canvas = one.plot(title=title).figure.canvas
    with atomic_file(path) as part:
        canvas.print_figure(part, dpi=140, facecolor="white")
    return path


def summarise(results: Sequence[Geolocation | GeoConceptError], names: Sequence[str] | None = None) -> gpd.GeoDataFrame:
    """Return one row for each photo, those that could not be read included.

    Parameters
    ----------
    results : sequence of Geolocation or GeoConceptError
        From ``geolocate(..., errors="return")``.
    names : sequence of str, optional
        What to call the rows, such as paths. Default: the geolocations' own names, empty for errors.

    Returns
    -------
    geopandas.GeoDataFrame
        In their order: ``file``, ``status`` (``ok`` or ``error``), ``error`` (what was wrong), ``lon``, ``lat``,
        ``probability`` and ``within_km`` of the best point, ``area50_km2``, ``area90_km2``, ``gallery_lon``,
        ``gallery_lat`` (the gallery place most like it: GeoCLIP's own answer), ``exif_lon``, ``exif_lat`` (what the
        photo's EXIF says), ``exif_km`` (from there to the best point), ``tower``, ``prior``, and ``geometry``
        (EPSG:4326), null for an error. `write_places` writes it.

    Raises
    ------
    InputError
        Not as many names as results.

    Examples
    --------
    >>> from geoconcept_gis.errors import PhotoError
    >>> summarise([PhotoError("the file is empty")], ["gate.jpg"])[["file", "status", "error"]].values.tolist()
    [['gate.jpg', 'error', 'the file is empty']]
    """
    import geopandas as gpd
    import pandas as pd

    if names is None:
        names = [one.name if isinstance(one, Geolocation) else "" for one in results]
    if len(names) != len(results):
        raise InputError(f"{len(results)} results need as many names; got {len(names)}")
    rows = [_row(one) if isinstance(one, Geolocation) else {"status": "error", "error": str(one)} for one in results]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    for column in ("error", "tower", "prior"):
        table[column] = table[column].astype(object).where(table[column].notna(), None)
    table.insert(0, "file", list(names))
    points = [one.points.geometry.iloc[0] if isinstance(one, Geolocation) else None for one in results]
    frame = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(points, crs="EPSG:4326"))
    located = [one for one in results if isinstance(one, Geolocation)]
    if located:
        frame.attrs["geoconcept"] = common_provenance(located)
    return frame


_COLUMNS = (
    *("status", "error", "lon", "lat", "probability", "within_km", "area50_km2", "area90_km2"),
    *("gallery_lon", "gallery_lat", "exif_lon", "exif_lat", "exif_km", "tower", "prior"),
)


def _row(one: Geolocation) -> dict[str, Any]:
    from ..evaluation.metrics import distance_km

    best, (half, most) = one.points.iloc[0], one.areas["area_km2"]
    row = {
        "status": "ok",
        "lon": best.geometry.x,
        "lat": best.geometry.y,
        "probability": best.probability,
        "within_km": best.within_km,
        "area50_km2": half,
        "area90_km2": most,
        "tower": one.provenance.get("tower"),
        "prior": one.provenance.get("prior"),
    }
    if one.nearest is not None:
        row["gallery_lon"], row["gallery_lat"] = one.nearest
    if one.exif_lonlat is not None:
        row["exif_lon"], row["exif_lat"] = one.exif_lonlat
        place = np.array([[best.geometry.x, best.geometry.y]])
        row["exif_km"] = float(distance_km(np.array([one.exif_lonlat]), place)[0])
    return row


def common_provenance(located: Sequence[Geolocation]) -> dict[str, str]:
    """Return what the provenance of all says alike."""
    records = [one.provenance for one in located]
    return {key: value for key, value in records[0].items() if all(one.get(key) == value for one in records)}
