"""Checks for arrays of (lon, lat): the one gate every coordinate passes.

All functions take longitude first, latitude second, in degrees (EPSG:4326).
Longitudes in [-360, 360] are accepted and wrapped to [-180, 180); anything
beyond is not a longitude in degrees and is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import CoordinateError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "POLE_DEGREES",
    "SEAM_DEGREES",
    "STATUS_WITH_VALUES",
    "check_lonlat",
    "near_pole",
    "near_seam",
    "status",
    "wrap_longitude",
]

SEAM_DEGREES = 0.5
POLE_DEGREES = 0.5
#: Statuses of rows that carry values; every other status means nulls.
STATUS_WITH_VALUES = ("ok", "near_seam", "near_pole")

_ROWS_SHOWN = 5
_LAT_FIRST = {("lat", "lon"), ("lat", "lng"), ("lat", "long"), ("latitude", "longitude"), ("y", "x")}


def wrap_longitude(lon: ArrayLike) -> NDArray[np.float64]:
    """Wrap longitudes into [-180, 180).

    Parameters
    ----------
    lon : array_like
        Longitudes in degrees, any shape.

    Returns
    -------
    ndarray of float64
        Same shape; values already in range are returned bit for bit, except that 180 becomes -180.

    Examples
    --------
    >>> wrap_longitude([-180.0, 10.0, 180.0, 190.0, -200.0]).tolist()
    [-180.0, 10.0, -180.0, -170.0, 160.0]
    """
    lon = np.asarray(lon, dtype=np.float64)
    inside = (lon >= -180.0) & (lon < 180.0)
    with np.errstate(invalid="ignore"):
        wrapped = np.mod(lon + 180.0, 360.0) - 180.0
    return np.where(inside, lon, wrapped)


def near_seam(lonlat: ArrayLike, degrees: float = SEAM_DEGREES) -> NDArray[np.bool_]:
    """Flag places close to the antimeridian, where the encoder's vectors jump.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2)
        (lon, lat) in degrees.
    degrees : float, default 0.5
        Half width of the flagged band, in degrees of longitude.

    Returns
    -------
    ndarray of bool, shape (N,)
        False for rows that are not finite.

    Examples
    --------
    >>> near_seam([[179.8, 0.0], [-179.6, 60.0], [10.0, 50.0]]).tolist()
    [True, True, False]
    """
    lon = np.abs(wrap_longitude(_as_pairs(lonlat)[:, 0]))
    return np.asarray(lon >= 180.0 - degrees)


def near_pole(lonlat: ArrayLike, degrees: float = POLE_DEGREES) -> NDArray[np.bool_]:
    """Flag places close to a pole, where the encoder's vectors depend on longitude alone.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2)
        (lon, lat) in degrees.
    degrees : float, default 0.5
        Radius of the flagged cap, in degrees of latitude.

    Returns
    -------
    ndarray of bool, shape (N,)
        False for rows that are not finite.

    Examples
    --------
    >>> near_pole([[0.0, 89.7], [0.0, 45.0]]).tolist()
    [True, False]
    """
    return np.asarray(np.abs(_as_pairs(lonlat)[:, 1]) >= 90.0 - degrees)


def status(lonlat: ArrayLike) -> NDArray[np.str_]:
    """Say for each row whether it is a place, and whether the encoder is smooth there.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2)
        (lon, lat) in degrees.

    Returns
    -------
    ndarray of str, shape (N,)
        ``ok``, ``near_seam``, ``near_pole`` (these three carry values), ``missing`` (NaN),
        ``infinite`` or ``out_of_range`` (|lat| > 90 or |lon| > 360).

    Examples
    --------
    >>> status([[10.0, 50.0], [float("nan"), 0.0], [0.0, 91.0], [180.0, 0.0]]).tolist()
    ['ok', 'missing', 'out_of_range', 'near_seam']
    """
    pairs = _as_pairs(lonlat)
    out = np.full(len(pairs), "ok", dtype="<U12")
    out[near_seam(pairs)] = "near_seam"
    out[near_pole(pairs)] = "near_pole"
    out[(np.abs(pairs[:, 0]) > 360.0) | (np.abs(pairs[:, 1]) > 90.0)] = "out_of_range"
    out[np.isinf(pairs).any(axis=1)] = "infinite"
    out[np.isnan(pairs).any(axis=1)] = "missing"
    return out


def check_lonlat(lonlat: ArrayLike, *, name: str = "lonlat") -> NDArray[np.float64]:
    """Return (lon, lat) as a clean float64 array, or say which rows are wrong.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2), or (2,) for one place
        (lon, lat) in degrees, EPSG:4326. Longitudes in [-360, 360] are wrapped to [-180, 180).
    name : str, default "lonlat"
        What to call the array in errors.

    Returns
    -------
    ndarray of float64, shape (N, 2), C-contiguous

    Raises
    ------
    CoordinateError
        Wrong shape or type, missing, infinite or out-of-range values (rows are named), or columns
        that look swapped (latitude first).

    Examples
    --------
    >>> check_lonlat([[190.0, 45.0]]).tolist()
    [[-170.0, 45.0]]
    >>> check_lonlat([[35.7, 139.7]])
    Traceback (most recent call last):
    ...
    geoconcept_gis.errors.CoordinateError: lonlat looks swapped: column 1 (lat) holds 1 value outside [-90, 90] \
