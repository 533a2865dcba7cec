# SPDX-License-Identifier: GPL-2.0-or-later
"""Concepts beside numbers that one has, and whether they go together."""

from typing import NamedTuple

import numpy as np
from osgeo import gdal
from qgis.core import (
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBand,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterRasterLayer,
)

from .. import service
from ..compat import VECTOR_ANY
from ..core.errors import Cancelled
from ..core.fitting import spatial_blocks
from ..io import charts, places
from ..io.html import Report
from .insight import InsightAlgorithm, grade_text

__all__ = ["CompareLayers", "correlations"]

#: Sizes of blocks to choose from, in degrees: the largest that leaves this many.
_BLOCKS, _ENOUGH = (10.0, 5.0, 2.5, 1.0, 0.5, 0.25, 0.1), 20
_RESAMPLES = 500
#: Fewer places than this have no correlation worth telling.
_FEWEST = 10


class Values(NamedTuple):
    """Places with a number each, and how many were left out, by reason."""

    lonlat: np.ndarray
    numbers: np.ndarray
    left_out: dict
    title: str


class CompareLayers(InsightAlgorithm):
    """`geoconcept:comparelayers`."""

    NAME = "comparelayers"
    TITLE = "Compare with a layer"
    GROUP = "Explore"
    TAGS = ("correlation", "spearman", "validation", "ground truth")
    HELP = (
        "Tells how strongly concepts go together with numbers that you have: a field of a vector layer, or a band of a "
        "raster.\n\n"
        "Layer and field, or raster and band. Areas and lines count by a point on them. Features and cells without a "
        "value are counted and said.\n"
        "Cells of the raster: so many are drawn at random.\n"
        "Block: places within a block of this many degrees count as one draw, since places side by side are alike; 0 "
        "chooses a size that leaves at least 20 blocks.\n\n"
        "The report gives Spearman's and Pearson's correlation with a 95 % interval from resampled blocks, and a "
        "picture of each. A correlation says that two things are associated; it does not say why."
    )

    def build(self):
        """Numbers, concepts, settings, report."""
        self.addParameter(QgsProcessingParameterFeatureSource("INPUT", self.tr("Layer"), [VECTOR_ANY], optional=True))
        kind = QgsProcessingParameterField.DataType.Numeric
        self.addParameter(QgsProcessingParameterField("FIELD", self.tr("Field"), None, "INPUT", kind, optional=True))
        self.addParameter(QgsProcessingParameterRasterLayer("RASTER", self.tr("or: raster"), optional=True))
        self.addParameter(QgsProcessingParameterBand("BAND", self.tr("Band"), 1, "RASTER", optional=True))
        self.add_concepts()
        self.add_kind()
        self.add_number("CELLS", self.tr("Cells of the raster"), 5_000, 100, 200_000, advanced=True)
        self.add_number("BLOCK", self.tr("Block, in degrees (0: automatic)"), 0.0, 0.0, 60.0, real=True, advanced=True)
        self.add_number("SEED", self.tr("Seed of random draws"), 0, 0, advanced=True)
        self.add_report()
        self.addOutput(QgsProcessingOutputNumber("SPEARMAN", self.tr("Spearman's correlation of the first concept")))
        self.addOutput(QgsProcessingOutputNumber("N", self.tr("Places")))

    def work(self, parameters, context, feedback):
        """Read, score, compare, tell."""
        concepts = self.concepts(parameters, context)
        kind = self.kind(parameters, context)
        report_path = self.report_path(parameters, context)
        seed = self.parameterAsInt(parameters, "SEED", context)
        values = self.values(parameters, context, feedback, seed)
        for reason, count in values.left_out.items():
            if count:
                feedback.pushWarning(f"{reason}: {count}")
        if len(values.numbers) < _FEWEST:
            text = self.tr("only {0} places have a value; a correlation needs at least {1}")
            raise QgsProcessingException(text.format(len(values.numbers), _FEWEST))
        if np.ptp(values.numbers) == 0.0:
            raise QgsProcessingException(self.tr("all values of '{0}' are the same").format(values.title))
        _, kind = service.scorer(concepts, kind)
        scores = service.score(values.lonlat, concepts, kind, service.progress_of(feedback, 10.0, 80.0))
        degrees = self.parameterAsDouble(parameters, "BLOCK", context) or _block_size(values.lonlat)
        block = spatial_blocks(values.lonlat, degrees)
        found = []
        for k, concept in enumerate(concepts):
            found.append(correlations(scores[:, k], values.numbers, block, seed))
            feedback.setProgress(80.0 + 20.0 * (k + 1) / len(concepts))
            if feedback.isCanceled():
                raise Cancelled
            spearman = found[-1]["spearman"]
            feedback.pushInfo(f"{concept.name}: Spearman {spearman[0]:.3f} ({spearman[1]:.3f} - {spearman[2]:.3f})")
        blocks = len(np.unique(block))
        if blocks < _ENOUGH:
            feedback.pushWarning(
                self.tr("only {0} blocks of {1:g} degrees: the intervals are too narrow").format(blocks, degrees)
            )
        results = {"SPEARMAN": found[0]["spearman"][0], "N": len(values.numbers)}
        if report_path:
            self.report(concepts, kind, values, scores, found, (degrees, blocks), report_path, feedback)
            results["REPORT"] = str(report_path)
        return results

    def values(self, parameters, context, feedback, seed):
        """Read the numbers, from whichever was given."""
        layer, band = (parameters.get(name) not in (None, "") for name in ("INPUT", "RASTER"))
        if layer == band:
            raise QgsProcessingException(self.tr("give either a layer with a field or a raster"))
        if band:
            return self.from_raster(parameters, context, seed)
        return self.from_layer(parameters, context, feedback)

    def from_layer(self, parameters, context, feedback):
        """Read a field."""
        source = self.source(parameters, context)
        name = self.parameterAsString(parameters, "FIELD", context)
        column = source.fields().lookupField(name) if name else -1
        if column < 0:
            numeric = [one.name() for one in source.fields() if one.isNumeric()]
            text = self.tr("the layer has no field '{0}'; its numeric fields: {1}")
            raise QgsProcessingException(text.format(name, ", ".join(numeric) or self.tr("none")))
        if not source.fields()[column].isNumeric():
            raise QgsProcessingException(self.tr("field '{0}' holds no numbers").format(name))
        points, numbers = [], []
        for feature in source.getFeatures():
            points.append(places.representative(feature.geometry()))
            numbers.append(_number(feature[column]))
            if feedback.isCanceled():
                raise Cancelled
        lonlat = places.to_lonlat(np.array(points, dtype=np.float64).reshape(-1, 2), source.sourceCrs())
        return self.kept(lonlat, np.array(numbers, dtype=np.float64), name)

    def from_raster(self, parameters, context, seed):
        """Read a band at random cells."""
        layer = self.parameterAsRasterLayer(parameters, "RASTER", context)
        if layer is None:
            raise QgsProcessingException(self.invalidRasterError(parameters, "RASTER"))
        if not layer.crs().isValid():
            raise QgsProcessingException(self.tr("raster '{0}' has no CRS: set it first").format(layer.name()))
        number = self.parameterAsInt(parameters, "BAND", context)
        dataset = gdal.Open(layer.source())
        if dataset is None:
            raise QgsProcessingException(self.tr("raster '{0}' is no file that can be read").format(layer.name()))
        if not 1 <= number <= dataset.RasterCount:
            text = self.tr("raster '{0}' has {1} band(s), and no band {2}")
            raise QgsProcessingException(text.format(layer.name(), dataset.RasterCount, number))
        band = dataset.GetRasterBand(number)
        cells = dataset.RasterXSize * dataset.RasterYSize
        wanted = min(self.parameterAsInt(parameters, "CELLS", context), cells)
        rng = np.random.default_rng(seed)
        # Twice as many as wanted, since many cells may be empty.
        drawn = np.unique(rng.integers(cells, size=2 * wanted)) if cells > 4 * wanted else np.arange(cells)
        rows, columns = np.divmod(drawn, dataset.RasterXSize)
        numbers = _cells(band, rows, columns)
        x, y = (
            t[0] + (columns + 0.5) * t[1] + (rows + 0.5) * t[2]
            for t in (dataset.GetGeoTransform()[:3], dataset.GetGeoTransform()[3:])
        )
        lonlat = places.to_lonlat(np.column_stack([x, y]), layer.crs())
        return self.kept(lonlat, numbers, self.tr("{0}, band {1}").format(layer.name(), number), most=wanted, rng=rng)

    def kept(self, lonlat, numbers, title, most=None, rng=None):
        """Leave out what has no number or no place, and count it."""
        empty, lost = ~np.isfinite(numbers), ~np.isfinite(lonlat[:, 0])
        rows = np.flatnonzero(~empty & ~lost)
        if most is not None and len(rows) > most:
            rows = np.sort(rng.permutation(rows)[:most])
        left_out = {
            self.tr("without a value, left out"): int(empty.sum()),
            self.tr("no place on Earth, left out"): int((lost & ~empty).sum()),
        }
        lonlat = lonlat[rows]
        lonlat[:, 0] = (lonlat[:, 0] + 180.0) % 360.0 - 180.0
        return Values(lonlat, numbers[rows], left_out, title)

    def report(self, concepts, kind, values, scores, found, blocks, path, feedback):
        """Tell how strongly they go together."""
        order = sorted(range(len(concepts)), key=lambda k: -abs(np.nan_to_num(found[k]["spearman"][0])))
        best = order[0]
        page = Report(
            self.tr("{0} beside concepts").format(values.title),
            self.tr("It is associated most with '{0}': Spearman {1:.2f} (95 % interval {2:.2f} to {3:.2f}).").format(
                concepts[best].name, *found[best]["spearman"]
            ),
        )
        page.text(self.seam_text(values.lonlat), "warning")
        page.facts(
            [
                (self.tr("Places"), f"{len(values.numbers):,}"),
                *((reason, f"{count:,}") for reason, count in values.left_out.items()),
                (self.tr("Blocks"), self.tr("{0} of {1:g} degrees").format(f"{blocks[1]:,}", blocks[0])),
                (self.tr("Kind of score"), kind),
            ]
        )
        if blocks[1] < _ENOUGH:
            page.text(
                self.tr("With so few blocks the intervals are too narrow: take them as a lower bound."), "warning"
            )
        page.table(
            self.headers("concept", "Spearman", "interval", "Pearson", "interval", "grade"),
            [
                (
                    concepts[k].name,
                    found[k]["spearman"][0],
                    "{1:.2f} ... {2:.2f}".format(*found[k]["spearman"]),
                    found[k]["pearson"][0],
                    "{1:.2f} ... {2:.2f}".format(*found[k]["pearson"]),
                    concepts[k].grade_at_places or "",
                )
                for k in order
            ],
        )
        page.text(
            self.tr(
                "Spearman's correlation is of ranks: it finds whatever rises together. The interval is where 95 % of "
                "resamples of whole blocks fall; places side by side are alike and count as one draw."
            ),
            "note",
        )
        for k in order[:6]:
            page.heading(concepts[k].name)
            page.figure(charts.scatter(scores[:, k], values.numbers, f"{concepts[k].name} ({kind})", values.title))
            page.text(grade_text(concepts[k]), "note")
        page.figure(charts.places_map([(self.tr("places"), values.lonlat)]), self.tr("Where the places lie."))
        self.close(page, path, feedback)


