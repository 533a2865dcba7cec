# SPDX-License-Identifier: GPL-2.0-or-later
"""What a place is associated with."""

import warnings

import numpy as np
from qgis.core import (
    QgsFeature,
    QgsFeatureSink,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingException,
    QgsProcessingParameterFeatureSink,
    QgsWkbTypes,
)

from .. import service
from ..compat import field
from ..core.concepts.decompose import atoms_of, centre, rebuild
from ..core.coordinates import status
from ..core.errors import SeamWarning
from ..core.explanation import cosine_of, evidence_of, information, prevalence_of
from ..core.place_vectors import gather, reference_mean, spell_place
from ..core.progress import report as tell
from ..io import charts
from ..io.html import Report
from .base import WGS84
from .insight import InsightAlgorithm, grade_text
from .similar_places import carriers

__all__ = ["PlaceProfile"]

_FIELDS = (
    ("place", str), ("concept", str), ("family", str), ("percentile", float), ("calibrated", float), ("grade", str),
    ("status", str),
)  # fmt: skip
#: Places with a page of their own in the report; the table has them all.
_MOST_PAGES = 25
_MOST_PLACES = 1_000
#: Bits below which a concept tells nothing about a place.
_TOLD = 1e-3


class PlaceProfile(InsightAlgorithm):
    """`geoconcept:placeprofile`."""

    NAME = "placeprofile"
    TITLE = "Place profile"
    GROUP = "Explore"
    TAGS = ("explain", "describe", "what is here", "report")
    HELP = (
        "Tells what a place, or each place of a layer, is associated with: its strongest concepts with their evidence, "
        "and its vector as a sum of few concepts, with how much that sum leaves untold.\n\n"
        "Place: a point on the map, or a layer of at most 1,000 features; areas and lines count by a point on them.\n"
        "Concepts: empty means all but those of grade D.\n"
        "Strongest means most informative: what the calibrated score tells about the label beyond how common it is. A "
        "percentile treats a common label like a rare one.\n"
        "Table: one row a place and concept (optional).\n\n"
        "The report shows up to 25 places. Scores are associations, no observations."
    )

    def build(self):
        """Where, which concepts, how many, outputs."""
        self.add_point()
        self.add_places("INPUT", self.tr("Places"), optional=True)
        self.add_concepts(default="", optional=True)
        self.add_number("TOP", self.tr("Concepts a place"), 15, 1, 400)
        self.add_report()
        self.addParameter(
            QgsProcessingParameterFeatureSink(
                "OUTPUT", self.tr("Table of profiles"), optional=True, createByDefault=False
            )
        )

    def work(self, parameters, context, feedback):
        """Score, take apart, write."""
        engine = service.model()
        named = self.parameterAsString(parameters, "CONCEPTS", context).strip()
        chosen = self.concepts(parameters, context) if named else engine.select(None)
        top = self.parameterAsInt(parameters, "TOP", context)
        report_path = self.report_path(parameters, context)
        lonlat = self.places_or_point(parameters, context, feedback, "INPUT").lonlat
        if len(lonlat) > _MOST_PLACES:
            text = self.tr("{0} places are more than {1}: select fewer, or use 'Concept columns' for a whole layer")
            raise QgsProcessingException(text.format(len(lonlat), _MOST_PLACES))
        sink, destination, fields = self.sink(parameters, context)
        if report_path is None and sink is None:
            raise QgsProcessingException(self.tr("nothing is to be written: choose a report, a table, or both"))
        page = self.page(lonlat)
        progress, states = service.progress_of(feedback), status(lonlat)
        for k, pair in enumerate(lonlat):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SeamWarning)  # the field and the report say it of each place
                group = gather(pair, engine, chosen)
            rows = strongest(group, chosen, top, leave_out=not named)
            if k < _MOST_PAGES:
                self.describe(page, group, rows, chosen, str(states[k]), alone=len(lonlat) == 1)
            if sink is not None:
                self.add_rows(sink, fields, group, rows, str(states[k]), parameters)
            tell(progress, k + 1, len(lonlat))
        results = {}
        if sink is not None:
            del sink
            self.show(context, destination, self.tr("Place profiles"))
            results["OUTPUT"] = destination
        if report_path:
            if len(lonlat) > _MOST_PAGES:
                page.text(
                    self.tr("... and {0} places more, in the table only.").format(len(lonlat) - _MOST_PAGES), "note"
                )
            self.close(page, report_path, feedback)
            results["REPORT"] = str(report_path)
        return results

    def sink(self, parameters, context):
        """Open the table, if it is wanted."""
        fields = QgsFields()
        for name, kind in _FIELDS:
            fields.append(field(name, kind))
        sink, destination = self.parameterAsSink(parameters, "OUTPUT", context, fields, QgsWkbTypes.Type.Point, WGS84)
        return sink, destination, fields

    def add_rows(self, sink, fields, group, rows, state, parameters):
        """Write one place into the table."""
        where = QgsGeometry.fromPointXY(QgsPointXY(*group.lonlat[0]))
        for concept, percentile, calibrated, _ in rows:
            feature = QgsFeature(fields)
            feature.setGeometry(where)
            numbers = [None if value != value else float(value) for value in (percentile, calibrated)]
            feature.setAttributes(
                [group.label, concept.name, concept.family, *numbers, concept.grade_at_places or "", state]
            )
            if not sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert):
                raise QgsProcessingException(self.writeFeatureError(sink, parameters, "OUTPUT"))

    def page(self, lonlat):
        """Begin the report."""
        if len(lonlat) == 1:
            title = self.tr("Place profile: {0}").format(spell_place(*lonlat[0]))
        else:
            title = self.tr("Place profiles: {0} places").format(f"{len(lonlat):,}")
        page = Report(title, self.tr("What the model associates with it; nothing was observed there."))
        page.text(self.seam_text(lonlat), "warning")
        page.figure(charts.places_map([(self.tr("place"), lonlat)]))
        return page

    def describe(self, page, group, rows, chosen, state, *, alone):
        """Add one place to the report."""
        if not alone:
            page.heading(group.label)
        page.facts([(self.tr("Where"), group.label), (self.tr("Status"), state)])
        if not rows:
            page.text(self.tr("None of these concepts is more likely here than elsewhere."))
            return
        bars = [
            (concept.name, percentile, f"{percentile:.0f}")
            for concept, percentile, _, _ in rows
            if percentile == percentile
        ]
        page.figure(
            charts.bars(bars, 100.0), self.tr("Percentile: share of the concept's reference places that score lower.")
        )
        page.table(
            self.headers("concept", "family", "percentile", "calibrated", "grade", "evidence"),
            [
                (c.name, c.family, float(percentile), float(calibrated), c.grade_at_places or "", evidence_of(c, True))
                for c, percentile, calibrated, _ in rows
            ],
        )
        worst = max((concept for concept, *_ in rows), key=lambda concept: concept.grade_at_places or "")
        page.text(self.tr("Weakest grade among them: {0} ({1}).").format(grade_text(worst), worst.name), "note")
        self.take_apart(page, group, chosen)

    def take_apart(self, page, group, chosen):
        """Add the place's vector as a sum of few concepts."""
        _, mean = reference_mean(service.model())
        target = centre(group.unit[None], mean)[0]
        parts, untold, weights = carriers(target, group, chosen)
        if not parts:
            page.text(self.tr("Its vector is no sum of these concepts."), "note")
            return
        rebuilt = rebuild(weights, atoms_of(chosen), mean)
        page.text(self.tr("Its vector as a sum of {0} concepts:").format(len(parts)))
        page.figure(
            charts.bars([(part[0], part[3], f"{part[3]:.0%}") for part in parts[:12]], max(p[3] for p in parts))
        )
        page.text(
            self.tr(
                "The sum has cosine {0:.2f} with the place's own vector ({1:.2f} without what all places share); it "
                "leaves {2:.0%} of what sets the place apart untold."
            ).format(cosine_of(rebuilt, group.unit[None]), float(np.sqrt(max(1.0 - untold, 0.0))), untold),
            "note",
        )


def strongest(group, chosen, top, *, leave_out):
    """Return the concepts that a place tells most about.

    Parameters
    ----------
    group : PlaceGroup
    chosen : list of Concept
    top : int
    leave_out : bool
        Whether concepts no more likely here than elsewhere are left out.

    Returns
    -------
    list of (Concept, percentile, calibrated, information)
        Most informative first; those without a calibration last, by percentile.
    """
    percentile, calibrated = group.mean("percentile"), group.mean("calibrated")
    bits = information(calibrated, np.array([prevalence_of(concept) for concept in chosen]))
    order = sorted(
        range(len(chosen)), key=lambda k: (bits[k] != bits[k], -np.nan_to_num(bits[k]), -np.nan_to_num(percentile[k]))
    )
    kept = [k for k in order if not (leave_out and bits[k] < _TOLD)][:top]
    return [(chosen[k], percentile[k], calibrated[k], bits[k]) for k in kept]
