"""From vectors to concept activations in training: the bank's directions, held or learnable, and controls for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from ..errors import ConceptError, InputError
from .place_losses import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike
    from torch import Tensor

    from ..concepts.bank import ConceptBank, ConceptLike

__all__ = ["ConceptBasis", "ImageActivations", "random_basis", "shuffled"]


class ConceptBasis(nn.Module):
    """Read concepts off vectors of the shared space: the centred cosine of `ConceptScorer`, with gradients.

    Parameters
    ----------
    vectors : array_like, shape (K, D)
        Directions of the concepts, any length. They stay as they are.
    mean : array_like, shape (D,) or (K, D)
        Mean unit vector of the reference places: one for all concepts, or one for each.
    offset : bool, default True
        Whether training may move the directions: adds `offset`, which starts at zero, to their unit vectors.

    Attributes
    ----------
    offset : Parameter, shape (K, D), or None

    Raises
    ------
    ConceptError
        Shapes do not fit, a direction is zero or not finite, or a mean is not shorter than 1.

    Notes
    -----
    The paper (arXiv 2509.01910, as quoted) has B = E + offset, with E the text embeddings of the concepts, and
    z = x B. Ours: E is the bank, whose directions were tested against independent truths; z is a centred cosine, not
    a plain product, so that it is the number which the rest of the package shows. In PyTorch's own float32, whatever
    autocast says: bfloat16 would lose a good part of a difference of cosines.

    Examples
    --------
    >>> basis = ConceptBasis(np.eye(2, 3), mean=[0.0, 0.0, 0.5])
    >>> basis(torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 4.0]])).round(decimals=3).tolist()
    [[0.894, 0.0], [0.0, 0.894]]
    """

    bank: Tensor
    means: Tensor
    which: Tensor

    def __init__(self, vectors: ArrayLike, mean: ArrayLike, *, offset: bool = True) -> None:
        super().__init__()
        vectors, mean = _check_vectors(vectors), np.asarray(mean, dtype=np.float32)
        if mean.shape not in (vectors.shape[1:], vectors.shape):
            raise ConceptError(
                f"mean must be one vector of {vectors.shape[1]} for all concepts, or one for each, shape "
                f"{vectors.shape}; got {mean.shape}"
            )
        if not (np.linalg.norm(mean, axis=-1) < 1.0).all():
            raise ConceptError("a reference mean must be finite and shorter than 1: it is a mean of unit vectors")
        # Many concepts share few means: only those are multiplied with.
        means, which = np.unique(np.atleast_2d(mean), axis=0, return_inverse=True)
        self.register_buffer("bank", normalize(torch.tensor(vectors)))
        self.register_buffer("means", torch.from_numpy(means))
        self.register_buffer("which", torch.from_numpy(np.broadcast_to(which.ravel(), len(vectors)).copy()))
        self.offset = nn.Parameter(torch.zeros_like(self.bank)) if offset else None

    @classmethod
    def from_bank(
        cls,
        bank: ConceptBank,
        concepts: ConceptLike | Iterable[ConceptLike] | None = None,
        reference: str | None = None,
        *,
        offset: bool = True,
    ) -> ConceptBasis:
        """Take directions and means from a bank.

        Parameters
        ----------
        bank : ConceptBank
            Of the same space as the vectors.
        concepts : str, Concept, iterable of either, or None
            As in `ConceptBank.select`: None means all but those of grade D.
        reference : str, optional
            Centre all concepts on this reference of the bank, ``"uniform_land"`` for example. By default each is
            centred on its own, so that activations are what ``model.score(..., kind="cosine")`` gives.
        offset : bool, default True
            Whether training may move the directions.

        Returns
        -------
        ConceptBasis

        Raises
        ------
        ConceptError
            A concept or the reference is not in the bank.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> model = load_model(backend="numpy")
        >>> basis = ConceptBasis.from_bank(model.bank, ["tropical climate", "desert scene"])
        >>> with torch.no_grad():
        ...     activations = basis(torch.from_numpy(model.encode([[-60.0, -3.0], [10.0, 25.0]])))
        >>> bool((activations.diagonal() > 0.1).all())
        True
        """
        chosen = bank.select(concepts)
        if reference is not None and reference not in bank.references:
            raise ConceptError(f"no reference {reference!r} in this bank; choose one of {sorted(bank.references)}")
        means = [bank.references[reference or concept.reference] for concept in chosen]
        return cls(np.stack([concept.vector for concept in chosen]), np.stack(means), offset=offset)

    @property
    def directions(self) -> Tensor:
        """Unit vectors of the concepts as they are now, shape (K, D)."""
        return self.bank if self.offset is None else normalize(self.bank + self.offset)

    def forward(self, x: Tensor) -> Tensor:
        """Return activations.

        Parameters
        ----------
        x : Tensor, shape (N, D)
            Vectors of photos or places, any length but zero.

        Returns
        -------
        Tensor, shape (N, K)
            Centred cosines in [-1, 1].

        Raises
        ------
        InputError
            The vectors have another width.
        """
        if x.ndim != 2 or x.shape[1] != self.bank.shape[1]:
            raise InputError(f"vectors must have shape (N, {self.bank.shape[1]}); got {shape_of(x)}")
        with torch.autocast(x.device.type, enabled=False):
            u, w, m = normalize(x.to(self.bank.dtype)), self.directions, self.means
            centred = u @ w.T - (w * m[self.which]).sum(dim=1)
            spread = (1.0 - 2.0 * u @ m.T + m.square().sum(dim=1)).sqrt()
            return centred / spread[:, self.which]


class ImageActivations(nn.Sequential):
    """Layers of their own from a photo's features to concept activations, past the shared space.

    Parameters
    ----------
    dim, hidden, concepts : int
        Widths of input, hidden layer and output.

    Notes
    -----
    The paper's image branch is z_img = MLP(x_img); what x_img is, and how wide its layers are, is not known. Here: two
    layers on the tower's features. The default of training is another: photos go through the same `ConceptBasis` as
    places, so that the concept loss shapes the vectors which geolocation and scores use. These layers leave them alone.

    Examples
    --------
    >>> ImageActivations(768, 256, 343)(torch.zeros(2, 768)).shape
    torch.Size([2, 343])
    """

    def __init__(self, dim: int, hidden: int, concepts: int) -> None:
        super().__init__(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, concepts))


def random_basis(like: ConceptBasis, seed: int) -> ConceptBasis:
    """Turn all directions of a basis by one random rotation: a control that is no concepts.

    Parameters
    ----------
    like : ConceptBasis
        Read at its present directions.
    seed : int
        The same seed gives the same rotation.

    Returns
    -------
    ConceptBasis
        As many directions with the same angles between them, around the same means. If it does as well as the
        bank, the names of the bank explain nothing.

    Examples
    --------
    >>> basis = ConceptBasis(np.eye(2, 3), mean=np.zeros(3))
    >>> directions = random_basis(basis, seed=0).directions
    >>> (directions @ directions.T).abs().round(decimals=3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    directions = like.directions.detach().cpu().double().numpy()
    turned, stretch = np.linalg.qr(np.random.default_rng(seed).normal(size=(directions.shape[1],) * 2))
    rotation = turned * np.sign(np.diag(stretch))  # without the signs, not every rotation would be as likely
    means = like.means[like.which].cpu().numpy()
    basis = ConceptBasis(directions @ rotation, means, offset=like.offset is not None)
    basis.to(like.bank.device)
    return basis


def shuffled(activations: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Give every photo the activations of another photo's place: a control without the pairing.

    Parameters
    ----------
    activations : Tensor, shape (N, K)
        One place a row.
    generator : torch.Generator, optional
        On the CPU; where the order comes from.

    Returns
    -------
    Tensor, shape (N, K)
        The same rows, none where it was.

    Raises
    ------
    InputError
        There is only one row.

    Examples
    --------
    >>> mixed = shuffled(torch.arange(5.0)[:, None], torch.Generator().manual_seed(0))[:, 0]
    >>> sorted(mixed.tolist()), bool((mixed == torch.arange(5.0)).any())
    ([0.0, 1.0, 2.0, 3.0, 4.0], False)
    """
    count = len(activations)
    if count < 2:
        raise InputError(f"a batch of {count} cannot be shuffled: the control needs two photos or more")
    # One random round through all rows; each row gets the one before it, so none its own.
    around = torch.randperm(count, generator=generator)
    order = torch.empty_like(around)
    order[around] = around.roll(1)
    return activations[order.to(activations.device)]


def _check_vectors(vectors: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    found = np.asarray(vectors, dtype=np.float32)
    if found.ndim != 2 or 0 in found.shape:
        raise ConceptError(f"directions must have shape (concepts, width); got {found.shape}")
    length = np.linalg.norm(found, axis=1)
    bad = np.flatnonzero(~np.isfinite(length) | (length == 0.0))
    if len(bad):
        raise ConceptError(f"directions of concepts {bad[:5].tolist()} are zero or not finite")
    return found
