"""Why there: which concepts a photo expresses, what each does to the likely places, and a test that they matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..concepts.decompose import atoms_of, decompose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..model import GeoConceptModel
    from .density import Calibration, Surface
    from .posterior import Posterior

__all__ = ["reasons_of"]

#: Likely places whose reasons are told, and random directions each concept is compared with.
_PLACES, _RANDOM = 3, 16


def reasons_of(
    one: Posterior,
    query: NDArray[np.float32],
    mean: NDArray[np.float32],
    *,
    model: GeoConceptModel,
    surface: Surface,
    prior: NDArray[np.float64],
    calibration: Calibration,
    top: int = 10,
) -> dict[str, list[str] | NDArray[np.float64]]:
    """Tell which concepts carried a geolocation.

    The centred vector of the photo is written as a sparse sum of concepts (`decompose`). Cosines are linear in it, so
    every concept has an exact part in the score of every place.

    Parameters
    ----------
    one : Posterior
        Its likeliest places are looked at.
    query, mean : ndarray of float32, shape (512,)
        The photo's unit vector, and the mean unit vector of photos.
    model : GeoConceptModel
        Whose concepts.
    surface : Surface
    prior : ndarray of float64, shape (M,)
    calibration : Calibration
    top : int, default 10
        At most this many concepts.

    Returns
    -------
    dict of str to list or ndarray
        Columns of a table with one row a concept, strongest first: ``concept``, ``family``, ``grade``, ``weight`` (in
        the sparse sum), ``factor_1`` to ``factor_3`` (how many times likelier it makes the first three points, compared
        with the average place on land), ``moved`` (share of the probability that moves elsewhere when the concept is
        taken out of the photo's vector) and ``moved_by_chance`` (the mean of 16 random directions as long). A concept
        that moves no more than chance has carried nothing.
    """
    concepts = [c for c in model.bank.shown if c.pattern is not None]
    atoms = atoms_of(concepts)
    length = float(np.linalg.norm(query - mean))
    weights = decompose((query - mean)[None] / length, atoms)[0]
    best = [k for k in np.argsort(-weights, kind="stable")[:top] if weights[k] > 0.0]
    parts = (weights[best, None] * atoms[best] * length).astype(np.float32)
    rows = one._ranked[0][:_PLACES]
    average = surface.land.vectors[::50].astype(np.float32).mean(axis=0)
    places = np.stack([_vector_at(surface, row, query, calibration.temperature) for row in rows]) - average
    with np.errstate(over="ignore"):
        factors = np.exp(np.clip(parts @ places.T / calibration.temperature, -50.0, 50.0))
    moved, chance = _moved(query, parts, surface, prior, calibration)
    order = np.argsort(-moved, kind="stable")
    chosen = [concepts[best[k]] for k in order]
    return {
        "concept": [concept.name for concept in chosen],
        "family": [concept.family for concept in chosen],
        "grade": [concept.grade for concept in chosen],
        "weight": weights[best][order],
        **{f"factor_{j + 1}": factors[order, j] for j in range(len(rows))},
        "moved": moved[order],
        "moved_by_chance": chance[order],
    }


def _vector_at(surface: Surface, row: int, query: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return the mean vector of a cell's places, each weighted by its part in the cell's likelihood."""
    cell = surface.cells[row]
    vectors = np.concatenate(
        [gallery.vectors[gallery.cells == cell].astype(np.float32) for gallery in (surface.photos, surface.land)]
    )
    score = vectors @ query / temperature
    weight = np.exp(score - score.max())
    return np.asarray(weight @ vectors / weight.sum(), dtype=np.float32)


def _moved(
    query: NDArray[np.float32],
    parts: NDArray[np.float32],
    surface: Surface,
    prior: NDArray[np.float64],
    calibration: Calibration,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much probability moves when each part is taken out, and when random directions as long are."""
    if not len(parts):
        return np.empty(0), np.empty(0)
    rng = np.random.default_rng(0)
    random = rng.normal(size=(_RANDOM, len(query))).astype(np.float32)
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    directions = np.concatenate([parts, random])
    # Cosines with what is left: linear, but for its length.
    base = [gallery.scores(query)[0] for gallery in (surface.photos, surface.land)]
    lengths = np.linalg.norm(directions, axis=1)
    along = [gallery.scores(directions) * lengths[:, None] for gallery in (surface.photos, surface.land)]

    def without(k: int, size: float) -> NDArray[np.float64]:
        norm = float(np.linalg.norm(query - size * directions[k]))
        photos, land = ((score - size * part[k])[None] / norm for score, part in zip(base, along))
        likelihood = surface.mean_likelihood(photos, land, calibration.temperature)
        return np.asarray(surface.posterior(likelihood, prior, calibration)[0])

    before = without(0, 0.0)

    def share(k: int, size: float = 1.0) -> float:
        return float(np.abs(without(k, size) - before).sum() / 2.0)

    moved = np.array([share(k) for k in range(len(parts))])
    # How far a random direction moves it depends on its length alone: three lengths, and a line through them.
    sizes = np.quantile(np.linalg.norm(parts, axis=1), [0.0, 0.5, 1.0])
    by_chance = [np.mean([share(len(parts) + k, size) for k in range(_RANDOM)]) for size in np.unique(sizes)]
    return moved, np.interp(np.linalg.norm(parts, axis=1), np.unique(sizes), by_chance)
