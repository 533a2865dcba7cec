"""Features of places for the encoders that are not GeoCLIP's: harmonics, scaled sines and cosines, unit vectors.

Every function takes the array module it computes with, numpy or torch, which share the names used here: the formulas
stand once, and the numbers of training are those of use. All of it is float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["grid_features", "sphere_c_plus", "spherical_harmonics", "unit_vectors"]


def unit_vectors(lonlat: Any, xp: Any = np) -> Any:
    """Return each place as a point of the unit sphere; smooth everywhere.

    Parameters
    ----------
    lonlat : ndarray or torch.Tensor of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    xp : module, default numpy
        ``numpy`` or ``torch``.

    Returns
    -------
    ndarray or torch.Tensor of float64, shape (N, 3)
        ``cos(lat) cos(lon)``, ``cos(lat) sin(lon)``, ``sin(lat)``.

    Examples
    --------
    >>> unit_vectors(np.array([[90.0, 0.0], [12.0, 90.0]])).round(6).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    lon, lat = _radians(lonlat)
    return xp.stack([xp.cos(lat) * xp.cos(lon), xp.cos(lat) * xp.sin(lon), xp.sin(lat)], 1)


def grid_features(lonlat: Any, scales: int, xp: Any = np) -> Any:
    """Return sines and cosines of longitude and latitude at several scales.

    Parameters
    ----------
    lonlat : ndarray or torch.Tensor of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    scales : int
        S.
    xp : module, default numpy
        ``numpy`` or ``torch``.

    Returns
    -------
    ndarray or torch.Tensor of float64, shape (N, 4 S)

    Notes
    -----
    For s = 0 ... S-1: ``sin(2^s lon), cos(2^s lon), sin(2^s lat), cos(2^s lat)``: "grid" of Space2Vec (Mai et al. 2020,
    arXiv 2003.00824) with its smallest scale 2^(S-1) times finer than the largest; S = 1 is the "wrap" of Mac Aodha et
    al. 2019 (arXiv 1906.05272), but for its scaling of latitude. Doubling keeps every frequency a whole number, so
    nothing jumps at the antimeridian. At a pole all longitudes are one place, and these features tell them apart.

    Examples
    --------
    >>> grid_features(np.array([[180.0, 0.0]]), 2).round(6).tolist()
    [[0.0, -1.0, 0.0, 1.0, -0.0, 1.0, 0.0, 1.0]]
    """
    lon, lat = _radians(lonlat)
    columns = [wave(2.0**s * angle) for s in range(scales) for angle in (lon, lat) for wave in (xp.sin, xp.cos)]
    return xp.stack(columns, 1)


def sphere_c_plus(lonlat: Any, scales: int, xp: Any = np) -> Any:
    """Return the features of Sphere2Vec's sphereC+.

    Parameters
    ----------
    lonlat : ndarray or torch.Tensor of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    scales : int
        S.
    xp : module, default numpy
        ``numpy`` or ``torch``.

    Returns
    -------
    ndarray or torch.Tensor of float64, shape (N, 6 S)

    Notes
    -----
    Mai et al. 2023 (arXiv 2306.17624), section 4: sphereC+ is the union of sphereC,
    ``sin(lat / r), cos(lat / r) cos(lon / r), cos(lat / r) sin(lon / r)``, and of grid,
    ``sin(lat / r), cos(lat / r), sin(lon / r), cos(lon / r)``, at the scales ``r = r_min (r_max / r_min)^(s / (S-1))``,
    s = 0 ... S-1. Here r_max = 1 and r_min = 2^(1-S), so that r = 1, 1/2, 1/4 ...: then nothing jumps at the
    antimeridian. At the poles it does, as in the paper.

    Examples
    --------
    >>> sphere_c_plus(np.array([[180.0, 60.0]]), 1).round(3).tolist()
    [[0.0, -1.0, 0.866, 0.5, -0.5, 0.0]]
    """
    grid = grid_features(lonlat, scales, xp)
    sin_lon, cos_lon, cos_lat = grid[:, 0::4], grid[:, 1::4], grid[:, 3::4]
    return xp.concatenate([grid, cos_lat * cos_lon, cos_lat * sin_lon], 1)


def spherical_harmonics(lonlat: Any, degree: int, xp: Any = np) -> Any:
    """Return the real spherical harmonics below a degree, orthonormal over the sphere; smooth everywhere.

    Parameters
    ----------
    lonlat : ndarray or torch.Tensor of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    degree : int
        L: harmonics of degree l = 0 ... L-1. The finest waves are 360 / (L-1) degrees long.
    xp : module, default numpy
        ``numpy`` or ``torch``.

    Returns
    -------
    ndarray or torch.Tensor of float64, shape (N, L * L)
        By degree, and within one by order m = -l ... l; of negative order those with ``sin(|m| lon)``.

    Notes
    -----
    The associated Legendre functions are normalised as they are made, by the forward recurrence in l at fixed m (Holmes
    and Featherstone 2002, equation 11), which neither overflows nor cancels at the degrees used here. No sign
    (-1)^m.

    Examples
    --------
    >>> (spherical_harmonics(np.array([[0.0, 90.0]]), 2) * np.sqrt(4 * np.pi)).round(3).tolist()
    [[1.0, 0.0, 1.732, 0.0]]
    """
    lon, lat = _radians(lonlat)
    x, cosine = xp.sin(lat), xp.cos(lat)
    legendre = [(xp.ones_like(x) / (4.0 * np.pi) ** 0.5)[None]]  # rows m = 0 ... l
    for n in range(1, degree):
        # The two largest orders come from the degree before, all others from the two degrees before.
        below, diagonal = (2.0 * n + 1.0) ** 0.5 * x * legendre[-1][-1], _step(n) * cosine * legendre[-1][-1]
        rows = [below[None], diagonal[None]]
        if n > 1:
            a, b = _recurrence(n, x, xp)
            rows.insert(0, a * (x * legendre[-1][:-1] - b * legendre[-2]))
        legendre.append(xp.concatenate(rows, 0))
    columns = [legendre[0]]
    if degree > 1:
        turns = xp.stack([m * lon for m in range(1, degree)], 0)
        sines, cosines = xp.sin(turns), xp.cos(turns)
        for n in range(1, degree):
            high = legendre[n][1:]
            columns += [_reversed(high * sines[:n], xp), legendre[n][:1], high * cosines[:n]]
    return xp.concatenate(columns, 0).T


def _step(n: int) -> float:
    """Return the factor from the sectoral function of degree n-1 to that of n; the first brings in the root of two."""
    return float(((2.0 * n + 1.0) / (2.0 * n) * (2.0 if n == 1 else 1.0)) ** 0.5)


def _recurrence(n: int, like: Any, xp: Any) -> tuple[Any, Any]:
    """Return the factors of degree n for the orders 0 ... n-2, as columns."""
    m = np.arange(n - 1, dtype=np.float64)
    a = np.sqrt((4.0 * n * n - 1.0) / (n * n - m * m))
    b = np.sqrt(((n - 1.0) ** 2 - m * m) / (4.0 * (n - 1.0) ** 2 - 1.0))
    pair = (a[:, None], b[:, None])
    return pair if xp is np else tuple(xp.as_tensor(part, device=like.device) for part in pair)


def _reversed(rows: Any, xp: Any) -> Any:
    return xp.flip(rows, (0,))


def _radians(lonlat: Any) -> tuple[Any, Any]:
    return lonlat[:, 0] * (np.pi / 180.0), lonlat[:, 1] * (np.pi / 180.0)
