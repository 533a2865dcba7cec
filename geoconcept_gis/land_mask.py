"""Land as a mask of small cells: where there is no shapely to ask the polygons of `geoconcept_gis.land`.

Made from those polygons by ``tools/make_land_mask.py``; a place is on land where the middle of its cell is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .coordinates import check_lonlat
from .tensors import read_tensors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["DEGREES", "on_land"]

#: Side of a cell: 5.6 km at the equator.
DEGREES = 0.05
_FILE = Path(__file__).parent / "data" / "land_mask.safetensors"


def on_land(lonlat: ArrayLike) -> NDArray[np.bool_]:
    """Tell which places are on land, to within some 4 km of the shore.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2), or (2,) for one place
        (lon, lat) in degrees, EPSG:4326; longitudes wrap.

    Returns
    -------
    ndarray of bool, shape (N,)

    Raises
    ------
    CoordinateError
        A row is not a place on Earth; rows are named.
    ModelFileError
        The packaged mask is missing or damaged.

    See Also
    --------
    geoconcept_gis.land.on_land : The same from polygons, which needs shapely.

    Examples
    --------
    >>> on_land([[31.2, 30.0], [-30.0, 0.0], [-328.8, 30.0], [0.0, -90.0]]).tolist()
    [True, False, True, True]
    """
    mask = _mask()
    rows, columns = mask.shape
    pairs = check_lonlat(lonlat)
    column = np.floor((pairs[:, 0] + 180.0) / DEGREES).astype(np.intp) % columns
    row = np.minimum(np.floor((90.0 - pairs[:, 1]) / DEGREES).astype(np.intp), rows - 1)
    return np.asarray(mask[row, column])


@cache
def _mask() -> NDArray[np.bool_]:
    """Return the mask, shape (3600, 7200), north first, from 180 degrees west."""
    arrays, _ = read_tensors(_FILE)
    runs = arrays["runs"].astype(np.int64)  # lengths of sea and land in turn, beginning with sea
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(-1, round(360.0 / DEGREES))
