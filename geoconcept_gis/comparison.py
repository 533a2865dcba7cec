"""Why two places, or two groups of places, differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .concepts.decompose import DEFAULT_L1, atoms_of, centre, decompose
from .errors import InputError
from .explanation import cosine_of, evidence_of, records, show, weights_table
from .model import as_model
from .place_vectors import gather

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from .concepts import Concept
    from .concepts.bank import ConceptLike
    from .model import GeoConceptModel
    from .place_vectors import PlaceGroup

__all__ = ["Comparison", "compare"]

_Z95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Comparison:
    """What tells A from B. Made by `compare`.

    Attributes
    ----------
    a, b : str
        What was compared.
    n_a, n_b : int
        Places in each.
    table : pandas.DataFrame
        The concepts that differ most, first. ``concept``, ``family``, ``a`` and ``b`` (mean percentile), ``difference``
        (a - b), ``calibrated_a``, ``calibrated_b``, ``divergence`` (0 to 1 bit, what the rows are sorted by),
        ``carries`` (share of the vectors' difference, from -1 to 1; 0 for most), ``grade``, ``evidence``,
        ``reference``. For groups also ``effect``, the probability that a place of A scores above one of B (0.5: no
        difference), with its 95 % interval ``effect_low`` to ``effect_high``.
    decomposition : pandas.DataFrame
        The difference of the vectors as a sparse, signed sum: ``concept``, ``family``, ``weight`` (positive: more of it
        in A), ``share`` (of all weights, same sign).
    residual : float
        Share of the difference that the sum leaves untold: one minus the squared cosine.
    provenance : dict of str to str
        Model, bank, reference means and settings.
    """

    a: str
    b: str
    n_a: int
    n_b: int
    table: pd.DataFrame
    decomposition: pd.DataFrame
    residual: float
    provenance: dict[str, str]

    def plot(self, ax: Axes | None = None, *, title: str | None = None) -> Axes:
        """Draw the differences in percentile as bars to either side, coloured by family.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. None makes a new figure, ``ax.figure`` of the result, that pyplot does not know of.
        title : str, optional
            None means both names.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingDependencyError
            matplotlib is not installed.

        Examples
        --------
        >>> compare((31.2, 30.0), (-0.1, 51.5)).plot(title="Cairo and London").get_title(loc="left")
        'Cairo and London'
        """
        from .explain_plot import plot_comparison

        return plot_comparison(self, ax, title)

    def save(self, path: str | PathLike[str], *, title: str | None = None) -> Path:
        """Draw the differences into a picture file.

        Parameters
        ----------
        path : path-like
            Ends in ``.png``, ``.pdf`` or ``.svg``. An existing file is replaced, in one step.
        title : str, optional
            None means both names.

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
        ...     compare((31.2, 30.0), (-0.1, 51.5)).save(pathlib.Path(folder) / "both.png").name
        'both.png'
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
        >>> sorted(compare((31.2, 30.0), (-0.1, 51.5)).to_dict())
        ['a', 'b', 'concepts', 'decomposition', 'n_a', 'n_b', 'provenance', 'residual']
        """
        return {
            "a": self.a,
            "b": self.b,
            "n_a": self.n_a,
            "n_b": self.n_b,
            "concepts": records(self.table),
            "decomposition": records(self.decomposition),
            "residual": self.residual,
            "provenance": dict(self.provenance),
        }

    def __str__(self) -> str:
        columns = [
            "concept",
            "family",
            "a",
            "b",
            "difference",
            "effect",
            "effect_low",
            "effect_high",
            "carries",
            "grade",
        ]
        shown = self.table[[column for column in columns if column in self.table]]
        return "\n".join([f"A: {self.a}", f"B: {self.b}", "", show(shown), "", *self.notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes())
        table = self.table.to_html(index=False, na_rep="", float_format=lambda number: f"{number:.3g}")
        return f"<p><b>A</b>: {escape(self.a)}<br><b>B</b>: {escape(self.b)}</p>{table}{notes}"

    def notes(self) -> list[str]:
        """Return what a reader must know beside the table, one sentence or two a line.

        Returns
        -------
        list of str

        Examples
        --------
        >>> compare((31.2, 30.0), (-0.1, 51.5)).notes()[-1]
        'Associated with, not observed there; scale 5 to 10 km.'
        """
        low, high = self.provenance["scale_km"].split("-")
        lines = [
            f"The difference as a sum of {len(self.decomposition)} concepts leaves {self.residual:.0%} untold.",
            "a, b: mean percentile among the concept's own reference places.",
        ]
        if "effect" in self.table:
            lines.append(
                "effect: probability that a place of A scores above one of B, with a 95 % interval that takes the "
                "places for independent; neighbours are not."
            )
        return [*lines, f"Associated with, not observed there; scale {low} to {high} km."]


def compare(
    a: Any,
    b: Any,
    *,
    model: GeoConceptModel | str | PathLike[str] | None = None,
    concepts: ConceptLike | Iterable[ConceptLike] | None = None,
    top: int | None = 10,
    l1: float = DEFAULT_L1,
) -> Comparison:
    """Say what two places, or two groups of places, differ in.

    Parameters
    ----------
    a, b : (lon, lat), shapely geometry, GeoSeries, GeoDataFrame or ndarray
        Each a place or a group of places, as `explain` takes them: (lon, lat) in degrees, EPSG:4326, or a table with a
        CRS, or raw embeddings.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default, loaded once per process.
    concepts : str, Concept, iterable of either, or None
        None means all but those of grade D.
    top : int or None, default 10
        Rows of the table; None means all.
    l1 : float
        Price of a concept in the decomposition of the difference; more gives fewer concepts.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        `a` or `b` is none of these, a table has no CRS, or `top` is below 1.
    CoordinateError
        A place is not on Earth; rows are named.
    ConceptError
        A concept is unknown.

    Warns
    -----
    SeamWarning
        Places lie within 0.5 degree of the antimeridian or a pole, where the encoder is discontinuous.

    Notes
    -----
    Rows are sorted by the Jensen-Shannon divergence of the two mean calibrated scores (Lin 1991, doi
    10.1109/18.61115): how many bits the label tells about which of the two it was, 1 at most. Concepts without a
    calibration come last, by difference in percentile.

    The interval of ``effect`` is the score interval of Newcombe (2006, doi 10.1002/sim.2324, method 5). It stays open
    where small groups do not overlap at all, where a bootstrap would claim certainty: in simulations it holds the truth
    in 95 % of cases from groups of 5 and 4 on, and in 90 % for 3 and 3. It takes the places for independent draws.
    Places near each other are not, so for clustered groups the truth is wider. With 300 concepts some 15 intervals miss
    by chance.

    ``carries`` writes the direction from B to A, unit(mean unit vector of A - that of B), as a sparse sum of the
    concepts' patterns and of their opposites: `geoconcept_gis.concepts.decompose` on both.

    Examples
    --------
    >>> difference = compare((31.2, 30.0), (-0.1, 51.5), concepts=["hot desert climate", "oceanic climate"])
    >>> difference.table.set_index("concept")["difference"].gt(0).to_dict() == {
    ...     "hot desert climate": True, "oceanic climate": False}
    True
    """
    if top is not None and top < 1:
        raise InputError(f"top must be at least 1, or None for all; got {top!r}")
    model = as_model(model)
    chosen = model.select(concepts)
    first, second = (gather(place, model, chosen, argument=name) for place, name in ((a, "a"), (b, "b")))
    weights, residual = _difference(first, second, chosen, l1)
    table = _table(first, second, chosen, weights)
    return Comparison(
        a=first.label,
        b=second.label,
        n_a=len(first),
        n_b=len(second),
        table=table if top is None else table.head(top),
        decomposition=weights_table(chosen, weights),
        residual=residual,
        provenance={
            **model.provenance(chosen, "calibrated; percentile"),
            "a": first.label,
            "a_positions": first.positions(),
            "b": second.label,
            "b_positions": second.positions(),
            "l1": f"{l1:g}",
        },
    )


def _difference(
    first: PlaceGroup, second: PlaceGroup, chosen: Sequence[Concept], l1: float
) -> tuple[NDArray[np.floating[Any]], float]:
    """Decompose the direction from the second to the first over the concepts and their opposites."""
    target = centre(first.unit[None], second.unit)
    atoms = atoms_of(chosen)
    both = decompose(target, np.concatenate([atoms, -atoms]), l1=l1)[0]
    weights = both[: len(atoms)] - both[len(atoms) :]
    return weights, 1.0 - cosine_of(weights[None] @ atoms, target) ** 2


def _table(
    first: PlaceGroup, second: PlaceGroup, chosen: Sequence[Concept], weights: NDArray[np.floating[Any]]
) -> pd.DataFrame:
    import pandas as pd

    a, b = first.mean("percentile"), second.mean("percentile")
    at_places = first.lonlat is not None and second.lonlat is not None
    calibrated_a, calibrated_b = first.mean("calibrated"), second.mean("calibrated")
    columns: dict[str, Any] = {
        "concept": [concept.name for concept in chosen],
        "family": [concept.family for concept in chosen],
        "a": a,
        "b": b,
        "difference": a - b,
        "calibrated_a": calibrated_a,
        "calibrated_b": calibrated_b,
        "divergence": divergence(calibrated_a, calibrated_b),
    }
    if min(len(first), len(second)) > 1:
        effect = superiority(first.scores["cosine"], second.scores["cosine"])
        low, high = superiority_interval(effect, len(first), len(second))
        columns |= {"effect": effect, "effect_low": low, "effect_high": high}
    columns |= {
        "carries": weights / (np.abs(weights).sum() or 1.0),
        "grade": [concept.grade_at_places if at_places else concept.grade for concept in chosen],
        "evidence": [evidence_of(concept, at_places) for concept in chosen],
        "reference": [concept.reference for concept in chosen],
    }
    table = pd.DataFrame(columns)
    order = table.assign(size=table["difference"].abs()).sort_values(
        ["divergence", "size"], ascending=False, kind="stable"
    )
    return table.loc[order.index].reset_index(drop=True)


def divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Jensen-Shannon divergence of yes-or-no chances p and q, in bits from 0 to 1.

    Examples
    --------
    >>> divergence(np.array([1.0, 0.3]), np.array([0.0, 0.3])).tolist()
    [1.0, 0.0]
    """
    return np.maximum(_entropy((p + q) / 2.0) - (_entropy(p) + _entropy(q)) / 2.0, 0.0)


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(p, 1e-300, 1.0)
    outside = np.clip(1.0 - p, 1e-300, 1.0)
    return np.asarray(-p * np.log2(inside) - (1.0 - p) * np.log2(outside))


def superiority(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how often a row of `a` (m, K) scores above one of `b` (n, K), column by column; ties count half.

    Examples
    --------
    >>> superiority(np.array([[2.0], [3.0]]), np.array([[1.0], [3.0]])).tolist()
    [0.625]
    """
    import pandas as pd

    ranks = pd.DataFrame(np.concatenate([a, b])).rank().to_numpy()[: len(a)].sum(axis=0)
    return np.asarray((ranks - len(a) * (len(a) + 1) / 2.0) / (len(a) * len(b)))


def superiority_interval(theta: NDArray[np.float64], m: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % score interval of a `superiority` found with m and n rows.

    The ends t solve ``(t - theta)^2 = z^2 t (1 - t) (1 + s (1 - t) / (2 - t) + s t / (1 + t)) / (m n)`` with
    ``s = (m + n) / 2 - 1``: Newcombe (2006), method 5.

    Examples
    --------
    >>> low, high = superiority_interval(np.array([1.0]), 5, 5)
    >>> low.round(2).tolist(), high.tolist()
    ([0.64], [1.0])
    """
    theta = np.asarray(theta, dtype=np.float64)
    spread = (m + n) / 2.0 - 1.0

    def beyond(t: NDArray[np.float64]) -> NDArray[np.bool_]:
        variance = t * (1.0 - t) * (1.0 + spread * (1.0 - t) / (2.0 - t) + spread * t / (1.0 + t)) / (m * n)
        return np.asarray((t - theta) ** 2 >= _Z95**2 * variance)

    ends = []
    for edge in (0.0, 1.0):
        outer, inner = np.full_like(theta, edge), theta.copy()
        for _ in range(60):  # halve until nothing is left to halve
            middle = (outer + inner) / 2.0
            out = beyond(middle)
            outer, inner = np.where(out, middle, outer), np.where(out, inner, middle)
        ends.append(inner)
    return ends[0], ends[1]
