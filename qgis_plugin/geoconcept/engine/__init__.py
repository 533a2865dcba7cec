# SPDX-License-Identifier: GPL-2.0-or-later
"""The optional engine: CLIP in an interpreter of its own. QGIS asks it for vectors and draws the maps itself.

`running` gives the one engine of this QGIS, started when it is first asked for; `stop` ends it, when the plugin is
unloaded. Everything here may take seconds: call it from a worker thread, never from the GUI's.
"""

import threading

from .client import Engine, EngineError
from .finder import candidates, find

__all__ = ["EngineError", "running", "stop"]

_LOCK = threading.Lock()
_kept = {}


def running(cancelled=None):
    """Return the engine, started if need be.

    Parameters
    ----------
    cancelled : callable, optional
        Asked several times a second while it starts; true stops.

    Returns
    -------
    Engine

    Raises
    ------
    EngineError
        There is none on this machine, or it does not start; the message says how to get one.
    """
    with _LOCK:
        engine, asked = _kept.get("engine"), candidates()
        if engine is not None and _kept["asked"] != asked:  # the user has chosen or made another one
            engine.close()
        if engine is None or not engine.alive:
            found, problems = find(cancelled)
            if found is None:
                raise EngineError(problems)
            _kept["asked"] = asked
            engine = _kept["engine"] = Engine(found.python)
            engine.start(cancelled)
        return engine


def stop():
    """End the engine, if one runs, also in the middle of a job."""
    engine = _kept.pop("engine", None)
    if engine is not None:
        engine.kill()
