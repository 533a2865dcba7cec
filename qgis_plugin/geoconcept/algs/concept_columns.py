# SPDX-License-Identifier: GPL-2.0-or-later
"""Concept scores as fields of a vector layer."""

import numpy as np
from qgis.core import (
    QgsFeature,
    QgsFeatureSink,
    QgsProcessingException,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterNumber,
)

from .. import service
from ..compat import VECTOR_ANY, field
from ..core.coordinates import status
from ..core.progress import report
from ..io import metadata, places, style
from .base import ConceptAlgorithm

__all__ = ["STATUS", "ConceptColumns", "feature_scores"]

#: Field that says what became of each feature; the package's tables have it, too.
STATUS = "geoconcept_status"


class ConceptColumns(ConceptAlgorithm):
    """`geoconcept:conceptcolumns`."""

    NAME = "conceptcolumns"
    TITLE = "Concept columns"
    TAGS = ("attributes", "fields", "enrich", "features", "species")
    HELP = (
        "Copies a vector layer and adds one field a concept, with its score at each feature, and the field "
        "'geoconcept_status'.\n\n"
        "Concepts: names, your own concepts, or words ('words: olive groves'), separated by semicolons.\n"
        "Where: one point on each feature, or the mean over several points spread inside it (areas and lines).\n\n"
        "No feature is dropped: one without a geometry gets empty fields and the status 'missing', one that is no "
        "place on Earth 'not_projectable'. 'near_seam' and 'near_pole' mark places within half a degree of the "
        "antimeridian or a pole, where the scores of some models jump; those of the plugin's own do not."
    )

    def build(self):
        """Layer, concepts, where, output."""
        self.addParameter(QgsProcessingParameterFeatureSource("INPUT", self.tr("Layer"), [VECTOR_ANY]))
        self.add_concepts()
        options = [self.tr("one point on the feature"), self.tr("mean of several points inside")]
        self.addParameter(QgsProcessingParameterEnum("WITHIN", self.tr("Where in a feature"), options, defaultValue=0))
        samples = QgsProcessingParameterNumber(
            "SAMPLES",
            self.tr("Points inside each feature, for the mean"),
            QgsProcessingParameterNumber.Type.Integer,
            32,
            minValue=2,
            maxValue=1000,
        )
        self.addParameter(self.advanced(samples))
        self.add_kind(default=None)
        self.addParameter(QgsProcessingParameterFeatureSink("OUTPUT", self.tr("Layer with concepts")))

    def work(self, parameters, context, feedback):
        """Read, score and write, block by block."""
        source = self.source(parameters, context)
        concepts = self.concepts(parameters, context)
        scores, kind = service.scorer(concepts, self.kind(parameters, context))
        samples = 1
        if self.parameterAsEnum(parameters, "WITHIN", context) == 1:
            samples = self.parameterAsInt(parameters, "SAMPLES", context)
        fields = source.fields()
        added = [field(concept.column) for concept in concepts] + [field(STATUS, str, 20)]
        taken = [one.name() for one in added if fields.lookupField(one.name()) >= 0]
        if taken:
            raise QgsProcessingException(
                self.tr("the layer has fields of this name already: {0}. Rename or remove them first").format(
                    ", ".join(taken)
                )
            )
        for one in added:
            fields.append(one)
        sink, destination = self.parameterAsSink(
            parameters, "OUTPUT", context, fields, source.wkbType(), source.sourceCrs(),
            QgsFeatureSink.SinkFlag.RegeneratePrimaryKey,
        )  # fmt: skip
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, "OUTPUT"))
        counts = {}
        progress, total, done = service.progress_of(feedback), max(source.featureCount(), 1), 0
        for block in _blocks(source.getFeatures(), max(1, service.BLOCK // samples)):
            values, states = feature_scores(
                [f.geometry() for f in block], source.sourceCrs(), scores, len(concepts), samples
            )
            out = []
            for one, row, state in zip(block, values, states):
                feature = QgsFeature(fields)
                feature.setGeometry(one.geometry())
                feature.setAttributes(one.attributes() + [float(v) if v == v else None for v in row] + [str(state)])
                out.append(feature)
                counts[state] = counts.get(state, 0) + 1
            if not sink.addFeatures(out, QgsFeatureSink.Flag.FastInsert):
                raise QgsProcessingException(self.writeFeatureError(sink, parameters, "OUTPUT"))
            done += len(block)
            report(progress, done, total)
        sink.flushBuffer()
        del sink
        self.tell(counts, feedback)

        def prepare(layer):
            style.graduated(layer, concepts[0].column, kind)
            abstract = metadata.abstract_of(concepts, kind)
            licence = service.model().config.get("licence", "")
            style.describe(layer, layer.name(), abstract, licence, [c.name for c in concepts])

        self.show(context, destination, f"{source.sourceName()}: {concepts[0].name}", prepare)
        return {"OUTPUT": destination}

    def tell(self, counts, feedback):
        """Say how many features got scores, and what became of the others."""
        feedback.pushInfo(self.tr("{0} feature(s)").format(sum(counts.values())))
        for state, count in sorted(counts.items()):
            if state != "ok":
                feedback.pushWarning(f"{state}: {count}")


def feature_scores(geometries, crs, scores, width, samples=1):
    """Score geometries.

    Parameters
    ----------
    geometries : list of QgsGeometry
    crs : QgsCoordinateReferenceSystem
    scores : callable
        From (lon, lat) to (n, width).
    width : int
    samples : int
        Points that stand for an area or a line; their mean is taken.

    Returns
    -------
    values : ndarray of float32, shape (N, width)
        NaN where there is no place.
    states : ndarray of str, shape (N,)
    """
    points, owner, empty = [], [], np.zeros(len(geometries), dtype=bool)
    for k, geometry in enumerate(geometries):
        found = places.points_of(geometry, samples)
        if samples == 1 and len(found) > 1:  # several points, one place
            found = [places.representative(geometry)]
        empty[k] = not found
        points += found
        owner += [k] * len(found)
    lonlat = places.to_lonlat(np.array(points, dtype=np.float64).reshape(-1, 2), crs)
    owner = np.array(owner, dtype=np.intp)
    good = np.isfinite(lonlat[:, 0])
    sums, counts = np.zeros((len(geometries), width)), np.bincount(owner[good], minlength=len(geometries))
    if good.any():
        pairs = lonlat[good]
        pairs[:, 0] = (pairs[:, 0] + 180.0) % 360.0 - 180.0
        for start in range(0, len(pairs), service.BLOCK):
            part = slice(start, start + service.BLOCK)
            np.add.at(sums, owner[good][part], scores(pairs[part]))
    values = np.full((len(geometries), width), np.nan, dtype=np.float32)
    kept = counts > 0
    values[kept] = sums[kept] / counts[kept, None]
    states = np.full(len(geometries), "not_projectable", dtype="<U16")
    states[empty] = "missing"
    first = np.flatnonzero(np.diff(owner[good], prepend=-1))
    states[owner[good][first]] = status(lonlat[good][first])
    return values, states


def _blocks(features, size):
    block = []
    for feature in features:
        block.append(feature)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block
