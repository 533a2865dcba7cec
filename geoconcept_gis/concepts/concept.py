"""One concept: a direction, what it means, how it is calibrated, how well it was tested."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConceptError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["DIM", "GRADES", "PERCENTILES", "Calibration", "Concept", "PlaceHead", "Validity", "slug"]

DIM = 512
#: The percentiles at which each concept stores its centred cosine over the reference set.
PERCENTILES = np.arange(101, dtype=np.float64)
#: What a grade promises, in held-out blocks. `low` is the lower end of the 95 % interval.
GRADES = {
    "A": "AUROC at least 0.90 even at the low end of its interval; calibration error at most 0.05",
    "B": "AUROC at least 0.80; calibration error at most 0.05",
    "C": "beats the control, but is weak: read its map with care",
    "D": "does not beat the control: hidden unless asked for by name",
}
_ARRAYS = ("vector", "percentiles", "pattern", "head")


def slug(name: str) -> str:
    """Turn a concept's name into a column, variable and file name.

    Parameters
    ----------
    name : str
        Any text.

    Returns
    -------
    str
        Lower-case letters, digits and underscores; empty if the name has no letter or digit.

    Examples
    --------
    >>> slug("Hot desert (BWh)")
    'hot_desert_bwh'
    """
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


@dataclass(frozen=True)
class Calibration:
    """Logistic map from centred cosine to 0..1: ``1 / (1 + exp(-(slope * cosine + intercept)))``.

    Attributes
    ----------
    slope, intercept : float
        Fitted on held-out folds of the reference set.
    ece : float or None
        Expected calibration error there (10 equal-count bins), 0..1.
    prevalence : float or None
        Share of the reference places that carry the label, 0..1: what the calibrated score is on average.
    """

    slope: float
    intercept: float
    ece: float | None = None
    prevalence: float | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slope) and np.isfinite(self.intercept)) or self.slope <= 0:
            raise ConceptError(f"a calibration needs a finite slope above 0 and a finite intercept; got {self}")


@dataclass(frozen=True)
class Validity:
    """How well a concept finds its ground truth where it was not fitted.

    Attributes
    ----------
    metric : str
        For example ``"AUROC"``.
    value : float
    interval : tuple of float, or None
        95 % interval.
    n_positive, n_negative : int
        Places with and without the label.
    folds : str
        How the test places were kept apart.
    negatives : str
        What the concept was told from.
    controls : dict of str to float
        The same metric for baselines, by name.
    """

    metric: str
    value: float
    interval: tuple[float, float] | None = None
    n_positive: int = 0
    n_negative: int = 0
    folds: str = ""
    negatives: str = ""
    controls: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PlaceHead:
    """A finer reading of a concept, for places only: straight off the encoder's hidden layers.

    The encoder mixes 2,048 hidden numbers of its two coarser capsules, and those of the finest, down to the 512 that
    photos and words share. A concept keeps a head where that reads its label better, in blocks of the globe that
    neither was fitted on. Photos, words and stored embeddings are read by the concept's vector.

    Attributes
    ----------
    weight : ndarray of float32, shape (C, 1024)
        On the last hidden layer of the first C capsules; stored as float16.
    bias : ndarray of float32, shape (C,)
        Added to each capsule's share, so that the average place reads zero.
    calibration : Calibration
        Of the sum, as a concept's is of its cosine.
    percentiles : ndarray of float32, shape (101,)
        The sum at the 0th to 100th percentile of the concept's reference set.
    validity : Validity
    grade : str
        A to D.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> lowland = load_model().bank["lowland"]
    >>> lowland.head.validity.value > lowland.validity.value
    True
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    calibration: Calibration
    percentiles: NDArray[np.float32]
    validity: Validity
    grade: str

    def record(self) -> dict[str, Any]:
        """Return everything but the arrays, ready for JSON.

        Returns
        -------
        dict of str to object

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> sorted(load_model().bank["lowland"].head.record())
        ['calibration', 'grade', 'validity']
        """
        return {"calibration": asdict(self.calibration), "validity": asdict(self.validity), "grade": self.grade}

    @classmethod
    def from_record(
        cls,
        record: Mapping[str, Any],
        weight: NDArray[np.floating],
        bias: NDArray[np.floating],
        percentiles: NDArray[np.floating],
    ) -> PlaceHead:
        """Rebuild a head from `record` and its arrays.

        Parameters
        ----------
        record : mapping of str to object
            As `record` returns it.
        weight : ndarray, shape (C, 1024)
            Any floating type.
        bias : ndarray, shape (C,)
            One a capsule.
        percentiles : ndarray, shape (101,)
            Rising.

        Returns
        -------
        PlaceHead

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> head = load_model().bank["lowland"].head
        >>> PlaceHead.from_record(head.record(), head.weight, head.bias, head.percentiles).grade == head.grade
        True
        """
        return cls(
            np.asarray(weight, dtype=np.float32),
            np.asarray(bias, dtype=np.float32),
            Calibration(**record["calibration"]),
            np.asarray(percentiles, dtype=np.float32),
            _validity(record["validity"]),
            str(record["grade"]),
        )


