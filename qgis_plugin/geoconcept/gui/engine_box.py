# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether photos can be read: what is there, what is missing, and the buttons that change it."""

from html import escape

from qgis.core import QgsSettings
from qgis.PyQt.QtWidgets import QFileDialog, QFrame, QGridLayout, QLabel, QPushButton

from ..engine import finder
from .engine_dialog import EngineDialog
from .jobs import Job

__all__ = ["EngineBox", "engine_state"]


def engine_state():
    """Return what is known about the engine, in one line; runs Python, so never on the GUI thread."""
    found, missing = finder.find()
    return f"geoconcept_gis {found.version} in {found.python}" if found else missing


class EngineBox(QFrame):
    """A badge with the state of the engine, and buttons to choose or make one.

    Parameters
    ----------
    messages : Messages
    """

    def __init__(self, messages, parent=None):
        super().__init__(parent)
        self.messages, self._job, self._known = messages, None, False
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.install = QPushButton(self.tr("Set up engine\u2026"))
        self.install.setToolTip(self.tr("Make a Python environment of its own; nothing is installed before you agree"))
        self.install.clicked.connect(self._install)
        self.choose = QPushButton(self.tr("Choose Python\u2026"))
        self.choose.setToolTip(self.tr("A Python that has geoconcept_gis with its extra \u201cimages\u201d"))
        self.choose.clicked.connect(self._choose)
        self.weights = QPushButton(self.tr("CLIP weights\u2026"))
        self.weights.setToolTip(self.tr("The file of CLIP's weights; it is opened by the engine, never downloaded"))
        self.weights.clicked.connect(self._weights)
        self.again = QPushButton(self.tr("Look again"))
        self.again.clicked.connect(self.look)
        box = QGridLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.addWidget(self.state, 0, 0, 1, 2)
        for k, button in enumerate((self.install, self.choose, self.weights, self.again)):
            box.addWidget(button, 1 + k // 2, k % 2)
        self._say("#6b6b6b", self.tr("Engine for photos"), self.tr("not looked for yet"))

    def ensure(self):
        """Look for the engine, once."""
        if not self._known and self._job is None:
            self.look()

    def look(self):
        """Look for the engine, in a thread."""
        self.close_down()
        self._say("#6b6b6b", self.tr("Engine for photos"), self.tr("looking\u2026"))
        self._job = Job(
            self.tr("Looking for the engine"),
            lambda progress: finder.find(lambda: progress(0, 1)),
            self._found,
            self.messages.problem,
        ).start()

    def _found(self, answer):
        found, missing = answer
        self._job, self._known = None, True
        weights = finder.clip_weights()
        clip = self.tr("CLIP's weights: {0}").format(weights) if weights else self.tr("CLIP's weights are not chosen.")
        if found:
            told = self.tr("geoconcept_gis {0} in {1}.").format(found.version, found.python)
            self._say("#2e7d32", self.tr("Engine ready"), f"{told} {clip}")
        else:
            self._say("#b26a00", self.tr("No engine yet"), missing)
        self.install.setVisible(not found)

    def _say(self, colour, title, text):
        self.state.setText(
            f"<b style='color:{colour}'>\u25cf {escape(title)}</b><br>{escape(text[:1].upper() + text[1:])}"
        )

    def _install(self):
        dialog = EngineDialog(self)
        dialog.exec()
        dialog.deleteLater()
        self.look()

    def _choose(self):
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Choose a Python"))
        if path:
            QgsSettings().setValue(finder.SETTING, path)
            self.look()

    def _weights(self):
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Choose CLIP's weights"))
        if path:
            QgsSettings().setValue(finder.WEIGHTS, path)
            self.look()

    def close_down(self):
        """Stop looking."""
        if self._job is not None:
            self._job.let_go()
            self._job = None
