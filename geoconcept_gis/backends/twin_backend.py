"""PyTorch for encoders of other kinds than GeoCLIP's: the twins of training, in inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import BackendError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..encoder import FeatureEncoder

__all__ = ["TorchBf16Twin", "TorchCudaTwin", "TorchTwin"]


class TorchTwin:
    """float32 on the CPU.

    Parameters
    ----------
    encoder : FeatureEncoder
        Its weights are copied.
    """

    name = "torch"
    chunk_size = 1024
    _device, _short = "cpu", False

    def __init__(self, encoder: FeatureEncoder) -> None:
        from ..train.encoders import from_numpy

        self._twin = from_numpy(encoder).to(self._device).eval()

    def encode_chunk(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode checked (lon, lat) of shape (N, 2) to (N, 512) float32."""
        import torch

        places = torch.tensor(lonlat, device=self._device)
        with torch.inference_mode(), torch.autocast(self._device, torch.bfloat16, enabled=self._short):
            return np.asarray(self._twin(places).float().cpu().numpy())


class TorchBf16Twin(TorchTwin):
    """bfloat16 products on the CPU; features, and the phases of sines, stay as they are."""

    name = "torch-bf16"
    _short = True


class TorchCudaTwin(TorchTwin):
    """float32 on an NVIDIA GPU, features in float64.

    Raises
    ------
    BackendError
        torch sees no CUDA device.
    """

    name = "torch-cuda"
    chunk_size = 16384
    _device = "cuda"

    def __init__(self, encoder: FeatureEncoder) -> None:
        import torch

        if not torch.cuda.is_available():
            raise BackendError(
                f"backend 'torch-cuda' needs an NVIDIA GPU, and torch {torch.__version__} sees none "
                "(torch.cuda.is_available() is False); choose 'torch', 'torch-bf16' or 'auto'"
            )
        super().__init__(encoder)
