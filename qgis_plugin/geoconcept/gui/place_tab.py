# SPDX-License-Identifier: GPL-2.0-or-later
"""Tab *Place*: click on the map and read what the place is associated with; pin it to compare another."""

import numpy as np
from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsCsException, QgsPointXY, QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from .. import service
from ..compat import tr
from ..core.land_mask import on_land
from .bars import Bar, Bars
from .catalogue import catalogue
from .jobs import Job
from .place_tool import PlaceTool, marker
from .widgets import hint

__all__ = ["Place", "PlaceTab"]

#: Concepts shown.
_MOST = 15
_COLOURS = ("#d7191c", "#2c7bb6")


class Place:
    """A place and its percentiles.

    Parameters
    ----------
    lonlat : tuple of float
    values : ndarray of float32, shape (K,)
        Percentile of each concept of the bank that is shown.
    warnings : list of str
    """

    def __init__(self, lonlat, values, warnings):
        self.lonlat, self.values, self.warnings = lonlat, values, warnings

    def __str__(self):
        lon, lat = self.lonlat
        return f"{abs(lat):.3f}\u00b0 {'N' if lat >= 0 else 'S'}, {abs(lon):.3f}\u00b0 {'E' if lon >= 0 else 'W'}"


class PlaceTab(QWidget):
    """Button for the map tool, place, bars.

    Parameters
    ----------
    canvas : QgsMapCanvas
    jobs : JobList
    messages : Messages
    """

    def __init__(self, canvas, jobs, messages, parent=None):
        super().__init__(parent)
        self.canvas, self.jobs, self.messages = canvas, jobs, messages
        self.place = self.pinned = self._job = None
        self._marks = []
        self.tool = PlaceTool(canvas)
        self.tool.clicked.connect(self.ask)
        self.button = QPushButton(self.tr("Click a place on the map"))
        self.button.setCheckable(True)
        self.button.setToolTip(self.tr("Click on the map to see the strongest concepts there; drag to pan"))
        self.button.toggled.connect(self._toggle)
        self.tool.setButton(self.button)
        self.title, self.second = QLabel(), hint("")
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        for label in (self.title, self.second):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.warning = QLabel()
        self.warning.setWordWrap(True)
        self.warning.setStyleSheet("color: #b26a00")
        self.pin = QPushButton(self.tr("Pin"))
        self.pin.setCheckable(True)
        self.pin.setToolTip(self.tr("Keep this place and compare the next one with it"))
        self.pin.toggled.connect(self._pin)
        self.family, self.order = QComboBox(), QComboBox()
        self.family.addItem(self.tr("All families"), "")
        self.family.currentIndexChanged.connect(self._show)
        self.order.addItems([self.tr("Strongest here"), self.tr("Largest difference")])
        self.order.setToolTip(self.tr("Largest difference needs a pinned place"))
        self.order.setEnabled(False)
        self.order.currentIndexChanged.connect(self._show)
        self.bars = Bars()
        self.note = hint(
            self.tr("Bars: percentile, the share of reference places that score lower. Associated with, not observed.")
        )
        self.empty = hint(
            self.tr("Press the button, then click on the map:\nthe strongest concepts of the place appear here.")
        )
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._lay_out()
        catalogue().changed.connect(self._families)
        catalogue().replaced.connect(self._drop)
        self._show()

    def _lay_out(self):
        inner = QWidget()
        box = QVBoxLayout(inner)
        box.setContentsMargins(0, 0, 6, 0)
        box.addWidget(self.bars)
        box.addStretch()
        area = QScrollArea()
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        heading, choices = QHBoxLayout(), QHBoxLayout()
        heading.addWidget(self.title, 1)
        heading.addWidget(self.pin)
        choices.addWidget(self.family, 1)
        choices.addWidget(self.order, 1)
        self.answer = QWidget()
        box = QVBoxLayout(self.answer)
        box.setContentsMargins(0, 4, 0, 0)
        box.setSpacing(6)
        box.addLayout(heading)
        box.addWidget(self.second)
        box.addWidget(self.warning)
        box.addLayout(choices)
        box.addWidget(area, 1)
        box.addWidget(self.note)
        box = QVBoxLayout(self)
        box.setContentsMargins(6, 6, 6, 6)
        box.addWidget(self.button)
        box.addWidget(self.empty, 1)
        box.addWidget(self.answer, 1)

    def _families(self):
        if self.family.count() == 1:
            for family in sorted({entry.family for entry in catalogue().entries if entry.path is None}):
                self.family.addItem(family, family)

    # ------------------------------------------------------------ asking

    def _toggle(self, on):
        if on:
            self.canvas.setMapTool(self.tool)
        elif self.canvas.mapTool() is self.tool:
            self.canvas.unsetMapTool(self.tool)

    def ask(self, lon, lat):
        """Score a place, in a thread; a newer question replaces an older one."""
        if not (np.isfinite(lon) and np.isfinite(lat)):
            self.messages.problem(self.tr("This point of the map is no place on Earth."))
            return
        lon = (lon + 180.0) % 360.0 - 180.0
        if self._job is not None:
            self._job.let_go()
        self._job = Job(self.tr("Reading a place"), lambda _: _place(lon, lat), self._answered, self.messages.problem)
        self._job.start()

    def _answered(self, place):
        self.place, self._job = place, None
        self._show()

    def _pin(self, on):
        self.pinned = self.place if on else None
        self.order.setEnabled(on)
        if not on:
            self.order.setCurrentIndex(0)
        self._show()

    def _drop(self):
        """Forget the places and the families: another model has others."""
        if self._job is not None:
            self._job.let_go()
        self.place = self.pinned = self._job = None
        while self.family.count() > 1:
            self.family.removeItem(1)
        self.pin.setChecked(False)
        self._unmark()
        self._show()

    # ------------------------------------------------------------ showing

    def shown(self):
        """Return the bars to show: the strongest concepts, or those in which the two places differ most."""
        if self.place is None:
            return []
        concepts, values = service.model().bank.shown, self.place.values
        other = None if self.pinned in (None, self.place) else self.pinned.values
        weight = np.abs(values - other) if other is not None and self.order.currentIndex() == 1 else values
        family = self.family.currentData()
        rows = [k for k in np.argsort(-weight, kind="stable") if not family or concepts[k].family == family]
        return [Bar(concepts[k], float(values[k]), None if other is None else float(other[k])) for k in rows[:_MOST]]

    def _show(self, *_):
        self.empty.setVisible(self.place is None)
        self.answer.setVisible(self.place is not None)
        self.bars.show_bars(self.shown())
        if self.place is None:
            return
        self.title.setText(str(self.place))
        compared = self.pinned is not None and self.pinned is not self.place
        self.second.setVisible(self.pinned is not None)
        self.second.setText(
            self.tr("compared with {0} (lower bars)").format(self.pinned)
            if compared
            else self.tr("pinned: now click another place")
        )
        self.warning.setVisible(bool(self.place.warnings))
        self.warning.setText("\n".join(self.place.warnings))
        self._mark([self.place, *([self.pinned] if compared else [])])

    def _mark(self, places):
        """Put marks on the map."""
        self._unmark()
        wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
        transform = QgsCoordinateTransform(wgs84, self.canvas.mapSettings().destinationCrs(), QgsProject.instance())
        for place, colour in zip(places, _COLOURS):
            try:
                at = transform.transform(QgsPointXY(*place.lonlat))
            except QgsCsException:
                continue
            self._marks.append(marker(self.canvas, colour))
            self._marks[-1].setCenter(at)

    def _unmark(self):
        for mark in self._marks:
            self.canvas.scene().removeItem(mark)
        self._marks = []

    def close_down(self):
        """Stop, and leave nothing on the map."""
        if self._job is not None:
            self._job.let_go()
        catalogue().changed.disconnect(self._families)
        catalogue().replaced.disconnect(self._drop)
        self._unmark()
        if self.canvas.mapTool() is self.tool:
            self.canvas.unsetMapTool(self.tool)


def _place(lon, lat):
    """Score one place; called in a thread."""
    lonlat = np.array([[lon, lat]])
    values = service.score(lonlat, service.model().bank.shown, "percentile")[0]
    warnings = []
    if service.near_jump(lonlat)[0]:
        warnings.append(tr("PlaceTab", "Within half a degree of the antimeridian or a pole: this model's scores jump."))
    if not on_land(lonlat)[0]:
        warnings.append(tr("PlaceTab", "At sea: the concepts were tested on land."))
    return Place((lon, lat), values, warnings)
