"""What a model leaves over, on the map: pictures of predictions and residuals, and whether residuals cluster."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..encoder.features import unit_vectors
from ..errors import InputError
from .folds import coordinates_of

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from ..plot import View

    Floats = NDArray[np.float64]

__all__ = ["MoransI", "morans_i", "prediction_maps"]

_GREY, _SEA = "#5a6167", "#eceff1"
#: Inches: width of maps one below the other, longer side of maps side by side; room round a map and round them all.
_WIDE, _SIDE, _LEFT, _RIGHT, _TITLE, _BAR, _TOP, _NOTE = 8.0, 4.6, 0.6, 0.3, 0.35, 0.95, 0.45, 0.4


@dataclass(frozen=True)
class MoransI:
    """Moran's I of values at places. Made by `morans_i`.

    Attributes
    ----------
    value : float
        Near 1 where near places have like values, near 0 where values know nothing of each other, below 0 where
        neighbours differ.
    expected : float
        Of values that know nothing of each other: ``-1 / (n - 1)``.
    p_value : float
        Share of shuffles, this one included, whose I is as large or larger; NaN without shuffles.
    k : int
        Neighbours of each place.
    permutations : int
    places : int
        n.
    """

    value: float
    expected: float
    p_value: float
    k: int
    permutations: int
    places: int

    def __str__(self) -> str:
        p = "" if math.isnan(self.p_value) else f", p {self.p_value:.3g}"
        return f"Moran's I {self.value:.3f} ({self.k} nearest places{p})"


def morans_i(lonlat: Any, values: ArrayLike, *, k: int = 8, permutations: int = 999, seed: int = 0) -> MoransI:
    """Tell whether near places have like values, as residuals of a model that misses something have.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2), DataFrame or GeoDataFrame
        (lon, lat) in degrees, EPSG:4326 (other CRSs are transformed).
    values : array_like of shape (N,)
        Finite numbers, such as observed minus predicted.
    k : int, default 8
        Each place is compared with its k nearest places by great circle, all with the same weight.
    permutations : int, default 999
        Shuffles of the values over the places, for the p-value; 0 for none.
    seed : int, default 0
        Of the shuffles.

    Returns
    -------
    MoransI

    Raises
    ------
    InputError
        Values are missing, infinite, all the same or of another number than the places; or there are no more than k
        places.
    CoordinateError
        A row is not a place on Earth; rows are named.

    Notes
    -----
    With z the values minus their mean and the weights of each place summing to one, I = sum_i z_i mean_j z_j / sum_i
    z_i^2, j over the neighbours of i (Moran 1950, doi 10.2307/2332142). The p-value is one-sided: how often shuffled
    values look as clustered, ``(1 + count) / (1 + permutations)``.

    Examples
    --------
    >>> import numpy as np
    >>> lon = np.arange(-180, 180, 10.0)
    >>> ring = np.column_stack([lon, np.zeros(36)])
    >>> wave = morans_i(ring, np.cos(np.radians(lon)), k=2)
    >>> round(wave.value, 6), wave.p_value
    (0.984808, 0.001)
    """
    pairs = coordinates_of(lonlat, name="lonlat")
    z = _check_values(values, len(pairs), "values")
    if not 1 <= k < len(pairs):
        raise InputError(f"k must be from 1 to {len(pairs) - 1}, one less than there are places; got {k!r}")
    if _all_same(z):
        raise InputError("values are all the same: there is nothing that could cluster")
    z = z - z.mean()
    square = float(z @ z)
    near = _neighbours(pairs, k)
    value = float(z @ z[near].mean(axis=1)) / square
    rng = np.random.default_rng(seed)
    drawn = (rng.permutation(z) for _ in range(permutations))
    count = sum(float(shuffled @ shuffled[near].mean(axis=1)) / square >= value for shuffled in drawn)
    p_value = (1 + count) / (1 + permutations) if permutations else math.nan
    return MoransI(value, -1.0 / (len(z) - 1), p_value, k, permutations, len(z))


def prediction_maps(
    lonlat: Any,
    y: ArrayLike,
    predicted: ArrayLike,
    *,
    label: str = "",
    title: str | None = None,
    k: int = 8,
    permutations: int = 999,
    path: str | PathLike[str] | None = None,
    dpi: int = 160,
) -> Figure:
    """Draw what was observed, what was predicted, and what is left over, as three maps.

    Predictions should be of places that the model was not fitted on: `sklearn.model_selection.cross_val_predict` with
    `spatial_folds`. Below the maps stand R2, root mean square error and Moran's I of the residuals.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2), DataFrame or GeoDataFrame
        (lon, lat) in degrees, EPSG:4326 (other CRSs are transformed).
    y, predicted : array_like of shape (N,)
        Finite numbers.
    label : str, optional
        What the numbers are, with their unit.
    title : str, optional
        What stands above it all.
    k, permutations : int
        As in `morans_i`.
    path : path-like, optional
        Also write the picture there: ``.png``, ``.pdf``, ``.svg``, ``.jpg`` or ``.webp``.
    dpi : int, default 160
        Dots per inch in `path`.

    Returns
    -------
    matplotlib.figure.Figure
        Three maps and their colour bars. Colours of the first two span the 2nd to the 98th percentile of observed and
        predicted values together; the residual, observed minus predicted, is red where the model says too little, and
        spans the 98th percentile of its size. The picture is as wide as the places, also across the antimeridian.

    Raises
    ------
    InputError
        Values are missing, infinite or of another number than the places; or the path has another ending.
    CoordinateError
        A row is not a place on Earth; rows are named.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> import geoconcept_gis as gc
    >>> lonlat = gc.reference_places("uniform_land", 200)
    >>> figure = prediction_maps(lonlat, abs(lonlat[:, 1]), 90 - abs(lonlat[:, 0]) / 2, permutations=0)
    >>> [ax.get_title(loc="left") for ax in figure.axes[::2]]
    ['Observed', 'Predicted', 'Observed minus predicted']
    """
    from ..plot import _FORMATS, require_matplotlib

    require_matplotlib()
    if path is not None and Path(path).suffix.lower() not in _FORMATS:
        raise InputError(f"a picture's name must end in {', '.join(_FORMATS)}; got {Path(path).name!r}")
    pairs = coordinates_of(lonlat, name="lonlat")
    observed = _check_values(y, len(pairs), "y")
    expected = _check_values(predicted, len(pairs), "predicted")
    residual = observed - expected
    figure = _draw(pairs, observed, expected, residual, label, title)
    figure.text(
        _LEFT / figure.get_figwidth(),
        0.16 / figure.get_figheight(),
        _note(pairs, observed, residual, k, permutations),
        fontsize=8,
        color=_GREY,
    )
    if path is not None:
        from ..files import atomic_file

        with atomic_file(path) as part:
            figure.savefig(part, dpi=dpi, facecolor="white")
    return figure


def _check_values(values: ArrayLike, count: int, name: str) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must hold numbers; got {type(values).__name__}") from None
    if array.shape != (count,):
        raise InputError(f"{name} must hold one number for each of the {count:,} places; got shape {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise InputError(
            f"{name} has {len(bad):,} of {count:,} values that are missing or infinite, the first in row {bad[0]}: "
            "mend or drop these rows"
        )
    return array


def _all_same(values: Floats) -> bool:
    """Tell whether values differ by no more than rounding."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def _neighbours(pairs: Floats, k: int) -> NDArray[np.intp]:
    """Return the k nearest other places of each place, shape (N, k)."""
    from scipy.spatial import cKDTree

    points = unit_vectors(pairs)
    found = cKDTree(points).query(points, k=k + 1)[1]
    own = found == np.arange(len(points))[:, None]
    # A place that shares its spot with more than k others may not find itself: drop the last one instead.
    own[~own.any(axis=1), -1] = True
    return np.asarray(found[~own].reshape(len(points), k))


