"""Cells of the Earth that hold about as many photos each: the classes of a classifier of places, as in PlaNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import h3ronpy
import numpy as np
import pyarrow as pa

from ..coordinates import check_lonlat
from ..encoder.features import unit_vectors
from ..errors import InputError
from ..h3cells import cells_of, check_resolution, parents_of, to_numpy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Geocells", "make_geocells"]

#: Places that are compared with all cells at a time.
_AT_ONCE = 1 << 12


@dataclass(frozen=True, eq=False, repr=False)
class Geocells:
    """Classes of places. Made by `make_geocells`.

    Attributes
    ----------
    cells : ndarray of uint64, shape (n,)
        H3 cells, sorted. A cell may lie inside another: a place belongs to the finest that holds it.
    lonlat : ndarray of float64, shape (n, 2)
        Mean place of the photos in each, (lon, lat) in degrees, EPSG:4326.
    finest : int
        H3 resolution at which places are looked up.
    """

    cells: NDArray[np.uint64]
    lonlat: NDArray[np.float64]
    finest: int

    def __len__(self) -> int:
        return len(self.cells)

    def __repr__(self) -> str:
        resolutions = _resolutions(self.cells)
        return f"<Geocells: {len(self):,} of H3 resolution {resolutions.min()} to {resolutions.max()}>"

    def assign(self, lonlat: ArrayLike) -> NDArray[np.int64]:
        """Find the class of any place.

        Parameters
        ----------
        lonlat : array_like of shape (N, 2)
            (lon, lat) in degrees, EPSG:4326.

        Returns
        -------
        ndarray of int64, shape (N,)
            Row of the finest cell that holds the place; where none does, of the one whose mean place is nearest.

        Raises
        ------
        CoordinateError
            A row is not a place on Earth; rows are named.

        Examples
        --------
        >>> geocells = make_geocells([[2.3, 48.8]] * 30 + [[139.7, 35.7]] * 30, most=20, fewest=10, finest=3)
        >>> geocells.assign([[139.6, 35.6], [2.4, 48.9], [0.1, 51.5]]).tolist()
        [1, 0, 0]
        """
        places = check_lonlat(lonlat)
        index = _innermost(cells_of(places, self.finest), self.cells)
        stray = np.flatnonzero(index < 0)
        centres = unit_vectors(self.lonlat)
        for start in range(0, len(stray), _AT_ONCE):
            some = stray[start : start + _AT_ONCE]
            index[some] = np.argmax(unit_vectors(places[some]) @ centres.T, axis=1)
        return index


def make_geocells(
    lonlat: ArrayLike, *, most: int = 200, fewest: int = 10, coarsest: int = 0, finest: int = 6
) -> Geocells:
    """Divide the Earth into H3 cells, finer where more photos were taken.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2)
        Where the photos for training were taken: (lon, lat) in degrees, EPSG:4326.
    most : int, default 200
        A cell with more photos is divided, down to `finest`.
    fewest : int, default 10
        A cell needs as many. The photos of smaller ones stay with the cell that was divided, if that has enough left
        on its own; else they go to the nearest cell.
    coarsest, finest : int, default 0 and 6
        H3 resolutions: cells of 4.4 million km2, and of 36 km2.

    Returns
    -------
    Geocells
        The same cells for the same photos, in whatever order.

    Raises
    ------
    InputError
        Numbers do not fit together, or no cell has `fewest` photos.
    CoordinateError
        A row is not a place on Earth; rows are named.

    Notes
    -----
    PlaNet (Weyand et al. 2016, arXiv 1602.05314, section 3) divides S2 cells in the same way, but leaves out the photos
    of cells with too few. Here every photo has a cell.

    Examples
    --------
    >>> from geoconcept_gis import reference_places
    >>> geocells = make_geocells(reference_places("uniform_land", 5000), most=50, fewest=10)
    >>> geocells
    <Geocells: 237 of H3 resolution 0 to 1>
    """
    places = check_lonlat(lonlat)
    coarsest, finest = check_resolution(coarsest), check_resolution(finest)
    if coarsest > finest:
        raise InputError(f"coarsest must not be above finest: got {coarsest} and {finest}")
    if not 1 <= fewest <= most:
        raise InputError(f"fewest must be at least 1, and most no less than it; got fewest={fewest}, most={most}")
    fine = cells_of(places, finest)
    cells = _divide(fine, most, fewest, range(coarsest, finest + 1))
    if not len(cells):
        raise InputError(
            f"{len(places):,} photos are too few: no H3 cell of resolution {coarsest} has {fewest} of them; lower "
            "fewest, or choose a coarser coarsest"
        )
    index = _innermost(fine, cells)
    total = np.zeros((len(cells), 3))
    np.add.at(total, index[index >= 0], unit_vectors(places[index >= 0]))
    return Geocells(cells, lonlat_of(total), finest)


def _divide(fine: NDArray[np.uint64], most: int, fewest: int, resolutions: range) -> NDArray[np.uint64]:
    """Return the cells to keep, sorted, from the cell of the finest resolution that each photo lies in."""
    home = np.zeros(len(fine), dtype=np.uint64)
    crowded = np.arange(len(fine))
    for resolution in resolutions:
        cells, inverse, count = np.unique(
            parents_of(fine[crowded], resolution), return_inverse=True, return_counts=True
        )
        enough = (count >= fewest)[inverse]
        home[crowded[enough]] = cells[inverse][enough]
        crowded = crowded[(count > most)[inverse]]
    # A cell may have lost most of its photos to those inside it.
    cells, count = np.unique(home, return_counts=True)
    return np.asarray(cells[(count >= fewest) & (cells != 0)])


def _innermost(fine: NDArray[np.uint64], cells: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the row of the finest of `cells` (sorted) that holds each cell of the finest resolution, or -1."""
    index = np.full(len(fine), -1, dtype=np.int64)
    for resolution in np.unique(_resolutions(cells)):
        parents = parents_of(fine, int(resolution))
        row = np.minimum(np.searchsorted(cells, parents), len(cells) - 1)
        found = cells[row] == parents
        index[found] = row[found]
    return index


def _resolutions(cells: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return to_numpy(h3ronpy.cells_resolution(pa.array(cells)))


def lonlat_of(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(lon, lat) in degrees of the directions of vectors (x, y, z), shape (N, 2)."""
    x, y, z = vectors.T
    return np.stack([np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))], axis=1)
