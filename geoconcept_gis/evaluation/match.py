"""Which prediction belongs to which truth: arrays row by row, tables by an id column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..coordinates import check_lonlat
from ..errors import CoordinateError, InputError
from .formats import coordinate_columns, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Pairs", "author_column", "candidates_by_photo", "pair"]

#: Column names without case and punctuation, as data sets of geotagged photos have them; the first found counts.
_IDS = ("imgid", "imgfile", "imageid", "imagefile", "photoid", "filename", "file", "image", "img", "name", "id")
_AUTHORS = ("author", "authorid", "photographer", "photographerid", "userid", "usernsid", "nsid", "user", "owner")
_SHOWN = 5


@dataclass
class Pairs:
    """Truths, and for each the prediction; rows in the order of the truths."""

    ids: pd.Index
    #: (lon, lat), NaN where there is no prediction.
    predicted: NDArray[np.float64]
    truth: NDArray[np.float64]
    #: The truth's columns, for breakdowns; None for an array.
    table: pd.DataFrame | None
    #: How rows were matched.
    how: str
    notes: list[str] = field(default_factory=list)


def author_column(table: pd.DataFrame | None) -> str | None:
    """Return the column that says who took a photo, if there is one."""
    return None if table is None else _first(table, _AUTHORS)


def pair(predicted: Any, truth: Any, on: str | tuple[str, str] | None = None) -> Pairs:
    """Match predictions with truths; see `geoconcept_gis.evaluate`."""
    import pandas as pd

    if not hasattr(predicted, "columns") or not hasattr(truth, "columns"):
        if on is not None:
            raise InputError("on= names a column: predicted and truth must both be tables")
        pairs = _by_order(_coordinates(predicted, "predicted"), _coordinates(truth, "truth"), "row by row")
        pairs.table = truth.reset_index(drop=True) if hasattr(truth, "columns") else None
        return pairs
    keys = _key_columns(predicted, truth, on)
    answers, truths = _coordinates(predicted, "predicted"), _coordinates(truth, "truth")
    if keys is None:
        for table, name in ((predicted, "predicted"), (truth, "truth")):
            if not isinstance(table.index, pd.RangeIndex):
                raise InputError(
                    f"{name} has an index of its own but no id column: name one with on=, "
                    "or reset_index(drop=True) to match row by row"
                )
        pairs = _by_order(answers, truths, "row by row, as no table has an id column")
        pairs.table = truth
        return pairs
    return _by_key(predicted, answers, truth, truths, keys)


def _by_order(predicted: NDArray[np.float64], truth: NDArray[np.float64], how: str) -> Pairs:
    import pandas as pd

    if len(predicted) != len(truth):
        raise InputError(
            f"predicted has {len(predicted):,} rows and truth {len(truth):,}: rows are matched by their order, so "
            "there must be as many. Give both as tables with an id column, or put NaN where there is no prediction"
        )
    return Pairs(pd.RangeIndex(len(truth), name="row"), predicted, truth, None, how)


def _file_name(one: object) -> object:
    return re.split(r"[/\\\\]", one)[-1] if isinstance(one, str) else one


def _by_key(
    predicted: pd.DataFrame,
    answers: NDArray[np.float64],
    truth: pd.DataFrame,
    truths: NDArray[np.float64],
    keys: tuple[str, str],
) -> Pairs:
    import pandas as pd

    own, wanted = (_ids(table, key, name) for table, key, name in _each(predicted, truth, keys))
    twice = wanted[wanted.duplicated()]
    if len(twice):
        raise InputError(f"truth has several rows for {keys[1]!r} {_some(twice)}: an id must stand for one photo")
    own, answers = _best(predicted, own, answers, keys[0])
    at, by_name = own.get_indexer(wanted), ""
    if len(wanted) and not (at >= 0).any():  # paths on one side, names of files on the other
        names = [pd.Index([_file_name(one) for one in ids]) for ids in (own, wanted)]
        if names[0].is_unique and names[1].is_unique:
            at, by_name = names[0].get_indexer(names[1]), ", file names only"
    if len(wanted) and not (at >= 0).any():
        raise InputError(
            f"no id of predicted ({keys[0]!r}, such as {own[0]!r}) is one of truth ({keys[1]!r}, such as {wanted[0]!r})"
            if len(own)
            else "predicted has no rows"
        )
    found = np.vstack([answers, [np.nan, np.nan]])[at]  # -1 is the last row
    notes = []
    if unused := len(own) - int((at >= 0).sum()):
        strangers = own[~np.isin(np.arange(len(own)), at)]
        notes.append(f"{unused:,} predictions are for photos that truth does not have ({_some(strangers)}): left out.")
    how = f"by {keys[0]!r}" if keys[0] == keys[1] else f"by {keys[0]!r} of predicted and {keys[1]!r} of truth"
    return Pairs(pd.Index(wanted, name=keys[1]), found, truths, truth.reset_index(drop=True), how + by_name, notes)


def candidates_by_photo(table: pd.DataFrame, pairs: Pairs) -> pd.DataFrame | list[pd.DataFrame]:
    """Split a table with the candidates of all photos, in the order of the truths; one without ids stays as it is.

    Raises
    ------
    InputError
        None of its ids is one of the truths'.
    """
    name = str(pairs.ids.name) if pairs.ids.name in table.columns else _first(table, _IDS)
    if name is None:
        return table
    parts = dict(iter(table.groupby(_ids(table, name, "densities"), sort=False)))
    none = table.iloc[:0]
    found = [parts.get(one, none) for one in pairs.ids]
    if parts and not any(len(part) for part in found):
        raise InputError(
            f"no id of the candidates ({name!r}, such as {next(iter(parts))!r}) is one of truth, such as "
            f"{pairs.ids[0]!r}"
        )
    return found


def _each(predicted: Any, truth: Any, keys: tuple[str, str]) -> list[tuple[Any, str, str]]:
    return [(predicted, keys[0], "predicted"), (truth, keys[1], "truth")]


def _best(
    table: pd.DataFrame, ids: pd.Index, answers: NDArray[np.float64], key: str
) -> tuple[pd.Index, NDArray[np.float64]]:
    """Return one prediction an id: of several the one ranked first, and none without a rank."""
    if not ids.has_duplicates:
        return ids, answers
    name = _first(table, ("rank",))
    if name is None:
        twice = ids[ids.duplicated()].unique()
        raise InputError(
            f"predicted has several rows for {key!r} {_some(twice)}: keep one, or say which is best in a column 'rank'"
        )
    rank = np.asarray(table[name], dtype=np.float64)
    order = np.argsort(rank, kind="stable")
    first = order[~ids[order].duplicated()]
    best = rank[first][ids[first].get_indexer(ids)]
    unclear = ids[np.isnan(rank) | ((rank == best) & ~np.isin(np.arange(len(ids)), first))]
    if len(unclear):
        raise InputError(f"column {name!r} does not say which row is best for {key!r} {_some(unclear)}")
    return ids[first], answers[first]


def _ids(table: pd.DataFrame, key: str, name: str) -> pd.Index:
    import pandas as pd

    missing = np.flatnonzero(table[key].isna())
    if len(missing):
        raise InputError(f"{name} has no id in column {key!r} in {len(missing):,} rows: row {_listed(missing)}")
    # As text: a column of numbers in one table may have become text in the other.
    ids: pd.Index = pd.Index(table[key].map(str).to_numpy(dtype=object))
    return ids


def _key_columns(
    predicted: pd.DataFrame, truth: pd.DataFrame, on: str | tuple[str, str] | None
) -> tuple[str, str] | None:
    if on is not None:
        keys = (on, on) if isinstance(on, str) else (on[0], on[1])
        for table, key, name in _each(predicted, truth, keys):
            if key not in table.columns:
                raise InputError(f"{name} has no column {key!r}; its columns are {_columns(table)}")
        return keys
    own, wanted = _first(predicted, _IDS), _first(truth, _IDS)
    shared = [name for name in predicted.columns if name in truth.columns and plain(name) in _IDS]
    if shared:
        own = wanted = min(map(str, shared), key=lambda name: _IDS.index(plain(name)))
    if own is None and wanted is None:
        return None
    if own is None or wanted is None:
        without, table = ("predicted", predicted) if own is None else ("truth", truth)
        raise InputError(
            f"{without} has no id column that would match {(own or wanted)!r} of the other table; its columns are "
            f"{_columns(table)}. Name them with on= (predicted's, then truth's)"
        )
    return own, wanted


def _first(table: pd.DataFrame, names: Sequence[str]) -> str | None:
    by_name = {plain(column): str(column) for column in reversed(list(table.columns))}
    return next((by_name[name] for name in names if name in by_name), None)


def _coordinates(places: Any, name: str) -> NDArray[np.float64]:
    """Return (lon, lat) of an array or a table; NaN where a prediction is missing, which a truth may not be."""
    if getattr(places, "crs", None) is not None or hasattr(places, "geom_type"):
        pairs = _of_points(places, name)
    elif hasattr(places, "columns"):
        lon, lat = coordinate_columns([str(column) for column in places.columns], name)
        try:
            pairs = np.asarray(places[[lon, lat]], dtype=np.float64)
        except (TypeError, ValueError):
            raise CoordinateError(f"{name}: columns {lon!r} and {lat!r} must hold numbers, in degrees") from None
    else:
        pairs = np.asarray(places, dtype=np.float64)
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise CoordinateError(f"{name} must have shape (N, 2), columns (lon, lat); got shape {pairs.shape}")
    missing = np.isnan(pairs)
    if name == "truth":
        if missing.any():
            rows = np.flatnonzero(missing.any(axis=1))
            raise CoordinateError(f"truth has no place in {len(rows):,} of {len(pairs):,} rows: row {_listed(rows)}")
        return check_lonlat(pairs, name=name)
    half = np.flatnonzero(missing[:, 0] != missing[:, 1])
    if len(half):
        raise CoordinateError(f"predicted has one coordinate without the other in row {_listed(half)}")
    checked = check_lonlat(np.where(missing, 0.0, pairs), name=name)  # names rows as the caller counts them
    checked[missing] = np.nan
    return checked


def _of_points(places: gpd.GeoDataFrame, name: str) -> NDArray[np.float64]:
    import shapely

    from ..geometry import to_lonlat

    if places.crs is None:
        raise InputError(f"{name} has no CRS: set_crs('EPSG:4326') if it holds longitude and latitude in degrees")
    shapes = np.asarray(places.geometry.array)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    other = np.flatnonzero(there & (shapely.get_type_id(shapes) != 0))
    if len(other):
        raise InputError(f"{name} must hold points; row {other[0]} is a {shapes[other[0]].geom_type}")
    pairs = np.full((len(shapes), 2), np.nan)
    pairs[there], lost = to_lonlat(shapely.get_coordinates(shapes[there]), places.crs)
    if lost.any():
        raise CoordinateError(f"{name}: row {np.flatnonzero(there)[lost][0]} is no place on Earth in {places.crs.name}")
    return pairs


def _columns(table: pd.DataFrame) -> str:
    return ", ".join(map(repr, map(str, table.columns)))


def _some(values: pd.Index) -> str:
    shown = ", ".join(map(repr, values[:_SHOWN]))
    return shown + (f" and {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else "")


def _listed(rows: NDArray[np.intp]) -> str:
    return ", ".join(map(str, rows[:_SHOWN])) + (f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else "")
