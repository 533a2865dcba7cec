"""How much of the Earth is searched, likeliest part first, before the truth is found: what Recall vs Area is made of.

A density may be a map (xarray), H3 cells, or circles round candidate points. Maps and cells with a probability are
searched in order of probability per square kilometre, so that unequal cells do not matter; candidates without one in
the order of their score, rank or rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..coordinates import check_lonlat
from ..errors import InputError
from .metrics import RADIUS_KM, distance_km

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

    Lonlat = NDArray[np.float64]
    #: Places and the area searched for each part in; the part that holds each place out, -1 for none.
    Find = Callable[[Lonlat, NDArray[np.float64]], NDArray[np.intp]]

__all__ = ["FOUND", "searched_area"]

#: Columns that say, for each sample, where in the search its truth was found.
FOUND = ("area_km2", "mass")
#: Densities closer than this, as a share, are the same but for rounding.
_TIE = 1e-9
#: Probabilities of one density may add up to this much.
_WHOLE = 1.001
#: WGS84.
_MAJOR_KM, _ECCENTRICITY = 6378.137, 0.0818191908426215


def searched_area(density: Any, truth: ArrayLike) -> pd.DataFrame:
    """Say how large an area a density has you search, likeliest part first, before the truth is found.

    Parameters
    ----------
    density : Geolocation, xarray.Dataset, xarray.DataArray, pandas.DataFrame, or iterable of them
        One for all places of `truth`, or one for each. A map: variable ``probability`` with its CRS, or dimensions
        ``lat`` and ``lon``; cells of a projected map need a coordinate ``area_km2``. A table: one row a candidate,
        either an H3 cell (column or index ``h3``; resolutions may differ) or a circle (columns ``lon``, ``lat``,
        ``area_km2``); with a column ``probability``, ``score`` (highest first) or ``rank`` (lowest first), or best row
        first.
    truth : array_like of shape (N, 2), or (2,) for one place
        (lon, lat) in degrees, EPSG:4326.

    Returns
    -------
    pandas.DataFrame
        One row a place. ``area_km2``: all that ranks as high as the part with the truth, that part and ties included;
        infinity where no part holds the truth. ``mass``: the probability of what ranks higher; the truth is in the
        50 % area if it is below 0.5. 1 where no part holds the truth, NaN where there are no probabilities.

    Raises
    ------
    InputError
        Not a density of these kinds; negative probabilities, or such that add up to more than 1; the wrong number.
    CoordinateError
        A row of `truth` is not a place on Earth.

    Notes
    -----
    Bianco, Eigen and Gormish (2024), arXiv 2407.13862: with score s and area a of cells c, and c* that of the truth,
    A = sum of a(c) over s(c) >= s(c*). Cells and circles that overlap are counted twice. Only the
    Earth inside a map is ever searched.

    Examples
    --------
    >>> import pandas as pd
    >>> ranked = pd.DataFrame({"lon": [2.35, -0.13], "lat": [48.86, 51.51], "area_km2": [1000.0, 1000.0]})
    >>> searched_area(ranked, [[-0.1, 51.5], [31.2, 30.0]])["area_km2"].tolist()
    [2000.0, inf]
    """
    import pandas as pd

    places = check_lonlat(truth, name="truth")
    if _is_density(density):
        return pd.DataFrame(_rank(density).look_up(places), columns=list(FOUND))
    try:
        densities = iter(density)
    except TypeError:
        raise InputError(f"{_WANTED}; got {type(density).__name__}") from None
    found = np.empty((len(places), 2))
    count = 0
    for count, one in enumerate(densities, start=1):
        if count > len(places):
            break
        if not _is_density(one):
            raise InputError(f"{_WANTED}; number {count - 1} is {type(one).__name__}")
        try:
            found[count - 1] = _rank(one).look_up(places[count - 1 : count])[0]
        except InputError as error:
            raise InputError(f"density {count - 1}: {error}") from None
    if count != len(places):
        more = "more" if count > len(places) else f"only {count:,}"
        raise InputError(f"truth has {len(places):,} places, and there are {more} densities: give one for each")
    return pd.DataFrame(found, columns=list(FOUND))


_WANTED = "a density must be a Geolocation, an xarray map, or a table of H3 cells or circles"


def _is_density(value: Any) -> bool:
    return is_geolocation(value) or hasattr(value, "columns") or hasattr(value, "dims")


def is_geolocation(value: Any) -> bool:
    """Tell what `geolocate` returns from anything else, without loading it."""
    return hasattr(value, "cells") and hasattr(value, "probability") and hasattr(value, "points")


@dataclass(frozen=True)
class _Ranking:
    """What `search_order` found for every part of the Earth, and how to find the part that holds a place."""

    found: NDArray[np.float64]
    find: Find
    #: Mass where no part holds a place.
    nowhere: float

    def look_up(self, places: Lonlat) -> NDArray[np.float64]:
        part = self.find(places, self.found[:, 0])
        return np.vstack([self.found, [np.inf, self.nowhere]])[part]  # part -1 is the last row


def _rank(density: Any) -> _Ranking:
    if is_geolocation(density):
        import pandas as pd

        return _rank_table(pd.DataFrame({"h3": density.cells, "probability": density.probability}))
    return _rank_map(density) if hasattr(density, "dims") else _rank_table(density)


def search_order(
    score: NDArray[np.float64], km2: NDArray[np.float64], probability: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return area searched and probability passed for every part of the Earth, highest score first.

    Parameters
    ----------
    score, km2 : ndarray of float64, shape (C,)
        What parts are ranked by (NaN: never searched), and their areas.
    probability : ndarray of float64, shape (C,), optional
        Theirs.

    Returns
    -------
    ndarray of float64, shape (C, 2)
        ``area_km2`` and ``mass``, see `searched_area`.
    """
    order = np.argsort(-score, kind="stable")
    order = order[~np.isnan(score[order])]
    ranked = score[order]
    found = np.column_stack([np.full(len(score), np.inf), np.full(len(score), np.nan if probability is None else 1.0)])
    if not len(order):
        return found
    new = np.append(True, ranked[1:] < ranked[:-1] - _TIE * np.abs(ranked[:-1]))
    first = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    last = np.append(np.flatnonzero(new)[1:] - 1, len(order) - 1)[np.cumsum(new) - 1]
    found[order, 0] = np.cumsum(km2[order])[last]
    if probability is not None:
        found[order, 1] = np.append(0.0, np.cumsum(probability[order]))[first]
    return found


