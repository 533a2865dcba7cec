"""Tables of scored places as pictures: points, lines and polygons in the colours and limits of maps.

Needs matplotlib, the extra ``plot``. Nothing here touches pyplot, so backends and open figures stay as they are.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely

from .errors import InputError
from .grid import Grid
from .plot import SEA, View, add_colour_bar, colour_map, draw_shores, dress_axes, new_axes

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from .style import Look

__all__ = ["draw_places", "drawable", "parts_of"]

_NO_SCORE = "#b9c0c5"
#: Room around the places, as a share of their extent; an extent as wide as this, in degrees, becomes the world.
_ROOM, _WORLD = 0.05, 200.0


def drawable(shapes: gpd.GeoSeries) -> NDArray[np.bool_]:
    """Tell which geometries can be drawn; a warning counts the others."""
    there = ~(shapes.isna() | shapes.is_empty).to_numpy()
    if not there.any():
        raise InputError(f"none of these {len(shapes):,} rows has a geometry: nothing to draw")
    if not there.all():
        warnings.warn(f"{(~there).sum():,} of {len(shapes):,} rows have no geometry and are not drawn", stacklevel=3)
    return np.asarray(there, dtype=bool)


def parts_of(shapes: Any) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return the single points, lines and polygons in geometries, and the row of each."""
    parts, row = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    inner, part = shapely.get_parts(parts, return_index=True)  # collections may hold multi-parts
    return inner, row[part]


def _view_of(shapes: gpd.GeoSeries) -> View:
    """Return what is shown: the places and some room, or the world where they spread over more than half of it."""
    crs = pyproj.CRS(shapes.crs)
    bounds = shapely.bounds(np.asarray(shapes.array, dtype=object))
    low, high = np.min(bounds[:, :2], axis=0), np.max(bounds[:, 2:], axis=0)
    room = np.maximum(_ROOM * (high - low).max(), 0.5 if crs.is_geographic else 50_000.0)
    low, high = low - room, high + room
    if crs.is_geographic:
        if high[0] - low[0] > _WORLD:
            low[0], high[0] = -180.0, 180.0
        low[1], high[1] = max(low[1], -90.0), min(high[1], 90.0)
    width, height = high - low
    return View(Grid(crs, low[0], high[1], width, height, 1, 1))


def draw_places(
    shapes: gpd.GeoSeries,
    values: pd.Series[Any],
    look: Look,
    note: list[str],
    ax: Axes | None,
    figure: Figure | None,
) -> Axes:
    """Draw places, none of them missing, over the coasts, the highest scores on top; on axes as `draw_concept_map`."""
    from matplotlib.colors import Normalize

    scores = values.to_numpy(dtype=np.float64)
    order = np.argsort(np.where(np.isnan(scores), -np.inf, scores), kind="stable")
    parts, row = parts_of(shapes.array[order])
    scores = np.ma.masked_invalid(scores[order][row])
    view = _view_of(shapes)
    ax, bar_ax = new_axes(view, figure) if ax is None else (ax, None)
    ax.set_facecolor(SEA)
    colours = colour_map(look).with_extremes(bad=_NO_SCORE)
    dimensions = shapely.get_dimensions(parts)
    for dimension, draw in ((2, _draw_polygons), (1, _draw_lines), (0, _draw_points)):
        chosen = dimensions == dimension
        if chosen.any():
            drawn = draw(ax, parts[chosen])
            drawn.set(array=scores[chosen], cmap=colours, norm=Normalize(look.low, look.high))
    draw_shores(ax, view)
    ax.set_aspect(view.stretch)
    dress_axes(ax, view)
    add_colour_bar(ax, bar_ax, drawn, look, note)
    return ax


def _draw_polygons(ax: Axes, polygons: NDArray[np.object_]) -> Collection:
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    def outline(ring: Any) -> Path:
        return Path(shapely.get_coordinates(ring), closed=True)

    paths = [
        Path.make_compound_path(outline(polygon.exterior), *map(outline, polygon.interiors)) for polygon in polygons
    ]
    # Edges in the colour of the face close the hairlines between neighbours.
    return ax.add_collection(PathCollection(paths, edgecolors="face", linewidths=0.3), autolim=False)


def _draw_lines(ax: Axes, lines: NDArray[np.object_]) -> Collection:
    from matplotlib.collections import LineCollection

    return ax.add_collection(LineCollection([shapely.get_coordinates(line) for line in lines], linewidths=2.0), False)


def _draw_points(ax: Axes, points: NDArray[np.object_]) -> Collection:
    size = float(np.clip(12_000.0 / len(points), 5.0, 50.0))  # square points
    x, y = shapely.get_coordinates(points).T
    return ax.scatter(x, y, s=size, edgecolors="white", linewidths=0.25, zorder=3)
