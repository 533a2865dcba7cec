"""The columns a table job adds, and the one way to fill them: encode a chunk, project it, drop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError
from .model import as_model

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from os import PathLike

    from numpy.typing import NDArray

    from .concepts.bank import ConceptLike
    from .model import GeoConceptModel
    from .progress import Progress

__all__ = ["FEATURES", "FeatureColumns", "check_choice"]

FEATURES = ("concepts", "embedding", "all")


def check_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Refuse an argument that is not one of `choices`, naming all of them."""
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}")


class FeatureColumns:
    """Names of the new columns, and their values at places.

    Parameters
    ----------
    model : GeoConceptModel, str, path-like or None
        See `as_model`.
    features : {"concepts", "embedding", "all"}
        ``all`` is the concepts first, then the embedding, from one pass over the encoder.
    concepts : str, Concept, iterable of either, or None
        None means all but those of grade D.
    kind : {"calibrated", "percentile", "cosine"}, optional
        None means calibrated, or the percentile where a concept has no calibration.

    Raises
    ------
    InputError
        An argument is not one of the above, or concepts are named where only embeddings are asked for.
    ConceptError
        A concept is unknown, or cannot be scored in this `kind`.

    Examples
    --------
    >>> columns = FeatureColumns(None, "all", "BWh")
    >>> columns.names[0], columns.names[-1], len(columns.names)
    ('concept_hot_desert_climate', 'embedding_511', 513)
    """

    def __init__(
        self,
        model: GeoConceptModel | str | PathLike[str] | None,
        features: str = "concepts",
        concepts: ConceptLike | Iterable[ConceptLike] | None = None,
        kind: str | None = None,
    ) -> None:
        check_choice("features", features, FEATURES)
        if features == "embedding" and concepts is not None:
            raise InputError("features='embedding' computes no concepts: leave concepts out, or ask for 'all'")
        self.model = as_model(model)
        self.features = features
        self._scorer = None if features == "embedding" else self.model.scorer(concepts, kind)
        self.names: list[str] = []
        if self._scorer is not None:
            self.names += [concept.column for concept in self._scorer.concepts]
        if features != "concepts":
            self.names += [f"embedding_{k:03d}" for k in range(self.model.encoder.dim)]

    def _values(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the columns of one encoded chunk, shape (n, C)."""
        embedding = vectors[:, : self.model.encoder.dim]
        if self._scorer is None:
            return embedding
        scores = self._scorer(vectors)
        return scores if self.features == "concepts" else np.concatenate([scores, embedding], axis=1)

    def fill(
        self,
        out: NDArray[np.float32],
        pairs: NDArray[np.float64],
        rows: NDArray[np.intp] | None = None,
        *,
        progress: Progress | None = None,
        total: int | None = None,
        done: int = 0,
    ) -> None:
        """Write the values at `pairs` into `out`.

        Parameters
        ----------
        out : ndarray of float32, shape (N, C)
        pairs : ndarray of float64, shape (n, 2)
            (lon, lat) in degrees, checked and wrapped.
        rows : ndarray of int, shape (n,), optional
            The row of `out` that each place belongs to; None means one after the other.
        progress, total, done
            As in `GeoConceptModel.iter_encode`.

        Raises
        ------
        Cancelled
        """
        for part, vectors in self.model.iter_encode(pairs, progress=progress, total=total, done=done):
            out[part if rows is None else rows[part]] = self._values(vectors)

    def fill_means(
        self,
        out: NDArray[np.float32],
        batches: Iterable[tuple[NDArray[np.float64], NDArray[np.intp]]],
        *,
        progress: Progress | None = None,
        total: int,
        done: int = 0,
    ) -> None:
        """Write into each row of `out` the mean of every column over that row's points.

        Parameters
        ----------
        out : ndarray of float32, shape (N, C)
            Rows without a point are left as they are.
        batches : iterable of (pairs, owner)
            Points (lon, lat), shape (n, 2), and the row each belongs to, shape (n,), never falling.
        progress, total, done
            As in `GeoConceptModel.iter_encode`; `total` counts points.

        Raises
        ------
        Cancelled
        """
        seen = np.zeros(len(out), dtype=np.int64)
        for pairs, owner in batches:
            for part, vectors in self.model.iter_encode(pairs, progress=progress, total=total, done=done):
                _add_to_means(out, seen, owner[part], self._values(vectors))
            done += len(pairs)

    def provenance(self, **more: object) -> dict[str, str]:
        """Return what the product must carry: the model's record, `features`, and `more` as strings.

        Call it after the work: the backend may settle only then.
        """
        if self._scorer is None:
            record = self.model.provenance()
        else:
            record = self.model.provenance(self._scorer.concepts, self._scorer.kind)
        return record | {"features": self.features} | {key: str(value) for key, value in more.items()}


def _add_to_means(
    out: NDArray[np.float32], seen: NDArray[np.int64], owner: NDArray[np.intp], values: NDArray[np.float32]
) -> None:
    """Move the running means by one chunk; sums are float64, and a row meets few chunks."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    rows = owner[starts]
    counts = np.diff(np.append(starts, len(owner)))
    sums = np.add.reduceat(values, starts, axis=0, dtype=np.float64)
    before = np.where(seen[rows, None] > 0, out[rows], 0.0)  # new rows may hold NaN
    seen[rows] += counts
    out[rows] = before + (sums - counts[:, None] * before) / seen[rows, None]
