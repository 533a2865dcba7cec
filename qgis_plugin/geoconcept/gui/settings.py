# SPDX-License-Identifier: GPL-2.0-or-later
"""Page *GeoConcept* among QGIS's options: model, folders, cache, log, engine, diagnostics."""

from pathlib import Path

from qgis.gui import QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices, QIcon
from qgis.PyQt.QtWidgets import (
    QApplication,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
)

from .. import service
from ..core.errors import GeoConceptError
from .catalogue import catalogue
from .diagnostics import cache_bytes, clear_cache, diagnostics
from .engine_box import EngineBox, engine_state
from .jobs import Job
from .widgets import hint

__all__ = ["OptionsFactory", "OptionsPage"]

ICON = str(Path(__file__).parents[1] / "icon.svg")


class OptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page when the options are opened."""

    def __init__(self, messages):
        super().__init__("GeoConcept", QIcon(ICON))
        self.messages = messages

    def createWidget(self, parent):  # noqa: N802
        """Return the page."""
        return OptionsPage(self.messages, parent)


class OptionsPage(QgsOptionsPageWidget):
    """Model, cache, own concepts, log, engine, diagnostics; everything acts at once.

    Parameters
    ----------
    messages : Messages
    """

    def __init__(self, messages, parent=None):
        super().__init__(parent)
        self.messages, self._job = messages, None
        self.model = hint("")
        self.folder = QPushButton(self.tr("Choose folder\u2026"))
        self.folder.setToolTip(self.tr("A model folder of geoconcept_gis: GeoCLIP, or a model of your own"))
        self.folder.clicked.connect(self._choose)
        self.own = QPushButton(self.tr("The plugin's own"))
        self.own.clicked.connect(lambda: self._take(None))
        self.size = QLabel()
        self.clear = QPushButton(self.tr("Clear"))
        self.clear.setToolTip(self.tr("Delete what can be made again: small maps, embedded galleries"))
        self.clear.clicked.connect(self._clear)
        folder = QPushButton(self.tr("Open"))
        folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(service.own_folder()))))
        show = QPushButton(self.tr("Show log"))
        show.clicked.connect(messages.show_log)
        self.engine = EngineBox(messages)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setPlaceholderText(self.tr("Measuring\u2026"))
        self.copy = QPushButton(self.tr("Copy diagnostics"))
        self.copy.setToolTip(self.tr("Put them on the clipboard, for a report of a problem"))
        self.copy.setEnabled(False)
        self.copy.clicked.connect(lambda: QApplication.clipboard().setText(self.text.toPlainText()))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(_group(self.tr("Model"), self.model, self.folder, self.own))
        box.addWidget(_group(self.tr("Cache"), self.size, self.clear))
        box.addWidget(_group(self.tr("My concepts"), hint(str(service.own_folder())), folder))
        box.addWidget(_group(self.tr("Log"), hint(self.tr("What the plugin does and what went wrong")), show))
        box.addWidget(self.engine)
        group = QGroupBox(self.tr("Diagnostics"))
        inner = QVBoxLayout(group)
        inner.addWidget(self.text)
        inner.addWidget(self.copy)
        box.addWidget(group, 1)
        self._show_model()
        self._measure()
        self.engine.look()

    def _show_model(self):
        chosen = service.chosen_model()
        self.model.setText(str(chosen) if chosen else self.tr("geoconcept-small, which the plugin brings"))
        self.own.setEnabled(chosen is not None)

    def _choose(self):
        folder = QFileDialog.getExistingDirectory(self, self.tr("Choose a model folder"))
        if folder:
            self._take(folder)

    def _take(self, folder):
        """Change the model; one that cannot be opened changes nothing."""
        try:
            service.choose_model(folder)
        except GeoConceptError as error:
            self.messages.problem(str(error))
            return
        catalogue().replace()
        self._show_model()
        self._measure()

    def _measure(self):
        self.size.setText(self.tr("{0:.1f} MB").format(cache_bytes() / 1e6))
        self._job = Job(self.tr("Diagnostics"), lambda _: diagnostics(engine_state()), self._measured).start()

    def _measured(self, text):
        self._job = None
        self.text.setPlainText(text)
        self.copy.setEnabled(True)

    def _clear(self):
        try:
            freed = clear_cache()
        except OSError as error:
            self.messages.problem(str(error))
            return
        self.size.setText(self.tr("{0:.1f} MB").format(cache_bytes() / 1e6))
        self.messages.info(self.tr("{0:.1f} MB were freed.").format(freed / 1e6))

    def hideEvent(self, event):  # noqa: N802
        """Let go of what is being looked for: the options are closing."""
        self.engine.close_down()
        if self._job is not None:
            self._job.let_go()
            self._job = None
        super().hideEvent(event)

    def apply(self):
        """Nothing waits to be applied."""


def _group(title, label, *buttons):
    group = QGroupBox(title)
    row = QHBoxLayout(group)
    row.addWidget(label, 1)
    for button in buttons:
        row.addWidget(button)
    return group
