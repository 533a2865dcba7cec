# SPDX-License-Identifier: GPL-2.0-or-later
"""What differs between QGIS 3.22 and QGIS 4: the one place that asks for the version."""

from qgis.core import Qgis, QgsField, QgsProcessing
from qgis.PyQt.QtCore import QCoreApplication

__all__ = ["VECTOR_ANY", "field", "tr", "vector_type"]

_NEW_TYPES = Qgis.QGIS_VERSION_INT >= 33800


def field(name, kind=float, length=0):
    """Return a field that holds numbers (float), whole numbers (int) or text (str)."""
    if _NEW_TYPES:
        from qgis.PyQt.QtCore import QMetaType

        types = {float: QMetaType.Type.Double, int: QMetaType.Type.LongLong, str: QMetaType.Type.QString}
    else:
        from qgis.PyQt.QtCore import QVariant

        types = {float: QVariant.Type.Double, int: QVariant.Type.LongLong, str: QVariant.Type.String}  # noqa: QGS402
    return QgsField(name, types[kind], len=length)


def vector_type(name):
    """Return a type of layer for Processing parameters: ``VectorPoint``, ``VectorAnyGeometry``, ..."""
    kinds = QgsProcessing.SourceType
    return getattr(kinds, f"Type{name}" if hasattr(kinds, f"Type{name}") else name)  # TypeVectorPoint is 0


VECTOR_ANY = vector_type("VectorAnyGeometry")


def tr(context, text):
    """Translate what users read; `context` is the name of the class, as the translation files have it."""
    return QCoreApplication.translate(context, text)
