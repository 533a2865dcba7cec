"""The world in half-degree cells: embedded once from coarse to fine, then any concept is one matrix product."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import CacheWarning, InputError
from ..files import atomic_file, sha256_of
from ..gallery import CACHE_VARIABLE, cache_folder
from ..land_mask import _FILE as _LAND_MASK
from ..land_mask import on_land
from ..progress import report

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from ..concepts import Concept
    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["COLUMNS", "DEGREES", "ROWS", "SEA", "STEPS", "UNKNOWN", "World", "one_blas_thread", "percentile_grid"]

#: Side of a cell, and the shape of the world in such cells.
DEGREES = 0.5
ROWS, COLUMNS = 360, 720
#: What a cell of a grid holds beside the percentiles 0 to 100.
UNKNOWN, SEA = 254, 255
#: Sides, in degrees, of the finer cells of a view.
STEPS = (0.25, 0.125, 0.0625)
#: Cells of a view at most: about a second or two of work for numpy.
_MOST_CELLS = 12_000
#: Views whose embeddings are kept, so that another concept of the same view is at once there.
_VIEWS = 6
#: Cells known from the start, then those three times as fine, then all. Centres of coarse cells are centres of fine
#: ones, because three is odd: nothing is computed twice.
_COARSE_TO_FINE = (9, 3, 1)
#: Where land is looked for in a cell whose centre lies in the sea, in thirds of the cell.
_AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
#: Cells embedded at a time: few, so that whoever asks for a place need not wait for many. For so few the backend
#: "auto" stays on numpy, and nothing else is loaded and raced while somebody looks at the map.
_CHUNK = 256
#: Rows scored at a time, so that their float32 copy stays small.
_BLOCK = 8192
_FORMAT = "geoconcept-world-2"


class World:
    """Embeddings of the land in half-degree cells, EPSG:4326, filled by `fill`; usable from the first cells on.

    Parameters
    ----------
    model : GeoConceptModel
    folder : pathlib.Path, optional
        Where the embeddings are kept; None is `cache_folder`.

    Attributes
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        What each cell with land in it is read at: its centre, or a point on land where the centre lies in the sea. In
        the order in which they are filled: coarse ones first, then from the equator to the poles.
    done : int
        How many of them are embedded.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> world = World(load_model())
    >>> len(world) > 80_000
    True
    """

    def __init__(self, model: GeoConceptModel, folder: Path | None = None) -> None:
        self.model = model
        land, points = _points_on_land(_centres(np.arange(ROWS * COLUMNS)), DEGREES)
        levels = _levels(land)
        self._cells = np.concatenate(levels)
        self._ends = np.cumsum([len(cells) for cells in levels]).tolist()
        self.lonlat = points[self._cells]
        self._land = land.reshape(ROWS, COLUMNS)
        self._path = (folder or cache_folder()) / f"world-{_key(model)}.npy"
        [(_, one)] = model.iter_encode(self.lonlat[:1])
        shape = (len(self._cells), one.shape[1])  # 512, and the encoder's heads
        found = _read(self._path, shape)
        self._vectors = np.empty(shape, np.float16) if found is None else found
        self.done = 0 if found is None else len(self._cells)
        self._views: OrderedDict[tuple[float, ...], tuple[NDArray[np.bool_], NDArray[np.float16]]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._cells)

    def fill(self, progress: Progress | None = None, *, coarse: bool = False, workers: int = 1) -> None:
        """Embed what is missing, and keep it for the next time.

        Parameters
        ----------
        progress : callable, optional
            Called as ``progress(done, total)`` in cells; return true to cancel.
        coarse : bool, default False
            Leave the finest cells for later.
        workers : int, default 1
            Threads; see `one_blas_thread`.

        Raises
        ------
        Cancelled
            `progress` asked to stop; what is embedded so far stays usable, nothing is written.

        Warns
        -----
        CacheWarning
            The cache cannot be written, so the work is done anew next time.
        """
        if self.done == len(self):
            return
        with ThreadPoolExecutor(workers, thread_name_prefix="geoconcept-world") as pool:
            for stop in self._ends[:-1] if coarse else self._ends:
                while self.done < stop:
                    firsts = range(self.done, min(self.done + workers * _CHUNK, stop), _CHUNK)
                    parts = [slice(first, min(first + _CHUNK, stop)) for first in firsts]
                    for part, vectors in zip(parts, pool.map(self._encode, parts), strict=True):
                        self._vectors[part] = vectors
                        self.done = part.stop
                    report(progress, self.done, len(self))
        if not coarse:
            _keep(self._path, self._vectors)

    def _encode(self, part: slice) -> NDArray[np.float32]:
        return np.concatenate([vectors for _, vectors in self.model.iter_encode(self.lonlat[part])])

    def grid(self, concept: Concept) -> NDArray[np.uint8]:
        """Return the percentiles of a concept all over the world, as fine as is known by now.

        Parameters
        ----------
        concept : Concept
            With percentiles.

        Returns
        -------
        ndarray of uint8, shape (360, 720)
            North first, from 180 degrees west: the percentile of the cell, 0 to 100; `SEA`; or `UNKNOWN`
            where not even a coarse cell is known.

        Raises
        ------
        ConceptError
            It has no percentiles.
        """
        done = self.done
        cells = np.full(ROWS * COLUMNS, UNKNOWN, dtype=np.uint8)
        cells[self._cells[:done]] = percentile_grid(self.model, concept, self._vectors[:done])
        known = cells.reshape(ROWS, COLUMNS)
        out = np.full_like(known, UNKNOWN)
        for step in _COARSE_TO_FINE:
            middle = known[step // 2 :: step, step // 2 :: step]
            block = middle.repeat(step, axis=0).repeat(step, axis=1)
            out = np.where(block == UNKNOWN, out, block)
        return np.where(self._land, out, np.uint8(SEA))

    def table(self, concepts: list[Concept], step: int = 3) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
        """Return the percentiles of many concepts in coarse cells, for a site without a server.

        Parameters
        ----------
        concepts : list of Concept
        step : {9, 3, 1}
            Side of the cells in cells of this world.

        Returns
        -------
        cells : ndarray of int, shape (M,)
            Row-major numbers in the grid of (360 / step, 720 / step) cells.
        percentiles : ndarray of uint8, shape (M, K)
        """
        row, column = np.divmod(self._cells[: self.done], COLUMNS)
        kept = np.flatnonzero((row % step == step // 2) & (column % step == step // 2))
        cells = (row[kept] // step) * (COLUMNS // step) + column[kept] // step
        scorer = self.model.scorer(concepts, "percentile")
        return cells, np.rint(scorer(self._vectors[kept].astype(np.float32))).astype(np.uint8)

    def view(
        self,
        concept: Concept,
        bounds: tuple[float, float, float, float],
        step: float,
        progress: Progress | None = None,
    ) -> NDArray[np.uint8]:
        """Return the percentiles of a concept in a part of the world, in finer cells.

        Parameters
        ----------
        concept : Concept
        bounds : (west, south, east, north)
            Degrees; multiples of `step`. East may pass 180.
        step : float
            One of `STEPS`.
        progress : callable, optional
            Return true to cancel.

        Returns
        -------
        ndarray of uint8, shape (rows, columns)
            North first.

        Raises
        ------
        InputError
            The view is empty or not on Earth, has too many cells, or the step is another.
        Cancelled
            `progress` asked to stop.
        """
        rows, columns = _shape_of(bounds, step)
        key = (*bounds, step)
        with self._lock:
            found = self._views.get(key)
        if found is None:
            found = self._embed_view(bounds, step, (rows, columns), progress)
            with self._lock:
                self._views[key] = found
                while len(self._views) > _VIEWS:
                    self._views.popitem(last=False)
        land, vectors = found
        out = np.full(rows * columns, SEA, dtype=np.uint8)
        out[land] = percentile_grid(self.model, concept, vectors)
        return out.reshape(rows, columns)

    def _embed_view(
        self,
        bounds: tuple[float, float, float, float],
        step: float,
        shape: tuple[int, int],
        progress: Progress | None,
    ) -> tuple[NDArray[np.bool_], NDArray[np.float16]]:
        west, _, _, north = bounds
        row, column = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
        lon = (west + (column + 0.5) * step + 180.0) % 360.0 - 180.0
        land, points = _points_on_land(np.column_stack([lon, north - (row + 0.5) * step]), step)
        parts = [v.astype(np.float16) for _, v in self.model.iter_encode(points[land], progress=progress)]
        return land, np.concatenate([self._vectors[:0], *parts])


def one_blas_thread() -> AbstractContextManager[object]:
    """Return a context in which products stay on the thread that asks for them.

    The threads of BLAS wait for each other, and while a browser draws on one of two cores they wait long: less than a
    tenth of the speed was measured. Threads of our own, each with products of its own, share the cores in peace.

    Returns
    -------
    context manager

    Examples
    --------
    >>> with one_blas_thread():
    ...     float(np.ones(3) @ np.ones(3))
    3.0
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def percentile_grid(model: GeoConceptModel, concept: Concept, vectors: NDArray[np.float16]) -> NDArray[np.uint8]:
    """Return the percentile of a concept, rounded, for each row of embeddings.

    Parameters
    ----------
    model : GeoConceptModel
    concept : Concept
        With percentiles.
    vectors : ndarray of float16, shape (N, 512 + H)

    Returns
    -------
    ndarray of uint8, shape (N,)

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> model = load_model()
    >>> cairo = model.encode([[31.2, 30.0]]).astype(np.float16)
    >>> int(percentile_grid(model, model.bank["hot desert climate"], cairo)[0]) > 80
    True
    """
    scorer = model.scorer([concept], "percentile")
    out = np.empty(len(vectors), dtype=np.uint8)
    for start in range(0, len(vectors), _BLOCK):
        part = slice(start, start + _BLOCK)
        out[part] = np.rint(scorer(vectors[part].astype(np.float32))[:, 0])
    return out


