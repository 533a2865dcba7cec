"""A concept of one's own, from the places it should be high at."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._version import __version__
from .concepts import Concept
from .concepts.concept import PERCENTILES
from .coordinates import STATUS_WITH_VALUES, check_lonlat, looks_swapped, near_pole, near_seam, status
from .errors import ConceptError, CoordinateError, FewPlacesWarning, InputError, SeamWarning
from .fitting import STRENGTHS, Examples, centre, fit_concept, known_failure
from .model import as_model
from .place_vectors import spell_place
from .reference import DRAWABLE, reference_places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from .fitting import Fit
    from .model import GeoConceptModel
    from .progress import Progress

    Lonlat = NDArray[np.float64]

__all__ = ["FEW", "HeldOut", "concept_from_places"]

#: Fewer positive places than this bring a warning.
FEW = 10
#: Each H3 cell of this resolution (about 5 km2) counts once: places in it look alike to the encoder.
THIN_RESOLUTION = 7
#: Side of the cells that take their place where h3ronpy is missing, as in QGIS: the root of their mean area.
THIN_KM = 2.27
_KM_PER_DEGREE = 111.195
#: Places of the reference set that percentiles are counted over, at least.
_PERCENTILE_PLACES = 10_000
#: Cells coarser than this are looked at in some of their children, no finer than this.
_CELL_RESOLUTION = 5
_ROWS_SHOWN = 5


@dataclass(frozen=True)
class _Places:
    """Points that stand for what was given, and how they came about, in words."""

    lonlat: Lonlat
    story: str


@dataclass(frozen=True)
class HeldOut:
    """The places that a concept was made from, with their held-out scores: what a report of its test is drawn from.

    Attributes
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326; positives first.
    y : ndarray of bool, shape (N,)
        Which are positive.
    weight : ndarray of float64, shape (N,)
        How much each counts in calibration.
    scores : ndarray of float32, shape (N,)
        Centred cosine of each, by a direction that was fitted without its block.
    """

    lonlat: Lonlat
    y: NDArray[np.bool_]
    weight: NDArray[np.float64]
    scores: NDArray[np.float32]


def concept_from_places(
    positive: Any,
    negative: Any = None,
    *,
    name: str,
    description: str = "",
    family: str = "user",
    model: GeoConceptModel | str | PathLike[str] | None = None,
    reference: str = "uniform_land",
    background: int = 10_000,
    samples: int = 32,
    thin: bool = True,
    prevalence: float = 0.5,
    seed: int = 0,
    aliases: Sequence[str] = (),
    licence: str = "",
    progress: Progress | None = None,
    inspect: Callable[[HeldOut], object] | None = None,
) -> Concept:
    """Make a concept from places: records of a species, sites of a kind, regions drawn on a map.

    Parameters
    ----------
    positive : GeoDataFrame, GeoSeries, array_like or H3 cells
        Where the concept should be high. Geometries of any kind in any CRS (refused without one): points count as
        they are, lines and polygons by `samples` points spread inside. Or an array of shape (N, 2), columns
        (lon, lat) in degrees, EPSG:4326. Or H3 cells: a one-dimensional array of text or integers, or a table
        without geometries but with a column or an index ``h3``; cells coarser than resolution 5 count by the centres
        of some children.
    negative : the same, optional
        What to tell it from: absences, or a target-group background (records of similar species by the same
        observers, which carry the same bias towards roads and towns). None draws `background` places of `reference`;
        those near a positive stay among them, as they are part of what there is to choose from.
    name : str
        What to call it.
    description : str, default ""
        One sentence.
    family : str, default "user"
        The family it is listed in.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default.
    reference : {"uniform_land", "uniform_earth"}
        The set of places that the concept is centred on and that percentiles are counted over; the model's bank must
        know it. ``uniform_earth`` is for concepts of the sea.
    background : int, default 10,000
        How many places to draw where `negative` is None.
    samples : int, default 32
        Points a line or polygon.
    thin : bool, default True
        Count places in the same H3 cell of resolution 7 (some 5 km2) once, as ten records of one orchid meadow are
        one place to the encoder; without h3ronpy, as in QGIS, in the same cell of 2.27 km by 2.27 km. Positives and
        negatives are thinned each on their own.
    prevalence : float, default 0.5
        The share of positives to calibrate for, above 0 and below 1. At 0.5, positives and negatives weigh the same
        however many they are, so that a score above 0.5 means: more typical of the positives. It is no probability of
        occurrence, which presence-only records cannot give. With a survey of both, give its share of positives.
    seed : int, default 0
        Of the background, the folds and the controls: the same input and seed give the same concept.
    aliases : sequence of str, optional
        Other names.
    licence : str, default ""
        Licence of the concept, for those you share it with.
    progress : callable, optional
        Called as ``progress(done, total)``, in points, while places are encoded; return true to cancel. The fit that
        follows takes seconds and does not report.
    inspect : callable, optional
        Called once with the `HeldOut` scores of all places, to draw them.

    Returns
    -------
    Concept
        With direction, pattern, calibration, percentiles, grade, held-out test, controls and known failure, as those
        of the bundled bank. Give it wherever a concept is asked for; keep it with `write_concept`.

    Raises
    ------
    InputError
        No CRS, an empty input, no H3 cells, or an option out of range.
    CoordinateError
        Rows that are no place on Earth; they are named.
    ConceptError
        Fewer than two places with or without the label, or all positives in one spot, so that nothing can be tested.
    Cancelled
        `progress` asked to stop.

    Warns
    -----
    FewPlacesWarning
        Fewer than 10 positive places: the concept comes with its grade, but that grade rests on little.
    SeamWarning
        Places lie within 0.5 degree of the antimeridian or a pole, where the encoder is discontinuous.

    See Also
    --------
    geoconcept_gis.fitting.fit_concept : How the direction is fitted and tested.
    geoconcept_gis.reference_places : The places of the background.

    Notes
    -----
    Presence-only records tell where observers went as much as where the species lives. A target-group background
    cancels what both share (Phillips et al. 2009, doi 10.1890/07-2153.1).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> deserts = np.column_stack([rng.uniform(-10, 35, 60), rng.uniform(20, 29, 60)])
    >>> sahara = concept_from_places(deserts, name="my desert", background=300)
    >>> sahara.validity.n_positive, sahara.reference
    (60, 'uniform_land')
    """
    model = as_model(model)
    _check_options(reference, background, samples, prevalence, model)
    presences = _gather(positive, "positive", samples, thin, model)
    ground = reference_places(reference, max(background, _PERCENTILE_PLACES), seed=seed)
    if negative is None:
        absences = _Places(ground[:background], f"{background:,} places drawn from {reference}, seed {seed}")
    else:
        absences = _gather(negative, "negative", samples, thin, model)
    _check_enough(presences, absences)

    vectors, ground_vectors = _encode(model, presences, absences, ground, negative is None, progress)
    lonlat = np.concatenate([presences.lonlat, absences.lonlat])
    y = np.arange(len(lonlat)) < len(presences.lonlat)
    weight = np.where(y, prevalence / y.sum(), (1.0 - prevalence) / (~y).sum()) * len(y)
    mean = model.bank.references[reference]
    examples = Examples(centre(vectors, mean), y, lonlat, weight)
    fit = fit_concept(examples, negatives=absences.story, strengths=STRENGTHS, seed=seed)
    if inspect is not None:
        inspect(HeldOut(lonlat, y, weight, fit.scores))
    cosine = centre(ground_vectors, mean) @ fit.vector
    return Concept(
        name=name,
        vector=fit.vector,
        space=model.space,
        family=family,
        description=description,
        reference=reference,
        calibration=fit.calibration,
        percentiles=np.percentile(cosine, PERCENTILES).astype(np.float32),
        # float16 is what a bank's file keeps
        pattern=fit.pattern.astype(np.float16).astype(np.float32),
        validity=fit.validity,
        scale_km=model.scale_km,
        aliases=tuple(aliases),
        grade=fit.grade,
        failure=known_failure(fit.scores, y, weight, _areas(lonlat)),
        provenance=_provenance(model, presences, absences, fit, prevalence, len(ground), seed),
        licence=licence,
    )


def _check_options(reference: str, background: Any, samples: Any, prevalence: float, model: GeoConceptModel) -> None:
    if reference not in DRAWABLE:
        raise InputError(
            f"reference must be one of {', '.join(DRAWABLE)}, whose places can be drawn here; got {reference!r}"
        )
    if reference not in model.bank.references:
        known = ", ".join(model.bank.references)
        raise InputError(f"model {model.name!r} has no mean of reference {reference!r}; it has {known}")
    for option, value, least in (("background", background, 2), ("samples", samples, 1)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise InputError(f"{option} must be a whole number of at least {least}; got {value!r}")
    if not 0.0 < prevalence < 1.0:
        raise InputError(f"prevalence must lie between 0 and 1; got {prevalence!r}")


def _check_enough(presences: _Places, absences: _Places) -> None:
    for argument, places in (("positive", presences), ("negative", absences)):
        if len(places.lonlat) < 2:
            raise ConceptError(f"{argument} must hold at least 2 different places; got {places.story}")
    count = len(presences.lonlat)
    if count < FEW:
        warnings.warn(
            f"{count} positive places are few: read the grade with care, for a test on fewer than {FEW} says little",
            FewPlacesWarning,
            stacklevel=3,
        )


def _gather(places: Any, argument: str, samples: int, thin: bool, model: GeoConceptModel) -> _Places:
    """Turn what the caller gave into points, thinned if so asked."""
    if (cells := _cells_of(places)) is not None:
        lonlat, story = _cell_points(cells), f"{len(cells):,} H3 cells"
    elif hasattr(places, "geom_type"):  # geopandas' objects, and shapely's geometries
        shapes, crs = _shapes_of(places, argument)
        lonlat, story = _shape_points(shapes, crs, samples, argument), f"{len(shapes):,} geometries"
    else:
        lonlat = check_lonlat(places, name=argument)
        story = f"{len(lonlat):,} places"
    if not len(lonlat):
        raise InputError(f"{argument} holds no place")
    rough = int((near_seam(lonlat) | near_pole(lonlat)).sum())
    if rough and model.encoder.jumps:
        warnings.warn(
            f"{rough:,} of {len(lonlat):,} places in {argument} lie within 0.5 degree of the antimeridian or a pole, "
            "where the encoder is discontinuous",
            SeamWarning,
            stacklevel=3,
        )
    if thin:
        cells, kind = _thinning_cells(lonlat)
        lonlat = lonlat[np.sort(np.unique(cells, return_index=True)[1])]
        story += f"; {len(lonlat):,} places after thinning to one per {kind}"
    elif "places" not in story:
        story += f"; {len(lonlat):,} places"
    return _Places(lonlat, story)


def _cells_of(places: Any) -> Any:
    """Return H3 cells if that is what was given, checked, else None."""
    if hasattr(places, "geom_type"):
        return None
    if hasattr(places, "columns"):
        if "h3" not in places.columns and places.index.name != "h3":
            return None
        places = places["h3"] if "h3" in places.columns else places.index
    elif not hasattr(places, "__len__") or not _is_flat(places):
        return None
    from .cells import parse_cells

    return parse_cells(places)[1]


def _is_flat(places: Any) -> bool:
    """Tell a row of cell names or numbers from pairs of coordinates, and from one pair."""
    if hasattr(places, "__arrow_c_array__"):
        return True
    try:
        array = np.asarray(places)
    except ValueError:  # rows of different lengths
        return False
    return array.ndim == 1 and array.size > 0 and array.dtype.kind != "f"


def _cell_points(cells: NDArray[np.uint64]) -> Lonlat:
    """Return the centres of cells; of coarse ones the centres of children two steps finer."""
    import h3ronpy
    import pyarrow as pa

    from .h3cells import centers_of, descend, to_numpy

    own = to_numpy(h3ronpy.cells_resolution(pa.array(cells))).astype(int)
    finest = np.where(own < _CELL_RESOLUTION, np.minimum(own + 2, _CELL_RESOLUTION), own)
    return np.concatenate([np.empty((0, 2)), *(centers_of(descend(cells[finest == k], k)) for k in np.unique(finest))])


def _shapes_of(places: Any, argument: str) -> tuple[NDArray[np.object_], Any]:
    """Return geometries and their CRS."""
    if not hasattr(places, "crs"):  # one of shapely's
        raise InputError(f"{argument} is a single geometry: put it into a GeoSeries with its CRS")
    if places.crs is None:
        raise InputError(
            f"{argument} has no CRS, so its coordinates could mean anything: "
            "set_crs('EPSG:4326') if they are longitude and latitude in degrees"
        )
    return np.asarray(places.geometry.array), places.crs


def _shape_points(shapes: NDArray[np.object_], crs: Any, samples: int, argument: str) -> Lonlat:
    """Return points for shapes, each with at least one; refuse shapes that are nowhere."""
    import shapely

    from .geometry import representative_points, spread_points, to_lonlat

    rows = np.arange(len(shapes))
    # A MultiPoint is many records, and each counts.
    several = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT) & ~shapely.is_empty(shapes)
    parts, owner = shapely.get_parts(shapes[several], return_index=True)
    shapes, rows = np.concatenate([shapes[~several], parts]), np.concatenate([rows[~several], rows[several][owner]])
    xy = representative_points(shapes)
    lonlat, lost = to_lonlat(xy, crs)
    state = np.where(lost, "not_projectable", status(lonlat))
    bad = np.flatnonzero(~np.isin(state, STATUS_WITH_VALUES))
    if len(bad):
        shown = ", ".join(f"row {rows[k]}: ({xy[k, 0]:g}, {xy[k, 1]:g}) {state[k]}" for k in bad[:_ROWS_SHOWN])
        more = f", and {len(bad) - _ROWS_SHOWN:,} more" if len(bad) > _ROWS_SHOWN else ""
        swapped = " They look swapped: geometries hold longitude first, latitude second." * looks_swapped(lonlat)
        raise CoordinateError(
            f"{argument} has {len(bad):,} of {len(shapes):,} shapes that are no place on Earth: {shown}{more}.{swapped}"
            " Mend or drop them"
        )
    points, owner = spread_points(shapes, crs, samples)
    on_earth = np.isin(status(points), STATUS_WITH_VALUES)
    bare = np.setdiff1d(np.arange(len(shapes)), owner[on_earth])  # slivers: no point fell inside
    return check_lonlat(np.concatenate([points[on_earth], lonlat[bare]]), name=argument)


def _thinning_cells(lonlat: Lonlat) -> tuple[NDArray[Any], str]:
    """Return the cell that each place lies in, and what kind of cell that is."""
    try:
        from .h3cells import to_numpy
    except ImportError:
        return _grid_cells(lonlat), f"cell of {THIN_KM} km by {THIN_KM} km"
    import h3ronpy.vector

    cells = to_numpy(h3ronpy.vector.coordinates_to_cells(lonlat[:, 1], lonlat[:, 0], THIN_RESOLUTION))
    return cells, f"H3 cell of resolution {THIN_RESOLUTION}"


def _grid_cells(lonlat: Lonlat) -> NDArray[np.int64]:
    """Return the cell of each place in a grid of rows of equal height, cut into cells about as wide as high."""
    step = THIN_KM / _KM_PER_DEGREE
    row = np.floor((lonlat[:, 1] + 90.0) / step)
    columns = np.maximum(np.round(360.0 / step * np.cos(np.radians((row + 0.5) * step - 90.0))), 1.0)
    column = np.floor((lonlat[:, 0] + 180.0) / 360.0 * columns) % columns
    return np.asarray(row * 1_000_000.0 + column, dtype=np.int64)


def _encode(
    model: GeoConceptModel,
    presences: _Places,
    absences: _Places,
    ground: Lonlat,
    drawn: bool,
    progress: Progress | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embed all examples, and the reference places, each once: a drawn background is a part of the reference."""
    parts = [presences.lonlat, *(() if drawn else (absences.lonlat,)), ground]
    vectors = model.encode(np.concatenate(parts), progress=progress)
    count = len(presences.lonlat) + len(absences.lonlat)
    return vectors[:count], vectors[-len(ground) :]


def _areas(lonlat: Lonlat) -> NDArray[np.str_]:
    """Name the 10-degree block that each place lies in."""
    middles = np.floor(lonlat / 10.0) * 10.0 + 5.0
    middles[:, 1] = np.minimum(middles[:, 1], 85.0)  # the north pole itself
    blocks, inverse = np.unique(middles, axis=0, return_inverse=True)
    names = np.array([f"the area around {spell_place(lon, lat)}" for lon, lat in blocks])
    return np.asarray(names[inverse.ravel()])


def _provenance(
    model: GeoConceptModel,
    presences: _Places,
    absences: _Places,
    fit: Fit,
    prevalence: float,
    ground: int,
    seed: int,
) -> dict[str, str]:
    return {
        "software": f"geoconcept_gis {__version__}",
        "model": model.name,
        "model_sha256": model.sha256,
        "positive": presences.story,
        "negative": absences.story,
        "method": f"balanced logistic regression on centred unit vectors, C={fit.strength:g} by nested blocks",
        "calibrated": f"on held-out scores, positives weighted to {prevalence:g} of all; no probability of occurrence",
        "percentiles": f"over {ground:,} places of the reference set",
        "seed": str(seed),
    }