def _note(pairs: Floats, observed: Floats, residual: Floats, k: int, permutations: int) -> str:
    spread = float(np.sum((observed - observed.mean()) ** 2))
    parts = [f"{len(pairs):,} places"]
    if spread:
        parts.append(f"R² {1.0 - float(residual @ residual) / spread:.3f}")
    parts.append(f"root mean square error {np.sqrt(np.mean(residual**2)):.3g}")
    if len(pairs) > k and not _all_same(residual):
        parts.append(f"residuals: {morans_i(pairs, residual, k=k, permutations=permutations)}")
    return "  \u00b7  ".join(parts)


def _draw(pairs: Floats, observed: Floats, expected: Floats, residual: Floats, label: str, title: str | None) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from ..style import LOOKS

    view, pairs = _view_round(pairs)
    wide = view.tallness < 0.7  # maps one below the other, else side by side
    width = _WIDE if wide else min(_SIDE, _SIDE / view.tallness)
    height = width * view.tallness
    across, down = _LEFT + width + _RIGHT, _TITLE + height + _BAR
    total = (across, 3 * down) if wide else (3 * across, down)
    top = _TOP if title else 0.0
    figure = Figure(figsize=(total[0], total[1] + top + _NOTE))
    FigureCanvasAgg(figure)
    if title:
        figure.text(_LEFT / total[0], 1.0 - 0.3 / figure.get_figheight(), title, fontsize=14)
    low, high = np.percentile(np.concatenate([observed, expected]), [2, 98])
    most = float(np.percentile(np.abs(residual), 98)) or 1.0
    values, errors = LOOKS["calibrated"].colours, LOOKS["cosine"].colours
    panels = [
        ("Observed", observed, values, low, high, label),
        ("Predicted", expected, values, low, high, label),
        ("Observed minus predicted", residual, errors, -most, most, "red: the model says too little, blue: too much"),
    ]
    for k, (name, shown, colours, least, largest, text) in enumerate(panels):
        x, y = (0.0, k * down) if wide else (k * across, 0.0)
        box = (x + _LEFT, total[1] + _NOTE - y - _TITLE - height, width, height)
        _draw_panel(figure, box, view, pairs, shown, (name, colours, least, max(largest, least + 1e-12), text))
    return figure


