# SPDX-License-Identifier: GPL-2.0-or-later
"""Click on the map to ask about a place."""

from qgis.core import QgsPointXY
from qgis.gui import QgsMapTool, QgsVertexMarker
from qgis.PyQt.QtCore import QPoint, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

from ..io.places import to_lonlat

__all__ = ["PlaceTool", "marker"]


class PlaceTool(QgsMapTool):
    """Gives (lon, lat) of clicks, NaN off the Earth; dragging pans, as with the hand."""

    clicked = pyqtSignal(float, float)

    def __init__(self, canvas):
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._pressed = self._panning = None

    def flags(self):
        """Keep the wheel and the menus of the canvas."""
        return QgsMapTool.Flag.ShowContextMenu

    def canvasPressEvent(self, event):  # noqa: N802
        """Remember where it began."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._panning = QPoint(event.pos()), False

    def canvasMoveEvent(self, event):  # noqa: N802
        """Pan, once the mouse has clearly moved."""
        if self._pressed is None:
            return
        self._panning = self._panning or (event.pos() - self._pressed).manhattanLength() > 6
        if self._panning:
            self.canvas().panAction(event)

    def canvasReleaseEvent(self, event):  # noqa: N802
        """End of panning, or a click."""
        if self._pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if self._panning:
            self.canvas().panActionEnd(event.pos())
        else:
            point = self.toMapCoordinates(event.pos())
            self.ask(QgsPointXY(point))
        self._pressed = self._panning = None

    def ask(self, point):
        """Ask about a point of the map."""
        crs = self.canvas().mapSettings().destinationCrs()
        (lon, lat), *_ = to_lonlat([[point.x(), point.y()]], crs)
        self.clicked.emit(float(lon), float(lat))


def marker(canvas, colour):
    """Return a mark for a place on the map."""
    mark = QgsVertexMarker(canvas)
    mark.setIconType(QgsVertexMarker.IconType.ICON_CIRCLE)
    mark.setIconSize(13)
    mark.setPenWidth(3)
    mark.setColor(QColor(colour))
    mark.setZValue(2)
    return mark
