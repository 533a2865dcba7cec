# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions for the field calculator, labels and styling: ``concept_score``, ``place_similarity``."""

from collections import OrderedDict
from threading import Lock

import numpy as np
from qgis.core import QgsCoordinateReferenceSystem, QgsExpression, QgsExpressionFunction, QgsGeometry

from . import service
from .compat import tr
from .core.errors import GeoConceptError
from .io import places

__all__ = ["register", "unregister"]

GROUP = "GeoConcept"
#: Places whose vectors are kept: a style asks for the same features with every redraw.
_MOST_KEPT = 20_000
#: Kept here: QGIS holds no reference of its own.
_registered = []
_vectors = OrderedDict()
_lock = Lock()


class _MistakeError(Exception):
    """What a user should read in the expression's error line."""


class _Function(QgsExpressionFunction):
    """A function of ours: takes any number of arguments, NULL among them, and knows the layer's CRS."""

    def __init__(self, name, work, text):
        super().__init__(name, -1, GROUP, text, False, True, True)  # no lazy arguments; takes NULL; asks the context
        self.work = work

    def usesGeometry(self, node):  # noqa: N802
        """The feature's own, unless another is given."""
        return True

    def referencedColumns(self, node):  # noqa: N802
        """None but those of the arguments."""
        return set()

    def func(self, values, context, parent, node):
        """Answer; what goes wrong becomes the expression's error."""
        try:
            return self.work(values, context)
        except (_MistakeError, GeoConceptError) as error:
            parent.setEvalErrorString(str(error))
            return None


def register():
    """Make the functions known; a second time does nothing."""
    if not _registered:
        # Not before: their help is in the language that has been chosen by now.
        _registered.append(_Function("concept_score", _score, _score_help()))
        _registered.append(_Function("place_similarity", _similarity, _similarity_help()))
        for function in _registered:
            QgsExpression.registerFunction(function)


def unregister():
    """Take the functions away, and forget what was kept for them."""
    for function in _registered:
        QgsExpression.unregisterFunction(function.name())
    _registered.clear()
    with _lock:
        _vectors.clear()


def _score(values, context):
    if not 1 <= len(values) <= 3:
        raise _MistakeError(
            tr("expressions", "concept_score(concept [, geometry [, kind]]) takes one to three arguments")
        )
    [concept] = service.concepts(values[0])[:1] if values[0] else _nothing()
    kind = values[2] if len(values) > 2 and values[2] else None
    if kind not in service.KINDS:
        raise _MistakeError(
            tr("expressions", "kind must be 'calibrated', 'percentile' or 'cosine'; got '{0}'").format(kind)
        )
    vector = _vector(_geometry(values, 1, context), context)
    if vector is None:
        return None
    return float(service.model().scorer([concept], kind)(vector[None])[0, 0])


def _nothing():
    raise _MistakeError(tr("expressions", "concept_score needs the name of a concept"))


def _similarity(values, context):
    if not 1 <= len(values) <= 2:
        raise _MistakeError(
            tr("expressions", "place_similarity(geometry [, other geometry]) takes one or two arguments")
        )
    one, two = (_vector(g, context) for g in (_geometry(values, 0, context), _geometry(values, 1, context)))
    if one is None or two is None:
        return None
    model = service.model()
    mean = model.bank.references["uniform_land"]
    a, b = (_centred(vector[: model.encoder.dim], mean) for vector in (one, two))
    return float(a @ b)


def _centred(vector, mean):
    unit = vector / np.linalg.norm(vector) - mean
    return unit / np.linalg.norm(unit)


def _geometry(values, k, context):
    """Return the k-th argument, or the feature's geometry where there is none."""
    value = values[k] if len(values) > k else None
    if value is None or (hasattr(value, "isNull") and value.isNull()):
        return context.feature().geometry() if context.hasFeature() else None
    if not isinstance(value, QgsGeometry):
        raise _MistakeError(tr("expressions", "a geometry is expected, such as $geometry or make_point(31.2, 30.0)"))
    return value


def _vector(geometry, context):
    """Return the embedding of a geometry's place, with the values of its heads; None where there is no place."""
    authid = context.variable("layer_crs")
    crs = QgsCoordinateReferenceSystem(authid or "")
    if not crs.isValid():
        raise _MistakeError(tr("expressions", "the layer has no CRS: set it in the layer's properties"))
    xy = places.representative(geometry)
    [lonlat] = places.to_lonlat([xy], crs)
    if not np.isfinite(lonlat).all():
        return None
    model = service.model()
    key = (model.sha256, float(lonlat[0]), float(lonlat[1]))
    with _lock:
        if key not in _vectors:
            lonlat[0] = (lonlat[0] + 180.0) % 360.0 - 180.0
            _vectors[key] = model.encoder.encode_chunk(lonlat[None])[0]
            if len(_vectors) > _MOST_KEPT:
                _vectors.popitem(last=False)
        return _vectors[key]


def _score_help():
    return tr(
        "expressions",
        """<h3>concept_score</h3>
<p>Score of a concept at the current feature, or at another geometry.</p>
<h4>Syntax</h4>
<p><b>concept_score</b>(<i>concept</i> [, <i>geometry</i> [, <i>kind</i>]])</p>
<h4>Arguments</h4>
<ul><li><i>concept</i>: name of a concept, of one of your own, or 'words: olive groves'</li>
<li><i>geometry</i>: in the layer's CRS; the feature's own when left out or NULL</li>
<li><i>kind</i>: 'calibrated' (0 to 1), 'percentile' (0 to 100) or 'cosine'; left out: calibrated where the concept is,
else percentile</li></ul>
<h4>Examples</h4>
<ul><li><code>concept_score('hot desert climate')</code></li>
<li><code>concept_score('vineyard', centroid($geometry), 'percentile')</code></li></ul>
<p>NULL where there is no geometry. For many features the algorithm 'Concept columns' is much faster.</p>
""",
    )


def _similarity_help():
    return tr(
        "expressions",
        """<h3>place_similarity</h3>
<p>How alike two places are to the model: the cosine of their embeddings, centred on the average land.</p>
<h4>Syntax</h4>
<p><b>place_similarity</b>(<i>geometry</i> [, <i>other geometry</i>])</p>
<h4>Arguments</h4>
<ul><li><i>geometry</i>: in the layer's CRS</li>
<li><i>other geometry</i>: in the layer's CRS; the feature's own when left out</li></ul>
<h4>Example</h4>
<ul><li><code>place_similarity(make_point(31.2, 30.0))</code> in a layer in EPSG:4326</li></ul>
<p>1 for the same place, about 0 for two places with nothing in common. NULL where there is no geometry.</p>
""",
    )
