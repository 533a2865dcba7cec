"""Take concepts away: from embeddings, and from other concepts.

A concept has two vectors: ``vector`` w reads it off a centred direction z, ``pattern`` a is what it adds to one. Taking
m concepts away, with the rows of W and A their vectors and patterns, is the projection (rows of Z are places)

    Z' = Z - Z W^T (A W^T)^-1 A

After it each of the m readings is zero. Where a pattern is the difference between the mean of the places with the
label and the mean of those without, the label also has no covariance left with any number of Z', so that no linear
probe finds it (Belrose et al. 2023, arXiv 2306.03819, theorem 3.1). What another concept w reads off Z' it can read off
Z itself, with the same projection applied to it instead:

    w' = w - W^T (A W^T)^-1 A w
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConceptError, InputError
from .concept import DIM, Concept, slug

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["erase_from_vectors", "given"]

#: Beyond this condition number of A W^T small errors of the patterns, stored in float16, would rule the result.
_WORST_CONDITION = 100.0
#: A shorter rest of a unit vector is noise.
_SHORTEST_REST = 0.01


def erase_from_vectors(vectors_z: ArrayLike, concepts: Concept | Iterable[Concept]) -> NDArray[np.float32]:
    """Take concepts away from centred directions.

    Parameters
    ----------
    vectors_z : array_like of shape (N, 512)
        Centred directions ``z = (u - m) / |u - m|``, with u the embedding at unit length and m the mean of the
        reference that the concepts are centred on.
    concepts : Concept, or iterable of Concept
        Each with a `pattern`; their order does not matter.

    Returns
    -------
    ndarray of float32, shape (N, 512)
        Not unit length: what was taken away is missing. Doing it twice changes nothing more.

    Raises
    ------
    ConceptError
        A concept has no pattern, or its pattern does not agree with its vector; there is none, they are of several
        spaces, or so alike that they cannot be told apart.
    InputError
        The array is not (N, 512).

    Notes
    -----
    The label of a concept vanishes exactly over places of which the share and the mean directions with and without
    the label are those its pattern was made of: its own reference set. Over other places it vanishes roughly.

    Examples
    --------
    >>> import numpy as np
    >>> from geoconcept_gis import Concept
    >>> east = np.eye(512)[0]
    >>> concept = Concept("east", east, space="s", pattern=east + 0.5 * np.eye(512)[1])
    >>> erase_from_vectors([east], concept)[0, :2]
    array([ 0. , -0.5], dtype=float32)
    """
    array = np.asarray(vectors_z, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != DIM:
        raise InputError(f"vectors_z must have shape (N, {DIM}); got {array.shape}")
    W, A, inverse = _prepare(_as_list(concepts))
    return np.asarray(array - array @ W.T @ inverse @ A, dtype=np.float32)


def given(concept: Concept, others: Concept | Iterable[Concept]) -> Concept:
    """Return what is left of a concept when others are taken away from every place.

    Parameters
    ----------
    concept : Concept
        What to read.
    others : Concept, or iterable of Concept
        What to take away, all at once; each with a `pattern`. Their order does not matter.

    Returns
    -------
    Concept
        Named ``"vineyard given mediterranean climate"``. It can be scored with ``kind="cosine"`` only: the
        calibration, percentiles, validity and grade of the whole concept say nothing about the rest of it. Its
        provenance names the parts, and ``cosine_with_whole`` how far the rest points where the whole did.

    Raises
    ------
    ConceptError
        One of `others` is the concept itself, has no pattern, or is from another space; they are so alike that they
        cannot be told apart; or nothing is left.

    Notes
    -----
    The label of what is taken away then has no covariance with the reading of the rest (before that is scaled by the
    length of the centred vector), exactly so over the reference set of the erased concept. A concept centred on
    another reference may be taken away too, since a pattern is a difference of means, in which the reference cancels
    but for the scaling of the vectors; then it holds roughly.

    Examples
    --------
    >>> import numpy as np
    >>> from geoconcept_gis import Concept
    >>> hot, dry = np.eye(512)[:2]
    >>> desert = Concept("desert", hot + dry, space="s")
    >>> rest = given(desert, Concept("hot", hot, space="s", pattern=hot))
    >>> rest.name, rest.vector[:2]
    ('desert given hot', array([0., 1.], dtype=float32))
    """
    erased = _as_list(others)
    names = " and ".join(other.name for other in erased)
    for other in erased:
        if slug(other.name) == slug(concept.name):
            raise ConceptError(f"nothing is left of {concept.name!r} given itself: take another concept away")
    W, A, inverse = _prepare(erased)
    if concept.space != erased[0].space:
        raise ConceptError(
            f"concept {concept.name!r} lives in space {concept.space!r}, {names!r} in {erased[0].space!r}; "
            "vectors of two models cannot be mixed"
        )
    whole = concept.vector.astype(np.float64)
    rest = whole - W.T @ inverse @ (A @ whole)
    length = float(np.linalg.norm(rest))
    if length < _SHORTEST_REST:
        raise ConceptError(f"nothing is left of {concept.name!r} given {names}: they read the same from a place")
    pattern = None
    if concept.pattern is not None:
        added = concept.pattern.astype(np.float64)
        left = added - A.T @ inverse.T @ (W @ added)
        pattern = left.astype(np.float32) if np.linalg.norm(left) >= _SHORTEST_REST else None
    return replace(
        concept,
        name=f"{concept.name} given {names}",
        description=f"What is left of {concept.name!r} when {names!r} is taken away from every place.",
        vector=rest.astype(np.float32),
        pattern=pattern,
        calibration=None,
        percentiles=None,
        validity=None,
        head=None,
        grade=None,
        failure="",
        aliases=(),
        prompts=(),
        provenance={
            "concept": concept.name,
            "given": "; ".join(other.name for other in erased),
            "method": "oblique projection along the patterns (Belrose et al. 2023, arXiv 2306.03819)",
            "cosine_with_whole": f"{float(rest @ whole) / length:.3f}",
        },
    )


def _as_list(concepts: Concept | Iterable[Concept]) -> list[Concept]:
    return [concepts] if isinstance(concepts, Concept) else list(concepts)


def _prepare(
    concepts: list[Concept],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return W, A and (A W^T)^-1, or say why these concepts cannot be taken away."""
    if not concepts:
        raise ConceptError("no concept to take away: give at least one")
    patterns = []
    for concept in concepts:
        if concept.space != concepts[0].space:
            raise ConceptError(
                f"concept {concept.name!r} lives in space {concept.space!r}, {concepts[0].name!r} in "
                f"{concepts[0].space!r}; vectors of two models cannot be mixed"
            )
        if concept.pattern is None:
            raise ConceptError(
                f"concept {concept.name!r} has no pattern, without which it cannot be taken away: fit it anew, "
                "or choose another"
            )
        patterns.append(concept.pattern.astype(np.float64))
    W, A = np.array([concept.vector for concept in concepts], dtype=np.float64), np.array(patterns)
    product = A @ W.T
    for concept, agreement in zip(concepts, product.diagonal()):
        if agreement < _SHORTEST_REST:
            raise ConceptError(
                f"concept {concept.name!r} cannot be taken away: what it adds to a place (pattern) is not what it "
                f"reads from one (vector), their cosine is {agreement:.3f}"
            )
    # Scaled, so that one weak concept does not pass for two that are alike.
    scale = np.sqrt(product.diagonal())
    if np.linalg.cond(product / np.outer(scale, scale)) > _WORST_CONDITION:
        raise ConceptError(f"{_most_alike(concepts, W)} are too alike to be taken away together: leave one of them out")
    return W, A, np.asarray(np.linalg.inv(product), dtype=np.float64)


def _most_alike(concepts: list[Concept], W: NDArray[np.float64]) -> str:
    """Name the two concepts whose vectors are most nearly parallel."""
    cosines = np.abs(W @ W.T) - np.eye(len(W))
    one, two = sorted(divmod(int(cosines.argmax()), len(W)))
    return f"{concepts[one].name!r} and {concepts[two].name!r}"
