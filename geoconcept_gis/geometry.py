"""From shapes to places: one representative point, points spread inside, shapes cut at the antimeridian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely

from .errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "clip_to_world",
    "cut_at_antimeridian",
    "polygons_to_lonlat",
    "representative_points",
    "spread_points",
    "to_lonlat",
]

# Type numbers of shapely; None is -1.
_POINT, _MULTIPOINT, _COLLECTION = 0, 4, 7
_LINES, _POLYGONS = (1, 2, 5), (3, 6)
#: Steps of the R2 sequence (M. Roberts, 2018): its points fill the unit square evenly, however many are taken.
_R2 = np.array([0.7548776662466927, 0.5698402909980532])


def to_lonlat(xy: NDArray[np.float64], crs: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Reproject points to (lon, lat), and say which could not be.

    Parameters
    ----------
    xy : ndarray of float64, shape (N, 2)
        (x, y) in `crs`: easting or longitude first, whatever the CRS's own axis order.
    crs : pyproj.CRS or what makes one

    Returns
    -------
    lonlat : ndarray of float64, shape (N, 2)
        Degrees, EPSG:4326, not wrapped; rows that are not finite come back as they are.
    lost : ndarray of bool, shape (N,)
        Finite points that the CRS does not map to the Earth: projected again they land elsewhere. (PROJ alone
        would quietly take 10^9 m east for some place.)

    Raises
    ------
    InputError
        There is no transformation from `crs` to EPSG:4326.

    Examples
    --------
    >>> lonlat, lost = to_lonlat(np.array([[0.0, 0.0], [1e9, 0.0]]), "EPSG:3857")
    >>> lonlat[0].tolist(), lost.tolist()
    ([0.0, 0.0], [False, True])
    """
    crs = pyproj.CRS.from_user_input(crs)
    lonlat = np.array(xy, dtype=np.float64)
    lost = np.zeros(len(lonlat), dtype=bool)
    if crs == "EPSG:4326":
        return lonlat, lost
    if crs.is_geocentric:
        raise InputError(f"CRS {crs.name!r} is geocentric (x, y, z): reproject to EPSG:4326 first")
    try:
        transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise InputError(f"there is no way from CRS {crs.name!r} to EPSG:4326: {error}") from None
    finite = np.isfinite(lonlat).all(axis=1)
    there = _transform(transformer, lonlat[finite], "FORWARD")
    wrong = ~np.isfinite(there).all(axis=1)
    if not crs.is_geographic:
        back = _transform(transformer, there, "INVERSE")
        with np.errstate(invalid="ignore"):
            elsewhere = ~np.isclose(back, lonlat[finite], rtol=1e-6, atol=1.0).all(axis=1)
        # On the antimeridian itself a point may rightly come back on the other side.
        wrong |= elsewhere & (np.abs(there[:, 0]) < 180.0 - 1e-6)
    lonlat[finite] = there
    lost[finite] = wrong
    return lonlat, lost


def _transform(transformer: pyproj.Transformer, xy: NDArray[np.float64], direction: str) -> NDArray[np.float64]:
    # One point more than asked for: pyproj 3.7 takes a single one for a scalar, and numpy warns of that.
    x, y = np.append(xy, xy[-1:], axis=0).T
    return np.stack(transformer.transform(x, y, direction=direction), axis=1)[: len(xy)]


