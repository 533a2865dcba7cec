"""Concept maps: a grid of cells scored into an `xarray.Dataset`, and that dataset as a GeoTIFF.

A cell holds the score of its *centre*, a point. The encoder tells places apart down to some 5-10 km, so cells much
larger than that are samples with gaps between them, and cells much smaller than that only interpolate.
"""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import rasterio
import rasterio.shutil
import rioxarray  # also adds .rio to xarray's objects
import xarray as xr

from .concepts import KINDS
from .coordinates import wrap_longitude
from .errors import InputError
from .files import atomic_file
from .land import on_land
from .model import load_model
from .progress import report
from .style import look_of, write_qml

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator
    from os import PathLike

    from numpy.typing import NDArray

    from .concepts import Concept, Validity
    from .concepts.bank import ConceptLike
    from .model import GeoConceptModel
    from .progress import Progress

__all__ = ["concept_map", "write_raster"]

#: Cells looked at together; bounds the memory beyond the map itself to about 30 MB.
BLOCK = 1 << 16
#: Values in one map: 4 GB. Larger maps are better made piece by piece.
MAX_VALUES = 1_000_000_000

#: Attributes without which a map can be neither written nor captioned.
_NEEDED = tuple(f"geoconcept_{key}" for key in ("software", "model", "model_sha256", "scale_km", "kind"))
_HINT = "pass what concept_map returned, or a selection of it"

Bounds = tuple[float, float, float, float]


def concept_map(
    concepts: ConceptLike | Iterable[ConceptLike] | None,
    bounds: Iterable[float] | None = None,
    *,
    resolution: float | tuple[float, float] | None = None,
    shape: tuple[int, int] | None = None,
    crs: Any = "EPSG:4326",
    mask: str | None = "land",
    model: GeoConceptModel | None = None,
    kind: str = "calibrated",
    progress: Progress | None = None,
) -> xr.Dataset:
    """Score the centres of a grid of cells against concepts.

    Parameters
    ----------
    concepts : str, Concept, iterable of either, or None
        Names, aliases or objects; None means the whole bank.
    bounds : (left, bottom, right, top), optional
        In units of `crs`. None means the whole world, for a geographic CRS. With left > right a geographic map
        crosses the antimeridian: ``(177, -21, -178, -15)`` is Fiji, and its longitudes run on past 180.
    resolution : float or (float, float), optional
        Cell size in units of `crs`, or (x, y) sizes. Cells are counted from the upper left corner; where they do
        not fit a whole number of times, the right and lower edges move by at most half a cell.
    shape : (int, int), optional
        (height, width) in cells. Give exactly one of `resolution` and `shape`.
    crs : str, int or CRS, default "EPSG:4326"
        Geographic (in degrees) or projected; anything `pyproj.CRS.from_user_input` takes.
    mask : {"land", None}, default "land"
        ``"land"`` scores only cells whose centre is on land (Natural Earth 1:50m, lakes included), None all cells.
    model : GeoConceptModel, optional
        None means the bundled one.
    kind : {"calibrated", "percentile", "cosine"}
        What the numbers are; see `GeoConceptModel.score`.
    progress : callable, optional
        Called as ``progress(done, total)`` in cells to encode, and with ``done=0`` while they are being picked;
        return true to cancel.

    Returns
    -------
    xarray.Dataset
        One float32 variable a concept, named by its slug (``hot_desert_climate``), dimensions ``(lat, lon)`` or
        ``(y, x)``, north up, coordinates at the cells' centres. NaN where the mask leaves a cell out or where the
        centre is not on Earth. CF-1.11 attributes; CRS in ``spatial_ref``; provenance in attributes
        ``geoconcept_...``.

    Raises
    ------
    InputError
        Bounds, resolution, shape, CRS, mask or kind make no map; the message says why.
    ConceptError
        A concept is unknown, asked for twice, or lacks what `kind` needs.
    Cancelled
        `progress` asked to stop.

    Warns
    -----
    UserWarning
        Not one cell is left to score.

    Notes
    -----
    Memory is the map itself, one byte a cell, and one block of cells.

    Examples
    --------
    >>> egypt = concept_map("hot desert climate", bounds=(25, 22, 35, 31), resolution=1)
    >>> dict(egypt.sizes)
    {'lat': 9, 'lon': 10}
    >>> float(egypt["hot_desert_climate"].sel(lat=26.5, lon=29.5)) > 0.9
    True
    """
    if mask not in ("land", None):
        raise InputError(f"mask must be 'land' or None; got {mask!r}")
    look_of(kind)
    model = load_model() if model is None else model
    chosen = model.select(concepts)
    grid = _make_grid(bounds, resolution, shape, crs, len(chosen))
    scores = _score(grid, model, chosen, kind, mask, progress)
    return _dataset(grid, scores, model, chosen, kind, mask)


