"""The cells of H3's resolution 4 in numpy alone, for QGIS, which has no h3: the same hexagons under other numbers.

H3 lays a lattice of triangles over the 20 faces of an icosahedron and projects it from the centre of the Earth. Three
whole numbers say where a point of that lattice lies: its weights at the three corners of its face, which add up to the
number of steps along an edge. So centres, corners and children of cells need sums of whole numbers and one product
with the corners of a face. What lies over an edge is folded onto the next face, by whole numbers too.

References
----------
Uber, H3: a hexagonal hierarchical geospatial indexing system, https://h3geo.org. The icosahedron is placed as in
Fuller's Dymaxion map, with all twelve corners in the sea; the cells around them are pentagons, and of no use here.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from .sphere import on_sphere

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["all_cells", "areas_of", "cells_of", "centers_of", "children_of", "corners_of"]

#: H3's: the sphere with the Earth's surface.
_RADIUS_KM = 6371.007180918475
#: Steps of the lattice along an edge; every third point is the centre of a cell, the others are corners of cells.
_STEPS = 294
#: The corners of the icosahedron, (lon, lat) in degrees: six, and the six opposite.
_CORNERS = (
    (10.5361990754677, 64.7000001279349),
    (-143.4784900150252, 50.1032014822413),
    (122.3000004077870, 39.1000000339759),
    (-67.1323263664357, 23.7179252712230),
    (58.1577058395726, 10.4473451875110),
    (-5.2453902967773, 2.3008821116267),
)
#: From a cell's centre to its corners, in order around it, and a seventh of the way to its children's centres.
_TO_CORNERS = np.array([(1, -1, 0), (1, 0, -1), (0, 1, -1), (-1, 1, 0), (-1, 0, 1), (0, -1, 1)])
_TO_CHILDREN = np.array([(0, 0, 0), (5, -1, -4), (4, -5, 1), (-1, -4, 5), (-5, 1, 4), (-4, 5, -1), (1, 4, -5)])
#: Points projected at a time.
_AT_ONCE = 1 << 18


def _icosahedron() -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return corners (12, 3), faces (20, 3) as corners, and what lies over the edge opposite each corner of a face.

    That is the other face, (20, 3), and which of this face's corners each of the other's is, (20, 3, 3): a corner that
    is none of them counts as the one opposite the edge.
    """
    half = on_sphere(np.array(_CORNERS))
    corners = np.concatenate([half, -half])
    near = corners @ corners.T > 0.4
    faces = np.array([three for three in combinations(range(12), 3) if near[np.ix_(three, three)].all()])
    clockwise = np.linalg.det(corners[faces]) < 0.0
    faces[clockwise] = faces[clockwise][:, ::-1]
    other = np.empty((20, 3), dtype=np.intp)
    takes = np.empty((20, 3, 3), dtype=np.intp)
    for face, three in enumerate(faces):
        for k in range(3):
            edge = set(np.delete(three, k).tolist())
            [other[face, k]] = [f for f in range(20) if f != face and edge <= set(faces[f].tolist())]
            own = three.tolist()
            takes[face, k] = [own.index(c) if c in edge else k for c in faces[other[face, k]].tolist()]
    return corners, faces, other, takes


_POINTS, _FACES, _OTHER, _TAKES = _icosahedron()
#: Weights of the corners to places, and back, face by face.
_PLACE = np.ascontiguousarray(_POINTS[_FACES])
_WEIGHTS = np.linalg.inv(_PLACE)


def _fold(face: NDArray[np.intp], weights: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the same points, each on the face that it lies on; of several on the first.

    Over the edge opposite corner 0 the next face's third corner is ``1 + 2 - 0``, so weights (a, b, c) with a < 0 are
    (-a, a + b, a + c) there.
    """
    face, weights = face.copy(), weights.copy()
    for _ in range(5):  # around a corner meet five faces
        low = weights.argmin(axis=1)
        value = weights[np.arange(len(weights)), low]
        over = _OTHER[face, low]
        move = np.flatnonzero((value < 0) | ((value == 0) & (over < face)))
        if not len(move):
            break
        k = low[move]
        turned = weights[move] + value[move, None]
        turned[np.arange(len(move)), k] = -value[move]
        weights[move] = np.take_along_axis(turned, _TAKES[face[move], k], axis=1)
        face[move] = over[move]
    return face, weights


def _project(face: NDArray[np.intp], weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return points of the lattice, however fine, on the unit sphere, (N, 3)."""
    out = np.empty(weights.shape, dtype=np.float64)
    for start in range(0, len(face), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        on, folded = _fold(face[part], weights[part])
        out[part] = np.einsum("nk,nkx->nx", folded.astype(np.float64), _PLACE[on])
    return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))


def _lonlat(points: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = points.T
    return np.stack([np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))], axis=1)


