# SPDX-License-Identifier: GPL-2.0-or-later
"""Where else is like here."""

from dataclasses import replace

import numpy as np
from qgis.core import (
    QgsFeature,
    QgsFeatureSink,
    QgsFields,
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterRasterDestination,
    QgsWkbTypes,
)

from .. import service
from ..compat import field
from ..core.concepts.concept import PERCENTILES
from ..core.concepts.decompose import atoms_of, centre, decompose
from ..core.explanation import cosine_of
from ..core.place_vectors import gather, reference_mean
from ..core.reference import reference_places
from ..core.similar import DISAGREE, shared_direction
from ..io import charts, metadata, raster, style
from ..io.html import Report
from .base import WGS84
from .insight import InsightAlgorithm

__all__ = ["SimilarPlaces"]

_KINDS = ("percentile", "cosine")
#: More seeds than this change their mean by nothing that could be seen.
_MOST_SEEDS = 2_000
#: Places over land that percentiles are counted over.
_PLACES = 8_192


class SimilarPlaces(InsightAlgorithm):
    """`geoconcept:similarplaces`."""

    NAME = "similarplaces"
    TITLE = "Similar places"
    GROUP = "Explore"
    TAGS = ("analogue", "likeness", "nearest", "search by example")
    HELP = (
        "Maps how much places are like some seed places, and says which concepts carry the likeness.\n\n"
        "Seeds: a layer, or a single place. What they share is sought, so choose seeds that have something in common.\n"
        "Value: percentile is the share of the land that is less like the seeds (0 to 100); likeness is the centred "
        "cosine (-1 to 1), 0 for the average place on land, 1 for the seeds' own mean.\n"
        "Cell size: in units of the CRS; 0 makes about 400 cells along the longer side.\n\n"
        "Near the seeds the map is high for no better reason than that they are near. Likeness is likeness to the "
        "model: of what places are associated with, not of anything measured there."
    )

    def build(self):
        """Seeds, area, kind, outputs."""
        self.add_places("INPUT", self.tr("Seed places"), optional=True)
        self.add_point()
        self.add_area()
        options = [self.tr("percentile of the land, 0 to 100"), self.tr("likeness, -1 to 1")]
        self.addParameter(QgsProcessingParameterEnum("KIND", self.tr("Value"), options, defaultValue=0))
        self.add_samples()
        self.addParameter(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Map of likeness")))
        self.add_report()
        self.addParameter(
            QgsProcessingParameterFeatureSink(
                "TABLE", self.tr("Table of concepts"), optional=True, createByDefault=False
            )
        )
        self.addOutput(QgsProcessingOutputNumber("AGREEMENT", self.tr("Agreement of the seeds")))

    def work(self, parameters, context, feedback):
        """Find what the seeds share, map it, take it apart."""
        engine = service.model()
        grid = self.grid(parameters, context)
        path = self.raster_path(parameters, context)
        report_path = self.report_path(parameters, context)
        samples = self.parameterAsInt(parameters, "SAMPLES", context)
        seeds = self.places_or_point(parameters, context, feedback, "INPUT", samples).lonlat
        if len(seeds) > _MOST_SEEDS:
            feedback.pushInfo(
                self.tr("{0} seeds: {1} of them, drawn at random, are used").format(len(seeds), _MOST_SEEDS)
            )
            seeds = seeds[np.sort(np.random.default_rng(0).permutation(len(seeds))[:_MOST_SEEDS])]
        chosen = engine.select(None)
        group = gather(seeds, engine, chosen, argument=self.tr("seeds"))
        likeness, agreement = shared_direction(group, engine)
        if len(group) > 1:
            feedback.pushInfo(self.tr("{0} seeds, mean cosine between them {1:.2f}").format(len(group), agreement))
        doubt = ""
        if agreement < DISAGREE:
            doubt = self.tr(
                "The seeds have little in common (mean cosine {0:.2f}, 0 for places at random): their mean may stand "
                "for none of them. Try fewer, or a map for each kind."
            ).format(agreement)
            feedback.pushWarning(doubt)
        kind = _KINDS[self.parameterAsEnum(parameters, "KIND", context)]
        if kind == "percentile":
            likeness = _with_percentiles(likeness, service.progress_of(feedback, 0.0, 15.0))
        scores, _ = service.scorer([likeness], kind)
        tags = {**metadata.tags_of([likeness], kind), "GEOCONCEPT_SEEDS": str(len(group))}
        tags["GEOCONCEPT_SEED_POSITIONS"] = group.positions()
        raster.write(
            path,
            grid,
            [metadata.band_of(likeness, kind)],
            scores,
            tags=tags,
            land_only=self.parameterAsBool(parameters, "LAND_ONLY", context),
            progress=service.progress_of(feedback, 15.0, 95.0),
        )
        rows, untold, _ = carriers(likeness.vector, group, chosen)
        results = {"OUTPUT": str(path), "AGREEMENT": None if np.isnan(agreement) else agreement}
        if report_path:
            self.report(group, rows, untold, agreement, doubt, report_path, feedback)
            results["REPORT"] = str(report_path)
        if (table := self.table(rows, parameters, context)) is not None:
            results["TABLE"] = table

        def prepare(layer):
            style.pseudocolor(layer, kind)
            abstract = metadata.abstract_of([likeness], kind)
            style.describe(
                layer, layer.name(), abstract, engine.config.get("licence", ""), [row[0] for row in rows[:5]]
            )
            style.keep_style(layer, path)

        self.show(context, str(path), f"{likeness.name} ({kind})", prepare)
        return results

    def table(self, rows, parameters, context):
        """Write the concepts that carry the likeness, if that is wanted."""
        fields = QgsFields()
        for name, kind in zip(
            ("concept", "family", "weight", "share", "percentile", "calibrated", "grade"), (str, str, *[float] * 4, str)
        ):
            fields.append(field(name, kind))
        sink, destination = self.parameterAsSink(
            parameters, "TABLE", context, fields, QgsWkbTypes.Type.NoGeometry, WGS84
        )
        if sink is None:
            return None
        for row in rows:
            feature = QgsFeature(fields)
            feature.setAttributes([None if value != value else value for value in row])
            if not sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert):
                raise QgsProcessingException(self.writeFeatureError(sink, parameters, "TABLE"))
        del sink
        self.show(context, destination, self.tr("What the seeds share"))
        return destination

    def report(self, group, rows, untold, agreement, doubt, path, feedback):
        """Tell what carries the likeness."""
        most = ", ".join(row[0] for row in rows[:3]) or self.tr("none of the concepts")
        page = Report(
            self.tr("Similar places: {0}").format(group.label),
            self.tr("What the seeds share is associated most with: {0}.").format(most),
        )
        page.text(doubt, "warning")
        page.text(self.seam_text(group.lonlat), "warning")
        page.figure(charts.places_map([(self.tr("seeds"), group.lonlat)]), self.tr("The seeds."))
        page.heading(self.tr("What carries the likeness"))
        page.figure(
            charts.bars([(row[0], row[3], f"{row[3]:.0%}") for row in rows], max((r[3] for r in rows), default=1.0))
        )
        page.text(
            self.tr("What the seeds share, written as a sum of few concepts. It leaves {0:.0%} of it untold.").format(
                untold
            )
        )
        header = self.headers("concept", "family", "share", "percentile", "calibrated", "grade")
        page.table(header, [(*row[:2], *row[3:]) for row in rows])
        page.text(self.tr("Percentile and calibrated score: means over the seeds."), "note")
        page.facts(
            [
                (self.tr("Seeds"), f"{len(group):,}"),
                (self.tr("Mean cosine between them"), "" if np.isnan(agreement) else f"{agreement:.2f}"),
                (self.tr("Where"), group.positions()),
            ]
        )
        self.close(page, path, feedback)


