"""The encoder that is taught, and what it is told from: a loss for each teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize, softplus

from ..encoders import TablesTwin, make_encoder
from .blocks import in_held_blocks
from .lessons import SETS
from .numbers import SOURCES
from .photos import PhotoLoss

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from .config import TeachConfig
    from .lessons import Lessons

__all__ = ["Pupil"]

#: Places whose region is asked of each batch: the head is wide. And those that phrases are told from.
_REGION_ROWS, _TEXT_ROWS = 256, 512
#: Weight of a rare label's places, at most: 3 * sqrt of how many more places are without it, up to 100 times.
_RAREST = 100.0
#: Places that means are taken over.
_SAMPLE = 100_000


class Pupil(nn.Module):
    """The encoder that is taught, with what is taken off when it is done: linear heads that read its 512 numbers.

    Parameters
    ----------
    config : TeachConfig
    lessons : Lessons

    Attributes
    ----------
    phrases : Tensor of int64, shape (P,)
        Rows of `Lessons.texts` that are taught.

    Notes
    -----
    The encoder's numbers are those of the shared space's unit vectors, less their mean, over their spread; `vectors`
    turns them back. Heads are linear, so that what they read lies open in the numbers, for any linear model to find.
    A head whose teacher or source is left out learns all the same, but the encoder does not learn from it: it says how
    much of that lies open in the numbers of its own accord.
    Texts have no head: their directions are those of the words' tower, and stay.
    """

    mean: Tensor
    spread: Tensor
    land: Tensor
    rarity: Tensor
    asked: Tensor
    counted: Tensor
    scene_rarity: Tensor
    scene_asked: Tensor
    directions: Tensor
    truths: Tensor
    phrases: Tensor

    def __init__(self, config: TeachConfig, lessons: Lessons) -> None:
        super().__init__()
        self.encoder = make_encoder(config.encoder, config.seed)
        if isinstance(self.encoder, TablesTwin):
            self.encoder.choose_knots(lessons.lonlat[lessons.drawn != SETS.index("earth")])
        unit = normalize(torch.from_numpy(lessons.meaning[:_SAMPLE]).float(), dim=1)
        self.register_buffer("mean", unit.mean(0))
        self.register_buffer("spread", (unit - self.mean).square().mean().sqrt())
        self._weights = weights = config.teachers
        self._regions_asked = bool(weights.regions) and "countries" not in weights.without
        families = {family for source in weights.without for family in SOURCES[source][0]}
        numbers = {name for source in weights.without for name in SOURCES[source][1]}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed + 1)
            self.labels = nn.Linear(self.encoder.dim, lessons.labels.shape[1])
            self.numbers = nn.Linear(self.encoder.dim, lessons.numbers.shape[1])
            self.regions = nn.Linear(self.encoder.dim, max(1, lessons.regions))
            if lessons.scenes is not None:
                self.scenes = nn.Linear(self.encoder.dim, len(lessons.scenes.names))
        told = ~in_held_blocks(lessons.lonlat) if config.teachers.held_blocks else slice(None)
        self.register_buffer("rarity", _rarity(torch.from_numpy(lessons.labels[told])))
        self.register_buffer("asked", _not_in(families, lessons.label_families, weights.labels))
        self.register_buffer("counted", _not_in(numbers, lessons.number_names, weights.numbers))
        if lessons.scenes is not None:
            self.register_buffer("scene_rarity", _rarity(torch.from_numpy(lessons.scenes.labels[~lessons.scenes.held])))
            self.register_buffer("scene_asked", _not_in(families, lessons.scenes.families, weights.scenes))
        if lessons.texts is not None:
            on_land = torch.from_numpy(lessons.drawn[: len(unit)] == SETS.index("land"))
            self.register_buffer("land", unit[on_land].mean(0))
            self.register_buffer("directions", torch.from_numpy(lessons.texts.directions))
            self.register_buffer("truths", torch.from_numpy(lessons.texts.truths))
            allowed = _not_in(families, lessons.label_families, 1.0)[self.truths].all(1)
            taught = ~torch.from_numpy(lessons.texts.held) & allowed
            self.register_buffer("phrases", taught.nonzero()[:, 0])
            self.text_scale = nn.Parameter(torch.tensor(10.0))
            self.text_bias = nn.Parameter(torch.zeros(len(self.truths)))
        if lessons.photos is not None:
            assert config.photos is not None
            self.photo_loss = PhotoLoss(config.photos, lessons.photos.basis)

    def vectors(self, lonlat: Tensor) -> Tensor:
        """Return vectors (N, 512) of the shared space."""
        vectors: Tensor = self.encoder(lonlat) * self.spread + self.mean
        return vectors

    def read(self, numbers: Tensor, phrases: Tensor) -> Tensor:
        """Return the cosine (N, P) of places with phrases, from the encoder's numbers (N, 512)."""
        unit = normalize(numbers.float() * self.spread + self.mean, dim=1)
        return normalize(unit - self.land, dim=1) @ self.directions[phrases].T

    def truth(self, labels: Tensor, phrases: Tensor) -> Tensor:
        """Return whether phrases hold at places (N, P): 1, 0, or -1 where it is not known."""
        first, second = self.truths[phrases].T
        return torch.minimum(labels[:, first], labels[:, second])

    def forward(self, batch: dict[str, Tensor], precision: str) -> dict[str, Tensor]:
        """Return ``loss`` and what it is made of."""
        parts = [len(batch[name]) if name in batch else 0 for name in ("meaning", "scenes", "photos")]
        with torch.autocast(self.mean.device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
            numbers, at_scenes, at_photos = self.encoder(batch["lonlat"]).split(parts)
            losses = self._head_losses(batch, numbers, at_scenes)
            probes = self._head_losses(batch, numbers.detach(), at_scenes.detach(), left_out=True)
        aim = (normalize(batch["meaning"].float(), dim=1) - self.mean) / self.spread
        losses["meaning"] = (numbers.float() - aim).square().mean()
        if "phrases" in batch:
            losses["texts"] = self._text_loss(numbers[:_TEXT_ROWS], batch["labels"][:_TEXT_ROWS], batch["phrases"])
        if "photos" in batch:
            places = at_photos.float() * self.spread + self.mean
            losses["photos"] = self.photo_loss(batch["photos"], places, batch["lonlat"][-len(places) :])
        total = sum(getattr(self._weights, name) * loss for name, loss in losses.items())
        return {"loss": torch.as_tensor(total + sum(probes.values())), **losses}

    def _head_losses(
        self, batch: dict[str, Tensor], numbers: Tensor, at_scenes: Tensor, left_out: bool = False
    ) -> dict[str, Tensor]:
        """Return the losses of heads that are asked, or of those that are left out."""
        losses = {}
        if (labels := self.asked != left_out).any():
            losses["labels"] = _yes_or_no(self.labels(numbers), batch["labels"], self.rarity, labels)
        if (counted := self.counted != left_out).any():
            known = ~batch["numbers"].isnan() & counted
            wrong = (self.numbers(numbers).float() - batch["numbers"].nan_to_num()).square()
            losses["numbers"] = (wrong * known).sum() / known.sum().clamp(min=1)
        region = batch["region"][:_REGION_ROWS]
        if self._regions_asked != left_out and bool((region >= 0).any()):
            regions = self.regions(numbers[:_REGION_ROWS])
            losses["regions"] = cross_entropy(regions.float(), region, ignore_index=-1)
        if "scenes" in batch and (scenes := self.scene_asked != left_out).any():
            losses["scenes"] = _yes_or_no(self.scenes(at_scenes), batch["scenes"], self.scene_rarity, scenes)
        return losses

    def _text_loss(self, numbers: Tensor, labels: Tensor, phrases: Tensor) -> Tensor:
        """Contrast places where a phrase holds with places where it does not; both count the same, however rare."""
        logits = self.text_scale * self.read(numbers, phrases) + self.text_bias[phrases]
        truth = self.truth(labels, phrases)
        losses = []
        for value, sign in ((1, -1.0), (0, 1.0)):
            these = (truth == value).float()
            losses.append((softplus(sign * logits) * these).sum(0) / these.sum(0).clamp(min=1))
        both = ((truth == 1).any(0) & (truth == 0).any(0)).float()
        return ((losses[0] + losses[1]) / 2.0 * both).sum() / both.sum().clamp(min=1)


def _not_in(left_out: set[str], names: Iterable[str], weight: float) -> Tensor:
    """Tell what is asked: all but what is left out, and nothing where the teacher has no weight."""
    return torch.tensor([weight > 0.0 and name not in left_out for name in names])


def _rarity(labels: Tensor) -> Tensor:
    with_label, without = ((labels == value).sum(0).float() for value in (1, 0))
    return 3.0 * (without / with_label.clamp(min=1)).clamp(max=_RAREST).sqrt()


def _yes_or_no(scores: Tensor, labels: Tensor, rarity: Tensor, asked: Tensor) -> Tensor:
    """Return the cross-entropy of what is known (not -1) and asked, rare labels counting more."""
    known = (labels >= 0) & asked
    each = binary_cross_entropy_with_logits(scores.float(), (labels == 1).float(), pos_weight=rarity, reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)
