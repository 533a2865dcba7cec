"""Carry a bank into the space of another encoder: no truth is read, the old bank teaches the new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..concepts import Calibration, Concept, ConceptBank, ConceptScorer
from ..concepts.concept import PERCENTILES
from ..coordinates import check_lonlat
from ..errors import ConceptError, InputError
from ..fitting import centre, spatial_blocks
from ..gallery import photo_places
from ..progress import report
from ..reference import reference_places
from .definitions import EARTH, LAND, MIXED, PHOTOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from ..encoder.kinds import AnyEncoder
    from ..model import GeoConceptModel
    from ..progress import Progress

    Floats = NDArray[np.float64]

__all__ = ["GRADE_CAPS", "carry_bank"]

#: The best grade that a carried concept can have, by the least rank correlation of its scores with the teacher's.
GRADE_CAPS = {"A": 0.95, "B": 0.85, "C": 0.5}
_FEWEST = 2_000
_FOLDS = 5
#: Penalties that are tried, in units of the mean variance of the vectors' numbers.
_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_NEWTON_STEPS = 50


def carry_bank(
    teacher: GeoConceptModel,
    encoder: AnyEncoder,
    space: str,
    *,
    places: int = 20_000,
    seed: int = 0,
    progress: Progress | None = None,
) -> ConceptBank:
    """Carry the bank of one model into the space of another encoder.

    Parameters
    ----------
    teacher : GeoConceptModel
        Whose bank; its scores at places are what the new directions are fitted to.
    encoder : LocationEncoder or FeatureEncoder
        Of the new space, with the weights as they will be stored (see `geoconcept_gis.model_files.rounded`).
    space : str
        Name of the new space; another than the teacher's.
    places : int, default 20,000
        How many of each reference set.
    seed : int, default 0
        Of places and folds.
    progress : callable, optional
        Called as ``progress(done, total)`` in places that are embedded; return true to cancel.

    Returns
    -------
    ConceptBank
        The same concepts in the same order. Heads are dropped, for they read the teacher's hidden layers, and so is all
        that was measured on truths: validity, calibration error and known failures. Each concept's provenance says what
        it was carried from and how well it agrees. Measure it with `geoconcept_gis.bank.validity.concept_validity`.

    Raises
    ------
    InputError
        `places` is too small, or `space` is the teacher's.
    ConceptError
        A concept's reference set cannot be drawn here, or the new vectors are all the same.
    Cancelled
        `progress` asked to stop.

    Notes
    -----
    At places of each reference set a ridge regression takes the centred vectors of the new encoder to the teacher's
    centred cosine; its strength is chosen, and its agreement (Spearman) measured, on held-out blocks of 10 by 10
    degrees. The calibration is the logistic curve under which held-out scores agree best with the teacher's calibrated
    scores (cross-entropy with those as soft labels). The pattern is the covariance of vectors and the teacher's
    calibrated score (of its cosine, where it has no calibration). The grade is the teacher's, but never better than
    `GRADE_CAPS` allows. Reference sets of photos are drawn from the 100,000 places of GeoCLIP's gallery.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> from geoconcept_gis.encoder import LocationEncoder
    >>> model = load_model()
    >>> small = model.with_bank(model.bank.subset(["BWh"]))
    >>> plain = LocationEncoder(model.encoder.weights)
    >>> bank = carry_bank(small, plain, "mine", places=2000)
    >>> float(bank["BWh"].vector @ model.bank["BWh"].vector) > 0.9, bank["BWh"].validity
    (True, None)
    """
    if places < _FEWEST:
        raise InputError(f"places must be at least {_FEWEST:,}, so that blocks can be held out; got {places}")
    if space == teacher.space:
        raise InputError(f"space {space!r} is the teacher's: vectors of another encoder need a name of their own")
    if not len(teacher.bank):
        raise ConceptError("the teacher's bank is empty: there is nothing to carry")
    groups = {name: [c for c in teacher.bank if c.reference == name] for name in teacher.bank.references}
    groups = {name: concepts for name, concepts in groups.items() if concepts}
    draws = _draw(groups, places, seed)
    lonlat = np.unique(np.concatenate(list(draws.values())), axis=0)
    old, new = _embed_both(teacher, encoder, lonlat, progress)
    basis = f"bank {teacher.bank_sha256[:12]} of model {teacher.name!r}"
    carried: dict[str, Concept] = {}
    references: dict[str, NDArray[np.float32]] = {}
    for name, concepts in groups.items():
        rows = _rows_of(lonlat, draws[name])
        references[name] = _mean_of(new[rows])
        x = centre(new[rows], references[name])
        taught = _Lesson.of(concepts, teacher, old[rows])
        fit = _fit(x, taught.cosine, spatial_blocks(draws[name]), seed)
        patterns = _patterns(x, taught)
        knots = np.percentile(x @ fit.vectors.T, PERCENTILES, axis=0).astype(np.float32)
        for k, concept in enumerate(concepts):
            carried[concept.name] = replace(
                concept,
                vector=fit.vectors[k],
                space=space,
                calibration=_calibration(concept, fit.held_out[:, k], taught.calibrated[:, k]),
                percentiles=knots[:, k],
                pattern=None if concept.pattern is None else patterns[k],
                validity=None,
                head=None,
                grade=_grade(concept.grade, fit.agreement[k]),
                failure="",
                provenance={
                    **concept.provenance,
                    "method": f"ridge regression on the scores of {basis} at {len(rows):,} places of {name}",
                    "carried_from_bank_sha256": teacher.bank_sha256,
                    "carried_from_space": teacher.space,
                    "carried_grade": str(concept.grade),
                    "agreement": f"Spearman {fit.agreement[k]:.3f} with it, in held-out blocks of 10 degrees",
                },
            )
    return ConceptBank([carried[c.name] for c in teacher.bank], references, space=space)


# ---------------------------------------------------------------- places


def _draw(names: Iterable[str], places: int, seed: int) -> dict[str, Floats]:
    """Return (lon, lat) of places of each reference set."""
    photos = photo_places()
    photos = photos[np.random.default_rng(seed).permutation(len(photos))]
    half = places // 2
    sets: dict[str, Callable[[], Floats]] = {
        LAND: lambda: reference_places(LAND, places, seed=seed),
        EARTH: lambda: reference_places(EARTH, places, seed=seed),
        MIXED: lambda: np.concatenate([reference_places(LAND, half, seed=seed), photos[:half]]),
        PHOTOS: lambda: photos[:places],
    }
    if unknown := sorted(set(names) - set(sets)):
        raise ConceptError(
            f"reference sets {unknown} cannot be drawn here, so their concepts cannot be carried: leave them out with "
            "ConceptBank.remove, or fit them anew"
        )
    return {name: check_lonlat(sets[name]()) for name in names}


def _rows_of(lonlat: Floats, places: Floats) -> NDArray[np.intp]:
    """Return the row of each place among sorted, unique ones."""
    stacked, inverse = np.unique(np.concatenate([lonlat, places]), axis=0, return_inverse=True)
    if len(stacked) != len(lonlat):
        raise AssertionError("every place was embedded")
    return np.asarray(inverse.reshape(-1)[len(lonlat) :])


def _embed_both(
    teacher: GeoConceptModel, encoder: AnyEncoder, lonlat: Floats, progress: Progress | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    total, dim = 2 * len(lonlat), encoder.dim
    old, new = (np.empty((len(lonlat), dim), dtype=np.float32) for _ in range(2))
    for part, vectors in teacher.iter_encode(lonlat, progress=progress, total=total):
        old[part] = vectors[:, :dim]
    for start in range(0, len(lonlat), encoder.chunk_size):
        part = slice(start, min(start + encoder.chunk_size, len(lonlat)))
        new[part] = encoder.encode_chunk(lonlat[part])[:, :dim]
        report(progress, len(lonlat) + part.stop, total)
    if not np.isfinite(new).all() or not new.any(axis=1).all():
        raise ConceptError("the new encoder gives vectors that are zero or not finite: it is not trained, or broken")
    return old, new


def _mean_of(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = np.asarray(unit.mean(axis=0, dtype=np.float64), dtype=np.float32)
    if np.linalg.norm(mean) > 1.0 - 1e-6:
        raise ConceptError("the new encoder gives every place the same vector: nothing can be carried into its space")
    return mean


# ---------------------------------------------------------------- fits


@dataclass(frozen=True)
class _Lesson:
    """What the teacher says of places, (N, K): centred cosine and calibrated score (NaN where it has none)."""

    cosine: NDArray[np.float32]
    calibrated: NDArray[np.float32]

    @classmethod
    def of(cls, concepts: list[Concept], teacher: GeoConceptModel, vectors: NDArray[np.float32]) -> _Lesson:
        cosine = ConceptScorer(concepts, teacher.bank.references, "cosine")(vectors)
        pairs = [
            (c.calibration.slope, c.calibration.intercept) if c.calibration else (np.nan, np.nan) for c in concepts
        ]
        slope, intercept = np.array(pairs, dtype=np.float32).T
        return cls(cosine, np.asarray(_logistic(slope * cosine + intercept), dtype=np.float32))


@dataclass(frozen=True)
class _Ridge:
    """Unit directions (K, 512), held-out centred cosines (N, K), and their rank correlation with the teacher's (K,)."""

    vectors: NDArray[np.float32]
    held_out: NDArray[np.float32]
    agreement: Floats


