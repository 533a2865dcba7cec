"""ONNX Runtime for encoders of other kinds than GeoCLIP's: numpy reads the features, ONNX runs the network."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from .onnx_backend import Graph, float_product, int8_product

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..encoder import FeatureEncoder

__all__ = ["OnnxInt8Twin", "OnnxTwin"]


class OnnxTwin:
    """float32 products.

    Parameters
    ----------
    encoder : FeatureEncoder
        Its layers are copied; its features are read by itself.
    """

    name = "onnx"
    chunk_size = 1024
    _product = staticmethod(float_product)

    def __init__(self, encoder: FeatureEncoder) -> None:
        graph, weights = Graph(), encoder.weights

        def linear(k: int, x: _Traced) -> _Traced:
            self._product(graph, x.name, weights[f"layers.{k}.weight"], weights[f"layers.{k}.bias"], f"layer{k}")
            return _Traced(graph, f"layer{k}")

        # The network of a kind is written once, for numpy and torch: here it runs on names, and leaves a graph.
        out = encoder.network(_Traced(graph, "features"), linear, encoder.record, SimpleNamespace(sin=_Traced.sin))
        width = weights["layers.0.weight"].shape[1]
        self._session = graph.session("features", width, out.name)
        self._encoder = encoder

    def encode_chunk(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode checked (lon, lat) of shape (N, 2) to (N, 512) float32."""
        out = self._session.run(None, {"features": self._encoder.inputs(lonlat)})[0]
        return np.asarray(self._encoder.finish(out, lonlat), dtype=np.float32)


class OnnxInt8Twin(OnnxTwin):
    """8-bit products: weights rounded per output channel, activations per chunk.

    Parameters
    ----------
    encoder : FeatureEncoder
        Its layers are copied.
    """

    name = "onnx-int8"
    _product = staticmethod(int8_product)


class _Traced:
    """The name of something in a graph, with the few operations that networks use."""

    def __init__(self, graph: Graph, name: str) -> None:
        self._graph, self.name = graph, name

    def _next(self, kind: str, inputs: list[str]) -> _Traced:
        out = f"{inputs[0]}.{kind.lower()}"
        self._graph.node(kind, inputs, [out])
        return _Traced(self._graph, out)

    def clip(self, least: int) -> _Traced:
        """Cut off below zero."""
        assert least == 0
        return self._next("Relu", [self.name])

    def sin(self) -> _Traced:
        """Take the sine."""
        return self._next("Sin", [self.name])

    def __add__(self, other: _Traced) -> _Traced:
        return self._next("Add", [self.name, other.name])

    def __rmul__(self, factor: Any) -> _Traced:
        value = self._graph.array(f"{self.name}.factor", np.array(factor, dtype=np.float32))
        return self._next("Mul", [self.name, value])
