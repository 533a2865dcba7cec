"""What a caller may call a place, as vectors and scores: (lon, lat), a shape, a table, or embeddings at hand."""

from __future__ import annotations

import csv
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .concepts import KINDS
from .concepts.concept import DIM
from .coordinates import STATUS_WITH_VALUES, check_lonlat, near_pole, near_seam, status
from .datasets import WORLD_PLACES
from .errors import CoordinateError, InputError, SeamWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .concepts import Concept
    from .model import GeoConceptModel

__all__ = ["PlaceGroup", "gather", "reference_mean", "spell_place"]

#: Points spread inside a polygon or along a line, as `embed(..., within="mean")` does by default.
SAMPLES = 32
_ROWS_SHOWN = 5
#: The nearest known town is named up to this distance.
_NEAR_KM = 100.0
_WHAT = (
    "a (lon, lat) pair or an (N, 2) array of them, a shapely geometry in EPSG:4326, a GeoSeries or GeoDataFrame with a "
    f"CRS, or embeddings of shape ({DIM},) or (N, {DIM})"
)


@dataclass(frozen=True, eq=False)
class PlaceGroup:
    """One place or several, with their vectors and their scores.

    Attributes
    ----------
    label : str
        What to call it in a title.
    lonlat : ndarray of float64, shape (N, 2), or None
        One representative point each, EPSG:4326; None for embeddings.
    units : ndarray of float64, shape (N, 512)
        Mean unit vector of each place; of length one for a point.
    scores : dict of str to ndarray, shape (N, K)
        ``cosine``, ``calibrated`` and ``percentile``; NaN where a concept lacks what the kind needs.
    """

    label: str
    lonlat: NDArray[np.float64] | None
    units: NDArray[np.float64]
    scores: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.units)

    @property
    def unit(self) -> NDArray[np.float64]:
        """Mean of the places' unit vectors, shape (512,); every place counts the same."""
        return np.asarray(self.units.mean(axis=0))

    def mean(self, kind: str) -> NDArray[np.float64]:
        """Mean score over the places, shape (K,)."""
        return np.asarray(self.scores[kind].mean(axis=0))

    def positions(self, most: int = 10) -> str:
        """Spell the first positions, rounded to 0.01 degree, for provenance."""
        if self.lonlat is None:
            return "given as vectors"
        shown = "; ".join(f"({lon:.2f}, {lat:.2f})" for lon, lat in self.lonlat[:most])
        return shown + (f"; and {len(self) - most:,} more" if len(self) > most else "")


def reference_mean(model: GeoConceptModel) -> tuple[str, NDArray[np.float32]]:
    """Return the reference set that directions are centred on: evenly over land, if the bank knows it."""
    references = model.bank.references
    name = "uniform_land" if "uniform_land" in references else next(iter(references))
    return name, references[name]


def spell_place(lon: float, lat: float) -> str:
    """Write a position for people: ``31.2°E, 30°N``.

    Examples
    --------
    >>> spell_place(-0.1276, 51.5)
    '0.1276°W, 51.5°N'
    """
    lon, lat = float(round(lon, 4)), float(round(lat, 4))
    east = "" if lon in (0.0, 180.0, -180.0) else "EW"[lon < 0.0]
    north = "" if lat == 0.0 else "NS"[lat < 0.0]
    return f"{abs(lon):.7g}°{east}, {abs(lat):.7g}°{north}"