def _fit(x: NDArray[np.float32], y: NDArray[np.float32], block: NDArray[np.int64], seed: int) -> _Ridge:
    """Regress every column of y on x at once; each has the penalty that serves it best in held-out blocks."""
    names, inverse = np.unique(block, return_inverse=True)
    fold = (np.random.default_rng(seed).permutation(len(names)) % _FOLDS)[inverse.reshape(-1)]
    held_out = np.empty((len(_PENALTIES), *y.shape), dtype=np.float32)
    for k in range(_FOLDS):
        test = fold == k
        for i, directions in enumerate(_directions(x[~test], y[~test])):
            held_out[i, test] = x[test] @ directions
    best = np.argmax([_correlation(one, y) for one in held_out], axis=0)
    column = np.arange(y.shape[1])
    vectors = np.stack(list(_directions(x, y)))[best, :, column]
    kept = np.ascontiguousarray(held_out[best, :, column].T)
    return _Ridge(vectors, kept, _correlation(_ranks(kept), _ranks(y)))


def _directions(x: NDArray[np.float32], y: NDArray[np.float32]) -> Iterable[NDArray[np.float32]]:
    """Yield the unit directions (512, K) of each penalty; an intercept is fitted and dropped."""
    mean = x.mean(axis=0, dtype=np.float64)
    gram = (x.T @ x).astype(np.float64) / len(x) - np.outer(mean, mean)
    value, vector = np.linalg.eigh(gram)
    cross = vector.T @ ((x.T @ y).astype(np.float64) / len(x) - np.outer(mean, y.mean(axis=0, dtype=np.float64)))
    for penalty in _PENALTIES:
        found = vector @ (cross / (np.maximum(value, 0.0) + penalty * value.mean())[:, None])
        yield np.asarray(found / np.maximum(np.linalg.norm(found, axis=0), 1e-30), dtype=np.float32)


