"""A sentence becomes a concept: a direction, percentiles over land, and an honest grade."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..concepts import Concept
from ..concepts.concept import PERCENTILES
from ..errors import ConceptError, InputError, ModelFileError, PhraseWarning
from ..fitting import centre
from ..model import CLIP_TOWER, as_model
from ..reference import reference_places
from .lookup import ADAPTER, LOOKUP, WordLookup
from .words import split_words

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from ..model import GeoConceptModel
    from ..towers.clip import ClipTower
    from .tower import BundledTower

__all__ = ["TOWERS", "concept_from_text", "search_concepts", "tower_of"]

TOWERS = ("auto", "bundled", "clip")
_REFERENCE = "uniform_land"
#: Places over which percentiles and likeness are measured.
_PLACES = 8_192
#: Names of concepts whose mean stands for the average text in CLIP.
_TEXTS = 60
#: From this correlation over land with a concept of grade A or B on, a text concept is graded B.
_CLOSE = 0.7
#: A phrase less likely than this to be about places is flagged; one below the second is graded C at best.
_GEOGRAPHIC, _SURELY_GEOGRAPHIC = 0.5, 0.9
#: Below this correlation over land the two towers disagree.
_AGREE = 0.4


def concept_from_text(
    text: str,
    *,
    tower: str = "auto",
    model: GeoConceptModel | str | PathLike[str] | None = None,
    weights: str | PathLike[str] | None = None,
    download: bool = False,
) -> Concept:
    """Turn a word, a name or a sentence into a concept, to map it, put it into tables, or compare it.

    Parameters
    ----------
    text : str
        For example ``"olive groves by the sea"``; English.
    tower : {"auto", "bundled", "clip"}
        ``"bundled"`` runs offline and without torch, on the words of the model's folder where it has any, else on the
        package's, which read the bundled model's space; where wordllama or tokenizers is missing, as in QGIS, on its
        table of words alone, as `provenance` then says. ``"clip"`` is CLIP's own text encoder, whose weights must be
        at hand, see `load_clip`. ``"auto"`` is the bundled one, checked against CLIP where `weights` or the
        environment variable name a file.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default.
    weights : path-like, optional
        CLIP's weights.
    download : bool, default False
        Let open_clip fetch CLIP's weights if they are not there yet; its size is named in the error without.

    Returns
    -------
    Concept
        Of family ``"text"``. It has percentiles, but no calibration: nobody has marked the places that a text is
        about. Score it with ``kind="percentile"`` or ``"cosine"``.

        `grade` is B where a tested concept of grade A or B reads much the same places, C otherwise, and D for a phrase
        that is about no place. `provenance` holds the evidence: ``nearest`` concepts with their correlation over
        land and their grades, ``peak`` (how many standard deviations the top 1 % of land stands out), ``geographic``
        (0 to 1), ``unknown_words``, and ``towers_agree`` where both were asked.

    Raises
    ------
    InputError
        The text is empty or no text, the tower is unknown, or the model's image head does not read CLIP.
    ConceptError
        The tower knows not one word of it, and they are named; or the model has a space of its own and no words in it.

    Warns
    -----
    PhraseWarning
        Some words are unknown, the phrase is about no place, or the two towers disagree.

    See Also
    --------
    search_concepts : Concepts of the bank that mean about the same; they are tested.

    Examples
    --------
    >>> concept = concept_from_text("dry savanna in Africa")
    >>> concept.family, concept.calibration is None
    ('text', True)
    """
    text = _phrase(text, "text")
    if tower not in TOWERS:
        raise InputError(f"tower must be one of {', '.join(map(repr, TOWERS))}; got {tower!r}")
    model = as_model(model)
    reads = model.image_tower["tower"]
    if tower == "clip" and reads != CLIP_TOWER:
        raise InputError(f"model {model.name!r} reads photos through tower {reads!r}: tower='clip' does not fit it")
    clip = None if tower == "bundled" or reads != CLIP_TOWER else _clip(weights, download, must=tower == "clip")
    places = _places(model)
    if tower == "clip" and clip is not None:
        vector, evidence = _by_clip(clip, text, model), {"tower": clip.name, "tower_sha256": clip.sha256}
    else:
        vector, evidence = _by_words(text, model)
        if clip is not None:
            agreement = _correlation(places @ _by_clip(clip, text, model), places @ vector)
            evidence |= {"towers_agree": f"{agreement:.2f}", "second_tower": clip.name}
    return _concept(text, vector, evidence, places, model)


def search_concepts(
    query: str, *, model: GeoConceptModel | str | PathLike[str] | None = None, top: int = 10
) -> pd.DataFrame:
    """Find concepts of the bank by meaning: ``"wine"`` finds *vineyard*.

    Parameters
    ----------
    query : str
        Words, in English.
    model : GeoConceptModel, str, path-like or None
        Whose bank to search.
    top : int, default 10
        How many, best first.

    Returns
    -------
    pandas.DataFrame
        Columns ``name``, ``family``, ``grade``, ``match`` (0 to 1: 1 where a name or alias is the query itself, else
        half the cosine of the words and half the correlation of the maps) and ``description``. Those of grade D are in
        it.

    Raises
    ------
    InputError
        The query is empty, or `top` is below 1.
    ConceptError
        Not one word of it is known.

    Examples
    --------
    >>> search_concepts("lava")["name"][0]
    'volcano'
    """
    import pandas as pd

    query = _phrase(query, "query")
    if top < 1:
        raise InputError(f"top must be at least 1; got {top}")
    model = as_model(model)
    concepts = list(model.bank)
    labels = [(k, label) for k, c in enumerate(concepts) for label in (c.name, *c.aliases)]
    tower = tower_of(model)
    if not tower.known([query])[0]:
        raise ConceptError(f"not one word of {query!r} is known: spell it otherwise, or in English")
    words = _cosines(_meanings((query,))[0], _meanings(tuple(label for _, label in labels)))
    maps = np.maximum(_alike(tower.encode([query])[0], concepts, model), 0.0)
    match = np.zeros(len(concepts))
    wanted = split_words(query)
    for (k, label), value in zip(labels, words):
        found = 1.0 if split_words(label) == wanted else min((value + maps[k]) / 2.0, 0.99)
        match[k] = max(match[k], found)
    order = np.argsort(-match, kind="stable")[:top]
    return pd.DataFrame(
        {
            "name": [concepts[k].name for k in order],
            "family": [concepts[k].family for k in order],
            "grade": [concepts[k].grade for k in order],
            "match": match[order],
            "description": [concepts[k].description for k in order],
        }
    )


def _phrase(text: Any, argument: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{argument} must be a word or a phrase; got {text!r}")
    return " ".join(text.split())


@lru_cache(maxsize=4)
def _meanings(texts: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the mean of the static vectors of each text's words: what it means, wherever that is."""
    from .static import StaticWords

    return StaticWords().vectors([" ".join(split_words(text)) for text in texts])


