"""How likely a photo is to come from each cell before one has looked at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..storage import read_arrays

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .density import Surface

__all__ = ["PRIORS", "cell_means", "make_prior", "name_of"]

PRIORS = ("photos", "land", "population")
_POPULATION = Path(__file__).parents[1] / "data" / "population.safetensors"
#: Shapes and rasters are looked at in the middles of the cells' children of this resolution, so many at a time.
_FINE = 6
_AT_ONCE = 1 << 20
#: Files with more pixels are read at a coarser scale.
_MOST_PIXELS = 1 << 26


def make_prior(surface: Surface, prior: Any = "photos") -> tuple[NDArray[np.float64], str]:
    """Return the prior probability of every cell, and what to call it.

    Parameters
    ----------
    surface : Surface
    prior : {"photos", "land", "population"}, shapely geometry, GeoSeries or GeoDataFrame, path, or DataArray
        ``photos``: where photos of GeoCLIP's gallery were taken. ``land``: evenly over land. ``population``: where
        people live (GeoNames). A shape, of polygons: ``photos``, within it only; (lon, lat) degrees unless it has a
        CRS. A raster: its values, per km2; negative and empty cells count as zero.

    Returns
    -------
    probability : ndarray of float64, shape (M,)
        Sums to one.
    name : str

    Raises
    ------
    InputError
        It is none of these, or leaves no cell.
    """
    weight, name = _weight(surface, prior)
    total = weight.sum()
    if not np.isfinite(total) or total <= 0.0:
        raise InputError(f"prior {name} leaves no place on Earth: it is zero everywhere")
    return weight / total, name


def _weight(surface: Surface, prior: Any) -> tuple[NDArray[np.float64], str]:
    if isinstance(prior, str) and prior in PRIORS:
        if prior == "land":
            return surface.prior(), prior
        return surface.prior(surface.photo_counts if prior == "photos" else _population(surface)), prior
    if hasattr(prior, "geom_type"):
        shape, text = _shape(prior)
        photos, _ = _weight(surface, "photos")
        return photos * _share_inside(surface, shape), text
    if isinstance(prior, (str, Path)) or type(prior).__name__ == "DataArray":
        if isinstance(prior, str) and not Path(prior).exists():
            raise InputError(
                f"prior must be one of {', '.join(PRIORS)}, a shape or a raster; there is no file {prior!r}"
            )
        return cell_means(prior, surface.cells) * surface.area_km2, f"raster {name_of(prior)}"
    raise InputError(f"prior must be one of {', '.join(PRIORS)}, a shape or a raster; got {type(prior).__name__}")


def _population(surface: Surface) -> NDArray[np.float64]:
    found = read_arrays(_POPULATION)
    row = np.searchsorted(surface.cells, found["cells"])
    here = surface.cells[np.minimum(row, len(surface) - 1)] == found["cells"]
    return np.bincount(row[here], found["population"][here], minlength=len(surface)).astype(np.float64)


def _shape(prior: Any) -> tuple[Any, str]:
    """Return one geometry in EPSG:4326 and a name for it."""
    import shapely

    from ..geometry import polygons_to_lonlat

    if hasattr(prior, "crs"):
        if prior.crs is None:
            raise InputError("the prior's shape has no CRS: set_crs('EPSG:4326') if it is in degrees")
        prior = shapely.union_all(polygons_to_lonlat(np.asarray(prior.geometry.array), prior.crs))
    if prior.geom_type not in ("Polygon", "MultiPolygon"):
        raise InputError(f"the prior's shape must be of polygons; got {prior.geom_type}: buffer it, in a projected CRS")
    if prior.is_empty or not prior.is_valid:
        raise InputError("the prior's shape is empty or not valid; shapely.make_valid may mend it")
    west, south, east, north = prior.bounds
    if south < -90.0 or north > 90.0 or west < -360.0 or east > 360.0:
        raise InputError(f"the prior's shape is not in degrees: bounds {prior.bounds}; give a GeoSeries with its CRS")
    return prior, "photos, within a shape"  # without its bounds: they may tell more than `precision_km` is to


def _share_inside(surface: Surface, shape: Any) -> NDArray[np.float64]:
    """Return which part of each cell lies inside a shape, counted over fine children; a spot counts as one of them."""
    import shapely

    from ..geometry import clip_to_world
    from ..h3cells import cells_of, centers_of, count_children, descend

    shape = clip_to_world(shape)
    west, south, east, north = shape.bounds
    lon, lat = surface.lonlat.T
    wide = 1.0 / np.maximum(np.cos(np.radians(lat)), 0.05)  # a cell is some half degree across
    near = (lat > south - 1.0) & (lat < north + 1.0) & (lon > west - wide) & (lon < east + wide)
    near |= (lat > south - 1.0) & (lat < north + 1.0) & ((lon > 360.0 + west - wide) | (lon < east - 360.0 + wide))
    rows = np.flatnonzero(near)
    level = 4
    children = descend(surface.cells[rows], _FINE)
    owner = np.repeat(rows, count_children(surface.cells[rows], level, _FINE))
    shapely.prepare(shape)
    inside = shapely.contains_xy(shape, *centers_of(children).T)
    share = np.bincount(owner, inside, minlength=len(surface)) / np.bincount(owner, minlength=len(surface)).clip(1)
    if not share.any():  # smaller than the finest child
        spot = shape.representative_point()
        cell = cells_of(np.array([[spot.x, spot.y]]), level)[0]
        share[surface.cells == cell] = 1.0
    return np.asarray(share)


def name_of(raster: Any) -> str:
    """Return what to call a raster: its file's name, without the folder, or its own."""
    return str(Path(raster).name if isinstance(raster, (str, Path)) else raster.name or "array")