def _patterns(x: NDArray[np.float32], taught: _Lesson) -> NDArray[np.float32]:
    """Return what each concept adds to a vector: unit covariance with the teacher's score, rounded as it is stored."""
    score = np.where(np.isnan(taught.calibrated), taught.cosine, taught.calibrated)
    found = (x.T @ (score - score.mean(axis=0))).T
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found, dtype=np.float16).astype(np.float32)


def _calibration(concept: Concept, cosine: NDArray[np.float32], target: NDArray[np.float32]) -> Calibration | None:
    """Return the logistic curve that takes held-out cosines nearest to the teacher's calibrated scores."""
    if concept.calibration is None:
        return None
    centre_, scale = float(cosine.mean()), max(float(cosine.std()), 1e-6)
    x = np.column_stack([(cosine - centre_) / scale, np.ones(len(cosine))]).astype(np.float64)
    share = np.clip(float(target.mean(dtype=np.float64)), 1e-6, 1.0 - 1e-6)
    found = np.array([0.0, np.log(share / (1.0 - share))])
    for _ in range(_NEWTON_STEPS):
        said = _logistic(x @ found)
        weight = said * (1.0 - said)
        step = np.linalg.solve((x * weight[:, None]).T @ x + 1e-9 * len(x) * np.eye(2), x.T @ (target - said))
        step /= max(1.0, float(np.abs(step).max()))  # far from the answer a whole step overshoots
        found += step
        if np.abs(step).max() < 1e-6:
            break
    slope = found[0] / scale
    return Calibration(
        round(max(float(slope), 1e-3), 4),
        round(float(found[1] - slope * centre_), 4),
        ece=None,
        prevalence=concept.calibration.prevalence,
    )


def _grade(grade: str | None, agreement: float) -> str | None:
    """Return the worse of the teacher's grade and the best that the agreement allows; none stays none."""
    cap = next((name for name, least in GRADE_CAPS.items() if agreement >= least), "D")
    return None if grade is None else max(grade, cap)


def _correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> Floats:
    """Correlate columns; zero where one does not vary."""
    a, b = (part - part.mean(axis=0, dtype=np.float64) for part in (a, b))
    length = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    return np.asarray(np.einsum("ij,ij->j", a, b) / np.where(length > 0.0, length, np.inf))


def _ranks(columns: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.argsort(np.argsort(columns, axis=0), axis=0).astype(np.float64)


def _logistic(logit: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -80.0, 80.0))))
