"""Photos with known places as teachers: a place's vector is pulled towards the photos that were taken there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ...errors import ConfigError
from ..concept_basis import ConceptBasis
from ..job import split
from ..losses import CONCEPT_LOSSES, haversine_km, info_nce, smoothed_info_nce
from ..sources import open_source
from ..validation import take_features

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ...model import GeoConceptModel
    from .config import PhotosConfig

__all__ = ["PhotoLoss", "Photos", "gather_photos"]


@dataclass(frozen=True, eq=False)
class Photos:
    """Photos in the shared space, as the teacher's image head sees them; it stays as it is.

    Attributes
    ----------
    vectors : ndarray of float32, shape (N, 512)
    lonlat : ndarray of float64, shape (N, 2)
        Where they were taken: (lon, lat) in degrees, EPSG:4326.
    held : ndarray of bool, shape (N,)
        Not to be learnt.
    basis : ConceptBasis or None
        What reads concepts off photos and places, where the settings ask for a loss between them.
    """

    vectors: NDArray[np.float32]
    lonlat: NDArray[np.float64]
    held: NDArray[np.bool_]
    basis: ConceptBasis | None


def gather_photos(config: PhotosConfig, teacher: GeoConceptModel, *, seed: int = 0) -> Photos:
    """Read the photos' features and take them through the teacher's image head.

    Parameters
    ----------
    config : PhotosConfig
    teacher : GeoConceptModel
    seed : int, default 0
        Of the photos held out.

    Returns
    -------
    Photos

    Raises
    ------
    InputError, ModelFileError
        There are no features where the settings say.
    ConfigError
        They are of another width than the image head reads.
    """
    source = open_source(config.source)
    if source.dim != teacher.image_head.dim:
        raise ConfigError(
            f"photos.source: its features have {source.dim} numbers, the image head of {teacher.name!r} reads "
            f"{teacher.image_head.dim}: make them with geoconcept features --tower clip"
        )
    rows, held = split(source, config.validation, config.split_by, seed)
    basis = None if config.concepts == "none" else ConceptBasis.from_bank(teacher.bank, offset=False)
    order = np.concatenate([rows, held])
    vectors = teacher.image_head(take_features(source, order))
    return Photos(vectors, source.lonlat[order], np.arange(len(order)) >= len(rows), basis)


class PhotoLoss(nn.Module):
    """The losses of `geoconcept_gis.train.losses` between photos and the places that the pupil encodes.

    Parameters
    ----------
    config : PhotosConfig
    basis : ConceptBasis or None
    """

    def __init__(self, config: PhotosConfig, basis: ConceptBasis | None) -> None:
        super().__init__()
        self.config, self.basis = config, basis

    def forward(self, photos: Tensor, places: Tensor, lonlat: Tensor) -> Tensor:
        """Return the loss of photos and their places, vectors (N, 512) both; `lonlat` is (N, 2)."""
        config, loss = self.config, torch.zeros((), device=places.device)
        if config.loss == "smoothed":
            km = haversine_km(lonlat, lonlat)
            loss = smoothed_info_nce(photos, places, km, scale=config.scale, tau_km=config.tau_km)
        elif config.loss != "none":
            loss = info_nce(photos, places, scale=config.scale, two_sided=config.loss == "two-sided")
        if self.basis is not None:
            compare = CONCEPT_LOSSES[config.concepts]
            loss = loss + config.concepts_weight * compare(self.basis(photos), self.basis(places), width=config.width)
        return loss
