"""Why a place reads as it does: its strongest concepts with their evidence, and its vector as a sum of few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .concepts.concept import PERCENTILES
from .concepts.decompose import DEFAULT_L1, atoms_of, centre, decompose, rebuild
from .errors import InputError
from .model import as_model
from .place_vectors import gather, reference_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from .concepts import Concept
    from .concepts.bank import ConceptLike
    from .model import GeoConceptModel

__all__ = ["Explanation", "explain"]

#: Bits below which a row tells nothing.
_TOLD = 1e-3


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a place is associated with. Made by `explain`.

    Attributes
    ----------
    place : str
        What was explained: position and nearest town, or how many places.
    table : pandas.DataFrame
        The strongest concepts, strongest first. ``concept``, ``family``, ``percentile`` (0 to 100, of the concept's own
        ``reference`` places), ``calibrated`` (0 to 1), ``prevalence`` (share of the reference places that carry the
        label), ``lift`` (calibrated over prevalence), ``information`` (bits, what the rows are sorted by), ``grade``,
        ``evidence`` (how well the concept was found where it was not fitted), ``reference``. NaN where a concept has no
        calibration or no percentiles.
    decomposition : pandas.DataFrame
        The vector as a sparse, non-negative sum: ``concept``, ``family``, ``weight``, ``share`` (of all weights).
    fidelity : float
        Cosine of the rebuilt vector with the place's own, as SpLiCE reports it. The mean that all places share is in
        both, so it is never small.
    centred_fidelity : float
        The same without that mean: how much of what sets the place apart is found again.
    residual : float
        ``1 - centred_fidelity ** 2``: the share of what sets the place apart that no sum of these concepts tells.
    provenance : dict of str to str
        Model, bank, reference means and settings.
    """

    place: str
    table: pd.DataFrame
    decomposition: pd.DataFrame
    fidelity: float
    centred_fidelity: float
    residual: float
    provenance: dict[str, str]

    def plot(self, ax: Axes | None = None, *, title: str | None = None) -> Axes:
        """Draw the table as horizontal bars, grouped and coloured by family.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. None makes a new figure, ``ax.figure`` of the result, that pyplot does not know of.
        title : str, optional
            None means the place.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingDependencyError
            matplotlib is not installed.

        Examples
        --------
        >>> explain((31.2, 30.0)).plot(title="Cairo").get_title(loc="left")
        'Cairo'
        """
        from .explain_plot import plot_explanation

        return plot_explanation(self, ax, title)

    def save(self, path: str | PathLike[str], *, title: str | None = None) -> Path:
        """Draw the table into a picture file.

        Parameters
        ----------
        path : path-like
            Ends in ``.png``, ``.pdf`` or ``.svg``. An existing file is replaced, in one step.
        title : str, optional
            None means the place.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        InputError
            Another ending, or no such folder.
        MissingDependencyError
            matplotlib is not installed.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     explain((31.2, 30.0)).save(pathlib.Path(folder) / "cairo.png").name
        'cairo.png'
        """
        from .explain_plot import save_bars

        return save_bars(lambda: self.plot(title=title), path)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as numbers, text and lists, ready for JSON; NaN becomes None.

        Returns
        -------
        dict of str to object

        Examples
        --------
        >>> explain((31.2, 30.0), concepts=["BWh", "Cfb"]).to_dict()["concepts"][0]["concept"]
        'hot desert climate'
        """
        return {
            "place": self.place,
            "concepts": records(self.table),
            "decomposition": records(self.decomposition),
            "fidelity": self.fidelity,
            "centred_fidelity": self.centred_fidelity,
            "residual": self.residual,
            "provenance": dict(self.provenance),
        }

    def __str__(self) -> str:
        shown = self.table[["concept", "family", "percentile", "calibrated", "lift", "grade", "evidence"]]
        return "\n".join([self.headline, "", show(shown), "", *self.notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes())
        table = self.table.to_html(index=False, na_rep="", float_format=lambda number: f"{number:.3g}")
        return f"<p><b>{escape(self.headline)}</b></p>{table}{notes}"

    @property
    def headline(self) -> str:
        """What stands above the table."""
        return f"{self.place} is associated with" + ("" if len(self.table) else " none of these concepts")

    def notes(self) -> list[str]:
        """Return what a reader must know beside the table, one sentence or two a line.

        Returns
        -------
        list of str

        Examples
        --------
        >>> explain((31.2, 30.0)).notes()[-1]
        'Associated with, not observed there; scale 5 to 10 km.'
        """
        used = self.decomposition
        most = ", ".join(f"{row.concept} {row.share:.0%}" for row in used.head(5).itertuples())
        of = f": {most}{', ...' if len(used) > 5 else ''}" if len(used) else ""
        low, high = self.provenance["scale_km"].split("-")
        references = ", ".join(self.provenance["reference_mean"].replace("_", " ").split("; "))
        count = f"{len(used)} concept{'' if len(used) == 1 else 's'}"
        return [
            f"As a sum of {count}{of}. It leaves {self.residual:.0%} untold.",
            f"percentile: share of the concept's own reference places that score lower ({references}).",
            f"Associated with, not observed there; scale {low} to {high} km.",
        ]


def explain(
    place: Any,
    *,
    model: GeoConceptModel | str | PathLike[str] | None = None,
    concepts: ConceptLike | Iterable[ConceptLike] | None = None,
    top: int | None = 10,
    l1: float = DEFAULT_L1,
) -> Explanation:
    """Say what a place is most strongly associated with, how good the evidence is, and how much is left untold.

    Parameters
    ----------
    place : (lon, lat), shapely geometry, GeoSeries, GeoDataFrame or ndarray
        Degrees, EPSG:4326, longitude first: a pair, or an (N, 2) array. A geometry, in EPSG:4326; polygons and lines
        stand for 32 points spread inside them. A table of geometries with a CRS, which is heeded. Raw embeddings of the
        model, (512,) or (N, 512). Several places are explained together: the mean of their scores, and of their unit
        vectors.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default, loaded once per process.
    concepts : str, Concept, iterable of either, or None
        None means all but those of grade D, which did not beat their control.
    top : int or None, default 10
        Rows of the table. Concepts that the place scores below their prevalence, or no higher, are left out
        unless asked for by name; None means all, those too.
    l1 : float
        Price of a concept in the decomposition; more gives fewer concepts. See `geoconcept_gis.concepts.decompose`.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        `place` is none of these, a table has no CRS, or `top` is below 1.
    CoordinateError
        A place is not on Earth; rows are named.
    ConceptError
        A concept is unknown.

    Warns
    -----
    SeamWarning
        The place lies within 0.5 degree of the antimeridian or a pole, where the encoder is discontinuous.

    Notes
    -----
    *Strongest* means most informative. A percentile treats a common label like a rare one, and the lift makes much of a
    rare label even if the place hardly carries it. Rows are sorted by what the place tells about the label: with c the
    calibrated score and p the prevalence among the reference places, the bits ``c log2(c / p) + (1 - c) log2((1 - c) /
    (1 - p))`` (Kullback and Leibler 1951, doi 10.1214/aoms/1177729694), taken as negative where c is below p. A concept
    that states no prevalence gets its mean calibrated score over its reference percentiles; one without a calibration
    comes last, by percentile.

    The decomposition is centred on the reference mean ``uniform_land``, whatever the concepts' own references are. Its
    atoms are the concepts' patterns. Percentiles are relative to each concept's own reference places, named in the
    table: 99 among places where photos were taken is not 99 among all land.

    Examples
    --------
    >>> cairo = explain((31.2, 30.0), concepts=["hot desert climate", "oceanic climate", "tundra climate"])
    >>> cairo.table["concept"].iloc[0], cairo.place
    ('hot desert climate', '31.2°E, 30°N (8 km from Cairo, Egypt)')
    """
    if top is not None and top < 1:
        raise InputError(f"top must be at least 1, or None for all; got {top!r}")
    model = as_model(model)
    chosen = model.select(concepts)
    group = gather(place, model, chosen)
    table = _table(chosen, group.mean("percentile"), group.mean("calibrated"), at_places=group.lonlat is not None)
    if top is not None and concepts is None:
        table = table[~(table["information"] < _TOLD)]
    name, mean = reference_mean(model)
    target = centre(group.unit[None], mean)
    atoms = atoms_of(chosen)
    weights = decompose(target, atoms, l1=l1)
    rebuilt = rebuild(weights, atoms, mean)
    centred = cosine_of(weights @ atoms, target)
    return Explanation(
        place=group.label,
        table=table if top is None else table.head(top),
        decomposition=weights_table(chosen, weights[0]),
        fidelity=cosine_of(rebuilt, group.unit[None]),
        centred_fidelity=centred,
        residual=1.0 - centred**2,
        provenance={
            **model.provenance(chosen, "calibrated; percentile"),
            "place": group.label,
            "positions": group.positions(),
            "l1": f"{l1:g}",
            "decomposition_centred_on": name,
        },
    )


def _table(
    chosen: Sequence[Concept], percentile: NDArray[np.float64], calibrated: NDArray[np.float64], at_places: bool
) -> pd.DataFrame:
    import pandas as pd

    prevalence = np.array([prevalence_of(concept) for concept in chosen])
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = calibrated / prevalence
    table = pd.DataFrame(
        {
            "concept": [concept.name for concept in chosen],
            "family": [concept.family for concept in chosen],
            "percentile": percentile,
            "calibrated": calibrated,
            "prevalence": prevalence,
            "lift": lift,
            "information": information(calibrated, prevalence),
            "grade": [concept.grade_at_places if at_places else concept.grade for concept in chosen],
            "evidence": [evidence_of(concept, at_places) for concept in chosen],
            "reference": [concept.reference for concept in chosen],
        }
    )
    return table.sort_values(["information", "percentile"], ascending=False, kind="stable", ignore_index=True)


def information(calibrated: NDArray[np.float64], prevalence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bits a calibrated score tells about its label, negative where it is below the prevalence."""
    c, p = np.asarray(calibrated, dtype=np.float64), np.clip(prevalence, 1e-9, 1.0 - 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        gained = np.where(c > 0.0, c * np.log2(c / p), 0.0)
        ruled_out = np.where(c < 1.0, (1.0 - c) * np.log2((1.0 - c) / (1.0 - p)), 0.0)
    return np.asarray(np.sign(c - p) * (gained + ruled_out) + 0.0 * c)  # NaN stays NaN


def prevalence_of(concept: Concept) -> float:
    """Return the share of reference places with the label, or the mean calibrated score there if it is not stated."""
    calibration = concept.calibration
    if calibration is None:
        return math.nan
    if calibration.prevalence is not None:
        return calibration.prevalence
    if concept.percentiles is None:
        return math.nan
    logit = np.clip(calibration.slope * np.asarray(concept.percentiles) + calibration.intercept, -80.0, 80.0)
    score = 1.0 / (1.0 + np.exp(-logit))
    return float(((score[1:] + score[:-1]) / 2.0).sum() / (len(PERCENTILES) - 1))


def evidence_of(concept: Concept, at_places: bool = False) -> str:
    """Write for example ``AUROC 0.97 (0.96-0.98), 1,234 places, control 0.51``; at places a head may do the reading."""
    validity = concept.validity_at_places if at_places else concept.validity
    if validity is None:
        return "untested"
    text = f"{validity.metric} {validity.value:.2f}"
    if validity.interval:
        text += " ({:.2f}-{:.2f})".format(*validity.interval)
    text += f", {validity.n_positive:,} places"
    control = next(iter(validity.controls.values()), None)
    return text if control is None else f"{text}, control {control:.2f}"


def weights_table(chosen: Sequence[Concept], weights: NDArray[np.floating[Any]]) -> pd.DataFrame:
    """Return the weights that are not zero as a table, largest first."""
    import pandas as pd

    used = [int(k) for k in np.argsort(-np.abs(weights), kind="stable") if weights[k] != 0.0]
    total = float(np.abs(weights).sum()) or 1.0
    return pd.DataFrame(
        {
            "concept": [chosen[k].name for k in used],
            "family": [chosen[k].family for k in used],
            "weight": [float(weights[k]) for k in used],
            "share": [float(weights[k]) / total for k in used],
        }
    )


def cosine_of(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> float:
    """Return the cosine of two row vectors; 0 if one of them is zero."""
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / length if length > 0.0 else 0.0


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dicts, with None for NaN."""
    return [
        {str(key): None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]


def show(table: pd.DataFrame) -> str:
    """Write a table as text: three figures, nothing where there is nothing."""
    if not len(table):
        return ""
    return str(
        table.to_string(
            index=False,
            na_rep="",
            float_format=lambda number: f"{number:.3g}",
            formatters={"grade": lambda grade: grade or ""},
        )
    )
