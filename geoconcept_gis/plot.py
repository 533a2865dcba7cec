"""Concept maps as pictures: fixed colours, coastlines, and a line that says what the numbers are.

Needs matplotlib, the extra ``plot``. Nothing here touches pyplot, so backends and open figures stay as they are.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyproj

from .concepts import slug
from .coordinates import near_pole, near_seam, wrap_longitude
from .errors import InputError, MissingDependencyError
from .files import atomic_file
from .land import coastlines
from .raster import check_map
from .style import look_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from numpy.typing import NDArray

    from .grid import Grid
    from .style import Look

__all__ = [
    "View",
    "add_colour_bar",
    "capital",
    "choose_layer",
    "colour_map",
    "draw_concept_map",
    "draw_shores",
    "dress_axes",
    "new_axes",
    "plot_concept_map",
    "require_matplotlib",
    "save_concept_map",
    "view_of",
]

SEA = "#eceff1"
_SHORE = "#5c656b"
_GREY = "#5a6167"
#: Largest map, and the room that colour bar and notes need, in inches.
_MAP_WIDTH, _MAP_HEIGHT, _TEXT_WIDTH = 9.0, 6.5, 5.6
_FORMATS = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".webp")


def plot_concept_map(
    dataset: xr.Dataset, concept: str | None = None, *, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw one concept of a map.

    Colours span the fixed range of the kind of score (Viridis from 0 to 1 or 0 to 100, blue to red from -0.4 to 0.4 for
    a cosine), so maps can be compared by eye. Cells without a value show the pale background.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `concept_map`; any CRS.
    concept : str, optional
        Name or variable of one of its concepts; None means the first.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the colour bar takes a part of it. None makes a new figure, ``ax.figure`` of the result, that
        pyplot does not know of.
    title : str, optional
        None means the concept's name.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        The dataset is no concept map, or has no such concept.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from geoconcept_gis import concept_map
    >>> egypt = concept_map("hot desert climate", bounds=(25, 22, 35, 31), resolution=1)
    >>> plot_concept_map(egypt).get_title(loc="left")
    'Hot desert climate'
    """
    require_matplotlib()
    return draw_concept_map(dataset, concept, ax, None, title)


def save_concept_map(
    dataset: xr.Dataset,
    path: str | PathLike[str],
    concept: str | None = None,
    *,
    title: str | None = None,
    dpi: int = 160,
) -> Path:
    """Draw one concept of a map into a picture file.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `concept_map`.
    path : path-like
        Ends in ``.png``, ``.pdf``, ``.svg``, ``.jpg`` or ``.webp``. An existing file is replaced, in one step.
    concept, title : str, optional
        As in `plot_concept_map`.
    dpi : int, default 160
        Dots per inch; a world map is some 10 inches wide.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    InputError
        The dataset is no concept map, has no such concept, or the path has another ending or no folder.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import concept_map
    >>> egypt = concept_map("hot desert climate", bounds=(25, 22, 35, 31), resolution=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_concept_map(egypt, pathlib.Path(folder) / "egypt.png").name
    'egypt.png'
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"a picture's name must end in {', '.join(_FORMATS)}; got {path.name!r}")
    canvas = plot_concept_map(dataset, concept, title=title).figure.canvas
    with atomic_file(path) as part:
        canvas.print_figure(part, dpi=dpi, facecolor="white")
    return path


def draw_concept_map(
    dataset: xr.Dataset, concept: str | None, ax: Axes | None, figure: Figure | None, title: str | None
) -> Axes:
    """Draw a map on given axes, or on new ones of a given figure, or on those of a new one."""
    layers, grid = check_map(dataset)
    layer = choose_layer(layers, concept)
    view = View(grid)
    ax, bar_ax = new_axes(view, figure) if ax is None else (ax, None)
    look = look_of(dataset.attrs["geoconcept_kind"])
    if look.log:
        raise InputError("this is a heatmap, not a concept map: Geolocation.plot draws it, with its points and areas")
    image = _draw_cells(ax, layer, view, look)
    draw_shores(ax, view)
    dress_axes(ax, view)
    name = str(layer.attrs["concept"])
    ax.set_title(capital(name) if title is None else title, loc="left", fontsize=14, pad=9)
    add_colour_bar(ax, bar_ax, image, look, _note(dataset, layer, grid))
    return ax


def require_matplotlib() -> None:
    """Check that matplotlib is there, before long work whose picture would need it.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed; the message says how to install it.

    Examples
    --------
    >>> require_matplotlib()
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("drawing needs matplotlib: pip install 'geoconcept-gis[plot]'") from error


def choose_layer(layers: Sequence[xr.DataArray], concept: str | None) -> xr.DataArray:
    """Return the layer of a concept, by name or variable; the first for None."""
    if concept is None:
        return layers[0]
    for layer in layers:
        if slug(concept) in (slug(_name_of(layer)), str(layer.name)):
            return layer
    names = ", ".join(repr(_name_of(layer)) for layer in layers)
    raise InputError(f"this map has no concept {concept!r}; it has {names}")


