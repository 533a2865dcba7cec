"""Concept maps as Cloud Optimized GeoTIFFs, styled for QGIS."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyproj
import rasterio
import rasterio.shutil
import rioxarray  # also adds .rio to xarray's objects
import xarray as xr

from .errors import InputError
from .files import atomic_file
from .grid import Grid
from .provenance import EMB_KEY, embedding_record
from .style import look_of, write_qml

if TYPE_CHECKING:
    from collections.abc import Hashable
    from os import PathLike

__all__ = ["check_map", "write_raster"]

#: Attributes without which a map can be neither written nor captioned.
_NEEDED = tuple(f"geoconcept_{key}" for key in ("software", "model", "model_sha256", "scale_km", "kind"))
_HINT = "pass what concept_map returned, or a selection of it"


def write_raster(dataset: xr.Dataset, path: str | PathLike[str], *, style: bool = True) -> Path:
    """Write a concept map, or the heatmap of a geolocation, as a Cloud Optimized GeoTIFF, styled for QGIS.

    One float32 band a concept, named ``concept: hot desert climate``, nodata NaN, DEFLATE with predictor, averaged
    overviews, tags ``GEOCONCEPT_...`` with model, sha256, reference mean, concepts, kind, scale, backend and licence.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `concept_map` or `Geolocation.heatmap`; a selection of its variables, rows or columns will do.
    path : path-like
        Ends in ``.tif`` or ``.tiff``. An existing file is replaced, in one step.
    style : bool, default True
        Also write a ``.qml`` beside it, with which QGIS draws the first band in Viridis over its fixed range.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    InputError
        The dataset is no concept map, its grid is not regular, or the path has another ending or no folder.

    Notes
    -----
    A map across the antimeridian is written as it is, in one piece: its longitudes run on past 180, which QGIS and
    GDAL draw to the right of the world. To lay it over other layers there, map in a projected CRS centred on the
    antimeridian (EPSG:3832, or EPSG:3460 for Fiji).

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from geoconcept_gis import concept_map
    >>> egypt = concept_map("hot desert climate", bounds=(25, 22, 35, 31), resolution=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_raster(egypt, pathlib.Path(folder) / "egypt.tif")
    ...     sorted(file.name for file in path.parent.iterdir())
    ['egypt.qml', 'egypt.tif']
    """
    path = Path(path)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise InputError(f"a raster's name must end in .tif or .tiff; got {path.name!r}")
    check_map(dataset)
    layers, grid = check_map(dataset.compute())  # a map in chunks is computed once, not once for each band
    kind = dataset.attrs["geoconcept_kind"]
    with contextlib.ExitStack() as stack:
        if style:
            write_qml(stack.enter_context(atomic_file(path.with_suffix(".qml"))), kind)
        part = stack.enter_context(atomic_file(path))
        # The COG driver copies a finished raster, so that goes first, beside it, and vanishes with the folder.
        plain = part.with_name(f"{part.stem}.plain.tif")
        _write_plain(layers, grid, dataset, plain)
        rasterio.shutil.copy(
            plain,
            part,
            driver="COG",
            compress="DEFLATE",
            predictor="YES",
            overview_resampling="AVERAGE",
            bigtiff="IF_SAFER",
            **({"interleave": "BAND"} if _gdal_version() >= (3, 11) else {}),
        )
    return path


def _gdal_version() -> tuple[int, ...]:
    return tuple(int(number) for number in rasterio.__gdal_version__.split(".")[:2])


def check_map(dataset: xr.Dataset) -> tuple[list[xr.DataArray], Grid]:
    """Check that a dataset is a concept map, and return what is needed to draw or write it.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `concept_map`.

    Returns
    -------
    list of xarray.DataArray
        The concepts, north up, dimensions (row, column).
    Grid
        Their cells.

    Raises
    ------
    InputError
        It is no concept map, or not any more.
    """
    if not isinstance(dataset, xr.Dataset):
        raise InputError(f"dataset must be an xarray.Dataset; got {type(dataset).__name__}: {_HINT}")
    missing = [key for key in _NEEDED if key not in dataset.attrs]
    if missing:
        raise InputError(f"this dataset is no concept map, it lacks the attributes {missing}: {_HINT}")
    look_of(dataset.attrs["geoconcept_kind"])
    # A map read from a netCDF file has its CRS among the variables, unless decode_coords="all" was given.
    dataset = dataset.set_coords([name for name in ("spatial_ref",) if name in dataset.variables])
    y, x = _check_layers(dataset)
    for dim, north_up in ((y, -1), (x, 1)):
        steps = np.diff(dataset[dim].values)
        if dataset.sizes[dim] == 0 or not np.allclose(steps, steps[:1], rtol=1e-3, atol=0.0) or 0.0 in steps:
            raise InputError(f"coordinate {dim!r} is empty or not evenly spaced: {_HINT}")
        if len(steps) and np.sign(steps[0]) != north_up:
            dataset = dataset.isel({dim: slice(None, None, -1)})  # a view, unlike sortby
    layers = [layer.transpose(y, x) for layer in dataset.data_vars.values()]
    # One row or one column has no step of its own: rioxarray then takes the one stored with the CRS.
    xres, yres = map(abs, dataset.rio.resolution(recalc=True))
    left, top = float(dataset[x][0]) - xres / 2.0, float(dataset[y][0]) + yres / 2.0
    return layers, Grid(pyproj.CRS(dataset.rio.crs), left, top, xres, yres, dataset.sizes[y], dataset.sizes[x])


def _check_layers(dataset: xr.Dataset) -> tuple[Hashable, Hashable]:
    """Return the names of the vertical and the horizontal dimension that all concepts share."""
    if dataset.rio.crs is None:
        raise InputError(f"this dataset has lost its CRS (coordinate spatial_ref): {_HINT}")
    try:
        y, x = dataset.rio.y_dim, dataset.rio.x_dim
    except rioxarray.exceptions.RioXarrayError:
        raise InputError(f"this dataset has lost its two spatial dimensions: {_HINT}") from None
    layers = dataset.data_vars.items()
    strangers = [
        str(name)
        for name, layer in layers
        if not {"long_name", "units"} <= set(layer.attrs) or set(layer.dims) != {y, x}
    ]
    if strangers or not dataset.data_vars:
        raise InputError(f"variables {strangers} are no layers over ({y}, {x}): drop them, or {_HINT}")
    return y, x


def _write_plain(layers: list[xr.DataArray], grid: Grid, dataset: xr.Dataset, path: Path) -> None:
    """Write a tiled GeoTIFF, band by band."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=grid.height,
        width=grid.width,
        count=len(layers),
        dtype="float32",
        crs=grid.crs.to_wkt(),
        transform=grid.transform,
        nodata=np.nan,
        tiled=True,
        blockxsize=512,
        blockysize=512,
        interleave="band",
        bigtiff="IF_SAFER",
    ) as raster:
        raster.update_tags(**_tags(dataset, layers))
        raster.units = [str(layer.attrs["units"]) for layer in layers]
        for band, layer in enumerate(layers, start=1):
            raster.set_band_description(band, str(layer.attrs["long_name"]))
            raster.update_tags(band, **_band_tags(layer))
            raster.write(np.asarray(layer.values, dtype=np.float32), band)


def _tags(dataset: xr.Dataset, layers: list[xr.DataArray]) -> dict[str, str]:
    attributes = dataset.attrs
    names = [str(layer.attrs["concept"]) for layer in layers if "concept" in layer.attrs]
    ours = {str(key): str(value) for key, value in attributes.items() if str(key).startswith("geoconcept_")}
    emb = embedding_record({key.removeprefix("geoconcept_"): value for key, value in ours.items()})
    return {
        **{key.upper(): value for key, value in ours.items()},
        **({EMB_KEY.upper(): json.dumps(emb)} if emb else {}),
        **({"GEOCONCEPT_CONCEPTS": "; ".join(names)} if names else {}),
        "TIFFTAG_SOFTWARE": str(attributes["geoconcept_software"]),
        "TIFFTAG_IMAGEDESCRIPTION": f"{attributes.get('title', '')}. {attributes.get('comment', '')}",
    }


def _band_tags(layer: xr.DataArray) -> dict[str, str]:
    kept = ("long_name", "units", "comment", "concept_description", "concept_family", "reference", "validity", "grade")
    return {name: str(layer.attrs[name]) for name in kept if name in layer.attrs}
