"""`evaluate`: predicted places against true ones, and what it returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._version import __version__
from ..errors import InputError
from .formats import SOURCE
from .match import author_column, candidates_by_photo, pair
from .metrics import (
    THRESHOLDS_KM,
    circle_km2,
    distance_km,
    estimate,
    geoguessr_score,
    recall_curve,
    widen_certain,
)
from .search import FOUND, is_geolocation, searched_area

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from .match import Pairs

__all__ = ["Evaluation", "evaluate"]

#: Areas of the curve, in km2: ten a decade, up to more than the Earth has.
CURVE_KM2 = np.append(10.0 ** np.arange(0.0, 8.65, 0.1), 5.11e8)
#: Areas whose recall is in the table.
_BUDGETS_KM2 = (1_000, 10_000, 100_000, 1_000_000)
#: Credible areas whose coverage is in the table.
_LEVELS = (0.5, 0.9)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How good predicted places are. Made by `evaluate`.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a metric: ``metric``, ``value``, ``low``, ``high`` (95 % interval), ``unit``, ``n`` (photos).
    by : pandas.DataFrame
        The same for parts of the photos, with ``breakdown`` and ``group`` in front; no rows without a breakdown.
    curve : pandas.DataFrame
        Recall vs Area: ``search`` (``circles`` round the point, or ``density``), ``area_km2``, ``recall`` (0 to 1),
        ``low``, ``high``.
    rows : pandas.DataFrame
        One row a photo, by its id: ``predicted_lon``, ``predicted_lat``, ``truth_lon``, ``truth_lat``, ``distance_km``
        (infinity without a prediction), ``score``, and with densities ``area_km2`` and ``mass``.
    notes : list of str
        What a reader must know beside the table.
    provenance : dict of str to str
        Method, matching, clusters, draws, and the files where they are known.
    """

    table: pd.DataFrame
    by: pd.DataFrame
    curve: pd.DataFrame
    rows: pd.DataFrame
    notes: list[str]
    provenance: dict[str, str]

    def plot(self, ax: Axes | None = None, *, title: str | None = None) -> Axes:
        """Draw Recall vs Area, with its intervals.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. None makes a new figure, ``ax.figure`` of the result, that pyplot does not know of.
        title : str, optional
            None means "Recall vs Area".

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingDependencyError
            matplotlib is not installed.

        Examples
        --------
        >>> evaluate([[2.3, 48.9]], [[2.35, 48.86]]).plot().get_title(loc="left")
        'Recall vs Area'
        """
        from .picture import plot_curve

        return plot_curve(self, ax, title)

    def save(self, path: str | PathLike[str], *, title: str | None = None) -> Path:
        """Draw Recall vs Area into a picture file.

        Parameters
        ----------
        path : path-like
            Ends in ``.png``, ``.pdf`` or ``.svg``. An existing file is replaced, in one step.
        title : str, optional
            None means "Recall vs Area".

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
        ...     evaluate([[2.3, 48.9]], [[2.35, 48.86]]).save(pathlib.Path(folder) / "curve.png").name
        'curve.png'
        """
        from ..explain_plot import save_bars

        return save_bars(lambda: self.plot(title=title), path)

    def to_markdown(self) -> str:
        """Write everything but the curve and the rows as Markdown.

        Returns
        -------
        str

        Examples
        --------
        >>> print(evaluate([[2.3, 48.9]], [[2.35, 48.86]], bootstrap=0).to_markdown().splitlines()[4])
        | within 1 km | 0.0 % |  | 1 |
        """
        from .report import markdown

        return markdown(self)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the rows as numbers, text and lists, ready for JSON; NaN and infinity become None.

        Returns
        -------
        dict of str to object

        Examples
        --------
        >>> evaluate([[2.3, 48.9]], [[2.35, 48.86]]).to_dict()["table"][1]["value"]
        100.0
        """
        return {
            "table": _records(self.table),
            "by": _records(self.by),
            "curve": _records(self.curve),
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
        }

    def __str__(self) -> str:
        return self.to_markdown()

    __repr__ = __str__


def evaluate(
    predicted: Any,
    truth: Any,
    *,
    on: str | tuple[str, str] | None = None,
    densities: Any = None,
    by: Any = None,
    groups: Any = None,
    method: str = "geodesic",
    bootstrap: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Measure how good predicted places are: accuracy, median distance, GeoGuessr score, Recall vs Area, coverage.

    Parameters
    ----------
    predicted : array_like of shape (N, 2), pandas.DataFrame, geopandas.GeoDataFrame or list of Geolocation
        As `truth`. What `geolocate` returns, one for each place of `truth` and in its order, gives its best points, and
        its densities unless there are others.
    truth : array_like of shape (N, 2), pandas.DataFrame or geopandas.GeoDataFrame
        (lon, lat) in degrees, EPSG:4326; a table has points, or columns such as ``lon`` and ``lat``. Arrays are matched
        row by row. Tables are matched by an id column (``IMG_ID``, ``IMG_FILE``, ``image``, ``id`` and the like), and
        row by row only if neither has one. NaN, an empty cell or a missing id is no prediction, which counts as wrong.
        Of several predictions with one id, the one ranked first in a column ``rank`` counts.
    on : str or (str, str), optional
        The id column, or that of `predicted` and that of `truth`; found by its name when left out.
    densities : see `searched_area`, optional
        A density for all photos, or one for each in the order of `truth`; a table with an id column holds the
        candidates of all photos; or the table that `searched_area` made.
    by : str, callable, mapping, or list of them, optional
        Breakdowns: a column of `truth`; a function of (lon, lat), such as `geoconcept_gis.evaluation.regions`, that
        returns labels or a table of them; or labels by name.
    groups : str or array_like of shape (N,), optional
        Photos that belong together, of one photographer for example: a column of `truth`, or labels. They are drawn
        together for the intervals. When left out, a column ``AUTHOR`` (or the like) of `truth` if it has one, else
        photos are drawn one by one.
    method : {"geodesic", "haversine"}
        How distances are measured, see `distance_km`.
    bootstrap : int, default 1000
        How often photos are drawn again for the 95 % intervals; 0 for no intervals.
    seed : int, default 0
        Seed of the draws.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        Rows cannot be matched for certain, a column is missing, or an argument is of no use.
    CoordinateError
        A row is no place on Earth, or a truth is missing; rows are named.

    Notes
    -----
    Intervals are percentiles of the bootstrap, over whole groups where there are some (Davison and Hinkley 1997,
    section 3.8); where all photos or none are right it has no width, and the interval is Clopper and Pearson's with
    the number of groups for trials.

    Examples
    --------
    >>> truth = [[2.35, 48.86], [-0.13, 51.51], [139.69, 35.69]]
    >>> result = evaluate([[2.36, 48.86], [-1.9, 52.5], [float("nan"), float("nan")]], truth)
    >>> result.table.set_index("metric")["value"].round(1).head(3).to_dict()
    {'within 1 km': 33.3, 'within 25 km': 33.3, 'within 200 km': 66.7}
    >>> result.notes[0]
    '1 of 3 photos have no prediction: they count as wrong at every distance.'
    """
    import pandas as pd

    if bootstrap < 0:
        raise InputError(f"bootstrap must be 0 or more draws; got {bootstrap!r}")
    if isinstance(predicted, (list, tuple)) and predicted and all(map(is_geolocation, predicted)):
        densities = predicted if densities is None else densities
        predicted = [one.points.geometry.iloc[0].coords[0] for one in predicted]
    pairs = pair(predicted, truth, on)
    count = len(pairs.truth)
    if not count:
        raise InputError("truth holds no place: there is nothing to evaluate")
    answered = ~np.isnan(pairs.predicted[:, 0])
    distance = np.full(count, np.inf)
    distance[answered] = distance_km(pairs.predicted[answered], pairs.truth[answered], method=method)
    rows = pd.DataFrame(
        np.column_stack([pairs.predicted, pairs.truth, distance, geoguessr_score(distance)]),
        columns=["predicted_lon", "predicted_lat", "truth_lon", "truth_lat", "distance_km", "score"],
        index=pairs.ids,
    )
    if densities is not None:
        rows[list(FOUND)] = _found(densities, pairs)
    cluster, drawn = _clusters(groups, pairs.table, count)
    settings = (int(bootstrap), seed)
    return Evaluation(
        table=_measure(rows, cluster, *settings),
        by=_break_down(_labels(by, pairs.table, pairs.truth), rows, cluster, *settings),
        curve=_curve(rows, cluster, *settings),
        rows=rows,
        notes=[*_notes(rows, cluster, drawn if bootstrap else None), *pairs.notes],
        provenance={
            "geoconcept_gis": __version__,
            **{
                name: table.attrs[SOURCE]
                for name, table in (("predicted", predicted), ("truth", truth), ("densities", densities))
                if SOURCE in getattr(table, "attrs", {})
            },
            "photos": f"{count:,}",
            "matched": pairs.how,
            "distance": "WGS84 geodesic" if method == "geodesic" else "haversine, sphere of 6371.0088 km",
            "intervals": f"95 %, {bootstrap:,} draws of {drawn}, seed {seed}" if bootstrap else "none",
        },
    )


