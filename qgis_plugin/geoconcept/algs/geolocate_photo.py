# SPDX-License-Identifier: GPL-2.0-or-later
"""Photos, or vectors of photos, to where they may have been taken: heatmap, best places, credible areas, reasons."""

import numpy as np
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsFeatureSink,
    QgsFields,
    QgsFillSymbol,
    QgsGeometry,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsPointXY,
    QgsProcessingException,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterDestination,
    QgsRectangle,
    QgsRendererCategory,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayerSimpleLabeling,
    QgsWkbTypes,
)
from qgis.PyQt.QtGui import QColor

from .. import service
from ..compat import field, vector_type
from ..core.errors import InputError
from ..core.locate.density import open_surface
from ..core.locate.posterior import LEVELS, Posterior
from ..core.locate.vectors import locate_queries
from ..core.progress import report as tell
from ..core.style import look_of
from ..io import cells, raster, style
from ..io.html import Report, picture, shown
from ..io.photos import collect, read
from .base import WGS84
from .insight import InsightAlgorithm

__all__ = ["GeolocatePhoto"]

PRIORS = ("photos", "land")
TOWERS = ("auto", "clip", "weak")
#: Photos that are located together, told of in the report, and drawn on one raster, each in a band.
_TOGETHER, _TOLD, _BANDS = 16, 12, 64
_POINTS = (
    *(("photo", str), ("rank", int), ("probability", float), ("within_km", float), ("lon", float), ("lat", float)),
    *(("exif_lon", float), ("exif_lat", float), ("tower", str), ("status", str)),
)
_AREAS = (("photo", str), ("level", int), ("probability", float), ("area_km2", float))
_INK, _NOTHING = "#0b3d91", "#e6eaed"


