"""How well photos that were held out are placed, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import normalize

from ..evaluation.metrics import distance_km, geoguessr_score
from ..gallery import photo_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .alignment import Alignment
    from .config import TrainConfig
    from .sources import Source

__all__ = ["Validation", "encode_photos", "encode_places", "take_features"]

_ENCODE = 4096


class Validation:
    """Where the photos that are held out are placed, in a part of the gallery."""

    def __init__(self, source: Source, rows: NDArray[np.integer], config: TrainConfig, device: Any) -> None:
        self.features = take_features(source, rows)
        self.lonlat = source.lonlat[rows]
        gallery = photo_places()
        step = max(1, len(gallery) // config.run.validation_places)
        self.places = gallery[::step]
        self.frozen, self.device = config.location_encoder.frozen, device
        self.vectors: torch.Tensor | None = None

    def __call__(self, alignment: Alignment) -> dict[str, float]:
        """Return ``score``, ``median_km`` and ``loss``; the module is left in evaluation mode."""
        alignment.eval()
        with torch.no_grad():
            if self.vectors is None or not self.frozen:
                self.vectors = encode_places(alignment, self.places, self.device)
            photos = torch.from_numpy(encode_photos(alignment, self.features)).to(self.device)
            nearest = torch.cat([(part @ self.vectors.T).argmax(dim=1) for part in photos.split(1024)]).cpu().numpy()
            own = encode_places(alignment, self.lonlat, self.device)
            # Chance is the logarithm of the number of places.
            cosine = torch.cat([part @ self.vectors.T for part in photos.split(1024)])
            right = (photos * own).sum(dim=1, keepdim=True)
            loss = torch.cat([right, cosine], dim=1).mul(alignment.scale).log_softmax(dim=1)[:, 0].neg().mean()
        km = distance_km(self.places[nearest], self.lonlat, method="haversine")
        return {"score": float(geoguessr_score(km).mean()), "median_km": float(np.median(km)), "loss": float(loss)}


def encode_photos(alignment: Alignment, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Bring features (N, D) into the shared space: unit vectors (N, 512)."""
    device = alignment.log_scale.device
    with torch.no_grad():
        parts = [
            normalize(alignment.encode_photos(part.to(device))).float().cpu()
            for part in torch.from_numpy(np.asarray(features, dtype=np.float32)).split(_ENCODE)
        ]
    return np.asarray(torch.cat(parts).numpy())


def encode_places(alignment: Alignment, lonlat: NDArray[np.float64], device: Any) -> torch.Tensor:
    """Bring (lon, lat), (N, 2), into the shared space: unit vectors (N, 512), on the device."""
    places = torch.from_numpy(np.ascontiguousarray(lonlat, dtype=np.float64))
    return torch.cat(
        [normalize(alignment.encode_places(part.to(device))).float() for part in places.split(_ENCODE // 4)]
    )


def take_features(source: Source, rows: NDArray[np.integer]) -> NDArray[np.float32]:
    """Read the plain features of photos, in parts, so that a tower never sees all of them at once."""
    return np.concatenate([source.plain(rows[k : k + _ENCODE]) for k in range(0, len(rows), _ENCODE)])
