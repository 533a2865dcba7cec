# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets the engine up: says what would happen, asks, then shows every line of it."""

from qgis.core import QgsApplication
from qgis.gui import QgsCollapsibleGroupBox, QgsFileWidget
from qgis.PyQt.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
)

from ..engine.installer import InstallTask, Plan

__all__ = ["EngineDialog"]


class EngineDialog(QDialog):
    """Consent, choices, log, Cancel."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setWindowTitle(self.tr("Set up the engine for photos"))
        self.task = None
        self.question = QLabel(Plan().question())
        self.question.setWordWrap(True)
        self.agree = QCheckBox(self.tr("I agree: make it"))
        self.agree.toggled.connect(self._enable)
        self.python, self.wheels, self.index = QgsFileWidget(), QgsFileWidget(), QLineEdit()
        self.wheels.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.index.setPlaceholderText(self.tr("as pip is set"))
        for field in (self.python.lineEdit(), self.wheels.lineEdit(), self.index):
            field.textChanged.connect(self._ask)
        choices = QgsCollapsibleGroupBox(self.tr("More choices"))
        form = QFormLayout(choices)
        form.addRow(self.tr("Python to begin with"), self.python)
        form.addRow(self.tr("Index"), self.index)
        form.addRow(self.tr("Folder of wheels"), self.wheels)
        choices.setCollapsed(True)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setPlaceholderText(self.tr("What is done appears here, line by line."))
        self.begin = QPushButton(self.tr("Begin"))
        self.begin.setEnabled(False)
        self.begin.clicked.connect(self._begin)
        self.copy = QPushButton(self.tr("Copy diagnostics"))
        self.copy.setEnabled(False)
        self.copy.clicked.connect(lambda: QApplication.clipboard().setText(self.task.diagnostics()))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.buttons.addButton(self.begin, QDialogButtonBox.ButtonRole.ActionRole)
        self.buttons.addButton(self.copy, QDialogButtonBox.ButtonRole.ActionRole)
        self.stop = self.buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.ActionRole)
        self.stop.setEnabled(False)
        self.stop.clicked.connect(self._stop)
        self.buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        for widget in (self.question, choices, self.agree, self.log, self.buttons):
            box.addWidget(widget)
        self.resize(560, 480)

    def _plan(self):
        python = self.python.filePath().strip() or None
        return Plan(python=python, index=self.index.text().strip(), wheels=self.wheels.filePath().strip())

    def _ask(self, *_):
        """Another plan is another question: the old answer does not count."""
        self.agree.setChecked(False)
        self.question.setText(self._plan().question())

    def _enable(self, *_):
        self.begin.setEnabled(self.agree.isChecked() and self.task is None)

    def _begin(self):
        self.task = InstallTask(self._plan(), self.agree.isChecked())
        self.task.line.connect(self.log.appendPlainText)
        self.task.taskCompleted.connect(self._ended)
        self.task.taskTerminated.connect(self._ended)
        self.stop.setEnabled(True)
        self.copy.setEnabled(True)
        self._enable()
        QgsApplication.taskManager().addTask(self.task)

    def _stop(self):
        if self.task is not None:
            self.task.cancel()

    def _ended(self):
        self.stop.setEnabled(False)

    def reject(self):
        """Close; what is running is stopped within a second, and taken up again the next time."""
        self._stop()
        if self.task is not None and self.task.isActive():
            self.task.waitForFinished(5000)
        super().reject()
