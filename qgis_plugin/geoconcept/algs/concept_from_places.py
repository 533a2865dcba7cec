# SPDX-License-Identifier: GPL-2.0-or-later
"""A concept of one's own, from example places."""

import numpy as np
from qgis.core import (
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
    QgsRectangle,
)

from .. import service
from ..core.from_places import concept_from_places
from ..io import charts, metadata, raster, style
from ..io.html import Report
from .base import WGS84
from .insight import InsightAlgorithm, grade_text

__all__ = ["ConceptFromPlaces"]

_BINS = 10


class ConceptFromPlaces(InsightAlgorithm):
    """`geoconcept:conceptfromplaces`."""

    NAME = "conceptfromplaces"
    TITLE = "Concept from places"
    GROUP = "Own concepts"
    TAGS = ("train", "classifier", "species", "few shot", "suitability")
    HELP = (
        "Makes a concept of your own from example places, tests it on parts of the Earth that it did not see, and adds "
        "it to the list of concepts.\n\n"
        "Places: points, lines or areas where the concept should be high; at least two, better dozens, far apart.\n"
        "Other places: what to tell them from, such as absences or records of similar things. Without them, places are "
        "drawn at random over land.\n"
        "Count places close together once: many records of one site are one place to the model (cells of 2.3 km).\n"
        "Share of places that have it: what a calibrated score is measured against. At 0.5 a score above 0.5 means "
        "'more typical of your places than of the others'; it is no probability of occurrence.\n"
        "Concept file: without a name it goes among your own concepts, in the QGIS profile, and can be used by name at "
        "once. An own concept of the same name is replaced.\n"
        "Map: where the concept is high, over the area of your places (optional).\n\n"
        "The report shows the test: AUROC with its interval in held-out blocks, controls, calibration, a grade from A "
        "to D, and where the concept is known to go wrong. It does not say why places go together."
    )

    def build(self):
        """Examples, name, settings, outputs."""
        self.add_places("INPUT", self.tr("Places where the concept is high"))
        self.add_places("NEGATIVES", self.tr("Other places (default: drawn over land)"), optional=True)
        self.addParameter(QgsProcessingParameterString("NAME", self.tr("Name of the concept"), self.tr("my concept")))
        description = QgsProcessingParameterString(
            "DESCRIPTION", self.tr("Description, one sentence"), "", optional=True
        )
        self.addParameter(self.advanced(description))
        self.add_samples()
        thin = QgsProcessingParameterBoolean("THIN", self.tr("Count places close together once"), True)
        self.addParameter(self.advanced(thin))
        self.add_number("BACKGROUND", self.tr("Places drawn over land"), 10_000, 100, 100_000, advanced=True)
        self.add_number(
            "PREVALENCE", self.tr("Share of places that have it"), 0.5, 0.001, 0.999, real=True, advanced=True
        )
        self.add_number("SEED", self.tr("Seed of random draws"), 0, 0, advanced=True)
        self.add_concept_file()
        self.add_report()
        self.addParameter(
            QgsProcessingParameterRasterDestination(
                "MAP", self.tr("Map of the concept"), optional=True, createByDefault=False
            )
        )
        self.addOutput(QgsProcessingOutputString("GRADE", self.tr("Grade")))
        self.addOutput(QgsProcessingOutputNumber("AUROC", self.tr("AUROC in held-out blocks")))

    def work(self, parameters, context, feedback):
        """Read, fit, write, tell."""
        name = self.parameterAsString(parameters, "NAME", context).strip()
        path = self.file_path(parameters, context, "OUTPUT", (".concept",))
        report_path = self.report_path(parameters, context)
        samples = self.parameterAsInt(parameters, "SAMPLES", context)
        positive = self.places(parameters, context, feedback, "INPUT", samples).lonlat
        negative = None
        if parameters.get("NEGATIVES") not in (None, ""):
            negative = self.places(parameters, context, feedback, "NEGATIVES", samples).lonlat
        held = []
        concept = concept_from_places(
            positive,
            negative,
            name=name,
            description=self.parameterAsString(parameters, "DESCRIPTION", context).strip(),
            model=service.model(),
            background=self.parameterAsInt(parameters, "BACKGROUND", context),
            thin=self.parameterAsBool(parameters, "THIN", context),
            prevalence=self.parameterAsDouble(parameters, "PREVALENCE", context),
            seed=self.parameterAsInt(parameters, "SEED", context),
            progress=service.progress_of(feedback, 0.0, 70.0),
            inspect=held.append,
        )
        path = self.keep(concept, path, feedback)
        results = {"OUTPUT": str(path), "GRADE": concept.grade, "AUROC": concept.validity.value}
        if report_path:
            self.report(concept, held[0], report_path, feedback)
            results["REPORT"] = str(report_path)
        if parameters.get("MAP") not in (None, ""):
            results["MAP"] = self.draw(concept, positive, parameters, context, feedback)
        return results

    def draw(self, concept, lonlat, parameters, context, feedback):
        """Map the concept over the area of its places."""
        path = self.raster_path(parameters, context, "MAP")
        (west, south), (east, north) = lonlat.min(axis=0), lonlat.max(axis=0)
        margin = max((east - west) * 0.15, (north - south) * 0.15, 1.0)
        area = QgsRectangle(
            max(west - margin, -180.0), max(south - margin, -90.0), min(east + margin, 180.0), min(north + margin, 90.0)
        )
        scores, kind = service.scorer([concept], None)
        raster.write(
            path,
            raster.Grid(area, WGS84),
            [metadata.band_of(concept, kind)],
            scores,
            tags=metadata.tags_of([concept], kind),
            land_only=True,
            progress=service.progress_of(feedback, 75.0, 100.0),
        )

        def prepare(layer):
            style.pseudocolor(layer, kind)
            abstract = metadata.abstract_of([concept], kind)
            style.describe(layer, layer.name(), abstract, concept.licence, [concept.name])
            style.keep_style(layer, path)

        self.show(context, str(path), f"{concept.name} ({kind})", prepare)
        return str(path)

    def report(self, concept, held, path, feedback):
        """Tell how the concept was made and how well it does where it was not fitted."""
        validity, calibration, y = concept.validity, concept.calibration, held.y
        lead = {
            "A": self.tr("It finds your places well where it was not fitted, and its scores mean what they say."),
            "B": self.tr("It finds your places where it was not fitted; read single places with some care."),
            "C": self.tr("It is better than its control, but weak: read its map with care."),
            "D": self.tr("It is not better than its control: nothing here says that it has found anything."),
        }[concept.grade]
        page = Report(self.tr("Concept: {0}").format(concept.name), lead)
        page.text(concept.description)
        page.text(self.tr("Grade {0}.").format(grade_text(concept)))
        if validity.n_positive < 30:
            page.text(
                self.tr("Only {0} places of yours count: the test, and the grade, rest on little.").format(
                    validity.n_positive
                ),
                "warning",
            )
        page.text(self.seam_text(held.lonlat[y]), "warning")
        page.figure(
            charts.places_map([(self.tr("other places"), held.lonlat[~y]), (self.tr("your places"), held.lonlat[y])]),
            self.tr("The places it was made from, over land; at most 2,000 of each are drawn."),
        )
        page.heading(self.tr("The test"))
        low, high = validity.interval
        page.facts(
            [
                (self.tr("AUROC in held-out blocks"), f"{validity.value:.3f} ({low:.3f} - {high:.3f})"),
                (self.tr("How it was held out"), validity.folds),
                (self.tr("Your places"), concept.provenance["positive"]),
                (self.tr("Told from"), concept.provenance["negative"]),
                (self.tr("Control: labels moved elsewhere"), f"{validity.controls['moved labels']:.3f}"),
                (self.tr("Control: position alone"), f"{validity.controls['position only']:.3f}"),
                (self.tr("Calibration error"), f"{calibration.ece:.3f}"),
                (self.tr("Share of places that have it"), f"{calibration.prevalence:.3g}"),
                (self.tr("Fit"), concept.provenance["method"]),
            ]
        )
        page.text(
            self.tr(
                "AUROC is the chance that one of your places scores higher than one of the others: 0.5 is chance, 1 is "
                "perfect. The interval comes from resampled blocks. Where 'position alone' does as well, the concept "
                "may only know where your places are, not what they are like."
            ),
            "note",
        )
        if validity.controls["position only"] >= low:
            page.text(
                self.tr(
                    "Position alone does about as well here: the test does not show that the concept knows more than "
                    "where your places are. Examples from other parts of the world would tell."
                ),
                "warning",
            )
        page.figure(
            charts.histogram(
                [(self.tr("other places"), held.scores[~y]), (self.tr("your places"), held.scores[y])],
                self.tr("held-out score (centred cosine)"),
                self.tr("share of places"),
            ),
            self.tr("Scores of every place by a direction that was fitted without its block."),
        )
        said, seen = _reliability(held, calibration)
        page.figure(
            charts.reliability(said, seen, self.tr("calibrated score"), self.tr("share that are your places")),
            self.tr("Ten groups of equal weight; on the dashed line a score means what it says."),
        )
        if concept.failure:
            page.heading(self.tr("Where it is known to go wrong"))
            page.text(concept.failure)
        page.heading(self.tr("What it is not"))
        page.text(
            self.tr(
                "A high score says that a place is like your places to the model. It is no probability that the thing "
                "occurs there: records show where people looked as much as where things are. Other places with the "
                "same bias, such as records of similar things by the same observers, take much of it away."
            )
        )
        self.close(page, path, feedback)


def _reliability(held, calibration):
    """Return mean score and share of positives in ten groups of equal weight."""
    said = 1.0 / (1.0 + np.exp(-np.clip(calibration.slope * held.scores + calibration.intercept, -80.0, 80.0)))
    order = np.argsort(said, kind="stable")
    place = np.cumsum(held.weight[order]) / held.weight.sum()
    which = np.minimum((place * _BINS).astype(int), _BINS - 1)
    total = np.bincount(which, held.weight[order], minlength=_BINS)
    kept = total > 0
    mean = np.bincount(which, (held.weight * said)[order], minlength=_BINS)[kept] / total[kept]
    share = np.bincount(which, (held.weight * held.y)[order], minlength=_BINS)[kept] / total[kept]
    return mean, share