def tower_of(model: GeoConceptModel) -> BundledTower | WordLookup:
    """Open the words of a model's own folder where it has any, else those of the package.

    Parameters
    ----------
    model : GeoConceptModel

    Returns
    -------
    BundledTower or WordLookup
        The second where wordllama or tokenizers is missing, as in QGIS.

    Raises
    ------
    ConceptError
        The words are of another space than the model; the message says how to fit some.
    ModelFileError
        The model's own words are missing, broken, or not those that its ``config.json`` names.

    Examples
    --------
    >>> tower_of(as_model(None)).space
    'geoclip-1.3.0'
    """
    table = _own_table(model)
    tower = _loaded(table)
    if table is not None and tower.sha256 != model.config["files"][table.name]:
        raise ModelFileError(f"{table} is not the file its folder describes (sha256 {tower.sha256[:12]}...)")
    if tower.space != model.space:
        raise ConceptError(
            f"the text tower reads vectors of space {tower.space!r}, the model has {model.space!r}: fit words in that "
            f"space with `geoconcept refit {model.folder} -o NEW_FOLDER`"
        )
    return tower


def _own_table(model: GeoConceptModel) -> Path | None:
    """Return the table of words in the model's folder: the tower's, else the smaller one, as in QGIS; None for none."""
    tables = [model.folder / name for name in (ADAPTER, LOOKUP.name) if name in model.config["files"]]
    return next((table for table in tables if table.is_file()), tables[0] if tables else None)


@lru_cache(maxsize=4)
def _loaded(table: Path | None) -> BundledTower | WordLookup:
    """Open a tower, None for the package's; where wordllama or tokenizers is missing, its table of words alone."""
    if table is None or table.name == ADAPTER:
        try:
            from .tower import BundledTower

            return BundledTower.load(None if table is None else table.parent)
        except ImportError:
            pass
    return WordLookup.load(table)


def _clip(weights: str | PathLike[str] | None, download: bool, *, must: bool) -> ClipTower | None:
    """Open CLIP where it is asked for, or where the user has laid its weights ready."""
    from ..towers.clip import load_clip, weights_at_hand

    if must or download or weights is not None or weights_at_hand():
        return load_clip(weights, download=download)
    return None


def _by_words(text: str, model: GeoConceptModel) -> tuple[NDArray[np.float32], dict[str, str]]:
    tower = tower_of(model)
    unknown = tower.unknown([text])[0]
    evidence = {"tower": tower.name, "tower_sha256": tower.sha256}
    if isinstance(tower, WordLookup):
        evidence["words"] = f"only those of the tower's table of {len(tower):,}; no other is guessed from its pieces"
    if unknown:
        named = ", ".join(map(repr, unknown))
        if not tower.known([text])[0]:
            raise ConceptError(
                f"the bundled text tower does not know {named}; it knows English words and the names of larger places. "
                "Spell it otherwise or in English, or use tower='clip'"
            )
        evidence["unknown_words"] = "; ".join(unknown)
        warnings.warn(
            f"the bundled text tower does not know {named} in {text!r} and reads the other words",
            PhraseWarning,
            stacklevel=3,
        )
    evidence["geographic"] = f"{tower.geographic([text])[0]:.2f}"
    return tower.encode([text])[0], evidence


