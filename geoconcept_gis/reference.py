"""Reference sets that anyone can draw: places spread evenly over the land, or over the whole Earth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DRAWABLE", "reference_places"]

#: Reference sets that need no data but the package's own.
DRAWABLE = ("uniform_land", "uniform_earth")


def reference_places(name: str = "uniform_land", count: int = 10_000, *, seed: int = 0) -> NDArray[np.float64]:
    """Draw places of a reference set, evenly by area.

    Parameters
    ----------
    name : {"uniform_land", "uniform_earth"}
        Land is Natural Earth's 1:50m land, as in maps: lakes included, Antarctica included. Without geopandas, as in
        QGIS, it is the packed mask of `geoconcept_gis.land_mask`, so that a few places at shores differ.
    count : int, default 10,000
        How many.
    seed : int, default 0
        The same seed gives the same places, and a longer draw begins with the shorter one.

    Returns
    -------
    ndarray of float64, shape (count, 2)
        (lon, lat) in degrees, EPSG:4326.

    Raises
    ------
    InputError
        The set is unknown, or made of data that the package does not hold (photo places).

    Examples
    --------
    >>> reference_places("uniform_land", 3).round(1).shape
    (3, 2)
    """
    if name not in DRAWABLE:
        raise InputError(f"reference set {name!r} cannot be drawn here; choose one of {', '.join(DRAWABLE)}")
    if count < 1:
        raise InputError(f"count must be at least 1; got {count}")
    rng = np.random.default_rng(seed)
    parts: list[NDArray[np.float64]] = []
    found = 0
    while found < count:
        part = _sphere(rng, 1 << 16)
        if name == "uniform_land":
            part = part[_on_land(part)]
        parts.append(part)
        found += len(part)
    return np.concatenate(parts)[:count]


def _on_land(lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
    try:
        from .land import on_land
    except ImportError:  # no geopandas or shapely, as in QGIS
        from .land_mask import on_land
    return on_land(lonlat)


def _sphere(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw places evenly over the sphere (always the same number, so that draws can be continued)."""
    return np.stack([rng.uniform(-180.0, 180.0, count), np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))], axis=1)
