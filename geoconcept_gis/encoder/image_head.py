"""GeoCLIP's image head: CLIP ViT-L/14 features into the shared 512-d space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .location import check_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["ImageHead"]


class ImageHead:
    """Map CLIP ViT-L/14 features (768) to the 512-d space that places share.

    Parameters
    ----------
    weights : mapping of str to ndarray
        ``0.weight`` (768, 768), ``0.bias``, ``2.weight`` (512, 768), ``2.bias``.

    Raises
    ------
    ModelFileError
        Tensors are missing, left over or of the wrong shape.

    Notes
    -----
    The head has biases, so the *length* of its input matters: give CLIP's features as the tower returns them
    (norm about 18 for images, 12.7 for text), never unit vectors.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.floating]]) -> None:
        check_tensors(
            weights,
            {"0.weight": (768, 768), "0.bias": (768,), "2.weight": (512, 768), "2.bias": (512,)},
            "image head",
        )
        self.weights = {name: np.asarray(weights[name], dtype=np.float32) for name in sorted(weights)}

    def __call__(self, features: ArrayLike) -> NDArray[np.float32]:
        """Project features.

        Parameters
        ----------
        features : array_like of shape (N, 768)
            CLIP ViT-L/14 projected features at their native length.

        Returns
        -------
        ndarray of float32, shape (N, 512)
            Raw vectors; compare them with places by cosine.

        Raises
        ------
        InputError
            The array is not (N, 768) or not finite.
        """
        x = np.atleast_2d(np.asarray(features, dtype=np.float32))
        if x.ndim != 2 or x.shape[1] != 768:
            raise InputError(f"CLIP ViT-L/14 features must have shape (N, 768); got {np.shape(features)}")
        if not np.isfinite(x).all():
            raise InputError("CLIP features hold NaN or infinite values")
        hidden = np.maximum(x @ self.weights["0.weight"].T + self.weights["0.bias"], 0.0)
        return np.asarray(hidden @ self.weights["2.weight"].T + self.weights["2.bias"], dtype=np.float32)
