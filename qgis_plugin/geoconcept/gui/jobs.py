# SPDX-License-Identifier: GPL-2.0-or-later
"""Work that must not hold the desktop up: in a thread, with Cancel, and with errors as one sentence."""

import threading
import traceback
from contextlib import suppress

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsMessageLog,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
)
from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ..compat import tr
from ..core.errors import Cancelled, GeoConceptError

__all__ = ["LOG", "AlgorithmRun", "Job", "JobList", "log", "stop_all"]

#: Tag of the plugin in QGIS's log.
LOG = "GeoConcept"
#: What runs: nothing else keeps Python's half of it alive.
_RUNNING = set()


def log(text, level=Qgis.MessageLevel.Info):
    """Write a line into the plugin's tab of QGIS's log."""
    QgsMessageLog.logMessage(text, LOG, level, False)


class Job(QObject):
    """One piece of work in a thread of its own: QGIS's threads stay free to draw the map.

    Signals and `cancel` are named as those of QgsTask, so that `JobList` shows both.

    Parameters
    ----------
    title : str
    work : callable
        Called in the thread as ``work(progress)``, where ``progress(done, total)`` is true once cancelled.
    done : callable, optional
        Called on the GUI thread with what `work` returned.
    failed : callable, optional
        Called on the GUI thread with one sentence; not called where the job was cancelled.
    """

    progressChanged = pyqtSignal(float)  # noqa: N815
    taskCompleted = pyqtSignal()  # noqa: N815
    taskTerminated = pyqtSignal()  # noqa: N815
    _over = pyqtSignal()

    def __init__(self, title, work, done=None, failed=None):
        super().__init__()
        self.title, self.work, self.done, self.failed = title, work, done, failed
        self.result = self.error = None
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=title, daemon=True)
        self._over.connect(self._finished)

    def start(self):
        """Begin; return this job."""
        _RUNNING.add(self)
        self._thread.start()
        return self

    def cancel(self):
        """Stop at the next look: within a block of places."""
        self._cancelled.set()

    def let_go(self):
        """Cancel, and never call back: what it was for is gone."""
        self.done = self.failed = None
        self.cancel()

    def wait(self, seconds):
        """Wait for the thread."""
        self._thread.join(seconds)

    def progress_of(self, done, total):
        """Move the bar; tell whether to stop."""
        self.progressChanged.emit(100.0 * done / max(total, 1))
        return self._cancelled.is_set()

    def _run(self):
        try:
            self.result = self.work(self.progress_of)
        except Cancelled:
            self.cancel()
        except (GeoConceptError, QgsProcessingException, OSError) as error:
            self.error = str(error)
        except MemoryError:
            self.error = tr("Job", "there is not enough memory for this")
        except Exception as error:  # an error of ours: the log tells all, the user one sentence
            log(traceback.format_exc(), Qgis.MessageLevel.Critical)
            self.error = tr("Job", "{0}: {1} (the log has the details)").format(type(error).__name__, error)
        with suppress(RuntimeError):  # QGIS is closing, and Qt's half of this job is gone
            self._over.emit()

    def _finished(self):
        _RUNNING.discard(self)
        cancelled = self._cancelled.is_set()
        (self.taskTerminated if cancelled or self.error is not None else self.taskCompleted).emit()
        if cancelled:
            return
        if self.error is None and self.done is not None:
            self.done(self.result)
        elif self.error is not None and self.failed is not None:
            self.failed(self.error)


def stop_all(seconds=5.0):
    """Cancel everything of ours that runs, and wait for it: the plugin is being unloaded."""
    running = list(_RUNNING)
    for one in running:
        one.let_go()
    for one in running:
        one.wait(seconds)
    _RUNNING.clear()


class _Feedback(QgsProcessingFeedback):
    """Keeps the last error for the message bar and passes everything on to the log."""

    def __init__(self):
        super().__init__(False)
        self.error = ""

    def reportError(self, error, fatalError=False):  # noqa: N802
        self.error = error
        log(error, Qgis.MessageLevel.Critical)

    def pushWarning(self, warning):  # noqa: N802
        log(warning, Qgis.MessageLevel.Warning)

    def pushInfo(self, info):  # noqa: N802
        log(info)


