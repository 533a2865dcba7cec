"""How far photos and texts may be trusted, fitted on CLIP vectors of which only the country is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..model import CLIP_TOWER
from ..progress import report
from .calibrate import choose
from .density import Calibration, open_surface
from .priors import make_prior
from .vectors import to_shared

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ..model import GeoConceptModel
    from ..progress import Progress
    from .density import Surface

__all__ = ["SOURCE", "CountryFit", "calibrate_on_countries"]

SOURCE = "CLIP ViT-L/14 vectors of stevejpapad/image-text-verification (Apache-2.0), country by caption"
TEMPERATURES = tuple(float(one) for one in np.round(np.geomspace(0.010, 0.040, 13), 5))
FLOORS = (0.01, 0.02, 0.05, 0.1, 0.2)
_VECTORS = "clip/clip_vitl14_country_vectors.npz"
_KINDS = ("image", "text")
_BATCH = 16


@dataclass(frozen=True)
class CountryFit:
    """What was fitted on the vectors of one kind.

    Attributes
    ----------
    calibration : Calibration
    mean : ndarray of float32, shape (512,)
        Mean unit vector in the shared space.
    native_length : float
        Mean length of the tower's own vectors.
    count : int
        How many vectors.
    """

    calibration: Calibration
    mean: NDArray[np.float32]
    native_length: float
    count: int


def calibrate_on_countries(model: GeoConceptModel, *, progress: Progress | None = None) -> dict[str, CountryFit]:
    """Fit temperature and floor of photos and of texts on real CLIP vectors whose country is known.

    Parameters
    ----------
    model : GeoConceptModel
        Its image head reads CLIP ViT-L/14. Its galleries are made first where they are not in the cache.
    progress : callable, optional
        Called as ``progress(done, total)`` in places of the galleries, then in vectors; return true to cancel.

    Returns
    -------
    dict of str to CountryFit
        ``image`` and ``text``.

    Raises
    ------
    InputError
        The data folder (environment variable ``GEOCONCEPT_DATA``) has no such vectors, or the model reads another
        tower.
    Cancelled
        `progress` asked to stop.

    Notes
    -----
    The best temperature and floor are those under which the true countries are most probable: the mean of minus the log
    of the probability that all cells of the country have together.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> calibrate_on_countries(load_model())["image"].calibration.temperature               # doctest: +SKIP
    0.02
    """
    from ..bank.sources import Truths, country_codes, data_folder

    path = data_folder() / _VECTORS
    if not path.is_file():
        raise InputError(f"{path} is missing: photos cannot be calibrated without vectors whose country is known")
    check_tower(model)
    surface = open_surface(model, progress=progress)
    codes = country_codes(data_folder())
    of_cell = np.array([codes.get(name, "") for name in Truths(surface.lonlat, data_folder()).country()])
    fits = {}
    for kind in _KINDS:
        features, country = _read(path, kind)
        units = to_shared(features, model)
        known = np.isin(country, of_cell)
        losses = _losses(surface, units[known], country[known], of_cell, progress)
        fits[kind] = CountryFit(
            choose(losses, TEMPERATURES, FLOORS),
            units.mean(axis=0),
            float(np.linalg.norm(features, axis=1).mean()),
            len(units),
        )
    return fits


def check_tower(model: GeoConceptModel) -> None:
    """Refuse a model that does not read CLIP's features."""
    if (tower := model.image_tower["tower"]) != CLIP_TOWER:
        raise InputError(
            f"model {model.name!r} reads photos through tower {tower!r}; the vectors whose country is known are CLIP's"
        )


def _read(path: Path, kind: str) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    with np.load(path) as file:
        return file[kind].astype(np.float32), file[f"{kind}_country"].astype(str)


def _losses(
    surface: Surface,
    units: NDArray[np.float32],
    country: NDArray[np.str_],
    of_cell: NDArray[np.str_],
    progress: Progress | None,
) -> NDArray[np.float64]:
    """Return minus the log probability of each vector's country, (N, T, F)."""
    prior = make_prior(surface)[0]
    floor = np.asarray(FLOORS)
    out = np.empty((len(units), len(TEMPERATURES), len(FLOORS)))
    for start in range(0, len(units), _BATCH):
        rows = range(start, min(start + _BATCH, len(units)))
        photos, land = (gallery.scores(units[rows]) for gallery in (surface.photos, surface.land))
        masks = [of_cell == country[row] for row in rows]
        for i, temperature in enumerate(TEMPERATURES):
            likelihood = surface.mean_likelihood(photos, land, temperature)
            sure = surface.posterior(likelihood, prior, Calibration(temperature))
            for row, mask, one in zip(rows, masks, sure, strict=True):
                out[row, i] = -np.log((1.0 - floor) * one[mask].sum() + floor * prior[mask].sum())
        report(progress, rows.stop, len(units))
    return out