def cell_means(raster: Any, cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return a raster's mean over each H3 cell, sampled some 3 km apart; negative and empty values count as zero.

    Parameters
    ----------
    raster : path-like or xarray.DataArray
        With a CRS; one band.
    cells : ndarray of uint64, shape (M,)
        All of one resolution, at most 6.

    Returns
    -------
    ndarray of float64, shape (M,)
        Zero outside the raster.

    Raises
    ------
    InputError
        It cannot be read, has several bands, or no CRS.
    """
    import h3.api.numpy_int as h3

    from ..h3cells import centers_of, count_children, descend

    level = int(h3.get_resolution(cells[0]))
    at = _sampler(raster)
    out = np.empty(len(cells))
    step = max(1, _AT_ONCE // 7 ** (_FINE - level))
    for start in range(0, len(cells), step):
        some = cells[start : start + step]
        owner = np.repeat(np.arange(len(some)), count_children(some, level, _FINE))
        values = at(centers_of(descend(some, _FINE)))
        out[start : start + step] = np.bincount(owner, np.where(values > 0.0, values, 0.0)) / np.bincount(owner)
    return out


def _sampler(raster: Any) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return a function from (lon, lat), shape (N, 2), to a raster's values: NaN outside it and where it is empty."""
    import pyproj

    values, nodata, transform, crs = _from_array(raster) if hasattr(raster, "dims") else _from_file(raster)
    if crs is None:
        raise InputError("the raster has no CRS, so its cells could be anywhere: give it one, rio.write_crs(...)")
    crs = pyproj.CRS.from_user_input(crs)
    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    west = transform.c
    to_pixels = ~transform

    def at(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = (np.asarray(axis) for axis in transformer.transform(*lonlat.T))
        if crs.is_geographic:  # many count longitudes from 0 to 360
            x = west + (x - west) % 360.0
        with np.errstate(invalid="ignore"):  # infinite where the CRS does not reach
            column = to_pixels.a * x + to_pixels.b * y + to_pixels.c
            row = to_pixels.d * x + to_pixels.e * y + to_pixels.f
            inside = (column >= 0.0) & (column < values.shape[1]) & (row >= 0.0) & (row < values.shape[0])
        found = values[row[inside].astype(int), column[inside].astype(int)].astype(np.float64)
        out = np.full(len(lonlat), np.nan)
        out[inside] = np.where(found == nodata, np.nan, found)
        return out

    return at


def _from_file(path: Any) -> tuple[NDArray[Any], float | None, Any, Any]:
    """Return a raster's values, averaged where there are more than the cells need, nodata, transform and CRS."""
    import rasterio
    from rasterio.enums import Resampling

    try:
        with rasterio.open(path) as file:
            if file.count != 1:
                raise InputError(f"the raster {path} must have one band; it has {file.count}: write the one you mean")
            shrink = max(1.0, (file.width * file.height / _MOST_PIXELS) ** 0.5)
            height, width = max(1, int(file.height / shrink)), max(1, int(file.width / shrink))
            masked = file.read(1, out_shape=(height, width), masked=True, resampling=Resampling.average)
            wide, high, at = file.width / width, file.height / height, file.transform
            transform = rasterio.Affine(at.a * wide, at.b * high, at.c, at.d * wide, at.e * high, at.f)
            return masked.astype(np.float32).filled(np.nan), None, transform, file.crs
    except (rasterio.errors.RasterioError, OSError) as error:
        raise InputError(f"the raster {path} cannot be read: {error}") from None


def _from_array(array: Any) -> tuple[NDArray[Any], float | None, Any, Any]:
    """Return the same of a DataArray."""
    import rioxarray
    from rasterio import Affine

    try:
        bands = [dim for dim in array.dims if dim not in (array.rio.x_dim, array.rio.y_dim)]
    except rioxarray.exceptions.RioXarrayError as error:
        raise InputError(f"the raster has no dimensions x and y that could be found: {error}") from None
    if any(array.sizes[dim] != 1 for dim in bands):
        raise InputError(f"the raster must have one band; it has shape {array.shape}: choose one, raster.isel(...)")
    array = array.isel(dict.fromkeys(bands, 0)).transpose(array.rio.y_dim, array.rio.x_dim)
    x, y = (np.asarray(array[dim].values, dtype=np.float64) for dim in (array.rio.x_dim, array.rio.y_dim))
    width, height = array.rio.resolution(recalc=True)
    for axis, step in ((x, width), (y, height)):
        if not np.allclose(np.diff(axis), step, rtol=1e-3, atol=0.0):
            raise InputError("the raster's rows or columns are not evenly spaced: interpolate it to an even grid")
    transform = Affine(width, 0.0, x[0] - width / 2.0, 0.0, height, y[0] - height / 2.0)
    return np.asarray(array.values), array.rio.nodata, transform, array.rio.crs