def _number(face: NDArray[np.intp], weights: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the number of a cell: its face, then where it lies on it."""
    base = _STEPS + 1
    return np.asarray((face * base + weights[:, 0]) * base + weights[:, 1], dtype=np.uint64)


def _split(cells: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    rest, second = np.divmod(cells.astype(np.int64), _STEPS + 1)
    face, first = np.divmod(rest, _STEPS + 1)
    return face.astype(np.intp), np.stack([first, second, _STEPS - first - second], axis=1)


def all_cells() -> NDArray[np.uint64]:
    """Return every hexagon of the Earth, sorted: all cells but the twelve pentagons, which lie in the sea.

    Returns
    -------
    ndarray of uint64, shape (288110,)
        Numbers of our own, not H3's.

    Examples
    --------
    >>> len(all_cells())
    288110
    """
    first, second = (axis.ravel() for axis in np.mgrid[: _STEPS + 1, : _STEPS + 1])
    third = _STEPS - first - second
    weights = np.stack([first, second, third], axis=1).astype(np.int64)
    middle = (third >= 0) & ((first - second) % 3 == 0) & ((second - third) % 3 == 0)
    weights = weights[middle & (weights.max(axis=1) < _STEPS)]
    face = np.repeat(np.arange(20), len(weights))
    return np.unique(_number(*_fold(face, np.tile(weights, (20, 1)))))


def cells_of(lonlat: NDArray[np.floating]) -> NDArray[np.uint64]:
    """Return the cell that each place lies in.

    Parameters
    ----------
    lonlat : ndarray of shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.

    Returns
    -------
    ndarray of uint64, shape (N,)

    Examples
    --------
    >>> cells = cells_of(np.array([[31.2, 30.0], [31.3, 30.0]]))
    >>> bool(cells[0] == cells[1]), centers_of(cells[:1]).round(2).tolist()
    (True, [[31.19, 30.14]])
    """
    places = np.asarray(lonlat, dtype=np.float64)
    out = np.empty(len(places), dtype=np.uint64)
    middle = _PLACE.mean(axis=1).T
    for start in range(0, len(places), _AT_ONCE):
        points = on_sphere(places[start : start + _AT_ONCE])
        face = (points @ middle).argmax(axis=1)
        weights = np.einsum("nx,nxk->nk", points, _WEIGHTS[face])
        weights *= _STEPS / weights.sum(axis=1, keepdims=True)
        out[start : start + _AT_ONCE] = _number(*_fold(face, _nearest(weights)))
    return out


def _nearest(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the nearest centre of a cell on the same plane.

    The three differences of weights count rows of cells along three directions and add up to zero; of three rounded
    ones that do not, the one that was rounded most gives way.
    """
    rows = (weights - np.roll(weights, -1, axis=1)) / 3.0
    whole = np.rint(rows)
    worst = np.abs(rows - whole).argmax(axis=1)
    at = np.arange(len(rows))
    whole[at, worst] -= whole.sum(axis=1)
    one, _, three = whole.astype(np.int64).T
    first = _STEPS // 3 + one - three  # weights 0 and 1 differ by 3 * one, 2 and 0 by 3 * three
    return np.stack([first, first - 3 * one, first + 3 * three], axis=1)


def centers_of(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return centres of cells.

    Parameters
    ----------
    cells : ndarray of uint64, shape (N,)

    Returns
    -------
    ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.

    Examples
    --------
    >>> centers_of(all_cells()[:1]).round(2).tolist()
    [[10.14, 65.2]]
    """
    return _lonlat(_project(*_split(cells)))


def children_of(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the centres of the seven cells of H3's resolution 5 in each cell.

    Parameters
    ----------
    cells : ndarray of uint64, shape (N,)
        None of the twelve pentagons, which lie in the sea.

    Returns
    -------
    ndarray of float64, shape (N, 7, 2)
        (lon, lat) in degrees, EPSG:4326; the first is the cell's own centre.

    Examples
    --------
    >>> children_of(cells_of(np.array([[31.2, 30.0]]))).shape
    (1, 7, 2)
    """
    face, weights = _split(cells)
    finer = 7 * weights[:, None, :] + _TO_CHILDREN
    return _lonlat(_project(np.repeat(face, 7), finer.reshape(-1, 3))).reshape(-1, 7, 2)


def corners_of(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the corners of cells, in order around each.

    Parameters
    ----------
    cells : ndarray of uint64, shape (N,)
        None of the twelve pentagons, which lie in the sea.

    Returns
    -------
    ndarray of float64, shape (N, 6, 2)
        (lon, lat) in degrees, EPSG:4326, longitudes within 180 degrees of the first corner's, so of cells on the
        antimeridian some lie beyond 180.

    Examples
    --------
    >>> corners_of(cells_of(np.array([[31.2, 30.0]]))).shape
    (1, 6, 2)
    """
    corners = _lonlat(_corners(cells)).reshape(-1, 6, 2)
    lon = corners[:, :, 0]
    corners[:, :, 0] = lon[:, :1] + (lon - lon[:, :1] + 180.0) % 360.0 - 180.0
    return corners


def _corners(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    face, weights = _split(cells)
    return _project(np.repeat(face, 6), (weights[:, None, :] + _TO_CORNERS).reshape(-1, 3))


def areas_of(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return areas of cells on the sphere.

    Parameters
    ----------
    cells : ndarray of uint64, shape (N,)
        None of the twelve pentagons, which lie in the sea.

    Returns
    -------
    ndarray of float64, shape (N,)
        In km2.

    Notes
    -----
    Six triangles from the centre a, each of spherical excess E with tan(E / 2) = a . (b x c) / (1 + ab + bc + ca).

    Examples
    --------
    >>> areas_of(cells_of(np.array([[31.2, 30.0]]))).round().tolist()
    [2083.0]
    """
    a = _project(*_split(cells))[:, None, :]
    b = _corners(cells).reshape(-1, 6, 3)
    c = np.roll(b, -1, axis=1)
    ab, bc, ca = (np.einsum("nkx,nkx->nk", *np.broadcast_arrays(u, v)) for u, v in ((a, b), (b, c), (c, a)))
    volume = np.abs(np.einsum("nkx,nkx->nk", np.broadcast_to(a, b.shape), np.cross(b, c)))
    return np.asarray(2.0 * np.arctan2(volume, 1.0 + ab + bc + ca).sum(axis=1) * _RADIUS_KM**2)
