"""Image head, location encoder and concept basis in one module, and the losses between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from ..errors import ConfigError
from .concept_basis import ConceptBasis, ImageActivations, random_basis
from .encoders import from_numpy, make_encoder
from .losses import CONCEPT_LOSSES
from .negatives import PlaceQueue, jitter
from .place_losses import geocell_cross_entropy, haversine_km, info_nce, logits_of, smoothed_info_nce
from .seen import SeenConcepts, seen_concept_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from ..concepts import Concept
    from ..model import GeoConceptModel
    from .config import TrainConfig
    from .geocells import Geocells

    Gather = Callable[[Tensor], Tensor]

__all__ = ["Alignment", "Batch", "Standardise"]

#: Width of the shared space.
SHARED = 512
_MAX_SCALE = 100.0


class Batch:
    """Photos of one step, as tensors.

    Attributes
    ----------
    row : Tensor of int64, shape (N,)
        Which photos.
    features : Tensor of float32, shape (N, D)
        What the image tower says of them.
    lonlat : Tensor of float64, shape (N, 2)
        Where they were taken: (lon, lat) in degrees, EPSG:4326.
    concept_lonlat : Tensor of float64, shape (N, 2), optional
        Places whose concepts the photos are held to, where these are others: a control.
    seen : Tensor of bool, shape (N, K), optional
        Concepts that each photo shows.
    """

    def __init__(
        self,
        row: Tensor,
        features: Tensor,
        lonlat: Tensor,
        concept_lonlat: Tensor | None = None,
        seen: Tensor | None = None,
    ) -> None:
        self.row, self.features, self.lonlat = row, features, lonlat
        self.concept_lonlat, self.seen = concept_lonlat, seen

    def __len__(self) -> int:
        return len(self.row)

    def to(self, device: Any) -> Batch:
        """Return the batch on a device."""
        parts: Any = (self.row, self.features, self.lonlat, self.concept_lonlat, self.seen)
        return Batch(*(None if part is None else part.to(device, non_blocking=True) for part in parts))


class _Keys(NamedTuple):
    """Places that photos are compared with, (M, 512) and (M, 2), and which are a photo's own met again, (N, M)."""

    vectors: Tensor
    lonlat: Tensor
    own: Tensor


