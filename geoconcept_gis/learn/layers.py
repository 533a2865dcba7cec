"""Features for regressors from inside the encoder: hidden layers, and concepts with them and with waves.

Ridge regression after a scaler that gives every column the same range (the usual probe of location encoders) trusts all
columns alike. So what is known of the places is spread over the columns here: principal components, each with the
spread it has on land, are mixed evenly into all columns (by a Hadamard matrix), and so are waves of every length. No
column is then mostly noise, and the regressor finds large patterns before it finds small ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ..encoder import LocationEncoder
from ..encoder.features import unit_vectors
from ..encoder.location import HIDDEN
from ..errors import ConceptError, ModelFileError
from ..progress import report
from ..reference import reference_places
from ..storage import read_arrays

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from ..concepts.bank import ConceptLike
    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = [
    "ALL_WIDTH",
    "CALIBRATED",
    "COMPONENTS",
    "WAVES",
    "WIDTH",
    "Projection",
    "SteadyScorer",
    "all_features",
    "layer_features",
    "principal",
    "waves",
]

#: Columns of `layer_features`.
WIDTH = 512
#: Columns of hidden layers among those of `all_features`.
COMPONENTS = 256
#: Columns of waves.
WAVES = 384
#: `all_features` never has more columns than this.
ALL_WIDTH = 1024
#: How much of a concept column of `all_features` is the calibrated score; the rest is the percentile.
CALIBRATED = 0.875
#: Concepts of this family name places, and tell next to nothing anywhere else.
PLACE = "place"

_RECORD = Path(__file__).parents[1] / "data" / "layers.json"
_ARRAYS = _RECORD.with_suffix(".safetensors")
#: Where another model's projection is learned: places, and the seed of their draw.
_PLACES, _SEED = 4096, 11
#: Rows in a chunk are a multiple of this: BLAS adds in another order for remainders, and where there are few rows.
_TILE = 64


@dataclass(frozen=True)
class Projection:
    """Numbers of an encoder to their principal components on land, largest first.

    Attributes
    ----------
    mean : ndarray of float32, shape (D,)
        Mean of the D numbers over land.
    weights : ndarray of float32, shape (D, W)
        Their weights in each component.
    hidden : bool
        The D numbers are the last hidden layers of the capsules, 1,024 each; else the encoder's output.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> Projection.of(load_model()).weights.shape
    (3072, 512)
    """

    mean: NDArray[np.float32]
    weights: NDArray[np.float32]
    hidden: bool

    @classmethod
    def of(cls, model: GeoConceptModel) -> Projection:
        """Return the projection of a model.

        Parameters
        ----------
        model : GeoConceptModel
            Of the bundled encoder, the shipped projection of its hidden layers is taken (``tools/fit_layers.py``). For
            any other, that of its 512 outputs is learned on 4,096 places on land, once in the life of the model.

        Returns
        -------
        Projection

        Raises
        ------
        ModelFileError
            The shipped projection is missing or damaged.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> Projection.of(load_model()).hidden
        True
        """
        if model.sha256 == _record()["encoder_sha256"] and isinstance(model.encoder, LocationEncoder):
            return _shipped()
        if model not in _LEARNED:
            outputs = model.encode(reference_places("uniform_land", _PLACES, seed=_SEED)).astype(np.float64)
            mean = outputs.mean(axis=0)
            weights = principal((outputs - mean).T @ (outputs - mean), outputs.shape[1])
            _LEARNED[model] = cls(mean.astype(np.float32), weights.astype(np.float32), hidden=False)
        return _LEARNED[model]

    def __call__(self, numbers: NDArray[np.float32], width: int) -> NDArray[np.float32]:
        """Return the first components of places, mixed.

        Parameters
        ----------
        numbers : ndarray of float32, shape (N, D)
            Of N places.
        width : int
            How many components, a power of two.

        Returns
        -------
        ndarray of float32, shape (N, width)

        Examples
        --------
        >>> identity = Projection(np.zeros(2, "f4"), np.eye(2, dtype="f4"), hidden=False)
        >>> np.allclose(identity(np.array([[1.0, 0.0]], "f4"), 2), np.sqrt(0.5))
        True
        """
        components = (numbers - self.mean) @ self.weights[:, :width]
        return np.asarray(components @ _hadamard(width), dtype=np.float32)


#: Projections that were learned here; they go when their model goes.
_LEARNED: WeakKeyDictionary[GeoConceptModel, Projection] = WeakKeyDictionary()


def layer_features(
    model: GeoConceptModel, pairs: NDArray[np.float64], *, progress: Progress | None = None
) -> NDArray[np.float32]:
    """Return features from the encoder's hidden layers.

    Parameters
    ----------
    model : GeoConceptModel
        Of a model that is not the bundled one, the features come from its 512 outputs, see `Projection.of`.
    pairs : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326, as `check_lonlat` returns them.
    progress : callable, optional
        Called as ``progress(done, total)``; return true to cancel.

    Returns
    -------
    ndarray of float32, shape (N, 512)
        The 512 largest principal components, on land, of the last hidden layer of all capsules, mixed by a Hadamard
        matrix: no column means anything by itself.

    Raises
    ------
    ModelFileError, Cancelled

    Notes
    -----
    That layers before the last know more of a place than the last one is from "Beyond What's Shared" (CVPR 2026), which
    concatenates them.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> layer_features(load_model(), np.array([[31.2, 30.0]])).shape
    (1, 512)
    """
    projection = Projection.of(model)
    out = np.empty((len(pairs), WIDTH), dtype=np.float32)
    for part, numbers, _ in _numbers(model, projection, pairs, progress):
        out[part] = projection(numbers, WIDTH)[: part.stop - part.start]
    return out


def all_features(
    model: GeoConceptModel,
    pairs: NDArray[np.float64],
    concepts: ConceptLike | Iterable[ConceptLike] | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[NDArray[np.float32], list[str]]:
    """Return the features that predict best: concepts, hidden layers and waves.

    Parameters
    ----------
    model : GeoConceptModel
        Any; see `layer_features`.
    pairs : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326, as `check_lonlat` returns them.
    concepts : str, Concept, iterable of either, or None
        Names, aliases or objects; None means all but those of grade D and those that are names of places.
    progress : callable, optional
        Called as ``progress(done, total)``; return true to cancel.

    Returns
    -------
    values : ndarray of float32, shape (N, W)
        W is at most 1,024: 835 with the bundled bank.
    names : list of str
        ``concept_<name>``, see `SteadyScorer`; ``layer_000`` to ``layer_255`` as in `layer_features`, of the 256
        largest components; ``wave_000`` to ``wave_383``, see `waves`.

    Raises
    ------
    ConceptError
        A concept is unknown or has no percentiles, or there are so many that there would be more than 1,024 columns.
    ModelFileError, Cancelled

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> values, names = all_features(load_model(), np.array([[31.2, 30.0]]), "BWh")
    >>> values.shape, names[0], names[1], names[-1]
    ((1, 641), 'concept_hot_desert_climate', 'layer_000', 'wave_383')
    """
    projection, scorer = Projection.of(model), SteadyScorer(model, concepts)
    names = [concept.column for concept in scorer.concepts]
    before, after = len(names), len(names) + COMPONENTS
    names += [f"layer_{k:03d}" for k in range(COMPONENTS)] + [f"wave_{k:03d}" for k in range(WAVES)]
    if len(names) > ALL_WIDTH:
        raise ConceptError(
            f"{before} concepts, {COMPONENTS} layers and {WAVES} waves are more than {ALL_WIDTH} columns: "
            f"name at most {ALL_WIDTH - len(names) + before} concepts"
        )
    out = np.empty((len(pairs), len(names)), dtype=np.float32)
    for part, numbers, vectors in _numbers(model, projection, pairs, progress):
        rows = part.stop - part.start
        out[part, :before] = scorer(vectors)[:rows]
        out[part, before:after] = projection(numbers, COMPONENTS)[:rows]
        out[part, after:] = waves(pairs[part])
    return out, names


class SteadyScorer:
    """Score concepts so that a model stays sane in regions it has not seen: seven parts calibrated, one percentile.

    The calibrated score of a concept that is rare in training is next to zero there. A scaler blows it up, by as much
    as a thousandfold, and where it is not rare the prediction is absurd. The percentile differs from place to place
    everywhere, so an eighth of it limits what a scaler can do to about a factor of ten.

    Parameters
    ----------
    model : GeoConceptModel
    concepts : str, Concept, iterable of either, or None
        As in `all_features`.

    Attributes
    ----------
    concepts : list of Concept
        One a column.

    Raises
    ------
    ConceptError
        A concept is unknown, or has no percentiles.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> model = load_model()
    >>> scores = SteadyScorer(model, "BWh")(model.encode([[31.2, 30.0], [-0.1, 51.5]]))
    >>> scores.shape, bool(scores[0] > scores[1])
    ((2, 1), True)
    """

    def __init__(self, model: GeoConceptModel, concepts: ConceptLike | Iterable[ConceptLike] | None = None) -> None:
        chosen = model.select(concepts)
        if concepts is None:
            chosen = [concept for concept in chosen if concept.family != PLACE]
        self.concepts = chosen
        calibrated = [concept for concept in chosen if concept.calibration is not None]
        self._which = np.array([concept.calibration is not None for concept in chosen], dtype=bool)
        self._calibrated = model.scorer(calibrated, "calibrated") if calibrated else None
        self._percentile = model.scorer(chosen, "percentile") if chosen else None

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score embeddings.

        Parameters
        ----------
        vectors : ndarray of float32, shape (N, 512), or (N, 512 + H)
            As `GeoConceptModel.iter_encode` yields them.

        Returns
        -------
        ndarray of float32, shape (N, K)
            From 0 to 1. Of a concept without a calibration it is the percentile alone.
        """
        if self._percentile is None:
            return np.empty((len(vectors), 0), dtype=np.float32)
        scores = self._percentile(vectors) / np.float32(100.0)
        if self._calibrated is not None:
            part = scores[:, self._which]
            scores[:, self._which] = part + np.float32(CALIBRATED) * (self._calibrated(vectors) - part)
        return scores


