"""Phrases whose truth is known at the places of a lesson, and what the words' tower says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...bank.definitions import PHOTOS, definitions
from ...bank.sources import countries, data_folder
from ...errors import ConfigError
from ...fitting import weighted_auroc
from ...text.pairs import HELD_OUT, HeldOut
from ...text.pairs_truths import read_phrases
from ...text.tower import BundledTower
from .lessons import SETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .lessons import Lessons

__all__ = ["Texts", "gather_texts"]

#: Phrases of two truths: what, and where; so many are drawn, and those of too few places dropped.
_COMPOSED = {"landforms": "{} in {}", "adjectives": "{} parts of {}", "relations": "somewhere in {1} {0}"}
_DRAWN, _FEWEST, _SAMPLE = 4_000, 50, 200_000
#: A phrase that the tower reads worse than this (AUROC at so many places) is not taught, if it can be told.
_WELL_READ, _READ, _FEWEST_READ = 0.65, 10_000, 20
#: Of the phrases of two truths one in so many is not taught: whether its places are found says what was understood.
_HELD = 5


@dataclass(frozen=True, eq=False)
class Texts:
    """Phrases and their truths.

    Attributes
    ----------
    phrases : tuple of str
    directions : ndarray of float32, shape (P, 512)
        Unit rows that read centred place vectors.
    truths : ndarray of int64, shape (P, 2)
        Columns of `Lessons.labels` that both must hold; twice the same where there is one.
    held : ndarray of bool, shape (P,)
        Not taught.
    """

    phrases: tuple[str, ...]
    directions: NDArray[np.float32]
    truths: NDArray[np.int64]
    held: NDArray[np.bool_]


def gather_texts(lessons: Lessons, space: str, *, seed: int = 0) -> Texts:
    """Collect phrases whose truths are labels of the lessons, and read them; a matter of seconds.

    Parameters
    ----------
    lessons : Lessons
    space : str
        Of the teacher's vectors: the tower's directions must be of the same.
    seed : int, default 0
        Of the phrases that join two truths.

    Returns
    -------
    Texts

    Raises
    ------
    ConfigError
        The tower is of another space.
    MissingDependencyError
        wordllama is not installed.

    Notes
    -----
    Names, aliases and prompts of the bank's concepts and the phrases that the tower itself was trained on, where their
    truth is one label or two; then what joined with where: "salt marshes in Senegal". No phrase is one that the words
    benchmark asks for (``text/held_out.txt``).
    """
    tower = BundledTower.load()
    if tower.space != space:
        raise ConfigError(f"teachers.texts: the words' tower is of space {tower.space!r}, the teacher of {space!r}")
    held = HeldOut(HELD_OUT)
    known = {name: k for k, name in enumerate(lessons.label_names)}
    found = {text: truth for text, truth in _single(known) if not held.forbids(text)}
    composed = {text: truth for text, truth in _composed(known, lessons, seed) if not held.forbids(text)}
    phrases = (*found, *(text for text in composed if text not in found))
    truths = np.array([(composed | found)[text] for text in phrases], dtype=np.int64)
    directions = tower.encode(phrases)
    composed_only = np.arange(len(phrases)) >= len(found)
    good = _understood(directions, truths, lessons)
    return Texts(
        tuple(text for text, kept in zip(phrases, good, strict=True) if kept),
        directions[good],
        truths[good],
        (composed_only & (np.arange(len(phrases)) % _HELD == 0))[good],
    )


def _understood(directions: NDArray[np.float32], truths: NDArray[np.int64], lessons: Lessons) -> NDArray[np.bool_]:
    """Tell which phrases the tower reads rightly off the teacher's vectors: the others would teach what is not so."""
    rows = np.flatnonzero(~lessons.held)[:_READ]
    unit = lessons.meaning[rows].astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    centred = unit - unit[lessons.drawn[rows] == SETS.index("land")].mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    good = np.ones(len(truths), dtype=bool)
    for k, (first, second) in enumerate(truths):
        truth = np.minimum(lessons.labels[rows, first], lessons.labels[rows, second])
        known, y = truth >= 0, truth == 1
        if min(y.sum(), (known & ~y).sum()) >= _FEWEST_READ:
            good[k] = weighted_auroc(centred[known] @ directions[k], y[known])[0] >= _WELL_READ
    return good


def _single(known: dict[str, int]) -> Iterator[tuple[str, tuple[int, int]]]:
    for one in definitions(countries(data_folder())):
        if one.universe != PHOTOS and one.name in known:
            for text in (one.name, *one.aliases, *one.prompts):
                yield text, (known[one.name],) * 2
    for lines in read_phrases().values():
        for truth, texts in lines.items():
            terms = [term.strip() for term in truth.split("&")]
            if len(terms) <= 2 and all(term in known for term in terms):
                for text in texts:
                    yield text, (known[terms[0]], known[terms[-1]])


def _composed(known: dict[str, int], lessons: Lessons, seed: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Join phrases of one truth with the name of a country or region where it holds, too."""
    rng = np.random.default_rng(seed)
    where = [
        name for name, family in zip(lessons.label_names, lessons.label_families, strict=True) if family == "place"
    ]
    spoken = [
        (pattern, known[truth], texts)
        for section, pattern in _COMPOSED.items()
        for truth, texts in read_phrases().get(section, {}).items()
        if truth in known
    ]
    if not where or not spoken:
        return
    holds = (lessons.labels[:_SAMPLE][~lessons.held[:_SAMPLE]] == 1).astype(np.float32)
    together = holds.T @ holds
    for _ in range(_DRAWN):
        pattern, what, texts = spoken[rng.integers(len(spoken))]
        text, area = texts[rng.integers(len(texts))], where[rng.integers(len(where))]
        if _FEWEST <= together[what, known[area]] <= 0.9 * together[known[area], known[area]]:
            yield pattern.format(text, area), (what, known[area])
