"""What a single answer is worth: distances, scores, areas of circles; and intervals for means and medians of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..coordinates import check_lonlat
from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "RADIUS_KM",
    "THRESHOLDS_KM",
    "circle_km2",
    "distance_km",
    "estimate",
    "geoguessr_score",
    "recall_curve",
    "weighted_median",
    "widen_certain",
]

#: Street, city, region, country and continent, as all published tables have them.
THRESHOLDS_KM = (1, 25, 200, 750, 2500)
#: Mean radius of the Earth (IUGG).
RADIUS_KM = 6371.0088
_METHODS = ("geodesic", "haversine")
#: Kilometres in which the game's score falls to 1/e on its world map.
_DECAY_KM = 1492.7
#: Share of the bootstrap's values inside an interval.
_INSIDE = 0.95


def distance_km(a: ArrayLike, b: ArrayLike, *, method: str = "geodesic") -> NDArray[np.float64]:
    """Measure the distance between places, pair by pair.

    Parameters
    ----------
    a, b : array_like of shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    method : {"geodesic", "haversine"}
        ``geodesic``: shortest way on the WGS84 ellipsoid, what GeoCLIP's own evaluation uses. ``haversine``: great
        circle on a sphere of radius 6371.0088 km, what older evaluations use; it is up to 0.6 % off, and faster.

    Returns
    -------
    ndarray of float64, shape (N,)
        Kilometres.

    Raises
    ------
    InputError
        `a` and `b` differ in length, or there is no such method.
    CoordinateError
        A row is not a place on Earth; rows are named.

    Notes
    -----
    Geodesics: Karney (2013), "Algorithms for geodesics", by way of PROJ.

    Examples
    --------
    >>> distance_km([[2.3522, 48.8566]], [[-0.1278, 51.5074]]).round(1).tolist()
    [343.9]
    """
    if method not in _METHODS:
        raise InputError(f"method must be one of {', '.join(map(repr, _METHODS))}; got {method!r}")
    first, second = check_lonlat(a, name="a"), check_lonlat(b, name="b")
    if len(first) != len(second):
        raise InputError(f"a has {len(first):,} places and b {len(second):,}: they are measured pair by pair")
    if method == "geodesic":
        from pyproj import Geod

        metres = Geod(ellps="WGS84").inv(first[:, 0], first[:, 1], second[:, 0], second[:, 1])[2]
        return np.asarray(metres, dtype=np.float64) / 1000.0
    (lon_a, lat_a), (lon_b, lat_b) = np.radians(first).T, np.radians(second).T
    half_chord = np.sin((lat_b - lat_a) / 2.0) ** 2
    half_chord += np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2.0) ** 2
    return np.asarray(2.0 * RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half_chord, 1.0))))


def geoguessr_score(distance: ArrayLike) -> NDArray[np.float64]:
    """Turn distances into points of the game GeoGuessr on its world map: ``5000 * exp(-distance / 1492.7)``.

    Parameters
    ----------
    distance : array_like
        Kilometres, any shape; infinity for no answer.

    Returns
    -------
    ndarray of float64
        0 to 5000, same shape, not rounded.

    Notes
    -----
    The game does not publish its formula. The constant is the one of PIGEON (Haas et al. 2023, arXiv 2307.05845),
    ``DECAY_CONSTANT`` in its published code.

    Examples
    --------
    >>> geoguessr_score([0.0, 1492.7, float("inf")]).round(0).tolist()
    [5000.0, 1839.0, 0.0]
    """
    return 5000.0 * np.exp(-np.asarray(distance, dtype=np.float64) / _DECAY_KM)


def circle_km2(radius: ArrayLike) -> NDArray[np.float64]:
    """Return the area of circles on the sphere: what is searched, ring by ring, before one is so far out.

    Parameters
    ----------
    radius : array_like
        Kilometres along the surface, any shape; infinity stays infinite.

    Returns
    -------
    ndarray of float64
        Square kilometres, same shape; half the Earth for a quarter of its circumference.

    Examples
    --------
    >>> circle_km2([1.0, 25.0, 2500.0]).round(1).tolist()
    [3.1, 1963.5, 19384294.9]
    """
    radius = np.asarray(radius, dtype=np.float64)
    angle = np.minimum(radius / RADIUS_KM, np.pi)
    # 1 - cos, in a form that keeps its digits where circles are small.
    area = 4.0 * np.pi * RADIUS_KM**2 * np.sin(angle / 2.0) ** 2
    return np.where(np.isinf(radius), np.inf, area)


def weighted_median(ordered: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the median of ascending values, each counted `weights` times; infinity counts like any number."""
    total = np.cumsum(weights)
    half = total[-1] / 2.0
    low = ordered[np.searchsorted(total, half, side="left")]
    high = ordered[min(int(np.searchsorted(total, half, side="right")), len(ordered) - 1)]
    return float(low if low == high else (low + high) / 2.0)