def gather(place: Any, model: GeoConceptModel, concepts: Sequence[Concept], *, argument: str = "place") -> PlaceGroup:
    """Turn what a caller calls a place, or a group of places, into vectors and scores.

    Parameters
    ----------
    place : array_like, shapely geometry, GeoSeries or GeoDataFrame
        See `geoconcept_gis.explain`.
    model : GeoConceptModel
    concepts : sequence of Concept
        Of the model's space.
    argument : str, default "place"
        What to call it in errors.

    Returns
    -------
    PlaceGroup

    Raises
    ------
    InputError
        It is none of these, empty, or a table without a CRS.
    CoordinateError
        A row is no place on Earth; rows are named.

    Warns
    -----
    SeamWarning
        How many places lie within 0.5 degree of the antimeridian or a pole.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> model = load_model()
    >>> group = gather([(31.2, 30.0), (-0.1, 51.5)], model, model.select(["BWh", "Cfb"]))
    >>> group.label, group.units.shape, group.scores["percentile"].shape
    ('2 places', (2, 512), (2, 2))
    """
    if hasattr(place, "geom_type"):  # shapely's geometries, and geopandas' objects
        shapes, crs = _shapes(place, argument)
        lonlat = _representative(shapes, crs, argument)
        points, owner = _spread(shapes, crs, lonlat)
        label = _label(lonlat, shapes[0])
    else:
        array = _array(place, argument)
        if array.shape[1] == DIM:
            return _from_vectors(array, model, concepts, argument)
        lonlat = check_lonlat(array, name=argument)
        points, owner = lonlat, np.arange(len(lonlat))
        label = _label(lonlat)
    gathered = _Means(len(lonlat), model, concepts)
    for part, vectors in model.iter_encode(points):
        gathered.add(vectors, owner[part])
    rough = len(np.unique(owner[near_seam(points) | near_pole(points)]))
    if rough and model.encoder.jumps:
        warnings.warn(
            f"{rough:,} of {len(lonlat):,} places lie within 0.5 degree of the antimeridian or a pole, where "
            "the encoder is discontinuous: do not compare their values with those across it",
            SeamWarning,
            stacklevel=3,
        )
    return gathered.group(label, lonlat)


class _Means:
    """Means of unit vectors and scores over the points of each place, filled chunk by chunk."""

    def __init__(self, places: int, model: GeoConceptModel, concepts: Sequence[Concept]) -> None:
        self._units = np.zeros((places, DIM))
        self._points = np.zeros(places)
        self._scores = {kind: np.full((places, len(concepts)), np.nan) for kind in KINDS}
        self._scorers = []
        for kind in KINDS:
            needed = {"calibrated": "calibration", "percentile": "percentiles"}.get(kind)
            columns = [k for k, c in enumerate(concepts) if needed is None or getattr(c, needed) is not None]
            if columns:
                self._scores[kind][:, columns] = 0.0
                scorer = model.scorer([concepts[k] for k in columns], kind)
                self._scorers.append((kind, columns, scorer))

    def add(self, vectors: NDArray[np.float32], owner: NDArray[np.intp]) -> None:
        """Add a chunk: raw embeddings (n, 512), with heads or without, and the place each belongs to, never falling."""
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        rows = owner[starts]
        self._points[rows] += np.diff(np.append(starts, len(owner)))
        embeddings = vectors[:, :DIM]
        units = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        self._units[rows] += np.add.reduceat(units, starts, axis=0, dtype=np.float64)
        for kind, columns, scorer in self._scorers:
            sums = np.add.reduceat(scorer(vectors), starts, axis=0, dtype=np.float64)
            self._scores[kind][rows[:, None], columns] += sums

    def group(self, label: str, lonlat: NDArray[np.float64] | None) -> PlaceGroup:
        points = self._points[:, None]
        scores = {kind: values / points for kind, values in self._scores.items()}
        return PlaceGroup(label, lonlat, self._units / points, scores)


def _array(place: Any, argument: str) -> NDArray[np.float64]:
    """Return rows of (lon, lat) or of embeddings."""
    try:
        array = np.asarray(place, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{argument} must be {_WHAT}; got {type(place).__name__}: {str(place)[:60]!r}") from None
    if array.ndim == 1:
        array = array[None]
    if array.ndim != 2 or array.shape[1] not in (2, DIM):
        raise InputError(f"{argument} must be {_WHAT}; got an array of shape {np.shape(place)}")
    if not len(array):
        raise InputError(f"{argument} holds no place")
    return array


def _from_vectors(
    array: NDArray[np.float64], model: GeoConceptModel, concepts: Sequence[Concept], argument: str
) -> PlaceGroup:
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1) | ~array.any(axis=1))
    if len(bad):
        shown = ", ".join(map(str, bad[:_ROWS_SHOWN])) + (", ..." if len(bad) > _ROWS_SHOWN else "")
        raise InputError(
            f"{argument} has {len(bad):,} of {len(array):,} vectors that are zero or not finite: row {shown}"
        )
    gathered = _Means(len(array), model, concepts)
    gathered.add(array.astype(np.float32), np.arange(len(array)))
    return gathered.group("a vector" if len(array) == 1 else f"{len(array):,} vectors", None)