def _centres(cells: NDArray[np.intp]) -> NDArray[np.float64]:
    row, column = np.divmod(cells, COLUMNS)
    return np.column_stack([-180.0 + (column + 0.5) * DEGREES, 90.0 - (row + 0.5) * DEGREES])


def _points_on_land(centres: NDArray[np.float64], step: float) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which cells hold land, and a point of each: the centre, or the first of eight around it on land."""
    points = centres.copy()
    land = on_land(points)
    for east, north in _AROUND:
        sea = np.flatnonzero(~land)
        tried = centres[sea] + np.array([east, north]) * (step / 3.0)
        tried[:, 0] = (tried[:, 0] + 180.0) % 360.0 - 180.0
        found = on_land(tried)
        points[sea[found]], land[sea[found]] = tried[found], True
    return land, points


def _levels(land: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the land cells of each level that are in no coarser one, nearest to the equator first."""
    row, column = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    free = land.copy()
    levels = []
    for step in _COARSE_TO_FINE:
        level = np.flatnonzero(free & (row % step == step // 2) & (column % step == step // 2))
        free[level] = False
        levels.append(level[np.argsort(np.abs(row[level] - ROWS / 2.0), kind="stable")])
    return levels


def _shape_of(bounds: tuple[float, float, float, float], step: float) -> tuple[int, int]:
    west, south, east, north = bounds
    if step not in STEPS:
        raise InputError(f"step must be one of {', '.join(f'{one:g}' for one in STEPS)} degrees; got {step:g}")
    if not (-90.0 <= south < north <= 90.0 and -180.0 <= west < east <= west + 360.0 and west < 180.0):
        raise InputError(
            f"bounds must be west, south, east, north in degrees, west of 180 and south of north; got {bounds}"
        )
    if any(side % step for side in bounds):
        raise InputError(f"bounds must be multiples of the step, {step:g} degrees; got {bounds}")
    rows, columns = round((north - south) / step), round((east - west) / step)
    if rows * columns > _MOST_CELLS:
        raise InputError(f"a view has at most {_MOST_CELLS:,} cells; {rows:,} x {columns:,} are more: take larger ones")
    return rows, columns


# ---------------------------------------------------------------- the file


def _key(model: GeoConceptModel) -> str:
    """Name what the embeddings are made from: the encoder, its heads, the land."""
    heads = model.bank_sha256 if model.bank.heads() else ""
    return hashlib.sha256(f"{_FORMAT} {model.sha256} {heads} {sha256_of(_LAND_MASK)}".encode()).hexdigest()[:16]


def _read(path: Path, shape: tuple[int, int]) -> NDArray[np.float16] | None:
    """Map the kept embeddings into memory; None if they are not there or not whole."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.float16 else None


def _keep(path: Path, vectors: NDArray[np.float16]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as part:
            np.save(part, vectors, allow_pickle=False)
    except OSError as error:
        warnings.warn(
            f"the world's embeddings cannot be kept in {path.parent} ({error.strerror}): they are made anew next "
            f"time. Set {CACHE_VARIABLE} to a folder that can be written",
            CacheWarning,
            stacklevel=3,
        )
