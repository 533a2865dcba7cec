# SPDX-License-Identifier: GPL-2.0-or-later
"""Small widgets that several tabs share: a legend with a fixed range, and a label for empty states."""

from qgis.PyQt.QtCore import QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QLinearGradient, QPainter, QPalette
from qgis.PyQt.QtWidgets import QLabel, QSizePolicy, QWidget

from ..core.style import look_of
from .painting import quiet

__all__ = ["Legend", "hint"]


def hint(text, parent=None):
    """Return a label in a quiet colour that wraps its text."""
    label = QLabel(text, parent)
    label.setWordWrap(True)
    palette = label.palette()
    palette.setColor(QPalette.ColorRole.WindowText, quiet(palette))
    label.setPalette(palette)
    return label


class Legend(QWidget):
    """Colours of a kind of score from one end of its fixed range to the other, and what they mean."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.kind = "percentile"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_kind(self, kind):
        """Choose the kind of score."""
        self.kind = kind
        self.setToolTip(look_of(kind).label)
        self.update()

    def sizeHint(self):  # noqa: N802
        """Return room for the ramp, its ends and two lines of caption."""
        return QSize(200, 14 + 3 * self.fontMetrics().height())

    def paintEvent(self, event):  # noqa: N802
        """Paint ramp, ends and caption."""
        painter, look = QPainter(self), look_of(self.kind)
        ramp = QLinearGradient(0.0, 0.0, float(self.width()), 0.0)
        for k, colour in enumerate(look.colours):
            ramp.setColorAt(k / (len(look.colours) - 1), QColor(colour))
        painter.fillRect(QRectF(0, 0, self.width(), 10), ramp)
        line = self.fontMetrics().height()
        ends = QRectF(0, 12, self.width(), line)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(ends, Qt.AlignmentFlag.AlignLeft, f"{look.low:g}")
        painter.drawText(ends, Qt.AlignmentFlag.AlignHCenter, f"{(look.low + look.high) / 2:g}")
        painter.drawText(ends, Qt.AlignmentFlag.AlignRight, f"{look.high:g}")
        painter.setPen(quiet(self.palette()))
        wrap = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignHCenter)
        painter.drawText(QRectF(0, 13 + line, self.width(), 2 * line), wrap, look.label)
        painter.end()
