"""What a trained model is worth: where held-out photos are placed, and which concepts they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..evaluation import evaluate
from ..locate.calibrate import TEMPERATURES, calibration_losses, choose
from ..locate.density import Calibration, open_surface
from ..locate.priors import make_prior

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from ..evaluation import Evaluation
    from ..locate.density import Surface
    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["Report", "measure"]

#: More photos than this are thinned out evenly: a density a photo takes time.
_MOST = 1000
_AT_ONCE = 256
#: Photos that temperature and floor are fitted on, at most.
_CALIBRATED_ON = 200


@dataclass(frozen=True, eq=False)
class Report:
    """What `measure` found.

    Attributes
    ----------
    evaluation : Evaluation
        Points: the best place of the gallery, as GeoCLIP predicts. Densities: with the temperature fitted on the
        other half of the photos.
    calibration : Calibration
        Fitted on all of them (at most 200, taken evenly).
    concepts : pandas.DataFrame
        One row a concept: ``name``, ``family``, ``grade``, ``agreement``: the rank correlation, over the photos,
        between what the photo shows of the concept and what its place does.
    rows : pandas.DataFrame
        One row a photo: ``name``, ``lon``, ``lat`` (predicted), ``true_lon``, ``true_lat``.
    """

    evaluation: Evaluation
    calibration: Calibration
    concepts: pd.DataFrame
    rows: pd.DataFrame


def measure(
    model: GeoConceptModel,
    features: NDArray[np.float32],
    lonlat: NDArray[np.float64],
    *,
    group: NDArray[np.integer] | None = None,
    names: NDArray[Any] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Measure a model on photos that it was not trained on.

    Parameters
    ----------
    model : GeoConceptModel
        Its image head reads the features.
    features : ndarray of float32, shape (N, D)
    lonlat : ndarray of float64, shape (N, 2)
        Where the photos were taken: (lon, lat) in degrees, EPSG:4326.
    group : ndarray of int, shape (N,), optional
        Photographers: intervals draw them as a whole, and calibration keeps them apart.
    names : ndarray, shape (N,), optional
        Of the photos.
    progress : callable, optional
        Called as ``progress(done, total)`` in places while the model's galleries are made.

    Returns
    -------
    Report
    """
    import pandas as pd

    step = -(-len(features) // _MOST)
    features, lonlat = features[::step], lonlat[::step]
    group = np.arange(len(lonlat)) if group is None else group[::step]
    names = np.arange(len(lonlat) * step)[::step] if names is None else names[::step]
    surface = open_surface(model, progress=progress)
    vectors = model.image_head(features)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    parts = np.array_split(vectors, -(-len(vectors) // _AT_ONCE))
    best = np.concatenate([surface.photos.search(part, 1)[0][:, 0] for part in parts])
    points = surface.photos.lonlat[best].astype(np.float64)
    half = np.unique(group, return_inverse=True)[1] % 2 == 1
    calibrations = _calibrations(surface, vectors, lonlat, half)
    densities = _densities(surface, vectors, half, calibrations)
    rows = pd.DataFrame(
        {"name": names, "lon": points[:, 0], "lat": points[:, 1], "true_lon": lonlat[:, 0], "true_lat": lonlat[:, 1]}
    )
    return Report(
        evaluate(points, lonlat, densities=densities, groups=group),
        calibrations[2],
        _concept_agreement(model, vectors, lonlat),
        rows,
    )


def _calibrations(
    surface: Surface, vectors: NDArray[np.float32], lonlat: NDArray[np.float64], half: NDArray[np.bool_]
) -> tuple[Calibration, Calibration, Calibration]:
    """Return what is fitted on some of the photos: on those not in `half`, on those in it, and on all of them.

    The first calibrates photos of the half, the second the others, so that no photo calibrates itself.
    """
    some = np.arange(0, len(vectors), -(-len(vectors) // _CALIBRATED_ON))
    losses = calibration_losses(surface, vectors[some], lonlat[some])
    known = ~np.isnan(losses[:, 0, 0])
    if not known.any():
        nothing = Calibration(TEMPERATURES[-1], 1.0)
        return nothing, nothing, nothing
    every = choose(losses)
    parts = (known & ~half[some], known & half[some])
    one, other = (choose(losses[part]) if part.any() else every for part in parts)
    return one, other, every


def _densities(
    surface: Surface,
    vectors: NDArray[np.float32],
    half: NDArray[np.bool_],
    calibrations: tuple[Calibration, Calibration, Calibration],
) -> Iterator[pd.DataFrame]:
    """Return each photo's density, calibrated on the other half of the photographers."""
    import pandas as pd

    prior = make_prior(surface)[0]
    for vector, inside in zip(vectors, half, strict=True):
        one = calibrations[0] if inside else calibrations[1]
        likelihood = surface.log_likelihood(vector[None], one.temperature)
        probability = surface.posterior(likelihood, prior, one)[0]
        yield pd.DataFrame({"h3": surface.cells, "probability": probability})


def _concept_agreement(
    model: GeoConceptModel, vectors: NDArray[np.float32], lonlat: NDArray[np.float64]
) -> pd.DataFrame:
    """Return how photos and their places agree on each concept, as rank correlations over the photos."""
    import pandas as pd

    shown = model.bank.shown
    of_photos = (vectors - vectors.mean(axis=0)) @ np.stack([concept.vector for concept in shown]).T
    of_places = model.scorer(shown, "cosine")(model.encode(lonlat))
    agreement = pd.DataFrame(of_photos).corrwith(pd.DataFrame(of_places), method="spearman")
    record = {"name": [c.name for c in shown], "family": [c.family for c in shown], "grade": [c.grade for c in shown]}
    return pd.DataFrame({**record, "agreement": agreement.to_numpy()})
