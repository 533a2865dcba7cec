"""Places with their vectors, embedded once per model, kept in the user's cache, searched exactly."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .coordinates import check_lonlat
from .errors import CacheWarning, InputError
from .files import atomic_file, sha256_of
from .tensors import read_tensors, tensors_bytes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .model import GeoConceptModel
    from .progress import Progress

__all__ = ["CACHE_VARIABLE", "GALLERIES", "Gallery", "cache_folder", "open_gallery", "photo_places"]

#: Names the folder for what can be made again.
CACHE_VARIABLE = "GEOCONCEPT_CACHE"
GALLERIES = ("photos", "land")
_PHOTO_PLACES = Path(__file__).parent / "data" / "photo_places.safetensors"
#: Scores looked through at a time when the largest are sought.
_BLOCK = 256
_LAND = _PHOTO_PLACES.with_name("land_50m.parquet")
_PLAIN_LAND = _PHOTO_PLACES.with_name("land_mask.safetensors")
_FORMAT = "geoconcept-gallery-2"
_ARRAYS = ("lonlat", "vectors", "cells", "rest")
_REST_SCALE = np.float32(4096.0)
#: H3 resolution of the land gallery's cells; one of its children is as large as the encoder's own scale.
LAND_RESOLUTION = 4
_DTYPES = {"F16": np.float16, "F32": np.float32, "U64": np.uint64}


@dataclass(frozen=True, eq=False, repr=False)
class Gallery:
    """Places and their vectors. Made by `open_gallery`.

    Attributes
    ----------
    name : str
        ``"photos"``: the 100,000 places of GeoCLIP's gallery, in its order; ``"land"``: H3 cells of resolution 4.
    lonlat : ndarray of float32, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    vectors : ndarray of float16, shape (N, 512)
        Unit vectors; of a cell the mean of the unit vectors of its children's centres, so a little shorter.
    cells : ndarray of uint64, shape (N,)
        The H3 cell of resolution 4 that each place lies in.
    rest : ndarray of float16, shape (N, 512), or None
        What `vectors` lost when they were rounded, times 4,096, so that close places keep their order.
    """

    name: str
    lonlat: NDArray[np.float32]
    vectors: NDArray[np.float16]
    cells: NDArray[np.uint64]
    rest: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        return len(self.lonlat)

    def __repr__(self) -> str:
        return f"<Gallery {self.name!r}: {len(self):,} places>"

    @cached_property
    def _matrix(self) -> NDArray[np.float32]:
        matrix = np.array(self.vectors, dtype=np.float32, order="C")
        if self.rest is not None:
            matrix += self.rest.astype(np.float32) / _REST_SCALE
        return matrix

    def scores(self, queries: ArrayLike) -> NDArray[np.float32]:
        """Return the cosine of every query with every place.

        Parameters
        ----------
        queries : array_like of shape (Q, 512), or (512,)
            Vectors of the shared space, any length but zero.

        Returns
        -------
        ndarray of float32, shape (Q, N)

        Raises
        ------
        InputError
            The shape is another, or a query is zero or not finite.
        """
        return np.asarray(_units(queries) @ self._matrix.T)

    def search(self, queries: ArrayLike, top: int = 5) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Find the places most like each query, best first; every place is looked at.

        Parameters
        ----------
        queries : array_like of shape (Q, 512), or (512,)
            Vectors of the shared space.
        top : int, default 5
            How many.

        Returns
        -------
        index : ndarray of int, shape (Q, top)
        cosine : ndarray of float32, shape (Q, top)

        Raises
        ------
        InputError
            A query is no vector, or `top` is not 1 to N.
        """
        if not 1 <= top <= len(self):
            raise InputError(f"top must be 1 to {len(self):,}; got {top}")
        scores = self.scores(queries)
        best = _largest(scores, top)
        return best, np.take_along_axis(scores, best, axis=1)


