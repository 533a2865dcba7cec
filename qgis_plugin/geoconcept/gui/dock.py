# SPDX-License-Identifier: GPL-2.0-or-later
"""The dock: four tabs over one list of what is running."""

from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from .catalogue import catalogue
from .concept_tab import ConceptTab
from .jobs import JobList
from .layer_tab import LayerTab
from .photo_tab import PhotoTab
from .place_tab import PlaceTab

__all__ = ["Dock"]


class _Body(QWidget):
    """Asks for the width that the tabs are laid out for."""

    def sizeHint(self):  # noqa: N802
        return QSize(380, 720)


class Dock(QgsDockWidget):
    """Concept, place, photo, layer; loads the concepts when it is first seen.

    Parameters
    ----------
    interface : QgisInterface
    messages : Messages
    """

    def __init__(self, interface, messages, parent=None):
        super().__init__("GeoConcept", parent)
        self.setObjectName("GeoConceptDock")
        canvas = interface.mapCanvas()
        self.jobs = JobList()
        self.concept = ConceptTab(canvas, self.jobs, messages)
        self.place = PlaceTab(canvas, self.jobs, messages)
        self.photo = PhotoTab(interface, self.jobs, messages)
        self.layer = LayerTab(self.jobs, messages)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        # No mnemonics anywhere in the dock: they would take those of QGIS's menus.
        for tab, title in (
            (self.concept, self.tr("Concept")),
            (self.place, self.tr("Place")),
            (self.photo, self.tr("Photo")),
            (self.layer, self.tr("Layer")),
        ):
            self.tabs.addTab(tab, title)
        body = _Body()
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 0, 0, 4)
        box.addWidget(self.tabs, 1)
        box.addWidget(self.jobs)
        self.setWidget(body)
        self.messages = messages
        self.closed.connect(self._closed)
        catalogue().told.connect(messages.problem)

    def showEvent(self, event):  # noqa: N802
        """Begin to load."""
        super().showEvent(event)
        catalogue().ensure()

    def _closed(self):
        """A preview that cannot be switched off would be in the way."""
        self.concept.live.setChecked(False)

    def close_down(self):
        """Stop what is running and give the map back."""
        catalogue().told.disconnect(self.messages.problem)
        for tab in (self.concept, self.place, self.photo, self.layer):
            tab.close_down()
