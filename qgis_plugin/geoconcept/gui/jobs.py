# SPDX-License-Identifier: GPL-2.0-or-later
"""Work that must not hold the desktop up: in a thread, with Cancel, and with errors as one sentence."""

import traceback

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsMessageLog,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsTask,
)
from qgis.PyQt.QtCore import QObject, Qt
from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ..compat import tr
from ..core.errors import Cancelled, GeoConceptError

__all__ = ["LOG", "AlgorithmRun", "Job", "JobList", "log", "start", "stop_all"]

#: Tag of the plugin in QGIS's log.
LOG = "GeoConcept"
#: Tasks that run: QGIS does not keep Python's half of them alive.
_RUNNING = set()


def log(text, level=Qgis.MessageLevel.Info):
    """Write a line into the plugin's tab of QGIS's log."""
    QgsMessageLog.logMessage(text, LOG, level, False)


class Job(QgsTask):
    """One piece of work in a thread.

    Parameters
    ----------
    title : str
    work : callable
        Called in the thread as ``work(progress)``, where ``progress(done, total)`` is true once cancelled.
    done : callable, optional
        Called on the GUI thread with what `work` returned.
    failed : callable, optional
        Called on the GUI thread with one sentence; not called where the job was cancelled.
    hidden : bool
        Keep it out of QGIS's own list of tasks, where QGIS can (from 3.26 on).
    """

    def __init__(self, title, work, done=None, failed=None, hidden=False):
        flags = QgsTask.Flag.CanCancel
        for name in ("Hidden", "Silent") if hidden else ():
            flags |= getattr(QgsTask.Flag, name, QgsTask.Flag.CanCancel)
        super().__init__(title, flags)
        self.work, self.done, self.failed = work, done, failed
        self.result = self.error = None

    def run(self):
        """Do the work; called by QGIS in a thread."""
        try:
            self.result = self.work(self.progress_of)
        except Cancelled:
            return False
        except (GeoConceptError, QgsProcessingException, OSError) as error:
            self.error = str(error)
        except MemoryError:
            self.error = tr("Job", "there is not enough memory for this")
        except Exception as error:  # an error of ours: the log tells all, the user one sentence
            log(traceback.format_exc(), Qgis.MessageLevel.Critical)
            self.error = tr("Job", "{0}: {1} (the log has the details)").format(type(error).__name__, error)
        return self.error is None and not self.isCanceled()

    def progress_of(self, done, total):
        """Move the bar; tell whether to stop."""
        self.setProgress(100.0 * done / max(total, 1))
        return self.isCanceled()

    def finished(self, ok):
        """Hand the result over; called by QGIS on the GUI thread."""
        _RUNNING.discard(self)
        if ok and self.done is not None:
            self.done(self.result)
        elif self.error is not None and not self.isCanceled() and self.failed is not None:
            self.failed(self.error)

    def let_go(self):
        """Cancel, and never call back: what it was for is gone."""
        self.done = self.failed = None
        self.cancel()


def start(task):
    """Hand a task to QGIS; return it."""
    _RUNNING.add(task)
    QgsApplication.taskManager().addTask(task)
    return task


def stop_all(seconds=5.0):
    """Cancel all our jobs and wait for them: the plugin is being unloaded."""
    for task in list(_RUNNING):
        if isinstance(task, Job):
            task.let_go()
        else:
            task.cancel()
    for task in list(_RUNNING):
        task.waitForFinished(int(seconds * 1000))
    _RUNNING.clear()


class _Feedback(QgsProcessingFeedback):
    """Keeps the last error for the message bar and passes everything on to the log."""

    def __init__(self):
        super().__init__(False)
        self.error = ""

    def reportError(self, error, fatalError=False):  # noqa: N802, N803, ARG002
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
        self.task.kept = self  # as long as QGIS runs the task, we are needed
        return start(self.task)

    def _executed(self, fine, results):
        _RUNNING.discard(self.task)
        if self.feedback.isCanceled():
            return
        if not fine:
            self.failed(_last_line(self.feedback.error) or self.tr("it failed; the log has the details"))
            return
        if self.load:
            from processing.gui.Postprocessing import handleAlgorithmResults

            handleAlgorithmResults(self.algorithm, self.context, self.feedback, parameters=self.parameters)
        self.done(results)


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
        for ended in (task.taskCompleted, task.taskTerminated):
            ended.connect(lambda task=task: self._remove(task))
        return row

    def _remove(self, task):
        row = self.rows.pop(task, None)
        if row is not None:
            row.hide()
            row.deleteLater()


class _Row(QWidget):
    def __init__(self, task, title, parent):
        super().__init__(parent)
        label, self.bar = QLabel(title), QProgressBar()
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        label.setToolTip(title)
        self.bar.setFixedWidth(110)
        self.bar.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.button = QPushButton(tr("JobList", "Cancel"))
        self.button.setToolTip(tr("JobList", "Stop; nothing half-made is kept"))
        self.button.clicked.connect(task.cancel)
        self.button.clicked.connect(lambda: self.button.setEnabled(False))
        task.progressChanged.connect(lambda value: self.bar.setValue(int(value)))
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(label, 1)
        box.addWidget(self.bar)
        box.addWidget(self.button)