def waves(pairs: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return random functions of the place that look alike at every scale, from 20,000 km down to 1 km.

    Parameters
    ----------
    pairs : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.

    Returns
    -------
    ndarray of float32, shape (N, 384)

    Raises
    ------
    ModelFileError
        The shipped file is missing or damaged.

    Notes
    -----
    Random Fourier features (Rahimi and Recht 2007) of the point of the unit sphere: each column is a sum of plane
    waves, one each half octave, of random direction and phase, whose variance falls as their length does. So the
    covariance of two places, taken over the columns, falls with their distance about as that of an exponential
    variogram: smooth over the world, and still telling streets apart where all places are in one town. Nothing jumps
    at the antimeridian or at a pole.

    Examples
    --------
    >>> bool(np.allclose(waves(np.array([[180.0, 10.0]])), waves(np.array([[-180.0, 10.0]]))))
    True
    """
    arrays = _arrays()
    vectors, phases = arrays["waves"].astype(np.float64), arrays["waves.phases"]
    points = unit_vectors(pairs)
    out = np.zeros((len(pairs), phases.shape[1]), dtype=np.float32)
    for k, (vector, phase) in enumerate(zip(vectors, phases, strict=True)):
        out += np.cos((points @ vector + phase).astype(np.float32)) * np.float32(0.5 ** (k / 4))
    return out


def principal(covariance: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the directions of largest spread.

    Parameters
    ----------
    covariance : ndarray of float64, shape (D, D)
        Of D numbers.
    width : int
        How many directions.

    Returns
    -------
    ndarray of float64, shape (D, width)
        Unit vectors, largest spread first; the largest entry of each is positive.

    Examples
    --------
    >>> principal(np.diag([1.0, 4.0]), 1).tolist()
    [[0.0], [1.0]]
    """
    vectors = np.linalg.eigh(covariance)[1][:, ::-1][:, :width]
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(width)]
    directions: NDArray[np.float64] = vectors * np.sign(largest)
    return directions


