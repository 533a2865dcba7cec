# SPDX-License-Identifier: GPL-2.0-or-later
"""One sentence in the message bar, with a button that opens the log; never a traceback."""

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QPushButton

from .jobs import LOG, log

__all__ = ["Messages"]


class Messages(QObject):
    """Speaks to the user.

    Parameters
    ----------
    interface : QgisInterface
    """

    def __init__(self, interface, parent=None):
        super().__init__(parent)
        self.interface = interface

    def info(self, text):
        """Say that something is done; it goes away by itself."""
        log(text)
        self.interface.messageBar().pushMessage(LOG, text, Qgis.MessageLevel.Success, 5)

    def problem(self, text):
        """Say what went wrong, until it is closed."""
        log(text, Qgis.MessageLevel.Warning)
        bar = self.interface.messageBar()
        item = bar.createMessage(LOG, text)
        button = QPushButton(self.tr("Show log"), item)
        button.clicked.connect(self.show_log)
        item.layout().addWidget(button)
        bar.pushWidget(item, Qgis.MessageLevel.Warning, 0)

    def show_log(self):
        """Open QGIS's log."""
        self.interface.openMessageLog()
