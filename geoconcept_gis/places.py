"""Features for the rows of a GeoDataFrame."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from .coordinates import STATUS_WITH_VALUES, looks_swapped, status, wrap_longitude
from .errors import CoordinateError, InputError, SeamWarning
from .features import FeatureColumns, check_choice
from .geometry import representative_points, spread_points, to_lonlat
from .scale.engine import is_lazy
from .scale.frames import embed_lazily

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

    import geopandas as gpd
    from numpy.typing import NDArray

    from .concepts.bank import ConceptLike
    from .model import GeoConceptModel
    from .progress import Progress

__all__ = ["STATUS_COLUMN", "check_frame", "embed"]

STATUS_COLUMN = "geoconcept_status"
_ROWS_SHOWN = 5
#: Sample points held in memory at a time with ``within="mean"``.
_POINTS_AT_ONCE = 1 << 17


def embed(
    gdf: gpd.GeoDataFrame,
    features: str = "concepts",
    concepts: ConceptLike | Iterable[ConceptLike] | None = None,
    model: GeoConceptModel | str | PathLike[str] | None = None,
    invalid: str = "raise",
    *,
    kind: str | None = None,
    within: str = "point",
    samples: int = 32,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Add concept scores, embeddings or both to a table of places.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame, or dask_geopandas.GeoDataFrame
        Any geometries, any index, any CRS; without a CRS it is refused. It is not changed. For a dask-geopandas
        frame, so is the result: planned now, computed partition by partition when it is asked for.
    features : {"concepts", "embedding", "all"}
        ``concepts``: one column ``concept_<name>`` each. ``embedding``: ``embedding_000`` to ``embedding_511``, raw
        and not normalised. ``all``: both.
    concepts : str, Concept, iterable of either, or None
        Names, aliases or objects; None means all but those of grade D.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default, loaded once per process.
    invalid : {"raise", "null"}
        What to do with rows that are no place on Earth. ``raise``: name them in an error. ``null``: leave their new
        columns empty and say why in a column ``geoconcept_status``: ``ok``, ``near_seam``, ``near_pole`` (within
        0.5 degree of the antimeridian or a pole, where the encoder is discontinuous) carry values; ``missing``
        (None, empty or NaN), ``infinite``, ``out_of_range`` and ``not_projectable`` do not.
    kind : {"calibrated", "percentile", "cosine"}, optional
        None means calibrated, or the percentile where a concept has no calibration.
        What a concept score is: 0 to 1, 0 to 100, or -1 to 1; see `GeoConceptModel.score`.
    within : {"point", "mean"}
        ``point``: the value at one representative point, found in the frame's own CRS: points as they are (Z
        ignored), lines half-way along, everything else a point on its surface. ``mean``: the mean of every new
        column over `samples` points spread evenly inside polygons and along lines, always the same ones; a polygon
        so thin that none falls inside gets its representative point.
    samples : int, default 32
        Points a feature, for ``within="mean"``.
    progress : callable, optional
        Called as ``progress(done, total)``, in points; return true to cancel.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows, index, columns, geometry and CRS, with float32 columns after them. ``attrs["geoconcept"]``
        says how they were made.

    Raises
    ------
    InputError
        No GeoDataFrame, no CRS, a column of the new names is there already, or an unknown option.
    CoordinateError
        With ``invalid="raise"``: rows that are no place on Earth, by position and index label.
    ConceptError
        A concept is unknown, or cannot be scored in this `kind`.
    Cancelled
        `progress` asked to stop.

    Warns
    -----
    SeamWarning
        With ``invalid="raise"``: how many places lie within 0.5 degree of the antimeridian or a pole.

    See Also
    --------
    geoconcept_gis.embed_h3 : the same for H3 cells.
    geoconcept_gis.read_places, geoconcept_gis.write_places : files in and out.
    geoconcept_gis.scan_places, geoconcept_gis.write_partitions : the same for dask-geopandas frames.

    Examples
    --------
    >>> import geopandas
    >>> cities = geopandas.GeoDataFrame(
    ...     {"city": ["Cairo", "London"]},
    ...     geometry=geopandas.points_from_xy([31.2, -0.1], [30.0, 51.5]),
    ...     crs="EPSG:4326",
    ... )
    >>> scored = embed(cities, concepts=["hot desert climate", "oceanic climate"])
    >>> scored.columns.tolist()
    ['city', 'geometry', 'concept_hot_desert_climate', 'concept_oceanic_climate']
    >>> bool(scored["concept_hot_desert_climate"].idxmax() == 0)
    True
    """
    from . import accessor  # noqa: F401 - adds .geoconcept to the table

    if is_lazy(gdf):
        if progress is not None:
            raise InputError("a dask-geopandas frame is embedded later: give progress to write_partitions")
        return embed_lazily(gdf, features, concepts, model, invalid, kind=kind, within=within, samples=samples)
    check_choice("invalid", invalid, ("raise", "null"))
    check_choice("within", within, ("point", "mean"))
    samples = _check_samples(samples)
    columns = FeatureColumns(model, features, concepts, kind)
    shapes = check_frame(gdf, columns.names + ([STATUS_COLUMN] if invalid == "null" else []))

    xy = representative_points(shapes)
    lonlat, lost = to_lonlat(xy, gdf.crs)
    state = np.where(lost, "not_projectable", status(lonlat))
    good = np.flatnonzero(np.isin(state, STATUS_WITH_VALUES))
    if invalid == "raise" and len(good) < len(gdf):
        raise CoordinateError(_describe(xy, state, gdf))
    values = np.full((len(gdf), len(columns.names)), np.nan, dtype=np.float32)
    if within == "point":
        columns.fill(values, _wrapped(lonlat[good]), good, progress=progress)
    else:
        batches = _batches(shapes, gdf.crs, samples, lonlat, state, good)
        columns.fill_means(values, batches, progress=progress, total=_most_points(shapes[good], samples))
    if invalid == "raise" and columns.model.encoder.jumps:
        _warn_of_seam(state)
    out = _attach(gdf, values, columns.names, state if invalid == "null" else None)
    detail = {"within": within} | ({"samples": samples} if within == "mean" else {})
    out.attrs = {**gdf.attrs, "geoconcept": columns.provenance(**detail)}
    return out


