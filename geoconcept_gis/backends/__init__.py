"""Routes through the same encoder: numpy is the reference, the others are faster where they can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..errors import BackendError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..encoder import LocationEncoder

__all__ = ["BACKENDS", "Backend", "BackendChoice"]

BACKENDS = ("numpy",)


class Backend(Protocol):
    """What every backend offers."""

    name: str
    chunk_size: int

    def encode_chunk(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode checked (lon, lat) of shape (N, 2) to (N, 512) float32."""
        ...


class BackendChoice:
    """Holds the backend asked for, or finds the fastest with the first large job.

    Parameters
    ----------
    encoder : LocationEncoder
        The numpy reference.
    name : str
        One of `BACKENDS` or ``"auto"``.
    """

    def __init__(self, encoder: LocationEncoder, name: str = "auto") -> None:
        if name not in (*BACKENDS, "auto"):
            raise BackendError(f"no backend {name!r}; choose from {', '.join(('auto', *BACKENDS))}")
        self._backend: Backend = encoder

    @property
    def name(self) -> str:
        """Name of the backend in use."""
        return self._backend.name

    def pick(self, total: int) -> Backend:
        """Return the backend for a job of `total` points."""
        return self._backend