def _numbers(
    model: GeoConceptModel, projection: Projection, pairs: NDArray[np.float64], progress: Progress | None
) -> Iterator[tuple[slice, NDArray[np.float32], NDArray[np.float32]]]:
    """Yield, chunk by chunk, the numbers that a projection reads, and vectors with heads.

    From hidden layers there may be a few rows more than places. They fill the last chunk up, so that BLAS adds in the
    same order however many places there are, and a place has the same bits alone and among others.
    """
    encoder = model.encoder
    if not (projection.hidden and isinstance(encoder, LocationEncoder)):
        for part, vectors in model.iter_encode(pairs, progress=progress):
            yield part, vectors[:, : encoder.dim], vectors
        return
    capsules = len(projection.mean) // HIDDEN
    for start in range(0, len(pairs), encoder.chunk_size):
        part = slice(start, min(start + encoder.chunk_size, len(pairs)))
        filled = np.pad(pairs[part], ((0, (start - part.stop) % _TILE), (0, 0)), mode="edge")
        hidden = encoder.hidden(filled, capsules)
        yield part, hidden.reshape(len(hidden), -1), encoder.encode_hidden(hidden)
        report(progress, part.stop, len(pairs))


@cache
def _record() -> dict[str, Any]:
    """Return what the shipped file says of itself."""
    try:
        record: dict[str, Any] = json.loads(_RECORD.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{_RECORD} is missing or damaged ({error}): install the package again") from None
    return record


@cache
def _arrays() -> dict[str, NDArray[Any]]:
    return read_arrays(_ARRAYS, _record()["sha256"])


@cache
def _shipped() -> Projection:
    arrays = _arrays()
    weights = arrays["components"].astype(np.float32) * arrays["components.scale"]
    return Projection(arrays["mean"], weights, hidden=True)


@cache
def _hadamard(width: int) -> NDArray[np.float32]:
    """Return Sylvester's matrix with unit rows: it turns, so that every column gets an equal part of every row."""
    matrix = np.ones((1, 1))
    while len(matrix) < width:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return np.asarray(matrix / np.sqrt(width), dtype=np.float32)