def _largest(scores: NDArray[np.float32], top: int) -> NDArray[np.intp]:
    """Return where the largest values of each row are, in falling order; of equal ones the first.

    Only the blocks with the largest maxima can hold them, which spares sorting the rest.
    """
    count = scores.shape[1]
    blocks = -(-count // _BLOCK)
    if blocks <= 2 * top:
        return np.argsort(-scores, axis=1, kind="stable")[:, :top]
    whole = count // _BLOCK * _BLOCK
    peaks = scores[:, :whole].reshape(len(scores), -1, _BLOCK).max(axis=2)
    if whole < count:
        peaks = np.concatenate([peaks, scores[:, whole:].max(axis=1, keepdims=True)], axis=1)
    kept = np.sort(np.argsort(-peaks, axis=1, kind="stable")[:, :top], axis=1)
    places = (kept[:, :, None] * _BLOCK + np.arange(_BLOCK)).reshape(len(scores), -1)
    values = np.where(places < count, np.take_along_axis(scores, np.minimum(places, count - 1), axis=1), -np.inf)
    order = np.argsort(-values, axis=1, kind="stable")[:, :top]
    return np.take_along_axis(places, order, axis=1)


def cache_folder() -> Path:
    """Return the folder for what can be made again: ``GEOCONCEPT_CACHE``, or the system's place for caches.

    Returns
    -------
    pathlib.Path
        It need not exist yet.

    Examples
    --------
    >>> cache_folder().is_absolute()
    True
    """
    import platformdirs

    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).absolute() if named else platformdirs.user_cache_path("geoconcept_gis", appauthor=False)


def open_gallery(
    model: GeoConceptModel,
    name: str = "photos",
    *,
    folder: Path | None = None,
    plain: bool = False,
    progress: Progress | None = None,
) -> Gallery:
    """Open a gallery; the first time for a model its places are embedded and kept in `cache_folder`.

    Parameters
    ----------
    model : GeoConceptModel
        Its location encoder embeds the places.
    name : {"photos", "land"}
        Which places.
    folder : pathlib.Path, optional
        Where it is kept; None is `cache_folder`.
    plain : bool, default False
        Make it with numpy alone, as QGIS does: cells have the numbers of `geoconcept_gis.locate.hexgrid`, the coast is
        that of `geoconcept_gis.land_mask`, and `rest` is left out.
    progress : callable, optional
        Called as ``progress(done, total)`` while places are embedded; return true to cancel.

    Returns
    -------
    Gallery

    Raises
    ------
    InputError
        There is no such gallery.
    Cancelled
        `progress` asked to stop; nothing is kept.

    Warns
    -----
    CacheWarning
        The cache cannot be written, so the gallery lives in memory and is made anew next time.

    Notes
    -----
    The file's name holds the hash of the encoder's weights and of the places. It is written whole and moved into
    place, so two processes that start at once both get a good one; a damaged one is made anew. Vectors are float16,
    with what rounding lost beside them, and mapped into memory.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> gallery = open_gallery(load_model())                    # doctest: +SKIP
    >>> len(gallery), gallery.vectors.shape                     # doctest: +SKIP
    (100000, (100000, 512))
    """
    if name not in GALLERIES:
        raise InputError(f"no gallery {name!r}; choose one of {', '.join(GALLERIES)}")
    path = _path(model, name, folder, plain)
    found = _read(path)
    if found is None:
        found = _keep(path, _make(model, name, plain, progress))
    return Gallery(name, found["lonlat"], found["vectors"], found["cells"], found.get("rest"))


def _make(model: GeoConceptModel, name: str, plain: bool, progress: Progress | None) -> dict[str, NDArray[Any]]:
    """Return the arrays of a gallery."""
    lonlat, points, owner = _photos() if name == "photos" else (_plain_land() if plain else _land())
    vectors = _embed(_exact(model) if name == "photos" and not plain else model, points, owner, progress)
    halves = vectors.astype(np.float16)
    arrays: dict[str, NDArray[Any]] = {"lonlat": lonlat.astype(np.float32), "vectors": halves}
    arrays["cells"] = _cells_of(lonlat, plain)
    if name == "photos" and not plain:
        arrays["rest"] = ((vectors - halves) * _REST_SCALE).astype(np.float16)
    return arrays


def _cells_of(lonlat: NDArray[np.float64], plain: bool) -> NDArray[np.uint64]:
    if plain:
        from .locate import hexgrid

        return hexgrid.cells_of(lonlat)
    from .h3cells import cells_of

    return cells_of(lonlat, LAND_RESOLUTION)


def _path(model: GeoConceptModel, name: str, folder: Path | None = None, plain: bool = False) -> Path:
    """Return the gallery's file, named after the encoder's weights and what its places are made from."""
    places = _PHOTO_PLACES if name == "photos" else _PLAIN_LAND if plain else _LAND
    source = f"{model.sha256} {sha256_of(places)} {LAND_RESOLUTION} {_FORMAT}" + (" plain" if plain else "")
    key = hashlib.sha256(source.encode()).hexdigest()[:16]
    return (folder or cache_folder()) / f"gallery-{name}-{key}.safetensors"


