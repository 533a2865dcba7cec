"""From cosines with galleries to a probability over the Earth: likelihood by cell, prior, temperature, floor, kernel.

A softmax over a gallery says where the gallery is dense. Here every cell first gets the *mean* likelihood of the places
in it, however many there are, and then an explicit prior says how likely a photo is to come from there at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..gallery import open_gallery
from .sphere import within

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from ..gallery import Gallery
    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["Calibration", "Surface", "open_surface"]

#: The kernel ends at this many standard deviations.
_REACH = 2.5
#: Photos are taken around places where photos are known to be taken ...
_SPREAD_KM = 50.0
#: ... and this share of them anywhere on land.
_ANYWHERE = 0.05


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
        Cells (some 45 km across) with land or with a photo place, sorted: H3's of resolution 4, or their numbers in
        `geoconcept_gis.locate.hexgrid`.
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
        for k, (one, two) in enumerate(zip(photos, land)):
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
            weight = self.spread(weight, calibration.kernel_km) * (prior > 0.0)
            weight /= weight.sum(axis=1, keepdims=True)
        return np.asarray((1.0 - calibration.floor) * weight + calibration.floor * prior)

    def prior(self, count: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return how likely a photo is to come from each cell before one has looked at it.

        Parameters
        ----------
        count : ndarray of float64, shape (M,), optional
            What draws photos, such as `photo_counts`: 95 % of them are spread as it is, with a kernel of 50 km, the
            rest evenly over land. None is all of them evenly over land.

        Returns
        -------
        ndarray of float64, shape (M,)
            Sums to one.
        """
        area = self.area_km2 / self.area_km2.sum()
        if count is None:
            return np.asarray(area)
        count = self.spread(count, _SPREAD_KM)
        return np.asarray((1.0 - _ANYWHERE) * count / count.sum() + _ANYWHERE * area)

    def spread(self, values: NDArray[np.float64], km: float) -> NDArray[np.float64]:
        """Spread each cell's value over its neighbours by a Gaussian kernel on the sphere; the sum stays.

        Parameters
        ----------
        values : ndarray of float64, shape (..., M)
        km : float
            The kernel's standard deviation; it ends at 2.5 of them.

        Returns
        -------
        ndarray of float64, shape (..., M)
        """
        source, target, share = self._kernel(km)
        out: NDArray[np.float64] = np.empty(values.shape)
        for old, new in zip(values.reshape(-1, len(self)), out.reshape(-1, len(self))):
            new[:] = np.bincount(target, share * old[source], minlength=len(self))
        return out

    def _kernel(self, km: float) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Return pairs of cells and which share of the first one's value goes to the second."""
        kept = self.__dict__.setdefault("_kernels", {})
        if km not in kept:
            source, target, distance = within(self.lonlat, self.lonlat, _REACH * km)
            weight = np.exp(-0.5 * (distance / km) ** 2)
            kept[km] = source, target, weight / np.bincount(source, weight)[source]
        pairs: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]] = kept[km]
        return pairs


def open_surface(
    model: GeoConceptModel, *, folder: Path | None = None, plain: bool = False, progress: Progress | None = None
) -> Surface:
    """Open both galleries of a model and lay out the cells.

    Parameters
    ----------
    model : GeoConceptModel
    folder : pathlib.Path, optional
        Where galleries are kept; None is `geoconcept_gis.gallery.cache_folder`.
    plain : bool, default False
        On numpy alone, as in QGIS: the cells are those of `geoconcept_gis.locate.hexgrid`, the same hexagons under
        other numbers.
    progress : callable, optional
        Called as ``progress(done, total)`` while a gallery is embedded, the first time for a model.

    Returns
    -------
    Surface
    """
    if plain:
        from .hexgrid import areas_of, centers_of
    else:
        from ..h3cells import areas_of, centers_of

    photos, land = (
        open_gallery(model, name, folder=folder, plain=plain, progress=progress) for name in ("photos", "land")
    )
    cells = np.union1d(photos.cells, land.cells)
    return Surface(photos, land, cells, centers_of(cells), areas_of(cells))
