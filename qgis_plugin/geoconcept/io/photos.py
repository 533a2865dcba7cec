# SPDX-License-Identifier: GPL-2.0-or-later
"""Photos through the engine, and vectors from files, to queries that can be located."""

from pathlib import Path

import numpy as np

from .. import engine, service
from ..compat import tr
from ..core.errors import Cancelled, GeoConceptError, InputError
from ..core.locate.vectors import Query, query_of, to_shared
from ..core.model import CLIP_TOWER, DEFAULT_SPACE
from ..engine.finder import clip_weights

__all__ = ["PHOTOS", "collect", "read"]

#: Endings of photos that are taken from a folder; a file that is named is tried whatever it is called.
PHOTOS = (
    *(".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".jp2", ".avif", ".heic", ".heif"),
)


def collect(inputs):
    """Return the files that are meant: those named, and the photos and vectors in folders, in order, each once.

    Raises
    ------
    InputError
        There is no such file, or no photo in a folder.
    """
    found = []
    for name in inputs:
        path = Path(name)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in (*PHOTOS, ".npy") and p.is_file())
            if not inside:
                raise InputError(tr("photos", "folder {0} holds no photos").format(path))
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise InputError(tr("photos", "there is no file {0}").format(path))
    if not found:
        raise InputError(tr("photos", "choose at least one photo, folder or vector"))
    return list(dict.fromkeys(found))


def read(paths, tower, weights, feedback):
    """Return queries in the order of the files, and what is wrong with the rest.

    Parameters
    ----------
    paths : list of pathlib.Path
        Photos and ``.npy`` files.
    tower : {"auto", "clip", "weak"}
        What reads photos.
    weights : str or None
        CLIP's weights; None is what the settings name.
    feedback : QgsProcessingFeedback
        Cancel is looked at ten times a second.

    Returns
    -------
    queries : list of (Query, (lon, lat) or None)
        With the position that a photo's EXIF reports, which nothing here uses.
    problems : list of (str, str)
        Name and problem.

    Raises
    ------
    GeoConceptError
        There is nothing that can be located; the message says why.
    """
    photos = [path for path in paths if path.suffix.lower() != ".npy"]
    found, problems = {}, []
    if photos:
        try:
            found, problems = _through_engine(photos, tower, weights, feedback)
        except Cancelled:
            raise
        except GeoConceptError as error:
            problems = [(path.name, str(error)) for path in photos]
    for path in paths:
        if path not in photos:
            try:
                found[path] = [(query, None) for query in _from_file(path)]
            except GeoConceptError as error:
                problems.append((path.name, str(error)))
    queries = [query for path in paths for query in found.get(path, [])]
    if not queries:
        raise InputError(problems[0][1])
    return queries, problems


def _fitting(tower):
    """Return the tower to ask for: the weak one leads into GeoCLIP's space alone, and the model may be another."""
    model = service.model()
    fits = ["clip"] if model.image_tower["tower"] == CLIP_TOWER else []
    fits += ["weak"] if model.space == DEFAULT_SPACE else []
    if not fits:
        raise InputError(
            tr("photos", "the engine reads no photos for model {0}: give vectors (.npy)").format(model.name)
        )
    if tower not in ("auto", *fits):
        text = tr("photos", "model {0} reads photos by the tower '{1}', not by '{2}': choose that one")
        raise InputError(text.format(model.name, fits[0], tower))
    return fits[0] if len(fits) == 1 else tower


def _through_engine(photos, tower, weights, feedback):
    tower = _fitting(tower)
    feedback.pushInfo(tr("photos", "Starting the engine ..."))
    worker = engine.running(feedback.isCanceled)
    vectors, record = worker.encode_images(
        photos,
        tower=tower,
        weights=weights or clip_weights(),
        cancelled=feedback.isCanceled,
        progress=lambda percent, message: (feedback.setProgress(percent / 5.0), feedback.setProgressText(message)),
    )
    if record["warning"]:
        feedback.pushWarning(record["warning"])
    name = f"{record['tower_name']}{' (weak)' if record['tower'] == 'weak' else ''}, sha256 {record['sha256']}"
    shared = vectors if record["kind"] == "weak" else to_shared(vectors, service.model())
    found = {}
    for row, vector, exif in zip(record["rows"], shared, record["exif"]):
        query = Query(photos[row].name, record["kind"], vector, name)
        found[photos[row]] = [(query, tuple(exif) if exif else None)]
    return found, [(photos[one["row"]].name, one["message"]) for one in record["failures"]]


def _from_file(path):
    """Return the queries of a file of vectors, one a row."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(tr("photos", "it is no array of numpy: {0}").format(error)) from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or array.ndim not in (1, 2) or not array.size:
        raise InputError(tr("photos", "it must hold numbers: 768 or 512 of them, or rows of as many"))
    rows = np.atleast_2d(array).astype(np.float32)
    names = [path.name] if len(rows) == 1 else [f"{path.name}[{k}]" for k in range(len(rows))]
    return [query_of(row, service.model(), name) for row, name in zip(rows, names)]
