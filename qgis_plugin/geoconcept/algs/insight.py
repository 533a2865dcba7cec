# SPDX-License-Identifier: GPL-2.0-or-later
"""What the algorithms that explain have in common: places read from a layer or a point, an area, a report."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from qgis.core import (
    QgsProcessingException,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterPoint,
)

from .. import service
from ..compat import VECTOR_ANY, tr
from ..core import write_concept
from ..core.concepts import slug
from ..core.concepts.concept import GRADES
from ..core.errors import Cancelled
from ..io import places, raster
from .base import WGS84, ConceptAlgorithm

__all__ = ["InsightAlgorithm", "Read", "grade_text"]


class Read(NamedTuple):
    """Places read from a layer: (lon, lat), the feature that each stands for, and how many features there were."""

    lonlat: np.ndarray
    owner: np.ndarray
    features: int


class InsightAlgorithm(ConceptAlgorithm):
    """An algorithm that reads places and writes a report."""

    # ------------------------------------------------------------ parameters

    def add_places(self, name, title, optional=False):
        """Add a layer of places of any kind."""
        self.addParameter(QgsProcessingParameterFeatureSource(name, title, [VECTOR_ANY], optional=optional))

    def add_point(self, name="POINT", optional=True):
        """Add a single place."""
        self.addParameter(
            QgsProcessingParameterPoint(name, self.shared("A place (instead of a layer)"), optional=optional)
        )

    def add_samples(self, name="SAMPLES"):
        """Add the number of points that stand for an area or a line."""
        self.add_number(name, self.shared("Points inside each area or along each line"), 32, 1, 1000, advanced=True)

    def add_report(self, name="REPORT"):
        """Add the report: a web page."""
        kinds = self.shared("Web page (*.html)")
        self.addParameter(QgsProcessingParameterFileDestination(name, self.shared("Report"), kinds, optional=True))

    # ------------------------------------------------------------ values

    def grid(self, parameters, context):
        """Return the cells that `add_area` asks for."""
        extent, crs = self.area(parameters, context)
        return raster.Grid(extent, crs, self.parameterAsDouble(parameters, "CELL_SIZE", context))

    def places(self, parameters, context, feedback, name, samples=1):
        """Read a layer.

        Returns
        -------
        Read

        Raises
        ------
        QgsProcessingException
            It has no CRS, no feature, or no feature that is a place on Earth. Single ones that are none are counted
            and said.
        """
        source = self.source(parameters, context, name)
        title = source.sourceName() or name
        points, owner, empty, count = [], [], 0, 0
        for feature in source.getFeatures():
            found = places.points_of(feature.geometry(), samples)
            empty += not found
            points += found
            owner += [count] * len(found)
            count += 1
            if feedback.isCanceled():
                raise Cancelled
        if not count:
            raise QgsProcessingException(self.shared("layer '{0}' has no features").format(title))
        lonlat = places.to_lonlat(np.array(points, dtype=np.float64).reshape(-1, 2), source.sourceCrs())
        owner = np.array(owner, dtype=np.intp)
        good = np.isfinite(lonlat[:, 0])
        lost = len(np.setdiff1d(owner, owner[good]))
        if empty:
            text = self.shared("layer '{0}': {1} of {2} features have no geometry and do not count")
            feedback.pushWarning(text.format(title, empty, count))
        if lost:
            text = self.shared("layer '{0}': {1} of {2} features are no place on Earth in its CRS and do not count")
            feedback.pushWarning(text.format(title, lost, count))
        if not good.any():
            text = self.shared("layer '{0}' has no feature that is a place on Earth: check its geometries and its CRS")
            raise QgsProcessingException(text.format(title))
        lonlat = lonlat[good]
        lonlat[:, 0] = (lonlat[:, 0] + 180.0) % 360.0 - 180.0
        return Read(lonlat, owner[good], count)

    def places_or_point(self, parameters, context, feedback, name, samples=1):
        """Read a layer, or the single place that was given instead; exactly one of them."""
        layer, point = (parameters.get(one) not in (None, "") for one in (name, "POINT"))
        if layer == point:
            raise QgsProcessingException(self.shared("give either a layer of places or a single place"))
        if layer:
            return self.places(parameters, context, feedback, name, samples)
        where = self.parameterAsPoint(parameters, "POINT", context, WGS84)
        lonlat = places.to_lonlat([(where.x(), where.y())], WGS84)
        if not np.isfinite(lonlat).all():
            text = self.shared("({0:g}, {1:g}) is no place on Earth: give longitude and latitude, or name its CRS")
            raise QgsProcessingException(text.format(where.x(), where.y()))
        lonlat[:, 0] = (lonlat[:, 0] + 180.0) % 360.0 - 180.0
        return Read(lonlat, np.zeros(1, dtype=np.intp), 1)

    def file_path(self, parameters, context, name, ending):
        """Return where a file goes, or None where it is not wanted; the name must have its ending."""
        text = self.parameterAsFileOutput(parameters, name, context)
        if not text:
            return None
        path = Path(text)
        if path.suffix.lower() not in ending:
            raise QgsProcessingException(
                self.shared("the name of file {0} must end in {1}").format(path.name, " / ".join(ending))
            )
        if not path.parent.is_dir():
            raise QgsProcessingException(self.shared("folder {0} does not exist").format(path.parent))
        return path

    def report_path(self, parameters, context, name="REPORT"):
        """Return where the report goes, or None."""
        return self.file_path(parameters, context, name, (".html", ".htm"))

    def keep(self, concept, path, feedback):
        """Write a concept into a file, or, without one, among the user's own; return where."""
        if feedback.isCanceled():
            raise Cancelled
        if path is None:
            service.own_folder().mkdir(parents=True, exist_ok=True)
            path = service.own_folder() / f"{slug(concept.name)}.concept"
            if concept.name in service.model().bank.names:
                text = self.shared("a tested concept is called '{0}', too: by this name yours is used from now on")
                feedback.pushWarning(text.format(concept.name))
        write_concept(concept, path, service.model())
        feedback.pushInfo(self.shared("Concept '{0}', grade {1}: {2}").format(concept.name, concept.grade, path))
        return path

    def add_concept_file(self, name="OUTPUT"):
        """Add the file that a concept of the user's own is written into."""
        title, kinds = (
            self.shared("Concept file (default: among your own concepts)"),
            self.shared("Concept (*.concept)"),
        )
        self.addParameter(
            QgsProcessingParameterFileDestination(name, title, kinds, optional=True, createByDefault=False)
        )

    def seam_text(self, lonlat):
        """Return a warning for places beside the antimeridian or a pole; empty where there are none."""
        rough = int(service.near_jump(lonlat).sum())
        if not rough:
            return ""
        return self.shared(
            "{0} of {1} place(s) lie within half a degree of the antimeridian or a pole, where the model's scores "
            "jump: do not compare their values with those across it."
        ).format(rough, len(lonlat))

    def headers(self, *names):
        """Return the heads of a table's columns."""
        known = {
            "calibrated": self.shared("calibrated"),
            "concept": self.shared("concept"),
            "description": self.shared("what it is"),
            "evidence": self.shared("evidence"),
            "family": self.shared("family"),
            "grade": self.shared("grade"),
            "interval": self.shared("95 % interval"),
            "percentile": self.shared("percentile"),
            "share": self.shared("share"),
        }
        return [known.get(name, name) for name in names]

    def close(self, report, path, feedback):
        """Add what every report ends with, and write it."""
        engine = service.model()
        low, high = engine.scale_km
        report.heading(self.shared("How to read this"))
        report.text(
            self.shared(
                "Scores come from coordinates alone: from what a model has learned of which photos and words go with "
                "which places. They say what places are associated with, at a scale of {0:g} to {1:g} km; they are no "
                "observation, and nothing in them is a cause."
            ).format(low, high)
        )
        report.text(
            self.shared("Model {0}, sha256 {1}; GeoConcept plugin {2}.").format(
                engine.name, engine.sha256[:16], engine.provenance()["software"].split()[-1]
            ),
            "note",
        )
        report.save(path)
        feedback.pushInfo(self.shared("Report: {0}").format(path))


def grade_text(concept):
    """Return the grade of a concept with what it promises; words have been tested on nothing."""
    grade = concept.grade_at_places
    if not grade:
        return tr("ConceptAlgorithm", "not graded")
    if concept.validity_at_places is None:
        return tr("ConceptAlgorithm", "{0}, by what speaks for its words; it was tested on no places").format(grade)
    return f"{grade}: {GRADES[grade]}"
