# SPDX-License-Identifier: GPL-2.0-or-later
"""A conversation with the engine: ``python -I -m geoconcept_gis.engine`` in another interpreter, lines of JSON."""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..compat import tr
from ..core.errors import Cancelled, GeoConceptError

__all__ = ["Engine", "EngineError", "clean_environment", "hidden", "kill_tree"]

PROTOCOL = 1
#: Seconds until Cancel is looked at again, and until a silent engine counts as stuck: at its start, and at work, where
#: loading CLIP from a slow disk is the longest silence.
_TICK, _START, _SILENCE = 0.1, 120.0, 600.0
#: A longer line is none of ours; the answer for 100,000 photos has some five million characters.
_LONGEST = 1 << 26
#: What QGIS and its starters set for their own Python and libraries.
_FOREIGN = ("PYTHON", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_", "GDAL_", "PROJ_", "QT_", "VIRTUAL_ENV", "CONDA_")


class EngineError(GeoConceptError, RuntimeError):
    """The engine is missing, broke down, or refused; the message says what to do."""


def clean_environment():
    """Return the environment without what would lead another Python to QGIS's libraries."""
    kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(_FOREIGN)}
    return {**kept, "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}


def hidden():
    """Return arguments of `subprocess.Popen`: no console window on Windows, a process group of its own elsewhere."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def kill_tree(process):
    """End a process and what it started, at once."""
    if process.poll() is None:
        if sys.platform == "win32":
            command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
            subprocess.run(command, capture_output=True, check=False, **hidden())
        else:
            with suppress(ProcessLookupError):  # it may end by itself just now
                os.killpg(process.pid, 9)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()


class Engine:
    """One engine process.

    Parameters
    ----------
    python : path-like
        An interpreter with geoconcept_gis.
    idle : float, optional
        Seconds without a request until it ends by itself.
    """

    def __init__(self, python, idle=1800.0):
        self.python, self.idle, self.about = Path(python), idle, {}
        self._process = self._folder = None
        self._answers, self._log, self._number = queue.Queue(), deque(maxlen=200), 0
        self._lock, self._readers = threading.Lock(), []

    @property
    def alive(self):
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self):
        """What it printed last, for diagnostics."""
        return "\n".join(self._log)

    def start(self, cancelled=None, timeout=_START):
        """Start it and wait until it is ready.

        Raises
        ------
        EngineError
            It does not start, or is of another version.
        Cancelled
        """
        self._folder = tempfile.TemporaryDirectory(prefix="geoconcept-engine-")
        command = [str(self.python), "-I", "-X", "utf8", "-m", "geoconcept_gis.engine"]
        command += ["--folder", self._folder.name, "--idle", str(self.idle)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=clean_environment(),
                cwd=self._folder.name,
                **hidden(),
            )
        except OSError as error:
            self.kill()
            raise EngineError(
                tr("Engine", "the engine's Python {0} cannot be started: {1}").format(self.python, error.strerror)
            ) from error
        self._readers = [
            threading.Thread(target=read, args=(self._process,), daemon=True)
            for read in (self._read_answers, self._read_log)
        ]
        for reader in self._readers:
            reader.start()
        self.about = self._wait(None, "ready", cancelled, None, timeout)
        if self.about.get("protocol") != PROTOCOL:
            self.kill()
            raise EngineError(
                tr("Engine", "the engine speaks version {0} of the protocol, the plugin {1}: install both anew").format(
                    self.about.get("protocol"), PROTOCOL
                )
            )

    def encode_images(self, paths, *, tower="auto", weights=None, cancelled=None, progress=None):
        """Return vectors of photos.

        Parameters
        ----------
        paths : sequence of str
        tower : {"auto", "clip", "weak"}
        weights : str, optional
            File or folder with CLIP's weights; None is what the environment names.
        cancelled : callable, optional
            Asked ten times a second; true kills the engine, within two seconds.
        progress : callable, optional
            Called with (percent, message).

        Returns
        -------
        vectors : ndarray of float32, shape (N, 768) or (N, 512)
            Of the photos that could be read: CLIP's features, or of the weak tower vectors of the shared space.
        record : dict
            ``kind`` ("image" or "weak"), ``tower``, ``tower_name``, ``sha256``, ``warning``, ``rows`` (which of `paths`
            the vectors are of), ``exif`` ([lon, lat] or None each), ``failures`` (``row``, ``message``).

        Raises
        ------
        EngineError, Cancelled
        """
        request = {"op": "encode_images", "paths": [str(path) for path in paths], "tower": tower, "weights": weights}
        return self._ask(request, cancelled, progress)

    def encode_text(self, texts, *, weights=None, cancelled=None, progress=None):
        """Return CLIP's features of texts, (N, 768), and a record; as `encode_images`."""
        return self._ask({"op": "encode_text", "texts": list(texts), "weights": weights}, cancelled, progress)

    def hello(self, weights=None, cancelled=None):
        """Return what runs there and which towers it has."""
        with self._lock:
            return self._send({"op": "hello", "weights": weights}, cancelled, None, _START)

    def close(self):
        """Ask it to end, and see that it does."""
        if self.alive:
            try:
                self._process.stdin.write(b'{"op": "quit"}\n')
                self._process.stdin.flush()
                self._process.wait(timeout=2)
            except (OSError, subprocess.TimeoutExpired):
                pass
        self.kill()

    def kill(self):
        """End it at once."""
        if self._process is not None:
            kill_tree(self._process)
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                with suppress(OSError):  # what was still to be written can no longer be
                    pipe.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _ask(self, request, cancelled, progress, timeout=_SILENCE):
        """Return the array that a request is answered with, and the answer."""
        with self._lock:
            request["out"] = f"{self._number + 1}.npy"
            answer = self._send(request, cancelled, progress, timeout)
            path = Path(self._folder.name) / request["out"]
            try:
                return np.load(path, allow_pickle=False), answer
            except (OSError, ValueError) as error:
                raise EngineError(tr("Engine", "the engine's vectors cannot be read: {0}").format(error)) from error
            finally:
                if path.is_file():
                    path.unlink()

    def _send(self, request, cancelled, progress, timeout):
        self._number += 1
        line = json.dumps({"id": self._number, **request}) + "\n"
        try:
            self._process.stdin.write(line.encode("ascii"))
            self._process.stdin.flush()
        except (OSError, ValueError, AttributeError):
            raise self._ended() from None
        return self._wait(self._number, "result", cancelled, progress, timeout)

    def _wait(self, number, kind, cancelled, progress, timeout):
        """Return the answer to a request; every answer to it winds the clock up again."""
        last = time.monotonic()
        while True:
            if cancelled is not None and cancelled():
                self.kill()
                raise Cancelled(tr("Engine", "stopped"))
            try:
                answer = self._answers.get(timeout=_TICK)
            except queue.Empty:
                if time.monotonic() - last > timeout:
                    self.kill()
                    raise EngineError(
                        tr("Engine", "the engine said nothing for {0:.0f} seconds and was ended.").format(timeout)
                        + self._tail()
                    ) from None
                continue
            if answer is None:
                raise self._ended()
            if answer.get("id") != number:
                continue  # to a request that nobody waits for any more
            last = time.monotonic()
            if answer["type"] == kind:
                return answer
            if answer["type"] == "error":
                raise EngineError(str(answer.get("message")))
            if progress is not None and answer["type"] == "progress":
                progress(float(answer.get("value", 0)), str(answer.get("message", "")))

    def _ended(self):
        """Return the error of an engine that is no more."""
        code = None
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                code = self._process.wait(timeout=1)
        for reader in self._readers:
            reader.join(timeout=1)
        self.kill()
        return EngineError(tr("Engine", "the engine ended by itself (code {0}).").format(code) + self._tail())

    def _tail(self):
        lines = [line for line in self._log if line.strip()][-3:]
        return " " + tr("Engine", "Its last lines: {0}").format(" / ".join(lines)) if lines else ""

    def _read_answers(self, process):
        """Keep what is an answer; anything else on stdout is somebody's print, and goes to the log."""
        try:
            for line in iter(lambda: process.stdout.readline(_LONGEST), b""):
                answer = _parse(line)
                if answer is None:
                    self._log.append(line.decode("utf-8", "replace").strip())
                else:
                    self._answers.put(answer)
        except (OSError, ValueError):
            pass  # closed while it was read
        self._answers.put(None)

    def _read_log(self, process):
        try:
            for line in iter(lambda: process.stderr.readline(_LONGEST), b""):
                self._log.append(line.decode("utf-8", "replace").rstrip())
        except (OSError, ValueError):
            pass  # closed while it was read


def _parse(line):
    """Return an answer, or None where the line is none."""
    try:
        answer = json.loads(line)
    except ValueError:
        return None
    known = isinstance(answer, dict) and answer.get("type") in ("ready", "progress", "result", "error")
    return answer if known else None
