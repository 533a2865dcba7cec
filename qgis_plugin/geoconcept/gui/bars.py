# SPDX-License-Identifier: GPL-2.0-or-later
"""Concepts of one place, or of two side by side, as horizontal bars."""

from qgis.PyQt.QtCore import QEvent, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QPainter, QPalette
from qgis.PyQt.QtWidgets import QSizePolicy, QToolTip, QWidget

from .painting import badge, family_colour, quiet

__all__ = ["Bar", "Bars"]


class Bar:
    """One concept.

    Parameters
    ----------
    concept : Concept
    value : float
        Percentile at the place, 0 to 100.
    other : float or None
        Percentile at the pinned place.
    """

    def __init__(self, concept, value, other=None):
        self.concept, self.value, self.other = concept, value, other


class Bars(QWidget):
    """Paints bars: name over bar, percentile at its right, grade; a second, hatched bar for a pinned place."""

    _GAP = 9

    def __init__(self, parent=None):
        super().__init__(parent)
        self.bars = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Strongest concepts of the place"))

    def show_bars(self, bars):
        """Show these, top to bottom."""
        self.bars = list(bars)
        self.setFixedHeight(max(1, self._row() * len(self.bars)))
        self.setAccessibleDescription("; ".join(f"{bar.concept.name} {bar.value:.0f}" for bar in self.bars))
        self.update()

    def _row(self):
        second = 8 if any(bar.other is not None for bar in self.bars) else 0
        return self.fontMetrics().height() + 9 + second + self._GAP

    def sizeHint(self):  # noqa: N802
        """Return room for all rows."""
        return QSize(300, self._row() * len(self.bars))

    def event(self, event):
        """Tell all about the row under the mouse."""
        if event.type() == QEvent.Type.ToolTip and self.bars:
            row = event.pos().y() // self._row()
            if 0 <= row < len(self.bars):
                QToolTip.showText(event.globalPos(), self._told(self.bars[row]), self)
                return True
        return super().event(event)

    def _told(self, bar):
        parts = [bar.concept.name, bar.concept.description]
        told = self.tr("{0:.1f} % of the reference places ({1}) score lower").format(
            bar.value, bar.concept.reference.replace("_", " ")
        )
        other = [] if bar.other is None else [self.tr("pinned place: {0:.1f} %").format(bar.other)]
        return "\n".join(part for part in [*parts, told, *other, bar.concept.failure] if part)

    def paintEvent(self, event):  # noqa: N802
        """Paint all rows."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for k, bar in enumerate(self.bars):
            self._paint(painter, bar, k * self._row())
        painter.end()

    def _paint(self, painter, bar, top):
        line, width = self.fontMetrics().height(), self.width()
        text = self.palette().color(QPalette.ColorRole.WindowText)
        room = self.fontMetrics().horizontalAdvance("100.0") + 6
        edge = badge(painter, width - 1, top + (line + 9) / 2 + 1, bar.concept.grade_at_places) - 6 - room
        painter.setPen(text)
        name = self.fontMetrics().elidedText(bar.concept.name, Qt.TextElideMode.ElideRight, int(edge) - 70)
        painter.drawText(QRectF(0, top, edge, line), Qt.AlignmentFlag.AlignLeft, name)
        used = self.fontMetrics().horizontalAdvance(name) + 8
        painter.setPen(quiet(self.palette()))
        room_left = max(0, int(edge - used))
        family = self.fontMetrics().elidedText(bar.concept.family, Qt.TextElideMode.ElideRight, room_left)
        painter.drawText(QRectF(used, top, edge - used, line), Qt.AlignmentFlag.AlignRight, family)
        colour = family_colour(bar.concept.family)
        self._bar(painter, QRectF(0, top + line + 1, edge, 8), bar.value, colour)
        if bar.other is not None:
            self._bar(painter, QRectF(0, top + line + 11, edge, 6), bar.other, colour, hatched=True)
        font = QFont(self.font())
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(text)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(edge, top + 1, room, line + 9), right, f"{bar.value:.1f}")
        painter.setFont(self.font())
        if bar.other is not None:
            painter.setPen(quiet(self.palette()))
            painter.drawText(QRectF(edge, top + line + 4, room, line), right, f"{bar.other:.1f}")

    def _bar(self, painter, place, value, colour, hatched=False):
        painter.setPen(Qt.PenStyle.NoPen)
        ground = QColor(colour)
        ground.setAlpha(40)
        painter.setBrush(ground)
        painter.drawRoundedRect(place, 2, 2)
        filled = QRectF(place.left(), place.top(), place.width() * value / 100.0, place.height())
        if hatched:
            colour = QColor(colour)
            colour.setAlpha(130)
        painter.setBrush(colour)
        painter.drawRoundedRect(filled, 2, 2)
