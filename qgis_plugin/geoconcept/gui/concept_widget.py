# SPDX-License-Identifier: GPL-2.0-or-later
"""The field for concepts in Processing's forms: with list and completer; a plain line in batches and models."""

from processing.gui.wrappers import DIALOG_STANDARD, WidgetWrapper
from qgis.PyQt.QtWidgets import QLineEdit

from .concept_field import ConceptField

__all__ = ["ConceptWidgetWrapper"]


class ConceptWidgetWrapper(WidgetWrapper):
    """Named by the parameters that take concepts; see `algs.base`."""

    def createWidget(self, **_):  # noqa: N802
        """Return the field."""
        if self.dialogType == DIALOG_STANDARD:
            field = ConceptField()
            field.changed.connect(lambda _: self.widgetValueHasChanged.emit(self))
            return field
        line = QLineEdit()
        line.textChanged.connect(lambda _: self.widgetValueHasChanged.emit(self))
        return line

    def setValue(self, value):  # noqa: N802
        """Show a value; what is no text, such as an expression in a model, is shown as one."""
        text = "" if value is None else str(value)
        self.widget.set_text(text) if isinstance(self.widget, ConceptField) else self.widget.setText(text)

    def value(self):
        """Return the text."""
        return self.widget.text()
