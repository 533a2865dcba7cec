"""Where a vector may be from, on numpy alone: probabilities of cells, credible levels, best places, reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .sphere import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["LEVELS", "WITHIN_KM", "Posterior"]

#: Credible areas.
LEVELS = (0.5, 0.9)
#: A point's probability is that of the place lying within this distance, and points are four times that apart.
WITHIN_KM = 50.0
#: Best places at most, and cells that are looked at for them: not all 86,000.
_MOST, _CANDIDATES = 10, 2_000


@dataclass(frozen=True, eq=False)
class Posterior:
    """Where a photo, a text or a vector may be from. Made by `geoconcept_gis.locate.vectors.locate_queries`.

    Attributes
    ----------
    name : str
        Of the photo, or the text.
    cells : ndarray of uint64, shape (M,)
        Cells where it may be, sorted.
    lonlat : ndarray of float64, shape (M, 2)
        Their centres, degrees, EPSG:4326.
    area_km2 : ndarray of float64, shape (M,)
    probability : ndarray of float64, shape (M,)
        Of each cell; sums to one.
    prior : ndarray of float64, shape (M,), or None
        The same before one has looked at the photo. Their ratio is what the photo says.
    provenance : dict of str to str
        Model, sha256, tower, prior, calibration, scale.
    exif_lonlat : tuple of float, or None
        What the photo's EXIF says of its position. It is reported, never used.
    nearest : tuple of float, or None
        Place of GeoCLIP's gallery that is most like the photo, (lon, lat): what GeoCLIP itself would answer.

    See Also
    --------
    geoconcept_gis.Geolocation : The same with tables, shapes and rasters.

    Examples
    --------
    >>> from geoconcept_gis.locate.hexgrid import areas_of, cells_of, centers_of
    >>> cells = np.sort(cells_of(np.array([[31.2, 30.0], [2.3, 48.9]])))
    >>> found = Posterior("by hand", cells, centers_of(cells), areas_of(cells), np.array([0.25, 0.75]))
    >>> found.best_places[1].tolist(), found.inside(0.5).tolist()
    ([0.75, 0.25], [False, True])
    """

    name: str
    cells: NDArray[np.uint64]
    lonlat: NDArray[np.float64]
    area_km2: NDArray[np.float64]
    probability: NDArray[np.float64]
    prior: NDArray[np.float64] | None = None
    provenance: dict[str, str] = field(default_factory=dict)
    exif_lonlat: tuple[float, float] | None = None
    nearest: tuple[float, float] | None = None
    # From places (lon, lat) to cosines with the photo, to search between the cells' centres; None forbids it.
    _finer: Callable[[NDArray[np.float64]], NDArray[np.float32]] | None = None
    _reasons: Callable[[Any], dict[str, Any]] | None = None

    @property
    def density(self) -> NDArray[np.float64]:
        """Probability per km2 of each cell, shape (M,)."""
        return self.probability / self.area_km2

    @property
    def within_km(self) -> float:
        """A point's probability is that of the place lying so near: 50 km, or half a cell where cells are larger."""
        return max(WITHIN_KM, float(np.sqrt(self.area_km2.max() / np.sqrt(12.0))))

    @property
    def best_places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Likely places, best first, never a mean between them: (lon, lat), shape (K, 2), and probability, shape (K,).

        A place's probability is that of lying within `within_km` of it. Up to ten, some four times that far apart.
        """
        return self._ranked[1:]

    @cached_property
    def credible(self) -> NDArray[np.float64]:
        """The credible level at which each cell is taken in, 0 to 1, shape (M,): small where the place likely is."""
        order = np.argsort(-self.density, kind="stable")
        out = np.empty(len(order))
        before = np.cumsum(self.probability[order]) - self.probability[order]
        out[order] = before
        return out

    def inside(self, level: float) -> NDArray[np.bool_]:
        """Return which cells make up the smallest area that holds the place with a probability of `level`, 0 to 1."""
        inside = self.credible <= level
        inside[np.argmax(self.density)] = True
        return np.asarray(inside)

    @cached_property
    def reasons(self) -> dict[str, Any]:
        """What carried it: columns of `geoconcept_gis.locate.reasons.reasons_of`, by name.

        Raises
        ------
        InputError
            It was combined or coarsened, so the photo's vector is not at hand.
        """
        if self._reasons is None:
            raise InputError(
                "the photo's vector is not at hand any more: ask the geolocation that `geolocate` returned"
            )
        return self._reasons(self)

    @cached_property
    def _ranked(self) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        """The points, best first: row of their cell, (lon, lat), and the probability around them."""
        rows = self._modes()
        places = self._refine(rows)
        near = np.array([self.probability[found].sum() for found in self._around(rows, places, self.within_km)])
        order = np.argsort(-near, kind="stable")
        return rows[order], places[order], near[order]

    def _around(self, rows: NDArray[np.intp], places: NDArray[np.float64], km: float) -> list[NDArray[np.intp]]:
        """Return the cells within a distance of each place; the place's own where no centre is so near."""
        one, other, _ = within(places, self.lonlat, km)
        order = np.argsort(one, kind="stable")
        parts = np.split(other[order], np.cumsum(np.bincount(one, minlength=len(rows)))[:-1])
        return [np.sort(found) if len(found) else rows[k : k + 1] for k, found in enumerate(parts)]

    def _modes(self) -> NDArray[np.intp]:
        """Return the cells around which most probability lies."""
        candidates = np.argsort(-self.probability, kind="stable")[:_CANDIDATES]
        around = self._around(candidates, self.lonlat[candidates], self.within_km)
        mass = np.array([self.probability[found].sum() for found in around])
        free = np.ones(len(candidates), dtype=bool)
        rows: list[int] = []
        while free.any() and len(rows) < _MOST:
            best = int(np.argmax(np.where(free, mass, -1.0)))
            if mass[best] <= 1e-3 and rows:
                break
            rows.append(int(candidates[best]))
            free[within(self.lonlat[rows[-1:]], self.lonlat[candidates], 4.0 * self.within_km)[1]] = False
        return np.array(rows, dtype=np.intp)

    def _refine(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the best place near each cell: the centre of the child that is most like the photo, on land if any."""
        if self._finer is None:
            return self.lonlat[rows]
        from ..land_mask import on_land
        from .hexgrid import cells_of, children_of

        around = self._around(rows, self.lonlat[rows], WITHIN_KM)
        cells = np.concatenate(around)
        children = children_of(cells_of(self.lonlat[cells])).reshape(-1, 2)
        owner = np.repeat(np.arange(len(cells)), 7)
        # The child's own likeness, and how likely its cell is.
        temperature = float(self.provenance["temperature"])
        score = self._finer(children).astype(np.float64) / temperature
        with np.errstate(divide="ignore"):
            score += np.log(self.density[cells])[owner] - _log_mean(score, owner)[owner]
        # Photos at sea are taken near the land: a child at sea comes after every child on land.
        score -= np.where(on_land(children), 0.0, 1e6)
        mode = np.repeat(np.arange(len(rows)), [len(found) for found in around])[owner]
        best = [np.flatnonzero(mode == k)[np.argmax(score[mode == k])] for k in range(len(rows))]
        return np.asarray(children[best])


def _log_mean(values: NDArray[np.float64], owner: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return log of the mean of exp(values) by owner."""
    top = np.full(owner.max() + 1, -np.inf)
    np.maximum.at(top, owner, values)
    total = np.bincount(owner, np.exp(values - top[owner]))
    return np.asarray(top + np.log(total / np.bincount(owner)))
