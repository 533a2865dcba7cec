"""Grids of cells in any CRS: made from bounds and a resolution or shape, and turned into places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import rasterio

from .coordinates import wrap_longitude
from .errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["Grid", "make_grid"]

#: Cells looked at together; bounds the memory beyond the map itself to about 30 MB.
BLOCK = 1 << 16
#: Values in one map: 4 GB. Larger maps are better made piece by piece.
MAX_VALUES = 1_000_000_000

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Grid:
    """Cells of one size, north up; `left` and `top` are the outer edges, all in units of `crs`."""

    crs: pyproj.CRS
    left: float
    top: float
    xres: float
    yres: float
    height: int
    width: int

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.height * self.width

    @property
    def x(self) -> NDArray[np.float64]:
        """Centres of the columns, left to right."""
        return self.left + (np.arange(self.width, dtype=np.float64) + 0.5) * self.xres

    @property
    def y(self) -> NDArray[np.float64]:
        """Centres of the rows, top to bottom."""
        return self.top - (np.arange(self.height, dtype=np.float64) + 0.5) * self.yres

    @property
    def transform(self) -> rasterio.Affine:
        """GDAL's affine transform from (column, row) to (x, y)."""
        return rasterio.Affine(self.xres, 0.0, self.left, 0.0, -self.yres, self.top)

    def blocks(self) -> Iterator[NDArray[np.int64]]:
        """Yield the cells' numbers, counted row by row, `BLOCK` at a time."""
        for start in range(0, self.cells, BLOCK):
            yield np.arange(start, min(start + BLOCK, self.cells))

    @cached_property
    def _to_lonlat(self) -> pyproj.Transformer:
        return pyproj.Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)

    def lonlat(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Centres of cells (counted row by row) as (lon, lat), wrapped; NaN where they are not on Earth."""
        row, column = np.divmod(cells, self.width)
        x = self.left + (column + 0.5) * self.xres
        y = self.top - (row + 0.5) * self.yres
        lon, lat = self._to_lonlat.transform(x, y)
        valid = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90.0)
        if not self.crs.is_geographic:
            # Outside their map, projections return infinity, or a place that is drawn elsewhere.
            back_x, back_y = self._to_lonlat.transform(lon, lat, direction="INVERSE")
            with np.errstate(invalid="ignore"):
                valid &= (np.abs(back_x - x) < 0.01 * self.xres) & (np.abs(back_y - y) < 0.01 * self.yres)
        places = np.column_stack([wrap_longitude(lon), lat])
        places[~valid] = np.nan
        return places


def make_grid(
    bounds: Iterable[float] | None,
    resolution: float | tuple[float, float] | None,
    shape: tuple[int, int] | None,
    crs: Any,
    variables: int,
) -> Grid:
    """Make a grid, or say why the arguments make none; see `geoconcept_gis.concept_map`.

    Parameters
    ----------
    bounds, resolution, shape, crs
        As in `geoconcept_gis.concept_map`.
    variables : int
        Variables to be stored on it; with the cells they must stay within `MAX_VALUES`.

    Returns
    -------
    Grid

    Raises
    ------
    InputError

    Examples
    --------
    >>> grid = make_grid((25, 22, 35, 31), 0.5, None, "EPSG:4326", 1)
    >>> grid.height, grid.width, grid.cells
    (18, 20, 360)
    """
    crs = _check_crs(crs)
    left, bottom, right, top = _check_bounds(bounds, crs)
    if (resolution is None) == (shape is None):
        raise InputError(
            "give exactly one of resolution (cell size in units of the CRS) and shape (height, width); "
            f"got resolution={resolution!r}, shape={shape!r}"
        )
    if shape is not None:
        rows, columns = _check_shape(shape)
        xres, yres = (right - left) / columns, (top - bottom) / rows
    else:
        xres, yres = _check_resolution(resolution)
        rows, columns = (top - bottom) / yres, (right - left) / xres
    if not rows * columns * variables <= MAX_VALUES:  # NaN, from absurd numbers, fails this too
        raise InputError(
            f"a map of {rows:,.10g} x {columns:,.10g} cells and {variables} concept{'s'[: variables != 1]} would take "
            f"{rows * columns * variables * 4e-9:,.5g} GB; the limit is {MAX_VALUES * 4e-9:g} GB. Take larger cells "
            "(places closer than 5-10 km are not told apart), smaller bounds or fewer concepts"
        )
    height, width = round(rows), round(columns)
    if height == 0 or width == 0:
        raise InputError(
            f"cells of {xres:g} x {yres:g} are more than twice as large as the map of {right - left:g} x "
            f"{top - bottom:g}: resolution and bounds must be in units of the CRS ({_unit(crs)})"
        )
    return Grid(crs, left, top, xres, yres, height, width)


def _check_crs(value: Any) -> pyproj.CRS:
    try:
        crs: pyproj.CRS = pyproj.CRS.from_user_input(value)
        pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError as error:  # also the base of CRSError
        raise InputError(f"crs {value!r} is not a coordinate reference system of the Earth: {error}") from None
    if not (crs.is_projected or crs.is_geographic):
        raise InputError(f"crs must be geographic or projected; got {crs.type_name} {crs.name!r}")
    if crs.is_geographic and crs.axis_info[0].unit_name != "degree":
        raise InputError(f"a geographic crs must count in degrees; {crs.name!r} counts in {_unit(crs)}")
    return crs


def _unit(crs: pyproj.CRS) -> str:
    return str(crs.axis_info[0].unit_name)


def _numbers(value: Any, count: int) -> list[float] | None:
    """Return `count` finite floats, or None if `value` is something else."""
    try:
        numbers = [] if isinstance(value, str) else [float(number) for number in value]
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if len(numbers) == count and np.isfinite(numbers).all() else None


def _check_bounds(bounds: Iterable[float] | None, crs: pyproj.CRS) -> Bounds:
    if bounds is None:
        if crs.is_geographic:
            return -180.0, -90.0, 180.0, 90.0
        raise InputError(
            f"bounds are needed with the projected crs {crs.name!r}: give (left, bottom, right, top) in {_unit(crs)}"
        )
    numbers = _numbers(bounds, 4)
    if numbers is None:
        raise InputError(f"bounds must be four finite numbers (left, bottom, right, top); got {bounds!r}")
    left, bottom, right, top = numbers
    if crs.is_geographic:
        # 540 lets a map of the whole world start anywhere from -180 to 180.
        if min(left, right) < -360.0 or max(left, right) > 540.0 or max(abs(bottom), abs(top)) > 90.0:
            raise InputError(
                "bounds are (left, bottom, right, top) = (west, south, east, north) in degrees, longitudes within "
                f"[-360, 540] and latitudes within [-90, 90]; got {tuple(numbers)}. For metres give crs=..."
            )
        right += 360.0 if left > right else 0.0
        if right - left > 360.0:
            raise InputError(f"bounds {tuple(numbers)} go around the Earth more than once")
    if not (left < right and bottom < top):
        raise InputError(
            f"bounds {tuple(numbers)} are empty: (left, bottom, right, top) needs left < right and bottom < top"
            + ("" if crs.is_geographic else "; across the antimeridian take a geographic crs, or one centred there")
        )
    return left, bottom, right, top


def _check_resolution(resolution: Any) -> tuple[float, float]:
    sizes = _numbers([resolution] * 2 if np.ndim(resolution) == 0 else resolution, 2)
    if sizes is None or min(sizes) <= 0.0:
        raise InputError(f"resolution must be one or two finite numbers above 0; got {resolution!r}")
    return sizes[0], sizes[1]


def _check_shape(shape: Any) -> tuple[float, float]:
    sizes = _numbers(shape, 2)
    if sizes is None or any(size < 1 or size != int(size) for size in sizes):
        raise InputError(f"shape must be two whole numbers above 0, (height, width); got {shape!r}")
    return sizes[0], sizes[1]