def correlations(x, y, block, seed=0):
    """Return Spearman's and Pearson's correlation, each with a 95 % interval from resampled blocks.

    Parameters
    ----------
    x, y : ndarray of float, shape (N,)
    block : ndarray of int, shape (N,)
        Places of one block are drawn together.
    seed : int

    Returns
    -------
    dict of str to (float, float, float)
        ``spearman`` and ``pearson``: value, low, high; NaN where one of the two does not vary. Ranks are those among
        all places, in resamples, too.
    """
    names, inverse = np.unique(block, return_inverse=True)
    rng = np.random.default_rng(seed)
    draws = [np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)) for _ in range(_RESAMPLES)]
    out = {}
    for name, a, b in (("spearman", _ranks(x), _ranks(y)), ("pearson", x.astype(np.float64), y.astype(np.float64))):
        sums = _block_sums(a - a.mean(), b - b.mean(), inverse, len(names))
        values = _correlation(np.array(draws) @ sums)
        value = float(_correlation(sums.sum(axis=0, keepdims=True))[0])
        good = values[np.isfinite(values)]
        low, high = np.quantile(good, [0.025, 0.975]) if len(good) else (np.nan, np.nan)
        out[name] = (value, float(low), float(high))
    return out


def _block_sums(a, b, which, count):
    """Return count, sums, squares and products of each block: all that a correlation needs."""
    columns = (np.ones(len(a)), a, b, a * a, b * b, a * b)
    return np.stack([np.bincount(which, column, minlength=count) for column in columns], axis=1)


def _correlation(sums):
    n, a, b, aa, bb, ab = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (aa - a * a / n) * (bb - b * b / n)
        return np.where(spread > 0.0, (ab - a * b / n) / np.sqrt(np.maximum(spread, 0.0)), np.nan)


def _ranks(values):
    """Return ranks; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[inverse]


def _block_size(lonlat):
    """Return the largest size of blocks that leaves enough of them, or the smallest."""
    for degrees in _BLOCKS:
        if len(np.unique(spatial_blocks(lonlat, degrees))) >= _ENOUGH:
            return degrees
    return _BLOCKS[-1]


def _number(value):
    """Return a field's value as a float; NaN for NULL."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _cells(band, rows, columns):
    """Return a band's values at cells, NaN where there is none; a row of the raster is read at a time."""
    nodata, out = band.GetNoDataValue(), np.full(len(rows), np.nan)
    for row in np.unique(rows):
        which = rows == row
        out[which] = band.ReadAsArray(0, int(row), band.XSize, 1)[0, columns[which]]
    if nodata is not None:
        out[out == nodata] = np.nan
    return out
