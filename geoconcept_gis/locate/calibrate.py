"""How far the scores of photos may be trusted: temperature and floor, fitted on photos whose place is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..gallery import LAND_RESOLUTION
from .density import Calibration
from .priors import make_prior

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .density import Surface

__all__ = ["FLOORS", "TEMPERATURES", "calibration_losses", "choose", "fit_calibration"]

TEMPERATURES = (0.01, 0.02, 0.03, 0.045, 0.07, 0.1, 0.15, 0.2, 0.3)
FLOORS = (0.01, 0.02, 0.05, 0.1, 0.2)
_BATCH = 64


def fit_calibration(
    surface: Surface,
    vectors: ArrayLike,
    lonlat: NDArray[np.float64],
    *,
    temperatures: Sequence[float] = TEMPERATURES,
    floors: Sequence[float] = FLOORS,
) -> Calibration:
    """Return the temperature and floor under which the true cells of photos are most probable.

    Parameters
    ----------
    surface : Surface
        Of the model whose space the vectors live in.
    vectors : array_like of shape (N, 512)
        Of photos that the model was not trained on, or the calibration is too sure of itself.
    lonlat : ndarray of float64, shape (N, 2)
        Where they were taken: (lon, lat) in degrees, EPSG:4326. Places off the surface (out at sea) are left out.
    temperatures, floors : sequence of float
        What is tried.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        No place lies on the surface.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> from geoconcept_gis.locate.density import open_surface
    >>> fit_calibration(open_surface(load_model()), vectors, lonlat).temperature            # doctest: +SKIP
    0.02
    """
    losses = np.zeros((len(temperatures), len(floors)))
    losses = calibration_losses(surface, vectors, lonlat, temperatures=temperatures, floors=floors)
    if np.isnan(losses).all():
        raise InputError("no photo lies on land or near a photo place: there is nothing to calibrate on")
    return choose(losses, temperatures, floors)


def choose(
    losses: NDArray[np.float64], temperatures: Sequence[float] = TEMPERATURES, floors: Sequence[float] = FLOORS
) -> Calibration:
    """Return the calibration with the smallest mean loss; see `calibration_losses`."""
    i, j = np.unravel_index(int(np.nanmean(losses, axis=0).argmin()), losses.shape[1:])
    return Calibration(float(temperatures[int(i)]), float(floors[int(j)]))


def calibration_losses(
    surface: Surface,
    vectors: ArrayLike,
    lonlat: NDArray[np.float64],
    *,
    temperatures: Sequence[float] = TEMPERATURES,
    floors: Sequence[float] = FLOORS,
) -> NDArray[np.float64]:
    """Return minus the log probability of each photo's own cell, under every temperature and floor.

    Parameters
    ----------
    surface, vectors, lonlat, temperatures, floors
        As in `fit_calibration`.

    Returns
    -------
    ndarray of float64, shape (N, T, F)
        NaN for photos off the surface.
    """
    from ..h3cells import cells_of

    vectors = np.asarray(vectors, dtype=np.float32)
    cells = cells_of(lonlat, LAND_RESOLUTION)
    row = np.searchsorted(surface.cells, cells).clip(max=len(surface) - 1)
    prior = make_prior(surface)[0]
    floor = np.asarray(floors)[None, :]
    out = np.full((len(vectors), len(temperatures), len(floors)), np.nan)
    known = np.flatnonzero(surface.cells[row] == cells)
    for part in np.array_split(known, -(-len(known) // _BATCH)) if len(known) else ():
        photos, land = (gallery.scores(vectors[part]) for gallery in (surface.photos, surface.land))
        by_place = prior[row[part], None]
        for i, temperature in enumerate(temperatures):
            likelihood = surface.mean_likelihood(photos, land, temperature)
            sure = surface.posterior(likelihood, prior, Calibration(temperature))
            own = sure[np.arange(len(part)), row[part], None]
            out[part, i] = -np.log((1.0 - floor) * own + floor * by_place)
    return out
