# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of concepts: model, filter, and how a row looks."""

from qgis.PyQt.QtCore import QAbstractListModel, QModelIndex, QRect, QRectF, QSize, QSortFilterProxyModel, Qt
from qgis.PyQt.QtGui import QPalette, QPixmap
from qgis.PyQt.QtWidgets import QStyle, QStyledItemDelegate

from ..core.concepts.concept import GRADES
from .painting import badge, family_colour, quiet
from .thumbnails import COLUMNS, ROWS

__all__ = ["ENTRY", "ConceptDelegate", "ConceptFilter", "ConceptModel"]

#: Role under which a row gives its `Entry`.
ENTRY = Qt.ItemDataRole.UserRole + 1


class ConceptModel(QAbstractListModel):
    """Entries of a catalogue, one row each.

    Parameters
    ----------
    source : Catalogue
    checkable : bool
        Whether rows can be ticked; the names ticked are in `chosen`.
    """

    def __init__(self, source, checkable=False, parent=None):
        super().__init__(parent)
        self.source, self.checkable, self.chosen = source, checkable, []
        self.entries = list(source.entries)
        source.changed.connect(self._renew)

    def _renew(self):
        if self.entries == self.source.entries:  # only the pictures are new
            last = self.index(max(len(self.entries) - 1, 0))
            self.dataChanged.emit(self.index(0), last, [Qt.ItemDataRole.DecorationRole])
            return
        self.beginResetModel()
        self.entries = list(self.source.entries)
        self.endResetModel()

    def rowCount(self, parent=QModelIndex()):  # noqa: N802, B008 - as Qt has it
        """Return how many there are."""
        return 0 if parent.isValid() else len(self.entries)

    def flags(self, index):
        """Rows can be chosen, and ticked where that is wanted."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if self.checkable else flags

    def data(self, index, role=Qt.ItemDataRole.DisplayRole):
        """Return what a view asks for."""
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == ENTRY:
            return entry
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return entry.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join([entry.name, entry.concept.description, GRADES.get(entry.grade, "")]).strip()
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return self.tr("family {0}, grade {1}").format(entry.family, entry.grade or self.tr("none"))
        if role == Qt.ItemDataRole.DecorationRole:
            picture = self.source.pictures.get(entry.name)
            return None if picture is None else QPixmap.fromImage(picture)
        if role == Qt.ItemDataRole.CheckStateRole and self.checkable:
            return Qt.CheckState.Checked if entry.name in self.chosen else Qt.CheckState.Unchecked
        return None

    def setData(self, index, value, role=Qt.ItemDataRole.EditRole):  # noqa: N802
        """Tick a row."""
        if role != Qt.ItemDataRole.CheckStateRole or not self.checkable:
            return False
        name = self.entries[index.row()].name
        if name in self.chosen:
            self.chosen.remove(name)
        if Qt.CheckState(value) == Qt.CheckState.Checked:
            self.chosen.append(name)
        self.dataChanged.emit(index, index, [role])
        return True


class ConceptFilter(QSortFilterProxyModel):
    """Rows whose name, aliases, family and description hold all words of a text; the best matches come first."""

    def __init__(self, model, parent=None):
        super().__init__(parent)
        self.words, self.family, self.grades = [], "", ("A", "B", "C", None)
        self.setSourceModel(model)
        self.sort(0)

    def search(self, text):
        """Show rows that hold all words of `text`."""
        self.words = text.lower().split()
        self.invalidate()

    def narrow(self, family="", grades=("A", "B", "C", None)):
        """Show one family ("" for all) and the named grades (None: not graded)."""
        self.family, self.grades = family, grades
        self.invalidate()

    def filterAcceptsRow(self, row, parent):  # noqa: N802
        """Tell whether a row is shown."""
        entry = self.sourceModel().entries[row]
        if self.family and entry.family != self.family:
            return False
        return entry.grade in self.grades and all(word in entry.search for word in self.words)

    def lessThan(self, left, right):  # noqa: N802
        """Best match first, then the catalogue's order."""
        return (self._rank(left), left.row()) < (self._rank(right), right.row())

    def _rank(self, index):
        if not self.words:
            return 0
        entry, text = self.sourceModel().entries[index.row()], " ".join(self.words)
        if text == entry.name or text in (alias.lower() for alias in entry.concept.aliases):
            return 0
        return 1 if entry.name.startswith(text) else 2 if text in entry.name else 3


class ConceptDelegate(QStyledItemDelegate):
    """A row: small map, name on up to two lines, family in its colour, grade."""

    _MARGIN = 5

    def sizeHint(self, option, index):  # noqa: N802
        """Return room for the map, or for three lines of text."""
        return QSize(COLUMNS + 140, max(ROWS, 3 * option.fontMetrics.height()) + 2 * self._MARGIN)

    def paint(self, painter, option, index):
        """Paint a row."""
        entry, margin = index.data(ENTRY), self._MARGIN
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        self.initStyleOption(option, index)
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        row = option.rect.adjusted(margin, margin, -margin, -margin)
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        place = QRect(row.left(), row.center().y() - ROWS // 2, COLUMNS, ROWS)
        painter.fillRect(place, option.palette.color(QPalette.ColorRole.AlternateBase))
        if picture is not None:
            painter.drawPixmap(place, picture)
        right = badge(painter, row.right(), row.center().y(), entry.grade) - margin
        left = place.right() + 2 * margin
        colour = option.palette.color(QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text)
        line = option.fontMetrics.height()
        wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft
        needed = option.fontMetrics.boundingRect(QRect(0, 0, int(right - left), 10 * line), wrap, entry.name).height()
        lines = 1 if needed < 1.5 * line else 2
        top = row.center().y() - (lines + 1) * line / 2
        painter.setPen(colour)
        painter.drawText(QRectF(left, top, right - left, lines * line + 1), wrap, entry.name)
        dot = QRectF(left, top + lines * line + (line - 8) / 2, 8, 8)
        painter.setRenderHint(painter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(family_colour(entry.family))
        painter.drawEllipse(dot)
        painter.setPen(colour if chosen else quiet(option.palette))
        below = QRectF(left + 12, top + lines * line, right - left - 12, line)
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, entry.family)
        painter.restore()
