"""The finest capsule of the teacher: what of it can be learnt is learnt, too."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...files import atomic_file
from ...progress import report
from ...tensors import read_tensors, tensors_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from ...model import GeoConceptModel
    from ...progress import Progress
    from .lessons import Lessons

__all__ = ["add_finest"]

_STEP = 2048


def add_finest(
    lessons: Lessons, teacher: GeoConceptModel, folder: Path, share: float, *, progress: Progress | None = None
) -> Lessons:
    """Add a share of the finest capsule's part to the vectors that are taught; kept in `folder` for the next run.

    Parameters
    ----------
    lessons : Lessons
        Their ``meaning`` lacks the finest capsule, see `geoconcept_gis.train.teach.lessons.meaning_of`.
    teacher : GeoConceptModel
        Whose vectors they are.
    folder : pathlib.Path
        Of ``finest-*.safetensors``.
    share : float
        1 makes them the teacher's whole vectors.
    progress : callable, optional
        Called as ``progress(done, total)`` in places; return true to cancel.

    Returns
    -------
    Lessons

    Notes
    -----
    Most of this capsule tells places apart and cannot be learnt by a smaller network: of its squared error, what is
    learnt is the mean over places that the network cannot tell apart. That mean is worth having.
    """
    key = hashlib.sha256(lessons.lonlat.tobytes() + teacher.sha256.encode()).hexdigest()
    path = folder / f"finest-{key[:16]}.safetensors"
    if not path.is_file():
        finest = np.empty_like(lessons.meaning)
        report(progress, 0, len(lessons))
        for start in range(0, len(lessons), _STEP):
            rows = slice(start, start + _STEP)
            whole = teacher.encoder.encode_chunk(lessons.lonlat[rows])[:, : finest.shape[1]]
            finest[rows] = whole - lessons.meaning[rows].astype(np.float32)
            report(progress, min(start + _STEP, len(lessons)), len(lessons))
        with atomic_file(path) as part:
            part.write_bytes(tensors_bytes({"finest": finest}, {}))
    finest = read_tensors(path)[0]["finest"]
    meaning = lessons.meaning
    for start in range(0, len(lessons), _STEP):  # in place: nobody else reads them
        rows = slice(start, start + _STEP)
        meaning[rows] = meaning[rows].astype(np.float32) + np.float32(share) * finest[rows].astype(np.float32)
    return replace(lessons, meaning=meaning)