@dataclass(frozen=True, eq=False)
class Concept:
    """A named direction in the shared 512-d space.

    Attributes
    ----------
    name : str
        Unique in its bank, lower case, with spaces.
    family : str
        For example ``"climate"``.
    description : str
        One sentence.
    vector : ndarray of float32, shape (512,)
        Unit length; normalised on construction.
    reference : str
        Name of the reference mean that embeddings are centred on.
    space : str
        The vector space, for example ``"geoclip-1.3.0"``.
    calibration : Calibration or None
    percentiles : ndarray of float32, shape (101,), or None
        Centred cosine at the 0th to 100th percentile of the reference set.
    pattern : ndarray of float32, shape (512,), or None
        What the concept adds to an embedding, where `vector` is how to read it off: mean centred direction of the
        places with the label minus that of those without, unit length. Erasing a concept and decomposing an
        embedding need it (Haufe et al. 2014, doi 10.1016/j.neuroimage.2013.10.067).
    validity : Validity or None
    head : PlaceHead or None
        A finer reading at places, where one was found.
    scale_km : tuple of float
        Distances over which the score is meaningful: finest and coarsest.
    aliases, prompts : tuple of str
    grade : str or None
        A to D, see `GRADES`; D is hidden unless asked for by name.
    failure : str
        Where it is known to go wrong: places that read high without the label, and low with it.
    provenance : dict of str to str
        Source, method, licence of the truth it was fitted on.
    licence : str
        Licence of this concept.

    Raises
    ------
    ConceptError
        The vector is not (512,), not finite or zero, or the name is empty.

    Examples
    --------
    >>> import numpy as np
    >>> concept = Concept("my concept", np.ones(512), space="geoclip-1.3.0")
    >>> concept.column
    'concept_my_concept'
    """

    name: str
    vector: NDArray[np.float32]
    space: str
    family: str = "user"
    description: str = ""
    reference: str = "uniform_land"
    calibration: Calibration | None = None
    percentiles: NDArray[np.float32] | None = None
    pattern: NDArray[np.float32] | None = None
    validity: Validity | None = None
    head: PlaceHead | None = None
    scale_km: tuple[float, float] = (5.0, 10.0)
    aliases: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    grade: str | None = None
    failure: str = ""
    provenance: dict[str, str] = field(default_factory=dict)
    licence: str = ""

    def __post_init__(self) -> None:
        if not slug(self.name):
            raise ConceptError(f"a concept's name needs at least one letter or digit; got {self.name!r}")
        object.__setattr__(self, "vector", self._unit("vector", self.vector))
        if self.pattern is not None:
            object.__setattr__(self, "pattern", self._unit("pattern", self.pattern))
        if self.grade is not None and self.grade not in GRADES:
            raise ConceptError(f"concept {self.name!r}: grade must be one of {', '.join(GRADES)}; got {self.grade!r}")
        if self.percentiles is not None:
            knots = np.asarray(self.percentiles, dtype=np.float32)
            if knots.shape != PERCENTILES.shape or not (np.diff(knots) >= 0).all():
                raise ConceptError(f"concept {self.name!r}: percentiles must be {len(PERCENTILES)} rising numbers")
            object.__setattr__(self, "percentiles", knots)

    def _unit(self, what: str, array: NDArray[np.floating]) -> NDArray[np.float32]:
        vector = np.asarray(array, dtype=np.float32)
        if vector.shape != (DIM,):
            raise ConceptError(f"concept {self.name!r}: {what} must have shape ({DIM},); got {vector.shape}")
        norm = float(np.linalg.norm(vector.astype(np.float64)))
        if not np.isfinite(norm) or norm == 0.0:
            raise ConceptError(f"concept {self.name!r}: {what} must be finite and not zero")
        # A pattern is stored in float16: what was read must be written back bit for bit.
        tolerance = 1e-3 if what == "pattern" else 1e-6
        return vector if abs(norm - 1.0) <= tolerance else (vector / norm).astype(np.float32)

    @property
    def validity_at_places(self) -> Validity | None:
        """How well places are read: the head's test where there is one, else the vector's."""
        return self.head.validity if self.head else self.validity

    @property
    def grade_at_places(self) -> str | None:
        """Grade of the reading that places get."""
        return self.head.grade if self.head else self.grade

    @property
    def column(self) -> str:
        """Name of its column in tables (``concept_hot_desert_climate``)."""
        return f"concept_{slug(self.name)}"

    @property
    def variable(self) -> str:
        """Name of its variable in datasets and of its band in rasters (``hot_desert_climate``)."""
        return slug(self.name)

    def record(self) -> dict[str, Any]:
        """Return everything but the arrays, ready for JSON.

        Returns
        -------
        dict of str to object
            Fields that are None are left out; so are the arrays and `space`.

        Examples
        --------
        >>> import numpy as np
        >>> Concept("my concept", np.ones(512), space="s").record()["family"]
        'user'
        """
        skip = {*_ARRAYS, "space"}
        record = {
            f.name: asdict(value) if isinstance(value, (Calibration, Validity)) else value
            for f in fields(self)
            if f.name not in skip and (value := getattr(self, f.name)) is not None
        }
        return record | {"head": self.head.record()} if self.head else record

    @classmethod
    def from_record(
        cls,
        record: Mapping[str, Any],
        *,
        vector: NDArray[np.float32],
        percentiles: NDArray[np.float32] | None,
        space: str,
        pattern: NDArray[np.float32] | None = None,
        head: PlaceHead | None = None,
    ) -> Concept:
        """Rebuild a concept from `record` and its arrays.

        Parameters
        ----------
        record : mapping of str to object
            As `record` returns it.
        vector : ndarray of float32, shape (512,)
            Its direction.
        percentiles : ndarray of float32, shape (101,), or None
            Its centred cosine at the percentiles of the reference set.
        space : str
            The vector space.
        pattern : ndarray of float32, shape (512,), or None
            What it adds to an embedding.
        head : PlaceHead, optional
            Its finer reading at places.

        Returns
        -------
        Concept

        Raises
        ------
        ConceptError
            A field is missing, unknown or of the wrong type.

        Examples
        --------
        >>> import numpy as np
        >>> Concept.from_record({"name": "x"}, vector=np.ones(512), percentiles=None, space="s").column
        'concept_x'
        """
        known = {f.name for f in fields(cls)} - {*_ARRAYS, "space"}
        values = {key: value for key, value in record.items() if key != "head"}
        if unknown := sorted(set(values) - known):
            raise ConceptError(f"concept record {values.get('name')!r} has unknown fields {unknown}")
        try:
            if "calibration" in values:
                values["calibration"] = Calibration(**values["calibration"])
            if "validity" in values:
                values["validity"] = _validity(values["validity"])
            for name in ("scale_km", "aliases", "prompts"):
                if name in values:
                    values[name] = tuple(values[name])
            return cls(vector=vector, percentiles=percentiles, pattern=pattern, head=head, space=space, **values)
        except (TypeError, AttributeError, ValueError) as error:
            if isinstance(error, ConceptError):
                raise
            raise ConceptError(f"concept record {values.get('name')!r} is malformed: {error}") from None


def _validity(record: Mapping[str, Any]) -> Validity:
    values = dict(record)
    if values.get("interval") is not None:
        low, high = values["interval"]
        values["interval"] = (float(low), float(high))
    return Validity(**values)
