"""Scores of embeddings against concepts: centred cosine, calibrated, percentile."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConceptError, InputError
from .concept import DIM, PERCENTILES, Calibration, Concept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["KINDS", "ConceptScorer", "default_kind"]

#: What a score can be, with its unit as CF and UDUNITS spell it.
KINDS = {"calibrated": "1", "percentile": "percent", "cosine": "1"}
#: What a concept must have for it.
_NEEDS = {"calibrated": "calibration", "percentile": "percentiles"}


def default_kind(concepts: Sequence[Concept]) -> str:
    """Return the kind of score that all of these concepts have and that tells most.

    Parameters
    ----------
    concepts : sequence of Concept
        None of them: calibrated.

    Returns
    -------
    {"calibrated", "percentile", "cosine"}
        Calibrated, unless a concept (one made of words, say) has no calibration.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> default_kind(load_model().bank.shown)
    'calibrated'
    """
    for kind, needed in _NEEDS.items():
        if all(getattr(concept, needed) is not None for concept in concepts):
            return kind
    return "cosine"


class ConceptScorer:
    """Project embeddings onto concepts, one matrix product a chunk.

    Parameters
    ----------
    concepts : sequence of Concept
    references : mapping of str to ndarray, shape (512,)
        Reference means by name.
    kind : {"calibrated", "percentile", "cosine"}
    columns : mapping of str to int, optional
        Which of the values after the 512 is the head of a concept, by its name; see `PlaceHead`.

    Raises
    ------
    ConceptError
        A concept lacks the calibration or percentiles that `kind` needs.
    InputError
        `kind` is unknown.

    Notes
    -----
    With u = x/|x|, reference mean m and unit concept w the centred cosine is
    ``(u.w - m.w) / sqrt(1 - 2 u.m + m.m)``: the cosine of w with u - m.
    """

    def __init__(
        self,
        concepts: Sequence[Concept],
        references: Mapping[str, NDArray[np.floating]],
        kind: str = "calibrated",
        columns: Mapping[str, int] | None = None,
    ) -> None:
        if kind not in KINDS:
            raise InputError(f"kind must be one of {', '.join(map(repr, KINDS))}; got {kind!r}")
        needed = _NEEDS.get(kind)
        if needed:
            for concept in concepts:
                if getattr(concept, needed) is None:
                    raise ConceptError(
                        f"concept {concept.name!r} has no {needed}: ask for kind={default_kind([concept])!r}"
                    )
        self.kind = kind
        self.concepts = list(concepts)
        used = sorted({concept.reference for concept in concepts})
        means = np.stack([np.asarray(references[name], dtype=np.float32) for name in used])
        vectors = np.stack([concept.vector for concept in concepts])
        self._which = np.array([used.index(concept.reference) for concept in concepts])
        self._matrix = np.ascontiguousarray(np.concatenate([vectors, means]).T)
        self._offset = (vectors * means[self._which]).sum(axis=1)
        self._mean_square = (means * means).sum(axis=1)
        self._by_vector = _Reading(kind, [c.calibration for c in concepts], [c.percentiles for c in concepts])
        known = {} if kind == "cosine" or columns is None else columns  # a cosine is always the vector's
        self._headed = [k for k, c in enumerate(concepts) if c.head is not None and c.name in known]
        self._columns = [DIM + known[concepts[k].name] for k in self._headed]
        heads = [concepts[k].head for k in self._headed]
        self._by_head = _Reading(kind, [h.calibration for h in heads if h], [h.percentiles for h in heads if h])

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score embeddings.

        Parameters
        ----------
        vectors : ndarray of float32, shape (N, 512), or (N, 512 + H)
            Raw embeddings of places, photos or text; any length but zero. Places may carry the values of the H heads
            of the encoder.

        Returns
        -------
        ndarray of float32, shape (N, K)
            ``cosine`` in [-1, 1], ``calibrated`` in [0, 1], ``percentile`` in [0, 100]; NaN where the
            embedding is NaN or zero.
        """
        scores = self._by_vector(self._cosine(vectors[:, :DIM]))
        if self._headed and vectors.shape[1] > DIM:
            scores[:, self._headed] = self._by_head(vectors[:, self._columns])
        return scores

    def _cosine(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        with np.errstate(invalid="ignore", divide="ignore"):
            length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
            products = _product(vectors, self._matrix) / length
            count = len(self.concepts)
            centred = products[:, :count] - self._offset
            spread = np.sqrt(1.0 - 2.0 * products[:, count:] + self._mean_square)
            cosine = centred / spread[:, self._which]
        return np.asarray(np.clip(cosine, -1.0, 1.0), dtype=np.float32)


class _Reading:
    """From a raw reading (N, K) to scores of a kind."""

    def __init__(
        self,
        kind: str,
        calibrations: Sequence[Calibration | None],
        percentiles: Sequence[NDArray[np.float32] | None],
    ) -> None:
        self._kind, self._percentiles = kind, percentiles
        pairs = [pair for pair in calibrations if pair is not None]
        self._slope = np.array([pair.slope for pair in pairs], dtype=np.float32)
        self._intercept = np.array([pair.intercept for pair in pairs], dtype=np.float32)

    def __call__(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._kind == "calibrated":
            logit = np.clip(self._slope * raw + self._intercept, -80.0, 80.0)  # exp stays finite
            return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float32)
        if self._kind == "percentile":
            out = np.empty_like(raw)
            for k, knots in enumerate(self._percentiles):
                out[:, k] = np.interp(raw[:, k], np.asarray(knots), PERCENTILES)
            return out
        return raw


def _product(vectors: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply in tiles so small that BLAS stays on the calling thread.

    OpenBLAS wakes its threads from 2^18 multiply-adds on. They go on spinning for a while after the product, and take
    the cores from the threads of torch or onnxruntime, which would then encode at a third of their speed.
    """
    rows, columns = 8, 2**18 // (8 * DIM)
    whole = len(vectors) // rows * rows
    tiles = vectors[:whole].reshape(-1, rows, DIM)
    out = np.empty((len(vectors), matrix.shape[1]), dtype=np.float32)

    def fill(first: int) -> None:
        some = matrix[:, first : first + columns]
        out[:whole, first : first + columns] = (tiles @ some).reshape(whole, some.shape[1])
        out[whole:, first : first + columns] = vectors[whole:] @ some

    starts = range(0, matrix.shape[1], columns)
    if len(starts) < 3 or len(vectors) < rows:
        for first in starts:
            fill(first)
    else:  # our own threads sleep when they are done
        list(_threads().map(fill, starts))
    return out


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="geoconcept")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_threads.cache_clear)
