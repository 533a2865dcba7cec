# SPDX-License-Identifier: GPL-2.0-or-later
"""Coordinates of any CRS to (lon, lat) in bulk, and one point, or several, for any geometry."""

import numpy as np
from osgeo import osr
from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsWkbTypes

__all__ = ["WORLD", "points_of", "representative", "to_lonlat"]


#: Degrees of longitude from which on a CRS is one of the whole Earth.
WORLD = 359.0


def to_lonlat(xy, crs, within=None):
    """Transform coordinates to (lon, lat).

    Parameters
    ----------
    xy : ndarray of float64, shape (N, 2)
    crs : QgsCoordinateReferenceSystem
    within : float, optional
        In units of `crs`: of a projected CRS of the whole Earth, coordinates that lie farther than this from those of
        their own place name it a second time, outside the outline of the map, and are no place.

    Returns
    -------
    ndarray of float64, shape (N, 2)
        Degrees, EPSG:4326; NaN where there is no place on Earth. Longitudes may run on past 180.
    """
    xy = np.array(xy, dtype=np.float64).reshape(-1, 2)
    if crs.authid() not in ("EPSG:4326", "OGC:CRS84"):
        good = np.isfinite(xy).all(axis=1)
        out = np.full_like(xy, np.nan)
        if good.any():
            found = np.array(_transform(crs).TransformPoints(xy[good].tolist()), dtype=np.float64)
            out[good] = found[:, :2]
            if within is not None and not crs.isGeographic() and crs.bounds().width() >= WORLD:
                back = np.array(_transform(crs, back=True).TransformPoints(found[:, :2].tolist()))[:, :2]
                # Written so that infinity, too, is no place.
                out[np.flatnonzero(good)[~(np.abs(back - xy[good]).max(axis=1) <= within)]] = np.nan
        xy = out
    bad = ~np.isfinite(xy).all(axis=1) | (np.abs(xy[:, 1]) > 90.0) | (np.abs(xy[:, 0]) > 720.0)
    xy[bad] = np.nan
    return xy


def _transform(crs, back=False):
    """GDAL's transformation to degrees: many points a call, and infinity, not an error, where there is no place."""
    source, target = osr.SpatialReference(), osr.SpatialReference()
    source.ImportFromWkt(crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED_GDAL))
    target.ImportFromEPSG(4326)
    for reference in (source, target):
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return osr.CoordinateTransformation(*((target, source) if back else (source, target)))


def representative(geometry):
    """Return x, y of one point of a geometry, on it for areas and on lines; (NaN, NaN) for an empty one."""
    if geometry is None or geometry.isNull() or geometry.isEmpty():
        return np.nan, np.nan
    if geometry.type() == QgsWkbTypes.GeometryType.PointGeometry and not geometry.isMultipart():
        point = geometry.constGet()
        return point.x(), point.y()
    inside = geometry.pointOnSurface()
    if inside is None or inside.isNull():  # an invalid area: its middle will do
        inside = geometry.centroid()
    point = inside.asPoint() if inside and not inside.isNull() else None
    return (np.nan, np.nan) if point is None else (point.x(), point.y())


def points_of(geometry, samples, seed=0):
    """Return points that stand for a geometry.

    Parameters
    ----------
    geometry : QgsGeometry
    samples : int
        How many for an area; lines get as many along them, points are taken as they are.
    seed : int

    Returns
    -------
    list of (float, float)
        At least one, unless the geometry is empty.
    """
    if geometry is None or geometry.isNull() or geometry.isEmpty():
        return []
    kind = geometry.type()
    if kind == QgsWkbTypes.GeometryType.PointGeometry:
        return [(point.x(), point.y()) for point in geometry.vertices()]
    if samples <= 1:
        return [representative(geometry)]
    if kind == QgsWkbTypes.GeometryType.LineGeometry:
        length = geometry.length()
        along = (geometry.interpolate(length * (k + 0.5) / samples) for k in range(samples))
        return [(p.asPoint().x(), p.asPoint().y()) for p in along if not p.isNull()] or [representative(geometry)]
    inside = QgsGeometry(geometry).randomPointsInPolygon(samples, seed=seed)
    return [(point.x(), point.y()) for point in inside] or [representative(geometry)]