def _by_clip(clip: ClipTower, text: str, model: GeoConceptModel) -> NDArray[np.float32]:
    """Return CLIP's direction for a text: what sets it apart from other names of places and landscapes.

    Texts lie in a corner of their own in the space, so the mean of places is not theirs. On real CLIP vectors of
    captions their own mean finds countries better (AUROC over land 0.928 against 0.917, 79 captions).
    """
    return np.asarray(centre(model.image_head(clip.encode_text([text])), _mean_text(clip, model))[0])


@lru_cache(maxsize=2)
def _mean_text(clip: ClipTower, model: GeoConceptModel) -> NDArray[np.float32]:
    names = model.bank.names[:: max(1, len(model.bank) // _TEXTS)]
    vectors = model.image_head(clip.encode_text(names))
    return np.asarray((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0))


def _concept(
    text: str,
    vector: NDArray[np.float32],
    evidence: dict[str, str],
    places: NDArray[np.float32],
    model: GeoConceptModel,
) -> Concept:
    cosine = places @ vector
    near = _nearest(vector, model)
    evidence["nearest"] = "; ".join(f"{c.name} ({c.grade}, {r:.2f})" for c, r in near)
    high = np.sort(cosine)[-len(cosine) // 100 :]
    evidence["peak"] = f"{(high.mean() - cosine.mean()) / cosine.std():.1f}"
    grade, failure = _judge(evidence, near)
    if failure:
        warnings.warn(f"{text!r}: {failure}", PhraseWarning, stacklevel=3)
    return Concept(
        name=text,
        vector=vector,
        space=model.space,
        family="text",
        description=f"Places associated with the words {text!r}.",
        reference=_REFERENCE,
        percentiles=np.percentile(cosine, PERCENTILES).astype(np.float32),
        # What the text adds to an embedding: how the embedding moves with its score (Haufe et al. 2014).
        pattern=(cosine - cosine.mean()) @ (places - places.mean(axis=0)),
        scale_km=model.scale_km,
        grade=grade,
        failure=failure,
        provenance={**evidence, "truth": "none: a text has no ground truth; the grade rests on the evidence beside"},
    )


def _judge(evidence: dict[str, str], near: list[tuple[Concept, float]]) -> tuple[str, str]:
    """Grade by evidence, and say what speaks against the concept."""
    geographic = float(evidence.get("geographic", "1"))
    if geographic < _GEOGRAPHIC:
        return "D", (
            f"this phrase is probably about no place ({geographic:.0%} likely to be geographic): its map means nothing"
        )
    failure = ""
    if "towers_agree" in evidence and float(evidence["towers_agree"]) < _AGREE:
        failure = f"the two text towers disagree (correlation {evidence['towers_agree']} over land): read it with care"
    close = any(r >= _CLOSE and c.grade_at_places in ("A", "B") for c, r in near)
    sure = geographic >= _SURELY_GEOGRAPHIC and "unknown_words" not in evidence and not failure
    return ("B" if close and sure else "C"), failure


def _nearest(vector: NDArray[np.float32], model: GeoConceptModel, count: int = 3) -> list[tuple[Concept, float]]:
    """Return the bank's concepts that read land most alike, with their correlation over land."""
    shown = [c for c in model.bank.shown if c.family != "text"]
    r = _alike(vector, shown, model)
    return [(shown[k], float(r[k])) for k in np.argsort(-r, kind="stable")[:count]]


def _alike(vector: NDArray[np.float32], concepts: list[Concept], model: GeoConceptModel) -> NDArray[np.float32]:
    """Return how the scores of land by a direction correlate with those by each concept's vector."""
    if not concepts:
        return np.zeros(0, dtype=np.float32)
    columns, read = _readings(model)
    score = _standardised(_places(model) @ vector[:, None])[:, 0]
    return np.asarray(score @ read[:, [columns[concept.name] for concept in concepts]])


@lru_cache(maxsize=2)
def _readings(model: GeoConceptModel) -> tuple[dict[str, int], NDArray[np.float32]]:
    """Return how each concept of the bank reads land, standardised: the same for every phrase, and most of its work."""
    vectors = np.stack([concept.vector for concept in model.bank])
    return {name: k for k, name in enumerate(model.bank.names)}, _standardised(_places(model) @ vectors.T)


def _standardised(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    scores = scores - scores.mean(axis=0)
    return np.asarray(scores / np.linalg.norm(scores, axis=0))


@lru_cache(maxsize=2)
def _places(model: GeoConceptModel) -> NDArray[np.float32]:
    """Return centred unit vectors of places spread evenly over land."""
    return centre(model.encode(reference_places(_REFERENCE, _PLACES)), model.bank.references[_REFERENCE])


def _correlation(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    return float(np.corrcoef(one, two)[0, 1])


def _cosines(one: NDArray[np.float32], many: NDArray[np.float32]) -> NDArray[Any]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nan_to_num(many @ one / (np.linalg.norm(many, axis=1) * np.linalg.norm(one))))