def _name_of(layer: xr.DataArray) -> str:
    """Return the concept of a layer; heatmaps have none."""
    return str(layer.attrs.get("concept", layer.name))


def view_of(dataset: xr.Dataset) -> View:
    """Return the outer edges of a raster."""
    return View(check_map(dataset)[1])


class View:
    """The outer edges of a map, in units of its CRS, and how they are drawn."""

    def __init__(self, grid: Grid) -> None:
        self.crs = grid.crs
        self.left, self.right = grid.left, grid.left + grid.width * grid.xres
        self.bottom, self.top = grid.top - grid.height * grid.yres, grid.top

    @property
    def is_world(self) -> bool:
        """Whether it goes (nearly) round the Earth."""
        return self.crs.is_geographic and self.right - self.left > 300.0

    @property
    def stretch(self) -> float:
        """How much taller than wide one unit is drawn: degrees of longitude shrink away from the equator."""
        if not self.crs.is_geographic or self.is_world:
            return 1.0
        middle = math.radians(min(abs(self.bottom + self.top) / 2.0, 80.0))
        return 1.0 / math.cos(middle)

    @property
    def tallness(self) -> float:
        """Height over width as drawn."""
        return (self.top - self.bottom) * self.stretch / (self.right - self.left)


def new_axes(view: View, figure: Figure | None = None) -> tuple[Axes, Axes]:
    """Return axes for the map and for its colour bar, on an empty figure or a new one; sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width = min(_MAP_WIDTH, _MAP_HEIGHT / view.tallness)
    height = width * view.tallness
    left, right, bottom, top = 0.75, 0.45, 1.5 if view.crs.is_geographic else 1.75, 0.55
    figure_width = left + max(width, _TEXT_WIDTH) + right
    figure_height = bottom + height + top
    if figure is None:
        figure = Figure()
        FigureCanvasAgg(figure)
    figure.set_size_inches(figure_width, figure_height)

    def place(x: float, y: float, w: float, h: float) -> Axes:
        return figure.add_axes((x / figure_width, y / figure_height, w / figure_width, h / figure_height))

    return place(left, bottom, width, height), place(left, 0.77, min(max(width * 0.55, 4.0), _TEXT_WIDTH), 0.13)


def _draw_cells(ax: Axes, layer: xr.DataArray, view: View, look: Look) -> AxesImage:
    ax.set_facecolor(SEA)
    return ax.imshow(
        layer.values,
        cmap=colour_map(look),
        vmin=look.low,
        vmax=look.high,
        extent=(view.left, view.right, view.bottom, view.top),
        origin="upper",
        # Cells stay cells, unless there are more of them than pixels.
        interpolation="nearest" if max(layer.shape) < 2000 else "antialiased",
        aspect=view.stretch,
    )


def colour_map(look: Look) -> LinearSegmentedColormap:
    """Return the colours of a kind of score for matplotlib."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("geoconcept", look.colours, N=256)


def draw_shores(ax: Axes, view: View) -> None:
    """Draw the coastlines that a view shows."""
    shores = coastlines()
    if view.crs.is_geographic:
        # Longitudes may run on past 180, so the world is drawn once more on either side.
        for turn in (-360.0, 0.0, 360.0):
            _draw_line(ax, shores + np.array([turn, 0.0]), view)
    else:
        _draw_line(ax, _project(shores, view.crs), view)


def _draw_line(ax: Axes, line: NDArray[np.float64], view: View) -> None:
    with np.errstate(invalid="ignore"):
        seen = (line[:, 0] > view.left) & (line[:, 0] < view.right)
        seen &= (line[:, 1] > view.bottom) & (line[:, 1] < view.top)
    if seen.any():
        width = 0.35 if view.is_world else 0.6
        ax.plot(line[:, 0], line[:, 1], color=_SHORE, linewidth=width, scalex=False, scaley=False)


def _project(line: NDArray[np.float64], crs: pyproj.CRS) -> NDArray[np.float64]:
    """Project (lon, lat) to `crs`; NaN where the projection does not reach or the line would leap across the map."""
    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = transformer.transform(line[:, 0], line[:, 1])
    lon, lat = transformer.transform(x, y, direction="INVERSE")
    with np.errstate(invalid="ignore"):
        astray = np.abs(np.column_stack([wrap_longitude(lon - line[:, 0]), lat - line[:, 1]])).max(axis=1)
        out = np.where((np.isfinite(x) & (astray < 1e-3))[:, None], np.column_stack([x, y]), np.nan)
        step = np.hypot(*np.diff(out, axis=0).T)
        usual = np.median(step[np.isfinite(step)]) if np.isfinite(step).any() else np.inf
        leaps = np.flatnonzero(step > 200.0 * usual) + 1
    return np.insert(out, leaps, np.nan, axis=0)