def photo_places() -> NDArray[np.float64]:
    """Return the 100,000 places of GeoCLIP's gallery.

    Returns
    -------
    ndarray of float64, shape (100000, 2)
        (lon, lat) in degrees, EPSG:4326, in the order of `Gallery`.

    Examples
    --------
    >>> photo_places().shape
    (100000, 2)
    """
    return read_tensors(_PHOTO_PLACES)[0]["lonlat"].astype(np.float64)


def _photos() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return the photo places, the points to embed, and the place each point belongs to: one each."""
    lonlat = photo_places()
    return lonlat, lonlat, np.arange(len(lonlat))


def _land() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return the centres of the cells with land, those of their children on land, and the cell each belongs to."""
    from .h3cells import centers_of, count_children, descend, h3_grid
    from .land import on_land

    cells = h3_grid(None, LAND_RESOLUTION)
    children = descend(cells, LAND_RESOLUTION + 1)
    owner = np.repeat(np.arange(len(cells)), count_children(cells, LAND_RESOLUTION, LAND_RESOLUTION + 1))
    points = centers_of(children)
    dry = on_land(points)
    kept, owner = np.unique(owner[dry], return_inverse=True)
    return centers_of(cells[kept]), points[dry], owner


def _plain_land() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return the same with numpy alone."""
    from .land_mask import on_land
    from .locate import hexgrid

    cells = hexgrid.all_cells()
    children = hexgrid.children_of(cells).reshape(-1, 2)
    dry = np.flatnonzero(on_land(children))
    kept, owner = np.unique(dry // 7, return_inverse=True)
    return hexgrid.centers_of(cells[kept]), children[dry], owner


def _exact(model: GeoConceptModel) -> GeoConceptModel:
    """Return the model on the reference backend: the order of close photo places must not depend on the machine."""
    from .model import load_model

    return model if model.backend == "numpy" else load_model(model.folder, backend="numpy")


def _embed(
    model: GeoConceptModel, points: NDArray[np.float64], owner: NDArray[np.intp], progress: Progress | None
) -> NDArray[np.float32]:
    """Return the mean unit vector of each place's points."""
    order = np.argsort(owner, kind="stable")
    owner = owner[order]
    sums = np.zeros((owner[-1] + 1, model.encoder.dim), dtype=np.float32)
    for part, vectors in model.iter_encode(check_lonlat(points[order]), progress=progress):
        starts = np.flatnonzero(np.diff(owner[part], prepend=-1))
        sums[owner[part][starts]] += np.add.reduceat(_units(vectors[:, : model.encoder.dim]), starts, axis=0)
    return np.asarray(sums / np.bincount(owner)[:, None], dtype=np.float32)


# ---------------------------------------------------------------- the file


def _keep(path: Path, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Write a gallery and map it; where that cannot be done, keep it in memory."""
    content = tensors_bytes(arrays)
    start = 8 + int.from_bytes(content[:8], "little")
    body = zlib.crc32(memoryview(content)[start:])
    content = tensors_bytes(arrays, {"format": _FORMAT, "crc32": str(body)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as part:
            part.write_bytes(content)
    except OSError as error:
        warnings.warn(
            f"the gallery cannot be kept in {path.parent} ({error.strerror}): it is made anew next time. Set "
            f"{CACHE_VARIABLE} to a folder that can be written",
            CacheWarning,
            stacklevel=4,
        )
        return arrays
    return _read(path) or arrays


def _read(path: Path) -> dict[str, NDArray[Any]] | None:
    """Map a gallery into memory; None if it is not there or not whole."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size)) if 0 < size < 1 << 20 else {}
        about = header.pop("__metadata__", {})
        body = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + size)
        if about.get("format") != _FORMAT or zlib.crc32(body.data) != int(about["crc32"]):
            return None
        arrays = {
            name: body[slice(*item["data_offsets"])].view(_DTYPES[item["dtype"]]).reshape(item["shape"])
            for name, item in header.items()
        }
        return arrays if {"lonlat", "vectors", "cells"} <= set(arrays) <= {*_ARRAYS} else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


# ---------------------------------------------------------------- vectors


def _units(vectors: ArrayLike) -> NDArray[np.float32]:
    array = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
    length = np.linalg.norm(array, axis=1, keepdims=True)
    if array.ndim != 2 or array.shape[1] != 512 or not np.isfinite(length).all() or (length == 0.0).any():
        raise InputError(f"queries must be finite vectors of shape (Q, 512), none of them zero; got {array.shape}")
    return np.asarray(array / length)
