"""Sets of places that concepts are told apart in: a sample to fit on, and a larger pool for what is rare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConceptError
from ..fitting import Examples, centre, check_separable
from ..reference import reference_places
from .definitions import EARTH, LAND, MIXED, PHOTOS
from .sources import Truths, gallery_places, photo_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from .definitions import Definition

    Encode = Callable[[NDArray[np.float64]], NDArray[np.float32]]

__all__ = ["Universe", "open_universe"]

#: A rare label gets places of the pool until it has this many.
FEWEST = 1_000
#: Below this the test itself would be noise.
FEWEST_TO_FIT = 10
SAMPLE = {LAND: 60_000, EARTH: 30_000, MIXED: 60_000}
POOL = {LAND: 600_000, EARTH: 300_000, MIXED: 600_000}


@dataclass(frozen=True)
class Embedded:
    """Places with their centred unit vectors, (lon, lat) and countries."""

    x: NDArray[np.float32]
    lonlat: NDArray[np.float64]
    country: NDArray[np.str_]

    def examples(self, choice: Choice) -> Examples:
        """Gather what a concept is fitted on."""
        return Examples(self.x[choice.rows], choice.y, self.lonlat[choice.rows], choice.weight)


@dataclass(frozen=True)
class Choice:
    """Rows of an `Embedded`, whether each carries the label, and how many places it stands for."""

    rows: NDArray[np.int64]
    y: NDArray[np.bool_]
    weight: NDArray[np.float64]


@dataclass
class Universe:
    """A pool of places; the first `sample` of them are the reference set.

    Attributes
    ----------
    name : str
        Name of the reference set.
    truths : Truths
        Of the whole pool.
    sample : int
        How many of the pool are the reference set.
    weight : ndarray of float64, shape (len(pool),)
        How many places of the Earth each stands for.
    encode : callable
        From (lon, lat) to embeddings.
    """

    name: str
    truths: Truths
    sample: int
    weight: NDArray[np.float64]
    encode: Encode

    def __post_init__(self) -> None:
        self._vectors = np.zeros((0, 512), dtype=np.float32)
        self._row = np.full(len(self.truths), -1, dtype=np.int64)
        self.need(np.arange(self.sample))
        unit = self._vectors / np.linalg.norm(self._vectors, axis=1, keepdims=True)
        self.mean = unit.mean(axis=0, dtype=np.float64).astype(np.float32)

    def need(self, rows: NDArray[np.integer]) -> None:
        """Embed pool places that have not been embedded yet."""
        new = np.unique(rows[self._row[rows] < 0])
        if len(new):
            self._row[new] = len(self._vectors) + np.arange(len(new))
            self._vectors = np.concatenate([self._vectors, self.encode(self.truths.lonlat[new])])

    def reference_vectors(self) -> NDArray[np.float32]:
        """Embeddings of the reference set."""
        return self._vectors[: self.sample]

    def rows_for(self, label: NDArray[np.float64]) -> NDArray[np.intp]:
        """Rows to fit a label on: the sample, and more of the pool with the label where it is rare."""
        rows = np.flatnonzero(~np.isnan(label[: self.sample]))
        short = FEWEST - int((label[: self.sample] == 1.0).sum())
        more = self.sample + np.flatnonzero(label[self.sample :] == 1.0)[: max(short, 0)]
        return np.concatenate([rows, more])

    def choose(self, definition: Definition, label: NDArray[np.float64]) -> Choice:
        """Choose the places that a concept is fitted on, and weigh them so that the label has its share of the pool."""
        rows = self.rows_for(label)
        y = label[rows] == 1.0
        if y.sum() < FEWEST_TO_FIT:
            raise ConceptError(f"concept {definition.name!r} has {int(y.sum())} places with its label: too few")
        check_separable(self.truths.lonlat[rows], y)
        known = ~np.isnan(label)
        share = float(self.weight[label == 1.0].sum() / self.weight[known].sum())
        weight = self.weight[rows].copy()
        weight[y] *= share / weight[y].sum()
        weight[~y] *= (1.0 - share) / weight[~y].sum()
        return Choice(self._row[rows], y, weight * len(rows))

    def embedded(self) -> Embedded:
        """Return all that was embedded so far, in the order that choices count in."""
        rows = self._pool_rows()
        return Embedded(centre(self._vectors, self.mean), self.truths.lonlat[rows], self.truths.country()[rows])

    def embedded_lonlat(self) -> NDArray[np.float64]:
        """Return where all that was embedded so far lies, in the same order."""
        return self.truths.lonlat[self._pool_rows()]

    def _pool_rows(self) -> NDArray[np.int64]:
        rows = np.empty(len(self._vectors), dtype=np.int64)
        pool = np.flatnonzero(self._row >= 0)
        rows[self._row[pool]] = pool
        return rows


def open_universe(name: str, data: Path, encode: Encode) -> Universe:
    """Draw the places of a reference set and its pool."""
    if name == PHOTOS:
        table = photo_table(data)
        truths = Truths(table[["lon", "lat"]].to_numpy(dtype=np.float64), data, photos=table)
        return Universe(name, truths, len(truths), np.ones(len(truths)), encode)
    sample, pool = SAMPLE[name], POOL[name]
    if name != MIXED:
        places = reference_places(name, pool)
        return Universe(name, Truths(places, data), sample, np.ones(len(places)), encode)
    land, photos = reference_places(LAND, pool), gallery_places()
    half = sample // 2
    places = np.concatenate([land[:half], photos[:half], photos[half:], land[half:]])
    # Both halves weigh the same, however many places of each are in the pool.
    of_land = np.r_[np.ones(half), np.zeros(len(photos)), np.ones(len(land) - half)].astype(bool)
    weight = np.where(of_land, 1.0 / len(land), 1.0 / len(photos)) * len(places) / 2.0
    return Universe(name, Truths(places, data), sample, weight, encode)
