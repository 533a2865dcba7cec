"""PyTorch: the original bit for bit on a CPU, a bfloat16 trunk on a CPU, and CUDA."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..encoder import equal_earth
from ..encoder.projection import A1, A2, A3, A4
from ..errors import BackendError
from .capsules import capsules, phase_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray

    from ..encoder import LocationEncoder

    Layer = Callable[[torch.Tensor], torch.Tensor]

__all__ = ["TorchBackend", "TorchBf16Backend", "TorchCudaBackend"]


class TorchBackend:
    """float32 on the CPU, in the original's order of operations.

    With the original's float32 weights the result equals geoclip 1.3.0 bit for bit on the same chunk, so this
    is the route to reproduce published numbers; nothing here may be rearranged.

    Parameters
    ----------
    encoder : LocationEncoder
        Its weights are copied.
    """

    name = "torch"
    chunk_size = 1024

    def __init__(self, encoder: LocationEncoder) -> None:
        import torch

        self._dim, self._heads = encoder.dim, len(encoder.heads[0])
        self._capsules = [
            (
                torch.tensor(c.phases),
                [(torch.tensor(weight), torch.tensor(bias)) for weight, bias in c.layers],
                None if c.heads is None else (torch.tensor(c.heads[0]), torch.tensor(c.heads[1])),
            )
            for c in capsules(encoder)
        ]

    def encode_chunk(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode checked (lon, lat) of shape (N, 2) to (N, 512 + heads) float32."""
        import torch
        from torch.nn.functional import linear, relu

        with torch.inference_mode():
            plane = _original_projection(torch.from_numpy(lonlat.astype(np.float32)))
            out = torch.zeros(len(plane), self._dim)
            values = torch.zeros(len(plane), self._heads)
            for phases, layers, heads in self._capsules:
                angle = 2 * math.pi * plane @ phases.T
                hidden = torch.cat((torch.cos(angle), torch.sin(angle)), dim=-1)
                for weight, bias in layers[:-1]:
                    hidden = relu(linear(hidden, weight, bias))
                out += linear(hidden, *layers[-1])
                if heads is not None:
                    values += linear(hidden, *heads)
        return np.asarray(torch.cat((out, values), dim=1).numpy())


def _original_projection(lonlat: torch.Tensor) -> torch.Tensor:
    """Return the original's Equal Earth projection: float32, its powers and order of operations kept."""
    import torch

    longitude, latitude = torch.deg2rad(lonlat).T
    theta = torch.asin((torch.sqrt(torch.tensor(3.0)) / 2) * torch.sin(latitude))
    denominator = 3 * (9 * A4 * theta**8 + 7 * A3 * theta**6 + 3 * A2 * theta**2 + A1)
    x = (2 * torch.sqrt(torch.tensor(3.0)) * longitude * torch.cos(theta)) / denominator
    y = A4 * theta**9 + A3 * theta**7 + A2 * theta**3 + A1 * theta
    return (torch.stack((x, y), dim=1) * 66.50336) / 180


