"""A model: location encoder, image head and concept bank of one vector space."""

from __future__ import annotations

import base64
import copy
import hashlib
import shutil
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ._version import __version__
from .backends import BackendChoice
from .concepts import ConceptBank, ConceptScorer, default_kind, slug
from .concepts.erase import given
from .coordinates import check_lonlat
from .encoder import ImageHead, open_encoder
from .errors import ConceptError, InputError, MissingDependencyError, ModelFileError
from .files import atomic_folder, sha256_of
from .progress import report
from .storage import (
    BANK_JSON,
    CONFIG,
    ENCODER_FILE,
    HEAD_FILE,
    OUR_ENCODERS,
    PHOTOS_FILE,
    bank_content,
    installed_models,
    read_arrays,
    read_bank,
    read_config,
    write_bank,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from .backends import Trial
    from .concepts import Concept, PlaceHead
    from .concepts.bank import ConceptLike
    from .progress import Progress

__all__ = [
    "CLIP_TOWER",
    "DEFAULT_MODEL",
    "DEFAULT_SPACE",
    "GeoConceptModel",
    "as_model",
    "bundled_models",
    "load_model",
]

DEFAULT_MODEL = "geoclip"
#: Vector space of the bundled model; an encoder of another kind, or trained anew, has a space of its own.
DEFAULT_SPACE = "geoclip-1.3.0"
#: The tower whose features a model's image head reads where its config does not say.
CLIP_TOWER = "clip-vit-l-14-openai"


class GeoConceptModel:
    """Places in, vectors and concept scores out. Made by `load_model`.

    Parameters
    ----------
    folder : pathlib.Path
        A model folder (see docs/architecture.md).
    backend : str, default "auto"
        One of `geoconcept_gis.backends.BACKENDS`, or ``"auto"``.

    Raises
    ------
    ModelFileError
        A file is missing, corrupt, truncated or foreign.
    BackendError
        The backend is unknown or cannot run here.

    Examples
    --------
    >>> model = load_model()
    >>> model.encode([[31.2, 30.0]]).shape
    (1, 512)
    """

    def __init__(self, folder: Path, *, backend: str = "auto") -> None:
        self.folder = folder
        self.config = read_config(folder)
        self.name: str = self.config["name"]
        self.space: str = self.config["space"]
        self.sha256: str = self.config["files"][ENCODER_FILE]
        self.bank: ConceptBank = read_bank(folder)
        self._bank_of_folder = self.bank
        if self.bank.space != self.space:
            raise ModelFileError(
                f"{folder}: the concept bank lives in space {self.bank.space!r}, the encoder in {self.space!r}"
            )
        weights = read_arrays(folder / ENCODER_FILE, self.sha256)
        self.encoder = open_encoder(self.config.get("encoder"), weights, self.bank.heads())
        self._heads = _heads_of(self.bank)
        self._choice = BackendChoice(self.encoder, backend)

    def __repr__(self) -> str:
        return (
            f"<GeoConceptModel {self.name!r}: {len(self.bank)} concepts, backend {self.backend}, "
            f"sha256 {self.sha256[:12]}>"
        )

    @property
    def backend(self) -> str:
        """Name of the backend in use (``auto`` settles on one with the first large job)."""
        return self._choice.name

    @property
    def backend_trials(self) -> list[Trial]:
        """How each installed backend did when ``auto`` raced them: rate, smallest cosine, verdict.

        Returns
        -------
        list of Trial
            Empty before the first large job, and for a backend asked for by name.
        """
        return list(self._choice.report)

    @cached_property
    def image_head(self) -> ImageHead:
        """Features of `image_tower`, (N, D), to the shared space, (N, 512); GeoCLIP's reads CLIP ViT-L/14, D = 768."""
        head = ImageHead(read_arrays(self.folder / HEAD_FILE, self.config["files"][HEAD_FILE]))
        if head.dim != self.image_tower["dim"]:
            raise ModelFileError(
                f"{self.folder / HEAD_FILE} reads {head.dim} numbers, {CONFIG} says that its tower "
                f"{self.image_tower['tower']!r} gives {self.image_tower['dim']}"
            )
        return head

    @property
    def image_tower(self) -> dict[str, Any]:
        """Tower whose features the image head reads: ``tower`` (its name), ``dim`` and, where known, ``sha256``."""
        return self.config.get("image") or {"tower": CLIP_TOWER, "dim": 768}

    @cached_property
    def photo_mean(self) -> NDArray[np.float32] | None:
        """Mean unit vector of photos in the shared space, shape (512,); None where the model's folder has none."""
        return self._means.get("mean")

    @property
    def text_mean(self) -> NDArray[np.float32] | None:
        """Mean unit vector of texts, as `photo_mean`, read by the image tower's own text encoder; None if unknown."""
        return self._means.get("text_mean")

    @cached_property
    def _means(self) -> dict[str, NDArray[np.float32]]:
        sha256 = self.config["files"].get(PHOTOS_FILE)
        return {} if sha256 is None else read_arrays(self.folder / PHOTOS_FILE, sha256)

    @property
    def scale_km(self) -> tuple[float, float]:
        """Distances in km below which places are not told apart: at photo-dense and at other places."""
        low, high = self.config["scale_km"]
        return float(low), float(high)

    @property
    def concepts(self) -> pd.DataFrame:
        """The bank as a table, one row a concept.

        Returns
        -------
        pandas.DataFrame
            Columns ``name``, ``family``, ``grade``, ``description``, ``metric``, ``validity`` (of `metric`, with its
            95 % interval ``low`` to ``high``), ``validity_at_places`` (of the head, where a concept has one; see
            `PlaceHead`), one column a control, for example ``control_moved_labels``,
            ``n_positive``, ``prevalence``, ``ece``, ``failure``, ``reference``, ``column``. All concepts are in
            it, those of grade D too.

        Examples
        --------
        >>> load_model().concepts["name"].head(3).tolist()
        ['tropical climate', 'arid climate', 'temperate climate']
        """
        return _table(self.bank)

    def with_bank(self, bank: ConceptBank) -> GeoConceptModel:
        """Return this model with other concepts: the same encoder and backend, another bank.

        Parameters
        ----------
        bank : ConceptBank
            Of this model's space, for example ``model.bank.add(my_concept)``.

        Returns
        -------
        GeoConceptModel
            This model is not changed.

        Raises
        ------
        ConceptError
            The bank is of another space.

        Examples
        --------
        >>> model = load_model()
        >>> small = model.with_bank(model.bank.subset(["BWh", "Cfb"]))
        >>> small.score([[31.2, 30.0]]).shape
        (1, 2)
        """
        if not isinstance(bank, ConceptBank):
            raise ConceptError(f"bank must be a ConceptBank; got {type(bank).__name__}")
        if bank.space != self.space:
            raise ConceptError(
                f"the bank lives in space {bank.space!r}, model {self.name!r} in {self.space!r}; "
                "vectors of two models cannot be mixed"
            )
        other = copy.copy(self)
        other.bank = bank
        if not _heads_of(bank).keys() <= self._heads.keys():  # one that this encoder does not carry
            other._heads = _heads_of(bank)
            other.encoder = open_encoder(self.encoder.record, self.encoder.weights, bank.heads())
            other._choice = BackendChoice(other.encoder, self._choice.asked)
        return other

    def given(self, concept: ConceptLike, others: ConceptLike | Iterable[ConceptLike]) -> Concept:
        """Return what is left of a concept when others are taken away from every place.

        Parameters
        ----------
        concept : str or Concept
            What to read.
        others : str, Concept, or iterable of either
            What to take away, all at once; each needs a ``pattern``.

        Returns
        -------
        Concept
            Named ``"vineyard given mediterranean climate"``; score it with ``kind="cosine"``.

        Raises
        ------
        ConceptError
            A name is unknown, nothing is left, or the others cannot be taken away; the message says why.

        See Also
        --------
        geoconcept_gis.concepts.erase.given : The formula and its guarantee.

        Examples
        --------
        >>> from dataclasses import replace
        >>> model = load_model()
        >>> desert = model.bank["hot desert climate"]
        >>> desert = replace(desert, pattern=desert.vector)  # as a pattern that has no overlap with other concepts
        >>> rest = model.given("tundra climate", desert)
        >>> rest.name
        'tundra climate given hot desert climate'
        >>> abs(float(rest.vector @ desert.vector)) < 1e-6
        True
        """
        [target] = self.select([concept])
        return given(target, self.select(others))

    def select(self, concepts: ConceptLike | Iterable[ConceptLike] | None = None) -> list[Concept]:
        """Return concepts by name, alias or as objects; None means all but those of grade D.

        Parameters
        ----------
        concepts : str, Concept, iterable of either, or None
            In the order wanted.

        Returns
        -------
        list of Concept

        Raises
        ------
        ConceptError
            A name is unknown or repeated, or an object is from another space.

        Examples
        --------
        >>> [concept.name for concept in load_model().select(["BWh", "tundra climate"])]
        ['hot desert climate', 'tundra climate']
        """
        return self.bank.select(concepts)

    def scorer(
        self, concepts: ConceptLike | Iterable[ConceptLike] | None = None, kind: str | None = None
    ) -> ConceptScorer:
        """Return a function from embeddings to scores, for loops of your own.

        Parameters
        ----------
        concepts : str, Concept, iterable of either, or None
            As in `score`.
        kind : {"calibrated", "percentile", "cosine"}, optional
            As in `score`.

        Returns
        -------
        ConceptScorer
            Called with embeddings (N, 512), or with what `iter_encode` yields, it returns scores (N, K), float32.

        Raises
        ------
        ConceptError, InputError

        Examples
        --------
        >>> model = load_model()
        >>> model.scorer(["BWh", "Cfb"])(model.encode([[31.2, 30.0]])).shape
        (1, 2)
        """
        chosen = self.select(concepts)
        columns = {chosen[k].name: column for k, column in self.head_columns(chosen).items()}
        return ConceptScorer(chosen, self.bank.references, kind or default_kind(chosen), columns)

    def head_columns(self, concepts: Sequence[Concept]) -> dict[int, int]:
        """Return which of the values after the 512 is the head of each concept that has one here.

        Parameters
        ----------
        concepts : sequence of Concept
            A concept from elsewhere is not read by a head of ours, whatever its name.

        Returns
        -------
        dict of int to int
            From the number of the concept among those given to the number of the value.

        Examples
        --------
        >>> model = load_model()
        >>> first = next(concept for concept in model.bank if concept.head)
        >>> model.head_columns([first])
        {0: 0}
        """
        return {k: self._heads[c.head] for k, c in enumerate(concepts) if c.head in self._heads}

    def encode(self, lonlat: ArrayLike, *, progress: Progress | None = None) -> NDArray[np.float32]:
        """Embed places.

        Parameters
        ----------
        lonlat : array_like of shape (N, 2), or (2,)
            (lon, lat) in degrees, EPSG:4326; longitudes wrap.
        progress : callable, optional
            Called as ``progress(done, total)``; return true to cancel.

        Returns
        -------
        ndarray of float32, shape (N, 512)
            Raw vectors of the shared space, not normalised; compare them by cosine.

        Raises
        ------
        CoordinateError
            A row is not a place on Earth; rows are named.
        Cancelled
            `progress` asked to stop.

        Examples
        --------
        >>> load_model().encode([[31.2, 30.0], [-0.1, 51.5]]).shape
        (2, 512)
        """
        pairs = check_lonlat(lonlat)
        out = np.empty((len(pairs), self.encoder.dim), dtype=np.float32)
        for part, vectors in self.iter_encode(pairs, progress=progress):
            out[part] = vectors[:, : self.encoder.dim]
        return out

    def score(
        self,
        lonlat: ArrayLike,
        concepts: ConceptLike | Iterable[ConceptLike] | None = None,
        *,
        kind: str | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Score places against concepts; memory grows only by the scores themselves.

        Parameters
        ----------
        lonlat : array_like of shape (N, 2), or (2,)
            (lon, lat) in degrees, EPSG:4326; longitudes wrap.
        concepts : str, Concept, iterable of either, or None
            Names, aliases or objects; None means all but those of grade D.
        kind : {"calibrated", "percentile", "cosine"}, optional
            None means calibrated, or the percentile where a concept has no calibration.
            ``cosine``: centred cosine in [-1, 1], zero for the average place of the reference set.
            ``calibrated``: 0 to 1, the share of reference places with that cosine that carry the label.
            ``percentile``: 0 to 100, the share of reference places that score lower.
        progress : callable, optional
            Called as ``progress(done, total)``; return true to cancel.

        Returns
        -------
        ndarray of float32, shape (N, K)

        Raises
        ------
        CoordinateError, ConceptError, Cancelled

        Examples
        --------
        >>> cairo, london = load_model().score([[31.2, 30.0], [-0.1, 51.5]], "hot desert climate")[:, 0]
        >>> bool(cairo > 0.5 > london)
        True
        """
        pairs = check_lonlat(lonlat)
        scorer = self.scorer(concepts, kind)
        out = np.empty((len(pairs), len(scorer.concepts)), dtype=np.float32)
        for part, vectors in self.iter_encode(pairs, progress=progress):
            out[part] = scorer(vectors)
        return out

    def score_vectors(
        self,
        vectors: ArrayLike,
        concepts: ConceptLike | Iterable[ConceptLike] | None = None,
        *,
        kind: str | None = None,
    ) -> NDArray[np.float32]:
        """Score embeddings that are already at hand (of places, photos or text).

        Parameters
        ----------
        vectors : array_like of shape (N, 512)
            Vectors of this model's space, any length.
        concepts : str, Concept, iterable of either, or None
            As in `score`.
        kind : {"calibrated", "percentile", "cosine"}, optional
            As in `score`.

        Returns
        -------
        ndarray of float32, shape (N, K)

        Raises
        ------
        InputError
            The array is not (N, 512).

        Examples
        --------
        >>> model = load_model()
        >>> bool(model.score_vectors(model.encode([[31.2, 30.0]]), "BWh")[0, 0] > 0.5)
        True
        """
        array = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
        if array.ndim != 2 or array.shape[1] != self.encoder.dim:
            raise InputError(f"vectors must have shape (N, {self.encoder.dim}); got {np.shape(vectors)}")
        return self.scorer(concepts, kind)(array)

    def iter_encode(
        self,
        pairs: NDArray[np.float64],
        *,
        progress: Progress | None = None,
        total: int | None = None,
        done: int = 0,
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Encode chunk by chunk: the one loop over points that everything else uses.

        Parameters
        ----------
        pairs : ndarray of float64, shape (N, 2)
            (lon, lat) as `check_lonlat` returns them.
        progress : callable, optional
            Called as ``progress(done, total)``; return true to cancel.
        total, done : int, optional
            When this call is one part of a larger job: points in all, and finished before.

        Yields
        ------
        slice
            Rows of `pairs`.
        ndarray of float32, shape (n, 512 + H)
            Their vectors, and after them the values of the bank's H heads (see `PlaceHead`), which a scorer reads.

        Examples
        --------
        >>> from geoconcept_gis.coordinates import check_lonlat
        >>> pairs = check_lonlat([[31.2, 30.0], [-0.1, 51.5]])
        >>> [(part, vectors[:, :512].shape) for part, vectors in load_model().iter_encode(pairs)]
        [(slice(0, 2, None), (2, 512))]
        """
        total = len(pairs) if total is None else total
        backend = self._choice.pick(total)
        for start in range(0, len(pairs), backend.chunk_size):
            part = slice(start, min(start + backend.chunk_size, len(pairs)))
            yield part, backend.encode_chunk(pairs[part])
            report(progress, done + part.stop, total)

    def provenance(
        self, concepts: ConceptLike | Iterable[ConceptLike] | None = None, kind: str | None = None
    ) -> dict[str, str]:
        """Return what every product made with this model must carry.

        Parameters
        ----------
        concepts : str, Concept, iterable of either, or None
            The concepts in the product; None means all but those of grade D.
        kind : str, optional
            Kind of score; None when the product holds embeddings only.

        Returns
        -------
        dict of str to str
            ``software``, ``model``, ``model_sha256``, ``space``, ``backend``, ``scale_km``, ``licence`` and, with
            scores, ``concepts``, ``kind``, ``reference_mean`` (names), ``reference_mean_f32_base64``
            (little-endian float32 vectors, same order), ``bank_sha256`` and, with concepts made of words,
            ``text_tower_sha256``.

        Examples
        --------
        >>> load_model().provenance("hot desert climate", "calibrated")["reference_mean"]
        'uniform_land'
        """
        record = {
            "software": f"geoconcept_gis {__version__}",
            "model": self.name,
            "model_sha256": self.sha256,
            "space": self.space,
            "backend": self.backend,
            "scale_km": "-".join(f"{km:g}" for km in self.scale_km),
            "licence": str(self.config.get("licence", "")),
        }
        if kind is not None:
            chosen = self.select(concepts)
            names = sorted({concept.reference for concept in chosen})
            means = np.concatenate([self.bank.references[name] for name in names]).astype("<f4")
            record |= {
                "concepts": "; ".join(concept.name for concept in chosen),
                "kind": kind,
                "reference_mean": "; ".join(names),
                "reference_mean_f32_base64": base64.b64encode(means.tobytes()).decode("ascii"),
                "bank_sha256": self.bank_sha256,
            }
            towers = {c.provenance["tower_sha256"] for c in chosen if "tower_sha256" in c.provenance}
            if towers:
                record["text_tower_sha256"] = "; ".join(sorted(towers))
        return record

    @property
    def bank_sha256(self) -> str:
        """sha256 of the bank's ``concepts.json``, which itself names the sha256 of the arrays.

        For a bank that came by `with_bank` it is that of the file `save` would write.
        """
        if self.bank is self._bank_of_folder:
            return sha256_of(self.folder / BANK_JSON)
        return hashlib.sha256(bank_content(self.bank)[BANK_JSON]).hexdigest()

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the model, with the bank it has now, as one folder that `load_model` opens.

        Parameters
        ----------
        path : path-like
            A folder that does not exist yet, or is empty.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        InputError
            The folder holds something already.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     saved = load_model().save(pathlib.Path(folder) / "mine")
        ...     load_model(saved).name
        'geoclip'
        """
        with atomic_folder(path) as part:
            for file in sorted(self.folder.iterdir()):
                if file.is_file():
                    shutil.copyfile(file, part / file.name)
            if self.bank is not self._bank_of_folder:
                write_bank(self.bank, part)
        return Path(path)


def bundled_models() -> list[str]:
    """Return the names of the models that are installed: in this package, and in geoconcept-gis-encoders.

    Returns
    -------
    list of str

    Examples
    --------
    >>> "geoclip" in bundled_models()
    True
    """
    return sorted(installed_models())


def load_model(name_or_path: str | PathLike[str] | None = None, *, backend: str = "auto") -> GeoConceptModel:
    """Open a model: an installed one by name, or a folder.

    Parameters
    ----------
    name_or_path : str or path-like, optional
        A name from `bundled_models`, or the path of a model folder. None means ``"geoclip"``. Nothing is
        ever downloaded.
    backend : str, default "auto"
        ``"numpy"`` is the float32 reference; ``"auto"`` takes the fastest installed route whose vectors keep a
        cosine of at least 0.9999 with it, for jobs large enough to repay its start.

    Returns
    -------
    GeoConceptModel

    Raises
    ------
    ModelFileError
        No such model, or its files are missing, corrupt, truncated or foreign.
    MissingDependencyError
        The model comes with ``geoconcept-gis[encoders]``, which is not installed.
    BackendError
        The backend is unknown or cannot run here.

    Examples
    --------
    >>> load_model(backend="numpy").backend
    'numpy'
    """
    if name_or_path is None:
        name_or_path = DEFAULT_MODEL
    installed = installed_models()
    if isinstance(name_or_path, str) and name_or_path in installed:
        return GeoConceptModel(installed[name_or_path], backend=backend)
    folder = Path(name_or_path)
    if folder.is_dir():
        return GeoConceptModel(folder, backend=backend)
    if name_or_path in OUR_ENCODERS:
        raise MissingDependencyError(
            f'model {name_or_path!r} is not installed: pip install "geoconcept-gis[encoders]" brings it'
        )
    raise ModelFileError(
        f"no model {str(name_or_path)!r}: neither an installed one ({', '.join(sorted(installed))}) nor a folder"
    )


@cache
def _default_model() -> GeoConceptModel:
    return load_model()


def as_model(model: GeoConceptModel | str | PathLike[str] | None) -> GeoConceptModel:
    """Turn what a caller gives as `model` into a model.

    Parameters
    ----------
    model : GeoConceptModel, str, path-like or None
        None is the bundled default, loaded once per process; names and paths go to `load_model`.

    Returns
    -------
    GeoConceptModel

    Raises
    ------
    InputError
        It is none of these.
    ModelFileError
        No such model, or its files are broken.

    Examples
    --------
    >>> as_model(None) is as_model(None)
    True
    """
    if model is None:
        return _default_model()
    if isinstance(model, (str, Path)) or hasattr(model, "__fspath__"):
        return load_model(model)
    if not isinstance(model, GeoConceptModel):
        raise InputError(f"model must be a GeoConceptModel, a name, a folder or None; got {type(model).__name__}")
    return model


def _heads_of(bank: ConceptBank) -> dict[PlaceHead | None, int]:
    """Return the value of the encoder that each head of a bank reads, by the head itself."""
    return {head: k for k, head in enumerate(concept.head for concept in bank if concept.head)}


def _table(bank: ConceptBank) -> pd.DataFrame:
    import pandas as pd

    # Named even where the bank is empty, and in this order.
    before = ["name", "family", "grade", "description", "metric", "validity", "low", "high", "validity_at_places"]
    after = ["n_positive", "prevalence", "ece", "failure", "reference", "column"]
    controls = dict.fromkeys(name for c in bank if c.validity for name in c.validity.controls)
    columns = [*before, *(_control_column(name) for name in controls), *after]
    return pd.DataFrame([_row(concept) for concept in bank], columns=columns)


def _control_column(name: str) -> str:
    return f"control_{slug(name)}"


def _row(concept: Concept) -> dict[str, Any]:
    validity, calibration = concept.validity, concept.calibration
    low, high = (validity.interval if validity else None) or (np.nan, np.nan)
    return {
        "name": concept.name,
        "family": concept.family,
        "grade": concept.grade,
        "description": concept.description,
        "metric": validity.metric if validity else None,
        "validity": validity.value if validity else np.nan,
        "low": low,
        "high": high,
        "validity_at_places": concept.validity_at_places.value if concept.validity_at_places else np.nan,
        **{_control_column(name): value for name, value in (validity.controls if validity else {}).items()},
        "n_positive": validity.n_positive if validity else 0,
        "prevalence": calibration.prevalence if calibration and calibration.prevalence is not None else np.nan,
        "ece": calibration.ece if calibration and calibration.ece is not None else np.nan,
        "failure": concept.failure,
        "reference": concept.reference,
        "column": concept.column,
    }
