# SPDX-License-Identifier: GPL-2.0-or-later
"""Tab *Concept*: find a concept, read what is known about it, see it on the map, keep it as a layer."""

from dataclasses import replace

from qgis.core import QgsProcessingOutputLayerDefinition, QgsProcessingUtils, QgsProject
from qgis.gui import QgsFilterLineEdit
from qgis.PyQt.QtCore import Qt, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QDesktopServices, QTextDocument
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QListView,
    QMessageBox,
    QPushButton,
    QSlider,
    QSplitter,
    QStackedWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from .. import service
from ..compat import tr
from ..core.concept_files import write_concept
from ..core.concepts import default_kind
from ..core.errors import GeoConceptError
from .catalogue import catalogue
from .concept_list import ENTRY, ConceptDelegate, ConceptFilter, ConceptModel
from .details import details_of
from .jobs import AlgorithmRun, Job
from .preview import Preview, on_earth
from .widgets import Legend, hint

__all__ = ["ConceptTab"]

_GRADES = (("A", "B", "C", None), ("A",), ("A", "B"), ("A", "B", "C", "D", None))


class ConceptTab(QWidget):
    """List, words, details, preview.

    Parameters
    ----------
    canvas : QgsMapCanvas
    jobs : JobList
    messages : Messages
    """

    #: The concept shown has changed (None: none is chosen).
    chosen = pyqtSignal(object)

    def __init__(self, canvas, jobs, messages, parent=None):
        super().__init__(parent)
        self.canvas, self.jobs, self.messages, self.concept, self._run = canvas, jobs, messages, None, None
        self.catalogue = catalogue()
        self.catalogue.changed.connect(self._renew)
        self.catalogue.replaced.connect(self._drop)
        self.preview = Preview(canvas, self)
        self.preview.began.connect(lambda job: jobs.add(job, job.title))
        self.preview.drawn.connect(self._drawn)
        self.preview.failed.connect(messages.problem)
        self._build_list()
        self._build_details()
        self._build_preview()
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self._upper)
        splitter.addWidget(self._lower)
        splitter.setSizes([340, 150])
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 0)
        splitter.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(6, 6, 6, 6)
        box.addWidget(splitter, 1)
        box.addWidget(self._preview_box)
        self._renew()

    # ------------------------------------------------------------ parts

    def _build_list(self):
        self.search = QgsFilterLineEdit()
        self.search.setShowSearchIcon(True)
        self.search.setPlaceholderText(self.tr("Search concepts, or write any words"))
        self.search.setToolTip(self.tr("Finds names, aliases, families and descriptions. Return chooses the first."))
        self.search.textChanged.connect(self._search)
        self.search.returnPressed.connect(self._choose_first)
        self.family, self.grade = QComboBox(), QComboBox()
        self.family.addItem(self.tr("All families"), "")
        self.family.setToolTip(self.tr("Show one family of concepts"))
        for text in (self.tr("Grades A to C"), self.tr("Grade A"), self.tr("Grades A and B"), self.tr("All grades")):
            self.grade.addItem(text)
        self.grade.setToolTip(self.tr("How well a concept did in the test: A is best, D did no better than chance"))
        self.family.currentIndexChanged.connect(self._narrow)
        self.grade.currentIndexChanged.connect(self._narrow)
        self.model = ConceptModel(self.catalogue, parent=self)
        self.filter = ConceptFilter(self.model, self)
        self.list = QListView()
        self.list.setModel(self.filter)
        self.list.setItemDelegate(ConceptDelegate(self.list))
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName(self.tr("Concepts"))
        self.list.selectionModel().currentChanged.connect(self._picked)
        self.empty = hint("")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.again = QPushButton(self.tr("Try again"))
        self.again.clicked.connect(self.catalogue.reload)
        nothing = QWidget()
        box = QVBoxLayout(nothing)
        box.addStretch()
        box.addWidget(self.empty)
        box.addWidget(self.again, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addStretch()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.list)
        self.stack.addWidget(nothing)
        self.words = QPushButton()
        self.words.setToolTip(self.tr("Read the text as a description of places, whatever concepts there are"))
        self.words.clicked.connect(self.read_words)
        self.count = hint("")
        row = QHBoxLayout()
        row.addWidget(self.family, 1)
        row.addWidget(self.grade, 1)
        self._upper = QWidget()
        box = QVBoxLayout(self._upper)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.search)
        box.addLayout(row)
        box.addWidget(self.stack, 1)
        box.addWidget(self.count)
        box.addWidget(self.words)

    def _build_details(self):
        self.details = QTextBrowser()
        self.details.setOpenLinks(False)
        self.details.setMinimumHeight(110)
        self.details.setPlaceholderText(self.tr("Choose a concept to see what is known about it."))
        self.rename, self.delete, self.folder = (
            QPushButton(text) for text in (self.tr("Rename\u2026"), self.tr("Delete\u2026"), self.tr("Open folder"))
        )
        self.rename.clicked.connect(self._rename)
        self.delete.clicked.connect(self._delete)
        self.folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(service.own_folder()))))
        self._own = QWidget()
        row = QHBoxLayout(self._own)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.rename, self.delete, self.folder):
            row.addWidget(button)
        self._own.hide()
        self._lower = QWidget()
        box = QVBoxLayout(self._lower)
        box.setContentsMargins(0, 4, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.details, 1)
        box.addWidget(self._own)

    def _build_preview(self):
        self.live = QCheckBox(self.tr("Preview on the map"))
        self.live.setToolTip(self.tr("Draw the concept over the map, wherever it goes; it is not a layer"))
        self.live.toggled.connect(self._toggle)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(10, 100)
        self.opacity.setValue(75)
        self.opacity.setToolTip(self.tr("Opacity of the preview"))
        self.opacity.setAccessibleName(self.tr("Opacity of the preview"))
        self.opacity.valueChanged.connect(lambda value: self.preview.set_opacity(value / 100.0))
        self.kind = QComboBox()
        self.kind.addItem(self.tr("percentile"), "percentile")
        self.kind.addItem(self.tr("calibrated"), "calibrated")
        self.kind.setToolTip(
            self.tr(
                "Percentile: reference places that score lower; shows rare concepts, too.\n"
                "Calibrated: share of reference places with this score that carry the label; tested concepts only."
            )
        )
        self.kind.currentIndexChanged.connect(self._show_kind)
        self.legend = Legend()
        self.state = QLabel()
        self.keep = QPushButton(self.tr("Keep as layer"))
        self.keep.setToolTip(self.tr("Compute a raster layer of the map's extent, in the CRS of the map"))
        self.keep.clicked.connect(self.keep_layer)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.live)
        top.addStretch()
        top.addWidget(self.opacity)
        top.addWidget(self.kind)
        bottom.addWidget(self.state, 1)
        bottom.addWidget(self.keep)
        self._preview_box = QWidget()
        box = QVBoxLayout(self._preview_box)
        box.setContentsMargins(0, 2, 0, 0)
        box.setSpacing(6)
        box.addLayout(top)
        box.addWidget(self.legend)
        box.addLayout(bottom)

    # ------------------------------------------------------------ the list

    def _renew(self):
        """Show what the catalogue has: entries, nothing yet, or what went wrong."""
        families = sorted({entry.family for entry in self.catalogue.entries})
        if families != [self.family.itemData(k) for k in range(1, self.family.count())]:
            chosen = self.family.currentData()
            self.family.blockSignals(True)
            while self.family.count() > 1:
                self.family.removeItem(1)
            for family in families:
                self.family.addItem(family, family)
            self.family.setCurrentIndex(max(self.family.findData(chosen), 0))
            self.family.blockSignals(False)
            self._narrow()
        self._tell()

    def _tell(self):
        """Say how many are shown; where none is, say why."""
        text, shown, total = self.search.text().strip(), self.filter.rowCount(), len(self.catalogue.entries)
        self.count.setText(self.tr("{0} of {1} concepts").format(shown, total) if total else "")
        self.words.setVisible(bool(text and total))
        self.words.setText(self.tr("Read \u201c{0}\u201d as words").format(_short(text)))
        self.again.setVisible(bool(self.catalogue.problem))
        self.stack.setCurrentIndex(0 if shown else 1)
        if self.catalogue.problem:
            self.empty.setText(self.catalogue.problem)
        elif total:
            self.empty.setText(self.tr("No concept of this kind. You can read your text as words instead."))
        else:
            self.empty.setText(self.tr("Reading concepts\u2026"))
        self._enable()

    def _search(self, text):
        self.filter.search(text)
        self._tell()

    def _narrow(self, *_):
        self.filter.narrow(self.family.currentData() or "", _GRADES[self.grade.currentIndex()])
        self._tell()

    def _choose_first(self):
        if self.filter.rowCount():
            self.list.setCurrentIndex(self.filter.index(0, 0))
        elif self.search.text().strip():
            self.read_words()

    def choose(self, name):
        """Choose a concept by name; its row need not be in sight."""
        for entry in self.catalogue.entries:
            if entry.name == name:
                self._take(entry.concept, entry.path)

    def _picked(self, current, _=None):
        entry = current.data(ENTRY) if current.isValid() else None
        if entry is not None:
            self._take(entry.concept, entry.path)

    def _take(self, concept, path=None):
        self.concept, self._path = concept, path
        self._tell_details(concept)
        self._own.setVisible(path is not None)
        self._enable()
        self.kind.setEnabled(concept.calibration is not None and concept.percentiles is not None)
        if not self.kind.isEnabled():
            self.kind.setCurrentIndex(self.kind.findData(default_kind([concept])))
        self.chosen.emit(concept)
        self._show_kind()

    def _tell_details(self, concept):
        """Show what is known; words, which stand in no list, with their small map."""
        picture = self.catalogue.picture_of(concept) if concept.family == "text" else None
        self.details.setHtml(
            ("<p><img src='map' width='192' height='76'></p>" if picture else "") + details_of(concept)
        )
        if picture is not None:
            self.details.document().addResource(QTextDocument.ResourceType.ImageResource, QUrl("map"), picture)
            self.details.document().markContentsDirty(0, 1)

    def _enable(self):
        for widget in (self.live, self.keep):
            widget.setEnabled(self.concept is not None)

    # ------------------------------------------------------------ words

    def read_words(self):
        """Read the text of the search field as words."""
        text = f"{service.WORDS} {self.search.text().strip()}"
        self.words.setEnabled(False)
        title, problem = self.tr("Reading words"), self.messages.problem
        job = Job(title, lambda _: service.concepts(text)[0], self._words_read, problem)
        job.taskTerminated.connect(self._words_over)
        self.jobs.add(job, job.title)
        job.start()

    def _words_over(self):
        self.words.setEnabled(True)

    def _words_read(self, concept):
        self._words_over()
        self.list.selectionModel().clear()
        self._take(concept)

    # ------------------------------------------------------------ own concepts

    def _rename(self):
        old, path = self.concept, self._path
        name, fine = QInputDialog.getText(self, self.tr("Rename"), self.tr("New name"), text=old.name)
        if fine and name.strip() and name.strip() != old.name:
            self._change(lambda: _renamed(old, path, name.strip()))

    def _delete(self):
        path = self._path
        question = self.tr("Delete the file {0}? This cannot be undone.").format(path.name)
        if QMessageBox.question(self, self.tr("Delete"), question) == QMessageBox.StandardButton.Yes:
            self._change(path.unlink)

    def _change(self, action):
        """Change a file of a concept, and read the list again."""
        try:
            action()
        except (OSError, GeoConceptError) as error:
            self.messages.problem(str(error))
            return
        self._drop()
        self.catalogue.reload()

    def _drop(self):
        """Let go of the concept shown: it is no more, or its model is not."""
        self.live.setChecked(False)
        self.concept = None
        self._own.hide()
        self.details.clear()
        self._enable()
        self.chosen.emit(None)

    # ------------------------------------------------------------ the map

    def _toggle(self, on):
        if on and self.concept is not None:
            self.state.setText(self.tr("drawing\u2026"))
            self.preview.show(self.concept, self.kind_shown())
        else:
            self.preview.hide()
            self.state.clear()

    def kind_shown(self):
        """Return the kind of score wanted, or what the concept has where it lacks that."""
        return self.kind.currentData() if self.kind.isEnabled() else default_kind([self.concept])

    def _show_kind(self, *_):
        if self.concept is not None:
            self.legend.show_kind(self.kind_shown())
            self._toggle(self.live.isChecked())

    def _drawn(self, share):
        refining = self.tr("refining, {0:.0f} %").format(100.0 * share)
        self.state.setText(self.tr("complete") if share >= 1.0 else refining)

    def concept_text(self):
        """Return the text by which algorithms know the concept chosen."""
        words = self.concept.family == "text" and self._path is None
        return f"{service.WORDS} {self.concept.name}" if words else self.concept.name

    def keep_layer(self):
        """Run the algorithm over what the map shows; the preview makes room for its layer."""
        settings = self.canvas.mapSettings()
        crs = settings.destinationCrs()
        area = on_earth(settings.visibleExtent(), crs)
        if area.isEmpty() or not crs.isValid():
            self.messages.problem(
                self.tr("The map shows no part of the Earth: zoom to it first, or set the CRS of the project.")
            )
            return
        bounds = f"{area.xMinimum()},{area.xMaximum()},{area.yMinimum()},{area.yMaximum()}"
        path = QgsProcessingUtils.generateTempFilename("concept.tif")
        parameters = {
            "CONCEPTS": self.concept_text(),
            "EXTENT": f"{bounds} [{crs.authid()}]" if crs.authid() else bounds,
            "CRS": crs,
            "KIND": service.KINDS.index(self.kind_shown()),
            "OUTPUT": QgsProcessingOutputLayerDefinition(path, QgsProject.instance()),
        }
        name = self.concept.name
        try:
            done, failed = lambda _: self._kept(name), self.messages.problem
            run = AlgorithmRun("geoconcept:conceptraster", parameters, done, failed, parent=self)
        except GeoConceptError as error:
            self.messages.problem(str(error))
            return
        self.live.setChecked(False)
        self.jobs.add(run.start(), self.tr("Layer: {0}").format(name))

    def _kept(self, name):
        self.messages.info(self.tr("The layer \u201c{0}\u201d is on top of the map.").format(name))

    def close_down(self):
        """Stop everything; the dock goes away."""
        self.preview.hide()
        self.catalogue.changed.disconnect(self._renew)
        self.catalogue.replaced.disconnect(self._drop)


def _short(text, most=28):
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def _renamed(concept, path, name):
    """Write an own concept under another name; the old file goes when the new one is there."""
    if name in service.names():
        raise GeoConceptError(tr("ConceptTab", "there is a concept {0!r} already: choose another name").format(name))
    renamed = replace(concept, name=name)
    target = path.with_name(f"{renamed.variable}.concept")
    write_concept(renamed, target, service.model())
    if target != path:
        path.unlink()
