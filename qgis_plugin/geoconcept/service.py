# SPDX-License-Identifier: GPL-2.0-or-later
"""The one door from QGIS to the core: the model, concepts by name, scores, own concepts, errors in QGIS's terms.

Everything here may be called from any thread. Nothing is loaded before it is first asked for.
"""

import difflib
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from qgis.core import QgsApplication, QgsProcessingException, QgsSettings

from .blas import speed_up
from .compat import tr
from .core import load_model, read_concept
from .core.coordinates import near_pole, near_seam
from .core.errors import Cancelled, ConceptError, GeoConceptError, ModelFileError
from .core.gallery import CACHE_VARIABLE
from .core.progress import report

__all__ = [
    "KINDS",
    "SETTING",
    "WORDS",
    "cache_folder",
    "choose_model",
    "chosen_model",
    "concepts",
    "errors_as_qgis",
    "forget",
    "model",
    "names",
    "near_jump",
    "own_concepts",
    "own_folder",
    "progress_of",
    "read_words",
    "score",
    "scorer",
    "suggestions",
]

#: Kinds of score, in the order in which forms offer them; None lets the concepts decide.
KINDS = (None, "calibrated", "percentile", "cosine")
#: What a text begins with that is to be read as words, not as the name of a concept.
WORDS = "words:"
#: Setting of the user: the folder of another model than the plugin's own.
SETTING = "Geoconcept/modelFolder"
#: Places scored between two looks at Cancel.
BLOCK = 2048
#: The model that the plugin brings.
_OWN = Path(__file__).parent / "core" / "models" / "geoconcept-small"

_LOCK = threading.RLock()
_kept = {}


def model():
    """Return the model: the plugin's own, or the one of the user's settings; read with the first call, in some 0.1 s.

    Raises
    ------
    ModelFileError
        Files are missing or damaged; the file is named.
    """
    with _LOCK:
        if "model" not in _kept:
            _kept["model"] = _open(chosen_model())
        return _kept["model"]


def _open(folder):
    try:
        # Never another backend: torch and onnxruntime have no place in QGIS.
        made = load_model(folder or _OWN, backend="numpy")
    except ModelFileError as error:
        hint = tr("service", "Choose another model in the plugin's options.") if folder else ""
        raise ModelFileError(f"{error} {hint}".strip()) from None
    speed_up(made.encoder)
    return made


def chosen_model():
    """Return the folder of the model that the user has chosen, or None for the plugin's own."""
    named = QgsSettings().value(SETTING, "", str)
    return Path(named) if named else None


def choose_model(folder):
    """Take another model from now on, and keep that in the settings.

    Parameters
    ----------
    folder : path-like or None
        A model folder, as `geoconcept_gis` has them; None is the plugin's own.

    Raises
    ------
    GeoConceptError
        It is no model that can be opened here; nothing is changed.
    """
    made = _open(folder)
    with _LOCK:
        _kept.clear()
        _kept["model"] = made
        QgsSettings().setValue(SETTING, str(folder or ""))


def forget():
    """Let go of the model and of everything computed with it; the plugin is being unloaded."""
    with _LOCK:
        _kept.clear()


def own_folder():
    """Return the folder of the user's own concepts, in the QGIS profile; it need not exist."""
    return Path(QgsApplication.qgisSettingsDirPath()) / "geoconcept" / "concepts"


