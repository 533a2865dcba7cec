"""Losses between photos and places: which of many places, or which cell of the Earth, a photo is from.

Every loss is a mean over the batch. `losses` has them too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ..errors import InputError
from ..evaluation.metrics import RADIUS_KM

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["geocell_cross_entropy", "haversine_km", "info_nce", "smoothed_info_nce"]


def haversine_km(a: Tensor, b: Tensor) -> Tensor:
    """Measure great-circle distances from every place of one set to every place of another.

    Parameters
    ----------
    a : Tensor, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    b : Tensor, shape (M, 2)
        The same.

    Returns
    -------
    Tensor, shape (N, M)
        Kilometres on the sphere of `geoconcept_gis.evaluation`, radius 6371.0088 km. Distances are targets here: no
        gradient flows through them.

    Raises
    ------
    InputError
        A set is not of shape (n, 2).

    Examples
    --------
    >>> paris, others = torch.tensor([[2.3522, 48.8566]]), torch.tensor([[2.3522, 48.8566], [-0.1278, 51.5074]])
    >>> haversine_km(paris, others).round().tolist()
    [[0.0, 344.0]]
    """
    for name, places in (("a", a), ("b", b)):
        if places.ndim != 2 or places.shape[1] != 2:
            raise InputError(f"{name} must hold one (lon, lat) a row, shape (n, 2); got {shape_of(places)}")
    with torch.no_grad():
        (lon_a, lat_a), (lon_b, lat_b) = torch.deg2rad(a).T[:, :, None], torch.deg2rad(b).T[:, None, :]
        half_chord = torch.sin((lat_b - lat_a) / 2) ** 2
        half_chord = half_chord + torch.cos(lat_a) * torch.cos(lat_b) * torch.sin((lon_b - lon_a) / 2) ** 2
        return 2.0 * RADIUS_KM * torch.asin(half_chord.clamp(max=1.0).sqrt())


def info_nce(
    queries: Tensor, keys: Tensor, *, scale: float | Tensor, two_sided: bool = False, ignore: Tensor | None = None
) -> Tensor:
    """Tell the key of each query from all other keys: cross-entropy of scaled cosines.

    Parameters
    ----------
    queries : Tensor, shape (N, D)
        Vectors of photos, any length; a vector of zeros has cosine 0 with everything.
    keys : Tensor, shape (M, D)
        Vectors of places, M >= N: row i belongs to query i, rows from N on are further negatives (a queue, say).
    scale : float or Tensor, shape ()
        Multiplies the cosines: one over the temperature.
    two_sided : bool, default False
        Also tell the query of each of the first N keys from the other queries, and average the two. GeoCLIP's loss is
        one-sided.
    ignore : Tensor of bool, shape (N, M), optional
        True for keys that are no wrong answer for a query, such as its own place met again in the queue: they are left
        out. Never true for its own key.

    Returns
    -------
    Tensor, shape ()
        At least 0; log M where all keys are alike.

    Raises
    ------
    InputError
        Shapes do not fit, or the scale is not positive.

    Notes
    -----
    van den Oord et al. 2018, arXiv 1807.03748, equation 4; two-sided as in CLIP (Radford et al. 2021, arXiv
    2103.00020, figure 3). GeoCLIP: Vivanco Cepeda et al. 2023, arXiv 2309.16020, equation 2.

    Examples
    --------
    >>> photos = torch.eye(3)
    >>> round(float(info_nce(photos, photos, scale=1.0)), 4), round(float(info_nce(photos, photos, scale=20.0)), 4)
    (0.5514, 0.0)
    """
    logits = logits_of(queries, keys, scale, ignore)
    own = torch.arange(len(queries), device=logits.device)
    loss = functional.cross_entropy(logits, own)
    if two_sided:
        loss = (loss + functional.cross_entropy(logits[:, : len(queries)].T, own)) / 2
    return loss


def smoothed_info_nce(
    queries: Tensor,
    keys: Tensor,
    km: Tensor,
    *,
    scale: float | Tensor,
    tau_km: float,
    ignore: Tensor | None = None,
) -> Tensor:
    """Like `info_nce`, where a key near the true place is nearly as right as the true place itself.

    Parameters
    ----------
    queries : Tensor, shape (N, D)
        Vectors of photos.
    keys : Tensor, shape (M, D)
        Vectors of places, M >= N, row i that of photo i.
    km : Tensor, shape (N, M)
        Distance from the place of photo i to the place of key j; see `haversine_km`.
    scale : float or Tensor, shape ()
        Multiplies the cosines.
    tau_km : float
        Distance over which a target falls to 1/e, in kilometres. PIGEON has 75, its sister for any photo 65.
    ignore : Tensor of bool, shape (N, M), optional
        Keys to leave out, as in `info_nce`.

    Returns
    -------
    Tensor, shape ()
        Its floor is the entropy of the targets, not 0. For small `tau_km` it becomes `info_nce`, where each photo's own
        key is the nearest one; keys at the very same place share the target.

    Raises
    ------
    InputError
        Shapes do not fit, or `scale` or `tau_km` is not positive.

    Notes
    -----
    Haversine smoothing is PIGEON's, for classes that are cells (Haas et al. 2023, arXiv 2307.05845):
    ``y_j = exp(-(km_j - km_own) / tau)``. Ours: to use it for the keys of a contrastive loss, and to divide by the sum
    of y, so that a photo where keys are dense weighs no more than another. ``km_own`` then cancels out.

    Examples
    --------
    >>> photos, km = torch.eye(2), torch.tensor([[0.0, 100.0], [100.0, 0.0]])
    >>> [round(float(smoothed_info_nce(photos, photos, km, scale=5.0, tau_km=tau)), 3) for tau in (1.0, 50.0)]
    [0.007, 0.603]
    """
    logits = logits_of(queries, keys, scale, ignore)
    return _soft_cross_entropy(logits, km, tau_km)


def geocell_cross_entropy(
    logits: Tensor, cell: Tensor, km: Tensor | None = None, tau_km: float | None = None
) -> Tensor:
    """Classify photos into cells of the Earth, where a cell near the right one may be nearly right.

    Parameters
    ----------
    logits : Tensor, shape (N, C)
        One a cell.
    cell : Tensor of int64, shape (N,)
        The cell that each photo was taken in, 0 to C - 1; see `geoconcept_gis.train.geocells`.
    km : Tensor, shape (N, C), optional
        Distance from each photo's place to the centre of each cell; see `haversine_km`.
    tau_km : float, optional
        Distance over which a target falls to 1/e, in kilometres. Given together with `km`, or neither.

    Returns
    -------
    Tensor, shape ()
        With `tau_km` its floor is the entropy of the targets, not 0.

    Raises
    ------
    InputError
        Shapes do not fit, only one of `km` and `tau_km` is given, or `tau_km` is not positive.

    Notes
    -----
    PlaNet (Weyand et al. 2016, arXiv 1602.05314). Smoothed: PIGEON, see `smoothed_info_nce`; the distance to the own
    cell cancels out of targets that sum to one, so `cell` has no part in them.

    Examples
    --------
    >>> logits, cell = torch.tensor([[3.0, 0.0, 0.0]]), torch.tensor([0])
    >>> round(float(geocell_cross_entropy(logits, cell)), 3)
    0.095
    >>> round(float(geocell_cross_entropy(logits, cell, torch.tensor([[20.0, 60.0, 900.0]]), tau_km=75.0)), 3)
    1.203
    """
    if logits.ndim != 2 or cell.shape != logits.shape[:1]:
        raise InputError(
            f"logits must be (photos, cells) and cell (photos,); got {shape_of(logits)} and {shape_of(cell)}"
        )
    if (km is None) != (tau_km is None):
        raise InputError("km and tau_km go together: give both for smoothed targets, or neither")
    if km is None or tau_km is None:
        return functional.cross_entropy(logits, cell)
    return _soft_cross_entropy(logits, km, tau_km)


def logits_of(queries: Tensor, keys: Tensor, scale: float | Tensor, ignore: Tensor | None) -> Tensor:
    """Return scaled cosines (N, M), minus infinity where a key is to be left out."""
    if queries.ndim != 2 or keys.ndim != 2 or queries.shape[1] != keys.shape[1]:
        raise InputError(f"queries must be (N, D) and keys (M, D); got {shape_of(queries)} and {shape_of(keys)}")
    if not 0 < len(queries) <= len(keys):
        raise InputError(
            f"each query needs its own key, in the same row: got {len(queries)} queries and {len(keys)} keys"
        )
    check_positive("scale", scale)
    logits = scale * _unit(queries) @ _unit(keys).T
    if ignore is None:
        return logits
    if ignore.shape != logits.shape:
        raise InputError(f"ignore must be (queries, keys), here {shape_of(logits)}; got {shape_of(ignore)}")
    return logits.masked_fill(ignore, -math.inf)


def _unit(vectors: Tensor) -> Tensor:
    """Scale rows to length 1 whatever their size; rows of zeros stay as they are."""
    largest = vectors.detach().abs().amax(dim=1, keepdim=True)
    vectors = vectors / torch.where(largest > 0, largest, torch.ones_like(largest))  # squares stay finite
    return functional.normalize(vectors, eps=0.5)  # no row is shorter than 1 now, but those of zeros


def _soft_cross_entropy(logits: Tensor, km: Tensor, tau_km: float) -> Tensor:
    """Cross-entropy with targets that fall off with distance."""
    if km.shape != logits.shape:
        raise InputError(f"km must have one distance for each logit, shape {shape_of(logits)}; got {shape_of(km)}")
    check_positive("tau_km", tau_km)
    return soft_targets(logits, -km.detach() / tau_km)


def soft_targets(logits: Tensor, evidence: Tensor) -> Tensor:
    """Cross-entropy of ``softmax(evidence)`` with ``softmax(logits)``, mean over rows; columns of -inf are left out."""
    out = logits.detach() == -math.inf
    targets = torch.softmax(evidence.masked_fill(out, -math.inf), dim=1).to(logits.dtype)
    # A key that is left out has target 0 and log-probability minus infinity, whose product is no number.
    return -(targets * functional.log_softmax(logits, dim=1).masked_fill(out, 0.0)).sum(dim=1).mean()


def check_positive(name: str, value: float | Tensor) -> None:
    # The value of a tensor may be on a GPU: a look at it would hold up everything else.
    if not isinstance(value, torch.Tensor) and not value > 0:
        raise InputError(f"{name} must be above 0; got {value}")


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)
