"""What all kinds of location encoders but GeoCLIP's own share: fixed features of a place, then a small network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelFileError
from .location import check_tensors, no_heads, to_float32

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import ClassVar

    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.floating]]

__all__ = ["LISTS", "FeatureEncoder"]

DIM = 512
#: Least and largest value of each setting, and its type.
_LIMITS = {
    "degree": (int, 1, 100),
    "scales": (int, 1, 24),
    "hidden": (int, 1, 8192),
    "layers": (int, 1, 32),
    "blocks": (int, 0, 32),
    "w0": (float, 1e-3, 1e3),
    "waves": (int, 0, 4096),
    "cells": (float, 0.05, 90.0),
    "widths": (int, 1, 256),
    "knots": (int, 0, 1 << 24),
    "details": (int, 0, 1024),
}
#: Settings that are lists, one value a table.
LISTS = ("cells", "widths", "knots")


class FeatureEncoder:
    """Features that are not trained, then layers that are: what every kind but GeoCLIP's own is.

    Parameters
    ----------
    record : mapping of str to object
        ``{"kind": ..., setting: value}``, as ``config.json`` of a model has it under ``"encoder"``. What it does not
        name has the value in `defaults`.
    weights : mapping of str to ndarray
        ``layers.0.weight`` (out, in), ``layers.0.bias`` (out,), ``layers.1.weight`` ..., float16 or float32.

    Attributes
    ----------
    record : dict
        All settings.
    weights : dict of str to ndarray of float32
    heads : tuple of ndarray
        Empty: a head reads GeoCLIP's hidden layers.

    Raises
    ------
    ModelFileError
        A setting is unknown or out of range, or tensors are missing, left over or of the wrong shape.
    """

    name = "numpy"
    kind = ""
    dim = DIM
    #: Whether vectors jump at the antimeridian or at a pole.
    jumps = False
    #: Points per chunk.
    chunk_size = 1024
    #: Settings and their values where a record does not name them.
    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, record: Mapping[str, Any], weights: Weights) -> None:
        self.record = self.complete(record)
        check_tensors(weights, self.shapes(self.record), f"{self.kind} location encoder")
        self.weights = {name: to_float32(weights[name]) for name in sorted(weights)}
        self.heads = no_heads()
        self._layers = [
            (np.ascontiguousarray(self.weights[f"layers.{k}.weight"].T), self.weights[f"layers.{k}.bias"])
            for k in range(self.hidden_layers(self.record) + 1)
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
            Raw vectors, not normalised.

        Examples
        --------
        >>> weights = {"layers.0.weight": np.ones((8, 3)), "layers.0.bias": np.zeros(8),
        ...            "layers.1.weight": np.ones((512, 8)), "layers.1.bias": np.zeros(512)}
        >>> from geoconcept_gis.encoder import open_encoder
        >>> encoder = open_encoder({"kind": "xyz", "hidden": 8, "blocks": 0}, weights)
        >>> encoder.encode_chunk(np.array([[0.0, 90.0]]))[0, :2].tolist()
        [8.0, 8.0]
        """
        out = self.network(self.inputs(lonlat), self._linear, self.record)
        return np.asarray(self.finish(out, lonlat), dtype=np.float32)

    def inputs(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return what the network reads.

        Parameters
        ----------
        lonlat : ndarray of float64, shape (N, 2)
            (lon, lat) in degrees, already checked and wrapped.

        Returns
        -------
        ndarray of float32, shape (N, F)

        Examples
        --------
        >>> from geoconcept_gis.encoder.kinds import XyzEncoder
        >>> shapes = XyzEncoder.shapes({"hidden": 8, "blocks": 0})
        >>> weights = {name: np.zeros(shape) for name, shape in shapes.items()}
        >>> encoder = XyzEncoder({"kind": "xyz", "hidden": 8, "blocks": 0}, weights)
        >>> encoder.inputs(np.array([[0.0, 90.0]])).round(6).tolist()
        [[0.0, 0.0, 1.0]]
        """
        return np.ascontiguousarray(self.features(lonlat, self.record), dtype=np.float32)

    def finish(self, out: NDArray[np.float32], lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return vectors from what the network returned; most kinds have nothing to add.

        Parameters
        ----------
        out : ndarray of float32, shape (N, 512)
            May be changed.
        lonlat : ndarray of float64, shape (N, 2)
            (lon, lat) in degrees, already checked and wrapped.

        Returns
        -------
        ndarray of float32, shape (N, 512)

        Examples
        --------
        >>> from geoconcept_gis.encoder.kinds import XyzEncoder
        >>> XyzEncoder.finish(None, np.zeros((1, 512), dtype=np.float32), np.zeros((1, 2))).shape
        (1, 512)
        """
        return out

    def _linear(self, k: int, x: NDArray[np.float32]) -> NDArray[np.float32]:
        weight, bias = self._layers[k]
        out = x @ weight
        out += bias
        return out

    @classmethod
    def complete(cls, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record with every setting.

        Parameters
        ----------
        record : mapping of str to object
            As `open_encoder` takes it.

        Returns
        -------
        dict of str to object

        Raises
        ------
        ModelFileError
            A setting is unknown, of the wrong type or out of range.

        Examples
        --------
        >>> from geoconcept_gis.encoder.kinds import XyzEncoder
        >>> XyzEncoder.complete({"kind": "xyz", "hidden": 64})
        {'kind': 'xyz', 'hidden': 64, 'blocks': 2}
        """
        settings = {name: value for name, value in record.items() if name != "kind"}
        if unknown := sorted(set(settings) - set(cls.defaults)):
            raise ModelFileError(
                f"encoder {cls.kind!r} has no settings {unknown}; it has {', '.join(cls.defaults) or 'none'}"
            )
        for name, value in settings.items():
            cls._check(name, value)
        found = {"kind": cls.kind, **cls.defaults, **settings}
        return {name: list(value) if name in LISTS else value for name, value in found.items()}

    @classmethod
    def _check(cls, name: str, value: object) -> None:
        kind, low, high = _LIMITS[name]
        listed = isinstance(value, (list, tuple))
        for one in value if listed else [value]:  # type: ignore[attr-defined]
            number = isinstance(one, (int, float) if kind is float else int) and not isinstance(one, bool)
            if listed is not (name in LISTS) or not number or not low <= one <= high:
                what = f"a list of {kind.__name__}" if name in LISTS else kind.__name__
                raise ModelFileError(f"encoder {cls.kind!r}: {name} must be {what}, {low:g} to {high:g}; got {value!r}")

    @classmethod
    def shapes(cls, record: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor.

        Parameters
        ----------
        record : mapping of str to object
            Complete.

        Returns
        -------
        dict of str to tuple of int

        Examples
        --------
        >>> from geoconcept_gis.encoder.kinds import XyzEncoder
        >>> XyzEncoder.shapes({"hidden": 64, "blocks": 0})["layers.1.weight"]
        (512, 64)
        """
        return cls._layer_shapes(cls.features(np.zeros((1, 2)), record).shape[1], record)

    @classmethod
    def _layer_shapes(cls, width: int, record: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """Return the shape of every layer's weight and bias, where the first reads so many numbers."""
        widths = [width, *[record["hidden"]] * cls.hidden_layers(record), cls.dim]
        shapes: dict[str, tuple[int, ...]] = {}
        for k, (into, out) in enumerate(zip(widths[:-1], widths[1:])):
            shapes[f"layers.{k}.weight"] = (out, into)
            shapes[f"layers.{k}.bias"] = (out,)
        return shapes

    @classmethod
    def hidden_layers(cls, record: Mapping[str, Any]) -> int:
        """Return how many layers there are before the last.

        Parameters
        ----------
        record : mapping of str to object
            Complete.

        Returns
        -------
        int

        Examples
        --------
        >>> from geoconcept_gis.encoder.kinds import HarmonicsEncoder, XyzEncoder
        >>> XyzEncoder.hidden_layers({"blocks": 2}), HarmonicsEncoder.hidden_layers({"layers": 2})
        (5, 2)
        """
        return 1 + 2 * int(record["blocks"])

    @staticmethod
    def features(lonlat: Any, record: Mapping[str, Any], xp: Any = np) -> Any:
        """Return the features of places.

        Parameters
        ----------
        lonlat : ndarray or torch.Tensor of float64, shape (N, 2)
            (lon, lat) in degrees, EPSG:4326.
        record : mapping of str to object
            Complete.
        xp : module, default numpy
            ``numpy`` or ``torch``.

        Returns
        -------
        ndarray or torch.Tensor of float64, shape (N, F)

        Examples
        --------
        >>> from geoconcept_gis.encoder.kinds import GridEncoder
        >>> GridEncoder.features(np.array([[31.2, 30.0]]), {"scales": 10}).shape
        (1, 40)
        """
        raise NotImplementedError

    @classmethod
    def network(cls, x: Any, linear: Callable[[int, Any], Any], record: Mapping[str, Any], xp: Any = np) -> Any:
        """Take features through a residual network: Mac Aodha et al. 2019 (arXiv 1906.05272), without dropout.

        Parameters
        ----------
        x : ndarray or torch.Tensor of float32, shape (N, F)
            Features.
        linear : callable
            ``linear(k, x)`` is layer k of x.
        record : mapping of str to object
            Complete.
        xp : module, default numpy
            ``numpy`` or ``torch``.

        Returns
        -------
        ndarray or torch.Tensor, shape (N, 512)

        Notes
        -----
        ``h = relu(W0 x)``, then for each block ``h = h + relu(Wb relu(Wa h))``, then a linear layer.

        Examples
        --------
        >>> from geoconcept_gis.encoder.kinds import XyzEncoder
        >>> XyzEncoder.network(np.array([[-2.0, 3.0]]), lambda k, x: 2.0 * x, {"blocks": 1})
        array([[ 0., 60.]])
        """
        hidden = linear(0, x).clip(0)
        for k in range(record["blocks"]):
            hidden = hidden + linear(2 * k + 2, linear(2 * k + 1, hidden).clip(0)).clip(0)
        return linear(2 * record["blocks"] + 1, hidden)
