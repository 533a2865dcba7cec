# SPDX-License-Identifier: GPL-2.0-or-later
"""Concepts as a grid of hexagons or squares."""

import math

import numpy as np
from qgis.core import (
    QgsFeature,
    QgsFeatureSink,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingException,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsWkbTypes,
)

from .. import service
from ..compat import field, tr
from ..core.errors import InputError
from ..core.land_mask import on_land
from ..core.progress import report
from ..io import metadata, places, raster, style
from .base import ConceptAlgorithm

__all__ = ["ConceptGrid"]

#: Cells along the longer side where the user names no size, and cells of the largest grid.
_CELLS, _LARGEST = 80, 2_000_000


class ConceptGrid(ConceptAlgorithm):
    """`geoconcept:conceptgrid`."""

    NAME = "conceptgrid"
    TITLE = "Concept grid"
    TAGS = ("hexagon", "square", "cells", "tessellation")
    HELP = (
        "Covers an area with hexagons or squares and scores each of them against concepts: one field a concept.\n\n"
        "Cell size: distance between the middles of neighbours, in units of the CRS; 0 makes about 80 cells along the "
        "longer side. Choose a CRS in metres for cells of equal size.\n"
        "Points in a cell: its middle alone, or the mean of seven points spread inside it.\n"
        "Land only: cells whose middle lies at sea are left out; the concepts were tested on land."
    )

    def build(self):
        """Area, concepts, cells, output."""
        self.add_concepts()
        self.add_area("-12,42,34,72 [EPSG:4326]")
        options = [self.tr("hexagons"), self.tr("squares")]
        self.addParameter(QgsProcessingParameterEnum("SHAPE", self.tr("Shape"), options, defaultValue=0))
        options = [self.tr("its middle"), self.tr("mean of seven points")]
        self.addParameter(QgsProcessingParameterEnum("POINTS", self.tr("Points in a cell"), options, defaultValue=0))
        self.add_kind()
        self.addParameter(QgsProcessingParameterFeatureSink("OUTPUT", self.tr("Concept grid")))

    def work(self, parameters, context, feedback):
        """Lay out the middles, keep those on land, score and write them block by block."""
        concepts = self.concepts(parameters, context)
        extent, crs = self.area(parameters, context)
        hexagons = self.parameterAsEnum(parameters, "SHAPE", context) == 0
        size = self.parameterAsDouble(parameters, "CELL_SIZE", context) or max(extent.width(), extent.height()) / _CELLS
        middles = _middles(extent, size, hexagons)
        lonlat = places.to_lonlat(middles, crs, within=size)
        kept = np.isfinite(lonlat[:, 0])
        if self.parameterAsBool(parameters, "LAND_ONLY", context):
            kept[kept] = on_land(lonlat[kept])
        middles = middles[kept]
        if not len(middles):
            raise QgsProcessingException(
                self.tr("no cell of this grid lies on land: choose another area, or allow the sea")
            )
        corners = _corners(size, hexagons)
        inside = np.zeros((1, 2))
        if self.parameterAsEnum(parameters, "POINTS", context) == 1:
            inside = np.concatenate([inside, _corners(size, True) * 0.6])
        scores, kind = service.scorer(concepts, self.kind(parameters, context))
        fields = QgsFields()
        for one in [field("cell", int), *(field(concept.column) for concept in concepts)]:
            fields.append(one)
        sink, destination = self.parameterAsSink(parameters, "OUTPUT", context, fields, QgsWkbTypes.Type.Polygon, crs)
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, "OUTPUT"))
        progress, step = service.progress_of(feedback), max(1, service.BLOCK // len(inside))
        for start in range(0, len(middles), step):
            part = middles[start : start + step]
            values = _mean_scores(part, inside, crs, scores)
            out = []
            for k, (middle, row) in enumerate(zip(part, values), start):
                feature = QgsFeature(fields)
                ring = [QgsPointXY(x, y) for x, y in middle + corners]
                feature.setGeometry(QgsGeometry.fromPolygonXY([ring]))
                feature.setAttributes([k] + [float(v) if v == v else None for v in row])
                out.append(feature)
            if not sink.addFeatures(out, QgsFeatureSink.Flag.FastInsert):
                raise QgsProcessingException(self.writeFeatureError(sink, parameters, "OUTPUT"))
            report(progress, start + len(part), len(middles))
        sink.flushBuffer()
        del sink
        feedback.pushInfo(self.tr("{0} cells").format(len(middles)))

        def prepare(layer):
            style.graduated(layer, concepts[0].column, kind)
            abstract = metadata.abstract_of(concepts, kind)
            style.describe(
                layer, layer.name(), abstract, service.model().config.get("licence", ""), [c.name for c in concepts]
            )

        self.show(context, destination, f"{concepts[0].name} ({kind})", prepare)
        return {"OUTPUT": destination}


def _middles(extent, size, hexagons):
    """Return the middles of the cells that cover an extent, north to south, row by row."""
    width, height = extent.width(), extent.height()
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise InputError(tr("raster", "the extent is empty: draw or choose an area"))
    step_y = size * math.sqrt(0.75) if hexagons else size
    columns, rows = math.ceil(width / size) + hexagons, math.ceil(height / step_y)
    if columns * rows > _LARGEST:
        raise InputError(raster.too_many(columns, rows, _LARGEST))
    row, column = np.divmod(np.arange(columns * rows), columns)
    shift = np.where(row % 2 == 1, 0.0, 0.5) if hexagons else 0.5
    x = extent.xMinimum() + (column + shift) * size
    y = extent.yMaximum() - (row + 0.5) * step_y
    return np.stack([x, y], axis=1)


def _corners(size, hexagons):
    """Return the corners of a cell around its middle; hexagons stand on a corner."""
    if not hexagons:
        return np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * size
    angle = np.radians(60.0 * np.arange(6) + 30.0)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * size / math.sqrt(3.0)


def _mean_scores(middles, inside, crs, scores):
    """Return the mean score of the points inside each cell; points that are nowhere do not count."""
    xy = (middles[:, None] + inside[None]).reshape(-1, 2)
    lonlat = places.to_lonlat(xy, crs)
    good = np.isfinite(lonlat[:, 0])
    pairs = lonlat[good]
    pairs[:, 0] = (pairs[:, 0] + 180.0) % 360.0 - 180.0
    found = scores(pairs)
    values = np.full((len(lonlat), found.shape[1]), np.nan)
    values[good] = found
    return np.nanmean(values.reshape(len(middles), len(inside), -1), axis=1)
