"""A world with known concepts: what training must recover can be compared with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..coordinates import check_lonlat
from ..encoder.features import unit_vectors
from ..errors import InputError
from ..evaluation.metrics import RADIUS_KM
from .geocells import lonlat_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["World", "make_world"]

#: Waves that a concept's field is the sum of, and how fast they go up and down: fields change over some 2,000 km.
_WAVES, _FREQUENCY = 128, 3.0
#: Width of features; numbers that say how a photographer works, and what else a photo shows; hidden numbers.
_DIM, _STYLE, _CONTENT, _HIDDEN = 64, 4, 4, 128
#: Regions in which each photographer works, and how far round the middle of one (km, standard deviation).
_REGIONS, _REGION_KM = 5, 500.0


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """Photos of a made-up world, and what there is to know about them.

    Attributes
    ----------
    features : ndarray of float32, shape (N, 64)
        What an image tower would say of each photo.
    lonlat : ndarray of float64, shape (N, 2)
        Where it was taken: (lon, lat) in degrees, EPSG:4326.
    group : ndarray of int64, shape (N,)
        Who took it.
    activations : ndarray of float32, shape (N, K)
        The true concepts of its place, of size about 1.
    waves : ndarray of float64, shape (K, 128, 4)
        The fields: frequency in x, y and z, and phase, of each wave.
    """

    features: NDArray[np.float32]
    lonlat: NDArray[np.float64]
    group: NDArray[np.int64]
    activations: NDArray[np.float32]
    waves: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"<World: {len(self.lonlat):,} photos by {len(np.unique(self.group))}, {len(self.waves)} concepts>"

    def concepts_at(self, lonlat: ArrayLike) -> NDArray[np.float32]:
        """Return the true concepts of any places.

        Parameters
        ----------
        lonlat : array_like of shape (M, 2)
            (lon, lat) in degrees, EPSG:4326.

        Returns
        -------
        ndarray of float32, shape (M, K)

        Raises
        ------
        CoordinateError
            A row is not a place on Earth; rows are named.

        Examples
        --------
        >>> world = make_world(10, concepts=3, seed=1)
        >>> bool((world.concepts_at(world.lonlat) == world.activations).all())
        True
        """
        return _fields(self.waves, check_lonlat(lonlat))


def make_world(photos: int = 2000, *, concepts: int = 16, groups: int = 50, noise: float = 0.1, seed: int = 0) -> World:
    """Make a world, and photos of it.

    Parameters
    ----------
    photos : int, default 2000
        How many.
    concepts : int, default 16
        Each a smooth random field on the sphere.
    groups : int, default 50
        Photographers. Each has a style of their own and five regions, so a style is associated with places: held-out
        photos should be those of other photographers.
    noise : float, default 0.1
        Standard deviation of what is added to the features, which are of size 1.
    seed : int, default 0
        The same seed gives the same world.

    Returns
    -------
    World

    Raises
    ------
    InputError
        A count is below 1, or the noise below 0.

    Notes
    -----
    Features are two random layers over the concepts of the place, the photographer's style and what else a photo
    shows: ``tanh([concepts, style, content] A) B + noise``. Fields are sums of waves along random directions
    (Rahimi and Recht 2007, "Random features for large-scale kernel machines"), without seam or poles.

    Examples
    --------
    >>> make_world(100, concepts=8, groups=5)
    <World: 100 photos by 5, 8 concepts>
    """
    for name, count in (("photos", photos), ("concepts", concepts), ("groups", groups)):
        if count < 1:
            raise InputError(f"{name} must be at least 1; got {count}")
    if not noise >= 0.0:
        raise InputError(f"noise must be 0 or more; got {noise}")
    rng = np.random.default_rng(seed)
    waves = np.concatenate(
        [rng.normal(scale=_FREQUENCY, size=(concepts, _WAVES, 3)), rng.uniform(0, 2 * np.pi, (concepts, _WAVES, 1))],
        axis=2,
    )
    group = rng.permutation(np.arange(photos) % groups)
    lonlat = _places(rng, group, groups)
    activations = _fields(waves, lonlat)
    style = rng.normal(size=(groups, _STYLE))[group]
    known = np.concatenate([activations, style, rng.normal(size=(photos, _CONTENT))], axis=1)
    hidden = np.tanh(known @ rng.normal(size=(known.shape[1], _HIDDEN)) / np.sqrt(known.shape[1]))
    features = hidden @ rng.normal(size=(_HIDDEN, _DIM)) / np.sqrt(_HIDDEN) + noise * rng.normal(size=(photos, _DIM))
    return World(features.astype(np.float32), lonlat, group, activations, waves)


def _fields(waves: NDArray[np.float64], lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
    places = unit_vectors(lonlat)
    fields = [np.cos(places @ field[:, :3].T + field[:, 3]).sum(axis=1) for field in waves]
    return np.asarray(np.stack(fields, axis=1) * np.sqrt(2.0 / _WAVES), dtype=np.float32)


def _places(rng: np.random.Generator, group: NDArray[np.int64], groups: int) -> NDArray[np.float64]:
    """Scatter the photos of each photographer round their regions, which lie anywhere on the sphere."""
    middles = rng.normal(size=(groups, _REGIONS, 3))
    middles /= np.linalg.norm(middles, axis=2, keepdims=True)
    near = middles[group, rng.integers(_REGIONS, size=len(group))]
    return lonlat_of(near + rng.normal(scale=_REGION_KM / RADIUS_KM, size=near.shape))
