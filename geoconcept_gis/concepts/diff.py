"""What changed between two concept banks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConceptError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .bank import ConceptBank
    from .concept import Concept

__all__ = ["BankDiff", "ConceptChange", "same"]

_DIRECTIONS = ("vector", "pattern", "head")


@dataclass(frozen=True)
class ConceptChange:
    """How one concept changed.

    Attributes
    ----------
    name : str
    fields : dict of str to (old, new)
        Changed fields; parts of calibration and validity by name, for example ``"validity.value"``. None stands for
        a field that is not there.
    arrays : dict of str to float or None
        Changed arrays: cosine of the old with the new ``vector``, ``pattern`` and ``head``, largest difference of
        ``percentiles``; None where the array was added or taken away.
    metric : str
        What ``validity.value`` measures, for example ``"AUROC"``.
    """

    name: str
    fields: dict[str, tuple[Any, Any]]
    arrays: dict[str, float | None]
    metric: str = "validity"

    @classmethod
    def between(cls, old: Concept, new: Concept) -> ConceptChange:
        """Compare two versions of one concept.

        Parameters
        ----------
        old, new : Concept

        Returns
        -------
        ConceptChange
            False if they are the same.

        Examples
        --------
        >>> import numpy as np
        >>> from dataclasses import replace
        >>> from geoconcept_gis import Concept
        >>> old = Concept("valley", np.ones(512), space="s", grade="B")
        >>> str(ConceptChange.between(old, replace(old, grade="A")))
        'valley: grade B -> A'
        """
        before, after = _flat(old), _flat(new)
        fields = {
            key: (before.get(key), after.get(key))
            for key in dict.fromkeys((*before, *after))
            if before.get(key) != after.get(key)
        }
        arrays = {}
        for name in (*_DIRECTIONS, "percentiles"):
            one, two = _array(old, name), _array(new, name)
            if not _equal(one, two):
                arrays[name] = _compare(name, one, two)
        return cls(old.name, fields, arrays, new.validity.metric if new.validity else "validity")

    def __bool__(self) -> bool:
        return bool(self.fields or self.arrays)

    def __str__(self) -> str:
        parts = []
        if "grade" in self.fields:
            parts.append("grade {} -> {}".format(*(value or "none" for value in self.fields["grade"])))
        for key, label in (("validity.value", self.metric), ("calibration.ece", "calibration error")):
            if key in self.fields:
                parts.append(f"{label} " + " -> ".join(map(_number, self.fields[key])))
        parts += [_tell_array(name, value) for name, value in self.arrays.items()]
        told = {"grade", "validity.value", "calibration.ece"}
        parts += dict.fromkeys(key.partition(".")[0] for key in self.fields if key not in told)
        return f"{self.name}: {', '.join(parts)}"


@dataclass(frozen=True)
class BankDiff:
    """What changed from one bank to another; false if nothing did.

    Attributes
    ----------
    added, removed : tuple of Concept
        Concepts that only the new, only the old bank has, by name.
    changed : tuple of ConceptChange
        Concepts in both that are not the same.
    references : dict of str to (str, float or None)
        Reference means that differ: ``added``, ``removed`` or ``changed``, and how far the mean moved.
    reordered : bool
        The concepts in both stand in another order.
    """

    added: tuple[Concept, ...]
    removed: tuple[Concept, ...]
    changed: tuple[ConceptChange, ...]
    references: dict[str, tuple[str, float | None]]
    reordered: bool

    @classmethod
    def between(cls, old: ConceptBank, new: ConceptBank) -> BankDiff:
        """Compare two banks; see `ConceptBank.diff`.

        Parameters
        ----------
        old, new : ConceptBank
            Of one space.

        Returns
        -------
        BankDiff

        Raises
        ------
        ConceptError
            The spaces differ.

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> bank = load_model().bank
        >>> bool(BankDiff.between(bank, bank))
        False
        """
        if old.space != new.space:
            raise ConceptError(
                f"one bank lives in space {old.space!r}, the other in {new.space!r}: their vectors cannot be compared"
            )
        # By full name, not by alias: a name that became an alias is one concept gone and another one there.
        before, after = ({concept.name: concept for concept in bank} for bank in (old, new))
        changes = [ConceptChange.between(before[name], after[name]) for name in before if name in after]
        return cls(
            added=tuple(concept for concept in new if concept.name not in before),
            removed=tuple(concept for concept in old if concept.name not in after),
            changed=tuple(change for change in changes if change),
            references=_compare_references(old, new),
            reordered=[name for name in before if name in after] != [name for name in after if name in before],
        )

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.references or self.reordered)

    def __str__(self) -> str:
        if not self:
            return "no difference"
        some = "concept" if len(self.added) == 1 else "concepts"
        lines = [f"{len(self.added)} {some} added, {len(self.removed)} removed, {len(self.changed)} changed"]
        for name, (what, distance) in self.references.items():
            lines.append(f"reference {name}: {what}" + (f", mean moved by {distance:.2g}" if distance else ""))
        if self.reordered:
            lines.append("the order of the concepts changed")
        for sign, concepts in (("-", self.removed), ("+", self.added)):
            lines += [f"{sign} {c.name}" + (f" ({c.grade})" if c.grade else "") for c in concepts]
        return "\n".join([*lines, *(f"~ {change}" for change in self.changed)])

    def record(self) -> dict[str, Any]:
        """Return the differences, ready for JSON.

        Returns
        -------
        dict of str to object

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> bank = load_model().bank
        >>> bank.remove("tundra climate").diff(bank).record()["added"]
        ['tundra climate']
        """
        return {
            "added": [concept.name for concept in self.added],
            "removed": [concept.name for concept in self.removed],
            "changed": [
                {"name": change.name, "fields": change.fields, "arrays": change.arrays} for change in self.changed
            ],
            "references": {name: {"what": what, "moved": moved} for name, (what, moved) in self.references.items()},
            "reordered": self.reordered,
        }


def same(one: Concept, two: Concept) -> bool:
    """Tell whether two concepts agree in every field and number."""
    return one.name == two.name and one.space == two.space and not ConceptChange.between(one, two)


def _flat(concept: Concept) -> dict[str, Any]:
    """Return a concept's record with the parts of calibration and validity as fields of their own."""
    flat: dict[str, Any] = {}
    for key, value in concept.record().items():
        if key in ("calibration", "validity"):
            flat.update({f"{key}.{part}": item for part, item in value.items()})
        else:
            flat[key] = value
    return flat


