"""All that a run's teachers teach."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .finest import add_finest
from .lessons import gather_lessons
from .photos import gather_photos
from .scenes import gather_scenes
from .texts import gather_texts

if TYPE_CHECKING:
    from pathlib import Path

    from ...model import GeoConceptModel
    from ...progress import Progress
    from .config import TeachConfig
    from .lessons import Lessons

__all__ = ["all_lessons"]


def all_lessons(
    config: TeachConfig, teacher: GeoConceptModel, folder: Path, *, progress: Progress | None = None
) -> Lessons:
    """Gather what all teachers teach: lessons kept in `folder`, and texts, scenes and photos where they count."""
    lessons = gather_lessons(config.lessons, teacher, folder, progress=progress)
    weights = config.teachers
    if weights.finest:
        lessons = add_finest(lessons, teacher, folder, weights.finest, progress=progress)
    return replace(
        lessons,
        texts=gather_texts(lessons, teacher.space, seed=config.seed) if weights.texts else None,
        scenes=gather_scenes() if weights.scenes else None,
        photos=gather_photos(config.photos, teacher, seed=config.seed) if config.photos and weights.photos else None,
    )
