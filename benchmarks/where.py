"""Sets of places, put together from ground truths by ``&``, ``|`` and ``~``; each says in words what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geoconcept_gis.bank.sources import EARTH_RADIUS_KM, Truths

_POLYS = "ne_10m_geography_regions_polys"
_UNITS = {
    "t_mean_c": ("yearly mean", "C"),
    "t_coldest_c": ("coldest month", "C"),
    "t_warmest_c": ("warmest month", "C"),
    "rain_itu_mm": ("rain a year", "mm"),
    "elev_etopo5_m": ("height", "m"),
    "relief_std_m": ("heights differ by", "m"),
    "city_pop": ("townspeople in the 1-degree cell", ""),
}
TROPIC, CIRCLE = 23.44, 66.56


@dataclass(frozen=True)
class Where:
    """A set of places: `holds` tells which of `Truths` belong, `says` what that rests on."""

    holds: Callable[[Truths], np.ndarray]
    says: str

    def __and__(self, other):
        return Where(lambda t: self.holds(t) & other.holds(t), f"{self.says} and {other.says}")

    def __or__(self, other):
        return Where(lambda t: self.holds(t) | other.holds(t), f"({self.says} or {other.says})")

    def __invert__(self):
        return Where(lambda t: ~self.holds(t), f"not ({self.says})")


def koeppen(*starts):
    """Koeppen classes that begin with any of these letters."""
    return Where(
        lambda t: np.logical_or.reduce([np.char.startswith(t.koeppen(), start) for start in starts]),
        f"Koeppen {', '.join(starts)}",
    )


def igbp(*numbers):
    """MODIS land cover."""
    return Where(lambda t: np.isin(t.igbp(), numbers), f"IGBP {', '.join(map(str, numbers))}")


def above(column, limit):
    """A column of the 1-degree table, bilinear; nowhere known is nowhere above."""
    what, unit = _UNITS[column]
    return Where(lambda t: t.smooth(column) > limit, f"{what} above {limit:g} {unit}".rstrip())


def below(column, limit):
    """The same, below."""
    what, unit = _UNITS[column]
    return Where(lambda t: t.smooth(column) < limit, f"{what} below {limit:g} {unit}".rstrip())


def townspeople(count):
    """Cells of 1 degree with at least so many townspeople."""
    return Where(lambda t: t.cell("city_pop") >= count, f"at least {count:,} townspeople in the 1-degree cell")


def country(*names):
    """Countries of Natural Earth."""
    return Where(lambda t: np.isin(t.country(), names), ", ".join(names))


def continent(*names):
    """Continents of the countries of Natural Earth."""
    return Where(lambda t: np.isin(t.continent(), names), ", ".join(names))


def kind(*classes):
    """Named regions of Natural Earth, by kind."""
    return Where(
        lambda t: np.logical_or.reduce([t.regions(_POLYS, "featurecla")[name] for name in classes]),
        f"Natural Earth's {', '.join(classes)}",
    )


def region(*names):
    """Named regions of Natural Earth, by name."""
    return Where(
        lambda t: np.logical_or.reduce([t.regions(_POLYS, "name")[name] for name in names]),
        f"Natural Earth's {', '.join(names)}",
    )


def inside(layer):
    """Any polygon of a layer of Natural Earth."""
    return Where(lambda t: t.inside(layer), f"inside {layer}")


def near(what, km):
    """Within `km` of the nearest feature, see `Truths.km_to`."""
    return Where(lambda t: t.km_to(what) <= km, f"within {km:g} km of {what}")


def lakes(count, km=60.0):
    """At least so many lakes centred within `km`."""
    return Where(lambda t: t.lakes_near(km) >= count, f"{count} lakes centred within {km:g} km")


def box(west, south, east, north):
    """A box of (lon, lat); one with west > east crosses the date line."""

    def holds(t):
        lon, lat = t.lonlat.T
        across = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
        return across & (lat >= south) & (lat <= north)

    return Where(holds, f"box {west:g}, {south:g}, {east:g}, {north:g}")


def tropics(latitude=TROPIC):
    """Between the tropics, or within another latitude of the equator."""
    return Where(lambda t: np.abs(t.lonlat[:, 1]) <= latitude, f"latitude up to {latitude:g}")


def north(latitude):
    """North of a latitude."""
    return box(-180, latitude, 180, 90)


def south(latitude):
    """South of a latitude."""
    return box(-180, -90, 180, latitude)


def along(km, *points):
    """Within `km` of a line through (lon, lat) points; one point makes a circle."""

    def holds(t):
        line = np.array(points, dtype=float)
        steps = np.linspace(0.0, len(line) - 1.0, 10 * (len(line) - 1) + 1)
        line = np.stack([np.interp(steps, np.arange(len(line)), line[:, k]) for k in (0, 1)], axis=1)
        nearest = (_sphere(t.lonlat) @ _sphere(line).T).max(axis=1)
        return EARTH_RADIUS_KM * np.arccos(np.clip(nearest, -1.0, 1.0)) <= km

    return Where(holds, f"within {km:g} km of " + " - ".join(f"{lon:g}, {lat:g}" for lon, lat in points))


def _sphere(lonlat):
    lon, lat = np.radians(lonlat).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