class GeolocatePhoto(InsightAlgorithm):
    """`geoconcept:geolocatephoto`."""

    NAME = "geolocatephoto"
    TITLE = "Geolocate photo"
    GROUP = "Photos"
    TAGS = ("image", "picture", "where", "GeoCLIP", "CLIP", "EXIF", "heatmap")
    HELP = (
        "Says where photos may have been taken, from what they show: a heatmap of the probability, the best places, "
        "the smallest areas that hold the place with 50 % and 90 %, and the concepts that speak for them.\n\n"
        "Photos: files or a folder. They are read by CLIP in the engine, outside QGIS; see the plugin's options. "
        "Vectors (.npy) need no engine: 768 numbers a photo from CLIP ViT-L/14, or 512 of the shared space.\n"
        "Before looking: where photos are usually taken, or evenly over land; and only inside polygons, where you know "
        "the region.\n"
        "The first run prepares a map of places, which takes half a minute; it is kept.\n\n"
        "An EXIF position is reported, never used. The result is an estimate, no evidence of a position."
    )

    def build(self):
        """Photos, what is known before, outputs."""
        title = self.tr("Photos, folders or vectors (.npy)")
        photos = QgsProcessingParameterMultipleLayers("INPUT", title, vector_type("File"))
        photos.setMinimumNumberInputs(1)
        self.addParameter(photos)
        options = [self.tr("where photos are usually taken"), self.tr("evenly over land")]
        self.addParameter(QgsProcessingParameterEnum("PRIOR", self.tr("Before looking"), options, defaultValue=0))
        self.addParameter(
            QgsProcessingParameterFeatureSource(
                "REGION", self.tr("Only inside these polygons"), [vector_type("VectorPolygon")], optional=True
            )
        )
        options = [
            self.tr("CLIP; where there is none and the model is GeoCLIP, the weak one"),
            self.tr("CLIP"),
            self.tr("the weak one, for demonstrations with GeoCLIP only"),
        ]
        self.addParameter(
            self.advanced(QgsProcessingParameterEnum("TOWER", self.tr("What reads photos"), options, defaultValue=0))
        )
        weights = QgsProcessingParameterFile(
            "WEIGHTS", self.tr("CLIP's weights (default: those of the plugin's options)"), optional=True
        )
        self.addParameter(self.advanced(weights))
        self.add_number(
            "CELL_SIZE", self.tr("Cells of the heatmap, in degrees"), 0.1, 0.01, 0.25, real=True, advanced=True
        )
        self.addParameter(QgsProcessingParameterRasterDestination("HEATMAP", self.tr("Heatmap"), optional=True))
        for name, title, kind in (("POINTS", self.tr("Best places"), "Point"), ("AREAS", self.tr("Areas"), "Polygon")):
            sink = QgsProcessingParameterFeatureSink(name, title, vector_type(f"Vector{kind}"), optional=True)
            self.addParameter(sink)
        self.add_report()

    def work(self, parameters, context, feedback):
        """Vectors, then posteriors, then what is wanted of them."""
        names = collect(self.parameterAsFileList(parameters, "INPUT", context))
        heatmap = self.raster_path(parameters, context, "HEATMAP") if parameters.get("HEATMAP") else None
        page = self.report_path(parameters, context)
        queries, problems = read(
            names,
            TOWERS[self.parameterAsEnum(parameters, "TOWER", context)],
            self.parameterAsFile(parameters, "WEIGHTS", context) or None,
            feedback,
        )
        for name, problem in problems:
            feedback.pushWarning(f"{name}: {problem}")
        surface = self.surface(feedback)
        name = PRIORS[self.parameterAsEnum(parameters, "PRIOR", context)]
        prior = surface.prior(surface.photo_counts if name == "photos" else None)
        if parameters.get("REGION") not in (None, ""):
            prior, name = self.within(parameters, context, surface, prior), self.tr("{0}, within polygons").format(name)
        located = []
        for start in range(0, len(queries), _TOGETHER):
            part = [query for query, _ in queries[start : start + _TOGETHER]]
            located += locate_queries(part, surface, service.model(), prior, name, kind=Posterior)
            tell(service.progress_of(feedback, 60.0, 70.0), len(located), len(queries))
        exif = [position for _, position in queries]
        results = {}
        if heatmap:
            results["HEATMAP"] = self.heatmap(heatmap, located, parameters, context, feedback)
        # Opened late: what was stopped before leaves no empty files.
        points = self.open(parameters, context, "POINTS", _POINTS, QgsWkbTypes.Type.Point)
        results.update(self.places(points, located, exif, problems, parameters, context))
        areas = self.open(parameters, context, "AREAS", _AREAS, QgsWkbTypes.Type.MultiPolygon)
        results.update(self.areas(areas, located, parameters, context, feedback))
        if page:
            self.tell_all(page, located, exif, problems, feedback)
            results["REPORT"] = str(page)
        for one in located[:_TOLD]:
            feedback.pushInfo(self.sentence(one))
        return results

    # ------------------------------------------------------------ before

    def open(self, parameters, context, name, fields, kind):
        """Open a layer for writing: sink, destination, fields; a sink of None where it is not wanted."""
        made = QgsFields()
        for title, content in fields:
            made.append(field(title, content))
        sink, destination = self.parameterAsSink(parameters, name, context, made, kind, WGS84)
        if sink is None and parameters.get(name):
            raise QgsProcessingException(self.invalidSinkError(parameters, name))
        return sink, destination, made

    def surface(self, feedback):
        """Return the cells of the Earth and the places that score them; embedded the first time, then kept."""
        totals = []

        def progress(done, total):
            if not totals:
                feedback.pushInfo(self.tr("Preparing the map of places, once ..."))
                totals.append(total)
            # Two galleries, one after the other: 100,000 photo places, some 570,000 places on land.
            first, last = (20.0, 30.0) if total == totals[0] else (30.0, 58.0)
            return service.progress_of(feedback, first, last)(done, total)

        return open_surface(service.model(), folder=service.cache_folder(), plain=True, progress=progress)

    def within(self, parameters, context, surface, prior):
        """Return a prior that is zero outside polygons."""
        share = cells.share_inside(self.source(parameters, context, "REGION"), surface, context.transformContext())
        if not (prior * share).any():
            raise InputError(self.tr("no land lies inside these polygons: check their CRS"))
        return prior * share / (prior * share).sum()

    # ------------------------------------------------------------ outputs

    def heatmap(self, path, located, parameters, context, feedback):
        """Write probability per km2, a band a photo; nothing where a photo cannot be from."""
        if len(located) > _BANDS:
            feedback.pushWarning(
                self.tr("The heatmap shows the first {0} of {1} photos; points and areas have all.").format(
                    _BANDS, len(located)
                )
            )
        shown = located[:_BANDS]
        density = np.stack([one.density for one in shown], axis=1).astype(np.float32)
        where = cells.Lookup(shown[0].cells)

        def scores(lonlat):
            row = where(lonlat)
            return np.where((row >= 0)[:, None], density[row], np.nan)

        size = self.parameterAsDouble(parameters, "CELL_SIZE", context)
        grid = raster.Grid(QgsRectangle(-180.0, -90.0, 180.0, 90.0), WGS84, size)
        bands = [
            {
                "name": f"{one.name} (density)",
                "long_name": "probability per km2 that the photo was taken here",
                "units": "km-2",
                "comment": "An estimate; no evidence of a position.",
                "tower": one.provenance["tower"],
            }
            for one in shown
        ]
        tags = {f"GEOCONCEPT_{key.upper()}": value for key, value in shown[0].provenance.items() if key != "kind"}
        tags["GEOCONCEPT_KIND"] = "density"
        raster.write(path, grid, bands, scores, tags=tags, progress=service.progress_of(feedback, 70.0, 90.0))

        def prepare(layer):
            style.pseudocolor(layer, "density")
            self.describe(layer, shown)
            style.keep_style(layer, path)

        self.show(context, str(path), self.tr("Heatmap: {0}").format(title_of(shown)), prepare)
        return str(path)

    def places(self, opened, located, exif, problems, parameters, context):
        """Write the best places, best first; a photo that could not be read has a row that says so."""
        sink, destination, fields = opened
        if sink is None:
            return {}
        for one, position in zip(located, exif):
            places, probability = one.best_places
            for k, (place, share) in enumerate(zip(places, probability)):
                feature = QgsFeature(fields)
                feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(*place)))
                row = [one.name, k + 1, float(share), float(one.within_km), *map(float, place)]
                row += [*(map(float, position) if position else (None, None)), one.provenance["tower"], "ok"]
                self.add(sink, feature, row, parameters, "POINTS")
        for name, problem in problems:
            self.add(sink, QgsFeature(fields), [name, *[None] * 8, problem], parameters, "POINTS")
        sink.flushBuffer()

        def prepare(layer):
            symbol = QgsMarkerSymbol.createSimple(
                {"color": "#ffffff", "outline_color": _INK, "outline_width": "0.6", "size": "3.4"}
            )
            layer.setRenderer(QgsSingleSymbolRenderer(symbol))
            layer.setLabeling(QgsVectorLayerSimpleLabeling(_labels()))
            layer.setLabelsEnabled(True)
            self.describe(layer, located)

        self.show(context, destination, self.tr("Best places: {0}").format(title_of(located)), prepare)
        return {"POINTS": destination}

    def areas(self, opened, located, parameters, context, feedback):
        """Write the credible areas, the larger one first, so that the smaller one is drawn over it."""
        sink, destination, fields = opened
        if sink is None:
            return {}
        for done, one in enumerate(located, start=1):
            for level in sorted(LEVELS, reverse=True):
                inside = one.inside(level)
                feature = QgsFeature(fields)
                feature.setGeometry(cells.outline(one.cells[inside]))
                sums = [float(values[inside].sum()) for values in (one.probability, one.area_km2)]
                self.add(sink, feature, [one.name, round(100 * level), *sums], parameters, "AREAS")
            tell(service.progress_of(feedback, 90.0, 98.0), done, len(located))
        sink.flushBuffer()

        def prepare(layer):
            layer.setRenderer(QgsCategorizedSymbolRenderer("level", [_outlined(90, "dash"), _outlined(50, "solid")]))
            self.describe(layer, located)

        self.show(context, destination, self.tr("Areas: {0}").format(title_of(located)), prepare)
        return {"AREAS": destination}

    def add(self, sink, feature, row, parameters, name):
        """Write one feature; what the file does not take is an error."""
        feature.setAttributes(row)
        if not sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert):
            raise QgsProcessingException(self.writeFeatureError(sink, parameters, name))

    def describe(self, layer, located):
        """Say in the layer's metadata what it is and is not."""
        record = located[0].provenance
        abstract = (
            f"{look_of('density').meaning} An estimate from what the photo shows, no evidence of a position.\n"
            f"Tower: {record['tower']}. Prior: {record['prior']}. Model {record['model']}."
        )
        licence = service.model().config.get("licence", "")
        style.describe(layer, layer.name(), abstract, licence, [one.name for one in located[:20]])

    # ------------------------------------------------------------ the report

    def sentence(self, one):
        """Return the best guess in words."""
        places, probability = one.best_places
        return self.tr("{0}: {1:.2f}, {2:.2f} (lon, lat), {3:.0%} within {4:.0f} km; 90 % in {5:,.0f} km2").format(
            one.name, *places[0], probability[0], one.within_km, one.area_km2[one.inside(0.9)].sum()
        )

    def tell_all(self, path, located, exif, problems, feedback):
        """Write the report."""
        title = self.tr("Where it may be from: {0}").format(title_of(located))
        page = Report(title, self.tr("An estimate from what the photos show; no evidence of a position."))
        for name, problem in problems:
            page.text(f"{name}: {problem}", "warning")
        for k, (one, position) in enumerate(zip(located[:_TOLD], exif)):
            self.tell_one(page, one, position)
            tell(service.progress_of(feedback, 98.0, 100.0), k + 1, len(located))
        if len(located) > _TOLD:
            page.text(self.tr("... and {0} more, in the layers only.").format(len(located) - _TOLD), "note")
        page.heading(self.tr("How to read this"))
        page.text(
            self.tr(
                "A photo is compared with what the model has learned of places all over the Earth. How sure the answer "
                "may be was fitted on a few photos whose country is known: of photos of another kind the areas "
                "may hold fewer than they say. Nothing nearer than some 10 km can be told apart."
            )
        )
        engine = service.model()
        page.text(self.tr("Model {0}, sha256 {1}.").format(engine.name, engine.sha256[:16]), "note")
        page.save(path)
        feedback.pushInfo(self.shared("Report: {0}").format(path))

    def tell_one(self, page, one, position):
        """Add one photo: map, places, areas, reasons."""
        page.heading(one.name)
        if "weak" in one.provenance["tower"]:
            page.text(
                self.tr(
                    "Read by the weak tower, which finds places little better than chance: it is there for "
                    "demonstrations. For work install CLIP in the engine."
                ),
                "warning",
            )
        page.figure(world(one), self.tr("Probability per km2, dark where it is high."))
        places, probability = one.best_places
        near = self.tr("within {0:.0f} km").format(one.within_km)
        page.table(
            ["", self.tr("longitude"), self.tr("latitude"), self.tr("probability {0}").format(near)],
            [[k + 1, f"{x:.2f}", f"{y:.2f}", f"{p:.1%}"] for k, ((x, y), p) in enumerate(zip(places, probability))],
        )
        facts = [
            (self.tr("{0:.0%} area").format(level), f"{one.area_km2[one.inside(level)].sum():,.0f} km2")
            for level in LEVELS
        ]
        facts += [(self.tr("read by"), one.provenance["tower"]), (self.tr("before looking"), one.provenance["prior"])]
        if position:
            facts.append((self.tr("EXIF position (not used)"), ", ".join(f"{one:.4f}" for one in position)))
        page.facts(facts)
        reasons = one.reasons
        if not reasons["concept"]:
            page.text(self.tr("No concept stands out in it."), "note")
            return
        page.text(
            self.tr(
                "What it is associated with. 'Moved' is the share of the probability that goes elsewhere when the "
                "concept is taken out of the photo; 'by chance' is the same for random directions. A concept that "
                "moves no more than chance has carried nothing."
            ),
            "note",
        )
        columns = ("concept", "family", "grade", "moved", "moved_by_chance")
        rows = [[a, b, c, f"{d:.0%}", f"{e:.0%}"] for a, b, c, d, e in zip(*(reasons[name] for name in columns))]
        heads = [self.tr("concept"), self.tr("family"), self.tr("grade"), self.tr("moved"), self.tr("by chance")]
        page.table(heads, rows)


