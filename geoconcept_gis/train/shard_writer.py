"""Feature shards in the making: the manifest, and a writer that goes on where an earlier one stopped."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, ModelFileError
from ..files import atomic_file, sha256_of
from ..storage import FORMAT_VERSION, _read_json, write_arrays, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["DTYPE", "FORMAT", "MANIFEST", "PHOTOS", "ShardWriter", "read_manifest"]

FORMAT = "geoconcept-features"
MANIFEST = "manifest.json"
#: The table of photos: row, shard, name, lon, lat, group.
PHOTOS = "photos.parquet"
DTYPE = np.dtype("<f2")


class ShardWriter:
    """Fills a folder shard by shard, and goes on where an earlier one stopped.

    Parameters
    ----------
    folder : path-like
        New, empty, or begun with the same arguments.
    tower : mapping
        ``name``, ``sha256``, ``dim``.
    views : int
        Views a photo.
    arguments : mapping
        Whatever decides the bytes of the shards, as JSON holds it.
    failures : sequence of dict
        Photos that are left out from the start: ``path``, ``reason`` and ``row``, which is None.

    Attributes
    ----------
    manifest : dict
        As it is on disk.

    Raises
    ------
    InputError
        The folder holds something else, or was begun with other arguments, which are named.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        tower: Mapping[str, Any],
        views: int,
        arguments: Mapping[str, Any],
        failures: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.folder = Path(folder)
        for key in ("name", "sha256", "dim"):
            if key not in tower:
                raise InputError(f"tower must say whose features these are: {key!r} is missing from {dict(tower)!r}")
        self._shape = (views, int(tower["dim"]))
        fresh: dict[str, Any] = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "complete": False,
            "tower": dict(tower),
            "views": views,
            "dim": int(tower["dim"]),
            "rows": 0,
            "arguments": dict(arguments),
            "photos_sha256": None,
            "failures": [dict(one) for one in failures],
            "shards": [],
        }
        with self._clear_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.manifest = self._resumed(fresh) if (self.folder / MANIFEST).exists() else fresh
            if self.manifest is fresh:
                self._refuse_other_files()
                write_json(fresh, self.folder / MANIFEST)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return bool(self.manifest["complete"])

    def __len__(self) -> int:
        """Shards that are finished."""
        return len(self.manifest["shards"])

    def add(self, features: NDArray[Any], failures: Sequence[Mapping[str, Any]] = ()) -> None:
        """Write the next shard.

        Parameters
        ----------
        features : ndarray, shape (n, views, dim)
            Any floating-point type; kept as float16.
        failures : sequence of dict
            Photos that should have been in it.

        Raises
        ------
        InputError
            A number is not finite as float16, the shape is another, or the disk is full or cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> tower = {"name": "numbers", "sha256": "0" * 64, "dim": 4}
        >>> writer = ShardWriter(tempfile.mkdtemp(), tower=tower, views=1, arguments={"shard_rows": 3})
        >>> writer.add(np.ones((3, 1, 4)))
        >>> len(writer), writer.complete
        (1, False)
        """
        if features.shape[1:] != self._shape:
            raise InputError(f"features must have shape (n, {self._shape[0]}, {self._shape[1]}); got {features.shape}")
        with np.errstate(over="ignore"):
            halves = np.asarray(features, dtype=DTYPE)
        bad = np.flatnonzero(~np.isfinite(halves).all(axis=(1, 2)))
        if len(bad):
            raise InputError(
                f"features are not finite, or larger than float16 holds (65,504): row {self.manifest['rows'] + bad[0]} "
                f"and {len(bad) - 1} more"
            )
        name = f"shard-{len(self):05d}.safetensors"
        with self._clear_errors():
            sha256 = write_arrays({"features": halves}, self.folder / name)
            entry = {"file": name, "rows": len(halves), "sha256": sha256}
            self._update(
                rows=self.manifest["rows"] + len(halves),
                failures=[*self.manifest["failures"], *map(dict, failures)],
                shards=[*self.manifest["shards"], entry],
            )

    def finish(self, names: Sequence[str], lonlat: NDArray[np.float64], group: NDArray[Any] | None) -> None:
        """Write the table of photos; the folder can be opened then.

        Parameters
        ----------
        names : sequence of str
            One for each row, in order.
        lonlat : ndarray, shape (N, 2)
            (lon, lat) in degrees, EPSG:4326.
        group : ndarray, shape (N,), or None
            Whole numbers or text: who took each photo.

        Examples
        --------
        >>> import tempfile
        >>> tower = {"name": "numbers", "sha256": "0" * 64, "dim": 4}
        >>> writer = ShardWriter(tempfile.mkdtemp(), tower=tower, views=1, arguments={"shard_rows": 3})
        >>> writer.add(np.ones((1, 1, 4)))
        >>> writer.finish(["a.jpg"], np.array([[31.2, 30.0]]), None)
        >>> writer.complete
        True
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        counts = [one["rows"] for one in self.manifest["shards"]]
        table = pa.table(
            {
                "row": np.arange(len(names)),
                "shard": np.repeat(np.arange(len(counts)), counts),
                "name": pa.array(names, pa.string()),
                "lon": lonlat[:, 0],
                "lat": lonlat[:, 1],
                "group": pa.nulls(len(names)) if group is None else pa.array(group),
            }
        )
        with self._clear_errors():
            with atomic_file(self.folder / PHOTOS) as part:
                pq.write_table(table, part)
            self._update(complete=True, photos_sha256=sha256_of(self.folder / PHOTOS))

    def _update(self, **changes: Any) -> None:
        """Change the manifest on disk, then here."""
        changed = {**self.manifest, **changes}
        write_json(changed, self.folder / MANIFEST)
        self.manifest = changed

    def _resumed(self, fresh: dict[str, Any]) -> dict[str, Any]:
        """Return the manifest that is there, less the shards that are not whole; refuse one of another job."""
        found = read_manifest(self.folder)
        wanted = {"tower": fresh["tower"], "views": fresh["views"], **fresh["arguments"]}
        begun = {"tower": found["tower"], "views": found["views"], **found["arguments"]}
        differ = [key for key in {**wanted, **begun} if wanted.get(key) != begun.get(key)]
        if differ:
            listed = "; ".join(f"{key} was {_short(begun.get(key))}, now {_short(wanted.get(key))}" for key in differ)
            raise InputError(
                f"{self.folder} was begun with other arguments: {listed}. Repeat those, or choose another folder"
            )
        for stray in self.folder.glob(".*.*.*/"):  # what a killed job was writing
            shutil.rmtree(stray)
        whole = 0
        for one in found["shards"]:
            path = self.folder / one["file"]
            if not path.is_file() or sha256_of(path) != one["sha256"]:
                break
            whole += 1
        if whole < len(found["shards"]):
            kept = found["shards"][:whole]
            start = whole * found["arguments"]["shard_rows"]
            failures = [one for one in found["failures"] if one["row"] is None or one["row"] < start]
            rows = sum(one["rows"] for one in kept)
            found |= {"complete": False, "shards": kept, "failures": failures, "rows": rows}
        if not (self.folder / PHOTOS).is_file():
            found["complete"] = False
        return found

    def _refuse_other_files(self) -> None:
        strange = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        if strange:
            raise InputError(
                f"{self.folder} holds other files ({', '.join(strange[:3])}) and no {MANIFEST}: choose an empty folder"
            )

    @contextlib.contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (InputError, ModelFileError):
            raise
        except OSError as error:
            raise InputError(
                f"cannot write into {self.folder}: {error.strerror or error}. Shards that are finished stay; mend it "
                "and run the same again to go on"
            ) from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check a folder's ``manifest.json``.

    Parameters
    ----------
    folder : pathlib.Path
        Of feature shards, finished or not.

    Returns
    -------
    dict

    Raises
    ------
    ModelFileError
        Missing, malformed, or of another format or version.

    Examples
    --------
    >>> read_manifest(Path("gone"))
    Traceback (most recent call last):
    ...
    geoconcept_gis.errors.ModelFileError: there is no folder gone
    """
    if not folder.is_dir():
        raise ModelFileError(f"there is no folder {folder}")
    manifest = _read_json(folder / MANIFEST, FORMAT)
    kinds = {
        "complete": bool,
        "views": int,
        "dim": int,
        "tower": dict,
        "arguments": dict,
        "shards": list,
        "failures": list,
    }
    for key, kind in kinds.items():
        if not isinstance(manifest.get(key), kind):
            raise ModelFileError(f"{folder / MANIFEST}: {key!r} is missing or no {kind.__name__}")
    for one in manifest["shards"]:
        if not {"file", "rows", "sha256"} <= set(one) or Path(one["file"]).name != one["file"]:
            raise ModelFileError(f"{folder / MANIFEST}: {one!r} is no shard of this folder")
    return manifest


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
