# SPDX-License-Identifier: GPL-2.0-or-later
"""Tab *Layer*: scores as fields of a vector layer, a new one or, if asked for, the layer itself."""

from qgis.core import QgsMapLayerProxyModel, QgsProcessing, QgsProcessingOutputLayerDefinition, QgsProject
from qgis.gui import QgsMapLayerComboBox
from qgis.PyQt.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from .. import service
from ..compat import tr
from ..core.errors import GeoConceptError
from .concept_field import ConceptField, split_names
from .jobs import AlgorithmRun
from .widgets import hint

__all__ = ["LayerTab"]


class LayerTab(QWidget):
    """A form over `geoconcept:conceptcolumns`.

    Parameters
    ----------
    jobs : JobList
    messages : Messages
    """

    def __init__(self, jobs, messages, parent=None):
        super().__init__(parent)
        self.jobs, self.messages = jobs, messages
        self.layer = QgsMapLayerComboBox()
        self.layer.setFilters(QgsMapLayerProxyModel.Filter.HasGeometry)
        self.layer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.layer.setToolTip(self.tr("Points, lines or areas, in any CRS"))
        self.concepts = ConceptField("hot desert climate")
        self.kind = QComboBox()
        self.kind.addItems(
            [
                self.tr("automatic"),
                self.tr("calibrated (0 to 1)"),
                self.tr("percentile (0 to 100)"),
                self.tr("centred cosine (-1 to 1)"),
            ]
        )
        self.kind.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.kind.setCurrentIndex(service.KINDS.index("percentile"))
        self.kind.setToolTip(
            self.tr("Automatic: calibrated, or the percentile where a concept is not calibrated, such as words")
        )
        self.one = QRadioButton(self.tr("one point on each feature"))
        self.several = QRadioButton(self.tr("mean of"))
        self.samples = QSpinBox()
        self.samples.setRange(2, 1000)
        self.samples.setValue(32)
        self.samples.setSuffix(self.tr(" points inside"))
        self.samples.setEnabled(False)
        self.several.toggled.connect(self.samples.setEnabled)
        self.new = QRadioButton(self.tr("a new layer"))
        self.same = QRadioButton(self.tr("this layer: add the fields to it"))
        self.same.setToolTip(self.tr("The layer is put into editing; you decide whether to save"))
        self._groups = [QButtonGroup(self), QButtonGroup(self)]
        for group, buttons in zip(self._groups, ((self.one, self.several), (self.new, self.same))):
            for button in buttons:
                group.addButton(button)
            buttons[0].setChecked(True)
        self.run = QPushButton(self.tr("Add concepts"))
        self.run.clicked.connect(self.start)
        self.empty = hint(self.tr("The project has no vector layer: add one, then choose it here."))
        self._lay_out()
        self.layer.layerChanged.connect(self._enable)
        self.concepts.changed.connect(self._enable)
        self._enable()

    def _lay_out(self):
        where = QVBoxLayout()
        several = QHBoxLayout()
        several.addWidget(self.several)
        several.addWidget(self.samples)
        several.addStretch()
        where.addWidget(self.one)
        where.addLayout(several)
        into = QVBoxLayout()
        into.addWidget(self.new)
        into.addWidget(self.same)
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(self.tr("Layer"), self.layer)
        form.addRow("", self.empty)
        form.addRow(self.tr("Concepts"), self.concepts)
        form.addRow(self.tr("Score"), self.kind)
        form.addRow(self.tr("Where"), where)
        form.addRow(self.tr("Into"), into)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 10, 8, 8)
        box.setSpacing(12)
        box.addLayout(form)
        box.addWidget(self.run)
        box.addWidget(
            hint(
                self.tr(
                    "One field a concept, and one that says what became of each feature. "
                    "No feature is dropped: one that is no place on Earth gets empty fields."
                )
            )
        )
        box.addStretch()

    def _enable(self, *_):
        layer = self.layer.currentLayer()
        self.empty.setVisible(layer is None)
        self.run.setEnabled(layer is not None and bool(split_names(self.concepts.text())))

    def start(self):
        """Run the algorithm."""
        layer, same = self.layer.currentLayer(), self.same.isChecked()
        output = QgsProcessing.TEMPORARY_OUTPUT
        parameters = {
            "INPUT": layer,
            "CONCEPTS": self.concepts.text(),
            "KIND": self.kind.currentIndex(),
            "WITHIN": 1 if self.several.isChecked() else 0,
            "SAMPLES": self.samples.value(),
            "OUTPUT": output if same else QgsProcessingOutputLayerDefinition(output, QgsProject.instance()),
        }
        try:
            run = AlgorithmRun(
                "geoconcept:conceptcolumns",
                parameters,
                lambda results: self._done(run, results, layer.id() if same else None),
                self._failed,
                load=not same,
                parent=self,
            )
        except GeoConceptError as error:
            self.messages.problem(str(error))
            return
        self.run.setEnabled(False)
        self.jobs.add(run.start(), self.tr("Fields for {0}").format(layer.name()))
        run.task.taskTerminated.connect(self._enable)

    def _failed(self, sentence):
        self._enable()
        self.messages.problem(sentence)

    def _done(self, run, results, into):
        self._enable()
        if into is None:
            self.messages.info(self.tr("The layer with concepts is on top of the map."))
            return
        layer = QgsProject.instance().mapLayer(into)
        scored = run.context.takeResultLayer(results["OUTPUT"])
        if layer is None or scored is None:
            self.messages.problem(self.tr("The layer has been removed meanwhile; nothing was changed."))
            return
        try:
            count = add_fields(layer, scored)
        except GeoConceptError as error:
            self.messages.problem(str(error))
            return
        told = self.tr("{0} fields were added to {1}: save the edits to keep them.")
        self.messages.info(told.format(count, layer.name()))

    def close_down(self):
        """Nothing to give back."""


def add_fields(layer, scored):
    """Copy the fields that `scored` has more than `layer` into it, as one step of editing that can be undone.

    Parameters
    ----------
    layer : QgsVectorLayer
    scored : QgsVectorLayer
        The same features in the same order.

    Returns
    -------
    int
        How many fields were added.

    Raises
    ------
    GeoConceptError
        The layer cannot be edited, or has changed meanwhile.
    """
    old = len(layer.fields())
    new = [scored.fields().at(k) for k in range(old, len(scored.fields()))]
    ids = [feature.id() for feature in layer.getFeatures()]
    rows = [feature.attributes()[old:] for feature in scored.getFeatures()]
    if len(ids) != len(rows):
        raise GeoConceptError(
            tr("LayerTab", "the layer has changed while it was scored: nothing was written; run it again")
        )
    if not layer.isEditable() and not layer.startEditing():
        raise GeoConceptError(
            tr("LayerTab", "layer {0!r} cannot be edited: make a new layer instead").format(layer.name())
        )
    layer.beginEditCommand("GeoConcept")
    try:
        for one in new:
            if not layer.addAttribute(one):
                raise GeoConceptError(
                    tr("LayerTab", "layer {0!r} takes no field {1!r}: make a new layer instead").format(
                        layer.name(), one.name()
                    )
                )
        at = [layer.fields().lookupField(one.name()) for one in new]
        for fid, row in zip(ids, rows):
            layer.changeAttributeValues(fid, dict(zip(at, row)))
    except GeoConceptError:
        layer.destroyEditCommand()
        raise
    layer.endEditCommand()
    return len(new)
