"""A model by name instead of by weight: what travels between processes, and is opened once in each."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import model as models
from ..errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..concepts import Concept, ConceptBank
    from ..model import GeoConceptModel

__all__ = ["ModelReference", "concepts_token", "portable_concepts"]

_open: dict[tuple[str, ...], GeoConceptModel] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class ModelReference:
    """Where a model is, and which one it must be; a few hundred bytes when pickled.

    Attributes
    ----------
    place : str
        Name of a bundled model, whose folder is elsewhere on every machine, or the path of a folder that all
        machines share.
    backend : str
        As asked for, ``"auto"`` included.
    sha256, bank_sha256 : str
        Of the encoder and of the bank.
    bank : ConceptBank or None
        None is the folder's own; another one (`GeoConceptModel.with_bank`) travels along.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> reference = ModelReference.of(load_model(backend="numpy"))
    >>> reference.place, reference.open() is reference.open()
    ('geoclip', True)
    """

    place: str
    backend: str
    sha256: str
    bank_sha256: str
    bank: ConceptBank | None = None

    @classmethod
    def of(cls, model: GeoConceptModel) -> ModelReference:
        """Make the reference of an open model.

        Parameters
        ----------
        model : GeoConceptModel

        Returns
        -------
        ModelReference
        """
        folder = model.folder.resolve()
        bundled = folder.parent == Path(models.__file__).resolve().parent / "models"
        own = model.bank is model._bank_of_folder
        return cls(
            place=folder.name if bundled else str(folder),
            backend=model._choice.asked,
            sha256=model.sha256,
            bank_sha256=model.bank_sha256,
            bank=None if own else model.bank,
        )

    def __dask_tokenize__(self) -> tuple[str, ...]:
        return self._key

    @property
    def _key(self) -> tuple[str, ...]:
        return (self.place, self.backend, self.sha256, self.bank_sha256)

    def open(self) -> GeoConceptModel:
        """Return the model, opened with the first call in this process.

        Returns
        -------
        GeoConceptModel

        Raises
        ------
        ModelFileError
            There is no such model here, or it is not the one it must be: another version is installed here.
        """
        with _lock:
            if self._key not in _open:
                _open[self._key] = self._load()
            return _open[self._key]

    def _load(self) -> GeoConceptModel:
        model = models.load_model(self.place, backend=self.backend)
        if self.bank is not None:
            model = model.with_bank(self.bank)
        for what, here, there in (
            ("encoder", model.sha256, self.sha256),
            ("concept bank", model.bank_sha256, self.bank_sha256),
        ):
            if here != there:
                raise ModelFileError(
                    f"the {what} of model {self.place!r} is {here[:12]}... in this process and {there[:12]}... where "
                    "the job was made: install the same version of geoconcept_gis on every machine"
                )
        return model


def portable_concepts(chosen: Iterable[Concept], model: GeoConceptModel) -> list[Concept | str]:
    """Return the model's own concepts by name, so that their heads are found again, and others as they are.

    Parameters
    ----------
    chosen : iterable of Concept
    model : GeoConceptModel

    Returns
    -------
    list of Concept or str
        What `GeoConceptModel.select` takes.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> model = load_model()
    >>> portable_concepts(model.select("BWh"), model)
    ['hot desert climate']
    """
    bank = model.bank
    return [c.name if c.name in bank and bank[c.name] is c else c for c in chosen]


def concepts_token(concepts: Iterable[Concept | str] | None) -> list[Any] | None:
    """Return what tells one choice of concepts from another, the same in every process.

    Parameters
    ----------
    concepts : iterable of Concept or str, or None

    Returns
    -------
    list, or None for None
    """
    if concepts is None:
        return None
    return [
        c if isinstance(c, str) else (c.name, c.reference, hashlib.sha256(c.vector.tobytes()).hexdigest())
        for c in concepts
    ]
