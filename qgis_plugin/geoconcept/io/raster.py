# SPDX-License-Identifier: GPL-2.0-or-later
"""A grid in any CRS, computed block by block, written through GDAL: memory stays flat, a file is whole or not there."""

import math
from pathlib import Path

import numpy as np
from osgeo import gdal
from qgis.core import QgsCoordinateReferenceSystem

from ..compat import tr
from ..core.errors import InputError
from ..core.files import atomic_file
from ..core.land_mask import on_land
from ..core.progress import report
from .places import to_lonlat

__all__ = ["LARGEST", "Grid", "too_many", "write"]

#: Cells of the largest raster that is computed: at 10,000 cells a second, some three hours.
LARGEST = 100_000_000
#: Cells along the longer side where the user names no size.
_CELLS = 400
_OVERVIEWS = (2, 4, 8, 16)


class Grid:
    """Cells of a raster, north up.

    Parameters
    ----------
    extent : QgsRectangle
        In units of `crs`.
    crs : QgsCoordinateReferenceSystem
    size : float
        Side of a cell in units of `crs`; 0 chooses about 400 cells along the longer side.

    Raises
    ------
    InputError
        The extent is empty or infinite, the CRS is missing, or there are too many cells.
    """

    def __init__(self, extent, crs, size=0.0):
        if not crs.isValid():
            raise InputError(tr("raster", "the extent has no CRS: choose one"))
        width, height = extent.width(), extent.height()
        if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
            raise InputError(tr("raster", "the extent is empty: draw or choose an area"))
        self.crs = crs
        self.size = float(size) if size and size > 0 else max(width, height) / _CELLS
        # To the nearest whole cell: 360 / 0.1 must not make 3,601.
        self.columns, self.rows = (max(1, math.ceil(side / self.size - 1e-6)) for side in (width, height))
        if self.columns * self.rows > LARGEST:
            raise InputError(too_many(self.columns, self.rows, LARGEST))
        self.left, self.top = extent.xMinimum(), extent.yMaximum()

    @property
    def transform(self):
        """GDAL's geotransform."""
        return (self.left, self.size, 0.0, self.top, 0.0, -self.size)

    def lonlat(self, first, last):
        """Return (lon, lat) of the middles of the cells of rows `first` to `last`, row by row; NaN off the Earth."""
        x = self.left + (np.arange(self.columns) + 0.5) * self.size
        y = self.top - (np.arange(first, last) + 0.5) * self.size
        xy = np.stack([np.tile(x, last - first), np.repeat(y, self.columns)], axis=1)
        return to_lonlat(xy, self.crs, within=self.size)


def too_many(columns, rows, most):
    """Say that a grid would have more cells than are computed."""
    return tr("raster", "{0} x {1} cells are more than {2}: choose larger cells or a smaller area").format(
        *(f"{number:,}" for number in (columns, rows, most))
    )


def write(path, grid, bands, scores, *, tags, land_only=False, progress=None):
    """Compute a raster and write it.

    Parameters
    ----------
    path : path-like
        A .tif; replaced in one step once all is computed.
    grid : Grid
    bands : list of dict
        ``name`` and, beside it, whatever is to be written as tags of the band.
    scores : callable
        From (lon, lat), shape (n, 2) with n at most 2,048, to (n, bands).
    tags : dict of str to str
        Provenance, written under the names that the package uses (``GEOCONCEPT_MODEL`` ...).
    land_only : bool
        Cells whose middle lies on no land get no value.
    progress : callable, optional
        Called as ``progress(done, total)`` in cells; return true to cancel, and nothing is written.

    Returns
    -------
    list of (float, float, float)
        Smallest, mean and largest value of each band; NaN where no cell has a value.
    """
    from ..service import BLOCK

    totals = [[np.inf, 0.0, -np.inf, 0] for _ in bands]
    with atomic_file(path) as part:
        dataset = _create(part, grid, bands, tags)
        try:
            total = grid.rows * grid.columns
            step = max(1, BLOCK // grid.columns)
            for first in range(0, grid.rows, step):
                last = min(first + step, grid.rows)
                values = _block(grid, first, last, scores, len(bands), land_only, BLOCK, progress, total)
                for k in range(len(bands)):
                    layer = values[:, k].reshape(last - first, grid.columns)
                    dataset.GetRasterBand(k + 1).WriteArray(layer, 0, first)
                    _count(totals[k], layer)
                report(progress, last * grid.columns, total)
            dataset.FlushCache()
            if min(grid.columns, grid.rows) > 512:
                dataset.BuildOverviews("AVERAGE", [f for f in _OVERVIEWS if max(grid.columns, grid.rows) // f >= 256])
        finally:
            dataset = None  # GDAL writes the rest when nothing holds the file any more
    return [(low, mean / n, high) if n else (np.nan,) * 3 for low, mean, high, n in totals]


def _block(grid, first, last, scores, width, land_only, block, progress, total):
    """Return the scores of some rows; a row longer than a block is computed in pieces, so that Cancel stays quick."""
    lonlat = grid.lonlat(first, last)
    wanted = np.isfinite(lonlat[:, 0])
    if land_only:
        wanted[wanted] = on_land(lonlat[wanted])
    rows = np.flatnonzero(wanted)
    out = np.full((len(lonlat), width), np.nan, dtype=np.float32)
    for start in range(0, len(rows), block):
        part = rows[start : start + block]
        pairs = lonlat[part]
        pairs[:, 0] = (pairs[:, 0] + 180.0) % 360.0 - 180.0
        out[part] = scores(pairs)
        report(progress, first * grid.columns + int(part[-1]), total)
    return out


def _create(path, grid, bands, tags):
    options = ["TILED=YES", "COMPRESS=DEFLATE", "PREDICTOR=3", "BIGTIFF=IF_SAFER", "INTERLEAVE=BAND"]
    driver = gdal.GetDriverByName("GTiff")
    dataset = driver.Create(str(Path(path)), grid.columns, grid.rows, len(bands), gdal.GDT_Float32, options)
    if dataset is None:
        raise InputError(tr("raster", "cannot write {0}: {1}").format(Path(path).name, gdal.GetLastErrorMsg()))
    dataset.SetGeoTransform(grid.transform)
    dataset.SetProjection(grid.crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED_GDAL))
    dataset.SetMetadata({key: str(value) for key, value in tags.items()})
    for k, band in enumerate(bands, start=1):
        layer = dataset.GetRasterBand(k)
        layer.SetNoDataValue(float("nan"))
        layer.SetDescription(band["name"])
        layer.SetMetadata({key: str(value) for key, value in band.items() if key != "name"})
    return dataset


def _count(total, layer):
    good = layer[np.isfinite(layer)]
    if good.size:
        total[0], total[2] = min(total[0], float(good.min())), max(total[2], float(good.max()))
        total[1], total[3] = total[1] + float(good.sum(dtype=np.float64)), total[3] + good.size