def _array(concept: Concept, name: str) -> NDArray[np.float32] | None:
    """Return one of a concept's arrays; of its head the weights."""
    if name == "head":
        return None if concept.head is None else concept.head.weight.ravel()
    found: NDArray[np.float32] | None = getattr(concept, name)
    return found


def _equal(one: NDArray[np.float32] | None, two: NDArray[np.float32] | None) -> bool:
    if one is None or two is None:
        return one is two
    return np.array_equal(one, two)


def _compare(name: str, one: NDArray[np.float32] | None, two: NDArray[np.float32] | None) -> float | None:
    if one is None or two is None:
        return None
    one, two = one.astype(np.float64), two.astype(np.float64)
    if name in _DIRECTIONS:
        return float(one @ two / (np.linalg.norm(one) * np.linalg.norm(two)))
    return float(np.abs(one - two).max())


def _compare_references(old: ConceptBank, new: ConceptBank) -> dict[str, tuple[str, float | None]]:
    found: dict[str, tuple[str, float | None]] = {}
    for name in dict.fromkeys((*old.references, *new.references)):
        one, two = old.references.get(name), new.references.get(name)
        if one is None:
            found[name] = ("added", None)
        elif two is None:
            found[name] = ("removed", None)
        elif not np.array_equal(one, two):
            found[name] = ("changed", float(np.linalg.norm(one - two)))
    return found


def _tell_array(name: str, value: float | None) -> str:
    if value is None or name not in _DIRECTIONS:
        return name
    return f"{name} cosine " + ("above 0.9999" if value > 0.9999 else f"{value:.4f}")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
