"""Places that no photo of the batch is from: a queue of earlier ones, and noise on coordinates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from ..evaluation.metrics import RADIUS_KM

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PlaceQueue", "jitter"]


def jitter(lonlat: Tensor, km: float, generator: torch.Generator | None = None) -> Tensor:
    """Move places by Gaussian noise.

    Parameters
    ----------
    lonlat : Tensor of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    km : float
        Standard deviation to the east and to the north; 0 changes nothing.
    generator : torch.Generator, optional
        Where the noise comes from.

    Returns
    -------
    Tensor of float64, shape (N, 2)
        Longitudes within [-180, 180), latitudes within [-90, 90]: a place that leaves over a pole comes down on the
        other side.

    Examples
    --------
    >>> import torch
    >>> moved = jitter(torch.tensor([[180.0, 0.0]], dtype=torch.float64), 1.0, torch.Generator().manual_seed(0))
    >>> bool((moved.abs() <= 180.0).all()), bool((moved[:, 1] != 0.0).all())
    (True, True)
    """
    if km == 0.0:
        return lonlat
    noise = torch.randn(lonlat.shape, generator=generator, dtype=lonlat.dtype).to(lonlat.device)
    north = torch.deg2rad(lonlat[:, 1]) + noise[:, 1] * km / RADIUS_KM
    # Near a pole a step to the east spans many degrees; at the pole itself any longitude is the same place.
    east = noise[:, 0] * km / RADIUS_KM / torch.cos(torch.deg2rad(lonlat[:, 1])).clamp(min=1e-6)
    over = north.abs() > math.pi / 2
    lat = torch.where(over, torch.sign(north) * math.pi - north, north)
    lon = torch.deg2rad(lonlat[:, 0]) + east + over * math.pi
    lon = torch.remainder(lon + math.pi, 2 * math.pi) - math.pi
    return torch.rad2deg(torch.stack((lon, lat), dim=1))


class PlaceQueue(nn.Module):
    """The last places seen, first in, first out. It is part of a checkpoint.

    Parameters
    ----------
    size : int
        How many places.
    width : int
        Numbers that are kept beside each place: its vector where the encoder does not change, else 0.

    Attributes
    ----------
    lonlat : Tensor of float64, shape (size, 2)
    vectors : Tensor of float32, shape (size, width)
    row : Tensor of int64, shape (size,)
        The photo each belongs to, so that it is never a wrong answer for itself; -1 where the queue is still empty.

    References
    ----------
    He et al. 2020, MoCo, arXiv 1911.05722; GeoCLIP, arXiv 2309.16020, section 3.3.

    Examples
    --------
    >>> import torch
    >>> queue = PlaceQueue(3)
    >>> for row in range(4):
    ...     place = torch.tensor([[float(row), 0.0]], dtype=torch.float64)
    ...     queue.push(torch.tensor([row]), place, torch.zeros(1, 0))
    >>> queue.row.tolist()
    [3, 1, 2]
    """

    lonlat: Tensor
    vectors: Tensor
    row: Tensor
    next: Tensor

    def __init__(self, size: int, width: int = 0) -> None:
        super().__init__()
        self.register_buffer("lonlat", torch.zeros(size, 2, dtype=torch.float64))
        self.register_buffer("vectors", torch.zeros(size, width))
        self.register_buffer("row", torch.full((size,), -1))
        self.register_buffer("next", torch.zeros((), dtype=torch.int64))

    def push(self, row: Tensor, lonlat: Tensor, vectors: Tensor) -> None:
        """Put places in, over the oldest ones; of more than fit, the last."""
        size = len(self.row)
        row, lonlat, vectors = row[-size:], lonlat[-size:], vectors[-size:]
        where = (self.next + torch.arange(len(row), device=row.device)) % size
        self.row[where] = row
        self.lonlat[where] = lonlat
        self.vectors[where] = vectors.to(self.vectors.dtype)
        self.next.copy_((self.next + len(row)) % size)