def representative_points(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return one point for each shape, in the shapes' own plane.

    Parameters
    ----------
    shapes : ndarray of shapely geometries or None, shape (N,)

    Returns
    -------
    ndarray of float64, shape (N, 2)
        Points as they are (Z ignored); lines half-way along; everything else a point on the surface. NaN for
        None and empty shapes and for those with a NaN coordinate, infinite where a coordinate is.

    Examples
    --------
    >>> from shapely.geometry import LineString, Point
    >>> representative_points(np.array([Point(1, 2, 3), LineString([(0, 0), (4, 0)]), None])).tolist()
    [[1.0, 2.0], [2.0, 0.0], [nan, nan]]
    """
    out = np.full((len(shapes), 2), np.nan)
    kinds = shapely.get_type_id(shapes)
    kinds[shapely.is_empty(shapes)] = -1  # as None
    points = kinds == _POINT
    out[points] = shapely.get_coordinates(shapes[points])
    others = np.flatnonzero((kinds >= 0) & ~points)
    out[others], finite = _not_finite(shapes[others])
    others = others[finite]
    lines = np.isin(kinds[others], _LINES)
    halfway = shapely.line_interpolate_point(shapes[others[lines]], 0.5, normalized=True)
    out[others[lines]] = shapely.get_coordinates(halfway)
    out[others[~lines]] = shapely.get_coordinates(shapely.point_on_surface(shapes[others[~lines]]))
    return out


def _not_finite(shapes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return pairs that say what is wrong with each shape (NaN or inf), and which shapes are finite."""
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    nan = np.bincount(owner[np.isnan(coordinates).any(axis=1)], minlength=len(shapes)) > 0
    infinite = np.bincount(owner[np.isinf(coordinates).any(axis=1)], minlength=len(shapes)) > 0
    marks = np.where(infinite & ~nan, np.inf, np.nan)
    return np.stack([marks, marks], axis=1), ~(nan | infinite)


def spread_points(shapes: NDArray[np.object_], crs: Any, samples: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Spread points evenly over shapes: by area inside polygons, by length along lines.

    Parameters
    ----------
    shapes : ndarray of shapely geometries, shape (N,)
        Not empty, finite.
    crs : pyproj.CRS or what makes one
    samples : int
        Points a shape. A Point gives itself, a MultiPoint at most so many of its own points, a collection those
        of its parts of highest dimension.

    Returns
    -------
    lonlat : ndarray of float64, shape (M, 2)
        Degrees, EPSG:4326, not wrapped.
    owner : ndarray of int, shape (M,)
        Row of `shapes` each point belongs to, never falling. A sliver may get fewer points, or none.

    Notes
    -----
    The same shape always gives the same points, whatever stands beside it. Polygons are filled in the plane of
    (longitude, sine of latitude), which is equal-area on the sphere.

    Examples
    --------
    >>> lonlat, owner = spread_points(np.array([shapely.box(0, 0, 10, 60)]), "EPSG:4326", 1000)
    >>> bool(abs(np.mean(lonlat[:, 1] < np.degrees(np.arcsin(np.sin(np.radians(60)) / 2))) - 0.5) < 0.01)
    True
    """
    shapes = np.array(shapes, dtype=object)
    for row in np.flatnonzero(shapely.get_type_id(shapes) == _COLLECTION):
        shapes[row] = _highest_parts(shapes[row])
    kinds = shapely.get_type_id(shapes)
    pieces = []
    for rows, spread in (
        (np.flatnonzero(np.isin(kinds, (_POINT, _MULTIPOINT))), _own_points),
        (np.flatnonzero(np.isin(kinds, _LINES)), _along_lines),
    ):
        xy, owner = spread(shapes[rows], samples)
        lonlat, lost = to_lonlat(xy, crs)
        pieces.append((lonlat[~lost], rows[owner[~lost]]))
    rows = np.flatnonzero(np.isin(kinds, _POLYGONS))
    lonlat, owner = _inside_polygons(polygons_to_lonlat(shapes[rows], crs), samples)
    pieces.append((lonlat, rows[owner]))
    lonlat, owner = (np.concatenate(column) for column in zip(*pieces, strict=True))
    order = np.argsort(owner, kind="stable")
    return lonlat[order], owner[order]


def _highest_parts(shape: Any) -> Any:
    """Reduce a collection to its parts of highest dimension, as one multi-part shape."""
    parts = shapely.get_parts(shape)
    while (shapely.get_type_id(parts) >= _MULTIPOINT).any():  # parts have parts
        parts = shapely.get_parts(parts)
    parts = parts[~shapely.is_empty(parts)]
    dimensions = shapely.get_dimensions(parts)
    together = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)[dimensions.max()]
    return together(parts[dimensions == dimensions.max()])


def _own_points(shapes: NDArray[np.object_], samples: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Take all points of each shape, or `samples` of them at even steps."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    count = np.bincount(owner, minlength=len(shapes))
    place = np.arange(len(owner)) - (np.cumsum(count) - count)[owner]  # position within its own shape
    count = count[owner]
    kept = np.minimum(count, samples)
    keep = (place + 1) * kept // count > place * kept // count
    return xy[keep], owner[keep]


def _along_lines(shapes: NDArray[np.object_], samples: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Put points in the middles of `samples` pieces of equal length."""
    fractions = (np.arange(samples) + 0.5) / samples
    points = shapely.line_interpolate_point(shapes[:, None], fractions, normalized=True)
    return shapely.get_coordinates(points), np.repeat(np.arange(len(shapes)), samples)


def polygons_to_lonlat(shapes: NDArray[np.object_], crs: Any) -> NDArray[np.object_]:
    """Reproject polygons to degrees; an empty one where a vertex has no place on Earth."""
    crs = pyproj.CRS.from_user_input(crs)
    if crs == "EPSG:4326":
        return shapes
    if not crs.is_geographic:  # straight edges will bend: give them vertices to bend at
        west, south, east, north = shapely.bounds(shapes).T
        side = np.maximum(east - west, north - south)
        shapes = shapely.segmentize(shapes, np.where(side > 0.0, side / 16.0, 1.0))
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    lonlat, lost = to_lonlat(xy, crs)
    lonlat[lost] = 0.0
    out = shapely.set_coordinates(shapes.copy(), lonlat)
    if not crs.is_geographic:
        west, _, east, _ = shapely.bounds(out).T
        for row in np.flatnonzero(east - west > 180.0):
            out[row] = cut_at_antimeridian(out[row])
    out[owner[lost]] = shapely.Polygon()
    return out


def _inside_polygons(polygons: NDArray[np.object_], samples: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Fill polygons (degrees) part by part, each with its share of the samples by area."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    area = shapely.area(shapely.transform(parts, _equal_area))
    quota = _shares(area, owner, samples)
    parts, owner, quota = parts[quota > 0], owner[quota > 0], quota[quota > 0]
    shapely.prepare(parts)
    corners = shapely.bounds(parts).reshape(-1, 2)
    corners[:, 1] = np.clip(corners[:, 1], -90.0, 90.0)
    low, high = _equal_area(corners).reshape(-1, 2, 2).transpose(1, 0, 2)
    found: list[tuple[NDArray[np.float64], NDArray[np.intp]]] = [(np.empty((0, 2)), np.empty(0, dtype=np.intp))]
    have = np.zeros_like(quota)
    todo, start, size = np.arange(len(parts)), 0, 2 * samples
    while len(todo) and start < 128 * samples:  # try box points, ever more of them; then let slivers be
        unit = (0.5 + np.arange(start, start + size)[:, None] * _R2) % 1.0
        point = low[todo, None] + unit * (high - low)[todo, None]
        point[..., 1] = np.degrees(np.arcsin(point[..., 1]))
        inside = shapely.contains_xy(parts[todo, None], point[..., 0], point[..., 1])
        rank = have[todo, None] + np.cumsum(inside, axis=1)
        take = inside & (rank <= quota[todo, None])
        found.append((point[take], owner[todo[np.nonzero(take)[0]]]))
        have[todo] = np.minimum(rank[:, -1], quota[todo])
        todo, start, size = todo[have[todo] < quota[todo]], start + size, 2 * size
    lonlat, owner = (np.concatenate(column) for column in zip(*found, strict=True))
    return lonlat, owner


def _equal_area(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map degrees to (longitude, sine of latitude), where equal areas are equal."""
    return np.stack([lonlat[:, 0], np.sin(np.radians(lonlat[:, 1]))], axis=1)


def _shares(area: NDArray[np.float64], owner: NDArray[np.intp], samples: int) -> NDArray[np.intp]:
    """Split `samples` among the parts of each owner by area, in whole numbers that add up."""
    total = np.bincount(owner, weights=area)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.nan_to_num(area / total[owner])
    running = np.cumsum(share)
    before = running - share
    first = np.searchsorted(owner, owner)  # the first part of the same owner
    upto = np.floor((running - before[first]) * samples + 0.5)
    since = np.floor((before - before[first]) * samples + 0.5)
    return (upto - since).astype(np.intp)


def cut_at_antimeridian(polygon: Any) -> Any:
    """Rebuild a polygon whose edges take the short way round, so that no part crosses +-180.

    Parameters
    ----------
    polygon : shapely.Polygon or shapely.MultiPolygon
        Degrees, longitudes in [-180, 180]. An edge between longitudes more than 180 apart is meant to cross
        the antimeridian; a ring that goes round a pole is meant to hold that pole.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Within [-180, 180]; covers the same ground.

    Examples
    --------
    >>> cell = shapely.Polygon([(179, 0), (-179, 0), (-179, 1), (179, 1)])
    >>> [part.bounds for part in cut_at_antimeridian(cell).geoms]
    [(-180.0, 0.0, -179.0, 1.0), (179.0, 0.0, 180.0, 1.0)]
    """
    pieces = []
    for part in shapely.get_parts(polygon):
        piece = _unrolled(part.exterior)
        for hole in part.interiors:
            piece = shapely.difference(piece, _unrolled(hole))
        pieces.append(piece)
    return shapely.union_all(pieces)


def _unrolled(ring: Any) -> Any:
    """Return the inside of a ring whose longitudes jump at the antimeridian, within [-180, 180]."""
    xy = shapely.get_coordinates(ring)
    xy[:, 0] = np.unwrap(xy[:, 0], period=360.0)
    if abs(xy[-1, 0] - xy[0, 0]) > 180.0:  # round a pole: close the ring over it
        pole = np.copysign(90.0, xy[:, 1].mean())
        # From the vertex next to the pole, so that the cut meets no other part of the ring.
        start = int(np.argmax(np.abs(xy[:-1, 1])))
        turn = np.array([xy[-1, 0] - xy[0, 0], 0.0])
        xy = np.concatenate([xy[start:-1], xy[: start + 1] + turn])
        xy[:, 0] -= 360.0 * np.round((xy[0, 0] + xy[-1, 0]) / 720.0)
        xy = np.concatenate([xy, [[xy[-1, 0], pole], [xy[0, 0], pole]]])
    return clip_to_world(shapely.make_valid(shapely.Polygon(xy)))


def clip_to_world(shape: Any) -> Any:
    """Bring a polygon whose longitudes leave [-180, 180] back into it, cut where need be.

    Parameters
    ----------
    shape : shapely.Polygon or shapely.MultiPolygon
        Degrees, longitudes in [-540, 540].

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon

    Examples
    --------
    >>> clip_to_world(shapely.box(170, 0, 190, 10)).bounds
    (-180.0, 0.0, 180.0, 10.0)
    """
    pieces: list[Any] = []
    for turn in (-360.0, 0.0, 360.0):
        inside = shapely.intersection(shape, shapely.box(turn - 180.0, -90.0, turn + 180.0, 90.0))
        parts = shapely.get_parts(inside)
        parts = parts[shapely.get_dimensions(parts) == 2]  # not the edges and corners it only touches
        pieces.append(shapely.transform(shapely.multipolygons(shapely.get_parts(parts)), _shift(-turn)))
    return shapely.union_all(pieces)


def _shift(degrees: float) -> Any:
    return lambda lonlat: lonlat + np.array([degrees, 0.0])
