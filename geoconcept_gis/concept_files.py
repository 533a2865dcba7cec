"""Concepts as files of their own, to keep and to share: one ``.concept`` file each.

A ``.concept`` file is a safetensors file: the arrays ``vector``, ``reference_mean`` and, where there are any,
``pattern`` and ``percentiles``, all float32. Everything else is JSON, under the one key ``geoconcept`` of its metadata.
With one key the same concept always gives the same bytes; the order of several would be left to chance.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .concepts import Concept
from .concepts.bank import same_mean
from .concepts.concept import DIM, PERCENTILES
from .errors import ConceptError, InputError, ModelFileError
from .files import atomic_file
from .model import as_model
from .tensors import read_tensors, tensors_bytes

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from .model import GeoConceptModel

__all__ = ["SUFFIX", "is_concept_file", "read_concept", "write_concept"]

SUFFIX = ".concept"
_FORMAT = "geoconcept-concept"
_FORMAT_VERSION = 1
_KEY = "geoconcept"
_SHAPES = {
    "vector": (DIM,),
    "reference_mean": (DIM,),
    "pattern": (DIM,),
    "percentiles": (len(PERCENTILES),),
}
_ALWAYS = {"vector", "reference_mean"}


def is_concept_file(name: str) -> bool:
    """Tell whether a word is the name of a ``.concept`` file rather than of a concept.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_concept_file("mine/valley.concept"), is_concept_file("hot desert climate")
    (True, False)
    """
    return name.lower().endswith(SUFFIX)


def write_concept(
    concept: Concept, path: str | PathLike[str], model: GeoConceptModel | str | PathLike[str] | None = None
) -> Path:
    """Write one concept into a file that others can use with the same model.

    Parameters
    ----------
    concept : Concept
        Any concept of the model's space, from a bank or your own. Its vector goes into the file, not its `head`.
    path : path-like
        Ends in ``.concept``. An existing file is replaced, in one step.
    model : GeoConceptModel, str, path-like or None
        The model the concept belongs to; the mean of the concept's reference set goes into the file with it. None
        is the bundled default.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    InputError
        The path has another ending or no folder.
    ConceptError
        The concept is from another space, the model lacks its reference mean, or a field cannot be written as JSON.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import load_model
    >>> model = load_model()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_concept(model.bank["BWh"], pathlib.Path(folder) / "desert.concept", model)
    ...     read_concept(path, model).name
    'hot desert climate'
    """
    path = _check_suffix(path)
    model = as_model(model)
    if not isinstance(concept, Concept):
        raise ConceptError(f"write_concept takes one Concept; got {type(concept).__name__}")
    model.select([concept])  # of this space, and its reference mean is known
    arrays = {"vector": concept.vector, "reference_mean": model.bank.references[concept.reference]}
    arrays |= {
        name: array
        for name, array in (("pattern", concept.pattern), ("percentiles", concept.percentiles))
        if array is not None
    }
    record = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "space": concept.space,
        "concept": replace(concept, head=None).record(),
    }
    try:
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConceptError(f"concept {concept.name!r} cannot be written as JSON: {error}") from None
    content = tensors_bytes(arrays, {_KEY: text})
    with atomic_file(path) as part:
        part.write_bytes(content)
    return path


def read_concept(path: str | PathLike[str], model: GeoConceptModel | str | PathLike[str] | None = None) -> Concept:
    """Read a concept from its file and check that it fits the model.

    Parameters
    ----------
    path : path-like
        From `write_concept`; ends in ``.concept``.
    model : GeoConceptModel, str, path-like or None
        The model it is to be used with. None is the bundled default.

    Returns
    -------
    Concept
        Give it wherever a concept is asked for, or put it into a bank: ``model.bank.add(concept)``.

    Raises
    ------
    InputError
        The path has another ending.
    ModelFileError
        The file is missing, truncated, corrupt, of another format or of a newer version.
    ConceptError
        The concept is from another space, or centred on a reference mean that the model lacks or has otherwise.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import load_model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_concept(load_model().bank["BWh"], pathlib.Path(folder) / "desert.concept")
    ...     read_concept(path).name
    'hot desert climate'
    """
    path = _check_suffix(path)
    model = as_model(model)
    text, arrays = _read(path)
    record = _check_record(path, text)
    _check_arrays(path, arrays)
    try:
        concept = Concept.from_record(
            record["concept"],
            vector=arrays["vector"],
            percentiles=arrays.get("percentiles"),
            pattern=arrays.get("pattern"),
            space=record["space"],
        )
    except ConceptError as error:
        raise ModelFileError(f"{path}: {error}") from None
    _check_fit(path, concept, arrays["reference_mean"], model)
    return concept


def _check_suffix(path: str | PathLike[str]) -> Path:
    path = Path(path)
    if not is_concept_file(path.name):
        raise InputError(f"a concept's file name must end in {SUFFIX}; got {path.name!r}")
    return path


def _read(path: Path) -> tuple[str, dict[str, NDArray[Any]]]:
    """Return the JSON and the arrays of a file that may be anything."""
    if not path.is_file():
        raise ModelFileError(f"there is no file {path}")
    try:
        arrays, metadata = read_tensors(path)
    except OSError as error:
        raise ModelFileError(f"{path} is no {SUFFIX} file, or is damaged: {error}") from None
    text = metadata.get(_KEY)
    if not isinstance(text, str):
        raise ModelFileError(f"{path} is a safetensors file, but not a {SUFFIX} file: it has no {_KEY!r} record")
    return text, arrays


def _check_record(path: Path, text: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ModelFileError(f"{path}: its record is not valid JSON: {error}") from None
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise ModelFileError(f"{path} is not a {_FORMAT} file")
    version = record.get("format_version")
    if type(version) is not int or not 1 <= version <= _FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format_version {version!r}; this geoconcept_gis reads up to {_FORMAT_VERSION}: upgrade it"
        )
    concept = record.get("concept")
    if not isinstance(record.get("space"), str) or not isinstance(concept, dict):
        raise ModelFileError(f"{path}: its record lacks the space or the concept")
    for key in ("name", "family", "description", "reference", "grade", "failure", "licence"):
        if not isinstance(concept.get(key, ""), str):
            raise ModelFileError(f"{path}: field {key!r} must be text; got {concept[key]!r}")
    for key in ("aliases", "prompts"):
        words = concept.get(key, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ModelFileError(f"{path}: field {key!r} must be a list of text")
    origin = concept.get("provenance", {})
    if not isinstance(origin, dict) or not all(isinstance(value, str) for value in origin.values()):
        raise ModelFileError(f"{path}: field 'provenance' must hold text by name")
    return record


def _check_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    if missing := sorted(_ALWAYS - set(arrays)):
        raise ModelFileError(f"{path} lacks the arrays {', '.join(missing)}")
    for name, array in arrays.items():
        if name not in _SHAPES:
            raise ModelFileError(f"{path} holds an unknown array {name!r}")
        if array.dtype != np.float32 or array.shape != _SHAPES[name] or not np.isfinite(array).all():
            raise ModelFileError(f"{path}: array {name!r} must hold {_SHAPES[name][0]} finite float32 numbers")


def _check_fit(path: Path, concept: Concept, mean: NDArray[np.float32], model: GeoConceptModel) -> None:
    try:
        model.select([concept])
    except ConceptError as error:
        raise ConceptError(f"{path} does not fit model {model.name!r}: {error}") from None
    if not same_mean(mean, model.bank.references[concept.reference]):
        raise ConceptError(
            f"{path} does not fit model {model.name!r}: its reference {concept.reference!r} has another mean, so that "
            "scores would differ; use the model it was made with, or make the concept anew from its places"
        )
