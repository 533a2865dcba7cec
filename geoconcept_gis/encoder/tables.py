"""Tables on the sphere: numbers at the knots of a grid without seam or pole, read between them, coarse to fine."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["corners", "count_knots", "nearness", "pack_knots", "read_table", "rows_of_knots", "take_rows"]


@lru_cache(maxsize=64)
def _rows(degrees: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many knots each row has, south to north, and the number of its first one."""
    count = max(2, round(180.0 / degrees) + 1)
    latitude = np.radians(np.linspace(-90.0, 90.0, count))
    knots = np.maximum(np.round(np.cos(latitude) * 360.0 / degrees).astype(np.int64), 1)
    knots[[0, -1]] = 1  # a pole is one place
    return knots, np.cumsum(knots) - knots


def count_knots(degrees: float) -> int:
    """Return how many knots the grid of a spacing has.

    Parameters
    ----------
    degrees : float
        Spacing in degrees of a great circle.

    Returns
    -------
    int
        Some 41,253 / degrees^2.

    Examples
    --------
    >>> count_knots(90.0), count_knots(8.0)
    (6, 631)
    """
    return int(_rows(degrees)[0].sum())


def corners(lonlat: Any, degrees: float, xp: Any = np) -> tuple[Any, Any]:
    """Return the four knots around each place and their weights.

    Parameters
    ----------
    lonlat : ndarray or torch.Tensor of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    degrees : float
        Spacing of the grid.
    xp : module, default numpy
        ``numpy`` or ``torch``.

    Returns
    -------
    indices : ndarray or torch.Tensor of int64, shape (4, N)
        Into the rows of a table.
    weights : ndarray or torch.Tensor of float64, shape (4, N)
        Zero or above; they add up to 1.

    Notes
    -----
    A reduced grid as in numerical weather prediction (Hortal and Simmons 1991): rows of latitude, each with as many
    knots as its circle is long, so that knots lie evenly on the sphere; a pole is one knot. Linear along the two rows
    around a place, then between them: nothing jumps anywhere, antimeridian and poles included.

    Examples
    --------
    >>> indices, weights = corners(np.array([[180.0, 0.0], [-180.0, 0.0]]), 90.0)
    >>> bool((weights[:, 0] == weights[:, 1]).all()), weights.sum(axis=0).tolist()
    (True, [1.0, 1.0])
    """
    knots, first = _rows(degrees)
    if xp is not np:
        knots, first = xp.as_tensor(knots, device=lonlat.device), xp.as_tensor(first, device=lonlat.device)
    y = (lonlat[:, 1] + 90.0) * ((len(knots) - 1) / 180.0)
    row = _whole(y, xp).clip(0, len(knots) - 2)
    north = y - row
    turn = (lonlat[:, 0] + 180.0) / 360.0
    indices, weights = [], []
    for below, share in ((row, 1.0 - north), (row + 1, north)):
        count, start = knots[below], first[below]
        x = turn * count
        column = _whole(x, xp)
        east = x - column
        indices += [start + column % count, start + (column + 1) % count]
        weights += [share * (1.0 - east), share * east]
    return xp.stack(indices), xp.stack(weights)


def pack_knots(knots: NDArray[np.integer], degrees: float) -> NDArray[np.uint8]:
    """Return one bit a knot of the grid: which of them a table has.

    Parameters
    ----------
    knots : ndarray of int, shape (K,)
        Numbers of knots, as `corners` returns them.
    degrees : float
        Spacing of the grid.

    Returns
    -------
    ndarray of uint8, shape (ceil(count_knots(degrees) / 8),)

    Examples
    --------
    >>> pack_knots(np.array([1, 3]), 90.0).tolist()
    [80]
    """
    has = np.zeros(count_knots(degrees), dtype=np.uint8)
    has[knots] = 1
    return np.packbits(has)