def carriers(vector, group, chosen):
    """Take a direction apart into concepts.

    Parameters
    ----------
    vector : ndarray of shape (512,)
        Unit length, centred.
    group : PlaceGroup
        Places whose mean scores stand beside.
    chosen : list of Concept

    Returns
    -------
    rows : list of (concept, family, weight, share, percentile, calibrated, grade)
        Largest weight first.
    untold : float
        Share that the sum leaves over.
    weights : ndarray of float32, shape (1, K)
    """
    atoms = atoms_of(chosen)
    weights = decompose(vector[None], atoms)
    percentile, calibrated = group.mean("percentile"), group.mean("calibrated")
    used = [int(k) for k in np.argsort(-weights[0], kind="stable") if weights[0, k] > 0.0]
    total = float(weights.sum()) or 1.0
    rows = [
        (
            chosen[k].name,
            chosen[k].family,
            float(weights[0, k]),
            float(weights[0, k]) / total,
            float(percentile[k]),
            float(calibrated[k]),
            chosen[k].grade_at_places or "",
        )
        for k in used
    ]
    return rows, 1.0 - cosine_of(weights @ atoms, vector[None]) ** 2, weights


def _with_percentiles(concept, progress):
    """Add what share of the land scores lower."""
    engine = service.model()
    name, mean = reference_mean(engine)
    vectors = engine.encode(reference_places(name, _PLACES), progress=progress).astype(np.float64)
    cosine = centre(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), mean) @ concept.vector
    return replace(concept, percentiles=np.percentile(cosine, PERCENTILES).astype(np.float32))
