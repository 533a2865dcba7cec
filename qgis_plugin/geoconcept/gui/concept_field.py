# SPDX-License-Identifier: GPL-2.0-or-later
"""A field for names of concepts: completes while one types, and opens a list to tick."""

from qgis.gui import QgsFilterLineEdit
from qgis.PyQt.QtCore import QStringListModel, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .catalogue import catalogue
from .concept_list import ConceptFilter, ConceptModel
from .widgets import hint

__all__ = ["ConceptField", "ConceptPicker", "split_names"]


def split_names(text):
    """Return the names in a text in which semicolons separate them."""
    return list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))


class _Completer(QCompleter):
    """Completes the last of several names."""

    def __init__(self, parent):
        super().__init__(parent)
        self.setModel(QStringListModel(self))
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setFilterMode(Qt.MatchFlag.MatchContains)

    def splitPath(self, path):  # noqa: N802
        return [path.rpartition(";")[2].strip()]

    def pathFromIndex(self, index):  # noqa: N802
        before = self.widget().text().rpartition(";")[0].strip()
        name = super().pathFromIndex(index)
        return f"{before}; {name}" if before else name


class ConceptField(QWidget):
    """A line of text with a completer and a button that opens `ConceptPicker`."""

    changed = pyqtSignal(str)

    def __init__(self, text="", parent=None):
        super().__init__(parent)
        self.line = QLineEdit(text)
        self.line.setPlaceholderText(self.tr("Concepts, separated by semicolons"))
        self.line.setToolTip(
            self.tr("Names or aliases of concepts, of your own, or words: \u201cwords: olive groves by the sea\u201d")
        )
        self.completer = _Completer(self.line)
        self.line.setCompleter(self.completer)
        self.line.textChanged.connect(self.changed)
        self.button = QToolButton()
        self.button.setText("\u2026")
        self.button.setToolTip(self.tr("Choose concepts from a list"))
        self.button.clicked.connect(self.pick)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.line, 1)
        box.addWidget(self.button)
        self.setFocusProxy(self.line)
        self._source = catalogue()
        self._source.changed.connect(self._renew)
        self._renew()

    def showEvent(self, event):  # noqa: N802
        """Begin to load the names."""
        super().showEvent(event)
        self._source.ensure()

    def _renew(self):
        self.completer.model().setStringList([entry.name for entry in self._source.entries if entry.grade != "D"])

    def text(self):
        """Return the text."""
        return self.line.text()

    def set_text(self, text):
        """Replace the text, and show its beginning."""
        self.line.setText(text)
        self.line.setCursorPosition(0)

    def pick(self):
        """Let concepts be ticked; words and names that are in no list are kept."""
        dialog = ConceptPicker(split_names(self.text()), self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.set_text("; ".join(dialog.names()))


class ConceptPicker(QDialog):
    """A list of concepts to tick, with a search field.

    Parameters
    ----------
    chosen : list of str
        Names that are chosen already, in order.
    """

    def __init__(self, chosen, parent=None):
        super().__init__(parent)
        self.setWindowTitle(self.tr("Choose concepts"))
        self.search = QgsFilterLineEdit()
        self.search.setShowSearchIcon(True)
        self.search.setPlaceholderText(self.tr("Search names, families, descriptions"))
        self.model = ConceptModel(catalogue(), checkable=True, parent=self)
        self.model.chosen = list(chosen)
        self.filter = ConceptFilter(self.model, self)
        self.list = QListView()
        self.list.setModel(self.filter)
        self.list.setUniformItemSizes(True)
        self.list.activated.connect(self._flip)
        self.count = hint("")
        self.search.textChanged.connect(self.filter.search)
        self.model.dataChanged.connect(self._tell)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        for widget in (self.search, self.list, self.count, buttons):
            box.addWidget(widget)
        self.resize(420, 520)
        self._tell()

    def names(self):
        """Return what is chosen, in the order in which it was."""
        return list(self.model.chosen)

    def _flip(self, index):
        ticked = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        state = Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked
        self.filter.setData(index, state, Qt.ItemDataRole.CheckStateRole)

    def _tell(self, *_):
        names = self.names()
        told = self.tr("{0} chosen: {1}").format(len(names), "; ".join(names))
        self.count.setText(told if names else self.tr("none chosen"))
