"""Scenes and heritage at photo places: truths that only photos show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...bank.definitions import PHOTOS, definitions
from ...bank.sources import Truths, countries, data_folder, photo_table
from .blocks import in_held_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Scenes", "gather_scenes"]


@dataclass(frozen=True, eq=False)
class Scenes:
    """Photo places and what was seen there.

    Attributes
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    labels : ndarray of int8, shape (N, S)
        1 with the label, 0 without, -1 not known.
    held : ndarray of bool, shape (N,)
        Not to be learnt: the bank tells on these blocks what the pupil has understood.
    names, families : tuple of str
        Of the labels.
    """

    lonlat: NDArray[np.float64]
    labels: NDArray[np.int8]
    held: NDArray[np.bool_]
    names: tuple[str, ...]
    families: tuple[str, ...]


def gather_scenes() -> Scenes:
    """Look up the bank's concepts of photo places; a matter of seconds.

    Returns
    -------
    Scenes

    Raises
    ------
    InputError
        Ground truth is missing; the message says how to get it.
    """
    data = data_folder()
    table = photo_table(data)
    truths = Truths(table[["lon", "lat"]].to_numpy(dtype=np.float64), data, photos=table)
    wanted = [one for one in definitions(countries(data)) if one.universe == PHOTOS]
    labels = np.stack([one.label(truths) for one in wanted], axis=1)
    return Scenes(
        truths.lonlat,
        np.where(np.isnan(labels), -1, labels).astype(np.int8),
        in_held_blocks(truths.lonlat),
        tuple(one.name for one in wanted),
        tuple(one.family for one in wanted),
    )