class _TrunkBackend:
    """Projection and phases in float64, cosine and sine in float32, the trunk as fast as the device allows.

    The finest capsule's phases reach some 4,000 radians, so they never pass through a short format: bfloat16
    or TF32 phases destroy the vectors without any error.
    """

    name: str
    chunk_size: int

    def __init__(self, encoder: LocationEncoder, device: str, dtype: torch.dtype) -> None:
        import torch

        self._dim, self._device, self._dtype = encoder.dim, device, dtype
        self._phases = torch.tensor(phase_matrix(encoder), device=device)
        self._trunks = [
            _fastest_layers(
                [
                    (torch.tensor(weight, device=device, dtype=dtype), torch.tensor(bias, device=device, dtype=dtype))
                    for weight, bias in c.layers
                ]
            )
            for c in capsules(encoder)
        ]
        # Heads stay float32: they are few.
        self._heads = [
            None
            if c.heads is None
            else (torch.tensor(c.heads[0], device=device), torch.tensor(c.heads[1], device=device))
            for c in capsules(encoder)
        ]
        self._head_count = len(encoder.heads[0])

    def encode_chunk(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode checked (lon, lat) of shape (N, 2) to (N, 512 + heads) float32."""
        import torch
        from torch.nn.functional import linear

        with torch.inference_mode():
            plane = torch.from_numpy(equal_earth(lonlat)).to(self._device)
            angles = (plane @ self._phases).float().chunk(len(self._trunks), dim=1)
            out = torch.zeros(len(plane), self._dim, device=self._device)
            values = torch.zeros(len(plane), self._head_count, device=self._device)
            for angle, trunk, heads in zip(angles, self._trunks, self._heads, strict=True):
                # Cosine and sine go straight into the trunk's type, without a float32 copy of both.
                features = torch.empty(len(plane), 2 * angle.shape[1], device=self._device, dtype=self._dtype)
                cosine, sine = features.chunk(2, dim=1)
                cosine.copy_(angle.cos())
                sine.copy_(angle.sin())
                hidden = _run(trunk[:-1], features)
                out += trunk[-1](hidden)
                if heads is not None:
                    values += linear(hidden.float(), *heads)
        return np.asarray(torch.cat((out, values), dim=1).cpu().numpy())


class TorchBf16Backend(_TrunkBackend):
    """bfloat16 trunk on the CPU: fast where the CPU multiplies bfloat16 itself (AMX, AVX-512 BF16).

    Parameters
    ----------
    encoder : LocationEncoder
        Its weights are copied.
    """

    name = "torch-bf16"
    chunk_size = 1024

    def __init__(self, encoder: LocationEncoder) -> None:
        import torch

        super().__init__(encoder, "cpu", torch.bfloat16)


class TorchCudaBackend(_TrunkBackend):
    """float32 on an NVIDIA GPU. TF32 stays as the caller's torch settings have it, off unless switched on.

    Parameters
    ----------
    encoder : LocationEncoder
        Its weights are copied to the GPU.

    Raises
    ------
    BackendError
        torch sees no CUDA device.
    """

    name = "torch-cuda"
    #: A GPU needs far more points at a time than a CPU to be busy.
    chunk_size = 16384

    def __init__(self, encoder: LocationEncoder) -> None:
        import torch

        if not torch.cuda.is_available():
            raise BackendError(
                f"backend 'torch-cuda' needs an NVIDIA GPU, and torch {torch.__version__} sees none "
                "(torch.cuda.is_available() is False); choose 'torch', 'torch-bf16' or 'auto'"
            )
        super().__init__(encoder, "cuda", torch.float32)


def _run(layers: list[Layer], hidden: torch.Tensor) -> torch.Tensor:
    for layer in layers:
        hidden = layer(hidden)
    return hidden


def _fastest_layers(tensors: list[tuple[torch.Tensor, torch.Tensor]]) -> list[Layer]:
    """Return the layers with oneDNN's packed weights where that works and agrees with the plain ones."""
    import torch

    plain = [_plain_layer(*pair, relu=pair is not tensors[-1]) for pair in tensors]
    first = tensors[0][0]
    if first.dtype != torch.bfloat16:
        return plain
    probe = torch.linspace(-1, 1, 3 * first.shape[1]).reshape(3, -1).to(first.dtype)
    with torch.inference_mode():
        try:
            packed = [_packed_layer(*pair, relu=pair is not tensors[-1]) for pair in tensors]
            same = torch.allclose(_run(packed, probe), _run(plain, probe), rtol=0.05, atol=0.01)
        # These operators are torch's own, not public: a build may lack them or refuse this CPU.
        except (AttributeError, RuntimeError):
            same = False
    return packed if same else plain


def _plain_layer(weight: torch.Tensor, bias: torch.Tensor, *, relu: bool) -> Layer:
    from torch.nn.functional import linear

    if relu:
        return lambda hidden: linear(hidden, weight, bias).relu_()
    return lambda hidden: linear(hidden, weight, bias)


def _packed_layer(weight: torch.Tensor, bias: torch.Tensor, *, relu: bool) -> Layer:
    """Lay the weight out once as oneDNN wants it (plain `linear` does so at every call) and fuse the ReLU."""
    import torch

    ops: Any = torch.ops.mkldnn
    packed = ops._reorder_linear_weight(weight, TorchBf16Backend.chunk_size)
    after = "relu" if relu else "none"
    return lambda hidden: ops._linear_pointwise(hidden, packed, bias, after, [], "")
