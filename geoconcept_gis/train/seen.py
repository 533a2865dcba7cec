"""Concepts that are seen in a photo itself: who says so, and what that tells of the place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.functional import logsigmoid

from ..errors import ConceptError, InputError
from .concept_basis import ConceptBasis
from .place_losses import soft_targets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray
    from torch import Tensor

    from ..concepts import Concept, ConceptBank

__all__ = ["SeenConcepts", "read_seen", "seen_concept_loss"]

#: Probability of a concept that its calibration says cannot be at a place: no reading is that sure.
_LEAST = 1e-4
_SEPARATOR = ";"


def read_seen(
    path: str | PathLike[str], names: Sequence[str], bank: ConceptBank
) -> tuple[NDArray[np.bool_], list[Concept]]:
    r"""Read which concepts are seen in which photo.

    Parameters
    ----------
    path : path-like
        CSV with columns ``name`` (of the photo, as the features have it) and ``concepts``: names or aliases of the
        bank, with semicolons between them; empty where none is seen. Photos that are not in it show nothing.
    names : sequence of str
        Of the photos, in the order of the features.
    bank : ConceptBank

    Returns
    -------
    seen : ndarray of bool, shape (N, K)
    concepts : list of Concept
        The K that are seen at least once and have a calibration, in the bank's order.

    Raises
    ------
    InputError
        The file cannot be read, a column is missing, a photo is in it twice, or none of the photos is in it.
    ConceptError
        A concept is unknown; the message names its row.

    Examples
    --------
    >>> import tempfile
    >>> from geoconcept_gis import load_model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "seen.csv"
    ...     _ = path.write_text("name,concepts\na.jpg,glacier scene; BWh\nb.jpg,\n")
    ...     seen, concepts = read_seen(path, ["b.jpg", "a.jpg"], load_model().bank)
    >>> [concept.name for concept in concepts], seen.tolist()
    (['hot desert climate', 'glacier scene'], [[False, False], [True, True]])
    """
    import pandas as pd

    path = Path(path)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    missing = {"name", "concepts"} - set(table.columns)
    if missing:
        raise InputError(f"{path} has no column {sorted(missing)[0]!r}; it needs 'name' and 'concepts'")
    twice = table["name"][table["name"].duplicated()]
    if len(twice):
        raise InputError(f"{path}, row {twice.index[0] + 2}: photo {twice.iloc[0]!r} is in it twice")
    found: dict[str, list[str]] = {}
    for row, (name, text) in enumerate(zip(table["name"], table["concepts"], strict=True), 2):
        words = [word.strip() for word in text.split(_SEPARATOR) if word.strip()]
        try:
            found[name] = [bank[word].name for word in words]
        except ConceptError as error:
            raise ConceptError(f"{path}, row {row}: {error}") from None
    if not set(found) & set(names):
        raise InputError(
            f"{path} names none of the photos: it has {next(iter(found), 'none')!r}, the features {names[0]!r}"
        )
    used = {name for photo in names for name in found.get(photo, ())}
    concepts = [concept for concept in bank if concept.name in used and concept.calibration is not None]
    seen = np.array([[c.name in found.get(photo, ()) for c in concepts] for photo in names], dtype=bool)
    return seen.reshape(len(names), len(concepts)), concepts


class SeenConcepts(nn.Module):
    """How probable each of some concepts is at a place, from the place's vector; nothing in it is trained.

    Parameters
    ----------
    bank : ConceptBank
    concepts : list of Concept
        K of them, with a calibration each.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> model = load_model()
    >>> likely = SeenConcepts(model.bank, [model.bank["BWh"]])
    >>> cairo, oslo = likely(torch.from_numpy(model.encode([[31.2, 30.0], [10.7, 59.9]]))).exp()[:, 0].tolist()
    >>> cairo > 0.5 > oslo
    True
    """

    slope: Tensor
    intercept: Tensor

    def __init__(self, bank: ConceptBank, concepts: list[Concept]) -> None:
        super().__init__()
        self.basis = ConceptBasis.from_bank(bank, concepts, offset=False)
        fitted = [c.calibration for c in concepts if c.calibration is not None]
        self.register_buffer("slope", torch.tensor([one.slope for one in fitted], dtype=torch.float32))
        self.register_buffer("intercept", torch.tensor([one.intercept for one in fitted], dtype=torch.float32))

    def forward(self, places: Tensor) -> Tensor:
        """Return log probabilities (M, K) of vectors (M, 512); calibrated as `GeoConceptModel.score_vectors`."""
        return logsigmoid(self.slope * self.basis(places) + self.intercept)


def seen_concept_loss(logits: Tensor, log_probability: Tensor, seen: Tensor) -> Tensor:
    """Hold photos to all places where what they show is probable, not to their own alone.

    Parameters
    ----------
    logits : Tensor, shape (N, M)
        Of photos against places; minus infinity where a place is to be left out.
    log_probability : Tensor, shape (M, K)
        Of the concepts at the places.
    seen : Tensor of bool, shape (N, K)
        Which concepts each photo shows; a photo that shows none adds nothing.

    Returns
    -------
    Tensor, shape ()
        Cross-entropy, summed over the photos that show something and divided by N.

    Raises
    ------
    InputError
        Shapes do not fit.

    Notes
    -----
    Ours, after trials on photos: the paper compares photos with the concepts of *their own place*, which the place loss
    knows already. What a photo shows is news: ``q_ij = softmax_j(mean_k log(p_k(place_j) + 1e-4))`` over the concepts k
    seen in photo i, and the loss is the cross-entropy of q with ``softmax_j(logits)``. It brings in what the bank
    knows of where such things are, from data far larger than the photos trained on.

    Examples
    --------
    >>> there = torch.tensor([[0.9], [0.1]]).log()
    >>> photo_that_fits = seen_concept_loss(torch.tensor([[2.2, 0.0]]), there, torch.tensor([[True]]))
    >>> photo_that_does_not = seen_concept_loss(torch.tensor([[0.0, 2.2]]), there, torch.tensor([[True]]))
    >>> bool(photo_that_fits < photo_that_does_not)
    True
    """
    if logits.ndim != 2 or seen.shape != (len(logits), log_probability.shape[1]):
        raise InputError("logits must be (N, M), log_probability (M, K) and seen (N, K)")
    if log_probability.shape[0] != logits.shape[1]:
        raise InputError("logits and log_probability are of different places")
    shown = seen.any(dim=1)
    if not shown.any():
        return logits.sum() * 0.0
    weight = seen[shown].to(log_probability.dtype)
    evidence = (weight / weight.sum(dim=1, keepdim=True)) @ (log_probability.exp() + _LEAST).log().T
    return soft_targets(logits[shown], evidence.detach()) * (len(weight) / len(logits))
