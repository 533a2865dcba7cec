# SPDX-License-Identifier: GPL-2.0-or-later
"""A concept of one's own, from words."""

import warnings
from dataclasses import replace

import numpy as np
from qgis.core import (
    QgsProcessingOutputString,
    QgsProcessingParameterString,
)

from .. import service
from ..core.errors import PhraseWarning
from ..core.land_mask import on_land
from ..core.style import look_of
from ..io.html import Report, picture, shown
from .insight import InsightAlgorithm

__all__ = ["ConceptFromWords"]

#: Degrees a pixel of the report's map of the world.
_STEP = 2.0


class ConceptFromWords(InsightAlgorithm):
    """`geoconcept:conceptfromwords`."""

    NAME = "conceptfromwords"
    TITLE = "Concept from words"
    GROUP = "Own concepts"
    TAGS = ("text", "search", "prompt", "language")
    HELP = (
        "Turns a word, a name or a sentence into a concept, adds it to the list of concepts, and tells what speaks for "
        "it and against it.\n\n"
        "Words: English, for example 'olive groves by the sea'. A small table of some 30,000 words and names is read; "
        "words that are not in it are named and do not count.\n"
        "Name: default is the words themselves.\n"
        "Concept file: without a name it goes among your own concepts, in the QGIS profile, and can be used by name at "
        "once.\n\n"
        "Nobody has marked the places that words are about, so such a concept has percentiles but no calibration. Its "
        "grade, B at best, rests on whether a tested concept reads much the same places; D means that the words are "
        "probably about no place."
    )

    def build(self):
        """Words, name, outputs."""
        self.addParameter(QgsProcessingParameterString("TEXT", self.tr("Words"), "olive groves by the sea"))
        name = QgsProcessingParameterString("NAME", self.tr("Name (default: the words)"), "", optional=True)
        self.addParameter(self.advanced(name))
        self.add_concept_file()
        self.add_report()
        self.addOutput(QgsProcessingOutputString("GRADE", self.tr("Grade")))

    def work(self, parameters, context, feedback):
        """Read the words, write the concept, tell."""
        text = self.parameterAsString(parameters, "TEXT", context)
        output = self.file_path(parameters, context, "OUTPUT", (".concept",))
        report_path = self.report_path(parameters, context)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", PhraseWarning)
            concept = service.read_words(text)
        name = self.parameterAsString(parameters, "NAME", context).strip()
        if name:
            concept = replace(concept, name=name)
        path = self.keep(concept, output, feedback)
        doubts = [str(one.message) for one in told]
        for doubt in doubts:
            feedback.pushWarning(doubt)
        results = {"OUTPUT": str(path), "GRADE": concept.grade}
        if report_path:
            self.report(concept, doubts, report_path, feedback)
            results["REPORT"] = str(report_path)
        return results

    def report(self, concept, doubts, path, feedback):
        """Tell what the words were read as and what vouches for them."""
        evidence = concept.provenance
        lead = {
            "B": self.tr("A tested concept reads much the same places: its evidence speaks for this one, too."),
            "C": self.tr("No tested concept reads quite the same places: look at the map before you trust it."),
            "D": self.tr("These words are probably about no place: the map means nothing."),
        }[concept.grade]
        page = Report(self.tr("Words: {0}").format(concept.name), lead)
        page.text(self.tr("Grade {0}.").format(concept.grade))
        for doubt in doubts:
            page.text(doubt, "warning")
        world = _world(concept, service.progress_of(feedback))
        page.figure(
            shown(picture(world, look_of("percentile").colours, 0.0, 100.0), concept.name),
            self.tr("Percentile over land: yellow where few places score higher, violet where most do."),
        )
        page.heading(self.tr("Evidence"))
        page.facts(
            [
                (self.tr("About places, 0 to 1"), evidence.get("geographic")),
                (self.tr("Words that are not known"), evidence.get("unknown_words")),
                (self.tr("Top 1 % of land stands out by"), self.tr("{0} standard deviations").format(evidence["peak"])),
                (self.tr("Read by"), evidence["tower"]),
                (self.tr("Vocabulary"), evidence.get("words")),
                (self.tr("Ground truth"), evidence["truth"]),
            ]
        )
        page.heading(self.tr("Nearest tested concepts"))
        page.table(
            self.headers("concept", "grade", self.tr("correlation over land"), "description"),
            [_nearest(entry) for entry in evidence["nearest"].split("; ")],
        )
        page.text(
            self.tr("From a correlation of 0.7 with a concept of grade A or B on, the words are graded B."), "note"
        )
        self.close(page, path, feedback)


def _nearest(entry):
    """Take ``hot desert climate (A, 0.93)`` apart, and add the description of the concept."""
    name, _, rest = entry.rpartition(" (")
    grade, _, correlation = rest.rstrip(")").partition(", ")
    return name, grade, float(correlation), service.model().bank[name].description


def _world(concept, progress):
    """Return the concept's percentile over the land of the world, row 0 in the north."""
    lon = np.arange(-180.0 + _STEP / 2.0, 180.0, _STEP)
    lat = np.arange(84.0 - _STEP / 2.0, -60.0, -_STEP)
    lonlat = np.stack([np.tile(lon, len(lat)), np.repeat(lat, len(lon))], axis=1)
    lonlat[~on_land(lonlat)] = np.nan
    return service.score(lonlat, [concept], "percentile", progress)[:, 0].reshape(len(lat), len(lon))