def _shapes(place: Any, argument: str) -> tuple[NDArray[np.object_], Any]:
    """Return geometries and their CRS."""
    if not hasattr(place, "crs"):  # one of shapely's
        shapes = np.empty(1, dtype=object)
        shapes[0] = place
        return shapes, "EPSG:4326"
    if place.crs is None:
        raise InputError(
            f"{argument} has no CRS, so its coordinates could mean anything: "
            "set_crs('EPSG:4326') if they are longitude and latitude in degrees"
        )
    if not len(place):
        raise InputError(f"{argument} holds no place")
    return np.asarray(place.geometry.array), place.crs


def _representative(shapes: NDArray[np.object_], crs: Any, argument: str) -> NDArray[np.float64]:
    """Return one (lon, lat) a shape, or say which have none."""
    from .geometry import representative_points, to_lonlat

    xy = representative_points(shapes)
    lonlat, lost = to_lonlat(xy, crs)
    state = np.where(lost, "not_projectable", status(lonlat))
    bad = np.flatnonzero(~np.isin(state, STATUS_WITH_VALUES))
    if len(bad):
        shown = ", ".join(f"row {row}: ({xy[row, 0]:g}, {xy[row, 1]:g}) {state[row]}" for row in bad[:_ROWS_SHOWN])
        more = f", and {len(bad) - _ROWS_SHOWN:,} more" if len(bad) > _ROWS_SHOWN else ""
        raise CoordinateError(
            f"{argument} has {len(bad):,} of {len(shapes):,} rows that are no place on Earth: {shown}{more}. "
            "Mend or drop them; shapes hold longitude first, latitude second"
        )
    return check_lonlat(lonlat, name=argument)


def _spread(
    shapes: NDArray[np.object_], crs: Any, lonlat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the points that stand for the shapes, and the shape each belongs to, never falling."""
    from .geometry import spread_points

    points, owner = spread_points(shapes, crs, SAMPLES)
    on_earth = np.isin(status(points), STATUS_WITH_VALUES)
    points, owner = points[on_earth], owner[on_earth]
    bare = np.setdiff1d(np.arange(len(shapes)), owner)  # slivers: no point fell inside
    points, owner = np.concatenate([points, lonlat[bare]]), np.concatenate([owner, bare])
    order = np.argsort(owner, kind="stable")
    return check_lonlat(points[order]), owner[order]


def _label(lonlat: NDArray[np.float64], shape: Any = None) -> str:
    """Name one place by its position and the nearest town, a group by its size."""
    if len(lonlat) > 1:
        return f"{len(lonlat):,} places"
    text = spell_place(*lonlat[0])
    if shape is not None and shape.geom_type != "Point":
        return f"{shape.geom_type} around {text}"
    distance, town = _nearest_town(lonlat[0])
    if distance > _NEAR_KM:
        return text
    return f"{text} ({distance:.0f} km from {town})" if distance >= 1.0 else f"{text} ({town})"


def _nearest_town(lonlat: NDArray[np.float64]) -> tuple[float, str]:
    """Return the distance in km to the nearest of `world_places`, and its name."""
    names, towns = _towns()
    nearest = int(np.argmax(towns @ _on_sphere(lonlat[None])[0]))
    chord = float(np.linalg.norm(towns[nearest] - _on_sphere(lonlat[None])[0]))
    return float(2.0 * 6371.0 * np.arcsin(min(chord / 2.0, 1.0))), names[nearest]


@cache
def _towns() -> tuple[list[str], NDArray[np.float64]]:
    """Return names and positions on the unit sphere; read without pandas, which would take longer than the answer."""
    with WORLD_PLACES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lonlat = np.array([(row["lon"], row["lat"]) for row in rows], dtype=np.float64)
    return [f"{row['name']}, {row['country']}" for row in rows], _on_sphere(lonlat)


def _on_sphere(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    lon, lat = np.radians(lonlat).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
