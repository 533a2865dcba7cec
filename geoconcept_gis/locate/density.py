"""From cosines with galleries to a probability over the Earth: likelihood by cell, prior, temperature, floor, kernel.

A softmax over a gallery says where the gallery is dense. Here every cell first gets the *mean* likelihood of the places
in it, however many there are, and then an explicit prior says how likely a photo is to come from there at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..gallery import open_gallery

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ..gallery import Gallery
    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["EARTH_RADIUS_KM", "Calibration", "Surface", "open_surface"]

EARTH_RADIUS_KM = 6371.0088
#: The kernel ends at this many standard deviations.
_REACH = 2.5


@dataclass(frozen=True)
class Calibration:
    """How far scores are to be trusted, fitted on vectors whose place is known.

    Attributes
    ----------
    temperature : float
        Cosines are divided by it.
    floor : float
        Share of vectors that say nothing of their place: their probability goes to the prior.
    kernel_km : float
        Standard deviation of the kernel that spreads each cell's probability over its neighbours.
    """

    temperature: float
    floor: float = 0.0
    kernel_km: float = 0.0


@dataclass(frozen=True, eq=False, repr=False)
class Surface:
    """Cells of the Earth where a photo can come from, and the galleries that score them. Made by `open_surface`.

    Attributes
    ----------
    photos, land : Gallery
    cells : ndarray of uint64, shape (M,)
        H3 cells of resolution 4 (some 45 km across) with land or with a photo place, sorted.
    lonlat : ndarray of float64, shape (M, 2)
        Their centres.
    area_km2 : ndarray of float64, shape (M,)
    """

    photos: Gallery
    land: Gallery
    cells: NDArray[np.uint64]
    lonlat: NDArray[np.float64]
    area_km2: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.cells)

    def __repr__(self) -> str:
        return f"<Surface: {len(self):,} cells, {self.photos!r}, {self.land!r}>"

    @cached_property
    def _members(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Places of both galleries, cell by cell; where each cell's begin, and how many they are (never none)."""
        row = np.searchsorted(self.cells, np.concatenate([self.photos.cells, self.land.cells]))
        order = np.argsort(row, kind="stable")
        return order, np.flatnonzero(np.diff(row[order], prepend=-1)), np.bincount(row, minlength=len(self))

    @cached_property
    def photo_counts(self) -> NDArray[np.float64]:
        """Photo places in each cell, shape (M,)."""
        row = np.searchsorted(self.cells, self.photos.cells)
        return np.bincount(row, minlength=len(self)).astype(np.float64)

    def log_likelihood(self, queries: ArrayLike, temperature: float) -> NDArray[np.float64]:
        """Return the log of the mean likelihood of the places in each cell.

        Parameters
        ----------
        queries : array_like of shape (Q, 512)
            Vectors of photos or texts in the shared space.
        temperature : float
            Cosines are divided by it.

        Returns
        -------
        ndarray of float64, shape (Q, M)
            Up to a constant a query.
        """
        return self.mean_likelihood(self.photos.scores(queries), self.land.scores(queries), temperature)

    def mean_likelihood(
        self, photos: NDArray[np.float32], land: NDArray[np.float32], temperature: float
    ) -> NDArray[np.float64]:
        """Return `log_likelihood` from cosines with both galleries, (Q, 100000) and (Q, land cells)."""
        order, starts, places = self._members
        out = np.empty((len(photos), len(self)))
        for k, (one, two) in enumerate(zip(photos, land, strict=True)):
            score = np.concatenate([one, two]).astype(np.float64)[order] / temperature
            # From the best of each cell: small temperatures must not make all of them zero.
            top = np.maximum.reduceat(score, starts)
            out[k] = top + np.log(np.add.reduceat(np.exp(score - np.repeat(top, places)), starts) / places)
        return out

    def posterior(
        self, log_likelihood: NDArray[np.float64], prior: NDArray[np.float64], calibration: Calibration
    ) -> NDArray[np.float64]:
        """Return the probability of each cell.

        Parameters
        ----------
        log_likelihood : ndarray of float64, shape (Q, M)
        prior : ndarray of float64, shape (M,)
            Sums to one; zero rules a cell out.
        calibration : Calibration

        Returns
        -------
        ndarray of float64, shape (Q, M)
            Rows sum to one.
        """
        with np.errstate(divide="ignore"):
            weight = np.log(prior) + log_likelihood
        weight = np.exp(weight - weight.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        if calibration.kernel_km > 0.0:
            weight = (self.kernel(calibration.kernel_km) @ weight.T).T * (prior > 0.0)
            weight /= weight.sum(axis=1, keepdims=True)
        return np.asarray((1.0 - calibration.floor) * weight + calibration.floor * prior)

    def kernel(self, km: float) -> Any:
        """Return the Gaussian kernel on the sphere as a sparse matrix (M, M) whose columns sum to one."""
        kept = self.__dict__.setdefault("_kernels", {})
        if km not in kept:
            kept[km] = _gaussian(self.lonlat, km)
        return kept[km]


def open_surface(model: GeoConceptModel, *, progress: Progress | None = None) -> Surface:
    """Open both galleries of a model and lay out the cells.

    Parameters
    ----------
    model : GeoConceptModel
    progress : callable, optional
        Called as ``progress(done, total)`` while a gallery is embedded, the first time for a model.

    Returns
    -------
    Surface
    """
    from ..h3cells import areas_of, centers_of

    photos, land = (open_gallery(model, name, progress=progress) for name in ("photos", "land"))
    cells = np.union1d(photos.cells, land.cells)
    return Surface(photos, land, cells, centers_of(cells), areas_of(cells))


def _gaussian(lonlat: NDArray[np.float64], km: float) -> Any:
    from scipy.sparse import coo_matrix
    from scipy.spatial import cKDTree

    lon, lat = np.radians(lonlat).T
    xyz = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    tree = cKDTree(xyz)
    reach = 2.0 * np.sin(min(_REACH * km / EARTH_RADIUS_KM, np.pi) / 2.0)
    near = tree.sparse_distance_matrix(tree, reach, output_type="coo_matrix")
    distance = 2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(near.data / 2.0, 1.0))
    matrix = coo_matrix((np.exp(-0.5 * (distance / km) ** 2), (near.row, near.col)), near.shape).tocsc()
    return matrix.multiply(1.0 / matrix.sum(axis=0)).tocsr()