def _view_round(pairs: Floats) -> tuple[View, Floats]:
    """Return a map that shows all places, and their longitudes as they run on across the antimeridian there."""
    import pyproj

    from ..grid import Grid
    from ..plot import View

    lon = np.sort(pairs[:, 0])
    gaps = np.diff(np.append(lon, lon[0] + 360.0))
    west, span = lon[(gaps.argmax() + 1) % len(lon)], 360.0 - gaps.max()
    if span > 300.0:
        left, right = -180.0, 180.0
    else:
        pairs = np.column_stack([west + (pairs[:, 0] - west) % 360.0, pairs[:, 1]])
        left, right = west - _margin(span), west + span + _margin(span)
    south, north = pairs[:, 1].min(), pairs[:, 1].max()
    south, north = south - _margin(north - south), north + _margin(north - south)
    # No map is a ribbon; degrees are drawn as `View` draws them.
    middle = 0.0 if right - left > 300.0 else min(abs(south + north) / 2.0, 80.0)
    stretch = 1.0 / math.cos(math.radians(middle))
    more_height = max(0.0, 0.3 * (right - left) / stretch - (north - south)) / 2.0
    more_width = max(0.0, (north - south) * stretch / 1.8 - (right - left)) / 2.0
    beyond_pole = max(0.0, north + more_height - 90.0) - max(0.0, more_height - 90.0 - south)
    south, north = south - more_height - beyond_pole, north + more_height - beyond_pole
    south, north = max(south, -90.0), min(north, 90.0)
    left, right = left - more_width, right + more_width
    world = pyproj.CRS("EPSG:4326")
    return View(Grid(world, left, north, right - left, north - south, 1, 1)), pairs


def _margin(span: float) -> float:
    return max(0.04 * span, 0.1)


def _draw_panel(
    figure: Figure,
    box: tuple[float, float, float, float],
    view: View,
    pairs: Floats,
    values: Floats,
    look: tuple[str, tuple[str, ...], float, float, str],
) -> Axes:
    """Draw one map and its colour bar; `box` is the map's left, bottom, width and height in inches."""
    from matplotlib.colors import LinearSegmentedColormap

    from ..plot import draw_shores, dress_axes

    name, colours, low, high, text = look
    x, y, width, height = box
    across, up = figure.get_figwidth(), figure.get_figheight()
    ax = figure.add_axes((x / across, y / up, width / across, height / up))
    ax.set_facecolor(_SEA)
    draw_shores(ax, view)
    dots = ax.scatter(
        pairs[:, 0],
        pairs[:, 1],
        c=values,
        s=float(np.clip(0.25 * width * height * 72.0**2 / len(pairs), 2.5, 40.0)),
        cmap=LinearSegmentedColormap.from_list(name, colours),
        vmin=low,
        vmax=high,
        linewidths=0.15,
        edgecolors=_GREY,  # a residual of zero is as pale as the map
    )
    ax.set_aspect(view.stretch)
    dress_axes(ax, view)
    ax.set_title(name, loc="left", fontsize=11, pad=5)
    bar_ax = figure.add_axes((x / across, (y - 0.66) / up, min(0.7 * width, 4.5) / across, 0.11 / up))
    bar = figure.colorbar(dots, cax=bar_ax, orientation="horizontal", extend="both", extendfrac=0.02)
    bar.ax.tick_params(labelsize=8, length=2.5)
    bar.outline.set_linewidth(0.4)
    bar_ax.set_title(text, loc="left", fontsize=8.5, color=_GREY, pad=4)
    return ax
