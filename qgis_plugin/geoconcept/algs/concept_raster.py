# SPDX-License-Identifier: GPL-2.0-or-later
"""Concepts as a raster, one band each."""

from qgis.core import (
    QgsProcessingParameterEnum,
    QgsProcessingParameterRasterDestination,
)

from .. import service
from ..core.errors import InputError
from ..io import metadata, raster, style
from .base import ConceptAlgorithm

__all__ = ["ConceptRaster"]


class ConceptRaster(ConceptAlgorithm):
    """`geoconcept:conceptraster`."""

    NAME = "conceptraster"
    TITLE = "Concept raster"
    TAGS = ("map", "heatmap", "climate", "land cover", "text")
    HELP = (
        "Scores every cell of an area against concepts and writes a GeoTIFF, one band a concept, in colours with a "
        "fixed range, so that maps can be compared.\n\n"
        "Concepts: names, your own concepts, or words ('words: olive groves'), separated by semicolons.\n"
        "Cell size: in units of the CRS; 0 makes about 400 cells along the longer side. The model tells places apart "
        "from about 10 km on: smaller cells look smoother, they do not say more.\n"
        "Show: the scores of each concept in a band of its own, or a map of the concept that scores highest, for 2 to "
        "24 concepts; percentiles are the fairest to compare.\n"
        "Land only: cells at sea get no value. The concepts were tested on land.\n\n"
        "A score says what a place is associated with; it is no observation."
    )

    def build(self):
        """Area, concepts, cells, output."""
        self.add_concepts()
        self.add_area()
        self.add_kind()
        options = [self.tr("one band of scores for each concept"), self.tr("the dominant concept, one colour each")]
        self.addParameter(QgsProcessingParameterEnum("SHOW", self.tr("Show"), options, defaultValue=0))
        self.addParameter(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Concept raster")))

    def title(self, concepts, kind, dominant):
        """Return the name of the layer."""
        if dominant:
            return self.tr("dominant of {0} concepts").format(len(concepts))
        more = self.tr(" and {0} more").format(len(concepts) - 1) if len(concepts) > 1 else ""
        return f"{concepts[0].name}{more} ({kind})"

    def dominant(self, concepts, scores):
        """Return a function to the number of the highest concept at each place, and the band that says so."""
        if not 2 <= len(concepts) <= len(style.PALETTE):
            raise InputError(
                self.tr("the dominant one of {0} concepts cannot be drawn: name 2 to {1}").format(
                    len(concepts), len(style.PALETTE)
                )
            )
        names = "; ".join(f"{k} {concept.name}" for k, concept in enumerate(concepts, start=1))
        band = {
            "name": self.tr("dominant concept"),
            "long_name": "dominant concept",
            "units": "class",
            "comment": names,
        }
        return (lambda lonlat: scores(lonlat).argmax(axis=1)[:, None] + 1), [band]

    def work(self, parameters, context, feedback):
        """Compute and write, block by block."""
        concepts = self.concepts(parameters, context)
        extent, crs = self.area(parameters, context)
        grid = raster.Grid(extent, crs, self.parameterAsDouble(parameters, "CELL_SIZE", context))
        path = self.raster_path(parameters, context)
        scores, kind = service.scorer(concepts, self.kind(parameters, context))
        feedback.pushInfo(
            self.tr("{0} x {1} cells, {2} concept(s), {3} scores").format(grid.columns, grid.rows, len(concepts), kind)
        )
        dominant = self.parameterAsEnum(parameters, "SHOW", context) == 1
        bands = [metadata.band_of(concept, kind) for concept in concepts]
        if dominant:
            scores, bands = self.dominant(concepts, scores)
        ranges = raster.write(
            path,
            grid,
            bands,
            scores,
            tags=metadata.tags_of(concepts, kind),
            land_only=self.parameterAsBool(parameters, "LAND_ONLY", context),
            progress=service.progress_of(feedback),
        )
        for band, (low, mean, high) in zip(bands, ranges):
            feedback.pushInfo(f"{band['name']}: {low:.3g} ... {mean:.3g} ... {high:.3g}")
        for concept in concepts:
            if concept.failure:
                feedback.pushInfo(f"  {concept.failure}")

        def prepare(layer):
            if dominant:
                style.paletted(layer, [concept.name for concept in concepts])
            else:
                style.pseudocolor(layer, kind)
            abstract = metadata.abstract_of(concepts, kind)
            style.describe(
                layer, layer.name(), abstract, service.model().config.get("licence", ""), [c.name for c in concepts]
            )
            style.keep_style(layer, path)

        self.show(context, str(path), self.title(concepts, kind, dominant), prepare)
        return {"OUTPUT": str(path)}