def cache_folder():
    """Return the folder for what can be made again: in the QGIS profile, or ``GEOCONCEPT_CACHE``; it need not exist."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(QgsApplication.qgisSettingsDirPath()) / "geoconcept" / "cache"


def own_concepts():
    """Return the user's own concepts by name, and what is wrong with files that cannot be read.

    Returns
    -------
    concepts : dict of str to Concept
    problems : list of str
        One sentence a file.
    """
    found, problems = {}, []
    folder = own_folder()
    for path in sorted(folder.glob("*.concept")) if folder.is_dir() else []:
        try:
            concept = _own(path)
            found[concept.name] = concept
        except (GeoConceptError, OSError) as error:
            problems.append(f"{path.name}: {error}")
    return found, problems


def _own(path):
    """Return one own concept, read again when its file has changed."""
    state = path.stat()
    key = ("own", str(path), state.st_mtime_ns, state.st_size)
    with _LOCK:
        if key not in _kept:
            _kept[key] = read_concept(path, model())
        return _kept[key]


def names():
    """Return the names of all concepts that can be asked for: the bank's, then the user's own."""
    return [concept.name for concept in model().bank.shown] + list(own_concepts()[0])


def concepts(text):
    """Return the concepts that a text names.

    Parameters
    ----------
    text : str
        Names or aliases, separated by semicolons: of the bank, of own concepts, or ``words: olive groves``. A path
        that ends in ``.concept`` is read.

    Returns
    -------
    list of Concept

    Raises
    ------
    ConceptError
        Nothing is named, or a name is unknown; similar names are in the message.
    """
    wanted = [part.strip() for part in str(text or "").split(";") if part.strip()]
    if not wanted:
        raise ConceptError(tr("service", "no concept is named: choose at least one"))
    return [_concept(name) for name in dict.fromkeys(wanted)]


def _concept(name):
    if name.lower().startswith(WORDS):
        return _from_words(name[len(WORDS) :].strip())
    if name.lower().endswith(".concept"):
        return _own(Path(name)) if Path(name).is_file() else _missing(name)
    own, _ = own_concepts()
    if name in own:
        return own[name]
    try:
        return model().bank[name]
    except ConceptError:
        return _missing(name)


def _missing(name):
    close = suggestions(name)
    hint = tr("service", "did you mean {0}?").format(", ".join(map(repr, close))) if close else ""
    raise ConceptError(
        " ".join(
            part
            for part in (
                tr("service", "no concept {0!r}.").format(name),
                hint,
                tr("service", "To read it as words, write '{0} {1}'.").format(WORDS, name),
            )
            if part
        )
    )


def suggestions(name, count=3):
    """Return the names most like one that is not there."""
    return difflib.get_close_matches(name.lower(), names(), n=count, cutoff=0.5)


def _from_words(phrase):
    with _LOCK:
        key = ("words", phrase)
        if key not in _kept:
            _kept[key] = read_words(phrase)
        return _kept[key]


def read_words(phrase):
    """Return the concept of a phrase.

    Raises
    ------
    ConceptError
        Not one word of it is known, or the model has none in its folder.
    """
    from .core.text.concept import concept_from_text
    from .core.text.lookup import ADAPTER, LOOKUP

    if not {ADAPTER, LOOKUP.name} & set(model().config["files"]):
        raise ConceptError(
            tr("service", "model {0} has no words: name a concept, or take the plugin's own model").format(model().name)
        )
    return concept_from_text(phrase, tower="bundled", model=model())


def scorer(chosen, kind=None):
    """Return a function from (lon, lat) of at most some thousand places to scores (N, K), and the kind of score.

    Parameters
    ----------
    chosen : list of Concept
    kind : {None, "calibrated", "percentile", "cosine"}

    Returns
    -------
    callable, str
    """
    engine = model()
    reads = engine.scorer(chosen, kind)

    def scores(lonlat):
        return reads(engine.encoder.encode_chunk(lonlat))

    return scores, reads.kind


def score(lonlat, chosen, kind=None, progress=None):
    """Score places, block by block.

    Parameters
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326; rows that are no place on Earth (NaN) get NaN.
    chosen : list of Concept
    kind : {None, "calibrated", "percentile", "cosine"}
    progress : callable, optional
        Called as ``progress(done, total)``; return true to cancel.

    Returns
    -------
    ndarray of float32, shape (N, K)

    Raises
    ------
    Cancelled
        `progress` asked to stop.
    """
    scores, _ = scorer(chosen, kind)
    out = np.full((len(lonlat), len(chosen)), np.nan, dtype=np.float32)
    rows = np.flatnonzero(np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat[:, 1]) <= 90.0))
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        out[part] = scores(_wrapped(lonlat[part]))
        report(progress, start + len(part), len(rows))
    return out


def near_jump(lonlat):
    """Tell which places lie within half a degree of where the model's scores jump; the plugin's own has no such place.

    Parameters
    ----------
    lonlat : ndarray of float64, shape (N, 2)

    Returns
    -------
    ndarray of bool, shape (N,)
    """
    return (near_seam(lonlat) | near_pole(lonlat)) & model().encoder.jumps


def _wrapped(lonlat):
    from .core.coordinates import wrap_longitude

    pairs = np.array(lonlat, dtype=np.float64)
    pairs[:, 0] = wrap_longitude(pairs[:, 0])
    return pairs


def progress_of(feedback, first=0.0, last=100.0):
    """Return a progress function that moves a feedback's bar from `first` to `last` and passes Cancel on."""

    def progress(done, total):
        feedback.setProgress(first + (last - first) * done / max(total, 1))
        return feedback.isCanceled()

    return progress


@contextmanager
def errors_as_qgis():
    """Turn the core's errors into QGIS's; `Cancelled` passes, for the caller to end quietly."""
    try:
        yield
    except Cancelled:
        raise
    except GeoConceptError as error:
        raise QgsProcessingException(str(error)) from error
    except MemoryError as error:
        raise QgsProcessingException(
            tr("service", "there is not enough memory for this: choose a smaller area or larger cells")
        ) from error
