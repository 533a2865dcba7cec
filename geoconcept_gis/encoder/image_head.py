"""The image head: features of an image tower into the shared 512-d space."""

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
    """Map an image tower's features to the 512-d space that places share: two layers, ReLU between them.

    Parameters
    ----------
    weights : mapping of str to ndarray
        ``0.weight`` (H, D), ``0.bias`` (H,), ``2.weight`` (512, H), ``2.bias`` (512,). GeoCLIP's, for CLIP ViT-L/14,
        has D = H = 768.

    Attributes
    ----------
    dim : int
        D, the width of the features.

    Raises
    ------
    ModelFileError
        Tensors are missing, left over or of the wrong shape.

    Notes
    -----
    The head has biases, so the *length* of its input matters: give features as the tower returns them (CLIP's have a
    norm of about 18 for images, 12.7 for text), never unit vectors.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.floating]]) -> None:
        first = weights["0.weight"].shape if "0.weight" in weights else ()
        hidden, self.dim = (int(first[0]), int(first[1])) if len(first) == 2 else (768, 768)
        check_tensors(
            weights,
            {"0.weight": (hidden, self.dim), "0.bias": (hidden,), "2.weight": (512, hidden), "2.bias": (512,)},
            "image head",
        )
        self.weights = {name: np.asarray(weights[name], dtype=np.float32) for name in sorted(weights)}

    def __call__(self, features: ArrayLike) -> NDArray[np.float32]:
        """Project features.

        Parameters
        ----------
        features : array_like of shape (N, D)
            Features of the tower it was trained for, at their native length.

        Returns
        -------
        ndarray of float32, shape (N, 512)
            Raw vectors; compare them with places by cosine.

        Raises
        ------
        InputError
            The array is not (N, D) or not finite.
        """
        x = np.atleast_2d(np.asarray(features, dtype=np.float32))
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise InputError(f"image features must have shape (N, {self.dim}); got {np.shape(features)}")
        if not np.isfinite(x).all():
            raise InputError("image features hold NaN or infinite values")
        hidden = np.maximum(x @ self.weights["0.weight"].T + self.weights["0.bias"], 0.0)
        return np.asarray(hidden @ self.weights["2.weight"].T + self.weights["2.bias"], dtype=np.float32)
