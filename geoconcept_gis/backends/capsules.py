"""The encoder's tensors, sorted into capsules and layers for the other backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..encoder import LocationEncoder

__all__ = ["Capsule", "capsules", "phase_matrix"]


class Capsule(NamedTuple):
    """One capsule: phases (256, 2), layers of weight (out, in) and bias (out,), the last without ReLU, and heads.

    The heads, weight (H, 1024) and bias (H,), read what the last layer reads; None where no head reads this capsule.
    """

    phases: NDArray[np.float32]
    layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
    heads: tuple[NDArray[np.float32], NDArray[np.float32]] | None


def capsules(encoder: LocationEncoder) -> list[Capsule]:
    """Return the encoder's capsules in order, float32, subnormals zeroed.

    Parameters
    ----------
    encoder : LocationEncoder

    Returns
    -------
    list of Capsule
        The arrays are the encoder's own: copy before changing them.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> [weight.shape for weight, bias in capsules(load_model().encoder)[0].layers]
    [(1024, 512), (1024, 1024), (1024, 1024), (512, 1024)]
    """
    weights = encoder.weights
    count = sum(name.endswith(".capsule.0.b") for name in weights)
    head_weights, head_biases = encoder.heads
    return [
        Capsule(
            weights[f"LocEnc{i}.capsule.0.b"],
            # Alphabetical order is network order: capsule.1, capsule.3, capsule.5, head.0.
            [
                (weights[name], weights[name.removesuffix("weight") + "bias"])
                for name in sorted(weights)
                if name.startswith(f"LocEnc{i}.") and name.endswith(".weight")
            ],
            (head_weights[:, i], head_biases[:, i]) if i < head_weights.shape[1] else None,
        )
        for i in range(count)
    ]


def phase_matrix(encoder: LocationEncoder) -> NDArray[np.float64]:
    """Return 2 pi B of all capsules side by side, for one product instead of one a capsule.

    Parameters
    ----------
    encoder : LocationEncoder

    Returns
    -------
    ndarray of float64, shape (2, 256 * capsules)

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> phase_matrix(load_model().encoder).shape
    (2, 768)
    """
    return 2.0 * np.pi * np.concatenate([c.phases for c in capsules(encoder)]).astype(np.float64).T
