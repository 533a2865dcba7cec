"""Photos to cached features: once through the frozen tower, then training reads numbers only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, PhotoError
from ..progress import report
from .augment import random_view, view_rng
from .photos import Photos, open_photos
from .sampler import Prefetcher
from .shard_writer import ShardWriter
from .shards import FeatureShards

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from PIL import Image

    from ..progress import Progress
    from .sources import FeatureTower

__all__ = ["cache_features"]


def cache_features(
    photos: Photos | str | PathLike[str],
    folder: str | PathLike[str],
    *,
    tower: FeatureTower,
    views: int = 1,
    resume: bool = True,
    batch_size: int = 32,
    shard_rows: int = 4096,
    seed: int = 0,
    readers: int | None = None,
    progress: Progress | None = None,
) -> FeatureShards:
    """Put photos through a frozen tower and keep what it says.

    Parameters
    ----------
    photos : Photos or path-like
        From `open_photos`; a path is opened by it.
    folder : path-like
        Where the shards go. One that an interrupted job with the same arguments left is finished.
    tower : FeatureTower
        `load_clip`, `WeakTower.load`, or any class with the same members.
    views : int, default 1
        Views a photo: the first is the photo as it is, the others are drawn by `random_view`.
    resume : bool, default True
        Go on with what is there; false refuses a folder that has anything in it.
    batch_size : int, default 32
        Views that go through the tower at once.
    shard_rows : int, default 4096
        Photos a file, less those that cannot be read. What an interrupted job loses at most.
    seed : int, default 0
        The views of a photo depend on it, on the photo's row and on nothing else.
    readers : int, optional
        Threads that read photos while the tower works. Default: the number of cores, at most 8.
    progress : callable, optional
        Called as ``progress(done, total)`` in photos; a true result stops, and finished shards stay.

    Returns
    -------
    FeatureShards
        Its ``failures`` name the photos that could not be read or had no place, with the reason.

    Raises
    ------
    InputError
        The folder was begun with other arguments, which are named; or it cannot be written.
    PhotoError
        No photo at all could be read.

    Notes
    -----
    A job that was killed at any moment and run again gives the same bytes as one that was not, on the same machine.

    Examples
    --------
    >>> from geoconcept_gis import load_clip
    >>> shards = cache_features("photos", "shards", tower=load_clip(), views=4)            # doctest: +SKIP
    >>> shards.failures                                                                    # doctest: +SKIP
    [{'path': 'broken.jpg', 'reason': 'the file is empty', 'row': 17}]
    """
    for name, value in (("views", views), ("batch_size", batch_size), ("shard_rows", shard_rows)):
        if value < 1:
            raise InputError(f"{name} must be at least 1; got {value}")
    if seed < 0:
        raise InputError(f"seed must not be negative; got {seed}")
    folder = Path(folder)
    if not resume and folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} exists already: choose another name, or resume it")
    photos = photos if isinstance(photos, Photos) else open_photos(photos)
    arguments = {
        "photos": f"{len(photos)} photos, sha256 {photos.sha256}",
        "seed": seed,
        "batch_size": batch_size,
        "shard_rows": shard_rows,
    }
    record = tower.features_record()
    writer = ShardWriter(folder, tower=record, views=views, arguments=arguments, failures=photos.left_out)
    if writer.complete:
        return FeatureShards(folder)
    job = _Job(photos, tower, views, batch_size, seed, readers or min(8, os.cpu_count() or 1), progress)
    for start in range(len(writer) * shard_rows, len(photos), shard_rows):
        writer.add(*job.shard(range(start, min(start + shard_rows, len(photos)))))
    failed = {one["row"] for one in writer.manifest["failures"]}
    kept = [row for row in range(len(photos)) if row not in failed]
    if not kept:
        first = writer.manifest["failures"][0]
        raise PhotoError(f"none of {len(photos):,} photos could be read, such as {first['path']}: {first['reason']}")
    group = None if photos.group is None else photos.group[kept]
    writer.finish([photos.names[row] for row in kept], photos.lonlat[kept], group)
    return FeatureShards(folder)


class _Job:
    """What all shards of one job share."""

    def __init__(
        self,
        photos: Photos,
        tower: FeatureTower,
        views: int,
        batch_size: int,
        seed: int,
        readers: int,
        progress: Progress | None,
    ) -> None:
        self.photos, self.tower, self.views, self.seed = photos, tower, views, seed
        self.batch_size, self.readers, self.progress = batch_size, readers, progress

    def shard(self, rows: range) -> tuple[np.ndarray[Any, np.dtype[np.float16]], list[dict[str, Any]]]:
        """Return the features (n, views, dim) of the photos that can be read, and which cannot."""
        step = max(1, self.batch_size // self.views)
        batches = [rows[k : k + step] for k in range(0, len(rows), step)]
        parts = [np.empty((0, self.views, self.tower.features_record()["dim"]), dtype=np.float16)]
        failures: list[dict[str, Any]] = []
        with Prefetcher(self._read, batches, depth=self.readers + 1, workers=self.readers) as ahead:
            for batch, read in zip(batches, ahead, strict=True):
                images = [view for one in read if isinstance(one, list) for view in one]
                failures += [one for one in read if isinstance(one, dict)]
                if images:
                    found = self.tower.features(images, batch_size=self.batch_size)
                    parts.append(_halves(found).reshape(-1, self.views, found.shape[1]))
                report(self.progress, batch[-1] + 1, len(self.photos))
        return np.concatenate(parts), failures

    def _read(self, rows: Sequence[int]) -> list[list[Image.Image] | dict[str, Any]]:
        """Return the views of each photo, or why there are none."""
        return [self._views(row) for row in rows]

    def _views(self, row: int) -> list[Image.Image] | dict[str, Any]:
        name = self.photos.names[row]
        try:
            image = self.photos.read(row, shortest=self.tower.shortest).image
        except PhotoError as error:
            # The message begins with the file's name, which need not stand there twice.
            return {"path": name, "reason": str(error).rpartition(f"{name}: ")[2], "row": row}
        drawn = [random_view(image, self.tower.side, view_rng(self.seed, row, view)) for view in range(1, self.views)]
        return [self.tower.view(image), *drawn]


def _halves(features: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float16]]:
    """Return features as float16; what is too large becomes infinite, which the writer refuses."""
    with np.errstate(over="ignore"):
        return features.astype(np.float16)