(row 0: 139.7) while column 0 (lon) never does. Pass longitude first, latitude second.
    """
    _refuse_lat_first_columns(lonlat, name)
    pairs = _as_pairs(lonlat, name)
    state = status(pairs)
    bad = ~np.isin(state, STATUS_WITH_VALUES)
    if bad.any():
        raise CoordinateError(_describe(pairs, state, bad, name))
    pairs[:, 0] = wrap_longitude(pairs[:, 0])
    return pairs


def looks_swapped(lonlat: NDArray[np.float64]) -> bool:
    """Tell whether latitudes are out of range while the longitudes would all do as latitudes."""
    finite = np.abs(lonlat[np.isfinite(lonlat).all(axis=1)])
    if not len(finite) or (finite[:, 0] > 90.0).any() or (finite[:, 1] > 360.0).any():
        return False
    # One wild latitude among many is a typing slip; swapped columns show in many rows.
    return bool((finite[:, 1] > 90.0).mean() >= 0.05)


def _as_pairs(lonlat: ArrayLike, name: str = "lonlat") -> NDArray[np.float64]:
    """Copy to a contiguous float64 array of shape (N, 2)."""
    try:
        # None becomes NaN here, and is reported later as missing, with its row.
        pairs = np.array(lonlat, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise CoordinateError(
            f"{name} must hold numbers in two columns (lon, lat), in degrees; got {type(lonlat).__name__}: {error}"
        ) from None
    if pairs.size == 0 and pairs.ndim <= 2:
        return np.empty((0, 2))
    if pairs.shape == (2,):
        pairs = pairs.reshape(1, 2)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise CoordinateError(f"{name} must have shape (N, 2), columns (lon, lat); got shape {pairs.shape}")
    return pairs


def _refuse_lat_first_columns(lonlat: Any, name: str) -> None:
    """Refuse a table whose own column names say that latitude comes first."""
    columns = getattr(lonlat, "columns", None)
    if columns is None or len(columns) != 2:
        return
    if tuple(str(column).strip().lower() for column in columns) in _LAT_FIRST:
        raise CoordinateError(
            f"{name} has columns {[str(c) for c in columns]}: latitude first. Pass longitude first, latitude second."
        )


def _describe(pairs: NDArray[np.float64], state: NDArray[np.str_], bad: NDArray[np.bool_], name: str) -> str:
    rows = np.flatnonzero(bad)
    if looks_swapped(pairs):
        lat_rows = np.flatnonzero(np.abs(pairs[:, 1]) > 90.0)
        count = f"{len(lat_rows)} value{'s' if len(lat_rows) > 1 else ''}"
        return (
            f"{name} looks swapped: column 1 (lat) holds {count} outside [-90, 90] "
            f"(row {lat_rows[0]}: {pairs[lat_rows[0], 1]:g}) while column 0 (lon) never does. "
            "Pass longitude first, latitude second."
        )
    shown = ", ".join(f"row {row}: ({pairs[row, 0]:g}, {pairs[row, 1]:g}) {state[row]}" for row in rows[:_ROWS_SHOWN])
    more = f", and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
    hint = ""
    finite = pairs[np.isfinite(pairs).all(axis=1)]
    if len(finite) and (np.abs(finite) > 360.0).any():
        hint = " Values beyond 360 are not degrees: reproject to EPSG:4326 first."
    return (
        f"{name} has {len(rows)} of {len(pairs)} rows that are not a place on Earth in degrees (lon, lat): "
        f"{shown}{more}.{hint}"
    )
