# SPDX-License-Identifier: GPL-2.0-or-later
"""All concepts that can be chosen, with their small maps: loaded once, in a thread, for the dock and for forms."""

from qgis.PyQt.QtCore import QObject, pyqtSignal

from .. import service
from ..core.errors import GeoConceptError
from .jobs import Job
from .painting import image_of
from .thumbnails import World

__all__ = ["Catalogue", "Entry", "catalogue", "forget"]

_kept = []


class Entry:
    """A concept in lists.

    Parameters
    ----------
    concept : Concept
    path : Path or None
        File of a concept of the user's own.
    """

    def __init__(self, concept, path=None):
        self.concept, self.path = concept, path
        self.name, self.family, self.grade = concept.name, concept.family, concept.grade_at_places
        self.search = " ".join([self.name, *concept.aliases, self.family, concept.description]).lower()


class Catalogue(QObject):
    """Concepts of the bank and the user's own.

    Attributes
    ----------
    entries : list of Entry
        Own concepts first; empty until loaded.
    pictures : dict of str to QImage
        Small maps by name; they come after the entries.
    problem : str
        Why it could not be loaded.
    """

    #: Entries or pictures have changed.
    changed = pyqtSignal()
    #: Something a user should read: one sentence.
    told = pyqtSignal(str)
    #: Another model has been chosen: what was made with the old one means nothing any more.
    replaced = pyqtSignal()

    def __init__(self, parent=None):
        super().__init__(parent)
        self.entries, self.pictures, self.problem = [], {}, ""
        self.world = self._job = None

    def ensure(self):
        """Begin to load, unless that has been done."""
        if self._job is None and not self.entries:
            self.reload()

    def reload(self):
        """Read everything again: own concepts have changed."""
        if self._job is not None:
            self._job.let_go()
        self.problem = ""
        self._job = Job(self.tr("Reading concepts"), lambda _: _entries(), self._loaded, self._failed).start()

    def replace(self):
        """Begin anew with the model that has just been chosen."""
        self.entries, self.pictures, self.world = [], {}, None
        self.replaced.emit()
        self.reload()

    def _loaded(self, found):
        self.entries, problems = found
        for problem in problems:
            self.told.emit(problem)
        self.changed.emit()
        work = _Pictures(self.world, [e.concept for e in self.entries])
        self._job = Job(self.tr("Drawing small maps"), work, self._drawn, self._failed).start()

    def _drawn(self, found):
        first = self.world is None
        self.world, self.pictures = found
        self._job = None
        if first and self.world.problem:
            self.told.emit(
                self.tr("The profile cannot be written, so nothing is kept for the next start: {0}").format(
                    self.world.problem
                )
            )
        self.changed.emit()

    def _failed(self, sentence):
        self._job, self.problem = None, sentence
        self.told.emit(sentence)
        self.changed.emit()

    def picture_of(self, concept):
        """Return the small map of any concept, or None while the world is not embedded yet."""
        if concept.name not in self.pictures and self.world is not None:
            self.pictures[concept.name] = image_of(self.world.percentiles([concept])[0], "percentile")
        return self.pictures.get(concept.name)

    def close(self):
        """Stop what is running."""
        if self._job is not None:
            self._job.let_go()
            self._job = None


def _entries():
    """Return the entries and what is wrong with files of own concepts."""
    own = []
    _, problems = service.own_concepts()
    folder = service.own_folder()
    for path in sorted(folder.glob("*.concept")) if folder.is_dir() else []:
        try:
            own.append(Entry(service.concepts(str(path))[0], path))
        except (GeoConceptError, OSError):
            continue  # it is among the problems
    return own + [Entry(concept) for concept in service.model().bank], problems


class _Pictures:
    """Embeds the world, unless that is done, and paints all concepts at once; called in a thread."""

    def __init__(self, world, concepts):
        self.world, self.concepts = world, concepts

    def __call__(self, progress):
        world = self.world or World(progress)
        maps = world.percentiles(self.concepts)
        return world, {c.name: image_of(maps[k], "percentile") for k, c in enumerate(self.concepts)}


def catalogue():
    """Return the one catalogue; it loads nothing by itself."""
    if not _kept:
        _kept.append(Catalogue())
    return _kept[0]


def forget():
    """Let go of it; the plugin is being unloaded."""
    while _kept:
        _kept.pop().close()
