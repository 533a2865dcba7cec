"""Concept maps: a grid of cells scored into an `xarray.Dataset`.

A cell holds the score of its *centre*, a point. The encoder tells places apart down to some 5-10 km, so cells much
larger than that are samples with gaps between them, and cells much smaller than that only interpolate.
"""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import rioxarray  # noqa: F401 - adds .rio to xarray's objects
import xarray as xr

from . import accessor  # noqa: F401 - adds .geoconcept to maps
from . import grid as grids
from .concepts import KINDS, default_kind
from .errors import InputError
from .grid import Grid, make_grid
from .land import on_land
from .model import as_model
from .progress import report
from .style import look_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from numpy.typing import NDArray

    from .concepts import Concept, Validity
    from .concepts.bank import ConceptLike
    from .model import GeoConceptModel
    from .progress import Progress

__all__ = ["concept_map", "score_cells"]


def concept_map(
    concepts: ConceptLike | Iterable[ConceptLike] | None,
    bounds: Iterable[float] | None = None,
    *,
    resolution: float | tuple[float, float] | None = None,
    shape: tuple[int, int] | None = None,
    crs: Any = "EPSG:4326",
    mask: str | None = "land",
    model: GeoConceptModel | str | PathLike[str] | None = None,
    kind: str | None = None,
    given: ConceptLike | Iterable[ConceptLike] | None = None,
    chunks: int | tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Score the centres of a grid of cells against concepts.

    Parameters
    ----------
    concepts : str, Concept, iterable of either, or None
        Names, aliases or objects; None means all but those of grade D.
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
    model : GeoConceptModel, str, path-like or None
        None is the bundled default, loaded once per process.
    kind : {"calibrated", "percentile", "cosine"}, optional
        What the numbers are; see `GeoConceptModel.score`. None means calibrated, the percentile
        where a concept has no calibration, or cosine with `given`.
    given : str, Concept, iterable of either, or None
        Concepts to take away from every place first, so that the map shows what is left of the others. What is left
        has no calibration and no percentiles, only a cosine; see `GeoConceptModel.given`.
    chunks : int or (int, int), optional
        Rows and columns of a chunk: the map is then planned now (dask, extra ``dask``) and computed chunk by chunk
        when it is asked for, by `write_zarr` for example, so that it may be larger than memory.
    progress : callable, optional
        Called as ``progress(done, total)`` in cells to encode, and with ``done=0`` while they are being picked;
        return true to cancel. Not with `chunks`.

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
        A concept is unknown, asked for twice, or lacks what `kind` or `given` needs.
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
    >>> float(egypt["hot_desert_climate"].sel(lat=26.5, lon=29.5)) > 0.8
    True
    """
    if mask not in ("land", None):
        raise InputError(f"mask must be 'land' or None; got {mask!r}")
    model = as_model(model)
    chosen = model.select(concepts)
    kind = _choose_kind(kind, chosen, given is not None)
    erased = [] if given is None else model.select(given)
    if erased:
        chosen = [model.given(concept, erased) for concept in chosen]
    if chunks is None:
        grid = make_grid(bounds, resolution, shape, crs, len(chosen))
        scores: Any = _score(grid, model, chosen, kind, mask, progress)
    elif progress is not None:
        raise InputError("a map in chunks is computed later, and shows its progress there: leave progress out")
    else:
        from .scale.maps import lazy_scores

        grid = make_grid(bounds, resolution, shape, crs, 0)  # no limit: it need not fit into memory
        scores = lazy_scores(grid, model, chosen, kind, mask, chunks)
    dataset = _dataset(grid, scores, model, chosen, kind, mask)
    if erased:
        dataset.attrs["geoconcept_given"] = "; ".join(concept.name for concept in erased)
    return dataset


def _choose_kind(kind: str | None, chosen: list[Concept], given: bool) -> str:
    if kind is None:
        return "cosine" if given else default_kind(chosen)
    look_of(kind)
    if given and kind != "cosine":
        raise InputError(
            f"kind={kind!r} does not go with given: calibration and percentiles belong to the whole concept, and say "
            "nothing about what is left of it. Leave kind out, or ask for kind='cosine'"
        )
    return kind


def _score(
    grid: Grid,
    model: GeoConceptModel,
    chosen: list[Concept],
    kind: str,
    mask: str | None,
    progress: Progress | None,
) -> NDArray[np.float32]:
    """Return scores (concept, row, column), NaN where the mask or the projection leaves a cell out."""
    scores, scored = score_cells(grid, None, model, chosen, kind, mask, progress)
    if scored == 0:
        warnings.warn(
            "no cell of this map is left to score: none has its centre on Earth"
            + (" and on land (try smaller cells, or mask=None)" if mask == "land" else ""),
            stacklevel=3,
        )
    return scores.reshape(len(chosen), grid.height, grid.width)


def score_cells(
    grid: Grid,
    cells: NDArray[np.int64] | None,
    model: GeoConceptModel,
    chosen: list[Concept],
    kind: str,
    mask: str | None,
    progress: Progress | None = None,
) -> tuple[NDArray[np.float32], int]:
    """Score some cells of a grid.

    Parameters
    ----------
    grid : Grid
    cells : ndarray of int, shape (N,), or None
        Their numbers, counted row by row; None means all.
    model, chosen, kind, mask, progress
        As in `concept_map`, checked.

    Returns
    -------
    ndarray of float32, shape (K, N)
        NaN where the mask or the projection leaves a cell out.
    int
        How many cells were scored.
    """
    count = grid.cells if cells is None else len(cells)
    blocks = [slice(start, min(start + grids.BLOCK, count)) for start in range(0, count, grids.BLOCK)]

    def centres(part: slice) -> NDArray[np.float64]:
        return grid.lonlat(np.arange(part.start, part.stop) if cells is None else cells[part])

    wanted = np.zeros(count, dtype=bool)
    for block in blocks:
        report(progress, 0, count)
        places = centres(block)
        inside = np.isfinite(places[:, 0])
        if mask == "land":
            inside[inside] = on_land(places[inside])
        wanted[block] = inside
    total, done = int(wanted.sum()), 0
    scorer = model.scorer(chosen, kind)
    scores = np.full((len(chosen), count), np.nan, dtype=np.float32)
    for block in blocks:
        columns = block.start + np.flatnonzero(wanted[block])
        places = centres(block)[wanted[block]]
        for part, vectors in model.iter_encode(places, progress=progress, total=total, done=done):
            scores[:, columns[part]] = scorer(vectors).T
        done += len(columns)
    return scores, total


def _dataset(
    grid: Grid,
    scores: Any,
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
        "valid_range": np.array([look.least, look.most], dtype=np.float32),
        "cell_methods": "area: point",
        "comment": f"{meaning} The cell's centre is associated with the concept; nothing was observed there. "
        f"Meaningful over {low:g}-{high:g} km or more.",
        "concept": concept.name,
        "concept_family": concept.family,
        "concept_description": concept.description,
        "reference": concept.reference,
    }
    by_vector = kind == "cosine"
    validity = concept.validity if by_vector else concept.validity_at_places
    grade = concept.grade if by_vector else concept.grade_at_places
    if validity is not None:
        attributes["validity"] = _validity_text(validity)
    if grade is not None:
        attributes["grade"] = grade
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
    record = {
        **provenance,
        "mask": "land, Natural Earth 1:50m" if mask == "land" else "none",
        "jumps": "antimeridian, poles" if model.encoder.jumps else "none",
    }
    return {
        "Conventions": "CF-1.11",
        "title": f"Concept map: {names}",
        "source": f"{provenance['software']}, model {model.name}, concepts scored from coordinates alone",
        "history": f"{now} {provenance['software']}: concept_map",
        "comment": "Scores say how strongly a place is associated with a concept. They are no observations, and no "
        "probabilities of finding something there.",
        **{f"geoconcept_{key}": value for key, value in record.items()},
    }