def estimate(
    means: NDArray[np.float64],
    medians: NDArray[np.float64],
    cluster: NDArray[np.intp],
    bootstrap: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return means and medians of columns, with 95 % intervals from rows drawn again, cluster by cluster.

    Parameters
    ----------
    means, medians : ndarray of float64, shapes (N, J) and (N, K)
        One row a sample, one at least. Columns of `means` are finite.
    cluster : ndarray of int, shape (N,)
        Which rows are drawn together, numbered from 0 without gaps.
    bootstrap, seed : int
        How often to draw, and the seed of the draws.

    Returns
    -------
    ndarray of float64, shape (J + K, 3)
        Value, low end, high end; NaN ends where there is one cluster only or `bootstrap` is 0.
    """
    order = [np.argsort(column, kind="stable") for column in medians.T]
    ordered = [column[o] for column, o in zip(medians.T, order, strict=True)]

    def measure(weights: NDArray[np.float64]) -> list[float]:
        return [
            *(weights @ means / weights.sum()),
            *(weighted_median(v, weights[o]) for v, o in zip(ordered, order, strict=True)),
        ]

    out = np.full((means.shape[1] + medians.shape[1], 3), np.nan)
    out[:, 0] = measure(np.ones(len(means)))
    drawn = np.array([measure(weights) for weights in _draws(cluster, bootstrap, seed)])
    if len(drawn):
        out[:, 1:] = _ends(drawn)
    return out


def recall_curve(
    area: NDArray[np.float64],
    areas: NDArray[np.float64],
    cluster: NDArray[np.intp],
    bootstrap: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return the share of rows found within each of some areas, with 95 % intervals from rows drawn again.

    Parameters
    ----------
    area : ndarray of float64, shape (N,)
        Area searched until the truth is found, infinity for never.
    areas : ndarray of float64, shape (M,)
        Ascending.
    cluster, bootstrap, seed
        As in `estimate`.

    Returns
    -------
    ndarray of float64, shape (M, 3)
        Recall, low end, high end, each 0 to 1.
    """
    step = np.searchsorted(areas, area)

    def measure(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        counts = np.bincount(step, weights=weights, minlength=len(areas) + 1)
        return np.asarray(np.cumsum(counts)[:-1] / weights.sum())

    out = np.full((len(areas), 3), np.nan)
    out[:, 0] = measure(np.ones(len(area)))
    drawn = np.array([measure(weights) for weights in _draws(cluster, bootstrap, seed)])
    if len(drawn):
        out[:, 1:] = _ends(drawn)
        widen_certain(out, int(cluster.max()) + 1)
    return out


def _draws(cluster: NDArray[np.intp], bootstrap: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each row is drawn, when its clusters are; nothing where there is one cluster only."""
    clusters = int(cluster.max()) + 1
    rng = np.random.default_rng(seed)
    for _ in range(bootstrap if clusters > 1 else 0):
        times = np.bincount(rng.integers(clusters, size=clusters), minlength=clusters)
        yield times[cluster].astype(np.float64)


def _ends(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return low and high ends, shape (K, 2): values drawn, for half way to infinity is no number."""
    tail = (1.0 - _INSIDE) / 2.0
    return np.asarray(np.quantile(drawn, [tail, 1.0 - tail], axis=0, method="inverted_cdf").T)


def widen_certain(shares: NDArray[np.float64], clusters: int) -> None:
    """Give shares of exactly 0 or 1, whose bootstrap has no width, the interval of Clopper and Pearson, in place.

    Parameters
    ----------
    shares : ndarray of float64, shape (J, 3)
        Value, low end, high end, each 0 to 1, from `estimate`.
    clusters : int
        How many independent trials there were.
    """
    rest = ((1.0 - _INSIDE) / 2.0) ** (1.0 / clusters)
    known = ~np.isnan(shares[:, 1])
    shares[known & (shares[:, 0] == 0.0), 2] = 1.0 - rest
    shares[known & (shares[:, 0] == 1.0), 1] = rest
