"""GeoCLIP's location encoder in numpy: three capsules of random Fourier features and a small network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelFileError
from .projection import equal_earth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["HIDDEN", "LocationEncoder"]

_LAYERS = ("capsule.1", "capsule.3", "capsule.5", "head.0")
#: Width of a capsule's last hidden layer.
HIDDEN = 1024


class LocationEncoder:
    """Map (lon, lat) to GeoCLIP's 512-d space; float32 numpy, the reference of every other backend.

    Parameters
    ----------
    weights : mapping of str to ndarray
        GeoCLIP's own tensor names (``LocEnc0.capsule.0.b`` ...), float16 or float32. Values that are
        subnormal in float32 are set to zero: they change no output bit and cost some CPUs a factor of five.
    heads : tuple of ndarray, optional
        Weights (H, C, 1024) and biases (H, C) of linear readings of the last hidden layer of the first C capsules, see
        `geoconcept_gis.concepts.PlaceHead`. Every backend appends their H values to the vector.
    record : mapping of str to object, optional
        Kept as it is: ``{"kind": "capsules"}``, and the ``sigmas`` its phases were drawn with, where they are known.

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
    kind = "capsules"
    #: Whether vectors jump at the antimeridian or at a pole.
    jumps = True
    dim = 512
    #: Points per chunk: large enough for BLAS, small enough for the cache.
    chunk_size = 1024

    def __init__(
        self,
        weights: Mapping[str, NDArray[np.floating]],
        heads: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        capsules = _count_capsules(weights)
        self.record: dict[str, Any] = {"kind": self.kind, **_check_record(record or {})}
        _check_shapes(weights, capsules)
        self.heads = _check_heads(heads, capsules)
        self.weights = {name: to_float32(weights[name]) for name in sorted(weights)}
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
        ndarray of float32, shape (N, 512 + H)
            Raw vectors, norm about 0.7, and after them the values of the H heads.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> load_model().encoder.encode_chunk(np.array([[31.2, 30.0]])).dtype
        dtype('float32')
        """
        plane = equal_earth(lonlat)
        return self._mix((_last_hidden(plane, *capsule) for capsule in self._capsules), len(plane))

    def encode_hidden(self, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode one chunk whose hidden layers are at hand, which saves working them out twice.

        Parameters
        ----------
        hidden : ndarray of float32, shape (N, capsules, 1024)
            As `hidden` returns them for all capsules.

        Returns
        -------
        ndarray of float32, shape (N, 512 + H)
            What `encode_chunk` returns.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> encoder, cairo = load_model().encoder, np.array([[31.2, 30.0]])
        >>> np.allclose(encoder.encode_hidden(encoder.hidden(cairo, 3)), encoder.encode_chunk(cairo), atol=1e-5)
        True
        """
        return self._mix((hidden[:, k] for k in range(hidden.shape[1])), len(hidden))

    def _mix(self, hidden: Iterable[NDArray[np.float32]], rows: int) -> NDArray[np.float32]:
        """Return vectors and heads from the last hidden layer of each capsule."""
        weights, biases = self.heads
        out = np.zeros((rows, self.dim + len(weights)), dtype=np.float32)
        vectors, values = out[:, : self.dim], out[:, self.dim :]
        for k, (layer, (_, layers)) in enumerate(zip(hidden, self._capsules)):
            weight, bias = layers[-1]
            vectors += layer @ weight
            vectors += bias
            if k < weights.shape[1]:
                values += layer @ weights[:, k].T
                values += biases[:, k]
        return out

    def hidden(self, lonlat: NDArray[np.float64], capsules: int = 2) -> NDArray[np.float32]:
        """Return the last hidden layers of one chunk, before they are mixed down to 512 numbers.

        Parameters
        ----------
        lonlat : ndarray of float64, shape (N, 2)
            (lon, lat) in degrees, already checked and wrapped.
        capsules : int, default 2
            How many capsules, coarsest first.

        Returns
        -------
        ndarray of float32, shape (N, capsules, 1024)
            Zero or above.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> load_model().encoder.hidden(np.array([[31.2, 30.0]])).shape
        (1, 2, 1024)
        """
        plane = equal_earth(lonlat)
        return np.stack([_last_hidden(plane, *capsule) for capsule in self._capsules[:capsules]], axis=1)


def _last_hidden(
    plane: NDArray[np.float64],
    phases: NDArray[np.float64],
    layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> NDArray[np.float32]:
    hidden = _fourier_features(plane, phases)
    for weight, bias in layers[:-1]:
        hidden = hidden @ weight
        hidden += bias
        np.maximum(hidden, 0.0, out=hidden)
    return hidden


def _fourier_features(plane: NDArray[np.float64], phases: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return [cos, sin] of the phases; the product is float64, the phases float32 (see encoder notes)."""
    angle = (plane @ phases).astype(np.float32)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def to_float32(array: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a float32 copy with subnormal values set to zero: they change no output bit, and cost time."""
    out = np.array(array, dtype=np.float32, order="C")
    out[np.abs(out) < np.finfo(np.float32).tiny] = 0.0
    return out


def no_heads() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the heads of an encoder that has none."""
    return np.zeros((0, 0, HIDDEN), dtype=np.float32), np.zeros((0, 0), dtype=np.float32)


def _check_record(record: Mapping[str, Any]) -> Mapping[str, Any]:
    if unknown := sorted(set(record) - {"kind", "sigmas"}):
        raise ModelFileError(f"encoder 'capsules' has no settings {unknown}; it has sigmas")
    return record


def _check_heads(
    heads: tuple[NDArray[np.floating], NDArray[np.floating]] | None, capsules: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if heads is None:
        return no_heads()
    weights, biases = (np.asarray(array, dtype=np.float32) for array in heads)
    if weights.ndim != 3 or weights.shape[1] > capsules or weights.shape[2] != HIDDEN:
        raise ModelFileError(f"heads must have shape (H, up to {capsules}, {HIDDEN}); got {weights.shape}")
    if biases.shape != weights.shape[:2]:
        raise ModelFileError(f"biases of heads must have shape {weights.shape[:2]}; got {biases.shape}")
    return weights, biases


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