# --- the grid ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """Cells of one size, north up; `left` and `top` are the outer edges, all in units of `crs`."""

    crs: pyproj.CRS
    left: float
    top: float
    xres: float
    yres: float
    height: int
    width: int

    @property
    def cells(self) -> int:
        return self.height * self.width

    @property
    def x(self) -> NDArray[np.float64]:
        return self.left + (np.arange(self.width, dtype=np.float64) + 0.5) * self.xres

    @property
    def y(self) -> NDArray[np.float64]:
        return self.top - (np.arange(self.height, dtype=np.float64) + 0.5) * self.yres

    @property
    def transform(self) -> rasterio.Affine:
        return rasterio.Affine(self.xres, 0.0, self.left, 0.0, -self.yres, self.top)

    def blocks(self) -> Iterator[NDArray[np.int64]]:
        """Yield the cells' numbers, counted row by row, `BLOCK` at a time."""
        for start in range(0, self.cells, BLOCK):
            yield np.arange(start, min(start + BLOCK, self.cells))

    @cached_property
    def _to_lonlat(self) -> pyproj.Transformer:
        return pyproj.Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)

    def lonlat(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Centres of cells (counted row by row) as (lon, lat), wrapped; NaN where they are not on Earth."""
        row, column = np.divmod(cells, self.width)
        x = self.left + (column + 0.5) * self.xres
        y = self.top - (row + 0.5) * self.yres
        lon, lat = self._to_lonlat.transform(x, y)
        valid = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90.0)
        if not self.crs.is_geographic:
            # Outside their map, projections return infinity, or a place that is drawn elsewhere.
            back_x, back_y = self._to_lonlat.transform(lon, lat, direction="INVERSE")
            with np.errstate(invalid="ignore"):
                valid &= (np.abs(back_x - x) < 0.01 * self.xres) & (np.abs(back_y - y) < 0.01 * self.yres)
        places = np.column_stack([wrap_longitude(lon), lat])
        places[~valid] = np.nan
        return places


def _make_grid(
    bounds: Iterable[float] | None,
    resolution: float | tuple[float, float] | None,
    shape: tuple[int, int] | None,
    crs: Any,
    variables: int,
) -> Grid:
    crs = _check_crs(crs)
    left, bottom, right, top = _check_bounds(bounds, crs)
    if (resolution is None) == (shape is None):
        raise InputError(
            "give exactly one of resolution (cell size in units of the CRS) and shape (height, width); "
            f"got resolution={resolution!r}, shape={shape!r}"
        )
    if shape is not None:
        rows, columns = _check_shape(shape)
        xres, yres = (right - left) / columns, (top - bottom) / rows
    else:
        xres, yres = _check_resolution(resolution)
        rows, columns = (top - bottom) / yres, (right - left) / xres
    if not rows * columns * variables <= MAX_VALUES:  # NaN, from absurd numbers, fails this too
        raise InputError(
            f"a map of {rows:,.10g} x {columns:,.10g} cells and {variables} concept{'s'[: variables != 1]} would take "
            f"{rows * columns * variables * 4e-9:,.5g} GB; the limit is {MAX_VALUES * 4e-9:g} GB. Take larger cells "
            "(places closer than 5-10 km are not told apart), smaller bounds or fewer concepts"
        )
    height, width = round(rows), round(columns)
    if height == 0 or width == 0:
        raise InputError(
            f"cells of {xres:g} x {yres:g} are more than twice as large as the map of {right - left:g} x "
            f"{top - bottom:g}: resolution and bounds must be in units of the CRS ({_unit(crs)})"
        )
    return Grid(crs, left, top, xres, yres, height, width)


def _check_crs(value: Any) -> pyproj.CRS:
    try:
        crs: pyproj.CRS = pyproj.CRS.from_user_input(value)
        pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError as error:  # also the base of CRSError
        raise InputError(f"crs {value!r} is not a coordinate reference system of the Earth: {error}") from None
    if not (crs.is_projected or crs.is_geographic):
        raise InputError(f"crs must be geographic or projected; got {crs.type_name} {crs.name!r}")
    if crs.is_geographic and crs.axis_info[0].unit_name != "degree":
        raise InputError(f"a geographic crs must count in degrees; {crs.name!r} counts in {_unit(crs)}")
    return crs


def _unit(crs: pyproj.CRS) -> str:
    return str(crs.axis_info[0].unit_name)


def _numbers(value: Any, count: int) -> list[float] | None:
    """Return `count` finite floats, or None if `value` is something else."""
    try:
        numbers = [] if isinstance(value, str) else [float(number) for number in value]
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if len(numbers) == count and np.isfinite(numbers).all() else None


def _check_bounds(bounds: Iterable[float] | None, crs: pyproj.CRS) -> Bounds:
    if bounds is None:
        if crs.is_geographic:
            return -180.0, -90.0, 180.0, 90.0
        raise InputError(
            f"bounds are needed with the projected crs {crs.name!r}: give (left, bottom, right, top) in {_unit(crs)}"
        )
    numbers = _numbers(bounds, 4)
    if numbers is None:
        raise InputError(f"bounds must be four finite numbers (left, bottom, right, top); got {bounds!r}")
    left, bottom, right, top = numbers
    if crs.is_geographic:
        # 540 lets a map of the whole world start anywhere from -180 to 180.
        if min(left, right) < -360.0 or max(left, right) > 540.0 or max(abs(bottom), abs(top)) > 90.0:
            raise InputError(
                "bounds are (left, bottom, right, top) = (west, south, east, north) in degrees, longitudes within "
                f"[-360, 540] and latitudes within [-90, 90]; got {tuple(numbers)}. For metres give crs=..."
            )
        right += 360.0 if left > right else 0.0
        if right - left > 360.0:
            raise InputError(f"bounds {tuple(numbers)} go around the Earth more than once")
    if not (left < right and bottom < top):
        raise InputError(
            f"bounds {tuple(numbers)} are empty: (left, bottom, right, top) needs left < right and bottom < top"
            + ("" if crs.is_geographic else "; across the antimeridian take a geographic crs, or one centred there")
        )
    return left, bottom, right, top


def _check_resolution(resolution: Any) -> tuple[float, float]:
    sizes = _numbers([resolution] * 2 if np.ndim(resolution) == 0 else resolution, 2)
    if sizes is None or min(sizes) <= 0.0:
        raise InputError(f"resolution must be one or two finite numbers above 0; got {resolution!r}")
    return sizes[0], sizes[1]


def _check_shape(shape: Any) -> tuple[float, float]:
    sizes = _numbers(shape, 2)
    if sizes is None or any(size < 1 or size != int(size) for size in sizes):
        raise InputError(f"shape must be two whole numbers above 0, (height, width); got {shape!r}")
    return sizes[0], sizes[1]


# --- the scores -------------------------------------------------------------------------------------------------------


def _score(
    grid: Grid,
    model: GeoConceptModel,
    chosen: list[Concept],
    kind: str,
    mask: str | None,
    progress: Progress | None,
) -> NDArray[np.float32]:
    """Return scores (concept, row, column), NaN where the mask or the projection leaves a cell out."""
    scorer = model.scorer(chosen, kind)
    wanted = np.zeros(grid.cells, dtype=bool)
    for cells in grid.blocks():
        report(progress, 0, grid.cells)
        places = grid.lonlat(cells)
        inside = np.isfinite(places[:, 0])
        if mask == "land":
            inside[inside] = on_land(places[inside])
        wanted[cells] = inside
    total = int(wanted.sum())
    if total == 0:
        warnings.warn(
            "no cell of this map is left to score: none has its centre on Earth"
            + (" and on land (try smaller cells, or mask=None)" if mask == "land" else ""),
            stacklevel=3,
        )
    scores = np.full((len(chosen), grid.cells), np.nan, dtype=np.float32)
    done = 0
    for block in grid.blocks():
        cells = block[wanted[block]]
        places = grid.lonlat(cells)
        for part, vectors in model.iter_encode(places, progress=progress, total=total, done=done):
            scores[:, cells[part]] = scorer(vectors).T
        done += len(cells)
    return scores.reshape(len(chosen), grid.height, grid.width)


# --- the dataset ------------------------------------------------------------------------------------------------------


def _dataset(
    grid: Grid,
    scores: NDArray[np.float32],
    model: GeoConceptModel,
    chosen: list[Concept],
    kind: str,
    mask: str | None,
) -> xr.Dataset:
    dims = ("lat", "lon") if grid.crs.is_geographic else ("y", "x")
    dataset: xr.Dataset = xr.Dataset(
        coords={dims[0]: grid.y, dims[1]: grid.x}, attrs=_global_attributes(model, chosen, kind, mask)
    )
    # The scores come last: each of rioxarray's steps copies all there is.
    dataset = dataset.rio.set_spatial_dims(x_dim=dims[1], y_dim=dims[0])
    dataset = dataset.rio.write_crs(grid.crs).rio.write_coordinate_system().rio.write_transform(grid.transform)
    for dim in dims:
        # CF allows no missing values in coordinates; left alone, xarray would declare some.
        dataset[dim].encoding["_FillValue"] = None
    for k, concept in enumerate(chosen):
        encoding = {"_FillValue": np.float32(np.nan), "grid_mapping": "spatial_ref"}
        dataset[_variable(concept)] = xr.Variable(dims, scores[k], _attributes(concept, kind), encoding)
    return dataset


def _variable(concept: Concept) -> str:
    """Name of the variable: the slug, unless CF or the coordinates need another."""
    name = concept.variable
    taken = name in ("lat", "lon", "x", "y", "spatial_ref") or name[0].isdigit()
    return concept.column if taken else name


def _attributes(concept: Concept, kind: str) -> dict[str, Any]:
    look = look_of(kind)
    meaning = look.meaning.format(concept=concept.name, reference=concept.reference.replace("_", " "))
    low, high = concept.scale_km
    attributes = {
        "long_name": f"concept: {concept.name}",
        "units": KINDS[kind],
        "valid_range": np.array([look.low, look.high], dtype=np.float32),
        "cell_methods": "area: point",
        "comment": f"{meaning} The cell's centre is associated with the concept; nothing was observed there. "
        f"Meaningful over {low:g}-{high:g} km or more.",
        "concept": concept.name,
        "concept_family": concept.family,
        "concept_description": concept.description,
        "reference": concept.reference,
    }
    if concept.validity is not None:
        attributes["validity"] = _validity_text(concept.validity)
    if concept.grade is not None:
        attributes["grade"] = concept.grade
    return attributes


def _validity_text(validity: Validity) -> str:
    """Write for example ``AUROC 0.991 (95 % interval 0.985 to 0.994), 5 folds of 10-degree blocks``."""
    text = f"{validity.metric} {validity.value:.3f}"
    if validity.interval:
        text += " (95 % interval {:.3f} to {:.3f})".format(*validity.interval)
    return f"{text}, {validity.folds}" if validity.folds else text


def _global_attributes(model: GeoConceptModel, chosen: list[Concept], kind: str, mask: str | None) -> dict[str, str]:
    provenance = model.provenance(chosen, kind)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = ", ".join(concept.name for concept in chosen[:3]) + (", ..." if len(chosen) > 3 else "")
    record = {**provenance, "mask": "land, Natural Earth 1:50m" if mask == "land" else "none"}
    return {
        "Conventions": "CF-1.11",
        "title": f"Concept map: {names}",
        "source": f"{provenance['software']}, model {model.name}, concepts scored from coordinates alone",
        "history": f"{now} {provenance['software']}: concept_map",
        "comment": "Scores say how strongly a place is associated with a concept. They are no observations, and no "
        "probabilities of finding something there.",
        **{f"geoconcept_{key}": value for key, value in record.items()},
    }


# --- the raster -------------------------------------------------------------------------------------------------------


def write_raster(dataset: xr.Dataset, path: str | PathLike[str], *, style: bool = True) -> Path:
    """Write a concept map as a Cloud Optimized GeoTIFF, styled for QGIS.

    One float32 band a concept, named ``concept: hot desert climate``, nodata NaN, DEFLATE with predictor, averaged
    overviews, tags ``GEOCONCEPT_...`` with model, sha256, reference mean, concepts, kind, scale, backend and licence.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `concept_map`; a selection of its variables, rows or columns will do.
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
    >>> egypt = concept_map("hot desert climate", bounds=(25, 22, 35, 31), resolution=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_raster(egypt, pathlib.Path(folder) / "egypt.tif")
    ...     sorted(file.name for file in path.parent.iterdir())
    ['egypt.qml', 'egypt.tif']
    """
    path = Path(path)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise InputError(f"a raster's name must end in .tif or .tiff; got {path.name!r}")
    layers, grid = check_map(dataset)
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
    strangers = [str(name) for name, layer in layers if "concept" not in layer.attrs or set(layer.dims) != {y, x}]
    if strangers or not dataset.data_vars:
        raise InputError(f"variables {strangers} are no concepts over ({y}, {x}): drop them, or {_HINT}")
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
        raster.units = [KINDS[dataset.attrs["geoconcept_kind"]]] * len(layers)
        for band, layer in enumerate(layers, start=1):
            raster.set_band_description(band, f"concept: {layer.attrs['concept']}")
            raster.update_tags(band, **_band_tags(layer))
            raster.write(np.asarray(layer.values, dtype=np.float32), band)


def _tags(dataset: xr.Dataset, layers: list[xr.DataArray]) -> dict[str, str]:
    attributes = dataset.attrs
    names = [str(layer.attrs["concept"]) for layer in layers]
    tags = {key.upper(): str(value) for key, value in attributes.items() if str(key).startswith("geoconcept_")}
    return {
        **tags,
        "GEOCONCEPT_CONCEPTS": "; ".join(names),
        "TIFFTAG_SOFTWARE": str(attributes["geoconcept_software"]),
        "TIFFTAG_IMAGEDESCRIPTION": f"{attributes.get('title', '')}. {attributes.get('comment', '')}",
    }


def _band_tags(layer: xr.DataArray) -> dict[str, str]:
    kept = ("long_name", "units", "comment", "concept_description", "concept_family", "reference", "validity", "grade")
    return {name: str(layer.attrs[name]) for name in kept if name in layer.attrs}
