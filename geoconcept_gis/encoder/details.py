"""Details: fixed random features of some kilometres, which tell near places apart and say nothing of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["detail_shapes", "details_of", "draw_details"]

#: Kilometres over which a wave turns by one radian: evenly on a logarithmic scale between these.
FINEST_KM, COARSEST_KM = 1.5, 20.0
EARTH_RADIUS_KM = 6371.0088
#: Hidden units of each layer for a wave, and layers.
_UNITS, _LAYERS = 4, 2
#: Mean and variance of a standard normal number that is cut off below zero.
_MEAN, _VARIANCE = 1.0 / np.sqrt(2.0 * np.pi), 0.5 - 0.5 / np.pi


def detail_shapes(count: int, dim: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor.

    Parameters
    ----------
    count : int
        How many waves; 0 means no details and no tensors.
    dim : int
        Of the vectors; details are added to the first half of their numbers.

    Returns
    -------
    dict of str to tuple of int

    Examples
    --------
    >>> detail_shapes(64, 512)["details.2.weight"]
    (256, 256)
    """
    if not count:
        return {}
    units = _UNITS * count
    shapes: dict[str, tuple[int, ...]] = {"details.waves": (count, 3), "details.0.weight": (units, 2 * count)}
    for k in range(1, _LAYERS + 1):
        out = units if k < _LAYERS else dim // 2
        shapes |= {f"details.{k}.weight": (out, units), f"details.{k}.bias": (out,)}
    return shapes


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
    Random features of a network with two hidden layers (Rahimi and Recht 2008; Cho and Saul 2009), on waves of some
    kilometres: a linear model can fit with them what is known of near places alone, as it can with GeoCLIP's finest
    capsule, at a twentieth of its cost. The other half of the numbers stays smooth, for models of whole countries.

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
    # What goes into a unit has the mean 0 and a spread of 1: sines and cosines of all waves have the length
    # sqrt(count), and what comes out of units is centred by a bias.
    drawn = {
        "details.waves": rng.standard_normal((count, 3)) * (EARTH_RADIUS_KM / km),
        "details.0.weight": rng.standard_normal(shapes["details.0.weight"]) / np.sqrt(count),
    }
    for k in range(1, _LAYERS + 1):
        scale = (spread if k == _LAYERS else 1.0) / np.sqrt(_UNITS * count * _VARIANCE)
        weight = rng.standard_normal(shapes[f"details.{k}.weight"]) * scale
        drawn |= {f"details.{k}.weight": weight, f"details.{k}.bias": -_MEAN * weight.sum(axis=1)}
    return {name: tensor.astype(np.float32) for name, tensor in drawn.items()}


def details_of(weights: Mapping[str, Any], point: Any, xp: Any = np) -> Any:
    """Return what is added to the first half of the numbers of places.

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
    ndarray or torch.Tensor of float32, shape (N, dim // 2)

    Examples
    --------
    >>> details_of(draw_details(2, 8, 0.1, np.random.default_rng(0)), np.array([[1.0, 0.0, 0.0]])).shape
    (1, 4)
    """
    waves = weights["details.waves"]
    # In float64: a kilometre is some 1.6e-4 of the sphere's radius, and turns the finest wave by half a radian or more.
    angle = point @ (waves.astype(np.float64) if xp is np else waves.double()).T
    angle = angle.astype(np.float32) if xp is np else angle.float()
    hidden = (xp.concatenate([xp.sin(angle), xp.cos(angle)], 1) @ weights["details.0.weight"].T).clip(0)
    for k in range(1, _LAYERS + 1):
        out = hidden @ weights[f"details.{k}.weight"].T
        out += weights[f"details.{k}.bias"]  # in place: a second array of this size takes longer than the product
        hidden = out.clip(0) if k < _LAYERS else out
    return hidden