class AlgorithmRun(QObject):
    """An algorithm as a background task, whose outputs are loaded as the toolbox loads them.

    Parameters
    ----------
    name : str
        Id, for example ``"geoconcept:conceptraster"``.
    parameters : dict
    done : callable
        Called with the results, once layers are loaded.
    failed : callable
        Called with one sentence.
    load : bool
        Whether to put outputs into the project.

    Raises
    ------
    GeoConceptError
        There is no such algorithm, or its parameters do not fit; the message says which.
    """

    def __init__(self, name, parameters, done, failed, load=True, parent=None):
        super().__init__(parent)
        self.algorithm = QgsApplication.processingRegistry().createAlgorithmById(name)
        if self.algorithm is None:
            raise GeoConceptError(self.tr("the algorithm {0} is not there: enable the plugin GeoConcept").format(name))
        self.parameters, self.done, self.failed, self.load = parameters, done, failed, load
        self.context, self.feedback = QgsProcessingContext(), _Feedback()
        self.context.setProject(QgsProject.instance())
        self.context.setFeedback(self.feedback)
        fine, why = self.algorithm.checkParameterValues(parameters, self.context)
        if not fine:
            raise GeoConceptError(why)
        self.task = QgsProcessingAlgRunnerTask(self.algorithm, parameters, self.context, self.feedback)
        self.task.executed.connect(self._executed)

    def start(self):
        """Begin; return the task."""
        _RUNNING.add(self)
        QgsApplication.taskManager().addTask(self.task)
        return self.task

    def let_go(self):
        """Cancel, and never call back."""
        self.done = self.failed = _ignore
        self.task.cancel()

    def wait(self, seconds):
        """Wait for the thread."""
        self.task.waitForFinished(int(seconds * 1000))

    def _executed(self, fine, results):
        _RUNNING.discard(self)
        if self.feedback.isCanceled():
            return
        if not fine:
            self.failed(_last_line(self.feedback.error) or self.tr("it failed; the log has the details"))
            return
        if self.load:
            from processing.gui.Postprocessing import handleAlgorithmResults

            handleAlgorithmResults(self.algorithm, self.context, self.feedback, parameters=self.parameters)
        self.done(results)


def _ignore(_):
    pass


def _last_line(text):
    """What a traceback ends with is what it says."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ""


class JobList(QWidget):
    """What is running, one row a task: its title, its bar, and Cancel beside it."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setObjectName("geoconceptJobs")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        self.rows = {}

    def add(self, task, title):
        """Show a task until it ends."""
        row = _Row(task, title, self)
        self.rows[task] = row
        self.layout().addWidget(row)
        return row


class _Row(QWidget):
    def __init__(self, task, title, parent):
        super().__init__(parent)
        self.jobs, self.task = parent, task
        label, self.bar = QLabel(title), QProgressBar()
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        label.setToolTip(title)
        self.bar.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.button = QPushButton(tr("JobList", "Cancel"))
        self.button.setToolTip(tr("JobList", "Stop; nothing half-made is kept"))
        self.button.clicked.connect(task.cancel)
        self.button.clicked.connect(lambda: self.button.setEnabled(False))
        # Methods, not lambdas: Qt forgets them with this row, and late signals find nobody.
        task.progressChanged.connect(self._move)
        task.taskCompleted.connect(self._end)
        task.taskTerminated.connect(self._end)
        box = QGridLayout(self)
        box.setContentsMargins(8, 0, 8, 0)
        box.setVerticalSpacing(2)
        box.addWidget(label, 0, 0, 1, 2)
        box.addWidget(self.bar, 1, 0)
        box.addWidget(self.button, 1, 1)

    def _move(self, value):
        self.bar.setValue(int(value))

    def _end(self):
        self.jobs.rows.pop(self.task, None)
        self.hide()
        self.deleteLater()
