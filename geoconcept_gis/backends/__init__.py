"""Routes through the same encoder: numpy is the reference, the others are faster where they can be had."""

from .choice import AUTO_MIN_COSINE, AUTO_MIN_POINTS, BACKENDS, Backend, BackendChoice, Trial, available

__all__ = [
    "AUTO_MIN_COSINE",
    "AUTO_MIN_POINTS",
    "BACKENDS",
    "Backend",
    "BackendChoice",
    "Trial",
    "available",
]