def rows_of_knots(packed: NDArray[np.uint8], degrees: float) -> NDArray[np.int32]:
    """Return the row of a table for each knot of the grid; knots that it has not share row 0.

    Parameters
    ----------
    packed : ndarray of uint8
        As `pack_knots` returns it.
    degrees : float
        Spacing of the grid.

    Returns
    -------
    ndarray of int32, shape (count_knots(degrees),)

    Examples
    --------
    >>> rows_of_knots(np.array([80], dtype=np.uint8), 90.0).tolist()
    [0, 1, 0, 2, 0, 0]
    """
    has = np.unpackbits(packed, count=count_knots(degrees))
    return np.asarray(np.cumsum(has, dtype=np.int32) * has)


def take_rows(masks: dict[str, NDArray[Any]], k: int, degrees: float, count: int) -> NDArray[np.int32] | None:
    """Take the mask of a table out of a model's masks, and check it.

    Parameters
    ----------
    masks : dict of str to ndarray
        ``masks.0`` ...; the table's own is removed.
    k : int
        Number of the table.
    degrees : float
        Spacing of its grid.
    count : int
        How many knots it has; 0 means all, and no mask.

    Returns
    -------
    ndarray of int32, or None
        As `rows_of_knots` returns it; None where the table has all knots.

    Raises
    ------
    ModelFileError
        The mask is missing, of another shape or type, or has another number of knots.

    Examples
    --------
    >>> take_rows({"masks.0": np.array([80], dtype=np.uint8)}, 0, 90.0, 2).tolist()
    [0, 1, 0, 2, 0, 0]
    """
    if not count:
        return None
    mask, bits = masks.pop(f"masks.{k}", None), count_knots(degrees)
    if mask is None or mask.dtype != np.uint8 or mask.shape != (-(-bits // 8),):
        raise ModelFileError(f"tables location encoder: tensor 'masks.{k}' must be uint8, one bit for {bits:,} knots")
    rows = rows_of_knots(mask, degrees)
    if int(rows.max()) != count:
        raise ModelFileError(
            f"tables location encoder: 'masks.{k}' has {int(rows.max()):,} knots, the record says {count:,}"
        )
    return rows


def nearness(indices: Any, weights: Any) -> Any:
    """Return how much of what a table says of each place comes from knots that it has.

    Parameters
    ----------
    indices : ndarray or torch.Tensor of int, shape (4, N)
        Rows of the table, 0 for knots that it has not: `rows_of_knots` of what `corners` returns.
    weights : ndarray or torch.Tensor of float, shape (4, N)
        As `corners` returns them.

    Returns
    -------
    ndarray or torch.Tensor of float, shape (N,)
        0 far from all knots of the table, 1 among them, and linear between.

    Examples
    --------
    >>> indices, weights = corners(np.array([[0.0, 22.5], [100.0, -60.0]]), 90.0)
    >>> nearness(rows_of_knots(pack_knots(np.array([3]), 90.0), 90.0)[indices], weights).tolist()
    [0.75, 0.0]
    """
    return (weights * (indices > 0)).sum(0)


def _whole(x: Any, xp: Any) -> Any:
    floor = xp.floor(x)
    return floor.astype(np.int64) if xp is np else floor.long()


def read_table(
    table: NDArray[np.float32],
    lonlat: NDArray[np.float64],
    degrees: float,
    out: NDArray[np.float32],
    rows: NDArray[np.int32] | None = None,
) -> None:
    """Read a table between its knots.

    Parameters
    ----------
    table : ndarray of float32, shape (R, W)
        Numbers at the knots.
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    degrees : float
        Spacing of the grid.
    out : ndarray of float32, shape (N, W)
        Where the numbers go.
    rows : ndarray of int32, optional
        Row of each knot, see `rows_of_knots`; the knot's own number by default.

    Examples
    --------
    >>> table, out = np.arange(6.0, dtype=np.float32)[:, None], np.empty((2, 1), dtype=np.float32)
    >>> read_table(table, np.array([[12.0, 90.0], [-180.0, 45.0]]), 90.0, out)
    >>> out.ravel().tolist()
    [5.0, 3.0]
    """
    indices, weights = corners(lonlat, degrees)
    if rows is not None:
        indices = rows[indices]
    weights = weights.astype(np.float32)[:, :, None]
    np.multiply(table[indices[0]], weights[0], out=out)
    for corner in (1, 2, 3):
        part = table[indices[corner]]
        part *= weights[corner]
        out += part