def _check_probability(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        if (values < 0.0).any():
            raise InputError(f"a probability is negative: {np.nanmin(values):g}")
    total = float(np.nansum(values))
    if not total <= _WHOLE:
        raise InputError(f"probabilities add up to {total:.4g}, more than 1: is this a density per area, or a score?")
    return values


def _rank_map(density: xr.Dataset | xr.DataArray) -> _Ranking:
    layer: Any = density
    if hasattr(density, "data_vars"):
        if "probability" not in density.data_vars:
            names = ", ".join(map(repr, map(str, density.data_vars)))
            raise InputError(f"the map has no variable 'probability'; it has {names}")
        layer = density["probability"]
    crs, y, x = _axes(layer)
    layer = layer.transpose(y, x)
    probability = _check_probability(np.asarray(layer.values, dtype=np.float64))
    xs, ys = (_even(np.asarray(layer[dim].values, dtype=np.float64), dim) for dim in (x, y))
    if "area_km2" in layer.coords:
        km2 = np.asarray(layer.coords["area_km2"].broadcast_like(layer).transpose(y, x), dtype=np.float64)
    elif crs.is_geographic:
        edges = np.clip(ys.start + ys.step * np.arange(ys.count + 1), -90.0, 90.0)
        rows = _zone_km2(edges[:-1], edges[1:]) * abs(xs.step) / 360.0
        km2 = np.broadcast_to(rows[:, None], layer.shape)
    else:
        raise InputError(f"cells of a map in {crs.name!r} differ in area: give it a coordinate 'area_km2'")
    found = search_order((probability / km2).ravel(), km2.ravel(), np.nan_to_num(probability).ravel())

    def find(places: Lonlat, _: NDArray[np.float64]) -> NDArray[np.intp]:
        across, down = _project(places, crs)
        column = xs.index(across, wrap=360.0 if crs.is_geographic else None)
        row = ys.index(down)
        return np.where((row < 0) | (column < 0), -1, row * xs.count + column)

    return _Ranking(found, find, 1.0)


def _axes(layer: Any) -> tuple[Any, str, str]:
    """Return a map's CRS and the names of its vertical and horizontal dimensions."""
    import pyproj
    import rioxarray  # noqa: F401 - adds .rio

    names = set(map(str, layer.dims))
    for y, x in (("lat", "lon"), ("latitude", "longitude"), ("y", "x")):
        if names == {y, x}:
            crs = layer.rio.crs or ("EPSG:4326" if y != "y" else None)
            if crs is None:
                raise InputError("the map has no CRS: write one with rioxarray's rio.write_crs")
            return pyproj.CRS.from_user_input(crs), y, x
    raise InputError(f"a map must have dimensions (lat, lon) or (y, x); this one has {tuple(layer.dims)}")


@dataclass(frozen=True)
class _Axis:
    """Cells of one size along an axis; `step` is negative where coordinates fall."""

    start: float
    step: float
    count: int

    def index(self, values: NDArray[np.float64], wrap: float | None = None) -> NDArray[np.intp]:
        """Return the cell that holds each value, -1 for none; the far edge belongs to the last cell."""
        offset = values - self.start
        if wrap:
            # From just below the first edge, so that rounding cannot throw a value on it once round the Earth.
            offset = np.mod(offset + 1e-9, wrap) - 1e-9 if self.step > 0 else -np.mod(1e-9 - offset, wrap) + 1e-9
        with np.errstate(invalid="ignore"):
            cell = np.floor(offset / self.step + 1e-9)
            inside = (cell >= 0) & (offset / self.step <= self.count + 1e-9)
        return np.where(inside, np.minimum(np.nan_to_num(cell), self.count - 1), -1).astype(np.intp)


def _even(centres: NDArray[np.float64], name: str) -> _Axis:
    steps = np.diff(centres)
    if not len(steps) or steps[0] == 0.0 or not np.allclose(steps, steps[0], rtol=1e-3, atol=0.0):
        raise InputError(f"coordinate {name!r} of the map must be evenly spaced, with two values or more")
    step = float(centres[-1] - centres[0]) / len(steps)
    return _Axis(float(centres[0]) - step / 2.0, step, len(centres))


def _zone_km2(south: NDArray[np.float64], north: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area between parallels, all round the WGS84 ellipsoid (Snyder 1987, equation 3-12)."""

    def q(lat: NDArray[np.float64]) -> NDArray[np.float64]:
        sine, e = np.sin(np.radians(lat)), _ECCENTRICITY
        return (1.0 - e**2) * (sine / (1.0 - (e * sine) ** 2) + np.arctanh(e * sine) / e)

    return np.pi * _MAJOR_KM**2 * np.abs(q(north) - q(south))


def _project(places: Lonlat, crs: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if crs.is_geographic:
        return places[:, 0], places[:, 1]
    import pyproj

    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = transformer.transform(places[:, 0], places[:, 1])
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def _rank_table(table: pd.DataFrame) -> _Ranking:
    columns = set(map(str, table.columns))
    probability = None
    if "probability" in columns:
        probability = _check_probability(_numbers(table, "probability"))
    if "h3" in columns or str(table.index.name) == "h3":
        km2, find = _h3_parts(table["h3"] if "h3" in columns else table.index)
    elif {"lon", "lat", "area_km2"} <= columns:
        km2, find = _circles(table)
    else:
        raise InputError(
            "a table of candidates needs a column 'h3', or columns 'lon', 'lat' and 'area_km2'; "
            f"its columns are {', '.join(map(repr, map(str, table.columns)))}"
        )
    if "rank" in columns:
        score = -_numbers(table, "rank")
    elif probability is not None:
        score = probability / km2
    else:
        score = _numbers(table, "score") if "score" in columns else -np.arange(len(table), dtype=np.float64)
    return _Ranking(search_order(score, km2, probability), find, np.nan if probability is None else 1.0)


def _numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    try:
        values = np.asarray(table[name], dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"column {name!r} of the candidates holds what is no number") from None
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InputError(f"column {name!r} of the candidates is missing or infinite in row {bad[0]}")
    return values


@lru_cache(maxsize=2)
def _layout(raw: bytes) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.uint64], NDArray[np.uint8]]:
    """Return areas, order, cells in order and resolutions: the same for every photo of a model, so kept."""
    import h3ronpy
    import pyarrow as pa

    from ..h3cells import to_numpy

    numbers = np.frombuffer(raw, dtype=np.uint64)
    order = np.argsort(numbers)
    ordered = numbers[order]
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice):
        raise InputError(f"H3 cell {int(twice[0]):x} is twice among the candidates")
    cells = pa.array(numbers)
    levels = np.unique(to_numpy(h3ronpy.cells_resolution(cells)))
    return to_numpy(h3ronpy.cells_area_km2(cells)), order, ordered, levels


def _h3_parts(cells: Any) -> tuple[NDArray[np.float64], Find]:
    import h3ronpy.vector

    from ..cells import parse_cells
    from ..h3cells import to_numpy

    km2, order, ordered, levels = _layout(parse_cells(cells)[1].astype(np.uint64).tobytes())

    def find(places: Lonlat, searched: NDArray[np.float64]) -> NDArray[np.intp]:
        part = np.full(len(places), -1, dtype=np.intp)
        for level in levels:
            holding = to_numpy(h3ronpy.vector.coordinates_to_cells(places[:, 1], places[:, 0], int(level)))
            at = np.minimum(np.searchsorted(ordered, holding), len(ordered) - 1)
            new = np.where(ordered[at] == holding, order[at], -1)
            sooner = (new >= 0) & ((part < 0) | (searched[new] < searched[part]))
            part[sooner] = new[sooner]
        return part

    return km2, find


def _circles(table: pd.DataFrame) -> tuple[NDArray[np.float64], Find]:
    centres = check_lonlat(np.asarray(table[["lon", "lat"]]), name="candidates")
    km2 = _numbers(table, "area_km2")
    whole = 4.0 * np.pi * RADIUS_KM**2
    if len(km2) and (km2.min() <= 0.0 or km2.max() > whole):
        raise InputError(f"area_km2 of the candidates must be above 0 and at most {whole:.4g}, the whole Earth")
    radius = 2.0 * RADIUS_KM * np.arcsin(np.sqrt(km2 / whole))

    def find(places: Lonlat, searched: NDArray[np.float64]) -> NDArray[np.intp]:
        part = np.full(len(places), -1, dtype=np.intp)
        for row, place in enumerate(places):
            inside = distance_km(centres, np.broadcast_to(place, centres.shape)) <= radius
            if inside.any():  # the one that the search comes to first
                part[row] = int(np.argmin(np.where(inside, searched, np.inf)))
        return part

    return km2, find
