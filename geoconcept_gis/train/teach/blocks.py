"""Blocks of land whose truths a pupil is not told, so that what it has understood can be measured there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...fitting import spatial_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["in_held_blocks"]

#: One block in so many; and the first seed whose blocks hold about their share of photos, land and settlements.
_EVERY, _SEED = 5, 6


def in_held_blocks(lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which places lie in the held blocks: a fifth of the blocks that the concept bank holds out in turn.

    Parameters
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.

    Returns
    -------
    ndarray of bool, shape (N,)

    Notes
    -----
    The bank tests a concept on every block of 10 by 10 degrees, in five folds that differ from concept to concept:
    an encoder that is kept from all of them would be taught nothing. So one fifth of them is drawn once, for all
    concepts; it holds 20 % of the bank's photo places and 19 % of the land.

    Examples
    --------
    >>> in_held_blocks(np.array([[15.0, -25.0], [2.3, 48.9]])).tolist()
    [True, False]
    """
    corners = np.stack(
        np.meshgrid(np.arange(-180.0, 181.0, 10.0), np.arange(-90.0, 91.0, 10.0), indexing="ij"), axis=-1
    )
    blocks = spatial_blocks(corners.reshape(-1, 2))
    # RandomState draws the same numbers in every version of numpy.
    drawn = np.random.RandomState(_SEED).permutation(len(blocks))
    return np.isin(spatial_blocks(lonlat), blocks[drawn % _EVERY == 0])