def _check_samples(samples: Any) -> int:
    if isinstance(samples, bool) or not isinstance(samples, (int, np.integer)) or samples < 1:
        raise InputError(f"samples must be a whole number of at least 1; got {samples!r}")
    return int(samples)


def check_frame(gdf: Any, new: Iterable[str]) -> NDArray[np.object_]:
    """Return the geometries of a frame that can take the `new` columns, or say how to make one.

    Raises
    ------
    InputError
        It is no GeoDataFrame, it has no active geometry or CRS, or it has a column of these names already.
    """
    import geopandas as gpd

    if isinstance(gdf, gpd.GeoSeries):
        raise InputError("embed needs a GeoDataFrame; make one with series.to_frame('geometry')")
    if not isinstance(gdf, gpd.GeoDataFrame):
        raise InputError(
            f"embed needs a GeoDataFrame; got {type(gdf).__name__}. Make one of a table with geopandas."
            "GeoDataFrame(table, geometry=geopandas.points_from_xy(table['lon'], table['lat']), crs='EPSG:4326')"
        )
    if gdf._geometry_column_name is None or gdf._geometry_column_name not in gdf:
        raise InputError("the GeoDataFrame has no active geometry column: choose one with gdf.set_geometry(...)")
    if gdf.crs is None:
        raise InputError(
            "the GeoDataFrame has no CRS, so its coordinates could mean anything: "
            "gdf.set_crs('EPSG:4326') if they are longitude and latitude in degrees"
        )
    clash = [name for name in new if name in gdf.columns]
    if clash:
        shown = ", ".join(clash[:_ROWS_SHOWN]) + (", ..." if len(clash) > _ROWS_SHOWN else "")
        raise InputError(f"the table has these columns already: {shown}; rename or drop them first")
    return np.asarray(gdf.geometry.array)


