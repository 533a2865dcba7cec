# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine's environment: made with the user's consent, in the user's home, never in QGIS's own Python."""

import platform
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from qgis.core import Qgis, QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ..compat import tr
from ..core import __version__
from ..core.errors import Cancelled
from .client import EngineError, clean_environment, hidden, kill_tree
from .finder import UNFINISHED, base_python, check, home, python_in

__all__ = ["InstallTask", "Plan", "install"]

#: Free space that must be there: torch for graphics cards takes over 5 GB, for processors alone 1 GB.
_NEEDED = 7_000_000_000
_REQUIREMENT = "geoconcept-gis[images]=={0}"


class Plan:
    """What is to be installed, and where; nothing happens before `install` is called with it.

    Parameters
    ----------
    python : path-like, optional
        The Python to make the environment from; None is `base_python`, looked for when it begins.
    index : str, optional
        URL of the index to install from; empty is pip's own setting.
    wheels : str, optional
        Folder with all wheels: then nothing is fetched.
    requirement : str, optional
        What to install; None is this version of the package with its extra ``images``.
    folder : path-like, optional
        Where; None is ``engine-<version>`` in `home`.
    needed : int
        Bytes that must be free.
    """

    def __init__(self, python=None, index="", wheels="", requirement=None, folder=None, needed=_NEEDED):
        self.python = None if python is None else Path(python)
        self.index, self.wheels, self.needed = index, wheels, needed
        self.requirement = requirement or _REQUIREMENT.format(__version__)
        self.folder = home() / f"engine-{__version__}" if folder is None else Path(folder)

    def question(self):
        """Return what the user is to agree to."""
        source = self.wheels or self.index or tr("installer", "the index that pip is set to")
        return tr(
            "installer",
            "This makes a Python environment in {0} and installs {1} and all that it needs (torch above all) from {2}. "
            "It takes 2 to 7 GB on the disk and some minutes. QGIS's own Python is not touched; to remove it, delete "
            "the folder. CLIP's weights (1.7 GB) are not part of it: you choose a file of them afterwards.",
        ).format(self.folder, self.requirement, source)

    def commands(self):
        """Return the commands that install into the environment."""
        python = str(python_in(self.folder))
        pip = [
            python,
            "-I",
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
        ]
        if self.wheels:
            pip += ["--no-index", "--find-links", self.wheels]
        elif self.index:
            pip += ["--index-url", self.index]
        return [[*pip, self.requirement]]


def install(plan, agreed, log, cancelled):
    """Make the environment; an unfinished one is taken up again, a broken one replaced. Never on the GUI's thread.

    Parameters
    ----------
    plan : Plan
    agreed : bool
        Whether the user said yes to `Plan.question`.
    log : callable
        Called with each line.
    cancelled : callable
        Asked ten times a second; true stops, and what is there is taken up again the next time.

    Returns
    -------
    pathlib.Path
        The environment's Python.

    Raises
    ------
    EngineError
        There is no consent, no space, no Python to begin with, or a step failed; the message says which and why.
    Cancelled
    """
    if not agreed:
        raise EngineError(tr("installer", "nothing was installed: the question was not answered with yes"))
    _check_space(plan)
    python, mark = python_in(plan.folder), plan.folder / UNFINISHED
    if mark.exists() or not plan.folder.exists():
        _make_environment(plan, log, cancelled)
    elif not python.is_file():
        raise EngineError(
            tr("installer", "{0} is there and is no environment of this plugin: move it away").format(plan.folder)
        )
    mark.touch()
    for command in plan.commands():
        _run(command, log, cancelled)
    log(tr("installer", "Trying it ..."))
    found = check(python, cancelled)
    if not found.ok:
        raise EngineError(found.message)
    mark.unlink()
    log(tr("installer", "Done: geoconcept_gis {0} in {1}").format(found.version, plan.folder))
    return python


def _check_space(plan):
    """Refuse to begin where the disk would fill up."""
    place = next(folder for folder in [plan.folder, *plan.folder.parents] if folder.is_dir())
    free = shutil.disk_usage(place).free
    if free < plan.needed:
        raise EngineError(
            tr("installer", "{0} has {1:.1f} GB free; the engine needs up to {2:.1f} GB").format(
                place, free / 1e9, plan.needed / 1e9
            )
        )


def _make_environment(plan, log, cancelled):
    """Make a bare environment, unless a usable one is there already."""
    python = python_in(plan.folder)
    if python.is_file() and _has_pip(python, cancelled):
        log(tr("installer", "Going on with {0}").format(plan.folder))
        return
    base = plan.python or base_python(cancelled)
    if base is None:
        raise EngineError(
            tr(
                "installer",
                "no Python of version 3.11 or later that can make environments was found: install one (on Debian and "
                "Ubuntu with python3-venv), and choose it",
            )
        )
    shutil.rmtree(plan.folder, ignore_errors=True)
    plan.folder.mkdir(parents=True)
    (plan.folder / UNFINISHED).touch()
    _run([str(base), "-I", "-m", "venv", str(plan.folder)], log, cancelled)


def _has_pip(python, cancelled):
    """Whether an environment is whole enough to go on with."""
    try:
        _run([str(python), "-I", "-m", "pip", "--version"], lambda line: None, cancelled)
    except EngineError:
        return False
    return True


def _run(command, log, cancelled):
    """Run a command to its end, line by line into the log."""
    log("> " + " ".join(command))
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            cwd=str(Path.home()),
            **hidden(),
        )
    except OSError as error:
        raise EngineError(tr("installer", "{0} cannot be started: {1}").format(command[0], error.strerror)) from error
    lines = queue.Queue()

    def read():
        for line in process.stdout:
            lines.put(line.decode("utf-8", "replace").rstrip())
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    last = ""
    while True:
        if cancelled():
            kill_tree(process)
            raise Cancelled(tr("installer", "stopped; the next time it goes on from here"))
        try:
            line = lines.get(timeout=0.1)
        except queue.Empty:
            continue
        if line is None:
            break
        if line:
            log(line)
            last = line if "error" in line.lower() or not last else last
    process.stdout.close()
    if process.wait() != 0:
        raise EngineError(tr("installer", "a step failed: {0}").format(last or " ".join(command)))


class InstallTask(QgsTask):
    """`install` in the background, with its lines as a signal and as text to copy.

    Parameters
    ----------
    plan : Plan
    agreed : bool
        Whether the user said yes to `Plan.question`.
    """

    line = pyqtSignal(str)

    def __init__(self, plan, agreed):
        super().__init__(tr("installer", "Install the GeoConcept engine"), QgsTask.Flag.CanCancel)
        self.plan, self.agreed, self.lines, self.problem, self.python = plan, agreed, [], "", None

    def run(self):
        """Do it; true where it ended well. What is wrong is in `problem`."""
        try:
            self.python = install(self.plan, self.agreed, self._log, self.isCanceled)
        except Cancelled as error:
            self._log(str(error))
            return False
        except (EngineError, OSError) as error:
            self.problem = str(error)
            self._log(self.problem)
            return False
        return True

    def _log(self, line):
        self.lines.append(line)
        self.line.emit(line)

    def diagnostics(self):
        """Return all that a bug report needs; the user's home is not named."""
        facts = [
            f"plugin {__version__}, QGIS {Qgis.QGIS_VERSION}, {platform.platform()}",
            f"Python of QGIS {platform.python_version()} in {sys.prefix}",
            f"engine {self.plan.folder}, {self.plan.requirement}",
            f"problem: {self.problem or 'none'}",
            *self.lines[-200:],
        ]
        return "\n".join(facts).replace(str(Path.home()), "~")
