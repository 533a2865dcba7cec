# SPDX-License-Identifier: GPL-2.0-or-later
"""Where an interpreter with geoconcept_gis is, and where one is to make an environment from."""

import json
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

from qgis.core import QgsSettings

from ..compat import tr
from ..core.errors import Cancelled
from .client import clean_environment, hidden, kill_tree

__all__ = [
    "SETTING",
    "UNFINISHED",
    "WEIGHTS",
    "Found",
    "base_python",
    "candidates",
    "check",
    "clip_weights",
    "find",
    "home",
    "python_in",
]

#: Settings of the user: the engine's Python, and CLIP's weights.
SETTING, WEIGHTS = "Geoconcept/enginePython", "Geoconcept/clipWeights"
#: A file with this name marks an environment whose installation has not ended.
UNFINISHED = "geoconcept-unfinished"
#: The package runs on these.
_OLDEST = (3, 11)
#: Seconds: the first import after an installation compiles much.
_PATIENCE = 120.0

#: What a check says: `ok`, the path, its `version` of the package, and `message`, what is wrong where it is not.
Found = namedtuple("Found", "python ok version message")


def home():
    """Return the folder of environments that the plugin made: ``.geoconcept`` in the user's home; it need not exist."""
    return Path.home() / ".geoconcept"


def clip_weights():
    """Return the file or folder of CLIP's weights that the user chose, or None."""
    return QgsSettings().value(WEIGHTS, "", str) or None


def python_in(folder):
    """Return the interpreter of an environment."""
    return Path(folder) / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def candidates():
    """Return interpreters that may have the package: the user's choice, then finished environments, newest first."""
    chosen = QgsSettings().value(SETTING, "", str)
    made = sorted(home().glob("engine-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    found = [python_in(folder) for folder in made if not (folder / UNFINISHED).exists()]
    return ([Path(chosen).expanduser()] if chosen else []) + [path for path in found if path.is_file()]


def check(python, cancelled=None, timeout=_PATIENCE):
    """Try whether an interpreter has the package; takes seconds, so never on the GUI's thread.

    Parameters
    ----------
    python : path-like
    cancelled : callable, optional
        True stops.
    timeout : float
        In seconds.

    Returns
    -------
    Found

    Raises
    ------
    Cancelled
    """
    python = Path(python)
    if not python.is_file():
        return Found(python, False, "", tr("finder", "{0} is not there").format(python))
    code = "import json, geoconcept_gis as g, geoconcept_gis.engine; print(json.dumps({'version': g.__version__}))"
    text, error = _say(python, code, cancelled, timeout)
    try:
        return Found(python, True, str(json.loads(text.splitlines()[-1])["version"]), "")
    except (ValueError, IndexError, KeyError, TypeError):
        last = (error.strip().splitlines() or [tr("finder", "it said nothing")])[-1]
        return Found(python, False, "", tr("finder", "{0} has no geoconcept_gis: {1}").format(python, last))


def find(cancelled=None):
    """Return the first interpreter that has the package, or None and what is missing, as a text for the user."""
    problems = []
    for python in candidates():
        found = check(python, cancelled)
        if found.ok:
            return found, ""
        problems.append(found.message)
    missing = tr(
        "finder",
        "photos are read by CLIP, which runs outside QGIS, in an engine that is not there yet. Install it in the "
        "plugin's options, or choose a Python there that has geoconcept_gis with its extra 'images'. Vectors (.npy) "
        "work without it.",
    )
    return None, " ".join([missing, *problems])


def base_python(cancelled=None):
    """Return a Python to make environments from, or None.

    ``sys.executable`` is no answer: inside QGIS it may be QGIS itself, and running that opens a second QGIS.
    """
    root = Path(sys.prefix)
    names = ["python.exe", "python3.exe"] if sys.platform == "win32" else ["bin/python3", "bin/python"]
    likely = [root / name for name in names]
    versions = ["python3.13", "python3.12", "python3.11", "python3"]
    likely += [Path(path) for path in map(shutil.which, versions) if path]
    for python in dict.fromkeys(likely):
        if python.is_file() and _is_python(python, cancelled):
            return python
    return None


def _is_python(python, cancelled):
    """Whether it is a Python, new enough, that can make environments; by its name first, before anything is run."""
    if not python.name.lower().startswith("python"):
        return False
    text, _ = _say(python, "import sys, venv, ensurepip; print(*sys.version_info[:2])", cancelled, 20.0)
    try:
        return tuple(map(int, text.split())) >= _OLDEST
    except ValueError:
        return False


def _say(python, code, cancelled, timeout):
    """Return what a line of Python prints, and its errors."""
    try:
        process = subprocess.Popen(
            [str(python), "-I", "-X", "utf8", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            cwd=str(Path.home()),
            **hidden(),
        )
    except OSError as error:
        return "", str(error)
    end = time.monotonic() + timeout
    while True:
        try:
            out, error = process.communicate(timeout=0.1)
            return out.decode("utf-8", "replace"), error.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            stopped = cancelled is not None and cancelled()
            if stopped or time.monotonic() > end:
                kill_tree(process)
                process.communicate()
                if stopped:
                    raise Cancelled(tr("finder", "stopped")) from None
                return "", tr("finder", "no answer in {0:.0f} seconds").format(timeout)