def _found(densities: Any, pairs: Pairs) -> NDArray[np.float64]:
    """Return `searched_area`'s numbers, worked out before or now."""
    if hasattr(densities, "columns"):
        if set(FOUND) <= set(densities.columns):
            found = np.asarray(densities[list(FOUND)], dtype=np.float64)
            if len(found) != len(pairs.truth):
                raise InputError(f"densities has {len(found):,} rows, and truth {len(pairs.truth):,} places")
            return found
        densities = candidates_by_photo(densities, pairs)
    return np.asarray(searched_area(densities, pairs.truth))


def _measure(rows: pd.DataFrame, cluster: NDArray[np.intp], bootstrap: int, seed: int) -> pd.DataFrame:
    """Return all metrics of some rows as a table."""
    import pandas as pd

    distance = rows["distance_km"].to_numpy()
    shares = {f"within {km:,} km": distance <= km for km in THRESHOLDS_KM}
    medians = {"median distance": (distance, "km")}
    if FOUND[0] in rows:
        area, mass = (rows[name].to_numpy() for name in FOUND)
        shares |= {f"found in {km2:,} km2": area <= km2 for km2 in _BUDGETS_KM2}
        medians["median area searched"] = (area, "km2")
        if not np.isnan(mass).any():
            shares |= {f"truth in the {level:.0%} area".replace("%", " %"): mass < level for level in _LEVELS}
    means = np.column_stack([*shares.values(), rows["score"].to_numpy()]).astype(np.float64)
    compact = np.unique(cluster, return_inverse=True)[1]
    values = estimate(means, np.column_stack([v for v, _ in medians.values()]), compact, bootstrap, seed)
    widen_certain(values[: len(shares)], int(compact.max()) + 1)
    values[: len(shares)] *= 100.0
    table = pd.DataFrame(values, columns=["value", "low", "high"])
    table.insert(0, "metric", [*shares, "GeoGuessr score", *medians])
    table["unit"] = ["%"] * len(shares) + ["of 5000"] + [unit for _, unit in medians.values()]
    table["n"] = len(rows)
    first = [f"within {km:,} km" for km in THRESHOLDS_KM] + ["median distance", "GeoGuessr score"]
    order = {name: k for k, name in enumerate(first)}
    by_rank = table["metric"].map(lambda name: order.get(name, len(order))).argsort(kind="stable")
    return table.iloc[by_rank].reset_index(drop=True)


