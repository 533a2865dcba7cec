"""Places on the sphere: unit vectors, distances, and what lies within some distance, in numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EARTH_RADIUS_KM", "on_sphere", "within"]

EARTH_RADIUS_KM = 6371.0088
#: Places whose surroundings are looked through together; sorted by latitude, they share a narrow band.
_AT_ONCE = 128


def on_sphere(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit vectors, shape (..., 3), of (lon, lat) in degrees, shape (..., 2)."""
    lon, lat = np.radians(lonlat[..., 0]), np.radians(lonlat[..., 1])
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def within(
    around: NDArray[np.float64], places: NDArray[np.float64], km: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return which places lie within a distance of which, as pairs.

    Parameters
    ----------
    around : ndarray of float64, shape (A, 2)
        (lon, lat) in degrees, EPSG:4326.
    places : ndarray of float64, shape (N, 2)
        The same.
    km : float
        On the great circle.

    Returns
    -------
    one : ndarray of int, shape (P,)
        Rows of `around`.
    other : ndarray of int, shape (P,)
        Rows of `places`.
    distance : ndarray of float64, shape (P,)
        In km.

    Examples
    --------
    >>> one, other, km = within(np.array([[0.0, 0.0]]), np.array([[180.0, 0.0], [0.0, 1.0]]), 150.0)
    >>> one.tolist(), other.tolist(), km.round(1).tolist()
    ([0], [1], [111.2])
    """
    by_lat = np.argsort(places[:, 1], kind="stable")
    lat = places[by_lat, 1]
    points = on_sphere(places[by_lat])
    reach = np.degrees(km / EARTH_RADIUS_KM)
    found = []
    for rows in np.split(np.argsort(around[:, 1], kind="stable"), range(_AT_ONCE, len(around), _AT_ONCE)):
        if not len(rows):
            continue
        south, north = around[rows[[0, -1]], 1]
        band = slice(np.searchsorted(lat, south - reach), np.searchsorted(lat, north + reach, side="right"))
        cosine = on_sphere(around[rows]) @ points[band].T
        one, other = np.nonzero(cosine >= np.cos(min(km / EARTH_RADIUS_KM, np.pi)))
        chord = np.sqrt(np.maximum(2.0 - 2.0 * cosine[one, other], 0.0))
        distance = 2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0))
        found.append((rows[one], by_lat[band][other], distance))
    nothing = (np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))
    one, other, distance = (np.concatenate(parts) for parts in zip(nothing, *found))
    return one, other, distance
