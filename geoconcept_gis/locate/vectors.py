"""From vectors to posteriors: what `geolocate` does once photos and texts are vectors. On numpy alone, for QGIS too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..errors import ConceptError, InputError
from ..model import CLIP_TOWER, DEFAULT_SPACE
from ..tensors import read_tensors
from .density import Calibration
from .posterior import Posterior
from .reasons import reasons_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ..model import GeoConceptModel
    from .density import Surface

__all__ = ["Query", "calibration_of", "locate_queries", "mean_of", "native_length", "query_of", "to_shared"]

_FITTED = Path(__file__).parents[1] / "data" / "locate.json"
_MEANS = Path(__file__).parents[1] / "data" / "locate.safetensors"
Found = TypeVar("Found", bound=Posterior)


@dataclass(frozen=True)
class Query:
    """A vector of the shared space, what it came from and what is known of it."""

    name: str
    kind: str  # "image", "text" or "weak": which calibration
    vector: NDArray[np.float32]
    tower: str
    exif: tuple[float, float] | None = None


def calibration_of(kind: str, model: GeoConceptModel | None = None) -> Calibration:
    """Return the fitted calibration of photos (``image``), texts (``text``) or the bundled weak map (``weak``).

    A model whose ``config.json`` has a calibration of its own is scored by that, its texts by one of theirs if there is
    any. The weak map has its own.

    Raises
    ------
    ConceptError
        The model has a space of its own and no calibration in it.
    """
    own = None if model is None or kind == "weak" else model.config.get("calibration")
    if own is None and model is not None and model.space != DEFAULT_SPACE:
        raise ConceptError(
            f"model {model.name!r} has a space of its own, {model.space!r}, and no calibration in it, so its "
            f"probabilities would mean nothing: run `geoconcept refit {model.folder} -o NEW_FOLDER`, train with photos "
            "held out, or write "
            '"calibration": {"temperature": ..., "floor": ...} into its config.json'
        )
    if own is None:
        own = json.loads(_FITTED.read_text(encoding="utf-8"))["calibration"][kind]
    own = own.get(kind, own)
    return Calibration(float(own["temperature"]), float(own["floor"]), float(own.get("kernel_km", 0.0)))


def query_of(vector: NDArray[np.float32], model: GeoConceptModel, name: str = "vector") -> Query:
    """Return the query of a vector: features of the model's image tower, or a vector of the shared space.

    Parameters
    ----------
    vector : ndarray of float32, shape (D,) or (512,)
        Of CLIP's 768 numbers also at length one: they are scaled to their native length.
    model : GeoConceptModel
    name : str, default "vector"
        What to call it.

    Returns
    -------
    Query

    Raises
    ------
    InputError
        It is of another width, zero or not finite.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> model = load_model()
    >>> query_of(np.ones(512, np.float32), model).tower
    'given, shared space'
    """
    dims = (model.encoder.dim, model.image_tower["dim"])
    if vector.ndim != 1 or len(vector) not in dims:
        raise InputError(f"{name} must be {dims[1]} or {dims[0]} numbers; it has shape {vector.shape}")
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0.0:
        raise InputError(f"{name} is zero or not finite")
    if len(vector) == model.encoder.dim:
        return Query(name, "image", vector / length, "given, shared space")
    clip = model.image_tower["tower"] == CLIP_TOWER
    if clip and abs(length - 1.0) < 0.01:  # GeoCLIP's image head makes nonsense of unit vectors
        vector = vector * native_length()
    tower = "CLIP ViT-L/14" if clip else model.image_tower["tower"]
    return Query(name, "image", to_shared(vector[None], model)[0], f"given, {tower}")


def to_shared(features: NDArray[np.float32], model: GeoConceptModel) -> NDArray[np.float32]:
    """Return unit vectors of the shared space."""
    vectors = model.image_head(features)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@lru_cache(maxsize=1)
def native_length() -> float:
    """Return the mean length of CLIP's vectors of photos."""
    return float(json.loads(_FITTED.read_text(encoding="utf-8"))["native_length"]["image"])


