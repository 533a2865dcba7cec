"""Which photos each step sees, which are held out, and how fast each step goes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from .alignment import Batch
from .sampler import Prefetcher

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .config import TrainConfig
    from .sampler import ShardSampler
    from .sources import Source

__all__ = ["Job", "learning_rate", "split"]


@dataclass(frozen=True)
class Job:
    """Which photos each step sees."""

    source: Source
    rows: NDArray[np.integer]
    config: TrainConfig
    sampler: ShardSampler
    seen: NDArray[np.bool_] | None

    @cached_property
    def partner(self) -> NDArray[np.integer] | None:
        """For the control with shuffled concepts: to each photo another one, the same in all epochs."""
        if self.config.concepts.control != "shuffled":
            return None
        order = np.random.default_rng(self.config.seed).permutation(len(self.rows))
        partner = np.empty_like(self.rows)
        partner[order] = self.rows[np.roll(order, 1)]
        return partner

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every photo is seen once."""
        return len(self.sampler) // self.config.optim.accumulate

    def batches(self, epoch: int, first: int, rank: int) -> Prefetcher[Batch]:
        """Return the epoch's batches from step `first` on, made ready in the background."""
        start = first * self.config.optim.accumulate
        keys = enumerate(self.sampler.batches(epoch, start), start)
        return Prefetcher(partial(self._load, epoch, rank), keys, depth=self.config.data.prefetch)

    def _load(self, epoch: int, rank: int, key: tuple[int, NDArray[np.int64]]) -> Batch:
        number, picked = key
        rows = self.rows[picked]
        other = rows if self.partner is None else self.partner[picked]
        rng = np.random.default_rng((self.config.seed, epoch, number, rank))
        return Batch(
            torch.from_numpy(rows.astype(np.int64)),
            torch.from_numpy(self.source.take(rows, rng)),
            torch.from_numpy(self.source.lonlat[rows].astype(np.float64)),
            None if self.partner is None else torch.from_numpy(self.source.lonlat[other]),
            None if self.seen is None else torch.from_numpy(self.seen[other]),
        )


def split(source: Source, share: float, by: str, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Hold out a share of the photos for validation, whole photographers or whole cells of the Earth at a time.

    Parameters
    ----------
    source : Source
    share : float
        0 to 0.5.
    by : {"group", "cell", "photo"}
        See `geoconcept_gis.train.config.DataConfig.split_by`; photos where photographers are not known.
    seed : int

    Returns
    -------
    rows, validation_rows : ndarray of int
        In rising order.
    """
    if by == "cell":
        from ..h3cells import cells_of

        group = np.unique(cells_of(source.lonlat, 3), return_inverse=True)[1]
    elif by == "group" and source.group is not None:
        group = np.unique(source.group, return_inverse=True)[1]
    else:
        group = np.arange(len(source))
    order = np.random.default_rng(seed).permutation(group.max(initial=0) + 1)
    counts = np.bincount(group, minlength=len(order))[order]
    # Groups are taken while their photos fit into the share.
    held = np.isin(group, order[np.cumsum(counts) <= share * len(source)])
    return np.flatnonzero(~held), np.flatnonzero(held)


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step, which depends on its number alone.

    Examples
    --------
    >>> from geoconcept_gis.train.config import parse_config
    >>> config = parse_config("{name: a, data: {train: b}, optim: {lr: 0.1, gamma: 0.5}}")
    >>> learning_rate(config, 25, 10)
    0.025
    """
    optim = config.optim
    warm = min(1.0, (step + 1) / (optim.warmup_steps + 1))
    if optim.schedule == "cosine":
        return optim.lr * warm * 0.5 * (1.0 + math.cos(math.pi * step / (steps_per_epoch * optim.epochs)))
    if optim.schedule == "step":
        return float(optim.lr * warm * optim.gamma ** (step // steps_per_epoch))
    return optim.lr * warm