class Standardise(nn.Module):
    """Bring every feature to mean zero and a common spread. `fold` puts it into the layer behind it.

    Parameters
    ----------
    mean : Tensor, shape (D,)
    spread : float
        One number for all features, so that their relative weight, which the tower chose, stays.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, mean: Tensor, spread: float) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", torch.tensor(spread))

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, D)."""
        return (features - self.mean) / self.spread

    def fold(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Return weight and bias of a linear layer that reads features as they come."""
        folded = weight / self.spread
        return folded, bias - folded @ self.mean


class Alignment(nn.Module):
    """All that training changes. Made by `fit`.

    Parameters
    ----------
    config : TrainConfig
    model : GeoConceptModel
        What training starts from: its location encoder, image head and concept bank.
    features : ndarray, shape (n, D)
        Some of the photos' features, for mean and spread.
    geocells : Geocells, optional
        For ``places.loss: geocells``.
    gallery : ndarray of float64, shape (M, 2), optional
        (lon, lat) of the places that ``negatives.kind: gallery`` uses.
    seen : list of Concept, optional
        The concepts that photos show, for ``concepts.loss: seen``.

    Notes
    -----
    ``forward`` returns the losses of a batch: ``places``, ``concepts``, ``offset`` (those that are on), and ``loss``,
    their weighted sum. With `gather`, which collects the rows of all processes, every process computes the losses of
    the whole batch, so that four devices with 128 photos train like one with 512.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: GeoConceptModel,
        features: NDArray[np.floating],
        *,
        geocells: Geocells | None = None,
        gallery: NDArray[np.float64] | None = None,
        seen: list[Concept] | None = None,
    ) -> None:
        super().__init__()
        torch.manual_seed(config.seed)
        self.config = config
        dim = features.shape[1]
        self.standardise, self.image_head = _image_head(config, model, features)
        self.location_encoder = _location_encoder(config, model)
        self.log_scale = nn.Parameter(
            torch.tensor(float(np.log(config.places.scale))), requires_grad=config.places.learn_scale
        )
        self.frozen = config.location_encoder.frozen
        self.geocells = geocells
        if geocells is not None:
            centres = self.encode_places(torch.from_numpy(geocells.lonlat))
            self.prototypes = nn.Parameter(normalize(centres).detach().clone())
            self.register_buffer("cell_lonlat", torch.from_numpy(geocells.lonlat))
        self.basis, self.image_activations = _concepts(config, model, dim)
        self.seen = None if seen is None else SeenConcepts(model.bank, seen)
        self.negatives: PlaceQueue | None = None
        if config.negatives.kind != "none" and config.places.loss not in ("geocells", "none"):
            self.negatives = PlaceQueue(config.negatives.size, SHARED if self.frozen else 0)
            if gallery is not None:
                self._fill(gallery)

    def encode_photos(self, features: Tensor) -> Tensor:
        """Bring features (N, D) into the shared space: (N, 512), any length."""
        return self.image_head(self.standardise(features))

    def encode_places(self, lonlat: Tensor) -> Tensor:
        """Bring (lon, lat), float64, (N, 2), into the shared space: (N, 512), any length."""
        if self.config.location_encoder.frozen:
            with torch.no_grad():
                return self.location_encoder(lonlat)
        return self.location_encoder(lonlat)

    def forward(
        self, batch: Batch, gather: Gather | None = None, generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        settings, collect = self.config, gather or _as_it_is
        photos = self.encode_photos(batch.features)
        lonlat = jitter(batch.lonlat, settings.negatives.batch_noise_km, generator)
        places = self.encode_places(lonlat)
        losses: dict[str, Tensor] = {}
        if settings.places.loss == "geocells":
            losses["places"] = self._geocell_loss(photos, batch.lonlat)
        elif settings.places.loss != "none":
            everyone, where, lonlat, row = (collect(part) for part in (photos, places, lonlat, batch.row))
            keys = self._keys(where, lonlat, row, generator)
            losses["places"] = self._place_loss(everyone, lonlat, keys)
            if self.seen is not None and batch.seen is not None:
                logits = logits_of(everyone, keys.vectors, self.scale, keys.own)
                losses["concepts"] = seen_concept_loss(logits, self.seen(keys.vectors), collect(batch.seen))
            if self.training and settings.negatives.kind == "queue":
                self._remember(where, lonlat, row)
        if self.basis is not None:
            shown = self.activations(photos, batch.features)
            there = self.basis(places if batch.concept_lonlat is None else self.encode_places(batch.concept_lonlat))
            loss = CONCEPT_LOSSES[settings.concepts.used]
            losses["concepts"] = loss(collect(shown), collect(there), width=settings.concepts.width)
            if self.basis.offset is not None and settings.concepts.offset_decay:
                losses["offset"] = self.basis.offset.square().sum(dim=1).mean()
        weights = {
            "places": settings.places.weight,
            "concepts": settings.concepts.weight,
            "offset": settings.concepts.offset_decay,
        }
        losses["loss"] = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        return losses

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied with."""
        return self.log_scale.exp().clamp(max=_MAX_SCALE)

    def activations(self, photos: Tensor, features: Tensor) -> Tensor:
        """Concept activations of photos (N, K), from their shared vectors or from layers of their own."""
        if self.basis is None:
            raise ConfigError("there is no loss on directions: there are no concept activations")
        if self.image_activations is not None:
            return self.image_activations(self.standardise(features))
        return self.basis(photos)

    def _keys(self, places: Tensor, lonlat: Tensor, row: Tensor, generator: torch.Generator | None) -> _Keys:
        """Return the places that photos are compared with: those of the batch, in its order, then the negatives."""
        vectors, where, rows = places, lonlat, row
        if self.negatives is not None:
            known = self.negatives.row != -1
            more = jitter(self.negatives.lonlat[known], self.config.negatives.noise_km, generator)
            kept = self.negatives.vectors[known] if self.frozen else self.encode_places(more)
            vectors, where = torch.cat((places, kept)), torch.cat((lonlat, more))
            rows = torch.cat((row, self.negatives.row[known]))
        # A photo's own place, met again in the queue, is no wrong answer.
        own = rows[None, :] == row[:, None]
        own[:, : len(row)] = False
        return _Keys(vectors, where, own)

    def _place_loss(self, photos: Tensor, lonlat: Tensor, keys: _Keys) -> Tensor:
        """Cosines of photos with all places they are compared with, against the truth."""
        settings = self.config.places
        if settings.loss == "smoothed":
            km = haversine_km(lonlat, keys.lonlat)
            return smoothed_info_nce(
                photos, keys.vectors, km, scale=self.scale, tau_km=settings.tau_km, ignore=keys.own
            )
        return info_nce(photos, keys.vectors, scale=self.scale, two_sided=settings.loss == "two-sided", ignore=keys.own)

    def _geocell_loss(self, photos: Tensor, lonlat: Tensor) -> Tensor:
        assert self.geocells is not None
        logits = self.scale * normalize(photos) @ normalize(self.prototypes).T
        cell = torch.from_numpy(self.geocells.assign(lonlat.cpu().numpy())).to(logits.device)
        km = haversine_km(lonlat, self.cell_lonlat)
        return geocell_cross_entropy(logits, cell, km=km, tau_km=self.config.places.tau_km)

    def _remember(self, places: Tensor, lonlat: Tensor, row: Tensor) -> None:
        """Put the batch's places into the queue."""
        if self.negatives is not None:
            kept = places.detach() if self.frozen else places.new_zeros(len(places), 0)
            self.negatives.push(row, lonlat, kept)

    def _fill(self, gallery: NDArray[np.float64]) -> None:
        """Put places of the gallery into the queue, for good; no photo has a row below -1."""
        assert self.negatives is not None
        rng = np.random.default_rng(self.config.seed)
        size = min(self.config.negatives.size, len(gallery))
        lonlat = torch.from_numpy(gallery[rng.choice(len(gallery), size, replace=False)])
        vectors = (
            torch.cat([self.encode_places(part) for part in lonlat.split(1024)])
            if self.frozen
            else torch.zeros(size, 0)
        )
        self.negatives.push(torch.full((size,), -2), lonlat, vectors)


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def _image_head(
    config: TrainConfig, model: GeoConceptModel, features: NDArray[np.floating]
) -> tuple[Standardise, nn.Sequential]:
    """Return the image head, new or the model's, and what its input is standardised with."""
    settings, dim = config.image_head, features.shape[1]
    if settings.start == "model":
        weights = model.image_head.weights
        hidden, into = weights["0.weight"].shape
        if into != dim:
            raise ConfigError(
                f"image_head.start: model: the image head of {model.name!r} reads {into} numbers a photo, these "
                f"features have {dim}; set image_head.start: random"
            )
        standardise = Standardise(torch.zeros(dim), 1.0)
    else:
        hidden = settings.hidden
        mean = features.mean(axis=0, dtype=np.float64)
        spread = float(np.sqrt(np.square(features - mean).mean())) or 1.0
        standardise = Standardise(torch.tensor(mean, dtype=torch.float32), spread)
    head = nn.Sequential(
        nn.Dropout(settings.dropout),
        nn.Linear(dim, hidden),
        nn.ReLU(),
        nn.Dropout(settings.hidden_dropout),
        nn.Linear(hidden, SHARED),
    )
    if settings.start == "model":
        with torch.no_grad():
            for layer, name in ((head[1], "0"), (head[4], "2")):
                layer.weight.copy_(torch.tensor(weights[f"{name}.weight"]))
                layer.bias.copy_(torch.tensor(weights[f"{name}.bias"]))
    return standardise, head


def _location_encoder(config: TrainConfig, model: GeoConceptModel) -> nn.Module:
    settings = config.location_encoder
    if settings.kind == "model":
        encoder = from_numpy(model.encoder)
    else:
        encoder = make_encoder({"kind": settings.kind, **settings.settings}, seed=config.seed)
    for parameter in encoder.parameters():
        parameter.requires_grad_(not settings.frozen)
    return encoder


def _concepts(
    config: TrainConfig, model: GeoConceptModel, dim: int
) -> tuple[ConceptBasis | None, ImageActivations | None]:
    """Return the basis of concepts and, where photos have layers of their own, those; None where they are off."""
    settings = config.concepts
    if settings.used in ("none", "seen"):
        return None, None
    chosen = [c for c in model.bank.shown if settings.families is None or c.family in settings.families]
    unknown = set(settings.families or ()) - set(model.bank.families)
    if unknown or not chosen:
        raise ConfigError(
            f"concepts.families: {', '.join(sorted(unknown)) or 'none'} unknown; the bank of {model.name!r} has "
            f"{', '.join(model.bank.families)}"
        )
    basis = ConceptBasis.from_bank(model.bank, chosen, offset=settings.learn_offset)
    if settings.control == "random":
        basis = random_basis(basis, seed=config.seed)
    layers = ImageActivations(dim, config.image_head.hidden, len(chosen)) if settings.image == "mlp" else None
    return basis, layers
