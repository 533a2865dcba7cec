"""Where training reads photos' features from: cached shards, Parquet, or photos through a tower."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..coordinates import check_lonlat
from ..errors import InputError
from .augment import random_view, view_rng
from .photos import open_photos
from .shard_writer import MANIFEST
from .shards import FeatureShards, check_rows, group_codes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray
    from PIL import Image

    from .photos import Photos

__all__ = ["FeatureTower", "ParquetFeatures", "PhotoFeatures", "Source", "open_source"]

#: Row groups of Parquet that stay in memory: more than a sampler mixes at a time.
_GROUPS_KEPT = 12
_PARQUET = (".parquet", ".geoparquet")
_TOWER_KEY = b"geoconcept_tower"


class Source(Protocol):
    """Photos' features with the places where the photos were taken: what training reads.

    Attributes
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    group : ndarray of int64, shape (N,), or None
        Who took each photo, as a number.
    shard : ndarray of int64, shape (N,)
        Which file each row lies in, for `ShardSampler`.
    dim : int
        Numbers a photo.
    tower : dict
        Whose features they are: ``name``, ``sha256``, ``dim``.
    """

    # Read-only, so that constants and properties do as well.
    @property
    def lonlat(self) -> NDArray[np.float64]: ...  # noqa: D102
    @property
    def group(self) -> NDArray[np.int64] | None: ...  # noqa: D102
    @property
    def names(self) -> NDArray[np.object_]: ...  # noqa: D102
    @property
    def shard(self) -> NDArray[np.int64]: ...  # noqa: D102
    @property
    def dim(self) -> int: ...  # noqa: D102
    @property
    def tower(self) -> dict[str, Any]: ...  # noqa: D102

    def __len__(self) -> int: ...

    def take(self, rows: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return features of photos, of each a view or augmentation drawn by chance.

        Parameters
        ----------
        rows : array_like of int, shape (n,)
            In any order.
        rng : numpy.random.Generator
            Draws the views.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            In the order of `rows`.

        Examples
        --------
        >>> open_source("shards").take([3, 0], np.random.default_rng(0)).shape              # doctest: +SKIP
        (2, 768)
        """

    def plain(self, rows: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return features of the photos as they are, without augmentation: for validation.

        Parameters
        ----------
        rows : array_like of int, shape (n,), optional
            All rows by default.

        Returns
        -------
        ndarray of float32, shape (n, dim)

        Examples
        --------
        >>> open_source("shards").plain([3, 0]).shape                                       # doctest: +SKIP
        (2, 768)
        """


class FeatureTower(Protocol):
    """A frozen image network: `ClipTower` and `WeakTower` are two; any class with these members is one.

    Attributes
    ----------
    side : int
        Pixels of the side of the square that it reads.
    shortest : int or None
        Pixels that suffice for a photo's shorter side, as in `read_photo`; None reads all.
    """

    @property
    def side(self) -> int: ...  # noqa: D102
    @property
    def shortest(self) -> int | None: ...  # noqa: D102

    def view(self, image: Image.Image) -> Image.Image:
        """Return the square that it reads of a photo without augmentation.

        Parameters
        ----------
        image : PIL image
            Upright, RGB.

        Returns
        -------
        PIL image
            (side, side), RGB.

        Examples
        --------
        >>> tower.view(image).size                                                          # doctest: +SKIP
        (224, 224)
        """

    def features(self, images: Sequence[Any], *, batch_size: int = 16) -> NDArray[np.float32]:
        """Return features of such squares.

        Parameters
        ----------
        images : sequence of PIL images
            N, each (side, side), RGB.
        batch_size : int, default 16
            How many go through the network at once.

        Returns
        -------
        ndarray of float32, shape (N, dim)

        Examples
        --------
        >>> tower.features([tower.view(image)]).shape                                       # doctest: +SKIP
        (1, 768)
        """

    def features_record(self) -> dict[str, Any]:
        """Say whose features they are.

        Returns
        -------
        dict
            ``name``, ``sha256`` of the weights, ``dim``.

        Examples
        --------
        >>> sorted(tower.features_record())                                                 # doctest: +SKIP
        ['dim', 'name', 'sha256']
        """


def open_source(
    path: str | PathLike[str],
    *,
    coordinates: str | PathLike[str] | None = None,
    tower: FeatureTower | Mapping[str, Any] | None = None,
    exif: bool = False,
    group: str | None = None,
) -> Source:
    """Open what training is to read.

    Parameters
    ----------
    path : path-like
        A folder of feature shards; a ``.parquet`` file with columns ``lon``, ``lat`` and ``features`` (lists of D
        numbers) and perhaps ``group`` and ``name``; or photos, as `open_photos` takes them.
    coordinates, exif, group : optional
        For photos; see `open_photos`.
    tower : FeatureTower or mapping, optional
        For photos, the tower that reads them. For Parquet, a record of the tower that made the features (``name``,
        ``sha256``), where the file does not say.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        There is nothing there to be read, or photos come without a tower.
    ModelFileError
        A folder of shards is damaged or not finished.

    Notes
    -----
    Photos go through the tower each time they are taken, which is hundreds of times slower than cached features: use
    `cache_features`, but for experiments.

    Examples
    --------
    >>> import tempfile
    >>> from geoconcept_gis.train.shards import write_features
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tower = {"name": "numbers", "sha256": "0" * 64}
    ...     _ = write_features(Path(folder) / "shards", np.eye(3), [[31.2, 30.0]] * 3, tower=tower)
    ...     source = open_source(Path(folder) / "shards")
    ...     len(source), source.dim, source.tower["name"]
    (3, 3, 'numbers')
    """
    place = Path(path)
    cached = (place / MANIFEST).is_file() or place.suffix.lower() in _PARQUET
    if cached and (coordinates is not None or exif or group is not None):
        raise InputError(f"{place} holds features with their places: leave coordinates, exif and group out")
    if (place / MANIFEST).is_file():
        if tower is not None:
            raise InputError(f"{place} says itself which tower made it: leave tower out")
        return FeatureShards(place)
    record = tower if isinstance(tower, Mapping) else None
    if place.suffix.lower() in _PARQUET:
        if tower is not record:
            raise InputError(f"{place} holds features already: tower must be a record with 'name' and 'sha256'")
        return ParquetFeatures(place, tower=record)
    if tower is None or isinstance(tower, Mapping):
        raise InputError(f"{path} would be photos, which need a tower: load_clip(...), or WeakTower.load() for trials")
    return PhotoFeatures(open_photos(path, coordinates=coordinates, exif=exif, group=group), tower)


class PhotoFeatures:
    """Photos through a tower, anew each time: a `Source`.

    Parameters
    ----------
    photos : Photos
    tower : FeatureTower
    batch_size : int, default 16
        Photos that go through the tower at once.
    """

    def __init__(self, photos: Photos, tower: FeatureTower, *, batch_size: int = 16) -> None:
        self.photos = photos
        self.lonlat, self.shard = photos.lonlat, photos.shard
        self.group = group_codes(photos.group)
        self.names = np.array(photos.names, dtype=object)
        self.tower = tower.features_record()
        self.dim: int = self.tower["dim"]
        self._tower, self._batch_size = tower, batch_size

    def __len__(self) -> int:
        return len(self.photos)

    def __repr__(self) -> str:
        return f"<PhotoFeatures: {len(self):,} photos through {self.tower['name']!r}>"

    def take(self, rows: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return features of a random view of each photo.

        Parameters
        ----------
        rows : array_like of int, shape (n,)
            In any order.
        rng : numpy.random.Generator
            Draws the views; see `random_view`.

        Returns
        -------
        ndarray of float32, shape (n, dim)

        Raises
        ------
        PhotoError
            A photo cannot be read. `cache_features` lists such photos and goes on.

        Examples
        --------
        >>> open_source("photos", tower=tower).take([3, 0], rng).shape                      # doctest: +SKIP
        (2, 768)
        """
        rows = check_rows(rows, len(self))
        seeds = rng.integers(2**31, size=len(rows))
        return self._encode(rows, seeds)

    def plain(self, rows: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return features of the photos as they are.

        Parameters
        ----------
        rows : array_like of int, shape (n,), optional
            All rows by default.

        Returns
        -------
        ndarray of float32, shape (n, dim)

        Examples
        --------
        >>> open_source("photos", tower=tower).plain([3, 0]).shape                          # doctest: +SKIP
        (2, 768)
        """
        rows = np.arange(len(self)) if rows is None else check_rows(rows, len(self))
        return self._encode(rows, None)

    def _encode(self, rows: NDArray[np.int64], seeds: NDArray[np.int64] | None) -> NDArray[np.float32]:
        out = np.empty((len(rows), self.dim), dtype=np.float32)
        for start in range(0, len(rows), self._batch_size):
            part = slice(start, start + self._batch_size)
            views = [
                view_of(
                    self.photos, int(row), self._tower, None if seeds is None else view_rng(int(seeds[k]), int(row), 1)
                )
                for k, row in enumerate(rows[part], start)
            ]
            out[part] = self._tower.features(views, batch_size=self._batch_size)
        return out


def view_of(photos: Photos, row: int, tower: FeatureTower, rng: np.random.Generator | None) -> Image.Image:
    """Return a random view of a photo, or without `rng` the photo as the tower reads it."""
    image = photos.read(row, shortest=tower.shortest).image
    return tower.view(image) if rng is None else random_view(image, tower.side, rng)


class ParquetFeatures:
    """Features in a Parquet file, read by row groups: a `Source`.

    Parameters
    ----------
    path : path-like
        Columns ``lon``, ``lat``, ``features`` (lists of D numbers, of fixed size or not), and perhaps ``group`` (whole
        numbers or text) and ``name``. Row groups of some thousand rows keep memory small.
    tower : mapping, optional
        ``name`` and ``sha256`` of the tower, where the file's metadata has no JSON with them under
        ``geoconcept_tower``. Without either the tower is called ``unknown``.

    Raises
    ------
    InputError
        No such file, or its columns are others.
    CoordinateError
        A coordinate is none; rows are named.
    """

    views = 1

    def __init__(self, path: str | PathLike[str], *, tower: Mapping[str, Any] | None = None) -> None:
        import pyarrow.parquet as pq

        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"there is no file {self.path}")
        try:
            self._file, self._lock = pq.ParquetFile(self.path), Lock()
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path} cannot be read as Parquet: {error}") from None
        names = self._file.schema_arrow.names
        missing = {"lon", "lat", "features"} - set(names)
        if missing:
            raise InputError(
                f"{self.path} needs columns 'lon', 'lat' and 'features' (lists of numbers); it has no "
                f"{' and no '.join(map(repr, sorted(missing)))} among {', '.join(map(repr, names))}"
            )
        counts = [self._file.metadata.row_group(k).num_rows for k in range(self._file.num_row_groups)]
        if not sum(counts):
            raise InputError(f"{self.path} has no rows")
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self.shard = np.repeat(np.arange(len(counts)), counts)
        columns = self._file.read(columns=["lon", "lat", *({"group", "name"} & set(names))])
        self.lonlat = check_lonlat(np.column_stack([columns["lon"], columns["lat"]]), name=str(self.path))
        groups = columns["group"].to_numpy() if "group" in names else None
        self.group = group_codes(groups)
        labels = columns["name"].to_numpy() if "name" in names else map(str, range(len(self)))
        self.names = np.array(list(labels), dtype=object)
        self._group_of_rows = lru_cache(_GROUPS_KEPT)(self._decode)
        self.dim = self._decode(0).shape[1]
        said = (self._file.schema_arrow.metadata or {}).get(_TOWER_KEY)
        record = tower or (json.loads(said) if said else {"name": "unknown", "sha256": ""})
        if record.get("dim", self.dim) != self.dim:
            raise InputError(f"{self.path} has features of {self.dim} numbers; the tower gives {record['dim']}")
        self.tower: dict[str, Any] = {**record, "dim": self.dim}

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __repr__(self) -> str:
        return f"<ParquetFeatures {str(self.path)!r}: {len(self):,} photos x {self.dim}, tower {self.tower['name']!r}>"

    def take(self, rows: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return features of photos.

        Parameters
        ----------
        rows : array_like of int, shape (n,)
            In any order.
        rng : numpy.random.Generator
            Not used: there is one view a photo.

        Returns
        -------
        ndarray of float32, shape (n, dim)

        Raises
        ------
        InputError
            A row is out of range or has no features, or others are of another length or not finite.

        Examples
        --------
        >>> open_source("features.parquet").take([3, 0], rng).shape                         # doctest: +SKIP
        (2, 768)
        """
        return self.plain(rows)

    def plain(self, rows: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return features of photos.

        Parameters
        ----------
        rows : array_like of int, shape (n,), optional
            All rows by default.

        Returns
        -------
        ndarray of float32, shape (n, dim)

        Examples
        --------
        >>> open_source("features.parquet").plain([3, 0]).shape                             # doctest: +SKIP
        (2, 768)
        """
        rows = np.arange(len(self)) if rows is None else check_rows(rows, len(self))
        out = np.empty((len(rows), self.dim), dtype=np.float32)
        shards = self.shard[rows]
        for shard in np.unique(shards):
            part = np.flatnonzero(shards == shard)
            out[part] = self._group_of_rows(int(shard))[rows[part] - self._starts[shard]]
        return out

    def _decode(self, number: int) -> NDArray[np.floating[Any]]:
        """Read one row group: (n, dim), of the type that it has."""
        import pyarrow as pa

        with self._lock:  # a file is read by one thread at a time
            column = self._file.read_row_group(number, columns=["features"])["features"].combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0)
        where = f"{self.path}, rows {self._starts[number]:,} to {self._starts[number + 1] - 1:,}"
        if column.null_count or not re.match(r"(large_|fixed_size_)?list<", str(column.type)):
            raise InputError(f"{where}: each row of 'features' must be a list of numbers; type {column.type}")
        flat = column.flatten().to_numpy(zero_copy_only=False)
        lengths = set(np.diff(column.offsets)) if hasattr(column, "offsets") else {column.type.list_size}
        dim = getattr(self, "dim", None) or int(min(lengths))
        if lengths != {dim}:
            raise InputError(f"{where}: features must all have {dim} numbers; found {sorted(map(int, lengths))}")
        if flat.dtype.kind != "f" or not np.isfinite(flat).all():
            raise InputError(f"{where}: features must be finite floating-point numbers")
        return np.asarray(flat.reshape(-1, dim))