def title_of(located):
    """Return what to call a layer."""
    return located[0].name if len(located) == 1 else f"{located[0].name} + {len(located) - 1}"


def world(one, columns=360):
    """Return a map of the world as HTML; every pixel shows the highest density in it, so that no cell is lost."""
    look, step = look_of("density"), 360.0 / columns
    rows = round(144.0 / step)  # from 84 degrees north to 60 south
    lon = -180.0 + step * (np.arange(columns) + 0.5)
    lat = 84.0 - step * (np.arange(rows) + 0.5)
    density = np.log10(np.clip(one.density, look.low, look.high))
    row = cells.Lookup(one.cells)(np.stack([np.tile(lon, rows), np.repeat(lat, columns)], axis=1))
    values = np.where(row >= 0, density[row], np.nan)
    at = np.floor([(one.lonlat[:, 0] + 180.0) / step, (84.0 - one.lonlat[:, 1]) / step]).astype(int)
    seen = (at[1] >= 0) & (at[1] < rows)
    np.fmax.at(values, at[1, seen] * columns + at[0, seen] % columns, density[seen])
    low, high = np.log10([look.low, look.high])
    values = values.reshape(rows, columns)
    return shown(picture(values, (_NOTHING, *look.colours[2:]), low, high), one.name)


def _outlined(level, pen):
    symbol = QgsFillSymbol.createSimple(
        {"color": "11,61,145,18", "outline_color": _INK, "outline_width": "0.26", "outline_style": pen}
    )
    return QgsRendererCategory(level, symbol, f"{level} %")


def _labels():
    """The rank beside each point, readable on any map."""
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setColor(QColor("#ffffff"))
    halo.setSize(0.9)
    text = QgsTextFormat()
    text.setColor(QColor(_INK))
    text.setSize(10)
    text.setBuffer(halo)
    labels = QgsPalLayerSettings()
    labels.fieldName = "rank"
    labels.dist = 1.0
    labels.setFormat(text)
    return labels
