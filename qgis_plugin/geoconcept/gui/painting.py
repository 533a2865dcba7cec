# SPDX-License-Identifier: GPL-2.0-or-later
"""Colours and small pictures that several widgets share; all from the core's looks."""

from functools import lru_cache

import numpy as np
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QColor, QImage

from ..core.style import look_of

__all__ = ["FAMILIES", "GRADES", "badge", "family_colour", "image_of", "quiet"]

#: Colours of families, from Okabe and Ito's palette for all kinds of sight.
FAMILIES = {
    "climate": "#e69f00",
    "vegetation": "#009e73",
    "terrain": "#8c6d46",
    "water and ice": "#56b4e9",
    "people": "#d55e00",
    "culture": "#cc79a7",
    "scene": "#7a68b3",
    "place": "#0072b2",
}
GRADES = {"A": "#2e7d32", "B": "#5c8a1e", "C": "#b26a00", "D": "#a33333"}
_OTHER = "#6b6b6b"


def family_colour(family):
    """Return the colour of a family; own concepts and words share one."""
    return QColor(FAMILIES.get(family, _OTHER))


def quiet(palette):
    """Return the colour of text of second rank: between text and ground, in light and dark themes."""
    text, ground = palette.color(palette.ColorRole.Text), palette.color(palette.ColorRole.Base)
    return QColor(*((2 * a + b) // 3 for a, b in zip(text.getRgb()[:3], ground.getRgb()[:3])))


def badge(painter, right, middle, grade):
    """Paint a grade as a small round badge; return its left edge.

    Parameters
    ----------
    painter : QPainter
    right, middle : float
        Right edge and vertical middle of the badge.
    grade : str or None
        None is painted as a dash.
    """
    side = 18.0
    place = QRectF(right - side, middle - side / 2, side, side)
    painter.save()
    painter.setRenderHint(painter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(GRADES.get(grade, _OTHER)))
    painter.drawRoundedRect(place, 4, 4)
    font = painter.font()
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor("white"))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, grade or "\u2013")
    painter.restore()
    return place.left()


@lru_cache(maxsize=8)
def _table(kind):
    """Colours of a kind of score, shape (257, 4): 256 steps, and transparent for no value."""
    look = look_of(kind)
    stops = np.array([QColor(colour).getRgb() for colour in look.colours], dtype=float)
    at = np.linspace(0.0, len(stops) - 1.0, 256)
    table = np.zeros((257, 4), dtype=np.uint8)
    for channel in range(4):
        table[:256, channel] = np.round(np.interp(at, np.arange(len(stops)), stops[:, channel]))
    return table


def image_of(values, kind):
    """Return scores as a picture in the fixed colours of their kind.

    Parameters
    ----------
    values : ndarray of float, shape (rows, columns)
        NaN is transparent.
    kind : str
        Of `core.style.LOOKS`.

    Returns
    -------
    QImage
    """
    look = look_of(kind)
    share = (np.nan_to_num(values, nan=look.low) - look.low) / (look.high - look.low)
    steps = np.where(np.isfinite(values), np.round(np.clip(share, 0.0, 1.0) * 255.0), 256.0).astype(np.intp)
    content = _table(kind)[steps].tobytes()
    rows, columns = values.shape
    return QImage(content, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()
