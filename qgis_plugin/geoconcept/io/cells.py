# SPDX-License-Identifier: GPL-2.0-or-later
"""Cells of the grid that photos are located on, as QGIS's geometries and as rows."""

import numpy as np
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsPoint,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
)

from ..compat import tr
from ..core.errors import InputError
from ..core.locate import hexgrid

__all__ = ["Lookup", "outline", "share_inside"]

_WORLD = QgsRectangle(-180.0, -90.0, 180.0, 90.0)
#: Neighbours must share their corners exactly; 1e-7 degrees are a centimetre.
_DIGITS = 7


class Lookup:
    """From (lon, lat) to rows of some cells, -1 where there is none.

    Parameters
    ----------
    cells : ndarray of uint64, shape (M,)
        Sorted.
    """

    def __init__(self, cells):
        self._cells = cells

    def __call__(self, lonlat):
        found = hexgrid.cells_of(lonlat)
        row = np.searchsorted(self._cells, found).clip(max=len(self._cells) - 1)
        return np.where(self._cells[row] == found, row, -1)


def outline(cells):
    """Return the union of cells as a multipolygon in EPSG:4326, cut at the antimeridian."""
    shapes = []
    for ring in np.round(hexgrid.corners_of(cells), _DIGITS):
        shapes += _polygons(ring)
    shape = QgsGeometry.unaryUnion(shapes)
    shape.convertToMultiType()
    return shape


def _polygons(ring):
    """Return a cell as one polygon, or as two where the antimeridian cuts it."""
    if np.ptp(ring[:, 0]) > 180.0:  # it holds a pole: a strip along it
        pole = np.copysign(90.0, ring[0, 1])
        lon = (ring[:, 0] + 180.0) % 360.0 - 180.0
        top = ring[np.argsort(lon)]
        top[:, 0] = np.sort(lon)
        ends = [(180.0, top[-1, 1]), (180.0, pole), (-180.0, pole), (-180.0, top[0, 1])]
        return [_polygon([*map(tuple, top), *ends])]
    west, east = ring[:, 0].min(), ring[:, 0].max()
    if west >= -180.0 and east <= 180.0:
        return [_polygon(ring)]
    turn = 360.0 if west < -180.0 else -360.0
    world = QgsGeometry.fromRect(_WORLD)
    return [_polygon(ring).intersection(world), _polygon(ring + np.array([turn, 0.0])).intersection(world)]


def _polygon(ring):
    return QgsGeometry.fromPolygonXY([[QgsPointXY(float(x), float(y)) for x, y in ring]])


def share_inside(source, surface, transform_context=None):
    """Return which part of each cell of a surface lies inside polygons, counted over its seven children.

    Parameters
    ----------
    source : QgsFeatureSource
        With a CRS.
    surface : Surface
    transform_context : QgsCoordinateTransformContext, optional

    Returns
    -------
    ndarray of float64, shape (M,)
        A polygon smaller than a child counts for the cell that it lies in.

    Raises
    ------
    InputError
        There is no polygon.
    """
    context = transform_context or QgsProject.instance().transformContext()
    to_lonlat = QgsCoordinateTransform(source.sourceCrs(), QgsCoordinateReferenceSystem("EPSG:4326"), context)
    shapes = []
    for feature in source.getFeatures():
        shape = QgsGeometry(feature.geometry())
        if not shape.isEmpty():
            shape.transform(to_lonlat)
            shapes.append(shape.makeValid())
    if not shapes:
        raise InputError(tr("cells", "layer '{0}' has no polygons").format(source.sourceName()))
    shape = QgsGeometry.unaryUnion(shapes)
    near = np.flatnonzero(_near(surface.lonlat, shape.boundingBox()))
    engine = QgsGeometry.createGeometryEngine(shape.constGet())
    engine.prepareGeometry()
    share = np.zeros(len(surface))
    if len(near):
        children = hexgrid.children_of(surface.cells[near])
        inside = [engine.contains(QgsPoint(float(x), float(y))) for x, y in children.reshape(-1, 2)]
        share[near] = np.reshape(inside, (-1, 7)).mean(axis=1)
    if not share.any():
        spot = shape.pointOnSurface().asPoint()
        share[surface.cells == hexgrid.cells_of(np.array([[spot.x(), spot.y()]]))] = 1.0
    return share


def _near(lonlat, box):
    """Tell which cells may have a child inside a box; a cell is some half degree across at the equator."""
    lon, lat = lonlat.T
    wide = 1.0 / np.maximum(np.cos(np.radians(lat)), 0.05)
    inside = (lat > box.yMinimum() - 1.0) & (lat < box.yMaximum() + 1.0)
    return inside & (lon > box.xMinimum() - wide) & (lon < box.xMaximum() + wide)