def dress_axes(ax: Axes, view: View) -> None:
    """Set limits and ticks: degrees with letters, or kilometres."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

    ax.set_xlim(view.left, view.right)
    ax.set_ylim(view.bottom, view.top)
    ax.tick_params(length=3, color=_GREY, labelsize=9, labelcolor=_GREY)
    for spine in ax.spines.values():
        spine.set(color="#9aa2a8", linewidth=0.6)
    if view.is_world:
        ax.xaxis.set_major_locator(MultipleLocator(60))
        ax.yaxis.set_major_locator(MultipleLocator(30))
    else:
        box = ax.get_window_extent()
        for axis, pixels in ((ax.xaxis, box.width), (ax.yaxis, box.height)):
            ticks = int(np.clip(pixels / ax.figure.dpi, 2, 6))
            axis.set_major_locator(MaxNLocator(ticks, steps=[1, 1.5, 2, 3, 5, 10]))
    if view.crs.is_geographic:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda lon, _: _degrees((lon + 180.0) % 360.0 - 180.0, "EW")))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda lat, _: _degrees(lat, "NS")))
    else:
        metre = view.crs.axis_info[0].unit_name == "metre"
        unit = "km" if metre else view.crs.axis_info[0].unit_name
        scale = 1000.0 if metre else 1.0
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / scale:,g}".replace("-", "\u2212")))
        name = "projected" if view.crs.name == "unknown" else view.crs.name
        ax.set_xlabel(f"{name}, {unit}", fontsize=9, color=_GREY)


def _degrees(value: float, letters: str) -> str:
    """Write ``30°W``; the equator, the prime meridian and the antimeridian have no letter."""
    value = round(value, 6)
    letter = "" if value in (0.0, 180.0, -180.0) else letters[int(value < 0.0)]
    return f"{abs(value):g}°{letter}"


def add_colour_bar(ax: Axes, bar_ax: Axes | None, image: ScalarMappable, look: Look, note: list[str]) -> None:
    """Draw the colour bar under the map, its meaning above it and the note below."""
    # Arrows at the ends say that there may be values beyond them.
    extend = "neither" if (look.low, look.high) == (look.least, look.most) else "both"
    if bar_ax is None:
        bar = ax.figure.colorbar(
            image,
            ax=ax,
            orientation="horizontal",
            extend=extend,
            extendfrac=0.02,
            fraction=0.04,
            shrink=0.8,
            anchor=(0.0, 1.0),
            pad=0.15,
        )
    else:
        bar = ax.figure.colorbar(image, cax=bar_ax, orientation="horizontal", extend=extend, extendfrac=0.02)
    bar.ax.set_title(capital(look.label), loc="left", fontsize=9, pad=5)
    bar.ax.tick_params(labelsize=9, length=3)
    bar.outline.set_linewidth(0.4)
    # On a figure of its own the note has room for two parts in the first line.
    text = "\n".join(note) if bar_ax is None else "  ·  ".join(note[:2]) + "\n" + "\n".join(note[2:])
    bar.ax.annotate(
        text,
        (0.0, 0.0),
        xycoords="axes fraction",
        xytext=(0.0, -20.0),
        textcoords="offset points",
        va="top",
        fontsize=7,
        linespacing=1.4,
        color=_GREY,
    )


def capital(text: str) -> str:
    """Write the first letter large."""
    return text[:1].upper() + text[1:]


def _note(dataset: xr.Dataset, layer: xr.DataArray, grid: Grid) -> list[str]:
    """Say what a reader must know to use the map, in short lines."""
    attributes = dataset.attrs
    model, sha256 = attributes["geoconcept_model"], attributes["geoconcept_model_sha256"][:8]
    reference = str(layer.attrs.get("reference", "unknown")).replace("_", " ")
    scale = str(attributes["geoconcept_scale_km"]).replace("-", "\u2013")
    lines = [
        f"model {model}, sha256 {sha256}  ·  reference: {reference}",
        f"associated with, not observed; scale {scale} km",
    ]
    if "validity" in layer.attrs:
        lines.append(f"held-out {layer.attrs['validity']}")
    smooth = attributes.get("geoconcept_jumps") == "none"  # files of earlier versions do not say
    if not smooth and (jumps := _count_jumps(layer, grid)):
        lines.append(f"{jumps:,} cells lie near the antimeridian or a pole, where the encoder jumps")
    return lines


def _count_jumps(layer: xr.DataArray, grid: Grid) -> int:
    """Count the cells with a value that lie where the encoder is discontinuous."""
    filled = np.isfinite(layer.values).ravel()
    count = 0
    for block in grid.blocks():
        places = grid.lonlat(block[filled[block]])
        count += int((near_seam(places) | near_pole(places)).sum())
    return count
