"""Fit and test one concept from places with and without a label.

The direction is the normal of a balanced logistic regression (L2; strength chosen inside the training folds). All that
is reported comes from blocks of the globe that the fit did not see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from .concepts import Calibration, Validity
from .errors import ConceptError
from .logistic import balanced, fit_logistic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "STRENGTHS",
    "Examples",
    "Fit",
    "centre",
    "check_separable",
    "fit_concept",
    "grade_of",
    "known_failure",
    "spatial_blocks",
    "weighted_auroc",
]

#: Inverse strengths of the L2 penalty that are tried, weakest direction first.
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
FOLDS = 5
#: Sizes of the blocks kept together, in degrees; smaller ones only where the label sits in a single larger block.
BLOCK_DEGREES = (10.0, 5.0, 2.5, 1.0)
_INNER_FOLDS = 2
_BOOTSTRAPS = 200
_SHUFFLES = 3
#: More examples of a class than this improve no fit that we tried, and cost time.
_MOST_POSITIVE, _MOST_NEGATIVE = 3_000, 6_000
#: An area must hold this share of all errors to be named as a failure.
_SMALLEST_FAILURE = 0.08


@dataclass(frozen=True)
class Examples:
    """Labelled places, centred and ready to fit.

    Attributes
    ----------
    x : ndarray of float32, shape (N, 512)
        Centred unit vectors, see `centre`.
    y : ndarray of bool, shape (N,)
        Which places carry the label.
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    weight : ndarray of float64, shape (N,)
        How many reference places each stands for; calibration and error use it.
    """

    x: NDArray[np.float32]
    y: NDArray[np.bool_]
    lonlat: NDArray[np.float64]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """A direction and how well it does where it was not fitted.

    Attributes
    ----------
    vector, pattern : ndarray of float32, shape (512,)
        How to read the label off a centred embedding, and what the label adds to one.
    scores : ndarray of float32, shape (N,)
        Held-out centred cosine of every example.
    calibration : Calibration
    validity : Validity
    grade : str
    strength : float
        Inverse strength of the penalty.
    """

    vector: NDArray[np.float32]
    pattern: NDArray[np.float32]
    scores: NDArray[np.float32]
    calibration: Calibration
    validity: Validity
    grade: str
    strength: float
    moved: tuple[float, ...] = field(default=())


def centre(vectors: NDArray[np.floating], mean: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale to unit length, take the reference mean away, scale again."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) - mean
    return np.asarray(unit / np.linalg.norm(unit, axis=1, keepdims=True), dtype=np.float32)


def spatial_blocks(lonlat: NDArray[np.float64], degrees: float = 10.0) -> NDArray[np.int64]:
    """Return a number for the block of `degrees` by `degrees` that each place falls in."""
    cells = np.floor((lonlat + np.array([180.0, 90.0])) / degrees).astype(np.int64)
    return np.asarray(cells[:, 0] * 10_000 + cells[:, 1])


def fit_concept(
    examples: Examples, *, negatives: str, strengths: Sequence[float] = STRENGTHS, seed: int = 0, controls: bool = True
) -> Fit:
    """Fit a direction to labelled places and test it on held-out blocks.

    Parameters
    ----------
    examples : Examples
        At least two places with the label and two without.
    negatives : str
        What the label was told from, in words.
    strengths : sequence of float
        Inverse strengths of the penalty to choose from.
    seed : int
        Of folds, draws and controls.
    controls : bool, default True
        Also fit the controls: labels moved to other blocks, and position alone.

    Returns
    -------
    Fit

    Raises
    ------
    ConceptError
        Too few examples, or all with the label are in one spot.

    Notes
    -----
    Folds are blocks of 10 by 10 degrees, spread so that each fold has its share of the places with the label
    (the folds of scikit-learn's ``StratifiedGroupKFold``). The strength is chosen by two inner folds of the training
    blocks, anew in each outer fold. The interval is a bootstrap over blocks. Calibration is logistic (Platt 1999),
    cross-fitted for its error.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> lonlat = np.column_stack([rng.uniform(-60, 60, 400), rng.uniform(-60, 60, 400)])
    >>> x = centre(rng.normal(size=(400, 512)) + 2.0 * (lonlat[:, :1] > 0), np.zeros(512))
    >>> fit = fit_concept(Examples(x, lonlat[:, 0] > 0, lonlat, np.ones(400)), negatives="the west")
    >>> fit.validity.value > 0.9
    True
    """
    y, lonlat = examples.y, examples.lonlat
    if y.sum() < 2 or (~y).sum() < 2:
        raise ConceptError(f"need at least 2 places with the label and 2 without; got {y.sum()} and {(~y).sum()}")
    block, degrees = _choose_blocks(lonlat, y)
    folds = _folds(y, block, FOLDS, seed)
    scores = np.empty(len(y), dtype=np.float32)
    for train, test in folds:
        strength = _best_strength(examples.x[train], y[train], block[train], strengths, seed)
        scores[test] = examples.x[test] @ _direction(examples.x[train], y[train], strength, seed)
    strength = _best_strength(examples.x, y, block, strengths, seed)
    vector = _direction(examples.x, y, strength, seed)
    value, interval = _auroc_with_interval(scores, y, block, seed)
    calibration = _calibrate(scores, y, examples.weight, folds)
    moved = _moved_labels(examples, block, folds, strength, seed) if controls else ()
    validity = Validity(
        metric="AUROC",
        value=round(value, 4),
        interval=interval,
        n_positive=int(y.sum()),
        n_negative=int((~y).sum()),
        folds=f"{len(folds)} folds of {degrees:g}-degree blocks",
        negatives=negatives,
        controls={
            "moved labels": round(float(np.mean(moved)), 4),
            "position only": round(_position_only(examples, folds, seed), 4),
        }
        if controls
        else {},
    )
    pattern = _unit(examples.x[y].mean(axis=0, dtype=np.float64) - examples.x[~y].mean(axis=0, dtype=np.float64))
    return Fit(vector, pattern, scores, calibration, validity, grade_of(validity, calibration, moved), strength, moved)


def check_separable(lonlat: NDArray[np.float64], y: NDArray[np.bool_]) -> None:
    """Raise a ConceptError if the places with the label are in one spot, so that none can be held out."""
    _choose_blocks(lonlat, y)


def grade_of(validity: Validity, calibration: Calibration, moved: Sequence[float] = ()) -> str:
    """Grade a concept A to D by the rules in `geoconcept_gis.concepts.concept.GRADES`."""
    low = validity.interval[0] if validity.interval else validity.value
    control = max(0.5, float(np.mean(moved))) if len(moved) else 0.5
    if low <= control or validity.value <= max([0.5, *moved]):
        return "D"
    calibrated = calibration.ece is not None and calibration.ece <= 0.05
    if low >= 0.9 and calibrated:
        return "A"
    return "B" if validity.value >= 0.8 and calibrated else "C"


def weighted_auroc(
    scores: NDArray[np.floating], y: NDArray[np.bool_], weights: Iterable[NDArray[np.number]] | None = None
) -> NDArray[np.float64]:
    """Area under the ROC curve for many weightings of the same scores at once; ties count half.

    Parameters
    ----------
    scores : ndarray, shape (N,)
    y : ndarray of bool, shape (N,)
    weights : iterable of M ndarrays of shape (N,), optional
        One weighting each; None is a single one of ones.

    Returns
    -------
    ndarray of float64, shape (M,)
        NaN where a weighting leaves no positive or no negative.
    """
    order = np.argsort(scores, kind="stable")
    positive = y[order]
    tie = np.cumsum(np.diff(scores[order], prepend=scores[order[:1]]) != 0)
    out = []
    for row in [np.ones(len(y))] if weights is None else weights:
        sorted_weight = row[order].astype(np.float64)
        negative = np.bincount(tie, np.where(positive, 0.0, sorted_weight))
        below = (np.cumsum(negative) - 0.5 * negative)[tie[positive]]
        mass = sorted_weight[positive].sum() * negative.sum()
        out.append((sorted_weight[positive] * below).sum() / mass if mass > 0 else np.nan)
    return np.array(out)


def known_failure(
    scores: NDArray[np.floating], y: NDArray[np.bool_], weight: NDArray[np.floating], where: NDArray[np.str_]
) -> str:
    """Say where held-out scores go wrong most: areas that read high without the label, and low with it.

    "High" are the places that score highest, as many (by weight) as carry the label.

    Parameters
    ----------
    scores : ndarray, shape (N,)
        Held out.
    y : ndarray of bool, shape (N,)
    weight : ndarray, shape (N,)
    where : ndarray of str, shape (N,)
        Name of the area each place lies in; an empty one is never named.

    Returns
    -------
    str
        Up to three areas of each kind of error; empty if none stands out.
    """
    order = np.argsort(-scores, kind="stable")
    high = np.zeros(len(y), dtype=bool)
    high[order[np.cumsum(weight[order]) <= weight[y].sum()]] = True
    parts = []
    for what, wrong in (("Reads high without the label in", high & ~y), ("Misses it in", ~high & y)):
        names, inverse = np.unique(where[wrong], return_inverse=True)
        mass = np.bincount(inverse, weight[wrong], minlength=len(names))
        if mass.sum() > 0:
            mass = mass / mass.sum()
            first = [k for k in np.argsort(-mass, kind="stable") if names[k] and mass[k] >= _SMALLEST_FAILURE][:3]
            if first:
                parts.append(f"{what} {', '.join(f'{names[k]} ({mass[k]:.0%} of such errors)' for k in first)}.")
    return " ".join(parts)


def _unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    length = np.linalg.norm(vector)
    if length == 0.0:
        raise ConceptError("nothing tells the places with the label from those without: their embeddings are the same")
    return np.asarray(vector / length, dtype=np.float32)


def _choose_blocks(lonlat: NDArray[np.float64], y: NDArray[np.bool_]) -> tuple[NDArray[np.int64], float]:
    """Return the largest blocks of which at least two hold the label."""
    for degrees in BLOCK_DEGREES:
        block = spatial_blocks(lonlat, degrees)
        if len(np.unique(block[y])) >= 2 and len(np.unique(block[~y])) >= 2:
            return block, degrees
    raise ConceptError(
        f"all {int(y.sum())} places with the label lie within one block of {BLOCK_DEGREES[-1]:g} degree: "
        "nothing can be held out to test the concept; add places farther apart"
    )


def _folds(
    y: NDArray[np.bool_], block: NDArray[np.int64], wanted: int, seed: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Split by block, so that every training part holds both classes."""
    count = max(2, min(wanted, len(np.unique(block[y])), len(np.unique(block[~y]))))
    names, inverse = np.unique(block, return_inverse=True)
    which = _balanced_folds(y, inverse, count, seed)[inverse]
    if any(len(np.unique(y[which != k])) < 2 for k in range(count)):
        # All blocks with the label fell into one fold: split them by hand.
        fold_of = np.random.default_rng(seed).permutation(len(names)) % count
        labelled = np.isin(names, np.unique(block[y]))
        fold_of[labelled] = np.arange(labelled.sum()) % count
        which = fold_of[inverse]
    return [(np.flatnonzero(which != k), np.flatnonzero(which == k)) for k in range(count)]


def _balanced_folds(y: NDArray[np.bool_], group: NDArray[np.intp], count: int, seed: int) -> NDArray[np.intp]:
    """Return a fold for every group, so that each fold has its share of both classes.

    Greedy: groups that unbalance most come first, each goes where the shares of the folds differ least after it, and
    to the smallest of folds that tie. RandomState draws the same numbers in every version of numpy.
    """
    sizes = np.stack([np.bincount(group[y == kind], minlength=group.max() + 1) for kind in (False, True)], axis=1)
    totals = sizes.sum(axis=0)
    order = np.arange(len(sizes))
    np.random.RandomState(seed).shuffle(order)
    order = order[np.argsort(-np.std(sizes[order], axis=1), kind="stable")]
    held = np.zeros((count, 2))
    fold_of = np.zeros(len(sizes), dtype=np.intp)
    for row in order:
        tried = held + np.eye(count)[:, :, None] * sizes[row]
        spread, filled = np.std(tried / totals, axis=1).mean(axis=1), held.sum(axis=1)
        best = 0
        for k in range(1, count):  # ties that chain are broken in turn
            if spread[k] < spread[best] or (np.isclose(spread[k], spread[best]) and filled[k] < filled[best]):
                best = k
        fold_of[row] = best
        held[best] += sizes[row]
    return fold_of


def _direction(x: NDArray[np.float32], y: NDArray[np.bool_], strength: float, seed: int) -> NDArray[np.float32]:
    """Return the unit normal of a balanced logistic regression."""
    rows = _thin(y, seed)
    x, y = x[rows], y[rows]
    normal = fit_logistic(x, y, balanced(y), strength, tolerance=1e-3).normal  # its order of scores has settled
    if not normal.any():  # so little to find that the solver took no step: take the direction of the first
        normal = x[y].mean(axis=0) - x[~y].mean(axis=0)
    return _unit(normal)


def _thin(y: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """Draw the rows to fit on: no more of a class than helps."""
    rng = np.random.default_rng(seed)
    parts = [
        rows if len(rows) <= most else rng.choice(rows, most, replace=False)
        for rows, most in ((np.flatnonzero(y), _MOST_POSITIVE), (np.flatnonzero(~y), _MOST_NEGATIVE))
    ]
    return np.sort(np.concatenate(parts))


def _best_strength(
    x: NDArray[np.float32], y: NDArray[np.bool_], block: NDArray[np.int64], strengths: Sequence[float], seed: int
) -> float:
    """Choose the strength by held-out blocks among these rows; the strongest penalty where nothing can be held out."""
    if len(strengths) == 1 or len(np.unique(block[y])) < 2 or len(np.unique(block[~y])) < 2:
        return strengths[0]
    rows = _thin(y, seed)
    x, y, block = x[rows], y[rows], block[rows]
    if len(np.unique(block[y])) < 2:
        return strengths[0]
    total = np.zeros(len(strengths))
    for train, test in _folds(y, block, _INNER_FOLDS, seed + 1):
        if y[test].any() and not y[test].all():
            total += [
                weighted_auroc(x[test] @ _direction(x[train], y[train], strength, seed), y[test])[0]
                for strength in strengths
            ]
    return strengths[int(np.argmax(total))]


def _auroc_with_interval(
    scores: NDArray[np.float32], y: NDArray[np.bool_], block: NDArray[np.int64], seed: int
) -> tuple[float, tuple[float, float]]:
    """Return AUROC with its 95 % interval from resampled blocks."""
    blocks, inverse = np.unique(block, return_inverse=True)
    rng = np.random.default_rng(seed + 2)
    draws = (rng.integers(len(blocks), size=len(blocks)) for _ in range(_BOOTSTRAPS))
    values = weighted_auroc(scores, y, (np.bincount(draw, minlength=len(blocks))[inverse] for draw in draws))
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(weighted_auroc(scores, y)[0]), (round(float(low), 4), round(float(high), 4))


def _calibrate(
    scores: NDArray[np.float32],
    y: NDArray[np.bool_],
    weight: NDArray[np.float64],
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
) -> Calibration:
    """Fit the logistic map on all held-out scores; its error comes from folds that it did not see."""
    probability = np.empty(len(y))
    for train, test in folds:
        slope, intercept = _platt(scores[train], y[train], weight[train])
        probability[test] = 1.0 / (1.0 + np.exp(-np.clip(slope * scores[test] + intercept, -80.0, 80.0)))
    slope, intercept = _platt(scores, y, weight)
    return Calibration(
        round(max(slope, 1e-3), 4),  # a label that held-out scores speak against gets a flat map, and grade D
        round(intercept, 4),
        ece=round(_calibration_error(probability, y, weight), 4),
        prevalence=round(float(weight[y].sum() / weight.sum()), 5),
    )


def _platt(scores: NDArray[np.float32], y: NDArray[np.bool_], weight: NDArray[np.float64]) -> tuple[float, float]:
    fitted = fit_logistic(scores[:, None].astype(np.float64), y, weight, 1e6, tolerance=1e-4, iterations=1000)
    return float(fitted.normal[0]), fitted.intercept


def _calibration_error(
    probability: NDArray[np.float64], y: NDArray[np.bool_], weight: NDArray[np.float64], bins: int = 10
) -> float:
    """Return the expected calibration error over bins of equal weight."""
    order = np.argsort(probability, kind="stable")
    place = np.cumsum(weight[order]) / weight.sum()
    which = np.minimum((place * bins).astype(int), bins - 1)
    total = np.bincount(which, weight[order], minlength=bins)
    said = np.bincount(which, weight[order] * probability[order], minlength=bins)
    seen = np.bincount(which, weight[order] * y[order], minlength=bins)
    return float(np.abs(said - seen).sum() / total.sum())


def _moved_labels(
    examples: Examples,
    block: NDArray[np.int64],
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    strength: float,
    seed: int,
) -> tuple[float, ...]:
    """AUROC of the same fit on labels moved, block by block, elsewhere on the globe."""
    fold_of = np.empty(len(examples.y), dtype=np.int64)
    for k, (_, test) in enumerate(folds):
        fold_of[test] = k
    values = []
    for k in range(_SHUFFLES):
        chosen = _move(examples.y, block, np.random.default_rng(seed + 100 + k))
        others = np.setdiff1d(np.arange(len(examples.y)), chosen)
        rows = np.concatenate([others, chosen])
        moved = np.arange(len(rows)) >= len(others)
        scores = np.zeros(len(rows), dtype=np.float32)
        for fold in range(len(folds)):
            test = fold_of[rows] == fold
            if moved[~test].any() and not moved[~test].all():
                normal = _direction(examples.x[rows[~test]], moved[~test], strength, seed)
                scores[test] = examples.x[rows[test]] @ normal
        values.append(float(np.nan_to_num(weighted_auroc(scores, moved)[0], nan=0.5)))
    return tuple(values)


def _move(y: NDArray[np.bool_], block: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Move the labels of each block to another block, and return the rows that carry them now.

    Blocks are drawn in proportion to their places, none twice, so that the moved labels are as many, and as clustered,
    as the real ones, and stand where places are. A block with fewer places than labels carries several labels on
    each: were only blocks with room enough drawn, labels crowded into a few blocks would hardly ever leave them.
    """
    names, inverse = np.unique(block, return_inverse=True)
    counts = np.bincount(inverse[y], minlength=len(names))
    counts = counts[counts > 0]
    size = np.bincount(inverse)
    targets = rng.choice(len(names), len(counts), replace=False, p=size / size.sum())
    parts = []
    for target, count in zip(targets, counts):
        rows = np.flatnonzero(inverse == target)
        parts.append(rng.choice(rows, count, replace=count > len(rows)))
    return np.concatenate(parts)


def _position_only(examples: Examples, folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]], seed: int) -> float:
    """AUROC of the same regression on smooth functions of position: polynomials in x, y, z up to degree 8."""
    lon, lat = np.radians(examples.lonlat).T
    xyz = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    powers = [xyz[list(term)].prod(axis=0) for k in range(1, 9) for term in combinations_with_replacement(range(3), k)]
    smooth = np.stack(powers, axis=1)
    scores = np.empty(len(examples.y))
    for train, test in folds:
        rows = train[_thin(examples.y[train], seed)]
        y = examples.y[rows]
        middle, spread = smooth[rows].mean(axis=0), smooth[rows].std(axis=0)
        scale = np.where(spread > 0.0, spread, 1.0)
        fitted = fit_logistic((smooth[rows] - middle) / scale, y, balanced(y), 0.1, tolerance=1e-2, iterations=100)
        scores[test] = (smooth[test] - middle) / scale @ fitted.normal + fitted.intercept
    return float(weighted_auroc(scores, examples.y)[0])