def locate_queries(
    queries: Sequence[Query],
    surface: Surface,
    model: GeoConceptModel,
    prior: NDArray[np.float64],
    prior_name: str,
    *,
    rerank: float = 0.0,
    kind: type[Found],
) -> Iterator[Found]:
    """Yield where each query may be from.

    Parameters
    ----------
    queries : sequence of Query
        Scored together.
    surface : Surface
    model : GeoConceptModel
    prior : ndarray of float64, shape (M,)
        Of each cell of the surface; sums to one.
    prior_name : str
        What to call it.
    rerank : float, default 0
        As in `geolocate`.
    kind : type
        `Posterior`, or `Geolocation`, which is one with tables and rasters.

    Yields
    ------
    Posterior
        One a query, of the kind asked for.
    """
    if not queries:
        return
    vectors = np.stack([one.vector for one in queries])
    photos, land = surface.photos.scores(vectors), surface.land.scores(vectors)
    for k, one in enumerate(queries):
        calibration = calibration_of(one.kind, model)
        likelihood = surface.mean_likelihood(photos[k : k + 1], land[k : k + 1], calibration.temperature)
        mean = mean_of(one.kind, model)
        if rerank:
            likelihood = likelihood + rerank * _agreement(one.vector, mean, model, surface)
        probability = surface.posterior(likelihood, prior, calibration)[0]
        yield kind(
            one.name,
            surface.cells,
            surface.lonlat,
            surface.area_km2,
            probability,
            prior,
            {
                **model.provenance(),
                "scale_km": "10",
                "tower": one.tower,
                "prior": prior_name,
                "temperature": f"{calibration.temperature:g}",
                "floor": f"{calibration.floor:g}",
                "kernel_km": f"{calibration.kernel_km:g}",
                "rerank": f"{rerank:g}",
            },
            one.exif,
            _lonlat_of(surface, int(photos[k].argmax())),
            partial(_cosines, vector=one.vector, model=model),
            partial(
                reasons_of,
                query=one.vector,
                mean=mean,
                model=model,
                surface=surface,
                prior=prior,
                calibration=calibration,
            ),
        )


def _lonlat_of(surface: Surface, row: int) -> tuple[float, float]:
    lon, lat = surface.photos.lonlat[row]
    return float(lon), float(lat)


def _cosines(
    lonlat: NDArray[np.float64], *, vector: NDArray[np.float32], model: GeoConceptModel
) -> NDArray[np.float32]:
    found = model.encode(lonlat)
    return np.asarray(found @ vector / np.linalg.norm(found, axis=1))


def mean_of(kind: str, model: GeoConceptModel) -> NDArray[np.float32]:
    """Return the mean vector of photos or texts in the shared space.

    Zero for the weak tower's own map, whose vectors are centred already, and for a model that does not say.
    """
    if kind == "weak":
        return np.zeros(model.encoder.dim, dtype=np.float32)
    own = model.text_mean if kind == "text" and model.text_mean is not None else model.photo_mean
    if own is not None:
        return own
    if model.space == DEFAULT_SPACE:  # the bundled model, which the QGIS plugin does not bring
        return _means()[kind]
    return np.zeros(model.encoder.dim, dtype=np.float32)


@lru_cache(maxsize=1)
def _means() -> dict[str, NDArray[np.float32]]:
    return read_tensors(_MEANS)[0]


def _agreement(
    vector: NDArray[np.float32], mean: NDArray[np.float32], model: GeoConceptModel, surface: Surface
) -> NDArray[np.float64]:
    """Return how well each cell agrees with the photo over all concepts, standardised; zero off the land."""
    readings = np.stack([concept.vector for concept in model.bank.shown])
    of_photo = readings @ ((vector - mean) / np.linalg.norm(vector - mean))
    of_land = _standardised_land(model, surface)
    agreement = of_land @ ((of_photo - of_photo.mean()) / of_photo.std())
    out = np.zeros(len(surface))
    out[np.searchsorted(surface.cells, surface.land.cells)] = (agreement - agreement.mean()) / agreement.std()
    return out


@lru_cache(maxsize=1)
def _standardised_land(model: GeoConceptModel, surface: Surface) -> NDArray[np.float32]:
    readings = np.stack([concept.vector for concept in model.bank.shown])
    land = surface.land.vectors.astype(np.float32)
    land = land / np.linalg.norm(land, axis=1, keepdims=True) - model.bank.references["uniform_land"]
    scores = land / np.linalg.norm(land, axis=1, keepdims=True) @ readings.T
    return np.asarray((scores - scores.mean(axis=0)) / scores.std(axis=0))
