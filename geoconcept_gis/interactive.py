"""Maps to zoom and click for notebooks: HTML pages by folium, widgets by lonboard (extra ``notebook``).

Colours, limits and captions are those of `geoconcept_gis.style`. Whatever text comes from a table is escaped.
"""

from __future__ import annotations

import base64
import html
import importlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from .errors import InputError, MissingDependencyError
from .plot import capital
from .plot_table import drawable, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

    from .grid import Grid
    from .style import Look

__all__ = ["explore_places", "explore_raster", "on_mercator", "ramp"]

ENGINES = ("auto", "folium", "lonboard")
#: Above so many places a page of HTML gets slow.
_MANY = 5_000
#: Pixels of an image: at least, so that cells keep their edges; at most, so that a notebook stays small.
_LEAST, _MOST = 600, 4_096
_NO_SCORE = (185, 192, 197, 255)
#: Where the square of web maps ends.
_POLE = 85.05


def explore_places(
    places: gpd.GeoDataFrame, texts: Mapping[str, Any], name: str, look: Look, engine: str, tiles: str | None
) -> Any:
    """Show places; see `geoconcept_gis.accessor.TableAccessor.explore`. Their scores are in the column ``score``."""
    engine, module = _engine(engine, "lonboard" if len(places) > _MANY else "folium")
    there = drawable(places.geometry)
    shown = places[there].to_crs("EPSG:4326")
    columns = {str(label): [_spell(value) for value in np.asarray(values)[there]] for label, values in texts.items()}
    show = _places_with_folium if engine == "folium" else _places_with_lonboard
    return show(module, shown, columns, name, look, tiles)


def explore_raster(layer: xr.DataArray, grid: Grid, look: Look, engine: str, tiles: str | None, opacity: float) -> Any:
    """Show one layer of a map; see `geoconcept_gis.accessor.MapAccessor.explore`."""
    engine, module = _engine(engine, "folium")
    name = str(layer.attrs.get("concept", layer.attrs["long_name"]))
    values, (west, south, east, north) = on_mercator(np.asarray(layer.values), grid)
    image = ramp(values, look, missing=(0, 0, 0, 0))
    if engine == "folium":
        page = _page(module, name, look, tiles)
        module.raster_layers.ImageOverlay(
            image,
            bounds=[[south, west], [north, east]],
            opacity=opacity,
            name=_safe(name),
            pixelated=not look.log,  # the few cells of a heatmap must not get lost between pixels
        ).add_to(page)
        page.fit_bounds([[south, west], [north, east]])
        return page
    bitmap = module.BitmapLayer(image=_data_url(image), bounds=[west, south, east, north], opacity=opacity)
    return module.Map(bitmap, custom_attribution=_safe(_caption(name, look)))


