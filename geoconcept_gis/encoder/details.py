"""Details: fixed random features of some kilometres, which tell near places apart and say nothing of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["detail_shapes", "details_of", "draw_details"]

#: Kilometres over which a wave turns by one radian: evenly on a logarithmic scale between these.
FINEST_KM, COARSEST_KM = 4.0, 20.0
EARTH_RADIUS_KM = 6371.0088
#: Hidden units for each wave.
_UNITS = 4
#: Mean and variance of a standard normal number that is cut off below zero.
_MEAN, _VARIANCE = 1.0 / np.sqrt(2.0 * np.pi), 0.5 - 0.5 / np.pi


def detail_shapes(count: int, dim: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor.

    Parameters
    ----------
    count : int
        How many waves; 0 means no details and no tensors.
    dim : int
        Of the vectors.

    Returns
    -------
    dict of str to tuple of int

    Examples
    --------
    >>> detail_shapes(64, 512)["details.1.weight"]
    (512, 256)
    """
    if not count:
        return {}
    units = _UNITS * count
    return {
        "details.waves": (count, 3),
        "details.0.weight": (units, 2 * count),
        "details.1.weight": (dim, units),
        "details.1.bias": (dim,),
    }


def draw_details(count: int, dim: int, spread: float, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    """Draw the tensors.

    Parameters
    ----------
    count, dim : int
        As in `detail_shapes`.
    spread : float
        Standard deviation of each number over the Earth; the mean is 0.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to ndarray of float32

    Notes
    -----
    Random features of a network with one hidden layer (Rahimi and Recht 2008; Cho and Saul 2009), on waves of some
    kilometres: a linear model can fit with them what is known of near places alone, as it can with GeoCLIP's finest
    capsule, at a twentieth of its cost.

    Examples
    --------
    >>> tensors = draw_details(16, 512, 0.1, np.random.default_rng(0))
    >>> point = np.random.default_rng(1).normal(size=(4000, 3))
    >>> details = details_of(tensors, point / np.linalg.norm(point, axis=1, keepdims=True))
    >>> round(float(details.std()), 2), abs(float(details.mean())) < 0.01
    (0.1, True)
    """
    shapes = detail_shapes(count, dim)
    if not shapes:
        return {}
    km = np.exp(rng.uniform(np.log(FINEST_KM), np.log(COARSEST_KM), (count, 1)))
    units = _UNITS * count
    # What goes into a unit has a spread of 1: sines and cosines of all waves have the length sqrt(count).
    first = rng.standard_normal(shapes["details.0.weight"]) / np.sqrt(count)
    last = rng.standard_normal(shapes["details.1.weight"]) * (spread / np.sqrt(units * _VARIANCE))
    drawn = {
        "details.waves": rng.standard_normal((count, 3)) * (EARTH_RADIUS_KM / km),
        "details.0.weight": first,
        "details.1.weight": last,
        "details.1.bias": -_MEAN * last.sum(axis=1),
    }
    return {name: tensor.astype(np.float32) for name, tensor in drawn.items()}


def details_of(weights: Mapping[str, Any], point: Any, xp: Any = np) -> Any:
    """Return what is added to the vectors of places.

    Parameters
    ----------
    weights : mapping of str to ndarray or torch.Tensor
        With the tensors of `detail_shapes`.
    point : ndarray or torch.Tensor of float64, shape (N, 3)
        Places on the unit sphere.
    xp : module, default numpy
        ``numpy`` or ``torch``.

    Returns
    -------
    ndarray or torch.Tensor of float32, shape (N, dim)

    Examples
    --------
    >>> details_of(draw_details(2, 4, 0.1, np.random.default_rng(0)), np.array([[1.0, 0.0, 0.0]])).shape
    (1, 4)
    """
    waves = weights["details.waves"]
    # In float64: a kilometre is some 1.6e-4 of the sphere's radius, and turns the finest wave by a quarter of a radian.
    angle = point @ (waves.astype(np.float64) if xp is np else waves.double()).T
    angle = angle.astype(np.float32) if xp is np else angle.float()
    hidden = (xp.concatenate([xp.sin(angle), xp.cos(angle)], 1) @ weights["details.0.weight"].T).clip(0)
    out = hidden @ weights["details.1.weight"].T
    out += weights["details.1.bias"]  # in place: a second array of this size takes longer than the product
    return out
