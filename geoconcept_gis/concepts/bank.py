"""A bank of concepts that live in one vector space, with the reference means they are centred on."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Union

import numpy as np

from ..errors import ConceptError, InputError
from .concept import DIM, GRADES, Concept, slug
from .diff import BankDiff, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

__all__ = ["ConceptBank", "ConceptLike", "same_mean"]

ConceptLike = Union[str, Concept]
_ON_CLASH = ("raise", "keep", "replace")


class ConceptBank:
    """An ordered, name-unique collection of concepts.

    A bank does not change: `subset`, `add`, `remove` and `merge` each return a new one. All of them keep the order
    of the concepts, and every reference mean, so that a concept of your own still finds the mean it is centred on.

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
                f"(it has {sorted(self.references)}); `ConceptBank.add` takes a new reference with mean=..."
            )
        for word in (concept.name, *concept.aliases):
            key = slug(word)
            if self._lookup.get(key, concept.name) != concept.name or concept.name in self._concepts:
                raise ConceptError(
                    f"{word!r} names two concepts: {self._lookup.get(key, concept.name)!r} and {concept.name!r}; "
                    "rename one of them or drop the alias, with dataclasses.replace(concept, name=..., aliases=...)"
                )
            self._lookup[key] = concept.name
        self._concepts[concept.name] = concept

    @property
    def names(self) -> list[str]:
        """Names in bank order."""
        return list(self._concepts)

    @property
    def families(self) -> list[str]:
        """Families in the order in which they first appear."""
        return list(dict.fromkeys(concept.family for concept in self))

    @property
    def shown(self) -> list[Concept]:
        """All concepts but those of grade D, which did not beat their control and are found by name only."""
        return [concept for concept in self if concept.grade != "D"]

    def heads(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Return what the encoder needs to read the concepts that have a head, in bank order.

        Returns
        -------
        tuple of ndarray, or None
            Weights (H, C, 1024) and biases (H, C); None where no concept has a head.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> weights, biases = load_model().bank.heads()
        >>> weights.shape[1:]
        (2, 1024)
        """
        found = [concept.head for concept in self if concept.head]
        if not found:
            return None
        return np.stack([head.weight for head in found]), np.stack([head.bias for head in found])

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
            None means all that are `shown`: every concept but those of grade D, which a name still finds. For
            whole families or grades, ask a `subset`.

        Returns
        -------
        list of Concept

        Raises
        ------
        ConceptError
            A name is unknown, appears twice, nothing is asked for or there, or an object is from another space.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> [concept.name for concept in load_model().bank.select(["BWh", "Cfb"])]
        ['hot desert climate', 'oceanic climate']
        """
        if concepts is None:
            if not self.shown:
                raise ConceptError(f"none of this bank's {len(self)} concepts is above grade D: ask for some by name")
            return self.shown
        asked = [concepts] if isinstance(concepts, (str, Concept)) else list(concepts)
        if not asked:
            raise ConceptError("no concept asked for: give at least one name, or None for all above grade D")
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

    def subset(
        self,
        names: str | Iterable[str] | None = None,
        *,
        families: str | Iterable[str] | None = None,
        grades: str | Iterable[str] | None = None,
    ) -> ConceptBank:
        """Return a bank of some of the concepts, in the order of this one.

        Parameters
        ----------
        names : str, iterable of str, or None
            Names, aliases or slugs; None means any, those of grade D included.
        families : str, iterable of str, or None
            Only concepts of these families.
        grades : str, iterable of str, or None
            Only concepts of these grades: ``"AB"`` is A and B.

        Returns
        -------
        ConceptBank
            All reference means stay in it.

        Raises
        ------
        ConceptError
            There is no such name, family or grade.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> load_model().bank.subset(["Cfb", "BWh"]).names
        ['hot desert climate', 'oceanic climate']
        """
        kept = set(self.names) if names is None else self._named(names)
        wanted = None if families is None else _known("family", families, self.families)
        letters = None if grades is None else _known("grade", list(grades), list(GRADES))
        return self._with(
            concept
            for concept in self
            if concept.name in kept
            and (wanted is None or concept.family in wanted)
            and (letters is None or concept.grade in letters)
        )

    def add(self, concept: Concept, mean: ArrayLike | None = None) -> ConceptBank:
        """Return a bank with one more concept, at the end.

        Parameters
        ----------
        concept : Concept
            Of this bank's space; its name and aliases must be free.
        mean : array_like of shape (512,), optional
            Mean of the concept's reference set; needed if the bank has none of that name.

        Returns
        -------
        ConceptBank

        Raises
        ------
        ConceptError
            A name clashes, the space is another, or the reference mean is missing or not the one the bank has.

        Examples
        --------
        >>> import numpy as np
        >>> from geoconcept_gis import load_model
        >>> bank = load_model().bank
        >>> mine = Concept("my valley", np.ones(512), space=bank.space)
        >>> bank.add(mine).names[-1]
        'my valley'
        """
        if not isinstance(concept, Concept):
            raise ConceptError(f"add takes one Concept; got {type(concept).__name__}")
        references = self.references
        if mean is not None:
            references = _join_means(references, {concept.reference: _check_mean(concept.reference, mean)})
        return self._with([*self, concept], references)

    def remove(self, names: str | Iterable[str]) -> ConceptBank:
        """Return a bank without some of the concepts.

        Parameters
        ----------
        names : str or iterable of str
            Names, aliases or slugs.

        Returns
        -------
        ConceptBank
            All reference means stay in it.

        Raises
        ------
        ConceptError
            There is no such name.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> "BWh" in load_model().bank.remove(["hot desert climate", "tundra climate"])
        False
        """
        gone = self._named(names)
        return self._with(concept for concept in self if concept.name not in gone)

    def merge(self, other: ConceptBank, on_clash: str = "raise") -> ConceptBank:
        """Return a bank with the concepts of both, those of `other` at the end.

        A concept that is the same in both, number by number, is taken once.

        Parameters
        ----------
        other : ConceptBank
            Of the same space.
        on_clash : {"raise", "keep", "replace"}
            What to do with a concept of `other` that has a name or an alias of a concept here. ``raise``: refuse.
            ``keep``: leave it out. ``replace``: put it where the one here stood.

        Returns
        -------
        ConceptBank

        Raises
        ------
        ConceptError
            The spaces differ, names clash, or a reference of the same name has another mean in each bank.
        InputError
            `on_clash` is none of the three.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> bank = load_model().bank
        >>> bank.subset("BWh").merge(bank.subset(["Cfb", "ET"])).names
        ['hot desert climate', 'oceanic climate', 'tundra climate']
        """
        if on_clash not in _ON_CLASH:
            raise InputError(f"on_clash must be one of {', '.join(map(repr, _ON_CLASH))}; got {on_clash!r}")
        if not isinstance(other, ConceptBank):
            raise ConceptError(f"merge takes another ConceptBank; got {type(other).__name__}")
        if other.space != self.space:
            raise ConceptError(
                f"this bank lives in space {self.space!r}, the other in {other.space!r}; "
                "vectors of two models cannot be mixed"
            )
        references = _join_means(self.references, other.references)
        new: list[Concept] = []
        heirs: dict[str, list[Concept]] = {}  # by the name of the first concept here whose place they take
        gone: set[str] = set()
        for concept in other:
            rivals = self._rivals(concept)
            if not rivals:
                new.append(concept)
            elif on_clash == "replace":
                heirs.setdefault(rivals[0], []).append(concept)
                gone.update(rivals)
            elif on_clash == "raise" and not same(self._concepts[rivals[0]], concept):
                raise ConceptError(_describe_clash(self._concepts[rivals[0]], concept))
        ours = [c for mine in self for c in (*heirs.get(mine.name, ()), *(() if mine.name in gone else (mine,)))]
        return self._with([*ours, *new], references)

    def diff(self, other: ConceptBank) -> BankDiff:
        """Return what changes from this bank to another one.

        Parameters
        ----------
        other : ConceptBank
            The newer bank, of the same space.

        Returns
        -------
        BankDiff
            False if nothing changes; ``str(...)`` tells the changes, one line a concept.

        Raises
        ------
        ConceptError
            The spaces differ.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> bank = load_model().bank
        >>> print(bank.diff(bank.remove("tundra climate")))
        0 concepts added, 1 removed, 0 changed
        - tundra climate (A)
        """
        return BankDiff.between(self, other)

    def _with(
        self, concepts: Iterable[Concept], references: Mapping[str, NDArray[np.floating]] | None = None
    ) -> ConceptBank:
        return ConceptBank(concepts, self.references if references is None else references, space=self.space)

    def _named(self, names: str | Iterable[str]) -> set[str]:
        """Return the full names behind names, aliases and slugs."""
        found = set()
        for name in [names] if isinstance(names, (str, Concept)) else names:
            if not isinstance(name, str):
                raise ConceptError(f"give names of concepts as text; got {type(name).__name__}")
            found.add(self[name].name)
        return found

    def _rivals(self, concept: Concept) -> list[str]:
        """Return the names of concepts here that share a name or an alias with `concept`, in bank order."""
        keys = {slug(word) for word in (concept.name, *concept.aliases)}
        rivals = {self._lookup[key] for key in keys if key in self._lookup}
        return [name for name in self._concepts if name in rivals]

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
        >>> ConceptBank.load(load_model().folder).space
        'geoclip-1.3.0'
        """
        from ..storage import read_bank

        return read_bank(folder)


def same_mean(one: NDArray[np.floating], two: NDArray[np.floating]) -> bool:
    """Tell whether two reference means are the same but for rounding."""
    return bool(np.allclose(one, two, rtol=0.0, atol=1e-6))


def _join_means(
    ours: Mapping[str, NDArray[np.float32]], theirs: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """Return all reference means; refuse one name for two of them. Ours win over the same but for rounding."""
    for name in theirs:
        if name in ours and not same_mean(ours[name], theirs[name]):
            distance = float(np.linalg.norm(ours[name] - theirs[name]))
            raise ConceptError(
                f"reference {name!r} has another mean here than there ({distance:.2g} apart): scores would shift. "
                "Give the other set of places a name of its own, with dataclasses.replace(concept, reference=...)"
            )
    return {**theirs, **ours}


def _describe_clash(ours: Concept, theirs: Concept) -> str:
    if ours.name == theirs.name:
        what = f"{ours.name!r} is in both banks, and not the same"
    else:
        what = f"{ours.name!r} here and {theirs.name!r} there share a name or an alias"
    return (
        f"{what}: choose with on_clash='keep' (the one here) or 'replace' (the one there), or rename one with "
        "dataclasses.replace(concept, name=..., aliases=...)"
    )


def _known(what: str, asked: str | Iterable[str], known: list[str]) -> set[str]:
    """Return what is asked for as a set; refuse what is not known."""
    chosen = {asked} if isinstance(asked, str) else set(asked)
    if unknown := sorted(str(item) for item in chosen - set(known)):
        raise ConceptError(f"no {what} {', '.join(map(repr, unknown))} in this bank; there are {', '.join(known)}")
    return chosen


def _check_mean(name: str, mean: ArrayLike) -> NDArray[np.float32]:
    mean = np.asarray(mean, dtype=np.float32)
    if mean.shape != (DIM,) or not np.isfinite(mean).all() or np.linalg.norm(mean) >= 1.0:
        raise ConceptError(
            f"reference mean {name!r} must be ({DIM},), finite and shorter than 1 (a mean of unit vectors)"
        )
    return mean