def ramp(values: ArrayLike, look: Look, missing: tuple[int, int, int, int] = _NO_SCORE) -> NDArray[np.uint8]:
    """Return the colour of each score.

    Parameters
    ----------
    values : array_like of float, shape (...)
        Scores; NaN is none.
    look : Look
        Of their kind; values beyond its limits get the colour of the end.
    missing : (int, int, int, int)
        Colour of NaN.

    Returns
    -------
    ndarray of uint8, shape (..., 4)
        Red, green, blue, opacity.

    Examples
    --------
    >>> from geoconcept_gis.style import look_of
    >>> ramp([0.0, 1.0, float("nan")], look_of("calibrated")).tolist()
    [[68, 1, 84, 255], [253, 231, 37, 255], [185, 192, 197, 255]]
    """
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.log(values / look.low) / np.log(look.high / look.low) if look.log else values - look.low
    share = np.clip(share if look.log else share / (look.high - look.low), 0.0, 1.0)
    stops = np.array([[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in look.colours], dtype=np.float64)
    at = np.linspace(0.0, 1.0, len(stops))
    out = np.full((*values.shape, 4), 255, dtype=np.uint8)
    gap = np.isnan(values)
    for channel in range(3):
        out[..., channel] = np.rint(np.interp(np.where(gap, 0.0, share), at, stops[:, channel]))
    if look.log:  # the low end fades out
        out[..., 3] = np.rint(255.0 * np.clip(4.0 * np.where(gap, 0.0, share), 0.0, 1.0))
    out[gap] = missing
    return out


def on_mercator(values: NDArray[Any], grid: Grid) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
    """Lay a map of any CRS on a grid that is regular in web Mercator, cell by cell, without mixing.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        Of the cells of `grid`, north up.
    grid : Grid
        Any CRS.

    Returns
    -------
    ndarray of float32, shape (rows, columns)
        Square pixels of web Mercator; NaN outside of the map.
    (west, south, east, north)
        Outer edges in degrees; east runs on past 180 across the antimeridian.

    Examples
    --------
    >>> from geoconcept_gis.grid import make_grid
    >>> image, bounds = on_mercator(np.eye(2), make_grid((0, -10, 20, 10), 10, None, 4326, 1))
    >>> image.shape[1], bounds, float(image[0, 0]), float(image[0, -1])
    (600, (0.0, -10.0, 20.0, 10.0), 1.0, 0.0)
    """
    west, south, east, north = _degrees(grid)
    south, north = max(south, -_POLE), min(north, _POLE)
    low, high = (np.arcsinh(np.tan(np.radians(lat))) for lat in (south, north))
    width = int(np.clip(grid.width * -(-_LEAST // grid.width), _LEAST, _MOST))
    height = max(1, min(round(width * (high - low) / np.radians(east - west)), 2 * _MOST))
    lon = west + (np.arange(width) + 0.5) * (east - west) / width
    lat = np.degrees(np.arctan(np.sinh(high - (np.arange(height) + 0.5) * (high - low) / height)))
    x, y = np.meshgrid(lon, lat)
    if not grid.crs.is_geographic:
        x, y = pyproj.Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True).transform(x, y)
    with np.errstate(invalid="ignore"):
        column, row = np.floor((x - grid.left) / grid.xres), np.floor((grid.top - y) / grid.yres)
        inside = (column >= 0) & (column < grid.width) & (row >= 0) & (row < grid.height)
    out = np.full(x.shape, np.nan, dtype=np.float32)
    out[inside] = values[row[inside].astype(np.intp), column[inside].astype(np.intp)]
    return out, (float(west), float(south), float(east), float(north))


def _degrees(grid: Grid) -> tuple[float, float, float, float]:
    """Return the outer edges of a map in degrees; east runs on past 180 across the antimeridian."""
    edges = (grid.left, grid.top - grid.height * grid.yres, grid.left + grid.width * grid.xres, grid.top)
    if grid.crs.is_geographic:
        return edges
    transformer = pyproj.Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    west, south, east, north = transformer.transform_bounds(*edges, densify_pts=51)
    if not np.isfinite([west, south, east, north]).all():
        raise InputError(f"this map in {grid.crs.name!r} reaches beyond the Earth: map a smaller area, or in EPSG:4326")
    return west, south, east + 360.0 * (west > east), north


def _engine(engine: str, preferred: str) -> tuple[str, Any]:
    """Return the engine's name and module; ``auto`` takes the other one where the preferred is missing."""
    if engine not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(map(repr, ENGINES))}; got {engine!r}")
    names = sorted(ENGINES[1:], key=lambda name: name != preferred) if engine == "auto" else [engine]
    for name in names:
        try:
            return name, importlib.import_module(name)
        except ImportError as error:
            missing = error
    raise MissingDependencyError(
        f"interactive maps need {' or '.join(names)}: pip install 'geoconcept-gis[notebook]'"
    ) from missing


def _caption(name: str, look: Look) -> str:
    return f"{capital(name)}: {look.label}, {look.low:g} to {look.high:g}"


def _score_label(name: str, look: Look) -> str:
    """Name the score in a tooltip, with its limits, so that no column of the table has the same name."""
    return f"{capital(name)} ({look.low:g} to {look.high:g})"


def _safe(text: str) -> str:
    """Escape text for HTML, and its braces: folium runs what a page holds through a template engine, data too."""
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;")


def _spell(value: Any) -> str:
    """Write a value as text."""
    missing = pd.api.types.is_scalar(value) and pd.isna(value)
    return "\u2013" if missing else f"{value:,.4g}" if isinstance(value, float) else str(value)


def _page(folium: Any, name: str, look: Look, tiles: str | None) -> Any:
    """Return an empty page with a legend."""
    import branca

    page = folium.Map(tiles=tiles, world_copy_jump=True)
    page.get_root().html.add_child(branca.element.Element(_legend(name, look)))
    return page


def _legend(name: str, look: Look) -> str:
    """Return a box with the concept, the colours, their limits and what they mean."""
    middle = np.sqrt(look.low * look.high) if look.log else (look.low + look.high) / 2.0
    caveat = "an estimate, no evidence of a position" if look.log else "associated with, not observed"
    ticks = "".join(f"<span>{value:g}</span>" for value in (look.low, middle, look.high))
    return (
        '<div style="position:fixed;top:10px;right:10px;z-index:1000;width:260px;padding:8px 10px;background:white;'
        'border-radius:4px;box-shadow:0 1px 4px rgba(0,0,0,.3);font:12px/1.35 sans-serif;color:#263036">'
        f"<b>{_safe(capital(name))}</b>"
        f'<div style="height:10px;margin-top:5px;background:linear-gradient(to right,{",".join(look.colours)})"></div>'
        f'<div style="display:flex;justify-content:space-between">{ticks}</div>'
        f"{_safe(capital(look.label))}; {caveat}</div>"
    )


def _places_with_folium(
    folium: Any, shown: gpd.GeoDataFrame, columns: dict[str, list[str]], name: str, look: Look, tiles: str | None
) -> Any:
    page = _page(folium, name, look, tiles)
    scores = shown["score"].to_numpy(dtype=np.float64)
    colours = ["#{:02x}{:02x}{:02x}".format(*colour[:3]) for colour in ramp(scores, look)]
    columns = {_score_label(name, look): [_spell(float(score)) for score in scores], **columns}
    features = [
        {
            "type": "Feature",
            "id": str(row),
            "geometry": shapely.geometry.mapping(shape),
            "properties": {"colour": colour, **{f"c{k}": _safe(text) for k, text in enumerate(texts)}},
        }
        for row, (shape, colour, *texts) in enumerate(zip(shown.geometry, colours, *columns.values(), strict=True))
    ]
    # folium writes keys into its script as they are: so they are ours, and the columns' names are labels.
    keys, labels = [f"c{k}" for k in range(len(columns))], list(map(_safe, columns))
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        name=_safe(name),
        marker=folium.CircleMarker(radius=5, fill=True),
        style_function=lambda feature: {
            "color": "#ffffff" if "Point" in feature["geometry"]["type"] else feature["properties"]["colour"],
            "fillColor": feature["properties"]["colour"],
            "fillOpacity": 0.8,
            "weight": 3 if "Line" in feature["geometry"]["type"] else 0.7,
        },
        tooltip=folium.GeoJsonTooltip(keys, labels),
        popup=folium.GeoJsonPopup(keys, labels),
    ).add_to(page)
    west, south, east, north = shown.total_bounds.tolist()
    page.fit_bounds([[south, west], [north, east]])
    return page


def _places_with_lonboard(
    lonboard: Any, shown: gpd.GeoDataFrame, columns: dict[str, list[str]], name: str, look: Look, tiles: str | None
) -> Any:
    """Return a map with a layer each for points, lines and polygons; base map and escaping are lonboard's own."""
    import geopandas as gpd

    parts, row = parts_of(shown.geometry.array)
    table = pd.DataFrame({_score_label(name, look): shown["score"].to_numpy(dtype=np.float32), **columns}).iloc[row]
    frame = gpd.GeoDataFrame(table.reset_index(drop=True), geometry=parts, crs="EPSG:4326")
    colours = ramp(frame.iloc[:, 0], look)
    dimensions = shapely.get_dimensions(parts)
    makers: tuple[tuple[int, Any, dict[str, int], str], ...] = (
        (2, lonboard.SolidPolygonLayer, {}, "get_fill_color"),
        (1, lonboard.PathLayer, {"width_min_pixels": 2}, "get_color"),
        (0, lonboard.ScatterplotLayer, {"radius_min_pixels": 3}, "get_fill_color"),
    )
    layers = [
        # No casting: what lonboard casts with is deprecated in pandas.
        maker.from_geopandas(
            frame[dimensions == dimension],
            auto_downcast=False,
            **options,
            **{colour: colours[dimensions == dimension]},
        )
        for dimension, maker, options, colour in makers
        if (dimensions == dimension).any()
    ]
    return lonboard.Map(layers, custom_attribution=_safe(_caption(name, look)))


def _data_url(image: NDArray[np.uint8]) -> str:
    from matplotlib.image import imsave

    buffer = io.BytesIO()
    imsave(buffer, image, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
