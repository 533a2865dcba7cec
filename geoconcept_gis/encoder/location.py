"""GeoCLIP's location encoder in numpy: three capsules of random Fourier features and a small network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelFileError
from .projection import equal_earth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["LocationEncoder"]

_LAYERS = ("capsule.1", "capsule.3", "capsule.5", "head.0")


class LocationEncoder:
    """Map (lon, lat) to GeoCLIP's 512-d space; float32 numpy, the reference of every other backend.

    Parameters
    ----------
    weights : mapping of str to ndarray
        GeoCLIP's own tensor names (``LocEnc0.capsule.0.b`` ...), float16 or float32. Values that are
        subnormal in float32 are set to zero: they change no output bit and cost some CPUs a factor of five.

    Raises
    ------
    ModelFileError
        Tensors are missing, left over or of the wrong shape.

    Notes
    -----
    For a capsule with phase matrix B (256, 2): features ``[cos(2 pi B v), sin(2 pi B v)]`` of the Equal Earth
    point v, then 512 -> 1024 -> 1024 -> 1024 with ReLU, then a linear 512. The three outputs are summed, not
    normalised. 9.4 M multiply-adds a point. Source: GeoCLIP, arXiv 2309.16020, equations 2-4.
    """

    name = "numpy"
    dim = 512
    #: Points per chunk: large enough for BLAS, small enough for the cache.
    chunk_size = 1024

    def __init__(self, weights: Mapping[str, NDArray[np.floating]]) -> None:
        capsules = _count_capsules(weights)
        _check_shapes(weights, capsules)
        self.weights = {name: _to_float32(weights[name]) for name in sorted(weights)}
        self._capsules = [
            (
                2.0 * np.pi * self.weights[f"LocEnc{i}.capsule.0.b"].astype(np.float64).T,
                [
                    (
                        np.ascontiguousarray(self.weights[f"LocEnc{i}.{layer}.weight"].T),
                        self.weights[f"LocEnc{i}.{layer}.bias"],
                    )
                    for layer in _LAYERS
                ],
            )
            for i in range(capsules)
        ]

    def encode_chunk(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode one chunk of checked coordinates.

        Parameters
        ----------
        lonlat : ndarray of float64, shape (N, 2)
            (lon, lat) in degrees, already checked and wrapped.

        Returns
        -------
        ndarray of float32, shape (N, 512)
            Raw vectors, norm about 0.7.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> load_model().encoder.encode_chunk(np.array([[31.2, 30.0]])).dtype
        dtype('float32')
        """
        plane = equal_earth(lonlat)
        out = np.zeros((len(plane), self.dim), dtype=np.float32)
        for phases, layers in self._capsules:
            hidden = _fourier_features(plane, phases)
            for weight, bias in layers[:-1]:
                hidden = hidden @ weight
                hidden += bias
                np.maximum(hidden, 0.0, out=hidden)
            weight, bias = layers[-1]
            out += hidden @ weight
            out += bias
        return out


def _fourier_features(plane: NDArray[np.float64], phases: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return [cos, sin] of the phases; the product is float64, the phases float32 (see encoder notes)."""
    angle = (plane @ phases).astype(np.float32)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def _to_float32(array: NDArray[np.floating]) -> NDArray[np.float32]:
    out = np.array(array, dtype=np.float32, order="C")
    out[np.abs(out) < np.finfo(np.float32).tiny] = 0.0
    return out


def _count_capsules(weights: Mapping[str, NDArray[np.floating]]) -> int:
    count = 0
    while f"LocEnc{count}.capsule.0.b" in weights:
        count += 1
    if count == 0:
        raise ModelFileError(
            "these weights are no GeoCLIP location encoder: tensor 'LocEnc0.capsule.0.b' is missing "
            f"(found {', '.join(sorted(weights)[:3]) or 'nothing'})"
        )
    return count


def _check_shapes(weights: Mapping[str, NDArray[np.floating]], capsules: int) -> None:
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(capsules):
        shapes[f"LocEnc{i}.capsule.0.b"] = (256, 2)
        for layer, (out, into) in zip(_LAYERS, ((1024, 512), (1024, 1024), (1024, 1024), (512, 1024))):
            shapes[f"LocEnc{i}.{layer}.weight"] = (out, into)
            shapes[f"LocEnc{i}.{layer}.bias"] = (out,)
    check_tensors(weights, shapes, "location encoder")


def check_tensors(
    weights: Mapping[str, NDArray[np.floating]], shapes: Mapping[str, tuple[int, ...]], what: str
) -> None:
    """Refuse tensors that are missing, unknown, of another shape, not floating or not finite."""
    missing, extra = sorted(set(shapes) - set(weights)), sorted(set(weights) - set(shapes))
    if missing or extra:
        raise ModelFileError(
            f"{what} weights do not fit: missing {missing[:3] or 'none'}, unknown {extra[:3] or 'none'}"
        )
    for name, shape in shapes.items():
        array = weights[name]
        if array.shape != shape or not np.issubdtype(array.dtype, np.floating):
            raise ModelFileError(
                f"{what} tensor {name!r} must be floating with shape {shape}; got {array.dtype} {array.shape}"
            )
        if not np.isfinite(array).all():
            raise ModelFileError(f"{what} tensor {name!r} holds NaN or infinite values")
