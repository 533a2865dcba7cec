"""Losses of training, functions of tensors: photos against places, and activations of photos against those of places.

Every loss is a mean over the batch and differentiable in everything but distances. Place losses see vectors or logits;
concept losses see activations: `zi` of the photos, `zl` of the places they were taken at, both (N, K), row by row.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ..errors import InputError
from .place_losses import (
    check_positive,
    geocell_cross_entropy,
    haversine_km,
    info_nce,
    shape_of,
    smoothed_info_nce,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

__all__ = [
    "CONCEPT_LOSSES",
    "cauchy_schwarz",
    "concept_bce",
    "concept_divergence",
    "concept_info_nce",
    "concept_kl",
    "concept_mse",
    "geocell_cross_entropy",
    "haversine_km",
    "info_nce",
    "smoothed_info_nce",
]

#: Added to the variance of a concept in a batch, so that one which is the same everywhere divides by no zero.
_SMALLEST_VARIANCE = 1e-12


def concept_divergence(zi: Tensor, zl: Tensor, *, sigma: float) -> Tensor:
    """Compare two batches of activations by the divergence that the paper prints, which collapses.

    Parameters
    ----------
    zi, zl : Tensor, shape (N, K)
        Activations of photos and of places.
    sigma : float
        Width of the Gaussian kernel, in units of the activations.

    Returns
    -------
    Tensor, shape ()
        ``|mean zi - mean zl|^2 / sigma^2``, whatever the rows are.

    Raises
    ------
    InputError
        Shapes differ, or `sigma` is not positive.

    Notes
    -----
    Equation 6 of Jia, Liu et al. 2025, arXiv 2509.01910, as quoted, with K(x, y) = exp(-|x - y|^2 / (2 sigma^2)):
    ``L = 1/N^2 sum_ij [log K(zi_i, zi_j) + log K(zl_i, zl_j) - 2 log K(zi_i, zl_j)]``. The logarithm undoes the kernel.
    What is left are mean squared distances: 2V within a batch of variance V, Vi + Vl + |mean zi - mean zl|^2 across
    two, so the spreads cancel: the loss pushes all photos of a batch alike, and cannot tell which place is whose.

    What it teaches all the same, it teaches by how batches differ. Over batches of N independent pairs, d = zi - zl,
    its mean is ``((1 - 1/N) |E d|^2 + E|d|^2 / N) / sigma^2``: the squared error of pairs at 1/N of its weight, under
    the noise of the rest of the batch. It is here to reproduce the paper, which probably meant `cauchy_schwarz`.

    Examples
    --------
    >>> zi, zl = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[5.0, 0.0], [-4.0, 1.0]])
    >>> float(concept_divergence(zi, zl, sigma=1.0)), float(concept_divergence(zi, zl.flip(0), sigma=1.0))
    (0.0, 0.0)
    """
    _check_pair(zi, zl)
    within_i, within_l, across = (_log_kernel(x, y, sigma) for x, y in ((zi, zi), (zl, zl), (zi, zl)))
    return (within_i + within_l - 2.0 * across).mean()


def cauchy_schwarz(zi: Tensor, zl: Tensor, *, sigma: float) -> Tensor:
    """Compare two batches of activations as clouds of points: the Cauchy-Schwarz divergence of their kernel densities.

    Parameters
    ----------
    zi, zl : Tensor, shape (N, K)
        Activations of photos and of places.
    sigma : float
        Width of the Gaussian kernel, in units of the activations.

    Returns
    -------
    Tensor, shape ()
        At least 0; 0 where the two clouds are the same, in whatever order.

    Raises
    ------
    InputError
        Shapes differ, or `sigma` is not positive.

    Notes
    -----
    ``log mean K(zi, zi) + log mean K(zl, zl) - 2 log mean K(zi, zl)``: the formula of `concept_divergence` with the
    logarithm outside the sums (Principe 2010, "Information Theoretic Learning", section 2.7). It sees the shape of the
    clouds, but still not which photo belongs to which place.

    Examples
    --------
    >>> zi, zl = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[5.0, 0.0], [-4.0, 1.0]])
    >>> round(float(cauchy_schwarz(zi, zl, sigma=1.0)), 2), round(float(cauchy_schwarz(zi, zi.flip(0), sigma=1.0)), 2)
    (16.31, 0.0)
    """
    _check_pair(zi, zl)
    count = 2.0 * math.log(len(zi))
    within_i, within_l, across = (
        torch.logsumexp(_log_kernel(x, y, sigma).flatten(), dim=0) - count for x, y in ((zi, zi), (zl, zl), (zi, zl))
    )
    return within_i + within_l - 2.0 * across


def concept_kl(zi: Tensor, zl: Tensor, *, temperature: float) -> Tensor:
    """Bring each photo's distribution over concepts to that of its place.

    Parameters
    ----------
    zi, zl : Tensor, shape (N, K)
        Activations of photos and of places.
    temperature : float
        Activations are divided by it before the softmax. Cosines spread over some 0.1, so it must be small to tell
        concepts apart.

    Returns
    -------
    Tensor, shape ()
        Mean over photos of ``KL(softmax(zl / T) || softmax(zi / T))``, at least 0.

    Raises
    ------
    InputError
        Shapes differ, or `temperature` is not positive.

    Notes
    -----
    The loss of distillation (Hinton et al. 2015, arXiv 1503.02531), without its factor T^2. A constant added to all
    activations of a photo changes nothing: only what it has more of than other things counts.

    Examples
    --------
    >>> zl = torch.tensor([[0.3, 0.0, -0.1]])
    >>> round(float(concept_kl(torch.zeros(1, 3), zl, temperature=0.1)), 3), float(concept_kl(zl, zl, temperature=0.1))
    (0.824, 0.0)
    """
    _check_pair(zi, zl)
    check_positive("temperature", temperature)
    photo, place = (functional.log_softmax(z / temperature, dim=1) for z in (zi, zl))
    return functional.kl_div(photo, place, log_target=True, reduction="batchmean")


def concept_mse(zi: Tensor, zl: Tensor, *, sigma: float = 1.0) -> Tensor:
    """Bring each activation of a photo to that of its place: mean squared difference.

    Parameters
    ----------
    zi, zl : Tensor, shape (N, K)
        Activations of photos and of places.
    sigma : float, default 1.0
        Differences are divided by it: what counts as a difference of one.

    Returns
    -------
    Tensor, shape ()
        Mean over photos and concepts.

    Raises
    ------
    InputError
        Shapes differ, or `sigma` is not positive.

    Examples
    --------
    >>> float(concept_mse(torch.zeros(2, 2), torch.tensor([[1.0, 0.0], [0.0, 3.0]])))
    2.5
    """
    _check_pair(zi, zl)
    check_positive("sigma", sigma)
    return ((zi - zl) / sigma).square().mean()


def concept_info_nce(zi: Tensor, zl: Tensor, *, scale: float | Tensor) -> Tensor:
    """Tell the concept profile of each photo's place from those of the other places in the batch.

    Parameters
    ----------
    zi, zl : Tensor, shape (N, K)
        Activations of photos and of places.
    scale : float or Tensor, shape ()
        Multiplies the cosines of profiles.

    Returns
    -------
    Tensor, shape ()
        At least 0; log N where profiles tell nothing.

    Raises
    ------
    InputError
        Shapes differ, or `scale` is not positive.

    Notes
    -----
    Ours. Each concept is first standardised over the batch, photos and places each by their own mean and deviation.
    Otherwise what all places share would make every profile like every other, and the few concepts with the widest
    spread would decide alone. The level and spread of each concept are thus left free: other losses fix them. A batch
    must be large enough for such statistics, 64 or more.

    Examples
    --------
    >>> zl = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    >>> round(float(concept_info_nce(10.0 * zl - 3.0, zl, scale=20.0)), 4)
    0.0
    """
    _check_pair(zi, zl)
    return info_nce(_standardised(zi), _standardised(zl), scale=scale)


def concept_bce(zi: Tensor, targets: Tensor, *, slope: float | Tensor = 1.0, intercept: float | Tensor = 0.0) -> Tensor:
    """Predict the calibrated concept scores of a photo's place: binary cross-entropy with soft labels.

    Parameters
    ----------
    zi : Tensor, shape (N, K)
        Activations of photos.
    targets : Tensor, shape (N, K)
        Calibrated scores of the places, 0 to 1, as `GeoConceptModel.score` returns them.
    slope, intercept : float or Tensor of shape (K,)
        Turn activations into logits, ``slope * zi + intercept``; a concept's `Calibration` fits cosines. With 1 and 0,
        `zi` are logits themselves.

    Returns
    -------
    Tensor, shape ()
        Mean over photos and concepts. Its floor is the entropy of the targets, not 0.

    Raises
    ------
    InputError
        Shapes differ.

    Notes
    -----
    Ours: the paper compares activations, never scores. Unlike the losses above it knows how common a concept is.

    Examples
    --------
    >>> targets = torch.tensor([[0.9, 0.2]])
    >>> round(float(concept_bce(torch.zeros(1, 2), targets)), 4), round(float(concept_bce(targets.logit(), targets)), 4)
    (0.6931, 0.4127)
    """
    _check_pair(zi, targets, second="targets")
    return functional.binary_cross_entropy_with_logits(slope * zi + intercept, targets)


def _infonce(zi: Tensor, zl: Tensor, *, width: float) -> Tensor:
    check_positive("width", width)
    return concept_info_nce(zi, zl, scale=1.0 / width)


#: Concept losses by the name that a config gives them, all called as ``loss(zi, zl, width=...)``: the temperature of
#: "kl" and "infonce", the sigma of the others.
CONCEPT_LOSSES: Mapping[str, Callable[..., Tensor]] = {
    "kl": lambda zi, zl, *, width: concept_kl(zi, zl, temperature=width),
    "mse": lambda zi, zl, *, width: concept_mse(zi, zl, sigma=width),
    "infonce": _infonce,
    "cauchy-schwarz": lambda zi, zl, *, width: cauchy_schwarz(zi, zl, sigma=width),
    "divergence": lambda zi, zl, *, width: concept_divergence(zi, zl, sigma=width),
}


def _log_kernel(x: Tensor, y: Tensor, sigma: float) -> Tensor:
    """Logarithm of the Gaussian kernel for every pair of rows, shape (N, M)."""
    check_positive("sigma", sigma)
    centre = y.detach().mean(dim=0)  # distances do not change, and little is lost in the subtraction below
    x, y = x - centre, y - centre
    squares = x.square().sum(dim=1)[:, None] + y.square().sum(dim=1) - 2.0 * x @ y.T
    return -squares.clamp(min=0.0) / (2.0 * sigma**2)


def _standardised(z: Tensor) -> Tensor:
    centred = z - z.mean(dim=0)
    return centred / (centred.square().mean(dim=0) + _SMALLEST_VARIANCE).sqrt()


def _check_pair(zi: Tensor, other: Tensor, second: str = "zl") -> None:
    if zi.ndim != 2 or zi.shape != other.shape or 0 in zi.shape:
        raise InputError(
            f"zi and {second} must both be (photos, concepts), row by row, and not empty; got {shape_of(zi)} and "
            f"{shape_of(other)}"
        )
