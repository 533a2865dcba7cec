# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithms in the Processing toolbox."""

from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

__all__ = ["GeoConceptProvider"]


class GeoConceptProvider(QgsProcessingProvider):
    """Everything that the plugin computes, for the toolbox, models, scripts and ``qgis_process``."""

    def loadAlgorithms(self):  # noqa: N802
        """Register one of each."""
        from .algs import ALGORITHMS

        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())

    def id(self):
        """Part before the colon of every algorithm's id."""
        return "geoconcept"

    def name(self):
        """Name in the toolbox; a name of its own in every language."""
        return "GeoConcept"

    def icon(self):
        """The plugin's."""
        return QIcon(str(Path(__file__).with_name("icon.svg")))