def _break_down(
    labels: dict[str, NDArray[Any]], rows: pd.DataFrame, cluster: NDArray[np.intp], bootstrap: int, seed: int
) -> pd.DataFrame:
    import pandas as pd

    tables = []
    for name, values in labels.items():
        for group in sorted(set(values)):
            inside = values == group
            table = _measure(rows[inside], cluster[inside], bootstrap, seed)
            table.insert(0, "breakdown", name)
            table.insert(1, "group", group)
            tables.append(table)
    columns = ["breakdown", "group", "metric", "value", "low", "high", "unit", "n"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _curve(rows: pd.DataFrame, cluster: NDArray[np.intp], bootstrap: int, seed: int) -> pd.DataFrame:
    import pandas as pd

    searches = {"circles": circle_km2(rows["distance_km"])}
    if FOUND[0] in rows:
        searches["density"] = rows[FOUND[0]].to_numpy()
    parts = []
    for name, area in searches.items():
        part = pd.DataFrame(recall_curve(area, CURVE_KM2, cluster, bootstrap, seed), columns=["recall", "low", "high"])
        part.insert(0, "search", name)
        part.insert(1, "area_km2", CURVE_KM2)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _clusters(groups: Any, table: pd.DataFrame | None, count: int) -> tuple[NDArray[np.intp], str]:
    """Return a number for each photo, the same for those drawn together, and say what they share."""
    import pandas as pd

    name = groups if isinstance(groups, str) else author_column(table) if groups is None else None
    if name is not None:
        values, what = _column(table, name, "groups"), f"whole groups ({name})"
    elif groups is None:
        return np.arange(count), "single photos"
    else:
        values, what = _as_labels(groups, count, "groups"), "whole groups"
    codes, known = pd.factorize(values)
    unknown = codes < 0
    codes[unknown] = len(known) + np.arange(unknown.sum())  # each on its own
    return codes, what


def _labels(by: Any, table: pd.DataFrame | None, truth: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Return the labels of every breakdown, as text."""
    if by is None:
        return {}
    found: dict[str, Any] = {}
    for one in by if isinstance(by, (list, tuple)) else [by]:
        if isinstance(one, str):
            found[one] = _column(table, one, "by")
        elif isinstance(one, dict):
            found |= {name: labels(truth) if callable(labels) else labels for name, labels in one.items()}
        elif callable(one):
            made = one(truth)
            named = hasattr(made, "columns")
            found |= {str(name): made[name] for name in made} if named else {_name_of(one): made}
        else:
            raise InputError(f"by= takes column names, functions of (lon, lat) and dicts; got {type(one).__name__}")
    return {name: _as_text(_as_labels(labels, len(truth), f"by={name!r}")) for name, labels in found.items()}


def _name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", "group").strip("<>")


def _column(table: pd.DataFrame | None, name: str, argument: str) -> Any:
    if table is None:
        raise InputError(f"{argument}={name!r} names a column, and truth is no table")
    if name not in table.columns:
        listed = ", ".join(map(repr, map(str, table.columns)))
        raise InputError(f"truth has no column {name!r} ({argument}); its columns are {listed}")
    return table[name]


def _as_labels(values: Any, count: int, argument: str) -> NDArray[Any]:
    labels = np.asarray(values)
    if labels.shape != (count,):
        raise InputError(f"{argument} must hold one label for each of the {count:,} photos; got shape {labels.shape}")
    return labels


def _as_text(labels: NDArray[Any]) -> NDArray[Any]:
    import pandas as pd

    return np.where(pd.isna(labels), "unknown", np.array([str(label) for label in labels], dtype=object))


def _notes(rows: pd.DataFrame, cluster: NDArray[np.intp], drawn: str | None) -> list[str]:
    count, clusters = len(rows), int(cluster.max()) + 1
    notes = []
    if missing := int(np.isinf(rows["distance_km"]).sum()):
        notes.append(f"{missing:,} of {count:,} photos have no prediction: they count as wrong at every distance.")
    if drawn == "single photos":
        notes.append(
            "Photos were drawn one by one for the intervals. If several are by one photographer or of one place, the "
            "intervals are too narrow: name a column with groups."
        )
    elif drawn:
        notes.append(f"{count:,} photos in {clusters:,} groups, which were drawn as a whole for the intervals.")
    if FOUND[0] in rows:
        if never := int(np.isinf(rows[FOUND[0]]).sum()):
            notes.append(f"{never:,} truths lie outside all that their density covers: no area finds them.")
        notes.append("A credible area of whole cells holds at least its share, so coverage may be above it.")
    return notes


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            str(key): None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in row.items()
        }
        for row in table.to_dict("records")
    ]