def _wrapped(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([wrap_longitude(lonlat[:, 0]), lonlat[:, 1]], axis=1)


def _batches(
    shapes: NDArray[np.object_],
    crs: Any,
    samples: int,
    lonlat: NDArray[np.float64],
    state: NDArray[np.str_],
    good: NDArray[np.intp],
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.intp]]]:
    """Yield sample points of the good shapes, some shapes at a time; mark in `state` shapes that touch the seam."""
    at_once = max(1, _POINTS_AT_ONCE // samples)
    for start in range(0, len(good), at_once):
        rows = good[start : start + at_once]
        points, owner = spread_points(shapes[rows], crs, samples)
        states = status(points)
        valid = np.isin(states, STATUS_WITH_VALUES)
        points, owner, states = points[valid], owner[valid], states[valid]
        for flag in ("near_seam", "near_pole"):
            state[rows[owner[states == flag]]] = flag
        bare = np.setdiff1d(np.arange(len(rows)), owner)
        points, owner = np.concatenate([points, lonlat[rows[bare]]]), np.concatenate([owner, bare])
        order = np.argsort(owner, kind="stable")
        yield _wrapped(points[order]), rows[owner[order]]


def _most_points(shapes: NDArray[np.object_], samples: int) -> int:
    """How many sample points there will be; fewer where a sliver gets less than its share."""
    kinds = shapely.get_type_id(shapes)
    points = np.where(kinds <= 0, 1, np.where(kinds == 4, shapely.get_num_geometries(shapes), samples))
    return int(np.minimum(points, samples).sum())


def _describe(xy: NDArray[np.float64], state: NDArray[np.str_], gdf: gpd.GeoDataFrame) -> str:
    """One sentence about the rows that are no place on Earth, and what to do."""
    bad = np.flatnonzero(~np.isin(state, STATUS_WITH_VALUES))
    first = bad[:_ROWS_SHOWN]
    shown = ", ".join(
        f"row {row} (index {label!r}): ({xy[row, 0]:g}, {xy[row, 1]:g}) {state[row]}"
        for row, label in zip(first, gdf.index[first].tolist(), strict=True)
    )
    more = f", and {len(bad) - _ROWS_SHOWN:,} more" if len(bad) > _ROWS_SHOWN else ""
    hint = ""
    if gdf.crs.is_geographic and looks_swapped(xy):
        hint = " The coordinates look swapped: geometries hold longitude first, latitude second."
    elif gdf.crs.is_geographic and (np.abs(xy[np.isfinite(xy).all(axis=1)]) > 360.0).any():
        hint = f" Values beyond 360 are not degrees: {gdf.crs.name} may be the wrong CRS."
    return (
        f"{len(bad):,} of {len(gdf):,} rows are no place on Earth: {shown}{more}.{hint} "
        "Mend or drop them, or keep them without values: invalid='null'."
    )


def _warn_of_seam(state: NDArray[np.str_]) -> None:
    count = int(np.isin(state, ("near_seam", "near_pole")).sum())
    if count:
        warnings.warn(
            f"{count:,} of {len(state):,} places lie within 0.5 degree of the antimeridian or a pole, where the "
            "encoder is discontinuous: do not compare their values with those across it "
            "(invalid='null' flags them row by row)",
            SeamWarning,
            stacklevel=3,
        )


def _attach(
    gdf: gpd.GeoDataFrame, values: NDArray[np.float32], names: list[str], state: NDArray[np.str_] | None
) -> gpd.GeoDataFrame:
    """Put the new columns behind the old ones, in one piece."""
    import geopandas as gpd
    import pandas as pd

    new = pd.DataFrame(values, index=gdf.index, columns=names, copy=False)
    if state is not None:
        new[STATUS_COLUMN] = pd.Series(state.astype(object), index=gdf.index, dtype=str)
    table = pd.concat([pd.DataFrame(gdf), new], axis=1)
    return gpd.GeoDataFrame(table, geometry=gdf.geometry.name)
