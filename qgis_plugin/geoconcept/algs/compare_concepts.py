# SPDX-License-Identifier: GPL-2.0-or-later
"""Two concepts over an area: where they agree, and where they part."""

import numpy as np
from qgis.core import (
    QgsColorRampShader,
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingParameterRasterDestination,
    QgsRasterShader,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor

from .. import service
from ..core.style import LOOKS
from ..io import charts, metadata, raster, style
from ..io.html import Report, picture
from .insight import InsightAlgorithm, grade_text

__all__ = ["CompareConcepts", "diverging"]

#: From this value on a place counts as high, and the largest difference that is drawn, for each kind.
_HIGH = {"percentile": 75.0, "calibrated": 0.5, "cosine": 0.1}
_RANGE = {"percentile": (0.0, 100.0), "calibrated": (0.0, 1.0), "cosine": (-0.4, 0.4)}
_DIFFERENCE = {"percentile": 100.0, "calibrated": 1.0, "cosine": 0.4}
_BINS = 40


class CompareConcepts(InsightAlgorithm):
    """`geoconcept:compareconcepts`."""

    NAME = "compareconcepts"
    TITLE = "Compare concepts"
    GROUP = "Explore"
    TAGS = ("difference", "overlap", "correlation")
    HELP = (
        "Scores an area against two concepts and writes a GeoTIFF of three bands: the first, the second, and the first "
        "minus the second, in blue and red around zero.\n\n"
        "Concepts: a name, one of your own concepts, or words ('words: olive groves').\n"
        "Kind of score: percentiles can always be compared. Calibrated scores answer to how common each label is.\n"
        "Cell size: in units of the CRS; 0 makes about 400 cells along the longer side.\n\n"
        "The report tells how strongly the two go together over the area and where both, one or none is high, weighted "
        "by area. Two concepts that go together are associated with the same places; neither makes the other."
    )

    def build(self):
        """Two concepts, area, kind, outputs."""
        self.add_concepts("A", default="hot desert climate", several=False)
        self.add_concepts("B", default="hot steppe climate", several=False)
        self.add_area()
        self.add_kind()
        self.addParameter(
            QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Both concepts and their difference"))
        )
        self.add_report()
        self.addOutput(QgsProcessingOutputNumber("CORRELATION", self.tr("Correlation over the area")))

    def work(self, parameters, context, feedback):
        """Compute, write, tell."""
        pair = [self.single(parameters, context, name) for name in ("A", "B")]
        if pair[0].name == pair[1].name:
            raise QgsProcessingException(self.tr("'{0}' is both concepts: choose two").format(pair[0].name))
        grid = self.grid(parameters, context)
        path = self.raster_path(parameters, context)
        report_path = self.report_path(parameters, context)
        scores, kind = service.scorer(pair, self.kind(parameters, context))
        tally = _Tally(kind)

        def three(lonlat):
            values = scores(lonlat)
            # Cells of a map in degrees get smaller towards the poles.
            tally.add(values, np.cos(np.radians(lonlat[:, 1])) if grid.crs.isGeographic() else np.ones(len(lonlat)))
            return np.column_stack([values, values[:, 0] - values[:, 1]])

        names = [concept.name for concept in pair]
        minus = self.tr("{0} minus {1}").format(*names)
        raster.write(
            path,
            grid,
            [*(metadata.band_of(concept, kind) for concept in pair), {"name": f"{minus} ({kind})"}],
            three,
            tags=metadata.tags_of(pair, kind),
            land_only=self.parameterAsBool(parameters, "LAND_ONLY", context),
            progress=service.progress_of(feedback),
        )
        if not tally.total:
            feedback.pushWarning(self.tr("No cell of the area has a value: it lies at sea, or off the Earth."))
        correlation = tally.correlation()
        feedback.pushInfo(self.tr("Correlation over the area: {0:.3f}").format(correlation))
        results = {"OUTPUT": str(path), "CORRELATION": None if np.isnan(correlation) else correlation}
        if report_path:
            self.report(pair, kind, tally, report_path, feedback)
            results["REPORT"] = str(report_path)

        def prepare(layer):
            diverging(layer, 3, _DIFFERENCE[kind])
            abstract = metadata.abstract_of(pair, kind)
            style.describe(layer, layer.name(), abstract, service.model().config.get("licence", ""), names)
            style.keep_style(layer, path)

        self.show(context, str(path), f"{minus} ({kind})", prepare)
        return results

    def single(self, parameters, context, name):
        """Return the one concept that a parameter names."""
        found = self.concepts(parameters, context, name)
        if len(found) != 1:
            raise QgsProcessingException(self.tr("give one concept for {0}; got {1}").format(name, len(found)))
        return found[0]

    def report(self, pair, kind, tally, path, feedback):
        """Tell how far the two go together."""
        first, second = (concept.name for concept in pair)
        page = Report(
            self.tr("{0} and {1}").format(first, second),
            self.tr("Over this area their scores have a correlation of {0:.2f}.").format(tally.correlation())
            if tally.total
            else self.tr("No cell of the area has a value: it lies at sea, or off the Earth."),
        )
        page.heading(self.tr("The two concepts"))
        page.table(
            self.headers("concept", "family", "grade", "description"),
            [(c.name, c.family, grade_text(c), c.description) for c in pair],
        )
        for concept in pair:
            page.text(concept.failure, "note")
        if tally.total:
            page.heading(self.tr("Where each is high"))
            both, only_a, only_b, none = tally.shares()
            page.table(
                [self.tr("places with"), self.tr("share of the area")],
                [
                    (self.tr("both high"), f"{both:.1%}"),
                    (self.tr("only {0} high").format(first), f"{only_a:.1%}"),
                    (self.tr("only {0} high").format(second), f"{only_b:.1%}"),
                    (self.tr("neither high"), f"{none:.1%}"),
                ],
            )
            page.text(
                self.tr("High: a {0} of {1:g} or more. Cells count by their area.").format(kind, _HIGH[kind]), "note"
            )
            page.heading(self.tr("Cell by cell"))
            counts = np.log1p(tally.histogram.T[::-1] / tally.total * 1e4)
            counts[counts == 0.0] = np.nan
            colours = LOOKS["percentile"].colours
            page.figure(
                charts.field(
                    picture(counts, colours, 0.0, float(np.nanmax(counts))), *[_RANGE[kind]] * 2, first, second
                ),
                self.tr("Yellow: much of the area has these two scores (on a logarithmic scale)."),
            )
        self.close(page, path, feedback)


class _Tally:
    """Sums over cells, each with its area, filled block by block."""

    def __init__(self, kind):
        self.high, self.range = _HIGH[kind], _RANGE[kind]
        self.total = 0.0
        self._sums, self._products = np.zeros(2), np.zeros((2, 2))
        self._shares = np.zeros((2, 2))
        self.histogram = np.zeros((_BINS, _BINS))

    def add(self, values, weight):
        """Count scores (n, 2)."""
        values = values.astype(np.float64)
        self.total += float(weight.sum())
        self._sums += weight @ values
        self._products += (values * weight[:, None]).T @ values
        high = (values >= self.high).astype(int)
        np.add.at(self._shares, (high[:, 0], high[:, 1]), weight)
        low, top = self.range
        cell = np.clip((values - low) / (top - low) * _BINS, 0, _BINS - 1).astype(int)
        np.add.at(self.histogram, (cell[:, 0], cell[:, 1]), weight)

    def correlation(self):
        """Return Pearson's correlation; NaN where there is none."""
        if not self.total:
            return float("nan")
        mean = self._sums / self.total
        spread = self._products / self.total - np.outer(mean, mean)
        scale = float(np.sqrt(spread[0, 0] * spread[1, 1]))
        return float(spread[0, 1] / scale) if scale > 1e-12 else float("nan")

    def shares(self):
        """Return the shares of the area where both, only the first, only the second and none is high."""
        (none, second), (first, both) = self._shares / self.total
        return both, first, second, none


def diverging(layer, band, limit, opacity=0.85):
    """Draw a band in blue and red around zero, with fixed ends.

    Parameters
    ----------
    layer : QgsRasterLayer
    band : int
    limit : float
        Value at the red end; minus it at the blue end.
    opacity : float
    """
    colours = LOOKS["cosine"].colours
    ramp = QgsColorRampShader(-limit, limit)
    ramp.setColorRampType(QgsColorRampShader.Type.Interpolated)
    values = np.linspace(-limit, limit, len(colours))
    ramp.setColorRampItemList(
        [
            QgsColorRampShader.ColorRampItem(value, QColor(one), f"{value:g}")
            for value, one in zip(values.tolist(), colours)
        ]
    )
    shader = QgsRasterShader(-limit, limit)
    shader.setRasterShaderFunction(ramp)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), band, shader)
    renderer.setClassificationMin(-limit)
    renderer.setClassificationMax(limit)
    renderer.setOpacity(opacity)
    layer.setRenderer(renderer)
