# SPDX-License-Identifier: GPL-2.0-or-later
"""What all algorithms share: their group, the parameters they have in common, errors, Cancel, styled outputs."""

import warnings
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)
from qgis.PyQt.QtGui import QIcon

from .. import service
from ..compat import tr
from ..core.errors import Cancelled
from ..io import layers

__all__ = ["ConceptAlgorithm"]

WGS84 = QgsCoordinateReferenceSystem("EPSG:4326")


class ConceptAlgorithm(QgsProcessingAlgorithm):
    """An algorithm of ours. Subclasses set `NAME`, `TITLE`, `GROUP`, `HELP`, `TAGS`, and write `build` and `work`."""

    NAME = ""
    #: In English; translated where they are shown, in the class's own context.
    TITLE = ""
    GROUP = "Concepts"
    HELP = ""
    TAGS = ()

    def createInstance(self):  # noqa: N802
        """Return a fresh one, as QGIS asks before every run."""
        return type(self)()

    def name(self):
        """Part after the colon of the id; never changes."""
        return self.NAME

    def displayName(self):  # noqa: N802
        """Name in the toolbox."""
        return self.tr(self.TITLE)

    def group(self):
        """Group in the toolbox."""
        return tr("ConceptAlgorithm", self.GROUP)

    def groupId(self):  # noqa: N802
        """Id of the group; never changes."""
        return self.GROUP.lower().replace(" ", "")

    def shortHelpString(self):  # noqa: N802
        """What the form shows on its right."""
        return self.tr(self.HELP)

    def tags(self):
        """Words that find it in the toolbox."""
        return [*self.TAGS, "geoconcept", "embedding", "location encoder"]

    def icon(self):
        """The plugin's."""
        return QIcon(str(Path(__file__).parents[1] / "icon.svg"))

    def tr(self, text):
        """Translate in the context of this class."""
        return tr(type(self).__name__, text)

    def initAlgorithm(self, configuration=None):  # noqa: N802
        """Declare the parameters."""
        self.build()

    def build(self):
        """Add parameters and outputs."""
        raise NotImplementedError

    def work(self, parameters, context, feedback):
        """Do it; return outputs by name. Core errors and Cancel may pass."""
        raise NotImplementedError

    def processAlgorithm(self, parameters, context, feedback):  # noqa: N802
        """Run `work`: core errors become QGIS's, warnings go to the log, Cancel ends quietly."""
        with warnings.catch_warnings(record=True) as told, service.errors_as_qgis():
            warnings.simplefilter("always", UserWarning)
            try:
                results = self.work(parameters, context, feedback)
            except Cancelled:
                feedback.pushInfo(tr("ConceptAlgorithm", "Stopped; nothing was written."))
                results = {}
        for text in dict.fromkeys(
            str(warning.message) for warning in told if warning.category.__module__.endswith("core.errors")
        ):
            feedback.pushWarning(text)
        return results

    # ------------------------------------------------------------ parameters that several have

    def add_concepts(self, name="CONCEPTS", default="hot desert climate", optional=False, several=True):
        """Add the parameter that names concepts."""
        title = self.shared("Concepts (names, separated by semicolons)") if several else self.shared("Concept")
        parameter = QgsProcessingParameterString(name, title, defaultValue=default, optional=optional)
        parameter.setHelp(
            self.shared(
                "Names or aliases of concepts, of your own concepts, or words: 'words: olive groves by the sea'."
            )
        )
        parameter.setMetadata({"widget_wrapper": {"class": "geoconcept.gui.concept_widget.ConceptWidgetWrapper"}})
        self.addParameter(parameter)

    def add_kind(self, name="KIND", default="percentile"):
        """Add the choice of the kind of score; a map of percentiles shows rare concepts, too."""
        options = [
            self.shared("automatic: calibrated, or percentile where a concept is not calibrated"),
            self.shared("calibrated: share of reference places with this score that carry the label (0 to 1)"),
            self.shared("percentile: reference places that score lower (0 to 100)"),
            self.shared("cosine: centred cosine, 0 is the average reference place"),
        ]
        parameter = QgsProcessingParameterEnum(
            name, self.shared("Kind of score"), options, defaultValue=service.KINDS.index(default)
        )
        self.addParameter(self.advanced(parameter))

    def add_number(self, name, title, default, least=None, most=None, *, real=False, advanced=False):
        """Add a number."""
        kind = QgsProcessingParameterNumber.Type.Double if real else QgsProcessingParameterNumber.Type.Integer
        limits = {key: value for key, value in (("minValue", least), ("maxValue", most)) if value is not None}
        parameter = QgsProcessingParameterNumber(name, title, kind, default, **limits)
        self.addParameter(self.advanced(parameter) if advanced else parameter)

    def add_area(self, extent="-180,180,-60,80 [EPSG:4326]"):
        """Add an extent, its CRS, the size of cells, and whether the sea is left out."""
        self.addParameter(QgsProcessingParameterExtent("EXTENT", self.shared("Area"), defaultValue=extent))
        crs = QgsProcessingParameterCrs(
            "CRS", self.shared("CRS of the cells (default: that of the area)"), optional=True
        )
        self.addParameter(self.advanced(crs))
        self.add_number("CELL_SIZE", self.shared("Cell size in units of the CRS (0: automatic)"), 0.0, 0.0, real=True)
        self.addParameter(QgsProcessingParameterBoolean("LAND_ONLY", self.shared("Land only"), True))

    @staticmethod
    def advanced(parameter):
        """Mark a parameter as advanced: the form folds it away."""
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        return parameter

    @staticmethod
    def shared(text):
        """Translate what several algorithms say."""
        return tr("ConceptAlgorithm", text)

    def area(self, parameters, context):
        """Return the extent that `add_area` asks for, and the CRS that it is in."""
        crs = self.parameterAsCrs(parameters, "CRS", context)
        if not crs.isValid():
            crs = self.parameterAsExtentCrs(parameters, "EXTENT", context)
        return self.parameterAsExtent(parameters, "EXTENT", context, crs), crs

    def concepts(self, parameters, context, name="CONCEPTS"):
        """Return the concepts that a parameter names."""
        return service.concepts(self.parameterAsString(parameters, name, context))

    def kind(self, parameters, context, name="KIND"):
        """Return the kind of score that was chosen, or None for automatic."""
        return service.KINDS[self.parameterAsEnum(parameters, name, context)]

    def source(self, parameters, context, name="INPUT"):
        """Return a vector layer's features; one without a CRS is refused, since its numbers could mean anything."""
        source = self.parameterAsSource(parameters, name, context)
        if source is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, name))
        if not source.sourceCrs().isValid():
            raise QgsProcessingException(
                self.shared("layer '{0}' has no CRS: set it in the layer's properties").format(source.sourceName())
            )
        return source

    # ------------------------------------------------------------ outputs

    def show(self, context, destination, title, prepare=None):
        """Have an output shown under a title, in the group of the plugin, and prepared (styled) by a function of it."""
        if destination and context.willLoadLayerOnCompletion(destination):
            layers.show(context.layerToLoadOnCompletionDetails(destination), title, prepare)

    def raster_path(self, parameters, context, name="OUTPUT"):
        """Return where a raster goes: a .tif that can be written."""
        path = Path(self.parameterAsOutputLayer(parameters, name, context))
        if path.suffix.lower() not in (".tif", ".tiff"):
            raise QgsProcessingException(
                self.shared("a raster is written as GeoTIFF: its name must end in .tif; got {0}").format(path.name)
            )
        if not path.parent.is_dir():
            raise QgsProcessingException(self.shared("folder {0} does not exist").format(path.parent))
        return path

    @staticmethod
    def temporary(context, name):
        """Return a path in the folder that QGIS cleans up."""
        try:
            return Path(QgsProcessingUtils.generateTempFilename(name, context))
        except TypeError:  # before 3.32
            return Path(QgsProcessingUtils.generateTempFilename(name))
