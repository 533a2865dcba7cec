"""A bank of concepts that live in one vector space, with the reference means they are centred on."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Union

import numpy as np

from ..errors import ConceptError
from .concept import DIM, Concept, slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ConceptBank", "ConceptLike"]

ConceptLike = Union[str, Concept]


class ConceptBank:
    """An ordered, name-unique collection of concepts.

    Parameters
    ----------
    concepts : iterable of Concept
        All of the same `space`; names, slugs and aliases must not clash.
    references : mapping of str to ndarray, shape (512,)
        Reference means by name: the mean unit vector over a reference set of places.
    space : str
        The vector space they live in, for example ``"geoclip-1.3.0"``.

    Raises
    ------
    ConceptError
        Names clash, a concept is from another space, or its reference mean is missing.

    Examples
    --------
    >>> import numpy as np
    >>> bank = ConceptBank(
    ...     [Concept("hot", np.ones(512), space="s")], {"uniform_land": np.zeros(512)}, space="s"
    ... )
    >>> bank.names, "hot" in bank, len(bank)
    (['hot'], True, 1)
    """

    def __init__(
        self,
        concepts: Iterable[Concept],
        references: Mapping[str, NDArray[np.floating]],
        *,
        space: str,
    ) -> None:
        self.space = space
        self.references = {name: _check_mean(name, mean) for name, mean in references.items()}
        self._concepts: dict[str, Concept] = {}
        self._lookup: dict[str, str] = {}
        for concept in concepts:
            self._admit(concept)

    def _admit(self, concept: Concept) -> None:
        if concept.space != self.space:
            raise ConceptError(
                f"concept {concept.name!r} lives in space {concept.space!r}, this bank in {self.space!r}; "
                "vectors of two models cannot be mixed"
            )
        if concept.reference not in self.references:
            raise ConceptError(
                f"concept {concept.name!r} is centred on reference {concept.reference!r}, which the bank lacks "
                f"(it has {sorted(self.references)})"
            )
        for word in (concept.name, *concept.aliases):
            key = slug(word)
            if self._lookup.get(key, concept.name) != concept.name or concept.name in self._concepts:
                raise ConceptError(
                    f"{word!r} names two concepts: {self._lookup.get(key, concept.name)!r} and {concept.name!r}"
                )
            self._lookup[key] = concept.name
        self._concepts[concept.name] = concept

    @property
    def names(self) -> list[str]:
        """Names in bank order."""
        return list(self._concepts)

    def __len__(self) -> int:
        return len(self._concepts)

    def __iter__(self) -> Iterator[Concept]:
        return iter(self._concepts.values())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and slug(name) in self._lookup

    def __getitem__(self, name: str) -> Concept:
        """Look a concept up by name, alias or slug, whatever its case.

        Raises
        ------
        ConceptError
            Unknown; the message lists the nearest names.
        """
        key = slug(name)
        if key in self._lookup:
            return self._concepts[self._lookup[key]]
        near = difflib.get_close_matches(key, list(self._lookup), n=3, cutoff=0.5)
        near += [known for known in self._lookup if key and key in known and known not in near][: 3 - len(near)]
        names = list(dict.fromkeys(self._lookup[word] for word in near))
        hint = f"did you mean {', '.join(map(repr, names))}?" if names else "see `geoconcept concepts`."
        raise ConceptError(f"no concept {name!r} in this bank of {len(self)}; {hint}")

    def __repr__(self) -> str:
        return f"<ConceptBank: {len(self)} concepts in space {self.space!r}>"

    def select(self, concepts: ConceptLike | Iterable[ConceptLike] | None = None) -> list[Concept]:
        """Return concepts by name or as objects, in the order asked for.

        Parameters
        ----------
        concepts : str, Concept, iterable of either, or None
            None means the whole bank.

        Returns
        -------
        list of Concept

        Raises
        ------
        ConceptError
            A name is unknown, appears twice, nothing is asked for, or an object is from another space.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> [concept.name for concept in load_model().bank.select(["BWh", "Cfb"])]
        ['hot desert climate', 'oceanic climate']
        """
        if concepts is None:
            return list(self)
        asked = [concepts] if isinstance(concepts, (str, Concept)) else list(concepts)
        if not asked:
            raise ConceptError("no concept asked for: give at least one name, or None for the whole bank")
        chosen = [self._as_concept(item) for item in asked]
        columns = [concept.column for concept in chosen]
        if len(set(columns)) < len(columns):
            twice = sorted({column for column in columns if columns.count(column) > 1})
            raise ConceptError(f"asked for twice: {', '.join(twice)}")
        return chosen

    def _as_concept(self, item: ConceptLike) -> Concept:
        if isinstance(item, str):
            return self[item]
        if not isinstance(item, Concept):
            raise ConceptError(f"concepts are names or Concept objects; got {type(item).__name__}")
        if item.space != self.space:
            raise ConceptError(
                f"concept {item.name!r} lives in space {item.space!r}, the model in {self.space!r}; "
                "vectors of two models cannot be mixed"
            )
        if item.reference not in self.references:
            raise ConceptError(f"concept {item.name!r} needs reference mean {item.reference!r}, unknown here")
        return item

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write ``concepts.json`` and ``concepts.safetensors`` into `folder`.

        Parameters
        ----------
        folder : path-like
            Created if need be.

        Returns
        -------
        pathlib.Path
            The folder.

        Examples
        --------
        >>> import tempfile
        >>> from geoconcept_gis import load_model
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sorted(path.name for path in load_model().bank.save(folder).iterdir())
        ['concepts.json', 'concepts.safetensors']
        """
        from ..storage import write_bank

        return write_bank(self, folder)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> ConceptBank:
        """Read a bank that `save` wrote.

        Parameters
        ----------
        folder : path-like
            Holds ``concepts.json`` and ``concepts.safetensors``.

        Returns
        -------
        ConceptBank

        Raises
        ------
        ModelFileError
            A file is missing, corrupt, truncated, of another format, or the two do not belong together.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> ConceptBank.load(load_model().folder)
        <ConceptBank: 35 concepts in space 'geoclip-1.3.0'>
        """
        from ..storage import read_bank

        return read_bank(folder)


def _check_mean(name: str, mean: NDArray[np.floating]) -> NDArray[np.float32]:
    mean = np.asarray(mean, dtype=np.float32)
    if mean.shape != (DIM,) or not np.isfinite(mean).all() or np.linalg.norm(mean) >= 1.0:
        raise ConceptError(
            f"reference mean {name!r} must be ({DIM},), finite and shorter than 1 (a mean of unit vectors)"
        )
    return mean
