"""The Equal Earth projection as GeoCLIP scales it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["equal_earth"]

# Polynomial of Savric, Patterson and Jenny (2018), "The Equal Earth map projection".
A1, A2, A3, A4 = 1.340264, -0.081106, 0.000893, 0.003796
# GeoCLIP's scale: x then spans [-1, 1]; one unit is about 20,000 km.
SCALE = 66.50336 / 180.0


def equal_earth(lonlat: ArrayLike) -> NDArray[np.float64]:
    """Project (lon, lat) to the plane that GeoCLIP's encoder reads.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.

    Returns
    -------
    ndarray of float64, shape (N, 2)
        (x, y), x in [-1, 1], y in [-0.487, 0.487]; one unit is about 20,000 km.

    Notes
    -----
    Float64 throughout: the finest capsule multiplies these numbers by some 1,600, so rounding here
    would show in its phases. Source: GeoCLIP (arXiv 2309.16020), section 3.1.

    Examples
    --------
    >>> equal_earth([[0.0, 0.0], [180.0, 0.0]]).round(4).tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    lon, lat = np.radians(np.asarray(lonlat, dtype=np.float64)).T
    theta = np.arcsin(np.sqrt(3.0) / 2.0 * np.sin(lat))
    theta2 = theta * theta
    theta6 = theta2 * theta2 * theta2
    slope = A1 + 3.0 * A2 * theta2 + theta6 * (7.0 * A3 + 9.0 * A4 * theta2)
    x = 2.0 * np.sqrt(3.0) * lon * np.cos(theta) / (3.0 * slope)
    y = theta * (A1 + A2 * theta2 + theta6 * (A3 + A4 * theta2))
    return np.stack([x, y], axis=1) * SCALE
