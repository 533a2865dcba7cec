"""Features of photos on disk: a folder of float16 shards, read through memory maps. Format in docs/architecture.md."""

from __future__ import annotations

import json
import mmap
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..coordinates import check_lonlat
from ..errors import InputError, ModelFileError
from ..files import atomic_folder, sha256_of
from ..progress import report
from .shard_writer import DTYPE, PHOTOS, ShardWriter, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

    from ..progress import Progress

__all__ = ["FeatureShards", "check_rows", "group_codes", "write_features"]

#: Shards that stay mapped: more than a sampler mixes at a time.
_MAPPED = 64


class FeatureShards:
    """Features of photos from a folder that `cache_features` or `write_features` made: a `Source`.

    Parameters
    ----------
    folder : path-like

    Attributes
    ----------
    folder : pathlib.Path
    manifest : dict
        The folder's ``manifest.json``.
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    group : ndarray of int64, shape (N,), or None
        Who took each photo, as a number.
    shard : ndarray of int64, shape (N,)
        Which file each row lies in.
    dim, views : int
        Numbers a view, and views a photo.
    tower : dict
        Whose features they are: ``name``, ``sha256``, ``dim``.

    Raises
    ------
    ModelFileError
        No such folder, not finished, of another format, or its files are not as the manifest says.

    Examples
    --------
    >>> import tempfile
    >>> tower = {"name": "numbers", "sha256": "0" * 64}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shards = write_features(Path(folder) / "shards", np.eye(3), [[31.2, 30.0]] * 3, tower=tower)
    ...     shards.take([2, 0], np.random.default_rng(0))
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        import pyarrow.parquet as pq

        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        if not self.manifest["complete"]:
            raise ModelFileError(
                f"{self.folder} is not finished: {len(self.manifest['shards'])} shards so far. Run the command that "
                "makes it again; it goes on where it stopped"
            )
        self.views, self.dim = int(self.manifest["views"]), int(self.manifest["dim"])
        self.tower: dict[str, Any] = self.manifest["tower"]
        counts = [int(one["rows"]) for one in self.manifest["shards"]]
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self.shard = np.repeat(np.arange(len(counts)), counts)
        self._offsets = [self._check(k) for k in range(len(counts))]
        try:
            columns = pq.read_table(self.folder / PHOTOS, columns=["lon", "lat", "group"])
        except (OSError, ValueError, KeyError) as error:
            raise ModelFileError(f"{self.folder / PHOTOS} cannot be read: {error}") from None
        if columns.num_rows != len(self):
            raise ModelFileError(f"{self.folder / PHOTOS} has {columns.num_rows:,} rows, the shards {len(self):,}")
        self.lonlat = check_lonlat(np.column_stack([columns["lon"], columns["lat"]]), name=str(self.folder / PHOTOS))
        self.group = group_codes(None if columns["group"].null_count else columns["group"].to_numpy())
        self._open = lru_cache(_MAPPED)(self._map)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __repr__(self) -> str:
        size = f"{len(self):,} photos x {self.views} views x {self.dim}"
        return f"<FeatureShards {str(self.folder)!r}: {size}, tower {self.tower['name']!r}>"

    @cached_property
    def names(self) -> NDArray[np.object_]:
        """Names of the photos, shape (N,)."""
        import pyarrow.parquet as pq

        return np.asarray(pq.read_table(self.folder / PHOTOS, columns=["name"])["name"].to_numpy(), dtype=object)

    @property
    def failures(self) -> list[dict[str, Any]]:
        """Photos that are not in it, with the reason."""
        return list(self.manifest["failures"])

    def take(self, rows: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return features of photos, of each a view drawn by chance.

        Parameters
        ----------
        rows : array_like of int, shape (n,)
            In any order, also several times.
        rng : numpy.random.Generator
            Draws the views.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            In the order of `rows`; read in the order in which they lie on disk.

        Raises
        ------
        InputError
            A row is out of range.

        Examples
        --------
        >>> import tempfile
        >>> tower = {"name": "numbers", "sha256": "0" * 64}
        >>> folder = Path(tempfile.mkdtemp()) / "shards"
        >>> shards = write_features(folder, np.eye(2), [[31.2, 30.0]] * 2, tower=tower)
        >>> shards.take([1], np.random.default_rng(0)).tolist()
        [[0.0, 1.0]]
        """
        rows = check_rows(rows, len(self))
        return self._read(rows, rng.integers(self.views, size=len(rows)))

    def plain(self, rows: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return view 0, the photo as it is without augmentation: what validation reads.

        Parameters
        ----------
        rows : array_like of int, shape (n,), optional
            All rows by default.

        Returns
        -------
        ndarray of float32, shape (n, dim)

        Raises
        ------
        InputError
            A row is out of range.

        Examples
        --------
        >>> import tempfile
        >>> tower = {"name": "numbers", "sha256": "0" * 64}
        >>> folder = Path(tempfile.mkdtemp()) / "shards"
        >>> shards = write_features(folder, np.eye(2), [[31.2, 30.0]] * 2, tower=tower)
        >>> shards.plain().tolist()
        [[1.0, 0.0], [0.0, 1.0]]
        """
        rows = np.arange(len(self)) if rows is None else check_rows(rows, len(self))
        return self._read(rows, np.zeros(len(rows), dtype=np.int64))

    def verify(self, *, progress: Progress | None = None) -> None:
        """Read every byte and compare it with the manifest.

        Parameters
        ----------
        progress : callable, optional
            Called as ``progress(done, total)`` in photos; a true result stops.

        Raises
        ------
        ModelFileError
            A file is not the one that the manifest describes.

        Examples
        --------
        >>> import tempfile
        >>> tower = {"name": "numbers", "sha256": "0" * 64}
        >>> folder = Path(tempfile.mkdtemp()) / "shards"
        >>> shards = write_features(folder, np.eye(2), [[31.2, 30.0]] * 2, tower=tower)
        >>> shards.verify()
        """
        files = {one["file"]: one["sha256"] for one in self.manifest["shards"]}
        for k, (name, sha256) in enumerate({**files, PHOTOS: self.manifest["photos_sha256"]}.items()):
            if sha256_of(self.folder / name) != sha256:
                raise ModelFileError(f"{self.folder / name} is corrupt or was replaced: its sha256 is not {sha256}")
            report(progress, int(self._starts[min(k + 1, len(files))]), len(self))

    def _read(self, rows: NDArray[np.int64], views: NDArray[np.int64]) -> NDArray[np.float32]:
        out = np.empty((len(rows), self.dim), dtype=np.float32)
        order = np.argsort(rows, kind="stable")
        shards = self.shard[rows[order]]
        cuts = np.flatnonzero(np.diff(shards)) + 1
        for part in np.split(order, cuts) if len(order) else ():
            shard = int(self.shard[rows[part[0]]])
            places = (rows[part] - self._starts[shard]) * self.views + views[part]
            out[part] = self._open(shard)[places]
        return out

    def _file(self, shard: int) -> Path:
        return self.folder / str(self.manifest["shards"][shard]["file"])

    def _check(self, shard: int) -> int:
        """Return where a shard's numbers begin, having checked that they are all there."""
        path = self._file(shard)
        shape = [self.manifest["shards"][shard]["rows"], self.views, self.dim]
        try:
            with path.open("rb") as file:
                start = 8 + int.from_bytes(file.read(8), "little")
                entry = json.loads(file.read(min(start, 1 << 20) - 8))["features"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelFileError(f"{path} cannot be read as a shard of features: {error!r}") from None
        if entry.get("shape") != shape or entry.get("dtype") != "F16":
            raise ModelFileError(
                f"{path} holds {entry.get('dtype')} {entry.get('shape')}, the manifest says F16 {shape}"
            )
        if path.stat().st_size != start + DTYPE.itemsize * int(np.prod(shape)):
            raise ModelFileError(f"{path} is cut off: copy it again, or make it again with the command that made it")
        return start

    def _map(self, shard: int) -> NDArray[np.float16]:
        """Map a shard into memory: (rows * views, dim)."""
        with self._file(shard).open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if hasattr(mapped, "madvise"):
            # Rows are read in random order, but soon all of them: let the system fetch the file at once.
            mapped.madvise(mmap.MADV_WILLNEED)
        return np.frombuffer(mapped, DTYPE, offset=self._offsets[shard]).reshape(-1, self.dim)


def write_features(
    folder: str | PathLike[str],
    features: ArrayLike,
    lonlat: ArrayLike,
    *,
    tower: Mapping[str, Any],
    group: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    shard_rows: int = 4096,
) -> FeatureShards:
    """Write features that are at hand as feature shards.

    Parameters
    ----------
    folder : path-like
        New, or empty. It appears when all is written.
    features : array_like, shape (N, D) or (N, views, D)
        Kept as float16. An array that is mapped from a file is read shard by shard.
    lonlat : array_like, shape (N, 2)
        Where each photo was taken: (lon, lat) in degrees, EPSG:4326.
    tower : mapping
        Whose features they are: ``name``, and ``sha256`` of its weights.
    group : array_like of int or str, shape (N,), optional
        Who took each photo.
    names : sequence of str, optional
        Default: the numbers of the rows.
    shard_rows : int, default 4096
        Photos a file.

    Returns
    -------
    FeatureShards

    Raises
    ------
    InputError
        Shapes do not fit, or features are not finite or too large for float16; the row is named.
    CoordinateError
        A coordinate is none; rows are named.

    Examples
    --------
    >>> import tempfile
    >>> tower = {"name": "numbers", "sha256": "0" * 64}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shards = write_features(Path(folder) / "shards", np.ones((5, 2, 8)), np.zeros((5, 2)), tower=tower)
    ...     len(shards), shards.views, shards.dim
    (5, 2, 8)
    """
    array = np.asanyarray(features)
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise InputError(f"features must have shape (N, D) or (N, views, D), none of them 0; got {array.shape}")
    if array.ndim == 2:
        array = array[:, None, :]
    places = check_lonlat(lonlat)
    names = [str(row) for row in range(len(array))] if names is None else list(names)
    groups = None if group is None else np.asarray(group)
    beside: dict[str, Any] = {"lonlat": places, "names": names, "group": array if groups is None else groups}
    for what, values in beside.items():
        if len(values) != len(array):
            raise InputError(f"{what} has {len(values):,} rows and features {len(array):,}: give one for each photo")
    record = {**tower, "dim": array.shape[2]}
    with atomic_folder(folder) as work:
        writer = ShardWriter(work, tower=record, views=array.shape[1], arguments={"shard_rows": shard_rows})
        for start in range(0, len(array), shard_rows):
            writer.add(array[start : start + shard_rows])
        writer.finish(names, places, groups)
    return FeatureShards(folder)


def check_rows(rows: ArrayLike, count: int) -> NDArray[np.int64]:
    """Return rows as int64, having checked that they are there.

    Parameters
    ----------
    rows : array_like of int, shape (n,)
        Whole numbers from 0.
    count : int
        How many rows there are.

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    InputError
        One is not.

    Examples
    --------
    >>> check_rows([2, 0], 3)
    array([2, 0])
    """
    array = np.asarray(rows, dtype=np.int64)
    if array.ndim != 1 or (array.size and not 0 <= array.min() <= array.max() < count):
        raise InputError(f"rows must be whole numbers from 0 to {count - 1:,}, shape (n,)")
    return array


def group_codes(values: NDArray[Any] | None) -> NDArray[np.int64] | None:
    """Return who took each photo as numbers: whole numbers as they are, names numbered in sorted order.

    Parameters
    ----------
    values : ndarray of int or str, shape (N,), or None
        None where nobody is known.

    Returns
    -------
    ndarray of int64, shape (N,), or None

    Examples
    --------
    >>> group_codes(np.array(["zoe", "ann", "zoe"])).tolist()
    [1, 0, 1]
    """
    if values is None or values.dtype.kind in "iu":
        return None if values is None else values.astype(np.int64)
    return np.asarray(np.unique(values.astype(str), return_inverse=True)[1], dtype=np.int64)
